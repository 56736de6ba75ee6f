/* Strings kept once: shared, counted, given back, bounded. */
#include "agent/recorder/names.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <stdlib.h>

static void the_same_string_is_kept_once(void **state)
{
	struct names *n;
	uint32_t a, b, c;

	(void)state;
	assert_int_equal(names_new(&n), 0);
	a = names_put(n, SPAN_STR("/usr/bin/vi"));
	b = names_put(n, SPAN_STR("/usr/bin/vi"));
	c = names_put(n, SPAN_STR("/usr/bin/v"));
	assert_int_not_equal(a, 0);
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
	assert_int_equal(names_kept(n), 2);
	names_unref(n, a);
	assert_true(span_eq(names_get(n, b), SPAN_STR("/usr/bin/vi")));
	names_unref(n, b);
	names_unref(n, c);
	assert_int_equal(names_kept(n), 0);
	assert_int_equal(names_put(n, SPAN(NULL, 0)), 0);
	assert_int_equal(names_get(n, 0).n, 0);
	names_unref(n, 0);
	names_free(n);
}

static void long_ones_fit_and_longer_ones_are_cut(void **state)
{
	static uint8_t text[NAMES_WHOLE + 10];
	static const size_t sizes[] = {1, 64, 65, 256, 257, 1024, 1025, 4096};
	struct names *n;
	size_t i;
	uint32_t id;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(names_new(&n), 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		id = names_put(n, SPAN(text, sizes[i]));
		assert_int_equal(names_get(n, id).n, sizes[i]);
	}
	id = names_put(n, SPAN(text, sizeof(text)));
	assert_int_equal(names_get(n, id).n, NAMES_WHOLE);
	names_free(n);
}

static void what_does_not_fit_is_counted_and_room_comes_back(void **state)
{
	struct names *n;
	char text[32];
	uint32_t last = 0;
	unsigned i;

	(void)state;
	assert_int_equal(names_new(&n), 0);
	for (i = 0; i < NAMES_MAX; i++) {
		snprintf(text, sizeof(text), "/p/%u", i);
		last = names_put(n, SPAN_STR(text));
		assert_int_not_equal(last, 0);
	}
	assert_int_equal(names_put(n, SPAN_STR("one more")), 0);
	assert_int_equal(names_refused(n), 1);
	names_unref(n, last);
	assert_int_not_equal(names_put(n, SPAN_STR("one more")), 0);
	assert_int_equal(names_kept(n), NAMES_MAX);
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_string_is_kept_once),
		cmocka_unit_test(long_ones_fit_and_longer_ones_are_cut),
		cmocka_unit_test(what_does_not_fit_is_counted_and_room_comes_back),
	};

	return cmocka_run_group_tests_name("recorder/names", tests, NULL, NULL);
}
