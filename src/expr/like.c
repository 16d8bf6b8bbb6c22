/** @file like.c LIKE patterns over UTF-8 characters: taken apart once, matched without backtracking over more than one piece. */
#include "node.h"

static bool is_continuation(char c)
{
  return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t after_character(const char *text, size_t size, size_t at)
{
  at++;
  while (at < size && is_continuation(text[at]))
    at++;
  return at;
}

/* ---- taking the pattern apart ---- */

typedef struct pattern {
  char *text;
  bool *wild;
  size_t size; /* of text so far */
  osdear__like_piece *pieces;
  size_t piece_count;
  size_t any_wild;
} pattern;

static void open_piece(pattern *p)
{
  p->pieces[p->piece_count++] = (osdear__like_piece){ .text = p->text + p->size, .wild = p->wild + p->size };
}

static void add_byte(pattern *p, char c, bool wild)
{
  osdear__like_piece *piece = &p->pieces[p->piece_count - 1];
  p->text[p->size] = c;
  p->wild[p->size++] = wild;
  piece->size++;
  piece->characters += !is_continuation(c);
  p->any_wild += wild;
}

static bool split_pattern(pattern *p, osdear__str text, osdear__str escape, const char **bad)
{
  open_piece(p);
  for (size_t i = 0; i < text.size; i++) {
    bool escaped = escape.size > 0 && text.size - i >= escape.size && memcmp(text.data + i, escape.data, escape.size) == 0;
    if (escaped) {
      i += escape.size;
      osdear__str rest = { text.data + i, text.size - i };
      bool again = rest.size >= escape.size && memcmp(rest.data, escape.data, escape.size) == 0;
      if (!again && (rest.size == 0 || (rest.data[0] != '%' && rest.data[0] != '_'))) {
        *bad = "in a LIKE pattern the escape character stands only before %, _ and itself";
        return false;
      }
      size_t size = again ? escape.size : 1;
      for (size_t k = 0; k < size; k++)
        add_byte(p, rest.data[k], false);
      i += size - 1;
    } else if (text.data[i] == '%') {
      open_piece(p);
    } else {
      add_byte(p, text.data[i], text.data[i] == '_');
    }
  }
  return true;
}

/* The forms that need no search by pieces. */
static void classify(osdear__like *like, const pattern *p)
{
  const osdear__like_piece *first = &like->pieces[0];
  const osdear__like_piece *last = &like->pieces[like->piece_count - 1];
  size_t fixed = 0;

  like->kind = LIKE_GENERAL;
  while (fixed < first->size && !first->wild[fixed])
    fixed++;
  like->fixed = (osdear__str){ first->text, fixed };
  if (p->any_wild)
    return;
  if (like->piece_count == 1) {
    like->kind = LIKE_EXACT;
  } else if (like->piece_count == 2 && last->size == 0) {
    like->kind = LIKE_PREFIX;
  } else if (like->piece_count == 2 && first->size == 0) {
    like->kind = LIKE_SUFFIX;
    like->fixed = (osdear__str){ last->text, last->size };
  } else if (like->piece_count == 3 && first->size == 0 && last->size == 0) {
    like->kind = LIKE_CONTAINS;
    like->fixed = (osdear__str){ like->pieces[1].text, like->pieces[1].size };
  }
}

bool osdear__like_new(osdear__arena *arena, osdear__str text, osdear__str escape, const osdear__like **out, const char **bad)
{
  pattern p = { 0 };
  size_t percents = 0;
  *bad = NULL;
  if (escape.size > 0 && after_character(escape.data, escape.size, 0) != escape.size) {
    *bad = "the escape of LIKE is one character";
    return false;
  }
  for (size_t i = 0; i < text.size; i++)
    percents += text.data[i] == '%';
  osdear__like *like = osdear__arena_zeroed(arena, 1, sizeof *like);
  p.text = osdear__arena_alloc(arena, text.size + 1);
  p.wild = osdear__arena_alloc(arena, text.size + 1);
  p.pieces = osdear__arena_zeroed(arena, percents + 1, sizeof *p.pieces);
  if (!like || !p.text || !p.wild || !p.pieces || !split_pattern(&p, text, escape, bad))
    return false;
  like->pieces = p.pieces;
  like->piece_count = p.piece_count;
  classify(like, &p);
  *out = like;
  return true;
}

/* ---- matching ---- */

/* Does the piece match from `at` on? Where it ends, or SIZE_MAX. */
static size_t match_at(const osdear__like_piece *piece, const char *text, size_t size, size_t at)
{
  for (size_t i = 0; i < piece->size; i++) {
    if (at >= size)
      return SIZE_MAX;
    if (piece->wild[i]) {
      at = after_character(text, size, at);
    } else if (text[at] == piece->text[i]) {
      at++;
    } else {
      return SIZE_MAX;
    }
  }
  return at;
}

/* The leftmost match at or after `at`: where it ends, or SIZE_MAX. */
static size_t find_piece(const osdear__like_piece *piece, const char *text, size_t size, size_t at)
{
  while (at <= size) {
    if (piece->size > 0 && !piece->wild[0]) {
      const char *found = at < size ? memchr(text + at, piece->text[0], size - at) : NULL;
      if (!found)
        return SIZE_MAX;
      at = (size_t)(found - text);
    }
    size_t end = match_at(piece, text, size, at);
    if (end != SIZE_MAX)
      return end;
    if (at == size)
      return SIZE_MAX;
    at = after_character(text, size, at);
  }
  return SIZE_MAX;
}

static bool match_pieces(const osdear__like *like, const char *text, size_t size)
{
  size_t count = like->piece_count;
  size_t at = match_at(&like->pieces[0], text, size, 0);
  if (at == SIZE_MAX || count == 1)
    return at == size;
  for (size_t i = 1; i + 1 < count; i++) {
    at = find_piece(&like->pieces[i], text, size, at);
    if (at == SIZE_MAX)
      return false;
  }
  /* The last piece stands at the end: as many characters back as it has. */
  const osdear__like_piece *last = &like->pieces[count - 1];
  size_t from = size;
  for (size_t left = last->characters; left > 0; left--) {
    if (from <= at)
      return false;
    from--;
    while (from > at && is_continuation(text[from]))
      from--;
  }
  return match_at(last, text, size, from) == size;
}

bool osdear__like_matches(const osdear__like *like, const char *text, size_t size)
{
  osdear__str fixed = like->fixed;
  switch (like->kind) {
  case LIKE_EXACT: return size == fixed.size && memcmp(text, fixed.data, size) == 0;
  case LIKE_PREFIX: return size >= fixed.size && memcmp(text, fixed.data, fixed.size) == 0;
  case LIKE_SUFFIX: return size >= fixed.size && memcmp(text + size - fixed.size, fixed.data, fixed.size) == 0;
  case LIKE_CONTAINS: return fixed.size == 0 || (size >= fixed.size && memmem(text, size, fixed.data, fixed.size));
  default: return match_pieces(like, text, size);
  }
}
