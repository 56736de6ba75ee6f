/*
 * Who tried what against the agent lately (guard.h, struct burst). Whoever tries can do so as often as he likes: what
 * one process does to one thing is told once in a while, with how often it was, and no more than so many records in
 * all; what is left out of that is counted. Called by protect.c; knows no time but what it is told.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"

static bool same(const struct shield_event *a, const struct shield_event *b)
{
	return a->pid == b->pid && a->start_boot_ns == b->start_boot_ns && a->what == b->what &&
	       a->key.dev == b->key.dev && a->key.ino == b->key.ino && a->target == b->target &&
	       a->detail == b->detail && !strncmp(a->name, b->name, sizeof(a->name));
}

/* Its place, or the one that was used longest ago. */
static size_t place(const struct burst *b, const struct shield_event *e, bool *there)
{
	size_t i, oldest = 0;

	for (i = 0; i < BURST_MAX; i++) {
		if (b->v[i].since_boot_us && same(&b->v[i].e, e)) {
			*there = true;
			return i;
		}
		if (b->v[i].since_boot_us < b->v[oldest].since_boot_us)
			oldest = i;
	}
	*there = false;
	return oldest;
}

static void tell(struct burst *b, const struct shield_event *e, uint64_t count, int64_t now, burst_fn fn, void *ctx)
{
	if (!b->window_boot_us || now >= b->window_boot_us + BURST_US) {
		b->window_boot_us = now;
		b->in_window = 0;
	}
	if (b->in_window == BURST_RECORDS_MAX) {
		b->left_out += count;
		return;
	}
	b->in_window++;
	fn(ctx, e, count);
}

void burst_add(struct burst *b, const struct shield_event *e, int64_t now, burst_fn fn, void *ctx)
{
	bool there;
	size_t i = place(b, e, &there);
	uint64_t waits = b->v[i].count;

	if (there && now < b->v[i].since_boot_us + BURST_US) {
		b->v[i].count++;
		return;
	}
	/* The one whose place it takes, or it itself, may have been counted. */
	if (!there && waits)
		tell(b, &b->v[i].e, waits, now, fn, ctx);
	b->v[i].e = *e;
	b->v[i].since_boot_us = now;
	b->v[i].count = 0;
	tell(b, e, there ? waits + 1 : 1, now, fn, ctx);
}

void burst_run(struct burst *b, int64_t now, burst_fn fn, void *ctx)
{
	size_t i;

	for (i = 0; i < BURST_MAX; i++) {
		uint64_t count = b->v[i].count;

		if (!count || now < b->v[i].since_boot_us + BURST_US)
			continue;
		b->v[i].count = 0;
		b->v[i].since_boot_us = now;
		tell(b, &b->v[i].e, count, now, fn, ctx);
	}
}

int64_t burst_due(const struct burst *b)
{
	int64_t due = INT64_MAX;
	size_t i;

	for (i = 0; i < BURST_MAX; i++)
		if (b->v[i].count && b->v[i].since_boot_us + BURST_US < due)
			due = b->v[i].since_boot_us + BURST_US;
	return due;
}
