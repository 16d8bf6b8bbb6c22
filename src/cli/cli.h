/** @file cli.h The osdear command: one file for each group of verbs, options from tables. Uses public headers only. */
#ifndef OSDEAR_SRC_CLI_H
#define OSDEAR_SRC_CLI_H

#include <osdear.h>
#include <stdbool.h>
#include <stdio.h>

/* What the command exits with. Documented in osdear(1); scripts rely on it. */
enum {
  EXIT_OK = 0,
  EXIT_FAILED = 1,
  EXIT_USAGE = 2,
  EXIT_CANCELLED = 3,
  EXIT_TIMED_OUT = 4,
  EXIT_NOT_FOUND = 5,
  EXIT_CONFLICT = 6,
  EXIT_BAD_DATA = 7
};

typedef struct cli_call cli_call;

/* One option of a verb. A table ends with a name of NULL. */
typedef struct cli_option {
  const char *name;  /* without the dashes */
  char letter;       /* of its short form; 0: none */
  const char *value; /* what stands for its value in the help; NULL: the option takes none */
  const char *help;
} cli_option;

typedef struct cli_command {
  const char *group; /* "table"; NULL: the verb stands alone */
  const char *verb;
  const char *arguments; /* for the usage line */
  const char *summary;
  const char *examples;
  const cli_option *const *options; /* tables, ended by NULL */
  int least, most;                  /* positional arguments; most -1: any number, -2: and no options behind the last needed one */
  int (*run)(cli_call *cli);        /* returns an exit code */
} cli_command;

extern const cli_command *const cli_commands[]; /* ended by NULL */
const cli_command *cli_find_command(const char *group, const char *verb);

/* One run of the command. */
struct cli_call {
  const cli_command *command;
  const char **arguments;
  int argument_count;
  const char **names; /* options as given: names and values side by side */
  const char **values;
  int option_count;
  osdear_pair *storage; /* from -o key=value */
  size_t storage_count;
  osdear_context *context;
  osdear_cancel *cancel;
  osdear_error *error;
  bool shows_progress;
};

/* ---- options (options.c) ---- */

/* Fills `cli` from the words behind the verb; an exit code, or -1 to go on. */
int cli_parse(cli_call *cli, int count, char **words);
const char *cli_value(const cli_call *cli, const char *name); /* the last one given; NULL: not given */
bool cli_flag(const cli_call *cli, const char *name);
/* All values of a repeatable option, split at commas where `split` says so. Lives as long as the process. */
const char **cli_list(const cli_call *cli, const char *name, bool split, size_t *count);
osdear_pair *cli_pairs(const cli_call *cli, const char *name,
                       size_t *count); /* NAME=VALUE; exits with EXIT_USAGE on other forms */
int64_t cli_number(const cli_call *cli, const char *name, int64_t otherwise);
void cli_usage(FILE *out, const cli_command *command);
void cli_help(FILE *out, const cli_command *command);
extern const cli_option cli_common_options[];
/* Memory of the command itself, which ends with a message when there is none. Never freed: the process is short. */
void *cli_memory(size_t count, size_t size);
_Noreturn void cli_die(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- output (output.c) ---- */

/* Tells what cli->error holds, on standard error, as text or with --json as an object; returns the exit code for it. */
int cli_fail(cli_call *cli);
void cli_put_json_string(FILE *out, const char *text);
/* All rows of `data` (consumed) to standard output, in --format, or as `format` where none was given. */
int cli_show(cli_call *cli, struct ArrowArrayStream *data, const char *format);
extern const cli_option cli_output_options[];
/* A line of progress on standard error while it is a terminal. */
void cli_progress(void *argument, const char *step, int64_t done, int64_t total);
void cli_progress_clear(cli_call *cli);

/* ---- engines (container.c) ---- */

int cli_open_engine(cli_call *cli, osdear_engine **out); /* --engine, -o; an exit code, 0 on success */
/* Writes what comes to standard output and error until the stream ends; an exit code. JSON texts become lines. */
int cli_copy_stream(cli_call *cli, osdear_engine_stream *stream);
extern const cli_option cli_engine_options[];

/* ---- what several verbs share (shared.c) ---- */

int cli_open_table(cli_call *cli, const char *uri, osdear_table **out);       /* an exit code; 0 on success */
int cli_open_snapshot(cli_call *cli, const char *uri, osdear_snapshot **out); /* --version, --timestamp */
/* `columns`: read these instead of inferring them; NULL infers. */
int cli_open_source(cli_call *cli, const char *const *files, size_t count, const struct ArrowSchema *columns,
                    osdear_source **out);
int cli_show_write(cli_call *cli, const char *verb, const osdear_write_result *result);
extern const cli_option cli_snapshot_options[], cli_source_options[], cli_write_options[];

extern const cli_command cli_table_create, cli_table_show, cli_table_schema, cli_table_history, cli_table_files, cli_table_read,
    cli_table_changes, cli_table_append, cli_table_overwrite, cli_table_checkpoint, cli_ingest, cli_job_submit, cli_job_status,
    cli_job_wait, cli_job_logs, cli_job_cancel, cli_job_ls, cli_job_call, cli_job_prune, cli_store_ls, cli_store_cat,
    cli_store_cp, cli_store_rm, cli_store_stat, cli_store_presign, cli_completion, cli_container_run, cli_container_ps,
    cli_container_logs, cli_container_exec, cli_container_stop, cli_container_rm, cli_container_wait, cli_container_pull,
    cli_container_stats, cli_container_events, cli_container_sweep, cli_stack_ls, cli_stack_up, cli_stack_start, cli_stack_stop,
    cli_stack_down;

#endif
