#include <codec/ops.h>

const osdear__codec_ops *const osdear__zstd_ops = NULL;
