/** @file route.c Which partition each row belongs to, found for whole columns at a time. */
#include <delta/write.h>

#include <math.h>

/* Numbers distinct values in the order they are met. Exact: the values themselves are compared. */
typedef struct numbering {
  bool is_text;
  uint32_t *table; /* open addressing: a number + 1; 0 is a free place */
  size_t capacity; /* of `table`, a power of two */
  size_t count;
  size_t room;        /* for values */
  uint64_t *words;    /* values, … */
  osdear__str *texts; /* … or these, bytes in `arena` */
  osdear__arena arena;
  uint64_t seed; /* so that nobody can choose values that collide */
} numbering;

struct osdear__router {
  const osdear__type *type;
  size_t column_count;
  size_t *columns;
  numbering *values; /* of each column; number 0 is null */
  numbering *pairs;  /* of (number so far, number in column i), for each column but the first */
  osdear__buf words; /* of the column in hand */
  osdear__buf numbers;
};

#define NO_NUMBER UINT32_MAX

/* ---- numbering ---- */

static uint64_t mix(uint64_t word, uint64_t seed)
{
  uint64_t hash = (word ^ seed) * UINT64_C(0x9e3779b97f4a7c15);

  hash ^= hash >> 32;
  hash *= UINT64_C(0xd6e8feb86659fd93);
  return hash ^ hash >> 29;
}

static uint64_t hash_of(const numbering *self, size_t number)
{
  if (self->is_text)
    return osdear__hash(self->texts[number].data, self->texts[number].size);
  return mix(self->words[number], self->seed);
}

static void place(numbering *self, uint64_t hash, uint32_t entry)
{
  size_t at = hash & (self->capacity - 1);

  while (self->table[at] != 0)
    at = (at + 1) & (self->capacity - 1);
  self->table[at] = entry;
}

static bool grow_table(numbering *self)
{
  size_t capacity = self->capacity ? self->capacity * 2 : 64;
  uint32_t *table = osdear__alloc_zeroed(capacity, sizeof *table);

  if (!table)
    return false;
  osdear__free(self->table);
  self->table = table;
  self->capacity = capacity;
  for (size_t i = 0; i < self->count; i++)
    place(self, hash_of(self, i), (uint32_t)i + 1);
  return true;
}

static bool grow_values(numbering *self)
{
  size_t room = self->room ? self->room * 2 : 32;
  void *grown;

  if (self->is_text)
    grown = osdear__realloc_array(self->texts, room, sizeof *self->texts);
  else
    grown = osdear__realloc_array(self->words, room, sizeof *self->words);
  if (!grown)
    return false;
  if (self->is_text)
    self->texts = grown;
  else
    self->words = grown;
  self->room = room;
  return true;
}

static bool make_room(numbering *self)
{
  if (self->count >= NO_NUMBER - 1)
    return false;
  if (self->count * 2 >= self->capacity && !grow_table(self))
    return false;
  return self->count < self->room || grow_values(self);
}

static uint32_t number_of_word(numbering *self, uint64_t word)
{
  uint64_t hash = mix(word, self->seed);

  if (self->capacity > 0)
    for (size_t at = hash & (self->capacity - 1); self->table[at] != 0; at = (at + 1) & (self->capacity - 1))
      if (self->words[self->table[at] - 1] == word)
        return self->table[at] - 1;
  if (!make_room(self))
    return NO_NUMBER;
  self->words[self->count++] = word;
  place(self, hash, (uint32_t)self->count);
  return (uint32_t)self->count - 1;
}

static uint32_t number_of_text(numbering *self, osdear__str text)
{
  uint64_t hash = osdear__hash(text.data, text.size);
  char *copy;

  if (self->capacity > 0)
    for (size_t at = hash & (self->capacity - 1); self->table[at] != 0; at = (at + 1) & (self->capacity - 1))
      if (osdear__str_equal(self->texts[self->table[at] - 1], text))
        return self->table[at] - 1;
  if (!make_room(self))
    return NO_NUMBER;
  copy = osdear__arena_strndup(&self->arena, text.data, text.size);
  if (!copy)
    return NO_NUMBER;
  self->texts[self->count++] = (osdear__str){ copy, text.size };
  place(self, hash, (uint32_t)self->count);
  return (uint32_t)self->count - 1;
}

static void numbering_drop(numbering *self)
{
  osdear__free(self->table);
  osdear__free(self->words);
  osdear__free(self->texts);
  osdear__arena_drop(&self->arena);
}

/* ---- columns ---- */

static bool is_by_text(osdear__kind kind)
{
  return kind == KIND_STRING || kind == KIND_BINARY || kind == KIND_DECIMAL;
}

static uint64_t word_of_double(double value)
{
  uint64_t word;

  if (isnan(value))
    value = (double)NAN; /* of whatever bits: one partition */
  memcpy(&word, &value, sizeof word);
  return word;
}

/* The values of a fixed-width column as words, those of null rows being anything. */
static void widen(const osdear__type *type, const struct ArrowArray *array, uint64_t *words)
{
  const void *values = array->buffers[1];
  int64_t length = array->length;

  switch (type->kind) {
  case KIND_BOOLEAN:
    for (int64_t i = 0; i < length; i++)
      words[i] = ((const uint8_t *)values)[i >> 3] >> (i & 7) & 1;
    break;
  case KIND_BYTE:
    for (int64_t i = 0; i < length; i++)
      words[i] = (uint64_t)((const int8_t *)values)[i];
    break;
  case KIND_SHORT:
    for (int64_t i = 0; i < length; i++)
      words[i] = (uint64_t)((const int16_t *)values)[i];
    break;
  case KIND_INTEGER:
  case KIND_DATE:
    for (int64_t i = 0; i < length; i++)
      words[i] = (uint64_t)((const int32_t *)values)[i];
    break;
  case KIND_FLOAT:
    for (int64_t i = 0; i < length; i++)
      words[i] = word_of_double((double)((const float *)values)[i]);
    break;
  case KIND_DOUBLE:
    for (int64_t i = 0; i < length; i++)
      words[i] = word_of_double(((const double *)values)[i]);
    break;
  default: memcpy(words, values, (size_t)length * sizeof *words); break;
  }
}

static bool route_words(numbering *self, const struct ArrowArray *array, const uint64_t *words, uint32_t *numbers)
{
  uint64_t last_word = 0;
  uint32_t last = NO_NUMBER;

  for (int64_t i = 0; i < array->length; i++) {
    if (array->null_count > 0 && !osdear__is_valid(array, i)) {
      numbers[i] = 0;
      continue;
    }
    if (last == NO_NUMBER || words[i] != last_word) {
      last = number_of_word(self, words[i]);
      last_word = words[i];
      if (last == NO_NUMBER)
        return false;
    }
    numbers[i] = last + 1;
  }
  return true;
}

/* Empty text is null to Delta. */
static bool route_texts(numbering *self, osdear__kind kind, const struct ArrowArray *array, uint32_t *numbers)
{
  const char *data = kind == KIND_DECIMAL ? array->buffers[1] : array->buffers[2];
  const int32_t *offsets = kind == KIND_DECIMAL ? NULL : array->buffers[1];
  osdear__str last_text = { 0 };
  uint32_t last = NO_NUMBER;

  for (int64_t i = 0; i < array->length; i++) {
    osdear__str text = { data + i * 16, 16 };
    if (offsets)
      text = (osdear__str){ data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]) };
    if (text.size == 0 || (array->null_count > 0 && !osdear__is_valid(array, i))) {
      numbers[i] = 0;
      continue;
    }
    if (last == NO_NUMBER || !osdear__str_equal(text, last_text)) {
      last = number_of_text(self, text);
      last_text = text;
      if (last == NO_NUMBER)
        return false;
    }
    numbers[i] = last + 1;
  }
  return true;
}

static osdear_status route_column(osdear__router *self, size_t column, const struct ArrowArray *array, uint32_t *numbers,
                                  osdear_error **error)
{
  const osdear__type *type = &self->type->fields[self->columns[column]].type;
  uint64_t *words;
  bool routed;

  if (type->kind == KIND_VOID) {
    memset(numbers, 0, (size_t)array->length * sizeof *numbers);
    return OSDEAR_OK;
  }
  if (is_by_text(type->kind)) {
    routed = route_texts(&self->values[column], type->kind, array, numbers);
  } else {
    osdear__buf_clear(&self->words);
    words = (uint64_t *)(void *)osdear__buf_reserve(&self->words, (size_t)array->length * sizeof *words);
    if (!words)
      return osdear__buf_check(&self->words, error);
    widen(type, array, words);
    routed = route_words(&self->values[column], array, words, numbers);
  }
  return routed ? OSDEAR_OK : osdear__fail_memory(error);
}

/* ids[i] and numbers[i] become one number, in `ids`. */
static bool combine(numbering *self, int64_t length, uint32_t *ids, const uint32_t *numbers)
{
  uint64_t last_word = 0;
  uint32_t last = NO_NUMBER;

  for (int64_t i = 0; i < length; i++) {
    uint64_t word = (uint64_t)ids[i] << 32 | numbers[i];
    if (last == NO_NUMBER || word != last_word) {
      last = number_of_word(self, word);
      last_word = word;
      if (last == NO_NUMBER)
        return false;
    }
    ids[i] = last;
  }
  return true;
}

/* ---- the face ---- */

osdear_status osdear__router_new(const osdear__type *type, const size_t *columns, size_t column_count, osdear__router **out,
                                 osdear_error **error)
{
  AUTO(router) router = osdear__alloc_zeroed(1, sizeof *router);

  if (!router)
    return osdear__fail_memory(error);
  router->type = type;
  router->columns = osdear__alloc_zeroed(column_count, sizeof *router->columns);
  router->values = osdear__alloc_zeroed(column_count, sizeof *router->values);
  router->pairs = osdear__alloc_zeroed(column_count, sizeof *router->pairs);
  if (!router->columns || !router->values || !router->pairs)
    return osdear__fail_memory(error);
  router->column_count = column_count;
  for (size_t i = 0; i < column_count; i++) {
    router->columns[i] = columns[i];
    router->values[i].is_text = is_by_text(type->fields[columns[i]].type.kind);
    router->values[i].seed = osdear__random_u64();
    router->pairs[i].seed = osdear__random_u64();
  }
  *out = router;
  router = NULL;
  return OSDEAR_OK;
}

void osdear__router_auto(osdear__router **router)
{
  osdear__router *self = *router;

  if (!self)
    return;
  for (size_t i = 0; i < self->column_count; i++) {
    numbering_drop(&self->values[i]);
    numbering_drop(&self->pairs[i]);
  }
  osdear__free(self->columns);
  osdear__free(self->values);
  osdear__free(self->pairs);
  osdear__buf_drop(&self->words);
  osdear__buf_drop(&self->numbers);
  osdear__free(self);
  *router = NULL;
}

osdear_status osdear__router_route(osdear__router *router, const struct ArrowArray *batch, uint32_t *ids, osdear_error **error)
{
  uint32_t *numbers;
  osdear_status st;

  if (batch->length == 0)
    return OSDEAR_OK;
  st = route_column(router, 0, batch->children[router->columns[0]], ids, error);
  if (st || router->column_count == 1)
    return st;
  osdear__buf_clear(&router->numbers);
  numbers = (uint32_t *)(void *)osdear__buf_reserve(&router->numbers, (size_t)batch->length * sizeof *numbers);
  if (!numbers)
    return osdear__buf_check(&router->numbers, error);
  for (size_t i = 1; i < router->column_count; i++) {
    st = route_column(router, i, batch->children[router->columns[i]], numbers, error);
    if (st)
      return st;
    if (!combine(&router->pairs[i], batch->length, ids, numbers))
      return osdear__fail_memory(error);
  }
  return OSDEAR_OK;
}

size_t osdear__router_count(const osdear__router *router)
{
  size_t last = router->column_count - 1;

  return last == 0 ? router->values[0].count + 1 : router->pairs[last].count;
}

static void decode(const osdear__type *type, const numbering *values, uint32_t number, osdear__scalar *out)
{
  *out = (osdear__scalar){ .kind = type->kind, .scale = type->scale, .is_null = number == 0 };
  if (number == 0)
    return;
  if (type->kind == KIND_DECIMAL)
    memcpy(&out->decimal, values->texts[number - 1].data, sizeof out->decimal);
  else if (values->is_text)
    out->bytes = values->texts[number - 1];
  else if (type->kind == KIND_FLOAT || type->kind == KIND_DOUBLE)
    memcpy(&out->f64, &values->words[number - 1], sizeof out->f64);
  else
    out->i64 = (int64_t)values->words[number - 1];
}

void osdear__router_value(const osdear__router *router, uint32_t id, size_t column, osdear__scalar *out)
{
  uint32_t number = id;

  for (size_t i = router->column_count - 1; i > 0; i--) {
    uint64_t word = router->pairs[i].words[id];
    number = (uint32_t)word;
    id = (uint32_t)(word >> 32);
    if (i == column)
      break;
    number = id;
  }
  decode(&router->type->fields[router->columns[column]].type, &router->values[column], number, out);
}
