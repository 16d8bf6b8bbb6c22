/** @file transaction.c Writes that become visible together: rows into files, files into one commit. */
#include <delta/replay.h>
#include <delta/write.h>

struct osdear_transaction {
  osdear_table *table;
  osdear_snapshot *snapshot; /* what it is judged against */
  osdear__arena arena;
  osdear_write_options options;     /* its texts are in the arena */
  osdear__data_writer *writer;      /* NULL until rows come */
  osdear__partition_filter *filter; /* options.where; NULL: none */
  bool overwrites;
  bool was_done;  /* app_version is recorded already */
  bool is_closed; /* committed, or failed for good */

  /* Filled when it is committed. */
  osdear__buf actions;
  osdear__map removes; /* paths of removed files, canonical */
  osdear__map keys;    /* of the partitions that are replaced */
  int64_t removed_files;
  int64_t removed_bytes;
};
typedef struct osdear_transaction osdear__transaction;

static void osdear__transaction_auto(osdear__transaction **transaction)
{
  osdear_transaction_free(*transaction);
}

/* ---- beginning ---- */

static osdear_status copy_text(osdear__arena *arena, const char **text, osdear_error **error)
{
  if (!*text)
    return OSDEAR_OK;
  if (!osdear__utf8_is_valid(*text, strlen(*text)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a text of the write options is not UTF-8");
  *text = osdear__arena_strdup(arena, *text);
  return *text ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status read_options(osdear_transaction *self, const osdear_write_options *options, osdear_error **error)
{
  osdear_write_options known = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_status st = osdear__options_read(&known, sizeof known, options, error);

  if (st)
    return st;
  if (known.max_attempts < 0 || known.target_file_bytes < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "max_attempts and target_file_bytes must not be negative");
  if (known.where && known.dynamic_partitions)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "`where` and `dynamic_partitions` both choose what is replaced: give one of them");
  st = copy_text(&self->arena, &known.app_id, error);
  if (!st)
    st = copy_text(&self->arena, &known.user_metadata, error);
  if (!st)
    st = copy_text(&self->arena, &known.where, error);
  self->options = known;
  return st;
}

static bool is_recorded(const osdear_snapshot *snapshot, const char *app_id, int64_t app_version)
{
  for (size_t i = 0; app_id && i < snapshot->txn_count; i++)
    if (strcmp(snapshot->txns[i].app_id, app_id) == 0)
      return snapshot->txns[i].version >= app_version;
  return false;
}

osdear_status osdear_transaction_begin(osdear_table *table, const osdear_write_options *options, osdear_transaction **out,
                                       osdear_error **error)
{
  AUTO(transaction) self = NULL;
  osdear_status st = OSDEAR_OK;

  if (!table || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table and out must not be NULL");
  if (table->is_behind)
    st = osdear__table_sync(table, error);
  if (st)
    return st;
  self = osdear__alloc_zeroed(1, sizeof *self);
  if (!self)
    return osdear__fail_memory(error);
  self->table = table;
  self->snapshot = osdear_snapshot_ref(table->snapshot);
  st = read_options(self, options, error);
  if (!st)
    st = osdear__protocol_check_write(&self->snapshot->protocol, &self->snapshot->metadata, osdear__store_uri(table->store),
                                      error);
  if (!st && self->options.where)
    st = osdear__partition_filter_new(&self->snapshot->metadata, self->options.where, &self->filter, error);
  if (st)
    return st;
  self->was_done = is_recorded(self->snapshot, self->options.app_id, self->options.app_version);
  *out = self;
  self = NULL;
  return OSDEAR_OK;
}

void osdear_transaction_free(osdear_transaction *transaction)
{
  if (!transaction)
    return;
  osdear__data_writer_auto(&transaction->writer);
  osdear__partition_filter_auto(&transaction->filter);
  osdear__buf_drop(&transaction->actions);
  osdear__map_drop(&transaction->removes);
  osdear__map_drop(&transaction->keys);
  osdear__arena_drop(&transaction->arena);
  osdear_snapshot_unref(transaction->snapshot);
  osdear__free(transaction);
}

/* ---- rows ---- */

static osdear_status add_batches(osdear_transaction *self, osdear__reader *reader, bool checked, osdear_error **error)
{
  const osdear__type *schema = &self->snapshot->metadata.schema;
  AUTO(fit) fit = NULL;
  int64_t row = 0;
  osdear_status st = osdear__fit_new(osdear__reader_type(reader), schema, &fit, error);

  while (!st) {
    struct ArrowArray given = { 0 };
    struct ArrowArray fitted = { 0 };
    int64_t length;

    st = osdear__reader_next(reader, &given, error);
    if (st || !given.release)
      break;
    length = given.length;
    st = osdear__fit_batch(fit, &given, row, &fitted, error);
    if (!st && checked)
      st = osdear__partition_filter_check(self->filter, &fitted, row, error);
    if (st) {
      osdear__array_drop(&fitted);
      break;
    }
    st = osdear__data_writer_add(self->writer, &fitted, error);
    row += length;
  }
  return st;
}

/* Takes `data` over in every case. */
static osdear_status write_stream(osdear_transaction *self, struct ArrowArrayStream *data, bool checked, osdear_error **error)
{
  AUTO(reader) reader = NULL;
  osdear_status st = osdear__reader_new(data, &reader, error);

  if (st || self->was_done)
    return st;
  if (!self->writer)
    st = osdear__data_writer_new(self->snapshot, self->options.target_file_bytes, &self->writer, error);
  if (!st)
    st = add_batches(self, reader, checked, error);
  if (st)
    self->is_closed = true; /* some of the rows are in files already: what is left can only be given up */
  return st;
}

static osdear_status check_open(const osdear_transaction *self, struct ArrowArrayStream *data, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (!self || !data || !data->release)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "transaction and data must not be NULL, nor data released");
  else if (self->is_closed)
    st = osdear__fail(error, OSDEAR_ERR_STATE, "the transaction was committed already, or a write of it failed: begin another");
  if (st && data)
    osdear__stream_drop(data);
  return st;
}

osdear_status osdear_transaction_append(osdear_transaction *transaction, struct ArrowArrayStream *data, osdear_error **error)
{
  osdear_status st = check_open(transaction, data, error);

  return st ? st : write_stream(transaction, data, false, error);
}

static osdear_status check_overwrite(const osdear_transaction *self, osdear_error **error)
{
  const osdear_snapshot *snapshot = self->snapshot;

  if (self->overwrites || self->writer)
    return osdear__fail(error, OSDEAR_ERR_STATE, "the transaction holds rows already: what is replaced must be written first");
  if (osdear__protocol_has_writer_feature(&snapshot->protocol, "appendOnly") &&
      osdear__metadata_property_bool(&snapshot->metadata, "delta.appendOnly", false))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s is append-only (delta.appendOnly): its rows cannot be replaced",
                        osdear__store_uri(snapshot->store));
  return OSDEAR_OK;
}

osdear_status osdear_transaction_overwrite(osdear_transaction *transaction, struct ArrowArrayStream *data, osdear_error **error)
{
  osdear_status st = check_open(transaction, data, error);

  if (st)
    return st;
  st = check_overwrite(transaction, error);
  if (st) {
    osdear__stream_drop(data);
    return st;
  }
  transaction->overwrites = true;
  return write_stream(transaction, data, transaction->filter != NULL, error);
}

/* ---- what is replaced ---- */

/* Adds a copy of the text as a key. */
static osdear_status remember(osdear__map *map, osdear__str text, osdear__arena *arena, osdear_error **error)
{
  osdear__map_entry *entry;
  char *copy;
  bool is_new;

  if (osdear__map_find(map, text))
    return OSDEAR_OK;
  copy = osdear__arena_strndup(arena, text.data, text.size);
  entry = copy ? osdear__map_add(map, (osdear__str){ copy, text.size }, &is_new) : NULL;
  return entry ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status find_keys(osdear_transaction *self, const osdear__file *files, size_t count, osdear_error **error)
{
  SCOPED(buf) key = { 0 };

  for (size_t i = 0; i < count; i++) {
    osdear_status st;
    osdear__buf_clear(&key);
    st = osdear__partition_key(&self->snapshot->metadata, &files[i], &key, error);
    if (!st)
      st = remember(&self->keys, (osdear__str){ key.data, key.size }, &self->arena, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static bool is_dynamic(const osdear_transaction *self)
{
  return self->options.dynamic_partitions && self->snapshot->metadata.partition_columns[0];
}

static osdear_status is_replaced(osdear_transaction *self, const osdear__file *file, bool *out, osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear_status st;

  if (self->filter)
    return osdear__partition_filter_test(self->filter, file, out, error);
  *out = true;
  if (!is_dynamic(self))
    return OSDEAR_OK;
  st = osdear__partition_key(&self->snapshot->metadata, file, &key, error);
  if (!st)
    *out = osdear__map_find(&self->keys, (osdear__str){ key.data, key.size }) != NULL;
  return st;
}

/* The remove repeats of the add what it must: partition values, size, deletion vector and row ids (reference §3). */
static osdear_status print_remove(osdear_transaction *self, const osdear__file *file, int64_t now_ms, osdear_error **error)
{
  SCOPED(buf) scratch = { 0 };
  osdear__file gone = *file;
  osdear__str path;
  osdear_status st;

  gone.deleted_ms = now_ms;
  gone.data_change = true;
  gone.stats = (osdear__str){ 0 };
  osdear__action_print_remove(&gone, &self->actions);
  self->removed_files++;
  self->removed_bytes += file->size_bytes > 0 ? file->size_bytes : 0;
  st = osdear__canonical_path(file->path, &scratch, &path, error);
  return st ? st : remember(&self->removes, path, &self->arena, error);
}

static osdear_status print_removes(osdear_transaction *self, osdear_error **error)
{
  AUTO(file_iterator) iterator = NULL;
  int64_t now_ms = osdear__now_us() / 1000;
  osdear_status st = osdear__file_iterator_open(self->snapshot, NULL, FILES_TAGS, &iterator, error);

  while (!st) {
    const osdear__file *file = NULL;
    bool replaced = false;

    st = osdear__file_iterator_next(iterator, &file, error);
    if (st || !file)
      break;
    st = is_replaced(self, file, &replaced, error);
    if (!st && replaced)
      st = print_remove(self, file, now_ms, error);
  }
  return st;
}

/* ---- the commit ---- */

static osdear_status print_actions(osdear_transaction *self, const osdear__file *files, size_t count, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (self->options.app_id) {
    osdear__txn txn = { self->options.app_id, self->options.app_version, osdear__now_us() / 1000 };
    osdear__action_print_txn(&txn, &self->actions);
  }
  for (size_t i = 0; i < count; i++)
    osdear__action_print_add(&files[i], &self->actions);
  if (self->overwrites && is_dynamic(self))
    st = find_keys(self, files, count, error);
  if (!st && self->overwrites)
    st = print_removes(self, error);
  return st ? st : osdear__buf_check(&self->actions, error);
}

/* As Spark writes them: lists as text that holds JSON. */
static void print_parameters(const osdear_transaction *self, osdear__buf *out)
{
  SCOPED(buf) columns = { 0 };
  bool first = true;

  osdear__buf_putc(&columns, '[');
  for (const char **column = self->snapshot->metadata.partition_columns; *column; column++) {
    osdear__json_put_comma(&columns, &first);
    osdear__json_put_string(&columns, osdear__str_of(*column));
  }
  osdear__buf_putc(&columns, ']');
  if (columns.failed)
    out->failed = columns.failed;
  osdear__buf_printf(out, "{\"mode\":\"%s\",\"partitionBy\":", self->overwrites ? "Overwrite" : "Append");
  osdear__json_put_string(out, (osdear__str){ columns.data ? columns.data : "", columns.size });
  if (self->overwrites && self->options.where) {
    osdear__buf_puts(out, ",\"predicate\":");
    osdear__json_put_string(out, osdear__str_of(self->options.where));
  }
  if (self->overwrites && is_dynamic(self))
    osdear__buf_puts(out, ",\"isDynamicPartitionOverwrite\":\"true\"");
  osdear__buf_putc(out, '}');
}

static void print_metrics(const osdear_transaction *self, const osdear_write_result *result, osdear__buf *out)
{
  osdear__buf_printf(out, "{\"numFiles\":\"%" PRId64 "\",\"numOutputRows\":\"%" PRId64 "\",\"numOutputBytes\":\"%" PRId64 "\"",
                     result->files_added, result->rows, result->bytes);
  if (self->overwrites)
    osdear__buf_printf(out, ",\"numRemovedFiles\":\"%" PRId64 "\",\"numRemovedBytes\":\"%" PRId64 "\"", self->removed_files,
                       self->removed_bytes);
  osdear__buf_putc(out, '}');
}

/* Spark without Databricks knows only Serializable, which so is what a table has that does not say. */
static osdear__isolation isolation_of(const osdear_snapshot *snapshot)
{
  osdear__str level = osdear__str_of(osdear__metadata_property(&snapshot->metadata, "delta.isolationLevel"));

  return osdear__str_equal_nocase(level, STR("WriteSerializable")) ? ISOLATION_WRITE_SERIALIZABLE : ISOLATION_SERIALIZABLE;
}

static osdear_status propose(osdear_transaction *self, const osdear_write_result *result, osdear__outcome *outcome,
                             osdear_error **error)
{
  SCOPED(buf) parameters = { 0 };
  SCOPED(buf) metrics = { 0 };
  bool dynamic = is_dynamic(self);
  osdear__claims claims = { .snapshot = self->snapshot,
                            .isolation = isolation_of(self->snapshot),
                            .app_id = self->options.app_id,
                            .app_version = self->options.app_version };
  osdear__proposal proposal = { .claims = &claims, .max_attempts = self->options.max_attempts };
  osdear_status st;

  if (self->overwrites) {
    claims.reads_whole_table = !self->filter && !dynamic;
    claims.reads = self->filter;
    claims.read_keys = dynamic ? &self->keys : NULL;
    claims.removes = &self->removes;
  }
  print_parameters(self, &parameters);
  print_metrics(self, result, &metrics);
  st = osdear__buf_check(&parameters, error);
  if (!st)
    st = osdear__buf_check(&metrics, error);
  if (st)
    return st;
  proposal.info = (osdear__commit_info){
    .operation = "WRITE",
    .operation_parameters = parameters.data,
    .isolation_level = claims.isolation == ISOLATION_SERIALIZABLE ? "Serializable" : "WriteSerializable",
    .is_blind_append = !self->overwrites,
    .operation_metrics = metrics.data,
    .engine_info = OSDEAR__ENGINE_INFO,
    .user_metadata = self->options.user_metadata,
  };
  proposal.actions = (osdear__str){ self->actions.data, self->actions.size };
  return osdear__propose(&proposal, outcome, error);
}

static void count_files(const osdear_transaction *self, const osdear__file *files, size_t count, osdear_write_result *out)
{
  out->rows = self->writer ? osdear__data_writer_rows(self->writer) : 0;
  out->files_added = (int64_t)count;
  out->files_removed = self->removed_files;
  for (size_t i = 0; i < count; i++)
    out->bytes += files[i].size_bytes;
}

/* A checkpoint only saves others work: that it cannot be written is no failure of the commit. */
static void checkpoint_if_due(osdear_table *table, int64_t version)
{
  int64_t interval = osdear__metadata_property_i64(&table->snapshot->metadata, "delta.checkpointInterval", 10);
  AUTO(error) why = NULL;

  if (interval < 1 || version == 0 || version % interval != 0 || table->is_behind || table->snapshot->segment.version != version)
    return;
  if (osdear__checkpoint_write(table->snapshot, &why))
    osdear__log(table->context, OSDEAR_LOG_WARNING, "delta", "no checkpoint of version %" PRId64 ": %s", version,
                osdear_error_message(why));
}

/* Whatever happened, the handle should know the newest state; if it cannot be loaded now, it will be the next time. */
static void see_newest(osdear_table *table)
{
  AUTO(error) why = NULL;

  table->is_behind = true;
  if (osdear__table_sync(table, &why))
    osdear__log(table->context, OSDEAR_LOG_WARNING, "delta", "cannot load the table's newest state yet: %s",
                osdear_error_message(why));
}

static osdear_status commit_files(osdear_transaction *self, osdear_write_result *result, osdear_error **error)
{
  const osdear__file *files = NULL;
  osdear__outcome outcome = { .state = COMMIT_NOT_MADE };
  size_t count = 0;
  osdear_status st = OSDEAR_OK;

  if (self->writer) {
    st = osdear__data_writer_flush(self->writer, error);
    files = osdear__data_writer_files(self->writer, &count);
  }
  if (!st)
    st = print_actions(self, files, count, error);
  if (st)
    return st;
  count_files(self, files, count, result);
  if (self->actions.size == 0)
    return OSDEAR_OK;
  st = propose(self, result, &outcome, error);
  if (self->writer && outcome.state != COMMIT_NOT_MADE)
    osdear__data_writer_keep(self->writer);
  result->attempts = outcome.attempts;
  if (st || outcome.was_done || outcome.attempts > 1)
    see_newest(self->table);
  if (!st && outcome.was_done)
    self->was_done = true;
  if (!st && !outcome.was_done)
    result->version = outcome.version;
  return st;
}

/* Makes the handle see what was committed. */
static void settle(osdear_transaction *self, osdear_write_result *result)
{
  osdear_table *table = self->table;

  if (self->was_done)
    *result = (osdear_write_result){ .size = sizeof *result, .attempts = result->attempts, .was_done = 1, .version = -1 };
  if (result->version >= 0 && table->snapshot->segment.version < result->version)
    see_newest(table);
  if (result->version >= 0)
    checkpoint_if_due(table, result->version);
  else
    result->version = table->snapshot->segment.version;
}

osdear_status osdear_transaction_commit(osdear_transaction *transaction, osdear_write_result *result, osdear_error **error)
{
  osdear_write_result known = OSDEAR_WRITE_RESULT_INIT;
  osdear_status st = OSDEAR_OK;

  if (!transaction)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "transaction must not be NULL");
  if (transaction->is_closed)
    return osdear__fail(error, OSDEAR_ERR_STATE, "the transaction was committed already, or a write of it failed: begin another");
  if (result && (result->size < sizeof result->size || result->size > 4096))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the result's size is not set");
  known.version = -1;
  transaction->is_closed = true;
  if (!transaction->was_done)
    st = commit_files(transaction, &known, error);
  osdear__data_writer_auto(&transaction->writer);
  if (st)
    return st;
  settle(transaction, &known);
  return result ? osdear__result_write(result, &known, sizeof known, error) : OSDEAR_OK;
}
