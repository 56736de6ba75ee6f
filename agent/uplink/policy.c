/*
 * Fetches the newest signed policy and lays it into the inbox, where the guard judges it. Called by wait.c, which hears
 * that there is one. Nothing is decided here: it is looked at as far as its form and its claimed version go, so that a
 * collector which was restored from a copy does not take the inbox back.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/bundle.h"
#include <errno.h>
#include <inttypes.h>

#define FETCH_TIMEOUT_S 120L

static void fetch(struct uplink *u);

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	(void)src;
	(void)usec;
	fetch(userdata);
	return 0;
}

static void again(struct uplink *u, uint64_t asked_us, const char *why)
{
	uint64_t delay = backoff_next(&u->policy.backoff, u->conf.backoff_max_us, asked_us, uplink_random());
	int r = uplink_arm(u, &u->policy.timer, delay, on_timer);

	log_warning("policy not fetched: %s; next attempt in %" PRIu64 " s", why, delay / 1000000);
	if (r < 0)
		uplink_fail(u, r, "timer");
}

static int keep(struct uplink *u, struct span bytes)
{
	char path[PATH_MAX + 16];

	if ((size_t)snprintf(path, sizeof(path), "%s/policy", u->inbox) >= sizeof(path))
		return -ENAMETOOLONG;
	return file_replace(path, bytes, 0644);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	struct why why = {""};
	uint64_t version = 0;
	char text[128];
	int r;

	if (a->failed) {
		again(u, 0, a->failed);
		return;
	}
	if (a->status != 200) {
		snprintf(text, sizeof(text), "collector answers %ld", a->status);
		again(u, a->retry_after_us, text);
		return;
	}
	if (bundle_peek(a->body, &version, &why)) {
		http_distrust(u->http, HTTP_POLICY);
		again(u, 0, why.text);
		return;
	}
	backoff_reset(&u->policy.backoff);
	if (version <= u->policy.have)
		return;
	r = keep(u, a->body);
	if (r) {
		again(u, 0, strerror(-r));
		return;
	}
	u->policy.have = version;
	log_notice("policy %" PRIu64 " fetched: the guard judges it", version);
	status_changed(u);
}

static void fetch(struct uplink *u)
{
	char target[96];
	struct http_request rq = {.target = target, .timeout_s = FETCH_TIMEOUT_S};
	int r;

	if (http_busy(u->http, HTTP_POLICY) || u->failed || u->policy.offered <= u->policy.have)
		return;
	uplink_disarm(u->policy.timer);
	snprintf(target, sizeof(target), API_POLICY "?above=%" PRIu64, u->policy.have);
	r = http_start(u->http, HTTP_POLICY, &rq, on_answer, u);
	if (r)
		uplink_fail(u, r, "request");
}

void policy_offered(struct uplink *u, uint64_t version)
{
	if (version == u->policy.offered)
		return;
	u->policy.offered = version;
	if (version < u->policy.have)
		log_warning(
			"the collector has policy %" PRIu64 ", this PC %" PRIu64 ": it stays", version, u->policy.have);
	fetch(u);
}

int policy_start(struct uplink *u)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	char path[PATH_MAX + 16];
	uint64_t version;

	if ((size_t)snprintf(path, sizeof(path), "%s/policy", u->inbox) >= sizeof(path))
		return -ENAMETOOLONG;
	if (!file_read(path, &bytes) && !bundle_peek(buf_span(&bytes), &version, NULL))
		u->policy.have = version;
	return 0;
}

void policy_stop(struct uplink *u)
{
	http_cancel(u->http, HTTP_POLICY);
	sd_event_source_disable_unref(u->policy.timer);
}
