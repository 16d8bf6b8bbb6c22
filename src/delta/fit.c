/** @file fit.c A caller's rows made to fit the table: columns matched by name, types widened, nulls refused where none may be. */
#include <delta/write.h>

struct osdear__fit {
  const osdear__type *input;
  const osdear__type *table;
  int64_t *source; /* for each column of the table that of the input; -1: nulls */
};

static osdear_status fail_type(osdear_error **error, const osdear__field *given, const osdear__field *wanted)
{
  SCOPED(buf) from = { 0 };
  SCOPED(buf) to = { 0 };

  osdear__type_name(&given->type, &from);
  osdear__type_name(&wanted->type, &to);
  if (from.failed || to.failed)
    return osdear__fail_memory(error);
  return osdear__fail(error, OSDEAR_ERR_DATA, "column \"%s\" is %s in the rows and %s in the table: cast it first", wanted->name,
                      from.data, to.data);
}

/* Each column of the input must have a place, and a place of its own. */
static osdear_status match_inputs(osdear__fit *fit, osdear_error **error)
{
  for (size_t i = 0; i < fit->input->field_count; i++) {
    const osdear__field *given = &fit->input->fields[i];
    int64_t at = osdear__type_find(fit->table, osdear__str_of(given->name));

    if (at < 0)
      return osdear__fail(error, OSDEAR_ERR_DATA, "the table has no column \"%s\"", given->name);
    if (fit->source[at] >= 0)
      return osdear__fail(error, OSDEAR_ERR_DATA, "the rows have column \"%s\" twice, as \"%s\" and \"%s\"",
                          fit->table->fields[at].name, fit->input->fields[fit->source[at]].name, given->name);
    if (given->type.kind != KIND_VOID && !osdear__type_can_cast(&given->type, &fit->table->fields[at].type))
      return fail_type(error, given, &fit->table->fields[at]);
    fit->source[at] = (int64_t)i;
  }
  return OSDEAR_OK;
}

osdear_status osdear__fit_new(const osdear__type *input, const osdear__type *table, osdear__fit **out, osdear_error **error)
{
  AUTO(fit) fit = osdear__alloc_zeroed(1, sizeof *fit);
  osdear_status st;

  if (!fit)
    return osdear__fail_memory(error);
  fit->input = input;
  fit->table = table;
  if (table->field_count > 0) {
    fit->source = osdear__alloc_zeroed(table->field_count, sizeof *fit->source);
    if (!fit->source)
      return osdear__fail_memory(error);
  }
  for (size_t i = 0; i < table->field_count; i++)
    fit->source[i] = -1;
  st = match_inputs(fit, error);
  if (st)
    return st;
  for (size_t i = 0; i < table->field_count; i++)
    if (fit->source[i] < 0 && !table->fields[i].nullable)
      return osdear__fail(error, OSDEAR_ERR_DATA, "column \"%s\" is missing and may not be null", table->fields[i].name);
  *out = fit;
  fit = NULL;
  return OSDEAR_OK;
}

void osdear__fit_auto(osdear__fit **fit)
{
  if (!*fit)
    return;
  osdear__free((*fit)->source);
  osdear__free(*fit);
  *fit = NULL;
}

static osdear_status check_nulls(const osdear__field *field, const struct ArrowArray *array, int64_t first_row,
                                 osdear_error **error)
{
  int64_t row = 0;

  if (field->nullable || array->null_count == 0 || array->length == 0)
    return OSDEAR_OK;
  while (row < array->length - 1 && field->type.kind != KIND_VOID && osdear__is_valid(array, row))
    row++;
  return osdear__fail(error, OSDEAR_ERR_DATA, "row %" PRId64 " is null in column \"%s\", which may not be null", first_row + row,
                      field->name);
}

static osdear_status fit_column(const osdear__fit *fit, size_t column, struct ArrowArray *batch, int64_t length,
                                int64_t first_row, struct ArrowArray *out, osdear_error **error)
{
  const osdear__field *wanted = &fit->table->fields[column];
  int64_t source = fit->source[column];
  struct ArrowArray given;
  osdear_status st;

  if (source < 0 || fit->input->fields[source].type.kind == KIND_VOID) {
    st = osdear__array_nulls(&wanted->type, length, out, error);
  } else {
    given = *batch->children[source];
    batch->children[source]->release = NULL;
    st = osdear__array_cast(&fit->input->fields[source].type, &given, &wanted->type, out, error);
  }
  if (st)
    return osdear__fail_within(error, st, "column \"%s\"", wanted->name);
  return check_nulls(wanted, out, first_row, error);
}

/* Takes the columns over in every case. */
static osdear_status wrap(struct ArrowArray *columns, size_t count, int64_t length, struct ArrowArray *out, osdear_error **error)
{
  void *no_validity[1] = { NULL };

  return osdear__array_adopt(length, 0, no_validity, 1, columns, (int64_t)count, out, error);
}

osdear_status osdear__fit_batch(const osdear__fit *fit, struct ArrowArray *batch, int64_t first_row, struct ArrowArray *out,
                                osdear_error **error)
{
  size_t count = fit->table->field_count;
  int64_t length = batch->length;
  struct ArrowArray *columns;
  osdear_status st = OSDEAR_OK;

  columns = osdear__alloc_zeroed(count ? count : 1, sizeof *columns);
  if (!columns) {
    osdear__array_drop(batch);
    return osdear__fail_memory(error);
  }
  if (batch->null_count > 0)
    st = osdear__fail(error, OSDEAR_ERR_DATA, "rows from %" PRId64 " on hold a row that is null as a whole", first_row);
  for (size_t i = 0; i < count && !st; i++)
    st = fit_column(fit, i, batch, length, first_row, &columns[i], error);
  osdear__array_drop(batch);
  if (!st) {
    st = wrap(columns, count, length, out, error);
  } else {
    for (size_t i = 0; i < count; i++)
      osdear__array_drop(&columns[i]);
  }
  osdear__free(columns);
  return st;
}
