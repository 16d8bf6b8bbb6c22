#include "jobs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
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

  jobs_must(osdear__journal_each(journal, runner, count, &found, &error), &error);
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
