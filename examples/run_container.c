/* Runs a command in a container, from pulling its image to removing what is left of it, and ends with the command's exit code.
 *
 * usage: run_container IMAGE [WORD]...
 * The engine is the one that `docker` would talk to; DOCKER_HOST names another. */
#include "need.h"

int main(int count, char **words)
{
  osdear_container_spec spec = OSDEAR_CONTAINER_SPEC_INIT;
  osdear_run_options options = OSDEAR_RUN_OPTIONS_INIT;
  osdear_run_result result = OSDEAR_RUN_RESULT_INIT;
  osdear_context *context;
  osdear_engine *engine;
  osdear_error *error = NULL;
  int exit_code;

  if (count < 2)
    usage("run_container IMAGE [WORD]...");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_engine_open(context, NULL, NULL, &engine, &error), &error);
  spec.image = words[1];
  spec.command = (const char *const *)&words[2];
  spec.command_count = (size_t)count - 2;
  options.stdout_fd = 1;
  options.stderr_fd = 2;
  need(osdear_container_run(engine, &spec, &options, &result, &error), &error);

  exit_code = result.exit_code;
  osdear_run_result_clear(&result);
  osdear_engine_unref(engine);
  osdear_context_unref(context);
  return exit_code;
}
