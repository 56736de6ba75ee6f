/*
 * See retention.h. Records are read as whoever signed them meant them, and no further: one that lacks a fact is none.
 */
#include "policy/wire/retention.h"
#include "policy/wire/retention_parts.h"
#include <errno.h>
#include <time.h>

#define S_US INT64_C(1000000)

void retention_deinit(struct retention *t)
{
	size_t i;

	for (i = 0; i < t->expiries_n; i++)
		free(t->expiries[i].order);
	free(t->settings);
	free(t->expiries);
	free(t->holds);
	free(t->months);
	*t = (struct retention){.settings = NULL};
}

/* Room for one more; doubled at powers of two. */
static int grow(void **v, size_t n, size_t size)
{
	void *p;

	if (n >= RETENTION_ENTRIES_MAX)
		return V_FULL;
	if (n & (n - 1))
		return 0;
	p = realloc(*v, (n ? 2 * n : 1) * size);
	if (!p)
		return -ENOMEM;
	*v = p;
	return 0;
}

/* A text that fits; false where it does not, or is not there. */
static bool text(const struct record *r, unsigned f, char *out, size_t size)
{
	struct span s = record_text(r, f);

	out[0] = 0;
	if (!s.n || s.n >= size || memchr(s.p, 0, s.n))
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

static bool channel_fact(const struct record *r, unsigned *out)
{
	if (!record_has(r, F_CHANNEL) || r->v[F_CHANNEL].u >= CHANNELS_MAX)
		return false;
	*out = (unsigned)r->v[F_CHANNEL].u;
	return producer_name(*out) != NULL;
}

static int learn_setting(struct retention *t, uint64_t leaf, const struct record *r)
{
	struct retention_setting s = {.leaf = leaf, .when_us = r->v[F_TIME].i};
	size_t i;
	int x;

	if (!channel_fact(r, &s.channel))
		return 0;
	s.months = record_number(r, F_MONTHS, RETENTION_FOREVER);
	if (s.months != RETENTION_FOREVER && (s.months < RETENTION_FLOOR || s.months > RETENTION_LONGEST))
		return 0;
	x = grow((void **)&t->settings, t->settings_n, sizeof(s));
	if (x)
		return x;
	/* In the order of the log, also where a clock went back and they come by time. */
	for (i = t->settings_n++; i > 0 && t->settings[i - 1].leaf > leaf; i--)
		t->settings[i] = t->settings[i - 1];
	t->settings[i] = s;
	return 0;
}

static int learn_expiry(struct retention *t, uint64_t leaf, unsigned n, const struct record *r)
{
	struct retention_expiry e = {.leaf = leaf, .n = n, .when_us = r->v[F_TIME].i};
	int x;

	if (!channel_fact(r, &e.channel) || !text(r, F_MONTH, e.month, sizeof(e.month)) || !month_is(e.month) ||
		!record_has(r, F_FROM_LEAF) || !record_has(r, F_TO_LEAF))
		return 0;
	e.from = r->v[F_FROM_LEAF].u;
	e.to = r->v[F_TO_LEAF].u;
	e.count = record_number(r, F_COUNT, 0);
	e.bytes = record_number(r, F_SIZE, 0);
	e.months = record_number(r, F_MONTHS, RETENTION_FOREVER);
	text(r, F_RULE, e.rule, sizeof(e.rule));
	x = grow((void **)&t->expiries, t->expiries_n, sizeof(e));
	if (x)
		return x;
	if (record_has(r, F_ORDER)) {
		e.order_n = r->v[F_ORDER].s.n;
		e.order = malloc(e.order_n + 1);
		if (!e.order)
			return -ENOMEM;
		memcpy(e.order, r->v[F_ORDER].s.p, e.order_n);
	}
	t->expiries[t->expiries_n++] = e;
	return 0;
}

static int learn_hold(struct retention *t, uint64_t leaf, const struct record *r)
{
	struct retention_hold h = {.leaf = leaf, .lifted_leaf = UINT64_MAX, .when_us = r->v[F_TIME].i};
	int x;

	if (!text(r, F_HOLD, h.id, sizeof(h.id)))
		return 0;
	/* What cannot be read makes the hold wider, not narrower. */
	if (text(r, F_MONTH, h.month, sizeof(h.month)) && !month_is(h.month))
		h.month[0] = 0;
	h.has_peer = record_has(r, F_PEER) && r->v[F_PEER].s.n == DIGEST_SIZE;
	if (h.has_peer)
		memcpy(h.peer.b, r->v[F_PEER].s.p, DIGEST_SIZE);
	text(r, F_PEER_NAME, h.peer_name, sizeof(h.peer_name));
	text(r, F_PERSON, h.person, sizeof(h.person));
	text(r, F_TEXT, h.reason, sizeof(h.reason));
	x = grow((void **)&t->holds, t->holds_n, sizeof(h));
	if (!x)
		t->holds[t->holds_n++] = h;
	return x;
}

const struct retention_hold *retention_hold_of(const struct retention *t, const char *id)
{
	size_t i;

	for (i = 0; i < t->holds_n; i++)
		if (t->holds[i].lifted_leaf == UINT64_MAX && !strcmp(t->holds[i].id, id))
			return &t->holds[i];
	return NULL;
}

static void learn_lifted(struct retention *t, uint64_t leaf, const struct record *r)
{
	char id[sizeof(t->holds->id)];
	size_t i;

	if (!text(r, F_HOLD, id, sizeof(id)))
		return;
	for (i = 0; i < t->holds_n; i++)
		if (t->holds[i].lifted_leaf == UINT64_MAX && !strcmp(t->holds[i].id, id)) {
			t->holds[i].lifted_leaf = leaf;
			t->holds[i].lifted_us = r->v[F_TIME].i;
		}
}

/* --- who decides --- */

static size_t place_of(const struct retention *t, const struct digest *host)
{
	size_t i;

	for (i = 0; i < t->collectors_n && !digest_eq(&t->collectors[i], host); i++)
		;
	return i;
}

bool retention_decides(const struct retention *t, const struct digest *host)
{
	return place_of(t, host) < t->collectors_n;
}

void retention_begin(struct retention *t, const struct digest *host)
{
	if (!t->begun)
		t->collectors[t->collectors_n++] = *host;
	t->begun = true;
}

static bool peer_of(const struct record *r, struct digest *out)
{
	if (!record_has(r, F_PEER) || r->v[F_PEER].s.n != DIGEST_SIZE)
		return false;
	memcpy(out->b, r->v[F_PEER].s.p, DIGEST_SIZE);
	return true;
}

/* A collector is let in, or shut out. 0; V_FULL. */
static int learn_collector(struct retention *t, const struct record *r, bool in)
{
	struct digest id;
	size_t i;

	if (!peer_of(r, &id))
		return 0;
	i = place_of(t, &id);
	if (in && i == RETENTION_COLLECTORS_MAX)
		return V_FULL;
	if (in && i == t->collectors_n)
		t->collectors[t->collectors_n++] = id;
	if (!in && i < t->collectors_n) {
		t->collectors_n--;
		memmove(&t->collectors[i], &t->collectors[i + 1], (t->collectors_n - i) * sizeof(id));
	}
	return 0;
}

/* Is it of retention, or of who is a collector? */
static bool is_decision(const struct retention *t, const struct record *r)
{
	struct digest id;

	switch (r->v[F_KIND].u) {
	case KIND_RETENTION:
	case KIND_EXPIRED:
	case KIND_HOLD:
	case KIND_HOLD_LIFTED:
		return true;
	case KIND_ENROL:
		return record_number(r, F_CHANNEL, 0) == PRODUCER_COLLECTOR;
	case KIND_REVOKE:
		return peer_of(r, &id) && retention_decides(t, &id);
	}
	return false;
}

/* The newest decision before this leaf, + 1; 0: none. */
static uint64_t before_leaf(const struct retention *t, uint64_t leaf)
{
	return t->last == leaf + 1 ? t->before : t->last;
}

/*
 * One that stands elsewhere than it says (its collector was cut off before it was in the log), or was made without
 * knowledge of another, does not count. Those of before leaves were named count where their order is that of one chain.
 */
static bool counts(const struct retention *t, const struct digest *host, uint64_t leaf, const struct record *r)
{
	uint64_t before = before_leaf(t, leaf);

	if (!record_has(r, F_OWN_LEAF))
		return !t->named && digest_eq(host, &t->collectors[0]);
	return r->v[F_OWN_LEAF].u == leaf && record_has(r, F_AFTER_LEAF) == (before > 0) &&
	       record_number(r, F_AFTER_LEAF, 0) + 1 == (before ? before : 1);
}

/*
 * It stands where it says, behind a decision that the book does not have: others' were left out of the book, or it
 * follows one that does not count.
 */
static bool shows_hole(const struct retention *t, uint64_t leaf, const struct record *r)
{
	uint64_t before = before_leaf(t, leaf), after = record_number(r, F_AFTER_LEAF, 0);

	return record_has(r, F_OWN_LEAF) && r->v[F_OWN_LEAF].u == leaf && record_has(r, F_AFTER_LEAF) && after < leaf &&
	       after >= before;
}

int retention_learn(struct retention *t, const struct digest *host, uint64_t leaf, unsigned n, const struct record *r)
{
	if (!record_has(r, F_KIND) || !record_has(r, F_TIME) || !is_decision(t, r))
		return 0;
	if (!retention_decides(t, host))
		return r->v[F_KIND].u == KIND_ENROL || r->v[F_KIND].u == KIND_REVOKE ? 0 : V_DENIED;
	if (!counts(t, host, leaf, r))
		return shows_hole(t, leaf, r) ? V_BAD : 0;
	if (t->last != leaf + 1) {
		t->before = t->last;
		t->last = leaf + 1;
	}
	t->named |= record_has(r, F_OWN_LEAF);
	switch (r->v[F_KIND].u) {
	case KIND_ENROL:
	case KIND_REVOKE:
		return learn_collector(t, r, r->v[F_KIND].u == KIND_ENROL);
	case KIND_RETENTION:
		return learn_setting(t, leaf, r);
	case KIND_EXPIRED:
		return learn_expiry(t, leaf, n, r);
	case KIND_HOLD:
		return learn_hold(t, leaf, r);
	case KIND_HOLD_LIFTED:
		learn_lifted(t, leaf, r);
	}
	return 0;
}

int retention_seen(struct retention *t, const struct digest *host, uint64_t leaf, int64_t last_us)
{
	struct retention_month m = {.leaf = leaf};
	int x;

	retention_begin(t, host);
	if (!retention_decides(t, host))
		return 0;
	retention_month(last_us, m.month);
	if (!m.month[0] || (t->months_n && strcmp(m.month, t->months[t->months_n - 1].month) <= 0))
		return 0;
	x = grow((void **)&t->months, t->months_n, sizeof(m));
	if (!x)
		t->months[t->months_n++] = m;
	return x;
}

const char *retention_month(int64_t wall_us, char out[8])
{
	time_t s = (time_t)(wall_us / S_US);
	char text_[16];
	struct tm tm;

	out[0] = 0;
	if (wall_us >= 0 && gmtime_r(&s, &tm) && strftime(text_, sizeof(text_), "%Y-%m", &tm) == 7)
		memcpy(out, text_, 8);
	return out;
}

int64_t retention_due(const char *month, uint64_t months)
{
	struct tm tm = {.tm_mday = 1};
	uint64_t at;

	if (!month_is(month) || months > RETENTION_LONGEST)
		return INT64_MAX;
	at = strtoul(month, NULL, 10) * 12 + strtoul(month + 5, NULL, 10) - 1 + months + 1;
	tm.tm_year = (int)(at / 12) - 1900;
	tm.tm_mon = (int)(at % 12);
	return timegm(&tm) * S_US;
}

uint64_t retention_period(const struct retention *t, unsigned channel, const char *month, uint64_t leaf)
{
	int64_t began;
	uint64_t longest = 0, before = 0;
	struct tm tm = {.tm_mday = 1};
	size_t i;

	tm.tm_year = (int)strtol(month, NULL, 10) - 1900;
	tm.tm_mon = (int)strtol(month + 5, NULL, 10) - 1;
	began = timegm(&tm) * S_US;
	for (i = 0; i < t->settings_n && t->settings[i].leaf < leaf; i++) {
		const struct retention_setting *s = &t->settings[i];

		if (s->channel != channel)
			continue;
		if (s->when_us <= began)
			before = s->months; /* the one in force when it began, so far */
		else if (s->months > longest)
			longest = s->months;
	}
	longest = before > longest ? before : longest;
	return longest ? longest : RETENTION_FLOOR;
}

bool retention_newest(const struct retention *t, unsigned channel, uint64_t *months)
{
	size_t i;

	for (i = t->settings_n; i > 0; i--)
		if (t->settings[i - 1].channel == channel) {
			*months = t->settings[i - 1].months;
			return true;
		}
	return false;
}

const struct retention_expiry *retention_of(const struct retention *t, unsigned channel, const char *month)
{
	size_t i;

	for (i = 0; i < t->expiries_n; i++)
		if (t->expiries[i].channel == channel && !strcmp(t->expiries[i].month, month))
			return &t->expiries[i];
	return NULL;
}

const struct retention_expiry *retention_cover(const struct retention *t, unsigned channel, uint64_t leaf)
{
	size_t i;

	for (i = 0; i < t->expiries_n; i++) {
		const struct retention_expiry *e = &t->expiries[i];

		if (e->channel == channel && e->from <= leaf && leaf <= e->to && leaf < e->leaf)
			return e;
	}
	return NULL;
}

bool retention_used(const struct retention *t, struct span order)
{
	size_t i;

	for (i = 0; i < t->expiries_n; i++)
		if (t->expiries[i].order && span_eq(SPAN(t->expiries[i].order, t->expiries[i].order_n), order))
			return true;
	return false;
}

const struct retention_hold *retention_held(const struct retention *t, const char *month, uint64_t leaf)
{
	size_t i;

	for (i = 0; i < t->holds_n; i++) {
		const struct retention_hold *h = &t->holds[i];
		bool then = leaf == UINT64_MAX ? h->lifted_leaf == UINT64_MAX : h->leaf < leaf && h->lifted_leaf > leaf;

		if (then && !h->has_peer && !h->person[0] && (!h->month[0] || !strcmp(h->month, month)))
			return h;
	}
	return NULL;
}
