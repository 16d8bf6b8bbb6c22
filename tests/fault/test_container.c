#include "../support/engine_standin.h"
#include "bodies.h"

#include <base/base.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engine's stand-in lives as long as the test: each replay opens it anew. */
static engine_standin standin;

/* Patience costs no time here: who sleeps, wakes up later at once. */
static int64_t slept_us;
static const osdear__world *real_world;

static int64_t quick_now(void)
{
  return real_world->now_us() + slept_us;
}

static int64_t quick_monotonic(void)
{
  return real_world->monotonic_us() + slept_us;
}

static void quick_sleep(int64_t us)
{
  slept_us += us;
}

static void quick_random(void *out, size_t size)
{
  real_world->random(out, size);
}

static const osdear__world quick_world = { quick_now, quick_monotonic, quick_sleep, quick_random };

static void start_standin(void)
{
  static char folder[32] = "/tmp/osdear-standin-XXXXXX";

  real_world = osdear__the_world;
  osdear__the_world = &quick_world;
  cr_assert_not_null(mkdtemp(folder));
  engine_standin_start(&standin, folder);
}

static void stop_standin(void)
{
  char folder[128];

  engine_standin_stop(&standin);
  snprintf(folder, sizeof folder, "%s", standin.socket);
  *strrchr(folder, '/') = '\0';
  rmdir(folder);
  osdear__the_world = real_world;
}

TestSuite(fault, .init = start_standin, .fini = stop_standin);

static void must(osdear_status status, osdear_error *const *error)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(*error));
}

static void prepare_engine(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_context(fixture);
  must(osdear_engine_open(fixture->context, standin.address, NULL, &fixture->engine, &error), &error);
}

static void prepare_container(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_engine(fixture);
  must(osdear_container_get(fixture->engine, "one", &fixture->container, &error), &error);
}

static void write_file(const fault_fixture *fixture, const char *content)
{
  FILE *file = fopen(fixture->file, "w");

  fputs(content, file);
  fclose(file);
}

static void prepare_file(fault_fixture *fixture)
{
  prepare_container(fixture);
  write_file(fixture, "content");
}

/* What a call hands out is freed here, and is there only on success. */
#define RUN(name, ...)                                                    \
  static osdear_status name(fault_fixture *fixture, osdear_error **error) \
  {                                                                       \
    __VA_ARGS__                                                           \
  }

static osdear_status settle_text(osdear_status status, char *text)
{
  cr_assert_eq(status == OSDEAR_OK, text != NULL);
  osdear_text_free(text);
  return status;
}

static osdear_status settle_stream(osdear_status status, osdear_engine_stream *stream)
{
  cr_assert_eq(status == OSDEAR_OK, stream != NULL);
  osdear_engine_stream_free(stream);
  return status;
}

static osdear_status settle_container(osdear_status status, osdear_container *container)
{
  cr_assert_eq(status == OSDEAR_OK, container != NULL);
  osdear_container_free(container);
  return status;
}

/* ---- engines ---- */

RUN(open_engine, osdear_engine *engine = NULL;
    osdear_status status = osdear_engine_open(fixture->context, standin.address, NULL, &engine, error);
    cr_assert_eq(status == OSDEAR_OK, engine != NULL); osdear_engine_unref(engine); return status;)
BODY(osdear_engine_open, .prepare = prepare_context, .run = open_engine, .changes_state = 1)

RUN(request, char *json = NULL;
    osdear_status status = osdear_engine_request(fixture->engine, "POST", "/any", "{\"a\":1}", &json, error);
    return settle_text(status, json);)
BODY(osdear_engine_request, .prepare = prepare_engine, .run = request, .changes_state = 1)

RUN(inspect, char *json = NULL;
    osdear_status status = osdear_engine_inspect(fixture->engine, OSDEAR_CONTAINERS, "one", &json, error);
    return settle_text(status, json);)
BODY(osdear_engine_inspect, .prepare = prepare_engine, .run = inspect, .changes_state = 1)

static const osdear_pair filters[] = { { "label", "a=1" } };

RUN(list, char *json = NULL; osdear_status status = osdear_engine_list(fixture->engine, OSDEAR_VOLUMES, filters, 1, &json, error);
    return settle_text(status, json);)
BODY(osdear_engine_list, .prepare = prepare_engine, .run = list, .changes_state = 1)

RUN(remove_object, return osdear_engine_remove(fixture->engine, OSDEAR_CONTAINERS, "one", NULL, error);)
BODY(osdear_engine_remove, .prepare = prepare_engine, .run = remove_object, .changes_state = 1)

RUN(prune, char *json = NULL;
    osdear_status status = osdear_engine_prune(fixture->engine, OSDEAR_IMAGES, filters, 1, &json, error);
    return settle_text(status, json);)
BODY(osdear_engine_prune, .prepare = prepare_engine, .run = prune, .changes_state = 1)

RUN(make_network, return osdear_engine_network_create(fixture->engine, "n", NULL, error);)
BODY(osdear_engine_network_create, .prepare = prepare_engine, .run = make_network, .changes_state = 1)

RUN(make_volume, return osdear_engine_volume_create(fixture->engine, "v", NULL, error);)
BODY(osdear_engine_volume_create, .prepare = prepare_engine, .run = make_volume, .changes_state = 1)

RUN(events, osdear_engine_stream *stream = NULL; osdear_events_options options = OSDEAR_EVENTS_OPTIONS_INIT; options.until_us = 1;
    osdear_status status = osdear_engine_events(fixture->engine, &options, &stream, error); return settle_stream(status, stream);)
BODY(osdear_engine_events, .prepare = prepare_engine, .run = events, .changes_state = 1)

/* ---- images ---- */

RUN(pull, osdear_pull_options options = OSDEAR_PULL_OPTIONS_INIT; options.username = "u"; options.password = "p";
    return osdear_image_pull(fixture->engine, "r.io/i:1", &options, error);)
BODY(osdear_image_pull, .prepare = prepare_engine, .run = pull, .changes_state = 1)

RUN(present, int32_t is_there = -1; osdear_status status = osdear_image_present(fixture->engine, "i:1", &is_there, error);
    cr_assert_eq(status == OSDEAR_OK, is_there == 1); return status;)
BODY(osdear_image_present, .prepare = prepare_engine, .run = present, .changes_state = 1)

RUN(tag, return osdear_image_tag(fixture->engine, "i:1", "i:2", error);)
BODY(osdear_image_tag, .prepare = prepare_engine, .run = tag, .changes_state = 1)

RUN(load, return osdear_image_load(fixture->engine, fixture->file, error);)
BODY(osdear_image_load, .prepare = prepare_file, .run = load, .changes_state = 1)

static const char *const words[] = { "sh", "-c", "true", NULL };

RUN(import, return osdear_image_import(fixture->engine, fixture->file, "i:1", words, error);)
BODY(osdear_image_import, .prepare = prepare_file, .run = import, .changes_state = 1)

/* ---- streams ---- */

static osdear_status read_all(osdear_engine_stream *stream, osdear_error **error)
{
  osdear_chunk chunk = OSDEAR_CHUNK_INIT;
  osdear_status status = osdear_engine_stream_next(stream, &chunk, error);

  while (!status && chunk.data)
    status = osdear_engine_stream_next(stream, &chunk, error);
  return status;
}

static void prepare_logs(fault_fixture *fixture)
{
  osdear_logs_options options = OSDEAR_LOGS_OPTIONS_INIT;
  osdear_error *error = NULL;

  prepare_container(fixture);
  options.follow = 1;
  must(osdear_container_logs(fixture->container, &options, &fixture->stream, &error), &error);
}

RUN(next, return read_all(fixture->stream, error);)
BODY(osdear_engine_stream_next, .prepare = prepare_logs, .run = next, .changes_state = 1)

static void prepare_attached(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_container(fixture);
  must(osdear_container_attach(fixture->container, &fixture->stream, &error), &error);
}

RUN(write_input, return osdear_engine_stream_write(fixture->stream, "in", 2, error);)
BODY(osdear_engine_stream_write, .prepare = prepare_attached, .run = write_input, .changes_state = 1)

RUN(close_input, return osdear_engine_stream_close_input(fixture->stream, error);)
BODY(osdear_engine_stream_close_input, .prepare = prepare_attached, .run = close_input, .changes_state = 1)

static void prepare_exec(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_container(fixture);
  must(osdear_container_exec(fixture->container, words, 3, NULL, &fixture->stream, &error), &error);
  must(read_all(fixture->stream, &error), &error);
}

RUN(exec_code, int32_t code = -1; osdear_status status = osdear_engine_stream_exit_code(fixture->stream, &code, error);
    cr_assert_eq(status == OSDEAR_OK, code == 5); return status;)
BODY(osdear_engine_stream_exit_code, .prepare = prepare_exec, .run = exec_code, .changes_state = 1)

/* ---- containers ---- */

static const osdear_network networks[] = { { "a", "x" }, { "b", "y,z" } };

RUN(create, osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT; osdear_container *container = NULL; spec.image = "i:1";
    spec.name = "one"; spec.command = words; spec.command_count = 3; spec.environment = filters; spec.environment_count = 1;
    spec.networks = networks; spec.network_count = 2; spec.extra_json = "{\"HostConfig\":{\"Init\":true}}";
    osdear_status status = osdear_container_create(fixture->engine, &spec, &container, error);
    return settle_container(status, container);)
BODY(osdear_container_create, .prepare = prepare_engine, .run = create, .changes_state = 1)

RUN(get, osdear_container *container = NULL;
    osdear_status status = osdear_container_get(fixture->engine, "one", &container, error);
    return settle_container(status, container);)
BODY(osdear_container_get, .prepare = prepare_engine, .run = get, .changes_state = 1)

RUN(list_containers, osdear_container_entry *entries = NULL; size_t count = 0;
    osdear_status status = osdear_container_list(fixture->engine, NULL, 0, &entries, &count, error);
    cr_assert_eq(status == OSDEAR_OK, count == 1); osdear_container_entries_free(entries); return status;)
BODY(osdear_container_list, .prepare = prepare_engine, .run = list_containers, .changes_state = 1)

RUN(start, return osdear_container_start(fixture->container, error);)
BODY(osdear_container_start, .prepare = prepare_container, .run = start, .changes_state = 1)

RUN(stop, return osdear_container_stop(fixture->container, 3, error);)
BODY(osdear_container_stop, .prepare = prepare_container, .run = stop, .changes_state = 1)

RUN(restart, return osdear_container_restart(fixture->container, -1, error);)
BODY(osdear_container_restart, .prepare = prepare_container, .run = restart, .changes_state = 1)

RUN(kill_one, return osdear_container_kill(fixture->container, "HUP", error);)
BODY(osdear_container_kill, .prepare = prepare_container, .run = kill_one, .changes_state = 1)

RUN(pause_one, return osdear_container_pause(fixture->container, error);)
BODY(osdear_container_pause, .prepare = prepare_container, .run = pause_one, .changes_state = 1)

RUN(unpause, return osdear_container_unpause(fixture->container, error);)
BODY(osdear_container_unpause, .prepare = prepare_container, .run = unpause, .changes_state = 1)

RUN(rename_one, return osdear_container_rename(fixture->container, "two", error);)
BODY(osdear_container_rename, .prepare = prepare_container, .run = rename_one, .changes_state = 1)

RUN(update, osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT; spec.memory_bytes = 1 << 20;
    return osdear_container_update(fixture->container, &spec, error);)
BODY(osdear_container_update, .prepare = prepare_container, .run = update, .changes_state = 1)

RUN(remove_one, return osdear_container_remove(fixture->container, NULL, error);)
BODY(osdear_container_remove, .prepare = prepare_container, .run = remove_one, .changes_state = 1)

RUN(ask_status, osdear_container_status_result result = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
    osdear_status status = osdear_container_status(fixture->container, &result, error);
    cr_assert_eq(status == OSDEAR_OK, result.exit_code == 3); return status;)
BODY(osdear_container_status, .prepare = prepare_container, .run = ask_status, .changes_state = 1)

RUN(wait_for, int32_t code = -1; osdear_status status = osdear_container_wait(fixture->container, 1000000, &code, error);
    cr_assert_eq(status == OSDEAR_OK, code == 3); return status;)
BODY(osdear_container_wait, .prepare = prepare_container, .run = wait_for, .changes_state = 1)

RUN(logs, osdear_engine_stream *stream = NULL; osdear_logs_options options = OSDEAR_LOGS_OPTIONS_INIT; options.follow = 1;
    options.tail = 3; osdear_status status = osdear_container_logs(fixture->container, &options, &stream, error);
    return settle_stream(status, stream);)
BODY(osdear_container_logs, .prepare = prepare_container, .run = logs, .changes_state = 1)

RUN(attach, osdear_engine_stream *stream = NULL;
    osdear_status status = osdear_container_attach(fixture->container, &stream, error); return settle_stream(status, stream);)
BODY(osdear_container_attach, .prepare = prepare_container, .run = attach, .changes_state = 1)

RUN(exec, osdear_engine_stream *stream = NULL; osdear_exec_options options = OSDEAR_EXEC_OPTIONS_INIT; options.user = "u";
    options.folder = "/"; options.environment = filters; options.environment_count = 1;
    osdear_status status = osdear_container_exec(fixture->container, words, 3, &options, &stream, error);
    return settle_stream(status, stream);)
BODY(osdear_container_exec, .prepare = prepare_container, .run = exec, .changes_state = 1)

RUN(stats, osdear_engine_stream *stream = NULL;
    osdear_status status = osdear_container_stats(fixture->container, 0, &stream, error); return settle_stream(status, stream);)
BODY(osdear_container_stats, .prepare = prepare_container, .run = stats, .changes_state = 1)

RUN(copy_in, return osdear_container_copy_in(fixture->container, fixture->file, "/tmp", error);)
BODY(osdear_container_copy_in, .prepare = prepare_file, .run = copy_in, .changes_state = 1)

RUN(copy_out, return osdear_container_copy_out(fixture->container, "/f", fixture->folder, error);)
BODY(osdear_container_copy_out, .prepare = prepare_container, .run = copy_out, .changes_state = 1)

static void prepare_healthy(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_engine(fixture);
  must(osdear_container_get(fixture->engine, "well", &fixture->container, &error), &error);
}

RUN(wait_healthy, return osdear_container_wait_healthy(fixture->container, 1000, error);)
BODY(osdear_container_wait_healthy, .prepare = prepare_healthy, .run = wait_healthy, .changes_state = 1)

static const osdear_pair results[] = { { "/f", "" } };

RUN(run_job, osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT; osdear_run_options options = OSDEAR_RUN_OPTIONS_INIT;
    osdear_run_result result = OSDEAR_RUN_RESULT_INIT; osdear_pair copied[] = { { results[0].key, fixture->folder } };
    osdear_status status; spec.image = "i:1"; options.results = copied; options.result_count = 1;
    status = osdear_container_run(fixture->engine, &spec, &options, &result, error);
    if (status == OSDEAR_OK) cr_assert_str_eq(result.last_output, "out\nerr\n", "%s", fixture->fault);
    osdear_run_result_clear(&result); return status;)
BODY(osdear_container_run, .prepare = prepare_engine, .run = run_job, .changes_state = 1)

RUN(sweep, int32_t removed = -1; osdear_status status = osdear_container_sweep(fixture->engine, "r1", &removed, error);
    cr_assert_eq(status == OSDEAR_OK, removed == 1); return status;)
BODY(osdear_container_sweep, .prepare = prepare_engine, .run = sweep, .changes_state = 1)

/* ---- stacks ---- */

static const osdear_pair portainer_settings[] = { { "portainer_username", "u" }, { "portainer_password", "p" } };

static void prepare_portainer(fault_fixture *fixture)
{
  osdear_engine_options options = OSDEAR_ENGINE_OPTIONS_INIT;
  osdear_error *error = NULL;

  options.settings = portainer_settings;
  options.setting_count = 2;
  prepare_context(fixture);
  must(osdear_engine_open(fixture->context, standin.portainer, &options, &fixture->engine, &error), &error);
}

static void prepare_stack(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_portainer(fixture);
  must(osdear_stack_get(fixture->engine, "shop", &fixture->stack, &error), &error);
}

static osdear_status settle_stack(osdear_status status, osdear_stack *stack)
{
  cr_assert_eq(status == OSDEAR_OK, stack != NULL);
  osdear_stack_free(stack);
  return status;
}

RUN(list_stacks, osdear_stack_entry *entries = NULL; size_t count = 0;
    osdear_status status = osdear_stack_list(fixture->engine, &entries, &count, error);
    cr_assert_eq(status == OSDEAR_OK, count == 1 && entries[0].id == 3); osdear_stack_entries_free(entries); return status;)
BODY(osdear_stack_list, .prepare = prepare_portainer, .run = list_stacks, .changes_state = 1)

RUN(get_stack, osdear_stack *stack = NULL; osdear_status status = osdear_stack_get(fixture->engine, "shop", &stack, error);
    return settle_stack(status, stack);)
BODY(osdear_stack_get, .prepare = prepare_portainer, .run = get_stack, .changes_state = 1)

RUN(create_stack, osdear_stack *stack = NULL;
    osdear_status status = osdear_stack_create(fixture->engine, "fresh", "services:\n  web:\n", NULL, &stack, error);
    return settle_stack(status, stack);)
BODY(osdear_stack_create, .prepare = prepare_portainer, .run = create_stack, .changes_state = 1)

RUN(update_stack, osdear_stack_options options = OSDEAR_STACK_OPTIONS_INIT; options.environment = filters;
    options.environment_count = 1; return osdear_stack_update(fixture->stack, NULL, &options, error);)
BODY(osdear_stack_update, .prepare = prepare_stack, .run = update_stack, .changes_state = 1)

RUN(stack_file, char *file = NULL; osdear_status status = osdear_stack_file(fixture->stack, &file, error);
    return settle_text(status, file);)
BODY(osdear_stack_file, .prepare = prepare_stack, .run = stack_file, .changes_state = 1)

RUN(bring_up, osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT; osdear_stack_spec stack_spec = OSDEAR_STACK_SPEC_INIT;
    const osdear_mount mount = { "data", "/data", 0 }; const char *const names[] = { "data" };
    const osdear_service services[] = { { "web", &spec, "db" }, { "db", &spec, NULL } }; osdear_stack *stack = NULL;
    osdear_status status; spec.image = "i:1"; spec.mounts = &mount; spec.mount_count = 1; stack_spec.name = "shop";
    stack_spec.services = services; stack_spec.service_count = 2; stack_spec.volumes = names; stack_spec.volume_count = 1;
    status = osdear_stack_up(fixture->engine, &stack_spec, NULL, &stack, error); return settle_stack(status, stack);)
BODY(osdear_stack_up, .prepare = prepare_engine, .run = bring_up, .changes_state = 1)

RUN(stack_status, osdear_stack_status_result result = OSDEAR_STACK_STATUS_RESULT_INIT;
    osdear_status status = osdear_stack_status(fixture->stack, &result, error);
    cr_assert_eq(status == OSDEAR_OK, result.ready == 1 && result.id == 3); return status;)
BODY(osdear_stack_status, .prepare = prepare_stack, .run = stack_status, .changes_state = 1)

RUN(start_stack, return osdear_stack_start(fixture->stack, 0, error);)
BODY(osdear_stack_start, .prepare = prepare_stack, .run = start_stack, .changes_state = 1)

RUN(stop_stack, return osdear_stack_stop(fixture->stack, 0, error);)
BODY(osdear_stack_stop, .prepare = prepare_stack, .run = stop_stack, .changes_state = 1)

RUN(remove_stack, return osdear_stack_remove(fixture->stack, 1, error);)
BODY(osdear_stack_remove, .prepare = prepare_stack, .run = remove_stack, .changes_state = 1)

RUN(verify_stack, return osdear_stack_verify(fixture->stack, 1, 1000, error);)
BODY(osdear_stack_verify, .prepare = prepare_stack, .run = verify_stack, .changes_state = 1)

/* ---- other ways: what Portainer knows by id only, and what ssh says when it ends ---- */

BODY_OF_WAY(osdear_engine_remove, portainer, .prepare = prepare_portainer, .run = remove_object, .changes_state = 1)
BODY_OF_WAY(osdear_container_create, portainer, .prepare = prepare_portainer, .run = create, .changes_state = 1)
BODY_OF_WAY(osdear_container_run, portainer, .prepare = prepare_portainer, .run = run_job, .changes_state = 1)

static void prepare_ssh(fault_fixture *fixture)
{
  prepare_context(fixture);
  write_file(fixture, "#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n");
  cr_assert_eq(chmod(fixture->file, 0700), 0);
}

/* To be denied is what is expected here. */
static osdear_status expect_denied(osdear_status status, osdear_error **error)
{
  cr_assert_neq(status, OSDEAR_OK);
  if (status != OSDEAR_ERR_DENIED)
    return status;
  cr_assert(strstr(osdear_error_message(*error), "publickey"), "%s", osdear_error_message(*error));
  osdear_error_free(*error);
  *error = NULL;
  return OSDEAR_OK;
}

RUN(open_by_ssh, osdear_engine_options options = OSDEAR_ENGINE_OPTIONS_INIT; osdear_engine *engine = NULL;
    const osdear_pair program = { "ssh_program", fixture->file }; options.settings = &program; options.setting_count = 1;
    return expect_denied(osdear_engine_open(fixture->context, "ssh://box", &options, &engine, error), error);)
BODY_OF_WAY(osdear_engine_open, ssh, .prepare = prepare_ssh, .run = open_by_ssh, .changes_state = 1)
