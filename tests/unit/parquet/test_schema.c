/* Schemas of every shape that writers have made: lists of two and three levels, maps, repeated fields, depth. */
#include <criterion/criterion.h>

#include "../../support/assembled.h"

/* ---- schemas as text: "c: LIST { list* { element? INT32 } }" and what becomes of them ---- */

typedef struct parser {
  const char *at;
  osdear__assembled *file;
} parser;

static void skip_blanks(parser *in)
{
  while (*in->at == ' ')
    in->at++;
}

static bool take(parser *in, const char *word)
{
  size_t size = strlen(word);

  skip_blanks(in);
  if (strncmp(in->at, word, size) != 0)
    return false;
  in->at += size;
  skip_blanks(in);
  return true;
}

static char *take_name(parser *in)
{
  size_t size = strcspn(in->at, " ?*{}:");
  char *name = osdear__arena_strndup(&in->file->arena, in->at, size);

  in->at += size;
  return name;
}

/* A name, ? or * for its repetition, an annotation, and a physical type or the children in braces. */
static void parse_element(parser *in)
{
  static const struct {
    const char *name;
    osdear__pq_physical physical;
  } leaves[] = { { "INT32", PQ_INT32 }, { "BYTES", PQ_BYTE_ARRAY } };
  static const struct {
    const char *name;
    int32_t converted;
    uint32_t logical;
  } notes[] = { { "LIST2", -1, LOGICAL_LIST }, { "LIST", PQ_LIST, 0 }, { "MAP_KEY_VALUE", PQ_MAP_KEY_VALUE, 0 },
                { "MAP2", -1, LOGICAL_MAP },   { "MAP", PQ_MAP, 0 },   { "UTF8", PQ_UTF8, 0 } };
  osdear__pq_schema_element *element = &in->file->elements[in->file->meta.schema_count++];

  skip_blanks(in);
  element->name = osdear__str_of(take_name(in));
  element->set = ELEMENT_REPETITION;
  element->repetition_type = take(in, "?") ? PQ_OPTIONAL : take(in, "*") ? PQ_REPEATED : PQ_REQUIRED;
  for (size_t i = 0; i < COUNT_OF(notes); i++) {
    if (!take(in, notes[i].name))
      continue;
    if (notes[i].logical)
      assembled_logical(in->file, element, notes[i].logical);
    else
      element->set |= ELEMENT_CONVERTED;
    element->converted_type = notes[i].converted;
    break;
  }
  for (size_t i = 0; i < COUNT_OF(leaves); i++)
    if (take(in, leaves[i].name)) {
      element->set |= ELEMENT_TYPE;
      element->type = (int32_t)leaves[i].physical;
      return;
    }
  element->set |= ELEMENT_NUM_CHILDREN;
  cr_assert(take(in, "{"), "%s", in->at);
  while (!take(in, "}")) {
    element->num_children++;
    parse_element(in);
  }
}

/* "[int?]" is a list of nullable integers, "(s: int)" a struct, "<key: int, value: int?>" a map. */
static void print_type(const osdear__type *type, osdear__buf *out)
{
  const char *open = type->kind == KIND_ARRAY ? "[" : type->kind == KIND_MAP ? "<" : "(";
  const char *close = type->kind == KIND_ARRAY ? "]" : type->kind == KIND_MAP ? ">" : ")";

  if (type->kind != KIND_ARRAY && type->kind != KIND_MAP && type->kind != KIND_STRUCT) {
    osdear__buf_puts(out, type->kind == KIND_INTEGER  ? "int"
                          : type->kind == KIND_STRING ? "text"
                          : type->kind == KIND_VOID   ? "void"
                                                      : "bytes");
    return;
  }
  osdear__buf_puts(out, open);
  for (size_t i = 0; i < type->field_count; i++) {
    osdear__buf_puts(out, i ? ", " : "");
    if (type->kind != KIND_ARRAY)
      osdear__buf_printf(out, "%s: ", type->fields[i].name);
    print_type(&type->fields[i].type, out);
    osdear__buf_puts(out, type->fields[i].nullable ? "?" : "");
  }
  osdear__buf_puts(out, close);
}

/* `levels`: the greatest definition and repetition level of each leaf, "3/1 3/1". */
static void expect_schema(const char *schema, const char *wanted, const char *levels)
{
  SCOPED(assembled) file = { 0 };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) type = { 0 };
  SCOPED(buf) found = { 0 };
  AUTO(error) error = NULL;
  osdear__pq_schema read;
  parser in = { schema, &file };

  assembled_start(&file, 0);
  for (; *in.at; file.elements[0].num_children++)
    parse_element(&in);
  cr_assert_eq(osdear__pq_schema_read(file.elements, file.meta.schema_count, &arena, &read, &error), OSDEAR_OK, "%s: %s", schema,
               osdear_error_message(error));
  print_type(&read.type, &type);
  cr_assert_str_eq(type.data, wanted, "%s becomes %s", schema, type.data);
  for (size_t i = 0; i < read.leaf_count; i++)
    osdear__buf_printf(&found, "%s%d/%d", i ? " " : "", read.leaves[i].max_def, read.leaves[i].max_rep);
  cr_assert_str_eq(found.data ? found.data : "", levels, "%s has the levels %s", schema, found.data);
}

Test(schema, lists_of_three_levels)
{
  expect_schema("c? LIST { list* { element? INT32 } }", "(c: [int?]?)", "3/1");
  expect_schema("c? LIST2 { list* { element? INT32 } }", "(c: [int?]?)", "3/1");
  expect_schema("c LIST { list* { element INT32 } }", "(c: [int])", "1/1");
  expect_schema("c? LIST { bag* { array_element? INT32 } }", "(c: [int?]?)", "3/1");
  expect_schema("c? LIST { anything* { item INT32 } }", "(c: [int]?)", "2/1");
  expect_schema("c? LIST { list* { element? { a? INT32 b INT32 } } }", "(c: [(a: int?, b: int)?]?)", "4/1 3/1");
  expect_schema("c? LIST { list* { element? LIST { list* { element? INT32 } } } }", "(c: [[int?]?]?)", "5/2");
}

/* LogicalTypes.md: rules for backward compatibility, in their order. */
Test(schema, lists_of_two_levels)
{
  expect_schema("c? LIST { element* INT32 }", "(c: [int]?)", "2/1");
  expect_schema("c? LIST { element* { a INT32 b? INT32 } }", "(c: [(a: int, b: int?)]?)", "2/1 3/1");
  expect_schema("c? LIST { array* { a INT32 } }", "(c: [(a: int)]?)", "2/1");
  expect_schema("c? LIST { c_tuple* { a INT32 } }", "(c: [(a: int)]?)", "2/1");
  expect_schema("c? LIST { d_tuple* { a INT32 } }", "(c: [int]?)", "2/1");
  expect_schema("c? LIST { array* { a* INT32 } }", "(c: [(a: [int])]?)", "3/2");
  expect_schema("c? LIST { array* LIST { array* INT32 } }", "(c: [[int]]?)", "3/2");
  expect_schema("c? LIST { list* LIST { element* INT32 } }", "(c: [[int]]?)", "3/2");
  expect_schema("c? LIST { list* MAP { key_value* { key INT32 value? INT32 } } }", "(c: [<key: int, value: int?>]?)", "3/2 4/2");
}

Test(schema, repeated_fields_without_annotation)
{
  expect_schema("c* INT32", "(c: [int])", "1/1");
  expect_schema("c* { a? INT32 b* INT32 }", "(c: [(a: int?, b: [int])])", "2/1 2/2");
  expect_schema("c? { d* INT32 }", "(c: (d: [int])?)", "2/1");
}

Test(schema, maps_of_all_shapes)
{
  expect_schema("c? MAP { key_value* { key INT32 value? INT32 } }", "(c: <key: int, value: int?>?)", "2/1 3/1");
  expect_schema("c? MAP2 { entries* { key INT32 value INT32 } }", "(c: <key: int, value: int>?)", "2/1 2/1");
  expect_schema("c? MAP { map* MAP_KEY_VALUE { key INT32 value? INT32 } }", "(c: <key: int, value: int?>?)", "2/1 3/1");
  expect_schema("c? MAP_KEY_VALUE { map* { key INT32 value? INT32 } }", "(c: <key: int, value: int?>?)", "2/1 3/1");
  expect_schema("c? MAP { key_value* { value? INT32 key BYTES } }", "(c: <key: bytes, value: int?>?)", "3/1 2/1");
  expect_schema("c? MAP { key_value* { first INT32 second? INT32 } }", "(c: <key: int, value: int?>?)", "2/1 3/1");
  expect_schema("c? MAP { key_value* { key? INT32 value? INT32 } }", "(c: <key: int, value: int?>?)", "3/1 3/1");
  expect_schema("c? MAP { key_value* { key INT32 } }", "(c: [int]?)", "2/1");
  expect_schema("c MAP { key_value* { key INT32 value? LIST { list* { element? INT32 } } } }", "(c: <key: int, value: [int?]?>)",
                "1/1 4/2");
}

/* An annotation on a group of another shape says nothing. */
Test(schema, annotations_that_do_not_fit_are_ignored)
{
  expect_schema("c? LIST { a INT32 b INT32 }", "(c: (a: int, b: int)?)", "1/0 1/0");
  expect_schema("c? LIST { a? INT32 }", "(c: (a: int?)?)", "2/0");
  expect_schema("c? MAP { a? { key INT32 } }", "(c: (a: (key: int)?)?)", "2/0");
  expect_schema("c? MAP { kv* { a INT32 b INT32 d INT32 } }", "(c: (kv: [(a: int, b: int, d: int)])?)", "2/1 2/1 2/1");
  expect_schema("c? UTF8 { a BYTES }", "(c: (a: bytes)?)", "1/0");
  expect_schema("c? UTF8 INT32", "(c: int?)", "1/0");
}

Test(schema, groups_without_columns_become_nothing)
{
  expect_schema("c? { } d INT32", "(c: void?, d: int)", "0/0");
  expect_schema("c? { e? { } } d? INT32", "(c: void?, d: int?)", "1/0");
  expect_schema("", "()", "");
}

/* ---- hostile ones ---- */

static void refuse_elements(const osdear__pq_schema_element *elements, size_t count, osdear_status status, const char *words)
{
  SCOPED(arena) arena = { 0 };
  AUTO(error) error = NULL;
  osdear__pq_schema read;

  cr_assert_eq(osdear__pq_schema_read(elements, count, &arena, &read, &error), status, "%s", words);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
}

/* clang-format off */
#define GROUP(title, children) { .set = ELEMENT_NUM_CHILDREN, .name = STR(title), .num_children = children }
#define LEAF(title, physical) { .set = ELEMENT_TYPE, .name = STR(title), .type = physical }
/* clang-format on */

Test(schema, those_that_contradict_themselves_are_refused)
{
  const osdear__pq_schema_element too_few[] = { GROUP("root", 2), LEAF("a", PQ_INT32) };
  const osdear__pq_schema_element too_many[] = { GROUP("root", 1), LEAF("a", PQ_INT32), LEAF("b", PQ_INT32) };
  const osdear__pq_schema_element negative[] = { GROUP("root", 1), GROUP("a", -5) };
  const osdear__pq_schema_element huge[] = { GROUP("root", INT32_MAX), LEAF("a", PQ_INT32) };
  const osdear__pq_schema_element no_type[] = { GROUP("root", 1), LEAF("a", 42) };
  const osdear__pq_schema_element no_width[] = { GROUP("root", 1), LEAF("a", PQ_FIXED) };
  const osdear__pq_schema_element with_nul[] = { GROUP("root", 1), LEAF("a\0b", PQ_INT32) };
  const osdear__pq_schema_element no_text[] = { GROUP("root", 1), LEAF("\xff", PQ_INT32) };

  refuse_elements(too_few, COUNT_OF(too_few), OSDEAR_ERR_CORRUPT, "ends inside a group");
  refuse_elements(too_many, COUNT_OF(too_many), OSDEAR_ERR_CORRUPT, "outside of the root");
  refuse_elements(negative, COUNT_OF(negative), OSDEAR_ERR_CORRUPT, "-5 children");
  refuse_elements(huge, COUNT_OF(huge), OSDEAR_ERR_CORRUPT, "ends inside a group");
  refuse_elements(no_type, COUNT_OF(no_type), OSDEAR_ERR_CORRUPT, "physical type");
  refuse_elements(no_width, COUNT_OF(no_width), OSDEAR_ERR_CORRUPT, "length");
  refuse_elements(with_nul, COUNT_OF(with_nul), OSDEAR_ERR_CORRUPT, "NUL");
  refuse_elements(no_text, COUNT_OF(no_text), OSDEAR_ERR_CORRUPT, "UTF-8");
  refuse_elements(NULL, 0, OSDEAR_ERR_CORRUPT, "ends inside a group");
}

/* Of the format's groups a list takes two: 100 lists are 201 with the root, and some more are allowed. */
Test(schema, depth_is_bounded)
{
  static osdear__pq_schema_element elements[402];
  SCOPED(arena) arena = { 0 };
  osdear__pq_schema read;

  for (size_t i = 0; i < COUNT_OF(elements); i++)
    elements[i] = (osdear__pq_schema_element)GROUP("g", 1);
  elements[399] = (osdear__pq_schema_element)LEAF("leaf", PQ_INT32);
  cr_assert_eq(osdear__pq_schema_read(elements, 400, &arena, &read, NULL), OSDEAR_OK);
  elements[399] = elements[398];
  elements[400] = (osdear__pq_schema_element)LEAF("leaf", PQ_INT32);
  refuse_elements(elements, 401, OSDEAR_ERR_LIMIT, "nests more than 400");
}
