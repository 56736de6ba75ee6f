/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What CUPS does not tell of print jobs: which process connects to it, and by what a backend was ended. See paper.h.
 *
 * Whatever ends without being watched costs one look into an array; whatever connects elsewhere, one look at its
 * address.
 */
#include "agent/probe/kernel.bpf.h"

#include "agent/probe/paper_map.h"

#define AF_UNIX_NUMBER 1
#define AF_INET_NUMBER 2
#define AF_INET6_NUMBER 10

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode___paper {
	unsigned long i_ino;
};
struct file___paper {
	struct inode___paper *f_inode;
};
struct mm_struct___paper {
	unsigned long arg_start, arg_end;
	struct file___paper *exe_file;
};
struct net___paper {
	struct ns_common ns;
};
struct nsproxy___paper {
	struct net___paper *net_ns;
};
struct socket___paper {
	void *sk;
};
struct sockaddr_un___paper {
	u16 sun_family;
};
struct unix_address___paper {
	int len;
	struct sockaddr_un___paper name[1];
};
struct unix_sock___paper {
	struct unix_address___paper *addr;
	struct unix_sock___paper *peer;
};
struct task_struct___paper {
	int pid, tgid, exit_code;
	u64 start_boottime, self_exec_id;
	struct task_struct___paper *real_parent, *group_leader;
	struct mm_struct___paper *mm;
	const struct cred *cred;
	char comm[16];
	struct nsproxy___paper *nsproxy;
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

/* `size`: of the event, with its arguments or without. */
static __always_inline struct paper_event *begin(u32 what, const u64 size)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();
	struct paper_event *e = bpf_ringbuf_reserve(&ring, size, 0);

	if (!e) {
		lose();
		return NULL;
	}
	__builtin_memset(e, 0, __builtin_offsetof(struct paper_event, args));
	e->what = what;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->boot_ns = bpf_ktime_get_boot_ns();
	e->start_boot_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	e->exec_id = BPF_CORE_READ(t, group_leader, self_exec_id);
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
	e = begin(PAPER_ENDED, __builtin_offsetof(struct paper_event, args));
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

/*
 * Where in `address` the last `n` bytes of its path are; 0: it has none so long. What is behind the address's own bytes
 * is none of it.
 */
static __always_inline u64 tail_of(u64 address, u64 length, u64 n, bool user)
{
	char path[PAPER_SOCKET_MAX];
	u16 family = 0;
	long got;
	u64 size;

	if (length < sizeof(family) + n || read_at(&family, sizeof(family), address, user) || family != AF_UNIX_NUMBER)
		return 0;
	address += sizeof(family);
	length -= sizeof(family);
	got = read_str(path, sizeof(path), address, user);
	if (got < (long)n)
		return 0;
	size = got - 1; /* its NUL, or a byte of a path that fills all */
	if (size > length)
		size = length;
	return size < n ? 0 : address + size - n;
}

/* Does the path of this address end so? */
#define ENDS_AS(address, length, user, literal)                                \
	({                                                                     \
		static const char end_[] = "/" literal;                        \
		char tail_[sizeof(end_) - 1];                                  \
		u64 at_ = tail_of((address), (length), sizeof(tail_), (user)); \
		bool is_ = at_ && !read_at(tail_, sizeof(tail_), at_, (user)); \
		u32 i_;                                                        \
		for (i_ = 0; i_ < sizeof(tail_); i_++)                         \
			is_ = is_ && tail_[i_] == end_[i_];                    \
		is_;                                                           \
	})

/* CUPS on this machine, by TCP. */
static __always_inline bool is_port(u16 port)
{
	u32 zero = 0, i;
	struct paper_control *c = bpf_map_lookup_elem(&control, &zero);

	for (i = 0; c && port && i < PAPER_PORTS_MAX; i++)
		if (c->ports[i] == port)
			return true;
	return false;
}

/* The beginnings of struct sockaddr_in and sockaddr_in6. Without an address, this machine is meant. */
struct address_4 {
	u16 family, port;
	u8 ip[4];
};
struct address_6 {
	u16 family, port;
	u32 flow, ip[4];
};

static __always_inline bool is_near_4(u64 address, u64 length, bool user)
{
	struct address_4 a = {.family = 0};

	return length >= sizeof(a) && !read_at(&a, sizeof(a), address, user) && a.family == AF_INET_NUMBER &&
	       (a.ip[0] == 127 || !(a.ip[0] | a.ip[1] | a.ip[2] | a.ip[3])) && is_port(__builtin_bswap16(a.port));
}

static __always_inline bool is_near_6(u64 address, u64 length, bool user)
{
	struct address_6 a = {.family = 0};
	bool near;

	if (length < sizeof(a) || read_at(&a, sizeof(a), address, user) || a.family != AF_INET6_NUMBER || a.ip[0] ||
		a.ip[1])
		return false;
	near = !a.ip[2] && (!a.ip[3] || a.ip[3] == __builtin_bswap32(1));
	/* An address of IPv4 in the clothes of IPv6 comes to tcp_v4_connect in its own as well. */
	near = near || (user && a.ip[2] == __builtin_bswap32(0xffff) && (u8)a.ip[3] == 127);
	return near && is_port(__builtin_bswap16(a.port));
}

static __always_inline void tell(u32 what, bool by_tcp)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();
	struct paper_event *e = begin(what, sizeof(*e));
	u64 at, n;

	if (!e)
		return;
	e->loginuid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	e->exe_inode = BPF_CORE_READ(t, mm, exe_file, f_inode, i_ino);
	e->net = by_tcp ? BPF_CORE_READ(t, nsproxy, net_ns, ns.inum) : 0;
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

/* Of root's cupsd, by which alone backends are started. */
static __always_inline bool is_of_cupsd(struct task_struct___paper *t)
{
	static const char cupsd[] = "cupsd";
	char comm[sizeof(cupsd)] = {0};
	u32 i;

	BPF_CORE_READ_INTO(&comm, t, group_leader, real_parent, comm);
	for (i = 0; i < sizeof(cupsd); i++)
		if (comm[i] != cupsd[i])
			return false;
	return BPF_CORE_READ(t, group_leader, real_parent, cred, euid.val) == 0;
}

/* Told once, and watched from now on, whether the gate's daemon runs or not. */
static __always_inline void asked(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, place = tgid & (PAPER_WATCHED_MAX - 1);
	u64 *at = bpf_map_lookup_elem(&watched, &place);

	if (!at || *at == tgid || !is_of_cupsd((void *)bpf_get_current_task()))
		return;
	*at = tgid;
	tell(PAPER_ASKED, false);
}

/* The kernel has copied the address by now. */
SEC("fentry/unix_stream_connect")
int BPF_PROG(on_connect, void *sock, void *address, int length)
{
	if (ENDS_AS((u64)address, length > 0 ? length : 0, false, PAPER_GATE))
		asked();
	return 0;
}

/*
 * By the name that CUPS gave its socket, whatever that of the caller was: a link's, or one in a container. Both ends
 * have sockets by now, and that of CUPS has its name.
 */
SEC("fexit/unix_stream_connect")
int BPF_PROG(on_connected, struct socket___paper *sock, void *address, int length, int flags, int result)
{
	struct unix_sock___paper *ours;
	struct unix_address___paper *name;

	if (result)
		return 0;
	ours = BPF_CORE_READ(sock, sk);
	name = BPF_CORE_READ(ours, peer, addr);
	length = BPF_CORE_READ(name, len);
	if (ENDS_AS((u64)__builtin_preserve_access_index(&name->name), length > 0 ? length : 0, false, PAPER_SOCKET))
		tell(PAPER_CAME, false);
	return 0;
}

SEC("fentry/tcp_v4_connect")
int BPF_PROG(on_connect_4, void *sock, void *address, int length)
{
	if (is_near_4((u64)address, length > 0 ? length : 0, false))
		tell(PAPER_CAME, true);
	return 0;
}

SEC("fentry/tcp_v6_connect")
int BPF_PROG(on_connect_6, void *sock, void *address, int length)
{
	if (is_near_6((u64)address, length > 0 ? length : 0, false))
		tell(PAPER_CAME, true);
	return 0;
}

struct connect_args {
	u64 common;
	long number;
	u64 fd, address, length;
};

/* Where the kernel takes no trampolines: by the name that the caller says. */
SEC("tracepoint/syscalls/sys_enter_connect")
int on_connect_call(struct connect_args *c)
{
	if (ENDS_AS(c->address, (u32)c->length, true, PAPER_SOCKET))
		tell(PAPER_CAME, false);
	else if (ENDS_AS(c->address, (u32)c->length, true, PAPER_GATE))
		asked();
	if (is_near_4(c->address, (u32)c->length, true) || is_near_6(c->address, (u32)c->length, true))
		tell(PAPER_CAME, true);
	return 0;
}

char LICENSE[] SEC("license")
= "Dual BSD/GPL";
