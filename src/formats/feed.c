/* One file from front to back: descriptor, then decompressor, then transcoder, each with a small buffer of its own. */
#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_BYTES ((size_t)256 << 10)
#define PLAIN_BYTES ((size_t)64 << 10)

struct osdear__feed {
  osdear__feed_options options;
  char *name;
  int descriptor;
  bool is_pipe;
  bool is_standard_input;
  int64_t origin; /* where the file began when it was handed to us: standard input may be half read */
  /* Bytes as the file has them. */
  char *raw;
  size_t raw_at, raw_end;
  bool raw_ended;
  /* Decompressed. `plain` serves only the transcoder and the first look. */
  osdear__codec codec;
  osdear__inflater *inflater;
  bool plain_ended;
  char *plain;
  size_t plain_at, plain_end;
  int64_t plain_done; /* bytes of text before plain_at, for messages */
  osdear__encoding encoding;
  /* What a pipe gave, for the next rewind. */
  osdear__buf kept;
  size_t kept_at;
  bool is_keeping;
};

/* ---- the descriptor ---- */

static osdear_status read_descriptor(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  ssize_t count;

  if (osdear__fault_hit(FAULT_READ))
    return osdear__fail_errno(error, EIO, "reading %s", feed->name);
  if (osdear__fault_hit(FAULT_SHORT) && size > 1)
    size /= 2;
  do {
    count = read(feed->descriptor, out, size);
  } while (count < 0 && errno == EINTR);
  if (count < 0)
    return osdear__fail_errno(error, errno, "reading %s", feed->name);
  *got = (size_t)count;
  if (feed->options.meter) {
    osdear__meter *meter = feed->options.meter;
    meter->done += count;
    osdear__context_progress(meter->context, "reading", meter->done, meter->total);
  }
  return OSDEAR_OK;
}

static osdear_status fill_raw(osdear__feed *feed, osdear_error **error)
{
  size_t got = 0;
  osdear_status st;

  memmove(feed->raw, feed->raw + feed->raw_at, feed->raw_end - feed->raw_at);
  feed->raw_end -= feed->raw_at;
  feed->raw_at = 0;
  if (feed->raw_ended || feed->raw_end == RAW_BYTES)
    return OSDEAR_OK;
  st = read_descriptor(feed, feed->raw + feed->raw_end, RAW_BYTES - feed->raw_end, &got, error);
  if (st)
    return st;
  feed->raw_end += got;
  feed->raw_ended = got == 0;
  return OSDEAR_OK;
}

/* ---- decompressed bytes ---- */

/* Some bytes of an uncompressed file: what was looked at first, then straight from the descriptor. */
static osdear_status read_raw(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  size_t there = feed->raw_end - feed->raw_at;
  osdear_status st = OSDEAR_OK;

  *got = 0;
  if (there) {
    *got = there < size ? there : size;
    memcpy(out, feed->raw + feed->raw_at, *got);
    feed->raw_at += *got;
    return OSDEAR_OK;
  }
  if (!feed->raw_ended)
    st = read_descriptor(feed, out, size, got, error);
  if (!st && *got == 0)
    feed->raw_ended = feed->plain_ended = true;
  return st;
}

static osdear_status read_inflated(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  size_t used = 0;
  osdear_status st;

  *got = 0;
  while (*got == 0 && !feed->plain_ended) {
    st = feed->raw_at == feed->raw_end ? fill_raw(feed, error) : OSDEAR_OK;
    if (!st)
      st = osdear__inflate(feed->inflater, feed->raw + feed->raw_at, feed->raw_end - feed->raw_at, &used, out, size, got,
                           feed->raw_ended, &feed->plain_ended, error);
    if (st)
      return osdear__fail_within(error, st, "%s", feed->name);
    feed->raw_at += used;
    if (used == 0 && *got == 0 && !feed->plain_ended) {
      /* The decompressor wants more than there is: give it more, or find that there is none. */
      if (feed->raw_ended)
        return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: the compressed data is cut short", feed->name);
      st = fill_raw(feed, error);
      if (st)
        return st;
    }
  }
  return OSDEAR_OK;
}

static osdear_status read_plain(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  return feed->codec == CODEC_NONE ? read_raw(feed, out, size, got, error) : read_inflated(feed, out, size, got, error);
}

static osdear_status fill_plain(osdear__feed *feed, osdear_error **error)
{
  size_t got = 0;
  osdear_status st;

  feed->plain_done += (int64_t)feed->plain_at;
  memmove(feed->plain, feed->plain + feed->plain_at, feed->plain_end - feed->plain_at);
  feed->plain_end -= feed->plain_at;
  feed->plain_at = 0;
  if (feed->plain_ended || feed->plain_end == PLAIN_BYTES)
    return OSDEAR_OK;
  st = read_plain(feed, feed->plain + feed->plain_end, PLAIN_BYTES - feed->plain_end, &got, error);
  feed->plain_end += got;
  return st;
}

/* ---- text ---- */

static osdear_status read_transcoded(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  size_t used = 0;
  osdear_status st;

  *got = 0;
  while (*got == 0) {
    bool is_last = feed->plain_ended;
    if (!osdear__transcode(feed->encoding, (const uint8_t *)feed->plain + feed->plain_at, feed->plain_end - feed->plain_at,
                           is_last, &used, out, size, got))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: not %s at byte %" PRId64 "; give the encoding it has", feed->name,
                          osdear__encoding_name(feed->encoding), feed->plain_done + (int64_t)(feed->plain_at + used));
    feed->plain_at += used;
    if (*got || (is_last && feed->plain_at == feed->plain_end))
      return OSDEAR_OK;
    st = fill_plain(feed, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status read_text(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  size_t there = feed->plain_end - feed->plain_at;

  if (feed->encoding != ENCODING_UTF8)
    return read_transcoded(feed, out, size, got, error);
  if (!there)
    return read_plain(feed, out, size, got, error);
  *got = there < size ? there : size;
  memcpy(out, feed->plain + feed->plain_at, *got);
  feed->plain_at += *got;
  return OSDEAR_OK;
}

/* What a pipe gave before, after it was rewound. */
static size_t read_kept(osdear__feed *feed, char *out, size_t size)
{
  size_t there = feed->kept.size - feed->kept_at;

  there = there < size ? there : size;
  if (!there)
    return 0;
  memcpy(out, feed->kept.data + feed->kept_at, there);
  feed->kept_at += there;
  if (!feed->is_keeping && feed->kept_at == feed->kept.size) {
    osdear__buf_drop(&feed->kept);
    feed->kept_at = 0;
  }
  return there;
}

osdear_status osdear__feed_read(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error)
{
  size_t total = read_kept(feed, out, size), some = 1;

  while (some && total < size) {
    osdear_status st;
    if (feed->encoding != ENCODING_UTF8 && size - total < 4 && total)
      break; /* a transcoder needs room for a whole character */
    st = read_text(feed, out + total, size - total, &some, error);
    if (st)
      return st;
    if (feed->is_keeping) {
      osdear__buf_append(&feed->kept, out + total, some);
      feed->kept_at += some;
    }
    total += some;
  }
  *got = total;
  return feed->is_keeping ? osdear__buf_check(&feed->kept, error) : OSDEAR_OK;
}

/* ---- opening ---- */

static osdear__codec codec_of(const char *bytes, size_t size)
{
  const uint8_t *at = (const uint8_t *)bytes;

  if (size >= 3 && at[0] == 0x1f && at[1] == 0x8b && at[2] == 8)
    return CODEC_GZIP;
  if (size >= 4 && at[0] == 0x28 && at[1] == 0xb5 && at[2] == 0x2f && at[3] == 0xfd)
    return CODEC_ZSTD;
  return CODEC_NONE;
}

/* A mark wins over the default and is dropped; over an encoding that was asked for it is dropped where it agrees. */
static void look_for_mark(osdear__feed *feed)
{
  const uint8_t *at = (const uint8_t *)feed->plain;
  osdear__encoding wanted = feed->options.encoding, found = ENCODING_BY_MARK;

  if (feed->plain_end >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf)
    found = ENCODING_UTF8;
  else if (feed->plain_end >= 2 && at[0] == 0xff && at[1] == 0xfe)
    found = ENCODING_UTF16LE;
  else if (feed->plain_end >= 2 && at[0] == 0xfe && at[1] == 0xff)
    found = ENCODING_UTF16BE;
  feed->encoding = wanted != ENCODING_BY_MARK ? wanted : found != ENCODING_BY_MARK ? found : ENCODING_UTF8;
  if (found == feed->encoding)
    feed->plain_at = found == ENCODING_UTF8 ? 3 : 2;
}

/* Reads until the first bytes tell compression and encoding. */
static osdear_status begin(osdear__feed *feed, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  while (!st && !feed->raw_ended && feed->raw_end < 4)
    st = fill_raw(feed, error);
  if (st)
    return st;
  feed->codec = feed->options.find_codec ? codec_of(feed->raw, feed->raw_end) : feed->options.codec;
  if (feed->codec != CODEC_NONE)
    st = osdear__inflater_new(feed->codec, &feed->inflater, error);
  while (!st && !feed->plain_ended && feed->plain_end < 4)
    st = fill_plain(feed, error);
  if (st)
    return st;
  look_for_mark(feed);
  return OSDEAR_OK;
}

static osdear_status open_descriptor(osdear__feed *feed, const char *path, osdear_error **error)
{
  struct stat about;

  feed->descriptor = feed->is_standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (feed->descriptor < 0)
    return osdear__fail_errno(error, errno, "opening %s", feed->name);
  if (fstat(feed->descriptor, &about) != 0)
    return osdear__fail_errno(error, errno, "looking at %s", feed->name);
  if (S_ISDIR(about.st_mode))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s is a folder; name the files in it", feed->name);
  feed->is_pipe = !S_ISREG(about.st_mode);
  feed->origin = feed->is_pipe ? 0 : (int64_t)lseek(feed->descriptor, 0, SEEK_CUR);
  feed->is_keeping = feed->is_pipe;
  return OSDEAR_OK;
}

osdear_status osdear__feed_open(const char *path, const osdear__feed_options *options, osdear__feed **out, osdear_error **error)
{
  AUTO(feed) feed = osdear__alloc_zeroed(1, sizeof *feed);
  osdear_status st;

  if (!feed)
    return osdear__fail_memory(error);
  feed->options = *options;
  feed->descriptor = -1;
  feed->is_standard_input = strcmp(path, "-") == 0;
  feed->name = osdear__strdup(feed->is_standard_input ? "standard input" : path);
  feed->raw = osdear__alloc(RAW_BYTES);
  feed->plain = osdear__alloc(PLAIN_BYTES);
  if (!feed->name || !feed->raw || !feed->plain)
    return osdear__fail_memory(error);
  st = open_descriptor(feed, path, error);
  if (!st)
    st = begin(feed, error);
  if (st)
    return st;
  *out = feed;
  feed = NULL;
  return OSDEAR_OK;
}

void osdear__feed_auto(osdear__feed **feed_at)
{
  osdear__feed *feed = *feed_at;

  if (!feed)
    return;
  if (feed->descriptor >= 0 && !feed->is_standard_input)
    close(feed->descriptor);
  osdear__inflater_auto(&feed->inflater);
  osdear__buf_drop(&feed->kept);
  osdear__free(feed->plain);
  osdear__free(feed->raw);
  osdear__free(feed->name);
  osdear__free(feed);
  *feed_at = NULL;
}

osdear_status osdear__feed_rewind(osdear__feed *feed, bool keep, osdear_error **error)
{
  if (feed->is_pipe) {
    feed->is_keeping = keep;
    feed->kept_at = 0;
    return OSDEAR_OK;
  }
  if (lseek(feed->descriptor, (off_t)feed->origin, SEEK_SET) < 0)
    return osdear__fail_errno(error, errno, "going back to the start of %s", feed->name);
  osdear__inflater_auto(&feed->inflater);
  feed->raw_at = feed->raw_end = feed->plain_at = feed->plain_end = 0;
  feed->raw_ended = feed->plain_ended = false;
  feed->plain_done = 0;
  return begin(feed, error);
}

const char *osdear__feed_name(const osdear__feed *feed)
{
  return feed->name;
}

bool osdear__feed_is_held(const osdear__feed *feed)
{
  return feed->is_pipe || feed->is_standard_input;
}

bool osdear__feed_is_pipe(const osdear__feed *feed)
{
  return feed->is_pipe;
}

int64_t osdear__feed_kept_bytes(const osdear__feed *feed)
{
  return (int64_t)feed->kept.size;
}

osdear__codec osdear__feed_codec(const osdear__feed *feed)
{
  return feed->codec;
}

osdear__encoding osdear__feed_encoding(const osdear__feed *feed)
{
  return feed->encoding;
}
