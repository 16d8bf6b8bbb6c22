/* An engine behind ssh: a socket on this machine, each of whose connections becomes the standard input and output of one
 * `ssh HOST docker system dial-stdio`. No byte passes through here: the program is given the connection itself. */
#include <base/thread.h>
#include <container/container.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORDS 16
#define MOST_CHILDREN 256

extern char **environ;

struct osdear__ssh {
  char folder[64];
  char socket[80];
  char *program, *host, *user, *port;
  const char *words[MOST_WORDS];
  int listener, stopping[2];
  pthread_t thread;
  bool has_thread;
  pid_t children[MOST_CHILDREN]; /* of the thread; 0: free */
};
typedef osdear__ssh osdear__ssh_handle;

static void reap(osdear__ssh *ssh, bool all)
{
  for (size_t i = 0; i < MOST_CHILDREN; i++) {
    pid_t got;

    if (ssh->children[i] == 0)
      continue;
    if (all)
      kill(ssh->children[i], SIGTERM);
    do
      got = waitpid(ssh->children[i], NULL, all ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got != 0)
      ssh->children[i] = 0;
  }
}

static void start_child(osdear__ssh *ssh, int connection)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  size_t place = 0;

  while (place < MOST_CHILDREN && ssh->children[place] != 0)
    place++;
  if (place == MOST_CHILDREN || posix_spawn_file_actions_init(&actions) != 0)
    return;
  posix_spawnattr_init(&attributes);
  /* Its own group: an interrupt from the terminal is this process's to act on, not ssh's. */
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  if (posix_spawn_file_actions_adddup2(&actions, connection, 0) == 0 &&
      posix_spawn_file_actions_adddup2(&actions, connection, 1) == 0 &&
      posix_spawnp(&ssh->children[place], ssh->program, &actions, &attributes, (char *const *)(uintptr_t)ssh->words, environ) !=
          0)
    ssh->children[place] = 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
}

static void *serve(void *argument)
{
  osdear__ssh *ssh = argument;

  for (;;) {
    struct pollfd waiting[2] = { { .fd = ssh->listener, .events = POLLIN }, { .fd = ssh->stopping[0], .events = POLLIN } };
    int connection;

    if (poll(waiting, 2, 1000) > 0 && waiting[1].revents)
      return NULL;
    reap(ssh, false);
    if (!(waiting[0].revents & POLLIN))
      continue;
    connection = accept4(ssh->listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
      continue;
    start_child(ssh, connection);
    close(connection);
  }
}

static void close_all(osdear__ssh *ssh)
{
  if (ssh->has_thread) {
    while (write(ssh->stopping[1], "", 1) < 0 && errno == EINTR)
      continue;
    pthread_join(ssh->thread, NULL);
  }
  reap(ssh, true);
  if (ssh->listener >= 0)
    close(ssh->listener);
  for (size_t i = 0; i < COUNT_OF(ssh->stopping); i++)
    if (ssh->stopping[i] >= 0)
      close(ssh->stopping[i]);
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
      listen(ssh->listener, 16) != 0 || pipe2(ssh->stopping, O_CLOEXEC) != 0)
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
  made->listener = made->stopping[0] = made->stopping[1] = -1;
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
