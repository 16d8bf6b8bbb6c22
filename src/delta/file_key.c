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

/* ---- components ---- */

/* Where the first component starts: behind the root, or behind a scheme with its authority. */
static size_t first_component(osdear__str path)
{
  size_t at = scheme_length(path);
  const char *slash;

  if (at == 0)
    return path.size && path.data[0] == '/';
  if (!starts_with(skip(path, at), STR("://")))
    return at + 2;
  slash = memchr(path.data + at + 3, '/', path.size - at - 3);
  return slash ? (size_t)(slash - path.data) + 1 : path.size;
}

/* `size` bytes at `from` end with a slash; where the last component of them starts. */
static size_t last_component(const char *text, size_t from, size_t size)
{
  size_t at = size - 1;

  while (at > from && text[at - 1] != '/')
    at--;
  return at;
}

bool osdear__path_resolve(osdear__buf *path)
{
  size_t from = first_component((osdear__str){ path->data, path->size }), size = from, end;
  char *text = path->data;

  for (size_t at = from; at < path->size; at = end + 1) {
    osdear__str part = { text + at, 0 };
    for (end = at; end < path->size && text[end] != '/'; end++)
      continue;
    part.size = end - at;
    if (part.size == 0 || osdear__str_is(part, "."))
      continue;
    if (osdear__str_is(part, "..")) {
      if (size == from)
        return false;
      size = last_component(text, from, size);
      continue;
    }
    memmove(text + size, part.data, part.size + (end < path->size));
    size += part.size + (end < path->size);
  }
  path->size = size;
  text[size] = '\0';
  return size > from;
}

/* ---- keys ---- */

/* Whether the path is as it stands what osdear__canonical_path() makes of it. */
static bool is_canonical(osdear__str path)
{
  for (size_t i = 0; i < path.size; i++) {
    bool starts = i == 0 || path.data[i - 1] == '/';
    if (path.data[i] == '%' || path.data[i] == ' ' || (starts && (path.data[i] == '.' || (path.data[i] == '/' && i > 0))))
      return false;
  }
  return !starts_with(path, STR("file:/"));
}

/* Escapes stay as they are, in capitals; a blank that should have been one becomes one. */
static void append_escaped(osdear__str path, osdear__buf *out)
{
  for (size_t i = 0; i < path.size; i++) {
    char c = path.data[i];
    bool is_digit = (i > 0 && path.data[i - 1] == '%') || (i > 1 && path.data[i - 2] == '%');
    if (c == ' ')
      osdear__buf_puts(out, "%20");
    else
      osdear__buf_putc(out, is_digit && c >= 'a' && c <= 'f' ? (char)(c - ('a' - 'A')) : c);
  }
}

osdear_status osdear__canonical_path(osdear__str path, osdear__buf *scratch, osdear__str *out, osdear_error **error)
{
  osdear__str plain = without_scheme(path);
  osdear_status st = OSDEAR_OK;

  *out = path;
  if (is_canonical(path))
    return OSDEAR_OK;
  osdear__buf_clear(scratch);
  if (plain.data[0] == '/')
    st = osdear__uri_decode(plain, scratch, error);
  else
    append_escaped(plain, scratch);
  if (!st)
    st = osdear__buf_check(scratch, error);
  if (st == OSDEAR_ERR_CORRUPT)
    return osdear__fail_within(error, st, "the path `%.*s`", (int)path.size, path.data);
  if (st)
    return st;
  if (!osdear__path_resolve(scratch))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the path `%.*s` climbs out of its folder", (int)path.size, path.data);
  *out = (osdear__str){ scratch->data, scratch->size };
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

osdear_status osdear__file_key(const osdear__file *file, osdear__buf *scratch, osdear__str *out, osdear_error **error)
{
  osdear__str path;
  osdear_status st = osdear__canonical_path(file->path, scratch, &path, error);

  if (st)
    return st;
  if (file->dv.storage)
    return add_vector(path, &file->dv, scratch, out, error);
  *out = path;
  return OSDEAR_OK;
}

/* ---- what the store is asked for ---- */

osdear_status osdear__data_path(osdear__str uri, osdear__buf *out, osdear_error **error)
{
  osdear__str plain = without_scheme(uri), path;
  size_t scheme = scheme_length(plain);
  osdear_status st;

  if (scheme > 0 && (starts_with(plain, STR("file:")) || !starts_with(skip(plain, scheme), STR("://"))))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the path `%.*s` is not on this machine, and no store leads there",
                        (int)uri.size, uri.data);
  osdear__buf_clear(out);
  st = osdear__uri_decode(plain, out, error);
  if (st)
    return st;
  if (!osdear__path_resolve(out))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the path `%.*s` climbs by `..`: what is outside of the table is not read",
                        (int)uri.size, uri.data);
  path = (osdear__str){ out->data, out->size };
  if (osdear__path_is_absolute(path) && !osdear__path_is_absolute(plain))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the path `%.*s` hides an address behind percent escapes", (int)uri.size,
                        uri.data);
  return OSDEAR_OK;
}
