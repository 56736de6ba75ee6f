/*
 * The way to printers (agent/probe/egress.h): the policy's section `past_cups` becomes the kernel's settings, and what
 * the kernel tells becomes records. Called by main.c, the loop, and where another policy comes into force.
 *
 * Whoever connects can do so as often as he likes: what one process does to one printer is told once in a while, with
 * how often it was, and no more than so many records in all; what is left out of that is counted as lost.
 */
#include "agent/guard/guard.h"
#include "agent/probe/egress.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>

#define TOLD_MAX 64u        /* who did what lately */
#define AGAIN_US 10000000ll /* the same once more */
#define IN_ALL 50u          /* records within that time */

struct told {
	struct egress_event e;
	int64_t since_boot_us; /* 0: free */
	uint64_t count;        /* that were not told since */
};

struct printers {
	struct egress *egress;
	struct told told[TOLD_MAX];
	int64_t window_boot_us;
	unsigned in_window;
	uint64_t left_out;
};

static bool same(const struct egress_event *a, const struct egress_event *b)
{
	return a->pid == b->pid && a->start_boot_ns == b->start_boot_ns && a->port == b->port &&
	       a->family == b->family && a->refused == b->refused &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* Its place, or the one that was used longest ago. */
static struct told *place(struct printers *p, const struct egress_event *e, bool *there)
{
	struct told *oldest = &p->told[0];
	size_t i;

	for (i = 0; i < TOLD_MAX; i++) {
		if (p->told[i].since_boot_us && same(&p->told[i].e, e)) {
			*there = true;
			return &p->told[i];
		}
		if (p->told[i].since_boot_us < oldest->since_boot_us)
			oldest = &p->told[i];
	}
	*there = false;
	return oldest;
}

static void tell(struct guard *g, const struct egress_event *e, uint64_t count)
{
	struct printers *p = g->printers;
	int64_t now = clock_boot_us();

	if (now >= p->window_boot_us + AGAIN_US) {
		p->window_boot_us = now;
		p->in_window = 0;
	}
	if (p->in_window++ < IN_ALL)
		tell_printer(g, e, count);
	else
		p->left_out += count;
}

static int on_event(void *ctx, const struct egress_event *e)
{
	struct guard *g = ctx;
	int64_t now = clock_boot_us();
	bool there;
	struct told *t = place(g->printers, e, &there);

	if (there && now < t->since_boot_us + AGAIN_US) {
		t->count++;
		return 0;
	}
	/* What the one before still had to say. */
	if (t->count)
		tell(g, &t->e, t->count);
	*t = (struct told){.e = *e, .since_boot_us = now};
	tell(g, e, 1);
	return 0;
}

static int on_ring(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	uint64_t lost = 0;
	int r = egress_hear(g->printers->egress, on_event, g, &lost);

	(void)source;
	(void)fd;
	(void)events;
	if (r < 0)
		guard_fail(g, r, "connections to printers");
	if (lost)
		sealer_lost(g->sealer, CAUSE_RING_FULL, lost);
	if (g->printers->left_out)
		sealer_lost(g->sealer, CAUSE_QUEUE_FULL, g->printers->left_out);
	g->printers->left_out = 0;
	return 0;
}

int64_t printers_due(const struct guard *g)
{
	int64_t due = INT64_MAX;
	size_t i;

	for (i = 0; g->printers && i < TOLD_MAX; i++)
		if (g->printers->told[i].count && g->printers->told[i].since_boot_us + AGAIN_US < due)
			due = g->printers->told[i].since_boot_us + AGAIN_US;
	return due;
}

void printers_run(struct guard *g, int64_t now)
{
	size_t i;

	for (i = 0; g->printers && i < TOLD_MAX; i++) {
		struct told *t = &g->printers->told[i];

		if (!t->count || now < t->since_boot_us + AGAIN_US)
			continue;
		tell(g, &t->e, t->count);
		t->count = 0;
		t->since_boot_us = now;
	}
}

int printers_open(struct guard *g, struct why *why)
{
	struct printers *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	r = egress_open(&p->egress, why);
	if (r) {
		free(p);
		if (r > 0)
			log_notice("connections to printers past CUPS are not seen: %s",
				why->text[0] ? why->text : "not loaded");
		why->text[0] = 0;
		return r > 0 ? 0 : r;
	}
	g->printers = p;
	return 0;
}

void printers_close(struct guard *g)
{
	if (!g->printers)
		return;
	egress_close(g->printers->egress);
	free(g->printers);
	g->printers = NULL;
}

int printers_start(struct guard *g)
{
	printers_order(g);
	return g->printers ? sd_event_add_io(g->event, NULL, egress_fd(g->printers->egress), EPOLLIN, on_ring, g) : 0;
}

/* Those of the policy, or where it has none of that kind, those that there were. */
static int order_ranges(struct egress_control *c, const struct policy_past_cups *o, bool local)
{
	const struct egress_control before = *c;
	unsigned i, kept = 0;
	bool any = false;
	int r = 0;

	for (i = 0; i < o->ranges_n; i++)
		any = any || o->range[i].local == local;
	if (!any)
		return 0;
	for (i = 0; i < before.ranges; i++)
		if (!!before.range[i].loopback != local)
			c->range[kept++] = before.range[i];
	c->ranges = kept;
	for (i = 0; i < o->ranges_n && !r; i++)
		if (o->range[i].local == local)
			r = egress_add_range(c, o->range[i].from, o->range[i].to, local);
	return r;
}

void printers_order(struct guard *g)
{
	const struct policy_past_cups *o = policy_past_cups(g->orders.policy);
	bool deny = o->action == PAST_CUPS_DENY && !policy_notes_only(g->orders.policy);
	struct egress_control c = {.version = 0};
	unsigned i;
	int r;

	if (!g->printers)
		return;
	egress_defaults(&c);
	c.mode = o->action == PAST_CUPS_IGNORE ? EGRESS_OFF : deny ? EGRESS_REFUSE : EGRESS_NOTE;
	r = order_ranges(&c, o, false);
	r = r ? r : order_ranges(&c, o, true);
	if (o->services_n)
		c.units = 0;
	for (i = 0; i < o->services_n && !r; i++)
		r = egress_add_unit(&c, o->service[i]);
	r = r ? r : egress_set(g->printers->egress, &c);
	if (r)
		log_error("the way to printers goes by older settings: %s", strerror(r < 0 ? -r : EINVAL));
}
