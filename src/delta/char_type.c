/* Spark's CHAR(n): stored as it was given, read padded with spaces to n characters. To Delta it is a string; what it was declared as, and
 * all that is nested in it, stands as text in the metadata of the top-level field: `char(4)`, `struct<c:char(4),v:varchar(4)>`. */
#include <delta/delta.h>

/* n of `char(n)`; 0: another type. */
static int32_t length_of(osdear__str text)
{
  static const char word[] = "char(";
  size_t size = sizeof word - 1;
  int64_t length;

  if (text.size <= size || memcmp(text.data, word, size) != 0 || text.data[text.size - 1] != ')')
    return 0;
  if (!osdear__parse_i64((osdear__str){ text.data + size, text.size - size - 1 }, &length) || length < 1 || length > INT32_MAX)
    return 0;
  return (int32_t)length;
}

/* The text up to the comma that belongs to no type inside of it; `rest` goes on behind the comma. */
static osdear__str next_part(osdear__str *rest)
{
  osdear__str part = *rest;
  int64_t depth = 0;
  bool is_quoted = false;

  for (size_t i = 0; i < part.size; i++) {
    char c = part.data[i];
    is_quoted ^= c == '`';
    if (is_quoted)
      continue;
    depth += (c == '<' || c == '(') - (c == '>' || c == ')');
    if (c == ',' && depth == 0) {
      *rest = (osdear__str){ part.data + i + 1, part.size - i - 1 };
      part.size = i;
      return part;
    }
  }
  *rest = (osdear__str){ part.data + part.size, 0 };
  return part;
}

/* The field that a part of a struct's text names, which is left with the type alone; NULL: none. */
static osdear__field *take_name(const osdear__type *type, osdear__str *part)
{
  bool is_quoted = part->size && part->data[0] == '`';
  const char *from = part->data + is_quoted, *end = part->data + part->size;
  const char *to = part->size > is_quoted ? memchr(from, is_quoted ? '`' : ':', part->size - is_quoted) : NULL;
  int64_t at;

  if (!to || end - to < 1 + is_quoted || to[is_quoted] != ':')
    return NULL;
  at = osdear__type_find(type, (osdear__str){ from, (size_t)(to - from) });
  to += 1 + is_quoted;
  *part = (osdear__str){ to, (size_t)(end - to) };
  return at < 0 ? NULL : &type->fields[at];
}

void osdear__char_lengths(osdear__str text, osdear__type *type)
{
  const char *open = text.size ? memchr(text.data, '<', text.size) : NULL;
  osdear__str rest;

  if (type->kind == KIND_STRING)
    type->width = length_of(text);
  if (!type->field_count || !open || text.data[text.size - 1] != '>')
    return;
  rest = (osdear__str){ open + 1, text.size - (size_t)(open - text.data) - 2 };
  for (size_t i = 0; rest.size; i++) {
    osdear__str part = next_part(&rest);
    osdear__field *field = type->kind == KIND_STRUCT ? take_name(type, &part) : i < type->field_count ? &type->fields[i] : NULL;
    if (field)
      osdear__char_lengths(part, &field->type);
  }
}

/* How many spaces a text of UTF-8 lacks. */
static int64_t spaces_missing(osdear__str text, int32_t length)
{
  int64_t characters = osdear__utf8_length(text);

  return characters < length ? length - characters : 0;
}

osdear_status osdear__char_pad_value(const osdear__type *type, osdear__arena *arena, osdear__scalar *value, osdear_error **error)
{
  int64_t spaces = type->kind == KIND_STRING && !value->is_null ? spaces_missing(value->bytes, type->width) : 0;
  char *padded;

  if (spaces == 0)
    return OSDEAR_OK;
  padded = osdear__arena_alloc(arena, value->bytes.size + (size_t)spaces);
  if (!padded)
    return osdear__fail_memory(error);
  memcpy(padded, value->bytes.data, value->bytes.size);
  memset(padded + value->bytes.size, ' ', (size_t)spaces);
  value->bytes = (osdear__str){ padded, value->bytes.size + (size_t)spaces };
  return OSDEAR_OK;
}

static osdear__str text_at(const struct ArrowArray *array, int64_t row)
{
  const int32_t *offsets = array->buffers[1];

  return (osdear__str){ (const char *)array->buffers[2] + offsets[row], (size_t)(offsets[row + 1] - offsets[row]) };
}

static int64_t padded_bytes(const struct ArrowArray *array, int32_t length)
{
  int64_t bytes = ((const int32_t *)array->buffers[1])[array->length];

  for (int64_t row = 0; row < array->length; row++)
    if (osdear__is_valid(array, row))
      bytes += spaces_missing(text_at(array, row), length);
  return bytes;
}

static osdear_status pad_texts(const osdear__type *type, struct ArrowArray *array, osdear_error **error)
{
  int64_t bytes = padded_bytes(array, type->width), at = 0;
  struct ArrowArray padded;
  int32_t *new_offsets;
  char *out;
  osdear_status st;

  if (bytes == ((const int32_t *)array->buffers[1])[array->length])
    return OSDEAR_OK;
  if (bytes > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT,
                        "%" PRId64 " bytes in one batch when padded to %" PRId32 " characters: ask for smaller batches", bytes,
                        type->width);
  st = osdear__array_new(type, array->length, array->buffers[0] != NULL, bytes, &padded, error);
  if (st)
    return st;
  if (array->buffers[0])
    memcpy((void *)(uintptr_t)padded.buffers[0], array->buffers[0], (size_t)(array->length + 7) / 8);
  new_offsets = (int32_t *)(uintptr_t)padded.buffers[1];
  out = (char *)(uintptr_t)padded.buffers[2];
  for (int64_t row = 0; row < array->length; row++) {
    osdear__str text = text_at(array, row);
    int64_t spaces = osdear__is_valid(array, row) ? spaces_missing(text, type->width) : 0;
    if (text.size)
      memcpy(out + at, text.data, text.size);
    if (spaces)
      memset(out + at + text.size, ' ', (size_t)spaces);
    at += (int64_t)text.size + spaces;
    new_offsets[row + 1] = (int32_t)at;
  }
  padded.null_count = array->null_count;
  osdear__array_drop(array);
  *array = padded;
  return OSDEAR_OK;
}

osdear_status osdear__char_pad(const osdear__type *type, struct ArrowArray *array, osdear_error **error)
{
  struct ArrowArray **children = type->kind == KIND_MAP ? array->children[0]->children : array->children;
  osdear_status st = OSDEAR_OK;

  if (type->kind == KIND_STRING)
    return type->width && array->length ? pad_texts(type, array, error) : OSDEAR_OK;
  for (size_t i = 0; i < type->field_count && !st; i++)
    st = osdear__char_pad(&type->fields[i].type, children[i], error);
  return st;
}
