/*
 * Takes the newest signed policy, or fetches it, and lays it into the inbox, where the guard judges it. Called by
 * wait.c, which hears that there is one, and mostly brings it. Nothing is decided here: what it claims to be is looked
 * at, so that the same is not fetched again and again, and what counts is the version that the guard has in force. A
 * collector which was restored from a copy does not take the inbox back; a version that nobody signed, from one that
 * was broken into, does not keep true ones out.
 */
#include "agent/uplink/uplink.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/bundle.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#define FETCH_TIMEOUT_S 120L
#define GUARD_STATUS_MAX (4u << 20)
/* What was laid into the inbox and is not in force is refused, as far as is known here: looked at again this often. */
#define REFUSED_AGAIN_US (10 * 60 * 1000000ll)

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

/* The version that the guard has in force, as its status tells; what lies in the inbox where there is no guard. */
uint64_t policy_in_force(const struct uplink *u)
{
	_cleanup_buf_ struct buf text = BUF_INIT(GUARD_STATUS_MAX);
	json_t *o, *version;
	uint64_t v = u->policy.laid;

	if (file_read(u->guard_status_path, &text))
		return v;
	o = json_loadb((const char *)text.p, text.n, 0, NULL);
	version = json_object_get(json_object_get(o, "policy"), "version");
	if (json_is_integer(version))
		v = (uint64_t)json_integer_value(version);
	json_decref(o);
	return v;
}

static int keep(struct uplink *u, struct span bytes)
{
	char path[PATH_MAX + 16];

	if ((size_t)snprintf(path, sizeof(path), "%s/policy", u->inbox) >= sizeof(path))
		return -ENAMETOOLONG;
	return file_replace(path, bytes, 0644);
}

/* 0; V_BAD: those are no signed policy, and it is fetched. */
static int take(struct uplink *u, struct span bytes, const char *how)
{
	struct why why = {""};
	uint64_t version = 0;
	int r;

	if (bundle_peek(bytes, &version, &why)) {
		again(u, 0, why.text);
		return V_BAD;
	}
	backoff_reset(&u->policy.backoff);
	if (version <= policy_in_force(u))
		return 0;
	r = keep(u, bytes);
	if (r) {
		again(u, 0, strerror(-r));
		return 0;
	}
	u->policy.laid = version;
	log_notice("policy %" PRIu64 " %s: the guard judges it", version, how);
	status_changed(u);
	return 0;
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct uplink *u = ctx;
	char text[128];

	if (a->failed) {
		again(u, 0, a->failed);
		return;
	}
	if (a->status != 200) {
		snprintf(text, sizeof(text), "collector answers %ld", a->status);
		again(u, a->retry_after_us, text);
		return;
	}
	if (take(u, a->body, "fetched"))
		http_distrust(u->http, HTTP_POLICY);
}

static void fetch(struct uplink *u)
{
	char target[96];
	struct http_request rq = {.target = target, .timeout_s = FETCH_TIMEOUT_S};
	uint64_t above;
	int r;

	if (http_busy(u->http, HTTP_POLICY) || u->failed)
		return;
	above = policy_in_force(u);
	if (u->policy.offered <= above ||
		(u->policy.offered == u->policy.laid && clock_boot_us() < u->policy.fetched_us + REFUSED_AGAIN_US))
		return;
	u->policy.fetched_us = clock_boot_us();
	uplink_disarm(u->policy.timer);
	snprintf(target, sizeof(target), API_POLICY "?above=%" PRIu64, above);
	r = http_start(u->http, HTTP_POLICY, &rq, on_answer, u);
	if (r)
		uplink_fail(u, r, "request");
}

void policy_offered(struct uplink *u, uint64_t version)
{
	uint64_t now = version == u->policy.offered ? version : policy_in_force(u);

	u->policy.offered = version;
	if (version < now)
		log_warning("the collector has policy %" PRIu64 ", this PC %" PRIu64 ": it stays", version, now);
	fetch(u);
}

void policy_handed(struct uplink *u, uint64_t version, struct span bytes)
{
	u->policy.offered = version;
	u->policy.fetched_us = clock_boot_us();
	if (take(u, bytes, "handed over"))
		http_distrust(u->http, HTTP_WAIT);
}

int policy_start(struct uplink *u)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	char path[PATH_MAX + 16];
	uint64_t version;

	u->policy.fetched_us = clock_boot_us();
	if ((size_t)snprintf(path, sizeof(path), "%s/policy", u->inbox) >= sizeof(path))
		return -ENAMETOOLONG;
	if (!file_read(path, &bytes) && !bundle_peek(buf_span(&bytes), &version, NULL))
		u->policy.laid = version;
	return 0;
}

void policy_stop(struct uplink *u)
{
	http_cancel(u->http, HTTP_POLICY);
	sd_event_source_disable_unref(u->policy.timer);
}
