/* Numbers and patterns in text. The check digits here were worked out by hand from the ordinance's formula. */
#include "agent/inspect/pattern.h"
#include "tests/unit/cm.h"

static uint64_t numbers(const char *text)
{
	_cleanup_(patterns_freep) struct patterns *p = NULL;
	struct inspect_facts f = {0};

	assert_int_equal(patterns_make(NULL, 0, &p, NULL), 0);
	assert_int_equal(patterns_count(p, SPAN_STR(text), &f), 0);
	return f.my_numbers;
}

static void check_digits(void **state)
{
	static const uint8_t good[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 8};
	uint8_t d[12];
	unsigned last, n = 0;

	(void)state;
	assert_true(my_number_good(good));
	memcpy(d, good, 12);
	for (last = 0; last < 10; last++) {
		d[11] = (uint8_t)last;
		n += my_number_good(d);
	}
	assert_int_equal(n, 1);
	/* a remainder of 0 gives 0, as one of 1 does */
	assert_int_equal(numbers("000000000000"), 1);
}

static void written_in_every_way(void **state)
{
	static const struct {
		const char *text;
		uint64_t n;
	} cases[] = {
		{"123456789018", 1},
		{"No. 123456789018.", 1},
		{"1234 5678 9018", 1},
		{"1234-5678-9018", 1},
		{"1234\n5678\n9018", 1},
		{"1 2 3 4 5 6 7 8 9 0 1 8", 1},
		{"１２３４５６７８９０１８", 1},
		{"１２３４−５６７８−９０１８", 1},
		{"１２３４　５６７８　９０１８", 1},
		{"123456789018 123456789018", 2},
		{"1234 5678 9018 1234 5678 9018", 2},
		{"123456789018\n123456789018\nx", 2},
		/* not these */
		{"123456789019", 0},
		{"1234567890180", 0},
		{"0123456789018", 0},
		{"1234-5678-9018-1234", 0}, /* a payment card */
		{"12345-678-9018", 0},
		{"1234..5678 9018", 0},
		{"", 0},
		{"12", 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].text);
		assert_int_equal(numbers(cases[i].text), cases[i].n);
	}
}

static void words_and_patterns(void **state)
{
	static const char *const list[] = {"社外秘", "secret-\\d+", "^total"};
	_cleanup_(patterns_freep) struct patterns *p = NULL;
	struct inspect_facts f = {0};

	(void)state;
	assert_int_equal(patterns_make(list, 3, &p, NULL), 0);
	assert_int_equal(patterns_count(p, SPAN_STR("社外秘 社外秘 Ｓｅｃｒｅｔ－１２ secret-x\xff 社外秘"), &f), 0);
	assert_int_equal(f.matches[0], 3);
	assert_int_equal(f.matches[1], 1);
	assert_int_equal(f.matches[2], 0);
	assert_false(f.my_number_named);
	assert_int_equal(patterns_count(p, SPAN_STR("マイナンバー"), &f), 0);
	assert_true(f.my_number_named);
}

static void bad_patterns_are_named(void **state)
{
	static const char *const list[] = {"fine", "[a-"};
	static const char *const slow[] = {"(x+x+)+[yz]"};
	_cleanup_(patterns_freep) struct patterns *p = NULL;
	struct inspect_facts f = {0};
	char many[65];
	struct why why;

	(void)state;
	assert_int_equal(patterns_make(list, 2, &p, &why), V_BAD);
	assert_non_null(strstr(why.text, "pattern 2"));
	assert_null(p);
	assert_int_equal(patterns_make(slow, 1, &p, &why), 0);
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	/* as a hostile text would have it: it ends all the same, and says so */
	assert_int_equal(patterns_count(p, SPAN_STR(many), &f), V_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_digits),
		cmocka_unit_test(written_in_every_way),
		cmocka_unit_test(words_and_patterns),
		cmocka_unit_test(bad_patterns_are_named),
	};

	return cmocka_run_group_tests_name("inspect/pattern", tests, NULL, NULL);
}
