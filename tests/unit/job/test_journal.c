#include "jobs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static osdear__note note_of(const char *key, uint64_t spec)
{
  return (osdear__note){ .runner = "spark+http://h:6066", .key = key, .name = "n", .spec = spec, .created_us = 5 };
}

static osdear_status count(void *argument, osdear__note *note, osdear_error **error)
{
  (void)error;
  cr_assert_str_eq(note->runner, "spark+http://h:6066");
  ++*(int *)argument;
  return OSDEAR_OK;
}

static int count_notes(const osdear__journal *journal, const char *runner)
{
  osdear_error *error = NULL;
  int found = 0;

  jobs_must(osdear__journal_each(journal, NULL, runner, count, &found, &error), &error);
  return found;
}

Test(journal, a_key_leads_to_the_note_that_was_made_under_it)
{
  jobs set = jobs_open("process:");
  osdear__journal *journal = &set.runner->journal;
  osdear__note wanted = note_of("k", 7);
  osdear_error *error = NULL;
  osdear__entry entry;

  jobs_must(osdear__journal_begin(journal, set.context, &wanted, &entry, &error), &error);
  cr_assert(entry.is_new);
  jobs_must(osdear__entry_sent(&entry, "driver-1", &error), &error);
  osdear__entry_drop(&entry);
  jobs_must(osdear__journal_begin(journal, set.context, &wanted, &entry, &error), &error);
  cr_assert_not(entry.is_new);
  cr_assert_str_eq(entry.note.id, "driver-1");
  cr_assert_str_eq(entry.note.name, "n");
  cr_assert_eq(entry.note.created_us, 5);
  osdear__entry_drop(&entry);
  cr_assert_eq(count_notes(journal, "spark+http://h:6066"), 1);
  cr_assert_eq(count_notes(journal, "process:"), 0);
  jobs_close(&set);
}

Test(journal, a_key_is_not_used_for_another_spec)
{
  jobs set = jobs_open("process:");
  osdear__note wanted = note_of("k", 7), other = note_of("k", 8);
  osdear_error *error = NULL;
  osdear__entry entry;

  jobs_must(osdear__journal_begin(&set.runner->journal, set.context, &wanted, &entry, &error), &error);
  osdear__entry_drop(&entry);
  cr_assert_eq(osdear__journal_begin(&set.runner->journal, set.context, &other, &entry, NULL), OSDEAR_ERR_CONFLICT);
  jobs_close(&set);
}

Test(journal, what_was_refused_is_as_if_it_had_never_been)
{
  jobs set = jobs_open("process:");
  osdear__note wanted = note_of("k", 7), other = note_of("k", 8);
  osdear_error *error = NULL;
  osdear__entry entry;

  jobs_must(osdear__journal_begin(&set.runner->journal, set.context, &wanted, &entry, &error), &error);
  osdear__entry_forget(&entry);
  osdear__entry_drop(&entry);
  jobs_must(osdear__journal_begin(&set.runner->journal, set.context, &other, &entry, &error), &error);
  cr_assert(entry.is_new);
  osdear__entry_drop(&entry);
  jobs_close(&set);
}

Test(journal, a_note_that_is_torn_or_not_ours_is_corrupt)
{
  jobs set = jobs_open("process:");
  osdear__note wanted = note_of("k", 7);
  osdear_error *error = NULL;
  osdear__entry entry;

  jobs_must(osdear__journal_begin(&set.runner->journal, set.context, &wanted, &entry, &error), &error);
  jobs_must(osdear__small_file_write(entry.folder, "note.json", STR("{\"key\":\"k\"}"), &error), &error);
  osdear__entry_drop(&entry);
  cr_assert_eq(osdear__journal_begin(&set.runner->journal, set.context, &wanted, &entry, NULL), OSDEAR_ERR_CORRUPT);
  jobs_close(&set);
}

static size_t count_jobs(osdear_runner *runner)
{
  osdear_job_list *list = NULL;
  osdear_error *error = NULL;
  size_t count = 0;

  jobs_must(osdear_runner_jobs(runner, &list, &error), &error);
  while (osdear_job_list_get(list, count))
    count++;
  osdear_job_list_free(list);
  return count;
}

static void put_file(const jobs *set, const char *name, const char *text)
{
  char path[200];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", set->folder, name);
  file = fopen(path, "w");
  cr_assert_not_null(file, "%s", path);
  fputs(text, file);
  fclose(file);
}

static void put_folder(const jobs *set, const char *name)
{
  char path[200];

  snprintf(path, sizeof path, "%s/%s", set->folder, name);
  cr_assert_eq(mkdir(path, 0700), 0);
}

static void put_link(const jobs *set, const char *to, const char *name)
{
  char path[200], target[200];

  snprintf(path, sizeof path, "%s/%s", set->folder, name);
  snprintf(target, sizeof target, "%s/%s", set->folder, to);
  cr_assert_eq(symlink(target, path), 0);
}

#define ENTRY "jobs/00000000-0000-4000-8000-00000000000"

/* A link to a folder that is not ours: neither listed nor removed. */
Test(journal, what_is_damaged_or_not_ours_stands_in_nobodys_way)
{
  jobs set = jobs_open("process:");
  osdear_job *job = jobs_shell(&set, "true", "", NULL);
  osdear_prune_options all = OSDEAR_PRUNE_OPTIONS_INIT;
  osdear_error *error = NULL;
  int64_t removed = 0;
  char path[200];

  jobs_wait(job);
  osdear_job_free(job);
  put_folder(&set, "elsewhere");
  put_file(&set, "elsewhere/note.json", "{\"runner\":\"process:\",\"created_us\":5}");
  put_file(&set, "elsewhere/lock", "");
  put_link(&set, "elsewhere", ENTRY "1");
  put_link(&set, "nowhere", ENTRY "2");
  put_file(&set, ENTRY "3", "a file");
  put_folder(&set, ENTRY "4");
  put_file(&set, ENTRY "4/note.json", "{\"runner\":\"proce");
  put_folder(&set, ENTRY "5");
  put_folder(&set, ENTRY "5/note.json");
  put_folder(&set, ENTRY "6");
  put_link(&set, "elsewhere/note.json", ENTRY "6/note.json");
  put_folder(&set, "jobs/ours");
  cr_assert_eq(count_jobs(set.runner), 1);
  all.min_age_ms = 0;
  jobs_must(osdear_runner_prune(set.runner, &all, &removed, &error), &error);
  cr_assert_eq(removed, 1);
  snprintf(path, sizeof path, "%s/elsewhere/note.json", set.folder);
  cr_assert_eq(access(path, F_OK), 0, "what a link leads to was removed");
  jobs_close(&set);
}

Test(journal, an_entry_that_cannot_be_forgotten_keeps_no_other)
{
  jobs set = jobs_open("process:");
  osdear_prune_options all = OSDEAR_PRUNE_OPTIONS_INIT;
  osdear_error *error = NULL;
  int64_t removed = 0;

  for (int i = 0; i < 3; i++) {
    osdear_job *job = jobs_shell(&set, "true", "", NULL);
    jobs_wait(job);
    osdear_job_free(job);
  }
  put_folder(&set, ENTRY "7");
  put_file(&set, ENTRY "7/lock", "");
  put_file(&set, ENTRY "7/note.json", "{\"runner\":\"process:\",\"created_us\":5,\"id\":\"../../etc\"}");
  put_folder(&set, ENTRY "8");
  put_file(&set, ENTRY "8/lock", "");
  put_file(&set, ENTRY "8/note.json",
           "{\"runner\":\"process:\",\"created_us\":5,\"id\":\"00000000-0000-4000-8000-000000000008\"}");
  put_file(&set, ENTRY "8/ended", "{}");
  all.min_age_ms = 0;
  jobs_must(osdear_runner_prune(set.runner, &all, &removed, &error), &error);
  cr_assert_eq(removed, 3);
  cr_assert_eq(count_jobs(set.runner), 2);
  jobs_close(&set);
}

Test(journal, a_key_whose_folder_is_a_link_is_refused)
{
  jobs set = jobs_open("process:");
  osdear__note wanted = note_of("k", 7);
  osdear_error *error = NULL;
  osdear__entry entry;
  char moved[200];

  jobs_must(osdear__journal_begin(&set.runner->journal, set.context, &wanted, &entry, &error), &error);
  snprintf(moved, sizeof moved, "%s/moved", set.folder);
  cr_assert_eq(rename(entry.folder, moved), 0);
  cr_assert_eq(symlink(moved, entry.folder), 0);
  osdear__entry_drop(&entry);
  cr_assert_eq(osdear__journal_begin(&set.runner->journal, set.context, &wanted, &entry, NULL), OSDEAR_ERR_CORRUPT);
  jobs_close(&set);
}

/* Eight processes submit under one key at the same moment: one of them starts the program. */
Test(journal, of_many_callers_with_one_key_one_starts_the_job)
{
  jobs set = jobs_open("process:");
  char script[200], path[128], line[64];
  pid_t children[8];
  int runs = 0, found = 0, status;
  FILE *file;

  snprintf(path, sizeof path, "%s/runs", set.folder);
  snprintf(script, sizeof script, "echo run >> %s", path);
  for (int i = 0; i < 8; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      osdear_job *job = jobs_shell(&set, script, "", "one");
      jobs_wait(job);
      _exit(osdear_job_was_found(job) ? 10 : 11);
    }
  }
  for (int i = 0; i < 8; i++) {
    waitpid(children[i], &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) >= 10, "a caller failed");
    found += WEXITSTATUS(status) == 10;
  }
  file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    runs++;
  fclose(file);
  cr_assert_eq(runs, 1);
  cr_assert_eq(found, 7);
  jobs_close(&set);
}
