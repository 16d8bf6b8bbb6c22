#include "../../support/folder.h"
#include <container/container.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static osdear_status parse(const char *address, osdear__arena *arena, osdear__place *out)
{
  memset(out, 0, sizeof *out);
  return osdear__place_parse(address, arena, out, NULL);
}

Test(address, a_unix_socket_is_an_absolute_path)
{
  SCOPED(arena) arena = { 0 };
  osdear__place place;

  cr_assert_eq(parse("unix:///var/run/docker.sock", &arena, &place), OSDEAR_OK);
  cr_assert_eq(place.kind, PLACE_UNIX);
  cr_assert_str_eq(place.socket, "/var/run/docker.sock");
  cr_assert_eq(parse("unix://docker.sock", &arena, &place), OSDEAR_ERR_ARGUMENT);
}

Test(address, a_socket_path_longer_than_the_system_takes_is_refused)
{
  SCOPED(arena) arena = { 0 };
  osdear__place place;
  char address[160] = "unix:///";

  memset(address + 8, 'a', 106);
  cr_assert_eq(parse(address, &arena, &place), OSDEAR_OK);
  address[8 + 106] = 'a';
  cr_assert_eq(parse(address, &arena, &place), OSDEAR_ERR_ARGUMENT);
}

Test(address, the_port_2376_means_tls)
{
  SCOPED(arena) arena = { 0 };
  osdear__place place;

  cr_assert_eq(parse("tcp://box:2376", &arena, &place), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "https://box:2376");
  cr_assert_eq(parse("tcp://[::1]:2375", &arena, &place), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "http://[::1]:2375");
  cr_assert_eq(parse("tcp://box", &arena, &place), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "http://box:2375");
}

Test(address, what_is_no_host_and_port_is_refused)
{
  static const char *const bad[] = { "tcp://",
                                     "tcp://box:0",
                                     "tcp://box:70000",
                                     "tcp://box:12a",
                                     "tcp://box/path",
                                     "tcp://u@box:1",
                                     "ftp://box",
                                     "",
                                     "portainer+https://host:9443",
                                     "portainer+https://host:9443/",
                                     "ssh://",
                                     "ssh://-oX" };
  SCOPED(arena) arena = { 0 };
  osdear__place place;

  for (size_t i = 0; i < COUNT_OF(bad); i++)
    cr_assert_eq(parse(bad[i], &arena, &place), OSDEAR_ERR_ARGUMENT, "%s", bad[i]);
}

Test(address, ssh_has_user_host_and_port_but_no_password_and_no_options)
{
  SCOPED(arena) arena = { 0 };
  osdear__place place;

  cr_assert_eq(parse("ssh://me@box:2222", &arena, &place), OSDEAR_OK);
  cr_assert_str_eq(place.ssh_user, "me");
  cr_assert_str_eq(place.ssh_host, "box");
  cr_assert_str_eq(place.ssh_port, "2222");
  cr_assert_eq(parse("ssh://me:secret@box", &arena, &place), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(parse("ssh://-oProxyCommand=x@box", &arena, &place), OSDEAR_ERR_ARGUMENT);
}

Test(address, portainer_has_an_environment_behind_the_last_slash)
{
  SCOPED(arena) arena = { 0 };
  osdear__place place;

  cr_assert_eq(parse("portainer+https://host:9443/tools/local", &arena, &place), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "https://host:9443/tools");
  cr_assert_str_eq(place.environment, "local");
}

Test(address, credentials_in_a_portainer_address_are_refused_and_not_repeated)
{
  SCOPED(arena) arena = { 0 };
  osdear__place place = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__place_parse("portainer+https://me:hunter2@host/1", &arena, &place, &error), OSDEAR_ERR_ARGUMENT);
  cr_assert_null(strstr(osdear_error_message(error), "hunter2"));
  osdear_error_free(error);
}

static void put_file(const char *folder, const char *name, const char *text)
{
  char path[300];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "w");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

static void make_config(char folder[FOLDER_ROOM])
{
  char path[200];

  folder_make("docker", folder);
  for (const char *const *part = (const char *const[]){ "contexts", "contexts/meta", "contexts/meta/abc", NULL }; *part; part++) {
    snprintf(path, sizeof path, "%s/%s", folder, *part);
    cr_assert_eq(mkdir(path, 0700), 0);
  }
  put_file(folder, "config.json", "{\"currentContext\":\"far\"}");
  put_file(folder, "contexts/meta/abc/meta.json",
           "{\"Name\":\"far\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://box:2376\",\"SkipTLSVerify\":true}}}");
}

Test(address, the_current_context_is_used_when_nothing_else_is_said)
{
  osdear__engine_settings settings = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__place place;
  char folder[FOLDER_ROOM];

  make_config(folder);
  unsetenv("DOCKER_HOST");
  unsetenv("DOCKER_CONTEXT");
  settings.docker_config = folder;
  cr_assert_eq(osdear__place_find(NULL, &settings, &arena, &place, NULL), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "https://box:2376");
  cr_assert(place.insecure);
  cr_assert_eq(osdear__place_find("context:near", &settings, &arena, &place, NULL), OSDEAR_ERR_NOT_FOUND);
  setenv("DOCKER_HOST", "unix:///elsewhere.sock", 1);
  cr_assert_eq(osdear__place_find("docker", &settings, &arena, &place, NULL), OSDEAR_OK);
  cr_assert_str_eq(place.socket, "/elsewhere.sock");
  setenv("DOCKER_HOST", "tcp://near:2375", 1);
  setenv("DOCKER_TLS_VERIFY", "1", 1);
  setenv("DOCKER_CERT_PATH", "/certs", 1);
  cr_assert_eq(osdear__place_find(NULL, &settings, &arena, &place, NULL), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "https://near:2375");
  cr_assert_str_eq(place.ca, "/certs/ca.pem");
  /* An address that is given is taken as Docker's command takes it, certificates included. */
  cr_assert_eq(osdear__place_find("tcp://far:4243", &settings, &arena, &place, NULL), OSDEAR_OK);
  cr_assert_str_eq(place.base_url, "https://far:4243");
  cr_assert_str_eq(place.ca, "/certs/ca.pem");
  folder_remove(folder);
}

Test(address, a_setting_that_is_none_is_named)
{
  const osdear_pair pairs[] = { { "tls_cart", "x" } };
  osdear__engine_settings settings = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__engine_settings_read(pairs, 1, &arena, &settings, &error), OSDEAR_ERR_ARGUMENT);
  cr_assert_not_null(strstr(osdear_error_message(error), "tls_cart"));
  osdear_error_free(error);
}
