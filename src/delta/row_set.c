/** @file row_set.c Roaring bitmaps of 64-bit row numbers: https://github.com/RoaringBitmap/RoaringFormatSpec, and the two ways in which
 * Delta strings 32-bit ones together. They stay as they were stored: a scan asks for one stretch of rows after the other, so a table of
 * where each container lies is all that is built. */
#include <delta/row_set.h>

#define MAGIC_PORTABLE UINT32_C(1681511377)
#define MAGIC_NATIVE UINT32_C(1681511376)         /* of Delta's first versions */
#define MAGIC_NATIVE_SWAPPED UINT32_C(0xd0d33964) /* the same by a writer of big-endian numbers: the protocol's own example */
#define COOKIE_PLAIN 12346
#define COOKIE_RUNS 12347
#define OFFSETS_FROM 4 /* with runs: fewer containers have no table of offsets */
#define ARRAY_MOST 4096
#define BITMAP_BYTES 8192
#define CONTAINER_ROWS 65536

typedef enum container_kind { CONTAINER_ARRAY, CONTAINER_BITMAP, CONTAINER_RUNS } container_kind;

typedef struct container {
  int64_t base;  /* the first row it can hold */
  int32_t count; /* of rows in it, 1 to CONTAINER_ROWS */
  container_kind kind;
  const uint8_t *data; /* CONTAINER_RUNS: behind their number */
  int32_t run_count;
} container;

struct osdear__row_set {
  char *data;
  container *containers; /* ascending */
  size_t count, room;
  int64_t rows;
};

/* ---- reading ---- */

typedef struct reading {
  const uint8_t *start, *at, *end;
  osdear__row_set *set;
} reading;

static osdear_status fail_at(const reading *in, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "byte %td of the bitmap: %s", in->at - in->start, what);
}

static osdear_status take(reading *in, size_t size, const uint8_t **out, osdear_error **error)
{
  if ((size_t)(in->end - in->at) < size)
    return fail_at(in, "it ends too early", error);
  *out = in->at;
  in->at += size;
  return OSDEAR_OK;
}

static osdear_status take_u32(reading *in, uint32_t *out, osdear_error **error)
{
  const uint8_t *at;
  osdear_status st = take(in, sizeof *out, &at, error);

  if (!st)
    *out = osdear__load_u32(at);
  return st;
}

static uint32_t load_u16(const uint8_t *at)
{
  return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static osdear_status read_array(reading *in, container *out, osdear_error **error)
{
  osdear_status st = take(in, (size_t)out->count * 2, &out->data, error);

  for (int32_t i = 1; i < out->count && !st; i++)
    if (load_u16(out->data + 2 * i) <= load_u16(out->data + 2 * i - 2))
      st = fail_at(in, "the rows of an array do not ascend", error);
  return st;
}

static osdear_status read_bitmap(reading *in, container *out, osdear_error **error)
{
  int32_t count = 0;
  osdear_status st = take(in, BITMAP_BYTES, &out->data, error);

  if (st)
    return st;
  for (size_t i = 0; i < BITMAP_BYTES; i += 8)
    count += __builtin_popcountll(osdear__load_u64(out->data + i));
  return count == out->count ? OSDEAR_OK : fail_at(in, "a bitmap has not as many rows as its header says", error);
}

static osdear_status read_runs(reading *in, container *out, osdear_error **error)
{
  const uint8_t *at;
  int64_t next = 0, count = 0;
  osdear_status st = take(in, 2, &at, error);

  if (st)
    return st;
  out->run_count = (int32_t)load_u16(at);
  st = take(in, (size_t)out->run_count * 4, &out->data, error);
  if (st)
    return st;
  for (int32_t i = 0; i < out->run_count; i++) {
    int64_t first = load_u16(out->data + 4 * i), last = first + load_u16(out->data + 4 * i + 2);
    if (first < next || last >= CONTAINER_ROWS)
      return fail_at(in, "runs overlap, or reach beyond their container", error);
    next = last + 1;
    count += last - first + 1;
  }
  return count == out->count ? OSDEAR_OK : fail_at(in, "runs have not as many rows as their header says", error);
}

static osdear_status add_container(reading *in, const container *c, osdear_error **error)
{
  osdear__row_set *set = in->set;

  if (set->count == set->room) {
    size_t room = set->room ? set->room * 2 : 16;
    container *grown = osdear__realloc_array(set->containers, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    set->containers = grown;
    set->room = room;
  }
  set->containers[set->count++] = *c;
  set->rows += c->count;
  return OSDEAR_OK;
}

/* What stands before the containers of a bitmap. */
typedef struct header {
  size_t count;
  const uint8_t *run_flags; /* NULL: no container has runs */
  const uint8_t *keys;      /* of each container its key, and its number of rows less one */
} header;

static osdear_status read_header(reading *in, header *out, osdear_error **error)
{
  const uint8_t *offsets;
  uint32_t cookie, count;
  osdear_status st = take_u32(in, &cookie, error);

  *out = (header){ 0 };
  if (st)
    return st;
  if ((cookie & 0xffff) == COOKIE_RUNS) {
    out->count = (cookie >> 16) + 1;
    st = take(in, (out->count + 7) / 8, &out->run_flags, error);
  } else if (cookie == COOKIE_PLAIN) {
    st = take_u32(in, &count, error);
    if (!st && count > CONTAINER_ROWS)
      st = fail_at(in, "it has more than 65536 containers", error);
    out->count = st ? 0 : count;
  } else {
    st = fail_at(in, "no roaring bitmap starts like this", error);
  }
  if (!st)
    st = take(in, out->count * 4, &out->keys, error);
  /* The containers follow each other in any case, so where they start need not be looked up. */
  if (!st && (!out->run_flags || out->count >= OFFSETS_FROM))
    st = take(in, out->count * 4, &offsets, error);
  return st;
}

static osdear_status read_bitmap32(reading *in, int64_t base, osdear_error **error)
{
  header head;
  osdear_status st = read_header(in, &head, error);

  for (size_t i = 0; i < head.count && !st; i++) {
    uint32_t key = load_u16(head.keys + 4 * i);
    container c = { .base = base + (int64_t)key * CONTAINER_ROWS, .count = (int32_t)load_u16(head.keys + 4 * i + 2) + 1 };
    if (i > 0 && key <= load_u16(head.keys + 4 * i - 4))
      return fail_at(in, "containers do not ascend", error);
    if (head.run_flags && head.run_flags[i / 8] >> (i % 8) & 1)
      c.kind = CONTAINER_RUNS;
    else
      c.kind = c.count > ARRAY_MOST ? CONTAINER_BITMAP : CONTAINER_ARRAY;
    st = c.kind == CONTAINER_RUNS     ? read_runs(in, &c, error)
         : c.kind == CONTAINER_BITMAP ? read_bitmap(in, &c, error)
                                      : read_array(in, &c, error);
    if (!st)
      st = add_container(in, &c, error);
  }
  return st;
}

static osdear_status read_portable(reading *in, osdear_error **error)
{
  const uint8_t *at;
  uint64_t count;
  int64_t previous = -1;
  osdear_status st = take(in, sizeof count, &at, error);

  if (st)
    return st;
  count = osdear__load_u64(at);
  for (uint64_t i = 0; i < count && !st; i++) {
    uint32_t key = 0;
    st = take_u32(in, &key, error);
    if (!st && (key > INT32_MAX || (int64_t)key <= previous))
      st = fail_at(in, "the keys of its bitmaps do not ascend below 2147483648", error);
    previous = key;
    if (!st)
      st = read_bitmap32(in, (int64_t)key << 32, error);
  }
  return st;
}

static osdear_status take_native(reading *in, bool is_swapped, uint32_t *out, osdear_error **error)
{
  osdear_status st = take_u32(in, out, error);

  if (!st && is_swapped)
    *out = __builtin_bswap32(*out);
  return st;
}

/* The place of a bitmap is its key, and each says how long it is. Bitmaps themselves are little-endian in any case. */
static osdear_status read_native(reading *in, bool is_swapped, osdear_error **error)
{
  uint32_t count, size;
  osdear_status st = take_native(in, is_swapped, &count, error);

  if (!st && count > INT32_MAX)
    st = fail_at(in, "it has a negative number of bitmaps", error);
  for (uint32_t i = 0; !st && i < count; i++) {
    const uint8_t *from;
    st = take_native(in, is_swapped, &size, error);
    from = in->at;
    if (!st)
      st = read_bitmap32(in, (int64_t)i << 32, error);
    if (!st && (size_t)(in->at - from) != size)
      st = fail_at(in, "a bitmap is not as long as is said before it", error);
  }
  return st;
}

static osdear_status read_set(reading *in, osdear_error **error)
{
  uint32_t magic;
  osdear_status st = take_u32(in, &magic, error);

  if (st)
    return st;
  if (magic == MAGIC_PORTABLE)
    st = read_portable(in, error);
  else if (magic == MAGIC_NATIVE || magic == MAGIC_NATIVE_SWAPPED)
    st = read_native(in, magic == MAGIC_NATIVE_SWAPPED, error);
  else
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "no deletion vector starts with the number %" PRIu32, magic);
  if (!st && in->at != in->end)
    st = fail_at(in, "something follows its end", error);
  return st;
}

osdear_status osdear__row_set_open(char *data, size_t size, osdear__row_set **out, osdear_error **error)
{
  osdear__row_set *set = osdear__alloc_zeroed(1, sizeof *set);
  reading in = { .start = (const uint8_t *)data, .at = (const uint8_t *)data, .end = (const uint8_t *)data + size, .set = set };
  osdear_status st;

  if (!set) {
    osdear__free(data);
    return osdear__fail_memory(error);
  }
  set->data = data;
  st = read_set(&in, error);
  if (st)
    osdear__row_set_free(set);
  else
    *out = set;
  return st;
}

void osdear__row_set_free(osdear__row_set *set)
{
  if (!set)
    return;
  osdear__free(set->containers);
  osdear__free(set->data);
  osdear__free(set);
}

void osdear__row_set_auto(osdear__row_set **set)
{
  osdear__row_set_free(*set);
  *set = NULL;
}

/* ---- asking ---- */

int64_t osdear__row_set_count(const osdear__row_set *set)
{
  return set->rows;
}

/* The first container that may hold `row` or a later one. */
static size_t find_container(const osdear__row_set *set, int64_t row)
{
  size_t low = 0, high = set->count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (set->containers[middle].base + CONTAINER_ROWS <= row)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Each stretch of rows of a container that lies within [from, to), which count from the container's base. */
typedef void (*on_stretch)(void *argument, int64_t first, int64_t count);

static int32_t array_from(const container *c, int64_t from)
{
  int32_t low = 0, high = c->count;

  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (load_u16(c->data + 2 * middle) < from)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void visit_bitmap(const container *c, int64_t from, int64_t to, on_stretch visit, void *argument)
{
  for (int64_t word = from / 64; word * 64 < to; word++) {
    uint64_t bits = osdear__load_u64(c->data + word * 8);
    while (bits) {
      int64_t row = word * 64 + __builtin_ctzll(bits);
      bits &= bits - 1;
      if (row >= from && row < to)
        visit(argument, c->base + row, 1);
    }
  }
}

static void visit_container(const container *c, int64_t from, int64_t to, on_stretch visit, void *argument)
{
  if (c->kind == CONTAINER_BITMAP) {
    visit_bitmap(c, from, to, visit, argument);
  } else if (c->kind == CONTAINER_ARRAY) {
    for (int32_t i = array_from(c, from); i < c->count && load_u16(c->data + 2 * i) < to; i++)
      visit(argument, c->base + load_u16(c->data + 2 * i), 1);
  } else {
    for (int32_t i = 0; i < c->run_count; i++) {
      int64_t first = load_u16(c->data + 4 * i), end = first + load_u16(c->data + 4 * i + 2) + 1;
      first = first > from ? first : from;
      end = end < to ? end : to;
      if (first < end)
        visit(argument, c->base + first, end - first);
    }
  }
}

static void visit_within(const osdear__row_set *set, int64_t from, int64_t to, on_stretch visit, void *argument)
{
  for (size_t i = find_container(set, from); i < set->count && set->containers[i].base < to; i++) {
    const container *c = &set->containers[i];
    int64_t first = from > c->base ? from - c->base : 0, end = to - c->base < CONTAINER_ROWS ? to - c->base : CONTAINER_ROWS;
    visit_container(c, first, end, visit, argument);
  }
}

static void add_up(void *argument, int64_t first, int64_t count)
{
  (void)first;
  *(int64_t *)argument += count;
}

int64_t osdear__row_set_count_within(const osdear__row_set *set, int64_t from, int64_t to)
{
  int64_t count = 0;

  visit_within(set, from, to, add_up, &count);
  return count;
}

static void keep_last(void *argument, int64_t first, int64_t count)
{
  *(int64_t *)argument = first + count - 1;
}

int64_t osdear__row_set_last(const osdear__row_set *set)
{
  int64_t last = -1;

  if (set->count)
    visit_container(&set->containers[set->count - 1], 0, CONTAINER_ROWS, keep_last, &last);
  return last;
}

typedef struct marking {
  int64_t from;
  uint8_t *marks;
} marking;

static void mark(void *argument, int64_t first, int64_t count)
{
  const marking *to = argument;

  memset(to->marks + (first - to->from), 1, (size_t)count);
}

void osdear__row_set_mark(const osdear__row_set *set, int64_t from, int64_t count, uint8_t *marks)
{
  marking to = { from, marks };

  visit_within(set, from, from + count, mark, &to);
}
