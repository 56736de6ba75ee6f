/*
 * Months of a zone's calendar, when a report of one is due, and [report] of the settings. Expected moments are
 * date(1)'s: TZ=ZONE date -d '2026-10-01' +%s.
 */
#include "collector/report/settings.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define S INT64_C(1000000)

static void zone(const char *name)
{
	struct report_settings s = {.day = 1};

	snprintf(s.timezone, sizeof(s.timezone), "%s", name);
	report_settings_zone(&s);
}

static void test_months(void **state)
{
	int64_t from, until, before;

	(void)state;
	zone("Asia/Tokyo");
	assert_int_equal(report_month("2026-10", &from, &until, &before), 0);
	assert_int_equal(from, 1790780400 * S);
	assert_int_equal(until, 1793458800 * S);
	assert_int_equal(before, 1788188400 * S);
	/* Over a year's end. */
	assert_int_equal(report_month("2026-01", &from, &until, &before), 0);
	assert_int_equal(before, 1764514800 * S);
	/* A month in which clocks are turned back is an hour longer. */
	zone("Europe/Berlin");
	assert_int_equal(report_month("2026-10", &from, &until, &before), 0);
	assert_int_equal(until - from, (31 * 86400 + 3600) * S);
}

static void test_no_months(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-13", "2026-00", "2026-1", "26-10", "2026-10 ", " 2026-1",
		"2026/10", "2026-1x", "9999-12", "-026-10", "+026-10"};
	int64_t from = 1, until = 2, before = 3;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(report_month(bad[i], &from, &until, &before), V_BAD);
	assert_int_equal(from, 1);
}

static void test_month_of(void **state)
{
	char month[8];

	(void)state;
	zone("Asia/Tokyo");
	/* 2026-10-31T15:00Z is November there. */
	report_month_of(1793458800 * S, 0, month);
	assert_string_equal(month, "2026-11");
	report_month_of(1793458799 * S, 0, month);
	assert_string_equal(month, "2026-10");
	report_month_of(1793458800 * S, 11, month);
	assert_string_equal(month, "2025-12");
	report_month_of(1793458800 * S, 23, month);
	assert_string_equal(month, "2024-12");
}

static void test_due(void **state)
{
	struct report_settings s = {.day = 3, .hour = 7};

	(void)state;
	zone("Asia/Tokyo");
	/* 2026-11-03T07:00+09:00 */
	assert_false(report_due(&s, "2026-10", 1793656800 * S - 1));
	assert_true(report_due(&s, "2026-10", 1793656800 * S));
	assert_true(report_due(&s, "2026-09", 1793656800 * S));
	assert_false(report_due(&s, "2026-11", 1793656800 * S));
}

static int load(const char *text, struct report_settings *out, struct why *why)
{
	char path[] = "/tmp/sekisho-report-conf-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_replace(path, SPAN_STR(text), 0600), 0);
	r = report_settings_load(path, out, why);
	unlink(path);
	return r;
}

static void test_settings(void **state)
{
	static const char *const bad[] = {"day = 0\n", "day = 29\n", "hour = 24\n", "timezone = Asia/Tokio\n",
		"timezone = ../../etc/passwd\n", "language = fr\n", "departments = a\n", "departments = a:\n",
		"departments = : x\n", "keep = 0\n", "nothing = 1\n"};
	static struct report_settings s;
	struct why why = {""};
	size_t i;

	(void)state;
	assert_int_equal(
		load("departments = 営業部: eigyo-* front-?; 経理 部 : keiri-*;\ntimezone = Asia/Tokyo\nday = 28\n", &s,
			&why),
		0);
	assert_int_equal(s.day, 28);
	assert_int_equal(s.hour, 6);
	assert_int_equal(s.departments_n, 3);
	assert_string_equal(report_department_of(&s, "eigyo-001"), "営業部");
	assert_string_equal(report_department_of(&s, "front-2"), "営業部");
	assert_string_equal(report_department_of(&s, "keiri-9"), "経理 部");
	assert_null(report_department_of(&s, "front-22"));
	assert_null(report_department_of(NULL, "x"));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		why.text[0] = 0;
		s.day = 99;
		assert_int_equal(load(bad[i], &s, &why), V_BAD);
		assert_true(why.text[0]);
		assert_int_equal(s.day, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_no_months),
		cmocka_unit_test(test_month_of),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
