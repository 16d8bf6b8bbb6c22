#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <formats/feed.h>

#define BYTES(literal) (literal), sizeof(literal) - 1

static void expect_of_bytes(const void *bytes, size_t size, const osdear_source_options *options, const char *rows)
{
  files all = { 0 };
  outcome result;

  files_add(&all, bytes, size);
  result = read_files(&all, options);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, rows);
  outcome_drop(&result);
}

Test(feed, byte_order_marks_tell_the_encoding)
{
  const char *rows = "{\"a\":1,\"b\":\"é\"}\n";

  expect_of_bytes(BYTES("\xef\xbb\xbf"
                        "a,b\n1,\xc3\xa9\n"),
                  NULL, rows);
  expect_of_bytes(BYTES("\xff\xfe"
                        "a\0,\0b\0\n\0"
                        "1\0,\0\xe9\0\n\0"),
                  NULL, rows);
  expect_of_bytes(BYTES("\xfe\xff\0a\0,\0b\0\n\0"
                        "1\0,\0\xe9\0\n"),
                  NULL, rows);
}

Test(feed, encodings_can_be_given)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.encoding = "latin1";
  expect_of_bytes(BYTES("a,b\n1,\xe9\n"), &options, "{\"a\":1,\"b\":\"é\"}\n");
  options.encoding = "windows-1252";
  expect_of_bytes(BYTES("a,b\n1,\x80\x93x\x94\n"), &options, "{\"a\":1,\"b\":\"€“x”\"}\n");
  options.encoding = "utf-16le";
  expect_of_bytes(BYTES("a\0,\0b\0\n\0"
                        "1\0,\0\x3d\xd8\x00\xde\n\0"),
                  &options, "{\"a\":1,\"b\":\"😀\"}\n");
  options.encoding = "ebcdic";
  expect_failure("a\n", &options, OSDEAR_ERR_ARGUMENT, "ebcdic");
}

Test(feed, broken_utf16_names_its_byte)
{
  files all = { 0 };
  outcome result;

  files_add(&all, BYTES("\xff\xfe"
                        "a\0,\0b\0\n\0"
                        "1\0,\0\0\xdc\n\0"));
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_ERR_CORRUPT);
  cr_expect_not_null(strstr(result.message, "not utf-16le at byte 14"), "%s", result.message);
  outcome_drop(&result);
}

Test(feed, transcoding_may_stop_at_any_byte)
{
  const char in[] = "a\0\xe9\0\xac\x20\x3d\xd8\x00\xde";
  char out[64];

  for (size_t cut = 0; cut < sizeof in - 1; cut++) {
    size_t used = 0, put = 0, more_used = 0, more = 0;
    cr_assert(osdear__transcode(ENCODING_UTF16LE, (const uint8_t *)in, cut, false, &used, out, sizeof out, &put));
    cr_assert(osdear__transcode(ENCODING_UTF16LE, (const uint8_t *)in + used, sizeof in - 1 - used, true, &more_used, out + put,
                                sizeof out - put, &more));
    out[put + more] = '\0';
    cr_expect_str_eq(out, "aé€😀");
  }
}

/* printf 'a,b\n1,x\n' | gzip -n */
Test(feed, gzip_is_found_by_content)
{
  static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xd4, 0x49, 0xe2,
    0x32, 0xd4, 0xa9, 0xe0, 0x02, 0x00, 0xf4, 0xa0, 0x01, 0x00, 0x08, 0x00, 0x00, 0x00,
  };
  files all = { 0 };
  outcome result;

  files_add(&all, packed, sizeof packed);
  result = read_files(&all, NULL);
  if (!osdear__codec_is_built(CODEC_GZIP)) {
    cr_expect_eq(result.status, OSDEAR_ERR_UNSUPPORTED);
    cr_expect_not_null(strstr(result.message, "gzip is not part of this build"), "%s", result.message);
    outcome_drop(&result);
    return;
  }
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, "{\"a\":1,\"b\":\"x\"}\n");
  cr_expect_not_null(strstr(result.report, "compressed by gzip"), "%s", result.report);
  outcome_drop(&result);
  files_add(&all, packed, sizeof packed - 9);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_ERR_CORRUPT);
  outcome_drop(&result);
}

Test(feed, a_pipe_is_looked_at_and_then_read_from_its_front)
{
  files all = { 0 };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  outcome result;

  files_add_pipe(&all, "a,b\n1,x\n2,y\n", 12);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n");
  outcome_drop(&result);
  files_add_pipe(&all, "{\"a\":1}\n{\"a\":2}\n", 16);
  result = read_files(&all, NULL);
  cr_expect_str_eq(result.rows, "{\"a\":1}\n{\"a\":2}\n", "%s", result.message);
  outcome_drop(&result);
  options.infer_rows = -1;
  files_add_pipe(&all, "a\n1\n", 4);
  result = read_files(&all, &options);
  cr_expect_eq(result.status, OSDEAR_ERR_ARGUMENT, "%s", result.message);
  outcome_drop(&result);
}

/* Standard input that is a file is not opened anew, and begins where it was when it was handed over. */
Test(feed, standard_input_is_read_from_where_it_stands)
{
  files all = { 0 };
  outcome result;

  files_add(&all, "skipped\na,b\n1,x\n", 16);
  cr_assert_geq(dup2(all.descriptors[0], STDIN_FILENO), 0);
  cr_assert_eq(lseek(STDIN_FILENO, 8, SEEK_SET), 8);
  all.paths[0] = "-";
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, "{\"a\":1,\"b\":\"x\"}\n");
  cr_expect_eq(lseek(STDIN_FILENO, 0, SEEK_CUR), 16, "it was closed");
  outcome_drop(&result);
}

Test(feed, files_that_cannot_be_read_are_named)
{
  const char *missing = "no/such/file.csv", *folder = "/proc";
  osdear_context *context = test_context();
  osdear_source *source = NULL;
  osdear_error *error = NULL;

  cr_expect_eq(osdear_source_open(context, &missing, 1, NULL, &source, &error), OSDEAR_ERR_NOT_FOUND);
  cr_expect_not_null(strstr(osdear_error_message(error), missing));
  osdear_error_free(error);
  error = NULL;
  cr_expect_eq(osdear_source_open(context, &folder, 1, NULL, &source, &error), OSDEAR_ERR_ARGUMENT);
  cr_expect_not_null(strstr(osdear_error_message(error), "folder"));
  osdear_error_free(error);
  osdear_context_unref(context);
}

Test(feed, formats_are_told_by_names_and_then_by_content)
{
  char folder[] = "/tmp/osdear-formats-XXXXXX", path[64];
  osdear_context *context = test_context();
  const char *uri = path;
  osdear_source *source = NULL;
  FILE *file;

  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.csv", folder);
  file = fopen(path, "w");
  fputs("{\"a\":1}\n", file);
  fclose(file);
  cr_assert_eq(osdear_source_open(context, &uri, 1, NULL, &source, NULL), OSDEAR_OK);
  cr_expect(osdear__starts_with(osdear_source_report(source), "format: csv"));
  osdear_source_free(source);
  remove(path);
  rmdir(folder);
  expect_rows("  \n{\"a\":1}\n", NULL, "{\"a\":1}\n");
  osdear_context_unref(context);
}

Test(feed, wrong_calls_are_told_apart)
{
  const char *twice[] = { "-", "-" }, *none[] = { "" };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  osdear_context *context = test_context();
  osdear_source *source = NULL;
  struct ArrowSchema schema;

  cr_expect_eq(osdear_source_open(NULL, twice, 1, NULL, &source, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_eq(osdear_source_open(context, twice, 0, NULL, &source, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_eq(osdear_source_open(context, twice, 2, NULL, &source, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_eq(osdear_source_open(context, none, 1, NULL, &source, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_eq(osdear_source_schema(NULL, &schema, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_str_eq(osdear_source_report(NULL), "");
  options.format = "xlsx";
  expect_failure("a\n", &options, OSDEAR_ERR_ARGUMENT, "xlsx");
  options.format = NULL;
  options.compression = "lzma";
  expect_failure("a\n", &options, OSDEAR_ERR_ARGUMENT, "lzma");
  options.compression = NULL;
  options.infer_rows = -2;
  expect_failure("a\n", &options, OSDEAR_ERR_ARGUMENT, "infer_rows");
  osdear_source_free(NULL);
  osdear_context_unref(context);
}

static void note_progress(void *argument, const char *step, int64_t done, int64_t total)
{
  int64_t *last = argument;

  (void)step;
  cr_expect_leq(done, total, "more was read than there is");
  *last = done;
}

/* What is looked at is read again, but counted once. */
Test(feed, progress_ends_with_the_files_size)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_source *source = NULL;
  SCOPED(stream) stream = { 0 };
  SCOPED(array) batch = { 0 };
  files all = { 0 };
  int64_t last = 0;

  options.threads = 1;
  options.progress = note_progress;
  options.progress_argument = &last;
  files_add(&all, "a,b\n1,x\n", 8);
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_source_open(context, all.paths, 1, NULL, &source, NULL), OSDEAR_OK);
  last = 0;
  cr_assert_eq(osdear_source_stream(source, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(stream.get_next(&stream, &batch), 0);
  cr_expect_eq(last, 8);
  osdear_source_free(source);
  osdear_context_unref(context);
  files_drop(&all);
}
