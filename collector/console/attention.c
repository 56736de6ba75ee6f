/*
 * See attention.h. Called by traffic.c with each new record, by overview.c to tell. A storm of one kind must never push
 * out what another kind says: each has a bound of its own. No paths; names of people only with a device.
 */
#include "collector/console/attention.h"
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/distinct.h"
#include "policy/base/text.h"
#include <errno.h>

#define WEEK_US (7 * 86400000000ll)
#define KEPT_US (26 * 3600000000ll) /* a PC says once a day how it is kept, an hour more or less */
#define AHEAD_US 86400000000ll      /* a PC's clock may be ahead by so much */
#define MARKS_MAX 20000u            /* of one kind of matter */
#define KEYS_MAX 100000u
#define PCS_MAX 200000u
#define CHECKS_MAX 16u
#define TEXT_SIZE 256

static const struct care {
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
	{KIND_FILE_REFUSED, "file-refused", WARNING},
	{KIND_PRINT, "print-denied", WARNING},
	{KIND_REFUSED, "refused", WARNING},
	{KIND_REJOIN, "rejoin", WARNING},
	{KIND_POLICY_REFUSED, "policy-refused", WARNING},
	{KIND_RELEASE_REFUSED, "release-refused", WARNING},
	{KIND_SIGN_IN_REFUSED, "sign-in-refused", WARNING},
	{KIND_RELEASE, "release", NOTE},
	{KIND_DECISION, "held", NOTE},
};

/* Of which only each PC's newest word counts. */
static const unsigned words_kinds[] = {KIND_GUARD_START, KIND_PROOF, KIND_RECORDER_START};

struct mark {
	int64_t us;
	uint64_t row;
	unsigned item;
};

struct word {
	int64_t us; /* 0: nothing was said */
	uint64_t row;
	bool weak;
};

struct pc {
	char name[128];
	struct word guard, recorder, checks[CHECKS_MAX];
	char layers[TEXT_SIZE], probe_set[32]; /* what the two say beside it */
};

struct attention {
	struct distinct keys;     /* a matter: number of its care, PC, words */
	char (*names)[TEXT_SIZE]; /* of its PC */
	unsigned names_cap;
	struct marks {
		struct mark *v;
		unsigned n;
		int64_t lost_us; /* the newest that did not fit; 0: all did */
	} marks[ARRAY_SIZE(cares)];
	struct distinct ids; /* of PCs */
	struct pc *pcs;
	unsigned pcs_cap;
	/* What is told of a week; how PCs are kept, which is of a day. */
	struct looking_back matters, kept;
};

int attention_new(struct attention **out)
{
	struct attention *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->keys.most = KEYS_MAX;
	a->ids.most = PCS_MAX;
	*out = a;
	return 0;
}

void attention_free(struct attention *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < ARRAY_SIZE(cares); i++)
		free(a->marks[i].v);
	distinct_deinit(&a->keys);
	distinct_deinit(&a->ids);
	free(a->names);
	free(a->pcs);
	free(a);
}

/* --- words --- */

static const char *word_of(const struct record *r, unsigned f)
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
		append(text, "", SPAN_STR(word_of(r, F_CAUSE)));
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
		append(text, ": ", SPAN_STR(word_of(r, F_ACCESS)));
		append(text, ": ", record_text(r, F_OPERATION));
		append(text, ", ", record_text(r, F_USER));
		break;
	case KIND_FILE_REFUSED:
		/* what is refused as a way around all of them is of none */
		append(text, "", record_text(r, record_has(r, F_AREA) ? F_AREA : F_OPERATION));
		break;
	case KIND_PRINT:
		/* Never the title: administrators see this too. */
		append(text, "", record_text(r, F_PRINTER));
		append(text, ": ", record_text(r, F_RULE));
		append(text, ", ", record_text(r, F_USER));
		break;
	default:
		append(text, "", record_text(r, F_TEXT));
	}
}

/* Does it need somebody, by what it says? What the policy only notes does not. */
static bool matters(const struct record *r)
{
	bool note = record_has(r, F_POLICY_MODE) && r->v[F_POLICY_MODE].u == POLICY_MODE_NOTE;

	switch (r->v[F_KIND].u) {
	case KIND_DECISION:
		return record_has(r, F_ACCESS) && r->v[F_ACCESS].u != ACCESS_READ_WRITE && !note;
	case KIND_PRINT:
		return record_has(r, F_ACTION) && r->v[F_ACTION].u == ACTION_DENY && !note;
	case KIND_FILE_REFUSED:
		/* By the policy; who only has to say why does. */
		return record_has(r, F_ACTION) && !span_begins(record_text(r, F_RULE), "purpose:");
	default:
		return true;
	}
}

/* --- keeping matters --- */

/* What a matter's key says: a byte for the care, the PC, the words. */
static unsigned care_of(struct span key)
{
	return key.p[0];
}

static int item_at(
	struct attention *a, unsigned care, const struct digest *host, const char *name, const char *text, unsigned *at)
{
	uint8_t key[1 + DIGEST_SIZE + TEXT_SIZE];
	size_t n = strlen(text);
	int r;

	key[0] = (uint8_t)care;
	memcpy(key + 1, host->b, DIGEST_SIZE);
	memcpy(key + 1 + DIGEST_SIZE, text, n);
	n += 1 + DIGEST_SIZE;
	if (a->keys.n == a->names_cap) {
		unsigned cap = a->names_cap ? 2 * a->names_cap : 64;
		void *v = realloc(a->names, cap * sizeof(*a->names));

		if (!v)
			return -ENOMEM;
		a->names = v;
		a->names_cap = cap;
	}
	if (distinct_find(&a->keys, SPAN(key, n), at))
		return 0;
	r = distinct_add(&a->keys, SPAN(key, n));
	if (r || !distinct_find(&a->keys, SPAN(key, n), at))
		return r ? r : V_FULL;
	snprintf(a->names[*at], TEXT_SIZE, "%s", name);
	return 0;
}

/* Forgets marks before `since`, and the words of those that have none any more. */
static int forget(struct attention *a, int64_t since)
{
	struct attention b = {.keys = {.most = KEYS_MAX}};
	unsigned i, n, at;
	size_t k;
	int r = 0;

	for (k = 0; k < ARRAY_SIZE(cares); k++) {
		struct marks *m = &a->marks[k];

		for (i = n = 0; i < m->n; i++)
			if (m->v[i].us >= since)
				m->v[n++] = m->v[i];
		m->n = n;
		for (i = 0; !r && i < n; i++) {
			struct span key = a->keys.v[m->v[i].item];
			char text[TEXT_SIZE];
			struct digest host;

			memcpy(host.b, key.p + 1, DIGEST_SIZE);
			snprintf(text, sizeof(text), "%.*s", (int)(key.n - 1 - DIGEST_SIZE),
				(const char *)key.p + 1 + DIGEST_SIZE);
			r = item_at(&b, care_of(key), &host, a->names[m->v[i].item], text, &at);
			m->v[i].item = at;
		}
	}
	distinct_deinit(&a->keys);
	free(a->names);
	a->keys = b.keys;
	a->names = b.names;
	a->names_cap = b.names_cap;
	/* Better nothing, and that is said, than marks with another's words. */
	for (k = 0; r && k < ARRAY_SIZE(cares); k++) {
		a->marks[k].n = 0;
		a->marks[k].lost_us = clock_wall_us();
	}
	return r;
}

static int by_time(const void *x, const void *y)
{
	const struct mark *a = x, *b = y;

	return a->us < b->us ? -1 : a->us > b->us;
}

/* Room for one more of a kind: the week's end, then the oldest half. */
static int make_room(struct attention *a, struct marks *m)
{
	int r = forget(a, clock_wall_us() - WEEK_US);

	if (!r && m->n == MARKS_MAX) {
		qsort(m->v, m->n, sizeof(*m->v), by_time);
		m->lost_us = m->v[m->n / 2 - 1].us;
		memmove(m->v, m->v + m->n / 2, (m->n - m->n / 2) * sizeof(*m->v));
		m->n -= m->n / 2;
		r = forget(a, INT64_MIN);
	}
	return r;
}

static int mark(struct attention *a, unsigned care, const struct mark *mark)
{
	struct marks *m = &a->marks[care];

	if (!(m->n & (m->n - 1))) {
		struct mark *v = realloc(m->v, (m->n ? 2 * (size_t)m->n : 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		m->v = v;
	}
	m->v[m->n++] = *mark;
	return 0;
}

/* What a server says of a PC is that PC's matter. What a PC says of another one is its own. */
static int matter_row(struct console *c, unsigned care, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct attention *a = c->attention;
	struct mark m = {.us = r->v[F_TIME].i, .row = row->row};
	struct digest host = row->host;
	char text[TEXT_SIZE], name[TEXT_SIZE] = "";
	int x;

	if (record_text(r, F_PEER).n == DIGEST_SIZE && look_server(c, &row->host)) {
		memcpy(host.b, r->v[F_PEER].s.p, DIGEST_SIZE);
		append(name, "", record_text(r, F_PEER_NAME));
	}
	if (!*name)
		snprintf(name, sizeof(name), "%s", row->host_name ? row->host_name : "");
	describe(r, text);
	x = a->marks[care].n == MARKS_MAX ? make_room(a, &a->marks[care]) : 0;
	x = x ? x : item_at(a, care, &host, name, text, &m.item);
	if (x == V_FULL) {
		a->marks[care].lost_us = m.us > a->marks[care].lost_us ? m.us : a->marks[care].lost_us;
		return 0;
	}
	return x ? x : mark(a, care, &m);
}

/* --- PCs' newest words --- */

static int pc_at(struct attention *a, const struct digest *id, struct pc **out)
{
	unsigned at;
	int r;

	if (a->ids.n == a->pcs_cap) {
		unsigned cap = a->pcs_cap ? 2 * a->pcs_cap : 16;
		struct pc *v = realloc(a->pcs, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		a->pcs = v;
		a->pcs_cap = cap;
	}
	if (!distinct_find(&a->ids, SPAN(id->b, DIGEST_SIZE), &at)) {
		r = distinct_add(&a->ids, SPAN(id->b, DIGEST_SIZE));
		if (r || !distinct_find(&a->ids, SPAN(id->b, DIGEST_SIZE), &at))
			return r ? r : V_FULL;
		memset(&a->pcs[at], 0, sizeof(a->pcs[at]));
	}
	*out = &a->pcs[at];
	return 0;
}

static bool is_newer(const struct word *w, const struct store_row *row)
{
	int64_t us = row->record.v[F_TIME].i;

	return us > w->us || (us == w->us && row->row > w->row);
}

static int word_row(struct attention *a, const struct store_row *row)
{
	const struct record *r = &row->record;
	uint64_t kind = r->v[F_KIND].u, check = record_number(r, F_CHECK, CHECKS_MAX);
	struct word *w = NULL;
	struct pc *pc;
	int x = pc_at(a, &row->host, &pc);

	if (x)
		return x < 0 ? x : 0;
	if (kind == KIND_POSTURE)
		w = check < CHECKS_MAX ? &pc->checks[check] : NULL;
	else if (record_has(r, F_ENFORCE))
		w = kind == KIND_RECORDER_START ? &pc->recorder : &pc->guard;
	if (!w || !is_newer(w, row))
		return 0;
	*w = (struct word){.us = r->v[F_TIME].i,
		.row = row->row,
		.weak = kind == KIND_POSTURE ? record_number(r, F_STATE, 0) == STATE_WEAK
					     : r->v[F_ENFORCE].u == ENFORCE_NONE};
	snprintf(pc->name, sizeof(pc->name), "%s", row->host_name ? row->host_name : "");
	if (w == &pc->recorder)
		snprintf(pc->probe_set, sizeof(pc->probe_set), "%s", word_of(r, F_PROBE_SET));
	pc->layers[0] = w == &pc->guard ? 0 : pc->layers[0];
	if (w == &pc->guard)
		append(pc->layers, "", record_text(r, record_has(r, F_LAYERS) ? F_LAYERS : F_TEXT));
	return 0;
}

/* --- what comes, and what was --- */

int attention_row(struct console *c, const struct store_row *row)
{
	const struct record *r = &row->record;
	size_t i;

	if (!record_has(r, F_KIND) || !record_has(r, F_TIME) || r->v[F_TIME].i <= clock_wall_us() - WEEK_US ||
		r->v[F_TIME].i > clock_wall_us() + AHEAD_US)
		return 0;
	for (i = 0; i < ARRAY_SIZE(words_kinds); i++)
		if (words_kinds[i] == r->v[F_KIND].u)
			return word_row(c->attention, row);
	if (r->v[F_KIND].u == KIND_POSTURE)
		return word_row(c->attention, row);
	for (i = 0; i < ARRAY_SIZE(cares); i++)
		if (cares[i].kind == r->v[F_KIND].u)
			return matters(r) ? matter_row(c, (unsigned)i, row) : 0;
	return 0;
}

int attention_back(struct console *c)
{
	struct attention *a = c->attention;
	unsigned kinds[STORE_FILTER_MAX];
	static const unsigned kept[] = {KIND_POSTURE};
	size_t n = 0, i;
	int r;

	_Static_assert(ARRAY_SIZE(cares) + ARRAY_SIZE(words_kinds) <= STORE_FILTER_MAX, "one question");
	for (i = 0; i < ARRAY_SIZE(cares); i++)
		kinds[n++] = cares[i].kind;
	for (i = 0; i < ARRAY_SIZE(words_kinds); i++)
		kinds[n++] = words_kinds[i];
	r = look_back(c, &a->matters, WEEK_US, kinds, n, attention_row);
	return r ? r : look_back(c, &a->kept, KEPT_US, kept, ARRAY_SIZE(kept), attention_row);
}

/* --- telling --- */

struct telling {
	const struct account *account;
	matter_fn fn;
	void *ctx;
};

static int tell_who_sees(const struct telling *t, const struct matter *m)
{
	return account_sees(t->account, m->host) ? t->fn(t->ctx, m) : 0;
}

static int tell_matters(const struct attention *a, const struct telling *t, int64_t since, bool *complete)
{
	_cleanup_free_ struct matter *v = calloc(a->keys.n + 1u, sizeof(*v));
	unsigned i;
	size_t k;
	int r = 0;

	if (!v)
		return -ENOMEM;
	for (k = 0; k < ARRAY_SIZE(cares); k++) {
		const struct marks *m = &a->marks[k];

		*complete &= m->lost_us <= since;
		for (i = 0; i < m->n; i++) {
			struct matter *x = &v[m->v[i].item];
			int64_t us = m->v[i].us;

			if (us <= since)
				continue;
			if (!x->count++)
				x->first_us = us;
			x->first_us = us < x->first_us ? us : x->first_us;
			if (us > x->last_us || (us == x->last_us && m->v[i].row > x->row)) {
				x->last_us = us;
				x->row = m->v[i].row;
			}
		}
	}
	for (i = 0; !r && i < a->keys.n; i++) {
		struct span key = a->keys.v[i];

		if (!v[i].count)
			continue;
		v[i].what = cares[care_of(key)].what;
		v[i].severity = cares[care_of(key)].severity;
		memcpy(v[i].host_id.b, key.p + 1, DIGEST_SIZE);
		v[i].host = a->names[i];
		v[i].text = SPAN(key.p + 1 + DIGEST_SIZE, key.n - 1 - DIGEST_SIZE);
		r = tell_who_sees(t, &v[i]);
	}
	return r;
}

/* The guard's newest word on enforcement holds; where it said nothing for a week, the recorder's. */
static int tell_weak(const struct pc *pc, struct matter *m, const struct telling *t, int64_t since)
{
	const struct word *w = pc->guard.us > since ? &pc->guard : &pc->recorder;

	if (w->us <= since || !w->weak)
		return 0;
	m->what = "weak";
	m->severity = WARNING;
	m->text = SPAN_STR(w == &pc->guard ? pc->layers : pc->probe_set);
	m->row = w->row;
	m->first_us = m->last_us = w->us;
	return tell_who_sees(t, m);
}

/* What of how a PC is kept is weak, as one matter. */
static int tell_kept(const struct pc *pc, struct matter *m, const struct telling *t, int64_t since)
{
	char text[TEXT_SIZE] = "";
	unsigned i;

	m->last_us = INT64_MIN;
	for (i = 0; i < CHECKS_MAX; i++) {
		const struct word *w = &pc->checks[i];
		const struct enum_info *e = enum_by_value(F_CHECK, i);

		if (w->us <= since || !w->weak || !e)
			continue;
		append(text, ", ", SPAN_STR(e->name));
		if (w->us > m->last_us) {
			m->row = w->row;
			m->first_us = m->last_us = w->us;
		}
	}
	if (!*text)
		return 0;
	m->what = "posture";
	m->severity = NOTE;
	m->text = SPAN_STR(text);
	return tell_who_sees(t, m);
}

int attention_each(struct console *c, const struct account *account, matter_fn fn, void *ctx, bool *complete)
{
	const struct telling t = {.account = account, .fn = fn, .ctx = ctx};
	const struct attention *a = c->attention;
	int64_t now = clock_wall_us();
	unsigned i;
	int r;

	*complete = a->matters.done && a->kept.done && !a->ids.more;
	r = tell_matters(a, &t, now - WEEK_US, complete);
	for (i = 0; !r && i < a->ids.n; i++) {
		struct matter m = {.host = a->pcs[i].name, .count = 1}, kept;

		memcpy(m.host_id.b, a->ids.v[i].p, DIGEST_SIZE);
		kept = m;
		r = tell_weak(&a->pcs[i], &m, &t, now - WEEK_US);
		r = r ? r : tell_kept(&a->pcs[i], &kept, &t, now - KEPT_US);
	}
	return r;
}
