/** @file transaction.h Several writes to one table as one commit. */
#ifndef OSDEAR_TRANSACTION_H
#define OSDEAR_TRANSACTION_H

#include <osdear/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Writes that become visible together, or not at all. Confined: one thread at a time. */
typedef struct osdear_transaction osdear_transaction;

/**
 * Begin: what is written from here on is judged against the state the table was last seen in.
 *
 * @param table    Must outlive the transaction.
 * @param options  NULL for defaults. Copied. `where` and `dynamic_partitions` apply to osdear_transaction_overwrite().
 * @param[out] out Release with osdear_transaction_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_transaction_begin(osdear_table *table, const osdear_write_options *options,
                                                  osdear_transaction **out, osdear_error **error);
/** Write rows into new files. @param data  Consumed in every case. Errors as osdear_table_append(). @since 0.1 */
OSDEAR_API osdear_status osdear_transaction_append(osdear_transaction *transaction, struct ArrowArrayStream *data,
                                                   osdear_error **error);
/** Write rows into new files, and take out what they replace. Errors as osdear_table_overwrite(). @since 0.1 */
OSDEAR_API osdear_status osdear_transaction_overwrite(osdear_transaction *transaction, struct ArrowArrayStream *data,
                                                      osdear_error **error);
/**
 * Make it all visible in one new version. Where another writer was first, the protocol's conflict rules decide
 * whether to go on with the next version. Afterwards the table has seen the new state.
 *
 * @param[in,out] result  Optional; its `size` must be set.
 * @retval OSDEAR_ERR_CONFLICT  The other writer's change makes this one wrong.
 * @retval OSDEAR_ERR_STATE     Committed already.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_transaction_commit(osdear_transaction *transaction, osdear_write_result *result,
                                                   osdear_error **error);
OSDEAR_API void osdear_transaction_free(osdear_transaction *transaction); /**< NULL is a no-op. Uncommitted files are deleted. */

#ifdef __cplusplus
}
#endif
#endif
