/** @file node.h The expression tree, and what its parser, binder, evaluator and pruner share. Only for src/expr. */
#ifndef OSDEAR_SRC_EXPR_NODE_H
#define OSDEAR_SRC_EXPR_NODE_H

#include "expr.h"

/* Recursion is bounded by the depth of the tree, so that the 128 KiB stacks of musl's threads are enough. */
#define OSDEAR__EXPR_DEPTH 100
#define OSDEAR__EXPR_TEXT ((size_t)16 << 20)
/* Operations in the tree; one that stands under several nodes (the x of BETWEEN, of COALESCE) counts under each, as it is walked and
 * evaluated under each. */
#define OSDEAR__EXPR_WEIGHT 131072

typedef enum osdear__op {
  OP_LITERAL,
  OP_COLUMN,
  OP_NAME,
  OP_DOT,
  OP_INDEX,
  OP_BETWEEN, /* as parsed; the binder replaces them */
  OP_FIELD,
  OP_ELEMENT,
  OP_ENTRY, /* of a struct, a list, a map that is not a plain column */
  OP_AND,
  OP_OR,
  OP_NOT,
  OP_EQUAL,
  OP_NOT_EQUAL,
  OP_LESS,
  OP_LESS_EQUAL,
  OP_GREATER,
  OP_GREATER_EQUAL,
  OP_SAME, /* <=>: null is equal to null; never null itself */
  OP_IN,
  OP_LIKE,
  OP_IS_NULL,
  OP_IS_TRUE,
  OP_IS_FALSE,
  OP_ADD,
  OP_SUBTRACT,
  OP_MULTIPLY,
  OP_DIVIDE,
  OP_REMAINDER,
  OP_NEGATE,
  OP_CONCAT,
  OP_CAST,
  OP_CASE, /* condition, value, condition, value, …, otherwise */
  OP_CALL
} osdear__op;

typedef enum osdear__function {
  FUNCTION_ABS,
  FUNCTION_DAY,
  FUNCTION_LENGTH,
  FUNCTION_LOWER,
  FUNCTION_MONTH,
  FUNCTION_PAD, /* with spaces to the width of its type; no name in SQL */
  FUNCTION_SUBSTRING,
  FUNCTION_TRIM,
  FUNCTION_UPPER,
  FUNCTION_YEAR
} osdear__function;

/* A LIKE pattern, taken apart once. `text` is the pattern's bytes with escapes resolved; where `wild` is set at a byte, it is an
 * underscore that stands for any one character. Pieces are what stands between percent signs. */
typedef enum osdear__like_kind { LIKE_EXACT, LIKE_PREFIX, LIKE_SUFFIX, LIKE_CONTAINS, LIKE_GENERAL } osdear__like_kind;
typedef struct osdear__like_piece {
  const char *text;
  const bool *wild;
  size_t size;
  size_t characters;
} osdear__like_piece;
typedef struct osdear__like {
  osdear__like_kind kind;
  osdear__str fixed; /* EXACT, PREFIX, SUFFIX, CONTAINS: the bytes; GENERAL: the bytes every match starts with */
  osdear__like_piece *pieces;
  size_t piece_count; /* one more than there are percent signs */
} osdear__like;

/* The constants of an IN list, all of the same type as what is looked up, without duplicates and nulls, ascending. */
typedef struct osdear__set {
  osdear__scalar *values;
  size_t count;
  bool has_null;   /* then what is not in the list is unknown */
  uint32_t *slots; /* hash table of index + 1 into values; NULL: too few to be worth it */
  size_t mask;
  uint8_t *bits; /* integers that lie close together: one bit for each from values[0] on */
  uint64_t span;
} osdear__set;

struct osdear__expr {
  osdear__op op;
  osdear__function function; /* CALL */
  bool negated;              /* SAME, IN, LIKE, IS_NULL, IS_TRUE, IS_FALSE */
  bool is_try;               /* CAST: null instead of a failure */
  bool has_operand;          /* CASE as parsed: child 0 is what the conditions are compared with */
  bool fallible;             /* some row may make it fail: not to be evaluated on rows that were ruled out before */
  int32_t depth;
  int32_t weight; /* nodes below and this one */
  int32_t cost;   /* roughly, for each row */
  osdear__type type;
  osdear__str source;   /* its text in the SQL, for messages */
  osdear__scalar value; /* LITERAL */
  osdear__str name;     /* NAME, DOT, CALL as parsed */
  size_t *path;         /* COLUMN: field indices from the top; FIELD: path[0] */
  size_t path_depth;
  const osdear__like *like;
  const osdear__set *set;
  osdear__expr **children;
  size_t child_count;
};

/* What parser and binder carry along. */
typedef struct osdear__expr_maker {
  osdear__str sql; /* a copy in the arena */
  const osdear__type *schema;
  osdear__arena *arena;
} osdear__expr_maker;

/* ---- message.c ---- */

/* A failure at `place` (within maker->sql): message, column, the text and a caret under the place. */
osdear_status osdear__expr_fail(const osdear__expr_maker *maker, osdear_status status, const char *place, osdear_error **error,
                                const char *format, ...) PRINTF_LIKE(5, 6);

/* ---- lexer.c ---- */

typedef enum osdear__token_kind {
  TOKEN_END,
  TOKEN_NAME,
  TOKEN_QUOTED,
  TOKEN_STRING,
  TOKEN_HEX,
  TOKEN_NUMBER,
  TOKEN_SYMBOL
} osdear__token_kind;
typedef struct osdear__token {
  osdear__token_kind kind;
  osdear__str source; /* as it stands in the SQL, quotes included */
  osdear__str value;  /* QUOTED, STRING: unescaped; HEX: the digits; else as source */
} osdear__token;
/* The token at or after *at, which is moved past it. */
MUST_USE osdear_status osdear__expr_lex(const osdear__expr_maker *maker, size_t *at, osdear__token *out, osdear_error **error);

/* ---- parser.c, literal.c ---- */

MUST_USE osdear_status osdear__expr_parse(const osdear__expr_maker *maker, osdear__expr **out, osdear_error **error);
MUST_USE osdear_status osdear__literal_number(const osdear__expr_maker *maker, osdear__str source, bool negative,
                                              osdear__expr *out, osdear_error **error);
MUST_USE osdear_status osdear__literal_hex(const osdear__expr_maker *maker, osdear__token text, osdear__expr *out,
                                           osdear_error **error);
/* DATE, TIMESTAMP and their like: `kind` and the text behind it. */
MUST_USE osdear_status osdear__literal_time(const osdear__expr_maker *maker, osdear__kind kind, osdear__token text,
                                            osdear__expr *out, osdear_error **error);
MUST_USE osdear__expr *osdear__expr_node(osdear__arena *arena, osdear__op op, osdear__str source, size_t child_count);

/* ---- bind.c, coerce.c, bind_call.c, fold.c ---- */

MUST_USE osdear_status osdear__expr_bind(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                         osdear_error **error);
/* Sets depth, weight, cost and fallibility from the children. LIMIT past what is allowed. */
MUST_USE osdear_status osdear__expr_settle(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error);
/* The node, or the literal that it always is. */
MUST_USE osdear_status osdear__expr_fold(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                         osdear_error **error);
/* Folded NOT node. */
MUST_USE osdear_status osdear__expr_negate(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                           osdear_error **error);
/* `node` (bound) as `type`; itself where it is of that type. ARGUMENT where there is no such cast. */
MUST_USE osdear_status osdear__expr_cast_to(const osdear__expr_maker *maker, osdear__expr *node, const osdear__type *type,
                                            bool is_try, osdear__expr **out, osdear_error **error);
MUST_USE osdear_status osdear__bind_compare(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                            osdear_error **error);
MUST_USE osdear_status osdear__bind_in(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                       osdear_error **error);
MUST_USE osdear_status osdear__bind_arithmetic(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                               osdear_error **error);
MUST_USE osdear_status osdear__bind_call(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                         osdear_error **error);
MUST_USE osdear_status osdear__bind_case(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                         osdear_error **error);
/* The type that both can be seen as without loss of meaning, as Spark finds it. */
bool osdear__common_type(const osdear__type *a, const osdear__type *b, osdear__type *out);
bool osdear__cast_exists(const osdear__type *from, const osdear__type *to);
static inline osdear__type osdear__type_of(osdear__kind kind)
{
  return (osdear__type){ .kind = kind };
}
static inline osdear__type osdear__type_decimal(int32_t precision, int32_t scale)
{
  return (osdear__type){ .kind = KIND_DECIMAL, .precision = precision, .scale = scale };
}
static inline bool osdear__kind_is_integer(osdear__kind kind)
{
  return kind >= KIND_BYTE && kind <= KIND_LONG;
}
static inline bool osdear__kind_is_float(osdear__kind kind)
{
  return kind == KIND_FLOAT || kind == KIND_DOUBLE;
}
static inline bool osdear__kind_is_numeric(osdear__kind kind)
{
  return kind >= KIND_BYTE && kind <= KIND_DECIMAL;
}
static inline bool osdear__kind_is_bytes(osdear__kind kind)
{
  return kind == KIND_STRING || kind == KIND_BINARY;
}
static inline bool osdear__kind_is_timestamp(osdear__kind kind)
{
  return kind == KIND_TIMESTAMP || kind == KIND_TIMESTAMP_NTZ;
}
/* An integer type as the decimal that holds all of its values. */
osdear__type osdear__type_as_decimal(const osdear__type *type);

/* ---- like.c, set.c ---- */

/* False when memory ran out (`*bad` NULL) or the pattern is wrong (`*bad` says how). */
MUST_USE bool osdear__like_new(osdear__arena *arena, osdear__str pattern, osdear__str escape, const osdear__like **out,
                               const char **bad);
bool osdear__like_matches(const osdear__like *like, const char *text, size_t size);
/* Sorts and indexes `values` in place. NULL: no memory. */
MUST_USE osdear__set *osdear__set_new(osdear__arena *arena, osdear__scalar *values, size_t count, bool has_null);
bool osdear__set_has(const osdear__set *set, const osdear__scalar *value);
bool osdear__set_has_i64(const osdear__set *set, int64_t value);
bool osdear__set_has_bytes(const osdear__set *set, const char *data, size_t size);

#endif
