/* The journal: <state folder>/jobs/<uuid>/note.json for each submission, written before anything is sent. The folder's name is
 * random, or comes from the runner's address and the key, so that a second submission under the same key meets the first. The lock
 * is the kernel's: it ends with the process that holds it. */
#include <job/job.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_RETRY_US = 20000 };

/* ---- the folder ---- */

osdear_status osdear__journal_open(const char *state_folder, osdear__journal *out, osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  osdear_status st;

  osdear__buf_printf(&folder, "%s/jobs", state_folder);
  st = osdear__buf_check(&folder, error);
  if (!st)
    st = osdear__make_folders(folder.data, error);
  if (st)
    return st;
  out->folder = osdear__buf_take(&folder);
  return OSDEAR_OK;
}

void osdear__journal_drop(osdear__journal *journal)
{
  osdear__free(journal->folder);
  journal->folder = NULL;
}

void osdear__note_drop(osdear__note *note)
{
  osdear__arena_drop(&note->arena);
  *note = (osdear__note){ 0 };
}

void osdear__entry_drop(osdear__entry *entry)
{
  osdear__note_drop(&entry->note);
  osdear__free(entry->folder);
  if (entry->lock >= 0)
    close(entry->lock);
  entry->folder = NULL;
  entry->lock = -1;
}

/* ---- names ---- */

/* FNV-1a of 128 bits. Chance does not make two keys meet; whoever wanted them to would only trick his own journal, and the note
 * that is found there is held against the key anyway. */
static osdear__uint128 digest(osdear__uint128 hash, const char *text)
{
  const osdear__uint128 prime = ((osdear__uint128)0x1000000 << 64) | 0x13B;

  for (const char *c = text;; c++) {
    hash = (hash ^ (unsigned char)*c) * prime;
    if (!*c)
      return hash;
  }
}

static void name_of_key(const char *runner, const char *key, char out[37])
{
  osdear__uint128 hash = ((osdear__uint128)0x6C62272E07BB0142 << 64) | 0x62B821756295C58D;
  uint64_t high, low;

  hash = digest(digest(hash, runner), key);
  high = (uint64_t)(hash >> 64);
  low = (uint64_t)hash;
  /* The form of a UUID whose meaning its maker chose: version 8, variant 1. */
  snprintf(out, 37, "%08x-%04x-8%03x-%04x-%012" PRIx64, (unsigned)(high >> 32), (unsigned)(high >> 16) & 0xFFFF,
           (unsigned)high & 0xFFF, ((unsigned)(low >> 48) & 0x3FFF) | 0x8000, low & UINT64_C(0xFFFFFFFFFFFF));
}

/* ---- a note as JSON ---- */

static osdear_status write_note(const char *folder, const osdear__note *note, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  bool first = true;
  osdear_status st;

  osdear__buf_putc(&text, '{');
  osdear__json_put_text(&text, &first, "runner", note->runner);
  osdear__json_put_text(&text, &first, "key", note->key);
  osdear__json_put_text(&text, &first, "name", note->name);
  osdear__json_put_key(&text, &first, "spec");
  osdear__buf_printf(&text, "\"%016" PRIx64 "\"", note->spec);
  osdear__json_put_key(&text, &first, "created_us");
  osdear__json_put_i64(&text, note->created_us);
  osdear__json_put_text(&text, &first, "id", note->id);
  osdear__buf_puts(&text, "}\n");
  st = osdear__buf_check(&text, error);
  return st ? st : osdear__small_file_write(folder, "note.json", (osdear__str){ text.data, text.size }, error);
}

static uint64_t hex_of(const char *text)
{
  uint64_t value = 0;

  for (; text && *text; text++)
    value = value * 16 + (uint64_t)(*text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10);
  return value;
}

/* `out` is empty; *is_there false: no note, as when its writer died before it was written. */
static osdear_status read_note(const char *folder, osdear__note *out, bool *is_there, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear__json *value;
  osdear_status st;

  st = osdear__small_file_read(folder, "note.json", &text, is_there, error);
  if (st || !*is_there)
    return st;
  st = osdear__json_read((osdear__str){ text.data, text.size }, folder, &out->arena, &value, error);
  if (st)
    return st;
  out->runner = osdear__json_text(value, "runner");
  out->key = osdear__json_text(value, "key");
  out->name = osdear__json_text(value, "name");
  out->id = osdear__json_text(value, "id");
  out->spec = hex_of(osdear__json_text(value, "spec"));
  out->created_us = osdear__json_int(value, "created_us", 0);
  if (!out->runner)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s/note.json\" names no runner: it is no note of ours", folder);
  return OSDEAR_OK;
}

/* ---- submissions ---- */

static osdear_status lock(osdear__entry *entry, const osdear_context *context, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear_status st;

  osdear__buf_printf(&path, "%s/lock", entry->folder);
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  entry->lock = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (entry->lock < 0 && errno == ENOENT) /* somebody has removed the folder just now */
    return OSDEAR_OK;
  if (entry->lock < 0)
    return osdear__fail_errno(error, errno, "cannot make \"%s\"", path.data);
  while (flock(entry->lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return osdear__fail_errno(error, errno, "cannot lock \"%s\"", path.data);
    st = osdear__sleep(context, LOCK_RETRY_US, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* Whoever held the lock before us may have taken the folder away: then what we locked is no longer what others see. */
static bool is_still_there(const osdear__entry *entry)
{
  char path[4096];
  struct stat ours, theirs;
  int length = snprintf(path, sizeof path, "%s/lock", entry->folder);

  return length > 0 && (size_t)length < sizeof path && fstat(entry->lock, &ours) == 0 && stat(path, &theirs) == 0 &&
         ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* A link would lead to what is none of ours, and is removed there when jobs are forgotten. */
static bool is_foreign(const char *path)
{
  struct stat info;

  return lstat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static osdear_status open_entry(const osdear__journal *journal, const osdear_context *context, osdear__entry *entry,
                                osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  osdear_status st;

  osdear__buf_printf(&folder, "%s/%s", journal->folder, entry->name);
  st = osdear__buf_check(&folder, error);
  if (st)
    return st;
  entry->folder = osdear__buf_take(&folder);
  do {
    if (entry->lock >= 0)
      close(entry->lock);
    entry->lock = -1;
    if (mkdir(entry->folder, 0700) != 0 && errno != EEXIST)
      return osdear__fail_errno(error, errno, "cannot make the folder \"%s\"", entry->folder);
    if (is_foreign(entry->folder))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s\" is no folder, as we make them: remove it", entry->folder);
    st = lock(entry, context, error);
    if (st)
      return st;
  } while (!is_still_there(entry));
  return OSDEAR_OK;
}

static osdear_status same_submission(const osdear__note *found, const osdear__note *wanted, osdear_error **error)
{
  if (!found->key || strcmp(found->key, wanted->key) != 0 || strcmp(found->runner, wanted->runner) != 0)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "the keys \"%s\" and \"%s\" have one digest: choose another", wanted->key,
                        found->key ? found->key : "");
  if (found->spec != wanted->spec)
    return osdear__fail(
        error, OSDEAR_ERR_CONFLICT,
        "the key \"%s\" was used for another spec, as job %s: choose another key, or submit what was submitted then", wanted->key,
        found->id ? found->id : "(unknown)");
  return OSDEAR_OK;
}

osdear_status osdear__journal_begin(const osdear__journal *journal, const osdear_context *context, const osdear__note *wanted,
                                    osdear__entry *out, osdear_error **error)
{
  osdear__entry entry = { .lock = -1 };
  bool is_there = false;
  osdear_status st;

  if (wanted->key)
    name_of_key(wanted->runner, wanted->key, entry.name);
  else
    osdear__uuid(entry.name);
  st = open_entry(journal, context, &entry, error);
  if (!st)
    st = read_note(entry.folder, &entry.note, &is_there, error);
  if (!st && is_there && !wanted->key)
    st = osdear__fail(error, OSDEAR_ERR_INTERNAL, "the random name %s is taken", entry.name);
  if (!st && is_there)
    st = same_submission(&entry.note, wanted, error);
  if (!st && !is_there) {
    entry.is_new = true;
    st = write_note(entry.folder, wanted, error);
    if (st)
      osdear__entry_forget(&entry);
  }
  if (st) {
    osdear__entry_drop(&entry);
    return st;
  }
  *out = entry;
  return OSDEAR_OK;
}

osdear_status osdear__entry_sent(osdear__entry *entry, const char *id, osdear_error **error)
{
  osdear__note note = { 0 };
  bool is_there;
  osdear_status st = read_note(entry->folder, &note, &is_there, error);

  if (!st && !is_there)
    st = osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "the note in \"%s\" is gone", entry->folder);
  if (!st) {
    note.id = id;
    st = write_note(entry->folder, &note, error);
  }
  osdear__note_drop(&note);
  return st;
}

/* Without asking for memory: it is called when there may be none. */
void osdear__entry_forget(osdear__entry *entry)
{
  int fd = open(entry->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  unlinkat(fd, "note.json", 0);
  unlinkat(fd, OSDEAR__NEWEST, 0);
  unlinkat(fd, "lock", 0);
  close(fd);
  rmdir(entry->folder); /* fails where a job has left output: then that is kept */
}

/* ---- removing ---- */

osdear_status osdear__journal_take(const osdear__journal *journal, const char *name, osdear__entry *out, bool *taken,
                                   osdear_error **error)
{
  osdear__entry entry = { .lock = -1 };
  SCOPED(buf) path = { 0 };
  osdear_status st;

  *taken = false;
  memcpy(entry.name, name, sizeof entry.name);
  osdear__buf_printf(&path, "%s/%s/lock", journal->folder, name);
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  entry.lock = open(path.data, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  path.data[path.size - strlen("/lock")] = '\0';
  entry.folder = osdear__buf_take(&path);
  if (entry.lock >= 0 && flock(entry.lock, LOCK_EX | LOCK_NB) == 0 && is_still_there(&entry)) {
    *out = entry;
    *taken = true;
    return OSDEAR_OK;
  }
  osdear__entry_drop(&entry);
  return OSDEAR_OK;
}

/* The note goes last but for the lock: what is cut short in between is still found, and removed the next time. */
osdear_status osdear__entry_remove(osdear__entry *entry, osdear_error **error)
{
  int fd = open(entry->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *file;

  if (!folder) {
    int number = errno;
    if (fd >= 0)
      close(fd);
    return osdear__fail_errno(error, number, "cannot list \"%s\"", entry->folder);
  }
  for (file = readdir(folder); file; file = readdir(folder))
    if (strcmp(file->d_name, "note.json") != 0 && strcmp(file->d_name, "lock") != 0)
      unlinkat(dirfd(folder), file->d_name, 0); /* `.` and `..` are refused */
  unlinkat(dirfd(folder), "note.json", 0);
  unlinkat(dirfd(folder), "lock", 0);
  closedir(folder);
  if (rmdir(entry->folder) != 0 && errno != ENOENT)
    return osdear__fail_errno(error, errno, "cannot remove \"%s\"", entry->folder);
  return OSDEAR_OK;
}

/* ---- listing ---- */

/* What is damaged, or not ours, stands in nobody's way: it is told to the log. */
static osdear_status pass_over(const osdear_context *context, osdear_status status, osdear_error **failure, osdear_error **error)
{
  if (status != OSDEAR_ERR_CORRUPT && status != OSDEAR_ERR_LIMIT)
    return osdear__fail_on(error, status, failure);
  osdear__log(context, OSDEAR_LOG_WARNING, "job", "the journal: %s", osdear_error_message(*failure));
  return OSDEAR_OK;
}

static osdear_status visit(const osdear__journal *journal, const osdear_context *context, const char *name, const char *runner,
                           osdear__note_taker each, void *argument, osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  SCOPED(note) note = { 0 };
  AUTO(error) failure = NULL;
  bool is_there;
  osdear_status st;

  osdear__buf_printf(&folder, "%s/%s", journal->folder, name);
  st = osdear__buf_check(&folder, error);
  if (st || is_foreign(folder.data))
    return st;
  st = read_note(folder.data, &note, &is_there, &failure);
  if (st)
    return pass_over(context, st, &failure, error);
  if (!is_there || strcmp(note.runner, runner) != 0)
    return OSDEAR_OK;
  memcpy(note.entry, name, sizeof note.entry);
  return each(argument, &note, error);
}

osdear_status osdear__journal_each(const osdear__journal *journal, const osdear_context *context, const char *runner,
                                   osdear__note_taker each, void *argument, osdear_error **error)
{
  DIR *folder = opendir(journal->folder);
  osdear_status st = OSDEAR_OK;
  struct dirent *file;

  if (!folder)
    return osdear__fail_errno(error, errno, "cannot list \"%s\"", journal->folder);
  for (file = readdir(folder); file && !st; file = readdir(folder))
    if (strlen(file->d_name) == 36)
      st = visit(journal, context, file->d_name, runner, each, argument, error);
  closedir(folder);
  return st;
}
