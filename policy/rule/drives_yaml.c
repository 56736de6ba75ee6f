/*
 * The section `drives:` of policy.yaml, read. See drives.h for what it means and reading.h for how values are read.
 */
#include "policy/rule/drives_parts.h"
#include "policy/rule/reading.h"
#include <errno.h>

#define MAX_MIB 256u         /* where the policy does not say */
#define QUARANTINE_MIB 1024u /* the same */
#define QUARANTINE_MIB_MAX (1u << 20)

static int take_action(struct reading *r, const yaml_node_t *n, const char *key, unsigned *out)
{
	const char *s = reading_text_of(r, n, key);
	const struct enum_info *e = s ? enum_by_name(F_ACTION, s) : NULL;

	if (!s)
		return V_BAD;
	if (!e || (e->value != ACTION_ALLOW && e->value != ACTION_NOTE && e->value != ACTION_ALERT &&
			  e->value != ACTION_QUARANTINE))
		return reading_bad_value(r, n, key, s,
			SAID("allow, note, alert or quarantine", "allow、note、alert、quarantine のいずれか"));
	*out = (unsigned)e->value;
	return 0;
}

static int take_mib(struct reading *r, const yaml_node_t *n, const char *key, uint64_t least, uint64_t *out)
{
	uint64_t mib = 0;
	int v = reading_number(r, n, key, least, DRIVES_MIB_MAX, &mib);

	*out = mib << 20;
	return v;
}

/* --- rules --- */

static int take_match(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct drive_rule *m = ctx;

	if (!strcmp(key, "paths"))
		return reading_words(r, n, key, &m->paths);
	if (!strcmp(key, "formats"))
		return reading_words(r, n, key, &m->formats);
	if (!strcmp(key, "cloud")) {
		m->has_cloud = true;
		return content_read_flag(r, n, key, &m->cloud);
	}
	if (!strcmp(key, "mib_over")) {
		m->has_size_over = true;
		return take_mib(r, n, key, 0, &m->size_over);
	}
	return content_read(r, &m->as, &r->p->drives->patterns, key, n);
}

static int take_rule_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct drive_rule *rule = ctx;

	if (!strcmp(key, "match"))
		return reading_pairs(r, n, key, take_match, rule);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, &rule->as.action);
	return content_read_rule(r, &rule->as, key, n);
}

static int take_rule(struct reading *r, const yaml_node_t *n)
{
	struct drives_policy *p = r->p->drives;
	struct drive_rule *rule;
	int v;

	if (p->rules_n == DRIVES_RULES_MAX)
		return reading_bad(r, n, "drives: rules", SAID("too many", "多すぎます"));
	rule = &p->rules[p->rules_n];
	*rule = (struct drive_rule){.paths = NULL};
	content_rule_init(&rule->as, n);
	v = reading_pairs(r, n, "drives: rules", take_rule_key, rule);
	v = v ? v : content_rule_check(r, n, "drives: rules", &rule->as, p->rules, p->rules_n, sizeof(*rule));
	if (v)
		return v;
	if (rule->as.ask_reason && rule->as.action != ACTION_NOTE && rule->as.action != ACTION_ALERT)
		return reading_bad(r, n, "ask_reason",
			SAID("it needs action: note or alert", "action: note または alert が必要です"));
	p->rules_n++;
	return 0;
}

/* --- expectations --- */

static int take_file_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct drive_expectation *e = ctx;
	struct drive_facts *f = &e->facts;

	if (!strcmp(key, "path"))
		return reading_text(r, n, key, &f->path);
	if (!strcmp(key, "mib"))
		return take_mib(r, n, key, 0, &f->size);
	if (!strcmp(key, "cloud"))
		return content_read_flag(r, n, key, &f->cloud);
	return content_read_facts(r, &e->as,
		&(struct content_facts){
			.who = &f->who, .format = &f->format, .numbers = f->numbers, .readable = &f->readable},
		key, n);
}

static int take_expectation_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct drive_expectation *e = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, e->as.name);
	if (!strcmp(key, "file"))
		return reading_pairs(r, n, key, take_file_key, e);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, &e->as.action);
	return V_NOT_FOUND;
}

static int take_expectation(struct reading *r, const yaml_node_t *n)
{
	struct drives_policy *p = r->p->drives;
	struct drive_expectation *e;
	int v;

	if (p->expectations_n == DRIVES_EXPECTATIONS_MAX)
		return reading_bad(r, n, "drives: expectations", SAID("too many", "多すぎます"));
	e = &p->expectations[p->expectations_n];
	*e = (struct drive_expectation){.as = {.line = (unsigned)n->start_mark.line + 1},
		.facts = {.path = "", .format = "", .readable = true, .who = {.host = ""}}};
	v = reading_pairs(r, n, "drives: expectations", take_expectation_key, e);
	v = v ? v : content_expectation_check(r, n, "drives: expectations", &e->as, &e->facts.who);
	if (v)
		return v;
	p->expectations_n++;
	return 0;
}

/* --- the section --- */

static int take_quarantine_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct drives_policy *p = ctx;
	uint64_t mib = 0;
	int v;

	if (!strcmp(key, "openers"))
		return copies_read_certificates(r, n, key, &p->quarantine.openers, &p->openers);
	if (strcmp(key, "max_mib") != 0)
		return V_NOT_FOUND;
	v = reading_number(r, n, key, 1, QUARANTINE_MIB_MAX, &mib);
	p->quarantine.max_bytes = mib << 20;
	return v;
}

static int take_quarantine(struct reading *r, const yaml_node_t *n, const char *key, struct drives_policy *p)
{
	int v = reading_pairs(r, n, key, take_quarantine_key, p);

	if (v || p->quarantine.openers.n)
		return v;
	return reading_bad(
		r, n, key, SAID("openers are missing: who could open them?", "openers がありません (誰も開けません)"));
}

/* A file that nobody could open again would be lost. */
static int quarantine_check(struct reading *r, const struct drives_policy *p, unsigned action, unsigned line)
{
	if (action != ACTION_QUARANTINE || p->quarantine.openers.n)
		return 0;
	return WHY_BOTH(r->why, V_BAD, READING_NAME ":%u: action: quarantine needs the section `quarantine:`",
		READING_NAME ":%u: action: quarantine には quarantine: の指定が必要です", line);
}

static int take_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct drives_policy *p = ctx;

	if (!strcmp(key, "default"))
		return take_action(r, n, key, &p->fallback);
	if (!strcmp(key, "max_mib"))
		return take_mib(r, n, key, 1, &p->max_bytes);
	if (!strcmp(key, "cloud"))
		return content_read_flag(r, n, key, &p->cloud);
	if (!strcmp(key, "cloud_clients"))
		return reading_words(r, n, key, &p->clients);
	if (!strcmp(key, "scan"))
		return content_read_flag(r, n, key, &p->scan);
	if (!strcmp(key, "copies"))
		return copies_read(r, n, key, &p->copies);
	if (!strcmp(key, "quarantine"))
		return take_quarantine(r, n, key, p);
	if (!strcmp(key, "rules"))
		return reading_nodes(r, n, key, take_rule);
	if (!strcmp(key, "expectations"))
		return reading_nodes(r, n, key, take_expectation);
	return content_read_ocr(r, &p->ocr, key, n);
}

int policy_read_drives(struct reading *r, const void *section)
{
	struct drives_policy *p = policy_keep(r->p, sizeof(*p));
	unsigned i;
	int v;

	if (!p)
		return -ENOMEM;
	*p = (struct drives_policy){.fallback = ACTION_ALLOW,
		.max_bytes = (uint64_t)MAX_MIB << 20,
		.ocr = CONTENT_OCR_INIT,
		.copies = COPIES_TERMS_INIT,
		.quarantine = {.max_bytes = (uint64_t)QUARANTINE_MIB << 20}};
	p->rules = policy_keep(r->p, DRIVES_RULES_MAX * sizeof(*p->rules));
	p->expectations = policy_keep(r->p, DRIVES_EXPECTATIONS_MAX * sizeof(*p->expectations));
	if (!p->rules || !p->expectations)
		return -ENOMEM;
	r->p->drives = p;
	v = reading_pairs(r, section, "drives", take_key, p);
	v = v ? v : quarantine_check(r, p, p->fallback, (unsigned)((const yaml_node_t *)section)->start_mark.line + 1);
	for (i = 0; i < p->rules_n && !v; i++) {
		v = p->rules[i].as.copy ? copies_check(r, &p->copies, p->rules[i].as.line) : 0;
		v = v ? v : quarantine_check(r, p, p->rules[i].as.action, p->rules[i].as.line);
	}
	return v;
}
