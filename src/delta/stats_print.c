/** @file stats_print.c Statistics of a file just written, as JSON by the rules of reference §7. */
#include <delta/write.h>

#include <math.h>

enum { MAX_DEPTH = 100, DEFAULT_COLUMNS = 32, DEFAULT_PREFIX = 32 };

typedef enum part { PART_MIN, PART_MAX, PART_NULLS, PARTS } part;

typedef struct printer {
  const osdear__parquet_writer *writer;
  const osdear__leaf_facts *facts; /* NULL: unknown */
  size_t leaf;                     /* number of the leaf in hand, for `facts` */
  int64_t columns_left;            /* leaves still to be counted; -1: any number */
  int64_t prefix;                  /* characters of text that are kept */
  osdear__str *wanted;             /* delta.dataSkippingStatsColumns, as paths; NULL: the first leaves */
  size_t wanted_count;
  osdear__buf path_name; /* of the leaf in hand */
  size_t path[MAX_DEPTH];
  osdear__buf out[PARTS];
} printer;

/* ---- which columns ---- */

osdear_status osdear__column_list_parse(const char *list, osdear__arena *arena, osdear__str **out, size_t *count,
                                        osdear_error **error)
{
  size_t length = strlen(list);
  char *text = osdear__arena_alloc(arena, length + 1);
  osdear__str *paths = osdear__arena_zeroed(arena, length + 1, sizeof *paths);
  bool quoted = false;
  size_t size = 0, from = 0, found = 0;

  if (!text || !paths)
    return osdear__fail_memory(error);
  for (size_t i = 0; i <= length; i++) {
    char c = list[i];

    if (c == '`') {
      if (quoted && list[i + 1] == '`')
        text[size++] = list[i++];
      else
        quoted = !quoted;
    } else if ((c == ',' && !quoted) || c == '\0') {
      while (size > from && text[size - 1] == ' ')
        size--;
      if (size > from)
        paths[found++] = (osdear__str){ text + from, size - from };
      from = size;
    } else if (c == '.' && !quoted) {
      text[size++] = OSDEAR__PATH_SEPARATOR;
    } else if (c != ' ' || quoted || size > from) {
      text[size++] = c;
    }
  }
  *out = paths;
  *count = found;
  return OSDEAR_OK;
}

static bool is_wanted(const printer *self)
{
  const osdear__buf *path = &self->path_name;

  for (size_t i = 0; i < self->wanted_count; i++) {
    osdear__str wanted = self->wanted[i];
    if (wanted.size > path->size || (wanted.size < path->size && path->data[wanted.size] != OSDEAR__PATH_SEPARATOR))
      continue;
    if (osdear__str_equal_nocase(wanted, (osdear__str){ path->data, wanted.size }))
      return true;
  }
  return false;
}

static bool takes_leaf(printer *self)
{
  if (self->wanted)
    return is_wanted(self);
  if (self->columns_left == 0)
    return false;
  if (self->columns_left > 0)
    self->columns_left--;
  return true;
}

/* ---- values ---- */

static uint32_t code_point(const char *at, size_t *size)
{
  unsigned char c = (unsigned char)at[0];

  *size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  if (c < 0x80)
    return c;
  if (c < 0xe0)
    return (uint32_t)(c & 31) << 6 | (at[1] & 63);
  if (c < 0xf0)
    return (uint32_t)(c & 15) << 12 | (uint32_t)(at[1] & 63) << 6 | (at[2] & 63);
  return (uint32_t)(c & 7) << 18 | (uint32_t)(at[1] & 63) << 12 | (uint32_t)(at[2] & 63) << 6 | (at[3] & 63);
}

/* Bytes of the longest prefix of at most `limit` UTF-16 units, which is how Spark counts; no character is cut. */
static size_t prefix_of(osdear__str text, int64_t limit, int64_t *units)
{
  size_t at = 0;

  *units = 0;
  while (at < text.size) {
    size_t size;
    int64_t more = code_point(text.data + at, &size) > 0xffff ? 2 : 1;
    if (*units + more > limit)
      break;
    *units += more;
    at += size;
  }
  return at;
}

/* Text that is not below `text`: a prefix of it with a character behind that is above the one left out. False: there is none
 * within twice the limit. */
static bool put_upper_bound(osdear__buf *out, osdear__str text, int64_t limit)
{
  SCOPED(buf) bound = { 0 };
  int64_t units;
  size_t cut = prefix_of(text, limit, &units);
  size_t size = 0;

  while (cut < text.size) {
    uint32_t next = code_point(text.data + cut, &size);
    if (next != 0x10ffff) {
      osdear__buf_append(&bound, text.data, cut);
      osdear__buf_puts(&bound, next < 0x7f ? "\x7f" : "\xf4\x8f\xbf\xbf");
      if (bound.failed)
        return false;
      osdear__json_put_string(out, (osdear__str){ bound.data, bound.size });
      return true;
    }
    cut += size;
    units += 2;
    if (units > 2 * limit)
      return false;
  }
  osdear__json_put_string(out, text);
  return true;
}

/* Outside of these years other readers do not understand the text. */
static bool is_usual_day(int64_t days)
{
  return days >= osdear__days_of(1, 1, 1) && days <= osdear__days_of(9999, 12, 31);
}

static bool put_timestamp(osdear__buf *out, int64_t us, bool is_utc)
{
  char text[OSDEAR__TIME_TEXT];
  int64_t rest = us % 1000;
  size_t size;

  if (!is_usual_day(us / OSDEAR__DAY_US) || !is_usual_day(us / OSDEAR__DAY_US - 1))
    return false;
  if (rest < 0)
    rest += 1000;
  size = osdear__format_timestamp(us - rest, 'T', "", text);
  osdear__buf_putc(out, '"');
  osdear__buf_append(out, text, size - 3);
  osdear__buf_puts(out, is_utc ? "Z\"" : "\"");
  return true;
}

/* False: there is no such bound in Delta's statistics. */
static bool put_bound(const printer *self, const osdear__type *type, const osdear__scalar *value, part which, osdear__buf *out)
{
  char text[OSDEAR__DECIMAL_TEXT];
  int64_t units;

  switch (type->kind) {
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG: osdear__json_put_i64(out, value->i64); return true;
  case KIND_FLOAT:
    if (!isfinite(value->f64))
      return false;
    osdear__buf_append(out, text, osdear__format_f32((float)value->f64, text));
    return true;
  case KIND_DOUBLE:
    if (!isfinite(value->f64))
      return false;
    osdear__json_put_f64(out, value->f64);
    return true;
  case KIND_DECIMAL: osdear__buf_append(out, text, osdear__format_decimal(value->decimal, type->scale, text)); return true;
  case KIND_STRING:
    if (which == PART_MAX)
      return put_upper_bound(out, value->bytes, self->prefix);
    osdear__json_put_string(out, (osdear__str){ value->bytes.data, prefix_of(value->bytes, self->prefix, &units) });
    return true;
  case KIND_DATE:
    if (!is_usual_day(value->i64))
      return false;
    osdear__buf_putc(out, '"');
    osdear__buf_append(out, text, osdear__format_date(value->i64, text));
    osdear__buf_putc(out, '"');
    return true;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return put_timestamp(out, value->i64, type->kind == KIND_TIMESTAMP);
  default: /* booleans and binaries have none */ return false;
  }
}

/* ---- columns ---- */

/* Where in the texts a member began, to take it back. */
typedef struct mark {
  size_t size[PARTS];
  bool first[PARTS];
} mark;

static mark mark_of(const printer *self, const bool first[PARTS])
{
  mark now = { 0 };

  for (int i = 0; i < PARTS; i++) {
    now.size[i] = self->out[i].size;
    now.first[i] = first[i];
  }
  return now;
}

static void take_back(printer *self, const mark *from, bool first[PARTS], int which)
{
  if (!self->out[which].failed && self->out[which].data)
    self->out[which].data[from->size[which]] = '\0';
  self->out[which].size = from->size[which];
  first[which] = from->first[which];
}

/* Lists and maps have nulls of their own, which no leaf of the Parquet file counts. NaN is above every number, so there a greatest
 * number would be no bound. */
static bool find_stats(printer *self, const osdear__type *type, size_t depth, osdear__parquet_stats *out)
{
  const osdear__leaf_facts *facts = self->facts;
  size_t leaf = self->leaf++;

  if (!takes_leaf(self))
    return false;
  if (type->kind == KIND_ARRAY || type->kind == KIND_MAP) {
    *out = (osdear__parquet_stats){ .null_count = facts ? facts->null_count[leaf] : -1 };
    return true;
  }
  if (!osdear__parquet_writer_stats(self->writer, self->path, depth, out))
    return false;
  if (facts && facts->has_nan[leaf])
    out->has_max = false;
  return true;
}

static void print_leaf(printer *self, const osdear__field *field, size_t depth, bool first[PARTS])
{
  mark before = mark_of(self, first);
  osdear__parquet_stats stats;

  if (!find_stats(self, &field->type, depth, &stats))
    return;
  for (int i = PART_MIN; i <= PART_MAX; i++) {
    bool has = i == PART_MIN ? stats.has_min : stats.has_max;
    if (!has)
      continue;
    osdear__json_put_key(&self->out[i], &first[i], field->name);
    if (!put_bound(self, &field->type, i == PART_MIN ? &stats.min : &stats.max, (part)i, &self->out[i]))
      take_back(self, &before, first, i);
  }
  if (stats.null_count >= 0) {
    osdear__json_put_key(&self->out[PART_NULLS], &first[PART_NULLS], field->name);
    osdear__json_put_i64(&self->out[PART_NULLS], stats.null_count);
  }
}

static void print_fields(printer *self, const osdear__type *type, size_t depth, bool first[PARTS]);

static void print_struct(printer *self, const osdear__field *field, size_t depth, bool first[PARTS])
{
  mark before = mark_of(self, first);
  bool inner[PARTS] = { true, true, true };

  for (int i = 0; i < PARTS; i++) {
    osdear__json_put_key(&self->out[i], &first[i], field->name);
    osdear__buf_putc(&self->out[i], '{');
  }
  print_fields(self, &field->type, depth, inner);
  for (int i = 0; i < PARTS; i++) {
    if (inner[i])
      take_back(self, &before, first, i);
    else
      osdear__buf_putc(&self->out[i], '}');
  }
}

static void print_fields(printer *self, const osdear__type *type, size_t depth, bool first[PARTS])
{
  size_t length = self->path_name.size;

  if (depth == MAX_DEPTH)
    return;
  for (size_t i = 0; i < type->field_count; i++) {
    self->path[depth] = i;
    if (depth > 0)
      osdear__buf_putc(&self->path_name, OSDEAR__PATH_SEPARATOR);
    osdear__buf_puts(&self->path_name, type->fields[i].name);
    if (type->fields[i].type.kind == KIND_STRUCT)
      print_struct(self, &type->fields[i], depth + 1, first);
    else
      print_leaf(self, &type->fields[i], depth + 1, first);
    self->path_name.size = length;
  }
}

/* ---- the face ---- */

/* Paths come by the table's names, files go by physical ones. A path that leads nowhere stays as it is. */
static osdear_status map_path(const osdear__metadata *metadata, osdear__arena *arena, osdear__str *path, osdear_error **error)
{
  SCOPED(buf) mapped = { 0 };
  const osdear__type *ours = &metadata->schema, *theirs = &metadata->physical;
  char *copy;
  size_t from = 0;

  for (size_t i = 0; i <= path->size; i++) {
    int64_t at;
    if (i < path->size && path->data[i] != OSDEAR__PATH_SEPARATOR)
      continue;
    at = ours->kind == KIND_STRUCT ? osdear__type_find(ours, (osdear__str){ path->data + from, i - from }) : -1;
    if (at < 0)
      return OSDEAR_OK;
    if (from > 0)
      osdear__buf_putc(&mapped, OSDEAR__PATH_SEPARATOR);
    osdear__buf_puts(&mapped, theirs->fields[at].name);
    ours = &ours->fields[at].type;
    theirs = &theirs->fields[at].type;
    from = i + 1;
  }
  copy = mapped.failed ? NULL : osdear__arena_strndup(arena, mapped.data, mapped.size);
  if (!copy)
    return osdear__fail_memory(error);
  *path = (osdear__str){ copy, mapped.size };
  return OSDEAR_OK;
}

static osdear_status put_together(const printer *self, osdear__buf *out, osdear_error **error)
{
  static const char *const names[PARTS] = { "minValues", "maxValues", "nullCount" };

  if (self->path_name.failed)
    return osdear__buf_check(&self->path_name, error);
  osdear__buf_puts(out, "{\"numRecords\":");
  osdear__json_put_i64(out, osdear__parquet_writer_rows(self->writer));
  for (int i = 0; i < PARTS; i++) {
    osdear_status st = osdear__buf_check(&self->out[i], error);
    if (st)
      return st;
    osdear__buf_printf(out, ",\"%s\":{", names[i]);
    osdear__buf_append(out, self->out[i].data, self->out[i].size);
    osdear__buf_putc(out, '}');
  }
  osdear__buf_putc(out, '}');
  return osdear__buf_check(out, error);
}

osdear_status osdear__stats_print_with(const osdear__metadata *metadata, const osdear__type *file_type,
                                       const osdear__parquet_writer *writer, const osdear__leaf_facts *facts, osdear__buf *out,
                                       osdear_error **error)
{
  const char *wanted = osdear__metadata_property(metadata, "delta.dataSkippingStatsColumns");
  printer self = { .writer = writer, .facts = facts };
  SCOPED(arena) arena = { 0 };
  bool first[PARTS] = { true, true, true };
  osdear_status st = OSDEAR_OK;

  self.columns_left = osdear__metadata_property_i64(metadata, "delta.dataSkippingNumIndexedCols", DEFAULT_COLUMNS);
  self.prefix = osdear__metadata_property_i64(metadata, "delta.dataSkippingStringPrefixLength", DEFAULT_PREFIX);
  if (wanted)
    st = osdear__column_list_parse(wanted, &arena, &self.wanted, &self.wanted_count, error);
  for (size_t i = 0; metadata->mapping != MAPPING_NONE && i < self.wanted_count && !st; i++)
    st = map_path(metadata, &arena, &self.wanted[i], error);
  if (!st) {
    print_fields(&self, file_type, 0, first);
    st = put_together(&self, out, error);
  }
  osdear__buf_drop(&self.path_name);
  for (int i = 0; i < PARTS; i++)
    osdear__buf_drop(&self.out[i]);
  return st;
}

osdear_status osdear__stats_print(const osdear__metadata *metadata, const osdear__type *file_type,
                                  const osdear__parquet_writer *writer, osdear__buf *out, osdear_error **error)
{
  return osdear__stats_print_with(metadata, file_type, writer, NULL, out, error);
}
