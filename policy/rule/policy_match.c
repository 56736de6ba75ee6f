/*
 * Does a device, a person, a moment fit what a rule or a row asks for? Pure. Called by policy_decide.c for every rule
 * and for the rows that a device can fit.
 */
#include "policy/rule/policy_parts.h"
#include <time.h>

#define MINUTES_OF_DAY 1440

void match_init(struct match *m)
{
	*m = (struct match){.listed = ANY,
		.encrypted = ANY,
		.has_serial = ANY,
		.vendor = ANY,
		.product = ANY,
		.from_min = ANY,
		.to_min = ANY,
		.from_us = INT64_MIN,
		.until_us = INT64_MAX};
}

bool is_pattern(const char *s)
{
	for (; s && *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '*' || *s == '?')
			return true;
	}
	return false;
}

/*
 * "*" for anything, "?" for one byte, a backslash before either for itself: byte by byte, so that the answer is the
 * same under every locale. What stands for itself is never read as a pattern (a device may call itself "****").
 */
bool text_like_span(struct span pattern, struct span s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < s.n) {
		uint8_t c = p < pattern.n ? pattern.p[p] : 0;
		bool quoted = c == '\\' && p + 1 < pattern.n;

		if (c == '*') {
			star = ++p;
			from = i;
		} else if (p < pattern.n && (c == '?' || pattern.p[p + quoted] == s.p[i])) {
			p += 1 + (c != '?' && quoted);
			i++;
		} else if (star != SIZE_MAX) {
			p = star;
			i = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool text_like(const char *pattern, const char *s)
{
	return text_like_span(SPAN_STR(pattern), SPAN_STR(s));
}

bool text_like_any(words list, const char *s)
{
	for (; s && list && *list; list++)
		if (text_like(*list, s))
			return true;
	return false;
}

bool text_like_groups(words list, const char *const *groups)
{
	for (; groups && *groups; groups++)
		if (text_like_any(list, *groups))
			return true;
	return false;
}

/* --- time --- */

static void local_time(int64_t wall_us, struct tm *tm)
{
	time_t t = (time_t)(wall_us / 1000000);

	/* The PC may have been carried to another zone. */
	tzset();
	if (!localtime_r(&t, tm))
		memset(tm, 0, sizeof(*tm));
}

bool match_time(const struct match *m, int64_t wall_us)
{
	struct tm tm;
	int now, day;
	bool over_midnight;

	if (wall_us < m->from_us || wall_us >= m->until_us)
		return false;
	if (!m->days && m->from_min == ANY)
		return true;
	local_time(wall_us, &tm);
	now = tm.tm_hour * 60 + tm.tm_min;
	day = tm.tm_wday;
	over_midnight = m->from_min != ANY && m->from_min >= m->to_min;
	/* The small hours belong to the day on which the shift began. */
	if (over_midnight && now < m->to_min)
		day = (day + 6) % 7;
	if (m->days && !(m->days >> day & 1))
		return false;
	if (m->from_min == ANY)
		return true;
	return over_midnight ? now >= m->from_min || now < m->to_min : now >= m->from_min && now < m->to_min;
}

int64_t match_next_edge(const struct match *m, int64_t wall_us)
{
	int64_t next = INT64_MAX, minute = 60000000, midnight;
	const int edges[] = {m->from_min, m->to_min, MINUTES_OF_DAY};
	struct tm tm;
	size_t i;

	if (wall_us < m->from_us)
		next = m->from_us;
	else if (wall_us < m->until_us)
		next = m->until_us;
	if (!m->days && m->from_min == ANY)
		return next;
	local_time(wall_us, &tm);
	midnight = wall_us - ((int64_t)(tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec) * 1000000;
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		int64_t at = midnight + edges[i] * minute;

		if (edges[i] != ANY && at > wall_us && at < next)
			next = at;
	}
	return next;
}

/* --- fitting --- */

static bool interface_fits(const struct match *m, const struct device *d)
{
	unsigned i, k;

	for (i = 0; i < m->interfaces_n; i++)
		for (k = 0; k < d->interfaces_n; k++)
			if ((m->interface[i].class == ANY || m->interface[i].class == d->interface[k].class) &&
				(m->interface[i].subclass == ANY ||
					m->interface[i].subclass == d->interface[k].subclass) &&
				(m->interface[i].protocol == ANY ||
					m->interface[i].protocol == d->interface[k].protocol))
				return true;
	return false;
}

bool match_device(const struct match *m, const struct device *d)
{
	if ((m->vendor != ANY || m->product != ANY) && !d->usb)
		return false;
	if ((m->vendor != ANY && m->vendor != d->vendor) || (m->product != ANY && m->product != d->product))
		return false;
	if (m->has_serial != ANY && m->has_serial != (d->serial[0] != 0))
		return false;
	/* A pattern for any serial does not stand for none. */
	if (m->serial && (!d->serial[0] || !text_like(m->serial, d->serial)))
		return false;
	if (m->has_fingerprint && (!d->has_fingerprint || !digest_eq(&m->fingerprint, &d->fingerprint)))
		return false;
	if (m->encrypted != ANY && m->encrypted != d->encrypted)
		return false;
	if (m->port && !text_like(m->port, d->port))
		return false;
	return !m->interfaces_n || interface_fits(m, d);
}

bool match_people(const struct match *m, const struct device_user *who)
{
	if (m->users && !text_like_any(m->users, who->user))
		return false;
	if (m->groups && (!who->user || !text_like_groups(m->groups, who->groups)))
		return false;
	return !m->hosts || text_like_any(m->hosts, who->host);
}

bool match_fits(
	const struct match *m, const struct device *d, unsigned kind, const struct device_user *who, bool listed)
{
	if (m->kinds && !(m->kinds >> kind & 1))
		return false;
	if (m->listed != ANY && m->listed != listed)
		return false;
	return match_device(m, d) && match_people(m, who) && match_time(m, who->wall_us);
}
