/** @file base.h Status codes, visibility and versions: what every other header stands on. */
#ifndef OSDEAR_BASE_H
#define OSDEAR_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define OSDEAR_API __attribute__((visibility("default")))
#else
#define OSDEAR_API
#endif

/** What a failed call asks of its caller. 0 is success; the numbers never change. */
typedef int32_t osdear_status;
enum {
  OSDEAR_OK = 0,
  OSDEAR_ERR_ARGUMENT = 1,     /**< The call itself is wrong: correct it. */
  OSDEAR_ERR_NO_MEMORY = 2,    /**< The allocator gave nothing: free memory, then call again. */
  OSDEAR_ERR_NOT_FOUND = 3,    /**< What was named is not there. */
  OSDEAR_ERR_EXISTS = 4,       /**< What was to be made is there already. */
  OSDEAR_ERR_CONFLICT = 5,     /**< Another writer won and the result would differ: read again, decide again. */
  OSDEAR_ERR_CORRUPT = 6,      /**< Stored bytes contradict their format: restore them from elsewhere. */
  OSDEAR_ERR_UNSUPPORTED = 7,  /**< Well formed, but beyond this build: the message names the feature. */
  OSDEAR_ERR_IO = 8,           /**< The operating system failed a read or a write. */
  OSDEAR_ERR_LIMIT = 9,        /**< A ceiling was met (size, depth, memory budget): raise it or give less. */
  OSDEAR_ERR_DENIED = 10,      /**< Not allowed: permissions or credentials. */
  OSDEAR_ERR_UNAVAILABLE = 11, /**< A service did not answer: try again later. */
  OSDEAR_ERR_TIMEOUT = 12,     /**< The deadline passed. */
  OSDEAR_ERR_CANCELLED = 13,   /**< The caller gave the call up. */
  OSDEAR_ERR_DATA = 14,        /**< The rows given do not fit the table: type, null, constraint. */
  OSDEAR_ERR_STATE = 15,       /**< Not now: the object was closed, or the order of calls is wrong. */
  OSDEAR_ERR_INTERNAL = 16     /**< A defect in this library: please report it. */
};

/** One setting by name, such as {"aws_endpoint", "http://…"}. Both strings are UTF-8 and copied by the callee. */
typedef struct osdear_pair {
  const char *key;
  const char *value;
} osdear_pair;

#define OSDEAR_VERSION_MAJOR 0
#define OSDEAR_VERSION_MINOR 1
#define OSDEAR_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that was loaded, such as "0.1.0". Static. Any thread. @since 0.1 */
OSDEAR_API const char *osdear_version(void);

/** The name of a status, such as "not_found"; "unknown" for a number this build does not know. Static. @since 0.1 */
OSDEAR_API const char *osdear_status_name(osdear_status status);

/**
 * The memory functions of the whole library. `context` is handed to each call unchanged.
 * `reallocate` with a NULL block allocates. All three may be called from any thread.
 */
typedef struct osdear_allocator {
  size_t size;                                                        /**< sizeof this struct. */
  void *context;                                                      /**< Given to each function. */
  void *(*allocate)(void *context, size_t size);                      /**< NULL when there is none. */
  void *(*reallocate)(void *context, void *block, size_t size);       /**< NULL leaves `block` as it was. */
  void (*release)(void *context, void *block);                        /**< NULL is a no-op. */
} osdear_allocator;

/**
 * Replace malloc, realloc and free for this library, once, before any other call.
 *
 * @param allocator  Copied. Its functions must stay valid for the life of the process.
 * @retval OSDEAR_ERR_ARGUMENT  A function is missing, or `size` is not that of this struct.
 * @retval OSDEAR_ERR_STATE     Memory was already allocated: it is too late.
 * @note Not thread-safe: call it before threads are started.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_allocator_set(const osdear_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
