/** @file array.c Arrays of our own: how they hold their buffers and children, and how they are made. */
#include <stdatomic.h>

#include <arrow/internal.h>

#define BUFFER_PADDING 8
#define MAX_BUFFERS 3

struct osdear__lender {
  atomic_size_t references;
  struct ArrowArray array;
};

/* The private_data of our arrays. The structs of the children follow the pointers to them in the same block: a child that was
 * moved out takes its own holder along, so the parent may go first. */
typedef struct holder {
  const void *buffers[MAX_BUFFERS];
  void *owned[MAX_BUFFERS]; /* to be freed; NULL where a buffer is absent or lent */
  osdear__lender *lender;
  struct ArrowArray *children[];
} holder;

/* ---- lenders ---- */

osdear_status osdear__lender_new(struct ArrowArray *array, osdear__lender **out, osdear_error **error)
{
  osdear__lender *lender = osdear__alloc(sizeof *lender);

  if (!lender) {
    osdear__array_drop(array);
    return osdear__fail_memory(error);
  }
  atomic_init(&lender->references, 1);
  osdear__array_move(array, &lender->array);
  *out = lender;
  return OSDEAR_OK;
}

const struct ArrowArray *osdear__lender_array(const osdear__lender *lender)
{
  return &lender->array;
}

static osdear__lender *lender_ref(osdear__lender *lender)
{
  if (lender)
    atomic_fetch_add_explicit(&lender->references, 1, memory_order_relaxed);
  return lender;
}

void osdear__lender_auto(osdear__lender **lender)
{
  osdear__lender *mine = *lender;

  *lender = NULL;
  if (!mine || atomic_fetch_sub_explicit(&mine->references, 1, memory_order_acq_rel) != 1)
    return;
  osdear__array_drop(&mine->array);
  osdear__free(mine);
}

/* ---- buffers ---- */

void *osdear__buffer_new(size_t size)
{
  return osdear__buffer_grow(NULL, size);
}

void *osdear__buffer_grow(void *buffer, size_t size)
{
  char *bytes;

  if (size > PTRDIFF_MAX - BUFFER_PADDING)
    return NULL;
  bytes = osdear__realloc(buffer, size + BUFFER_PADDING);
  if (bytes)
    memset(bytes + size, 0, BUFFER_PADDING); /* read, by those who read a word at a time, but never looked at */
  return bytes;
}

/* ---- nodes ---- */

static void release(struct ArrowArray *array)
{
  holder *held = array->private_data;

  for (int64_t i = 0; i < array->n_children; i++)
    osdear__array_drop(held->children[i]);
  for (int i = 0; i < MAX_BUFFERS; i++)
    osdear__free(held->owned[i]);
  osdear__lender_auto(&held->lender);
  osdear__free(held);
  array->release = NULL;
}

static osdear_status node_new(int64_t length, int64_t buffer_count, int64_t child_count, struct ArrowArray *out,
                              osdear_error **error)
{
  int64_t size;
  holder *held;

  if (!osdear__mul_i64(child_count, (int64_t)(sizeof(struct ArrowArray) + sizeof(struct ArrowArray *)), &size) ||
      !osdear__add_i64(size, (int64_t)sizeof *held, &size))
    return osdear__fail_memory(error);
  held = osdear__alloc_zeroed(1, (size_t)size);
  if (!held)
    return osdear__fail_memory(error);

  struct ArrowArray *structs = (struct ArrowArray *)(void *)(held->children + child_count);
  for (int64_t i = 0; i < child_count; i++)
    held->children[i] = &structs[i];
  *out = (struct ArrowArray){
    .length = length,
    .n_buffers = buffer_count,
    .n_children = child_count,
    .buffers = held->buffers,
    .children = child_count ? held->children : NULL,
    .release = release,
    .private_data = held,
  };
  return OSDEAR_OK;
}

osdear_status osdear__array_node(const osdear__type *type, int64_t length, struct ArrowArray *out, osdear_error **error)
{
  osdear_status st = node_new(length, osdear__buffer_count(type), osdear__child_count(type), out, error);

  if (!st && type->kind == KIND_VOID)
    out->null_count = length;
  return st;
}

void osdear__array_own(struct ArrowArray *array, int index, void *buffer)
{
  holder *held = array->private_data;

  osdear__free(held->owned[index]);
  held->owned[index] = buffer;
  held->buffers[index] = buffer;
}

void osdear__array_borrow(struct ArrowArray *array, int index, const void *buffer, osdear__lender *lender)
{
  holder *held = array->private_data;

  held->buffers[index] = buffer;
  if (!held->lender)
    held->lender = lender_ref(lender);
}

void *osdear__array_buffer(struct ArrowArray *array, int index, size_t size)
{
  void *buffer = size > PTRDIFF_MAX - BUFFER_PADDING ? NULL : osdear__alloc_zeroed(1, size + BUFFER_PADDING);

  if (buffer)
    osdear__array_own(array, index, buffer);
  return buffer;
}

void osdear__array_drop(struct ArrowArray *array)
{
  if (array->release)
    array->release(array);
}

/* ---- making them ---- */

static osdear_status new_buffers(const osdear__type *type, int64_t length, bool with_validity, int64_t value_bytes,
                                 struct ArrowArray *array, osdear_error **error)
{
  int64_t width = osdear__kind_has_offsets(type->kind) ? 4 : osdear__type_width(type);
  int64_t size = 0;

  if (with_validity && type->kind != KIND_VOID) {
    if (!osdear__array_buffer(array, 0, osdear__bits_size(length)))
      return osdear__fail_memory(error);
    array->null_count = length;
  }
  if (width < 0)
    return OSDEAR_OK;
  if (type->kind == KIND_BOOLEAN)
    size = (int64_t)osdear__bits_size(length);
  else if (!osdear__mul_i64(length + osdear__kind_has_offsets(type->kind), width, &size))
    return osdear__fail_memory(error);
  if (!osdear__array_buffer(array, 1, (size_t)size))
    return osdear__fail_memory(error);
  if (osdear__kind_has_bytes(type->kind) && !osdear__array_buffer(array, 2, (size_t)value_bytes))
    return osdear__fail_memory(error);
  return OSDEAR_OK;
}

osdear_status osdear__array_new(const osdear__type *type, int64_t length, bool with_validity, int64_t value_bytes,
                                struct ArrowArray *out, osdear_error **error)
{
  SCOPED(array) array = { 0 };
  bool is_struct = type->kind == KIND_STRUCT || type->kind == KIND_VARIANT;
  osdear_status st;

  if (length < 0 || length > OSDEAR__ROWS_MAX || value_bytes < 0)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "an array of %" PRId64 " rows and %" PRId64 " bytes was asked for", length,
                        value_bytes);
  st = osdear__array_node(type, length, &array, error);
  if (st)
    return st;
  st = new_buffers(type, length, with_validity, value_bytes, &array, error);
  for (int64_t i = 0; !st && i < array.n_children; i++) {
    osdear__type child = osdear__child_type(type, i);

    st = osdear__array_new(&child, is_struct ? length : 0, is_struct && with_validity, 0, array.children[i], error);
  }
  if (!st)
    osdear__array_move(&array, out);
  return st;
}

osdear_status osdear__array_adopt(int64_t length, int64_t null_count, void **buffers, int64_t buffer_count,
                                  struct ArrowArray *children, int64_t child_count, struct ArrowArray *out, osdear_error **error)
{
  struct ArrowArray array;
  osdear_status st;

  if (buffer_count < 0 || buffer_count > MAX_BUFFERS)
    st = osdear__fail(error, OSDEAR_ERR_INTERNAL, "an array of %" PRId64 " buffers", buffer_count);
  else
    st = node_new(length, buffer_count, child_count, &array, error);
  if (st) {
    for (int64_t i = 0; i < buffer_count; i++)
      osdear__free(buffers[i]);
    for (int64_t i = 0; i < child_count; i++)
      osdear__array_drop(&children[i]);
    return st;
  }
  array.null_count = null_count;
  for (int i = 0; i < buffer_count; i++)
    osdear__array_own(&array, i, buffers[i]);
  for (int64_t i = 0; i < child_count; i++)
    osdear__array_move(&children[i], array.children[i]);
  *out = array;
  return OSDEAR_OK;
}

/* Zeroed memory already says "null" in every bitmap and "empty" in every offset. */
osdear_status osdear__array_nulls(const osdear__type *type, int64_t length, struct ArrowArray *out, osdear_error **error)
{
  return osdear__array_new(type, length, length > 0, 0, out, error);
}
