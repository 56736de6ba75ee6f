/*
 * Retention at the administrator's door: what goes when, holds, and orders by two people. See
 * collector/store/RETENTION.md. Nobody who knocks here can shorten a period: an order is signed elsewhere, by two.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/keeper.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/trust/merkle.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <inttypes.h>

#define REASON_MAX 500u

void keeper_failed(struct ingest *in, struct ask *a, int r, const char *what)
{
	if (r == V_AGAIN && store_waits(in->store)) {
		commit_wait(in, a);
		return;
	}
	if (r == V_AGAIN) {
		answer_error(
			a->req, 503, "busy", "the index is being made, or a month looked through for what is held", 5);
		return;
	}
	if (r == V_DENIED || r == V_EXISTS) {
		answer_error(a->req, 409, r == V_DENIED ? "collector" : "older",
			r == V_DENIED ? "the log does not say that this is one of its collectors: ask at another one"
				      : "a collector of an older version runs, and would not know of it: upgrade that "
					"one first",
			0);
		return;
	}
	answer_error(a->req, 503, "failed", "the collector failed", 5);
	if (r == V_BAD)
		log_error("retention: a pack is damaged, or decisions are missing, see sekishoctl verify");
	else
		ingest_fail(in, r > 0 ? -EIO : r, what);
}

void keeper_answer(struct ingest *in, struct ask *a, int r, json_t *steal, const char *what)
{
	if (keeper_waits(in->keeper, r)) {
		commit_reply(in, a, steal);
		return;
	}
	if (r) {
		json_decref(steal);
		keeper_failed(in, a, r, what);
		return;
	}
	answer_json(a->req, 200, steal);
}

/* --- what goes when --- */

static json_t *months_json(uint64_t months)
{
	return months == RETENTION_FOREVER ? json_null() : json_integer((json_int_t)months);
}

static json_t *time_json(int64_t us)
{
	return us == INT64_MAX ? json_null() : json_integer((json_int_t)us);
}

struct planning {
	struct keeper *k;
	json_t *list;
	int64_t now;
	bool uncounted; /* not all of it */
};

/* The hold that is known to keep it; PCs and people are looked for only where the time has come. */
static int held_by(
	struct planning *p, const struct store_month *m, unsigned channel, bool due, const char **id, bool *looking)
{
	const struct retention_hold *h = retention_held(&p->k->book, m->month, UINT64_MAX);
	int r = 0;

	if (!h && due)
		r = keeper_held(p->k, m, channel, &h);
	*looking = r == V_AGAIN;
	r = *looking ? 0 : r;
	*id = r || !h ? NULL : h->id;
	return r;
}

static int plan_month(void *ctx, const struct store_month *m)
{
	struct planning *p = ctx;
	unsigned i;

	p->uncounted |= !m->counted;
	for (i = 0; i < KEEPER_CHANNELS; i++) {
		unsigned c = keeper_channels[i];
		uint64_t months = retention_period(&p->k->book, c, m->month, UINT64_MAX);
		const struct retention_expiry *e = retention_of(&p->k->book, c, m->month);
		int64_t due = retention_due(m->month, months);
		const char *hold = NULL;
		bool looking = false;
		json_t *o;
		int r;

		if (m->counted ? !m->channels[c].segments : !m->channels[c].bytes && !e)
			continue;
		r = e || m->open ? 0 : held_by(p, m, c, p->now >= due, &hold, &looking);
		if (r)
			return r;
		o = json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:s, s:s?}", "month", m->month, "channel",
			producer_name(c), "segments",
			m->counted ? json_integer((json_int_t)m->channels[c].segments) : json_null(), "bytes",
			(json_int_t)m->channels[c].bytes, "months", months_json(months), "due", time_json(due), "state",
			m->channels[c].gone          ? (e ? "expired" : "missing")
			: e && !m->channels[c].bytes ? "expired"
			: e                          ? "going"
			: m->open                    ? "open"
			: hold                       ? "held"
			: looking                    ? "looking"
			: p->now >= due              ? "due"
						     : "kept",
			"hold", hold);
		if (!o || json_array_append_new(p->list, o))
			return -ENOMEM;
	}
	return 0;
}

static json_t *expired_json(const struct retention *t)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < t->expiries_n; i++) {
		const struct retention_expiry *e = &t->expiries[i];

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:b}", "month", e->month,
				      "channel", producer_name(e->channel), "segments", (json_int_t)e->count, "bytes",
				      (json_int_t)e->bytes, "rule", e->rule, "time", (json_int_t)e->when_us, "leaf",
				      (json_int_t)e->leaf, "from_leaf", (json_int_t)e->from, "to_leaf",
				      (json_int_t)e->to, "early", e->order != NULL));
	}
	return list;
}

static json_t *holds_json(const struct retention *t)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < t->holds_n; i++) {
		const struct retention_hold *h = &t->holds[i];

		if (h->lifted_leaf == UINT64_MAX)
			json_array_append_new(list,
				json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:I}", "hold", h->id, "month",
					h->month[0] ? h->month : NULL, "host", h->peer_name[0] ? h->peer_name : NULL,
					"user", h->person[0] ? h->person : NULL, "reason", h->reason, "time",
					(json_int_t)h->when_us));
	}
	return list;
}

void retention_get(struct ingest *in, struct ask *a)
{
	struct planning p = {.k = in->keeper, .list = json_array()};
	json_t *channels = json_array();
	unsigned i;
	int r = keeper_book(in->keeper);

	r = r ? r : keeper_now(in->keeper, &p.now);
	r = r ? r : store_months(in->store, true, plan_month, &p);
	if (r) {
		json_decref(p.list);
		json_decref(channels);
		keeper_failed(in, a, r, "retention");
		return;
	}
	/* For who asks next. */
	if (p.uncounted) {
		in->keeper->counts = true;
		keeper_soon(in->keeper);
	}
	for (i = 0; i < KEEPER_CHANNELS; i++)
		json_array_append_new(
			channels, json_pack("{s:s, s:o}", "channel", producer_name(keeper_channels[i]), "months",
					  months_json(keeper_setting(&in->conf, keeper_channels[i]))));
	answer_json(a->req, 200,
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "channels", channels, "plan", p.list, "expired",
			expired_json(&in->keeper->book), "holds", holds_json(&in->keeper->book), "now",
			p.now == INT64_MIN ? json_null() : json_integer((json_int_t)p.now)));
}

/* --- holds --- */

/* A string of the request, at most `max` bytes; NULL where it is not there. False: answered. */
static bool text_of(struct ask *a, const json_t *o, const char *name, size_t max, const char **out)
{
	const json_t *v = json_object_get(o, name);
	char text[96];

	*out = json_string_value(v);
	if (!v || json_is_null(v) ||
		(*out && **out && json_string_length(v) <= max && strlen(*out) == json_string_length(v)))
		return true;
	snprintf(text, sizeof(text), "%s: a text of 1 to %zu bytes belongs there", name, max);
	answer_error(a->req, 400, "request", text, 0);
	return false;
}

static json_t *object(struct ask *a)
{
	struct why why = {""};
	json_t *o = NULL;

	if (ask_object(a->body, &o, &why))
		answer_error(a->req, 400, "request", why.text, 0);
	return o;
}

/* The PC that is meant; one that is not known cannot have left anything. False: answered. */
static bool host_meant(struct ingest *in, struct ask *a, const char *name, struct store_host *h)
{
	int r = host_find(in, name, h);

	if (r == V_NOT_FOUND)
		answer_error(a->req, 404, "host", "no such PC", 0);
	else if (r == V_EXISTS)
		answer_error(a->req, 409, "host", "several PCs have this name: give the id", 0);
	else if (r)
		keeper_failed(in, a, r, "hosts");
	return !r;
}

void retention_hold_post(struct ingest *in, struct ask *a)
{
	struct kept kept = {.channel = 0};
	struct entry e = {.kind = KIND_HOLD, .has_uid = true, .uid = a->uid, .urgent = true};
	json_t *o = object(a);
	const char *host = NULL;
	struct store_host h;
	uint8_t id[4];
	char hex[2 * sizeof(id) + 1];
	int r;

	if (!o)
		return;
	if (!text_of(a, o, "month", 7, &kept.month) || !text_of(a, o, "host", 127, &host) ||
		!text_of(a, o, "user", 255, &kept.person) || !text_of(a, o, "reason", REASON_MAX, &e.text))
		goto out;
	if (!e.text || (kept.month && !month_is(kept.month))) {
		answer_error(a->req, 400, "request", e.text ? "month: not YYYY-MM" : "a reason is missing", 0);
		goto out;
	}
	if (host && !host_meant(in, a, host, &h))
		goto out;
	e.host = host ? &h : NULL;
	r = random_bytes(id, sizeof(id));
	kept.hold = hex_encode(hex, id, sizeof(id));
	r = r ? r : keeper_turn(in->keeper);
	if (!r) {
		keeper_tell(in->keeper, &e, &kept);
		r = keeper_settle(in->keeper);
	}
	keeper_answer(in, a, r, json_pack("{s:s}", "hold", hex), "hold");
out:
	json_decref(o);
}

void retention_lift_post(struct ingest *in, struct ask *a)
{
	struct kept kept = {.channel = 0};
	struct entry e = {.kind = KIND_HOLD_LIFTED, .has_uid = true, .uid = a->uid, .urgent = true};
	json_t *o = object(a);
	int r;

	if (!o)
		return;
	if (!text_of(a, o, "hold", 19, &kept.hold) || !text_of(a, o, "reason", REASON_MAX, &e.text))
		goto out;
	if (!kept.hold || !e.text) {
		answer_error(a->req, 400, "request", "hold and reason belong there", 0);
		goto out;
	}
	r = keeper_turn(in->keeper);
	if (!r && !retention_hold_of(&in->keeper->book, kept.hold)) {
		keeper_rest(in->keeper);
		answer_error(a->req, 404, "hold", "no such hold is in force", 0);
		goto out;
	}
	if (!r) {
		keeper_tell(in->keeper, &e, &kept);
		r = keeper_settle(in->keeper);
	}
	keeper_answer(in, a, r, json_object(), "hold");
out:
	json_decref(o);
}

/* --- orders --- */

/* Did the log that is named stand at the beginning of this one? */
static int extends(struct ingest *in, const struct order *o, struct why *why)
{
	struct verifier v = {.key = NULL};
	int r = verifier_decode(buf_span(&in->keys.vkey), &v, why);

	r = r ? r : proof_leads_on(in, &v, o->size, &o->root, why);
	verifier_deinit(&v);
	return r == V_DENIED || r == V_NOT_FOUND || r == V_BAD
		       ? why_set(why, V_BAD, "it names a log that this one does not extend")
		       : r;
}

/* In a turn, and before it. 0; V_BAD with *error and the reason; V_AGAIN; -errno. */
static int judge(struct ingest *in, struct span bytes, struct order *o, struct store_month *m, const char **error,
	struct why *why)
{
	const struct retention_hold *hold = NULL;
	struct admins admins = {.n = 0};
	struct keeper *k = in->keeper;
	int64_t now = clock_wall_us();
	struct digest fleet;
	int r = admins_load(in->conf.admins, &admins, why);

	*error = "forged";
	if (r == V_NOT_FOUND || r == V_BAD)
		return why_set(why, V_BAD, "no administrators' keys can be read: %s", in->conf.admins);
	r = r ? r : order_open(bytes, &admins, o, why);
	admins_deinit(&admins);
	if (r > 0) {
		*error = r == ORDER_FORGED ? "forged" : r == ORDER_ALONE ? "alone" : "bad";
		return V_BAD;
	}
	r = r ? r : fleet_of(in, &fleet);
	if (r)
		return r;
	*error = "foreign";
	if (!digest_eq(&fleet, &o->fleet))
		return why_set(why, V_BAD, "it is for another log");
	r = extends(in, o, why);
	if (r)
		return r;
	*error = now < o->issued_us ? "early" : "expired";
	if (now < o->issued_us || now > o->not_after_us)
		return why_set(why, V_BAD, "it is not valid now");
	*error = "used";
	if (retention_used(&k->book, bytes))
		return why_set(why, V_BAD, "it was carried out before");
	*error = "month";
	if (retention_of(&k->book, o->channel, o->month))
		return why_set(why, V_BAD, "%s of %s has expired already", producer_name(o->channel), o->month);
	r = keeper_month(k, o->month, m);
	if (r == V_NOT_FOUND || (!r && !m->channels[o->channel].bytes))
		return why_set(why, V_BAD, "there is nothing of %s in %s", producer_name(o->channel), o->month);
	if (!r && m->open)
		return why_set(why, V_BAD, "%s is still being written", o->month);
	*error = "held";
	r = r ? r : keeper_held(k, m, o->channel, &hold);
	return r ? r : hold ? why_set(why, V_BAD, "the hold %s keeps it: %.100s", hold->id, hold->reason) : 0;
}

void retention_order_post(struct ingest *in, struct ask *a)
{
	char text[160];
	struct entry e = {.kind = KIND_ADMIN, .has_uid = true, .uid = a->uid, .urgent = true, .text = text};
	struct store_month m;
	struct why why = {""};
	struct order o;
	const char *error;
	uint64_t freed = 0;
	struct digest hash;
	int r;

	/* Once before the turn, which others wait for: what takes long of it is known then. */
	r = judge(in, a->body, &o, &m, &error, &why);
	r = r && r != V_AGAIN && r >= 0 ? 0 : r;
	r = r ? r : keeper_turn(in->keeper);
	if (r) {
		keeper_failed(in, a, r, "order");
		return;
	}
	why = (struct why){""};
	r = judge(in, a->body, &o, &m, &error, &why);
	if (r)
		keeper_rest(in->keeper);
	if (r == V_BAD && why.text[0]) {
		digest_span(&hash, a->body);
		e.hash = &hash;
		snprintf(text, sizeof(text), "order refused: %s", error);
		ingest_tell(in, &e);
		answer_error(a->req, 409, error, why.text, 0);
		return;
	}
	if (r) {
		keeper_failed(in, a, r, "order");
		return;
	}
	r = keeper_expire(in->keeper, &m, o.channel, &o, a->body, a->uid, &freed);
	/* What it will be. */
	freed = keeper_waits(in->keeper, r) ? m.channels[o.channel].bytes : freed;
	keeper_answer(in, a, r,
		json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "month", o.month, "channel", producer_name(o.channel),
			"segments", (json_int_t)m.channels[o.channel].segments, "bytes", (json_int_t)freed, "requester",
			o.requester, "second", o.second),
		"order");
}
