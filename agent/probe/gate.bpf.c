/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The gate: holds every device that could carry data out, from its first moment, whether anybody of ours runs or not.
 * What it decides by itself: where a device hangs. What the guard decides (verdicts) counts for one device and one
 * medium, and ends with it in the kernel. See gate.h; loaded by gate_load.c.
 *
 * An open of the PC's own disk must never be denied, and costs one look into a table.
 */
#include "agent/probe/kernel.bpf.h"

#include "agent/probe/gate_map.h"

#define EPERM_NUMBER 1
#define EROFS_NUMBER 30

#define ACC_READ 2u
#define ACC_WRITE 4u
#define ANCESTORS_MAX 24
#define ATTRIBUTES_MAX 16 /* that are looked through for one of an eMMC: it is the seventh */
#define SG_IO 0x2285u
#define BLKROSET 0x125du
#define NULL_DEV (1u << 20 | 3) /* /dev/null, for the canary */
#define USBFS_MAJOR 189u

#define S_IFMT_BITS 0170000
#define S_IFBLK_BITS 0060000
#define S_IFCHR_BITS 0020000
#define SB_RDONLY_BIT 1ul
#define FMODE_WRITE_BIT 2u
#define SIGKILL_NUMBER 9

/* --- the kernel's structures, as far as they are looked into (kernel.bpf.h has the others) --- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kobject {
	const char *name;
};
struct bus_type {
	const char *name;
};
struct class
{
	const char *name;
};
struct attribute {
	const char *name;
};
struct attribute_group {
	struct attribute **attrs;
};
struct device_type {
	const char *name;
	const struct attribute_group **groups;
};
struct device {
	struct kobject kobj;
	struct device *parent;
	const struct device_type *type;
	struct bus_type *bus;
	struct class *class;
	u32 devt;
};
struct device___removable {
	u32 removable;
};
struct gendisk___gate {
	int major, first_minor;
};
struct block_device___gate {
	u32 bd_dev;
};
struct user_namespace___gate {
	int level; /* 0: the PC's own */
};
struct super_block___user {
	struct user_namespace___gate *s_user_ns;
};
struct super_block___bdev {
	struct block_device___gate *s_bdev;
	char s_id[GATE_NAME_MAX];
};
struct bvec_iter {
	u32 bi_size;
};
struct bio___bdev {
	struct block_device___gate *bi_bdev;
	u32 bi_opf;
	struct bvec_iter bi_iter;
};
struct bio___disk {
	struct gendisk___gate *bi_disk;
	u32 bi_opf;
	struct bvec_iter bi_iter;
};
struct file___gate {
	u32 f_mode;
	struct inode *f_inode;
};
struct io_uring_cmd {
	struct file___gate *file;
};
struct fs_context {
	unsigned int sb_flags;
};
/* A walk along a path that goes on: what was asked for, and how far it came. */
struct nameidata {
	struct inode *inode;
	struct filename *name;
};
struct open_flags {
	int open_flag;
};
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
struct cgroup___gate {
	struct kernfs_node *kn;
};
struct css_set___gate {
	struct cgroup___gate *dfl_cgrp;
};
struct task_struct___gate {
	int pid, tgid;
	u64 start_boottime;
	struct task_struct___gate *group_leader;
	const struct cred *cred;
	struct css_set___gate *cgroups;
	struct nameidata *nameidata;
	char comm[16];
	struct kuid loginuid;
};
#pragma clang attribute pop

/* --- tables --- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_DEVICES_MAX);
	__type(key, struct gate_key);
	__type(value, struct gate_entry);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_DEVICES_MAX);
	__type(key, struct gate_key);
	__type(value, struct gate_verdict);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct gate_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct gate_exempt);
} exempt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} canary SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GATE_RING_BYTES);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GATE_TOLD_MAX);
	__type(key, struct gate_told_key);
	__type(value, struct gate_told);
} recently SEC(".maps");

/* Block devices by name: a btrfs has a number of its own, and says by name alone which device it lies on. */
struct device_name {
	char text[GATE_NAME_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_DEVICES_MAX);
	__type(key, struct device_name);
	__type(value, u32);
} names SEC(".maps");

/* What a thread that remounts wants: 1 for writing. Between two hooks of one call. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u32);
} remounting SEC(".maps");

/* --- who --- */

static __always_inline struct task_struct___gate *me(void)
{
	return (struct task_struct___gate *)bpf_get_current_task();
}

static __always_inline bool is_dry_run(void)
{
	u32 zero = 0;
	struct gate_control *c = bpf_map_lookup_elem(&control, &zero);

	return c && c->dry_run;
}

static __always_inline void count_denial(void)
{
	u32 zero = 0;
	struct gate_control *c = bpf_map_lookup_elem(&control, &zero);

	if (c)
		__sync_fetch_and_add(&c->denied, 1);
}

static __always_inline bool is_canary(void)
{
	u32 zero = 0, *who = bpf_map_lookup_elem(&canary, &zero);

	return who && *who && *who == (u32)BPF_CORE_READ(me(), tgid);
}

/*
 * The guard names itself by its number, and shows itself at once (gate_exempt_self opens /dev/null): from then on its
 * start counts too, so that nobody who gets the number later is taken for it.
 */
static __always_inline bool is_exempt(void)
{
	u32 zero = 0;
	struct gate_exempt *e = bpf_map_lookup_elem(&exempt, &zero);
	u64 start;

	if (!e || !e->tgid || e->tgid != (u32)BPF_CORE_READ(me(), tgid))
		return false;
	start = BPF_CORE_READ(me(), group_leader, start_boottime);
	if (!e->start_boot_ns)
		e->start_boot_ns = start;
	return e->start_boot_ns == start;
}

/* Names are compared as words (both machines that BPF runs on here have the low byte first): no loop for the verifier.
 */
struct name {
	u64 word[3];
};
#define BYTE(text, i) ((u64)(i < sizeof(text) ? (u8)(text)[i < sizeof(text) ? i : 0] : 0) << (8 * (i & 7)))
#define WORD(text, i)                                                                                              \
	(BYTE(text, (i)) | BYTE(text, (i) + 1) | BYTE(text, (i) + 2) | BYTE(text, (i) + 3) | BYTE(text, (i) + 4) | \
		BYTE(text, (i) + 5) | BYTE(text, (i) + 6) | BYTE(text, (i) + 7))
#define IS(n, text) ((n).word[0] == WORD(text, 0) && (n).word[1] == WORD(text, 8) && (n).word[2] == WORD(text, 16))

static __always_inline void name_of(struct name *out, const char *from)
{
	__builtin_memset(out, 0, sizeof(*out));
	if (from)
		bpf_probe_read_kernel_str(out, sizeof(*out), from);
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *kn)
{
	struct kernfs_node___before *before = (void *)kn;
	struct kernfs_node___since *since = (void *)kn;

	if (bpf_core_field_exists(before->parent))
		return BPF_CORE_READ(before, parent);
	return bpf_core_field_exists(since->__parent) ? BPF_CORE_READ(since, __parent) : NULL;
}

/* Identification of disks while udev processes their events: by its control group, which only root can enter. */
static __always_inline bool is_udev(void)
{
	struct kernfs_node *kn = BPF_CORE_READ(me(), cgroups, dfl_cgrp, kn);
	struct name name;
	int i;

	for (i = 0; i < 3; i++) {
		if (!kn)
			return false;
		name_of(&name, BPF_CORE_READ(kn, name));
		if (IS(name, "systemd-udevd.service"))
			return true;
		kn = parent_of(kn);
	}
	return false;
}

/* --- telling --- */

static __always_inline bool told_lately(const struct gate_told_key *key, u64 now, u64 *count)
{
	struct gate_told *before = bpf_map_lookup_elem(&recently, key);

	if (!before)
		return false;
	if (now - before->at_ns < GATE_TELL_EVERY_NS) {
		__sync_fetch_and_add(&before->more, 1);
		return true;
	}
	*count += before->more;
	return false;
}

/* Enough of it for one more event, where what came since is to be told and its process does nothing any more. */
static __always_inline void keep_told(const struct gate_told_key *key, const struct gate_event *e)
{
	struct gate_told t = {.at_ns = e->boot_ns,
		.start_boot_ns = e->start_boot_ns,
		.cgroup = e->cgroup,
		.flags = e->flags,
		.type = e->type,
		.whole = e->whole,
		.tid = e->tid,
		.uid = e->uid,
		.loginuid = e->loginuid};

	__builtin_memcpy(t.comm, e->comm, sizeof(t.comm));
	bpf_map_update_elem(&recently, key, &t, BPF_ANY);
}

static __always_inline struct gate_event *begin(u32 kind, u32 type, u32 dev, u32 whole, u32 op)
{
	struct task_struct___gate *t = me();
	struct gate_told_key key = {.tgid = BPF_CORE_READ(t, tgid), .dev = dev, .kind = kind, .op = op};
	u64 count = 1, now = bpf_ktime_get_boot_ns();
	struct gate_event *e;
	u32 zero = 0;

	/* Nobody causes many changes of media, and each one is needed. */
	if (kind != GATE_EVENT_MEDIUM_CHANGED && told_lately(&key, now, &count))
		return NULL;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		u64 *n = bpf_map_lookup_elem(&lost, &zero);

		if (n)
			__sync_fetch_and_add(n, 1);
		return NULL;
	}
	e->kind = kind;
	e->flags = is_dry_run() ? GATE_EVENT_DRY_RUN : 0;
	e->type = type;
	e->dev = dev;
	e->whole = whole;
	e->pid = BPF_CORE_READ(t, tgid);
	e->tid = BPF_CORE_READ(t, pid);
	e->uid = BPF_CORE_READ(t, cred, euid.val);
	e->loginuid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	e->op = op;
	e->boot_ns = now;
	e->start_boot_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	e->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	e->count = count;
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &t->comm);
	e->path[0] = 0;
	if (kind != GATE_EVENT_MEDIUM_CHANGED)
		keep_told(&key, e);
	return e;
}

static __always_inline void tell(u32 kind, u32 type, u32 dev, u32 whole, u32 op)
{
	struct gate_event *e = begin(kind, type, dev, whole, op);

	if (e)
		bpf_ringbuf_submit(e, 0);
}

/* --- how a device is held --- */

/* Majors by which sticks, cards, drives and tapes come: what is not known there is held. */
static __always_inline bool is_guarded(u32 type, u32 major)
{
	if (type == GATE_CHAR)
		return major == 21 || major == 9;
	return major == 8 || major == 11 || (major >= 65 && major <= 71) || (major >= 128 && major <= 135) ||
	       major == 179;
}

/* GATE_* state that counts; *whole is the device that it is the state of. */
static __always_inline u32 state_of(u32 type, u32 dev, u32 *whole)
{
	struct gate_key key = {.type = type, .dev = dev};
	struct gate_entry *e = bpf_map_lookup_elem(&devices, &key);
	struct gate_verdict *v;

	*whole = dev;
	if (!e) {
		if (!is_guarded(type, dev >> 20))
			return GATE_OWN;
		return type == GATE_CHAR ? GATE_HELD_ALL : GATE_HELD_WRITE;
	}
	if (e->state == GATE_OWN)
		return GATE_OWN;
	if (e->flags & GATE_PARTITION) {
		key.dev = *whole = e->whole;
		e = bpf_map_lookup_elem(&devices, &key);
		if (!e)
			return GATE_HELD_WRITE;
	}
	v = bpf_map_lookup_elem(&verdicts, &key);
	return v && v->generation == e->generation ? v->state : e->state;
}

/* --- devices that appear and go --- */

/* A pointer as a plain number, so that it can be handed to a global function. */
static __always_inline u64 address_of(const void *p)
{
	u64 n = 0;

	bpf_probe_read_kernel(&n, sizeof(n), &p);
	return n;
}

/*
 * An eMMC is soldered in; a card in a slot is of type SD. The type has no name: it is told by its attributes, of which
 * this one is an MMC's. (Its address does not tell: many SD cards choose 0001 as well.) Global functions are looked
 * at by the verifier each by itself.
 */
__noinline int is_builtin_card(u64 card)
{
	struct device *dev = (struct device *)card;
	const struct attribute_group **groups = BPF_CORE_READ(dev, type, groups), *group = NULL;
	struct attribute **attrs, *attr;
	struct name name;
	int i;

	bpf_probe_read_kernel(&group, sizeof(group), groups);
	attrs = BPF_CORE_READ(group, attrs);
	for (i = 0; i < ATTRIBUTES_MAX; i++) {
		attr = NULL;
		bpf_probe_read_kernel(&attr, sizeof(attr), attrs + i);
		if (!attr)
			return 0;
		name_of(&name, BPF_CORE_READ(attr, name));
		if (IS(name, "ffu_capable"))
			return 1;
	}
	return 0;
}

/* What one device says of all that hangs on it: GATE_ON_*. */
__noinline int hang_of(u64 at)
{
	struct device *dev = (struct device *)at;
	struct device___removable *r = (void *)dev;
	struct name name;

	name_of(&name, BPF_CORE_READ(dev, bus, name));
	if (IS(name, "usb"))
		return GATE_ON_USB;
	if (IS(name, "mmc"))
		return is_builtin_card(at) ? 0 : GATE_ON_CARD;
	if (IS(name, "memstick"))
		return GATE_ON_CARD;
	if (IS(name, "firewire") || IS(name, "pcmcia"))
		return GATE_ON_EXTERNAL;
	/* DEVICE_REMOVABLE of enum device_removable */
	if (IS(name, "pci") && bpf_core_field_exists(r->removable) && BPF_CORE_READ(r, removable) == 3)
		return GATE_ON_EXTERNAL;
	return 0;
}

/* Where it hangs: GATE_ON_* of its ancestors. */
static __always_inline u32 hangs_on(struct device *dev)
{
	u64 at = address_of(dev);
	u32 flags = 0;
	int i;

	for (i = 0; i < ANCESTORS_MAX && at; i++) {
		flags |= hang_of(at);
		at = address_of(BPF_CORE_READ((struct device *)at, parent));
	}
	return flags;
}

static __always_inline void name_block(struct device *dev, u32 devt, bool gone)
{
	struct device_name name = {{0}};

	bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(dev, kobj.name));
	if (gone)
		bpf_map_delete_elem(&names, &name);
	else
		bpf_map_update_elem(&names, &name, &devt, BPF_ANY);
}

static __always_inline void add_block(struct device *dev, u32 devt)
{
	struct gate_key key = {.type = GATE_BLOCK, .dev = devt};
	struct gate_entry e = {.whole = devt, .generation = bpf_ktime_get_boot_ns()}, *whole;
	struct name name;

	name_of(&name, BPF_CORE_READ(dev, type, name));
	if (IS(name, "partition")) {
		e.whole = BPF_CORE_READ(dev, parent, devt);
		e.flags = GATE_PARTITION;
		e.state = GATE_HELD_WRITE;
		key.dev = e.whole;
		whole = bpf_map_lookup_elem(&devices, &key);
		if (whole && whole->state == GATE_OWN)
			e.state = GATE_OWN;
		else if (!whole && !is_guarded(GATE_BLOCK, e.whole >> 20))
			return;
		key.dev = devt;
	} else {
		e.flags = hangs_on(dev);
		if (devt >> 20 == 11)
			e.flags |= GATE_OPTICAL;
		e.state = e.flags ? GATE_HELD_WRITE : GATE_OWN;
	}
	bpf_map_update_elem(&devices, &key, &e, BPF_ANY);
	bpf_map_delete_elem(&verdicts, &key);
}

static __always_inline void add_char(struct device *dev, u32 devt)
{
	struct gate_key key = {.type = GATE_CHAR, .dev = devt};
	struct gate_entry e = {.whole = devt, .generation = bpf_ktime_get_boot_ns(), .flags = GATE_PASS_THROUGH};
	struct name name;

	if (devt >> 20 == USBFS_MAJOR) {
		e.flags |= GATE_ON_USB;
		e.state = GATE_HELD_WRITE;
	} else {
		name_of(&name, BPF_CORE_READ(dev, class, name));
		if (!IS(name, "scsi_generic") && !IS(name, "bsg") && !IS(name, "scsi_tape") &&
			!IS(name, "scsi_changer") && !IS(name, "nvme") && !IS(name, "nvme-generic"))
			return;
		e.flags |= hangs_on(dev);
		e.state = e.flags & ~(u32)GATE_PASS_THROUGH ? GATE_HELD_ALL : GATE_OWN;
	}
	bpf_map_update_elem(&devices, &key, &e, BPF_ANY);
	bpf_map_delete_elem(&verdicts, &key);
}

static __always_inline bool is_block(struct device *dev)
{
	struct name name;

	name_of(&name, BPF_CORE_READ(dev, class, name));
	return IS(name, "block");
}

SEC("fentry/device_add")
int BPF_PROG(on_device_add, struct device *dev)
{
	u32 devt = BPF_CORE_READ(dev, devt);

	if (!devt)
		return 0;
	if (is_block(dev)) {
		name_block(dev, devt, false);
		add_block(dev, devt);
	} else {
		add_char(dev, devt);
	}
	return 0;
}

SEC("fentry/device_del")
int BPF_PROG(on_device_del, struct device *dev)
{
	struct gate_key key = {.dev = BPF_CORE_READ(dev, devt)};

	if (!key.dev)
		return 0;
	key.type = is_block(dev) ? GATE_BLOCK : GATE_CHAR;
	if (key.type == GATE_BLOCK)
		name_block(dev, key.dev, true);
	bpf_map_delete_elem(&devices, &key);
	bpf_map_delete_elem(&verdicts, &key);
	return 0;
}

/* Another medium in the same drive: what was granted was granted to the one before. */
static __always_inline void medium_changed(u32 dev)
{
	struct gate_key key = {.type = GATE_BLOCK, .dev = dev};
	struct gate_entry *e = bpf_map_lookup_elem(&devices, &key);

	if (!e || e->state == GATE_OWN)
		return;
	e->generation = bpf_ktime_get_boot_ns();
	tell(GATE_EVENT_MEDIUM_CHANGED, GATE_BLOCK, dev, dev, 0);
}

SEC("fentry/inc_diskseq")
int BPF_PROG(on_diskseq, struct gendisk___gate *disk)
{
	medium_changed((u32)BPF_CORE_READ(disk, major) << 20 | (u32)BPF_CORE_READ(disk, first_minor));
	return 0;
}

/* Before 5.15. */
SEC("fexit/bdev_check_media_change")
int BPF_PROG(on_media_change, struct block_device___gate *bdev, unsigned long ret)
{
	u32 whole;

	if (ret & 1) {
		state_of(GATE_BLOCK, BPF_CORE_READ(bdev, bd_dev), &whole);
		medium_changed(whole);
	}
	return 0;
}

/* --- opens --- */

/* Is it denied? */
static __always_inline bool deny_open(struct bpf_cgroup_dev_ctx *ctx)
{
	u32 type = ctx->access_type & 0xffff, access = ctx->access_type >> 16, dev, whole, state;

	if (!(access & (ACC_READ | ACC_WRITE)))
		return false;
	dev = ctx->major << 20 | (ctx->minor & 0xfffff);
	if (type == GATE_CHAR && dev == NULL_DEV)
		return access & ACC_WRITE && !is_exempt() && is_canary();
	state = state_of(type, dev, &whole);
	if (state >= GATE_GRANTED || (state == GATE_HELD_WRITE && !(access & ACC_WRITE)))
		return false;
	if (is_exempt())
		return false;
	count_denial();
	tell(GATE_EVENT_DENIED_OPEN, type, dev, whole, access);
	return !is_dry_run();
}

SEC("cgroup/dev")
int open_erofs(struct bpf_cgroup_dev_ctx *ctx)
{
	if (!deny_open(ctx))
		return 1;
	/* With this one mount(8) goes on read-only by itself; with EPERM it gives up. */
	if ((ctx->access_type & 0xffff) == GATE_BLOCK || ctx->major == 1)
		bpf_set_retval(-EROFS_NUMBER);
	return 0;
}

/* Before 5.18 a program cannot say which error. */
SEC("cgroup/dev")
int open_eperm(struct bpf_cgroup_dev_ctx *ctx)
{
	return !deny_open(ctx);
}

/*
 * That the medium is another one is found while an open goes on, when its question was answered for the one before. It
 * cannot be refused any more: whoever opened it ends before it can write.
 */
SEC("fexit/blkdev_open")
int BPF_PROG(end_opener, struct inode *inode, struct file___gate *file, int ret)
{
	u32 mode = BPF_CORE_READ(file, f_mode), dev, whole;

	if (ret || !(mode & FMODE_WRITE_BIT) || is_dry_run())
		return 0;
	dev = BPF_CORE_READ(inode, i_rdev);
	if (state_of(GATE_BLOCK, dev, &whole) >= GATE_GRANTED || is_exempt())
		return 0;
	count_denial();
	tell(GATE_EVENT_DENIED_OPEN, GATE_BLOCK, dev, whole, ACC_WRITE);
	bpf_send_signal(SIGKILL_NUMBER);
	return 0;
}

/* --- what is not an open --- */

/* Pass-through: the disk's own commands, whatever the block layer would say. */
static __always_inline bool is_pass_through(u32 cmd)
{
	u32 kind = cmd >> 8 & 0xff;

	return cmd == SG_IO || cmd == 1 /* SCSI_IOCTL_SEND_COMMAND */ || cmd == 0x5393 /* CDROM_SEND_PACKET */ ||
	       (cmd >= 0x31d && cmd <= 0x31f) /* HDIO_DRIVE_TASKFILE, _TASK, _CMD */ ||
	       (cmd >> 30 && (kind == 'N' /* NVMe */ || kind == 0xb3 /* MMC */));
}

/* The flag itself, and what writes without data. */
static __always_inline bool is_flag_command(u32 cmd)
{
	return cmd == BLKROSET || cmd == 0x1277 /* BLKDISCARD */ || cmd == 0x127d /* BLKSECDISCARD */ ||
	       cmd == 0x127f /* BLKZEROOUT */ || cmd == 0x40101283 /* BLKRESETZONE */;
}

/* Does a command of SG_IO (struct sg_io_hdr, or sg_io_v4) send data to the device? */
static __always_inline bool sends_data(unsigned long arg)
{
	struct {
		s32 form, direction;
	} head = {0};
	u32 out = 1;

	if (bpf_probe_read_user(&head, sizeof(head), (void *)arg))
		return true;
	if (head.form == 'S')
		return head.direction != -1 && head.direction != -3; /* SG_DXFER_NONE, SG_DXFER_FROM_DEV */
	if (head.form != 'Q' || bpf_probe_read_user(&out, sizeof(out), (void *)(arg + 60)))
		return true;
	return out; /* dout_xfer_len */
}

/* What udev needs to know a disk, and to set what its rules say. */
static __always_inline bool is_for_udev(u32 cmd, unsigned long arg)
{
	return (cmd == BLKROSET || (cmd == SG_IO && !sends_data(arg))) && is_udev();
}

static __always_inline int judge_ioctl(struct file___gate *file, u32 cmd, unsigned long arg, int ret)
{
	bool passes = is_pass_through(cmd), flags = is_flag_command(cmd), usb = (cmd >> 8 & 0xff) == 'U';
	struct inode *inode;
	u32 mode, dev, whole, type;

	/* Nearly all calls end here. */
	if (ret || (!passes && !flags && !usb && cmd != GATE_CANARY_IOCTL))
		return ret;
	if (cmd == GATE_CANARY_IOCTL && is_canary())
		return -EPERM_NUMBER;
	inode = BPF_CORE_READ(file, f_inode);
	mode = BPF_CORE_READ(inode, i_mode) & S_IFMT_BITS;
	dev = BPF_CORE_READ(inode, i_rdev);
	if (mode == S_IFBLK_BITS && (passes || flags))
		type = GATE_BLOCK;
	else if (mode == S_IFCHR_BITS && passes)
		type = GATE_CHAR;
	else if (mode == S_IFCHR_BITS && usb && dev >> 20 == USBFS_MAJOR &&
		 BPF_CORE_READ(file, f_mode) & FMODE_WRITE_BIT)
		type = GATE_CHAR; /* opened before it was held; reading what usbfs tells to everybody is no matter */
	else
		return 0;
	if (state_of(type, dev, &whole) >= GATE_GRANTED || is_exempt() || is_for_udev(cmd, arg))
		return 0;
	count_denial();
	tell(GATE_EVENT_DENIED_IOCTL, type, dev, whole, cmd);
	return is_dry_run() ? 0 : -EPERM_NUMBER;
}

SEC("fmod_ret/security_file_ioctl")
int BPF_PROG(deny_ioctl, struct file___gate *file, unsigned int cmd, unsigned long arg, int ret)
{
	return judge_ioctl(file, cmd, arg, ret);
}

SEC("fmod_ret/security_file_ioctl_compat")
int BPF_PROG(deny_ioctl_compat, struct file___gate *file, unsigned int cmd, unsigned long arg, int ret)
{
	return judge_ioctl(file, cmd, arg, ret);
}

/* The disk's own commands through io_uring: of nodes that were opened before they were held. */
SEC("fmod_ret/security_uring_cmd")
int BPF_PROG(deny_uring, struct io_uring_cmd *request, int ret)
{
	struct inode *inode = BPF_CORE_READ(request, file, f_inode);
	u32 mode = BPF_CORE_READ(inode, i_mode) & S_IFMT_BITS, dev = BPF_CORE_READ(inode, i_rdev), whole;
	u32 type = mode == S_IFBLK_BITS ? GATE_BLOCK : GATE_CHAR;

	if (ret || (mode != S_IFBLK_BITS && mode != S_IFCHR_BITS))
		return ret;
	if (state_of(type, dev, &whole) >= GATE_GRANTED || is_exempt())
		return 0;
	count_denial();
	tell(GATE_EVENT_DENIED_IOCTL, type, dev, whole, 0);
	return is_dry_run() ? 0 : -EPERM_NUMBER;
}

/* The device that a file system lies on; 0: on none. */
static __always_inline u32 dev_of(struct super_block *sb)
{
	struct super_block___bdev *s = (void *)sb;
	struct block_device___gate *bdev = BPF_CORE_READ(s, s_bdev);
	struct device_name name = {{0}};
	u32 *dev;

	if (bdev)
		return BPF_CORE_READ(bdev, bd_dev);
	bpf_probe_read_kernel_str(name.text, sizeof(name.text), &s->s_id);
	dev = bpf_map_lookup_elem(&names, &name);
	return dev ? *dev : 0;
}

/* A file system for writing on a held device? */
static __always_inline int judge_mount(struct super_block *sb, u32 op)
{
	u32 dev = dev_of(sb), whole;

	if (!dev)
		return 0;
	if (state_of(GATE_BLOCK, dev, &whole) >= GATE_GRANTED || is_exempt())
		return 0;
	count_denial();
	tell(GATE_EVENT_DENIED_MOUNT, GATE_BLOCK, dev, whole, op);
	return is_dry_run() ? 0 : -EROFS_NUMBER;
}

SEC("fentry/reconfigure_super")
int BPF_PROG(on_remount, struct fs_context *fc)
{
	u32 tid = BPF_CORE_READ(me(), pid), writing = !(BPF_CORE_READ(fc, sb_flags) & SB_RDONLY_BIT);

	bpf_map_update_elem(&remounting, &tid, &writing, BPF_ANY);
	return 0;
}

/* What is mounted read-only from a held device stays so; other options, and the way back, are open. */
SEC("fmod_ret/security_sb_remount")
int BPF_PROG(deny_remount, struct super_block *sb, void *opts, int ret)
{
	u32 tid = BPF_CORE_READ(me(), pid), *writing = bpf_map_lookup_elem(&remounting, &tid);

	if (ret || (writing && !*writing) || !(BPF_CORE_READ(sb, s_flags) & SB_RDONLY_BIT))
		return ret;
	return judge_mount(sb, 0);
}

/*
 * What an overlay shows it opens by itself, and fanotify(7) is not asked about that (before Linux 6.14): who is refused
 * a protected file would have it through an overlay that he mounts as root of a user namespace of his own.
 */
static __always_inline bool is_refused_overlay(struct super_block *sb)
{
	struct super_block___user *u = (void *)sb;
	u32 zero = 0;
	struct gate_exempt *e = bpf_map_lookup_elem(&exempt, &zero);
	struct name type;

	if (!e || !e->no_overlays || is_dry_run() || BPF_CORE_READ(u, s_user_ns, level) <= 0)
		return false;
	name_of(&type, BPF_CORE_READ(sb, s_type, name));
	return IS(type, "overlay");
}

/*
 * An open notices only while it goes on that the medium is another one, when the question whether it may write was
 * answered already. A mount is asked once more.
 */
SEC("fmod_ret/security_sb_kern_mount")
int BPF_PROG(deny_mount, struct super_block *sb, int ret)
{
	if (!ret && is_refused_overlay(sb)) {
		count_denial();
		tell(GATE_EVENT_DENIED_OVERLAY, 0, 0, 0, 0);
		return -EPERM_NUMBER;
	}
	if (ret || BPF_CORE_READ(sb, s_flags) & SB_RDONLY_BIT)
		return ret;
	return judge_mount(sb, 1);
}

/* --- tripwires --- */

/* Odd operations write (enum req_op); an empty one only flushes. */
static __always_inline bool writes(u32 opf, u32 size)
{
	return opf & 1 && size;
}

static __always_inline void look_at(u32 dev, u32 opf)
{
	u32 whole;

	if (state_of(GATE_BLOCK, dev, &whole) < GATE_GRANTED)
		tell(GATE_EVENT_WRITE_SEEN, GATE_BLOCK, dev, whole, opf & 0xff);
}

/* Every request to every disk passes here: what the tracepoint gives is read without a helper. */
SEC("tp_btf/block_bio_queue")
int BPF_PROG(watch_bio, struct bio___bdev *bio)
{
	if (writes(bio->bi_opf, bio->bi_iter.bi_size))
		look_at(bio->bi_bdev->bd_dev, bio->bi_opf);
	return 0;
}

/* Before 5.11. */
SEC("tp_btf/block_bio_queue")
int BPF_PROG(watch_bio_of_queue, void *queue, struct bio___disk *bio)
{
	if (writes(bio->bi_opf, bio->bi_iter.bi_size))
		look_at((u32)bio->bi_disk->major << 20 | (u32)bio->bi_disk->first_minor, bio->bi_opf);
	return 0;
}

/* --- refusals: a file system on a held device said no --- */

/* Opens, with the path as the caller wrote it. */
SEC("fexit/path_openat")
int BPF_PROG(refused_open, struct nameidata *nd, const struct open_flags *op, unsigned flags, long ret)
{
	struct gate_event *e;
	u32 dev, whole;

	if (ret != -EROFS_NUMBER)
		return 0;
	dev = dev_of(BPF_CORE_READ(nd, inode, i_sb));
	if (!dev || state_of(GATE_BLOCK, dev, &whole) >= GATE_GRANTED)
		return 0;
	e = begin(GATE_EVENT_REFUSED, GATE_BLOCK, dev, whole, BPF_CORE_READ(op, open_flag));
	if (!e)
		return 0;
	bpf_probe_read_kernel_str(e->path, sizeof(e->path), BPF_CORE_READ(nd, name, name));
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* All other changes. Within an open it is no more than a question, which the hook above has the answer to. */
SEC("fexit/mnt_want_write")
int BPF_PROG(refused_write, struct vfsmount *mnt, int ret)
{
	u32 dev, whole;

	if (ret != -EROFS_NUMBER || BPF_CORE_READ(me(), nameidata))
		return 0;
	dev = dev_of(BPF_CORE_READ(mnt, mnt_sb));
	if (dev && state_of(GATE_BLOCK, dev, &whole) < GATE_GRANTED)
		tell(GATE_EVENT_REFUSED, GATE_BLOCK, dev, whole, 0);
	return 0;
}

char _license[] SEC("license")
= "Dual BSD/GPL";
