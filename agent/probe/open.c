/*
 * The pinned kernel side, opened again: read events, steer the filter, find what ended unseen. Called by the recorder,
 * which has no privilege by then; whatever needed some was opened by probe_open.
 */
#include "agent/probe/load.h"
#include "agent/probe/prefixes.h"
#include "policy/base/clock.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LOSSES_SIZE (PROBE_CPUS_MAX * PROBE_CAUSES * sizeof(uint64_t))
#define PROGRAMS_MAX 128u

struct probe {
	int control_fd, losses_fd, ring_fd, prefixes_fd, points_fd; /* points: -1 of programs before it */
	int dir_fd; /* of the pins: iterators are opened below it, when the way to it may be closed to us */
	struct probe_control *control;
	const uint64_t *losses;
	int programs[PROGRAMS_MAX]; /* asked for what the kernel skipped of them */
	unsigned programs_n;
	const unsigned long *consumed, *produced; /* positions in the ring buffer */
	long page;
	struct ring_buffer *rb;

	/* during probe_consume */
	probe_event_fn fn;
	void *ctx;
	unsigned max, taken;
	int failed;
};

static int get(const char *name, struct why *why)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PROBE_PIN_DIR "/%s", name);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT) {
		why_set(why, 0, "%s: not there: sekisho-load has not run", path);
		return -ENOENT;
	}
	return fd < 0 ? -errno : fd;
}

static int on_sample(void *ctx, void *data, size_t n)
{
	struct probe *p = ctx;
	int r = p->fn(p->ctx, SPAN(data, n));

	p->taken++;
	if (r) {
		p->failed = r;
		return -ECANCELED;
	}
	return p->max && p->taken >= p->max ? -ECANCELED : 0;
}

/* Links and maps are pinned, and asked for the same thing both answer. */
static bool is_map(int fd)
{
	char path[32], what[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, what, sizeof(what));
	return n <= 0 || memmem(what, (size_t)n, "bpf-map", 7);
}

/* The program behind a pinned link; -1 where it is no link, or one of an iterator, which interrupts nothing. */
static int program_of(const char *name)
{
	struct bpf_link_info link = {.type = 0};
	uint32_t n = sizeof(link);
	_cleanup_close_ int fd = -1;
	char path[sizeof(PROBE_PIN_DIR) + NAME_MAX + 1];

	snprintf(path, sizeof(path), PROBE_PIN_DIR "/%s", name);
	fd = name[0] == '.' ? -1 : bpf_obj_get(path);
	if (fd < 0 || is_map(fd) || bpf_obj_get_info_by_fd(fd, &link, &n))
		return -1;
	if (link.type != BPF_LINK_TYPE_TRACING && link.type != BPF_LINK_TYPE_RAW_TRACEPOINT)
		return -1;
	return bpf_prog_get_fd_by_id(link.prog_id);
}

static int find_programs(struct probe *p)
{
	_cleanup_closedir_ DIR *d = opendir(PROBE_PIN_DIR);
	struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)) && p->programs_n < PROGRAMS_MAX) {
		int fd = program_of(e->d_name);

		if (fd >= 0)
			p->programs[p->programs_n++] = fd;
	}
	return 0;
}

/*
 * What the kernel did not run, because the same program was at work on that processor and had been interrupted. Counted
 * by kernels that do so (since 5.12; for tracepoints 6.1).
 */
static uint64_t skipped(const struct probe *p)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < p->programs_n; i++) {
		struct bpf_prog_info info = {.type = 0};
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(p->programs[i], &info, &size))
			n += info.recursion_misses;
	}
	return n;
}

static int map_pages(struct probe *p)
{
	void *m;

	p->page = sysconf(_SC_PAGESIZE);
	m = mmap(NULL, sizeof(struct probe_control), PROT_READ | PROT_WRITE, MAP_SHARED, p->control_fd, 0);
	if (m == MAP_FAILED)
		return -errno;
	p->control = m;
	m = mmap(NULL, LOSSES_SIZE, PROT_READ, MAP_SHARED, p->losses_fd, 0);
	if (m == MAP_FAILED)
		return -errno;
	p->losses = m;
	/* Documented layout of a ring buffer's pages (Documentation/bpf/ringbuf.rst): what was read, what was written.
	 */
	m = mmap(NULL, (size_t)p->page, PROT_READ, MAP_SHARED, p->ring_fd, 0);
	if (m == MAP_FAILED)
		return -errno;
	p->consumed = m;
	m = mmap(NULL, (size_t)p->page, PROT_READ, MAP_SHARED, p->ring_fd, p->page);
	if (m == MAP_FAILED)
		return -errno;
	p->produced = m;
	return 0;
}

int probe_open(struct probe **out, struct why *why)
{
	_cleanup_(probe_closep) struct probe *p = calloc(1, sizeof(*p));
	static const char *const names[] = {"control", "losses", "ring", "prefixes"};
	int *fds[] = {&p->control_fd, &p->losses_fd, &p->ring_fd, &p->prefixes_fd};
	size_t i;
	int r;

	if (!p)
		return -ENOMEM;
	p->dir_fd = p->points_fd = -1;
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		*fds[i] = -1;
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		r = get(names[i], why);
		if (r < 0)
			return r == -ENOENT ? V_NOT_FOUND : r;
		*fds[i] = r;
	}
	r = get("points", why);
	if (r < 0 && r != -ENOENT)
		return r;
	why->text[0] = 0;
	p->points_fd = r < 0 ? -1 : r;
	p->dir_fd = open(PROBE_PIN_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd < 0)
		return -errno;
	r = map_pages(p);
	if (r)
		return r;
	if (p->control->version != EVENT_VERSION)
		return why_set(why, V_BAD,
			"the programs that are loaded speak version %u, this program %u: run sekisho-load",
			p->control->version, EVENT_VERSION);
	r = find_programs(p);
	if (r)
		return r;
	/* What was skipped before anything was to be recorded is nobody's loss. */
	if (!p->control->active)
		p->control->told[CAUSE_SKIPPED] = skipped(p);
	p->rb = ring_buffer__new(p->ring_fd, on_sample, p, NULL);
	if (!p->rb)
		return -errno;
	*out = STEAL(p);
	return 0;
}

void probe_close(struct probe *p)
{
	unsigned i;

	if (!p)
		return;
	for (i = 0; i < p->programs_n; i++)
		close(p->programs[i]);
	ring_buffer__free(p->rb);
	if (p->control)
		munmap(p->control, sizeof(struct probe_control));
	if (p->losses)
		munmap((void *)(uintptr_t)p->losses, LOSSES_SIZE);
	if (p->consumed)
		munmap((void *)(uintptr_t)p->consumed, (size_t)p->page);
	if (p->produced)
		munmap((void *)(uintptr_t)p->produced, (size_t)p->page);
	closep(&p->control_fd);
	closep(&p->losses_fd);
	closep(&p->ring_fd);
	closep(&p->prefixes_fd);
	closep(&p->points_fd);
	closep(&p->dir_fd);
	free(p);
}

unsigned probe_set_of(const struct probe *p)
{
	return p->control->set;
}

unsigned probe_enforce_of(const struct probe *p)
{
	return p->control->enforce;
}

/* --- steering --- */

static int drop_unwanted(int fd, struct prefixes *all)
{
	struct probe_prefix key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!prefixes_find(all, &key) && bpf_map_delete_elem(fd, &key) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* 0; V_FULL where a name is too long for the table. */
static int point_make(struct probe_part *key, struct probe_point *value, const struct probe_mount *m)
{
	size_t part = strcmp(m->part, "/") ? strlen(m->part) : 0, n = strcmp(m->path, "/") ? strlen(m->path) : 0;

	if (part >= sizeof(key->path) || n > sizeof(value->path))
		return V_FULL;
	memset(key, 0, sizeof(*key));
	memset(value, 0, sizeof(*value));
	key->bits = 32 + 8 * ((uint32_t)part + 1);
	key->dev = major(m->dev) << 20 | minor(m->dev);
	memcpy(key->path, m->part, part);
	key->path[part] = '/';
	value->part_len = (uint32_t)part;
	value->len = (uint32_t)n;
	memcpy(value->path, m->path, n);
	return 0;
}

static bool point_wanted(const struct probe_part *key, const struct probe_mount *m, unsigned n)
{
	struct probe_point value;
	struct probe_part one;
	unsigned i;

	for (i = 0; i < n; i++)
		if (!point_make(&one, &value, &m[i]) && one.bits == key->bits && one.dev == key->dev &&
			memcmp(one.path, key->path, (key->bits - 32) / 8) == 0)
			return true;
	return false;
}

int probe_points_set(struct probe *p, uint32_t host_mnt_ns, const struct probe_mount *points, unsigned n)
{
	struct probe_part key, next;
	struct probe_point value;
	unsigned i;
	bool more;

	if (p->points_fd < 0)
		return 0;
	more = !bpf_map_get_next_key(p->points_fd, NULL, &next);
	while (more) {
		key = next;
		more = !bpf_map_get_next_key(p->points_fd, &key, &next);
		if (!point_wanted(&key, points, n) && bpf_map_delete_elem(p->points_fd, &key) && errno != ENOENT)
			return -errno;
	}
	for (i = 0; i < n; i++)
		if (!point_make(&key, &value, &points[i]) && bpf_map_update_elem(p->points_fd, &key, &value, BPF_ANY) &&
			errno != ENOSPC)
			return -errno;
	p->control->host_mnt_ns = host_mnt_ns;
	__atomic_fetch_add(&p->control->generation, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int probe_filter_set(struct probe *p, const struct probe_filter *f)
{
	_cleanup_free_ struct prefixes *all = malloc(sizeof(*all));
	uint32_t highest = f->level_all;
	unsigned i;
	int r;

	if (!all)
		return -ENOMEM;
	if (f->skip_pids > PROBE_SKIP_PIDS_MAX)
		return V_FULL;
	r = prefixes_make(all, f);
	if (r)
		return r;
	for (i = 0; i < f->prefixes; i++)
		if (f->prefix[i].level > highest)
			highest = f->prefix[i].level;
	/* New ones first: meanwhile too much may be told, never too little. */
	if (highest > p->control->level_max)
		p->control->level_max = highest;
	for (i = 0; i < all->n; i++)
		if (bpf_map_update_elem(p->prefixes_fd, &all->at[i].key, &all->at[i].value, BPF_ANY))
			return errno == ENOSPC ? V_FULL : -errno;
	r = drop_unwanted(p->prefixes_fd, all);
	if (r)
		return r;
	for (i = 0; i < PROBE_SKIP_PIDS_MAX; i++)
		p->control->skip_pid[i] = i < f->skip_pids ? f->skip_pid[i] : 0;
	p->control->kinds = f->kinds;
	p->control->level_all = f->level_all;
	p->control->level_max = highest;
	p->control->hold_ns = f->hold_ns ? f->hold_ns : UINT64_MAX;
	__atomic_fetch_add(&p->control->generation, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&p->control->active, 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* --- reading --- */

int probe_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->rb);
}

int probe_consume(struct probe *p, probe_event_fn fn, void *ctx, unsigned max)
{
	int r;

	p->control->sleeping = 0;
	p->fn = fn;
	p->ctx = ctx;
	p->max = max;
	p->taken = 0;
	p->failed = 0;
	r = ring_buffer__consume(p->rb);
	if (r < 0 && r != -ECANCELED)
		return r;
	return p->failed ? p->failed : (int)p->taken;
}

bool probe_sleep(struct probe *p)
{
	__atomic_store_n(&p->control->sleeping, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(p->consumed, __ATOMIC_ACQUIRE) == __atomic_load_n(p->produced, __ATOMIC_ACQUIRE))
		return false;
	__atomic_store_n(&p->control->sleeping, 0, __ATOMIC_SEQ_CST);
	return true;
}

uint64_t probe_told(const struct probe *p)
{
	return __atomic_load_n(p->produced, __ATOMIC_ACQUIRE);
}

uint64_t probe_taken(const struct probe *p)
{
	return __atomic_load_n(p->consumed, __ATOMIC_ACQUIRE);
}

/* What a reader was told stands in the shared page, so that the next one goes on from there. */
void probe_lost(struct probe *p, uint64_t *lost)
{
	unsigned cause, cpu;

	for (cause = 0; cause < PROBE_CAUSES; cause++) {
		uint64_t n = 0;

		for (cpu = 0; cpu < PROBE_CPUS_MAX; cpu++)
			n += __atomic_load_n(&p->losses[cpu * PROBE_CAUSES + cause], __ATOMIC_RELAXED);
		if (cause == CAUSE_SKIPPED)
			n += skipped(p);
		lost[cause] += n - p->control->told[cause];
		p->control->told[cause] = n;
	}
}

/* --- iterators --- */

/* Reads a pinned iterator to its end: the reading itself is what makes it walk. */
static int walk(const struct probe *p, const char *name)
{
	_cleanup_close_ int fd = -1;
	char rest[256];
	ssize_t n;

	fd = openat(p->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do
		n = read(fd, rest, sizeof(rest));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n < 0 ? -errno : 0;
}

int probe_sweep(struct probe *p)
{
	return walk(p, "each_fold");
}

int probe_running(struct probe *p)
{
	int r = walk(p, "each_task");

	return r ? r : walk(p, "each_file");
}
