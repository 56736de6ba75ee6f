/*
 * The section `protected:` of policy.yaml, read. See protected.h for what it means and reading.h for how values are
 * read.
 */
#include "policy/rule/content.h"
#include "policy/rule/protected_parts.h"
#include "policy/rule/reading.h"
#include <errno.h>

static int take_action(struct reading *r, const yaml_node_t *n, const char *key, bool allow, unsigned *out)
{
	const char *s = reading_text_of(r, n, key);
	const struct enum_info *e = s ? enum_by_name(F_ACTION, s) : NULL;

	if (!s)
		return V_BAD;
	if (!e || !(e->value == ACTION_NOTE || e->value == ACTION_ALERT || e->value == ACTION_DENY ||
			  (allow && e->value == ACTION_ALLOW)))
		return reading_bad_value(r, n, key, s,
			allow ? SAID("allow, note, alert or deny", "allow、note、alert、deny のいずれか")
			      : SAID("note, alert or deny", "note、alert、deny のいずれか"));
	*out = (unsigned)e->value;
	return 0;
}

static int take_doubt(struct reading *r, const yaml_node_t *n, const char *key, unsigned *out)
{
	const char *s = reading_text_of(r, n, key);
	const struct enum_info *e = s ? enum_by_name(F_ACTION, s) : NULL;

	if (!s)
		return V_BAD;
	if (!e || (e->value != ACTION_ALLOW && e->value != ACTION_DENY))
		return reading_bad_value(r, n, key, s, SAID("allow or deny", "allow、deny のいずれか"));
	*out = (unsigned)e->value;
	return 0;
}

static int take_purpose(struct reading *r, const yaml_node_t *n, const char *key, unsigned *out)
{
	uint64_t minutes = 0;
	int v = reading_number(r, n, key, 1, AREA_PURPOSE_MINUTES_MAX, &minutes);

	*out = (unsigned)minutes * 60;
	return v;
}

/* --- paths --- */

struct paths_reading {
	const char *list[AREA_PATHS_MAX + 1];
	unsigned n;
};

/* An absolute pattern in the one form in which it is compared: no empty component, no slash at its end. */
static int add_path(struct reading *r, struct paths_reading *q, const yaml_node_t *n, const char *key, const char *s)
{
	char out[AREA_PATH_SIZE];
	size_t at = 0, len;
	const char *c = s;

	while (c += strspn(c, "/"), (len = strcspn(c, "/"))) {
		if ((len == 1 && c[0] == '.') || (len == 2 && c[0] == '.' && c[1] == '.'))
			return reading_bad_value(r, n, key, s, SAID("path without . and ..", ". や .. を含まないパス"));
		if (at + 1 + len >= sizeof(out))
			return reading_bad(r, n, key, SAID("too long", "長すぎます"));
		out[at++] = '/';
		memcpy(out + at, c, len);
		at += len;
		c += len;
	}
	if (!at)
		return reading_bad(
			r, n, key, SAID("the whole file system is no area", "ファイルシステム全体は区域にできません"));
	if (q->n == AREA_PATHS_MAX)
		return reading_bad(r, n, key, SAID("too many", "多すぎます"));
	q->list[q->n] = policy_keep_text(r->p, SPAN(out, at));
	return q->list[q->n++] ? 0 : -ENOMEM;
}

/* "~/x" is a home's x: /root/x and /home/<any>/x, as in record.yaml. */
static int take_path(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	static const char *const home[] = {"/root", "/home/*"};
	char full[2 * AREA_PATH_SIZE];
	unsigned i;
	int v = 0;

	if (s[0] == '/')
		return add_path(r, ctx, n, key, s);
	if (s[0] != '~' || s[1] != '/')
		return reading_bad_value(
			r, n, key, s, SAID("path: it begins with / or ~/", "パス(/ または ~/ で始まるもの)"));
	if (strlen(s) >= AREA_PATH_SIZE)
		return reading_bad(r, n, key, SAID("too long", "長すぎます"));
	for (i = 0; i < ARRAY_SIZE(home) && !v; i++) {
		snprintf(full, sizeof(full), "%s%s", home[i], s + 1);
		v = add_path(r, ctx, n, key, full);
	}
	return v;
}

static int take_paths(struct reading *r, const yaml_node_t *n, const char *key, struct area *a)
{
	struct paths_reading q = {.n = 0};
	int v = reading_words(r, n, key, &a->written);
	const char **list;

	v = v ? v : reading_items(r, n, key, take_path, &q);
	if (v)
		return v;
	list = policy_keep(r->p, (q.n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	memcpy(list, q.list, q.n * sizeof(*list));
	list[q.n] = NULL;
	a->paths = list;
	return 0;
}

/* --- areas --- */

static int take_area_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct area *a = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, a->name);
	if (!strcmp(key, "paths"))
		return take_paths(r, n, key, a);
	if (!strcmp(key, "shares"))
		return reading_words(r, n, key, &a->shares);
	if (!strcmp(key, "users"))
		return reading_words(r, n, key, &a->users);
	if (!strcmp(key, "groups"))
		return reading_words(r, n, key, &a->groups);
	if (!strcmp(key, "programs"))
		return reading_words(r, n, key, &a->programs);
	if (!strcmp(key, "others"))
		return take_action(r, n, key, false, &a->others);
	if (!strcmp(key, "in_doubt"))
		return take_doubt(r, n, key, &a->in_doubt);
	if (!strcmp(key, "purpose_minutes"))
		return take_purpose(r, n, key, &a->purpose_s);
	if (!strcmp(key, "mode"))
		return reading_mode(r, n, key, &a->note);
	return V_NOT_FOUND;
}

static int take_area(struct reading *r, const yaml_node_t *n)
{
	struct protected_policy *p = r->p->protected;
	struct area *a = &p->areas[p->areas_n];
	unsigned i;
	int v;

	if (p->areas_n == AREAS_MAX)
		return reading_bad(r, n, "protected: areas", SAID("too many", "多すぎます"));
	*a = (struct area){.line = (unsigned)n->start_mark.line + 1};
	v = reading_pairs(r, n, "protected: areas", take_area_key, a);
	if (v)
		return v;
	if (!a->name[0] || (!a->paths && !a->shares))
		return reading_bad(r, n, "protected: areas",
			SAID("an area needs name, and paths or shares",
				"区域には name と、paths または shares が必要です"));
	if (a->others && !a->users && !a->groups && !a->programs && !a->purpose_s)
		return reading_bad(r, n, "others",
			SAID("nobody is left: it needs users, groups, programs or purpose_minutes",
				"対象者がいません。users、groups、programs、purpose_minutes のいずれかが必要です"));
	if (a->in_doubt && a->others != ACTION_DENY)
		return reading_bad(r, n, "in_doubt", SAID("it needs others: deny", "others: deny が必要です"));
	for (i = 0; i < p->areas_n; i++)
		if (!strcmp(p->areas[i].name, a->name))
			return reading_bad(
				r, n, "name", SAID("another area has this name", "同じ名前の区域があります"));
	if (!a->others)
		a->others = ACTION_NOTE;
	if (!a->in_doubt)
		a->in_doubt = ACTION_DENY;
	p->areas_n++;
	return 0;
}

/* --- expectations --- */

static int take_file_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct area_expectation *e = ctx;
	int yes = 0, v;

	if (!strcmp(key, "path"))
		return reading_text(r, n, key, &e->path);
	if (!strcmp(key, "share"))
		return reading_text(r, n, key, &e->share);
	if (!strcmp(key, "user"))
		return reading_text(r, n, key, &e->facts.who.user);
	if (!strcmp(key, "groups"))
		return reading_words(r, n, key, &e->groups);
	if (!strcmp(key, "program"))
		return reading_text(r, n, key, &e->facts.program);
	if (!strcmp(key, "purpose")) {
		v = reading_yes(r, n, key, &yes);
		e->facts.no_purpose = !v && !yes;
		return v;
	}
	return V_NOT_FOUND;
}

static int take_expectation_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct area_expectation *e = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, e->name);
	if (!strcmp(key, "file"))
		return reading_pairs(r, n, key, take_file_key, e);
	if (!strcmp(key, "area"))
		return reading_name(r, n, key, e->area);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, true, &e->action);
	return V_NOT_FOUND;
}

static int take_expectation(struct reading *r, const yaml_node_t *n)
{
	static const char *const nobody[] = {NULL};
	struct protected_policy *p = r->p->protected;
	struct area_expectation *e;
	int v;

	if (p->expectations_n == AREA_EXPECTATIONS_MAX)
		return reading_bad(r, n, "protected: expectations", SAID("too many", "多すぎます"));
	e = &p->expectations[p->expectations_n];
	*e = (struct area_expectation){
		.line = (unsigned)n->start_mark.line + 1, .path = "", .facts = {.program = "", .who = {.host = ""}}};
	v = reading_pairs(r, n, "protected: expectations", take_expectation_key, e);
	if (v)
		return v;
	if (!e->action)
		return reading_bad(r, n, "protected: expectations", SAID("action is missing", "action がありません"));
	e->facts.who.groups = e->groups ? e->groups : nobody;
	p->expectations_n++;
	return 0;
}

/* --- the section --- */

static int take_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	(void)ctx;
	if (!strcmp(key, "areas"))
		return reading_nodes(r, n, key, take_area);
	if (!strcmp(key, "expectations"))
		return reading_nodes(r, n, key, take_expectation);
	return V_NOT_FOUND;
}

int policy_read_protected(struct reading *r, const void *section)
{
	struct protected_policy *p = policy_keep(r->p, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct protected_policy){.areas_n = 0};
	p->areas = policy_keep(r->p, AREAS_MAX * sizeof(*p->areas));
	p->expectations = policy_keep(r->p, AREA_EXPECTATIONS_MAX * sizeof(*p->expectations));
	if (!p->areas || !p->expectations)
		return -ENOMEM;
	r->p->protected = p;
	return reading_pairs(r, section, "protected", take_key, p);
}
