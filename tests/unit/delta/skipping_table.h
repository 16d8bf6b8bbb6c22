/** @file skipping_table.h Random tables for test_skipping.c, and the values in them that bounds are made of. */
#ifndef OSDEAR_TESTS_UNIT_DELTA_SKIPPING_TABLE_H
#define OSDEAR_TESTS_UNIT_DELTA_SKIPPING_TABLE_H

#include "fixture.h"

enum { SKIPPING_ROWS = 60 /* of a file: row groups of 20, pages of 5 */, SKIPPING_FILES = 4, SKIPPING_EDGES = 40 };

/* `k` is a CHAR(3); `st` is a struct with the member `x`; `p` is a partition column. */
enum { ID, I, D, S, T, N, C, Y, K, ST, P, COLUMNS };
enum { DECIMAL_SCALE = 3 };

typedef struct skipping_table {
  fixture f;
  osdear__arena arena;
  osdear_snapshot *snapshot;
  osdear__scalar edges[COLUMNS]
                      [SKIPPING_EDGES]; /* least and greatest values in turn, of files and of pages, as the table's types */
  size_t edge_counts[COLUMNS];
  int64_t files;
  bool has_vector[SKIPPING_FILES];
} skipping_table;

/* All that follows comes from `seed`. */
void skipping_seed(uint64_t seed);
uint64_t chance(uint64_t below);

void skipping_table_new(skipping_table *table);
void skipping_table_drop(skipping_table *table);
bool skipping_is_deleted(const skipping_table *table, int64_t id);
const char *skipping_name(size_t column); /* as a predicate writes it */

/* Values as tables have them. `center` moves what is likely. */
int64_t any_small(int64_t center);
double any_number(int64_t center);
void any_text(int64_t center, char out[160]);
void any_char(int64_t center, char out[8]);
int64_t any_instant(int64_t center);

#endif
