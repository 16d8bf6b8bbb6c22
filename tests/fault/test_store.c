#include "../support/server.h"
#include "bodies.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A folder with two files, one of them in a folder, and where copies go. */
static void prepare_files(fault_fixture *fixture)
{
  char command[400];

  prepare_context(fixture);
  snprintf(command, sizeof command, "cd %s && mkdir -p from/below to && echo one > from/a && echo two > from/below/b",
           fixture->folder);
  cr_assert_eq(system(command), 0);
}

static osdear_status open_folder(fault_fixture *fixture, const char *name, osdear_store **out, osdear_error **error)
{
  char uri[200];

  snprintf(uri, sizeof uri, "%s/%s", fixture->folder, name);
  return osdear_store_open(fixture->context, uri, NULL, out, error);
}

static osdear_status store_open(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "from", &store, error);

  cr_assert_eq(status == OSDEAR_OK, store != NULL);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_open, .prepare = prepare_files, .run = store_open)

static int32_t count_item(void *argument, const osdear_store_item *item)
{
  *(int *)argument += item->path[0] != '\0';
  return 0;
}

static osdear_status store_list(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "from", &store, error);
  int count = 0;

  if (!status)
    status = osdear_store_list(store, "", NULL, count_item, &count, error);
  cr_assert(status || count == 2);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_list, .prepare = prepare_files, .run = store_list)

static osdear_status store_stat(fault_fixture *fixture, osdear_error **error)
{
  osdear_store_item item = { NULL, -1, 0 };
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "from", &store, error);

  if (!status)
    status = osdear_store_stat(store, "a", &item, error);
  cr_assert_eq(item.size_bytes, status ? -1 : 4);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_stat, .prepare = prepare_files, .run = store_stat)

static int32_t take(void *argument, const void *data, size_t size)
{
  char *text = argument;

  cr_assert_leq(strlen(text) + size, 10);
  strncat(text, data, size);
  return 0;
}

static osdear_status store_get(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "from", &store, error);
  char text[20] = "";

  if (!status)
    status = osdear_store_get(store, "below/b", NULL, take, text, error);
  cr_assert(status || strcmp(text, "two\n") == 0);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_get, .prepare = prepare_files, .run = store_get)

static int32_t give(void *argument, void *out, size_t room, size_t *got)
{
  int *left = argument;

  cr_assert_geq(room, 3);
  *got = *left > 0 ? 3 : 0;
  memcpy(out, "abc", *got);
  --*left;
  return 0;
}

static osdear_status store_put(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "to", &store, error);
  int left = 2;

  if (!status)
    status = osdear_store_put(store, "new/file", NULL, give, &left, error);
  osdear_store_free(store);
  return status;
}

/* Half a file is never seen. */
static void expect_put(fault_fixture *fixture, osdear_status status)
{
  char path[300], text[20] = "";
  FILE *file;

  snprintf(path, sizeof path, "%s/to/new/file", fixture->folder);
  file = fopen(path, "r");
  cr_assert(file || status);
  if (!file)
    return;
  cr_assert_eq(fread(text, 1, sizeof text, file), 6);
  cr_assert_str_eq(text, "abcabc");
  fclose(file);
}
BODY(osdear_store_put, .prepare = prepare_files, .run = store_put, .check = expect_put, .changes_state = 1)

static osdear_status store_copy(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *from = NULL, *to = NULL;
  osdear_status status = open_folder(fixture, "from", &from, error);

  if (!status)
    status = open_folder(fixture, "to", &to, error);
  if (!status)
    status = osdear_store_copy(from, "a", to, "copy", NULL, error);
  osdear_store_free(from);
  osdear_store_free(to);
  return status;
}
BODY(osdear_store_copy, .prepare = prepare_files, .run = store_copy, .changes_state = 1)

static osdear_status store_copy_tree(fault_fixture *fixture, osdear_error **error)
{
  osdear_store_put_options options = OSDEAR_STORE_PUT_OPTIONS_INIT;
  osdear_store_result result = OSDEAR_STORE_RESULT_INIT;
  osdear_store *from = NULL, *to = NULL;
  osdear_status status = open_folder(fixture, "from", &from, error);

  options.concurrency = 1;
  if (!status)
    status = open_folder(fixture, "to", &to, error);
  if (!status)
    status = osdear_store_copy_tree(from, "", to, "all/", &options, &result, error);
  cr_assert(status || (result.files == 2 && result.bytes == 8));
  osdear_store_free(from);
  osdear_store_free(to);
  return status;
}
BODY(osdear_store_copy_tree, .prepare = prepare_files, .run = store_copy_tree, .changes_state = 1)

static osdear_status store_delete(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "from", &store, error);

  if (!status)
    status = osdear_store_delete(store, "a", error);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_delete, .prepare = prepare_files, .run = store_delete, .changes_state = 1)

static osdear_status store_delete_tree(fault_fixture *fixture, osdear_error **error)
{
  osdear_store_result result = OSDEAR_STORE_RESULT_INIT;
  osdear_store *store = NULL;
  osdear_status status = open_folder(fixture, "from", &store, error);

  if (!status)
    status = osdear_store_delete_tree(store, "", &result, error);
  cr_assert(status || result.files == 2);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_delete_tree, .prepare = prepare_files, .run = store_delete_tree, .changes_state = 1)

/* Signing needs no network: the keys come with the call. */
static osdear_status store_presign(fault_fixture *fixture, osdear_error **error)
{
  const osdear_pair settings[] = { { "aws_access_key_id", "AK" },
                                   { "aws_secret_access_key", "secret" },
                                   { "aws_region", "eu-west-1" } };
  osdear_store_options options = OSDEAR_STORE_OPTIONS_INIT;
  osdear_store *store = NULL;
  osdear_status status;
  char *url = NULL;

  options.storage = settings;
  options.storage_count = 3;
  status = osdear_store_open(fixture->context, "s3://bucket/folder", &options, &store, error);
  if (!status)
    status = osdear_store_presign(store, "file", "GET", 60, &url, error);
  cr_assert_eq(status == OSDEAR_OK, url != NULL);
  osdear_text_free(url);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_presign, .prepare = prepare_context, .run = store_presign)

/* At a stand-in, which lives as long as the test's process. One attempt a request: what is broken here is meant to stay so. */
static osdear_status open_standin(fault_fixture *fixture, osdear_store **out, osdear_error **error)
{
  static test_server server;
  osdear_store_options options = OSDEAR_STORE_OPTIONS_INIT;
  osdear_pair settings[] = {
    { "aws_access_key_id", "AK" }, { "aws_secret_access_key", "secret" }, { "aws_endpoint", server.url }, { "max_attempts", "1" }
  };

  if (!server.pid)
    test_server_start_script(&server, "s3_standin.py", NULL);
  options.storage = settings;
  options.storage_count = 4;
  return osdear_store_open(fixture->context, "s3://bucket/folder", &options, out, error);
}

/* What is loaded once and kept comes before the counting. */
static void prepare_standin(fault_fixture *fixture)
{
  osdear_store *store = NULL;
  int count = 0;

  prepare_context(fixture);
  cr_assert_eq(open_standin(fixture, &store, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_store_uploads(store, "", count_item, &count, NULL), OSDEAR_OK);
  osdear_store_free(store);
}

static osdear_status store_uploads(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_standin(fixture, &store, error);
  int count = 0;

  if (!status)
    status = osdear_store_uploads(store, "", count_item, &count, error);
  cr_assert(status || count == 2);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_uploads, .prepare = prepare_standin, .run = store_uploads)

static osdear_status store_delete_uploads(fault_fixture *fixture, osdear_error **error)
{
  osdear_store *store = NULL;
  osdear_status status = open_standin(fixture, &store, error);
  int64_t deleted = 0;

  if (!status)
    status = osdear_store_delete_uploads(store, "", 0, &deleted, error);
  cr_assert(status || deleted == 2);
  osdear_store_free(store);
  return status;
}
BODY(osdear_store_delete_uploads, .prepare = prepare_standin, .run = store_delete_uploads)
