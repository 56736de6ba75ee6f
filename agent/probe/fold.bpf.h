/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Open files: all that is done through one, from its opening to its last close, becomes one event. The event is made
 * ready when the file is opened, with its path as it was then; what moves bytes finds it by the address of the struct
 * file and adds; the end sends it.
 *
 * Addresses are used again. So a fold knows its file's inode, and one that was left behind (its end was not seen) is
 * told with RF_NOT_LAST_CLOSE when its address is met again, or by a sweep, never mixed with another file's.
 */
#ifndef SEKISHO_PROBE_FOLD_BPF_H
#define SEKISHO_PROBE_FOLD_BPF_H

#include "agent/probe/emit.bpf.h"

#define FMODE_WRITE_BIT 0x2u
#define FMODE_PATH_BIT 0x4000u
#define FMODE_CREATED_BIT 0x100000u
#define FMODE_EXEC_FLAG 0x20u /* in f_flags: opened by the kernel to run it */
#define O_TRUNC_BIT 01000u
#define O_TMPFILE_BIT 020000000u

/* Flags that say that something changed, for files of which only changes are worth a record. */
#define CHANGED (RF_CREATED | RF_WROTE | RF_MMAP_WRITE | RF_CLONE | RF_TRUNCATED | RF_TMPFILE)

/*
 * The programs of one set get files with their type, as arguments: their fields are read without a call by any kernel.
 * To the other they are plain numbers.
 */
#ifdef FILES_TYPED
#define FILE_READ(file, a...) READ_TYPED(file, ##a)
#define FILE_CHEAP true
#else
#define FILE_READ(file, a...) READ(file, ##a)
#define FILE_CHEAP CASTS
#endif

/*
 * Could the file be one that is folded? Pipes and sockets are not: where it costs no call to see that, they are not
 * looked for in the table.
 */
static __always_inline bool file_counts(struct file *file)
{
	u32 kind;

	if (!FILE_CHEAP)
		return true;
	kind = FILE_READ(file, f_inode, i_mode) & S_IFMT_BITS;
	return kind == S_IFREG_BITS || kind == S_IFBLK_BITS;
}

/* How many have the file open: 0 where it is gone. */
static __always_inline long file_users(struct file *file)
{
	long n;

	if (bpf_core_field_exists(((struct file___ref *)0)->f_ref)) {
		n = READ((struct file___ref *)file, f_ref.refcnt.counter);
		return n < 0 ? 0 : n + 1;
	}
	return READ((struct file___count *)file, f_count.counter);
}

/* Is this the only reference? */
static __always_inline bool file_is_last(struct file *file)
{
	return file_users(file) == 1;
}

/*
 * The path was too long for the entry: the event is put together anew, in a scratch. Global: looked at by the verifier
 * once.
 */
__noinline int fold_tell_long(u64 key)
{
	struct file *file = (struct file *)key;
	struct fold *f = bpf_map_lookup_elem(&files, &key);
	struct scratch *s;
	struct event *whole;
	bool fresh = false;

	if (!f)
		return 0;
	s = scratch_claim(&fresh);
	whole = event_begin(KIND_FILE);
	if (!s || !whole)
		return 0;
	__builtin_memcpy(whole, &f->e, sizeof(*whole));
	whole->flags &= ~RF_PATH_CUT;
	__builtin_memset(whole->len, 0, sizeof(whole->len));
	event_path(whole, EVENT_PATH, READ(file, f_path.dentry), READ(file, f_path.mnt));
	s = (struct scratch *)whole;
	s->fs_len = 0;
	event_emit();
	if (fresh)
		s->owner = 0;
	return 0;
}

/* Tells of an open file and forgets it (or, while it is held open, goes on from zero). */
static __always_inline int fold_end(struct fold *f, u64 key, u32 more)
{
	struct file *file = (struct file *)key;
	struct probe_control *c = control_here();
	struct event *e = &f->e;
	struct inode *inode;
	struct dentry *d;
	u32 flags;
	bool here;

	if (!c)
		return 0;
	inode = (struct inode *)f->inode_at;
	here = !(more & RF_NOT_LAST_CLOSE) && READ(file, f_inode) == inode;
	flags = e->flags | more;
	if (e->bytes_read)
		flags |= RF_READ;
	if (e->bytes_written)
		flags |= RF_WROTE;
	if (here) {
		u64 size = READ(inode, i_size);

		d = READ(file, f_path.dentry);
		if (!READ(d, d_hash.pprev) && d != READ(d, d_parent))
			flags |= RF_UNLINKED;
		e->file_size = size;
		e->has |= EH_SIZE;
		/* Bytes that moved by a way that nobody counts. */
		if (f->allowed & FOLD_MAY_WRITE && !(flags & (RF_WROTE | RF_MMAP_WRITE))) {
			flags |= RF_WROTE | RF_GUESSED;
			e->bytes_written = size > f->size ? size - f->size : 0;
		}
		if (f->allowed & FOLD_MAY_READ && !(flags & RF_READ) && size) {
			flags |= RF_READ | RF_GUESSED;
			e->bytes_read = 0;
		}
	} else {
		flags |= RF_NOT_LAST_CLOSE;
	}
	if ((f->level >= LEVEL_ALL || flags & CHANGED) && kind_wanted(KIND_FILE)) {
		u32 n = e->size;

		e->boot_ns = bpf_ktime_get_boot_ns();
		e->flags = flags;
		if (f->allowed & FOLD_LONG && here) {
			fold_tell_long(key);
		} else {
			if (n > sizeof(struct event) + FOLD_TEXT_MAX)
				n = sizeof(struct event) + FOLD_TEXT_MAX;
			ring_put(c, e, n);
		}
	}
	if (more & RF_HELD_OPEN) {
		e->bytes_read = e->bytes_written = 0;
		e->flags &= RF_OPEN_AT_START | RF_TMPFILE | RF_DIRECT_BLOCK | RF_PATH_CUT | RF_OWN_NAME;
		e->first_ns = bpf_ktime_get_boot_ns();
		f->size = e->file_size;
		f->allowed &= FOLD_LONG;
		return 0;
	}
	bpf_map_delete_elem(&files, &key);
	return 0;
}

/* The same, of whom only the address is known. Global: looked at by the verifier once. */
__noinline int fold_tell(u64 key, u32 more)
{
	struct fold *f = bpf_map_lookup_elem(&files, &key);

	return f ? fold_end(f, key, more) : 0;
}

/* What the last walk found, or its tail: for the case that the file is gone when it is told. */
static __always_inline u32 fold_long_path(struct scratch *s, struct fold *f)
{
	u32 at, n;

	at = below(s->back_at, EVENT_PATH_MAX);
	n = EVENT_PATH_MAX - at;
	if (n > 240) {
		at = EVENT_PATH_MAX - 240;
		n = 240;
		f->e.flags |= RF_PATH_CUT;
		f->allowed |= FOLD_LONG;
	}
	bpf_probe_read_kernel(f->text, below(n, 256), &s->back[at]);
	return n;
}

/*
 * The beginning of a structure of the kernel's, read at once where each reading is a call: one instead of one for each
 * field. A field that lies further on in this kernel is read by itself.
 */
#define HEAD_HAS(type, field) (bpf_core_field_offset(type, field) + sizeof(((type *)0)->field) <= HEAD_MAX)
#define HEAD_READ(head, type, from, field)                                                       \
	({                                                                                       \
		typeof(((type *)0)->field) value;                                                \
		if (!CASTS && HEAD_HAS(type, field))                                             \
			value = *(typeof(value) *)((head) + bpf_core_field_offset(type, field)); \
		else                                                                             \
			value = READ((type *)(from), field);                                     \
		value;                                                                           \
	})

/*
 * A file was opened: what is it, is it worth a record, and if so an entry for it. `asked` are the flags of open(2),
 * `more` flags of the record, `task` 0 for the current one.
 */
static __always_inline int fold_put(struct scratch *s, u64 key, u32 asked, u32 more, u64 task)
{
	struct file *file = (struct file *)key;
	struct probe_control *c = control_here();
	struct name_at name = {0};
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct inode *inode;
	struct fold *f;
	struct dir *d = NULL;
	u32 mode, kind, level, n = 0, fs_at;
	char *text;

	if (!c)
		return 0;
	if (!CASTS && bpf_probe_read_kernel(s->file_head, HEAD_MAX, file))
		return 0;
	mode = HEAD_READ(s->file_head, struct file, file, f_mode);
	inode = HEAD_READ(s->file_head, struct file, file, f_inode);
	if (!CASTS && bpf_probe_read_kernel(s->inode_head, HEAD_MAX, inode))
		return 0;
	kind = HEAD_READ(s->inode_head, struct inode, inode, i_mode) & S_IFMT_BITS;
	if ((kind != S_IFREG_BITS && kind != S_IFBLK_BITS) || mode & FMODE_PATH_BIT)
		return 0;
	if (bpf_map_lookup_elem(&files, &key))
		fold_tell(key, RF_NOT_LAST_CLOSE);
	/* Nothing is worth a record for having been read: no name needs to be looked at. */
	if (kind == S_IFREG_BITS && c->level_max < LEVEL_ALL && !(mode & (FMODE_WRITE_BIT | FMODE_CREATED_BIT)))
		return 0;
	mnt = HEAD_READ(s->file_head, struct file, file, f_path.mnt);
	dentry = HEAD_READ(s->file_head, struct file, file, f_path.dentry);
	if (name_read(&name, (u64)dentry))
		return 0;
	/* A stacked file system opens the file below under the name that its own has: it has one, where it lies. */
	if (name.inode != (u64)inode) {
		struct hlist_node *alias = READ(inode, i_dentry.first);
		struct dentry *real = (struct dentry *)((char *)alias - bpf_core_field_offset(struct dentry, d_u));

		if (alias && mount_is_foreign((u64)mnt) && !name_read(&name, (u64)real))
			dentry = real;
	}
	f = &s->fold;
	text = f->text;
	f->allowed = 0;
	f->e.flags = more;
	/* A mount may be of one file: then its folder is elsewhere. */
	if (READ(mnt, mnt_root) != dentry)
		d = dir_of(s, name.parent, (u64)mnt);
	if (d) {
		level = d->level;
		/* An open for reading where only changes matter ends here, before any string is touched. */
		if (kind == S_IFREG_BITS && !(d->flags & DIR_LOOK_CLOSER) &&
			(level == LEVEL_NONE || (level < LEVEL_ALL && !(mode & (FMODE_WRITE_BIT | FMODE_CREATED_BIT)))))
			return 0;
		n = d->len;
	}
	if (d && n + 1 + name_len(&name) <= 240) {
		bpf_probe_read_kernel(text, below(n, 256), d->path);
		text[below(n, 256)] = '/';
		bpf_probe_read_kernel(&text[below(n, 256) + 1], name_len(&name), (void *)name.name);
		n += 1 + name_len(&name);
		if (d->flags & DIR_LOOK_CLOSER) {
			text[below(n, 256)] = 0;
			bpf_probe_read_kernel(s->key.path, PROBE_PREFIX_MAX, text);
			s->key.bits = 8 * (n + 1);
			level = level_of_key(s);
		}
	} else {
		struct super_block *sb = HEAD_READ(s->inode_head, struct inode, inode, i_sb);

		if (magic_skipped(READ(sb, s_magic)) || READ(sb, s_flags) & SB_KERNMOUNT_BIT)
			return 0;
		text_path(s, EVENT_PATH, dentry, mnt);
		level = level_of_text(s, EVENT_PATH);
		f->e.flags |= s->text[EVENT_PATH].flags & RF_OWN_NAME;
		n = fold_long_path(s, f);
		d = NULL;
	}
	if (kind == S_IFBLK_BITS)
		level = LEVEL_ALL;
	if (level == LEVEL_NONE || (level < LEVEL_ALL && !(mode & (FMODE_WRITE_BIT | FMODE_CREATED_BIT))))
		return 0;
	more = f->e.flags;
	__builtin_memset(&f->e, 0, sizeof(f->e));
	f->e.version = EVENT_VERSION;
	f->e.kind = KIND_FILE;
	f->e.len[EVENT_PATH] = n;
	fs_at = n;
	if (d) {
		bpf_probe_read_kernel(&text[below(fs_at, 256)], FS_NAME_MAX, d->fs);
		f->e.len[EVENT_FS] = d->fs_len;
		n += d->fs_len;
		if (d->flags & DIR_OWN_NAME)
			more |= RF_OWN_NAME;
	}
	f->e.size = sizeof(struct event) + n;
	if (mode & FMODE_CREATED_BIT)
		more |= RF_CREATED;
	else if (asked & O_TRUNC_BIT)
		more |= RF_TRUNCATED;
	if (asked & O_TMPFILE_BIT)
		more |= RF_TMPFILE | RF_CREATED;
	f->level = level;
	f->inode_at = (u64)inode;
	f->size = HEAD_READ(s->inode_head, struct inode, inode, i_size);
	f->e.inode = HEAD_READ(s->inode_head, struct inode, inode, i_ino);
	f->e.dev = d ? d->dev : READ(inode, i_sb, s_dev);
	f->e.fs_magic = d ? d->magic : 0;
	if (kind == S_IFBLK_BITS) {
		more |= RF_DIRECT_BLOCK;
		f->e.dev = READ(inode, i_rdev);
		f->e.inode = 0;
	}
	f->e.flags = more;
	f->e.has = EH_OBJECT | EH_OPEN_FLAGS;
	f->e.open_flags = HEAD_READ(s->file_head, struct file, file, f_flags) | (asked & (O_TRUNC_BIT | O_TMPFILE_BIT));
	f->e.first_ns = bpf_ktime_get_boot_ns();
	if (task)
		event_task(&f->e, (struct task_struct *)task);
	else
		event_self(&f->e);
	if (bpf_map_update_elem(&files, &key, f, BPF_ANY))
		lose(CAUSE_TABLE_FULL);
	return 0;
}

/* The same, in a scratch. Global: looked at by the verifier once. */
__noinline int fold_begin(u64 key, u32 asked, u32 more, u64 task)
{
	bool fresh = false;
	struct scratch *s;

	if (!task && !event_wanted())
		return 0;
	s = scratch_claim(&fresh);
	if (!s)
		return 0;
	fold_put(s, key, asked, more, task);
	if (fresh)
		s->owner = 0;
	return 0;
}

static __always_inline void file_opened(void *ctx, struct file *file)
{
	u32 flags = FILE_READ(file, f_flags);

	(void)ctx;
	if (!(flags & FMODE_EXEC_FLAG) && file_counts(file))
		fold_begin(address_of(file), flags, 0, 0);
}

/*
 * Bytes moved, or something else happened to an open file. Its entry; NULL where it has none: then it is one that the
 * filter does not want.
 */
static __always_inline struct fold *file_moved(struct file *file, u64 nread, u64 nwritten, u32 flags)
{
	u64 key = (u64)file;
	struct fold *f;

	if (!file_counts(file))
		return NULL;
	f = bpf_map_lookup_elem(&files, &key);
	if (!f)
		return NULL;
	if (f->inode_at != (u64)FILE_READ(file, f_inode)) {
		fold_tell(address_of(file), RF_NOT_LAST_CLOSE);
		return NULL;
	}
	if (nread)
		__sync_fetch_and_add(&f->e.bytes_read, nread);
	if (nwritten)
		__sync_fetch_and_add(&f->e.bytes_written, nwritten);
	if ((f->e.flags & flags) != flags)
		f->e.flags |= flags;
	return f;
}

/* The kernel let bytes be moved, by whatever way. Where no count comes, this is all that is known. */
static __always_inline void file_allowed(struct file *file, bool to_read, bool to_write)
{
	u64 key = (u64)file;
	struct fold *f;

	if (!file_counts(file))
		return;
	f = bpf_map_lookup_elem(&files, &key);
	if (!f || f->inode_at != (u64)FILE_READ(file, f_inode))
		return;
	if (to_read && !(f->allowed & FOLD_MAY_READ))
		f->allowed |= FOLD_MAY_READ;
	if (to_write && !(f->allowed & FOLD_MAY_WRITE))
		f->allowed |= FOLD_MAY_WRITE;
}

static __always_inline void file_closed(void *ctx, struct file *file)
{
	u64 key = (u64)file;

	(void)ctx;
	/* of whichever kind it says it is: one whose opening failed is of none any more */
	if (bpf_map_lookup_elem(&files, &key))
		fold_tell(address_of(file), 0);
}

/* --- iterators: by path, from user space --- */

/* What is open already when recording begins. */
SEC("iter/task_file")
int each_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	u64 key = address_of(file);

	if (!t || !file || bpf_map_lookup_elem(&files, &key) || !process_wanted(READ(t, tgid)))
		return 0;
	fold_begin(key, READ(file, f_flags) & ~(O_TRUNC_BIT | O_TMPFILE_BIT), RF_OPEN_AT_START, address_of(t));
	return 0;
}

/* A sweep: which files of the table are gone without a close that was seen, and which have been in use for long. */
static __always_inline void fold_look(u64 key)
{
	struct probe_control *c = control_here();
	struct fold *f = bpf_map_lookup_elem(&files, &key);
	struct file *file = (struct file *)key;

	if (!c || !f)
		return;
	if (f->inode_at != (u64)READ(file, f_inode) || !file_users(file))
		fold_tell(key, RF_NOT_LAST_CLOSE);
	else if (bpf_ktime_get_boot_ns() - f->e.first_ns > c->hold_ns &&
		 (f->e.bytes_read || f->e.bytes_written || f->e.flags & CHANGED))
		fold_tell(key, RF_HELD_OPEN);
}

static long fold_visit(void *map, u64 *key, struct fold *f, void *ctx)
{
	(void)map;
	(void)f;
	(void)ctx;
	fold_look(*key);
	return 0;
}

/*
 * The walk is begun by the first entry of an iterator, whichever that is. Since 5.13. Not by an iterator over the table
 * itself, which some hardened kernels refuse.
 */
SEC("iter/bpf_map")
int each_fold(struct bpf_iter__bpf_map *ctx)
{
	if (ctx->map && !ctx->meta->seq_num)
		bpf_for_each_map_elem(&files, fold_visit, NULL, 0);
	return 0;
}

/* Before. The loader picks by the kernel's BTF. */
SEC("iter/bpf_map_elem")
int each_fold_old(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *at = ctx->key;

	if (at)
		fold_look(*at);
	return 0;
}

#endif
