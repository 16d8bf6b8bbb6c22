/** @file writer.c A Parquet file being written: batches to columns, row groups to the file, the footer. */
#include <parquet/writer.h>
#include <parquet/writer_jobs.h>

#include <stdio.h>

#define ROW_GROUP_ROWS (INT64_C(1) << 20)
#define ROW_GROUP_BYTES (INT64_C(128) << 20)
#define PAGE_BYTES (INT64_C(1) << 20)
#define PAGE_ROWS 20000
#define DICTIONARY_BYTES (INT64_C(1) << 20)
/* Ceilings: a page's size is an int32 and a dictionary is kept in one piece. */
#define MAX_PAGE_BYTES (INT64_C(256) << 20)
#define MAX_PAGE_ROWS (INT64_C(16) << 20)
#define MAX_LEVELS 255
#define ROWS_FOR_THREADS 2048 /* fewer are encoded sooner than others are told of them */
#define MAGIC "PAR1"
#define MAGIC_SIZE 4

typedef struct row_group {
  osdear__pq_chunk_out *chunks;
  int64_t rows;
  int64_t first_byte;
  int64_t uncompressed_bytes;
  int64_t compressed_bytes;
} row_group;

struct osdear__parquet_writer {
  osdear_context *context;
  osdear__output *output;
  osdear__parquet_write options; /* with defaults filled in; its metadata lies in the arena */
  osdear__arena arena;
  osdear__pq_schema_element *elements;
  size_t element_count;
  osdear__pq_schema schema;
  osdear__pq_encoder *columns;
  size_t column_count;
  osdear__pq_scratch *scratch; /* one for each thread */
  size_t thread_count;
  row_group *groups;
  size_t group_count;
  size_t group_capacity;
  int64_t offset;       /* in the file */
  int64_t written_rows; /* in row groups that are complete */
  int64_t open_rows;    /* in the one that is not */
  bool broken;          /* a call failed half way: only dropping is left */
  bool finished;
};

/* ---- making one ---- */

static osdear_status check_options(const osdear__parquet_write *options, osdear_error **error)
{
  if (options->row_group_rows < 0 || options->row_group_bytes < 0 || options->page_bytes < 0 || options->page_rows < 0 ||
      options->dictionary_bytes < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "sizes of row groups, pages and dictionaries must not be negative");
  if (!osdear__codec_is_written(options->codec)) {
    const char *name = osdear__codec_name(options->codec);
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "Parquet files are not written with codec %s in this build: choose another",
                        name ? name : "of unknown number");
  }
  return OSDEAR_OK;
}

static int64_t or_default(int64_t given, int64_t standard, int64_t most)
{
  int64_t value = given == 0 ? standard : given;
  return value < most ? value : most;
}

static osdear_status copy_options(osdear__parquet_writer *writer, const osdear__parquet_write *options, osdear_error **error)
{
  osdear__parquet_write *mine = &writer->options;
  osdear_pair *pairs;

  if (options)
    *mine = *options;
  else
    osdear__parquet_write_init(mine);
  mine->row_group_rows = or_default(mine->row_group_rows, ROW_GROUP_ROWS, INT64_MAX);
  mine->row_group_bytes = or_default(mine->row_group_bytes, ROW_GROUP_BYTES, INT64_MAX);
  mine->page_bytes = or_default(mine->page_bytes, PAGE_BYTES, MAX_PAGE_BYTES);
  mine->page_rows = or_default(mine->page_rows, PAGE_ROWS, MAX_PAGE_ROWS);
  mine->dictionary_bytes = or_default(mine->dictionary_bytes, DICTIONARY_BYTES, MAX_PAGE_BYTES);
  if (mine->metadata_count == 0)
    return OSDEAR_OK;
  pairs = osdear__arena_zeroed(&writer->arena, mine->metadata_count, sizeof *pairs);
  if (!pairs)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < mine->metadata_count; i++) {
    pairs[i].key = osdear__arena_strdup(&writer->arena, options->metadata[i].key);
    pairs[i].value = options->metadata[i].value ? osdear__arena_strdup(&writer->arena, options->metadata[i].value) : NULL;
    if (!pairs[i].key || (options->metadata[i].value && !pairs[i].value))
      return osdear__fail_memory(error);
  }
  mine->metadata = pairs;
  return OSDEAR_OK;
}

static const char *dotted(osdear__arena *arena, const osdear__pq_step *steps, size_t count)
{
  const char *name = steps[0].node->name;
  for (size_t i = 1; i < count && name; i++)
    name = osdear__arena_printf(arena, "%s.%s", name, steps[i].node->name);
  return name;
}

static osdear_status add_column(osdear__parquet_writer *writer, const osdear__pq_step *steps, size_t count, osdear_error **error)
{
  const osdear__pq_node *node = steps[count - 1].node;
  const osdear__pq_leaf *leaf = &writer->schema.leaves[node->leaf];
  osdear__pq_step *copy = osdear__arena_zeroed(&writer->arena, count, sizeof *copy);
  osdear__pq_path path = { .steps = copy, .count = count, .leaf = leaf };
  bool in_variant = count > 1 && steps[count - 2].node->type->kind == KIND_VARIANT;

  if (!copy)
    return osdear__fail_memory(error);
  memcpy(copy, steps, count * sizeof *copy);
  path.name = dotted(&writer->arena, steps, count);
  if (!path.name)
    return osdear__fail_memory(error);
  if (leaf->max_def > MAX_LEVELS || leaf->max_rep > MAX_LEVELS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "column %s: nested more than %d levels deep", path.name, MAX_LEVELS);
  osdear__pq_encoder_init(&writer->columns[node->leaf], &path, in_variant, &writer->options);
  return OSDEAR_OK;
}

/* `steps` leads to `node`, with room for what lies below. */
static osdear_status add_columns(osdear__parquet_writer *writer, const osdear__pq_node *node, osdear__pq_step *steps,
                                 size_t depth, osdear_error **error)
{
  if (node->child_count == 0)
    return add_column(writer, steps, depth, error);
  if (depth >= MAX_LEVELS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "field %s: nested more than %d deep", node->name, MAX_LEVELS);
  for (size_t i = 0; i < node->child_count; i++) {
    osdear_status st;
    steps[depth] = (osdear__pq_step){ &node->children[i], i };
    st = add_columns(writer, &node->children[i], steps, depth + 1, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status make_columns(osdear__parquet_writer *writer, const osdear__type *type, osdear_error **error)
{
  osdear__pq_step steps[MAX_LEVELS + 1];
  osdear__type *copy = osdear__arena_zeroed(&writer->arena, 1, sizeof *copy);
  osdear_status st;

  if (!copy)
    return osdear__fail_memory(error);
  if (type->kind != KIND_STRUCT || type->field_count == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a Parquet file needs at least one column");
  st = osdear__type_copy(type, &writer->arena, copy, error);
  if (!st)
    st = osdear__pq_schema_write(copy, &writer->arena, &writer->elements, &writer->element_count, error);
  if (!st)
    st = osdear__pq_schema_read(writer->elements, writer->element_count, &writer->arena, &writer->schema, error);
  if (st)
    return st;
  writer->columns = osdear__arena_zeroed(&writer->arena, writer->schema.leaf_count, sizeof *writer->columns);
  if (!writer->columns)
    return osdear__fail_memory(error);
  writer->column_count = writer->schema.leaf_count;
  return add_columns(writer, &writer->schema.root, steps, 0, error);
}

static osdear_status make_scratch(osdear__parquet_writer *writer, osdear_error **error)
{
  int32_t threads = osdear__context_threads(writer->context);
  size_t count = threads > 1 ? (size_t)threads : 1;

  if (count > writer->column_count)
    count = writer->column_count;
  writer->scratch = osdear__arena_zeroed(&writer->arena, count, sizeof *writer->scratch);
  if (!writer->scratch)
    return osdear__fail_memory(error);
  writer->thread_count = count;
  return OSDEAR_OK;
}

void osdear__parquet_write_init(osdear__parquet_write *options)
{
  *options = (osdear__parquet_write){ .codec = osdear__codec_default() };
}

osdear_status osdear__parquet_writer_new(osdear_context *context, osdear__output *output, const osdear__type *type,
                                         const osdear__parquet_write *options, osdear__parquet_writer **out, osdear_error **error)
{
  AUTO(parquet_writer) writer = NULL;
  osdear_status st;

  if (options) {
    st = check_options(options, error);
    if (st)
      return st;
  }
  writer = osdear__alloc_zeroed(1, sizeof *writer);
  if (!writer)
    return osdear__fail_memory(error);
  writer->context = osdear_context_ref(context);
  writer->output = output;
  st = copy_options(writer, options, error);
  if (!st)
    st = make_columns(writer, type, error);
  if (!st)
    st = make_scratch(writer, error);
  if (st)
    return st;
  *out = writer;
  writer = NULL;
  return OSDEAR_OK;
}

void osdear__parquet_writer_auto(osdear__parquet_writer **writer)
{
  osdear__parquet_writer *mine = *writer;

  *writer = NULL;
  if (!mine)
    return;
  for (size_t i = 0; i < mine->column_count; i++)
    osdear__pq_encoder_drop(&mine->columns[i]);
  for (size_t i = 0; i < mine->thread_count; i++)
    osdear__pq_scratch_drop(&mine->scratch[i]);
  osdear__free(mine->groups);
  osdear_context_unref(mine->context);
  osdear__arena_drop(&mine->arena);
  osdear__free(mine);
}

/* ---- row groups ---- */

static osdear_status write_bytes(osdear__parquet_writer *writer, const void *data, size_t size, osdear_error **error)
{
  osdear_status st = osdear__output_write(writer->output, data, size, error);
  if (!st)
    writer->offset += (int64_t)size;
  return st;
}

static osdear_status write_head(osdear__parquet_writer *writer, osdear_error **error)
{
  return writer->offset == 0 ? write_bytes(writer, MAGIC, MAGIC_SIZE, error) : OSDEAR_OK;
}

static osdear_status new_group(osdear__parquet_writer *writer, row_group **out, osdear_error **error)
{
  size_t capacity = writer->group_capacity * 2 + 4;
  row_group *groups;

  if (writer->group_count == writer->group_capacity) {
    groups = osdear__realloc_array(writer->groups, capacity, sizeof *groups);
    if (!groups)
      return osdear__fail_memory(error);
    writer->groups = groups;
    writer->group_capacity = capacity;
  }
  *out = &writer->groups[writer->group_count];
  **out = (row_group){ .rows = writer->open_rows };
  (*out)->chunks = osdear__arena_zeroed(&writer->arena, writer->column_count, sizeof *(*out)->chunks);
  return (*out)->chunks ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status end_column(void *context, size_t column, size_t thread, osdear_error **error)
{
  osdear__parquet_writer *writer = context;
  return osdear__pq_encoder_end(&writer->columns[column], &writer->scratch[thread], error);
}

static osdear_status end_group(osdear__parquet_writer *writer, osdear_error **error)
{
  row_group *group = NULL;
  osdear_status st;

  if (writer->open_rows == 0)
    return OSDEAR_OK;
  st = osdear__pq_jobs_run(writer->context, end_column, writer, writer->column_count, writer->thread_count, error);
  if (!st)
    st = new_group(writer, &group, error);
  if (!st)
    st = write_head(writer, error);
  if (st)
    return st;
  group->first_byte = writer->offset;
  for (size_t i = 0; i < writer->column_count; i++) {
    st = osdear__pq_chunk_write(&writer->columns[i], writer->output, &writer->offset, &group->chunks[i], error);
    if (st)
      return st;
    group->uncompressed_bytes += group->chunks[i].chunk.meta_data->total_uncompressed_size;
    group->compressed_bytes += group->chunks[i].chunk.meta_data->total_compressed_size;
  }
  writer->group_count++;
  writer->written_rows += writer->open_rows;
  writer->open_rows = 0;
  return OSDEAR_OK;
}

/* ---- batches ---- */

static int64_t held_bytes(const osdear__parquet_writer *writer)
{
  int64_t total = 0;
  for (size_t i = 0; i < writer->column_count; i++)
    total += osdear__pq_encoder_bytes(&writer->columns[i]);
  return total;
}

typedef struct slice {
  osdear__parquet_writer *writer;
  const struct ArrowArray *batch;
  int64_t from, rows;
} slice;

static osdear_status add_to_column(void *context, size_t column, size_t thread, osdear_error **error)
{
  const slice *rows = context;
  osdear__parquet_writer *writer = rows->writer;
  return osdear__pq_encoder_add(&writer->columns[column], &writer->scratch[thread], rows->batch, rows->from, rows->rows, error);
}

/* Rows taken in one go: such that they cannot overshoot what a row group may hold back by much. */
static int64_t slice_rows(const osdear__parquet_writer *writer, const struct ArrowArray *batch, int64_t from)
{
  int64_t left = batch->length - from, in_group = writer->options.row_group_rows - writer->open_rows;
  int64_t bytes = writer->options.row_group_bytes / 4 / (int64_t)writer->column_count;
  int64_t rows = left < in_group ? left : in_group;

  for (size_t i = 0; i < writer->column_count && rows > 1; i++) {
    int64_t fit = osdear__pq_rows_fitting(&writer->columns[i].path, batch, from, rows, bytes);
    if (fit < writer->options.page_rows && fit < rows)
      fit = rows < writer->options.page_rows ? rows : writer->options.page_rows;
    rows = fit;
  }
  return rows;
}

static osdear_status add_rows(osdear__parquet_writer *writer, const struct ArrowArray *batch, osdear_error **error)
{
  int64_t from = 0;

  while (from < batch->length) {
    slice rows = { writer, batch, from, slice_rows(writer, batch, from) };
    size_t threads = rows.rows >= ROWS_FOR_THREADS ? writer->thread_count : 1;
    osdear_status st = osdear__context_check(writer->context, error);
    if (!st)
      st = osdear__pq_jobs_run(writer->context, add_to_column, &rows, writer->column_count, threads, error);
    if (st)
      return st;
    from += rows.rows;
    writer->open_rows += rows.rows;
    if (writer->open_rows >= writer->options.row_group_rows || held_bytes(writer) >= writer->options.row_group_bytes)
      st = end_group(writer, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status check_state(const osdear__parquet_writer *writer, osdear_error **error)
{
  if (writer->finished)
    return osdear__fail(error, OSDEAR_ERR_STATE, "%s: the Parquet file is finished already", writer->output->name);
  if (writer->broken)
    return osdear__fail(error, OSDEAR_ERR_STATE, "%s: an earlier call failed, the Parquet file cannot be completed",
                        writer->output->name);
  return OSDEAR_OK;
}

osdear_status osdear__parquet_writer_add(osdear__parquet_writer *writer, const struct ArrowArray *batch, osdear_error **error)
{
  osdear_status st = check_state(writer, error);

  if (st)
    return st;
  st = add_rows(writer, batch, error);
  writer->broken = st != OSDEAR_OK;
  return st;
}

/* ---- the footer ---- */

/* Indexes of one kind stand together, so that a reader gets them in one piece. */
static osdear_status write_indexes(osdear__parquet_writer *writer, osdear_error **error)
{
  for (size_t i = 0; i < writer->group_count * writer->column_count; i++) {
    osdear__pq_chunk_out *out = &writer->groups[i / writer->column_count].chunks[i % writer->column_count];
    osdear_status st;
    if (!out->column_index.data)
      continue;
    out->chunk.set |= CHUNK_COLUMN_INDEX;
    out->chunk.column_index_offset = writer->offset;
    out->chunk.column_index_length = (int32_t)out->column_index.size;
    st = write_bytes(writer, out->column_index.data, out->column_index.size, error);
    if (st)
      return st;
  }
  for (size_t i = 0; i < writer->group_count * writer->column_count; i++) {
    osdear__pq_chunk_out *out = &writer->groups[i / writer->column_count].chunks[i % writer->column_count];
    osdear_status st;
    out->chunk.set |= CHUNK_OFFSET_INDEX;
    out->chunk.offset_index_offset = writer->offset;
    out->chunk.offset_index_length = (int32_t)out->offset_index.size;
    st = write_bytes(writer, out->offset_index.data, out->offset_index.size, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status describe_groups(osdear__parquet_writer *writer, osdear__pq_file_meta *meta, osdear_error **error)
{
  osdear__pq_row_group *groups = osdear__arena_zeroed(&writer->arena, writer->group_count + 1, sizeof *groups);

  if (!groups)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < writer->group_count; i++) {
    const row_group *group = &writer->groups[i];
    osdear__pq_column_chunk *chunks = osdear__arena_zeroed(&writer->arena, writer->column_count, sizeof *chunks);
    if (!chunks)
      return osdear__fail_memory(error);
    for (size_t k = 0; k < writer->column_count; k++)
      chunks[k] = group->chunks[k].chunk;
    groups[i].set = ROW_GROUP_FILE_OFFSET | ROW_GROUP_COMPRESSED;
    groups[i].columns = chunks;
    groups[i].column_count = writer->column_count;
    groups[i].num_rows = group->rows;
    groups[i].total_byte_size = group->uncompressed_bytes;
    groups[i].file_offset = group->first_byte;
    groups[i].total_compressed_size = group->compressed_bytes;
    if (i <= INT16_MAX) {
      groups[i].set |= ROW_GROUP_ORDINAL;
      groups[i].ordinal = (int16_t)i;
    }
  }
  meta->row_groups = groups;
  meta->row_group_count = writer->group_count;
  return OSDEAR_OK;
}

static osdear_status describe_file(osdear__parquet_writer *writer, osdear__pq_file_meta *meta, osdear_error **error)
{
  const osdear__parquet_write *options = &writer->options;
  osdear__pq_column_order *orders = osdear__arena_zeroed(&writer->arena, writer->column_count, sizeof *orders);
  osdear__pq_key_value *pairs = osdear__arena_zeroed(&writer->arena, options->metadata_count + 1, sizeof *pairs);
  const char *created_by = osdear__arena_printf(&writer->arena, "libosdear version %s (build 0)", osdear_version());

  if (!orders || !pairs || !created_by)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < writer->column_count; i++)
    orders[i].set = COLUMN_ORDER_TYPE;
  for (size_t i = 0; i < options->metadata_count; i++) {
    pairs[i].key = osdear__str_of(options->metadata[i].key);
    pairs[i].value = osdear__str_of(options->metadata[i].value);
  }
  meta->version = options->format_v2 ? 2 : 1;
  meta->schema = writer->elements;
  meta->schema_count = writer->element_count;
  meta->num_rows = writer->written_rows;
  meta->key_value_metadata = options->metadata_count > 0 ? pairs : NULL;
  meta->key_value_count = options->metadata_count;
  meta->created_by = osdear__str_of(created_by);
  meta->column_orders = orders;
  meta->column_order_count = writer->column_count;
  return describe_groups(writer, meta, error);
}

static osdear_status write_footer(osdear__parquet_writer *writer, osdear_error **error)
{
  SCOPED(buf) footer = { .limit = INT32_MAX }; /* its length is an int32 */
  osdear__pq_file_meta meta = { 0 };
  uint8_t length[4];
  osdear_status st = describe_file(writer, &meta, error);

  if (st)
    return st;
  osdear__thrift_write(&osdear__pq_file_meta_thrift, &meta, &footer);
  osdear__store_u32(length, (uint32_t)footer.size);
  osdear__buf_append(&footer, length, sizeof length);
  osdear__buf_puts(&footer, MAGIC);
  st = osdear__buf_check(&footer, error);
  return st ? st : write_bytes(writer, footer.data, footer.size, error);
}

osdear_status osdear__parquet_writer_finish(osdear__parquet_writer *writer, osdear_error **error)
{
  osdear_status st = check_state(writer, error);

  if (st)
    return st;
  st = end_group(writer, error);
  if (!st)
    st = write_head(writer, error);
  if (!st)
    st = write_indexes(writer, error);
  if (!st)
    st = write_footer(writer, error);
  writer->finished = st == OSDEAR_OK;
  writer->broken = st != OSDEAR_OK;
  return st;
}

/* ---- asking ---- */

int64_t osdear__parquet_writer_rows(const osdear__parquet_writer *writer)
{
  return writer->written_rows + writer->open_rows;
}

int64_t osdear__parquet_writer_bytes(const osdear__parquet_writer *writer)
{
  return writer->offset + held_bytes(writer);
}

bool osdear__parquet_writer_stats(const osdear__parquet_writer *writer, const size_t *path, size_t depth,
                                  osdear__parquet_stats *out)
{
  const osdear__pq_node *node = &writer->schema.root;
  const osdear__pq_encoder *column;

  for (size_t i = 0; i < depth; i++) {
    if (node->type->kind != KIND_STRUCT || path[i] >= node->child_count)
      return false;
    node = &node->children[path[i]];
  }
  if (depth == 0 || node->child_count > 0)
    return false;
  column = &writer->columns[node->leaf];
  *out = (osdear__parquet_stats){ .row_count = column->file_rows, .null_count = column->file_levels - column->file_values };
  if (column->file_bounds.has) {
    out->has_min = out->has_max = true;
    osdear__pq_bounds_scalar(&column->file_bounds, column->leaf->type, false, &out->min);
    osdear__pq_bounds_scalar(&column->file_bounds, column->leaf->type, true, &out->max);
  }
  return true;
}
