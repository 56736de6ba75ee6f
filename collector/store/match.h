/*
 * Does a name match what was asked? Bytes, without a database. Used by the queries.
 */
#ifndef SEKISHO_STORE_MATCH_H
#define SEKISHO_STORE_MATCH_H

#include "policy/base/buf.h"

#define MATCH_CHARS_MAX 256u /* of a pattern; whole names may be longer */

enum match_kind {
	MATCH_WHOLE,    /* the whole name; where it has no '/', also the last component */
	MATCH_GLOB,     /* '*' is any bytes, also none and '/'; '?' is one character */
	MATCH_ANYWHERE, /* inside, A-Z as a-z */
};

struct match {
	enum match_kind kind;
	const char *pattern;
	size_t n;
	bool tail; /* the last component counts too */
};

/* Is it short enough to be asked for? `text`: anywhere; else as match_of takes it. */
bool match_is_short(const char *pattern, bool text);
/* As a filter gives it: a pattern with '*' or '?' is a glob. */
struct match match_of(const char *pattern);
struct match match_anywhere(const char *text);
bool match_name(const struct match *m, struct span name);
/* The longest run of the pattern that stands in every name that matches. */
struct span match_run(const struct match *m);
/* The last component that every name has which matches; empty where that may be another one for each. */
struct span match_tail(const struct match *m);
/* What stands behind the last '/' of a name: all of it where it has none. */
struct span name_tail(struct span name);

#endif
