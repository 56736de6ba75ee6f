/*
 * The administrator's door. Who may knock is the socket's mode; who did is in the collector's records. Nothing here is
 * reachable from the network.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/join.h"
#include "collector/ingest/keeper.h"
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <inttypes.h>

#define VALID_MAX_S (366ull * 86400)
#define FOLLOW_MAX_S 86400ull
#define HEADS_MAX 8u
#define RETIRE_SEND_US 3000000
#define RETIRE_ASKED_US 60000000
#define HOSTS_MAX 1000u /* in a page */

static void failed(struct ingest *in, struct ask *a, int r, const char *what)
{
	answer_error(a->req, 503, "failed", "the collector failed", 5);
	ingest_fail(in, r > 0 ? -EIO : r, what);
}

/* The body's object, or an empty one. NULL: answered. */
static json_t *object(struct ask *a)
{
	struct why why = {""};
	json_t *o = NULL;

	if (ask_object(a->body, &o, &why))
		answer_error(a->req, 400, "request", why.text, 0);
	return o;
}

/* A string, or NULL where it is null or not there. False: answered. */
static bool text_of(struct ask *a, const json_t *o, const char *name, const char **out)
{
	const json_t *v = json_object_get(o, name);

	*out = json_string_value(v);
	if (!v || json_is_null(v) || json_is_string(v))
		return true;
	answer_error(a->req, 400, "request", "a name is no string", 0);
	return false;
}

static bool number_of(struct ask *a, const json_t *o, const char *name, uint64_t least, uint64_t most, uint64_t *out)
{
	const json_t *v = json_object_get(o, name);
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || (uint64_t)n < least || (uint64_t)n > most) {
		answer_error(a->req, 400, "request", "a number is missing or out of bounds", 0);
		return false;
	}
	*out = (uint64_t)n;
	return true;
}

/* --- tokens --- */

static void token_post(struct ingest *in, struct ask *a)
{
	char token[TOKEN_TEXT_SIZE], id[2 * API_TOKEN_ID_SIZE + 1], text[300];
	struct entry e = {.kind = KIND_ADMIN, .has_uid = true, .uid = a->uid, .text = text, .urgent = true};
	json_t *o = object(a);
	const char *name;
	uint64_t valid;
	int r;

	if (!o)
		return;
	if (!text_of(a, o, "name", &name) || !number_of(a, o, "valid", 1, VALID_MAX_S, &valid))
		goto out;
	if (name && !name_fits(name)) {
		answer_error(a->req, 400, "request", "not fit to be a PC's name", 0);
		goto out;
	}
	r = token_create(
		&in->tokens, name, clock_wall_us() + (int64_t)valid * 1000000, &in->keys.ca_fingerprint, token, id);
	if (r == V_FULL) {
		answer_error(a->req, 429, "full", "too many open tokens", 0);
		goto out;
	}
	if (r) {
		failed(in, a, r, "token");
		goto out;
	}
	snprintf(text, sizeof(text), "token %s made, good for %" PRIu64 " s%s%s", id, valid, name ? ", for " : "",
		name ? name : "");
	ingest_tell(in, &e);
	commit_reply(in, a, json_pack("{s:s}", "token", token));
	secret_wipe(token, sizeof(token));
out:
	json_decref(o);
}

static int list_token(void *ctx, const struct token *t)
{
	json_t *o = json_pack("{s:s, s:I}", "id", t->id, "expires", (json_int_t)t->expires_us);

	if (!o || json_object_set_new(o, "name", t->name[0] ? json_string(t->name) : json_null()))
		return -ENOMEM;
	return json_array_append_new(ctx, o) ? -ENOMEM : 0;
}

static void tokens_get(struct ingest *in, struct ask *a)
{
	json_t *list = json_array();
	int r = token_each(&in->tokens, clock_wall_us(), list_token, list);

	if (r) {
		json_decref(list);
		failed(in, a, r, "tokens");
		return;
	}
	answer_json(a->req, 200, json_pack("{s:o}", "tokens", list));
}

/* --- PCs --- */

struct listing {
	struct ingest *in;
	json_t *list;
	uint64_t limit;
	bool more;
};

static json_t *chains_json(struct ingest *in, const struct store_host *h)
{
	struct store_head heads[HEADS_MAX];
	json_t *list = json_array();
	unsigned p, n;

	for (p = 1; p <= PRODUCER_LAST; p++) {
		if (!producer_name(p) || store_heads(in->store, &h->id, p, heads, HEADS_MAX, &n) || !n)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:I, s:i}", "producer", producer_name(p), "seq",
						    (json_int_t)heads[0].seq, "heads", (int)n));
	}
	return list;
}

static int list_host(void *ctx, const struct store_host *h)
{
	static const char *const states[] = {
		[HOST_ACTIVE] = "active", [HOST_REVOKED] = "revoked", [HOST_RETIRED] = "retired"};
	struct listing *l = ctx;
	const struct peer *p = peer_of(l->in, &h->id);
	int64_t seen = p && p->seen_us > h->last_seen_us ? p->seen_us : h->last_seen_us;
	_cleanup_buf_ struct buf key = BUF_INIT(512);
	char hex[2 * DIGEST_SIZE + 1];
	json_t *o;

	if (json_array_size(l->list) == l->limit) {
		l->more = true;
		return V_END;
	}
	o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:o}", "id", hex_encode(hex, h->id.b, DIGEST_SIZE), "name",
		h->name, "state", h->state < ARRAY_SIZE(states) && states[h->state] ? states[h->state] : "unknown",
		"enrolled", (json_int_t)h->enrolled_us, "seen", (json_int_t)seen, "connected", p && peer_waits(p),
		"chains", chains_json(l->in, h));

	/* The PC's public key: what release codes are made with (policy/wire/RELEASE.md). */
	if (o && !base64_encode(&key, SPAN(h->spki, h->spki_len)) && buf_str(&key))
		json_object_set_new(o, "device_key", json_string((const char *)key.p));
	return o && !json_array_append_new(l->list, o) ? 0 : -ENOMEM;
}

/* The PC behind which the page begins; none: from the start. 0; V_BAD; V_NOT_FOUND; -errno. */
static int page_of(struct ingest *in, const char *query, struct listing *l, struct store_host *after)
{
	char id[2 * DIGEST_SIZE + 1];
	int r = ask_query(query, "limit", &l->limit);

	if (r == V_BAD || (!r && (!l->limit || l->limit > HOSTS_MAX)))
		return V_BAD;
	r = ask_query_text(query, "after", id, sizeof(id));
	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	return hex_decode(id, after->id.b, DIGEST_SIZE) ? V_BAD : store_host_get(in->store, &after->id, after);
}

static void hosts_get(struct ingest *in, struct ask *a)
{
	struct store_host after = {.name = ""};
	struct listing l = {.in = in, .list = NULL, .limit = UINT64_MAX};
	int r = page_of(in, a->query, &l, &after);

	if (r > 0) {
		answer_error(a->req, r == V_BAD ? 400 : 404, r == V_BAD ? "request" : "host",
			"after=<id of a PC> and limit=<1..1000> belong there", 0);
		return;
	}
	l.list = json_array();
	r = r ? r : store_host_after(in->store, after.name, &after.id, list_host, &l);
	if (r) {
		json_decref(l.list);
		failed(in, a, r, "hosts");
		return;
	}
	answer_json(a->req, 200,
		json_pack("{s:o, s:O?}", "hosts", l.list, "next",
			l.more ? json_object_get(json_array_get(l.list, json_array_size(l.list) - 1), "id") : NULL));
}

/* The PC that a request names. False: answered. */
static bool find(struct ingest *in, struct ask *a, const char *name, struct store_host *h)
{
	int r = name ? host_find(in, name, h) : V_NOT_FOUND;

	if (r == V_NOT_FOUND)
		answer_error(a->req, 404, "host", "no such PC", 0);
	else if (r == V_EXISTS)
		answer_error(a->req, 409, "host", "several PCs have this name: give the id", 0);
	else if (r)
		failed(in, a, r, "hosts");
	return !r;
}

/*
 * From now on nothing is taken from this PC: the record (NULL: told already), the table of PCs, its connections. False:
 * answered.
 */
static bool shut_out(
	struct ingest *in, struct ask *a, struct store_host *h, enum store_host_state state, struct entry *e)
{
	struct peer *p;
	int r;

	h->state = state;
	if (e)
		ingest_tell(in, e);
	r = in->failed ? in->failed : store_host_put(in->store, h);
	if (r) {
		failed(in, a, r, state == HOST_RETIRED ? "retire" : "revoke");
		return false;
	}
	/* Requests that wait end with their connections; a new one is turned away. */
	server_drop_host(&in->server, &h->id);
	p = peer_of(in, &h->id);
	if (p)
		p->follow_until_us = 0;
	return true;
}

/* Its place among the log's collectors, in this one's turn. What of that is no decision to take ends the turn. */
static int turn_against(struct ingest *in, const struct digest *id)
{
	bool older = in->older;
	/* The one that has to go may be of an older version. */
	int r = shared_look(in, id);

	r = r ? r : keeper_turn(in->keeper);
	in->older = older;
	if (r || retention_decides(&in->keeper->book, id))
		return r;
	keeper_rest(in->keeper);
	return V_NOT_FOUND;
}

/*
 * Who is a collector of the log is for them all to know: a decision, in its turn. Where there is none to take, or not
 * by this one or not now, it is shut out as a PC is: a machine that was stolen does not stay in for that.
 */
static void shut_out_collector(struct ingest *in, struct ask *a, struct store_host *h, struct entry *e)
{
	struct kept kept = {.channel = PRODUCER_COLLECTOR};
	int r = turn_against(in, &h->id);

	if (r == V_NOT_FOUND || r == V_DENIED || r == V_EXISTS || r == V_BAD) {
		if (r != V_NOT_FOUND)
			log_warning(
				"%s is shut out, but its decisions on retention would count: nothing can be decided "
				"here now, revoke it again where it can",
				h->name);
		if (h->state == HOST_REVOKED || shut_out(in, a, h, HOST_REVOKED, e))
			commit_reply(in, a, json_object());
		return;
	}
	if (!r) {
		keeper_tell(in->keeper, e, &kept);
		r = keeper_settle(in->keeper);
	}
	if (r && !keeper_waits(in->keeper, r))
		keeper_failed(in, a, r, "revoke");
	else if (shut_out(in, a, h, HOST_REVOKED, NULL))
		commit_reply(in, a, json_object());
}

/* As good as a collector's: no PC comes by such a name by accident, and one that does is shut out all the same. */
static bool is_collector(struct ingest *in, const struct store_host *h)
{
	return store_server(in->store, &h->id) == PRODUCER_COLLECTOR || !strncmp(h->name, JOIN_NAME, strlen(JOIN_NAME));
}

static void revoke_post(struct ingest *in, struct ask *a)
{
	struct store_host h;
	struct entry e = {.kind = KIND_REVOKE, .host = &h, .has_uid = true, .uid = a->uid, .urgent = true};
	json_t *o = object(a);
	const char *name;

	if (!o)
		return;
	if (!text_of(a, o, "host", &name) || !text_of(a, o, "reason", &e.text) || !find(in, a, name, &h))
		goto out;
	if (digest_eq(&h.id, &in->keys.host))
		answer_error(a->req, 409, "host", "that is the collector itself", 0);
	/* Also again: whether what was said of it before counts is the log's to say. */
	else if (is_collector(in, &h))
		shut_out_collector(in, a, &h, &e);
	/* Also one that has retired: its disk may turn up in the wrong hands. */
	else if (h.state == HOST_REVOKED || shut_out(in, a, &h, HOST_REVOKED, &e))
		commit_reply(in, a, json_object());
out:
	json_decref(o);
}

/* A PC that waits at another collector is followed there. NULL: all. */
static void follow_elsewhere(struct ingest *in, const struct digest *host, int64_t until_boot_us)
{
	char name[2 * DIGEST_SIZE + 1] = SHARED_ALL, until[24];
	int r;

	if (!in->sharing)
		return;
	if (host)
		hex_encode(name, host->b, DIGEST_SIZE);
	snprintf(until, sizeof(until), "%" PRId64, until_boot_us - clock_boot_us() + clock_wall_us());
	r = store_shelf_put(in->store, "follow", name, SPAN_STR(until), NULL);
	if (r)
		ingest_fail(in, r, "follow");
}

/*
 * May it be retired now? Nobody knows here what is still in its spool. A PC that is there is asked for it first, and
 * has some seconds for that; one that is not there is retired only where the request says so ("unheard"), so that what
 * goes with it is nobody's accident. False: answered.
 */
static bool has_sent(struct ingest *in, struct ask *a, struct peer *p, bool unheard)
{
	int64_t now = clock_boot_us();

	if (unheard)
		return true;
	if (!p || (!peer_waits(p) && !p->retire_us)) {
		answer_error(
			a->req, 409, "away", "the PC is not connected: what it has not sent would be lost with it", 0);
		return false;
	}
	if (p->retire_us && now - p->retire_us >= RETIRE_SEND_US && now - p->retire_us < RETIRE_ASKED_US)
		return true;
	if (!p->retire_us || now - p->retire_us >= RETIRE_ASKED_US) {
		p->retire_us = now;
		p->follow_until_us = now + RETIRE_ASKED_US;
		wait_wake(in, p);
		follow_elsewhere(in, &p->id, now + RETIRE_ASKED_US);
	}
	answer_error(a->req, 409, "sending", "the PC was asked for what it has not sent yet: ask again in 3 seconds",
		RETIRE_SEND_US / 1000000);
	return false;
}

/* A PC that goes out of use. */
static void retire_post(struct ingest *in, struct ask *a)
{
	struct store_host h;
	struct entry e = {.kind = KIND_RETIRE, .host = &h, .has_uid = true, .uid = a->uid, .urgent = true};
	json_t *o = object(a);
	const char *name;

	if (!o)
		return;
	if (!text_of(a, o, "host", &name) || !text_of(a, o, "reason", &e.text) || !find(in, a, name, &h))
		goto out;
	if (store_server(in->store, &h.id) || digest_eq(&h.id, &in->keys.host))
		answer_error(a->req, 409, "host", "that is a server, not a PC", 0);
	else if (h.state == HOST_REVOKED)
		answer_error(a->req, 409, "revoked", "the PC is revoked", 0);
	else if (h.state == HOST_RETIRED)
		commit_reply(in, a, json_object());
	else if (has_sent(in, a, peer_of(in, &h.id), json_is_true(json_object_get(o, "unheard"))) &&
		 shut_out(in, a, &h, HOST_RETIRED, &e))
		commit_reply(in, a, json_object());
out:
	json_decref(o);
}

/* --- following --- */

struct following {
	struct ingest *in;
	int64_t until_us;
	unsigned n;
};

static int follow_one(void *ctx, const struct store_host *h)
{
	struct following *f = ctx;
	struct peer *p;

	if (h->state != HOST_ACTIVE || digest_eq(&h->id, &f->in->keys.host))
		return 0;
	p = peer_of(f->in, &h->id);
	if (!p)
		return -ENOMEM;
	p->follow_until_us = f->until_us;
	f->n++;
	return 0;
}

static void follow_post(struct ingest *in, struct ask *a)
{
	struct following f = {.in = in};
	json_t *o = object(a);
	struct store_host h;
	const char *name;
	uint64_t seconds;
	int r = 0;

	if (!o)
		return;
	if (!text_of(a, o, "host", &name) || !number_of(a, o, "seconds", 0, FOLLOW_MAX_S, &seconds))
		goto out;
	f.until_us = clock_boot_us() + (int64_t)seconds * 1000000;
	if (name) {
		if (!find(in, a, name, &h))
			goto out;
		r = follow_one(&f, &h);
		if (!r) {
			wait_wake(in, peer_of(in, &h.id));
			follow_elsewhere(in, &h.id, f.until_us);
		}
	} else {
		r = store_host_each(in->store, follow_one, &f);
		if (!r) {
			wait_wake(in, NULL);
			follow_elsewhere(in, NULL, f.until_us);
		}
	}
	if (r)
		failed(in, a, r, "follow");
	else
		answer_json(a->req, 200, json_pack("{s:i}", "hosts", (int)f.n));
out:
	json_decref(o);
}

void admin(struct ingest *in, struct ask *a)
{
	static const struct {
		const char *path;
		bool post;
		void (*fn)(struct ingest *in, struct ask *a);
	} doors[] = {
		{API_ADMIN_TOKENS, true, token_post},
		{API_ADMIN_TOKENS, false, tokens_get},
		{API_ADMIN_HOSTS, false, hosts_get},
		{API_ADMIN_REVOKE, true, revoke_post},
		{API_ADMIN_RETIRE, true, retire_post},
		{API_ADMIN_FOLLOW, true, follow_post},
		{API_ADMIN_POLICY, true, policy_post},
		{API_ADMIN_POLICY, false, policy_status_get},
		{API_ADMIN_COLLECTORS, false, collectors_get},
		{API_ADMIN_COLLECTORS, true, collectors_post},
		{API_ADMIN_RETENTION, false, retention_get},
		{API_ADMIN_RETENTION_HOLD, true, retention_hold_post},
		{API_ADMIN_RETENTION_LIFT, true, retention_lift_post},
		{API_ADMIN_RETENTION_ORDER, true, retention_order_post},
	};
	size_t i;

	if (!strcmp(a->path, API_ADMIN_STATUS) && a->method == ASK_GET) {
		answer_json(a->req, 200, status_json(in));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(doors); i++) {
		if (doors[i].post == (a->method == ASK_POST) && !strcmp(a->path, doors[i].path)) {
			doors[i].fn(in, a);
			return;
		}
	}
	answer_error(a->req, 404, "path", "no such request", 0);
}
