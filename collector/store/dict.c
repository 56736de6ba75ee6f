/*
 * SipHash-2-4 (Aumasson, Bernstein 2012) and an open-addressed table. Used by index.c and, for the hash, by the
 * queries.
 */
#include "collector/store/dict.h"
#include <errno.h>

#define ROTATE(v, n) ((v) << (n) | (v) >> (64 - (n)))

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[3];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[2] = ROTATE(v[2], 32);
}

uint64_t dict_hash(const uint64_t key[2], struct span s)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
		key[1] ^ 0x7465646279746573u};
	uint64_t last = (uint64_t)s.n << 56;
	size_t i, rest = s.n % 8;

	for (i = 0; i + 8 <= s.n; i += 8) {
		uint64_t m;

		memcpy(&m, s.p + i,
			sizeof(m)); /* our processors are little-endian; elsewhere it is another good hash */
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	while (rest--)
		last |= (uint64_t)s.p[i + rest] << (8 * rest);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

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
