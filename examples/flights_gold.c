/* Silver to gold: mean departure delay by carrier and hour of the day.
 *
 * usage: flights_gold SILVER_TABLE AIRLINES_TABLE GOLD_TABLE */
#include "columns.h"

#include <string.h>

enum { MOST_CARRIERS = 64, HOURS = 24, NAME_SIZE = 64 };

struct carrier {
  char code[8], name[NAME_SIZE];
  int64_t flights[HOURS], minutes[HOURS];
};

static struct carrier carriers[MOST_CARRIERS];
static int carrier_count;

static struct carrier *find_carrier(const char *code, int size)
{
  for (int i = 0; i < carrier_count; i++)
    if ((int)strlen(carriers[i].code) == size && memcmp(carriers[i].code, code, (size_t)size) == 0)
      return &carriers[i];
  if (carrier_count == MOST_CARRIERS || size >= (int)sizeof carriers[0].code) {
    fprintf(stderr, "more carriers than expected\n");
    exit(1);
  }
  memcpy(carriers[carrier_count].code, code, (size_t)size);
  return &carriers[carrier_count++];
}

static void add_flights(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
  const struct ArrowArray *codes = column(schema, batch, "carrier");
  const int32_t *hours = column(schema, batch, "hour")->buffers[1];
  const int32_t *delays = column(schema, batch, "dep_delay")->buffers[1];

  for (int64_t row = 0; row < batch->length; row++) {
    int size;
    const char *code = text_at(codes, row, &size);
    struct carrier *carrier = find_carrier(code, size);
    carrier->flights[hours[row] % HOURS]++;
    carrier->minutes[hours[row] % HOURS] += delays[row];
  }
}

static void add_names(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
  for (int64_t row = 0; row < batch->length; row++) {
    int size, name_size;
    const char *code = text_at(column(schema, batch, "carrier"), row, &size);
    const char *name = text_at(column(schema, batch, "name"), row, &name_size);
    snprintf(find_carrier(code, size)->name, NAME_SIZE, "%.*s", name_size, name);
  }
}

/* Hands every batch of some columns of a table to `use`; returns the table's version. */
static int64_t for_each_batch(osdear_context *context, const char *uri, const char *const *names, size_t count,
                              void (*use)(const struct ArrowSchema *, const struct ArrowArray *))
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  struct ArrowArrayStream rows;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  osdear_snapshot *snapshot;
  osdear_scan *scan;
  osdear_error *error = NULL;
  int64_t version;

  options.columns = names;
  options.column_count = count;
  need(osdear_snapshot_open(context, uri, NULL, &snapshot, &error), &error);
  need(osdear_scan_new(snapshot, &options, &scan, &error), &error);
  need(osdear_scan_schema(scan, &schema, &error), &error);
  need(osdear_scan_stream(scan, &rows, &error), &error);
  while (rows.get_next(&rows, &batch) == 0 && batch.release) {
    use(&schema, &batch);
    batch.release(&batch);
  }
  need_rows(&rows);
  rows.release(&rows);
  schema.release(&schema);
  version = osdear_snapshot_version(snapshot);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  return version;
}

/* One row for each carrier and hour with flights. */
static void make_gold(struct ArrowArray *out)
{
  size_t most = (size_t)carrier_count * HOURS;
  int32_t *offsets = get_memory((most + 1) * sizeof *offsets), *hours = get_memory(most * sizeof *hours);
  char *names = get_memory(most * NAME_SIZE);
  int64_t *flights = get_memory(most * sizeof *flights), rows = 0;
  double *delays = get_memory(most * sizeof *delays);
  struct ArrowArray columns[4];

  offsets[0] = 0;
  for (int c = 0; c < carrier_count; c++)
    for (int hour = 0; hour < HOURS; hour++) {
      const struct carrier *carrier = &carriers[c];
      size_t size = strlen(carrier->name);
      if (carrier->flights[hour] == 0)
        continue;
      memcpy(names + offsets[rows], carrier->name, size);
      offsets[rows + 1] = offsets[rows] + (int32_t)size;
      hours[rows] = hour;
      flights[rows] = carrier->flights[hour];
      delays[rows++] = (double)carrier->minutes[hour] / (double)carrier->flights[hour];
    }
  make_column(&columns[0], rows, offsets, names);
  make_column(&columns[1], rows, NULL, hours);
  make_column(&columns[2], rows, NULL, flights);
  make_column(&columns[3], rows, NULL, delays);
  make_batch(out, rows, columns, 4);
}

int main(int count, char **words)
{
  static const char *const flight_columns[] = { "carrier", "hour", "dep_delay" }, *const airline_columns[] = { "carrier",
                                                                                                               "name" };
  osdear_table_create_options create = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  osdear_write_options write = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  struct ArrowArrayStream rows;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  osdear_context *context;
  osdear_table *gold;
  osdear_error *error = NULL;

  if (count != 4)
    usage("flights_gold SILVER_TABLE AIRLINES_TABLE GOLD_TABLE");
  need(osdear_context_new(NULL, &context, &error), &error);
  for_each_batch(context, words[2], airline_columns, 2, add_names);
  write.app_id = "flights_gold"; /* made from a version of silver that is in gold already: nothing to do */
  write.app_version = for_each_batch(context, words[1], flight_columns, 3, add_flights);
  need(osdear_schema_parse("airline STRING NOT NULL, hour INT NOT NULL, flights BIGINT NOT NULL, mean_delay DOUBLE NOT NULL",
                           &schema, &error),
       &error);
  create.if_not_exists = 1;
  need(osdear_table_create(context, words[3], &schema, &create, &gold, &error), &error);
  make_gold(&batch);
  need(osdear_stream_new(&schema, &batch, 1, &rows, &error), &error);
  need(osdear_table_overwrite(gold, &rows, &write, &result, &error), &error);
  printf("gold: %lld rows in version %lld\n", (long long)result.rows, (long long)result.version);
  osdear_table_free(gold);
  osdear_context_unref(context);
  return 0;
}
