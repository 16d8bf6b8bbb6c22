/* Actions from JSON by events. The table of an action's fields says where in the action each value goes: no tree is built. */
#include <delta/action_fields.h>

typedef osdear__field_entry field;

/* Depths as events give them: 1 is inside of the line's object, 2 inside of an action, above that inside of a field. */
enum { DEPTH_LINE = 0, DEPTH_ACTION = 1, DEPTH_FIELD = 2 };

enum { MOST_VALUES = 256, MOST_PAIRS = 4096 };

typedef struct reader {
  unsigned keep;
  osdear__action_visit visit;
  void *argument;
  osdear__arena arena; /* text of the action at hand */
  osdear__action action;
  const osdear__action_entry *form; /* NULL: the line's action is not known yet, or passed over */
  bool is_kept;                     /* what `form` describes is asked for */
  bool has_action;                  /* in this line */
  const field *field;               /* whose value comes; NULL: passed over */
  uint64_t seen;                    /* fields of the action that have a value, by index */
  const field *vector_field;
  uint64_t vector_seen;
  int32_t skip;    /* END of this depth ends what is passed over; -1: nothing is */
  int32_t capture; /* the same for what is kept as text */
  bool capture_first;
  osdear__buf captured;
  osdear__str key; /* of a pair, in the arena */
  osdear__partition_value *values;
  size_t value_count, value_room;
  osdear_pair *pairs;
  size_t pair_count, pair_room;
  const char **names[2]; /* an action has two lists at most */
  size_t name_counts[2], name_rooms[2];
  size_t list; /* which of them is being filled */
} reader;

static void reader_drop(reader *r)
{
  osdear__arena_drop(&r->arena);
  osdear__buf_drop(&r->captured);
  osdear__free(r->values);
  osdear__free(r->pairs);
  osdear__free(r->names[0]);
  osdear__free(r->names[1]);
}

/* Room for one more than `count`. */
static osdear_status more_room(void *block_at, size_t *room, size_t count, size_t size, osdear_error **error)
{
  void *block;
  size_t wanted = *room ? *room * 2 : 8;

  if (count < *room)
    return OSDEAR_OK;
  memcpy(&block, block_at, sizeof block);
  block = osdear__realloc_array(block, wanted, size);
  if (!block)
    return osdear__fail_memory(error);
  memcpy(block_at, &block, sizeof block);
  *room = wanted;
  return OSDEAR_OK;
}

static osdear_status keep_text(reader *r, osdear__str text, osdear__str *out, osdear_error **error)
{
  char *copy = osdear__arena_strndup(&r->arena, text.data, text.size);

  if (!copy)
    return osdear__fail_memory(error);
  *out = (osdear__str){ copy, text.size };
  return OSDEAR_OK;
}

static osdear_status keep_name(reader *r, osdear__str text, const char **out, osdear_error **error)
{
  osdear__str copy = { NULL, 0 };
  osdear_status st;

  if (text.size && memchr(text.data, '\0', text.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.%s holds a NUL character", r->form->name.data, r->field->name.data);
  st = keep_text(r, text, &copy, error);
  if (!st)
    *out = copy.data;
  return st;
}

static osdear_status fail_form(const reader *r, const field *f, osdear_error **error)
{
  static const char *const wanted[] = {
    "a string",
    "a string",
    "an integer of 64 bits",
    "an integer of 32 bits",
    "true or false",
    "an object of strings",
    "an object of strings",
    "an array of strings",
    "an object",
    "an object",
    "an object",
    "one letter",
  };

  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.%s is not %s", r->form->name.data, f->name.data, wanted[f->form]);
}

static void *place_of(reader *r, const field *f)
{
  return (char *)&r->action + f->offset;
}

static osdear_status take_integer(reader *r, const field *f, osdear__json_event event, osdear__str text, osdear_error **error)
{
  int64_t value;
  int32_t small;

  if (event != JSON_NUMBER || !osdear__parse_i64(text, &value))
    return fail_form(r, f, error);
  if (f->form == FORM_I64) {
    memcpy(place_of(r, f), &value, sizeof value);
    return OSDEAR_OK;
  }
  if (value < INT32_MIN || value > INT32_MAX)
    return fail_form(r, f, error);
  small = (int32_t)value;
  memcpy(place_of(r, f), &small, sizeof small);
  return OSDEAR_OK;
}

/* A value that is no container, for a field at DEPTH_FIELD. */
static osdear_status take_scalar(reader *r, const field *f, osdear__json_event event, osdear__str text, osdear_error **error)
{
  bool truth = event == JSON_TRUE;

  switch (f->form) {
  case FORM_TEXT:
    if (event == JSON_STRING)
      return keep_text(r, text, place_of(r, f), error);
    break;
  case FORM_NAME:
    if (event == JSON_STRING)
      return keep_name(r, text, place_of(r, f), error);
    break;
  case FORM_I64:
  case FORM_I32: return take_integer(r, f, event, text, error);
  case FORM_BOOL:
    if (event != JSON_TRUE && event != JSON_FALSE)
      break;
    memcpy(place_of(r, f), &truth, sizeof truth);
    return OSDEAR_OK;
  case FORM_VALUES:
  case FORM_PAIRS:
  case FORM_NAMES:
  case FORM_JSON:
  case FORM_VECTOR:
  case FORM_FORMAT:
  case FORM_STORAGE: break;
  }
  return fail_form(r, f, error);
}

/* Storage is one letter of three; others mean rows that nobody here can find. */
static osdear_status take_storage(reader *r, osdear__json_event event, osdear__str text, osdear_error **error)
{
  if (event != JSON_STRING || text.size != 1 || !memchr("uip", text.data[0], 3))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.deletionVector.storageType is not u, i or p", r->form->name.data);
  r->action.file.dv.storage = text.data[0];
  return OSDEAR_OK;
}

/* Of two values of one name the later counts, as for Spark. Where the later is null there would be none at all: what was meant is
 * anyone's guess. */
static osdear_status check_null(const reader *r, const field *f, const field *first, uint64_t seen, osdear_error **error)
{
  if (!f || !(seen >> (f - first) & 1))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s names `%s` twice, the second time with null", r->form->name.data,
                      f->name.data);
}

static osdear_status take_vector_field(reader *r, osdear__json_event event, osdear__str text, osdear_error **error)
{
  const field *f = r->vector_field;

  if (!f)
    return OSDEAR_OK;
  if (event == JSON_NULL)
    return check_null(r, f, osdear__action_vector.fields, r->vector_seen, error);
  r->vector_seen |= UINT64_C(1) << (f - osdear__action_vector.fields);
  if (event == JSON_NUMBER && text.data[0] == '-') /* -1 is not to be taken for what is absent */
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.deletionVector.%s is negative", r->form->name.data, f->name.data);
  return f->form == FORM_STORAGE ? take_storage(r, event, text, error) : take_scalar(r, f, event, text, error);
}

/* Values of maps are strings; other scalars are taken for their text, as Spark's reader does. */
static osdear__str text_of(osdear__json_event event, osdear__str text)
{
  if (event == JSON_TRUE)
    return STR("true");
  return event == JSON_FALSE ? STR("false") : text;
}

/* Looking for a column that is named twice costs the square of their number, hence the ceiling. */
static osdear_status take_partition_value(reader *r, osdear__json_event event, osdear__str text, osdear_error **error)
{
  osdear__partition_value value = { .column = r->key, .is_null = event == JSON_NULL || text_of(event, text).size == 0 };
  osdear_status st;
  size_t at = 0;

  if (!value.is_null) {
    st = keep_text(r, text_of(event, text), &value.value, error);
    if (st)
      return st;
  }
  while (at < r->value_count && !osdear__str_equal(r->values[at].column, value.column))
    at++;
  if (at < r->value_count) {
    r->values[at] = value;
    return OSDEAR_OK;
  }
  if (at >= MOST_VALUES)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s has more than %d partition values", r->form->name.data, MOST_VALUES);
  st = more_room(&r->values, &r->value_room, at, sizeof *r->values, error);
  if (st)
    return st;
  r->values[r->value_count++] = value;
  return OSDEAR_OK;
}

static osdear_status take_pair(reader *r, osdear__json_event event, osdear__str text, osdear_error **error)
{
  osdear_pair pair = { .key = r->key.data };
  osdear_status st;
  size_t at = 0;

  if (event == JSON_NULL)
    return OSDEAR_OK;
  st = keep_name(r, text_of(event, text), &pair.value, error);
  if (st)
    return st;
  while (at < r->pair_count && strcmp(r->pairs[at].key, pair.key) != 0)
    at++;
  if (at < r->pair_count) {
    r->pairs[at] = pair;
    return OSDEAR_OK;
  }
  if (at >= MOST_PAIRS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s.%s has more than %d entries", r->form->name.data, r->field->name.data,
                        MOST_PAIRS);
  st = more_room(&r->pairs, &r->pair_room, at, sizeof *r->pairs, error);
  if (st)
    return st;
  r->pairs[r->pair_count++] = pair;
  return OSDEAR_OK;
}

/* NULL at the end of a list is put there from the start, hence the room for two. */
static osdear_status take_list_item(reader *r, osdear__json_event event, osdear__str text, osdear_error **error)
{
  size_t *count = &r->name_counts[r->list];
  const char *name;
  osdear_status st;

  if (event != JSON_STRING)
    return fail_form(r, r->field, error);
  st = keep_name(r, text, &name, error);
  if (!st)
    st = more_room(&r->names[r->list], &r->name_rooms[r->list], *count + 1, sizeof(char *), error);
  if (!st) {
    r->names[r->list][(*count)++] = name;
    r->names[r->list][*count] = NULL;
  }
  return st;
}

static osdear_status take_provider(osdear__str key, osdear__json_event event, osdear__str text, osdear_error **error)
{
  if (!osdear__str_is(key, "provider") || (event == JSON_STRING && osdear__str_equal_nocase(text, STR("parquet"))))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the table's data files are of format `%.*s`; only parquet is read",
                      (int)text.size, event == JSON_STRING ? text.data : "");
}

/* A value inside of a field that is an object or an array. */
static osdear_status take_inside(reader *r, osdear__json_event event, osdear__str text, osdear_error **error)
{
  switch (r->field->form) {
  case FORM_VALUES: return take_partition_value(r, event, text, error);
  case FORM_PAIRS: return take_pair(r, event, text, error);
  case FORM_NAMES: return take_list_item(r, event, text, error);
  case FORM_VECTOR: return take_vector_field(r, event, text, error);
  case FORM_FORMAT: return take_provider(r->key, event, text, error);
  case FORM_TEXT:
  case FORM_NAME:
  case FORM_I64:
  case FORM_I32:
  case FORM_BOOL:
  case FORM_JSON:
  case FORM_STORAGE: break;
  }
  return OSDEAR_OK;
}

static void capture_event(reader *r, osdear__json_event event, osdear__str text)
{
  bool is_end = event == JSON_OBJECT_END || event == JSON_ARRAY_END;

  if (!is_end)
    osdear__json_put_comma(&r->captured, &r->capture_first);
  switch (event) {
  case JSON_NULL: osdear__buf_puts(&r->captured, "null"); break;
  case JSON_TRUE: osdear__buf_puts(&r->captured, "true"); break;
  case JSON_FALSE: osdear__buf_puts(&r->captured, "false"); break;
  case JSON_NUMBER: osdear__buf_append(&r->captured, text.data, text.size); break;
  case JSON_STRING: osdear__json_put_string(&r->captured, text); break;
  case JSON_KEY:
    osdear__json_put_string(&r->captured, text);
    osdear__buf_putc(&r->captured, ':');
    break;
  case JSON_OBJECT_START: osdear__buf_putc(&r->captured, '{'); break;
  case JSON_ARRAY_START: osdear__buf_putc(&r->captured, '['); break;
  case JSON_OBJECT_END: osdear__buf_putc(&r->captured, '}'); break;
  case JSON_ARRAY_END: osdear__buf_putc(&r->captured, ']'); break;
  }
  r->capture_first = event == JSON_KEY || event == JSON_OBJECT_START || event == JSON_ARRAY_START;
}

static void start_capture(reader *r, osdear__json_event event, int32_t depth)
{
  osdear__buf_clear(&r->captured);
  r->capture = depth;
  r->capture_first = true;
  capture_event(r, event, (osdear__str){ NULL, 0 });
}

static osdear_status check_required(const osdear__action_entry *form, uint64_t seen, osdear_error **error)
{
  for (size_t i = 0; i < form->field_count; i++)
    if (form->fields[i].is_required && !(seen >> i & 1))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s lacks the required field `%s`", form->name.data,
                          form->fields[i].name.data);
  return OSDEAR_OK;
}

/* ---- lines ---- */

static void start_action(reader *r)
{
  osdear__arena_reset(&r->arena);
  r->action = (osdear__action){ .kind = r->form->kind };
  r->action.file = OSDEAR__FILE_BLANK;
  r->action.metadata.created_ms = -1;
  r->action.txn.updated_ms = -1;
  r->seen = 0;
  r->field = NULL;
  r->value_count = r->pair_count = 0;
}

static osdear_status finish_action(reader *r, osdear_error **error)
{
  osdear_status st = check_required(r->form, r->seen, error);

  if (st)
    return st;
  r->action.file.partition = r->values;
  r->action.file.partition_count = r->value_count;
  r->action.metadata.properties = r->pairs;
  r->action.metadata.property_count = r->pair_count;
  if (r->action.kind == ACTION_ADD || r->action.kind == ACTION_REMOVE || r->action.kind == ACTION_CDC) {
    st = osdear__file_check(&r->action.file, r->form->name.data, r->action.kind == ACTION_ADD, error);
    if (st)
      return st;
  }
  return r->visit(r->argument, &r->action, error);
}

/* The text of a field, or all of a commitInfo, which then is complete. */
static osdear_status finish_capture(reader *r, osdear_error **error)
{
  osdear__str text = { r->captured.data, r->captured.size };
  bool is_info = r->form->kind == ACTION_COMMIT_INFO;
  osdear_status st = osdear__buf_check(&r->captured, error);

  r->capture = -1;
  if (!st)
    st = keep_text(r, text, is_info ? &r->action.info : place_of(r, r->field), error);
  return st || !is_info ? st : finish_action(r, error);
}

static void on_line_key(reader *r, osdear__str key)
{
  r->form = osdear__action_form(key);
  r->is_kept = r->form && (r->keep & r->form->needs);
}

/* The value of an action's name. */
static osdear_status on_action_value(reader *r, osdear__json_event event, int32_t depth, osdear_error **error)
{
  if (!r->form) {
    r->skip = event == JSON_OBJECT_START || event == JSON_ARRAY_START ? depth : -1;
    return OSDEAR_OK;
  }
  if (event == JSON_NULL)
    return OSDEAR_OK; /* some writers name every action in each line, all but one of them null */
  if (event != JSON_OBJECT_START && (r->is_kept || r->form->kind != ACTION_COMMIT_INFO)) /* which is free-form */
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the action `%s` is not an object", r->form->name.data);
  if (r->has_action)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "two actions in one line: which one counts is not defined");
  r->has_action = true;
  if (!r->is_kept) {
    r->skip = event == JSON_OBJECT_START || event == JSON_ARRAY_START ? depth : -1;
    return OSDEAR_OK;
  }
  start_action(r);
  if (r->form->kind == ACTION_COMMIT_INFO)
    start_capture(r, event, depth);
  return OSDEAR_OK;
}

/* Lists start empty, not absent. */
static void start_container(reader *r)
{
  switch (r->field->form) {
  case FORM_VALUES: r->value_count = 0; break;
  case FORM_PAIRS: r->pair_count = 0; break;
  case FORM_NAMES:
    r->list = r->field->offset == offsetof(osdear__action, protocol.writer_features);
    r->name_counts[r->list] = 0;
    break;
  case FORM_VECTOR:
    r->action.file.dv = (osdear__deletion_vector){ .offset = -1 };
    r->vector_seen = 0;
    r->vector_field = NULL;
    break;
  default: break;
  }
}

static osdear_status on_field_start(reader *r, osdear__json_event event, int32_t depth, osdear_error **error)
{
  if (!r->field) {
    r->skip = depth;
    return OSDEAR_OK;
  }
  if (r->field->form < FORM_VALUES || (event == JSON_ARRAY_START) != (r->field->form == FORM_NAMES))
    return fail_form(r, r->field, error);
  r->seen |= UINT64_C(1) << (r->field - r->form->fields);
  if (r->field->form == FORM_JSON)
    start_capture(r, event, depth);
  else
    start_container(r);
  return OSDEAR_OK;
}

static osdear_status on_field_end(reader *r, osdear_error **error)
{
  osdear_status st;

  if (!r->field)
    return OSDEAR_OK;
  if (r->field->form == FORM_VECTOR)
    return check_required(&osdear__action_vector, r->vector_seen, error);
  if (r->field->form != FORM_NAMES)
    return OSDEAR_OK;
  st = more_room(&r->names[r->list], &r->name_rooms[r->list], r->name_counts[r->list], sizeof(char *), error);
  if (st)
    return st;
  r->names[r->list][r->name_counts[r->list]] = NULL;
  memcpy(place_of(r, r->field), &r->names[r->list], sizeof(char **));
  return OSDEAR_OK;
}

/* Inside of an action. */
static osdear_status on_field(reader *r, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  switch (event) {
  case JSON_KEY:
    r->field = osdear__action_field(r->form, text);
    if (r->field && r->field->needs && !(r->keep & r->field->needs))
      r->field = NULL;
    return OSDEAR_OK;
  case JSON_OBJECT_START:
  case JSON_ARRAY_START: return on_field_start(r, event, depth, error);
  case JSON_OBJECT_END:
  case JSON_ARRAY_END: return on_field_end(r, error);
  case JSON_NULL: return check_null(r, r->field, r->form->fields, r->seen, error); /* as if absent */
  case JSON_TRUE:
  case JSON_FALSE:
  case JSON_NUMBER:
  case JSON_STRING: break;
  }
  if (!r->field)
    return OSDEAR_OK;
  r->seen |= UINT64_C(1) << (r->field - r->form->fields);
  return take_scalar(r, r->field, event, text, error);
}

/* Inside of an object or array that is a field's value. */
static osdear_status on_inside(reader *r, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  if (event == JSON_OBJECT_START || event == JSON_ARRAY_START) {
    if (r->field->form != FORM_FORMAT && !(r->field->form == FORM_VECTOR && !r->vector_field))
      return fail_form(r, r->field, error);
    r->skip = depth;
    return OSDEAR_OK;
  }
  if (event != JSON_KEY)
    return take_inside(r, event, text, error);
  if (r->field->form == FORM_VECTOR) {
    r->vector_field = osdear__action_field(&osdear__action_vector, text);
    return OSDEAR_OK;
  }
  if (text.size && memchr(text.data, '\0', text.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.%s has a key that holds a NUL character", r->form->name.data,
                        r->field->name.data);
  return keep_text(r, text, &r->key, error);
}

static osdear_status on_line(reader *r, osdear__json_event event, osdear_error **error)
{
  r->has_action = false;
  if (event == JSON_OBJECT_START || event == JSON_OBJECT_END)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "not an action: each line must be an object");
}

static osdear_status on_event(void *argument, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  reader *r = argument;
  bool is_end = event == JSON_OBJECT_END || event == JSON_ARRAY_END;

  if (r->skip >= 0) {
    if (is_end && depth == r->skip)
      r->skip = -1;
    return OSDEAR_OK;
  }
  if (r->capture >= 0) {
    capture_event(r, event, text);
    return is_end && depth == r->capture ? finish_capture(r, error) : OSDEAR_OK;
  }
  switch (depth) {
  case DEPTH_LINE: return on_line(r, event, error);
  case DEPTH_ACTION:
    if (event == JSON_KEY)
      break;
    return is_end ? finish_action(r, error) : on_action_value(r, event, depth, error);
  case DEPTH_FIELD: return on_field(r, event, text, depth, error);
  default: return on_inside(r, event, text, depth, error);
  }
  on_line_key(r, text);
  return OSDEAR_OK;
}

osdear_status osdear__actions_parse(osdear__str text, const char *name, int64_t first_line, unsigned keep,
                                    osdear__json_parser **parser, osdear__action_visit visit, void *argument,
                                    osdear_error **error)
{
  osdear__json_limits limits = { .allow_many = true };
  reader r = { .keep = keep, .visit = visit, .argument = argument, .skip = -1, .capture = -1 };
  osdear_status st;

  if (!*parser) {
    st = osdear__json_parser_new(&limits, on_event, &r, parser, error);
    if (st)
      return st;
  }
  osdear__json_parser_bind(*parser, on_event, &r);
  st = osdear__json_parse_from(*parser, text, name, first_line, error);
  reader_drop(&r);
  return st;
}
