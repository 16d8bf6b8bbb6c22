/** @file handle.h What the files behind include/osdear/store.h share. Private to this layer. */
#ifndef OSDEAR_SRC_STORE_HANDLE_H
#define OSDEAR_SRC_STORE_HANDLE_H

#include <osdear/store.h>
#include <store/store.h>

struct osdear_store {
  osdear_context *context;
  osdear__store *store;
};

/* How much of a file is held at once, where the budget is divided by `shares`: 1 MiB to 16 MiB. */
size_t osdear__piece_bytes(const osdear_context *context, int64_t shares);

#endif
