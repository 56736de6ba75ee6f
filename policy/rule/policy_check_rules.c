/*
 * Rules of policy.yaml that are likely a mistake: that never fit, that another one hides, that grant to whatever comes.
 * Called by policy_check; nothing here refuses a policy.
 */
#include "policy/base/text.h"
#include "policy/rule/check_parts.h"

/* The first rule before `i` that takes whatever it could take. */
static const struct rule *hider_of(const struct policy *p, unsigned i)
{
	unsigned k;

	for (k = 0; k < i; k++)
		/* One that gives what the ledger says passes on what has no row. */
		if ((p->rules[k].access != ACCESS_LISTED || p->rules[i].access == ACCESS_LISTED) &&
			match_covers(&p->rules[k].match, &p->rules[i].match))
			return &p->rules[k];
	return NULL;
}

static bool fits_never(const struct policy *p, const struct rule *r)
{
	const struct match *m = &r->match;
	bool listed = m->listed == 1 || (r->access == ACCESS_LISTED && m->listed != 0);

	return (m->listed == 0 && r->access == ACCESS_LISTED) || (listed && !p->rows_n) || m->from_us >= m->until_us ||
	       (m->serial && m->has_serial == 0);
}

static void check_reach(struct checking *c, unsigned i)
{
	const struct rule *r = &c->p->rules[i], *hider = hider_of(c->p, i);
	char until[TEXT_TIME_SIZE];

	if (hider)
		FOUND(c, false, "hidden", IN_YAML, r->line,
			"rule %s is never reached: %s (line %u) before it takes all that it fits",
			"規則 %s は適用されません。手前の規則 %s(%u 行)がすべてに先に該当します", r->name, hider->name,
			hider->line);
	else if (fits_never(c->p, r))
		FOUND(c, false, "never", IN_YAML, r->line, "rule %s fits nothing: what it asks for cannot be",
			"規則 %s に該当するものはありません(条件が矛盾しているか、台帳が空です)", r->name);
	else if (r->match.until_us <= c->now_us)
		FOUND(c, false, "expired", IN_YAML, r->line, "rule %s has ended (%s)", "規則 %s は期限切れです(%s)",
			r->name, text_time_local(until, r->match.until_us));
}

static void check_grant(struct checking *c, const struct rule *r)
{
	const struct match *m = &r->match;
	bool drives = !m->kinds || m->kinds >> DEVICE_KIND_STORAGE & 1;
	bool one = m->serial || m->has_fingerprint;

	if (r->access != ACCESS_READ_WRITE || !drives || one)
		return;
	if (m->port && m->vendor == ANY)
		FOUND(c, false, "by-port", IN_YAML, r->line,
			"rule %s grants by the port alone: whatever is plugged in there",
			"規則 %s は接続口だけで許可します。そこに挿せば何でも許可されます", r->name);
	else if (m->vendor != ANY)
		FOUND(c, false, "by-model", IN_YAML, r->line,
			"rule %s grants by vendor and product alone: every drive of that model",
			"規則 %s はベンダーと製品だけで許可します。同型機はすべて許可されます", r->name);
}

void check_rules(struct checking *c)
{
	unsigned i;

	for (i = 0; i < c->p->rules_n; i++) {
		check_reach(c, i);
		check_grant(c, &c->p->rules[i]);
	}
}
