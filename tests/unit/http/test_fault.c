#include "fixture.h"

#ifdef OSDEAR_FAULTS
TestSuite(fault, .init = fixture_start, .fini = fixture_stop, .timeout = 120);

typedef osdear_status (*body)(void);

static osdear_status send_and_receive(void)
{
  osdear__http_header header = { "X-A", "b" };

  return ask(&(osdear__http_request){
      .method = "PUT", .url = "/upload", .headers = &header, .header_count = 1, .body = "abc", .body_size = 3 });
}

static osdear_status pull(void)
{
  osdear__http_request request = { .url = "/bytes/5000" };
  osdear__http_reader *reader = NULL;
  char piece[10000];
  size_t got = 1;
  osdear_status st = osdear__http_open(client, NULL, &request, &response, &reader, &error);

  while (!st && got > 0)
    st = osdear__http_read(reader, piece, sizeof piece, -1, &got, &error);
  osdear__http_reader_free(reader);
  return st;
}

static osdear_status take_over(void)
{
  osdear__http_request request = { .method = "POST", .url = "/upgrade" };
  osdear__http_tunnel *tunnel = NULL;
  char text[6];
  size_t got;
  osdear_status st = osdear__http_upgrade(client, NULL, &request, &response, &tunnel, &error);

  if (!st)
    st = osdear__http_tunnel_write(tunnel, "ping", 4, &error);
  if (!st)
    st = osdear__http_tunnel_read(tunnel, text, sizeof text, -1, &got, &error);
  osdear__http_tunnel_free(tunnel);
  return st;
}

static osdear_status replay(body run, osdear__fault_kind kind, int64_t after, bool once, int64_t *hits)
{
  osdear_status st;

  osdear_error_free(error);
  error = NULL;
  osdear__http_response_drop(&response);
  osdear__fault_arm(kind, after, once);
  st = run();
  *hits = osdear__fault_count();
  osdear__fault_disarm();
  cr_assert_eq(st == OSDEAR_OK, error == NULL);
  return st;
}

static void survive(body run, osdear__fault_kind kind, bool once, osdear_status expected)
{
  int64_t hits = 1, live;

  cr_assert_eq(run(), OSDEAR_OK, "%s", osdear_error_message(error));
  osdear__http_response_drop(&response);
  live = osdear__live();
  for (int64_t after = 0; hits > 0; after++) {
    osdear_status st = replay(run, kind, after, once, &hits);
    cr_assert(st == OSDEAR_OK || st == expected, "fault %d at %lld: %s", kind, (long long)after, osdear_error_message(error));
    osdear_error_free(error);
    error = NULL;
    osdear__http_response_drop(&response);
    cr_assert_eq(osdear__live(), live, "fault %d at %lld leaks", kind, (long long)after);
  }
}

Test(fault, every_failing_allocation_is_survived)
{
  static const body bodies[] = { send_and_receive, pull, take_over };

  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    survive(bodies[i], FAULT_ALLOC, true, OSDEAR_ERR_NO_MEMORY);
    survive(bodies[i], FAULT_ALLOC, false, OSDEAR_ERR_NO_MEMORY);
  }
}

Test(fault, every_broken_connection_is_survived)
{
  static const body bodies[] = { send_and_receive, pull, take_over };

  fixture_fake_clock();
  for (size_t i = 0; i < COUNT_OF(bodies); i++)
    for (int kind = FAULT_READ; kind <= FAULT_WRITE; kind++) {
      fixture_client(); /* with a full budget of repetitions */
      survive(bodies[i], (osdear__fault_kind)kind, true, OSDEAR_ERR_UNAVAILABLE);
      fixture_client();
      survive(bodies[i], (osdear__fault_kind)kind, false, OSDEAR_ERR_UNAVAILABLE);
    }
}

Test(fault, one_broken_connection_is_repaired_by_another_attempt)
{
  int64_t hits;

  fixture_fake_clock();
  cr_assert_eq(replay(send_and_receive, FAULT_WRITE, 0, true, &hits), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(response.attempts, 2);
  cr_assert_eq(replay(send_and_receive, FAULT_READ, 0, true, &hits), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(response.attempts, 2);
}
#endif
