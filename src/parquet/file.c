/** @file file.c Opening a file: magic, footer, and the checks that everything later relies on. */
#include <parquet/calendar.h>

#define TAIL_BYTES 8          /* footer length and magic */
#define LEAST_BYTES 12        /* magic, empty footer's length, magic */
#define FIRST_READ (64 << 10) /* holds most footers, so that a file is opened by one read */

osdear_status osdear__pq_input_read(osdear__parquet *file, osdear__input *input, int64_t offset, void *out, size_t size,
                                    osdear_error **error)
{
  osdear_status st = osdear__input_read(input, offset, out, size, error);

  if (!st)
    atomic_fetch_add_explicit(&file->bytes_read, (long long)size, memory_order_relaxed);
  return st;
}

osdear_status osdear__pq_file_read(osdear__parquet *file, int64_t offset, void *out, size_t size, osdear_error **error)
{
  return osdear__pq_input_read(file, file->input, offset, out, size, error);
}

static osdear_status check_tail(osdear__parquet *file, const uint8_t *tail, int64_t *footer_size, osdear_error **error)
{
  int64_t size = file->input->size_bytes;

  if (!memcmp(tail + 4, "PARE", 4))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s: the footer is encrypted (Parquet modular encryption): decrypt the file first", file->name);
  if (memcmp(tail + 4, "PAR1", 4))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: does not end in PAR1, so it is not a Parquet file or was cut short",
                        file->name);
  *footer_size = osdear__load_u32(tail);
  if (*footer_size > size - LEAST_BYTES)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: a footer of %" PRId64 " bytes does not fit a file of %" PRId64,
                        file->name, *footer_size, size);
  return OSDEAR_OK;
}

/* The end of the file in one read; a second only when the footer is longer. */
static osdear_status read_footer(osdear__parquet *file, osdear__str *footer, osdear_error **error)
{
  int64_t size = file->input->size_bytes;
  int64_t first = size < FIRST_READ ? size : FIRST_READ;
  int64_t footer_size = 0;
  osdear_status st;

  if (size < LEAST_BYTES)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: %" PRId64 " bytes are too few for a Parquet file", file->name, size);
  file->footer = osdear__alloc((size_t)first);
  if (!file->footer)
    return osdear__fail_memory(error);
  st = osdear__pq_file_read(file, size - first, file->footer, (size_t)first, error);
  if (!st)
    st = check_tail(file, file->footer + first - TAIL_BYTES, &footer_size, error);
  if (st)
    return st;

  file->footer_at = size - TAIL_BYTES - footer_size;
  footer->size = (size_t)footer_size;
  if (footer_size + TAIL_BYTES <= first) {
    footer->data = (const char *)file->footer + (first - TAIL_BYTES - footer_size);
    return OSDEAR_OK;
  }
  osdear__free(file->footer);
  file->footer = osdear__alloc((size_t)footer_size);
  if (!file->footer)
    return osdear__fail_memory(error);
  footer->data = (const char *)file->footer;
  return osdear__pq_file_read(file, file->footer_at, file->footer, (size_t)footer_size, error);
}

static osdear_status check_chunk(osdear__parquet *file, size_t group, size_t column, osdear_error **error)
{
  const osdear__pq_column_chunk *chunk = &file->meta.row_groups[group].columns[column];
  const osdear__pq_leaf *leaf = &file->schema.leaves[column];

  if (chunk->file_path.size)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s: row group %zu, column %zu lies in another file, \"%.*s\"", file->name,
                        group, column, (int)(chunk->file_path.size < 200 ? chunk->file_path.size : 200), chunk->file_path.data);
  if (chunk->set & CHUNK_CRYPTO || !chunk->meta_data)
    return osdear__fail(error, chunk->set & CHUNK_CRYPTO ? OSDEAR_ERR_UNSUPPORTED : OSDEAR_ERR_CORRUPT,
                        "%s: row group %zu, column %zu %s", file->name, group, column,
                        chunk->set & CHUNK_CRYPTO ? "is encrypted (Parquet modular encryption): decrypt the file first"
                                                  : "has no metadata");
  if (chunk->meta_data->type != (int32_t)leaf->physical)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: row group %zu, column %zu is of type %d, its schema says %s", file->name,
                        group, column, chunk->meta_data->type, osdear__pq_physical_name((int32_t)leaf->physical));
  if (chunk->meta_data->num_values < 0 || chunk->meta_data->total_compressed_size < 0 || chunk->meta_data->data_page_offset < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: row group %zu, column %zu has a negative size or offset", file->name,
                        group, column);
  return OSDEAR_OK;
}

static osdear_status check_groups(osdear__parquet *file, osdear_error **error)
{
  size_t count = file->meta.row_group_count;

  file->group_starts = osdear__arena_zeroed(&file->arena, count + 1, sizeof *file->group_starts);
  if (!file->group_starts)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const osdear__pq_row_group *group = &file->meta.row_groups[i];

    if (group->num_rows < 0 || !osdear__add_i64(file->group_starts[i], group->num_rows, &file->group_starts[i + 1]))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: row group %zu has %" PRId64 " rows", file->name, i, group->num_rows);
    if (group->column_count != file->schema.leaf_count)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: row group %zu has %zu columns, the schema %zu", file->name, i,
                          group->column_count, file->schema.leaf_count);
    for (size_t column = 0; column < group->column_count; column++) {
      osdear_status st = check_chunk(file, i, column, error);
      if (st)
        return st;
    }
  }
  return OSDEAR_OK;
}

/* parquet-mr before 1.10, Impala and others wrote min and max by signed comparison, which only suits signed numbers; and of those who wrote
 * nothing else, parquet-mr and parquet-cpp are known to have done it soundly for them. */
static bool trusts_old_stats(const char *created_by)
{
  return created_by && (osdear__starts_with(created_by, "parquet-mr") || osdear__starts_with(created_by, "parquet-cpp"));
}

/* Text of the footer has no NUL at its end, and what is asked for by name must. */
static osdear_status copy_texts(osdear__parquet *file, osdear_error **error)
{
  for (size_t i = 0; i < file->meta.key_value_count; i++) {
    osdear__str *value = &file->meta.key_value_metadata[i].value;

    value->data = osdear__arena_strndup(&file->arena, value->data ? value->data : "", value->size);
    if (!value->data)
      return osdear__fail_memory(error);
  }
  if (!file->meta.created_by.data)
    return OSDEAR_OK;
  file->created_by = osdear__arena_strndup(&file->arena, file->meta.created_by.data, file->meta.created_by.size);
  return file->created_by ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status open_file(osdear__parquet *file, osdear_error **error)
{
  osdear__str footer;
  osdear_status st = read_footer(file, &footer, error);

  if (st)
    return st;
  st = osdear__thrift_read(&osdear__pq_file_meta_thrift, footer, &file->arena, &file->meta, NULL, error);
  if (st)
    return osdear__fail_within(error, st, "%s: footer", file->name);
  if (file->meta.set & FILE_ENCRYPTION)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s: has encrypted columns (Parquet modular encryption): decrypt the file first", file->name);
  st = osdear__pq_schema_read(file->meta.schema, file->meta.schema_count, &file->arena, &file->schema, error);
  if (st)
    return osdear__fail_within(error, st, "%s", file->name);
  st = copy_texts(file, error);
  if (!st)
    st = osdear__pq_calendar_find(file, error);
  if (st)
    return st;
  /* parquet-cpp before 2.0 wrote is_compressed false into pages that are (ARROW-10353). */
  file->is_always_compressed = file->created_by && osdear__starts_with(file->created_by, "parquet-cpp version 1.");
  file->trusts_old_stats = trusts_old_stats(file->created_by);
  return check_groups(file, error);
}

osdear_status osdear__parquet_open(osdear__input *input, const osdear__parquet_options *options, osdear__parquet **out,
                                   osdear_error **error)
{
  osdear__parquet *file = osdear__alloc_zeroed(1, sizeof *file);
  osdear_status st;

  if (!file) {
    input->close(input);
    return osdear__fail_memory(error);
  }
  atomic_init(&file->references, 1);
  atomic_init(&file->bytes_read, 0);
  file->input = input;
  file->name = input->name ? input->name : "(unnamed)";
  file->skip_checksums = options && options->skip_checksums;
  st = open_file(file, error);
  if (st) {
    osdear__parquet_unref(file);
    return st;
  }
  *out = file;
  return OSDEAR_OK;
}

osdear__parquet *osdear__parquet_ref(osdear__parquet *file)
{
  atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
  return file;
}

void osdear__parquet_unref(osdear__parquet *file)
{
  if (!file || atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) != 1)
    return;
  osdear__input_auto(&file->input);
  osdear__arena_drop(&file->arena);
  osdear__free(file->footer);
  osdear__free(file);
}

void osdear__parquet_auto(osdear__parquet **file)
{
  osdear__parquet_unref(*file);
  *file = NULL;
}

const osdear__type *osdear__parquet_type(const osdear__parquet *file)
{
  return &file->schema.type;
}

int64_t osdear__parquet_rows(const osdear__parquet *file)
{
  return file->group_starts[file->meta.row_group_count];
}

size_t osdear__parquet_group_count(const osdear__parquet *file)
{
  return file->meta.row_group_count;
}

int64_t osdear__parquet_group_rows(const osdear__parquet *file, size_t group)
{
  return file->meta.row_groups[group].num_rows;
}

int64_t osdear__parquet_group_start(const osdear__parquet *file, size_t group)
{
  return file->group_starts[group];
}

const char *osdear__parquet_metadata(const osdear__parquet *file, const char *key)
{
  for (size_t i = 0; i < file->meta.key_value_count; i++)
    if (osdear__str_is(file->meta.key_value_metadata[i].key, key))
      return file->meta.key_value_metadata[i].value.data;
  return NULL;
}

const char *osdear__parquet_created_by(const osdear__parquet *file)
{
  return file->created_by;
}

int64_t osdear__parquet_bytes_read(const osdear__parquet *file)
{
  return atomic_load_explicit(&((osdear__parquet *)(uintptr_t)file)->bytes_read, memory_order_relaxed);
}

void osdear__pq_leaf_name(const osdear__pq_leaf *leaf, osdear__buf *out)
{
  for (size_t i = 0; i < leaf->path_count; i++) {
    if (i)
      osdear__buf_putc(out, '.');
    osdear__buf_append(out, leaf->path[i].data, leaf->path[i].size);
  }
}

const osdear__pq_leaf *osdear__pq_leaf_at(const osdear__parquet *file, const size_t *path, size_t depth, size_t *column)
{
  const osdear__pq_node *node = &file->schema.root;

  for (size_t i = 0; i < depth; i++) {
    if (node->type->kind != KIND_STRUCT || path[i] >= node->child_count)
      return NULL;
    node = &node->children[path[i]];
  }
  if (node == &file->schema.root || node->leaf_count != 1 || node->child_count)
    return NULL;
  *column = node->leaf;
  return &file->schema.leaves[node->leaf];
}
