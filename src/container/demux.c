/* Standard output and error in one stream of bytes: {channel, 0, 0, 0, length as big-endian u32}, then so many bytes. */
#include <container/container.h>

static uint32_t big_endian(const unsigned char *at)
{
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static osdear_status read_header(osdear__demux *demux, osdear_error **error)
{
  const unsigned char *h = demux->header;

  /* Podman tells what went wrong, as JSON, where the next frame should be. */
  if (h[0] == '{' && h[1] == '"')
    return osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "the engine broke its output off with a failure of its own");
  if (h[0] > 2 || h[1] || h[2] || h[3])
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "the engine's output has a frame that starts with %02x%02x%02x%02x: is it a terminal's?", h[0], h[1],
                        h[2], h[3]);
  demux->channel = h[0] == 2 ? OSDEAR_CHANNEL_STDERR : OSDEAR_CHANNEL_STDOUT;
  demux->left = big_endian(h + 4);
  demux->header_size = 0;
  return OSDEAR_OK;
}

osdear_status osdear__demux_next(osdear__demux *demux, osdear__str *data, osdear__str *piece, osdear_error **error)
{
  *piece = (osdear__str){ data->data, 0 };
  if (demux->is_raw) {
    demux->channel = OSDEAR_CHANNEL_STDOUT;
    *piece = *data;
    *data = (osdear__str){ data->data + data->size, 0 };
    return OSDEAR_OK;
  }
  while (data->size && demux->left == 0) {
    size_t wanted = sizeof demux->header - demux->header_size;
    size_t taken = data->size < wanted ? data->size : wanted;
    osdear_status st;

    memcpy(demux->header + demux->header_size, data->data, taken);
    demux->header_size += taken;
    *data = (osdear__str){ data->data + taken, data->size - taken };
    if (demux->header_size < sizeof demux->header)
      return OSDEAR_OK;
    st = read_header(demux, error);
    if (st)
      return st;
  }
  piece->data = data->data;
  piece->size = data->size < demux->left ? data->size : demux->left;
  *data = (osdear__str){ data->data + piece->size, data->size - piece->size };
  demux->left -= (uint32_t)piece->size;
  return OSDEAR_OK;
}
