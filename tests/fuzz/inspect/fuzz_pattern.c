/* Any bytes as text: numbers and patterns are counted, and it ends. */
#include "agent/inspect/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const list[] = {"社外秘", "\\b\\d{3}-\\d{4}\\b", "[a-z]+b"};
	_cleanup_(patterns_freep) struct patterns *patterns = NULL; /* counts of several texts add up */
	struct inspect_facts f = {0};

	if (patterns_make(list, ARRAY_SIZE(list), &patterns, NULL))
		abort();
	patterns_count(patterns, SPAN(data, size), &f);
	if (f.found[FIND_MY_NUMBER].sure + f.found[FIND_MY_NUMBER].maybe > size / 11)
		abort();
	return 0;
}
