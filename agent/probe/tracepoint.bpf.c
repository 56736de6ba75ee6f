/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The record-only set, for kernels without BPF trampolines: the system calls' own tracepoints. Two programs see every
 * system call and jump, by a table that the loader fills with the numbers of this architecture, to the one that knows
 * it; a call that nobody wants costs a table look-up.
 *
 * What a tracepoint does not show: the last close as such. It is a close, or the end of a process, while the descriptor
 * is the only reference; where that is missed (a map outlives it, another thread still reads), a sweep finds that the
 * file is gone. Paths in calls are what the caller wrote, below the folder that it meant (EH_RELATIVE).
 */
#include "agent/probe/common.bpf.h"
#include "agent/probe/refused.bpf.h"

#define SYSCALLS_MAX 512
#define FD_WORD 64 /* descriptors that are looked at in one go */
#define FD_WORDS 16
#define TS_COMPAT_BIT 2u
#define MAP_SHARED_BIT 1ul
#define MAP_ANONYMOUS_BIT 0x20ul
#define PROT_WRITE_BIT 2ul
#define FICLONE_NUMBER 0x40049409u
#define FICLONERANGE_NUMBER 0x4020940du
#define FIDEDUPE_NUMBER 0xc0189436u
#define MOUNT_NO_NEW (32ul | 1ul << 17 | 1ul << 18 | 1ul << 19 | 1ul << 20) /* remount, propagation */
#define CHILDREN_MAX 16
#define MS_MOVE_BIT 8192ul
#define MS_REC_BIT 16384ul
#define MOVE_MOUNT_F_EMPTY_PATH_BIT 4ul
#define MOUNT_DEPTH_MAX 40
#define CHILD_NAME_MAX 63

/* What a call is to us (calls.h), by its number: the loader (calls.c) has the other half. */
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

static __always_inline u32 call_of(struct pt_regs *regs)
{
	u32 nr = NUMBER(regs), *call = bpf_map_lookup_elem(&calls, &nr);

	return call ? *call : CALL_NONE;
}

/* A program of another word size: its numbers are others, and are not told here, but that they were is. */
static __always_inline bool is_compat(void)
{
#if defined(__TARGET_ARCH_x86)
	struct task_struct *t = task_here();

	return TASK_READ(t, thread_info.status, thread_info.status) & TS_COMPAT_BIT;
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

/* i386: what would have made a record, or ended one */
static __always_inline bool compat_matters(u32 nr)
{
	switch (nr) {
	case 5:   /* open */
	case 8:   /* creat */
	case 9:   /* link */
	case 10:  /* unlink */
	case 15:  /* chmod */
	case 16:  /* lchown */
	case 21:  /* mount */
	case 38:  /* rename */
	case 39:  /* mkdir */
	case 40:  /* rmdir */
	case 83:  /* symlink */
	case 92:  /* truncate */
	case 182: /* chown */
	case 193: /* truncate64 */
	case 198: /* lchown32 */
	case 212: /* chown32 */
	case 295: /* openat */
	case 296: /* mkdirat */
	case 301: /* unlinkat */
	case 302: /* renameat */
	case 303: /* linkat */
	case 304: /* symlinkat */
	case 353: /* renameat2 */
	case 437: /* openat2 */
		return true;
	}
	return false;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit_any, struct pt_regs *regs, long ret)
{
	if (is_compat()) {
		if (ret >= 0 && compat_matters(NUMBER(regs)) && event_wanted())
			lose(CAUSE_COMPAT);
		return 0;
	}
	bpf_tail_call(ctx, &on_leave, NUMBER(regs));
	return 0;
}

/* --- descriptors --- */

/*
 * A descriptor goes away. Whether it is the last one of its file, the count of references tells; where it is not, the
 * entry goes on, also when the process that opened the file is gone. Global: looked at by the verifier once.
 */
__noinline int descriptor_gone(u64 file_at)
{
	struct fold *f = bpf_map_lookup_elem(&files, &file_at);

	if (!f)
		return 0;
	if (file_is_last((struct file *)file_at))
		return fold_end(f, file_at, 0);
	/* A map keeps the file, for as long as it likes: what is known until now is told. */
	if (f->e.flags & RF_MMAP_WRITE)
		return fold_tell(file_at, RF_HELD_OPEN);
	return 0;
}

/*
 * 64 descriptors, of which `mask` says which go away. `table` is the kernel's address of the first one's file; tables
 * have whole words of them.
 */
__noinline int descriptors_gone(u64 table, u64 mask)
{
	bool fresh = false;
	struct scratch *s = scratch_claim(&fresh);
	u32 i;

	if (!s)
		return 0;
	if (CASTS || !bpf_probe_read_kernel(s->fds, sizeof(s->fds), (void *)table)) {
		for (i = 0; i < FD_WORD; i++) {
			u64 key;

			if (!(mask >> i & 1))
				continue;
			key = CASTS ? word_at((u64 *)table + i) : s->fds[i];
			if (key && file_counts((struct file *)key) && bpf_map_lookup_elem(&files, &key))
				descriptor_gone(key);
		}
	}
	if (fresh)
		s->owner = 0;
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_close, struct pt_regs *regs, long id)
{
	struct file *file = file_of((s32)ARG1(regs));

	if (file && file_counts(file))
		descriptor_gone((u64)file);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_dup, struct pt_regs *regs, long id)
{
	s32 old = ARG1(regs), new = ARG2(regs);
	struct file *file;

	if (old == new || !file_of(old))
		return 0;
	file = file_of(new);
	if (file)
		descriptor_gone((u64)file);
	return 0;
}

/*
 * Does this task alone have its table of descriptors? Then what it closes in one go is closed. Tables are walked up to
 * FD_WORDS words; what lies behind is found by a sweep.
 */
static __always_inline bool has_own_files(struct task_struct *t)
{
	return READ(t, files) && READ(t, files, count.counter) == 1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_close_range, struct pt_regs *regs, long id)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	u32 first = ARG1(regs), last = ARG2(regs), max, i;
	unsigned long *open;
	u64 table;

	/* CLOSE_RANGE_CLOEXEC closes nothing now. */
	if (ARG3(regs) & 4 || first > last)
		return 0;
	table = (u64)BPF_CORE_READ(t, files, fdt, fd);
	max = READ(t, files, fdt, max_fds);
	open = BPF_CORE_READ(t, files, fdt, open_fds);
	for (i = 0; i < FD_WORDS; i++) {
		u32 from = i * FD_WORD;
		u64 mask = ~0ull;

		if (from >= max || from > last)
			break;
		if (first >= from + FD_WORD)
			continue;
		if (first > from)
			mask <<= first - from;
		if (last - from < FD_WORD - 1)
			mask &= (2ull << (last - from)) - 1;
		mask &= word_at(open + i);
		if (mask)
			descriptors_gone(table + from * sizeof(u64), mask);
	}
	return 0;
}

/* exec closes what is marked so, right behind this tracepoint, from which it does not return. Since 6.10. */
SEC("tp_btf/sched_prepare_exec")
int BPF_PROG(on_prepare_exec, struct task_struct *t)
{
	unsigned long *marks = BPF_CORE_READ(t, files, fdt, close_on_exec), *open;
	u64 table = (u64)BPF_CORE_READ(t, files, fdt, fd);
	u32 max = READ(t, files, fdt, max_fds), i;
	u64 word;

	if (!has_own_files(t))
		return 0;
	open = BPF_CORE_READ(t, files, fdt, open_fds);
	for (i = 0; i < FD_WORDS; i++) {
		u32 from = i * FD_WORD;

		if (from >= max)
			break;
		/* marks of those that are closed already stay */
		word = word_at(marks + i) & word_at(open + i);
		if (word)
			descriptors_gone(table + from * sizeof(u64), word);
	}
	return 0;
}

/* Files are closed behind this tracepoint: they are still here. */
SEC("tp_btf/sched_process_exit")
int EVENT_PROG(on_exit, struct task_struct *t)
{
	unsigned long *open;
	u64 table, word;
	u32 max, i;

	if (has_own_files(t)) {
		table = (u64)BPF_CORE_READ(t, files, fdt, fd);
		max = READ(t, files, fdt, max_fds);
		open = BPF_CORE_READ(t, files, fdt, open_fds);
		for (i = 0; i < FD_WORDS; i++) {
			u32 from = i * FD_WORD;

			if (from >= max)
				break;
			word = word_at(open + i);
			if (word)
				descriptors_gone(table + from * sizeof(u64), word);
		}
	}
	exit_tell(ctx, t);
	return 0;
}

/* --- open files --- */

static __always_inline int open_call_refused(struct pt_regs *regs)
{
	switch (call_of(regs)) {
	case CALL_OPEN:
	case CALL_CREAT:
		return open_refused(AT_FDCWD_NUMBER, ARG1(regs), 0);
	case CALL_OPENAT:
	case CALL_OPENAT2:
		return open_refused((s32)ARG1(regs), ARG2(regs), 0);
	}
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(leave_open, struct pt_regs *regs, long ret)
{
	u32 asked = 0;
	struct file *file;

	if (ret == -EACCES_NUMBER)
		return open_call_refused(regs);
	if (ret < 0)
		return 0;
	file = file_of(ret);
	if (!file || !file_counts(file))
		return 0;
	/* The kernel does not keep all flags that were asked for. */
	switch (call_of(regs)) {
	case CALL_OPEN:
		asked = ARG2(regs);
		break;
	case CALL_OPENAT:
	case CALL_OPEN_HANDLE:
		asked = ARG3(regs);
		break;
	case CALL_CREAT:
		asked = O_TRUNC_BIT;
		break;
	case CALL_OPENAT2:
		bpf_probe_read_user(&asked, sizeof(asked), (void *)ARG3(regs));
		break;
	}
	fold_begin((u64)file, asked, 0, 0);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(leave_read, struct pt_regs *regs, long ret)
{
	struct file *file;

	if (ret <= 0)
		return 0;
	file = file_of((s32)ARG1(regs));
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
	file = file_of((s32)ARG1(regs));
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
	struct fold *f = NULL;

	if (ret <= 0)
		return 0;
	if (call == CALL_SENDFILE) {
		out = file_of((s32)ARG1(regs));
		in = file_of((s32)ARG2(regs));
	} else {
		in = file_of((s32)ARG1(regs));
		out = file_of((s32)ARG3(regs));
	}
	if (in)
		file_moved(in, ret, 0, RF_READ | RF_SPLICE);
	if (out)
		f = file_moved(out, 0, ret, RF_WROTE | RF_SPLICE);
	if (!in || !out)
		return 0;
	if (call == CALL_COPY_RANGE)
		file_copied(in, out, f, ret, REASON_COPY_FILE_RANGE);
	else if (call == CALL_SENDFILE && f)
		file_copied(in, out, f, ret, REASON_SENDFILE);
	else
		file_spliced(in, out, f, ret);
	return 0;
}

/* Reflinks: the file takes another's extents. FICLONE has the source as its argument, the range begins with it. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_ioctl, struct pt_regs *regs, long ret)
{
	u32 what = ARG2(regs);
	unsigned long argument;
	struct file *file, *in;
	struct fold *f = NULL;
	s64 source = -1;

	if (ret || (what != FICLONE_NUMBER && what != FICLONERANGE_NUMBER))
		return 0;
	argument = ARG3(regs);
	if (what == FICLONE_NUMBER)
		source = (s32)argument;
	else
		bpf_probe_read_user(&source, sizeof(source), (void *)argument);
	file = file_of((s32)ARG1(regs));
	if (file)
		f = file_moved(file, 0, 0, RF_WROTE | RF_CLONE | RF_GUESSED);
	in = file_of(source);
	if (in)
		file_moved(in, 0, 0, RF_READ | RF_CLONE);
	if (file && in)
		file_copied(in, file, f, READ(in, f_inode, i_size), REASON_REFLINK);
	return 0;
}

/*
 * A shared map of a file that is open for writing. mprotect could make a map that is only for reading one for writing,
 * so it is the file's mode that counts, not the map's.
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_mmap, struct pt_regs *regs, long ret)
{
	unsigned long flags = ARG4(regs);
	struct file *file;

	if ((ret < 0 && ret > -4096) || !(flags & MAP_SHARED_BIT) || flags & MAP_ANONYMOUS_BIT)
		return 0;
	file = file_of((s32)ARG5(regs));
	if (file && READ(file, f_mode) & FMODE_WRITE_BIT)
		file_moved(file, 0, 0, RF_MMAP_WRITE);
	return 0;
}

/* ftruncate, fallocate */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_cut, struct pt_regs *regs, long ret)
{
	struct file *file;

	if (ret)
		return 0;
	file = file_of((s32)ARG1(regs));
	if (file)
		file_moved(file, 0, 0, call_of(regs) == CALL_FTRUNCATE ? RF_TRUNCATED : RF_WROTE | RF_GUESSED);
	return 0;
}

/* --- names --- */

/* Is what text `which` names worth a record of a change? */
static __always_inline bool text_wanted(struct scratch *s, u32 which)
{
	return level_of_text(s, which) >= LEVEL_CHANGES || text_is_tricky(which);
}

/*
 * The object that text `which` names now, where it lies in s->folder itself: the newest entries of a folder come first
 * among those that the kernel has in memory. Its address goes to s->found. Global: looked at by the verifier once.
 */
__noinline int child_find(u32 which)
{
	struct scratch *s = scratch_here();
	u64 dir, at, sibling, off;
	struct name_at n;
	u32 i, j, from, len;

	if (!s)
		return 0;
	s->found = 0;
	dir = (u64)s->folder.dentry;
	which = below(which, TEXTS);
	from = s->text[which].folder;
	from = from ? from + 2 : 1;
	len = s->text[which].len - from;
	if (!dir || len > CHILD_NAME_MAX || !len)
		return 0;
	if (bpf_core_field_exists(((struct dentry___hlist *)0)->d_children)) {
		at = (u64)READ((struct dentry___hlist *)dir, d_children.first);
		off = bpf_core_field_offset(struct dentry___hlist, d_sib);
		sibling = off + bpf_core_field_offset(struct hlist_node, next);
	} else {
		at = (u64)READ((struct dentry___list *)dir, d_subdirs.next);
		off = bpf_core_field_offset(struct dentry___list, d_child);
		sibling = off + bpf_core_field_offset(struct list_head, next);
	}
	__builtin_memset(s->name, 0, sizeof(s->name));
	bpf_probe_read_kernel(s->name, below(len, 64), &s->text[which].b[below(from, EVENT_PATH_MAX)]);
#pragma unroll
	for (i = 0; i < CHILDREN_MAX; i++) {
		u64 other = 0;

		at -= off;
		if (name_read(&n, at) || n.parent != dir)
			return 0;
		if (name_len(&n) == len && n.inode) {
			__builtin_memset(s->other, 0, sizeof(s->other));
			bpf_probe_read_kernel(s->other, below(len, 64), (void *)n.name);
#pragma unroll
			for (j = 0; j < CHILD_NAME_MAX / 8 + 1; j++)
				other |= s->name[j] ^ s->other[j];
			if (!other) {
				s->found = at;
				return 0;
			}
		}
		if (bpf_probe_read_kernel(&at, sizeof(at), (void *)(at + sibling)))
			return 0;
	}
	return 0;
}

/*
 * dev, inode and type of file system of what text `which` names; of what is not found in a known folder (or, with
 * `gone`, is not there any more), what is the folder's too.
 */
static __always_inline void event_child(struct event *e, u32 which, bool gone)
{
	struct scratch *s = (struct scratch *)e;
	struct dir *d;

	if (!s->folder.dentry)
		return;
	s->found = 0;
	if (!gone)
		child_find(which);
	if (s->found) {
		event_dentry(e, (struct dentry *)s->found);
		return;
	}
	d = dir_of(s, (u64)s->folder.dentry, (u64)s->folder.mnt);
	if (!d)
		return;
	e->has |= EH_OBJECT;
	e->dev = d->dev;
	e->fs_magic = d->magic;
	__builtin_memcpy(s->fs, d->fs, sizeof(s->fs));
	s->fs_len = d->fs_len;
}

/* Calls with one name. Which argument is what: (dfd, name) or (name), and a number behind it. */
SEC("tp_btf/sys_exit")
int EVENT_PROG(leave_name, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs), kind;
	s32 dfd = AT_FDCWD_NUMBER;
	unsigned long name, a, b;
	struct scratch *s;
	struct event *e;
	bool at = call & CALL_AT;

	if (ret)
		return call_refused(regs, call, ret);
	if (!event_wanted())
		return 0;
	if (at) {
		dfd = ARG1(regs);
		name = ARG2(regs);
		a = ARG3(regs);
		b = ARG4(regs);
	} else {
		name = ARG1(regs);
		a = ARG2(regs);
		b = ARG3(regs);
	}
	kind = call & CALL_KIND;
	/* unlinkat with AT_REMOVEDIR */
	if (kind == KIND_UNLINK && at && a & AT_REMOVEDIR_BIT)
		kind = KIND_RMDIR;
	if (!kind_wanted(kind))
		return 0;
	e = event_new(kind);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	text_user(s, EVENT_PATH, dfd, (const char *)name);
	if (kind == KIND_RMDIR)
		names_changed();
	/*
	 * A link, wherever it lies, may lead to a file of which a look is awaited (agent/recorder/copies.c): of what
	 * was cut the recorder hears in any case, and leaves out what the filter does.
	 */
	if (kind != KIND_TRUNCATE && !text_wanted(s, EVENT_PATH))
		return 0;
	e->has |= EH_RELATIVE;
	event_child(e, EVENT_PATH, kind == KIND_UNLINK || kind == KIND_RMDIR);
	e->has &= ~EH_SIZE;
	/* of a symbolic link it is not the link that was cut */
	if (kind == KIND_TRUNCATE && e->inode && !dentry_is_file((struct dentry *)s->found))
		e->inode = 0;
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
int EVENT_PROG(leave_descriptor, struct pt_regs *regs, long ret)
{
	u32 kind = call_of(regs) & CALL_KIND;
	struct file *file;
	struct event *e;

	if (ret)
		return call_refused(regs, call_of(regs), ret);
	if (!event_wanted())
		return 0;
	file = file_of((s32)ARG1(regs));
	if (!file || magic_skipped(READ(file, f_inode, i_sb, s_magic)))
		return 0;
	e = event_new(kind);
	if (!e)
		return 0;
	event_path(e, EVENT_PATH, READ(file, f_path.dentry), READ(file, f_path.mnt));
	if (level_of_text((struct scratch *)e, EVENT_PATH) < LEVEL_CHANGES)
		return 0;
	event_dentry(e, READ(file, f_path.dentry));
	if (kind == KIND_CHMOD) {
		e->mode = ARG2(regs) & 07777;
		e->has |= EH_MODE;
	} else {
		e->new_uid = ARG2(regs);
		e->new_gid = ARG3(regs);
		e->has |= EH_OWNER;
	}
	event_send(ctx, e);
	return 0;
}

/* Calls with two names: rename, link, symlink, in their forms with and without descriptors. */
SEC("tp_btf/sys_exit")
int EVENT_PROG(leave_names, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs), kind = call & CALL_KIND;
	s32 dfd = AT_FDCWD_NUMBER, dfd2 = AT_FDCWD_NUMBER;
	unsigned long name, name2, flags = 0;
	struct scratch *s;
	struct event *e;

	if (ret)
		return call_refused(regs, call, ret);
	if (!event_wanted())
		return 0;
	if (kind == KIND_SYMLINK) {
		/* (target, name) or (target, dfd, name); the target is a text, not a place */
		name2 = ARG1(regs);
		if (call & CALL_AT) {
			dfd = ARG2(regs);
			name = ARG3(regs);
		} else {
			name = ARG2(regs);
		}
	} else if (call & CALL_AT) {
		dfd = ARG1(regs);
		name = ARG2(regs);
		dfd2 = ARG3(regs);
		name2 = ARG4(regs);
		flags = ARG5(regs);
	} else {
		name = ARG1(regs);
		name2 = ARG2(regs);
	}
	e = event_new(kind);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	text_user(s, EVENT_PATH, dfd, (const char *)name);
	e->has |= EH_RELATIVE;
	if (kind == KIND_SYMLINK) {
		long n = bpf_probe_read_user_str(s->text[EVENT_PATH2].b, EVENT_PATH_MAX, (const char *)name2);

		s->text[EVENT_PATH2].len = n > 1 ? n - 1 : 0;
		if (!text_wanted(s, EVENT_PATH))
			return 0;
		event_child(e, EVENT_PATH, false);
	} else {
		text_user(s, EVENT_PATH2, dfd2, (const char *)name2);
		e->has |= EH_RELATIVE2;
		event_child(e, EVENT_PATH2, false);
		/* the place of a folder: all paths below it are others now */
		if (kind == KIND_RENAME &&
			(!s->folder.dentry || !s->found || dentry_is_folder((struct dentry *)s->found)))
			names_changed();
		if (!text_wanted(s, EVENT_PATH) && !text_wanted(s, EVENT_PATH2))
			return 0;
		if (kind == KIND_RENAME && call & CALL_FLAGS && flags & RENAME_EXCHANGE_BIT) {
			e->flags |= RF_EXCHANGE;
			names_changed();
		}
	}
	e->has &= ~EH_SIZE;
	event_send(ctx, e);
	return 0;
}

/* Attributes, access lists among them: that they were changed is not told, that it was refused is. */
SEC("tp_btf/sys_exit")
int BPF_PROG(leave_attribute, struct pt_regs *regs, long ret)
{
	return call_refused(regs, call_of(regs), ret);
}

/* --- mounts --- */

/* The mount that was made last in this namespace: numbers rise, and lists are added to at their end. */
static __always_inline struct mount *mount_newest(void)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct mnt_namespace *ns = READ(t, nsproxy, mnt_ns);
	u32 i;

	if (bpf_core_field_exists(((struct mnt_namespace___tree *)0)->mounts)) {
		struct rb_node *n = READ((struct mnt_namespace___tree *)ns, mounts.rb_node), *right;

		for (i = 0; i < MOUNT_DEPTH_MAX; i++) {
			right = READ(n, rb_right);
			if (!right)
				break;
			n = right;
		}
		return (struct mount *)((char *)n - bpf_core_field_offset(struct mount___tree, mnt_node));
	}
	if (bpf_core_field_exists(((struct mnt_namespace___list *)0)->list))
		return (struct mount *)((char *)READ((struct mnt_namespace___list *)ns, list.prev) -
					bpf_core_field_offset(struct mount___list, mnt_list));
	return NULL;
}

/* Path, device and type of a mount that is in its place. */
static __always_inline void event_mount(struct event *e, struct mount *m)
{
	struct vfsmount *mnt = (struct vfsmount *)((char *)m + bpf_core_field_offset(struct mount, mnt));
	struct dentry *root = READ(mnt, mnt_root);

	if (!root)
		return;
	e->has &= ~EH_RELATIVE;
	event_path(e, EVENT_PATH, root, mnt);
	event_dentry(e, root);
	e->has &= ~EH_SIZE;
}

SEC("tp_btf/sys_exit")
int EVENT_PROG(leave_mount, struct pt_regs *regs, long ret)
{
	u32 call = call_of(regs);
	unsigned long flags = ARG4(regs);
	struct scratch *s;
	struct event *e;
	long n;

	if (ret)
		return 0;
	names_changed();
	if (call == CALL_PIVOT || !event_wanted() || (call == CALL_MOUNT && flags & MOUNT_NO_NEW))
		return 0;
	e = event_new(call == CALL_UMOUNT ? KIND_UMOUNT : KIND_MOUNT);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	e->has |= EH_RELATIVE;
	if (call == CALL_MOUNT) {
		n = bpf_probe_read_user_str(s->fs, sizeof(s->fs), (const char *)ARG3(regs));
		s->fs_len = n > 1 ? n - 1 : 0;
		/* A mount that was moved, and one with all that lies below it, are not the newest. */
		if (flags & (MS_MOVE_BIT | MS_REC_BIT))
			text_user(s, EVENT_PATH, AT_FDCWD_NUMBER, (const char *)ARG2(regs));
		else
			event_mount(e, mount_newest());
		n = bpf_probe_read_user_str(s->text[EVENT_PATH2].b, EVENT_PATH_MAX, (const char *)ARG1(regs));
		s->text[EVENT_PATH2].len = n > 1 ? n - 1 : 0;
	} else if (call == CALL_UMOUNT) {
		text_user(s, EVENT_PATH, AT_FDCWD_NUMBER, (const char *)ARG1(regs));
	} else {
		/* move_mount(from, name, to, name, flags): the new interface's last step */
		struct file *from = ARG5(regs) & MOVE_MOUNT_F_EMPTY_PATH_BIT ? file_of((s32)ARG1(regs)) : NULL;

		if (from)
			event_mount(e, real_mount(READ(from, f_path.mnt)));
		else
			text_user(s, EVENT_PATH, (s32)ARG3(regs), (const char *)ARG4(regs));
	}
	event_send(ctx, e);
	return 0;
}

/* --- io_uring --- */

#define URING_READV 1
#define URING_WRITEV 2
#define URING_READ_FIXED 4
#define URING_WRITE_FIXED 5
#define URING_FALLOCATE 17
#define URING_OPENAT 18
#define URING_CLOSE 19
#define URING_READ 22
#define URING_WRITE 23
#define URING_OPENAT2 28
#define URING_SPLICE 30
#define URING_RENAMEAT 35
#define URING_UNLINKAT 36
#define URING_MKDIRAT 37
#define URING_SYMLINKAT 38
#define URING_LINKAT 39
#define URING_READ_MULTISHOT 49
#define URING_FTRUNCATE 55

/* Requests for a change of names that are under way: when one is done, its names are gone from the kernel's memory. */
#define HELD_MAX 8192 /* a power of two */
#define HELD_REQUESTS_MAX 64

struct held {
	char b[HELD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HELD_REQUESTS_MAX);
	__type(key, u64);
	__type(value, struct held);
} held SEC(".maps");

static __always_inline void uring_hold(struct io_kiocb *request)
{
	u32 n = event_pack();
	struct scratch *s = scratch_here();
	struct parcel *p = s ? parcel_of(s) : NULL;
	u64 key = (u64)request;

	if (!p || !n)
		return;
	if (n > HELD_MAX || bpf_map_update_elem(&held, &key, p->b, BPF_ANY))
		lose(CAUSE_TABLE_FULL);
}

static __always_inline int uring_names(struct io_kiocb *request, u8 opcode)
{
	struct io_unlink *u = (struct io_unlink *)request;
	struct io_mkdir *m = (struct io_mkdir *)request;
	struct io_link *l = (struct io_link *)request;
	struct io_rename *r = (struct io_rename *)request;
	struct scratch *s;
	struct event *e;
	u32 kind;

	if (!event_wanted())
		return 0;
	kind = opcode == URING_RENAMEAT            ? KIND_RENAME
	       : opcode == URING_MKDIRAT           ? KIND_MKDIR
	       : opcode == URING_SYMLINKAT         ? KIND_SYMLINK
	       : opcode == URING_LINKAT            ? KIND_LINK
	       : READ(u, flags) & AT_REMOVEDIR_BIT ? KIND_RMDIR
						   : KIND_UNLINK;
	if (!kind_wanted(kind))
		return 0;
	e = event_new(kind);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	e->flags |= RF_IO_URING;
	e->has |= EH_RELATIVE;
	if (opcode == URING_UNLINKAT) {
		text_named(s, EVENT_PATH, READ(u, dfd), READ(u, filename, name), true);
	} else if (opcode == URING_MKDIRAT) {
		text_named(s, EVENT_PATH, READ(m, dfd), READ(m, filename, name), true);
	} else if (opcode == URING_SYMLINKAT) {
		text_named(s, EVENT_PATH, READ(l, new_dfd), READ(l, newpath, name), true);
		event_string(e, EVENT_PATH2, READ(l, oldpath, name));
	} else if (opcode == URING_LINKAT) {
		text_named(s, EVENT_PATH, READ(l, old_dfd), READ(l, oldpath, name), true);
		text_named(s, EVENT_PATH2, READ(l, new_dfd), READ(l, newpath, name), true);
		e->has |= EH_RELATIVE2;
	} else {
		text_named(s, EVENT_PATH, READ(r, old_dfd), READ(r, oldpath, name), true);
		text_named(s, EVENT_PATH2, READ(r, new_dfd), READ(r, newpath, name), true);
		e->has |= EH_RELATIVE2;
		if (READ(r, flags) & RENAME_EXCHANGE_BIT)
			e->flags |= RF_EXCHANGE;
	}
	if (!text_wanted(s, EVENT_PATH) && !(e->has & EH_RELATIVE2 && text_wanted(s, EVENT_PATH2)))
		return 0;
	event_child(e, e->has & EH_RELATIVE2 ? EVENT_PATH2 : EVENT_PATH, true);
	uring_hold(request);
	return 0;
}

/* Before the request runs, when the file that it closes, and the names that it uses, are still there. */
static __always_inline int uring_begun(struct io_kiocb *request)
{
	u8 opcode = READ(request, opcode);
	struct file *file;

	if (opcode >= URING_RENAMEAT && opcode <= URING_LINKAT)
		return uring_names(request, opcode);
	if (opcode != URING_CLOSE)
		return 0;
	file = file_of(READ((struct io_close *)request, fd));
	if (file)
		descriptor_gone((u64)file);
	return 0;
}

/* Since 6.4; before, under another name. The loader picks by the kernel's BTF. */
SEC("tp_btf/io_uring_submit_req")
int EVENT_PROG(uring_submit_req, struct io_kiocb *request)
{
	return uring_begun(request);
}

SEC("tp_btf/io_uring_submit_sqe")
int EVENT_PROG(uring_submit_sqe, struct io_kiocb *request)
{
	return uring_begun(request);
}

/*
 * Before 5.19 neither what a request works on nor how it ended is told together: what would have made a record is
 * counted. The code of the operation was the second argument, then the third.
 */
static __always_inline int uring_unknown(u64 opcode)
{
	bool matters = opcode == URING_OPENAT || opcode == URING_OPENAT2 || opcode == URING_WRITE ||
		       opcode == URING_WRITEV || opcode == URING_WRITE_FIXED ||
		       (opcode >= URING_RENAMEAT && opcode <= URING_LINKAT);

	if (matters && event_wanted())
		lose(CAUSE_READ_FAILED);
	return 0;
}

SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(uring_submit_second, void *ring_ctx, u64 opcode)
{
	return uring_unknown(opcode & 255);
}

SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(uring_submit_third, void *ring_ctx, void *request, u64 opcode)
{
	return uring_unknown(opcode & 255);
}

/* A file that was opened into a ring's own table has no descriptor: it is met here first. */
static __always_inline void uring_moved(struct io_kiocb *request, u64 nread, u64 nwritten, u32 flags)
{
	struct file *file = READ(request, file);
	u64 key = (u64)file;

	if (!file)
		return;
	if (!bpf_map_lookup_elem(&files, &key))
		fold_begin(address_of(file), 0, 0, 0);
	file_moved(file, nread, nwritten, flags | RF_IO_URING);
}

static __always_inline void uring_named(struct io_kiocb *request, s32 res)
{
	struct probe_control *c = control_here();
	u64 key = (u64)request;
	struct held *h = bpf_map_lookup_elem(&held, &key);
	struct event *e;

	if (res == 0)
		names_changed();
	if (!h || !c)
		return;
	e = (struct event *)h->b;
	if (res == 0) {
		e->boot_ns = bpf_ktime_get_boot_ns();
		ring_put(c, h->b, below(e->size, HELD_MAX));
	}
	bpf_map_delete_elem(&held, &key);
}

static __always_inline void uring_done(void *ctx, struct io_kiocb *request, s32 res)
{
	struct file *file;
	u8 opcode;

	if (!request)
		return;
	opcode = READ(request, opcode);
	if (opcode >= URING_RENAMEAT && opcode <= URING_LINKAT) {
		uring_named(request, res);
		return;
	}
	if (res < 0)
		return;
	switch (opcode) {
	case URING_READV:
	case URING_READ:
	case URING_READ_FIXED:
	case URING_READ_MULTISHOT:
		if (res)
			uring_moved(request, res, 0, RF_READ);
		break;
	case URING_WRITEV:
	case URING_WRITE:
	case URING_WRITE_FIXED:
		if (res)
			uring_moved(request, 0, res, RF_WROTE);
		break;
	case URING_SPLICE:
		/* its file is the one that is written to */
		if (res)
			uring_moved(request, 0, res, RF_WROTE | RF_SPLICE);
		break;
	case URING_FALLOCATE:
		uring_moved(request, 0, 0, RF_WROTE | RF_GUESSED);
		break;
	case URING_FTRUNCATE:
		uring_moved(request, 0, 0, RF_TRUNCATED);
		break;
	case URING_OPENAT:
	case URING_OPENAT2:
		file = file_of(res);
		if (file)
			fold_begin((u64)file, 0, RF_IO_URING, 0);
		break;
	}
}

/* Since 6.10 or so the result comes in the completion entry; before, as a number. The loader picks by the kernel's BTF.
 */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(uring_complete_entry, void *ring_ctx, struct io_kiocb *request, struct io_uring_cqe___kernel *cqe)
{
	uring_done(ctx, request, READ(cqe, res));
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(uring_complete_number, void *ring_ctx, struct io_kiocb *request, u64 user_data, int res)
{
	uring_done(ctx, request, res);
	return 0;
}
