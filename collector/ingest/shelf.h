/*
 * Small things that a collector keeps beside its store, by name: tokens, renewals under way. A file each in a folder of
 * its own; or, where the store is a database that several collectors share, a row each there, which all of them have.
 */
#ifndef SEKISHO_INGEST_SHELF_H
#define SEKISHO_INGEST_SHELF_H

#include "collector/store/store.h"

#define SHELF_TOKENS "token" /* kinds */
#define SHELF_RENEWALS "renewal"

struct shelf {
	const char *dir;     /* the folder */
	struct store *store; /* NULL: in the folder */
	const char *kind;
};

/* The value is appended. 0; V_NOT_FOUND; V_FULL: larger than the buffer; -errno. */
int shelf_get(const struct shelf *s, const char *name, struct buf *value);
/* As store_shelf_put: 0; V_EXISTS where something else than `before` is there; -errno. */
int shelf_put(const struct shelf *s, const char *name, struct span value, const struct span *before);
/* 0 also where nothing is there; -errno. */
int shelf_drop(const struct shelf *s, const char *name);
/*
 * Tells of each name; values longer than `max` bytes, and in a folder what is no file, are left out. 0; what `fn`
 * returned, where that is not 0; -errno.
 */
int shelf_each(const struct shelf *s, size_t max, store_shelf_fn fn, void *ctx);
/*
 * What a collector has in its folder from before there was a shelf is put there, and goes from the folder: a renewal
 * that was used must not come back. What is there already stays as it is. 0, -errno.
 */
int shelf_take_over(const struct shelf *s, size_t max);
/*
 * The other way, for a log that has moved back into files: what `from`, a store that is open for reading, has of this
 * kind goes into the folder, and from the shelf: one of two copies of a token could be used again. 0, -errno.
 */
int shelf_give_back(const struct shelf *s, struct store *from);

#endif
