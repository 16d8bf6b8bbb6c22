#include <store/store.h>

#include <criterion/criterion.h>

static void expect_encoded(const char *path, const char *wanted)
{
  SCOPED(buf) out = { 0 };
  SCOPED(buf) back = { 0 };

  osdear__uri_encode(&out, osdear__str_of(path));
  cr_assert_str_eq(out.data, wanted);
  cr_assert_eq(osdear__uri_decode((osdear__str){ out.data, out.size }, &back, NULL), OSDEAR_OK);
  cr_assert_str_eq(back.data, path);
}

Test(uri, encodes_what_spark_encodes)
{
  expect_encoded("part-0_~.parquet", "part-0_~.parquet");
  expect_encoded("a b/c", "a%20b/c");
  expect_encoded("ts=2024-01-01 00%3A00%3A00", "ts=2024-01-01%2000%253A00%253A00");
  expect_encoded("!$&'()*+,;=:@", "!$&'()*+,;=:@");
  expect_encoded("\xc3\xa9", "%C3%A9");
  expect_encoded("\"#<>?[\\]^`{|}\x7f\x01", "%22%23%3C%3E%3F%5B%5C%5D%5E%60%7B%7C%7D%7F%01");
}

Test(uri, decodes_once)
{
  SCOPED(buf) out = { 0 };

  osdear__buf_puts(&out, "x:");
  cr_assert_eq(osdear__uri_decode(STR("a%2520b%c3%A9+"), &out, NULL), OSDEAR_OK);
  cr_assert_str_eq(out.data, "x:a%20b\xc3\xa9+");
}

Test(uri, refuses_what_is_no_path)
{
  static const char *const bad[] = { "%", "a%2", "a%zz", "%2x", "a%00b", "%ff", "%c3" };
  osdear_error *error = NULL;

  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    SCOPED(buf) out = { 0 };
    cr_assert_eq(osdear__uri_decode(osdear__str_of(bad[i]), &out, &error), OSDEAR_ERR_CORRUPT, "%s", bad[i]);
  }
  osdear_error_free(error);
}

static void expect_uri(const char *uri, const char *wanted)
{
  AUTO(store) store = NULL;
  osdear_error *error = NULL;
  osdear_status st = osdear__store_open(NULL, uri, NULL, 0, &store, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s: %s", uri, osdear_error_message(error));
  cr_assert_str_eq(osdear__store_uri(store), wanted);
}

Test(uri, addresses_of_one_folder_are_spelled_alike)
{
  expect_uri("/data/table", "/data/table");
  expect_uri("/data//./table/", "/data/table");
  expect_uri("file:///data/a%20table/", "/data/a table");
  expect_uri("file:/data/table", "/data/table");
  expect_uri("file://localhost/data", "/data");
  expect_uri("/", "/");
  expect_uri("/a/../b", "/a/../b");
  expect_uri("memory://name", "memory://name");
  expect_uri("memory://name//a/./b/", "memory://name/a/b");
  osdear__memory_store_forget("name");
}

static void expect_refused(const char *uri, osdear_status wanted, const char *part)
{
  osdear__store *store = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__store_open(NULL, uri, NULL, 0, &store, &error), wanted, "%s", uri);
  cr_assert_null(store);
  cr_assert_not_null(strstr(osdear_error_message(error), part), "%s: %s", uri, osdear_error_message(error));
  osdear_error_free(error);
}

Test(uri, refuses_addresses_by_name)
{
  expect_refused("", OSDEAR_ERR_ARGUMENT, "empty");
  expect_refused("gs://bucket/table", OSDEAR_ERR_UNSUPPORTED, "\"gs:\"");
  expect_refused("file://host/share", OSDEAR_ERR_ARGUMENT, "another host");
  expect_refused("file:///a%zz", OSDEAR_ERR_ARGUMENT, "file:///a%zz");
  expect_refused("memory:///table", OSDEAR_ERR_ARGUMENT, "no name");
  expect_refused("/\xff", OSDEAR_ERR_ARGUMENT, "UTF-8");
}

Test(uri, refuses_settings_by_name)
{
  static const osdear_pair settings[] = { { "aws_region", "eu" } };
  osdear__store *store = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__store_open(NULL, "/tmp", settings, 1, &store, &error), OSDEAR_ERR_ARGUMENT);
  cr_assert_null(store);
  cr_assert_not_null(strstr(osdear_error_message(error), "aws_region"));
  osdear_error_free(error);
}
