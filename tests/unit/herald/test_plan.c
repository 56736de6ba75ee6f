/* herald.yaml: what is good means what it says; what is wrong is refused with its line, in both languages. */
#include "collector/herald/judge.h"
#include "policy/base/buf.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <time.h>

static struct plan p;
static struct why why;

static int read_text(const char *text)
{
	plan_deinit(&p);
	return plan_read(&p, "herald.yaml", SPAN_STR(text), &why);
}

/* What is printed from a protected area is told once, as what is printed. */
static void a_print_is_one_rule_s(void)
{
	static struct record r;
	unsigned i, hits = 0;

	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_PRINT);
	record_set_uint(&r, F_ACTION, ACTION_ALERT);
	record_set_uint(&r, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	record_set_str(&r, F_AREA, "pay");
	for (i = 0; i < p.rules_n; i++) {
		const struct rule *rule = &p.rules[i];

		if (!strcmp(rule->name, "printed"))
			assert_true(judge_record(rule, &r, "pc-1"));
		hits += !rule->silent_us && !rule->has_hours && judge_record(rule, &r, "pc-1");
	}
	assert_int_equal(hits, 1);
	record_set_uint(&r, F_KIND, KIND_FILE);
	for (i = hits = 0; i < p.rules_n; i++)
		hits += !strcmp(p.rules[i].name, "protected-area") && judge_record(&p.rules[i], &r, "pc-1");
	assert_int_equal(hits, 1);
}

/* How many rules of the example tell of such a record. */
static unsigned told_by(const struct record *r)
{
	unsigned i, hits = 0;

	for (i = 0; i < p.rules_n; i++)
		hits += !p.rules[i].silent_us && !p.rules[i].has_hours && judge_record(&p.rules[i], r, "pc-1");
	return hits;
}

/* What is only tried makes no alert, whatever would have been done: policy.yaml(5), `mode: note`. */
static void a_trial_tells_nobody(void)
{
	static const struct {
		unsigned kind, action;
	} tried[] = {{KIND_PRINT, ACTION_ALERT}, {KIND_DRIVE_FILE, ACTION_ALERT}, {KIND_DRIVE_FILE, ACTION_QUARANTINE}};
	static struct record r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tried); i++) {
		record_reset(&r);
		record_set_uint(&r, F_KIND, tried[i].kind);
		record_set_uint(&r, F_ACTION, tried[i].action);
		record_set_uint(&r, F_POLICY_MODE, POLICY_MODE_ENFORCE);
		assert_int_equal(told_by(&r), 1);
		record_set_uint(&r, F_POLICY_MODE, POLICY_MODE_NOTE);
		assert_int_equal(told_by(&r), 0);
	}
}

static void examples(void **state)
{
	static uint8_t text[PLAN_FILE_MAX];
	FILE *f = fopen(TEST_ROOT "/packaging/etc/herald.yaml", "r");
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(plan_read(&p, "x", SPAN(text, n), &why), 0);
	assert_int_equal(p.rules_n, 26);
	assert_int_equal(p.targets_n, 0);
	assert_string_equal(p.rules[1].name, "many-files");
	assert_int_equal(p.rules[1].count, 100);
	assert_int_equal(p.rules[1].within_us, 600000000);
	assert_int_equal(p.rules[1].severity, SEVERITY_ALARM);
	assert_int_equal(p.rules[2].days, 0x3e);
	assert_int_equal(p.rules[2].from_min, 420);
	assert_true(p.rules[23].of_program && !p.rules[23].unannounced);
	assert_true(p.rules[24].unannounced && !p.rules[24].of_program);
	assert_int_equal(p.rules[25].silent_us, 3ull * 86400 * 1000000);
	a_print_is_one_rule_s();
	a_trial_tells_nobody();
	assert_int_equal(read_text(""), 0);
	assert_int_equal(read_text("# nothing\n"), 0);
	plan_deinit(&p);
}

#define RULE(more) "rules:\n  - name: a\n    when: {kind: print}\n" more

#define CLICKHOUSE(more) "streams:\n  - {name: a, form: clickhouse, " more "}"

static void clickhouse(void **state)
{
	(void)state;
	assert_int_equal(read_text(CLICKHOUSE("to: 'https://x:8443/'")), 0);
	assert_string_equal(p.streams[0].database, "sekisho");
	assert_int_equal(p.streams[0].every_us, 5000000);
	plan_deinit(&p);
	assert_int_equal(read_text(CLICKHOUSE("to: 'http://x/', plain: yes, every: 1m, database: b_2")), 0);
	assert_true(p.streams[0].plain);
	assert_string_equal(p.streams[0].database, "b_2");
	plan_deinit(&p);
}

static void wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} all[] = {
		{"format: 2", "herald.yaml:1: format: "},
		{"nonsense: 1", "herald.yaml:1:1: nonsense: unknown key"},
		{"dir: here", "herald.yaml:1: dir: "},
		{"[a", "herald.yaml:2: "},
		{"rules: 1", "herald.yaml:1: rules: a list"},
		{"rules:\n  - when: {kind: print}", "herald.yaml:2: rules: a rule needs a name"},
		{"rules:\n  - name: a", "herald.yaml:2: a: needs `when` or `silent`"},
		{"rules:\n  - name: a b\n    when: {kind: print}", "herald.yaml:2: name: "},
		{RULE("    count: 3"), "herald.yaml:2: a: count and within"},
		{RULE("    count: 1\n    within: 1m"), "herald.yaml:4: count: "},
		{RULE("    count: 10001\n    within: 1m"), "herald.yaml:4: count: "},
		{RULE("    count: 3\n    within: 3"), "herald.yaml:5: within: "},
		{RULE("    within: 0s"), "herald.yaml:4: within: "},
		{RULE("    within: 401d"), "herald.yaml:4: within: "},
		{RULE("    first: nothing"), "herald.yaml:4: first: "},
		{RULE("    first: []"), "herald.yaml:4: first: names nothing"},
		{RULE("    first: serial\n    count: 2\n    within: 1m"), "herald.yaml:2: a: count and first"},
		{RULE("    per: [host, user, pid, path, path2]"), "herald.yaml:4: per: too many"},
		{RULE("    of: program"), "herald.yaml:2: a: of and unannounced"},
		{"rules:\n  - name: a\n    silent: 1d\n    of: program\n    unannounced: yes",
			"herald.yaml:2: a: unannounced"},
		{"rules:\n  - name: a\n    silent: 1d\n    of: both",
			"herald.yaml:4: of: \"both\" is no pc or program"},
		{RULE("    silent: 1d"), "herald.yaml:2: silent: "},
		{RULE("    hosts: x"), "herald.yaml:2: hosts: "},
		{RULE("    severity: high"), "herald.yaml:4: severity: "},
		{RULE("    outside: 21:00-07:00"), "herald.yaml:4: outside: "},
		{RULE("    outside: mon-xyz 07:00-21:00"), "herald.yaml:4: outside: "},
		{RULE("    outside: 07:00-24:01"), "herald.yaml:4: outside: "},
		{RULE("    outside: 07:00-21:00x"), "herald.yaml:4: outside: "},
		{RULE("    name: b"), "herald.yaml:4: name: is there twice"},
		{RULE("  - name: a\n    when: {kind: file}"), "herald.yaml:4: name: another rule"},
		{"rules:\n  - name: a\n    when: {kind: prnt}", "herald.yaml:3: kind: "},
		{"rules:\n  - name: a\n    when: {pages: many}", "herald.yaml:3: pages: "},
		{"rules:\n  - name: a\n    when: {pages: '>'}", "herald.yaml:3: pages: "},
		{"rules:\n  - name: a\n    when: {hash: abc}", "herald.yaml:3:12: hash: unknown key"},
		{"rules:\n  - name: a\n    when: {user: ''}", "herald.yaml:3: user: is empty"},
		{"rules:\n  - name: a\n    when: {}", "herald.yaml:2: a: needs"},
		{"send:\n  - name: a", "herald.yaml:2: send: needs"},
		{"streams:\n  - name: a", "herald.yaml:2: streams: needs"},
		{"streams:\n  - {name: a, to: 'http://x/'}", "herald.yaml:2: streams: needs"},
		{"streams:\n  - {name: a, to: 'https://x/', form: syslog}", "herald.yaml:2: streams: needs"},
		{"streams:\n  - {name: a, to: 'syslog+tls://x:1', secret: /s}", "herald.yaml:2: streams: needs"},
		{"streams:\n  - {name: a, to: 'https://x/', key: /k}", "herald.yaml:2: streams: needs"},
		{"streams:\n  - {name: a, to: 'https://x/', form: cef}", "herald.yaml:2: form: "},
		{"streams:\n  - {name: a, to: 'https://x/', begin: later}", "herald.yaml:2: begin: "},
		{"streams:\n  - {name: a, to: 'https://x/', database: b}", "herald.yaml:2: streams: database"},
		{"streams:\n  - {name: a, to: 'https://x/', plain: yes}", "herald.yaml:2: streams: database"},
		{CLICKHOUSE("to: 'http://x/'"), "herald.yaml:2: streams: clickhouse needs"},
		{CLICKHOUSE("to: 'syslog+tls://x:1'"), "herald.yaml:2: streams: clickhouse needs"},
		{CLICKHOUSE("to: 'https://x/', login: a"), "herald.yaml:2: streams: clickhouse needs"},
		{CLICKHOUSE("to: 'https://x/', secret: /s"), "herald.yaml:2: streams: clickhouse needs"},
		{CLICKHOUSE("to: 'https://x/', database: 'a; b'"), "herald.yaml:2: database: letters"},
		{CLICKHOUSE("to: 'https://x/', login: \"a\\nX: y\", password: /p"), "herald.yaml:2: login: one"},
		{"streams:\n  - {name: a, to: 'https://x/'}\n  - {name: a, to: 'https://x/'}", "herald.yaml:3: name: "},
		{"send:\n  - name: a\n    webhook: http://x/", "herald.yaml:2: webhook: "},
		{"send:\n  - name: a\n    webhook: https://x/\n    rules: b", "herald.yaml:2: rules: "},
		{"send:\n  - name: a\n    webhook: https://x/\n    login: b", "herald.yaml:2: send: "},
		{"send:\n  - {name: a, mail: b@c, server: 'http://x', from: a@b}", "herald.yaml:2: server: "},
		{"send:\n  - {name: a, mail: b, server: 'smtp://x', from: a@b}", "herald.yaml:2: mail: "},
		{"send:\n  - {name: a, mail: \"b@c\\r\\nX: y\", server: 'smtp://x', from: a@b}",
			"herald.yaml:2: mail: "},
		{"send:\n  - {name: a, mail: b@c, server: 'smtp://x', from: 'a@b>'}", "herald.yaml:2: from: "},
		{"send:\n  - {name: a, mail: b@c, server: 'smtp://x', from: a@b, login: x}", "herald.yaml:2: send: "},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (read_text(all[i].text) != V_BAD || strncmp(why.text, all[i].why, strlen(all[i].why)) != 0)
			fail_msg("%s: %s", all[i].text, why.text);
		/* The Japanese one, behind the English. */
		assert_true(why.text[strlen(why.text) + 1]);
	}
	plan_deinit(&p);
}

/* --- a record and a rule --- */

static struct record r;

static bool fits(const char *when)
{
	char text[1024];

	snprintf(text, sizeof(text), "rules:\n  - name: a\n    %s\n", when);
	if (read_text(text))
		fail_msg("%s: %s", when, why.text);
	return judge_record(&p.rules[0], &r, "pc-1");
}

static void records(void **state)
{
	(void)state;
	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_FILE);
	record_set_uint(&r, F_CLASS, CLASS_USB);
	record_set_uint(&r, F_WRITTEN, 4096);
	record_set_int(&r, F_RESULT, -13);
	record_set_str(&r, F_USER, "花子");
	record_set_str(&r, F_PATH, "/media/usb/給与.xlsx");
	assert_true(fits("when: {kind: file}"));
	assert_true(fits("when: {kind: [print, file], class: usb}"));
	assert_false(fits("when: {kind: print}"));
	assert_true(fits("when: {user: 花子, path: '*.xlsx'}"));
	assert_true(fits("when: {path: 給与.xlsx}"));
	assert_false(fits("when: {path: '*.pdf'}"));
	assert_true(fits("when: {host: pc-1}"));
	assert_false(fits("when: {host: pc-2}"));
	assert_true(fits("when: {written: 4096}"));
	assert_true(fits("when: {written: '>=4096'}"));
	assert_true(fits("when: {written: '> 4095'}"));
	assert_false(fits("when: {written: '>4096'}"));
	assert_true(fits("when: {written: '<=4096'}"));
	assert_false(fits("when: {written: '<4096'}"));
	assert_true(fits("when: {result: '<0'}"));
	assert_false(fits("when: {result: '>0'}"));
	/* What the record does not say is no value. */
	assert_false(fits("when: {pages: '>=0'}"));
	assert_true(fits("when: {kind: file}\n    unless: {pages: '>=0'}"));
	assert_false(fits("when: {kind: file}\n    unless: {user: [taro, '花*']}"));
	/* As much as can be is more than any number, not less. */
	record_set_uint(&r, F_WRITTEN, UINT64_MAX);
	assert_true(fits("when: {written: '>0'}"));
	assert_false(fits("when: {written: '<0'}"));
	plan_deinit(&p);
}

static void hours(void **state)
{
	/* 2026-11-23 is a Monday. */
	static const struct {
		const char *rule;
		int64_t utc_s; /* since its midnight in Tokyo */
		bool outside;
	} all[] = {{"mon-fri 07:00-21:00", 7 * 3600, false}, {"mon-fri 07:00-21:00", 7 * 3600 - 1, true},
		{"mon-fri 07:00-21:00", 21 * 3600 - 1, false}, {"mon-fri 07:00-21:00", 21 * 3600, true},
		{"mon-fri 07:00-21:00", 5 * 86400 + 12 * 3600, true}, {"07:00-21:00", 5 * 86400 + 12 * 3600, false},
		{"sat-mon 00:00-24:00", 86400, true}, {"sat-mon 00:00-24:00", 6 * 86400, false},
		{"fri-tue 09:00-17:00", 2 * 86400 + 12 * 3600, true}, {"mon 09:00-17:00", 12 * 3600, false}};
	size_t i;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		char text[256];

		snprintf(text, sizeof(text), "rules:\n  - {name: a, when: {kind: file}, outside: '%s'}", all[i].rule);
		assert_int_equal(read_text(text), 0);
		if (judge_hours(&p.rules[0], (INT64_C(1795359600) + all[i].utc_s) * 1000000) != all[i].outside)
			fail_msg("%s at %lld", all[i].rule, (long long)all[i].utc_s);
	}
	plan_deinit(&p);
}

static void keys(void **state)
{
	const struct fields f = {.v = {F_USER, F_PATH}, .n = 2};
	struct digest a, b;
	bool any;

	(void)state;
	record_reset(&r);
	judge_key(&f, &r, "pc-1", &a, &any);
	assert_false(any);
	record_set_str(&r, F_USER, "ab");
	record_set_str(&r, F_PATH, "c");
	judge_key(&f, &r, "pc-1", &a, &any);
	assert_true(any);
	record_set_str(&r, F_USER, "a");
	record_set_str(&r, F_PATH, "bc");
	judge_key(&f, &r, "pc-1", &b, &any);
	assert_false(digest_eq(&a, &b));
	/* A fact that is empty is not one that is missing. */
	record_set_str(&r, F_PATH, "");
	judge_key(&f, &r, "pc-1", &a, &any);
	record_drop(&r, F_PATH);
	judge_key(&f, &r, "pc-1", &b, &any);
	assert_false(digest_eq(&a, &b));
}

/* A rule that was changed is another one; one whose neighbour was changed is not. */
static void hashes(void **state)
{
	static const char head[] = "# 見出し\nrules:\n";
	struct digest a, b;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "%s  - name: a\n    title: 甲\n    when: {kind: file}\n", head);
	assert_int_equal(read_text(text), 0);
	a = p.rules[0].hash;
	snprintf(text, sizeof(text), "%s  - name: a\n    title: 甲\n    when: {kind: exec}\n", head);
	assert_int_equal(read_text(text), 0);
	b = p.rules[0].hash;
	assert_false(digest_eq(&a, &b));
	snprintf(text, sizeof(text),
		"# 別の見出し\n%s  - name: a\n    title: 甲\n    when: {kind: file}\n  - name: b\n    when: {kind: "
		"file}\n",
		head);
	assert_int_equal(read_text(text), 0);
	assert_true(digest_eq(&a, &p.rules[0].hash));
	assert_false(digest_eq(&a, &p.rules[1].hash));
	plan_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(clickhouse),
		cmocka_unit_test(wrong),
		cmocka_unit_test(records),
		cmocka_unit_test(hours),
		cmocka_unit_test(keys),
		cmocka_unit_test(hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
