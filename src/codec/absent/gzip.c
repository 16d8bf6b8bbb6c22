#include <codec/ops.h>

const osdear__codec_ops *const osdear__gzip_ops = NULL;
