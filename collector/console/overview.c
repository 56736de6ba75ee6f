/*
 * What needs a person: what records of the last week say (attention.c), and what the collector knows of its PCs. No
 * paths; names of people only with a device.
 */
#include "collector/console/attention.h"
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>

#define DAYS 7
#define SHOWN_MAX 200u
#define TEXT_SIZE 256

struct item {
	const char *what;
	enum severity severity;
	char host[TEXT_SIZE], text[TEXT_SIZE];
	struct digest host_id;
	uint64_t count, row;
	int64_t first_us, last_us;
};

struct gathering {
	struct item *v;
	unsigned n, cap;
	bool failed; /* there was no memory for one more */
};

static struct item *add(struct gathering *g, const char *what, enum severity severity, const struct digest *host)
{
	if (g->n == g->cap) {
		unsigned cap = g->cap ? 2 * g->cap : 64;
		struct item *v = realloc(g->v, cap * sizeof(*v));

		if (!v) {
			g->failed = true;
			return NULL;
		}
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n] = (struct item){.what = what, .severity = severity, .host_id = *host};
	return &g->v[g->n++];
}

static int take(void *ctx, const struct matter *m)
{
	struct gathering *g = ctx;
	struct item *i = add(g, m->what, m->severity, &m->host_id);

	if (!i)
		return -ENOMEM;
	snprintf(i->host, sizeof(i->host), "%s", m->host);
	snprintf(i->text, sizeof(i->text), "%.*s", (int)m->text.n, (const char *)m->text.p);
	i->count = m->count;
	i->row = m->row;
	i->first_us = m->first_us;
	i->last_us = m->last_us;
	return 0;
}

/* --- PCs, by the collector --- */

struct fleet {
	json_int_t known, connected, asleep, silent, revoked, policy, current, old;
};

/* The collector and what works beside it have chains of their own, and nobody plugs drives into them. */
static bool is_server(const json_t *host)
{
	const json_t *chains = json_object_get(host, "chains");
	size_t i;

	for (i = 0; i < json_array_size(chains); i++) {
		const char *p = text_of(json_array_get(chains, i), "producer");

		if (!strcmp(p, producer_name(PRODUCER_COLLECTOR)) || !strcmp(p, producer_name(PRODUCER_CONSOLE)) ||
			!strcmp(p, producer_name(PRODUCER_HERALD)))
			return true;
	}
	return false;
}

static void add_state(struct gathering *g, const char *what, const json_t *host, const char *text, int64_t last_us)
{
	struct digest id = {{0}};
	struct item *i;

	if (strlen(text_of(host, "id")) != 2 * DIGEST_SIZE || hex_decode(text_of(host, "id"), id.b, DIGEST_SIZE))
		return;
	i = add(g, what, WARNING, &id);
	if (!i)
		return;
	i->count = 1;
	i->last_us = last_us;
	snprintf(i->text, sizeof(i->text), "%s", text);
	snprintf(i->host, sizeof(i->host), "%s", text_of(host, "name"));
}

static void count_hosts(struct call *x, const json_t *hosts, const json_t *status, struct gathering *g, struct fleet *f)
{
	const json_t *list = json_object_get(hosts, "hosts"), *h;
	json_t *of = hosts_by_id(status), *asleep = hosts_asleep(x->c);
	char text[64];
	size_t i;

	f->policy = json_integer_value(json_object_get(status, "version"));
	for (i = 0; i < json_array_size(list); i++) {
		int64_t seen;
		json_int_t has;

		h = json_array_get(list, i);
		if (is_server(h) || !account_sees(x->account, text_of(h, "name")))
			continue;
		if (strcmp(text_of(h, "state"), "active") != 0) {
			f->revoked++;
			continue;
		}
		f->known++;
		seen = json_integer_value(json_object_get(h, "seen"));
		if (json_is_true(json_object_get(h, "connected"))) {
			f->connected++;
		} else if (host_asleep(asleep, h)) {
			f->asleep++;
		} else if (host_is_silent(x->c, seen)) {
			f->silent++;
			add_state(g, "silent", h, "", seen);
		}
		has = json_integer_value(json_object_get(json_object_get(of, text_of(h, "id")), "policy"));
		f->current += has == f->policy;
		if (has != f->policy) {
			f->old++;
			snprintf(text, sizeof(text), "%lld < %lld", (long long)has, (long long)f->policy);
			/* One that has not said yet is not known to be old. */
			if (has)
				add_state(g, "policy-old", h, text, seen);
		}
	}
	json_decref(asleep);
	json_decref(of);
}

/* --- the answer --- */

static int by_weight(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	return x->last_us > y->last_us ? -1 : x->last_us < y->last_us;
}

static json_t *items_json(const struct gathering *g)
{
	static const char *const severities[] = {"alarm", "warning", "note"};
	json_t *list = json_array();
	char row[24];
	unsigned i;

	for (i = 0; i < g->n && i < SHOWN_MAX; i++) {
		const struct item *it = &g->v[i];
		json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:s}", "what", it->what, "severity",
			severities[it->severity], "host", text_json(SPAN_STR(it->host)), "host_id",
			digest_json(&it->host_id), "count", (json_int_t)it->count, "first", time_json(it->first_us),
			"last", time_json(it->last_us), "text", it->text);

		snprintf(row, sizeof(row), "%llu", (unsigned long long)it->row);
		if (o && it->row)
			json_object_set_new(o, "row", json_string(row));
		json_array_append_new(list, o);
	}
	return list;
}

static struct item *alert_at(struct gathering *g, unsigned from, const struct digest *host, const char *title)
{
	unsigned i;

	for (i = from; i < g->n; i++)
		if (digest_eq(&g->v[i].host_id, host) && !strcmp(g->v[i].text, title))
			return &g->v[i];
	return add(g, "alert", NOTE, host);
}

/* Alerts that nobody has acknowledged: by rule and PC. Never whose records they are about: administrators see this too.
 */
static int add_alerts(struct call *x, struct gathering *g, bool *complete, struct why *why)
{
	static const char *const severities[] = {[ALARM] = "alarm", [WARNING] = "warning", [NOTE] = "note"};
	const unsigned from = g->n;
	json_t *list = NULL;
	bool all = true;
	size_t i, k;
	int r = alerts_list(x, clock_wall_us() - DAYS * 86400ll * 1000000, &list, &all, why);

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		struct digest id = {{0}};
		struct item *it;
		int64_t t = 0;

		if (json_is_object(json_object_get(o, "acknowledged")))
			continue;
		if (strlen(text_of(o, "host_id")) == 2 * DIGEST_SIZE)
			(void)hex_decode(text_of(o, "host_id"), id.b, DIGEST_SIZE);
		it = alert_at(g, from, &id, text_of(o, "title"));
		if (!it)
			continue;
		(void)text_time_parse(text_of(o, "time"), 0, &t);
		for (k = 0; k < ARRAY_SIZE(severities) && strcmp(severities[k], text_of(o, "severity")) != 0; k++)
			;
		if (!it->count++) {
			it->severity = (enum severity)k;
			it->last_us = t;
			snprintf(it->host, sizeof(it->host), "%s", text_of(o, "host"));
			snprintf(it->text, sizeof(it->text), "%s", text_of(o, "title"));
		}
		it->first_us = t;
	}
	json_decref(list);
	*complete &= all;
	return r;
}

static json_t *fleet_json(const struct fleet *f)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "known", f->known, "connected", f->connected,
		"asleep", f->asleep, "silent", f->silent, "revoked", f->revoked, "policy", f->policy, "policy_current",
		f->current, "policy_old", f->old);
}

static json_t *log_json(const json_t *status)
{
	const json_t *log = json_object_get(status, "log");

	return json_pack("{s:I, s:I, s:I, s:b}", "size", json_integer_value(json_object_get(log, "size")), "records",
		json_integer_value(json_object_get(log, "records")), "index_lag",
		json_integer_value(json_object_get(log, "index_lag")), "disk_full",
		json_is_true(json_object_get(status, "disk_full")));
}

void overview_get(struct call *x)
{
	json_t *hosts = NULL, *policy = NULL, *status = NULL;
	struct gathering g = {.n = 0};
	struct fleet f = {0};
	struct why why = {""};
	bool complete = true, alerts = true;
	int r = traffic_follow(x->c);

	r = r ? r : attention_each(x->c, x->account, take, &g, &complete);
	r = r ? r : add_alerts(x, &g, &alerts, &why);
	r = g.failed ? -ENOMEM : r;

	if (r) {
		store_failed(x, r, &why);
	} else if (door_call(x, API_ADMIN_HOSTS, NULL, SPAN(NULL, 0), &hosts) &&
		   door_call(x, API_ADMIN_POLICY, NULL, SPAN(NULL, 0), &policy) &&
		   door_call(x, API_ADMIN_STATUS, NULL, SPAN(NULL, 0), &status)) {
		count_hosts(x, hosts, policy, &g, &f);
		if (g.n)
			qsort(g.v, g.n, sizeof(*g.v), by_weight);
		complete = complete && alerts && !g.failed && g.n <= SHOWN_MAX;
		if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
			reply(x, json_pack("{s:o, s:o, s:b, s:o, s:o}", "now", time_json(clock_wall_us()), "attention",
					 items_json(&g), "attention_complete", complete, "fleet", fleet_json(&f), "log",
					 log_json(status)));
	}
	json_decref(hosts);
	json_decref(policy);
	json_decref(status);
	free(g.v);
}
