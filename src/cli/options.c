/* Options from tables: parsing, lists, help. */
#include <cli/cli.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const cli_option cli_common_options[] = {
  { "option", 'o', "KEY=VALUE", "A setting of the store; repeatable." },
  { "json", 0, NULL, "Results and errors as JSON." },
  { "threads", 0, "N", "Worker threads; default one for each processor." },
  { "memory", 0, "MIB", "Memory budget in MiB; default 256." },
  { "timeout", 0, "SECONDS", "Give up after this long." },
  { "help", 'h', NULL, "Show this." },
  { NULL, 0, NULL, NULL },
};

void cli_die(int code, const char *format, ...)
{
  va_list arguments;

  fprintf(stderr, "osdear: ");
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(code);
}

/* Blocks are chained, so that a leak checker sees that they are still wanted. */
void *cli_memory(size_t count, size_t size)
{
  static union block {
    union block *next;
    max_align_t alignment;
  } * blocks;
  union block *made = calloc(1 + (count * size + sizeof *made - 1) / sizeof *made, sizeof *made);

  if (!made)
    cli_die(EXIT_FAILED, "out of memory");
  made->next = blocks;
  blocks = made;
  return made + 1;
}

static const cli_option *find_in(const cli_option *table, const char *name, size_t length, char letter)
{
  for (; table->name; table++)
    if (name ? strlen(table->name) == length && memcmp(table->name, name, length) == 0 : table->letter && table->letter == letter)
      return table;
  return NULL;
}

static const cli_option *find_option(const cli_command *command, const char *name, size_t length, char letter)
{
  const cli_option *found = find_in(cli_common_options, name, length, letter);

  for (size_t i = 0; !found && command->options && command->options[i]; i++)
    found = find_in(command->options[i], name, length, letter);
  return found;
}

/* Names that hold secrets are better given by the environment: a command line can be read by every user of the machine. */
static void warn_of_secret(const char *name)
{
  if (strstr(name, "secret") || strstr(name, "password") || strstr(name, "token") || strstr(name, "account_key"))
    fprintf(stderr, "osdear: warning: other users can see `%s` on the command line; set it in the environment instead\n", name);
}

static void split_storage(cli_call *cli)
{
  cli->storage = cli_pairs(cli, "option", &cli->storage_count);
  for (size_t i = 0; i < cli->storage_count; i++)
    warn_of_secret(cli->storage[i].key);
}

/* Takes the option at words[i]; returns how many words it took. */
static int take_option(cli_call *cli, int count, char **words, int i)
{
  const char *word = words[i];
  bool is_long = word[1] == '-';
  const char *equals = is_long ? strchr(word, '=') : NULL;
  size_t length = is_long ? (equals ? (size_t)(equals - word) : strlen(word)) - 2 : 0;
  const cli_option *option = find_option(cli->command, is_long ? word + 2 : NULL, length, word[1]);
  const char *value = equals ? equals + 1 : NULL;
  int taken = 1;

  if (!option)
    cli_die(EXIT_USAGE, "unknown option %s; --help lists them", word);
  if (!is_long && word[2])
    value = word + 2;
  if (!option->value && value)
    cli_die(EXIT_USAGE, "--%s takes no value", option->name);
  if (option->value && !value) {
    if (i + 1 >= count)
      cli_die(EXIT_USAGE, "--%s wants a value: %s", option->name, option->value);
    value = words[i + 1];
    taken = 2;
  }
  cli->names[cli->option_count] = option->name;
  cli->values[cli->option_count++] = value ? value : "";
  return taken;
}

int cli_parse(cli_call *cli, int count, char **words)
{
  bool only_arguments = false;

  cli->arguments = cli_memory((size_t)count, sizeof *cli->arguments);
  cli->names = cli_memory((size_t)count, sizeof *cli->names);
  cli->values = cli_memory((size_t)count, sizeof *cli->values);
  for (int i = 0; i < count;) {
    if (cli->command->most == -2 && cli->argument_count >= cli->command->least)
      only_arguments = true;
    if (!only_arguments && strcmp(words[i], "--") == 0) {
      only_arguments = true;
      i++;
    } else if (!only_arguments && words[i][0] == '-' && words[i][1]) {
      i += take_option(cli, count, words, i);
    } else {
      cli->arguments[cli->argument_count++] = words[i++];
    }
  }
  if (cli_flag(cli, "help")) {
    cli_help(stdout, cli->command);
    return EXIT_OK;
  }
  if (cli->argument_count < cli->command->least || (cli->command->most >= 0 && cli->argument_count > cli->command->most)) {
    cli_usage(stderr, cli->command);
    return EXIT_USAGE;
  }
  split_storage(cli);
  return -1;
}

const char *cli_value(const cli_call *cli, const char *name)
{
  for (int i = cli->option_count; i-- > 0;)
    if (strcmp(cli->names[i], name) == 0)
      return cli->values[i];
  return NULL;
}

bool cli_flag(const cli_call *cli, const char *name)
{
  return cli_value(cli, name) != NULL;
}

int64_t cli_number(const cli_call *cli, const char *name, int64_t otherwise)
{
  const char *text = cli_value(cli, name);
  char *end;
  long long value;

  if (!text)
    return otherwise;
  value = strtoll(text, &end, 10);
  if (end == text || *end)
    cli_die(EXIT_USAGE, "--%s wants a whole number, not `%s`", name, text);
  return value;
}

static char *copy_part(const char *text, size_t length)
{
  char *copy = cli_memory(length + 1, 1);

  memcpy(copy, text, length);
  return copy;
}

const char **cli_list(const cli_call *cli, const char *name, bool split, size_t *count)
{
  size_t room = (size_t)cli->option_count;
  const char **list;

  for (int i = 0; i < cli->option_count; i++)
    for (const char *c = cli->values[i]; split && *c; c++)
      room += *c == ',';
  list = cli_memory(room, sizeof *list);
  *count = 0;
  for (int i = 0; i < cli->option_count; i++) {
    const char *from = cli->values[i], *comma;
    if (strcmp(cli->names[i], name) != 0)
      continue;
    for (comma = split ? strchr(from, ',') : NULL; comma; comma = strchr(from, ',')) {
      list[(*count)++] = copy_part(from, (size_t)(comma - from));
      from = comma + 1;
    }
    list[(*count)++] = from;
  }
  return *count ? list : NULL;
}

osdear_pair *cli_pairs(const cli_call *cli, const char *name, size_t *count)
{
  const char **list = cli_list(cli, name, false, count);
  osdear_pair *pairs = *count ? cli_memory(*count, sizeof *pairs) : NULL;

  for (size_t i = 0; i < *count; i++) {
    const char *equals = strchr(list[i], '=');
    if (!equals || equals == list[i])
      cli_die(EXIT_USAGE, "--%s wants NAME=VALUE, not `%s`", name, list[i]);
    pairs[i].key = copy_part(list[i], (size_t)(equals - list[i]));
    pairs[i].value = equals + 1;
  }
  return pairs;
}

void cli_usage(FILE *out, const cli_command *command)
{
  fprintf(out, "usage: osdear %s%s%s [OPTION…] %s\n", command->group ? command->group : "", command->group ? " " : "",
          command->verb, command->arguments);
}

static void show_options(FILE *out, const cli_option *table)
{
  for (; table->name; table++) {
    char form[64];
    int width = snprintf(form, sizeof form, "--%s%s%s", table->name, table->value ? " " : "", table->value ? table->value : "");
    fprintf(out, "  %c%c %-*s %s\n", table->letter ? '-' : ' ', table->letter ? table->letter : ' ', width < 26 ? 26 : width,
            form, table->help);
  }
}

void cli_help(FILE *out, const cli_command *command)
{
  cli_usage(out, command);
  fprintf(out, "\n%s\n\nOptions:\n", command->summary);
  for (size_t i = 0; command->options && command->options[i]; i++)
    show_options(out, command->options[i]);
  show_options(out, cli_common_options);
  fprintf(out, "\nExamples:\n%s", command->examples);
}
