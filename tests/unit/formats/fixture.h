/* Text in, text out: what a file's bytes become as rows, told in one line of a test. */
#ifndef OSDEAR_TESTS_FORMATS_FIXTURE_H
#define OSDEAR_TESTS_FORMATS_FIXTURE_H

#include <formats/formats.h>

#define MOST_FILES 4

/* Files without a name, in memory. Confined to one test. */
typedef struct files {
  const char *paths[MOST_FILES];
  char texts[MOST_FILES][32];
  int descriptors[MOST_FILES * 2];
  size_t count, descriptor_count;
} files;
void files_add(files *all, const void *bytes, size_t size);
void files_add_pipe(files *all, const void *bytes, size_t size); /* no more than a pipe holds: 64 KiB */
void files_drop(files *all);

/* What came of reading: JSON lines, or what went wrong. */
typedef struct outcome {
  osdear_status status;
  char *rows;    /* "" after a failure */
  char *message; /* "" after success */
  char *report;
  char *types; /* "a long, b string" */
} outcome;
outcome read_files(files *all, const osdear_source_options *options);
outcome read_text(const char *text, const osdear_source_options *options);
void outcome_drop(outcome *result);

/* One file of that text becomes those rows; fails with that status and words; has columns of those types. */
void expect_rows(const char *text, const osdear_source_options *options, const char *rows);
void expect_failure(const char *text, const osdear_source_options *options, osdear_status status, const char *words);
void expect_types(const char *text, const osdear_source_options *options, const char *types);

/* A sink's whole output. */
typedef struct output {
  char *data;
  size_t size;
  size_t room;
  int64_t rows;
} output;
osdear_status sink_text(const char *text, const osdear_source_options *source_options, const char *format,
                        const osdear_sink_options *options, output *out, osdear_error **error);
void expect_output(const char *text, const char *format, const osdear_sink_options *options, const char *wanted);
void output_drop(output *out);
osdear_context *test_context(void); /* of the test's process; one thread */
int32_t output_write(void *argument, const void *data, size_t size);

#endif
