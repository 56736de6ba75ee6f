/*
 * The policy: what it decides, sentence by sentence of policy.h, and that a mistake is refused with its place.
 */
#include "policy/base/text.h"
#include "policy/rule/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "vendor,product,serial,access,users,groups,hosts,from,until,encrypted,medium,label\n"

static struct policy *load(const char *yaml, const char *csv)
{
	struct policy *p = NULL;
	struct why why = {""};
	int r = policy_load(SPAN_STR(yaml), SPAN_STR(csv), &p, &why);

	if (r)
		fail_msg("%s", why.text);
	return p;
}

static void refused(const char *yaml, const char *csv, const char *reason)
{
	struct policy *p = NULL;
	struct why why = {""};

	assert_int_equal(policy_load(SPAN_STR(yaml), SPAN_STR(csv), &p, &why), V_BAD);
	assert_null(p);
	if (!strstr(why.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", why.text, reason);
	/* The same place, in Japanese. */
	if (why_ja(&why) == why.text || strncmp(why_ja(&why), why.text, strcspn(why.text, " ")) != 0 ||
		!strpbrk(why_ja(&why), "\xe3\xe4\xe5\xe6\xe7\xe8\xe9"))
		fail_msg("\"%s\" in Japanese: \"%s\"", why.text, why_ja(&why));
}

static const char *const finance[] = {"finance", "staff", NULL};
static const char *const nobody[] = {NULL};

static struct device stick(const char *serial)
{
	struct device d = {.usb = true, .vendor = 0x0951, .product = 0x1666, .kinds = 1u << DEVICE_KIND_STORAGE};

	snprintf(d.serial, sizeof(d.serial), "%s", serial);
	return d;
}

static int64_t at(const char *when)
{
	int64_t us = 0;

	assert_int_equal(text_time_parse(when, 0, &us), 0);
	return us;
}

static struct device_user taro(void)
{
	return (struct device_user){
		.user = "taro", .groups = finance, .host = "ws-1", .wall_us = at("2026-11-24T10:00:00Z")};
}

static struct decision decide(const struct policy *p, struct device d, unsigned kind, struct device_user who)
{
	struct decision out;

	policy_decide(p, &d, kind, &who, &out);
	return out;
}

static void expect(const struct policy *p, struct device d, struct device_user who, unsigned access, const char *rule)
{
	struct decision out = decide(p, d, DEVICE_KIND_STORAGE, who);

	assert_string_equal(out.rule, rule);
	assert_int_equal(out.access, access);
}

static void without_a_policy_the_defaults_hold(void **state)
{
	struct policy *p = NULL;
	struct decision d;

	(void)state;
	assert_int_equal(policy_builtin(&p), 0);
	expect(p, stick("A"), taro(), ACCESS_READ_ONLY, "default:storage");
	d = decide(p, stick("A"), DEVICE_KIND_HID, taro());
	assert_int_equal(d.access, ACCESS_READ_WRITE);
	d = decide(p, stick("A"), DEVICE_KIND_PHONE, taro());
	assert_int_equal(d.access, ACCESS_DENY);
	policy_free(p);
}

static void first_rule_that_fits_decides(void **state)
{
	struct policy *p = load("version: 3\n"
				"rules:\n"
				"  - name: reception\n"
				"    match: {hosts: reception-*}\n"
				"    access: deny\n"
				"  - name: finance\n"
				"    match: {groups: [finance], listed: yes}\n"
				"    access: listed\n"
				"  - name: rest\n"
				"    match: {kind: storage}\n"
				"    access: read-only\n",
		HEAD "0951,1666,AAAA1111,read-write,,,,,,,,Finance 1\n");
	struct device_user who = taro();

	(void)state;
	assert_int_equal(policy_version(p), 3);
	expect(p, stick("AAAA1111"), who, ACCESS_READ_WRITE, "rule:finance");
	expect(p, stick("AAAA2222"), who, ACCESS_READ_ONLY, "rule:rest");
	who.host = "reception-2";
	expect(p, stick("AAAA1111"), who, ACCESS_DENY, "rule:reception");
	who = taro();
	who.groups = nobody;
	expect(p, stick("AAAA1111"), who, ACCESS_READ_ONLY, "rule:rest");
	policy_free(p);
}

static void the_most_restrictive_row_wins(void **state)
{
	struct policy *p = load("version: 1\n", HEAD "0951,1666,S*,read-write,,,,,,,,model\n"
						     "0951,1666,S1,read-only,,,,,,,,lost and found\n"
						     "951,1666,S2,deny,,,,,,,,stolen\n");

	(void)state;
	expect(p, stick("S0"), taro(), ACCESS_READ_WRITE, "ledger:2");
	expect(p, stick("S1"), taro(), ACCESS_READ_ONLY, "ledger:3");
	expect(p, stick("S2"), taro(), ACCESS_DENY, "ledger:4");
	/* A pattern stands for a serial number, not for none. */
	expect(p, stick(""), taro(), ACCESS_READ_ONLY, "default:storage");
	policy_free(p);
}

static void rows_are_for_people_hosts_and_times(void **state)
{
	struct policy *p =
		load("version: 1\n", HEAD "0951,1666,U1,read-write,taro;hanako,,,,,,,\n"
					  "0951,1666,G1,read-write,,finance,,,,,,\n"
					  "0951,1666,H1,read-write,,,ws-*,,,,,\n"
					  "0951,1666,T1,read-write,,,,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,,,\n");
	struct device_user who = taro(), none = taro();
	struct decision d;

	(void)state;
	none.user = NULL;
	none.groups = nobody;
	expect(p, stick("U1"), who, ACCESS_READ_WRITE, "ledger:2");
	expect(p, stick("U1"), none, ACCESS_READ_ONLY, "default:storage");
	expect(p, stick("G1"), who, ACCESS_READ_WRITE, "ledger:3");
	expect(p, stick("G1"), none, ACCESS_READ_ONLY, "default:storage");
	expect(p, stick("H1"), none, ACCESS_READ_WRITE, "ledger:4");
	d = decide(p, stick("T1"), DEVICE_KIND_STORAGE, who);
	assert_int_equal(d.access, ACCESS_READ_WRITE);
	assert_true(d.until_us == at("2026-12-01T00:00:00Z"));
	who.wall_us = at("2026-12-01T00:00:00Z");
	expect(p, stick("T1"), who, ACCESS_READ_ONLY, "default:storage");
	who.wall_us = at("2026-10-01T00:00:00Z");
	d = decide(p, stick("T1"), DEVICE_KIND_STORAGE, who);
	assert_true(d.until_us == at("2026-11-01T00:00:00Z"));
	policy_free(p);
}

static void conditions_of_the_medium_hold_back_writing(void **state)
{
	struct policy *p = load("version: 1\n", HEAD "0951,1666,E1,read-write,,,,,,yes,,\n"
						     "0951,1666,M1,read-write,,,,,,,1234-ABCD,\n"
						     "0951,1666,D1,read-write,,,,,,,,\n");
	struct device d = stick("E1");

	(void)state;
	expect(p, d, taro(), ACCESS_READ_ONLY, "ledger:2");
	d.encrypted = true;
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:2");
	d = stick("M1");
	expect(p, d, taro(), ACCESS_READ_ONLY, "ledger:3");
	d.media_n = 1;
	snprintf(d.medium[0].uuid, sizeof(d.medium[0].uuid), "1234-abcd");
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:3");
	d = stick("D1");
	d.twin = true;
	expect(p, d, taro(), ACCESS_READ_ONLY, "ledger:4");
	policy_free(p);
}

static void a_row_says_nothing_of_the_keyboard_inside(void **state)
{
	struct policy *p = load("version: 1\ndefaults: {hid: deny, network: deny}\nlockout: yes\n",
		HEAD "0951,1666,K1,read-write,,,,,,,,\n0bda,8153,N1,read-write,,,,,,,,\n");
	struct device d = stick("K1");

	(void)state;
	d.kinds |= 1u << DEVICE_KIND_HID;
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:2");
	assert_int_equal(decide(p, d, DEVICE_KIND_HID, taro()).access, ACCESS_DENY);
	/* What is nothing else is meant by its row. */
	d = stick("N1");
	d.vendor = 0x0bda;
	d.product = 0x8153;
	d.kinds = 1u << DEVICE_KIND_NETWORK;
	assert_int_equal(decide(p, d, DEVICE_KIND_NETWORK, taro()).access, ACCESS_READ_WRITE);
	policy_free(p);
}

static void hours_and_days_are_the_pcs_own(void **state)
{
	struct policy *p;
	struct device_user who = taro();

	(void)state;
	setenv("TZ", "JST-9", 1);
	p = load("version: 1\n"
		 "rules:\n"
		 "  - name: work\n"
		 "    match: {kind: storage, days: mon-fri, hours: 07:00-19:00}\n"
		 "    access: read-write\n"
		 "  - name: night\n"
		 "    match: {kind: storage, days: [fri], hours: 22:00-02:00}\n"
		 "    access: deny\n",
		"");
	who.wall_us = at("2026-11-24T18:59:00+09:00"); /* a Tuesday */
	expect(p, stick("A"), who, ACCESS_READ_WRITE, "rule:work");
	assert_true(decide(p, stick("A"), DEVICE_KIND_STORAGE, who).until_us == at("2026-11-24T19:00:00+09:00"));
	who.wall_us = at("2026-11-24T19:00:00+09:00");
	expect(p, stick("A"), who, ACCESS_READ_ONLY, "default:storage");
	who.wall_us = at("2026-11-28T10:00:00+09:00");
	expect(p, stick("A"), who, ACCESS_READ_ONLY, "default:storage");
	/* The small hours of Saturday belong to Friday's night. */
	who.wall_us = at("2026-11-28T01:30:00+09:00");
	expect(p, stick("A"), who, ACCESS_DENY, "rule:night");
	who.wall_us = at("2026-11-28T02:00:00+09:00");
	expect(p, stick("A"), who, ACCESS_READ_ONLY, "default:storage");
	policy_free(p);
	unsetenv("TZ");
}

static void watching_is_no_holding(void **state)
{
	struct policy *p = load("version: 1\nmode: note\n", "");
	struct decision d = decide(p, stick("A"), DEVICE_KIND_STORAGE, taro());

	(void)state;
	assert_true(d.note);
	assert_int_equal(d.access, ACCESS_READ_ONLY);
	policy_free(p);
	p = load("version: 1\nrules:\n  - {name: try, match: {kind: storage}, access: deny, mode: note}\n", "");
	d = decide(p, stick("A"), DEVICE_KIND_STORAGE, taro());
	assert_true(d.note);
	policy_free(p);
}

static void mistakes_are_refused_with_their_place(void **state)
{
	(void)state;
	refused("", "", "policy.yaml:1: is empty");
	refused("mode: note\n", "", "version: is missing");
	refused("version: 1\nversion: 2\n", "", "policy.yaml:2: version: is there twice");
	refused("version: 0\n", "", "policy.yaml:1: version");
	refused("version: 1\ndefault: {}\n", "", "policy.yaml:2:1: default: unknown key");
	refused("version: 1\ndefaults: {storage: readonly}\n", "", "policy.yaml:2: storage: \"readonly\"");
	refused("version: 1\nrules:\n  - name: a\n    match: {vendor: 12345}\n    access: deny\n", "",
		"policy.yaml:4: vendor");
	refused("version: 1\nrules:\n  - {name: a, match: {hours: 25:00-26:00}, access: deny}\n", "", "hours");
	refused("version: 1\nrules:\n  - {name: a, access: deny}\n  - {name: a, access: deny}\n", "",
		"policy.yaml:4: name: another rule");
	refused("version: 1\nrules: [{name: a}]\n", "", "needs name and access");
	refused("version: 1\nrules: [{name: a, match: {kind: []}, access: deny}]\n", "", "kind: names nothing");
	refused("version: 1\nrules: [{name: a, match: {days: []}, access: deny}]\n", "", "days: names nothing");
	refused("version: 1\nexpectations: [{device: {kind: []}, access: deny}]\n", "", "kind: names nothing");
	refused("version: [\n", "", "not YAML");
	refused("version: 1\n", "vendor,product\n", "access: this column is missing");
	refused("version: 1\n", "vendor,access,vendor\n", "there twice");
	refused("version: 1\n", "vendor,acces\n", "\"acces\"");
	refused("version: 1\n", HEAD "0951,1666,A,readonly,,,,,,,,\n", "devices.csv:2: access: \"readonly\"");
	refused("version: 1\n", HEAD "1.00E+05,1666,A,deny,,,,,,,,\n", "devices.csv:2: vendor");
	refused("version: 1\n", HEAD ",,,deny,,,,,,,,\n", "devices.csv:2: says of no device");
	refused("version: 1\n", HEAD "0951,1666,\"A,deny\n", "a quoted cell has no end");
	refused("version: 1\n", HEAD "0951,1666,\x83\x8f\x83\x62,deny,,,,,,,,\n", "not UTF-8");
	refused("version: 1\n", HEAD "0951,1666,A,deny,,,,2026-12-01,2026-11-01,,,\n", "until: is not after from");
}

static void what_excel_makes_of_a_ledger_is_read(void **state)
{
	struct policy *p = load("version: 1\n", "\xef\xbb\xbfSerial,Vendor,Access,Label,note,until\r\n"
						"'0012,0951,read-write,\"山田, 経理\",\"two\r\nlines\",2026/1/5\r\n"
						",,,,,\r\n"
						"B2,0951,deny,,,\r\n");
	struct ledger_row row;

	(void)state;
	assert_int_equal(policy_rows_n(p), 2);
	policy_row(p, 0, &row);
	assert_string_equal(row.serial, "0012");
	assert_string_equal(row.label, "山田, 経理");
	assert_string_equal(row.note, "two\r\nlines");
	policy_row(p, 1, &row);
	assert_int_equal(row.line, 5);
	policy_free(p);
}

static void what_a_device_calls_itself_is_no_pattern(void **state)
{
	struct policy *p = load("version: 1\n", HEAD "0951,1666,\\*\\*\\*,read-write,,,,,,,,\n"
						     "0951,1666,[AB]1,read-write,,,,,,,,\n"
						     "0951,1666,C?*9,read-write,,,,,,,,\n");

	(void)state;
	expect(p, stick("***"), taro(), ACCESS_READ_WRITE, "ledger:2");
	expect(p, stick("abc"), taro(), ACCESS_READ_ONLY, "default:storage");
	expect(p, stick("[AB]1"), taro(), ACCESS_READ_WRITE, "ledger:3");
	expect(p, stick("A1"), taro(), ACCESS_READ_ONLY, "default:storage");
	expect(p, stick("C12399"), taro(), ACCESS_READ_WRITE, "ledger:4");
	expect(p, stick("C9"), taro(), ACCESS_READ_ONLY, "default:storage");
	policy_free(p);
}

static void blanks_at_the_ends_of_a_serial_number_are_nothing(void **state)
{
	struct policy *p = load("version: 1\nexpectations:\n"
				"  - {device: {vendor: 0951, product: 1666, serial: \"PAD \"}, access: read-write}\n",
		HEAD "0951,1666,\" PAD\t \",read-write,,,,,,,,\n");
	struct device d = stick("");

	(void)state;
	device_serial(d.serial, "  PAD    ");
	assert_string_equal(d.serial, "PAD");
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:2");
	assert_int_equal(policy_try(p, NULL, NULL), 0);
	device_serial(d.serial, " ");
	assert_string_equal(d.serial, "");
	policy_free(p);
}

/* Each row hangs at what it names; whichever it is, its device finds it, and so it does by several at once. */
static void rows_are_found_by_whatever_they_name(void **state)
{
	struct policy *p =
		load("version: 1\n", "vendor,product,serial,fingerprint,access\n"
				     "0951,1666,DEV,,read-write\n"
				     ",,SER,,read-write\n"
				     "0951,,VENSER,,read-write\n"
				     ",,,0100000000000000000000000000000000000000000000000000000000000000,read-write\n"
				     "0951,7777,,,read-write\n"
				     "8888,,,,read-write\n"
				     ",,AN?,,read-write\n"
				     "0951,1666,Q\\*,,read-write\n"
				     ",,DEV,,read-only\n");
	struct device d = stick("DEV");

	(void)state;
	expect(p, d, taro(), ACCESS_READ_ONLY, "ledger:10");
	expect(p, stick("SER"), taro(), ACCESS_READ_WRITE, "ledger:3");
	expect(p, stick("VENSER"), taro(), ACCESS_READ_WRITE, "ledger:4");
	expect(p, stick("ANY"), taro(), ACCESS_READ_WRITE, "ledger:8");
	expect(p, stick("Q*"), taro(), ACCESS_READ_WRITE, "ledger:9");
	d = stick("NONE");
	expect(p, d, taro(), ACCESS_READ_ONLY, "default:storage");
	d.has_fingerprint = true;
	d.fingerprint.b[0] = 1;
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:5");
	d = stick("");
	d.product = 0x7777;
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:6");
	d.vendor = 0x8888;
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:7");
	/* What is not on USB is known by its serial number alone. */
	d = stick("SER");
	d.usb = false;
	d.vendor = d.product = 0;
	expect(p, d, taro(), ACCESS_READ_WRITE, "ledger:3");
	policy_free(p);
}

static void a_twin_is_not_written_to_whatever_a_rule_says(void **state)
{
	struct policy *p =
		load("version: 1\nrules: [{name: r, match: {vendor: 0951, serial: T1}, access: read-write}]\n", "");
	struct device d = stick("T1");

	(void)state;
	expect(p, d, taro(), ACCESS_READ_WRITE, "rule:r");
	d.twin = true;
	expect(p, d, taro(), ACCESS_READ_ONLY, "rule:r");
	policy_free(p);
}

static void a_ledger_survives_being_written(void **state)
{
	struct buf csv = BUF_INIT(1 << 20);
	struct policy *p = load("version: 1\n",
		"vendor,product,serial,fingerprint,access,label,from,until,encrypted,medium,note\n"
		"0951,1666,=cmd|x,,read-write,\"a \"\"b\"\"\",2026-11-01T00:00:00Z,,yes,U-1,\n"
		",,,0000000000000000000000000000000000000000000000000000000000000001,deny,,,,,,\n");
	struct policy *q;
	struct ledger_row a, b;
	unsigned i;

	(void)state;
	assert_int_equal(buf_puts(&csv, LEDGER_HEAD), 0);
	for (i = 0; i < 2; i++) {
		policy_row(p, i, &a);
		assert_int_equal(ledger_put(&csv, &a), 0);
	}
	q = load("version: 1\n", buf_str(&csv));
	for (i = 0; i < 2; i++) {
		policy_row(p, i, &a);
		policy_row(q, i, &b);
		assert_string_equal(a.serial, b.serial);
		assert_string_equal(a.label, b.label);
		assert_string_equal(a.medium, b.medium);
		assert_int_equal(a.access, b.access);
		assert_int_equal(a.encrypted, b.encrypted);
		assert_true(a.from_us == b.from_us && a.until_us == b.until_us);
		assert_memory_equal(&a.fingerprint, &b.fingerprint, sizeof(a.fingerprint));
	}
	policy_free(p);
	policy_free(q);
	buf_deinit(&csv);
}

/* Written for a spreadsheet: what it would take for a formula, a number or a day has an apostrophe, and is read as it
 * was. */
static void what_spreadsheets_change_is_guarded(void **state)
{
	static const struct {
		const char *serial;
		bool guarded;
	} cases[] = {{"60A44C413E4FE4B0", false}, {"0708123456789012", true}, {"1234", true}, {"12E5", true},
		{"=1+1", true}, {"@x", true}, {"'quoted", true}, {"MAR1", true}, {"1-MAR", true}, {"SEPT2023", true},
		{"3-4", true}, {"10:20", true}, {"MARGIN", false}, {"AB12", false}, {"1A", false}};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf csv = BUF_INIT(1 << 16);
		struct ledger_row row = {LEDGER_ROW_BLANK}, back;
		struct policy *p;

		row.has_vendor = row.has_product = true;
		row.vendor = 0x05e3;
		row.product = 0x0951;
		row.access = ACCESS_READ_ONLY;
		row.serial = cases[i].serial;
		assert_int_equal(buf_puts(&csv, LEDGER_HEAD), 0);
		assert_int_equal(ledger_put(&csv, &row), 0);
		assert_non_null(strstr(buf_str(&csv), "\n\"'05e3\",0951,"));
		if (!strstr(buf_str(&csv), ",\"'") != !cases[i].guarded)
			fail_msg("%s: %s", cases[i].serial, buf_str(&csv));
		p = load("version: 1\n", buf_str(&csv));
		policy_row(p, 0, &back);
		assert_string_equal(back.serial, row.serial);
		assert_int_equal(back.vendor, row.vendor);
		policy_free(p);
		buf_deinit(&csv);
	}
}

struct findings {
	unsigned n, fatal;
	char last[600], codes[600]; /* "hidden:4 expired:7 " */
};

static void on_finding(void *ctx, const struct policy_finding *found)
{
	struct findings *f = ctx;

	f->n++;
	f->fatal += found->fatal;
	snprintf(f->last, sizeof(f->last), "%s:%u: %s", found->file, found->line, found->en);
	snprintf(f->codes + strlen(f->codes), sizeof(f->codes) - strlen(f->codes), "%s:%u ", found->code, found->line);
	assert_true(strlen(found->ja) > 0);
}

static int check(const char *yaml, const char *csv, struct findings *f)
{
	struct policy *p = load(yaml, csv);
	int r;

	*f = (struct findings){.n = 0};
	r = policy_check(p, at("2026-11-24T10:00:00Z"), on_finding, f);
	policy_free(p);
	return r;
}

static void a_policy_tries_itself(void **state)
{
	static const char csv[] = HEAD "0951,1666,AAAA1111,read-write,,,,,,,,\n";
	struct findings f;

	(void)state;
	assert_int_equal(check("version: 1\n", csv, &f), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(check("version: 1\n"
			       "expectations:\n"
			       "  - device: {vendor: 0951, product: 1666, serial: AAAA1111}\n"
			       "    access: read-write\n"
			       "  - name: an unknown one\n"
			       "    device: {vendor: 0951, product: 1666, serial: BBBB}\n"
			       "    access: read-write\n",
				 csv, &f),
		V_BAD);
	assert_int_equal(f.fatal, 1);
	assert_non_null(strstr(f.last, "policy.yaml:5: an unknown one: read-write was expected, default:storage"));
	assert_int_equal(check("version: 1\ndefaults: {hid: deny}\n", "", &f), V_BAD);
	assert_int_equal(check("version: 1\ndefaults: {hid: deny}\nlockout: yes\n", "", &f), 0);
	assert_int_equal(check("version: 1\nrules: [{name: all, access: deny}]\n", "", &f), V_BAD);
	assert_int_equal(check("version: 1\nrules: [{name: s, match: {kind: storage}, access: deny}]\n", "", &f), 0);
	assert_int_equal(check("version: 1\nrules: [{name: p, match: {port: \"*\"}, access: deny}]\n", "", &f), V_BAD);
	assert_int_equal(check("version: 1\n", HEAD ",,*,deny,,,,,,,,\n", &f), V_BAD);
	assert_int_equal(check("version: 1\n", HEAD "0951,1666,,read-write,,,,,,,,\n", &f), 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(check("version: 1\n",
				 HEAD "0951,1666,AAAA1111,read-write,,,,,,,,\n0951,1666,AAAA1111,deny,,,,,,,,\n", &f),
		0);
	assert_int_equal(f.n, 1);
}

static void many_rows_are_found_by_their_serial(void **state)
{
	struct buf csv = BUF_INIT(POLICY_CSV_MAX);
	struct policy *p;
	struct device d;
	unsigned i;

	(void)state;
	assert_int_equal(buf_puts(&csv, "vendor,product,serial,access\n"), 0);
	for (i = 0; i < POLICY_ROWS_MAX; i++)
		assert_int_equal(buf_putf(&csv, "0951,1666,SERIAL%08u,%s\n", i, i % 2 ? "read-write" : "deny"), 0);
	p = load("version: 1\n", buf_str(&csv));
	for (i = 0; i < POLICY_ROWS_MAX; i += 997) {
		char serial[32], rule[32];

		snprintf(serial, sizeof(serial), "SERIAL%08u", i);
		snprintf(rule, sizeof(rule), "ledger:%u", i + 2);
		d = stick(serial);
		expect(p, d, taro(), i % 2 ? ACCESS_READ_WRITE : ACCESS_DENY, rule);
	}
	policy_free(p);
	assert_int_equal(buf_puts(&csv, "0951,1666,ONE-MORE,deny\n"), 0);
	refused("version: 1\n", buf_str(&csv), "more rows than a policy can have");
	buf_deinit(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_policy_the_defaults_hold),
		cmocka_unit_test(first_rule_that_fits_decides),
		cmocka_unit_test(the_most_restrictive_row_wins),
		cmocka_unit_test(rows_are_for_people_hosts_and_times),
		cmocka_unit_test(conditions_of_the_medium_hold_back_writing),
		cmocka_unit_test(a_row_says_nothing_of_the_keyboard_inside),
		cmocka_unit_test(hours_and_days_are_the_pcs_own),
		cmocka_unit_test(watching_is_no_holding),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
		cmocka_unit_test(what_excel_makes_of_a_ledger_is_read),
		cmocka_unit_test(what_a_device_calls_itself_is_no_pattern),
		cmocka_unit_test(blanks_at_the_ends_of_a_serial_number_are_nothing),
		cmocka_unit_test(rows_are_found_by_whatever_they_name),
		cmocka_unit_test(a_twin_is_not_written_to_whatever_a_rule_says),
		cmocka_unit_test(a_ledger_survives_being_written),
		cmocka_unit_test(what_spreadsheets_change_is_guarded),
		cmocka_unit_test(a_policy_tries_itself),
		cmocka_unit_test(many_rows_are_found_by_their_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
