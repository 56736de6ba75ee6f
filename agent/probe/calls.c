/*
 * The system calls of this architecture that the tracepoint set wants to see, and by which program: fills the tables
 * through which tracepoint.bpf.c jumps. Called by the loader alone.
 */
#include "agent/probe/calls.h"
#include "agent/probe/load.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <sys/syscall.h>

struct wanted {
	int number;
	const char *enter, *leave; /* names of programs; NULL: not looked at there */
	uint32_t call;
};

/* Numbers of calls that are newer than the headers of some systems; the same on every architecture. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat 466
#endif

static const struct wanted wanted[] = {
	{SYS_close, "enter_close", NULL, 0},
	{SYS_dup3, "enter_dup", NULL, 0},
	{SYS_close_range, "enter_close_range", NULL, 0},
	{SYS_openat, NULL, "leave_open", CALL_OPENAT},
	{SYS_openat2, NULL, "leave_open", CALL_OPENAT2},
	{SYS_open_by_handle_at, NULL, "leave_open", CALL_OPEN_HANDLE},
	{SYS_read, NULL, "leave_read", 0},
	{SYS_pread64, NULL, "leave_read", 0},
	{SYS_readv, NULL, "leave_read", 0},
	{SYS_preadv, NULL, "leave_read", 0},
	{SYS_preadv2, NULL, "leave_read", 0},
	{SYS_write, NULL, "leave_write", 0},
	{SYS_pwrite64, NULL, "leave_write", 0},
	{SYS_writev, NULL, "leave_write", 0},
	{SYS_pwritev, NULL, "leave_write", 0},
	{SYS_pwritev2, NULL, "leave_write", 0},
	{SYS_sendfile, NULL, "leave_transfer", CALL_SENDFILE},
	{SYS_splice, NULL, "leave_transfer", CALL_SPLICE},
	{SYS_copy_file_range, NULL, "leave_transfer", CALL_COPY_RANGE},
	{SYS_ioctl, NULL, "leave_ioctl", 0},
	{SYS_mmap, NULL, "leave_mmap", 0},
	{SYS_ftruncate, NULL, "leave_cut", CALL_FTRUNCATE},
	{SYS_fallocate, NULL, "leave_cut", CALL_FALLOCATE},
	{SYS_truncate, NULL, "leave_name", KIND_TRUNCATE},
	{SYS_unlinkat, NULL, "leave_name", KIND_UNLINK | CALL_AT},
	{SYS_mkdirat, NULL, "leave_name", KIND_MKDIR | CALL_AT},
	{SYS_fchmodat, NULL, "leave_name", KIND_CHMOD | CALL_AT},
	{SYS_fchmodat2, NULL, "leave_name", KIND_CHMOD | CALL_AT},
	{SYS_fchownat, NULL, "leave_name", KIND_CHOWN | CALL_AT},
	{SYS_fchmod, NULL, "leave_descriptor", KIND_CHMOD | CALL_FD},
	{SYS_fchown, NULL, "leave_descriptor", KIND_CHOWN | CALL_FD},
	{SYS_setxattr, NULL, "leave_attribute", REFUSED_SETXATTR},
	{SYS_lsetxattr, NULL, "leave_attribute", REFUSED_SETXATTR},
	{SYS_fsetxattr, NULL, "leave_attribute", REFUSED_SETXATTR | CALL_FD},
	{SYS_setxattrat, NULL, "leave_attribute", REFUSED_SETXATTR | CALL_AT},
	{SYS_removexattr, NULL, "leave_attribute", REFUSED_REMOVEXATTR},
	{SYS_lremovexattr, NULL, "leave_attribute", REFUSED_REMOVEXATTR},
	{SYS_fremovexattr, NULL, "leave_attribute", REFUSED_REMOVEXATTR | CALL_FD},
	{SYS_removexattrat, NULL, "leave_attribute", REFUSED_REMOVEXATTR | CALL_AT},
	{SYS_renameat2, NULL, "leave_names", KIND_RENAME | CALL_AT | CALL_FLAGS},
	{SYS_linkat, NULL, "leave_names", KIND_LINK | CALL_AT},
	{SYS_symlinkat, NULL, "leave_names", KIND_SYMLINK | CALL_AT},
	{SYS_mount, NULL, "leave_mount", CALL_MOUNT},
	{SYS_umount2, NULL, "leave_mount", CALL_UMOUNT},
	{SYS_move_mount, NULL, "leave_mount", CALL_MOVE_MOUNT},
	{SYS_pivot_root, NULL, "leave_mount", CALL_PIVOT},
#ifdef SYS_renameat
	{SYS_renameat, NULL, "leave_names", KIND_RENAME | CALL_AT},
#endif
/* Calls of the older architectures. */
#ifdef SYS_open
	{SYS_open, NULL, "leave_open", CALL_OPEN},
	{SYS_creat, NULL, "leave_open", CALL_CREAT},
	{SYS_dup2, "enter_dup", NULL, 0},
	{SYS_unlink, NULL, "leave_name", KIND_UNLINK},
	{SYS_mkdir, NULL, "leave_name", KIND_MKDIR},
	{SYS_rmdir, NULL, "leave_name", KIND_RMDIR},
	{SYS_chmod, NULL, "leave_name", KIND_CHMOD},
	{SYS_chown, NULL, "leave_name", KIND_CHOWN},
	{SYS_lchown, NULL, "leave_name", KIND_CHOWN},
	{SYS_rename, NULL, "leave_names", KIND_RENAME},
	{SYS_link, NULL, "leave_names", KIND_LINK},
	{SYS_symlink, NULL, "leave_names", KIND_SYMLINK},
#endif
};

static int jump(struct bpf_object *o, const char *table, uint32_t number, const char *program)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o, program);
	int fd = p ? bpf_program__fd(p) : -ENOENT;

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(bpf_object__find_map_fd_by_name(o, table), &number, &fd, BPF_ANY) ? -errno : 0;
}

int calls_fill(struct bpf_object *o)
{
	int calls = bpf_object__find_map_fd_by_name(o, "calls");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct wanted *w = &wanted[i];
		uint32_t number = (uint32_t)w->number;
		int r = bpf_map_update_elem(calls, &number, &w->call, BPF_ANY) ? -errno : 0;

		if (!r && w->enter)
			r = jump(o, "on_enter", number, w->enter);
		if (!r && w->leave)
			r = jump(o, "on_leave", number, w->leave);
		if (r)
			return r;
	}
	return 0;
}

bool calls_is_target(const char *program)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		if ((wanted[i].enter && !strcmp(wanted[i].enter, program)) ||
			(wanted[i].leave && !strcmp(wanted[i].leave, program)))
			return true;
	return false;
}
