/*
 * When segments go out: the state of the link, the queues, and pacing. What an answer means is settle.c's.
 *
 * DOWN -> PROBING: before anything is sent after a break, the collector is asked how its log stands; a log that does
 * not extend what was seen gets nothing. PROBING -> UP, or, after a long outage, SPREAD -> UP: a random delay, so that
 * a thousand PCs do not empty their spools at once. One request is on its way at a time, whatever waits.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <sys/inotify.h>

#define PROBE_TIMEOUT_S 60L
#define SEEN_MAX 2048u /* bytes of a note in a header */
#define SEND_TIMEOUT_S 120L
#define SLOWEST_RATE 4096 /* bytes a second that a request may crawl at and still end */
#define REST_MIN_US 20000
#define FRESH_GAP_US 60000000 /* hints that come one after the other begin the pauses anew once in this time */
#define WATCHED (IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define BACKLOG_SEGMENTS API_SEGMENTS_MAX /* more than one request's: something was missed for long */

static void probe(struct uplink *u);

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct uplink *u = userdata;

	(void)src;
	(void)usec;
	if (u->sender.state == LINK_DOWN) {
		probe(u);
	} else if (u->sender.state == LINK_SPREAD || u->sender.state == LINK_PACED) {
		u->sender.state = LINK_UP;
		sender_drain(u);
		status_changed(u);
	}
	return 0;
}

static void arm(struct uplink *u, uint64_t delay_us)
{
	int r = uplink_arm(u, &u->sender.timer, delay_us, on_timer);

	if (r < 0)
		uplink_fail(u, r, "timer");
	u->sender.retry_boot_us = clock_boot_us() + (int64_t)delay_us;
}

static uint64_t failed(struct uplink *u, uint64_t asked_us, const char *why)
{
	struct sender *s = &u->sender;
	uint64_t delay = backoff_next(&s->backoff, u->conf.backoff_max_us, asked_us, uplink_random());
	bool news = strcmp(s->last_error, why) != 0 || s->backoff.failures == 1;

	s->asked_until_us = asked_us ? clock_boot_us() + (int64_t)delay : 0;
	s->failures++;
	s->last_error_wall_us = clock_wall_us();
	snprintf(s->last_error, sizeof(s->last_error), "%s", why);
	log_at(news ? LOG_WARNING : LOG_DEBUG, "%s; next attempt in %" PRIu64 ".%" PRIu64 " s", why, delay / 1000000,
		delay / 100000 % 10);
	return delay;
}

/* Nothing is on its way any more, and the next request takes a new connection. */
static void let_go(struct uplink *u)
{
	struct sender *s = &u->sender;

	http_cancel(u->http, HTTP_SEND);
	http_distrust(u->http, HTTP_SEND);
	http_distrust(u->http, HTTP_WAIT);
	wait_stop(u);
	uplink_disarm(s->rest);
	s->sending = NULL;
	cosign_stop(u);
	batch_drop(&s->batch);
}

void sender_down(struct uplink *u, uint64_t asked_us, const char *why)
{
	struct sender *s = &u->sender;

	let_go(u);
	if (!s->down_since_us)
		s->down_since_us = clock_boot_us();
	s->state = LINK_DOWN;
	arm(u, failed(u, asked_us, why));
	status_changed(u);
}

void sender_pause(struct uplink *u, uint64_t asked_us, const char *why)
{
	u->sender.state = LINK_PACED;
	arm(u, failed(u, asked_us, why));
	status_changed(u);
}

void sender_alarm(struct uplink *u, const char *why, const char *offered)
{
	int r = witness_alarm(&u->witness, why, offered);

	if (r < 0)
		log_error("alarm could not be written: %s", strerror(-r));
	sender_down(u, 0, why);
}

void sender_again(struct uplink *u, const char *why)
{
	struct sender *s = &u->sender;
	int64_t now = clock_boot_us();
	bool is_up = s->state != LINK_DOWN && s->state != LINK_PROBING;

	if (s->asked_until_us > now || u->failed || (is_up && !why))
		return;
	if (is_up)
		log_info("%s: connecting anew", why);
	let_go(u);
	if (!s->fresh_us || now - s->fresh_us > FRESH_GAP_US) {
		s->fresh_us = now;
		backoff_reset(&s->backoff);
	}
	uplink_disarm(s->timer);
	probe(u);
	status_changed(u);
}

void sender_kick(struct uplink *u)
{
	if (u->sender.state == LINK_DOWN)
		probe(u);
}

void sender_hurry(struct uplink *u)
{
	if (u->sender.state != LINK_SPREAD)
		return;
	u->sender.state = LINK_UP;
	uplink_disarm(u->sender.timer);
	sender_drain(u);
}

/* --- is the collector there, and is its log what it was? --- */

static void up(struct uplink *u)
{
	struct sender *s = &u->sender;
	int64_t now = clock_boot_us();
	uint64_t spread = 0;

	if (s->down_since_us) {
		if (now - s->down_since_us > (int64_t)u->conf.outage_us)
			spread = backoff_jitter(u->conf.spread_us, uplink_random());
		log_notice("collector reached; sending in %" PRIu64 " s", spread / 1000000);
	}
	s->down_since_us = 0;
	s->last_good_wall_us = clock_wall_us();
	/* The back-off goes on until a request with segments succeeds, or nothing waits: a probe that does is not
	 * enough. */
	if (spread) {
		s->state = LINK_SPREAD;
		arm(u, spread);
	} else {
		s->state = LINK_UP;
		sender_drain(u);
	}
	if (s->state != LINK_DOWN)
		wait_start(u);
	status_changed(u);
}

bool sender_refused(struct uplink *u, const struct http_answer *a, struct error_answer *out)
{
	struct log_state *log = &u->sender.answer.log;
	struct checkpoint c;

	answer_error(a->body, out);
	if (a->status != 409 || !out->checkpoint[0])
		return true;
	memcpy(log->checkpoint, out->checkpoint, sizeof(log->checkpoint));
	log->consistency.n = 0;
	return settle_log(u, log, &c);
}

static void on_probe(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	struct log_state *log = &u->sender.answer.log;
	struct error_answer e;
	struct checkpoint c;
	struct why why = {""};
	char text[256];

	if (a->failed) {
		snprintf(text, sizeof(text), "collector not reached: %.200s", a->failed);
		sender_down(u, 0, text);
		return;
	}
	if (a->status == 200) {
		if (answer_consistency(a->body, log, &why))
			sender_down(u, a->retry_after_us, why.text);
		else if (settle_log(u, log, &c))
			up(u);
		return;
	}
	if (!sender_refused(u, a, &e))
		return;
	snprintf(text, sizeof(text), "collector answers %ld%s%s", a->status, e.error[0] ? ": " : "", e.error);
	sender_down(u, a->retry_after_us, text);
}

/*
 * The checkpoint itself goes with the question: by the log's own signature a collector that was restored from a copy
 * finds out that it was, before it signs another one.
 */
static int put_seen(struct uplink *u, struct buf *out)
{
	const char *note = u->witness.note;
	int r;

	if (!note[0] || strlen(note) > SEEN_MAX)
		return 0;
	r = buf_puts(out, API_HEADER_CHECKPOINT ": ");
	return r ? r : base64_encode(out, SPAN_STR(note));
}

static void probe(struct uplink *u)
{
	_cleanup_buf_ struct buf seen = BUF_INIT(3 * SEEN_MAX);
	char target[128];
	struct http_request rq = {.target = target, .timeout_s = PROBE_TIMEOUT_S};
	int r = put_seen(u, &seen);

	if (!r && seen.n) {
		rq.headers[0] = buf_str(&seen);
		rq.headers_n = rq.headers[0] ? 1 : 0;
	}

	snprintf(target, sizeof(target), API_CONSISTENCY "?from=%" PRIu64, u->witness.last.size);
	u->sender.state = LINK_PROBING;
	r = http_start(u->http, HTTP_SEND, &rq, on_probe, u);
	if (r)
		uplink_fail(u, r, "request");
}

/* --- the queues --- */

static void on_segments(void *ctx, const struct http_answer *a)
{
	settle(ctx, a);
}

static void send_batch(struct uplink *u, struct queue *q)
{
	struct sender *s = &u->sender;
	char seen[64];
	struct http_request rq = {.target = API_SEGMENTS,
		.body = buf_span(&s->batch.body),
		.type = API_SEGMENT_TYPE,
		.headers = {seen, API_HEADER_GAP ": " API_GAP_LOST},
		.headers_n = q->gap_lost && q->lost_seq == s->batch.items[0].entry.seq ? 2 : 1,
		.timeout_s = SEND_TIMEOUT_S + (long)(s->batch.body.n / SLOWEST_RATE)};
	int r;

	snprintf(seen, sizeof(seen), API_HEADER_SEEN ": %" PRIu64, u->witness.last.size);
	s->sending = q;
	s->requests++;
	s->sent_boot_us = clock_boot_us();
	r = http_start(u->http, HTTP_SEND, &rq, on_segments, u);
	if (r)
		uplink_fail(u, r, "request");
}

/* Something to send of this queue? Then it is on its way, or a pause began: true. */
static bool send_from(struct uplink *u, struct queue *q)
{
	struct batch *b = &u->sender.batch;
	struct why why;
	int r;

	for (;;) {
		unsigned max = q->one_by_one_to || q->has_suspect ? 1 : API_SEGMENTS_MAX;

		r = batch_fill(b, u->spool, q->producer, q->from, max, &why);
		if (r != V_BAD)
			break;
		settle_aside(u, q, &b->items[0].entry, "unsendable", why.text);
	}
	if (r < 0) {
		uplink_fail(u, r, "spool");
		return true;
	}
	if (r) { /* nothing waits, or nothing behind the suspect to try instead of it */
		q->from = 0;
		q->one_by_one_to = 0;
		if (!q->has_suspect)
			return false;
		q->has_suspect = false;
		sender_pause(u, 0, "collector turns the request away");
		return true;
	}
	if (q->one_by_one_to && b->items[0].entry.seq >= q->one_by_one_to)
		q->one_by_one_to = 0;
	send_batch(u, q);
	return true;
}

static int on_rest(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct uplink *u = userdata;

	(void)src;
	(void)usec;
	u->sender.next_boot_us = 0;
	sender_drain(u);
	return 0;
}

/* A long backlog goes out at `rate` on the average, so that it takes neither the PC's line nor the collector's. */
static bool rests(struct uplink *u)
{
	struct sender *s = &u->sender;
	int64_t left = s->next_boot_us - clock_boot_us();
	int r;

	if (left < REST_MIN_US)
		return false;
	r = uplink_arm(u, &s->rest, (uint64_t)left, on_rest);
	if (r < 0)
		uplink_fail(u, r, "timer");
	return true;
}

static void tidy(struct uplink *u)
{
	uint64_t every = u->conf.acked_keep_us / 8 < TIDY_EVERY_US ? u->conf.acked_keep_us / 8 : TIDY_EVERY_US;
	int64_t now = clock_boot_us();
	unsigned i;

	if (u->sender.tidied_boot_us && now - u->sender.tidied_boot_us < (int64_t)every)
		return;
	u->sender.tidied_boot_us = now;
	for (i = 0; i < PRODUCERS_MAX; i++)
		if (u->sender.queues[i].producer)
			(void)spool_tidy(u->spool, i, u->conf.acked_keep_us);
}

void sender_drain(struct uplink *u)
{
	struct sender *s = &u->sender;
	unsigned i;

	if (s->state != LINK_UP || s->sending || u->cosign.busy || u->failed)
		return;
	if (cosign_turn(u) || rests(u))
		return;
	for (i = 0; i < PRODUCERS_MAX; i++) {
		struct queue *q = &s->queues[(s->turn + i) % PRODUCERS_MAX];

		if (!q->producer || !send_from(u, q))
			continue;
		s->turn = (q->producer + 1) % PRODUCERS_MAX;
		return;
	}
	batch_drop(&s->batch);
	s->last_error[0] = 0;
	backoff_reset(&s->backoff);
	tidy(u);
}

/* --- noticing new segments: inotify alone, nobody is woken without cause --- */

static int on_sealed(sd_event_source *src, const struct inotify_event *e, void *userdata)
{
	struct uplink *u = userdata;
	unsigned p;

	/* The folder went away: watched anew when there is one again. */
	for (p = 0; e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) && p < PRODUCERS_MAX; p++) {
		struct queue *q = &u->sender.queues[p];

		if (q->watch != src)
			continue;
		q->watch = sd_event_source_disable_unref(q->watch);
		q->producer = 0;
	}
	sender_drain(u);
	status_changed(u);
	return 0;
}

static void watch_producers(struct uplink *u)
{
	char path[PATH_MAX];
	unsigned p;
	int r;

	for (p = 1; p < PRODUCERS_MAX; p++) {
		struct queue *q = &u->sender.queues[p];

		if (!producer_name(p) || q->producer)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", u->spool, producer_name(p)) >= (int)sizeof(path))
			continue;
		r = sd_event_add_inotify(u->event, &q->watch, path, WATCHED, on_sealed, u);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r < 0) {
			log_error("%s: cannot be watched: %s", path, strerror(-r));
			continue;
		}
		q->producer = p;
	}
}

static int on_spool(sd_event_source *src, const struct inotify_event *e, void *userdata)
{
	struct uplink *u = userdata;

	(void)src;
	(void)e;
	watch_producers(u);
	sender_drain(u);
	return 0;
}

int sender_start(struct uplink *u)
{
	uint64_t waiting = 0, n, bytes;
	unsigned i;
	int r;

	u->sender.batch = BATCH_INIT;
	r = sd_event_add_inotify(
		u->event, &u->sender.root, u->spool, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR, on_spool, u);
	if (r < 0)
		return r;
	watch_producers(u);
	for (i = 0; i < PRODUCERS_MAX; i++)
		if (u->sender.queues[i].producer && !spool_depth(u->spool, i, &n, &bytes))
			waiting += n;
	/* So much waits that this PC was off the line for long: as after an outage. */
	if (waiting > BACKLOG_SEGMENTS)
		u->sender.down_since_us = clock_boot_us() - (int64_t)u->conf.outage_us - 1;
	probe(u);
	return u->failed;
}

void sender_stop(struct uplink *u)
{
	unsigned i;

	sd_event_source_disable_unref(u->sender.timer);
	sd_event_source_disable_unref(u->sender.rest);
	sd_event_source_disable_unref(u->sender.root);
	for (i = 0; i < PRODUCERS_MAX; i++)
		sd_event_source_disable_unref(u->sender.queues[i].watch);
	batch_drop(&u->sender.batch);
}
