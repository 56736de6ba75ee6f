/*
 * See trail.h. A trail has open ends: `heads` that nothing followed yet, and `missing` predecessors that were not seen
 * yet. A header joins a head, fills a missing one, or opens a new end. All headers seen are remembered by half of their
 * hash, so that a fork (a known predecessor that is no head any more) is told from a gap.
 */
#include "policy/ctl/trail.h"
#include <errno.h>

#define SEEN_KEY 16 /* bytes of a hash: nobody finds two alike */
#define BUCKETS 4096u

struct end {
	struct digest hash; /* a head's own; a gap's missing predecessor */
	struct trail_step step;
	bool gap;
	bool has_before;
	uint64_t before;
};

struct trail {
	struct digest host;
	unsigned producer;
	bool began;
	uint64_t last_seq; /* of the newest head, for the words of a gap */
	struct end *ends;
	unsigned ends_n, ends_cap;
	struct trail *next;
};

struct trails {
	bool partial;
	trail_fn fn;
	void *ctx;
	struct trail *buckets[BUCKETS];
	uint8_t (*seen)[SEEN_KEY];
	uint8_t *used;
	size_t seen_n, seen_cap;
};

int trails_new(bool partial, trail_fn fn, void *ctx, struct trails **out)
{
	struct trails *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->partial = partial;
	t->fn = fn;
	t->ctx = ctx;
	*out = t;
	return 0;
}

void trails_free(struct trails *t)
{
	struct trail *l, *next;
	unsigned i;

	if (!t)
		return;
	for (i = 0; i < BUCKETS; i++) {
		for (l = t->buckets[i]; l; l = next) {
			next = l->next;
			free(l->ends);
			free(l);
		}
	}
	free(t->seen);
	free(t->used);
	free(t);
}

/* --- the set of all headers --- */

static size_t slot_of(const struct trails *t, const struct digest *hash)
{
	size_t i = (size_t)get_be64(hash->b + 8) & (t->seen_cap - 1);

	while (t->used[i] && memcmp(t->seen[i], hash->b, SEEN_KEY) != 0)
		i = (i + 1) & (t->seen_cap - 1);
	return i;
}

static bool was_seen(const struct trails *t, const struct digest *hash)
{
	return t->seen_cap && t->used[slot_of(t, hash)];
}

static int grow(struct trails *t)
{
	_cleanup_free_ uint8_t(*old)[SEEN_KEY] = t->seen;
	_cleanup_free_ uint8_t *old_used = t->used;
	size_t old_cap = t->seen_cap, cap = old_cap ? old_cap * 2 : 1024, i;
	uint8_t(*seen)[SEEN_KEY] = calloc(cap, SEEN_KEY);
	uint8_t *used = calloc(cap, 1);
	struct digest hash = {{0}};

	if (!seen || !used) {
		free(seen);
		free(used);
		old = NULL; /* stay with the trails */
		old_used = NULL;
		return -ENOMEM;
	}
	t->seen = seen;
	t->used = used;
	t->seen_cap = cap;
	for (i = 0; i < old_cap; i++) {
		size_t j;

		if (!old_used[i])
			continue;
		memcpy(hash.b, old[i], SEEN_KEY);
		j = slot_of(t, &hash);
		memcpy(seen[j], old[i], SEEN_KEY);
		used[j] = 1;
	}
	return 0;
}

static int remember(struct trails *t, const struct digest *hash)
{
	size_t i;

	if (t->seen_n == TRAIL_SEEN_MAX)
		return V_FULL;
	if (t->seen_n >= t->seen_cap / 4 * 3) {
		int r = grow(t);

		if (r)
			return r;
	}
	i = slot_of(t, hash);
	memcpy(t->seen[i], hash->b, SEEN_KEY);
	t->used[i] = 1;
	t->seen_n++;
	return 0;
}

/* --- trails --- */

static struct trail *trail_of(struct trails *t, const struct trail_step *s)
{
	struct trail **bucket = &t->buckets[(get_be32(s->host.b) + s->producer) % BUCKETS], *l;

	for (l = *bucket; l; l = l->next)
		if (l->producer == s->producer && digest_eq(&l->host, &s->host))
			return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->host = s->host;
	l->producer = s->producer;
	l->next = *bucket;
	*bucket = l;
	return l;
}

static struct end *find_end(struct trail *l, bool gap, const struct digest *hash)
{
	unsigned i;

	for (i = 0; i < l->ends_n; i++)
		if (l->ends[i].gap == gap && digest_eq(&l->ends[i].hash, hash))
			return &l->ends[i];
	return NULL;
}

static void drop_end(struct trail *l, struct end *e)
{
	*e = l->ends[--l->ends_n];
}

static int add_end(struct trail *l, const struct end *e)
{
	if (l->ends_n == TRAIL_ENDS_MAX)
		return V_FULL;
	if (l->ends_n == l->ends_cap) {
		unsigned cap = l->ends_cap ? l->ends_cap * 2 : 4;
		struct end *p = realloc(l->ends, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		l->ends = p;
		l->ends_cap = cap;
	}
	l->ends[l->ends_n++] = *e;
	return 0;
}

/* `s` stands behind `before` in one chain: what must be so between the two. */
static void judge_pair(struct trails *t, const struct trail_step *before, const struct trail_step *s)
{
	if (s->seq != before->seq + 1)
		t->fn(t->ctx, TRAIL_JUMP, s, true, before->seq);
	if (s->epoch < before->epoch || (s->epoch == before->epoch && memcmp(s->kid, before->kid, COSE_KID_SIZE) != 0))
		t->fn(t->ctx, TRAIL_EPOCH, s, true, before->seq);
	else if (s->epoch > before->epoch && !s->has_cert)
		t->fn(t->ctx, TRAIL_BARE, s, true, before->seq);
}

static int begin(struct trails *t, struct trail *l, const struct trail_step *s)
{
	if (s->flags & SF_REJOIN)
		t->fn(t->ctx, TRAIL_REJOIN, s, false, 0);
	else if (l->began)
		t->fn(t->ctx, TRAIL_FORK, s, false, 0);
	l->began = true;
	return 0;
}

static int join(struct trails *t, struct trail *l, const struct trail_step *s)
{
	struct end *head = find_end(l, false, &s->prev);
	struct end gap = {.hash = s->prev, .step = *s, .gap = true, .has_before = l->ends_n > 0, .before = l->last_seq};

	if (head) {
		judge_pair(t, &head->step, s);
		drop_end(l, head);
		return 0;
	}
	if (was_seen(t, &s->prev)) {
		t->fn(t->ctx, TRAIL_FORK, s, true, s->seq - 1);
		return 0;
	}
	if (t->partial && !l->began) {
		l->began = true;
		return 0;
	}
	return add_end(l, &gap);
}

int trails_add(struct trails *t, const struct trail_step *s)
{
	struct trail *l = trail_of(t, s);
	struct end head = {.hash = s->hash, .step = *s}, *filled;
	int r;

	if (!l)
		return -ENOMEM;
	if (was_seen(t, &s->hash))
		return 0; /* the very same header again */
	r = s->has_prev ? join(t, l, s) : begin(t, l, s);
	if (r == V_FULL) {
		t->fn(t->ctx, TRAIL_FULL, s, false, 0);
		return r;
	}
	r = r ? r : remember(t, &s->hash);
	if (r)
		return r;
	if (s->seq > l->last_seq || !l->ends_n)
		l->last_seq = s->seq;
	filled = find_end(l, true, &s->hash);
	if (filled) {
		/* It came late: what waited for it stands behind it. */
		judge_pair(t, s, &filled->step);
		drop_end(l, filled);
		return 0;
	}
	r = add_end(l, &head);
	if (r == V_FULL)
		t->fn(t->ctx, TRAIL_FULL, s, false, 0);
	return r;
}

void trails_end(struct trails *t)
{
	struct trail *l;
	unsigned b, i;

	for (b = 0; b < BUCKETS; b++)
		for (l = t->buckets[b]; l; l = l->next)
			for (i = 0; i < l->ends_n; i++)
				if (l->ends[i].gap)
					t->fn(t->ctx, TRAIL_GAP, &l->ends[i].step, l->ends[i].has_before,
						l->ends[i].before);
}
