/* Errors are values: immutable, counted, each with what led to it. */
#include <base/base.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

struct osdear_error {
  _Atomic int64_t references; /* below 0: static, never freed */
  osdear_status status;
  char *message;
  osdear_error *cause;
};

/* Telling that there is no memory must not need any. */
static char no_memory_text[] = "out of memory: free some, or lower the context's budget";
static osdear_error no_memory = { -1, OSDEAR_ERR_NO_MEMORY, no_memory_text, NULL };

static const char *const status_names[] = {
  "ok", "argument", "no_memory", "not_found", "exists", "conflict", "corrupt", "unsupported", "io",
  "limit", "denied", "unavailable", "timeout", "cancelled", "data", "state", "internal",
};

const char *osdear_status_name(osdear_status status)
{
  return status >= 0 && (size_t)status < COUNT_OF(status_names) ? status_names[status] : "unknown";
}

osdear_status osdear_error_status(const osdear_error *error)
{
  return error ? error->status : OSDEAR_OK;
}

const char *osdear_error_message(const osdear_error *error)
{
  return error ? error->message : "";
}

const char *osdear_error_code(const osdear_error *error)
{
  return error && error->cause ? osdear_error_code(error->cause) : NULL;
}

int32_t osdear_error_http_status(const osdear_error *error)
{
  return error && error->cause ? osdear_error_http_status(error->cause) : 0;
}

const char *osdear_error_request_id(const osdear_error *error)
{
  return error && error->cause ? osdear_error_request_id(error->cause) : NULL;
}

int32_t osdear_error_retryable(const osdear_error *error)
{
  osdear_status status = osdear_error_status(error);

  return status == OSDEAR_ERR_UNAVAILABLE || status == OSDEAR_ERR_TIMEOUT || status == OSDEAR_ERR_NO_MEMORY;
}

const osdear_error *osdear_error_cause(const osdear_error *error)
{
  return error ? error->cause : NULL;
}

void osdear_error_free(osdear_error *error)
{
  while (error && atomic_load(&error->references) > 0) {
    osdear_error *cause = error->cause;
    if (atomic_fetch_sub(&error->references, 1) > 1)
      return;
    osdear__free(error->message);
    osdear__free(error);
    error = cause;
  }
}

void osdear__error_auto(osdear_error **error)
{
  osdear_error_free(*error);
}

osdear_error *osdear__error_copy(const osdear_error *error)
{
  osdear_error *same = (osdear_error *)(uintptr_t)error;

  if (same && atomic_load(&same->references) > 0)
    atomic_fetch_add(&same->references, 1);
  return same;
}

osdear_status osdear__fail_memory(osdear_error **error)
{
  if (error) {
    osdear_error_free(*error);
    *error = &no_memory;
  }
  return OSDEAR_ERR_NO_MEMORY;
}

/* Takes `message` and `cause` over. */
static osdear_status set_error(osdear_error **error, osdear_status status, osdear__buf *message, osdear_error *cause)
{
  osdear_error *made = message->failed ? NULL : osdear__alloc(sizeof *made);

  if (!made) {
    osdear__buf_drop(message);
    osdear_error_free(cause);
    return osdear__fail_memory(error);
  }
  atomic_init(&made->references, 1);
  made->status = status;
  made->message = osdear__buf_take(message);
  made->cause = cause;
  *error = made;
  return status;
}

static void format_text(osdear__buf *out, const char *format, va_list arguments)
{
  va_list again;
  int size;
  char *at;

  va_copy(again, arguments);
  size = vsnprintf(NULL, 0, format, again);
  va_end(again);
  at = osdear__buf_reserve(out, size < 0 ? SIZE_MAX : (size_t)size);
  if (!at)
    return;
  vsnprintf(at, (size_t)size + 1, format, arguments);
  out->size += (size_t)size;
}

osdear_status osdear__fail(osdear_error **error, osdear_status status, const char *format, ...)
{
  osdear__buf message = { 0 };
  va_list arguments;

  if (!error)
    return status;
  if (status == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  osdear_error_free(*error);
  *error = NULL;
  va_start(arguments, format);
  format_text(&message, format, arguments);
  va_end(arguments);
  return set_error(error, status, &message, NULL);
}

static osdear_status status_of_errno(int number)
{
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return OSDEAR_ERR_NOT_FOUND;
  case EEXIST:
    return OSDEAR_ERR_EXISTS;
  case EACCES:
  case EPERM:
  case EROFS:
    return OSDEAR_ERR_DENIED;
  case ENOMEM:
    return OSDEAR_ERR_NO_MEMORY;
  case ENAMETOOLONG:
    return OSDEAR_ERR_ARGUMENT;
  default:
    return OSDEAR_ERR_IO;
  }
}

osdear_status osdear__fail_errno(osdear_error **error, int number, const char *format, ...)
{
  osdear__buf message = { 0 };
  char words[128];
  va_list arguments;

  if (!error)
    return status_of_errno(number);
  if (number == ENOMEM)
    return osdear__fail_memory(error);
  osdear_error_free(*error);
  *error = NULL;
  va_start(arguments, format);
  format_text(&message, format, arguments);
  va_end(arguments);
  osdear__buf_printf(&message, ": %s", strerror_r(number, words, sizeof words));
  return set_error(error, status_of_errno(number), &message, NULL);
}

osdear_status osdear__fail_within(osdear_error **error, osdear_status status, const char *format, ...)
{
  osdear__buf message = { 0 };
  osdear_error *old;
  va_list arguments;

  if (!error || !*error || (*error)->status == OSDEAR_ERR_NO_MEMORY)
    return status;
  old = *error;
  va_start(arguments, format);
  format_text(&message, format, arguments);
  va_end(arguments);
  osdear__buf_printf(&message, ": %s", old->message);
  *error = NULL;
  status = set_error(error, old->status, &message, osdear__error_copy(old->cause));
  osdear_error_free(old);
  return status;
}

osdear_status osdear__fail_because(osdear_error **error, osdear_status status, const char *format, ...)
{
  osdear__buf message = { 0 };
  osdear_error *cause;
  va_list arguments;

  if (!error)
    return status;
  cause = *error;
  *error = NULL;
  va_start(arguments, format);
  format_text(&message, format, arguments);
  va_end(arguments);
  return set_error(error, status, &message, cause);
}
