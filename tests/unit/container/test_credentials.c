#include "../../support/folder.h"
#include <container/container.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void expect_base64(const char *plain, const char *encoded)
{
  SCOPED(buf) out = { 0 };
  SCOPED(buf) back = { 0 };

  osdear__buf_append(&out, "", 0);
  osdear__base64_put(&out, plain, strlen(plain), false);
  cr_assert_str_eq(out.size ? out.data : "", encoded);
  cr_assert(osdear__base64_get(osdear__str_of(encoded), &back));
  cr_assert(osdear__str_is((osdear__str){ back.data ? back.data : "", back.size }, plain));
}

Test(base64, the_examples_of_rfc_4648)
{
  expect_base64("", "");
  expect_base64("f", "Zg==");
  expect_base64("fo", "Zm8=");
  expect_base64("foo", "Zm9v");
  expect_base64("foob", "Zm9vYg==");
  expect_base64("fooba", "Zm9vYmE=");
  expect_base64("foobar", "Zm9vYmFy");
}

Test(base64, other_characters_and_impossible_lengths_are_refused)
{
  SCOPED(buf) out = { 0 };

  cr_assert_not(osdear__base64_get(STR("Zm9*"), &out));
  cr_assert_not(osdear__base64_get(STR("Zm9vY"), &out));
}

Test(image, names_are_split_as_docker_does)
{
  static const struct {
    const char *image, *registry, *repository, *tag;
  } cases[] = {
    { "busybox", "docker.io", "busybox", "latest" },
    { "osdear/busybox:1", "docker.io", "osdear/busybox", "1" },
    { "127.0.0.1:5055/a/b", "127.0.0.1:5055", "127.0.0.1:5055/a/b", "latest" },
    { "localhost/x:2", "localhost", "localhost/x", "2" },
    { "r.io/x@sha256:abc", "r.io", "r.io/x", "sha256:abc" },
  };

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    osdear__str repository, tag;

    osdear__image_split(cases[i].image, &repository, &tag);
    cr_assert(osdear__str_is(repository, cases[i].repository), "%s", cases[i].image);
    cr_assert(osdear__str_is(tag, cases[i].tag), "%s", cases[i].image);
    cr_assert(osdear__str_is(osdear__image_registry(cases[i].image), cases[i].registry), "%s", cases[i].image);
  }
}

static char folder[FOLDER_ROOM], helper_path[128];

static void write_config(const char *config, const char *helper)
{
  char path[128], *old_path = getenv("PATH"), new_path[1024];
  FILE *file;

  snprintf(path, sizeof path, "%s/config.json", folder);
  file = fopen(path, "w");
  fputs(config, file);
  fclose(file);
  if (!helper)
    return;
  snprintf(helper_path, sizeof helper_path, "%s/docker-credential-fake", folder);
  file = fopen(helper_path, "w");
  fprintf(file, "#!/bin/sh\n%s\n", helper);
  fclose(file);
  chmod(helper_path, 0700);
  snprintf(new_path, sizeof new_path, "%s:%s", folder, old_path);
  setenv("PATH", new_path, 1);
}

static void begin(void)
{
  folder_make("creds", folder);
}

static void end(void)
{
  folder_remove(folder);
}

TestSuite(credentials, .init = begin, .fini = end);

/* The JSON inside of the header, or "" for none. */
static osdear_status look_up(const char *registry, osdear__buf *out)
{
  SCOPED(buf) header = { 0 };
  osdear_status st = osdear__registry_auth(folder, osdear__str_of(registry), &header, NULL);

  osdear__buf_append(out, "", 0);
  if (!st && header.size)
    cr_assert(osdear__base64_get((osdear__str){ header.data, header.size }, out));
  osdear__buf_putc(out, '\0');
  return st;
}

Test(credentials, are_found_in_the_configuration)
{
  SCOPED(buf) found = { 0 };
  SCOPED(buf) none = { 0 };

  write_config("{\"auths\":{\"https://127.0.0.1:5055/v1/\":{\"auth\":\"bWU6cGE6c3M=\"}}}", NULL);
  cr_assert_eq(look_up("127.0.0.1:5055", &found), OSDEAR_OK);
  cr_assert_str_eq(found.data, "{\"username\":\"me\",\"password\":\"pa:ss\",\"serveraddress\":\"127.0.0.1:5055\"}");
  cr_assert_eq(look_up("elsewhere.io", &none), OSDEAR_OK);
  cr_assert_str_eq(none.data, "");
}

Test(credentials, a_helper_is_asked_by_the_registry_s_name)
{
  SCOPED(buf) found = { 0 };

  write_config(
      "{\"credHelpers\":{\"r.io\":\"fake\"}}",
      "read name; echo \"{\\\"ServerURL\\\":\\\"$name\\\",\\\"Username\\\":\\\"u-$1-$name\\\",\\\"Secret\\\":\\\"s\\\"}\"");
  cr_assert_eq(look_up("r.io", &found), OSDEAR_OK);
  cr_assert_str_eq(found.data, "{\"username\":\"u-get-r.io\",\"password\":\"s\",\"serveraddress\":\"r.io\"}");
}

Test(credentials, a_token_from_a_helper_is_an_identity_token)
{
  SCOPED(buf) found = { 0 };

  write_config("{\"credsStore\":\"fake\"}", "echo '{\"Username\":\"<token>\",\"Secret\":\"t0ken\"}'");
  cr_assert_eq(look_up("r.io", &found), OSDEAR_OK);
  cr_assert_str_eq(found.data, "{\"identitytoken\":\"t0ken\",\"serveraddress\":\"r.io\"}");
}

Test(credentials, a_helper_that_answers_and_does_not_end_is_ended)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;

  write_config("{\"credsStore\":\"fake\"}",
               "cat > /dev/null; echo '{\"Username\":\"u\",\"Secret\":\"p\"}'; exec >&-; exec sleep 60");
  cr_assert_eq(osdear__registry_auth(folder, STR("r.example"), &out, &error), OSDEAR_ERR_TIMEOUT);
  cr_assert_not_null(strstr(osdear_error_message(error), "does not end"));
  osdear_error_free(error);
}

Test(credentials, a_helper_that_has_nothing_is_no_failure)
{
  SCOPED(buf) found = { 0 };

  write_config("{\"credsStore\":\"fake\"}", "echo credentials not found; exit 1");
  cr_assert_eq(look_up("r.io", &found), OSDEAR_OK);
  cr_assert_str_eq(found.data, "");
}

Test(credentials, a_helper_that_is_missing_or_is_a_path_is_refused)
{
  SCOPED(buf) found = { 0 };

  write_config("{\"credsStore\":\"nowhere-to-be-found\"}", NULL);
  cr_assert_eq(look_up("r.io", &found), OSDEAR_ERR_NOT_FOUND);
  write_config("{\"credsStore\":\"../../bin/sh\"}", NULL);
  cr_assert_eq(look_up("r.io", &found), OSDEAR_ERR_ARGUMENT);
}

Test(credentials, what_is_no_base64_is_corrupt_and_not_repeated)
{
  osdear_error *error = NULL;
  SCOPED(buf) header = { 0 };

  write_config("{\"auths\":{\"r.io\":{\"auth\":\"hunter2!\"}}}", NULL);
  cr_assert_eq(osdear__registry_auth(folder, STR("r.io"), &header, &error), OSDEAR_ERR_CORRUPT);
  cr_assert_null(strstr(osdear_error_message(error), "hunter2"));
  osdear_error_free(error);
}
