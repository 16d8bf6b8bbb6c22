/* Deletion vectors: the bitmaps, how they are stored, and scans of files that have them. */
#include "fixture.h"

#include <delta/row_set.h>
#include <osdear/scan.h>

#define SIX "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L" /* of the protocol: 3, 4, 7, 11, 18, 29 */

/* ---- bitmaps ---- */

static void put_u16(osdear__buf *out, uint32_t value)
{
  osdear__buf_putc(out, (char)value);
  osdear__buf_putc(out, (char)(value >> 8));
}

static void put_u32(osdear__buf *out, uint32_t value)
{
  put_u16(out, value);
  put_u16(out, value >> 16);
}

static void put_u32_be(osdear__buf *out, uint32_t value)
{
  put_u32(out, __builtin_bswap32(value));
}

static void put_portable(osdear__buf *out, uint32_t bitmaps)
{
  put_u32(out, 1681511377);
  put_u32(out, bitmaps);
  put_u32(out, 0);
}

/* One bitmap of 32 bits with a container of each form: rows 1 and 5; the even ones from 65536 on, 5000 of them; the runs 131072 to 131081
 * and 131100. */
static void put_three_containers(osdear__buf *out)
{
  put_u32(out, 12347 | 2 << 16);
  osdear__buf_putc(out, 4); /* the third has runs */
  put_u16(out, 0), put_u16(out, 1);
  put_u16(out, 1), put_u16(out, 4999);
  put_u16(out, 2), put_u16(out, 10);
  put_u16(out, 1), put_u16(out, 5);
  for (int i = 0; i < 8192; i++)
    osdear__buf_putc(out, i < 1250 ? 0x55 : 0);
  put_u16(out, 2), put_u16(out, 0), put_u16(out, 9), put_u16(out, 28), put_u16(out, 0);
}

static osdear_status open_set(const osdear__buf *bytes, osdear__row_set **out, osdear_error **error)
{
  char *copy = osdear__alloc(bytes->size + 1);

  cr_assert_not_null(copy);
  memcpy(copy, bytes->data, bytes->size);
  return osdear__row_set_open(copy, bytes->size, out, error);
}

static void expect_three(const osdear__row_set *set, int64_t base)
{
  uint8_t marks[300] = { 0 };

  cr_assert_eq(osdear__row_set_count(set), 5013);
  cr_assert_eq(osdear__row_set_last(set), base + 131100);
  cr_assert_eq(osdear__row_set_count_within(set, 0, base), 0);
  cr_assert_eq(osdear__row_set_count_within(set, base + 2, base + 65536), 1);
  cr_assert_eq(osdear__row_set_count_within(set, base + 65537, base + 65541), 2);
  cr_assert_eq(osdear__row_set_count_within(set, base + 131075, base + 131101), 8);
  cr_assert_eq(osdear__row_set_count_within(set, base + 5, base + 131073), 5002);
  osdear__row_set_mark(set, base + 131000, 101, marks);
  for (int i = 0; i < 101; i++)
    cr_assert_eq(marks[i], (i >= 72 && i < 82) || i == 100);
  osdear__row_set_mark(set, base, 6, marks + 200);
  cr_assert(marks[201] && marks[205] && !marks[200] && !marks[202]);
}

Test(row_set, every_form_of_container_is_read)
{
  SCOPED(buf) bytes = { 0 };
  AUTO(row_set) set = NULL;

  put_portable(&bytes, 2);
  put_u32(&bytes, 0);
  put_u32(&bytes, 12346), put_u32(&bytes, 0); /* empty */
  put_u32(&bytes, 3);
  put_three_containers(&bytes);
  cr_assert_eq(open_set(&bytes, &set, NULL), OSDEAR_OK);
  expect_three(set, INT64_C(3) << 32);
}

Test(row_set, the_older_form_is_read)
{
  SCOPED(buf) bitmap = { 0 };
  SCOPED(buf) bytes = { 0 };
  AUTO(row_set) set = NULL;

  put_three_containers(&bitmap);
  put_u32(&bytes, 1681511376);
  put_u32(&bytes, 2);
  put_u32(&bytes, 8), put_u32(&bytes, 12346), put_u32(&bytes, 0);
  put_u32(&bytes, (uint32_t)bitmap.size);
  osdear__buf_append(&bytes, bitmap.data, bitmap.size);
  cr_assert_eq(open_set(&bytes, &set, NULL), OSDEAR_OK);
  expect_three(set, INT64_C(1) << 32);
}

Test(row_set, a_table_of_offsets_is_passed_over)
{
  SCOPED(buf) bytes = { 0 };
  AUTO(row_set) set = NULL;

  put_portable(&bytes, 1);
  put_u32(&bytes, 0);
  put_u32(&bytes, 12347 | 3 << 16);
  osdear__buf_putc(&bytes, 0);
  for (uint32_t i = 0; i < 4; i++)
    put_u16(&bytes, i), put_u16(&bytes, 0);
  for (uint32_t i = 0; i < 4; i++)
    put_u32(&bytes, 99);
  for (uint32_t i = 0; i < 4; i++)
    put_u16(&bytes, 7);
  cr_assert_eq(open_set(&bytes, &set, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__row_set_count(set), 4);
  cr_assert_eq(osdear__row_set_last(set), 3 * 65536 + 7);
}

static void expect_refused(const osdear__buf *bytes, const char *words)
{
  osdear__row_set *set = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(open_set(bytes, &set, &error), OSDEAR_ERR_CORRUPT, "%s", words);
  cr_assert(strstr(osdear_error_message(error), words), "%s: %s", words, osdear_error_message(error));
  osdear_error_free(error);
}

/* Wherever it is cut, it is refused and nothing behind its end is looked at. */
Test(row_set, a_bitmap_that_is_cut_is_refused)
{
  SCOPED(buf) bytes = { 0 };
  size_t whole;

  put_portable(&bytes, 1);
  put_u32(&bytes, 0);
  put_three_containers(&bytes);
  whole = bytes.size;
  for (size_t size = 0; size<whole; size += size> 100 && size < whole - 100 ? 97 : 1) {
    bytes.size = size;
    expect_refused(&bytes, "too early");
  }
  bytes.size = whole;
  osdear__buf_putc(&bytes, 0);
  expect_refused(&bytes, "follows its end");
}

/* Two rows in one array container, of which parts are replaced. */
static void put_array(osdear__buf *out, uint32_t magic, uint32_t key, uint32_t cookie, uint32_t first, uint32_t second)
{
  osdear__buf_clear(out);
  put_u32(out, magic);
  put_u32(out, 1), put_u32(out, 0);
  put_u32(out, key);
  put_u32(out, cookie), put_u32(out, 1);
  put_u16(out, 0), put_u16(out, 1);
  put_u32(out, 0);
  put_u16(out, first), put_u16(out, second);
}

Test(row_set, what_contradicts_itself_is_refused)
{
  SCOPED(buf) bytes = { 0 };
  AUTO(row_set) set = NULL;

  put_array(&bytes, 1681511377, 0, 12346, 4, 9);
  cr_assert_eq(open_set(&bytes, &set, NULL), OSDEAR_OK);
  put_array(&bytes, 1681511378, 0, 12346, 4, 9);
  expect_refused(&bytes, "1681511378");
  put_array(&bytes, 1681511377, 0, 12345, 4, 9);
  expect_refused(&bytes, "no roaring bitmap");
  put_array(&bytes, 1681511377, 0, 12346, 9, 9);
  expect_refused(&bytes, "do not ascend");
  put_array(&bytes, 1681511377, 0x80000000u, 12346, 4, 9);
  expect_refused(&bytes, "keys");
}

/* One container of runs. */
static void put_runs(osdear__buf *out, uint32_t count, uint32_t second_start, uint32_t second_length)
{
  osdear__buf_clear(out);
  put_portable(out, 1);
  put_u32(out, 0);
  put_u32(out, 12347);
  osdear__buf_putc(out, 1);
  put_u16(out, 0), put_u16(out, count - 1);
  put_u16(out, 2), put_u16(out, 10), put_u16(out, 4), put_u16(out, second_start), put_u16(out, second_length - 1);
}

Test(row_set, runs_that_overlap_or_leave_their_container_are_refused)
{
  SCOPED(buf) bytes = { 0 };
  AUTO(row_set) set = NULL;

  put_runs(&bytes, 8, 15, 3);
  cr_assert_eq(open_set(&bytes, &set, NULL), OSDEAR_OK);
  put_runs(&bytes, 8, 14, 3);
  expect_refused(&bytes, "overlap");
  put_runs(&bytes, 8, 65534, 3);
  expect_refused(&bytes, "overlap");
  put_runs(&bytes, 9, 15, 3);
  expect_refused(&bytes, "as many rows");
}

Test(row_set, a_number_of_containers_that_cannot_be_is_refused_before_memory_is_asked_for)
{
  SCOPED(buf) bytes = { 0 };

  put_portable(&bytes, 0xffffffffu);
  expect_refused(&bytes, "too early");
  put_u32(&bytes, 0);
  put_u32(&bytes, 12346), put_u32(&bytes, 0xffffffffu);
  expect_refused(&bytes, "65536 containers");
}

/* ---- descriptors ---- */

static osdear__deletion_vector vector_of(char storage, const char *path, int64_t offset, int64_t size, int64_t cardinality)
{
  return (osdear__deletion_vector){ storage, osdear__str_of(path), offset, size, cardinality };
}

static void expect_six(fixture *f, const osdear__deletion_vector *dv)
{
  static const int64_t rows[] = { 3, 4, 7, 11, 18, 29 };
  osdear__vector_files files = { 0 };
  AUTO(row_set) set = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__deletion_vector_read(f->store, &files, dv, &set, &error), OSDEAR_OK, "%s",
               error ? osdear_error_message(error) : "");
  osdear__vector_files_drop(&files);
  cr_assert_eq(osdear__row_set_count(set), COUNT_OF(rows));
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    cr_assert_eq(osdear__row_set_count_within(set, rows[i], rows[i] + 1), 1);
}

static void expect_fails(fixture *f, osdear__deletion_vector dv, osdear_status status, const char *words)
{
  osdear__vector_files files = { 0 };
  osdear__row_set *set = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__deletion_vector_read(f->store, &files, &dv, &set, &error), status, "%s: %s", words,
               error ? osdear_error_message(error) : "");
  cr_assert(strstr(osdear_error_message(error), words), "%s: %s", words, osdear_error_message(error));
  osdear_error_free(error);
  osdear__vector_files_drop(&files);
}

Test(deletion_vector, the_protocols_inline_example_is_read)
{
  fixture f = fixture_open("vector-inline");
  osdear__deletion_vector dv = vector_of('i', SIX, -1, 40, 6);

  expect_six(&f, &dv);
  expect_fails(&f, vector_of('i', SIX, -1, 40, 7), OSDEAR_ERR_CORRUPT, "6 rows where the log says 7");
  expect_fails(&f, vector_of('i', SIX, -1, 44, 6), OSDEAR_ERR_CORRUPT, "sizeInBytes");
  dv = vector_of('i', "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", -1, 44, 6);
  expect_six(&f, &dv);
  expect_fails(&f, vector_of('i', SIX, -1, 39, 6), OSDEAR_ERR_CORRUPT, "too early");
  expect_fails(&f, vector_of('i', "wi5b", -1, 3, 6), OSDEAR_ERR_CORRUPT, "sizeInBytes");
  expect_fails(&f, vector_of('i', "#####", -1, 4, 6), OSDEAR_ERR_CORRUPT, "not Z85");
  expect_fails(&f, vector_of('i', "wi5~=", -1, 4, 6), OSDEAR_ERR_CORRUPT, "not Z85");
  fixture_close(&f);
}

/* Six behind some other bytes, in a file of the name that `ab^-aqEH.-t@S}K{vb[*k^` stands for in the protocol. */
#define NAME "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"

static void put_file(fixture *f, const char *path, size_t before, int change)
{
  static const uint8_t six[] = { 0xd1, 0xd3, 0x39, 0x64, 1, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0x30, 0,  0, 1,  0,
                                 0,    0,    0,    0,    5, 0, 0x10, 0, 0, 0, 3, 0, 4, 0, 7, 0, 11,   0,    18, 0, 29, 0 };
  SCOPED(buf) bytes = { 0 };

  osdear__buf_putc(&bytes, change == 1 ? 2 : 1);
  for (size_t i = 1; i < before; i++)
    osdear__buf_putc(&bytes, '?');
  put_u32_be(&bytes, sizeof six + (change == 2));
  osdear__buf_append(&bytes, six, sizeof six);
  put_u32_be(&bytes, osdear__crc32(0, six, sizeof six) + (change == 3));
  cr_assert_eq(osdear__store_put(f->store, path, bytes.data, bytes.size, NULL), OSDEAR_OK);
}

Test(deletion_vector, one_in_a_file_is_read_from_its_offset)
{
  fixture f = fixture_open("vector-file");
  osdear__deletion_vector dv = vector_of('u', "ab^-aqEH.-t@S}K{vb[*k^", 17, 44, 6), first = dv;

  put_file(&f, NAME, 17, 0);
  expect_six(&f, &dv);
  put_file(&f, NAME, 1, 0);
  first.offset = -1;
  expect_six(&f, &first);
  fixture_close(&f);
}

Test(deletion_vector, a_file_that_is_not_what_the_log_says_is_refused)
{
  fixture f = fixture_open("vector-wrong");
  osdear__deletion_vector dv = vector_of('u', "ab^-aqEH.-t@S}K{vb[*k^", 1, 44, 6);

  expect_fails(&f, dv, OSDEAR_ERR_NOT_FOUND, NAME);
  put_file(&f, NAME, 1, 1);
  expect_fails(&f, dv, OSDEAR_ERR_UNSUPPORTED, "version 2");
  put_file(&f, NAME, 1, 2);
  expect_fails(&f, dv, OSDEAR_ERR_CORRUPT, "45 bytes where the log says 44");
  put_file(&f, NAME, 1, 3);
  expect_fails(&f, dv, OSDEAR_ERR_CORRUPT, "checksum");
  put_file(&f, NAME, 1, 0);
  dv.offset = 2;
  expect_fails(&f, dv, OSDEAR_ERR_CORRUPT, "the file has 53");
  dv.offset = INT64_MAX;
  expect_fails(&f, dv, OSDEAR_ERR_CORRUPT, "the file has 53");
  dv.size_bytes = INT64_MAX;
  expect_fails(&f, dv, OSDEAR_ERR_CORRUPT, "the file has 53");
  fixture_close(&f);
}

Test(deletion_vector, paths_lead_nowhere_but_to_files_of_the_table)
{
  fixture f = fixture_open("vector-paths");

  expect_fails(&f, vector_of('u', "^-aqEH.-t@S}K{vb[*k", 1, 44, 6), OSDEAR_ERR_CORRUPT, "too short");
  expect_fails(&f, vector_of('u', "/etc^-aqEH.-t@S}K{vb[*k^", 1, 44, 6), OSDEAR_ERR_CORRUPT, "prefix");
  expect_fails(&f, vector_of('u', "file:^-aqEH.-t@S}K{vb[*k^", 1, 44, 6), OSDEAR_ERR_CORRUPT, "prefix");
  expect_fails(&f, vector_of('u', "a/../..^-aqEH.-t@S}K{vb[*k^", 1, 44, 6), OSDEAR_ERR_ARGUMENT, "..");
  expect_fails(&f, vector_of('u', "^-aqEH.-t@S}K{vb[*k~", 1, 44, 6), OSDEAR_ERR_CORRUPT, "UUID");
  expect_fails(&f, vector_of('p', "deletion_vector.bin", 1, 44, 6), OSDEAR_ERR_CORRUPT, "not absolute");
  expect_fails(&f, vector_of('p', "file:///a/%2e%2e/../b", 1, 44, 6), OSDEAR_ERR_CORRUPT, "..");
  expect_fails(&f, vector_of('p', "gs://bucket/b", 1, 44, 6), OSDEAR_ERR_UNSUPPORTED, "gs://bucket/b");
  expect_fails(&f, vector_of('p', "dbfs:/mnt/b", 1, 44, 6), OSDEAR_ERR_UNSUPPORTED, "dbfs:/mnt/b");
  fixture_close(&f);
}

/* ---- scans ---- */

/* 30 rows a = 0 … 29 in row groups of 8, of which the six are deleted. */
static fixture make_table(const char *name, int rows)
{
  fixture f = fixture_open(name);
  SCOPED(buf) text = { 0 };
  osdear__store_item item;

  for (int i = 0; i < rows; i++)
    osdear__buf_printf(&text, "%s{\"a\":%d}", i ? "," : "[", i);
  osdear__buf_puts(&text, "]");
  fixture_parquet(&f, "f", "[{\"name\":\"a\",\"type\":\"long\"}]", text.data, 8);
  cr_assert_eq(osdear__store_stat(f.store, "f", &item, NULL), OSDEAR_OK);
  osdear__buf_clear(&text);
  osdear__buf_printf(
      &text,
      PROTOCOL_LINE METADATA_LINE
      "{\"add\":{\"path\":\"f\",\"partitionValues\":{\"p\":\"x\"},\"size\":%" PRId64
      ",\"modificationTime\":5,\"dataChange\":true,\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"" SIX
      "\",\"sizeInBytes\":40,\"cardinality\":6}}}\n",
      item.size_bytes);
  fixture_commit(&f, 0, text.data);
  return f;
}

typedef struct result {
  osdear_status status;
  char message[300];
  int64_t count, sum;
} result;

static void add_up(result *out, struct ArrowArray *batch)
{
  out->count += batch->length;
  for (int64_t i = 0; batch->n_children > 0 && i < batch->length; i++)
    out->sum += ((const int64_t *)batch->children[0]->buffers[1])[i];
  batch->release(batch);
}

static result scan(fixture *f, const char *where, size_t columns, int64_t limit, int64_t batch_rows)
{
  static const char *const names[] = { "a" };
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_snapshot *snapshot = fixture_load(f, -1);
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };
  result out = { 0 };

  options.columns = names;
  options.column_count = columns;
  options.where = where;
  options.limit = limit;
  options.batch_rows = batch_rows;
  cr_assert_eq(osdear_scan_new(snapshot, &options, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  while (stream.get_next(&stream, &batch) == 0 && batch.release)
    add_up(&out, &batch);
  if (osdear_stream_error(&stream)) {
    out.status = osdear_error_status(osdear_stream_error(&stream));
    strncpy(out.message, osdear_error_message(osdear_stream_error(&stream)), sizeof out.message - 1);
  }
  stream.release(&stream);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  return out;
}

static void expect_rows(fixture *f, const char *where, size_t columns, int64_t limit, int64_t count, int64_t sum)
{
  static const int64_t sizes[] = { 0, 1, 3, 5 };

  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    result r = scan(f, where, columns, limit, sizes[i]);
    cr_assert_eq(r.status, OSDEAR_OK, "%s", r.message);
    cr_assert_eq(r.count, count, "%s: %d rows, not %d", where, (int)r.count, (int)count);
    cr_assert_eq(r.sum, sum, "%s: sum %d, not %d", where, (int)r.sum, (int)sum);
  }
}

Test(deletion_vector, deleted_rows_are_in_no_result)
{
  fixture f = make_table("vector-scan", 30);

  expect_rows(&f, NULL, 1, -1, 24, 435 - 72);
  expect_rows(&f, NULL, 0, -1, 24, 0);
  expect_rows(&f, "p = 'x'", 0, -1, 24, 0);
  expect_rows(&f, "a >= 16", 1, -1, 12, 315 - 18 - 29); /* the first row groups are skipped: rows keep their numbers */
  expect_rows(&f, "a > 2 AND a < 5", 1, -1, 0, 0);
  expect_rows(&f, NULL, 1, 4, 4, 0 + 1 + 2 + 5);
  fixture_close(&f);
}

/* A row that is gone cannot make a predicate fail. */
Test(deletion_vector, no_predicate_sees_a_deleted_row)
{
  fixture f = make_table("vector-blind", 30);

  expect_rows(&f, "10 / (a - 18) > 100", 0, -1, 0, 0);
  cr_assert_eq(scan(&f, "10 / (a - 17) > 100", 0, -1, 0).status, OSDEAR_ERR_DATA);
  fixture_close(&f);
}

Test(deletion_vector, a_row_past_the_end_of_the_file_is_refused)
{
  fixture f = make_table("vector-beyond", 29);
  result r = scan(&f, NULL, 1, -1, 0);

  cr_assert_eq(r.status, OSDEAR_ERR_CORRUPT);
  cr_assert(strstr(r.message, "row 29, the file has 29 rows"), "%s", r.message);
  fixture_close(&f);
}
