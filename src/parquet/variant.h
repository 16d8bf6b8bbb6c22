/** @file variant.h Variants out of what a file stores them as: two binaries, or shredded into typed columns. */
#ifndef OSDEAR_SRC_PARQUET_VARIANT_H
#define OSDEAR_SRC_PARQUET_VARIANT_H

#include <parquet/read.h>

/* Can the fields of a group hold a variant? UNSUPPORTED: a typed_value of a type that VariantShredding.md does not know. */
MUST_USE osdear_status osdear__pq_variant_check(const osdear__pq_schema *schema, const osdear__pq_node *node,
                                                const osdear__type *storage, osdear_error **error);
/* `storage`: the group as a struct, which stays the caller's; `plan`: of it. Gives variants in the canonical layout. */
MUST_USE osdear_status osdear__pq_variants_make(const osdear__pq_plan *plan, const osdear__pq_column *columns,
                                                const struct ArrowArray *storage, struct ArrowArray *out, osdear_error **error);

#endif
