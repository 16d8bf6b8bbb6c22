/* Logs, message by message, each with its time. A log that is followed is asked for again where it was cut.
 *
 * An engine stamps messages before it writes them, from two threads: their order in the log is not quite that of their times. So a log is
 * taken up a little before the newest time seen, and what was handed out already is known by time, channel and content.
 *
 * Podman 4 loses lines of a log that it follows, but keeps all of them in order: there a log is read to its end again and again, and
 * what was handed out already is known by how much there was of it. So is a log of one channel that is not followed, but read on. */
#include <container/container.h>

#include <stdlib.h>

#define SEEN_COUNT 16384 /* messages remembered; a power of two */
#define OVERLAP_NS INT64_C(1000000000)
#define STAMP_LEAST 20 /* 2024-01-02T03:04:05Z */
#define STAMP_MOST 40
#define MOST_MESSAGE_BYTES ((size_t)64 << 20)
#define PARTIAL_BYTES 16384 /* an engine cuts longer lines of a terminal there */
#define CHECK_MS 5000       /* a silent log is no dead engine: ask whether there is anything to wait for */
#define NS_PER_S INT64_C(1000000000)
#define LEAST_PAUSE_MS 200 /* between readings; long ones cost the engine much, so the pause grows with them */
#define MOST_PAUSE_MS 5000

typedef struct seen_message {
  int64_t time_ns;
  uint64_t hash; /* of channel and content */
  bool is_matched;
} seen_message;

struct osdear__stream_log {
  char *container;
  char *query; /* of the first request, without `since` */
  char *tail;
  bool follows;
  int64_t since_ns;    /* of the first request */
  osdear__buf message; /* being collected: stamp and content */
  osdear_channel channel;
  seen_message *seen; /* a ring; NULL: not followed */
  size_t seen_count;  /* ever */
  int64_t newest_ns;
  int64_t resumed_ns; /* up to then messages may be repeats; 0: never taken up again */
  osdear__patience patience;
  int64_t quiet_ms;
  bool polls;       /* read again and again; the fields below are for that */
  bool is_last;     /* the container had ended before this reading began */
  int64_t began_us; /* this reading */
  int64_t from;     /* the second that this reading begins with: what is older was handed out */
  int64_t second;   /* the newest that anything handed out is of */
  int64_t told;     /* how much of that second was handed out */
  int64_t left;     /* of it, what this reading has yet to pass over */
};

void osdear__stream_log_free(osdear__stream_log *log)
{
  if (!log)
    return;
  osdear__free(log->container);
  osdear__free(log->query);
  osdear__free(log->tail);
  osdear__free(log->seen);
  osdear__buf_drop(&log->message);
  osdear__free(log);
}

/* ---- stamps ---- */

/* "2024-01-02T03:04:05.123456789Z " at the front; its length with the blank, 0 when there is none. */
static size_t read_stamp(osdear__str text, int64_t *time_ns)
{
  const char *blank = memchr(text.data, ' ', text.size < STAMP_MOST ? text.size : STAMP_MOST);
  size_t size = blank ? (size_t)(blank - text.data) : 0;
  const char *dot;
  bool has_zone;
  int64_t us, fraction = 0;
  int digits = 0;

  if (size < STAMP_LEAST || text.data[10] != 'T' || !osdear__parse_timestamp((osdear__str){ text.data, size }, &us, &has_zone) ||
      !has_zone)
    return 0;
  dot = memchr(text.data, '.', size);
  for (const char *c = dot ? dot + 1 : NULL; c && *c >= '0' && *c <= '9' && digits < 9; c++, digits++)
    fraction = fraction * 10 + (*c - '0');
  for (; digits < 9; digits++)
    fraction *= 10;
  *time_ns = us / 1000000 * 1000000000 + (dot ? fraction : 0);
  return size + 1;
}

/* ---- what was handed out already ---- */

static uint64_t hash_message(osdear_channel channel, osdear__str content)
{
  return osdear__hash(content.data, content.size) * 31 + (uint64_t)channel;
}

static bool was_seen(osdear__stream_log *log, int64_t time_ns, uint64_t hash)
{
  size_t kept = log->seen_count < SEEN_COUNT ? log->seen_count : SEEN_COUNT;

  if (!log->resumed_ns || time_ns > log->resumed_ns)
    return false;
  for (size_t i = 0; i < kept; i++) {
    seen_message *message = &log->seen[i];
    if (message->time_ns == time_ns && message->hash == hash && !message->is_matched) {
      message->is_matched = true;
      return true;
    }
  }
  return false;
}

static void remember(osdear__stream_log *log, int64_t time_ns, uint64_t hash)
{
  log->seen[log->seen_count++ & (SEEN_COUNT - 1)] = (seen_message){ time_ns, hash, false };
  if (time_ns > log->newest_ns)
    log->newest_ns = time_ns;
}

/* From where a log is taken up: what the ring remembers covers all from there on. */
static int64_t resume_from(osdear__stream_log *log)
{
  size_t kept = log->seen_count < SEEN_COUNT ? log->seen_count : SEEN_COUNT;
  int64_t oldest = INT64_MAX;

  for (size_t i = 0; i < kept; i++) {
    log->seen[i].is_matched = false;
    oldest = log->seen[i].time_ns < oldest ? log->seen[i].time_ns : oldest;
  }
  if (log->seen_count <= SEEN_COUNT)
    return oldest > log->newest_ns - OVERLAP_NS ? oldest : log->newest_ns - OVERLAP_NS;
  return oldest + 1 > log->newest_ns - OVERLAP_NS ? oldest + 1 : log->newest_ns - OVERLAP_NS;
}

/* In a log that is read again: beyond what earlier readings had? */
static bool is_news(osdear__stream_log *log, int64_t time_ns)
{
  int64_t second = time_ns / NS_PER_S;

  if (second < log->from)
    return false;
  if (second < log->second) /* a clock was set back */
    return true;
  if (second > log->second) {
    log->second = second;
    log->told = log->left = 0;
  }
  if (log->left > 0) {
    log->left--;
    return false;
  }
  log->told++;
  return true;
}

/* ---- requests ---- */

static osdear_status open_log(osdear_engine_stream *stream, int64_t since_ns, osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  bool stays_open = log->follows && !log->polls;
  osdear__engine_request request = { .idle_timeout_ms = stays_open ? -1 : 0,
                                     .is_early = stays_open && stream->engine->is_podman };
  osdear_status st;

  if (log->polls) {
    since_ns = log->second > 0 ? (log->second - 1) * NS_PER_S : 0;
    log->left = log->told;
    log->from = log->second;
    log->began_us = osdear__monotonic_us();
  }
  osdear__buf_printf(&path, "/containers/%s/logs?timestamps=1%s", log->container, log->query);
  /* "all" is the default, and where it is said, Podman loses what comes while it looks for the end. */
  if (log->tail[0] && !log->resumed_ns)
    osdear__buf_printf(&path, "&tail=%s", log->tail);
  if (since_ns > 0)
    osdear__buf_printf(&path, "&since=%" PRId64 ".%09" PRId64, since_ns / 1000000000, since_ns % 1000000000);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  return st ? st : osdear__engine_pull(stream->engine, &request, &stream->reader, &response, error);
}

/* Where it was. */
static osdear_status open_again(osdear_engine_stream *stream, osdear_error **error)
{
  osdear__stream_log *log = stream->log;

  osdear__buf_clear(&log->message);
  if (log->newest_ns)
    log->resumed_ns = log->newest_ns;
  return open_log(stream, log->newest_ns ? resume_from(log) : log->since_ns, error);
}

static osdear_status look(osdear_engine_stream *stream, bool *is_live, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear_container container = { stream->engine, stream->log->container };
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  const osdear__json *tree;
  osdear_status st = osdear__container_inspect(&container, &arena, &tree, error);

  if (st == OSDEAR_ERR_NOT_FOUND) {
    *is_live = false;
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  if (st)
    return st;
  osdear__status_of(tree, &status);
  *is_live = status.state != OSDEAR_CONTAINER_EXITED && status.state != OSDEAR_CONTAINER_REMOVED &&
             status.state != OSDEAR_CONTAINER_CREATED;
  return OSDEAR_OK;
}

/* The stream ended or broke: is there more to come? */
static osdear_status take_up(osdear_engine_stream *stream, bool was_cut, bool *is_over, osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  osdear_status st = OSDEAR_ERR_UNAVAILABLE;
  bool is_live = true;

  *is_over = false;
  if (!was_cut) {
    st = look(stream, &is_live, error);
    if (!st && !is_live) {
      *is_over = true;
      return OSDEAR_OK;
    }
  }
  osdear__stream_disconnect(stream);
  for (;;) {
    if (st && st != OSDEAR_ERR_UNAVAILABLE)
      return st;
    osdear__error_forget(error);
    st = osdear__patience_wait(&log->patience, stream->engine, error);
    if (st)
      return st;
    st = open_again(stream, error);
    if (!st)
      return OSDEAR_OK;
    if (st == OSDEAR_ERR_NOT_FOUND) {
      osdear__error_forget(error);
      *is_over = true;
      return OSDEAR_OK;
    }
  }
}

/* A reading came to its end. While the container lives there may be more: after a pause, of `wait_ms` at most, it is read again. */
static osdear_status read_again(osdear_engine_stream *stream, int64_t *wait_ms, bool *is_over, osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  int64_t pause_ms = (osdear__monotonic_us() - log->began_us) / 1000 * 2;
  bool is_live = true;
  osdear_status st;

  *is_over = log->is_last;
  if (log->is_last)
    return OSDEAR_OK;
  st = look(stream, &is_live, error);
  if (st == OSDEAR_ERR_UNAVAILABLE)
    return take_up(stream, true, is_over, error);
  if (st)
    return st;
  pause_ms = pause_ms < LEAST_PAUSE_MS ? LEAST_PAUSE_MS : pause_ms > MOST_PAUSE_MS ? MOST_PAUSE_MS : pause_ms;
  if (*wait_ms >= 0 && pause_ms > *wait_ms)
    pause_ms = *wait_ms;
  if (is_live)
    st = osdear__sleep(stream->engine->context, pause_ms * 1000, error);
  if (st)
    return st;
  log->is_last = !is_live;
  osdear__stream_disconnect(stream);
  osdear__buf_clear(&log->message);
  st = open_log(stream, 0, error);
  if (st == OSDEAR_ERR_NOT_FOUND) { /* removed in between: there is nothing more to come */
    osdear__error_forget(error);
    *is_over = true;
    return OSDEAR_OK;
  }
  if (!st && is_live && *wait_ms >= 0) {
    *wait_ms -= pause_ms;
    if (*wait_ms == 0)
      st = osdear__fail(error, OSDEAR_ERR_TIMEOUT, "nothing was written");
  }
  return st;
}

/* ---- messages ---- */

/* Whether what was collected is whole: a frame, or a terminal's line. Takes of `piece` what belongs to it. */
static size_t collect(osdear_engine_stream *stream, osdear__str piece, bool *is_whole)
{
  osdear__stream_log *log = stream->log;
  const char *newline;
  size_t taken = piece.size;
  int64_t ignored;

  if (!stream->demux.is_raw) {
    osdear__buf_append(&log->message, piece.data, taken);
    *is_whole = stream->demux.left == 0;
    return taken;
  }
  newline = memchr(piece.data, '\n', piece.size);
  if (newline)
    taken = (size_t)(newline - piece.data) + 1;
  osdear__buf_append(&log->message, piece.data, taken);
  *is_whole = newline != NULL;
  if (!newline && log->message.size > PARTIAL_BYTES + STAMP_MOST) {
    size_t stamp = read_stamp((osdear__str){ log->message.data, log->message.size }, &ignored);
    size_t over = log->message.size - (stamp + PARTIAL_BYTES);
    if (over <= taken) {
      log->message.size -= over;
      taken -= over;
      *is_whole = true;
    }
  }
  return taken;
}

/* True when the message is to be handed out. */
static bool finish_message(osdear__stream_log *log, osdear_chunk *chunk)
{
  osdear__str content = { log->message.data, log->message.size };
  int64_t time_ns = 0;
  size_t stamp = read_stamp(content, &time_ns);

  content = (osdear__str){ content.data + stamp, content.size - stamp };
  if (log->polls && stamp && !is_news(log, time_ns))
    return false;
  if (log->seen && stamp) {
    uint64_t hash = hash_message(log->channel, content);
    if (was_seen(log, time_ns, hash))
      return false;
    remember(log, time_ns, hash);
  }
  chunk->channel = log->channel;
  chunk->data = content.data;
  chunk->data_size = content.size;
  chunk->time_us = time_ns / 1000;
  return content.size > 0;
}

/* The pieces of one read: unread what belongs to the next message. */
static osdear_status next_message(osdear_engine_stream *stream, int64_t wait_ms, bool *has_message, osdear_error **error)
{
  osdear__stream_log *log = stream->log;

  *has_message = false;
  for (;;) {
    osdear__str piece;
    bool is_whole;
    size_t taken;
    osdear_status st = osdear__stream_piece(stream, wait_ms, &log->channel, &piece, error);

    if (st || !piece.data) {
      *has_message = !st && log->message.size > 0;
      return st;
    }
    taken = collect(stream, piece, &is_whole);
    stream->at -= piece.size - taken;
    st = osdear__buf_check(&log->message, error);
    if (st)
      return st;
    if (log->message.size > MOST_MESSAGE_BYTES)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "a line of the log has more than 64 MiB");
    *has_message = is_whole;
    if (is_whole)
      return OSDEAR_OK;
  }
}

/* A log that is silent for long: is anybody there who could write? An engine that hangs answers not, and that is told. */
static osdear_status check_silence(osdear_engine_stream *stream, bool *is_over, osdear_error **error)
{
  bool is_live = true;
  osdear_status st;

  osdear__error_forget(error);
  st = look(stream, &is_live, error);
  *is_over = false;
  if (st == OSDEAR_ERR_UNAVAILABLE)
    return take_up(stream, true, is_over, error);
  if (st || is_live)
    return st;
  /* It has ended, and yet the stream goes on: what was written is in the log, so the end of that is the end. */
  osdear__stream_disconnect(stream);
  stream->log->follows = false;
  return open_again(stream, error);
}

static int64_t slice_of(const osdear__stream_log *log, int64_t wait_ms)
{
  return log->follows && (wait_ms < 0 || wait_ms > CHECK_MS) ? CHECK_MS : wait_ms;
}

osdear_status osdear__stream_log_next(osdear_engine_stream *stream, int64_t wait_ms, osdear_chunk *chunk, osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  bool has_message, is_over = false;

  osdear__buf_clear(&log->message);
  *chunk = (osdear_chunk)OSDEAR_CHUNK_INIT;
  for (;;) {
    int64_t slice = slice_of(log, wait_ms);
    osdear_status st = next_message(stream, slice, &has_message, error);

    if (st == OSDEAR_ERR_TIMEOUT && log->follows && osdear__context_check(stream->engine->context, NULL) == OSDEAR_OK) {
      log->quiet_ms += slice;
      if (log->quiet_ms < CHECK_MS || slice == 0)
        return st;
      log->quiet_ms = 0;
      st = check_silence(stream, &is_over, error);
      if (!st && wait_ms >= 0)
        wait_ms = wait_ms > slice ? wait_ms - slice : 0;
    } else if (log->polls && log->follows && !st && !has_message) {
      st = read_again(stream, &wait_ms, &is_over, error);
    } else if (log->follows && (st == OSDEAR_ERR_UNAVAILABLE || (!st && !has_message))) {
      st = take_up(stream, st != OSDEAR_OK, &is_over, error);
    } else if (st || !has_message) {
      return st;
    } else {
      log->quiet_ms = 0;
      log->patience.wait_us = 0;
      if (finish_message(log, chunk))
        return OSDEAR_OK;
      osdear__buf_clear(&log->message);
      continue;
    }
    if (st || is_over)
      return st;
  }
}

/* ---- opening ---- */

static osdear_status make_log(osdear_container *container, const osdear_logs_options *options, bool is_read_on,
                              osdear__stream_log **out, osdear_error **error)
{
  osdear__stream_log *log = osdear__alloc_zeroed(1, sizeof *log);
  SCOPED(buf) query = { 0 };
  char tail[24] = "";

  if (!log)
    return osdear__fail_memory(error);
  *out = log;
  if (options->tail >= 0)
    osdear__format_i64(options->tail, tail);
  log->follows = options->follow != 0;
  log->polls = (log->follows ? container->engine->is_podman : is_read_on) && options->tail < 0 && !options->since_us;
  osdear__buf_printf(&query, "&follow=%d&stdout=%d&stderr=%d", log->follows && !log->polls, !options->no_stdout,
                     !options->no_stderr);
  if (options->until_us)
    osdear__buf_printf(&query, "&until=%" PRId64 ".%06" PRId64, options->until_us / 1000000, options->until_us % 1000000);
  log->container = osdear__strdup(container->id);
  log->tail = osdear__strdup(tail);
  log->query = osdear__buf_take(&query);
  log->since_ns = options->since_us * 1000;
  log->message.limit = MOST_MESSAGE_BYTES + ((size_t)1 << 20);
  if (log->follows && !log->polls)
    log->seen = osdear__alloc_zeroed(SEEN_COUNT, sizeof *log->seen);
  if (!log->container || !log->tail || !log->query || (log->follows && !log->polls && !log->seen))
    return osdear__fail_memory(error);
  return OSDEAR_OK;
}

static osdear_status logs(osdear_container *container, const osdear_logs_options *options, bool is_read_on,
                          osdear_engine_stream **out, osdear_error **error)
{
  osdear_logs_options known = OSDEAR_LOGS_OPTIONS_INIT;
  AUTO(engine_stream) made = NULL;
  SCOPED(arena) arena = { 0 };
  const osdear__json *tree;
  osdear_status st;

  if (!container || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (!st && (known.tail < -1 || known.since_us < 0 || known.until_us < 0 || known.since_us > INT64_MAX / 1000 ||
              (known.no_stdout && known.no_stderr)))
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                      "logs: tail, since_us or until_us is negative, or neither stdout nor stderr is wanted");
  if (!st)
    st = osdear__container_inspect(container, &arena, &tree, error);
  if (!st)
    st = osdear__stream_new(container->engine, &made, error);
  if (!st)
    st = make_log(container, &known, is_read_on, &made->log, error);
  if (st)
    return st;
  made->demux.is_raw = osdear__json_is_true(osdear__json_get(tree, "Config"), "Tty");
  st = open_log(made, known.since_us * 1000, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

osdear_status osdear_container_logs(osdear_container *container, const osdear_logs_options *options, osdear_engine_stream **out,
                                    osdear_error **error)
{
  return logs(container, options, false, out, error);
}

osdear_status osdear__container_read_log(osdear_container *container, const osdear_logs_options *options,
                                         osdear_engine_stream **out, osdear_error **error)
{
  return logs(container, options, true, out, error);
}

osdear_status osdear__container_read_on(osdear_engine_stream *stream, osdear_error **error)
{
  osdear__stream_disconnect(stream);
  return open_again(stream, error);
}
