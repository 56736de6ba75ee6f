/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How the kernel's structures are looked into, by the cheapest way that the kernel has.
 *
 * An address that came as a plain number is read by a call, field by field. Since 6.2 it can be given its type back
 * (bpf_rdonly_cast, which the verifier turns into nothing): then a field is one instruction, which answers 0 where
 * nothing is mapped, as the call does. Kernels before 5.16 refuse a program in which the name of a function that they
 * do not have as much as occurs: so the tracepoint set is built twice (SEKISHO_CASTS), and the loader takes the one
 * that fits. Likewise the current task comes with its type since 5.11; the branch that this kernel does not take is not
 * even looked at by its verifier.
 */
#ifndef SEKISHO_PROBE_READ_BPF_H
#define SEKISHO_PROBE_READ_BPF_H

#include "agent/probe/kernel.bpf.h"

#ifdef SEKISHO_CASTS
#define CASTS true
extern void *bpf_rdonly_cast(const void *p, u32 type) __attribute__((section(".ksyms")));
#define CAST(p) ((typeof(*(p)) *)bpf_rdonly_cast(p, bpf_core_type_id_kernel(typeof(*(p)))))
#else
#define CASTS false
#define CAST(p) (p)
#endif

/* READ(p, a, b): p->a->b, where `p` may be anything of the right type. */
#define READ_TYPED(p, a...) ___apply(___arrow, ___narg(p, ##a))(p, ##a)
#define READ(p, a...) (CASTS ? READ_TYPED(CAST(p), ##a) : BPF_CORE_READ(p, ##a))

/* Any structure of the kernel's that begins with a plain number of 64 bits will do. */
struct rlimit {
	unsigned long rlim_cur;
} __attribute__((preserve_access_index));

/* What lies at an address, as a plain number. */
static __always_inline u64 word_at(const void *p)
{
	u64 word = 0;

	if (CASTS)
		return CAST((struct rlimit *)p)->rlim_cur;
	bpf_probe_read_kernel(&word, sizeof(word), p);
	return word;
}

#define TYPED_TASK bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)
#define TASK_READ(t, path, ...) (TYPED_TASK ? (t)->path : BPF_CORE_READ(t, __VA_ARGS__))

static __always_inline struct task_struct *task_here(void)
{
	if (TYPED_TASK)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

#endif
