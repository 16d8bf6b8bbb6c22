/** @file tar.h The blocks of a tar file: POSIX.1-1988 ustar with pax's records. Only for src/container. */
#ifndef OSDEAR_SRC_CONTAINER_TAR_H
#define OSDEAR_SRC_CONTAINER_TAR_H

#include <container/container.h>

#define TAR_BLOCK 512

/* All members are text; numbers are octal. */
typedef struct osdear__tar_header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32],
      group[32], device_major[8], device_minor[8], prefix[155], padding[12];
} osdear__tar_header;

/* The sum of all bytes, those of the checksum taken for blanks. */
uint32_t osdear__tar_sum(const osdear__tar_header *header);
/* Octal text, or with the first bit set a binary number of the other bytes, as GNU writes large ones. False when it is neither, or
 * beyond 64 bits. Only the latter may be negative: a time before 1970. */
MUST_USE bool osdear__tar_number(const char *text, size_t size, int64_t *out);

#endif
