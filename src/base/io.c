/* Bytes in and out through small vtables, so that formats need not know stores. */
#include <base/base.h>

osdear_status osdear__input_read(osdear__input *input, int64_t offset, void *out, size_t size, osdear_error **error)
{
  if (offset < 0 || size > INT64_MAX || offset > input->size_bytes || (int64_t)size > input->size_bytes - offset)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: %zu bytes wanted at offset %" PRId64 ", but the file has %" PRId64,
                        input->name, size, offset, input->size_bytes);
  if (size == 0)
    return OSDEAR_OK;
  return input->read_at(input, offset, out, size, error);
}

osdear_status osdear__input_ahead(osdear__input *input, const osdear__byte_range *ranges, size_t count, int64_t memory,
                                  osdear__input **out, osdear_error **error)
{
  *out = NULL;
  return input->ahead && count > 0 ? input->ahead(input, ranges, count, memory, out, error) : OSDEAR_OK;
}

void osdear__input_auto(osdear__input **input)
{
  if (*input)
    (*input)->close(*input);
  *input = NULL;
}

osdear_status osdear__output_write(osdear__output *output, const void *data, size_t size, osdear_error **error)
{
  osdear_status st;

  if (size == 0)
    return OSDEAR_OK;
  st = output->write(output, data, size, error);
  if (!st)
    output->written += (int64_t)size;
  return st;
}

void osdear__output_auto(osdear__output **output)
{
  if (*output)
    (*output)->close(*output);
  *output = NULL;
}

typedef struct bytes_input {
  osdear__input input;
  const char *data;
} bytes_input;

static osdear_status read_bytes(osdear__input *input, int64_t offset, void *out, size_t size, osdear_error **error)
{
  (void)error;
  memcpy(out, ((bytes_input *)input)->data + offset, size);
  return OSDEAR_OK;
}

static void close_bytes(osdear__input *input)
{
  osdear__free(input);
}

osdear_status osdear__input_of_bytes(const void *data, size_t size, const char *name, osdear__input **out, osdear_error **error)
{
  bytes_input *made = osdear__alloc(sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  *made = (bytes_input){ { .read_at = read_bytes, .close = close_bytes, .size_bytes = (int64_t)size, .name = name }, data };
  *out = &made->input;
  return OSDEAR_OK;
}
