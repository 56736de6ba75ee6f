/*
 * What the collector's answer to a batch means for the segments in it. Called by sender.c alone.
 *
 * A segment is given up (moved to acked/) only where this PC itself has checked that its header is in a log that the
 * log's key signed and that extends what was seen before, and after that checkpoint is on this PC's disk. Of a log that
 * fails this, nothing is believed, neither "stored" nor "refused" nor "gap".
 *
 * A `gap` from a log that passes can name segments that were acknowledged here: then the collector lost what it knew of
 * the chain, not the evidence (the log still holds it), or it has opened a new log after a restore. Both are served
 * from acked/; what the collector has already costs an answer of "known".
 */
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <inttypes.h>

#define GAP_ROUNDS_MAX 3 /* gaps in a row that are served at once; then there is a pause between them */

void settle_make_room(struct uplink *u)
{
	unsigned i;

	log_error("disk full: acknowledged segments are removed now");
	for (i = 0; i < PRODUCERS_MAX; i++)
		if (u->sender.queues[i].producer)
			(void)spool_tidy(u->spool, i, 0);
}

static bool disk_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT;
}

/* Moves a segment by `move`; on a full disk after making room. True where it is where it belongs (or gone). */
static bool put(struct uplink *u, const struct spool_entry *e, int (*move)(const char *, const struct spool_entry *))
{
	int r = move(u->spool, e);

	if (disk_full(r)) {
		settle_make_room(u);
		r = move(u->spool, e);
	}
	if (r == V_NOT_FOUND && !access(e->path, F_OK))
		r = -ENOENT; /* it is there: what lacks is where it should go */
	if (r < 0)
		log_error("segment %" PRIu64 " of %s stays where it is: %s", e->seq, producer_name(e->producer),
			strerror(-r));
	return r >= 0;
}

void settle_aside(struct uplink *u, struct queue *q, const struct spool_entry *e, const char *cause, const char *reason)
{
	log_error("segment %" PRIu64 " of %s refused (%s): %s; kept in refused/", e->seq, producer_name(e->producer),
		cause, reason);
	q->refused++;
	if (!put(u, e, spool_refused))
		q->from = e->seq + 1;
}

/* --- the log --- */

static bool judge(struct uplink *u, const struct log_state *s, struct checkpoint *out)
{
	struct why why = {""};
	int r = witness_judge(&u->witness, s, out, &why);

	if (r < 0)
		uplink_fail(u, r, "checkpoint");
	else if (r)
		sender_alarm(u, why.text, s->checkpoint);
	return !r;
}

static bool keep(struct uplink *u, const struct log_state *s, const struct checkpoint *c)
{
	int r = witness_keep(&u->witness, s, c);

	if (disk_full(r)) {
		settle_make_room(u);
		r = witness_keep(&u->witness, s, c);
	}
	if (disk_full(r))
		sender_down(u, 0, "the checkpoint cannot be kept: disk full");
	else if (r)
		uplink_fail(u, r, "checkpoint");
	return !r;
}

bool settle_log(struct uplink *u, const struct log_state *s, struct checkpoint *out)
{
	return judge(u, s, out) && keep(u, s, out);
}

/* --- the segments --- */

/* Are all results about our segments, and is each that is said to be in the log there? True, or all was done. */
static bool proven(struct uplink *u, const struct answer *a, const struct checkpoint *c)
{
	char text[160];
	unsigned i;

	for (i = 0; i < a->n; i++) {
		const struct batch_item *it = &u->sender.batch.items[i];
		const struct result *r = &a->results[i];
		bool taken = r->status == RESULT_STORED || r->status == RESULT_KNOWN;

		if ((r->has_seq && it->readable && r->seq != it->seq) || (taken && !it->readable)) {
			sender_down(u, 0, "the collector's answer is about other segments");
			return false;
		}
		if (!taken || !merkle_verify_inclusion(r->index, c->size, &it->leaf, &r->proof, &c->root))
			continue;
		snprintf(text, sizeof(text),
			"the collector says it has segment %" PRIu64 " of %s, but does not prove that it is in its log",
			it->entry.seq, producer_name(it->entry.producer));
		sender_alarm(u, text, a->log.checkpoint);
		return false;
	}
	return true;
}

/* The collector's chain lacks what comes before this segment. True: go on at once. */
static bool serve_gap(struct uplink *u, struct queue *q, const struct batch_item *it, uint64_t expected)
{
	struct spool_entry e;
	uint64_t moved = 0;
	int r = 0;

	q->gaps++;
	q->from = 0;
	if (expected < it->seq) {
		r = spool_resend(u->spool, q->producer, expected, &moved);
		if (!r)
			r = spool_oldest(u->spool, q->producer, expected, &e);
	} else {
		e = it->entry;
	}
	if (r < 0) {
		if (!disk_full(r))
			uplink_fail(u, r, "spool");
		else
			sender_pause(u, 0, "segments cannot be brought back: disk full");
		return false;
	}
	q->gap_lost = r || e.seq != expected;
	q->lost_seq = r ? it->entry.seq : e.seq;
	log_notice("collector asks %s for segment %" PRIu64 ": %" PRIu64 " brought back%s", producer_name(q->producer),
		expected, moved, q->gap_lost ? ", what is before is gone" : "");
	if (++q->gap_rounds <= GAP_ROUNDS_MAX)
		return true;
	sender_pause(u, 0, "the collector asks for the same segments again and again");
	return false;
}

static void take(struct uplink *u, struct queue *q, const struct batch_item *it, const struct result *r)
{
	if (!q->has_acked || it->entry.seq > q->acked_seq) {
		q->acked_seq = it->entry.seq;
		q->gap_rounds = 0;
	}
	q->has_acked = true;
	q->acked_wall_us = clock_wall_us();
	if (r->status == RESULT_STORED)
		q->stored++;
	else
		q->known++;
	if (!put(u, &it->entry, spool_acked))
		q->from = it->entry.seq + 1; /* not again and again in this run */
}

static void settle_answer(struct uplink *u, struct queue *q, const struct answer *a)
{
	struct batch *b = &u->sender.batch;
	bool go_on = true, gap = false;
	unsigned i;

	q->gap_lost = false;
	if (q->has_suspect && b->items[0].entry.seq == q->suspect.seq) {
		q->has_suspect = false;
	} else if (q->has_suspect) { /* others are taken: once more this one */
		q->others_pass = true;
		q->from = 0;
	}
	for (i = 0; i < a->n; i++) {
		const struct result *r = &a->results[i];

		switch (r->status) {
		case RESULT_STORED:
		case RESULT_KNOWN:
			take(u, q, &b->items[i], r);
			break;
		case RESULT_REFUSED:
			settle_aside(u, q, &b->items[i].entry, r->cause, r->reason);
			break;
		case RESULT_GAP:
			if (!gap) /* those behind it lack it too */
				go_on = serve_gap(u, q, &b->items[i], r->expected);
			gap = true;
			break;
		}
	}
	if (go_on)
		sender_drain(u);
}

/*
 * The request as a whole was turned away as malformed. Which segment is it? One by one; a single one that is turned
 * away is suspect, and the next one is tried. Where that is turned away too, it is the collector's fault, and there is
 * a pause. Where it is taken, the suspect is tried once more, and then set aside.
 */
static void narrow_down(struct uplink *u, struct queue *q, long status)
{
	struct batch *b = &u->sender.batch;
	const struct spool_entry *e = &b->items[0].entry;
	char text[96];

	snprintf(text, sizeof(text), "collector turns the request away: %ld", status);
	if (b->n > 1) {
		q->one_by_one_to = b->items[b->n - 1].entry.seq + 1;
	} else if (!b->items[0].readable || (q->has_suspect && q->others_pass && e->seq == q->suspect.seq)) {
		q->has_suspect = false;
		settle_aside(u, q, e, "turned away", text);
	} else if (!q->has_suspect) {
		q->has_suspect = true;
		q->others_pass = false;
		q->suspect = *e;
		q->from = e->seq + 1;
	} else {
		q->has_suspect = false;
		q->from = 0;
		sender_pause(u, 0, text);
		return;
	}
	sender_drain(u);
}

static void settle_error(struct uplink *u, struct queue *q, const struct http_answer *a)
{
	struct log_state *log = &u->sender.answer.log;
	struct error_answer e;
	struct checkpoint c;
	char text[256];

	answer_error(a->body, &e);
	if (a->status == 400 || a->status == 413 || a->status == 422) {
		narrow_down(u, q, a->status);
		return;
	}
	if (a->status == 409 && e.checkpoint[0]) {
		memcpy(log->checkpoint, e.checkpoint, sizeof(log->checkpoint));
		log->consistency.n = 0;
		if (!settle_log(u, log, &c))
			return;
	}
	if (a->status == 403)
		snprintf(text, sizeof(text), "the collector does not take segments of this PC: %s", e.error);
	else
		snprintf(text, sizeof(text), "collector answers %ld%s%s", a->status, e.error[0] ? ": " : "", e.error);
	sender_pause(u, a->retry_after_us, text);
}

void settle(struct uplink *u, const struct http_answer *a)
{
	struct sender *s = &u->sender;
	struct queue *q = s->sending;
	struct why why = {""};
	struct checkpoint c;
	char text[256];

	s->sending = NULL;
	if (a->failed) {
		snprintf(text, sizeof(text), "sending failed: %.200s", a->failed);
		sender_down(u, 0, text);
		return;
	}
	if (a->status != 200) {
		settle_error(u, q, a);
		return;
	}
	if (answer_segments(a->body, s->batch.n, &s->answer, &why)) {
		sender_down(u, 0, why.text);
		return;
	}
	if (!judge(u, &s->answer.log, &c) || !proven(u, &s->answer, &c) || !keep(u, &s->answer.log, &c))
		return;
	backoff_reset(&s->backoff);
	s->last_good_wall_us = clock_wall_us();
	if (a->date_us) {
		s->has_ahead = true;
		s->ahead_us = s->last_good_wall_us - a->date_us;
	}
	s->last_error[0] = 0;
	if (u->conf.rate) {
		int64_t begun = s->next_boot_us > s->sent_boot_us ? s->next_boot_us : s->sent_boot_us;

		s->next_boot_us = begun + (int64_t)(s->batch.body.n * 1000000ull / u->conf.rate);
	}
	settle_answer(u, q, &s->answer);
	status_changed(u);
}
