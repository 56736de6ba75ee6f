/*
 * See plugged.h. Called by traffic.c with each new record, by unlisted.c to tell. A PC that plugs without an end can
 * push out what is older than its storm, which is then told as not complete; it can never make this grow.
 */
#include "collector/console/plugged.h"
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define DAY_US 86400000000ll
#define AHEAD_US DAY_US /* a PC's clock may be ahead by so much */
#define SLACK 2048u     /* plugs that come before the oldest are dropped */

enum { T_SERIAL, T_MAKER, T_PRODUCT, T_HOST, T_USER, TEXTS };

/* A plug as it is kept. */
struct kept {
	int64_t us;
	uint64_t row;
	uint16_t vendor, product;
	bool has_fingerprint;
	uint8_t n[TEXTS]; /* bytes of each text; they follow one another */
	uint8_t *bytes;   /* behind the fingerprint, where there is one */
};

struct plugged {
	struct kept v[PLUGGED_MAX + SLACK];
	unsigned n;
	bool sorted;     /* newest first */
	int64_t lost_us; /* the newest one that was dropped; 0: none was */
	struct looking_back back;
};

int plugged_new(struct plugged **out)
{
	struct plugged *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->sorted = true;
	*out = p;
	return 0;
}

void plugged_free(struct plugged *p)
{
	while (p && p->n)
		free(p->v[--p->n].bytes);
	free(p);
}

static int by_order(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return x->us != y->us ? (x->us > y->us ? -1 : 1) : x->row > y->row ? -1 : x->row < y->row;
}

static void settle(struct plugged *p)
{
	if (!p->sorted)
		qsort(p->v, p->n, sizeof(p->v[0]), by_order);
	p->sorted = true;
}

static void drop_oldest(struct plugged *p)
{
	settle(p);
	while (p->n > PLUGGED_MAX) {
		struct kept *k = &p->v[--p->n];

		if (k->us > p->lost_us)
			p->lost_us = k->us;
		free(k->bytes);
	}
}

static uint8_t *pack(struct kept *k, const struct sighting *s, const struct span texts[TEXTS])
{
	size_t n = k->has_fingerprint ? DIGEST_SIZE : 0, i;
	uint8_t *bytes;

	for (i = 0; i < TEXTS; i++)
		n += k->n[i] = (uint8_t)(texts[i].n < UINT8_MAX ? texts[i].n : UINT8_MAX);
	bytes = malloc(n + 1);
	if (!bytes)
		return NULL;
	n = 0;
	if (k->has_fingerprint) {
		memcpy(bytes, s->fingerprint.b, DIGEST_SIZE);
		n = DIGEST_SIZE;
	}
	for (i = 0; i < TEXTS; i++) {
		if (k->n[i])
			memcpy(bytes + n, texts[i].p, k->n[i]);
		n += k->n[i];
	}
	return bytes;
}

int plugged_row(struct console *c, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct plugged *p = c->plugged;
	int64_t now = clock_wall_us();
	struct sighting s;
	struct kept k;

	if (!record_has(r, F_KIND) || r->v[F_KIND].u != KIND_PLUG || !record_has(r, F_TIME) || !sighting_read(&s, r))
		return 0;
	k = (struct kept){.us = r->v[F_TIME].i,
		.row = row->row,
		.vendor = s.vendor,
		.product = s.product,
		.has_fingerprint = s.has_fingerprint};
	if (k.us <= now - PLUGGED_DAYS * DAY_US || k.us > now + AHEAD_US)
		return 0;
	k.bytes = pack(&k, &s,
		(const struct span[TEXTS]){[T_SERIAL] = SPAN_STR(s.serial),
			[T_MAKER] = record_text(r, F_MAKER),
			[T_PRODUCT] = record_text(r, F_PRODUCT),
			[T_HOST] = SPAN_STR(row->host_name ? row->host_name : ""),
			[T_USER] = record_text(r, F_USER)});
	if (!k.bytes)
		return -ENOMEM;
	p->v[p->n++] = k;
	p->sorted = false;
	if (p->n == ARRAY_SIZE(p->v))
		drop_oldest(p);
	return 0;
}

static int old_row(struct console *c, const struct store_row *row)
{
	struct plugged *p = c->plugged;

	/* From the newest back: what comes now is older than all that there is room for. */
	if (p->n >= PLUGGED_MAX) {
		int64_t us = record_has(&row->record, F_TIME) ? row->record.v[F_TIME].i : 0;

		if (us > p->lost_us)
			p->lost_us = us;
		return V_END;
	}
	return plugged_row(c, row);
}

int plugged_back(struct console *c)
{
	static const unsigned kinds[] = {KIND_PLUG};
	struct plugged *p = c->plugged;
	int r = look_back(c, &p->back, PLUGGED_DAYS * DAY_US, kinds, ARRAY_SIZE(kinds), old_row);

	p->back.done |= p->lost_us != 0;
	return r;
}

/* --- telling --- */

static void unpack(const struct kept *k, struct plug *out)
{
	const uint8_t *at = k->bytes;
	struct span texts[TEXTS];
	size_t i;

	*out = (struct plug){.us = k->us, .row = k->row};
	out->sighting.vendor = k->vendor;
	out->sighting.product = k->product;
	out->sighting.times = 1;
	out->sighting.has_fingerprint = k->has_fingerprint;
	if (k->has_fingerprint) {
		memcpy(out->sighting.fingerprint.b, at, DIGEST_SIZE);
		at += DIGEST_SIZE;
	}
	for (i = 0; i < TEXTS; i++) {
		texts[i] = SPAN(at, k->n[i]);
		at += k->n[i];
	}
	text_copy(out->sighting.serial, sizeof(out->sighting.serial), texts[T_SERIAL]);
	out->maker = texts[T_MAKER];
	out->product = texts[T_PRODUCT];
	out->host = texts[T_HOST];
	out->user = texts[T_USER];
}

static bool sees(const struct account *a, struct span host)
{
	char name[UINT8_MAX + 1];

	if (!a->scope_n)
		return true;
	memcpy(name, host.p, host.n);
	name[host.n] = 0;
	return account_sees(a, name);
}

int plugged_each(
	struct console *c, const struct account *account, int64_t from_us, plug_fn fn, void *ctx, bool *complete)
{
	struct plugged *p = c->plugged;
	struct plug plug;
	unsigned i;
	int r = 0;

	settle(p);
	for (i = 0; !r && i < p->n && p->v[i].us >= from_us; i++) {
		unpack(&p->v[i], &plug);
		if (sees(account, plug.host))
			r = fn(ctx, &plug);
	}
	*complete = p->lost_us < from_us &&
		    (p->back.done || (p->back.search.has_cursor && p->back.search.cursor_us < from_us));
	return r;
}
