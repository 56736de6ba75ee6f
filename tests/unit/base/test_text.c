/* Text from outside: what is UTF-8, what is escaped, and the text forms of bytes and times. */
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <time.h>

static void utf8_by_rfc_3629(void **state)
{
	(void)state;
	assert_true(text_is_utf8(SPAN_STR("plain")));
	assert_true(text_is_utf8(SPAN_STR("特定個人情報 𠮷野家")));
	assert_true(text_is_utf8(SPAN("\xf4\x8f\xbf\xbf", 4)));
	assert_false(text_is_utf8(SPAN("\xc0\x80", 2)));         /* overlong */
	assert_false(text_is_utf8(SPAN("\xe0\x9f\xbf", 3)));     /* overlong */
	assert_false(text_is_utf8(SPAN("\xed\xa0\x80", 3)));     /* surrogate */
	assert_false(text_is_utf8(SPAN("\xf4\x90\x80\x80", 4))); /* past U+10FFFF */
	assert_false(text_is_utf8(SPAN("\xe3\x81", 2)));         /* cut */
	assert_false(text_is_utf8(SPAN("\x80", 1)));
}

static void nothing_that_moves_a_terminal_passes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(256);

	(void)state;
	assert_int_equal(text_escape(&b, SPAN("a\x1b[2J\n\\\x7f\xff\xe2\x80\xae\xc2\x9b"
					      "あ",
						 17)),
		0);
	assert_string_equal(buf_str(&b), "a\\x1b[2J\\n\\\\\\x7f\\xff\\xe2\\x80\\xae\\xc2\\x9b"
					 "あ");
}

static void cuts_between_characters(void **state)
{
	char small[10];

	(void)state;
	assert_string_equal(text_escape_to(small, sizeof(small), SPAN_STR("ああああ")), "ああ...");
	assert_string_equal(text_escape_to(small, sizeof(small), SPAN_STR("short")), "short");
	/* The first byte of two whose bits look like \r, \n, \t, alone and cut. */
	assert_string_equal(text_escape_to(small, sizeof(small), SPAN_STR("\xcd x")), "\\xcd x");
	assert_string_equal(text_escape_to(small, sizeof(small), SPAN_STR("\xca\xc9")), "\\xca\\xc9");
}

static void copies_end_between_characters(void **state)
{
	char small[6];

	(void)state;
	assert_string_equal(text_copy(small, sizeof(small), SPAN_STR("ああ")), "あ");
	assert_string_equal(text_copy(small, sizeof(small), SPAN_STR("aa𠮷")), "aa");
	assert_string_equal(text_copy(small, sizeof(small), SPAN_STR("short")), "short");
	assert_string_equal(text_copy(small, sizeof(small), SPAN_STR("longer")), "longe");
	assert_string_equal(text_copy(small, sizeof(small), SPAN("", 0)), "");
	/* No text: cut where it does not fit. */
	assert_string_equal(
		text_copy(small, sizeof(small), SPAN_STR("\x80\x80\x80\x80\x80\x80\x80")), "\x80\x80\x80\x80\x80");
	assert_string_equal(text_copy(small, 1, SPAN_STR("x")), "");
}

static void hex_goes_both_ways(void **state)
{
	uint8_t out[2];
	char s[5];

	(void)state;
	assert_string_equal(hex_encode(s, "\x0a\xff", 2), "0aff");
	assert_int_equal(hex_decode("0AfF", out, 2), 0);
	assert_memory_equal(out, "\x0a\xff", 2);
	assert_int_equal(hex_decode("0af", out, 2), V_BAD);
	assert_int_equal(hex_decode("0aff0", out, 2), V_BAD);
	assert_int_equal(hex_decode("0agf", out, 2), V_BAD);
}

static void base64_by_rfc_4648(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Zg=", "Zh==", "Zm9=", "Z===", "Zm9v\n", "Zm 9v", "====", "Zg==Zg=="};
	_cleanup_buf_ struct buf full = BUF_INIT(4);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_buf_ struct buf a = BUF_INIT(64), b = BUF_INIT(64);

		assert_int_equal(base64_encode(&a, SPAN_STR(pairs[i][0])), 0);
		assert_string_equal(buf_str(&a), pairs[i][1]);
		assert_int_equal(base64_decode(&b, SPAN_STR(pairs[i][1])), 0);
		assert_string_equal(buf_str(&b), pairs[i][0]);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(64);

		assert_int_equal(base64_decode(&b, SPAN_STR(bad[i])), V_BAD);
		assert_int_equal(b.n, 0);
	}
	/* as much as there is room for, and no byte more */
	assert_int_equal(base64_decode(&full, SPAN_STR("Zm9vYg==")), 0);
	assert_int_equal(full.n, 4);
	buf_clear(&full);
	assert_int_equal(base64_decode(&full, SPAN_STR("Zm9vYmE=")), V_FULL);
}

static void times_as_people_write_them(void **state)
{
	const int64_t now = 1795471353ll * 1000000;
	char s[TEXT_TIME_SIZE];
	int64_t t;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_string_equal(text_time_utc(s, 1795471353123456ll), "2026-11-23T22:02:33.123456Z");
	assert_string_equal(text_time_utc(s, -1), "1969-12-31T23:59:59.999999Z");
	assert_string_equal(text_time_utc(s, 253402300799999999ll), "9999-12-31T23:59:59.999999Z");
	assert_string_equal(text_time_utc(s, 253402300800000000ll), "+010000-01-01T00:00:00.000000Z");
	assert_string_equal(text_time_utc(s, -30610224000000001ll), "0999-12-31T23:59:59.999999Z");
	assert_string_equal(text_time_utc(s, -62167219200000001ll), "-000001-12-31T23:59:59.999999Z");
	assert_string_equal(text_time_utc(s, INT64_MAX), "+294247-01-10T04:00:54.775807Z");
	assert_string_equal(text_time_utc(s, INT64_MIN), "-290308-12-21T19:59:05.224192Z");
	assert_int_equal(text_time_parse("2026-11-23T22:02:33Z", now, &t), 0);
	assert_true(t == now);
	assert_int_equal(text_time_parse("2026-11-24T07:02:33.5+09:00", now, &t), 0);
	assert_true(t == now + 500000);
	assert_int_equal(text_time_parse("1970-01-02T09:00+09:00", now, &t), 0); /* as the help has it */
	assert_int_equal(t, 86400000000);
	assert_int_equal(text_time_parse("2026-11-24T07:02+0900", now, &t), V_BAD);
	assert_int_equal(text_time_parse("-2h", now, &t), 0);
	assert_true(t == now - 7200 * 1000000ll);
	assert_int_equal(text_time_parse("2026-13-01", now, &t), V_BAD);
	assert_int_equal(text_time_parse("-2x", now, &t), V_BAD);
	assert_int_equal(text_time_parse("--2h", now, &t), V_BAD);
	assert_int_equal(text_time_parse("", now, &t), V_BAD);
	assert_int_equal(text_time_parse("yesterday", now, &t), V_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_by_rfc_3629),
		cmocka_unit_test(nothing_that_moves_a_terminal_passes),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(copies_end_between_characters),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(base64_by_rfc_4648),
		cmocka_unit_test(times_as_people_write_them),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
