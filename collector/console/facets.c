/*
 * What the newest matching records consist of: counts of the values that people narrow a search by.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include <errno.h>

#define LOOK_MOST 20000u
#define SLOTS 4096u /* different values of one fact; more are not told apart, and not listed */
#define SLOTS_FULL 3072u
#define SHOWN 20u
#define VALUE_MAX 512u

struct tally {
	struct slot {
		char *value;
		size_t n;
		uint64_t count;
	} slots[SLOTS];
	unsigned used;
};

enum { BY_HOST, BY_USER, BY_KIND, BY_CLASS, BY_PROGRAM, BY_PRINTER, BY_DECISION, BY_N };

struct counting {
	struct tally by[BY_N];
	uint64_t matched;
};

static int add(struct tally *t, struct span v)
{
	uint64_t h = 1469598103934665603u;
	size_t i, at;

	if (v.n > VALUE_MAX)
		v.n = VALUE_MAX;
	for (i = 0; i < v.n; i++)
		h = (h ^ v.p[i]) * 1099511628211u;
	for (at = h % SLOTS; t->slots[at].value; at = (at + 1) % SLOTS) {
		struct slot *s = &t->slots[at];

		if (s->n == v.n && !memcmp(s->value, v.p, v.n)) {
			s->count++;
			return 0;
		}
	}
	if (t->used == SLOTS_FULL)
		return 0;
	t->slots[at].value = malloc(v.n + 1);
	if (!t->slots[at].value)
		return -ENOMEM;
	if (v.n)
		memcpy(t->slots[at].value, v.p, v.n);
	t->slots[at].n = v.n;
	t->slots[at].count = 1;
	t->used++;
	return 0;
}

static int add_word(struct tally *t, const struct record *r, unsigned f)
{
	const struct enum_info *e = record_has(r, f) ? enum_by_value(f, r->v[f].u) : NULL;

	return e ? add(t, SPAN_STR(e->name)) : 0;
}

/* As it is asked for: "access:deny". */
static int add_decision(struct tally *t, const struct record *r, unsigned f)
{
	const struct enum_info *e = record_has(r, f) ? enum_by_value(f, r->v[f].u) : NULL;
	char text[64];

	if (!e)
		return 0;
	snprintf(text, sizeof(text), "%s:%s", field_table[f].name, e->name);
	return add(t, SPAN_STR(text));
}

static int take(void *ctx, const struct store_row *row)
{
	struct counting *c = ctx;
	const struct record *rec = &row->record;
	int r = row->host_name ? add(&c->by[BY_HOST], SPAN_STR(row->host_name)) : 0;

	c->matched++;
	r = r ? r : add_word(&c->by[BY_KIND], rec, F_KIND);
	r = r ? r : add_word(&c->by[BY_CLASS], rec, F_CLASS);
	if (!r && record_has(rec, F_USER))
		r = add(&c->by[BY_USER], rec->v[F_USER].s);
	if (!r && record_has(rec, F_PROGRAM))
		r = add(&c->by[BY_PROGRAM], rec->v[F_PROGRAM].s);
	if (!r && record_has(rec, F_PRINTER))
		r = add(&c->by[BY_PRINTER], rec->v[F_PRINTER].s);
	r = r ? r : add_decision(&c->by[BY_DECISION], rec, F_ACCESS);
	r = r ? r : add_decision(&c->by[BY_DECISION], rec, F_ACTION);
	return r;
}

static int by_count(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->count != y->count ? (x->count > y->count ? -1 : 1) : 0;
}

static json_t *tally_json(struct tally *t)
{
	json_t *list = json_array();
	size_t i;

	qsort(t->slots, SLOTS, sizeof(t->slots[0]), by_count);
	for (i = 0; i < SHOWN && t->slots[i].value; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:I}", "value", name_json(SPAN(t->slots[i].value, t->slots[i].n)),
				      "count", (json_int_t)t->slots[i].count));
	return list;
}

static void counting_free(struct counting *c)
{
	size_t i, k;

	for (i = 0; c && i < BY_N; i++)
		for (k = 0; k < SLOTS; k++)
			free(c->by[i].slots[k].value);
	free(c);
}
DEFINE_CLEANUP(struct counting *, counting_free)

void facets_get(struct call *x)
{
	_cleanup_(counting_freep) struct counting *n = calloc(1, sizeof(*n));
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = n};
	struct why why = {""};
	int r;

	if (!n || !s) {
		reply_error(x, 503, "busy", "no memory");
		return;
	}
	if (search_parse(x->a->query, SEARCH_FILTER, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		return;
	}
	r = look(&l, &why);
	if (r)
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_SEARCH, x->a->query, n->matched))
		reply(x, json_pack("{s:I, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "matched",
				 (json_int_t)n->matched, "looked_at", (json_int_t)l.looked, "complete", !l.more, "host",
				 tally_json(&n->by[BY_HOST]), "user", tally_json(&n->by[BY_USER]), "kind",
				 tally_json(&n->by[BY_KIND]), "class", tally_json(&n->by[BY_CLASS]), "program",
				 tally_json(&n->by[BY_PROGRAM]), "printer", tally_json(&n->by[BY_PRINTER]), "decision",
				 tally_json(&n->by[BY_DECISION])));
}
