/** @file stats.c A file's statistics out of the log's JSON. They are most of a log's bytes and a predicate asks for few columns, so
 * the text is walked for what is asked instead of being parsed as a whole. What cannot be read counts as unknown: reference §7. */
#include <delta/write.h>

#include <math.h>

struct osdear__file_stats {
  const osdear__type *schema;
  osdear__arena *arena;
  int64_t rows;
  int32_t tight;   /* tightBounds: 0, 1, -1 where it is not said, which counts as 1 */
  osdear__str min; /* JSON objects, raw; empty: absent */
  osdear__str max;
  osdear__str nulls;
};

/* ---- walking JSON text ---- */

typedef struct walk {
  const char *at;
  const char *end;
} walk;

static void skip_space(walk *self)
{
  while (self->at < self->end && (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r'))
    self->at++;
}

/* From the opening quote to behind the closing one. */
static bool skip_string(walk *self)
{
  self->at++;
  while (self->at < self->end) {
    const char *quote = memchr(self->at, '"', (size_t)(self->end - self->at));
    const char *back = quote;

    if (!quote)
      return false;
    while (back > self->at && back[-1] == '\\')
      back--;
    self->at = quote + 1;
    if ((quote - back) % 2 == 0)
      return true;
  }
  return false;
}

/* Brackets are counted, not matched: text that is wrong there gives values that do not parse. */
static bool skip_nested(walk *self)
{
  int64_t depth = 0;

  while (self->at < self->end) {
    char c = *self->at;

    if (c == '"') {
      if (!skip_string(self))
        return false;
      continue;
    }
    self->at++;
    if (c == '{' || c == '[')
      depth++;
    else if (c == '}' || c == ']')
      depth--;
    if (depth == 0)
      return true;
  }
  return false;
}

static bool skip_value(walk *self, osdear__str *value)
{
  const char *from;
  bool found = true;

  skip_space(self);
  from = self->at;
  if (from == self->end)
    return false;
  if (*from == '"')
    found = skip_string(self);
  else if (*from == '{' || *from == '[')
    found = skip_nested(self);
  else
    while (self->at < self->end && !strchr(",]} \t\n\r", *self->at))
      self->at++;
  *value = (osdear__str){ from, (size_t)(self->at - from) };
  return found && value->size > 0;
}

/* The next `"key":value` of an object whose opening brace is behind us. `*done`: the closing brace came. */
static bool next_member(walk *self, osdear__str *key, osdear__str *value, bool *done)
{
  skip_space(self);
  if (self->at < self->end && *self->at == ',') {
    self->at++;
    skip_space(self);
  }
  if (self->at == self->end)
    return false;
  *done = *self->at == '}';
  if (*done)
    return true;
  if (*self->at != '"' || !skip_value(self, key))
    return false;
  key->data++;
  key->size -= 2;
  skip_space(self);
  if (self->at == self->end || *self->at != ':')
    return false;
  self->at++;
  return skip_value(self, value);
}

static bool open_object(osdear__str text, walk *out)
{
  *out = (walk){ text.data, text.data + text.size };
  if (text.size == 0)
    return false;
  skip_space(out);
  if (out->at == out->end || *out->at != '{')
    return false;
  out->at++;
  return true;
}

/* ---- text ---- */

static bool parse_hex4(const char *at, const char *end, uint32_t *out)
{
  uint32_t value = 0;

  if (end - at < 4)
    return false;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
    if (digit > 15)
      return false;
    value = value * 16 + digit;
  }
  *out = value;
  return true;
}

static size_t put_utf8(uint32_t code, char *out)
{
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xc0 | code >> 6);
    out[1] = (char)(0x80 | (code & 63));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 63));
    out[2] = (char)(0x80 | (code & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 63));
  out[2] = (char)(0x80 | (code >> 6 & 63));
  out[3] = (char)(0x80 | (code & 63));
  return 4;
}

/* What stands behind `\u`; moves behind it, and behind the second half of a surrogate pair. */
static bool take_unicode(const char **at, const char *end, uint32_t *code)
{
  uint32_t low;

  if (!parse_hex4(*at, end, code))
    return false;
  *at += 4;
  if (*code < 0xd800 || *code > 0xdfff)
    return true;
  if (*code > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !parse_hex4(*at + 2, end, &low) || low < 0xdc00 ||
      low > 0xdfff)
    return false;
  *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
  *at += 6;
  return true;
}

/* The inside of a JSON string; without escapes it is borrowed. */
static bool unescape(osdear__str raw, osdear__arena *arena, osdear__str *out)
{
  static const char letters[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
  const char *at = raw.data, *end = raw.data + raw.size;
  char *text;
  size_t size = 0;

  *out = raw;
  if (raw.size == 0 || !memchr(raw.data, '\\', raw.size))
    return true;
  text = osdear__arena_alloc(arena, raw.size);
  if (!text)
    return false;
  while (at < end) {
    const char *letter;
    uint32_t code;

    if (*at != '\\') {
      text[size++] = *at++;
      continue;
    }
    if (++at == end)
      return false;
    if (*at == 'u') {
      at++;
      if (!take_unicode(&at, end, &code))
        return false;
      size += put_utf8(code, text + size);
      continue;
    }
    letter = *at ? strchr(letters, *at++) : NULL;
    if (!letter)
      return false;
    text[size++] = meant[letter - letters];
  }
  *out = (osdear__str){ text, size };
  return true;
}

/* The member of that name, the last one if there are several; false when it is not there. */
static bool find_member(osdear__str object, const char *name, osdear__arena *arena, osdear__str *out)
{
  osdear__str wanted = osdear__str_of(name);
  osdear__str key, value;
  bool found = false, done = false;
  walk self;

  if (!open_object(object, &self))
    return false;
  while (next_member(&self, &key, &value, &done) && !done) {
    if (!unescape(key, arena, &key) || !osdear__str_equal(key, wanted))
      continue;
    *out = value;
    found = true;
  }
  return found;
}

/* ---- values ---- */

static bool as_timestamp(osdear__kind kind, osdear__str text, int64_t *out)
{
  bool has_zone;

  return osdear__parse_timestamp(text, out, &has_zone) && (has_zone || kind != KIND_TIMESTAMP);
}

/* NaN is above all numbers and writers do not count it, so it is no bound: reference §7. */
static bool as_float(osdear__kind kind, osdear__str text, double *out)
{
  if (!osdear__parse_f64(text, out))
    return false;
  if (kind == KIND_FLOAT)
    *out = (double)(float)*out;
  return !isnan(*out);
}

static bool as_integer(osdear__kind kind, osdear__str text, int64_t *out)
{
  int32_t bits = kind == KIND_BYTE ? 8 : kind == KIND_SHORT ? 16 : kind == KIND_INTEGER ? 32 : 64;

  if (!osdear__parse_i64(text, out))
    return false;
  return bits == 64 || (*out >= -(INT64_C(1) << (bits - 1)) && *out < INT64_C(1) << (bits - 1));
}

static bool as_date(osdear__str text, int64_t *out)
{
  int32_t days;

  if (!osdear__parse_date(text, &days))
    return false;
  *out = days;
  return true;
}

static bool to_scalar(const osdear__type *type, osdear__str raw, osdear__arena *arena, osdear__scalar *out)
{
  bool is_text = raw.data[0] == '"';
  osdear__str text = raw;

  *out = (osdear__scalar){ .kind = type->kind, .scale = type->scale };
  if (is_text && !unescape((osdear__str){ raw.data + 1, raw.size - 2 }, arena, &text))
    return false;
  switch (type->kind) {
  case KIND_BOOLEAN: out->i64 = osdear__str_is(text, "true"); return !is_text && (out->i64 || osdear__str_is(text, "false"));
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG: return as_integer(type->kind, text, &out->i64);
  case KIND_FLOAT:
  case KIND_DOUBLE: return as_float(type->kind, text, &out->f64);
  case KIND_DECIMAL: return osdear__parse_decimal(text, 38, type->scale, &out->decimal);
  case KIND_STRING: out->bytes = text; return is_text;
  case KIND_DATE: return is_text && as_date(text, &out->i64);
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return is_text && as_timestamp(type->kind, text, &out->i64);
  default: return false;
  }
}

/* ---- the face ---- */

static void keep_member(osdear__file_stats *self, osdear__str key, osdear__str value)
{
  if (osdear__str_is(key, "numRecords")) {
    if (!osdear__parse_i64(value, &self->rows) || self->rows < 0)
      self->rows = -1;
  } else if (osdear__str_is(key, "tightBounds")) {
    self->tight = osdear__str_is(value, "true") ? 1 : osdear__str_is(value, "false") ? 0 : -1;
  } else if (osdear__str_is(key, "minValues")) {
    self->min = value;
  } else if (osdear__str_is(key, "maxValues")) {
    self->max = value;
  } else if (osdear__str_is(key, "nullCount")) {
    self->nulls = value;
  }
}

osdear_status osdear__stats_parse(osdear__str text, const osdear__type *schema, osdear__arena *arena, osdear__file_stats **out,
                                  osdear_error **error)
{
  osdear__file_stats *stats;
  osdear__str key, value;
  bool done = false;
  walk self;

  *out = NULL;
  if (!open_object(text, &self))
    return OSDEAR_OK;
  stats = osdear__arena_zeroed(arena, 1, sizeof *stats);
  if (!stats)
    return osdear__fail_memory(error);
  stats->schema = schema;
  stats->arena = arena;
  stats->rows = -1;
  stats->tight = -1;
  while (!done) {
    if (!next_member(&self, &key, &value, &done))
      return OSDEAR_OK;
    if (!done)
      keep_member(stats, key, value);
  }
  *out = stats;
  return OSDEAR_OK;
}

int64_t osdear__stats_rows(const osdear__file_stats *stats)
{
  return stats ? stats->rows : -1;
}

int32_t osdear__stats_tight(const osdear__file_stats *stats)
{
  return stats->tight;
}

/* Follows the names from the top of the schema down through structs; on success *type is the leaf's. */
static bool find_leaf(const osdear__file_stats *stats, osdear__str object, const size_t *path, size_t depth, osdear__str *value)
{
  const osdear__type *type = stats->schema;

  *value = object;
  for (size_t i = 0; i < depth; i++) {
    if (!find_member(*value, type->fields[path[i]].name, stats->arena, value))
      return false;
    type = &type->fields[path[i]].type;
  }
  return true;
}

int64_t osdear__stats_null_count(const osdear__file_stats *stats, const size_t *path, size_t depth)
{
  osdear__str value;
  int64_t count;

  if (!find_leaf(stats, stats->nulls, path, depth, &value) || !osdear__parse_i64(value, &count) || count < 0)
    return -1;
  return stats->rows >= 0 && count > stats->rows ? -1 : count;
}

/* Rows taken out by a deletion vector are still counted: only none and all then hold for the rows that are left. */
static int64_t usable_null_count(const osdear__file_stats *stats, const size_t *path, size_t depth)
{
  int64_t count = osdear__stats_null_count(stats, path, depth);

  return stats->tight != 0 || count == 0 || count == stats->rows ? count : -1;
}

/* NULL: the path leads nowhere. */
static const osdear__type *type_at(const osdear__file_stats *stats, const size_t *path, size_t depth)
{
  const osdear__type *type = stats->schema;

  for (size_t i = 0; i < depth; i++) {
    if (type->kind != KIND_STRUCT || path[i] >= type->field_count)
      return NULL;
    type = &type->fields[path[i]].type;
  }
  return type;
}

bool osdear__stats_bound(const osdear__file_stats *stats, const size_t *path, size_t depth, bool is_max, osdear__scalar *out)
{
  const osdear__type *type = type_at(stats, path, depth);
  osdear__str value;

  return type && find_leaf(stats, is_max ? stats->max : stats->min, path, depth, &value) &&
         to_scalar(type, value, stats->arena, out);
}

/* Writers cut to milliseconds, some downwards and some towards 1970. False: there is no such instant. */
static bool leave_room(osdear__scalar *bound, int64_t us)
{
  if (bound->kind != KIND_TIMESTAMP && bound->kind != KIND_TIMESTAMP_NTZ)
    return true;
  return osdear__add_i64(bound->i64, us, &bound->i64);
}

/* A column of floats may have become one of doubles, and the shortest text of a float is not the float's value as a double. */
static void cover_floats(osdear__range *range)
{
  double min = (double)(float)range->min.f64, max = (double)(float)range->max.f64;

  if (range->has_min && min < range->min.f64 && isfinite(min))
    range->min.f64 = min;
  if (range->has_max && max > range->max.f64 && isfinite(max))
    range->max.f64 = max;
}

bool osdear__stats_range(const osdear__file_stats *stats, const size_t *path, size_t depth, osdear__range *out)
{
  osdear__range range = { .null_count = -1, .row_count = -1 };
  const osdear__type *type = stats && depth > 0 ? type_at(stats, path, depth) : NULL;

  if (!type || osdear__is_char(type))
    return false;
  range.row_count = stats->rows;
  range.null_count = usable_null_count(stats, path, depth);
  range.may_be_nan = type->kind == KIND_FLOAT || type->kind == KIND_DOUBLE;
  range.has_min = osdear__stats_bound(stats, path, depth, false, &range.min) && leave_room(&range.min, -1000);
  range.has_max = osdear__stats_bound(stats, path, depth, true, &range.max) && leave_room(&range.max, 1000);
  if (type->kind == KIND_DOUBLE)
    cover_floats(&range);
  *out = range;
  return range.has_min || range.has_max || range.null_count >= 0 || range.row_count >= 0;
}
