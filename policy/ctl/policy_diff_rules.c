/*
 * Rules that were added, removed, changed or moved. See policy_diff_parts.h.
 */
#include "policy/ctl/policy_diff_parts.h"
#include "policy/rule/drives.h"
#include "policy/rule/protected.h"
#include <errno.h>

struct rule_text {
	const char *name;
	unsigned line;
	char *text;
	int other;  /* its place in the other policy; -1 */
	bool stays; /* in one order with the others that stay */
};

struct rules {
	struct rule_text *list;
	unsigned n;
};

static void rules_deinit(struct rules *r)
{
	unsigned i;

	for (i = 0; i < r->n; i++)
		free(r->list[i].text);
	free(r->list);
}

/* One of any section, read like the others. */
static int rule_of(
	const struct policy *p, enum diff_section section, unsigned i, struct rule_text *out, struct buf *text)
{
	struct policy_rule_text rule = {.name = NULL};
	int r = 0;

	switch (section) {
	case DIFF_DEVICES:
		r = policy_rule(p, i, &rule, text);
		break;
	case DIFF_PRINT:
		r = policy_print_rule(p, i, &rule, text);
		break;
	case DIFF_DRIVES:
		r = policy_drives_rule(p, i, &rule, text);
		break;
	case DIFF_AREAS:
		r = policy_area_rule(p, i, &rule, text);
		break;
	}
	out->name = rule.name;
	out->line = rule.line;
	return r;
}

static unsigned rules_n(const struct policy *p, enum diff_section section)
{
	switch (section) {
	case DIFF_DEVICES:
		return policy_rules_n(p);
	case DIFF_PRINT:
		return policy_print_rules_n(p);
	case DIFF_DRIVES:
		return policy_drives_rules_n(p);
	case DIFF_AREAS:
		return policy_areas_n(p);
	}
	return 0;
}

static int rules_init(const struct policy *p, enum diff_section section, struct rules *out)
{
	unsigned i, n = rules_n(p, section);
	int r;

	out->list = calloc(n + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(POLICY_TEXT_MAX);

		out->list[i].other = -1;
		r = rule_of(p, section, i, &out->list[i], &text);
		if (r)
			return r;
		out->list[i].text = strdup(buf_str(&text) ? (const char *)text.p : "");
		if (!out->list[i].text)
			return -ENOMEM;
		out->n++;
	}
	return 0;
}

static void pair_rules(struct rules *from, struct rules *to)
{
	unsigned i, k;

	for (i = 0; i < to->n; i++) {
		for (k = 0; k < from->n && strcmp(from->list[k].name, to->list[i].name) != 0; k++)
			;
		if (k == from->n)
			continue;
		to->list[i].other = (int)k;
		from->list[k].other = (int)i;
	}
}

/* The longest run of rules that kept their order: the others moved. */
static int find_moved(struct rules *to)
{
	_cleanup_free_ unsigned *best = calloc(to->n + 1, sizeof(*best));
	_cleanup_free_ int *before = calloc(to->n + 1, sizeof(*before));
	unsigned i, k, most = 0;
	int at = -1;

	if (!best || !before)
		return -ENOMEM;
	for (i = 0; i < to->n; i++) {
		if (to->list[i].other < 0)
			continue;
		best[i] = 1;
		before[i] = -1;
		for (k = 0; k < i; k++) {
			if (to->list[k].other < 0 || to->list[k].other > to->list[i].other || best[k] < best[i])
				continue;
			best[i] = best[k] + 1;
			before[i] = (int)k;
		}
		if (best[i] > most) {
			most = best[i];
			at = (int)i;
		}
	}
	for (; at >= 0; at = before[at])
		to->list[at].stays = true;
	return 0;
}

/* `from` or `to` may be NULL. */
static json_t *rule_json(const char *change, const char *name, const struct rule_text *from, const struct rule_text *to)
{
	json_t *o = json_pack("{s:s, s:s}", "change", change, "name", name);

	if (from) {
		json_object_set_new(o, "from", json_string(from->text));
		json_object_set_new(o, "from_line", json_integer(from->line));
	}
	if (to) {
		json_object_set_new(o, "to", json_string(to->text));
		json_object_set_new(o, "to_line", json_integer(to->line));
	}
	return o;
}

int diff_rules(const struct policy *from, const struct policy *to, enum diff_section section, json_t *list)
{
	_cleanup_(rules_deinit) struct rules a = {.n = 0}, b = {.n = 0};
	unsigned i;
	int r = rules_init(from, section, &a);

	r = r ? r : rules_init(to, section, &b);
	if (r)
		return r;
	pair_rules(&a, &b);
	r = find_moved(&b);
	for (i = 0; i < a.n && !r; i++)
		if (a.list[i].other < 0)
			r = list_add(list, rule_json("removed", a.list[i].name, &a.list[i], NULL));
	for (i = 0; i < b.n && !r; i++) {
		const struct rule_text *t = &b.list[i], *f = t->other < 0 ? NULL : &a.list[t->other];

		if (!f)
			r = list_add(list, rule_json("added", t->name, NULL, t));
		else if (strcmp(f->text, t->text) != 0)
			r = list_add(list, rule_json("changed", t->name, f, t));
		if (f && !t->stays)
			r = r ? r : list_add(list, rule_json("moved", t->name, f, t));
	}
	return r;
}
