/* policy/rule/trial.c: records folded into cases, within bounds; who may see what is its callers' matter. */
#include "policy/rule/trial.h"
#include "tests/unit/cm.h"

#define NOON 1795650302000000

static const char *const nobody[] = {NULL};
static struct policy *policy;
static struct trial *trial;
static struct record record;

static void begin(const char *yaml)
{
	struct why why = {""};

	trial_free(STEAL(trial));
	policy_free(STEAL(policy));
	if (policy_load(SPAN_STR(yaml), SPAN("", 0), &policy, &why))
		fail_msg("%s", why.text);
	assert_int_equal(trial_new(policy, nobody, &trial), 0);
}

static int end(void **state)
{
	(void)state;
	trial_free(STEAL(trial));
	policy_free(STEAL(policy));
	return 0;
}

static void stick(const char *serial, const char *user, unsigned access, unsigned mode)
{
	record_reset(&record);
	record_set_uint(&record, F_KIND, KIND_DECISION);
	record_set_uint(&record, F_DEVICE_KIND, DEVICE_KIND_STORAGE);
	record_set_span(&record, F_USB_ID, SPAN_STR("0951:1666"));
	record_set_span(&record, F_SERIAL, SPAN_STR(serial));
	record_set_span(&record, F_INTERFACES, SPAN_STR("08:06:50"));
	record_set_span(&record, F_USER, SPAN_STR(user));
	record_set_uint(&record, F_ACCESS, access);
	record_set_uint(&record, F_POLICY_MODE, mode);
	record_set_span(&record, F_RULE, SPAN_STR("rule:before"));
}

static void job(const char *printer, const char *title, const char *user, uint64_t pages, unsigned action)
{
	record_reset(&record);
	record_set_uint(&record, F_KIND, KIND_PRINT);
	record_set_span(&record, F_PRINTER, SPAN_STR(printer));
	record_set_span(&record, F_TITLE, SPAN_STR(title));
	record_set_span(&record, F_USER, SPAN_STR(user));
	record_set_uint(&record, F_PAGES, pages);
	record_set_uint(&record, F_ACTION, action);
	record_set_uint(&record, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	record_set_span(&record, F_RULE, SPAN_STR("print-default"));
}

static void add(int64_t at_us, const char *host, uint64_t row)
{
	record_set_int(&record, F_TIME, at_us);
	assert_int_equal(trial_add(trial, &record, host, row), 0);
}

static const char strict[] = "version: 1\n"
			     "defaults: {storage: read-only}\n"
			     "rules: [{name: banned, match: {serial: BBB}, access: deny}]\n"
			     "print:\n"
			     "  rules: [{name: payroll, match: {titles: ['*payroll*']}, action: hold}]\n";

static void changes_come_first_stricter_before_looser(void **state)
{
	const struct trial_case *const *v;
	const struct trial_counts *n;
	size_t cases;

	(void)state;
	begin(strict);
	stick("SAME", "taro", ACCESS_READ_ONLY, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", 1);
	add(NOON + 1, "ws-1", 2);
	add(NOON + 2, "ws-1", 3);
	stick("AAA", "taro", ACCESS_DENY, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", 4);
	stick("BBB", "taro", ACCESS_READ_WRITE, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", 5);
	record_set_span(&record, F_RULE, SPAN_STR("release:0011"));
	add(NOON, "ws-1", 6);
	v = trial_cases(trial, &cases);
	n = trial_counts(trial);
	assert_int_equal(cases, 3);
	assert_string_equal(v[0]->serial, "BBB");
	assert_string_equal(trial_effect_name(v[0]->effect), "stricter");
	assert_string_equal(v[0]->decided.rule, "rule:banned");
	assert_string_equal(v[0]->decided.reason_ja, "最初に該当した規則(policy.yaml:3)");
	assert_string_equal(v[1]->serial, "AAA");
	assert_string_equal(trial_effect_name(v[1]->effect), "looser");
	assert_string_equal(v[2]->serial, "SAME");
	assert_string_equal(trial_effect_name(v[2]->effect), "same");
	assert_int_equal(v[2]->times, 3);
	assert_int_equal(n->looked, 6);
	assert_int_equal(n->stricter, 1);
	assert_int_equal(n->looser, 1);
	assert_int_equal(n->same, 3);
	assert_int_equal(n->not_compared, 1);
	assert_int_equal(n->left_out, 0);
}

static void written(const char *serial, const char *path, uint64_t numbers, unsigned action, unsigned mode)
{
	record_reset(&record);
	record_set_uint(&record, F_KIND, KIND_DRIVE_FILE);
	record_set_span(&record, F_USB_ID, SPAN_STR("0951:1666"));
	record_set_span(&record, F_SERIAL, SPAN_STR(serial));
	record_set_span(&record, F_PATH, SPAN_STR(path));
	record_set_span(&record, F_USER, SPAN_STR("taro"));
	record_set_uint(&record, F_MY_NUMBERS, numbers);
	record_set_uint(&record, F_ACTION, action);
	record_set_uint(&record, F_POLICY_MODE, mode);
	record_set_span(&record, F_RULE, SPAN_STR("drives:before"));
}

static void files_on_drives_are_judged_anew(void **state)
{
	const struct trial_case *const *v;
	const struct trial_counts *n;
	size_t cases;

	(void)state;
	begin("version: 1\ndrives:\n  rules:\n    - {name: web, match: {paths: '*/web/*'}, action: note}\n"
	      "    - {name: people, match: {my_numbers: 3}, action: alert}\n"
	      "    - {name: closed, match: {unreadable: yes}, action: alert}\n");
	written("AAA", "/media/a/list.csv", 3, ACTION_ALLOW, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", 1);
	written("AAA", "/media/a/more.csv", 30, ACTION_ALLOW, POLICY_MODE_ENFORCE);
	add(NOON + 1, "ws-1", 2);
	written("AAA", "/media/a/web/list.csv", 3, ACTION_QUARANTINE, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", 3);
	/* What was only noted went through, as it would now. */
	written("AAA", "/media/a/few.csv", 2, ACTION_QUARANTINE, POLICY_MODE_NOTE);
	/* Findings that leave nothing of the text unread. */
	record_set_span(&record, F_FINDINGS, SPAN_STR("gzip, image-only, ocr, 2 blank; pages: not-said (plain text)"));
	add(NOON, "ws-1", 4);
	written("BBB", "/media/b/locked.zip", 0, ACTION_ALERT, POLICY_MODE_ENFORCE);
	record_set_span(
		&record, F_FINDINGS, SPAN_STR("encrypted, password; pages: not-said (zip); text: needs-password"));
	add(NOON, "ws-1", 5);
	/* That a drive cannot be watched is no decision. */
	record_drop(&record, F_ACTION);
	add(NOON, "ws-1", 6);
	v = trial_cases(trial, &cases);
	n = trial_counts(trial);
	assert_int_equal(n->stricter, 2);
	assert_int_equal(n->looser, 1);
	assert_int_equal(n->same, 2);
	assert_int_equal(n->not_compared, 1);
	assert_true(cases == 4 && v[0]->decided.of_drive && !v[0]->decided.of_device);
	assert_string_equal(v[0]->decided.rule, "drives:people");
	assert_string_equal(v[0]->title, "/media/a/more.csv");
	assert_int_equal(v[0]->times, 2);
	assert_int_equal(v[0]->decided.was, ACTION_ALLOW);
	assert_int_equal(v[0]->decided.now, ACTION_ALERT);
	assert_string_equal(v[1]->decided.rule, "drives:web");
	assert_int_equal(v[1]->decided.was, ACTION_QUARANTINE);
	assert_int_equal(v[1]->decided.now, ACTION_ALLOW);
}

/* That somebody is told is less than a wait, and more than nothing. */
static void what_is_told_of_lies_between(void **state)
{
	static const struct {
		unsigned was, now;
		enum trial_effect effect;
	} turns[] = {
		{ACTION_ALLOW, ACTION_ALERT, TRIAL_STRICTER},
		{ACTION_NOTE, ACTION_ALERT, TRIAL_STRICTER},
		{ACTION_ALERT, ACTION_ALERT, TRIAL_SAME},
		{ACTION_HOLD, ACTION_ALERT, TRIAL_LOOSER},
		{ACTION_DENY, ACTION_ALERT, TRIAL_LOOSER},
		{ACTION_ALERT, ACTION_HOLD, TRIAL_STRICTER},
	};
	const struct trial_case *const *v;
	size_t cases, i;
	char yaml[128];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(turns); i++) {
		snprintf(yaml, sizeof(yaml), "version: 1\nprint: {rules: [{name: x, action: %s}]}\n",
			turns[i].now == ACTION_ALERT ? "alert" : "hold");
		begin(yaml);
		job("laser", "list", "taro", 1, turns[i].was);
		add(NOON, "ws-1", 1);
		v = trial_cases(trial, &cases);
		assert_int_equal(cases, 1);
		assert_int_equal(v[0]->effect, turns[i].effect);
	}
}

/* Denied on paper only is not the same as denied. */
static void what_was_noted_is_a_case_of_its_own(void **state)
{
	const struct trial_case *const *v;
	size_t cases;

	(void)state;
	begin(strict);
	stick("BBB", "taro", ACCESS_DENY, POLICY_MODE_NOTE);
	add(NOON, "ws-1", 1);
	stick("BBB", "taro", ACCESS_DENY, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", 2);
	v = trial_cases(trial, &cases);
	assert_int_equal(cases, 2);
	assert_int_equal(v[0]->effect, TRIAL_STRICTER);
	assert_true(v[0]->decided.noted);
	assert_int_equal(v[0]->decided.decided, ACCESS_DENY);
	assert_int_equal(v[0]->decided.was, ACCESS_READ_WRITE);
	assert_int_equal(v[1]->effect, TRIAL_SAME);
	assert_false(v[1]->decided.noted);
}

/* People do not tell cases apart: an administrator gets them counted, and would see each person otherwise. */
static void people_and_pcs_are_counted(void **state)
{
	const struct trial_case *const *v;
	size_t cases;
	unsigned i;
	char user[16];

	(void)state;
	begin(strict);
	for (i = 0; i < 30; i++) {
		snprintf(user, sizeof(user), "user-%u", i % 10);
		job("laser", i % 2 ? "payroll 1" : "payroll 2", user, 3, ACTION_ALLOW);
		add(NOON + (int64_t)i, i % 3 ? "ws-1" : "ws-2", i);
	}
	v = trial_cases(trial, &cases);
	assert_int_equal(cases, 1);
	assert_int_equal(v[0]->times, 30);
	assert_int_equal(v[0]->pages, 90);
	assert_int_equal(v[0]->users.n, 10);
	assert_int_equal(v[0]->hosts.n, 2);
	assert_string_equal(v[0]->decided.reason, "policy.yaml:5: the title");
	assert_string_equal(v[0]->decided.reason_ja, "policy.yaml:5: 文書名");
	assert_string_equal(v[0]->title, "payroll 1");
	assert_int_equal(v[0]->last_us, NOON + 29);
}

static void the_last_ones_in_whatever_order_they_come(void **state)
{
	static const int order[] = {3, 9, 1, 7, 5, 8, 2, 6, 4};
	const struct trial_case *const *v;
	size_t cases, i;

	(void)state;
	begin(strict);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		stick("BBB", "taro", ACCESS_READ_WRITE, POLICY_MODE_ENFORCE);
		add(NOON + order[i], "ws-1", (uint64_t)order[i]);
	}
	v = trial_cases(trial, &cases);
	assert_int_equal(cases, 1);
	assert_int_equal(v[0]->latest_n, TRIAL_LATEST);
	for (i = 0; i < TRIAL_LATEST; i++)
		assert_int_equal(v[0]->latest[i].row, 9 - i);
}

/* Pages that a forger made up; a PC without a name; strings that do not fit. */
static void bounds_of_what_comes_from_outside(void **state)
{
	const struct trial_case *const *v;
	char longer[400];
	size_t cases;

	(void)state;
	begin("version: 1\nprint:\n  rules: [{name: x, match: {hosts: [ws-9]}, action: deny}]\n");
	memset(longer, 'x', sizeof(longer) - 1);
	memcpy(longer + 254, "あ", 3);
	longer[sizeof(longer) - 1] = 0;
	job(longer, longer, longer, UINT64_MAX, ACTION_DENY);
	add(NOON, NULL, 1);
	add(NOON, NULL, 2);
	v = trial_cases(trial, &cases);
	assert_int_equal(cases, 1);
	assert_int_equal(v[0]->pages, INT64_MAX);
	assert_int_equal(v[0]->hosts.n, 0);
	assert_int_equal(strlen(v[0]->printer), 254);
}

static void changes_are_not_crowded_out_by_what_stays(void **state)
{
	const struct trial_case *const *v;
	const struct trial_counts *n;
	size_t cases;
	unsigned i;
	char serial[16];

	(void)state;
	begin(strict);
	for (i = 0; i < TRIAL_CHANGED_MAX + 2 * TRIAL_SAME_MAX; i++) {
		snprintf(serial, sizeof(serial), "S%u", i);
		stick(serial, "taro", i < 2 * TRIAL_SAME_MAX ? ACCESS_READ_ONLY : ACCESS_DENY, POLICY_MODE_ENFORCE);
		add(NOON, "ws-1", i);
	}
	stick("ONE-MORE", "taro", ACCESS_READ_WRITE, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", i);
	/* What has its case is counted there all the same. */
	stick("S0", "taro", ACCESS_READ_ONLY, POLICY_MODE_ENFORCE);
	add(NOON, "ws-1", i);
	v = trial_cases(trial, &cases);
	n = trial_counts(trial);
	assert_int_equal(cases, TRIAL_CHANGED_MAX + TRIAL_SAME_MAX);
	assert_int_equal(v[0]->effect, TRIAL_LOOSER);
	assert_int_equal(v[TRIAL_CHANGED_MAX]->effect, TRIAL_SAME);
	assert_string_equal(v[TRIAL_CHANGED_MAX]->serial, "S0");
	assert_int_equal(v[TRIAL_CHANGED_MAX]->times, 2);
	assert_int_equal(n->left_out, TRIAL_SAME_MAX + 1);
	assert_int_equal(n->stricter, 1);
	assert_int_equal(n->looser, TRIAL_CHANGED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_come_first_stricter_before_looser),
		cmocka_unit_test(files_on_drives_are_judged_anew),
		cmocka_unit_test(what_is_told_of_lies_between),
		cmocka_unit_test(what_was_noted_is_a_case_of_its_own),
		cmocka_unit_test(people_and_pcs_are_counted),
		cmocka_unit_test(the_last_ones_in_whatever_order_they_come),
		cmocka_unit_test(bounds_of_what_comes_from_outside),
		cmocka_unit_test(changes_are_not_crowded_out_by_what_stays),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
