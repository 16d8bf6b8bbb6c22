/** @file parser.c SQL tokens to a tree, by operator precedence. Names and types are the binder's matter. */
#include "node.h"

enum { BINDS_NOTHING, BINDS_OR, BINDS_AND, BINDS_NOT, BINDS_COMPARISON, BINDS_SUM, BINDS_PRODUCT, BINDS_SIGN };

typedef struct parser {
  const osdear__expr_maker *maker;
  size_t at; /* behind `token` */
  osdear__token token;
  int32_t depth; /* of recursion */
} parser;

static osdear_status parse_level(parser *p, int floor, osdear__expr **out, osdear_error **error);

/* ---- tokens ---- */

static osdear_status advance(parser *p, osdear_error **error)
{
  return osdear__expr_lex(p->maker, &p->at, &p->token, error);
}

static bool is_word(const parser *p, const char *word)
{
  return p->token.kind == TOKEN_NAME && osdear__str_equal_nocase(p->token.source, osdear__str_of(word));
}

static bool is_symbol(const parser *p, const char *symbol)
{
  return p->token.kind == TOKEN_SYMBOL && osdear__str_is(p->token.source, symbol);
}

static osdear_status expected(const parser *p, const char *what, osdear_error **error)
{
  osdear__str found = p->token.source;
  if (p->token.kind == TOKEN_END)
    return osdear__expr_fail(p->maker, OSDEAR_ERR_ARGUMENT, found.data, error, "expected %s, found the end of the text", what);
  return osdear__expr_fail(p->maker, OSDEAR_ERR_ARGUMENT, found.data, error, "expected %s, found '%.*s'", what,
                           (int)(found.size < 60 ? found.size : 60), found.data);
}

/* Takes a word or symbol if it is next. */
static osdear_status take_word(parser *p, const char *word, bool *taken, osdear_error **error)
{
  *taken = is_word(p, word);
  return *taken ? advance(p, error) : OSDEAR_OK;
}

static osdear_status take_symbol(parser *p, const char *symbol, bool *taken, osdear_error **error)
{
  *taken = is_symbol(p, symbol);
  return *taken ? advance(p, error) : OSDEAR_OK;
}

static osdear_status need_word(parser *p, const char *word, osdear_error **error)
{
  return is_word(p, word) ? advance(p, error) : expected(p, word, error);
}

static osdear_status need_symbol(parser *p, const char *symbol, osdear_error **error)
{
  return is_symbol(p, symbol) ? advance(p, error) : expected(p, symbol, error);
}

/* ---- nodes ---- */

osdear__expr *osdear__expr_node(osdear__arena *arena, osdear__op op, osdear__str source, size_t child_count)
{
  osdear__expr *node = osdear__arena_zeroed(arena, 1, sizeof *node);
  if (!node)
    return NULL;
  node->op = op;
  node->source = source;
  node->child_count = child_count;
  if (child_count == 0)
    return node;
  node->children = osdear__arena_zeroed(arena, child_count, sizeof *node->children);
  return node->children ? node : NULL;
}

static osdear__str span(osdear__str from, osdear__str to)
{
  return (osdear__str){ from.data, (size_t)(to.data + to.size - from.data) };
}

/* Tells a tree too deep for the recursions to come. */
static osdear_status measure(const parser *p, osdear__expr *node, osdear_error **error)
{
  int32_t depth = 0;
  for (size_t i = 0; i < node->child_count; i++) {
    if (node->children[i]->depth > depth)
      depth = node->children[i]->depth;
  }
  node->depth = depth + 1;
  if (node->depth <= OSDEAR__EXPR_DEPTH)
    return OSDEAR_OK;
  return osdear__expr_fail(p->maker, OSDEAR_ERR_LIMIT, node->source.data, error, "nested deeper than %d levels",
                           OSDEAR__EXPR_DEPTH);
}

/* A node over one to three children; `b` and `c` may be NULL. */
static osdear_status make(const parser *p, osdear__op op, osdear__str source, osdear__expr *a, osdear__expr *b, osdear__expr *c,
                          osdear__expr **out, osdear_error **error)
{
  size_t count = c ? 3 : b ? 2 : 1;
  osdear__expr *node = osdear__expr_node(p->maker->arena, op, source, count);
  if (!node)
    return osdear__fail_memory(error);
  osdear__expr *children[] = { a, b, c };
  memcpy(node->children, children, count * sizeof *children);
  *out = node;
  return measure(p, node, error);
}

/* A list that grows: the room doubles whenever the count reaches a power of two. */
static osdear_status append(const parser *p, osdear__expr *node, osdear__expr *child, osdear_error **error)
{
  size_t count = node->child_count;
  if ((count & (count - 1)) == 0) {
    osdear__expr **grown = osdear__arena_zeroed(p->maker->arena, count ? count * 2 : 1, sizeof(osdear__expr *));
    if (!grown)
      return osdear__fail_memory(error);
    if (count)
      memcpy(grown, node->children, count * sizeof *grown);
    node->children = grown;
  }
  node->children[node->child_count++] = child;
  return OSDEAR_OK;
}

static osdear_status literal(const parser *p, osdear__kind kind, int64_t value, osdear__expr **out, osdear_error **error)
{
  osdear__expr *node = osdear__expr_node(p->maker->arena, OP_LITERAL, p->token.source, 0);
  if (!node)
    return osdear__fail_memory(error);
  node->type = osdear__type_of(kind);
  node->value = (osdear__scalar){ .kind = kind, .is_null = kind == KIND_VOID, .i64 = value };
  node->depth = 1;
  *out = node;
  return OSDEAR_OK;
}

/* expression, expression, … up to the closing parenthesis, which is taken. */
static osdear_status parse_list(parser *p, osdear__expr *node, osdear_error **error)
{
  bool more = true;
  while (more) {
    osdear__expr *item = NULL;
    osdear_status st = parse_level(p, BINDS_NOTHING, &item, error);
    if (!st)
      st = append(p, node, item, error);
    if (!st)
      st = take_symbol(p, ",", &more, error);
    if (st)
      return st;
  }
  node->source = span(node->source, p->token.source);
  osdear_status st = need_symbol(p, ")", error);
  return st ? st : measure(p, node, error);
}

/* ---- what an expression starts with ---- */

static osdear_status parse_type(parser *p, osdear__type *out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear__str first = p->token.source;
  if (p->token.kind != TOKEN_NAME)
    return expected(p, "a type", error);
  osdear__buf_append(&text, first.data, first.size);
  osdear_status st = advance(p, error);
  if (!st && is_symbol(p, "(")) {
    while (!st && (is_symbol(p, "(") || is_symbol(p, ",") || p->token.kind == TOKEN_NUMBER)) {
      osdear__buf_append(&text, p->token.source.data, p->token.source.size);
      st = advance(p, error);
    }
    osdear__buf_putc(&text, ')');
    if (!st)
      st = need_symbol(p, ")", error);
  }
  if (!st)
    st = osdear__buf_check(&text, error);
  if (st)
    return st;
  if (!osdear__type_parse((osdear__str){ text.data, text.size }, out))
    return osdear__expr_fail(p->maker, OSDEAR_ERR_ARGUMENT, first.data, error, "'%.60s' is not a type that can be cast to",
                             text.data);
  return OSDEAR_OK;
}

/* Behind CAST or TRY_CAST: (expression AS type). */
static osdear_status parse_cast(parser *p, osdear__str source, bool is_try, osdear__expr **out, osdear_error **error)
{
  osdear__expr *value = NULL;
  osdear__type type;
  osdear_status st = need_symbol(p, "(", error);
  if (!st)
    st = parse_level(p, BINDS_NOTHING, &value, error);
  if (!st)
    st = need_word(p, "AS", error);
  if (!st)
    st = parse_type(p, &type, error);
  if (st)
    return st;
  source = span(source, p->token.source);
  st = need_symbol(p, ")", error);
  if (!st)
    st = make(p, OP_CAST, source, value, NULL, NULL, out, error);
  if (st)
    return st;
  (*out)->type = type;
  (*out)->is_try = is_try;
  return OSDEAR_OK;
}

/* One WHEN … THEN … */
static osdear_status parse_when(parser *p, osdear__expr *node, osdear_error **error)
{
  osdear__expr *condition = NULL;
  osdear__expr *value = NULL;
  osdear_status st = parse_level(p, BINDS_NOTHING, &condition, error);
  if (!st)
    st = need_word(p, "THEN", error);
  if (!st)
    st = parse_level(p, BINDS_NOTHING, &value, error);
  if (!st)
    st = append(p, node, condition, error);
  return st ? st : append(p, node, value, error);
}

static osdear_status parse_case(parser *p, osdear__str source, osdear__expr **out, osdear_error **error)
{
  osdear__expr *node = osdear__expr_node(p->maker->arena, OP_CASE, source, 0);
  osdear__expr *operand = NULL;
  osdear__expr *otherwise = NULL;
  osdear_status st = OSDEAR_OK;
  bool more;
  if (!node)
    return osdear__fail_memory(error);
  node->has_operand = !is_word(p, "WHEN");
  if (node->has_operand)
    st = parse_level(p, BINDS_NOTHING, &operand, error);
  if (!st && operand)
    st = append(p, node, operand, error);
  if (!st)
    st = need_word(p, "WHEN", error);
  more = !st;
  while (more) {
    st = parse_when(p, node, error);
    if (!st)
      st = take_word(p, "WHEN", &more, error);
    if (st)
      return st;
  }
  bool has_else = false;
  if (!st)
    st = take_word(p, "ELSE", &has_else, error);
  if (!st)
    st = has_else ? parse_level(p, BINDS_NOTHING, &otherwise, error) : literal(p, KIND_VOID, 0, &otherwise, error);
  if (!st)
    st = append(p, node, otherwise, error);
  if (st)
    return st;
  node->source = span(source, p->token.source);
  *out = node;
  st = need_word(p, "END", error);
  return st ? st : measure(p, node, error);
}

static osdear_status parse_call(parser *p, osdear__token name, osdear__expr **out, osdear_error **error)
{
  osdear__expr *node = osdear__expr_node(p->maker->arena, OP_CALL, name.source, 0);
  bool is_empty;
  if (!node)
    return osdear__fail_memory(error);
  node->name = name.source;
  node->depth = 1;
  *out = node;
  osdear_status st = advance(p, error); /* the parenthesis that made it a call */
  if (!st)
    st = take_symbol(p, ")", &is_empty, error);
  return st || is_empty ? st : parse_list(p, node, error);
}

/* DATE '…' and its like: only with text behind it is the word more than a name. */
static osdear_status parse_time(parser *p, osdear__token word, bool *is_time, osdear__expr **out, osdear_error **error)
{
  static const struct {
    const char *word;
    osdear__kind kind;
  } words[] = { { "DATE", KIND_DATE },
                { "TIMESTAMP", KIND_TIMESTAMP },
                { "TIMESTAMP_LTZ", KIND_TIMESTAMP },
                { "TIMESTAMP_NTZ", KIND_TIMESTAMP_NTZ } };
  *is_time = false;
  for (size_t i = 0; i < COUNT_OF(words) && p->token.kind == TOKEN_STRING; i++) {
    if (!osdear__str_equal_nocase(word.source, osdear__str_of(words[i].word)))
      continue;
    *is_time = true;
    osdear_status st = literal(p, words[i].kind, 0, out, error);
    if (!st)
      st = osdear__literal_time(p->maker, words[i].kind, p->token, *out, error);
    if (st)
      return st;
    (*out)->source = span(word.source, p->token.source);
    return advance(p, error);
  }
  return OSDEAR_OK;
}

/* A word: a constant, CASE, a cast, a call, or the name of a column. */
static osdear_status parse_word(parser *p, osdear__expr **out, osdear_error **error)
{
  static const char *const reserved[] = { "AND",  "OR",   "IN",   "IS",  "LIKE", "BETWEEN",
                                          "WHEN", "THEN", "ELSE", "END", "AS",   "ESCAPE" };
  osdear__token word = p->token;
  bool is_time = false;

  for (size_t i = 0; i < COUNT_OF(reserved); i++) {
    if (is_word(p, reserved[i]))
      return expected(p, "a value (a column of that name is written in backticks)", error);
  }
  osdear_status st = advance(p, error);
  if (st)
    return st;
  parser at_word = *p;
  at_word.token = word;
  if (is_word(&at_word, "TRUE") || is_word(&at_word, "FALSE"))
    return literal(&at_word, KIND_BOOLEAN, is_word(&at_word, "TRUE"), out, error);
  if (is_word(&at_word, "NULL"))
    return literal(&at_word, KIND_VOID, 0, out, error);
  if (is_word(&at_word, "CASE"))
    return parse_case(p, word.source, out, error);
  if (is_symbol(p, "(") && (is_word(&at_word, "CAST") || is_word(&at_word, "TRY_CAST")))
    return parse_cast(p, word.source, is_word(&at_word, "TRY_CAST"), out, error);
  if (is_symbol(p, "("))
    return parse_call(p, word, out, error);
  st = parse_time(p, word, &is_time, out, error);
  if (st || is_time)
    return st;
  st = literal(&at_word, KIND_VOID, 0, out, error);
  if (st)
    return st;
  (*out)->op = OP_NAME;
  (*out)->name = word.value;
  return OSDEAR_OK;
}

static osdear_status parse_primary(parser *p, osdear__expr **out, osdear_error **error)
{
  osdear__token token = p->token;
  osdear_status st;

  if (token.kind == TOKEN_NAME)
    return parse_word(p, out, error);
  if (is_symbol(p, "(")) {
    st = advance(p, error);
    if (!st)
      st = parse_level(p, BINDS_NOTHING, out, error);
    return st ? st : need_symbol(p, ")", error);
  }
  if (token.kind == TOKEN_SYMBOL || token.kind == TOKEN_END)
    return expected(p, "a value", error);

  st = literal(p, KIND_STRING, 0, out, error);
  if (st)
    return st;
  (*out)->value.bytes = token.value;
  if (token.kind == TOKEN_QUOTED) {
    (*out)->op = OP_NAME;
    (*out)->name = token.value;
  } else if (token.kind == TOKEN_NUMBER) {
    st = osdear__literal_number(p->maker, token.source, false, *out, error);
  } else if (token.kind == TOKEN_HEX) {
    st = osdear__literal_hex(p->maker, token, *out, error);
  }
  return st ? st : advance(p, error);
}

/* a.b, a[0], a::type behind a value, any number of them. */
static osdear_status parse_postfix(parser *p, osdear__expr **node, bool *taken, osdear_error **error)
{
  osdear__expr *left = *node;
  osdear__expr *index = NULL;
  osdear__type type;
  osdear_status st;

  *taken = is_symbol(p, ".") || is_symbol(p, "[") || is_symbol(p, "::");
  if (!*taken)
    return OSDEAR_OK;
  char symbol = p->token.source.data[0];
  st = advance(p, error);
  if (st)
    return st;
  if (symbol == '.') {
    osdear__token name = p->token;
    if (name.kind != TOKEN_NAME && name.kind != TOKEN_QUOTED)
      return expected(p, "a field's name", error);
    st = make(p, OP_DOT, span(left->source, name.source), left, NULL, NULL, node, error);
    if (st)
      return st;
    (*node)->name = name.value;
    return advance(p, error);
  }
  if (symbol == '[') {
    st = parse_level(p, BINDS_NOTHING, &index, error);
    osdear__str source = span(left->source, p->token.source);
    if (!st)
      st = need_symbol(p, "]", error);
    return st ? st : make(p, OP_INDEX, source, left, index, NULL, node, error);
  }
  osdear__str source = span(left->source, p->token.source);
  st = parse_type(p, &type, error);
  if (!st)
    st = make(p, OP_CAST, source, left, NULL, NULL, node, error);
  if (!st)
    (*node)->type = type;
  return st;
}

/* The smallest integers have no positive twin: the sign belongs to the literal. */
static osdear_status parse_negative(parser *p, osdear__str sign, osdear__expr **out, osdear_error **error)
{
  osdear__token number = p->token;
  bool more = true;
  osdear_status st = literal(p, KIND_VOID, 0, out, error);
  if (!st)
    st = osdear__literal_number(p->maker, number.source, true, *out, error);
  if (st)
    return st;
  (*out)->source = span(sign, number.source);
  st = advance(p, error);
  while (!st && more)
    st = parse_postfix(p, out, &more, error);
  return st;
}

static osdear_status parse_prefix(parser *p, osdear__expr **out, osdear_error **error)
{
  osdear__str source = p->token.source;
  osdear__expr *value = NULL;
  bool more = true;
  osdear_status st;

  if (is_word(p, "NOT")) {
    st = advance(p, error);
    if (!st)
      st = parse_level(p, BINDS_NOT, &value, error);
    return st ? st : make(p, OP_NOT, span(source, value->source), value, NULL, NULL, out, error);
  }
  if (is_symbol(p, "+") || is_symbol(p, "-")) {
    bool negative = is_symbol(p, "-");
    st = advance(p, error);
    if (!st && negative && p->token.kind == TOKEN_NUMBER)
      return parse_negative(p, source, out, error);
    if (!st)
      st = parse_level(p, BINDS_SIGN, &value, error);
    *out = value;
    return st || !negative ? st : make(p, OP_NEGATE, span(source, value->source), value, NULL, NULL, out, error);
  }
  st = parse_primary(p, out, error);
  while (!st && more)
    st = parse_postfix(p, out, &more, error);
  return st;
}

/* ---- what stands between and behind values ---- */

typedef struct infix {
  const char *text;
  osdear__op op;
  int binds;
} infix;

static const infix infixes[] = {
  { "OR", OP_OR, BINDS_OR },
  { "AND", OP_AND, BINDS_AND },
  { "=", OP_EQUAL, BINDS_COMPARISON },
  { "==", OP_EQUAL, BINDS_COMPARISON },
  { "<>", OP_NOT_EQUAL, BINDS_COMPARISON },
  { "!=", OP_NOT_EQUAL, BINDS_COMPARISON },
  { "<", OP_LESS, BINDS_COMPARISON },
  { "<=", OP_LESS_EQUAL, BINDS_COMPARISON },
  { ">", OP_GREATER, BINDS_COMPARISON },
  { ">=", OP_GREATER_EQUAL, BINDS_COMPARISON },
  { "<=>", OP_SAME, BINDS_COMPARISON },
  { "BETWEEN", OP_BETWEEN, BINDS_COMPARISON },
  { "IN", OP_IN, BINDS_COMPARISON },
  { "LIKE", OP_LIKE, BINDS_COMPARISON },
  { "IS", OP_IS_NULL, BINDS_COMPARISON },
  { "NOT", OP_NOT, BINDS_COMPARISON }, /* NOT IN and its like */
  { "+", OP_ADD, BINDS_SUM },
  { "-", OP_SUBTRACT, BINDS_SUM },
  { "||", OP_CONCAT, BINDS_SUM },
  { "*", OP_MULTIPLY, BINDS_PRODUCT },
  { "/", OP_DIVIDE, BINDS_PRODUCT },
  { "%", OP_REMAINDER, BINDS_PRODUCT },
};

static const infix *infix_of(const parser *p)
{
  for (size_t i = 0; i < COUNT_OF(infixes); i++) {
    if (is_symbol(p, infixes[i].text) || is_word(p, infixes[i].text))
      return &infixes[i];
  }
  return NULL;
}

/* Behind IS: [NOT] NULL, TRUE, FALSE, UNKNOWN, or DISTINCT FROM value. */
static osdear_status parse_is(parser *p, osdear__expr *left, osdear__expr **out, osdear_error **error)
{
  static const struct {
    const char *word;
    osdear__op op;
  } words[] = { { "NULL", OP_IS_NULL }, { "UNKNOWN", OP_IS_NULL }, { "TRUE", OP_IS_TRUE }, { "FALSE", OP_IS_FALSE } };
  bool negated = false;
  osdear__expr *right = NULL;
  osdear_status st = take_word(p, "NOT", &negated, error);
  if (st)
    return st;
  for (size_t i = 0; i < COUNT_OF(words); i++) {
    if (!is_word(p, words[i].word))
      continue;
    st = make(p, words[i].op, span(left->source, p->token.source), left, NULL, NULL, out, error);
    if (st)
      return st;
    (*out)->negated = negated;
    return advance(p, error);
  }
  if (!is_word(p, "DISTINCT"))
    return expected(p, "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM", error);
  st = advance(p, error);
  if (!st)
    st = need_word(p, "FROM", error);
  if (!st)
    st = parse_level(p, BINDS_COMPARISON, &right, error);
  if (!st)
    st = make(p, OP_SAME, span(left->source, right->source), left, right, NULL, out, error);
  if (!st)
    (*out)->negated = !negated;
  return st;
}

static osdear_status parse_between(parser *p, osdear__expr *left, osdear__expr **out, osdear_error **error)
{
  osdear__expr *low = NULL;
  osdear__expr *high = NULL;
  osdear_status st = parse_level(p, BINDS_COMPARISON, &low, error);
  if (!st)
    st = need_word(p, "AND", error);
  if (!st)
    st = parse_level(p, BINDS_COMPARISON, &high, error);
  return st ? st : make(p, OP_BETWEEN, span(left->source, high->source), left, low, high, out, error);
}

static osdear_status parse_in(parser *p, osdear__expr *left, osdear__expr **out, osdear_error **error)
{
  osdear__expr *node = osdear__expr_node(p->maker->arena, OP_IN, left->source, 0);
  if (!node)
    return osdear__fail_memory(error);
  *out = node;
  osdear_status st = append(p, node, left, error);
  if (!st)
    st = need_symbol(p, "(", error);
  return st ? st : parse_list(p, node, error);
}

static osdear_status parse_like(parser *p, osdear__expr *left, osdear__expr **out, osdear_error **error)
{
  osdear__expr *pattern = NULL;
  osdear__expr *escape = NULL;
  bool has_escape = false;
  osdear_status st = parse_level(p, BINDS_COMPARISON, &pattern, error);
  if (!st)
    st = take_word(p, "ESCAPE", &has_escape, error);
  if (!st && has_escape)
    st = parse_level(p, BINDS_COMPARISON, &escape, error);
  if (st)
    return st;
  return make(p, OP_LIKE, span(left->source, (escape ? escape : pattern)->source), left, pattern, escape, out, error);
}

/* BETWEEN, IN, LIKE and IS: forms of their own. NOT before one of the first three negates it. */
static osdear_status parse_special(parser *p, osdear__op op, osdear__expr *left, osdear__expr **out, osdear_error **error)
{
  bool negated = op == OP_NOT;
  osdear_status st = OSDEAR_OK;

  if (op == OP_IS_NULL)
    return parse_is(p, left, out, error);
  if (negated) {
    op = is_word(p, "BETWEEN") ? OP_BETWEEN : is_word(p, "IN") ? OP_IN : OP_LIKE;
    st = op == OP_LIKE ? need_word(p, "LIKE", error) : advance(p, error);
  }
  if (!st)
    st = op == OP_BETWEEN ? parse_between(p, left, out, error)
         : op == OP_IN    ? parse_in(p, left, out, error)
                          : parse_like(p, left, out, error);
  if (!st && negated)
    st = make(p, OP_NOT, (*out)->source, *out, NULL, NULL, out, error);
  return st;
}

/* AND and OR take any number of operands, so that long chains are not deep. `chained` says that `left` is such a node of this loop. */
static osdear_status parse_operator(parser *p, const infix *found, bool *chained, osdear__expr *left, osdear__expr **out,
                                    osdear_error **error)
{
  osdear__expr *right = NULL;
  osdear_status st = parse_level(p, found->binds, &right, error);
  if (st)
    return st;
  bool is_chain = found->op == OP_AND || found->op == OP_OR;
  if (is_chain && *chained && left->op == found->op) {
    left->source = span(left->source, right->source);
    st = append(p, left, right, error);
    *out = left;
    return st || right->depth < left->depth ? st : measure(p, left, error);
  }
  *chained = is_chain;
  return make(p, found->op, span(left->source, right->source), left, right, NULL, out, error);
}

/* Everything that binds more tightly than `floor`. */
static osdear_status parse_level(parser *p, int floor, osdear__expr **out, osdear_error **error)
{
  osdear__expr *left = NULL;
  bool chained = false;
  if (++p->depth > OSDEAR__EXPR_DEPTH)
    return osdear__expr_fail(p->maker, OSDEAR_ERR_LIMIT, p->token.source.data, error, "nested deeper than %d levels",
                             OSDEAR__EXPR_DEPTH);
  osdear_status st = parse_prefix(p, &left, error);
  while (!st) {
    const infix *found = infix_of(p);
    if (!found || found->binds <= floor)
      break;
    st = advance(p, error);
    if (st)
      break;
    bool is_special =
        found->op == OP_BETWEEN || found->op == OP_IN || found->op == OP_LIKE || found->op == OP_IS_NULL || found->op == OP_NOT;
    if (is_special)
      chained = false;
    st = is_special ? parse_special(p, found->op, left, &left, error) : parse_operator(p, found, &chained, left, &left, error);
  }
  p->depth--;
  *out = left;
  return st;
}

osdear_status osdear__expr_parse(const osdear__expr_maker *maker, osdear__expr **out, osdear_error **error)
{
  parser p = { .maker = maker };
  osdear_status st = advance(&p, error);
  if (!st)
    st = parse_level(&p, BINDS_NOTHING, out, error);
  if (!st && p.token.kind != TOKEN_END)
    st = expected(&p, "an operator or the end", error);
  return st;
}
