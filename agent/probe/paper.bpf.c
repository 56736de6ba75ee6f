/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What CUPS does not tell of print jobs: which process connects to it, by which connection a document came, and by what
 * a backend was ended. See paper.h.
 *
 * Whatever ends without being watched costs one look into an array; whatever connects elsewhere, one look at its
 * address; whatever renames, or says what it waits for, and is not cupsd, one comparison.
 */
#include "agent/probe/kernel.bpf.h"

#include "agent/probe/paper_map.h"

#define AF_UNIX_NUMBER 1
#define AF_INET_NUMBER 2
#define AF_INET6_NUMBER 10

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inode___paper {
	umode_t i_mode;
	unsigned long i_ino;
};
struct file___paper {
	struct inode___paper *f_inode;
	void *private_data;
};
struct fdtable___paper {
	unsigned int max_fds;
	struct file___paper **fd;
};
struct files_struct___paper {
	struct fdtable___paper *fdt;
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
struct upid___paper {
	int nr;
};
struct pid___paper {
	struct upid___paper numbers[1];
};
struct in6_addr___paper {
	u8 s6_addr[16];
};
struct possible_net___paper {
	struct net___paper *net;
};
struct sock_common___paper {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num, skc_family;
	struct possible_net___paper skc_net;
	struct in6_addr___paper skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock___paper {
	struct sock_common___paper __sk_common;
	struct pid___paper *sk_peer_pid;
	const struct cred *sk_peer_cred;
};
struct socket___paper {
	struct sock___paper *sk;
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
	struct files_struct___paper *files;
	const struct cred *cred;
	char comm[16];
	struct nsproxy___paper *nsproxy;
	struct kuid loginuid;
};
struct qstr___paper {
	const unsigned char *name;
};
struct dentry___paper {
	struct qstr___paper d_name;
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

/* The document that cupsd gives its job's number now; "": none. */
struct document {
	char name[16];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct document);
} document SEC(".maps");

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
	struct paper_event *e = NULL;

	/* Anybody can come often: the last quarter is for what is told of jobs. */
	if (what != PAPER_CAME || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < PAPER_RING_BYTES / 4 * 3)
		e = bpf_ringbuf_reserve(&ring, size, 0);
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

/* By what the caller says: where there are trampolines, its socket says it (is_within). */
static __always_inline bool is_near_4(u64 address, u64 length)
{
	struct address_4 a = {.family = 0};

	return length >= sizeof(a) && !read_at(&a, sizeof(a), address, true) && a.family == AF_INET_NUMBER &&
	       (a.ip[0] == 127 || !(a.ip[0] | a.ip[1] | a.ip[2] | a.ip[3])) && is_port(__builtin_bswap16(a.port));
}

static __always_inline bool is_near_6(u64 address, u64 length)
{
	struct address_6 a = {.family = 0};
	bool near;

	if (length < sizeof(a) || read_at(&a, sizeof(a), address, true) || a.family != AF_INET6_NUMBER || a.ip[0] ||
		a.ip[1])
		return false;
	near = !a.ip[2] && (!a.ip[3] || a.ip[3] == __builtin_bswap32(1));
	/* An address of IPv4 in the clothes of IPv6. */
	near = near || (a.ip[2] == __builtin_bswap32(0xffff) && (u8)a.ip[3] == 127);
	return near && is_port(__builtin_bswap16(a.port));
}

/* `by`: the socket of TCP by which; NULL: another one, or not known. */
static __always_inline void tell(u32 what, bool by_tcp, struct sock___paper *by)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();
	struct paper_event *e = begin(what, sizeof(*e));
	u64 at, n;

	if (!e)
		return;
	e->loginuid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	e->exe_inode = BPF_CORE_READ(t, mm, exe_file, f_inode, i_ino);
	e->net = by_tcp ? BPF_CORE_READ(t, nsproxy, net_ns, ns.inum) : 0;
	e->port = by ? BPF_CORE_READ(by, __sk_common.skc_num) : 0;
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

/* Root's: anybody can give a process that name. */
static __always_inline bool is_cupsd(struct task_struct___paper *leader)
{
	static const char cupsd[] = "cupsd";
	char comm[sizeof(cupsd)] = {0};
	u32 i;

	BPF_CORE_READ_INTO(&comm, leader, comm);
	for (i = 0; i < sizeof(cupsd); i++)
		if (comm[i] != cupsd[i])
			return false;
	return BPF_CORE_READ(leader, cred, euid.val) == 0;
}

static __always_inline struct task_struct___paper *leader(void)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();

	return BPF_CORE_READ(t, group_leader);
}

/* Told once, and watched from now on, whether the gate's daemon runs or not. */
static __always_inline void asked(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, place = tgid & (PAPER_WATCHED_MAX - 1);
	u64 *at = bpf_map_lookup_elem(&watched, &place);

	/* By cupsd alone backends are started. */
	if (!at || *at == tgid || !is_cupsd(BPF_CORE_READ(leader(), real_parent)))
		return;
	*at = tgid;
	tell(PAPER_ASKED, false, NULL);
}

/* The kernel has copied the address by now. */
SEC("fentry/unix_stream_connect")
int BPF_PROG(on_connect, void *sock, void *address, int length)
{
	if (ENDS_AS((u64)address, length > 0 ? length : 0, false, PAPER_GATE))
		asked();
	return 0;
}

/* By its name, which anybody can give a socket of his own. */
static __always_inline bool is_of_cups(struct unix_sock___paper *s)
{
	struct unix_address___paper *name = BPF_CORE_READ(s, addr);
	int length = BPF_CORE_READ(name, len);

	return ENDS_AS((u64)__builtin_preserve_access_index(&name->name), length > 0 ? length : 0, false, PAPER_SOCKET);
}

/*
 * By the name that CUPS gave its socket, whatever that of the caller was: a link's, or one in a container. Both ends
 * have sockets by now, and that of CUPS has its name.
 */
SEC("fexit/unix_stream_connect")
int BPF_PROG(on_connected, struct socket___paper *sock, void *address, int length, int flags, int result)
{
	struct unix_sock___paper *ours;

	if (result)
		return 0;
	ours = (void *)BPF_CORE_READ(sock, sk);
	/* It was root who listens, as CUPS, or as systemd for it. */
	if (is_of_cups(BPF_CORE_READ(ours, peer)) && !BPF_CORE_READ(sock, sk, sk_peer_cred, euid.val))
		tell(PAPER_CAME, false, NULL);
	return 0;
}

/* Are both ends of it on this machine? By loopback, or by an address of its own. */
static __always_inline bool is_within(struct sock___paper *s)
{
	u16 family = BPF_CORE_READ(s, __sk_common.skc_family);
	u32 ip[4] = {0}, own[4] = {0};

	if (family == AF_INET_NUMBER) {
		ip[0] = BPF_CORE_READ(s, __sk_common.skc_daddr);
		return (u8)ip[0] == 127 || (ip[0] && ip[0] == BPF_CORE_READ(s, __sk_common.skc_rcv_saddr));
	}
	if (family != AF_INET6_NUMBER)
		return false;
	BPF_CORE_READ_INTO(&ip, s, __sk_common.skc_v6_daddr);
	BPF_CORE_READ_INTO(&own, s, __sk_common.skc_v6_rcv_saddr);
	if (ip[0] == own[0] && ip[1] == own[1] && ip[2] == own[2] && ip[3] == own[3])
		return true;
	if (ip[0] || ip[1])
		return false;
	return ip[2] ? ip[2] == __builtin_bswap32(0xffff) && (u8)ip[3] == 127 : ip[3] == __builtin_bswap32(1);
}

/* It has a port of its own by now, and whatever address was meant. */
SEC("fexit/tcp_v4_connect")
int BPF_PROG(on_connect_4, struct sock___paper *sock)
{
	if (is_port(__builtin_bswap16(BPF_CORE_READ(sock, __sk_common.skc_dport))) && is_within(sock))
		tell(PAPER_CAME, true, sock);
	return 0;
}

/* What is IPv4 in the clothes of IPv6 has been told by then. */
SEC("fexit/tcp_v6_connect")
int BPF_PROG(on_connect_6, struct sock___paper *sock)
{
	u32 ip[4] = {0};

	if (!is_port(__builtin_bswap16(BPF_CORE_READ(sock, __sk_common.skc_dport))) || !is_within(sock))
		return 0;
	BPF_CORE_READ_INTO(&ip, sock, __sk_common.skc_v6_daddr);
	if (ip[0] || ip[1] || ip[2] != __builtin_bswap32(0xffff))
		tell(PAPER_CAME, true, sock);
	return 0;
}

/* --- by which connection a document came --- */

/* Each connection is accepted before it is read from. */
SEC("fentry/unix_accept")
int BPF_PROG(on_accept, struct socket___paper *sock)
{
	u32 zero = 0;
	struct paper_control *c = bpf_map_lookup_elem(&control, &zero);

	if (c && is_cupsd(leader()) && is_of_cups((void *)BPF_CORE_READ(sock, sk)))
		c->cupsd = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

/* Its first thread, which serves all connections by turns; others make queues. */
static __always_inline bool by_cupsd(void)
{
	u64 who = bpf_get_current_pid_tgid();
	u32 zero = 0;
	struct paper_control *c = bpf_map_lookup_elem(&control, &zero);

	return c && c->cupsd == (u32)who && c->cupsd == who >> 32;
}

/* "d00012-001": at least five digits, and three. Users choose names of other files in that folder's neighbours. */
static __always_inline bool is_document(const char name[16])
{
	u32 i, before = 0, behind = 0;
	bool dash = false;

	if (name[0] != 'd')
		return false;
	for (i = 1; i < 16 && name[i]; i++) {
		bool digit = name[i] >= '0' && name[i] <= '9';

		if (digit && dash)
			behind++;
		else if (digit)
			before++;
		else if (name[i] == '-' && !dash)
			dash = true;
		else
			return false;
	}
	return before >= 5 && behind >= 3;
}

/* When a document has come as a whole, cupsd gives its file the job's number. */
SEC("fentry/security_inode_rename")
int BPF_PROG(on_rename, void *from_folder, void *from, void *folder, struct dentry___paper *to)
{
	u32 zero = 0;
	struct document *d = bpf_map_lookup_elem(&document, &zero);
	char name[16] = {0};

	if (!d || !by_cupsd())
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(to, d_name.name));
	if (is_document(name))
		__builtin_memcpy(d->name, name, sizeof(name));
	return 0;
}

/* The socket that has this number in this process; NULL: it is none. */
static __always_inline struct sock___paper *socket_of(int fd)
{
	struct task_struct___paper *t = (void *)bpf_get_current_task();
	struct fdtable___paper *table = BPF_CORE_READ(t, files, fdt);
	struct file___paper **all = BPF_CORE_READ(table, fd), *file = NULL;
	struct socket___paper *socket;

	if (fd < 0 || (u32)fd >= BPF_CORE_READ(table, max_fds) ||
		bpf_probe_read_kernel(&file, sizeof(file), all + fd) || !file ||
		(BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/*
 * Who connected `s`, where that is a connection to CUPS. What has no name is one of its own: to the bus, or for the
 * name of a user.
 */
static __always_inline bool who_connected(struct sock___paper *s, struct paper_event *e)
{
	if (BPF_CORE_READ(s, __sk_common.skc_family) == AF_UNIX_NUMBER) {
		if (!BPF_CORE_READ((struct unix_sock___paper *)s, addr))
			return false;
		e->pid = BPF_CORE_READ(s, sk_peer_pid, numbers[0].nr);
		e->uid = BPF_CORE_READ(s, sk_peer_cred, euid.val);
		return true;
	}
	if (!is_port(BPF_CORE_READ(s, __sk_common.skc_num)))
		return false;
	e->pid = 0;
	if (is_within(s)) {
		e->net = BPF_CORE_READ(s, __sk_common.skc_net.net, ns.inum);
		e->port = __builtin_bswap16(BPF_CORE_READ(s, __sk_common.skc_dport));
	}
	return true;
}

/*
 * Behind each request, cupsd says what it waits for next on its connection, or for nothing any more (scheduler/ipp.c,
 * client.c, select.c): before it does anything for another one. What it read last would tell the same, and cost all who
 * read from sockets.
 */
SEC("fentry/do_epoll_ctl")
int BPF_PROG(on_wait, int epoll, int op, int fd)
{
	u32 zero = 0;
	struct document *d = bpf_map_lookup_elem(&document, &zero);
	struct paper_event *e;
	struct sock___paper *s;

	if (!d || !d->name[0] || !by_cupsd() || !(s = socket_of(fd)))
		return 0;
	e = begin(PAPER_SENT, __builtin_offsetof(struct paper_event, args));
	if (!e)
		return 0;
	if (!who_connected(s, e)) {
		bpf_ringbuf_discard(e, 0);
		return 0;
	}
	__builtin_memcpy(e->comm, d->name, sizeof(e->comm));
	d->name[0] = 0;
	bpf_ringbuf_submit(e, 0);
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
		tell(PAPER_CAME, false, NULL);
	else if (ENDS_AS(c->address, (u32)c->length, true, PAPER_GATE))
		asked();
	if (is_near_4(c->address, (u32)c->length) || is_near_6(c->address, (u32)c->length))
		tell(PAPER_CAME, true, NULL);
	return 0;
}

char LICENSE[] SEC("license")
= "Dual BSD/GPL";
