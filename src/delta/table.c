/** @file table.c A table's handle: its newest known state, and the writes that need one call. */
#include <delta/write.h>

typedef struct osdear_table osdear__table;

static void osdear__table_auto(osdear__table **table)
{
  osdear_table_free(*table);
}

/* ---- the newest state ---- */

/* Is the version we know still the newest? Told by two names, without a listing: as long as our version's commit is in the log, no
 * later one was cleaned up. */
static bool is_newest(const osdear_table *table)
{
  osdear__store_item item;
  char path[OSDEAR__LOG_PATH];

  osdear__log_commit_path(table->snapshot->segment.version + 1, path);
  if (osdear__store_stat(table->store, path, &item, NULL) != OSDEAR_ERR_NOT_FOUND)
    return false;
  osdear__log_commit_path(table->snapshot->segment.version, path);
  return osdear__store_stat(table->store, path, &item, NULL) == OSDEAR_OK;
}

osdear_status osdear__table_sync(osdear_table *table, osdear_error **error)
{
  osdear_snapshot *newest = NULL;
  osdear_status st;

  if (!is_newest(table)) {
    st = osdear__snapshot_load(table->context, table->store, NULL, table->snapshot, &newest, error);
    if (st)
      return st;
    osdear_snapshot_unref(table->snapshot);
    table->snapshot = newest;
  }
  table->is_behind = false;
  return OSDEAR_OK;
}

osdear_status osdear__table_new(osdear_context *context, osdear__store *store, osdear_table **out, osdear_error **error)
{
  AUTO(table) table = osdear__alloc_zeroed(1, sizeof *table);
  osdear_status st;

  if (!table)
    return osdear__fail_memory(error);
  table->context = osdear_context_ref(context);
  table->store = osdear__store_ref(store);
  st = osdear__snapshot_load(context, store, NULL, NULL, &table->snapshot, error);
  if (st)
    return st;
  *out = table;
  table = NULL;
  return OSDEAR_OK;
}

osdear_status osdear_table_open(osdear_context *context, const char *uri, const osdear_table_options *options, osdear_table **out,
                                osdear_error **error)
{
  osdear_table_options known = OSDEAR_TABLE_OPTIONS_INIT;
  AUTO(store) store = NULL;
  osdear_status st;

  if (!context || !uri || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context, uri and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (!st)
    st = osdear__store_open(context, uri, known.storage, known.storage_count, &store, error);
  return st ? st : osdear__table_new(context, store, out, error);
}

void osdear_table_free(osdear_table *table)
{
  if (!table)
    return;
  osdear_snapshot_unref(table->snapshot);
  osdear__store_unref(table->store);
  osdear_context_unref(table->context);
  osdear__free(table);
}

osdear_snapshot *osdear_table_snapshot(osdear_table *table)
{
  AUTO(error) why = NULL;

  if (!table)
    return NULL;
  if (table->is_behind && osdear__table_sync(table, &why))
    osdear__log(table->context, OSDEAR_LOG_WARNING, "delta", "cannot load the table's newest state: %s",
                osdear_error_message(why));
  return osdear_snapshot_ref(table->snapshot);
}

osdear_status osdear_table_refresh(osdear_table *table, osdear_error **error)
{
  if (!table)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table must not be NULL");
  return osdear__table_sync(table, error);
}

osdear_status osdear_table_history(osdear_table *table, int64_t limit, struct ArrowArrayStream *out, osdear_error **error)
{
  if (!table || !out || limit < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table and out must not be NULL, nor limit below -1");
  return osdear__history_export(table->context, table->store, limit, out, error);
}

osdear_status osdear_table_checkpoint(osdear_table *table, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (!table)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table must not be NULL");
  if (table->is_behind)
    st = osdear__table_sync(table, error);
  if (!st)
    st = osdear__protocol_check_checkpoint(&table->snapshot->protocol, osdear__store_uri(table->store), error);
  return st ? st : osdear__checkpoint_write(table->snapshot, error);
}

/* ---- a transaction of one write ---- */

typedef osdear_status (*transaction_write)(osdear_transaction *transaction, struct ArrowArrayStream *data, osdear_error **error);

/* Takes `data` over in every case. */
static osdear_status write_once(osdear_table *table, transaction_write write, struct ArrowArrayStream *data,
                                const osdear_write_options *options, osdear_write_result *result, osdear_error **error)
{
  osdear_transaction *transaction = NULL;
  osdear_status st = osdear_transaction_begin(table, options, &transaction, error);

  if (st) {
    osdear__stream_drop(data);
    return st;
  }
  st = write(transaction, data, error);
  if (!st)
    st = osdear_transaction_commit(transaction, result, error);
  osdear_transaction_free(transaction);
  return st;
}

static osdear_status check_call(const osdear_table *table, struct ArrowArrayStream *data, osdear_error **error)
{
  if (table && data && data->release)
    return OSDEAR_OK;
  if (data)
    osdear__stream_drop(data);
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table and data must not be NULL, nor data released");
}

osdear_status osdear_table_append(osdear_table *table, struct ArrowArrayStream *data, const osdear_write_options *options,
                                  osdear_write_result *result, osdear_error **error)
{
  osdear_status st = check_call(table, data, error);

  /* Seeing what came meanwhile is cheaper than losing a race against it, and than writing files for a version recorded already. */
  if (!st) {
    st = osdear__table_sync(table, error);
    if (st)
      osdear__stream_drop(data);
  }
  return st ? st : write_once(table, osdear_transaction_append, data, options, result, error);
}

osdear_status osdear_table_overwrite(osdear_table *table, struct ArrowArrayStream *data, const osdear_write_options *options,
                                     osdear_write_result *result, osdear_error **error)
{
  osdear_status st = check_call(table, data, error);

  return st ? st : write_once(table, osdear_transaction_overwrite, data, options, result, error);
}
