/*
 * The gate, for the guard: looks, grants, holds, hears, and proves. See gate.h. Everything goes through maps that
 * gate_load.c pinned.
 */
#include "agent/probe/gate_parts.h"
#include "agent/probe/load.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct gate {
	int devices, verdicts, control, exempt, canary, ring_fd, lost, recently;
	struct ring_buffer *ring;
	struct gate_control as; /* how it was loaded */
	uint64_t lost_seen;
	gate_event_fn fn;
	void *ctx;
	int said; /* what fn returned */
};

static const struct {
	unsigned layer;
	const char *name;
} layer_names[] = {{GATE_OPEN, "open"}, {GATE_EROFS, "erofs"}, {GATE_TRACK, "track"}, {GATE_MEDIUM, "medium"},
	{GATE_IOCTL, "ioctl"}, {GATE_MOUNT, "mount"}, {GATE_WATCH, "watch"}, {GATE_REFUSALS, "refusals"}};

int gate_layers_text(unsigned layers, struct buf *out)
{
	size_t i;
	int r = 0, n = 0;

	for (i = 0; i < ARRAY_SIZE(layer_names) && !r; i++)
		if (layers & layer_names[i].layer)
			r = buf_putf(out, "%s%s", n++ ? "," : "", layer_names[i].name);
	return r;
}

static int on_ring(void *ctx, void *data, size_t n)
{
	struct gate *g = ctx;
	struct gate_event e;

	if (n < sizeof(e))
		return 0;
	memcpy(&e, data, sizeof(e));
	e.path[sizeof(e.path) - 1] = 0;
	e.comm[sizeof(e.comm) - 1] = 0;
	g->said = g->fn(g->ctx, &e);
	return g->said < 0 ? g->said : 0;
}

static int open_maps(struct gate *g, struct why *why)
{
	/* The page first: where it is of one gate, tables of the one before are not found behind it. */
	const struct pinned_map maps[] = {{&g->control, GATE_PIN_DIR "/control"},
		{&g->devices, GATE_PIN_DIR "/devices"}, {&g->verdicts, GATE_PIN_DIR "/verdicts"},
		{&g->exempt, GATE_PIN_DIR "/exempt"}, {&g->canary, GATE_PIN_DIR "/canary"},
		{&g->ring_fd, GATE_PIN_DIR "/ring"}, {&g->lost, GATE_PIN_DIR "/lost"},
		{&g->recently, GATE_PIN_DIR "/recently"}};

	return pins_open(maps, ARRAY_SIZE(maps), why);
}

int gate_open(struct gate **out, struct why *why)
{
	_cleanup_(gate_closep) struct gate *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	r = open_maps(g, why);
	if (r)
		return r;
	r = pins_first(g->control, &g->as, sizeof(g->as));
	if (r)
		return r;
	if (g->as.version != GATE_VERSION)
		return why_set(
			why, V_BAD, "the gate is of version %u, this program of %u", g->as.version, GATE_VERSION);
	g->ring = ring_buffer__new(g->ring_fd, on_ring, g, NULL);
	if (!g->ring)
		return -errno;
	*out = STEAL(g);
	return 0;
}

uint64_t gate_pinned(void)
{
	struct stat st;

	return stat(GATE_PIN_DIR "/control", &st) ? 0 : st.st_ino;
}

bool gate_is(const struct gate *g, uint64_t pinned)
{
	struct gate_control now;

	return pins_first(g->control, &now, sizeof(now)) || !now.pin || now.pin == (uint32_t)pinned;
}

void gate_close(struct gate *g)
{
	if (!g)
		return;
	ring_buffer__free(g->ring);
	closep(&g->devices);
	closep(&g->verdicts);
	closep(&g->control);
	closep(&g->exempt);
	closep(&g->canary);
	closep(&g->ring_fd);
	closep(&g->lost);
	closep(&g->recently);
	free(g);
}

unsigned gate_layers(const struct gate *g)
{
	return g->as.layers;
}

bool gate_dry_run(const struct gate *g)
{
	return g->as.dry_run;
}

/* --- how a device is held --- */

/* The entry itself; *key becomes its disk's where it is a partition. */
static int look(const struct gate *g, struct gate_key *key, struct gate_entry *out)
{
	if (bpf_map_lookup_elem(g->devices, key, out))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	if (!(out->flags & GATE_PARTITION))
		return 0;
	key->dev = out->whole;
	if (bpf_map_lookup_elem(g->devices, key, out))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	return 0;
}

int gate_look(const struct gate *g, unsigned type, dev_t dev, struct gate_entry *out)
{
	struct gate_key key = {.type = type, .dev = load_dev(dev)};
	struct gate_verdict v;
	int r = look(g, &key, out);

	if (!r && !bpf_map_lookup_elem(g->verdicts, &key, &v) && v.generation == out->generation)
		out->state = v.state;
	return r;
}

int gate_each(
	const struct gate *g, int (*fn)(void *ctx, const struct gate_key *k, const struct gate_entry *e), void *ctx)
{
	struct gate_key key, next;
	struct gate_entry e;
	bool first = true;
	int r = 0;

	while (!r && bpf_map_get_next_key(g->devices, first ? NULL : &key, &next) == 0) {
		first = false;
		key = next;
		if (!bpf_map_lookup_elem(g->devices, &key, &e))
			r = fn(ctx, &key, &e);
	}
	return r;
}

/* A device that the kernel could not see coming (no trampolines): known from now on, and held. */
static int introduce(const struct gate *g, const struct gate_key *key, struct gate_entry *e)
{
	*e = (struct gate_entry){.state = key->type == GATE_CHAR ? GATE_HELD_ALL : GATE_HELD_WRITE,
		.flags = GATE_BY_GUARD,
		.whole = key->dev,
		.generation = (uint64_t)clock_boot_us() * 1000};
	return bpf_map_update_elem(g->devices, key, e, BPF_NOEXIST) ? -errno : 0;
}

static int decide(const struct gate *g, const struct gate_key *key, uint64_t generation, unsigned state)
{
	struct gate_verdict v = {.generation = generation, .state = state};

	return bpf_map_update_elem(g->verdicts, key, &v, BPF_ANY) ? -errno : 0;
}

int gate_grant(const struct gate *g, unsigned type, dev_t dev, uint64_t generation, unsigned state)
{
	struct gate_key key = {.type = type, .dev = load_dev(dev)};
	struct gate_entry e;
	int r = look(g, &key, &e);

	if (r == V_NOT_FOUND && !generation) {
		r = introduce(g, &key, &e);
		generation = e.generation;
	}
	if (r == V_NOT_FOUND)
		return V_AGAIN;
	if (r)
		return r;
	if (e.state == GATE_OWN)
		return 0;
	return e.generation == generation ? decide(g, &key, generation, state) : V_AGAIN;
}

struct parts {
	const struct gate *g;
	uint32_t whole, state;
};

static int hold_part(void *ctx, const struct gate_key *k, const struct gate_entry *e)
{
	struct parts *p = ctx;
	struct gate_entry held = *e;

	if (k->type != GATE_BLOCK || e->whole != p->whole)
		return 0;
	held.state = p->state;
	held.flags |= GATE_BY_GUARD;
	return bpf_map_update_elem(p->g->devices, k, &held, BPF_EXIST) && errno != ENOENT ? -errno : 0;
}

int gate_hold(const struct gate *g, unsigned type, dev_t dev, unsigned state)
{
	struct gate_key key = {.type = type, .dev = load_dev(dev)};
	struct gate_entry e;
	int r = look(g, &key, &e);

	if (r == V_NOT_FOUND)
		r = introduce(g, &key, &e);
	if (r)
		return r;
	if (e.state == GATE_OWN) {
		struct parts p = {.g = g, .whole = key.dev, .state = state};

		/* Partitions of the PC's own disks do not ask for their disk's state. */
		return gate_each(g, hold_part, &p);
	}
	return decide(g, &key, e.generation, state);
}

int gate_exempt_self(const struct gate *g)
{
	_cleanup_close_ int fd = -1;
	struct gate_exempt e;
	uint32_t zero = 0;

	/* What a guard before this one asked for holds until this one has a policy. */
	if (bpf_map_lookup_elem(g->exempt, &zero, &e))
		return -errno;
	e.tgid = (uint32_t)getpid();
	e.start_boot_ns = 0;
	if (bpf_map_update_elem(g->exempt, &zero, &e, BPF_ANY))
		return -errno;
	/* Shows itself to the kernel, which keeps when this process started. */
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

int gate_refuse_overlays(const struct gate *g, bool refuse)
{
	struct gate_exempt e;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(g->exempt, &zero, &e))
		return -errno;
	e.no_overlays = refuse;
	return bpf_map_update_elem(g->exempt, &zero, &e, BPF_ANY) ? -errno : 0;
}

/* --- events --- */

int gate_fd(const struct gate *g)
{
	return ring_buffer__epoll_fd(g->ring);
}

int gate_consume(struct gate *g, gate_event_fn fn, void *ctx)
{
	int n;

	g->fn = fn;
	g->ctx = ctx;
	g->said = 0;
	n = ring_buffer__consume(g->ring);
	return g->said < 0 ? g->said : n;
}

/* 1 where it was taken out: what the kernel adds meanwhile begins anew. */
static int take_told(const struct gate *g, const struct gate_told_key *key, struct gate_told *t)
{
	if (!bpf_map_lookup_and_delete_elem(g->recently, key, t))
		return 1;
	if (errno == ENOENT)
		return 0;
	/* Before 5.14 in two steps: one that comes between them is not counted. */
	if (bpf_map_lookup_elem(g->recently, key, t) || bpf_map_delete_elem(g->recently, key))
		return errno == ENOENT ? 0 : -errno;
	return 1;
}

static struct gate_event event_of(const struct gate_told_key *key, const struct gate_told *t)
{
	struct gate_event e = {.kind = key->kind,
		.flags = t->flags,
		.type = t->type,
		.dev = key->dev,
		.whole = t->whole,
		.pid = key->tgid,
		.tid = t->tid,
		.uid = t->uid,
		.loginuid = t->loginuid,
		.op = key->op,
		.boot_ns = t->at_ns,
		.start_boot_ns = t->start_boot_ns,
		.cgroup = t->cgroup,
		.count = t->more};

	memcpy(e.comm, t->comm, sizeof(e.comm));
	e.comm[sizeof(e.comm) - 1] = 0;
	return e;
}

int gate_rest(struct gate *g, gate_event_fn fn, void *ctx)
{
	uint64_t now = (uint64_t)clock_boot_us() * 1000;
	struct gate_told_key key, next;
	struct gate_event e;
	struct gate_told t;
	/* Where the kernel makes room meanwhile, the walk begins anew: it ends all the same. */
	int r = 0, n = 0, left = GATE_TOLD_MAX * 4, more = bpf_map_get_next_key(g->recently, NULL, &next);

	while (!more && r >= 0 && left--) {
		key = next;
		more = bpf_map_get_next_key(g->recently, &key, &next);
		if (bpf_map_lookup_elem(g->recently, &key, &t) || !t.more || now - t.at_ns < GATE_TELL_EVERY_NS)
			continue;
		r = take_told(g, &key, &t);
		if (r <= 0 || !t.more)
			continue;
		n++;
		e = event_of(&key, &t);
		r = fn(ctx, &e);
	}
	return r < 0 ? r : n;
}

uint64_t gate_lost(struct gate *g)
{
	uint64_t now = 0, n;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(g->lost, &zero, &now))
		return 0;
	n = now - g->lost_seen;
	g->lost_seen = now;
	return n;
}

/* --- proof --- */

#define TRIED_OPEN 1
#define TRIED_EROFS 2
#define TRIED_IOCTL 4
#define TRIED_NOTHING 64 /* could not try */

static int child_tries(int go)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), bits = 0, got;
	char c;

	if (fd < 0 || read(go, &c, 1) != 1)
		return TRIED_NOTHING;
	if (ioctl(fd, GATE_CANARY_IOCTL, 0) && errno == EPERM)
		bits |= TRIED_IOCTL;
	got = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (got < 0)
		bits |= errno == EROFS ? TRIED_OPEN | TRIED_EROFS : errno == EPERM ? TRIED_OPEN : 0;
	return bits;
}

int gate_try(int canary_fd)
{
	uint32_t zero = 0, who = 0;
	int go[2], status = 0, r = 0, layers = 0;
	pid_t child;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child == 0) {
		close(go[1]);
		_exit(child_tries(go[0]));
	}
	close(go[0]);
	if (child < 0) {
		close(go[1]);
		return -errno;
	}
	who = (uint32_t)child;
	if (bpf_map_update_elem(canary_fd, &zero, &who, BPF_ANY) || write(go[1], "", 1) != 1)
		r = -errno;
	close(go[1]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	who = 0;
	if (bpf_map_update_elem(canary_fd, &zero, &who, BPF_ANY) && !r)
		r = -errno;
	if (r)
		return r;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == TRIED_NOTHING)
		return -EIO;
	status = WEXITSTATUS(status);
	layers |= status & TRIED_OPEN ? GATE_OPEN : 0;
	layers |= status & TRIED_EROFS ? GATE_EROFS : 0;
	layers |= status & TRIED_IOCTL ? GATE_IOCTL : 0;
	return layers;
}

/* There is one canary: who proves while another does would see it unharmed. Root alone can open the folder. */
static int wait_for_turn(void)
{
	int fd = open(GATE_PIN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX))
		closep(&fd);
	return fd;
}

int gate_prove(const struct gate *g)
{
	_cleanup_close_ int turn __attribute__((unused)) = wait_for_turn();
	/* What has no canary of its own stands as it was attached; remounts are denied by the same means as ioctls. */
	unsigned untried = GATE_TRACK | GATE_MEDIUM | GATE_WATCH | GATE_REFUSALS;
	int r = gate_try(g->canary);

	if (r < 0)
		return r;
	if (r & GATE_IOCTL)
		untried |= GATE_MOUNT;
	return r | (int)(g->as.layers & untried);
}
