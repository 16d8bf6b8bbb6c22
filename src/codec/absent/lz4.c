#include <codec/ops.h>

const osdear__codec_ops *const osdear__lz4_hadoop_ops = NULL;
const osdear__codec_ops *const osdear__lz4_raw_ops = NULL;
