/* Rows as lines, NDJSON and CSV: hostile names stay names. */
#include "policy/ctl/rows.h"
#include "tests/unit/cm.h"
#include <jansson.h>

static struct store_row row;
static struct rows how;
static struct buf out = BUF_INIT(1u << 20);

static void make(const char *host, const char *path)
{
	memset(&row, 0, sizeof(row));
	memset(&how, 0, sizeof(how));
	buf_clear(&out);
	row.row = 7;
	row.leaf = 3;
	row.host.b[0] = 0xab;
	row.host_name = host;
	record_set_uint(&row.record, F_KIND, KIND_FILE);
	record_set_int(&row.record, F_TIME, 1795428000000000);
	record_set_uint(&row.record, F_CLASS, CLASS_USB);
	record_set_str(&row.record, F_USER, "花子");
	record_set_str(&row.record, F_PATH, path);
	how.fields[0] = F_TIME;
	how.fields[1] = F_PATH;
}

static bool holds(const char *what)
{
	return memmem(out.p, out.n, what, strlen(what)) != NULL;
}

static void lines_are_safe_for_terminals(void **state)
{
	size_t i;

	(void)state;
	make("pc\033[2J", "/media/\033]0;x\a\n\xc2\x9b/\xff");
	assert_int_equal(rows_put(&how, &row, &out), 0);
	for (i = 0; i + 1 < out.n; i++)
		assert_true(out.p[i] >= 0x20 && out.p[i] != 0x7f);
	assert_int_equal(out.p[out.n - 1], '\n');
	assert_false(holds("\xc2\x9b"));
	how.color = true;
	buf_clear(&out);
	assert_int_equal(rows_put(&how, &row, &out), 0);
	assert_true(holds("\033[33m"));
	assert_true(holds("\033[0m\n"));
}

static void json_is_json(void **state)
{
	static const char *const hosts[] = {"pc-17", "p\"\\\n\001", "\xff", "", NULL};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		json_t *o;

		make(hosts[i], "/tmp/\"\\\n\x01\xff");
		how.form = ROWS_JSON;
		assert_int_equal(rows_put(&how, &row, &out), 0);
		assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
		o = json_loadb((char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(o);
		assert_int_equal(json_integer_value(json_object_get(o, "row")), 7);
		assert_int_equal(json_integer_value(json_object_get(o, "leaf")), 3);
		assert_string_equal(json_string_value(json_object_get(o, "kind")), "file");
		assert_int_equal(json_string_length(json_object_get(o, "host_id")), 64);
		if (i < 2)
			assert_string_equal(json_string_value(json_object_get(o, "host")), hosts[i]);
		json_decref(o);
	}
	make("pc", "x");
	record_reset(&row.record);
	how.form = ROWS_JSON;
	assert_int_equal(rows_put(&how, &row, &out), 0);
	assert_true(holds("\"}\n"));
}

static void csv_runs_nowhere(void **state)
{
	(void)state;
	make("=cmd|'/c calc'!A1", "@SUM(1+1)\",\n");
	how.form = ROWS_CSV;
	assert_int_equal(rows_begin(&how, &out), 0);
	assert_int_equal(memcmp(out.p, "\xef\xbb\xbf\"PC name\",\"Time\",\"Path\"\r\n", 28), 0);
	assert_int_equal(rows_put(&how, &row, &out), 0);
	assert_true(holds("\r\n\"'=cmd|'/c calc'!A1\",\""));
	assert_true(holds(",\"'@SUM(1+1)\"\",\\n\"\r\n"));
	how.lang = LANG_JA;
	buf_clear(&out);
	assert_int_equal(rows_begin(&how, &out), 0);
	assert_true(holds("\"PC名\",\"日時\",\"パス\"\r\n"));
}

static int teardown(void **state)
{
	(void)state;
	buf_deinit(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_safe_for_terminals),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(csv_runs_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
