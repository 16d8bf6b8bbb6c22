/* The writer's encodings: the specification's own examples byte by byte, and everything else through a decoder that is slow and plain. */
#include <parquet/encode.h>

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect_bytes(const osdear__buf *buf, const void *bytes, size_t size)
{
  cr_assert_eq(buf->failed, OSDEAR_OK);
  cr_assert_eq(buf->size, size, "%zu bytes, not %zu", buf->size, size);
  cr_assert_eq(memcmp(buf->data, bytes, size), 0);
}

static uint32_t next_random(uint32_t *seed)
{
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8 ^ *seed << 16;
}

static uint64_t take_varint(const uint8_t **at)
{
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128)
      return value;
  }
}

static uint64_t take_bits(const uint8_t *data, size_t from, int width)
{
  uint64_t value = 0;
  for (int bit = 0; bit < width; bit++, from++)
    value |= (uint64_t)(data[from / 8] >> (from % 8) & 1) << bit;
  return value;
}

/* ---- PLAIN ---- */

Test(encode_plain, puts_booleans_in_bits_from_the_lowest_on)
{
  static const uint8_t booleans[] = { 1, 0, 1, 1, 0, 0, 0, 0, 1, 1 };
  SCOPED(buf) out = { 0 };

  osdear__pq_plain_write_bits(booleans, sizeof booleans, &out);
  expect_bytes(&out, "\x0d\x03", 2);
}

Test(encode_plain, puts_every_boolean_in_its_place)
{
  uint8_t booleans[200];
  uint32_t seed = 1;

  for (size_t count = 0; count <= sizeof booleans; count++) {
    SCOPED(buf) out = { 0 };
    for (size_t i = 0; i < count; i++)
      booleans[i] = next_random(&seed) & 1;
    osdear__pq_plain_write_bits(booleans, count, &out);
    cr_assert_eq(out.size, (count + 7) / 8);
    for (size_t i = 0; i < count; i++)
      cr_assert_eq(take_bits((const uint8_t *)out.data, i, 1), booleans[i]);
  }
}

Test(encode_plain, puts_the_length_before_text_but_not_before_fixed_values)
{
  static const uint8_t bytes[] = "abcdef\0\0\0\0\0\0\0\0";
  static const int32_t starts[] = { 0, 3, 3, 6 };
  const osdear__pq_values values = { .dense = DENSE_BYTES, .count = 3, .starts = starts, .ends = starts + 1, .bytes = bytes };
  SCOPED(buf) text = { 0 };
  SCOPED(buf) fixed = { 0 };

  osdear__pq_plain_write(&values, 0, &text);
  expect_bytes(&text, "\3\0\0\0abc\0\0\0\0\3\0\0\0def", 18);
  osdear__pq_plain_write(&values, 3, &fixed);
  expect_bytes(&fixed, "abcdef", 6);
}

Test(encode_plain, writes_wide_decimals_big_endian_in_as_few_bytes_as_told)
{
  static const osdear__pq_int128 values[] = { 1, -1, 258, -256 };
  osdear__int128 least = -osdear__pow10(38) + 1;
  SCOPED(buf) out = { 0 };
  SCOPED(buf) whole = { 0 };

  osdear__pq_plain_write_128(values, 4, 9, &out);
  expect_bytes(&out,
               "\0\0\0\0\0\0\0\0\1"
               "\xff\xff\xff\xff\xff\xff\xff\xff\xff"
               "\0\0\0\0\0\0\0\1\2"
               "\xff\xff\xff\xff\xff\xff\xff\xff\0",
               36);
  osdear__pq_plain_write_128(&least, 1, 16, &whole);
  expect_bytes(&whole, "\xb4\xc4\xb3\x57\xa5\x79\x3b\x85\xf6\x75\xdd\xc0\0\0\0\1", 16);
}

/* ---- RLE ---- */

static size_t decode_hybrid(const osdear__buf *buf, int width, uint32_t *out, size_t room)
{
  const uint8_t *at = (const uint8_t *)buf->data, *end = at + buf->size;
  size_t count = 0;

  while (at < end && count < room) {
    uint64_t header = take_varint(&at);
    size_t length = (size_t)(header >> 1) * (header & 1 ? 8 : 1);
    for (size_t i = 0; i < length && count < room; i++)
      out[count++] = (uint32_t)(header & 1 ? take_bits(at, i * (size_t)width, width) : take_bits(at, 0, width));
    at += header & 1 ? (header >> 1) * (uint64_t)width : (uint64_t)(width + 7) / 8;
  }
  cr_assert_eq(at, end, "nothing is left over");
  return count;
}

Test(encode_hybrid, packs_the_example_of_the_specification)
{
  static const uint32_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
  SCOPED(buf) out = { 0 };

  osdear__pq_hybrid_write(values, 8, 3, &out);
  expect_bytes(&out, "\x03\x88\xc6\xfa", 4);
}

Test(encode_hybrid, writes_a_run_as_its_length_and_value)
{
  uint32_t values[300];
  SCOPED(buf) out = { 0 };
  SCOPED(buf) run = { 0 };

  for (size_t i = 0; i < COUNT_OF(values); i++)
    values[i] = 1000;
  osdear__pq_hybrid_write(values, COUNT_OF(values), 10, &out);
  expect_bytes(&out, "\xd8\x04\xe8\x03", 4);
  osdear__pq_hybrid_write_run(1000, COUNT_OF(values), 10, &run);
  expect_bytes(&run, "\xd8\x04\xe8\x03", 4);
}

Test(encode_hybrid, gives_every_value_back_at_every_width)
{
  enum { MOST = 700 };
  uint32_t values[MOST], back[MOST + 8], seed = 3;

  for (int width = 1; width <= 32; width++) {
    for (size_t count = 0; count < MOST; count += 1 + next_random(&seed) % 40) {
      SCOPED(buf) out = { 0 };
      /* stretches of noise and runs of any length */
      for (size_t i = 0; i < count; i++)
        values[i] = next_random(&seed) % 30 == 0 || i == 0 || (i / 100) % 2 ? next_random(&seed) >> (32 - width) : values[i - 1];
      osdear__pq_hybrid_write(values, count, width, &out);
      cr_assert_eq(decode_hybrid(&out, width, back, count), count, "width %d, %zu values", width, count);
      cr_assert_eq(memcmp(values, back, count * sizeof *values), 0, "width %d, %zu values", width, count);
    }
  }
}

Test(encode_hybrid, knows_how_many_bits_a_number_takes)
{
  cr_assert_eq(osdear__pq_bit_width(0), 0);
  cr_assert_eq(osdear__pq_bit_width(1), 1);
  cr_assert_eq(osdear__pq_bit_width(255), 8);
  cr_assert_eq(osdear__pq_bit_width(256), 9);
  cr_assert_eq(osdear__pq_bit_width(UINT64_MAX), 64);
}

/* ---- DELTA ---- */

static int64_t unzigzag(uint64_t value)
{
  return (int64_t)(value >> 1 ^ -(value & 1));
}

static const uint8_t *decode_delta(const uint8_t *at, size_t count, bool wide, int64_t *out)
{
  uint64_t block = take_varint(&at), miniblocks = take_varint(&at), each = block / miniblocks, total = take_varint(&at);
  uint64_t value = (uint64_t)unzigzag(take_varint(&at));

  cr_assert_eq(total, count);
  for (size_t i = 0; i < count;) {
    const uint8_t *widths;
    int64_t least;
    if (i == 0)
      out[i++] = (int64_t)value;
    if (i == count)
      break;
    least = unzigzag(take_varint(&at));
    widths = at;
    at += miniblocks;
    for (size_t m = 0; m < miniblocks; m++) {
      for (size_t k = 0; k < each && i < count; k++) {
        value += (uint64_t)least + take_bits(at, k * widths[m], widths[m]);
        out[i++] = wide ? (int64_t)value : (int32_t)(uint32_t)value;
      }
      at += each * widths[m] / 8;
    }
  }
  return at;
}

Test(encode_delta, packs_the_example_of_the_specification)
{
  static const int32_t values[] = { 7, 5, 3, 1, 2, 3, 4, 5 };
  SCOPED(buf) out = { 0 };

  osdear__pq_delta_write(values, COUNT_OF(values), false, &out);
  expect_bytes(&out, "\x80\x01\x04\x08\x0e\x03\x02\0\0\0\xc0\x3f\0\0\0\0\0\0", 18);
}

Test(encode_delta, writes_only_a_header_where_there_is_nothing)
{
  SCOPED(buf) out = { 0 };

  osdear__pq_delta_write(NULL, 0, true, &out);
  expect_bytes(&out, "\x80\x01\x04\0\0", 5);
}

Test(encode_delta, gives_every_value_back)
{
  enum { MOST = 400 };
  static const size_t counts[] = { 1, 2, 32, 33, 128, 129, 130, 256, 257, MOST };
  int64_t wide[MOST], back[MOST];
  int32_t narrow[MOST];
  uint32_t seed = 5;

  for (int shift = 0; shift < 64; shift += 3) {
    for (size_t c = 0; c < COUNT_OF(counts); c++) {
      SCOPED(buf) out = { 0 };
      SCOPED(buf) small = { 0 };
      for (size_t i = 0; i < counts[c]; i++) {
        wide[i] = (int64_t)(((uint64_t)next_random(&seed) << 32 | next_random(&seed)) >> shift);
        narrow[i] = (int32_t)wide[i];
      }
      osdear__pq_delta_write(wide, counts[c], true, &out);
      cr_assert_eq(decode_delta((const uint8_t *)out.data, counts[c], true, back), (const uint8_t *)out.data + out.size);
      cr_assert_eq(memcmp(wide, back, counts[c] * sizeof *wide), 0);
      osdear__pq_delta_write(narrow, counts[c], false, &small);
      cr_assert_eq(decode_delta((const uint8_t *)small.data, counts[c], false, back), (const uint8_t *)small.data + small.size);
      for (size_t i = 0; i < counts[c]; i++)
        cr_assert_eq(back[i], narrow[i]);
    }
  }
}

Test(encode_delta, wraps_around_between_the_ends_of_a_type)
{
  static const int64_t wide[] = { INT64_MIN, INT64_MAX, INT64_MIN, 0, INT64_MAX };
  static const int32_t narrow[] = { INT32_MIN, INT32_MAX, INT32_MIN, 0, INT32_MAX };
  SCOPED(buf) out = { 0 };
  SCOPED(buf) small = { 0 };
  const uint8_t *at;
  int64_t back[5];

  osdear__pq_delta_write(wide, 5, true, &out);
  decode_delta((const uint8_t *)out.data, 5, true, back);
  cr_assert_eq(memcmp(wide, back, sizeof wide), 0);
  osdear__pq_delta_write(narrow, 5, false, &small);
  decode_delta((const uint8_t *)small.data, 5, false, back);
  for (size_t i = 0; i < 5; i++)
    cr_assert_eq(back[i], narrow[i]);
  at = (const uint8_t *)small.data;
  for (size_t i = 0; i < 5; i++) /* four of the header, and the least difference */
    (void)take_varint(&at);
  for (size_t i = 0; i < 4; i++) /* the widths of the miniblocks of an INT32 column never go past 32 */
    cr_assert_leq(at[i], 32);
}

static const uint8_t words[] = "\4\0\0\0axis\4\0\0\0axle\6\0\0\0babble\10\0\0\0babyhood"; /* the specification's */

Test(encode_delta, leaves_out_what_a_text_shares_with_the_one_before)
{
  int64_t prefixes[4], lengths[4];
  SCOPED(buf) scratch = { 0 };
  SCOPED(buf) out = { 0 };
  const uint8_t *at;

  osdear__pq_delta_write_bytes(words, 4, true, &scratch, &out);
  at = decode_delta((const uint8_t *)out.data, 4, false, prefixes);
  at = decode_delta(at, 4, false, lengths);
  cr_assert(prefixes[0] == 0 && prefixes[1] == 2 && prefixes[2] == 0 && prefixes[3] == 3);
  cr_assert(lengths[0] == 4 && lengths[1] == 2 && lengths[2] == 6 && lengths[3] == 5);
  cr_assert_eq(memcmp(at, "axislebabbleyhood", 17), 0);
  cr_assert_eq(at + 17, (const uint8_t *)out.data + out.size);
}

Test(encode_delta, puts_lengths_before_texts_that_share_nothing)
{
  int64_t lengths[4];
  SCOPED(buf) scratch = { 0 };
  SCOPED(buf) out = { 0 };
  const uint8_t *at;

  osdear__pq_delta_write_bytes(words, 4, false, &scratch, &out);
  at = decode_delta((const uint8_t *)out.data, 4, false, lengths);
  cr_assert(lengths[0] == 4 && lengths[1] == 4 && lengths[2] == 6 && lengths[3] == 8);
  cr_assert_eq(memcmp(at, "axisaxlebabblebabyhood", 22), 0);
}

Test(encode_delta, sees_whether_sharing_is_worth_it)
{
  cr_assert(osdear__pq_delta_shares_prefixes(words, 4));
  cr_assert_not(osdear__pq_delta_shares_prefixes((const uint8_t *)"\1\0\0\0a\1\0\0\0b", 2));
  cr_assert_not(osdear__pq_delta_shares_prefixes(NULL, 0));
}

#ifdef OSDEAR_FAULTS
Test(encode, failures_stick_to_the_buffer)
{
  static const int64_t numbers[] = { 1, 2, 3 };
  static const uint32_t indices[] = { 1, 2, 3 };

  for (int which = 0; which < 4; which++) {
    SCOPED(buf) out = { 0 };
    SCOPED(buf) scratch = { 0 };
    osdear__fault_arm(FAULT_ALLOC, 0, false);
    if (which == 0)
      osdear__pq_hybrid_write(indices, 3, 2, &out);
    else if (which == 1)
      osdear__pq_delta_write(numbers, 3, true, &out);
    else if (which == 2)
      osdear__pq_delta_write_bytes(words, 4, true, &scratch, &out);
    else
      osdear__pq_plain_write_bits((const uint8_t *)"\1", 1, &out);
    osdear__fault_disarm();
    cr_assert_eq(osdear__buf_check(&out, NULL), OSDEAR_ERR_NO_MEMORY);
  }
}
#endif
