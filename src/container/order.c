/* Who waits for whom. */
#include <container/stack.h>

bool osdear__needs_next(const char **at, osdear__str *name, osdear__str *word)
{
  const char *text = *at;
  size_t size, colon;

  if (!text || !*text)
    return false;
  size = strcspn(text, ",");
  colon = strcspn(text, ",:");
  *name = (osdear__str){ text, colon };
  *word = (osdear__str){ "", 0 };
  if (colon < size)
    *word = (osdear__str){ text + colon + 1, strcspn(text + colon + 1, ",:") };
  *at = text + size + (text[size] == ',');
  return true;
}

static bool is_among(const osdear__node *nodes, const size_t *order, size_t from, size_t to, osdear__str name)
{
  for (size_t i = from; i < to; i++)
    if (osdear__str_is(name, nodes[order[i]].name))
      return true;
  return false;
}

bool osdear__order(const osdear__node *nodes, size_t count, size_t *order)
{
  for (size_t i = 0; i < count; i++)
    order[i] = i;
  for (size_t done = 0; done < count; done++) {
    size_t next = done;

    /* The first of the rest that needs none of the rest. */
    for (; next < count; next++) {
      const char *at = nodes[order[next]].needs;
      osdear__str name, word;
      bool waits = false;

      while (!waits && osdear__needs_next(&at, &name, &word))
        waits = is_among(nodes, order, done, count, name);
      if (!waits)
        break;
    }
    if (next == count)
      return false;
    for (size_t moved = order[next]; next > done; next--) {
      order[next] = order[next - 1];
      order[next - 1] = moved;
    }
  }
  return true;
}
