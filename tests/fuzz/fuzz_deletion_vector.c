/* Any bytes as a deletion vector: what is accepted counts the same, however it is asked. */
#include <delta/row_set.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WINDOW 1000

static int64_t count_marks(const osdear__row_set *set, int64_t from)
{
  uint8_t marks[WINDOW] = { 0 };
  int64_t count = 0;

  osdear__row_set_mark(set, from, WINDOW, marks);
  for (size_t i = 0; i < WINDOW; i++)
    count += marks[i];
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  AUTO(row_set) set = NULL;
  char *copy = osdear__alloc(size + 1);
  int64_t last;

  if (!copy)
    return 0;
  memcpy(copy, data, size);
  if (osdear__row_set_open(copy, size, &set, NULL))
    return 0;
  last = osdear__row_set_last(set);
  if (osdear__row_set_count_within(set, 0, last + 1) != osdear__row_set_count(set))
    abort();
  for (int64_t from = last < 70000 ? 0 : last - 70000; from <= last; from += WINDOW)
    if (count_marks(set, from) != osdear__row_set_count_within(set, from, from + WINDOW))
      abort();
  return 0;
}
