/** @file feed.h The bytes of one file as UTF-8 text: opened, decompressed, transcoded, from front to back. */
#ifndef OSDEAR_SRC_FORMATS_FEED_H
#define OSDEAR_SRC_FORMATS_FEED_H

#include <codec/codec.h>

typedef enum osdear__encoding {
  ENCODING_BY_MARK,
  ENCODING_UTF8,
  ENCODING_LATIN1,
  ENCODING_WINDOWS_1252,
  ENCODING_UTF16LE,
  ENCODING_UTF16BE
} osdear__encoding;
const char *osdear__encoding_name(osdear__encoding encoding);
MUST_USE bool osdear__encoding_of_name(const char *name, osdear__encoding *out);

/* How far reading is, over all files of a source. */
typedef struct osdear__meter {
  osdear_context *context;
  int64_t done;
  int64_t total; /* -1: unknown, a pipe is among them */
} osdear__meter;

typedef struct osdear__feed_options {
  bool find_codec;           /* by the first bytes; else `codec` */
  osdear__codec codec;       /* NONE, GZIP or ZSTD */
  osdear__encoding encoding; /* BY_MARK: by byte order mark, else UTF-8 */
  osdear__meter *meter;      /* outlives the feed */
} osdear__feed_options;

/* Confined. */
typedef struct osdear__feed osdear__feed;
/* `path` "-" is standard input, which is not closed. */
MUST_USE osdear_status osdear__feed_open(const char *path, const osdear__feed_options *options, osdear__feed **out,
                                         osdear_error **error);
void osdear__feed_auto(osdear__feed **feed);
/* Fills `out` (of 4 bytes at least) as far as whole characters fit; `*got` 0 means the end. */
MUST_USE osdear_status osdear__feed_read(osdear__feed *feed, char *out, size_t size, size_t *got, osdear_error **error);
/* Back to the front. What a pipe gives is kept for that, until a rewind without `keep`. */
MUST_USE osdear_status osdear__feed_rewind(osdear__feed *feed, bool keep, osdear_error **error);
const char *osdear__feed_name(const osdear__feed *feed);
bool osdear__feed_is_pipe(const osdear__feed *feed);
bool osdear__feed_is_held(const osdear__feed *feed);       /* cannot be opened twice: a pipe, or standard input */
int64_t osdear__feed_kept_bytes(const osdear__feed *feed); /* of a pipe, for the rewind */
osdear__codec osdear__feed_codec(const osdear__feed *feed);
osdear__encoding osdear__feed_encoding(const osdear__feed *feed);

/* Transcoders. `*in_used` and `*out_used` say how far it got; a sequence that `in` cuts off is left unless `is_last`. `out` has room for
 * at least 4 bytes. False: not of that encoding at in + *in_used. */
MUST_USE bool osdear__transcode(osdear__encoding from, const uint8_t *in, size_t in_size, bool is_last, size_t *in_used,
                                char *out, size_t out_size, size_t *out_used);

/* An `osdear__input` over a regular file, for readers that jump about. */
MUST_USE osdear_status osdear__file_input(const char *path, osdear__input **out, osdear_error **error);

#endif
