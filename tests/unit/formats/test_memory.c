/* Each call with each allocation failing, and with reads that fail or come short. */
#include "fixture.h"

#include <criterion/criterion.h>

#ifdef OSDEAR_FAULTS

static const char csv_text[] = "a,b,c,d,e\n1,x,2024-01-02,true,1.5\n,\"y\"\"z\",,,\n3,,2024-01-02,false,2\n";
static const char ndjson_text[] = "{\"a\":1,\"s\":{\"x\":[1.5,null]},\"t\":\"x\"}\n{\"a\":2,\"s\":null,\"t\":{\"k\":[1]}}\n";

static osdear_status read_once(osdear_context *context, files *all, const char *format, osdear_error **error)
{
  osdear_sink_options options = OSDEAR_SINK_OPTIONS_INIT;
  osdear_source *source = NULL;
  output out = { 0 };
  osdear_status st = osdear_source_open(context, all->paths, all->count, NULL, &source, error);

  if (!st) {
    struct ArrowArrayStream stream = { 0 };
    st = osdear_source_stream(source, &stream, error);
    if (!st)
      st = osdear_sink_write(context, &stream, format, &options, output_write, &out, NULL, error);
  }
  osdear_source_free(source);
  output_drop(&out);
  return st;
}

static void try_each(const char *text, const char *format, osdear__fault_kind kind, osdear_status wanted)
{
  osdear_context *context = test_context();
  files all = { 0 };
  osdear_status st;
  int64_t n = 0;

  files_add(&all, text, strlen(text));
  cr_assert_eq(read_once(context, &all, format, NULL), OSDEAR_OK);
  do {
    osdear_error *error = NULL;
    int64_t live = osdear__live();
    osdear__fault_arm(kind, n++, false);
    st = read_once(context, &all, format, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == wanted, "%s, fault %" PRId64 ": %s", format, n, osdear_error_message(error));
    osdear_error_free(error);
    cr_assert_eq(osdear__live(), live, "%s: a leak when fault %" PRId64 " hits", format, n);
  } while (st);
  cr_assert_gt(n, 1);
  files_drop(&all);
  osdear_context_unref(context);
}

Test(memory, csv_survives_every_failing_allocation, .timeout = 60)
{
  try_each(csv_text, "jsonl", FAULT_ALLOC, OSDEAR_ERR_NO_MEMORY);
}

Test(memory, ndjson_survives_every_failing_allocation, .timeout = 60)
{
  try_each(ndjson_text, "jsonl", FAULT_ALLOC, OSDEAR_ERR_NO_MEMORY);
}

Test(memory, sinks_survive_every_failing_allocation, .timeout = 60)
{
  try_each(ndjson_text, "csv", FAULT_ALLOC, OSDEAR_ERR_NO_MEMORY);
  try_each(ndjson_text, "table", FAULT_ALLOC, OSDEAR_ERR_NO_MEMORY);
  try_each(ndjson_text, "arrow", FAULT_ALLOC, OSDEAR_ERR_NO_MEMORY);
}

/* Rows into Parquet, and out of it again. */
Test(memory, parquet_survives_every_failing_allocation, .timeout = 120)
{
  osdear_context *context = test_context();
  output out = { 0 };
  files all = { 0 };
  osdear_status st;
  int64_t n = 0;

  cr_assert_eq(sink_text(ndjson_text, NULL, "parquet", NULL, &out, NULL), OSDEAR_OK);
  files_add(&all, out.data, out.size);
  do {
    int64_t live = osdear__live();
    osdear__fault_arm(FAULT_ALLOC, n++, false);
    st = read_once(context, &all, "parquet", NULL);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY, "%s at allocation %" PRId64, osdear_status_name(st), n);
    cr_assert_eq(osdear__live(), live, "a leak when allocation %" PRId64 " fails", n);
  } while (st);
  files_drop(&all);
  output_drop(&out);
  osdear_context_unref(context);
}

Test(memory, failing_reads_are_told)
{
  try_each(csv_text, "jsonl", FAULT_READ, OSDEAR_ERR_IO);
  try_each(ndjson_text, "jsonl", FAULT_READ, OSDEAR_ERR_IO);
}

Test(memory, short_reads_are_no_matter)
{
  osdear_context *context = test_context();
  files all = { 0 };

  files_add(&all, csv_text, strlen(csv_text));
  osdear__fault_arm(FAULT_SHORT, 0, false);
  cr_expect_eq(read_once(context, &all, "jsonl", NULL), OSDEAR_OK);
  osdear__fault_disarm();
  files_drop(&all);
  osdear_context_unref(context);
}

#endif
