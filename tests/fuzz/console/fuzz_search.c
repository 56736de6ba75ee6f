/* A query string comes from anybody who is signed in: it is a filter or a reason, never more. */
#include "collector/console/search.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct search s;
	static struct record r;
	struct why why;
	char *query = malloc(size + 1);
	int got;

	if (!query)
		abort();
	memcpy(query, data, size);
	query[size] = 0;
	got = search_parse(query, UINT32_MAX, INT64_C(1764000000000000), &s, &why);
	if (got != 0 && got != V_BAD)
		abort();
	if (!got) {
		record_set_str(&r, F_SERIAL, "abc");
		record_set_uint(&r, F_ACCESS, 1);
		(void)search_fits(&s, &r);
		if (s.limit < 1 || s.limit > 500 || s.facts_n > FACTS_MAX || s.used > sizeof(s.room))
			abort();
	}
	free(query);
	return 0;
}
