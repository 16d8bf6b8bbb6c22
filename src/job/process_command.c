/* The words and the environment of a local program. Specs for Spark are understood, so that what runs on a cluster runs here, too. */
#include <job/process.h>

extern char **environ;

/* ---- words ---- */

typedef struct words {
  char **items;
  size_t count;
} words;

static void add(words *out, const char *text)
{
  out->items[out->count++] = (char *)(uintptr_t)text;
}

static void add_all(words *out, const osdear__json *list)
{
  for (size_t i = 0; list && i < list->count; i++)
    add(out, list->items[i].text.data);
}

static const char *program(const osdear_runner *runner, const char *setting, const char *otherwise)
{
  const char *given = osdear__runner_setting(runner, setting);

  return given ? given : otherwise;
}

/* Properties are java's own: -Dname=value. */
static osdear_status add_java(const osdear_runner *runner, const osdear__json *spec, osdear__arena *arena, words *out,
                              osdear_error **error)
{
  const osdear__json *properties = osdear__json_get(spec, "properties");
  const char *class = osdear__json_text(spec, "class");

  add(out, program(runner, "java", "java"));
  for (size_t i = 0; properties && i < properties->count; i++) {
    const char *word = osdear__arena_printf(arena, "-D%s=%s", properties->keys[i].data, properties->items[i].text.data);
    if (!word)
      return osdear__fail_memory(error);
    add(out, word);
  }
  add(out, class ? "-cp" : "-jar");
  add(out, osdear__json_text(spec, "jar"));
  if (class)
    add(out, class);
  return OSDEAR_OK;
}

static osdear_status make_words(const osdear_runner *runner, const osdear__json *spec, osdear__arena *arena, words *out,
                                osdear_error **error)
{
  size_t room =
      8 + osdear__spec_count(spec, "command") + osdear__spec_count(spec, "args") + osdear__spec_count(spec, "properties");
  osdear_status st = OSDEAR_OK;

  out->items = osdear__arena_zeroed(arena, room, sizeof *out->items);
  if (!out->items)
    return osdear__fail_memory(error);
  if (osdear__json_get(spec, "python")) {
    add(out, program(runner, "python", "python3"));
    add(out, osdear__json_text(spec, "python"));
  } else if (osdear__json_get(spec, "jar")) {
    st = add_java(runner, spec, arena, out, error);
  } else {
    add_all(out, osdear__json_get(spec, "command"));
  }
  add_all(out, osdear__json_get(spec, "args"));
  return st;
}

/* ---- the environment ---- */

/* Sets NAME to value, in place of what it was. */
static osdear_status set(words *out, osdear__arena *arena, osdear__str name, const char *value, osdear_error **error)
{
  const char *word;
  size_t at = 0;

  if (!name.size || memchr(name.data, '=', name.size))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no name of an environment variable", name.data);
  word = osdear__arena_printf(arena, "%s=%s", name.data, value);
  if (!word)
    return osdear__fail_memory(error);
  while (at < out->count && (strncmp(out->items[at], name.data, name.size) != 0 || out->items[at][name.size] != '='))
    at++;
  out->items[at] = (char *)(uintptr_t)word;
  out->count += at == out->count;
  return OSDEAR_OK;
}

/* In double quotes, as Python's shlex reads them. */
static void put_quoted(osdear__buf *out, const char *text)
{
  osdear__buf_putc(out, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      osdear__buf_putc(out, '\\');
    osdear__buf_putc(out, *text);
  }
  osdear__buf_putc(out, '"');
}

/* A Python program that makes a Spark session takes its properties from PYSPARK_SUBMIT_ARGS. */
static osdear_status set_spark_properties(words *out, osdear__arena *arena, const osdear__json *properties, osdear_error **error)
{
  SCOPED(buf) value = { 0 };
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < properties->count; i++) {
    SCOPED(buf) pair = { 0 };
    osdear__buf_printf(&pair, "%s=%s", properties->keys[i].data, properties->items[i].text.data);
    st = osdear__buf_check(&pair, error);
    if (!st) {
      osdear__buf_puts(&value, "--conf ");
      put_quoted(&value, pair.data);
      osdear__buf_putc(&value, ' ');
    }
  }
  osdear__buf_puts(&value, "pyspark-shell");
  if (!st)
    st = osdear__buf_check(&value, error);
  return st ? st : set(out, arena, STR("PYSPARK_SUBMIT_ARGS"), value.data, error);
}

static osdear_status make_environment(const osdear__json *spec, osdear__arena *arena, words *out, osdear_error **error)
{
  const osdear__json *own = osdear__json_get(spec, "environment"), *properties = osdear__json_get(spec, "properties");
  bool is_clear = osdear__json_flag(spec, "clear_environment", false);
  size_t room = osdear__spec_count(spec, "environment") + 2;
  osdear_status st = OSDEAR_OK;

  for (char **at = environ; !is_clear && at && *at; at++)
    room++;
  out->items = osdear__arena_zeroed(arena, room, sizeof *out->items);
  if (!out->items)
    return osdear__fail_memory(error);
  for (char **at = environ; !is_clear && at && *at; at++)
    add(out, *at);
  if (properties && osdear__json_get(spec, "python"))
    st = set_spark_properties(out, arena, properties, error);
  for (size_t i = 0; !st && own && i < own->count; i++)
    st = set(out, arena, own->keys[i], own->items[i].text.data, error);
  return st;
}

osdear_status osdear__process_command_make(const osdear_runner *runner, const osdear__json *spec, osdear__arena *arena,
                                           osdear__process_command *out, osdear_error **error)
{
  words command = { 0 }, environment = { 0 };
  osdear_status st = make_words(runner, spec, arena, &command, error);

  if (!st)
    st = make_environment(spec, arena, &environment, error);
  if (st)
    return st;
  *out = (osdear__process_command){ command.items, environment.items };
  return OSDEAR_OK;
}
