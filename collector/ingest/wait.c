/*
 * GET /v1/wait: held until something for this PC changes, at most 25 minutes. A PC that waits is a PC that is there.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/ingest.h"
#include "policy/base/clock.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>

#define WAITERS_EACH 4u /* of one PC: the oldest is answered */

struct waiter {
	struct held held;
	struct ingest *in;
	struct digest host;
	struct waiter *next;
	int64_t until_us; /* boot clock */
	bool cosign;      /* it is answered to ask for a cosignature */
	bool follow;      /* the PC believes that it is being followed */
	uint64_t policy;  /* the version that it knows of; UINT64_MAX: it does not ask for any */
	uint64_t above;   /* one that is newer comes with the answer; UINT64_MAX: it fetches it */
};

static uint64_t follow_seconds(const struct peer *p, int64_t now)
{
	return p->follow_until_us > now ? (uint64_t)(p->follow_until_us - now + 999999) / 1000000 : 0;
}

static bool knows_policy(const struct ingest *in, uint64_t policy)
{
	return policy == UINT64_MAX || policy == in->policy_version;
}

/* 10,000 wait for a policy at the same time: each gets the same bytes, and asks for nothing more. */
static bool hand_policy(const struct ingest *in, struct evhttp_request *req, uint64_t seconds)
{
	struct evbuffer *out = evbuffer_new();

	if (out && evbuffer_add_printf(out, "{\"follow\":%" PRIu64 ",", seconds) > 0 &&
		!evbuffer_add_buffer_reference(out, in->policy_handed)) {
		answer_buffer(req, 200, "application/json", out);
		return true;
	}
	if (out)
		evbuffer_free(out);
	return false;
}

static void answer_wait(const struct ingest *in, struct evhttp_request *req, uint64_t seconds, const struct waiter *w)
{
	json_t *o;

	if (!knows_policy(in, w->policy) && w->above < in->policy_version && in->policy_handed &&
		hand_policy(in, req, seconds))
		return;
	o = json_pack("{s:I, s:I}", "follow", (json_int_t)seconds, "policy", (json_int_t)in->policy_version);
	if (o && w->cosign)
		json_object_set_new(o, "cosign", json_true());
	answer_json(req, 200, o);
}

static void unlink_waiter(struct waiter *w)
{
	struct peer *p = peer_of(w->in, &w->host);
	struct waiter **at;

	for (at = p ? &p->waiters : NULL; at && *at; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			return;
		}
	}
}

static void on_gone(struct held *h)
{
	struct waiter *w = (struct waiter *)((char *)h - offsetof(struct waiter, held));

	unlink_waiter(w);
	free(w);
}

static void release(struct waiter *w, uint64_t seconds, bool stopping)
{
	struct evhttp_request *req = held_release(&w->held);

	if (stopping)
		answer_error(req, 503, "stopping", "the collector stops", 5);
	else
		answer_wait(w->in, req, seconds, w);
	free(w);
}

/* A PC whose address changes leaves connections behind that nobody ends: the newest are the ones that count. */
static void bound_waiters(struct peer *p)
{
	struct waiter **at = &p->waiters, *w;
	unsigned n;

	for (n = 0; *at && n < WAITERS_EACH; n++)
		at = &(*at)->next;
	while ((w = *at)) {
		*at = w->next;
		release(w, follow_seconds(p, clock_boot_us()), false);
	}
}

void wait_get(struct ingest *in, struct ask *a)
{
	struct store_host host;
	struct waiter *w;
	struct peer *p;
	uint64_t follow = 0, seen = 0, policy = UINT64_MAX, above = UINT64_MAX;
	int64_t now = clock_boot_us();

	if (host_of(in, a, &host))
		return;
	if (ask_query(a->query, "follow", &follow) || follow > 1 || ask_query(a->query, "checkpoint", &seen) == V_BAD ||
		ask_query(a->query, "policy", &policy) == V_BAD || ask_query(a->query, "above", &above) == V_BAD) {
		answer_error(a->req, 400, "request",
			"follow=0|1, checkpoint=<size>, policy=<version> and above=<version> belong there", 0);
		return;
	}
	host_seen(in, &host);
	p = peer_of(in, &host.id);
	w = p ? calloc(1, sizeof(*w)) : NULL;
	if (!w) {
		answer_error(a->req, 503, "busy", "no memory", 30);
		return;
	}
	w->in = in;
	w->host = host.id;
	w->follow = follow;
	w->policy = policy;
	w->above = above;
	if ((follow_seconds(p, now) > 0) != follow || !knows_policy(in, policy) || held_begin(a, &w->held, on_gone)) {
		answer_wait(in, a->req, follow_seconds(p, now), w);
		free(w);
		return;
	}
	w->until_us = now + (int64_t)API_WAIT_SECONDS * 1000000;
	w->next = p->waiters;
	p->waiters = w;
	bound_waiters(p);
}

static void wake(struct peer *p, bool stopping)
{
	uint64_t seconds = follow_seconds(p, clock_boot_us());

	while (p->waiters) {
		struct waiter *w = p->waiters;

		p->waiters = w->next;
		release(w, seconds, stopping);
	}
}

void wait_wake(struct ingest *in, struct peer *p)
{
	unsigned i;

	if (p) {
		wake(p, false);
		return;
	}
	for (i = 0; i < in->peers_cap; i++)
		if (in->peers[i].used)
			wake(&in->peers[i], false);
}

bool wait_cosign(struct peer *p)
{
	struct waiter *w = p->waiters;

	if (!w)
		return false;
	p->waiters = w->next;
	w->cosign = true;
	release(w, follow_seconds(p, clock_boot_us()), false);
	return true;
}

void wait_wake_policy(struct ingest *in)
{
	int64_t now = clock_boot_us();
	unsigned i;

	for (i = 0; i < in->peers_cap; i++) {
		struct peer *p = &in->peers[i];
		struct waiter **at = &p->waiters, *w;

		while ((w = *at)) {
			if (knows_policy(in, w->policy)) {
				at = &w->next;
				continue;
			}
			*at = w->next;
			release(w, follow_seconds(p, now), false);
		}
	}
}

void wait_tick(struct ingest *in)
{
	int64_t now = clock_boot_us();
	unsigned i;

	for (i = 0; i < in->peers_cap; i++) {
		struct peer *p = &in->peers[i];
		uint64_t seconds = p->waiters ? follow_seconds(p, now) : 0;
		struct waiter **at = &p->waiters, *w;

		while ((w = *at)) {
			if (now < w->until_us && w->follow == (seconds > 0)) {
				at = &w->next;
				continue;
			}
			*at = w->next;
			release(w, seconds, false);
		}
	}
}

void wait_stop(struct ingest *in)
{
	unsigned i;

	for (i = 0; i < in->peers_cap; i++)
		wake(&in->peers[i], true);
}

unsigned wait_count(const struct ingest *in)
{
	const struct waiter *w;
	unsigned i, n = 0;

	for (i = 0; i < in->peers_cap; i++)
		for (w = in->peers[i].waiters; w; w = w->next)
			n++;
	return n;
}
