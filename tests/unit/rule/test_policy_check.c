/*
 * What a policy's check finds: each finding once by its name and line, in both languages, and nothing where nothing is
 * wrong.
 */
#include "policy/base/text.h"
#include "policy/rule/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "vendor,product,serial,access,users,groups,hosts,from,until,encrypted,medium\n"
#define ROW(serial, access) "0951,1666," serial "," access ",,,,,,,\n"

struct findings {
	char codes[4096]; /* "hidden:4 expired:7 ", a fatal one with "!" */
};

static void on_finding(void *ctx, const struct policy_finding *found)
{
	struct findings *f = ctx;
	size_t n = strlen(f->codes);

	assert_true(found->en[0] && found->ja[0]);
	assert_true(text_is_utf8(SPAN_STR(found->ja)));
	assert_string_not_equal(found->en, found->ja);
	snprintf(f->codes + n, sizeof(f->codes) - n, "%s%s:%u ", found->fatal ? "!" : "", found->code, found->line);
}

static void finds(const char *yaml, const char *csv, const char *codes)
{
	struct findings f = {""};
	struct policy *p = NULL;
	struct why why = {""};
	int64_t now;
	int r;

	assert_int_equal(text_time_parse("2026-11-24T10:00:00Z", 0, &now), 0);
	if (policy_load(SPAN_STR(yaml), SPAN_STR(csv), &p, &why))
		fail_msg("%s", why.text);
	r = policy_check(p, now, on_finding, &f);
	assert_string_equal(f.codes, codes);
	assert_int_equal(r, strchr(codes, '!') ? V_BAD : 0);
	/* The guard asks only for what refuses it, and comes to the same end. */
	assert_int_equal(policy_try(p, NULL, NULL), r);
	policy_free(p);
}

#define RULES "version: 1\nrules:\n"
#define ONE ROW("AAAA11112222", "read-write")

static void rules_that_are_hidden_are_told(void **state)
{
	(void)state;
	finds(RULES " - {name: a, match: {kind: [storage, sd]}, access: read-only}\n"
		    " - {name: b, match: {kind: storage, users: taro}, access: deny}\n",
		"", "hidden:4 ");
	finds(RULES " - {name: a, match: {kind: storage, hosts: \"ws-*\"}, access: read-only}\n"
		    " - {name: b, match: {kind: storage, hosts: [ws-1, ws-2]}, access: deny}\n"
		    " - {name: c, match: {kind: storage, hosts: [ws-1, lab]}, access: deny}\n",
		"", "hidden:4 ");
	finds(RULES " - {name: a, match: {vendor: 0951}, access: read-only}\n"
		    " - {name: b, match: {vendor: 0951, product: 1666, serial: X}, access: read-only}\n"
		    " - {name: c, match: {product: 1666, serial: X}, access: read-only}\n",
		"", "hidden:4 ");
	finds(RULES " - {name: a, match: {kind: storage, hours: 07:00-20:00, days: mon-fri}, access: read-only}\n"
		    " - {name: b, match: {kind: storage, hours: 09:00-10:00, days: [mon]}, access: deny}\n"
		    " - {name: c, match: {kind: storage, hours: 22:00-06:00, days: [mon]}, access: deny}\n",
		"", "hidden:4 ");
	/* What a rule about the ledger does not take goes on to the next one. */
	finds(RULES " - {name: a, match: {kind: storage}, access: listed}\n"
		    " - {name: b, match: {kind: storage}, access: deny}\n",
		HEAD ONE, "");
	finds(RULES " - {name: a, match: {interfaces: 08:*:*}, access: read-only}\n"
		    " - {name: b, match: {interfaces: [08:06:50, 08:06:62]}, access: deny}\n"
		    " - {name: c, match: {kind: vendor, interfaces: [08:06:50, ff:*:*]}, access: deny}\n",
		"", "!lockout:4 hidden:4 ");
}

static void rules_that_cannot_fit_are_told(void **state)
{
	(void)state;
	finds(RULES " - {name: a, match: {kind: storage, listed: yes}, access: listed}\n", "", "never:3 ");
	finds(RULES " - {name: a, match: {kind: storage, until: 2026-11-01T00:00:00Z}, access: deny}\n", "",
		"expired:3 ");
	finds(RULES " - {name: a, match: {kind: storage, from: 2027-01-01, until: 2026-12-01}, access: deny}\n", "",
		"never:3 ");
	finds(RULES " - {name: a, match: {kind: storage, from: 2026-12-01, until: 2027-01-01}, access: deny}\n", "",
		"");
}

static void grants_to_whatever_comes_are_told(void **state)
{
	(void)state;
	finds(RULES " - {name: a, match: {kind: storage, port: 1-1}, access: read-write}\n", "", "by-port:3 ");
	finds(RULES " - {name: a, match: {vendor: 0951, product: 1666}, access: read-write}\n", "", "by-model:3 ");
	finds(RULES " - {name: a, match: {vendor: 0951, kind: printer}, access: read-write}\n", "", "");
	finds("version: 1\n", HEAD ROW("", "read-write"), "by-model:2 ");
	finds("version: 1\n", HEAD ROW("AB*", "read-write"), "by-pattern:2 ");
	finds("version: 1\n", HEAD ROW("1234567", "read-write"), "short-serial:2 ");
}

static void rows_that_do_not_count_are_told(void **state)
{
	(void)state;
	finds("version: 1\n", HEAD "0951,1666,AAAA11112222,read-write,,,,,2026-11-01,,\n", "expired:2 ");
	finds("version: 1\n", HEAD ONE ROW("AAAA11112222", "deny"), "hidden:2 ");
	finds("version: 1\n", HEAD ONE ONE, "hidden:3 ");
	finds("version: 1\n", HEAD ONE ROW("AAAA*", "read-only"), "hidden:2 ");
	finds("version: 1\n", HEAD ONE ",,AAAA11112222,deny,,,,,,,\n", "hidden:2 ");
	/* For others, at another time, with more asked for: both count. */
	finds("version: 1\n", HEAD ONE "0951,1666,AAAA11112222,deny,taro,,,,,,\n", "");
	finds("version: 1\n", HEAD ONE "0951,1666,AAAA11112222,read-write,,,,,,yes,\n", "");
	finds("version: 1\n", HEAD ONE "0951,1666,AAAA11112222,deny,,,,2026-12-01,,,\n", "");
	finds(RULES " - {name: a, match: {kind: storage}, access: read-only}\n", HEAD ONE ROW("BBBB11112222", "deny"),
		"ledger-not-asked:3 ");
	finds(RULES " - {name: a, match: {kind: storage, groups: x}, access: listed}\n"
		    " - {name: b, match: {kind: storage}, access: read-only}\n",
		HEAD ONE, "");
	finds(RULES " - {name: a, match: {kind: storage, vendor: 1234}, access: listed}\n"
		    " - {name: b, match: {kind: storage}, access: read-only}\n",
		HEAD ONE, "ledger-not-asked:4 ");
}

static void serial_numbers_that_excel_changed_are_told(void **state)
{
	(void)state;
	finds("version: 1\n", HEAD ROW("1.23E+15", "read-write"), "serial-made-a-number:2 ");
	finds("version: 1\n", HEAD ROW("7E+18", "deny"), "serial-made-a-number:2 ");
	finds("version: 1\n", HEAD ROW("1234567890123450000", "read-write"), "serial-rounded:2 ");
	finds("version: 1\n", HEAD ROW("1234567890123456000", "read-write"), "");
	finds("version: 1\n", HEAD ROW("0234567890123450000", "read-write"), "");
	finds("version: 1\n",
		HEAD ROW("070812345678", "deny") ROW("AA0812345679", "deny") ROW("812345670", "deny")
			ROW("070812345671", "deny"),
		"serial-zeros-lost:4 ");
	/* Three of a model, each of another length: nothing is usual there. */
	finds("version: 1\n", HEAD ROW("070812345678", "deny") ROW("8123456789", "deny") ROW("812345670", "deny"), "");
}

static void nobody_is_locked_out(void **state)
{
	(void)state;
	finds("version: 1\ndefaults: {hid: deny}\n", "", "!lockout:0 ");
	finds("version: 1\ndefaults: {hid: deny, hub: deny}\n", "", "!lockout:0 !lockout:0 ");
	finds("version: 1\ndefaults: {hid: deny}\nlockout: yes\n", "", "");
	finds("version: 1\nmode: note\ndefaults: {hid: deny}\n", "", "");
	finds(RULES " - {name: a, access: deny}\n", "", "!lockout:3 ");
	finds(RULES " - {name: a, match: {hosts: ws-1}, access: deny}\n", "", "!lockout:3 ");
	finds(RULES " - {name: a, match: {vendor: 046d}, access: deny}\n", "", "!lockout:3 ");
	finds(RULES " - {name: a, match: {vendor: 046d, product: c31c}, access: deny}\n", "", "");
	finds(RULES " - {name: a, match: {kind: [storage, hid]}, access: deny}\n", "", "!lockout:3 ");
	finds(RULES " - {name: a, match: {kind: storage}, access: deny}\n", "", "");
	finds(RULES " - {name: a, match: {hosts: ws-1}, access: deny, mode: note}\n", "", "");
	finds("version: 1\n", HEAD ",,*,deny,,,,,,,\n", "!lockout:2 ");
	finds("version: 1\n", HEAD "1234,,,deny,,,,,,,\n", "!lockout:2 ");
	finds("version: 1\n", HEAD "1234,5678,,deny,,,,,,,\n", "");
	/* Whoever lets them through first may deny the rest. */
	finds(RULES " - {name: keys, match: {kind: [hid, hub]}, access: read-write}\n - {name: rest, access: deny}\n",
		"", "");
	finds(RULES " - {name: keys, match: {kind: [hid, hub]}, access: read-write}\n", HEAD "1234,,,deny,,,,,,,\n",
		"");
	finds(RULES " - {name: keys, match: {kind: hid}, access: read-write}\n - {name: rest, access: deny}\n", "",
		"!lockout:4 ");
	finds(RULES " - {name: keys, match: {kind: [hid, hub], users: taro}, access: read-write}\n"
		    " - {name: rest, access: deny}\n",
		"", "!lockout:4 ");
}

static void twenty_thousand_rows_are_checked(void **state)
{
	struct buf csv = BUF_INIT(POLICY_CSV_MAX);
	unsigned i;

	(void)state;
	assert_int_equal(buf_puts(&csv, HEAD), 0);
	for (i = 0; i < POLICY_ROWS_MAX - 1; i++)
		assert_int_equal(buf_putf(&csv, "0951,1666,SERIAL%08u,read-write,,,,,,,\n", i), 0);
	assert_int_equal(buf_puts(&csv, "0951,1666,SERIAL00000007,deny,,,,,,,\n"), 0);
	finds("version: 1\n", buf_str(&csv), "hidden:9 ");
	buf_deinit(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_are_hidden_are_told),
		cmocka_unit_test(rules_that_cannot_fit_are_told),
		cmocka_unit_test(grants_to_whatever_comes_are_told),
		cmocka_unit_test(rows_that_do_not_count_are_told),
		cmocka_unit_test(serial_numbers_that_excel_changed_are_told),
		cmocka_unit_test(nobody_is_locked_out),
		cmocka_unit_test(twenty_thousand_rows_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
