/* Streams of files: in pieces of any size, members and frames after each other. */
#include <codec/codec.h>

#include <criterion/criterion.h>
#include <stdlib.h>

static const osdear__codec streamed[] = { CODEC_GZIP, CODEC_ZSTD };

/* Two members of `half` each. */
static size_t make_stream(osdear__codec codec, const uint8_t *data, size_t half, uint8_t *out)
{
  SCOPED(codec_state) state = { 0 };
  size_t first = 0, second = 0;

  cr_assert_eq(osdear__compress(&state, codec, 0, data, half, out, &first, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__compress(&state, codec, 0, data + half, half, out + first, &second, NULL), OSDEAR_OK);
  return first + second;
}

/* Reads in pieces of `step` into pieces of `room`. */
static osdear_status read_all(osdear__codec codec, const uint8_t *in, size_t in_size, size_t step, size_t room, uint8_t *out,
                              size_t *out_size)
{
  AUTO(inflater) inflater = NULL;
  bool is_done = false;
  size_t at = 0;
  osdear_status st = osdear__inflater_new(codec, &inflater, NULL);

  *out_size = 0;
  while (!st && !is_done) {
    size_t left = in_size - at, piece = left < step ? left : step, used, made;
    st = osdear__inflate(inflater, in + at, piece, &used, out + *out_size, room, &made, piece == left, &is_done, NULL);
    cr_assert(st || is_done || used + made > 0, "it neither took nor gave anything");
    at += used;
    *out_size += made;
  }
  cr_assert(st || at == in_size);
  return st;
}

Test(inflater, gives_the_same_in_pieces_of_any_size)
{
  enum { HALF = 3000 };
  static const size_t steps[] = { 1, 2, 7, 1000, 100000 };
  uint8_t *data = malloc(2 * HALF), *stream = malloc(4 * HALF), *out = malloc(2 * HALF + 100000);

  for (size_t i = 0; i < 2 * HALF; i++)
    data[i] = (uint8_t)(i * i >> 5);
  for (size_t c = 0; c < COUNT_OF(streamed); c++) {
    if (!osdear__codec_is_built(streamed[c]))
      continue;
    size_t size = make_stream(streamed[c], data, HALF, stream), made;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
      for (size_t k = 0; k < COUNT_OF(steps); k++) {
        cr_assert_eq(read_all(streamed[c], stream, size, steps[i], steps[k], out, &made), OSDEAR_OK);
        cr_assert_eq(made, 2 * HALF);
        cr_assert_eq(memcmp(out, data, made), 0);
      }
    }
  }
  free(data);
  free(stream);
  free(out);
}

Test(inflater, says_when_a_stream_is_cut_short)
{
  uint8_t data[400], stream[2000], out[1000];
  size_t made;

  memset(data, 'x', sizeof data);
  for (size_t c = 0; c < COUNT_OF(streamed); c++) {
    if (!osdear__codec_is_built(streamed[c]))
      continue;
    size_t size = make_stream(streamed[c], data, 200, stream), whole = 0;
    for (size_t cut = 0; cut < size; cut++) {
      osdear_status st = read_all(streamed[c], stream, cut, 50, 600, out, &made);
      whole += st == OSDEAR_OK; /* where the first member ends nothing is missing */
      cr_assert(st == OSDEAR_OK ? made == 200 : st == OSDEAR_ERR_CORRUPT);
    }
    cr_assert_eq(whole, 1);
  }
}

Test(inflater, refuses_what_is_no_stream)
{
  static const uint8_t nonsense[] = "this is not compressed at all";
  uint8_t out[100];
  size_t made;

  for (size_t c = 0; c < COUNT_OF(streamed); c++)
    if (osdear__codec_is_built(streamed[c]))
      cr_assert_eq(read_all(streamed[c], nonsense, sizeof nonsense, 100, 100, out, &made), OSDEAR_ERR_CORRUPT);
}

Test(inflater, is_there_for_gzip_and_zstd_only)
{
  AUTO(inflater) inflater = NULL;

  cr_assert_eq(osdear__inflater_new(CODEC_SNAPPY, &inflater, NULL), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_eq(osdear__inflater_new(CODEC_NONE, &inflater, NULL), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_null(inflater);
}

#ifdef OSDEAR_FAULTS
Test(inflater, survives_every_failing_allocation)
{
  uint8_t data[400], stream[2000], out[1000];
  int64_t before = osdear__live();

  memset(data, 'x', sizeof data);
  for (size_t c = 0; c < COUNT_OF(streamed); c++) {
    if (!osdear__codec_is_built(streamed[c]))
      continue;
    size_t size = make_stream(streamed[c], data, 200, stream), made;
    osdear_status st = OSDEAR_ERR_NO_MEMORY;
    for (int64_t n = 0; st; n++) {
      osdear__fault_arm(FAULT_ALLOC, n, false);
      st = read_all(streamed[c], stream, size, 50, 600, out, &made);
      osdear__fault_disarm();
      cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
      cr_assert_eq(osdear__live(), before);
    }
  }
}
#endif
