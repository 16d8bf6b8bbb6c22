/* Every allocation fails once and from then on: nothing is leaked, and nothing of the stranger's is kept. */
#include "stranger.h"

#include <criterion/criterion.h>

#ifdef OSDEAR_FAULTS

TestSuite(memory, .fini = check_released, .timeout = 60);

typedef osdear_status (*body)(osdear_error **error);

static void replay(body run)
{
  for (int once = 0; once < 2; once++) {
    osdear_status st = OSDEAR_ERR_NO_MEMORY;
    int64_t n = 0;

    for (; st; n++) {
      osdear_error *error = NULL;
      int64_t live = osdear__live();

      cr_assert_lt(n, 10000);
      osdear__fault_arm(FAULT_ALLOC, n, once);
      st = run(&error);
      osdear__fault_disarm();
      cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
      cr_assert_eq(osdear_error_status(error), st);
      osdear_error_free(error);
      cr_assert_eq(osdear__live(), live, "leak when allocation %" PRId64 " fails", n);
      cr_assert_eq(stranger_held(), 0);
    }
    cr_assert_gt(n, 1, "no allocation was made to fail");
  }
}

/* A batch that takes every way through the import: all layouts, shifted, with nulls. */
static stranger all_layouts(void)
{
  static const char text[] = "0123456789abcdef0123456789abcdef";
  stranger root = stranger_new("+s", "", 3);
  stranger columns[] = {
    stranger_new("l", "long", 3),   stranger_new("tsn:UTC", "ts", 3), stranger_new("d:9,2,32", "dec", 3),
    stranger_new("b", "bool", 3),   stranger_new("U", "text", 3),     stranger_new("vu", "view", 3),
    stranger_new("+vl", "list", 3), stranger_new("+m", "map", 3),     stranger_new("c", "dict", 3),
    stranger_new("+r", "runs", 3),  stranger_new("n", "void", 9),
  };
  stranger entries = stranger_new("+s", "", 3);
  stranger element = stranger_new("i", "", 3);
  stranger keys = stranger_new("u", "", 3);
  stranger values = stranger_new("u", "", 3);
  stranger ends = stranger_new("i", "", 2);
  stranger run_values = stranger_new("l", "", 2);

  for (size_t i = 0; i < 9; i++) {
    columns[i].array->offset = 1;
    PUT(columns[i], 0, uint8_t, 0x0a);
    stranger_put(columns[i], 1, (char[64]){ 0 }, 64);
  }
  stranger_put(columns[4], 2, text, sizeof text);
  stranger_buffers(columns[5], 3);
  PUT(columns[6], 1, int32_t, 0, 2, 0, 0);
  PUT(columns[6], 2, int32_t, 0, 1, 0, 2);
  PUT(columns[7], 1, int32_t, 0, 0, 1, 2, 3);
  PUT(element, 1, int32_t, 1, 2, 3);
  PUT(keys, 1, int32_t, 0, 1, 2, 3);
  stranger_put(keys, 2, text, 3);
  PUT(values, 1, int32_t, 0, 1, 2, 3);
  stranger_put(values, 2, text, 3);
  PUT(ends, 1, int32_t, 1, 3);
  PUT(run_values, 1, int64_t, 5, 6);
  stranger_child(columns[6], element);
  stranger_child(entries, keys);
  stranger_child(entries, stranger_new("n", "", 3));
  stranger_child(columns[7], entries);
  stranger_dictionary(columns[8], values);
  stranger_child(columns[9], ends);
  stranger_child(columns[9], run_values);
  for (size_t i = 0; i < 8; i++)
    stranger_child(root, columns[i]);
  stranger more = stranger_new("+s", "more", 3);
  for (size_t i = 8; i < COUNT_OF(columns); i++)
    stranger_child(more, columns[i]);
  stranger outer = stranger_new("+s", "", 3);
  root.schema->name = "first";
  stranger_child(outer, root);
  stranger_child(outer, more);
  return outer;
}

static osdear_status import(osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(array) array = { 0 };
  osdear__type type;

  return stranger_import(all_layouts(), &arena, &type, &array, error);
}

Test(memory, importing)
{
  replay(import);
}

static osdear_status rearrange(osdear_error **error)
{
  static const int32_t rows[] = { 2, -1, 0, 0, 1 };
  SCOPED(arena) arena = { 0 };
  SCOPED(array) array = { 0 };
  SCOPED(array) taken = { 0 };
  SCOPED(array) joined = { 0 };
  SCOPED(array) sliced = { 0 };
  struct ArrowArray parts[2];
  osdear__type type;
  osdear_status st = stranger_import(all_layouts(), &arena, &type, &array, error);

  if (!st)
    st = osdear__array_take(&type, &array, rows, COUNT_OF(rows), &taken, error);
  if (!st) {
    parts[0] = array;
    parts[1] = taken;
    st = osdear__array_concat(&type, parts, 2, &joined, error);
  }
  if (!st)
    st = osdear__array_slice(&type, &joined, 1, 5, &sliced, error);
  osdear__array_drop(&joined);
  return st ? st : osdear__array_nulls(&type, 3, &joined, error);
}

Test(memory, taking_joining_and_slicing)
{
  replay(rearrange);
}

static osdear__field cast_from[] = {
  { .name = "a", .type = { .kind = KIND_BYTE } },
  { .name = "f", .type = { .kind = KIND_FIXED, .width = 2 } },
  { .name = "l",
    .type = { .kind = KIND_ARRAY,
              .field_count = 1,
              .fields = (osdear__field[]){ { .name = "element", .type = { .kind = KIND_DATE } } } } },
  { .name = "m",
    .type = { .kind = KIND_MAP,
              .field_count = 2,
              .fields = (osdear__field[]){ { .name = "key", .type = { .kind = KIND_STRING } },
                                           { .name = "value", .type = { .kind = KIND_BOOLEAN } } } } },
};
static osdear__field cast_to[] = {
  { .name = "a", .type = { .kind = KIND_LONG } },
  { .name = "f", .type = { .kind = KIND_BINARY } },
  { .name = "l",
    .type = { .kind = KIND_ARRAY,
              .field_count = 1,
              .fields = (osdear__field[]){ { .name = "element", .type = { .kind = KIND_TIMESTAMP_NTZ } } } } },
  { .name = "n", .type = { .kind = KIND_STRING } },
};
static const osdear__type from_type = { .kind = KIND_STRUCT, .field_count = 4, .fields = cast_from };
static const osdear__type to_type = { .kind = KIND_STRUCT, .field_count = 4, .fields = cast_to };

static osdear_status fill(osdear__builder *builder, osdear_error **error)
{
  osdear__builder *list = osdear__builder_child(builder, 2);
  osdear__builder *map = osdear__builder_child(builder, 3);
  osdear_status st = osdear__builder_i64(osdear__builder_child(builder, 0), 1, error);

  if (!st)
    st = osdear__builder_bytes(osdear__builder_child(builder, 1), STR("ab"), error);
  if (!st)
    st = osdear__builder_i64(osdear__builder_child(list, 0), 1, error);
  if (!st)
    st = osdear__builder_close(list, error);
  if (!st)
    st = osdear__builder_bytes(osdear__builder_child(map, 0), STR("key"), error);
  if (!st)
    st = osdear__builder_i64(osdear__builder_child(map, 1), 1, error);
  if (!st)
    st = osdear__builder_close(map, error);
  return st ? st : osdear__builder_close(builder, error);
}

static osdear_status build_and_cast(osdear_error **error)
{
  AUTO(builder) builder = NULL;
  SCOPED(array) array = { 0 };
  SCOPED(array) out = { 0 };
  osdear_status st = osdear__builder_new(&from_type, &builder, error);

  for (int i = 0; !st && i < 70; i++)
    st = i % 7 ? fill(builder, error) : osdear__builder_null(builder, error);
  if (!st)
    st = osdear__builder_finish(builder, &array, error);
  return st ? st : osdear__array_cast(&from_type, &array, &to_type, &out, error);
}

Test(memory, building_and_casting)
{
  replay(build_and_cast);
}

static osdear_status cannot_cast(osdear_error **error)
{
  osdear__type text = { .kind = KIND_STRING };
  SCOPED(array) array = { 0 };
  SCOPED(array) out = { 0 };
  osdear_status st = osdear__array_nulls(&from_type, 1, &array, error);

  if (st)
    return st;
  st = osdear__array_cast(&from_type, &array, &text, &out, error);
  if (st == OSDEAR_ERR_UNSUPPORTED) {
    osdear_error_free(*error);
    *error = NULL;
    return OSDEAR_OK;
  }
  return st;
}

Test(memory, saying_what_cannot_be_cast)
{
  replay(cannot_cast);
}

static osdear_status repeat(osdear_error **error)
{
  osdear__scalar value = { .kind = KIND_STRING, .bytes = STR("abc") };
  osdear__type type = { .kind = KIND_STRING };
  SCOPED(array) array = { 0 };

  return osdear__array_repeat(&type, &value, 3, &array, error);
}

Test(memory, repeating)
{
  replay(repeat);
}

typedef struct once {
  struct ArrowArray array;
} once;

static osdear_status next(void *state, struct ArrowArray *out, osdear_error **error)
{
  once *one = state;

  (void)error;
  *out = one->array;
  one->array.release = NULL;
  return OSDEAR_OK;
}

static void close_once(void *state)
{
  osdear__array_drop(&((once *)state)->array);
}

/* Out of one of our streams into a reader. */
static osdear_status stream(osdear_error **error)
{
  once state = { .array = { 0 } };
  struct ArrowArrayStream exported = { 0 };
  AUTO(reader) reader = NULL;
  SCOPED(array) array = { 0 };
  osdear_status st = osdear__array_new(&to_type, 2, false, 0, &state.array, error);

  if (!st)
    st = osdear__stream_export(&to_type, next, close_once, &state, &exported, error);
  if (!st)
    st = osdear__reader_new(&exported, &reader, error);
  if (!st)
    st = osdear__reader_next(reader, &array, error);
  return st;
}

Test(memory, streams)
{
  replay(stream);
}

#endif
