/* Logs, message by message, each with its time. A log that is followed is asked for again where it was cut.
 *
 * An engine stamps messages before it writes them, from two threads: their order in the log is not quite that of their times. So a log is
 * taken up a little before the newest time seen, and what was handed out already is known by time, channel and content.
 *
 * Podman 4 loses lines of a log that it follows, and a Portainer passes on what it follows once it has some kilobytes of it. Both give all of
 * a log that is read to its end, in an order that never changes: there it is read again and again, and what was handed out already is
 * known by how much there was of each of the newest seconds. So is a log of one channel that is not followed, but read on. */
#include <container/container.h>

#include <stdlib.h>

#define SEEN_COUNT 16384 /* messages remembered; a power of two */
#define OVERLAP_NS INT64_C(1000000000)
#define STAMP_LEAST 20 /* 2024-01-02T03:04:05Z */
#define STAMP_MOST 40
#define MOST_MESSAGE_BYTES ((size_t)64 << 20)
#define PARTIAL_BYTES 16384 /* an engine cuts longer lines of a terminal there */
#define NS_PER_S INT64_C(1000000000)
#define MOST_TIME_US (INT64_MAX / 2000)
#define LEAST_PAUSE_MS 200  /* between readings; long ones cost the engine much, so the pause grows with them */
#define QUIET_PAUSE_MS 1000 /* when nothing new comes, it grows up to here */
#define MOST_PAUSE_MS 5000
#define RECENT_S 4 /* seconds whose messages are counted */
#define AGAIN_S 2  /* how far back a further reading goes: an engine writes no message later than that */

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
  int64_t forgotten_ns; /* the newest time that the ring has lost; 0: it holds all */
  int64_t from_ns;      /* where the log was taken up again: what is older was handed out */
  int64_t resumed_ns;   /* up to then messages may be repeats; 0: never taken up again */
  osdear__patience patience;
  bool is_rest;     /* the container had ended before this was asked for */
  bool is_begun;    /* `message` holds a part, and the rest of it was waited for in vain */
  bool polls;       /* read again and again; the fields below are for that */
  bool is_last;     /* the container had ended before this reading began */
  bool is_silenced; /* no old line is wanted: the newest one is read to know where it ends, and not handed out */
  int64_t began_us; /* this reading */
  int64_t pause_ms; /* before the next one */
  int64_t until_us;
  int64_t floor_ns;       /* with `tail`: nothing before it is wanted */
  int64_t newest_s;       /* the newest second that anything handed out is of; 0: none was */
  int64_t told[RECENT_S]; /* how many messages of each second were handed out, by its remainder */
  int64_t from_s, left;   /* this reading: where it begins, and how many messages from there on were handed out before */
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
  /* A time that no log can have is none. */
  *time_ns = us < 0 || us > MOST_TIME_US ? 0 : us / 1000000 * NS_PER_S + (dot ? fraction : 0);
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
  seen_message *place = &log->seen[log->seen_count++ & (SEEN_COUNT - 1)];

  if (place->time_ns > log->forgotten_ns)
    log->forgotten_ns = place->time_ns;
  *place = (seen_message){ time_ns, hash, false };
  if (time_ns > log->newest_ns)
    log->newest_ns = time_ns;
}

/* From where a log is taken up: what the ring remembers covers all from there on. Times do not ascend in it: a message that it has lost may be
 * newer than one that it holds. A single repeat that it does not know would be remembered in the place of the next, and so on to the end. */
static int64_t resume_from(osdear__stream_log *log)
{
  size_t kept = log->seen_count < SEEN_COUNT ? log->seen_count : SEEN_COUNT;
  int64_t oldest = INT64_MAX, least;

  for (size_t i = 0; i < kept; i++) {
    log->seen[i].is_matched = false;
    oldest = log->seen[i].time_ns < oldest ? log->seen[i].time_ns : oldest;
  }
  least = log->forgotten_ns ? log->forgotten_ns + 1 : oldest;
  log->from_ns = least > log->newest_ns - OVERLAP_NS ? least : log->newest_ns - OVERLAP_NS;
  return log->from_ns;
}

/* In a log that is read again: beyond what earlier readings had? These had the first so many of it, whatever their times are. */
static bool is_news(osdear__stream_log *log, int64_t time_ns)
{
  int64_t second = time_ns / NS_PER_S;

  if (second < log->from_s)
    return false;
  if (log->left > 0) {
    log->left--;
    return false;
  }
  if (second - log->newest_s >= RECENT_S)
    memset(log->told, 0, sizeof log->told);
  for (int64_t s = log->newest_s + 1; second - log->newest_s < RECENT_S && s <= second; s++)
    log->told[s % RECENT_S] = 0;
  if (second > log->newest_s)
    log->newest_s = second;
  if (second > log->newest_s - RECENT_S)
    log->told[second % RECENT_S]++;
  if (log->tail[0] && !log->floor_ns)
    log->floor_ns = time_ns;
  log->pause_ms = LEAST_PAUSE_MS;
  return true;
}

/* A further reading goes back a little, and so has a known number of messages that are no news. */
static int64_t read_from(osdear__stream_log *log)
{
  int64_t least_ns = log->since_ns > log->floor_ns ? log->since_ns : log->floor_ns, since_ns;

  log->began_us = osdear__monotonic_us();
  log->left = 0;
  log->from_s = log->newest_s > AGAIN_S ? log->newest_s - AGAIN_S : 0;
  for (int64_t s = log->from_s; log->newest_s && s <= log->newest_s; s++)
    log->left += log->told[s % RECENT_S];
  since_ns = log->from_s * NS_PER_S - 1; /* some engines mean "after", others "from" */
  return since_ns > least_ns ? since_ns : least_ns;
}

/* ---- requests ---- */

static osdear_status open_log(osdear_engine_stream *stream, int64_t since_ns, osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  bool stays_open = log->follows && !log->polls;
  osdear__engine_request request = { .is_quiet = stays_open };
  osdear_status st;

  if (log->polls)
    since_ns = read_from(log);
  osdear__buf_printf(&path, "/containers/%s/logs?timestamps=1%s", log->container, log->query);
  /* "all" is the default, and where it is said, Podman loses what comes while it looks for the end. */
  if (log->tail[0] && !log->resumed_ns && !log->newest_s)
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

  *is_over = log->is_rest && !was_cut;
  if (*is_over)
    return OSDEAR_OK;
  if (!was_cut)
    st = look(stream, &is_live, error);
  osdear__stream_disconnect(stream);
  /* It has ended, so the log is whole. What was followed may not be: a busy Docker was seen to miss the last lines. */
  if (!st && !is_live) {
    log->is_rest = true;
    st = open_again(stream, error);
    if (!st)
      return OSDEAR_OK;
    *is_over = st == OSDEAR_ERR_NOT_FOUND;
    if (*is_over) {
      osdear__error_forget(error);
      return OSDEAR_OK;
    }
  }
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

static int64_t next_pause(osdear__stream_log *log, int64_t wait_ms)
{
  int64_t took_ms = (osdear__monotonic_us() - log->began_us) / 1000, pause_ms = log->pause_ms;

  log->pause_ms = log->pause_ms * 3 / 2 < QUIET_PAUSE_MS ? log->pause_ms * 3 / 2 : QUIET_PAUSE_MS;
  if (pause_ms < 2 * took_ms)
    pause_ms = 2 * took_ms < MOST_PAUSE_MS ? 2 * took_ms : MOST_PAUSE_MS;
  return wait_ms >= 0 && pause_ms > wait_ms ? wait_ms : pause_ms;
}

/* A reading came to its end. While the container lives there may be more: after a pause, of `wait_ms` at most, it is read again. */
static osdear_status read_again(osdear_engine_stream *stream, int64_t *wait_ms, bool *is_silent, bool *is_over,
                                osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  int64_t pause_ms = next_pause(log, *wait_ms);
  bool is_live = true;
  osdear_status st;

  *is_over = log->is_last;
  log->is_silenced = false;
  if (log->is_last)
    return OSDEAR_OK;
  st = look(stream, &is_live, error);
  if (st == OSDEAR_ERR_UNAVAILABLE)
    return take_up(stream, true, is_over, error);
  if (st)
    return st;
  if (is_live)
    st = osdear__sleep(stream->engine->context, pause_ms * 1000, error);
  if (st)
    return st;
  log->is_last = !is_live || (log->until_us && osdear__now_us() > log->until_us);
  osdear__stream_disconnect(stream);
  st = open_again(stream, error);
  if (st == OSDEAR_ERR_UNAVAILABLE) /* it went away during the pause */
    return take_up(stream, true, is_over, error);
  if (st == OSDEAR_ERR_NOT_FOUND) { /* removed in between: there is nothing more to come */
    osdear__error_forget(error);
    *is_over = true;
    return OSDEAR_OK;
  }
  if (!st && is_live && *wait_ms >= 0) {
    *wait_ms -= pause_ms;
    *is_silent = *wait_ms == 0;
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
  if (log->polls && stamp && (!is_news(log, time_ns) || log->is_silenced))
    return false;
  if (log->seen && stamp) {
    uint64_t hash = hash_message(log->channel, content);
    if (time_ns < log->from_ns)
      return false;
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
static osdear_status next_message(osdear_engine_stream *stream, int64_t wait_ms, bool *has_message, bool *is_silent,
                                  osdear_error **error)
{
  osdear__stream_log *log = stream->log;

  *has_message = false;
  for (;;) {
    osdear__str piece;
    bool is_whole;
    size_t taken;
    osdear_status st = osdear__stream_piece(stream, wait_ms, &log->channel, &piece, is_silent, error);

    if (st || *is_silent || !piece.data) {
      *has_message = !st && !*is_silent && log->message.size > 0;
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

  *is_over = false;
  if (!stream->log->follows)
    return osdear__engine_check(stream->engine, error);
  st = look(stream, &is_live, error);
  if (st == OSDEAR_ERR_UNAVAILABLE)
    return take_up(stream, true, is_over, error);
  if (st || is_live || stream->log->polls)
    return st;
  /* It has ended, and yet the stream goes on: what was written is in the log, so the end of that is the end. */
  osdear__stream_disconnect(stream);
  stream->log->follows = false;
  return open_again(stream, error);
}

/* So much more silence: from time to time the container is looked at. */
static osdear_status bear_silence(osdear_engine_stream *stream, int64_t silence_ms, bool *is_over, osdear_error **error)
{
  stream->quiet_ms += silence_ms;
  if (stream->quiet_ms < OSDEAR__SILENCE_MS)
    return OSDEAR_OK;
  stream->quiet_ms = 0;
  return check_silence(stream, is_over, error);
}

osdear_status osdear__stream_log_next(osdear_engine_stream *stream, int64_t wait_ms, osdear_chunk *chunk, bool *is_silent,
                                      osdear_error **error)
{
  osdear__stream_log *log = stream->log;
  bool has_message, is_over = false;

  if (!log->is_begun)
    osdear__buf_clear(&log->message);
  log->is_begun = false;
  *chunk = (osdear_chunk)OSDEAR_CHUNK_INIT;
  for (;;) {
    int64_t slice_ms = wait_ms >= 0 && wait_ms < OSDEAR__SILENCE_MS ? wait_ms : OSDEAR__SILENCE_MS;
    osdear_status st = next_message(stream, slice_ms, &has_message, is_silent, error);

    if (!st && *is_silent) {
      st = bear_silence(stream, slice_ms, &is_over, error);
      wait_ms -= wait_ms >= 0 ? slice_ms : 0;
      *is_silent = !st && !is_over && wait_ms == 0;
      log->is_begun = *is_silent;
    } else if (log->polls && log->follows && !st && !has_message) {
      st = read_again(stream, &wait_ms, is_silent, &is_over, error);
    } else if (log->follows && (st == OSDEAR_ERR_UNAVAILABLE || (!st && !has_message))) {
      st = take_up(stream, st != OSDEAR_OK, &is_over, error);
    } else if (st || !has_message) {
      return st;
    } else {
      stream->quiet_ms = 0;
      log->patience.wait_us = 0;
      if (finish_message(log, chunk))
        return OSDEAR_OK;
      osdear__buf_clear(&log->message);
    }
    if (st || is_over || *is_silent)
      return st;
  }
}

/* ---- opening ---- */

static bool is_read_again(const osdear_engine *engine, const osdear_logs_options *options, bool is_read_on)
{
  if (!options->follow)
    return is_read_on && options->tail < 0 && !options->since_us;
  return engine->portainer || (engine->is_podman && options->tail < 0);
}

static osdear_status make_log(osdear_container *container, const osdear_logs_options *options, bool is_read_on,
                              osdear__stream_log **out, osdear_error **error)
{
  osdear__stream_log *log = osdear__alloc_zeroed(1, sizeof *log);
  SCOPED(buf) query = { 0 };
  char tail[24] = "";

  if (!log)
    return osdear__fail_memory(error);
  *out = log;
  log->follows = options->follow != 0;
  log->polls = is_read_again(container->engine, options, is_read_on);
  if (options->tail >= 0)
    osdear__format_i64(options->tail ? options->tail : log->polls, tail);
  log->is_silenced = log->polls && options->tail == 0;
  log->pause_ms = LEAST_PAUSE_MS;
  log->until_us = options->until_us;
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
  made->demux.is_raw = osdear__json_flag(osdear__json_get(tree, "Config"), "Tty", false);
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
