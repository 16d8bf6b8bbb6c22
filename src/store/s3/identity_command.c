/** @file identity_command.c `credential_process`: keys that a command prints. Run because the user's configuration says so, without a shell. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/spawn.h>
#include <store/s3/credentials.h>

#define PATIENCE_US (INT64_C(60) * 1000000)
#define MOST_OUTPUT 65536
#define MOST_WORDS 64

/* Words as a shell would take them: quotes and backslashes, and nothing else. Cuts `text` in place. */
static osdear_status split(char *text, char *words[MOST_WORDS + 1], osdear_error **error)
{
  size_t count = 0;
  char *from = text;

  for (;;) {
    char *to, quote = '\0';
    while (*from == ' ' || *from == '\t')
      from++;
    if (!*from)
      break;
    if (count == MOST_WORDS)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "credential_process has more than %d words", MOST_WORDS);
    words[count++] = to = from;
    for (; *from && (quote || (*from != ' ' && *from != '\t')); from++) {
      if (quote ? *from == quote : (*from == '"' || *from == '\'')) {
        quote = quote ? '\0' : *from;
        continue;
      }
      if (*from == '\\' && quote != '\'' && from[1])
        from++;
      *to++ = *from;
    }
    if (quote)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "credential_process ends within quotes");
    from += *from != '\0';
    *to = '\0';
  }
  words[count] = NULL;
  return count > 0 ? OSDEAR_OK : osdear__fail(error, OSDEAR_ERR_ARGUMENT, "credential_process names no command");
}

static int start(char **words, int output, pid_t *child)
{
  osdear__spawn_options options = {
    .program = words[0], .words = (const char *const *)words, .fds = { -1, output }, .fd_count = 2
  };
  int failed;

  options.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (options.fds[0] < 0)
    return errno;
  failed = osdear__spawn(&options, child);
  close(options.fds[0]);
  return failed;
}

static osdear_status read_output(const osdear_context *context, int fd, osdear__buf *out, osdear_error **error)
{
  int64_t end_us = osdear__monotonic_us() + PATIENCE_US;

  for (;;) {
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    char piece[4096];
    ssize_t got;
    osdear_status st = osdear__context_check(context, error);
    if (st)
      return st;
    if (osdear__monotonic_us() > end_us)
      return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "the command gave no credentials within a minute");
    if (poll(&wait, 1, 50) <= 0)
      continue;
    got = read(fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return osdear__fail_errno(error, errno, "cannot read what the command printed");
    if (got == 0)
      return osdear__buf_check(out, error);
    osdear__buf_append(out, piece, (size_t)got);
    osdear__wipe(piece, (size_t)got);
  }
}

/* Also when reading failed: then it is ended. */
static osdear_status finish(pid_t child, bool is_given_up, osdear_error **error)
{
  int status = 0;
  pid_t got;

  if (is_given_up)
    kill(child, SIGKILL);
  do
    got = waitpid(child, &status, 0);
  while (got < 0 && errno == EINTR);
  if (is_given_up || (got < 0 && errno == ECHILD) || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_DENIED, "the command ended with %s %d", WIFEXITED(status) ? "exit code" : "signal",
                      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static osdear_status run(const osdear_context *context, char **words, osdear__buf *out, osdear_error **error)
{
  int ends[2], failed;
  osdear_status st, ended;
  pid_t child;

  if (pipe2(ends, O_CLOEXEC) != 0)
    return osdear__fail_errno(error, errno, "cannot make a pipe for the command's output");
  failed = start(words, ends[1], &child);
  close(ends[1]);
  if (failed) {
    close(ends[0]);
    return osdear__fail(error, OSDEAR_ERR_DENIED, "the command \"%s\" cannot be run: %s", words[0], strerrordesc_np(failed));
  }
  st = read_output(context, ends[0], out, error);
  close(ends[0]);
  ended = finish(child, st != OSDEAR_OK, st ? NULL : error);
  return st ? st : ended;
}

osdear_status osdear__identity_of_command(const osdear__identity_source *source, const char *command, osdear__identity **out,
                                          osdear_error **error)
{
  SCOPED(buf) printed = { .limit = MOST_OUTPUT };
  char *words[MOST_WORDS + 1];
  char *text = osdear__strdup(command);
  osdear_status st;

  if (!text)
    return osdear__fail_memory(error);
  st = split(text, words, error);
  if (!st)
    st = run(source->context, words, &printed, error);
  if (st)
    st = osdear__fail_within(error, st, "credential_process of profile \"%s\"", source->profile);
  else
    st = osdear__identity_of_json((osdear__str){ printed.data, printed.size }, "credential_process", out, error);
  osdear__wipe(printed.data, printed.size);
  osdear__free(text);
  return st;
}
