/*
 * policy/rule/drives*.c: what a policy says of files that are written to removable drives.
 */
#include "policy/rule/drives.h"
#include "tests/unit/cm.h"

static struct policy *policy;
static struct why why;

static int load(const char *drives)
{
	_cleanup_buf_ struct buf yaml = BUF_INIT(1 << 16);

	policy_free(STEAL(policy));
	why.text[0] = 0;
	assert_int_equal(buf_putf(&yaml, "version: 1\n%s", drives), 0);
	return policy_load(buf_span(&yaml), SPAN("", 0), &policy, &why);
}

static struct drive_facts file(void)
{
	static const char *const groups[] = {"staff", NULL};

	return (struct drive_facts){
		.who = {.user = "taro", .groups = groups, .host = "pc-1", .wall_us = 1795650302000000},
		.path = "/media/taro/KEY/List.CSV",
		.format = "text",
		.size = 5 << 20,
		.readable = true};
}

static const char *decide(const struct drive_facts *f, unsigned action)
{
	static struct document_decision d;

	policy_drive(policy, f, &d);
	assert_int_equal(d.action, action);
	return d.rule;
}

static void without_a_section_nothing_is_looked_into(void **state)
{
	struct drive_facts f = file();
	struct policy_ocr ocr;

	(void)state;
	assert_int_equal(load(""), 0);
	assert_false(policy_drives(policy));
	assert_string_equal(decide(&f, ACTION_ALLOW), "drives-default");
	assert_int_equal(load("drives: {}\n"), 0);
	assert_true(policy_drives(policy));
	assert_int_equal(policy_drives_max_bytes(policy), 256u << 20);
	assert_int_equal(load("drives: {default: alert, max_mib: 3}\n"), 0);
	assert_int_equal(policy_drives_max_bytes(policy), 3u << 20);
	policy_drives_ocr(policy, &ocr);
	assert_true(!ocr.on && ocr.seconds == 20 && ocr.seconds_per_hour == 180);
	decide(&f, ACTION_ALERT);
	assert_int_equal(load("drives: {ocr: yes, ocr_seconds: 5, ocr_seconds_per_hour: 60}\n"), 0);
	policy_drives_ocr(policy, &ocr);
	assert_true(ocr.on && ocr.seconds == 5 && ocr.seconds_per_hour == 60);
	policy_print_ocr(policy, &ocr);
	assert_false(ocr.on || policy_print_text(policy));
	assert_int_equal(load("print: {ocr: yes}\n"), 0);
	policy_print_ocr(policy, &ocr);
	assert_true(ocr.on && policy_print_text(policy));
}

static void cloud_folders(void **state)
{
	struct drive_facts f = file();
	struct document_decision d;

	(void)state;
	assert_int_equal(load("drives: {default: allow}\n"), 0);
	assert_false(policy_drives_cloud(policy, "/usr/bin/cp"));
	assert_int_equal(load("drives:\n  cloud: yes\n  rules:\n"
			      "  - {name: out, match: {cloud: yes}, action: alert, ask_reason: yes}\n"
			      "  - {name: drive, match: {cloud: no}, action: note}\n"),
		0);
	assert_true(policy_drives_cloud(policy, "/usr/bin/cp") && policy_drives_cloud(policy, ""));
	assert_false(policy_drives_cloud(policy, "/usr/bin/nextcloud"));
	assert_true(policy_drives_cloud(policy, "/home/taro/usr/bin/nextcloud"));
	assert_string_equal(decide(&f, ACTION_NOTE), "drives:drive");
	f.cloud = true;
	assert_string_equal(decide(&f, ACTION_ALERT), "drives:out");
	/* Nobody is asked. */
	policy_drive(policy, &f, &d);
	assert_false(d.ask_reason);
	assert_int_equal(load("drives: {cloud: yes, cloud_clients: ['/opt/sync/*']}\n"), 0);
	assert_true(policy_drives_cloud(policy, "/usr/bin/nextcloud"));
	assert_false(policy_drives_cloud(policy, "/opt/sync/bin/syncd"));
	assert_int_equal(load("drives: {cloud: maybe}\n"), V_BAD);
	assert_int_equal(load("drives: {rules: [{name: a, action: note, match: {cloud: 3}}]}\n"), V_BAD);
}

static void first_rule_that_fits(void **state)
{
	struct drive_facts f = file();
	const char *const *list;

	(void)state;
	assert_int_equal(load("drives:\n  rules:\n"
			      "  - {name: people, match: {my_numbers: 2, cards: 1}, action: alert}\n"
			      "  - {name: words, match: {contains: [secret, 社外秘]}, action: alert, mode: note}\n"
			      "  - {name: more, match: {contains: [x, secret]}, action: note}\n"
			      "  - {name: closed, match: {unreadable: yes}, action: note}\n"
			      "  - {name: sheets, match: {paths: '*.csv', users: taro, mib_over: 4}, action: note}\n"
			      "  - {name: archives, match: {formats: [zip, archive]}, action: alert}\n"),
		0);
	assert_int_equal(policy_drives_rules_n(policy), 6);
	assert_int_equal(policy_drives_patterns(policy, &list), 3);
	assert_string_equal(list[1], "社外秘");
	assert_string_equal(decide(&f, ACTION_NOTE), "drives:sheets");
	f.size = 4 << 20;
	assert_string_equal(decide(&f, ACTION_ALLOW), "drives-default");
	f.format = "zip";
	assert_string_equal(decide(&f, ACTION_ALERT), "drives:archives");
	f.readable = false;
	assert_string_equal(decide(&f, ACTION_NOTE), "drives:closed");
	f.matches[2] = 1;
	assert_string_equal(decide(&f, ACTION_NOTE), "drives:more");
	f.matches[1] = 1;
	assert_string_equal(decide(&f, ACTION_ALERT), "drives:words");
	f.numbers[NUMBER_MY] = 2;
	assert_string_equal(decide(&f, ACTION_ALERT), "drives:words");
	f.numbers[NUMBER_CARD] = 1;
	assert_string_equal(decide(&f, ACTION_ALERT), "drives:people");
}

#define DOCUMENTS                                                                  \
	"documents:\n  key: AAECAwQFBgcICQoLDA0ODw==\n  known:\n"                  \
	"  - name: price list\n    share: 40\n    prints: |\n"                     \
	"      AAAAAAEAAAAAAgAAAAADAAAAAAQA\n      AAAABQAAAAAGAAAAAAcAAAAACA==\n" \
	"  - {name: plan, sha256: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a}\n"

static void known_documents_are_asked_for_by_name(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(KNOWN_WORDS_MAX);
	struct drive_facts f = file();
	uint8_t known[KNOWN_MAX];
	struct document_decision d;

	(void)state;
	assert_int_equal(load(DOCUMENTS "drives:\n  rules:\n"
					"  - {name: prices, match: {documents: 'PRICE*'}, action: alert}\n"
					"  - {name: any, match: {documents: '*'}, action: note}\n"),
		0);
	assert_int_equal(policy_known_n(policy), 2);
	assert_int_equal(policy_known(policy, 0)->prints.n, 8 * KNOWN_PRINT_SIZE);
	assert_int_equal(policy_known(policy, 0)->prints.p[4], 1);
	assert_int_equal(policy_known(policy, 0)->prints.p[39], 8);
	assert_int_equal(policy_known_key(policy)[15], 15);
	decide(&f, ACTION_ALLOW);
	f.known[0] = 39;
	decide(&f, ACTION_ALLOW);
	f.known[0] = 40;
	assert_string_equal(decide(&f, ACTION_ALERT), "drives:prices");
	policy_drive(policy, &f, &d);
	assert_string_equal(d.reason, "policy.yaml:13: a known document");
	/* What a record says, a replay reads. */
	f.known[1] = 100;
	assert_int_equal(policy_known_words(policy, f.known, &b), 0);
	assert_string_equal(buf_str(&b), "price list 40 %; plan 100 %");
	policy_known_read(policy, buf_span(&b), known);
	assert_memory_equal(known, f.known, KNOWN_MAX);
	policy_known_read(policy, SPAN_STR("price list 101 %; plan; ; other 40 %; plan 7 % "), known);
	assert_int_equal(known[0] + known[1], 0);
	f.known[0] = 0;
	assert_string_equal(decide(&f, ACTION_NOTE), "drives:any");
}

static void the_reason_names_what_led_there(void **state)
{
	struct drive_facts f = file();
	struct document_decision d;

	(void)state;
	assert_int_equal(
		load("mode: note\ndrives:\n  rules:\n"
		     "  - {name: a, match: {paths: '*', contains: x}, action: alert, message: m, message_ja: n}\n"),
		0);
	f.matches[0] = 1;
	policy_drive(policy, &f, &d);
	assert_true(d.note);
	assert_string_equal(d.reason, "policy.yaml:5: its name, words in it");
	assert_string_equal(d.reason_ja, "policy.yaml:5: ファイル名、文書中の語句");
	assert_string_equal(d.message, "m");
	assert_string_equal(d.message_ja, "n");
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *yaml, *why;
	} cases[] = {
		{"drives: [a]\n", "policy.yaml:2"},
		{"drives: {default: hold}\n",
			"policy.yaml:2: default: \"hold\" is no allow, note, alert or quarantine"},
		{"drives: {max_mib: 0}\n", "policy.yaml:2: max_mib"},
		{"drives: {ocr: maybe}\n", "policy.yaml:2: ocr"},
		{"drives: {ocr_seconds: 601}\n", "policy.yaml:2: ocr_seconds"},
		{"drives: {ocr_seconds_per_hour: 0}\n", "policy.yaml:2: ocr_seconds_per_hour"},
		{"drives: {copies: {}}\n", "auditors are missing"},
		{"drives: {copies: {auditors: x}}\n", "auditors"},
		{"drives: {rules: [{name: a, copy: yes, action: note}]}\n", "copy: the section `copies:` is missing"},
		{"drives: {rules: [{name: a}]}\n", "a rule needs name and action"},
		{"drives: {rules: [{name: a, action: deny}]}\n", "\"deny\" is no allow"},
		{"drives: {rules: [{name: a, action: note}, {name: a, action: note}]}\n", "another rule has this name"},
		{"drives: {rules: [{name: a, match: {titles: x}, action: note}]}\n", "titles"},
		{"drives: {rules: [{name: a, match: {unreadable: no}, action: note}]}\n", "only yes belongs here"},
		{"drives: {rules: [{name: a, match: {mib_over: 5000}, action: note}]}\n", "mib_over"},
		{"drives: {rules: [{name: a, stamp: yes, action: note}]}\n", "stamp"},
		{"drives: {expectations: [{file: {path: x}}]}\n", "action is missing"},
		{"documents: {known: [{name: a, sha256: 0a}]}\n", "sha256"},
		{"documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: a}]}\n", "sha256 or prints"},
		{"documents: {key: AAEC, known: []}\n", "key: is not 16 bytes in base64"},
		{"documents: {key: '!'}\n", "key: is no base64"},
		{"documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: a, prints: AAAAAAE=}]}\n",
			"no list of fingerprints"},
		{"documents: {key: AAECAwQFBgcICQoLDA0ODw==, known: [{name: 'a=b', prints: AAAAAAE=}]}\n",
			"name: ; and ="},
		{DOCUMENTS "  - {name: plan, prints: AAAAAAEAAAAAAgAAAAADAAAAAAQAAAAABQAAAAAGAAAAAAcAAAAACA==}\n",
			"another document has this name"},
		{"drives: {quarantine: {}}\n", "openers are missing"},
		{"drives: {quarantine: {openers: x}}\n", "openers"},
		{"drives: {quarantine: {max_mib: 0}}\n", "max_mib"},
		{"drives: {default: quarantine}\n",
			"policy.yaml:2: action: quarantine needs the section `quarantine:`"},
		{"drives:\n  rules:\n    - {name: a, action: quarantine}\n",
			"policy.yaml:4: action: quarantine needs the section `quarantine:`"},
		{"print: {rules: [{name: a, action: quarantine}]}\n",
			"\"quarantine\" is no allow, note, alert, hold or deny"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(load(cases[i].yaml), V_BAD);
		if (!strstr(why.text, cases[i].why))
			fail_msg("%s: %s", cases[i].yaml, why.text);
	}
}

static char said[512];

static void say(void *ctx, const struct policy_finding *f)
{
	(void)ctx;
	snprintf(said, sizeof(said), "%s:%u: %s", f->code, f->line, f->en);
}

static void expects_of_itself(void **state)
{
	(void)state;
	assert_int_equal(load("drives:\n  rules: [{name: n, match: {my_numbers: 3}, action: alert}]\n  expectations:\n"
			      "  - {file: {my_numbers: 3}, action: alert}\n"
			      "  - {name: e, file: {my_numbers: 2, mib: 1, unreadable: yes}, action: alert}\n"),
		0);
	assert_int_equal(policy_try(policy, say, NULL), V_BAD);
	assert_string_equal(said, "expectation:6: e: alert was expected, drives-default decides allow");
	assert_int_equal(load("drives:\n  rules: [{name: n, action: note}, {name: m, action: alert}]\n"), 0);
	assert_int_equal(policy_check(policy, 0, say, NULL), 0);
	assert_string_equal(said, "hidden:3: rule n fits every file: those behind it are never reached");
	assert_int_equal(load(DOCUMENTS "drives:\n  rules: [{name: n, match: {documents: plan}, action: alert}]\n"
					"  expectations:\n    - {file: {documents: plan}, action: alert}\n"
					"    - {file: {documents: price list}, action: allow}\n"),
		0);
	assert_int_equal(policy_try(policy, say, NULL), 0);
	assert_int_equal(load("drives:\n  rules: [{name: n, match: {documents: plan}, action: alert}]\n"
			      "  expectations:\n    - {file: {documents: plan}, action: alert}\n"),
		0);
	assert_int_equal(policy_try(policy, say, NULL), V_BAD);
	assert_string_equal(said, "expectation:5: documents: \"plan\" is no document of the policy");
	assert_int_equal(policy_check(policy, 0, say, NULL), V_BAD);
	assert_string_equal(said, "never:3: rule n fits nothing: the section documents knows none of its documents");
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
		cmocka_unit_test(without_a_section_nothing_is_looked_into),
		cmocka_unit_test(cloud_folders),
		cmocka_unit_test(first_rule_that_fits),
		cmocka_unit_test(known_documents_are_asked_for_by_name),
		cmocka_unit_test(the_reason_names_what_led_there),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(expects_of_itself),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
