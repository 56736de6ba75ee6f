/*
 * `key = value` files. See conf.h.
 */
#include "policy/base/conf.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>

#define CONF_FILE_MAX (256u << 10)
#define CONF_KEYS_MAX 64

/* A number with one of the unit suffixes; "" is the unit without a suffix. */
struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"", 1}, {"K", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}, {"T", 1ull << 40}, {NULL, 0}};
static const struct unit time_units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"min", 60000000},
	{"h", 3600000000ull}, {"d", 86400000000ull}, {NULL, 0}};
/* No "m": that is a minute elsewhere, and too little for evidence. */
static const struct unit month_units[] = {
	{"months", 1}, {"month", 1}, {"y", 12}, {"years", 12}, {"year", 12}, {NULL, 0}};
static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};

static int number(const char *s, const struct unit *units, uint64_t *out)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return V_BAD;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return V_BAD;
	while (*end == ' ')
		end++;
	for (; units->suffix; units++) {
		if (strcmp(end, units->suffix))
			continue;
		return __builtin_mul_overflow(v, units->factor, out) ? V_BAD : 0;
	}
	return V_BAD;
}

static int set(const struct conf_key *k, const char *value, void *into, const char *at, struct why *why)
{
	char shown[64];
	char *field = (char *)into + k->offset;
	uint64_t v;
	int bad = 0;

	text_escape_to(shown, sizeof(shown), SPAN_STR(value));
	switch (k->type) {
	case CONF_STR:
		if (strlen(value) >= k->size)
			return why_set(why, V_BAD, "%s: %s: longer than %zu bytes", at, k->name, k->size - 1);
		memcpy(field, value, strlen(value) + 1);
		return 0;
	case CONF_BOOL:
		if (strcmp(value, "yes") && strcmp(value, "no"))
			return why_set(why, V_BAD, "%s: %s: \"%s\" is neither yes nor no", at, k->name, shown);
		*(bool *)field = value[0] == 'y';
		return 0;
	case CONF_UINT:
		bad = number(value, plain_units, &v);
		break;
	case CONF_SIZE:
		bad = number(value, size_units, &v);
		break;
	case CONF_TIME:
		bad = number(value, time_units, &v);
		break;
	case CONF_MONTHS:
		if (!strcmp(value, "forever")) {
			*(uint64_t *)(void *)field = CONF_FOREVER;
			return 0;
		}
		bad = number(value, month_units, &v);
		break;
	}
	if (bad)
		return why_set(why, V_BAD, "%s: %s: \"%s\" is not %s", at, k->name, shown,
			k->type == CONF_TIME     ? "a time such as 15s, 20m or 24h"
			: k->type == CONF_MONTHS ? "a period such as 36 months, 7y or forever"
			: k->type == CONF_SIZE   ? "a size such as 512K, 64M or 2G"
						 : "a number");
	if (v < k->min || v > k->max)
		return why_set(why, V_BAD, "%s: %s: \"%s\" is outside of what is allowed (%llu to %llu%s)", at, k->name,
			shown, (unsigned long long)k->min, (unsigned long long)k->max,
			k->type == CONF_TIME     ? " us"
			: k->type == CONF_MONTHS ? " months"
						 : "");
	*(uint64_t *)(void *)field = v;
	return 0;
}

static char *trim(char *s)
{
	char *end;

	while (*s == ' ' || *s == '\t')
		s++;
	end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		*--end = 0;
	return s;
}

static int read_text(const char *path, struct buf *b, struct why *why)
{
	int r = file_read(path, b);

	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file", path);
	if (r == V_FULL)
		return why_set(why, V_BAD, "%s: larger than %u bytes", path, CONF_FILE_MAX);
	if (r)
		return r;
	if (memchr(b->p ? b->p : (uint8_t *)"", 0, b->n))
		return why_set(why, V_BAD, "%s: holds a NUL byte", path);
	return buf_str(b) ? 0 : why_set(why, V_BAD, "%s: larger than %u bytes", path, CONF_FILE_MAX);
}

/* The line at `at`, without what is around it; empty for a comment. *next: where the next one begins, or NULL. */
static char *take_line(char *at, char **next)
{
	char *s;

	*next = strchr(at, '\n');
	if (*next)
		*(*next)++ = 0;
	s = trim(at);
	return *s == '#' ? s + strlen(s) : s;
}

/* What begins at `s` in the line that begins at `at`, by file, line and column; in bytes, from 1. */
static const char *where_is(char out[256], const char *path, unsigned line, const char *at, const char *s)
{
	snprintf(out, 256, "%s:%u:%u", path, line, (unsigned)(s - at) + 1);
	return out;
}

int conf_find(const char *path, const char *key, char *out, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONF_FILE_MAX);
	char *at, *next, *s, *eq;
	int r = read_text(path, &b, NULL);

	if (r)
		return r;
	for (at = (char *)b.p; at && *at; at = next) {
		s = take_line(at, &next);
		eq = strchr(s, '=');
		if (!eq)
			continue;
		*eq = 0;
		if (!strcmp(trim(s), key))
			return (size_t)snprintf(out, size, "%s", trim(eq + 1)) < size ? 0 : V_BAD;
	}
	return V_NOT_FOUND;
}

int conf_load(const char *path, const struct conf_key *keys, void *into, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONF_FILE_MAX);
	uint64_t seen = 0;
	unsigned line = 0;
	char *at, *next;
	int r = read_text(path, &b, why);

	if (r)
		return r;
	for (at = (char *)b.p; at && *at; at = next) {
		char where[256], name[64];
		const struct conf_key *k;
		char *eq, *s, *value;

		line++;
		s = take_line(at, &next);
		if (!*s)
			continue;
		where_is(where, path, line, at, s);
		eq = strchr(s, '=');
		if (!eq)
			return why_set(why, V_BAD, "%s: no \"=\" (a line is: key = value)", where);
		*eq = 0;
		s = trim(s);
		for (k = keys; k->name && strcmp(k->name, s); k++)
			;
		if (!k->name)
			return why_set(why, V_BAD, "%s: unknown key \"%s\"", where,
				text_escape_to(name, sizeof(name), SPAN_STR(s)));
		if (k - keys < CONF_KEYS_MAX) {
			if (seen >> (k - keys) & 1)
				return why_set(why, V_BAD, "%s: %s: given twice", where, k->name);
			seen |= 1ull << (k - keys);
		}
		value = trim(eq + 1);
		r = set(k, value, into, where_is(where, path, line, at, value), why);
		if (r)
			return r;
	}
	return 0;
}
