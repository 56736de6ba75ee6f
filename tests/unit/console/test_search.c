/* What is asked of the logs: good queries, bad ones, cursors, and facts that the store does not look for. */
#include "collector/console/search.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"

#define NOW INT64_C(1764000000000000)
#define FILTER (SEARCH_FILTER | SEARCH_ORDER | SEARCH_PAGE)

static struct search s;
static struct why why;

static void good(void **state)
{
	(void)state;
	assert_int_equal(search_parse("", FILTER, NOW, &s, &why), 0);
	assert_true(s.filter.newest_first);
	assert_int_equal(s.limit, 100);
	assert_int_equal(search_parse("user=%E8%8A%B1%E5%AD%90&kind=exec,file&class=usb&path=%2Fsrv%2F*&text=a+b&since="
				      "-2h&order=oldest&"
				      "limit=7&host=pc-1&program=vim&until=2999-01-01T00:00:00Z",
				 FILTER, NOW, &s, &why),
		0);
	assert_string_equal(s.filter.user, "花子");
	assert_string_equal(s.filter.path, "/srv/*");
	assert_string_equal(s.filter.text, "a b");
	assert_int_equal(s.filter.kinds_n, 2);
	assert_int_equal(s.filter.kinds[1], KIND_FILE);
	assert_int_equal(s.filter.classes[0], CLASS_USB);
	assert_true(s.filter.from_us == NOW - INT64_C(7200000000));
	assert_false(s.filter.newest_first);
	assert_int_equal(s.limit, 7);
}

static void bad(void **state)
{
	static const char *const queries[] = {"nonsense=1", "user", "user=", "user=a&user=b", "limit=0", "limit=501",
		"limit=-1", "limit=1e3", "kind=", "kind=exec,", "kind=,exec", "kind=nothing", "class=exec", "order=up",
		"since=yesterday", "user=%", "user=%4", "user=%zz", "user=%00", "user=a%00b", "user=%ff", "cursor=1",
		"cursor=1.", "cursor=.1", "cursor=a.b", "cursor=1.2.3", "cursor=-.1", "cursor=--1.1", "cursor=1.-1",
		"cursor=99999999999999999999.1", "lang=en", "fact=access", "fact=access:", "fact=:deny",
		"fact=nothing:1", "fact=access:perhaps", "fact=pid:x", "fact=fingerprint:abc", "fact=time:1",
		"device=", "=x", "user=a&&&user=b", "USER=a", "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		why.text[0] = 0;
		if (search_parse(queries[i], FILTER, NOW, &s, &why) != V_BAD)
			fail_msg("taken: %s", queries[i]);
		assert_true(why.text[0]);
	}
}

static void too_much(void **state)
{
	static char query[SEARCH_TEXT_MAX + 16];

	(void)state;
	memset(query, 'a', sizeof(query) - 1);
	memcpy(query, "text=", 5);
	assert_int_equal(search_parse(query, FILTER, NOW, &s, &why), V_BAD);
	query[5 + 1025] = 0;
	assert_int_equal(search_parse(query, FILTER, NOW, &s, &why), V_BAD);
	query[5 + 1024] = 0;
	assert_int_equal(search_parse(query, FILTER, NOW, &s, &why), 0);
	assert_int_equal(
		search_parse("fact=pid:1&fact=pid:2&fact=pid:3&fact=pid:4&fact=pid:5&fact=pid:6&fact=pid:7&fact=pid:8",
			FILTER, NOW, &s, &why),
		0);
	assert_int_equal(
		search_parse("fact=pid:1&fact=pid:2&fact=pid:3&fact=pid:4&fact=pid:5&fact=pid:6&fact=pid:7&fact=pid:8&"
			     "fact=pid:9",
			FILTER, NOW, &s, &why),
		V_BAD);
}

static void cursors(void **state)
{
	char text[SEARCH_CURSOR_SIZE], query[128];

	(void)state;
	search_cursor(text, NOW, UINT64_MAX);
	snprintf(query, sizeof(query), "cursor=%s", text);
	assert_int_equal(search_parse(query, FILTER, NOW, &s, &why), 0);
	assert_true(s.has_cursor && s.cursor_us == NOW && s.cursor_row == UINT64_MAX);
	search_cursor(text, -NOW, 7);
	snprintf(query, sizeof(query), "cursor=%s", text);
	assert_int_equal(search_parse(query, FILTER, NOW, &s, &why), 0);
	assert_true(s.has_cursor && s.cursor_us == -NOW && s.cursor_row == 7);
}

static bool fits(const char *query, const struct record *r)
{
	assert_int_equal(search_parse(query, FILTER, NOW, &s, &why), 0);
	return search_fits(&s, r);
}

static void facts(void **state)
{
	static struct record r;
	uint8_t print[DIGEST_SIZE];

	(void)state;
	memset(print, 0xab, sizeof(print));
	record_set_uint(&r, F_ACCESS, ACCESS_DENY);
	record_set_uint(&r, F_PID, 17);
	record_set_str(&r, F_SERIAL, "60A44C-Secret");
	record_set_str(&r, F_RULE, "ledger:17");
	record_set_span(&r, F_FINGERPRINT, SPAN(print, sizeof(print)));
	assert_true(fits("fact=access:deny", &r));
	assert_false(fits("fact=access:read-only", &r));
	assert_true(fits("fact=access:deny&fact=pid:17", &r));
	assert_false(fits("fact=access:deny&fact=pid:18", &r));
	assert_true(fits("fact=rule:ledger:17", &r));
	assert_true(fits("fact=rule:ledger:*", &r));
	assert_false(fits("fact=uid:0", &r));
	assert_true(fits("device=60a44c", &r));
	assert_true(fits("device=abababab", &r));
	assert_false(fits("device=kingston", &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(too_much),
		cmocka_unit_test(cursors),
		cmocka_unit_test(facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
