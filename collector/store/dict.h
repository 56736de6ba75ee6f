/*
 * Dictionaries of the writer: from the keyed hash of a name (or of a combination) to its id, in memory, so that a name
 * that is known costs no look-up in the database, and a new one is known to be new.
 *
 * The hash is SipHash-2-4 under a key that every index file draws for itself: who chooses names cannot choose which
 * ones meet. 64 bits are taken for the name itself.
 */
#ifndef SEKISHO_STORE_DICT_H
#define SEKISHO_STORE_DICT_H

#include "policy/base/siphash.h"

#define DICT_MAX (4u << 20) /* names kept in memory: 128 MiB at most; beyond, the database is asked */

struct dict {
	struct {
		uint64_t hash;
		int64_t id; /* 0: free */
	} * slots;
	size_t n, cap;
	bool partial; /* not all that the database has is here */
};

/* By which a name is found whose last component is `tail`: 24 bits, of a dozen million names about one other has them.
 */
static inline int64_t dict_tail(const uint64_t key[2], struct span tail)
{
	return (int64_t)(siphash(key, tail) >> 40);
}
/* The id, or 0. */
int64_t dict_get(const struct dict *d, uint64_t hash);
/* 0, -ENOMEM. Past DICT_MAX nothing is added, and `partial` is set. */
int dict_put(struct dict *d, uint64_t hash, int64_t id);
void dict_deinit(struct dict *d);

#endif
