/* Records as JSON, CSV and lines: hostile text stays text. */
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <time.h>

static struct record r;

static void hostile(void)
{
	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_FILE);
	record_set_int(&r, F_TIME, 1795471353123456);
	record_set_uint(&r, F_FLAGS, RF_CREATED | RF_WROTE);
	record_set_uint(&r, F_PID, 42);
	record_set_str(&r, F_USER, "=cmd|' /C calc'!A0");
	record_set_str(&r, F_PROGRAM, "/bin/sh");
	record_set_str(&r, F_PATH, "/tmp/\"a\"\n\x1b[31m<script>");
	record_set_str(&r, F_PATH2, "/tmp/\xff");
	record_set_uint(&r, F_MODE, 0644);
	record_set_int(&r, F_RESULT, -13);
	record_set_uint(&r, F_WRITTEN, 2048);
}

static void json(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);

	(void)state;
	hostile();
	assert_int_equal(record_json(&r, &b), 0);
	assert_string_equal(buf_str(&b),
		"{\"kind\":\"file\",\"time\":\"2026-11-23T22:02:33.123456Z\",\"result\":-13,\"flags\":[\"created\","
		"\"wrote\"],"
		"\"pid\":42,\"user\":\"=cmd|' /C calc'!A0\",\"program\":\"/bin/sh\","
		"\"path\":\"/tmp/\\\"a\\\"\\n\\u001b[31m<script>\",\"path2\":{\"hex\":\"2f746d702fff\"},"
		"\"mode\":\"0644\",\"written\":2048}");
}

static void json_for_the_web_holds_every_number(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);

	(void)state;
	record_reset(&r);
	record_set_uint(&r, F_KIND, 9999);
	record_set_int(&r, F_RESULT, INT64_MIN);
	record_set_int(&r, F_START, -9007199254740991);
	record_set_uint(&r, F_INODE, 9007199254740991);
	record_set_uint(&r, F_SIZE, 9007199254740992);
	record_set_uint(&r, F_READ, UINT64_MAX);
	record_set_int(&r, F_DURATION, INT64_MAX);
	record_set_uint(&r, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	assert_int_equal(record_json_web(&r, &b), 0);
	assert_string_equal(buf_str(&b),
		"{\"kind\":\"9999\",\"result\":\"-9223372036854775808\",\"start\":-9007199254740991,"
		"\"inode\":9007199254740991,\"size\":\"9007199254740992\",\"read\":\"18446744073709551615\","
		"\"duration\":\"9223372036854775807\",\"policy_mode\":\"enforce\"}");
	buf_clear(&b);
	assert_int_equal(record_json(&r, &b), 0);
	assert_non_null(strstr(buf_str(&b), "\"kind\":9999,\"result\":-9223372036854775808,"));
	assert_non_null(strstr(buf_str(&b), "\"read\":18446744073709551615,"));
}

static void csv_runs_nothing(void **state)
{
	static const unsigned fields[] = {F_KIND, F_USER, F_PATH, F_RESULT, F_READ, 0};
	_cleanup_buf_ struct buf b = BUF_INIT(4096);

	(void)state;
	hostile();
	assert_int_equal(record_csv_head(fields, LANG_JA, &b), 0);
	assert_int_equal(record_csv(&r, fields, LANG_EN, &b), 0);
	assert_string_equal(buf_str(&b),
		"\"種別\",\"ユーザー名\",\"パス\",\"結果\",\"読み取りバイト数\"\r\n"
		"\"File used\",\"'=cmd|' /C calc'!A0\",\"/tmp/\"\"a\"\"\\n\\x1b[31m<script>\",\"-13\",\"\"\r\n");
}

static void no_cell_begins_a_formula(void **state)
{
	static const char *const begins[] = {
		"=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"};
	static const char *const fine[] = {"", "1=1", "a-b", "〜1", "ー", "！", "\xef\xbc"};
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	char want[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(begins) + ARRAY_SIZE(fine); i++) {
		bool formula = i < ARRAY_SIZE(begins);
		const char *cell = formula ? begins[i] : fine[i - ARRAY_SIZE(begins)];

		buf_clear(&b);
		assert_int_equal(record_csv_cell(SPAN_STR(cell), &b), 0);
		snprintf(want, sizeof(want), "\"%s%s\"", formula ? "'" : "", cell);
		assert_string_equal(buf_str(&b), want);
	}
}

static void a_line_moves_no_cursor(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	size_t i;

	(void)state;
	hostile();
	assert_int_equal(record_line(&r, LANG_JA, &b), 0);
	for (i = 0; i < b.n; i++)
		assert_true(b.p[i] >= 0x20);
	assert_non_null(strstr(buf_str(&b), "ファイル操作"));
	assert_non_null(strstr(buf_str(&b), "2.0 KiB"));
	assert_non_null(strstr(buf_str(&b), "2026-11-24 07:02:33.123"));
}

static void what_does_not_fit_leaves_nothing(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(40);

	(void)state;
	hostile();
	assert_int_equal(record_json(&r, &b), V_FULL);
	assert_int_equal(b.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(json_for_the_web_holds_every_number),
		cmocka_unit_test(csv_runs_nothing),
		cmocka_unit_test(no_cell_begins_a_formula),
		cmocka_unit_test(a_line_moves_no_cursor),
		cmocka_unit_test(what_does_not_fit_leaves_nothing),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return cmocka_run_group_tests_name("wire/record", tests, NULL, NULL);
}
