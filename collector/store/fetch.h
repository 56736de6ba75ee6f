/*
 * Records out of the packs, for queries: a segment is decoded once and stays while its rows are being told.
 */
#ifndef SEKISHO_STORE_FETCH_H
#define SEKISHO_STORE_FETCH_H

#include "collector/store/store.h"

#define FETCH_SLOTS 4096u
#define FETCH_BYTES (128u << 20)

struct fetch;

int fetch_new(struct store *s, struct fetch **out);
void fetch_free(struct fetch *f);
/*
 * Record `i` of the segment; its spans are good until the next call. `host` is the segment's. 0; V_NOT_FOUND where the
 * body is gone or damaged; -errno.
 */
int fetch_record(struct fetch *f, uint64_t leaf, unsigned i, struct record *out, struct digest *host);

#endif
