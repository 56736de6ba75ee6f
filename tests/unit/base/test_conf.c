/* Configuration: what is wrong is named with its place, and nothing else is taken. */
#include "policy/base/conf.h"
#include "policy/base/file.h"
#include "tests/unit/cm.h"

struct settings {
	char name[8];
	uint64_t size, time, n;
	bool on;
};

static const struct conf_key keys[] = {
	{"name", CONF_STR, offsetof(struct settings, name), 8, 0, 0, "a name"},
	{"size", CONF_SIZE, offsetof(struct settings, size), 0, 1, 1ull << 40, "a size"},
	{"time", CONF_TIME, offsetof(struct settings, time), 0, 0, 86400000000ull, "a time"},
	{"n", CONF_UINT, offsetof(struct settings, n), 0, 0, 65535, "a number"},
	{"on", CONF_BOOL, offsetof(struct settings, on), 0, 0, 0, "yes or no"},
	{0},
};

static char path[] = "/tmp/sekisho-conf-XXXXXX";

static int load(const char *text, struct settings *s, struct why *why)
{
	assert_int_equal(file_replace(path, SPAN_STR(text), 0600), 0);
	return conf_load(path, keys, s, why);
}

static void takes_what_it_knows(void **state)
{
	struct settings s = {.n = 7};

	(void)state;
	assert_int_equal(load("# comment\n\nname = abc\n size=64M\r\ntime = 15s\non = yes", &s, NULL), 0);
	assert_string_equal(s.name, "abc");
	assert_int_equal(s.size, 64u << 20);
	assert_int_equal(s.time, 15000000);
	assert_true(s.on);
	assert_int_equal(s.n, 7);
}

static void names_the_place_of_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *at;
	} bad[] = {{"x\ny = 1\n", "1:1"}, {"\n  x y\n", "2:3"}, {"\nwhat = 1\n", "2:1"},
		{"# n\n\n \twhat = 1\n", "3:3"}, {"n = 1\nn = 2\n", "2:1"}, {"\nn = 70000\n", "2:5"},
		{"\nn=-1\n", "2:3"}, {"\nn =\n", "2:4"}, {"\nsize = 1X\n", "2:8"}, {"\nsize =\t99999999999T\n", "2:8"},
		{"\ntime = 2\n", "2:8"}, {"\non = maybe\r\n", "2:6"}, {"\n  name  =  12345678", "2:12"}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct settings s = {.n = 0};
		struct why why = {""};
		char where[64];

		assert_int_equal(load(bad[i].text, &s, &why), V_BAD);
		snprintf(where, sizeof(where), "%s:%s: ", path, bad[i].at);
		assert_memory_equal(why.text, where, strlen(where));
	}
}

static void finds_one_key(void **state)
{
	static const char text[] =
		"# store = a\nwhat is this\n  store\t= postgresql://reader@/log?host=/run/a=b \r\nstore = c";
	struct why why = {""};
	char out[64], little[8], where[64];

	(void)state;
	assert_int_equal(file_replace(path, SPAN_STR(text), 0600), 0);
	assert_int_equal(conf_find(path, NULL, "store", out, sizeof(out), NULL), 0);
	assert_string_equal(out, "postgresql://reader@/log?host=/run/a=b");
	assert_int_equal(conf_find(path, NULL, "store", little, sizeof(little), &why), V_BAD);
	snprintf(where, sizeof(where), "%s:3:11: store: longer than 7 bytes", path);
	assert_string_equal(why.text, where);
	assert_int_equal(conf_find(path, NULL, "tore", out, sizeof(out), NULL), V_NOT_FOUND);
	assert_int_equal(conf_find("/nowhere/at/all", NULL, "store", out, sizeof(out), NULL), V_NOT_FOUND);
	assert_int_equal(file_replace(path, SPAN("store = a\0b", 11), 0600), 0);
	assert_int_equal(conf_find(path, NULL, "store", out, sizeof(out), NULL), V_BAD);
}

static const char *const all[] = {"first", "second", "third", NULL};

static int load_part(const char *text, const char *section, bool own, struct settings *s, struct why *why)
{
	struct conf_part part = {.all = all, .section = section, .own = own};

	assert_int_equal(file_replace(path, SPAN_STR(text), 0600), 0);
	return conf_load_part(path, &part, keys, s, NULL, why);
}

static void each_program_has_its_section(void **state)
{
	static const char text[] =
		"n = 1\n # [third]\n [ second ] \nn = 2\nname = b\n\n[first]\nname = a\n[third]\nwhat\n";
	struct settings first = {.n = 9}, second = {.n = 9}, third = {.n = 9};
	struct conf_part part = {.all = all, .section = "second"};
	struct why why = {""};
	char out[8];

	(void)state;
	assert_int_equal(load_part(text, "first", false, &first, NULL), 0);
	assert_int_equal(first.n, 1);
	assert_string_equal(first.name, "a");
	assert_int_equal(load_part(text, "second", true, &second, NULL), 0);
	assert_int_equal(second.n, 2);
	assert_string_equal(second.name, "b");
	/* What is wrong in a section is a matter of its program, and of nobody else. */
	assert_int_equal(load_part(text, "third", false, &third, &why), V_BAD);
	assert_non_null(strstr(why.text, ":10:1: no"));
	assert_int_equal(conf_find(path, &part, "name", out, sizeof(out), NULL), 0);
	assert_string_equal(out, "b");
	part.section = "first";
	assert_int_equal(conf_find(path, &part, "name", out, sizeof(out), NULL), 0);
	assert_string_equal(out, "a");
	assert_int_equal(conf_find(path, &part, "size", out, sizeof(out), NULL), V_NOT_FOUND);
}

static void a_file_of_its_own_needs_no_section(void **state)
{
	struct settings s = {.n = 9};

	(void)state;
	assert_int_equal(load_part("n = 1\n# [second]\n", "second", true, &s, NULL), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(load_part("n = 2\n[third]\n", "second", true, &s, NULL), 0);
	assert_int_equal(load_part("n = 3\n", "second", false, &s, NULL), 0);
	assert_int_equal(s.n, 1);
}

static void a_wrong_header_is_refused_by_all(void **state)
{
	static const struct {
		const char *text, *at;
	} bad[] = {{"n = 1\n [secnd]\n", "2:3: unknown section \"secnd\""}, {"[second]\n\n[second]\n", "3:1: section"},
		{"[second\nn = 1\n", "1:1: no \"]\""}, {"[]\n", "1:2: unknown"}, {"[\n", "1:1: no \"]\""},
		{"[first]\n[third] # x\n", "2:1: no \"]\""}};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (k = 0; all[k]; k++) {
			struct conf_part part = {.all = all, .section = all[k], .own = k % 2};
			struct settings s = {.n = 0};
			struct why why = {""}, found_why = {""};
			char where[96], out[8];

			assert_int_equal(load_part(bad[i].text, all[k], k % 2, &s, &why), V_BAD);
			snprintf(where, sizeof(where), "%s:%s", path, bad[i].at);
			assert_memory_equal(why.text, where, strlen(where));
			/* Also by who looks for one key: it may be what stands below. */
			assert_int_equal(conf_find(path, &part, "name", out, sizeof(out), &found_why), V_BAD);
			assert_string_equal(found_why.text, why.text);
		}
	}
}

static void a_file_without_sections_refuses_them(void **state)
{
	struct settings s = {.n = 0};
	struct why why = {""};

	(void)state;
	assert_int_equal(load("n = 1\n  [first]\n", &s, &why), V_BAD);
	assert_non_null(strstr(why.text, ":2:3: this file has no sections"));
}

static void a_key_in_two_files_names_both(void **state)
{
	static const char other[] = "/elsewhere";
	struct conf_part part = {.all = all, .section = "second"};
	struct conf_given given = {.path = {[3] = other}, .line = {[3] = 7}};
	struct settings s = {.n = 0};
	struct why why = {""};

	(void)state;
	assert_int_equal(file_replace(path, SPAN_STR("[second]\nname = a\nn = 1\n"), 0600), 0);
	assert_int_equal(conf_load_part(path, &part, keys, &s, &given, &why), V_BAD);
	assert_non_null(strstr(why.text, ":3:1: n: given twice: /elsewhere:7 has it"));
	assert_string_equal(given.path[0], path);
	assert_int_equal(given.line[0], 2);
}

static void a_header_is_known_in_a_text(void **state)
{
	static const struct {
		const char *line;
		int is; /* 1: this one, 0: another, -1: none */
	} lines[] = {{"[second]\nn = 1\n", 1}, {" \t[ second\t] \n", 1}, {"[second", 0}, {"[seconds]\n", 0},
		{"[sec]\n", 0}, {"[]\n", 0}, {"second]\n", -1}, {"# [second]\n", -1}, {"\n[second]\n", -1}, {"", -1}};
	bool this_one;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		this_one = false;
		assert_int_equal(conf_is_header(lines[i].line, "second", &this_one), lines[i].is >= 0);
		assert_int_equal(this_one, lines[i].is == 1);
	}
}

static void no_file_is_a_verdict(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(conf_load("/nonexistent/sekisho.conf", keys, &s, NULL), V_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_it_knows),
		cmocka_unit_test(names_the_place_of_what_is_wrong),
		cmocka_unit_test(finds_one_key),
		cmocka_unit_test(each_program_has_its_section),
		cmocka_unit_test(a_file_of_its_own_needs_no_section),
		cmocka_unit_test(a_wrong_header_is_refused_by_all),
		cmocka_unit_test(a_file_without_sections_refuses_them),
		cmocka_unit_test(a_key_in_two_files_names_both),
		cmocka_unit_test(a_header_is_known_in_a_text),
		cmocka_unit_test(no_file_is_a_verdict),
	};
	int r, fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	r = cmocka_run_group_tests_name("base/conf", tests, NULL, NULL);
	unlink(path);
	return r;
}
