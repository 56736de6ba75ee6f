/*
 * The agent's own protection, for the guard: what is ours and who may, through the maps that shield_load.c pinned. See
 * shield.h.
 */
#include "agent/probe/shield.h"
#include "agent/probe/load.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <sys/stat.h>

struct shield {
	int control, files, ring_fd, lost;
	struct ring_buffer *ring;
	uint64_t lost_told;
	shield_event_fn fn;
	void *ctx;
	int said;
};

static int on_ring(void *ctx, void *data, size_t n)
{
	struct shield *s = ctx;
	struct shield_event e;

	if (n < sizeof(e))
		return 0;
	memcpy(&e, data, sizeof(e));
	e.comm[sizeof(e.comm) - 1] = 0;
	e.name[sizeof(e.name) - 1] = 0;
	s->said = s->fn(s->ctx, &e);
	return s->said < 0 ? s->said : 0;
}

static int open_maps(struct shield *s, struct why *why)
{
	const struct pinned_map maps[] = {{&s->control, SHIELD_PIN_DIR "/control"},
		{&s->files, SHIELD_PIN_DIR "/files"}, {&s->ring_fd, SHIELD_PIN_DIR "/ring"},
		{&s->lost, SHIELD_PIN_DIR "/lost"}};

	return pins_open(maps, ARRAY_SIZE(maps), why);
}

static int control_get(const struct shield *s, struct shield_control *c)
{
	return pins_first(s->control, c, sizeof(*c));
}

static int control_set(const struct shield *s, const struct shield_control *c)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(s->control, &zero, c, BPF_ANY) ? -errno : 0;
}

int shield_open(struct shield **out, struct why *why)
{
	_cleanup_(shield_closep) struct shield *s = calloc(1, sizeof(*s));
	struct shield_control c;
	int r;

	if (!s)
		return -ENOMEM;
	r = open_maps(s, why);
	r = r ? r : control_get(s, &c);
	if (r)
		return r;
	if (c.version != SHIELD_VERSION)
		return why_set(
			why, V_BAD, "what is loaded is of version %u, this program of %u", c.version, SHIELD_VERSION);
	s->ring = ring_buffer__new(s->ring_fd, on_ring, s, NULL);
	if (!s->ring)
		return -errno;
	*out = STEAL(s);
	return 0;
}

void shield_close(struct shield *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	closep(&s->control);
	closep(&s->files);
	closep(&s->ring_fd);
	closep(&s->lost);
	free(s);
}

/* --- what is ours --- */

struct shield_key shield_key_of(const struct shield_file *f)
{
	return (struct shield_key){.dev = load_dev(f->dev), .ino = f->ino};
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct shield_key));
}

/* What is in the table and not in the sorted `keys`. */
static void drop_others(const struct shield *s, const struct shield_key *keys, size_t n)
{
	struct shield_key key, next;
	bool more = !bpf_map_get_next_key(s->files, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(s->files, &key, &next);
		if (!n || !bsearch(&key, keys, n, sizeof(*keys), by_key))
			(void)bpf_map_delete_elem(s->files, &key);
	}
}

int shield_set_files(struct shield *s, const struct shield_file *files, size_t n)
{
	_cleanup_free_ struct shield_key *keys = calloc(n ? n : 1, sizeof(*keys));
	size_t i;

	if (!keys)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		keys[i] = shield_key_of(&files[i]);
	qsort(keys, n, sizeof(*keys), by_key);
	/* First what goes, so that there is room for what comes. */
	drop_others(s, keys, n);
	for (i = 0; i < n; i++) {
		struct shield_key key = shield_key_of(&files[i]);
		uint32_t flags = files[i].flags;

		if (bpf_map_update_elem(s->files, &key, &flags, BPF_ANY))
			return errno == E2BIG ? 0 : -errno;
	}
	return 0;
}

int shield_renew(struct shield *s)
{
	struct shield_control c;
	int r = control_get(s, &c);

	c.lease_awake_ns = (uint64_t)(clock_awake_us() + SHIELD_LEASE_US) * 1000;
	return r ? r : control_set(s, &c);
}

int shield_window(struct shield *s, pid_t pid, uint64_t start_ticks, int64_t until_boot_us)
{
	struct shield_control c;
	int r = control_get(s, &c);

	c.open_pid = (uint32_t)pid;
	c.open_start = start_ticks;
	c.open_boot_ns = (uint64_t)until_boot_us * 1000;
	return r ? r : control_set(s, &c);
}

int shield_prove(struct shield *s)
{
	static const char path[] = SHIELD_PIN_DIR "/control";
	struct shield_control c, after;
	struct stat st;
	int r = control_get(s, &c), tried;

	if (r)
		return r;
	if (stat(path, &st))
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	c.prover = (uint32_t)getpid();
	c.pin = shield_key_of(&(struct shield_file){.dev = st.st_dev, .ino = st.st_ino});
	r = control_set(s, &c);
	if (r)
		return r;
	tried = chmod(path, st.st_mode & 07777) ? -errno : 0;
	r = control_get(s, &after);
	if (r)
		return r;
	r = tried != -EPERM || after.proofs == c.proofs ? V_NOT_FOUND : after.known == c.known ? V_DENIED : 0;
	after.prover = 0;
	return control_set(s, &after) ? -errno : r;
}

unsigned shield_mode(const struct shield *s)
{
	struct shield_control c = {.mode = SHIELD_OFF};

	return control_get(s, &c) ? SHIELD_OFF : c.mode;
}

/* --- what was refused --- */

int shield_fd(const struct shield *s)
{
	return ring_buffer__epoll_fd(s->ring);
}

int shield_hear(struct shield *s, shield_event_fn fn, void *ctx, uint64_t *lost)
{
	uint64_t all = 0;
	int r;

	s->fn = fn;
	s->ctx = ctx;
	s->said = 0;
	r = ring_buffer__consume(s->ring);
	if (r < 0)
		return s->said < 0 ? s->said : r;
	r = pins_sum(s->lost, &all);
	if (r)
		return r;
	*lost = all - s->lost_told;
	s->lost_told = all;
	return 0;
}
