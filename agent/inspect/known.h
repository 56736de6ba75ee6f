/*
 * The table of known documents between the daemon and the inspector's children: bytes in memory that nobody can change
 * any more (memfd_create(2), sealed), of which each question passes the descriptor. Written and read here.
 *
 *   "SKD1", key, one byte: how many; of each: one byte whether there is a SHA-256, the SHA-256, be32 how many
 *   fingerprints, the fingerprints
 */
#ifndef SEKISHO_INSPECT_KNOWN_H
#define SEKISHO_INSPECT_KNOWN_H

#include "agent/inspect/inspect.h"

#define KNOWN_TABLE_MAX (1u << 20)

struct known {
	uint8_t key[INSPECT_KEY_SIZE];
	unsigned n;
	struct inspect_known_document document[INSPECT_KNOWN_MAX]; /* borrow from the table */
};

/* 0; V_BAD: nothing has changed. */
int known_read(struct span table, struct known *out, struct why *why);

/* Its descriptor, to be passed on. */
int inspect_known_fd(const struct inspect_known *known);

#endif
