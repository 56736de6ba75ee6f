/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What CUPS does not tell of print jobs: which process connects to it, and by what a backend was ended. See paper.h.
 *
 * Whatever ends without being watched costs one look into an array; whatever connects elsewhere, one look at its path.
 */
#include "agent/probe/kernel.bpf.h"

#include "agent/probe/paper_map.h"

#define AF_UNIX_NUMBER 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct mm_struct___paper {
	unsigned long arg_start, arg_end;
};
struct task_struct___paper {
	int pid, tgid, exit_code;
	u64 start_boottime;
	struct task_struct___paper *group_leader;
	struct mm_struct___paper *mm;
	struct kuid loginuid;
};
#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct paper_control);
} control SEC(".maps");

/* Numbers of processes whose end is told. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PAPER_WATCHED_MAX);
	__type(key, u32);
	__type(value, u64); /* an array's elements lie eight bytes apart */
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PAPER_RING_BYTES);
} ring SEC(".maps");

static __always_inline void lose(void)
{
	u32 zero = 0;
	struct paper_control *c = bpf_map_lookup_elem(&control, &zero);

	if (c)
		__sync_fetch_and_add(&c->lost, 1);
}

static __always_inline struct paper_event *begin(u32 what)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();
	struct paper_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		lose();
		return NULL;
	}
	__builtin_memset(e, 0, __builtin_offsetof(struct paper_event, args));
	e->what = what;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->boot_ns = bpf_ktime_get_boot_ns();
	e->start_boot_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	e->uid = (u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	return e;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct___paper *task)
{
	u64 who = bpf_get_current_pid_tgid();
	u32 tgid = who >> 32, place = tgid & (PAPER_WATCHED_MAX - 1);
	u64 *at;
	struct paper_event *e;

	if (tgid != (u32)who)
		return 0;
	at = bpf_map_lookup_elem(&watched, &place);
	if (!at || *at != tgid)
		return 0;
	*at = 0;
	e = begin(PAPER_ENDED);
	if (!e)
		return 0;
	e->status = BPF_CORE_READ(task, exit_code);
	bpf_ringbuf_submit(e, 0);
	return 0;
}

static __always_inline long read_at(void *to, u32 n, u64 from, bool user)
{
	return user ? bpf_probe_read_user(to, n, (void *)from) : bpf_probe_read_kernel(to, n, (void *)from);
}

static __always_inline long read_str(void *to, u32 n, u64 from, bool user)
{
	return user ? bpf_probe_read_user_str(to, n, (void *)from) : bpf_probe_read_kernel_str(to, n, (void *)from);
}

/* Does the path of this address end as that of CUPS's socket? What is behind the address's own bytes is none of it. */
static __always_inline bool is_cups(u64 address, u64 length, bool user)
{
	static const char end[] = "/" PAPER_SOCKET;
	const u64 n = sizeof(end) - 1;
	char path[PAPER_SOCKET_MAX], tail[sizeof(end) - 1];
	u16 family = 0;
	long got;
	u64 size;
	u32 i;

	if (length < sizeof(family) + n || read_at(&family, sizeof(family), address, user) || family != AF_UNIX_NUMBER)
		return false;
	address += sizeof(family);
	length -= sizeof(family);
	got = read_str(path, sizeof(path), address, user);
	if (got < (long)n)
		return false;
	size = got - 1; /* its NUL, or a byte of a path that fills all */
	if (size > length)
		size = length;
	if (size < n || read_at(tail, n, address + size - n, user))
		return false;
	for (i = 0; i < n; i++)
		if (tail[i] != end[i])
			return false;
	return true;
}

static __always_inline void came(void)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();
	struct paper_event *e = begin(PAPER_CAME);
	u64 at, n;

	if (!e)
		return;
	e->loginuid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	at = BPF_CORE_READ(t, mm, arg_start);
	n = BPF_CORE_READ(t, mm, arg_end) - at;
	if (n >= PAPER_ARGS_MAX)
		n = PAPER_ARGS_MAX - 1;
	/* The verifier is to see the bound as well. */
	asm volatile("%0 &= %1" : "+r"(n) : "i"(PAPER_ARGS_MAX - 1));
	if (n && !bpf_probe_read_user(e->args, n, (void *)at))
		e->args_n = n;
	bpf_ringbuf_submit(e, 0);
}

/* The kernel has copied the address by now. */
SEC("fentry/unix_stream_connect")
int BPF_PROG(on_connect, void *sock, void *address, int length)
{
	if (is_cups((u64)address, length > 0 ? length : 0, false))
		came();
	return 0;
}

struct connect_args {
	u64 common;
	long number;
	u64 fd, address, length;
};

/* Where the kernel takes no trampolines. */
SEC("tracepoint/syscalls/sys_enter_connect")
int on_connect_call(struct connect_args *c)
{
	if (is_cups(c->address, (u32)c->length, true))
		came();
	return 0;
}

char LICENSE[] SEC("license")
= "Dual BSD/GPL";
