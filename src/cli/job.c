/* osdear job submit, status, wait, logs, cancel, ls: work on services, in the same words for each of them. */
#include <cli/cli.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const cli_option runner_options[] = {
  { "runner", 'r', "URL", "The service: process:, container+docker, spark+http://host:6066, …" },
  { "state-folder", 0, "PATH", "Where submissions are noted down; default $OSDEAR_STATE or ~/.local/state/osdear." },
  { NULL, 0, NULL, NULL },
};

static int open_runner(cli_call *cli, osdear_runner **out)
{
  osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
  const char *address = cli_value(cli, "runner");

  if (!address)
    cli_die(EXIT_USAGE, "--runner wants the address of a service, such as process:");
  options.settings = cli->storage;
  options.setting_count = cli->storage_count;
  options.state_folder = cli_value(cli, "state-folder");
  return osdear_runner_open(cli->context, address, &options, out, &cli->error) ? cli_fail(cli) : EXIT_OK;
}

/* What a verb does with the service that --runner names. */
static int with_runner(cli_call *cli, int (*use)(cli_call *cli, osdear_runner *runner))
{
  osdear_runner *runner;
  int code = open_runner(cli, &runner);

  if (code)
    return code;
  code = use(cli, runner);
  osdear_runner_free(runner);
  return code;
}

/* The same with the job that the first argument names. */
static int with_job(cli_call *cli, int (*use)(cli_call *cli, osdear_job *job))
{
  osdear_runner *runner;
  osdear_job *job = NULL;
  int code = open_runner(cli, &runner);

  if (code)
    return code;
  code = osdear_runner_attach(runner, cli->arguments[0], &job, &cli->error) ? cli_fail(cli) : use(cli, job);
  osdear_job_free(job);
  osdear_runner_free(runner);
  return code;
}

static int64_t timeout_ms(const cli_call *cli)
{
  int64_t timeout_s = cli_number(cli, "timeout", -1);

  return timeout_s < 0 || timeout_s > INT64_MAX / 1000 ? -1 : timeout_s * 1000;
}

static int show_job(cli_call *cli, osdear_job *job)
{
  const char *message = osdear_job_message(job);
  char *text = NULL;

  if (!cli_flag(cli, "json")) {
    printf("%s %s%s%s%s%s\n", osdear_job_id(job), osdear_job_state_name(osdear_job_state_get(job)),
           osdear_job_native_state(job)[0] ? " " : "", osdear_job_native_state(job), message ? ": " : "", message ? message : "");
    return EXIT_OK;
  }
  if (osdear_job_result(job, &text, &cli->error))
    return cli_fail(cli);
  printf("%s\n", text);
  osdear_text_free(text);
  return EXIT_OK;
}

/* ---- submit ---- */

enum { MOST_SPEC_BYTES = 1 << 20 };

static const char *read_spec(const char *path)
{
  FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
  char *text = cli_memory(MOST_SPEC_BYTES + 1, 1);
  size_t size;

  if (!file)
    cli_die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED, "cannot open %s: %s", path, strerror(errno));
  size = fread(text, 1, MOST_SPEC_BYTES + 1, file);
  if (ferror(file))
    cli_die(EXIT_FAILED, "cannot read %s: %s", path, strerror(errno));
  if (size > MOST_SPEC_BYTES)
    cli_die(EXIT_BAD_DATA, "%s is longer than any spec", path);
  if (memchr(text, '\0', size))
    cli_die(EXIT_BAD_DATA, "%s is no JSON", path);
  if (file != stdin)
    fclose(file);
  return text;
}

static int submit_to(cli_call *cli, osdear_runner *runner)
{
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear_job *job = NULL;

  options.key = cli_value(cli, "key");
  if (osdear_runner_submit(runner, read_spec(cli->arguments[0]), &options, &job, &cli->error))
    return cli_fail(cli);
  if (cli_flag(cli, "json")) {
    printf("{\"id\":");
    cli_put_json_string(stdout, osdear_job_id(job));
    printf(",\"was_found\":%s}\n", osdear_job_was_found(job) ? "true" : "false");
  } else {
    printf("%s\n", osdear_job_id(job));
  }
  osdear_job_free(job);
  return EXIT_OK;
}

static int submit(cli_call *cli)
{
  return with_runner(cli, submit_to);
}

static const cli_option submit_options[] = {
  { "key", 'k', "TEXT", "Submit only once under this key: a repetition prints the id of the first job." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const submit_tables[] = { runner_options, submit_options, NULL };
const cli_command cli_job_submit = {
  .group = "job",
  .verb = "submit",
  .arguments = "SPEC.json",
  .summary = "Start what a spec describes, and print the job's id; `-` reads the spec from standard input.",
  .examples = "  echo '{\"command\":[\"sh\",\"-c\",\"date; sleep 1\"]}' | osdear job submit --runner process: -\n"
              "  osdear job submit --runner spark+http://pi:6066 --key silver-2024-05-01 silver.json\n",
  .options = submit_tables,
  .least = 1,
  .most = 1,
  .run = submit,
};

/* ---- status ---- */

static int ask(cli_call *cli, osdear_job *job)
{
  return osdear_job_poll(job, &cli->error) ? cli_fail(cli) : show_job(cli, job);
}

static int status(cli_call *cli)
{
  return with_job(cli, ask);
}

static const cli_option *const status_tables[] = { runner_options, NULL };
const cli_command cli_job_status = {
  .group = "job",
  .verb = "status",
  .arguments = "ID",
  .summary = "Where a job stands; with --json all that the service tells of it.",
  .examples = "  osdear job status --runner process: 3f0c…\n  osdear job status --runner spark+http://pi:6066 --json "
              "driver-20240501120000-0003\n",
  .options = status_tables,
  .least = 1,
  .most = 1,
  .run = status,
};

/* ---- wait ---- */

/* Scripts rely on it. */
static int code_of(osdear_job_state state)
{
  if (state == OSDEAR_JOB_SUCCEEDED)
    return EXIT_OK;
  return state == OSDEAR_JOB_CANCELLED ? EXIT_CANCELLED : EXIT_FAILED;
}

static int await(cli_call *cli, osdear_job *job)
{
  osdear_job_wait_options options = OSDEAR_JOB_WAIT_OPTIONS_INIT;
  int code;

  options.timeout_ms = timeout_ms(cli);
  options.cancel_on_timeout = cli_flag(cli, "cancel-on-timeout");
  if (osdear_job_wait(job, &options, &cli->error))
    return cli_fail(cli);
  code = show_job(cli, job);
  return code ? code : code_of(osdear_job_state_get(job));
}

static int wait_for(cli_call *cli)
{
  return with_job(cli, await);
}

static const cli_option wait_options[] = {
  { "cancel-on-timeout", 0, NULL, "When --timeout is over, cancel the job and see that it ended; default: leave it." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const wait_tables[] = { runner_options, wait_options, NULL };
const cli_command cli_job_wait = {
  .group = "job",
  .verb = "wait",
  .arguments = "ID",
  .summary = "Wait until a job is over. Exit code: 0 succeeded, 1 failed, 3 cancelled, 4 not over in time.",
  .examples = "  osdear job wait --runner process: --timeout 3600 --cancel-on-timeout 3f0c…\n",
  .options = wait_tables,
  .least = 1,
  .most = 1,
  .run = wait_for,
};

/* ---- logs ---- */

static int put_log(cli_call *cli, osdear_job_log *log)
{
  const char *data;
  size_t size;

  do {
    if (osdear_job_log_next(log, &data, &size, &cli->error))
      return cli_fail(cli);
    if (fwrite(data, 1, size, stdout) != size || fflush(stdout) != 0)
      return EXIT_FAILED;
  } while (size);
  return EXIT_OK;
}

static int put_logs(cli_call *cli, osdear_job *job)
{
  osdear_job_log_options options = OSDEAR_JOB_LOG_OPTIONS_INIT;
  osdear_job_log *log = NULL;
  int code;

  options.stream = cli_value(cli, "stream");
  options.follow = cli_flag(cli, "follow");
  code = osdear_job_logs(job, &options, &log, &cli->error) ? cli_fail(cli) : put_log(cli, log);
  osdear_job_log_free(log);
  return code;
}

static int logs(cli_call *cli)
{
  return with_job(cli, put_logs);
}

static const cli_option log_options[] = {
  { "follow", 'f', NULL, "Go on until the job is over." },
  { "stream", 's', "NAME", "stdout (the default), stderr, or a name that the service has." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const log_tables[] = { runner_options, log_options, NULL };
const cli_command cli_job_logs = {
  .group = "job",
  .verb = "logs",
  .arguments = "ID",
  .summary = "What a job wrote.",
  .examples = "  osdear job logs --runner process: --follow 3f0c…\n  osdear job logs --runner process: --stream stderr 3f0c…\n",
  .options = log_tables,
  .least = 1,
  .most = 1,
  .run = logs,
};

/* ---- cancel ---- */

static int end(cli_call *cli, osdear_job *job)
{
  osdear_job_cancel_options options = OSDEAR_JOB_CANCEL_OPTIONS_INIT;

  options.timeout_ms = timeout_ms(cli);
  return osdear_job_cancel(job, &options, &cli->error) ? cli_fail(cli) : show_job(cli, job);
}

static int cancel(cli_call *cli)
{
  return with_job(cli, end);
}

static const cli_option *const cancel_tables[] = { runner_options, NULL };
const cli_command cli_job_cancel = {
  .group = "job",
  .verb = "cancel",
  .arguments = "ID",
  .summary = "End a job, and see that it ended. One that is over already stays what it is.",
  .examples = "  osdear job cancel --runner process: 3f0c…\n",
  .options = cancel_tables,
  .least = 1,
  .most = 1,
  .run = cancel,
};

/* ---- call ---- */

static int call_on(cli_call *cli, osdear_runner *runner)
{
  const char *arguments = cli->argument_count > 1 ? read_spec(cli->arguments[1]) : NULL;
  char *text = NULL;

  if (osdear_runner_call(runner, cli->arguments[0], arguments, &text, &cli->error))
    return cli_fail(cli);
  printf("%s\n", text);
  osdear_text_free(text);
  return EXIT_OK;
}

static int call(cli_call *cli)
{
  return with_runner(cli, call_on);
}

static const cli_option *const call_tables[] = { runner_options, NULL };
const cli_command cli_job_call = {
  .group = "job",
  .verb = "call",
  .arguments = "VERB [ARGUMENTS.json]",
  .summary = "Have a service do something that is no job, and print what it says; `-` reads the arguments from standard input.",
  .examples = "  echo '{\"dag\": \"silver\"}' | osdear job call --runner airflow+http://pi:8080 pause -\n"
              "  osdear job call --runner dremio+http://pi:9047 view view.json\n",
  .options = call_tables,
  .least = 1,
  .most = 2,
  .run = call,
};

/* ---- prune ---- */

static int prune_on(cli_call *cli, osdear_runner *runner)
{
  osdear_prune_options options = OSDEAR_PRUNE_OPTIONS_INIT;
  int64_t days = cli_number(cli, "days", -1), removed = 0;
  int code = EXIT_OK;

  if (days > 36500)
    cli_die(EXIT_USAGE, "--days wants at most a hundred years");
  if (days >= 0)
    options.min_age_ms = days * 86400000;
  if (osdear_runner_prune(runner, &options, &removed, &cli->error))
    code = cli_fail(cli);
  if (cli_flag(cli, "json"))
    printf("{\"removed\":%lld}\n", (long long)removed);
  else
    printf("%lld removed\n", (long long)removed);
  return code;
}

static int prune(cli_call *cli)
{
  return with_runner(cli, prune_on);
}

static const cli_option prune_options[] = {
  { "days", 0, "N", "Only what was submitted so many days ago or longer; default 30." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const prune_tables[] = { runner_options, prune_options, NULL };
const cli_command cli_job_prune = {
  .group = "job",
  .verb = "prune",
  .arguments = "",
  .summary = "Forget jobs that are over: their notes, what local programs wrote, containers that ended.",
  .examples = "  osdear job prune --runner process: --days 7\n",
  .options = prune_tables,
  .least = 0,
  .most = 0,
  .run = prune,
};

/* ---- ls ---- */

/* One line for each; a job that cannot be asked is told as unknown. */
static void show_note(cli_call *cli, osdear_runner *runner, const osdear_job_note *note)
{
  osdear_job *job = NULL;
  const char *state = "unknown";

  if (note->id && !osdear_runner_attach(runner, note->id, &job, NULL) && !osdear_job_poll(job, NULL))
    state = osdear_job_state_name(osdear_job_state_get(job));
  if (cli_flag(cli, "json")) {
    const char *names[] = { "id", "name", "key", "state" }, *values[] = { note->id, note->name, note->key, state };
    for (size_t i = 0; i < 4; i++) {
      printf("%s\"%s\":", i ? "," : "{", names[i]);
      if (values[i])
        cli_put_json_string(stdout, values[i]);
      else
        printf("null");
    }
    printf(",\"created_us\":%lld}\n", (long long)note->created_us);
  } else {
    printf("%-36s  %-9s  %s%s%s\n", note->id ? note->id : "-", state, note->name ? note->name : "", note->key ? "  key " : "",
           note->key ? note->key : "");
  }
  osdear_job_free(job);
}

static int list_of(cli_call *cli, osdear_runner *runner)
{
  int64_t limit = cli_number(cli, "limit", -1);
  osdear_job_list *jobs = NULL;
  const osdear_job_note *note;

  if (osdear_runner_jobs(runner, &jobs, &cli->error))
    return cli_fail(cli);
  for (size_t i = 0; (note = osdear_job_list_get(jobs, i)) != NULL && (limit < 0 || (int64_t)i < limit); i++)
    show_note(cli, runner, note);
  osdear_job_list_free(jobs);
  return EXIT_OK;
}

static int list(cli_call *cli)
{
  return with_runner(cli, list_of);
}

static const cli_option list_options[] = {
  { "limit", 'n', "N", "The newest so many only." },
  { NULL, 0, NULL, NULL },
};
static const cli_option *const list_tables[] = { runner_options, list_options, NULL };
const cli_command cli_job_ls = {
  .group = "job",
  .verb = "ls",
  .arguments = "",
  .summary = "The jobs that were submitted to a service from here, newest first.",
  .examples =
      "  osdear job ls --runner process:\n  osdear job ls --runner process: --json | jq -r 'select(.state == \"failed\").id'\n",
  .options = list_tables,
  .least = 0,
  .most = 0,
  .run = list,
};
