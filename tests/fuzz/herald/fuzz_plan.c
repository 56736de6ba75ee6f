/* herald.yaml is an administrator's, so nearly anything: a plan or a reason with a line, never more. */
#include "collector/herald/judge.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r;
	struct why why = {""};
	struct plan p;
	unsigned i;
	int got = plan_read(&p, "x", SPAN(data, size), &why);

	if (got != 0 && got != V_BAD)
		abort();
	if (got == V_BAD && !why.text[0])
		abort();
	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_FILE);
	record_set_int(&r, F_TIME, INT64_C(1764000000000000));
	record_set_str(&r, F_USER, "taro");
	for (i = 0; !got && i < p.rules_n; i++) {
		(void)judge_record(&p.rules[i], &r, "pc-1");
		if (!p.rules[i].name[0] || p.rules[i].count > PLAN_COUNT_MAX || p.rules[i].from_min > 1440)
			abort();
	}
	plan_deinit(&p);
	return 0;
}
