/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What permissions refused of protected files: opens, and calls that would have deleted, renamed, cut or changed one.
 * No object need have been found by then, so files are told by the names that callers gave them (name.bpf.h). Asked for
 * with areas of protected files only; a call that succeeds costs a comparison of its result.
 */
#ifndef SEKISHO_PROBE_REFUSED_BPF_H
#define SEKISHO_PROBE_REFUSED_BPF_H

#include "agent/probe/calls.h"
#include "agent/probe/name.bpf.h"

#define EPERM_NUMBER 1
#define EACCES_NUMBER 13
#define AT_REMOVEDIR_BIT 0x200

/*
 * Registers of a system call by way of a typed pointer: no call. System calls leave their arguments where they were;
 * the first one of arm64, which the result overwrites, is kept apart.
 */
#if defined(__TARGET_ARCH_arm64)
#define NUMBER(r) ((u32)(r)->syscallno)
#define ARG1(r) ((r)->orig_x0)
#define ARG2(r) ((r)->user_regs.regs[1])
#define ARG3(r) ((r)->user_regs.regs[2])
#define ARG4(r) ((r)->user_regs.regs[3])
#define ARG5(r) ((r)->user_regs.regs[4])
#else
#define NUMBER(r) ((u32)(r)->orig_ax)
#define ARG1(r) ((r)->di)
#define ARG2(r) ((r)->si)
#define ARG3(r) ((r)->dx)
#define ARG4(r) ((r)->r10)
#define ARG5(r) ((r)->r8)
#endif

/*
 * Who is refused can try as often as he likes, and by whatever name: behind a closed folder none has to be there. Of
 * each user so many are told in that time; more are a loss of his.
 */
#define REFUSALS_MAX 200
#define REFUSALS_NS 10000000000ull

struct refusals {
	u64 since_ns;
	u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct refusals);
} refusals SEC(".maps");

static __always_inline bool refusal_told(u32 uid, u64 now)
{
	struct refusals *r = bpf_map_lookup_elem(&refusals, &uid), first = {.since_ns = now, .n = 1};

	if (!r) {
		bpf_map_update_elem(&refusals, &uid, &first, BPF_ANY);
		return true;
	}
	/* Two at once may count one: a bound, not a figure. */
	if (now - r->since_ns > REFUSALS_NS) {
		r->since_ns = now;
		r->n = 0;
	}
	return r->n++ < REFUSALS_MAX;
}

/* Does the filter want every use of what text `which` names, as of protected files? Or nobody can tell. */
static __always_inline bool text_protected(struct scratch *s, u32 which)
{
	return s->text[which].len && (level_of_text(s, which) >= LEVEL_ALL || text_is_tricky(which));
}

static __always_inline void refusal_send(struct event *e)
{
	if (refusal_told(e->real_uid, e->boot_ns))
		event_emit();
	else
		lose(CAUSE_QUEUE_FULL);
}

/*
 * An open that permissions of the file, or of a folder on the way, refused. `kernels`: the name is the kernel's copy.
 * Global: looked at by the verifier once.
 */
__noinline int open_refused(s32 dfd, u64 name, u32 kernels)
{
	struct event *e;

	if (!event_wanted() || !kind_wanted(KIND_FILE_REFUSED))
		return 0;
	e = event_new(KIND_FILE_REFUSED);
	if (!e)
		return 0;
	text_named((struct scratch *)e, EVENT_PATH, dfd, (const char *)name, kernels != 0);
	if (text_protected((struct scratch *)e, EVENT_PATH)) {
		e->has |= EH_RELATIVE;
		e->result = -EACCES_NUMBER;
		refusal_send(e);
	}
	scratch_release();
	return 0;
}

/*
 * Another call that was refused: `what` is what it is told as (event.h: refused), and its error in the bits from 8 on.
 * Without a `name` it was about the open file `dfd` itself; without `name2` about one name. Global: looked at by the
 * verifier once.
 */
__noinline int names_refused(s32 dfd, u64 name, s32 dfd2, u64 name2, u32 what)
{
	struct scratch *s;
	struct event *e;

	if (!event_wanted() || !kind_wanted(KIND_FILE_REFUSED))
		return 0;
	e = event_new(KIND_FILE_REFUSED);
	if (!e)
		return 0;
	s = (struct scratch *)e;
	e->refused = what & CALL_KIND;
	e->result = -(s32)(what >> 8);
	if (name) {
		text_user(s, EVENT_PATH, dfd, (const char *)name);
		e->has |= EH_RELATIVE;
	} else {
		struct file *file = file_of(dfd);

		event_path(e, EVENT_PATH, READ(file, f_path.dentry), READ(file, f_path.mnt));
	}
	if (name2) {
		text_user(s, EVENT_PATH2, dfd2, (const char *)name2);
		e->has |= EH_RELATIVE2;
	}
	if (text_protected(s, EVENT_PATH) || text_protected(s, EVENT_PATH2))
		refusal_send(e);
	scratch_release();
	return 0;
}

/* Permissions answer the one or the other, by what is missing: write in a folder, or ownership. */
static __always_inline bool is_refusal(long ret)
{
	return ret == -EACCES_NUMBER || ret == -EPERM_NUMBER;
}

/* What `call` (CALL_*) was about, out of its registers, where it was refused. */
static __always_inline int call_refused(const struct pt_regs *regs, u32 call, long ret)
{
	u32 kind = call & CALL_KIND;
	s32 dfd = AT_FDCWD_NUMBER, dfd2 = AT_FDCWD_NUMBER;
	u64 name = 0, name2 = 0;

	if (!is_refusal(ret))
		return 0;
	if (call & CALL_FD) {
		dfd = ARG1(regs);
	} else if (kind == KIND_SYMLINK) {
		/* its target is a text: nobody asked for what lies there */
		if (call & CALL_AT)
			dfd = ARG2(regs);
		name = call & CALL_AT ? ARG3(regs) : ARG2(regs);
	} else if (call & CALL_AT) {
		dfd = ARG1(regs);
		name = ARG2(regs);
		if (kind == KIND_UNLINK && ARG3(regs) & AT_REMOVEDIR_BIT)
			kind = KIND_RMDIR;
		if (kind == KIND_RENAME || kind == KIND_LINK) {
			dfd2 = ARG3(regs);
			name2 = ARG4(regs);
		}
	} else {
		name = ARG1(regs);
		if (kind == KIND_RENAME || kind == KIND_LINK)
			name2 = ARG2(regs);
	}
	return names_refused(dfd, name, dfd2, name2, kind | (u32)-ret << 8);
}

#endif
