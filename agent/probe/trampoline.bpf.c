/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The fuller set of kernel programs: fentry and fexit of functions that every way to a file passes, on kernels whose
 * BPF trampolines work. What it tells and how it is folded is in common.bpf.h, the same as for tracepoints; only where
 * it looks is here. Loaded by probe.c, which falls back to tracepoint.bpf.c where these do not load or do not fire.
 *
 * A program here sees what has happened (results by fexit), with the kernel's own objects instead of what the caller
 * wrote, but for what was refused: only for that are names read from user memory. It must never change a result: what
 * decides is not here.
 *
 * Functions are those that 5.10, 6.1 and 6.12 have under one name; where their arguments differ, it is by the identity
 * map that 5.12 put first, and `shift` says whether it is there.
 */
#define FILES_TYPED
#include "agent/probe/common.bpf.h"
#include "agent/probe/refused.bpf.h"

#define MAY_WRITE 2u
#define MAY_READ 4u
#define VM_SHARED_BIT 8ul
#define MAP_SHARED_BIT 1ul
#define PROT_WRITE_BIT 2ul
#define MS_REMOUNT_BIT 32ul
#define MS_MOVE_BIT 8192ul
#define MS_PROPAGATION_BITS (1ul << 17 | 1ul << 18 | 1ul << 19 | 1ul << 20)
#define ERRORS 4095ul

/* Where vfs_* functions begin with a user namespace or an identity map, their arguments are one further. */
struct vfsmount___ns {
	void *mnt_userns;
} __attribute__((preserve_access_index));
struct vfsmount___idmap {
	void *mnt_idmap;
} __attribute__((preserve_access_index));

static __always_inline bool shifted(void)
{
	return bpf_core_field_exists(((struct vfsmount___ns *)0)->mnt_userns) ||
	       bpf_core_field_exists(((struct vfsmount___idmap *)0)->mnt_idmap);
}

/* The verifier allows constant offsets only, and a compiler that joins the two branches below would compute one. */
#define SLOT(i)                                                                             \
	({                                                                                  \
		u64 slot;                                                                   \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(slot) : "r"(ctx), "i"((i)*8)); \
		slot;                                                                       \
	})
/* Argument `i` of 5.10's, and the result of a function that had `n` arguments there. */
#define ARG(i) (shifted() ? SLOT((i) + 1) : SLOT(i))
#define RESULT(n) ARG(n)

/* int or pointer: did it fail? The upper half of a register that holds an int is not defined. */
static __always_inline bool failed(u64 r)
{
	return r >= -ERRORS || ((r >> 32) == 0 && (s32)r < 0);
}

/*
 * Between the hook that knows the mount and the one that knows the result lies the work itself, in the same task. What
 * the second needs of the first waits here.
 */
struct pending {
	struct vfsmount *mnt, *mnt2;
	struct dentry *dentry; /* to tell the call that the user made from those that a stacked file system makes */
	u32 flags;
	u32 room; /* its string is in `rooms` */
	struct object object;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct pending);
} waiting SEC(".maps");

/* A path that will be gone by then: the old name of a rename, the place of a mount. */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, u64);
	__type(value, struct text);
} rooms SEC(".maps");

/* Tasks inside copy_file_range, which some kernels do by splicing: its bytes are counted once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u8);
} copying SEC(".maps");

static __always_inline u64 self(void)
{
	return bpf_get_current_pid_tgid();
}

static __always_inline void forget(u64 me)
{
	bpf_map_delete_elem(&waiting, &me);
	bpf_map_delete_elem(&rooms, &me);
}

/* --- open files --- */

SEC("fexit/security_file_open")
int BPF_PROG(tr_file_open, struct file *file, int ret)
{
	if (ret == 0)
		file_opened(ctx, file);
	return 0;
}

/* Permissions are asked before there is an open file; the name that the caller wrote is the kernel's copy by now. */
SEC("fexit/do_filp_open")
int BPF_PROG(tr_open_refused, int dfd, struct filename *name, const void *how, struct file *ret)
{
	return (long)ret == -EACCES_NUMBER ? open_refused(dfd, (u64)name->name, 1) : 0;
}

/* The last close, and an open that failed further on: while the path is still held. */
SEC("fentry/__fput")
int BPF_PROG(tr_fput, struct file *file)
{
	file_closed(ctx, file);
	return 0;
}

SEC("fexit/vfs_read")
int BPF_PROG(tr_vfs_read, struct file *file, char *to, u64 n, loff_t *at, ssize_t ret)
{
	if (ret > 0)
		file_moved(file, ret, 0, RF_READ);
	return 0;
}

SEC("fexit/vfs_write")
int BPF_PROG(tr_vfs_write, struct file *file, const char *from, u64 n, loff_t *at, ssize_t ret)
{
	if (ret > 0)
		file_moved(file, 0, ret, RF_WROTE);
	return 0;
}

SEC("fexit/vfs_readv")
int BPF_PROG(tr_vfs_readv, struct file *file, const void *to, unsigned long n, loff_t *at, int flags, ssize_t ret)
{
	if (ret > 0)
		file_moved(file, ret, 0, RF_READ);
	return 0;
}

SEC("fexit/vfs_writev")
int BPF_PROG(tr_vfs_writev, struct file *file, const void *from, unsigned long n, loff_t *at, int flags, ssize_t ret)
{
	if (ret > 0)
		file_moved(file, 0, ret, RF_WROTE);
	return 0;
}

/* Every way passes here, also those that nobody counts (asynchronous I/O, a network server in the kernel): without a
 * count. */
SEC("fexit/security_file_permission")
int BPF_PROG(tr_file_permission, struct file *file, int mask, int ret)
{
	if (ret == 0 && (mask & (MAY_READ | MAY_WRITE)))
		file_allowed(file, mask & MAY_READ, mask & MAY_WRITE);
	return 0;
}

SEC("fexit/do_splice_direct")
int BPF_PROG(tr_splice_direct, struct file *in, loff_t *in_at, struct file *out, loff_t *out_at, u64 n,
	unsigned int flags, long ret)
{
	u64 me = self();

	if (ret <= 0 || bpf_map_lookup_elem(&copying, &me))
		return 0;
	file_moved(in, ret, 0, RF_READ | RF_SPLICE);
	file_copied(in, out, file_moved(out, 0, ret, RF_WROTE | RF_SPLICE), ret, REASON_SENDFILE);
	return 0;
}

/* One of the two is a pipe, and no file of ours. */
SEC("fexit/do_splice")
int BPF_PROG(
	tr_splice, struct file *in, void *in_at, struct file *out, void *out_at, u64 n, unsigned int flags, long ret)
{
	if (ret <= 0)
		return 0;
	file_moved(in, ret, 0, RF_READ | RF_SPLICE);
	file_spliced(in, out, file_moved(out, 0, ret, RF_WROTE | RF_SPLICE), ret);
	return 0;
}

SEC("fentry/vfs_copy_file_range")
int BPF_PROG(tr_copy_begin)
{
	u64 me = self();
	u8 one = 1;

	if (bpf_map_update_elem(&copying, &me, &one, BPF_ANY))
		lose(CAUSE_TABLE_FULL);
	return 0;
}

SEC("fexit/vfs_copy_file_range")
int BPF_PROG(tr_copy_end, struct file *in, loff_t in_at, struct file *out, loff_t out_at, u64 n, unsigned int flags,
	ssize_t ret)
{
	u64 me = self();

	bpf_map_delete_elem(&copying, &me);
	if (ret <= 0)
		return 0;
	file_moved(in, ret, 0, RF_READ | RF_SPLICE);
	file_copied(in, out, file_moved(out, 0, ret, RF_WROTE | RF_SPLICE), ret, REASON_COPY_FILE_RANGE);
	return 0;
}

SEC("fexit/vfs_clone_file_range")
int BPF_PROG(tr_clone, struct file *in, loff_t in_at, struct file *out, loff_t out_at, loff_t n, unsigned int flags,
	loff_t ret)
{
	if (ret <= 0)
		return 0;
	file_moved(in, ret, 0, RF_READ | RF_CLONE);
	file_copied(in, out, file_moved(out, 0, ret, RF_WROTE | RF_CLONE), ret, REASON_REFLINK);
	return 0;
}

SEC("fexit/security_mmap_file")
int BPF_PROG(tr_mmap, struct file *file, unsigned long prot, unsigned long flags, int ret)
{
	if (ret == 0 && file && (flags & MAP_SHARED_BIT) && (prot & PROT_WRITE_BIT))
		file_moved(file, 0, 0, RF_MMAP_WRITE);
	return 0;
}

SEC("fexit/security_file_mprotect")
int BPF_PROG(tr_mprotect, struct vm_area_struct *vma, unsigned long asked, unsigned long prot, int ret)
{
	struct file *file;

	if (ret || !(prot & PROT_WRITE_BIT) || !(BPF_CORE_READ(vma, vm_flags) & VM_SHARED_BIT))
		return 0;
	file = vma->vm_file;
	if (file)
		file_moved(file, 0, 0, RF_MMAP_WRITE);
	return 0;
}

SEC("fentry/io_write")
int BPF_PROG(tr_uring_write, struct io_kiocb *request)
{
	file_moved(request->file, 0, 0, RF_IO_URING);
	return 0;
}

SEC("fentry/io_read")
int BPF_PROG(tr_uring_read, struct io_kiocb *request)
{
	file_moved(request->file, 0, 0, RF_IO_URING);
	return 0;
}

/* An open file that is cut: by O_TRUNC, or by ftruncate. */
SEC("fexit/do_truncate")
int tr_cut_open(u64 *ctx)
{
	if (!failed(RESULT(4)) && ARG(3))
		file_moved((struct file *)ARG(3), 0, 0, RF_TRUNCATED);
	return 0;
}

/* --- names --- */

static __always_inline int expect(
	const struct path *dir, struct dentry *dentry, const struct path *dir2, u32 flags, bool with_object)
{
	struct pending p = {.mnt = BPF_CORE_READ(dir, mnt), .dentry = dentry, .flags = flags};
	u64 me = self();

	if (!event_wanted())
		return 0;
	if (dir2)
		p.mnt2 = BPF_CORE_READ(dir2, mnt);
	if (with_object)
		object_of(&p.object, dentry);
	if (bpf_map_update_elem(&waiting, &me, &p, BPF_ANY))
		lose(CAUSE_TABLE_FULL);
	return 0;
}

/* What waits for this task, if it is about `dentry` (0: about whatever) and the work succeeded; else it is forgotten.
 */
static __always_inline struct pending *expected(u64 me, u64 dentry, u64 result)
{
	struct pending *p = bpf_map_lookup_elem(&waiting, &me);

	if (!p || (dentry && (u64)p->dentry != dentry))
		return NULL;
	if (failed(result)) {
		forget(me);
		return NULL;
	}
	return p;
}

/* Is a name of this event below a path that the filter wants to hear of? */
static __always_inline bool name_wanted(struct event *e)
{
	struct scratch *s = (struct scratch *)e;

	if (level_of_text(s, EVENT_PATH) != LEVEL_NONE)
		return true;
	return s->text[EVENT_PATH2].len && e->kind != KIND_SYMLINK && level_of_text(s, EVENT_PATH2) != LEVEL_NONE;
}

static __always_inline void name_send(void *ctx, struct event *e)
{
	if (name_wanted(e))
		event_send(ctx, e);
}

/* An event about one name that is there, or was until now: its dentry still knows where. */
static __always_inline int tell_name(void *ctx, u32 kind, u64 dentry, u64 result)
{
	u64 me = self();
	struct pending *p = expected(me, dentry, result);
	struct event *e;

	if (!p)
		return 0;
	e = event_new(kind);
	if (e) {
		event_path(e, EVENT_PATH, p->dentry, p->mnt);
		if (p->object.inode)
			event_object(e, &p->object);
		else
			event_dentry(e, p->dentry);
		name_send(ctx, e);
	}
	forget(me);
	return 0;
}

static __always_inline void room_take(struct dentry *dentry, struct vfsmount *mnt)
{
	struct event *e;
	u64 me = self();

	if (!event_wanted())
		return;
	e = event_new(0);
	if (!e)
		return;
	event_path(e, EVENT_PATH, dentry, mnt);
	if (bpf_map_update_elem(&rooms, &me, event_text(e), BPF_ANY))
		lose(CAUSE_TABLE_FULL);
}

static __always_inline void room_string(u64 me, struct event *e, u32 which)
{
	struct text *t = bpf_map_lookup_elem(&rooms, &me);

	if (!t)
		return;
	event_string(e, which, t->b);
	e->flags |= t->flags & (RF_PATH_CUT | RF_OWN_NAME);
}

static __always_inline int tell_room(void *ctx, u32 kind, u64 result)
{
	u64 me = self();
	struct pending *p = expected(me, 0, result);
	struct event *e;

	if (!p)
		return 0;
	e = event_new(kind);
	if (e) {
		room_string(me, e, EVENT_PATH);
		event_object(e, &p->object);
		if (kind == KIND_UMOUNT)
			event_send(ctx, e);
		else
			name_send(ctx, e);
	}
	forget(me);
	return 0;
}

SEC("fexit/security_path_mkdir")
int BPF_PROG(tr_may_mkdir, const struct path *dir, struct dentry *dentry, umode_t mode, int ret)
{
	return ret ? 0 : expect(dir, dentry, NULL, 0, false);
}

SEC("fexit/vfs_mkdir")
int EVENT_PROG(tr_mkdir)
{
	return tell_name(ctx, KIND_MKDIR, ARG(1), RESULT(3));
}

/* 5.10 has vfs_rmdir, and does not call it: it is a part of do_rmdir there. */
SEC("fexit/security_path_rmdir")
int EVENT_PROG(tr_may_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	if (ret)
		return 0;
	room_take(dentry, BPF_CORE_READ(dir, mnt));
	return expect(dir, dentry, NULL, 0, true);
}

SEC("fexit/do_rmdir")
int EVENT_PROG(tr_rmdir, int dir, void *name, long ret)
{
	if (ret == 0)
		names_changed();
	return tell_room(ctx, KIND_RMDIR, ret);
}

SEC("fexit/security_path_unlink")
int BPF_PROG(tr_may_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	return ret ? 0 : expect(dir, dentry, NULL, 0, true);
}

SEC("fexit/vfs_unlink")
int EVENT_PROG(tr_unlink)
{
	return tell_name(ctx, KIND_UNLINK, ARG(1), RESULT(3));
}

/* With the place of the new name (path), and what it leads to (path2). */
SEC("fexit/security_path_link")
int BPF_PROG(tr_may_link, struct dentry *old, const struct path *dir, struct dentry *dentry, int ret)
{
	struct pending p = {.mnt = BPF_CORE_READ(dir, mnt), .dentry = dentry};
	u64 me = self();

	if (ret || !event_wanted())
		return 0;
	if (bpf_map_update_elem(&waiting, &me, &p, BPF_ANY))
		lose(CAUSE_TABLE_FULL);
	return 0;
}

SEC("fexit/vfs_link")
int EVENT_PROG(tr_link)
{
	u64 me = self();
	struct pending *p = expected(me, ARG(2), RESULT(4));
	struct event *e;

	if (!p)
		return 0;
	e = event_new(KIND_LINK);
	if (e) {
		/* both names are on one file system, and almost always seen through one mount */
		event_path(e, EVENT_PATH, (struct dentry *)SLOT(0), p->mnt);
		event_path(e, EVENT_PATH2, p->dentry, p->mnt);
		event_dentry(e, p->dentry);
		name_send(ctx, e);
	}
	forget(me);
	return 0;
}

SEC("fexit/security_path_symlink")
int BPF_PROG(tr_may_symlink, const struct path *dir, struct dentry *dentry, const char *target, int ret)
{
	return ret ? 0 : expect(dir, dentry, NULL, 0, false);
}

SEC("fexit/vfs_symlink")
int EVENT_PROG(tr_symlink)
{
	u64 me = self();
	struct pending *p = expected(me, ARG(1), RESULT(3));
	struct event *e;

	if (!p)
		return 0;
	e = event_new(KIND_SYMLINK);
	if (e) {
		event_path(e, EVENT_PATH, p->dentry, p->mnt);
		event_string(e, EVENT_PATH2, (const char *)ARG(2));
		event_dentry(e, p->dentry);
		name_send(ctx, e);
	}
	forget(me);
	return 0;
}

/* The old name is written down before it is gone. */
SEC("fexit/security_path_rename")
int EVENT_PROG(tr_may_rename, const struct path *dir, struct dentry *dentry, const struct path *dir2,
	struct dentry *dentry2, unsigned int flags, int ret)
{
	if (ret)
		return 0;
	room_take(dentry, BPF_CORE_READ(dir, mnt));
	return expect(dir, dentry, dir2, flags, false);
}

SEC("fexit/vfs_rename")
int EVENT_PROG(tr_rename)
{
	u64 me = self(), dentry, result;
	struct pending *p;
	struct event *e;

	/* not by `shifted`: 5.10's later updates took this one argument in */
	if (bpf_core_type_exists(struct renamedata)) {
		dentry = (u64)BPF_CORE_READ((struct renamedata *)SLOT(0), old_dentry);
		result = SLOT(1);
	} else {
		dentry = SLOT(1);
		result = SLOT(6);
	}
	p = expected(me, dentry, result);
	if (!p)
		return 0;
	if (dentry_is_folder(p->dentry) || p->flags & RENAME_EXCHANGE_BIT)
		names_changed();
	e = event_new(KIND_RENAME);
	if (e) {
		room_string(me, e, EVENT_PATH);
		/* what was renamed has its new name by now, whatever became of the name that was there */
		event_path(e, EVENT_PATH2, p->dentry, p->mnt2);
		event_dentry(e, p->dentry);
		if (p->flags & RENAME_EXCHANGE_BIT)
			e->flags |= RF_EXCHANGE;
		name_send(ctx, e);
	}
	forget(me);
	return 0;
}

/* --- what a name leads to --- */

static __always_inline struct event *about(u32 kind, const struct path *path, u64 result)
{
	struct event *e;

	if (failed(result) || !event_wanted())
		return NULL;
	e = event_new(kind);
	if (!e)
		return NULL;
	event_path(e, EVENT_PATH, BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt));
	event_dentry(e, BPF_CORE_READ(path, dentry));
	return e;
}

SEC("fexit/vfs_truncate")
int EVENT_PROG(tr_truncate, const struct path *path, loff_t length, long ret)
{
	struct event *e = about(KIND_TRUNCATE, path, ret);

	if (!e)
		return 0;
	e->file_size = length;
	e->has |= EH_SIZE;
	name_send(ctx, e);
	return 0;
}

SEC("fexit/chmod_common")
int EVENT_PROG(tr_chmod, const struct path *path, umode_t mode, int ret)
{
	struct event *e = about(KIND_CHMOD, path, ret);

	if (!e)
		return 0;
	e->mode = mode & 07777;
	e->has |= EH_MODE;
	name_send(ctx, e);
	return 0;
}

SEC("fexit/chown_common")
int EVENT_PROG(tr_chown, const struct path *path, u32 uid, u32 gid, int ret)
{
	struct event *e = about(KIND_CHOWN, path, ret);

	if (!e)
		return 0;
	e->new_uid = uid;
	e->new_gid = gid;
	e->has |= EH_OWNER;
	name_send(ctx, e);
	return 0;
}

/* --- what was refused --- */

/*
 * At the end of the system calls: where permissions of a folder on the way refused it, none of the hooks above is come
 * to, and the kernel's copy of the name is gone by then. These calls are none of those that a program makes all the
 * time. One that this kernel does not have is left out by the loader.
 */
#if defined(__TARGET_ARCH_arm64)
#define CALL_FEXIT(call) "fexit/__arm64_sys_" #call
#else
#define CALL_FEXIT(call) "fexit/__x64_sys_" #call
#endif
#define TELL_REFUSED(call, what)                                              \
	SEC(CALL_FEXIT(call))                                                 \
	int BPF_PROG(tr_refused_##call, const struct pt_regs *regs, long ret) \
	{                                                                     \
		return call_refused(regs, what, ret);                         \
	}

TELL_REFUSED(unlink, KIND_UNLINK)
TELL_REFUSED(unlinkat, KIND_UNLINK | CALL_AT)
TELL_REFUSED(rmdir, KIND_RMDIR)
TELL_REFUSED(rename, KIND_RENAME)
TELL_REFUSED(renameat, KIND_RENAME | CALL_AT)
TELL_REFUSED(renameat2, KIND_RENAME | CALL_AT)
TELL_REFUSED(link, KIND_LINK)
TELL_REFUSED(linkat, KIND_LINK | CALL_AT)
TELL_REFUSED(symlink, KIND_SYMLINK)
TELL_REFUSED(symlinkat, KIND_SYMLINK | CALL_AT)
TELL_REFUSED(mkdir, KIND_MKDIR)
TELL_REFUSED(mkdirat, KIND_MKDIR | CALL_AT)
TELL_REFUSED(truncate, KIND_TRUNCATE)
TELL_REFUSED(chmod, KIND_CHMOD)
TELL_REFUSED(fchmodat, KIND_CHMOD | CALL_AT)
TELL_REFUSED(fchmodat2, KIND_CHMOD | CALL_AT)
TELL_REFUSED(fchmod, KIND_CHMOD | CALL_FD)
TELL_REFUSED(chown, KIND_CHOWN)
TELL_REFUSED(lchown, KIND_CHOWN)
TELL_REFUSED(fchownat, KIND_CHOWN | CALL_AT)
TELL_REFUSED(fchown, KIND_CHOWN | CALL_FD)
TELL_REFUSED(setxattr, REFUSED_SETXATTR)
TELL_REFUSED(lsetxattr, REFUSED_SETXATTR)
TELL_REFUSED(fsetxattr, REFUSED_SETXATTR | CALL_FD)
TELL_REFUSED(setxattrat, REFUSED_SETXATTR | CALL_AT)
TELL_REFUSED(removexattr, REFUSED_REMOVEXATTR)
TELL_REFUSED(lremovexattr, REFUSED_REMOVEXATTR)
TELL_REFUSED(fremovexattr, REFUSED_REMOVEXATTR | CALL_FD)
TELL_REFUSED(removexattrat, REFUSED_REMOVEXATTR | CALL_AT)

/* --- mounts --- */

/*
 * What was mounted last below a mount: new ones go to the end of its list of children. NULL where the list is another
 * one, or somebody was faster.
 */
static __always_inline struct dentry *mounted_at(const struct path *path)
{
	struct mount *below = real_mount(BPF_CORE_READ(path, mnt)), *m;
	char *child;

	if (!bpf_core_field_exists(below->mnt_mounts) || !bpf_core_field_exists(below->mnt_child))
		return NULL;
	child = (char *)BPF_CORE_READ(below, mnt_mounts.prev);
	m = (struct mount *)(child - bpf_core_field_offset(struct mount, mnt_child));
	if (BPF_CORE_READ(m, mnt_parent) != below || BPF_CORE_READ(m, mnt_mountpoint) != BPF_CORE_READ(path, dentry))
		return NULL;
	return BPF_CORE_READ(m, mnt.mnt_root);
}

static __always_inline int tell_mount(void *ctx, const struct path *at, struct dentry *what, const char *source)
{
	struct event *e;

	if (!event_wanted())
		return 0;
	names_changed();
	e = event_new(KIND_MOUNT);
	if (!e)
		return 0;
	event_path(e, EVENT_PATH, BPF_CORE_READ(at, dentry), BPF_CORE_READ(at, mnt));
	if (source)
		event_string(e, EVENT_PATH2, source);
	if (what)
		event_dentry(e, what);
	e->has &= ~EH_SIZE;
	event_send(ctx, e);
	return 0;
}

SEC("fexit/path_mount")
int EVENT_PROG(
	tr_mount, const char *source, struct path *path, const char *type, unsigned long flags, void *data, int ret)
{
	/* moving is told below, and what only changes flags is no new mount */
	if (ret || flags & (MS_MOVE_BIT | MS_REMOUNT_BIT | MS_PROPAGATION_BITS))
		return 0;
	return tell_mount(ctx, path, mounted_at(path), source);
}

/* The last step of the new interface, and mount(2) with MS_MOVE. */
SEC("fexit/do_move_mount")
int EVENT_PROG(tr_move_mount, struct path *from, struct path *to, int ret)
{
	return ret ? 0 : tell_mount(ctx, to, BPF_CORE_READ(from, mnt, mnt_root), NULL);
}

/* By the time of the result there is no path any more. */
SEC("fexit/security_sb_umount")
int EVENT_PROG(tr_may_umount, struct vfsmount *mnt, int flags, int ret)
{
	struct pending p = {.mnt = mnt};
	u64 me = self();

	if (ret || !event_wanted())
		return 0;
	p.dentry = BPF_CORE_READ(mnt, mnt_root);
	object_of(&p.object, p.dentry);
	room_take(p.dentry, mnt);
	if (bpf_map_update_elem(&waiting, &me, &p, BPF_ANY))
		lose(CAUSE_TABLE_FULL);
	return 0;
}

SEC("fexit/path_umount")
int EVENT_PROG(tr_umount, struct path *path, int flags, int ret)
{
	if (ret == 0)
		names_changed();
	return tell_room(ctx, KIND_UMOUNT, ret);
}

/* --- the end of a task --- */

SEC("tp_btf/sched_process_exit")
int EVENT_PROG(on_exit, struct task_struct *t)
{
	forget(self());
	exit_tell(ctx, t);
	return 0;
}
