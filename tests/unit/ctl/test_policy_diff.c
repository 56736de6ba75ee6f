/*
 * What two policies differ in, and ledgers as spreadsheets save them.
 */
#include "policy/base/text.h"
#include "policy/ctl/policy_diff.h"
#include "policy/ctl/policy_files.h"
#include "tests/unit/cm.h"

#define HEAD "vendor,product,serial,access,users,groups,label\n"

static struct policy *load(const char *yaml, const char *csv)
{
	struct policy *p = NULL;
	struct why why = {""};

	if (policy_load(SPAN_STR(yaml), SPAN_STR(csv), &p, &why))
		fail_msg("%s", why.text);
	return p;
}

/* "changed name" of each of a list, in its order. */
static void lists(const json_t *diff, const char *list, const char *key, const char *want)
{
	char got[1024] = "";
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(diff, list), i, o)
	{
		const char *change = json_string_value(json_object_get(o, "change"));
		const char *name = json_string_value(json_object_get(o, key));

		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s%s ", change ? change : "",
			change ? " " : "", name ? name : "?");
	}
	assert_string_equal(got, want);
}

static json_t *diff(const char *yaml_a, const char *csv_a, const char *yaml_b, const char *csv_b)
{
	const struct device_user who = {.user = NULL};
	struct policy *a = load(yaml_a, csv_a), *b = load(yaml_b, csv_b);
	json_t *out = NULL;

	assert_int_equal(policy_diff(a, b, &who, &out), 0);
	policy_free(a);
	policy_free(b);
	return out;
}

static void the_same_is_the_same(void **state)
{
	static const char yaml[] =
		"version: 1\nrules: [{name: a, match: {kind: storage, listed: yes}, access: listed}]\n";
	json_t *d = diff(yaml, HEAD "0951,1666,A,read-write,,,\n0951,1666,B,deny,,,\n", yaml,
		HEAD "951,1666,B,deny,,,\n,,,,,,\n0951,1666,A,read-write,,,\n");

	(void)state;
	assert_true(json_is_true(json_object_get(d, "same")));
	lists(d, "rows", "serial", "");
	lists(d, "devices", "serial", "");
	json_decref(d);
}

static void rules_are_compared_by_their_names(void **state)
{
	json_t *d = diff("version: 1\nrules:\n"
			 " - {name: a, match: {kind: storage, hosts: x}, access: deny}\n"
			 " - {name: b, match: {kind: storage, hosts: y}, access: deny}\n"
			 " - {name: c, match: {kind: storage, hosts: z}, access: deny}\n"
			 " - {name: d, match: {kind: storage, hosts: w}, access: deny}\n",
		"",
		"version: 2\nrules:\n"
		" - {name: d, match: {kind: storage, hosts: w}, access: deny}\n"
		" - {name: a, match: {hosts: [x], kind: [storage]}, access: deny}\n"
		" - {name: c, match: {kind: storage, hosts: z}, access: read-only}\n"
		" - {name: new, match: {kind: sd}, access: deny}\n",
		"");

	(void)state;
	lists(d, "rules", "name", "removed b moved d changed c added new ");
	assert_false(json_is_true(json_object_get(d, "same")));
	/* No row, and another default: what changes is told of any other. */
	lists(d, "devices", "kind", "sd ");
	json_decref(d);
}

static void rules_for_print_jobs_are_compared_too(void **state)
{
	json_t *d = diff("version: 1\nprint:\n  rules:\n"
			 "  - {name: p, match: {titles: a, contains: [x, y]}, action: hold}\n"
			 "  - {name: q, match: {users: taro}, action: deny}\n",
		"",
		"version: 2\nprint:\n  unavailable: hold\n  rules:\n"
		"  - {name: p, match: {contains: [x, y], titles: [a]}, action: hold}\n"
		"  - {name: q, match: {users: taro}, action: hold}\n",
		"");

	(void)state;
	lists(d, "print_rules", "name", "changed q ");
	lists(d, "settings", "name", "print: unavailable ");
	lists(d, "rules", "name", "");
	assert_false(json_is_true(json_object_get(d, "same")));
	json_decref(d);
}

static void rules_for_files_on_drives_are_compared_too(void **state)
{
	json_t *d = diff("version: 1\ndrives:\n  rules:\n"
			 "  - {name: p, match: {paths: a, contains: [x, y]}, action: alert}\n"
			 "  - {name: q, match: {users: taro, mib_over: 3}, action: note}\n",
		"",
		"version: 2\ndrives:\n  max_mib: 3\n  ocr: yes\n  rules:\n"
		"  - {name: p, match: {contains: [x, y], paths: [a]}, action: alert}\n"
		"  - {name: q, match: {users: taro, mib_over: 4}, action: note}\n",
		"");

	(void)state;
	lists(d, "drive_rules", "name", "changed q ");
	lists(d, "settings", "name", "drives: max_mib drives: ocr drives: ocr_seconds drives: ocr_seconds_per_hour ");
	lists(d, "print_rules", "name", "");
	assert_false(json_is_true(json_object_get(d, "same")));
	json_decref(d);
	d = diff("version: 1\n", "", "version: 1\ndrives: {}\n", "");
	lists(d, "settings", "name", "drives: default drives: max_mib ");
	json_decref(d);
}

static void settings_and_what_they_change_are_told(void **state)
{
	json_t *d = diff("version: 1\n", "", "version: 2\ndefaults: {phone: read-only}\nrelease: {max_hours: 2}\n", "");

	(void)state;
	lists(d, "settings", "name", "defaults: phone release: max_hours ");
	lists(d, "devices", "kind", "phone ");
	json_decref(d);
	d = diff("version: 1\n", "", "version: 2\nmode: note\n", "");
	lists(d, "settings", "name", "mode ");
	assert_int_equal(json_array_size(json_object_get(d, "devices")), 15);
	json_decref(d);
}

static void rows_are_compared_by_their_devices(void **state)
{
	json_t *d = diff("version: 1\n",
		HEAD "0951,1666,A,read-write,,,one\n0951,1666,B,read-write,,,\n0951,1666,C,read-write,taro,,\n"
		     "0951,1666,G,read-only,,,\n0951,1666,G,read-write,,sales,\n",
		"version: 2\n",
		HEAD "0951,1666,A,read-write,,,another label\n0951,1666,C,read-only,taro,,\n"
		     "0951,1666,D,read-write,,finance,\n0951,1666,G,read-only,,,\n0951,1666,G,deny,,sales,\n");
	json_t *o;

	(void)state;
	lists(d, "rows", "serial", "changed A removed B changed C added D changed G ");
	/* A has another label and nothing else; for whom a row is, its device is decided. */
	lists(d, "devices", "serial", "B C D G ");
	o = json_array_get(json_object_get(d, "devices"), 1);
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "from"), "access")), "read-write");
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "to"), "rule")), "ledger:3");
	json_decref(d);
}

static int convert(const char *bytes, size_t n, struct buf *out, struct why *why)
{
	bool was_cp932;

	*out = BUF_INIT(256);
	assert_int_equal(buf_put(out, bytes, n), 0);
	return ledger_to_utf8(out, &was_cp932, why);
}

static void what_excel_calls_csv_in_japan_is_read(void **state)
{
	/* By iconv(1) from UTF-8: "経理部,①,~,ソ" (the last with a backslash for its second byte) */
	static const char cp932[] = "\x8c\x6f\x97\x9d\x95\x94,\x87\x40,\x81\x60,\x83\x5c\r\n";
	struct why why = {""};
	struct buf b;

	(void)state;
	assert_int_equal(convert(cp932, sizeof(cp932) - 1, &b, &why), 0);
	assert_string_equal(buf_str(&b), "経理部,①,～,ソ\r\n");
	buf_deinit(&b);
	assert_int_equal(convert("経理部\n", strlen("経理部\n"), &b, &why), 0);
	assert_string_equal(buf_str(&b), "経理部\n");
	buf_deinit(&b);
	assert_int_equal(convert("a\nb\n\xff\xfd\n", 7, &b, &why), V_BAD);
	assert_non_null(strstr(why.text, "line 3: neither UTF-8 nor CP932"));
	assert_int_equal(b.n, 7);
	buf_deinit(&b);
	/* Cut within a character. */
	assert_int_equal(convert("a\n\x8c", 3, &b, &why), V_BAD);
	assert_non_null(strstr(why.text, "line 2"));
	buf_deinit(&b);
	assert_int_equal(convert("\xff\xfe"
				 "a\0",
				 4, &b, &why),
		V_BAD);
	assert_non_null(strstr(why.text, "UTF-16"));
	buf_deinit(&b);
	/* What says that it is UTF-8 is not guessed at. */
	assert_int_equal(convert("\xef\xbb\xbf\x8c\x6f", 5, &b, &why), 0);
	assert_int_equal(b.n, 5);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_the_same),
		cmocka_unit_test(rules_are_compared_by_their_names),
		cmocka_unit_test(rules_for_print_jobs_are_compared_too),
		cmocka_unit_test(rules_for_files_on_drives_are_compared_too),
		cmocka_unit_test(settings_and_what_they_change_are_told),
		cmocka_unit_test(rows_are_compared_by_their_devices),
		cmocka_unit_test(what_excel_calls_csv_in_japan_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
