/*
 * The section `print:` of policy.yaml, read. See print.h for what it means and reading.h for how values are read.
 */
#include "policy/rule/print_parts.h"
#include "policy/rule/reading.h"
#include <errno.h>

static int take_action(struct reading *r, const yaml_node_t *n, const char *key, bool all, unsigned *out)
{
	const char *s = reading_text_of(r, n, key);
	const struct enum_info *e = s ? enum_by_name(F_ACTION, s) : NULL;

	if (!s)
		return V_BAD;
	if (!e || e->value > ACTION_ALERT || (!all && e->value != ACTION_ALLOW && e->value != ACTION_HOLD))
		return reading_bad_value(r, n, key, s,
			all ? SAID("allow, note, alert, hold or deny", "allow、note、alert、hold、deny のいずれか")
			    : SAID("allow or hold", "allow または hold"));
	*out = (unsigned)e->value;
	return 0;
}

static int take_colour(struct reading *r, const yaml_node_t *n, const char *key, unsigned *out)
{
	bool yes = false;
	int v = content_read_flag(r, n, key, &yes);

	*out = yes ? COLOUR_COLOUR : COLOUR_MONO;
	return v;
}

static int take_match(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_rule *m = ctx;

	if (!strcmp(key, "printers"))
		return reading_words(r, n, key, &m->printers);
	if (!strcmp(key, "uris"))
		return reading_words(r, n, key, &m->uris);
	if (!strcmp(key, "locations"))
		return reading_words(r, n, key, &m->locations);
	if (!strcmp(key, "titles"))
		return reading_words(r, n, key, &m->titles);
	if (!strcmp(key, "formats"))
		return reading_words(r, n, key, &m->formats);
	if (!strcmp(key, "areas"))
		return reading_words(r, n, key, &m->areas);
	if (!strcmp(key, "pages_over")) {
		m->has_pages_over = true;
		return reading_number(r, n, key, 0, 1000000, &m->pages_over);
	}
	if (!strcmp(key, "colour"))
		return take_colour(r, n, key, &m->colour);
	return content_read(r, &m->as, &r->p->print->patterns, key, n);
}

static int take_rule_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_rule *rule = ctx;

	if (!strcmp(key, "match"))
		return reading_pairs(r, n, key, take_match, rule);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, true, &rule->as.action);
	if (!strcmp(key, "stamp"))
		return content_read_flag(r, n, key, &rule->stamp);
	return content_read_rule(r, &rule->as, key, n);
}

static int take_rule(struct reading *r, const yaml_node_t *n)
{
	struct print_policy *p = r->p->print;
	struct print_rule *rule;
	int v;

	if (p->rules_n == PRINT_RULES_MAX)
		return reading_bad(r, n, "print: rules", SAID("too many", "多すぎます"));
	rule = &p->rules[p->rules_n];
	*rule = (struct print_rule){.printers = NULL};
	content_rule_init(&rule->as, n);
	v = reading_pairs(r, n, "print: rules", take_rule_key, rule);
	v = v ? v : content_rule_check(r, n, "print: rules", &rule->as, p->rules, p->rules_n, sizeof(*rule));
	if (v)
		return v;
	if (rule->as.ask_reason && rule->as.action != ACTION_HOLD)
		return reading_bad(r, n, "ask_reason", SAID("it needs action: hold", "action: hold が必要です"));
	p->rules_n++;
	return 0;
}

/* --- expectations --- */

static int take_job_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_expectation *e = ctx;
	struct print_facts *f = &e->facts;
	uint64_t number = 0;
	int v;

	if (!strcmp(key, "printer"))
		return reading_text(r, n, key, &f->printer);
	if (!strcmp(key, "uri"))
		return reading_text(r, n, key, &f->uri);
	if (!strcmp(key, "location"))
		return reading_text(r, n, key, &f->location);
	if (!strcmp(key, "area"))
		return reading_text(r, n, key, &f->area);
	if (!strcmp(key, "title")) {
		v = reading_text(r, n, key, &f->title);
		f->title_raw = f->title;
		return v;
	}
	if (!strcmp(key, "pages")) {
		f->has_pages = true;
		return reading_number(r, n, key, 0, 1000000, &f->pages);
	}
	if (!strcmp(key, "copies")) {
		v = reading_number(r, n, key, 1, 100000, &number);
		f->copies = (unsigned)number;
		return v;
	}
	if (!strcmp(key, "colour"))
		return take_colour(r, n, key, &f->colour);
	return content_read_facts(r, &e->as,
		&(struct content_facts){
			.who = &f->who, .format = &f->format, .numbers = f->numbers, .readable = &f->readable},
		key, n);
}

static int take_expectation_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_expectation *e = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, e->as.name);
	if (!strcmp(key, "job"))
		return reading_pairs(r, n, key, take_job_key, e);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, true, &e->as.action);
	return V_NOT_FOUND;
}

static int take_expectation(struct reading *r, const yaml_node_t *n)
{
	struct print_policy *p = r->p->print;
	struct print_expectation *e;
	int v;

	if (p->expectations_n == PRINT_EXPECTATIONS_MAX)
		return reading_bad(r, n, "print: expectations", SAID("too many", "多すぎます"));
	e = &p->expectations[p->expectations_n];
	*e = (struct print_expectation){.as = {.line = (unsigned)n->start_mark.line + 1},
		.facts = {.who = {.host = ""},
			.printer = "",
			.printer_class = "",
			.uri = "",
			.location = "",
			.title = "",
			.title_raw = "",
			.format = "",
			.area = "",
			.copies = 1,
			.readable = true}};
	v = reading_pairs(r, n, "print: expectations", take_expectation_key, e);
	v = v ? v : content_expectation_check(r, n, "print: expectations", &e->as, &e->facts.who);
	if (v)
		return v;
	p->expectations_n++;
	return 0;
}

/* --- the section --- */

static int take_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_policy *p = ctx;

	if (!strcmp(key, "default"))
		return take_action(r, n, key, true, &p->fallback);
	if (!strcmp(key, "unavailable"))
		return take_action(r, n, key, false, &p->unavailable);
	if (!strcmp(key, "unrecorded"))
		return take_action(r, n, key, false, &p->unrecorded);
	if (!strcmp(key, "unstamped"))
		return take_action(r, n, key, false, &p->unstamped);
	if (!strcmp(key, "copies"))
		return copies_read(r, n, key, &p->copies);
	if (!strcmp(key, "rules"))
		return reading_nodes(r, n, key, take_rule);
	if (!strcmp(key, "expectations"))
		return reading_nodes(r, n, key, take_expectation);
	return content_read_ocr(r, &p->ocr, key, n);
}

int policy_read_print(struct reading *r, const void *section)
{
	struct print_policy *p = policy_keep(r->p, sizeof(*p));
	unsigned i;
	int v;

	if (!p)
		return -ENOMEM;
	*p = (struct print_policy){.fallback = ACTION_ALLOW,
		.unavailable = ACTION_ALLOW,
		.unrecorded = ACTION_ALLOW,
		.unstamped = ACTION_ALLOW,
		.ocr = CONTENT_OCR_INIT,
		.copies = COPIES_TERMS_INIT};
	p->rules = policy_keep(r->p, PRINT_RULES_MAX * sizeof(*p->rules));
	p->expectations = policy_keep(r->p, PRINT_EXPECTATIONS_MAX * sizeof(*p->expectations));
	if (!p->rules || !p->expectations)
		return -ENOMEM;
	r->p->print = p;
	v = reading_pairs(r, section, "print", take_key, p);
	for (i = 0; i < p->rules_n && !v; i++)
		v = p->rules[i].as.copy ? copies_check(r, &p->copies, p->rules[i].as.line) : 0;
	return v;
}
