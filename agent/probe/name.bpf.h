/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files by the names that callers give them: below the folder that a descriptor means, as they wrote them, to be tidied
 * by the recorder (EH_RELATIVE). For what has no object to be asked for its name: calls as tracepoints see them, and
 * what was refused (refused.bpf.h).
 */
#ifndef SEKISHO_PROBE_NAME_BPF_H
#define SEKISHO_PROBE_NAME_BPF_H

#include "agent/probe/emit.bpf.h"

#define AT_FDCWD_NUMBER (-100)

static __always_inline struct file *file_of(long fd)
{
	struct task_struct *t = task_here();

	if (fd < 0 || fd >= TASK_READ(t, files->fdt->max_fds, files, fdt, max_fds))
		return NULL;
	return (struct file *)word_at(TASK_READ(t, files->fdt->fd, files, fdt, fd) + fd);
}

/*
 * Has what the caller wrote in text `which` a component that is ".", ".." or empty? Then the text may mean another
 * place than it seems to, and no prefix can be trusted. Longer ones than the longest prefix are not looked through.
 * Global: looked at by the verifier once; what it counts lives in memory, where it is any number to the verifier.
 */
__noinline int text_is_tricky(u32 which)
{
	struct scratch *s = scratch_here();
	u32 i, off;

	if (!s)
		return 1;
	off = s->text[below(which, TEXTS)].folder;
	/* of the component: 0 nothing yet, 1 ".", 2 "..", 3 a name */
	s->state = off ? 0 : 3;
	if (off)
		off += 2;
	for (i = 0; i < PROBE_PREFIX_MAX; i++) {
		char c = s->text[below(which, TEXTS)].b[below(off + i, EVENT_PATH_MAX)];
		u32 state = s->state;

		if (!c)
			return state == 1 || state == 2;
		if (c == '/') {
			if (state < 3)
				return 1;
			s->state = 0;
		} else {
			s->state = c == '.' && state < 2 ? state + 1 : 3;
		}
	}
	return 1;
}

static __always_inline long name_string(char *to, u32 size, const char *name, bool kernels)
{
	return kernels ? bpf_probe_read_kernel_str(to, size, name) : bpf_probe_read_user_str(to, size, name);
}

/*
 * Text `which`: the folder that `dfd` means, two slashes, and what the caller wrote; or that alone where it begins at
 * the root. What lies at the end of a folder's path as the kernel has it is told too: s->folder.
 * `kernels`: the kernel has a copy of what the caller wrote already.
 */
static __always_inline void text_named(struct scratch *s, u32 which, s32 dfd, const char *name, bool kernels)
{
	struct task_struct *t = task_here();
	struct text *x = &s->text[which];
	struct place at = {0};
	char first = 0;
	u32 off = 0;
	long n;

	if (kernels ? bpf_probe_read_kernel(&first, 1, name) : bpf_probe_read_user(&first, 1, name)) {
		lose(CAUSE_READ_FAILED);
		return;
	}
	if (first == '/') {
		s->folder.mnt = TASK_READ(t, fs->root.mnt, fs, root.mnt);
		s->folder.dentry = TASK_READ(t, fs->root.dentry, fs, root.dentry);
	} else if (dfd == AT_FDCWD_NUMBER) {
		s->folder.mnt = TASK_READ(t, fs->pwd.mnt, fs, pwd.mnt);
		s->folder.dentry = TASK_READ(t, fs->pwd.dentry, fs, pwd.dentry);
	} else {
		struct file *dir = file_of(dfd);

		s->folder.mnt = READ(dir, f_path.mnt);
		s->folder.dentry = READ(dir, f_path.dentry);
	}
	/* Out of memory they come as plain numbers, which a global function takes. */
	asm volatile("" ::: "memory");
	at = s->folder;
	if (!first) {
		/* an empty name: the folder (or file) itself */
		text_path(s, which, at.dentry, at.mnt);
		return;
	}
	text_folder(s, which, at.dentry, at.mnt);
	off = x->len;
	/* Of a folder that is the root, and for a process whose root is, the text is the path. */
	if (off == 1)
		off = 0;
	if (off > 2000) {
		x->flags |= RF_PATH_CUT;
		off = 0;
	}
	x->folder = off;
	off = below(off, 2048);
	if (first == '/')
		s->folder.dentry = NULL; /* what the text names lies somewhere below */
	else
		x->b[off++] = '/';
	if (x->folder)
		x->b[off++] = '/';
	if (off) {
		n = name_string(&x->b[off], 2040, name, kernels);
		if (n == 2040)
			x->flags |= RF_PATH_CUT;
	} else {
		n = name_string(x->b, EVENT_PATH_MAX, name, kernels);
	}
	if (n < 0) {
		lose(CAUSE_READ_FAILED);
		n = 1;
	}
	x->len = off + n - 1;
}

static __always_inline void text_user(struct scratch *s, u32 which, s32 dfd, const char *name)
{
	text_named(s, which, dfd, name, false);
}

#endif
