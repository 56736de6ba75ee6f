/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The way to printers past CUPS: connections to their ports by whoever is not CUPS are told, and refused where the
 * policy says so. Attached to the root of the control groups by egress_load.c; see egress.h. Needs no trampolines.
 *
 * What is no connection to such a port must pass at the cost of one look into a table.
 */
#include "agent/probe/kernel.bpf.h"

#include "agent/probe/egress_map.h"
#include <bpf/bpf_endian.h>

#define AF_INET_NUMBER 2
#define AF_INET6_NUMBER 10
#define SOCK_STREAM_NUMBER 1
#define ALLOW 1
#define DENY 0 /* the caller gets EPERM */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
	const char *name;
	u64 id;
};
/* Before 6.15, and since. */
struct kernfs_node___before {
	struct kernfs_node *parent;
};
struct kernfs_node___since {
	struct kernfs_node *__parent;
};
struct cgroup___egress {
	struct kernfs_node *kn;
};
struct css_set___egress {
	struct cgroup___egress *dfl_cgrp;
};
struct task_struct___egress {
	int tgid;
	u64 start_boottime;
	struct task_struct___egress *group_leader;
	struct css_set___egress *cgroups;
	struct kuid loginuid;
};
#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct egress_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EGRESS_RING_BYTES);
} ring SEC(".maps");

/* Events that did not fit into the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} lost SEC(".maps");

struct name {
	char s[EGRESS_UNIT_SIZE];
};

static __always_inline struct task_struct___egress *me(void)
{
	return (void *)bpf_get_current_task();
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *kn)
{
	struct kernfs_node___before *before = (void *)kn;
	struct kernfs_node___since *since = (void *)kn;

	if (bpf_core_field_exists(before->parent))
		return BPF_CORE_READ(before, parent);
	return bpf_core_field_exists(since->__parent) ? BPF_CORE_READ(since, __parent) : NULL;
}

static __always_inline bool same_name(const char *a, const char *b)
{
	int i;

	for (i = 0; i < EGRESS_UNIT_SIZE; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			return true;
	}
	return false;
}

static __always_inline void name_of(struct name *n, struct kernfs_node *kn)
{
	__builtin_memset(n, 0, sizeof(*n));
	bpf_probe_read_kernel_str(n->s, sizeof(n->s), BPF_CORE_READ(kn, name));
}

/* base/system.slice/UNIT: only root can make a process be in there. */
static __always_inline bool is_printing_service(const struct egress_control *c)
{
	static const char slice[EGRESS_UNIT_SIZE] = "system.slice";
	struct kernfs_node *kn = BPF_CORE_READ(me(), cgroups, dfl_cgrp, kn), *parent, *base;
	struct name name;
	u32 i;

	parent = kn ? parent_of(kn) : NULL;
	base = parent ? parent_of(parent) : NULL;
	if (!base || BPF_CORE_READ(base, id) != c->base)
		return false;
	name_of(&name, parent);
	if (!same_name(name.s, slice))
		return false;
	name_of(&name, kn);
	for (i = 0; i < EGRESS_UNITS_MAX; i++)
		if (i < c->units && same_name(name.s, c->unit[i]))
			return true;
	return false;
}

static __always_inline bool is_printer(const struct egress_control *c, u16 port, bool loopback)
{
	u32 i;

	for (i = 0; i < EGRESS_RANGES_MAX; i++)
		if (i < c->ranges && port >= c->range[i].from && port <= c->range[i].to &&
			!!c->range[i].loopback == loopback)
			return true;
	return false;
}

static __always_inline void tell(u16 family, u16 port, const u32 *address, bool refused)
{
	struct egress_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	u64 who = bpf_get_current_pid_tgid();
	struct task_struct___egress *t = me();

	if (!e) {
		u32 zero = 0;
		u64 *n = bpf_map_lookup_elem(&lost, &zero);

		if (n)
			++*n;
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->boot_ns = bpf_ktime_get_boot_ns();
	e->start_boot_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	e->pid = who >> 32;
	e->uid = (u32)bpf_get_current_uid_gid();
	e->loginuid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	e->refused = refused;
	e->family = family;
	e->port = port;
	__builtin_memcpy(e->address, address, sizeof(e->address));
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
}

static __always_inline int judge(u16 family, u16 port, const u32 *address, bool loopback)
{
	u32 zero = 0;
	struct egress_control *c = bpf_map_lookup_elem(&control, &zero);

	if (!c || c->mode == EGRESS_OFF || !is_printer(c, port, loopback) || is_printing_service(c))
		return ALLOW;
	tell(family, port, address, c->mode == EGRESS_REFUSE);
	return c->mode == EGRESS_REFUSE ? DENY : ALLOW;
}

static __always_inline u16 port_of(struct bpf_sock_addr *ctx)
{
	return bpf_ntohs((u16)ctx->user_port);
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	u32 address[4] = {0};

	if (ctx->type != SOCK_STREAM_NUMBER)
		return ALLOW;
	address[0] = ctx->user_ip4;
	return judge(AF_INET_NUMBER, port_of(ctx), address, (bpf_ntohl(address[0]) >> 24) == 127);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	u32 address[4];
	bool mapped, loopback;

	if (ctx->type != SOCK_STREAM_NUMBER)
		return ALLOW;
	address[0] = ctx->user_ip6[0];
	address[1] = ctx->user_ip6[1];
	address[2] = ctx->user_ip6[2];
	address[3] = ctx->user_ip6[3];
	/* ::ffff:127.0.0.0/104 is this machine as well, and so is ::1 */
	mapped = !address[0] && !address[1] && bpf_ntohl(address[2]) == 0xffff;
	loopback = mapped ? (bpf_ntohl(address[3]) >> 24) == 127
			  : !address[0] && !address[1] && !address[2] && bpf_ntohl(address[3]) == 1;
	return judge(AF_INET6_NUMBER, port_of(ctx), address, loopback);
}

char LICENSE[] SEC("license")
= "Dual BSD/GPL";
