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

/* What only readers know of has no printer of its own. */
static void print_path(const char *action, osdear__str path, const char *size_name, int64_t size_bytes, osdear__buf *out)
{
  osdear__buf_printf(out, "{\"%s\":{\"path\":", action);
  osdear__json_put_string(out, path);
  osdear__buf_printf(out, ",\"partitionValues\":{},\"%s\":%" PRId64 "}}\n", size_name, size_bytes);
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
  case ACTION_SIDECAR: print_path("sidecar", action->sidecar.path, "sizeInBytes", action->sidecar.size_bytes, out); break;
  case ACTION_CDC: print_path("cdc", action->file.path, "size", action->file.size_bytes, out); break;
  case ACTION_CHECKPOINT:
    osdear__buf_printf(out, "{\"checkpointMetadata\":{\"version\":%" PRId64 "}}\n", action->checkpoint_version);
    break;
  case ACTION_COMMIT_INFO: osdear__buf_printf(out, "{\"commitInfo\":%s}\n", action->info.data); break;
  }
  return OSDEAR_OK;
}

static bool parse(osdear__str text, osdear__buf *out)
{
  unsigned keep = COMMIT_FILES | COMMIT_STATS | COMMIT_TAGS | COMMIT_TABLE | COMMIT_INFO | COMMIT_CHANGES | COMMIT_CHECKPOINT;
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
