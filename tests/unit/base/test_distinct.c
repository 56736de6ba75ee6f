/* Different words: each once, in order, within bounds. */
#include "policy/base/distinct.h"
#include "tests/unit/cm.h"

static void each_word_once_in_order(void **state)
{
	static const char *const words[] = {"ws-1", "taro", "ws-1", "", "花子", "taro"};
	struct distinct d = {.most = 10};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(distinct_add(&d, SPAN_STR(words[i])), 0);
	assert_int_equal(d.n, 3);
	assert_true(span_eq(d.v[0], SPAN_STR("ws-1")));
	assert_true(span_eq(d.v[1], SPAN_STR("taro")));
	assert_true(span_eq(d.v[2], SPAN_STR("花子")));
	assert_false(d.more);
	distinct_deinit(&d);
	assert_int_equal(d.n, 0);
}

static void bytes_decide(void **state)
{
	struct distinct d = {.most = 10};

	(void)state;
	assert_int_equal(distinct_add(&d, SPAN("a\0b", 3)), 0);
	assert_int_equal(distinct_add(&d, SPAN("a\0c", 3)), 0);
	assert_int_equal(distinct_add(&d, SPAN("a", 1)), 0);
	assert_int_equal(distinct_add(&d, SPAN("\xff", 1)), 0);
	assert_int_equal(d.n, 4);
	distinct_deinit(&d);
}

/* What is there already is no other word, also where there is no room. */
static void as_many_as_may_be(void **state)
{
	struct distinct d = {.most = 300};
	char word[16];
	unsigned i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 300; i++) {
			snprintf(word, sizeof(word), "pc-%u", i);
			assert_int_equal(distinct_add(&d, SPAN_STR(word)), 0);
		}
		assert_int_equal(d.n, 300);
		assert_false(d.more);
	}
	assert_int_equal(distinct_add(&d, SPAN_STR("pc-300")), 0);
	assert_int_equal(d.n, 300);
	assert_true(d.more);
	distinct_deinit(&d);
}

static void lists_share_a_room(void **state)
{
	size_t room = 200;
	struct distinct a = {.most = 100, .room = &room}, b = {.most = 100, .room = &room};
	char word[16];
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		snprintf(word, sizeof(word), "%04u", i);
		assert_int_equal(distinct_add(i % 2 ? &a : &b, SPAN_STR(word)), 0);
	}
	assert_true(a.more && b.more);
	assert_true(a.n + b.n > 0 && (a.n + b.n) * 4 <= 200);
	assert_true(room < 200);
	distinct_deinit(&a);
	distinct_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_once_in_order),
		cmocka_unit_test(bytes_decide),
		cmocka_unit_test(as_many_as_may_be),
		cmocka_unit_test(lists_share_a_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
