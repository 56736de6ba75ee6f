/*
 * What belongs into an evidence bundle: one walk over the headers of the log, a piece at a time. Of each chain that is
 * asked for, everything from the first header that is not older than the range to the last that is not newer, and its
 * neighbours, which show that the range ends there.
 */
#include "collector/console/bundle_parts.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include <errno.h>

#define LEAVES_A_STEP 2000u
#define OWN_A_STEP 200u

static int by_chain(const struct exhibit_chain *k, const struct digest *host, unsigned producer)
{
	int r = memcmp(k->host.b, host->b, DIGEST_SIZE);

	return r ? r : k->producer < producer ? -1 : k->producer > producer;
}

/* Where the chain is, or has to go. */
static size_t place_of(const struct bundling *b, const struct digest *host, unsigned producer, bool *there)
{
	size_t lo = 0, hi = b->chains_n;

	*there = false;
	while (lo < hi) {
		size_t at = lo + (hi - lo) / 2;
		int r = by_chain(&b->chains[at].k, host, producer);

		if (!r) {
			*there = true;
			return at;
		}
		if (r < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return lo;
}

/* By id (8 digits or more), or by the name under which the PC is enrolled, as the store's queries do. */
static bool host_fits(struct bundling *b, const struct digest *id)
{
	const char *want = b->search.filter.host;
	char hex[2 * DIGEST_SIZE + 1];
	struct store_host h;

	if (!want)
		return true;
	hex_encode(hex, id->b, DIGEST_SIZE);
	if (strlen(want) >= 8 && !strncmp(hex, want, strlen(want)))
		return true;
	return !store_host_get(b->store, id, &h) && !strcmp(h.name, want);
}

static int chain_of(struct bundling *b, const struct header *h, struct met_chain **out)
{
	bool there;
	size_t at = place_of(b, &h->host, h->producer, &there);

	if (!there) {
		if (b->chains_n == b->chains_cap) {
			size_t cap = b->chains_cap ? 2 * b->chains_cap : 64;
			struct met_chain *p =
				cap > 2 * EXHIBIT_CHAINS_MAX ? NULL : realloc(b->chains, cap * sizeof(*p));

			if (!p)
				return cap > 2 * EXHIBIT_CHAINS_MAX
					       ? why_set(&b->why, V_FULL, "too many PCs: name one of them")
					       : -ENOMEM;
			b->chains = p;
			b->chains_cap = cap;
		}
		memmove(&b->chains[at + 1], &b->chains[at], (b->chains_n - at) * sizeof(*b->chains));
		b->chains[at] = (struct met_chain){
			.k = {.host = h->host, .producer = h->producer}, .fits = host_fits(b, &h->host)};
		b->chains_n++;
	}
	*out = &b->chains[at];
	return 0;
}

/* Which key sealed it: its certificate goes with it. */
static int meet_epoch(struct bundling *b, struct met_chain *m, const struct segment *s, uint64_t leaf)
{
	struct met_epoch *e = m->epoch ? &b->epochs[m->epoch - 1] : NULL;

	if (s->cose.kid.n != COSE_KID_SIZE)
		return 0;
	if (e && e->number == s->header.epoch && !memcmp(e->kid, s->cose.kid.p, COSE_KID_SIZE)) {
		e->last = leaf;
		return 0;
	}
	if (!b->epochs || b->epochs_n == b->epochs_cap) {
		size_t cap = b->epochs_cap ? 2 * b->epochs_cap : 64;

		if (cap > 2 * BUNDLE_EPOCHS_MAX)
			return why_set(&b->why, V_FULL, "too many sealing keys: ask for less");
		e = realloc(b->epochs, cap * sizeof(*e));
		if (!e)
			return -ENOMEM;
		b->epochs = e;
		b->epochs_cap = cap;
	}
	e = &b->epochs[b->epochs_n++];
	*e = (struct met_epoch){.host = s->header.host,
		.producer = s->header.producer,
		.number = s->header.epoch,
		.first = leaf,
		.last = leaf};
	memcpy(e->kid, s->cose.kid.p, COSE_KID_SIZE);
	m->epoch = b->epochs_n;
	return 0;
}

/* Is its body there still? Asked once for each month and channel. */
static bool body_there(struct bundling *b, const struct header *h, uint64_t leaf)
{
	if (!h->body_len || h->producer >= CHANNELS_MAX)
		return true;
	if (leaf >= b->bodies[h->producer].until)
		b->bodies[h->producer].there =
			store_bodies_there(b->store, leaf, h->producer, &b->bodies[h->producer].until);
	return b->bodies[h->producer].there;
}

/* Collectors' own chains, in the order of the log. */
static int meet_own(struct bundling *b, const struct header *h, uint64_t leaf)
{
	size_t i;

	for (i = 0; i < b->own_hosts_n && memcmp(b->own_hosts[i].b, h->host.b, DIGEST_SIZE) < 0; i++)
		;
	if (i == b->own_hosts_n || !digest_eq(&b->own_hosts[i], &h->host)) {
		/* At powers of two there is room for no more. */
		if (!(b->own_hosts_n & (b->own_hosts_n - 1))) {
			struct digest *p =
				reallocarray(b->own_hosts, b->own_hosts_n ? 2 * b->own_hosts_n : 1, sizeof(*p));

			if (!p)
				return -ENOMEM;
			b->own_hosts = p;
		}
		memmove(&b->own_hosts[i + 1], &b->own_hosts[i], (b->own_hosts_n - i) * sizeof(h->host));
		b->own_hosts[i] = h->host;
		b->own_hosts_n++;
	}
	if (b->own_n == b->own_cap) {
		size_t cap = b->own_cap ? 2 * b->own_cap : 1024;
		uint64_t *p = realloc(b->own, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		b->own = p;
		b->own_cap = cap;
	}
	b->own[b->own_n++] = leaf;
	return 0;
}

static int meet(struct bundling *b, const struct segment *s, uint64_t leaf)
{
	const struct header *h = &s->header;
	bool late = !b->claim.has_since || h->last_us >= b->claim.since_us;
	bool early = h->first_us < b->claim.until_us;
	struct met_chain *m = NULL;
	int r = chain_of(b, h, &m);

	if (!r && m && h->producer == PRODUCER_COLLECTOR)
		r = meet_own(b, h, leaf);
	if (r || !m)
		return r;
	/* Its certificates may be needed for what it says of retention, whichever PC was asked for. */
	if (!m->fits)
		return h->producer == PRODUCER_COLLECTOR ? meet_epoch(b, m, s, leaf) : 0;
	if (late && !m->has_start) {
		m->has_start = true;
		m->start = leaf;
		m->has_start_before = m->known;
		m->start_before = m->newest;
	}
	if (m->has_start) {
		m->waiting_n++;
		m->waiting_bytes += h->body_len + s->header_bytes.n;
		m->waiting_gone += !body_there(b, h, leaf);
	}
	if (m->has_start && early) {
		m->started = true;
		m->k.last = leaf;
		m->k.has_after = false;
		m->n = m->waiting_n;
		m->bytes = m->waiting_bytes;
		m->gone = m->waiting_gone;
	} else if (m->started && !m->k.has_after) {
		m->k.has_after = true;
		m->k.after = leaf;
	}
	m->known = true;
	m->newest = leaf;
	return meet_epoch(b, m, s, leaf);
}

/* --- the claim --- */

static int claim_host(struct bundling *b, const struct digest *id)
{
	struct exhibit_claim *c = &b->claim;
	struct store_host h;
	int r;

	if (c->hosts_n && digest_eq(&c->hosts[c->hosts_n - 1].id, id))
		return 0;
	if (c->hosts_n == EXHIBIT_HOSTS_MAX)
		return why_set(&b->why, V_FULL, "too many PCs: name one of them");
	r = store_host_get(b->store, id, &h);
	if (r < 0)
		return r;
	c->hosts[c->hosts_n].id = *id;
	snprintf(c->hosts[c->hosts_n].name, sizeof(c->hosts[0].name), "%s", r ? "" : h.name);
	c->hosts_n++;
	return 0;
}

static int claim(struct bundling *b)
{
	struct exhibit_claim *c = &b->claim;
	uint64_t n = 0, bytes = 0, first = UINT64_MAX;
	size_t i;
	int r = 0;

	c->chains = calloc(b->chains_n + 1, sizeof(*c->chains));
	c->hosts = calloc(b->chains_n + 1, sizeof(*c->hosts));
	if (!c->chains || !c->hosts)
		return -ENOMEM;
	for (i = 0; !r && i < b->chains_n; i++) {
		struct met_chain *m = &b->chains[i];
		uint64_t begin;

		if (!m->started)
			continue;
		m->k.first = m->start;
		m->k.has_before = m->has_start_before;
		m->k.before = m->has_start_before ? m->start_before : 0;
		begin = m->k.has_before ? m->k.before : m->k.first;
		first = begin < first ? begin : first;
		b->last = m->k.last > b->last ? m->k.last : b->last;
		if (m->k.has_after && m->k.after > b->last)
			b->last = m->k.after;
		n += m->n;
		bytes += m->bytes;
		b->gone += m->gone;
		c->chains[c->chains_n++] = m->k;
		r = claim_host(b, &m->k.host);
	}
	if (r)
		return r;
	if (!c->chains_n)
		return why_set(&b->why, V_NOT_FOUND, "nothing was recorded in that time");
	if (n > EXHIBIT_SEGMENTS_MAX || bytes > BUNDLE_BYTES_MAX || c->chains_n > EXHIBIT_CHAINS_MAX)
		return why_set(&b->why, V_FULL, "too much for one file: ask for less time, or for one PC");
	b->at = first;
	b->carried_n = n;
	c->has_run = c->size - first <= BUNDLE_RUN_LEAVES;
	c->run = first;
	/* What the log's other leaves do not show is not claimed: then it is of the PCs that it names. */
	c->all = c->all && c->has_run;
	return 0;
}

int bundle_survey(struct bundling *b)
{
	unsigned n;
	int r = 0;

	for (n = 0; !r && n < LEAVES_A_STEP && b->at < b->claim.size; n++, b->at++) {
		struct segment s;

		buf_clear(&b->header);
		r = store_read(b->store, b->at, &b->header, NULL, &b->why);
		r = r ? r : header_parse(buf_span(&b->header), &s, &b->why);
		r = r ? r : meet(b, &s, b->at);
	}
	if (r || b->at < b->claim.size)
		return r;
	r = claim(b);
	return r ? r : V_END;
}

static bool tells_expiry(struct bundling *b, uint64_t leaf, int *r)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	struct record *record = &b->c->record;
	struct segment s;
	bool found = false;

	buf_clear(&b->text);
	*r = bundle_read(b, leaf, true, &s);
	*r = *r ? *r : segment_raw(&s, &b->text, &b->why);
	*r = *r ? *r : body_reader_new(buf_span(&b->text), &in);
	while (!*r && !found && !(*r = body_next(in, record, &b->why)))
		found = record_number(record, F_KIND, 0) == KIND_EXPIRED;
	*r = *r == V_END ? 0 : *r > 0 ? -EIO : *r;
	return found;
}

int bundle_expired(struct bundling *b)
{
	unsigned n;
	int r = 0;

	if (!b->gone)
		b->own_n = 0;
	for (n = 0; n < OWN_A_STEP && b->own_n; n++, b->own_n--) {
		if (tells_expiry(b, b->own[b->own_n - 1], &r) || r)
			break;
	}
	if (r || (b->own_n && n == OWN_A_STEP))
		return r;
	if (b->own_n + b->carried_n > EXHIBIT_SEGMENTS_MAX)
		return why_set(&b->why, V_FULL, "too much for one file: ask for less time, or for one PC");
	return V_END;
}

bool bundle_carries(const struct bundling *b, const struct segment *s, uint64_t leaf, bool *whole)
{
	const struct exhibit_chain *k = exhibit_chain_of(&b->claim, &s->header.host, s->header.producer);

	*whole = k && leaf >= k->first && leaf <= k->last;
	return *whole || (k && ((k->has_before && leaf == k->before) || (k->has_after && leaf == k->after)));
}
