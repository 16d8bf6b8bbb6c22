/** @file checkpoint_write.c A checkpoint: the state of a version as one Parquet file, streamed from the log into it. */
#include <delta/checkpoint.h>
#include <delta/log/log.h>

enum { BATCH_ROWS = 8192, BATCH_BYTES = 8 << 20 };

typedef struct checkpoint {
  osdear_snapshot *snapshot;
  osdear__arena arena;   /* the shape */
  osdear__arena scratch; /* emptied with each batch */
  osdear__checkpoint_shape shape;
  osdear__output *output;
  osdear__parquet_writer *writer;
  int64_t action_count;
  int64_t add_count, add_bytes;
} checkpoint;

/* ---- batches ---- */

/* Rows in which only `column` is not null. Takes `rows` over in every case. */
static osdear_status write_rows(checkpoint *self, size_t column, struct ArrowArray *rows, osdear_error **error)
{
  struct ArrowArray columns[CHECKPOINT_COLUMNS] = { 0 };
  size_t count = self->shape.type.field_count;
  struct ArrowArray batch = { 0 };
  void *no_validity[1] = { NULL };
  int64_t length = rows->length;
  osdear_status st = OSDEAR_OK;

  columns[column] = *rows;
  rows->release = NULL;
  for (size_t i = 0; i < count && !st; i++)
    if (i != column)
      st = osdear__array_nulls(&self->shape.type.fields[i].type, length, &columns[i], error);
  if (!st) {
    st = osdear__array_adopt(length, 0, no_validity, 1, columns, (int64_t)count, &batch, error);
  } else {
    for (size_t i = 0; i < count; i++)
      osdear__array_drop(&columns[i]);
  }
  if (!st)
    st = osdear__parquet_writer_add(self->writer, &batch, error);
  osdear__array_drop(&batch);
  self->action_count += length;
  return st;
}

static osdear_status write_built(checkpoint *self, size_t column, osdear__builder *builder, osdear_error **error)
{
  struct ArrowArray rows = { 0 };
  osdear_status st;

  if (osdear__builder_length(builder) == 0)
    return OSDEAR_OK;
  st = osdear__builder_finish(builder, &rows, error);
  if (!st)
    st = write_rows(self, column, &rows, error);
  osdear__arena_reset(&self->scratch);
  return st;
}

/* ---- contents ---- */

/* Transactions older than their retention are forgotten. */
static bool is_kept(const osdear_snapshot *snapshot, const osdear__txn *txn)
{
  int64_t retention = osdear__metadata_property_ms(&snapshot->metadata, "delta.setTransactionRetentionDuration", -1);

  return retention < 0 || txn->updated_ms < 0 || txn->updated_ms >= osdear__now_us() / 1000 - retention;
}

static osdear_status put_table_rows(checkpoint *self, size_t column, osdear__builder *builder, osdear_error **error)
{
  const osdear_snapshot *snapshot = self->snapshot;
  osdear_status st = OSDEAR_OK;

  if (column == COLUMN_PROTOCOL)
    return osdear__checkpoint_put_protocol(builder, &snapshot->protocol, error);
  if (column == COLUMN_METADATA)
    return osdear__checkpoint_put_metadata(builder, &snapshot->metadata, error);
  if (column == COLUMN_CHECKPOINT)
    return osdear__checkpoint_put_version(builder, snapshot->segment.version, error);
  if (column == COLUMN_TXN)
    for (size_t i = 0; i < snapshot->txn_count && !st; i++)
      if (is_kept(snapshot, &snapshot->txns[i]))
        st = osdear__checkpoint_put_txn(builder, &snapshot->txns[i], error);
  if (column == COLUMN_DOMAIN)
    for (size_t i = 0; i < snapshot->domain_count && !st; i++)
      st = osdear__checkpoint_put_domain(builder, &snapshot->domains[i], error);
  return st;
}

static osdear_status write_table(checkpoint *self, osdear_error **error)
{
  static const size_t columns[] = { COLUMN_CHECKPOINT, COLUMN_PROTOCOL, COLUMN_METADATA, COLUMN_TXN, COLUMN_DOMAIN };
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < COUNT_OF(columns) && !st; i++) {
    AUTO(builder) builder = NULL;
    if (columns[i] >= self->shape.type.field_count)
      continue; /* the table's checkpoints have no such rows */
    st = osdear__builder_new(&self->shape.type.fields[columns[i]].type, &builder, error);
    if (!st)
      st = put_table_rows(self, columns[i], builder, error);
    if (!st)
      st = write_built(self, columns[i], builder, error);
  }
  return st;
}

static osdear_status write_files(checkpoint *self, size_t column, osdear__file_iterator *iterator, osdear_error **error)
{
  AUTO(builder) builder = NULL;
  osdear_status st = osdear__builder_new(&self->shape.type.fields[column].type, &builder, error);

  while (!st) {
    const osdear__file *file = NULL;

    st = osdear__file_iterator_next(iterator, &file, error);
    if (st || !file)
      break;
    if (column == COLUMN_ADD)
      st = osdear__checkpoint_put_add(builder, &self->shape, &self->snapshot->metadata, file, &self->scratch, error);
    else
      st = osdear__checkpoint_put_remove(builder, file, error);
    self->add_count += column == COLUMN_ADD;
    if (column == COLUMN_ADD && !osdear__add_i64(self->add_bytes, file->size_bytes, &self->add_bytes))
      self->add_bytes = INT64_MAX; /* no checksum can say as much */
    if (!st && (osdear__builder_length(builder) >= BATCH_ROWS || osdear__builder_bytes_used(builder) >= BATCH_BYTES)) {
      st = write_built(self, column, builder, error);
      if (!st)
        st = osdear__context_check(self->snapshot->context, error);
    }
  }
  return st ? st : write_built(self, column, builder, error);
}

static osdear_status write_adds(checkpoint *self, osdear_error **error)
{
  AUTO(file_iterator) iterator = NULL;
  osdear_status st = osdear__file_iterator_open(self->snapshot, NULL, FILES_STATS | FILES_TAGS, &iterator, error);

  return st ? st : write_files(self, COLUMN_ADD, iterator, error);
}

static osdear_status write_removes(checkpoint *self, osdear_error **error)
{
  AUTO(file_iterator) iterator = NULL;
  osdear_status st = osdear__tombstone_iterator_new(self->snapshot, &iterator, error);

  return st ? st : write_files(self, COLUMN_REMOVE, iterator, error);
}

/* ---- the file ---- */

/* The table's files stay in the checkpoint itself, which the specification of V2 allows, under the classic name, by which every reader
 * of such tables finds it. */
static bool is_v2(const osdear_snapshot *snapshot)
{
  osdear__str policy = osdear__str_of(osdear__metadata_property(&snapshot->metadata, "delta.checkpointPolicy"));

  return osdear__str_equal_nocase(policy, STR("v2")) && osdear__protocol_has_reader_feature(&snapshot->protocol, "v2Checkpoint");
}

static osdear_status open_writer(checkpoint *self, const char *path, osdear_error **error)
{
  osdear__parquet_write options;
  int64_t bound = osdear__context_budget(self->snapshot->context) / 4;
  osdear_status st;

  osdear__parquet_write_init(&options);
  options.level = 1; /* read often, but written in the time of a commit */
  options.row_group_bytes = bound < INT64_C(128) << 20 ? bound : 0;
  st = osdear__checkpoint_shape_new(&self->snapshot->metadata, is_v2(self->snapshot), &self->arena, &self->shape, error);
  if (!st)
    st = osdear__store_create(self->snapshot->store, path, &self->output, error);
  if (!st)
    st = osdear__parquet_writer_new(self->snapshot->context, self->output, &self->shape.type, &options, &self->writer, error);
  return st;
}

/* *was_there: there was one already, and it stays. */
static osdear_status write_file(checkpoint *self, const char *path, bool *was_there, osdear_error **error)
{
  AUTO(error) why = NULL;
  osdear_status st = open_writer(self, path, error);

  if (!st)
    st = write_table(self, error);
  if (!st)
    st = write_adds(self, error);
  if (!st)
    st = write_removes(self, error);
  if (!st)
    st = osdear__parquet_writer_finish(self->writer, error);
  if (st)
    return st;
  st = self->output->finish(self->output, &why);
  *was_there = st == OSDEAR_ERR_EXISTS;
  return st && !*was_there ? osdear__fail(error, st, "%s", osdear_error_message(why)) : OSDEAR_OK;
}

/* A hint never goes back to an older checkpoint. */
static osdear_status write_hint(const checkpoint *self, int64_t version, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  int64_t newest = -1;
  osdear_status st = osdear__last_checkpoint(self->snapshot->store, &newest, error);

  if (st || newest > version)
    return st;
  st = osdear__checkpoint_hint_print(version, self->action_count, self->output->written, self->add_count, &text, error);
  return st ? st : osdear__store_put(self->snapshot->store, "_delta_log/_last_checkpoint", text.data, text.size, error);
}

static osdear_status write_once(osdear_snapshot *snapshot, const char *path, bool *was_there, osdear_error **error)
{
  checkpoint self = { .snapshot = snapshot };
  osdear_status st = write_file(&self, path, was_there, error);

  if (!st) /* here all that is counted was seen */
    st = osdear__checksum_check(snapshot, self.add_count, self.add_bytes, error);
  if (!st)
    st = write_hint(&self, snapshot->segment.version, error);
  osdear__parquet_writer_auto(&self.writer);
  osdear__output_auto(&self.output);
  osdear__arena_drop(&self.scratch);
  osdear__arena_drop(&self.arena);
  return st;
}

/* Does who opens the table at this version pass over the checkpoint that is there? Most often another writer has made it meanwhile. */
static osdear_status is_damaged(const osdear_snapshot *snapshot, bool *out, osdear_error **error)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *anew = NULL;
  osdear_status st;

  options.version = snapshot->segment.version;
  st = osdear__snapshot_load(snapshot->context, snapshot->store, &options, NULL, &anew, error);
  *out = !st && anew->segment.checkpoint_version != options.version;
  osdear_snapshot_unref(anew);
  return st;
}

osdear_status osdear__checkpoint_write(osdear_snapshot *snapshot, osdear_error **error)
{
  char path[OSDEAR__LOG_PATH];
  bool was_there = false, damaged = false;
  osdear_status st;

  osdear__log_checkpoint_path(snapshot->segment.version, path);
  st = write_once(snapshot, path, &was_there, error);
  if (!st && was_there)
    st = is_damaged(snapshot, &damaged, error);
  if (!st && damaged)
    st = osdear__store_delete(snapshot->store, path, error);
  if (!st && damaged)
    st = write_once(snapshot, path, &was_there, error);
  return st ? osdear__fail_within(error, st, "checkpoint of version %" PRId64, snapshot->segment.version) : OSDEAR_OK;
}
