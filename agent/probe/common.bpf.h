/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What both sets of kernel programs share: who acts, what a path is, which files are worth a record, the table in which
 * an open file's use is folded into one event, and the ring buffer. Where a set looks is in tracepoint.bpf.c and
 * trampoline.bpf.c.
 *
 * Nothing here decides or changes what happens on the PC. Whatever cannot be told is counted by cause (lose).
 */
#ifndef SEKISHO_PROBE_COMMON_BPF_H
#define SEKISHO_PROBE_COMMON_BPF_H

#include "agent/probe/kernel.bpf.h"

#include "agent/probe/event.h"
#include "policy/wire/flags.h"

#define ENUM_VALUE(FIELD, no, NAME, name, en, ja) FIELD##_##NAME = no,
enum enum_values {
#include "policy/wire/enums.def"
};
#undef ENUM_VALUE

/* FILTER_* of the recording filter. */
#define LEVEL_NONE 0
#define LEVEL_CHANGES 1
#define LEVEL_ALL 2

#define DECISIONS_MAX 8192

#define FMODE_WRITE_BIT 0x2u
#define FMODE_PATH_BIT 0x4000u
#define FMODE_CREATED_BIT 0x100000u
#define O_TRUNC_BIT 01000u
#define O_TMPFILE_BIT 020000000u
#define SB_KERNMOUNT_BIT (1ul << 22)
#define PF_KTHREAD_BIT 0x200000u
#define RENAME_EXCHANGE_BIT 2u
#define S_IFMT_BITS 0170000
#define S_IFREG_BITS 0100000
#define S_IFBLK_BITS 0060000

/* Flags that say that something changed, for files of which only changes are worth a record. */
#define CHANGED (RF_CREATED | RF_WROTE | RF_MMAP_WRITE | RF_CLONE | RF_TRUNCATED | RF_TMPFILE | FOLD_MAY_WRITE)

/* Of a fold only, never told: a map was made of the file, so that its descriptor is not all that holds it. */
#define FOLD_MAPPED (1u << 31)
/* The kernel let bytes be moved. Where nobody counted any, that is told as a guess. */
#define FOLD_MAY_WRITE (1u << 30)
#define FOLD_MAY_READ (1u << 29)
#define FOLD_OWN (FOLD_MAPPED | FOLD_MAY_WRITE | FOLD_MAY_READ)

/* --- maps --- */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

/* Pages that user space maps: struct probe_control, and counters of what was lost. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct probe_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_CPUS_MAX *PROBE_CAUSES);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_FILES_MAX);
	__type(key, u64); /* the kernel's address of the struct file */
	__type(value, struct fold);
} files SEC(".maps");

/* What the filter said of a file that was looked at before: saves the walk over its path. */
struct decision {
	u64 dentry, inode;
	u64 generation;
	u32 inode_generation, reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DECISIONS_MAX);
	__type(key, struct decision);
	__type(value, u32);
} decisions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROBE_PREFIXES_MAX);
	__type(key, struct probe_prefix);
	__type(value, u32);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_SKIP_PIDS_MAX);
	__type(key, u32);
	__type(value, u32);
} skip_pids SEC(".maps");

/* A string under construction. */
struct text {
	char b[EVENT_PATH_MAX];
	u32 len;
	u32 flags;       /* RF_PATH_CUT, RF_UNLINKED */
	char spare[512]; /* never used: lets the verifier see that a masked offset and one more name stay inside */
};

#define TEXTS 4 /* path, path2, program, cwd */
#define TEXT_CWD 3
#define WALK_MAX 128 /* a power of two, as TEXTS is */
#define HOPS_MAX 192

/* Where an event is put together; one for each CPU. */
struct scratch {
	struct event e;
	u64 owner; /* the task that works here: another one in between, and what is here is nobody's */
	struct text text[TEXTS];
	char args[EVENT_ARGS_MAX];
	u32 args_len;
	u32 fs_len;
	char fs[32];
	struct dentry *walk[WALK_MAX];
	struct probe_prefix key;
	struct path at, root;
	u32 walked, total; /* of path_write: see there */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Where it is packed for the ring buffer: an event with its strings is at most PARCEL_MAX long, which is a power of
 * two. */
#define PARCEL_MAX 16384
struct parcel {
	char b[PARCEL_MAX + EVENT_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct parcel);
} parcels SEC(".maps");

char _license[] SEC("license")
= "Dual BSD/GPL";

/* When the programs were loaded: set before, by the loader. */
const volatile unsigned long long since_ns = 0;

/* An index that the verifier sees the bound of: `n` is a power of two. The barrier keeps the mask where it is used. */
static __always_inline u64 below(u64 i, u64 n)
{
	asm volatile("" : "+r"(i));
	return i & (n - 1);
}

/* A pointer as a plain number, so that it can be handed to a global function. */
static __always_inline u64 address_of(const void *p)
{
	u64 n = 0;

	bpf_probe_read_kernel(&n, sizeof(n), &p);
	return n;
}

static __always_inline struct scratch *scratch_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline struct probe_control *control_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline void lose(u32 cause)
{
	u32 i = (bpf_get_smp_processor_id() & (PROBE_CPUS_MAX - 1)) * PROBE_CAUSES + (cause & (PROBE_CAUSES - 1));
	u64 *n = bpf_map_lookup_elem(&losses, &i);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Is anything that this task does worth telling? */
static __always_inline bool event_wanted(void)
{
	struct probe_control *c = control_here();
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return c && c->active && !bpf_map_lookup_elem(&skip_pids, &tgid);
}

static __always_inline bool kind_wanted(u32 kind)
{
	struct probe_control *c = control_here();

	return c && (c->kinds >> (kind & 63) & 1);
}

/* --- who --- */

static __always_inline void event_task(struct event *e, struct task_struct *t)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader),
			   *parent = BPF_CORE_READ(leader, real_parent, group_leader);

	e->pid = BPF_CORE_READ(t, tgid);
	e->start_ns = BPF_CORE_READ(leader, start_boottime);
	e->ppid = BPF_CORE_READ(parent, tgid);
	e->pstart_ns = BPF_CORE_READ(parent, start_boottime);
	e->uid = BPF_CORE_READ(t, cred, euid.val);
	e->real_uid = BPF_CORE_READ(t, cred, uid.val);
	e->login_uid = e->session = (u32)-1;
	if (bpf_core_field_exists(t->loginuid))
		e->login_uid = BPF_CORE_READ(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		e->session = BPF_CORE_READ(t, sessionid);
	e->mnt_ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
	BPF_CORE_READ_STR_INTO(&e->comm, t, comm);
}

/* --- paths --- */

static __always_inline struct mount *real_mount(struct vfsmount *mnt)
{
	return (struct mount *)((char *)mnt - bpf_core_field_offset(struct mount, mnt));
}

/*
 * Writes the path of scratch->at, as seen from scratch->root, to text `which`: up from the name to the root across
 * mounts, then down again. A path of more than WALK_MAX names, or longer than the text, keeps its tail. Global, so that
 * the verifier looks at it once; hence it takes no pointers.
 */
__noinline int path_write(u32 which)
{
	struct scratch *s = scratch_here();
	struct dentry *d, *root_d;
	struct mount *m;
	struct vfsmount *v, *root_v;
	struct text *t;
	u32 n, off = 0, i;
	bool whole = false;

	if (!s || which >= TEXTS)
		return 0;
	t = &s->text[below(which, TEXTS)];
	t->flags = 0;
	t->len = 0;
	d = s->at.dentry;
	v = s->at.mnt;
	root_d = s->root.dentry;
	root_v = s->root.mnt;
	if (!d || !v)
		return 0;
	m = real_mount(v);
	if (!BPF_CORE_READ(d, d_hash.pprev) && d != BPF_CORE_READ(d, d_parent))
		t->flags |= RF_UNLINKED;
	/* Counts that live in memory are any number to the verifier: it need not look at each of them apart. */
	s->walked = s->total = 0;
	for (i = 0; i < HOPS_MAX; i++) {
		struct dentry *parent;

		if (d == root_d && v == root_v) {
			whole = true;
			break;
		}
		if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
			struct mount *up = BPF_CORE_READ(m, mnt_parent);

			if (up == m) {
				whole = true;
				break;
			}
			d = BPF_CORE_READ(m, mnt_mountpoint);
			m = up;
			v = (struct vfsmount *)((char *)m + bpf_core_field_offset(struct mount, mnt));
			continue;
		}
		parent = BPF_CORE_READ(d, d_parent);
		if (!parent || (parent == d && i)) {
			whole = true;
			break;
		}
		/* The root of nothing that is mounted (a memfd, say) has a name all the same. */
		n = s->walked;
		if (n >= WALK_MAX)
			break;
		s->walk[below(n, WALK_MAX)] = d;
		s->walked = n + 1;
		s->total += 1 + (BPF_CORE_READ(d, d_name.len) & 255);
		d = parent;
	}
	if (!whole)
		t->flags |= RF_PATH_CUT;
	for (i = 0; i < WALK_MAX; i++) {
		u32 len;

		n = s->walked - 1;
		if (n >= WALK_MAX)
			break;
		s->walked = n;
		d = s->walk[below(n, WALK_MAX)];
		len = BPF_CORE_READ(d, d_name.len) & 255;
		/* Room for one more name of any length is kept, so that the verifier sees the bound. */
		if (s->total > EVENT_PATH_MAX - 260) {
			s->total -= 1 + len;
			t->flags |= RF_PATH_CUT;
			continue;
		}
		off = t->len;
		if (off > EVENT_PATH_MAX - 260)
			break;
		t->b[below(off, EVENT_PATH_MAX)] = '/';
		if (bpf_probe_read_kernel(&t->b[below(off, EVENT_PATH_MAX) + 1], len, BPF_CORE_READ(d, d_name.name)))
			t->flags |= RF_PATH_CUT;
		t->len = off + 1 + len;
	}
	off = t->len;
	if (!off) {
		t->b[0] = '/';
		t->len = off = 1;
	}
	if (off < EVENT_PATH_MAX)
		t->b[below(off, EVENT_PATH_MAX)] = 0;
	return 0;
}

static __always_inline void root_of(struct scratch *s, struct task_struct *t)
{
	struct fs_struct *fs = BPF_CORE_READ(t, fs);

	s->root.mnt = BPF_CORE_READ(fs, root.mnt);
	s->root.dentry = BPF_CORE_READ(fs, root.dentry);
}

static __always_inline void text_path(struct scratch *s, u32 which, struct dentry *d, struct vfsmount *mnt)
{
	s->at.dentry = d;
	s->at.mnt = mnt;
	path_write(which);
}

/* --- the filter --- */

/* What the longest prefix says of text 0. */
static __always_inline u32 level_of_text(struct scratch *s, u32 which)
{
	struct probe_control *c = control_here();
	u32 *level, n;

	if (which >= TEXTS || !c)
		return LEVEL_ALL;
	which = below(which, TEXTS);
	n = s->text[which].len + 1; /* the NUL too: it ends a whole path */
	if (n > PROBE_PREFIX_MAX)
		n = PROBE_PREFIX_MAX;
	s->key.bits = n * 8;
	bpf_probe_read_kernel(s->key.path, PROBE_PREFIX_MAX, s->text[which].b);
	level = bpf_map_lookup_elem(&prefixes, &s->key);
	return level ? *level : c->level_all & 255;
}

static __always_inline bool magic_skipped(unsigned long magic)
{
	switch (magic) {
	case 0x9fa0:     /* proc */
	case 0x62656572: /* sysfs */
	case 0x27e0eb:   /* cgroup */
	case 0x63677270: /* cgroup2 */
	case 0xcafe4a11: /* bpf */
	case 0x74726163: /* tracefs */
	case 0x64626720: /* debugfs */
	case 0x1cd1:     /* devpts */
	case 0x50495045: /* pipefs */
	case 0x534f434b: /* sockfs */
	case 0x09041934: /* anonymous inodes */
	case 0x73636673: /* securityfs */
	case 0xf97cff8c: /* selinuxfs */
	case 0x6e736673: /* nsfs */
	case 0x62656570: /* configfs */
	case 0x6165676c: /* pstore */
	case 0xde5e81e4: /* efivarfs */
	case 0x19800202: /* mqueue */
	case 0x42494e4d: /* binfmt_misc */
		return true;
	}
	return false;
}

/* The level of an open file; leaves its path in text 0 where it had to be looked at. */
static __always_inline u32 level_of_file(struct file *f)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct super_block *sb;
	struct probe_control *c;
	struct scratch *s;
	struct decision key = {.dentry = 0};
	u32 mode = BPF_CORE_READ(inode, i_mode) & S_IFMT_BITS, *known, level;

	if (mode != S_IFREG_BITS && mode != S_IFBLK_BITS)
		return LEVEL_NONE;
	if (BPF_CORE_READ(f, f_mode) & FMODE_PATH_BIT)
		return LEVEL_NONE;
	if (mode == S_IFBLK_BITS)
		return LEVEL_ALL;
	sb = BPF_CORE_READ(inode, i_sb);
	if (magic_skipped(BPF_CORE_READ(sb, s_magic)) || BPF_CORE_READ(sb, s_flags) & SB_KERNMOUNT_BIT)
		return LEVEL_NONE;
	c = control_here();
	s = scratch_here();
	if (!c || !s)
		return LEVEL_NONE;
	key.dentry = (u64)BPF_CORE_READ(f, f_path.dentry);
	key.inode = BPF_CORE_READ(inode, i_ino);
	key.inode_generation = BPF_CORE_READ(inode, i_generation);
	key.generation = c->generation;
	known = bpf_map_lookup_elem(&decisions, &key);
	if (known)
		return *known;
	root_of(s, (struct task_struct *)bpf_get_current_task());
	text_path(s, EVENT_PATH, (struct dentry *)key.dentry, BPF_CORE_READ(f, f_path.mnt));
	level = level_of_text(s, EVENT_PATH);
	bpf_map_update_elem(&decisions, &key, &level, BPF_ANY);
	return level;
}

/* A name changed: what was remembered of files below it may be wrong now. */
static __always_inline void names_changed(void)
{
	struct probe_control *c = control_here();

	if (c)
		__sync_fetch_and_add(&c->generation, 1);
}

/* --- events --- */

struct object {
	u64 inode;
	u32 dev, reserved;
};

static __always_inline void object_of(struct object *o, struct dentry *d)
{
	struct inode *inode = BPF_CORE_READ(d, d_inode);

	o->inode = BPF_CORE_READ(inode, i_ino);
	o->dev = BPF_CORE_READ(inode, i_sb, s_dev);
}

static __always_inline void event_object(struct event *e, const struct object *o)
{
	e->inode = o->inode;
	e->dev = o->dev;
	e->has |= EH_OBJECT;
}

/* The type of the file system, and the file's size, of what a dentry names. */
static __always_inline void event_dentry(struct event *e, struct dentry *d)
{
	struct scratch *s = (struct scratch *)e;
	struct inode *inode = BPF_CORE_READ(d, d_inode);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	struct object o;
	long n;

	if (!inode)
		return;
	object_of(&o, d);
	event_object(e, &o);
	e->file_size = BPF_CORE_READ(inode, i_size);
	e->has |= EH_SIZE;
	e->fs_magic = BPF_CORE_READ(sb, s_magic);
	n = bpf_probe_read_kernel_str(s->fs, sizeof(s->fs), BPF_CORE_READ(sb, s_type, name));
	s->fs_len = n > 1 ? n - 1 : 0;
}

/* Begins an event of the current task in this CPU's scratch. NULL never, but for the verifier. */
static __always_inline struct event *event_begin(u32 kind)
{
	struct scratch *s = scratch_here();
	u32 i;

	if (!s)
		return NULL;
	__builtin_memset(&s->e, 0, sizeof(s->e));
	s->owner = bpf_get_current_task();
	s->e.version = EVENT_VERSION;
	s->e.kind = kind;
	s->e.boot_ns = bpf_ktime_get_boot_ns();
	for (i = 0; i < TEXTS; i++)
		s->text[i].len = s->text[i].flags = 0;
	s->args_len = s->fs_len = 0;
	return &s->e;
}

static __always_inline struct event *event_new(u32 kind)
{
	struct event *e = event_begin(kind);

	if (e)
		event_task(e, (struct task_struct *)bpf_get_current_task());
	return e;
}

static __always_inline void event_path(struct event *e, u32 which, struct dentry *d, struct vfsmount *mnt)
{
	struct scratch *s = (struct scratch *)e;

	root_of(s, (struct task_struct *)bpf_get_current_task());
	text_path(s, which, d, mnt);
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

/* Packs what the scratch holds and puts it into the ring buffer. Global: looked at by the verifier once. */
__noinline int event_emit(u32 unused)
{
	struct scratch *s = scratch_here();
	struct probe_control *c = control_here();
	u32 zero = 0, at = sizeof(struct event), flags = 0;
	struct parcel *p = bpf_map_lookup_elem(&parcels, &zero);
	struct event *e;

	(void)unused;
	if (!s || !p || !c)
		return 0;
	e = &s->e;
	if (s->owner != bpf_get_current_task()) {
		lose(CAUSE_READ_FAILED);
		return 0;
	}
	e->flags |= s->text[EVENT_PATH].flags | (s->text[EVENT_PATH2].flags & RF_PATH_CUT);
	at = pack(p, e, EVENT_PATH, s->text[EVENT_PATH].b, s->text[EVENT_PATH].len, at);
	at = pack(p, e, EVENT_PATH2, s->text[EVENT_PATH2].b, s->text[EVENT_PATH2].len, at);
	at = pack(p, e, EVENT_PROGRAM, s->text[EVENT_PROGRAM].b, s->text[EVENT_PROGRAM].len, at);
	at = pack(p, e, EVENT_ARGS, s->args, s->args_len, at);
	at = pack(p, e, EVENT_CWD, s->text[TEXT_CWD].b, s->text[TEXT_CWD].len, at);
	at = pack(p, e, EVENT_FS, s->fs, s->fs_len, at);
	if (e->flags & RF_PATH_CUT)
		lose(CAUSE_PATH_CUT);
	e->size = at;
	__builtin_memcpy(p->b, e, sizeof(*e));
	/* A reader that is awake looks again by itself; one that sleeps asked to be woken, once. */
	if (c->sleeping) {
		c->sleeping = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	} else {
		flags = BPF_RB_NO_WAKEUP;
	}
	if (bpf_ringbuf_output(&ring, p->b, below(at, PARCEL_MAX), flags))
		lose(CAUSE_RING_FULL);
	return 0;
}

static __always_inline void event_send(void *ctx, struct event *e)
{
	(void)ctx;
	if (kind_wanted(e->kind))
		event_emit(0);
}

/* --- open files --- */

static __always_inline void fold_owner(struct fold *f)
{
	struct scratch *s = scratch_here();

	if (!s)
		return;
	/* Into the scratch's event, which is not in use between events: one reader of the task's facts for both. */
	event_task(&s->e, (struct task_struct *)bpf_get_current_task());
	f->pid = s->e.pid;
	f->start_ns = s->e.start_ns;
	f->ppid = s->e.ppid;
	f->pstart_ns = s->e.pstart_ns;
	f->uid = s->e.uid;
	f->real_uid = s->e.real_uid;
	f->login_uid = s->e.login_uid;
	f->session = s->e.session;
	f->mnt_ns = s->e.mnt_ns;
	__builtin_memcpy(f->comm, s->e.comm, sizeof(f->comm));
}

/* Tells of an open file and forgets it (or, while it is held open, goes on from zero). `with_path`: it is still there.
 */
__noinline int fold_tell(u64 key, u32 more_flags)
{
	struct file *file = (struct file *)key;
	struct fold *f = bpf_map_lookup_elem(&files, &key);
	struct event *e;
	bool held = more_flags & RF_HELD_OPEN;

	if (!f)
		return 0;
	if (f->level >= LEVEL_ALL || f->flags & CHANGED) {
		e = event_begin(KIND_FILE);
		if (!e)
			return 0;
		e->first_ns = f->first_ns;
		e->pid = f->pid;
		e->start_ns = f->start_ns;
		e->ppid = f->ppid;
		e->pstart_ns = f->pstart_ns;
		e->uid = f->uid;
		e->real_uid = f->real_uid;
		e->login_uid = f->login_uid;
		e->session = f->session;
		e->mnt_ns = f->mnt_ns;
		__builtin_memcpy(e->comm, f->comm, sizeof(e->comm));
		e->flags = (f->flags & ~FOLD_OWN) | more_flags;
		if (f->flags & FOLD_MAY_WRITE && !(f->flags & RF_WROTE))
			e->flags |= RF_WROTE | RF_GUESSED;
		if (f->flags & FOLD_MAY_READ && !(f->flags & RF_READ))
			e->flags |= RF_READ | RF_GUESSED;
		e->bytes_read = f->read;
		e->bytes_written = f->written;
		e->open_flags = f->open_flags;
		e->has |= EH_OPEN_FLAGS;
		event_path(e, EVENT_PATH, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
		event_dentry(e, BPF_CORE_READ(file, f_path.dentry));
		if (kind_wanted(KIND_FILE))
			event_emit(0);
	}
	if (held) {
		f->read = f->written = 0;
		f->flags &= RF_OPEN_AT_START | FOLD_MAPPED;
		f->first_ns = f->last_ns = bpf_ktime_get_boot_ns();
	} else {
		bpf_map_delete_elem(&files, &key);
	}
	return 0;
}

/* Puts a file into the table. */
static __always_inline struct fold *fold_add(struct file *file, u32 level, u32 flags)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u64 key = (u64)file;
	struct fold f = {.level = level, .flags = flags};

	f.first_ns = f.last_ns = bpf_ktime_get_boot_ns();
	f.open_flags = BPF_CORE_READ(file, f_flags);
	f.inode = BPF_CORE_READ(inode, i_ino);
	f.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	fold_owner(&f);
	if (bpf_map_update_elem(&files, &key, &f, BPF_ANY)) {
		lose(CAUSE_TABLE_FULL);
		return NULL;
	}
	return bpf_map_lookup_elem(&files, &key);
}

static __always_inline void file_opened(void *ctx, struct file *file)
{
	u32 mode = BPF_CORE_READ(file, f_mode), open_flags, level, flags = 0;
	u64 key = (u64)file;

	(void)ctx;
	if (!event_wanted())
		return;
	level = level_of_file(file);
	if (level == LEVEL_NONE || (level < LEVEL_ALL && !(mode & FMODE_WRITE_BIT)))
		return;
	/* The address was another file's, whose end nobody saw: its name is gone, its inode is told by the sweep's
	 * rules. */
	if (bpf_map_lookup_elem(&files, &key))
		lose(CAUSE_READ_FAILED);
	open_flags = BPF_CORE_READ(file, f_flags);
	if (mode & FMODE_CREATED_BIT)
		flags |= RF_CREATED;
	if ((open_flags & O_TMPFILE_BIT) == O_TMPFILE_BIT)
		flags |= RF_TMPFILE;
	if (open_flags & O_TRUNC_BIT && !(mode & FMODE_CREATED_BIT))
		flags |= RF_TRUNCATED;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT_BITS) == S_IFBLK_BITS)
		flags |= RF_DIRECT_BLOCK;
	fold_add(file, level, flags);
}

/* Bytes moved, or something else happened to an open file. One that is not in the table was opened before we looked. */
static __always_inline void file_moved(struct file *file, u64 nread, u64 nwritten, u32 flags)
{
	u64 key = (u64)file;
	struct fold *f = bpf_map_lookup_elem(&files, &key);

	if (!f) {
		u32 level;

		if (!file || !event_wanted())
			return;
		level = level_of_file(file);
		if (level == LEVEL_NONE || (level < LEVEL_ALL && !(flags & CHANGED)))
			return;
		f = fold_add(file, level,
			BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), group_leader, start_boottime) <
					since_ns
				? RF_OPEN_AT_START
				: 0);
		if (!f)
			return;
	}
	if (nread)
		__sync_fetch_and_add(&f->read, nread);
	if (nwritten)
		__sync_fetch_and_add(&f->written, nwritten);
	if ((f->flags & flags) != flags)
		f->flags |= flags;
	f->last_ns = bpf_ktime_get_boot_ns();
}

static __always_inline void file_closed(void *ctx, struct file *file)
{
	u64 key = address_of(file);

	(void)ctx;
	if (bpf_map_lookup_elem(&files, &key))
		fold_tell(key, 0);
}

/* Is this the only reference? */
static __always_inline bool file_is_last(struct file *file)
{
	if (bpf_core_field_exists(((struct file___ref *)0)->f_ref))
		return BPF_CORE_READ((struct file___ref *)file, f_ref.refcnt.counter) == 0;
	return BPF_CORE_READ((struct file___count *)file, f_count.counter) == 1;
}

/* --- processes: by tracepoints in both sets --- */

/* Program, folder and identity of a task. */
static __always_inline void event_program(struct event *e, struct task_struct *t)
{
	struct scratch *s = (struct scratch *)e;
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	struct file *exe = BPF_CORE_READ(mm, exe_file);

	root_of(s, t);
	text_path(s, TEXT_CWD, BPF_CORE_READ(t, fs, pwd.dentry), BPF_CORE_READ(t, fs, pwd.mnt));
	if (exe) {
		text_path(s, EVENT_PROGRAM, BPF_CORE_READ(exe, f_path.dentry), BPF_CORE_READ(exe, f_path.mnt));
		event_dentry(e, BPF_CORE_READ(exe, f_path.dentry));
	}
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s;
	struct event *e;
	unsigned long start, end;
	const char *filename, *interp;
	u64 n;

	if (!event_wanted())
		return 0;
	e = event_new(KIND_EXEC);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	event_program(e, t);
	filename = BPF_CORE_READ(bprm, filename);
	interp = BPF_CORE_READ(bprm, interp);
	if (filename != interp)
		event_string(e, EVENT_PATH, filename);
	start = BPF_CORE_READ(t, mm, arg_start);
	end = BPF_CORE_READ(t, mm, arg_end);
	n = end - start;
	if (end < start)
		n = 0;
	if (n > EVENT_ARGS_MAX - 1) {
		n = EVENT_ARGS_MAX - 1;
		e->flags |= RF_ARGS_CUT;
	}
	if (n && !bpf_probe_read_user(s->args, n & (EVENT_ARGS_MAX - 1), (const void *)start))
		s->args_len = n;
	else if (n)
		lose(CAUSE_READ_FAILED);
	event_send(ctx, e);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct event *e;

	/* A thread is no process. */
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid) || !event_wanted())
		return 0;
	e = event_begin(KIND_FORK);
	if (!e)
		return 0;
	event_task(e, child);
	event_send(ctx, e);
	return 0;
}

/* What a file's owner leaves behind: see tracepoint.bpf.c; the other set sees the last close itself. */
static __always_inline void exit_tell(void *ctx, struct task_struct *t)
{
	struct signal_struct *sig = BPF_CORE_READ(t, signal);
	struct event *e;
	u32 code;

	if (BPF_CORE_READ(sig, live.counter) != 0 || BPF_CORE_READ(t, flags) & PF_KTHREAD_BIT || !event_wanted())
		return;
	e = event_new(KIND_EXIT);
	if (!e)
		return;
	code = BPF_CORE_READ(t, exit_code);
	/* SIGNAL_GROUP_EXIT: exit_group(2), or a signal for all threads */
	if (BPF_CORE_READ(sig, flags) & 4)
		code = BPF_CORE_READ(sig, group_exit_code);
	e->exit_code = code >> 8 & 255;
	e->signal = code & 127;
	e->first_ns = e->start_ns;
	event_send(ctx, e);
}

/* --- iterators: by path, from user space --- */

SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct event *e;

	if (!t || BPF_CORE_READ(t, pid) != BPF_CORE_READ(t, tgid) || BPF_CORE_READ(t, flags) & PF_KTHREAD_BIT)
		return 0;
	e = event_begin(KIND_RUNNING);
	if (!e)
		return 0;
	event_task(e, t);
	e->first_ns = e->start_ns;
	event_program(e, t);
	event_send(ctx, e);
	return 0;
}

/* A walk over all open files: which of the table's are still there, and which have been there for long. */
SEC("iter/task_file")
int each_file(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct probe_control *c = control_here();
	u64 key = address_of(file);
	struct fold *f;

	if (!ctx->task || !file || !c)
		return 0;
	f = bpf_map_lookup_elem(&files, &key);
	if (!f || f->sweep == c->sweep)
		return 0;
	f->sweep = c->sweep;
	if (f->last_ns - f->first_ns > c->hold_ns ||
		(f->last_ns > f->first_ns && bpf_ktime_get_boot_ns() - f->first_ns > c->hold_ns))
		fold_tell(key, RF_HELD_OPEN);
	return 0;
}

#endif
