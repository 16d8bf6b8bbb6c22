/* What services do that is no job. */
#include <job/job.h>

static osdear_status fail_unknown(const osdear_runner *runner, const char *name, osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  osdear_status st;

  for (const osdear__verb *v = runner->kind->verbs; v && v->name; v++)
    osdear__buf_printf(&names, "%s%s", v == runner->kind->verbs ? "" : ", ", v->name);
  st = osdear__buf_check(&names, error);
  if (st)
    return st;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a %s runner has no verb \"%s\"; it has %s", runner->kind->name, name,
                      names.size ? names.data : "none");
}

osdear_status osdear_runner_call(osdear_runner *runner, const char *verb, const char *arguments, char **json,
                                 osdear_error **error)
{
  const osdear__verb *found;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) out = { 0 };
  osdear__json *value;
  osdear_status st;

  if (!runner || !verb || !json)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "runner, verb and json must not be NULL");
  for (found = runner->kind->verbs; found && found->name && strcmp(found->name, verb) != 0; found++)
    continue;
  if (!found || !found->name)
    return fail_unknown(runner, verb, error);
  st = osdear__context_check(runner->context, error);
  if (!st)
    st = osdear__spec_read(arguments ? arguments : "{}", verb, found->members, &arena, &value, error);
  if (!st)
    st = found->run(runner, value, &out, error);
  if (!st)
    st = osdear__buf_check(&out, error);
  if (st)
    return st;
  *json = out.data ? osdear__buf_take(&out) : osdear__strdup("null");
  return *json ? OSDEAR_OK : osdear__fail_memory(error);
}
