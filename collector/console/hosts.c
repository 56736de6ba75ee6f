/*
 * PCs: what the collector knows of them, and what they last said of themselves; tokens to enrol others with.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>

#define STARTS_MOST 1000u /* records of starts that are looked through for versions: of PCs of the last days */
#define KEPT_MOST 64u     /* records that are looked through for how a PC is kept: ten runs */

bool host_is_silent(const struct console *c, int64_t seen_us)
{
	return clock_wall_us() - seen_us > (int64_t)c->conf.silent_us;
}

static int64_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

json_t *hosts_asleep(const struct console *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT(API_ASLEEP_MAX);
	json_t *o = file_read(c->conf.asleep, &text) ? NULL : json_loadb((const char *)text.p, text.n, 0, NULL);
	json_t *asleep = json_object_get(o, "asleep");
	int64_t age = clock_wall_us() - number(o, "current_us");

	/* A herald that has ended, or is behind, does not know who woke. */
	if (json_is_object(asleep) && age < API_ASLEEP_FRESH_US && age > -API_ASLEEP_FRESH_US)
		json_incref(asleep);
	else
		asleep = json_object();
	json_decref(o);
	return asleep;
}

int64_t host_asleep(const json_t *asleep, const json_t *host)
{
	int64_t since = number(asleep, text_of(host, "id"));

	/* A PC's clock says what it likes. */
	return since > 0 ? since : 0;
}

static bool is_forked(const json_t *host)
{
	const json_t *chains = json_object_get(host, "chains");
	size_t i;

	for (i = 0; i < json_array_size(chains); i++)
		if (number(json_array_get(chains, i), "heads") > 1)
			return true;
	return false;
}

json_t *hosts_by_id(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "hosts");
	json_t *by = json_object();
	size_t i;

	for (i = 0; by && i < json_array_size(list); i++)
		json_object_set(by, text_of(json_array_get(list, i), "id"), json_array_get(list, i));
	return by;
}

static const unsigned start_kinds[] = {KIND_RECORDER_START, KIND_GUARD_START};

/* By the id of a PC: the release of its program that started last, and when that was. */
struct versions {
	json_t *release, *us;
	bool newest_first; /* of those of one moment the first one counts; else the last */
};

static int take_version(void *ctx, const struct store_row *row)
{
	const struct record *r = &row->record;
	int64_t us = record_has(r, F_TIME) ? r->v[F_TIME].i : 0;
	char hex[2 * DIGEST_SIZE + 1];
	struct versions *v = ctx;
	const json_t *known;

	hex_encode(hex, row->host.b, DIGEST_SIZE);
	known = json_object_get(v->us, hex);
	if (known && json_integer_value(known) >= us + !v->newest_first)
		return 0;
	return json_object_set_new(v->us, hex, json_integer(us)) ||
			       json_object_set_new(v->release, hex,
				       record_has(r, F_VERSION) ? text_json(record_text(r, F_VERSION)) : json_null())
		       ? -ENOMEM
		       : 0;
}

void hosts_versions_free(struct versions *v)
{
	if (!v)
		return;
	json_decref(v->release);
	json_decref(v->us);
	free(v);
}
DEFINE_CLEANUP(struct versions *, hosts_versions_free)

/* As far back as a look at all PCs goes; `id`: of one alone. NULL where that cannot be known. */
static struct versions *look_for_versions(struct console *c, const struct account *account, const char *id)
{
	_cleanup_(hosts_versions_freep) struct versions *v = calloc(1, sizeof(*v));
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	struct looking l = {
		.c = c, .account = account, .search = s, .most = id ? 1 : STARTS_MOST, .take = take_version, .ctx = v};

	if (!s || !v)
		return NULL;
	v->release = json_object();
	v->us = json_object();
	v->newest_first = true;
	s->filter.host = id;
	memcpy(s->filter.kinds, start_kinds, sizeof(start_kinds));
	s->filter.kinds_n = ARRAY_SIZE(start_kinds);
	s->filter.newest_first = true;
	if (look(&l, NULL))
		return NULL;
	v->newest_first = false;
	return STEAL(v);
}

/* Of all PCs: looked for once, then kept up. Borrowed; may be NULL. */
static const json_t *versions(struct console *c)
{
	static const struct account everybody = {.scope_n = 0};

	/* What comes from now on is told of by itself. */
	if (!traffic_follow(c) && !c->versions)
		c->versions = look_for_versions(c, &everybody, NULL);
	return c->versions ? c->versions->release : NULL;
}

int hosts_row(struct console *c, const struct store_row *row)
{
	uint64_t kind = record_has(&row->record, F_KIND) ? row->record.v[F_KIND].u : 0;

	return c->versions && (kind == start_kinds[0] || kind == start_kinds[1]) ? take_version(c->versions, row) : 0;
}

/*
 * The collector itself and this console are PCs without a guard: they are never silent while anybody can ask. Nor is
 * who said that it sleeps.
 */
static json_t *host_json(
	struct console *c, const json_t *h, const json_t *obeying, const json_t *started, const json_t *asleep)
{
	bool away = !strcmp(text_of(h, "state"), "active") && !json_is_true(json_object_get(h, "connected"));
	int64_t since = away ? host_asleep(asleep, h) : 0;
	const json_t *o = json_object_get(obeying, text_of(h, "id"));
	const char *means = json_string_value(json_object_get(o, "means"));
	const char *version = json_string_value(json_object_get(started, text_of(h, "id")));

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:I, s:s?, s:o, s:b, s:o, s:b}", "id", text_of(h, "id"),
		"name", text_of(h, "name"), "state", text_of(h, "state"), "enrolled", time_json(number(h, "enrolled")),
		"seen", time_json(number(h, "seen")), "connected", json_is_true(json_object_get(h, "connected")),
		"policy", (json_int_t)(o ? number(o, "policy") : 0), "version", version, "means",
		means ? json_string(means) : json_null(), "forked", is_forked(h), "asleep", time_json(since), "silent",
		away && !since && host_is_silent(c, number(h, "seen")));
}

static int by_name(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int r = strcmp(text_of(x, "name"), text_of(y, "name"));

	return r ? r : strcmp(text_of(x, "id"), text_of(y, "id"));
}

/* Both lists of the collector. False: answered. */
static bool ask_both(struct call *x, json_t **hosts, json_t **status)
{
	return door_call(x, API_ADMIN_HOSTS, NULL, SPAN(NULL, 0), hosts) &&
	       door_call(x, API_ADMIN_POLICY, NULL, SPAN(NULL, 0), status);
}

void hosts_get_all(struct call *x)
{
	json_t *hosts = NULL, *status = NULL, *list, *out = json_array(), *next = NULL, **sorted = NULL,
	       *obeying = NULL, *asleep = NULL;
	const json_t *started;
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	char cursor[SEARCH_CURSOR_SIZE];
	struct why why = {""};
	size_t i, n = 0, k;

	if (!s || search_parse(x->a->query, SEARCH_PAGE, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		goto out;
	}
	if (!ask_both(x, &hosts, &status))
		goto out;
	list = json_object_get(hosts, "hosts");
	sorted = calloc(json_array_size(list) + 1, sizeof(*sorted));
	if (!sorted) {
		reply_error(x, 503, "busy", "no memory");
		goto out;
	}
	for (i = 0; i < json_array_size(list); i++)
		if (account_sees(x->account, text_of(json_array_get(list, i), "name")))
			sorted[n++] = json_array_get(list, i);
	qsort(sorted, n, sizeof(*sorted), by_name);
	k = s->has_cursor ? s->cursor_row : 0;
	started = versions(x->c);
	obeying = hosts_by_id(status);
	asleep = hosts_asleep(x->c);
	for (i = k; i < n && i < k + s->limit; i++)
		json_array_append_new(out, host_json(x->c, sorted[i], obeying, started, asleep));
	if (i < n) {
		search_cursor(cursor, 0, i);
		next = json_string(cursor);
	}
	if (tell_view(x, KIND_CONSOLE_VIEW, x->a->query, 0))
		reply(x, json_pack("{s:O, s:I, s:o}", "hosts", out, "policy", (json_int_t)number(status, "version"),
				 "next", next ? json_incref(next) : json_null()));
out:
	free(sorted);
	json_decref(asleep);
	json_decref(obeying);
	json_decref(next);
	json_decref(out);
	json_decref(hosts);
	json_decref(status);
}

/* --- one PC --- */

/* The PC of the path among those of the collector, if this account may see it. NULL: answered. */
static const json_t *find(struct call *x, const json_t *hosts)
{
	const json_t *list = json_object_get(hosts, "hosts"), *h;
	uint8_t id[DIGEST_SIZE];
	size_t i;

	if (strlen(x->id) != 2 * DIGEST_SIZE || hex_decode(x->id, id, DIGEST_SIZE)) {
		reply_error(x, 400, "host", "not the id of a PC");
		return NULL;
	}
	for (i = 0; i < json_array_size(list); i++) {
		h = json_array_get(list, i);
		if (!strcasecmp(text_of(h, "id"), x->id) && account_sees(x->account, text_of(h, "name")))
			return h;
	}
	reply_error(x, 404, "host", "no such PC");
	return NULL;
}

static int take_one(void *ctx, const struct store_row *row)
{
	json_t **out = ctx;

	if (*out)
		return V_END;
	*out = record_to_json(row);
	return *out ? 0 : -ENOMEM;
}

/* Its newest record of a kind, or null. */
static json_t *newest(struct call *x, const char *id, unsigned kind)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	json_t *out = NULL;
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = 1, .take = take_one, .ctx = &out};

	if (!s)
		return json_null();
	s->filter.host = id;
	s->filter.kinds[0] = kind;
	s->filter.kinds_n = 1;
	s->filter.newest_first = true;
	(void)look(&l, NULL);
	return out ? out : json_null();
}

struct kept {
	json_t *list;
	uint64_t checks; /* bits of those whose newest record is there */
};
static int take_kept(void *ctx, const struct store_row *row)
{
	struct kept *k = ctx;
	uint64_t check = record_number(&row->record, F_CHECK, 0);

	if (check >= 64 || k->checks >> check & 1)
		return 0;
	k->checks |= UINT64_C(1) << check;
	return json_array_append_new(k->list, record_to_json(row)) ? -ENOMEM : 0;
}

/* How it is kept: the newest record of each check, among those of its last runs. */
static json_t *kept(struct call *x, const char *id)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	struct kept k = {.list = json_array()};
	struct looking l = {
		.c = x->c, .account = x->account, .search = s, .most = KEPT_MOST, .take = take_kept, .ctx = &k};

	if (s && k.list) {
		s->filter.host = id;
		s->filter.kinds[0] = KIND_POSTURE;
		s->filter.kinds_n = 1;
		s->filter.newest_first = true;
		(void)look(&l, NULL);
	}
	return k.list;
}

void host_get(struct call *x)
{
	_cleanup_(hosts_versions_freep) struct versions *started = NULL;
	json_t *hosts = NULL, *status = NULL, *chains, *obeying = NULL, *asleep = NULL;
	const json_t *h;

	if (*x->a->query) {
		reply_error(x, 400, "filter", "no query belongs there");
		return;
	}
	if (ask_both(x, &hosts, &status) && (h = find(x, hosts)) && tell_view(x, KIND_CONSOLE_VIEW, NULL, 0)) {
		chains = json_object_get(h, "chains");
		started = look_for_versions(x->c, x->account, text_of(h, "id"));
		obeying = hosts_by_id(status);
		asleep = hosts_asleep(x->c);
		reply(x, json_pack("{s:o, s:O, s:o, s:o, s:o, s:o}", "host",
				 host_json(x->c, h, obeying, started ? started->release : NULL, asleep), "chains",
				 chains, "recorder", newest(x, text_of(h, "id"), KIND_RECORDER_START), "guard",
				 newest(x, text_of(h, "id"), KIND_GUARD_START), "proof",
				 newest(x, text_of(h, "id"), KIND_PROOF), "posture", kept(x, text_of(h, "id"))));
	}
	json_decref(asleep);
	json_decref(obeying);
	json_decref(hosts);
	json_decref(status);
}

/* --- changes: told before they are asked for, and what came of it is the collector's own record --- */

static bool change(
	struct call *x, const char *target, json_t *body, const char *what, const char *peer_name, json_t **answer)
{
	struct told t = {.kind = KIND_CONSOLE_CHANGE,
		.operation = x->a->path,
		.text = what,
		.peer_name = peer_name,
		.urgent = true};
	char *bytes = body ? json_dumps(body, JSON_COMPACT) : NULL;
	bool good = false;

	if (!bytes)
		reply_error(x, 503, "busy", "no memory");
	else if (tell_call(x, t))
		good = door_call(x, target, "application/json", SPAN_STR(bytes), answer);
	free(bytes);
	return good;
}

/* Both ways out, with a reason and the person in the collector's record. */
static void shut_out(struct call *x, const json_t *o, const char *target, const char *how)
{
	json_t *hosts = NULL, *answer = NULL, *body = NULL;
	const char *reason = body_text(x, o, "reason", 200);
	const json_t *h, *unheard = json_object_get(o, "unheard");
	char what[300], by[400];

	if (unheard && !json_is_boolean(unheard)) {
		reply_error(x, 400, "request", "\"unheard\" is true or false");
		return;
	}
	if (reason && door_call(x, API_ADMIN_HOSTS, NULL, SPAN(NULL, 0), &hosts) && (h = find(x, hosts))) {
		snprintf(what, sizeof(what), "%s: %s", how, reason);
		/* The collector's record has to name the person, too. */
		snprintf(by, sizeof(by), "%s (%s, at the console)", reason, x->account->name);
		body = json_pack("{s:s, s:s}", "host", text_of(h, "id"), "reason", by);
		if (json_is_true(unheard))
			json_object_set_new(body, "unheard", json_true());
		if (change(x, target, body, what, text_of(h, "name"), &answer))
			reply_none(x);
	}
	json_decref(body);
	json_decref(answer);
	json_decref(hosts);
}

void host_revoke(struct call *x)
{
	static const char *const names[] = {"reason", NULL};
	json_t *o = body_object(x, 4096, names);

	if (o)
		shut_out(x, o, API_ADMIN_REVOKE, "revoke");
	json_decref(o);
}

void host_retire(struct call *x)
{
	static const char *const names[] = {"reason", "unheard", NULL};
	json_t *o = body_object(x, 4096, names);

	if (o)
		shut_out(x, o, API_ADMIN_RETIRE, "retire");
	json_decref(o);
}

void tokens_get(struct call *x)
{
	json_t *answer = NULL, *out = json_array();
	const json_t *list, *t;
	size_t i;

	if (door_call(x, API_ADMIN_TOKENS, NULL, SPAN(NULL, 0), &answer) && tell_view(x, KIND_CONSOLE_VIEW, NULL, 0)) {
		list = json_object_get(answer, "tokens");
		for (i = 0; i < json_array_size(list); i++) {
			t = json_array_get(list, i);
			json_array_append_new(
				out, json_pack("{s:s, s:O, s:o}", "id", text_of(t, "id"), "name",
					     json_object_get(t, "name"), "expires", time_json(number(t, "expires"))));
		}
		reply(x, json_pack("{s:O}", "tokens", out));
	}
	json_decref(out);
	json_decref(answer);
}

void tokens_post(struct call *x)
{
	static const char *const names[] = {"name", "valid", NULL};
	json_t *o = body_object(x, 4096, names), *answer = NULL;
	const json_t *name = json_object_get(o, "name"), *valid = json_object_get(o, "valid");
	char what[300];

	if (!o)
		return;
	if ((!json_is_null(name) &&
		    (!json_is_string(name) || !json_string_length(name) || json_string_length(name) > 100)) ||
		!json_is_integer(valid) || json_integer_value(valid) < 60 || json_integer_value(valid) > 31536000) {
		reply_error(x, 400, "request", "\"name\" (text or null) and \"valid\" (60 to 31536000) belong there");
	} else {
		snprintf(what, sizeof(what), "enrolment token, good for %lld s%s%s",
			(long long)json_integer_value(valid), json_is_null(name) ? "" : ", for ",
			json_is_null(name) ? "" : json_string_value(name));
		if (change(x, API_ADMIN_TOKENS, o, what, NULL, &answer))
			reply(x, json_pack("{s:s}", "token", text_of(answer, "token")));
	}
	json_decref(answer);
	json_decref(o);
}
