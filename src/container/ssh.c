/* An engine behind ssh: a socket on this machine, each of whose connections becomes the standard input and output of one
 * `ssh HOST docker system dial-stdio`. No byte passes through here: the program is given the connection itself. What it writes to its
 * standard error is kept for whoever asks why a connection came to nothing. */
#include <base/spawn.h>
#include <base/thread.h>
#include <container/container.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORDS 16
#define MOST_CHILDREN 256
#define MOST_SAID 512 /* bytes, the last ones */
#define MOST_PIECES 256
#define END_PATIENCE_MS 1000
#define PAUSE_MS 100 /* where there is no descriptor for another connection */

struct osdear__ssh {
  char folder[64];
  char socket[80];
  char *program, *host, *user, *port;
  const char *words[MOST_WORDS];
  int listener, stopping[2];
  int errors[2]; /* a pipe; its reading end does not wait */
  pthread_mutex_t lock;
  char said[MOST_SAID]; /* under the lock */
  size_t said_size;
  pthread_t thread;
  bool has_thread;
  pid_t children[MOST_CHILDREN]; /* of the thread; 0: free */
};
typedef osdear__ssh osdear__ssh_handle;

/* ---- what the programs say ---- */

static void keep(osdear__ssh *ssh, const char *text, size_t size)
{
  size_t kept = ssh->said_size < MOST_SAID - size ? ssh->said_size : MOST_SAID - size;

  memmove(ssh->said, ssh->said + ssh->said_size - kept, kept);
  memcpy(ssh->said + kept, text, size);
  ssh->said_size = kept + size;
}

/* What a pipe holds, and not more: one that never falls silent must not keep us. */
static void listen_to_errors(osdear__ssh *ssh)
{
  char piece[MOST_SAID];
  ssize_t got = 1;

  pthread_mutex_lock(&ssh->lock);
  for (int i = 0; i < MOST_PIECES && got > 0; i++) {
    got = read(ssh->errors[0], piece, sizeof piece);
    if (got > 0)
      keep(ssh, piece, (size_t)got);
  }
  pthread_mutex_unlock(&ssh->lock);
}

void osdear__ssh_take_words(osdear__ssh *ssh, osdear__buf *out)
{
  osdear__str said;

  listen_to_errors(ssh);
  pthread_mutex_lock(&ssh->lock);
  said = osdear__strip((osdear__str){ ssh->said, ssh->said_size });
  for (size_t i = said.size; i > 0; i--)
    if (said.data[i - 1] == '\n' || said.data[i - 1] == '\r') {
      said = (osdear__str){ said.data + i, said.size - i };
      break;
    }
  osdear__buf_append(out, said.data, said.size);
  ssh->said_size = 0;
  pthread_mutex_unlock(&ssh->lock);
}

/* ---- programs ---- */

static void reap(osdear__ssh *ssh)
{
  for (size_t i = 0; i < MOST_CHILDREN; i++)
    if (ssh->children[i] != 0 && waitpid(ssh->children[i], NULL, WNOHANG) != 0)
      ssh->children[i] = 0;
}

static bool signal_all(const osdear__ssh *ssh, int number)
{
  bool are_there = false;

  for (size_t i = 0; i < MOST_CHILDREN; i++)
    if (ssh->children[i] != 0) {
      kill(-ssh->children[i], number);
      are_there = true;
    }
  return are_there;
}

/* Those that do not end when they are asked to are killed: nobody waits here for a network. */
static void end_all(osdear__ssh *ssh)
{
  for (int64_t until = osdear__monotonic_us() + END_PATIENCE_MS * 1000; signal_all(ssh, SIGTERM);) {
    reap(ssh);
    if (osdear__monotonic_us() > until)
      break;
    poll(NULL, 0, 5);
  }
  if (!signal_all(ssh, SIGKILL))
    return;
  for (size_t i = 0; i < MOST_CHILDREN; i++)
    while (ssh->children[i] != 0 && waitpid(ssh->children[i], NULL, 0) < 0 && errno == EINTR)
      continue;
}

/* Not by way of the pipe: who empties that must not wait for room in it. */
static void say(osdear__ssh *ssh, int number)
{
  char text[MOST_SAID];
  int size = snprintf(text, sizeof text, "%.300s cannot be run: %s\n", ssh->program, strerrordesc_np(number));

  pthread_mutex_lock(&ssh->lock);
  keep(ssh, text, (size_t)size);
  pthread_mutex_unlock(&ssh->lock);
}

static void start_child(osdear__ssh *ssh, int connection)
{
  /* Its own session: an interrupt from the terminal is this process's to act on, not ssh's. */
  const osdear__spawn_options options = { .program = ssh->program,
                                          .words = ssh->words,
                                          .fds = { connection, connection, ssh->errors[1] },
                                          .fd_count = 3,
                                          .has_session = true };
  size_t place = 0;
  int failed;

  while (place < MOST_CHILDREN && ssh->children[place] != 0)
    place++;
  if (place == MOST_CHILDREN)
    return;
  failed = osdear__spawn(&options, &ssh->children[place]);
  if (!failed)
    return;
  ssh->children[place] = 0;
  say(ssh, failed);
}

static void *serve(void *argument)
{
  osdear__ssh *ssh = argument;

  for (;;) {
    struct pollfd waiting[] = { { .fd = ssh->stopping[0], .events = POLLIN },
                                { .fd = ssh->listener, .events = POLLIN },
                                { .fd = ssh->errors[0], .events = POLLIN } };
    int connection;

    if (poll(waiting, COUNT_OF(waiting), 1000) > 0 && waiting[0].revents)
      return NULL;
    reap(ssh);
    if (waiting[2].revents & POLLIN)
      listen_to_errors(ssh);
    if (!(waiting[1].revents & POLLIN))
      continue;
    connection = accept4(ssh->listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) {
      poll(waiting, 1, PAUSE_MS);
      continue;
    }
    start_child(ssh, connection);
    close(connection);
  }
}

static void close_if_open(int fd)
{
  if (fd >= 0)
    close(fd);
}

static void close_all(osdear__ssh *ssh)
{
  if (ssh->has_thread) {
    while (write(ssh->stopping[1], "", 1) < 0 && errno == EINTR)
      continue;
    pthread_join(ssh->thread, NULL);
  }
  end_all(ssh);
  close_if_open(ssh->listener);
  for (size_t i = 0; i < 2; i++) {
    close_if_open(ssh->stopping[i]);
    close_if_open(ssh->errors[i]);
  }
  if (ssh->socket[0])
    unlink(ssh->socket);
  if (ssh->folder[0])
    rmdir(ssh->folder);
}

void osdear__ssh_auto(osdear__ssh **at)
{
  osdear__ssh *ssh = *at;

  if (!ssh)
    return;
  close_all(ssh);
  osdear__free(ssh->program);
  osdear__free(ssh->host);
  osdear__free(ssh->user);
  osdear__free(ssh->port);
  pthread_mutex_destroy(&ssh->lock);
  osdear__free(ssh);
  *at = NULL;
}

static void osdear__ssh_handle_auto(osdear__ssh **ssh)
{
  osdear__ssh_auto(ssh);
}

const char *osdear__ssh_socket(const osdear__ssh *ssh)
{
  return ssh->socket;
}

/* The folder is the user's alone: who can reach the socket can reach the engine. */
static osdear_status make_socket(osdear__ssh *ssh, osdear_error **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const char *parent = getenv("XDG_RUNTIME_DIR");

  if (!parent || parent[0] != '/' || strlen(parent) > 40 || access(parent, W_OK) != 0)
    parent = "/tmp";
  snprintf(ssh->folder, sizeof ssh->folder, "%s/osdear-ssh-XXXXXX", parent);
  if (!mkdtemp(ssh->folder)) {
    ssh->folder[0] = '\0';
    return osdear__fail_errno(error, errno, "ssh: cannot make a folder in %s", parent);
  }
  snprintf(ssh->socket, sizeof ssh->socket, "%s/engine", ssh->folder);
  memcpy(address.sun_path, ssh->socket, strlen(ssh->socket) + 1);
  ssh->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (ssh->listener < 0 || bind(ssh->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(ssh->listener, 16) != 0 || pipe2(ssh->stopping, O_CLOEXEC) != 0 || pipe2(ssh->errors, O_CLOEXEC) != 0 ||
      fcntl(ssh->errors[0], F_SETFL, O_NONBLOCK) != 0)
    return osdear__fail_errno(error, errno, "ssh: cannot listen at %s", ssh->socket);
  return OSDEAR_OK;
}

static void choose_words(osdear__ssh *ssh)
{
  size_t n = 0;

  ssh->words[n++] = ssh->program;
  /* Nobody is there to be asked: a key or an agent, or a failure that says so. */
  ssh->words[n++] = "-o";
  ssh->words[n++] = "BatchMode=yes";
  ssh->words[n++] = "-o";
  ssh->words[n++] = "ConnectTimeout=10";
  if (ssh->user[0]) {
    ssh->words[n++] = "-l";
    ssh->words[n++] = ssh->user;
  }
  if (ssh->port[0]) {
    ssh->words[n++] = "-p";
    ssh->words[n++] = ssh->port;
  }
  ssh->words[n++] = "--";
  ssh->words[n++] = ssh->host;
  ssh->words[n++] = "docker system dial-stdio";
}

osdear_status osdear__ssh_open(const osdear__place *place, const char *program, osdear__ssh **out, osdear_error **error)
{
  AUTO(ssh_handle) made = osdear__alloc_zeroed(1, sizeof *made);
  osdear_status st;

  if (!made)
    return osdear__fail_memory(error);
  pthread_mutex_init(&made->lock, NULL);
  made->listener = made->stopping[0] = made->stopping[1] = made->errors[0] = made->errors[1] = -1;
  made->program = osdear__strdup(program ? program : "ssh");
  made->host = osdear__strdup(place->ssh_host);
  made->user = osdear__strdup(place->ssh_user);
  made->port = osdear__strdup(place->ssh_port);
  if (!made->program || !made->host || !made->user || !made->port)
    return osdear__fail_memory(error);
  choose_words(made);
  st = make_socket(made, error);
  if (st)
    return st;
  if (osdear__thread_start(&made->thread, serve, made) != 0)
    return osdear__fail(error, OSDEAR_ERR_NO_MEMORY, "ssh: cannot start a thread");
  made->has_thread = true;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}
