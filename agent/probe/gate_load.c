/*
 * Loads the gate and pins it. Called by sekisho-load. In this order: what sees devices come and go is attached, then
 * stock is taken, then opens are denied, then a child proves it; only then does it replace what was pinned before,
 * which holds until that moment.
 */
#include "agent/probe/gate_parts.h"
#include "agent/probe/load.h"
#include "gate.skel.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PIN_NEW GATE_PIN_DIR "-new"

/* How much is tried, the fullest first: a kernel without trampolines takes none of the upper two. */
enum fullness { FULL, TRACKING, PLAIN };

/* --- which programs --- */

/* Can a program say with which error an open is denied? Since 5.18; asked by a program that does nothing else. */
static bool helper_there(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = -EROFS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_set_retval},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_DEVICE);
	_cleanup_close_ int fd = bpf_prog_load(
		BPF_PROG_TYPE_CGROUP_DEVICE, "sekisho_try", "Dual BSD/GPL", insns, ARRAY_SIZE(insns), &opts);

	return fd >= 0;
}

static void want(struct bpf_program *p, bool wanted)
{
	const char *section = bpf_program__section_name(p), *slash = strchr(section, '/');

	bpf_program__set_autoload(p, wanted && slash && load_in_kernel(slash + 1));
}

static int choose(struct gate_bpf *b, enum fullness how, struct why *why)
{
	const struct btf_type *bio;
	bool erofs = helper_there(), seq;

	if (!load_types())
		return why_set(why, V_BAD, "the kernel has no BTF");
	seq = load_in_kernel("inc_diskseq");
	bpf_program__set_autoload(b->progs.open_erofs, erofs);
	bpf_program__set_autoload(b->progs.open_eperm, !erofs);
	want(b->progs.on_device_add, how <= TRACKING);
	want(b->progs.on_device_del, how <= TRACKING);
	want(b->progs.on_diskseq, how <= TRACKING && seq);
	want(b->progs.on_media_change, how <= TRACKING && !seq);
	want(b->progs.end_opener, how <= TRACKING);
	want(b->progs.deny_ioctl, how == FULL);
	want(b->progs.deny_ioctl_compat, how == FULL);
	want(b->progs.deny_uring, how == FULL);
	want(b->progs.on_remount, how == FULL);
	want(b->progs.deny_remount, how == FULL);
	want(b->progs.deny_mount, how == FULL);
	want(b->progs.refused_write, how == FULL);
	want(b->progs.refused_open, how == FULL);
	/* block_bio_queue(bio), before (queue, bio); a prototype counts the data as well. */
	bio = load_prototype("btf_trace_block_bio_queue");
	bpf_program__set_autoload(b->progs.watch_bio, bio && btf_vlen(bio) == 2);
	bpf_program__set_autoload(b->progs.watch_bio_of_queue, bio && btf_vlen(bio) == 3);
	return 0;
}

/* One table that is not there, as root can remove it, or a gate before did not need it: this one is another gate. */
static bool is_whole(const struct gate_bpf *b)
{
	struct bpf_map *m;
	char path[128];

	bpf_object__for_each_map(m, b->obj)
	{
		snprintf(path, sizeof(path), GATE_PIN_DIR "/%s", bpf_map__name(m));
		if (!strchr(bpf_map__name(m), '.') && access(path, F_OK))
			return false;
	}
	return true;
}

/*
 * What was pinned is gone on with: holds and grants stay. A gate of another version begins anew. One of which a table
 * is lost has a page of its own, by which the guard that has the lost one sees that it must take this one (gate_is).
 */
static int reuse(struct gate_bpf *b)
{
	struct gate_control c = {.version = 0};
	bool whole = is_whole(b);
	struct bpf_map *m;
	char path[128];
	int fd = bpf_obj_get(GATE_PIN_DIR "/control"), r;

	if (fd < 0)
		return 0;
	r = pins_first(fd, &c, sizeof(c));
	close(fd);
	if (r || c.version != GATE_VERSION)
		return 0;
	bpf_object__for_each_map(m, b->obj)
	{
		if (strchr(bpf_map__name(m), '.') || (m == b->maps.control && !whole))
			continue;
		snprintf(path, sizeof(path), GATE_PIN_DIR "/%s", bpf_map__name(m));
		fd = bpf_obj_get(path);
		if (fd < 0 && errno == ENOENT && !whole)
			continue;
		if (fd < 0)
			return -errno;
		r = bpf_map__reuse_fd(m, fd);
		close(fd);
		if (r)
			return r;
	}
	return 0;
}

/* Is it the moment that has no room, and not the kernel that cannot? Then it is to be tried again. */
static bool is_passing(int error)
{
	return error == -ENOMEM || error == -EAGAIN || error == -EINTR || error == -EBUSY || error == -ENOSPC ||
	       error == -EMFILE || error == -ENFILE;
}

/* *error: the kernel's, where it is V_BAD since the kernel does not take it; else 0. */
static int open_and_load(enum fullness how, struct gate_bpf **out, int *error, struct why *why)
{
	_cleanup_(excerpt_end) struct excerpt types;
	struct gate_bpf *b = gate_bpf__open_opts(excerpt_begin(&types));
	int first = -1, r;

	*error = 0; /* another fullness may have left one */
	if (!b)
		return why_set(why, V_BAD, "%s", load_said());
	load_hush();
	r = choose(b, how, why);
	/* Where a gate is there it is no boot, and there are trampolines. */
	if (!r && how == FULL && access(GATE_PIN_DIR, F_OK))
		first = first_begin();
	r = r ? r : reuse(b);
	r = r ? r : excerpt_fill(&types, b->obj);
	if (!r) {
		*error = gate_bpf__load(b);
		*error = *error ? *error : gate_bpf__attach(b);
		if (*error)
			r = why_set(why, V_BAD, "the kernel does not take the gate: %s", load_said());
	}
	closep(&first);
	if (r)
		gate_bpf__destroy(b);
	else
		*out = b;
	return r;
}

/* --- attaching --- */

static int attach_opens(struct gate_bpf *b, struct why *why)
{
	bool erofs = bpf_program__fd(b->progs.open_erofs) >= 0;
	struct bpf_program *p = erofs ? b->progs.open_erofs : b->progs.open_eperm;
	_cleanup_close_ int fd = pins_open_cgroup(why);
	struct bpf_link *link;

	if (fd < 0)
		return V_BAD;
	link = bpf_program__attach_cgroup(p, fd);
	if (!link)
		return why_set(why, V_BAD, "opens cannot be denied: %s", load_said());
	if (erofs)
		b->links.open_erofs = link;
	else
		b->links.open_eperm = link;
	return 0;
}

static unsigned layers_of(const struct gate_bpf *b, int tried)
{
	unsigned layers = (unsigned)tried & (GATE_OPEN | GATE_EROFS);

	layers |= b->links.on_device_add && b->links.on_device_del ? GATE_TRACK : 0u;
	layers |= (b->links.on_diskseq || b->links.on_media_change) && b->links.end_opener ? GATE_MEDIUM : 0u;
	layers |= b->links.deny_ioctl && tried & GATE_IOCTL ? GATE_IOCTL : 0u;
	layers |= b->links.deny_remount && tried & GATE_IOCTL ? GATE_MOUNT : 0u;
	layers |= b->links.watch_bio || b->links.watch_bio_of_queue ? GATE_WATCH : 0u;
	layers |= b->links.refused_write && b->links.refused_open ? GATE_REFUSALS : 0u;
	return layers;
}

/* --- the whole --- */

static int set_control(struct gate_bpf *b, struct gate_control c)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(b->maps.control), &zero, &c, BPF_ANY) ? -errno : 0;
}

static int attach_and_prove(struct gate_bpf *b, unsigned *layers, struct why *why)
{
	int r = gate_stock(bpf_map__fd(b->maps.devices), bpf_map__fd(b->maps.names), why), tried;

	r = r ? r : attach_opens(b, why);
	if (r)
		return r;
	tried = gate_try(bpf_map__fd(b->maps.canary));
	if (tried < 0)
		return tried;
	if (!(tried & GATE_OPEN))
		return why_set(why, V_BAD, "loaded and attached, but an open that must be denied was not");
	*layers = layers_of(b, tried);
	return 0;
}

static int build(struct gate_bpf *b, const struct gate_options *o, unsigned *layers, struct why *why)
{
	struct gate_control was = {.version = 0}, c;
	uint32_t zero = 0;
	struct stat st;
	int r;

	if (bpf_map_lookup_elem(bpf_map__fd(b->maps.control), &zero, &was))
		return -errno;
	c = was;
	c.version = GATE_VERSION;
	c.dry_run = o->dry_run;
	/* A gate that holds already goes by the same page: it is told only when this one has proven itself. */
	r = was.version ? 0 : set_control(b, c);
	r = r ? r : attach_and_prove(b, layers, why);
	r = r ? r : pins_lay(GATE_PIN_DIR, o->group, b->skeleton);
	if (!r && stat(PIN_NEW "/control", &st))
		r = -errno;
	if (r)
		return r;
	c.layers = *layers;
	c.pin = (uint32_t)st.st_ino; /* it stays so when the folder gets its name */
	r = set_control(b, c);
	r = r ? r : pins_swap(GATE_PIN_DIR);
	if (r && was.version)
		(void)set_control(b, was);
	return r;
}

int gate_load(const struct gate_options *o, unsigned *layers, struct why *why)
{
	struct gate_bpf *b = NULL;
	struct why fuller = {""};
	unsigned got = 0;
	enum fullness how;
	int r, error = 0;

	r = pins_begin(why);
	if (r)
		return r;
	for (how = FULL; how <= PLAIN; how++) {
		r = open_and_load(how, &b, &error, why);
		if (r != V_BAD)
			break;
		if (how == FULL)
			fuller = *why;
	}
	if (r)
		return r == V_BAD && is_passing(error) ? error : r;
	why->text[0] = 0;
	r = build(b, o, &got, why);
	if (!r && fuller.text[0] && !why->text[0])
		*why = fuller;
	if (r)
		pins_remove(PIN_NEW);
	gate_bpf__destroy(b);
	if (!r)
		*layers = got;
	return r;
}

int gate_unload(void)
{
	static const char *const links[] = {"open_erofs", "open_eperm"};

	/* Opens are let through from here on. */
	return pins_unload(GATE_PIN_DIR, links, ARRAY_SIZE(links));
}
