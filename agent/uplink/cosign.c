/*
 * The collector asks for this PC's cosignature: the checkpoint is fetched with its proof, judged and kept as any other,
 * and only then signed. Takes its turn with the segments on the same connection (sender.c), so that nothing else moves
 * what was seen while an answer is on its way.
 *
 * Never signed: a checkpoint that is smaller than the one kept, another root at the same size (an alarm), and none
 * before it is on this PC's disk.
 */
#include "agent/uplink/cosign.h"
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#define TIMEOUT_S 60L
#define ASK_MAX 4096u

static void over(struct uplink *u)
{
	u->cosign.busy = false;
	buf_deinit(&u->cosign.body);
	sender_drain(u);
}

static void on_taken(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	char text[256];

	u->cosign.busy = false;
	if (a->failed) {
		snprintf(text, sizeof(text), "sending a cosignature failed: %.200s", a->failed);
		sender_down(u, 0, text);
		return;
	}
	if (a->status == 200) {
		u->cosign.size = u->cosign.signing;
		u->cosign.count++;
	} else {
		log_info("cosignature not taken: collector answers %ld", a->status);
	}
	status_changed(u);
	over(u);
}

/* What was kept is signed. */
static int sign(struct uplink *u, const char *note)
{
	_cleanup_buf_ struct buf line = BUF_INIT(COSIGNATURE_LINE_MAX);
	_cleanup_free_ char *text = NULL;
	json_auto_t *o = NULL;
	int64_t now = clock_wall_us();
	int r = cosignature_sign(
		SPAN_STR(note), u->cosign.own.name, u->cosign.own.key, now > 0 ? (uint64_t)now / 1000000 : 0, &line);

	if (r)
		return r;
	o = json_pack("{s:s, s:s%}", "witness", u->cosign.own.declared, "cosignature", (const char *)line.p, line.n);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	u->cosign.body = BUF_INIT(ASK_MAX);
	return text ? buf_puts(&u->cosign.body, text) : -ENOMEM;
}

/* The round is over, or this PC has seen more of the log than is to be signed; or the log itself went back. */
static void on_refused(struct uplink *u, const struct http_answer *a)
{
	struct error_answer e;

	if (sender_refused(u, a, &e))
		sender_drain(u);
}

static void on_checkpoint(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	struct log_state *log = &u->sender.answer.log;
	struct http_request rq = {.target = API_COSIGN, .type = "application/json", .timeout_s = TIMEOUT_S};
	struct checkpoint c;
	struct why why = {""};
	char text[256];
	int r;

	u->cosign.busy = false;
	if (a->failed) {
		snprintf(text, sizeof(text), "collector not reached: %.200s", a->failed);
		sender_down(u, 0, text);
		return;
	}
	if (a->status != 200) {
		on_refused(u, a);
		return;
	}
	r = answer_consistency(a->body, log, &why);
	if (r) {
		sender_down(u, 0, why.text);
		return;
	}
	/* An older one says nothing about a fork, but it is not signed any more. */
	if (!checkpoint_verify(SPAN_STR(log->checkpoint), &u->witness.log, &c, &why) && c.size < u->witness.last.size) {
		sender_drain(u);
		return;
	}
	if (!settle_log(u, log, &c))
		return;
	if (!c.size || sign(u, log->checkpoint)) {
		over(u);
		return;
	}
	u->cosign.signing = c.size;
	u->cosign.busy = true;
	rq.body = buf_span(&u->cosign.body);
	r = http_start(u->http, HTTP_SEND, &rq, on_taken, u);
	if (r)
		uplink_fail(u, r, "request");
}

bool cosign_turn(struct uplink *u)
{
	char target[128];
	struct http_request rq = {.target = target, .timeout_s = TIMEOUT_S};
	int r;

	if (!u->cosign.asked || !u->cosign.own.key)
		return false;
	u->cosign.asked = false;
	u->cosign.busy = true;
	snprintf(target, sizeof(target), API_COSIGN "?from=%" PRIu64, u->witness.last.size);
	r = http_start(u->http, HTTP_SEND, &rq, on_checkpoint, u);
	if (r)
		uplink_fail(u, r, "request");
	return true;
}

void cosign_asked(struct uplink *u)
{
	u->cosign.asked = true;
	sender_drain(u);
}

void cosign_stop(struct uplink *u)
{
	u->cosign.busy = false;
	buf_deinit(&u->cosign.body);
}
