#include <codec/ops.h>

#include <criterion/criterion.h>

/* A stream of bytes that repeats in every run. */
static void fill(uint8_t *out, size_t size, uint32_t seed)
{
  for (size_t i = 0; i < size; i++) {
    seed = seed * 1664525 + 1013904223;
    out[i] = (uint8_t)(seed >> 24);
  }
}

Test(crc32, gives_the_check_value_of_its_definition)
{
  cr_assert_eq(osdear__crc32(0, "123456789", 9), 0xcbf43926);
  cr_assert_eq(osdear__crc32(0, "", 0), 0);
  cr_assert_eq(osdear__crc32(0, "a", 1), 0xe8b7be43);
}

Test(crc32, goes_on_from_where_it_stopped)
{
  uint8_t data[500];
  fill(data, sizeof data, 1);
  for (size_t cut = 0; cut <= sizeof data; cut++)
    cr_assert_eq(osdear__crc32(osdear__crc32(0, data, cut), data + cut, sizeof data - cut), osdear__crc32(0, data, sizeof data));
}

Test(crc32, wide_instructions_agree_with_the_tables_at_every_size_and_alignment)
{
  uint8_t data[700];
  fill(data, sizeof data, 2);
  for (size_t from = 0; from < 17; from++)
    for (size_t size = 0; size + from <= sizeof data; size++)
      cr_assert_eq(osdear__crc32(0, data + from, size), ~osdear__crc32_tables(UINT32_MAX, data + from, size),
                   "from %zu, %zu bytes", from, size);
}

Test(xxh64, gives_the_reference_values)
{
  /* From the reference implementation's own sanity test: bytes of a generator that starts at PRIME32 and is squared. */
  uint8_t data[222];
  uint64_t generator = 2654435761U;
  for (size_t i = 0; i < sizeof data; i++) {
    data[i] = (uint8_t)(generator >> 56);
    generator *= UINT64_C(11400714785074694797);
  }
  cr_assert_eq(osdear__xxh64(data, 0, 0), UINT64_C(0xEF46DB3751D8E999));
  cr_assert_eq(osdear__xxh64(data, 1, 0), UINT64_C(0xE934A84ADB052768));
  cr_assert_eq(osdear__xxh64(data, 4, 0), UINT64_C(0x9136A0DCA57457EE));
  cr_assert_eq(osdear__xxh64(data, 14, 0), UINT64_C(0x8282DCC4994E35C8));
  cr_assert_eq(osdear__xxh64(data, 222, 0), UINT64_C(0xB641AE8CB691C174));
  cr_assert_eq(osdear__xxh64(data, 222, 2654435761U), UINT64_C(0x20CB8AB7AE10C14A));
}

Test(md5, gives_the_digests_of_rfc_1321)
{
  static const struct {
    const char *text, *digest;
  } cases[] = {
    { "", "d41d8cd98f00b204e9800998ecf8427e" },
    { "a", "0cc175b9c0f1b6a831c399e269772661" },
    { "abc", "900150983cd24fb0d6963f7d28e17f72" },
    { "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
    { "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
    { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f" },
    { "12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a" },
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char digest[33];
    osdear__md5_hex(cases[i].text, strlen(cases[i].text), digest);
    cr_assert_str_eq(digest, cases[i].digest);
  }
}

Test(md5, pads_rightly_around_a_block)
{
  /* Digests of n times 'x', by another implementation. */
  char data[64], digest[33];
  memset(data, 'x', sizeof data);
  osdear__md5_hex(data, 55, digest);
  cr_assert_str_eq(digest, "04364420e25c512fd958a70738aa8f72");
  osdear__md5_hex(data, 56, digest);
  cr_assert_str_eq(digest, "668a72d5ba17f08e62dabcafad6db14b");
  osdear__md5_hex(data, 64, digest);
  cr_assert_str_eq(digest, "c1bb4f81d892b2d57947682aeb252456");
}
