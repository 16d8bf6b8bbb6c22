/* Any bytes as delimited text: rows come, or an error with words; and as many rows, whatever the size of a batch. */
#include <osdear.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <base/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t count_rows(osdear_context *context, const char *path, const osdear_source_options *options)
{
  osdear_source *source = NULL;
  osdear_error *error = NULL;
  struct ArrowArrayStream stream = { 0 };
  int64_t rows = 0;

  if (osdear_source_open(context, &path, 1, options, &source, &error)) {
    if (!osdear_error_message(error)[0])
      abort();
    osdear_error_free(error);
    return -1;
  }
  if (osdear_source_stream(source, &stream, NULL))
    abort();
  osdear_source_free(source);
  while (rows >= 0) {
    struct ArrowArray batch = { 0 };
    if (stream.get_next(&stream, &batch) != 0) {
      rows = -1;
    } else if (batch.release) {
      if (options->batch_rows && batch.length > options->batch_rows)
        abort();
      rows += batch.length;
      batch.release(&batch);
    } else {
      break;
    }
  }
  stream.release(&stream);
  return rows;
}

/* The first byte chooses the options. */
static osdear_source_options options_of(uint8_t choice)
{
  static const char *const encodings[] = { NULL, "latin1", "utf-16le", "utf-16be" };
  static const osdear_pair types[] = { { "a", "decimal(10,2)" }, { "b", "binary" } };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.format = "csv";
  options.header = choice % 3 - 1;
  options.encoding = encodings[choice >> 6];
  options.infer_rows = choice & 4 ? 1 : 0;
  options.delimiter = choice & 8 ? ';' : 0;
  options.types = types;
  options.type_count = choice & 16 ? COUNT_OF(types) : 0;
  return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  osdear_context_options context_options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_source_options options;
  char path[40];
  int descriptor;
  int64_t rows;

  if (!size)
    return 0;
  context_options.threads = 1;
  descriptor = memfd_create("input", MFD_CLOEXEC);
  if (descriptor < 0 || write(descriptor, data + 1, size - 1) != (ssize_t)(size - 1) ||
      osdear_context_new(&context_options, &context, NULL))
    abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  options = options_of(data[0]);
  rows = count_rows(context, path, &options);
  options.batch_rows = 1;
  if (count_rows(context, path, &options) != rows)
    abort();
  osdear_context_unref(context);
  close(descriptor);
  return 0;
}
