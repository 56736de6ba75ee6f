/* What clients ask: JSON bodies, numbers, queries, paths of tiles. */
#include "collector/ingest/ask.h"
#include "tests/unit/cm.h"

static void numbers(void **state)
{
	static const char *const bad[] = {"", "+1", "-1", " 1", "1 ", "01", "0x1", "1.0", "18446744073709551616",
		"99999999999999999999", "184467440737095516150"};
	uint64_t v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ask_number(bad[i], &v), V_BAD);
	assert_int_equal(v, 7);
	assert_int_equal(ask_number("0", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(ask_number("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
}

static void queries(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(ask_query("follow=1&checkpoint=42", "checkpoint", &v), 0);
	assert_int_equal(v, 42);
	assert_int_equal(ask_query("follow=1&checkpoint=42", "follow", &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(ask_query("", "follow", &v), V_NOT_FOUND);
	assert_int_equal(ask_query("follow", "follow", &v), V_NOT_FOUND);
	assert_int_equal(ask_query("xfollow=1", "follow", &v), V_NOT_FOUND);
	assert_int_equal(ask_query("follow=", "follow", &v), V_BAD);
	assert_int_equal(ask_query("follow=1&follow=1", "follow", &v), V_BAD);
	assert_int_equal(ask_query("follow=%31", "follow", &v), V_BAD);
	assert_int_equal(ask_query("&&follow=1&&", "follow", &v), 0);
}

static void tiles(void **state)
{
	static const char *const good[] = {"/tile/0/000", "/tile/63/255", "/tile/entries/000", "/tile/0/x001/x234/067",
		"/tile/1/000.p/255", "/tile/entries/x001/000.p/1"};
	static const char *const bad[] = {"", "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/0/00", "/tile/0/0000",
		"/tile/100/000", "/tile/-1/000", "/tile/0/x01/000", "/tile/0/x001", "/tile/0/000/", "/tile/0/000.p",
		"/tile/0/000.p/", "/tile/0/000.p/1000", "/tile/0/000.p/1/", "/tile/../checkpoint", "/tile/0/../000",
		"/tile/0//000", "/tile/entries", "/tile/entriesx/000", "/tile/0/x000/x000/x000/x000/x000/x000/x000/000",
		"tile/0/000"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(ask_tile(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ask_tile(bad[i]));
}

static void enrolment(void **state)
{
	static const char good[] =
		"{\"token\":\"a.b\",\"name\":\"pc\",\"csr\":\"PEM\",\"device_key\":\"AQID\",\"proof\":\"BAUG\"}";
	static const char *const bad[] = {"", "[]", "{}", "null", "{\"token\":1,\"name\":\"pc\"}",
		"{\"token\":\"a\",\"token\":\"b\",\"name\":\"pc\",\"csr\":\"\",\"device_key\":\"\",\"proof\":\"\"}",
		"{\"token\":\"a\",\"name\":\"pc\",\"csr\":\"\",\"device_key\":\"A\",\"proof\":\"\"}",
		"{\"token\":\"a\\u0000b\",\"name\":\"pc\",\"csr\":\"\",\"device_key\":\"\",\"proof\":\"\"}"};
	struct ask_enrol a;
	struct why why;
	size_t i;

	(void)state;
	assert_int_equal(ask_enrol_parse(SPAN_STR(good), &a, &why), 0);
	assert_string_equal(a.token, "a.b");
	assert_string_equal(a.name, "pc");
	assert_int_equal(a.csr.n, 3);
	assert_true(span_eq(buf_span(&a.device_key), SPAN("\1\2\3", 3)));
	assert_true(span_eq(buf_span(&a.proof), SPAN("\4\5\6", 3)));
	ask_enrol_deinit(&a);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ask_enrol_parse(SPAN_STR(bad[i]), &a, &why), V_BAD);
}

static void too_much(void **state)
{
	struct ask_renew a;
	struct why why;
	char *big = malloc(ASK_JSON_MAX + 1);

	(void)state;
	assert_non_null(big);
	memset(big, ' ', ASK_JSON_MAX + 1);
	assert_int_equal(ask_renew_parse(SPAN(big, ASK_JSON_MAX + 1), &a, &why), V_BAD);
	memset(big, '[', ASK_JSON_MAX);
	assert_int_equal(ask_renew_parse(SPAN(big, ASK_JSON_MAX), &a, &why), V_BAD);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(queries),
		cmocka_unit_test(tiles),
		cmocka_unit_test(enrolment),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
