/* osdear: finds the verb, gives it a context, and turns signals into cancellation. */
#include <cli/cli.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cli_command *const cli_commands[] = {
  &cli_table_create,
  &cli_table_show,
  &cli_table_schema,
  &cli_table_history,
  &cli_table_files,
  &cli_table_read,
  &cli_table_changes,
  &cli_table_append,
  &cli_table_overwrite,
  &cli_table_checkpoint,
  &cli_ingest,
  &cli_job_submit,
  &cli_job_status,
  &cli_job_wait,
  &cli_job_logs,
  &cli_job_cancel,
  &cli_job_ls,
  &cli_job_call,
  &cli_job_prune,
  &cli_store_ls,
  &cli_store_cat,
  &cli_store_cp,
  &cli_store_rm,
  &cli_store_stat,
  &cli_store_presign,
  &cli_container_run,
  &cli_container_ps,
  &cli_container_logs,
  &cli_container_exec,
  &cli_container_stop,
  &cli_container_rm,
  &cli_container_wait,
  &cli_container_pull,
  &cli_container_stats,
  &cli_container_events,
  &cli_container_sweep,
  &cli_stack_ls,
  &cli_stack_up,
  &cli_stack_start,
  &cli_stack_stop,
  &cli_stack_down,
  &cli_completion,
  NULL,
};

const cli_command *cli_find_command(const char *group, const char *verb)
{
  for (size_t i = 0; cli_commands[i]; i++) {
    const cli_command *command = cli_commands[i];
    bool same_group = group ? command->group && strcmp(command->group, group) == 0 : !command->group;
    if (same_group && strcmp(command->verb, verb) == 0)
      return command;
  }
  return NULL;
}

static bool is_group(const char *word)
{
  for (size_t i = 0; cli_commands[i]; i++)
    if (cli_commands[i]->group && strcmp(cli_commands[i]->group, word) == 0)
      return true;
  return false;
}

static void show_overview(FILE *out, const char *group)
{
  fprintf(out, "usage: osdear %s VERB [OPTION…] ARGUMENT…\n\n", group ? group : "[GROUP]");
  for (size_t i = 0; cli_commands[i]; i++) {
    const cli_command *command = cli_commands[i];
    if (group && (!command->group || strcmp(command->group, group) != 0))
      continue;
    fprintf(out, "  %-6s %-11s %s\n", command->group ? command->group : "", command->verb, command->summary);
  }
  fprintf(out, "\nEach verb has --help with examples. `osdear --version` tells the library's version.\n");
}

static osdear_cancel *the_cancel;

/* The first signal cancels; the second ends the process as it would have. */
static void on_signal(int number)
{
  osdear_cancel_throw(the_cancel);
  signal(number, SIG_DFL);
}

/* For these --timeout is an answer to be told, and not the end of the call: they still have to cancel a job. */
static bool heeds_timeout(const cli_command *command)
{
  return command == &cli_job_wait || command == &cli_job_cancel;
}

static void make_context(cli_call *cli)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  int64_t timeout_s = cli_number(cli, "timeout", -1);
  int64_t memory_mib = cli_number(cli, "memory", 0);

  if (timeout_s > INT64_MAX / 1000000 || memory_mib < 0 || memory_mib > INT64_MAX >> 20)
    cli_die(EXIT_USAGE, "--timeout or --memory is out of range");
  if (osdear_cancel_new(timeout_s < 0 || heeds_timeout(cli->command) ? -1 : timeout_s * 1000, &cli->cancel, &cli->error))
    exit(cli_fail(cli));
  options.cancel = cli->cancel;
  options.memory_budget_bytes = memory_mib << 20;
  options.threads = (int32_t)cli_number(cli, "threads", 0);
  cli->shows_progress = isatty(STDERR_FILENO) && !cli_flag(cli, "json");
  if (cli->shows_progress) {
    options.progress = cli_progress;
    options.progress_argument = cli;
  }
  if (osdear_context_new(&options, &cli->context, &cli->error))
    exit(cli_fail(cli));
  the_cancel = cli->cancel;
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  signal(SIGPIPE, SIG_IGN);
}

static int run(const cli_command *command, int count, char **words)
{
  cli_call cli = { .command = command };
  int code = cli_parse(&cli, count, words);

  if (code >= 0)
    return code;
  make_context(&cli);
  code = command->run(&cli);
  cli_progress_clear(&cli);
  osdear_error_free(cli.error);
  osdear_context_unref(cli.context);
  osdear_cancel_unref(cli.cancel);
  if (fflush(stdout) != 0 && code == EXIT_OK)
    code = EXIT_FAILED;
  return code;
}

int main(int count, char **words)
{
  const char *first = count > 1 ? words[1] : "--help";
  const cli_command *command;

  if (strcmp(first, "--version") == 0) {
    printf("osdear %s\n", osdear_version());
    return EXIT_OK;
  }
  if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
    show_overview(count > 1 ? stdout : stderr, NULL);
    return count > 1 ? EXIT_OK : EXIT_USAGE;
  }
  if (!is_group(first)) {
    command = cli_find_command(NULL, first);
    if (!command)
      cli_die(EXIT_USAGE, "there is no verb `%s`; `osdear --help` lists them", first);
    return run(command, count - 2, words + 2);
  }
  if (count < 3 || strcmp(words[2], "--help") == 0 || strcmp(words[2], "-h") == 0) {
    show_overview(count < 3 ? stderr : stdout, first);
    return count < 3 ? EXIT_USAGE : EXIT_OK;
  }
  command = cli_find_command(first, words[2]);
  if (!command)
    cli_die(EXIT_USAGE, "there is no verb `%s %s`; `osdear %s --help` lists them", first, words[2], first);
  return run(command, count - 3, words + 3);
}
