/** @file data_writer.h What the parts of the data writer share. Only for data_writer*.c. */
#ifndef OSDEAR_SRC_DELTA_DATA_WRITER_H
#define OSDEAR_SRC_DELTA_DATA_WRITER_H

#include <delta/write.h>

/* A data file being written. */
typedef struct osdear__data_file {
  osdear__output *output;
  osdear__parquet_writer *writer;
  osdear__leaf_facts facts;
  char *path;   /* relative to the table, not encoded; in the writer's arena */
  int64_t held; /* bytes not yet written out */
} osdear__data_file;

typedef struct osdear__data_partition {
  struct osdear__data_partition *newer, *older; /* among those with an open file, by last use */
  osdear__partition_value *values;              /* NULL until the first row */
  const char *folder;                           /* "" or ends in a slash */
  osdear__data_file file;                       /* output NULL: none is open */
  struct ArrowArray *chunks;                    /* rows not yet encoded */
  size_t chunk_count;
  size_t chunk_room;
  int64_t pending_rows;
  int64_t pending_bytes;
} osdear__data_partition;

struct osdear__data_writer {
  osdear_snapshot *snapshot;
  osdear__arena arena;
  osdear__type file_type; /* the table's columns but those that partition it and those of type void */
  size_t *file_columns;   /* which they are */
  size_t *partition_columns;
  size_t partition_column_count;
  osdear__parquet_write format;
  const char *suffix; /* "-c000.zstd.parquet" */
  int64_t target_file_bytes;
  int64_t max_pending;
  int64_t max_held;
  bool random_folders;
  int64_t random_length;

  osdear__router *router;              /* NULL: not partitioned */
  osdear__data_partition **partitions; /* by the router's number */
  size_t partition_count;
  size_t partition_room;
  osdear__data_partition *newest, *oldest; /* with an open file */
  size_t open_count;
  int64_t total_pending;
  int64_t total_held;
  osdear__buf ids; /* scratch of add() */
  osdear__buf starts;
  osdear__buf rows;

  osdear__file *files;
  char **paths; /* of `files`, not encoded */
  size_t file_count;
  size_t file_room;
  int64_t row_count;
  int64_t next_number;
  bool keep;
};

/* ---- data_writer_files.c ---- */

/* Into the partition's file, which is opened for it, and finished once it is large enough. */
MUST_USE osdear_status osdear__data_file_write(osdear__data_writer *self, osdear__data_partition *part,
                                               const struct ArrowArray *rows, osdear_error **error);
/* Makes it visible in the store and known to the writer; nothing where none is open. */
MUST_USE osdear_status osdear__data_file_finish(osdear__data_writer *self, osdear__data_partition *part, osdear_error **error);
/* Unfinished, it leaves nothing behind. */
void osdear__data_file_close(osdear__data_writer *self, osdear__data_partition *part);

/* ---- data_writer_partitions.c ---- */

/* There are numbers up to `count`. */
MUST_USE osdear_status osdear__data_writer_expect(osdear__data_writer *self, size_t count, osdear_error **error);
MUST_USE osdear_status osdear__data_partition_find(osdear__data_writer *self, uint32_t id, osdear__data_partition **out,
                                                   osdear_error **error);
/* Until there are enough of them, rows wait. Takes `rows` over in every case. */
MUST_USE osdear_status osdear__data_partition_hold(osdear__data_writer *self, osdear__data_partition *part,
                                                   struct ArrowArray *rows, int64_t bytes, osdear_error **error);
/* Those that wait, into its file. */
MUST_USE osdear_status osdear__data_partition_drain(osdear__data_writer *self, osdear__data_partition *part,
                                                    osdear_error **error);
void osdear__data_partition_forget(osdear__data_writer *self, osdear__data_partition *part);
/* The partitions with the most are written out: at least those above the average, until half of the budget is free again. */
MUST_USE osdear_status osdear__data_writer_reduce_pending(osdear__data_writer *self, osdear_error **error);
/* The largest files are finished until the others fit. */
MUST_USE osdear_status osdear__data_writer_reduce_held(osdear__data_writer *self, osdear_error **error);

#endif
