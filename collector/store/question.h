/*
 * A filter, understood: what every engine makes of it before it looks.
 */
#ifndef SEKISHO_STORE_QUESTION_H
#define SEKISHO_STORE_QUESTION_H

#include "collector/store/match.h"
#include "collector/store/store.h"

#define HOST_DIGITS_MIN 8u

/* What is asked, once for all of the store. */
struct question {
	const struct store_filter *f;
	int64_t from, until;
	uint64_t after_leaf;
	bool newest_first;
	bool by_combo, by_path, by_text;
	struct match user, program, path, text;
	struct digest *hosts; /* that may be; NULL: all */
	size_t hosts_n;
};

/* `f` is borrowed. 0; V_BAD where it makes no sense. */
int question_of(const struct store_filter *f, struct question *q, struct why *why);
/* Rows that are told at most; SIZE_MAX: any number. */
size_t question_rows(const struct store_filter *f);
/* Was a row of that moment told before? */
bool question_told(const struct store_filter *f, int64_t time, uint64_t row);

#endif
