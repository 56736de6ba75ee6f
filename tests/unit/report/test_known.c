/* collector/report/known.c: a job once for each document, files each; what no agent writes is counted as nothing. */
#include "collector/report/report_parts.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

static struct gather g;

static void take(unsigned kind, uint64_t job, int64_t at_us, const char *found)
{
	static struct store_row row;
	struct record *r = &row.record;

	record_reset(r);
	memset(row.host.b, 1, DIGEST_SIZE);
	record_set_uint(r, F_KIND, kind);
	record_set_int(r, F_TIME, at_us);
	if (job) {
		record_set_uint(r, F_JOB, job);
		record_set_int(r, F_CREATED, 77);
	}
	if (found)
		record_set_str(r, F_KNOWN_DOCUMENTS, found);
	known_take(&g, &row);
	assert_int_equal(g.error, 0);
}

static const struct known_document *of(const char *name)
{
	return tally_find(&g.known, SPAN_STR(name));
}

static void counted(void **state)
{
	(void)state;
	g = (struct gather){.known = {.size = sizeof(struct known_document)}};
	take(KIND_PRINT, 1, 10, "price list 45 %; plan 100 %");
	/* The same job tried again, and its end. */
	take(KIND_PRINT, 1, 20, "price list 45 %; plan 100 %");
	take(KIND_PRINT_RESULT, 1, 30, "price list 50 %");
	/* What was found behind the judgement only. */
	take(KIND_PRINT, 2, 40, NULL);
	take(KIND_PRINT_RESULT, 2, 50, "plan 30 %");
	take(KIND_DRIVE_FILE, 0, 60, "plan 31 %");
	take(KIND_DRIVE_FILE, 0, 61, "plan 31 %; plan 2 7 %");
	assert_int_equal(of("plan")->jobs, 2);
	assert_int_equal(of("plan")->files, 2);
	assert_int_equal(of("plan")->most, 100);
	assert_int_equal(of("plan")->last_us, 61);
	assert_int_equal(of("price list")->jobs, 1);
	assert_int_equal(of("price list")->most, 50);
	assert_int_equal(of("plan 2")->files, 1);
	assert_int_equal(g.known.n, 3);
	assert_int_equal(g.f.known_jobs, 2);
	assert_int_equal(g.f.known_files, 2);
	tally_deinit(&g.known, NULL);
	seen_deinit(&g.pairs);
}

static void nonsense(void **state)
{
	static const char *const all[] = {"", ";", " %", "1 %", " 1 %", "plan", "plan %", "plan 5%", "plan x %",
		"plan 101 %", "plan 1000 %", "plan -1 %", ";;;"};
	size_t i;

	(void)state;
	g = (struct gather){.known = {.size = sizeof(struct known_document)}};
	for (i = 0; i < ARRAY_SIZE(all); i++)
		take(KIND_PRINT, 1, 1, all[i]);
	assert_int_equal(g.known.n, 0);
	assert_int_equal(g.f.known_jobs, 0);
	take(KIND_PRINT, 1, 1, "; plan 0 %;x;");
	assert_int_equal(of("plan")->jobs, 1);
	tally_deinit(&g.known, NULL);
	seen_deinit(&g.pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counted), cmocka_unit_test(nonsense)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
