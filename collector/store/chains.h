/*
 * index/chains.db: which headers are there, where each chain ends, which epoch certificates came. All of it is told by
 * the leaves; after a crash it is brought up to the log again.
 *
 * What was appended and waits for store_commit is in the open transaction: visible here, gone with it.
 */
#ifndef SEKISHO_STORE_CHAINS_H
#define SEKISHO_STORE_CHAINS_H

#include "collector/store/sql.h"
#include "collector/store/store.h"

struct chains;

int chains_open(const char *dir, bool writable, struct chains **out);
void chains_close(struct chains *c);

/* Leaves that it knows of; appending goes on there. */
uint64_t chains_next(const struct chains *c);
/* Adds the next leaf, in a transaction that is begun where none is open. 0; V_EXISTS with *index; -errno. */
int chains_add(struct chains *c, const struct segment *s, uint64_t *index);
int chains_commit(struct chains *c);
int chains_rollback(struct chains *c);

int chains_heads(struct chains *c, const struct digest *host, unsigned producer, struct store_head *out, unsigned max,
	unsigned *n);
int chains_find(struct chains *c, const struct digest *hash, uint64_t *index, uint64_t *seq);
int chains_successor(
	struct chains *c, const struct digest *host, unsigned producer, const struct digest *hash, bool *yes);
int chains_epoch(struct chains *c, const struct digest *host, unsigned producer, uint64_t number, const uint8_t *kid,
	struct buf *cert);

#endif
