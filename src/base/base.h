/** @file base.h What every layer stands on: memory, text, errors, options, time, threads. Knows no protocol and no format. */
#ifndef OSDEAR_SRC_BASE_H
#define OSDEAR_SRC_BASE_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <osdear/base.h>
#include <osdear/cancel.h>
#include <osdear/context.h>
#include <osdear/error.h>

__extension__ typedef __int128 osdear__int128;
__extension__ typedef unsigned __int128 osdear__uint128;

#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define MUST_USE __attribute__((warn_unused_result))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* AUTO(log) x = NULL;   an owned `osdear__log *`, freed by osdear__log_auto(&x) when the block is left.
 * SCOPED(buf) x = {0};  an owned `osdear__buf` by value, emptied by osdear__buf_drop(&x). */
#define AUTO(name) __attribute__((cleanup(osdear__##name##_auto))) osdear__##name *
#define SCOPED(name) __attribute__((cleanup(osdear__##name##_drop))) osdear__##name

/* ---- memory (alloc.c): the only file that may name malloc ---- */

MUST_USE void *osdear__alloc(size_t size);                      /* never for size 0; NULL when there is none */
MUST_USE void *osdear__alloc_zeroed(size_t count, size_t size); /* count * size is checked */
MUST_USE void *osdear__realloc(void *block, size_t size);       /* on NULL, `block` is as it was */
MUST_USE void *osdear__realloc_array(void *block, size_t count, size_t size);
void osdear__free(void *block);
void osdear__wipe(void *data, size_t size); /* overwrites what was secret, in a way that the compiler may not leave out */
MUST_USE char *osdear__strdup(const char *text);
MUST_USE char *osdear__strndup(const char *text, size_t size);

/* Faults that tests inject; compiled in by the meson option `faults`. Each counter lets so many calls pass and then fails
 * every one, or just one when `once` is set; -1 is off. */
typedef enum osdear__fault_kind { FAULT_ALLOC, FAULT_READ, FAULT_WRITE, FAULT_SHORT, FAULT_KINDS } osdear__fault_kind;
#ifdef OSDEAR_FAULTS
void osdear__fault_arm(osdear__fault_kind kind, int64_t after, bool once);
void osdear__fault_disarm(void);
bool osdear__fault_hit(osdear__fault_kind kind); /* true: this call is to fail */
int64_t osdear__fault_count(void);               /* how many calls were failed since armed */
int64_t osdear__live(void);                      /* blocks allocated and not yet freed */
#else
#define osdear__fault_hit(kind) false
#endif

/* Blocks freed together. Zero-initialise; needs no opening. Confined. */
typedef struct osdear__arena_block osdear__arena_block;
typedef struct osdear__arena {
  osdear__arena_block *blocks;
  char *next;
  char *end;
  size_t total_bytes;
} osdear__arena;
MUST_USE void *osdear__arena_alloc(osdear__arena *arena, size_t size); /* aligned for any type, not zeroed */
MUST_USE void *osdear__arena_zeroed(osdear__arena *arena, size_t count, size_t size);
MUST_USE char *osdear__arena_strndup(osdear__arena *arena, const char *text, size_t size); /* adds the NUL */
MUST_USE char *osdear__arena_strdup(osdear__arena *arena, const char *text);
MUST_USE char *osdear__arena_printf(osdear__arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
void osdear__arena_drop(osdear__arena *arena);  /* frees all; the arena is empty again */
void osdear__arena_reset(osdear__arena *arena); /* empties it but keeps one block for the next use */

/* Bytes that grow, up to a ceiling. Failure is sticky: append freely, ask once with osdear__buf_check(). Zero-initialise. */
typedef struct osdear__buf {
  char *data; /* NUL-terminated once anything was appended */
  size_t size;
  size_t capacity;
  size_t limit; /* 0: OSDEAR__BUF_LIMIT */
  osdear_status failed;
} osdear__buf;
#define OSDEAR__BUF_LIMIT ((size_t)1 << 31)
void osdear__buf_append(osdear__buf *buf, const void *data, size_t size);
void osdear__buf_puts(osdear__buf *buf, const char *text);
void osdear__buf_putc(osdear__buf *buf, char c);
void osdear__buf_printf(osdear__buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
MUST_USE char *osdear__buf_reserve(osdear__buf *buf, size_t more); /* room for `more` bytes at data + size; NULL on failure */
void osdear__buf_clear(osdear__buf *buf);                          /* size 0, memory kept, failure forgotten */
void osdear__buf_drop(osdear__buf *buf);
MUST_USE char *osdear__buf_take(osdear__buf *buf); /* the bytes, now the caller's (osdear__free); NULL after a failure */
MUST_USE osdear_status osdear__buf_check(const osdear__buf *buf, osdear_error **error);

/* Bytes by reference. */
typedef struct osdear__str {
  const char *data;
  size_t size;
} osdear__str;
/* clang-format off */
#define STR(literal) ((osdear__str){ (literal), sizeof(literal) - 1 })
/* clang-format on */
osdear__str osdear__str_of(const char *text); /* NULL: empty */
bool osdear__str_equal(osdear__str a, osdear__str b);
bool osdear__str_is(osdear__str a, const char *text);
bool osdear__str_equal_nocase(osdear__str a, osdear__str b); /* ASCII folding; other bytes must be equal */
int osdear__str_compare(osdear__str a, osdear__str b);       /* bytewise, as UTF-8 orders by code point */
bool osdear__starts_with(const char *text, const char *prefix);
bool osdear__ends_with(const char *text, const char *suffix);
bool osdear__is_ascii(const char *data, size_t size);
bool osdear__utf8_is_valid(const char *data, size_t size);
/* Each of the rows that `offsets` (rows + 1, ascending) cut `data` into is valid by itself. */
bool osdear__utf8_rows_are_valid(const char *data, const int32_t *offsets, int64_t rows);
/* A stranger's words go to terminals: control characters but for line ends and tabs, and what is no UTF-8, become `?`. */
void osdear__make_showable(char *text);
osdear__str osdear__strip(osdear__str text);          /* without the blanks and control characters at its ends */
int64_t osdear__utf8_length(osdear__str text);        /* how many characters it has */
uint64_t osdear__hash(const void *data, size_t size); /* well mixed, seeded per process against chosen collisions */

/* From byte strings to pointers. Keys are kept by reference: they must outlive the map. Zero-initialise. */
typedef struct osdear__map_entry {
  osdear__str key;
  uint64_t hash;
  void *value;
} osdear__map_entry;
typedef struct osdear__map {
  osdear__map_entry *entries; /* open addressing; a NULL key.data is a free place */
  size_t capacity;
  size_t count;
} osdear__map;
MUST_USE osdear__map_entry *osdear__map_find(const osdear__map *map, osdear__str key);        /* NULL: not there */
MUST_USE osdear__map_entry *osdear__map_add(osdear__map *map, osdear__str key, bool *is_new); /* NULL: no memory */
void osdear__map_drop(osdear__map *map);

/* ---- errors (error.c) ---- */

/* Fills *error (which may be NULL or hold nothing yet) and returns `status`, so that a failure is one line. */
osdear_status osdear__fail(osdear_error **error, osdear_status status, const char *format, ...) PRINTF_LIKE(3, 4);
osdear_status osdear__fail_memory(osdear_error **error);
/* `number` is an errno value: ENOENT becomes NOT_FOUND, EEXIST EXISTS, EACCES and EPERM DENIED, ENOMEM NO_MEMORY, else IO.
 * The message is the text, a colon, and the system's words. */
osdear_status osdear__fail_errno(osdear_error **error, int number, const char *format, ...) PRINTF_LIKE(3, 4);
/* Says where a failure that came from below happened: the message becomes "text: old message"; status and rest stay.
 * Returns the status it was given. */
osdear_status osdear__fail_within(osdear_error **error, osdear_status status, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same failure under another status, with the old one as its cause. */
osdear_status osdear__fail_because(osdear_error **error, osdear_status status, const char *format, ...) PRINTF_LIKE(3, 4);
/* What a service said about a failure, for osdear_error_code() and its kin. Texts are copied. */
typedef struct osdear__service_answer {
  const char *code;       /* NULL: none */
  const char *request_id; /* NULL: none */
  int32_t http_status;    /* 0: none */
  int32_t retryable;      /* 1 or 0; -1: as the status says */
} osdear__service_answer;
osdear_status osdear__fail_service(osdear_error **error, osdear_status status, const osdear__service_answer *answer,
                                   const char *format, ...) PRINTF_LIKE(4, 5);
/* Hands a failure on that was held back: *failure moves to *error. Returns the status it was given; without a failure nothing is done. */
osdear_status osdear__fail_on(osdear_error **error, osdear_status status, osdear_error **failure);
void osdear__error_forget(osdear_error **error); /* one that was dealt with; `error` may be NULL */
typedef struct osdear_error osdear__error;
void osdear__error_auto(osdear_error **error);
MUST_USE osdear_error *osdear__error_copy(const osdear_error *error); /* a counted reference: errors are immutable */

/* ---- options ---- */

/* Overlay what the caller's build knew onto our defaults in `known`; set fields that we do not know are refused.
 * `given` may be NULL. Every options struct starts with its size. */
MUST_USE osdear_status osdear__options_read(void *known, size_t known_size, const void *given, osdear_error **error);
/* The other way: fill a caller's result struct as far as its build knew it. */
MUST_USE osdear_status osdear__result_write(void *given, const void *known, size_t known_size, osdear_error **error);

/* ---- context (context.c, cancel.c, log.c, pool.c) ---- */

int64_t osdear__context_budget(const osdear_context *context); /* bytes; the default's for NULL */
int32_t osdear__context_threads(const osdear_context *context);
/* CANCELLED or TIMEOUT as the context's token says; call it once a page, a file, a batch. NULL is never cancelled. */
MUST_USE osdear_status osdear__context_check(const osdear_context *context, osdear_error **error);
void osdear__context_progress(osdear_context *context, const char *step, int64_t done, int64_t total); /* rate-limited */
void osdear__log(const osdear_context *context, osdear_log_level level, const char *component, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Run `work(argument)` on a worker. Never blocks. With one thread it fails with STATE: run the work yourself. */
typedef void (*osdear__work)(void *argument);
MUST_USE osdear_status osdear__context_submit(osdear_context *context, osdear__work work, void *argument, osdear_error **error);

/* The outside world, swapped by tests: clock, sleep, randomness. */
typedef struct osdear__world {
  int64_t (*now_us)(void); /* microseconds UTC since 1970 */
  int64_t (*monotonic_us)(void);
  void (*sleep_us)(int64_t us);
  void (*random)(void *out, size_t size);
} osdear__world;
extern const osdear__world *osdear__the_world; /* never NULL */
int64_t osdear__now_us(void);
int64_t osdear__monotonic_us(void);
/* Sleeps in slices, so that cancellation is seen. */
MUST_USE osdear_status osdear__sleep(const osdear_context *context, int64_t us, osdear_error **error);
void osdear__uuid(char out[37]); /* random, lower case, NUL-terminated */
uint64_t osdear__random_u64(void);

/* ---- numbers, dates and decimals as text (number.c, civil.c, decimal.c): never look at the locale ---- */

/* Parsers take the whole of `text` or return false; no white space is skipped. */
MUST_USE bool osdear__parse_i64(osdear__str text, int64_t *out);  /* [+-]digits, overflow refused */
MUST_USE bool osdear__parse_bool(osdear__str text, int64_t *out); /* true t yes y 1, false f no n 0, in any case: 1 or 0 */
MUST_USE bool osdear__parse_f64(osdear__str text, double *out);   /* also NaN, Infinity, Inf, any case, signed */
size_t osdear__format_i64(int64_t value, char out[24]);           /* returns the length; NUL-terminated, as all below */
size_t osdear__format_f64(double value,
                          char out[32]); /* shortest text that reads back equal; "1.0", "1e+300", "NaN", "Infinity", "-0.0" */
size_t osdear__format_f32(float value, char out[32]);

/* Decimals are integers scaled by 10^scale, up to 38 digits. */
#define OSDEAR__DECIMAL_TEXT 48
osdear__int128 osdear__pow10(int32_t exponent); /* 0..38 */
/* Text such as -12.34 or 1.2e3 to an integer with `scale` fraction digits. False when it does not fit `precision`
 * or would lose digits other than zeros. */
MUST_USE bool osdear__parse_decimal(osdear__str text, int32_t precision, int32_t scale, osdear__int128 *out);
size_t osdear__format_decimal(osdear__int128 value, int32_t scale, char out[OSDEAR__DECIMAL_TEXT]);

/* The proleptic Gregorian calendar. Days and microseconds count from 1970-01-01 UTC. */
#define OSDEAR__DAY_US INT64_C(86400000000)
int64_t osdear__days_of(int64_t year, int32_t month, int32_t day);
int64_t osdear__split_day(int64_t us, int64_t *rest); /* the day of an instant, and how far in it lies: 0 to OSDEAR__DAY_US - 1 */
void osdear__civil_of(int64_t days, int64_t *year, int32_t *month, int32_t *day);
MUST_USE bool osdear__parse_date(osdear__str text, int32_t *days); /* YYYY-MM-DD, years of 4 to 6 digits and a sign allowed */
/* YYYY-MM-DD[(T| )HH:MM[:SS[.f…]]][Z|±HH[:]MM]. `*has_zone` says whether a zone stood there (then `us` is UTC).
 * Digits past microseconds are cut. */
MUST_USE bool osdear__parse_timestamp(osdear__str text, int64_t *us, bool *has_zone);
#define OSDEAR__TIME_TEXT 40
size_t osdear__format_date(int64_t days, char out[OSDEAR__TIME_TEXT]);
/* 2024-01-02<separator>03:04:05.678901<suffix>, always six digits. */
size_t osdear__format_timestamp(int64_t us, char separator, const char *suffix, char out[OSDEAR__TIME_TEXT]);

void osdear__hex(const unsigned char *bytes, size_t size, char *out); /* lower case, 2 * size digits and the NUL */
/* Base64 (base64.c). For URLs it takes their alphabet, and no padding. */
void osdear__base64_put(osdear__buf *out, const void *data, size_t size, bool for_urls);
MUST_USE bool osdear__base64_get(osdear__str text, osdear__buf *out); /* both alphabets, with or without padding; else false */

/* ---- bytes in and out (io.c): small vtables so that formats need not know stores ---- */

/* A part of a file. */
typedef struct osdear__byte_range {
  int64_t offset, size;
} osdear__byte_range;

/* A file of fixed size that is read at offsets. Any number of threads may read at once. */
typedef struct osdear__input osdear__input;
struct osdear__input {
  osdear_status (*read_at)(osdear__input *input, int64_t offset, void *out, size_t size,
                           osdear_error **error); /* all of it or an error */
  void (*close)(osdear__input *input);            /* frees it */
  int64_t size_bytes;
  const char *name; /* for messages */
  /* NULL where a read costs no more than its bytes. See osdear__input_ahead(). */
  osdear_status (*ahead)(osdear__input *input, const osdear__byte_range *ranges, size_t count, int64_t memory,
                         osdear__input **out, osdear_error **error);
};
MUST_USE osdear_status osdear__input_read(osdear__input *input, int64_t offset, void *out, size_t size,
                                          osdear_error **error); /* checks bounds */
void osdear__input_auto(osdear__input **input);
/* The same file for one reader who is about to go through these parts of it, each from front to back and all side by side: they are fetched
 * ahead of it in few requests, with at most `memory` bytes held. Lives no longer than `input`; confined. *out NULL: `input` itself is as good. */
MUST_USE osdear_status osdear__input_ahead(osdear__input *input, const osdear__byte_range *ranges, size_t count, int64_t memory,
                                           osdear__input **out, osdear_error **error);
/* An input over bytes in memory, which must outlive it. */
MUST_USE osdear_status osdear__input_of_bytes(const void *data, size_t size, const char *name, osdear__input **out,
                                              osdear_error **error);

/* A file being written from front to back; nobody sees it before finish succeeded. */
typedef struct osdear__output osdear__output;
struct osdear__output {
  osdear_status (*write)(osdear__output *output, const void *data, size_t size, osdear_error **error);
  osdear_status (*finish)(osdear__output *output, osdear_error **error); /* durable and visible; still to be closed */
  void (*close)(osdear__output *output);                                 /* unfinished: leaves nothing behind. Frees it */
  int64_t written;                                                       /* bytes so far */
  const char *name;
};
MUST_USE osdear_status osdear__output_write(osdear__output *output, const void *data, size_t size, osdear_error **error);
void osdear__output_auto(osdear__output **output);

/* ---- libraries that are loaded when they are first needed (library.c) ---- */

/* Fill a static one and open it before the first call through its table, whose members are pointers to functions in the order of
 * `symbols`. It stays loaded: libraries such as these keep state that other parts of the process may share. */
typedef struct osdear__library {
  const char *purpose;  /* who needs it, for messages: "s3:" */
  const char *package;  /* what to install */
  const char *files[4]; /* names to try in turn: "libcurl.so.4" */
  const char *const *symbols;
  size_t symbol_count;
  void *table;
  osdear_status (*start)(osdear_error **error); /* called once when it is loaded, one library at a time; NULL: nothing to start */
  void *handle;                                 /* once it is open */
  _Atomic bool is_open;
} osdear__library;
/* UNSUPPORTED when it is not installed or too old. Cheap when it is open; any thread. */
MUST_USE osdear_status osdear__library_open(osdear__library *library, osdear_error **error);
/* One more function of an open library, or of one that it brought along; NULL where there is none of that name. */
typedef void (*osdear__library_call)(void);
osdear__library_call osdear__library_find(const osdear__library *library, const char *symbol);

/* ---- little-endian loads and stores; formats on disk are little-endian unless they say otherwise ---- */

static inline uint32_t osdear__load_u32(const void *at)
{
  uint32_t v;
  memcpy(&v, at, sizeof v);
  return v;
}
static inline uint64_t osdear__load_u64(const void *at)
{
  uint64_t v;
  memcpy(&v, at, sizeof v);
  return v;
}
static inline void osdear__store_u32(void *at, uint32_t v)
{
  memcpy(at, &v, sizeof v);
}
static inline void osdear__store_u64(void *at, uint64_t v)
{
  memcpy(at, &v, sizeof v);
}
/* Sums and products of sizes that a stranger chose: false on overflow. */
static inline bool osdear__add_i64(int64_t a, int64_t b, int64_t *out)
{
  return !__builtin_add_overflow(a, b, out);
}
static inline bool osdear__mul_i64(int64_t a, int64_t b, int64_t *out)
{
  return !__builtin_mul_overflow(a, b, out);
}

#endif
