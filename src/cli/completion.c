/* osdear completion: a script for the shell, made from the same tables as the help. */
#include <cli/cli.h>

#include <string.h>

static void put_options(const cli_option *table)
{
  for (; table->name; table++)
    printf(" --%s", table->name);
}

static void put_command_options(const cli_command *command)
{
  for (size_t i = 0; command->options && command->options[i]; i++)
    put_options(command->options[i]);
  put_options(cli_common_options);
}

/* The verbs of a group; of NULL: the groups and the verbs that stand alone. */
static void put_words(const char *group)
{
  const char *last = "";

  for (size_t i = 0; cli_commands[i]; i++) {
    const cli_command *command = cli_commands[i];
    if (group) {
      if (command->group && strcmp(command->group, group) == 0)
        printf(" %s", command->verb);
    } else if (!command->group) {
      printf(" %s", command->verb);
    } else if (strcmp(command->group, last) != 0) {
      printf(" %s", command->group);
      last = command->group;
    }
  }
}

/* One branch for each group: its verbs. */
static void put_groups(void)
{
  const char *last = "";

  for (size_t i = 0; cli_commands[i]; i++) {
    const char *group = cli_commands[i]->group;
    if (!group || strcmp(group, last) == 0)
      continue;
    printf("  elif [ \"$COMP_CWORD\" -eq 2 ] && [ \"${COMP_WORDS[1]}\" = %s ]; then words=\"", group);
    put_words(group);
    printf("\"\n");
    last = group;
  }
}

static void bash(void)
{
  printf("_osdear() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\" path=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"");
  put_words(NULL);
  printf(" --help --version\"\n");
  put_groups();
  printf("  elif [[ \"$word\" == -* ]]; then\n    case \"$path\" in\n");
  for (size_t i = 0; cli_commands[i]; i++) {
    const cli_command *command = cli_commands[i];
    printf("      \"%s%s%s\"*) words=\"", command->group ? command->group : "", command->group ? " " : "", command->verb);
    put_command_options(command);
    printf("\" ;;\n");
  }
  printf("    esac\n  fi\n  if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  else COMPREPLY=($(compgen -f -- \"$word\")); fi\n}\ncomplete -o filenames -F _osdear osdear\n");
}

static void fish(void)
{
  for (size_t i = 0; cli_commands[i]; i++) {
    const cli_command *command = cli_commands[i];
    if (command->group)
      printf("complete -c osdear -n '__fish_seen_subcommand_from %s' -a %s -d '%s'\n", command->group, command->verb,
             command->summary);
    else
      printf("complete -c osdear -n __fish_use_subcommand -a %s\n", command->verb);
    for (size_t t = 0; command->options && command->options[t]; t++)
      for (const cli_option *option = command->options[t]; option->name; option++)
        printf("complete -c osdear -n '__fish_seen_subcommand_from %s' -l %s%s\n", command->verb, option->name,
               option->value ? " -r" : "");
  }
  printf("complete -c osdear -n __fish_use_subcommand -a 'table job store'\n");
}

static int completion(cli_call *cli)
{
  const char *shell = cli->arguments[0];

  if (strcmp(shell, "bash") == 0) {
    bash();
  } else if (strcmp(shell, "zsh") == 0) {
    printf("autoload -U +X bashcompinit && bashcompinit\n");
    bash();
  } else if (strcmp(shell, "fish") == 0) {
    fish();
  } else {
    cli_die(EXIT_USAGE, "completion is there for bash, zsh and fish, not for `%s`", shell);
  }
  return EXIT_OK;
}

const cli_command cli_completion = {
  .verb = "completion",
  .arguments = "SHELL",
  .summary = "A completion script for bash, zsh or fish.",
  .examples = "  osdear completion bash > ~/.local/share/bash-completion/completions/osdear\n",
  .least = 1,
  .most = 1,
  .run = completion,
};
