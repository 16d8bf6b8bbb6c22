/* osdear container run: a job in a container, its output through, its exit code as ours. */
#include <cli/cli.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a container may exit with as well: these are docker's and timeout(1)'s words for what went wrong here. */
enum { EXIT_NOT_RUN = 125, EXIT_OUT_OF_TIME = 124, EXIT_GIVEN_UP = 130 };

/* ---- from words to a description ---- */

static char *copy_part(const char *text, size_t size)
{
  char *copy = cli_memory(size + 1, 1);

  memcpy(copy, text, size);
  return copy;
}

/* NAME=VALUE, or NAME for the value that it has here. */
static osdear_pair *environment_of(const cli_call *cli, size_t *count)
{
  const char **list = cli_list(cli, "env", false, count);
  osdear_pair *pairs = *count ? cli_memory(*count, sizeof *pairs) : NULL;
  size_t kept = 0;

  for (size_t i = 0; i < *count; i++) {
    const char *equals = strchr(list[i], '='), *value = equals ? equals + 1 : getenv(list[i]);
    if (equals == list[i] || !*list[i])
      cli_die(EXIT_USAGE, "--env wants NAME=VALUE or NAME, not `%s`", list[i]);
    if (value)
      pairs[kept++] = (osdear_pair){ equals ? copy_part(list[i], (size_t)(equals - list[i])) : list[i], value };
  }
  *count = kept;
  return pairs;
}

/* A number of MiB, or one with its unit as docker takes it. */
static int64_t memory_limit_of(const cli_call *cli)
{
  static const char units[] = "bkmg";
  const char *text = cli_value(cli, "memory-limit"), *unit;
  char *end;
  long long value;

  if (!text)
    return 0;
  errno = 0;
  value = strtoll(text, &end, 10);
  unit = *end ? strchr(units, *end | 0x20) : units + 2;
  if (end == text || errno || !unit || (*end && end[1]) || value < 0 || value > INT64_MAX >> (10 * (unit - units)))
    cli_die(EXIT_USAGE, "--memory-limit wants MiB, or a number with b, k, m or g behind it, not `%s`", text);
  return (int64_t)value << (10 * (unit - units));
}

/* SOURCE:TARGET[:ro], a relative source being a folder below this one. */
static osdear_mount *mounts_of(const cli_call *cli, size_t *count)
{
  const char **list = cli_list(cli, "volume", false, count);
  osdear_mount *mounts = *count ? cli_memory(*count, sizeof *mounts) : NULL;

  for (size_t i = 0; i < *count; i++) {
    const char *colon = strchr(list[i], ':'), *end = colon ? strchr(colon + 1, ':') : NULL;
    char *source;

    if (!colon || colon == list[i] || (end && strcmp(end, ":ro") != 0 && strcmp(end, ":rw") != 0))
      cli_die(EXIT_USAGE, "--volume wants SOURCE:TARGET or SOURCE:TARGET:ro, not `%s`", list[i]);
    source = copy_part(list[i], (size_t)(colon - list[i]));
    if (source[0] == '.') {
      char *whole = realpath(source, NULL), *kept;
      if (!whole)
        cli_die(EXIT_USAGE, "--volume: %s: %s", source, strerror(errno));
      kept = copy_part(whole, strlen(whole));
      free(whole);
      source = kept;
    }
    mounts[i] = (osdear_mount){ source, end ? copy_part(colon + 1, (size_t)(end - colon - 1)) : colon + 1,
                                end && end[1] == 'r' && end[2] == 'o' };
  }
  return mounts;
}

static int32_t port_number(const char *text)
{
  char *end;
  long number = strtol(text, &end, 10);

  if (end == text || *end || number < 0 || number > 65535)
    cli_die(EXIT_USAGE, "--publish: `%s` is no port", text);
  return (int32_t)number;
}

/* [IP:]HOST:CONTAINER[/PROTOCOL] */
static osdear_port *ports_of(const cli_call *cli, size_t *count)
{
  const char **list = cli_list(cli, "publish", false, count);
  osdear_port *ports = *count ? cli_memory(*count, sizeof *ports) : NULL;

  for (size_t i = 0; i < *count; i++) {
    const char *slash = strchr(list[i], '/');
    char *text = copy_part(list[i], slash ? (size_t)(slash - list[i]) : strlen(list[i]));
    char *inside = strrchr(text, ':'), *outside = NULL;

    if (inside)
      *inside++ = '\0';
    outside = inside ? strrchr(text, ':') : NULL;
    if (outside)
      *outside++ = '\0';
    ports[i].protocol = slash ? slash + 1 : NULL;
    ports[i].container_port = port_number(inside ? inside : text);
    ports[i].host_port = inside ? port_number(outside ? outside : text) : 0;
    ports[i].host_ip = outside ? text : NULL;
  }
  return ports;
}

static osdear_network *networks_of(const cli_call *cli, size_t *count)
{
  const char **list = cli_list(cli, "network", false, count);
  osdear_network *networks = *count ? cli_memory(*count, sizeof *networks) : NULL;

  for (size_t i = 0; i < *count; i++)
    networks[i] = (osdear_network){ list[i], NULL };
  return networks;
}

static void describe(const cli_call *cli, osdear_container_spec *spec)
{
  const char *entrypoint = cli_value(cli, "entrypoint");

  spec->image = cli->arguments[0];
  spec->command = cli->arguments + 1;
  spec->command_count = (size_t)cli->argument_count - 1;
  spec->name = cli_value(cli, "name");
  spec->environment = environment_of(cli, &spec->environment_count);
  spec->mounts = mounts_of(cli, &spec->mount_count);
  spec->ports = ports_of(cli, &spec->port_count);
  spec->networks = networks_of(cli, &spec->network_count);
  spec->labels = cli_pairs(cli, "label", &spec->label_count);
  spec->user = cli_value(cli, "user");
  spec->folder = cli_value(cli, "workdir");
  spec->memory_bytes = memory_limit_of(cli);
  spec->cpu_milli = cli_number(cli, "cpu-milli", 0);
  spec->gpus = (int32_t)cli_number(cli, "gpus", 0);
  spec->init = cli_flag(cli, "init");
  spec->platform = cli_value(cli, "platform");
  if (entrypoint) {
    const char **word = cli_memory(1, sizeof *word);
    *word = entrypoint;
    spec->entrypoint = word;
    spec->entrypoint_count = 1;
  }
}

static osdear_existing existing_of(const cli_call *cli)
{
  const char *word = cli_value(cli, "existing");

  if (!word || strcmp(word, "replace") == 0)
    return OSDEAR_EXISTING_REPLACE;
  if (strcmp(word, "take-up") == 0)
    return OSDEAR_EXISTING_TAKE_UP;
  if (strcmp(word, "fail") != 0)
    cli_die(EXIT_USAGE, "--existing wants replace, take-up or fail, not `%s`", word);
  return OSDEAR_EXISTING_FAIL;
}

static void set_pull(const cli_call *cli, osdear_run_options *options)
{
  static osdear_pull_options always = OSDEAR_PULL_OPTIONS_INIT;
  const char *word = cli_value(cli, "pull");

  if (word && strcmp(word, "always") == 0)
    options->pull = &always;
  else if (word && strcmp(word, "never") == 0)
    options->never_pull = 1;
  else if (word && strcmp(word, "missing") != 0)
    cli_die(EXIT_USAGE, "--pull wants always, missing or never, not `%s`", word);
}

/* ---- when this process is killed: a second one, which does nothing but wait for that ---- */

static void make_run_id(char out[33])
{
  unsigned char bytes[16];
  FILE *random = fopen("/dev/urandom", "rb");

  if (!random || fread(bytes, 1, sizeof bytes, random) != sizeof bytes)
    cli_die(EXIT_NOT_RUN, "cannot read /dev/urandom");
  fclose(random);
  for (size_t i = 0; i < sizeof bytes; i++)
    snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Removes what the run left. The engine may be away just now, too: a few tries over a minute. */
static _Noreturn void remove_after_death(cli_call *cli, const char *run_id)
{
  for (int attempt = 0; attempt < 30; attempt++) {
    osdear_engine_options options = OSDEAR_ENGINE_OPTIONS_INIT;
    osdear_context *context = NULL;
    osdear_engine *engine = NULL;
    int32_t removed = 0;

    options.settings = cli->storage;
    options.setting_count = cli->storage_count;
    if (!osdear_context_new(NULL, &context, NULL) &&
        !osdear_engine_open(context, cli_value(cli, "engine"), &options, &engine, NULL) &&
        !osdear_container_sweep(engine, run_id, &removed, NULL) && removed > 0)
      _exit(EXIT_OK);
    osdear_engine_unref(engine);
    osdear_context_unref(context);
    /* Nothing there: the request to make it may still be on its way. */
    sleep(attempt < 3 ? 1 : 3);
  }
  _exit(EXIT_FAILED);
}

/* Returns the descriptor to write one byte to when the run is over; -1 when there is no guard. */
static int post_guard(cli_call *cli, const char *run_id)
{
  int ends[2];
  pid_t child;
  char byte;
  ssize_t got;

  if (pipe2(ends, O_CLOEXEC) != 0)
    return -1;
  fflush(NULL);
  child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return -1;
  }
  if (child > 0) {
    close(ends[0]);
    return ends[1];
  }
  /* Out of the terminal's reach, and without the output that a pipe may be waiting on. */
  setsid();
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  close(ends[1]);
  for (int fd = 0; fd < 3; fd++)
    close(fd);
  do
    got = read(ends[0], &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got == 1)
    _exit(EXIT_OK);
  remove_after_death(cli, run_id);
}

static void dismiss_guard(int fd)
{
  if (fd < 0)
    return;
  while (write(fd, ".", 1) < 0 && errno == EINTR)
    continue;
  close(fd);
}

/* ---- the verb ---- */

static int code_of_failure(const cli_call *cli)
{
  switch (osdear_error_status(cli->error)) {
  case OSDEAR_ERR_CANCELLED: return EXIT_GIVEN_UP;
  case OSDEAR_ERR_TIMEOUT: return EXIT_OUT_OF_TIME;
  default: return EXIT_NOT_RUN;
  }
}

static int run_job(cli_call *cli, osdear_container_spec *spec, osdear_run_options *options)
{
  osdear_run_result result = OSDEAR_RUN_RESULT_INIT;
  osdear_engine *engine;
  int code = cli_open_engine(cli, &engine);

  if (code)
    return EXIT_NOT_RUN;
  if (osdear_container_run(engine, spec, options, &result, &cli->error)) {
    code = code_of_failure(cli);
    cli_fail(cli);
  } else {
    code = result.exit_code;
    if (result.was_out_of_memory)
      fprintf(stderr, "osdear: the container was killed for want of memory\n");
  }
  osdear_run_result_clear(&result);
  osdear_engine_unref(engine);
  return code;
}

static int run_container(cli_call *cli)
{
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;
  osdear_run_options options = OSDEAR_RUN_OPTIONS_INIT;
  static char run_id[33], name[48];
  int guard = -1, code;

  describe(cli, &spec);
  options.results = cli_pairs(cli, "result", &options.result_count);
  options.existing = existing_of(cli);
  options.grace_s = (int32_t)cli_number(cli, "grace", 0);
  options.keep = cli_flag(cli, "keep");
  options.stdout_fd = STDOUT_FILENO;
  options.stderr_fd = STDERR_FILENO;
  set_pull(cli, &options);
  make_run_id(run_id);
  options.run_id = run_id;
  /* Two people who run the same command do not mean the same container, unless they say so. */
  snprintf(name, sizeof name, "osdear-%.16s", run_id);
  if (!spec.name && !cli_value(cli, "existing"))
    spec.name = name;
  if (options.existing != OSDEAR_EXISTING_TAKE_UP)
    guard = post_guard(cli, run_id);
  code = run_job(cli, &spec, &options);
  dismiss_guard(guard);
  return code;
}

static const cli_option run_options[] = {
  { "env", 'e', "NAME=VALUE", "A variable of its environment; NAME alone for the value it has here; repeatable." },
  { "volume", 'v', "SOURCE:TARGET[:ro]", "A folder of the engine's machine, or a volume, seen inside; repeatable." },
  { "publish", 'p', "[[IP:]HOST:]PORT", "A port inside, reachable from outside; repeatable." },
  { "name", 0, "NAME", "Its name; default one of its own." },
  { "network", 0, "NAME", "A network to be in; repeatable." },
  { "label", 'l', "NAME=VALUE", "A label; repeatable." },
  { "user", 'u', "USER", "Run as this user." },
  { "workdir", 'w', "PATH", "Start in this folder." },
  { "entrypoint", 0, "PROGRAM", "Over the image's." },
  { "memory-limit", 'm', "SIZE", "The most memory that it may use: MiB, or as docker takes it: 512m, 2g." },
  { "cpu-milli", 0, "N", "Thousandths of a processor that it may use." },
  { "gpus", 0, "N", "GPUs; -1 for all." },
  { "init", 0, NULL, "A small init as process 1." },
  { "platform", 0, "OS/ARCH", "For another machine than the engine's." },
  { "pull", 0, "WHEN", "always, missing (the default) or never." },
  { "result", 0, "INSIDE=HERE", "A file or folder to copy out when it has ended; repeatable." },
  { "existing", 0, "WHAT", "replace (the default), take-up or fail, if one of its name is there." },
  { "grace", 0, "SECONDS", "From TERM to KILL when it is given up; default 0." },
  { "keep", 0, NULL, "Do not remove it when it has ended." },
  { "rm", 0, NULL, "As docker's: what happens without it, too." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const run_tables[] = { run_options, cli_engine_options, NULL };
const cli_command cli_container_run = {
  .group = "container",
  .verb = "run",
  .arguments = "IMAGE [ARGUMENT…]",
  .summary = "Run a job in a container: its output through, its exit code as ours, nothing left behind.",
  .examples = "  osdear container run --engine podman -e DAY=2024-01-31 -v ./data:/data:ro registry.example/etl:3 load /data\n"
              "  osdear container run --timeout 3600 --result /out=./out registry.example/report:1\n",
  .options = run_tables,
  .least = 1,
  .most = -2,
  .run = run_container,
};
