/*
 * See clamd.h.
 */
#include "policy/base/clamd.h"
#include "policy/base/text.h"

#define STREAM "stream: "

static bool ends_with(struct span s, const char *what)
{
	size_t n = strlen(what);

	return s.n >= n && memcmp(s.p + s.n - n, what, n) == 0;
}

enum clamd_verdict clamd_answer(struct span s, char name[CLAMD_NAME_MAX])
{
	static const char found[] = " FOUND", error[] = "ERROR";

	name[0] = 0;
	/* One NUL, at the end. */
	if (!s.n || s.n > CLAMD_ANSWER_MAX || memchr(s.p, 0, s.n) != s.p + s.n - 1)
		return CLAMD_NONE;
	s.n--;
	if (ends_with(s, error)) {
		text_escape_to(name, CLAMD_NAME_MAX, s);
		return CLAMD_FAILED;
	}
	if (s.n < strlen(STREAM) || memcmp(s.p, STREAM, strlen(STREAM)) != 0)
		return CLAMD_NONE;
	s = SPAN(s.p + strlen(STREAM), s.n - strlen(STREAM));
	if (span_eq(s, SPAN_STR("OK")))
		return CLAMD_CLEAN;
	if (s.n <= strlen(found) || !ends_with(s, found))
		return CLAMD_NONE;
	text_escape_to(name, CLAMD_NAME_MAX, SPAN(s.p, s.n - strlen(found)));
	return CLAMD_FOUND;
}
