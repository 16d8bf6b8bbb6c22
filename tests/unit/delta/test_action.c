#include "fixture.h"

#include <delta/action.h>

/* Prints each action again, which shows all that was read of it. */
static osdear_status print(void *argument, const osdear__action *action, osdear_error **error)
{
  osdear__buf *out = argument;

  (void)error;
  switch (action->kind) {
  case ACTION_ADD: osdear__action_print_add(&action->file, out); break;
  case ACTION_REMOVE: osdear__action_print_remove(&action->file, out); break;
  case ACTION_PROTOCOL: osdear__action_print_protocol(&action->protocol, out); break;
  case ACTION_METADATA: osdear__action_print_metadata(&action->metadata, out); break;
  case ACTION_TXN: osdear__action_print_txn(&action->txn, out); break;
  case ACTION_DOMAIN: osdear__action_print_domain(&action->domain, out); break;
  case ACTION_CDC: osdear__buf_printf(out, "cdc %s %d\n", action->file.path.data, (int)action->file.size_bytes); break;
  case ACTION_SIDECAR:
    osdear__buf_printf(out, "sidecar %s %d\n", action->sidecar.path.data, (int)action->sidecar.size_bytes);
    break;
  case ACTION_CHECKPOINT: osdear__buf_printf(out, "checkpoint %d\n", (int)action->checkpoint_version); break;
  case ACTION_COMMIT_INFO: osdear__buf_printf(out, "{\"commitInfo\":%s}\n", action->info.data); break;
  }
  return OSDEAR_OK;
}

enum { KEEP_ALL = COMMIT_FILES | COMMIT_STATS | COMMIT_TAGS | COMMIT_TABLE | COMMIT_INFO };

static osdear_status parse(const char *text, unsigned keep, osdear__buf *out, osdear_error **error)
{
  AUTO(json_parser) parser = NULL;

  return osdear__actions_parse(osdear__str_of(text), "7.json", 1, keep, &parser, print, out, error);
}

static void expect(const char *text, unsigned keep, const char *printed)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(parse(text, keep, &out, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_str_eq(out.data ? out.data : "", printed);
}

static void refuse(const char *text, osdear_status status, const char *words)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(parse(text, KEEP_ALL, &out, &error), status, "%s", text);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "`%s` is not in: %s", words, osdear_error_message(error));
  cr_assert_not_null(strstr(osdear_error_message(error), "7.json, line "), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

Test(action, every_action_is_read_and_printed_with_all_its_fields)
{
  static const char *const lines[] = {
    "{\"add\":{\"path\":\"a%20b.parquet\",\"partitionValues\":{\"p\":\"x\",\"q\":null},\"size\":9007199254740993,\"modificationTime\":-1,"
    "\"dataChange\":false,\"stats\":\"{\\\"numRecords\\\":1}\",\"tags\":{\"k\":\"v\",\"n\":null},\"deletionVector\":{\"storageType\":\"u\","
    "\"pathOrInlineDv\":\"ab^-aqEH.-t@S}K{vb[*k^\",\"offset\":4,\"sizeInBytes\":40,\"cardinality\":6},\"baseRowId\":4071,"
    "\"defaultRowCommitVersion\":41,\"clusteringProvider\":\"liquid\"}}\n",
    "{\"remove\":{\"path\":\"x\",\"deletionTimestamp\":5,\"dataChange\":true,\"extendedFileMetadata\":true,\"partitionValues\":{},\"size\":3,"
    "\"tags\":{}}}\n",
    "{\"remove\":{\"path\":\"x\",\"dataChange\":true}}\n",
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"a\",\"b\"],\"writerFeatures\":[]}}\n",
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n",
    "{\"metaData\":{\"id\":\"i\",\"name\":\"n\",\"description\":\"d\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{}\",\"partitionColumns\":[\"a\",\"b\"],\"configuration\":{\"k\":\"v\",\"l\":\"\"},\"createdTime\":7}}\n",
    "{\"txn\":{\"appId\":\"app\",\"version\":3,\"lastUpdated\":9}}\n",
    "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{\\\"a\\\":1}\",\"removed\":true}}\n",
    "{\"commitInfo\":{\"operation\":\"WRITE\",\"x\":[1,{\"y\":null},true,false,\"z\"],\"n\":1.50}}\n",
  };

  for (size_t i = 0; i < COUNT_OF(lines); i++)
    expect(lines[i], KEEP_ALL, lines[i]);
}

Test(action, what_is_unknown_is_passed_over)
{
  expect("{\"newAction\":{\"a\":[{}]}}\n{\"x\":7}\n{}\n"
         "{\"txn\":{\"appId\":\"a\",\"new\":{\"deep\":[[]]},\"version\":1,\"list\":[1,[2]],\"other\":null}}\n"
         "{\"cdc\":{\"path\":\"c\"}}\n{\"sidecar\":{}}\n{\"checkpointMetadata\":{\"version\":1}}\n",
         KEEP_ALL, "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n");
}

Test(action, only_what_is_asked_for_is_kept)
{
  static const char text[] =
      "{\"commitInfo\":{}}\n{\"txn\":{\"appId\":\"a\",\"version\":1}}\n"
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true,\"stats\":\"{}\",\"tags\":{\"a\":\"b\"}}}\n";
  static const char add[] =
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true";

  expect(text, COMMIT_TABLE, "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n");
  expect(text, COMMIT_INFO, "{\"commitInfo\":{}}\n");
  for (int i = 0; i < 2; i++) {
    SCOPED(buf) printed = { 0 };
    osdear__buf_printf(&printed, "%s%s}}\n", add, i ? ",\"stats\":\"{}\"" : "");
    expect(text, i ? COMMIT_FILES | COMMIT_STATS : COMMIT_FILES, printed.data);
  }
}

Test(action, what_only_checkpoints_hold_is_read_of_checkpoints)
{
  static const char lines[] = "{\"checkpointMetadata\":{\"version\":5,\"tags\":{\"a\":\"b\"}}}\n"
                              "{\"sidecar\":{\"path\":\"x.parquet\",\"sizeInBytes\":7,\"modificationTime\":1}}\n";

  expect(lines, KEEP_ALL, "");
  expect(lines, COMMIT_CHECKPOINT, "checkpoint 5\nsidecar x.parquet 7\n");
}

Test(action, nulls_are_as_good_as_absent)
{
  expect("{\"add\":null,\"txn\":{\"appId\":\"a\",\"version\":1,\"lastUpdated\":null},\"remove\":null}\n", KEEP_ALL,
         "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n");
  refuse("{\"txn\":{\"appId\":null,\"version\":1}}", OSDEAR_ERR_CORRUPT, "txn lacks the required field `appId`");
}

Test(action, of_what_is_named_twice_the_later_counts)
{
  expect("{\"txn\":{\"appId\":\"a\",\"version\":1,\"version\":2}}\n", KEEP_ALL, "{\"txn\":{\"appId\":\"a\",\"version\":2}}\n");
  expect("{\"txn\":{\"appId\":\"a\",\"lastUpdated\":null,\"version\":1,\"lastUpdated\":2}}\n", KEEP_ALL,
         "{\"txn\":{\"appId\":\"a\",\"version\":1,\"lastUpdated\":2}}\n");
  expect(
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"p\":\"1\",\"q\":\"2\",\"p\":\"3\"},\"size\":1,\"modificationTime\":1,"
      "\"dataChange\":true}}\n",
      KEEP_ALL,
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"p\":\"3\",\"q\":\"2\"},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n");
  expect(
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"p\":\"1\"},\"partitionValues\":{\"q\":\"2\"},\"size\":1,\"modificationTime\":1,"
      "\"dataChange\":true}}\n",
      KEEP_ALL,
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"q\":\"2\"},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n");
  expect("{\"txn\":{\"appId\":\"a\",\"version\":1,\"later\":1,\"later\":{}}}\n", KEEP_ALL,
         "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n");
}

Test(action, what_is_named_again_with_null_is_refused)
{
  refuse("{\"txn\":{\"appId\":\"a\",\"version\":1,\"lastUpdated\":2,\"lastUpdated\":null}}\n", OSDEAR_ERR_CORRUPT,
         "txn names `lastUpdated` twice, the second time with null");
  refuse("{\"remove\":{\"path\":\"f\",\"deletionVector\":{\"storageType\":\"u\",\"storageType\":null}}}\n", OSDEAR_ERR_CORRUPT,
         "remove names `storageType` twice, the second time with null");
}

Test(action, paths_do_not_climb)
{
  static const char *const paths[] = { "../f", "a/../../f", "a/..", "%2E%2e/f", "a/%2e./../f", "/../f", "file:///t/../../f" };
  SCOPED(buf) line = { 0 };

  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    osdear__buf_clear(&line);
    osdear__buf_printf(&line, "{\"remove\":{\"path\":\"%s\",\"dataChange\":true}}\n", paths[i]);
    refuse(line.data, OSDEAR_ERR_CORRUPT, "climbs out");
  }
  expect("{\"remove\":{\"path\":\"a..b/..c/d../e\",\"dataChange\":true}}\n", KEEP_ALL,
         "{\"remove\":{\"path\":\"a..b/..c/d../e\",\"dataChange\":true}}\n");
  expect("{\"remove\":{\"path\":\"a/../b/%2e./f\",\"dataChange\":true}}\n", KEEP_ALL,
         "{\"remove\":{\"path\":\"a/../b/%2e./f\",\"dataChange\":true}}\n");
  refuse("{\"remove\":{\"path\":\"a%2\"}}\n", OSDEAR_ERR_CORRUPT, "a%2");
}

Test(action, partition_values_of_other_types_are_taken_for_their_text)
{
  expect(
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"p\":1,\"q\":true,\"r\":\"\"},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n",
      KEEP_ALL,
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"p\":\"1\",\"q\":\"true\",\"r\":null},\"size\":1,\"modificationTime\":1,"
      "\"dataChange\":true}}\n");
}

Test(action, broken_lines_are_named)
{
  refuse("{\"txn\":{\"appId\":\"a\",\"version\":1}}\n{\"add\":{\"pa", OSDEAR_ERR_CORRUPT, "line 2");
  refuse("[]", OSDEAR_ERR_CORRUPT, "each line must be an object");
  refuse("7", OSDEAR_ERR_CORRUPT, "each line must be an object");
  refuse("{\"add\":7}", OSDEAR_ERR_CORRUPT, "`add` is not an object");
  refuse("{\"add\":[]}", OSDEAR_ERR_CORRUPT, "`add` is not an object");
  refuse("{\"commitInfo\":{},\"txn\":{\"appId\":\"a\",\"version\":1}}", OSDEAR_ERR_CORRUPT, "two actions in one line");
}

#define ADD_WITH(members) "{\"add\":{" members "\"partitionValues\":{},\"modificationTime\":1,\"dataChange\":true}}"

Test(action, required_fields_are_missed_and_types_are_checked)
{
  refuse(ADD_WITH("\"size\":1,"), OSDEAR_ERR_CORRUPT, "add lacks the required field `path`");
  refuse(ADD_WITH("\"path\":\"f\","), OSDEAR_ERR_CORRUPT, "add lacks the required field `size`");
  refuse(ADD_WITH("\"path\":\"\",\"size\":1,"), OSDEAR_ERR_CORRUPT, "add.path is empty");
  refuse(ADD_WITH("\"path\":\"a\\u0000b\",\"size\":1,"), OSDEAR_ERR_CORRUPT, "NUL");
  refuse(ADD_WITH("\"path\":7,\"size\":1,"), OSDEAR_ERR_CORRUPT, "add.path is not a string");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":-1,"), OSDEAR_ERR_CORRUPT, "add.size of `f` is -1");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":1.5,"), OSDEAR_ERR_CORRUPT, "add.size is not an integer of 64 bits");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":9223372036854775808,"), OSDEAR_ERR_CORRUPT, "add.size is not an integer of 64 bits");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":{},"), OSDEAR_ERR_CORRUPT, "add.size is not an integer");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":1,\"tags\":[],"), OSDEAR_ERR_CORRUPT, "add.tags is not an object");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":1,\"dataChange\":1,"), OSDEAR_ERR_CORRUPT, "add.dataChange is not true or false");
  refuse("{\"protocol\":{\"minReaderVersion\":3000000000,\"minWriterVersion\":1}}", OSDEAR_ERR_CORRUPT, "an integer of 32 bits");
  refuse("{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":{}}}", OSDEAR_ERR_CORRUPT,
         "an array of strings");
  refuse("{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[1]}}", OSDEAR_ERR_CORRUPT,
         "an array of strings");
  refuse("{\"metaData\":{\"id\":\"a\",\"format\":{\"provider\":\"orc\"},\"schemaString\":\"\",\"partitionColumns\":[]}}",
         OSDEAR_ERR_UNSUPPORTED, "format `orc`");
}

Test(action, deletion_vectors_are_checked)
{
  refuse(
      ADD_WITH(
          "\"path\":\"f\",\"size\":1,\"deletionVector\":{\"storageType\":\"z\",\"pathOrInlineDv\":\"x\",\"sizeInBytes\":1,\"cardinality\":1},"),
      OSDEAR_ERR_CORRUPT, "storageType");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":1,\"deletionVector\":{\"storageType\":\"u\",\"sizeInBytes\":1,\"cardinality\":1},"),
         OSDEAR_ERR_CORRUPT, "deletionVector lacks the required field `pathOrInlineDv`");
  refuse(
      ADD_WITH(
          "\"path\":\"f\",\"size\":1,\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"x\",\"sizeInBytes\":-1,\"cardinality\":1},"),
      OSDEAR_ERR_CORRUPT, "negative");
  refuse(ADD_WITH("\"path\":\"f\",\"size\":1,\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"x\",\"offset\":-1,"
                  "\"sizeInBytes\":1,\"cardinality\":1},"),
         OSDEAR_ERR_CORRUPT, "deletionVector.offset is negative");
  expect(ADD_WITH("\"path\":\"f\",\"size\":1,\"deletionVector\":null,"), KEEP_ALL,
         "{\"add\":{\"path\":\"f\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n");
}

Test(action, numbers_of_partition_values_and_properties_are_bounded)
{
  SCOPED(buf) text = { 0 };

  osdear__buf_puts(&text, "{\"add\":{\"path\":\"f\",\"partitionValues\":{");
  for (int i = 0; i < 1000; i++)
    osdear__buf_printf(&text, "%s\"%d\":\"\"", i ? "," : "", i);
  osdear__buf_puts(&text, "}}}");
  refuse(text.data, OSDEAR_ERR_LIMIT, "more than 256 partition values");
}

Test(action, commit_info_is_printed_without_what_is_not_known)
{
  SCOPED(buf) out = { 0 };
  osdear__commit_info info = { .timestamp_ms = 5,
                               .in_commit_timestamp_ms = -1,
                               .operation = "WRITE",
                               .read_version = -1,
                               .is_blind_append = 1,
                               .operation_parameters = "{\"mode\":\"Append\"}",
                               .txn_id = "t" };

  osdear__action_print_commit_info(&info, &out);
  cr_assert_str_eq(out.data,
                   "{\"commitInfo\":{\"timestamp\":5,\"operation\":\"WRITE\",\"operationParameters\":{\"mode\":\"Append\"},"
                   "\"isBlindAppend\":true,\"txnId\":\"t\"}}\n");
}

#ifdef OSDEAR_FAULTS
Test(action, survives_every_failing_allocation)
{
  static const char text[] = PROTOCOL_LINE METADATA_LINE ADD_LINE("a%20b")
      REMOVE_LINE("c") "{\"commitInfo\":{\"a\":[1]}}\n"
                       "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"a\"]}}\n";
  int64_t live = osdear__live();
  osdear_status st = OSDEAR_ERR_NO_MEMORY;
  bool printed = false;

  for (int64_t n = 0; (st || !printed) && n < 2000; n++) {
    osdear__buf out = { 0 };
    osdear_error *error = NULL;

    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = parse(text, KEEP_ALL, &out, &error);
    osdear__fault_disarm();
    printed = !out.failed;
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
    osdear_error_free(error);
    osdear__buf_drop(&out);
    cr_assert_eq(osdear__live(), live);
  }
  cr_assert_eq(st, OSDEAR_OK);
}
#endif
