/* Images: pulled with progress, brought in from files, named, looked for. */
#include <container/container.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* An engine that unpacks a large layer, or waits for a slow registry, may be silent for so long. */
#define MOST_SILENCE_MS 300000
#define MOST_LAYERS 256

/* ---- progress: a JSON text for each step of each layer; a failure is one of them ---- */

typedef struct layer {
  char id[20];
  int64_t done, total;
} layer;

typedef struct progress {
  layer layers[MOST_LAYERS];
  size_t count;
} progress;

static layer *find_layer(progress *p, osdear__str id)
{
  size_t size = id.size < sizeof p->layers[0].id - 1 ? id.size : sizeof p->layers[0].id - 1;

  for (size_t i = 0; i < p->count; i++)
    if (strncmp(p->layers[i].id, id.data, size) == 0 && p->layers[i].id[size] == '\0')
      return &p->layers[i];
  if (p->count == MOST_LAYERS)
    return NULL;
  memcpy(p->layers[p->count].id, id.data, size);
  return &p->layers[p->count++];
}

/* So many layers of it make a sum. */
static int64_t bytes_of(const osdear__json *detail, const char *key)
{
  int64_t bytes = osdear__json_int(detail, key, 0);

  return bytes < 0 ? 0 : bytes < INT64_MAX / MOST_LAYERS ? bytes : INT64_MAX / MOST_LAYERS;
}

static void tell_progress(osdear_engine *engine, progress *p, const osdear__json *message)
{
  const osdear__json *detail = osdear__json_get(message, "progressDetail");
  int64_t done = 0, total = 0;
  layer *of;

  if (!osdear__str_is(osdear__json_str(message, "status"), "Downloading") || osdear__json_int(detail, "total", 0) <= 0)
    return;
  of = find_layer(p, osdear__json_str(message, "id"));
  if (!of)
    return;
  of->done = bytes_of(detail, "current");
  of->total = bytes_of(detail, "total");
  for (size_t i = 0; i < p->count; i++) {
    done += p->layers[i].done;
    total += p->layers[i].total;
  }
  osdear__context_progress(engine->context, "pull", done, total);
}

/* {"errorDetail":{"message"}} of Docker, {"error"} of old ones and of Podman: a failure within an answer that began as 200. */
static osdear_status check_message(const osdear__json *message, const char *what, osdear_error **error)
{
  osdear__str words = osdear__json_str(osdear__json_get(message, "errorDetail"), "message");
  osdear__service_answer answer = { .http_status = 200, .retryable = -1 };
  osdear_status meaning;

  if (words.size == 0)
    words = osdear__json_str(message, "error");
  if (words.size == 0)
    return OSDEAR_OK;
  meaning = osdear__engine_meaning(words, 0);
  return osdear__fail_service(error, meaning ? meaning : OSDEAR_ERR_IO, &answer, "%s: %.*s", what, (int)words.size, words.data);
}

static osdear_status check_text(osdear_engine *engine, progress *p, osdear__str text, const char *what, osdear__buf *last_status,
                                osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *message = NULL;
  osdear_status st = osdear__json_read(text, what, &arena, &message, error);

  if (!st)
    st = check_message(message, what, error);
  if (st)
    return st;
  tell_progress(engine, p, message);
  if (last_status && osdear__json_str(message, "status").size) {
    osdear__buf_clear(last_status);
    osdear__buf_append(last_status, osdear__json_str(message, "status").data, osdear__json_str(message, "status").size);
  }
  return OSDEAR_OK;
}

/* Reads the answer to its end: only then has it succeeded. */
static osdear_status follow(osdear_engine *engine, const osdear__engine_request *request, const char *what,
                            osdear__buf *last_status, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  AUTO(engine_stream) stream = NULL;
  progress p = { .count = 0 };
  osdear_status st = osdear__stream_new(engine, &stream, error);

  if (st)
    return st;
  stream->is_json = true;
  st = osdear__engine_pull(engine, request, &stream->reader, &response, error);
  while (!st) {
    osdear_chunk chunk = OSDEAR_CHUNK_INIT;
    bool is_silent;

    st = osdear__stream_poll(stream, MOST_SILENCE_MS, &chunk, &is_silent, error);
    if (!st && is_silent)
      return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "%s: the engine lives, but has said nothing of it for %d s", what,
                          MOST_SILENCE_MS / 1000);
    if (!st && !chunk.data)
      return OSDEAR_OK;
    if (!st)
      st = check_text(engine, &p, (osdear__str){ chunk.data, chunk.data_size }, what, last_status, error);
  }
  return st;
}

/* ---- pulling ---- */

static osdear_status put_pull_path(const char *image, const char *platform, osdear__buf *out, osdear_error **error)
{
  osdear__str repository, tag;

  osdear__image_split(image, &repository, &tag);
  if (repository.size == 0 || tag.size == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "`%s` is no name of an image: give registry/repository:tag", image);
  osdear__buf_puts(out, "/images/create?fromImage=");
  osdear__http_put_encoded(out, repository, "");
  osdear__buf_puts(out, "&tag=");
  osdear__http_put_encoded(out, tag, "");
  if (platform) {
    osdear__buf_puts(out, "&platform=");
    osdear__http_put_encoded(out, osdear__str_of(platform), "");
  }
  return osdear__buf_check(out, error);
}

static osdear_status find_credentials(osdear_engine *engine, const char *image, const osdear_pull_options *options,
                                      osdear__buf *out, osdear_error **error)
{
  osdear__str registry = osdear__image_registry(image);

  if (!options->username)
    return osdear__registry_auth(engine->docker_folder, registry, out, error);
  osdear__registry_auth_of(registry, options->username, options->password, out);
  return osdear__buf_check(out, error);
}

osdear_status osdear_image_pull(osdear_engine *engine, const char *image, const osdear_pull_options *options,
                                osdear_error **error)
{
  osdear_pull_options known = OSDEAR_PULL_OPTIONS_INIT;
  SCOPED(buf) path = { 0 };
  SCOPED(buf) credentials = { 0 };
  osdear__engine_request request = { .method = "POST", .repeat = true };
  int32_t present = 0;
  osdear_status st;

  if (!engine || !image)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine and image must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (!st && (known.username != NULL) != (known.password != NULL))
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "pull: username and password belong together");
  if (!st)
    st = put_pull_path(image, known.platform, &path, error);
  if (!st && known.only_if_missing)
    st = osdear_image_present(engine, image, &present, error);
  if (st || present)
    return st;
  st = find_credentials(engine, image, &known, &credentials, error);
  if (st)
    return st;
  request.path = path.data;
  request.registry_auth = credentials.size ? credentials.data : NULL;
  request.is_quiet = true;
  return follow(engine, &request, image, NULL, error);
}

osdear_status osdear_image_present(osdear_engine *engine, const char *image, int32_t *present, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .missing_is_fine = true };
  osdear_status st;

  if (!engine || !image || !*image || !present)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, image and present must not be NULL or empty");
  osdear__buf_puts(&path, "/images/");
  osdear__put_name(&path, image, "/:@");
  osdear__buf_puts(&path, "/json");
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_send(engine, &request, &response, error);
  if (!st)
    *present = response.status == 200;
  return st;
}

osdear_status osdear_image_tag(osdear_engine *engine, const char *image, const char *name, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .method = "POST", .repeat = true };
  osdear__str repository, tag;
  osdear_status st;

  if (!engine || !image || !*image || !name || !*name)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, image and name must not be NULL or empty");
  osdear__image_split(name, &repository, &tag);
  osdear__buf_puts(&path, "/images/");
  osdear__put_name(&path, image, "/:@");
  osdear__buf_puts(&path, "/tag?repo=");
  osdear__http_put_encoded(&path, repository, "");
  osdear__buf_puts(&path, "&tag=");
  osdear__http_put_encoded(&path, tag, "");
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  return st ? st : osdear__engine_send(engine, &request, &response, error);
}

/* ---- from files ---- */

typedef struct file_source {
  const char *path;
  int fd;
} osdear__file_source;

static void osdear__file_source_drop(osdear__file_source *file)
{
  if (file->fd >= 0)
    close(file->fd);
}

static osdear_status read_file(void *argument, void *out, size_t room, size_t *got, osdear_error **error)
{
  osdear__file_source *file = argument;
  ssize_t count;

  do
    count = osdear__fault_hit(FAULT_READ) ? (errno = EIO, -1) : read(file->fd, out, room);
  while (count < 0 && errno == EINTR);
  if (count < 0)
    return osdear__fail_errno(error, errno, "cannot read %s", file->path);
  *got = (size_t)count;
  return OSDEAR_OK;
}

static osdear_status rewind_file(void *argument, osdear_error **error)
{
  osdear__file_source *file = argument;

  return lseek(file->fd, 0, SEEK_SET) == 0 ? OSDEAR_OK : osdear__fail_errno(error, errno, "cannot go back in %s", file->path);
}

static osdear_status send_file(osdear_engine *engine, const char *request_path, const char *path, osdear__buf *last_status,
                               osdear_error **error)
{
  SCOPED(file_source) file = { path, open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
  osdear__engine_request request = { .method = "POST", .path = request_path };
  struct stat status;

  if (file.fd < 0 || fstat(file.fd, &status) != 0)
    return osdear__fail_errno(error, errno, "cannot open %s", path);
  if (!S_ISREG(status.st_mode))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s is no file", path);
  request.source = (osdear__http_source){ read_file, rewind_file, &file, status.st_size };
  request.is_quiet = true;
  return follow(engine, &request, path, last_status, error);
}

osdear_status osdear_image_load(osdear_engine *engine, const char *path, osdear_error **error)
{
  if (!engine || !path)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine and path must not be NULL");
  return send_file(engine, "/images/load?quiet=1", path, NULL, error);
}

static osdear_status put_import_path(const char *name, const char *const *command, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) change = { 0 };
  osdear__str repository, tag;
  size_t count = 0;

  osdear__image_split(name, &repository, &tag);
  osdear__buf_puts(out, "/images/create?fromSrc=-&repo=");
  osdear__http_put_encoded(out, repository, "");
  osdear__buf_puts(out, "&tag=");
  osdear__http_put_encoded(out, tag, "");
  while (command && command[count])
    count++;
  if (count) {
    osdear__buf_puts(&change, "CMD ");
    osdear__json_put_texts(&change, command, count);
    osdear__buf_puts(out, "&changes=");
    osdear__http_put_encoded(out, (osdear__str){ change.data ? change.data : "", change.size }, "");
  }
  if (change.failed)
    return osdear__buf_check(&change, error);
  return osdear__buf_check(out, error);
}

osdear_status osdear_image_import(osdear_engine *engine, const char *path, const char *name, const char *const *command,
                                  osdear_error **error)
{
  SCOPED(buf) request_path = { 0 };
  SCOPED(buf) id = { 0 };
  osdear_status st;

  if (!engine || !path || !name || !*name)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, path and name must not be NULL or empty");
  st = put_import_path(name, command, &request_path, error);
  if (!st)
    st = send_file(engine, request_path.data, path, &id, error);
  if (!st)
    st = osdear__buf_check(&id, error);
  if (st || !engine->is_podman || id.size == 0)
    return st;
  /* Podman tells the image's id as the last status, and makes nothing of the tag. */
  return osdear_image_tag(engine, id.data, name, error);
}
