/* A PC where all is well, and each thing that can be wrong with it: named, with what mends it, and nothing else. */
#include "policy/ctl/doctor.h"
#include "tests/unit/cm.h"
#include <stdio.h>

#define NOW 1795428000000000

static const char well[] =
	"{\"shield\":{\"shield\":\"none\",\"why\":\"no bpf in "
	"lsm=\"},\"now_us\":1795428000000000,\"root\":true,\"pc\":true,\"enrolled\":true,\"systemd\":true,\"cups\":"
	"true,"
	"\"clock_synced\":true,\"kernel\":{\"release\":\"6.1.0\",\"btf\":true,\"lsm\":\"capability,bpf\","
	"\"lockdown\":\"none [integrity] confidentiality\"},\"load\":{\"recorder\":{\"state\":\"current\",\"set\":"
	"\"trampoline\",\"told\":true,\"taken\":true},\"gate\":{\"state\":\"current\",\"how\":\"enforce\",\"layers\":"
	"\"open,erofs\",\"missing\":\"\"}},\"disks\":{\"/var/spool/"
	"sekisho\":{\"free\":9000000000,\"size\":90000000000}},"
	"\"packages\":\"apt\",\"qpdf\":true,"
	"\"units\":{\"sekisho-load.service\":\"enabled\",\"sekisho-probes.service\":\"enabled\",\"sekisho-guard."
	"service\":\"enabled\",\"sekisho-recorder.service\":\"enabled\",\"sekisho-uplink.service\":\"enabled\","
	"\"sekisho-posture.timer\":\"enabled\",\"sekisho-sleep.service\":\"enabled\",\"sekisho-print.service\":"
	"\"enabled\",\"sekisho-keeper.socket\":"
	"\"enabled\"},"
	"\"keys\":{\"new\":\"tpm\",\"device\":{\"place\":\"tpm\"},\"tls\":{\"place\":\"tpm\"},\"fits\":true},"
	"\"certificates\":{\"/var/lib/sekisho/uplink/ca.crt\":1995428000000000},\"recorder\":{\"alive\":true,"
	"\"records\":12,\"lost\":{\"ring-full\":0}},\"guard\":{\"alive\":true,\"gate\":\"enforce\",\"protection\":"
	"\"enforce\",\"devices\":2,"
	"\"policy\":"
	"{\"version\":7,\"signer\":\"hanako\",\"expired\":false,\"refused\":null,\"issued_us\":1795300000000000,"
	"\"until_us\":1825428000000000}},"
	"\"print\":"
	"{\"alive\":true,\"stamps\":true,\"outside\":\"\",\"inspector\":true,\"queues\":[{\"name\":\"floor-3\","
	"\"inside\":true}],\"policy\":{\"version\":7}},"
	"\"uplink\":{\"alive\":true,\"policy\":7,\"connected\":true,\"collector\":\"https://"
	"c:8443\",\"last_contact\":1795427990000000,"
	"\"certificate_until\":1805428000000000,\"clock_ahead_s\":0,\"producers\":{\"recorder\":{\"waiting\":1}}}}";

static const struct ctl english = {.lang = LANG_EN}, japanese = {.lang = LANG_JA};

/* Judges what is well but for `path` (keys by dots), which is `value` (JSON), or gone where that is NULL. */
static struct doctor judge(const struct ctl *c, const char *path, const char *value)
{
	json_t *facts = json_loads(well, JSON_REJECT_DUPLICATES, NULL), *o = facts;
	struct doctor d = {.ctl = c, .facts = facts, .findings = json_array()};
	char keys[128], *key, *next;

	assert_non_null(facts);
	snprintf(keys, sizeof(keys), "%s", path ? path : "");
	for (key = keys; (next = strchr(key, '>')); key = next + 1) {
		*next = 0;
		o = json_object_get(o, key);
		assert_non_null(o);
	}
	if (*key && value)
		assert_int_equal(json_object_set_new(o, key, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
	else if (*key)
		assert_int_equal(json_object_del(o, key), 0);
	doctor_pc(&d);
	return d;
}

static void end(struct doctor *d)
{
	json_decref(d->findings);
	json_decref((json_t *)(uintptr_t)d->facts);
}

static void what_is_well_is_good(void **state)
{
	struct doctor d = judge(&english, NULL, NULL);
	const json_t *f;
	size_t i;

	(void)state;
	assert_false(d.ill);
	assert_true(json_array_size(d.findings) >= 11);
	json_array_foreach(d.findings, i, f)
	{
		assert_string_equal(json_string_value(json_object_get(f, "state")), "good");
		assert_true(json_is_null(json_object_get(f, "fix")));
		assert_non_null(doctor_title(&japanese, json_string_value(json_object_get(f, "check"))));
	}
	end(&d);
}

static const struct wrong {
	const char *path, *value, *check, *state, *fix;
} wrongs[] = {
	{"kernel>btf", "false", "kernel", "bad", "linux-image"},
	{"kernel>lockdown", "\"none integrity [confidentiality]\"", "kernel", "bad", "lockdown=integrity"},
	{"load>recorder>state", "\"none\"", "probes", "bad", "sekisho-probes"},
	{"load>recorder>state", "\"other\"", "probes", "bad", "sekisho-probes"},
	{"load>recorder>state", "\"failed\"", "probes", "bad", "sekisho-probes"},
	{"load>recorder>told", "false", "probes", "bad", "sekisho-probes"},
	{"load>recorder>taken", "false", "recorder", "bad", "restart sekisho-recorder"},
	{"load>gate>state", "\"none\"", "gate", "bad", "sekisho-load"},
	{"load>gate>how", "\"note\"", "gate", "attention", "--gate enforce"},
	{"load>gate>missing", "\"open\"", "gate", "bad", "sekisho-load"},
	{"load>gate>missing", NULL, "gate", "bad", "sekisho-load"},
	{"recorder>alive", "false", "recorder", "bad", "restart sekisho-recorder"},
	{"recorder", NULL, "recorder", "bad", "restart sekisho-recorder"},
	{"recorder>lost", "{\"ring-full\":3}", "recorder", "attention", "sekishoctl log"},
	{"recorder>spool_full", "true", "recorder", "bad", "df"},
	{"recorder>unprotected", "true", "recorder", "bad", "df"},
	{"recorder>filter_refused", "\"line 3\"", "recorder", "bad", "record.yaml"},
	{"guard>alive", "false", "guard", "bad", "restart sekisho-guard"},
	{"guard>gate", "\"none\"", "guard", "bad", "restart sekisho-load"},
	{"guard>scan", "{\"up\":false,\"socket\":\"/run/clamav/clamd.ctl\",\"files\":0,\"found\":0,\"missed\":1}",
		"scan", "bad", "clamav-daemon"},
	{"guard>lost", "{\"spool-full\":1}", "guard", "attention", "--kind loss"},
	{"print>lost", "{\"spool-full\":1}", "print", "attention", "--kind loss"},
	{"qpdf", "false", "print", "bad", "apt install qpdf"},
	{"print>alive", "false", "print", "bad", "restart sekisho-print"},
	{"print>inspector", "false", "print", "bad", "restart sekisho-print"},
	{"print>queues", "[{\"name\":\"q\",\"inside\":false,\"reason\":\"r\",\"reason_ja\":\"r\"}]", "queues", "bad",
		"print queues"},
	{"uplink>alive", "false", "uplink", "bad", "restart sekisho-uplink"},
	{"uplink>connected", "false", "uplink", "bad", "curl"},
	{"uplink>alarm", "\"it forgot\"", "uplink", "bad", "inbox/alarm"},
	{"uplink>last_contact", "1795420000000000", "uplink", "attention", "curl"},
	{"uplink>producers", "{\"guard\":{\"refused\":2}}", "uplink", "bad", "host list"},
	{"uplink>certificate_until", "1795427000000000", "certificate", "bad", "enrol --again"},
	{"uplink>certificate_until", "1795528000000000", "certificate", "attention", "enrol --again"},
	{"certificates>/var/lib/sekisho/uplink/ca.crt", "1795528000000000", "certificate", "attention",
		"enrol --again"},
	{"certificates>/var/lib/sekisho/uplink/ca.crt", "1795427000000000", "certificate", "bad", "enrol --again"},
	{"keys>device", "{\"place\":\"tpm\",\"why\":\"no TPM answers\"}", "keys", "bad",
		"sekisho-keeper.socket; ls -l /dev/tpmrm0"},
	{"keys>device", "{\"place\":\"tpm\",\"why\":\"does not take the key\",\"lost\":true}", "keys", "bad",
		"enrol --again --new-keys"},
	{"keys>tls", "{\"place\":\"pkcs11\",\"why\":\"no token is there\"}", "keys", "bad", "sekisho-keeper.socket"},
	{"keys>tls", "{\"why\":\"is not there\"}", "keys", "bad", "enrol --again"},
	{"keys>fits", "false", "keys", "bad", "enrol --again"},
	{"keys>device", "{\"place\":\"file\"}", "keys", "attention", "--new-keys"},
	{"uplink>clock_ahead_s", "31", "clock", "attention", "timedatectl"},
	{"uplink>clock_ahead_s", "-4000", "clock", "bad", "timedatectl"},
	{"disks>/var/lib/sekisho", "{\"free\":1000}", "disk", "bad", "df -h /var/lib/sekisho"},
	{"units>sekisho-recorder.service", "\"disabled\"", "units", "bad",
		"systemctl enable --now sekisho-recorder.service"},
	{"units>sekisho-guard.service", "\"masked\"", "units", "bad",
		"systemctl unmask sekisho-guard.service; systemctl enable"},
	{"units>sekisho-keeper.socket", "\"disabled\"", "units", "bad", "systemctl enable --now sekisho-keeper.socket"},
	{"units>sekisho-posture.timer", NULL, "units", "bad", "sekisho-posture.timer"},
	{"units>sekisho-sleep.service", NULL, "units", "bad", "systemctl enable sekisho-sleep.service"},
	{"disks>/var/spool/sekisho", "{\"free\":1000}", "disk", "bad", "df"},
	{"disks>/var/spool/sekisho", "{\"free\":200000000}", "disk", "attention", "df"},
	{"guard>policy>version", "0", "policy", "attention", "restart sekisho-guard"},
	{"guard>policy>expired", "true", "policy", "bad", "policy push"},
	{"guard>policy>until_us", "1795528000000000", "policy", "attention", "policy push"},
	{"guard>policy>note", "true", "policy", "attention", "policy push"},
	{"guard>policy>issued_us", "1763805599999999", "policy", "attention", "policy sign"},
	{"print>policy>version", "6", "policy", "attention", "restart sekisho-print"},
	{"uplink>policy", "8", "policy", "attention", "restart sekisho-guard"},
	{"guard>policy>refused", "\"older\"", "policy", "bad", "policy show"},
};

static void what_is_wrong_is_named_with_its_fix(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		unsigned ill = 0, language;

		for (language = 0; language < 2; language++) {
			struct doctor d = judge(language ? &japanese : &english, w->path, w->value);
			const json_t *f;

			json_array_foreach(d.findings, k, f)
			{
				const char *how = json_string_value(json_object_get(f, "state"));

				if (!strcmp(how, "good"))
					continue;
				ill++;
				assert_string_equal(json_string_value(json_object_get(f, "check")), w->check);
				assert_non_null(doctor_title(d.ctl, w->check));
				assert_string_equal(how, w->state);
				if (!strstr(json_string_value(json_object_get(f, "fix")), w->fix))
					fail_msg("%s: %s", w->path, json_string_value(json_object_get(f, "fix")));
				assert_string_not_equal(json_string_value(json_object_get(f, "found")), "");
			}
			assert_true(d.ill);
			end(&d);
		}
		if (ill != 2)
			fail_msg("%s = %s: %u findings", w->path, w->value ? w->value : "gone", ill);
	}
}

/* What nobody can follow is no fix: each is made of commands, of the packages that are here. */
static void what_mends_it_is_a_command(void **state)
{
	static const char *const known[] = {"apt", "cat", "curl", "df", "dnf", "du", "grubby", "journalctl", "ls",
		"man", "reboot", "sed", "sekisho-load", "sekishoctl", "systemctl", "timedatectl", "update-grub",
		"${EDITOR:-vi}"};
	size_t i, j, k;
	unsigned rpm;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrongs) * 2; i++) {
		struct doctor d = judge(&english, wrongs[i / 2].path, wrongs[i / 2].value);
		const json_t *f;

		rpm = i % 2;
		json_object_set_new((json_t *)(uintptr_t)d.facts, "packages", json_string(rpm ? "dnf" : "apt"));
		json_array_clear(d.findings);
		doctor_pc(&d);
		json_array_foreach(d.findings, k, f)
		{
			const char *fix = json_string_value(json_object_get(f, "fix")), *s = fix;

			assert_false(rpm && fix && (strstr(fix, "apt ") || strstr(fix, "dpkg")));
			while (s) {
				size_t n = strcspn(s, " ;");

				for (j = 0; j < ARRAY_SIZE(known); j++)
					if (strlen(known[j]) == n && !strncmp(s, known[j], n))
						break;
				if (j == ARRAY_SIZE(known))
					fail_msg("no command: %s", s);
				s = strstr(s, "; ");
				s = s ? s + 2 : NULL;
			}
		}
		end(&d);
	}
}

/* As root, sekisho-load that says nothing is a fault of both sets of kernel programs. */
static void a_loader_that_does_not_answer_is_bad(void **state)
{
	struct doctor d = judge(&english, "load", NULL);
	unsigned n = 0;
	const json_t *f;
	size_t i;

	(void)state;
	json_array_foreach(d.findings, i, f)
	{
		if (!strstr(json_string_value(json_object_get(f, "found")), "cannot be asked"))
			continue;
		n++;
		assert_string_equal(json_string_value(json_object_get(f, "state")), "bad");
		assert_string_equal(json_string_value(json_object_get(f, "fix")), "sekisho-load --check");
	}
	assert_int_equal(n, 2);
	end(&d);
}

/* Where no collector has told its time, a time service is all that keeps the clock. */
static void a_clock_that_nobody_keeps_needs_attention(void **state)
{
	struct doctor d = judge(&english, "uplink>clock_ahead_s", NULL);
	const json_t *f;
	size_t i;

	(void)state;
	assert_false(d.ill);
	json_object_set_new((json_t *)(uintptr_t)d.facts, "clock_synced", json_false());
	json_array_clear(d.findings);
	doctor_pc(&d);
	json_array_foreach(d.findings, i, f)
	{
		if (strcmp(json_string_value(json_object_get(f, "check")), "clock") != 0)
			continue;
		assert_string_equal(json_string_value(json_object_get(f, "state")), "attention");
		assert_non_null(strstr(json_string_value(json_object_get(f, "fix")), "timedatectl"));
	}
	assert_true(d.ill);
	end(&d);
}

/* Before the first policy of an office nothing is wrong with the guard. */
static void without_a_policy_one_is_to_be_pushed(void **state)
{
	struct doctor d = judge(&english, "uplink>policy", NULL);
	json_t *guard = json_object_get(d.facts, "guard");
	const json_t *f;
	size_t i;

	(void)state;
	assert_false(d.ill);
	json_object_set_new(json_object_get(guard, "policy"), "version", json_integer(0));
	json_array_clear(d.findings);
	doctor_pc(&d);
	assert_true(d.ill);
	json_array_foreach(d.findings, i, f)
	{
		if (!strcmp(json_string_value(json_object_get(f, "check")), "policy"))
			assert_non_null(strstr(json_string_value(json_object_get(f, "fix")), "policy push"));
	}
	end(&d);
}

/* A year is no fault; a day more is (above). Nothing is said of an age that nobody knows. */
static void a_policy_of_a_year_is_good(void **state)
{
	static const char *const issued[] = {"1763892000000000", "null", "1795429000000000"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(issued); i++) {
		struct doctor d = judge(&english, "guard>policy>issued_us", issued[i]);

		assert_false(d.ill);
		end(&d);
	}
}

/* The print gate's unit is asked for where there is CUPS, the keeper's where keys are not files. */
static void units_that_are_not_needed_may_be_off(void **state)
{
	static const char off[] = "{\"sekisho-load.service\":\"enabled\",\"sekisho-probes.service\":\"enabled\","
				  "\"sekisho-guard.service\":\"enabled\",\"sekisho-recorder.service\":\"enabled\","
				  "\"sekisho-uplink.service\":\"enabled\",\"sekisho-posture.timer\":\"enabled\","
				  "\"sekisho-sleep.service\":\"enabled\","
				  "\"sekisho-print.service\":\"disabled\",\"sekisho-keeper.socket\":\"masked\"}";
	struct doctor d = judge(&english, "units", off);
	json_t *facts = (json_t *)(uintptr_t)d.facts;

	(void)state;
	assert_true(d.ill);
	json_object_set_new(facts, "cups", json_false());
	json_object_set_new(json_object_get(facts, "keys"), "new", json_string("file"));
	json_array_clear(d.findings);
	d.ill = false;
	doctor_pc(&d);
	assert_false(d.ill);
	end(&d);
}

/* How far the kernel keeps root from the agent, and what is said of it; fewer kernels can than record. */
static void the_level_of_protection_is_named(void **state)
{
	static const struct {
		const char *protection, *shield, *state, *found;
	} levels[] = {
		{"enforce", "enforce", "good", "enforce: "},
		{"note", "note", "good", "because it is so"},
		{"none", "none", "good", "because it is so"},
		{"none", "off", "attention", "because it is so"},
		{"none", "enforce", "attention", "systemctl"},
		{"none", "note", "attention", "systemctl"},
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		json_t *f, *facts = json_loads(well, 0, NULL);
		struct doctor d = {.ctl = &english, .facts = facts, .findings = json_array()};
		unsigned n = 0;

		json_object_set_new(json_object_get(facts, "guard"), "protection", json_string(levels[i].protection));
		json_object_set_new(facts, "shield",
			json_pack("{s:s, s:s}", "shield", levels[i].shield, "why", "because it is so"));
		doctor_pc(&d);
		json_array_foreach(d.findings, k, f)
		{
			const char *fix = json_string_value(json_object_get(f, "fix"));

			if (strcmp(json_string_value(json_object_get(f, "check")), "self") != 0)
				continue;
			n++;
			assert_string_equal(json_string_value(json_object_get(f, "state")), levels[i].state);
			assert_true(strstr(json_string_value(json_object_get(f, "found")), levels[i].found) ||
				    (fix && strstr(fix, levels[i].found)));
		}
		assert_int_equal(n, 1);
		assert_int_equal(d.ill, !strcmp(levels[i].state, "attention"));
		end(&d);
	}
}

/* Whether protected files are refused, where the policy wants it; else nothing is said of it. */
static void what_refuses_protected_files_is_named(void **state)
{
	static const struct {
		const char *files, *state;
	} said[] = {
		{"{\"refused_by\":\"fanotify\",\"folders\":3,\"left_out\":0}", "good"},
		{"{\"refused_by\":\"fanotify\",\"folders\":3,\"left_out\":7}", "attention"},
		{"{\"refused_by\":\"none\"}", "bad"},
		{"{}", "bad"},
		{"null", NULL},
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(said); i++) {
		struct doctor d = judge(&japanese, "guard>protected_files", said[i].files);
		const char *got = NULL;
		json_t *f;

		json_array_foreach(d.findings, k, f)
		{
			if (!strcmp(json_string_value(json_object_get(f, "check")), "protected"))
				got = json_string_value(json_object_get(f, "state"));
		}
		assert_string_equal(got ? got : "none", said[i].state ? said[i].state : "none");
		end(&d);
	}
}

/* What nobody could look at is neither good nor wrong. */
static void what_is_not_seen_is_not_wrong(void **state)
{
	static const char *const gone[] = {"cups", "clock_synced"};
	struct doctor d;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		d = judge(&english, gone[i], NULL);
		assert_false(d.ill);
		end(&d);
	}
	/* Root would have seen it, and others do not. */
	d = judge(&english, "load", NULL);
	assert_true(d.ill);
	json_object_set_new((json_t *)(uintptr_t)d.facts, "root", json_false());
	json_array_clear(d.findings);
	d.ill = false;
	doctor_pc(&d);
	assert_false(d.ill);
	end(&d);
}

/* Hostile status files: any type in any place. */
static void any_type_in_any_place(void **state)
{
	static const char *const values[] = {"null", "1", "-1", "\"\"", "[]", "{}", "[{}]", "{\"a\":{}}", "true",
		"9223372036854775807", "-9223372036854775808", "\"\\u0007\\u001b[2J\""};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrongs); i++)
		for (k = 0; k < ARRAY_SIZE(values); k++) {
			struct doctor d = judge(&english, wrongs[i].path, values[k]);

			end(&d);
		}
}

static void before_enrolment(void **state)
{
	struct doctor d = judge(&english, "enrolled", "false");

	(void)state;
	assert_true(d.ill);
	assert_int_equal(json_array_size(d.findings), 3);
	end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_well_is_good),
		cmocka_unit_test(what_is_wrong_is_named_with_its_fix),
		cmocka_unit_test(what_mends_it_is_a_command),
		cmocka_unit_test(a_loader_that_does_not_answer_is_bad),
		cmocka_unit_test(a_clock_that_nobody_keeps_needs_attention),
		cmocka_unit_test(without_a_policy_one_is_to_be_pushed),
		cmocka_unit_test(a_policy_of_a_year_is_good),
		cmocka_unit_test(units_that_are_not_needed_may_be_off),
		cmocka_unit_test(the_level_of_protection_is_named),
		cmocka_unit_test(what_refuses_protected_files_is_named),
		cmocka_unit_test(what_is_not_seen_is_not_wrong),
		cmocka_unit_test(any_type_in_any_place),
		cmocka_unit_test(before_enrolment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
