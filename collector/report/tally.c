/* Things by their names, within bounds. See report_parts.h. Names come from outside: a table that is full counts on. */
#include "collector/report/report_parts.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stdlib.h>

static struct named *entry_new(const struct tally *t, struct span name)
{
	struct named *e = calloc(1, t->size);

	if (!e)
		return NULL;
	e->name = malloc(name.n + 1);
	if (!e->name) {
		free(e);
		return NULL;
	}
	if (name.n)
		memcpy(e->name, name.p, name.n);
	e->name[name.n] = 0;
	e->n = name.n;
	return e;
}

static bool make_room(struct tally *t)
{
	if (t->slots)
		return true;
	/* Bounded, so made whole at once: half of it stays free. */
	t->slots_n = 16384;
	t->slots = calloc(t->slots_n, sizeof(*t->slots));
	t->v = calloc(TALLY_MAX, sizeof(struct named *));
	return t->slots && t->v;
}

/* The slot where the name is, or would be. */
static unsigned slot_of(const struct tally *t, struct span name)
{
	unsigned at;

	for (at = (unsigned)(span_hash(name) % t->slots_n); t->slots[at]; at = (at + 1) % t->slots_n) {
		const struct named *e = t->v[t->slots[at] - 1];

		if (span_eq(SPAN(e->name, e->n), name))
			break;
	}
	return at;
}

void *tally_find(const struct tally *t, struct span name)
{
	unsigned at = t->slots ? slot_of(t, name) : 0;

	return t->slots && t->slots[at] ? t->v[t->slots[at] - 1] : NULL;
}

void *tally_at(struct tally *t, struct span name)
{
	unsigned at;

	if (!make_room(t))
		return NULL;
	at = slot_of(t, name);
	if (t->slots[at])
		return t->v[t->slots[at] - 1];
	if (t->n == TALLY_MAX) {
		t->over++;
		if (!t->other)
			t->other = entry_new(t, SPAN("", 0));
		return t->other;
	}
	t->v[t->n] = entry_new(t, name);
	if (!t->v[t->n])
		return NULL;
	t->slots[at] = ++t->n;
	return t->v[t->n - 1];
}

static void entry_free(struct named *e)
{
	if (e)
		free(e->name);
	free(e);
}

void tally_deinit(struct tally *t, void (*release)(void *entry))
{
	unsigned i;

	for (i = 0; i < t->n; i++) {
		if (release)
			release(t->v[i]);
		entry_free(t->v[i]);
	}
	entry_free(t->other);
	free(t->v);
	free(t->slots);
	*t = (struct tally){.size = t->size};
}

void tally_sort(struct tally *t, int (*cmp)(const void *, const void *))
{
	if (t->n)
		qsort(t->v, t->n, sizeof(struct named *), cmp);
}

/* --- sets --- */

static void put(uint64_t *v, size_t cap, uint64_t h)
{
	size_t at = h % cap;

	while (v[at])
		at = (at + 1) % cap;
	v[at] = h;
}

static int grow(struct seen *s)
{
	size_t cap = s->cap ? 2 * s->cap : 1024, i;
	uint64_t *v = calloc(cap, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (i = 0; i < s->cap; i++)
		if (s->v[i])
			put(v, cap, s->v[i]);
	free(s->v);
	s->v = v;
	s->cap = cap;
	return 0;
}

int seen_add(struct seen *s, const struct span *parts, unsigned n, bool *fresh)
{
	struct digest d;
	uint64_t h;
	size_t at;
	int r = 2 * (s->n + 1) > s->cap && s->n < SEEN_MAX ? grow(s) : 0;

	if (r)
		return r;
	digest_of(&d, parts, n);
	memcpy(&h, d.b, sizeof(h));
	h |= 1; /* 0 is an empty place */
	*fresh = true;
	for (at = h % s->cap; s->v[at]; at = (at + 1) % s->cap)
		if (s->v[at] == h) {
			*fresh = false;
			return 0;
		}
	if (s->n == SEEN_MAX) {
		s->full = true;
		return 0;
	}
	s->v[at] = h;
	s->n++;
	return 0;
}

void seen_deinit(struct seen *s)
{
	free(s->v);
	*s = (struct seen){.n = 0};
}

void keep_text(char *out, size_t size, struct span s)
{
	size_t n;

	text_escape_to(out, size, s);
	/* Cut at a character. */
	for (n = strlen(out); n && !text_is_utf8(SPAN(out, n)); n--)
		out[n - 1] = 0;
}
