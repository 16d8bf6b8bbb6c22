/* Bronze to silver: flights that took place, with narrow types, partitioned by month.
 *
 * usage: flights_silver BRONZE_TABLE SILVER_TABLE
 * A stream that pulls from a scan and pushes into an append: a batch at a time, whatever the size of the table. Running it again
 * changes nothing: the commit carries the version of the bronze table it was made from. */
#include "columns.h"

#include <errno.h>
#include <string.h>

static const char silver_columns[] =
    "carrier STRING NOT NULL, flight INT NOT NULL, origin STRING NOT NULL, dest STRING NOT NULL, "
    "day INT NOT NULL, hour INT NOT NULL, dep_delay INT NOT NULL, distance INT NOT NULL, "
    "month INT NOT NULL";
static const char *const names[] = { "carrier", "flight", "origin", "dest", "day", "hour", "dep_delay", "distance", "month" };
enum { COLUMNS = sizeof names / sizeof names[0] };

/* The stream that the append reads from. */
struct silver {
  struct ArrowArrayStream bronze;
  struct ArrowSchema schema;
};

static void narrow(const struct ArrowArray *from, struct ArrowArray *to)
{
  int32_t *values = get_memory((size_t)from->length * sizeof *values);

  for (int64_t row = 0; row < from->length; row++)
    values[row] = (int32_t)number_at(from, row);
  make_column(to, from->length, NULL, values);
}

static void copy_text(const struct ArrowArray *from, struct ArrowArray *to)
{
  const int32_t *offsets = (const int32_t *)from->buffers[1] + from->offset;
  size_t bytes = (size_t)(offsets[from->length] - offsets[0]);
  int32_t *new_offsets = get_memory((size_t)(from->length + 1) * sizeof *new_offsets);
  char *text = get_memory(bytes);

  for (int64_t row = 0; row <= from->length; row++)
    new_offsets[row] = offsets[row] - offsets[0];
  memcpy(text, (const char *)from->buffers[2] + offsets[0], bytes);
  make_column(to, from->length, new_offsets, text);
}

static int next_batch(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
  struct silver *silver = stream->private_data;
  struct ArrowArray batch, columns[COLUMNS];

  out->release = NULL;
  if (silver->bronze.get_next(&silver->bronze, &batch) != 0)
    return EIO;
  if (!batch.release)
    return 0;
  for (size_t i = 0; i < COLUMNS; i++) {
    const struct ArrowArray *from = column(&silver->schema, &batch, names[i]);
    if (strcmp(silver->schema.children[i]->format, "u") == 0)
      copy_text(from, &columns[i]);
    else
      narrow(from, &columns[i]);
  }
  make_batch(out, batch.length, columns, COLUMNS);
  batch.release(&batch);
  return 0;
}

static int silver_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
  (void)stream;
  return osdear_schema_parse(silver_columns, out, NULL) ? EINVAL : 0;
}

static const char *last_error(struct ArrowArrayStream *stream)
{
  struct silver *silver = stream->private_data;

  return silver->bronze.get_last_error(&silver->bronze);
}

static void release_stream(struct ArrowArrayStream *stream)
{
  struct silver *silver = stream->private_data;

  silver->bronze.release(&silver->bronze);
  silver->schema.release(&silver->schema);
  stream->release = NULL;
}

int main(int count, char **words)
{
  static const char *const partition[] = { "month" };
  osdear_table_create_options create = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  osdear_write_options write = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  struct silver silver;
  struct ArrowArrayStream stream = { silver_schema, next_batch, last_error, release_stream, &silver };
  osdear_context *context;
  osdear_snapshot *bronze;
  osdear_table *table;
  osdear_scan *scan;
  osdear_error *error = NULL;

  if (count != 3)
    usage("flights_silver BRONZE_TABLE SILVER_TABLE");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_snapshot_open(context, words[1], NULL, &bronze, &error), &error);
  need(osdear_schema_parse(silver_columns, &silver.schema, &error), &error);
  create.partition_columns = partition;
  create.partition_count = 1;
  create.if_not_exists = 1;
  need(osdear_table_create(context, words[2], &silver.schema, &create, &table, &error), &error);

  options.columns = names;
  options.column_count = COLUMNS;
  options.where = "dep_time IS NOT NULL"; /* the others were cancelled */
  need(osdear_scan_new(bronze, &options, &scan, &error), &error);
  need(osdear_scan_stream(scan, &silver.bronze, &error), &error);
  write.app_id = "flights_silver";
  write.app_version = osdear_snapshot_version(bronze);
  need(osdear_table_overwrite(table, &stream, &write, &result, &error), &error);
  if (result.was_done)
    printf("silver has bronze version %lld already\n", (long long)write.app_version);
  else
    printf("silver: %lld flights in %lld files\n", (long long)result.rows, (long long)result.files_added);

  osdear_scan_free(scan);
  osdear_table_free(table);
  osdear_snapshot_unref(bronze);
  osdear_context_unref(context);
  return 0;
}
