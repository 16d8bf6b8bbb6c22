/** @file read_parquet.h What a fuzz target does with a file that opens: everything that a reader may ask of it. */
#ifndef OSDEAR_TESTS_FUZZ_READ_PARQUET_H
#define OSDEAR_TESTS_FUZZ_READ_PARQUET_H

#include <parquet/parquet.h>

/* Takes the input over. */
void read_everything(osdear__input *input);

#endif
