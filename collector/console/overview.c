/*
 * What needs a person: records of the last week that say so, told as one where they are of the same PC and matter, and
 * what the collector knows of its PCs. No paths; names of people only with a device.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/distinct.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>

#define DAYS 7
#define LOOK_MOST 20000u
#define ITEMS_MAX 1000u
#define SHOWN_MAX 200u
#define TEXT_SIZE 256
#define KEPT_SECONDS (26 * 3600) /* a PC says once a day how it is kept, an hour more or less */

enum severity { ALARM, WARNING, NOTE };

struct item {
	const char *what;
	enum severity severity;
	char host[TEXT_SIZE], text[TEXT_SIZE];
	struct digest host_id;
	uint64_t count, row;
	int64_t first_us, last_us;
};

struct gathering {
	struct console *c;
	struct item *v;
	unsigned n;
	bool full;
	/* PCs whose newest word on enforcement is known; records come newest first. */
	struct digest *judged;
	unsigned judged_n;
};

static const struct {
	unsigned kind;
	const char *what;
	enum severity severity;
} cares[] = {
	{KIND_WRITE_SEEN, "write-seen", ALARM},
	{KIND_FORKED, "forked", ALARM},
	{KIND_GAP, "gap", ALARM},
	{KIND_WITNESS_ALARM, "witness-alarm", ALARM},
	{KIND_LOSS, "loss", WARNING},
	{KIND_DENIED, "denied", WARNING},
	{KIND_PRINT, "print-denied", WARNING},
	{KIND_REFUSED, "refused", WARNING},
	{KIND_REJOIN, "rejoin", WARNING},
	{KIND_POLICY_REFUSED, "policy-refused", WARNING},
	{KIND_RELEASE_REFUSED, "release-refused", WARNING},
	{KIND_SIGN_IN_REFUSED, "sign-in-refused", WARNING},
	{KIND_PROOF, "weak", WARNING},
	{KIND_RECORDER_START, "weak", WARNING},
	{KIND_RELEASE, "release", NOTE},
	{KIND_DECISION, "held", NOTE},
};

static const char *word(const struct record *r, unsigned f)
{
	const struct enum_info *e = record_has(r, f) ? enum_by_value(f, r->v[f].u) : NULL;

	return e ? e->name : "";
}

static void append(char text[TEXT_SIZE], const char *between, struct span s)
{
	size_t at = strlen(text);
	char shown[TEXT_SIZE];

	if (!s.n || at + 8 > TEXT_SIZE)
		return;
	text_escape_to(shown, sizeof(shown), s);
	snprintf(text + at, TEXT_SIZE - at, "%s%s", at ? between : "", shown);
	while (*text && !text_is_utf8(SPAN_STR(text)))
		text[strlen(text) - 1] = 0;
}

/* In words that are the same for what is the same matter: no times, no counts. */
static void describe(const struct record *r, char text[TEXT_SIZE])
{
	text[0] = 0;
	switch (r->v[F_KIND].u) {
	case KIND_LOSS:
	case KIND_REFUSED:
	case KIND_SIGN_IN_REFUSED:
		append(text, "", SPAN_STR(word(r, F_CAUSE)));
		append(text, ": ", record_text(r, F_USER));
		append(text, ", ", record_text(r, F_REMOTE));
		break;
	case KIND_DECISION:
	case KIND_DENIED:
	case KIND_WRITE_SEEN:
	case KIND_RELEASE:
	case KIND_RELEASE_REFUSED:
		append(text, "", record_text(r, F_USB_ID));
		append(text, " ", record_text(r, F_SERIAL));
		append(text, " ", record_text(r, F_PRODUCT));
		append(text, ": ", SPAN_STR(word(r, F_ACCESS)));
		append(text, ": ", record_text(r, F_OPERATION));
		append(text, ", ", record_text(r, F_USER));
		break;
	case KIND_PRINT:
		/* Never the title: administrators see this too. */
		append(text, "", record_text(r, F_PRINTER));
		append(text, ": ", record_text(r, F_RULE));
		append(text, ", ", record_text(r, F_USER));
		break;
	case KIND_RECORDER_START:
		append(text, "", SPAN_STR(word(r, F_PROBE_SET)));
		break;
	default:
		append(text, "", record_text(r, F_TEXT));
	}
}

/* Does it need somebody, by what it says? */
static bool matters(struct gathering *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	unsigned i;

	switch (r->v[F_KIND].u) {
	case KIND_DECISION:
		return record_has(r, F_ACCESS) && r->v[F_ACCESS].u != ACCESS_READ_WRITE &&
		       !(record_has(r, F_POLICY_MODE) && r->v[F_POLICY_MODE].u == POLICY_MODE_NOTE);
	case KIND_PRINT:
		return record_has(r, F_ACTION) && r->v[F_ACTION].u == ACTION_DENY;
	case KIND_PROOF:
	case KIND_RECORDER_START:
		for (i = 0; i < g->judged_n; i++)
			if (digest_eq(&g->judged[i], &row->host))
				return false;
		if (g->judged_n < ITEMS_MAX)
			g->judged[g->judged_n++] = row->host;
		return record_has(r, F_ENFORCE) && r->v[F_ENFORCE].u == ENFORCE_NONE;
	default:
		return true;
	}
}

static struct item *find(struct gathering *g, const char *what, const struct digest *host, const char *text)
{
	unsigned i;

	for (i = 0; i < g->n; i++)
		if (g->v[i].what == what && digest_eq(&g->v[i].host_id, host) && !strcmp(g->v[i].text, text))
			return &g->v[i];
	if (g->n == ITEMS_MAX) {
		g->full = true;
		return NULL;
	}
	g->v[g->n] = (struct item){.what = what, .host_id = *host};
	snprintf(g->v[g->n].text, TEXT_SIZE, "%s", text);
	return &g->v[g->n++];
}

static int take(void *ctx, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct gathering *g = ctx;
	struct digest host = row->host;
	char text[TEXT_SIZE];
	struct item *i;
	bool of_peer;
	size_t k;

	for (k = 0; k < ARRAY_SIZE(cares) && cares[k].kind != r->v[F_KIND].u; k++)
		;
	if (k == ARRAY_SIZE(cares) || !matters(g, row))
		return 0;
	/* What a server says of a PC is that PC's matter. What a PC says of another one is its own. */
	of_peer = record_text(r, F_PEER).n == DIGEST_SIZE && look_server(g->c, &row->host);
	if (of_peer)
		memcpy(host.b, r->v[F_PEER].s.p, DIGEST_SIZE);
	describe(r, text);
	i = find(g, cares[k].what, &host, text);
	if (!i)
		return 0;
	if (!i->count++) {
		i->severity = cares[k].severity;
		i->row = row->row;
		i->last_us = r->v[F_TIME].i;
		if (of_peer && record_has(r, F_PEER_NAME))
			append(i->host, "", r->v[F_PEER_NAME].s);
		else
			snprintf(i->host, sizeof(i->host), "%s", row->host_name ? row->host_name : "");
	}
	i->first_us = r->v[F_TIME].i;
	return 0;
}

/* --- PCs, by the collector --- */

struct fleet {
	json_int_t known, connected, silent, revoked, policy, current, old;
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
	i = find(g, what, &id, text);
	if (!i)
		return;
	i->severity = WARNING;
	i->count = 1;
	i->last_us = last_us;
	snprintf(i->host, sizeof(i->host), "%s", text_of(host, "name"));
}

static void count_hosts(struct call *x, const json_t *hosts, const json_t *status, struct gathering *g, struct fleet *f)
{
	const json_t *list = json_object_get(hosts, "hosts"), *of = json_object_get(status, "hosts"), *h;
	char text[64];
	size_t i, k;

	f->policy = json_integer_value(json_object_get(status, "version"));
	for (i = 0; i < json_array_size(list); i++) {
		int64_t seen;
		json_int_t has = 0;

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
		} else if (host_is_silent(x->c, seen)) {
			f->silent++;
			add_state(g, "silent", h, "", seen);
		}
		for (k = 0; k < json_array_size(of); k++)
			if (!strcmp(text_of(json_array_get(of, k), "id"), text_of(h, "id")))
				has = json_integer_value(json_object_get(json_array_get(of, k), "policy"));
		f->current += has == f->policy;
		if (has != f->policy) {
			f->old++;
			snprintf(text, sizeof(text), "%lld < %lld", (long long)has, (long long)f->policy);
			/* One that has not said yet is not known to be old. */
			if (has)
				add_state(g, "policy-old", h, text, seen);
		}
	}
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

static int gather(struct call *x, struct gathering *g, bool *complete, struct why *why)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = g};
	size_t i;
	int r;

	if (!s)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(cares); i++)
		s->filter.kinds[s->filter.kinds_n++] = cares[i].kind;
	s->filter.newest_first = true;
	s->filter.from_us = clock_wall_us() - DAYS * 86400ll * 1000000;
	r = look(&l, why);
	*complete = !l.more && !g->full;
	return r;
}

/* --- how PCs are kept: what of it is weak by their newest word, as one item a PC --- */

struct keeping {
	struct gathering *g;
	struct distinct said; /* PCs, each with a check whose newest record was seen */
};

/* Is this the PC's newest word on the check, where the newest records come first? 0; V_EXISTS: no; -ENOMEM. */
static int newest_word(struct keeping *k, const struct digest *host, uint64_t check)
{
	const unsigned before = k->said.n;
	uint8_t key[DIGEST_SIZE + sizeof(check)];
	int r;

	memcpy(key, host->b, DIGEST_SIZE);
	put_be64(key + DIGEST_SIZE, check);
	r = distinct_add(&k->said, SPAN(key, sizeof(key)));
	return r ? r : k->said.n > before ? 0 : V_EXISTS;
}

static struct item *of_host(struct gathering *g, const char *what, const struct digest *host)
{
	unsigned i;

	for (i = 0; i < g->n; i++)
		if (!strcmp(g->v[i].what, what) && digest_eq(&g->v[i].host_id, host))
			return &g->v[i];
	return NULL;
}

static int take_kept(void *ctx, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct keeping *k = ctx;
	struct item *i;
	int x = newest_word(k, &row->host, record_number(r, F_CHECK, 0));

	if (x || record_number(r, F_STATE, 0) != STATE_WEAK)
		return x < 0 ? x : 0;
	i = of_host(k->g, "posture", &row->host);
	if (!i && (i = find(k->g, "posture", &row->host, ""))) {
		i->severity = NOTE;
		i->count = 1;
		i->row = row->row;
		i->first_us = i->last_us = r->v[F_TIME].i;
		snprintf(i->host, sizeof(i->host), "%s", row->host_name ? row->host_name : "");
	}
	if (i)
		append(i->text, ", ", SPAN_STR(word(r, F_CHECK)));
	return 0;
}

static int gather_kept(struct call *x, struct gathering *g, bool *complete, struct why *why)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	struct keeping k = {.g = g, .said = {.most = LOOK_MOST}};
	struct looking l = {
		.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take_kept, .ctx = &k};
	int r = -ENOMEM;

	if (s) {
		s->filter.kinds[s->filter.kinds_n++] = KIND_POSTURE;
		s->filter.newest_first = true;
		s->filter.from_us = clock_wall_us() - KEPT_SECONDS * 1000000ll;
		r = look(&l, why);
		*complete &= !l.more && !g->full;
	}
	distinct_deinit(&k.said);
	return r;
}

/* Alerts that nobody has acknowledged: by rule and PC. Never whose records they are about: administrators see this too.
 */
static int add_alerts(struct call *x, struct gathering *g, bool *complete, struct why *why)
{
	static const char *const severities[] = {[ALARM] = "alarm", [WARNING] = "warning", [NOTE] = "note"};
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
		it = find(g, "alert", &id, text_of(o, "title"));
		if (!it)
			continue;
		(void)text_time_parse(text_of(o, "time"), 0, &t);
		for (k = 0; k < ARRAY_SIZE(severities) && strcmp(severities[k], text_of(o, "severity")) != 0; k++)
			;
		if (!it->count++) {
			it->severity = (enum severity)k;
			it->last_us = t;
			snprintf(it->host, sizeof(it->host), "%s", text_of(o, "host"));
		}
		it->first_us = t;
	}
	json_decref(list);
	*complete &= all;
	return r;
}

static json_t *fleet_json(const struct fleet *f)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "known", f->known, "connected", f->connected, "silent",
		f->silent, "revoked", f->revoked, "policy", f->policy, "policy_current", f->current, "policy_old",
		f->old);
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
	struct gathering g = {
		.c = x->c, .v = calloc(ITEMS_MAX, sizeof(*g.v)), .judged = calloc(ITEMS_MAX, sizeof(*g.judged))};
	json_t *hosts = NULL, *policy = NULL, *status = NULL;
	struct fleet f = {0};
	struct why why = {""};
	bool complete = true;
	int r = g.v && g.judged ? gather(x, &g, &complete, &why) : -ENOMEM;

	r = r ? r : gather_kept(x, &g, &complete, &why);
	r = r ? r : add_alerts(x, &g, &complete, &why);

	if (r) {
		store_failed(x, r, &why);
	} else if (door_call(x, API_ADMIN_HOSTS, NULL, SPAN(NULL, 0), &hosts) &&
		   door_call(x, API_ADMIN_POLICY, NULL, SPAN(NULL, 0), &policy) &&
		   door_call(x, API_ADMIN_STATUS, NULL, SPAN(NULL, 0), &status)) {
		count_hosts(x, hosts, policy, &g, &f);
		if (g.n)
			qsort(g.v, g.n, sizeof(*g.v), by_weight);
		if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
			reply(x, json_pack("{s:o, s:o, s:b, s:o, s:o}", "now", time_json(clock_wall_us()), "attention",
					 items_json(&g), "attention_complete", complete && g.n <= SHOWN_MAX, "fleet",
					 fleet_json(&f), "log", log_json(status)));
	}
	json_decref(hosts);
	json_decref(policy);
	json_decref(status);
	free(g.v);
	free(g.judged);
}
