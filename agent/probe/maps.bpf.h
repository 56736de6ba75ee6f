/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The tables that both sets of kernel programs share, the page by which user space steers them, and how a loss is
 * counted. Included first by every other part of common.bpf.h.
 *
 * Nothing may be lost without lose().
 */
#ifndef SEKISHO_PROBE_MAPS_BPF_H
#define SEKISHO_PROBE_MAPS_BPF_H

#include "agent/probe/read.bpf.h"

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

#define DIRS_MAX 4096
#define DIR_PATH_MAX 247 /* longer ones are walked each time */
#define FS_NAME_MAX 16
#define HEAD_MAX 96u      /* see fold.bpf.h */
#define FOLD_TEXT_MAX 272 /* path and type of file system of an open file; longer paths are walked again at the end */

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

/* One open file, from its opening to its last close. The event is kept ready to be sent: its strings follow it. */
struct fold {
	u64 inode_at; /* the kernel's address of its inode: another one there, and the struct file is another's by now
		       */
	u64 size;     /* of the file when it was opened, or last told */
	u32 level;    /* LEVEL_* */
	u32 allowed;  /* FOLD_*: what is known beside the event */
	struct event e;
	char text[FOLD_TEXT_MAX];
};

#define FOLD_MAY_READ 1u  /* the kernel let bytes be read, whoever counts them */
#define FOLD_MAY_WRITE 2u /* the same for writing */
#define FOLD_LONG 4u      /* `text` has only the tail of the path */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_FILES_MAX);
	__type(key, u64); /* the kernel's address of the struct file */
	__type(value, struct fold);
} files SEC(".maps");

/*
 * Folders that were looked at: path, and what the filter says of what lies in them. A folder's dentry may be another's
 * later: so its name, parent and inode are part of the key, and every change of a folder's place raises `generation`.
 */
struct dir_key {
	u64 dentry, mnt, parent, hash_len, inode, generation;
};

#define DIR_LOOK_CLOSER 1u /* the filter names something in this very folder: its level is not that of all in it */
#define DIR_OWN_NAME 2u    /* RF_OWN_NAME */

struct dir {
	u16 len; /* of the path; 0 for "/" */
	u8 level;
	u8 flags;
	u8 fs_len;
	u8 reserved[3];
	u32 dev, magic; /* of its file system */
	char fs[FS_NAME_MAX];
	char path[DIR_PATH_MAX + 1];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DIRS_MAX);
	__type(key, struct dir_key);
	__type(value, struct dir);
} dirs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROBE_PREFIXES_MAX);
	__type(key, struct probe_prefix);
	__type(value, u32);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROBE_POINTS_MAX);
	__type(key, struct probe_part);
	__type(value, struct probe_point);
} points SEC(".maps");

/* As struct path, but of our own: nothing to be found on the kernel that runs. */
struct place {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

/* A string under construction. */
struct text {
	char b[EVENT_PATH_MAX];
	u32 len;
	u32 flags;  /* RF_PATH_CUT, RF_UNLINKED */
	u32 folder; /* length of the part before the two slashes, where the caller's own words follow */
	u32 reserved;
	char spare[512]; /* never used: lets the verifier see that a masked offset and one more name stay inside */
};

#define TEXTS 4 /* path, path2, program, cwd; a power of two */
#define TEXT_CWD 3

/*
 * Where an event is put together. Each CPU has some: where the kernel takes the CPU from a program of ours in the
 * middle of its work, the next one takes another scratch (scratch_claim).
 */
#define SCRATCHES 3

struct scratch {
	struct event e;
	u64 owner; /* the task that works here; 0: nobody */
	u32 slot, reserved3;
	struct text text[TEXTS];
	char args[EVENT_ARGS_MAX];
	u32 args_len;
	u32 fs_len;
	char fs[FS_NAME_MAX];
	struct probe_prefix key;
	char key_spare[PROBE_PREFIX_MAX];
	struct dir_key dir_key;
	struct dir dir;
	char dir_spare[16];
	struct place at;           /* what path_back is asked for: out of memory, any pointer comes as a number */
	u32 back_at, back_flags;   /* its answer */
	u64 back_root, back_first; /* of walk_back: where a mount ends, where it begins; 0: to the file system's root */
	struct probe_part part;
	char back[EVENT_PATH_MAX + 256];
	struct fold fold;
	char fold_spare[512];
	char file_head[HEAD_MAX], inode_head[HEAD_MAX];
	/* of the tracepoint set */
	u64 fds[64];
	struct place folder; /* see text_user */
	u64 found;           /* see child_find */
	u64 name[8], other[8];
	u32 state, reserved; /* of text_is_tricky */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCHES);
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
	__uint(max_entries, SCRATCHES);
	__type(key, u32);
	__type(value, struct parcel);
} parcels SEC(".maps");

char _license[] SEC("license")
= "Dual BSD/GPL";

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

/* The scratch that the current task has claimed on this CPU. */
static __always_inline struct scratch *scratch_here(void)
{
	u64 me = bpf_get_current_task();
	u32 i;

#pragma unroll
	for (i = 0; i < SCRATCHES; i++) {
		u32 slot = i;
		struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);

		if (s && s->owner == me)
			return s;
	}
	return NULL;
}

/*
 * Claims one, or takes the one that the task has already (*fresh: false). Two tasks can meet between the look and the
 * store; the one whose owner was overwritten finds nothing when it packs, and its event is counted. NULL, counted,
 * where all are in use.
 */
static __always_inline struct scratch *scratch_claim(bool *fresh)
{
	u64 me = bpf_get_current_task();
	u32 i;

#pragma unroll
	for (i = 0; i < SCRATCHES; i++) {
		u32 slot = i;
		struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);

		if (!s)
			return NULL;
		if (s->owner == me) {
			*fresh = false;
			return s;
		}
		if (!s->owner) {
			s->owner = me;
			s->slot = slot;
			*fresh = true;
			return s;
		}
	}
	lose(CAUSE_READ_FAILED);
	return NULL;
}

static __always_inline void scratch_release(void)
{
	struct scratch *s = scratch_here();

	if (s)
		s->owner = 0;
}

static __always_inline struct parcel *parcel_of(struct scratch *s)
{
	u32 slot = s->slot;

	return bpf_map_lookup_elem(&parcels, &slot);
}

/* A program that makes an event: what it claimed for that is released at its end, whichever. As BPF_PROG. */
#define EVENT_PROG(name, args...)                                                                         \
	name(unsigned long long *ctx);                                                                    \
	static __always_inline int ____##name(unsigned long long *ctx, ##args);                           \
	int name(unsigned long long *ctx)                                                                 \
	{                                                                                                 \
		int r;                                                                                    \
                                                                                                          \
		_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wint-conversion\"") r = \
			____##name(___bpf_ctx_cast(args));                                                \
		_Pragma("GCC diagnostic pop") scratch_release();                                          \
		return r;                                                                                 \
	}                                                                                                 \
	static __always_inline int ____##name(unsigned long long *ctx, ##args)

/* Is anything that a process does worth telling? */
static __always_inline bool process_wanted(u32 tgid)
{
	struct probe_control *c = control_here();
	u32 i;

	if (!c || !c->active)
		return false;
	for (i = 0; i < PROBE_SKIP_PIDS_MAX; i++)
		if (c->skip_pid[i] == tgid)
			return false;
	return true;
}

static __always_inline bool event_wanted(void)
{
	return process_wanted(TYPED_TASK ? task_here()->tgid : bpf_get_current_pid_tgid() >> 32);
}

static __always_inline bool kind_wanted(u32 kind)
{
	struct probe_control *c = control_here();

	return c && (c->kinds >> (kind & 63) & 1);
}

/* A folder has another place now: what was remembered of folders is worth nothing. */
static __always_inline void names_changed(void)
{
	struct probe_control *c = control_here();

	if (c)
		__sync_fetch_and_add(&c->generation, 1);
}

/*
 * Into the ring buffer. A reader that is awake looks again by itself; one that sleeps asked to be woken, once. It may
 * have asked between our look and our writing: so the look comes behind, and the waking is an entry that says nothing.
 */
static __always_inline void ring_put(struct probe_control *c, void *p, u32 n)
{
	void *knock;

	if (bpf_ringbuf_output(&ring, p, n, BPF_RB_NO_WAKEUP)) {
		lose(CAUSE_RING_FULL);
		return;
	}
	if (!c->sleeping)
		return;
	c->sleeping = 0;
	knock = bpf_ringbuf_reserve(&ring, 8, 0);
	if (knock)
		bpf_ringbuf_discard(knock, BPF_RB_FORCE_WAKEUP);
}

#endif
