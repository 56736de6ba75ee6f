/*
 * Retention: what is due expires, once an hour, a channel of a month at a time. See collector/store/RETENTION.md.
 *
 * Everything follows from the committed log: the periods that it names, the holds, and the records of what expired.
 * Bodies go only where such a record stands in it, and what a crash left is done at the next start from those records.
 * Nothing else in the collector removes evidence.
 */
#include "collector/ingest/keeper.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define ROUND_S 3600
#define SOON_S 1
#define LOOK_US 40000 /* between two parts of what is looked through: others have two thirds of the time */
#define SLICE_US 20000u
#define CATCH_UP 10u     /* slices, before others have their turn */
#define NEWEST 64u       /* headers of PCs whose time is asked */
#define LOOK_BACK 16384u /* leaves among which they are looked for */
#define S_US INT64_C(1000000)

const unsigned keeper_channels[KEEPER_CHANNELS] = {
	PRODUCER_RECORDER, PRODUCER_GUARD, PRODUCER_PRINT, PRODUCER_POSTURE, PRODUCER_CONSOLE, PRODUCER_HERALD};

uint64_t keeper_setting(const struct config *c, unsigned channel)
{
	switch (channel) {
	case PRODUCER_RECORDER:
		return c->keep_recorder;
	case PRODUCER_GUARD:
		return c->keep_guard;
	case PRODUCER_PRINT:
		return c->keep_print;
	case PRODUCER_POSTURE:
		return c->keep_posture;
	case PRODUCER_CONSOLE:
		return c->keep_console;
	case PRODUCER_HERALD:
		return c->keep_herald;
	}
	return RETENTION_FOREVER;
}

bool keeper_is(const struct keeper *k)
{
	return digest_eq(&k->in->first, &k->in->keys.host);
}

/* --- the book --- */

static int on_row(void *ctx, const struct store_row *row)
{
	struct keeper *k = ctx;
	int r = retention_learn(&k->book, row->leaf, (unsigned)(row->row & 0x7fff), &row->record);

	if (row->row > k->last_row)
		k->last_row = row->row;
	return r > 0 ? -E2BIG : r;
}

int keeper_book(struct keeper *k)
{
	struct store_filter f = {.kinds = {KIND_RETENTION, KIND_EXPIRED, KIND_HOLD, KIND_HOLD_LIFTED},
		.kinds_n = 4,
		.after_row = k->last_row};
	char own[2 * DIGEST_SIZE + 1];
	struct why why = {""};
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < CATCH_UP; i++) {
		r = store_index_for(k->in->store, SLICE_US, &k->in->index_lag);
		if (!r && !k->in->index_lag)
			break;
	}
	if (r || k->in->index_lag)
		return r < 0 ? r : V_AGAIN;
	/* Nobody but the collector that began this log has a say in it. */
	f.host = hex_encode(own, k->in->first.b, DIGEST_SIZE);
	r = store_query(k->in->store, &f, on_row, k, &why);
	if (!r)
		k->loaded = true;
	return r > 0 ? -EIO : r;
}

int keeper_settle(struct keeper *k)
{
	int r = k->in->failed ? k->in->failed : commit_now(k->in);

	return r ? r : keeper_book(k);
}

/* The setting as the log and people read it. */
static void rule_text(char out[64], unsigned channel, uint64_t months)
{
	snprintf(out, 64, months == RETENTION_FOREVER ? "keep_%s = forever" : "keep_%s = %" PRIu64 " months",
		producer_name(channel), months);
}

/* The settings, where the log does not say so yet. */
static int tell_settings(struct keeper *k)
{
	bool told = false;
	unsigned i;

	for (i = 0; i < KEEPER_CHANNELS; i++) {
		struct kept kept = {.channel = keeper_channels[i]};
		struct entry e = {.kind = KIND_RETENTION, .urgent = true, .kept = &kept};
		char rule[64];
		uint64_t newest;

		kept.months = keeper_setting(&k->in->conf, kept.channel);
		if (retention_newest(&k->book, kept.channel, &newest) && newest == kept.months)
			continue;
		rule_text(rule, kept.channel, kept.months);
		kept.rule = rule;
		ingest_tell(k->in, &e);
		told = true;
	}
	return told ? keeper_settle(k) : 0;
}

/* --- time --- */

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int keeper_now(struct keeper *k, int64_t *out)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX);
	uint64_t at = store_size(k->in->store), end = at > LOOK_BACK ? at - LOOK_BACK : 0;
	int64_t times[NEWEST], own = clock_wall_us();
	struct why why = {""};
	struct segment s;
	unsigned n = 0;

	while (at > end && n < NEWEST) {
		int r;

		buf_clear(&header);
		r = store_read(k->in->store, --at, &header, NULL, &why);
		if (r < 0)
			return r;
		if (!r && !header_parse(buf_span(&header), &s, &why) && s.header.producer < PRODUCER_COLLECTOR)
			times[n++] = s.header.last_us;
	}
	*out = INT64_MIN;
	if (!n)
		return 0;
	qsort(times, n, sizeof(times[0]), by_time);
	*out = times[n / 2] < own ? times[n / 2] : own;
	return 0;
}

/* --- expiring --- */

/* What the log says has expired, and is there all the same. */
static int finish(struct keeper *k, uint64_t *freed)
{
	uint64_t n;
	size_t i;
	int r = 0;

	*freed = 0;
	for (i = 0; !r && i < k->book.expiries_n; i++) {
		const struct retention_expiry *e = &k->book.expiries[i];

		r = store_expire(k->in->store, e->month, e->channel, &n);
		if (r > 0) {
			if (log_allowed(&k->log))
				log_error("retention: %s of %s expired by leaf %" PRIu64 ", and cannot be removed",
					producer_name(e->channel), e->month, e->leaf);
			r = 0;
		} else if (!r && n) {
			log_notice("retention: %s of %s expired: %" PRIu64 " bytes freed", producer_name(e->channel),
				e->month, n);
			*freed += n;
			/* Its rows are made again, without those. */
			commit_soon(k->in);
		}
	}
	return r;
}

int keeper_expire(struct keeper *k, const struct store_month *m, unsigned channel, const struct order *order,
	struct span order_bytes, unsigned uid, uint64_t *freed)
{
	char rule[64] = "order", signers[2 * NOTE_NAME_MAX + 4] = "";
	struct kept kept = {
		.channel = channel,
		.month = m->month,
		.rule = rule,
		.signer = signers,
		.months = retention_period(&k->book, channel, m->month, UINT64_MAX),
		.has_leaves = true,
		.from_leaf = m->first,
		.to_leaf = m->first + m->count - 1,
		.bytes = m->channels[channel].bytes,
		.order = order_bytes,
	};
	struct entry e = {.kind = KIND_EXPIRED, .urgent = true, .count = m->channels[channel].segments, .kept = &kept};
	int r;

	if (order) {
		e.text = order->reason;
		e.has_uid = true;
		e.uid = uid;
		snprintf(signers, sizeof(signers), "%s, %s", order->requester, order->second);
	} else {
		rule_text(rule, channel, kept.months);
	}
	ingest_tell(k->in, &e);
	r = keeper_settle(k);
	return r ? r : finish(k, freed);
}

struct looking {
	struct keeper *k;
	int64_t now;
	char month[8];
	unsigned channel;
	bool found;
};

/* The first that is due and not held. */
static int look_at(void *ctx, const struct store_month *m)
{
	struct looking *l = ctx;
	const struct retention_hold *hold;
	unsigned i;

	if (m->open)
		return V_END;
	for (i = 0; i < KEEPER_CHANNELS; i++) {
		unsigned c = keeper_channels[i];
		uint64_t months = retention_period(&l->k->book, c, m->month, UINT64_MAX);
		int r;

		if (!m->channels[c].bytes || retention_of(&l->k->book, c, m->month) ||
			l->now < retention_due(m->month, months))
			continue;
		r = keeper_held(l->k, m, c, &hold);
		if (r)
			return r;
		if (hold)
			continue;
		memcpy(l->month, m->month, sizeof(l->month));
		l->channel = c;
		l->found = true;
		return V_END;
	}
	return 0;
}

void keeper_soon(struct keeper *k)
{
	static const struct timeval soon = {0, LOOK_US};

	event_add(k->timer, &soon);
}

static int round_(struct keeper *k, bool *more)
{
	struct looking l = {.k = k};
	struct store_month m;
	uint64_t freed;
	int r = keeper_book(k);

	*more = r == V_AGAIN;
	r = r ? r : tell_settings(k);
	r = r ? r : finish(k, &freed);
	r = r ? r : keeper_now(k, &l.now);
	r = r ? r : store_months(k->in->store, false, look_at, &l);
	if (!r && l.found)
		r = store_month(k->in->store, l.month, &m);
	if (!r && l.found)
		r = keeper_expire(k, &m, l.channel, NULL, SPAN(NULL, 0), 0, &freed);
	*more |= l.found;
	return r;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;
	struct timeval next = {0, 0};
	bool more = false, looking;
	int r;

	(void)fd;
	(void)what;
	if (k->in->lost) {
		next.tv_sec = SOON_S;
		event_add(k->timer, &next);
		return;
	}
	/* Another one keeps it; here it is only shown, to who asks. */
	if (!keeper_is(k)) {
		next.tv_sec = ROUND_S;
		event_add(k->timer, &next);
		return;
	}
	r = keeper_look(k);
	looking = r == V_AGAIN;
	r = r ? r : round_(k, &more);
	if (r < 0) {
		ingest_fail(k->in, r, "retention");
		next.tv_sec = SOON_S;
		event_add(k->timer, &next);
		return;
	}
	if (r && r != V_AGAIN && log_allowed(&k->log))
		log_error("retention: a pack is damaged, see sekishoctl verify: nothing expires");
	if (looking) {
		keeper_soon(k);
		return;
	}
	next.tv_sec = more || r == V_AGAIN ? SOON_S : ROUND_S;
	event_add(k->timer, &next);
}

int keeper_new(struct ingest *in, struct keeper **out)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->in = in;
	k->log = (struct log_limit)LOG_LIMIT(3);
	*out = k;
	return 0;
}

int keeper_start(struct keeper *k)
{
	static const struct timeval soon = {SOON_S, 0};

	k->timer = evtimer_new(k->in->server.base, on_time, k);
	return k->timer && !event_add(k->timer, &soon) ? 0 : -ENOMEM;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	if (k->timer)
		event_free(k->timer);
	retention_deinit(&k->book);
	free(k->looked);
	free(k);
}
