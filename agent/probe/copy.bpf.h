/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Bytes that the kernel itself carries from one file into another: copy_file_range, sendfile, reflinks, and splice
 * through a pipe. The first time that an open file takes bytes from a file, one event names both (KIND_COPY); what is
 * carried is then summed in the event of the open file, so that a copy in a thousand calls is told once.
 *
 * Only what is told here is called exact. A pipe into which something else was put than what was spliced from one file
 * makes no claim; what it could be is then left to who compares sizes (the recorder).
 */
#ifndef SEKISHO_PROBE_COPY_BPF_H
#define SEKISHO_PROBE_COPY_BPF_H

#include "agent/probe/fold.bpf.h"

#define PIPES_MAX 1024
#define S_IFIFO_BITS 0010000

/* What was spliced into a pipe: from which file, and how many bytes went in and out. */
struct pipe_from {
	u64 number;  /* of the pipe's inode: addresses are used again */
	u64 file_at; /* the kernel's address of the struct file, and of its inode: another one there, and it is gone */
	u64 inode_at;
	u64 in, out;
	u32 mixed; /* no claim can be made any more */
	u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PIPES_MAX);
	__type(key, u64); /* the kernel's address of the pipe's inode */
	__type(value, struct pipe_from);
} pipes SEC(".maps");

/* Where a path is too long for what is remembered: both are walked. */
static __always_inline void copy_tell_long(struct fold *f, struct file *from, struct file *to, u32 how)
{
	struct event *e = event_new(KIND_COPY);

	if (!e)
		return;
	event_path(e, EVENT_PATH, READ(to, f_path.dentry), READ(to, f_path.mnt));
	event_path(e, EVENT_PATH2, READ(from, f_path.dentry), READ(from, f_path.mnt));
	e->inode = f->e.inode;
	e->dev = f->e.dev;
	e->has |= EH_OBJECT;
	e->from_inode = f->e.from_inode;
	e->from_dev = f->e.from_dev;
	e->how = how;
	event_emit();
}

/* Who, and which object, stand in the fold already; the folder of the source is remembered. */
static __always_inline bool copy_tell_short(struct scratch *s, struct fold *f, struct file *from, u32 how)
{
	struct dentry *d = READ(from, f_path.dentry);
	struct vfsmount *mnt = READ(from, f_path.mnt);
	struct probe_control *c = control_here();
	struct parcel *p = parcel_of(s);
	u32 at = sizeof(struct event), n, name_n;
	struct name_at name = {0};
	struct dir *dir = NULL;
	struct event *e;

	if (f->allowed & FOLD_LONG || READ(mnt, mnt_root) == d || name_read(&name, (u64)d))
		return false;
	dir = dir_of(s, name.parent, (u64)mnt);
	name_n = name_len(&name);
	if (!c || !p || !dir || dir->len + 1 + name_n > 240)
		return false;
	e = (struct event *)p->b;
	__builtin_memcpy(e, &f->e, sizeof(*e));
	e->kind = KIND_COPY;
	e->flags = 0;
	e->has = EH_OBJECT;
	e->boot_ns = bpf_ktime_get_boot_ns();
	e->first_ns = 0;
	e->bytes_read = e->bytes_written = e->copied = 0;
	e->how = how;
	__builtin_memset(e->len, 0, sizeof(e->len));
	n = below(f->e.len[EVENT_PATH], 256);
	bpf_probe_read_kernel(&p->b[at], n, f->text);
	e->len[EVENT_PATH] = n;
	at += n;
	n = dir->len;
	bpf_probe_read_kernel(&p->b[below(at, 1024)], below(n, 256), dir->path);
	at += n;
	p->b[below(at, 1024)] = '/';
	bpf_probe_read_kernel(&p->b[below(at, 1024) + 1], below(name_n, 256), (void *)name.name);
	e->len[EVENT_PATH2] = n + 1 + name_n;
	at += 1 + name_n;
	e->size = at;
	ring_put(c, e, below(at, 1024));
	return true;
}

/*
 * Tells that `out`, which has a fold, takes bytes from `in`: both addresses of struct files. Global: looked at by the
 * verifier once.
 */
__noinline int copy_tell(u64 in, u64 out, u32 how)
{
	struct fold *f = bpf_map_lookup_elem(&files, &out);
	bool fresh = false;
	struct scratch *s;

	if (!f || !kind_wanted(KIND_COPY))
		return 0;
	s = scratch_claim(&fresh);
	if (!s)
		return 0;
	if (!copy_tell_short(s, f, (struct file *)in, how))
		copy_tell_long(f, (struct file *)in, (struct file *)out, how);
	if (fresh)
		s->owner = 0;
	return 0;
}

/* More bytes of the file that the last ones came from. */
static __always_inline bool took_more(struct fold *f, u64 from, u32 dev, u64 n)
{
	if (!f->e.how || f->e.from_inode != from || f->e.from_dev != dev)
		return false;
	__sync_fetch_and_add(&f->e.copied, n);
	return true;
}

/* The first bytes of another file: `from` and `dev` are its inode's numbers, `in` the address of its struct file. */
static __always_inline void took_first(struct fold *f, u64 from, u32 dev, u64 n, u64 in, u64 out, u32 how)
{
	f->e.from_inode = from;
	f->e.from_dev = dev;
	f->e.copied = n;
	f->e.how = how;
	copy_tell(in, out, how);
}

/* Bytes of a file are in a pipe. */
static __always_inline void pipe_took(struct file *in, struct file *out, u64 n)
{
	u64 key = (u64)FILE_READ(out, f_inode), number = FILE_READ(out, f_inode, i_ino);
	u64 inode = (u64)FILE_READ(in, f_inode);
	struct pipe_from *p = bpf_map_lookup_elem(&pipes, &key), fresh = {0};

	if (p && p->number == number) {
		if (p->inode_at == inode) {
			p->file_at = address_of(in);
			__sync_fetch_and_add(&p->in, n);
			return;
		}
		/* what another file put in must be out by now */
		fresh.mixed = p->mixed || p->in != p->out;
	}
	fresh.number = number;
	fresh.file_at = address_of(in);
	fresh.inode_at = inode;
	fresh.in = n;
	bpf_map_update_elem(&pipes, &key, &fresh, BPF_ANY);
}

/* Bytes of a pipe are in a file: whose are they? */
static __always_inline void pipe_gave(struct file *in, struct file *out, struct fold *f, u64 n)
{
	u64 key = (u64)FILE_READ(in, f_inode);
	struct pipe_from *p = bpf_map_lookup_elem(&pipes, &key);
	struct inode *inode;
	u64 file, number;
	u32 dev;

	if (!p || p->number != FILE_READ(in, f_inode, i_ino))
		return;
	/* more came out than was spliced in: somebody wrote into it as well */
	__sync_fetch_and_add(&p->out, n);
	if (p->out > p->in)
		p->mixed = 1;
	file = p->file_at;
	inode = READ((struct file *)file, f_inode);
	if (p->mixed || !f || (u64)inode != p->inode_at)
		return;
	number = READ(inode, i_ino);
	dev = READ(inode, i_sb, s_dev);
	if (!took_more(f, number, dev, n))
		took_first(f, number, dev, n, file, address_of(out), REASON_SPLICE);
}

static __always_inline u32 file_kind(struct file *file)
{
	return FILE_READ(file, f_inode, i_mode) & S_IFMT_BITS;
}

/*
 * The kernel carried `n` bytes from one file into another, whose fold is `f` (NULL: nobody wants to hear of it); `how`
 * is REASON_*.
 */
static __always_inline void file_copied(struct file *in, struct file *out, struct fold *f, u64 n, u32 how)
{
	u64 number;
	u32 dev;

	if (!f || file_kind(in) != S_IFREG_BITS)
		return;
	number = FILE_READ(in, f_inode, i_ino);
	dev = FILE_READ(in, f_inode, i_sb, s_dev);
	if (!took_more(f, number, dev, n))
		took_first(f, number, dev, n, address_of(in), address_of(out), how);
}

/* The same of splice(2): one of the two is a pipe. */
static __always_inline void file_spliced(struct file *in, struct file *out, struct fold *f, u64 n)
{
	if (file_kind(in) == S_IFIFO_BITS)
		pipe_gave(in, out, f, n);
	else if (file_kind(in) == S_IFREG_BITS && file_kind(out) == S_IFIFO_BITS)
		pipe_took(in, out, n);
}

#endif
