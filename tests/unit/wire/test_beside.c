/* Root prepares a folder that is another user's: what that user laid there meanwhile is not given away. */
#include "policy/base/file.h"
#include "policy/wire/beside.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/sekisho-beside-XXXXXX";
static const struct beside nobodys = {.user = "nobody", .dir = dir};

static const char *at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void expect(const char *name, uid_t uid, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(at(name), &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void gives_files_and_folders(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(file_replace(at("file"), SPAN_STR("x"), 0600), 0);
	assert_int_equal(mkdir(at("folder"), 0700), 0);
	assert_int_equal(beside_give(&nobodys, at("file"), NULL, 0640), 0);
	assert_int_equal(beside_give(&nobodys, at("folder"), NULL, 02770), 0);
	expect("file", 65534, 0640);
	expect("folder", 65534, 02770);
}

static void gives_nothing_away_by_another_name(void **state)
{
	char target[128];

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(file_replace(at("key"), SPAN_STR("secret"), 0600), 0);
	snprintf(target, sizeof(target), "%s", at("key"));
	assert_int_equal(symlink(target, at("link")), 0);
	assert_int_equal(link(target, at("second")), 0);
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(beside_give(&nobodys, at("link"), NULL, 0666), -ELOOP);
	assert_int_equal(beside_give(&nobodys, at("second"), NULL, 0666), -ELOOP);
	assert_int_equal(beside_give(&nobodys, at("fifo"), NULL, 0666), -ELOOP);
	expect("key", 0, 0600);
	expect("fifo", 0, 0600);
}

/* As a unit with a bounded set of capabilities starts it. */
static int without_fsetid(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];

	if (setgroups(0, NULL) || syscall(SYS_capget, &head, caps))
		return -errno;
	caps[0].effective &= ~(1u << CAP_FSETID);
	caps[0].permitted &= ~(1u << CAP_FSETID);
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

static void a_bit_that_the_kernel_leaves_out_is_told(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	if (geteuid() || !getgrnam("nogroup"))
		skip();
	assert_int_equal(mkdir(at("spool"), 0700), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (!pid)
		_exit(without_fsetid() ? 1 : beside_give(&nobodys, at("spool"), "nogroup", 02770) == -EPERM ? 0 : 2);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
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
		cmocka_unit_test(gives_files_and_folders),
		cmocka_unit_test(gives_nothing_away_by_another_name),
		cmocka_unit_test(a_bit_that_the_kernel_leaves_out_is_told),
	};

	return cmocka_run_group_tests_name("wire/beside", tests, make_dir, remove_dir);
}
