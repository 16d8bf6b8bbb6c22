/* Prints rows for a comparison: first their Arrow schema as one line of JSON, then each row as canonical JSON.
 *
 *   golden-dump table URI [VERSION]
 *   golden-dump file PATH              a Parquet file
 *   golden-dump files URI [VERSION]    the active files instead of the rows
 *   golden-dump variants PATH          of a Parquet file's variants the two binaries in hex, instead of JSON text
 *
 * A failure is one line on standard error, `status: message`, and exit code 3. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <osdear.h>

#define REFUSED 3

/* The error by its address: it is set by the call that gives the status. */
static void must(osdear_status status, osdear_error *const *error)
{
  if (status == OSDEAR_OK)
    return;
  fprintf(stderr, "%s: %s\n", osdear_status_name(status), osdear_error_message(*error));
  exit(REFUSED);
}

static void print_name(const char *name)
{
  putchar('"');
  for (const char *at = name ? name : ""; *at; at++) {
    if (*at == '"' || *at == '\\')
      printf("\\%c", *at);
    else if ((unsigned char)*at < 0x20)
      printf("\\u%04x", (unsigned)*at);
    else
      putchar(*at);
  }
  putchar('"');
}

static void print_schema(const struct ArrowSchema *schema)
{
  printf("{\"name\":");
  print_name(schema->name);
  printf(",\"format\":");
  print_name(schema->format);
  printf(",\"children\":[");
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (i > 0)
      putchar(',');
    print_schema(schema->children[i]);
  }
  printf("]}");
}

static int32_t to_stdout(void *argument, const void *data, size_t size)
{
  (void)argument;
  return fwrite(data, 1, size, stdout) == size ? 0 : 5;
}

static void print_rows(osdear_context *context, struct ArrowArrayStream *rows)
{
  struct ArrowSchema schema;
  osdear_error *error = NULL;

  if (rows->get_schema(rows, &schema) != 0) {
    fprintf(stderr, "internal: %s\n", rows->get_last_error(rows));
    exit(REFUSED);
  }
  print_schema(&schema);
  putchar('\n');
  schema.release(&schema);
  must(osdear_sink_write(context, rows, "jsonl", NULL, to_stdout, NULL, NULL, &error), &error);
}

static int is_variant(const struct ArrowSchema *schema)
{
  return strcmp(schema->format, "+s") == 0 && schema->n_children == 2 && strcmp(schema->children[0]->name, "metadata") == 0 &&
         strcmp(schema->children[1]->name, "value") == 0;
}

static int is_null(const struct ArrowArray *array, int64_t row)
{
  const unsigned char *bits = array->buffers[0];

  row += array->offset;
  return bits && !(bits[row / 8] >> (row % 8) & 1);
}

static void print_hex(const struct ArrowArray *array, int64_t row)
{
  const int32_t *offsets = (const int32_t *)array->buffers[1] + array->offset + row;
  const unsigned char *bytes = array->buffers[2];

  putchar('"');
  for (int32_t i = offsets[0]; i < offsets[1]; i++)
    printf("%02x", bytes[i]);
  putchar('"');
}

static void print_variants(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
  for (int64_t row = 0; row < batch->length; row++) {
    for (int64_t i = 0; i < schema->n_children; i++) {
      const struct ArrowArray *column = batch->children[i];

      if (!is_variant(schema->children[i]))
        continue;
      if (is_null(column, row)) {
        puts("null");
        continue;
      }
      putchar('[');
      print_hex(column->children[0], row);
      putchar(',');
      print_hex(column->children[1], row);
      puts("]");
    }
  }
}

/* A line for each variant, row by row. */
static void print_binaries(struct ArrowArrayStream *rows)
{
  struct ArrowSchema schema;
  int failed = rows->get_schema(rows, &schema);

  if (!failed) {
    print_schema(&schema);
    putchar('\n');
  }
  while (!failed) {
    struct ArrowArray batch;

    failed = rows->get_next(rows, &batch);
    if (failed || !batch.release)
      break;
    print_variants(&schema, &batch);
    batch.release(&batch);
  }
  if (failed) {
    const osdear_error *error = osdear_stream_error(rows);

    fprintf(stderr, "%s: %s\n", osdear_status_name(osdear_error_status(error)), rows->get_last_error(rows));
    exit(REFUSED);
  }
  schema.release(&schema);
  rows->release(rows);
}

static void print_file(osdear_context *context, const char *path, int is_variants)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  osdear_source *source = NULL;
  struct ArrowArrayStream rows;
  osdear_error *error = NULL;

  options.format = "parquet";
  must(osdear_source_open(context, &path, 1, &options, &source, &error), &error);
  must(osdear_source_stream(source, &rows, &error), &error);
  if (is_variants)
    print_binaries(&rows);
  else
    print_rows(context, &rows);
  osdear_source_free(source);
}

static void print_table(osdear_context *context, const char *uri, const char *version, int is_files)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *snapshot = NULL;
  osdear_scan *scan = NULL;
  struct ArrowArrayStream rows;
  osdear_error *error = NULL;

  if (version)
    options.version = strtoll(version, NULL, 10);
  must(osdear_snapshot_open(context, uri, &options, &snapshot, &error), &error);
  if (is_files) {
    must(osdear_snapshot_files(snapshot, NULL, &rows, &error), &error);
  } else {
    must(osdear_scan_new(snapshot, NULL, &scan, &error), &error);
    must(osdear_scan_stream(scan, &rows, &error), &error);
  }
  print_rows(context, &rows);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
}

int main(int argc, char **argv)
{
  osdear_context *context = NULL;
  osdear_error *error = NULL;

  if (argc < 3) {
    fprintf(stderr, "usage: golden-dump table|files|file|variants WHAT [VERSION]\n");
    return 2;
  }
  must(osdear_context_new(NULL, &context, &error), &error);
  if (strcmp(argv[1], "file") == 0 || strcmp(argv[1], "variants") == 0)
    print_file(context, argv[2], strcmp(argv[1], "variants") == 0);
  else
    print_table(context, argv[2], argc > 3 ? argv[3] : NULL, strcmp(argv[1], "files") == 0);
  osdear_context_unref(context);
  return 0;
}
