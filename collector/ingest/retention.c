/*
 * Retention: what is due expires, once an hour, a channel of a month at a time. See collector/store/RETENTION.md.
 *
 * Everything follows from the committed log: the periods that it names, the holds, and the records of what expired.
 * Bodies go only where such a record stands in it, and what a crash left is done at the next start from those records.
 * Nothing else in the collector removes evidence. Where several collectors share the log, any of them decides: in its
 * turn at the log, so that what it knows of the others' decisions is all there is.
 */
#include "collector/ingest/keeper.h"
#include "collector/store/month.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include <errno.h>
#include <inttypes.h>

#define ROUND_S 3600
#define SOON_S 1
#define LATER_S 10    /* who reads what is to go, a backup perhaps, may do so for long */
#define TRIES 2u      /* of what somebody reads, in a row */
#define LOOK_US 40000 /* between two parts of what is looked through: others have two thirds of the time */
#define SLICE_US 20000u
#define CATCH_UP 10u     /* slices, before others have their turn */
#define NEAR 1024u       /* leaves that are read without asking the index, which may be behind */
#define LEARN_US 200000  /* of reading; the first time an enrolment of each PC is among it */
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

/* --- the book --- */

static int on_row(void *ctx, const struct store_row *row)
{
	struct keeper *k = ctx;
	size_t n = k->unread_n;

	/* Another one may have appended it since the log was looked at. */
	if (row->leaf >= k->upto)
		return 0;
	/* At powers of two there is room for no more. */
	if (!(n & (n - 1))) {
		uint64_t *v = reallocarray(k->unread, n ? 2 * n : 1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		k->unread = v;
	}
	k->unread[k->unread_n++] = row->leaf;
	return 0;
}

static int by_leaf(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Which leaves of many may have decisions: the index says so, where it has come that far. */
static int seek(struct keeper *k)
{
	struct store_filter f = {
		.kinds = {KIND_RETENTION, KIND_EXPIRED, KIND_HOLD, KIND_HOLD_LIFTED, KIND_ENROL, KIND_REVOKE},
		.kinds_n = 6,
		.after_row = k->known ? (k->known << ROW_BITS) - 1 : 0,
		.bare = true};
	struct why why = {""};
	unsigned i;
	int r = 0;

	k->upto = store_size(k->in->store);
	for (i = 0; !r && i < CATCH_UP; i++) {
		r = store_index_for(k->in->store, SLICE_US, &k->in->index_lag);
		if (!r && !k->in->index_lag)
			break;
	}
	if (r || k->in->index_lag)
		return r < 0 ? r : V_AGAIN;
	r = store_query(k->in->store, &f, on_row, k, &why);
	/* Some of them are not all. */
	if (r)
		k->unread_n = k->unread_at = 0;
	/* They come by time, and count in the order of the log. */
	if (!r && k->unread_n)
		qsort(k->unread, k->unread_n, sizeof(*k->unread), by_leaf);
	if (!r && !k->unread_n)
		k->known = k->upto;
	return r > 0 ? -EIO : r;
}

/* The next leaf that the book does not know. */
static int learn(struct keeper *k, uint64_t leaf, struct buf *header, struct buf *body, struct buf *raw)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record rec;
	struct why why = {""};
	struct segment s;
	unsigned n = 0;
	int r;

	buf_clear(header);
	r = store_read(k->in->store, leaf, header, NULL, &why);
	r = r ? r : header_parse(buf_span(header), &s, &why);
	if (!r && s.header.producer == PRODUCER_COLLECTOR) {
		buf_clear(header);
		buf_clear(body);
		r = store_read(k->in->store, leaf, header, body, &why);
		r = r ? r : header_parse(buf_span(header), &s, &why);
		s.body = buf_span(body);
		r = r ? r : segment_raw(&s, raw, &why);
		r = r ? r : body_reader_new(buf_span(raw), &in);
		while (!r && !(r = body_next(in, &rec, &why))) {
			r = retention_learn(&k->book, &s.header.host, leaf, ++n, &rec);
			r = r == V_FULL ? -E2BIG : r == V_DENIED ? 0 : r;
		}
		r = r == V_END ? 0 : r;
	}
	if (!r)
		k->known = leaf + 1;
	return r > 0 ? V_BAD : r;
}

/* What the book has may lack something: it is read again from the beginning, and what was looked through with it. */
static void forget(struct keeper *k)
{
	retention_deinit(&k->book);
	k->known = k->upto = 0;
	k->unread_n = k->unread_at = 0;
	k->looked_n = 0;
}

int keeper_book(struct keeper *k)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 raw = BUF_INIT(BODY_RAW_MAX);
	int64_t until = clock_boot_us() + LEARN_US;
	int r = 0;

	retention_begin(&k->book, &k->in->first);
	while (!r && k->known < store_size(k->in->store)) {
		if (k->unread_at < k->unread_n) {
			uint64_t leaf = k->unread[k->unread_at];

			/* Of one leaf there may be several rows. */
			r = leaf < k->known ? 0 : learn(k, leaf, &header, &body, &raw);
			k->unread_at += !r;
		} else if (k->unread_n) {
			k->known = k->upto;
			k->unread_n = k->unread_at = 0;
		} else if (store_size(k->in->store) - k->known > NEAR) {
			r = seek(k);
		} else {
			r = learn(k, k->known, &header, &body, &raw);
		}
		if (!r && clock_boot_us() >= until && k->known < store_size(k->in->store)) {
			keeper_soon(k);
			return V_AGAIN;
		}
	}
	if (r == V_BAD)
		forget(k);
	return r;
}

/* --- deciding --- */

int keeper_turn(struct keeper *k)
{
	int r;

	k->waits = false;
	r = k->in->older ? V_EXISTS : k->in->failed ? k->in->failed : keeper_book(k);

	/* What others wait for is kept short: all but the newest is known before. */
	r = r ? r : commit_now(k->in);
	if (r)
		return r;
	r = store_turn(k->in->store, &k->next);
	r = r == V_FULL ? -ENOSPC : r;
	if (r == V_AGAIN)
		commit_soon(k->in);
	r = r ? r : keeper_book(k);
	if (!r && !retention_decides(&k->book, &k->in->keys.host))
		r = V_DENIED;
	if (r)
		keeper_rest(k);
	return r;
}

void keeper_rest(struct keeper *k)
{
	store_rest(k->in->store);
}

void keeper_tell(struct keeper *k, struct entry *e, struct kept *kept)
{
	kept->decided = true;
	kept->follows = k->book.last > 0;
	kept->after_leaf = kept->follows ? k->book.last - 1 : 0;
	kept->own_leaf = k->next;
	e->kept = kept;
	k->seq = journal_next(k->in->journal);
	k->dropped = journal_dropped(k->in->journal);
	ingest_tell(k->in, e);
}

int keeper_settle(struct keeper *k)
{
	int r = k->in->failed ? k->in->failed : commit_now(k->in);

	/* Nobody appends before it: it was the first of what waits, where it was told, and in one segment. */
	k->waits = r == V_AGAIN && store_waits(k->in->store) && journal_next(k->in->journal) == k->seq + 1 &&
		   journal_dropped(k->in->journal) == k->dropped;
	r = r ? r : keeper_book(k);
	/* Where the spool was full, nothing was told; what waited in it came before. */
	return r ? r : k->book.last == k->next + 1 ? 0 : V_AGAIN;
}

bool keeper_waits(const struct keeper *k, int r)
{
	return r == V_AGAIN && k->waits;
}

/* The setting as the log and people read it. */
static void rule_text(char out[64], unsigned channel, uint64_t months)
{
	snprintf(out, 64, months == RETENTION_FOREVER ? "keep_%s = forever" : "keep_%s = %" PRIu64 " months",
		producer_name(channel), months);
}

/*
 * Does the log not say yet what the settings say? Another collector's may say otherwise: it is told once, when it was
 * set here; later only what is longer, or two would contradict each other for ever.
 */
static bool is_news(const struct keeper *k, unsigned channel)
{
	uint64_t newest, own = keeper_setting(&k->in->conf, channel);

	return !retention_newest(&k->book, channel, &newest) || own > newest || (own != newest && !k->told);
}

static int tell_settings(struct keeper *k)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < KEEPER_CHANNELS; i++) {
		struct kept kept = {.channel = keeper_channels[i]};
		struct entry e = {.kind = KIND_RETENTION, .urgent = true};
		char rule[64];

		if (!is_news(k, kept.channel))
			continue;
		r = keeper_turn(k);
		if (r)
			return r;
		if (!is_news(k, kept.channel)) {
			keeper_rest(k);
			continue;
		}
		kept.months = keeper_setting(&k->in->conf, kept.channel);
		rule_text(rule, kept.channel, kept.months);
		kept.rule = rule;
		keeper_tell(k, &e, &kept);
		r = keeper_settle(k);
	}
	k->told |= !r;
	return r;
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

/* --- counting --- */

int keeper_month(struct keeper *k, const char *month, struct store_month *out)
{
	int r = store_month(k->in->store, month, out);

	/* One that is open grows, and nothing of it goes. */
	if (r || out->counted || out->open)
		return r;
	memcpy(k->counting, out->month, sizeof(k->counting));
	keeper_soon(k);
	return V_AGAIN;
}

static int see_counted(void *ctx, const struct store_month *m)
{
	*(bool *)ctx &= m->counted;
	return m->counted ? 0 : V_END;
}

/* Goes on with what somebody has asked for, for some 20 ms. 0: all of it is counted; V_AGAIN; V_BAD; -errno. */
static int count_on(struct keeper *k)
{
	struct store_month m = {.counted = true};
	bool all = true;
	int r = k->counting[0] ? store_month(k->in->store, k->counting, &m) : 0;

	if (r == V_NOT_FOUND || (!r && (m.counted || m.open)))
		k->counting[0] = 0;
	r = r == V_NOT_FOUND ? 0 : r;
	if (r || k->counting[0] || !k->counts)
		return r ? r : k->counting[0] ? V_AGAIN : 0;
	r = store_months(k->in->store, true, see_counted, &all);
	k->counts = !r && !all;
	return r ? r : all ? 0 : V_AGAIN;
}

/* --- expiring --- */

/* One of them. As store_expire, but what can never be is told, and passed over. */
static int remove_one(struct keeper *k, const struct retention_expiry *e, uint64_t *freed, bool *left)
{
	uint64_t n;
	int r = store_expire(k->in->store, e->month, e->channel, &n, left);

	if (r > 0 && r != V_AGAIN) {
		if (log_allowed(&k->log))
			log_error("retention: %s of %s expired by leaf %" PRIu64 ", and cannot be removed",
				producer_name(e->channel), e->month, e->leaf);
		r = 0;
	} else if (n) {
		log_notice(
			"retention: %s of %s expired: %" PRIu64 " bytes freed", producer_name(e->channel), e->month, n);
		*freed += n;
		/* Its rows are made again, without those. */
		commit_soon(k->in);
	}
	return r;
}

/*
 * What the log says has expired, and is there all the same. 0; V_AGAIN: not all of it could go yet (keeper.later, or at
 * once again); -errno.
 */
static int finish(struct keeper *k, uint64_t *freed)
{
	unsigned tries = 0;
	size_t i;
	int r = 0;

	*freed = 0;
	k->left = k->later = false;
	for (i = 0; !k->left && tries < TRIES && i < k->book.expiries_n; i++) {
		k->going = k->going < k->book.expiries_n ? k->going : 0;
		r = remove_one(k, &k->book.expiries[k->going], freed, &k->left);
		if (r < 0)
			return r;
		tries += r == V_AGAIN;
		k->going += !k->left;
	}
	k->later = tries && !k->left;
	return tries || k->left ? V_AGAIN : 0;
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
	struct entry e = {.kind = KIND_EXPIRED, .urgent = true, .count = m->channels[channel].segments};
	int r;

	if (order) {
		e.text = order->reason;
		e.has_uid = true;
		e.uid = uid;
		snprintf(signers, sizeof(signers), "%s, %s", order->requester, order->second);
	} else {
		rule_text(rule, channel, kept.months);
	}
	keeper_tell(k, &e, &kept);
	r = keeper_settle(k);
	if (keeper_waits(k, r))
		keeper_soon(k);
	if (r)
		return r;
	r = finish(k, freed);
	if (r != V_AGAIN)
		return r;
	/* It is decided, and goes. */
	keeper_soon(k);
	*freed = *freed ? *freed : m->channels[channel].bytes;
	return 0;
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

static int look(struct keeper *k, struct looking *l)
{
	*l = (struct looking){.k = k, .now = l->now};
	return store_months(k->in->store, false, look_at, l);
}

/* What is due goes, where that is still so once nobody else can decide. */
static int expire_one(struct keeper *k, struct looking *l)
{
	struct store_month m;
	uint64_t freed;
	int r = keeper_month(k, l->month, &m);

	r = r ? r : keeper_turn(k);
	if (r)
		return r;
	r = look(k, l);
	/* Counted before, or it is another one now. */
	if (!r && l->found)
		r = keeper_month(k, l->month, &m);
	if (!r && l->found)
		return keeper_expire(k, &m, l->channel, NULL, SPAN(NULL, 0), 0, &freed);
	keeper_rest(k);
	return r;
}

static int round_(struct keeper *k, bool *more)
{
	struct looking l = {.k = k};
	uint64_t freed;
	int r = keeper_book(k);

	*more = r == V_AGAIN;
	r = r ? r : finish(k, &freed);
	/* What others read keeps nothing else from going. */
	r = r == V_AGAIN && k->later ? 0 : r;
	r = r ? r : tell_settings(k);
	r = r ? r : keeper_now(k, &l.now);
	r = r ? r : look(k, &l);
	if (!r && l.found)
		r = expire_one(k, &l);
	*more |= l.found;
	return r;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;
	struct timeval next = {0, 0};
	bool more = false, looking, counting;
	int r;

	k->left = k->later = false;
	(void)fd;
	(void)what;
	if (k->in->lost) {
		next.tv_sec = SOON_S;
		event_add(k->timer, &next);
		return;
	}
	r = count_on(k);
	counting = r == V_AGAIN;
	r = r && !counting ? r : keeper_look(k);
	looking = r == V_AGAIN;
	r = r ? r : round_(k, &more);
	if (r < 0) {
		ingest_fail(k->in, r, "retention");
		next.tv_sec = SOON_S;
		event_add(k->timer, &next);
		return;
	}
	if (r == V_DENIED && log_allowed(&k->log))
		log_notice("retention: the log does not say that this is one of its collectors: it decides nothing");
	else if (r && r != V_AGAIN && r != V_DENIED && r != V_EXISTS && log_allowed(&k->log))
		log_error("retention: a pack is damaged, or decisions are missing, see sekishoctl verify: nothing "
			  "expires");
	if (looking || counting || k->counting[0] || k->left || (r == V_AGAIN && k->unread_n)) {
		keeper_soon(k);
		return;
	}
	/* What was decided, and waits for a standby, is carried out when it is there. */
	next.tv_sec = more || r == V_AGAIN || store_waits(k->in->store) ? SOON_S : k->later ? LATER_S : ROUND_S;
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
	free(k->unread);
	free(k->looked);
	free(k);
}
