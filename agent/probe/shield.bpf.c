/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The agent protects itself: its files, kernel objects and processes against whoever is neither systemd, nor itself,
 * nor in the window that the guard opened for a package manager. Security hooks (lsm): they are called only where the
 * kernel's lsm= has bpf. Loaded by shield_load.c; see shield.h and SHIELD.md.
 *
 * None of these hooks is called when a file is opened, read or written: nobody's work is slowed. Hence what is written
 * into a file in place is told (own.h), and not refused. Where the guard has been gone for a while nothing is refused.
 */
#include "agent/probe/kernel.bpf.h"

#include "agent/probe/shield_map.h"

#define EPERM 1
#define PTRACE_ATTACH_BIT 0x2
#define CGROUP2_MAGIC 0x63677270
#define CGROUP1_MAGIC 0x27e0eb
/* mount(2): what changes a mount that is there, and hides nothing. */
#define MS_CHANGES (32 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20)
#define CMD_LINK_UPDATE 29
#define CMD_LINK_GET_FD_BY_ID 30
#define CMD_LINK_DETACH 34
#define NO_LOGIN ((u32)-1)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node___shield {
	const char *name;
};
struct cgroup___shield {
	struct kernfs_node___shield *kn;
};
struct css_set___shield {
	struct cgroup___shield *dfl_cgrp;
};
struct task_struct___shield {
	int tgid;
	struct css_set___shield *cgroups;
};
struct file___shield {
	void *private_data;
};
struct bpf_prog_aux___shield {
	u32 id;
};
struct bpf_prog___shield {
	struct bpf_prog_aux___shield *aux;
};
struct bpf_map___shield {
	u32 id;
};
struct bpf_link___shield {
	u32 id;
};
#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct shield_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHIELD_FILES_MAX);
	__type(key, struct shield_key);
	__type(value, u32);
} files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHIELD_OBJECTS_MAX);
	__type(key, struct shield_object);
	__type(value, u32);
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SHIELD_RING_BYTES);
} ring SEC(".maps");

/* Events that did not fit into the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} lost SEC(".maps");

/* --- who and what --- */

static __always_inline struct task_struct *me(void)
{
	return (void *)bpf_get_current_task();
}

/* The page, where it refuses or notes at this moment. */
static __always_inline struct shield_control *in_force(void)
{
	u32 zero = 0;
	struct shield_control *c = bpf_map_lookup_elem(&control, &zero);

	return c && c->mode != SHIELD_OFF && bpf_ktime_get_ns() < c->lease_awake_ns ? c : NULL;
}

static __always_inline u32 what_is(struct inode *inode, struct shield_key *key)
{
	u32 *flags;

	__builtin_memset(key, 0, sizeof(*key));
	if (!inode)
		return 0;
	key->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key->ino = BPF_CORE_READ(inode, i_ino);
	flags = bpf_map_lookup_elem(&files, key);
	return flags ? *flags : 0;
}

static __always_inline struct inode *exe_of(struct task_struct *t)
{
	return BPF_CORE_READ(t, mm, exe_file, f_inode);
}

static __always_inline bool runs_ours(struct task_struct *t)
{
	struct shield_key key;

	return what_is(exe_of(t), &key) & SHIELD_PROGRAM;
}

static __always_inline u32 login_of(struct task_struct *t)
{
	return bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : NO_LOGIN;
}

/* One of our processes: of our programs, and no person's. */
static __always_inline bool is_ours(struct task_struct *t)
{
	return t && login_of(t) == NO_LOGIN && runs_ours(t);
}

/* The first `n` bytes; what is behind a name's end is zeros. */
static __always_inline bool same(const char *a, const char *b, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static __always_inline bool begins_ours(const char *s)
{
	return same(s, "sekisho-", 8);
}

static __always_inline struct cgroup___shield *cgroup_of(struct task_struct *t)
{
	struct task_struct___shield *s = (void *)t;

	return BPF_CORE_READ(s, cgroups, dfl_cgrp);
}

/* Systemd puts processes there; so can root, but none of a program of somebody else's is ours by that. */
static __always_inline bool is_our_cgroup(struct cgroup___shield *c)
{
	char name[SHIELD_NAME_SIZE] = "";

	return c && bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(c, kn, name)) > 8 && begins_ours(name);
}

/* Only it: what it forks is nobody yet, but needs nothing of what is refused. */
static __always_inline bool is_systemd(void)
{
	return bpf_get_current_pid_tgid() >> 32 == 1;
}

static __always_inline bool is_window_open(const struct shield_control *c)
{
	return c->open_pid && bpf_ktime_get_boot_ns() < c->open_boot_ns;
}

static __always_inline bool is_in_window(const struct shield_control *c)
{
	struct task_struct *t = me();
	int i;

	if (!is_window_open(c))
		return false;
	for (i = 0; i < SHIELD_DEPTH_MAX; i++) {
		u32 pid = t ? BPF_CORE_READ(t, tgid) : 0;

		if (pid <= 1)
			return false;
		if (pid == c->open_pid)
			return BPF_CORE_READ(t, group_leader, start_boottime) / SHIELD_TICK_NS == c->open_start;
		t = BPF_CORE_READ(t, real_parent);
	}
	return false;
}

/* A file sekisho-* in a folder of ours: one that was installed and that the guard has not seen yet. */
static __always_inline bool is_named_ours(struct task_struct *t)
{
	struct dentry *exe = BPF_CORE_READ(t, mm, exe_file, f_path.dentry);
	struct shield_key key;
	char name[16] = "";

	return exe && bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(exe, d_name.name)) > 8 &&
	       begins_ours(name) && what_is(BPF_CORE_READ(exe, d_parent, d_inode), &key);
}

/*
 * A service of ours: a program of ours, or one that is about to be known, in a control group of ours and of nobody's
 * login. So that what an upgrade that was cut off left behind is started again.
 */
static __always_inline bool is_service(const struct shield_control *c)
{
	struct task_struct *t = me();

	return is_our_cgroup(cgroup_of(t)) && login_of(t) == NO_LOGIN &&
	       (is_window_open(c) || runs_ours(t) || is_named_ours(t));
}

/* May who acts do what others may not? */
static __always_inline bool may(const struct shield_control *c)
{
	return is_systemd() || is_service(c) || is_in_window(c);
}

/* --- saying so --- */

static __always_inline struct shield_event *event(u32 what)
{
	struct shield_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	struct task_struct *t = me();

	if (!e) {
		u32 zero = 0;
		u64 *n = bpf_map_lookup_elem(&lost, &zero);

		if (n)
			++*n;
		return NULL;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->boot_ns = bpf_ktime_get_boot_ns();
	e->start_boot_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->uid = (u32)bpf_get_current_uid_gid();
	e->loginuid = login_of(t);
	e->what = what;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	return e;
}

/* What the guard tries with its own pin is refused whatever is in force, counted, and not told. */
static __always_inline bool is_proof(struct inode *inode)
{
	u32 zero = 0;
	struct shield_control *c = bpf_map_lookup_elem(&control, &zero);
	struct task_struct *t = me();

	if (!c || !c->prover || bpf_get_current_pid_tgid() >> 32 != c->prover || !inode ||
		BPF_CORE_READ(inode, i_ino) != c->pin.ino || BPF_CORE_READ(inode, i_sb, s_dev) != c->pin.dev)
		return false;
	__sync_fetch_and_add(&c->proofs, 1);
	/* Who would not be known by this would be kept from its own. */
	if (is_our_cgroup(cgroup_of(t)) && login_of(t) == NO_LOGIN && runs_ours(t))
		__sync_fetch_and_add(&c->known, 1);
	return true;
}

static __always_inline int verdict(const struct shield_control *c)
{
	return c->mode == SHIELD_REFUSE ? -EPERM : 0;
}

static __always_inline int refuse_file(
	struct shield_control *c, u32 what, const struct shield_key *key, struct dentry *dentry)
{
	struct shield_event *e = event(what);

	if (e) {
		e->key = *key;
		e->let = c->mode != SHIELD_REFUSE;
		bpf_probe_read_kernel_str(e->name, sizeof(e->name), BPF_CORE_READ(dentry, d_name.name));
		bpf_ringbuf_submit(e, 0);
	}
	return verdict(c);
}

static __always_inline int refuse_task(struct shield_control *c, u32 what, struct task_struct *t, u32 detail)
{
	struct shield_event *e = event(what);

	if (e) {
		e->target = BPF_CORE_READ(t, tgid);
		e->detail = detail;
		e->let = c->mode != SHIELD_REFUSE;
		bpf_probe_read_kernel_str(e->name, 16, t->comm);
		bpf_ringbuf_submit(e, 0);
	}
	return verdict(c);
}

static __always_inline int refuse_object(struct shield_control *c, u32 what, const struct shield_object *o)
{
	struct shield_event *e = event(what);

	if (e) {
		e->target = o->id;
		e->detail = o->kind;
		e->let = c->mode != SHIELD_REFUSE;
		bpf_ringbuf_submit(e, 0);
	}
	return verdict(c);
}

/* --- files --- */

static __always_inline int guard_file(u32 what, struct dentry *dentry, u32 flags)
{
	struct shield_control *c = in_force();
	struct shield_key key, exe;
	u32 is;

	if (!c)
		return 0;
	is = what_is(BPF_CORE_READ(dentry, d_inode), &key);
	if (!(is & flags) || may(c) || (is & SHIELD_KEY && what_is(exe_of(me()), &exe) & (SHIELD_PROGRAM | SHIELD_CTL)))
		return 0;
	return refuse_file(c, what, &key, dentry);
}

SEC("lsm/inode_unlink")
int BPF_PROG(on_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : guard_file(SHIELD_UNLINK, dentry, SHIELD_FILE);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(on_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret ? ret : guard_file(SHIELD_UNLINK, dentry, SHIELD_FILE | SHIELD_FOLDER);
}

SEC("lsm/inode_rename")
int BPF_PROG(on_rename, struct inode *dir, struct dentry *from, struct inode *to_dir, struct dentry *to, int ret)
{
	if (!ret)
		ret = guard_file(SHIELD_RENAME, from, SHIELD_FILE | SHIELD_FOLDER);
	return ret ? ret : guard_file(SHIELD_RENAME, to, SHIELD_FILE | SHIELD_FOLDER);
}

/* sekisho-*: who cuts a file there (`echo 1 >cgroup.kill`) ends or freezes ours, or puts a process among them. */
static __always_inline int guard_cgroup(struct dentry *dentry)
{
	struct shield_control *c = in_force();
	struct dentry *folder = BPF_CORE_READ(dentry, d_parent);
	char name[SHIELD_NAME_SIZE] = "";
	struct shield_event *e;

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(folder, d_name.name));
	if (!c || !begins_ours(name) || may(c))
		return 0;
	e = event(SHIELD_CGROUP);
	if (e) {
		e->let = c->mode != SHIELD_REFUSE;
		__builtin_memcpy(e->name, name, sizeof(name));
		bpf_ringbuf_submit(e, 0);
	}
	return verdict(c);
}

/* Mode, owner, times, and cutting: open(2) with O_TRUNC comes here as well. */
static __always_inline int guard_attributes(struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);

	if (is_proof(inode))
		return -EPERM;
	if (magic == CGROUP2_MAGIC || magic == CGROUP1_MAGIC)
		return guard_cgroup(dentry);
	return guard_file(SHIELD_SETATTR, dentry, SHIELD_FILE);
}

SEC("lsm/inode_setattr")
int BPF_PROG(on_setattr, struct dentry *dentry, void *attr, int ret)
{
	return ret ? ret : guard_attributes(dentry);
}

/* Since 6.9 (with mnt_idmap). */
SEC("lsm/inode_setattr")
int BPF_PROG(on_setattr_idmap, void *idmap, struct dentry *dentry, void *attr, int ret)
{
	return ret ? ret : guard_attributes(dentry);
}

/* --- mounts --- */

static __always_inline int guard_place(u32 what, struct dentry *dentry)
{
	struct shield_control *c = in_force();
	struct shield_key key;

	if (!c || BPF_CORE_READ(me(), nsproxy, mnt_ns, ns.inum) != c->mnt_ns ||
		!what_is(BPF_CORE_READ(dentry, d_inode), &key) || may(c))
		return 0;
	return refuse_file(c, what, &key, dentry);
}

SEC("lsm/sb_mount")
int BPF_PROG(
	on_mount, const char *dev, const struct path *path, const char *type, unsigned long flags, void *data, int ret)
{
	return ret || flags & MS_CHANGES ? ret : guard_place(SHIELD_MOUNT, BPF_CORE_READ(path, dentry));
}

SEC("lsm/move_mount")
int BPF_PROG(on_move_mount, const struct path *from, const struct path *to, int ret)
{
	if (!ret)
		ret = guard_place(SHIELD_MOUNT, BPF_CORE_READ(to, dentry));
	return ret;
}

SEC("lsm/sb_umount")
int BPF_PROG(on_umount, struct vfsmount *mnt, int flags, int ret)
{
	return ret ? ret : guard_place(SHIELD_UMOUNT, BPF_CORE_READ(mnt, mnt_root));
}

/* --- processes --- */

/* What systemd starts for a service within its control group (ExecReload=/bin/kill) is the service's business. */
static __always_inline bool may_to(const struct shield_control *c, struct task_struct *t)
{
	struct cgroup___shield *own = cgroup_of(me());

	return (own == cgroup_of(t) && is_our_cgroup(own) && login_of(me()) == NO_LOGIN &&
		       BPF_CORE_READ(me(), real_parent, tgid) == 1) ||
	       may(c);
}

static __always_inline int guard_task(u32 what, struct task_struct *t, u32 detail)
{
	struct shield_control *c = in_force();

	if (!c || !is_ours(t) || BPF_CORE_READ(t, tgid) == bpf_get_current_pid_tgid() >> 32 || may_to(c, t))
		return 0;
	return refuse_task(c, what, t, detail);
}

/* Of the kernel's own signals it is not asked. */
SEC("lsm/task_kill")
int BPF_PROG(on_kill, struct task_struct *t, void *info, int sig, const struct cred *cred, int ret)
{
	return ret || !sig ? ret : guard_task(SHIELD_SIGNAL, t, (u32)sig);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(on_ptrace, struct task_struct *t, unsigned int mode, int ret)
{
	return ret || !(mode & PTRACE_ATTACH_BIT) ? ret : guard_task(SHIELD_PTRACE, t, 0);
}

/* A limit of processor time or of files is another way to end somebody. */
SEC("lsm/task_setrlimit")
int BPF_PROG(on_limit, struct task_struct *t, unsigned int resource, void *limit, int ret)
{
	return ret ? ret : guard_task(SHIELD_LIMIT, t, resource);
}

/* --- kernel objects --- */

/* Maps and programs are handed to programs of ours, whoever runs them (sekisho-load --check): nobody can write to
 * those. */
static __always_inline int guard_object(u32 what, u32 kind, u32 id)
{
	struct shield_control *c = in_force();
	struct shield_object o = {.kind = kind, .id = id};

	if (!c || !bpf_map_lookup_elem(&objects, &o))
		return 0;
	if ((what == SHIELD_OBJECT && runs_ours(me())) || may(c))
		return 0;
	return refuse_object(c, what, &o);
}

SEC("lsm/bpf_map")
int BPF_PROG(on_map, struct bpf_map___shield *map, unsigned int mode, int ret)
{
	return ret ? ret : guard_object(SHIELD_OBJECT, SHIELD_MAP, BPF_CORE_READ(map, id));
}

SEC("lsm/bpf_prog")
int BPF_PROG(on_prog, struct bpf_prog___shield *prog, int ret)
{
	return ret ? ret : guard_object(SHIELD_OBJECT, SHIELD_PROG, BPF_CORE_READ(prog, aux, id));
}

/* The link behind a descriptor of who calls. */
static __always_inline u32 link_of(u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(me(), files, fdt);
	struct file___shield *file = NULL;
	struct file **at = BPF_CORE_READ(table, fd);
	struct bpf_link___shield *link;

	if (fd >= BPF_CORE_READ(table, max_fds) || bpf_probe_read_kernel(&file, sizeof(file), at + fd) || !file)
		return 0;
	link = BPF_CORE_READ(file, private_data);
	return link ? BPF_CORE_READ(link, id) : 0;
}

SEC("lsm/bpf")
int BPF_PROG(on_bpf, int cmd, void *attr, unsigned int size, int ret)
{
	u32 first = 0;

	if (ret || (cmd != CMD_LINK_DETACH && cmd != CMD_LINK_UPDATE && cmd != CMD_LINK_GET_FD_BY_ID))
		return ret;
	bpf_probe_read_kernel(&first, sizeof(first), attr);
	return guard_object(SHIELD_DETACH, SHIELD_LINK, cmd == CMD_LINK_GET_FD_BY_ID ? first : link_of(first));
}

char LICENSE[] SEC("license")
= "Dual BSD/GPL";
