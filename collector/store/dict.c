/*
 * An open-addressed table. Used by index.c.
 */
#include "collector/store/dict.h"
#include <errno.h>

static size_t slot_of(const struct dict *d, uint64_t hash)
{
	size_t at = hash & (d->cap - 1);

	while (d->slots[at].id && d->slots[at].hash != hash)
		at = (at + 1) & (d->cap - 1);
	return at;
}

int64_t dict_get(const struct dict *d, uint64_t hash)
{
	return d->cap ? d->slots[slot_of(d, hash)].id : 0;
}

int dict_put(struct dict *d, uint64_t hash, int64_t id)
{
	size_t at;

	if (d->n == DICT_MAX) {
		d->partial = true;
		return 0;
	}
	if (d->n * 2 >= d->cap) {
		struct dict bigger = {.cap = d->cap ? d->cap * 2 : 4096, .n = d->n};

		bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
		if (!bigger.slots)
			return -ENOMEM;
		for (at = 0; at < d->cap; at++)
			if (d->slots[at].id)
				bigger.slots[slot_of(&bigger, d->slots[at].hash)] = d->slots[at];
		free(d->slots);
		d->slots = bigger.slots;
		d->cap = bigger.cap;
	}
	at = slot_of(d, hash);
	d->n += !d->slots[at].id;
	d->slots[at].hash = hash;
	d->slots[at].id = id;
	return 0;
}

void dict_deinit(struct dict *d)
{
	free(d->slots);
	*d = (struct dict){.n = 0};
}
