#include "lake.h"

static osdear_write_options options_where(const char *where)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;

  options.where = where;
  return options;
}

static void start(lake *here, const char *properties, osdear_table **table)
{
  lake_open(here);
  OK(lake_create(here, "id long, p int, q string", "p,q", properties, table, WHY));
  OK(lake_append(here, *table,
                 "[{\"id\":1,\"p\":1,\"q\":\"a\"},{\"id\":2,\"p\":1,\"q\":\"b\"},{\"id\":3,\"p\":2,\"q\":\"a\"},{\"id\":4}]",
                 NULL, NULL, WHY));
}

Test(overwrite, replaces_all_rows)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_snapshot *before = NULL;
  osdear_snapshot_options at_1 = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_table *table = NULL;
  const char *commit;
  lake here;

  start(&here, NULL, &table);
  OK(lake_overwrite(&here, table, "[{\"id\":9,\"p\":7,\"q\":\"z\"}]", NULL, &result, WHY));
  cr_assert_eq(result.version, 2);
  cr_assert_eq(result.files_added, 1);
  cr_assert_eq(result.files_removed, 4);
  cr_assert_str_eq(lake_read(&here), "{\"id\":9,\"p\":7,\"q\":\"z\"}\n");
  commit = lake_commit(&here, 2);
  cr_assert(strstr(commit, "\"operationParameters\":{\"mode\":\"Overwrite\",\"partitionBy\":\"[\\\"p\\\",\\\"q\\\"]\"}"));
  cr_assert(strstr(commit, "\"isBlindAppend\":false"));
  cr_assert(strstr(commit, "\"numRemovedFiles\":\"4\",\"numRemovedBytes\":\""));
  cr_assert_eq(lake_count(commit, "{\"remove\":{\"path\":"), 4);
  cr_assert_eq(lake_count(commit, "\"dataChange\":true,\"extendedFileMetadata\":true,\"partitionValues\":{"), 4);
  cr_assert_eq(lake_data_files(&here), 5, "what an older version needs stays");
  at_1.version = 1;
  OK(osdear_snapshot_open(here.context, here.folder, &at_1, &before, WHY));
  osdear_snapshot_unref(before);
  osdear_table_free(table);
  lake_close(&here);
}

Test(overwrite, replaces_the_partitions_that_a_predicate_selects)
{
  osdear_write_options options = options_where("p = 1 AND q <> 'b'");
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  lake here;

  start(&here, NULL, &table);
  OK(lake_overwrite(&here, table, "[{\"id\":9,\"p\":1,\"q\":\"c\"}]", &options, &result, WHY));
  cr_assert_eq(result.files_removed, 1);
  cr_assert_str_eq(lake_read(&here),
                   "{\"id\":2,\"p\":1,\"q\":\"b\"}\n{\"id\":3,\"p\":2,\"q\":\"a\"}\n{\"id\":4,\"p\":null,\"q\":null}\n"
                   "{\"id\":9,\"p\":1,\"q\":\"c\"}\n");
  cr_assert(strstr(lake_commit(&here, 2), "\"predicate\":\"p = 1 AND q <> 'b'\""));
  options.where = "p IS NULL";
  OK(lake_overwrite(&here, table, "[]", &options, &result, WHY));
  cr_assert_eq(result.files_removed, 1);
  cr_assert_eq(result.files_added, 0);
  cr_assert_eq(lake_count(lake_read(&here), "\n"), 3);
  osdear_table_free(table);
  lake_close(&here);
}

Test(overwrite, replaces_the_partitions_of_the_new_rows)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  lake here;

  start(&here, NULL, &table);
  options.dynamic_partitions = 1;
  OK(lake_overwrite(&here, table, "[{\"id\":8,\"p\":1,\"q\":\"a\"},{\"id\":9},{\"id\":10,\"p\":5,\"q\":\"\"}]", &options, &result,
                    WHY));
  cr_assert_eq(result.files_removed, 2);
  cr_assert_eq(result.files_added, 3);
  cr_assert_str_eq(lake_read(&here),
                   "{\"id\":10,\"p\":5,\"q\":null}\n{\"id\":2,\"p\":1,\"q\":\"b\"}\n{\"id\":3,\"p\":2,\"q\":\"a\"}\n"
                   "{\"id\":8,\"p\":1,\"q\":\"a\"}\n{\"id\":9,\"p\":null,\"q\":null}\n");
  OK(lake_overwrite(&here, table, "[]", &options, &result, WHY));
  cr_assert_eq(result.version, 2, "no rows, no partitions, no commit");
  osdear_table_free(table);
  lake_close(&here);
}

Test(overwrite, refuses_rows_outside_of_what_is_replaced)
{
  osdear_write_options options = options_where("p = 1");
  osdear_table *table = NULL;
  const char *rows;
  lake here;

  start(&here, NULL, &table);
  rows = lake_read(&here);
  FAILS(lake_overwrite(&here, table, "[{\"id\":8,\"p\":1},{\"id\":9,\"p\":2}]", &options, NULL, WHY), OSDEAR_ERR_DATA, "row 1 ");
  FAILS(lake_overwrite(&here, table, "[{\"id\":8}]", &options, NULL, WHY), OSDEAR_ERR_DATA, "row 0 ");
  cr_assert_str_eq(lake_read(&here), rows);
  cr_assert_eq(lake_data_files(&here), 4);
  osdear_table_free(table);
  lake_close(&here);
}

Test(overwrite, refuses_choices_it_cannot_keep)
{
  osdear_write_options options = options_where("id = 1");
  osdear_table *table = NULL;
  lake here;

  start(&here, NULL, &table);
  FAILS(lake_overwrite(&here, table, "[]", &options, NULL, WHY), OSDEAR_ERR_ARGUMENT, "\"id\"");
  options.where = "p =";
  FAILS(lake_overwrite(&here, table, "[]", &options, NULL, WHY), OSDEAR_ERR_ARGUMENT, "p =");
  options.where = "nowhere = 1";
  FAILS(lake_overwrite(&here, table, "[]", &options, NULL, WHY), OSDEAR_ERR_ARGUMENT, "nowhere");
  options.where = "p = 1";
  options.dynamic_partitions = 1;
  FAILS(lake_overwrite(&here, table, "[]", &options, NULL, WHY), OSDEAR_ERR_ARGUMENT, "dynamic_partitions");
  osdear_table_free(table);
  lake_close(&here);
}

Test(overwrite, is_refused_where_a_table_only_grows)
{
  osdear_table *table = NULL;
  lake here;

  start(&here, "delta.appendOnly=true", &table);
  FAILS(lake_overwrite(&here, table, "[]", NULL, NULL, WHY), OSDEAR_ERR_ARGUMENT, "append-only");
  OK(lake_append(&here, table, "[{\"id\":5}]", NULL, NULL, WHY));
  osdear_table_free(table);
  lake_close(&here);
}

Test(overwrite, comes_first_in_its_transaction)
{
  osdear_transaction *transaction = NULL;
  struct ArrowArrayStream stream;
  osdear_table *table = NULL;
  lake here;

  start(&here, NULL, &table);
  OK(osdear_transaction_begin(table, NULL, &transaction, WHY));
  lake_rows(&here, lake_type(&here, "id long"), "[{\"id\":8}]", &stream);
  OK(osdear_transaction_overwrite(transaction, &stream, WHY));
  lake_rows(&here, lake_type(&here, "id long"), "[{\"id\":9}]", &stream);
  OK(osdear_transaction_append(transaction, &stream, WHY));
  lake_rows(&here, lake_type(&here, "id long"), "[{\"id\":10}]", &stream);
  FAILS(osdear_transaction_overwrite(transaction, &stream, WHY), OSDEAR_ERR_STATE, "already");
  cr_assert_null(stream.release);
  OK(osdear_transaction_commit(transaction, NULL, WHY));
  osdear_transaction_free(transaction);
  cr_assert_str_eq(lake_read(&here), "{\"id\":8,\"p\":null,\"q\":null}\n{\"id\":9,\"p\":null,\"q\":null}\n");
  osdear_table_free(table);
  lake_close(&here);
}

#ifdef OSDEAR_FAULTS

Test(overwrite, survives_every_fault, .timeout = 300)
{
  static const struct {
    osdear__fault_kind kind;
    bool once;
  } faults[] = {
    { FAULT_ALLOC, false }, { FAULT_WRITE, true }, { FAULT_WRITE, false }, { FAULT_READ, true }, { FAULT_SHORT, true }
  };

  for (size_t f = 0; f < COUNT_OF(faults); f++)
    for (int64_t n = 0;; n++) {
      osdear_write_options options = options_where("p = 1");
      struct ArrowArrayStream stream;
      osdear_table *table = NULL;
      osdear_error *error = NULL;
      const osdear__type *type;
      const char *rows;
      int64_t failed;
      osdear_status st;
      lake here;

      start(&here, NULL, &table);
      type = lake_type(&here, "id long, p int, q string");
      lake_rows(&here, type, "[{\"id\":9,\"p\":1,\"q\":\"z\"}]", &stream);
      osdear__fault_arm(faults[f].kind, n, faults[f].once);
      st = osdear_table_overwrite(table, &stream, &options, NULL, &error);
      failed = osdear__fault_count();
      osdear__fault_disarm();
      cr_assert_eq(st, osdear_error_status(error));
      osdear_error_free(error);
      osdear_table_free(table);
      rows = lake_read(&here);
      cr_assert(lake_count(rows, "\n") == 4 || (lake_count(rows, "\n") == 3 && strstr(rows, "\"id\":9")), "%s", rows);
      if (st == OSDEAR_OK)
        cr_assert_eq(lake_count(rows, "\n"), 3);
      lake_close(&here);
      cr_assert_eq(osdear__live(), 0, "leak when call %lld of kind %d fails", (long long)n, (int)faults[f].kind);
      if (failed == 0)
        break;
    }
}

#endif
