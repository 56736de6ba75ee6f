/* agent/guard/scan.c: what clamd's answer means. The forms are those of clamd(8), and what somebody else may say. */
#include "agent/guard/scan.h"
#include "tests/unit/cm.h"

static void answers_are_told_apart(void **state)
{
	static const struct {
		const char *said;
		size_t n;
		enum scan_verdict verdict;
		const char *name;
	} cases[] = {
#define SAID(text, verdict, name) {text, sizeof(text) - 1, verdict, name}
		SAID("stream: OK\0", SCAN_CLEAN, ""),
		SAID("stream: Eicar-Test-Signature FOUND\0", SCAN_FOUND, "Eicar-Test-Signature"),
		SAID("stream: Win.Test.A(aa:68) FOUND\0", SCAN_FOUND, "Win.Test.A(aa:68)"),
		SAID("INSTREAM size limit exceeded. ERROR\0", SCAN_FAILED, "INSTREAM size limit exceeded. ERROR"),
		SAID("stream: Can't allocate memory ERROR\0", SCAN_FAILED, "stream: Can't allocate memory ERROR"),
		SAID("stream: a\x1b[31m\nb FOUND\0", SCAN_FOUND, "a\\x1b[31m\\nb"),
		SAID("stream: OK", SCAN_NONE, ""),
		SAID("stream: OK\n", SCAN_NONE, ""),
		SAID("stream: OK\0stream: OK\0", SCAN_NONE, ""),
		SAID("stream:  OK\0", SCAN_NONE, ""),
		SAID("stream:  FOUND\0", SCAN_NONE, ""),
		SAID("/etc/passwd: OK\0", SCAN_NONE, ""),
		SAID("OK\0", SCAN_NONE, ""),
		SAID("\0", SCAN_NONE, ""),
		SAID("", SCAN_NONE, ""),
	};
	char name[SCAN_NAME_MAX], is_long[SCAN_ANSWER_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(scan_answer(SPAN(cases[i].said, cases[i].n), name), cases[i].verdict);
		assert_string_equal(name, cases[i].name);
	}
	memset(is_long, 'x', sizeof(is_long));
	memcpy(is_long, "stream: ", 8);
	memcpy(is_long + sizeof(is_long) - 7, " FOUND", 7);
	assert_int_equal(scan_answer(SPAN(is_long, sizeof(is_long)), name), SCAN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_told_apart)};

	return cmocka_run_group_tests_name("guard/scan", tests, NULL, NULL);
}
