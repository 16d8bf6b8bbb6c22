/* Stands in for libFuzzer: feeds every file of a folder to the target, so that what once crashed is an ordinary test.
 * Links with any compiler. */
#include <base/base.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_FILES 10000
#define MOST_BYTES ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_visible(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static bool read_file(const char *folder, const char *name, uint8_t **data, size_t *size)
{
  char path[4096];
  uint8_t *bytes = malloc(MOST_BYTES);
  FILE *file;

  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path || !bytes) {
    free(bytes);
    return false;
  }
  file = fopen(path, "rb");
  if (!file) {
    free(bytes);
    return false;
  }
  *size = fread(bytes, 1, MOST_BYTES, file);
  fclose(file);
  /* A block of just this size, so that the sanitizer sees a read past its end. */
  *data = malloc(*size > 0 ? *size : 1);
  if (*data)
    memcpy(*data, bytes, *size);
  free(bytes);
  return *data != NULL;
}

/* True when the target came back and holds no more memory than before. */
static bool replay(const char *folder, const char *name)
{
  uint8_t *data;
  size_t size;
  bool is_balanced = true;

  if (!read_file(folder, name, &data, &size))
    return false;
#ifdef OSDEAR_FAULTS
  {
    int64_t before = osdear__live();

    LLVMFuzzerTestOneInput(data, size);
    is_balanced = osdear__live() == before;
  }
#else
  LLVMFuzzerTestOneInput(data, size);
#endif
  free(data);
  return is_balanced;
}

int main(int argc, char **argv)
{
  struct dirent **entries;
  int count;
  int failed = 0;

  if (argc != 2) {
    fprintf(stderr, "usage: replay FOLDER\n");
    return 2;
  }
  count = scandir(argv[1], &entries, is_visible, alphasort);
  if (count <= 0 || count > MOST_FILES) {
    fprintf(stderr, "replay: %s: %s\n", argv[1], count < 0 ? "no such folder" : "nothing, or too much, to replay");
    return 1;
  }
  printf("1..%d\n", count);
  for (int i = 0; i < count; i++) {
    bool is_ok = replay(argv[1], entries[i]->d_name);

    printf("%s %d - %s\n", is_ok ? "ok" : "not ok", i + 1, entries[i]->d_name);
    fflush(stdout);
    failed += !is_ok;
    free(entries[i]);
  }
  free(entries);
  return failed > 0;
}
