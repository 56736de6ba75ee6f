/*
 * How functions answer, everywhere in this tree:
 *
 *   0         it worked; outputs are set.
 *   negative  -errno: our own machine failed (no memory, no disk). Passed up untouched; the program ends with a message
 *             and is started again by its supervisor.
 *   positive  a verdict that the caller handles, documented at the function. Whatever a user, a device, a peer or an
 *             old file can cause is a verdict, never a failure.
 *
 * Outputs are untouched unless 0 is returned. A function that judges bytes from outside takes a `struct why`, and says
 * there what is wrong and where. The text is for people: it may hold outside strings only in escaped form
 * (text_escape).
 */
#ifndef SEKISHO_BASE_WHY_H
#define SEKISHO_BASE_WHY_H

#include <stdarg.h>
#include <stdio.h>

struct why {
	char text[256];
};

/* Verdicts that several rooms share. A room's own verdicts start at 16. */
enum {
	V_BAD = 1,       /* malformed, or not what it claims to be */
	V_NOT_FOUND = 2, /* no such thing */
	V_EXISTS = 3,    /* is there already */
	V_DENIED = 4,    /* not allowed */
	V_FULL = 5,      /* a named bound is reached */
	V_AGAIN = 6,     /* not now; ask later */
	V_END = 7,       /* nothing follows */
};

/* Sets the reason (w may be NULL) and returns `verdict`, so that callers can `return why_set(w, V_BAD, ...)`. */
__attribute__((format(printf, 3, 4))) static inline int why_set(struct why *w, int verdict, const char *fmt, ...)
{
	va_list ap;

	if (!w)
		return verdict;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	return verdict;
}

#endif
