/* Files are read within a bound and replaced as a whole. */
#include "policy/base/file.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static char dir[] = "/tmp/sekisho-file-XXXXXX";

static const char *at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void reads_within_the_bound(void **state)
{
	_cleanup_buf_ struct buf exact = BUF_INIT(5), small = BUF_INIT(4);

	(void)state;
	assert_int_equal(file_replace(at("five"), SPAN_STR("12345"), 0600), 0);
	assert_int_equal(file_read(at("five"), &exact), 0);
	assert_int_equal(exact.n, 5);
	assert_int_equal(file_read(at("five"), &small), V_FULL);
	assert_int_equal(small.n, 0);
	assert_int_equal(file_read(at("none"), &small), V_NOT_FOUND);
}

static void replaces_as_a_whole_with_the_mode_asked_for(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	struct stat st;

	(void)state;
	umask(0077);
	assert_int_equal(file_replace(at("f"), SPAN_STR("old"), 0644), 0);
	assert_int_equal(file_replace(at("f"), SPAN_STR("new"), 0644), 0);
	assert_int_equal(stat(at("f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(file_read(at("f"), &b), 0);
	assert_string_equal(buf_str(&b), "new");
	assert_int_equal(access(at("f.tmp"), F_OK), -1);
}

static void a_failed_replacement_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("folder"), 0700), 0);
	assert_int_equal(file_replace(at("folder"), SPAN_STR("new"), 0600), -EISDIR);
	assert_int_equal(access(at("folder.tmp"), F_OK), -1);
	assert_int_equal(rmdir(at("folder")), 0);
}

/* Somebody who may write to the folder lays something where the temporary file would be. */
static void nobody_stands_in_the_way_of_a_replacement(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64), link = BUF_INIT(64);
	_cleanup_close_ int theirs = -1;
	struct stat st;

	(void)state;
	assert_int_equal(file_replace(at("kept"), SPAN_STR("old"), 0600), 0);
	assert_int_equal(symlink("/tmp/sekisho-elsewhere", at("kept.tmp")), 0);
	assert_int_equal(file_replace(at("kept"), SPAN_STR("new"), 0600), 0);
	assert_int_equal(access("/tmp/sekisho-elsewhere", F_OK), -1);
	assert_int_equal(file_read(at("kept"), &b), 0);
	assert_string_equal(buf_str(&b), "new");
	/* A file that they hold open is not the one that ours becomes. */
	theirs = open(at("kept.tmp"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	assert_true(theirs >= 0);
	assert_int_equal(file_replace(at("kept"), SPAN_STR("newer"), 0600), 0);
	assert_int_equal(write(theirs, "forged", 6), 6);
	assert_int_equal(file_read(at("kept"), &link), 0);
	assert_string_equal(buf_str(&link), "newer");
	/* A folder with something in it cannot be taken away. */
	assert_int_equal(mkdir(at("kept.tmp"), 0700), 0);
	assert_int_equal(file_replace(at("kept.tmp/f"), SPAN_STR(""), 0600), 0);
	assert_int_equal(file_replace(at("kept"), SPAN_STR("newest"), 0600), 0);
	assert_int_equal(stat(at("kept"), &st), 0);
	assert_int_equal(st.st_size, 6);
}

/* Somebody else's folder, from which only what is a file is read; and by nobody's link. */
static void only_plain_files_are_read_of_a_folder_of_others(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	struct stat st;

	(void)state;
	assert_int_equal(file_replace(at("plain"), SPAN_STR("plain"), 0600), 0);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("plain"), FILE_ANYBODY, &b), 0);
	assert_string_equal(buf_str(&b), "plain");
	assert_int_equal(stat(at("plain"), &st), 0);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("plain"), st.st_uid, &b), 0);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("plain"), st.st_uid + 1, &b), V_NOT_FOUND);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(symlink("plain", at("link")), 0);
	assert_int_equal(mkdir(at("folder"), 0700), 0);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("fifo"), FILE_ANYBODY, &b), V_NOT_FOUND);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("link"), FILE_ANYBODY, &b), V_NOT_FOUND);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("folder"), FILE_ANYBODY, &b), V_NOT_FOUND);
	assert_int_equal(file_read_plain_at(AT_FDCWD, at("none"), FILE_ANYBODY, &b), V_NOT_FOUND);
	assert_int_equal(file_read_plain_at(AT_FDCWD, "/dev/null", FILE_ANYBODY, &b), V_NOT_FOUND);
	assert_int_equal(b.n, 10);
}

static void one_lock_at_a_time(void **state)
{
	_cleanup_close_ int a = -1, b = -1;

	(void)state;
	assert_int_equal(file_lock(at("lock"), &a), 0);
	assert_int_equal(file_lock(at("lock"), &b), V_EXISTS);
	assert_int_equal(b, -1);
	closep(&a);
	assert_int_equal(file_lock(at("lock"), &b), 0);
}

static void makes_directories_on_the_way(void **state)
{
	(void)state;
	assert_int_equal(dir_make(at("a/b/c"), 0750), 0);
	assert_int_equal(dir_make(at("a/b/c"), 0750), 0);
	assert_int_equal(file_replace(at("a/b/c/f"), SPAN_STR(""), 0600), 0);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_within_the_bound),
		cmocka_unit_test(replaces_as_a_whole_with_the_mode_asked_for),
		cmocka_unit_test(a_failed_replacement_changes_nothing),
		cmocka_unit_test(nobody_stands_in_the_way_of_a_replacement),
		cmocka_unit_test(only_plain_files_are_read_of_a_folder_of_others),
		cmocka_unit_test(one_lock_at_a_time),
		cmocka_unit_test(makes_directories_on_the_way),
	};

	return cmocka_run_group_tests_name("base/file", tests, make_dir, remove_dir);
}
