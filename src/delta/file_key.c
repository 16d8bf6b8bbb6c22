/* One file, many spellings: keys by which actions of the same file find each other. */
#include <delta/replay.h>

static bool starts_with(osdear__str text, osdear__str prefix)
{
  return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

static osdear__str skip(osdear__str text, size_t count)
{
  return (osdear__str){ text.data + count, text.size - count };
}

/* `file:///p`, `file://localhost/p` and `file:/p` are `/p`. */
static osdear__str without_scheme(osdear__str path)
{
  if (!starts_with(path, STR("file:/")))
    return path;
  path = skip(path, 5);
  if (starts_with(path, STR("//localhost/")))
    return skip(path, 11);
  return starts_with(path, STR("///")) ? skip(path, 2) : path;
}

osdear_status osdear__canonical_path(osdear__str path, const char *root, osdear__buf *scratch, osdear__str *out, osdear_error **error)
{
  osdear__str base = without_scheme(osdear__str_of(root));
  osdear_status st;

  if (memchr(path.data, '%', path.size)) {
    osdear__buf_clear(scratch);
    st = osdear__uri_decode(path, scratch, error);
    if (st == OSDEAR_ERR_NO_MEMORY)
      return st;
    if (st)
      return osdear__fail_because(error, OSDEAR_ERR_CORRUPT, "the path `%.*s` is no URI", (int)path.size, path.data);
    path = (osdear__str){ scratch->data, scratch->size };
  }
  path = without_scheme(path);
  if (starts_with(path, base) && path.size > base.size + 1 && path.data[base.size] == '/' && base.size)
    path = skip(path, base.size + 1);
  while (starts_with(path, STR("./")) && path.size > 2)
    path = skip(path, 2);
  *out = path;
  return OSDEAR_OK;
}

/* Behind a NUL, which no path holds. */
static osdear_status add_vector(osdear__str path, const osdear__deletion_vector *dv, osdear__buf *scratch, osdear__str *out,
                                osdear_error **error)
{
  osdear_status st;

  if (scratch->size && path.data >= scratch->data && path.data < scratch->data + scratch->size) {
    memmove(scratch->data, path.data, path.size);
    scratch->size = path.size;
  } else {
    osdear__buf_clear(scratch);
    osdear__buf_append(scratch, path.data, path.size);
  }
  osdear__buf_putc(scratch, '\0');
  osdear__buf_putc(scratch, dv->storage);
  osdear__buf_append(scratch, dv->path.data, dv->path.size);
  if (dv->offset >= 0)
    osdear__buf_printf(scratch, "@%" PRId64, dv->offset);
  st = osdear__buf_check(scratch, error);
  if (!st)
    *out = (osdear__str){ scratch->data, scratch->size };
  return st;
}

osdear_status osdear__file_key(const osdear__file *file, const char *root, osdear__buf *scratch, osdear__str *out, osdear_error **error)
{
  osdear__str path;
  osdear_status st = osdear__canonical_path(file->path, root, scratch, &path, error);

  if (st)
    return st;
  if (file->dv.storage)
    return add_vector(path, &file->dv, scratch, out, error);
  *out = path;
  return OSDEAR_OK;
}
