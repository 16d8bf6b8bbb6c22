/* Forgetting jobs that are over, so that the journal does not grow for ever. */
#include <job/job.h>

typedef struct pruning {
  osdear_runner *runner;
  int64_t before_us;
  int64_t removed;
} pruning;

/* What cannot be asked now is asked the next time; what the service has forgotten is over. */
static osdear_status is_over(osdear_job *job, bool *over, osdear_error **error)
{
  AUTO(error) failure = NULL;
  osdear_status st = osdear_job_poll(job, &failure);

  *over = st == OSDEAR_ERR_NOT_FOUND || (!st && osdear_job_state_is_final(job->state));
  if (st == OSDEAR_OK || st == OSDEAR_ERR_NOT_FOUND || osdear__is_no_answer(job->runner, st))
    return OSDEAR_OK;
  return osdear__fail_on(error, st, &failure);
}

static osdear_status prune_entry(pruning *all, osdear__entry *entry, const char *id, osdear_error **error)
{
  const osdear__runner_kind *kind = all->runner->kind;
  osdear_job *job = NULL;
  bool over = id == NULL; /* its answer never came, and nobody asked again in all that time */
  osdear_status st = id ? osdear_runner_attach(all->runner, id, &job, error) : OSDEAR_OK;

  if (!st && job)
    st = is_over(job, &over, error);
  if (!st && job && over && kind->forget)
    st = kind->forget(job, error);
  osdear_job_free(job);
  if (st || !over)
    return st;
  st = osdear__entry_remove(entry, error);
  all->removed += st == OSDEAR_OK;
  return st;
}

static osdear_status prune_note(void *argument, osdear__note *note, osdear_error **error)
{
  pruning *all = argument;
  AUTO(error) failure = NULL;
  osdear__entry entry;
  bool taken;
  osdear_status st = osdear__context_check(all->runner->context, error);

  if (st || note->created_us > all->before_us)
    return st;
  st = osdear__journal_take(&all->runner->journal, note->entry, &entry, &taken, error);
  if (st || !taken)
    return st;
  st = prune_entry(all, &entry, note->id, &failure);
  osdear__entry_drop(&entry);
  /* Damaged, or with an id that no job has: it stays, and the others go. */
  if (st != OSDEAR_ERR_CORRUPT && st != OSDEAR_ERR_ARGUMENT)
    return osdear__fail_on(error, st, &failure);
  osdear__log(all->runner->context, OSDEAR_LOG_WARNING, "job", "not forgotten: %s", osdear_error_message(failure));
  return OSDEAR_OK;
}

osdear_status osdear_runner_prune(osdear_runner *runner, const osdear_prune_options *options, int64_t *removed,
                                  osdear_error **error)
{
  osdear_prune_options opts = OSDEAR_PRUNE_OPTIONS_INIT;
  pruning all = { .runner = runner };
  int64_t age_us;
  osdear_status st;

  if (!runner)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "runner must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (st)
    return st;
  if (opts.min_age_ms < 0 || !osdear__mul_i64(opts.min_age_ms, 1000, &age_us))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "min_age_ms is %" PRId64 "; 0 is the least", opts.min_age_ms);
  all.before_us = osdear__now_us() - age_us;
  st = osdear__journal_each(&runner->journal, runner->context, runner->address, prune_note, &all, error);
  if (removed)
    *removed = all.removed;
  return st;
}
