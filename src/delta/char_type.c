/* Spark's CHAR(n): stored as it was given, read padded with spaces to n characters. The type stands in the field's metadata. */
#include <delta/delta.h>

int32_t osdear__char_length(const osdear__field *field)
{
  static const char key[] = "\"__CHAR_VARCHAR_TYPE_STRING\"", type[] = "\"char(";
  const char *at = field->metadata && field->type.kind == KIND_STRING ? strstr(field->metadata, key) : NULL;
  const char *end;
  int64_t length;

  if (!at)
    return 0;
  for (at += sizeof key - 1; *at == ' ' || *at == ':'; at++)
    continue;
  if (!osdear__starts_with(at, type))
    return 0;
  at += sizeof type - 1;
  end = strchr(at, ')');
  if (!end || !osdear__parse_i64((osdear__str){ at, (size_t)(end - at) }, &length) || length < 1 || length > INT32_MAX)
    return 0;
  return (int32_t)length;
}

/* How many spaces a text of UTF-8 lacks. */
static int64_t spaces_missing(const char *text, int32_t size, int32_t length)
{
  int64_t characters = 0;

  for (int32_t i = 0; i < size; i++)
    characters += ((unsigned char)text[i] & 0xC0) != 0x80;
  return characters < length ? length - characters : 0;
}

static int64_t padded_bytes(const struct ArrowArray *array, int32_t length)
{
  const int32_t *offsets = array->buffers[1];
  int64_t bytes = offsets[array->length];

  for (int64_t row = 0; row < array->length; row++)
    if (osdear__is_valid(array, row))
      bytes += spaces_missing((const char *)array->buffers[2] + offsets[row], offsets[row + 1] - offsets[row], length);
  return bytes;
}

osdear_status osdear__char_pad(const osdear__field *field, int32_t length, struct ArrowArray *array, osdear_error **error)
{
  int64_t bytes = padded_bytes(array, length), at = 0;
  const int32_t *offsets = array->buffers[1];
  struct ArrowArray padded;
  int32_t *new_offsets;
  char *out;
  osdear_status st;

  if (bytes == offsets[array->length])
    return OSDEAR_OK;
  if (bytes > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "column %s: %" PRId64 " bytes in one batch when padded to %" PRId32
                        " characters: ask for smaller batches", field->name, bytes, length);
  st = osdear__array_new(&field->type, array->length, array->buffers[0] != NULL, bytes, &padded, error);
  if (st)
    return st;
  if (array->buffers[0])
    memcpy((void *)(uintptr_t)padded.buffers[0], array->buffers[0], (size_t)(array->length + 7) / 8);
  new_offsets = (int32_t *)(uintptr_t)padded.buffers[1];
  out = (char *)(uintptr_t)padded.buffers[2];
  for (int64_t row = 0; row < array->length; row++) {
    const char *text = (const char *)array->buffers[2] + offsets[row];
    int32_t size = offsets[row + 1] - offsets[row];
    int64_t spaces = osdear__is_valid(array, row) ? spaces_missing(text, size, length) : 0;
    if (size)
      memcpy(out + at, text, (size_t)size);
    if (spaces)
      memset(out + at + size, ' ', (size_t)spaces);
    at += size + spaces;
    new_offsets[row + 1] = (int32_t)at;
  }
  padded.null_count = array->null_count;
  osdear__array_drop(array);
  *array = padded;
  return OSDEAR_OK;
}
