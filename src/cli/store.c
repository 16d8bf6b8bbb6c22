/* osdear store ls, cat, cp, rm, stat, presign: files at any address. */
#include <cli/cli.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const cli_option recursive_options[] = {
  { "recursive", 'r', NULL, "All files below the folder." },
  { NULL, 0, NULL, NULL },
};
static const cli_option list_options[] = {
  { "uploads", 0, NULL, "Uploads to S3 that nobody finished, and when they were begun." },
  { NULL, 0, NULL, NULL },
};
static const cli_option remove_options[] = {
  { "uploads", 0, NULL, "Below the address give up uploads to S3 that nobody finished." },
  { "older-than", 0, "HOURS", "Only those that were begun so long ago; default 24." },
  { NULL, 0, NULL, NULL },
};
static const cli_option range_options[] = {
  { "offset", 0, "N", "Start at this byte." },
  { "length", 0, "N", "Only so many bytes." },
  { NULL, 0, NULL, NULL },
};
static const cli_option copy_options[] = {
  { "no-clobber", 0, NULL, "Fail where a file of that name is there." },
  { "concurrency", 0, "N", "Files under way at once; default 16." },
  { NULL, 0, NULL, NULL },
};
static const cli_option presign_options[] = {
  { "expires", 0, "SECONDS", "How long the URL holds; default 3600, at most 604800." },
  { "method", 0, "METHOD", "GET (default) or PUT." },
  { NULL, 0, NULL, NULL },
};

/* ---- addresses ---- */

static char *copy_text(const char *text, size_t length)
{
  char *copy = cli_memory(length + 1, 1);

  memcpy(copy, text, length);
  return copy;
}

/* Where the path of an address starts: behind `s3://bucket`, `memory://name`, `file://`. */
static const char *path_of(const char *uri)
{
  const char *rest = strstr(uri, "://");

  if (!rest)
    return uri;
  rest += 3;
  return strncmp(uri, "file:", 5) == 0 ? rest : rest + strcspn(rest, "/");
}

/* Settings are for remote stores: a copy may have one on either side. */
static int open_store(cli_call *cli, const char *uri, osdear_store **out)
{
  osdear_store_options options = OSDEAR_STORE_OPTIONS_INIT;

  if (strncmp(uri, "s3:", 3) == 0 || strncmp(uri, "s3a:", 4) == 0) {
    options.storage = cli->storage;
    options.storage_count = cli->storage_count;
  }
  return osdear_store_open(cli->context, uri, &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

/* The folder as a store, the rest as the path of a file in it. */
static int open_parent(cli_call *cli, const char *uri, osdear_store **out, const char **name)
{
  const char *path = path_of(uri);
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - uri) : 0;
  char *folder;

  *name = slash ? slash + 1 : path;
  if ((*name)[0] == '\0')
    cli_die(EXIT_USAGE, "`%s` is the address of a folder; a file is wanted", uri);
  folder = length > 0 ? copy_text(uri, length) : copy_text(slash ? "/" : ".", 1);
  return open_store(cli, strcmp(folder, "file://") == 0 ? "file:///" : folder, out);
}

/* ---- ls, stat ---- */

static void put_item(const cli_call *cli, const osdear_store_item *item)
{
  time_t seconds = (time_t)(item->modified_ms / 1000);
  bool is_folder = item->path[0] && item->path[strlen(item->path) - 1] == '/';
  char when[40];
  struct tm parts;

  strftime(when, sizeof when, cli_flag(cli, "json") ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &parts));
  if (cli_flag(cli, "json")) {
    printf("{\"path\":");
    cli_put_json_string(stdout, item->path);
    if (is_folder)
      printf("}\n");
    else
      printf(",\"size_bytes\":%lld,\"modified\":\"%s\"}\n", (long long)item->size_bytes, when);
  } else if (is_folder) {
    printf("%19s %14s  %s\n", "", "folder", item->path);
  } else {
    printf("%s %14lld  %s\n", when, (long long)item->size_bytes, item->path);
  }
}

typedef struct shown {
  const cli_call *cli;
  long count;
} shown;

static int32_t show_item(void *argument, const osdear_store_item *item)
{
  shown *self = argument;

  self->count++;
  put_item(self->cli, item);
  return ferror(stdout);
}

static int stat_file(cli_call *cli)
{
  osdear_store *store;
  osdear_store_item item;
  const char *name;
  int code = open_parent(cli, cli->arguments[0], &store, &name);

  if (code)
    return code;
  if (osdear_store_stat(store, name, &item, &cli->error))
    code = cli_fail(cli);
  else
    put_item(cli, &item);
  osdear_store_free(store);
  return code;
}

static int ls(cli_call *cli)
{
  osdear_store_list_options options = OSDEAR_STORE_LIST_OPTIONS_INIT;
  shown seen = { cli, 0 };
  osdear_store *store;
  int code = open_store(cli, cli->arguments[0], &store);

  if (code)
    return code;
  options.recursive = cli_flag(cli, "recursive");
  if (cli_flag(cli, "uploads") ? osdear_store_uploads(store, "", show_item, &seen, &cli->error)
                               : osdear_store_list(store, "", &options, show_item, &seen, &cli->error))
    code = cli_fail(cli);
  osdear_store_free(store);
  if (cli_flag(cli, "uploads"))
    return code;
  /* A folder that holds nothing, a file, or nothing at all: only a file can be told apart. */
  if (!code && !seen.count && path_of(cli->arguments[0])[0] && !strchr("/", cli->arguments[0][strlen(cli->arguments[0]) - 1]))
    return stat_file(cli);
  return code;
}

/* ---- cat, cp ---- */

static int32_t write_out(void *argument, const void *data, size_t size)
{
  (void)argument;
  return fwrite(data, 1, size, stdout) == size ? 0 : 1;
}

static int32_t read_in(void *argument, void *out, size_t room, size_t *got)
{
  (void)argument;
  *got = fread(out, 1, room, stdin);
  return ferror(stdin);
}

static int cat_one(cli_call *cli, const char *uri)
{
  osdear_store_get_options options = OSDEAR_STORE_GET_OPTIONS_INIT;
  osdear_store *store;
  const char *name;
  int code = open_parent(cli, uri, &store, &name);

  if (code)
    return code;
  options.offset = cli_number(cli, "offset", 0);
  options.length_bytes = cli_number(cli, "length", -1);
  /* A reader that has seen enough (`| head`) is no failure. */
  if (osdear_store_get(store, name, &options, write_out, NULL, &cli->error) && !(ferror(stdout) && errno == EPIPE))
    code = cli_fail(cli);
  osdear_store_free(store);
  return code;
}

static int cat(cli_call *cli)
{
  int code = EXIT_OK;

  for (int i = 0; !code && i < cli->argument_count; i++)
    code = cat_one(cli, cli->arguments[i]);
  return code;
}

static osdear_store_put_options put_options(const cli_call *cli)
{
  osdear_store_put_options options = OSDEAR_STORE_PUT_OPTIONS_INIT;

  options.if_absent = cli_flag(cli, "no-clobber");
  options.concurrency = (int32_t)cli_number(cli, "concurrency", 0);
  return options;
}

static int put_stdin(cli_call *cli, const char *uri)
{
  osdear_store_put_options options = put_options(cli);
  osdear_store *store;
  const char *name;
  int code = open_parent(cli, uri, &store, &name);

  if (code)
    return code;
  if (osdear_store_put(store, name, &options, read_in, NULL, &cli->error))
    code = cli_fail(cli);
  osdear_store_free(store);
  return code;
}

static int tell_result(cli_call *cli, const char *verb, const osdear_store_result *result, bool has_bytes)
{
  cli_progress_clear(cli);
  if (cli_flag(cli, "json") && has_bytes)
    printf("{\"files\":%lld,\"bytes\":%lld}\n", (long long)result->files, (long long)result->bytes);
  else if (cli_flag(cli, "json"))
    printf("{\"files\":%lld}\n", (long long)result->files);
  else if (has_bytes)
    printf("%s %lld files (%lld bytes)\n", verb, (long long)result->files, (long long)result->bytes);
  else
    printf("%s %lld files\n", verb, (long long)result->files);
  return EXIT_OK;
}

static int copy_tree(cli_call *cli)
{
  osdear_store_put_options options = put_options(cli);
  osdear_store_result result = OSDEAR_STORE_RESULT_INIT;
  osdear_store *from, *to;
  int code = open_store(cli, cli->arguments[0], &from);

  if (code)
    return code;
  code = open_store(cli, cli->arguments[1], &to);
  if (!code) {
    if (osdear_store_copy_tree(from, "", to, "", &options, &result, &cli->error))
      code = cli_fail(cli);
    else
      code = tell_result(cli, "copied", &result, true);
    osdear_store_free(to);
  }
  osdear_store_free(from);
  return code;
}

/* An address that ends in a slash is a folder: the file keeps its name in it. */
static const char *target_of(const char *uri, const char *name)
{
  size_t length = strlen(uri);
  bool is_folder = length > 0 && (uri[length - 1] == '/' || (strstr(uri, "://") && path_of(uri)[0] == '\0'));
  char *target;

  if (!is_folder)
    return uri;
  target = cli_memory(length + strlen(name) + 2, 1);
  snprintf(target, length + strlen(name) + 2, "%s%s%s", uri, uri[length - 1] == '/' ? "" : "/", name);
  return target;
}

static int copy_file(cli_call *cli)
{
  osdear_store_put_options options = put_options(cli);
  osdear_store *from, *to;
  const char *from_name, *to_name;
  int code = open_parent(cli, cli->arguments[0], &from, &from_name);

  if (code)
    return code;
  code = open_parent(cli, target_of(cli->arguments[1], from_name), &to, &to_name);
  if (!code) {
    if (osdear_store_copy(from, from_name, to, to_name, &options, &cli->error))
      code = cli_fail(cli);
    osdear_store_free(to);
  }
  osdear_store_free(from);
  return code;
}

static int cp(cli_call *cli)
{
  bool is_recursive = cli_flag(cli, "recursive");

  if (strcmp(cli->arguments[0], "-") == 0)
    return put_stdin(cli, cli->arguments[1]);
  if (strcmp(cli->arguments[1], "-") == 0)
    return cat_one(cli, cli->arguments[0]);
  return is_recursive ? copy_tree(cli) : copy_file(cli);
}

/* ---- rm, presign ---- */

static int remove_tree(cli_call *cli, const char *uri)
{
  osdear_store_result result = OSDEAR_STORE_RESULT_INIT;
  osdear_store *store;
  int code = open_store(cli, uri, &store);

  if (code)
    return code;
  code = osdear_store_delete_tree(store, "", &result, &cli->error) ? cli_fail(cli) : tell_result(cli, "deleted", &result, false);
  osdear_store_free(store);
  return code;
}

static int remove_file(cli_call *cli, const char *uri)
{
  osdear_store *store;
  const char *name;
  int code = open_parent(cli, uri, &store, &name);

  if (code)
    return code;
  if (osdear_store_delete(store, name, &cli->error))
    code = cli_fail(cli);
  osdear_store_free(store);
  return code;
}

static int remove_uploads(cli_call *cli, const char *uri)
{
  osdear_store_result result = OSDEAR_STORE_RESULT_INIT;
  osdear_store *store;
  int64_t hours = cli_number(cli, "older-than", 24);
  int code;

  if (hours < 0 || hours > INT32_MAX)
    cli_die(EXIT_USAGE, "--older-than takes hours, 0 or more");
  code = open_store(cli, uri, &store);
  if (code)
    return code;
  if (osdear_store_delete_uploads(store, "", hours * 3600 * 1000, &result.files, &cli->error))
    code = cli_fail(cli);
  else
    code = tell_result(cli, "gave up", &result, false);
  osdear_store_free(store);
  return code;
}

static int rm(cli_call *cli)
{
  int code = EXIT_OK;

  for (int i = 0; !code && i < cli->argument_count; i++)
    code = cli_flag(cli, "uploads")     ? remove_uploads(cli, cli->arguments[i])
           : cli_flag(cli, "recursive") ? remove_tree(cli, cli->arguments[i])
                                        : remove_file(cli, cli->arguments[i]);
  return code;
}

static int presign(cli_call *cli)
{
  const char *method = cli_value(cli, "method"), *name;
  osdear_store *store;
  char *url = NULL;
  int code = open_parent(cli, cli->arguments[0], &store, &name);

  if (code)
    return code;
  if (osdear_store_presign(store, name, method ? method : "GET", cli_number(cli, "expires", 3600), &url, &cli->error)) {
    code = cli_fail(cli);
  } else if (cli_flag(cli, "json")) {
    printf("{\"url\":");
    cli_put_json_string(stdout, url);
    printf("}\n");
  } else {
    printf("%s\n", url);
  }
  osdear_text_free(url);
  osdear_store_free(store);
  return code;
}

/* ---- the verbs ---- */

static const cli_option *const with_list[] = { recursive_options, list_options, NULL };
static const cli_option *const with_remove[] = { recursive_options, remove_options, NULL };
static const cli_option *const with_range[] = { range_options, NULL };
static const cli_option *const with_copy[] = { recursive_options, copy_options, NULL };
static const cli_option *const with_presign[] = { presign_options, NULL };

const cli_command cli_store_ls = {
  .group = "store",
  .verb = "ls",
  .arguments = "URI",
  .summary = "List the files and folders at an address.",
  .examples = "  osdear store ls s3://lake/bronze\n"
              "  osdear store ls -r --json lake/bronze/flights\n"
              "  osdear store ls --uploads s3://lake\n",
  .options = with_list,
  .least = 1,
  .most = 1,
  .run = ls,
};
const cli_command cli_store_cat = {
  .group = "store",
  .verb = "cat",
  .arguments = "URI…",
  .summary = "Write files to standard output.",
  .examples = "  osdear store cat s3://lake/bronze/flights/_delta_log/00000000000000000000.json\n"
              "  osdear store cat --offset 0 --length 4 s3://lake/file.parquet\n",
  .options = with_range,
  .least = 1,
  .most = -1,
  .run = cat,
};
const cli_command cli_store_cp = {
  .group = "store",
  .verb = "cp",
  .arguments = "FROM TO",
  .summary = "Copy a file, or with -r a folder; `-` is standard input or output.",
  .examples = "  osdear store cp flights.csv s3://lake/incoming/\n"
              "  osdear store cp -r s3://lake/bronze backup/bronze\n"
              "  pg_dump lab | osdear store cp - s3://lake/dumps/lab.sql\n",
  .options = with_copy,
  .least = 2,
  .most = 2,
  .run = cp,
};
const cli_command cli_store_rm = {
  .group = "store",
  .verb = "rm",
  .arguments = "URI…",
  .summary = "Delete files, or with -r folders.",
  .examples = "  osdear store rm s3://lake/incoming/flights.csv\n"
              "  osdear store rm -r s3://lake/incoming\n"
              "  osdear store rm --uploads --older-than 48 s3://lake\n",
  .options = with_remove,
  .least = 1,
  .most = -1,
  .run = rm,
};
const cli_command cli_store_stat = {
  .group = "store",
  .verb = "stat",
  .arguments = "URI",
  .summary = "Size and time of a file.",
  .examples = "  osdear store stat s3://lake/incoming/flights.csv\n",
  .least = 1,
  .most = 1,
  .run = stat_file,
};
const cli_command cli_store_presign = {
  .group = "store",
  .verb = "presign",
  .arguments = "URI",
  .summary = "A URL by which anybody may fetch a file of an s3: store, or with --method PUT write it.",
  .examples = "  osdear store presign --expires 600 s3://lake/reports/today.pdf\n",
  .options = with_presign,
  .least = 1,
  .most = 1,
  .run = presign,
};
