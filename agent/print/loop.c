/*
 * The print daemon's loop, after it gave up what power it does not need: wrappers, the follower, documents that were
 * looked into, the guard's policy, backends that come and go, signals, the sealer's times.
 */
#include "agent/print/print.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <signal.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>

#define REPORT_EVERY_US (60ll * 1000000)
#define SOON_US 200000ll /* behind an answer: a job that comes at its heels does not wait for the disk */

void gate_fail(struct gate *g, int r, const char *what)
{
	if (!g->failed)
		log_error("%s: %s", what, strerror(r < 0 ? -r : EIO));
	g->failed = r < 0 ? r : -EIO;
}

/* --- files that others write --- */

static int on_guard(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	(void)source;
	if ((e->mask & IN_Q_OVERFLOW || (e->len && !strncmp(e->name, "policy", 6))) && orders_look(ctx))
		status_write(ctx);
	return 0;
}

static int on_inbox(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	struct gate *g = ctx;

	(void)source;
	if (e->mask & IN_Q_OVERFLOW || (e->len && !strcmp(e->name, "follow")))
		sealer_follow(g->sealer, producer_followed(g->inbox));
	return 0;
}

/* A driver's package brings a backend, or takes it away: its wrapper comes and goes with it. */
static int on_backend(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	struct gate *g = ctx;
	struct why why = {""};
	unsigned changed;
	int r = tree_sync(&g->tree, &changed, &why);

	(void)source;
	(void)e;
	if (r)
		log_error("%s: %s", g->tree.dir, why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
	else if (changed)
		log_notice("%u backends changed: the gate stands before them", changed);
	if (g->cups_up)
		follow_queues(g);
	return 0;
}

static void watch(struct gate *g, const char *path, uint32_t mask, sd_event_inotify_handler_t fn)
{
	int r = sd_event_add_inotify(g->event, NULL, path, mask | IN_ONLYDIR, fn, g);

	if (r < 0)
		log_warning("%s cannot be watched: %s", path, strerror(-r));
}

void loop_watch_backends(struct gate *g)
{
	char stock[PATH_MAX], path[PATH_MAX + 16];

	if (g->watching || tree_stock(&g->tree, stock))
		return;
	g->watching = true;
	snprintf(path, sizeof(path), "%s/backend", stock);
	watch(g, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB, on_backend);
}

static void watch_all(struct gate *g)
{
	watch(g, g->guard, IN_CLOSE_WRITE | IN_MOVED_TO, on_guard);
	watch(g, g->inbox, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE, on_inbox);
	loop_watch_backends(g);
}

/* --- signals --- */

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct gate *g = ctx;

	(void)source;
	(void)info;
	orders_look(g);
	follow_look_soon(g);
	status_write(g);
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct gate *g = ctx;

	(void)source;
	service_stop_asked(info, &g->asked);
	g->stopping = true;
	return 0;
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct gate *g = ctx;

	(void)source;
	(void)info;
	notices_reap(&g->notices);
	/* Without it nothing is known of documents, and its rights are given up: whoever starts us starts it. */
	if (g->inspect && inspect_is_gone(g->inspect))
		gate_fail(g, -EPIPE, "the inspector is gone");
	return 0;
}

static int add_sources(struct gate *g)
{
	static const struct service_signal handled[] = {
		{SIGHUP, on_hangup}, {SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGCHLD, on_child}};
	int r = service_signals(g->event, handled, ARRAY_SIZE(handled), g);

	if (r >= 0)
		r = following_start(g);
	if (r >= 0)
		r = kernel_start(g);
	if (r >= 0)
		r = visits_start(g);
	if (r < 0)
		return r;
	watch_all(g);
	sealer_follow(g->sealer, producer_followed(g->inbox));
	return 0;
}

/* --- rounds --- */

/* What was put off until nobody waited for an answer. */
static int catch_up(struct gate *g, int64_t now)
{
	int r = 0;

	if (!(g->seal_wanted || g->keep_wanted || g->report_wanted)) {
		g->soon_boot_us = 0;
		return 0;
	}
	if (!g->soon_boot_us)
		g->soon_boot_us = now + SOON_US;
	if (now < g->soon_boot_us && !g->stopping)
		return 0;
	g->soon_boot_us = 0;
	if (g->seal_wanted)
		r = sealer_flush(g->sealer, false);
	g->seal_wanted = false;
	if (!r && g->keep_wanted)
		keep_soon(g);
	if (!r && g->report_wanted)
		status_write(g);
	g->report_wanted = false;
	return r;
}

static int one_round(struct gate *g)
{
	int64_t now = clock_boot_us(), next;
	int r = catch_up(g, now);

	if (!r && now >= sealer_due(g->sealer))
		r = sealer_run(g->sealer, now);
	if (now >= g->status_boot_us + REPORT_EVERY_US) {
		orders_look(g);
		status_write(g);
	}
	if (r)
		return r;
	next = sealer_due(g->sealer);
	if (g->status_boot_us + REPORT_EVERY_US < next)
		next = g->status_boot_us + REPORT_EVERY_US;
	if (g->soon_boot_us && g->soon_boot_us < next)
		next = g->soon_boot_us;
	r = sd_event_run(g->event, next > now ? (uint64_t)(next - now) : 0);
	return r < 0 ? r : g->failed;
}

int loop_run(struct gate *g)
{
	int r;

	g->since_wall_us = clock_wall_us();
	sealer_policy(g->sealer, g->orders.version);
	tell_start(g);
	r = add_sources(g);
	if (r)
		return r;
	status_write(g);
	sd_notify(0, "READY=1");
	log_info("at the gate: policy %llu, %u rules for print jobs", (unsigned long long)g->orders.version,
		policy_print_rules_n(g->orders.policy));
	while (!g->stopping && !r)
		r = one_round(g);
	sd_notify(0, "STOPPING=1");
	tell_stop(g);
	keep_save(g);
	if (!r)
		r = sealer_flush(g->sealer, true);
	status_write(g);
	return r;
}
