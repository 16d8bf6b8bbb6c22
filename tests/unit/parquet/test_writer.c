/* What is written comes back through our own reader, whatever the settings. */
#include <criterion/criterion.h>

#include "written.h"

static osdear__parquet_write plain_options(void)
{
  osdear__parquet_write options;

  osdear__parquet_write_init(&options);
  options.codec = CODEC_NONE;
  return options;
}

/* Writes, reads, compares. */
static void round_trip(const osdear__type *type, int64_t rows, uint32_t nulls, int64_t step, const osdear__parquet_write *options)
{
  SCOPED(array) given = { 0 };
  SCOPED(array) back = { 0 };
  AUTO(error) error = NULL;
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(make_rows(type, rows, nulls, 1 + (uint32_t)rows, &given, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(write_file(type, &given, step, options, &output.output, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(read_file(&output.bytes, type, &back, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(first_difference(type, &given, &back), -1, "row %" PRId64 " of %" PRId64, first_difference(type, &given, &back),
               rows);
  memory_output_drop(&output);
}

Test(parquet_writer, gives_every_type_back)
{
  osdear__parquet_write options = plain_options();

  round_trip(every_type(), 2000, 20, 2000, &options);
  round_trip(every_type(), 2000, 0, 2000, &options);
  round_trip(every_type(), 500, 95, 500, &options);
  round_trip(every_type(), 100, 100, 100, &options);
  round_trip(every_type(), 1, 0, 1, &options);
}

Test(parquet_writer, gives_every_type_back_in_pages_of_version_2)
{
  osdear__parquet_write options = plain_options();

  options.format_v2 = true;
  options.page_rows = 130;
  round_trip(every_type(), 2000, 20, 2000, &options);
  round_trip(every_type(), 2000, 98, 2000, &options);
  options.dictionary_bytes = -1;
  round_trip(every_type(), 2000, 20, 2000, &options);
  round_trip(every_type(), 2000, 98, 2000, &options);
}

Test(parquet_writer, does_not_care_how_rows_are_cut_into_batches_pages_and_groups)
{
  static const int64_t steps[] = { 1, 7, 100, 1000 }, page_rows[] = { 1, 9, 1000 }, page_bytes[] = { 1, 300, 0 },
                       group_rows[] = { 13, 333, 0 };
  osdear__parquet_write options = plain_options();

  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    for (size_t k = 0; k < COUNT_OF(page_rows); k++) {
      options.page_rows = page_rows[k];
      options.page_bytes = page_bytes[(i + k) % COUNT_OF(page_bytes)];
      options.row_group_rows = group_rows[k];
      options.format_v2 = i % 2;
      round_trip(every_type(), 400, 15, steps[i], &options);
    }
  }
}

Test(parquet_writer, gives_rows_back_through_every_codec)
{
  static const osdear__codec codecs[] = { CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4_HADOOP, CODEC_LZ4_RAW, CODEC_ZSTD };
  osdear__parquet_write options = plain_options();

  for (size_t i = 0; i < COUNT_OF(codecs); i++) {
    if (!osdear__codec_is_built(codecs[i]))
      continue;
    options.codec = codecs[i];
    options.format_v2 = false;
    round_trip(every_type(), 600, 20, 600, &options);
    options.format_v2 = true;
    round_trip(every_type(), 600, 20, 600, &options);
  }
}

Test(parquet_writer, falls_back_when_a_dictionary_grows_too_large)
{
  static const int64_t limits[] = { 1, 50, 500, 5000, -1 };
  osdear__parquet_write options = plain_options();

  options.page_rows = 50;
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    options.dictionary_bytes = limits[i];
    options.format_v2 = i % 2;
    round_trip(every_type(), 1500, 10, 400, &options);
  }
}

Test(parquet_writer, gives_half_floats_back)
{
  static const uint16_t halves[] = { 0x3c00, 0xc000, 0x7c00, 0x7e00, 0x8000, 0x0001 };
  osdear__parquet_write options = plain_options();
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_FLOAT16 }, true);
  SCOPED(array) given = { 0 };
  SCOPED(array) back = { 0 };
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(osdear__array_new(&type, COUNT_OF(halves), false, 0, &given, NULL), OSDEAR_OK);
  memcpy((void *)(uintptr_t)given.children[0]->buffers[1], halves, sizeof halves);
  cr_assert_eq(write_file(&type, &given, 4, &options, &output.output, NULL), OSDEAR_OK);
  cr_assert_eq(read_file(&output.bytes, &type, &back, NULL), OSDEAR_OK);
  cr_assert_eq(memcmp(back.children[0]->buffers[1], halves, sizeof halves), 0);
  memory_output_drop(&output);
}

/* ---- the file's face ---- */

typedef struct written_file {
  memory_output output;
  osdear__parquet *file;
} written_file;

static void open_written(const osdear__type *type, const struct ArrowArray *rows, const osdear__parquet_write *options,
                         written_file *out)
{
  AUTO(error) error = NULL;
  osdear__input *input;

  memory_output_init(&out->output);
  cr_assert_eq(write_file(type, rows, rows->length + 1, options, &out->output.output, &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
  cr_assert_eq(osdear__input_of_bytes(out->output.bytes.data, out->output.bytes.size, "memory", &input, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_open(input, NULL, &out->file, &error), OSDEAR_OK, "%s", osdear_error_message(error));
}

static void close_written(written_file *written)
{
  osdear__parquet_unref(written->file);
  memory_output_drop(&written->output);
}

Test(parquet_writer, writes_a_whole_file_for_no_rows)
{
  osdear__parquet_write options = plain_options();
  SCOPED(array) rows = { 0 };
  written_file written;

  cr_assert_eq(make_rows(every_type(), 0, 0, 1, &rows, NULL), OSDEAR_OK);
  open_written(every_type(), &rows, &options, &written);
  cr_assert_eq(osdear__parquet_rows(written.file), 0);
  cr_assert_eq(osdear__parquet_group_count(written.file), 0);
  cr_assert(osdear__type_equal(osdear__parquet_type(written.file), every_type()));
  close_written(&written);
}

Test(parquet_writer, says_who_wrote_it_and_what_else_it_was_told)
{
  static const osdear_pair pairs[] = { { "a", "1" }, { "empty", "" } };
  osdear__parquet_write options = plain_options();
  SCOPED(array) rows = { 0 };
  written_file written;

  options.metadata = pairs;
  options.metadata_count = COUNT_OF(pairs);
  cr_assert_eq(make_rows(every_type(), 3, 0, 1, &rows, NULL), OSDEAR_OK);
  open_written(every_type(), &rows, &options, &written);
  cr_assert_str_eq(osdear__parquet_created_by(written.file), "libosdear version 0.1.0 (build 0)"); /* as parquet-mr parses it */
  cr_assert_str_eq(osdear__parquet_metadata(written.file, "a"), "1");
  cr_assert_str_eq(osdear__parquet_metadata(written.file, "empty"), "");
  cr_assert_null(osdear__parquet_metadata(written.file, "b"));
  cr_assert_not_null(memmem(written.output.bytes.data, written.output.bytes.size, "spark_schema", 12));
  close_written(&written);
}

Test(parquet_writer, keeps_field_ids_and_what_is_required)
{
  osdear__parquet_write options = plain_options();
  SCOPED(array) rows = { 0 };
  written_file written;
  const osdear__type *type;
  int64_t at;

  cr_assert_eq(make_rows(every_type(), 3, 0, 1, &rows, NULL), OSDEAR_OK);
  open_written(every_type(), &rows, &options, &written);
  type = osdear__parquet_type(written.file);
  at = osdear__type_find(type, STR("required"));
  cr_assert(type->fields[at].field_id == 7 && !type->fields[at].nullable);
  cr_assert(type->fields[0].field_id == -1 && type->fields[0].nullable);
  close_written(&written);
}

Test(parquet_writer, ends_a_row_group_by_its_rows_or_by_its_bytes)
{
  osdear__parquet_write options = plain_options();
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_LONG }, true);
  SCOPED(array) rows = { 0 };
  written_file written;

  cr_assert_eq(make_rows(&type, 1000, 0, 1, &rows, NULL), OSDEAR_OK);
  options.row_group_rows = 300;
  open_written(&type, &rows, &options, &written);
  cr_assert_eq(osdear__parquet_group_count(written.file), 4);
  cr_assert_eq(osdear__parquet_group_rows(written.file, 0), 300);
  cr_assert_eq(osdear__parquet_group_rows(written.file, 3), 100);
  close_written(&written);
  options.row_group_rows = 0;
  options.row_group_bytes = 2000;
  options.page_rows = 50;
  open_written(&type, &rows, &options, &written);
  cr_assert_geq(osdear__parquet_group_count(written.file), 3);
  close_written(&written);
}

Test(parquet_writer, never_splits_a_record_between_pages)
{
  enum { ROWS = 200 };
  osdear__parquet_write options = plain_options();
  osdear__field element = { .name = "element", .nullable = true, .field_id = -1, .type = { .kind = KIND_INTEGER } };
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_ARRAY, .field_count = 1, .fields = &element }, false);
  SCOPED(array) rows = { 0 };
  SCOPED(array) back = { 0 };
  osdear__row_range range = { 57, 61 };
  osdear__parquet_read read = { .rows = &range, .range_count = 1 };
  AUTO(parquet_cursor) cursor = NULL;
  SCOPED(array) want = { 0 };
  written_file written;
  int64_t first_row;

  options.page_bytes = 16; /* pages of a list or two */
  cr_assert_eq(make_rows(&type, ROWS, 10, 1, &rows, NULL), OSDEAR_OK);
  open_written(&type, &rows, &options, &written);
  cr_assert_eq(osdear__parquet_cursor_new(written.file, 0, &read, &cursor, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_cursor_next(cursor, ROWS, &back, &first_row, NULL), OSDEAR_OK);
  cr_assert_eq(first_row, 57);
  cr_assert_eq(osdear__array_slice(&type, &rows, 57, 4, &want, NULL), OSDEAR_OK);
  cr_assert_eq(first_difference(&type, &want, &back), -1);
  close_written(&written);
}

Test(parquet_writer, compresses_no_page_of_version_2_that_would_grow)
{
  osdear__parquet_write options = plain_options();
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_DOUBLE }, true);

  if (!osdear__codec_is_built(CODEC_GZIP))
    return;
  options.codec = CODEC_GZIP; /* a page of one value: gzip's header alone is longer */
  options.format_v2 = true;
  options.page_rows = 1;
  options.dictionary_bytes = -1;
  round_trip(&type, 20, 0, 20, &options);
}

/* ---- statistics ---- */

static void expect_stats(const osdear__parquet_stats *stats, int64_t rows, int64_t nulls, int64_t min, int64_t max)
{
  cr_assert_eq(stats->row_count, rows);
  cr_assert_eq(stats->null_count, nulls);
  cr_assert(stats->has_min && stats->has_max);
  cr_assert_eq(stats->min.i64, min);
  cr_assert_eq(stats->max.i64, max);
}

/* A column of so many texts: NULL is null. */
static void make_texts(const osdear__type *type, const char *const *texts, size_t count, struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;

  cr_assert_eq(osdear__builder_new(type, &builder, NULL), OSDEAR_OK);
  for (size_t i = 0; i < count; i++) {
    osdear__builder *child = osdear__builder_child(builder, 0);
    if (texts[i])
      cr_assert_eq(osdear__builder_bytes(child, osdear__str_of(texts[i]), NULL), OSDEAR_OK);
    else
      cr_assert_eq(osdear__builder_null(child, NULL), OSDEAR_OK);
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
}

static void make_numbers(const osdear__type *type, const int64_t *numbers, size_t count, struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;

  cr_assert_eq(osdear__builder_new(type, &builder, NULL), OSDEAR_OK);
  for (size_t i = 0; i < count; i++) {
    osdear__builder *child = osdear__builder_child(builder, 0);
    cr_assert_eq(numbers[i] < 0 ? osdear__builder_null(child, NULL) : osdear__builder_i64(child, numbers[i], NULL), OSDEAR_OK);
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
}

Test(parquet_writer, knows_the_bounds_of_groups_pages_and_the_file)
{
  static const int64_t numbers[] = { 5, -1, 7, 6, -1, -1, 3, 9 }; /* negative: null */
  static const size_t path[] = { 0 };
  osdear__parquet_write options = plain_options();
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_LONG }, false);
  SCOPED(array) rows = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__parquet_stats stats;
  osdear__parquet_page *pages;
  written_file written;
  size_t count;

  options.page_rows = 2;
  options.row_group_rows = 6;
  make_numbers(&type, numbers, COUNT_OF(numbers), &rows);
  open_written(&type, &rows, &options, &written);
  cr_assert(osdear__parquet_group_stats(written.file, 0, path, 1, &stats));
  expect_stats(&stats, 6, 3, 5, 7);
  cr_assert(osdear__parquet_group_stats(written.file, 1, path, 1, &stats));
  expect_stats(&stats, 2, 0, 3, 9);
  cr_assert_eq(osdear__parquet_pages(written.file, 0, path, 1, &arena, &pages, &count, NULL), OSDEAR_OK);
  cr_assert_eq(count, 3);
  cr_assert(pages[0].rows.from == 0 && pages[0].rows.to == 2 && pages[0].min.i64 == 5 && pages[0].max.i64 == 5 &&
            pages[0].null_count == 1);
  cr_assert(pages[1].rows.from == 2 && pages[1].rows.to == 4 && pages[1].min.i64 == 6 && pages[1].max.i64 == 7);
  cr_assert(pages[2].rows.to == 6 && !pages[2].has_min && pages[2].null_count == 2);
  close_written(&written);
}

static osdear__parquet_writer *writer_of(const osdear__type *type, const osdear__parquet_write *options, osdear__output *output)
{
  osdear__parquet_writer *writer = NULL;
  osdear_context *context = NULL;

  cr_assert_eq(osdear_context_new(NULL, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(context, output, type, options, &writer, NULL), OSDEAR_OK);
  osdear_context_unref(context);
  return writer;
}

Test(parquet_writer, keeps_the_bounds_of_the_file_exact_where_those_of_groups_are_cut)
{
  static const size_t path[] = { 0 };
  char low[101], high[101];
  const char *texts[] = { low, NULL, high };
  osdear__parquet_write options = plain_options();
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_STRING }, false);
  SCOPED(array) rows = { 0 };
  AUTO(parquet_writer) writer = NULL;
  osdear__parquet_stats stats;
  memory_output output;
  written_file written;

  memset(low, 'a', 100);
  memset(high, 'z', 100);
  low[100] = high[100] = '\0';
  make_texts(&type, texts, 3, &rows);
  memory_output_init(&output);
  writer = writer_of(&type, &options, &output.output);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert(osdear__parquet_writer_stats(writer, path, 1, &stats));
  cr_assert(osdear__str_is(stats.min.bytes, low) && osdear__str_is(stats.max.bytes, high) && stats.null_count == 1 &&
            stats.row_count == 3);
  cr_assert_eq(osdear__parquet_writer_rows(writer), 3);
  cr_assert_eq(osdear__parquet_writer_bytes(writer), (int64_t)output.bytes.size);
  memory_output_drop(&output);

  open_written(&type, &rows, &options, &written);
  cr_assert(osdear__parquet_group_stats(written.file, 0, path, 1, &stats));
  cr_assert_eq(stats.min.bytes.size, 64);
  cr_assert(stats.max.bytes.size == 64 && stats.max.bytes.data[63] == '{');
  close_written(&written);
}

Test(parquet_writer, has_no_bounds_for_what_has_no_order)
{
  static const char *const names[] = { "VOID", "VARIANT", "structs", "map" };
  osdear__parquet_write options = plain_options();
  SCOPED(array) rows = { 0 };
  AUTO(parquet_writer) writer = NULL;
  osdear__parquet_stats stats;
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(make_rows(every_type(), 50, 20, 1, &rows, NULL), OSDEAR_OK);
  writer = writer_of(every_type(), &options, &output.output);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    size_t path[] = { (size_t)osdear__type_find(every_type(), osdear__str_of(names[i])), 0 };
    cr_assert(!osdear__parquet_writer_stats(writer, path, 1, &stats) || !stats.has_min, "%s", names[i]);
    cr_assert(!osdear__parquet_writer_stats(writer, path, 2, &stats) || !stats.has_min, "%s", names[i]);
  }
  cr_assert_not(osdear__parquet_writer_stats(writer, NULL, 0, &stats));
  memory_output_drop(&output);
}

Test(parquet_writer, reaches_leaves_in_structs_for_statistics)
{
  size_t path[] = { (size_t)osdear__type_find(every_type(), STR("struct")), 0 };
  osdear__parquet_write options = plain_options();
  SCOPED(array) rows = { 0 };
  AUTO(parquet_writer) writer = NULL;
  osdear__parquet_stats stats;
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(make_rows(every_type(), 100, 30, 1, &rows, NULL), OSDEAR_OK);
  writer = writer_of(every_type(), &options, &output.output);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert(osdear__parquet_writer_stats(writer, path, 2, &stats));
  cr_assert(stats.has_min && stats.row_count == 100 && stats.null_count == rows.children[path[0]]->null_count);
  path[1] = 99;
  cr_assert_not(osdear__parquet_writer_stats(writer, path, 2, &stats));
  memory_output_drop(&output);
}

Test(parquet_writer, writes_the_same_bytes_with_many_threads_as_with_one)
{
  osdear__parquet_write options = plain_options();
  osdear_context_options many = OSDEAR_CONTEXT_OPTIONS_INIT;
  AUTO(parquet_writer) writer = NULL;
  SCOPED(array) rows = { 0 };
  osdear_context *context = NULL;
  memory_output alone, together;

  memory_output_init(&alone);
  memory_output_init(&together);
  options.page_rows = 500;
  many.threads = 4;
  cr_assert_eq(make_rows(every_type(), 6000, 10, 1, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(write_file(every_type(), &rows, 6000, &options, &alone.output, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_context_new(&many, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(context, &together.output, every_type(), &options, &writer, NULL), OSDEAR_OK);
  osdear_context_unref(context);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert_eq(alone.bytes.size, together.bytes.size);
  cr_assert_eq(memcmp(alone.bytes.data, together.bytes.data, alone.bytes.size), 0);
  memory_output_drop(&alone);
  memory_output_drop(&together);
}
