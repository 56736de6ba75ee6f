/*
 * See parse.h. Called by the routes. Must never trust a length, a type or a number: anybody may connect and ask.
 */
#include "collector/http/parse.h"
#include "policy/base/text.h"
#include <ctype.h>

int ask_object_of(struct span body, size_t max, json_t **out, struct why *why)
{
	char shown[96];
	json_error_t e;
	json_t *j;

	if (body.n > max)
		return why_set(why, V_BAD, "larger than %zu bytes", max);
	j = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &e);
	if (!j)
		return why_set(why, V_BAD, "no JSON: %s at byte %d",
			text_escape_to(shown, sizeof(shown), SPAN_STR(e.text)), e.position);
	if (!json_is_object(j)) {
		json_decref(j);
		return why_set(why, V_BAD, "no JSON object");
	}
	*out = j;
	return 0;
}

int ask_object(struct span body, json_t **out, struct why *why)
{
	return ask_object_of(body, ASK_JSON_MAX, out, why);
}

static int number_in(struct span s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!s.n || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
		return V_BAD;
	for (i = 0; i < s.n; i++) {
		if (!isdigit(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return V_BAD;
	}
	*out = v;
	return 0;
}

int ask_number(const char *s, uint64_t *out)
{
	return number_in(SPAN_STR(s), out);
}

/* The one value of `name`. 0; V_NOT_FOUND; V_BAD where there are several. */
static int find_value(const char *query, const char *name, struct span *out)
{
	size_t n = strlen(name);
	const char *p = query;
	bool found = false;
	struct span v = SPAN("", 0);

	while (p && *p) {
		size_t len = strcspn(p, "&");

		if (len > n && p[n] == '=' && !memcmp(p, name, n)) {
			if (found)
				return V_BAD;
			v = SPAN(p + n + 1, len - n - 1);
			found = true;
		}
		p += len + (p[len] == '&');
	}
	if (!found)
		return V_NOT_FOUND;
	*out = v;
	return 0;
}

int ask_query(const char *query, const char *name, uint64_t *out)
{
	struct span v;
	int r = find_value(query, name, &v);

	return r ? r : number_in(v, out) ? V_BAD : 0;
}

int ask_query_text(const char *query, const char *name, char *out, size_t size)
{
	struct span v;
	int r = find_value(query, name, &v);

	if (r)
		return r;
	if (v.n >= size)
		return V_BAD;
	snprintf(out, size, "%.*s", (int)v.n, (const char *)v.p);
	return 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

bool ask_decode(const char *p, size_t n, char *out, size_t size)
{
	size_t i, at = 0;

	for (i = 0; i < n; i++) {
		int c = (unsigned char)p[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (i + 2 >= n || digit(p[i + 1]) < 0 || digit(p[i + 2]) < 0)
				return false;
			c = digit(p[i + 1]) << 4 | digit(p[i + 2]);
			i += 2;
		}
		if (!c || at + 1 >= size)
			return false;
		out[at++] = (char)c;
	}
	if (!size)
		return false;
	out[at] = 0;
	return true;
}

int ask_form(struct span body, const char *name, char *out, size_t size)
{
	const char *p = (const char *)body.p, *end = body.n ? p + body.n : p, *value = NULL;
	size_t n = strlen(name), value_n = 0;

	while (p < end) {
		const char *next = memchr(p, '&', (size_t)(end - p));
		size_t len = (size_t)((next ? next : end) - p);

		if (len > n && p[n] == '=' && !memcmp(p, name, n)) {
			if (value)
				return V_BAD;
			value = p + n + 1;
			value_n = len - n - 1;
		}
		p += len + (next != NULL);
	}
	if (!value)
		return V_NOT_FOUND;
	return ask_decode(value, value_n, out, size) && *out ? 0 : V_BAD;
}
