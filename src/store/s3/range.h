/** @file range.h Parts of objects, fetched side by side: by who drives a loop, or by the bucket's own thread. */
#ifndef OSDEAR_SRC_STORE_S3_RANGE_H
#define OSDEAR_SRC_STORE_S3_RANGE_H

#include <store/s3/object.h>

#define OSDEAR__S3_PIECE ((size_t)8 << 20) /* of a large read; what S3's own guidance suggests */

/* What ranges are fetched of. All of it is the caller's, and outlives the fetches. */
typedef struct osdear__s3_object {
  osdear__s3 *s3;
  osdear_context *context;
  const char *key;
  osdear__s3_info *info; /* as for osdear__s3_get_range() */
} osdear__s3_object;

/* One range on its way. Zero-initialise; it stays where it is while it is under way. */
typedef struct osdear__s3_fetch {
  osdear__s3_call *call; /* NULL: not under way */
  bool is_start;         /* of an object whose size is not known: fewer bytes may come */
  int64_t offset;
  size_t size;
  char range[64];
} osdear__s3_fetch;
MUST_USE osdear_status osdear__s3_fetch_start(osdear__s3_object *object, osdear__http_loop *loop, int64_t offset, void *out,
                                              size_t size, osdear__s3_fetch *fetch, osdear_error **error);
/* Once its exchange was collected. *is_again: the bucket is in another region, and the fetch is under way to there. */
MUST_USE osdear_status osdear__s3_fetch_end(osdear__s3_object *object, osdear__s3_fetch *fetch, bool *is_again,
                                            osdear_error **error);

/* ---- by the bucket's own thread, which starts with the first order and ends with the bucket (mover.c) ---- */

typedef struct osdear__s3_order {
  struct osdear__s3_mover *mover; /* NULL: nothing was ordered */
  osdear__s3_object *object;
  int64_t offset;
  void *out;
  size_t size;
  /* The thread's, until it has ended. */
  enum { ORDER_PLACED, ORDER_MOVING, ORDER_ENDED } state;
  bool is_unwanted;
  osdear__s3_fetch fetch;
  osdear_status failed;
  osdear_error *failure;
  struct osdear__s3_order *next;
} osdear__s3_order;
/* A range to be fetched. The order stays where it is until it is dropped; who placed it is the only one to wait for it and to drop it. */
MUST_USE osdear_status osdear__s3_order_place(osdear__s3_order *order, osdear__s3_object *object, int64_t offset, void *out,
                                              size_t size, osdear_error **error);
/* Until all of it has come, or it has failed, or the context of `object` has ended. */
MUST_USE osdear_status osdear__s3_order_wait(osdear__s3_order *order, osdear_error **error);
void osdear__s3_order_cancel(osdear__s3_order *order); /* it is not wanted any more, and will be dropped. Does not wait */
void osdear__s3_order_drop(
    osdear__s3_order *order); /* nothing is written to `out` after that. One that was not placed is a no-op */

/* ---- ahead of a reader (ahead.c) ---- */

/* An input over ranges of `object`, which must outlive it, that fetches ahead of its one reader with at most `memory` bytes. What is not in
 * them is read from `whole`. *out NULL: not worth it. */
MUST_USE osdear_status osdear__s3_ahead(osdear__s3_object *object, osdear__input *whole, const osdear__byte_range *ranges,
                                        size_t count, int64_t memory, osdear__input **out, osdear_error **error);

/* ---- before objects are opened (expect.c) ---- */

#define OSDEAR__S3_WHOLE ((int64_t)1 << 20)  /* up to here one request for all costs less than two for parts */
#define OSDEAR__S3_BLOCK ((int64_t)64 << 10) /* a footer, or the indexes that lie side by side before it */

/* Objects that were sent for before somebody opens them. Any thread may use it. */
typedef struct osdear__s3_expected osdear__s3_expected;
MUST_USE osdear_status osdear__s3_expected_new(osdear__s3 *s3, osdear__s3_expected **out, osdear_error **error);
void osdear__s3_expected_free(osdear__s3_expected *expected);
/* Sends for the whole of an object that is small, for the end of another. Whatever keeps it from doing so is found out again on opening. */
void osdear__s3_expect_object(osdear__s3_expected *expected, osdear_context *context, const char *key, int64_t size_bytes);
/* What was sent for, waited for, and now the caller's: bytes from `held->offset` on, of the version in `info`. NULL: nothing came. */
char *osdear__s3_expected_take(osdear__s3_expected *expected, const char *key, int64_t size_bytes, osdear__byte_range *held,
                               osdear__s3_info *info);

/* Read at offsets. `size_bytes` -1: asked for. `expected` may have it already; NULL: nothing was sent for. (input.c) */
MUST_USE osdear_status osdear__s3_input(osdear__s3 *s3, osdear_context *context, const char *key, int64_t size_bytes,
                                        osdear__s3_expected *expected, osdear__input **out, osdear_error **error);

#endif
