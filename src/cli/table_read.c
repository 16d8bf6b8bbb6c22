/* osdear table show, schema, history, files, read, changes: looking at a table. */
#include <cli/cli.h>

#include <stdlib.h>
#include <string.h>

static const cli_option where_options[] = {
  { "where", 'w', "SQL", "Only what this predicate is true for." },
  { NULL, 0, NULL, NULL },
};
static const cli_option limit_options[] = {
  { "limit", 'n', "N", "The first so many only." },
  { NULL, 0, NULL, NULL },
};
static const cli_option column_options[] = {
  { "columns", 'c', "A,B", "Only these columns, in this order; repeatable." },
  { "variant-as-json", 0, NULL, "Variants as JSON text." },
  { NULL, 0, NULL, NULL },
};

/* ---- show ---- */

/* Adds up a column of int64 over all batches of the file list. */
static int sum_files(cli_call *cli, osdear_snapshot *snapshot, int64_t *files, int64_t *bytes)
{
  enum { SIZE_COLUMN = 2 };
  struct ArrowArrayStream stream;
  struct ArrowArray batch = { .release = NULL };
  int failed = 0;

  if (osdear_snapshot_files(snapshot, NULL, &stream, &cli->error))
    return cli_fail(cli);
  *files = *bytes = 0;
  for (failed = stream.get_next(&stream, &batch); !failed && batch.release; failed = stream.get_next(&stream, &batch)) {
    const struct ArrowArray *sizes = batch.children[SIZE_COLUMN];
    const int64_t *values = sizes->buffers[1];
    *files += batch.length;
    for (int64_t i = 0; i < batch.length; i++)
      *bytes += values[sizes->offset + batch.offset + i];
    batch.release(&batch);
  }
  if (failed)
    fprintf(stderr, "osdear: %s\n", stream.get_last_error(&stream));
  stream.release(&stream);
  return failed ? EXIT_FAILED : EXIT_OK;
}

typedef const char *(*text_at)(const osdear_snapshot *snapshot, size_t index);

static void put_list(const char *name, const osdear_snapshot *snapshot, text_at at, bool json)
{
  printf(json ? "\"%s\":[" : "%-17s", name);
  for (size_t i = 0; at(snapshot, i); i++) {
    if (i)
      printf(json ? "," : ", ");
    if (json)
      cli_put_json_string(stdout, at(snapshot, i));
    else
      printf("%s", at(snapshot, i));
  }
  printf(json ? "]," : "\n");
}

static void put_text(const char *name, const char *text, bool json)
{
  if (!json) {
    if (text)
      printf("%-17s%s\n", name, text);
    return;
  }
  printf("\"%s\":", name);
  if (text)
    cli_put_json_string(stdout, text);
  else
    printf("null");
  printf(",");
}

static void put_number(const char *name, int64_t number, bool json)
{
  printf(json ? "\"%s\":%lld," : "%-17s%lld\n", name, (long long)number);
}

/* What the accessor lists as an object under `names`, or as lines under `name`. */
static void put_pairs(const char *name, const char *names, const osdear_snapshot *snapshot,
                      const osdear_pair *(*at)(const osdear_snapshot *, size_t), bool json)
{
  const osdear_pair *pair;

  if (json)
    printf("\"%s\":{", names);
  for (size_t i = 0; (pair = at(snapshot, i)) != NULL; i++) {
    if (!json) {
      printf("%-17s%s=%s\n", name, pair->key, pair->value);
      continue;
    }
    if (i)
      printf(",");
    cli_put_json_string(stdout, pair->key);
    printf(":");
    cli_put_json_string(stdout, pair->value);
  }
  if (json)
    printf("}");
}

static int show(cli_call *cli)
{
  bool json = cli_flag(cli, "json");
  osdear_snapshot *snapshot;
  int64_t files, bytes;
  int code = cli_open_snapshot(cli, cli->arguments[0], &snapshot);

  if (code)
    return code;
  code = sum_files(cli, snapshot, &files, &bytes);
  if (!code) {
    if (json)
      printf("{");
    put_text("uri", osdear_snapshot_uri(snapshot), json);
    put_text("id", osdear_snapshot_id(snapshot), json);
    put_text("name", osdear_snapshot_name(snapshot), json);
    put_text("description", osdear_snapshot_description(snapshot), json);
    put_number("version", osdear_snapshot_version(snapshot), json);
    put_number("files", files, json);
    put_number("bytes", bytes, json);
    put_number("reader", osdear_snapshot_min_reader_version(snapshot), json);
    put_number("writer", osdear_snapshot_min_writer_version(snapshot), json);
    put_list("reader_features", snapshot, osdear_snapshot_reader_feature, json);
    put_list("writer_features", snapshot, osdear_snapshot_writer_feature, json);
    put_list("partition_columns", snapshot, osdear_snapshot_partition_column, json);
    put_pairs("property", "properties", snapshot, osdear_snapshot_property, json);
    if (json)
      printf(",");
    put_pairs("domain", "domains", snapshot, osdear_snapshot_domain, json);
    if (json)
      printf("}\n");
  }
  osdear_snapshot_unref(snapshot);
  return code;
}

static const cli_option *const show_tables[] = { cli_snapshot_options, NULL };
const cli_command cli_table_show = {
  .group = "table",
  .verb = "show",
  .arguments = "URI",
  .summary = "What a table is: version, files, bytes, protocol, properties.",
  .examples = "  osdear table show lake/flights\n  osdear table show --version 3 --json lake/flights\n",
  .options = show_tables,
  .least = 1,
  .most = 1,
  .run = show,
};

/* ---- schema ---- */

static int schema(cli_call *cli)
{
  osdear_snapshot *snapshot;
  struct ArrowSchema columns;
  int code = cli_open_snapshot(cli, cli->arguments[0], &snapshot);

  if (code)
    return code;
  if (cli_flag(cli, "json")) {
    printf("%s\n", osdear_snapshot_schema_json(snapshot));
  } else if (osdear_snapshot_schema(snapshot, &columns, &cli->error)) {
    code = cli_fail(cli);
  } else {
    for (int64_t i = 0; i < columns.n_children; i++) {
      char *type = NULL;
      if (osdear_schema_print(columns.children[i], &type, &cli->error)) {
        code = cli_fail(cli);
        break;
      }
      printf("%-24s %s%s\n", columns.children[i]->name, type,
             columns.children[i]->flags & ARROW_FLAG_NULLABLE ? "" : " not null");
      osdear_text_free(type);
    }
    columns.release(&columns);
  }
  osdear_snapshot_unref(snapshot);
  return code;
}

const cli_command cli_table_schema = {
  .group = "table",
  .verb = "schema",
  .arguments = "URI",
  .summary = "A table's columns; with --json as Delta stores them.",
  .examples = "  osdear table schema lake/flights\n  osdear table schema --json lake/flights\n",
  .options = show_tables,
  .least = 1,
  .most = 1,
  .run = schema,
};

/* ---- history and files ---- */

static int history(cli_call *cli)
{
  struct ArrowArrayStream rows;
  osdear_table *table;
  int code = cli_open_table(cli, cli->arguments[0], &table);

  if (code)
    return code;
  if (osdear_table_history(table, cli_number(cli, "limit", -1), &rows, &cli->error))
    code = cli_fail(cli);
  else
    code = cli_show(cli, &rows, NULL);
  osdear_table_free(table);
  return code;
}

static const cli_option *const history_tables[] = { limit_options, cli_output_options, NULL };
const cli_command cli_table_history = {
  .group = "table",
  .verb = "history",
  .arguments = "URI",
  .summary = "The commits of a table, newest first.",
  .examples = "  osdear table history --limit 5 lake/flights\n  osdear table history --json lake/flights | jq .operation\n",
  .options = history_tables,
  .least = 1,
  .most = 1,
  .run = history,
};

static int files(cli_call *cli)
{
  struct ArrowArrayStream rows;
  osdear_snapshot *snapshot;
  int code = cli_open_snapshot(cli, cli->arguments[0], &snapshot);

  if (code)
    return code;
  if (osdear_snapshot_files(snapshot, cli_value(cli, "where"), &rows, &cli->error))
    code = cli_fail(cli);
  else
    code = cli_show(cli, &rows, NULL);
  osdear_snapshot_unref(snapshot);
  return code;
}

static const cli_option *const files_tables[] = { cli_snapshot_options, where_options, cli_output_options, NULL };
const cli_command cli_table_files = {
  .group = "table",
  .verb = "files",
  .arguments = "URI",
  .summary = "The data files that make up a table, or those that may hold the rows wanted.",
  .examples = "  osdear table files lake/flights\n  osdear table files --where \"month = 3\" --format csv lake/flights\n",
  .options = files_tables,
  .least = 1,
  .most = 1,
  .run = files,
};

/* ---- read ---- */

static int read_rows(cli_call *cli)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  struct ArrowArrayStream rows;
  osdear_snapshot *snapshot;
  osdear_scan *scan = NULL;
  int code = cli_open_snapshot(cli, cli->arguments[0], &snapshot);

  if (code)
    return code;
  options.columns = cli_list(cli, "columns", true, &options.column_count);
  options.where = cli_value(cli, "where");
  options.limit = cli_number(cli, "limit", -1);
  options.variant_as_json = cli_flag(cli, "variant-as-json");
  options.row_ids = cli_flag(cli, "row-ids");
  if (osdear_scan_new(snapshot, &options, &scan, &cli->error) || osdear_scan_stream(scan, &rows, &cli->error))
    code = cli_fail(cli);
  else
    code = cli_show(cli, &rows, NULL);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  return code;
}

static const cli_option row_id_options[] = {
  { "row-ids", 0, NULL, "Also each row's id and the version that wrote it: _row_id, _row_commit_version." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const read_tables[] = {
  cli_snapshot_options, column_options, row_id_options, where_options, limit_options, cli_output_options, NULL
};
const cli_command cli_table_read = {
  .group = "table",
  .verb = "read",
  .arguments = "URI",
  .summary = "A table's rows.",
  .examples =
      "  osdear table read --limit 10 lake/flights\n"
      "  osdear table read --columns carrier,arr_delay --where \"month = 3 AND arr_delay > 60\" --format csv lake/flights\n"
      "  osdear table read --version 0 --format parquet lake/flights > flights.parquet\n",
  .options = read_tables,
  .least = 1,
  .most = 1,
  .run = read_rows,
};

/* ---- changes ---- */

static int changes(cli_call *cli)
{
  osdear_changes_options options = OSDEAR_CHANGES_OPTIONS_INIT;
  struct ArrowArrayStream rows;
  osdear_table *table;
  int code = cli_open_table(cli, cli->arguments[0], &table);

  if (code)
    return code;
  options.from_version = cli_number(cli, "from", 0);
  options.to_version = cli_number(cli, "to", -1);
  options.columns = cli_list(cli, "columns", true, &options.column_count);
  options.where = cli_value(cli, "where");
  if (osdear_table_changes(table, &options, &rows, &cli->error))
    code = cli_fail(cli);
  else
    code = cli_show(cli, &rows, NULL);
  osdear_table_free(table);
  return code;
}

static const cli_option range_options[] = {
  { "from", 0, "N", "The first version whose changes are told; 0 by default." },
  { "to", 0, "N", "The last one; the newest by default." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const changes_tables[] = { range_options, column_options, where_options, cli_output_options, NULL };
const cli_command cli_table_changes = {
  .group = "table",
  .verb = "changes",
  .arguments = "URI",
  .summary = "What happened to a table's rows: inserted, deleted, updated, by which version and when.",
  .examples = "  osdear table changes --from 5 lake/flights\n"
              "  osdear table changes --from 5 --to 9 --where \"_change_type <> 'update_preimage'\" --format csv lake/flights\n",
  .options = changes_tables,
  .least = 1,
  .most = 1,
  .run = changes,
};
