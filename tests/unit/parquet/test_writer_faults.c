/* Rows that do not fit, calls out of order, outputs and memory that fail. */
#include <criterion/criterion.h>

#include "written.h"

static osdear_status new_writer(osdear__output *output, const osdear__type *type, const osdear__parquet_write *options,
                                osdear__parquet_writer **out, osdear_error **error)
{
  osdear_context_options alone = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_status st;

  alone.threads = 1;
  cr_assert_eq(osdear_context_new(&alone, &context, NULL), OSDEAR_OK);
  st = osdear__parquet_writer_new(context, output, type, options, out, error);
  osdear_context_unref(context);
  return st;
}

/* ---- rows ---- */

/* Writes what `like` makes as rows of `type`; the two differ in what they allow. */
static void expect_data_error(const osdear__type *type, const osdear__type *like, uint32_t nulls, const char *in_message)
{
  AUTO(parquet_writer) writer = NULL;
  AUTO(error) error = NULL;
  SCOPED(array) rows = { 0 };
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(make_rows(like, 200, nulls, 3, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(new_writer(&output.output, type, NULL, &writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, &error), OSDEAR_ERR_DATA);
  cr_assert_not_null(strstr(osdear_error_message(error), in_message), "%s", osdear_error_message(error));
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_ERR_STATE);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_ERR_STATE);
  memory_output_drop(&output);
}

Test(parquet_writer_faults, refuses_a_null_in_a_column_that_is_required)
{
  osdear__field strict_field, field;
  osdear__type strict = one_column(&strict_field, (osdear__type){ .kind = KIND_LONG }, true);
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_LONG }, false);

  expect_data_error(&strict, &type, 50, "column c: null");
}

Test(parquet_writer_faults, refuses_a_null_in_a_list_of_required_elements)
{
  osdear__field strict_element = { .name = "element", .field_id = -1, .type = { .kind = KIND_STRING } };
  osdear__field element = { .name = "element", .nullable = true, .field_id = -1, .type = { .kind = KIND_STRING } };
  osdear__field strict_field, field;
  osdear__type strict =
      one_column(&strict_field, (osdear__type){ .kind = KIND_ARRAY, .field_count = 1, .fields = &strict_element }, false);
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_ARRAY, .field_count = 1, .fields = &element }, false);

  expect_data_error(&strict, &type, 30, "column c.element: null");
}

Test(parquet_writer_faults, refuses_a_void_that_is_required)
{
  osdear__field strict_field, field;
  osdear__type strict = one_column(&strict_field, (osdear__type){ .kind = KIND_VOID }, true);
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_VOID }, false);

  expect_data_error(&strict, &type, 0, "null");
}

Test(parquet_writer_faults, takes_a_null_of_a_required_member_whose_struct_is_null)
{
  static const size_t path[] = { 0, 0 };
  osdear__field member = { .name = "m", .field_id = -1, .type = { .kind = KIND_LONG } };
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_STRUCT, .field_count = 1, .fields = &member }, false);
  AUTO(parquet_writer) writer = NULL;
  SCOPED(array) rows = { 0 };
  osdear__parquet_stats stats;
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(make_rows(&type, 100, 50, 3, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(new_writer(&output.output, &type, NULL, &writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert(osdear__parquet_writer_stats(writer, path, 2, &stats));
  cr_assert_gt(stats.null_count, 0);
  memory_output_drop(&output);
}

Test(parquet_writer_faults, refuses_a_decimal_with_more_digits_than_its_column)
{
  static const int32_t wide[] = { 9, 18, 18, 38, 38, 38 }, narrow[] = { 5, 9, 12, 9, 18, 30 };

  for (size_t i = 0; i < COUNT_OF(wide); i++) {
    osdear__field strict_field, field;
    osdear__type strict = one_column(&strict_field, (osdear__type){ .kind = KIND_DECIMAL, .precision = narrow[i] }, false);
    osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_DECIMAL, .precision = wide[i] }, false);
    expect_data_error(&strict, &type, 10, "more digits");
  }
}

/* ---- calls ---- */

Test(parquet_writer_faults, refuses_settings_that_make_no_sense)
{
  osdear__field field;
  osdear__type type = one_column(&field, (osdear__type){ .kind = KIND_LONG }, false);
  osdear__type nothing = { .kind = KIND_STRUCT };
  osdear__parquet_writer *writer = NULL;
  memory_output output;

  memory_output_init(&output);
  for (int which = 0; which < 6; which++) {
    osdear__parquet_write options;
    int64_t *sizes[] = { &options.row_group_rows, &options.row_group_bytes, &options.page_bytes, &options.page_rows,
                         &options.dictionary_bytes };
    osdear__parquet_write_init(&options);
    if (which < 5)
      *sizes[which] = -2;
    cr_assert_eq(new_writer(&output.output, which < 5 ? &type : &nothing, &options, &writer, NULL), OSDEAR_ERR_ARGUMENT,
                 "case %d", which);
  }
  for (osdear__codec codec = CODEC_NONE; codec < (osdear__codec)9; codec++) {
    osdear__parquet_write options = { .codec = codec };
    bool is_writable = osdear__codec_is_built(codec) && codec != CODEC_BROTLI;
    osdear_status st = new_writer(&output.output, &type, &options, &writer, NULL);
    cr_assert_eq(st, is_writable ? OSDEAR_OK : OSDEAR_ERR_UNSUPPORTED, "codec %d", (int)codec);
    osdear__parquet_writer_auto(&writer);
  }
  cr_assert_eq(output.bytes.size, 0);
  memory_output_drop(&output);
}

Test(parquet_writer_faults, takes_nothing_after_it_was_finished)
{
  AUTO(parquet_writer) writer = NULL;
  SCOPED(array) rows = { 0 };
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(make_rows(every_type(), 5, 10, 1, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(new_writer(&output.output, every_type(), NULL, &writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_ERR_STATE);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_ERR_STATE);
  memory_output_drop(&output);
}

Test(parquet_writer_faults, gives_up_when_the_context_is_cancelled)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  AUTO(parquet_writer) writer = NULL;
  SCOPED(array) rows = { 0 };
  osdear_context *context = NULL;
  memory_output output;

  memory_output_init(&output);
  cr_assert_eq(osdear_cancel_new(-1, &options.cancel, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(make_rows(every_type(), 5, 10, 1, &rows, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(context, &output.output, every_type(), NULL, &writer, NULL), OSDEAR_OK);
  osdear_cancel_throw(options.cancel);
  cr_assert_eq(osdear__parquet_writer_add(writer, &rows, NULL), OSDEAR_ERR_CANCELLED);
  osdear_cancel_unref(options.cancel);
  osdear_context_unref(context);
  memory_output_drop(&output);
}

/* ---- the output ---- */

Test(parquet_writer_faults, hands_on_every_failure_of_the_output)
{
  osdear__parquet_write options = { .codec = CODEC_NONE, .row_group_rows = 40, .page_rows = 20 };
  SCOPED(array) rows = { 0 };
  osdear_status st = OSDEAR_ERR_IO;

  cr_assert_eq(make_rows(every_type(), 100, 10, 1, &rows, NULL), OSDEAR_OK);
  for (int64_t n = 0; st; n++) {
    AUTO(error) error = NULL;
    memory_output output;
    memory_output_init(&output);
    output.fail_at = n;
    st = write_file(every_type(), &rows, 30, &options, &output.output, &error);
    cr_assert(st == OSDEAR_OK || (st == OSDEAR_ERR_IO && strstr(osdear_error_message(error), "disk is full")));
    cr_assert_eq(st == OSDEAR_OK, output.writes <= n);
    memory_output_drop(&output);
  }
}

#ifdef OSDEAR_FAULTS
/* A table small enough for a run at each allocation, with a column of each way to be written. */
static const osdear__type *few_columns(void)
{
  static osdear__field element = { .name = "element", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } };
  static osdear__field fields[4] = {
    { .name = "text", .nullable = true, .field_id = -1, .type = { .kind = KIND_STRING } },
    { .name = "decimal", .nullable = true, .field_id = -1, .type = { .kind = KIND_DECIMAL, .precision = 30, .scale = 2 } },
    { .name = "list", .nullable = true, .field_id = -1, .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = &element } },
    { .name = "flag", .nullable = true, .field_id = -1, .type = { .kind = KIND_BOOLEAN } },
  };
  static const osdear__type type = { .kind = KIND_STRUCT, .field_count = 4, .fields = fields };
  return &type;
}

static void survive(const osdear__parquet_write *options, bool once)
{
  SCOPED(array) rows = { 0 };
  osdear_status st = OSDEAR_ERR_NO_MEMORY;
  int64_t before;

  cr_assert_eq(make_rows(few_columns(), 120, 20, 1, &rows, NULL), OSDEAR_OK);
  before = osdear__live();
  for (int64_t n = 0; st; n++) {
    osdear_error *error = NULL;
    memory_output output;
    memory_output_init(&output);
    osdear__fault_arm(FAULT_ALLOC, n, once);
    st = write_file(few_columns(), &rows, 50, options, &output.output, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY, "allocation %d: %s", (int)n, osdear_error_message(error));
    osdear_error_free(error);
    memory_output_drop(&output);
    cr_assert_eq(osdear__live(), before, "leak when allocation %d fails", (int)n);
  }
}

Test(parquet_writer_faults, survives_every_failing_allocation, .timeout = 120)
{
  static const osdear_pair pair = { "key", "value" };
  osdear__parquet_write options = {
    .codec = CODEC_NONE, .row_group_rows = 70, .page_rows = 25, .metadata = &pair, .metadata_count = 1
  };

  survive(&options, false);
  options.format_v2 = true;
  options.dictionary_bytes = -1;
  survive(&options, true);
}
#endif
