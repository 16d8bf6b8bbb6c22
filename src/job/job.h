/** @file job.h Jobs on services: what the runners have in common, and what the layers above may know of it. */
#ifndef OSDEAR_SRC_JOB_H
#define OSDEAR_SRC_JOB_H

#include <http/http.h>
#include <json/json.h>
#include <osdear/follower.h>
#include <osdear/job.h>
#include <osdear/runner.h>

/* ---- the journal (journal.c): a folder for each submission, made before anything is sent ---- */

typedef struct osdear__journal {
  char *folder; /* <state folder>/jobs */
} osdear__journal;
MUST_USE osdear_status osdear__journal_open(const char *state_folder, osdear__journal *out, osdear_error **error);
void osdear__journal_drop(osdear__journal *journal);

/* What is noted down of one submission. Texts live in `arena`. */
typedef struct osdear__note {
  osdear__arena arena;
  const char *runner; /* its address */
  const char *key;    /* NULL: none */
  const char *name;   /* NULL: none */
  uint64_t spec;      /* a digest, to see whether a key is used for something else */
  int64_t created_us;
  const char *id; /* NULL: not known to have been taken */
  char entry[37]; /* the folder's name, where it was read from one */
} osdear__note;
void osdear__note_drop(osdear__note *note);

/* A submission that is locked: nobody else works on it until it is dropped, or its process is gone. */
typedef struct osdear__entry {
  char *folder;
  char name[37];
  int lock;    /* -1: not open */
  bool is_new; /* noted down by us just now */
  osdear__note note;
} osdear__entry;
void osdear__entry_drop(osdear__entry *entry);

/* Notes a submission down durably, or finds the one of the same runner and key, waiting for whoever works on it. CONFLICT: the key
 * was used for another spec. */
MUST_USE osdear_status osdear__journal_begin(const osdear__journal *journal, const osdear_context *context,
                                             const osdear__note *wanted, osdear__entry *out, osdear_error **error);
/* Notes down the id by which the service knows it. */
MUST_USE osdear_status osdear__entry_sent(osdear__entry *entry, const char *id, osdear_error **error);
/* The service did not take it: as if it had never been. */
void osdear__entry_forget(osdear__entry *entry);
/* Locks the entry of a name if nobody works on it; *out is to be dropped where *taken. */
MUST_USE osdear_status osdear__journal_take(const osdear__journal *journal, const char *name, osdear__entry *out, bool *taken,
                                            osdear_error **error);
/* Removes the entry with all that is in its folder. */
MUST_USE osdear_status osdear__entry_remove(osdear__entry *entry, osdear_error **error);
/* Each note of a runner's address, in no order. `each` takes the note over. What cannot be read as one is passed over, and logged. */
typedef osdear_status (*osdear__note_taker)(void *argument, osdear__note *note, osdear_error **error);
MUST_USE osdear_status osdear__journal_each(const osdear__journal *journal, const osdear_context *context, const char *runner,
                                            osdear__note_taker each, void *argument, osdear_error **error);

/* Small files of a folder, whole (small_file.c). The write is durable, and seen whole or not at all. */
MUST_USE osdear_status osdear__small_file_read(const char *folder, const char *name, osdear__buf *out, bool *is_there,
                                               osdear_error **error);
MUST_USE osdear_status osdear__small_file_write(const char *folder, const char *name, osdear__str text, osdear_error **error);
MUST_USE osdear_status osdear__make_folders(const char *path, osdear_error **error); /* and those above it, for this user alone */

/* ---- specs (spec.c): JSON objects whose members a table names ---- */

typedef enum osdear__spec_type {
  SPEC_TEXT,
  SPEC_INT,
  SPEC_BOOL,
  SPEC_TEXTS,
  SPEC_PAIRS,
  SPEC_OBJECT,
  SPEC_OBJECTS
} osdear__spec_type;
typedef struct osdear__spec_member {
  const char *name; /* NULL ends the table */
  osdear__spec_type type;
} osdear__spec_member;
/* Reads `text` and holds it against `members`; what is unknown or of another type is refused by its name. `what` is for messages. */
MUST_USE osdear_status osdear__spec_read(const char *text, const char *what, const osdear__spec_member *members,
                                         osdear__arena *arena, osdear__json **out, osdear_error **error);
MUST_USE osdear_status osdear__spec_check(const osdear__json *value, const char *what, const osdear__spec_member *members,
                                          osdear_error **error);
size_t osdear__spec_count(const osdear__json *spec, const char *name); /* of a list or object; 0: not given */

/* ---- runners ---- */

typedef struct osdear__runner_kind osdear__runner_kind;

struct osdear_runner {
  int64_t references; /* its own, and one for each job: all of one thread */
  const osdear__runner_kind *kind;
  osdear_context *context;
  char *address;
  osdear_pair *settings;
  size_t setting_count;
  osdear__journal journal;
  void *own; /* the kind's */
};
const char *osdear__runner_setting(const osdear_runner *runner, const char *key); /* NULL: not given */
/* Blots out what of a service's words is a secret that the runner was given, and control characters: a page may repeat what it was sent. */
void osdear__runner_blot(const osdear_runner *runner, char *words);

struct osdear_job {
  int64_t references; /* its own, and one for each log */
  osdear_runner *runner;
  char *id;
  osdear_job_state state;
  char native[64];
  char *message;
  bool was_found;
  int32_t failed_polls;              /* in a row */
  void *own;                         /* the kind's */
  struct osdear__followed *followed; /* its place in a follower; NULL: none */
};
void osdear__job_unref(osdear_job *job);
/* No answer says nothing about the job: whoever waits goes on. */
bool osdear__is_no_answer(const osdear_runner *runner, osdear_status status);
/* A service's words for where a job stands, ended by NULL. */
typedef struct osdear__state_word {
  const char *native;
  osdear_job_state state;
} osdear__state_word;
osdear_job_state osdear__state_of_word(const osdear__state_word *words, const char *native); /* UNKNOWN: none of them */
/* What a poll found. `native` is cut to what fits; `message` may be NULL. */
MUST_USE osdear_status osdear__job_set(osdear_job *job, osdear_job_state state, osdear__str native, const char *message,
                                       osdear_error **error);

/* A note of some services beside the journal's own: the newest job of before a submission. */
#define OSDEAR__NEWEST "newest"

/* What is being submitted. */
typedef struct osdear__submission {
  const osdear__json *spec;
  const char *key;    /* NULL: none */
  const char *folder; /* of the journal's entry */
  const char *name;   /* of the entry: a UUID */
  bool *was_found;    /* to be set where a job that goes on was taken up in place of a new one */
  uint64_t digest;    /* of the spec */
  int64_t created_us;
} osdear__submission;

/* What a service does that is no job. */
typedef struct osdear__verb {
  const char *name; /* NULL ends the table */
  const osdear__spec_member *members;
  /* Appends a JSON value. */
  osdear_status (*run)(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error);
} osdear__verb;

/* How a submission ended that failed: whether the service may have taken it all the same. */
typedef enum osdear__send_outcome { SEND_REFUSED, SEND_UNKNOWN } osdear__send_outcome;

struct osdear_job_log {
  osdear_job *job;
  bool follow;
  bool was_over; /* the job was, before the last read that gave nothing */
  char *stream;  /* NULL: the runner's choice */
  osdear__buf data;
  int64_t offset; /* the kind's: where to go on */
  void *own;      /* the kind's */
};

/* A request that asks a service where a job stands. */
typedef struct osdear__ask {
  osdear__http_client *client; /* borrowed */
  osdear__buf path;
  const char *header; /* a further one; NULL: none */
  osdear__buf value;  /* its */
  osdear__http_header headers[2];
} osdear__ask;
void osdear__ask_drop(osdear__ask *ask);

struct osdear__runner_kind {
  const char *name;            /* "spark" */
  const char *scheme;          /* what an address starts with: "spark+http" */
  const char *const *settings; /* those it has, ended by NULL */
  const osdear__spec_member *spec;
  const char *what;          /* for messages: "a spec for Spark" */
  const osdear__verb *verbs; /* NULL: none */
  int64_t first_poll_us, slowest_poll_us;
  /* Of what `own` of a runner, a job and a log points to: zeroed before open, attach and log_open. 0: those make it, or leave it NULL.
   * Freed in any case after close, detach and log_close, which only let go of what it holds. */
  size_t own_size, job_size, log_size;

  /* Looks at runner->address and fills runner->own. Sends nothing. */
  osdear_status (*open)(osdear_runner *runner, osdear_error **error);
  void (*close)(osdear_runner *runner); /* NULL: nothing to do */
  /* What the table of members cannot say; before anything is noted down. */
  osdear_status (*check)(osdear_runner *runner, const osdear__json *spec, osdear_error **error);
  /* Sends; appends the id. On failure *outcome says what to think of it. */
  osdear_status (*submit)(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                          osdear__send_outcome *outcome, osdear_error **error);
  /* A submission was noted down whose answer is not known: appends the id if the service has it, nothing if it surely has not. */
  osdear_status (*find)(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error);
  /* Takes an id apart into job->own. */
  osdear_status (*attach)(osdear_job *job, osdear_error **error);
  void (*detach)(osdear_job *job);                              /* NULL: nothing to do */
  osdear_status (*poll)(osdear_job *job, osdear_error **error); /* NULL: asked and heard as below */
  /* A poll in two halves, so that many can be on their way at once. An answer of NULL: there was none. *again true: ask once more, at once. */
  osdear_status (*ask)(osdear_job *job, osdear__ask *out, osdear_error **error);
  osdear_status (*hear)(osdear_job *job, const osdear__http_response *answer, bool *again, osdear_error **error);
  osdear_status (*cancel)(osdear_job *job, osdear_error **error); /* asks only */
  /* Removes what the service keeps of a job that is over, when it is pruned or was cancelled; NULL: nothing, or not ours to remove. */
  osdear_status (*forget)(osdear_job *job, osdear_error **error);
  /* Appends members to a JSON object that is open. */
  osdear_status (*result)(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error);
  /* The rows that are its result; NULL: it has none. Of a job that has succeeded. */
  osdear_status (*rows)(osdear_job *job, struct ArrowArrayStream *out, osdear_error **error);
  osdear_status (*log_open)(osdear_job_log *log, osdear_error **error); /* NULL: nothing to do */
  /* Appends to log->data what there is behind log->offset; nothing when there is nothing now. Never waits. */
  osdear_status (*log_read)(osdear_job_log *log, osdear_error **error);
  void (*log_close)(osdear_job_log *log); /* NULL: nothing to do */
};
/* The verbs that the runner of every service has, as functions of these names in its file. */
#define OSDEAR__RUNNER_VERBS \
  .open = open_runner, .submit = submit, .find = find, .attach = attach, .cancel = cancel, .result = result
#define OSDEAR__SERVICE_VERBS \
  OSDEAR__RUNNER_VERBS, .close = close_runner, .ask = ask, .hear = hear, .first_poll_us = 500000, .slowest_poll_us = 15000000
extern const osdear__runner_kind osdear__runner_process, osdear__runner_container, osdear__runner_spark, osdear__runner_airbyte,
    osdear__runner_airflow, osdear__runner_dremio;

/* The request of an ask, as it goes out; the ask must outlive it. */
void osdear__ask_request(osdear__ask *ask, const osdear_job *job, osdear__http_request *out);

void osdear__unfollow(osdear_job *job); /* not followed: a no-op */

/* ---- pace (pace.c): how long until the next poll ---- */

typedef struct osdear__pace {
  int64_t delay_us; /* 0: not begun */
} osdear__pace;
/* Grows by half each time up to the kind's slowest, a fifth more or less by chance. */
int64_t osdear__pace_next(osdear__pace *pace, const osdear__runner_kind *kind);

#endif
