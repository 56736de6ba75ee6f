/*
 * The section `print:` of policy.yaml, read. See print.h for what it means and reading.h for how values are read.
 */
#include "policy/rule/print_parts.h"
#include "policy/rule/reading.h"
#include "policy/trust/envelope.h"
#include <errno.h>

#define COPIES_MIB 1024u /* kept where the policy does not say how many */
#define COPIES_MIB_MAX (1u << 20)

static int take_action(struct reading *r, const yaml_node_t *n, const char *key, bool all, unsigned *out)
{
	const char *s = reading_text_of(r, n, key);
	const struct enum_info *e = s ? enum_by_name(F_ACTION, s) : NULL;

	if (!s)
		return V_BAD;
	if (!e || e->value > ACTION_DENY || (!all && e->value != ACTION_ALLOW && e->value != ACTION_HOLD))
		return reading_bad_value(r, n, key, s,
			all ? SAID("allow, note, hold or deny", "allow、note、hold、deny のいずれか")
			    : SAID("allow or hold", "allow または hold"));
	*out = (unsigned)e->value;
	return 0;
}

static int take_yes(struct reading *r, const yaml_node_t *n, const char *key, int *out)
{
	int yes = 0, v = reading_yes(r, n, key, &yes);

	*out = v ? 0 : yes;
	return v;
}

static int take_match(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	static const char *const of_people[] = {"users", "groups", "hosts", "days", "hours", "from", "until"};
	struct print_match *m = ctx;
	int yes, v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(of_people); i++)
		if (!strcmp(key, of_people[i]))
			return policy_read_match(r, &m->who, key, n);
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
	if (!strcmp(key, "pages_over")) {
		m->has_pages_over = true;
		return reading_number(r, n, key, 0, 1000000, &m->pages_over);
	}
	if (!strcmp(key, "colour")) {
		v = take_yes(r, n, key, &yes);
		m->colour = yes ? COLOUR_COLOUR : COLOUR_MONO;
		return v;
	}
	return content_read(r, &m->content, &r->p->print->patterns, key, n);
}

static int take_rule_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_rule *rule = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, rule->name);
	if (!strcmp(key, "match"))
		return reading_pairs(r, n, key, take_match, &rule->match);
	if (!strcmp(key, "mode"))
		return reading_mode(r, n, key, &rule->note);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, true, &rule->action);
	if (!strcmp(key, "copy"))
		return content_read_flag(r, n, key, &rule->copy);
	if (!strcmp(key, "stamp"))
		return content_read_flag(r, n, key, &rule->stamp);
	if (!strcmp(key, "message"))
		return content_read_message(r, n, key, &rule->message);
	if (!strcmp(key, "message_ja"))
		return content_read_message(r, n, key, &rule->message_ja);
	return V_NOT_FOUND;
}

static int take_rule(struct reading *r, const yaml_node_t *n)
{
	struct print_policy *p = r->p->print;
	struct print_rule *rule;
	unsigned i;
	int v;

	if (p->rules_n == PRINT_RULES_MAX)
		return reading_bad(r, n, "print: rules", SAID("too many", "多すぎます"));
	rule = &p->rules[p->rules_n];
	*rule = (struct print_rule){.line = (unsigned)n->start_mark.line + 1};
	match_init(&rule->match.who);
	v = reading_pairs(r, n, "print: rules", take_rule_key, rule);
	if (v)
		return v;
	if (!rule->name[0] || !rule->action)
		return reading_bad(r, n, "print: rules",
			SAID("a rule needs name and action", "規則には name と action が必要です"));
	for (i = 0; i < p->rules_n; i++)
		if (!strcmp(p->rules[i].name, rule->name))
			return reading_bad(
				r, n, "name", SAID("another rule has this name", "同じ名前の規則があります"));
	p->rules_n++;
	return 0;
}

/* --- expectations --- */

static int take_job_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_expectation *e = ctx;
	struct print_facts *f = &e->facts;
	uint64_t number = 0;
	int yes, v;
	size_t i;

	if (!strcmp(key, "user"))
		return reading_text(r, n, key, &f->who.user);
	if (!strcmp(key, "groups"))
		return reading_words(r, n, key, &e->groups);
	if (!strcmp(key, "host"))
		return reading_text(r, n, key, &f->who.host);
	if (!strcmp(key, "at"))
		return reading_time(r, n, key, &f->who.wall_us);
	if (!strcmp(key, "printer"))
		return reading_text(r, n, key, &f->printer);
	if (!strcmp(key, "uri"))
		return reading_text(r, n, key, &f->uri);
	if (!strcmp(key, "location"))
		return reading_text(r, n, key, &f->location);
	if (!strcmp(key, "format"))
		return reading_text(r, n, key, &f->format);
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
	for (i = 0; i < NUMBERS; i++)
		if (!strcmp(key, print_number_word((enum print_number)i)))
			return reading_number(r, n, key, 0, 1000000, &f->numbers[i]);
	if (!strcmp(key, "colour")) {
		v = take_yes(r, n, key, &yes);
		f->colour = yes ? COLOUR_COLOUR : COLOUR_MONO;
		return v;
	}
	if (!strcmp(key, "unreadable")) {
		v = take_yes(r, n, key, &yes);
		f->readable = !yes;
		return v;
	}
	return V_NOT_FOUND;
}

static int take_expectation_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_expectation *e = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, e->name);
	if (!strcmp(key, "job"))
		return reading_pairs(r, n, key, take_job_key, e);
	if (!strcmp(key, "action"))
		return take_action(r, n, key, true, &e->action);
	return V_NOT_FOUND;
}

static int take_expectation(struct reading *r, const yaml_node_t *n)
{
	static const char *const nobody[] = {NULL};
	struct print_policy *p = r->p->print;
	struct print_expectation *e;
	int v;

	if (p->expectations_n == PRINT_EXPECTATIONS_MAX)
		return reading_bad(r, n, "print: expectations", SAID("too many", "多すぎます"));
	e = &p->expectations[p->expectations_n];
	*e = (struct print_expectation){.line = (unsigned)n->start_mark.line + 1,
		.facts = {.who = {.host = ""},
			.printer = "",
			.printer_class = "",
			.uri = "",
			.location = "",
			.title = "",
			.title_raw = "",
			.format = "",
			.copies = 1,
			.readable = true}};
	v = reading_pairs(r, n, "print: expectations", take_expectation_key, e);
	if (v)
		return v;
	if (!e->action)
		return reading_bad(r, n, "print: expectations",
			SAID("an expectation needs action", "expectation には action が必要です"));
	e->facts.who.groups = e->groups ? e->groups : nobody;
	p->expectations_n++;
	return 0;
}

/* --- copies for auditors --- */

static int take_certificates(
	struct reading *r, const yaml_node_t *n, const char *key, struct span *out, struct digest *hash)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *readers = NULL;
	struct why why = {""};
	const char *pem;
	int v = reading_text(r, n, key, &pem);

	if (v)
		return v;
	v = envelope_readers_read(SPAN_STR(pem), &readers, &why);
	if (v)
		return v < 0 ? v : reading_bad(r, n, key, SAID(why.text, why_ja(&why)));
	*out = SPAN_STR(pem);
	digest_span(hash, *out);
	return 0;
}

static int take_when_full(struct reading *r, const yaml_node_t *n, const char *key, bool *oldest_goes)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	*oldest_goes = !strcmp(s, "drop-oldest");
	return *oldest_goes || !strcmp(s, "stop")
		       ? 0
		       : reading_bad_value(r, n, key, s, SAID("drop-oldest or stop", "drop-oldest または stop"));
}

static int take_copies_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct print_policy *p = ctx;
	uint64_t number = 0;
	int v;

	if (!strcmp(key, "auditors"))
		return take_certificates(r, n, key, &p->copies.auditors, &p->auditors);
	if (!strcmp(key, "second_auditors"))
		return take_certificates(r, n, key, &p->copies.second, &p->second);
	if (!strcmp(key, "when_full"))
		return take_when_full(r, n, key, &p->copies.oldest_goes);
	if (strcmp(key, "max_mib") != 0)
		return V_NOT_FOUND;
	v = reading_number(r, n, key, 1, COPIES_MIB_MAX, &number);
	p->copies.max_bytes = number << 20;
	return v;
}

/* Both were read once already, so that they can be read again. */
static bool one_is_both(const struct print_copies *c)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *first = NULL, *second = NULL;

	return !envelope_readers_read(c->auditors, &first, NULL) && !envelope_readers_read(c->second, &second, NULL) &&
	       envelope_readers_meet(first, second);
}

static int take_copies(struct reading *r, const yaml_node_t *n, const char *key, struct print_policy *p)
{
	int v = reading_pairs(r, n, key, take_copies_key, p);

	if (v)
		return v;
	if (!p->copies.auditors.n)
		return reading_bad(r, n, key,
			SAID("auditors are missing: who could open them?", "auditors がありません (誰も開けません)"));
	if (p->copies.second.n && one_is_both(&p->copies))
		return reading_bad(r, n, key,
			SAID("one key is among auditors and second_auditors: one person could open a copy alone",
				"auditors と second_auditors に同じ鍵があります (一人で開けてしまいます)"));
	return 0;
}

/* A copy that nobody can open is none. */
static int check_copies(struct reading *r, const struct print_policy *p)
{
	unsigned i;

	for (i = 0; i < p->rules_n; i++)
		if (p->rules[i].copy && !p->copies.auditors.n)
			return why_set(r->why, V_BAD, READING_NAME ":%u: copy: the section `copies:` is missing",
				p->rules[i].line);
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
		return take_copies(r, n, key, p);
	if (!strcmp(key, "rules"))
		return reading_nodes(r, n, key, take_rule);
	if (!strcmp(key, "expectations"))
		return reading_nodes(r, n, key, take_expectation);
	return V_NOT_FOUND;
}

int policy_read_print(struct reading *r, const void *section)
{
	struct print_policy *p = policy_keep(r->p, sizeof(*p));
	int v;

	if (!p)
		return -ENOMEM;
	*p = (struct print_policy){.fallback = ACTION_ALLOW,
		.unavailable = ACTION_ALLOW,
		.unrecorded = ACTION_ALLOW,
		.unstamped = ACTION_ALLOW,
		.copies = {.max_bytes = (uint64_t)COPIES_MIB << 20, .oldest_goes = true}};
	p->rules = policy_keep(r->p, PRINT_RULES_MAX * sizeof(*p->rules));
	p->expectations = policy_keep(r->p, PRINT_EXPECTATIONS_MAX * sizeof(*p->expectations));
	if (!p->rules || !p->expectations)
		return -ENOMEM;
	r->p->print = p;
	v = reading_pairs(r, section, "print", take_key, p);
	return v ? v : check_copies(r, p);
}
