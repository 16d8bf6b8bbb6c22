/* Widths of characters by ranges of Unicode. */
#include "cells.h"

typedef struct range {
  uint32_t first, last;
} range;

static const range combining[] = {
  { 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },   { 0x610, 0x61a },   { 0x64b, 0x65f },   { 0x93a, 0x93c },
  { 0x941, 0x948 },   { 0xe31, 0xe31 },   { 0xe34, 0xe3a },   { 0xe47, 0xe4e },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
  { 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};
static const range wide[] = {
  { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },
  { 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
  { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
  { 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool is_in(const range *ranges, size_t count, uint32_t point)
{
  for (size_t i = 0; i < count && point >= ranges[i].first; i++) {
    if (point <= ranges[i].last)
      return true;
  }
  return false;
}

static size_t width_of(uint32_t point)
{
  if (point < 0x300)
    return 1;
  if (is_in(combining, COUNT_OF(combining), point))
    return 0;
  return is_in(wide, COUNT_OF(wide), point) ? 2 : 1;
}

/* The character at the front of valid UTF-8, and its bytes. */
static uint32_t point_at(osdear__str text, size_t at, size_t *size)
{
  unsigned char lead = (unsigned char)text.data[at];
  size_t count = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint32_t point = count == 1 ? lead : lead & (0x7fu >> count);

  if (count > text.size - at)
    count = text.size - at;
  for (size_t i = 1; i < count; i++)
    point = point << 6 | ((unsigned char)text.data[at + i] & 0x3f);
  *size = count;
  return point;
}

size_t osdear__cells_cut(osdear__str text, size_t cells)
{
  size_t at = 0, taken = 0;

  while (at < text.size) {
    size_t size, width = width_of(point_at(text, at, &size));
    if (taken + width > cells)
      break;
    taken += width;
    at += size;
  }
  return at;
}

size_t osdear__cells_of(osdear__str text)
{
  size_t cells = 0, size;

  for (size_t at = 0; at < text.size; at += size)
    cells += width_of(point_at(text, at, &size));
  return cells;
}
