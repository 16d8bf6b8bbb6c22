/* Docker's own notes of engines: config.json's current context, and contexts/meta and contexts/tls beside it. */
#include <container/container.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_CONFIG_BYTES ((size_t)1 << 20)

typedef struct open_file {
  int fd;
} osdear__open_file;

static void osdear__open_file_drop(osdear__open_file *file)
{
  if (file->fd >= 0)
    close(file->fd);
}

osdear_status osdear__small_file(const char *path, size_t most, osdear__buf *out, osdear_error **error)
{
  SCOPED(open_file) file = { open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
  ssize_t got = 1;

  if (file.fd < 0)
    return osdear__fail_errno(error, errno, "cannot open %s", path);
  while (got > 0) {
    char piece[4096];
    got = read(file.fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got < 0)
      return osdear__fail_errno(error, errno, "cannot read %s", path);
    else
      osdear__buf_append(out, piece, (size_t)got);
    if (out->size > most)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s has more than %zu bytes", path, most);
  }
  return osdear__buf_check(out, error);
}

static osdear_status read_json(const char *path, osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st = osdear__small_file(path, MOST_CONFIG_BYTES, &text, error);

  return st ? st : osdear__json_read((osdear__str){ text.data ? text.data : "", text.size }, path, arena, out, error);
}

/* NULL in *name: the default context. */
static osdear_status current_context(const char *folder, osdear__arena *arena, const char **name, osdear_error **error)
{
  const char *path = osdear__arena_printf(arena, "%s/config.json", folder);
  osdear__json *config = NULL;
  osdear_status st;

  *name = NULL;
  if (!path)
    return osdear__fail_memory(error);
  if (access(path, F_OK) != 0)
    return OSDEAR_OK;
  st = read_json(path, arena, &config, error);
  if (!st && osdear__json_str(config, "currentContext").size)
    *name = osdear__json_str(config, "currentContext").data;
  return st;
}

static osdear_status find_certificates(const char *folder, const char *id, const osdear__json *endpoint, osdear__arena *arena,
                                       osdear__place *out, osdear_error **error)
{
  const char *tls = osdear__arena_printf(arena, "%s/contexts/tls/%s/docker", folder, id);
  const char *ca = osdear__arena_printf(arena, "%s/ca.pem", tls ? tls : "");
  const char *cert = osdear__arena_printf(arena, "%s/cert.pem", tls ? tls : "");
  const char *key = osdear__arena_printf(arena, "%s/key.pem", tls ? tls : "");

  if (!tls || !ca || !cert || !key)
    return osdear__fail_memory(error);
  out->ca = access(ca, F_OK) == 0 ? ca : NULL;
  out->cert = access(cert, F_OK) == 0 ? cert : NULL;
  out->key = access(key, F_OK) == 0 ? key : NULL;
  out->insecure = osdear__json_flag(endpoint, "SkipTLSVerify", false);
  return OSDEAR_OK;
}

typedef struct open_folder {
  DIR *folder;
} osdear__open_folder;

static void osdear__open_folder_drop(osdear__open_folder *folder)
{
  if (folder->folder)
    closedir(folder->folder);
}

/* Contexts lie in folders named for the hash of their name; the name stands inside. */
osdear_status osdear__docker_context(const char *folder, const char *name, osdear__arena *arena, const char **address,
                                     osdear__place *certificates, osdear_error **error)
{
  SCOPED(open_folder) all = { NULL };
  const char *path;
  osdear_status st;

  *address = NULL;
  if (!name) {
    st = current_context(folder, arena, &name, error);
    if (st)
      return st;
  }
  if (!name || strcmp(name, "default") == 0)
    return OSDEAR_OK;
  path = osdear__arena_printf(arena, "%s/contexts/meta", folder ? folder : "");
  if (!path)
    return osdear__fail_memory(error);
  all.folder = opendir(path);
  for (struct dirent *entry = all.folder ? readdir(all.folder) : NULL; entry; entry = readdir(all.folder)) {
    const osdear__json *endpoint;
    osdear__json *meta = NULL;
    const char *file;

    if (entry->d_name[0] == '.')
      continue;
    file = osdear__arena_printf(arena, "%s/%s/meta.json", path, entry->d_name);
    if (!file)
      return osdear__fail_memory(error);
    st = read_json(file, arena, &meta, error);
    if (st)
      return st;
    if (!osdear__str_is(osdear__json_str(meta, "Name"), name))
      continue;
    endpoint = osdear__json_get(osdear__json_get(meta, "Endpoints"), "docker");
    if (osdear__json_str(endpoint, "Host").size == 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "Docker's context `%s` in %s names no host", name, file);
    *address = osdear__json_str(endpoint, "Host").data;
    return find_certificates(folder, entry->d_name, endpoint, arena, certificates, error);
  }
  return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "Docker knows no context `%s` in %s: `docker context ls` lists them", name,
                      path);
}
