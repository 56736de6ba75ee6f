/*
 * The status file: when it is written, and from what. Called by the loop, after seals, at most once a second, and at
 * stop. A status that cannot be written is a warning, never an end of recording.
 */
#include "agent/recorder/recorder.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>

#define STATUS_EVERY_US 1000000

unsigned report_enforce(const struct recorder *r)
{
	return probe_enforce_of(r->probe);
}

static void fill_status(const struct recorder *r, int64_t now, struct status *s)
{
	double seconds = (double)(now - r->status_last.boot_us) / 1e6;

	*s = (struct status){
		.probe_set = probe_set_of(r->probe),
		.enforce = report_enforce(r),
		.running = !r->stopping,
		.since_wall_us = r->since_wall_us,
		.now_wall_us = clock_wall_us(),
		.events = r->engine.events,
		.filtered = r->engine.filtered,
		.malformed = r->engine.malformed,
		.processes = processes_kept(r->processes),
		.names = names_kept(r->names),
		.devices = devices_kept(r->devices),
		.processes_evicted = processes_evicted(r->processes),
		.names_refused = names_refused(r->names),
		.devices_evicted = devices_evicted(r->devices),
		.sessions = r->logind       ? "logind"
			    : r->utmp_watch ? "utmp"
					    : "none",
		.filter_why = r->filter_why.text[0] ? r->filter_why.text : NULL,
		.filter_note = r->filter_note[0] ? r->filter_note : NULL,
	};
	if (seconds > 0)
		s->events_per_s = (double)(r->engine.events - r->status_last.events) / seconds;
	if (r->logind)
		s->sessions_refused = logind_watch_refused(r->logind);
	else if (r->utmp_watch)
		s->sessions_refused = utmp_watch_refused(r->utmp_watch);
	copies_stats(r->copies, &s->copies);
	sealer_stats(r->sealer, &s->sealer);
}

/* Where the folder is not ours, the file in it is: it is written in place, so that a reader may have to read again. */
static int write_in_place(int fd, struct span text)
{
	ssize_t n = pwrite(fd, text.p, text.n, 0);

	if (n < 0 || (size_t)n != text.n)
		return n < 0 ? -errno : -EIO;
	return ftruncate(fd, (off_t)text.n) ? -errno : 0;
}

void report_write(struct recorder *r, int64_t now)
{
	static struct log_limit limit = LOG_LIMIT(1);
	_cleanup_buf_ struct buf text = BUF_INIT(64u << 10);
	struct status s;
	int got;

	fill_status(r, now, &s);
	r->status_due_us = INT64_MAX;
	r->status_last.boot_us = now;
	r->status_last.segments = s.sealer.segments;
	r->status_last.events = s.events;
	got = status_json(&s, &text);
	if (!got)
		got = r->status_fd >= 0 ? write_in_place(r->status_fd, buf_span(&text))
					: file_replace_volatile(r->status_path, buf_span(&text), 0644);
	if (got && log_allowed(&limit))
		log_warning("status %s cannot be written: %s", r->status_path, strerror(got < 0 ? -got : EFBIG));
}

void report_if_sealed(struct recorder *r, int64_t now)
{
	struct sealer_stats s;

	sealer_stats(r->sealer, &s);
	if (s.segments == r->status_last.segments)
		return;
	if (now - r->status_last.boot_us >= STATUS_EVERY_US)
		report_write(r, now);
	else
		r->status_due_us = r->status_last.boot_us + STATUS_EVERY_US;
}
