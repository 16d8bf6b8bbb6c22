/* A checkpoint of any form as one thing: the files at its top, and the sidecars they point to. */
#include <delta/log/log.h>

#include <stdatomic.h>

#define SIDECARS "_delta_log/_sidecars/"

osdear__checkpoint *osdear__checkpoint_ref(osdear__checkpoint *checkpoint)
{
  if (checkpoint)
    atomic_fetch_add_explicit(&checkpoint->references, 1, memory_order_relaxed);
  return checkpoint;
}

void osdear__checkpoint_unref(osdear__checkpoint *checkpoint)
{
  if (!checkpoint || atomic_fetch_sub_explicit(&checkpoint->references, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < checkpoint->top_count; i++)
    osdear__parquet_unref(checkpoint->tops[i].open);
  osdear__free(checkpoint->sidecars);
  osdear__map_drop(&checkpoint->sidecar_paths);
  osdear__arena_drop(&checkpoint->arena);
  osdear__store_unref(checkpoint->store);
  osdear__free(checkpoint);
}

void osdear__checkpoint_auto(osdear__checkpoint **checkpoint)
{
  osdear__checkpoint_unref(*checkpoint);
}

static osdear_status open_top(osdear__checkpoint *self, const osdear__checkpoint_file *file, osdear__checkpoint_part *part,
                              osdear_error **error)
{
  osdear__input *input = NULL;
  osdear_status st;

  part->size_bytes = file->size_bytes;
  part->path = osdear__arena_strdup(&self->arena, file->path);
  if (!part->path)
    return osdear__fail_memory(error);
  if (osdear__ends_with(part->path, ".json"))
    return OSDEAR_OK;
  st = osdear__store_open_input(self->store, part->path, part->size_bytes, &input, error);
  return st ? st : osdear__parquet_open(input, NULL, &part->open, error);
}

osdear_status osdear__checkpoint_open(osdear__store *store, const osdear__checkpoint_file *files, osdear__checkpoint **out,
                                      osdear_error **error)
{
  AUTO(checkpoint) self = osdear__alloc_zeroed(1, sizeof *self);
  size_t count = (size_t)files->part_count;
  osdear_status st = OSDEAR_OK;

  if (!self)
    return osdear__fail_memory(error);
  atomic_init(&self->references, 1);
  self->store = osdear__store_ref(store);
  self->tops = osdear__arena_zeroed(&self->arena, count, sizeof *self->tops);
  if (!self->tops)
    return osdear__fail_memory(error);
  self->top_count = count;
  for (size_t i = 0; i < count && !st; i++)
    st = open_top(self, &files[i], &self->tops[i], error);
  if (st)
    return st;
  self->first = files[0];
  self->first.path = self->tops[0].path;
  *out = self;
  self = NULL;
  return OSDEAR_OK;
}

/* ---- sidecars ---- */

/* Sidecars lie in the table's own folder for them, whatever address they are given by: of a full one the end counts, so that a table
 * that was moved, or is reached by another scheme, finds its own. */
static osdear_status place_of(const char *path, osdear__buf *out, osdear_error **error)
{
  const char *name = path;
  const char *at = strstr(path, "/" SIDECARS);

  if (at)
    name = at + strlen("/" SIDECARS);
  if (!*name || strchr(name, '/') || osdear__path_climbs(name))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the sidecar `%s` lies outside of " SIDECARS, path);
  osdear__buf_puts(out, SIDECARS);
  osdear__buf_puts(out, name);
  return osdear__buf_check(out, error);
}

/* One that is named twice is one. */
static osdear_status add_sidecar(osdear__checkpoint *self, const osdear__sidecar *sidecar, osdear_error **error)
{
  SCOPED(buf) decoded = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__map_entry *entry;
  char *copy;
  bool is_new;
  osdear_status st = osdear__uri_decode(sidecar->path, &decoded, error);

  if (!st && sidecar->size_bytes < 0)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "sidecar.sizeInBytes is %" PRId64, sidecar->size_bytes);
  if (!st)
    st = place_of(decoded.data ? decoded.data : "", &path, error);
  if (st)
    return st;
  copy = osdear__arena_strndup(&self->arena, path.data, path.size);
  entry = copy ? osdear__map_add(&self->sidecar_paths, (osdear__str){ copy, path.size }, &is_new) : NULL;
  if (!entry)
    return osdear__fail_memory(error);
  if (!is_new)
    return OSDEAR_OK;
  if (self->sidecar_count == self->sidecar_room) {
    size_t room = self->sidecar_room ? self->sidecar_room * 2 : 16;
    osdear__checkpoint_part *grown = osdear__realloc_array(self->sidecars, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    self->sidecars = grown;
    self->sidecar_room = room;
  }
  self->sidecars[self->sidecar_count++] = (osdear__checkpoint_part){ copy, sidecar->size_bytes, NULL };
  return OSDEAR_OK;
}

/* ---- all but the files ---- */

typedef struct table_visit {
  osdear__checkpoint *checkpoint;
  osdear__action_visit visit;
  void *argument;
} table_visit;

static osdear_status see_version(osdear__checkpoint *self, int64_t version, osdear_error **error)
{
  if (self->has_metadata)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a second checkpointMetadata");
  if (version != self->first.version)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "checkpointMetadata says version %" PRId64 ", the file's name %" PRId64,
                        version, self->first.version);
  self->has_metadata = true;
  return OSDEAR_OK;
}

static osdear_status on_action(void *argument, const osdear__action *action, osdear_error **error)
{
  const table_visit *t = argument;

  if (action->kind == ACTION_SIDECAR)
    return add_sidecar(t->checkpoint, &action->sidecar, error);
  if (action->kind == ACTION_CHECKPOINT)
    return see_version(t->checkpoint, action->checkpoint_version, error);
  return t->visit(t->argument, action, error);
}

osdear_status osdear__checkpoint_table(osdear__checkpoint *checkpoint, osdear__action_visit visit, void *argument,
                                       osdear_error **error)
{
  table_visit t = { checkpoint, visit, argument };
  AUTO(json_parser) parser = NULL;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < checkpoint->top_count && !st; i++) {
    const osdear__checkpoint_part *top = &checkpoint->tops[i];

    if (top->open) {
      st = osdear__checkpoint_part_table(top->open, on_action, &t, error);
      if (st)
        osdear__fail_within(error, st, "%s", top->path);
    } else {
      st = osdear__log_visit(checkpoint->store, top->path, top->size_bytes, COMMIT_TABLE | COMMIT_CHECKPOINT, &parser, on_action,
                             &t, error);
    }
  }
  return st;
}
