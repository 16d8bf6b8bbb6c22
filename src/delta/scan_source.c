/** @file scan_source.c The snapshot's files, one after the other. Those of a remote table are known some files ahead, and sent for. */
#include <delta/action.h>
#include <delta/scan.h>

/* Two of them: one is opened while the other comes. */
typedef struct batch {
  osdear__arena arena;
  osdear__file files[OSDEAR__STORE_EXPECTED / 2];
  size_t count, next;
} batch;

typedef struct source {
  osdear__file_iterator *files;
  osdear__vector_files vectors;
  bool looks_ahead;
  batch batches[2];
  size_t at_hand; /* of the batches */
  bool is_begun, is_done;
  osdear_status ended; /* why there are no more, told once those before were opened */
  osdear_error *failure;
} source;

static osdear_status next_live(source *self, osdear__scan_plan *plan, const osdear__file **out, osdear_error **error)
{
  osdear_status st = osdear__file_iterator_next(self->files, out, error);
  int64_t seen = osdear__file_iterator_seen(self->files);

  if (st)
    return st;
  atomic_fetch_add(&plan->counts.files_skipped, seen - atomic_load(&plan->counts.files) - (*out != NULL));
  atomic_store(&plan->counts.files, seen);
  return OSDEAR_OK;
}

static osdear_status fill(source *self, osdear__scan_plan *plan, batch *b, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  osdear__arena_reset(&b->arena);
  while (!st && !self->is_done && b->count < COUNT_OF(b->files)) {
    const osdear__file *file = NULL;
    st = next_live(self, plan, &file, error);
    self->is_done = !st && !file;
    if (!st && file)
      st = osdear__file_copy(file, &b->arena, &b->files[b->count], error);
    if (!st && file)
      b->count++;
  }
  return st;
}

/* Paths that cannot be read are told of when they are opened. */
static void expect(osdear__store *store, const osdear__vector_files *vectors, const batch *b)
{
  for (size_t i = 0; i < b->count; i++) {
    SCOPED(buf) path = { 0 };
    osdear__store_item item;

    if (osdear__data_path(b->files[i].path, &path, NULL))
      continue;
    item = (osdear__store_item){ .path = path.data, .size_bytes = b->files[i].size_bytes };
    osdear__store_expect(store, &item, 1);
    osdear__vector_files_expect(vectors, store, &b->files[i].dv);
  }
}

static void fill_and_expect(source *self, osdear__scan_plan *plan, batch *b)
{
  b->count = b->next = 0;
  if (!self->ended)
    self->ended = fill(self, plan, b, &self->failure);
  expect(plan->snapshot->store, &self->vectors, b);
}

static osdear_status next_ahead(source *self, osdear__scan_plan *plan, const osdear__file **out, osdear_error **error)
{
  batch *b = &self->batches[self->at_hand];

  for (size_t i = 0; !self->is_begun && i < COUNT_OF(self->batches); i++)
    fill_and_expect(self, plan, &self->batches[i]);
  self->is_begun = true;
  if (b->next == b->count) {
    fill_and_expect(self, plan, b);
    self->at_hand = !self->at_hand;
    b = &self->batches[self->at_hand];
  }
  if (b->next < b->count) {
    *out = &b->files[b->next++];
    return OSDEAR_OK;
  }
  if (self->ended && error)
    *error = osdear__error_copy(self->failure);
  return self->ended;
}

static osdear_status next_file(void *state, osdear__scan_plan *plan, osdear__scan_file **out, osdear_error **error)
{
  source *self = state;
  osdear__scan_task task = { .vectors = &self->vectors };
  osdear_status st = self->looks_ahead ? next_ahead(self, plan, &task.file, error) : next_live(self, plan, &task.file, error);

  *out = NULL;
  return st || !task.file ? st : osdear__scan_file_open(plan, &task, out, error);
}

static void close_files(void *state)
{
  source *self = state;

  osdear__file_iterator_auto(&self->files);
  osdear__vector_files_drop(&self->vectors);
  for (size_t i = 0; i < COUNT_OF(self->batches); i++)
    osdear__arena_drop(&self->batches[i].arena);
  osdear_error_free(self->failure);
  osdear__free(self);
}

osdear_status osdear__scan_files(osdear__scan_plan *plan, osdear__scan_source *out, osdear_error **error)
{
  source *self = osdear__alloc_zeroed(1, sizeof *self);
  osdear_status st;

  if (!self)
    return osdear__fail_memory(error);
  self->looks_ahead = osdear__store_is_remote(plan->snapshot->store) && plan->limit < 0;
  st = osdear__file_iterator_open(plan->snapshot, plan->where, 0, &self->files, error);
  if (st) {
    osdear__free(self);
    return st;
  }
  *out = (osdear__scan_source){ next_file, close_files, self };
  return OSDEAR_OK;
}
