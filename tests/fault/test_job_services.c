/* The runners of services, on the small servers of tests/support/services.py, with each allocation failing: nothing is kept, and what
 * was submitted under a key is there once. */
#include "bodies.h"

#include "../support/engine_standin.h"
#include "../support/server.h"

#include <base/base.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct kind {
  const char *server, *scheme, *good_spec, *hanging_spec;
  osdear_job_state end; /* of the good one */
  osdear_pair settings[2];
  size_t setting_count;
  const char *verb, *arguments;
} kind;
static test_server server;
static const kind spark = { .server = "Spark",
                            .scheme = "spark+http",
                            .good_spec = "{\"name\":\"succeed\",\"jar\":\"/app.jar\",\"class\":\"Main\"}",
                            .hanging_spec = "{\"name\":\"hang\",\"python\":\"/app.py\",\"properties\":{\"a\":\"b\"}}",
                            .end = OSDEAR_JOB_SUCCEEDED,
                            .settings = { { "web", server.url } },
                            .setting_count = 1 };
static const kind airflow = { .server = "Airflow",
                              .scheme = "airflow+http",
                              .good_spec = "{\"dag\":\"succeed\",\"conf\":{\"n\":1},\"note\":\"x\"}",
                              .hanging_spec = "{\"dag\":\"hang\",\"unpause\":true}",
                              .end = OSDEAR_JOB_SUCCEEDED,
                              .settings = { { "username", "admin" }, { "password", "secret" } },
                              .setting_count = 2,
                              .verb = "pause",
                              .arguments = "{\"dag\":\"hang\"}" };
static const kind airbyte = { .server = "Airbyte",
                              .scheme = "airbyte+http",
                              .good_spec = "{\"connection\":\"succeed\"}",
                              .hanging_spec = "{\"connection\":\"hang\"}",
                              .end = OSDEAR_JOB_SUCCEEDED,
                              .settings = { { "client_id", "id" }, { "client_secret", "secret" } },
                              .setting_count = 2,
                              .verb = "source",
                              .arguments = "{\"name\":\"n\",\"configuration\":{\"sourceType\":\"file\"},\"update\":true}" };
static const kind dremio = { .server = "Dremio",
                             .scheme = "dremio+http",
                             .good_spec = "{\"sql\":\"SELECT 'few'\",\"context\":[\"a\"]}",
                             .hanging_spec = "{\"sql\":\"SELECT 'hang'\"}",
                             .end = OSDEAR_JOB_SUCCEEDED,
                             .settings = { { "username", "ann" }, { "password", "secret" } },
                             .setting_count = 2,
                             .verb = "view",
                             .arguments = "{\"path\":[\"s\",\"v\"],\"sql\":\"SELECT 1\",\"context\":[\"s\"]}" };
/* The engine's stand-in has one container, which ended with 3. */
static const kind container = { .good_spec = "{\"image\":\"i\",\"command\":[\"a\"],\"environment\":{\"A\":\"b\"},\"extra\":{}}",
                                .hanging_spec = "{\"image\":\"i\",\"mounts\":[{\"target\":\"/t\"}],"
                                                "\"ports\":[{\"container_port\":1}],\"networks\":[\"none\"],\"pull\":\"always\"}",
                                .end = OSDEAR_JOB_FAILED };

static const kind *tested;
static engine_standin standin;

static void must(osdear_status status, osdear_error *const *error)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(*error));
}

static osdear_status open_runner(const fault_fixture *fixture, osdear_runner **out, osdear_error **error)
{
  osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
  char address[200];

  snprintf(address, sizeof address, "%s%s", tested->scheme ? tested->scheme : "container+",
           tested->scheme ? server.url + strlen("http") : standin.address);
  options.state_folder = fixture->folder;
  options.settings = tested->settings;
  options.setting_count = tested->setting_count;
  return osdear_runner_open(fixture->context, address, &options, out, error);
}

static void prepare(fault_fixture *fixture)
{
  prepare_context(fixture);
}

static void prepare_job(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_context(fixture);
  must(open_runner(fixture, &fixture->runner, &error), &error);
  must(osdear_runner_submit(fixture->runner, tested->good_spec, NULL, &fixture->job, &error), &error);
  must(osdear_job_wait(fixture->job, NULL, &error), &error);
}

/* Every verb on a runner that was opened just now, so that logins and the question for the version are part of it. */
static osdear_status use(fault_fixture *fixture, osdear_error **error)
{
  osdear_job_log *log = NULL;
  osdear_runner *runner = NULL;
  osdear_job *job = NULL;
  const char *data;
  char *text = NULL;
  size_t size = 1;
  osdear_status st = open_runner(fixture, &runner, error);

  if (!st)
    st = osdear_runner_attach(runner, osdear_job_id(fixture->job), &job, error);
  if (!st)
    st = osdear_job_poll(job, error);
  if (!st)
    st = osdear_job_result(job, &text, error);
  if (!st)
    st = osdear_job_logs(job, NULL, &log, error);
  while (!st && size)
    st = osdear_job_log_next(log, &data, &size, error);
  if (!st)
    cr_assert_eq(osdear_job_state_get(job), tested->end);
  osdear_job_log_free(log);
  osdear_text_free(text);
  osdear_job_free(job);
  osdear_runner_free(runner);
  return st;
}

static osdear_status submit(fault_fixture *fixture, osdear_error **error)
{
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear_status st = fixture->runner ? OSDEAR_OK : open_runner(fixture, &fixture->runner, error);

  options.key = strrchr(fixture->folder, '-') + 1; /* another one each time */
  return st ? st : osdear_runner_submit(fixture->runner, tested->hanging_spec, &options, &fixture->job, error);
}

/* Called again under its key it finds what may have been taken before. */
static void check_submit(fault_fixture *fixture, osdear_status status)
{
  osdear_error *error = NULL;
  osdear_job_list *list = NULL;

  if (status)
    must(submit(fixture, &error), &error);
  must(osdear_runner_jobs(fixture->runner, &list, &error), &error);
  cr_assert_str_eq(osdear_job_list_get(list, 0)->id, osdear_job_id(fixture->job));
  cr_assert_null(osdear_job_list_get(list, 1));
  osdear_job_list_free(list);
}

static osdear_status cancel(fault_fixture *fixture, osdear_error **error)
{
  osdear_job_cancel_options options = OSDEAR_JOB_CANCEL_OPTIONS_INIT;
  osdear_status st;

  options.timeout_ms = 0;
  st = osdear_job_cancel(fixture->job, &options, error);
  return st ? st : osdear_job_poll(fixture->job, error);
}

static void prepare_hanging(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_context(fixture);
  must(submit(fixture, &error), &error);
}

static osdear_status follow(fault_fixture *fixture, osdear_error **error)
{
  osdear_follower *follower = NULL;
  osdear_job *job = NULL;
  osdear_job_change change;
  osdear_status st = osdear_follower_new(fixture->context, NULL, &follower, error);

  if (!st)
    st = osdear_runner_attach(fixture->runner, osdear_job_id(fixture->job), &job, error);
  if (!st)
    st = osdear_follower_add(follower, job, NULL, error);
  if (!st)
    st = osdear_follower_step(follower, -1, error);
  if (!st) {
    cr_assert(osdear_follower_next(follower, &change));
    st = osdear_error_status(change.failure);
    *error = osdear__error_copy(change.failure);
  }
  osdear_job_free(job);
  osdear_follower_free(follower);
  return st;
}

static osdear_status call(fault_fixture *fixture, osdear_error **error)
{
  osdear_runner *runner = NULL;
  char *text = NULL;
  osdear_status st = open_runner(fixture, &runner, error);

  if (!st)
    st = osdear_runner_call(runner, tested->verb, tested->arguments, &text, error);
  cr_assert_eq(st == OSDEAR_OK, text != NULL);
  osdear_text_free(text);
  osdear_runner_free(runner);
  return st;
}

static void replay_allocations(const kind *what)
{
  static const fault_body verb = { "a service's verb", prepare, call, NULL, 0 };
  static const fault_body bodies[] = {
    { "a service's job", prepare_job, use, NULL, 0 },
    { "following a service's job", prepare_job, follow, NULL, 0 },
    { "submitting to a service", prepare, submit, check_submit, 1 },
    { "cancelling at a service", prepare_hanging, cancel, NULL, 1 },
  };

  tested = what;
  test_server_start_script(&server, "services.py", (const char *[]){ what->server, NULL });
  for (size_t i = 0; i < COUNT_OF(bodies); i++)
    fault_replay_allocations(&bodies[i]);
  if (what->verb)
    fault_replay_allocations(&verb);
  test_server_stop(&server);
}

Test(fault_service, spark, .timeout = 600)
{
  replay_allocations(&spark);
}

Test(fault_service, airflow, .timeout = 600)
{
  replay_allocations(&airflow);
}

Test(fault_service, airbyte, .timeout = 600)
{
  replay_allocations(&airbyte);
}

Test(fault_service, dremio, .timeout = 600)
{
  replay_allocations(&dremio);
}

static void start_once(const kind *what)
{
  tested = what;
  if (!server.pid) /* it ends with this test's process */
    test_server_start_script(&server, "services.py", (const char *[]){ what->server, NULL });
}

static void prepare_rows(fault_fixture *fixture)
{
  start_once(&dremio);
  prepare_job(fixture);
}

static osdear_status rows(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream stream = { 0 };
  osdear_status st = osdear_job_rows(fixture->job, &stream, error);

  return st ? st : drain(&stream, 3, error);
}
BODY(osdear_job_rows, .prepare = prepare_rows, .run = rows)

static void prepare_caller(fault_fixture *fixture)
{
  start_once(&airflow);
  prepare_context(fixture);
}
BODY(osdear_runner_call, .prepare = prepare_caller, .run = call)

Test(fault_service, container, .timeout = 600)
{
  static const fault_body bodies[] = {
    { "a container's job", prepare_job, use, NULL, 0 },
    { "following a container's job", prepare_job, follow, NULL, 0 },
    { "submitting to an engine", prepare, submit, check_submit, 1 },
    { "cancelling at an engine", prepare_hanging, cancel, NULL, 1 },
  };
  char folder[] = "/tmp/osdear-standin-XXXXXX";

  tested = &container;
  cr_assert_not_null(mkdtemp(folder));
  engine_standin_start(&standin, folder);
  for (size_t i = 0; i < COUNT_OF(bodies); i++)
    fault_replay_allocations(&bodies[i]);
  engine_standin_stop(&standin);
  rmdir(folder);
}
