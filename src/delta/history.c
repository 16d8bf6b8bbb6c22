/* What each commit says about itself, newest first, as an Arrow stream. */
#include <delta/log/log.h>

#define BATCH_ROWS 256
#define US_PER_MS 1000

/* clang-format off */
#define FIELD(name_, kind_, nullable_) { .name = (name_), .nullable = (nullable_), .field_id = -1, .type = { .kind = (kind_) } }
/* clang-format on */

enum {
  VERSION,
  TIMESTAMP,
  OPERATION,
  PARAMETERS,
  METRICS,
  READ_VERSION,
  BLIND_APPEND,
  USER_METADATA,
  ENGINE_INFO,
  TXN_ID,
  FIELDS
};
static osdear__field row_fields[FIELDS] = {
  FIELD("version", KIND_LONG, false),
  FIELD("timestamp", KIND_TIMESTAMP, false),
  FIELD("operation", KIND_STRING, true),
  FIELD("operation_parameters", KIND_STRING, true),
  FIELD("operation_metrics", KIND_STRING, true),
  FIELD("read_version", KIND_LONG, true),
  FIELD("is_blind_append", KIND_BOOLEAN, true),
  FIELD("user_metadata", KIND_STRING, true),
  FIELD("engine_info", KIND_STRING, true),
  FIELD("txn_id", KIND_STRING, true),
};
static const osdear__type row_type = { .kind = KIND_STRUCT, .field_count = FIELDS, .fields = row_fields };

/* Names in commitInfo; NULL: not taken from there as it is. */
static const char *const info_names[FIELDS] = {
  [OPERATION] = "operation",        [PARAMETERS] = "operationParameters",
  [METRICS] = "operationMetrics",   [READ_VERSION] = "readVersion",
  [BLIND_APPEND] = "isBlindAppend", [USER_METADATA] = "userMetadata",
  [ENGINE_INFO] = "engineInfo",     [TXN_ID] = "txnId",
};

typedef struct history {
  osdear_context *context;
  osdear__store *store;
  osdear__listing listing;
  int64_t *times;
  size_t left;   /* commits still to come: the listing's first ones */
  int64_t limit; /* rows still wanted; below 0: no limit */
  osdear__json_parser *parser;
  osdear__builder *builder;
  osdear__arena arena; /* of the commit at hand */
  osdear__json *info;
} history;

static void history_close(void *state)
{
  history *h = state;

  osdear__listing_drop(&h->listing);
  osdear__free(h->times);
  osdear__json_parser_auto(&h->parser);
  osdear__builder_auto(&h->builder);
  osdear__arena_drop(&h->arena);
  osdear__store_unref(h->store);
  osdear_context_unref(h->context);
  osdear__free(h);
}

/* The first commitInfo is all there is to know: failing ends the parse. */
static osdear_status on_info(void *argument, const osdear__action *action, osdear_error **error)
{
  history *h = argument;
  osdear_status st = osdear__json_read(action->info, "commitInfo", &h->arena, &h->info, error);

  return st ? st : OSDEAR_ERR_STATE;
}

static osdear_status read_info(history *h, const osdear__commit_file *file, osdear_error **error)
{
  osdear_status st;

  osdear__arena_reset(&h->arena);
  h->info = NULL;
  st = osdear__commit_visit(h->store, file->version, file->size_bytes, COMMIT_INFO, &h->parser, on_info, h, error);
  return st == OSDEAR_ERR_STATE && h->info ? OSDEAR_OK : st;
}

/* Text as it is, anything else as JSON: writers put many types there. */
static osdear_status put_text(osdear__builder *column, const osdear__json *value, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  if (value->kind == JSON_IS_STRING)
    return osdear__builder_bytes(column, value->text, error);
  osdear__json_put_value(&text, value);
  st = osdear__buf_check(&text, error);
  return st ? st : osdear__builder_bytes(column, (osdear__str){ text.data, text.size }, error);
}

/* A value of another type than the column's is as good as none: commitInfo is free-form. */
static osdear_status put_value(osdear__builder *column, size_t field, const osdear__json *value, osdear_error **error)
{
  osdear__kind kind = row_fields[field].type.kind;
  bool is_to_be_object = field == PARAMETERS || field == METRICS;
  int64_t number;

  if (value && is_to_be_object && value->kind != JSON_IS_OBJECT)
    return osdear__builder_null(column, error);
  if (value && value->kind != JSON_IS_NULL && kind == KIND_STRING)
    return put_text(column, value, error);
  if (value && value->kind == JSON_IS_BOOL && kind == KIND_BOOLEAN)
    return osdear__builder_i64(column, value->truth, error);
  if (value && value->kind == JSON_IS_NUMBER && kind == KIND_LONG && osdear__parse_i64(value->text, &number))
    return osdear__builder_i64(column, number, error);
  return osdear__builder_null(column, error);
}

/* A commit that carries a timestamp is as old as it says, others are as old as their files. */
static int64_t time_of(const history *h, size_t commit)
{
  const osdear__json *own = osdear__json_get(h->info, "inCommitTimestamp");
  int64_t ms, us;

  if (!own || own->kind != JSON_IS_NUMBER || !osdear__parse_i64(own->text, &ms))
    ms = h->times[commit];
  return osdear__mul_i64(ms, US_PER_MS, &us) ? us : INT64_MAX;
}

static osdear_status put_commit(history *h, size_t commit, osdear_error **error)
{
  osdear_status st = read_info(h, &h->listing.commits[commit], error);

  if (!st)
    st = osdear__builder_i64(osdear__builder_child(h->builder, VERSION), h->listing.commits[commit].version, error);
  if (!st)
    st = osdear__builder_i64(osdear__builder_child(h->builder, TIMESTAMP), time_of(h, commit), error);
  for (size_t i = OPERATION; i < FIELDS && !st; i++)
    st = put_value(osdear__builder_child(h->builder, i), i, osdear__json_get(h->info, info_names[i]), error);
  return st ? st : osdear__builder_close(h->builder, error);
}

static osdear_status history_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  history *h = state;
  osdear_status st;

  while (h->left && h->limit && osdear__builder_length(h->builder) < BATCH_ROWS) {
    st = osdear__context_check(h->context, error);
    if (!st)
      st = put_commit(h, --h->left, error);
    if (st)
      return st;
    h->limit -= h->limit > 0;
  }
  return osdear__builder_length(h->builder) ? osdear__builder_finish(h->builder, out, error) : OSDEAR_OK;
}

osdear_status osdear__history_export(osdear_context *context, osdear__store *store, int64_t limit, struct ArrowArrayStream *out,
                                     osdear_error **error)
{
  history *h;
  osdear_status st;

  if (limit < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "limit is %" PRId64 "; -1 stands for all", limit);
  h = osdear__alloc_zeroed(1, sizeof *h);
  if (!h)
    return osdear__fail_memory(error);
  h->context = osdear_context_ref(context);
  h->store = osdear__store_ref(store);
  h->limit = limit;
  st = osdear__listing_read(store, 0, &h->listing, error);
  if (!st)
    st = osdear__commit_times(&h->listing, &h->times, error);
  if (!st)
    st = osdear__builder_new(&row_type, &h->builder, error);
  if (st) {
    history_close(h);
    return st;
  }
  h->left = h->listing.commit_count;
  return osdear__stream_export(&row_type, history_next, history_close, h, out, error);
}
