/*
 * policy/rule/print*.c: what a policy says of print jobs.
 */
#include "policy/rule/print.h"
#include "tests/unit/cm.h"

/* A curve of 256 bits; nobody has its key. */
#define CERTIFICATE                                                                \
	"      -----BEGIN CERTIFICATE-----\n"                                      \
	"      MIIBejCCASGgAwIBAgIUHyN4USrgedQMCrg0vV7qKy4S4FkwCgYIKoZIzj0EAwIw\n" \
	"      EjEQMA4GA1UEAwwHYXVkaXRvcjAgFw0yNjExMjYwMjQyMjVaGA8yMTI2MTEwMjAy\n" \
	"      NDIyNVowEjEQMA4GA1UEAwwHYXVkaXRvcjBZMBMGByqGSM49AgEGCCqGSM49AwEH\n" \
	"      A0IABPfnxz9giYiWfNXQpidcGn+PxmL7ENDczM6tlkX8ZxumWdIT1JU4Kqdb/V1P\n" \
	"      1z8zgAEi5I5EZ3Pf9PLSs+4kW0ejUzBRMB0GA1UdDgQWBBRCUZIOUle6QDk4a+lM\n" \
	"      8hKbidDW8TAfBgNVHSMEGDAWgBRCUZIOUle6QDk4a+lM8hKbidDW8TAPBgNVHRMB\n" \
	"      Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDRCzh50R6I3NchEicLi63WPt+8M\n" \
	"      ncgZNVRW8gyWtFr3AiBWVxwXjFL47OeE8rag++HPmc3MAsPwV5dWMyI6Jcbb3g==\n" \
	"      -----END CERTIFICATE-----\n"

static struct policy *policy;
static struct why why;

static int load(const char *print)
{
	_cleanup_buf_ struct buf yaml = BUF_INIT(1 << 16);

	policy_free(STEAL(policy));
	why.text[0] = 0;
	assert_int_equal(buf_putf(&yaml, "version: 1\nprint:\n%s", print), 0);
	return policy_load(buf_span(&yaml), SPAN("", 0), &policy, &why);
}

static struct print_facts job(void)
{
	static const char *const groups[] = {"staff", NULL};

	return (struct print_facts){
		.who = {.user = "taro", .groups = groups, .host = "pc-1", .wall_us = 1795650302000000},
		.printer = "lobby",
		.printer_class = "",
		.uri = "ipp://10.0.0.9/ipp/print",
		.location = "1F",
		.title = "report.pdf",
		.title_raw = "report.pdf",
		.format = "application/pdf",
		.has_pages = true,
		.pages = 3,
		.copies = 2,
		.readable = true};
}

static unsigned decide(const struct print_facts *f)
{
	struct document_decision d;

	policy_print(policy, f, &d);
	return d.action;
}

/* Whose file lies in an area: by patterns of names; of a job whose file nobody knows no such rule holds. */
static void by_the_area_of_its_file(void **state)
{
	static const char *const areas[] = {"payroll", "personal", "", NULL};
	static const unsigned wanted[] = {ACTION_DENY, ACTION_HOLD, ACTION_ALLOW, ACTION_ALLOW};
	struct print_facts f = job();
	struct document_decision d;
	size_t i;

	(void)state;
	assert_int_equal(load("  rules:\n"
			      "    - {name: pay, match: {areas: [pay*]}, action: deny}\n"
			      "    - {name: any, match: {areas: '*', printers: lobby}, action: hold}\n"),
		0);
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		f.area = areas[i];
		policy_print(policy, &f, &d);
		assert_int_equal(d.action, wanted[i]);
		assert_true(d.action == ACTION_ALLOW || strstr(d.reason, "the protected area of its file"));
	}
}

static void without_a_section_all_prints(void **state)
{
	struct print_facts f = job();
	struct document_decision d;

	(void)state;
	policy_free(STEAL(policy));
	assert_int_equal(policy_builtin(&policy), 0);
	policy_print(policy, &f, &d);
	assert_int_equal(d.action, ACTION_ALLOW);
	assert_string_equal(d.rule, "print-default");
	assert_int_equal(policy_print_unavailable(policy), ACTION_ALLOW);
	assert_false(policy_print_text(policy));
}

static void first_rule_that_fits(void **state)
{
	struct print_facts f = job();
	struct document_decision d;

	(void)state;
	assert_int_equal(load("  default: note\n  unavailable: hold\n  rules:\n"
			      "  - {name: boss, match: {users: hanako}, action: allow}\n"
			      "  - {name: secret, match: {titles: ['*社外秘*', '*secret*']}, action: deny, message: "
			      "no, message_ja: 不可}\n"
			      "  - {name: many, match: {pages_over: 5, printers: 'lob*'}, action: hold, mode: note}\n"),
		0);
	policy_print(policy, &f, &d); /* 3 pages twice */
	assert_int_equal(d.action, ACTION_HOLD);
	assert_true(d.note);
	assert_string_equal(d.rule, "print:many");
	f.copies = 1;
	assert_int_equal(decide(&f), ACTION_NOTE);
	f.title = "【社外秘】計画";
	policy_print(policy, &f, &d);
	assert_int_equal(d.action, ACTION_DENY);
	assert_string_equal(d.message_ja, "不可");
	f.who.user = "hanako";
	assert_int_equal(decide(&f), ACTION_ALLOW);
	assert_int_equal(policy_print_unavailable(policy), ACTION_HOLD);
}

static void titles_do_not_slip_through(void **state)
{
	struct print_facts f = job();

	(void)state;
	assert_int_equal(load("  rules:\n  - {name: s, match: {titles: '*secret*'}, action: deny}\n"), 0);
	f.title = "TOP SECRET";
	assert_int_equal(decide(&f), ACTION_DENY);
	f.title = "ＳＥＣＲＥＴ"; /* full width */
	assert_int_equal(decide(&f), ACTION_DENY);
	f.title = "Untitled"; /* what CUPS makes of a title that it does not like */
	f.title_raw = "secret\nplan";
	assert_int_equal(decide(&f), ACTION_DENY);
	f.title_raw = "Untitled";
	assert_int_equal(decide(&f), ACTION_ALLOW);
}

static void what_is_not_known_fits_its_own_rule(void **state)
{
	struct print_facts f = job();

	(void)state;
	assert_int_equal(load("  rules:\n  - {name: p, match: {pages_over: 0}, action: deny}\n"
			      "  - {name: u, match: {unreadable: yes}, action: hold}\n"),
		0);
	assert_true(policy_print_text(policy));
	assert_int_equal(decide(&f), ACTION_DENY);
	f.has_pages = false;
	assert_int_equal(decide(&f), ACTION_ALLOW);
	f.readable = false;
	assert_int_equal(decide(&f), ACTION_HOLD);
}

static void contents(void **state)
{
	struct print_facts f = job();
	const char *const *patterns;

	(void)state;
	assert_int_equal(load("  rules:\n  - {name: n, match: {my_numbers: 2}, action: deny}\n"
			      "  - {name: t, match: {cards: 1}, action: alert}\n"
			      "  - {name: a, match: {contains: [alpha, beta]}, action: hold}\n"
			      "  - {name: b, match: {contains: beta, colour: yes}, action: note}\n"),
		0);
	assert_int_equal(policy_print_patterns(policy, &patterns), 2);
	assert_string_equal(patterns[1], "beta");
	f.numbers[NUMBER_MY] = 1;
	assert_int_equal(decide(&f), ACTION_ALLOW);
	f.numbers[NUMBER_CARD] = 1;
	assert_int_equal(decide(&f), ACTION_ALERT);
	f.numbers[NUMBER_CARD] = 0;
	f.matches[1] = 4;
	assert_int_equal(decide(&f), ACTION_HOLD);
	f.numbers[NUMBER_MY] = 2;
	assert_int_equal(decide(&f), ACTION_DENY);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *print, *why;
	} bad[] = {
		{"  default: maybe\n", "policy.yaml:3: default: \"maybe\" is no allow, note, alert, hold or deny"},
		{"  rules: [{name: x, action: quarantine}]\n",
			"policy.yaml:3: action: \"quarantine\" is no allow, note, alert, hold or deny"},
		{"  unavailable: alert\n", "policy.yaml:3: unavailable: \"alert\" is no allow or hold"},
		{"  rules: [{name: x, action: alert, ask_reason: yes}]\n",
			"policy.yaml:3: ask_reason: it needs action: hold"},
		{"  unavailable: deny\n", "policy.yaml:3: unavailable: \"deny\" is no allow or hold"},
		{"  rules: [{name: x}]\n", "policy.yaml:3: print: rules: a rule needs name and action"},
		{"  rules: [{name: x, action: deny, match: {vendor: 0951}}]\n",
			"policy.yaml:3:43: vendor: unknown key"},
		{"  rules: [{name: x, action: deny}, {name: x, action: deny}]\n",
			"policy.yaml:3: name: another rule has this name"},
		{"  rules: [{name: x, action: deny, match: {unreadable: no}}]\n",
			"policy.yaml:3: unreadable: only yes belongs here"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(load(bad[i].print), V_BAD);
		assert_string_equal(why.text, bad[i].why);
	}
}

static void copies_are_for_somebody(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	struct print_facts f = job();
	struct policy_rule_text rule;
	struct document_decision d;
	struct print_copies c;

	(void)state;
	assert_int_equal(load("  rules: [{name: k, action: allow, copy: yes}]\n"), V_BAD);
	assert_string_equal(why.text, "policy.yaml:3: copy: the section `copies:` is missing");
	assert_int_equal(load("  copies: {max_mib: 5}\n"), V_BAD);
	assert_string_equal(why.text, "policy.yaml:3: copies: auditors are missing: who could open them?");
	assert_int_equal(load("  copies: {auditors: nobody}\n"), V_BAD);
	assert_string_equal(why.text, "policy.yaml:3: auditors: no certificate in PEM");
	assert_int_equal(
		load("  copies:\n    auditors: |\n" CERTIFICATE "    second_auditors: |\n" CERTIFICATE), V_BAD);
	assert_non_null(strstr(why.text, "one key is among auditors and second_auditors"));
	assert_int_equal(load("  copies:\n    second_auditors: |\n" CERTIFICATE), V_BAD);
	assert_non_null(strstr(why.text, "auditors are missing"));
	assert_int_equal(load("  copies:\n    max_mib: 5\n    when_full: stop\n    auditors: |\n" CERTIFICATE
			      "  rules:\n  - {name: k, match: {users: taro}, action: hold, copy: yes}\n"),
		0);
	policy_print(policy, &f, &d);
	assert_true(d.copy);
	f.who.user = "hanako";
	policy_print(policy, &f, &d);
	assert_false(d.copy);
	assert_true(policy_print_copies(policy, &c));
	assert_int_equal(c.max_bytes, 5 << 20);
	assert_false(c.oldest_goes);
	assert_int_equal(policy_print_rule(policy, 0, &rule, &text), 0);
	assert_string_equal(buf_str(&text), "users: [taro], action: hold, copy: yes");
}

static void say(void *ctx, const struct policy_finding *f)
{
	snprintf(ctx, 256, "%s:%u: %s", f->code, f->line, f->en);
}

static void expects_of_itself(void **state)
{
	char said[256] = "";

	(void)state;
	assert_int_equal(load("  rules: [{name: s, match: {titles: '*x*'}, action: deny}]\n  expectations:\n"
			      "  - {name: e, job: {user: taro, title: axb}, action: deny}\n"),
		0);
	assert_int_equal(policy_try(policy, say, said), 0);
	assert_int_equal(load("  rules: [{name: s, match: {titles: '*x*'}, action: deny}]\n  expectations:\n"
			      "  - {name: e, job: {user: taro, title: axb}, action: allow}\n"),
		0);
	assert_int_equal(policy_try(policy, say, said), V_BAD);
	assert_string_equal(said, "expectation:5: e: allow was expected, print:s decides deny");
}

static int release(void **state)
{
	(void)state;
	policy_free(STEAL(policy));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_area_of_its_file),
		cmocka_unit_test(without_a_section_all_prints),
		cmocka_unit_test(first_rule_that_fits),
		cmocka_unit_test(titles_do_not_slip_through),
		cmocka_unit_test(what_is_not_known_fits_its_own_rule),
		cmocka_unit_test(contents),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(copies_are_for_somebody),
		cmocka_unit_test(expects_of_itself),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
