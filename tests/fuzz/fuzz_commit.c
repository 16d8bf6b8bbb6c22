/* Any bytes as the lines of a commit: what is read must print to lines that read back the same. */
#include <delta/action.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The schema in it may be anything: that it is refused is no failure here. */
static void copy_metadata(const osdear__metadata *metadata)
{
  SCOPED(arena) arena = { 0 };
  osdear__metadata copy;

  if (osdear__metadata_copy(metadata, &arena, &copy, NULL) == OSDEAR_ERR_INTERNAL)
    abort();
}

static osdear_status print(void *argument, const osdear__action *action, osdear_error **error)
{
  osdear__buf *out = argument;

  (void)error;
  switch (action->kind) {
  case ACTION_ADD: osdear__action_print_add(&action->file, out); break;
  case ACTION_REMOVE: osdear__action_print_remove(&action->file, out); break;
  case ACTION_PROTOCOL: osdear__action_print_protocol(&action->protocol, out); break;
  case ACTION_METADATA:
    osdear__action_print_metadata(&action->metadata, out);
    copy_metadata(&action->metadata);
    break;
  case ACTION_TXN: osdear__action_print_txn(&action->txn, out); break;
  case ACTION_DOMAIN: osdear__action_print_domain(&action->domain, out); break;
  case ACTION_SIDECAR:
  case ACTION_CDC:
  case ACTION_CHECKPOINT: break; /* not asked for */
  case ACTION_COMMIT_INFO: osdear__buf_printf(out, "{\"commitInfo\":%s}\n", action->info.data); break;
  }
  return OSDEAR_OK;
}

static bool parse(osdear__str text, osdear__buf *out)
{
  unsigned keep = COMMIT_FILES | COMMIT_STATS | COMMIT_TAGS | COMMIT_TABLE | COMMIT_INFO;
  AUTO(json_parser) parser = NULL;

  return osdear__actions_parse(text, "input", 1, keep, &parser, print, out, NULL) == OSDEAR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  SCOPED(buf) once = { 0 };
  SCOPED(buf) twice = { 0 };

  if (!parse((osdear__str){ (const char *)data, size }, &once))
    return 0;
  if (!parse((osdear__str){ once.data, once.size }, &twice))
    abort();
  if (once.size != twice.size || (once.size && memcmp(once.data, twice.data, once.size) != 0))
    abort();
  return 0;
}
