/*
 * See distinct.h. Open addressing over the words' hashes; bytes decide, so that no word can pass for another.
 */
#include "policy/base/distinct.h"
#include <errno.h>

#define CAP_FIRST 4u

/* Where the word is, or would be. */
static uint32_t *slot_of(const struct distinct *d, struct span word)
{
	unsigned at = (unsigned)(span_hash(word) & (d->slots_n - 1));

	while (d->slots[at] && !span_eq(d->v[d->slots[at] - 1], word))
		at = (at + 1) & (d->slots_n - 1);
	return &d->slots[at];
}

static int grow(struct distinct *d)
{
	unsigned cap = d->cap ? 2 * d->cap : CAP_FIRST, i;
	struct distinct bigger = {.slots_n = 2 * cap};
	struct span *v = realloc(d->v, cap * sizeof(*v));

	if (!v)
		return -ENOMEM;
	d->v = v;
	bigger.v = v;
	bigger.slots = calloc(bigger.slots_n, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (i = 0; i < d->n; i++)
		*slot_of(&bigger, v[i]) = i + 1;
	free(d->slots);
	d->slots = bigger.slots;
	d->slots_n = bigger.slots_n;
	d->cap = cap;
	return 0;
}

int distinct_add(struct distinct *d, struct span word)
{
	const size_t bytes = word.n + sizeof(*d->v) + 4 * sizeof(*d->slots);
	uint8_t *copy;
	int r;

	if (!word.n || (d->slots_n && *slot_of(d, word)))
		return 0;
	if (d->n >= d->most || (d->room && *d->room < bytes)) {
		d->more = true;
		return 0;
	}
	r = d->n == d->cap ? grow(d) : 0;
	if (r)
		return r;
	copy = malloc(word.n);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, word.p, word.n);
	*slot_of(d, word) = d->n + 1;
	d->v[d->n++] = SPAN(copy, word.n);
	if (d->room)
		*d->room -= bytes;
	return 0;
}

bool distinct_find(const struct distinct *d, struct span word, unsigned *at)
{
	uint32_t slot = d->slots_n && word.n ? *slot_of(d, word) : 0;

	if (slot)
		*at = slot - 1;
	return slot;
}

void distinct_deinit(struct distinct *d)
{
	unsigned i;

	for (i = 0; i < d->n; i++)
		free((void *)d->v[i].p);
	free(d->v);
	free(d->slots);
	*d = (struct distinct){.most = d->most, .room = d->room};
}
