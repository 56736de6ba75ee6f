/*
 * The recorder's loop, after it gave up its power: events from the kernel, sign-ins, signals, the uplink's word that
 * somebody follows, and the sealer's times. Nothing here may block for long: the kernel's buffer fills meanwhile.
 */
#include "agent/recorder/recorder.h"
#include "agent/recorder/running.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#define LOGIND_RETRY_FIRST_US 1000000ull /* at boot the bus comes soon after us; where it never comes, we rest */
#define LOGIND_RETRY_LAST_US 600000000ull
#define LOOKS_AT_A_TIME 64u
#define BATCH 4096            /* events taken between two looks at the clock */
#define NAP_US 10000          /* while events come in */
#define LAST_WORDS_US 2000000 /* at stop, for what the buffer still holds */
#define SWEEP_SOON_US 200000  /* after a process ended, where somebody follows; at most every ... */
#define SWEEP_FOLLOWED_US 1000000
#define SWEEP_LATER_US 2000000 /* the same where nobody does */
#define SWEEP_GAP_US 5000000
#define SWEEP_HELD_US 300000000 /* for files that are held open */

/* A record for the sealer. One that does not fit into a full spool is counted there; a failing disk ends the program.
 */
static int sink(void *ctx, const struct record *record, bool urgent)
{
	struct recorder *r = ctx;
	int got = sealer_put(r->sealer, record, urgent);

	return got > 0 ? 0 : got;
}

/* --- losses --- */

/* What the kernel lost since the last look, and what of its events could not be read: the next header and a record. */
static int read_losses(struct recorder *r, int64_t now)
{
	uint64_t lost[PROBE_CAUSES] = {0};
	unsigned i;
	int got = 0;

	probe_lost(r->probe, lost);
	lost[CAUSE_READ_FAILED] += r->engine.malformed - r->malformed_seen;
	r->malformed_seen = r->engine.malformed;
	for (i = 0; i < PROBE_CAUSES && !got; i++) {
		if (!lost[i])
			continue;
		sealer_lost(r->sealer, i, lost[i]);
		got = engine_loss(&r->engine, i, lost[i], now);
	}
	return got;
}

/* --- sign-ins --- */

static void on_session(void *ctx, unsigned kind, const struct session *s, bool at_start)
{
	struct recorder *r = ctx;
	int got = engine_session(&r->engine, kind, s, at_start, clock_boot_us());

	if (got)
		r->failed = got;
}

/* Called from within the watch: it is freed later, by the loop. */
static void on_logind_gone(void *ctx)
{
	struct recorder *r = ctx;

	r->logind_gone = true;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *ctx);

/* Without logind: utmp, and another look for logind later. */
static int without_logind(struct recorder *r)
{
	uint64_t at;
	int got;

	if (!r->utmp_watch) {
		got = utmp_watch_new(r->event, r->utmp, on_session, r, &r->utmp_watch);
		if (got)
			log_warning("sign-ins cannot be seen: neither logind nor %s", r->utmp);
	}
	r->retry_us = r->retry_us ? 2 * r->retry_us : LOGIND_RETRY_FIRST_US;
	if (r->retry_us > LOGIND_RETRY_LAST_US)
		r->retry_us = LOGIND_RETRY_LAST_US;
	sd_event_now(r->event, CLOCK_BOOTTIME, &at);
	r->retry = sd_event_source_unref(r->retry);
	got = sd_event_add_time(r->event, &r->retry, CLOCK_BOOTTIME, at + r->retry_us, r->retry_us / 4, on_retry, r);
	return got < 0 ? got : 0;
}

static int watch_sessions(struct recorder *r)
{
	int got = logind_watch_new(r->event, on_session, on_logind_gone, r, &r->logind);

	if (got < 0)
		log_warning("logind cannot be asked: %s", strerror(-got));
	return got ? without_logind(r) : 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	return watch_sessions(ctx);
}

/* What logind's watch said since the last round: it answered (then utmp has no more to say), or it is gone. */
static int tend_sessions(struct recorder *r)
{
	if (r->logind_gone) {
		r->logind_gone = false;
		logind_watch_free(STEAL(r->logind));
		return without_logind(r);
	}
	if (r->logind && r->utmp_watch && logind_watch_answers(r->logind))
		utmp_watch_free(STEAL(r->utmp_watch));
	if (r->logind && r->retry_us && logind_watch_answers(r->logind))
		r->retry_us = 0;
	return 0;
}

/* --- the uplink's word that somebody follows --- */

static void read_follow(struct recorder *r)
{
	r->follow_until_us = producer_followed(r->inbox);
	sealer_follow(r->sealer, r->follow_until_us);
}

static int on_inbox(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	(void)source;
	if (e->mask & IN_Q_OVERFLOW || (e->len && strcmp(e->name, "follow") == 0))
		read_follow(ctx);
	return 0;
}

/* --- the policy's areas --- */

static int on_orders(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	struct recorder *r = ctx;

	(void)source;
	if (e->mask & IN_Q_OVERFLOW || (e->len && strcmp(e->name, strrchr(r->areas_path, '/') + 1) == 0))
		steer_areas(r);
	return 0;
}

/* The folder of the policy's text is watched before the text is read once more: none falls in between. */
static void watch_orders(struct recorder *r)
{
	char folder[sizeof(r->areas_path)];
	int got;

	snprintf(folder, sizeof(folder), "%s", r->areas_path);
	*strrchr(folder, '/') = 0;
	got = sd_event_add_inotify(
		r->event, NULL, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR, on_orders, r);
	if (got < 0)
		log_warning(
			"%s cannot be watched: %s; areas of protected files stay as they are", folder, strerror(-got));
	steer_areas(r);
}

/* --- the rest of the loop --- */

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	(void)source;
	(void)info;
	steer_again(ctx);
	report_write(ctx, clock_boot_us());
	return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	struct recorder *r = ctx;

	(void)source;
	service_stop_asked(info, &r->asked);
	r->stopping = true;
	return 0;
}

static int on_event(void *ctx, struct span event)
{
	struct recorder *r = ctx;

	return engine_event(&r->engine, event);
}

/* The descriptors of the ring buffer and of looks only end the wait: what is in them is taken by the loop. */
static int on_wake(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)ctx;
	return 0;
}

/* --- what the guard looked into --- */

static void hear_looks(struct recorder *r)
{
	uint8_t room[LOOK_WORD_SIZE + 1];
	struct look_word w;
	unsigned i;

	for (i = 0; r->look >= 0 && i < LOOKS_AT_A_TIME; i++) {
		ssize_t n = recv(r->look, room, sizeof(room), 0);

		if (n < 0)
			break;
		if (!look_get(SPAN(room, (size_t)n), &w))
			copies_looked(r->copies, &w);
	}
}

static int add_sources(struct recorder *r)
{
	static const struct service_signal handled[] = {{SIGHUP, on_hangup}, {SIGTERM, on_stop}, {SIGINT, on_stop}};
	int got = service_signals(r->event, handled, ARRAY_SIZE(handled), r);

	/* By edge: while the loop naps it does not want to hear that the buffer is not empty. */
	if (got >= 0)
		got = sd_event_add_io(r->event, NULL, probe_fd(r->probe), EPOLLIN | EPOLLET, on_wake, r);
	if (got >= 0 && r->look >= 0)
		got = sd_event_add_io(r->event, NULL, r->look, EPOLLIN, on_wake, r);
	if (got < 0)
		return got;
	got = sd_event_add_inotify(
		r->event, NULL, r->inbox, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR, on_inbox, r);
	if (got < 0)
		log_warning("%s cannot be watched: %s; nobody can follow this PC", r->inbox, strerror(-got));
	read_follow(r);
	watch_orders(r);
	return watch_sessions(r);
}

/* --- what was there before --- */

struct mounts_told {
	struct recorder *r;
	int failed;
};

static void tell_mount(void *ctx, const struct mount_entry *m)
{
	struct mounts_told *t = ctx;

	if (!t->failed)
		t->failed = engine_mounted(&t->r->engine, m, clock_boot_us());
}

static int begin(struct recorder *r)
{
	struct mounts_told told = {.r = r};
	bool can = report_enforce(r) == ENFORCE_FULL;
	int64_t began_us = clock_boot_us();
	struct sealer_stats was;
	int got;

	sealer_stats(r->sealer, &was);
	got = engine_start(&r->engine, probe_set_of(r->probe), report_enforce(r),
		can ? "trampolines work: this kernel can enforce; the recorder itself only records"
		    : "recording runs on tracepoints; this kernel cannot enforce",
		clock_boot_us());

	if (!got && was.cut)
		got = engine_loss(&r->engine, CAUSE_CRASH, 0, began_us);
	if (!got)
		got = devices_refresh(r->devices, tell_mount, &told);
	if (got >= 0)
		got = told.failed;
	if (!got)
		got = probe_running(r->probe);
	/* What the walk told of is in the table before the rest is looked for. */
	if (!got)
		got = probe_consume(r->probe, on_event, r, 0);
	if (got >= 0)
		got = running_rest(&r->engine, (uint64_t)began_us * 1000, &r->arguments);
	arguments_end(&r->arguments);
	return got;
}

static int end(struct recorder *r)
{
	int64_t until = clock_awake_us() + LAST_WORDS_US;
	int got;

	do
		got = probe_consume(r->probe, on_event, r, BATCH);
	while (got > 0 && clock_awake_us() < until);
	if (got >= 0)
		got = copies_flush(r->copies);
	if (!got)
		got = read_losses(r, clock_boot_us());
	if (!got)
		got = engine_stop(&r->engine, probe_set_of(r->probe), report_enforce(r), &r->asked, clock_boot_us());
	if (!got)
		got = sealer_flush(r->sealer, true);
	report_write(r, clock_boot_us());
	return got;
}

/* --- rounds --- */

/*
 * Files that end with their process are not closed by any call that tracepoints see: a walk over the open files finds
 * them. Soon where somebody follows, less often where nobody does, never where nothing happens.
 */
static void plan_sweep(struct recorder *r, int64_t now)
{
	bool followed = r->follow_until_us > now;
	int64_t due = r->swept_us + SWEEP_HELD_US;

	if (r->engine.ended && probe_set_of(r->probe) == PROBE_SET_TRACEPOINT) {
		int64_t soon = now + (followed ? SWEEP_SOON_US : SWEEP_LATER_US);
		int64_t gap = r->swept_us + (followed ? SWEEP_FOLLOWED_US : SWEEP_GAP_US);

		due = soon > gap ? soon : gap;
	}
	r->engine.ended = false;
	if (due < r->sweep_due_us)
		r->sweep_due_us = due;
}

static int sweep_if_due(struct recorder *r, int64_t now)
{
	if (now < r->sweep_due_us)
		return 0;
	r->sweep_due_us = INT64_MAX;
	r->swept_us = now;
	return probe_sweep(r->probe);
}

static int seal_if_due(struct recorder *r, int64_t now)
{
	int got;

	if (now < sealer_due(r->sealer))
		return 0;
	got = read_losses(r, now);
	if (!got)
		got = sealer_run(r->sealer, now);
	report_if_sealed(r, now);
	return got;
}

static uint64_t wait_us(struct recorder *r, int taken, int64_t now)
{
	int64_t next = sealer_due(r->sealer);

	if (taken >= BATCH)
		return 0;
	if (r->sweep_due_us < next)
		next = r->sweep_due_us;
	if (r->status_due_us < next)
		next = r->status_due_us;
	if (copies_due(r->copies) < next)
		next = copies_due(r->copies);
	if (taken > 0) {
		/* More will come: a nap gathers it, and spares those who cause it the waking of this program. */
		if (next > now + NAP_US)
			next = now + NAP_US;
	} else if (probe_sleep(r->probe)) {
		return 0;
	}
	return next > now ? (uint64_t)(next - now) : 0;
}

static int one_round(struct recorder *r)
{
	int64_t now;
	int taken = probe_consume(r->probe, on_event, r, BATCH), got;

	if (taken < 0)
		return taken;
	now = clock_boot_us();
	/* Ten words wait in the kernel, no more. */
	hear_looks(r);
	if (taken)
		plan_sweep(r, now);
	/* While events are behind, what belongs to a copy may still be among those to come. */
	got = copies_run(r->copies, taken >= BATCH ? r->engine.last_boot_us : now);
	if (got)
		return got;
	if (r->engine.mounts_changed)
		steer_mounts(r);
	got = tend_sessions(r);
	if (got)
		return got;
	got = sweep_if_due(r, now);
	if (!got)
		got = seal_if_due(r, now);
	if (got)
		return got;
	if (now >= r->status_due_us)
		report_write(r, now);
	got = sd_event_run(r->event, wait_us(r, taken, now));
	return got < 0 ? got : r->failed;
}

int loop_run(struct recorder *r)
{
	int got;

	r->sweep_due_us = r->status_due_us = INT64_MAX;
	r->since_wall_us = clock_wall_us();
	r->engine.sink = sink;
	r->engine.sink_ctx = r;
	got = begin(r);
	if (!got)
		got = add_sources(r);
	if (got)
		return got;
	report_write(r, clock_boot_us());
	sd_notify(0, "READY=1");
	while (!r->stopping && !got)
		got = one_round(r);
	sd_notify(0, "STOPPING=1");
	return got ? got : end(r);
}
