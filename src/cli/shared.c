/* What several verbs do alike: opening tables, snapshots and sources; telling what a write did. */
#include <cli/cli.h>

#include <stdlib.h>
#include <string.h>

const cli_option cli_snapshot_options[] = {
  { "version", 'v', "N", "The table's state at this version; default the newest." },
  { "timestamp", 0, "TIME", "The table's state at this time, such as 2024-01-31T12:00:00Z." },
  { NULL, 0, NULL, NULL },
};

const cli_option cli_source_options[] = {
  { "from", 0, "FORMAT", "csv, ndjson or parquet; default by name and content." },
  { "delimiter", 0, "CHAR", "csv: what separates fields; `tab` for a tab; default found out." },
  { "quote", 0, "CHAR", "csv: what quotes a field; default \"." },
  { "header", 0, "yes|no", "csv: whether the first record holds names; default found out." },
  { "encoding", 0, "NAME", "csv: utf-8, latin1, windows-1252, utf-16le, utf-16be." },
  { "null-text", 0, "TEXT", "A text that means null; repeatable; default empty, NA, N/A, NULL, null." },
  { "type", 't', "COLUMN=TYPE", "A column's type, over what is inferred; repeatable." },
  { "infer-rows", 0, "N", "Rows looked at to infer types; -1 for all; default 100000." },
  { NULL, 0, NULL, NULL },
};

const cli_option cli_write_options[] = {
  { "app-id", 0, "NAME", "With --app-version: write only once; a repetition succeeds and does nothing." },
  { "app-version", 0, "N", "The number of this write for --app-id." },
  { "message", 'm', "TEXT", "Kept with the commit as its user metadata." },
  { NULL, 0, NULL, NULL },
};

int cli_open_table(cli_call *cli, const char *uri, osdear_table **out)
{
  osdear_table_options options = OSDEAR_TABLE_OPTIONS_INIT;

  options.storage = cli->storage;
  options.storage_count = cli->storage_count;
  return osdear_table_open(cli->context, uri, &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

int cli_open_snapshot(cli_call *cli, const char *uri, osdear_snapshot **out)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  const char *timestamp = cli_value(cli, "timestamp");

  options.storage = cli->storage;
  options.storage_count = cli->storage_count;
  options.version = cli_number(cli, "version", -1);
  if (timestamp && osdear_timestamp_parse(timestamp, &options.timestamp_us, &cli->error))
    return cli_fail(cli);
  return osdear_snapshot_open(cli->context, uri, &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static char one_char(const cli_call *cli, const char *name)
{
  const char *text = cli_value(cli, name);

  if (!text)
    return 0;
  if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
    return '\t';
  if (strlen(text) != 1)
    cli_die(EXIT_USAGE, "--%s wants one character, not `%s`", name, text);
  return text[0];
}

static int32_t yes_or_no(const cli_call *cli, const char *name)
{
  const char *text = cli_value(cli, name);

  if (!text)
    return -1;
  if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
    cli_die(EXIT_USAGE, "--%s wants yes or no, not `%s`", name, text);
  return text[0] == 'y';
}

int cli_open_source(cli_call *cli, const char *const *files, size_t count, const struct ArrowSchema *columns, osdear_source **out)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.format = cli_value(cli, "from");
  options.encoding = cli_value(cli, "encoding");
  options.delimiter = one_char(cli, "delimiter");
  options.quote = one_char(cli, "quote");
  options.header = yes_or_no(cli, "header");
  options.nulls = cli_list(cli, "null-text", false, &options.null_count);
  options.types = cli_pairs(cli, "type", &options.type_count);
  options.infer_rows = cli_number(cli, "infer-rows", 0);
  options.schema = columns;
  return osdear_source_open(cli->context, files, count, &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

int cli_show_write(cli_call *cli, const char *verb, const osdear_write_result *result)
{
  cli_progress_clear(cli);
  if (cli_flag(cli, "json"))
    printf(
        "{\"version\":%lld,\"rows\":%lld,\"bytes\":%lld,\"files_added\":%lld,\"files_removed\":%lld,\"attempts\":%d,\"was_done\":%s}\n",
        (long long)result->version, (long long)result->rows, (long long)result->bytes, (long long)result->files_added,
        (long long)result->files_removed, result->attempts, result->was_done ? "true" : "false");
  else if (result->was_done)
    printf("nothing to do: this write is in version %lld already\n", (long long)result->version);
  else
    printf("version %lld: %s %lld rows, %lld files (%lld bytes)%s\n", (long long)result->version, verb, (long long)result->rows,
           (long long)result->files_added, (long long)result->bytes, result->attempts > 1 ? ", after other writers" : "");
  return EXIT_OK;
}
