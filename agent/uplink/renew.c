/*
 * Renewal of the TLS certificate at two thirds of its life (a little later at random, so that PCs that enrolled
 * together do not come together), also when it has expired: a long holiday must not cost a visit. The request carries
 * its own proof and goes over a connection without our certificate.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>

#define RENEW_TIMEOUT_S 60L

static int schedule(struct uplink *u, int64_t at_us);

static void again(struct uplink *u, uint64_t asked_us, const char *why)
{
	uint64_t delay = backoff_next(&u->renew.backoff, u->conf.backoff_max_us, asked_us, uplink_random());
	int r = schedule(u, clock_wall_us() + (int64_t)delay);

	log_warning("certificate not renewed: %s; next attempt in %llu s", why, (unsigned long long)(delay / 1000000));
	if (r < 0)
		uplink_fail(u, r, "timer");
}

static int64_t due(const struct uplink *u)
{
	int64_t life = u->id.info.not_after_us - u->id.info.not_before_us;

	return identity_renew_at_us(&u->id) + (int64_t)backoff_jitter((uint64_t)life / 30, uplink_random());
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	char pem[IDENTITY_PEM_MAX / 4], when[TEXT_TIME_SIZE];
	struct error_answer e;
	struct why why = {""};
	char text[256];
	int r;

	buf_deinit(&u->renew.body);
	if (a->failed) {
		again(u, 0, a->failed);
		return;
	}
	if (a->status != 200) {
		answer_error(a->body, &e);
		snprintf(text, sizeof(text), "collector answers %ld %s %s", a->status, e.error, e.reason);
		again(u, a->retry_after_us, text);
		return;
	}
	r = answer_renew(a->body, pem, sizeof(pem), &why);
	if (!r)
		r = identity_renewed(&u->id, pem, &why);
	if (r < 0 && r != -ENOSPC && r != -EDQUOT) {
		uplink_fail(u, r, "renewal");
		return;
	}
	if (r) {
		again(u, 0, r < 0 ? "disk full" : why.text);
		return;
	}
	backoff_reset(&u->renew.backoff);
	r = http_identify(u->http, &u->id);
	if (!r)
		r = schedule(u, due(u));
	if (r < 0) {
		uplink_fail(u, r, "renewal");
		return;
	}
	log_notice("certificate renewed, good until %s", text_time_utc(when, u->id.info.not_after_us));
	if (http_busy(u->http, HTTP_WAIT)) { /* show the new one */
		wait_stop(u);
		wait_start(u);
	}
	sender_kick(u);
	status_changed(u);
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	struct uplink *u = userdata;
	struct http_request rq = {
		.target = API_RENEW, .type = "application/json", .anonymous = true, .timeout_s = RENEW_TIMEOUT_S};
	struct why why = {""};
	int r;

	(void)src;
	(void)usec;
	if (http_busy(u->http, HTTP_RENEW))
		return 0;
	u->renew.body = BUF_INIT(2 * IDENTITY_PEM_MAX);
	r = identity_renewal(&u->id, agent_conf_held(&u->conf), &u->renew.body, &why);
	if (r) {
		buf_deinit(&u->renew.body);
		again(u, 0, why.text[0] ? why.text : "request cannot be made");
		return 0;
	}
	rq.body = buf_span(&u->renew.body);
	r = http_start(u->http, HTTP_RENEW, &rq, on_answer, u);
	if (r)
		uplink_fail(u, r, "request");
	return 0;
}

static int schedule(struct uplink *u, int64_t at_us)
{
	int64_t now = clock_wall_us();
	uint64_t accuracy = 1000000;
	int r;

	if (at_us > now) /* far away: not to the second */
		accuracy = (uint64_t)(at_us - now) / 100 + 1;
	u->renew.timer = sd_event_source_disable_unref(u->renew.timer);
	r = sd_event_add_time(
		u->event, &u->renew.timer, CLOCK_REALTIME, at_us < 0 ? 0 : (uint64_t)at_us, accuracy, on_timer, u);
	return r < 0 ? r : 0;
}

int renew_start(struct uplink *u)
{
	int64_t now = clock_wall_us(), at = due(u);

	return schedule(u, u->id.info.not_after_us <= now ? now : at);
}

void renew_stop(struct uplink *u)
{
	sd_event_source_disable_unref(u->renew.timer);
	buf_deinit(&u->renew.body);
}
