#include <container/container.h>
#include <criterion/criterion.h>

static void expect(const osdear_container_spec *spec, const char *json)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;
  osdear_status st = osdear__spec_print(spec, NULL, 0, spec->network_count, &out, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_str_eq(out.data, json);
}

static void refuse(const osdear_container_spec *spec, const char *word)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__spec_print(spec, NULL, 0, spec->network_count, &out, &error), OSDEAR_ERR_ARGUMENT);
  cr_assert_not_null(strstr(osdear_error_message(error), word), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

Test(spec, an_image_is_enough)
{
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;

  spec.image = "busybox:1";
  expect(&spec, "{\"Image\":\"busybox:1\",\"HostConfig\":{}}");
  spec.image = NULL;
  refuse(&spec, "image");
}

Test(spec, words_are_escaped_and_lists_keep_their_order)
{
  static const char *const command[] = { "sh", "-c", "echo \"a\nb\"" };
  static const osdear_pair environment[] = { { "A", "1=2" }, { "B", "" } };
  static const osdear_pair labels[] = { { "app", "etl" } };
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;

  spec.image = "i";
  spec.command = command;
  spec.command_count = 3;
  spec.environment = environment;
  spec.environment_count = 2;
  spec.labels = labels;
  spec.label_count = 1;
  expect(
      &spec,
      "{\"Image\":\"i\",\"Cmd\":[\"sh\",\"-c\",\"echo \\\"a\\nb\\\"\"],\"Env\":[\"A=1=2\",\"B=\"],\"Labels\":{\"app\":\"etl\"},"
      "\"HostConfig\":{}}");
}

Test(spec, mounts_ports_limits_and_the_rest_of_the_host_s_side)
{
  static const osdear_mount mounts[] = { { "/data", "/in", 1 }, { "vol", "/v", 0 }, { NULL, "/tmp", 0 } };
  static const osdear_port ports[] = { { 80, 8080, "127.0.0.1", NULL }, { 80, 0, NULL, NULL }, { 53, -1, NULL, "udp" } };
  static const osdear_network networks[] = { { "net", "db,sql" }, { "other", NULL } };
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;

  spec.image = "i";
  spec.mounts = mounts;
  spec.mount_count = 3;
  spec.ports = ports;
  spec.port_count = 3;
  spec.networks = networks;
  spec.network_count = 2;
  spec.memory_bytes = 1 << 20;
  spec.cpu_milli = 1500;
  spec.gpus = -1;
  spec.restart = "on-failure:3";
  spec.init = spec.read_only = 1;
  expect(
      &spec,
      "{\"Image\":\"i\",\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"HostConfig\":{\"Mounts\":["
      "{\"Type\":\"bind\",\"Source\":\"/data\",\"Target\":\"/"
      "in\",\"ReadOnly\":true},{\"Type\":\"volume\",\"Source\":\"vol\",\"Target\":\"/v\"},"
      "{\"Type\":\"tmpfs\",\"Target\":\"/tmp\"}],\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"},"
      "{\"HostIp\":\"\",\"HostPort\":\"0\"}],\"53/udp\":[]},\"Memory\":1048576,\"NanoCpus\":1500000000,"
      "\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3},"
      "\"DeviceRequests\":[{\"Driver\":\"\",\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}],\"NetworkMode\":\"net\",\"Init\":true,"
      "\"ReadonlyRootfs\":true},\"NetworkingConfig\":{\"EndpointsConfig\":{\"net\":{\"Aliases\":[\"db\",\"sql\"]},\"other\":{}}}}");
}

Test(spec, a_health_check_is_words_or_a_text_for_a_shell)
{
  static const char *const shell[] = { "test -f /ok" }, *const words[] = { "test", "-f", "/ok" }, *const none[] = { "NONE" };
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;

  spec.image = "i";
  spec.health = shell;
  spec.health_count = 1;
  spec.health_interval_ms = 200;
  expect(&spec,
         "{\"Image\":\"i\",\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"test -f /ok\"],\"Interval\":200000000},\"HostConfig\":{}}");
  spec.health_interval_ms = 0;
  spec.health = words;
  spec.health_count = 3;
  expect(&spec, "{\"Image\":\"i\",\"Healthcheck\":{\"Test\":[\"CMD\",\"test\",\"-f\",\"/ok\"]},\"HostConfig\":{}}");
  spec.health = none;
  spec.health_count = 1;
  expect(&spec, "{\"Image\":\"i\",\"Healthcheck\":{\"Test\":[\"NONE\"]},\"HostConfig\":{}}");
}

Test(spec, further_json_is_laid_over_what_the_fields_make)
{
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;

  spec.image = "i";
  spec.init = 1;
  spec.extra_json = "{\"HostConfig\":{\"Init\":false,\"Sysctls\":{\"a\":\"1\"}},\"Domainname\":\"x\"}";
  expect(&spec, "{\"Image\":\"i\",\"HostConfig\":{\"Init\":false,\"Sysctls\":{\"a\":\"1\"}},\"Domainname\":\"x\"}");
  spec.extra_json = "[]";
  refuse(&spec, "extra_json");
  spec.extra_json = "{";
  refuse(&spec, "extra_json");
}

Test(spec, what_makes_no_sense_is_named)
{
  static const osdear_mount relative[] = { { "/data", "in", 1 } };
  static const osdear_port port[] = { { 70000, 0, NULL, NULL } };
  static const osdear_pair nameless[] = { { "", "x" } };
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;

  spec.image = "i";
  spec.restart = "sometimes";
  refuse(&spec, "restart");
  spec.restart = NULL;
  spec.mounts = relative;
  spec.mount_count = 1;
  refuse(&spec, "mount");
  spec.mount_count = 0;
  spec.ports = port;
  spec.port_count = 1;
  refuse(&spec, "port");
  spec.port_count = 0;
  spec.environment = nameless;
  spec.environment_count = 1;
  refuse(&spec, "environment");
  spec.environment_count = 0;
  spec.memory_bytes = -1;
  refuse(&spec, "limit");
}
