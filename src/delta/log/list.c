/* The files of the log by their names. What has none of the names below is not the log's and is passed over. */
#include <delta/log/log.h>

#include <stdio.h>
#include <stdlib.h>

#define FOLDER "_delta_log/"
enum { VERSION_DIGITS = 20, PART_DIGITS = 10, UUID_SIZE = 36 };

void osdear__log_commit_path(int64_t version, char out[OSDEAR__LOG_PATH])
{
  snprintf(out, OSDEAR__LOG_PATH, FOLDER "%020" PRId64 ".json", version);
}

void osdear__log_checkpoint_path(int64_t version, char out[OSDEAR__LOG_PATH])
{
  snprintf(out, OSDEAR__LOG_PATH, FOLDER "%020" PRId64 ".checkpoint.parquet", version);
}

void osdear__log_file_path(const osdear__commit_file *file, char out[OSDEAR__LOG_PATH])
{
  if (file->first_version == file->version)
    osdear__log_commit_path(file->version, out);
  else
    snprintf(out, OSDEAR__LOG_PATH, FOLDER "%020" PRId64 ".%020" PRId64 ".compacted.json", file->first_version, file->version);
}

void osdear__listing_drop(osdear__listing *listing)
{
  osdear__arena_drop(&listing->arena);
  osdear__free(listing->commits);
  osdear__free(listing->compacted);
  osdear__free(listing->checkpoints);
  *listing = (osdear__listing){ 0 };
}

/* Takes `count` digits off the front of the name. */
static bool take_digits(const char **name, size_t count, int64_t *out)
{
  for (size_t i = 0; i < count; i++)
    if ((*name)[i] < '0' || (*name)[i] > '9')
      return false;
  if (!osdear__parse_i64((osdear__str){ *name, count }, out))
    return false;
  *name += count;
  return true;
}

static bool take_text(const char **name, const char *text)
{
  if (!osdear__starts_with(*name, text))
    return false;
  *name += strlen(text);
  return true;
}

/* What stands between "….checkpoint" and the end of the name. */
static bool parse_checkpoint(const char *name, osdear__checkpoint_file *out)
{
  const char *rest = name;

  if (strcmp(name, ".parquet") == 0) {
    out->form = CHECKPOINT_CLASSIC;
    return true;
  }
  if (take_text(&rest, ".") && take_digits(&rest, PART_DIGITS, &out->part) && take_text(&rest, ".") &&
      take_digits(&rest, PART_DIGITS, &out->part_count) && strcmp(rest, ".parquet") == 0) {
    out->form = CHECKPOINT_MULTI_PART;
    return out->part >= 1 && out->part <= out->part_count;
  }
  if (strlen(name) < 1 + UUID_SIZE || name[0] != '.' || name[9] != '-')
    return false;
  out->form = CHECKPOINT_V2;
  out->part = out->part_count = 1;
  return strcmp(name + 1 + UUID_SIZE, ".parquet") == 0 || strcmp(name + 1 + UUID_SIZE, ".json") == 0;
}

/* Room for one more in a list that grows. */
static osdear_status more_room(void *list_at, size_t count, size_t *room, size_t size, osdear_error **error)
{
  size_t wanted = *room ? *room * 2 : 64;
  void *list;

  if (count < *room)
    return OSDEAR_OK;
  memcpy(&list, list_at, sizeof list);
  list = osdear__realloc_array(list, wanted, size);
  if (!list)
    return osdear__fail_memory(error);
  memcpy(list_at, &list, sizeof list);
  *room = wanted;
  return OSDEAR_OK;
}

static osdear_status add_commit(osdear__listing *listing, int64_t version, const osdear__store_item *item, osdear_error **error)
{
  osdear_status st = more_room(&listing->commits, listing->commit_count, &listing->commit_room, sizeof *listing->commits, error);

  if (!st)
    listing->commits[listing->commit_count++] = (osdear__commit_file){ version, version, item->size_bytes, item->modified_ms };
  return st;
}

static osdear_status add_compacted(osdear__listing *listing, int64_t first, int64_t version, const osdear__store_item *item,
                                   osdear_error **error)
{
  osdear_status st =
      more_room(&listing->compacted, listing->compacted_count, &listing->compacted_room, sizeof *listing->compacted, error);

  if (!st)
    listing->compacted[listing->compacted_count++] = (osdear__commit_file){ version, first, item->size_bytes, item->modified_ms };
  return st;
}

static osdear_status add_checkpoint(osdear__listing *listing, osdear__checkpoint_file *file, const osdear__store_item *item,
                                    osdear_error **error)
{
  osdear_status st =
      more_room(&listing->checkpoints, listing->checkpoint_count, &listing->checkpoint_room, sizeof *listing->checkpoints, error);

  if (st)
    return st;
  file->size_bytes = item->size_bytes;
  file->path = osdear__arena_strdup(&listing->arena, item->path);
  if (!file->path)
    return osdear__fail_memory(error);
  listing->checkpoints[listing->checkpoint_count++] = *file;
  return OSDEAR_OK;
}

static osdear_status on_item(void *argument, const osdear__store_item *item, osdear_error **error)
{
  osdear__listing *listing = argument;
  osdear__checkpoint_file checkpoint = { .part = 1, .part_count = 1 };
  const char *name = item->path + strlen(FOLDER);
  const char *rest;
  int64_t version, last;

  if (!take_digits(&name, VERSION_DIGITS, &version) || version == INT64_MAX) /* none could come after it */
    return OSDEAR_OK;
  if (strcmp(name, ".json") == 0)
    return add_commit(listing, version, item, error);
  checkpoint.version = version;
  if (take_text(&name, ".checkpoint"))
    return parse_checkpoint(name, &checkpoint) ? add_checkpoint(listing, &checkpoint, item, error) : OSDEAR_OK;
  rest = name;
  if (take_text(&rest, ".") && take_digits(&rest, VERSION_DIGITS, &last) && strcmp(rest, ".compacted.json") == 0 &&
      last > version)
    return add_compacted(listing, version, last, item, error);
  return OSDEAR_OK;
}

/* ---- which checkpoints are whole ---- */

int osdear__checkpoint_file_compare(const osdear__checkpoint_file *a, const osdear__checkpoint_file *b)
{
  if (a->version != b->version)
    return a->version < b->version ? -1 : 1;
  if (a->form != b->form)
    return a->form < b->form ? -1 : 1;
  if (a->part_count != b->part_count)
    return a->part_count < b->part_count ? -1 : 1;
  return strcmp(a->path, b->path);
}

static int compare_checkpoints(const void *a, const void *b)
{
  return osdear__checkpoint_file_compare(a, b);
}

/* A checkpoint of which parts are missing is still being written, or never will be: it is none. */
static void drop_incomplete(osdear__listing *listing)
{
  osdear__checkpoint_file *files = listing->checkpoints;
  size_t kept = 0, run = 0;

  if (listing->checkpoint_count > 1)
    qsort(files, listing->checkpoint_count, sizeof *files, compare_checkpoints);
  for (size_t i = 0; i < listing->checkpoint_count; i++) {
    bool continues = run && files[i].version == files[i - 1].version && files[i].part_count == files[i - 1].part_count &&
                     files[i].part == files[i - 1].part + 1;

    run = continues ? run + 1 : files[i].part == 1;
    files[kept + (run ? run - 1 : 0)] = files[i];
    if (run && files[i].part == files[i].part_count) {
      kept += run;
      run = 0;
    }
  }
  listing->checkpoint_count = kept;
}

/* Is a commit missing that one of those after it, or the checkpoint that the listing starts at, stands on? */
static bool has_gap(const osdear__listing *listing, int64_t from)
{
  int64_t next = from > 0 ? from + 1 : 0;

  if (from <= 0 && listing->checkpoint_count && listing->commit_count)
    next = listing->commits[0].version; /* those before it were cleaned up */
  for (size_t i = 0; i < listing->commit_count; i++) {
    if (listing->commits[i].version > next)
      return true;
    next = listing->commits[i].version + 1;
  }
  return false;
}

static osdear_status list_once(osdear__store *store, int64_t from, osdear__listing *out, osdear_error **error)
{
  osdear__listing listing = { 0 };
  char start[OSDEAR__LOG_PATH];
  osdear_status st;

  snprintf(start, sizeof start, FOLDER "%020" PRId64, from);
  st = osdear__store_list(store, FOLDER, from > 0 ? start : NULL, false, on_item, &listing, error);
  if (st) {
    osdear__listing_drop(&listing);
    return st;
  }
  drop_incomplete(&listing);
  *out = listing;
  return OSDEAR_OK;
}

/* No listing is of one moment: one that walks while others write may pass over a commit and still meet a later one. Whoever wrote the later
 * one had seen the other, so that a listing begun after this one has both; a gap that stays is the log's. */
osdear_status osdear__listing_read(osdear__store *store, int64_t from, osdear__listing *out, osdear_error **error)
{
  osdear_status st = list_once(store, from, out, error);

  if (st || !has_gap(out, from))
    return st;
  osdear__listing_drop(out);
  return list_once(store, from, out, error);
}

int64_t osdear__listing_newest(const osdear__listing *listing)
{
  int64_t newest = listing->commit_count ? listing->commits[listing->commit_count - 1].version : -1;

  if (listing->checkpoint_count && listing->checkpoints[listing->checkpoint_count - 1].version > newest)
    newest = listing->checkpoints[listing->checkpoint_count - 1].version;
  return newest;
}

int64_t osdear__listing_earliest(const osdear__listing *listing)
{
  if (listing->commit_count && listing->commits[0].version == 0)
    return 0;
  return listing->checkpoint_count ? listing->checkpoints[0].version : osdear__listing_newest(listing) + 1;
}
