/** @file ahead.c Fetching ahead of a reader who goes through ranges of an object: near ones by one request, several requests side by side.
 *
 * The bucket's own thread moves the bytes while the reader decodes. Ranges that fit the memory come as they are, with what lies between near
 * ones. Others come in pieces, each range by itself: the piece at hand and the next one, as large as the range's share of the whole, so that a
 * reader of columns uses all of them up at the same time. */
#include <store/s3/range.h>

#include <stdlib.h>

#define NEAR_BYTES ((int64_t)256 << 10) /* a gap that is fetched sooner than a further request is answered */
#define LEAST_PIECE ((int64_t)64 << 10)

typedef struct piece {
  osdear__s3_order order;
  int64_t offset;
  size_t size; /* 0: there is none */
  char *bytes;
} piece;

typedef struct stream {
  int64_t offset, end;
  int64_t next; /* not asked for yet */
  int64_t piece_size;
  piece pieces[2]; /* [at_hand], and the one after it */
  size_t at_hand;
} stream;

typedef struct ahead {
  osdear__input base;
  osdear__input *whole;
  osdear__s3_object *object;
  stream *streams; /* ascending and apart */
  size_t count;
} ahead;

static ahead *ahead_of(osdear__input *base)
{
  return (ahead *)(void *)base;
}

/* ---- pieces ---- */

static void drop_piece(piece *p)
{
  osdear__s3_order_drop(&p->order);
  osdear__free(p->bytes);
  *p = (piece){ 0 };
}

/* `wanted`: where the read at hand ends. What is left of it comes as one piece, however large the others are. */
static osdear_status start_piece(ahead *self, stream *s, piece *p, int64_t wanted, osdear_error **error)
{
  int64_t left = s->end - s->next, size = wanted - s->next > s->piece_size ? wanted - s->next : s->piece_size;
  osdear_status st;

  drop_piece(p);
  if (left <= 0)
    return OSDEAR_OK;
  p->offset = s->next;
  p->size = (size_t)(left < size ? left : size);
  p->bytes = osdear__alloc(p->size);
  st = p->bytes ? osdear__s3_order_place(&p->order, self->object, p->offset, p->bytes, p->size, error)
                : osdear__fail_memory(error);
  if (st)
    drop_piece(p);
  else
    s->next += (int64_t)p->size;
  return st;
}

/* ---- reading ---- */

static bool has(const piece *p, int64_t offset)
{
  return offset >= p->offset && offset - p->offset < (int64_t)p->size;
}

/* The stream that `offset` lies in; NULL: none. */
static stream *stream_at(const ahead *self, int64_t offset)
{
  size_t low = 0, high = self->count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->streams[middle].end <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low < self->count && self->streams[low].offset <= offset ? &self->streams[low] : NULL;
}

/* The piece that holds `offset` comes to hand, and the one behind it is sent for. A jump begins anew from there. */
static osdear_status turn_to(ahead *self, stream *s, int64_t offset, int64_t wanted, osdear_error **error)
{
  piece *other = &s->pieces[!s->at_hand];
  osdear_status st = OSDEAR_OK;

  if (!has(&s->pieces[s->at_hand], offset)) {
    if (!has(other, offset)) {
      s->next = offset;
      st = start_piece(self, s, other, wanted, error);
    }
    drop_piece(&s->pieces[s->at_hand]);
    s->at_hand = !s->at_hand;
    other = &s->pieces[!s->at_hand];
  }
  return !st && other->size == 0 && s->next < s->end ? start_piece(self, s, other, wanted, error) : st;
}

static osdear_status ahead_read_at(osdear__input *base, int64_t offset, void *out, size_t size, osdear_error **error)
{
  ahead *self = ahead_of(base);
  osdear_status st = OSDEAR_OK;

  while (!st && size > 0) {
    stream *s = stream_at(self, offset);
    const piece *p;
    size_t part;

    if (!s)
      return osdear__input_read(self->whole, offset, out, size, error);
    st = turn_to(self, s, offset, offset + (int64_t)size, error);
    if (!st)
      st = osdear__s3_order_wait(&s->pieces[s->at_hand].order, error);
    if (st)
      return st;
    p = &s->pieces[s->at_hand];
    part = p->size - (size_t)(offset - p->offset);
    part = part < size ? part : size;
    memcpy(out, p->bytes + (offset - p->offset), part);
    out = (char *)out + part;
    offset += (int64_t)part;
    size -= part;
  }
  return st;
}

static void ahead_close(osdear__input *base)
{
  ahead *self = ahead_of(base);

  for (size_t i = 0; i < self->count; i++) /* all of them first: a drop waits */
    for (size_t k = 0; k < COUNT_OF(self->streams[i].pieces); k++)
      osdear__s3_order_cancel(&self->streams[i].pieces[k].order);
  for (size_t i = 0; i < self->count; i++)
    for (size_t k = 0; k < COUNT_OF(self->streams[i].pieces); k++)
      drop_piece(&self->streams[i].pieces[k]);
  osdear__free(self->streams);
  osdear__free(self);
}

/* ---- planning ---- */

static int compare_ranges(const void *a, const void *b)
{
  const osdear__byte_range *left = a, *right = b;

  return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Sorted copies, those that touch or overlap made one, and with `near` also those with a small gap between them. Returns how many there are. */
static size_t merge(osdear__byte_range *ranges, size_t count, int64_t near)
{
  size_t kept = 0;

  for (size_t i = 0; i < count; i++) {
    osdear__byte_range *last = kept > 0 ? &ranges[kept - 1] : NULL;
    int64_t end = ranges[i].offset + ranges[i].size;
    if (last && ranges[i].offset - (last->offset + last->size) <= near) {
      if (end > last->offset + last->size)
        last->size = end - last->offset;
    } else {
      ranges[kept++] = ranges[i];
    }
  }
  return kept;
}

static int64_t total_of(const osdear__byte_range *ranges, size_t count)
{
  int64_t total = 0;

  for (size_t i = 0; i < count; i++)
    total += ranges[i].size;
  return total;
}

static void add_stream(ahead *self, int64_t offset, int64_t size, int64_t piece_size)
{
  self->streams[self->count++] = (stream){ .offset = offset, .end = offset + size, .next = offset, .piece_size = piece_size };
}

/* All of it at once, in pieces that come side by side. False: there is no memory. */
static bool plan_whole(ahead *self, const osdear__byte_range *ranges, size_t count)
{
  const int64_t most = (int64_t)OSDEAR__S3_PIECE;
  size_t pieces = 0;

  for (size_t i = 0; i < count; i++)
    pieces += (size_t)(ranges[i].size / most) + 1;
  self->streams = osdear__alloc_zeroed(pieces, sizeof *self->streams);
  for (size_t i = 0; self->streams && i < count; i++) {
    int64_t parts = (ranges[i].size + most - 1) / most, even = ranges[i].size / parts;
    for (int64_t k = 0; k < parts; k++)
      add_stream(self, ranges[i].offset + k * even, k + 1 < parts ? even : ranges[i].size - k * even, most + parts);
  }
  return self->streams != NULL;
}

static int64_t total_up_to(const osdear__byte_range *ranges, size_t count, int64_t most)
{
  int64_t total = 0;

  for (size_t i = 0; i < count; i++)
    total += ranges[i].size <= most ? ranges[i].size : 0;
  return total;
}

/* The size up to which ranges come whole, with half of the memory at most: as pieces they would be smaller than the pages in them. */
static int64_t most_whole(const osdear__byte_range *ranges, size_t count, int64_t memory)
{
  int64_t most = 0;

  for (int64_t next = LEAST_PIECE; total_up_to(ranges, count, next) <= memory / 2; next *= 2)
    most = next;
  return most;
}

/* `total` is more than `memory`: not all of them come whole. */
static bool plan_pieces(ahead *self, const osdear__byte_range *ranges, size_t count, int64_t total, int64_t memory)
{
  int64_t most = most_whole(ranges, count, memory), whole = total_up_to(ranges, count, most);

  self->streams = osdear__alloc_zeroed(count, sizeof *self->streams);
  for (size_t i = 0; self->streams && i < count; i++) {
    int64_t share = (int64_t)((double)(memory - whole) / 2 * ((double)ranges[i].size / (double)(total - whole)));
    add_stream(self, ranges[i].offset, ranges[i].size, ranges[i].size <= most ? most : share < LEAST_PIECE ? LEAST_PIECE : share);
  }
  return self->streams != NULL;
}

static osdear_status start_all(ahead *self, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t k = 0; k < COUNT_OF(self->streams->pieces); k++) /* what is read first is sent for first */
    for (size_t i = 0; !st && i < self->count; i++)
      st = start_piece(self, &self->streams[i], &self->streams[i].pieces[k], 0, error);
  return st;
}

static osdear_status start_over(ahead *self, osdear__byte_range *ranges, size_t count, int64_t memory, osdear__input **out,
                                osdear_error **error)
{
  size_t apart, near;
  int64_t total;
  bool is_planned;
  osdear_status st;

  qsort(ranges, count, sizeof *ranges, compare_ranges);
  apart = merge(ranges, count, -1);
  total = total_of(ranges, apart);
  if (total > memory && (int64_t)apart * 2 * LEAST_PIECE > memory)
    return OSDEAR_OK; /* hardly more than a page of each: reading as it comes is no slower */
  if (total > memory) {
    is_planned = plan_pieces(self, ranges, apart, total, memory);
  } else {
    near = merge(ranges, apart, memory > total + (int64_t)apart * NEAR_BYTES ? NEAR_BYTES : 0);
    is_planned = plan_whole(self, ranges, near);
  }
  st = is_planned ? start_all(self, error) : osdear__fail_memory(error);
  if (!st)
    *out = &self->base;
  return st;
}

osdear_status osdear__s3_ahead(osdear__s3_object *object, osdear__input *whole, const osdear__byte_range *ranges, size_t count,
                               int64_t memory, osdear__input **out, osdear_error **error)
{
  osdear__byte_range *sorted = osdear__alloc_zeroed(count, sizeof *sorted);
  ahead *self = osdear__alloc_zeroed(1, sizeof *self);
  osdear_status st = sorted && self ? OSDEAR_OK : osdear__fail_memory(error);
  size_t wanted = 0;

  *out = NULL;
  if (!st) {
    self->base =
        (osdear__input){ .read_at = ahead_read_at, .close = ahead_close, .size_bytes = whole->size_bytes, .name = whole->name };
    self->whole = whole;
    self->object = object;
    for (size_t i = 0; i < count; i++)
      if (ranges[i].size > 0)
        sorted[wanted++] = ranges[i];
    st = wanted ? start_over(self, sorted, wanted, memory, out, error) : OSDEAR_OK;
  }
  osdear__free(sorted);
  if (self && !*out)
    ahead_close(&self->base);
  return st;
}
