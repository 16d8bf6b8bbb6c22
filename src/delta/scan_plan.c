/* What is asked for of a table's rows, checked against its schema before anything is read. */
#include <delta/scan.h>

#define DEFAULT_BATCH_ROWS 65536

osdear__scan_plan *osdear__scan_plan_ref(osdear__scan_plan *plan)
{
  atomic_fetch_add(&plan->references, 1);
  return plan;
}

void osdear__scan_plan_unref(osdear__scan_plan *plan)
{
  if (!plan || atomic_fetch_sub(&plan->references, 1) > 1)
    return;
  osdear_snapshot_unref(plan->snapshot);
  osdear__arena_drop(&plan->arena);
  osdear__free(plan);
}

/* ---- the columns there are ---- */

static const osdear__field row_id_fields[] = {
  { .name = "_row_id", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } },
  { .name = "_row_commit_version", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } },
};
static const osdear__field change_fields[] = {
  { .name = "_change_type", .nullable = true, .field_id = -1, .type = { .kind = KIND_STRING } },
  { .name = "_commit_version", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } },
  { .name = "_commit_timestamp", .nullable = true, .field_id = -1, .type = { .kind = KIND_TIMESTAMP } },
};

/* A column of the table by the same name could not be told apart. */
static osdear_status check_free(const osdear__scan_plan *plan, const osdear__field *field, osdear_error **error)
{
  if (osdear__type_find(&plan->snapshot->metadata.schema, osdear__str_of(field->name)) < 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s has a column `%s` of its own: it would be there twice",
                      osdear_snapshot_uri(plan->snapshot), field->name);
}

static osdear_status extend(osdear__scan_plan *plan, const osdear__field *extra, size_t count, osdear__type *type,
                            osdear_error **error)
{
  osdear__field *fields = osdear__arena_zeroed(&plan->arena, type->field_count + count + 1, sizeof *fields);

  if (!fields)
    return osdear__fail_memory(error);
  if (type->field_count)
    memcpy(fields, type->fields, type->field_count * sizeof *fields);
  memcpy(fields + type->field_count, extra, count * sizeof *fields);
  type->fields = fields;
  type->field_count += count;
  return OSDEAR_OK;
}

/* Files hold the ids of rewritten rows in columns whose names stand in the table's properties. */
static osdear_status name_row_ids(osdear__scan_plan *plan, osdear_error **error)
{
  const osdear__metadata *metadata = &plan->snapshot->metadata;
  osdear__field *fields = plan->physical.fields + plan->own_columns;
  const char *id = osdear__metadata_property(metadata, "delta.rowTracking.materializedRowIdColumnName");
  const char *version = osdear__metadata_property(metadata, "delta.rowTracking.materializedRowCommitVersionColumnName");

  if (!osdear__metadata_property_bool(metadata, "delta.enableRowTracking", false))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s: rows have no ids, as delta.enableRowTracking is not set",
                        osdear_snapshot_uri(plan->snapshot));
  fields[0].name = id ? id : "";
  fields[1].name = version ? version : "";
  return OSDEAR_OK;
}

static osdear_status make_schema(osdear__scan_plan *plan, osdear_error **error)
{
  const osdear__metadata *metadata = &plan->snapshot->metadata;
  const osdear__field *extra = plan->kind == SCAN_CHANGES ? change_fields : row_id_fields;
  size_t count = plan->kind == SCAN_CHANGES ? COUNT_OF(change_fields) : COUNT_OF(row_id_fields);
  osdear_status st = OSDEAR_OK;

  plan->schema = metadata->schema;
  plan->physical = metadata->physical;
  plan->own_columns = metadata->schema.field_count;
  if (plan->kind == SCAN_ROWS)
    return OSDEAR_OK;
  for (size_t i = 0; i < count && !st; i++)
    st = check_free(plan, &extra[i], error);
  if (!st)
    st = extend(plan, extra, count, &plan->schema, error);
  if (!st)
    st = extend(plan, extra, count, &plan->physical, error);
  return st || plan->kind != SCAN_ROW_IDS ? st : name_row_ids(plan, error);
}

/* ---- those of the result ---- */

/* Row ids come with the columns that are asked for, without being named. */
static size_t name_columns(const osdear__scan_plan *plan, const osdear__scan_request *request)
{
  if (!request->columns)
    return plan->schema.field_count;
  return request->column_count + (plan->kind == SCAN_ROW_IDS ? COUNT_OF(row_id_fields) : 0);
}

static const char *name_at(const osdear__scan_plan *plan, const osdear__scan_request *request, size_t i)
{
  if (!request->columns)
    return plan->schema.fields[i].name;
  return i < request->column_count ? request->columns[i] : row_id_fields[i - request->column_count].name;
}

/* The type with a string in the place of every variant. */
static osdear_status variants_as_text(osdear__type *type, osdear__arena *arena, osdear_error **error)
{
  osdear__field *fields;
  osdear_status st = OSDEAR_OK;

  if (type->kind == KIND_VARIANT)
    type->kind = KIND_STRING;
  if (!type->field_count)
    return OSDEAR_OK;
  fields = osdear__arena_alloc(arena, type->field_count * sizeof *fields);
  if (!fields)
    return osdear__fail_memory(error);
  memcpy(fields, type->fields, type->field_count * sizeof *fields);
  type->fields = fields;
  for (size_t i = 0; i < type->field_count && !st; i++)
    st = variants_as_text(&fields[i].type, arena, error);
  return st;
}

static osdear_status choose_columns(osdear__scan_plan *plan, const osdear__scan_request *request, osdear_error **error)
{
  const osdear__type *schema = &plan->schema;
  size_t count = name_columns(plan, request);

  plan->type = (osdear__type){ .kind = KIND_STRUCT, .field_count = count };
  plan->type.fields = osdear__arena_zeroed(&plan->arena, count + 1, sizeof *plan->type.fields);
  plan->columns = osdear__arena_zeroed(&plan->arena, count + 1, sizeof *plan->columns);
  plan->wanted = osdear__arena_zeroed(&plan->arena, schema->field_count + 1, sizeof *plan->wanted);
  plan->needed = osdear__arena_zeroed(&plan->arena, schema->field_count + 1, sizeof *plan->needed);
  if (!plan->type.fields || !plan->columns || !plan->wanted || !plan->needed)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const char *name = name_at(plan, request, i);
    int64_t at = name ? osdear__type_find(schema, osdear__str_of(name)) : -1;
    if (at < 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s has no column `%s`", osdear_snapshot_uri(plan->snapshot),
                          name ? name : "NULL");
    plan->columns[i] = (size_t)at;
    plan->wanted[at] = plan->needed[at] = true;
    plan->type.fields[i] = schema->fields[at];
  }
  return OSDEAR_OK;
}

static osdear_status make_plan(osdear__scan_plan *plan, const osdear__scan_request *request, osdear_error **error)
{
  osdear_status st = make_schema(plan, error);

  if (!st)
    st = choose_columns(plan, request, error);
  if (!st && request->variant_as_json)
    st = variants_as_text(&plan->type, &plan->arena, error);
  if (st)
    return st;
  plan->limit = request->limit;
  plan->batch_rows = request->batch_rows ? request->batch_rows : DEFAULT_BATCH_ROWS;
  if (!request->where) {
    if (plan->limit > 0 && plan->limit < plan->batch_rows)
      plan->batch_rows = plan->limit; /* nothing past the limit is decoded */
    return OSDEAR_OK;
  }
  st = osdear__expr_new(request->where, &plan->schema, &plan->arena, &plan->where, error);
  if (st)
    return st;
  if (osdear__expr_type(plan->where)->kind != KIND_BOOLEAN)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "`%s` is no predicate: it is neither true nor false", request->where);
  osdear__expr_columns(plan->where, plan->needed);
  return OSDEAR_OK;
}

osdear_status osdear__scan_plan_new(osdear_snapshot *snapshot, const osdear__scan_request *request, osdear__scan_plan **out,
                                    osdear_error **error)
{
  osdear__scan_plan *plan;
  osdear_status st;

  if (request->limit < -1 || request->batch_rows < 0 || request->batch_rows > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "limit %" PRId64 ", batch_rows %" PRId64 ": give -1 or more, and 0 to 2147483647", request->limit,
                        request->batch_rows);
  plan = osdear__alloc_zeroed(1, sizeof *plan);
  if (!plan)
    return osdear__fail_memory(error);
  atomic_init(&plan->references, 1);
  plan->snapshot = osdear_snapshot_ref(snapshot);
  plan->kind = request->kind;
  st = make_plan(plan, request, error);
  if (st)
    osdear__scan_plan_unref(plan);
  else
    *out = plan;
  return st;
}
