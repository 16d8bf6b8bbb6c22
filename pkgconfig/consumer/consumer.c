/* A program of someone else: it knows libosdear by its installed headers and its pkg-config file only. It makes a table,
 * adds two rows that it builds by hand, reads them back and prints them. It compiles as C99 and as C++11. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <osdear.h>

#define ROWS 2

static const int64_t ids[ROWS] = { 1, 2 };
static const int32_t name_ends[ROWS + 1] = { 0, 5, 9 };
static const char names[] = "osierreed";

static struct ArrowSchema fields[2];
static struct ArrowSchema *field_list[2] = { &fields[0], &fields[1] };
static struct ArrowArray columns[2];
static struct ArrowArray *column_list[2] = { &columns[0], &columns[1] };
static const void *id_buffers[2] = { NULL, ids };
static const void *name_buffers[3] = { NULL, name_ends, names };
static const void *row_buffers[1] = { NULL };

static void release_schema(struct ArrowSchema *schema)
{
  int64_t i;

  for (i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release)
      schema->children[i]->release(schema->children[i]);
  }
  schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
  int64_t i;

  for (i = 0; i < array->n_children; i++) {
    if (array->children[i]->release)
      array->children[i]->release(array->children[i]);
  }
  array->release = NULL;
}

static void make_field(struct ArrowSchema *field, const char *format, const char *name)
{
  memset(field, 0, sizeof *field);
  field->format = format;
  field->name = name;
  field->flags = ARROW_FLAG_NULLABLE;
  field->release = release_schema;
}

static void make_schema(struct ArrowSchema *schema)
{
  make_field(&fields[0], "l", "id");
  make_field(&fields[1], "u", "name");
  make_field(schema, "+s", "");
  schema->flags = 0;
  schema->n_children = 2;
  schema->children = field_list;
}

static void make_column(struct ArrowArray *array, int64_t buffer_count, const void **buffers)
{
  memset(array, 0, sizeof *array);
  array->length = ROWS;
  array->n_buffers = buffer_count;
  array->buffers = buffers;
  array->release = release_array;
}

static void make_rows(struct ArrowArray *rows)
{
  make_column(&columns[0], 2, id_buffers);
  make_column(&columns[1], 3, name_buffers);
  make_column(rows, 1, row_buffers);
  rows->n_children = 2;
  rows->children = column_list;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
  (void)stream;
  make_schema(out);
  return 0;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
  int *is_done = (int *)stream->private_data;

  memset(out, 0, sizeof *out);
  if (!*is_done)
    make_rows(out);
  *is_done = 1;
  return 0;
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
  (void)stream;
  return NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
  stream->release = NULL;
}

static osdear_status write_rows(osdear_context *context, const char *uri, osdear_error **error)
{
  struct ArrowSchema schema;
  struct ArrowArrayStream stream;
  osdear_table *table = NULL;
  osdear_status status;
  int is_done = 0;

  make_schema(&schema);
  status = osdear_table_create(context, uri, &schema, NULL, &table, error);
  schema.release(&schema);
  if (status)
    return status;

  stream.get_schema = stream_schema;
  stream.get_next = stream_next;
  stream.get_last_error = stream_error;
  stream.release = stream_release;
  stream.private_data = &is_done;
  status = osdear_table_append(table, &stream, NULL, NULL, error);
  osdear_table_free(table);
  return status;
}

static void print_rows(const struct ArrowArray *rows)
{
  const struct ArrowArray *id = rows->children[0];
  const struct ArrowArray *name = rows->children[1];
  const int64_t *id_values = (const int64_t *)id->buffers[1] + id->offset;
  const int32_t *ends = (const int32_t *)name->buffers[1] + name->offset;
  const char *text = (const char *)name->buffers[2];
  int64_t i;

  for (i = 0; i < rows->length; i++)
    printf("%" PRId64 " %.*s\n", id_values[i], (int)(ends[i + 1] - ends[i]), text + ends[i]);
}

static int print_stream(struct ArrowArrayStream *stream)
{
  struct ArrowArray rows;

  for (;;) {
    if (stream->get_next(stream, &rows) != 0) {
      fprintf(stderr, "consumer: %s\n", stream->get_last_error(stream));
      return 1;
    }
    if (!rows.release)
      return 0;
    print_rows(&rows);
    rows.release(&rows);
  }
}

static osdear_status read_rows(osdear_context *context, const char *uri, osdear_error **error)
{
  struct ArrowArrayStream stream;
  osdear_snapshot *snapshot = NULL;
  osdear_scan *scan = NULL;
  osdear_status status = osdear_snapshot_open(context, uri, NULL, &snapshot, error);

  if (status == OSDEAR_OK)
    status = osdear_scan_new(snapshot, NULL, &scan, error);
  if (status == OSDEAR_OK)
    status = osdear_scan_stream(scan, &stream, error);
  if (status == OSDEAR_OK) {
    if (print_stream(&stream) != 0)
      status = OSDEAR_ERR_IO;
    stream.release(&stream);
  }
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  return status;
}

int main(int argc, char **argv)
{
  osdear_context *context = NULL;
  osdear_error *error = NULL;
  osdear_status status;

  if (argc != 2) {
    fprintf(stderr, "usage: consumer TABLE\n");
    return 2;
  }
  status = osdear_context_new(NULL, &context, &error);
  if (status == OSDEAR_OK)
    status = write_rows(context, argv[1], &error);
  if (status == OSDEAR_OK)
    status = read_rows(context, argv[1], &error);
  if (error)
    fprintf(stderr, "consumer: %s\n", osdear_error_message(error));
  osdear_error_free(error);
  osdear_context_unref(context);
  return status == OSDEAR_OK ? 0 : 1;
}
