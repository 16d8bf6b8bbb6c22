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

/* ---- what the store is asked for ---- */

/* RFC 3986: a letter, then letters, digits, `+`, `-` and `.`. A colon that no slash follows is part of a name. */
static size_t scheme_length(osdear__str uri)
{
  for (size_t i = 0; i + 1 < uri.size; i++) {
    char c = uri.data[i];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == ':')
      return uri.data[i + 1] == '/' ? i : 0;
    if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
      return 0;
  }
  return 0;
}

bool osdear__path_is_absolute(osdear__str uri)
{
  return (uri.size && uri.data[0] == '/') || scheme_length(uri) > 0;
}

static bool climbs(osdear__str path)
{
  for (size_t i = 0; i + 1 < path.size; i++) {
    bool starts = i == 0 || path.data[i - 1] == '/', ends = i + 2 == path.size || path.data[i + 2] == '/';
    if (starts && ends && path.data[i] == '.' && path.data[i + 1] == '.')
      return true;
  }
  return false;
}

osdear_status osdear__data_path(osdear__str uri, osdear__buf *out, osdear_error **error)
{
  osdear__str plain = without_scheme(uri), path;
  size_t scheme = scheme_length(plain);
  osdear_status st;

  if (scheme > 0 && (starts_with(plain, STR("file:")) || !starts_with(skip(plain, scheme), STR("://"))))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the path `%.*s` is not on this machine, and no store leads there", (int)uri.size,
                        uri.data);
  osdear__buf_clear(out);
  st = osdear__uri_decode(plain, out, error);
  if (st)
    return st;
  path = (osdear__str){ out->data, out->size };
  if (climbs(path))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the path `%.*s` climbs by `..`: what is outside of the table is not read", (int)uri.size,
                        uri.data);
  if (osdear__path_is_absolute(path) && !osdear__path_is_absolute(plain))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the path `%.*s` hides an address behind percent escapes", (int)uri.size, uri.data);
  return OSDEAR_OK;
}
