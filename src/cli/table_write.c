/* osdear table create, append, overwrite, checkpoint; osdear ingest: changing a table. */
#include <cli/cli.h>

#include <stdlib.h>
#include <string.h>

static const cli_option create_options[] = {
  { "schema", 's', "COLUMNS", "Columns and types: \"id BIGINT NOT NULL, name STRING\"; or Delta's JSON form." },
  { "like", 0, "FILE", "Columns as found in this CSV, NDJSON or Parquet file." },
  { "partition-by", 'p', "A,B", "Partition columns; repeatable." },
  { "property", 0, "KEY=VALUE", "A table property, such as delta.checkpointInterval=100; repeatable." },
  { "name", 0, "TEXT", "The table's name." },
  { "description", 0, "TEXT", "What the table is about." },
  { "if-not-exists", 0, NULL, "Succeed if the table is there with these columns." },
  { NULL, 0, NULL, NULL },
};
static const cli_option overwrite_options[] = {
  { "where", 'w', "SQL", "Replace only the partitions that this predicate on partition columns selects." },
  { "dynamic-partitions", 0, NULL, "Replace only the partitions that the new rows belong to." },
  { NULL, 0, NULL, NULL },
};
static const cli_option quiet_options[] = {
  { "quiet", 'q', NULL, "Do not tell what was found in the files." },
  { NULL, 0, NULL, NULL },
};
static const cli_option ingest_options[] = {
  { "partition-by", 'p', "A,B", "Partition columns of a new table; repeatable." },
  { "mode", 0, "MODE", "append (default) or overwrite." },
  { "property", 0, "KEY=VALUE", "A property of a new table; repeatable." },
  { NULL, 0, NULL, NULL },
};

/* ---- create ---- */

static int columns_wanted(cli_call *cli, struct ArrowSchema *out)
{
  const char *text = cli_value(cli, "schema"), *like = cli_value(cli, "like");
  osdear_source *source;
  int code;

  if (!text == !like)
    cli_die(EXIT_USAGE, "give the columns either with --schema or with --like");
  if (text)
    return osdear_schema_parse(text, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
  code = cli_open_source(cli, &like, 1, NULL, &source);
  if (code)
    return code;
  if (osdear_source_schema(source, out, &cli->error))
    code = cli_fail(cli);
  osdear_source_free(source);
  return code;
}

static int create_table(cli_call *cli, const char *uri, const struct ArrowSchema *columns, bool if_not_exists, osdear_table **out)
{
  osdear_table_create_options options = OSDEAR_TABLE_CREATE_OPTIONS_INIT;

  options.storage = cli->storage;
  options.storage_count = cli->storage_count;
  options.partition_columns = cli_list(cli, "partition-by", true, &options.partition_count);
  options.properties = cli_pairs(cli, "property", &options.property_count);
  options.name = cli_value(cli, "name");
  options.description = cli_value(cli, "description");
  options.if_not_exists = if_not_exists;
  return osdear_table_create(cli->context, uri, columns, &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static int create(cli_call *cli)
{
  struct ArrowSchema columns;
  osdear_table *table;
  int code = columns_wanted(cli, &columns);

  if (code)
    return code;
  code = create_table(cli, cli->arguments[0], &columns, cli_flag(cli, "if-not-exists"), &table);
  columns.release(&columns);
  if (code)
    return code;
  if (cli_flag(cli, "json"))
    printf("{\"version\":0}\n");
  osdear_table_free(table);
  return EXIT_OK;
}

static const cli_option *const create_tables[] = { create_options, cli_source_options, NULL };
const cli_command cli_table_create = {
  .group = "table",
  .verb = "create",
  .arguments = "URI",
  .summary = "Create an empty table.",
  .examples =
      "  osdear table create --schema \"id BIGINT NOT NULL, day DATE, tags ARRAY<STRING>\" --partition-by day lake/events\n"
      "  osdear table create --like events.csv lake/events\n",
  .options = create_tables,
  .least = 1,
  .most = 1,
  .run = create,
};

/* ---- append, overwrite, ingest ---- */

/* Opens the files, to be read as `table` has its columns (NULL: as they are found), and tells on standard error what was found. */
static int open_files(cli_call *cli, const char *const *files, size_t count, osdear_table *table, osdear_source **out)
{
  osdear_snapshot *snapshot = table ? osdear_table_snapshot(table) : NULL;
  struct ArrowSchema columns = { .release = NULL };
  int code = EXIT_OK;

  if (snapshot && osdear_snapshot_schema(snapshot, &columns, &cli->error))
    code = cli_fail(cli);
  else
    code = cli_open_source(cli, files, count, columns.release ? &columns : NULL, out);
  if (columns.release)
    columns.release(&columns);
  osdear_snapshot_unref(snapshot);
  if (!code && !cli_flag(cli, "quiet") && !cli_flag(cli, "json")) {
    cli_progress_clear(cli);
    fprintf(stderr, "%s", osdear_source_report(*out));
  }
  return code;
}

static int write_rows(cli_call *cli, osdear_table *table, osdear_source *source, bool is_overwrite)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  struct ArrowArrayStream rows;
  osdear_status st;

  options.app_id = cli_value(cli, "app-id");
  options.app_version = cli_number(cli, "app-version", 0);
  options.user_metadata = cli_value(cli, "message");
  options.where = is_overwrite ? cli_value(cli, "where") : NULL;
  options.dynamic_partitions = is_overwrite && cli_flag(cli, "dynamic-partitions");
  st = osdear_source_stream(source, &rows, &cli->error);
  if (!st)
    st = is_overwrite ? osdear_table_overwrite(table, &rows, &options, &result, &cli->error)
                      : osdear_table_append(table, &rows, &options, &result, &cli->error);
  return st ? cli_fail(cli) : cli_show_write(cli, is_overwrite ? "overwrote with" : "appended", &result);
}

/* FILE… come behind the table's address. */
static int write_files(cli_call *cli, bool is_overwrite)
{
  osdear_source *source;
  osdear_table *table;
  int code = cli_open_table(cli, cli->arguments[0], &table);

  if (code)
    return code;
  code = open_files(cli, cli->arguments + 1, (size_t)cli->argument_count - 1, table, &source);
  if (!code) {
    code = write_rows(cli, table, source, is_overwrite);
    osdear_source_free(source);
  }
  osdear_table_free(table);
  return code;
}

static int append(cli_call *cli)
{
  return write_files(cli, false);
}

static int overwrite(cli_call *cli)
{
  return write_files(cli, true);
}

static const cli_option *const append_tables[] = { cli_source_options, cli_write_options, quiet_options, NULL };
const cli_command cli_table_append = {
  .group = "table",
  .verb = "append",
  .arguments = "URI FILE…",
  .summary = "Add the rows of files to a table, in one commit.",
  .examples = "  osdear table append lake/events monday.csv tuesday.csv\n"
              "  zcat events.ndjson.gz | osdear table append --from ndjson lake/events -\n",
  .options = append_tables,
  .least = 2,
  .most = -1,
  .run = append,
};

static const cli_option *const overwrite_tables[] = { overwrite_options, cli_source_options, cli_write_options, quiet_options,
                                                      NULL };
const cli_command cli_table_overwrite = {
  .group = "table",
  .verb = "overwrite",
  .arguments = "URI FILE…",
  .summary = "Replace a table's rows, or those of some partitions, in one commit.",
  .examples = "  osdear table overwrite lake/events all.parquet\n"
              "  osdear table overwrite --where \"day = DATE '2024-01-31'\" lake/events corrected.csv\n",
  .options = overwrite_tables,
  .least = 2,
  .most = -1,
  .run = overwrite,
};

/* The table there, or NULL where there is none. */
static int find_table(cli_call *cli, const char *uri, osdear_table **out)
{
  osdear_table_options options = OSDEAR_TABLE_OPTIONS_INIT;
  osdear_status st;

  options.storage = cli->storage;
  options.storage_count = cli->storage_count;
  *out = NULL;
  st = osdear_table_open(cli->context, uri, &options, out, &cli->error);
  if (st && st != OSDEAR_ERR_NOT_FOUND)
    return cli_fail(cli);
  osdear_error_free(cli->error);
  cli->error = NULL;
  return EXIT_OK;
}

/* A new table with the columns found in the files. */
static int create_from(cli_call *cli, const char *uri, const osdear_source *source, osdear_table **out)
{
  struct ArrowSchema columns;
  int code;

  if (osdear_source_schema(source, &columns, &cli->error))
    return cli_fail(cli);
  code = create_table(cli, uri, &columns, true, out);
  columns.release(&columns);
  return code;
}

static int ingest(cli_call *cli)
{
  const char *mode = cli_value(cli, "mode"), *uri = cli->arguments[cli->argument_count - 1];
  bool is_overwrite = mode && strcmp(mode, "overwrite") == 0;
  osdear_source *source = NULL;
  osdear_table *table;
  int code;

  if (mode && !is_overwrite && strcmp(mode, "append") != 0)
    cli_die(EXIT_USAGE, "--mode is append or overwrite, not `%s`", mode);
  code = find_table(cli, uri, &table);
  if (!code)
    code = open_files(cli, cli->arguments, (size_t)cli->argument_count - 1, table, &source);
  if (!code && !table)
    code = create_from(cli, uri, source, &table);
  if (!code)
    code = write_rows(cli, table, source, is_overwrite);
  osdear_table_free(table);
  osdear_source_free(source);
  return code;
}

static const cli_option *const ingest_tables[] = { ingest_options, cli_source_options, cli_write_options, quiet_options, NULL };
const cli_command cli_ingest = {
  .verb = "ingest",
  .arguments = "FILE… URI",
  .summary = "Bring CSV, NDJSON or Parquet files into a table, which is created where there is none.",
  .examples = "  osdear ingest flights.csv lake/bronze/flights\n"
              "  osdear ingest --partition-by month --type dep_time=string flights.csv.gz lake/bronze/flights\n"
              "  curl -s https://example.org/data.csv | osdear ingest - lake/bronze/data\n"
              "  osdear ingest --app-id daily --app-version 20240131 day.parquet lake/bronze/days\n",
  .options = ingest_tables,
  .least = 2,
  .most = -1,
  .run = ingest,
};

static int checkpoint(cli_call *cli)
{
  osdear_table *table;
  int code = cli_open_table(cli, cli->arguments[0], &table);

  if (code)
    return code;
  if (osdear_table_checkpoint(table, &cli->error))
    code = cli_fail(cli);
  osdear_table_free(table);
  return code;
}

const cli_command cli_table_checkpoint = {
  .group = "table",
  .verb = "checkpoint",
  .arguments = "URI",
  .summary = "Write a checkpoint of the newest version, so that opening the table reads less.",
  .examples = "  osdear table checkpoint lake/events\n",
  .least = 1,
  .most = 1,
  .run = checkpoint,
};
