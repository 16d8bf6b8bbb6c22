/** @file checkpoint_hint.c The file _last_checkpoint: which checkpoint is the newest, and a checksum that tells a torn file. */
#include <delta/log/log.h>
#include <delta/write.h>

#include <stdlib.h>

/* The schema of a checkpoint may be in it. */
#define MOST_BYTES ((size_t)16 << 20)

/* A leaf of the object: where it stands, and what. */
typedef struct leaf {
  osdear__str path;
  osdear__str value;
} leaf;

typedef struct canon {
  osdear__arena arena;
  osdear__buf path;
  leaf *leaves;
  size_t count;
  size_t room;
} canon;

static void put_url_encoded(osdear__buf *out, osdear__str text)
{
  static const char digits[] = "0123456789ABCDEF";

  osdear__buf_putc(out, '"');
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.data[i];
    bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                         c == '_' || c == '~';
    if (is_unreserved) {
      osdear__buf_putc(out, (char)c);
    } else {
      char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };
      osdear__buf_append(out, escaped, sizeof escaped);
    }
  }
  osdear__buf_putc(out, '"');
}

static osdear_status copy_text(canon *self, const osdear__buf *text, osdear__str *out, osdear_error **error)
{
  osdear_status st = osdear__buf_check(text, error);
  char *copy;

  if (st)
    return st;
  copy = osdear__arena_strndup(&self->arena, text->data ? text->data : "", text->size);
  *out = (osdear__str){ copy, text->size };
  return copy ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status add_leaf(canon *self, const osdear__json *value, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  leaf made;
  osdear_status st;

  if (value->kind == JSON_IS_STRING)
    put_url_encoded(&text, value->text);
  else if (value->kind == JSON_IS_NUMBER)
    osdear__buf_append(&text, value->text.data, value->text.size);
  else
    osdear__buf_puts(&text, value->kind == JSON_IS_NULL ? "null" : value->truth ? "true" : "false");
  st = copy_text(self, &self->path, &made.path, error);
  if (!st)
    st = copy_text(self, &text, &made.value, error);
  if (st)
    return st;
  if (self->count == self->room) {
    size_t room = self->room ? self->room * 2 : 16;
    leaf *leaves = osdear__realloc_array(self->leaves, room, sizeof *leaves);
    if (!leaves)
      return osdear__fail_memory(error);
    self->leaves = leaves;
    self->room = room;
  }
  self->leaves[self->count++] = made;
  return OSDEAR_OK;
}

/* Depth is bounded by the parser's. */
static osdear_status walk(canon *self, const osdear__json *value, bool is_top, osdear_error **error)
{
  size_t before = self->path.size;
  osdear_status st = OSDEAR_OK;

  if (value->kind != JSON_IS_OBJECT && value->kind != JSON_IS_ARRAY)
    return add_leaf(self, value, error);
  for (size_t i = 0; i < value->count && !st; i++) {
    if (is_top && value->kind == JSON_IS_OBJECT && osdear__str_is(value->keys[i], "checksum"))
      continue;
    if (!is_top)
      osdear__buf_putc(&self->path, '+');
    if (value->kind == JSON_IS_OBJECT)
      put_url_encoded(&self->path, value->keys[i]);
    else
      osdear__buf_printf(&self->path, "%zu", i);
    st = walk(self, &value->items[i], false, error);
    self->path.size = before;
  }
  return st;
}

static int compare_leaves(const void *a, const void *b)
{
  return osdear__str_compare(((const leaf *)a)->path, ((const leaf *)b)->path);
}

static osdear_status join(canon *self, char out[33], osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  if (self->count > 1)
    qsort(self->leaves, self->count, sizeof *self->leaves, compare_leaves);
  for (size_t i = 0; i < self->count; i++) {
    if (i > 0 && osdear__str_equal(self->leaves[i - 1].path, self->leaves[i].path))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the key %.*s stands twice in an object", (int)self->leaves[i].path.size,
                          self->leaves[i].path.data);
    if (i > 0)
      osdear__buf_putc(&text, ',');
    osdear__buf_append(&text, self->leaves[i].path.data, self->leaves[i].path.size);
    osdear__buf_putc(&text, '=');
    osdear__buf_append(&text, self->leaves[i].value.data, self->leaves[i].value.size);
  }
  st = osdear__buf_check(&text, error);
  if (!st)
    osdear__md5_hex(text.data ? text.data : "", text.size, out);
  return st;
}

osdear_status osdear__json_checksum(const osdear__json *object, char out[33], osdear_error **error)
{
  canon self = { 0 };
  osdear_status st = walk(&self, object, true, error);

  if (!st)
    st = join(&self, out, error);
  osdear__free(self.leaves);
  osdear__buf_drop(&self.path);
  osdear__arena_drop(&self.arena);
  return st;
}

osdear_status osdear__checkpoint_hint_print(int64_t version, int64_t actions, int64_t size_bytes, int64_t add_count,
                                            osdear__buf *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *object = NULL;
  char checksum[33];
  osdear_status st;

  osdear__buf_printf(out,
                     "{\"version\":%" PRId64 ",\"size\":%" PRId64 ",\"sizeInBytes\":%" PRId64 ",\"numOfAddFiles\":%" PRId64 "}",
                     version, actions, size_bytes, add_count);
  st = osdear__buf_check(out, error);
  if (!st)
    st = osdear__json_read((osdear__str){ out->data, out->size }, "_last_checkpoint", &arena, &object, error);
  if (!st)
    st = osdear__json_checksum(object, checksum, error);
  if (st)
    return st;
  out->size--; /* the closing brace */
  osdear__buf_printf(out, ",\"checksum\":\"%s\"}", checksum);
  return osdear__buf_check(out, error);
}

/* ---- reading ---- */

osdear_status osdear__checkpoint_hint_read(osdear__str text, int64_t *version, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *object = NULL;
  const osdear__json *field, *checksum;
  char computed[33];
  osdear_status st = osdear__json_read(text, "_last_checkpoint", &arena, &object, NULL);

  *version = -1;
  if (st)
    return st == OSDEAR_ERR_NO_MEMORY ? osdear__fail_memory(error) : OSDEAR_OK;
  checksum = osdear__json_get(object, "checksum");
  if (checksum && checksum->kind == JSON_IS_STRING) {
    st = osdear__json_checksum(object, computed, NULL);
    if (st == OSDEAR_ERR_NO_MEMORY)
      return osdear__fail_memory(error);
    if (st || !osdear__str_equal_nocase(checksum->text, osdear__str_of(computed)))
      return OSDEAR_OK;
  }
  field = osdear__json_get(object, "version");
  if (!field || field->kind != JSON_IS_NUMBER || !osdear__parse_i64(field->text, version) || *version < 0 ||
      *version == INT64_MAX) /* none could come after it */
    *version = -1;
  return OSDEAR_OK;
}

osdear_status osdear__last_checkpoint(osdear__store *store, int64_t *version, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st = osdear__store_get(store, "_delta_log/_last_checkpoint", MOST_BYTES, &text, NULL);

  *version = -1;
  if (st)
    return st == OSDEAR_ERR_NO_MEMORY ? osdear__fail_memory(error) : OSDEAR_OK;
  return osdear__checkpoint_hint_read((osdear__str){ text.data, text.size }, version, error);
}
