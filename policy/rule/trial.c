/*
 * See trial.h. Must never hold more than its bounds, whatever records say: what has no room is counted.
 */
#include "policy/rule/trial.h"
#include "policy/base/text.h"
#include <errno.h>

#define SLOTS 16384u /* a power of two, more than twice as many as cases */

struct trial {
	const struct policy *policy;
	const char *const *groups;
	bool blind;
	struct trial_counts counts;
	size_t words_room;
	size_t n, changed_n;
	struct trial_case *v[TRIAL_CHANGED_MAX + TRIAL_SAME_MAX];
	struct trial_case *slots[SLOTS];
	struct trial_case fresh; /* what the next record would be */
};

const char *trial_effect_name(enum trial_effect e)
{
	return e == TRIAL_STRICTER ? "stricter" : e == TRIAL_LOOSER ? "looser" : "same";
}

int trial_new(const struct policy *p, const char *const *groups, struct trial **out)
{
	struct trial *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->policy = p;
	t->groups = groups;
	t->words_room = TRIAL_WORDS_BYTES;
	*out = t;
	return 0;
}

void trial_blind(struct trial *t)
{
	t->blind = true;
}

void trial_free(struct trial *t)
{
	size_t i;

	for (i = 0; t && i < t->n; i++) {
		distinct_deinit(&t->v[i]->hosts);
		distinct_deinit(&t->v[i]->users);
		free(t->v[i]);
	}
	free(t);
}

/* --- one record as a case --- */

/* How much it forbids, or at least tells of: numbers of the enumerations do not tell. */
static unsigned weight(bool of_device, unsigned v)
{
	if (of_device)
		return v == ACCESS_DENY ? 2 : v == ACCESS_READ_ONLY ? 1 : 0;
	return v == ACTION_DENY || v == ACTION_QUARANTINE ? 3 : v == ACTION_HOLD ? 2 : v == ACTION_ALERT ? 1 : 0;
}

static enum trial_effect effect_of(const struct replay *p)
{
	unsigned was = weight(p->of_device, p->was), now = weight(p->of_device, p->now);

	return now > was ? TRIAL_STRICTER : now < was ? TRIAL_LOOSER : TRIAL_SAME;
}

static void count(struct trial_counts *n, enum trial_effect e)
{
	*(e == TRIAL_STRICTER ? &n->stricter : e == TRIAL_LOOSER ? &n->looser : &n->same) += 1;
}

/* What makes the case of this record, into t->fresh. */
static void fill_key(struct trial_case *k, const struct record *r)
{
	k->effect = effect_of(&k->decided);
	k->kind = 0;
	k->usb_id[0] = k->serial[0] = k->printer[0] = k->program[0] = 0;
	if (k->decided.of_device || k->decided.of_drive) {
		k->kind = k->decided.of_device ? (unsigned)r->v[F_DEVICE_KIND].u : 0;
		text_copy(k->usb_id, sizeof(k->usb_id), record_text(r, F_USB_ID));
		text_copy(k->serial, sizeof(k->serial), record_text(r, F_SERIAL));
	} else if (k->decided.of_file) {
		text_copy(k->program, sizeof(k->program), record_text(r, F_PROGRAM));
	} else {
		text_copy(k->printer, sizeof(k->printer), record_text(r, F_PRINTER));
	}
}

static bool alike(const struct trial_case *a, const struct trial_case *b)
{
	const struct replay *x = &a->decided, *y = &b->decided;

	return x->of_device == y->of_device && x->of_drive == y->of_drive && x->of_file == y->of_file &&
	       x->decided == y->decided && x->noted == y->noted && x->now == y->now && a->kind == b->kind &&
	       !strcmp(x->rule, y->rule) && !strcmp(x->reason, y->reason) && !strcmp(a->usb_id, b->usb_id) &&
	       !strcmp(a->serial, b->serial) && !strcmp(a->printer, b->printer) && !strcmp(a->program, b->program);
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211u;
	return (h ^ 0xff) * 1099511628211u;
}

static uint64_t hash_of(const struct trial_case *c)
{
	const struct replay *p = &c->decided;
	uint64_t h = 1469598103934665603u ^
		     (p->decided | p->now << 8 | c->kind << 16 | (unsigned)p->noted << 24 |
			     (unsigned)p->of_device << 25 | (unsigned)p->of_drive << 26 | (unsigned)p->of_file << 27);

	h = hash_text(hash_text(h, p->rule), p->reason);
	h = hash_text(hash_text(hash_text(hash_text(h, c->usb_id), c->serial), c->printer), c->program);
	return h ^ h >> 32;
}

/* The case that t->fresh is another of, made where it is new. 0; V_FULL: there are too many; -ENOMEM. */
static int case_of(struct trial *t, struct trial_case **out)
{
	size_t at = hash_of(&t->fresh) & (SLOTS - 1);
	bool same = t->fresh.effect == TRIAL_SAME;
	struct trial_case *c;

	for (; t->slots[at]; at = (at + 1) & (SLOTS - 1)) {
		if (alike(t->slots[at], &t->fresh)) {
			*out = t->slots[at];
			return 0;
		}
	}
	if (same ? t->n - t->changed_n >= TRIAL_SAME_MAX : t->changed_n >= TRIAL_CHANGED_MAX)
		return V_FULL;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = t->fresh;
	c->hosts = c->users = (struct distinct){.most = TRIAL_WORDS_MAX, .room = &t->words_room};
	t->slots[at] = t->v[t->n++] = c;
	t->changed_n += !same;
	*out = c;
	return 0;
}

/* Among the last ones, newest first; those of the same moment in the order in which they came. */
static void add_latest(struct trial_case *c, int64_t at_us, uint64_t row)
{
	unsigned i = c->latest_n, last;

	while (i && c->latest[i - 1].at_us < at_us)
		i--;
	if (i == TRIAL_LATEST)
		return;
	c->latest_n += c->latest_n < TRIAL_LATEST;
	for (last = c->latest_n - 1; last > i; last--)
		c->latest[last] = c->latest[last - 1];
	c->latest[i] = (struct trial_seen){.row = row, .at_us = at_us};
}

int trial_add(struct trial *t, const struct record *r, const char *host, uint64_t row)
{
	struct trial_case *c;
	int64_t at_us = record_has(r, F_TIME) ? r->v[F_TIME].i : 0;
	int x;

	if (!replay_concerns(t->policy, r))
		return 0;
	t->counts.looked++;
	if (replay_record(t->policy, r, host ? host : "", t->groups, t->blind, &t->fresh.decided)) {
		t->counts.not_compared++;
		return 0;
	}
	fill_key(&t->fresh, r);
	count(&t->counts, t->fresh.effect);
	x = case_of(t, &c);
	if (x) {
		t->counts.left_out += x == V_FULL;
		return x == V_FULL ? 0 : x;
	}
	if (!c->times++ || at_us > c->last_us) {
		c->last_us = at_us;
		text_copy(c->product, sizeof(c->product), record_text(r, F_PRODUCT));
		text_copy(c->title, sizeof(c->title),
			record_text(r, c->decided.of_drive || c->decided.of_file ? F_PATH : F_TITLE));
	}
	add_latest(c, at_us, row);
	if (!c->decided.of_device && record_has(r, F_PAGES))
		c->pages = r->v[F_PAGES].u < INT64_MAX - c->pages ? c->pages + r->v[F_PAGES].u : INT64_MAX;
	x = distinct_add(&c->hosts, SPAN_STR(host ? host : ""));
	return x ? x : distinct_add(&c->users, record_has(r, F_USER) ? r->v[F_USER].s : SPAN("", 0));
}

/* --- what came of it --- */

const struct trial_counts *trial_counts(const struct trial *t)
{
	return &t->counts;
}

static int in_order(const void *a, const void *b)
{
	const struct trial_case *x = *(struct trial_case *const *)a, *y = *(struct trial_case *const *)b;
	int r;

	if (x->effect != y->effect)
		return x->effect < y->effect ? -1 : 1;
	if (x->times != y->times)
		return x->times > y->times ? -1 : 1;
	if (x->last_us != y->last_us)
		return x->last_us > y->last_us ? -1 : 1;
	/* Whatever it is, the same in each answer. */
	r = strcmp(x->serial, y->serial);
	r = r ? r : strcmp(x->printer, y->printer);
	r = r ? r : strcmp(x->program, y->program);
	return r ? r : strcmp(x->decided.rule, y->decided.rule);
}

const struct trial_case *const *trial_cases(struct trial *t, size_t *n)
{
	qsort(t->v, t->n, sizeof(t->v[0]), in_order);
	*n = t->n;
	return (const struct trial_case *const *)t->v;
}
