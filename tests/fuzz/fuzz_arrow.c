/* A stranger's schema and batch made out of any bytes: formats, names, metadata, numbers of buffers and children, lengths, offsets and
 * contents are the input's. What the interface cannot say, how long a buffer is, is kept honest: every buffer is a block of just the
 * size that its array claims to use, so that the sanitizer sees each read past what a check allowed. What is imported must be
 * canonical, and survive being copied. */
#include <arrow/internal.h>

#include <stdlib.h>

#define MOST_CHILDREN 4
#define MOST_BUFFERS 6
#define MOST_DEPTH 5
#define BYTES_BUFFER 256 /* offsets of strings are kept below; those of lists are not, children know their length */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
  const uint8_t *data;
  size_t size;
  int nodes;
} input;

static uint8_t take(input *in)
{
  if (!in->size)
    return 0;
  in->size--;
  return *in->data++;
}

/* Mostly no: the rarer a lie, the farther the rest of the input gets. */
static bool seldom(input *in)
{
  return take(in) >= 0xf0;
}

static void *block(size_t size)
{
  void *made = calloc(1, size ? size : 1);

  if (!made)
    abort();
  return made;
}

/* ---- schemas ---- */

typedef struct schema_node {
  struct ArrowSchema schema;
  struct ArrowSchema *children[MOST_CHILDREN];
  char format[24];
  char name[4];
} schema_node;

static void release_schema(struct ArrowSchema *schema)
{
  for (int64_t i = 0; i < schema->n_children; i++) {
    schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  if (schema->dictionary) {
    schema->dictionary->release(schema->dictionary);
    free(schema->dictionary);
  }
  free((void *)(uintptr_t)schema->metadata);
  schema->release = NULL;
}

static const char *const formats[] = {
  "n",   "b",    "c",       "C",  "s",  "S",     "i",        "I",         "l",          "L",   "e",   "f",   "g",     "z",
  "Z",   "vz",   "u",       "U",  "vu", "d:5,2", "d:9,0,32", "d:18,2,64", "d:50,3,256", "w:3", "w:0", "tdD", "tdm",   "tts",
  "ttn", "tss:", "tsn:UTC", "+l", "+L", "+vl",   "+vL",      "+w:2",      "+w:0",       "+s",  "+m",  "+r",  "+us:0", "tDs",
};

static const char *metadata_of(input *in)
{
  static const char key[] = "ARROW:extension:name";
  static const char *const names[] = { "arrow.parquet.variant", "arrow.uuid", "" };
  const char *name = names[take(in) % COUNT_OF(names)];
  int32_t sizes[] = { 1, (int32_t)sizeof key - 1, (int32_t)strlen(name) };
  char *bytes = block(12 + sizeof key + strlen(name));

  memcpy(bytes, sizes, 8);
  memcpy(bytes + 8, key, sizeof key - 1);
  memcpy(bytes + 8 + sizeof key - 1, &sizes[2], 4);
  memcpy(bytes + 12 + sizeof key - 1, name, strlen(name));
  return bytes;
}

static int64_t children_of(input *in, const char *format)
{
  if (seldom(in))
    return take(in) % (MOST_CHILDREN + 1);
  if (strcmp(format, "+s") == 0)
    return take(in) % (MOST_CHILDREN + 1);
  if (strcmp(format, "+r") == 0)
    return 2;
  return format[0] == '+';
}

static struct ArrowSchema *make_schema(input *in, const char *forced, int depth)
{
  schema_node *node = block(sizeof *node);
  struct ArrowSchema *schema = &node->schema;
  const char *format = forced ? forced : formats[take(in) % COUNT_OF(formats)];

  if (depth >= MOST_DEPTH || ++in->nodes > 40)
    format = "i";
  memcpy(node->format, format, strlen(format));
  if (!forced && seldom(in))
    for (size_t i = 0; i < sizeof node->format - 1; i++)
      node->format[i] = (char)take(in);
  for (size_t i = 0; i < sizeof node->name - 1; i++)
    node->name[i] = (char)take(in);
  if (depth && strcmp(format, "+s") == 0 && (take(in) & 3) == 0)
    schema->metadata = metadata_of(in);
  schema->format = node->format;
  schema->name = node->name;
  schema->flags = take(in);
  schema->children = node->children;
  schema->release = release_schema;
  int64_t count = depth >= MOST_DEPTH ? 0 : children_of(in, format);
  for (int64_t i = 0; i < count; i++) {
    const char *child = strcmp(format, "+m") == 0 ? "+s" : strcmp(format, "+r") == 0 && i == 0 ? "i" : NULL;

    node->children[i] = make_schema(in, seldom(in) ? NULL : child, depth + 1);
    schema->n_children = i + 1;
  }
  if (depth && depth < MOST_DEPTH && format[1] == '\0' && strchr("cCsSiIlL", format[0]) && (take(in) & 3) == 0)
    schema->dictionary = make_schema(in, NULL, depth + 1);
  return schema;
}

/* ---- arrays ---- */

typedef struct array_node {
  struct ArrowArray array; /* first: what is freed by its address */
  struct ArrowArray *children[MOST_CHILDREN];
  const void *buffers[MOST_BUFFERS];
  void *blocks[MOST_BUFFERS];
} array_node;

static void release_array(struct ArrowArray *array)
{
  array_node *node = array->private_data;

  for (size_t i = 0; i < MOST_CHILDREN; i++)
    if (node->children[i]) {
      if (node->children[i]->release)
        node->children[i]->release(node->children[i]);
      free(node->children[i]);
    }
  if (array->dictionary) {
    array->dictionary->release(array->dictionary);
    free(array->dictionary);
  }
  for (size_t i = 0; i < MOST_BUFFERS; i++)
    free(node->blocks[i]);
  array->release = NULL;
  if (array != &node->array) /* the root was moved; a child is freed by its parent */
    free(node);
}

static void random_bytes(input *in, void *out, size_t size)
{
  uint8_t *bytes = out;

  for (size_t i = 0; i < size; i++)
    bytes[i] = take(in);
}

/* Small numbers, mostly ascending, of either width; never past the buffer of bytes. */
static void random_offsets(input *in, void *out, size_t count, size_t width)
{
  int64_t value = 0;

  for (size_t i = 0; i < count; i++) {
    value = seldom(in) ? (int8_t)take(in) : value + (take(in) & 3);
    if (value > BYTES_BUFFER)
      value = BYTES_BUFFER;
    memcpy((char *)out + i * width, &value, width);
  }
}

static void put(array_node *node, input *in, int64_t index, size_t size)
{
  if (seldom(in))
    return;
  node->blocks[index] = block(size);
  random_bytes(in, node->blocks[index], size);
  node->buffers[index] = node->blocks[index];
}

static void put_offsets(array_node *node, input *in, int64_t index, size_t count, size_t width)
{
  if (seldom(in))
    return;
  node->blocks[index] = block(count * width);
  random_offsets(in, node->blocks[index], count, width);
  node->buffers[index] = node->blocks[index];
}

/* Two buffers of bytes, and how long they are: the truth, less, or something negative. */
static void put_views(array_node *node, input *in, size_t rows)
{
  int64_t sizes[2] = { 20, BYTES_BUFFER };
  char *views;

  put(node, in, 1, rows * 16);
  views = node->blocks[1];
  for (size_t i = 0; views && i < rows; i++) {
    int32_t fields[4] = { take(in) % 24, 0, (int8_t)take(in) % 3, take(in) % 64 };

    if (!seldom(in)) {
      memcpy(views + i * 16, &fields[0], 4);
      if (fields[0] > 12)
        memcpy(views + i * 16 + 8, &fields[2], 8);
    }
  }
  put(node, in, 2, 20);
  put(node, in, 3, BYTES_BUFFER);
  if (seldom(in))
    sizes[take(in) & 1] = (int8_t)take(in) % 20;
  node->blocks[4] = block(sizeof sizes);
  memcpy(node->blocks[4], sizes, sizeof sizes);
  node->buffers[4] = node->blocks[4];
  node->array.n_buffers = 5;
}

static void put_buffers(array_node *node, input *in, const osdear__format *format, size_t rows)
{
  node->array.n_buffers = 2;
  if (format->layout != LAYOUT_NULL && format->layout != LAYOUT_RUNS && (take(in) & 1))
    put(node, in, 0, osdear__bits_size((int64_t)rows));
  switch (format->layout) {
  case LAYOUT_NULL:
  case LAYOUT_RUNS: node->array.n_buffers = 0; break;
  case LAYOUT_BITS: put(node, in, 1, osdear__bits_size((int64_t)rows)); break;
  case LAYOUT_FIXED: put(node, in, 1, rows * (size_t)format->width); break;
  case LAYOUT_BYTES:
  case LAYOUT_BYTES_LARGE:
    put_offsets(node, in, 1, rows + 1, format->layout == LAYOUT_BYTES ? 4 : 8);
    put(node, in, 2, BYTES_BUFFER);
    node->array.n_buffers = 3;
    break;
  case LAYOUT_VIEWS: put_views(node, in, rows); break;
  case LAYOUT_LIST:
  case LAYOUT_MAP:
  case LAYOUT_LIST_LARGE: put_offsets(node, in, 1, rows + 1, format->layout == LAYOUT_LIST_LARGE ? 8 : 4); break;
  case LAYOUT_LIST_VIEW:
  case LAYOUT_LIST_VIEW_LARGE:
    put_offsets(node, in, 1, rows, format->layout == LAYOUT_LIST_VIEW ? 4 : 8);
    put_offsets(node, in, 2, rows, format->layout == LAYOUT_LIST_VIEW ? 4 : 8);
    node->array.n_buffers = 3;
    break;
  default: node->array.n_buffers = 1;
  }
}

static struct ArrowArray *make_array(input *in, const struct ArrowSchema *schema, int64_t wanted)
{
  array_node *node = block(sizeof *node);
  struct ArrowArray *array = &node->array;
  osdear__format format;
  int64_t rows;

  array->length = seldom(in) ? take(in) % 40 : wanted;
  array->offset = take(in) & 1 ? take(in) % 10 : 0;
  rows = array->length + array->offset;
  array->null_count = seldom(in) ? (int8_t)take(in) : take(in) & 1 ? 0 : -1;
  if (!osdear__format_parse(schema->format, &format))
    abort();
  put_buffers(node, in, &format, (size_t)rows);
  for (int64_t i = 0; i < schema->n_children; i++) {
    int64_t needed = format.layout == LAYOUT_LIST_FIXED ? rows * format.width
                     : format.layout == LAYOUT_STRUCT   ? rows
                                                        : take(in) % 40;

    node->children[i] = make_array(in, schema->children[i], needed);
  }
  array->n_children = seldom(in) ? take(in) % MOST_CHILDREN : schema->n_children;
  if (schema->dictionary)
    array->dictionary = make_array(in, schema->dictionary, take(in) % 20);
  if (seldom(in))
    array->n_buffers = take(in) % MOST_BUFFERS;
  if (seldom(in)) /* after its buffers were made: nothing may be read for such lengths */
    array->length = (int64_t)((uint64_t)take(in) << 56);
  if (seldom(in))
    array->offset = (int64_t)((uint64_t)take(in) << 56);
  array->buffers = node->buffers;
  array->children = node->children;
  array->release = release_array;
  array->private_data = node;
  return array;
}

/* ---- what came of it ---- */

static void check(const osdear__type *type, const struct ArrowArray *array)
{
  int64_t nulls = type->kind == KIND_VOID ? array->length : 0;
  bool is_nested = osdear__child_count(type) > 0 || type->kind == KIND_STRUCT;

  for (int64_t i = 0; i < array->length; i++) {
    osdear__scalar value;

    if (type->kind != KIND_VOID)
      nulls += !osdear__is_valid(array, i);
    if (is_nested)
      continue;
    osdear__scalar_at(type, array, i, &value);
    if (!value.is_null && value.kind == KIND_STRING && !osdear__utf8_is_valid(value.bytes.data, value.bytes.size))
      abort();
  }
  if (array->null_count != nulls || array->offset)
    abort();
  for (int64_t i = 0; i < array->n_children; i++) {
    osdear__type child = osdear__child_type(type, i);
    int64_t length = osdear__kind_has_offsets(type->kind) ? ((const int32_t *)array->buffers[1])[array->length] : array->length;

    if (array->children[i]->length != length)
      abort();
    check(&child, array->children[i]);
  }
}

static void copy(const osdear__type *type, const struct ArrowArray *array)
{
  int32_t *rows = block(((size_t)array->length + 1) * sizeof *rows);
  struct ArrowArray parts[2] = { { 0 } };
  SCOPED(array) joined = { 0 };

  for (int64_t i = 0; i < array->length; i++)
    rows[i] = (int32_t)((i * 7) % (array->length + 1)) - 1;
  if (osdear__array_take(type, array, rows, array->length, &parts[0], NULL) ||
      osdear__array_slice(type, array, array->length / 3, array->length / 2, &parts[1], NULL) ||
      osdear__array_concat(type, parts, 2, &joined, NULL))
    abort();
  check(type, &joined);
  osdear__array_drop(&parts[0]);
  osdear__array_drop(&parts[1]);
  free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  input in = { data, size, 0 };
  SCOPED(arena) arena = { 0 };
  struct ArrowSchema *schema = make_schema(&in, "+s", 0);
  osdear_error *error = NULL;
  osdear__type type;
  osdear_status st = osdear__schema_import(schema, &arena, &type, &error);

  if (!st) {
    struct ArrowArray *made = make_array(&in, schema, take(&in) % 40);
    struct ArrowArray moved = *made;
    SCOPED(array) array = { 0 };

    st = osdear__array_import(schema, &type, &moved, &array, &error);
    if (moved.release)
      abort();
    if (!st) {
      check(&type, &array);
      copy(&type, &array);
    }
  }
  if (!st != !error || osdear_error_status(error) == OSDEAR_ERR_INTERNAL)
    abort();
  osdear_error_free(error);
  schema->release(schema);
  free(schema);
  return 0;
}
