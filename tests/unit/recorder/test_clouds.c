/*
 * What the guard is told of cloud folders: what was written, renamed or linked there, by the name that it has there;
 * and what a record has to say where it cannot be told.
 */
#include "agent/recorder/clouds.h"
#include "policy/wire/flags.h"
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct filter *filter;
static struct policy *policy;
static struct clouds *clouds;
static int answer;
static unsigned told_n;
static struct {
	char path[128], program[64];
	uint64_t inode;
	bool moved;
} told[16];

static int on_word(void *ctx, const struct cloud_word *w)
{
	(void)ctx;
	assert_true(told_n < 16);
	snprintf(told[told_n].path, sizeof(told[0].path), "%.*s", (int)w->path.n, (const char *)w->path.p);
	snprintf(told[told_n].program, sizeof(told[0].program), "%.*s", (int)w->program.n, (const char *)w->program.p);
	told[told_n].inode = w->inode;
	told[told_n++].moved = w->moved;
	return answer;
}

static void policy_is(const char *yaml)
{
	struct why why = {""};

	policy_free(STEAL(policy));
	assert_int_equal(policy_load(SPAN_STR(yaml), SPAN("", 0), &policy, &why), 0);
}

static int setup(void **state)
{
	static const char yaml[] = "version: 1\ncloud: [~/Dropbox]\n";
	struct why why = {""};

	(void)state;
	answer = 0;
	told_n = 0;
	filter = calloc(1, sizeof(*filter));
	if (!filter || filter_parse(SPAN_STR(yaml), "t", filter, &why) || clouds_new(on_word, NULL, &clouds))
		return -1;
	policy_is("version: 1\ndrives: {cloud: yes}\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	clouds_free(STEAL(clouds));
	policy_free(STEAL(policy));
	free(STEAL(filter));
	return 0;
}

static struct seen seen(unsigned kind, const char *path, const char *path2, uint64_t inode, uint32_t flags)
{
	return (struct seen){.kind = kind,
		.flags = flags,
		.path = SPAN_STR(path),
		.path2 = path2 ? SPAN_STR(path2) : SPAN(NULL, 0),
		.dev_major = 254,
		.inode = inode};
}

static const char *event_of(const struct seen *s, unsigned class, const char *program)
{
	return clouds_event(clouds, filter, policy, s, class, SPAN_STR(program), s->mnt_ns == 0);
}

static const char *event(unsigned kind, const char *path, const char *path2, uint64_t inode, uint32_t flags)
{
	struct seen s = seen(kind, path, path2, inode, flags);

	return event_of(&s, CLASS_FIXED, "/usr/bin/vi");
}

static const char *last(void)
{
	return told_n ? told[told_n - 1].path : "";
}

static void what_was_written_there(void **state)
{
	(void)state;
	assert_null(event(KIND_FILE, "/home/ann/Dropbox/a", NULL, 1, RF_READ));
	assert_null(event(KIND_FILE, "/home/ann/b", NULL, 1, RF_WROTE));
	assert_null(event(KIND_FILE, "/home/ann/Dropbox/gone", NULL, 1, RF_WROTE | RF_UNLINKED));
	assert_null(event(KIND_RENAME, "/home/ann/Dropbox/out", "/home/ann/out", 2, 0));
	assert_int_equal(told_n, 0);
	assert_null(event(KIND_FILE, "/home/ann/Dropbox/c", NULL, 3, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/c");
	assert_string_equal(told[0].program, "/usr/bin/vi");
	assert_true(told[0].inode == 3 && !told[0].moved);
	assert_null(event(KIND_FILE, "/home/ann/Dropbox/d", NULL, 4, RF_CLONE));
	assert_null(event(KIND_RENAME, "/home/ann/e", "/home/ann/Dropbox/e", 5, 0));
	assert_true(told_n == 3 && told[2].moved && told[2].inode == 5);
	assert_null(event(KIND_LINK, "/home/ann/f", "/home/ann/Dropbox/f", 6, 0));
	assert_null(event(KIND_RENAME, "/home/ann/Dropbox/g", "/home/ann/h", 7, RF_EXCHANGE));
	/* Another file has that name now. */
	assert_string_equal(last(), "/home/ann/Dropbox/g");
	assert_true(told_n == 5 && told[4].inode == 0 && told[4].moved);
}

/* The kernel tells a write by the name that was opened. */
static void by_the_name_that_it_has_there(void **state)
{
	(void)state;
	/* moved there while it is open: by inode, and by name where the kernel told none */
	assert_null(event(KIND_RENAME, "/home/ann/x", "/home/ann/Dropbox/x", 11, 0));
	assert_null(event(KIND_FILE, "/home/ann/x", NULL, 11, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/x");
	assert_null(event(KIND_RENAME, "/home/ann/y", "/home/ann/Dropbox/y", 0, 0));
	assert_null(event(KIND_FILE, "/home/ann/y", NULL, 12, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/y");
	/* renamed within, then closed */
	assert_null(event(KIND_RENAME, "/home/ann/Dropbox/.t", "/home/ann/Dropbox/t", 13, 0));
	assert_null(event(KIND_FILE, "/home/ann/Dropbox/.t", NULL, 13, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/t");
	/* another name of it */
	assert_null(event(KIND_LINK, "/home/ann/l", "/home/ann/Dropbox/l", 14, 0));
	assert_null(event(KIND_FILE, "/home/ann/l", NULL, 14, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/l");
	/* in a folder that was moved there */
	assert_null(event(KIND_RENAME, "/home/ann/dir", "/home/ann/Dropbox/dir", 15, 0));
	assert_null(event(KIND_FILE, "/home/ann/dir/sub/z", NULL, 16, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/dir/sub/z");
	assert_null(event(KIND_FILE, "/home/ann/directory", NULL, 17, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/dir/sub/z");
	/* an inode that became another file's: by the name that it has */
	assert_null(event(KIND_FILE, "/home/ann/Dropbox/new", NULL, 11, RF_WROTE));
	assert_string_equal(told[told_n - 2].path, "/home/ann/Dropbox/new");
	told_n = 0;
	/* the folder is renamed there */
	assert_null(event(KIND_RENAME, "/home/ann/Dropbox/dir", "/home/ann/Dropbox/moved", 15, 0));
	assert_null(event(KIND_FILE, "/home/ann/dir/sub/z", NULL, 16, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/moved/sub/z");
	/* a link of it renamed outside is no end of the other */
	assert_null(event(KIND_RENAME, "/home/ann/l", "/home/ann/l2", 14, 0));
	assert_null(event(KIND_FILE, "/home/ann/l2", NULL, 14, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/l");
	/* its first name is gone; and it never had one */
	told_n = 0;
	assert_null(event(KIND_FILE, "/home/ann/l2", NULL, 14, RF_WROTE | RF_UNLINKED));
	assert_string_equal(last(), "/home/ann/Dropbox/l");
	assert_null(event(KIND_LINK, "", "/home/ann/Dropbox/tmpfile", 18, 0));
	assert_null(event(KIND_FILE, "/home/ann/#18", NULL, 18, RF_WROTE | RF_UNLINKED));
	assert_string_equal(last(), "/home/ann/Dropbox/tmpfile");
	told_n = 0;
	assert_null(event(KIND_RENAME, "", "/home/ann/Dropbox/nameless", 0, 0));
	assert_null(event(KIND_FILE, "/home/ann/other", NULL, 19, RF_WROTE));
	assert_int_equal(told_n, 1);
	/* what came by an exchange while it is open */
	assert_null(event(KIND_RENAME, "/home/ann/Dropbox/g", "/home/ann/h", 20, RF_EXCHANGE));
	assert_null(event(KIND_FILE, "/home/ann/h", NULL, 21, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/g");
	/* and out again */
	assert_null(event(KIND_RENAME, "/home/ann/Dropbox/x", "/home/ann/x", 11, 0));
	told_n = 0;
	assert_null(event(KIND_FILE, "/home/ann/x", NULL, 11, RF_WROTE));
	assert_int_equal(told_n, 0);
}

static void the_oldest_names_go(void **state)
{
	char from[64], to[64];
	unsigned i;

	(void)state;
	for (i = 0; i <= CLOUDS_NAMES_MAX; i++) {
		told_n = 0;
		snprintf(from, sizeof(from), "/home/ann/%u", i);
		snprintf(to, sizeof(to), "/home/ann/Dropbox/%u", i);
		assert_null(event(KIND_RENAME, from, to, 100 + i, 0));
	}
	told_n = 0;
	assert_null(event(KIND_FILE, "/home/ann/0", NULL, 100, RF_WROTE));
	assert_int_equal(told_n, 0);
	assert_null(event(KIND_FILE, "/home/ann/1", NULL, 101, RF_WROTE));
	assert_string_equal(last(), "/home/ann/Dropbox/1");
}

static void what_cannot_be_told_is_said(void **state)
{
	struct seen s = seen(KIND_FILE, "/home/ann/Dropbox/a", NULL, 1, RF_WROTE);

	(void)state;
	answer = V_FULL;
	assert_string_equal(event_of(&s, CLASS_FIXED, ""), "not-looked-at: no room at the guard");
	answer = V_NOT_FOUND;
	assert_string_equal(event_of(&s, CLASS_FIXED, ""), "not-looked-at: the guard was not there");
	answer = -ENOMEM;
	assert_string_equal(event_of(&s, CLASS_FIXED, ""), "not-looked-at: the guard could not be told");
	answer = 0;
	told_n = 0;
	assert_string_equal(event_of(&s, CLASS_NETWORK, ""), "not-looked-at: on a network file system");
	assert_string_equal(
		event(KIND_SYMLINK, "/home/ann/Dropbox/s", "/home/ann/secret", 2, 0), "not-looked-at: a symbolic link");
	assert_string_equal(event(KIND_FILE, "e/of/a/long/path", NULL, 2, RF_WROTE | RF_PATH_CUT),
		"not-looked-at: the path is too long");
	assert_null(event(KIND_FILE, "e/of/a/long/path", NULL, 2, RF_READ | RF_PATH_CUT));
	assert_int_equal(told_n, 0);
}

static void only_where_the_policy_wants_it(void **state)
{
	struct seen s = seen(KIND_FILE, "/home/ann/Dropbox/a", NULL, 1, RF_WROTE), failed = s;

	(void)state;
	answer = V_FULL;
	assert_null(event_of(&s, CLASS_USB, ""));
	assert_null(event_of(&s, CLASS_FIXED, "/usr/bin/nextcloud"));
	failed.mnt_ns = 5;
	assert_non_null(event_of(&failed, CLASS_FIXED, "/usr/bin/nextcloud"));
	told_n = 0;
	failed.mnt_ns = 0;
	failed.result = -13;
	assert_null(event_of(&failed, CLASS_FIXED, ""));
	policy_is("version: 1\ndrives: {}\n");
	assert_null(event_of(&s, CLASS_FIXED, ""));
	policy_free(STEAL(policy));
	assert_null(event_of(&s, CLASS_FIXED, ""));
	assert_int_equal(told_n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_there, setup, teardown),
		cmocka_unit_test_setup_teardown(by_the_name_that_it_has_there, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_names_go, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_told_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(only_where_the_policy_wants_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
