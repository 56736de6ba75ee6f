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
	static struct filter_kernel k;
	static const struct filter_place homes[] = {{"/home/ann", 0}, {"/root", 0}};
	struct why why;
	unsigned i;

	if (filter_parse(SPAN(data, size), "fuzz", &f, &why))
		return 0;
	if (f.path_n > FILTER_PATHS_MAX || f.program_n > FILTER_PROGRAMS_MAX || f.user_n > FILTER_USERS_MAX ||
		f.cloud_n > FILTER_CLOUD_MAX)
		abort();
	/* A prefix always fits itself, and the kernel is never told of less than the filter says. */
	for (i = 0; i < f.path_n; i++)
		if (!f.path[i].wild && filter_path_level(&f, SPAN_STR(f.path[i].prefix)) != f.path[i].level)
			abort();
	filter_kernel(&f, NULL, 0, homes, 2, &k);
	for (i = 0; i < k.n; i++)
		if (k.prefix[i].level < filter_path_level(&f, SPAN_STR(k.prefix[i].path)))
			abort();
	filter_path_level(&f, SPAN(data, size));
	filter_is_cloud(&f, SPAN(data, size));
	return 0;
}
