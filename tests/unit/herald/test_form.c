/* Records as other systems read them: what the syntax asks for, whatever the record holds. Meanings: the flow
 * 96-herald-streams. */
#include "collector/herald/form.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <jansson.h>
#include <stdlib.h>

static struct store_row row;

static void begin(uint64_t kind)
{
	memset(&row, 0, sizeof(row));
	row.row = 32769;
	row.host_name = "pc-1";
	record_set_uint(&row.record, F_KIND, kind);
	record_set_int(&row.record, F_TIME, INT64_C(1795428000000345));
}

static char *syslog_of(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(FORM_MAX);

	assert_int_equal(form_syslog(&row, &out), 0);
	return strdup(buf_str(&out));
}

#define SD "[sekisho@32473 record=\"32769\" hostId=\"0000000000000000000000000000000000000000000000000000000000000000\""

static void expect(const char *head)
{
	_cleanup_free_ char *got = syslog_of();

	if (strncmp(got, head, strlen(head)) != 0)
		fail_msg("%s\ninstead of\n%s", got, head);
}

static void syslog_heads(void **state)
{
	(void)state;
	begin(KIND_FILE);
	record_set_uint(&row.record, F_PID, 7);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho 7 file " SD " host=\"pc-1\"] \xef\xbb\xbf");
	begin(KIND_GAP);
	row.host_name = "pc 1";
	expect("<105>1 2026-11-23T10:00:00.000345Z 0000000000000000000000000000000000000000000000000000000000000000 "
	       "sekisho"
	       " - gap " SD " host=\"pc 1\"] ");
	/* No name, a kind of tomorrow, a year that no receiver reads. */
	begin(9999);
	row.host_name = "";
	record_set_int(&row.record, F_TIME, INT64_MAX);
	expect("<110>1 - 0000000000000000000000000000000000000000000000000000000000000000 sekisho - unknown " SD "] ");
	/* What the policy alerts of is as loud as an alarm, and nothing else that is written to a drive or printed. */
	begin(KIND_DRIVE_FILE);
	record_set_uint(&row.record, F_ACTION, ACTION_ALERT);
	expect("<105>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - drive-file " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_ACTION, ACTION_NOTE);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - drive-file " SD " host=\"pc-1\"] ");
	begin(KIND_PRINT);
	record_set_uint(&row.record, F_ACTION, ACTION_ALERT);
	expect("<105>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - print " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_ACTION, ACTION_NOTE);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - print " SD " host=\"pc-1\"] ");
	/* What is only tried is the day's work: `mode: note` tells nobody. */
	record_set_uint(&row.record, F_POLICY_MODE, POLICY_MODE_NOTE);
	record_set_uint(&row.record, F_ACTION, ACTION_ALERT);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - print " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_ACTION, ACTION_DENY);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - print " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	expect("<108>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - print " SD " host=\"pc-1\"] ");
	begin(KIND_DRIVE_FILE);
	record_set_uint(&row.record, F_ACTION, ACTION_QUARANTINE);
	record_set_uint(&row.record, F_POLICY_MODE, POLICY_MODE_NOTE);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - drive-file " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	expect("<105>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - drive-file " SD " host=\"pc-1\"] ");
	begin(KIND_FILE);
	record_set_str(&row.record, F_AREA, "pay");
	record_set_uint(&row.record, F_ACTION, ACTION_ALERT);
	record_set_uint(&row.record, F_POLICY_MODE, POLICY_MODE_NOTE);
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - file " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	expect("<105>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - file " SD " host=\"pc-1\"] ");
	begin(KIND_FILE_REFUSED);
	expect("<109>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - file-refused " SD " host=\"pc-1\"] ");
	record_set_uint(&row.record, F_ACTION, ACTION_DENY);
	expect("<108>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - file-refused " SD " host=\"pc-1\"] ");
	begin(KIND_FILE);
	record_set_str(&row.record, F_USER, "a\"b]c\\d\ne\xff");
	expect("<110>1 2026-11-23T10:00:00.000345Z pc-1 sekisho - file " SD
	       " host=\"pc-1\" user=\"a\\\"b\\]c\\\\\\\\d\\\\ne\\\\xff\"] ");
}

/* Whatever the fields hold: one line, UTF-8, JSON that another library reads. */
static void everything(void **state)
{
	static const char *const texts[] = {
		"plain", "", "\xff\xfe", "a\nb\rc", "\xe2\x80\xa8", "\"}]", "\\", "\x01\x7f"};
	size_t t;
	unsigned f;
	uint64_t kind;

	(void)state;
	for (kind = 0; kind < 160; kind++) {
		for (t = 0; t < ARRAY_SIZE(texts); t++) {
			_cleanup_buf_ struct buf a = BUF_INIT(FORM_MAX), b = BUF_INIT(FORM_MAX);
			json_t *o;

			begin(kind);
			for (f = 3; f < FIELD_MAX; f++) {
				if (field_table[f].type == T_NAME || field_table[f].type == T_BYTES)
					record_set_str(&row.record, f, texts[t]);
				else if (field_table[f].type == T_UINT || field_table[f].type == T_ENUM)
					record_set_uint(&row.record, f, UINT64_MAX - t);
				else if (field_table[f].name)
					record_set_int(&row.record, f, INT64_MIN + (int64_t)t);
			}
			assert_int_equal(form_syslog(&row, &a), 0);
			assert_null(memchr(a.p, '\n', a.n));
			assert_true(text_is_utf8(buf_span(&a)));
			assert_int_equal(form_ocsf(&row, true, &b), 0);
			assert_null(memchr(b.p, '\n', b.n));
			o = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
			assert_non_null(o);
			assert_true(json_is_object(json_object_get(o, "unmapped")));
			assert_int_equal(json_integer_value(json_object_get(o, "type_uid")),
				100 * json_integer_value(json_object_get(o, "class_uid")) +
					json_integer_value(json_object_get(o, "activity_id")));
			json_decref(o);
		}
	}
}

/* What is too large comes without its facts, not at all in pieces. */
static void large(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(1024);
	static char text[16000];
	json_t *o;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	begin(KIND_FILE);
	record_set_str(&row.record, F_PATH, text);
	assert_int_equal(form_ocsf(&row, true, &out), V_FULL);
	assert_int_equal(out.n, 0);
	assert_int_equal(form_ocsf(&row, false, &out), 0);
	/* Of no class that would ask for them. */
	o = json_loadb((const char *)out.p, out.n, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(o, "class_uid")), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "unmapped"), "kind")), "file");
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syslog_heads), cmocka_unit_test(everything), cmocka_unit_test(large)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
