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
#include <string.h>

#define WHY_SIZE 256 /* of each language */
struct why {
	/* The reason. Behind its end the same in Japanese, where it is for administrators (why_set_ja); else an empty
	 * one. */
	char text[2 * WHY_SIZE];
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
	vsnprintf(w->text, WHY_SIZE, fmt, ap);
	va_end(ap);
	w->text[strlen(w->text) + 1] = 0;
	return verdict;
}

/* Adds the Japanese text to a reason that was set. */
__attribute__((format(printf, 3, 4))) static inline int why_set_ja(struct why *w, int verdict, const char *fmt, ...)
{
	va_list ap;

	if (!w)
		return verdict;
	va_start(ap, fmt);
	vsnprintf(w->text + strlen(w->text) + 1, WHY_SIZE, fmt, ap);
	va_end(ap);
	return verdict;
}

/* Both at once: the same arguments for both formats. */
#define WHY_BOTH(w, verdict, en, ja, ...) \
	(why_set(w, verdict, en, ##__VA_ARGS__), why_set_ja(w, verdict, ja, ##__VA_ARGS__))

/* The reason in Japanese; in English where nobody set one. Of a `why` that was initialized. */
static inline const char *why_ja(const struct why *w)
{
	const char *ja = w->text + strlen(w->text) + 1;

	return *ja ? ja : w->text;
}

#endif
