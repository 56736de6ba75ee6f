/*
 * Several collectors over one log: what this one hears of the others, and tells them. Only where the store is a
 * database that has a place for it (collector/store/ENGINES.md); else nothing here does anything.
 *
 * A hint says that something changed, never what it is now: that is looked up, so that one that is made up, comes twice
 * or is missed costs a look, or some seconds.
 */
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define HEAR_US 250000
#define TELL_US 5000000
#define ALIVE_US 20000000  /* wall clock; who has said nothing for that long is away */
#define PRESENT_MAX 60000u /* PCs that wait at one collector, of which others are told */
#define PREFIX 16u         /* bytes of a PC's id that tell it from others */
#define ABOUT_MAX 1024u

struct sharing {
	struct ingest *in;
	int64_t told_us; /* boot clock */
	struct digest told;
	struct log_limit log;
};

/* --- hearing --- */

static int64_t number(struct span text)
{
	char room[24] = "";

	if (text.n >= sizeof(room))
		return 0;
	memcpy(room, text.p, text.n);
	return strtoll(room, NULL, 10);
}

/* Followed until then, by the wall clock: who asked for it did so elsewhere. */
static int hear_follow(struct ingest *in, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT(32);
	bool all = !strcmp(name, SHARED_ALL);
	struct peer *p;
	struct digest id;
	int64_t until;
	unsigned i;
	int r;

	if (!all && hex_decode(name, id.b, DIGEST_SIZE))
		return 0;
	r = store_shelf_get(in->store, "follow", name, &b);
	if (r)
		return r < 0 ? r : 0;
	until = clock_boot_us() + number(buf_span(&b)) - clock_wall_us();
	if (!all) {
		p = peer_of(in, &id);
		if (!p)
			return -ENOMEM;
		p->follow_until_us = until;
		wait_wake(in, p);
		return 0;
	}
	for (i = 0; i < in->peers_cap; i++)
		if (in->peers[i].used)
			in->peers[i].follow_until_us = until;
	wait_wake(in, NULL);
	return 0;
}

/* Revoked or retired at another collector: its connections end here, too. */
static int hear_host(struct ingest *in, const struct digest *id)
{
	struct store_host h;
	struct peer *p;
	int r = store_host_get(in->store, id, &h);

	if (r || h.state == HOST_ACTIVE)
		return r < 0 ? r : 0;
	if (digest_eq(id, &in->keys.host)) {
		log_error("this collector was revoked at another one");
		return -EKEYREVOKED;
	}
	server_drop_host(&in->server, id);
	p = peer_of(in, id);
	if (p)
		p->follow_until_us = 0;
	return 0;
}

static int on_heard(void *ctx, const char *kind, const char *name)
{
	struct ingest *in = ctx;
	struct digest id;

	if (!strcmp(kind, "policy"))
		return policy_heard(in);
	if (!strcmp(kind, "follow"))
		return hear_follow(in, name);
	return strcmp(kind, "host") != 0 || hex_decode(name, id.b, DIGEST_SIZE) ? 0 : hear_host(in, &id);
}

/* A leaf of another collector's: what is known of PCs by their headers is known here as well. */
void shared_leaf(void *ctx, const struct header *h)
{
	struct ingest *in = ctx;
	struct peer *p = h->producer == PRODUCER_GUARD ? peer_of(in, &h->host) : NULL;

	if (p)
		policy_note(p, h);
}

int shared_again(struct ingest *in)
{
	unsigned i;
	int r;

	if (!in->sharing)
		return 0;
	r = policy_again(in);
	r = r ? r : policy_heard(in);
	for (i = 0; !r && i < in->peers_cap; i++)
		if (in->peers[i].used && in->peers[i].waiters)
			r = hear_host(in, &in->peers[i].id);
	return r ? r : hear_host(in, &in->keys.host);
}

/* --- telling who is here --- */

/* Others are told when it changes. */
static int tell_present(struct sharing *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PRESENT_MAX * PREFIX);
	char name[2 * DIGEST_SIZE + 1];
	struct ingest *in = s->in;
	struct digest hash;
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < in->peers_cap && b.n < PRESENT_MAX * PREFIX; i++)
		if (in->peers[i].used && in->peers[i].waiters)
			r = buf_put(&b, in->peers[i].id.b, PREFIX);
	digest_span(&hash, buf_span(&b));
	if (r || digest_eq(&hash, &s->told))
		return r > 0 ? -EIO : r;
	r = store_shelf_put(in->store, "present", hex_encode(name, in->keys.host.b, DIGEST_SIZE), buf_span(&b), NULL);
	if (!r)
		s->told = hash;
	return r;
}

static int tell_alive(struct ingest *in)
{
	json_t *o = json_pack("{s:I, s:s, s:I, s:b}", "at", (json_int_t)clock_wall_us(), "version", SEKISHO_VERSION,
		"since", (json_int_t)in->started_wall_us, "decides", true);
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char name[2 * DIGEST_SIZE + 1];

	json_decref(o);
	return text ? store_shelf_put(in->store, "collector", hex_encode(name, in->keys.host.b, DIGEST_SIZE),
			      SPAN_STR(text), NULL)
		    : -ENOMEM;
}

/* PCs that wait at another collector which is alive. */
static int see_present(struct ingest *in, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PRESENT_MAX * PREFIX);
	int64_t now = clock_boot_us();
	size_t at;
	int r = store_shelf_get(in->store, "present", name, &b);

	for (at = 0; !r && at + PREFIX <= b.n; at += PREFIX) {
		struct peer *peer = peer_like(in, SPAN(b.p + at, PREFIX));

		if (peer)
			peer->elsewhere_us = now;
	}
	return r < 0 ? r : 0;
}

struct seeing {
	struct ingest *in;
	const struct digest *but; /* of this one nothing is asked; NULL */
	json_t *list;             /* NULL: to see who is present */
	bool older;               /* one of them runs that does not know of others' decisions */
};

static int on_collector(void *ctx, const char *name, struct span value)
{
	struct seeing *s = ctx;
	struct ingest *in = s->in;
	json_t *o = json_loadb((const char *)value.p, value.n, 0, NULL);
	int64_t at = json_integer_value(json_object_get(o, "at")), away = clock_wall_us() - at;
	bool alive = away < ALIVE_US && away > -ALIVE_US, own;
	struct store_host h;
	struct digest id = {{0}};
	int r = 0;

	if (!json_is_object(o) || hex_decode(name, id.b, DIGEST_SIZE)) {
		json_decref(o);
		return 0;
	}
	own = digest_eq(&id, &in->keys.host);
	if (s->but && digest_eq(&id, s->but)) {
		r = 0;
	} else if (!s->list) {
		s->older |= alive && !own && !json_is_true(json_object_get(o, "decides"));
		r = alive && !own ? see_present(in, name) : 0;
	} else {
		json_object_del(o, "decides");
		r = store_host_get(in->store, &id, &h);
		json_object_set_new(o, "id", json_string(name));
		json_object_set_new(o, "name", json_string(r ? "" : h.name));
		json_object_set_new(o, "alive", json_boolean(alive && (r || h.state == HOST_ACTIVE)));
		json_object_set_new(o, "self", json_boolean(own));
		json_object_set_new(o, "first", json_boolean(digest_eq(&id, &in->first)));
		r = r < 0 ? r : json_array_append(s->list, o) ? -ENOMEM : 0;
	}
	json_decref(o);
	return r;
}

json_t *shared_json(struct ingest *in)
{
	struct seeing s = {.in = in, .list = json_array()};

	if (in->sharing && !in->lost)
		(void)store_shelf_each(in->store, "collector", on_collector, &s);
	return s.list;
}

int shared_look(struct ingest *in, const struct digest *but)
{
	struct seeing s = {.in = in, .but = but};
	int r = in->sharing ? store_shelf_each(in->store, "collector", on_collector, &s) : 0;

	if (!r)
		in->older = s.older;
	return r;
}

/* --- the loop --- */

static void on_hear(evutil_socket_t fd, short what, void *arg)
{
	struct sharing *s = arg;
	struct ingest *in = s->in;
	int64_t now = clock_boot_us();
	int r;

	(void)fd;
	(void)what;
	if (in->lost || in->failed)
		return;
	r = store_hear(in->store, on_heard, in);
	if (!r && now - s->told_us >= TELL_US) {
		s->told_us = now;
		r = tell_alive(in);
		r = r ? r : tell_present(s);
		r = r ? r : shared_look(in, NULL);
	}
	if (r)
		ingest_fail(in, r > 0 ? -EIO : r, "what collectors share");
}

int shared_open(struct ingest *in, struct why *why)
{
	struct store_host h;
	int r = store_founder(in->store, &in->first);

	/* Also where nobody shares it now: others may have been at this log before it was moved here. */
	if (r == V_NOT_FOUND)
		in->first = in->keys.host;
	else if (r)
		return r == V_BAD ? why_set(why, V_BAD, "the log's first header of a collector cannot be read") : r;
	in->tokens = (struct shelf){.dir = in->conf.tokens, .kind = SHELF_TOKENS};
	in->renewals = (struct shelf){.dir = in->conf.renewals, .kind = SHELF_RENEWALS};
	if (!store_shares(in->store))
		return 0;
	/* Who has the keys and was revoked stays out as long as it looks here; keys cannot be taken back. */
	r = store_host_get(in->store, &in->keys.host, &h);
	if (!r && h.state != HOST_ACTIVE)
		return why_set(why, V_BAD, "this collector was revoked");
	if (r < 0)
		return r;
	in->tokens.store = in->renewals.store = in->store;
	r = shelf_take_over(&in->tokens, TOKEN_FILE_MAX);
	r = r ? r : shelf_take_over(&in->renewals, RENEWAL_MAX);
	in->sharing = r ? NULL : calloc(1, sizeof(*in->sharing));
	if (!r && !in->sharing)
		r = -ENOMEM;
	if (!r)
		*in->sharing = (struct sharing){.in = in, .told_us = INT64_MIN / 2};
	return r;
}

int shared_start(struct ingest *in)
{
	return in->sharing ? server_every(&in->server, HEAR_US, on_hear, in->sharing) : 0;
}

void shared_close(struct ingest *in)
{
	free(in->sharing);
	in->sharing = NULL;
}
