/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Programs that start and end, by tracepoints in both sets; and those that ran before, by an iterator.
 */
#ifndef SEKISHO_PROBE_PROCESS_BPF_H
#define SEKISHO_PROBE_PROCESS_BPF_H

#include "agent/probe/fold.bpf.h"

#define PF_KTHREAD_BIT 0x200000u

/* Program, folder and identity of a task. */
static __always_inline void event_program(struct event *e, struct task_struct *t)
{
	struct scratch *s = (struct scratch *)e;
	struct mm_struct *mm = READ(t, mm);
	struct file *exe = READ(mm, exe_file);

	text_path(s, TEXT_CWD, READ(t, fs, pwd.dentry), READ(t, fs, pwd.mnt));
	if (exe) {
		text_path(s, EVENT_PROGRAM, READ(exe, f_path.dentry), READ(exe, f_path.mnt));
		event_dentry(e, READ(exe, f_path.dentry));
		e->flags |= s->text[EVENT_PROGRAM].flags;
		if (READ(exe, f_inode, i_sb, s_flags) & SB_KERNMOUNT_BIT)
			e->flags |= RF_MEMFD;
	}
}

SEC("tp_btf/sched_process_exec")
int EVENT_PROG(on_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
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
	filename = READ(bprm, filename);
	interp = READ(bprm, interp);
	if (filename != interp)
		event_string(e, EVENT_PATH, filename);
	start = READ(t, mm, arg_start);
	end = READ(t, mm, arg_end);
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
int EVENT_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct event *e;

	/* A thread is no process. */
	if (READ(child, pid) != READ(child, tgid) || !event_wanted())
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
	struct signal_struct *sig = READ(t, signal);
	struct event *e;
	u32 code;

	if (READ(sig, live.counter) != 0 || READ(t, flags) & PF_KTHREAD_BIT || !event_wanted())
		return;
	e = event_new(KIND_EXIT);
	if (!e)
		return;
	code = READ(t, exit_code);
	/* SIGNAL_GROUP_EXIT: exit_group(2), or a signal for all threads */
	if (READ(sig, flags) & 4)
		code = READ(sig, group_exit_code);
	e->exit_code = code >> 8 & 255;
	e->signal = code & 127;
	e->first_ns = e->start_ns;
	event_send(ctx, e);
}

SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct event *e;

	if (!t || READ(t, pid) != READ(t, tgid) || READ(t, flags) & PF_KTHREAD_BIT)
		return 0;
	e = event_begin(KIND_RUNNING);
	if (!e)
		return 0;
	event_task(e, t);
	e->first_ns = e->start_ns;
	event_program(e, t);
	event_send(ctx, e);
	scratch_release();
	return 0;
}

#endif
