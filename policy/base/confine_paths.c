/*
 * Landlock: which paths a process can still open. See confine.h. libc has no wrappers for these calls yet.
 */
#include "policy/base/cleanup.h"
#include "policy/base/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

/* What Landlock's first version (Linux 5.13) knows of; a later one's rights are files' too, and stay with seccomp. */
#define ALL_RIGHTS                                                                                             \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |           \
		LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
		LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |     \
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |  \
		LANDLOCK_ACCESS_FS_MAKE_SYM)

static int allow(int rules, const char *folder)
{
	_cleanup_close_ int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr a = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, .parent_fd = fd};

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0) ? -errno : 0;
}

int confine_paths(const char *const *folders)
{
	struct landlock_ruleset_attr all = {.handled_access_fs = ALL_RIGHTS};
	_cleanup_close_ int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	int r = 0;

	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? V_NOT_FOUND : -errno;
	for (; *folders && !r; folders++)
		r = allow(rules, *folders);
	if (r)
		return r;
	return syscall(SYS_landlock_restrict_self, rules, 0) ? -errno : 0;
}
