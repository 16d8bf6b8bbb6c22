/* Any bytes as JSON lines: what is read must print to lines that are read again, and print the same then. */
#include <osdear.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <base/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int32_t collect(void *argument, const void *data, size_t size)
{
  osdear__buf_append(argument, data, size);
  return 0;
}

/* False: not readable, which is no fault. */
static bool print(osdear_context *context, const void *data, size_t size, osdear__buf *out)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  int descriptor = memfd_create("input", MFD_CLOEXEC);
  osdear_source *source = NULL;
  struct ArrowArrayStream stream = { 0 };
  char path[40];
  const char *uri = path;
  osdear_status st;

  if (descriptor < 0 || (size && write(descriptor, data, size) != (ssize_t)size))
    abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  options.format = "ndjson";
  options.infer_rows = -1;
  st = osdear_source_open(context, &uri, 1, &options, &source, NULL);
  if (!st && osdear_source_stream(source, &stream, NULL))
    abort();
  if (!st)
    st = osdear_sink_write(context, &stream, "jsonl", NULL, collect, out, NULL, NULL);
  osdear_source_free(source);
  close(descriptor);
  return !st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  SCOPED(buf) once = { 0 };
  SCOPED(buf) twice = { 0 };
  osdear_context *context = NULL;

  options.threads = 1;
  if (osdear_context_new(&options, &context, NULL))
    abort();
  /* Kept texts may look like times when they come back, and be times then; a third round would change nothing any more. */
  if (print(context, data, size, &once) && once.size) {
    SCOPED(buf) third = { 0 };
    if (!print(context, once.data, once.size, &twice) || !print(context, twice.data, twice.size, &third))
      abort();
    if (twice.size != third.size || memcmp(twice.data, third.data, twice.size) != 0)
      abort();
  }
  osdear_context_unref(context);
  return 0;
}
