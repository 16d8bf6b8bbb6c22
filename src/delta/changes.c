/* osdear_table_changes(): what happened to the rows of a table, commit by commit: reference §13. A commit that holds files of changes is read
 * from them alone; of others the rows that came and went follow from the files, and the deletion vectors, that were added and removed. */
#include <delta/log/log.h>
#include <delta/prune.h>
#include <delta/scan.h>
#include <delta/write.h>

#include <osdear/changes.h>

typedef struct changes {
  osdear_snapshot *snapshot; /* of the last version: its schema is the result's */
  osdear__listing listing;
  int64_t *times;     /* of the listing's commits, in milliseconds */
  int64_t next, last; /* versions */
  int64_t
      in_commit_since; /* from this version on commits must say their time themselves, which older ones may; INT64_MAX: never */
  osdear__json_parser *parser;
  osdear__prune prune;
  bool has_commit, is_idle;  /* idle: its files changed and its rows did not */
  osdear__commit commit;     /* at hand */
  osdear__map removes, adds; /* of that commit, by path, where rows may have changed: to osdear__file */
  int64_t timestamp_us;
  enum { STEP_CHANGES, STEP_REMOVES, STEP_ADDS } step; /* what went is told before what came */
  size_t place;                                        /* in the list of the step */
  const osdear__file *again;                           /* an add whose second half is still to come */
  osdear__vector_files vectors;
  osdear__file before; /* that file as it was before: removes need not say all that reading takes */
} changes;

static void drop_commit(changes *c)
{
  if (c->has_commit)
    osdear__commit_drop(&c->commit);
  osdear__map_drop(&c->removes);
  osdear__map_drop(&c->adds);
  c->removes = c->adds = (osdear__map){ 0 };
  c->has_commit = false;
}

static void changes_close(void *state)
{
  changes *c = state;

  drop_commit(c);
  osdear__vector_files_drop(&c->vectors);
  osdear__prune_drop(&c->prune);
  osdear__json_parser_auto(&c->parser);
  osdear__listing_drop(&c->listing);
  osdear__free(c->times);
  osdear_snapshot_unref(c->snapshot);
  osdear__free(c);
}

/* ---- may the versions be read together? ---- */

/* Every column of before is still there, by the names of both the table and its files, and holds what it held. */
static bool is_kept(const osdear__type *names, const osdear__type *before, const osdear__type *names_after,
                    const osdear__type *after)
{
  if (before->kind != after->kind || !before->field_count)
    return osdear__type_can_cast(before, after);
  for (size_t i = 0; i < before->field_count; i++) {
    int64_t at = before->kind == KIND_STRUCT ? osdear__type_find(after, osdear__str_of(before->fields[i].name)) : (int64_t)i;
    if (at < 0 || (before->kind == KIND_STRUCT && strcmp(names->fields[i].name, names_after->fields[at].name) != 0))
      return false;
    if (!is_kept(&names->fields[i].type, &before->fields[i].type, &names_after->fields[at].type, &after->fields[at].type))
      return false;
  }
  return true;
}

static bool has_same_partitions(const osdear__metadata *before, const osdear__metadata *after)
{
  size_t i = 0;

  while (before->partition_columns[i] && after->partition_columns[i] &&
         strcmp(before->partition_columns[i], after->partition_columns[i]) == 0)
    i++;
  return !before->partition_columns[i] && !after->partition_columns[i];
}

/* What Spark allows: columns may come, and a table may begin to map its columns, which then have the names they had. After a drop, a
 * rename or the end of the mapping a reader of the feed could not tell which column a value was of. */
static bool is_compatible(const osdear__metadata *before, const osdear__metadata *after)
{
  if (before->mapping != MAPPING_NONE && before->mapping != after->mapping)
    return false;
  return has_same_partitions(before, after) && is_kept(&before->schema, &before->physical, &after->schema, &after->physical);
}

static osdear_status check_metadata(const changes *c, const osdear__metadata *metadata, int64_t version, osdear_error **error)
{
  const char *uri = osdear_snapshot_uri(c->snapshot);

  if (!osdear__metadata_property_bool(metadata, "delta.enableChangeDataFeed", false))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s: version %" PRId64 " has no change feed, as delta.enableChangeDataFeed is not set there", uri,
                        version);
  if (!is_compatible(metadata, &c->snapshot->metadata))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s: version %" PRId64 " has columns that version %" PRId64
                        " lacks, names otherwise or has as narrower types, or other partition columns: read their changes apart",
                        uri, version, c->last);
  return OSDEAR_OK;
}

/* ---- a commit ---- */

static osdear_status index_files(const osdear__file *files, size_t count, osdear__map *out, osdear_error **error)
{
  for (size_t i = 0; i < count; i++) {
    osdear__map_entry *entry;
    bool is_new;
    if (!files[i].data_change)
      continue;
    entry = osdear__map_add(out, files[i].path, &is_new);
    if (!entry)
      return osdear__fail_memory(error);
    memcpy(&entry->value, &(const void *){ &files[i] }, sizeof entry->value);
  }
  return OSDEAR_OK;
}

static const osdear__file *find(const osdear__map *map, const osdear__file *file)
{
  const osdear__map_entry *entry = osdear__map_find(map, file->path);

  return entry ? entry->value : NULL;
}

/* Commits that say their time are believed, also where the table has ceased to ask for it. */
static osdear_status find_time(changes *c, osdear_error **error)
{
  const osdear__json *value = osdear__json_get(c->commit.info, "inCommitTimestamp");
  int64_t ms = -1;

  for (size_t i = 0; i < c->listing.commit_count; i++)
    if (c->listing.commits[i].version == c->commit.version)
      ms = c->times[i];
  if (value && value->kind == JSON_IS_NUMBER ? !osdear__parse_i64(value->text, &ms) : c->commit.version >= c->in_commit_since)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "version %" PRId64 ": the table has in-commit timestamps, and its commitInfo has none that can be read",
                        c->commit.version);
  if (!osdear__mul_i64(ms, 1000, &c->timestamp_us))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "version %" PRId64 ": its timestamp %" PRId64 " is out of range",
                        c->commit.version, ms);
  return OSDEAR_OK;
}

static osdear_status check_commit(changes *c, osdear_error **error)
{
  osdear_status st;

  if (!c->commit.metadata)
    return OSDEAR_OK;
  st = osdear__map_columns(&c->snapshot->protocol, c->commit.metadata, &c->commit.arena, error);
  return st ? st : check_metadata(c, c->commit.metadata, c->commit.version, error);
}

/* A merge that found nothing to do may have rewritten files all the same, and no file of changes says that no row of them changed. */
static bool is_idle_merge(const osdear__json *info)
{
  static const char *const counts[] = { "numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted" };
  const osdear__json *operation = osdear__json_get(info, "operation"), *metrics = osdear__json_get(info, "operationMetrics");

  if (!operation || operation->kind != JSON_IS_STRING || !osdear__str_is(operation->text, "MERGE"))
    return false;
  for (size_t i = 0; i < COUNT_OF(counts); i++) {
    const osdear__json *count = osdear__json_get(metrics, counts[i]);
    if (!count || count->kind != JSON_IS_STRING || !osdear__str_is(count->text, "0"))
      return false;
  }
  return true;
}

static osdear_status next_commit(changes *c, osdear_error **error)
{
  unsigned keep = COMMIT_FILES | COMMIT_STATS | COMMIT_TABLE | COMMIT_INFO | COMMIT_CHANGES;
  osdear_status st = osdear__context_check(c->snapshot->context, error);

  drop_commit(c);
  c->commit = (osdear__commit){ 0 };
  if (!st)
    st = osdear__commit_read(c->snapshot->store, c->next, keep, &c->parser, &c->commit, error);
  if (st)
    return osdear__fail_within(error, st, "changes of version %" PRId64, c->next);
  c->has_commit = true;
  c->is_idle = is_idle_merge(c->commit.info);
  c->next++;
  c->step = STEP_CHANGES;
  c->place = 0;
  st = check_commit(c, error);
  if (!st)
    st = find_time(c, error);
  if (!st)
    st = index_files(c->commit.adds, c->commit.add_count, &c->adds, error);
  return st ? st : index_files(c->commit.removes, c->commit.remove_count, &c->removes, error);
}

/* ---- what is read of it ---- */

/* The same file with another deletion vector: rows that only the new one names went, rows that only the old one names came back. */
static bool describe_pair(changes *c, const osdear__file *add, const osdear__file *removed, osdear__scan_task *out)
{
  bool is_second = c->again == add;

  c->again = is_second ? NULL : add;
  if (!is_second) { /* of the rows that the old state had, those that the new vector names */
    c->before = *add;
    c->before.dv = removed->dv;
    *out = (osdear__scan_task){ .file = &c->before, .only = &add->dv, .change = "delete" };
    return add->dv.storage != 0;
  }
  *out = (osdear__scan_task){ .file = add, .only = &removed->dv, .change = "insert" };
  return removed->dv.storage != 0;
}

/* False: nothing came or went by this action. */
static bool describe_add(changes *c, osdear__scan_task *out)
{
  const osdear__file *add = &c->commit.adds[c->place], *removed = find(&c->removes, add);
  bool has_rows;

  if (!add->data_change) {
    c->place++;
    return false;
  }
  *out = (osdear__scan_task){ .file = add, .change = "insert" };
  has_rows = removed ? describe_pair(c, add, removed, out) : true;
  if (!c->again)
    c->place++;
  return has_rows;
}

static bool describe_remove(changes *c, osdear__scan_task *out)
{
  const osdear__file *removed = &c->commit.removes[c->place++];

  *out = (osdear__scan_task){ .file = removed, .change = "delete" };
  return removed->data_change && !find(&c->adds, removed);
}

/* The next file of the commit that may hold changes; `*out` without a file at the end of it. */
static void next_task(changes *c, osdear__scan_task *out)
{
  bool found = false;

  while (!found) {
    *out = (osdear__scan_task){ 0 };
    if (c->step == STEP_CHANGES && c->place < c->commit.change_count) {
      *out = (osdear__scan_task){ .file = &c->commit.changes[c->place++] };
      found = true;
    } else if (c->step == STEP_ADDS && c->place < c->commit.add_count) {
      found = describe_add(c, out);
    } else if (c->step == STEP_REMOVES && c->place < c->commit.remove_count) {
      found = describe_remove(c, out);
    } else if (c->step == STEP_ADDS || c->commit.change_count > 0 || c->is_idle) {
      return; /* files of changes tell all that there is */
    } else {
      c->step++;
      c->place = 0;
    }
  }
}

static osdear_status changes_next(void *state, osdear__scan_plan *plan, osdear__scan_file **out, osdear_error **error)
{
  changes *c = state;
  osdear__scan_task task = { 0 };
  bool keep;
  osdear_status st;

  *out = NULL;
  for (;;) {
    if (c->has_commit)
      next_task(c, &task);
    if (!task.file) {
      if (c->next > c->last)
        return OSDEAR_OK;
      st = next_commit(c, error);
      if (st)
        return st;
      continue;
    }
    atomic_fetch_add(&plan->counts.files, 1);
    st = osdear__prune_file(&c->prune, task.file, &keep, error);
    if (st)
      return st;
    if (keep)
      break;
    atomic_fetch_add(&plan->counts.files_skipped, 1);
    task = (osdear__scan_task){ 0 };
  }
  task.version = c->commit.version;
  task.timestamp_us = c->timestamp_us;
  task.vectors = &c->vectors;
  return osdear__scan_file_open(plan, &task, out, error);
}

/* ---- the call ---- */

static osdear_status load(const osdear_table *table, int64_t version, osdear_snapshot **out, osdear_error **error)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;

  if (version < 0 || version == table->snapshot->segment.version) {
    *out = osdear_snapshot_ref(table->snapshot);
    return OSDEAR_OK;
  }
  options.version = version;
  return osdear__snapshot_load(table->context, table->store, &options, NULL, out, error);
}

static osdear_status check_start(changes *c, const osdear_table *table, osdear_error **error)
{
  osdear_snapshot *start = NULL;
  osdear_status st = load(table, c->next, &start, error);

  if (!st)
    st = check_metadata(c, &start->metadata, c->next, error);
  osdear_snapshot_unref(start);
  return st;
}

static osdear_status open_changes(changes *c, const osdear_table *table, const osdear_changes_options *options,
                                  osdear_error **error)
{
  const osdear__metadata *metadata;
  osdear_status st = load(table, options->to_version, &c->snapshot, error);

  if (st)
    return st;
  metadata = &c->snapshot->metadata;
  c->next = options->from_version;
  c->last = c->snapshot->segment.version;
  if (c->next < 0 || c->next > c->last)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "changes from version %" PRId64 " to %" PRId64 " asked: give one from 0 on that is not later", c->next,
                        c->last);
  c->in_commit_since = INT64_MAX;
  if (osdear__metadata_property_bool(metadata, "delta.enableInCommitTimestamps", false))
    c->in_commit_since = osdear__metadata_property_i64(metadata, "delta.inCommitTimestampEnablementVersion", 0);
  st = osdear__listing_read(c->snapshot->store, c->next, &c->listing, error);
  if (!st)
    st = osdear__commit_times(&c->listing, &c->times, error);
  return st ? st : check_start(c, table, error);
}

static osdear_status export_changes(changes *c, const osdear_changes_options *options, struct ArrowArrayStream *out,
                                    osdear_error **error)
{
  const osdear__scan_request request = { .kind = SCAN_CHANGES,
                                         .columns = options->columns,
                                         .column_count = options->column_count,
                                         .where = options->where,
                                         .limit = -1,
                                         .batch_rows = options->batch_rows };
  const osdear__scan_source source = { changes_next, changes_close, c };
  osdear__scan_plan *plan;
  osdear_status st = osdear__scan_plan_new(c->snapshot, &request, &plan, error);

  if (st) {
    changes_close(c);
    return st;
  }
  osdear__prune_init(&c->prune, plan->where, &c->snapshot->metadata);
  st = osdear__scan_export(plan, &source, out, error);
  osdear__scan_plan_unref(plan);
  return st;
}

osdear_status osdear_table_changes(osdear_table *table, const osdear_changes_options *options, struct ArrowArrayStream *out,
                                   osdear_error **error)
{
  osdear_changes_options known = OSDEAR_CHANGES_OPTIONS_INIT;
  changes *c;
  osdear_status st;

  if (!table || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  c = osdear__alloc_zeroed(1, sizeof *c);
  if (!c)
    return osdear__fail_memory(error);
  st = open_changes(c, table, &known, error);
  if (st) {
    changes_close(c);
    return st;
  }
  return export_changes(c, &known, out, error);
}
