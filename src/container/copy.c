/* Files and folders into a container and out of it, as tar files on the way. */
#include <container/container.h>

#define PIECE_BYTES ((size_t)256 << 10)

static osdear_status put_path(const osdear_container *container, const char *path, osdear__buf *out, osdear_error **error)
{
  osdear__buf_printf(out, "/containers/%s/archive?path=", container->id);
  osdear__http_put_encoded(out, osdear__str_of(path), "/");
  return osdear__buf_check(out, error);
}

osdear_status osdear_container_copy_in(osdear_container *container, const char *path, const char *target, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) request_path = { 0 };
  AUTO(tar) tar = NULL;
  osdear__engine_request request = { .method = "PUT" };
  osdear_status st;

  if (!container || !path || !*path || !target || target[0] != '/')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and path must not be NULL or empty, target an absolute path");
  st = put_path(container, target, &request_path, error);
  if (!st)
    st = osdear__tar_new(path, &tar, error);
  if (st)
    return st;
  request.path = request_path.data;
  request.source = (osdear__http_source){ osdear__tar_read, osdear__tar_rewind, tar, -1 };
  return osdear__engine_send(container->engine, &request, &response, error);
}

static osdear_status unpack(osdear__http_reader *reader, osdear__untar *untar, osdear_error **error)
{
  SCOPED(buf) piece = { 0 };
  char *room = osdear__buf_reserve(&piece, PIECE_BYTES);

  if (!room)
    return osdear__fail_memory(error);
  for (;;) {
    size_t got = 0;
    osdear_status st = osdear__http_read(reader, room, PIECE_BYTES, -1, &got, error);

    if (st)
      return st;
    if (got == 0)
      return osdear__untar_finish(untar, error);
    st = osdear__untar_write(untar, room, got, error);
    if (st)
      return st;
  }
}

osdear_status osdear_container_copy_out(osdear_container *container, const char *path, const char *target, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) request_path = { 0 };
  AUTO(http_reader) reader = NULL;
  AUTO(untar) untar = NULL;
  osdear__engine_request request = { 0 };
  osdear_status st;

  if (!container || !path || path[0] != '/' || !target || !*target)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container must not be NULL, path an absolute path, target not empty");
  st = put_path(container, path, &request_path, error);
  request.path = request_path.data;
  if (!st)
    st = osdear__engine_pull(container->engine, &request, &reader, &response, error);
  if (!st)
    st = osdear__untar_new(target, &untar, error);
  return st ? st : unpack(reader, untar, error);
}
