#include "jobs.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static osdear_status refused(const jobs *set, const char *spec, const char *words)
{
  osdear_error *error = NULL;
  osdear_job *job = NULL;
  osdear_status status = osdear_runner_submit(set->runner, spec, NULL, &job, &error);

  cr_assert_null(job);
  cr_assert(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
  osdear_error_free(error);
  return status;
}

/* Notes in the journal. */
static size_t count_notes(const jobs *set)
{
  osdear_job_list *list = NULL;
  osdear_error *error = NULL;
  size_t count = 0;

  jobs_must(osdear_runner_jobs(set->runner, &list, &error), &error);
  while (osdear_job_list_get(list, count))
    count++;
  osdear_job_list_free(list);
  return count;
}

/* Living processes whose command line holds a word. */
static int count_processes(const char *word)
{
  DIR *folder = opendir("/proc");
  struct dirent *entry;
  int count = 0;

  for (entry = readdir(folder); entry; entry = readdir(folder)) {
    char path[300], text[4096];
    size_t size;
    FILE *file;
    snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
    file = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
    if (!file)
      continue;
    size = fread(text, 1, sizeof text, file);
    fclose(file);
    count += memmem(text, size, word, strlen(word)) != NULL;
  }
  closedir(folder);
  return count;
}

static int count_after(const char *word, int expected)
{
  for (int i = 0; i < 200 && count_processes(word) != expected; i++)
    jobs_sleep_ms(20);
  return count_processes(word);
}

Test(process, a_program_that_ends_well_has_succeeded_and_its_output_is_kept)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "echo out; echo err >&2", "", NULL);
  char *result = NULL;
  osdear_error *error = NULL;

  jobs_wait(job);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_SUCCEEDED);
  cr_assert_str_eq(osdear_job_native_state(job), "exit 0");
  cr_assert_str_eq(jobs_log(job, NULL, 0), "out\n");
  cr_assert_str_eq(jobs_log(job, "stderr", 0), "err\n");
  jobs_must(osdear_job_result(job, &result, &error), &error);
  cr_assert(strstr(result, "\"exit_code\":0"), "%s", result);
  cr_assert(strstr(result, "\"max_rss_bytes\":"), "%s", result);
  osdear_text_free(result);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_program_that_fails_says_so_with_its_last_words)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "echo first >&2; echo 'no such table' >&2; exit 3", "", NULL);

  jobs_wait(job);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_FAILED);
  cr_assert_str_eq(osdear_job_native_state(job), "exit 3");
  cr_assert_str_eq(osdear_job_message(job), "ended with exit 3: no such table");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_signal_is_told_from_an_exit_code)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "kill -9 $$", "", NULL);

  jobs_wait(job);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_FAILED);
  cr_assert_str_eq(osdear_job_native_state(job), "signal 9");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, environment_directory_input_and_limits_are_as_the_spec_says)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "echo \"$COLOUR $PATH $(pwd) $(head -n 1) $(ulimit -n) $(ulimit -v) $(ulimit -t)\"",
                               ",\"environment\":{\"COLOUR\":\"blue\",\"PATH\":\"/bin:/usr/bin\"},\"directory\":\"/\","
                               "\"input\":\"/etc/hostname\",\"clear_environment\":true,"
                               "\"limits\":{\"open_files\":77,\"memory_bytes\":1073741824,\"cpu_seconds\":9}",
                               NULL);
  char host[128] = "", expected[300];
  FILE *file = fopen("/etc/hostname", "r");

  cr_assert(file && fgets(host, sizeof host, file));
  fclose(file);
  host[strcspn(host, "\n")] = '\0';
  snprintf(expected, sizeof expected, "blue /bin:/usr/bin / %s 77 1048576 9\n", host);
  jobs_wait(job);
  cr_assert_str_eq(jobs_log(job, "stdout", 0), expected);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_python_script_is_run_from_a_spec_for_spark)
{
  jobs set = jobs_open("process:");
  osdear_error *error = NULL;
  osdear_job *job = NULL;
  char spec[600], script[128];
  FILE *file;

  snprintf(script, sizeof script, "%s/app.py", set.folder);
  file = fopen(script, "w");
  fputs("import os, sys\nprint(sys.argv[1:], os.environ['PYSPARK_SUBMIT_ARGS'])\n", file);
  fclose(file);
  snprintf(spec, sizeof spec, "{\"python\":\"%s\",\"args\":[\"a b\",\"c\"],\"properties\":{\"spark.x\":\"a \\\"b\"}}", script);
  jobs_must(osdear_runner_submit(set.runner, spec, NULL, &job, &error), &error);
  jobs_wait(job);
  cr_assert_str_eq(jobs_log(job, NULL, 0), "['a b', 'c'] --conf \"spark.x=a \\\"b\" pyspark-shell\n");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, what_cannot_be_started_is_refused_and_leaves_nothing)
{
  jobs set = jobs_open("process:");

  cr_assert_eq(refused(&set, "{\"command\":[\"/no/such/program\"]}", "/no/such/program"), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(refused(&set, "{\"command\":[\"true\"],\"directory\":\"/no/such/folder\"}", "enter its directory"),
               OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(refused(&set, "{\"command\":[\"true\"],\"input\":\"/no/such/file\"}", "open its input"), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(count_notes(&set), 0);
  jobs_close(&set);
}

Test(process, specs_that_are_wrong_are_refused_by_name)
{
  jobs set = jobs_open("process:");

  cr_assert_eq(refused(&set, "{\"comand\":[\"true\"]}", "\"comand\""), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{\"command\":\"true\"}", "\"command\" of a spec for local programs must be a list"),
               OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{}", "just one of"), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{\"command\":[]}", "empty"), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{\"command\":[\"true\"],\"limits\":{\"memory\":1}}", "\"memory\""), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{\"command\":[\"true\"],\"limits\":{\"open_files\":-1}}", "\"open_files\""), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{\"command\":[\"a\\u0000b\"]}", "list of strings"), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "{\"command\":[\"true\"],\"environment\":{\"A=B\":\"x\"}}", "\"A=B\""), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(refused(&set, "nonsense", "no JSON"), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(count_notes(&set), 0);
  jobs_close(&set);
}

Test(process, another_runner_attaches_by_id)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "echo done", "", NULL), *again = NULL;
  osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
  osdear_runner *other = NULL;
  osdear_error *error = NULL;

  options.state_folder = set.folder;
  jobs_must(osdear_runner_open(set.context, "process:", &options, &other, &error), &error);
  jobs_must(osdear_runner_attach(other, osdear_job_id(job), &again, &error), &error);
  osdear_runner_free(other); /* the job keeps it */
  cr_assert_str_eq(jobs_log(again, NULL, 1), "done\n");
  cr_assert_eq(osdear_job_state_get(again), OSDEAR_JOB_SUCCEEDED);
  osdear_job_free(again);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, an_id_that_no_one_has_is_not_found)
{
  jobs set = jobs_open("process:");
  osdear_job *job = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear_runner_attach(set.runner, "../../etc", &job, NULL), OSDEAR_ERR_ARGUMENT);
  jobs_must(osdear_runner_attach(set.runner, "00000000-0000-4000-8000-000000000000", &job, &error), &error);
  cr_assert_eq(osdear_job_poll(job, NULL), OSDEAR_ERR_NOT_FOUND);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_key_finds_the_job_that_was_started_under_it)
{
  jobs set = jobs_open("process:");
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear_job *first = jobs_shell(&set, "sleep 0.2", "", "nightly"), *second = jobs_shell(&set, "sleep 0.2", "", "nightly"),
             *third = NULL;

  cr_assert_eq(osdear_job_was_found(first), 0);
  cr_assert_eq(osdear_job_was_found(second), 1);
  cr_assert_str_eq(osdear_job_id(first), osdear_job_id(second));
  options.key = "nightly";
  cr_assert_eq(osdear_runner_submit(set.runner, "{\"command\":[\"true\"]}", &options, &third, NULL), OSDEAR_ERR_CONFLICT);
  cr_assert_eq(count_notes(&set), 1);
  jobs_wait(second);
  osdear_job_free(first);
  osdear_job_free(second);
  jobs_close(&set);
}

Test(process, cancelling_is_seen_to_and_leaves_no_process)
{
  jobs set = jobs_open("process:");
  char script[256], word[64];
  osdear_error *error = NULL;
  osdear_job *job;

  snprintf(word, sizeof word, "9%d.25", (int)getpid());
  /* One in its group, one in the background, and one that left group and session. */
  snprintf(script, sizeof script, "sleep %s & setsid sleep %s & sleep %s", word, word, word);
  job = jobs_shell(&set, script, "", NULL);
  cr_assert_eq(count_after(word, 5), 5); /* the three, the shell and its supervisor */
  jobs_must(osdear_job_cancel(job, NULL, &error), &error);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_CANCELLED);
  cr_assert_eq(count_after(word, 0), 0);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_program_that_heeds_no_request_is_killed_when_its_grace_is_over)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "trap '' TERM; echo ready; while :; do sleep 0.1; done", ",\"grace_ms\":200", NULL);
  osdear_error *error = NULL;

  while (strcmp(jobs_log(job, NULL, 0), "ready\n") != 0)
    jobs_sleep_ms(10);
  jobs_must(osdear_job_cancel(job, NULL, &error), &error);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_CANCELLED);
  cr_assert_str_eq(osdear_job_native_state(job), "signal 9");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, at_a_timeout_the_caller_chooses_to_leave_or_to_cancel)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "sleep 60", "", NULL);
  osdear_job_wait_options options = OSDEAR_JOB_WAIT_OPTIONS_INIT;

  options.timeout_ms = 50;
  cr_assert_eq(osdear_job_wait(job, &options, NULL), OSDEAR_ERR_TIMEOUT);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_RUNNING);
  options.cancel_on_timeout = 1;
  cr_assert_eq(osdear_job_wait(job, &options, NULL), OSDEAR_ERR_TIMEOUT);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_CANCELLED);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_job_that_is_over_stays_what_it_is_when_it_is_cancelled)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "true", "", NULL);
  osdear_error *error = NULL;

  jobs_wait(job);
  jobs_must(osdear_job_cancel(job, NULL, &error), &error);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_SUCCEEDED);
  osdear_job_free(job);
  jobs_close(&set);
}

/* Starts a job in a child that is killed at once; returns the job's runner folder's only id. */
static void submit_and_die(const char *folder, const char *more)
{
  pid_t child = fork();

  if (child == 0) {
    osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
    osdear_context *context = NULL;
    osdear_job *job;
    jobs set = { 0 };

    options.state_folder = folder;
    osdear_context_new(NULL, &context, NULL);
    osdear_runner_open(context, "process:", &options, &set.runner, NULL);
    job = jobs_shell(&set, "sleep 1; echo survived", more, "key");
    (void)job;
    kill(getpid(), SIGKILL);
  }
  waitpid(child, NULL, 0);
}

Test(process, a_job_outlives_its_caller)
{
  jobs set = jobs_open("process:");
  osdear_job *job;

  submit_and_die(set.folder, "");
  job = jobs_shell(&set, "sleep 1; echo survived", "", "key");
  cr_assert_eq(osdear_job_was_found(job), 1);
  jobs_wait(job);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_SUCCEEDED);
  cr_assert_str_eq(jobs_log(job, NULL, 0), "survived\n");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, an_attached_job_ends_with_its_caller)
{
  jobs set = jobs_open("process:");
  osdear_job *job;

  submit_and_die(set.folder, ",\"attached\":true");
  job = jobs_shell(&set, "sleep 1; echo survived", ",\"attached\":true", "key");
  jobs_wait(job);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_CANCELLED);
  cr_assert_str_eq(jobs_log(job, NULL, 0), "");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_killed_supervisor_takes_its_program_along_and_the_job_has_failed)
{
  jobs set = jobs_open("process:");
  char script[128], word[64], path[256], text[200];
  osdear_job *job;
  FILE *file;
  int pid = 0;

  snprintf(word, sizeof word, "8%d.5", (int)getpid());
  snprintf(script, sizeof script, "exec sleep %s", word);
  job = jobs_shell(&set, script, "", NULL);
  snprintf(path, sizeof path, "%s/jobs/%s/started", set.folder, osdear_job_id(job));
  file = fopen(path, "r");
  cr_assert(file && fgets(text, sizeof text, file) && sscanf(text, "{\"supervisor\":%d", &pid) == 1);
  fclose(file);
  kill((pid_t)pid, SIGKILL);
  cr_assert_eq(count_after(word, 0), 0);
  jobs_wait(job);
  cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_FAILED);
  cr_assert_str_eq(osdear_job_native_state(job), "lost");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, a_log_may_outlive_its_job_and_runner)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "echo out", "", NULL);
  osdear_job_log *log = NULL;
  osdear_error *error = NULL;
  const char *data;
  size_t size;

  jobs_wait(job);
  jobs_must(osdear_job_logs(job, NULL, &log, &error), &error);
  osdear_job_free(job);
  osdear_runner_free(set.runner);
  set.runner = NULL;
  jobs_must(osdear_job_log_next(log, &data, &size, &error), &error);
  cr_assert(size == 4 && memcmp(data, "out\n", size) == 0);
  osdear_job_log_free(log);
  jobs_close(&set);
}

Test(process, a_log_can_be_followed_while_it_grows)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "for i in 1 2 3; do echo $i; sleep 0.1; done", "", NULL);

  cr_assert_str_eq(jobs_log(job, NULL, 1), "1\n2\n3\n");
  osdear_job_free(job);
  jobs_close(&set);
}

Test(process, no_descriptor_of_ours_reaches_the_program)
{
  jobs set = jobs_open("process:");
  int leaked = dup(0);
  osdear_job *job = jobs_shell(&set, "exec ls /proc/self/fd", "", NULL);

  jobs_wait(job);
  cr_assert_str_eq(jobs_log(job, NULL, 0), "0\n1\n2\n3\n"); /* the last is the folder that ls reads */
  close(leaked);
  osdear_job_free(job);
  jobs_close(&set);
}
