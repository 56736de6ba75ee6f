/*
 * See journal.h. Called by the routes and the loop. Must never give up a sealed segment before the store has committed
 * it: what a crash left in the spool goes into the store at the next start.
 */
#include "collector/ingest/journal.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/retention.h"
#include "policy/wire/spool.h"
#include <errno.h>
#include <inttypes.h>

#define SPOOL_BOUND (64ull << 20)
#define SEAL_US 1000000u  /* so that what outsiders cause makes one segment a second at most */
#define COUNTERS_MAX 512u /* of refusals, by PC and cause, within a minute */
#define COUNT_US 60000000
#define CAUSES_MAX 64u
#define FOREVER_US INT64_MAX

struct counter {
	struct digest peer;
	unsigned cause;
	uint64_t more; /* not told yet */
	int64_t since_us;
	bool used;
};

struct journal {
	struct sealer *sealer;
	struct store *store;
	struct record record;
	char spool[CONFIG_PATH_MAX + 32];
	struct digest host;
	uint64_t next;    /* sequence that is drained next */
	uint64_t settled; /* sequences below it may go, once the store has committed */
	bool waiting;     /* drained, not committed */
	struct counter counters[COUNTERS_MAX];
	uint64_t uncounted; /* no counter was free */
	int64_t counts_due_us;
	uint64_t refused[CAUSES_MAX];
};

int journal_new(const struct config *c, const struct keys *k, struct store *s, struct journal **out, struct why *why)
{
	struct sealer_options o = {
		.spool_dir = c->spool,
		.producer = PRODUCER_COLLECTOR,
		.device = k->device,
		.bound = SPOOL_BOUND,
		.seal_us = SEAL_US,
		.floor = 1, /* full disks are the collector's own care: see disk_floor */
	};
	struct journal *j = calloc(1, sizeof(*j));
	struct spool_entry e;
	int r;

	if (!j)
		return -ENOMEM;
	j->store = s;
	j->host = k->host;
	j->counts_due_us = FOREVER_US;
	snprintf(j->spool, sizeof(j->spool), "%s", c->spool);
	r = sealer_new(&o, &j->sealer, why);
	if (r == V_BAD && j->sealer) {
		log_warning("%s", why->text);
		r = 0;
	}
	if (!r) {
		r = spool_oldest(j->spool, PRODUCER_COLLECTOR, 0, &e);
		if (r == V_END) {
			struct sealer_stats st;

			sealer_stats(j->sealer, &st);
			j->next = st.seq;
			r = 0;
		} else if (!r) {
			j->next = e.seq;
		}
	}
	if (r) {
		journal_free(j);
		return r;
	}
	*out = j;
	return 0;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	sealer_free(j->sealer);
	free(j);
}

static void put_kept(struct record *r, const struct kept *k)
{
	if (k->channel)
		record_set_uint(r, F_CHANNEL, k->channel);
	record_set_text(r, F_MONTH, k->month);
	record_set_text(r, F_RULE, k->rule);
	record_set_text(r, F_HOLD, k->hold);
	record_set_text(r, F_PERSON, k->person);
	record_set_text(r, F_SIGNER, k->signer);
	if (k->months && k->months != RETENTION_FOREVER)
		record_set_uint(r, F_MONTHS, k->months);
	if (k->has_leaves) {
		record_set_uint(r, F_FROM_LEAF, k->from_leaf);
		record_set_uint(r, F_TO_LEAF, k->to_leaf);
		record_set_uint(r, F_SIZE, k->bytes);
	}
	if (k->decided)
		record_set_uint(r, F_OWN_LEAF, k->own_leaf);
	if (k->decided && k->follows)
		record_set_uint(r, F_AFTER_LEAF, k->after_leaf);
	if (k->order.n)
		record_set_span(r, F_ORDER, k->order);
}

int journal_put(struct journal *j, const struct entry *e)
{
	struct record *r = &j->record;
	const struct digest *peer = e->host ? &e->host->id : e->peer;
	int x;

	record_reset(r);
	record_set_uint(r, F_KIND, e->kind);
	record_set_uint(r, F_BOOT_TIME, (uint64_t)clock_boot_us());
	if (peer)
		record_set_span(r, F_PEER, SPAN(peer->b, DIGEST_SIZE));
	if (e->host)
		record_set_str(r, F_PEER_NAME, e->host->name);
	if (e->host && e->with_key)
		record_set_span(r, F_KEY, SPAN(e->host->spki, e->host->spki_len));
	if (e->hash)
		record_set_span(r, F_HASH, SPAN(e->hash->b, DIGEST_SIZE));
	if (e->cause)
		record_set_uint(r, F_CAUSE, e->cause);
	if (e->has_range) {
		record_set_uint(r, F_FROM_SEQ, e->from_seq);
		record_set_uint(r, F_TO_SEQ, e->to_seq);
	}
	if (e->count)
		record_set_uint(r, F_COUNT, e->count);
	if (e->has_uid)
		record_set_uint(r, F_UID, e->uid);
	if (e->text && *e->text)
		record_set_str(r, F_TEXT, e->text);
	if (e->kept)
		put_kept(r, e->kept);
	x = sealer_put(j->sealer, r, e->urgent);
	return x == V_FULL ? 0 : x;
}

/* --- refusals --- */

static struct counter *counter_of(struct journal *j, const struct digest *peer, unsigned cause, bool *fresh)
{
	struct counter *empty = NULL;
	unsigned i;

	*fresh = false;
	for (i = 0; i < COUNTERS_MAX; i++) {
		struct counter *c = &j->counters[i];

		if (!c->used)
			empty = empty ? empty : c;
		else if (c->cause == cause && digest_eq(&c->peer, peer))
			return c;
	}
	if (empty) {
		*empty = (struct counter){.peer = *peer, .cause = cause, .used = true, .since_us = clock_boot_us()};
		*fresh = true;
	}
	return empty;
}

int journal_refused(struct journal *j, const struct store_host *host, const struct digest *peer, unsigned cause,
	const struct digest *header_hash, uint64_t seq, const char *text)
{
	static const struct digest nobody;
	const struct digest *who = host ? &host->id : peer;
	struct entry e = {.kind = KIND_REFUSED,
		.host = host,
		.peer = peer,
		.cause = cause,
		.hash = header_hash,
		.count = 1,
		.text = text,
		.has_range = header_hash != NULL,
		.from_seq = seq,
		.to_seq = seq};
	struct counter *c;
	bool fresh;

	j->refused[cause < CAUSES_MAX ? cause : 0]++;
	c = counter_of(j, who ? who : &nobody, cause, &fresh);
	if (j->counts_due_us == FOREVER_US)
		j->counts_due_us = clock_boot_us() + COUNT_US;
	if (!c) {
		j->uncounted++;
		return 0;
	}
	if (!fresh) {
		c->more++;
		return 0;
	}
	return journal_put(j, &e);
}

uint64_t journal_refusals(const struct journal *j, unsigned cause)
{
	return cause < CAUSES_MAX ? j->refused[cause] : 0;
}

/* Tells what was counted: all of it, or what is older than a minute. */
static int tell_counts(struct journal *j, int64_t now, bool all)
{
	static const struct digest nobody;
	struct store_host host;
	unsigned i, left = 0;
	int r = 0;

	for (i = 0; !r && i < COUNTERS_MAX; i++) {
		struct counter *c = &j->counters[i];
		struct entry e = {.kind = KIND_REFUSED,
			.cause = c->cause,
			.count = c->more,
			.text = "counted since the one told"};

		if (!c->used)
			continue;
		if (!all && now - c->since_us < COUNT_US) {
			left++;
			continue;
		}
		c->used = false;
		if (!c->more)
			continue;
		if (!digest_eq(&c->peer, &nobody))
			e.peer = &c->peer;
		if (e.peer && !store_host_get(j->store, &c->peer, &host))
			e.host = &host;
		r = journal_put(j, &e);
	}
	if (!r && j->uncounted) {
		struct entry e = {
			.kind = KIND_REFUSED, .count = j->uncounted, .text = "from too many PCs to tell apart"};

		j->uncounted = 0;
		r = journal_put(j, &e);
	}
	j->counts_due_us = left ? now + COUNT_US : FOREVER_US;
	return r;
}

/* --- the way into the store --- */

int64_t journal_due(const struct journal *j)
{
	int64_t due = sealer_due(j->sealer);

	return j->counts_due_us < due ? j->counts_due_us : due;
}

int journal_run(struct journal *j, int64_t now_boot_us)
{
	int r = now_boot_us >= j->counts_due_us ? tell_counts(j, now_boot_us, false) : 0;

	return r ? r : sealer_run(j->sealer, now_boot_us);
}

/* A file that is no segment of ours has no place in the log: it stays where a person finds it. */
static int set_aside(struct journal *j, const struct spool_entry *e, const char *why)
{
	int r = spool_refused(j->spool, e);

	log_error("%s: %s; kept in refused/", e->path, why);
	return r < 0 ? r : 0;
}

int journal_drain(struct journal *j, unsigned *n)
{
	struct spool_entry e;
	int r;

	*n = 0;
	while ((r = spool_oldest(j->spool, PRODUCER_COLLECTOR, j->next, &e)) == 0) {
		_cleanup_buf_ struct buf b = BUF_INIT(SEGMENT_MAX);
		struct why why = {"too large"};
		struct segment s;
		uint64_t index;

		r = file_read(e.path, &b);
		if (r < 0)
			return r;
		if (!r)
			r = segment_parse(buf_span(&b), &s, &why);
		if (!r && (!digest_eq(&s.header.host, &j->host) || s.header.producer != PRODUCER_COLLECTOR ||
				  s.bytes.n != b.n))
			r = why_set(&why, V_BAD, "not a segment of this collector");
		if (r > 0) {
			r = set_aside(j, &e, why.text);
		} else if (!r) {
			do
				r = store_append(j->store, &s, &index);
			while (r == V_AGAIN && !(r = store_commit(j->store)));
			*n += !r;
			r = r == V_EXISTS ? 0 : r;
			j->waiting = true;
		}
		if (r)
			return r;
		j->next = e.seq + 1;
	}
	return r == V_END ? 0 : r;
}

uint64_t journal_next(const struct journal *j)
{
	return j->next;
}

uint64_t journal_dropped(const struct journal *j)
{
	struct sealer_stats st;

	sealer_stats(j->sealer, &st);
	return st.dropped;
}

int journal_settled(struct journal *j)
{
	struct spool_entry e;
	int r;

	if (!j->waiting)
		return 0;
	while ((r = spool_oldest(j->spool, PRODUCER_COLLECTOR, j->settled, &e)) == 0 && e.seq < j->next) {
		r = spool_acked(j->spool, &e);
		if (r < 0)
			return r;
		j->settled = e.seq + 1;
	}
	if (r < 0)
		return r;
	j->waiting = false;
	return spool_tidy(j->spool, PRODUCER_COLLECTOR, 0);
}

void journal_again(struct journal *j)
{
	j->next = j->settled;
	j->waiting = false;
}

int journal_last(struct journal *j)
{
	int r = tell_counts(j, clock_boot_us(), true);

	return r ? r : sealer_flush(j->sealer, true);
}
