/* Gold as a picture: delays by carrier and hour of the day, an SVG heat map on standard output.
 *
 * usage: delays_svg GOLD_TABLE > delays.svg */
#include "columns.h"

#include <string.h>

enum { CELL = 24, LEFT = 210, TOP = 70, MOST_AIRLINES = 64 };

static char airlines[MOST_AIRLINES][64];
static int airline_count;

static int line_of(const char *name, int size)
{
  for (int i = 0; i < airline_count; i++)
    if ((int)strlen(airlines[i]) == size && memcmp(airlines[i], name, (size_t)size) == 0)
      return i;
  if (airline_count == MOST_AIRLINES)
    return airline_count - 1;
  snprintf(airlines[airline_count], sizeof airlines[0], "%.*s", size, name);
  printf("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", LEFT - 8, TOP + airline_count * CELL + 16,
         airlines[airline_count]);
  return airline_count++;
}

/* From white at no delay to red at an hour's. */
static void put_cell(int line, int hour, int64_t flights, double minutes)
{
  double heat = minutes < 0 ? 0 : minutes > 60 ? 1 : minutes / 60;

  printf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"rgb(%d,%d,%d)\"><title>%s, %02d:00: %.1f minutes over %lld "
         "flights"
         "</title></rect>\n",
         LEFT + hour * CELL, TOP + line * CELL, CELL - 1, CELL - 1, 255 - (int)(heat * 60), 245 - (int)(heat * 210),
         235 - (int)(heat * 215), airlines[line], hour, minutes, (long long)flights);
}

static void put_rows(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
  const int32_t *hours = column(schema, batch, "hour")->buffers[1];
  const int64_t *flights = column(schema, batch, "flights")->buffers[1];
  const double *delays = column(schema, batch, "mean_delay")->buffers[1];

  for (int64_t row = 0; row < batch->length; row++) {
    int size;
    const char *name = text_at(column(schema, batch, "airline"), row, &size);
    put_cell(line_of(name, size), hours[row], flights[row], delays[row]);
  }
}

int main(int count, char **words)
{
  struct ArrowArrayStream rows;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  osdear_context *context;
  osdear_snapshot *gold;
  osdear_scan *scan;
  osdear_error *error = NULL;

  if (count != 2)
    usage("delays_svg GOLD_TABLE > delays.svg");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_snapshot_open(context, words[1], NULL, &gold, &error), &error);
  need(osdear_scan_new(gold, NULL, &scan, &error), &error);
  need(osdear_scan_schema(scan, &schema, &error), &error);
  need(osdear_scan_stream(scan, &rows, &error), &error);
  printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"500\" font-family=\"sans-serif\" font-size=\"13\">\n"
         "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
         "<text x=\"%d\" y=\"28\" font-size=\"17\">Mean departure delay from New York in 2013, by airline and hour</text>\n",
         LEFT + 25 * CELL, LEFT);
  for (int hour = 0; hour < 24; hour++)
    printf("<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"gray\">%d</text>\n", LEFT + hour * CELL + CELL / 2, TOP - 8,
           hour);
  while (rows.get_next(&rows, &batch) == 0 && batch.release) {
    put_rows(&schema, &batch);
    batch.release(&batch);
  }
  printf("<text x=\"%d\" y=\"%d\" fill=\"gray\">white: on time; red: an hour or more; no colour: no flights</text>\n</svg>\n",
         LEFT, TOP + airline_count * CELL + 24);
  need_rows(&rows);
  rows.release(&rows);
  schema.release(&schema);
  osdear_scan_free(scan);
  osdear_snapshot_unref(gold);
  osdear_context_unref(context);
  return 0;
}
