#include "stranger.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(schema, .fini = check_released);

static stranger only(stranger parent, stranger child)
{
  stranger_child(parent, child);
  return parent;
}

/* The type of the batch's first column as text, or the error's message. */
static const char *type_of(stranger batch)
{
  static char printed[1024];
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;
  osdear__type type;

  if (osdear__schema_import(batch.schema, &arena, &type, &error))
    osdear__buf_puts(&out, osdear_error_message(error));
  else
    osdear__type_name(&type.fields[0].type, &out);
  osdear_error_free(error);
  stranger_free(batch);
  snprintf(printed, sizeof printed, "%s", out.data);
  return printed;
}

static const char *type_of_format(const char *format)
{
  return type_of(stranger_batch(stranger_new(format, "x", 0)));
}

Test(schema, formats_become_types)
{
  static const char *const known[][2] = {
    { "n", "void" },
    { "b", "boolean" },
    { "c", "byte" },
    { "C", "uint8" },
    { "s", "short" },
    { "S", "uint16" },
    { "i", "integer" },
    { "I", "uint32" },
    { "l", "long" },
    { "L", "uint64" },
    { "e", "float16" },
    { "f", "float" },
    { "g", "double" },
    { "z", "binary" },
    { "Z", "binary" },
    { "vz", "binary" },
    { "u", "string" },
    { "U", "string" },
    { "vu", "string" },
    { "d:10,2", "decimal(10,2)" },
    { "d:9,9,32", "decimal(9,9)" },
    { "d:76,0,256", "decimal(38,0)" },
    { "d:2,5", "decimal(5,5)" },
    { "w:16", "fixed(16)" },
    { "tdD", "date" },
    { "tdm", "date" },
    { "tts", "time" },
    { "ttm", "time" },
    { "ttu", "time" },
    { "ttn", "time" },
    { "tss:", "timestamp_ntz" },
    { "tsm:UTC", "timestamp" },
    { "tsu:+02:00", "timestamp" },
    { "tsn:", "timestamp_ntz" },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++)
    cr_assert_str_eq(type_of_format(known[i][0]), known[i][1]);
}

Test(schema, formats_without_a_home_are_named_with_their_column)
{
  static const char *const unknown[] = {
    "",       "x",     "ii",      "tDs",       "tiM",          "tin",   "+ud:0,1", "+us:0",      "d:",
    "d:10",   "d:10,", "d:10,2,", "d:10,2,96", "d:39,2",       "d:0,0", "d:10,-2", "d:77,0,256", "d:10,2,128,1",
    "d:+1,0", "w:",    "w:-1",    "w:3x",      "w:9999999999", "+w:",   "+w:a",    "ts",         "tsu",
    "tsx:",   "ts:",   "+",       "+x",        "vi",           "tdx",   "ttx",
  };
  char expected[128];

  for (size_t i = 0; i < COUNT_OF(unknown); i++) {
    snprintf(expected, sizeof expected, "column x has the Arrow format \"%s\", which has no type here; cast it first",
             unknown[i]);
    cr_assert_str_eq(type_of_format(unknown[i]), expected);
  }
}

Test(schema, nested_formats_become_types_with_our_names_for_what_has_no_name)
{
  static const char *const lists[] = { "+l", "+L", "+vl", "+vL", "+w:3" };
  stranger entries = stranger_new("+s", "kv", 0);
  stranger coded = stranger_new("S", "x", 0);
  stranger runs = stranger_new("+r", "x", 0);

  for (size_t i = 0; i < COUNT_OF(lists); i++)
    cr_assert_str_eq(type_of(stranger_batch(only(stranger_new(lists[i], "x", 0), stranger_new("u", "item", 0)))),
                     "array<string>");
  stranger_child(entries, stranger_new("u", "k", 0));
  stranger_child(entries, only(stranger_new("+s", "v", 0), stranger_new("i", "inner", 0)));
  cr_assert_str_eq(type_of(stranger_batch(only(stranger_new("+m", "x", 0), entries))), "map<string,struct<inner:integer>>");
  stranger_dictionary(coded, stranger_new("u", "", 0));
  cr_assert_str_eq(type_of(stranger_batch(coded)), "string");
  stranger_child(runs, stranger_new("i", "", 0));
  stranger_child(runs, stranger_new("tdD", "", 0));
  cr_assert_str_eq(type_of(stranger_batch(runs)), "date");
}

Test(schema, what_is_malformed_is_refused_by_name)
{
  stranger batch = stranger_batch(stranger_new("i", "x", 0));

  batch.schema->children[0]->format = NULL;
  cr_assert_str_eq(type_of(batch), "the Arrow schema's column x has no format");
  batch = stranger_batch(stranger_new("i", "x", 0));
  batch.schema->children = NULL;
  cr_assert_str_eq(type_of(batch), "the Arrow schema's column  has a wrong number of children");
  batch = stranger_batch(stranger_new("i", "x", 0));
  batch.schema->n_children = -1;
  cr_assert_str_eq(type_of(batch), "the Arrow schema's column  has a wrong number of children");
  batch = stranger_batch(stranger_new("i", "x", 0));
  batch.schema->children[0]->release(batch.schema->children[0]);
  cr_assert_str_eq(type_of(batch), "the Arrow schema's column  was released already");
  cr_assert_str_eq(type_of(stranger_batch(stranger_new("i", "\xff", 0))),
                   "the Arrow schema's column (not UTF-8) has a name that is not valid UTF-8");
  cr_assert_str_eq(type_of(stranger_batch(stranger_new("+l", "x", 0))),
                   "the Arrow schema's column x has a wrong number of children");
  cr_assert_str_eq(type_of(stranger_batch(only(stranger_new("i", "x", 0), stranger_new("i", "y", 0)))),
                   "the Arrow schema's column x has a wrong number of children");
  cr_assert_str_eq(type_of(stranger_batch(only(stranger_new("+m", "x", 0), stranger_new("i", "y", 0)))),
                   "the Arrow schema's column x is a map whose entries are not a struct of key and value");
  cr_assert_str_eq(type_of(stranger_new("i", "x", 0)), "the Arrow schema must be a struct of columns (\"+s\")");
}

Test(schema, dictionaries_have_integer_indices_and_runs_signed_ends)
{
  stranger coded = stranger_new("g", "x", 0);
  stranger runs = stranger_new("+r", "x", 0);

  stranger_dictionary(coded, stranger_new("u", "", 0));
  cr_assert_str_eq(type_of(stranger_batch(coded)),
                   "the Arrow schema's column x is dictionary-encoded, but its indices are not integers");
  stranger_child(runs, stranger_new("I", "", 0));
  stranger_child(runs, stranger_new("u", "", 0));
  cr_assert_str_eq(type_of(stranger_batch(runs)),
                   "the Arrow schema's column x is run-end encoded, but its run ends are not int16, int32 or int64");
}

Test(schema, a_variant_is_a_struct_of_two_binaries)
{
  stranger shredded = stranger_new("+s", "x", 0);

  stranger_child(shredded, stranger_new("z", "metadata", 0));
  stranger_child(shredded, stranger_new("z", "value", 0));
  stranger_metadata(shredded, "ARROW:extension:name", "arrow.parquet.variant");
  cr_assert_str_eq(type_of(stranger_batch(shredded)), "variant");
  shredded = stranger_new("+s", "x", 0);
  stranger_child(shredded, stranger_new("z", "metadata", 0));
  stranger_child(shredded, stranger_new("z", "value", 0));
  stranger_child(shredded, stranger_new("i", "typed_value", 0));
  stranger_metadata(shredded, "ARROW:extension:name", "arrow.parquet.variant");
  cr_assert_str_eq(type_of(stranger_batch(shredded)),
                   "column x is a variant that is not stored as a struct of two binaries, metadata and value");
}

Test(schema, metadata_with_negative_sizes_is_refused)
{
  static const int32_t sizes[] = { 1, -5 };
  static const int32_t pairs[] = { -1 };
  stranger batch = stranger_batch(stranger_new("i", "x", 0));

  batch.schema->children[0]->metadata = (const char *)sizes;
  cr_assert_str_eq(type_of(batch), "the schema's metadata has an entry of -5 bytes");
  batch = stranger_batch(stranger_new("i", "x", 0));
  batch.schema->children[0]->metadata = (const char *)pairs;
  cr_assert_str_eq(type_of(batch), "the schema's metadata claims -1 entries");
}

/* Lists in lists, `depth` of them, around an integer. */
static stranger nested(int depth)
{
  stranger column = stranger_new("i", depth ? "item" : "x", 0);

  for (int i = 1; i <= depth; i++)
    column = only(stranger_new("+l", i == depth ? "x" : "item", 0), column);
  return stranger_batch(column);
}

Test(schema, a_hundred_levels_are_enough)
{
  cr_assert(osdear__starts_with(type_of(nested(99)), "array<array<"));
  cr_assert(osdear__starts_with(type_of(nested(100)), "the Arrow schema is nested deeper than 100 levels at column x.element."));
}

static void no_release(struct ArrowSchema *schema)
{
  schema->release = NULL;
}

/* Each struct has the one below as its child twice: 2^60 fields out of sixty. */
Test(schema, a_schema_that_shares_children_ends_at_a_million_fields)
{
  enum { LEVELS = 60 };
  struct ArrowSchema levels[LEVELS];
  struct ArrowSchema *children[LEVELS][2];
  SCOPED(arena) arena = { 0 };
  osdear_error *error = NULL;
  osdear__type type;

  for (int i = 0; i < LEVELS; i++) {
    levels[i] = (struct ArrowSchema){ .format = i ? "+s" : "i", .name = "x", .n_children = i ? 2 : 0, .release = no_release };
    children[i][0] = children[i][1] = i ? &levels[i - 1] : NULL;
    levels[i].children = children[i];
  }
  cr_assert_eq(osdear__schema_import(&levels[LEVELS - 1], &arena, &type, &error), OSDEAR_ERR_LIMIT);
  cr_assert_str_eq(osdear_error_message(error), "the Arrow schema has more than 1048576 fields");
  osdear_error_free(error);
}

/* ---- the other way ---- */

static osdear__field field(const char *name, osdear__kind kind)
{
  return (osdear__field){ .name = name, .nullable = true, .field_id = -1, .type = { .kind = kind } };
}

Test(schema, what_is_exported_comes_back_the_same)
{
  SCOPED(schema) schema = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__field fields[KIND_TIME + 1];
  osdear__field element = field("element", KIND_STRING);
  osdear__field pair[] = { field("key", KIND_LONG), field("value", KIND_VARIANT) };
  osdear__field inner[] = { field("a b", KIND_DATE), field("\xc3\xbc", KIND_VOID) };
  osdear__type type = { .kind = KIND_STRUCT, .field_count = COUNT_OF(fields), .fields = fields };
  osdear__type back;

  for (size_t i = 0; i < COUNT_OF(fields); i++)
    fields[i] = field(osdear__kind_name((osdear__kind)i), (osdear__kind)i);
  pair[0].nullable = false;
  element.nullable = false;
  fields[KIND_LONG].nullable = false;
  fields[KIND_DECIMAL].type.precision = 38;
  fields[KIND_DECIMAL].type.scale = 10;
  fields[KIND_FIXED].type.width = 16;
  fields[KIND_ARRAY].type = (osdear__type){ .kind = KIND_ARRAY, .field_count = 1, .fields = &element };
  fields[KIND_MAP].type = (osdear__type){ .kind = KIND_MAP, .field_count = 2, .fields = pair };
  fields[KIND_STRUCT].type = (osdear__type){ .kind = KIND_STRUCT, .field_count = 2, .fields = inner };
  cr_assert_eq(osdear__schema_export(&type, &schema, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__schema_import(&schema, &arena, &back, NULL), OSDEAR_OK);
  cr_assert(osdear__type_equal(&type, &back));
  for (size_t i = 0; i < COUNT_OF(fields); i++)
    cr_assert_eq(back.fields[i].nullable, fields[i].nullable);
  cr_assert_not(back.fields[KIND_ARRAY].type.fields[0].nullable);
  cr_assert_not(back.fields[KIND_MAP].type.fields[0].nullable);
}

Test(schema, maps_and_variants_are_exported_as_arrow_names_them)
{
  SCOPED(schema) schema = { 0 };
  osdear__field pair[] = { field("key", KIND_STRING), field("value", KIND_VARIANT) };
  osdear__field fields[] = { field("m", KIND_MAP) };
  osdear__type type = { .kind = KIND_STRUCT, .field_count = 1, .fields = fields };
  const struct ArrowSchema *map;
  const struct ArrowSchema *variant;
  static const char metadata[] = "\2\0\0\0\x14\0\0\0ARROW:extension:name\x15\0\0\0arrow.parquet.variant"
                                 "\x18\0\0\0ARROW:extension:metadata\0\0\0\0";

  fields[0].type.field_count = 2;
  fields[0].type.fields = pair;
  cr_assert_eq(osdear__schema_export(&type, &schema, NULL), OSDEAR_OK);
  map = schema.children[0];
  cr_assert_str_eq(map->format, "+m");
  cr_assert_str_eq(map->children[0]->name, "entries");
  cr_assert_eq(map->children[0]->flags, 0);
  cr_assert_str_eq(map->children[0]->children[0]->name, "key");
  cr_assert_eq(map->children[0]->children[0]->flags & ARROW_FLAG_NULLABLE, pair[0].nullable ? ARROW_FLAG_NULLABLE : 0);
  variant = map->children[0]->children[1];
  cr_assert_str_eq(variant->name, "value");
  cr_assert_str_eq(variant->format, "+s");
  cr_assert_eq(memcmp(variant->metadata, metadata, sizeof metadata - 1), 0);
  cr_assert_str_eq(variant->children[0]->name, "metadata");
  cr_assert_str_eq(variant->children[1]->format, "z");
}
