/*
 * POST /v1/segments: who sends, judged one by one, told where something is to be told, and handed to the commit.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/pending.h"
#include "collector/ingest/rows.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#define RETRY_DISK_S 30u
#define RETRY_SOON_S 5u
#define DAY_US 86400000000
#define SLOW_US 60000000
#define CLOCK_AHEAD_US UINT64_C(600000000)
#define BOOT_SLOTS ARRAY_SIZE(((struct peer *)NULL)->boots)

bool disk_is_full(struct ingest *in)
{
	struct statvfs fs;

	/* Where the store is a database: of the folder of its checkpoint. The database tells by itself (V_FULL). */
	return !statvfs(in->conf.state[0] ? in->conf.state : in->conf.store, &fs) &&
	       (uint64_t)fs.f_bavail * fs.f_frsize < in->conf.disk_floor;
}

void tell_found(struct ingest *in, const struct store_host *h, const struct segment *s, const struct judgement *j)
{
	char text[400];
	const char *producer = producer_name(s->header.producer);
	struct entry e = {.host = h,
		.hash = &s->hash,
		.text = text,
		.has_range = true,
		.from_seq = s->header.seq,
		.to_seq = s->header.seq};

	if (j->found & FOUND_GAP) {
		struct entry gap = e;

		gap.kind = KIND_GAP;
		gap.from_seq = j->gap_from;
		gap.to_seq = j->gap_to;
		snprintf(text, sizeof(text), "%s: segments are lost, as the PC says", producer);
		ingest_tell(in, &gap);
	}
	if (j->found & FOUND_FORK) {
		e.kind = KIND_FORKED;
		snprintf(text, sizeof(text), "%s: a second history: a cloned or restored disk", producer);
		ingest_tell(in, &e);
	}
	if (j->found & FOUND_REJOIN) {
		e.kind = KIND_REJOIN;
		snprintf(text, sizeof(text), "%s: the chain's state was lost", producer);
		ingest_tell(in, &e);
	}
	if (j->found & FOUND_POSING) {
		const struct enum_info *kind = enum_by_value(F_KIND, j->posing);

		e.kind = KIND_REFUSED;
		e.cause = CAUSE_NOT_SERVER;
		snprintf(text, sizeof(text), "%s: stored as evidence, but it says what only servers say: %s", producer,
			kind ? kind->name : "other");
		ingest_tell(in, &e);
	}
	if (j->found & FOUND_BODY) {
		e.kind = KIND_REFUSED;
		e.cause = CAUSE_BAD_BODY;
		snprintf(text, sizeof(text), "%s: stored as evidence, but its body cannot be read: %.*s", producer,
			WHY_SIZE, j->why.text);
		ingest_tell(in, &e);
	}
}

/* A chain's segments come in order: a boot that comes back after another one is a second machine with the same keys. */
static void watch_policy(struct ingest *in, const struct store_host *h, const struct segment *s)
{
	struct peer *p = peer_of(in, &h->id);

	/* The guard obeys it; what others write into their headers is hearsay. */
	if (p && s->header.producer == PRODUCER_GUARD)
		policy_note(p, &s->header);
}

static void watch_boots(struct ingest *in, const struct store_host *h, const struct segment *s)
{
	static const uint8_t none[16];
	struct peer *p = peer_of(in, &h->id);
	const uint8_t *boot = s->header.boot;
	unsigned slot = s->header.producer - 1;

	if (!p || slot >= BOOT_SLOTS || !memcmp(p->boots[slot].last, boot, 16))
		return;
	if (!memcmp(p->boots[slot].before, boot, 16) && memcmp(boot, none, 16) != 0 && !p->boots[slot].told) {
		struct entry e = {.kind = KIND_FORKED,
			.host = h,
			.hash = &s->hash,
			.has_range = true,
			.from_seq = s->header.seq,
			.to_seq = s->header.seq,
			.text = "segments of two boots come by turns: two machines with the same keys"};

		p->boots[slot].told = true;
		ingest_tell(in, &e);
	}
	memcpy(p->boots[slot].before, p->boots[slot].last, 16);
	memcpy(p->boots[slot].last, boot, 16);
}

/*
 * A wall clock that is ahead: nothing is refused for it (the order is the chain's), but whoever reads by time has to
 * know. One that is behind cannot be told from a PC that was offline. Once for each boot.
 */
static void watch_clock(struct ingest *in, const struct store_host *h, const struct segment *s)
{
	struct peer *p = peer_of(in, &h->id);
	int64_t now = clock_wall_us();
	char text[120];
	struct entry e = {.kind = KIND_CLOCK,
		.host = h,
		.hash = &s->hash,
		.text = text,
		.has_range = true,
		.from_seq = s->header.seq,
		.to_seq = s->header.seq};

	if (!p || s->header.last_us < now || (uint64_t)s->header.last_us - (uint64_t)now < CLOCK_AHEAD_US ||
		!memcmp(p->ahead_boot, s->header.boot, sizeof(p->ahead_boot)))
		return;
	memcpy(p->ahead_boot, s->header.boot, sizeof(p->ahead_boot));
	snprintf(text, sizeof(text), "%s: records are of %llu s after they came", producer_name(s->header.producer),
		((unsigned long long)s->header.last_us - (unsigned long long)now) / 1000000);
	ingest_tell(in, &e);
}

/* --- a PC's share of the day --- */

static struct share *share_of(struct ingest *in, const struct digest *host)
{
	struct peer *p = peer_of(in, host);
	int64_t day = clock_wall_us() / DAY_US;

	if (p && p->share.day != day)
		p->share = (struct share){.day = day};
	return p ? &p->share : NULL;
}

static void count_share(struct ingest *in, const struct store_host *h, const struct segment *s)
{
	struct share *mine = share_of(in, &h->id);

	if (mine) {
		mine->records += s->header.count;
		mine->bytes += s->bytes.n;
	}
}

/*
 * A PC that has sent more than its share of the day is not turned away: what it holds would be lost some day, and a
 * flood is evidence. It sends a request a minute until the day (UTC) is over, and keeps the rest. True: answered.
 */
static bool slowed(struct ingest *in, struct ask *a, const struct store_host *h)
{
	struct share *mine = share_of(in, &h->id);
	int64_t now = clock_boot_us();
	char text[160];
	int r;

	if (!mine || ((!in->conf.quota_records || mine->records < in->conf.quota_records) &&
			     (!in->conf.quota_bytes || mine->bytes < in->conf.quota_bytes)))
		return false;
	if (now >= mine->next_us) {
		mine->next_us = now + SLOW_US;
		return false;
	}
	in->count.slowed++;
	snprintf(text, sizeof(text), "slowed: %" PRIu64 " records and %" PRIu64 " bytes today", mine->records,
		mine->bytes);
	answer_error(a->req, 429, "quota", text, (unsigned)((mine->next_us - now) / 1000000 + 1));
	r = journal_refused(in->journal, h, NULL, CAUSE_QUOTA, NULL, 0, text);
	if (r)
		ingest_fail(in, r, "journal");
	return true;
}

/* One segment. 0; V_AGAIN; -errno. */
static int take(struct ingest *in, const struct store_host *h, const struct key *device, const struct segment *s,
	bool *gap_lost, struct row *row)
{
	struct judgement j = {.as = JUDGED_REFUSED, .cause = CAUSE_FOREIGN};
	int r = 0;

	if (s->header.producer == PRODUCER_CONSOLE || s->header.producer == PRODUCER_HERALD)
		why_set(&j.why, 0, "only the %s of this machine speaks as the %s", producer_name(s->header.producer),
			producer_name(s->header.producer));
	else
		r = judge_segment(in->judge, s, h, device, gap_lost, &j);
	if (r)
		return r;
	row->seq = s->header.seq;
	row->as = j.as;
	row->cause = j.cause;
	row->index = j.index;
	row->expected = j.expected;
	switch (j.as) {
	case JUDGED_STORED:
		in->count.segments_stored++;
		in->count.records += s->header.count;
		in->count.bytes += s->bytes.n;
		count_share(in, h, s);
		tell_found(in, h, s, &j);
		watch_boots(in, h, s);
		watch_policy(in, h, s);
		watch_clock(in, h, s);
		return 0;
	case JUDGED_KNOWN:
		in->count.segments_known++;
		return 0;
	case JUDGED_GAP:
		in->count.segments_gap++;
		return 0;
	case JUDGED_REFUSED:
		in->count.segments_refused++;
		text_escape_to(row->reason, sizeof(row->reason), SPAN_STR(j.why.text));
		return journal_refused(in->journal, h, NULL, j.cause, &s->hash, s->header.seq, j.why.text);
	}
	return 0;
}

static int take_all(
	struct ingest *in, const struct store_host *h, const struct rows *rows, bool gap_lost, struct pending *p)
{
	_cleanup_(key_freep) struct key *device = NULL;
	struct why why = {""};
	unsigned i;
	int r = key_from_public_der(SPAN(h->spki, h->spki_len), &device, &why);

	if (r)
		return r;
	for (i = 0; !r && i < rows->n; i++)
		r = take(in, h, device, &rows->at[i], &gap_lost, &p->rows[i]);
	p->n = rows->n;
	return r;
}

/* How much of the log the PC has seen. False: answered. */
static bool seen_header(struct ingest *in, struct ask *a, uint64_t *seen)
{
	const char *text = ask_header(a, API_HEADER_SEEN);
	int r;

	*seen = 0;
	if (text && ask_number(text, seen)) {
		answer_error(a->req, 400, "request", API_HEADER_SEEN " is no number", 0);
		return false;
	}
	r = *seen ? proof_reaches(in, *seen) : 0;
	if (r == V_END) {
		answer_behind(in, a);
	} else if (r) {
		answer_error(a->req, 503, "failed", "the store failed", RETRY_SOON_S);
		ingest_fail(in, r, "store");
	}
	return !r;
}

void segments_post(struct ingest *in, struct ask *a)
{
	const char *gap = ask_header(a, API_HEADER_GAP);
	_cleanup_free_ struct rows *rows = NULL;
	struct store_host host;
	struct why why = {""};
	struct pending *p;
	uint64_t seen;
	int r = host_of(in, a, &host);

	if (r || !seen_header(in, a, &seen))
		return;
	if (disk_is_full(in)) {
		in->count.turned_away++;
		answer_error(a->req, 503, "full", "the collector's disk is full", RETRY_DISK_S);
		return;
	}
	if (slowed(in, a, &host))
		return;
	rows = malloc(sizeof(*rows));
	r = rows ? rows_split(a->body, rows, &why) : -ENOMEM;
	if (r > 0) {
		in->count.segments_refused++;
		answer_error(a->req, 400, "segments", why.text, 0);
		r = journal_refused(in->journal, &host, NULL, CAUSE_BAD_FORMAT, NULL, 0, why.text);
		if (r)
			ingest_fail(in, r, "journal");
		return;
	}
	p = r ? NULL : calloc(1, sizeof(*p) + rows->n * sizeof(p->rows[0]));
	if (!p) {
		answer_error(a->req, 503, "busy", "no memory", RETRY_SOON_S);
		return;
	}
	p->in = in;
	p->seen = seen;
	r = take_all(in, &host, rows, gap && !strcmp(gap, API_GAP_LOST), p);
	store_rest(in->store);
	if (r) {
		free(p);
		if (r == V_AGAIN) {
			in->count.turned_away++;
			commit_wait(in, a);
			return;
		}
		answer_error(a->req, 503, "failed", "the store failed", RETRY_SOON_S);
		if (r > 0)
			log_error("a PC's device key in the store cannot be read");
		else
			ingest_fail(in, r, "store");
		return;
	}
	host_seen(in, &host);
	commit_pending(in, a, p);
}
