/*
 * Alerts: what the herald found in the records, and what people made of it. Both are records of the log: this joins
 * them. A PC can sign whatever it likes: an alert is the herald's, an acknowledgement is this console's, or it is none.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define LOOK_MOST 20000u
#define ALERTS_MAX 1000u
#define MARKS_MAX 4000u
#define COMMENT_MAX 1000u /* bytes */
#define ID_SIZE ALERT_ID_SIZE

/* What was said of an alert later. */
struct mark {
	unsigned kind;
	uint8_t id[ID_SIZE];
	json_t *o;
};

struct joining {
	struct console *c;
	json_t *list; /* newest first */
	struct mark marks[MARKS_MAX];
	unsigned marks_n;
	bool cut;
	const uint8_t *only; /* of this alert alone; NULL: of all */
};

static json_t *word_json(const struct record *r, unsigned f)
{
	const struct enum_info *e = record_has(r, f) ? enum_by_value(f, r->v[f].u) : NULL;

	return json_string(e ? e->name : "note");
}

/* Of whatever a PC said: always a moment. */
static json_t *moment_json(int64_t wall_us)
{
	char text[TEXT_TIME_SIZE];

	return json_string(text_time_utc(text, wall_us));
}

static json_t *row_json(uint64_t row)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)row);
	return row ? json_string(text) : json_null();
}

static json_t *alert_json(const struct store_row *row)
{
	const struct record *r = &row->record;
	char id[2 * ID_SIZE + 1], host[2 * DIGEST_SIZE + 1] = "";
	struct span peer = record_text(r, F_PEER);

	hex_encode(id, record_text(r, F_ALERT).p, ID_SIZE);
	if (peer.n == DIGEST_SIZE)
		hex_encode(host, peer.p, DIGEST_SIZE);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:n, s:[]}", "id", id, "row",
		row_json(row->row), "rule", text_json(record_text(r, F_RULE)), "title",
		text_json(record_text(r, F_TEXT)), "severity", word_json(r, F_SEVERITY), "host",
		text_json(record_text(r, F_PEER_NAME)), "host_id", host[0] ? json_string(host) : json_null(), "user",
		name_json(record_text(r, F_USER)), "time",
		moment_json(record_has(r, F_CREATED) ? r->v[F_CREATED].i : r->v[F_TIME].i), "count",
		(json_int_t)(record_has(r, F_COUNT) && r->v[F_COUNT].u <= INT64_MAX ? r->v[F_COUNT].u : 1), "about",
		row_json(record_has(r, F_ABOUT) && r->v[F_ABOUT].u <= INT64_MAX ? r->v[F_ABOUT].u : 0), "acknowledged",
		"unsent");
}

static int take_mark(struct joining *j, const struct record *r)
{
	struct mark *m = &j->marks[j->marks_n];

	if (j->marks_n == MARKS_MAX) {
		j->cut = true;
		return 0;
	}
	m->kind = (unsigned)r->v[F_KIND].u;
	memcpy(m->id, record_text(r, F_ALERT).p, ID_SIZE);
	m->o = m->kind == KIND_ALERT_UNSENT
		       ? text_json(record_text(r, F_TEXT))
		       : json_pack("{s:o, s:o, s:o}", "by", text_json(record_text(r, F_USER)), "time",
				 time_json(r->v[F_TIME].i), "comment", text_json(record_text(r, F_TEXT)));
	j->marks_n += m->o != NULL;
	return m->o ? 0 : -ENOMEM;
}

static int take(void *ctx, const struct store_row *row)
{
	const struct record *r = &row->record;
	unsigned from = r->v[F_KIND].u == KIND_ALERT_SEEN ? PRODUCER_CONSOLE : PRODUCER_HERALD;
	struct joining *j = ctx;

	if (record_text(r, F_ALERT).n != ID_SIZE || look_server(j->c, &row->host) != from ||
		(j->only && memcmp(record_text(r, F_ALERT).p, j->only, ID_SIZE) != 0))
		return 0;
	if (r->v[F_KIND].u != KIND_ALERT)
		return take_mark(j, r);
	if (json_array_size(j->list) == ALERTS_MAX) {
		j->cut = true;
		return V_END;
	}
	return json_array_append_new(j->list, alert_json(row)) ? -ENOMEM : 0;
}

/* What was acknowledged here and is not in the index yet. */
static void take_fresh(struct joining *j)
{
	const struct console *c = j->c;
	unsigned i;

	for (i = 0; i < ALERTS_FRESH && j->marks_n < MARKS_MAX; i++) {
		const struct fresh_alert *f = &c->fresh_alerts[i];
		struct mark *m = &j->marks[j->marks_n];

		if (!f->at_us)
			continue;
		m->kind = KIND_ALERT_SEEN;
		memcpy(m->id, f->id, ID_SIZE);
		m->o = json_pack("{s:s, s:o, s:o}", "by", f->by, "time", time_json(f->at_us), "comment",
			text_json(SPAN_STR(f->comment)));
		j->marks_n += m->o != NULL;
	}
}

static void put_marks(struct joining *j)
{
	char id[2 * ID_SIZE + 1];
	unsigned k;
	size_t i;

	for (k = 0; k < j->marks_n; k++) {
		const struct mark *m = &j->marks[k];

		hex_encode(id, m->id, ID_SIZE);
		for (i = 0; i < json_array_size(j->list); i++) {
			json_t *o = json_array_get(j->list, i);

			if (strcmp(id, json_string_value(json_object_get(o, "id"))) != 0)
				continue;
			if (m->kind == KIND_ALERT_UNSENT)
				json_array_append(json_object_get(o, "unsent"), m->o);
			else
				json_object_set(o, "acknowledged", m->o);
		}
	}
}

int alerts_list(struct call *x, int64_t from_us, json_t **list, bool *complete, struct why *why)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	_cleanup_free_ struct joining *j = calloc(1, sizeof(*j));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = j};
	unsigned i;
	int r;

	if (!s || !j)
		return -ENOMEM;
	j->c = x->c;
	j->list = json_array();
	s->filter.kinds[s->filter.kinds_n++] = KIND_ALERT;
	s->filter.kinds[s->filter.kinds_n++] = KIND_ALERT_SEEN;
	s->filter.kinds[s->filter.kinds_n++] = KIND_ALERT_UNSENT;
	s->filter.newest_first = true;
	s->filter.from_us = from_us;
	/* What is in the index wins: it comes later, and stands. */
	take_fresh(j);
	r = look(&l, why);
	put_marks(j);
	for (i = 0; i < j->marks_n; i++)
		json_decref(j->marks[i].o);
	if (r) {
		json_decref(j->list);
		return r;
	}
	*complete = !l.more && !j->cut;
	*list = j->list;
	return 0;
}

void alerts_get(struct call *x)
{
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	struct why why = {""};
	json_t *list = NULL;
	bool complete;
	int r;

	if (!s || search_parse(x->a->query, SEARCH_DAYS, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		return;
	}
	r = alerts_list(x, clock_wall_us() - (int64_t)s->days * 86400 * 1000000, &list, &complete, &why);
	if (r)
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, x->a->query, 0))
		reply(x, json_pack("{s:b, s:O}", "complete", complete, "alerts", list));
	json_decref(list);
}

/* --- acknowledging --- */

static bool id_of(const json_t *record, uint8_t id[ID_SIZE])
{
	const json_t *facts = json_object_get(record, "facts");
	const char *kind = json_string_value(json_object_get(facts, "kind"));
	const char *hex = json_string_value(json_object_get(facts, "alert"));

	return kind && hex && !strcmp(kind, enum_by_value(F_KIND, KIND_ALERT)->name) && !hex_decode(hex, id, ID_SIZE);
}

/* Is there an acknowledgement of this alert? 0; -errno, verdicts of look(). */
static int is_seen(struct call *x, const uint8_t id[ID_SIZE], int64_t from_us, bool *yes, struct why *why)
{
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	_cleanup_free_ struct joining *j = calloc(1, sizeof(*j));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = j};
	unsigned i;
	int r;

	if (!s || !j)
		return -ENOMEM;
	j->c = x->c;
	j->only = id;
	s->filter.kinds[s->filter.kinds_n++] = KIND_ALERT_SEEN;
	s->filter.from_us = from_us;
	take_fresh(j);
	r = look(&l, why);
	*yes = false;
	for (i = 0; i < j->marks_n; i++) {
		*yes |= !memcmp(j->marks[i].id, id, ID_SIZE);
		json_decref(j->marks[i].o);
	}
	return r;
}

static void remember(struct call *x, const uint8_t id[ID_SIZE], const char *comment)
{
	struct fresh_alert *f = &x->c->fresh_alerts[x->c->fresh_alerts_n++ % ALERTS_FRESH];

	memcpy(f->id, id, ID_SIZE);
	snprintf(f->by, sizeof(f->by), "%s", x->account->name);
	snprintf(f->comment, sizeof(f->comment), "%s", comment);
	f->at_us = clock_wall_us();
}

static void tell_seen(struct call *x, const json_t *record, const uint8_t id[ID_SIZE], const char *comment)
{
	const json_t *facts = json_object_get(record, "facts");
	const char *host = json_string_value(json_object_get(facts, "peer"));
	struct told t = {.kind = KIND_ALERT_SEEN,
		.operation = x->a->path,
		.text = comment,
		.alert = id,
		.peer_name = json_string_value(json_object_get(facts, "peer_name")),
		.rule = json_string_value(json_object_get(facts, "rule")),
		.urgent = true};
	struct digest peer;

	if (host && strlen(host) == 2 * DIGEST_SIZE && !hex_decode(host, peer.b, DIGEST_SIZE))
		t.peer = &peer;
	if (!tell_call(x, t))
		return;
	remember(x, id, comment);
	reply_none(x);
}

void alert_seen_post(struct call *x)
{
	static const char *const names[] = {"comment", NULL};
	json_t *o = body_object(x, 8192, names), *record = NULL;
	const char *comment = o ? body_text(x, o, "comment", COMMENT_MAX) : NULL;
	struct looked_up u;
	struct why why = {""};
	uint8_t id[ID_SIZE];
	uint64_t row;
	bool seen = false;
	int r;

	if (!comment || !row_of_path(x, &row))
		goto out;
	if (!comment[strspn(comment, " \t\r\n")]) {
		reply_error(x, 400, "comment", "say what was found");
		goto out;
	}
	r = look_up(x, row, &u, &record, &why);
	if (r == V_NOT_FOUND || (!r && (look_server(x->c, &u.host) != PRODUCER_HERALD || !id_of(record, id)))) {
		reply_error(x, 404, "alert", "no such alert");
		goto out;
	}
	r = r ? r : is_seen(x, id, u.time_us, &seen, &why);
	if (r)
		store_failed(x, r, &why);
	else if (seen)
		reply_error(x, 409, "acknowledged", "somebody has acknowledged it already");
	else
		tell_seen(x, record, id, comment);
out:
	json_decref(o);
	json_decref(record);
}
