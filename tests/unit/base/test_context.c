#include <base/base.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic int done;

static void count_up(void *argument)
{
  (void)argument;
  atomic_fetch_add(&done, 1);
}

Test(context, work_is_done_before_the_last_reference_goes)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context;

  options.threads = 3;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  for (int i = 0; i < 1000; i++)
    cr_assert_eq(osdear__context_submit(context, count_up, NULL, NULL), OSDEAR_OK);
  osdear_context_unref(context);
  cr_assert_eq(atomic_load(&done), 1000);
}

Test(context, one_thread_means_none_besides_the_callers)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context;

  options.threads = 1;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__context_submit(context, count_up, NULL, NULL), OSDEAR_ERR_STATE);
  osdear_context_unref(context);
}

Test(context, a_fork_shares_the_budget_but_not_the_deadline)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *parent, *child;
  osdear_cancel *cancel;

  options.memory_budget_bytes = 1 << 20;
  cr_assert_eq(osdear_context_new(&options, &parent, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_cancel_new(0, &cancel, NULL), OSDEAR_OK);
  options.memory_budget_bytes = 0;
  options.cancel = cancel;
  cr_assert_eq(osdear_context_fork(parent, &options, &child, NULL), OSDEAR_OK);
  osdear_cancel_unref(cancel);
  cr_assert_eq(osdear__context_budget(child), 1 << 20);
  cr_assert_eq(osdear__context_check(child, NULL), OSDEAR_ERR_TIMEOUT);
  cr_assert_eq(osdear__context_check(parent, NULL), OSDEAR_OK);
  osdear_context_unref(parent);
  cr_assert_eq(osdear__context_budget(child), 1 << 20);
  osdear_context_unref(child);
}

Test(context, settings_out_of_range_are_refused)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context;
  osdear_error *error = NULL;

  options.threads = -1;
  cr_assert_eq(osdear_context_new(&options, &context, &error), OSDEAR_ERR_ARGUMENT);
  osdear_error_free(error);
  options.threads = 0;
  options.memory_budget_bytes = -5;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear_context_new(NULL, NULL, NULL), OSDEAR_ERR_ARGUMENT);
}

Test(cancel, a_token_thrown_by_one_thread_is_seen_by_all)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context;
  osdear_cancel *cancel;

  cr_assert_eq(osdear_cancel_new(-1, &cancel, NULL), OSDEAR_OK);
  options.cancel = cancel;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__sleep(context, 10, NULL), OSDEAR_OK);
  osdear_cancel_throw(cancel);
  cr_assert_eq(osdear_cancel_is_thrown(cancel), 1);
  cr_assert_eq(osdear__sleep(context, INT64_C(3600000000), NULL), OSDEAR_ERR_CANCELLED);
  osdear_cancel_reset(cancel);
  cr_assert_eq(osdear__sleep(context, 10, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_cancel_new(-2, &cancel, NULL), OSDEAR_ERR_ARGUMENT);
  osdear_cancel_unref(cancel);
  osdear_context_unref(context);
}

static char last_line[128];

static void keep_line(void *argument, osdear_log_level level, const char *component, const char *message)
{
  (void)argument;
  snprintf(last_line, sizeof last_line, "%d %s %s", level, component, message);
}

Test(context, only_lines_of_the_level_wanted_reach_the_callback)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context;

  options.log = keep_line;
  options.log_level = OSDEAR_LOG_WARNING;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  osdear__log(context, OSDEAR_LOG_WARNING, "delta", "checkpoint %d is corrupt", 10);
  osdear__log(context, OSDEAR_LOG_INFO, "delta", "not seen");
  cr_assert_str_eq(last_line, "2 delta checkpoint 10 is corrupt");
  osdear_context_unref(context);
}
