/* Which of a file's fields answer to which of the table's, at every depth: by name, or by field id where the table says so. */
#include <delta/scan.h>

typedef struct binding {
  osdear__mapping mapping;
  osdear__arena *arena;
} binding;

/* Files of engines that know nothing of case come with names in any. What is no column of the table has no id. */
int64_t osdear__scan_find_field(osdear__mapping mapping, const osdear__type *theirs, const osdear__field *ours)
{
  if (theirs->kind != KIND_STRUCT)
    return -1;
  if (mapping != MAPPING_ID || ours->field_id < 0)
    return osdear__type_find(theirs, osdear__str_of(ours->name));
  for (size_t i = 0; i < theirs->field_count; i++)
    if (theirs->fields[i].field_id == ours->field_id)
      return (int64_t)i;
  return -1;
}

static osdear_status bind_type(const binding *b, const osdear__type *ours, const osdear__type *theirs, osdear__type *want,
                               osdear__type *as, osdear_error **error);

static osdear_status new_fields(const binding *b, const osdear__type *like, size_t count, osdear__type *out, osdear_error **error)
{
  *out = *like;
  out->field_count = 0;
  out->fields = osdear__arena_zeroed(b->arena, count + 1, sizeof *out->fields);
  return out->fields ? OSDEAR_OK : osdear__fail_memory(error);
}

/* One of theirs answers to one of ours. */
static bool is_taken(const osdear__type *want, const osdear__field *field)
{
  for (size_t i = 0; i < want->field_count; i++)
    if (want->fields[i].name == field->name)
      return true;
  return false;
}

static osdear_status bind_struct(const binding *b, const osdear__type *ours, const osdear__type *theirs, osdear__type *want,
                                 osdear__type *as, osdear_error **error)
{
  osdear_status st = new_fields(b, theirs, ours->field_count, want, error);

  if (!st)
    st = new_fields(b, theirs, ours->field_count, as, error);
  for (size_t i = 0; i < ours->field_count && !st; i++) {
    int64_t at = osdear__scan_find_field(b->mapping, theirs, &ours->fields[i]);
    size_t n = want->field_count;
    if (at < 0 || ours->fields[i].type.kind == KIND_VOID || is_taken(want, &theirs->fields[at]))
      continue;
    want->fields[n] = as->fields[n] = theirs->fields[at];
    as->fields[n].name = ours->fields[i].name;
    st = bind_type(b, &ours->fields[i].type, &theirs->fields[at].type, &want->fields[n].type, &as->fields[n].type, error);
    want->field_count = as->field_count = n + 1;
  }
  return st;
}

static osdear_status bind_entries(const binding *b, const osdear__type *ours, const osdear__type *theirs, osdear__type *want,
                                  osdear__type *as, osdear_error **error)
{
  osdear_status st = new_fields(b, theirs, theirs->field_count, want, error);

  if (!st)
    st = new_fields(b, theirs, theirs->field_count, as, error);
  for (size_t i = 0; i < theirs->field_count && !st; i++) {
    want->fields[i] = as->fields[i] = theirs->fields[i];
    st = bind_type(b, &ours->fields[i].type, &theirs->fields[i].type, &want->fields[i].type, &as->fields[i].type, error);
    want->field_count = as->field_count = i + 1;
  }
  return st;
}

/* `want` is theirs less what nobody asks for; `as` is the same by our names. Types that do not go together are left as they are: the cast
 * says so, and names the place. */
static osdear_status bind_type(const binding *b, const osdear__type *ours, const osdear__type *theirs, osdear__type *want,
                               osdear__type *as, osdear_error **error)
{
  *want = *as = *theirs;
  if (ours->kind == KIND_STRUCT && theirs->kind == KIND_STRUCT)
    return bind_struct(b, ours, theirs, want, as, error);
  if (ours->kind == theirs->kind && ours->field_count == theirs->field_count && ours->field_count)
    return bind_entries(b, ours, theirs, want, as, error);
  /* The group may be a variant without saying so, as Spark 4.0 writes it; the file is asked for one, since it may be shredded too. */
  if (ours->kind == KIND_VARIANT && theirs->kind == KIND_STRUCT && osdear__type_find(theirs, STR("metadata")) >= 0)
    *want = *as = *ours;
  /* Writers that know no zones write instants as local times, which are UTC; Spark reads them so. The other way round is refused. */
  if (ours->kind == KIND_TIMESTAMP && theirs->kind == KIND_TIMESTAMP_NTZ)
    as->kind = KIND_TIMESTAMP;
  return OSDEAR_OK;
}

static bool has_ids(const osdear__type *type)
{
  for (size_t i = 0; i < type->field_count; i++)
    if (type->fields[i].field_id >= 0 || has_ids(&type->fields[i].type))
      return true;
  return false;
}

osdear_status osdear__scan_bind(osdear__mapping mapping, const osdear__type *ours, const osdear__type *theirs, const bool *needed,
                                osdear__arena *arena, osdear__scan_columns *out, osdear_error **error)
{
  const binding b = { .mapping = mapping, .arena = arena };
  bool *taken = osdear__arena_zeroed(arena, theirs->field_count + 1, sizeof *taken);
  osdear_status st = OSDEAR_OK;

  *out = (osdear__scan_columns){ 0 };
  out->from = osdear__arena_alloc(arena, (ours->field_count + 1) * sizeof *out->from);
  out->want = osdear__arena_zeroed(arena, ours->field_count + 1, sizeof *out->want);
  out->as = osdear__arena_zeroed(arena, ours->field_count + 1, sizeof *out->as);
  if (!taken || !out->from || !out->want || !out->as)
    return osdear__fail_memory(error);
  if (mapping == MAPPING_ID && theirs->field_count && !has_ids(theirs))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "its columns have no field ids, and the table maps its columns by them");
  for (size_t i = 0; i < ours->field_count && !st; i++) {
    out->from[i] =
        needed[i] && ours->fields[i].type.kind != KIND_VOID ? osdear__scan_find_field(mapping, theirs, &ours->fields[i]) : -1;
    if (out->from[i] >= 0 && taken[out->from[i]])
      out->from[i] = -1;
    if (out->from[i] < 0)
      continue;
    taken[out->from[i]] = true;
    out->want[i] = theirs->fields[out->from[i]];
    st = bind_type(&b, &ours->fields[i].type, &theirs->fields[out->from[i]].type, &out->want[i].type, &out->as[i], error);
  }
  return st;
}
