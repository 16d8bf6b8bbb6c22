#include "skipping_table.h"

#include <delta/write.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DELETED "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L" /* rows 3, 4, 7, 11, 18, 29 */
enum { PAGE_ROWS = 5, GROUP_ROWS = 20, INNER_ID = 100 };

/* ---- chance ---- */

static uint64_t state;

void skipping_seed(uint64_t seed)
{
  state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

uint64_t chance(uint64_t below)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state * UINT64_C(0x2545F4914F6CDD1D) >> 33) % below;
}

/* ---- columns ---- */

static osdear__field inner_fields[] = { { "x", true, -1, NULL, { .kind = KIND_LONG } } };
static const osdear__field fields[COLUMNS] = {
  [ID] = { "id", true, -1, NULL, { .kind = KIND_LONG } },
  [I] = { "i", true, -1, NULL, { .kind = KIND_LONG } },
  [D] = { "d", true, -1, NULL, { .kind = KIND_DOUBLE } },
  [S] = { "s", true, -1, NULL, { .kind = KIND_STRING } },
  [T] = { "t", true, -1, NULL, { .kind = KIND_TIMESTAMP } },
  [N] = { "n", true, -1, NULL, { .kind = KIND_TIMESTAMP_NTZ } },
  [C] = { "c", true, -1, NULL, { .kind = KIND_DECIMAL, .precision = 13, .scale = DECIMAL_SCALE } },
  [Y] = { "y", true, -1, NULL, { .kind = KIND_DATE } },
  [K] = { "k", true, -1, "{\"__CHAR_VARCHAR_TYPE_STRING\":\"char(3)\"}", { .kind = KIND_STRING, .width = 3 } },
  [ST] = { "st", true, -1, NULL, { .kind = KIND_STRUCT, .field_count = 1, .fields = inner_fields } },
  [P] = { "p", true, -1, NULL, { .kind = KIND_INTEGER } },
};

const char *skipping_name(size_t column)
{
  return column == ST ? "st.x" : fields[column].name;
}

/* Few enough values that literals meet them, with the odd ones among them. */
int64_t any_small(int64_t center)
{
  return center + (int64_t)chance(9) - 4;
}

double any_number(int64_t center)
{
  switch (chance(100)) { /* infinity is seldom: as a bound it hides what else there is */
  case 0: return chance(2) ? INFINITY : -INFINITY;
  case 1:
  case 2:
  case 3: return NAN;
  case 4: return -0.0;
  case 5: return 0.0;
  default: return (double)any_small(center) / 10; /* most of which no float holds exactly */
  }
}

/* Most are longer than what statistics keep, and alike up to there. What they end with differs from center to center, lest all have the
 * greatest character for their bound. */
void any_text(int64_t center, char out[160])
{
  static const char *const ends[] = {
    "", "a", "z", "\x7f", "\xf4\x8f\xbf\xbf", "\xc3\xa9", "zz", "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"
  };
  uint64_t kinds = 1 + (uint64_t)center % COUNT_OF(ends);
  int length = chance(16) ? 30 + (int)chance(4) : (int)chance(3);

  memset(out, 'a' + (int)((uint64_t)center % 5), (size_t)length);
  snprintf(out + length, 160 - (size_t)length, "%s%s", ends[chance(kinds)], ends[chance(kinds)]);
}

/* Texts whose order is another one once they are padded, and now and then one that is too long. */
void any_char(int64_t center, char out[8])
{
  static const char letters[] = "\t !ab";
  int length = chance(16) ? (int)chance(4) : 4;

  for (int i = 0; i < length; i++)
    out[i] = i == 0 ? (char)('a' + (int)((uint64_t)center % 5)) : letters[chance(sizeof letters - 1)];
  out[length] = '\0';
}

/* Around 1970 too, where cutting to milliseconds may go either way. */
int64_t any_instant(int64_t center)
{
  return (center - 5) * 1000000 + (int64_t)chance(5) * 500 + (int64_t)chance(3) - 1;
}

/* ---- rows ---- */

static void put_value(osdear__builder *builder, const osdear__type *type, size_t column, int64_t center)
{
  char word[160];
  osdear_status st;

  switch (column) {
  case D:
    st = type->kind == KIND_INTEGER ? osdear__builder_i64(builder, any_small(center), NULL)
                                    : osdear__builder_f64(builder, any_number(center), NULL);
    break;
  case S:
    any_text(center, word);
    st = osdear__builder_bytes(builder, osdear__str_of(word), NULL);
    break;
  case K:
    any_char(center, word);
    st = osdear__builder_bytes(builder, osdear__str_of(word), NULL);
    break;
  case T: st = osdear__builder_i64(builder, any_instant(center), NULL); break;
  case N: st = osdear__builder_i64(builder, type->kind == KIND_DATE ? any_small(center) : any_instant(center), NULL); break;
  case C:
    st = type->kind == KIND_INTEGER ? osdear__builder_i64(builder, any_small(0), NULL)
                                    : osdear__builder_decimal(builder, any_small(center) * 10 + (int64_t)chance(3), NULL);
    break;
  case ST:
    st = osdear__builder_i64(osdear__builder_child(builder, 0), any_small(center), NULL);
    cr_assert_eq(st, OSDEAR_OK);
    st = osdear__builder_close(builder, NULL);
    break;
  default: st = osdear__builder_i64(builder, any_small(center), NULL); break;
  }
  cr_assert_eq(st, OSDEAR_OK);
}

/* Of some files a column has nothing but nulls, and of others none. */
static void make_rows(const osdear__type *type, int64_t first, struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;
  int64_t center = (int64_t)chance(12);
  uint64_t nulls[COLUMNS];

  cr_assert_eq(osdear__builder_new(type, &builder, NULL), OSDEAR_OK);
  for (size_t i = 0; i < COLUMNS; i++)
    nulls[i] = chance(8) == 0 ? 1 : chance(4) == 0 ? UINT64_MAX : 6;
  for (int64_t row = 0; row < SKIPPING_ROWS; row++) {
    if (row % GROUP_ROWS == 0)
      center = (int64_t)chance(12);
    cr_assert_eq(osdear__builder_i64(osdear__builder_child(builder, ID), first + row, NULL), OSDEAR_OK);
    for (size_t i = ID + 1; i < type->field_count; i++) {
      osdear__builder *column = osdear__builder_child(builder, i);
      if (chance(nulls[i]) == 0)
        cr_assert_eq(osdear__builder_null(column, NULL), OSDEAR_OK);
      else
        put_value(column, &type->fields[i].type, i, center);
    }
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
}

/* ---- bounds ---- */

typedef struct leaf {
  const osdear__type *type;
  const struct ArrowArray *array;
  const struct ArrowArray *parent; /* a struct whose nulls are the leaf's too; NULL: none */
} leaf;

static leaf leaf_of(const osdear__type *type, const struct ArrowArray *batch, size_t column)
{
  if (column != ST)
    return (leaf){ &type->fields[column].type, batch->children[column], NULL };
  return (leaf){ &inner_fields[0].type, batch->children[column]->children[0], batch->children[column] };
}

static bool has_value(const leaf *of, int64_t row)
{
  return osdear__is_valid(of->array, row) && (!of->parent || osdear__is_valid(of->parent, row));
}

static bool is_nan(const osdear__scalar *value)
{
  return (value->kind == KIND_DOUBLE || value->kind == KIND_FLOAT) && isnan(value->f64);
}

typedef struct bounds {
  bool has_any, has_nan;
  int64_t nulls;
  osdear__scalar min, max;
} bounds;

static bounds find_bounds(const leaf *of, int64_t from, int64_t to)
{
  bounds out = { 0 };
  osdear__scalar value;
  int less, more;

  for (int64_t row = from; row < to; row++) {
    if (!has_value(of, row)) {
      out.nulls++;
      continue;
    }
    osdear__scalar_at(of->type, of->array, row, &value);
    if (is_nan(&value)) {
      out.has_nan = true;
      continue;
    }
    if (!out.has_any)
      out.min = out.max = value;
    cr_assert(osdear__scalar_compare(&value, &out.min, &less) && osdear__scalar_compare(&value, &out.max, &more));
    if (less < 0)
      out.min = value;
    if (more > 0)
      out.max = value;
    out.has_any = true;
  }
  return out;
}

/* A value of a file as one of the table. */
static void note_edge(skipping_table *table, size_t column, osdear__scalar value)
{
  size_t *count = &table->edge_counts[column];

  if (*count == SKIPPING_EDGES)
    return;
  if (column == D && value.kind == KIND_INTEGER)
    value.f64 = (double)value.i64;
  if (column == N && value.kind == KIND_DATE)
    value.i64 *= INT64_C(86400) * 1000000;
  if (column == C && value.kind == KIND_INTEGER)
    value.decimal = (osdear__int128)value.i64 * 1000;
  else if (column == C && value.scale < DECIMAL_SCALE)
    value.decimal *= 10;
  if (value.kind == KIND_STRING) {
    value.bytes.data = osdear__arena_strndup(&table->arena, value.bytes.data, value.bytes.size);
    cr_assert(value.bytes.data);
  }
  table->edges[column][(*count)++] = value;
}

static void note_edges(skipping_table *table, const osdear__type *type, const struct ArrowArray *batch)
{
  for (size_t i = 0; i < type->field_count; i++) {
    leaf of = leaf_of(type, batch, i);
    int64_t page = (int64_t)chance(SKIPPING_ROWS / PAGE_ROWS) * PAGE_ROWS;
    bounds whole = find_bounds(&of, 0, SKIPPING_ROWS), part = find_bounds(&of, page, page + PAGE_ROWS);
    if (whole.has_any) {
      note_edge(table, i, whole.min);
      note_edge(table, i, whole.max);
    }
    if (part.has_any) {
      note_edge(table, i, part.min);
      note_edge(table, i, part.max);
    }
  }
}

/* ---- statistics as others write them ---- */

typedef enum style { STYLE_OURS, STYLE_SPARK, STYLE_TOWARDS_ZERO, STYLE_WITH_OFFSET, STYLES } style;

static void put_instant(style how, osdear__kind kind, int64_t us, osdear__buf *out)
{
  char text[OSDEAR__TIME_TEXT];
  int64_t over = us % 1000;

  if (how == STYLE_WITH_OFFSET && kind == KIND_TIMESTAMP)
    us += INT64_C(3600) * 1000000;
  else if (how != STYLE_WITH_OFFSET)
    us -= over + (how == STYLE_SPARK && over < 0 ? 1000 : 0);
  osdear__format_timestamp(us, 'T', "", text);
  if (how != STYLE_WITH_OFFSET)
    text[strlen(text) - 3] = '\0';
  osdear__buf_printf(out, "\"%s%s\"", text, kind == KIND_TIMESTAMP_NTZ ? "" : how == STYLE_WITH_OFFSET ? "+01:00" : "Z");
}

/* The fewest digits that give the float again. */
static void put_float(double value, osdear__buf *out)
{
  char text[40];

  for (int digits = 1; digits <= FLT_DECIMAL_DIG; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if ((double)strtof(text, NULL) == value)
      break;
  }
  osdear__buf_printf(out, isinf(value) ? "\"%s\"" : "%s", isinf(value) ? (value < 0 ? "-Infinity" : "Infinity") : text);
}

static void put_bound(style how, const osdear__scalar *value, osdear__buf *out)
{
  char text[OSDEAR__DECIMAL_TEXT + OSDEAR__TIME_TEXT];

  switch (value->kind) {
  case KIND_FLOAT: put_float(value->f64, out); break;
  case KIND_DOUBLE: osdear__json_put_f64(out, value->f64); break;
  case KIND_STRING: osdear__json_put_string(out, value->bytes); break;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: put_instant(how, value->kind, value->i64, out); break;
  case KIND_DATE:
    osdear__format_date(value->i64, text);
    osdear__buf_printf(out, "\"%s\"", text);
    break;
  case KIND_DECIMAL: osdear__buf_append(out, text, osdear__format_decimal(value->decimal, value->scale, text)); break;
  default: osdear__json_put_i64(out, value->i64); break;
  }
}

static void put_member(osdear__buf *out, bool *first, const osdear__field *field, size_t column, osdear__str text)
{
  osdear__json_put_key(out, first, field->name);
  if (column == ST)
    osdear__buf_printf(out, "{\"%s\":%.*s}", field->type.fields[0].name, (int)text.size, text.data);
  else
    osdear__buf_append(out, text.data, text.size);
}

/* `type` by physical names. Some columns are left out, and sometimes the number of rows. */
static void print_stats(style how, const osdear__type *type, const struct ArrowArray *batch, bool is_tight, osdear__buf *out)
{
  SCOPED(buf) min = { 0 };
  SCOPED(buf) max = { 0 };
  SCOPED(buf) nulls = { 0 };
  SCOPED(buf) value = { 0 };
  bool first_min = true, first_max = true, first_null = true;

  for (size_t i = 0; i < type->field_count; i++) {
    leaf of = leaf_of(type, batch, i);
    bounds found = find_bounds(&of, 0, SKIPPING_ROWS);
    uint64_t left_out = chance(7);
    if (found.has_any && left_out != 0) {
      osdear__buf_clear(&value);
      put_bound(how, &found.min, &value);
      put_member(&min, &first_min, &type->fields[i], i, (osdear__str){ value.data, value.size });
    }
    if ((found.has_any || found.has_nan) && left_out != 1) {
      osdear__buf_clear(&value);
      if (found.has_nan && (how == STYLE_SPARK || !found.has_any)) /* the greatest number there is */
        osdear__buf_puts(&value, "\"NaN\"");
      else
        put_bound(how, &found.max, &value);
      put_member(&max, &first_max, &type->fields[i], i, (osdear__str){ value.data, value.size });
    }
    osdear__buf_clear(&value);
    osdear__json_put_i64(&value, found.nulls);
    if (left_out != 2)
      put_member(&nulls, &first_null, &type->fields[i], i, (osdear__str){ value.data, value.size });
  }
  osdear__buf_putc(out, '{');
  if (chance(8))
    osdear__buf_printf(out, "\"numRecords\":%d,", SKIPPING_ROWS);
  osdear__buf_printf(out, "\"tightBounds\":%s,\"minValues\":{%s},\"maxValues\":{%s},\"nullCount\":{%s}}",
                     is_tight ? "true" : "false", min.data ? min.data : "", max.data ? max.data : "",
                     nulls.data ? nulls.data : "");
}

/* ---- files ---- */

/* Files of before a widening: the narrower types. */
static void narrow(osdear__field stored[COLUMNS])
{
  if (chance(3) == 0)
    stored[I].type.kind = KIND_INTEGER;
  if (chance(2) == 0)
    stored[D].type.kind = chance(3) ? KIND_FLOAT : KIND_INTEGER;
  if (chance(2) == 0)
    stored[C].type =
        chance(2) ? (osdear__type){ .kind = KIND_DECIMAL, .precision = 8, .scale = 2 } : (osdear__type){ .kind = KIND_INTEGER };
  if (chance(3) == 0)
    stored[N].type.kind = KIND_DATE;
}

/* Where ids count, names in files mean nothing: here each is the name of another column. */
static osdear__type stored_type(const osdear__metadata *metadata, osdear__field physical[COLUMNS], osdear__field stored[COLUMNS])
{
  memcpy(physical, metadata->physical.fields, COLUMNS * sizeof *physical);
  narrow(physical);
  memcpy(stored, physical, COLUMNS * sizeof *stored);
  for (size_t i = 0; i < P && metadata->mapping == MAPPING_ID; i++)
    stored[i].name = physical[(i + 1) % P].name;
  return (osdear__type){ .kind = KIND_STRUCT, .field_count = P, .fields = stored };
}

/* The library's own statistics come from its writer. */
static void write_file(skipping_table *table, const char *path, const osdear__type *type, const osdear__type *physical,
                       const struct ArrowArray *batch, osdear__buf *stats, int64_t *size_bytes)
{
  osdear__metadata metadata = { .schema = *physical, .physical = *physical };
  osdear__parquet_write options;
  osdear__leaf_facts facts;
  AUTO(output) output = NULL;
  AUTO(parquet_writer) writer = NULL;

  osdear__parquet_write_init(&options);
  options.row_group_rows = GROUP_ROWS;
  options.page_rows = PAGE_ROWS;
  options.codec = CODEC_NONE;
  cr_assert_eq(osdear__store_create(table->f.store, path, &output, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(table->f.context, output, type, &options, &writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, batch, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__leaf_facts_init(&facts, physical, NULL), OSDEAR_OK);
  osdear__leaf_facts_add(&facts, physical, batch);
  cr_assert_eq(osdear__stats_print_with(&metadata, physical, writer, &facts, stats, NULL), OSDEAR_OK);
  osdear__leaf_facts_drop(&facts);
  cr_assert_eq(output->finish(output, NULL), OSDEAR_OK);
  *size_bytes = output->written;
}

static void put_file(skipping_table *table, const osdear__metadata *metadata, int number, osdear__buf *commit)
{
  osdear__field by_name[COLUMNS], stored[COLUMNS];
  osdear__type type = stored_type(metadata, by_name, stored), physical = type;
  osdear__partition_value partition = { osdear__str_of(metadata->physical.fields[P].name), STR("7"), chance(4) == 0 };
  osdear__file file = { .partition = &partition,
                        .partition_count = 1,
                        .data_change = true,
                        .dv = { .offset = -1 },
                        .base_row_id = -1,
                        .default_row_commit_version = -1 };
  style how = (style)(chance(STYLES + 1) % STYLES);
  SCOPED(array) batch = { 0 };
  SCOPED(buf) stats = { 0 };
  char path[16];

  physical.fields = by_name;
  snprintf(path, sizeof path, "f%d", number);
  make_rows(&type, number * SKIPPING_ROWS, &batch);
  note_edges(table, &type, &batch);
  table->has_vector[number] = chance(3) == 0;
  if (table->has_vector[number])
    file.dv = (osdear__deletion_vector){ 'i', STR(DELETED), -1, 40, 6 };
  write_file(table, path, &type, &physical, &batch, &stats, &file.size_bytes);
  if (how != STYLE_OURS) {
    osdear__buf_clear(&stats);
    print_stats(how, &physical, &batch, !file.dv.storage, &stats);
  }
  file.path = osdear__str_of(path);
  if (chance(8))
    file.stats = (osdear__str){ stats.data, stats.size };
  osdear__action_print_add(&file, commit);
}

/* ---- tables ---- */

/* Physical names are those of other columns, so that who confuses them reads, or skips by, the wrong one. */
static osdear__type mapped_type(osdear__arena *arena)
{
  osdear__type type = { .kind = KIND_STRUCT, .field_count = COLUMNS };
  osdear__field *inner = osdear__arena_alloc(arena, sizeof *inner);

  type.fields = osdear__arena_alloc(arena, COLUMNS * sizeof *type.fields);
  cr_assert(type.fields && inner);
  memcpy(type.fields, fields, sizeof fields);
  for (size_t i = 0; i < COLUMNS; i++)
    type.fields[i].metadata =
        osdear__arena_printf(arena, "{\"delta.columnMapping.id\":%zu,\"delta.columnMapping.physicalName\":\"%s\"%s", i + 1,
                             fields[(i + 1) % COLUMNS].name, i == K ? ",\"__CHAR_VARCHAR_TYPE_STRING\":\"char(3)\"}" : "}");
  *inner = inner_fields[0];
  inner->metadata =
      osdear__arena_printf(arena, "{\"delta.columnMapping.id\":%d,\"delta.columnMapping.physicalName\":\"id\"}", INNER_ID);
  type.fields[ST].type.fields = inner;
  return type;
}

static void make_metadata(skipping_table *table, osdear__metadata *out, osdear__buf *commit)
{
  static const char *const partitions[] = { "p", NULL }, *const modes[] = { "none", "name", "id" };
  static const osdear_pair stats[] = { { "delta.checkpoint.writeStatsAsJson", "false" },
                                       { "delta.checkpoint.writeStatsAsStruct", "true" } };
  const osdear__protocol protocol = { .min_reader = 2, .min_writer = 5 };
  size_t mode = chance(COUNT_OF(modes));
  osdear_pair *pairs = osdear__arena_alloc(&table->arena, 3 * sizeof *pairs);
  SCOPED(buf) schema = { 0 };

  cr_assert(pairs);
  *out = (osdear__metadata){
    .id = "0-1", .created_ms = 0, .properties = pairs, .property_count = 1 + (chance(2) ? COUNT_OF(stats) : 0)
  };
  memcpy(&out->partition_columns, &(const char *const *){ partitions }, sizeof out->partition_columns);
  pairs[0] = (osdear_pair){ "delta.columnMapping.mode", modes[mode] };
  memcpy(&pairs[1], stats, sizeof stats);
  out->schema = mode ? mapped_type(&table->arena) : (osdear__type){ .kind = KIND_STRUCT, .field_count = COLUMNS };
  if (!mode)
    memcpy(&out->schema.fields, &(const osdear__field *){ fields }, sizeof out->schema.fields);
  cr_assert_eq(osdear__map_columns(&protocol, out, &table->arena, NULL), OSDEAR_OK);
  osdear__delta_schema_print(&out->schema, &schema);
  out->schema_json = osdear__arena_strdup(&table->arena, schema.data);
  osdear__action_print_metadata(out, commit);
}

/* The same table from a checkpoint, with statistics as text or as columns. */
static void load_from_checkpoint(skipping_table *table)
{
  char path[OSDEAR__LOG_PATH];

  cr_assert_eq(osdear__checkpoint_write(table->snapshot, NULL), OSDEAR_OK);
  osdear__log_commit_path(0, path);
  cr_assert_eq(osdear__store_delete(table->f.store, path, NULL), OSDEAR_OK);
  osdear_snapshot_unref(table->snapshot);
  table->snapshot = fixture_load(&table->f, 0);
  cr_assert_not_null(table->snapshot->checkpoint);
}

void skipping_table_new(skipping_table *table)
{
  osdear__metadata metadata;
  SCOPED(buf) commit = { 0 };

  *table = (skipping_table){ .f = fixture_open("skipping") };
  osdear__buf_puts(
      &commit,
      "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"deletionVectors\",\"timestampNtz\","
      "\"typeWidening\",\"columnMapping\"],\"writerFeatures\":[\"deletionVectors\",\"timestampNtz\",\"typeWidening\","
      "\"columnMapping\"]}}\n");
  make_metadata(table, &metadata, &commit);
  table->files = 1 + (int64_t)chance(SKIPPING_FILES);
  for (int i = 0; i < (int)table->files; i++)
    put_file(table, &metadata, i, &commit);
  fixture_commit(&table->f, 0, commit.data);
  table->snapshot = fixture_load(&table->f, 0);
  if (chance(2))
    load_from_checkpoint(table);
}

bool skipping_is_deleted(const skipping_table *table, int64_t id)
{
  static const int64_t deleted[] = { 3, 4, 7, 11, 18, 29 };

  for (size_t i = 0; i < COUNT_OF(deleted) && table->has_vector[id / SKIPPING_ROWS]; i++)
    if (id % SKIPPING_ROWS == deleted[i])
      return true;
  return false;
}

void skipping_table_drop(skipping_table *table)
{
  osdear_snapshot_unref(table->snapshot);
  osdear__arena_drop(&table->arena);
  fixture_close(&table->f);
}
