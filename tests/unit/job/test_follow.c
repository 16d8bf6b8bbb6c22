#include "jobs.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>

enum { JOBS = 40 };

Test(follow, each_job_is_told_once_when_it_is_over)
{
  jobs set = jobs_open("process:");
  osdear_follower *follower = NULL;
  osdear_job *list[JOBS];
  int over[JOBS] = { 0 }, left = JOBS;
  osdear_error *error = NULL;
  osdear_job_change change;

  jobs_must(osdear_follower_new(set.context, NULL, &follower, &error), &error);
  for (int i = 0; i < JOBS; i++) {
    char script[64];
    snprintf(script, sizeof script, "sleep 0.%d; exit %d", i % 5, i % 3);
    list[i] = jobs_shell(&set, script, "", NULL);
    jobs_must(osdear_follower_add(follower, list[i], &over[i], &error), &error);
  }
  cr_assert_eq(osdear_follower_add(follower, list[0], NULL, NULL), OSDEAR_ERR_EXISTS);
  while (left) {
    jobs_must(osdear_follower_step(follower, -1, &error), &error);
    while (osdear_follower_next(follower, &change)) {
      cr_assert_null(change.failure);
      if (!osdear_job_state_is_final(change.state))
        continue;
      ++*(int *)change.tag;
      left--;
    }
  }
  cr_assert_eq(osdear_follower_count(follower), 0);
  for (int i = 0; i < JOBS; i++) {
    cr_assert_eq(over[i], 1);
    cr_assert_eq(osdear_job_state_get(list[i]), i % 3 ? OSDEAR_JOB_FAILED : OSDEAR_JOB_SUCCEEDED);
    osdear_job_free(list[i]);
  }
  osdear_follower_free(follower);
  jobs_close(&set);
}

Test(follow, the_descriptor_is_readable_when_a_step_has_something_to_do)
{
  jobs set = jobs_open("process:");
  osdear_follower *follower = NULL;
  osdear_job *job = jobs_shell(&set, "sleep 0.2", "", NULL);
  osdear_error *error = NULL;
  osdear_job_change change;
  int steps = 0, is_over = 0;

  jobs_must(osdear_follower_new(set.context, NULL, &follower, &error), &error);
  jobs_must(osdear_follower_add(follower, job, NULL, &error), &error);
  while (!is_over) {
    struct pollfd wanted = { osdear_follower_descriptor(follower), POLLIN, 0 };
    cr_assert_eq(poll(&wanted, 1, 10000), 1);
    jobs_must(osdear_follower_step(follower, 0, &error), &error);
    steps++;
    while (osdear_follower_next(follower, &change))
      is_over = osdear_job_state_is_final(change.state);
  }
  cr_assert_lt(steps, 30, "%d steps: it is readable when there is nothing to do", steps);
  osdear_follower_free(follower);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(follow, a_job_that_nobody_knows_is_told_with_its_failure)
{
  jobs set = jobs_open("process:");
  osdear_follower *follower = NULL;
  osdear_job *job = NULL;
  osdear_error *error = NULL;
  osdear_job_change change;

  jobs_must(osdear_runner_attach(set.runner, "00000000-0000-4000-8000-000000000000", &job, &error), &error);
  jobs_must(osdear_follower_new(set.context, NULL, &follower, &error), &error);
  jobs_must(osdear_follower_add(follower, job, NULL, &error), &error);
  jobs_must(osdear_follower_step(follower, -1, &error), &error);
  cr_assert(osdear_follower_next(follower, &change));
  cr_assert_eq(osdear_error_status(change.failure), OSDEAR_ERR_NOT_FOUND);
  cr_assert_not(osdear_follower_next(follower, &change));
  osdear_follower_free(follower);
  osdear_job_free(job);
  jobs_close(&set);
}

Test(follow, what_is_removed_or_freed_is_no_longer_followed)
{
  jobs set = jobs_open("process:");
  osdear_follower *follower = NULL;
  osdear_job *first = jobs_shell(&set, "true", "", NULL), *second = jobs_shell(&set, "true", "", NULL);
  osdear_error *error = NULL;
  osdear_job_change change;

  jobs_must(osdear_follower_new(set.context, NULL, &follower, &error), &error);
  jobs_must(osdear_follower_add(follower, first, NULL, &error), &error);
  jobs_must(osdear_follower_add(follower, second, NULL, &error), &error);
  osdear_follower_remove(follower, first);
  osdear_job_free(second);
  cr_assert_eq(osdear_follower_count(follower), 0);
  jobs_must(osdear_follower_step(follower, -1, &error), &error);
  cr_assert_not(osdear_follower_next(follower, &change));
  osdear_job_free(first);
  osdear_follower_free(follower);
  jobs_close(&set);
}
