/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a file is called, and what the filter says of that: the walk up from a name across mounts to the root of the
 * mount namespace (not the process's root: a chroot must not make a path look like another), and what is remembered of
 * folders so that most files need no walk.
 *
 * In a mount namespace of somebody's own (a container) a file is called what it is on the PC, where that is mounted
 * there: what he mounts it as is not its name. Other files (his own file systems, overlays of container images) have no
 * other name than his: RF_OWN_NAME.
 */
#ifndef SEKISHO_PROBE_PATH_BPF_H
#define SEKISHO_PROBE_PATH_BPF_H

#include "agent/probe/maps.bpf.h"

#define HOPS_MAX 192

#define S_IFMT_BITS 0170000
#define S_IFDIR_BITS 0040000
#define S_IFREG_BITS 0100000
#define S_IFBLK_BITS 0060000
#define SB_KERNMOUNT_BIT (1ul << 22)

static __always_inline struct mount *real_mount(struct vfsmount *mnt)
{
	return (struct mount *)((char *)mnt - bpf_core_field_offset(struct mount, mnt));
}

/* A name in its folder. */
struct name_at {
	u64 parent, hash_len, name, inode;
};

/* The four lie side by side in the kernels that we know: then one call is enough. */
static __always_inline long name_read(struct name_at *n, u64 dentry)
{
	struct dentry *d = (struct dentry *)dentry;
	const u32 at = bpf_core_field_offset(struct dentry, d_parent);

	if (CASTS) {
		d = CAST(d);
		n->parent = (u64)d->d_parent;
		n->hash_len = (u64)d->d_name.len << 32 | d->d_name.hash;
		n->name = (u64)d->d_name.name;
		n->inode = (u64)d->d_inode;
		return 0;
	}
	if (bpf_core_field_offset(struct dentry, d_name) == at + 8 &&
		bpf_core_field_offset(struct dentry, d_inode) == at + 24)
		return bpf_probe_read_kernel(n, sizeof(*n), (char *)d + at);
	n->parent = (u64)BPF_CORE_READ(d, d_parent);
	n->hash_len = BPF_CORE_READ(d, d_name.hash_len);
	n->name = (u64)BPF_CORE_READ(d, d_name.name);
	n->inode = (u64)BPF_CORE_READ(d, d_inode);
	return 0;
}

static __always_inline u32 name_len(const struct name_at *n)
{
	return n->hash_len >> 32 & 255;
}

/* The mount namespace that a mount is of; 0: of none (a stacked file system's own, a detached one, the kernel's). */
static __always_inline u32 mount_ns(u64 mnt)
{
	return READ(real_mount((struct vfsmount *)mnt), mnt_ns, ns.inum);
}

/* Is a mount not of the PC's own mount namespace? */
static __always_inline bool mount_is_foreign(u64 mnt)
{
	struct probe_control *c = control_here();

	return c && c->host_mnt_ns && mount_ns(mnt) != c->host_mnt_ns;
}

/*
 * Writes the names of s->at backwards, so that they end at back[EVENT_PATH_MAX] and begin at back[back_at]: across
 * mounts to the root of the mount namespace, or with back_root 0 to the file system's own. A path of more than HOPS_MAX
 * names, or longer than the text, keeps its tail (back_flags). Global, so that the verifier looks at it once; hence it
 * takes no pointers, and its counts live in memory, where they are any number to the verifier.
 */
__noinline int walk_back(void)
{
	struct scratch *s = scratch_here();
	u64 root, first, dentry, mnt;
	struct name_at n;
	u32 i;

	if (!s)
		return 0;
	dentry = (u64)s->at.dentry;
	mnt = (u64)s->at.mnt;
	root = s->back_root;
	first = s->back_first;
	s->back_at = EVENT_PATH_MAX;
	s->back_flags = RF_PATH_CUT;
	for (i = 0; i < HOPS_MAX; i++) {
		u32 len, at;

		if (dentry == root) {
			struct mount *m = real_mount((struct vfsmount *)mnt), *up = READ(m, mnt_parent);

			if (up == m || !up) {
				s->back_flags = 0;
				break;
			}
			dentry = (u64)READ(m, mnt_mountpoint);
			mnt = (u64)up + bpf_core_field_offset(struct mount, mnt);
			root = (u64)READ((struct vfsmount *)mnt, mnt_root);
			continue;
		}
		if (name_read(&n, dentry))
			break;
		/* The root of nothing that is mounted (a memfd, say) has a name all the same. */
		if (n.parent == dentry && dentry != first) {
			s->back_flags = 0;
			break;
		}
		len = name_len(&n);
		at = s->back_at;
		if (at < len + 1)
			break;
		at -= len + 1;
		s->back[below(at, EVENT_PATH_MAX)] = '/';
		if (bpf_probe_read_kernel(&s->back[below(at, EVENT_PATH_MAX) + 1], len, (void *)n.name))
			break;
		s->back_at = at;
		if (n.parent == dentry) {
			s->back_flags = 0;
			break;
		}
		dentry = n.parent;
	}
	return 0;
}

/* Names from a file system's own root become those from the PC's; false where that part of it is mounted nowhere. */
static __always_inline bool path_on_pc(struct scratch *s)
{
	u32 at = s->back_at, n = EVENT_PATH_MAX - at, len;
	u64 dentry = (u64)s->at.dentry; /* a number: of the scratch's own fields the kernel knows nothing */
	struct super_block *sb = READ((struct dentry *)dentry, d_sb);
	struct probe_point *point;

	/* behind the names a slash, which the text of a part ends with */
	s->back[EVENT_PATH_MAX] = '/';
	s->part.path[0] = '/';
	if (n)
		bpf_probe_read_kernel(s->part.path, PROBE_PART_MAX, &s->back[below(at, EVENT_PATH_MAX)]);
	s->part.bits = 32 + 8 * (n < PROBE_PART_MAX ? n + 1 : PROBE_PART_MAX);
	s->part.dev = READ(sb, s_dev);
	point = bpf_map_lookup_elem(&points, &s->part);
	if (!point)
		return false;
	at += point->part_len;
	len = below(point->len, 256);
	if (at > EVENT_PATH_MAX || len > PROBE_POINT_SIZE)
		return false;
	if (at < len) {
		s->back_flags = RF_PATH_CUT;
		return true;
	}
	at -= len;
	s->back_at = at;
	if (len)
		bpf_probe_read_kernel(&s->back[below(at, EVENT_PATH_MAX)], len, point->path);
	return true;
}

/* The path of s->at, as walk_back leaves it; back_flags: RF_PATH_CUT, RF_OWN_NAME. Global as that is. */
__noinline int path_back(void)
{
	struct scratch *s = scratch_here();
	u64 mnt;

	if (!s)
		return 0;
	mnt = (u64)s->at.mnt;
	if (mount_is_foreign(mnt)) {
		s->back_root = s->back_first = 0;
		walk_back();
		/* Of a name that is too long nobody can tell where it lies: it is not told as a shorter one. */
		if (!s->back_flags && !path_on_pc(s)) {
			s->back_root = (u64)READ((struct vfsmount *)mnt, mnt_root);
			s->back_first = (u64)s->at.dentry;
			walk_back();
			if (mount_ns(mnt))
				s->back_flags |= RF_OWN_NAME;
		}
	} else {
		s->back_root = (u64)READ((struct vfsmount *)mnt, mnt_root);
		s->back_first = (u64)s->at.dentry;
		walk_back();
	}
	if (s->back_at == EVENT_PATH_MAX) {
		s->back[EVENT_PATH_MAX - 1] = '/';
		s->back_at = EVENT_PATH_MAX - 1;
	}
	return 0;
}

/* The path as text `which`. */
static __always_inline void text_path(struct scratch *s, u32 which, struct dentry *d, struct vfsmount *mnt)
{
	struct text *t = &s->text[below(which, TEXTS)];
	u32 at, n;

	t->len = t->flags = t->folder = 0;
	if (!d || !mnt)
		return;
	s->at.dentry = d;
	s->at.mnt = mnt;
	path_back();
	at = below(s->back_at, EVENT_PATH_MAX);
	n = EVENT_PATH_MAX - at;
	if (n >= EVENT_PATH_MAX) {
		at++;
		n = EVENT_PATH_MAX - 1;
	}
	bpf_probe_read_kernel(t->b, below(n, EVENT_PATH_MAX), &s->back[at]);
	t->b[below(n, EVENT_PATH_MAX)] = 0;
	t->len = n;
	t->flags = s->back_flags;
	/* no name in any folder any more */
	if (!READ(d, d_hash.pprev) && d != READ(d, d_parent))
		t->flags |= RF_UNLINKED;
}

/* --- the filter --- */

static __always_inline u32 level_of_key(struct scratch *s)
{
	struct probe_control *c = control_here();
	u32 *level = bpf_map_lookup_elem(&prefixes, &s->key);

	if (level)
		return *level & PROBE_LEVEL_BITS;
	return c ? c->level_all & PROBE_LEVEL_BITS : LEVEL_ALL;
}

/* What the longest prefix says of a text. Where the caller's words follow two slashes, one of them is left out. */
static __always_inline u32 level_of_text(struct scratch *s, u32 which)
{
	struct text *t = &s->text[below(which, TEXTS)];
	struct probe_control *c = control_here();
	u32 n = t->len + 1 /* the NUL too: it ends a whole path */, folder = t->folder;

	/* Where its beginning is missing, no prefix can be looked for. */
	if (t->flags & RF_PATH_CUT)
		return c ? c->level_max : LEVEL_ALL;

	bpf_probe_read_kernel(s->key.path, PROBE_PREFIX_MAX, t->b);
	if (folder) {
		n--;
		if (folder < PROBE_PREFIX_MAX)
			bpf_probe_read_kernel(
				&s->key.path[below(folder, PROBE_PREFIX_MAX)], PROBE_PREFIX_MAX, &t->b[folder + 1]);
	}
	s->key.bits = 8 * (n < PROBE_PREFIX_MAX ? n : PROBE_PREFIX_MAX);
	return level_of_key(s);
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

/* Looks at the folder of s->dir_key, and remembers. Not where its path is too long for that. */
__noinline int dir_learn(void)
{
	struct scratch *s = scratch_here();
	struct super_block *sb;
	struct dentry *folder;
	u32 at, n, *level;
	long got;

	if (!s)
		return 0;
	s->at.dentry = (struct dentry *)s->dir_key.dentry;
	s->at.mnt = (struct vfsmount *)s->dir_key.mnt;
	path_back();
	at = below(s->back_at, EVENT_PATH_MAX);
	n = EVENT_PATH_MAX - at;
	if (n > DIR_PATH_MAX || s->back_flags & RF_PATH_CUT)
		return 0;
	if (n == 1)
		n = 0; /* "/": names in it are "/name" */
	bpf_probe_read_kernel(s->dir.path, below(n, 256), &s->back[at]);
	bpf_probe_read_kernel(s->key.path, below(n, 256), &s->back[at]);
	s->key.path[below(n, 256)] = '/';
	s->key.bits = 8 * (n + 1);
	s->dir.len = n;
	s->dir.flags = s->back_flags ? DIR_OWN_NAME : 0;
	s->dir.level = level_of_key(s);
	level = bpf_map_lookup_elem(&prefixes, &s->key);
	/* an entry for this very folder, with something below it named */
	if (level && *level & PROBE_LEVEL_CLOSER && *level >> 16 == s->key.bits)
		s->dir.flags |= DIR_LOOK_CLOSER;
	folder = (struct dentry *)s->dir_key.dentry;
	sb = READ(folder, d_sb);
	s->dir.magic = READ(sb, s_magic);
	s->dir.dev = READ(sb, s_dev);
	if (magic_skipped(s->dir.magic) || READ(sb, s_flags) & SB_KERNMOUNT_BIT) {
		s->dir.level = LEVEL_NONE;
		s->dir.flags = 0;
	}
	got = bpf_probe_read_kernel_str(s->dir.fs, FS_NAME_MAX, READ(sb, s_type, name));
	s->dir.fs_len = got > 1 ? got - 1 : 0;
	bpf_map_update_elem(&dirs, &s->dir_key, &s->dir, BPF_ANY);
	return 0;
}

/* What is known of a folder. NULL where its path is too long. */
static __always_inline struct dir *dir_of(struct scratch *s, u64 dentry, u64 mnt)
{
	struct probe_control *c = control_here();
	struct name_at n = {0};
	struct dir *d;

	if (!c || name_read(&n, dentry))
		return NULL;
	s->dir_key.dentry = dentry;
	s->dir_key.mnt = mnt;
	s->dir_key.parent = n.parent;
	s->dir_key.hash_len = n.hash_len;
	s->dir_key.inode = n.inode;
	s->dir_key.generation = c->generation;
	d = bpf_map_lookup_elem(&dirs, &s->dir_key);
	if (d)
		return d;
	dir_learn();
	return bpf_map_lookup_elem(&dirs, &s->dir_key);
}

/* The path of a folder as text `which`: remembered ones need no walk. */
static __always_inline void text_folder(struct scratch *s, u32 which, struct dentry *dentry, struct vfsmount *mnt)
{
	struct text *t = &s->text[below(which, TEXTS)];
	struct dir *d = dir_of(s, (u64)dentry, (u64)mnt);
	u32 n;

	if (!d) {
		text_path(s, which, dentry, mnt);
		return;
	}
	t->flags = d->flags & DIR_OWN_NAME ? RF_OWN_NAME : 0;
	t->folder = 0;
	n = d->len;
	bpf_probe_read_kernel(t->b, below(n, 256), d->path);
	if (!n) {
		t->b[0] = '/';
		n = 1;
	}
	t->b[below(n, EVENT_PATH_MAX)] = 0;
	t->len = n;
}

#endif
