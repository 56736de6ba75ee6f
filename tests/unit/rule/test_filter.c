/*
 * The recording filter: what it decides, and that a file with a mistake is refused with its line.
 */
#include "policy/rule/filter.h"
#include "policy/wire/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct filter *parsed(const char *yaml)
{
	struct filter *f = malloc(sizeof(*f));
	struct why why = {""};
	int r;

	assert_non_null(f);
	r = filter_parse(SPAN_STR(yaml), "t", f, &why);
	if (r)
		fail_msg("%s", why.text);
	return f;
}

static enum filter_level path_level(const struct filter *f, const char *path)
{
	return filter_path_level(f, SPAN_STR(path));
}

static void most_specific_prefix_decides(void **state)
{
	struct filter *f = parsed("version: 1\n"
				  "paths:\n"
				  "  /: changes\n"
				  "  /home: all\n"
				  "  /home/*/tmp: none\n"
				  "  /home/ann/tmp: changes\n"
				  "  /pro: none\n");

	(void)state;
	assert_int_equal(path_level(f, "/"), FILTER_CHANGES);
	assert_int_equal(path_level(f, "/etc/passwd"), FILTER_CHANGES);
	assert_int_equal(path_level(f, "/home"), FILTER_ALL);
	assert_int_equal(path_level(f, "/home/bob/x"), FILTER_ALL);
	assert_int_equal(path_level(f, "/home/bob/tmp/x"), FILTER_NONE);
	assert_int_equal(path_level(f, "/home/bob/tmpx"), FILTER_ALL);
	/* of two as specific ones, that without a star */
	assert_int_equal(path_level(f, "/home/ann/tmp/x"), FILTER_CHANGES);
	/* whole components only */
	assert_int_equal(path_level(f, "/proc/1"), FILTER_CHANGES);
	assert_int_equal(path_level(f, "/pro/1"), FILTER_NONE);
	assert_int_equal(path_level(f, ""), FILTER_CHANGES);
	free(f);
}

static void tilde_is_every_home(void **state)
{
	struct filter *f = parsed("version: 1\npaths: {~/.cache: none, /home: all}\ncloud: [~/Google Drive]\n");

	(void)state;
	assert_int_equal(path_level(f, "/root/.cache/a"), FILTER_NONE);
	assert_int_equal(path_level(f, "/home/x/.cache"), FILTER_NONE);
	assert_int_equal(path_level(f, "/home/x/y/.cache"), FILTER_ALL);
	assert_true(filter_is_cloud(f, SPAN_STR("/home/x/Google Drive/plan.ods")));
	assert_true(filter_is_cloud(f, SPAN_STR("/root/Google Drive")));
	assert_false(filter_is_cloud(f, SPAN_STR("/home/x/Google Drives/plan.ods")));
	free(f);
}

/* What the kernel's longest-prefix match would answer. */
static int kernel_level(const struct filter_kernel *k, const char *path)
{
	size_t best = 0;
	int level = -1;
	unsigned i;

	for (i = 0; i < k->n; i++) {
		size_t n = strlen(k->prefix[i].path);

		if (n >= best && filter_prefix_fits(k->prefix[i].path, SPAN_STR(path))) {
			best = n;
			level = k->prefix[i].level;
		}
	}
	return level;
}

static void kernel_never_leaves_out_what_a_star_keeps(void **state)
{
	struct filter *f = parsed("version: 1\n"
				  "paths:\n  /: none\n  /home: changes\n  /home/*/keep: all\n  /home/ann/x: none\n"
				  "  /opt: none\n  /srv/*/in/*/deep: all\n  /home/*/.cache: none\n");
	static const struct filter_place homes[] = {{"/home/ann", 0}, {"/home/bob", 0}, {"/root", 0}, {"/", 0}};
	struct filter_kernel *k = malloc(sizeof(*k));

	(void)state;
	assert_non_null(k);
	filter_kernel(f, NULL, 0, homes, 4, k);
	assert_int_equal(k->dropped, 0);
	assert_int_equal(kernel_level(k, "/etc/x"), FILTER_NONE);
	assert_int_equal(kernel_level(k, "/opt/x"), FILTER_NONE);
	/* somebody unknown may have a folder "keep" */
	assert_int_equal(kernel_level(k, "/home/eve/x"), FILTER_ALL);
	assert_int_equal(kernel_level(k, "/home/ann/x/y"), FILTER_NONE);
	assert_int_equal(kernel_level(k, "/home/ann/keep/y"), FILTER_ALL);
	assert_int_equal(kernel_level(k, "/home/ann/.cache/y"), FILTER_NONE);
	assert_int_equal(kernel_level(k, "/home/eve/.cache/y"), FILTER_ALL);
	assert_int_equal(kernel_level(k, "/srv/x"), FILTER_ALL);
	free(k);
	free(f);
}

static void kernel_follows_devices_and_clouds(void **state)
{
	struct filter *f = parsed("version: 1\npaths: {/: changes, /opt: none, /run: none, /run/stick/quiet: none}\n"
				  "classes: {cloud: all}\ncloud: [/data/Box, /team/*/Sync]\n");
	static const struct filter_place mounts[] = {{"/run/stick", FILTER_ALL}, {"/opt/disk", FILTER_NONE}};
	struct filter_kernel *k = malloc(sizeof(*k));

	(void)state;
	assert_non_null(k);
	filter_kernel(f, mounts, 2, NULL, 0, k);
	assert_int_equal(kernel_level(k, "/etc/x"), FILTER_CHANGES);
	assert_int_equal(kernel_level(k, "/run/x"), FILTER_NONE);
	assert_int_equal(kernel_level(k, "/run/stick/x"), FILTER_ALL);
	assert_int_equal(kernel_level(k, "/run/stick/quiet/x"), FILTER_ALL);
	assert_int_equal(kernel_level(k, "/opt/disk/x"), FILTER_NONE);
	assert_int_equal(kernel_level(k, "/data/Box/x"), FILTER_ALL);
	assert_int_equal(kernel_level(k, "/data/x"), FILTER_CHANGES);
	assert_int_equal(kernel_level(k, "/team/x"), FILTER_ALL);
	free(k);
	free(f);
}

static void what_does_not_fit_raises_what_does(void **state)
{
	struct filter *f = parsed("version: 1\npaths: {/: none}\n");
	static char names[FILTER_KERNEL_MAX + 1][16];
	static struct filter_place mounts[FILTER_KERNEL_MAX + 1];
	struct filter_kernel *k = malloc(sizeof(*k));
	unsigned i;

	(void)state;
	assert_non_null(k);
	for (i = 0; i <= FILTER_KERNEL_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "/m%u", i);
		mounts[i] = (struct filter_place){names[i], FILTER_ALL};
	}
	filter_kernel(f, mounts, FILTER_KERNEL_MAX + 1, NULL, 0, k);
	assert_int_equal(k->dropped, 2);
	for (i = 0; i <= FILTER_KERNEL_MAX; i++)
		assert_int_equal(kernel_level(k, names[i]), FILTER_ALL);
	free(k);
	free(f);
}

static void programs_users_classes_and_kinds(void **state)
{
	struct filter *f = parsed("version: 1\n"
				  "kinds:\n  fork: yes\n  exit: no\n"
				  "programs:\n  /usr/bin/backup: changes\n"
				  "users:\n  postgres: none\n  33: changes\n"
				  "classes:\n  usb: all\n");

	(void)state;
	assert_true(filter_kind(f, KIND_FORK));
	assert_false(filter_kind(f, KIND_EXIT));
	assert_true(filter_kind(f, KIND_LOSS));
	assert_int_equal(filter_program_level(f, SPAN_STR("/usr/bin/backup")), FILTER_CHANGES);
	assert_int_equal(filter_program_level(f, SPAN_STR("/usr/bin/backup2")), FILTER_ALL);
	assert_int_equal(filter_user_level(f, "postgres", 104), FILTER_NONE);
	assert_int_equal(filter_user_level(f, NULL, 33), FILTER_CHANGES);
	assert_int_equal(filter_user_level(f, NULL, 34), FILTER_ALL);
	assert_int_equal(f->class_level[CLASS_USB], FILTER_ALL);
	assert_int_equal(f->class_level[CLASS_FIXED], FILTER_NONE);
	free(f);
}

static void fork_is_left_out_unless_asked_for(void **state)
{
	struct filter *f = parsed("version: 1\nprograms:\nusers: {}\ncloud: []\n");

	(void)state;
	assert_false(filter_kind(f, KIND_FORK));
	assert_true(filter_kind(f, KIND_EXEC));
	free(f);
}

static void mistakes_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *yaml, *why;
	} cases[] = {
		{"", "t:1: the file is empty"},
		{"paths: {}\n", "\"version: 1\" is missing"},
		{"version: 2\n", "t:1: only version 1 is known: 2"},
		{"version: 1\nversion: 1\n", "t:2: given twice: version"},
		{"version: 1\n? 人事\n: {}\n", "t:2:3: unknown key: "},
		{"version: 1\nfiles: {}\n", "t:2:1: unknown key: files"},
		{"version: 1\npaths:\n  /a: al\n", "t:3: is none of: none, changes, all: al"},
		{"version: 1\npaths:\n  /a: all\n  /a/: none\n", "t:4: the path is given twice: /a/"},
		{"version: 1\npaths:\n  a/b: all\n", "t:3: a path begins with / or ~/: a/b"},
		{"version: 1\npaths:\n  ~bob/b: all\n", "t:3: ~ stands for a home directory"},
		{"version: 1\npaths:\n  /a/../b: all\n", "t:3: \".\" and \"..\" are not allowed"},
		{"version: 1\npaths:\n  /a/*.log: all\n", "t:3: \"*\" stands for one whole component"},
		{"version: 1\npaths: [/a]\n", "t:2: \"key: value\" lines belong here: paths"},
		{"version: 1\npaths: none\n", "t:2: \"key: value\" lines belong here: paths"},
		{"version: 1\ncloud: {/a: all}\n", "t:2: a list belongs here: cloud"},
		{"version: 1\ncloud: [/]\n", "t:2: the whole file system is no cloud folder"},
		{"version: 1\nkinds:\n  loss: no\n", "t:3: is no kind that could be left out: loss"},
		{"version: 1\nkinds:\n  exec: maybe\n", "t:3: is neither yes nor no: maybe"},
		{"version: 1\nclasses:\n  floppy: all\n", "t:3: is no device class: floppy"},
		{"version: 1\nprograms:\n  /bin/*: all\n", "t:3: a program is one full path: /bin/*"},
		{"version: 1\nusers:\n  12x: all\n", "t:3: is neither a user's name nor a number: 12x"},
		{"version: 1\npaths: &a {/a: all}\nusers: *a\n", "\"key: value\" lines belong here"},
		{"version: 1\npaths: {/a: !!str all}\n", "t:2: anchors and tags are not allowed"},
		{"version: 1\npaths: {/a: {b: c}}\n", "t:2: a plain value belongs here"},
		{"version: 1\n---\nversion: 1\n", "t:2: a second document follows the filter"},
		{"version: 1\npaths: {/a: all\n", "not YAML"},
		{"version: \"1\\0\"\n", "t:1: holds a NUL byte"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter *f = calloc(1, sizeof(*f));
		struct why why = {""};

		assert_non_null(f);
		assert_int_equal(filter_parse(SPAN_STR(cases[i].yaml), "t", f, &why), V_BAD);
		if (!strstr(why.text, cases[i].why))
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, why.text, cases[i].why);
		assert_int_equal(f->kinds, 0); /* untouched */
		free(f);
	}
}

static void bounds_are_kept(void **state)
{
	struct buf b = BUF_INIT(1u << 20);
	struct filter *f = calloc(1, sizeof(*f));
	struct why why = {""};
	unsigned i;

	(void)state;
	assert_non_null(f);
	assert_int_equal(buf_puts(&b, "version: 1\npaths:\n"), 0);
	for (i = 0; i <= FILTER_PATHS_MAX; i++)
		assert_int_equal(buf_putf(&b, "  /p%u: all\n", i), 0);
	assert_int_equal(filter_parse(buf_span(&b), "t", f, &why), V_BAD);
	assert_non_null(strstr(why.text, "more paths than fit"));
	buf_deinit(&b);
	free(f);
}

static void the_shipped_filter_is_good(void **state)
{
	struct filter *f = malloc(sizeof(*f));
	struct why why = {""};

	(void)state;
	assert_non_null(f);
	if (filter_load(TEST_ROOT "/packaging/etc/record.yaml", f, &why))
		fail_msg("%s", why.text);
	assert_int_equal(path_level(f, "/proc/1/status"), FILTER_NONE);
	assert_int_equal(path_level(f, "/usr/lib/x86_64-linux-gnu/libc.so.6"), FILTER_CHANGES);
	assert_int_equal(path_level(f, "/home/ann/plan.ods"), FILTER_ALL);
	assert_int_equal(path_level(f, "/home/ann/.cache/x"), FILTER_NONE);
	assert_int_equal(path_level(f, "/run/media/ann/STICK/x"), FILTER_ALL);
	assert_int_equal(path_level(f, "/etc/shadow"), FILTER_ALL);
	assert_int_equal(f->class_level[CLASS_USB], FILTER_ALL);
	assert_true(filter_is_cloud(f, SPAN_STR("/home/ann/OneDrive/x")));
	assert_int_equal(filter_load("/nonexistent/record.yaml", f, &why), V_NOT_FOUND);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_specific_prefix_decides),
		cmocka_unit_test(tilde_is_every_home),
		cmocka_unit_test(kernel_never_leaves_out_what_a_star_keeps),
		cmocka_unit_test(kernel_follows_devices_and_clouds),
		cmocka_unit_test(what_does_not_fit_raises_what_does),
		cmocka_unit_test(programs_users_classes_and_kinds),
		cmocka_unit_test(fork_is_left_out_unless_asked_for),
		cmocka_unit_test(mistakes_are_refused_with_their_line),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(the_shipped_filter_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
