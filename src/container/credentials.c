/* Credentials of registries, from where Docker keeps them: config.json, or the helper programs that it names. */
#include <base/spawn.h>
#include <container/container.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_CONFIG_BYTES ((size_t)1 << 20)
#define MOST_ANSWER_BYTES ((size_t)64 << 10)
#define HELPER_PATIENCE_US INT64_C(30000000)
#define EXIT_PATIENCE_US INT64_C(2000000)
/* What Docker calls its own registry, for reasons of age. */
#define HUB_KEY "https://index.docker.io/v1/"

/* ---- names of images ---- */

osdear__str osdear__image_registry(const char *image)
{
  const char *slash = strchr(image, '/');
  osdear__str first = { image, slash ? (size_t)(slash - image) : 0 };

  /* The first part is a registry's address only if it looks like one: as Docker's reference grammar has it. */
  if (first.size == 0 ||
      !(memchr(first.data, '.', first.size) || memchr(first.data, ':', first.size) || osdear__str_is(first, "localhost")))
    return STR("docker.io");
  return first;
}

void osdear__image_split(const char *image, osdear__str *repository, osdear__str *tag)
{
  const char *at = strchr(image, '@');
  const char *slash = strrchr(image, '/');
  const char *colon = strrchr(slash ? slash : image, ':');

  if (at) {
    *repository = (osdear__str){ image, (size_t)(at - image) };
    *tag = osdear__str_of(at + 1);
  } else if (colon) {
    *repository = (osdear__str){ image, (size_t)(colon - image) };
    *tag = osdear__str_of(colon + 1);
  } else {
    *repository = osdear__str_of(image);
    *tag = STR("latest");
  }
}

/* ---- the header's value ---- */

static void put_member(osdear__buf *out, bool *first, const char *key, osdear__str value)
{
  osdear__json_put_key(out, first, key);
  osdear__json_put_string(out, value);
}

static void put_header(osdear__str registry, osdear__str username, osdear__str password, osdear__str identity, osdear__buf *out)
{
  SCOPED(buf) text = { 0 };
  bool first = true;

  osdear__buf_putc(&text, '{');
  if (identity.size) {
    put_member(&text, &first, "identitytoken", identity);
  } else {
    put_member(&text, &first, "username", username);
    put_member(&text, &first, "password", password);
  }
  put_member(&text, &first, "serveraddress", registry);
  osdear__buf_putc(&text, '}');
  if (text.failed)
    out->failed = text.failed;
  else
    osdear__base64_put(out, text.data, text.size, true);
}

void osdear__registry_auth_of(osdear__str registry, const char *username, const char *password, osdear__buf *out)
{
  put_header(registry, osdear__str_of(username), osdear__str_of(password), (osdear__str){ NULL, 0 }, out);
}

/* ---- helpers: `docker-credential-NAME get`, the registry on its input, JSON on its output ---- */

typedef struct child {
  pid_t pid;
  int to, from; /* -1: closed */
} osdear__child;

static void osdear__child_drop(osdear__child *child)
{
  if (child->to >= 0)
    close(child->to);
  if (child->from >= 0)
    close(child->from);
  if (child->pid > 0) {
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
      continue;
  }
}

static osdear_status start_helper(const char *program, osdear__child *out, osdear_error **error)
{
  const char *words[] = { program, "get", NULL };
  osdear__spawn_options options = { .program = program, .words = words, .fd_count = 2 };
  int input[2], output[2], failure;

  /* A socket, because a write to it can be told not to raise SIGPIPE. */
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0)
    return osdear__fail_errno(error, errno, "no pipe to %s", program);
  if (pipe2(output, O_CLOEXEC) != 0) {
    failure = errno;
    close(input[0]);
    close(input[1]);
    return osdear__fail_errno(error, failure, "no pipe to %s", program);
  }
  options.fds[0] = input[0];
  options.fds[1] = output[1];
  failure = osdear__spawn(&options, &out->pid);
  close(input[0]);
  close(output[1]);
  out->to = input[1];
  out->from = output[0];
  if (!failure)
    return OSDEAR_OK;
  out->pid = 0;
  return osdear__fail_errno(error, failure, "cannot run the credential helper %s, which Docker's configuration names", program);
}

static osdear_status read_answer(osdear__child *child, const char *program, osdear__buf *out, osdear_error **error)
{
  int64_t until = osdear__monotonic_us() + HELPER_PATIENCE_US;

  for (;;) {
    struct pollfd waiting = { .fd = child->from, .events = POLLIN };
    int64_t left = until - osdear__monotonic_us();
    char piece[4096];
    ssize_t got;

    if (left <= 0)
      return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "the credential helper %s did not answer in 30 s", program);
    if (poll(&waiting, 1, (int)(left / 1000) + 1) <= 0)
      continue;
    got = read(child->from, piece, sizeof piece);
    if (got == 0)
      return osdear__buf_check(out, error);
    if (got < 0 && errno != EINTR)
      return osdear__fail_errno(error, errno, "cannot read what %s says", program);
    if (got > 0)
      osdear__buf_append(out, piece, (size_t)got);
    if (out->size > MOST_ANSWER_BYTES)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "the credential helper %s says more than 64 KiB", program);
  }
}

/* One that has closed its output has nothing more to do. */
static bool has_exited(pid_t pid, int *code)
{
  int64_t until = osdear__monotonic_us() + EXIT_PATIENCE_US;
  pid_t done = 0;

  while ((done == 0 || (done < 0 && errno == EINTR)) && osdear__monotonic_us() < until) {
    done = waitpid(pid, code, WNOHANG);
    if (done == 0)
      poll(NULL, 0, 5);
  }
  return done != 0;
}

/* A helper that exits with a failure has nothing for the registry. */
static osdear_status ask_helper(osdear__str name, osdear__str registry_key, osdear__str registry, osdear__buf *out,
                                osdear_error **error)
{
  SCOPED(child) child = { 0, -1, -1 };
  SCOPED(buf) program = { 0 };
  SCOPED(buf) answer = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__json *tree = NULL;
  osdear_status st;
  int code = 0;

  if (name.size == 0 || memchr(name.data, '/', name.size) || memchr(name.data, '\0', name.size))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "Docker's configuration names a credential helper `%.*s`", (int)name.size,
                        name.data);
  osdear__buf_printf(&program, "docker-credential-%.*s", (int)name.size, name.data);
  st = osdear__buf_check(&program, error);
  if (st)
    return st;
  st = start_helper(program.data, &child, error);
  if (st)
    return st;
  /* A registry's name is shorter than a pipe is deep: this never waits. A helper that does not read is no failure yet. */
  if (send(child.to, registry_key.data, registry_key.size, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
    return osdear__fail_errno(error, errno, "cannot write to %s", program.data);
  close(child.to);
  child.to = -1;
  st = read_answer(&child, program.data, &answer, error);
  if (st)
    return st;
  if (!has_exited(child.pid, &code))
    return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "the credential helper %s has answered, but does not end", program.data);
  child.pid = 0;
  if (code != 0 || answer.size == 0)
    return OSDEAR_OK;
  st = osdear__json_read((osdear__str){ answer.data, answer.size }, program.data, &arena, &tree, error);
  if (st)
    return st;
  if (osdear__str_is(osdear__json_str(tree, "Username"), "<token>"))
    put_header(registry, (osdear__str){ NULL, 0 }, (osdear__str){ NULL, 0 }, osdear__json_str(tree, "Secret"), out);
  else
    put_header(registry, osdear__json_str(tree, "Username"), osdear__json_str(tree, "Secret"), (osdear__str){ NULL, 0 }, out);
  return osdear__buf_check(out, error);
}

/* ---- config.json ---- */

/* "https://host/v1/" and "host" name the same registry. */
static osdear__str bare_host(osdear__str key)
{
  const char *scheme = memmem(key.data, key.size, "://", 3);
  size_t skip = scheme ? (size_t)(scheme - key.data) + 3 : 0;
  const char *slash;

  key = (osdear__str){ key.data + skip, key.size - skip };
  slash = memchr(key.data, '/', key.size);
  return slash ? (osdear__str){ key.data, (size_t)(slash - key.data) } : key;
}

static bool names_registry(osdear__str key, osdear__str registry)
{
  osdear__str host = bare_host(key);

  if (osdear__str_is(registry, "docker.io"))
    return osdear__str_is(host, "docker.io") || osdear__str_is(host, "index.docker.io") ||
           osdear__str_is(host, "registry-1.docker.io");
  return osdear__str_equal_nocase(host, registry);
}

static osdear_status use_entry(const osdear__json *entry, osdear__str registry, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) pair = { 0 };
  osdear__str encoded = osdear__json_str(entry, "auth"), identity = osdear__json_str(entry, "identitytoken");
  const char *colon;

  if (identity.size) {
    put_header(registry, (osdear__str){ NULL, 0 }, (osdear__str){ NULL, 0 }, identity, out);
  } else if (encoded.size) {
    if (!osdear__base64_get(encoded, &pair) || pair.failed || !pair.data)
      return osdear__fail(error, pair.failed ? OSDEAR_ERR_NO_MEMORY : OSDEAR_ERR_CORRUPT,
                          "Docker's configuration: the credentials for %.*s are no base64", (int)registry.size, registry.data);
    colon = memchr(pair.data, ':', pair.size);
    if (!colon)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Docker's configuration: the credentials for %.*s hold no colon",
                          (int)registry.size, registry.data);
    put_header(registry, (osdear__str){ pair.data, (size_t)(colon - pair.data) },
               (osdear__str){ colon + 1, pair.size - (size_t)(colon - pair.data) - 1 }, (osdear__str){ NULL, 0 }, out);
  }
  return osdear__buf_check(out, error);
}

static osdear_status look_up(const osdear__json *config, osdear__str registry, osdear__buf *out, osdear_error **error)
{
  const osdear__json *auths = osdear__json_get(config, "auths"), *helpers = osdear__json_get(config, "credHelpers");
  osdear__str key = osdear__str_is(registry, "docker.io") ? STR(HUB_KEY) : registry;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; helpers && helpers->kind == JSON_IS_OBJECT && i < helpers->count; i++)
    if (names_registry(helpers->keys[i], registry) && helpers->items[i].kind == JSON_IS_STRING)
      return ask_helper(helpers->items[i].text, key, registry, out, error);
  if (osdear__json_str(config, "credsStore").size)
    st = ask_helper(osdear__json_str(config, "credsStore"), key, registry, out, error);
  for (size_t i = 0; !st && out->size == 0 && auths && auths->kind == JSON_IS_OBJECT && i < auths->count; i++)
    if (names_registry(auths->keys[i], registry))
      st = use_entry(&auths->items[i], registry, out, error);
  return st;
}

osdear_status osdear__registry_auth(const char *folder, osdear__str registry, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  SCOPED(buf) text = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__json *config = NULL;
  osdear_status st;

  if (!folder)
    return OSDEAR_OK;
  osdear__buf_printf(&path, "%s/config.json", folder);
  st = osdear__buf_check(&path, error);
  if (st || access(path.data, F_OK) != 0)
    return st;
  st = osdear__small_file(path.data, MOST_CONFIG_BYTES, &text, error);
  if (st || text.size == 0)
    return st;
  st = osdear__json_read((osdear__str){ text.data, text.size }, path.data, &arena, &config, error);
  return st ? st : look_up(config, registry, out, error);
}
