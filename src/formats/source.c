/* The handle: options, files, formats, and the stream that is made of them. */
#include "source.h"

#include <sys/stat.h>
#include <unistd.h>

#include "value.h"

/* ---- options ---- */

static osdear_status copy_text(osdear__source *source, const char **text, osdear_error **error)
{
  if (!*text)
    return OSDEAR_OK;
  *text = osdear__arena_strdup(&source->arena, *text);
  return *text ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status copy_nulls(osdear__source *source, osdear_error **error)
{
  static const char *const usual[] = { "", "NA", "N/A", "NULL", "null" };
  osdear_source_options *options = &source->options;
  const char **texts;
  osdear_status st = OSDEAR_OK;

  if (!options->nulls) {
    options->nulls = usual;
    options->null_count = COUNT_OF(usual);
    return OSDEAR_OK;
  }
  texts = osdear__arena_zeroed(&source->arena, options->null_count + 1, sizeof *texts);
  if (!texts)
    return osdear__fail_memory(error);
  for (size_t i = 0; !st && i < options->null_count; i++) {
    texts[i] = options->nulls[i];
    if (!texts[i])
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "nulls[%zu] is NULL", i);
    st = copy_text(source, &texts[i], error);
  }
  options->nulls = texts;
  return st;
}

static osdear_status copy_types(osdear__source *source, osdear_error **error)
{
  const osdear_source_options *options = &source->options;

  source->override_count = options->types ? options->type_count : 0;
  source->overrides = osdear__arena_zeroed(&source->arena, source->override_count + 1, sizeof *source->overrides);
  if (!source->overrides)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < source->override_count; i++) {
    const char *name = options->types[i].key, *word = options->types[i].value;
    osdear__override *override = &source->overrides[i];
    if (!name || !word)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "types[%zu] has no name or no type", i);
    if (!osdear__type_parse(osdear__str_of(word), &override->type) || !osdear__text_can_be(&override->type))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "column %s: \"%s\" is no type that text can be read as; such are long, double, "
                          "decimal(10,2), date, timestamp, timestamp_ntz, boolean, string, binary",
                          name, word);
    name = osdear__arena_strdup(&source->arena, name);
    if (!name)
      return osdear__fail_memory(error);
    override->name = osdear__str_of(name);
  }
  return OSDEAR_OK;
}

static osdear_status check_options(const osdear_source_options *options, osdear_error **error)
{
  char quote = options->quote ? options->quote : '"';

  if (options->infer_rows < -1 || options->batch_rows < 0 || options->header < -1 || options->header > 1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "infer_rows from -1, batch_rows from 0, header -1, 0 or 1");
  if (options->delimiter == quote || options->delimiter == '\n' || options->delimiter == '\r' || (options->delimiter & 0x80))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a delimiter is one ASCII character, not the quote and no line's end");
  if (quote == '\n' || quote == '\r' || (quote & 0x80))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a quote is one ASCII character, and no line's end");
  return OSDEAR_OK;
}

static osdear_status read_feed_options(osdear__source *source, osdear_error **error)
{
  const osdear_source_options *options = &source->options;
  osdear__feed_options *feed = &source->feed_options;

  *feed = (osdear__feed_options){ .find_codec = !options->compression, .meter = &source->meter };
  if (options->compression && !(osdear__codec_of_name(options->compression, &feed->codec) &&
                                (feed->codec == CODEC_NONE || feed->codec == CODEC_GZIP || feed->codec == CODEC_ZSTD)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "compression \"%s\" is none of none, gzip, zstd", options->compression);
  if (options->encoding && !osdear__encoding_of_name(options->encoding, &feed->encoding))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "encoding \"%s\" is none of utf-8, latin1, windows-1252, utf-16le, utf-16be",
                        options->encoding);
  return OSDEAR_OK;
}

/* Any column of a text file may be missing in a row; whoever takes the rows knows what must not be null. Keys of maps never are. */
static void make_nullable(osdear__type *type)
{
  for (size_t i = 0; i < type->field_count; i++) {
    type->fields[i].nullable = type->kind != KIND_MAP || i != 0;
    make_nullable(&type->fields[i].type);
  }
}

static osdear_status read_schema(osdear__source *source, osdear_error **error)
{
  osdear_status st;

  if (!source->options.schema)
    return OSDEAR_OK;
  st = osdear__schema_import(source->options.schema, &source->arena, &source->type, error);
  if (st)
    return osdear__fail_within(error, st, "the schema given for the files");
  if (!source->type.field_count)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the schema given for the files has no column");
  make_nullable(&source->type);
  source->has_schema = true;
  source->options.schema = NULL;
  return OSDEAR_OK;
}

static osdear_status read_options(osdear__source *source, const osdear_source_options *given, osdear_error **error)
{
  osdear_source_options *options = &source->options;
  osdear_status st;

  *options = (osdear_source_options)OSDEAR_SOURCE_OPTIONS_INIT;
  st = osdear__options_read(options, sizeof *options, given, error);
  if (!st)
    st = check_options(options, error);
  if (!st)
    st = copy_text(source, &options->format, error);
  if (!st)
    st = copy_nulls(source, error);
  if (!st)
    st = copy_types(source, error);
  if (!st)
    st = read_feed_options(source, error);
  if (!st)
    st = read_schema(source, error);
  options->types = NULL; /* the caller's: source->overrides has what was said there */
  options->compression = options->encoding = NULL;
  if (!options->batch_rows)
    options->batch_rows = OSDEAR__BATCH_ROWS;
  if (!options->infer_rows)
    options->infer_rows = OSDEAR__INFER_ROWS;
  return st;
}

/* ---- files ---- */

osdear_status osdear__source_look(osdear__source *source, osdear__source_file *file, osdear__feed **out, osdear_error **error)
{
  osdear_status st;

  if (file->feed) {
    st = osdear__feed_rewind(file->feed, true, error);
    if (!st)
      *out = file->feed;
    return st;
  }
  st = osdear__feed_open(file->path, &source->feed_options, out, error);
  if (!st && osdear__feed_is_held(*out))
    file->feed = *out;
  return st;
}

void osdear__source_looked(osdear__source_file *file, osdear__feed **feed)
{
  if (file->feed)
    *feed = NULL;
  osdear__feed_auto(feed);
}

osdear_status osdear__source_feed(osdear__source *source, osdear__source_file *file, osdear__feed **out, osdear_error **error)
{
  osdear_status st;

  if (!file->feed)
    return osdear__feed_open(file->path, &source->feed_options, out, error);
  st = osdear__feed_rewind(file->feed, false, error);
  if (st)
    return st;
  *out = file->feed;
  file->feed = NULL;
  return OSDEAR_OK;
}

/* For progress: -1 where a size is not known beforehand. Missing files are told of when they are opened. */
static int64_t total_size(const osdear__source *source)
{
  int64_t total = 0;

  for (size_t i = 0; i < source->file_count; i++) {
    struct stat about;
    bool is_known =
        strcmp(source->files[i].path, "-") == 0 ? fstat(STDIN_FILENO, &about) == 0 : stat(source->files[i].path, &about) == 0;
    if (!is_known || !S_ISREG(about.st_mode))
      return -1;
    total += (int64_t)about.st_size;
  }
  return total;
}

static osdear_status copy_files(osdear__source *source, const char *const *uris, size_t count, osdear_error **error)
{
  size_t standard_inputs = 0;

  source->files = osdear__arena_zeroed(&source->arena, count, sizeof *source->files);
  if (!source->files)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const char *path = uris[i];
    if (!path || !*path)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "uris[%zu] is empty", i);
    if (osdear__starts_with(path, "file:///"))
      path += strlen("file://");
    standard_inputs += strcmp(path, "-") == 0;
    path = osdear__arena_strdup(&source->arena, path);
    if (!path)
      return osdear__fail_memory(error);
    source->files[i].path = path;
  }
  if (standard_inputs > 1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "standard input (-) was named %zu times, but can be read only once",
                        standard_inputs);
  source->file_count = count;
  source->meter.total = total_size(source);
  return OSDEAR_OK;
}

/* ---- the format ---- */

static const osdear__format *const formats[] = { &osdear__format_csv, &osdear__format_ndjson, &osdear__format_parquet };

static const osdear__format *format_by_name(const char *path)
{
  static const struct {
    const char *ending;
    const osdear__format *format;
  } endings[] = {
    { ".csv", &osdear__format_csv },      { ".tsv", &osdear__format_csv },         { ".ndjson", &osdear__format_ndjson },
    { ".jsonl", &osdear__format_ndjson }, { ".parquet", &osdear__format_parquet },
  };
  static const char *const packers[] = { "", ".gz", ".gzip", ".zst", ".zstd" };

  for (size_t i = 0; i < COUNT_OF(packers); i++) {
    size_t size = strlen(path), packed = strlen(packers[i]);
    if (!osdear__ends_with(path, packers[i]))
      continue;
    for (size_t j = 0; j < COUNT_OF(endings); j++) {
      osdear__str ending = osdear__str_of(endings[j].ending);
      if (size >= packed + ending.size &&
          osdear__str_equal_nocase((osdear__str){ path + size - packed - ending.size, ending.size }, ending))
        return endings[j].format;
    }
  }
  return NULL;
}

static const osdear__format *format_by_content(const char *bytes, size_t size)
{
  size_t at = 0;

  if (size >= 4 && memcmp(bytes, "PAR1", 4) == 0)
    return &osdear__format_parquet;
  while (at < size && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\n' || bytes[at] == '\r'))
    at++;
  return at < size && bytes[at] == '{' ? &osdear__format_ndjson : &osdear__format_csv;
}

static osdear_status look_for_format(osdear__source *source, osdear_error **error)
{
  char bytes[4096];
  size_t got = 0;
  osdear__feed *feed = NULL;
  osdear_status st = osdear__source_look(source, &source->files[0], &feed, error);

  if (st)
    return st;
  st = osdear__feed_read(feed, bytes, sizeof bytes, &got, error);
  osdear__source_looked(&source->files[0], &feed);
  source->meter.done = 0; /* these bytes are read again */
  if (!st)
    source->format = format_by_content(bytes, got);
  return st;
}

static osdear_status find_format(osdear__source *source, osdear_error **error)
{
  const char *wanted = source->options.format;

  if (!wanted) {
    source->format = format_by_name(source->files[0].path);
    return source->format ? OSDEAR_OK : look_for_format(source, error);
  }
  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    if (osdear__str_equal_nocase(osdear__str_of(wanted), osdear__str_of(formats[i]->name)))
      source->format = formats[i];
  }
  if (osdear__str_equal_nocase(osdear__str_of(wanted), STR("jsonl")))
    source->format = &osdear__format_ndjson;
  return source->format ? OSDEAR_OK
                        : osdear__fail(error, OSDEAR_ERR_ARGUMENT, "format \"%s\" is none of csv, ndjson, parquet", wanted);
}

/* ---- columns ---- */

int64_t osdear__source_look_rows(const osdear__source *source, size_t index, int64_t looked)
{
  const int64_t least = 1000;
  int64_t left, share;

  if (source->options.infer_rows < 0)
    return INT64_MAX;
  left = source->options.infer_rows - looked;
  share = left / (int64_t)(source->file_count - index);
  if (share < least)
    share = source->options.infer_rows < least ? source->options.infer_rows : least;
  return share;
}

bool osdear__source_is_given(const osdear__source *source, size_t column)
{
  if (source->has_schema)
    return true;
  for (size_t i = 0; i < source->override_count; i++) {
    if (osdear__type_find(&source->type, source->overrides[i].name) == (int64_t)column)
      return true;
  }
  return false;
}

osdear_status osdear__source_override(osdear__source *source, osdear_error **error)
{
  for (size_t i = 0; i < source->override_count; i++) {
    const osdear__override *override = &source->overrides[i];
    int64_t at = osdear__type_find(&source->type, override->name);
    if (at < 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a type was given for column %s, which none of the files has",
                          override->name.data);
    source->type.fields[at].type = override->type;
  }
  return OSDEAR_OK;
}

bool osdear__source_report_column(osdear__source *source, size_t column)
{
  const osdear__field *field = &source->type.fields[column];

  osdear__buf_printf(&source->report, "%s ", field->name);
  osdear__type_name(&field->type, &source->report);
  osdear__buf_puts(&source->report, ": ");
  if (!osdear__source_is_given(source, column))
    return true;
  osdear__buf_puts(&source->report, "as asked\n");
  return false;
}

osdear_status osdear__source_fail_column(const char *file, osdear__str name, osdear_error **error)
{
  int shown = name.size > 80 ? 80 : (int)name.size;

  return osdear__fail(error, OSDEAR_ERR_DATA, "%s: column %.*s is not in the schema given", file, shown, name.data);
}

osdear_status osdear__source_fail_value(const osdear__source *source, size_t column, const char *file, int64_t line,
                                        osdear__str text, osdear_error **error)
{
  const osdear__field *field = &source->type.fields[column];
  osdear__buf type = { 0 };
  osdear_status st;
  int shown = text.size > 80 ? 80 : (int)text.size;

  osdear__type_name(&field->type, &type);
  st = osdear__fail(error, OSDEAR_ERR_DATA,
                    "%s, line %" PRId64 ", column %s: \"%.*s%s\" is no %s; give the type with --type %s=string", file, line,
                    field->name, shown, text.data, text.size > 80 ? "…" : "", type.data ? type.data : "such value", field->name);
  osdear__buf_drop(&type);
  return st;
}

/* ---- the handle ---- */

static void source_unref(osdear__source *source)
{
  if (!source || atomic_fetch_sub(&source->references, 1) > 1)
    return;
  for (size_t i = 0; i < source->file_count; i++)
    osdear__feed_auto(&source->files[i].feed);
  osdear__buf_drop(&source->report);
  osdear__arena_drop(&source->arena);
  osdear_context_unref(source->context);
  osdear__free(source);
}

static osdear_status open_source(osdear__source *source, const char *const *uris, size_t uri_count,
                                 const osdear_source_options *options, osdear_error **error)
{
  osdear_status st = read_options(source, options, error);

  if (!st)
    st = copy_files(source, uris, uri_count, error);
  if (!st)
    st = find_format(source, error);
  if (!st)
    st = source->format->look(source, error);
  return st ? st : osdear__buf_check(&source->report, error);
}

osdear_status osdear_source_open(osdear_context *context, const char *const *uris, size_t uri_count,
                                 const osdear_source_options *options, osdear_source **out, osdear_error **error)
{
  osdear__source *source;
  osdear_status st;

  if (!context || !uris || !uri_count || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "context, uris and out must not be NULL, and at least one file must be named");
  source = osdear__alloc_zeroed(1, sizeof *source);
  if (!source)
    return osdear__fail_memory(error);
  atomic_init(&source->references, 1);
  source->context = osdear_context_ref(context);
  source->meter = (osdear__meter){ context, 0, -1 };
  st = open_source(source, uris, uri_count, options, error);
  if (st) {
    source_unref(source);
    return st;
  }
  *out = source;
  return OSDEAR_OK;
}

void osdear_source_free(osdear_source *source)
{
  source_unref(source);
}

osdear_status osdear_source_schema(const osdear_source *source, struct ArrowSchema *out, osdear_error **error)
{
  if (!source || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "source and out must not be NULL");
  return osdear__schema_export(&source->type, out, error);
}

const char *osdear_source_report(const osdear_source *source)
{
  return source && source->report.data ? source->report.data : "";
}

/* ---- the stream ---- */

typedef struct source_stream {
  osdear__source *source;
  void *state;
} source_stream;

static osdear_status stream_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  source_stream *stream = state;

  return stream->source->format->next(stream->state, out, error);
}

static void stream_close(void *state)
{
  source_stream *stream = state;

  if (stream->state)
    stream->source->format->close(stream->state);
  source_unref(stream->source);
  osdear__free(stream);
}

osdear_status osdear_source_stream(osdear_source *source, struct ArrowArrayStream *out, osdear_error **error)
{
  source_stream *stream;
  osdear_status st;

  if (!source || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "source and out must not be NULL");
  if (source->is_taken)
    return osdear__fail(error, OSDEAR_ERR_STATE, "the rows of these files were read before; open them again");
  stream = osdear__alloc_zeroed(1, sizeof *stream);
  if (!stream)
    return osdear__fail_memory(error);
  atomic_fetch_add(&source->references, 1);
  stream->source = source;
  source->meter.done = 0; /* what was looked at is read again */
  st = source->format->start(source, &stream->state, error);
  if (st) {
    stream_close(stream);
    return st;
  }
  st = osdear__stream_export(&source->type, stream_next, stream_close, stream, out, error);
  source->is_taken = !st;
  return st;
}
