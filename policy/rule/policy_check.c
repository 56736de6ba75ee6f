/*
 * A policy tries itself: its expectations, whether it locks anybody out, and what is likely a mistake. Called before
 * signing by sekishoctl, and once more by every guard before it obeys.
 */
#include "policy/rule/policy_parts.h"
#include <errno.h>

#define SAID_MAX 256

struct checking {
	const struct policy *p;
	policy_say say;
	void *ctx;
	bool fatal;
};

__attribute__((format(printf, 5, 6))) static void say(
	struct checking *c, bool fatal, const char *file, unsigned line, const char *fmt, ...)
{
	char where[32], text[SAID_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line)
		snprintf(where, sizeof(where), "%s:%u", file, line);
	else
		snprintf(where, sizeof(where), "%s", file);
	c->fatal |= fatal;
	if (c->say)
		c->say(c->ctx, fatal, where, text);
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
	struct decision d;
	unsigned i;

	for (i = 0; i < p->expectations_n; i++) {
		const struct expectation *e = &p->expectations[i];

		policy_decide(p, &e->device, e->kind, &e->who, &d);
		if (d.access != e->access)
			say(c, true, "policy.yaml", e->line, "%s: %s was expected, %s decides %s (%s)",
				e->name[0] ? e->name : "expectation", access_text(e->access), d.rule,
				access_text(d.access), d.reason);
	}
}

/* --- being locked out --- */

static bool is_specific(const struct match *m)
{
	return m->vendor != ANY || (m->serial && !is_pattern(m->serial)) || m->has_fingerprint ||
	       (m->port && !is_pattern(m->port));
}

static bool speaks_of_input(const struct match *m)
{
	const uint64_t input = 1ull << DEVICE_KIND_HID | 1ull << DEVICE_KIND_HUB;

	return !m->kinds || m->kinds & input;
}

static void check_lockout(struct checking *c)
{
	const struct policy *p = c->p;
	unsigned i;

	if (p->lockout || p->note)
		return;
	if (p->defaults[DEVICE_KIND_HID] == ACCESS_DENY || p->defaults[DEVICE_KIND_HUB] == ACCESS_DENY)
		say(c, true, "policy.yaml", 0,
			"defaults: keyboards, mice or hubs would be denied: nobody could use a PC any more (lockout: "
			"yes, "
			"where that is meant)");
	for (i = 0; i < p->rules_n; i++) {
		const struct rule *r = &p->rules[i];

		if (r->access == ACCESS_DENY && !r->note && !is_specific(&r->match) && speaks_of_input(&r->match))
			say(c, true, "policy.yaml", r->line,
				"rule %s: would deny keyboards and mice as well: name kinds (lockout: yes, where that "
				"is "
				"meant)",
				r->name);
	}
	for (i = 0; i < p->rows_n; i++) {
		const struct match *m = &p->rows[i].match;

		if (p->rows[i].as.access == ACCESS_DENY && !is_specific(m))
			say(c, true, "devices.csv", p->rows[i].as.line,
				"denies keyboards and mice with a serial number as well: name a vendor (lockout: yes "
				"in "
				"policy.yaml, where that is meant)");
	}
}

/* --- what is likely a mistake --- */

static bool asks_nothing(const struct match *m)
{
	return !m->kinds && m->listed == ANY && m->encrypted == ANY && m->has_serial == ANY && !is_specific(m) &&
	       m->product == ANY && !m->interfaces_n && !m->users && !m->groups && !m->hosts && !m->days &&
	       m->from_min == ANY && m->from_us == INT64_MIN && m->until_us == INT64_MAX;
}

static void check_rules(struct checking *c)
{
	const struct policy *p = c->p;
	unsigned i;

	for (i = 0; i + 1 < p->rules_n; i++)
		if (asks_nothing(&p->rules[i].match) && p->rules[i].access != ACCESS_LISTED)
			say(c, false, "policy.yaml", p->rules[i + 1].line,
				"rule %s is never reached: %s before it fits everything", p->rules[i + 1].name,
				p->rules[i].name);
	for (i = 0; i < p->rules_n; i++) {
		const struct match *m = &p->rules[i].match;

		if (p->rules[i].access == ACCESS_READ_WRITE && m->port && m->vendor == ANY && !m->serial)
			say(c, false, "policy.yaml", p->rules[i].line,
				"rule %s grants by the port alone: whatever is plugged in there", p->rules[i].name);
		if (p->rules[i].access == ACCESS_READ_WRITE && m->vendor != ANY && !m->serial && !m->has_fingerprint &&
			(!m->kinds || m->kinds & 1ull << DEVICE_KIND_STORAGE))
			say(c, false, "policy.yaml", p->rules[i].line,
				"rule %s grants by vendor and product alone: every drive of that model",
				p->rules[i].name);
	}
}

static void check_rows(struct checking *c)
{
	const struct policy *p = c->p;
	unsigned i;
	int k;

	for (i = 0; i < p->rows_n; i++) {
		const struct row *row = &p->rows[i];

		if (row->as.access == ACCESS_READ_WRITE && !row->match.serial && !row->match.has_fingerprint &&
			!row->media)
			say(c, false, "devices.csv", row->as.line,
				"read-write by vendor and product alone: every drive of that model");
		if (row->as.access == ACCESS_READ_WRITE && is_pattern(row->match.serial))
			say(c, false, "devices.csv", row->as.line,
				"read-write for every serial number that fits a pattern");
		if (row->as.access == ACCESS_READ_WRITE && row->match.serial && !is_pattern(row->match.serial) &&
			strlen(row->match.serial) < 8 && !row->match.has_fingerprint)
			say(c, false, "devices.csv", row->as.line,
				"a serial number of %zu characters is hardly one of its own",
				strlen(row->match.serial));
		for (k = row->next; k >= 0; k = p->rows[k].next)
			if (p->rows[k].match.vendor == row->match.vendor &&
				p->rows[k].match.product == row->match.product && row->match.serial &&
				p->rows[k].match.serial && !strcmp(p->rows[k].match.serial, row->match.serial) &&
				p->rows[k].as.access != row->as.access)
				say(c, false, "devices.csv", row->as.line,
					"the same device as in line %u, with another access: the stricter one counts",
					p->rows[k].as.line);
	}
}

int policy_check(const struct policy *p, policy_say fn, void *ctx)
{
	struct checking c = {.p = p, .say = fn, .ctx = ctx};

	check_expectations(&c);
	check_lockout(&c);
	check_rules(&c);
	check_rows(&c);
	return c.fatal ? V_BAD : 0;
}
