/*
 * What the kernel tells of print jobs, for the print daemon: through the maps that paper_load.c pinned. See paper.h.
 */
#include "agent/probe/paper.h"
#include "agent/probe/load.h"
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

struct paper {
	int control_fd, watched_fd, ring_fd;
	struct paper_control *control;
	uint64_t *watched;
	struct ring_buffer *ring;
	uint64_t lost_told;
	paper_event_fn fn;
	void *ctx;
};

static int on_ring(void *ctx, void *data, size_t n)
{
	struct paper *p = ctx;
	struct paper_event e = {.what = 0};

	if (n < offsetof(struct paper_event, args))
		return 0;
	memcpy(&e, data, n < sizeof(e) ? n : sizeof(e));
	e.comm[sizeof(e.comm) - 1] = 0;
	e.args_n = e.args_n > sizeof(e.args) ? sizeof(e.args) : e.args_n;
	p->fn(p->ctx, &e);
	return 0;
}

static int open_maps(struct paper *p, struct why *why)
{
	const struct pinned_map maps[] = {{&p->control_fd, PAPER_PIN_DIR "/control"},
		{&p->watched_fd, PAPER_PIN_DIR "/watched"}, {&p->ring_fd, PAPER_PIN_DIR "/ring"}};

	return pins_open(maps, ARRAY_SIZE(maps), why);
}

static int map_both(struct paper *p)
{
	void *control = mmap(NULL, sizeof(*p->control), PROT_READ, MAP_SHARED, p->control_fd, 0);
	void *watched;

	/* A map that we could open has nothing else to refuse with. */
	if (control == MAP_FAILED)
		return -ENOMEM;
	p->control = control;
	watched = mmap(
		NULL, PAPER_WATCHED_MAX * sizeof(*p->watched), PROT_READ | PROT_WRITE, MAP_SHARED, p->watched_fd, 0);
	if (watched == MAP_FAILED)
		return -errno;
	p->watched = watched;
	return 0;
}

int paper_open(struct paper **out, paper_event_fn fn, void *ctx, struct why *why)
{
	_cleanup_(paper_closep) struct paper *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->fn = fn;
	p->ctx = ctx;
	r = open_maps(p, why);
	r = r ? r : map_both(p);
	if (r)
		return r;
	if (p->control->version != PAPER_VERSION)
		return why_set(why, V_BAD, "what is loaded is of version %u, this program of %u", p->control->version,
			PAPER_VERSION);
	p->lost_told = p->control->lost;
	p->ring = ring_buffer__new(p->ring_fd, on_ring, p, NULL);
	if (!p->ring)
		return -errno;
	*out = STEAL(p);
	return 0;
}

void paper_close(struct paper *p)
{
	if (!p)
		return;
	ring_buffer__free(p->ring);
	if (p->watched)
		munmap(p->watched, PAPER_WATCHED_MAX * sizeof(*p->watched));
	if (p->control)
		munmap(p->control, sizeof(*p->control));
	closep(&p->control_fd);
	closep(&p->watched_fd);
	closep(&p->ring_fd);
	free(p);
}

int paper_fd(const struct paper *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

int paper_hear(struct paper *p, uint64_t *lost)
{
	int r = ring_buffer__consume(p->ring);
	uint64_t all;

	if (r < 0)
		return r;
	all = __atomic_load_n(&p->control->lost, __ATOMIC_RELAXED);
	*lost = all - p->lost_told;
	p->lost_told = all;
	return 0;
}

static uint64_t *place_of(struct paper *p, pid_t pid)
{
	return &p->watched[(uint32_t)pid & (PAPER_WATCHED_MAX - 1)];
}

void paper_watch(struct paper *p, pid_t pid)
{
	if (pid > 0)
		__atomic_store_n(place_of(p, pid), (uint64_t)pid, __ATOMIC_RELEASE);
}

void paper_forget(struct paper *p, pid_t pid)
{
	uint64_t was = (uint64_t)pid;

	__atomic_compare_exchange_n(place_of(p, pid), &was, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

int paper_ports(const uint16_t *ports, unsigned n)
{
	_cleanup_close_ int fd = bpf_obj_get(PAPER_PIN_DIR "/control");
	struct paper_control *c;
	unsigned i;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c == MAP_FAILED)
		return -errno;
	if (c->version != PAPER_VERSION)
		r = V_BAD;
	for (i = 0; !r && i < PAPER_PORTS_MAX; i++)
		__atomic_store_n(&c->ports[i], i < n ? ports[i] : 0, __ATOMIC_RELAXED);
	munmap(c, sizeof(*c));
	return r;
}
