/*
 * Searches that were saved: a name for whoever saved it, and the words of a search as they stand in the address of the
 * page. Pure; see search.h.
 */
#include "collector/console/search.h"
#include "policy/base/text.h"
#include <errno.h>

/* What the page's address has and the server is never asked: a channel of kinds by name, and "all" times. */
static bool is_pages(const char *p, size_t n)
{
	size_t i;

	if (n == 9 && !memcmp(p, "since=all", 9))
		return true;
	if (n < 3 || n > 22 || memcmp(p, "c=", 2) != 0)
		return false;
	for (i = 2; i < n; i++)
		if (p[i] < 'a' || p[i] > 'z')
			return false;
	return true;
}

/*
 * The words of one search. They are held against the filter that they would become; its end is held alone, since "the
 * last week, up to New Year" must not become wrong by the time that goes by.
 */
static int words_check(const char *query, struct search *room, int64_t now_us, struct why *why)
{
	char asked[2][SEARCH_TEXT_MAX];
	size_t at[2] = {0, 0}, n;
	const char *p;
	unsigned k;
	int r = 0;

	if (strlen(query) >= SEARCH_TEXT_MAX)
		return why_set(why, V_BAD, "the query is too long");
	for (p = query; *p; p += n + (p[n] == '&')) {
		n = strcspn(p, "&");
		if (is_pages(p, n))
			continue;
		k = n >= 6 && !memcmp(p, "until=", 6);
		if (at[k])
			asked[k][at[k]++] = '&';
		memcpy(asked[k] + at[k], p, n);
		at[k] += n;
	}
	for (k = 0; !r && k < 2; k++) {
		asked[k][at[k]] = 0;
		r = search_parse(asked[k], SEARCH_FILTER | SEARCH_ORDER, now_us, room, why);
	}
	return r;
}

static int one_check(const json_t *list, size_t i, struct search *room, int64_t now_us, struct why *why)
{
	const json_t *o = json_array_get(list, i), *name = json_object_get(o, "name"),
		     *query = json_object_get(o, "query");
	const char *s = json_string_value(name), *q = json_string_value(query);
	struct why own = {""};
	size_t k;

	if (!s || !q || json_object_size(o) != 2)
		return why_set(why, V_BAD, "search %zu: a name and a query belong there", i + 1);
	if (!*s || strlen(s) != json_string_length(name) || strlen(s) > SEARCH_SAVED_NAME_MAX)
		return why_set(why, V_BAD, "search %zu: its name is empty or too long", i + 1);
	for (k = 0; k < i; k++)
		if (!strcmp(s, json_string_value(json_object_get(json_array_get(list, k), "name"))))
			return why_set(why, V_BAD, "search %zu: another one has this name", i + 1);
	if (strlen(q) != json_string_length(query) || words_check(q, room, now_us, &own))
		return why_set(why, V_BAD, "search %zu: %s", i + 1, own.text[0] ? own.text : "NUL in its query");
	return 0;
}

int search_saved_check(const json_t *list, int64_t now_us, struct why *why)
{
	_cleanup_free_ struct search *room = malloc(sizeof(*room));
	size_t i;
	int r = 0;

	if (!room)
		return -ENOMEM;
	if (!json_is_array(list) || json_array_size(list) > SEARCH_SAVED_MAX)
		return why_set(why, V_BAD, "a list of at most %u searches belongs there", SEARCH_SAVED_MAX);
	for (i = 0; !r && i < json_array_size(list); i++)
		r = one_check(list, i, room, now_us, why);
	return r;
}
