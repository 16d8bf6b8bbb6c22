/* What is sent to Spark's REST server to start a driver. Two kinds of application: a jar with its class, and a Python script, which the server
 * knows nothing of: its driver's class is Spark's own PythonRunner, and the script is the file that the worker fetches for it. */
#include <job/spark.h>

/* Who cancels a driver ends its virtual machine, but no Python beside it. So the "Python" that PythonRunner starts is a shell, which becomes
 * the true one after asking the kernel to end it with its parent. $1 is the Python that properties name, "" for none; the rest
 * is the script and its arguments. A parent that ended before it was asked for is told by another number. */
#define SHELL_PROPERTY "spark.pyspark.driver.python"
static const char shell[] = "/bin/sh";
static const char with_driver[] =
    "python=${1:-${PYSPARK_DRIVER_PYTHON:-${PYSPARK_PYTHON:-python3}}}; shift; "
    "if setpriv --pdeathsig KILL true 2>/dev/null; then "
    "exec setpriv --pdeathsig KILL /bin/sh -c 'test \"$PPID\" = \"$0\" && exec \"$@\"' \"$PPID\" \"$python\" \"$@\"; fi; "
    "exec \"$python\" \"$@\"";

const osdear__spec_member osdear__spark_members[] = {
  { "name", SPEC_TEXT },  { "jar", SPEC_TEXT },         { "class", SPEC_TEXT },        { "python", SPEC_TEXT },
  { "args", SPEC_TEXTS }, { "properties", SPEC_PAIRS }, { "environment", SPEC_PAIRS }, { NULL, SPEC_TEXT },
};

osdear_status osdear__spark_check(osdear_runner *runner, const osdear__json *spec, osdear_error **error)
{
  const char *jar = osdear__json_text(spec, "jar"), *python = osdear__json_text(spec, "python");

  if (!jar == !python)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s has just one of \"jar\" and \"python\"", runner->kind->what);
  if (jar && !osdear__json_text(spec, "class"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a \"jar\" goes with the \"class\" whose main() is to run");
  if (python && osdear__json_text(spec, "class"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"class\" goes with \"jar\", not with \"python\"");
  return OSDEAR_OK;
}

/* Workers fetch by URL. A path is one of theirs. */
static osdear_status resource(const osdear__json *spec, osdear__buf *out, osdear_error **error)
{
  const char *path = osdear__json_text(spec, "jar");

  path = path ? path : osdear__json_text(spec, "python");
  if (path[0] == '/') {
    osdear__buf_puts(out, "file:");
    osdear__http_put_encoded(out, osdear__str_of(path), "/");
  } else if (strchr(path, ':')) {
    osdear__buf_puts(out, path);
  } else {
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" must be a URL or an absolute path: workers start elsewhere", path);
  }
  return osdear__buf_check(out, error);
}

/* A property that the spec does not set. */
static void put_default(osdear__buf *out, bool *first, const osdear__json *given, const char *key, const char *value)
{
  if (!osdear__json_get(given, key))
    osdear__json_put_text(out, first, key, value);
}

static osdear_status put_properties(const osdear_runner *runner, const osdear__submission *submission, const char *file,
                                    osdear__buf *out, osdear_error **error)
{
  const osdear__spark *spark = runner->own;
  const osdear__json *given = osdear__json_get(submission->spec, "properties");
  const char *name = osdear__json_text(submission->spec, "name");
  bool is_python = osdear__json_get(submission->spec, "python") != NULL, first = true;
  SCOPED(buf) masters = { 0 };
  osdear_status st;

  osdear__buf_printf(&masters, "spark://%s", spark->hosts);
  st = osdear__buf_check(&masters, error);
  if (st)
    return st;
  osdear__buf_putc(out, '{');
  put_default(out, &first, given, "spark.app.name", name ? name : "osdear");
  /* The server knows its own address best. Of several it takes the list, and puts the right port in place of that of its REST server. */
  if (spark->count > 1)
    put_default(out, &first, given, "spark.master", masters.data);
  /* A Python driver is one that was started by hand, on the worker: to Spark it is no cluster mode. */
  put_default(out, &first, given, "spark.submit.deployMode", is_python ? "client" : "cluster");
  put_default(out, &first, given, "spark.driver.supervise", "false");
  if (!is_python)
    put_default(out, &first, given, "spark.jars", file);
  /* Spark hands every property to the driver's command line, where a caller that lost the answer finds it again. */
  put_default(out, &first, given, "spark.osdear.submission", submission->name);
  if (is_python)
    osdear__json_put_text(out, &first, SHELL_PROPERTY, shell);
  for (size_t i = 0; given && i < given->count; i++)
    if (!is_python || !osdear__str_is(given->keys[i], SHELL_PROPERTY))
      osdear__json_put_text(out, &first, given->keys[i].data, given->items[i].text.data);
  osdear__buf_putc(out, '}');
  return OSDEAR_OK;
}

static void put_argument(osdear__buf *out, bool *first, const char *argument)
{
  osdear__json_put_comma(out, first);
  osdear__json_put_string(out, osdear__str_of(argument));
}

/* Of PythonRunner: the script, further Python files, arguments. The shell's are in their place. */
static void put_python(const osdear__json *spec, osdear__buf *out, bool *first)
{
  const osdear__json *properties = osdear__json_get(spec, "properties");
  const char *python = osdear__json_text(properties, SHELL_PROPERTY);

  python = python ? python : osdear__json_text(properties, "spark.pyspark.python");
  put_argument(out, first, "-c");
  put_argument(out, first, "");
  put_argument(out, first, with_driver);
  put_argument(out, first, "osdear");
  put_argument(out, first, python ? python : "");
  put_argument(out, first, "{{USER_JAR}}"); /* the worker puts its copy of the file here */
}

static void put_arguments(const osdear__json *spec, osdear__buf *out)
{
  const osdear__json *args = osdear__json_get(spec, "args");
  bool first = true;

  osdear__buf_putc(out, '[');
  if (osdear__json_get(spec, "python"))
    put_python(spec, out, &first);
  for (size_t i = 0; args && i < args->count; i++) {
    osdear__json_put_comma(out, &first);
    osdear__json_put_string(out, args->items[i].text);
  }
  osdear__buf_putc(out, ']');
}

osdear_status osdear__spark_put_submission(const osdear_runner *runner, const osdear__submission *submission, osdear__buf *out,
                                           osdear_error **error)
{
  const osdear__json *environment = osdear__json_get(submission->spec, "environment");
  const char *class = osdear__json_text(submission->spec, "class");
  SCOPED(buf) file = { 0 };
  bool first = true;
  osdear_status st = resource(submission->spec, &file, error);

  if (st)
    return st;
  osdear__buf_putc(out, '{');
  osdear__json_put_text(out, &first, "action", "CreateSubmissionRequest");
  osdear__json_put_text(out, &first, "clientSparkVersion", "4.0.0");
  osdear__json_put_text(out, &first, "appResource", file.data);
  osdear__json_put_text(out, &first, "mainClass", class ? class : "org.apache.spark.deploy.PythonRunner");
  osdear__json_put_key(out, &first, "appArgs");
  put_arguments(submission->spec, out);
  osdear__json_put_key(out, &first, "environmentVariables");
  if (environment)
    osdear__json_put_value(out, environment);
  else
    osdear__buf_puts(out, "{}"); /* servers before 4.0 want both, empty or not */
  osdear__json_put_key(out, &first, "sparkProperties");
  st = put_properties(runner, submission, file.data, out, error);
  osdear__buf_putc(out, '}');
  return st ? st : osdear__buf_check(out, error);
}
