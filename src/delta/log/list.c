/* The files of the log by their names. What has none of the names below is not the log's and is passed over. */
#include <delta/log/log.h>

#include <stdio.h>

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

void osdear__listing_drop(osdear__listing *listing)
{
  osdear__arena_drop(&listing->arena);
  osdear__free(listing->commits);
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
static bool parse_checkpoint(const char *name, osdear__checkpoint_form *form)
{
  const char *rest = name;
  int64_t part, parts;

  if (strcmp(name, ".parquet") == 0) {
    *form = CHECKPOINT_CLASSIC;
    return true;
  }
  if (take_text(&rest, ".") && take_digits(&rest, PART_DIGITS, &part) && take_text(&rest, ".") && take_digits(&rest, PART_DIGITS, &parts) &&
      strcmp(rest, ".parquet") == 0) {
    *form = CHECKPOINT_MULTI_PART;
    return true;
  }
  if (strlen(name) < 1 + UUID_SIZE || name[0] != '.' || name[9] != '-')
    return false;
  *form = CHECKPOINT_V2;
  return strcmp(name + 1 + UUID_SIZE, ".parquet") == 0 || strcmp(name + 1 + UUID_SIZE, ".json") == 0;
}

static osdear_status add_commit(osdear__listing *listing, int64_t version, const osdear__store_item *item, osdear_error **error)
{
  if (listing->commit_count == listing->commit_room) {
    size_t room = listing->commit_room ? listing->commit_room * 2 : 64;
    osdear__commit_file *grown = osdear__realloc_array(listing->commits, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    listing->commits = grown;
    listing->commit_room = room;
  }
  listing->commits[listing->commit_count++] = (osdear__commit_file){ version, item->size_bytes, item->modified_ms };
  return OSDEAR_OK;
}

static osdear_status add_checkpoint(osdear__listing *listing, int64_t version, osdear__checkpoint_form form, const osdear__store_item *item,
                                    osdear_error **error)
{
  char *path = osdear__arena_strdup(&listing->arena, item->path);

  if (!path)
    return osdear__fail_memory(error);
  if (listing->checkpoint_count == listing->checkpoint_room) {
    size_t room = listing->checkpoint_room ? listing->checkpoint_room * 2 : 16;
    osdear__checkpoint_file *grown = osdear__realloc_array(listing->checkpoints, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    listing->checkpoints = grown;
    listing->checkpoint_room = room;
  }
  listing->checkpoints[listing->checkpoint_count++] = (osdear__checkpoint_file){ version, form, path, item->size_bytes };
  return OSDEAR_OK;
}

static osdear_status on_item(void *argument, const osdear__store_item *item, osdear_error **error)
{
  osdear__listing *listing = argument;
  const char *name = item->path + strlen(FOLDER);
  osdear__checkpoint_form form;
  int64_t version;

  if (!take_digits(&name, VERSION_DIGITS, &version))
    return OSDEAR_OK;
  if (strcmp(name, ".json") == 0)
    return add_commit(listing, version, item, error);
  if (take_text(&name, ".checkpoint") && parse_checkpoint(name, &form))
    return add_checkpoint(listing, version, form, item, error);
  return OSDEAR_OK;
}

osdear_status osdear__listing_read(osdear__store *store, int64_t from, osdear__listing *out, osdear_error **error)
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
  *out = listing;
  return OSDEAR_OK;
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

/* ---- the hint ---- */

osdear_status osdear__last_checkpoint(osdear__store *store, int64_t *version, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__json *json = NULL;
  const osdear__json *field;
  osdear_status st = osdear__store_get(store, FOLDER "_last_checkpoint", 16 << 20, &text, NULL);

  *version = -1;
  if (!st)
    st = osdear__json_read((osdear__str){ text.data, text.size }, "_last_checkpoint", &arena, &json, NULL);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  field = st ? NULL : osdear__json_get(json, "version");
  if (!field || field->kind != JSON_IS_NUMBER || !osdear__parse_i64(field->text, version) || *version < 0)
    *version = -1;
  return OSDEAR_OK;
}
