/* Options of s3: stores by the names that deltalake and object_store use, and AWS's configuration files. */
#include <store/s3/profile.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* Each test runs in a process of its own, where nothing of the user's environment is to be seen. */
static void forget_environment(void)
{
  static char *nothing[] = { NULL };

  environ = nothing;
}

static osdear_status read_pairs(osdear__s3_settings *settings, const osdear_pair *pairs, size_t count, osdear_error **error)
{
  return osdear__s3_settings_read(settings, pairs, count, error);
}

static void expect_refusal(const char *key, const char *value, const char *words)
{
  osdear_pair pair = { key, value };
  osdear__s3_settings settings;
  osdear_error *error = NULL;

  cr_assert_eq(read_pairs(&settings, &pair, 1, &error), OSDEAR_ERR_ARGUMENT, "%s=%s", key, value);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

Test(s3_settings, knows_names_in_any_case_with_and_without_a_prefix)
{
  static const char *const names[] = { "aws_endpoint", "AWS_ENDPOINT_URL", "endpoint", "Endpoint_Url", "AWS_ENDPOINT_URL_S3" };

  forget_environment();
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    osdear_pair pair = { names[i], "https://minio:9000" };
    osdear__s3_settings settings;
    cr_assert_eq(read_pairs(&settings, &pair, 1, NULL), OSDEAR_OK, "%s", names[i]);
    cr_assert_str_eq(settings.values[S3_ENDPOINT], "https://minio:9000");
    osdear__s3_settings_drop(&settings);
  }
}

Test(s3_settings, refuses_what_it_does_not_know_by_name)
{
  forget_environment();
  expect_refusal("aws_endpiont", "x", "\"aws_endpiont\"");
  expect_refusal("AWS_S3_LOCKING_PROVIDER", "dynamodb", "AWS_S3_LOCKING_PROVIDER");
  expect_refusal("aws_allow_http", "maybe", "allow_http");
  expect_refusal("timeout", "5 parsecs", "30s");
  expect_refusal("max_attempts", "0", "max_attempts");
  expect_refusal("conditional_put", "dynamo:table", "etag");
  expect_refusal("checksum_algorithm", "crc7", "crc32");
  expect_refusal("aws_region", "eu\nwest", "one line");
  expect_refusal("part_size", "1000", "5 MiB");
  expect_refusal("aws_access_key_id", "AK", "aws_secret_access_key");
  expect_refusal("", "x", "\"\"");
}

Test(s3_settings, reads_switches_times_and_numbers)
{
  osdear_pair pairs[] = { { "aws_allow_http", "TRUE" },
                          { "aws_virtual_hosted_style_request", "1" },
                          { "timeout", "1500ms" },
                          { "connect_timeout", "2m" },
                          { "aws_s3_allow_unsafe_rename", "true" },
                          { "aws_conditional_put", "etag" },
                          { "aws_request_payer", "false" },
                          { "part_size", "16777216" } };
  osdear__s3_settings settings;

  forget_environment();
  cr_assert_eq(read_pairs(&settings, pairs, COUNT_OF(pairs), NULL), OSDEAR_OK);
  cr_assert(settings.allow_http && settings.virtual_host && settings.single_writer);
  cr_assert_eq(settings.timeout_ms, 1500);
  cr_assert_eq(settings.connect_timeout_ms, 120000);
  cr_assert_eq(settings.conditional, S3_CONDITIONAL_TRUST);
  cr_assert_null(settings.values[S3_REQUEST_PAYER]);
  cr_assert_eq(settings.part_size, 16777216);
  osdear__s3_settings_drop(&settings);
}

Test(s3_settings, takes_the_environment_for_what_is_not_given)
{
  static char *variables[] = { "AWS_ACCESS_KEY_ID=ENV",
                               "AWS_SECRET_ACCESS_KEY=hidden",
                               "AWS_SESSION_TOKEN=token",
                               "AWS_DEFAULT_REGION=eu-west-1",
                               "AWS_ENDPOINT_URL=http://env",
                               "AWS_ENDPOINT_URL_S3=http://s3",
                               NULL };
  osdear_pair keys[] = { { "aws_access_key_id", "OWN" }, { "aws_secret_access_key", "mine" } };
  osdear__s3_settings settings;
  SCOPED(buf) shown = { 0 };

  environ = variables;
  cr_assert_eq(read_pairs(&settings, NULL, 0, NULL), OSDEAR_OK);
  cr_assert_str_eq(settings.values[S3_REGION], "eu-west-1");
  cr_assert_str_eq(settings.values[S3_ENDPOINT], "http://s3", "the one for S3 alone comes first");
  cr_assert(osdear__str_is(settings.session_token.hidden, "token"));
  cr_assert_null(settings.values[S3_SECRET_ACCESS_KEY], "no secret among the texts");
  osdear__secret_put(&shown, &settings.secret_key);
  cr_assert_str_eq(shown.data, "***");
  osdear__s3_settings_drop(&settings);

  cr_assert_eq(read_pairs(&settings, keys, 2, NULL), OSDEAR_OK);
  cr_assert_str_eq(settings.values[S3_ACCESS_KEY_ID], "OWN");
  cr_assert_eq(settings.session_token.hidden.size, 0, "a token of the environment does not belong to a key of the options");
  osdear__s3_settings_drop(&settings);
}

/* ---- ~/.aws ---- */

static const char config_text[] = "# a comment\n"
                                  "[default]\n"
                                  "region = eu-central-1\n"
                                  "[profile lab]\r\n"
                                  "endpoint_url = http://plain\n"
                                  "s3 =\n"
                                  "  addressing_style = path\n"
                                  "  endpoint_url = http://for-s3\n"
                                  "services = mine\n"
                                  "credential_process = /bin/give \"two words\"\n"
                                  "[services mine]\n"
                                  "s3 =\n"
                                  "    endpoint_url = http://of-services\n"
                                  "[sso-session x]\n"
                                  "sso_start_url = https://passed.over\n";

static const char credentials_text[] = "[lab]\n"
                                       "aws_access_key_id=AK\n"
                                       "AWS_SECRET_ACCESS_KEY = s=e/c+r==\n"
                                       "; the last one counts\n"
                                       "aws_access_key_id = AK2\n";

static void parse(osdear__aws_profiles *profiles, const char *text, bool is_credentials)
{
  osdear_error *error = NULL;

  cr_assert_eq(osdear__aws_profiles_parse(profiles, osdear__str_of(text), is_credentials, "text", &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
}

Test(aws_profiles, reads_both_files)
{
  osdear__aws_profiles profiles = { 0 };

  parse(&profiles, credentials_text, true);
  parse(&profiles, config_text, false);
  cr_assert_str_eq(osdear__aws_profile_get(&profiles, "default", "region"), "eu-central-1");
  cr_assert_str_eq(osdear__aws_profile_get(&profiles, "lab", "aws_access_key_id"), "AK2");
  cr_assert_str_eq(osdear__aws_profile_get(&profiles, "lab", "aws_secret_access_key"), "s=e/c+r==");
  cr_assert_str_eq(osdear__aws_profile_get(&profiles, "lab", "credential_process"), "/bin/give \"two words\"");
  cr_assert_str_eq(osdear__aws_profile_get_s3(&profiles, "lab", "addressing_style"), "path");
  cr_assert_str_eq(osdear__aws_profile_get_s3(&profiles, "lab", "endpoint_url"), "http://of-services");
  cr_assert_null(osdear__aws_profile_get(&profiles, "lab", "region"), "profiles inherit nothing");
  cr_assert(osdear__aws_profile_is_there(&profiles, "lab"));
  cr_assert_not(osdear__aws_profile_is_there(&profiles, "other"));
  cr_assert_not(osdear__aws_profile_is_there(&profiles, "sso-session x"));
  osdear__aws_profiles_drop(&profiles);
}

Test(aws_profiles, says_which_line_it_cannot_read)
{
  osdear__aws_profiles profiles = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__aws_profiles_parse(&profiles, STR("[a]\nb = c\nnonsense\n"), true, "file", &error), OSDEAR_ERR_ARGUMENT);
  cr_assert_not_null(strstr(osdear_error_message(error), "file, line 3"), "%s", osdear_error_message(error));
  osdear_error_free(error);
  error = NULL;
  cr_assert_eq(osdear__aws_profiles_parse(&profiles, STR("[a\n"), true, "file", &error), OSDEAR_ERR_ARGUMENT);
  osdear_error_free(error);
  osdear__aws_profiles_drop(&profiles);
}

Test(aws_profiles, survives_any_bytes)
{
  unsigned seed = 1;

  for (int turn = 0; turn < 500; turn++) {
    osdear__aws_profiles profiles = { 0 };
    char text[200];
    for (size_t i = 0; i < sizeof text; i++) {
      seed = seed * 1103515245 + 12345;
      text[i] = "[]=\n \tab#;\\profile"[(seed >> 16) % 18];
    }
    (void)!osdear__aws_profiles_parse(&profiles, (osdear__str){ text, sizeof text }, turn % 2, "noise", NULL);
    osdear__aws_profiles_drop(&profiles);
  }
}
