/* policy/base/clamd.c: what clamd's answer means. The forms are those of clamd(8), and what somebody else may say. */
#include "policy/base/clamd.h"
#include "tests/unit/cm.h"

static void answers_are_told_apart(void **state)
{
	static const struct {
		const char *said;
		size_t n;
		enum clamd_verdict verdict;
		const char *name;
	} cases[] = {
#define SAID(text, verdict, name) {text, sizeof(text) - 1, verdict, name}
		SAID("stream: OK\0", CLAMD_CLEAN, ""),
		SAID("stream: Eicar-Test-Signature FOUND\0", CLAMD_FOUND, "Eicar-Test-Signature"),
		SAID("stream: Win.Test.A(aa:68) FOUND\0", CLAMD_FOUND, "Win.Test.A(aa:68)"),
		SAID("INSTREAM size limit exceeded. ERROR\0", CLAMD_FAILED, "INSTREAM size limit exceeded. ERROR"),
		SAID("stream: Can't allocate memory ERROR\0", CLAMD_FAILED, "stream: Can't allocate memory ERROR"),
		SAID("stream: a\x1b[31m\nb FOUND\0", CLAMD_FOUND, "a\\x1b[31m\\nb"),
		SAID("stream: OK", CLAMD_NONE, ""),
		SAID("stream: OK\n", CLAMD_NONE, ""),
		SAID("stream: OK\0stream: OK\0", CLAMD_NONE, ""),
		SAID("stream:  OK\0", CLAMD_NONE, ""),
		SAID("stream:  FOUND\0", CLAMD_NONE, ""),
		SAID("/etc/passwd: OK\0", CLAMD_NONE, ""),
		SAID("OK\0", CLAMD_NONE, ""),
		SAID("\0", CLAMD_NONE, ""),
		SAID("", CLAMD_NONE, ""),
	};
	char name[CLAMD_NAME_MAX], is_long[CLAMD_ANSWER_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(clamd_answer(SPAN(cases[i].said, cases[i].n), name), cases[i].verdict);
		assert_string_equal(name, cases[i].name);
	}
	memset(is_long, 'x', sizeof(is_long));
	memcpy(is_long, "stream: ", 8);
	memcpy(is_long + sizeof(is_long) - 7, " FOUND", 7);
	assert_int_equal(clamd_answer(SPAN(is_long, sizeof(is_long)), name), CLAMD_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_told_apart)};

	return cmocka_run_group_tests_name("base/clamd", tests, NULL, NULL);
}
