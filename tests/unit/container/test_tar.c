#include "../../support/folder.h"
#include <container/tar.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[FOLDER_ROOM];

static void begin(void)
{
  folder_make("tar", folder);
}

static void end(void)
{
  folder_remove(folder);
}

TestSuite(tar, .init = begin, .fini = end);

static const char *in_folder(const char *name)
{
  static char paths[8][512];
  static size_t next;
  char *path = paths[next++ % 8];

  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void put(osdear__buf *tar, const char *name, char type, const char *link, const char *content)
{
  osdear__tar_header header = { .type = type };
  char text[24];
  size_t size = strlen(content);

  memcpy(header.name, name, strlen(name));
  memcpy(header.link, link, strlen(link));
  memcpy(header.mode, "0000644", 8);
  snprintf(text, sizeof text, "%011zo", size);
  memcpy(header.size, text, 12);
  memcpy(header.mtime, "00000000001", 12);
  memcpy(header.magic, "ustar", 6);
  snprintf(text, sizeof text, "%06o", osdear__tar_sum(&header));
  memcpy(header.checksum, text, 7);
  osdear__buf_append(tar, &header, sizeof header);
  osdear__buf_append(tar, content, size);
  while (tar->size % TAR_BLOCK)
    osdear__buf_putc(tar, '\0');
}

static osdear_status unpack(const osdear__buf *tar, const char *target, size_t step, osdear_error **error)
{
  AUTO(untar) untar = NULL;
  osdear_status st = osdear__untar_new(target, &untar, error);

  for (size_t at = 0; !st && at < tar->size; at += step)
    st = osdear__untar_write(untar, tar->data + at, tar->size - at < step ? tar->size - at : step, error);
  return st ? st : osdear__untar_finish(untar, error);
}

static osdear_status unpack_one(const char *name, char type, const char *link)
{
  SCOPED(buf) tar = { 0 };

  put(&tar, name, type, link, "");
  return unpack(&tar, in_folder("out"), 4096, NULL);
}

static void expect_file(const char *name, const char *content)
{
  char text[256] = "";
  FILE *file = fopen(in_folder(name), "r");

  cr_assert_not_null(file, "%s", name);
  cr_assert_eq(fread(text, 1, sizeof text - 1, file), strlen(content));
  cr_assert_str_eq(text, content);
  fclose(file);
}

static void pack(const char *path, osdear__buf *out, size_t step)
{
  AUTO(tar) tar = NULL;
  osdear_error *error = NULL;
  size_t got = 1;

  cr_assert_eq(osdear__tar_new(path, &tar, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  while (got) {
    char *room = osdear__buf_reserve(out, step);
    cr_assert_eq(osdear__tar_read(tar, room, step, &got, &error), OSDEAR_OK, "%s", osdear_error_message(error));
    out->size += got;
  }
}

Test(tar, a_folder_goes_there_and_back_in_pieces_of_any_size)
{
  char command[1024];

  snprintf(command, sizeof command,
           "cd %s && mkdir -p in/a/$(printf 'x%%.0s' $(seq 120)) in/empty && echo one > in/a/1 && printf '' > in/none && "
           "(cd in/a/x* && echo deep > 2) && ln -s a/1 in/link && head -c 1024 /dev/zero > in/two-blocks && chmod 750 in/a/1",
           folder);
  cr_assert_eq(system(command), 0);
  for (size_t step = 1; step < 3000; step += 997) {
    SCOPED(buf) tar = { 0 };
    pack(in_folder("in/"), &tar, step);
    cr_assert_eq(unpack(&tar, in_folder("out"), step, NULL), OSDEAR_OK);
    snprintf(command, sizeof command,
             "cd %s && diff -r in out/in && test -L out/in/link && test $(stat -c %%a out/in/a/1) = 750 && rm -r out", folder);
    cr_assert_eq(system(command), 0);
  }
}

Test(tar, what_we_write_the_system_s_tar_reads)
{
  SCOPED(buf) tar = { 0 };
  char command[512];
  FILE *file;

  snprintf(command, sizeof command, "cd %s && mkdir -p in && echo one > in/$(printf 'y%%.0s' $(seq 200)) && mkdir out", folder);
  cr_assert_eq(system(command), 0);
  pack(in_folder("in"), &tar, 700);
  file = fopen(in_folder("t.tar"), "w");
  cr_assert_eq(fwrite(tar.data, 1, tar.size, file), tar.size);
  fclose(file);
  snprintf(command, sizeof command, "cd %s && tar -C out -xf t.tar && diff -r in out/in", folder);
  cr_assert_eq(system(command), 0);
}

Test(tar, what_the_system_s_tar_writes_we_read)
{
  SCOPED(buf) tar = { 0 };
  static const char *const formats[] = { "gnu", "pax", "ustar", "v7" };
  osdear_error *error = NULL;
  char command[512];

  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    osdear__buf_clear(&tar);
    snprintf(command, sizeof command,
             "cd %s && rm -rf in out && mkdir -p in/%s && echo one > in/f && ln in/f in/hard && ln -s f in/soft && tar "
             "--format=%s -cf t.tar in",
             folder, i < 2 ? "$(printf 'z%.0s' $(seq 150))" : "z", formats[i]);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(osdear__small_file(in_folder("t.tar"), 1 << 20, &tar, NULL), OSDEAR_OK);
    cr_assert_eq(unpack(&tar, in_folder("out"), 1000, &error), OSDEAR_OK, "%s: %s", formats[i], osdear_error_message(error));
    snprintf(command, sizeof command, "cd %s && diff -r in out/in && test out/in/f -ef out/in/hard", folder);
    cr_assert_eq(system(command), 0, "%s", formats[i]);
  }
}

static void run(const char *commands)
{
  char command[1024];

  snprintf(command, sizeof command, "cd %s && %s", folder, commands);
  cr_assert_eq(system(command), 0, "%s", commands);
}

Test(tar, times_before_1970_and_far_ahead_go_there_and_back)
{
  static const char *const formats[] = { "gnu", "pax" };
  SCOPED(buf) tar = { 0 };

  run("mkdir in && touch -d '1960-02-03 04:05:06.25 UTC' in/old && touch -d '2400-01-01 UTC' in/new && touch in/now");
  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    char command[64];
    osdear__buf_clear(&tar);
    snprintf(command, sizeof command, "tar --format=%s -cf t.tar in", formats[i]);
    run(command);
    cr_assert_eq(osdear__small_file(in_folder("t.tar"), 1 << 20, &tar, NULL), OSDEAR_OK);
    cr_assert_eq(unpack(&tar, in_folder("out"), 1000, NULL), OSDEAR_OK);
    run("for f in old new now; do test $(stat -c %Y in/$f) = $(stat -c %Y out/in/$f) || exit 1; done");
  }
  run("test $(stat -c %.2Y out/in/old) = $(stat -c %.2Y in/old) && rm -r out");
  osdear__buf_clear(&tar);
  pack(in_folder("in"), &tar, 700);
  cr_assert_eq(unpack(&tar, in_folder("out"), 1000, NULL), OSDEAR_OK);
  run("for f in old new now; do test $(stat -c %Y in/$f) = $(stat -c %Y out/in/$f) || exit 1; done");
}

Test(tar, a_sparse_file_is_refused_and_not_taken_for_another)
{
  static const char *const formats[] = { "gnu", "pax" };

  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    SCOPED(buf) tar = { 0 };
    char command[128];
    snprintf(command, sizeof command, "truncate -s 1M f && echo end >> f && tar --format=%s -Scf t.tar f", formats[i]);
    run(command);
    cr_assert_eq(osdear__small_file(in_folder("t.tar"), 1 << 21, &tar, NULL), OSDEAR_OK);
    cr_assert_lt(tar.size, (size_t)1 << 20, "it is sparse");
    cr_assert_eq(unpack(&tar, in_folder("out"), 1000, NULL), OSDEAR_ERR_UNSUPPORTED);
  }
}

Test(tar, a_record_that_is_none_is_corrupt)
{
  static const char *const records[] = { "4 a=",     "5 a=bc",   "9 path=a",       "x a=b\n",
                                         "5a=b\n",   "6 ab\n\n", "12 mtime=1.x\n", "10 size=-1\n",
                                         "99 a=b\n", "0 a=b\n",  "11 mtime=\n",    "31 mtime=99999999999999999999\n" };

  for (size_t i = 0; i < COUNT_OF(records); i++) {
    SCOPED(buf) tar = { 0 };
    put(&tar, "record", 'x', "", records[i]);
    put(&tar, "f", '0', "", "");
    cr_assert_eq(unpack(&tar, in_folder("out"), 4096, NULL), OSDEAR_ERR_CORRUPT, "%s", records[i]);
  }
}

Test(tar, names_that_lead_outside_are_refused)
{
  cr_assert_eq(unpack_one("../evil", '0', ""), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(unpack_one("a/../../evil", '0', ""), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(unpack_one("a/..", '5', ""), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(unpack_one("hard", '1', "../../etc/passwd"), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(access(in_folder("evil"), F_OK), -1);
}

Test(tar, an_absolute_name_is_taken_below_the_folder)
{
  SCOPED(buf) tar = { 0 };

  put(&tar, "/abs", '0', "", "x");
  cr_assert_eq(unpack(&tar, in_folder("out"), 512, NULL), OSDEAR_OK);
  expect_file("out/abs", "x");
}

Test(tar, a_link_is_made_but_never_followed)
{
  SCOPED(buf) through = { 0 };
  SCOPED(buf) onto = { 0 };

  cr_assert_eq(mkdir(in_folder("other"), 0755), 0);
  put(&through, "link", '2', "../other", "");
  put(&through, "link/evil", '0', "", "x");
  cr_assert_neq(unpack(&through, in_folder("out"), 4096, NULL), OSDEAR_OK);
  cr_assert_eq(access(in_folder("other/evil"), F_OK), -1);
  put(&onto, "file", '2', "../victim", "");
  put(&onto, "file", '0', "", "new");
  cr_assert_eq(unpack(&onto, in_folder("out"), 4096, NULL), OSDEAR_OK);
  cr_assert_eq(access(in_folder("victim"), F_OK), -1);
  expect_file("out/file", "new");
}

Test(tar, devices_are_passed_over)
{
  cr_assert_eq(unpack_one("null", '3', ""), OSDEAR_OK);
  cr_assert_eq(access(in_folder("out/null"), F_OK), -1);
}

Test(tar, what_was_cut_or_altered_is_corrupt)
{
  SCOPED(buf) tar = { 0 };

  put(&tar, "f", '0', "", "hello");
  for (size_t size = 1; size < tar.size; size += 37) {
    osdear__buf part = { .data = tar.data, .size = size };
    cr_assert_eq(unpack(&part, in_folder("out"), 4096, NULL), OSDEAR_ERR_CORRUPT, "%zu bytes", size);
  }
  tar.data[0] ^= 1;
  cr_assert_eq(unpack(&tar, in_folder("out"), 4096, NULL), OSDEAR_ERR_CORRUPT);
}
