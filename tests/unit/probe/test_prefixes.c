/*
 * The table of prefixes, asked as the kernel asks it: by the longest key that fits, for a name, and for a folder once
 * for all that lies in it.
 */
#include "agent/probe/prefixes.h"
#include "tests/unit/cm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct prefixes all;

/* As bpf_map_lookup_elem on a trie: the entry with the most bits whose bits are those of the key. */
static const struct prefix *longest(const char *key, size_t n)
{
	const struct prefix *best = NULL;
	unsigned i;

	for (i = 0; i < all.n; i++) {
		const struct prefix *p = &all.at[i];

		if (p->key.bits <= 8 * n && !memcmp(p->key.path, key, p->key.bits / 8) &&
			(!best || p->key.bits > best->key.bits))
			best = p;
	}
	return best;
}

static unsigned level_of(const struct probe_filter *f, const char *path)
{
	const struct prefix *p = longest(path, strlen(path) + 1);

	return p ? p->value & PROBE_LEVEL_BITS : f->level_all;
}

/* What the kernel remembers of a folder; false where it has to look at each name. */
static bool level_in(const struct probe_filter *f, const char *folder, unsigned *level)
{
	char key[PROBE_PREFIX_MAX];
	size_t n = (size_t)snprintf(key, sizeof(key), "%s/", strcmp(folder, "/") ? folder : "");
	const struct prefix *p = longest(key, n);

	*level = p ? p->value & PROBE_LEVEL_BITS : f->level_all;
	return !(p && p->value & PROBE_LEVEL_CLOSER && p->value >> 16 == 8 * n);
}

/* The rule itself: the longest prefix of whole components. */
static unsigned rule(const struct probe_filter *f, const char *path)
{
	unsigned i, level = f->level_all;
	size_t best = 0;

	for (i = 0; i < f->prefixes; i++) {
		const char *p = f->prefix[i].path;
		size_t n = strcmp(p, "/") ? strlen(p) : 0;

		if (!strncmp(path, p, n) && (path[n] == '/' || !path[n]) && n + 1 > best) {
			best = n + 1;
			level = f->prefix[i].level;
		}
	}
	return level;
}

static const struct probe_filter_prefix some[] = {{"/", 1}, {"/usr", 0}, {"/usr/lib", 0}, {"/usr/local", 1},
	{"/home/ann", 2}, {"/home/ann/.cache", 0}, {"/home/ann/.cache/keep.db", 2}, {"/media/stick", 2},
	{"/etc/passwd", 2}};
static const char *const paths[] = {"/", "/a", "/usr", "/usr/x", "/usr/library", "/usr/lib/x/y", "/usr/local",
	"/usr/local/bin/z", "/home", "/home/ann", "/home/annabel", "/home/ann/x", "/home/ann/.cache",
	"/home/ann/.cached", "/home/ann/.cache/a/b", "/home/ann/.cache/keep.db", "/home/ann/.cache/keep.db2",
	"/media/stick", "/media/stick/f", "/media/sticky", "/etc/passwd", "/etc/passwd-", "/etc/shadow", "/etc"};

static void names_follow_the_rule(void **state)
{
	const struct probe_filter f = {.level_all = 1, .prefixes = ARRAY_SIZE(some), .prefix = some};
	size_t i;

	(void)state;
	assert_int_equal(prefixes_make(&all, &f), 0);
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		if (level_of(&f, paths[i]) != rule(&f, paths[i]))
			fail_msg("%s: %u, not %u", paths[i], level_of(&f, paths[i]), rule(&f, paths[i]));
}

static void folders_speak_for_their_names_or_say_so(void **state)
{
	struct probe_filter f = {.level_all = 0, .prefix = some};
	unsigned closer = 0, level, n;
	char folder[PROBE_PREFIX_MAX];
	size_t i;

	(void)state;
	/* with and without an entry for the root itself */
	for (n = 0; n < 2; n++) {
		f.prefix = some + n;
		f.prefixes = ARRAY_SIZE(some) - n;
		assert_int_equal(prefixes_make(&all, &f), 0);
		for (i = 1; i < ARRAY_SIZE(paths); i++) {
			char *slash;

			snprintf(folder, sizeof(folder), "%s", paths[i]);
			slash = strrchr(folder, '/');
			slash[slash == folder] = 0;
			if (!level_in(&f, folder, &level))
				closer++;
			else if (level != rule(&f, paths[i]))
				fail_msg("%s says %u for %s, which is %u", folder, level, paths[i], rule(&f, paths[i]));
		}
		assert_true(closer > 0);
		/* only the folder itself is marked: what lies deeper is remembered as a whole */
		assert_true(level_in(&f, "/home/ann/.cache/a", &level));
		assert_int_equal(level, 0);
		assert_true(level_in(&f, "/media/stick", &level));
		assert_int_equal(level, 2);
	}
}

static void no_filter_is_an_empty_table(void **state)
{
	const struct probe_filter f = {.level_all = 2};

	(void)state;
	assert_int_equal(prefixes_make(&all, &f), 0);
	assert_int_equal(all.n, 0);
	assert_int_equal(level_of(&f, "/any"), 2);
}

static void what_does_not_fit_is_refused(void **state)
{
	static char names[PROBE_PREFIXES_MAX][16];
	static struct probe_filter_prefix many[PROBE_PREFIXES_MAX];
	struct probe_filter f = {.prefixes = PROBE_PREFIXES_MAX, .prefix = many};
	char longest_path[PROBE_PREFIX_MAX + 1];
	unsigned i;

	(void)state;
	for (i = 0; i < PROBE_PREFIXES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "/%u", i);
		many[i].path = names[i];
	}
	assert_int_equal(prefixes_make(&all, &f), V_FULL);
	f.prefixes = 1;
	memset(longest_path, 'x', sizeof(longest_path));
	longest_path[0] = '/';
	longest_path[PROBE_PREFIX_MAX] = 0;
	many[0].path = longest_path;
	assert_int_equal(prefixes_make(&all, &f), V_FULL);
	longest_path[PROBE_PREFIX_MAX - 1] = 0;
	assert_int_equal(prefixes_make(&all, &f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_follow_the_rule),
		cmocka_unit_test(folders_speak_for_their_names_or_say_so),
		cmocka_unit_test(no_filter_is_an_empty_table),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
