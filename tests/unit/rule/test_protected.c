/*
 * policy/rule/protected*.c: which area a file lies in, and what holds of who opens it.
 */
#include "policy/rule/protected.h"
#include "tests/unit/cm.h"
#include <fnmatch.h>

static struct policy *policy;
static struct why why;

static int load(const char *areas)
{
	_cleanup_buf_ struct buf yaml = BUF_INIT(1 << 16);

	policy_free(STEAL(policy));
	why.text[0] = why.text[1] = 0;
	assert_int_equal(buf_putf(&yaml, "version: 1\n%s", areas), 0);
	return policy_load(buf_span(&yaml), SPAN("", 0), &policy, &why);
}

static int area(const char *path)
{
	return policy_area_of(policy, SPAN_STR(path), NULL);
}

static unsigned decide(unsigned i, const char *user, const char *group, const char *program)
{
	static struct area_decision d;
	const char *groups[] = {group, NULL};
	const struct area_facts f = {.who = {.user = user, .groups = groups, .host = ""}, .program = program};

	policy_area(policy, i, &f, &d);
	assert_string_equal(d.reason[0] ? "said" : "", d.action == ACTION_ALLOW ? "" : "said");
	assert_string_equal(d.reason_ja[0] ? "said" : "", d.action == ACTION_ALLOW ? "" : "said");
	return d.action;
}

static void a_file_lies_in_the_first_area_that_names_it(void **state)
{
	(void)state;
	assert_int_equal(load(""), 0);
	assert_int_equal(policy_areas_n(policy), 0);
	assert_int_equal(area("/srv/hr"), -1);
	assert_int_equal(load("protected:\n  areas:\n"
			      "  - {name: pay, paths: [/srv/hr/pay/, '//srv//one.xlsx']}\n"
			      "  - {name: numbers, paths: ['~/個人番号', '/data/*/[a]?.csv']}\n"
			      "  - {name: rest, paths: /srv/hr, shares: ['//files/hr*']}\n"),
		0);
	assert_int_equal(policy_areas_n(policy), 3);
	assert_int_equal(area("/srv/hr/pay"), 0);
	assert_int_equal(area("/srv/hr/pay/2026/a"), 0);
	assert_int_equal(area("/srv/hr/payment"), 2);
	assert_int_equal(area("/srv/hr"), 2);
	assert_int_equal(area("/srv/hrx"), -1);
	assert_int_equal(area("/srv"), -1);
	assert_int_equal(area("/srv/one.xlsx"), 0);
	assert_int_equal(area("/srv/one.xlsx~"), -1);
	assert_int_equal(area("/home/taro/個人番号/x"), 1);
	assert_int_equal(area("/root/個人番号"), 1);
	assert_int_equal(area("/home/taro/work/個人番号"), -1);
	assert_int_equal(area("/data/x/[a]7.csv"), 1);
	assert_int_equal(area("/data/x/y/[a]7.csv"), -1);
	assert_int_equal(area("/data/x/a7.csv"), -1);
	assert_int_equal(area("srv/hr/pay"), -1);
	assert_int_equal(area(""), -1);
	assert_int_equal(policy_area_of(policy, SPAN_STR("/mnt/x"), "//files/hr-2026"), 2);
	assert_int_equal(policy_area_of(policy, SPAN_STR("/mnt/x"), "//files/sales"), -1);
	/* the first area, whether it names the path or the share */
	assert_int_equal(policy_area_of(policy, SPAN_STR("/srv/hr/pay/x"), "//files/hr"), 0);
}

static void who_may_and_what_holds_of_others(void **state)
{
	(void)state;
	assert_int_equal(load("protected:\n  areas:\n"
			      "  - {name: all, paths: /a}\n"
			      "  - {name: people, paths: /b, users: [hanako, 'k*'], groups: hr, others: alert}\n"
			      "  - {name: programs, paths: /c, programs: '/usr/lib/libreoffice/*', others: alert}\n"
			      "  - {name: both, paths: /d, groups: hr, programs: /usr/bin/cat}\n"),
		0);
	assert_int_equal(decide(0, NULL, NULL, ""), ACTION_ALLOW);
	assert_int_equal(decide(1, "hanako", NULL, "/x"), ACTION_ALLOW);
	assert_int_equal(decide(1, "kenji", "sales", "/x"), ACTION_ALLOW);
	assert_int_equal(decide(1, "taro", "hr", "/x"), ACTION_ALLOW);
	assert_int_equal(decide(1, "taro", "sales", "/x"), ACTION_ALERT);
	/* nobody knows who it is: not one of those that are named, whatever group is told */
	assert_int_equal(decide(1, NULL, "hr", "/x"), ACTION_ALERT);
	assert_int_equal(decide(2, "taro", NULL, "/usr/lib/libreoffice/program/soffice.bin"), ACTION_ALLOW);
	assert_int_equal(decide(2, "taro", NULL, "/usr/bin/cp"), ACTION_ALERT);
	assert_int_equal(decide(2, "taro", NULL, ""), ACTION_ALERT);
	assert_int_equal(decide(3, "taro", "hr", "/usr/bin/cat"), ACTION_ALLOW);
	assert_int_equal(decide(3, "taro", "hr", "/usr/bin/cp"), ACTION_NOTE);
	assert_int_equal(decide(3, "taro", "sales", "/usr/bin/cat"), ACTION_NOTE);
	assert_false(policy_area_asks_groups(policy, 0));
	assert_true(policy_area_asks_groups(policy, 1));
	assert_true(policy_area_asks_groups(policy, policy_areas_n(policy)));
}

static void who_is_refused(void **state)
{
	static const char *const nobody[] = {NULL};
	struct area_facts doubt = {.who = {.groups = nobody, .host = ""}, .program = "/usr/bin/cat", .doubt = true};
	struct area_decision d;

	(void)state;
	assert_int_equal(load("protected:\n  areas:\n"
			      "  - {name: closed, paths: [/srv/pay, '/home/*/pay*/x'], users: hanako, programs: "
			      "'/usr/bin/*', others: deny}\n"
			      "  - {name: open, paths: /srv/open, users: hanako, others: deny, in_doubt: allow}\n"
			      "  - {name: programs, paths: /srv/p, programs: /usr/bin/cat, others: deny}\n"
			      "  - {name: watched, paths: /srv/w, users: hanako, others: deny, mode: note}\n"
			      "  - {name: told, paths: /srv/t, users: hanako, others: alert}\n"),
		0);
	assert_int_equal(decide(0, "hanako", NULL, "/usr/bin/cat"), ACTION_ALLOW);
	assert_int_equal(decide(0, "hanako", NULL, "/tmp/cat"), ACTION_DENY);
	assert_int_equal(decide(0, "root", NULL, "/usr/bin/cat"), ACTION_DENY);
	assert_int_equal(decide(3, "taro", NULL, "/usr/bin/cat"), ACTION_DENY);
	assert_true(policy_area_refuses(policy, 0));
	assert_false(policy_area_refuses(policy, 3));
	assert_false(policy_area_refuses(policy, 4));
	/* who it is cannot be found out: what hangs on that alone */
	policy_area(policy, 0, &doubt, &d);
	assert_int_equal(d.action, ACTION_DENY);
	assert_string_equal(d.reason, "policy.yaml:4: who it is could not be found out in time");
	policy_area(policy, 1, &doubt, &d);
	assert_int_equal(d.action, ACTION_ALLOW);
	policy_area(policy, 2, &doubt, &d);
	assert_int_equal(d.action, ACTION_ALLOW);
	doubt.program = "/usr/bin/cp";
	policy_area(policy, 2, &doubt, &d);
	assert_int_equal(d.action, ACTION_DENY);
	assert_string_equal(d.reason, "policy.yaml:6: its program");
	/* on the way to what refuses, and only there */
	assert_true(policy_area_leads(policy, SPAN_STR("/")));
	assert_true(policy_area_leads(policy, SPAN_STR("/srv")));
	assert_false(policy_area_leads(policy, SPAN_STR("/srv/w")));
	assert_false(policy_area_leads(policy, SPAN_STR("/srv/pay")));
	assert_true(policy_area_leads(policy, SPAN_STR("/home/taro/payroll")));
	assert_false(policy_area_leads(policy, SPAN_STR("/home/taro/x")));
	assert_false(policy_area_leads(policy, SPAN_STR("/etc")));
	assert_true(policy_areas_refuse(policy));
	assert_int_equal(
		load("mode: note\nprotected: {areas: [{name: x, paths: /srv/x, users: u, others: deny}]}\n"), 0);
	assert_false(policy_areas_refuse(policy));
	assert_int_equal(load(""), 0);
	assert_false(policy_areas_refuse(policy));
}

static void a_purpose_is_asked_for(void **state)
{
	static const char *const nobody[] = {NULL};
	struct area_facts f = {
		.who = {.user = "hanako", .groups = nobody, .host = ""}, .program = "/usr/bin/cat", .no_purpose = true};
	struct area_decision d;

	(void)state;
	assert_int_equal(load("protected:\n  areas:\n"
			      "  - {name: pay, paths: /srv/pay, users: hanako, purpose_minutes: 30, others: deny}\n"
			      "  - {name: all, paths: /srv/all, purpose_minutes: 1440, others: alert}\n"
			      "  - {name: none, paths: /srv/none, users: hanako, others: deny}\n"),
		0);
	assert_int_equal(policy_area_purpose_s(policy, 0), 1800);
	assert_int_equal(policy_area_purpose_s(policy, 1), 86400);
	assert_int_equal(policy_area_purpose_s(policy, 2), 0);
	policy_area(policy, 0, &f, &d);
	assert_int_equal(d.action, ACTION_DENY);
	assert_true(d.purpose);
	assert_string_equal(d.rule, "purpose:pay");
	assert_string_equal(d.reason, "policy.yaml:4: that no purpose was stated");
	policy_area(policy, 1, &f, &d);
	assert_int_equal(d.action, ACTION_ALERT);
	policy_area(policy, 2, &f, &d);
	assert_int_equal(d.action, ACTION_ALLOW);
	/* who is not named is refused for that, whatever he states */
	f.who.user = "taro";
	policy_area(policy, 0, &f, &d);
	assert_false(d.purpose);
	assert_string_equal(d.rule, "protected:pay");
	f.no_purpose = false;
	policy_area(policy, 0, &f, &d);
	assert_int_equal(d.action, ACTION_DENY);
	f.who.user = "hanako";
	policy_area(policy, 0, &f, &d);
	assert_int_equal(d.action, ACTION_ALLOW);
}

/* fnmatch(3) with FNM_PATHNAME takes "*" and "?" the same way within a component. */
static void names_as_fnmatch_has_them(void **state)
{
	static const char letters[] = "ab*?/";
	char pattern[8], path[8], yaml[128];
	unsigned seed = 7, i, k, n, fits = 0;

	(void)state;
	for (i = 0; i < 4000; i++) {
		for (k = 1, n = 1 + rand_r(&seed) % 5; k <= n; k++)
			pattern[k] = letters[rand_r(&seed) % 5];
		pattern[0] = '/';
		pattern[k] = 0;
		for (k = 1, n = 1 + rand_r(&seed) % 5; k <= n; k++)
			path[k] = "ab/"[rand_r(&seed) % 3];
		path[0] = '/';
		path[k] = 0;
		/* what is compared whole: no empty components, nothing below */
		if (strstr(pattern, "//") || strstr(path, "//") || pattern[strlen(pattern) - 1] == '/' ||
			path[strlen(path) - 1] == '/')
			continue;
		snprintf(yaml, sizeof(yaml), "protected: {areas: [{name: x, paths: '%s'}]}\n", pattern);
		assert_int_equal(load(yaml), 0);
		k = fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0;
		if ((area(path) == 0) != k)
			fail_msg("%s %s: %d, fnmatch says %u", pattern, path, area(path), k);
		fits += k;
	}
	assert_in_range(fits, 100, 3000);
}

static void heads_are_literal(void **state)
{
	static const struct {
		const char *pattern;
		size_t head;
	} known[] = {{"/srv/hr", 7}, {"/srv/h*/x", 4}, {"/home/*/x", 5}, {"/*/x", 1}, {"/a/b\\*/c", 2}, {"/a/b?", 2}};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(policy_area_head(known[i].pattern), known[i].head);
}

static void what_is_wrong_is_named(void **state)
{
	static const char *const bad[][2] = {
		{"{areas: [{name: x}]}", "policy.yaml:2: protected: areas"},
		{"{areas: [{paths: /a}]}", "policy.yaml:2: protected: areas"},
		{"{areas: [{name: x, paths: a}]}", "policy.yaml:2: paths"},
		{"{areas: [{name: x, paths: /a/../b}]}", "policy.yaml:2: paths"},
		{"{areas: [{name: x, paths: '/'}]}", "policy.yaml:2: paths"},
		{"{areas: [{name: x, paths: '~x/a'}]}", "policy.yaml:2: paths"},
		{"{areas: [{name: x, paths: []}]}", "policy.yaml:2: paths"},
		{"{areas: [{name: x, paths: /a, others: allow, users: u}]}", "policy.yaml:2: others"},
		{"{areas: [{name: x, paths: /a, others: deny}]}", "policy.yaml:2: others"},
		{"{areas: [{name: x, paths: /a, users: u, others: hold}]}", "policy.yaml:2: others"},
		{"{areas: [{name: x, paths: /a, users: u, others: alert, in_doubt: deny}]}", "policy.yaml:2: in_doubt"},
		{"{areas: [{name: x, paths: /a, users: u, others: deny, in_doubt: note}]}", "policy.yaml:2: in_doubt"},
		{"{areas: [{name: x, paths: /a}, {name: x, paths: /b}]}", "policy.yaml:2: name"},
		{"{areas: [{name: x, paths: /a, colour: red}]}", "policy.yaml:2:42: colour"},
		{"{expectations: [{file: {path: /a}}]}", "policy.yaml:2: protected: expectations"},
		{"{expectations: [{file: {path: /a}, action: hold}]}", "policy.yaml:2: action"},
	};
	char yaml[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(yaml, sizeof(yaml), "protected: %s\n", bad[i][0]);
		if (load(yaml) != V_BAD || strncmp(why.text, bad[i][1], strlen(bad[i][1])) != 0 ||
			!why.text[strlen(why.text) + 1])
			fail_msg("%s: %s", bad[i][0], why.text);
	}
}

static unsigned said;
static char codes[256];

static void on_finding(void *ctx, const struct policy_finding *f)
{
	(void)ctx;
	said++;
	snprintf(codes + strlen(codes), sizeof(codes) - strlen(codes), "%s:%u%s ", f->code, f->line,
		f->fatal ? "!" : "");
}

static const char *check(const char *areas)
{
	said = 0;
	codes[0] = 0;
	assert_int_equal(load(areas), 0);
	policy_check(policy, 1795650302000000, on_finding, NULL);
	return codes;
}

static void it_tries_itself(void **state)
{
	(void)state;
	assert_string_equal(check("protected:\n"
				  "  areas:\n"
				  "  - {name: pay, paths: /srv/pay, users: hanako, others: alert}\n"
				  "  - {name: late, paths: /srv/pay/x}\n"
				  "  - {name: anywhere, paths: '/*/x'}\n"
				  "  expectations:\n"
				  "  - {file: {path: /srv/pay/a, user: hanako}, area: pay, action: allow}\n"
				  "  - {file: {path: /srv/pay/a, user: taro}, action: alert}\n"
				  "  - {file: {path: /srv/pay/a, user: taro}, action: allow}\n"
				  "  - {file: {path: /srv/pay/a, user: taro}, area: late, action: alert}\n"
				  "  - {file: {path: /elsewhere}, action: allow}\n"),
		"expectation:10! expectation:11! hidden:5 wide:6 ");
	/* what would refuse the PC to everybody */
	assert_string_equal(check("protected:\n"
				  "  areas:\n"
				  "  - {name: all, paths: '/*/passwd', users: u, others: deny}\n"
				  "  - {name: usr, paths: /usr, programs: /usr/bin/cat, others: deny}\n"
				  "  - {name: own, shares: '/dev/*', users: u, others: deny}\n"
				  "  - {name: good, paths: [/srv/x, /home/u/x], shares: ['//files/*', 'nas:/x'], "
				  "users: u, others: deny}\n"
				  "  - {name: told, paths: /etc, users: u, others: alert}\n"
				  "  - {name: noted, paths: /var, users: u, others: deny, mode: note}\n"),
		"lockout:4! lockout:5! lockout:6! wide:4 ");
}

static void as_text(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	struct policy_rule_text t;

	(void)state;
	assert_int_equal(load("protected: {areas: [{name: pay, paths: ['~/x'], shares: nas, users: a, groups: [b, c], "
			      "programs: /p, others: alert, mode: note}]}\n"),
		0);
	assert_int_equal(policy_area_rule(policy, 0, &t, &text), 0);
	assert_string_equal(t.name, "pay");
	assert_string_equal(buf_str(&text) ? (const char *)text.p : "",
		"paths: [~/x], shares: [nas], users: [a], groups: [b, c], programs: [/p], others: alert, mode: note");
	text.n = 0;
	assert_int_equal(load("protected: {areas: [{name: pay, paths: /x, users: a, others: deny}]}\n"), 0);
	assert_int_equal(policy_area_rule(policy, 0, &t, &text), 0);
	assert_string_equal(
		buf_str(&text) ? (const char *)text.p : "", "paths: [/x], users: [a], others: deny, in_doubt: deny");
}

static int leave(void **state)
{
	(void)state;
	policy_free(STEAL(policy));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_lies_in_the_first_area_that_names_it),
		cmocka_unit_test(who_may_and_what_holds_of_others),
		cmocka_unit_test(who_is_refused),
		cmocka_unit_test(a_purpose_is_asked_for),
		cmocka_unit_test(names_as_fnmatch_has_them),
		cmocka_unit_test(heads_are_literal),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(it_tries_itself),
		cmocka_unit_test(as_text),
	};

	return cmocka_run_group_tests(tests, NULL, leave);
}
