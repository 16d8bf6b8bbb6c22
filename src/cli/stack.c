/* osdear stack ls, up, start, stop, down. */
#include <cli/cli.h>

#include <stdlib.h>
#include <string.h>

enum { MOST_FILE = 4 << 20 };

/* The work of a verb on one stack. */
typedef int (*on_stack)(cli_call *cli, osdear_stack *stack);

static int with_stack(cli_call *cli, on_stack work)
{
  osdear_engine *engine;
  osdear_stack *stack;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  if (osdear_stack_get(engine, cli->arguments[0], &stack, &cli->error)) {
    code = cli_fail(cli);
  } else {
    code = work(cli, stack);
    osdear_stack_free(stack);
  }
  osdear_engine_unref(engine);
  return code;
}

/* ---- ls ---- */

static void put_json(const osdear_stack_entry *entries, size_t count)
{
  printf("[");
  for (size_t i = 0; i < count; i++) {
    printf("%s{\"name\":", i ? "," : "");
    cli_put_json_string(stdout, entries[i].name);
    printf(",\"id\":%lld,\"is_wanted_up\":%s,\"containers\":%d,\"running\":%d}", (long long)entries[i].id,
           entries[i].is_wanted_up ? "true" : "false", entries[i].containers, entries[i].running);
  }
  printf("]\n");
}

static void put_lines(const osdear_stack_entry *entries, size_t count)
{
  printf("%-28s  %-6s  %-9s  %s\n", "NAME", "WANTED", "RUNNING", "PORTAINER");
  for (size_t i = 0; i < count; i++) {
    char running[32];

    snprintf(running, sizeof running, "%d of %d", entries[i].running, entries[i].containers);
    printf("%-28s  %-6s  %-9s  ", entries[i].name, entries[i].is_wanted_up ? "up" : "down", running);
    if (entries[i].id)
      printf("%lld\n", (long long)entries[i].id);
    else
      printf("-\n");
  }
}

static int ls(cli_call *cli)
{
  osdear_stack_entry *entries;
  osdear_engine *engine;
  size_t count;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  if (osdear_stack_list(engine, &entries, &count, &cli->error)) {
    code = cli_fail(cli);
  } else {
    (cli_flag(cli, "json") ? put_json : put_lines)(entries, count);
    osdear_stack_entries_free(entries);
  }
  osdear_engine_unref(engine);
  return code;
}

static const cli_option *const ls_tables[] = { cli_engine_options, NULL };
const cli_command cli_stack_ls = {
  .group = "stack",
  .verb = "ls",
  .arguments = "",
  .summary = "The stacks of an engine: what Portainer wants of them, and what runs.",
  .examples = "  osdear stack ls --engine portainer+https://nas:9443/local\n  osdear stack ls --engine podman --json\n",
  .options = ls_tables,
  .least = 0,
  .most = 0,
  .run = ls,
};

/* ---- up ---- */

static char *read_file(const char *path)
{
  FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
  char *text = cli_memory(1, MOST_FILE + 1);
  size_t size;

  if (!file)
    cli_die(EXIT_NOT_FOUND, "%s cannot be opened", path);
  size = fread(text, 1, MOST_FILE, file);
  if (ferror(file) || size == MOST_FILE)
    cli_die(EXIT_USAGE, "%s cannot be read, or is longer than %d bytes", path, MOST_FILE - 1);
  text[size] = '\0';
  if (file != stdin)
    fclose(file);
  return text;
}

static osdear_stack_pull pull_of(const cli_call *cli)
{
  const char *word = cli_value(cli, "pull");

  if (word && strcmp(word, "always") == 0)
    return OSDEAR_STACK_PULL_ALWAYS;
  if (word && strcmp(word, "missing") != 0)
    cli_die(EXIT_USAGE, "--pull wants always or missing, not `%s`", word);
  return OSDEAR_STACK_PULL_MISSING;
}

/* Made if it is not there, else brought up to date. */
static osdear_status bring_up(cli_call *cli, osdear_engine *engine, const char *file, const osdear_stack_options *options)
{
  osdear_stack *stack;
  osdear_status status = osdear_stack_get(engine, cli->arguments[0], &stack, &cli->error);

  if (status == OSDEAR_ERR_NOT_FOUND) {
    osdear_error_free(cli->error);
    cli->error = NULL;
    status = osdear_stack_create(engine, cli->arguments[0], file, options, &stack, &cli->error);
  } else if (!status) {
    status = osdear_stack_update(stack, file, options, &cli->error);
    if (status)
      osdear_stack_free(stack);
  }
  if (!status)
    osdear_stack_free(stack);
  return status;
}

static int up(cli_call *cli)
{
  osdear_stack_options options = OSDEAR_STACK_OPTIONS_INIT;
  osdear_engine *engine;
  char *file;
  int code;

  options.pull = pull_of(cli);
  options.keep_dropped = cli_flag(cli, "keep-dropped");
  options.environment = cli_pairs(cli, "env", &options.environment_count);
  file = read_file(cli->arguments[1]);
  code = cli_open_engine(cli, &engine);
  if (code)
    return code;
  code = bring_up(cli, engine, file, &options) ? cli_fail(cli) : EXIT_OK;
  osdear_engine_unref(engine);
  return code;
}

static const cli_option up_options[] = {
  { "env", 'e', "NAME=VALUE", "A value for a variable of the file; others stay as they were; repeatable." },
  { "pull", 0, "WHEN", "always, or missing (the default)." },
  { "keep-dropped", 0, NULL, "Services that the file has no more go on." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const up_tables[] = { up_options, cli_engine_options, NULL };
const cli_command cli_stack_up = {
  .group = "stack",
  .verb = "up",
  .arguments = "NAME FILE",
  .summary = "Have Portainer make or update a stack from a Compose file, and wait until its containers are up.",
  .examples = "  osdear stack up --engine portainer+https://nas:9443/local lake compose.yaml\n"
              "  osdear stack up -e TAG=3 --pull always lake compose.yaml\n",
  .options = up_tables,
  .least = 2,
  .most = 2,
  .run = up,
};

/* ---- start, stop, down ---- */

static int start_one(cli_call *cli, osdear_stack *stack)
{
  return osdear_stack_start(stack, 0, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static int start(cli_call *cli)
{
  return with_stack(cli, start_one);
}

static const cli_option *const plain_tables[] = { cli_engine_options, NULL };
const cli_command cli_stack_start = {
  .group = "stack",
  .verb = "start",
  .arguments = "NAME",
  .summary = "Start a stack, and wait until its containers are up.",
  .examples = "  osdear stack start lake\n",
  .options = plain_tables,
  .least = 1,
  .most = 1,
  .run = start,
};

static int stop_one(cli_call *cli, osdear_stack *stack)
{
  return osdear_stack_stop(stack, 0, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static int stop(cli_call *cli)
{
  return with_stack(cli, stop_one);
}

const cli_command cli_stack_stop = {
  .group = "stack",
  .verb = "stop",
  .arguments = "NAME",
  .summary = "Stop a stack, and wait until none of its containers runs.",
  .examples = "  osdear stack stop lake\n",
  .options = plain_tables,
  .least = 1,
  .most = 1,
  .run = stop,
};

static int remove_one(cli_call *cli, osdear_stack *stack)
{
  return osdear_stack_remove(stack, cli_flag(cli, "volumes"), &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static int down(cli_call *cli)
{
  return with_stack(cli, remove_one);
}

static const cli_option down_options[] = {
  { "volumes", 'v', NULL, "Its volumes, too." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const down_tables[] = { down_options, cli_engine_options, NULL };
const cli_command cli_stack_down = {
  .group = "stack",
  .verb = "down",
  .arguments = "NAME",
  .summary = "Remove a stack: its containers and networks.",
  .examples = "  osdear stack down lake\n  osdear stack down --volumes lake\n",
  .options = down_tables,
  .least = 1,
  .most = 1,
  .run = down,
};
