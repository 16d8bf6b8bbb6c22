/** @file lexer.c SQL text to tokens. */
#include "node.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* Letters of other scripts need no quotes: every byte above ASCII counts as one. */
static bool starts_name(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Past white space and comments: "-- to the end of the line" and "slash star … star slash". */
static osdear_status skip_space(const osdear__expr_maker *maker, size_t *at, osdear_error **error)
{
  osdear__str sql = maker->sql;
  size_t i = *at;
  for (;;) {
    if (i < sql.size && is_space(sql.data[i])) {
      i++;
    } else if (i + 1 < sql.size && sql.data[i] == '-' && sql.data[i + 1] == '-') {
      const char *end = memchr(sql.data + i, '\n', sql.size - i);
      i = end ? (size_t)(end - sql.data) : sql.size;
    } else if (i + 1 < sql.size && sql.data[i] == '/' && sql.data[i + 1] == '*') {
      const char *end = memmem(sql.data + i + 2, sql.size - i - 2, "*/", 2);
      if (!end)
        return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, sql.data + i, error, "comment without an end");
      i = (size_t)(end - sql.data) + 2;
    } else {
      break;
    }
  }
  *at = i;
  return OSDEAR_OK;
}

/* The text between quotes, in which the quote stands for itself when it is doubled. */
static osdear_status lex_quoted(const osdear__expr_maker *maker, size_t from, size_t *size, osdear__str *value,
                                osdear_error **error)
{
  const char *text = maker->sql.data + from;
  size_t left = maker->sql.size - from;
  char quote = text[0];
  size_t end = 1;
  size_t doubled = 0;

  for (; end < left; end++) {
    if (text[end] != quote)
      continue;
    if (end + 1 == left || text[end + 1] != quote)
      break;
    doubled++;
    end++;
  }
  if (end >= left)
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, text, error, "no closing %c", quote);

  *size = end + 1;
  *value = (osdear__str){ text + 1, end - 1 };
  if (doubled == 0)
    return OSDEAR_OK;
  char *plain = osdear__arena_alloc(maker->arena, end);
  if (!plain)
    return osdear__fail_memory(error);
  size_t length = 0;
  for (size_t i = 1; i < end; i++) {
    plain[length++] = text[i];
    if (text[i] == quote)
      i++;
  }
  *value = (osdear__str){ plain, length };
  return OSDEAR_OK;
}

/* Digits, fraction, exponent, and whatever name-like suffix follows: the literal's reader judges it. */
static size_t number_size(const char *text, size_t left)
{
  size_t i = 0;
  while (i < left && is_digit(text[i]))
    i++;
  if (i < left && text[i] == '.') {
    i++;
    while (i < left && is_digit(text[i]))
      i++;
  }
  if (i < left && (text[i] == 'e' || text[i] == 'E')) {
    size_t digits = i + 1 < left && (text[i + 1] == '+' || text[i + 1] == '-') ? i + 2 : i + 1;
    if (digits < left && is_digit(text[digits])) {
      i = digits;
      while (i < left && is_digit(text[i]))
        i++;
    }
  }
  while (i < left && (starts_name(text[i]) || is_digit(text[i])))
    i++;
  return i;
}

static size_t symbol_size(const char *text, size_t left)
{
  static const char *const symbols[] = { "<=>", "<=", ">=", "<>", "!=", "==", "||", "::" };
  for (size_t i = 0; i < COUNT_OF(symbols); i++) {
    size_t size = strlen(symbols[i]);
    if (left >= size && memcmp(text, symbols[i], size) == 0)
      return size;
  }
  return strchr("=<>+-*/%(),.[]", text[0]) ? 1 : 0;
}

osdear_status osdear__expr_lex(const osdear__expr_maker *maker, size_t *at, osdear__token *out, osdear_error **error)
{
  osdear_status st = skip_space(maker, at, error);
  if (st)
    return st;
  const char *text = maker->sql.data + *at;
  size_t left = maker->sql.size - *at;
  osdear__token token = { .kind = TOKEN_END, .source = { text, 0 } };

  if (left > 0 && (is_digit(text[0]) || (text[0] == '.' && left > 1 && is_digit(text[1])))) {
    token.kind = TOKEN_NUMBER;
    token.source.size = number_size(text, left);
  } else if (left > 1 && (text[0] == 'x' || text[0] == 'X') && text[1] == '\'') {
    token.kind = TOKEN_HEX;
    st = lex_quoted(maker, *at + 1, &token.source.size, &token.value, error);
    token.source.size++;
  } else if (left > 0 && starts_name(text[0])) {
    token.kind = TOKEN_NAME;
    while (token.source.size < left && (starts_name(text[token.source.size]) || is_digit(text[token.source.size])))
      token.source.size++;
  } else if (left > 0 && (text[0] == '`' || text[0] == '"' || text[0] == '\'')) {
    token.kind = text[0] == '\'' ? TOKEN_STRING : TOKEN_QUOTED;
    st = lex_quoted(maker, *at, &token.source.size, &token.value, error);
  } else if (left > 0) {
    token.kind = TOKEN_SYMBOL;
    token.source.size = text[0] ? symbol_size(text, left) : 0;
    if (token.source.size == 0)
      return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, text, error, "unexpected character");
  }
  if (st)
    return st;
  if (!token.value.data)
    token.value = token.source;
  *at += token.source.size;
  *out = token;
  return OSDEAR_OK;
}
