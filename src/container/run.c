/* A job in a container, from its image to its results. Whatever happens on the way, the container is removed in one place: finish(). */
#include <container/container.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define DEFAULT_LAST_BYTES 8192
#define MOST_LAST_BYTES (INT64_C(64) << 20)
#define POLL_MS 1000
#define CLEANUP_MS 60000
#define CREATE_ATTEMPTS 5
#define NAME_ATTEMPTS 24 /* some 20 s in all */
#define NAME_PAUSE_US 10000
#define MOST_NAME_PAUSE_US 1000000
#define LEFTOVER_US INT64_C(4000000) /* what is being made is a container long before */
#define END_MS 10000

typedef struct run {
  osdear_engine *engine;
  osdear_container_spec spec;
  osdear_run_options options;
  osdear__buf name, owner;
  osdear__buf other_owner; /* of what was taken up */
  char hash[17];
  char new_id[37];
  const char *id; /* of the run */
  osdear_container *container;
  bool may_exist;                  /* something of this run may be in the engine */
  bool lacks_image, is_free_again; /* what kept it from being made */
  bool is_nobodys;                 /* the name is taken, and no container has it */
  char leftover[OSDEAR__ID_ROOM];  /* what has it then */
  int64_t leftover_us;             /* since when */
  bool is_taken_up, has_ended;
  osdear_engine_stream *output;
  osdear__http_reader *end; /* of what was taken up: its exit code comes here even if its own run removes it */
  int64_t deadline;
  osdear__buf last;
  osdear_container_status_result status;
} osdear__run;

static void osdear__run_drop(osdear__run *run)
{
  osdear_engine_stream_free(run->output);
  osdear__http_reader_free(run->end);
  osdear_container_free(run->container);
  osdear__buf_drop(&run->name);
  osdear__buf_drop(&run->owner);
  osdear__buf_drop(&run->other_owner);
  osdear__buf_drop(&run->last);
}

/* Asks again while the engine is away. */
static osdear_status patiently(osdear__run *run, osdear_status (*call)(osdear__run *run, osdear_error **error),
                               osdear_error **error)
{
  osdear__patience patience = { 0 };

  for (;;) {
    osdear_status st = call(run, error);

    if (st != OSDEAR_ERR_UNAVAILABLE)
      return st;
    osdear__error_forget(error);
    st = osdear__patience_wait(&patience, run->engine, error);
    if (st)
      return st;
  }
}

static osdear_status sweep(osdear__run *run, osdear_error **error)
{
  return osdear_container_sweep(run->engine, NULL, NULL, error);
}

static osdear_status look(osdear__run *run, osdear_error **error)
{
  return osdear_container_status(run->container, &run->status, error);
}

static osdear_status open_output(osdear__run *run, osdear_error **error)
{
  osdear_logs_options options = OSDEAR_LOGS_OPTIONS_INIT;

  options.follow = 1;
  return osdear_container_logs(run->container, &options, &run->output, error);
}

/* ---- what is asked for ---- */

static osdear_status check_options(const osdear__run *run, osdear_error **error)
{
  const osdear_run_options *o = &run->options;

  if (o->existing < OSDEAR_EXISTING_REPLACE || o->existing > OSDEAR_EXISTING_FAIL)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "run: existing is %" PRId32 ": give OSDEAR_EXISTING_REPLACE, _TAKE_UP or _FAIL", o->existing);
  if (o->timeout_ms < 0 || o->grace_s < 0 || o->last_bytes < 0 || o->last_bytes > MOST_LAST_BYTES)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "run: timeout_ms, grace_s or last_bytes is negative or too large");
  if (run->spec.restart && strcmp(run->spec.restart, "no") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "run: a job that ends is not restarted: leave `restart` NULL");
  for (size_t i = 0; i < o->result_count; i++)
    if (!o->results || !o->results[i].key || o->results[i].key[0] != '/' || !o->results[i].value || !*o->results[i].value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "run: result %zu wants an absolute path inside and a folder here", i);
  return OSDEAR_OK;
}

static osdear_status prepare(osdear__run *run, const osdear_container_spec *spec, const osdear_run_options *options,
                             osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st = osdear__options_read(&run->spec, sizeof run->spec, spec, error);

  if (!st)
    st = osdear__options_read(&run->options, sizeof run->options, options, error);
  if (!st)
    st = check_options(run, error);
  if (!st)
    st = osdear__spec_print(&run->spec, NULL, 0, run->spec.network_count, &text, error);
  if (st)
    return st;
  osdear__lasting_hash(text.data, text.size, run->hash);
  osdear__uuid(run->new_id);
  run->id = run->options.run_id ? run->options.run_id : run->new_id;
  if (run->spec.name)
    osdear__buf_puts(&run->name, run->spec.name);
  else
    osdear__buf_printf(&run->name, "osdear-%s", run->hash);
  osdear__owner_put(&run->owner);
  st = osdear__buf_check(&run->owner, error);
  run->spec.name = run->name.data;
  return st ? st : osdear__buf_check(&run->name, error);
}

/* ---- the container: made, or found ---- */

static osdear_status make(osdear__run *run, osdear_error **error)
{
  osdear_pair labels[4] = {
    { OSDEAR__LABEL_RUN, run->id },
    { OSDEAR__LABEL_SPEC, run->hash },
    { OSDEAR__LABEL_OWNER, run->owner.data },
    { OSDEAR__LABEL_LASTING, "1" },
  };
  bool is_lasting = run->options.keep || run->options.existing == OSDEAR_EXISTING_TAKE_UP;

  run->may_exist = true;
  return osdear__container_make(run->engine, &run->spec, labels, is_lasting ? 4 : 3, &run->container, error);
}

/* What ended, or whose process is not known to live, may go. */
static osdear_status replace(osdear__run *run, const osdear__json *inspected, const char *id, osdear_error **error)
{
  const osdear__json *labels = osdear__json_get(osdear__json_get(inspected, "Config"), "Labels");
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  osdear_status st;

  osdear__status_of(inspected, &status);
  if (status.state != OSDEAR_CONTAINER_EXITED &&
      osdear__owner_look(osdear__json_str(labels, OSDEAR__LABEL_OWNER)) == OWNER_ALIVE) {
    run->may_exist = false;
    return osdear__fail(
        error, OSDEAR_ERR_EXISTS,
        "a run of `%s` is under way, and the process that waits for it lives: take it up, or run under another name",
        run->name.data);
  }
  st = osdear__run_remove(run->engine, id, error);
  return st ? st : OSDEAR_ERR_CONFLICT;
}

/* One of our name is there. Ours, if an answer to its making was lost; else it is dealt with as the caller chose. */
static osdear_status meet_existing(osdear__run *run, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  AUTO(container) found = NULL;
  const osdear__json *tree, *labels;
  osdear_status st = osdear_container_get(run->engine, run->name.data, &found, error);

  run->is_nobodys = st == OSDEAR_ERR_NOT_FOUND;
  if (!st)
    st = osdear__container_inspect(found, &arena, &tree, error);
  if (st)
    return st == OSDEAR_ERR_NOT_FOUND ? OSDEAR_ERR_CONFLICT : st;
  labels = osdear__json_get(osdear__json_get(tree, "Config"), "Labels");
  if (!osdear__str_is(osdear__json_str(labels, OSDEAR__LABEL_RUN), run->id)) {
    if (run->options.existing == OSDEAR_EXISTING_FAIL || osdear__json_str(labels, OSDEAR__LABEL_RUN).size == 0) {
      run->may_exist = false;
      return osdear__fail(error, OSDEAR_ERR_EXISTS, "a container `%s` is there already%s", run->name.data,
                          run->options.existing == OSDEAR_EXISTING_FAIL ? "" : ", and no run of this library made it");
    }
    if (run->options.existing == OSDEAR_EXISTING_REPLACE)
      return replace(run, tree, found->id, error);
    if (!osdear__str_is(osdear__json_str(labels, OSDEAR__LABEL_SPEC), run->hash)) {
      run->may_exist = false;
      return osdear__fail(error, OSDEAR_ERR_EXISTS, "the container `%s` was made from another description: it is not taken up",
                          run->name.data);
    }
    run->is_taken_up = true;
    osdear__buf_append(&run->other_owner, osdear__json_str(labels, OSDEAR__LABEL_OWNER).data,
                       osdear__json_str(labels, OSDEAR__LABEL_OWNER).size);
    st = osdear__buf_check(&run->other_owner, error);
    if (st)
      return st;
  }
  run->container = found;
  found = NULL;
  return OSDEAR_OK;
}

static osdear_status fetch_image(osdear__run *run, osdear_error **error)
{
  osdear_pull_options pull = OSDEAR_PULL_OPTIONS_INIT;
  osdear_status st = osdear__options_read(&pull, sizeof pull, run->options.pull, error);

  if (!st && !pull.platform)
    pull.platform = run->spec.platform;
  return st ? st : osdear_image_pull(run->engine, run->spec.image, &pull, error);
}

static osdear_status make_or_meet(osdear__run *run, osdear_error **error)
{
  osdear_status st = make(run, error);

  run->is_free_again = false;
  run->lacks_image = st == OSDEAR_ERR_NOT_FOUND;
  if (run->lacks_image)
    run->may_exist = false;
  if (st != OSDEAR_ERR_EXISTS)
    return st;
  osdear__error_forget(error);
  st = meet_existing(run, error);
  run->is_free_again = st == OSDEAR_ERR_CONFLICT; /* it went away meanwhile, or was removed */
  return st;
}

/* A name that is being freed by somebody else, or has no container behind it yet, takes an engine a while, and a busy Podman seconds. */
static osdear_status wait_for_name(const osdear__run *run, int attempt, osdear_error **error)
{
  int64_t pause_us = attempt < 7 ? (int64_t)NAME_PAUSE_US << attempt : MOST_NAME_PAUSE_US;

  return attempt == 0 ? OSDEAR_OK : osdear__sleep(run->engine->context, pause_us, error);
}

/* A Podman that is killed while it makes a container may keep the layer, and with it the name, and know of no container. */
static osdear_status remove_leftover(osdear__run *run, osdear_error **error)
{
  int64_t now_us = osdear__monotonic_us();
  char id[OSDEAR__ID_ROOM];
  osdear_status st;

  if (!run->engine->is_podman || !run->is_nobodys)
    return OSDEAR_OK;
  st = osdear__leftover_find(run->engine, run->name.data, id, error);
  if (st == OSDEAR_ERR_CANCELLED || st == OSDEAR_ERR_TIMEOUT || st == OSDEAR_ERR_NO_MEMORY)
    return st;
  osdear__error_forget(error); /* one that does not tell leaves only to wait */
  if (st || strcmp(id, run->leftover) != 0) {
    memcpy(run->leftover, id, sizeof id);
    run->leftover_us = now_us;
    return OSDEAR_OK;
  }
  return id[0] && now_us - run->leftover_us > LEFTOVER_US ? osdear__run_remove(run->engine, id, error) : OSDEAR_OK;
}

static osdear_status find_or_make(osdear__run *run, osdear_error **error)
{
  bool may_fetch = !run->options.never_pull;
  osdear_status st = OSDEAR_OK;

  if (run->options.pull && may_fetch) {
    st = fetch_image(run, error);
    may_fetch = false;
  }
  if (st)
    return st;
  for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    st = patiently(run, make_or_meet, error);
    if (!run->is_free_again && !(run->lacks_image && may_fetch))
      return st;
    osdear__error_forget(error);
    if (run->lacks_image) {
      st = fetch_image(run, error);
      may_fetch = false;
    } else {
      st = wait_for_name(run, attempt, error);
      if (!st)
        st = remove_leftover(run, error);
    }
    if (st)
      return st;
  }
  return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                      "the container `%s` could not be made: others make and remove it at the same time", run->name.data);
}

/* An engine that was killed just after it had made a container may not know it any more. It never ran: another is made. */
static osdear_status make_again(osdear__run *run, osdear_error **error)
{
  osdear__error_forget(error);
  osdear_container_free(run->container);
  run->container = NULL;
  return find_or_make(run, error);
}

/* The answer to a start was lost. What was started all the same is not started again once it has ended: it would run twice. */
static osdear_status was_started(osdear__run *run, osdear__patience *patience, bool *out, osdear_error **error)
{
  osdear_status st;

  osdear__error_forget(error);
  st = osdear__patience_wait(patience, run->engine, error);
  if (!st)
    st = patiently(run, look, error);
  *out = !st && run->status.state != OSDEAR_CONTAINER_CREATED;
  return st;
}

static osdear_status start(osdear__run *run, osdear_error **error)
{
  osdear__patience patience = { 0 };
  bool is_started = false;
  int lost = 0;

  while (!is_started) {
    osdear_status st = osdear_container_start(run->container, error);

    is_started = !st;
    if (st == OSDEAR_ERR_UNAVAILABLE)
      st = was_started(run, &patience, &is_started, error);
    if (st == OSDEAR_ERR_NOT_FOUND && patience.wait_us && !run->is_taken_up && lost++ < CREATE_ATTEMPTS)
      st = make_again(run, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status await_end(osdear__run *run, osdear_error **error)
{
  return osdear__end_ask(run->container, &run->end, error);
}

/* What was taken up may run, or have ended; only what never ran is started. */
static osdear_status start_or_join(osdear__run *run, osdear_error **error)
{
  osdear_status st;

  if (!run->is_taken_up)
    return start(run, error);
  st = patiently(run, await_end, error);
  if (!st)
    st = patiently(run, look, error);
  return st || run->status.state != OSDEAR_CONTAINER_CREATED ? st : start(run, error);
}

/* ---- its output ---- */

static osdear_status write_out(int fd, const char *data, size_t size, osdear_error **error)
{
  while (size) {
    ssize_t wrote = osdear__fault_hit(FAULT_WRITE) ? (errno = EIO, -1) : write(fd, data, size);

    if (wrote < 0 && errno == EAGAIN) {
      struct pollfd waiting = { .fd = fd, .events = POLLOUT };
      poll(&waiting, 1, POLL_MS);
      continue;
    }
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return osdear__fail_errno(error, errno, "cannot write the container's output");
    data += wrote;
    size -= (size_t)wrote;
  }
  return OSDEAR_OK;
}

/* Twice as much as is wanted is kept, so that bytes are seldom moved. */
static void keep_last(osdear__run *run, const char *data, size_t size)
{
  size_t wanted = run->options.last_bytes ? (size_t)run->options.last_bytes : DEFAULT_LAST_BYTES;

  if (size > wanted) {
    data += size - wanted;
    size = wanted;
  }
  if (run->last.size + size > 2 * wanted) {
    memmove(run->last.data, run->last.data + run->last.size - wanted, wanted);
    run->last.size = wanted;
  }
  osdear__buf_append(&run->last, data, size);
}

static osdear_status take_output(osdear__run *run, const osdear_chunk *chunk, osdear_error **error)
{
  int fd = chunk->channel == OSDEAR_CHANNEL_STDERR ? run->options.stderr_fd : run->options.stdout_fd;

  keep_last(run, chunk->data, chunk->data_size);
  return fd >= 0 ? write_out(fd, chunk->data, chunk->data_size, error) : OSDEAR_OK;
}

static osdear_status time_is_over(const osdear__run *run, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "the container `%s` ran longer than %" PRId64 " ms: it is stopped and removed",
                      run->name.data, run->options.timeout_ms);
}

static int64_t slice_of(const osdear__run *run)
{
  int64_t left_ms = (run->deadline - osdear__monotonic_us()) / 1000;

  return left_ms < 0 ? 0 : left_ms < POLL_MS ? left_ms : POLL_MS;
}

static osdear_status follow_output(osdear__run *run, osdear_error **error)
{
  for (;;) {
    osdear_chunk chunk = OSDEAR_CHUNK_INIT;
    bool is_silent;
    osdear_status st = osdear__stream_poll(run->output, slice_of(run), &chunk, &is_silent, error);

    if (!st && !is_silent && !chunk.data)
      return OSDEAR_OK;
    if (!st && !is_silent)
      st = take_output(run, &chunk, error);
    if (!st && osdear__monotonic_us() >= run->deadline)
      st = time_is_over(run, error);
    if (st)
      return st;
  }
}

/* Its time may be over while the engine is asked. */
static osdear_status judge_time(const osdear__run *run, osdear_status st, osdear_error **error)
{
  if (st != OSDEAR_ERR_TIMEOUT || osdear__monotonic_us() < run->deadline)
    return st;
  osdear__error_forget(error);
  return time_is_over(run, error);
}

static osdear_status wait_for_end(osdear__run *run, osdear_error **error)
{
  int64_t left_ms = run->deadline == INT64_MAX ? -1 : (run->deadline - osdear__monotonic_us()) / 1000;
  int32_t exit_code;
  osdear_status st = osdear_container_wait(run->container, left_ms < -1 ? 0 : left_ms, &exit_code, error);

  if (!st)
    st = patiently(run, look, error);
  if (!st && run->status.state != OSDEAR_CONTAINER_EXITED)
    run->status.exit_code = exit_code;
  return st;
}

/* The run that made the container was faster, and has removed it. What it ended with was asked for before. */
static osdear_status learn_end(osdear__run *run, osdear_error **error)
{
  bool is_silent;
  osdear_status st = osdear__end_read(run->container, run->end, END_MS, &run->status.exit_code, &is_silent, error);

  if (!st && is_silent)
    st = osdear__fail(error, OSDEAR_ERR_STATE, "the container `%s` was removed, and the engine does not tell how it ended",
                      run->name.data);
  run->status.state = OSDEAR_CONTAINER_EXITED;
  return st;
}

static osdear_status look_at_end(osdear__run *run, osdear_error **error)
{
  osdear_status st = patiently(run, look, error);

  if (st == OSDEAR_ERR_NOT_FOUND && run->end) {
    osdear__error_forget(error);
    return learn_end(run, error);
  }
  if (!st && run->status.state != OSDEAR_CONTAINER_EXITED)
    st = wait_for_end(run, error);
  /* An engine that was killed may have forgotten that it ran. */
  if (!st && run->status.state == OSDEAR_CONTAINER_CREATED)
    st = osdear__fail(error, OSDEAR_ERR_STATE, "the engine went away, and does not know any more that the container `%s` ran",
                      run->name.data);
  return st ? st : osdear__check_exit_code(run->container, run->status.exit_code, error);
}

static osdear_status follow(osdear__run *run, osdear_error **error)
{
  int64_t before;
  osdear_status st;

  run->deadline = run->options.timeout_ms ? osdear__monotonic_us() + run->options.timeout_ms * 1000 : INT64_MAX;
  before = osdear__engine_bound(run->engine, run->deadline);
  st = patiently(run, open_output, error);
  if (!st)
    st = follow_output(run, error);
  if (st == OSDEAR_ERR_UNSUPPORTED) { /* some log drivers cannot be read: then there is no output, but still an end */
    osdear__error_forget(error);
    st = OSDEAR_OK;
  }
  if (!st)
    st = look_at_end(run, error);
  run->engine->deadline_us = before;
  run->has_ended = !st;
  return judge_time(run, st, error);
}

static osdear_status collect(osdear__run *run, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < run->options.result_count; i++) {
    st = osdear_container_copy_out(run->container, run->options.results[i].key, run->options.results[i].value, error);
    if (st)
      st = osdear__fail_within(error, st, "result %s of the container `%s`", run->options.results[i].key, run->name.data);
  }
  return st;
}

/* ---- the end ---- */

/* A request to make it may have been given up before its answer came: then it may appear a moment later. */
static osdear_status remove_by_label(osdear__run *run, osdear_engine *engine, osdear_error **error)
{
  osdear__patience patience = { 0 };
  osdear_status st = OSDEAR_ERR_UNAVAILABLE;
  int32_t removed = 0;

  for (int attempt = 0; attempt < 10 && removed == 0; attempt++) {
    osdear__error_forget(error);
    st = osdear_container_sweep(engine, run->id, &removed, error);
    if (st && st != OSDEAR_ERR_UNAVAILABLE && st != OSDEAR_ERR_TIMEOUT)
      return st;
    if (removed == 0 && osdear__patience_wait(&patience, engine, NULL) != OSDEAR_OK)
      return st;
  }
  return st;
}

static osdear_status remove_container(osdear__run *run, bool was_answered, osdear_error **error)
{
  AUTO(engine) engine = NULL;
  osdear_status st = osdear__engine_for_tidying(run->engine, CLEANUP_MS, &engine, error);

  if (st)
    return st;
  if (!run->container)
    return was_answered ? OSDEAR_OK : remove_by_label(run, engine, error);
  if (!run->has_ended && run->options.grace_s > 0) {
    osdear_container same = { engine, run->container->id };
    osdear_error *ignored = NULL;
    if (osdear_container_stop(&same, run->options.grace_s, &ignored) != OSDEAR_OK)
      osdear__log(engine->context, OSDEAR_LOG_INFO, "container", "%s: %s", run->name.data, osdear_error_message(ignored));
    osdear_error_free(ignored);
  }
  return osdear__run_remove(engine, run->container->id, error);
}

/* What was taken up belongs to the process that made it, while that lives: it may still read what it came for. */
static bool is_left_to_its_owner(const osdear__run *run)
{
  return run->is_taken_up && osdear__owner_look((osdear__str){ run->other_owner.data, run->other_owner.size }) == OWNER_ALIVE;
}

/* `st` is how the run itself went: a failure to remove the container comes second. */
static osdear_status finish(osdear__run *run, osdear_status st, osdear_error **error)
{
  bool was_answered =
      st != OSDEAR_ERR_CANCELLED && st != OSDEAR_ERR_TIMEOUT && st != OSDEAR_ERR_UNAVAILABLE && st != OSDEAR_ERR_NO_MEMORY;
  osdear_error *failure = NULL;
  osdear_status removing;

  if (!run->may_exist || (run->options.keep && run->has_ended) || is_left_to_its_owner(run))
    return st;
  removing = remove_container(run, was_answered, &failure);
  if (!removing)
    return st;
  osdear__log(run->engine->context, OSDEAR_LOG_WARNING, "container", "%s is left behind: %s", run->name.data,
              osdear_error_message(failure));
  if (st) {
    osdear_error_free(failure);
    return st;
  }
  if (!error) {
    osdear_error_free(failure);
    return removing;
  }
  *error = failure;
  return osdear__fail_within(error, removing, "the container `%s` ended with exit code %" PRId32 ", but could not be removed",
                             run->name.data, run->status.exit_code);
}

static void cut_to_lines(osdear__run *run)
{
  size_t wanted = run->options.last_bytes ? (size_t)run->options.last_bytes : DEFAULT_LAST_BYTES;
  size_t from = run->last.size > wanted ? run->last.size - wanted : 0;
  const char *newline = from ? memchr(run->last.data + from, '\n', run->last.size - from) : NULL;

  if (newline && newline + 1 < run->last.data + run->last.size)
    from = (size_t)(newline + 1 - run->last.data);
  if (from)
    memmove(run->last.data, run->last.data + from, run->last.size - from);
  run->last.size -= from;
  for (size_t i = 0; i < run->last.size; i++)
    if (run->last.data[i] == '\0')
      run->last.data[i] = '?';
  osdear__buf_append(&run->last, "", 0);
}

static osdear_status tell(osdear__run *run, osdear_run_result *result, osdear_error **error)
{
  osdear_run_result known = OSDEAR_RUN_RESULT_INIT;
  osdear_status st;

  if (!result)
    return OSDEAR_OK;
  st = osdear__buf_check(&run->last, error);
  if (st)
    return st;
  cut_to_lines(run);
  known.exit_code = run->status.exit_code;
  known.was_out_of_memory = run->status.was_out_of_memory;
  known.was_taken_up = run->is_taken_up;
  known.container_id = osdear__strdup(run->container->id);
  known.last_output = run->last.data ? osdear__strndup(run->last.data, run->last.size) : osdear__strdup("");
  st = known.container_id && known.last_output ? osdear__result_write(result, &known, sizeof known, error)
                                               : osdear__fail_memory(error);
  if (st) {
    osdear__free(known.container_id);
    osdear__free(known.last_output);
  }
  return st;
}

osdear_status osdear_container_run(osdear_engine *engine, const osdear_container_spec *spec, const osdear_run_options *options,
                                   osdear_run_result *result, osdear_error **error)
{
  SCOPED(run)
  run = { .engine = engine,
          .spec = OSDEAR_CONTAINER_SPEC_INIT,
          .options = OSDEAR_RUN_OPTIONS_INIT,
          .status = OSDEAR_CONTAINER_STATUS_RESULT_INIT };
  osdear_status st;

  if (!engine || !spec)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine and spec must not be NULL");
  if (result && result->size < sizeof result->size)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "run: set the result's `size` with OSDEAR_RUN_RESULT_INIT");
  st = prepare(&run, spec, options, error);
  if (!st)
    st = patiently(&run, sweep, error);
  if (!st)
    st = find_or_make(&run, error);
  if (!st)
    st = start_or_join(&run, error);
  if (!st)
    st = follow(&run, error);
  if (!st)
    st = collect(&run, error);
  if (!st)
    st = tell(&run, result, error);
  return finish(&run, st, error);
}

void osdear_run_result_clear(osdear_run_result *result)
{
  if (!result)
    return;
  osdear__free(result->container_id);
  osdear__free(result->last_output);
  result->container_id = NULL;
  result->last_output = NULL;
}
