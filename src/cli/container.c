/* osdear container ps, logs, exec, stop, rm, wait, pull, stats, events, sweep. */
#include <cli/cli.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const cli_option cli_engine_options[] = {
  { "engine", 0, "ADDRESS",
    "unix:///path, tcp://host:port, ssh://user@host, podman, portainer+https://host/environment; default docker's." },
  { NULL, 0, NULL, NULL },
};
static const cli_option filter_options[] = {
  { "filter", 0, "NAME=VALUE", "Only what the engine's filter lets through, such as label=app=etl; repeatable." },
  { NULL, 0, NULL, NULL },
};

int cli_open_engine(cli_call *cli, osdear_engine **out)
{
  osdear_engine_options options = OSDEAR_ENGINE_OPTIONS_INIT;

  options.settings = cli->storage;
  options.setting_count = cli->storage_count;
  return osdear_engine_open(cli->context, cli_value(cli, "engine"), &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static bool put(FILE *to, const char *data, size_t size, bool is_text)
{
  return fwrite(data, 1, size, to) == size && (!is_text || fputc('\n', to) != EOF) && fflush(to) == 0;
}

int cli_copy_stream(cli_call *cli, osdear_engine_stream *stream)
{
  for (;;) {
    osdear_chunk chunk = OSDEAR_CHUNK_INIT;

    if (osdear_engine_stream_next(stream, &chunk, &cli->error))
      return cli_fail(cli);
    if (!chunk.data)
      return EXIT_OK;
    while (chunk.channel == OSDEAR_CHANNEL_MESSAGE && chunk.data_size && chunk.data[chunk.data_size - 1] == '\n')
      chunk.data_size--;
    if (!put(chunk.channel == OSDEAR_CHANNEL_STDERR ? stderr : stdout, chunk.data, chunk.data_size,
             chunk.channel == OSDEAR_CHANNEL_MESSAGE))
      return EXIT_FAILED;
  }
}

static int copy_and_free(cli_call *cli, osdear_engine_stream *stream)
{
  int code = cli_copy_stream(cli, stream);

  osdear_engine_stream_free(stream);
  return code;
}

/* The work of a verb on one container. */
typedef int (*on_container)(cli_call *cli, osdear_container *container);

static int with_container(cli_call *cli, osdear_engine *engine, const char *name, on_container work)
{
  osdear_container *container;
  int code;

  if (osdear_container_get(engine, name, &container, &cli->error))
    return cli_fail(cli);
  code = work(cli, container);
  osdear_container_free(container);
  return code;
}

static int with_first(cli_call *cli, on_container work)
{
  osdear_engine *engine;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  code = with_container(cli, engine, cli->arguments[0], work);
  osdear_engine_unref(engine);
  return code;
}

/* All of them are tried; the first failure is the exit code. */
static int with_each(cli_call *cli, on_container work)
{
  osdear_engine *engine;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  for (int i = 0; i < cli->argument_count; i++) {
    int failed = with_container(cli, engine, cli->arguments[i], work);
    code = code ? code : failed;
    osdear_error_free(cli->error);
    cli->error = NULL;
  }
  osdear_engine_unref(engine);
  return code;
}

/* ---- ps ---- */

static int put_entries(cli_call *cli, osdear_engine *engine, const osdear_pair *filters, size_t filter_count)
{
  osdear_container_entry *entries;
  size_t count;

  if (osdear_container_list(engine, filters, filter_count, &entries, &count, &cli->error))
    return cli_fail(cli);
  printf("%-12s  %-28s  %-32s  %s\n", "ID", "NAME", "IMAGE", "STATUS");
  for (size_t i = 0; i < count; i++)
    printf("%-12.12s  %-28s  %-32s  %s\n", entries[i].id, entries[i].name, entries[i].image, entries[i].status);
  osdear_container_entries_free(entries);
  return EXIT_OK;
}

static int ps(cli_call *cli)
{
  osdear_pair running[2] = { { "status", "running" }, { "status", "paused" } };
  size_t filter_count;
  osdear_pair *filters = cli_pairs(cli, "filter", &filter_count);
  osdear_engine *engine;
  char *json;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  if (!filters && !cli_flag(cli, "all")) {
    filters = running;
    filter_count = 2;
  }
  if (!cli_flag(cli, "json")) {
    code = put_entries(cli, engine, filters, filter_count);
  } else if (osdear_engine_list(engine, OSDEAR_CONTAINERS, filters, filter_count, &json, &cli->error)) {
    code = cli_fail(cli);
  } else {
    printf("%s\n", json);
    osdear_text_free(json);
  }
  osdear_engine_unref(engine);
  return code;
}

static const cli_option ps_options[] = {
  { "all", 'a', NULL, "Also those that do not run." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const ps_tables[] = { ps_options, filter_options, cli_engine_options, NULL };
const cli_command cli_container_ps = {
  .group = "container",
  .verb = "ps",
  .arguments = "",
  .summary = "The containers of an engine.",
  .examples = "  osdear container ps --engine podman\n  osdear container ps -a --filter label=app=etl --json\n",
  .options = ps_tables,
  .least = 0,
  .most = 0,
  .run = ps,
};

/* ---- logs ---- */

static int logs_of(cli_call *cli, osdear_container *container)
{
  osdear_logs_options options = OSDEAR_LOGS_OPTIONS_INIT;
  const char *since = cli_value(cli, "since");
  osdear_engine_stream *stream;

  options.follow = cli_flag(cli, "follow");
  options.tail = cli_number(cli, "tail", -1);
  if (since && osdear_timestamp_parse(since, &options.since_us, &cli->error))
    return cli_fail(cli);
  return osdear_container_logs(container, &options, &stream, &cli->error) ? cli_fail(cli) : copy_and_free(cli, stream);
}

static int logs(cli_call *cli)
{
  return with_first(cli, logs_of);
}

static const cli_option logs_options[] = {
  { "follow", 'f', NULL, "Until the container ends, across restarts of the engine." },
  { "tail", 'n', "N", "The last so many lines." },
  { "since", 0, "TIME", "From this time on, such as 2024-01-31T12:00:00Z." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const logs_tables[] = { logs_options, cli_engine_options, NULL };
const cli_command cli_container_logs = {
  .group = "container",
  .verb = "logs",
  .arguments = "NAME",
  .summary = "What a container wrote: its standard output and error to ours.",
  .examples = "  osdear container logs --follow etl\n  osdear container logs --tail 20 etl 2> errors.txt\n",
  .options = logs_tables,
  .least = 1,
  .most = 1,
  .run = logs,
};

/* ---- exec ---- */

static void *feed_input(void *argument)
{
  osdear_engine_stream *stream = argument;
  char piece[16384];
  ssize_t got;

  do {
    got = read(STDIN_FILENO, piece, sizeof piece);
    if (got > 0 && osdear_engine_stream_write(stream, piece, (size_t)got, NULL))
      return NULL;
  } while (got > 0 || (got < 0 && errno == EINTR));
  osdear_engine_stream_close_input(stream, NULL);
  return NULL;
}

static int exec_in(cli_call *cli, osdear_container *container)
{
  osdear_exec_options options = OSDEAR_EXEC_OPTIONS_INIT;
  static osdear_engine_stream *stream; /* may outlive this call, see below */
  pthread_t feeder;
  int32_t exit_code;
  int code;

  options.environment = cli_pairs(cli, "env", &options.environment_count);
  options.user = cli_value(cli, "user");
  options.folder = cli_value(cli, "workdir");
  options.open_stdin = cli_flag(cli, "interactive");
  if (osdear_container_exec(container, cli->arguments + 1, (size_t)cli->argument_count - 1, &options, &stream, &cli->error))
    return cli_fail(cli);
  /* It may wait for a terminal when the command has ended: the process's end ends it, and the stream is kept for it. */
  if (options.open_stdin && pthread_create(&feeder, NULL, feed_input, stream) == 0)
    pthread_detach(feeder);
  code = cli_copy_stream(cli, stream);
  if (!code)
    code = osdear_engine_stream_exit_code(stream, &exit_code, &cli->error) ? cli_fail(cli) : exit_code;
  if (!options.open_stdin)
    osdear_engine_stream_free(stream);
  return code;
}

static int exec_command(cli_call *cli)
{
  return with_first(cli, exec_in);
}

static const cli_option exec_options[] = {
  { "env", 'e', "NAME=VALUE", "A variable of the command's environment; repeatable." },
  { "user", 'u', "USER", "Run as this user." },
  { "workdir", 'w', "PATH", "Start in this folder." },
  { "interactive", 'i', NULL, "Our standard input is the command's." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const exec_tables[] = { exec_options, cli_engine_options, NULL };
const cli_command cli_container_exec = {
  .group = "container",
  .verb = "exec",
  .arguments = "NAME COMMAND [ARGUMENT…]",
  .summary = "Run a command in a container; its exit code is ours.",
  .examples = "  osdear container exec etl ls -l /data\n  osdear container exec -i db psql < schema.sql\n",
  .options = exec_tables,
  .least = 2,
  .most = -2,
  .run = exec_command,
};

/* ---- stop, rm, wait ---- */

static int stop_one(cli_call *cli, osdear_container *container)
{
  return osdear_container_stop(container, (int32_t)cli_number(cli, "grace", -1), &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static int stop(cli_call *cli)
{
  return with_each(cli, stop_one);
}

static const cli_option stop_options[] = {
  { "grace", 't', "SECONDS", "How long it may take to end before it is killed; default its own, else 10." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const stop_tables[] = { stop_options, cli_engine_options, NULL };
const cli_command cli_container_stop = {
  .group = "container",
  .verb = "stop",
  .arguments = "NAME…",
  .summary = "Ask containers to end; kill those that do not.",
  .examples = "  osdear container stop etl\n  osdear container stop --grace 60 db cache\n",
  .options = stop_tables,
  .least = 1,
  .most = -1,
  .run = stop,
};

static int remove_one(cli_call *cli, osdear_container *container)
{
  osdear_remove_options options = OSDEAR_REMOVE_OPTIONS_INIT;

  options.force = cli_flag(cli, "force");
  options.volumes = cli_flag(cli, "volumes");
  options.missing = options.force;
  return osdear_container_remove(container, &options, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

static int rm(cli_call *cli)
{
  return with_each(cli, remove_one);
}

static const cli_option rm_options[] = {
  { "force", 'f', NULL, "Kill those that run." },
  { "volumes", 'v', NULL, "Their anonymous volumes, too." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const rm_tables[] = { rm_options, cli_engine_options, NULL };
const cli_command cli_container_rm = {
  .group = "container",
  .verb = "rm",
  .arguments = "NAME…",
  .summary = "Remove containers.",
  .examples = "  osdear container rm etl\n  osdear container rm --force --volumes db\n",
  .options = rm_tables,
  .least = 1,
  .most = -1,
  .run = rm,
};

static int wait_one(cli_call *cli, osdear_container *container)
{
  int32_t exit_code;

  if (cli_flag(cli, "healthy"))
    return osdear_container_wait_healthy(container, -1, &cli->error) ? cli_fail(cli) : EXIT_OK;
  if (osdear_container_wait(container, -1, &exit_code, &cli->error))
    return cli_fail(cli);
  printf("%d\n", exit_code);
  return EXIT_OK;
}

static int wait_for(cli_call *cli)
{
  return with_each(cli, wait_one);
}

static const cli_option wait_options[] = {
  { "healthy", 0, NULL, "Until the health check says that it is well, instead of until it ends." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const wait_tables[] = { wait_options, cli_engine_options, NULL };
const cli_command cli_container_wait = {
  .group = "container",
  .verb = "wait",
  .arguments = "NAME…",
  .summary = "Wait until containers have ended, and print their exit codes.",
  .examples = "  osdear container wait etl\n  osdear container wait --healthy --timeout 60 db\n",
  .options = wait_tables,
  .least = 1,
  .most = -1,
  .run = wait_for,
};

/* ---- pull, stats, events, sweep ---- */

static int pull(cli_call *cli)
{
  osdear_pull_options options = OSDEAR_PULL_OPTIONS_INIT;
  osdear_engine *engine;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  options.platform = cli_value(cli, "platform");
  options.only_if_missing = cli_flag(cli, "if-missing");
  for (int i = 0; !code && i < cli->argument_count; i++)
    code = osdear_image_pull(engine, cli->arguments[i], &options, &cli->error) ? cli_fail(cli) : EXIT_OK;
  osdear_engine_unref(engine);
  return code;
}

static const cli_option pull_options[] = {
  { "platform", 0, "OS/ARCH", "For another machine than the engine's." },
  { "if-missing", 0, NULL, "Only if the engine does not have it." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const pull_tables[] = { pull_options, cli_engine_options, NULL };
const cli_command cli_container_pull = {
  .group = "container",
  .verb = "pull",
  .arguments = "IMAGE…",
  .summary = "Fetch images from their registries, with the credentials that docker login left.",
  .examples = "  osdear container pull registry.example/etl:3\n",
  .options = pull_tables,
  .least = 1,
  .most = -1,
  .run = pull,
};

static int stats_of(cli_call *cli, osdear_container *container)
{
  osdear_engine_stream *stream;

  return osdear_container_stats(container, cli_flag(cli, "once"), &stream, &cli->error) ? cli_fail(cli)
                                                                                        : copy_and_free(cli, stream);
}

static int stats(cli_call *cli)
{
  return with_first(cli, stats_of);
}

static const cli_option stats_options[] = {
  { "once", 0, NULL, "One line, then end." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const stats_tables[] = { stats_options, cli_engine_options, NULL };
const cli_command cli_container_stats = {
  .group = "container",
  .verb = "stats",
  .arguments = "NAME",
  .summary = "What a container uses: a line of JSON each second.",
  .examples = "  osdear container stats --once etl | jq .memory_stats.usage\n",
  .options = stats_tables,
  .least = 1,
  .most = 1,
  .run = stats,
};

static int events(cli_call *cli)
{
  osdear_events_options options = OSDEAR_EVENTS_OPTIONS_INIT;
  const char *since = cli_value(cli, "since"), *until = cli_value(cli, "until");
  osdear_engine_stream *stream;
  osdear_engine *engine;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  options.filters = cli_pairs(cli, "filter", &options.filter_count);
  if ((since && osdear_timestamp_parse(since, &options.since_us, &cli->error)) ||
      (until && osdear_timestamp_parse(until, &options.until_us, &cli->error)) ||
      osdear_engine_events(engine, &options, &stream, &cli->error))
    code = cli_fail(cli);
  else
    code = copy_and_free(cli, stream);
  osdear_engine_unref(engine);
  return code;
}

static const cli_option events_options[] = {
  { "since", 0, "TIME", "From this time on, such as 2024-01-31T12:00:00Z." },
  { "until", 0, "TIME", "Up to this time, instead of following." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const events_tables[] = { events_options, filter_options, cli_engine_options, NULL };
const cli_command cli_container_events = {
  .group = "container",
  .verb = "events",
  .arguments = "",
  .summary = "What happens in an engine: a line of JSON for each event.",
  .examples = "  osdear container events --filter event=die --filter label=app=etl\n",
  .options = events_tables,
  .least = 0,
  .most = 0,
  .run = events,
};

static int sweep(cli_call *cli)
{
  osdear_engine *engine;
  int32_t removed;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return code;
  if (osdear_container_sweep(engine, cli_value(cli, "run"), &removed, &cli->error))
    code = cli_fail(cli);
  else
    printf("%d\n", removed);
  osdear_engine_unref(engine);
  return code;
}

static const cli_option sweep_options[] = {
  { "run", 0, "ID", "Only what this run left, whether its process lives or not." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const sweep_tables[] = { sweep_options, cli_engine_options, NULL };
const cli_command cli_container_sweep = {
  .group = "container",
  .verb = "sweep",
  .arguments = "",
  .summary = "Remove the containers of runs whose process has died, and print how many.",
  .examples = "  osdear container sweep --engine podman\n",
  .options = sweep_tables,
  .least = 0,
  .most = 0,
  .run = sweep,
};
