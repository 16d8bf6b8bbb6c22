/* Errors are values: immutable, counted, each with what led to it. */
#include <base/base.h>

#include <errno.h>
#include <stdio.h>

struct osdear_error {
  _Atomic int64_t references; /* below 0: static, never freed */
  osdear_status status;
  char *message;
  osdear_error *cause;
  char *code; /* what the service said, NULL or 0 where none did */
  char *request_id;
  int32_t http_status;
  int32_t retryable; /* -1: as the status says */
};

/* Telling that there is no memory must not need any. */
static char no_memory_text[] = "out of memory: free some, or lower the context's budget";
static osdear_error no_memory = { .references = -1, .status = OSDEAR_ERR_NO_MEMORY, .message = no_memory_text, .retryable = -1 };

static const char *const status_names[] = {
  "ok",    "argument", "no_memory",   "not_found", "exists",    "conflict", "corrupt", "unsupported", "io",
  "limit", "denied",   "unavailable", "timeout",   "cancelled", "data",     "state",   "internal",
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
  while (error && !error->code)
    error = error->cause;
  return error ? error->code : NULL;
}

int32_t osdear_error_http_status(const osdear_error *error)
{
  while (error && error->http_status == 0)
    error = error->cause;
  return error ? error->http_status : 0;
}

const char *osdear_error_request_id(const osdear_error *error)
{
  while (error && !error->request_id)
    error = error->cause;
  return error ? error->request_id : NULL;
}

int32_t osdear_error_retryable(const osdear_error *error)
{
  osdear_status status = osdear_error_status(error);

  if (error && error->retryable >= 0)
    return error->retryable;
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
    osdear__free(error->code);
    osdear__free(error->request_id);
    osdear__free(error);
    error = cause;
  }
}

void osdear__error_forget(osdear_error **error)
{
  if (!error)
    return;
  osdear_error_free(*error);
  *error = NULL;
}

void osdear__error_auto(osdear_error **error)
{
  osdear_error_free(*error);
}

osdear_status osdear__fail_on(osdear_error **error, osdear_status status, osdear_error **failure)
{
  if (!error || !*failure)
    return status;
  *error = *failure;
  *failure = NULL;
  return status;
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
  osdear_error *made = message->failed ? NULL : osdear__alloc_zeroed(1, sizeof *made);

  if (!made) {
    osdear__buf_drop(message);
    osdear_error_free(cause);
    return osdear__fail_memory(error);
  }
  atomic_init(&made->references, 1);
  made->status = status;
  made->message = osdear__buf_take(message);
  osdear__make_showable(made->message);
  made->cause = cause;
  made->retryable = -1;
  *error = made;
  return status;
}

/* Adds to an error that nobody else has seen yet. */
static osdear_status set_answer(osdear_error **error, const osdear__service_answer *answer)
{
  osdear_error *made = *error;

  if (made->status == OSDEAR_ERR_NO_MEMORY)
    return made->status;
  made->http_status = answer->http_status;
  made->retryable = answer->retryable;
  made->code = answer->code ? osdear__strdup(answer->code) : NULL;
  made->request_id = answer->request_id ? osdear__strdup(answer->request_id) : NULL;
  if ((answer->code && !made->code) || (answer->request_id && !made->request_id))
    return osdear__fail_memory(error);
  return made->status;
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

osdear_status osdear__fail_service(osdear_error **error, osdear_status status, const osdear__service_answer *answer,
                                   const char *format, ...)
{
  osdear__buf message = { 0 };
  va_list arguments;

  if (!error)
    return status;
  osdear_error_free(*error);
  *error = NULL;
  va_start(arguments, format);
  format_text(&message, format, arguments);
  va_end(arguments);
  set_error(error, status, &message, NULL);
  return set_answer(error, answer);
}

static osdear_status status_of_errno(int number)
{
  switch (number) {
  case ENOENT:
  case ENOTDIR: return OSDEAR_ERR_NOT_FOUND;
  case EEXIST: return OSDEAR_ERR_EXISTS;
  case EACCES:
  case EPERM:
  case EROFS: return OSDEAR_ERR_DENIED;
  case ENOMEM: return OSDEAR_ERR_NO_MEMORY;
  case ENAMETOOLONG: return OSDEAR_ERR_ARGUMENT;
  default: return OSDEAR_ERR_IO;
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
  set_error(error, old->status, &message, osdear__error_copy(old->cause));
  status = set_answer(error, &(osdear__service_answer){ old->code, old->request_id, old->http_status, old->retryable });
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
