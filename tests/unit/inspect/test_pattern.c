/* Patterns in text, and how it is folded. */
#include "agent/inspect/pattern.h"
#include "tests/unit/cm.h"

/* The text is folded before numbers are looked for: widths and dashes count alike. */
static void numbers_in_every_width(void **state)
{
	static const char *const texts[] = {"個人番号 １２３４５６７８９０１８", "個人番号 １２３４−５６７８−９０１８",
		"個人番号　１２３４　５６７８　９０１８", "Ｍｙ　Ｎｕｍｂｅｒ： 1234–5678–9018",
		/* what is typed for a hyphen, points, blanks of other kinds, letters without width */
		"個人番号 1234ー5678ー9018", "個人番号 １２３４ー５６７８ー９０１８", "個人番号 1234ｰ5678ｰ9018",
		"個人番号 1234─5678─9018", "個人番号 1234・5678・9018", "個人番号 １２３４･５６７８･９０１８",
		"個人番号 1234\xc2\xa0"
		"5678\xc2\xa0"
		"9018",
		"個人番号 1234\xe2\x80\x89"
		"5678\xe2\x80\x89"
		"9018",
		"個人番号 1234\xe2\x80\x8b"
		"5678\xe2\x80\x8b"
		"9018"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(patterns_freep) struct patterns *p = NULL;
		struct inspect_facts f = {0};

		assert_int_equal(patterns_make(NULL, 0, &p, NULL), 0);
		assert_int_equal(patterns_count(p, SPAN_STR(texts[i]), &f), 0);
		assert_int_equal(f.found[FIND_MY_NUMBER].sure, 1);
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
		cmocka_unit_test(numbers_in_every_width),
		cmocka_unit_test(words_and_patterns),
		cmocka_unit_test(bad_patterns_are_named),
	};

	return cmocka_run_group_tests_name("inspect/pattern", tests, NULL, NULL);
}
