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

/* A life is asked for by one thing, in a time and on a PC, and by nothing else. */
static void trail(void **state)
{
	static const char *const bad[] = {"of=", "of=%00", "of=a&of=b", "user=a", "path=%2Fa", "kind=file", "limit=5",
		"cursor=1.1", "order=oldest", "lang=ja"};
	size_t i;

	(void)state;
	assert_int_equal(
		search_parse("of=%2Fhome%2F%E8%A1%A8.xlsx&host=pc-1&since=-2h", SEARCH_TRAIL, NOW, &s, &why), 0);
	assert_string_equal(s.of, "/home/表.xlsx");
	assert_string_equal(s.filter.host, "pc-1");
	assert_true(s.filter.from_us == NOW - INT64_C(7200000000));
	assert_int_equal(search_parse("since=-2h", SEARCH_TRAIL, NOW, &s, &why), 0);
	assert_null(s.of);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (search_parse(bad[i], SEARCH_TRAIL, NOW, &s, &why) != V_BAD)
			fail_msg("taken: %s", bad[i]);
	/* And searches know none. */
	assert_int_equal(search_parse("of=%2Fa", FILTER, NOW, &s, &why), V_BAD);
}

/* What the page lets people save: its own words beside the server's, and nothing that would be refused when asked. */
static void saved(void **state)
{
	static const struct {
		const char *text;
		int want;
	} lists[] = {
		{"[]", 0},
		{"[{'name': '<b>USB</b>', 'query': "
		 "'since=all&c=usb&user=t*&fact=access:deny&fact=rule:x&order=oldest'}]",
			0},
		{"[{'name': 'a', 'query': ''}, {'name': 'b', 'query': 'since=-7d&until=2020-01-01T00:00:00Z'}]", 0},
		{"{}", V_BAD},
		{"null", V_BAD},
		{"['a']", V_BAD},
		{"[{'name': 'a'}]", V_BAD},
		{"[{'name': 'a', 'query': '', 'more': 1}]", V_BAD},
		{"[{'name': '', 'query': ''}]", V_BAD},
		{"[{'name': 1, 'query': ''}]", V_BAD},
		{"[{'name': 'a', 'query': ''}, {'name': 'a', 'query': 'c=usb'}]", V_BAD},
		{"[{'name': 'a\\u0000b', 'query': ''}]", V_BAD},
		{"[{'name': 'a', 'query': 'user=a\\u0000'}]", V_BAD},
		{"[{'name': 'a', 'query': 'nonsense=1'}]", V_BAD},
		{"[{'name': 'a', 'query': 'cursor=1.1'}]", V_BAD},
		{"[{'name': 'a', 'query': 'c=USB'}]", V_BAD},
		{"[{'name': 'a', 'query': 'c='}]", V_BAD},
		{"[{'name': 'a', 'query': 'until=1&until=2'}]", V_BAD},
		{"[{'name': 'a', 'query': 'since=never'}]", V_BAD},
	};
	json_t *many = json_array(), *long_one;
	char text[400], name[SEARCH_SAVED_NAME_MAX + 2];
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		json_t *list;
		int got;

		snprintf(text, sizeof(text), "%s", lists[i].text);
		for (k = 0; text[k]; k++)
			text[k] = text[k] == '\'' ? '"' : text[k];
		list = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(list);
		why.text[0] = 0;
		got = search_saved_check(list, NOW, &why);
		if (got != lists[i].want)
			fail_msg("%s: %d, %s", lists[i].text, got, why.text);
		assert_true(!got || why.text[0]);
		json_decref(list);
	}
	for (i = 0; i < SEARCH_SAVED_MAX; i++) {
		snprintf(text, sizeof(text), "name %zu", i);
		json_array_append_new(many, json_pack("{s:s, s:s}", "name", text, "query", "c=usb"));
	}
	assert_int_equal(search_saved_check(many, NOW, &why), 0);
	json_array_append_new(many, json_pack("{s:s, s:s}", "name", "one more", "query", ""));
	assert_int_equal(search_saved_check(many, NOW, &why), V_BAD);
	json_decref(many);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	long_one = json_pack("[{s:s, s:s}]", "name", name, "query", "");
	assert_int_equal(search_saved_check(long_one, NOW, &why), V_BAD);
	json_decref(long_one);
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
		cmocka_unit_test(trail),
		cmocka_unit_test(saved),
		cmocka_unit_test(too_much),
		cmocka_unit_test(cursors),
		cmocka_unit_test(facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
