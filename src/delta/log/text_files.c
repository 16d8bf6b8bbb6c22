/* File actions out of lines of JSON: a piece of the text is in memory, whatever its length. */
#include <delta/log/log.h>

void osdear__text_files_drop(osdear__text_files *files)
{
  osdear__log_text_auto(&files->text);
  osdear__json_parser_auto(&files->parser);
  osdear__arena_drop(&files->arena);
  osdear__free(files->files);
}

osdear_status osdear__text_files_open(osdear__text_files *files, osdear__store *store, const char *path, int64_t size_bytes,
                                      osdear_error **error)
{
  files->ordinal = 0;
  files->count = files->next = 0;
  return osdear__log_text_open(store, path, size_bytes, &files->text, error);
}

static osdear_status on_action(void *argument, const osdear__action *action, osdear_error **error)
{
  osdear__text_files *files = argument;
  bool wanted = false;
  osdear_status st = files->pick(files->argument, action, files->ordinal++, &wanted, error);

  if (st || !wanted)
    return st;
  if (files->count == files->room) {
    size_t room = files->room ? files->room * 2 : 64;
    osdear__file *grown = osdear__realloc_array(files->files, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    files->files = grown;
    files->room = room;
  }
  st = osdear__file_copy(&action->file, &files->arena, &files->files[files->count], error);
  if (!st)
    files->count++;
  return st;
}

osdear_status osdear__text_files_next(osdear__text_files *files, const osdear__file **out, osdear_error **error)
{
  osdear__str text;
  int64_t line;
  osdear_status st;

  *out = NULL;
  while (files->next == files->count) {
    files->count = files->next = 0;
    osdear__arena_reset(&files->arena);
    st = osdear__log_text_next(files->text, &text, &line, error);
    if (st)
      return st;
    if (!text.size) {
      osdear__log_text_auto(&files->text);
      return OSDEAR_OK;
    }
    st = osdear__actions_parse(text, osdear__log_text_name(files->text), line, files->keep, &files->parser, on_action, files,
                               error);
    if (st)
      return st;
  }
  *out = &files->files[files->next++];
  return OSDEAR_OK;
}
