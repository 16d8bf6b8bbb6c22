/* What a person or a script sees: rows, errors, progress. */
#include <cli/cli.h>

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const cli_option cli_output_options[] = {
  { "format", 'f', "FORMAT", "jsonl, csv, parquet, arrow or table; default table on a terminal, else jsonl." },
  { "null", 0, "TEXT", "What stands for null in csv and table." },
  { NULL, 0, NULL, NULL },
};

void cli_put_json_string(FILE *out, const char *text)
{
  fputc('"', out);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      fprintf(out, "\\%c", c);
    else if (c < 0x20)
      fprintf(out, "\\u%04x", c);
    else
      fputc(c, out);
  }
  fputc('"', out);
}

static int code_of(osdear_status status)
{
  switch (status) {
  case OSDEAR_ERR_ARGUMENT: return EXIT_USAGE;
  case OSDEAR_ERR_CANCELLED: return EXIT_CANCELLED;
  case OSDEAR_ERR_TIMEOUT: return EXIT_TIMED_OUT;
  case OSDEAR_ERR_NOT_FOUND: return EXIT_NOT_FOUND;
  case OSDEAR_ERR_CONFLICT:
  case OSDEAR_ERR_EXISTS: return EXIT_CONFLICT;
  case OSDEAR_ERR_DATA:
  case OSDEAR_ERR_CORRUPT: return EXIT_BAD_DATA;
  default: return EXIT_FAILED;
  }
}

int cli_fail(cli_call *cli)
{
  osdear_status status = osdear_error_status(cli->error);
  const char *message = osdear_error_message(cli->error);

  cli_progress_clear(cli);
  if (cli_flag(cli, "json")) {
    fprintf(stderr, "{\"error\":{\"status\":\"%s\",\"message\":", osdear_status_name(status));
    cli_put_json_string(stderr, message);
    fprintf(stderr, "}}\n");
  } else {
    fprintf(stderr, "osdear: %s\n", message);
  }
  return code_of(status);
}

static int32_t write_out(void *argument, const void *data, size_t size)
{
  (void)argument;
  errno = 0;
  if (fwrite(data, 1, size, stdout) == size)
    return 0;
  return errno ? errno : EIO;
}

static int32_t terminal_width(void)
{
  struct winsize size;

  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int cli_show(cli_call *cli, struct ArrowArrayStream *data, const char *format)
{
  osdear_sink_options options = OSDEAR_SINK_OPTIONS_INIT;
  const char *wanted = cli_value(cli, "format");
  osdear_status st;

  if (!wanted)
    wanted = cli_flag(cli, "json") ? "jsonl" : format ? format : isatty(STDOUT_FILENO) ? "table" : "jsonl";
  options.null_text = cli_value(cli, "null");
  options.max_width = terminal_width();
  st = osdear_sink_write(cli->context, data, wanted, &options, write_out, NULL, NULL, &cli->error);
  /* A reader that has seen enough (`| head`) is no failure. */
  if (st == OSDEAR_ERR_IO && ferror(stdout) && errno == EPIPE)
    return EXIT_OK;
  return st ? cli_fail(cli) : EXIT_OK;
}

static void put_size(FILE *out, int64_t bytes)
{
  static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
  double value = (double)bytes;
  size_t unit = 0;

  for (; value >= 1000 && unit + 1 < sizeof units / sizeof units[0]; unit++)
    value /= 1000;
  fprintf(out, "%.*f %s", unit ? 1 : 0, value, units[unit]);
}

void cli_progress(void *argument, const char *step, int64_t done, int64_t total)
{
  enum { WIDTH = 30 };
  char bar[WIDTH + 1];
  int filled = total > 0 ? (int)((double)done / (double)total * WIDTH) : 0;

  (void)argument;
  if (filled > WIDTH)
    filled = WIDTH;
  memset(bar, ' ', WIDTH);
  memset(bar, '#', (size_t)filled);
  bar[WIDTH] = '\0';
  fprintf(stderr, "\r\033[K%s ", step);
  if (total > 0)
    fprintf(stderr, "[%s] %3d%% ", bar, (int)((double)done / (double)total * 100));
  put_size(stderr, done);
  fflush(stderr);
}

void cli_progress_clear(cli_call *cli)
{
  if (cli->shows_progress)
    fprintf(stderr, "\r\033[K");
}
