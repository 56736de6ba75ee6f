/*
 * POST /v1/segments: judged at once, made durable in groups, answered with proof. The answer waits until everything in
 * it that is new is fsynced and inside an fsynced checkpoint; one commit serves all requests that came meanwhile. The
 * query index is made in slices, after the answers.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/ingest.h"
#include "collector/ingest/rows.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#define COMMIT_LEAST_US 5000
#define INDEX_SLICE 8u /* segments in a slice */
#define RETRY_DISK_S 30u
#define RETRY_SOON_S 5u
#define BOOT_SLOTS ARRAY_SIZE(((struct peer *)NULL)->boots)

struct row {
	uint64_t seq;
	enum judged as;
	unsigned cause;
	char reason[160];
	uint64_t index, expected;
};

struct pending {
	struct held held;
	struct ingest *in;
	struct pending *next, **at;
	uint64_t seen;
	unsigned n;
	struct row rows[];
};

static const char *const status_names[] = {
	[JUDGED_STORED] = "stored", [JUDGED_KNOWN] = "known", [JUDGED_GAP] = "gap", [JUDGED_REFUSED] = "refused"};

/* --- answers --- */

static json_t *row_json(struct ingest *in, const struct row *r)
{
	json_t *o = json_pack("{s:I, s:s}", "seq", (json_int_t)r->seq, "status", status_names[r->as]);
	const struct enum_info *cause;
	struct merkle_proof proof;

	if (r->as == JUDGED_GAP) {
		json_object_set_new(o, "expected", json_integer((json_int_t)r->expected));
	} else if (r->as == JUDGED_REFUSED) {
		cause = enum_by_value(F_CAUSE, r->cause);
		json_object_set_new(o, "cause", json_string(cause ? cause->name : "other"));
		json_object_set_new(o, "reason", json_string(r->reason));
	} else if (store_prove(in->store, r->index, &proof)) {
		json_decref(o);
		return NULL;
	} else {
		json_object_set_new(o, "index", json_integer((json_int_t)r->index));
		json_object_set_new(o, "proof", proof_json(&proof));
	}
	return o;
}

/* Everything in it is in the committed log. */
static int answer(struct ingest *in, struct evhttp_request *req, const struct row *rows, unsigned n, uint64_t seen)
{
	json_t *results = json_array(), *row;
	struct merkle_proof consistency = {.n = 0};
	unsigned i;

	for (i = 0; i < n; i++) {
		row = row_json(in, &rows[i]);
		if (!row || json_array_append_new(results, row)) {
			json_decref(results);
			return -EIO;
		}
	}
	if (seen && store_consistency(in->store, seen, &consistency)) {
		json_decref(results);
		return -EIO;
	}
	answer_json(req, 200,
		json_pack("{s:o, s:o, s:o}", "results", results, "checkpoint", checkpoint_json(in), "consistency",
			proof_json(&consistency)));
	return 0;
}

static void unlink_pending(struct pending *p)
{
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
}

/* The client is gone; what it sent is stored all the same. */
static void on_gone(struct held *h)
{
	struct pending *p = (struct pending *)((char *)h - offsetof(struct pending, held));

	unlink_pending(p);
	free(p);
}

static int answer_pending(struct ingest *in, bool failed)
{
	int r = 0;

	while (in->pending) {
		struct pending *p = in->pending;
		struct evhttp_request *req = held_release(&p->held);

		unlink_pending(p);
		if (failed || r)
			answer_error(req, 503, "failed", "the store failed", RETRY_SOON_S);
		else
			r = answer(in, req, p->rows, p->n, p->seen);
		if (r)
			answer_error(req, 503, "failed", "the store failed", RETRY_SOON_S);
		free(p);
	}
	return r;
}

/* --- the commit --- */

static int index_step(struct ingest *in)
{
	int r = store_index_step(in->store, INDEX_SLICE, &in->index_lag);

	return r > 0 ? 0 : r;
}

int commit_now(struct ingest *in)
{
	int64_t begin = clock_boot_us();
	unsigned n = 0;
	int r = journal_drain(in->journal, &n);

	r = r ? r : store_commit(in->store);
	if (r) {
		r = r > 0 ? -EIO : r;
		answer_pending(in, true);
		return r;
	}
	in->count.commits++;
	in->commit_took_us = clock_boot_us() - begin;
	r = answer_pending(in, false);
	return r ? r : journal_settled(in->journal);
}

static void on_commit(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0, 0};
	struct ingest *in = arg;
	int r;

	(void)fd;
	(void)what;
	in->commit_armed = false;
	r = commit_now(in);
	/* One slice whatever else there is to do: under lasting load the index must not stand still. */
	r = r ? r : index_step(in);
	if (r)
		ingest_fail(in, r, "store");
	else if (in->index_lag)
		event_add(in->index_timer, &now);
}

/* The wait grows with what a commit costs, so that commits never take more than a fifth of the time. */
void commit_soon(struct ingest *in)
{
	int64_t wait = in->commit_took_us * 4;
	struct timeval tv = {0, 0};

	if (in->commit_armed)
		return;
	if (wait < COMMIT_LEAST_US)
		wait = COMMIT_LEAST_US;
	if (wait > (int64_t)in->conf.commit_us)
		wait = (int64_t)in->conf.commit_us;
	tv.tv_sec = wait / 1000000;
	tv.tv_usec = wait % 1000000;
	in->commit_armed = !event_add(in->commit_timer, &tv);
}

static void on_index(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0, 0};
	struct ingest *in = arg;
	int r = index_step(in);

	(void)fd;
	(void)what;
	if (r)
		ingest_fail(in, r, "index");
	else if (in->index_lag)
		event_add(in->index_timer, &now);
}

int segments_start(struct ingest *in)
{
	static const struct timeval now = {0, 0};

	in->commit_timer = evtimer_new(in->server.base, on_commit, in);
	in->index_timer = evtimer_new(in->server.base, on_index, in);
	/* Runs when nothing else is to be done. */
	if (!in->commit_timer || !in->index_timer || event_priority_set(in->index_timer, 1) ||
		event_add(in->index_timer, &now))
		return -ENOMEM;
	return 0;
}

void segments_stop(struct ingest *in)
{
	if (in->commit_timer)
		event_free(in->commit_timer);
	if (in->index_timer)
		event_free(in->index_timer);
	in->commit_timer = in->index_timer = NULL;
}

bool disk_is_full(struct ingest *in)
{
	struct statvfs fs;

	return !statvfs(in->conf.store, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize < in->conf.disk_floor;
}

/* --- taking in --- */

static void tell_found(
	struct ingest *in, const struct store_host *h, const struct segment *s, const struct judgement *j)
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
	if (j->found & FOUND_BODY) {
		e.kind = KIND_REFUSED;
		e.cause = CAUSE_BAD_BODY;
		snprintf(text, sizeof(text), "%s: stored as evidence, but its body cannot be read: %s", producer,
			j->why.text);
		ingest_tell(in, &e);
	}
}

/* A chain's segments come in order: a boot that comes back after another one is a second machine with the same keys. */
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

/* One segment. 0 or -errno. */
static int take(struct ingest *in, const struct store_host *h, const struct key *device, const struct segment *s,
	bool *gap_lost, struct row *row)
{
	struct judgement j;
	int r = judge_segment(in->judge, s, h, device, gap_lost, &j);

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
		tell_found(in, h, s, &j);
		watch_boots(in, h, s);
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

/* All of it in the committed log already? Then nobody has to wait. */
static bool committed(struct ingest *in, const struct pending *p)
{
	uint64_t size = store_size(in->store);
	unsigned i;

	for (i = 0; i < p->n; i++)
		if ((p->rows[i].as == JUDGED_STORED || p->rows[i].as == JUDGED_KNOWN) && p->rows[i].index >= size)
			return false;
	return true;
}

static void settle(struct ingest *in, struct ask *a, struct pending *p)
{
	int r;

	if (committed(in, p)) {
		r = answer(in, a->req, p->rows, p->n, p->seen);
		if (r)
			answer_error(a->req, 503, "failed", "the store failed", RETRY_SOON_S);
		free(p);
		if (r)
			ingest_fail(in, r, "store");
		return;
	}
	/* Judged and in the store's hands: while it waits, a request costs its results only. */
	evbuffer_drain(evhttp_request_get_input_buffer(a->req), a->body.n);
	r = held_begin(a, &p->held, on_gone);
	if (r) {
		free(p);
		answer_error(a->req, 503, "busy", "no memory", RETRY_SOON_S);
		return;
	}
	p->next = in->pending;
	p->at = &in->pending;
	if (p->next)
		p->next->at = &p->next;
	in->pending = p;
	commit_soon(in);
}

/* How much of the log the PC has seen. False: answered. */
static bool seen_header(struct ingest *in, struct ask *a, uint64_t *seen)
{
	const char *text = ask_header(a, API_HEADER_SEEN);

	*seen = 0;
	if (text && ask_number(text, seen)) {
		answer_error(a->req, 400, "request", API_HEADER_SEEN " is no number", 0);
		return false;
	}
	if (*seen > store_size(in->store)) {
		answer_behind(in, a);
		return false;
	}
	return true;
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
	if (r) {
		free(p);
		answer_error(a->req, 503, "failed", "the store failed", RETRY_SOON_S);
		if (r > 0)
			log_error("a PC's device key in the store cannot be read");
		else
			ingest_fail(in, r, "store");
		return;
	}
	host_seen(in, &host);
	settle(in, a, p);
}
