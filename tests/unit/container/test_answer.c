#include <container/container.h>
#include <criterion/criterion.h>

static osdear_status fail_with(int32_t status, const char *body, char *message, size_t room)
{
  SCOPED(http_response) response = { .status = status, .method = "POST" };
  osdear_error *error = NULL;
  osdear_status st;

  osdear__buf_puts(&response.body, body);
  st = osdear__engine_fail(&response, &error);
  cr_assert_eq(osdear_error_http_status(error), status);
  strncpy(message, osdear_error_message(error), room - 1);
  osdear_error_free(error);
  return st;
}

Test(answer, the_words_of_all_engines_mean_the_same)
{
  char m[512] = "";

  cr_assert_eq(
      fail_with(409, "{\"message\":\"Conflict. The container name \\\"/c1\\\" is already in use by container x\"}", m, sizeof m),
      OSDEAR_ERR_EXISTS);
  cr_assert_eq(
      fail_with(
          500,
          "{\"cause\":\"that name is already in use\",\"message\":\"creating container storage: the container name \\\"c1\\\" is "
          "already in use by x\",\"response\":500}",
          m, sizeof m),
      OSDEAR_ERR_EXISTS);
  cr_assert_eq(fail_with(404, "{\"message\":\"No such container: c2\"}", m, sizeof m), OSDEAR_ERR_NOT_FOUND);
  cr_assert_not_null(strstr(m, "No such container: c2"));
  cr_assert_eq(fail_with(500, "{\"message\":\"Head \\\"http://r/v2/\\\": no basic auth credentials\"}", m, sizeof m),
               OSDEAR_ERR_DENIED);
  cr_assert_eq(fail_with(500, "{\"message\":\"dial tcp 127.0.0.1:1: connect: connection refused\"}", m, sizeof m),
               OSDEAR_ERR_UNAVAILABLE);
  cr_assert_eq(fail_with(409, "{\"message\":\"Container abc is not running\"}", m, sizeof m), OSDEAR_ERR_STATE);
  cr_assert_eq(
      fail_with(
          500, "{\"message\":\"Unable to proxy the request via the Docker socket\",\"details\":\"forbidden to use bind mounts\"}",
          m, sizeof m),
      OSDEAR_ERR_DENIED);
}

Test(answer, details_of_portainer_are_told_too)
{
  char m[512] = "";

  cr_assert_neq(fail_with(500, "{\"message\":\"failed to deploy\",\"details\":\"yaml: line 3\"}", m, sizeof m), OSDEAR_OK);
  cr_assert_not_null(strstr(m, "failed to deploy: yaml: line 3"));
}

Test(answer, what_is_no_json_is_shown_as_it_is)
{
  char m[512] = "";

  cr_assert_eq(fail_with(502, "<html>Bad gateway</html>\n", m, sizeof m), OSDEAR_ERR_UNAVAILABLE);
  cr_assert_not_null(strstr(m, "Bad gateway"));
}

Test(answer, filters_of_one_name_become_one_list)
{
  const osdear_pair filters[] = { { "label", "a=1" }, { "status", "exited" }, { "label", "b" } };
  SCOPED(buf) out = { 0 };

  osdear__put_filters(&out, '?', filters, COUNT_OF(filters));
  cr_assert_str_eq(out.data, "?filters=%7B%22label%22%3A%5B%22a%3D1%22%2C%22b%22%5D%2C%22status%22%3A%5B%22exited%22%5D%7D");
}

static osdear_container_status_result status_of(const char *inspected)
{
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  SCOPED(arena) arena = { 0 };
  osdear__json *tree;

  cr_assert_eq(osdear__json_read(osdear__str_of(inspected), "test", &arena, &tree, NULL), OSDEAR_OK);
  osdear__status_of(tree, &status);
  return status;
}

Test(answer, an_end_without_a_time_has_no_exit_code)
{
  cr_assert_eq(status_of("{\"State\":{\"Status\":\"exited\",\"ExitCode\":0,\"StartedAt\":\"2024-01-02T03:04:05.1Z\","
                         "\"FinishedAt\":\"0001-01-01T00:00:00Z\"}}")
                   .exit_code,
               -1);
  cr_assert_eq(status_of("{\"State\":{\"Status\":\"exited\",\"ExitCode\":7,\"StartedAt\":\"2024-01-02T03:04:05.1Z\","
                         "\"FinishedAt\":\"2024-01-02T03:04:06Z\"}}")
                   .exit_code,
               7);
  cr_assert_eq(status_of("{\"State\":{\"Status\":\"created\",\"ExitCode\":127,\"StartedAt\":\"0001-01-01T00:00:00Z\","
                         "\"FinishedAt\":\"0001-01-01T00:00:00Z\"}}")
                   .exit_code,
               127);
}
