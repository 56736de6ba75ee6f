/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The record-only set, for kernels without BPF trampolines: the system calls' own tracepoints. Two programs see every
 * system call and jump, by a table that the loader fills with the numbers of this architecture, to the one that knows
 * it; a call that nobody wants costs two table look-ups.
 *
 * What a tracepoint does not show: the last close as such. It is taken to be a close while the descriptor is the only
 * reference, or the end of the process that opened the file (RF_NOT_LAST_CLOSE where others still have it open). Paths
 * in calls are what the caller wrote, below the folder that it meant (EH_RELATIVE).
 */
#include "agent/probe/common.bpf.h"

#define SYSCALLS_MAX 512
#define FDS_MAX 256
#define AT_FDCWD_NUMBER (-100)
#define TS_COMPAT_BIT 2u
#define MAP_SHARED_BIT 1ul
#define MAP_ANONYMOUS_BIT 0x20ul
#define PROT_WRITE_BIT 2ul
#define FICLONE_NUMBER 0x40049409u
#define FICLONERANGE_NUMBER 0x4020940du
#define FIDEDUPE_NUMBER 0xc0189436u
#define MOUNT_NO_NEW (32ul | 1ul << 17 | 1ul << 18 | 1ul << 19 | 1ul << 20) /* remount, propagation */
#define F_DUPFD_ANY 0

/* What a call is to us: the value of `calls`. Append only: the loader (probe_calls.c) has the other half. */
#include "agent/probe/calls.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYSCALLS_MAX);
	__type(key, u32);
	__type(value, u32);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SYSCALLS_MAX);
	__type(key, u32);
	__type(value, u32);
} on_enter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SYSCALLS_MAX);
	__type(key, u32);
	__type(value, u32);
} on_leave SEC(".maps");

static __always_inline u32 number_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(regs, syscallno);
#else
	return BPF_CORE_READ(regs, orig_ax);
#endif
}

static __always_inline u32 call_of(struct pt_regs *regs)
{
	u32 nr = number_of(regs), *call = bpf_map_lookup_elem(&calls, &nr);

	return call ? *call : CALL_NONE;
}

/* A program of another word size: its numbers are others, and are not told here, but that they were is. */
static __always_inline bool is_compat(void)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), thread_info.status) & TS_COMPAT_BIT;
#else
	return false;
#endif
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter_any, struct pt_regs *regs, long id)
{
	if (!is_compat())
		bpf_tail_call(ctx, &on_enter, (u32)id);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit_any, struct pt_regs *regs, long ret)
{
	if (is_compat()) {
		u32 nr = number_of(regs);

		/* i386: open, creat, unlink, rename, openat: the ones that would have been records */
		if (ret >= 0 && (nr == 5 || nr == 8 || nr == 10 || nr == 38 || nr == 295) && event_wanted())
			lose(CAUSE_COMPAT);
		return 0;
	}
	bpf_tail_call(ctx, &on_leave, number_of(regs));
	return 0;
}

/* --- descriptors --- */

static __always_inline struct file *file_of(long fd)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(t, files, fdt);
	struct file **at, *file = NULL;

	if (fd < 0 || fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	at = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), at + fd);
	return file;
}

/*
 * A descriptor goes away. `owner_ends`: with the process that opened the file, so that this is the last that we shall
 * see of it, whoever else has it open. Global: looked at by the verifier once.
 */
__noinline int descriptor_gone(u64 file_at, u32 owner_ends)
{
	struct file *file = (struct file *)file_at;
	struct fold *f = bpf_map_lookup_elem(&files, &file_at);

	if (!f)
		return 0;
	if (file_is_last(file))
		return fold_tell(file_at, 0);
	/* A map, or a request, keeps the file after its descriptor is gone, and nothing tells of the end of that. */
	if (f->flags & (FOLD_MAPPED | RF_IO_URING))
		return fold_tell(file_at, RF_NOT_LAST_CLOSE);
	if (owner_ends && f->pid == (u32)(bpf_get_current_pid_tgid() >> 32))
		return fold_tell(file_at, RF_NOT_LAST_CLOSE);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_close, struct pt_regs *regs, long id)
{
	struct file *file = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));

	if (file)
		descriptor_gone((u64)file, 0);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_dup, struct pt_regs *regs, long id)
{
	s32 old = PT_REGS_PARM1_CORE_SYSCALL(regs), new = PT_REGS_PARM2_CORE_SYSCALL(regs);
	struct file *file;

	if (old == new || !file_of(old))
		return 0;
	file = file_of(new);
	if (file)
		descriptor_gone((u64)file, 0);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_close_range, struct pt_regs *regs, long id)
{
	u32 first = PT_REGS_PARM1_CORE_SYSCALL(regs), last = PT_REGS_PARM2_CORE_SYSCALL(regs), i;

	/* CLOSE_RANGE_CLOEXEC closes nothing now. */
	if (PT_REGS_PARM3_CORE_SYSCALL(regs) & 4)
		return 0;
	for (i = 0; i < FDS_MAX; i++) {
		struct file *file;

		if (first + i > last)
			break;
		file = file_of(first + i);
		if (file)
			descriptor_gone((u64)file, 0);
	}
	return 0;
}

/* exec closes what is marked so. Should it fail, a file that is used further begins a new entry. */
SEC("tp_btf/sys_enter")
int BPF_PROG(enter_exec, struct pt_regs *regs, long id)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(t, files, fdt);
	unsigned long *marks = BPF_CORE_READ(table, close_on_exec), word = 0;
	u32 max = BPF_CORE_READ(table, max_fds), i;

	for (i = 0; i < FDS_MAX; i++) {
		struct file *file;

		if (i >= max)
			break;
		if (!(i & 63))
			bpf_probe_read_kernel(&word, sizeof(word), marks + (i >> 6));
		if (!(word >> (i & 63) & 1))
			continue;
		file = file_of(i);
		if (file)
			descriptor_gone((u64)file, 0);
	}
	return 0;
}

/* Files are closed behind this tracepoint: they are still here. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *t)
{
	struct files_struct *open_files = BPF_CORE_READ(t, files);
	u32 i, max;

	if (open_files && BPF_CORE_READ(open_files, count.counter) == 1) {
		max = BPF_CORE_READ(open_files, fdt, max_fds);
		for (i = 0; i < FDS_MAX; i++) {
			struct file *file;

			if (i >= max)
				break;
			file = file_of(i);
			if (file)
				descriptor_gone((u64)file, 1);
		}
	}
	exit_tell(ctx, t);
	return 0;
}

/* --- open files --- */

SEC("tp_btf/sys_exit")
int BPF_PROG(leave_open, struct pt_regs *regs, long ret)
{
	struct file *file = ret >= 0 ? file_of(ret) : NULL;

	if (file)
		file_opened(ctx, file);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(leave_read, struct pt_regs *regs, long ret)
{
	struct file *file;

	if (ret <= 0)
		return 0;
	file = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
	if (file)
		file_moved(file, ret, 0, RF_READ);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(leave_write, struct pt_regs *regs, long ret)
{
	struct file *file;

	if (ret <= 0)
		return 0;
	file = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
	if (file)
		file_moved(file, 0, ret, RF_WROTE);
	return 0;
}

/* From one descriptor to another. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_transfer, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs);
	struct file *in, *out;

	if (ret <= 0)
		return 0;
	if (call == CALL_SENDFILE) {
		out = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
		in = file_of((s32)PT_REGS_PARM2_CORE_SYSCALL(regs));
	} else {
		in = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
		out = file_of((s32)PT_REGS_PARM3_CORE_SYSCALL(regs));
	}
	if (in)
		file_moved(in, ret, 0, RF_READ | RF_SPLICE);
	if (out)
		file_moved(out, 0, ret, RF_WROTE | RF_SPLICE);
	return 0;
}

/* Reflinks: the file takes another's extents. FICLONE has the source as its argument, the range begins with it. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_ioctl, struct pt_regs *regs, long ret)
{
	u32 what = PT_REGS_PARM2_CORE_SYSCALL(regs);
	unsigned long argument;
	struct file *file;
	s64 source = -1;

	if (ret || (what != FICLONE_NUMBER && what != FICLONERANGE_NUMBER))
		return 0;
	argument = PT_REGS_PARM3_CORE_SYSCALL(regs);
	if (what == FICLONE_NUMBER)
		source = (s32)argument;
	else
		bpf_probe_read_user(&source, sizeof(source), (void *)argument);
	file = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
	if (file)
		file_moved(file, 0, 0, RF_WROTE | RF_CLONE | RF_GUESSED);
	file = file_of(source);
	if (file)
		file_moved(file, 0, 0, RF_READ | RF_CLONE);
	return 0;
}

/*
 * A shared map of a file that is open for writing. mprotect could make a map that is only for reading one for writing,
 * so it is the file's mode that counts, not the map's.
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_mmap, struct pt_regs *regs, long ret)
{
	unsigned long flags = PT_REGS_PARM4_CORE_SYSCALL(regs);
	struct file *file;
	struct fold *f;
	u64 key;

	if ((ret < 0 && ret > -4096) || flags & MAP_ANONYMOUS_BIT)
		return 0;
	file = file_of((s32)PT_REGS_PARM5_CORE_SYSCALL(regs));
	if (!file)
		return 0;
	if (flags & MAP_SHARED_BIT && BPF_CORE_READ(file, f_mode) & FMODE_WRITE_BIT)
		file_moved(file, 0, 0, RF_MMAP_WRITE);
	key = (u64)file;
	f = bpf_map_lookup_elem(&files, &key);
	if (f)
		f->flags |= FOLD_MAPPED;
	return 0;
}

/* ftruncate, fallocate */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_cut, struct pt_regs *regs, long ret)
{
	struct file *file;

	if (ret)
		return 0;
	file = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
	if (file)
		file_moved(file, 0, 0, call_of(regs) == CALL_FTRUNCATE ? RF_TRUNCATED : RF_WROTE | RF_GUESSED);
	return 0;
}

/* --- names --- */

/* Are there two dots in a row in the first part of a text, from `off` on? Global: looked at by the verifier once. */
__noinline int text_has_up(u32 which, u32 off)
{
	struct scratch *s = scratch_here();
	char before = 0;
	u32 i;

	if (!s)
		return 0;
	for (i = 0; i < PROBE_PREFIX_MAX; i++) {
		char c = s->text[below(which, TEXTS)].b[below(off + i, EVENT_PATH_MAX)];

		if (!c)
			return 0;
		if (c == '.' && before == '.')
			return 1;
		before = c;
	}
	return 0;
}

/*
 * Text `which`: the folder that `dfd` means, two slashes, and what the caller wrote; or that alone where it begins at
 * the root. *up: it has "..", so that no prefix can be trusted.
 */
static __always_inline void text_user(struct scratch *s, u32 which, s32 dfd, const char *name, bool *up)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct text *x = &s->text[which];
	char first = 0;
	u32 off = 0;
	long n;

	bpf_probe_read_user(&first, 1, name);
	if (first != '/') {
		root_of(s, t);
		if (dfd == AT_FDCWD_NUMBER) {
			text_path(s, which, BPF_CORE_READ(t, fs, pwd.dentry), BPF_CORE_READ(t, fs, pwd.mnt));
		} else {
			struct file *dir = file_of(dfd);

			if (dir)
				text_path(s, which, BPF_CORE_READ(dir, f_path.dentry), BPF_CORE_READ(dir, f_path.mnt));
		}
		off = x->len;
		if (!first)
			return; /* an empty name: the folder (or file) itself */
		if (off > 2000) {
			x->flags |= RF_PATH_CUT;
			off = 0;
		}
		off &= 2047;
		x->b[off] = '/';
		x->b[off + 1] = '/';
		off += 2;
	}
	if (off > 2050)
		return;
	n = bpf_probe_read_user_str(&x->b[off], 2040, name);
	if (n < 0) {
		lose(CAUSE_READ_FAILED);
		n = 1;
	}
	if (n == 2040)
		x->flags |= RF_PATH_CUT;
	x->len = off + n - 1;
	*up = text_has_up(which, off);
}

/* Is what text `which` names worth a record of a change? */
static __always_inline bool text_wanted(struct scratch *s, u32 which, bool up)
{
	return up || level_of_text(s, which) >= LEVEL_CHANGES;
}

/* Calls with one name. Which argument is what: (dfd, name) or (name), and a number behind it. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_name, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs), kind;
	s32 dfd = AT_FDCWD_NUMBER;
	unsigned long name, a, b;
	struct scratch *s;
	struct event *e;
	bool up = false, at = call & CALL_AT;

	if (ret || !event_wanted())
		return 0;
	if (at) {
		dfd = PT_REGS_PARM1_CORE_SYSCALL(regs);
		name = PT_REGS_PARM2_CORE_SYSCALL(regs);
		a = PT_REGS_PARM3_CORE_SYSCALL(regs);
		b = PT_REGS_PARM4_CORE_SYSCALL(regs);
	} else {
		name = PT_REGS_PARM1_CORE_SYSCALL(regs);
		a = PT_REGS_PARM2_CORE_SYSCALL(regs);
		b = PT_REGS_PARM3_CORE_SYSCALL(regs);
	}
	kind = call & CALL_KIND;
	/* unlinkat with AT_REMOVEDIR */
	if (kind == KIND_UNLINK && at && a & 0x200)
		kind = KIND_RMDIR;
	if (!kind_wanted(kind))
		return 0;
	e = event_new(kind);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	text_user(s, EVENT_PATH, dfd, (const char *)name, &up);
	if (!text_wanted(s, EVENT_PATH, up))
		return 0;
	e->has |= EH_RELATIVE;
	if (kind == KIND_MKDIR || kind == KIND_RMDIR)
		names_changed();
	if (kind == KIND_CHMOD) {
		e->mode = a & 07777;
		e->has |= EH_MODE;
	} else if (kind == KIND_CHOWN) {
		e->new_uid = a;
		e->new_gid = b;
		e->has |= EH_OWNER;
	} else if (kind == KIND_TRUNCATE) {
		e->file_size = a;
		e->has |= EH_SIZE;
	}
	event_send(ctx, e);
	return 0;
}

/* fchmod, fchown: the open file is the object. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_descriptor, struct pt_regs *regs, long ret)
{
	u32 kind = call_of(regs) & CALL_KIND;
	struct file *file;
	struct event *e;

	if (ret || !event_wanted())
		return 0;
	file = file_of((s32)PT_REGS_PARM1_CORE_SYSCALL(regs));
	if (!file || magic_skipped(BPF_CORE_READ(file, f_inode, i_sb, s_magic)))
		return 0;
	e = event_new(kind);
	if (!e)
		return 0;
	event_path(e, EVENT_PATH, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	if (level_of_text((struct scratch *)e, EVENT_PATH) < LEVEL_CHANGES)
		return 0;
	event_dentry(e, BPF_CORE_READ(file, f_path.dentry));
	if (kind == KIND_CHMOD) {
		e->mode = PT_REGS_PARM2_CORE_SYSCALL(regs) & 07777;
		e->has |= EH_MODE;
	} else {
		e->new_uid = PT_REGS_PARM2_CORE_SYSCALL(regs);
		e->new_gid = PT_REGS_PARM3_CORE_SYSCALL(regs);
		e->has |= EH_OWNER;
	}
	event_send(ctx, e);
	return 0;
}

/* Calls with two names: rename, link, symlink, in their forms with and without descriptors. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_names, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs), kind = call & CALL_KIND;
	s32 dfd = AT_FDCWD_NUMBER, dfd2 = AT_FDCWD_NUMBER;
	unsigned long name, name2, flags = 0;
	bool up = false, up2 = false;
	struct scratch *s;
	struct event *e;

	if (ret || !event_wanted())
		return 0;
	if (kind == KIND_SYMLINK) {
		/* (target, name) or (target, dfd, name); the target is a text, not a place */
		name2 = PT_REGS_PARM1_CORE_SYSCALL(regs);
		if (call & CALL_AT) {
			dfd = PT_REGS_PARM2_CORE_SYSCALL(regs);
			name = PT_REGS_PARM3_CORE_SYSCALL(regs);
		} else {
			name = PT_REGS_PARM2_CORE_SYSCALL(regs);
		}
	} else if (call & CALL_AT) {
		dfd = PT_REGS_PARM1_CORE_SYSCALL(regs);
		name = PT_REGS_PARM2_CORE_SYSCALL(regs);
		dfd2 = PT_REGS_PARM3_CORE_SYSCALL(regs);
		name2 = PT_REGS_PARM4_CORE_SYSCALL(regs);
		flags = PT_REGS_PARM5_CORE_SYSCALL(regs);
	} else {
		name = PT_REGS_PARM1_CORE_SYSCALL(regs);
		name2 = PT_REGS_PARM2_CORE_SYSCALL(regs);
	}
	if (kind == KIND_RENAME)
		names_changed();
	e = event_new(kind);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	text_user(s, EVENT_PATH, dfd, (const char *)name, &up);
	e->has |= EH_RELATIVE;
	if (kind == KIND_SYMLINK) {
		long n = bpf_probe_read_user_str(s->text[EVENT_PATH2].b, EVENT_PATH_MAX, (const char *)name2);

		s->text[EVENT_PATH2].len = n > 1 ? n - 1 : 0;
		if (!text_wanted(s, EVENT_PATH, up))
			return 0;
	} else {
		text_user(s, EVENT_PATH2, dfd2, (const char *)name2, &up2);
		e->has |= EH_RELATIVE2;
		if (!text_wanted(s, EVENT_PATH, up) && !text_wanted(s, EVENT_PATH2, up2))
			return 0;
		if (kind == KIND_RENAME && call & CALL_FLAGS && flags & RENAME_EXCHANGE_BIT)
			e->flags |= RF_EXCHANGE;
	}
	event_send(ctx, e);
	return 0;
}

/* --- mounts --- */

SEC("tp_btf/sys_exit")
int BPF_PROG(leave_mount, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs);
	struct scratch *s;
	struct event *e;
	bool up = false;
	long n;

	if (ret || !event_wanted())
		return 0;
	e = event_new(call == CALL_UMOUNT ? KIND_UMOUNT : KIND_MOUNT);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	e->has |= EH_RELATIVE;
	names_changed();
	if (call == CALL_MOUNT) {
		if (PT_REGS_PARM4_CORE_SYSCALL(regs) & MOUNT_NO_NEW)
			return 0;
		text_user(s, EVENT_PATH, AT_FDCWD_NUMBER, (const char *)PT_REGS_PARM2_CORE_SYSCALL(regs), &up);
		n = bpf_probe_read_user_str(
			s->text[EVENT_PATH2].b, EVENT_PATH_MAX, (const char *)PT_REGS_PARM1_CORE_SYSCALL(regs));
		s->text[EVENT_PATH2].len = n > 1 ? n - 1 : 0;
		n = bpf_probe_read_user_str(s->fs, sizeof(s->fs), (const char *)PT_REGS_PARM3_CORE_SYSCALL(regs));
		s->fs_len = n > 1 ? n - 1 : 0;
	} else if (call == CALL_UMOUNT) {
		text_user(s, EVENT_PATH, AT_FDCWD_NUMBER, (const char *)PT_REGS_PARM1_CORE_SYSCALL(regs), &up);
	} else {
		/* move_mount(from, name, to, name, flags): the new interface's last step */
		text_user(s, EVENT_PATH, (s32)PT_REGS_PARM3_CORE_SYSCALL(regs),
			(const char *)PT_REGS_PARM4_CORE_SYSCALL(regs), &up);
	}
	event_send(ctx, e);
	return 0;
}

/* --- io_uring --- */

#define URING_READV 1
#define URING_WRITEV 2
#define URING_READ_FIXED 4
#define URING_WRITE_FIXED 5
#define URING_OPENAT 18
#define URING_CLOSE 19
#define URING_READ 22
#define URING_WRITE 23
#define URING_OPENAT2 28

static __always_inline void uring_done(void *ctx, struct io_kiocb *request, s32 res)
{
	struct file *file;

	if (!request || res < 0)
		return;
	switch (BPF_CORE_READ(request, opcode)) {
	case URING_READV:
	case URING_READ:
	case URING_READ_FIXED:
		file = BPF_CORE_READ(request, file);
		if (file && res)
			file_moved(file, res, 0, RF_READ | RF_IO_URING);
		break;
	case URING_WRITEV:
	case URING_WRITE:
	case URING_WRITE_FIXED:
		file = BPF_CORE_READ(request, file);
		if (file && res)
			file_moved(file, 0, res, RF_WROTE | RF_IO_URING);
		break;
	case URING_OPENAT:
	case URING_OPENAT2:
		file = file_of(res);
		if (file) {
			file_opened(ctx, file);
			file_moved(file, 0, 0, RF_IO_URING);
		}
		break;
	}
}

/* Before the request runs, when the file that it closes is still there. */
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(uring_submit, struct io_kiocb *request)
{
	struct file *file;

	if (BPF_CORE_READ(request, opcode) != URING_CLOSE)
		return 0;
	file = file_of(BPF_CORE_READ((struct io_close *)request, fd));
	if (file)
		descriptor_gone((u64)file, 0);
	return 0;
}

/* Since 6.10 or so the result comes in the completion entry; before, as a number. The loader picks by the kernel's BTF.
 */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(uring_complete_entry, void *ring_ctx, struct io_kiocb *request, struct io_uring_cqe___kernel *cqe)
{
	uring_done(ctx, request, BPF_CORE_READ(cqe, res));
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(uring_complete_number, void *ring_ctx, struct io_kiocb *request, u64 user_data, int res)
{
	uring_done(ctx, request, res);
	return 0;
}
