/* Whatever is compressed comes back, and whatever is not what was announced is refused. A codec that is not part of a build has
 * nothing to show there but its refusal. */
#include <codec/ops.h>

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdlib.h>

static const osdear__codec written[] = { CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4_HADOOP, CODEC_ZSTD, CODEC_LZ4_RAW };
static const osdear__codec compressed[] = { CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4_HADOOP, CODEC_ZSTD, CODEC_LZ4_RAW };

/* Half text that repeats, half noise that does not. */
static uint8_t *sample(size_t size)
{
  uint8_t *data = malloc(size + 1);
  uint32_t seed = 7;

  for (size_t i = 0; i < size; i++) {
    seed = seed * 1664525 + 1013904223;
    data[i] = i % 64 < 32 ? (uint8_t)('a' + i % 16) : (uint8_t)(seed >> 24);
  }
  return data;
}

static uint8_t *pack(osdear__codec_state *state, osdear__codec codec, int level, const void *data, size_t size,
                     size_t *packed_size)
{
  uint8_t *packed = malloc(osdear__compress_bound(codec, size) + 1);

  cr_assert_eq(osdear__compress(state, codec, level, data, size, packed, packed_size, NULL), OSDEAR_OK);
  cr_assert_leq(*packed_size, osdear__compress_bound(codec, size));
  return packed;
}

static osdear_status unpack(osdear__codec codec, const void *in, size_t in_size, void *out, size_t out_size)
{
  SCOPED(codec_state) state = { 0 };
  AUTO(error) error = NULL;
  osdear_status st = osdear__decompress(&state, codec, in, in_size, out, out_size, &error);

  cr_assert_eq(st, osdear_error_status(error), "the error is set just when the call fails");
  return st;
}

Test(codec, gives_back_what_it_was_given_at_every_size)
{
  static const size_t sizes[] = { 0, 1, 2, 63, 64, 1000, 65535, 65536, 65537, 1 << 20 };
  SCOPED(codec_state) state = { 0 };

  for (size_t c = 0; c < COUNT_OF(written); c++) {
    if (!osdear__codec_is_built(written[c]))
      continue;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
      uint8_t *data = sample(sizes[i]), *back = malloc(sizes[i] + 1), *packed;
      size_t packed_size;
      packed = pack(&state, written[c], 0, data, sizes[i], &packed_size);
      cr_assert_eq(osdear__decompress(&state, written[c], packed, packed_size, back, sizes[i], NULL), OSDEAR_OK, "%s, %zu bytes",
                   osdear__codec_name(written[c]), sizes[i]);
      cr_assert_eq(memcmp(data, back, sizes[i]), 0);
      free(packed);
      free(back);
      free(data);
    }
  }
}

Test(codec, refuses_data_that_is_shorter_or_longer_than_announced)
{
  SCOPED(codec_state) state = { 0 };
  uint8_t *data = sample(5000), *back = malloc(5001);

  for (size_t c = 0; c < COUNT_OF(written); c++) {
    if (!osdear__codec_is_built(written[c]))
      continue;
    size_t size;
    uint8_t *packed = pack(&state, written[c], 0, data, 5000, &size);
    cr_assert_eq(unpack(written[c], packed, size, back, 4999), OSDEAR_ERR_CORRUPT, "%s", osdear__codec_name(written[c]));
    cr_assert_eq(unpack(written[c], packed, size, back, 5001), OSDEAR_ERR_CORRUPT, "%s", osdear__codec_name(written[c]));
    cr_assert_eq(unpack(written[c], packed, size, back, 0), OSDEAR_ERR_CORRUPT, "%s", osdear__codec_name(written[c]));
    free(packed);
  }
  free(back);
  free(data);
}

Test(codec, refuses_data_that_is_cut_short_anywhere)
{
  SCOPED(codec_state) state = { 0 };
  uint8_t *data = sample(3000), *back = malloc(3000);

  for (size_t c = 0; c < COUNT_OF(written); c++) {
    if (!osdear__codec_is_built(written[c]))
      continue;
    size_t size;
    uint8_t *packed = pack(&state, written[c], 0, data, 3000, &size);
    for (size_t cut = 0; cut < size; cut++) {
      uint8_t *exact = malloc(cut + 1); /* of just this size, for the sanitizer */
      memcpy(exact, packed, cut);
      cr_assert_eq(unpack(written[c], exact, cut, back, 3000), OSDEAR_ERR_CORRUPT, "%s cut to %zu",
                   osdear__codec_name(written[c]), cut);
      free(exact);
    }
    free(packed);
  }
  free(back);
  free(data);
}

Test(codec, survives_every_flipped_byte)
{
  SCOPED(codec_state) state = { 0 };
  uint8_t *data = sample(2000), *back = malloc(2000);

  for (size_t c = 0; c < COUNT_OF(compressed); c++) {
    if (!osdear__codec_is_built(compressed[c]))
      continue;
    size_t size;
    uint8_t *packed = pack(&state, compressed[c], 0, data, 2000, &size);
    for (size_t at = 0; at < size; at++) {
      osdear_status st;
      packed[at] ^= 0xff;
      st = unpack(compressed[c], packed, size, back, 2000);
      cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_CORRUPT);
      packed[at] ^= 0xff;
    }
    free(packed);
  }
  free(back);
  free(data);
}

Test(codec, a_state_is_as_good_as_new_after_a_failure)
{
  SCOPED(codec_state) state = { 0 };
  uint8_t *data = sample(2000), *back = malloc(2000);

  for (size_t c = 0; c < COUNT_OF(compressed); c++) {
    if (!osdear__codec_is_built(compressed[c]))
      continue;
    size_t size;
    uint8_t *packed = pack(&state, compressed[c], 0, data, 2000, &size);
    cr_assert_eq(osdear__decompress(&state, compressed[c], packed, size / 2, back, 2000, NULL), OSDEAR_ERR_CORRUPT);
    cr_assert_eq(osdear__decompress(&state, compressed[c], packed, size, back, 2000, NULL), OSDEAR_OK);
    cr_assert_eq(memcmp(data, back, 2000), 0);
    free(packed);
  }
  free(back);
  free(data);
}

Test(codec, takes_the_levels_that_a_codec_has_and_no_others)
{
  static const struct {
    osdear__codec codec;
    int level;
    osdear_status status;
  } cases[] = {
    { CODEC_GZIP, 1, OSDEAR_OK },
    { CODEC_GZIP, 9, OSDEAR_OK },
    { CODEC_GZIP, 10, OSDEAR_ERR_ARGUMENT },
    { CODEC_GZIP, -1, OSDEAR_ERR_ARGUMENT },
    { CODEC_ZSTD, 1, OSDEAR_OK },
    { CODEC_ZSTD, -5, OSDEAR_OK },
    { CODEC_ZSTD, 19, OSDEAR_OK },
    { CODEC_ZSTD, 23, OSDEAR_ERR_ARGUMENT },
  };
  SCOPED(codec_state) state = { 0 };
  char out[1000];
  size_t size;

  for (size_t i = 0; i < COUNT_OF(cases); i++)
    if (osdear__codec_is_built(cases[i].codec))
      cr_assert_eq(osdear__compress(&state, cases[i].codec, cases[i].level, "abc", 3, out, &size, NULL), cases[i].status,
                   "case %zu", i);
}

Test(codec, knows_its_names)
{
  static const struct {
    const char *name;
    osdear__codec codec;
  } cases[] = {
    { "none", CODEC_NONE },     { "UNCOMPRESSED", CODEC_NONE }, { "Snappy", CODEC_SNAPPY },   { "gzip", CODEC_GZIP },
    { "BROTLI", CODEC_BROTLI }, { "lz4", CODEC_LZ4_HADOOP },    { "LZ4_RAW", CODEC_LZ4_RAW }, { "zstd", CODEC_ZSTD }
  };
  osdear__codec codec;

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    cr_assert(osdear__codec_of_name(cases[i].name, &codec));
    cr_assert_eq(codec, cases[i].codec);
  }
  cr_assert_not(osdear__codec_of_name("lzo", &codec));
  cr_assert_not(osdear__codec_of_name("", &codec));
  cr_assert_str_eq(osdear__codec_name(CODEC_ZSTD), "zstd");
  cr_assert_str_eq(osdear__codec_name(CODEC_LZO), "lzo");
  cr_assert_null(osdear__codec_name((osdear__codec)42));
}

Test(codec, loads_a_library_with_its_first_use)
{
  SCOPED(codec_state) state = { 0 };
  char out[3];
  size_t size;

  if (!osdear__codec_is_built(CODEC_SNAPPY))
    return;
  cr_assert_eq(osdear__decompress(&state, CODEC_NONE, "abc", 3, out, 3, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__compress_bound(CODEC_SNAPPY, 6), 39);
  cr_assert_null(dlopen("libsnappy.so.1", RTLD_LAZY | RTLD_NOLOAD), "a table without compressed pages pays for it");
  cr_assert_eq(unpack(CODEC_SNAPPY, "\3\10abc", 5, out, 3), OSDEAR_OK);
  cr_assert_null(dlopen("libsnappy.so.1", RTLD_LAZY | RTLD_NOLOAD), "it is read without");
  free(pack(&state, CODEC_SNAPPY, 0, "abc", 3, &size));
  cr_assert_not_null(dlopen("libsnappy.so.1", RTLD_LAZY | RTLD_NOLOAD));
}

Test(codec, defaults_to_one_that_this_build_writes)
{
  osdear__codec codec = osdear__codec_default();

  cr_assert(osdear__codec_is_written(codec));
  cr_assert(codec == CODEC_ZSTD || !osdear__codec_is_built(CODEC_ZSTD));
  cr_assert(codec != CODEC_NONE || !osdear__codec_is_built(CODEC_SNAPPY));
  cr_assert_not(osdear__codec_is_written(CODEC_BROTLI));
  cr_assert_not(osdear__codec_is_written((osdear__codec)42));
}

Test(codec, names_the_codec_that_is_not_built)
{
  SCOPED(codec_state) state = { 0 };
  AUTO(error) error = NULL;
  char out[8];

  cr_assert_not(osdear__codec_is_built(CODEC_LZO));
  cr_assert_not(osdear__codec_is_built((osdear__codec)-1));
  cr_assert_eq(osdear__decompress(&state, CODEC_LZO, "x", 1, out, 1, &error), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_not_null(strstr(osdear_error_message(error), "lzo"));
  osdear_error_free(error);
  error = NULL;
  cr_assert_eq(osdear__decompress(&state, (osdear__codec)42, "x", 1, out, 1, &error), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_not_null(strstr(osdear_error_message(error), "42"));
}

Test(codec, refuses_sizes_beyond_what_a_page_can_have)
{
  SCOPED(codec_state) state = { 0 };
  char out[8];

  if (!osdear__codec_is_built(CODEC_SNAPPY))
    return;
  cr_assert_eq(osdear__decompress(&state, CODEC_SNAPPY, "x", (size_t)INT32_MAX + 1, out, 8, NULL), OSDEAR_ERR_LIMIT);
  cr_assert_eq(osdear__decompress(&state, CODEC_SNAPPY, "x", 1, out, (size_t)INT32_MAX + 1, NULL), OSDEAR_ERR_LIMIT);
}

/* ---- what other writers made of the codecs ---- */

Test(codec_gzip, reads_members_after_each_other)
{
  if (!osdear__codec_is_built(CODEC_GZIP))
    return;

  SCOPED(codec_state) state = { 0 };
  size_t first_size, second_size;
  uint8_t *first = pack(&state, CODEC_GZIP, 0, "hello ", 6, &first_size);
  uint8_t *second = pack(&state, CODEC_GZIP, 0, "world", 5, &second_size);
  uint8_t both[200];
  char out[12];

  memcpy(both, first, first_size);
  memcpy(both + first_size, second, second_size);
  cr_assert_eq(unpack(CODEC_GZIP, both, first_size + second_size, out, 11), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "hello world", 11), 0);
  cr_assert_eq(unpack(CODEC_GZIP, both, first_size + second_size, out, 6), OSDEAR_ERR_CORRUPT);
  free(first);
  free(second);
}

Test(codec_gzip, tolerates_the_header_of_zlib)
{
  static const uint8_t zlib[] = { 0x78, 0x9c, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0x02, 0x4d, 0x01, 0x27 }; /* RFC 1950 of "abc" */
  char out[3];

  if (!osdear__codec_is_built(CODEC_GZIP))
    return;
  cr_assert_eq(unpack(CODEC_GZIP, zlib, sizeof zlib, out, 3), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abc", 3), 0);
}

Test(codec_zstd, reads_frames_after_each_other_with_and_without_a_size)
{
  if (!osdear__codec_is_built(CODEC_ZSTD))
    return;

  /* magic, frame header without content size (window 1 KiB), one last raw block of three bytes */
  static const uint8_t unsized[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x19, 0x00, 0x00, 'x', 'y', 'z' };
  SCOPED(codec_state) state = { 0 };
  uint8_t both[200];
  size_t size;
  uint8_t *sized = pack(&state, CODEC_ZSTD, 0, "abc", 3, &size);
  char out[6];

  memcpy(both, sized, size);
  memcpy(both + size, unsized, sizeof unsized);
  cr_assert_eq(unpack(CODEC_ZSTD, both, size + sizeof unsized, out, 6), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abcxyz", 6), 0);
  free(sized);
}

static void put_varint(size_t value, osdear__buf *out)
{
  for (; value >= 0x80; value >>= 7)
    osdear__buf_putc(out, (char)(value | 0x80));
  osdear__buf_putc(out, (char)value);
}

/* 40 bytes as they are, `size` of them from `back` before, and `behind` bytes more. */
static void expect_copy(uint32_t back, uint32_t size, uint32_t kind, size_t behind)
{
  SCOPED(buf) in = { 0 };
  char wanted[256], out[256];
  size_t total = 40 + size + behind;

  put_varint(total, &in);
  osdear__buf_putc(&in, (char)(39 << 2));
  for (size_t i = 0; i < 40; i++)
    osdear__buf_putc(&in, wanted[i] = (char)('A' + i));
  for (size_t i = 40; i < 40 + size; i++)
    wanted[i] = wanted[i - back];
  osdear__buf_putc(&in, (char)(kind == 1 ? (size - 4) << 2 | 1 : (size - 1) << 2 | kind));
  osdear__buf_append(&in, &back, kind == 3 ? 4 : kind);
  for (size_t i = 40 + size; i < total; i++) {
    osdear__buf_putc(&in, 0);
    osdear__buf_putc(&in, wanted[i] = 'z');
  }
  cr_assert_eq(unpack(CODEC_SNAPPY, in.data, in.size, out, total), OSDEAR_OK, "%u back, %u bytes, kind %u", back, size, kind);
  cr_assert_eq(memcmp(out, wanted, total), 0, "%u back, %u bytes, kind %u", back, size, kind);
}

Test(codec_snappy, reads_a_copy_as_its_description_has_it)
{
  /* length 8; literal of 2 "ab"; copy of 6 from 2 back */
  static const uint8_t snappy[] = { 0x08, 0x04, 'a', 'b', 0x09, 0x02 };
  char out[8];

  if (!osdear__codec_is_built(CODEC_SNAPPY))
    return;
  cr_assert_eq(unpack(CODEC_SNAPPY, snappy, sizeof snappy, out, 8), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abababab", 8), 0);
}

/* Each kind of element, with all the lengths that its head can have, near the end and with room behind it. */
Test(codec_snappy, reads_every_element)
{
  static const size_t lengths[] = { 1, 15, 16, 17, 59, 60, 61, 64, 65, 255, 256, 257, 65535, 65536, 65537, 1 << 24 };
  osdear__str text;

  if (!osdear__codec_is_built(CODEC_SNAPPY))
    return;
  for (size_t i = 0; i < COUNT_OF(lengths); i++) {
    SCOPED(buf) in = { 0 };
    uint32_t less = (uint32_t)lengths[i] - 1;
    uint32_t bytes = less < 60 ? 0 : less < 256 ? 1 : less < 65536 ? 2 : less < 1 << 24 ? 3 : 4;
    char *out = malloc(lengths[i]);

    put_varint(lengths[i], &in);
    osdear__buf_putc(&in, (char)(bytes ? (59 + bytes) << 2 : less << 2));
    osdear__buf_append(&in, &less, bytes);
    for (size_t k = 0; k < lengths[i]; k++)
      osdear__buf_putc(&in, (char)(k * 7));
    text = (osdear__str){ in.data + in.size - lengths[i], lengths[i] };
    cr_assert_eq(unpack(CODEC_SNAPPY, in.data, in.size, out, lengths[i]), OSDEAR_OK, "%zu", lengths[i]);
    cr_assert_eq(memcmp(out, text.data, lengths[i]), 0, "%zu", lengths[i]);
    free(out);
  }
  for (uint32_t back = 1; back <= 40; back++) /* copies of one, two and four bytes of distance, which overlap themselves */
    for (uint32_t size = 1; size <= 64; size++)
      for (uint32_t kind = size >= 4 && size <= 11 ? 1 : 2; kind <= 3; kind++)
        for (size_t behind = 0; behind <= 100; behind += 50)
          expect_copy(back, size, kind, behind);
}

Test(codec_snappy, refuses_what_would_leave_its_bounds)
{
  static const struct {
    const char *bytes;
    size_t size, out;
  } hostile[] = {
    { "", 0, 1 },                         /* nothing */
    { "\x04", 1, 4 },                     /* no elements */
    { "\xff\xff\xff\xff\xff\x01", 6, 4 }, /* a length of more than 32 bits */
    { "\xff\xff\xff\xff\x7f"
      "x",
      6, 4 }, /* the same in five bytes */
    { "\x03\x08"
      "ab",
      4, 3 }, /* a literal cut short */
    { "\x03\x0c"
      "abcd",
      6, 3 }, /* longer than the output */
    { "\x03\x08"
      "abc"
      "\0",
      6, 3 }, /* an element after the end */
    { "\x02\xf0\xff"
      "ab",
      5, 2 }, /* a length of its own that lies */
    { "\x02\xfc\xff\xff\xff\xff"
      "ab",
      8, 2 },                 /* the same with four bytes */
    { "\x02\xf4\x01", 3, 2 }, /* cut within it */
    { "\x05\x00"
      "a"
      "\x01\x00",
      5, 5 }, /* a copy from 0 back */
    { "\x05\x00"
      "a"
      "\x01\x02",
      5, 5 }, /* from before the beginning */
    { "\x05\x00"
      "a"
      "\x0f\xff\xff\xff\xff",
      8, 5 }, /* from far before it */
    { "\x04\x00"
      "a"
      "\x01\x01",
      5, 4 }, /* longer than the output */
    { "\x05\x00"
      "a"
      "\x0e\x01",
      5, 5 }, /* cut within its distance */
    { "\x05\x00"
      "a"
      "\x01",
      4, 5 },
  };
  char out[64];

  if (!osdear__codec_is_built(CODEC_SNAPPY))
    return;
  for (size_t i = 0; i < COUNT_OF(hostile); i++)
    cr_assert_eq(unpack(CODEC_SNAPPY, hostile[i].bytes, hostile[i].size, out, hostile[i].out), OSDEAR_ERR_CORRUPT, "%zu", i);
}

Test(codec_lz4, hadoop_blocks_may_have_several_chunks_and_be_several)
{
  /* raw blocks: literal token and bytes */
  static const uint8_t blocks[] = {
    0, 0, 0, 4, 0, 0, 0, 3, 0x20, 'a', 'b', 0, 0, 0, 3, 0x20, 'c', 'd', /* a block of 4 in two chunks */
    0, 0, 0, 1, 0, 0, 0, 2, 0x10, 'e',                                  /* a block of 1 */
  };
  char out[5];

  if (!osdear__codec_is_built(CODEC_LZ4_RAW))
    return;
  cr_assert_eq(unpack(CODEC_LZ4_HADOOP, blocks, sizeof blocks, out, 5), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abcde", 5), 0);
  cr_assert_eq(unpack(CODEC_LZ4_HADOOP, blocks, 18, out, 4), OSDEAR_OK);
  cr_assert_eq(unpack(CODEC_LZ4_HADOOP, blocks, sizeof blocks - 1, out, 5), OSDEAR_ERR_CORRUPT);
}

Test(codec_lz4, the_deprecated_codec_may_hold_a_raw_block_or_a_frame)
{
  static const uint8_t raw[] = { 0x30, 'a', 'b', 'c' };
  /* LZ4 frame: magic, FLG (version 1, independent blocks), BD 64 KiB, header checksum, one uncompressed block, end mark */
  static const uint8_t frame[] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 3, 0, 0, 0x80, 'a', 'b', 'c', 0, 0, 0, 0 };
  char out[3];

  if (!osdear__codec_is_built(CODEC_LZ4_RAW))
    return;
  cr_assert_eq(unpack(CODEC_LZ4_HADOOP, raw, sizeof raw, out, 3), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abc", 3), 0);
  memset(out, 0, sizeof out);
  cr_assert_eq(unpack(CODEC_LZ4_HADOOP, frame, sizeof frame, out, 3), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abc", 3), 0);
  cr_assert_eq(unpack(CODEC_LZ4_HADOOP, frame, sizeof frame - 4, out, 3), OSDEAR_ERR_CORRUPT);
}

Test(codec_brotli, is_read_but_not_written)
{
  /* one metablock, uncompressed: window bits, length 3, "abc", then the empty last metablock */
  static const uint8_t brotli[] = { 0x0b, 0x01, 0x80, 'a', 'b', 'c', 0x03 };
  SCOPED(codec_state) state = { 0 };
  char out[3];
  size_t size;

  if (!osdear__codec_is_built(CODEC_BROTLI))
    return;
  cr_assert_eq(unpack(CODEC_BROTLI, brotli, sizeof brotli, out, 3), OSDEAR_OK);
  cr_assert_eq(memcmp(out, "abc", 3), 0);
  cr_assert_eq(unpack(CODEC_BROTLI, brotli, sizeof brotli, out, 2), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(unpack(CODEC_BROTLI, brotli, sizeof brotli - 1, out, 3), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(osdear__compress(&state, CODEC_BROTLI, 0, "a", 1, out, &size, NULL), OSDEAR_ERR_UNSUPPORTED);
}

#ifdef OSDEAR_FAULTS
static osdear_status there_and_back(osdear__codec codec)
{
  SCOPED(codec_state) state = { 0 };
  char packed[200], out[50] = { 0 };
  size_t size;
  osdear_status st = osdear__compress(&state, codec, 0, out, sizeof out, packed, &size, NULL);

  return st ? st : osdear__decompress(&state, codec, packed, size, out, sizeof out, NULL);
}

Test(codec, survives_every_failing_allocation)
{
  int64_t before = osdear__live();

  for (size_t c = 0; c < COUNT_OF(compressed); c++) {
    if (!osdear__codec_is_built(compressed[c]))
      continue;
    osdear_status st = OSDEAR_ERR_NO_MEMORY;
    for (int64_t n = 0; st; n++) {
      osdear__fault_arm(FAULT_ALLOC, n, false);
      st = there_and_back(compressed[c]);
      osdear__fault_disarm();
      cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
      cr_assert_eq(osdear__live(), before, "%s leaks when allocation %d fails", osdear__codec_name(compressed[c]), (int)n);
    }
  }
}
#endif
