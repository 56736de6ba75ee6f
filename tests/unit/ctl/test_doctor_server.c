/* A collector's machine where all is well, and what can be wrong with it. */
#include "policy/ctl/doctor.h"
#include "tests/unit/cm.h"

static const char well[] =
	"{\"now_us\":1795428000000000,\"server\":true,\"systemd\":true,\"disks\":{\"/var/lib/sekisho-collector/store\":"
	"{\"free\":9000000000}},\"collector\":{\"alive\":true,\"disk_full\":false,\"hosts\":{\"known\":3},\"log\":{"
	"\"size\":90,"
	"\"records\":800,\"index_lag\":0,\"cosigned\":{\"size\":90,\"by\":2,\"at\":1795427000000000}}},\"timestamps\":{"
	"\"url\":\"http://tsa\",\"newest_us\":1795400000000000},\"certificates\":{\"/var/lib/sekisho-console/tls.crt\":"
	"1805428000000000},\"settings\":{\"wrong\":[],\"former\":[]},\"console\":{\"alive\":true},\"herald\":{"
	"\"alive\":true}}";

static struct doctor judge(const char *part, const char *value)
{
	static const struct ctl english = {.lang = LANG_EN};
	json_t *facts = json_loads(well, JSON_REJECT_DUPLICATES, NULL);
	struct doctor d = {.ctl = &english, .facts = facts, .findings = json_array()};

	assert_non_null(facts);
	if (part)
		json_object_set_new(facts, part, json_loads(value, JSON_DECODE_ANY, NULL));
	doctor_server(&d);
	return d;
}

static void end(struct doctor *d)
{
	json_decref(d->findings);
	json_decref((json_t *)(uintptr_t)d->facts);
}

static void what_is_well_is_good(void **state)
{
	struct doctor d = judge(NULL, NULL);
	const json_t *f;
	size_t i;

	(void)state;
	assert_false(d.ill);
	assert_int_equal(json_array_size(d.findings), 9);
	json_array_foreach(d.findings, i, f)
		assert_non_null(doctor_title(d.ctl, json_string_value(json_object_get(f, "check"))));
	end(&d);
}

static void what_is_wrong_is_named_with_its_fix(void **state)
{
	static const struct {
		const char *part, *value, *check, *fix;
	} wrongs[] = {
		{"collector", "{\"alive\":false}", "collector", "restart sekisho-collector"},
		{"collector", "{\"alive\":true,\"disk_full\":true}", "collector", "df"},
		{"collector", "{\"alive\":true,\"database\":{\"lost\":true}}", "collector", "journalctl"},
		{"collector", "{\"alive\":true,\"database\":{\"waits\":true}}", "collector", "journalctl"},
		{"collector", "{\"alive\":true,\"log\":{\"index_lag\":100000}}", "log", "restart sekisho-collector"},
		{"collector",
			"{\"alive\":true,\"log\":{\"size\":1,\"cosigned\":{\"by\":0}},\"since_us\":1795328000000000}",
			"witnesses", "host list"},
		{"collector", "{\"alive\":true,\"log\":{\"size\":1,\"cosigned\":{\"by\":1,\"at\":1}}}", "witnesses",
			"host list"},
		{"timestamps", "{\"url\":\"http://tsa\"}", "timestamps", "sekishoctl timestamp"},
		{"timestamps", "{\"url\":\"http://tsa\",\"newest_us\":1}", "timestamps", "sekishoctl timestamp"},
		{"certificates", "{\"/var/lib/sekisho-collector/ca/server.crt\":1}", "certificate",
			"restart sekisho-collector"},
		{"disks", "{\"/var/lib/sekisho-collector/store\":{\"free\":1}}", "disk", "df"},
		{"settings", "{\"wrong\":[\"/etc/sekisho/collector.conf:3:1: unknown key\"]}", "settings",
			"man collector.conf"},
		{"settings",
			"{\"former\":[{\"path\":\"/etc/sekisho/report.conf\",\"section\":\"report\",\"there\":true}]}",
			"settings",
			"sed -i '/^\\[report\\]/r /etc/sekisho/report.conf' /etc/sekisho/collector.conf && rm "
			"/etc/sekisho/report.conf"},
		{"settings",
			"{\"former\":[{\"path\":\"/etc/sekisho/report.conf\",\"section\":\"report\",\"there\":false}]}",
			"settings", "echo '[report]'"},
		{"console", "{\"alive\":false}", "console", "restart sekisho-console"},
		{"console", "{\"alive\":true,\"spool_full\":true}", "console", "df"},
		{"herald", "{\"alive\":true,\"messages_given_up\":1}", "herald", "journalctl"},
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct doctor d = judge(wrongs[i].part, wrongs[i].value);
		unsigned ill = 0;
		const json_t *f;

		assert_true(d.ill);
		json_array_foreach(d.findings, k, f)
		{
			if (!json_is_string(json_object_get(f, "fix")))
				continue;
			ill++;
			assert_string_equal(json_string_value(json_object_get(f, "check")), wrongs[i].check);
			assert_non_null(doctor_title(d.ctl, wrongs[i].check));
			assert_non_null(strstr(json_string_value(json_object_get(f, "fix")), wrongs[i].fix));
		}
		assert_int_equal(ill, 1);
		end(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_well_is_good),
		cmocka_unit_test(what_is_wrong_is_named_with_its_fix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
