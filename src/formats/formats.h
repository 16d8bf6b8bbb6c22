/** @file formats.h Rows in and out of files that are not tables. Its face is public: osdear/source.h and osdear/sink.h. */
#ifndef OSDEAR_SRC_FORMATS_H
#define OSDEAR_SRC_FORMATS_H

#include <arrow/arrow.h>
#include <codec/codec.h>
#include <json/json.h>
#include <osdear/sink.h>
#include <osdear/source.h>
#include <parquet/parquet.h>

#endif
