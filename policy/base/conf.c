/*
 * `key = value` files. See conf.h.
 */
#include "policy/base/conf.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>

#define CONF_FILE_MAX (256u << 10)

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

/* --- sections --- */

bool conf_is_header(const char *line, const char *section, bool *this_one)
{
	const char *name = line + strspn(line, " \t");
	size_t n = strlen(section);

	if (*name != '[')
		return false;
	name += 1 + strspn(name + 1, " \t");
	*this_one = !strncmp(name, section, n) && name[n + strspn(name + n, " \t")] == ']';
	return true;
}

static bool has_header(const char *at)
{
	bool any;

	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (conf_is_header(at, "", &any))
			return true;
	}
	return false;
}

/* Which of the part's sections `name` is; -1: none. */
static int section_of(const struct conf_part *part, const char *name)
{
	int i;

	for (i = 0; part->all[i]; i++)
		if (!strcmp(part->all[i], name))
			return i;
	return -1;
}

/* Where one stands in a file, line by line. */
struct reading {
	const char *path;
	const struct conf_part *part; /* NULL: no header may be there */
	bool whole;                   /* all of it is the part */
	int section;
	uint32_t seen; /* sections whose headers came */
	unsigned line;
};

static void begin(struct reading *x, const char *path, const struct conf_part *part, const struct buf *text)
{
	*x = (struct reading){.path = path, .part = part};
	x->whole = !part || (part->own && !has_header((const char *)text->p));
}

static bool is_ours(const struct reading *x)
{
	return x->whole || !strcmp(x->part->all[x->section], x->part->section);
}

/* `s`: "[name]", in the line that begins at `at`. */
static int take_header(struct reading *x, const char *at, char *s, struct why *why)
{
	char where[256], shown[64];
	char *end = s + strlen(s) - 1, *name;
	int i;

	where_is(where, x->path, x->line, at, s);
	if (!x->part)
		return why_set(why, V_BAD, "%s: this file has no sections", where);
	if (*end != ']')
		return why_set(why, V_BAD, "%s: no \"]\" at the end (a section is: [name])", where);
	*end = 0;
	name = trim(s + 1);
	i = section_of(x->part, name);
	if (i < 0 || i >= CONF_SECTIONS_MAX)
		return why_set(why, V_BAD, "%s: unknown section \"%s\"", where_is(where, x->path, x->line, at, name),
			text_escape_to(shown, sizeof(shown), SPAN_STR(name)));
	if (x->seen >> i & 1)
		return why_set(why, V_BAD, "%s: section %s: given twice", where, name);
	x->seen |= 1u << i;
	x->section = i;
	return 0;
}

/* --- keys --- */

int conf_find(const char *path, const struct conf_part *part, const char *key, char *out, size_t size, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONF_FILE_MAX);
	char where[256];
	struct reading x;
	char *at, *next, *s, *eq, *value;
	int r = read_text(path, &b, why);

	if (r)
		return r;
	begin(&x, path, part, &b);
	for (at = (char *)b.p; !r && at && *at; at = next) {
		x.line++;
		s = take_line(at, &next);
		if (*s == '[') {
			r = part ? take_header(&x, at, s, why) : 0;
			continue;
		}
		eq = strchr(s, '=');
		if (!eq || !is_ours(&x))
			continue;
		*eq = 0;
		if (strcmp(trim(s), key) != 0)
			continue;
		value = trim(eq + 1);
		if ((size_t)snprintf(out, size, "%s", value) < size)
			return 0;
		return why_set(why, V_BAD, "%s: %s: longer than %zu bytes", where_is(where, path, x.line, at, value),
			key, size - 1);
	}
	return r ? r : V_NOT_FOUND;
}

/* A line of the part that is read. */
static int take_key(struct reading *x, const char *at, char *s, const struct conf_key *keys, void *into,
	struct conf_given *given, struct why *why)
{
	char where[256], name[64];
	const struct conf_key *k;
	char *eq = strchr(s, '='), *value;
	size_t i;

	where_is(where, x->path, x->line, at, s);
	if (!eq)
		return why_set(why, V_BAD, "%s: no \"=\" (a line is: key = value)", where);
	*eq = 0;
	s = trim(s);
	for (k = keys; k->name && strcmp(k->name, s); k++)
		;
	if (!k->name)
		return why_set(
			why, V_BAD, "%s: unknown key \"%s\"", where, text_escape_to(name, sizeof(name), SPAN_STR(s)));
	i = (size_t)(k - keys);
	if (i < CONF_KEYS_MAX && given->path[i])
		return why_set(why, V_BAD, "%s: %s: given twice: %s:%u has it", where, k->name, given->path[i],
			given->line[i]);
	if (i < CONF_KEYS_MAX) {
		given->path[i] = x->path;
		given->line[i] = x->line;
	}
	value = trim(eq + 1);
	return set(k, value, into, where_is(where, x->path, x->line, at, value), why);
}

int conf_load_part(const char *path, const struct conf_part *part, const struct conf_key *keys, void *into,
	struct conf_given *given, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONF_FILE_MAX);
	struct conf_given own = {.line = {0}};
	struct reading x;
	char *at, *next, *s;
	int r = read_text(path, &b, why);

	if (r)
		return r;
	begin(&x, path, part, &b);
	for (at = (char *)b.p; !r && at && *at; at = next) {
		x.line++;
		s = take_line(at, &next);
		if (*s == '[')
			r = take_header(&x, at, s, why);
		else if (*s && is_ours(&x))
			r = take_key(&x, at, s, keys, into, given ? given : &own, why);
	}
	return r;
}

int conf_load(const char *path, const struct conf_key *keys, void *into, struct why *why)
{
	return conf_load_part(path, NULL, keys, into, NULL, why);
}
