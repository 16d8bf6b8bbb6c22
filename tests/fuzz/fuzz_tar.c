/* Any bytes as a tar file, in pieces: whatever it names, nothing is made outside the folder. */
#include "../support/folder.h"
#include <container/tar.h>

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_checksums(char *tar, size_t size)
{
  for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
    osdear__tar_header *header = (osdear__tar_header *)(tar + at);

    if (memcmp(header->magic, "ustar", 5) == 0) {
      char sum[12];
      snprintf(sum, sizeof sum, "%06o", osdear__tar_sum(header));
      memcpy(header->checksum, sum, 7);
    }
  }
}

static void unpack(const char *folder, const char *tar, size_t size, size_t step)
{
  AUTO(untar) untar = NULL;
  osdear_status st = osdear__untar_new(folder, &untar, NULL);

  for (size_t at = 0; !st && at < size; at += step)
    st = osdear__untar_write(untar, tar + at, size - at < step ? size - at : step, NULL);
  if (!st)
    st = osdear__untar_finish(untar, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  SCOPED(buf) tar = { 0 };
  char around[FOLDER_ROOM], folder[FOLDER_ROOM + 16];

  if (size == 0)
    return 0;
  osdear__buf_append(&tar, data + 1, size - 1);
  osdear__buf_append(&tar, "", 0);
  mend_checksums(tar.data, tar.size);
  folder_make("fuzz-tar", around);
  snprintf(folder, sizeof folder, "%s/in", around);
  unpack(folder, tar.data, tar.size, data[0] + (size_t)1);
  folder_remove(folder);
  if (rmdir(around) != 0)
    abort(); /* something is beside the folder */
  return 0;
}
