/* A folder for tables, rows written as JSON, and looks into the log. */
#ifndef OSDEAR_TESTS_UNIT_DELTA_LAKE_H
#define OSDEAR_TESTS_UNIT_DELTA_LAKE_H

#include <delta/delta.h>

#include <criterion/criterion.h>

typedef struct lake {
  char folder[64]; /* empty at first, removed by lake_close() */
  osdear_context *context;
  osdear__store *store; /* over `folder` */
  osdear__arena arena;
} lake;

void lake_open(lake *self);
void lake_close(lake *self);

/* Stops the test with the error's message unless the status is OK. */
#define OK(call)                                                                                         \
  do {                                                                                                   \
    osdear_error *ok_error = NULL;                                                                       \
    osdear_status ok_status = (call);                                                                    \
    cr_assert_eq(ok_status, OSDEAR_OK, "%s: %s", #call, ok_error ? osdear_error_message(ok_error) : ""); \
    osdear_error_free(ok_error);                                                                         \
  } while (0)
/* To be passed as the error of a call within OK(). */
#define WHY (&ok_error)
/* The call fails with `status`, and its message holds `part`. */
#define FAILS(call, status, part)                                                                                          \
  do {                                                                                                                     \
    osdear_error *ok_error = NULL;                                                                                         \
    osdear_status ok_status = (call);                                                                                      \
    cr_assert_eq(ok_status, status, "%s: %s, %s", #call, osdear_status_name(ok_status),                                    \
                 ok_error ? osdear_error_message(ok_error) : "");                                                          \
    cr_assert(strstr(osdear_error_message(ok_error), part), "\"%s\" is not in: %s", part, osdear_error_message(ok_error)); \
    osdear_error_free(ok_error);                                                                                           \
  } while (0)

/* "id long!, name string, price decimal(10,2), tags array<string>, m map<string,long>, s struct<a:int,b:string>": `!` is not null.
 * In the lake's arena. */
const osdear__type *lake_type(lake *self, const char *text);
/* A stream of one batch: `json` is a list of objects, dates, timestamps, decimals and binaries being text; absent members are null. */
void lake_rows(lake *self, const osdear__type *type, const char *json, struct ArrowArrayStream *out);

/* Creates a table of that type: `partition_by` "a,b" or NULL; `properties` "key=value;key=value" or NULL. */
osdear_status lake_create(lake *self, const char *type, const char *partition_by, const char *properties, osdear_table **out,
                          osdear_error **error);
/* Appends or overwrites with rows of the table's own type. */
osdear_status lake_append(lake *self, osdear_table *table, const char *json, const osdear_write_options *options,
                          osdear_write_result *result, osdear_error **error);
osdear_status lake_overwrite(lake *self, osdear_table *table, const char *json, const osdear_write_options *options,
                             osdear_write_result *result, osdear_error **error);
/* All rows of the newest version as sorted lines of JSON, in the lake's arena. */
const char *lake_read(lake *self);
const char *lake_read_where(lake *self, const char *where); /* those of them that match */
/* The text of a file below the folder, in the lake's arena; "" when there is none. */
const char *lake_text(lake *self, const char *path);
const char *lake_commit(lake *self, int64_t version);
/* Data files in the folder, named by the log or not. */
int lake_data_files(lake *self);
/* How often `part` stands in `text`. */
int lake_count(const char *text, const char *part);

#endif
