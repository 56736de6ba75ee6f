/*
 * The way to printers, for the print daemon: settings and events through the maps that egress_load.c pinned. See
 * egress.h.
 */
#include "agent/probe/egress.h"
#include "agent/probe/load.h"
#include <errno.h>

struct egress {
	int control, ring_fd, lost;
	struct ring_buffer *ring;
	uint64_t lost_told;
	egress_event_fn fn;
	void *ctx;
	int said;
};

static int on_ring(void *ctx, void *data, size_t n)
{
	struct egress *e = ctx;
	struct egress_event ev;

	if (n < sizeof(ev))
		return 0;
	memcpy(&ev, data, sizeof(ev));
	ev.comm[sizeof(ev.comm) - 1] = 0;
	e->said = e->fn(e->ctx, &ev);
	return e->said < 0 ? e->said : 0;
}

static int open_maps(struct egress *e, struct why *why)
{
	const struct pinned_map maps[] = {{&e->control, EGRESS_PIN_DIR "/control"},
		{&e->ring_fd, EGRESS_PIN_DIR "/ring"}, {&e->lost, EGRESS_PIN_DIR "/lost"}};

	return pins_open(maps, ARRAY_SIZE(maps), why);
}

int egress_open(struct egress **out, struct why *why)
{
	_cleanup_(egress_closep) struct egress *e = calloc(1, sizeof(*e));
	struct egress_control c;
	int r;

	if (!e)
		return -ENOMEM;
	r = open_maps(e, why);
	r = r ? r : egress_get(e, &c);
	if (r)
		return r;
	if (c.version != EGRESS_VERSION)
		return why_set(
			why, V_BAD, "what is loaded is of version %u, this program of %u", c.version, EGRESS_VERSION);
	/* What was lost before somebody listened is told with the first that was heard. */
	e->ring = ring_buffer__new(e->ring_fd, on_ring, e, NULL);
	if (!e->ring)
		return -errno;
	*out = STEAL(e);
	return 0;
}

void egress_close(struct egress *e)
{
	if (!e)
		return;
	ring_buffer__free(e->ring);
	closep(&e->control);
	closep(&e->ring_fd);
	closep(&e->lost);
	free(e);
}

int egress_fd(const struct egress *e)
{
	return ring_buffer__epoll_fd(e->ring);
}

int egress_hear(struct egress *e, egress_event_fn fn, void *ctx, uint64_t *lost)
{
	uint64_t all = 0;
	int r;

	e->fn = fn;
	e->ctx = ctx;
	e->said = 0;
	r = ring_buffer__consume(e->ring);
	if (r < 0)
		return e->said < 0 ? e->said : r;
	r = pins_sum(e->lost, &all);
	if (r)
		return r;
	*lost = all - e->lost_told;
	e->lost_told = all;
	return 0;
}

int egress_get(const struct egress *e, struct egress_control *c)
{
	return pins_first(e->control, c, sizeof(*c));
}

int egress_set(struct egress *e, const struct egress_control *c)
{
	struct egress_control now;
	uint32_t zero = 0;
	uint64_t base;
	int r = egress_get(e, &now);

	if (r)
		return r;
	base = now.base;
	now = *c;
	now.version = EGRESS_VERSION;
	now.base = base;
	return bpf_map_update_elem(e->control, &zero, &now, BPF_ANY) ? -errno : 0;
}

int egress_add_range(struct egress_control *c, unsigned from, unsigned to, bool loopback)
{
	if (!from || from > to || to > UINT16_MAX)
		return V_BAD;
	if (c->ranges >= EGRESS_RANGES_MAX)
		return V_FULL;
	c->range[c->ranges++] = (struct egress_range){.from = (uint16_t)from, .to = (uint16_t)to, .loopback = loopback};
	return 0;
}

int egress_add_unit(struct egress_control *c, const char *unit)
{
	size_t n = strlen(unit);

	if (!n || n >= EGRESS_UNIT_SIZE || strchr(unit, '/'))
		return V_BAD;
	if (c->units >= EGRESS_UNITS_MAX)
		return V_FULL;
	memset(c->unit[c->units], 0, EGRESS_UNIT_SIZE);
	memcpy(c->unit[c->units++], unit, n);
	return 0;
}

void egress_defaults(struct egress_control *c)
{
	uint64_t base = c->base;

	memset(c, 0, sizeof(*c));
	c->version = EGRESS_VERSION;
	c->base = base;
	c->mode = EGRESS_NOTE;
	/* AppSocket with its further ports, IPP, LPD; ipp-usb counts up from 60000 (ipp-usb(8)) */
	egress_add_range(c, 9100, 9107, false);
	egress_add_range(c, 631, 631, false);
	egress_add_range(c, 515, 515, false);
	egress_add_range(c, 60000, 60015, true);
	egress_add_unit(c, "cups.service");
	egress_add_unit(c, "cups-browsed.service");
}
