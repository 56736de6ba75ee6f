/*
 * The group commit: what was judged is made durable and proven, and its requests answered; one commit serves all that
 * came meanwhile. The query index is made in slices, after the answers. An answer that says "stored" never leaves
 * before everything in it is fsynced and inside an fsynced checkpoint.
 *
 * Where the store is a database, a commit may have to wait for others: for a standby that is away, or for another
 * collector whose commit waits for one. The loop does not: the store answers V_AGAIN (store_waits), and is asked again
 * every tenth of a second. Meanwhile
 *
 * - who has sent what is in that commit waits for its answer; who sends more is told to send it again (503), for
 *   nothing can be judged: which chain it continues is in what waits;
 * - our own records and those of the desks wait in their spools;
 * - everything else is answered: policies, the log as it is committed, the door. What it writes beside the log does not
 *   wait for the standby either (store_trails); so an answer that promises such a thing leaves behind the next commit
 *   (commit_reply);
 * - who stops the process waits for nothing: nobody was told anything, and what came of the commit is found out by the
 *   next one that opens the store.
 */
#include "collector/ingest/pending.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stddef.h>

#define COMMIT_LEAST_US 5000
#define INDEX_SLICE_US 20000u /* each slice is a transaction, which costs; and nothing is answered during one */
#define INDEX_OTHERS_US 200000
/*
 * With a crowd of connections so many slices in a second come right after their commits; what is committed after them
 * waits for the end of that second. A transaction of the index writes a page for each list that it touches, which costs
 * more than the few records of one commit: where PCs by the thousand make thirty commits a second, that was a third of
 * all work. In an office of less, what is acknowledged is found at once.
 */
#define INDEX_CROWD 256u
#define INDEX_AT_ONCE 8u
#define INDEX_SECOND_US 1000000
#define RETRY_SOON_S 5u
#define WAITS_LOOK_US 100000

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

static void pending_free(struct pending *p)
{
	json_decref(p->reply);
	free(p);
}

/* The client is gone; what it sent is stored all the same. */
static void on_gone(struct held *h)
{
	struct pending *p = (struct pending *)((char *)h - offsetof(struct pending, held));

	unlink_pending(p);
	pending_free(p);
}

static int answer_one(struct ingest *in, struct pending *p, struct evhttp_request *req, bool failed)
{
	int r = 0;

	if (!failed && p->reply)
		answer_json(req, 200, json_incref(p->reply));
	else if (!failed)
		r = answer(in, req, p->rows, p->n, p->seen);
	if (failed || r)
		answer_error(req, 503, "failed", "the store failed", RETRY_SOON_S);
	return r;
}

/* `segments`: those alone; what the others wait for was written while the commit waited, and is behind it. */
static int answer_pending(struct ingest *in, bool failed, bool segments)
{
	struct pending *p, *next;
	int r = 0;

	for (p = in->pending; p; p = next) {
		next = p->next;
		if (segments && p->reply)
			continue;
		unlink_pending(p);
		r = answer_one(in, p, held_release(&p->held), failed || r) ? -EIO : r;
		pending_free(p);
	}
	return r;
}

/* --- the commit --- */

static int index_step(struct ingest *in)
{
	static const struct timeval later = {0, INDEX_OTHERS_US};
	int64_t now = clock_boot_us();
	int r;

	if (now - in->index_second_us >= INDEX_SECOND_US) {
		in->index_second_us = now;
		in->index_slices = 0;
	}
	in->index_slices++;
	in->index_waits = 0;
	r = store_index_for(in->store, INDEX_SLICE_US, &in->index_lag);
	/* Another one has it, who may be taking rows away: what is left is nobody's to finish then. */
	if (r == V_AGAIN)
		event_add(in->index_timer, &later);
	return r > 0 ? 0 : r;
}

/* After a commit: where nothing else is left over, has this second had its slices? Then the timer is set to its end. */
static bool index_rests(struct ingest *in)
{
	int64_t left = in->index_second_us + INDEX_SECOND_US - clock_boot_us();
	struct timeval tv = {.tv_sec = 0, .tv_usec = left};

	if (in->server.conns_n < INDEX_CROWD || in->index_lag || in->index_slices < INDEX_AT_ONCE || left <= 0 ||
		left >= INDEX_SECOND_US)
		return false;
	in->index_waits++;
	return !event_add(in->index_timer, &tv);
}

uint64_t commit_index_lag(const struct ingest *in)
{
	return in->index_lag + in->index_waits;
}

static int settled(struct ingest *in, bool segments)
{
	int r = answer_pending(in, false, segments);

	r = r ? r : desks_settled(in->desks);
	return r ? r : journal_settled(in->journal);
}

/* Has what was waited for come? */
static int waited(struct ingest *in)
{
	int r = store_commit(in->store);

	if (r)
		return r;
	if (in->waits_since_us && log_allowed(&in->waits_log))
		log_notice(
			"the database answers after %" PRId64 " s", (clock_wall_us() - in->waits_since_us) / 1000000);
	in->waits_since_us = 0;
	return settled(in, true);
}

static int begin_waiting(struct ingest *in)
{
	if (!in->waits_since_us) {
		in->waits_since_us = clock_wall_us();
		if (log_allowed(&in->waits_log))
			log_warning("the database's answer is waited for: is a standby away that has to have each "
				    "commit? Who sends is asked to send again");
	}
	commit_soon(in);
	return V_AGAIN;
}

int commit_now(struct ingest *in)
{
	int64_t begin = clock_boot_us();
	bool waits = store_waits(in->store);
	unsigned n = 0;
	int r = in->old_copy ? -ESTALE : waits ? waited(in) : 0;

	r = r ? r : journal_drain(in->journal, &n);
	r = r ? r : desks_drain(in->desks, &n);
	r = r ? r : store_commit(in->store);
	if (r == V_AGAIN)
		return begin_waiting(in);
	in->waits_since_us = 0;
	if (r) {
		r = r == V_FULL ? -ENOSPC : r > 0 ? -EIO : r;
		answer_pending(in, true, false);
		return r;
	}
	/* A turn that came is kept until then. */
	if (waits)
		commit_soon(in);
	in->count.commits++;
	in->commit_took_us = clock_boot_us() - begin;
	return settled(in, false);
}

static void on_commit(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0, 0};
	struct ingest *in = arg;
	int r;

	(void)fd;
	(void)what;
	in->commit_armed = false;
	if (in->lost)
		return;
	r = commit_now(in);
	r = r == V_AGAIN ? 0 : r;
	/* One slice whatever else there is to do: under lasting load the index must not stand still. */
	r = r || index_rests(in) ? r : index_step(in);
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

	/* Who stops waits for nothing. */
	if (in->commit_armed || !in->commit_timer)
		return;
	if (wait < COMMIT_LEAST_US)
		wait = COMMIT_LEAST_US;
	if (wait > (int64_t)in->conf.commit_us)
		wait = (int64_t)in->conf.commit_us;
	if (in->waits_since_us)
		wait = WAITS_LOOK_US;
	tv.tv_sec = wait / 1000000;
	tv.tv_usec = wait % 1000000;
	in->commit_armed = !event_add(in->commit_timer, &tv);
}

static void on_index(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0, 0};
	struct ingest *in = arg;
	int r;

	(void)fd;
	(void)what;
	if (in->lost)
		return;
	r = index_step(in);
	if (r)
		ingest_fail(in, r, "index");
	else if (in->index_lag)
		event_add(in->index_timer, &now);
}

int commit_start(struct ingest *in)
{
	static const struct timeval now = {0, 0};

	in->commit_timer = evtimer_new(in->server.base, on_commit, in);
	in->index_timer = evtimer_new(in->server.base, on_index, in);
	/* Takes turns with requests, a step each: what is stored is to be found, however many PCs send. */
	if (!in->commit_timer || !in->index_timer || event_add(in->index_timer, &now))
		return -ENOMEM;
	if (store_waits(in->store))
		commit_soon(in);
	return 0;
}

void commit_lost(struct ingest *in)
{
	(void)answer_pending(in, true, false);
}

void commit_again(struct ingest *in)
{
	static const struct timeval now = {0, 0};

	commit_soon(in);
	event_add(in->index_timer, &now);
}

void commit_stop(struct ingest *in)
{
	if (in->commit_timer)
		event_free(in->commit_timer);
	if (in->index_timer)
		event_free(in->index_timer);
	in->commit_timer = in->index_timer = NULL;
}

/* --- requests that come to be answered --- */

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

static void hold(struct ingest *in, struct ask *a, struct pending *p)
{
	int r;

	/* Judged and in the store's hands: while it waits, a request costs its results only. */
	evbuffer_drain(evhttp_request_get_input_buffer(a->req), a->body.n);
	r = held_begin(a, &p->held, on_gone);
	if (r) {
		pending_free(p);
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

void commit_reply(struct ingest *in, struct ask *a, json_t *steal)
{
	struct pending *p = steal && store_trails(in->store) ? calloc(1, sizeof(*p)) : NULL;

	if (!p) {
		/* Without memory for more than that: it may be so, and is asked for again. */
		if (steal && store_trails(in->store))
			answer_error(a->req, 503, "busy", "no memory", RETRY_SOON_S);
		else
			answer_json(a->req, 200, json_incref(steal));
		json_decref(steal);
		return;
	}
	p->in = in;
	p->reply = steal;
	/* Also where another collector has made it so before: who asks again is not told before a standby has it. */
	store_promise(in->store);
	hold(in, a, p);
}

void commit_wait(struct ingest *in, struct ask *a)
{
	(void)begin_waiting(in);
	answer_error(a->req, 503, "database", "the collector waits for its database", RETRY_SOON_S);
}

void commit_pending(struct ingest *in, struct ask *a, struct pending *p)
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
	hold(in, a, p);
}
