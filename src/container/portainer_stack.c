/* Portainer's stacks. Its Status is a wish, its answers are not the containers': after each call these are looked at. */
#include <container/stack.h>

#define SETTLE_US 10000000
#define SETTLE_LOOK_US 500000

/* ---- requests ---- */

/* It brings containers up and down within the request: silence is no sign of anything. */
static osdear_status ask(osdear_engine *engine, const char *method, osdear__buf *path, const char *body, int64_t deadline,
                         osdear__arena *arena, const osdear__json **out, osdear_error **error)
{
  int64_t left_ms = deadline == INT64_MAX ? 0 : (deadline - osdear__monotonic_us()) / 1000;
  osdear__engine_request request = { .method = method,
                                     .of_portainer = true,
                                     .body = body,
                                     .idle_timeout_ms = deadline ? -1 : 0,
                                     .timeout_ms = deadline && left_ms <= 0 ? 1
                                                   : deadline               ? left_ms
                                                                            : 0 };
  osdear_status st = osdear__buf_check(path, error);

  request.path = path->data;
  return st ? st : osdear__engine_ask(engine, &request, arena, out, error);
}

/* Without waiting longer than for any answer. */
static osdear_status get(osdear_engine *engine, osdear__buf *path, osdear__arena *arena, const osdear__json **out,
                         osdear_error **error)
{
  return ask(engine, "GET", path, NULL, 0, arena, out, error);
}

/* POST /stacks/ID/start and the like. */
static osdear_status act(osdear_engine *engine, const char *method, int64_t id, const char *what, const char *body,
                         int64_t deadline, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  const osdear__json *ignored;

  osdear__buf_printf(&path, "/stacks/%" PRId64 "%s?endpointId=%" PRId64, id, what,
                     osdear__portainer_environment(engine->portainer));
  return ask(engine, method, &path, body, deadline, &arena, &ignored, error);
}

/* ---- rows ---- */

osdear_status osdear__portainer_stacks(osdear_engine *engine, osdear__arena *arena, const osdear__json **rows,
                                       osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  SCOPED(buf) filter = { 0 };
  osdear_status st;

  osdear__buf_printf(&filter, "{\"EndpointID\":%" PRId64 "}", osdear__portainer_environment(engine->portainer));
  st = osdear__buf_check(&filter, error);
  if (st)
    return st;
  osdear__buf_puts(&path, "/stacks?filters=");
  osdear__http_put_encoded(&path, (osdear__str){ filter.data, filter.size }, "");
  st = get(engine, &path, arena, rows, error);
  if (!st && *rows && (*rows)->kind != JSON_IS_ARRAY)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Portainer's list of stacks is no list");
  return st;
}

bool osdear__portainer_row_is_active(const osdear__json *row)
{
  return osdear__json_int(row, "Status", 0) == 1;
}

osdear_status osdear__portainer_stack_find(osdear_engine *engine, const char *name, int64_t besides, int64_t *id,
                                           bool *is_wanted_up, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const osdear__json *rows = NULL;
  osdear_status st = osdear__portainer_stacks(engine, &arena, &rows, error);

  *id = 0;
  for (size_t i = 0; !st && rows && i < rows->count; i++) {
    int64_t found = osdear__json_int(&rows->items[i], "Id", 0);
    if (found > 0 && found != besides && osdear__str_is(osdear__json_str(&rows->items[i], "Name"), name) &&
        (*id == 0 || found < *id)) {
      *id = found;
      *is_wanted_up = osdear__portainer_row_is_active(&rows->items[i]);
    }
  }
  return st;
}

osdear_status osdear_stack_file(osdear_stack *stack, char **file, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  const osdear__json *answer = NULL;
  osdear_status st;

  if (!stack || !file)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack and file must not be NULL");
  if (!stack->id)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "stack `%s` is none of Portainer's: nobody keeps a file of it",
                        stack->name);
  osdear__buf_printf(&path, "/stacks/%" PRId64 "/file", stack->id);
  st = get(stack->engine, &path, &arena, &answer, error);
  if (st)
    return st;
  *file = osdear__strdup(osdear__json_str(answer, "StackFileContent").data);
  return *file ? OSDEAR_OK : osdear__fail_memory(error);
}

/* ---- what failed ---- */

/* 500 is how it says that a file cannot be brought up: Compose's words tell more, and trying again does not help. */
static osdear_status meaning_of(const osdear_error *failure, osdear_status status)
{
  osdear_status meant;

  if (status != OSDEAR_ERR_UNAVAILABLE || osdear_error_http_status(failure) != 500)
    return status;
  meant = osdear__engine_meaning(osdear__str_of(osdear_error_message(failure)), 500);
  return meant ? meant : OSDEAR_ERR_ARGUMENT;
}

static osdear_status tell(osdear_status status, const osdear_error *failure, const char *code, const char *what, const char *name,
                          osdear_error **error)
{
  const osdear__service_answer answer = { .code = code, .http_status = osdear_error_http_status(failure), .retryable = -1 };

  return osdear__fail_service(error, status, &answer, "stack `%s` %s: %s", name, what, osdear_error_message(failure));
}

/* ---- start and stop ---- */

/* "Already" is what was wanted: 400 for inactive, 409 or 400 for active. */
static bool is_refused(osdear_status st, const osdear_error *failure)
{
  int32_t http = osdear_error_http_status(failure);

  return st && (http == 400 || http == 409);
}

static osdear_status stop_row(osdear_engine *engine, int64_t id, int64_t deadline, osdear_error **error)
{
  osdear_error *failure = NULL;
  osdear_status st = act(engine, "POST", id, "/stop", NULL, deadline, &failure);

  if (is_refused(st, failure)) {
    osdear__error_forget(&failure);
    return OSDEAR_OK;
  }
  return osdear__fail_on(error, st, &failure);
}

static osdear_status count_running(osdear_engine *engine, const char *name, size_t *running, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__members members;
  osdear_status st = osdear__members_find(engine, name, &arena, &members, error);

  *running = 0;
  for (size_t i = 0; !st && i < members.count; i++)
    *running += osdear__member_runs(&members.items[i]);
  return st;
}

static osdear_status start_row(osdear_engine *engine, const char *name, int64_t id, int64_t deadline, osdear_error **error)
{
  osdear_error *failure = NULL;
  size_t running = 0;
  osdear_status st = act(engine, "POST", id, "/start", NULL, deadline, &failure);

  if (!is_refused(st, failure)) {
    st = meaning_of(failure, st);
    return osdear__fail_on(error, st, &failure);
  }
  osdear__error_forget(&failure);
  st = count_running(engine, name, &running, error);
  if (st || running)
    return st;
  /* It thinks that the stack is up, and none of it is there: only a stop makes it believe otherwise. */
  st = stop_row(engine, id, deadline, error);
  return st ? st : act(engine, "POST", id, "/start", NULL, deadline, error);
}

osdear_status osdear__portainer_stack_start(osdear_stack *stack, int64_t deadline, osdear_error **error)
{
  osdear_status st = start_row(stack->engine, stack->name, stack->id, deadline, error);

  return st ? st : osdear__members_await(stack->engine, stack->name, true, deadline, error);
}

/* What it leaves, such as services that an update had dropped, goes as well. */
osdear_status osdear__portainer_stack_stop(osdear_stack *stack, int64_t deadline, osdear_error **error)
{
  osdear_status st = stop_row(stack->engine, stack->id, deadline, error);

  if (!st)
    st = osdear__members_drop(stack->engine, stack->name, NULL, 0, error);
  return st ? st : osdear__members_await(stack->engine, stack->name, false, deadline, error);
}

osdear_status osdear__portainer_stack_delete(osdear_engine *engine, int64_t id, osdear_error **error)
{
  osdear_error *failure = NULL;
  osdear_status st = act(engine, "DELETE", id, "", NULL, osdear__stack_deadline(0), &failure);

  if (st == OSDEAR_ERR_NOT_FOUND) {
    osdear__error_forget(&failure);
    return OSDEAR_OK;
  }
  return osdear__fail_on(error, st, &failure);
}

/* ---- bodies ---- */

static bool is_given(const osdear_stack_options *options, osdear__str name)
{
  for (size_t i = 0; i < options->environment_count; i++)
    if (osdear__str_is(name, options->environment[i].key))
      return true;
  return false;
}

static void put_variable(osdear__buf *out, bool *first, osdear__str name, osdear__str value)
{
  osdear__json_put_comma(out, first);
  osdear__buf_puts(out, "{\"name\":");
  osdear__json_put_string(out, name);
  osdear__buf_puts(out, ",\"value\":");
  osdear__json_put_string(out, value);
  osdear__buf_putc(out, '}');
}

/* `before`: the variables that an update keeps, because Portainer forgets those that are not sent again. */
static void put_body(osdear__buf *out, const char *name, const char *file, const osdear_stack_options *options,
                     const osdear__json *before)
{
  const char *pull = options->pull == OSDEAR_STACK_PULL_ALWAYS ? "true" : "false";
  bool first = true;

  osdear__buf_putc(out, '{');
  if (name) {
    osdear__buf_puts(out, "\"Name\":");
    osdear__json_put_string(out, osdear__str_of(name));
    osdear__buf_putc(out, ',');
  }
  osdear__buf_puts(out, "\"StackFileContent\":");
  osdear__json_put_string(out, osdear__str_of(file));
  osdear__buf_puts(out, ",\"Env\":[");
  for (size_t i = 0; before && before->kind == JSON_IS_ARRAY && i < before->count; i++)
    if (!is_given(options, osdear__json_str(&before->items[i], "name")))
      put_variable(out, &first, osdear__json_str(&before->items[i], "name"), osdear__json_str(&before->items[i], "value"));
  for (size_t i = 0; i < options->environment_count; i++)
    put_variable(out, &first, osdear__str_of(options->environment[i].key), osdear__str_of(options->environment[i].value));
  /* Newer releases call it by another name, and each passes over what it does not know. */
  osdear__buf_printf(out, "],\"Prune\":true,\"PullImage\":%s,\"RepullImageAndRedeploy\":%s}", pull, pull);
}

static osdear_status read_options(const osdear_stack_options *given, osdear_stack_options *known, osdear_error **error)
{
  osdear_status st = osdear__options_read(known, sizeof *known, given, error);

  if (!st && (known->pull < OSDEAR_STACK_PULL_MISSING || known->pull > OSDEAR_STACK_PULL_NEVER || known->timeout_ms < 0))
    st =
        osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: pull is %" PRId32 ", timeout_ms %" PRId64 ": one of them makes no sense",
                     known->pull, known->timeout_ms);
  for (size_t i = 0; !st && i < known->environment_count; i++)
    if (!known->environment || !known->environment[i].key || !known->environment[i].value)
      st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: variable %zu has no name or no value", i);
  return st;
}

/* ---- create ---- */

/* Neither a row nor a container may have the name: Portainer would take a stranger's containers for its own. */
static osdear_status check_free(osdear_engine *engine, const char *name, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__members members;
  bool is_wanted_up;
  int64_t id = 0;
  osdear_status st = osdear__portainer_stack_find(engine, name, 0, &id, &is_wanted_up, error);

  if (!st && id)
    return osdear__fail(error, OSDEAR_ERR_EXISTS, "there is a stack `%s` already, number %" PRId64, name, id);
  if (!st)
    st = osdear__members_find(engine, name, &arena, &members, error);
  if (!st && members.count)
    return osdear__fail(error, OSDEAR_ERR_EXISTS,
                        "there are containers of a stack `%s` that Portainer does not know: remove them, or take another name",
                        name);
  return st;
}

/* The file was refused: Portainer has no row of it, but may have left containers. Somebody else's row of that name keeps them. */
static void clean_up(osdear_engine *engine, const char *name)
{
  AUTO(engine) tidying = NULL;
  AUTO(error) failure = NULL;
  bool is_wanted_up;
  int64_t id = 0;
  osdear_status st = osdear__engine_for_tidying(engine, OSDEAR__STACK_TIDYING_MS, &tidying, &failure);

  if (!st)
    st = osdear__portainer_stack_find(tidying, name, 0, &id, &is_wanted_up, &failure);
  if (!st && !id)
    st = osdear__members_remove(tidying, name, false, &failure);
  if (st)
    osdear__log(engine->context, OSDEAR_LOG_WARNING, "container", "stack %s: containers may be left: %s", name,
                osdear_error_message(failure));
}

/* Two that create one name at a time both succeed. Theirs stays; our row goes, and takes the containers of both with it. */
static osdear_status give_way(osdear_engine *engine, const char *name, int64_t id, int64_t ours, int64_t deadline,
                              osdear_error **error)
{
  osdear_status st = osdear__portainer_stack_delete(engine, ours, error);

  if (!st)
    st = stop_row(engine, id, deadline, error);
  if (!st)
    st = start_row(engine, name, id, deadline, error);
  if (!st)
    st = osdear__members_await(engine, name, true, deadline, error);
  if (st)
    return osdear__fail_within(
        error, st, "stack `%s` was created twice at the same time, and the other one could not be started again", name);
  return osdear__fail(error, OSDEAR_ERR_EXISTS,
                      "a stack `%s` was created by another at the same time: theirs runs, number %" PRId64, name, id);
}

/* Rows are numbered before they are put in, so that the older one may be the later to be seen. The younger gives way at once; the older gives
 * the younger time for that, and gives way itself to one that was done before it could see us. */
static osdear_status settle(osdear_engine *engine, const char *name, int64_t ours, int64_t deadline, osdear_error **error)
{
  int64_t until = osdear__monotonic_us() + SETTLE_US;
  bool is_wanted_up;

  for (;;) {
    int64_t theirs = 0;
    osdear_status st = osdear__portainer_stack_find(engine, name, ours, &theirs, &is_wanted_up, error);

    if (st || !theirs)
      return st;
    if (theirs < ours || osdear__monotonic_us() >= until)
      return give_way(engine, name, theirs, ours, deadline, error);
    st = osdear__sleep(engine->context, SETTLE_LOOK_US, error);
    if (st)
      return st;
  }
}

static osdear_status post_new(osdear_engine *engine, const char *name, const char *file, const osdear_stack_options *options,
                              int64_t deadline, int64_t *id, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  const osdear__json *answer = NULL;
  AUTO(error) failure = NULL;
  osdear_status st;

  put_body(&body, name, file, options, NULL);
  st = osdear__buf_check(&body, error);
  if (st)
    return st;
  osdear__buf_printf(&path, "/stacks/create/standalone/string?endpointId=%" PRId64,
                     osdear__portainer_environment(engine->portainer));
  st = ask(engine, "POST", &path, body.data, deadline, &arena, &answer, &failure);
  *id = st ? 0 : osdear__json_int(answer, "Id", 0);
  if (!st && *id <= 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Portainer made the stack `%s`, but gave no number for it", name);
  if (!st)
    return OSDEAR_OK;
  if (osdear_error_http_status(failure) == 409)
    st = OSDEAR_ERR_EXISTS;
  else if (osdear_error_http_status(failure) == 500)
    clean_up(engine, name);
  return st == OSDEAR_ERR_NO_MEMORY ? osdear__fail_memory(error)
                                    : tell(meaning_of(failure, st), failure, NULL, "cannot be created", name, error);
}

/* The answer was lost: whether it was made is seen by its row, which was not there before. */
static osdear_status find_lost(osdear_engine *engine, const char *name, int64_t *id, osdear_error **error)
{
  AUTO(error) failure = NULL;
  bool is_wanted_up;
  osdear_status st = osdear__portainer_stack_find(engine, name, 0, id, &is_wanted_up, &failure);

  if (st || !*id)
    return OSDEAR_ERR_UNAVAILABLE;
  osdear__error_forget(error);
  return OSDEAR_OK;
}

osdear_status osdear_stack_create(osdear_engine *engine, const char *name, const char *file, const osdear_stack_options *options,
                                  osdear_stack **out, osdear_error **error)
{
  osdear_stack_options known = OSDEAR_STACK_OPTIONS_INIT;
  AUTO(stack) made = NULL;
  int64_t deadline, id = 0;
  osdear_status st;

  if (!engine || !file || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, file and out must not be NULL");
  st = osdear__stack_check_name(name, error);
  if (!st)
    st = read_options(options, &known, error);
  if (!st && !engine->portainer)
    st = osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                      "%s is no Portainer, which reads Compose files: describe the services, for osdear_stack_up()",
                      engine->address);
  if (!st)
    st = check_free(engine, name, error);
  if (st)
    return st;
  deadline = osdear__stack_deadline(known.timeout_ms);
  st = post_new(engine, name, file, &known, deadline, &id, error);
  if (st == OSDEAR_ERR_UNAVAILABLE)
    st = find_lost(engine, name, &id, error);
  if (!st)
    st = settle(engine, name, id, deadline, error);
  if (!st)
    st = osdear__stack_of(engine, name, id, &made, error);
  if (!st)
    st = osdear__members_await(engine, name, true, deadline, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

/* ---- update ---- */

/* Whether a service that ran before has no container that runs now. */
static bool lacks_one(const osdear__members *before, const osdear__members *now)
{
  for (size_t i = 0; i < before->count; i++) {
    bool is_there = !osdear__member_runs(&before->items[i]);

    for (size_t j = 0; !is_there && j < now->count; j++)
      is_there = osdear__member_runs(&now->items[j]) && strcmp(before->items[i].service, now->items[j].service) == 0;
    if (!is_there)
      return true;
  }
  return false;
}

/* A failed update took down what ran. Portainer has put the old file back: stopped and started, the stack is as it was. */
static osdear_status restore(osdear_stack *stack, const osdear__members *before, const char **code, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  AUTO(engine) tidying = NULL;
  osdear__members now;
  int64_t deadline = osdear__stack_deadline(OSDEAR__STACK_TIDYING_MS);
  osdear_status st = osdear__engine_for_tidying(stack->engine, OSDEAR__STACK_TIDYING_MS, &tidying, error);

  if (!st)
    st = osdear__members_find(tidying, stack->name, &arena, &now, error);
  if (!st && !lacks_one(before, &now))
    return OSDEAR_OK;
  *code = "lost";
  if (!st)
    st = stop_row(tidying, stack->id, deadline, error);
  if (!st)
    st = start_row(tidying, stack->name, stack->id, deadline, error);
  if (!st)
    st = osdear__members_await(tidying, stack->name, true, deadline, error);
  if (!st)
    *code = "restored";
  return st;
}

static osdear_status fail_update(osdear_stack *stack, const osdear__members *before, osdear_status st,
                                 const osdear_error *failure, osdear_error **error)
{
  AUTO(error) second = NULL;
  const char *code = NULL, *what = "cannot be updated, and is as it was";

  /* Where there was no answer, Portainer may still be at work: nothing is done that could cross it. */
  if (osdear_error_http_status(failure) != 500)
    return st == OSDEAR_ERR_NO_MEMORY ? osdear__fail_memory(error)
                                      : tell(st, failure, NULL, "was not updated", stack->name, error);
  if (restore(stack, before, &code, &second) != OSDEAR_OK)
    osdear__log(stack->engine->context, OSDEAR_LOG_WARNING, "container", "stack %s: what ran cannot be started again: %s",
                stack->name, osdear_error_message(second));
  if (code)
    what = second ? "cannot be updated, Portainer removed what ran, and it could not be started again"
                  : "cannot be updated, Portainer removed what ran, and it was started again as it was";
  return tell(meaning_of(failure, st), failure, code, what, stack->name, error);
}

/* Portainer leaves containers of services that the file has no more. Which those are is only acted on if it is certain. */
static osdear_status drop_services(osdear_stack *stack, const char *file, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const char *const *names;
  osdear__members members;
  size_t count;
  osdear_status st = osdear__members_find(stack->engine, stack->name, &arena, &members, error);

  if (st)
    return st;
  if (!osdear__compose_services(osdear__str_of(file), &arena, &names, &count)) {
    osdear__log(stack->engine->context, OSDEAR_LOG_WARNING, "container",
                "stack %s: its file's services cannot be told for certain; those that were dropped go on", stack->name);
    return OSDEAR_OK;
  }
  return osdear__members_drop(stack->engine, stack->name, names, count, error);
}

/* As it was, for what is sent again. */
static osdear_status read_row(osdear_stack *stack, osdear__arena *arena, const osdear__json **out, osdear_error **error)
{
  SCOPED(buf) path = { 0 };

  osdear__buf_printf(&path, "/stacks/%" PRId64, stack->id);
  return get(stack->engine, &path, arena, out, error);
}

static osdear_status put_update(osdear_stack *stack, const char *file, const osdear_stack_options *options, int64_t deadline,
                                osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  AUTO(error) failure = NULL;
  const osdear__json *row = NULL;
  osdear__members before;
  osdear_status st = read_row(stack, &arena, &row, error);

  if (!st)
    st = osdear__members_find(stack->engine, stack->name, &arena, &before, error);
  if (st)
    return st;
  put_body(&body, NULL, file, options, osdear__json_get(row, "Env"));
  st = osdear__buf_check(&body, error);
  if (st)
    return st;
  st = act(stack->engine, "PUT", stack->id, "", body.data, deadline, &failure);
  return st ? fail_update(stack, &before, st, failure, error) : OSDEAR_OK;
}

osdear_status osdear_stack_update(osdear_stack *stack, const char *file, const osdear_stack_options *options,
                                  osdear_error **error)
{
  osdear_stack_options known = OSDEAR_STACK_OPTIONS_INIT;
  char *kept = NULL;
  int64_t deadline;
  osdear_status st;

  if (!stack)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack must not be NULL");
  st = read_options(options, &known, error);
  if (!st && !stack->id)
    st = osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "stack `%s` is none of Portainer's: bring it up with osdear_stack_up()",
                      stack->name);
  if (!st && !file)
    st = osdear_stack_file(stack, &kept, error);
  if (st)
    return st;
  deadline = osdear__stack_deadline(known.timeout_ms);
  st = put_update(stack, file ? file : kept, &known, deadline, error);
  if (!st && !known.keep_dropped)
    st = drop_services(stack, file ? file : kept, error);
  if (!st)
    st = osdear__members_await(stack->engine, stack->name, true, deadline, error);
  osdear__free(kept);
  return st;
}
