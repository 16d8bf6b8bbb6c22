#include "bodies.h"

#include <criterion/criterion.h>

static osdear_status new_context(fault_fixture *fixture, osdear_error **error)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_status status;

  (void)fixture;
  options.threads = 3;
  status = osdear_context_new(&options, &context, error);
  cr_assert_eq(status == OSDEAR_OK, context != NULL);
  osdear_context_unref(context);
  return status;
}
BODY(osdear_context_new, .run = new_context)

static osdear_status fork_context(fault_fixture *fixture, osdear_error **error)
{
  osdear_context *context = NULL;
  osdear_status status = osdear_context_fork(fixture->context, NULL, &context, error);

  cr_assert_eq(status == OSDEAR_OK, context != NULL);
  osdear_context_unref(context);
  return status;
}
BODY(osdear_context_fork, .prepare = prepare_context, .run = fork_context)

static osdear_status new_cancel(fault_fixture *fixture, osdear_error **error)
{
  osdear_cancel *cancel = NULL;
  osdear_status status = osdear_cancel_new(1000, &cancel, error);

  (void)fixture;
  cr_assert_eq(status == OSDEAR_OK, cancel != NULL);
  osdear_cancel_unref(cancel);
  return status;
}
BODY(osdear_cancel_new, .run = new_cancel)
