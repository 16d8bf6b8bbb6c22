/** @file deletion_vector.c From a descriptor in the log to the rows it takes out of a file: reference §6. */
#include <delta/row_set.h>

#define UUID_TEXT 20 /* 16 bytes in Z85 */
#define FILE_VERSION 1
#define INLINE_MOST ((size_t)1 << 20)
#define FRAME 8 /* size before and checksum behind */

/* ---- Z85 (ZeroMQ RFC 32): four bytes in five characters ---- */

static const char z85_digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

static bool decode_five(const char *text, uint8_t *out)
{
  uint64_t value = 0;

  for (int i = 0; i < 5; i++) {
    const char *digit = text[i] ? strchr(z85_digits, text[i]) : NULL;
    if (!digit)
      return false;
    value = value * 85 + (uint64_t)(digit - z85_digits);
  }
  if (value > UINT32_MAX)
    return false;
  for (int i = 0; i < 4; i++)
    out[i] = (uint8_t)(value >> (24 - 8 * i));
  return true;
}

/* `out` has room for text.size / 5 * 4. */
static bool z85_decode(osdear__str text, uint8_t *out)
{
  if (text.size % 5 != 0)
    return false;
  for (size_t i = 0; i < text.size / 5; i++)
    if (!decode_five(text.data + 5 * i, out + 4 * i))
      return false;
  return true;
}

/* ---- where it is stored ---- */

static osdear_status fail_descriptor(const osdear__deletion_vector *dv, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "deletion vector %c`%.*s`: %s", dv->storage,
                      (int)(dv->path.size < 200 ? dv->path.size : 200), dv->path.data, what);
}

/* `<prefix>/deletion_vector_<uuid>.bin` below the table. */
static osdear_status relative_path(const osdear__deletion_vector *dv, osdear__buf *out, osdear_error **error)
{
  uint8_t uuid[16];
  osdear__str prefix = { dv->path.data, 0 };

  if (dv->path.size < UUID_TEXT)
    return fail_descriptor(dv, "the text is too short for a UUID", error);
  prefix.size = dv->path.size - UUID_TEXT;
  if (!z85_decode((osdear__str){ dv->path.data + prefix.size, UUID_TEXT }, uuid))
    return fail_descriptor(dv, "its last 20 characters are no UUID in Z85", error);
  if (prefix.size && (prefix.data[0] == '/' || memchr(prefix.data, ':', prefix.size)))
    return fail_descriptor(dv, "its prefix is no folder below the table", error);
  osdear__buf_append(out, prefix.data, prefix.size);
  osdear__buf_puts(out, prefix.size ? "/deletion_vector_" : "deletion_vector_");
  for (size_t i = 0; i < sizeof uuid; i++)
    osdear__buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
  osdear__buf_puts(out, ".bin");
  return osdear__buf_check(out, error);
}

static osdear_status path_of(const osdear__deletion_vector *dv, osdear__buf *out, osdear_error **error)
{
  if (dv->storage == 'u')
    return relative_path(dv, out, error);
  if (!osdear__path_is_absolute(dv->path))
    return fail_descriptor(dv, "its path is not absolute", error);
  return osdear__data_path(dv->path, out, error);
}

/* ---- its bytes ---- */

static osdear_status read_inline(const osdear__deletion_vector *dv, char **out, osdear_error **error)
{
  uint8_t *data;

  if (dv->path.size > INLINE_MOST)
    return fail_descriptor(dv, "a vector of more than 1 MiB is not kept in the log", error);
  if ((uint64_t)dv->size_bytes > dv->path.size / 5 * 4 || dv->size_bytes < 1)
    return fail_descriptor(dv, "the text does not hold as many bytes as sizeInBytes says", error);
  data = osdear__alloc(dv->path.size / 5 * 4);
  if (!data)
    return osdear__fail_memory(error);
  if (!z85_decode(dv->path, data)) {
    osdear__free(data);
    return fail_descriptor(dv, "the text is not Z85", error);
  }
  *out = (char *)data;
  return OSDEAR_OK;
}

static uint32_t load_u32_be(const uint8_t *at)
{
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Big-endian size, data, big-endian CRC-32: the data is moved to the front. */
static osdear_status check_frame(const osdear__deletion_vector *dv, uint8_t *frame, osdear_error **error)
{
  size_t size = (size_t)dv->size_bytes;
  uint32_t said = load_u32_be(frame), checksum = load_u32_be(frame + 4 + size);

  if (said != size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "it has %" PRIu32 " bytes where the log says %zu", said, size);
  if (osdear__crc32(0, frame + 4, size) != checksum)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "its checksum does not fit its bytes");
  memmove(frame, frame + 4, size);
  return OSDEAR_OK;
}

/* ---- the files that they lie in ---- */

void osdear__vector_files_drop(osdear__vector_files *files)
{
  for (size_t i = 0; i < COUNT_OF(files->kept); i++) {
    osdear__free(files->kept[i].path);
    osdear__input_auto(&files->kept[i].input);
  }
  *files = (osdear__vector_files){ 0 };
}

static osdear__input *find_file(const osdear__vector_files *files, const char *path)
{
  for (size_t i = 0; i < COUNT_OF(files->kept); i++)
    if (files->kept[i].path && strcmp(files->kept[i].path, path) == 0)
      return files->kept[i].input;
  return NULL;
}

void osdear__vector_files_expect(const osdear__vector_files *files, osdear__store *store, const osdear__deletion_vector *dv)
{
  SCOPED(buf) path = { 0 };
  osdear__store_item item = { .size_bytes = -1 };

  if (!dv->storage || dv->storage == 'i' || path_of(dv, &path, NULL) || find_file(files, path.data))
    return;
  item.path = path.data;
  osdear__store_expect(store, &item, 1);
}

static osdear_status check_version(osdear__input *input, osdear_error **error)
{
  uint8_t version = 0;
  osdear_status st = osdear__input_read(input, 0, &version, 1, error);

  if (!st && version != FILE_VERSION)
    st = osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "files of deletion vectors of version %u are not known to this build",
                      version);
  return st;
}

/* In the place of the oldest. */
static osdear_status open_file(osdear__vector_files *files, osdear__store *store, const char *path, osdear__input **out,
                               osdear_error **error)
{
  osdear__vector_file *kept = &files->kept[files->oldest];
  AUTO(input) input = NULL;
  char *copy = NULL;
  osdear_status st = osdear__store_open_input(store, path, -1, &input, error);

  if (!st)
    st = check_version(input, error);
  if (!st) {
    copy = osdear__strdup(path);
    st = copy ? OSDEAR_OK : osdear__fail_memory(error);
  }
  if (st)
    return st;
  osdear__free(kept->path);
  osdear__input_auto(&kept->input);
  *kept = (osdear__vector_file){ copy, input };
  input = NULL;
  files->oldest = (files->oldest + 1) % COUNT_OF(files->kept);
  *out = kept->input;
  return OSDEAR_OK;
}

static osdear_status read_frame(const osdear__deletion_vector *dv, osdear__input *input, char **out, osdear_error **error)
{
  int64_t offset = dv->offset > 0 ? dv->offset : 1; /* without one it is the file's first */
  uint8_t *frame;
  osdear_status st;

  if (dv->size_bytes < 1 || dv->size_bytes > INT32_MAX || offset > input->size_bytes - FRAME - dv->size_bytes)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "the log says that it has %" PRId64 " bytes from %" PRId64 " on, the file has %" PRId64, dv->size_bytes,
                        offset, input->size_bytes);
  frame = osdear__alloc((size_t)dv->size_bytes + FRAME);
  if (!frame)
    return osdear__fail_memory(error);
  st = osdear__input_read(input, offset, frame, (size_t)dv->size_bytes + FRAME, error);
  if (!st)
    st = check_frame(dv, frame, error);
  if (st)
    osdear__free(frame);
  else
    *out = (char *)frame;
  return st;
}

static osdear_status read_stored(osdear__store *store, osdear__vector_files *files, const osdear__deletion_vector *dv, char **out,
                                 osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__input *input;
  osdear_status st = path_of(dv, &path, error);

  if (st)
    return st;
  input = find_file(files, path.data);
  st = input ? OSDEAR_OK : open_file(files, store, path.data, &input, error);
  if (!st)
    st = read_frame(dv, input, out, error);
  return st ? osdear__fail_within(error, st, "deletion vector %s at %" PRId64, path.data, dv->offset) : OSDEAR_OK;
}

osdear_status osdear__deletion_vector_read(osdear__store *store, osdear__vector_files *files, const osdear__deletion_vector *dv,
                                           osdear__row_set **out, osdear_error **error)
{
  AUTO(row_set) set = NULL;
  char *data = NULL;
  osdear_status st = dv->storage == 'i' ? read_inline(dv, &data, error) : read_stored(store, files, dv, &data, error);

  if (st)
    return st;
  st = osdear__row_set_open(data, (size_t)dv->size_bytes, &set, error);
  if (st)
    return osdear__fail_within(error, st, "deletion vector %c`%.*s`", dv->storage,
                               (int)(dv->path.size < 200 ? dv->path.size : 200), dv->path.data);
  if (osdear__row_set_count(set) != dv->cardinality)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "deletion vector %c`%.*s` has %" PRId64 " rows where the log says %" PRId64,
                        dv->storage, (int)(dv->path.size < 200 ? dv->path.size : 200), dv->path.data, osdear__row_set_count(set),
                        dv->cardinality);
  *out = set;
  set = NULL;
  return OSDEAR_OK;
}
