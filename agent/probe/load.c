/*
 * Loading the kernel programs: the fullest set that really works here, proven by an event that is caused on purpose,
 * then pinned so that nobody needs to stay. Called by sekisho-load (and, to try things out, by the recorder).
 *
 * What was pinned before is replaced only by what was proven.
 */
#include "agent/probe/load.h"
#include "policy/base/clock.h"
#include "policy/wire/record.h"
#include "tracepoint.skel.h"
#include "tracepoint_cast.skel.h"
#include "trampoline.skel.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/* No dots: bpffs keeps names with them to itself. */
#define PIN_NEW PROBE_PIN_DIR "-new"
#define PROOF_MS 2000
#define SWEEP "each_fold"
#define SWEEP_OLD "each_fold_old"

/* One loaded set, whichever skeleton it has. */
struct loaded {
	unsigned set;
	struct tracepoint_bpf *tracepoint;
	struct trampoline_bpf *trampoline;
	struct bpf_object *object;
	struct excerpt types;
};

static void loaded_release(struct loaded *l)
{
	tracepoint_bpf__destroy(l->tracepoint);
	trampoline_bpf__destroy(l->trampoline);
	excerpt_end(&l->types);
}

/*
 * Programs whose function this kernel does not have are left out; without these there would be no record of files at
 * all.
 */
static int leave_out_missing(struct bpf_object *o, struct why *why)
{
	static const char *const needed[] = {"security_file_open", "__fput", "vfs_write", "vfs_read"};
	struct bpf_program *p;
	size_t i;

	if (!load_types())
		return why_set(why, V_BAD, "the kernel has no BTF");
	for (i = 0; i < ARRAY_SIZE(needed); i++)
		if (!load_in_kernel(needed[i]))
			return why_set(why, V_BAD, "the kernel has no function %s", needed[i]);
	bpf_object__for_each_program(p, o)
	{
		const char *section = bpf_program__section_name(p), *slash = strchr(section, '/');

		if (slash && (!strncmp(section, "fentry/", 7) || !strncmp(section, "fexit/", 6)) &&
			!load_in_kernel(slash + 1))
			bpf_program__set_autoload(p, false);
	}
	return 0;
}

/* Is argument `i` (of 0 on, behind the data) there, and a pointer? */
static bool has_pointer(const struct btf *btf, const struct btf_type *prototype, unsigned i)
{
	const struct btf_type *type;

	if (!prototype || btf_vlen(prototype) <= i + 1)
		return false;
	type = btf__type_by_id(btf, btf_params(prototype)[i + 1].type);
	return type && btf_is_ptr(type);
}

/* Of programs for one tracepoint of several forms, the one that this kernel has. */
static void choose_forms(struct tracepoint_bpf *t)
{
	const struct btf *btf = load_types();
	const struct btf_type *done = load_prototype("btf_trace_io_uring_complete");
	const struct btf_type *sqe = load_prototype("btf_trace_io_uring_submit_sqe");
	const struct btf_type *req = load_prototype("btf_trace_io_uring_submit_req");
	const struct btf_type *prepare = load_prototype("btf_trace_sched_prepare_exec");
	unsigned arguments = 0;
	bool entry, number, request_first;

	/* complete(ring, request, entry), (ring, request, data, result, ...), before (ring, data, result, ...) */
	entry = has_pointer(btf, done, 1) && has_pointer(btf, done, 2);
	number = has_pointer(btf, done, 1) && !entry;
	/* submit_sqe(request, bool), before (ring, request, operation, ...), before (ring, operation, ...) */
	arguments = sqe ? btf_vlen(sqe) - 1u : 0;
	request_first = arguments == 2;
	bpf_program__set_autoload(t->progs.uring_complete_entry, entry);
	bpf_program__set_autoload(t->progs.uring_complete_number, number);
	bpf_program__set_autoload(t->progs.uring_submit_req, req);
	bpf_program__set_autoload(t->progs.uring_submit_sqe, request_first);
	bpf_program__set_autoload(t->progs.uring_submit_third, arguments > 2 && has_pointer(btf, sqe, 1));
	bpf_program__set_autoload(t->progs.uring_submit_second, arguments > 2 && !has_pointer(btf, sqe, 1));
	bpf_program__set_autoload(t->progs.on_prepare_exec, prepare);
}

/* The sweep in the form that this kernel has. */
static void choose_sweep(struct bpf_object *o)
{
	bool whole = load_in_kernel("bpf_for_each_map_elem");

	bpf_program__set_autoload(bpf_object__find_program_by_name(o, SWEEP), whole);
	bpf_program__set_autoload(bpf_object__find_program_by_name(o, SWEEP_OLD), !whole);
	bpf_program__set_autoattach(bpf_object__find_program_by_name(o, SWEEP_OLD), false);
}

/* One program, built twice: their skeletons are alike, and all that is done with one goes by its list of programs. */
_Static_assert(sizeof(struct tracepoint_bpf) == sizeof(struct tracepoint_cast_bpf), "two skeletons of one program");

static struct tracepoint_bpf *open_tracepoint(struct excerpt *types)
{
	return load_in_kernel("bpf_rdonly_cast") ? (struct tracepoint_bpf *)(void *)tracepoint_cast_bpf__open()
						 : tracepoint_bpf__open_opts(excerpt_begin(types));
}

static int open_set(unsigned set, struct loaded *l, struct why *why)
{
	l->set = set;
	if (set == PROBE_SET_TRAMPOLINE) {
		l->trampoline = trampoline_bpf__open_opts(excerpt_begin(&l->types));
		if (!l->trampoline)
			return why_set(why, V_BAD, "%s", load_said());
		l->object = l->trampoline->obj;
		return leave_out_missing(l->object, why);
	}
	l->tracepoint = open_tracepoint(&l->types);
	if (!l->tracepoint)
		return why_set(why, V_BAD, "%s", load_said());
	l->object = l->tracepoint->obj;
	choose_forms(l->tracepoint);
	return 0;
}

static struct bpf_object_skeleton *skeleton_of(const struct loaded *l)
{
	return l->trampoline ? l->trampoline->skeleton : l->tracepoint->skeleton;
}

/* The old form walks over one table: which one, is said when it is attached. */
static int attach_sweep(struct loaded *l)
{
	union bpf_iter_link_info which;
	struct bpf_iter_attach_opts o;
	const struct bpf_object_skeleton *sk = skeleton_of(l);
	int i;

	/* libbpf asks for zeros between the fields too, which an initializer does not promise. */
	memset(&which, 0, sizeof(which));
	which.map.map_fd = (uint32_t)bpf_object__find_map_fd_by_name(l->object, "files");
	memset(&o, 0, sizeof(o));
	o.sz = sizeof(o);
	o.link_info = &which;
	o.link_info_len = sizeof(which);
	for (i = 0; i < sk->prog_cnt; i++) {
		if (strcmp(sk->progs[i].name, SWEEP_OLD) || !bpf_program__autoload(*sk->progs[i].prog))
			continue;
		*sk->progs[i].link = bpf_program__attach_iter(*sk->progs[i].prog, &o);
		return *sk->progs[i].link ? 0 : -errno;
	}
	return 0;
}

static int load_set(struct loaded *l, uint32_t ring_bytes, struct why *why)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(l->object, "ring");
	struct bpf_program *p;
	int r = bpf_map__set_max_entries(ring, ring_bytes);

	if (r)
		return r;
	choose_sweep(l->object);
	if (l->set == PROBE_SET_TRACEPOINT)
		bpf_object__for_each_program(p, l->object) if (calls_is_target(bpf_program__name(p)))
			bpf_program__set_autoattach(p, false);
	load_hush();
	r = excerpt_fill(&l->types, l->object);
	if (r)
		return r;
	r = l->trampoline ? trampoline_bpf__load(l->trampoline) : tracepoint_bpf__load(l->tracepoint);
	if (r)
		return why_set(why, V_BAD, "the kernel does not take the programs (%s): %s", strerror(-r), load_said());
	r = l->set == PROBE_SET_TRACEPOINT ? calls_fill(l->object) : 0;
	if (r)
		return why_set(why, V_BAD, "table of system calls: %s", strerror(-r));
	r = l->trampoline ? trampoline_bpf__attach(l->trampoline) : tracepoint_bpf__attach(l->tracepoint);
	r = r ? r : attach_sweep(l);
	if (r)
		return why_set(
			why, V_BAD, "the kernel does not attach the programs (%s): %s", strerror(-r), load_said());
	return 0;
}

/* --- proof --- */

struct proof {
	pid_t child;
	bool exited, wrote;
};

static int on_event(void *ctx, void *data, size_t n)
{
	struct proof *p = ctx;
	struct event e;

	if (n < sizeof(e))
		return 0;
	memcpy(&e, data, sizeof(e));
	if (e.pid == (uint32_t)p->child) {
		p->exited |= e.kind == KIND_EXIT;
		p->wrote |= e.kind == KIND_FILE && e.bytes_written == 1;
	}
	return 0;
}

/* A child writes one byte into a file that has no name, and ends: both must be told. */
static int prove(struct loaded *l, struct why *why)
{
	struct probe_control c = {.active = 1,
		.level_all = 2,
		.level_max = 2,
		.version = EVENT_VERSION,
		.set = l->set,
		.enforce = enforce_proven() ? ENFORCE_FULL : ENFORCE_NONE,
		.hold_ns = UINT64_MAX,
		.kinds = 1ull << KIND_EXIT | 1ull << KIND_FILE};
	int control = bpf_object__find_map_fd_by_name(l->object, "control"), status;
	struct proof p = {.child = 0};
	struct ring_buffer *rb;
	uint32_t zero = 0;
	int64_t until;

	if (bpf_map_update_elem(control, &zero, &c, BPF_ANY))
		return -errno;
	rb = ring_buffer__new(bpf_object__find_map_fd_by_name(l->object, "ring"), on_event, &p, NULL);
	if (!rb)
		return -errno;
	p.child = fork();
	if (p.child == 0) {
		int fd = open("/var/tmp", O_TMPFILE | O_WRONLY, 0600);

		_exit(fd < 0 || write(fd, "", 1) != 1 || close(fd));
	}
	if (p.child > 0)
		waitpid(p.child, &status, 0);
	until = clock_awake_us() + PROOF_MS * 1000;
	while (!(p.exited && p.wrote) && clock_awake_us() < until) {
		ring_buffer__consume(rb);
		usleep(1000);
	}
	ring_buffer__free(rb);
	/* Recording begins when the recorder says what is worth it. */
	c.active = 0;
	if (bpf_map_update_elem(control, &zero, &c, BPF_ANY))
		return -errno;
	if (!p.exited || !p.wrote)
		return why_set(why, V_BAD, "loaded and attached, but %s was not told",
			p.exited ? "the writing of a file" : "the end of a process");
	return 0;
}

/* --- pinning --- */

static int pin_all(struct loaded *l, gid_t group)
{
	const struct bpf_object_skeleton *sk = skeleton_of(l);
	struct bpf_map *m;
	char path[128];
	int i, r;

	pins_remove(PIN_NEW);
	r = pins_folder(PIN_NEW, group);
	if (r)
		return r;
	bpf_object__for_each_map(m, l->object)
	{
		const char *name = bpf_map__name(m);

		if (strchr(name, '.'))
			continue; /* constants: the programs hold them */
		snprintf(path, sizeof(path), PIN_NEW "/%s", name);
		if (bpf_obj_pin(bpf_map__fd(m), path))
			return -errno;
		r = pins_give(path, group);
		if (r)
			return r;
	}
	for (i = 0; i < sk->prog_cnt; i++) {
		struct bpf_link *link = *sk->progs[i].link;

		if (!link)
			continue;
		snprintf(path, sizeof(path), PIN_NEW "/%s",
			strcmp(sk->progs[i].name, SWEEP_OLD) ? sk->progs[i].name : SWEEP);
		r = bpf_link__pin(link, path);
		r = r ? r : pins_give(path, group);
		if (r)
			return r;
	}
	return 0;
}

/* --- the whole --- */

static int try_set(unsigned set, const struct probe_options *o, struct why *why)
{
	struct loaded l = {.set = set, .types = {.fd = -1}};
	int r = open_set(set, &l, why);

	r = r ? r : load_set(&l, o->ring_bytes ? o->ring_bytes : PROBE_RING_SIZE, why);
	r = r ? r : prove(&l, why);
	r = r ? r : pin_all(&l, o->group);
	r = r ? r
	      : load_hand_over(bpf_object__find_map_fd_by_name(l.object, "control"),
			bpf_object__find_map_fd_by_name(l.object, "prefixes"),
			bpf_object__find_map_fd_by_name(l.object, "points"));
	r = r ? r : pins_swap(PROBE_PIN_DIR);
	if (r)
		pins_remove(PIN_NEW);
	loaded_release(&l);
	return r;
}

int probe_load(const struct probe_options *o, unsigned *set, struct why *why)
{
	static const unsigned order[] = {PROBE_SET_TRAMPOLINE, PROBE_SET_TRACEPOINT};
	struct why fuller = {""}, reason = {""};
	size_t i;
	int r;

	r = pins_begin(why);
	if (r)
		return r;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		if (o->set && o->set != order[i])
			continue;
		r = try_set(order[i], o, &reason);
		if (r < 0)
			return r;
		if (!r) {
			if (fuller.text[0])
				why_set(why, 0, "%s", fuller.text);
			*set = order[i];
			return 0;
		}
		fuller = reason;
	}
	return why_set(why, V_BAD, "%s", reason.text);
}

int probe_unload(void)
{
	return pins_unload(PROBE_PIN_DIR, NULL, 0);
}
