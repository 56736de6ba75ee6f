/*
 * Questions of the wrapper, taken apart. See request.h.
 */
#include "agent/print/request.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>

#define NUMBER_MAX 2147483647ul

/* Decimal digits and nothing else. */
static bool number(const char *s, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoul(s, &end, 10);
	return !errno && !*end && *out <= NUMBER_MAX;
}

static void take(struct request *r, const char *name, size_t n, const char *value)
{
#define X(known, member)                                         \
	if (n == strlen(known) && memcmp(name, known, n) == 0) { \
		r->member = value;                               \
		return;                                          \
	}
	REQUEST_KEYS(X)
#undef X
}

int request_parse(struct span bytes, struct request *out, struct why *why)
{
	struct request r = {0};
	size_t at = 0;

#define X(name, member) r.member = "";
	REQUEST_KEYS(X)
#undef X
	if (!bytes.n || bytes.n > REQUEST_MAX || bytes.p[bytes.n - 1])
		return why_set(why, V_BAD, "a question of %zu bytes, or without an end", bytes.n);
	while (at < bytes.n) {
		const char *s = (const char *)bytes.p + at, *equals = strchr(s, '=');

		if (!equals)
			return why_set(why, V_BAD, "no name=value at offset %zu", at);
		take(&r, s, (size_t)(equals - s), equals + 1);
		at += strlen(s) + 1;
	}
	if (!strcmp(r.ask, "event") || !strcmp(r.ask, "stamped")) {
		*out = r;
		return 0;
	}
	if (strcmp(r.ask, "print") != 0 && strcmp(r.ask, "route") != 0 && strcmp(r.ask, "stamp") != 0)
		return why_set(why, V_BAD, "an unknown question");
	if (!number(r.job, &r.job_id) || !r.job_id)
		return why_set(why, V_BAD, "job: not a number");
	if (*r.documents && !number(r.documents, &r.documents_n))
		return why_set(why, V_BAD, "documents: not a number");
	if (*r.files && !number(r.files, &r.files_n))
		return why_set(why, V_BAD, "files: not a number");
	if (!number(r.copies, &r.copies_n) || !r.copies_n)
		r.copies_n = 1;
	r.authenticated = number(r.auth_uid, &r.uid);
	*out = r;
	return 0;
}

/* --- options --- */

/* One value from `s`, unquoted into `out`; returns behind it. */
static const char *value_of(const char *s, char *out, size_t size)
{
	size_t n = 0;
	int depth = 0;
	char quote = 0;

	for (; *s && (quote || depth || !isspace((unsigned char)*s)); s++) {
		char c = *s;

		if (c == '\\' && s[1])
			c = *++s;
		else if (quote && c == quote) {
			quote = 0;
			continue;
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
			continue;
		} else if (!quote && c == '{') {
			depth++;
		} else if (!quote && c == '}' && depth) {
			depth--;
		}
		if (n + 1 < size)
			out[n++] = c;
	}
	if (size)
		out[n] = 0;
	return s;
}

bool request_option(const char *options, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);
	bool found = false;
	const char *s = options;

	while (*s) {
		const char *word;
		size_t length;
		bool hit;

		while (isspace((unsigned char)*s))
			s++;
		word = s;
		length = strcspn(s, "= \t\r\n\f\v");
		hit = length == n && memcmp(word, name, n) == 0;
		s += length;
		if (*s == '=') {
			s = value_of(s + 1, hit ? out : NULL, hit ? size : 0);
			found |= hit;
		}
	}
	return found;
}
