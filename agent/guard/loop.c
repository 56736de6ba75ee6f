/*
 * The guard's loop, after it gave up what power it does not need: udev's events, the kernel's, the desk, the inbox,
 * signals, the sealer's times, and the proof at intervals that the kernel enforces.
 */
#include "agent/guard/guard.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>

#define PROVE_EVERY_US (300ll * 1000000)
#define PROOF_TOLD_EVERY_US (3600ll * 1000000) /* that all is as it was: often enough for who reads records only */
#define OWN_EVERY_US (60ll * 1000000)
#define REPORT_EVERY_US (60ll * 1000000)
#define MONITOR_BUFFER (4 << 20)
#define REST_WAIT_US (2ll * 1000000) /* behind the last of a burst */

void guard_fail(struct guard *g, int r, const char *what)
{
	if (!g->failed)
		log_error("%s: %s", what, strerror(r < 0 ? -r : EIO));
	g->failed = r < 0 ? r : -EIO;
}

/* --- udev --- */

static const char *from_event(void *ctx, const char *name)
{
	return udev_device_get_property_value(ctx, name);
}

static void on_device(struct guard *g, struct udev_device *d)
{
	const char *action = udev_device_get_action(d);
	struct disk *disk;
	struct unit *u;
	int r;

	if (action && !strcmp(action, "unbind"))
		return; /* its driver went: nothing that is decided changes */
	if (action && !strcmp(action, "remove")) {
		devices_remove(g, udev_device_get_syspath(d));
		r = judge_gone(g);
	} else {
		u = devices_update(g, d, from_event, d, &disk);
		r = u ? judge_unit(g, u) : 0;
	}
	if (r)
		guard_fail(g, r, "deciding");
}

static int on_udev(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	struct udev_device *d;

	(void)source;
	(void)fd;
	(void)events;
	errno = 0;
	while ((d = udev_monitor_receive_device(g->monitor))) {
		on_device(g, d);
		udev_device_unref(d);
		errno = 0;
	}
	if (errno == ENOBUFS) {
		/* More came than the buffer holds: what is there now is looked at as a whole. */
		log_warning("udev told more than could be heard: looking at all devices");
		if (devices_scan(g) || judge_all(g))
			guard_fail(g, -EIO, "devices");
	}
	/* One that was mounted before we heard of it. */
	written_look(g);
	report_save(g);
	return 0;
}

/* --- the kernel --- */

/*
 * A file system that refuses a new file tells twice: which device (mnt_want_write), then which path (do_filp_open). The
 * second says both.
 */
static void tell_first(struct guard *g, const struct gate_event *e)
{
	bool again = g->refused.kind == GATE_EVENT_REFUSED && e->kind == GATE_EVENT_REFUSED && e->path[0] &&
		     e->tid == g->refused.tid && e->dev == g->refused.dev;

	if (g->refused.kind && !again)
		tell_event(g, &g->refused);
	g->refused.kind = 0;
}

static int on_gate_event(void *ctx, const struct gate_event *e)
{
	struct guard *g = ctx;
	struct disk *d = NULL;
	struct unit *u =
		unit_by_dev(g, e->type ? e->type : GATE_BLOCK, makedev(e->whole >> 20, e->whole & 0xfffff), &d);

	g->rest_boot_us = clock_boot_us() + REST_WAIT_US;
	if (e->kind == GATE_EVENT_MEDIUM_CHANGED) {
		/* udev's own event follows, with what lies on it. */
		if (d)
			force_medium(g, d);
		return 0;
	}
	/* What a withdrawal itself still wrote. */
	if (e->kind == GATE_EVENT_WRITE_SEEN && d && (int64_t)(e->boot_ns / 1000) <= d->closed_boot_us)
		return 0;
	tell_first(g, e);
	if (e->kind == GATE_EVENT_REFUSED && !e->path[0]) {
		g->refused = *e;
		return 0;
	}
	tell_event(g, e);
	if (e->kind == GATE_EVENT_WRITE_SEEN && !(e->flags & GATE_EVENT_DRY_RUN) && u && d && d->forced &&
		d->forced != ACCESS_READ_WRITE)
		force_restart(g, u);
	return 0;
}

static int on_rest(void *ctx, const struct gate_event *e)
{
	tell_event(ctx, e);
	return 0;
}

static int on_gate(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	uint64_t lost;
	int r;

	(void)source;
	(void)fd;
	(void)events;
	r = gate_consume(g->gate, on_gate_event, g);
	if (r < 0)
		guard_fail(g, r, "the gate's events");
	if (g->refused.kind) {
		tell_event(g, &g->refused);
		g->refused.kind = 0;
	}
	lost = gate_lost(g->gate);
	if (lost)
		sealer_lost(g->sealer, CAUSE_RING_FULL, lost);
	return 0;
}

/* What came last of a burst, and had nothing behind it that would have told it. */
static int tell_rest(struct guard *g, int64_t now)
{
	int r = 0;

	if (now < g->rest_boot_us)
		return 0;
	g->rest_boot_us = INT64_MAX;
	if (g->gate)
		r = gate_rest(g->gate, on_rest, g);
	return r < 0 ? r : 0;
}

/* Enforcement is proven, not assumed: once more, and told where it is another than before. */
static void prove(struct guard *g, int64_t now)
{
	int layers = g->gate ? gate_prove(g->gate) : 0;
	unsigned before;

	refuse_prove(g);
	g->proved_boot_us = now;
	if (layers < 0) {
		log_error("enforcement cannot be tried: %s", strerror(-layers));
		return;
	}
	if ((unsigned)layers == g->layers) {
		if (now >= g->proof_told_us + PROOF_TOLD_EVERY_US) {
			g->proof_told_us = now;
			tell_proof(g, g->layers, g->layers);
		}
		return;
	}
	g->proof_told_us = now;
	log_at((g->layers & ~(unsigned)layers) ? LOG_ERR : LOG_NOTICE,
		"enforcement is another than it was: %#x, before %#x", (unsigned)layers, g->layers);
	before = g->layers;
	g->layers = (unsigned)layers;
	tell_means(g);
	tell_proof(g, g->layers, before);
	report_save(g);
}

/* What can be taken from us is looked at as often as an idle PC says that it is there, at least. */
static int64_t at_least_each_beat(const struct guard *g, int64_t every_us)
{
	return (int64_t)g->conf.heartbeat_us < every_us ? (int64_t)g->conf.heartbeat_us : every_us;
}

/*
 * A gate came that was not there when we started, as while it was being replaced; or one was loaded in the place of
 * ours of which somebody had removed a part, and what we decide in our tables holds nothing any more. Taking it needs
 * what we gave up, so whoever started us starts us with it; where nobody would, the weaker means are better than no
 * guard. A gate that could not be taken then (of another version) is no reason to start again.
 */
static void look_for_gate(struct guard *g)
{
	uint64_t pinned = gate_pinned();
	const char *what = g->gate ? "is another one" : "is there";

	if (!pinned || pinned == g->pinned)
		return;
	g->pinned = pinned;
	if (g->gate && gate_is(g->gate, pinned))
		return;
	if (!getenv("NOTIFY_SOCKET")) {
		log_warning("the kernel's gate %s now: start sekisho-guard anew, and it takes it", what);
		return;
	}
	log_notice("the kernel's gate %s now: ending, to be started with it", what);
	g->asked.how = STOP_ANEW;
	g->stopping = true;
}

static void look_at_own(struct guard *g, int64_t now)
{
	/* What a window changes is compared when it is closed. */
	int r = g->own && !g->maintenance.open ? own_look(g->own, tell_own, g) : 0;

	look_for_gate(g);
	protect_renew(g);
	g->own_due_us = now + at_least_each_beat(g, OWN_EVERY_US);
	if (r)
		log_error("what is ours cannot be looked at: %s", strerror(-r));
}

/* --- inbox, signals --- */

static void read_follow(struct guard *g)
{
	g->follow_until_us = producer_followed(g->inbox);
	sealer_follow(g->sealer, g->follow_until_us);
}

static int on_inbox(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	struct guard *g = ctx;

	(void)source;
	if (e->mask & IN_Q_OVERFLOW || (e->len && !strcmp(e->name, "follow")))
		read_follow(g);
	if ((e->mask & IN_Q_OVERFLOW || (e->len && !strcmp(e->name, "policy"))) && orders_look(g)) {
		int r = judge_all(g);

		if (r)
			guard_fail(g, r, "deciding");
	}
	report_save(g);
	return 0;
}

/* Sealed before whoever set it can do more. */
static int on_clock(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	int r;

	(void)source;
	(void)events;
	service_clock_heard(fd);
	r = sealer_look(g->sealer);
	if (r)
		guard_fail(g, r, "the clock");
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct guard *g = ctx;

	(void)source;
	(void)info;
	if (orders_look(g) && judge_all(g))
		guard_fail(g, -EIO, "deciding");
	prove(g, clock_boot_us());
	look_at_own(g, clock_boot_us());
	report_save(g);
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct guard *g = ctx;

	(void)source;
	service_stop_asked(info, &g->asked);
	g->stopping = true;
	return 0;
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct guard *g = ctx;

	(void)source;
	(void)info;
	notify_reap(g->notify);
	return 0;
}

static int add_sources(struct guard *g)
{
	static const struct service_signal handled[] = {
		{SIGHUP, on_hangup}, {SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGCHLD, on_child}};
	int r = service_signals(g->event, handled, ARRAY_SIZE(handled), g);

	if (r >= 0 && g->monitor)
		r = sd_event_add_io(g->event, NULL, udev_monitor_get_fd(g->monitor), EPOLLIN, on_udev, g);
	if (r >= 0 && g->gate)
		r = sd_event_add_io(g->event, NULL, gate_fd(g->gate), EPOLLIN, on_gate, g);
	if (r < 0)
		return r;
	r = sd_event_add_inotify(
		g->event, NULL, g->inbox, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR, on_inbox, g);
	if (r < 0)
		log_warning("%s cannot be watched: %s; no policy will arrive", g->inbox, strerror(-r));
	read_follow(g);
	r = service_watch_clock(g->event, on_clock, g);
	r = r < 0 ? r : printers_start(g);
	r = r < 0 ? r : protect_start(g);
	r = r < 0 ? r : written_start(g);
	r = r < 0 ? r : refuse_start(g);
	return r < 0 ? r : people_start(g);
}

/* --- rounds --- */

/* What waits by the clock that stands still while the PC sleeps. */
static int64_t awake_due(const struct guard *g)
{
	int64_t written = written_due(g), reasons = reasons_due(g);

	return written < reasons ? written : reasons;
}

static int64_t wait_us(int64_t by_boot, int64_t by_awake)
{
	int64_t least = by_boot < by_awake ? by_boot : by_awake;

	return least > 0 ? least : 0;
}

static int one_round(struct guard *g)
{
	int64_t now = clock_boot_us(), awake = clock_awake_us(), next,
		prove_every = at_least_each_beat(g, PROVE_EVERY_US);
	int r = 0;

	if (now >= g->proved_boot_us + prove_every)
		prove(g, now);
	if (now >= g->own_due_us)
		look_at_own(g, now);
	r = tell_rest(g, now);
	if (!r && g->orders.retry_us && now >= g->orders.retry_us) {
		g->orders.retry_us = 0;
		r = orders_look(g) ? judge_all(g) : 0;
	}
	printers_run(g, now);
	protect_run(g, now);
	maintenance_run(g, now);
	media_run(g, now);
	written_run(g, awake);
	refuse_run(g, now);
	reasons_run(g, awake);
	if (!r && now >= sealer_due(g->sealer))
		r = sealer_run(g->sealer, now);
	if (now >= g->status_boot_us + REPORT_EVERY_US) {
		/* Whatever was not seen to be mounted. */
		written_look(g);
		report_save(g);
	}
	/* Also where the look at the gate ends it: nothing is waited for then. */
	if (r || g->stopping)
		return r;
	next = sealer_due(g->sealer);
	if (g->proved_boot_us + prove_every < next)
		next = g->proved_boot_us + prove_every;
	if (g->own_due_us < next)
		next = g->own_due_us;
	if (g->status_boot_us + REPORT_EVERY_US < next)
		next = g->status_boot_us + REPORT_EVERY_US;
	if (g->rest_boot_us < next)
		next = g->rest_boot_us;
	if (g->orders.retry_us && g->orders.retry_us < next)
		next = g->orders.retry_us;
	if (printers_due(g) < next)
		next = printers_due(g);
	if (protect_due(g) < next)
		next = protect_due(g);
	if (maintenance_due(g) < next)
		next = maintenance_due(g);
	if (media_due(g) < next)
		next = media_due(g);
	if (refuse_due(g) < next)
		next = refuse_due(g);
	r = sd_event_run(g->event, (uint64_t)wait_us(next - now, awake_due(g) - awake));
	return r < 0 ? r : g->failed;
}

static int begin(struct guard *g)
{
	int r;

	g->since_wall_us = clock_wall_us();
	sealer_policy(g->sealer, g->orders.version);
	g->proved_boot_us = clock_boot_us();
	g->rest_boot_us = INT64_MAX;
	g->proof_told_us = g->proved_boot_us; /* the start tells it */
	if (g->gate) {
		r = gate_prove(g->gate);
		if (r < 0)
			return r;
		g->layers = (unsigned)r;
		if (g->layers != gate_layers(g->gate))
			log_error("the kernel does not enforce what it took: %#x of %#x", g->layers,
				gate_layers(g->gate));
	}
	tell_means(g);
	tell_start(g);
	maintenance_start(g);
	look_at_own(g, clock_boot_us());
	r = add_sources(g);
	if (r)
		return r;
	orders_look(g);
	/* The monitor listens already: what comes while we look is looked at again. */
	r = devices_scan(g);
	if (r < 0)
		log_warning("devices cannot be listed: %s", strerror(-r));
	/* What was unplugged while nobody looked is not released any more. */
	judge_releases(g);
	r = judge_all(g);
	written_order(g);
	return r;
}

int loop_run(struct guard *g)
{
	int r = begin(g);

	if (r)
		return r;
	report_save(g);
	sd_notify(0, "READY=1");
	log_info("guarding: policy %llu, %u devices", (unsigned long long)g->orders.version, g->units_n);
	while (!g->stopping && !r)
		r = one_round(g);
	sd_notify(0, "STOPPING=1");
	written_stop(g);
	refuse_stop(g);
	reasons_stop(g);
	openers_stop(g);
	tell_stop(g);
	if (!r)
		r = sealer_flush(g->sealer, true);
	report_save(g);
	return r;
}
