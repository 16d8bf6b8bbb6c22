/* How long until the next poll: ever longer, and not at the same moment for all who began together. */
#include <job/job.h>

int64_t osdear__pace_next(osdear__pace *pace, const osdear__runner_kind *kind)
{
  int64_t fifth;

  pace->delay_us = pace->delay_us ? pace->delay_us + pace->delay_us / 2 : kind->first_poll_us;
  if (pace->delay_us > kind->slowest_poll_us)
    pace->delay_us = kind->slowest_poll_us;
  fifth = pace->delay_us / 5;
  return pace->delay_us - fifth + (int64_t)(osdear__random_u64() % (uint64_t)(2 * fifth + 1));
}
