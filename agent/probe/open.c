/*
 * The pinned kernel side, opened again: read events, steer the filter, find what ended unseen. Called by the recorder,
 * which has no privilege by then; whatever needed some was opened by probe_open.
 */
#include "agent/probe/load.h"
#include "policy/base/clock.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define FOLD_OWN (7u << 29) /* of common.bpf.h: never told */
#define MADE_MAX (1u << 20)    /* bytes of events that a sweep makes itself */
#define LOSSES_SIZE (PROBE_CPUS_MAX * PROBE_CAUSES * sizeof(uint64_t))

struct probe {
	int control_fd, losses_fd, ring_fd, files_fd, prefixes_fd, skip_fd;
	struct probe_control *control;
	const uint64_t *losses;
	const unsigned long *consumed, *produced; /* positions in the ring buffer */
	long page;
	struct ring_buffer *rb;
	uint64_t told[PROBE_CAUSES];
	uint64_t own_losses; /* events of a sweep that did not fit */

	/* during probe_consume */
	probe_event_fn fn;
	void *ctx;
	unsigned max, taken;
	int failed;

	struct buf made; /* events made here: those of files whose end nobody saw */
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
	static const char *const names[] = {"control", "losses", "ring", "files", "prefixes", "skip_pids"};
	int *fds[] = {&p->control_fd, &p->losses_fd, &p->ring_fd, &p->files_fd, &p->prefixes_fd, &p->skip_fd};
	size_t i;
	int r;

	if (!p)
		return -ENOMEM;
	p->made = BUF_INIT(MADE_MAX);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		*fds[i] = -1;
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		r = get(names[i], why);
		if (r < 0)
			return r == -ENOENT ? V_NOT_FOUND : r;
		*fds[i] = r;
	}
	r = map_pages(p);
	if (r)
		return r;
	if (p->control->version != EVENT_VERSION)
		return why_set(why, V_BAD,
			"the programs that are loaded speak version %u, this program %u: run sekisho-load",
			p->control->version, EVENT_VERSION);
	p->rb = ring_buffer__new(p->ring_fd, on_sample, p, NULL);
	if (!p->rb)
		return -errno;
	*out = STEAL(p);
	return 0;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
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
	closep(&p->files_fd);
	closep(&p->prefixes_fd);
	closep(&p->skip_fd);
	buf_deinit(&p->made);
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

/* A prefix ends with a component: "P/" for what is below, and "P" with its NUL for the thing itself. */
static bool prefix_key(const char *path, char end, struct probe_prefix *key)
{
	size_t n = strlen(path);

	memset(key, 0, sizeof(*key));
	if (n + 1 > PROBE_PREFIX_MAX)
		return false;
	memcpy(key->path, path, n);
	if (strcmp(path, "/"))
		key->path[n++] = end;
	key->bits = (uint32_t)(8 * n);
	return true;
}

static bool is_wanted(const struct probe_filter *f, const struct probe_prefix *key)
{
	struct probe_prefix k;
	unsigned i;

	for (i = 0; i < f->prefixes; i++)
		if ((prefix_key(f->prefix[i].path, '/', &k) && !memcmp(&k, key, sizeof(k))) ||
			(prefix_key(f->prefix[i].path, 0, &k) && !memcmp(&k, key, sizeof(k))))
			return true;
	return false;
}

static int drop_unwanted(int fd, const struct probe_filter *f)
{
	struct probe_prefix key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!is_wanted(f, &key) && bpf_map_delete_elem(fd, &key) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int set_skipped(struct probe *p, const struct probe_filter *f)
{
	uint32_t key, next, one = 1;
	unsigned i;
	bool more;

	for (i = 0; i < f->skip_pids; i++)
		if (bpf_map_update_elem(p->skip_fd, &f->skip_pid[i], &one, BPF_ANY))
			return errno == E2BIG ? V_FULL : -errno;
	more = !bpf_map_get_next_key(p->skip_fd, NULL, &next);
	while (more) {
		key = next;
		more = !bpf_map_get_next_key(p->skip_fd, &key, &next);
		for (i = 0; i < f->skip_pids && f->skip_pid[i] != key; i++)
			;
		if (i == f->skip_pids)
			bpf_map_delete_elem(p->skip_fd, &key);
	}
	return 0;
}

int probe_filter_set(struct probe *p, const struct probe_filter *f)
{
	struct probe_prefix key;
	unsigned i;
	int r;

	/* New ones first: meanwhile too much may be told, never too little. */
	for (i = 0; i < f->prefixes; i++) {
		uint32_t level = f->prefix[i].level;
		static const char ends[] = {'/', 0};
		size_t e;

		for (e = 0; e < sizeof(ends); e++) {
			if (!prefix_key(f->prefix[i].path, ends[e], &key))
				return V_FULL;
			if (bpf_map_update_elem(p->prefixes_fd, &key, &level, BPF_ANY))
				return errno == ENOSPC ? V_FULL : -errno;
		}
	}
	r = drop_unwanted(p->prefixes_fd, f);
	r = r ? r : set_skipped(p, f);
	if (r)
		return r;
	p->control->kinds = f->kinds;
	p->control->level_all = f->level_all;
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

static int consume_made(struct probe *p, probe_event_fn fn, void *ctx, unsigned *taken)
{
	size_t at = 0;
	int r = 0;

	while (!r && at < p->made.n) {
		struct event e;

		memcpy(&e, p->made.p + at, sizeof(e));
		r = fn(ctx, SPAN(p->made.p + at, e.size));
		at += e.size;
		(*taken)++;
	}
	buf_clear(&p->made);
	return r;
}

int probe_consume(struct probe *p, probe_event_fn fn, void *ctx, unsigned max)
{
	unsigned made = 0;
	int r;

	p->control->sleeping = 0;
	r = consume_made(p, fn, ctx, &made);
	if (r)
		return r;
	p->fn = fn;
	p->ctx = ctx;
	p->max = max;
	p->taken = 0;
	p->failed = 0;
	r = ring_buffer__consume(p->rb);
	if (r < 0 && r != -ECANCELED)
		return r;
	return p->failed ? p->failed : (int)(p->taken + made);
}

bool probe_sleep(struct probe *p)
{
	__atomic_store_n(&p->control->sleeping, 1, __ATOMIC_SEQ_CST);
	if (!p->made.n &&
		__atomic_load_n(p->consumed, __ATOMIC_ACQUIRE) == __atomic_load_n(p->produced, __ATOMIC_ACQUIRE))
		return false;
	__atomic_store_n(&p->control->sleeping, 0, __ATOMIC_SEQ_CST);
	return true;
}

void probe_lost(struct probe *p, uint64_t *lost)
{
	unsigned cause, cpu;

	for (cause = 0; cause < PROBE_CAUSES; cause++) {
		uint64_t n = cause == CAUSE_TABLE_FULL ? p->own_losses : 0;

		for (cpu = 0; cpu < PROBE_CPUS_MAX; cpu++)
			n += __atomic_load_n(&p->losses[cpu * PROBE_CAUSES + cause], __ATOMIC_RELAXED);
		lost[cause] += n - p->told[cause];
		p->told[cause] = n;
	}
}

/* --- what ended unseen --- */

/* Reads a pinned iterator to its end: the reading itself is what makes it walk. */
static int walk(const char *name)
{
	_cleanup_close_ int fd = -1;
	char path[128], rest[256];
	ssize_t n;

	snprintf(path, sizeof(path), PROBE_PIN_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do
		n = read(fd, rest, sizeof(rest));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n < 0 ? -errno : 0;
}

/* The file is gone, and its path with it: what is known is which one it was, and how much. */
static void make_event(struct probe *p, const struct fold *f)
{
	struct event e = {.size = sizeof(e),
		.version = EVENT_VERSION,
		.kind = KIND_FILE,
		.flags = (f->flags & ~FOLD_OWN) | RF_NOT_LAST_CLOSE,
		.has = EH_OBJECT | EH_OPEN_FLAGS,
		.boot_ns = f->last_ns,
		.first_ns = f->first_ns,
		.start_ns = f->start_ns,
		.pstart_ns = f->pstart_ns,
		.pid = f->pid,
		.ppid = f->ppid,
		.uid = f->uid,
		.real_uid = f->real_uid,
		.login_uid = f->login_uid,
		.session = f->session,
		.mnt_ns = f->mnt_ns,
		.dev = f->dev,
		.inode = f->inode,
		.bytes_read = f->read,
		.bytes_written = f->written,
		.open_flags = f->open_flags};

	memcpy(e.comm, f->comm, sizeof(e.comm));
	if (buf_put(&p->made, &e, sizeof(e)))
		p->own_losses++;
}

int probe_sweep(struct probe *p)
{
	const uint32_t changed = RF_CREATED | RF_WROTE | RF_MMAP_WRITE | RF_CLONE | RF_TRUNCATED | RF_TMPFILE;
	uint64_t started = (uint64_t)clock_boot_us() * 1000, key, next;
	uint32_t sweep = p->control->sweep + 1;
	struct fold f;
	bool more;
	int r;

	__atomic_store_n(&p->control->sweep, sweep, __ATOMIC_SEQ_CST);
	r = walk("each_file");
	if (r)
		return r;
	more = !bpf_map_get_next_key(p->files_fd, NULL, &next);
	while (more) {
		key = next;
		more = !bpf_map_get_next_key(p->files_fd, &key, &next);
		if (bpf_map_lookup_elem(p->files_fd, &key, &f) || f.sweep == sweep || f.last_ns >= started)
			continue;
		if (bpf_map_delete_elem(p->files_fd, &key))
			continue;
		if (f.level >= 2 || f.flags & changed)
			make_event(p, &f);
	}
	return 0;
}

int probe_running(struct probe *p)
{
	(void)p;
	return walk("each_task");
}
