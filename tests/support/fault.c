#include "fault.h"
#include "folder.h"

#include <base/base.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_REPLAYS 100000

static const char *const kind_names[FAULT_KINDS] = { "allocation", "read", "write", "short" };

static void fixture_open(fault_fixture *fixture, const fault_body *body)
{
  const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

  memset(fixture, 0, sizeof *fixture);
  snprintf(fixture->folder, sizeof fixture->folder, "%s/osdear-fault-XXXXXX", parent);
  cr_assert_not_null(mkdtemp(fixture->folder));
  snprintf(fixture->table_uri, sizeof fixture->table_uri, "%s/table", fixture->folder);
  snprintf(fixture->file, sizeof fixture->file, "%s/file.csv", fixture->folder);
  if (body->prepare)
    body->prepare(fixture);
}

static void fixture_release(fault_fixture *fixture)
{
  osdear_engine_stream_free(fixture->stream);
  osdear_container_free(fixture->container);
  osdear_stack_free(fixture->stack);
  osdear_engine_unref(fixture->engine);
  osdear_job_free(fixture->job);
  osdear_runner_free(fixture->runner);
  osdear_transaction_free(fixture->transaction);
  osdear_source_free(fixture->source);
  osdear_scan_free(fixture->scan);
  osdear_snapshot_unref(fixture->snapshot);
  osdear_table_free(fixture->table);
  osdear_context_unref(fixture->context);
}

static void fixture_close(fault_fixture *fixture)
{
  fixture_release(fixture);
  folder_remove(fixture->folder);
}

/* A failure that was injected must come out as what it was, or as its consequence. */
static bool is_expected(osdear__fault_kind kind, osdear_status status)
{
  if (status == OSDEAR_OK)
    return true;
  switch (kind) {
  case FAULT_ALLOC: return status == OSDEAR_ERR_NO_MEMORY;
  case FAULT_READ:
  case FAULT_WRITE: return status == OSDEAR_ERR_IO || status == OSDEAR_ERR_UNAVAILABLE; /* a file's, or a connection's */
  default: return false;
  }
}

/* One replay. Returns how many calls were made to fail. */
static int64_t replay_once(fault_fixture *fixture, const fault_body *body, osdear__fault_kind kind, int64_t after, bool once)
{
  osdear_error *error = NULL;
  int64_t live = osdear__live();
  osdear_status status;
  int64_t hits;

  snprintf(fixture->fault, sizeof fixture->fault, "%s %lld%s", kind_names[kind], (long long)after,
           once ? "" : " and all after it");
  osdear__fault_arm(kind, after, once);
  status = body->run(fixture, &error);
  hits = osdear__fault_count();
  osdear__fault_disarm();

  cr_assert(is_expected(kind, status), "%s: %s failing gives %s: %s", body->function, fixture->fault, osdear_status_name(status),
            osdear_error_message(error));
  cr_assert_eq(status == OSDEAR_OK, error == NULL, "%s: status %d and the error disagree", body->function, status);
  cr_assert(hits > 0 || status == OSDEAR_OK, "%s fails without a fault: %s", body->function, osdear_error_message(error));
  if (error)
    cr_assert_eq(osdear_error_status(error), status);
  osdear_error_free(error);
  if (body->check)
    body->check(fixture, status);
  if (!body->changes_state)
    cr_assert_eq(osdear__live(), live, "%s keeps memory when %s fails", body->function, fixture->fault);
  return hits;
}

/* What a context keeps for later, such as started workers, is no leak: the first run may make it. */
static void warm_up(fault_fixture *fixture, const fault_body *body)
{
  osdear_error *error = NULL;
  osdear_status status = body->run(fixture, &error);

  cr_assert_eq(status, OSDEAR_OK, "%s fails without a fault: %s", body->function, osdear_error_message(error));
}

static void replay_kind(const fault_body *body, osdear__fault_kind kind, bool once)
{
  fault_fixture fixture;
  int64_t live = osdear__live();
  int64_t hits = 1;

  if (!body->changes_state) {
    fixture_open(&fixture, body);
    warm_up(&fixture, body);
  }
  for (int64_t after = 0; hits > 0; after++) {
    cr_assert(after < MOST_REPLAYS, "%s: no end of calls to fail", body->function);
    if (body->changes_state)
      fixture_open(&fixture, body);
    hits = replay_once(&fixture, body, kind, after, once);
    if (body->changes_state) {
      fixture_close(&fixture);
      cr_assert_eq(osdear__live(), live, "%s keeps memory when %s fails", body->function, fixture.fault);
    }
  }
  if (!body->changes_state)
    fixture_close(&fixture);
  cr_assert_eq(osdear__live(), live, "%s keeps memory", body->function);
}

/* Moving one byte at a time is no failure: the result must be the same. */
static void replay_short(const fault_body *body)
{
  fault_fixture fixture;

  fixture_open(&fixture, body);
  replay_once(&fixture, body, FAULT_SHORT, 0, false);
  fixture_close(&fixture);
}

void fault_replay(const fault_body *body)
{
  for (int kind = FAULT_ALLOC; kind <= FAULT_WRITE; kind++) {
    replay_kind(body, (osdear__fault_kind)kind, true);
    replay_kind(body, (osdear__fault_kind)kind, false);
  }
  replay_short(body);
}

void fault_replay_allocations(const fault_body *body)
{
  replay_kind(body, FAULT_ALLOC, true);
  replay_kind(body, FAULT_ALLOC, false);
}
