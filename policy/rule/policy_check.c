/*
 * A policy tries itself: its expectations, and whether it locks anybody out. Both refuse it: at sekishoctl before it is
 * signed, and once more at every guard before it obeys. Copies that one person opens alone refuse it before it is
 * signed only: PCs go on with what was signed before. What is likely a mistake is told (policy_check_rules.c,
 * policy_check_rows.c).
 */
#include "policy/rule/check_parts.h"
#include "policy/rule/drives_parts.h"
#include "policy/rule/print_parts.h"
#include "policy/rule/protected_parts.h"
#include <errno.h>

void checking_say(struct checking *c, const struct policy_finding *f)
{
	c->fatal |= f->fatal;
	if (c->say)
		c->say(c->ctx, f);
}

const char *checking_action(unsigned action)
{
	const struct enum_info *e = enum_by_value(F_ACTION, action);

	return e ? e->name : "nothing";
}

bool check_documents(struct checking *c, words documents, uint8_t known[KNOWN_MAX], unsigned line)
{
	const char *name;

	if (content_expect(c->p, documents, known, &name))
		return true;
	FOUND(c, true, "expectation", IN_YAML, line, "documents: \"%s\" is no document of the policy",
		"documents: 「%s」という文書はポリシーにありません", name);
	return false;
}

static const char *access_text(unsigned access)
{
	const struct enum_info *e = enum_by_value(F_ACCESS, access);

	return e ? e->name : "nothing";
}

/* --- expectations --- */

static void check_expectations(struct checking *c)
{
	const struct policy *p = c->p;
	char reason_ja[POLICY_REASON_SIZE];
	struct decision d;
	unsigned i;

	for (i = 0; i < p->expectations_n; i++) {
		const struct expectation *e = &p->expectations[i];

		policy_decide(p, &e->device, e->kind, &e->who, &d);
		policy_reason(&d, LANG_JA, reason_ja);
		if (d.access != e->access)
			FOUND(c, true, "expectation", IN_YAML, e->line,
				"%1$s: %2$s was expected, %3$s decides %4$s (%5$s)%6$.0s",
				"%1$s: 期待は %2$s ですが、%3$s により %4$s になります(%6$s)%5$.0s",
				e->name[0] ? e->name : "expectation", access_text(e->access), d.rule,
				access_text(d.access), d.reason, reason_ja);
	}
}

/* --- being locked out --- */

static const unsigned input_kinds[] = {DEVICE_KIND_HID, DEVICE_KIND_HUB};

bool match_is_specific(const struct match *m)
{
	return (m->vendor != ANY && m->product != ANY) || (m->serial && !is_pattern(m->serial)) || m->has_fingerprint ||
	       (m->port && !is_pattern(m->port));
}

/* A rule that asks for kinds and for nothing else. */
static bool asks_kinds_only(const struct match *m)
{
	struct match any, kinds = *m;

	match_init(&any);
	kinds.kinds = 0;
	return match_covers(&kinds, &any);
}

/* A rule before this one lets everything of the kind through, whoever is there, at any time. */
static bool let_through(const struct policy *p, unsigned before, unsigned kind)
{
	unsigned i;

	for (i = 0; i < before; i++) {
		const struct rule *r = &p->rules[i];

		if (r->access != ACCESS_DENY && r->access != ACCESS_LISTED && asks_kinds_only(&r->match) &&
			(!r->match.kinds || r->match.kinds >> kind & 1))
			return true;
	}
	return false;
}

static bool keeps_input_out(const struct policy *p, unsigned before, uint64_t kinds)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(input_kinds); i++)
		if ((!kinds || kinds >> input_kinds[i] & 1) && !let_through(p, before, input_kinds[i]))
			return true;
	return false;
}

static void check_lockout(struct checking *c)
{
	const struct policy *p = c->p;
	unsigned i;

	if (p->lockout || p->note)
		return;
	for (i = 0; i < ARRAY_SIZE(input_kinds); i++)
		if (p->defaults[input_kinds[i]] == ACCESS_DENY && !let_through(p, p->rules_n, input_kinds[i]))
			FOUND(c, true, "lockout", IN_YAML, 0,
				"defaults: %s: deny: keyboards, mice or hubs would be denied: nobody could use a PC "
				"any more (lockout: yes, where that is meant)",
				"defaults: %s: deny: キーボード・マウス・ハブが使用不可になり、PC "
				"を操作できなくなります"
				"(意図したものなら lockout: yes と書いてください)",
				enum_by_value(F_DEVICE_KIND, input_kinds[i])->name);
	for (i = 0; i < p->rules_n; i++) {
		const struct rule *r = &p->rules[i];

		if (r->access == ACCESS_DENY && !r->note && !match_is_specific(&r->match) &&
			keeps_input_out(p, i, r->match.kinds))
			FOUND(c, true, "lockout", IN_YAML, r->line,
				"rule %s: would deny keyboards and mice as well: name kinds (lockout: yes, where that "
				"is meant)",
				"規則 %s: キーボードやマウスも使用不可になります。kind で種類を指定してください"
				"(意図したものなら lockout: yes と書いてください)",
				r->name);
	}
	for (i = 0; i < p->rows_n; i++) {
		const struct row *row = &p->rows[i];

		if (row->as.access == ACCESS_DENY && !match_is_specific(&row->match) &&
			keeps_input_out(p, p->rules_n, 0))
			FOUND(c, true, "lockout", IN_CSV, row->as.line,
				"denies keyboards and mice that it fits as well: name a product, or write a rule with "
				"kind: storage (lockout: yes in policy.yaml, where that is meant)",
				"該当するキーボードやマウスも使用不可になります。product も記入するか、policy.yaml に "
				"kind: storage の規則を書いてください(意図したものなら lockout: yes)");
	}
}

static void try_all(struct checking *c)
{
	check_expectations(c);
	check_print_expectations(c);
	check_drive_expectations(c);
	check_area_expectations(c);
	check_lockout(c);
	check_areas_lockout(c);
}

int policy_try(const struct policy *p, policy_say fn, void *ctx)
{
	struct checking c = {.p = p, .say = fn, .ctx = ctx};

	try_all(&c);
	return c.fatal ? V_BAD : 0;
}

int policy_check(const struct policy *p, int64_t now_us, policy_say fn, void *ctx)
{
	struct checking c = {.p = p, .now_us = now_us, .say = fn, .ctx = ctx};
	int r;

	try_all(&c);
	check_rules(&c);
	check_print_rules(&c);
	check_drive_rules(&c);
	check_areas(&c);
	r = check_rows(&c);
	return r ? r : c.fatal ? V_BAD : 0;
}
