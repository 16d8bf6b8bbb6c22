/* Adds the rows of a CSV file to a table, which is made from the file's columns if it is not there yet.
 *
 * usage: append_csv FILE TABLE [NUMBER]
 * With a NUMBER the file is added only once: calling it again with the same number, or a lower one, changes nothing. */
#include "need.h"

int main(int count, char **words)
{
  osdear_table_create_options create = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  osdear_write_options write = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_context *context;
  osdear_source *source;
  osdear_table *table;
  osdear_error *error = NULL;
  struct ArrowSchema schema;
  struct ArrowArrayStream rows;

  if (count < 3)
    usage("append_csv FILE TABLE [NUMBER]");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_source_open(context, (const char *const *)&words[1], 1, NULL, &source, &error), &error);
  need(osdear_source_schema(source, &schema, &error), &error);
  create.if_not_exists = 1;
  need(osdear_table_create(context, words[2], &schema, &create, &table, &error), &error);
  schema.release(&schema);

  need(osdear_source_stream(source, &rows, &error), &error);
  if (count > 3) {
    write.app_id = "append_csv";
    write.app_version = strtoll(words[3], NULL, 10);
  }
  need(osdear_table_append(table, &rows, &write, &result, &error), &error); /* releases `rows` */
  printf("version %lld: %lld rows added\n", (long long)result.version, (long long)result.rows);

  osdear_source_free(source);
  osdear_table_free(table);
  osdear_context_unref(context);
  return 0;
}
