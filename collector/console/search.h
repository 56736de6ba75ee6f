/*
 * What is asked of the logs: a query string into a filter, the store's and what it does not index, and the cursor.
 * Pure; fuzzed by tests/fuzz/console.
 */
#ifndef SEKISHO_CONSOLE_SEARCH_H
#define SEKISHO_CONSOLE_SEARCH_H

#include "collector/store/fact.h"
#include "collector/store/match.h"
#include "collector/store/store.h"
#include <jansson.h>

/* Rows of a page: where nobody says how many, and at the most. */
#define RECORDS_LIMIT 100u
#define RECORDS_LIMIT_MAX 500u

#define SEARCH_TEXT_MAX 8192u
#define SEARCH_CURSOR_SIZE 64

/* Which names a query may have. */
enum {
	SEARCH_FILTER = 1 << 0, /* since, until, host, user, program, path, kind, class, text, device, fact */
	SEARCH_ORDER = 1 << 1,
	SEARCH_PAGE = 1 << 2, /* cursor, limit */
	SEARCH_LANG = 1 << 3,
	SEARCH_EACH = 1 << 4,
	SEARCH_HOURS = 1 << 5,
	SEARCH_DAYS = 1 << 6,
	SEARCH_TRAIL = 1 << 7, /* of, and of the filter since, until, host */
};

struct search {
	struct store_filter filter;
	const char *device;
	const char *of; /* whose life; as life_read() takes it */
	struct fact facts[FACTS_MAX];
	unsigned facts_n;
	bool has_cursor;
	int64_t cursor_us;
	uint64_t cursor_row; /* or a place in a list */
	uint64_t limit, each, hours, days;
	enum record_lang lang;
	char room[SEARCH_TEXT_MAX]; /* decoded values, which the above borrow */
	size_t used;
};

/* Reads a query string; `allowed` of SEARCH_*. 0; V_BAD with what is wrong. `out` must not move afterwards. */
int search_parse(const char *query, unsigned allowed, int64_t now_us, struct search *out, struct why *why);
/* Does a record have what the store does not look for (device, facts)? */
bool search_fits(const struct search *s, const struct record *r);
/* Is there anything of that kind? */
static inline bool search_is_narrow(const struct search *s)
{
	return s->device || s->facts_n;
}

/* Of what somebody saves by name: how many, bytes of a name, and of all of it in one request. */
#define SEARCH_SAVED_MAX 50u
#define SEARCH_SAVED_NAME_MAX 320u
#define SEARCH_SAVED_BYTES (256u << 10)

/*
 * Are these searches that somebody saved: [{name, query}], each name once, each query the words of a search as the page
 * has them in its address (also a channel "c", and "since=all")? 0; V_BAD with which one is none and why; -ENOMEM.
 */
int search_saved_check(const json_t *list, int64_t now_us, struct why *why);

void search_cursor(char out[SEARCH_CURSOR_SIZE], int64_t time_us, uint64_t row);

#endif
