/*
 * policy.yaml to struct policy: its sections, and the rules. What a section holds is read by the functions of
 * reading.h; a section of another subject is read by a file of its own, which is named here once (take_top).
 */
#include "policy/rule/drives_parts.h"
#include "policy/rule/known_parts.h"
#include "policy/rule/print_parts.h"
#include "policy/rule/protected_parts.h"
#include "policy/rule/reading.h"
#include <errno.h>

/* --- rules --- */

struct rule_reading {
	struct rule *rule;
	bool has_access;
};

static int take_rule_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct rule_reading *q = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, q->rule->name);
	if (!strcmp(key, "match"))
		return reading_pairs(r, n, key, policy_read_match, &q->rule->match);
	if (!strcmp(key, "mode"))
		return reading_mode(r, n, key, &q->rule->note);
	if (!strcmp(key, "access")) {
		q->has_access = true;
		return reading_access(r, n, key, true, &q->rule->access);
	}
	return V_NOT_FOUND;
}

static int take_rule(struct reading *r, const yaml_node_t *n)
{
	struct policy *p = r->p;
	struct rule_reading q = {.rule = &p->rules[p->rules_n]};
	unsigned i;
	int v;

	if (p->rules_n == POLICY_RULES_MAX)
		return reading_bad(r, n, "rules", SAID("too many", "多すぎます"));
	q.rule->line = (unsigned)n->start_mark.line + 1;
	match_init(&q.rule->match);
	v = reading_pairs(r, n, "rules", take_rule_key, &q);
	if (v)
		return v;
	if (!q.rule->name[0] || !q.has_access)
		return reading_bad(
			r, n, "rules", SAID("a rule needs name and access", "規則には name と access が必要です"));
	for (i = 0; i < p->rules_n; i++)
		if (!strcmp(p->rules[i].name, q.rule->name))
			return reading_bad(
				r, n, "name", SAID("another rule has this name", "同じ名前の規則があります"));
	p->rules_n++;
	return 0;
}

/* --- the whole --- */

static int take_default(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	unsigned kind = policy_kind(key);

	(void)ctx;
	return kind ? reading_access(r, n, key, false, &r->p->defaults[kind]) : V_NOT_FOUND;
}

static int take_release(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	const char *s = "";
	uint64_t v = 0;
	int got;

	(void)ctx;
	if (!strcmp(key, "max_hours")) {
		got = reading_number(r, n, key, 1, 24, &v);
		r->p->release_max_s = (unsigned)v * 3600;
		return got;
	}
	if (!strcmp(key, "per_day")) {
		got = reading_number(r, n, key, 0, 100, &v);
		r->p->release_per_day = (unsigned)v;
		return got;
	}
	if (!strcmp(key, "key")) {
		got = reading_text(r, n, key, &s);
		if (!got && strlen(s) >= sizeof(r->p->release_key))
			return reading_bad(r, n, key, SAID("too long", "長すぎます"));
		if (!got)
			snprintf(r->p->release_key, sizeof(r->p->release_key), "%s", s);
		return got;
	}
	return V_NOT_FOUND;
}

static int take_top(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct policy *p = r->p;
	int yes = 0, v;

	(void)ctx;
	if (!strcmp(key, "version"))
		return reading_number(r, n, key, 1, INT64_MAX, &p->version);
	if (!strcmp(key, "mode"))
		return reading_mode(r, n, key, &p->note);
	if (!strcmp(key, "lockout")) {
		v = reading_yes(r, n, key, &yes);
		p->lockout = yes;
		return v;
	}
	if (!strcmp(key, "defaults"))
		return reading_pairs(r, n, key, take_default, NULL);
	if (!strcmp(key, "release"))
		return reading_pairs(r, n, key, take_release, NULL);
	if (!strcmp(key, "past_cups"))
		return reading_pairs(r, n, key, policy_read_past_cups, NULL);
	if (!strcmp(key, "rules"))
		return reading_nodes(r, n, key, take_rule);
	if (!strcmp(key, "documents"))
		return policy_read_known(r, n);
	if (!strcmp(key, "print"))
		return policy_read_print(r, n);
	if (!strcmp(key, "drives"))
		return policy_read_drives(r, n);
	if (!strcmp(key, "protected"))
		return policy_read_protected(r, n);
	if (!strcmp(key, "expectations"))
		return reading_nodes(r, n, key, policy_read_expectation);
	return V_NOT_FOUND;
}

static int read_document(struct reading *r)
{
	const yaml_node_t *root = yaml_document_get_root_node(r->doc);
	int v;

	if (!root)
		return reading_bad(r, NULL, NULL, SAID("is empty", "空です"));
	v = reading_pairs(r, root, NULL, take_top, NULL);
	if (!v && !r->p->version)
		v = reading_bad(r, root, "version", SAID("is missing", "ありません"));
	return v;
}

int policy_read_yaml(struct policy *p, struct span yaml, struct why *why)
{
	struct why own = {""};
	struct reading r = {.p = p, .why = why ? why : &own};
	yaml_parser_t parser;
	yaml_document_t doc;
	int v;

	if (yaml.n > POLICY_YAML_MAX)
		return said_bad(r.why, READING_NAME, 0, NULL,
			SAID("larger than a policy can be", "ポリシーの上限より大きいファイルです"));
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	if (!yaml_parser_load(&parser, &doc)) {
		v = parser.error == YAML_MEMORY_ERROR ? -ENOMEM
						      : said_bad(r.why, READING_NAME, parser.problem_mark.line + 1,
								parser.problem ? parser.problem : NULL,
								SAID("not YAML", "YAML として読めません"));
	} else {
		r.doc = &doc;
		v = read_document(&r);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return v;
}
