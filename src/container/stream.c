/* Streams: bytes come from a reader or a tunnel, and go out as pieces of output or as whole JSON texts. */
#include <container/container.h>

#define PIECE_BYTES ((size_t)64 << 10)
#define MOST_TEXT_BYTES ((size_t)16 << 20)
#define PATIENCE_US INT64_C(120000000)

osdear_status osdear__stream_new(osdear_engine *engine, osdear_engine_stream **out, osdear_error **error)
{
  osdear_engine_stream *made = osdear__alloc_zeroed(1, sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  made->engine = osdear_engine_ref(engine);
  *out = made;
  return OSDEAR_OK;
}

void osdear__stream_disconnect(osdear_engine_stream *stream)
{
  osdear__http_reader_free(stream->reader);
  osdear__http_tunnel_free(stream->tunnel);
  stream->reader = NULL;
  stream->tunnel = NULL;
  stream->demux = (osdear__demux){ .is_raw = stream->demux.is_raw };
  stream->depth = 0;
  stream->in_string = stream->is_escaped = stream->has_ended = false;
  stream->at = 0;
  osdear__buf_clear(&stream->bytes);
  osdear__buf_clear(&stream->text);
}

void osdear_engine_stream_free(osdear_engine_stream *stream)
{
  if (!stream)
    return;
  osdear__http_reader_free(stream->reader);
  osdear__http_tunnel_free(stream->tunnel);
  osdear__stream_log_free(stream->log);
  osdear__buf_drop(&stream->bytes);
  osdear__buf_drop(&stream->text);
  osdear__free(stream->exec_id);
  osdear__free(stream->path);
  osdear_engine_unref(stream->engine);
  osdear__free(stream);
}

void osdear__engine_stream_auto(osdear_engine_stream **stream)
{
  osdear_engine_stream_free(*stream);
}

/* ---- pieces ---- */

/* A tunnel's wait that was in vain is no failure. */
static osdear_status forgive_silence(osdear_engine_stream *stream, osdear_status st, bool *is_silent, osdear_error **error)
{
  *is_silent = st == OSDEAR_ERR_TIMEOUT && osdear__context_check(stream->engine->context, NULL) == OSDEAR_OK;
  if (!*is_silent)
    return st;
  osdear__error_forget(error);
  return OSDEAR_OK;
}

static osdear_status read_more(osdear_engine_stream *stream, int64_t wait_ms, bool *is_silent, osdear_error **error)
{
  size_t got = 0;
  char *room;
  osdear_status st = OSDEAR_OK;

  osdear__buf_clear(&stream->bytes);
  stream->at = 0;
  room = osdear__buf_reserve(&stream->bytes, PIECE_BYTES);
  if (!room)
    return osdear__fail_memory(error);
  if (stream->reader) {
    st = osdear__engine_read(stream->engine, stream->reader, room, PIECE_BYTES, wait_ms, &got, is_silent, error);
  } else if (stream->tunnel) {
    st = osdear__http_tunnel_read(stream->tunnel, room, PIECE_BYTES, wait_ms, &got, error);
    st = forgive_silence(stream, st, is_silent, error);
  }
  stream->bytes.size = st || *is_silent ? 0 : got;
  stream->has_ended = !st && !*is_silent && got == 0;
  return st;
}

/* Counts brackets: texts follow each other with or without white space between them, or a mark of their beginnings. True when one is whole,
 * or something comes that is none. */
static bool collect_text(osdear_engine_stream *stream, bool *is_none)
{
  while (stream->at < stream->bytes.size) {
    char c = stream->bytes.data[stream->at++];

    if (stream->depth == 0 && c != '{') {
      *is_none = !strchr(" \t\r\n\x1e", c) || !c;
      if (*is_none)
        return true;
      continue;
    }
    osdear__buf_putc(&stream->text, c);
    if (stream->in_string) {
      if (stream->is_escaped)
        stream->is_escaped = false;
      else if (c == '\\')
        stream->is_escaped = true;
      else if (c == '"')
        stream->in_string = false;
    } else if (c == '"') {
      stream->in_string = true;
    } else if (c == '{' || c == '[') {
      stream->depth++;
    } else if (c == '}' || c == ']') {
      stream->depth--;
      if (stream->depth == 0)
        return true;
    }
  }
  return false;
}

static osdear_status take_text(osdear_engine_stream *stream, osdear__str *piece, osdear_error **error)
{
  bool is_none = false;

  *piece = (osdear__str){ "", 0 };
  if (stream->depth == 0)
    osdear__buf_clear(&stream->text);
  if (stream->text.size > MOST_TEXT_BYTES)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "the engine sends a JSON text of more than 16 MiB");
  if (collect_text(stream, &is_none))
    *piece = (osdear__str){ stream->text.data, stream->text.size };
  if (is_none)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "engine %s: what comes is no JSON: is something else there?",
                        stream->engine->address);
  return osdear__buf_check(&stream->text, error);
}

static osdear_status take_output(osdear_engine_stream *stream, osdear__str *piece, osdear_error **error)
{
  osdear__str rest = { stream->bytes.data + stream->at, stream->bytes.size - stream->at };
  osdear_status st = osdear__demux_next(&stream->demux, &rest, piece, error);

  stream->at = stream->bytes.size - rest.size;
  return st;
}

osdear_status osdear__stream_piece(osdear_engine_stream *stream, int64_t wait_ms, osdear_channel *channel, osdear__str *piece,
                                   bool *is_silent, osdear_error **error)
{
  int64_t until = INT64_MAX; /* what comes and holds nothing, without end, is silence as well */

  *is_silent = false;
  for (;;) {
    osdear_status st = OSDEAR_OK;

    *piece = (osdear__str){ NULL, 0 };
    if (stream->at < stream->bytes.size) {
      st = stream->is_json ? take_text(stream, piece, error) : take_output(stream, piece, error);
      *channel = stream->is_json ? OSDEAR_CHANNEL_MESSAGE : stream->demux.channel;
    } else if (!stream->has_ended) {
      st = read_more(stream, wait_ms, is_silent, error);
    } else if (stream->demux.left || stream->demux.header_size || stream->depth) {
      st = osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "engine %s: the stream was cut", stream->engine->address);
    } else {
      return OSDEAR_OK;
    }
    if (st || *is_silent || piece->size)
      return st;
    if (until == INT64_MAX && wait_ms >= 0)
      until = osdear__monotonic_us() + wait_ms * 1000;
    *is_silent = stream->at == stream->bytes.size && !stream->has_ended && osdear__monotonic_us() > until;
    if (*is_silent)
      return OSDEAR_OK;
  }
}

/* So much more silence. From time to time the engine is asked whether it still lives. */
static osdear_status bear_silence(osdear_engine_stream *stream, int64_t silence_ms, osdear_error **error)
{
  stream->quiet_ms += silence_ms;
  if (stream->quiet_ms < OSDEAR__SILENCE_MS)
    return OSDEAR_OK;
  stream->quiet_ms = 0;
  return osdear__engine_check(stream->engine, error);
}

/* ---- engines that go away and come back ---- */

osdear_status osdear__patience_wait(osdear__patience *patience, osdear_engine *engine, osdear_error **error)
{
  const int64_t longest = 2000000;

  if (patience->wait_us == 0) {
    patience->wait_us = 50000;
    patience->until_us = osdear__monotonic_us() + PATIENCE_US;
  }
  if (osdear__monotonic_us() > patience->until_us)
    return osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "engine %s went away and did not come back in two minutes",
                        engine->address);
  patience->wait_us = patience->wait_us * 3 / 2 < longest ? patience->wait_us * 3 / 2 : longest;
  return osdear__sleep(engine->context, patience->wait_us, error);
}

/* Events: asked for again from the last one on, until the engine answers. */
static osdear_status reopen(osdear_engine_stream *stream, osdear_error **error)
{
  osdear__patience patience = { 0 };
  osdear_status st = OSDEAR_ERR_UNAVAILABLE;

  osdear__stream_disconnect(stream);
  if (stream->pause_us) {
    st = osdear__sleep(stream->engine->context, stream->pause_us, error);
    if (!st)
      st = stream->reopen(stream, error);
  }
  while (st == OSDEAR_ERR_UNAVAILABLE) {
    osdear__error_forget(error);
    st = osdear__patience_wait(&patience, stream->engine, error);
    if (st)
      return st;
    st = stream->reopen(stream, error);
  }
  return st;
}

/* What came: a piece, or the end. True when there is more to be looked for. */
static bool is_passed_over(osdear_engine_stream *stream, osdear__str piece)
{
  return piece.data && stream->accept && !stream->accept(stream, piece);
}

osdear_status osdear__stream_poll(osdear_engine_stream *stream, int64_t wait_ms, osdear_chunk *chunk, bool *is_silent,
                                  osdear_error **error)
{
  if (stream->log)
    return osdear__stream_log_next(stream, wait_ms, chunk, is_silent, error);
  for (;;) {
    int64_t slice_ms = wait_ms >= 0 && wait_ms < OSDEAR__SILENCE_MS ? wait_ms : OSDEAR__SILENCE_MS;
    osdear__str piece;
    osdear_status st = osdear__stream_piece(stream, slice_ms, &chunk->channel, &piece, is_silent, error);

    if (!st && *is_silent) {
      st = bear_silence(stream, slice_ms, error);
      wait_ms -= wait_ms >= 0 ? slice_ms : 0;
      if (st || wait_ms == 0)
        return st;
      continue;
    }
    stream->quiet_ms = 0;
    if (stream->reopen && ((!st && !piece.data) || st == OSDEAR_ERR_UNAVAILABLE)) {
      st = reopen(stream, error);
      if (st)
        return st;
      continue;
    }
    if (!st && is_passed_over(stream, piece))
      continue;
    chunk->data = st ? NULL : piece.data;
    chunk->data_size = st ? 0 : piece.size;
    return st;
  }
}

/* ---- the public side ---- */

osdear_status osdear_engine_stream_next(osdear_engine_stream *stream, osdear_chunk *chunk, osdear_error **error)
{
  osdear_chunk known = OSDEAR_CHUNK_INIT;
  bool is_silent;
  osdear_status st;

  if (!stream || !chunk)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stream and chunk must not be NULL");
  st = osdear__stream_poll(stream, -1, &known, &is_silent, error);
  return st ? st : osdear__result_write(chunk, &known, sizeof known, error);
}

static osdear_status check_input(const osdear_engine_stream *stream, osdear_error **error)
{
  if (!stream)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stream must not be NULL");
  if (!stream->tunnel)
    return osdear__fail(error, OSDEAR_ERR_STATE, "this stream has no standard input: it takes open_stdin when it is opened");
  return OSDEAR_OK;
}

/* Whoever reads at the other end may take his time; an engine that hangs may not. */
osdear_status osdear_engine_stream_write(osdear_engine_stream *stream, const void *data, size_t size, osdear_error **error)
{
  const char *at = data;
  osdear_status st = check_input(stream, error);

  if (!st && size && !data)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "data must not be NULL");
  while (!st && size) {
    bool is_silent;
    size_t put = 0;

    st = osdear__http_tunnel_write_some(stream->tunnel, at, size, OSDEAR__SILENCE_MS, &put, error);
    st = forgive_silence(stream, st, &is_silent, error);
    if (!st && is_silent)
      st = osdear__engine_check(stream->engine, error);
    at += put;
    size -= put;
  }
  return st;
}

osdear_status osdear_engine_stream_close_input(osdear_engine_stream *stream, osdear_error **error)
{
  osdear_status st = check_input(stream, error);

  return st ? st : osdear__http_tunnel_finish(stream->tunnel, error);
}

osdear_status osdear_engine_stream_exit_code(osdear_engine_stream *stream, int32_t *exit_code, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { 0 };
  const osdear__json *answer = NULL;
  osdear_status st;

  if (!stream || !exit_code)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stream and exit_code must not be NULL");
  if (!stream->exec_id)
    return osdear__fail(error, OSDEAR_ERR_STATE, "only the stream of osdear_container_exec() has an exit code");
  osdear__buf_printf(&path, "/exec/%s/json", stream->exec_id);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  /* The stream may end a moment before the engine has seen the process end. */
  for (int attempt = 0; !st && attempt < 100; attempt++) {
    st = osdear__engine_ask(stream->engine, &request, &arena, &answer, error);
    if (!st && !osdear__json_flag(answer, "Running", false)) {
      *exit_code = (int32_t)osdear__json_int(answer, "ExitCode", -1);
      return OSDEAR_OK;
    }
    if (!st)
      st = osdear__sleep(stream->engine->context, 20000, error);
  }
  return st ? st : osdear__fail(error, OSDEAR_ERR_STATE, "the command still runs: read its stream to the end first");
}
