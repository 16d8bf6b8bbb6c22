/* A server, a client for it, and one answer: what most tests of this layer work on. */
#ifndef OSDEAR_TESTS_HTTP_FIXTURE_H
#define OSDEAR_TESTS_HTTP_FIXTURE_H

#include "../../support/server.h"

#include <http/http.h>

#include <criterion/criterion.h>

extern test_server server;
extern osdear__http_config config; /* what the next client is made with; base_url is the server's */
extern osdear__http_client *client;
extern osdear__http_response response;
extern osdear_error *error;

void fixture_start(void); /* server and client */
void fixture_stop(void);
void fixture_client(void); /* another client, by what `config` says now */

osdear_status ask(const osdear__http_request *request);
osdear_status get(const char *url);
void expect_answer(osdear_status status, int32_t http_status);
void expect_failure(osdear_status status, osdear_status expected, const char *words);

/* The world with a clock of its own: sleeping takes no time but moves it. */
void fixture_fake_clock(void);
extern int64_t slept_us;

/* A context whose token `fixture_cancel` throws after so many milliseconds. */
osdear_context *fixture_cancelled_after(int64_t ms);

#endif
