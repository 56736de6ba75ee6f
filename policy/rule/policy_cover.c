/*
 * Does one match fit whatever another one fits? Asked by policy_check.c to tell rules and rows that can never count.
 * Where it cannot be said by looking, the answer is no: nothing is told that is not so.
 */
#include "policy/rule/policy_parts.h"

static bool covers_number(int a, int b)
{
	return a == ANY || a == b;
}

static bool covers_text(const char *a, const char *b)
{
	if (!a || !b)
		return !a;
	if (!strcmp(a, b))
		return true;
	/* What stands for one text only can be tried. */
	return !strpbrk(b, "*?\\") && text_like(a, b);
}

static bool covers_words(words a, words b)
{
	words w;

	if (!a || !b)
		return !a;
	for (; *b; b++) {
		for (w = a; *w && !covers_text(*w, *b); w++)
			;
		if (!*w)
			return false;
	}
	return true;
}

static bool covers_interfaces(const struct match *a, const struct match *b)
{
	unsigned i, k;

	if (!a->interfaces_n || !b->interfaces_n)
		return !a->interfaces_n;
	for (i = 0; i < b->interfaces_n; i++) {
		for (k = 0; k < a->interfaces_n; k++)
			if (covers_number(a->interface[k].class, b->interface[i].class) &&
				covers_number(a->interface[k].subclass, b->interface[i].subclass) &&
				covers_number(a->interface[k].protocol, b->interface[i].protocol))
				break;
		if (k == a->interfaces_n)
			return false;
	}
	return true;
}

static bool covers_device(const struct match *a, const struct match *b)
{
	if (a->kinds && (!b->kinds || b->kinds & ~a->kinds))
		return false;
	if (!covers_number(a->listed, b->listed) || !covers_number(a->encrypted, b->encrypted))
		return false;
	if (!covers_number(a->has_serial, b->serial ? 1 : b->has_serial))
		return false;
	if (!covers_number(a->vendor, b->vendor) || !covers_number(a->product, b->product))
		return false;
	if (a->has_fingerprint && (!b->has_fingerprint || !digest_eq(&a->fingerprint, &b->fingerprint)))
		return false;
	return covers_text(a->serial, b->serial) && covers_text(a->port, b->port) && covers_interfaces(a, b);
}

static bool covers_time(const struct match *a, const struct match *b)
{
	bool over_midnight = b->from_min != ANY && b->from_min >= b->to_min;

	if (a->from_us > b->from_us || a->until_us < b->until_us)
		return false;
	if (a->days && (!b->days || b->days & ~a->days))
		return false;
	/* The small hours of a shift belong to the day before: only a shift like it says so too. */
	if (a->days && over_midnight && a->from_min == ANY)
		return false;
	if (a->from_min == ANY || (a->from_min == b->from_min && a->to_min == b->to_min))
		return true;
	return b->from_min != ANY && !over_midnight && a->from_min < a->to_min && a->from_min <= b->from_min &&
	       b->to_min <= a->to_min;
}

bool match_covers(const struct match *a, const struct match *b)
{
	return covers_device(a, b) && covers_words(a->users, b->users) && covers_words(a->groups, b->groups) &&
	       covers_words(a->hosts, b->hosts) && covers_time(a, b);
}

bool match_apart(const struct match *a, const struct match *b)
{
	if (a->kinds && b->kinds && !(a->kinds & b->kinds))
		return true;
	if (a->listed != ANY && b->listed != ANY && a->listed != b->listed)
		return true;
	return (a->vendor != ANY && b->vendor != ANY && a->vendor != b->vendor) ||
	       (a->product != ANY && b->product != ANY && a->product != b->product);
}
