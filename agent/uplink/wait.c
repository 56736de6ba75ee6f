/*
 * The request that the collector holds until there is something to say: somebody follows this PC (records are to be
 * sealed within a second), a newer policy is there. Runs while the link is up; a break of it is how an idle PC learns
 * that the collector went away. What producers have to know lies in the inbox, as files.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <inttypes.h>

#define HASTE_US 500000 /* an answer within this is hasty, and .. */
#define HASTY_MAX 5     /* .. after so many in a row there is a pause */
#define HASTY_PAUSE_US 5000000ull

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	(void)src;
	(void)usec;
	wait_start(userdata);
	return 0;
}

static void again_in(struct uplink *u, uint64_t delay_us)
{
	int r = uplink_arm(u, &u->wait.timer, delay_us, on_timer);

	if (r < 0)
		uplink_fail(u, r, "timer");
}

static void follow(struct uplink *u, uint64_t seconds)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	int64_t now = clock_boot_us(), until = seconds ? now + (int64_t)seconds * 1000000 : 0;
	char path[PATH_MAX];
	int r;

	if (!until && u->wait.follow_until_us <= now)
		return;
	u->wait.follow_until_us = until;
	r = buf_putf(&b, "%" PRId64 "\n", until);
	if (!r && (size_t)snprintf(path, sizeof(path), "%s/follow", u->inbox) < sizeof(path))
		r = file_replace_volatile(path, buf_span(&b), 0644);
	if (r) /* being followed is a convenience: records still come, only later */
		log_warning("inbox/follow cannot be written: %s", strerror(r < 0 ? -r : 0));
	if (until)
		sender_hurry(u);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	struct wait *w = &u->wait;
	_cleanup_buf_ struct buf signed_policy =
		BUF_INIT(API_POLICY_HANDED_MAX + 3); /* decoding reserves whole groups */
	struct wait_answer got;
	struct why why = {""};
	bool hasty = clock_boot_us() - w->asked_boot_us < HASTE_US;
	char text[256];

	if (a->failed && !a->timed_out) {
		snprintf(text, sizeof(text), "connection to the collector broke: %.180s", a->failed);
		sender_down(u, 0, text);
		return;
	}
	if (!a->failed && (a->status != 200 || answer_wait(a->body, &got, &signed_policy, &why))) {
		uint64_t delay = backoff_next(&w->backoff, u->conf.backoff_max_us, a->retry_after_us, uplink_random());

		http_distrust(u->http, HTTP_WAIT);
		if (w->backoff.failures == 1)
			log_warning("waiting request: collector answers %ld %s", a->status, why.text);
		again_in(u, delay);
		return;
	}
	backoff_reset(&w->backoff);
	if (!a->failed) {
		if (!w->answered || got.policy != w->policy)
			log_info("collector has policy version %" PRIu64, got.policy);
		w->answered = true;
		w->policy = got.policy;
		if (signed_policy.n)
			policy_handed(u, got.policy, buf_span(&signed_policy));
		else
			policy_offered(u, got.policy);
		follow(u, got.follow_s);
		if (got.cosign)
			cosign_asked(u);
	}
	status_changed(u);
	w->hasty = hasty ? w->hasty + 1 : 0;
	if (w->hasty > HASTY_MAX)
		again_in(u, backoff_jitter(HASTY_PAUSE_US, uplink_random()));
	else
		wait_start(u);
}

void wait_start(struct uplink *u)
{
	char target[160];
	struct http_request rq = {.target = target, .held = true, .timeout_s = (long)(u->conf.wait_us / 1000000)};
	int r;

	if (http_busy(u->http, HTTP_WAIT) || u->failed || u->sender.state == LINK_DOWN ||
		u->sender.state == LINK_PROBING)
		return;
	uplink_disarm(u->wait.timer);
	u->wait.asked_boot_us = clock_boot_us();
	snprintf(target, sizeof(target), API_WAIT "?follow=%d&checkpoint=%" PRIu64 "&policy=%" PRIu64 "&above=%" PRIu64,
		u->wait.follow_until_us > u->wait.asked_boot_us, u->witness.last.size, u->wait.policy,
		policy_in_force(u));
	r = http_start(u->http, HTTP_WAIT, &rq, on_answer, u);
	if (r)
		uplink_fail(u, r, "request");
}

void wait_stop(struct uplink *u)
{
	http_cancel(u->http, HTTP_WAIT);
	uplink_disarm(u->wait.timer);
}
