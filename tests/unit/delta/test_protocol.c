#include "fixture.h"

static osdear_pair property;

static osdear__metadata with_property(const char *key, const char *value)
{
  property = (osdear_pair){ key, value };
  return (osdear__metadata){ .properties = &property, .property_count = 1 };
}

static void expect_read(const osdear__protocol *protocol, osdear_status status, const char *words)
{
  osdear_error *error = NULL;

  cr_assert_eq(osdear__protocol_check_read(protocol, "t", &error), status, "%s", osdear_error_message(error));
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

Test(protocol, versions_up_to_three_are_read)
{
  const char *none[] = { NULL };

  expect_read(&(osdear__protocol){ 1, 2, NULL, NULL }, OSDEAR_OK, "");
  expect_read(&(osdear__protocol){ 2, 5, NULL, NULL }, OSDEAR_OK, "");
  expect_read(&(osdear__protocol){ 3, 7, none, none }, OSDEAR_OK, "");
  expect_read(&(osdear__protocol){ 4, 7, none, none }, OSDEAR_ERR_UNSUPPORTED, "minReaderVersion 4");
  expect_read(&(osdear__protocol){ 0, 2, NULL, NULL }, OSDEAR_ERR_CORRUPT, "do not exist");
  expect_read(&(osdear__protocol){ 3, 7, NULL, none }, OSDEAR_ERR_CORRUPT, "no readerFeatures");
  expect_read(&(osdear__protocol){ 3, 2, none, none }, OSDEAR_ERR_CORRUPT, "minWriterVersion 7");
}

/* Spark and the kernels refuse them too; empty lists are what some checkpoints have in the place of none. */
Test(protocol, lists_of_features_go_with_their_versions)
{
  const char *none[] = { NULL }, *some[] = { "deletionVectors", NULL };

  expect_read(&(osdear__protocol){ 1, 2, some, some }, OSDEAR_ERR_CORRUPT, "readerFeatures go with minReaderVersion 3");
  expect_read(&(osdear__protocol){ 2, 5, NULL, some }, OSDEAR_ERR_CORRUPT, "writerFeatures go with minWriterVersion 7");
  expect_read(&(osdear__protocol){ 1, 7, NULL, NULL }, OSDEAR_ERR_CORRUPT, "minWriterVersion 7 goes with writerFeatures");
  expect_read(&(osdear__protocol){ 1, 2, none, none }, OSDEAR_OK, "");
  expect_read(&(osdear__protocol){ 1, 7, NULL, some }, OSDEAR_OK, "");
}

Test(protocol, unknown_reader_features_are_all_named)
{
  const char *features[] = { "timestampNtz", "geospatial", "appendOnly", "martian", NULL };

  expect_read(&(osdear__protocol){ 3, 7, features, features }, OSDEAR_ERR_UNSUPPORTED,
              "features: geospatial, appendOnly, martian");
  expect_read(&(osdear__protocol){ 3, 7, features, features + 1 }, OSDEAR_ERR_CORRUPT,
              "timestampNtz is in readerFeatures but not in");
}

Test(protocol, a_table_of_a_catalog_is_left_to_it)
{
  const char *managed[] = { "inCommitTimestamp", "catalogManaged", NULL };
  const char *owned[] = { "catalogOwned-preview", NULL };

  expect_read(&(osdear__protocol){ 3, 7, managed, managed }, OSDEAR_ERR_UNSUPPORTED,
              "managed by a catalog (table feature catalogManaged)");
  expect_read(&(osdear__protocol){ 3, 7, owned, owned }, OSDEAR_ERR_UNSUPPORTED, "catalogOwned-preview");
}

Test(protocol, unknown_writer_features_do_not_keep_from_reading)
{
  const char *none[] = { NULL };
  const char *features[] = { "martian", NULL };
  osdear__protocol protocol = { 3, 7, none, features };
  osdear__metadata metadata = { 0 };
  osdear_error *error = NULL;

  expect_read(&protocol, OSDEAR_OK, "");
  cr_assert_eq(osdear__protocol_check_write(&protocol, &metadata, "t", &error), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_str_eq(osdear_error_message(error), "t: cannot be written by this build, which lacks the table features: martian");
  osdear_error_free(error);
}

Test(protocol, variants_are_read_but_not_written_at_any_depth)
{
  SCOPED(arena) arena = { 0 };
  osdear__metadata metadata = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(
      osdear__delta_schema_parse("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"elementType\":"
                                 "{\"type\":\"struct\",\"fields\":[{\"name\":\"v\",\"type\":\"variant\"}]}}}]}",
                                 &arena, &metadata.schema, NULL),
      OSDEAR_OK);
  cr_assert_eq(osdear__protocol_check_table(&(osdear__protocol){ 1, 2, NULL, NULL }, &metadata, "t", NULL), OSDEAR_OK);
  cr_assert_eq(osdear__protocol_check_write(&(osdear__protocol){ 1, 2, NULL, NULL }, &metadata, "t", &error),
               OSDEAR_ERR_UNSUPPORTED);
  cr_assert_not_null(strstr(osdear_error_message(error), "`a.element.v` is a variant"), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

Test(protocol, legacy_writer_versions_stand_for_features)
{
  osdear__protocol legacy = { 1, 4, NULL, NULL };
  const char *features[] = { "appendOnly", NULL };
  osdear__protocol listed = { 1, 7, NULL, features };

  cr_assert(osdear__protocol_has_writer_feature(&legacy, "generatedColumns"));
  cr_assert_not(osdear__protocol_has_writer_feature(&legacy, "identityColumns"));
  cr_assert(osdear__protocol_has_writer_feature(&listed, "appendOnly"));
  cr_assert_not(osdear__protocol_has_writer_feature(&listed, "invariants"));
}

Test(protocol, a_feature_binds_writers_only_when_it_is_active)
{
  osdear__protocol protocol = { 1, 3, NULL, NULL };
  osdear__metadata plain = with_property("delta.appendOnly", "true");

  cr_assert_eq(osdear__protocol_check_write(&protocol, &plain, "t", NULL), OSDEAR_OK);
  plain = with_property("delta.constraints.c", "a > 0");
  cr_assert_eq(osdear__protocol_check_write(&protocol, &plain, "t", NULL), OSDEAR_ERR_UNSUPPORTED);
}

Test(protocol, properties_are_read_as_numbers_truths_and_intervals)
{
  static const struct {
    const char *text;
    int64_t ms;
  } intervals[] = {
    { "interval 7 days", 604800000 },
    { "INTERVAL 1 week 2 days", 777600000 },
    { "30 hours", 108000000 },
    { "interval 5 milliseconds", 5 },
    { "interval", -7 },
    { "7", -7 },
    { "interval 1 month", -7 },
    { "", -7 },
    { "interval 9223372036854775807 weeks", -7 },
  };
  osdear__metadata metadata;

  for (size_t i = 0; i < COUNT_OF(intervals); i++) {
    metadata = with_property("k", intervals[i].text);
    cr_assert_eq(osdear__metadata_property_ms(&metadata, "k", -7), intervals[i].ms, "%s", intervals[i].text);
  }
  cr_assert_eq(osdear__metadata_property_ms(&metadata, "absent", -7), -7);
  metadata = with_property("k", "TRUE");
  cr_assert(osdear__metadata_property_bool(&metadata, "k", false));
  cr_assert(osdear__metadata_property_bool(&metadata, "absent", true));
  metadata = with_property("k", "12");
  cr_assert_eq(osdear__metadata_property_i64(&metadata, "k", 3), 12);
  cr_assert_eq(osdear__metadata_property_i64(&metadata, "absent", 3), 3);
}

/* What is listed, and what it takes to make it bind; every one of them needs more of a writer than this build does. */
Test(protocol, features_that_writers_here_lack_keep_from_writing)
{
  static const struct {
    const char *feature, *key, *value;
  } cases[] = {
    { "rowTracking", "k", "v" },
    { "clustering", "k", "v" },
    { "materializePartitionColumns", "k", "v" },
    { "collations-preview", "k", "v" },
    { "icebergCompatV1", "delta.enableIcebergCompatV1", "true" },
    { "icebergCompatV2", "delta.enableIcebergCompatV2", "true" },
    { "icebergCompatV3", "delta.enableIcebergCompatV3", "true" },
    { "icebergWriterCompatV1", "delta.enableIcebergWriterCompatV1", "true" },
    { "icebergWriterCompatV3", "delta.enableIcebergWriterCompatV3", "true" },
    { "checkConstraints", "delta.constraints.c", "a > 0" },
    { "coordinatedCommits-preview", "k", "v" },
  };
  const char *none[] = { NULL };
  osdear__metadata metadata;

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *features[] = { "appendOnly", cases[i].feature, NULL };
    osdear__protocol protocol = { 3, 7, none, features };
    osdear_error *error = NULL;

    metadata = with_property(cases[i].key, cases[i].value);
    expect_read(&protocol, OSDEAR_OK, "");
    cr_assert_eq(osdear__protocol_check_write(&protocol, &metadata, "t", &error), OSDEAR_ERR_UNSUPPORTED, "%s", cases[i].feature);
    cr_assert_not_null(strstr(osdear_error_message(error), cases[i].feature), "%s", osdear_error_message(error));
    osdear_error_free(error);
  }
  cr_assert_eq(osdear__protocol_check_write(&(osdear__protocol){ 1, 7, NULL, NULL }, &metadata, "t", NULL), OSDEAR_ERR_CORRUPT);
}
