/*
 * What the policy says of what is plugged in, as things are now: who is at the PC, what time it is, what lies on the
 * medium, which code released it. Called for one device when it changes, for all when the policy, the person or the
 * time does. Every decision that differs from the one before is made so (force.c) and told (tell.c).
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include <errno.h>

#define LATEST_US (86400ll * 1000000) /* looks again at least once a day */
#define SOONEST_US 100000

static struct device_user who(const struct guard *g, const struct unit *u)
{
	const struct person *p = person_of(g, u);

	return (struct device_user){
		.user = p->there ? p->name : NULL,
		.groups = p->groups,
		.host = g->host,
		.wall_us = orders_now(g),
	};
}

static bool same_device(const struct device *a, const struct device *b)
{
	return a->serial[0] && a->vendor == b->vendor && a->product == b->product && !strcmp(a->serial, b->serial);
}

/* One serial at two places at a time: at least one of them is not what it says it is. */
static void find_twins(struct guard *g)
{
	struct unit *u, *v;

	for (u = g->units; u; u = u->next)
		u->device.twin = false;
	for (u = g->units; u; u = u->next) {
		for (v = u->next; v; v = v->next) {
			if (u->hub || !same_device(&u->device, &v->device))
				continue;
			u->device.twin = v->device.twin = true;
		}
	}
}

static bool is_encrypted(const struct device *f)
{
	unsigned i;

	for (i = 0; i < f->media_n; i++)
		if (strcmp(f->medium[i].type, "crypto_LUKS") != 0 && strcmp(f->medium[i].type, "BitLocker") != 0)
			return false;
	return f->media_n > 0;
}

static bool is_medium_kind(unsigned kind)
{
	return kind == DEVICE_KIND_STORAGE || kind == DEVICE_KIND_OPTICAL || kind == DEVICE_KIND_SD;
}

/* A code that the administrator gave by phone goes before the policy. */
static void apply_release(
	struct guard *g, const struct unit *u, const struct device *f, unsigned kind, struct decision *out)
{
	struct release_grant grant;

	if (release_active(g->release, f, u->plugging, clock_boot_us(), &grant))
		return;
	/* One serial number at two places: a code does not say which of them is meant. */
	if (f->twin && is_medium_kind(kind) && grant.access == ACCESS_READ_WRITE)
		grant.access = ACCESS_READ_ONLY;
	if (grant.access <= out->access)
		return;
	out->access = grant.access;
	out->note = false;
	out->row = 0;
	out->until_us = orders_now(g) + (grant.until_boot_us - clock_boot_us());
	snprintf(out->rule, sizeof(out->rule), "release:%s", grant.code);
	out->because = BECAUSE_RELEASE;
	policy_reason(out, LANG_EN, out->reason);
}

static void decide(struct guard *g, const struct unit *u, const struct device *f, unsigned kind, struct decision *out)
{
	struct device_user w = who(g, u);

	policy_decide(g->orders.policy, f, kind, &w, out);
	apply_release(g, u, f, kind, out);
}

/* Would it not be granted whatever lay on it? Then it is looked at anew when that may be something else. */
static bool hangs_on_medium(struct guard *g, const struct unit *u, const struct disk *d, const struct device *f)
{
	struct device blank = *f;
	struct decision other;

	blank.media_n = 0;
	blank.encrypted = false;
	decide(g, u, &blank, d->kind, &other);
	if (other.access != d->decided.access)
		return true;
	blank.encrypted = true;
	decide(g, u, &blank, d->kind, &other);
	return other.access != d->decided.access;
}

static void decide_disk(struct guard *g, struct unit *u, struct disk *d)
{
	struct device f = u->device;
	unsigned i;

	f.kinds = 1u << d->kind;
	f.size = d->size;
	f.media_n = d->media_n;
	for (i = 0; i < d->media_n; i++)
		f.medium[i] = d->media[i].medium;
	f.encrypted = !d->media_more && is_encrypted(&f);
	decide(g, u, &f, d->kind, &d->decided);
	d->by_medium = d->decided.access == ACCESS_READ_WRITE && hangs_on_medium(g, u, d, &f);
}

static bool same_decision(const struct decision *a, const struct decision *b)
{
	return a->access == b->access && a->note == b->note && !strcmp(a->rule, b->rule);
}

static void show(struct guard *g, enum notice what, const struct unit *u, const struct decision *d)
{
	const struct person *p = person_of(g, u);

	notify_show(g->notify, what, &u->device, d, p->there ? p->uid : UINT32_MAX);
}

static void notice(struct guard *g, const struct unit *u, const struct decision *d, const struct decision *before)
{
	enum notice what;

	if (d->note)
		return;
	if (d->because == BECAUSE_RELEASE) {
		what = NOTICE_RELEASED;
	} else if (before && before->because == BECAUSE_RELEASE && before->access > d->access) {
		what = NOTICE_RELEASE_END;
	} else if (d->access == ACCESS_READ_WRITE) {
		/* Nobody wants to hear of what always works. */
		if (!is_medium_kind(d->kind))
			return;
		what = NOTICE_APPROVED;
	} else if (before && !before->note && before->access > d->access) {
		what = NOTICE_WITHDRAWN;
	} else {
		what = d->access == ACCESS_DENY ? NOTICE_DENIED : NOTICE_READ_ONLY;
	}
	show(g, what, u, d);
}

static void tell_new(struct guard *g, struct unit *u, struct disk *d, const struct decision *now, struct decision *told,
	bool was_told)
{
	if (was_told && same_decision(now, told))
		return;
	tell_decision(g, u, d, now);
	notice(g, u, now, was_told ? told : NULL);
	*told = *now;
}

/* Of a kind with a medium a unit without a disk tells only what keeps the disk from appearing. */
static bool worth_telling(const struct unit *u, unsigned kind)
{
	if (u->root_hub || (u->hub && kind == DEVICE_KIND_HUB))
		return false;
	return !is_medium_kind(kind) || (!u->disks && u->decided[kind].access == ACCESS_DENY);
}

static void judge_one(struct guard *g, struct unit *u)
{
	struct disk *d;
	unsigned kind;

	if (u->root_hub)
		return;
	if (!u->plug_told) {
		u->plug_told = true;
		u->since_boot_us = clock_boot_us();
		tell_plug(g, u);
	}
	if (u->own)
		return; /* it is no drive, and whatever else it is, the PC runs from it */
	if (u->device.twin && !u->twin_told) {
		u->twin_told = true;
		tell_release(
			g, KIND_DECISION, u, "twin", 0, 0, "another device with the same serial number is plugged in");
		show(g, NOTICE_TWIN, u, NULL);
	}
	for (kind = 1; kind < DEVICE_KINDS; kind++)
		if (u->device.kinds >> kind & 1)
			decide(g, u, &u->device, kind, &u->decided[kind]);
	for (d = u->disks; d; d = d->next)
		decide_disk(g, u, d);
	/* First it is so, then it is told. */
	for (d = u->disks; d; d = d->next) {
		force_disk(g, u, d);
		medium_watch(g, d, d->by_medium);
	}
	force_nodes(g, u);
	force_interfaces(g, u);
	for (d = u->disks; d; d = d->next) {
		tell_new(g, u, d, &d->decided, &d->told, d->was_told);
		d->was_told = true;
	}
	for (kind = 1; kind < DEVICE_KINDS; kind++) {
		if (!(u->device.kinds >> kind & 1) || !worth_telling(u, kind))
			continue;
		tell_new(g, u, NULL, &u->decided[kind], &u->told[kind], u->kinds_told >> kind & 1);
		u->kinds_told |= 1ull << kind;
	}
}

static bool is_here(void *ctx, uint64_t plugging)
{
	const struct guard *g = ctx;
	const struct unit *u;

	for (u = g->units; u && (u->gone || u->plugging != plugging); u = u->next)
		;
	return u && plugging;
}

static void on_release_end(void *ctx, const struct release_grant *grant, bool here)
{
	struct guard *g = ctx;
	struct unit *u;
	char rule[64];

	for (u = g->units; u && !release_is_for(grant, &u->device, u->plugging); u = u->next)
		;
	snprintf(rule, sizeof(rule), "release:%s", grant->code);
	tell_release(g, KIND_RELEASE_END, u, rule, grant->access, 0, here ? NULL : "the device was unplugged");
}

void judge_releases(struct guard *g)
{
	release_expire(g->release, clock_boot_us(), is_here, on_release_end, g);
}

static int on_again(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct guard *g = ctx;
	int r;

	(void)source;
	(void)usec;
	judge_releases(g);
	orders_look(g);
	r = judge_all(g);
	if (r)
		guard_fail(g, r, "deciding");
	return 0;
}

static int arm(struct guard *g, uint64_t in_us)
{
	uint64_t at = (uint64_t)clock_boot_us() + in_us;
	int r;

	if (!g->again)
		return sd_event_add_time(g->event, &g->again, CLOCK_BOOTTIME, at, 10000, on_again, g);
	r = sd_event_source_set_time(g->again, at);
	return r < 0 ? r : sd_event_source_set_enabled(g->again, SD_EVENT_ONESHOT);
}

void judge_soon(struct guard *g)
{
	int r = arm(g, 0);

	if (r < 0)
		guard_fail(g, r, "timer");
}

static void sooner(int64_t *next, int64_t at)
{
	if (at < *next)
		*next = at;
}

/* When a decision may be another one, by the wall clock. */
static int64_t next_change(const struct guard *g, int64_t now)
{
	const struct unit *u;
	const struct disk *d;
	int64_t next = now + LATEST_US;
	unsigned kind;

	if (!g->orders.expired)
		sooner(&next, g->orders.not_after_us);
	for (u = g->units; u; u = u->next) {
		for (kind = 1; kind < DEVICE_KINDS; kind++)
			if (u->device.kinds >> kind & 1)
				sooner(&next, u->decided[kind].until_us);
		for (d = u->disks; d; d = d->next)
			sooner(&next, d->decided.until_us);
	}
	return next;
}

static int arm_next(struct guard *g)
{
	int64_t now = orders_now(g), in = next_change(g, now) - now;
	int r = arm(g, (uint64_t)(in < SOONEST_US ? SOONEST_US : in));

	return r < 0 ? r : 0;
}

int judge_unit(struct guard *g, struct unit *u)
{
	bool twin = u->device.twin;

	find_twins(g);
	/* The other one loses what it had. */
	if (u->device.twin != twin)
		return judge_all(g);
	judge_one(g, u);
	return g->failed ? g->failed : arm_next(g);
}

int judge_gone(struct guard *g)
{
	struct unit *u;

	for (u = g->units; u; u = u->next)
		if (u->device.twin)
			return judge_all(g);
	return 0;
}

int judge_all(struct guard *g)
{
	struct unit *u;

	find_twins(g);
	for (u = g->units; u; u = u->next)
		judge_one(g, u);
	return g->failed ? g->failed : arm_next(g);
}
