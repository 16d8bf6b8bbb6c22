/* Version checksums, <version>.crc: what the writer of a version counted of it. They are held against what replay found where all of it
 * is at hand anyway; nothing is taken from them, so one that lies, or is torn, changes no table. */
#include <delta/log/log.h>

#include <stdio.h>

/* Some list every file; those are passed over. */
#define MOST_BYTES ((size_t)4 << 20)

typedef struct check {
  const osdear_snapshot *snapshot;
  const osdear__json *found;
} check;

static void tell(const check *c, const char *what, const char *theirs, const char *ours)
{
  osdear__log(c->snapshot->context, OSDEAR_LOG_WARNING, "delta",
              "%s: the checksum of version %" PRId64 " says of %s: %s; the log says: %s", osdear__store_uri(c->snapshot->store),
              c->snapshot->segment.version, what, theirs, ours);
}

/* What is absent, or of another kind, says nothing. */
static void check_number(const check *c, const osdear__json *of, const char *name, int64_t ours)
{
  const osdear__json *value = osdear__json_get(of, name);
  char text[24];
  int64_t theirs;

  if (!value || value->kind != JSON_IS_NUMBER || !osdear__parse_i64(value->text, &theirs) || theirs == ours)
    return;
  snprintf(text, sizeof text, "%" PRId64, ours);
  tell(c, name, value->text.data, text);
}

static void check_text(const check *c, const osdear__json *of, const char *name, const char *ours)
{
  const osdear__json *value = osdear__json_get(of, name);

  if (value && value->kind == JSON_IS_STRING && ours && strcmp(value->text.data, ours) != 0)
    tell(c, name, value->text.data, ours);
}

static osdear_status read_checksum(const osdear_snapshot *snapshot, osdear__arena *arena, const osdear__json **out,
                                   osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  char path[OSDEAR__LOG_PATH];
  osdear__json *object = NULL;
  osdear_status st;

  *out = NULL;
  snprintf(path, sizeof path, "_delta_log/%020" PRId64 ".crc", snapshot->segment.version);
  st = osdear__store_get(snapshot->store, path, MOST_BYTES, &text, NULL);
  if (!st)
    st = osdear__json_read((osdear__str){ text.data, text.size }, path, arena, &object, NULL);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  if (st == OSDEAR_ERR_CORRUPT)
    osdear__log(snapshot->context, OSDEAR_LOG_WARNING, "delta", "%s: the checksum %s cannot be read",
                osdear__store_uri(snapshot->store), path);
  *out = object;
  return OSDEAR_OK;
}

osdear_status osdear__checksum_check(const osdear_snapshot *snapshot, int64_t files, int64_t size_bytes, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  check c = { .snapshot = snapshot };
  const osdear__json *protocol, *metadata;
  osdear_status st = read_checksum(snapshot, &arena, &c.found, error);

  if (st || !c.found)
    return st;
  protocol = osdear__json_get(c.found, "protocol");
  metadata = osdear__json_get(c.found, "metadata");
  check_number(&c, c.found, "numFiles", files);
  check_number(&c, c.found, "tableSizeBytes", size_bytes);
  check_number(&c, protocol, "minReaderVersion", snapshot->protocol.min_reader);
  check_number(&c, protocol, "minWriterVersion", snapshot->protocol.min_writer);
  check_text(&c, metadata, "id", snapshot->metadata.id);
  check_text(&c, metadata, "schemaString", snapshot->metadata.schema_json);
  return OSDEAR_OK;
}
