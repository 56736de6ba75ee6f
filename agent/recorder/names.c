/*
 * Interned strings in slots of four sizes. See names.h. Called at every exec and fork; never allocates after
 * names_new(). The memory of slots that were never used is never touched, so it costs nothing.
 */
#include "agent/recorder/names.h"
#include "policy/base/cleanup.h"
#include <errno.h>

#define BUCKETS 8192u

struct name {
	uint32_t hash, refs, next; /* next: in its bucket, or in the list of free slots */
	uint16_t len;
};

struct names {
	uint8_t *room;
	unsigned kept;
	uint64_t refused;
	uint32_t free[4]; /* ids; 0 ends the list */
	uint32_t bucket[BUCKETS];
	struct name name[NAMES_MAX + 1]; /* by id, from 1 */
};

static const struct {
	uint32_t size, n;
} sizes[4] = {{NAMES_SHORT, NAMES_SHORT_N}, {NAMES_MIDDLE, NAMES_MIDDLE_N}, {NAMES_LONG, NAMES_LONG_N},
	{NAMES_WHOLE, NAMES_WHOLE_N}};

/* Where the string of `id` lies, and of which size it is. */
static uint8_t *room_of(const struct names *n, uint32_t id, unsigned *size)
{
	uint8_t *at = n->room;
	uint32_t i = id - 1;
	unsigned s;

	for (s = 0; s < 3 && i >= sizes[s].n; s++) {
		i -= sizes[s].n;
		at += (size_t)sizes[s].size * sizes[s].n;
	}
	*size = s;
	return at + (size_t)sizes[s].size * i;
}

int names_new(struct names **out)
{
	struct names *n = calloc(1, sizeof(*n));
	size_t bytes = 0;
	uint32_t id = 1, i;
	unsigned s;

	if (!n)
		return -ENOMEM;
	for (s = 0; s < ARRAY_SIZE(sizes); s++)
		bytes += (size_t)sizes[s].size * sizes[s].n;
	n->room = malloc(bytes);
	if (!n->room) {
		free(n);
		return -ENOMEM;
	}
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		n->free[s] = id;
		for (i = 0; i < sizes[s].n; i++, id++)
			n->name[id].next = i + 1 < sizes[s].n ? id + 1 : 0;
	}
	*out = n;
	return 0;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	free(n->room);
	free(n);
}

/* FNV-1a: short keys, and nobody gains by collisions but slower look-ups in a table of this size. */
static uint32_t hash_of(struct span s)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 16777619u;
	return h;
}

uint32_t names_put(struct names *n, struct span s)
{
	uint32_t hash, id;
	unsigned size, got;

	if (s.n == 0)
		return 0;
	if (s.n > NAMES_WHOLE)
		s.n = NAMES_WHOLE;
	hash = hash_of(s);
	for (id = n->bucket[hash % BUCKETS]; id; id = n->name[id].next)
		if (n->name[id].hash == hash && span_eq(names_get(n, id), s))
			return names_ref(n, id);
	/* The smallest size with a free slot that holds it. */
	for (size = 0; size < ARRAY_SIZE(sizes); size++)
		if (sizes[size].size >= s.n && n->free[size])
			break;
	if (size == ARRAY_SIZE(sizes)) {
		n->refused++;
		return 0;
	}
	id = n->free[size];
	n->free[size] = n->name[id].next;
	memcpy(room_of(n, id, &got), s.p, s.n);
	n->name[id] = (struct name){.hash = hash, .refs = 1, .len = (uint16_t)s.n, .next = n->bucket[hash % BUCKETS]};
	n->bucket[hash % BUCKETS] = id;
	n->kept++;
	return id;
}

uint32_t names_ref(struct names *n, uint32_t id)
{
	if (id)
		n->name[id].refs++;
	return id;
}

void names_unref(struct names *n, uint32_t id)
{
	struct name *e = &n->name[id];
	uint32_t *link;
	unsigned size;

	if (!id || --e->refs)
		return;
	for (link = &n->bucket[e->hash % BUCKETS]; *link != id; link = &n->name[*link].next)
		;
	*link = e->next;
	room_of(n, id, &size);
	e->next = n->free[size];
	n->free[size] = id;
	n->kept--;
}

struct span names_get(const struct names *n, uint32_t id)
{
	unsigned size;

	return id ? SPAN(room_of(n, id, &size), n->name[id].len) : SPAN(NULL, 0);
}

unsigned names_kept(const struct names *n)
{
	return n->kept;
}

uint64_t names_refused(const struct names *n)
{
	return n->refused;
}
