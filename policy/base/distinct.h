/*
 * Different words, each kept once, in the order in which they came: the PCs and people of something that happened many
 * times. Words are bytes of any kind. For whoever folds many records into few lines.
 */
#ifndef SEKISHO_BASE_DISTINCT_H
#define SEKISHO_BASE_DISTINCT_H

#include "policy/base/buf.h"

/* Zero but for `most`, and `room` where it is bounded. */
struct distinct {
	unsigned most; /* so many words are kept */
	size_t *room;  /* bytes that this list and others may still take together; NULL: any number */
	unsigned n;
	bool more;      /* others came, for which there was no room: there are more than n */
	struct span *v; /* the words, in the order in which they came */

	unsigned cap, slots_n;
	uint32_t *slots; /* number of the word + 1, by its hash; 0: free */
};

/* Takes a copy of `word`, unless it is empty or there already. 0; -ENOMEM (nothing is changed). */
int distinct_add(struct distinct *d, struct span word);
/* Is the word there, and where in `v`? */
bool distinct_find(const struct distinct *d, struct span word, unsigned *at);
/* Releases the words, not what is left of the room. */
void distinct_deinit(struct distinct *d);

#endif
