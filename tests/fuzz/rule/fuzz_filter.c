/*
 * record.yaml is written by people and, later, comes from a server: whatever it holds, it is read or refused, and what
 * was read can be asked.
 */
#include "policy/rule/filter.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter f;
	struct why why;
	unsigned i;

	if (filter_parse(SPAN(data, size), "fuzz", &f, &why))
		return 0;
	if (f.path_n > FILTER_PATHS_MAX || f.program_n > FILTER_PROGRAMS_MAX || f.user_n > FILTER_USERS_MAX ||
		f.cloud_n > FILTER_CLOUD_MAX)
		abort();
	for (i = 0; i < f.path_n; i++) {
		/* A prefix always fits itself, and the kernel is never told of less than the filter says. */
		if (!f.path[i].wild && filter_path_level(&f, SPAN_STR(f.path[i].prefix)) != f.path[i].level)
			abort();
		if (filter_kernel_level(&f, i) < f.path[i].level)
			abort();
	}
	filter_path_level(&f, SPAN(data, size));
	filter_is_cloud(&f, SPAN(data, size));
	return 0;
}
