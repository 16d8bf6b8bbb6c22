#include "lake.h"

#include <stdio.h>

/* How a data file's name ends: by the codec, which a build may be without. */
static const char *default_suffix(void)
{
  static char suffix[40];
  osdear__codec codec = osdear__codec_default();

  snprintf(suffix, sizeof suffix, "-c000%s%s.parquet\",", codec == CODEC_NONE ? "" : ".",
           codec == CODEC_NONE ? "" : osdear__codec_name(codec));
  return suffix;
}

Test(append, adds_rows_in_one_file_and_one_commit)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  const char *commit;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long!, name string", NULL, NULL, &table, WHY));
  OK(lake_append(&here, table, "[{\"id\":1,\"name\":\"a\"},{\"id\":2}]", NULL, &result, WHY));
  cr_assert_eq(result.version, 1);
  cr_assert_eq(result.rows, 2);
  cr_assert_eq(result.files_added, 1);
  cr_assert_eq(result.files_removed, 0);
  cr_assert_eq(result.attempts, 1);
  cr_assert_eq(result.was_done, 0);
  cr_assert(result.bytes > 0);
  commit = lake_commit(&here, 1);
  cr_assert(osdear__starts_with(commit, "{\"commitInfo\":"));
  cr_assert(strstr(commit, "\"operation\":\"WRITE\",\"operationParameters\":{\"mode\":\"Append\",\"partitionBy\":\"[]\"}"));
  cr_assert(strstr(
      commit,
      "\"readVersion\":0,\"isolationLevel\":\"Serializable\",\"isBlindAppend\":true,\"operationMetrics\":{\"numFiles\":\"1\","
      "\"numOutputRows\":\"2\",\"numOutputBytes\":"));
  cr_assert(strstr(commit, "\"engineInfo\":\"libosdear/"));
  cr_assert(strstr(commit, "\"add\":{\"path\":\"part-00000-"));
  cr_assert(strstr(commit, default_suffix()));
  cr_assert(strstr(commit, ".parquet\",\"partitionValues\":{},\"size\":"));
  cr_assert_eq(lake_count(commit, "\n"), 2);
  cr_assert_eq(lake_data_files(&here), 1);
  cr_assert_str_eq(lake_read(&here), "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":null}\n");
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, without_rows_commits_nothing)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  OK(lake_append(&here, table, "[]", NULL, &result, WHY));
  cr_assert_eq(result.version, 0);
  cr_assert_eq(result.files_added, 0);
  cr_assert_eq(result.attempts, 0);
  cr_assert_str_eq(lake_commit(&here, 1), "");
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, puts_rows_into_their_partitions)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  const char *commit;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string, d date", "p,d", NULL, &table, WHY));
  OK(lake_append(&here, table,
                 "[{\"id\":1,\"p\":\"a b\",\"d\":\"2024-01-01\"},{\"id\":2,\"p\":\"x/y:%\",\"d\":\"2024-01-01\"},"
                 "{\"id\":3,\"p\":\"a b\",\"d\":\"2024-01-01\"},"
                 "{\"id\":4,\"p\":null},{\"id\":5,\"p\":\"\"}]",
                 NULL, &result, WHY));
  cr_assert_eq(result.files_added, 3);
  cr_assert_eq(result.rows, 5);
  commit = lake_commit(&here, 1);
  cr_assert(strstr(commit, "\"path\":\"p=a%20b/d=2024-01-01/part-0"), "%s", commit);
  cr_assert(strstr(commit, "\"path\":\"p=x%252Fy%253A%2525/d=2024-01-01/part-0"));
  cr_assert(strstr(commit, "\"path\":\"p=__HIVE_DEFAULT_PARTITION__/d=__HIVE_DEFAULT_PARTITION__/part-0"));
  cr_assert(strstr(commit, "\"partitionValues\":{\"p\":\"x/y:%\",\"d\":\"2024-01-01\"}"));
  cr_assert(strstr(commit, "\"partitionValues\":{\"p\":null,\"d\":null}"));
  cr_assert_str_eq(
      lake_read(&here),
      "{\"id\":1,\"p\":\"a b\",\"d\":\"2024-01-01\"}\n{\"id\":2,\"p\":\"x/y:%\",\"d\":\"2024-01-01\"}\n"
      "{\"id\":3,\"p\":\"a b\",\"d\":\"2024-01-01\"}\n{\"id\":4,\"p\":null,\"d\":null}\n{\"id\":5,\"p\":null,\"d\":null}\n");
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, partitions_by_every_type)
{
  static const char type[] =
      "id long, b boolean, y byte, h short, i int, l long, f float, d double, m decimal(20,3), t date, u timestamp, "
      "n timestamp_ntz, s string, x binary";
  static const char rows[] =
      "[{\"id\":1,\"b\":true,\"y\":-128,\"h\":-32768,\"i\":-2147483648,\"l\":-9223372036854775808,\"f\":\"-1e30\",\"d\":\"NaN\","
      "\"m\":\"-12345678901234567.123\",\"t\":\"0001-01-01\",\"u\":\"1960-01-01T00:00:00.000001Z\",\"n\":\"2024-01-01 10:00:00\",\"s\":\"\xc3\xa9\","
      "\"x\":\"z\"},{\"id\":2,\"b\":false,\"y\":1,\"h\":1,\"i\":1,\"l\":1,\"f\":0.5,\"d\":\"-Infinity\",\"m\":\"1\",\"t\":\"9999-12-31\","
      "\"u\":\"2024-01-01T00:00:00Z\",\"n\":\"2024-01-01 10:00:00\",\"s\":\"a=b\",\"x\":\"z\"},{\"id\":3}]";
  SCOPED(buf) once = { 0 };
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, type, "b,y,h,i,l,f,d,m,t,u,n,s,x", NULL, &table, WHY));
  OK(lake_append(&here, table, rows, NULL, NULL, WHY));
  osdear__buf_puts(&once, lake_read(&here));
  cr_assert(strstr(once.data, "\"m\":\"-12345678901234567.123\",\"t\":\"0001-01-01\","
                              "\"u\":\"1960-01-01T00:00:00.000001Z\",\"n\":\"2024-01-01 10:00:00.000000\""),
            "%s", once.data);
  cr_assert(strstr(once.data, "{\"id\":3,\"b\":null,\"y\":null"));
  osdear_table_free(table);
  lake_close(&here);

  lake_open(&here);
  OK(lake_create(&here, type, NULL, NULL, &table, WHY));
  OK(lake_append(&here, table, rows, NULL, NULL, WHY));
  cr_assert_str_eq(lake_read(&here), once.data, "partition columns hold what columns of files would");
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, holds_nested_rows)
{
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "s struct<a:int,l:array<struct<b:string>>>, m map<string,array<long>>", NULL, NULL, &table, WHY));
  OK(lake_append(&here, table,
                 "[{\"s\":{\"a\":1,\"l\":[{\"b\":\"x\"},null,{}]},\"m\":{\"k\":[1,null],\"j\":[]}},"
                 "{\"s\":null,\"m\":null},{\"s\":{}}]",
                 NULL, NULL, WHY));
  cr_assert_str_eq(
      lake_read(&here),
      "{\"s\":null,\"m\":null}\n{\"s\":{\"a\":1,\"l\":[{\"b\":\"x\"},null,{\"b\":null}]},\"m\":{\"k\":[1,null],\"j\":[]}}\n"
      "{\"s\":{\"a\":null,\"l\":null},\"m\":null}\n");
  osdear_table_free(table);
  lake_close(&here);
}

/* Appends rows of another type than the table's. */
static osdear_status append_as(lake *here, osdear_table *table, const char *type, const char *rows, osdear_error **error)
{
  struct ArrowArrayStream stream;

  lake_rows(here, lake_type(here, type), rows, &stream);
  return osdear_table_append(table, &stream, NULL, NULL, error);
}

Test(append, matches_columns_by_name_and_widens_them)
{
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "Id long, Name string, price decimal(10,2), s struct<a:long,b:long>", NULL, NULL, &table, WHY));
  OK(append_as(&here, table, "s struct<b:int>, PRICE decimal(4,1), id short", "[{\"s\":{\"b\":7},\"PRICE\":\"1.5\",\"id\":3}]",
               WHY));
  cr_assert_str_eq(lake_read(&here), "{\"Id\":3,\"Name\":null,\"price\":\"1.50\",\"s\":{\"a\":null,\"b\":7}}\n");
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, refuses_rows_that_do_not_fit_and_leaves_nothing_behind)
{
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long!, name string, p string!, s struct<a:long!>", "p", NULL, &table, WHY));
  FAILS(append_as(&here, table, "id long, p string, more long", "[{\"id\":1,\"p\":\"a\"}]", WHY), OSDEAR_ERR_DATA, "\"more\"");
  FAILS(append_as(&here, table, "id string, p string", "[{\"id\":\"1\",\"p\":\"a\"}]", WHY), OSDEAR_ERR_DATA, "\"id\" is string");
  FAILS(append_as(&here, table, "id long, ID long, p string", "[{\"id\":1,\"p\":\"a\"}]", WHY), OSDEAR_ERR_DATA, "twice");
  FAILS(append_as(&here, table, "p string", "[{\"p\":\"a\"}]", WHY), OSDEAR_ERR_DATA, "\"id\" is missing");
  FAILS(append_as(&here, table, "id long, p string", "[{\"id\":1,\"p\":\"a\"},{\"p\":\"b\"}]", WHY), OSDEAR_ERR_DATA,
        "row 1 is null in column \"id\"");
  FAILS(append_as(&here, table, "id long, p string", "[{\"id\":1,\"p\":\"a\"},{\"id\":2}]", WHY), OSDEAR_ERR_DATA,
        "row 1 is null in column \"p\"");
  FAILS(append_as(&here, table, "id long, p string", "[{\"id\":1,\"p\":\"\"}]", WHY), OSDEAR_ERR_DATA,
        "empty text counts as null");
  FAILS(append_as(&here, table, "id long, p string, s struct<a:long>", "[{\"id\":1,\"p\":\"a\",\"s\":{}}]", WHY), OSDEAR_ERR_DATA,
        "s.a");
  cr_assert_eq(lake_data_files(&here), 0);
  cr_assert_str_eq(lake_commit(&here, 1), "");
  OK(append_as(&here, table, "id long, p string, s struct<a:long>", "[{\"id\":1,\"p\":\"a\",\"s\":null}]", WHY));
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, starts_new_files_past_the_target_size)
{
  SCOPED(buf) rows = { 0 };
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_transaction *transaction = NULL;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  osdear__buf_puts(&rows, "[{\"id\":0}");
  for (int i = 1; i < 5000; i++)
    osdear__buf_printf(&rows, ",{\"id\":%d}", i * 7919);
  osdear__buf_putc(&rows, ']');
  options.target_file_bytes = 1000;
  OK(osdear_transaction_begin(table, &options, &transaction, WHY));
  for (int i = 0; i < 3; i++) {
    struct ArrowArrayStream stream;
    lake_rows(&here, lake_type(&here, "id long"), rows.data, &stream);
    OK(osdear_transaction_append(transaction, &stream, WHY));
  }
  OK(osdear_transaction_commit(transaction, &result, WHY));
  osdear_transaction_free(transaction);
  cr_assert_eq(result.files_added, 3);
  cr_assert_eq(result.rows, 15000);
  osdear_table_free(table);
  lake_close(&here);
}

/* More partitions than files may be open, rows of all of them in each batch. */
Test(append, writes_many_partitions_within_its_budget, .timeout = 120)
{
  enum { PARTITIONS = 700, ROWS = 2100 };
  osdear_context_options settings = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *small = NULL;
  SCOPED(buf) rows = { 0 };
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_transaction *transaction = NULL;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p int", "p", NULL, &table, WHY));
  osdear_table_free(table);
  settings.memory_budget_bytes = 1 << 20;
  settings.threads = 1;
  OK(osdear_context_new(&settings, &small, WHY));
  OK(osdear_table_open(small, here.folder, NULL, &table, WHY));
  OK(osdear_transaction_begin(table, NULL, &transaction, WHY));
  for (int batch = 0; batch < 2; batch++) {
    struct ArrowArrayStream stream;
    osdear__buf_clear(&rows);
    for (int i = 0; i < ROWS; i++)
      osdear__buf_printf(&rows, "%c{\"id\":%d,\"p\":%d}", i ? ',' : '[', i, i % PARTITIONS);
    osdear__buf_putc(&rows, ']');
    lake_rows(&here, lake_type(&here, "id long, p int"), rows.data, &stream);
    OK(osdear_transaction_append(transaction, &stream, WHY));
  }
  OK(osdear_transaction_commit(transaction, &result, WHY));
  osdear_transaction_free(transaction);
  osdear_table_free(table);
  osdear_context_unref(small);
  cr_assert_eq(result.rows, 2 * ROWS);
  cr_assert(result.files_added >= PARTITIONS && result.files_added <= 4 * PARTITIONS, "%d files", (int)result.files_added);
  cr_assert_eq(lake_count(lake_read(&here), "\"p\":699}"), 6);
  lake_close(&here);
}

Test(append, goes_without_folders_for_values_no_folder_can_be_named_after)
{
  osdear_table *table = NULL;
  char value[400], rows[500];
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string", "p", NULL, &table, WHY));
  memset(value, 'x', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  snprintf(rows, sizeof rows, "[{\"id\":1,\"p\":\"%s\"}]", value);
  OK(lake_append(&here, table, rows, NULL, NULL, WHY));
  cr_assert(strstr(lake_commit(&here, 1), "\"path\":\"part-0"));
  cr_assert(strstr(lake_read(&here), value));
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, obeys_the_tables_properties)
{
  osdear_table *table = NULL;
  const char *commit;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string", "p", "delta.parquet.compression.codec=none;delta.randomizeFilePrefixes=true", &table,
                 WHY));
  OK(lake_append(&here, table, "[{\"id\":1,\"p\":\"a\"}]", NULL, NULL, WHY));
  commit = lake_commit(&here, 1);
  cr_assert(strstr(commit, "-c000.parquet\""));
  cr_assert_null(strstr(commit, "p=a"));
  cr_assert_str_eq(lake_read(&here), "{\"id\":1,\"p\":\"a\"}\n");
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, deletes_the_files_of_a_transaction_given_up)
{
  osdear_transaction *transaction = NULL;
  struct ArrowArrayStream stream;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string", "p", NULL, &table, WHY));
  OK(osdear_transaction_begin(table, &(osdear_write_options){ .size = sizeof(osdear_write_options), .target_file_bytes = 1 },
                              &transaction, WHY));
  lake_rows(&here, lake_type(&here, "id long, p string"), "[{\"id\":1,\"p\":\"a\"},{\"id\":2,\"p\":\"b\"}]", &stream);
  OK(osdear_transaction_append(transaction, &stream, WHY));
  osdear_transaction_free(transaction);
  cr_assert_eq(lake_data_files(&here), 0);
  osdear_table_free(table);
  lake_close(&here);
}

Test(append, is_committed_once)
{
  osdear_transaction *transaction = NULL;
  struct ArrowArrayStream stream;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  OK(osdear_transaction_begin(table, NULL, &transaction, WHY));
  lake_rows(&here, lake_type(&here, "id long"), "[{\"id\":1}]", &stream);
  OK(osdear_transaction_append(transaction, &stream, WHY));
  OK(osdear_transaction_commit(transaction, NULL, WHY));
  FAILS(osdear_transaction_commit(transaction, NULL, WHY), OSDEAR_ERR_STATE, "committed already");
  lake_rows(&here, lake_type(&here, "id long"), "[{\"id\":1}]", &stream);
  FAILS(osdear_transaction_append(transaction, &stream, WHY), OSDEAR_ERR_STATE, "committed already");
  cr_assert_null(stream.release, "consumed in every case");
  osdear_transaction_free(transaction);
  cr_assert_str_eq(lake_read(&here), "{\"id\":1}\n");
  osdear_table_free(table);
  lake_close(&here);
}

#ifdef OSDEAR_FAULTS

/* Each call of the system or the allocator fails in turn. Then the table is as it was, or has exactly the commit; and no file is
 * left that no commit names, nor one gone that a commit names. */
static void torture(osdear__fault_kind kind, bool once)
{
  for (int64_t n = 0;; n++) {
    osdear_table *table = NULL;
    osdear_error *error = NULL;
    struct ArrowArrayStream stream;
    const osdear__type *type;
    int64_t failed;
    osdear_status st;
    const char *rows;
    lake here;

    lake_open(&here);
    type = lake_type(&here, "id long, p string");
    OK(lake_create(&here, "id long, p string", "p", NULL, &table, WHY));
    OK(lake_append(&here, table, "[{\"id\":0,\"p\":\"a\"}]", NULL, NULL, WHY));
    lake_rows(&here, type, "[{\"id\":1,\"p\":\"a\"},{\"id\":2,\"p\":\"b\"},{\"id\":3}]", &stream);
    osdear__fault_arm(kind, n, once);
    st = osdear_table_append(table, &stream, NULL, NULL, &error);
    failed = osdear__fault_count();
    osdear__fault_disarm();
    cr_assert_eq(st, osdear_error_status(error));
    osdear_error_free(error);
    osdear_table_free(table);
    rows = lake_read(&here);
    if (lake_count(rows, "\n") == 4)
      cr_assert_eq(lake_data_files(&here), 4);
    else
      cr_assert_str_eq(rows, "{\"id\":0,\"p\":\"a\"}\n");
    if (st == OSDEAR_OK)
      cr_assert_eq(lake_count(rows, "\n"), 4, "acknowledged, but not there");
    if (st && lake_count(rows, "\n") == 1 && (kind == FAULT_ALLOC || once))
      cr_assert_eq(lake_data_files(&here), 1, "call %lld of kind %d left files", (long long)n, (int)kind);
    lake_close(&here);
    cr_assert_eq(osdear__live(), 0, "leak when call %lld of kind %d fails", (long long)n, (int)kind);
    if (failed == 0) {
      cr_assert_eq(st, OSDEAR_OK);
      break;
    }
  }
}

Test(append, survives_every_failing_allocation, .timeout = 300)
{
  torture(FAULT_ALLOC, false);
}

Test(append, survives_every_failing_write, .timeout = 300)
{
  torture(FAULT_WRITE, true);
  torture(FAULT_WRITE, false);
}

Test(append, survives_every_failing_read, .timeout = 300)
{
  torture(FAULT_READ, true);
  torture(FAULT_READ, false);
}

Test(append, goes_on_after_short_writes, .timeout = 300)
{
  torture(FAULT_SHORT, true);
}

#endif
