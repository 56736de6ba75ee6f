/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Putting an event together: who, what, its strings, and into the ring buffer. Events of open files do not pass here
 * (fold.bpf.h keeps them ready), all others do.
 *
 * event_begin claims a scratch for the current task; EVENT_PROG releases it. Nobody else works on it meanwhile, also
 * where the kernel takes the CPU away in the middle.
 */
#ifndef SEKISHO_PROBE_EMIT_BPF_H
#define SEKISHO_PROBE_EMIT_BPF_H

#include "agent/probe/path.bpf.h"

/* The current process. */
static __always_inline void event_self(struct event *e)
{
	struct task_struct *t = task_here();

	e->pid = TYPED_TASK ? t->tgid : bpf_get_current_pid_tgid() >> 32;
	e->start_ns = TASK_READ(t, group_leader->start_boottime, group_leader, start_boottime);
	e->ppid = TASK_READ(
		t, group_leader->real_parent->group_leader->tgid, group_leader, real_parent, group_leader, tgid);
	e->pstart_ns = TASK_READ(t, group_leader->real_parent->group_leader->start_boottime, group_leader, real_parent,
		group_leader, start_boottime);
	e->uid = TASK_READ(t, cred->euid.val, cred, euid.val);
	e->real_uid = TASK_READ(t, cred->uid.val, cred, uid.val);
	e->login_uid = e->session = (u32)-1;
	if (bpf_core_field_exists(t->loginuid))
		e->login_uid = TASK_READ(t, loginuid.val, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		e->session = TASK_READ(t, sessionid, sessionid);
	e->mnt_ns = TASK_READ(t, nsproxy->mnt_ns->ns.inum, nsproxy, mnt_ns, ns.inum);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

/* Any process. */
static __always_inline void event_task(struct event *e, struct task_struct *t)
{
	struct task_struct *leader = READ(t, group_leader), *parent = READ(leader, real_parent, group_leader);

	e->pid = READ(t, tgid);
	e->start_ns = READ(leader, start_boottime);
	e->ppid = READ(parent, tgid);
	e->pstart_ns = READ(parent, start_boottime);
	e->uid = READ(t, cred, euid.val);
	e->real_uid = READ(t, cred, uid.val);
	e->login_uid = e->session = (u32)-1;
	if (bpf_core_field_exists(t->loginuid))
		e->login_uid = READ(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		e->session = READ(t, sessionid);
	e->mnt_ns = READ(t, nsproxy, mnt_ns, ns.inum);
	BPF_CORE_READ_STR_INTO(&e->comm, t, comm);
}

struct object {
	u64 inode;
	u32 dev, reserved;
};

static __always_inline void object_of(struct object *o, struct dentry *d)
{
	struct inode *inode = READ(d, d_inode);

	o->inode = READ(inode, i_ino);
	o->dev = READ(inode, i_sb, s_dev);
}

static __always_inline void event_object(struct event *e, const struct object *o)
{
	e->inode = o->inode;
	e->dev = o->dev;
	e->has |= EH_OBJECT;
}

static __always_inline bool dentry_is_folder(struct dentry *d)
{
	return (READ(d, d_inode, i_mode) & S_IFMT_BITS) == S_IFDIR_BITS;
}

static __always_inline bool dentry_is_file(struct dentry *d)
{
	return (READ(d, d_inode, i_mode) & S_IFMT_BITS) == S_IFREG_BITS;
}

/* The type of the file system, and the file's size, of what a dentry names. */
static __always_inline void event_dentry(struct event *e, struct dentry *d)
{
	struct scratch *s = (struct scratch *)e;
	struct inode *inode = READ(d, d_inode);
	struct super_block *sb = READ(inode, i_sb);
	struct object o;
	long n;

	if (!inode)
		return;
	object_of(&o, d);
	event_object(e, &o);
	e->file_size = READ(inode, i_size);
	e->has |= EH_SIZE;
	e->fs_magic = READ(sb, s_magic);
	n = bpf_probe_read_kernel_str(s->fs, sizeof(s->fs), READ(sb, s_type, name));
	s->fs_len = n > 1 ? n - 1 : 0;
}

/* Begins an event. NULL, counted, where there is no scratch for it. */
static __always_inline struct event *event_begin(u32 kind)
{
	bool fresh;
	struct scratch *s = scratch_claim(&fresh);
	u32 i;

	if (!s)
		return NULL;
	__builtin_memset(&s->e, 0, sizeof(s->e));
	s->e.version = EVENT_VERSION;
	s->e.kind = kind;
	s->e.boot_ns = bpf_ktime_get_boot_ns();
	for (i = 0; i < TEXTS; i++)
		s->text[i].len = s->text[i].flags = s->text[i].folder = 0;
	s->args_len = s->fs_len = 0;
	return &s->e;
}

/* The same, of the current process. */
static __always_inline struct event *event_new(u32 kind)
{
	struct event *e = event_begin(kind);

	if (e)
		event_self(e);
	return e;
}

static __always_inline void event_path(struct event *e, u32 which, struct dentry *d, struct vfsmount *mnt)
{
	text_path((struct scratch *)e, which, d, mnt);
}

/* A string of the kernel's. */
static __always_inline void event_string(struct event *e, u32 which, const char *p)
{
	struct scratch *s = (struct scratch *)e;
	long n;

	if (which >= TEXTS)
		return;
	n = bpf_probe_read_kernel_str(s->text[which].b, EVENT_PATH_MAX, p);
	s->text[which].len = n > 1 ? n - 1 : 0;
}

static __always_inline void *event_text(struct event *e)
{
	return &((struct scratch *)e)->text[EVENT_PATH];
}

/* Appends a string to the parcel: where the next one goes. One that does not fit any more is left out, and counted. */
static __always_inline u32 pack(struct parcel *p, struct event *e, u32 which, const char *from, u32 len, u32 at)
{
	if (!len)
		return at;
	if (at + len >= PARCEL_MAX || len >= EVENT_PATH_MAX) {
		e->flags |= RF_PATH_CUT;
		return at;
	}
	bpf_probe_read_kernel(&p->b[below(at, PARCEL_MAX)], below(len, EVENT_PATH_MAX), from);
	e->len[which] = len;
	return at + len;
}

/*
 * Packs what the scratch holds into its parcel. Its length; 0, counted, where the scratch became somebody else's.
 * Global: looked at by the verifier once.
 */
__noinline int event_pack(void)
{
	struct scratch *s = scratch_here();
	u32 at = sizeof(struct event);
	struct parcel *p = s ? parcel_of(s) : NULL;
	struct event *e;

	if (!s || !p) {
		lose(CAUSE_READ_FAILED);
		return 0;
	}
	e = &s->e;
	e->flags |= s->text[EVENT_PATH].flags | (s->text[EVENT_PATH2].flags & RF_PATH_CUT);
	at = pack(p, e, EVENT_PATH, s->text[EVENT_PATH].b, s->text[EVENT_PATH].len, at);
	at = pack(p, e, EVENT_PATH2, s->text[EVENT_PATH2].b, s->text[EVENT_PATH2].len, at);
	at = pack(p, e, EVENT_PROGRAM, s->text[EVENT_PROGRAM].b, s->text[EVENT_PROGRAM].len, at);
	at = pack(p, e, EVENT_ARGS, s->args, s->args_len, at);
	at = pack(p, e, EVENT_CWD, s->text[TEXT_CWD].b, s->text[TEXT_CWD].len, at);
	at = pack(p, e, EVENT_FS, s->fs, s->fs_len, at);
	e->size = at;
	__builtin_memcpy(p->b, e, sizeof(*e));
	return at;
}

/* The same, and into the ring buffer. */
static __always_inline void event_emit(void)
{
	struct probe_control *c = control_here();
	u32 n = event_pack();
	struct scratch *s = scratch_here();
	struct parcel *p = s ? parcel_of(s) : NULL;

	if (c && p && n)
		ring_put(c, p->b, below(n, PARCEL_MAX));
}

static __always_inline void event_send(void *ctx, struct event *e)
{
	(void)ctx;
	if (kind_wanted(e->kind))
		event_emit();
}

#endif
