#include <container/container.h>
#include <criterion/criterion.h>

/* Gives the bytes in pieces of `step`; what comes out is collected as "1:text 2:text ". */
static osdear_status collect(const char *bytes, size_t size, size_t step, bool is_raw, osdear__buf *out)
{
  osdear__demux demux = { .is_raw = is_raw };
  osdear_channel last = -1;

  for (size_t at = 0; at < size; at += step) {
    osdear__str data = { bytes + at, size - at < step ? size - at : step };

    while (data.size) {
      osdear__str piece;
      osdear_status st = osdear__demux_next(&demux, &data, &piece, NULL);

      if (st)
        return st;
      if (piece.size && demux.channel != last)
        osdear__buf_printf(out, "%d:", demux.channel);
      if (piece.size)
        last = demux.channel;
      osdear__buf_append(out, piece.data, piece.size);
    }
  }
  osdear__buf_putc(out, '\0');
  return OSDEAR_OK;
}

static const char frames[] = "\1\0\0\0\0\0\0\5out1\n\2\0\0\0\0\0\0\5err1\n\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2ab";

Test(demux, frames_come_out_in_order_however_they_are_cut)
{
  for (size_t step = 1; step <= sizeof frames - 1; step++) {
    SCOPED(buf) out = { 0 };
    cr_assert_eq(collect(frames, sizeof frames - 1, step, false, &out), OSDEAR_OK);
    cr_assert_str_eq(out.data, "1:out1\n2:err1\n1:ab", "in pieces of %zu", step);
  }
}

Test(demux, a_terminal_s_bytes_are_standard_output)
{
  SCOPED(buf) out = { 0 };

  cr_assert_eq(collect("\2\0ab", 4, 3, true, &out), OSDEAR_OK);
  cr_assert_eq(memcmp(out.data, "1:\2\0ab", 6), 0);
}

Test(demux, what_is_no_frame_is_corrupt)
{
  SCOPED(buf) out = { 0 };

  cr_assert_eq(collect("hello, world", 12, 12, false, &out), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(collect("\1\0\0\1\0\0\0\1a", 9, 9, false, &out), OSDEAR_ERR_CORRUPT);
}

Test(demux, a_failure_told_in_place_of_a_frame_cuts_the_stream)
{
  SCOPED(buf) out = { 0 };

  cr_assert_eq(collect("\1\0\0\0\0\0\0\1a{\"cause\":\"x\"}", 22, 22, false, &out), OSDEAR_ERR_UNAVAILABLE);
}
