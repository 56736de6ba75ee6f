/*
 * What packages say of their files: read as it is written, by path, also where /lib is another name of /usr/lib; and
 * what is not whole adds nothing.
 */
#include "agent/service/manifest.h"
#include "policy/base/why.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int add(struct manifest *m, const char *text)
{
	return manifest_add(m, SPAN_STR(text));
}

static void files_are_found_by_path(void **s)
{
	_cleanup_manifest_ struct manifest m = {.files_n = 0};
	const struct manifest_file *f;

	(void)s;
	assert_int_equal(
		add(&m, "sekisho-manifest 1 1.2-3\n" B " 0755 /usr/sbin/b\n" A " 0644 /lib/systemd/system/a c\n"), 0);
	assert_int_equal(add(&m, "sekisho-manifest 1 other\n" A " 4755 /usr/sbin/a\n"), 0);
	assert_string_equal(m.version, "1.2-3");
	assert_int_equal(m.files_n, 3);
	f = manifest_find(&m, "/usr/lib/systemd/system/a c");
	assert_non_null(f);
	assert_int_equal(f->mode, 0644);
	assert_int_equal(f->hash.b[31], 0xaa);
	assert_int_equal(manifest_find(&m, "/usr/sbin/a")->mode, 04755);
	assert_int_equal(manifest_find(&m, "/usr/sbin/b")->hash.b[0], 0xbb);
	assert_null(manifest_find(&m, "/usr/sbin/c"));
}

static void what_is_not_whole_adds_nothing(void **s)
{
	static const char *const bad[] = {
		"",
		"\n",
		"sekisho-manifest 1 \n",
		"sekisho-manifest 2 1\n",
		"sekisho-manifest 1 1",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n" A " 0755 /usr/sbin/c",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n" A " 0755 usr/sbin/c\n",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n" A "  /usr/sbin/c\n",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n" A " 10000 /usr/sbin/c\n",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n" A " 0855 /usr/sbin/c\n",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n" A "a 0755 /usr/sbin/c\n",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\nx" A " 0755 /usr/sbin/c\n",
		"sekisho-manifest 1 1\n" A " 0755 /usr/sbin/b\n\n",
		"sekisho-manifest 1 " A "\n" A " 0755 /usr/sbin/b\n",
	};
	_cleanup_manifest_ struct manifest m = {.files_n = 0};
	size_t i;

	(void)s;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (add(&m, bad[i]) != V_BAD)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(m.files_n, 0);
		assert_string_equal(m.version, "");
	}
}

static void more_files_than_there_is_room_for_are_refused(void **s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1u << 20);
	_cleanup_manifest_ struct manifest m = {.files_n = 0};
	unsigned i;

	(void)s;
	assert_int_equal(buf_puts(&b, "sekisho-manifest 1 1\n"), 0);
	for (i = 0; i <= MANIFEST_FILES_MAX; i++)
		assert_int_equal(buf_putf(&b, A " 0755 /usr/sbin/%u\n", i), 0);
	assert_int_equal(manifest_add(&m, buf_span(&b)), V_BAD);
	assert_int_equal(m.files_n, 0);
}

/* The same files in two folders have one hash; another byte has another. */
static void the_folder_is_one_hash(void **s)
{
	_cleanup_manifest_ struct manifest m = {.files_n = 0}, none = {.files_n = 0}, other = {.files_n = 0};
	char root[] = "/tmp/manifest-XXXXXX", command[512];
	static const struct digest zeros;
	struct digest wanted;

	(void)s;
	assert_non_null(mkdtemp(root));
	assert_int_equal(manifest_read(root, &none), 0);
	assert_int_equal(none.files_n, 0);
	snprintf(command, sizeof(command),
		"cd %s && mkdir -p usr/lib/sekisho/manifest && cd usr/lib/sekisho/manifest && printf 'sekisho-manifest "
		"1 2\\n" A " 0644 /a\\n' >agent && printf 'sekisho-manifest 1 2\\n" B
		" 0644 /b\\n' >common && echo no >other && ln -s agent z",
		root);
	assert_int_equal(system(command), 0);
	assert_int_equal(manifest_read(root, &m), 0);
	assert_int_equal(m.files_n, 2);
	digest_span(&wanted, SPAN_STR("sekisho-manifest 1 2\n" A " 0644 /a\nsekisho-manifest 1 2\n" B " 0644 /b\n"));
	assert_true(digest_eq(&m.hash, &wanted));
	assert_true(digest_eq(&none.hash, &zeros));
	snprintf(command, sizeof(command), "cd %s && rm usr/lib/sekisho/manifest/common", root);
	assert_int_equal(system(command), 0);
	assert_int_equal(manifest_read(root, &other), 0);
	assert_false(digest_eq(&other.hash, &wanted));
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_by_path),
		cmocka_unit_test(what_is_not_whole_adds_nothing),
		cmocka_unit_test(more_files_than_there_is_room_for_are_refused),
		cmocka_unit_test(the_folder_is_one_hash),
	};

	return cmocka_run_group_tests_name("service/manifest", tests, NULL, NULL);
}
