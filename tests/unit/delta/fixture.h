/** @file fixture.h Tables made by hand: commits as text, checkpoints as rows of JSON, in a memory: store of their own. */
#ifndef OSDEAR_TESTS_UNIT_DELTA_FIXTURE_H
#define OSDEAR_TESTS_UNIT_DELTA_FIXTURE_H

#include <delta/delta.h>

#include <criterion/criterion.h>

typedef struct fixture {
  const char *name; /* of the memory: store */
  char uri[64];     /* memory://name */
  osdear_context *context;
  osdear__store *store;
} fixture;

/* Everything asserts: a fixture that cannot be made is a failed test. */
fixture fixture_open(const char *name);
void fixture_close(fixture *f);
void fixture_put(fixture *f, const char *path, const char *text);
void fixture_commit(fixture *f, int64_t version, const char *lines);

/* One Parquet file. `fields`: the `fields` of a Delta schemaString, where nullable and metadata may be left out. `rows`: a JSON array of
 * objects whose absent members are null; maps are objects, dates and timestamps numbers. `group_rows` 0: one row group. */
void fixture_parquet(fixture *f, const char *path, const char *fields, const char *rows, int64_t group_rows);
/* `rows` under CHECKPOINT_FIELDS. */
void fixture_checkpoint(fixture *f, int64_t version, const char *rows);

osdear_snapshot *fixture_load(fixture *f, int64_t version);
/* The load is to fail with `status`, and with `words` somewhere in its message. */
void fixture_refuse(fixture *f, int64_t version, osdear_status status, const char *words);
/* Paths of the live files, sorted and joined by spaces; `where` may be NULL. Freed by osdear__free(). */
char *fixture_files(osdear_snapshot *snapshot, const char *where, unsigned want);
#define cr_assert_files(snapshot, expected)                   \
  do {                                                        \
    char *fixture_paths = fixture_files((snapshot), NULL, 0); \
    cr_assert_str_eq(fixture_paths, (expected));              \
    osdear__free(fixture_paths);                              \
  } while (0)

/* Lines of commits. */
#define PROTOCOL_LINE "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define METADATA_LINE                                                                                                        \
  "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":"     \
  "\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":" \
  "{}},{\\\"name\\\":\\\"p\\\",\\\"type\\\":\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","                  \
  "\"partitionColumns\":[\"p\"],\"configuration\":{},\"createdTime\":1700000000000}}\n"
#define ADD_LINE(path) \
  "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{\"p\":\"x\"},\"size\":10,\"modificationTime\":5,\"dataChange\":true}}\n"
#define REMOVE_LINE(path) "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":4102444800000,\"dataChange\":true}}\n"

/* The columns of a checkpoint as Spark writes them, statistics as text. */
/* clang-format off */
#define CHECKPOINT_PAIRS "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":\"string\",\"valueContainsNull\":true}"
#define CHECKPOINT_NAMES "{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true}"
#define CHECKPOINT_STRUCT(name, fields) "{\"name\":\"" name "\",\"type\":{\"type\":\"struct\",\"fields\":[" fields "]}}"
#define CHECKPOINT_NEST(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define CHECKPOINT_LEAF(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define CHECKPOINT_PROTOCOL                                                                                         \
  CHECKPOINT_STRUCT("protocol", CHECKPOINT_LEAF("minReaderVersion", "integer") "," CHECKPOINT_LEAF("minWriterVersion", "integer"))
#define CHECKPOINT_METADATA                                                                          \
  CHECKPOINT_STRUCT("metaData", CHECKPOINT_LEAF("id", "string") "," CHECKPOINT_LEAF("schemaString", "string") "," \
    CHECKPOINT_NEST("partitionColumns", CHECKPOINT_NAMES) "," CHECKPOINT_NEST("configuration", CHECKPOINT_PAIRS) "," \
    CHECKPOINT_LEAF("createdTime", "long"))
#define CHECKPOINT_ADD                                                                                     \
  CHECKPOINT_STRUCT("add", CHECKPOINT_LEAF("path", "string") "," CHECKPOINT_NEST("partitionValues", CHECKPOINT_PAIRS) "," \
    CHECKPOINT_LEAF("size", "long") "," CHECKPOINT_LEAF("modificationTime", "long") "," CHECKPOINT_LEAF("dataChange", "boolean") "," \
    CHECKPOINT_LEAF("stats", "string"))
#define CHECKPOINT_REMOVE                                                                                              \
  CHECKPOINT_STRUCT("remove", CHECKPOINT_LEAF("path", "string") "," CHECKPOINT_LEAF("deletionTimestamp", "long") "," \
    CHECKPOINT_LEAF("dataChange", "boolean"))
#define CHECKPOINT_TXN                                                                                               \
  CHECKPOINT_STRUCT("txn", CHECKPOINT_LEAF("appId", "string") "," CHECKPOINT_LEAF("version", "long") "," \
    CHECKPOINT_LEAF("lastUpdated", "long"))
#define CHECKPOINT_DOMAIN                                                                                                  \
  CHECKPOINT_STRUCT("domainMetadata", CHECKPOINT_LEAF("domain", "string") "," CHECKPOINT_LEAF("configuration", "string") "," \
    CHECKPOINT_LEAF("removed", "boolean"))
#define CHECKPOINT_FIELDS                                                                                                     \
  "[" CHECKPOINT_TXN "," CHECKPOINT_ADD "," CHECKPOINT_REMOVE "," CHECKPOINT_METADATA "," CHECKPOINT_PROTOCOL "," CHECKPOINT_DOMAIN "]"
/* clang-format on */

/* Rows of it. */
#define PROTOCOL_ROW "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}"
#define METADATA_ROW                                                                                                       \
  "{\"metaData\":{\"id\":\"0-1\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\"," \
  "\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"p\\\",\\\"type\\\":\\\"string\\\"}]}\",\"partitionColumns\":[\"p\"],"      \
  "\"configuration\":{}}}"
#define ADD_ROW(path) \
  "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{\"p\":\"x\"},\"size\":10,\"modificationTime\":5,\"dataChange\":false}}"

#endif
