/*
 * What is read from removable drives is scanned by ClamAV, where the policy says so (`drives: scan`): each file that
 * was closed behind reading is sent to clamd, once for as long as it stays as it is. A signature that is found is a
 * record, and so is it that files could not be scanned, with how many. Called by written.c and written_watch.c.
 *
 * Nobody waits for it: a file has been read by the time that it is scanned. One is scanned at a time, by a child that
 * is ended when its time is up; a drive is busy for an unmount no longer than SCAN_US and WAIT_US.
 */
#include "agent/guard/written.h"
#include "policy/base/clamd.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SCAN_US (30ll * 1000000)  /* a scan ends */
#define WAIT_US (15ll * 1000000)  /* what has not had its turn by then is counted as not scanned */
#define REAP_US (1ll * 1000000)   /* between two looks for children that had not ended */
#define TELL_US (300ll * 1000000) /* between two records of files that were not scanned, for one cause */

static const unsigned causes[SCAN_CAUSES] = {
	[SCAN_GONE] = CAUSE_SCANNER_GONE, [SCAN_WRONG] = CAUSE_SCANNER_FAILED, [SCAN_TOO_MUCH] = CAUSE_SCANNER_BUSY};

static void file_free(struct scan_file *f)
{
	closep(&f->as.fd);
	free(f);
}

/* --- what was not scanned --- */

static void tell_due(struct guard *g, int64_t now, bool all)
{
	struct written_scan *s = &g->written->scan;
	unsigned i;

	for (i = 0; i < SCAN_CAUSES; i++) {
		if (!s->missed[i].n || (!all && s->missed[i].told_us && now < s->missed[i].told_us + TELL_US))
			continue;
		tell_scan_missed(g, causes[i], s->missed[i].n, s->missed[i].text);
		s->missed[i].n = 0;
		s->missed[i].told_us = now;
		g->status_boot_us = 0;
	}
}

static void missed(struct guard *g, enum scan_cause cause, const char *text)
{
	struct written_scan *s = &g->written->scan;

	if (!s->missed[cause].n)
		snprintf(s->missed[cause].text, sizeof(s->missed[cause].text), "%s", text);
	s->missed[cause].n++;
	s->missed_all++;
	tell_due(g, clock_awake_us(), false);
}

/* --- one file --- */

static bool same(const struct scan_seen *a, const struct scan_seen *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->size == b->size && a->mtime_s == b->mtime_s &&
	       a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

static bool was_scanned(const struct written_scan *s, const struct scan_seen *now)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(s->seen); i++)
		if (same(&s->seen[i], now))
			return true;
	return false;
}

static void scanned(struct guard *g, const struct scan_file *f, enum clamd_verdict verdict, const char *name)
{
	struct written_scan *s = &g->written->scan;

	/* What is found or failed is in the status from the loop's next turn on. */
	if (verdict == CLAMD_NONE || verdict == CLAMD_FAILED) {
		missed(g, SCAN_WRONG, name[0] ? name : "clamd gave no answer");
		g->status_boot_us = 0;
		return;
	}
	s->seen[s->seen_at++ % ARRAY_SIZE(s->seen)] = f->seen;
	s->files++;
	if (verdict != CLAMD_FOUND)
		return;
	s->found++;
	g->status_boot_us = 0;
	tell_malware(g, &f->as, f->seen.size, name);
}

/* Those that have ended since. How many have not. */
static unsigned reap(struct written_scan *s)
{
	unsigned i, n = 0;

	for (i = 0; i < ARRAY_SIZE(s->left); i++) {
		if (s->left[i] > 0 && waitpid(s->left[i], NULL, WNOHANG) != 0)
			s->left[i] = 0;
		n += s->left[i] > 0;
	}
	return n;
}

/*
 * The child goes, whatever it does. One that waits for a drive that does not answer (state D) ends when the kernel lets
 * it: the guard waits for no drive, so it comes back for it. There is a place, as begin() saw to that.
 */
static void end_child(struct written_scan *s)
{
	unsigned i;

	if (s->pid <= 0)
		return;
	kill(s->pid, SIGKILL);
	for (i = 0; i < ARRAY_SIZE(s->left); i++)
		if (s->left[i] <= 0) {
			s->left[i] = s->pid;
			break;
		}
	s->pid = 0;
	reap(s);
}

static void end(struct guard *g)
{
	struct written_scan *s = &g->written->scan;
	struct scan_file *f = s->busy;
	char name[CLAMD_NAME_MAX];
	enum clamd_verdict verdict = clamd_answer(SPAN(s->answer, s->got), name);

	s->source = sd_event_source_disable_unref(s->source);
	closep(&s->out);
	end_child(s);
	s->busy = NULL;
	if (s->late)
		snprintf(name, sizeof(name), "clamd took longer than %d s", (int)(SCAN_US / 1000000));
	scanned(g, f, s->late ? CLAMD_NONE : verdict, name);
	file_free(f);
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	struct written_scan *s = &g->written->scan;
	ssize_t n = read(fd, s->answer + s->got, sizeof(s->answer) - s->got);

	(void)source;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		s->got += (size_t)n;
	if (n > 0 && s->got < sizeof(s->answer))
		return 0;
	end(g);
	written_scan_run(g, clock_awake_us());
	return 0;
}

static int connect_clamd(const struct guard *g)
{
	char path[PATH_MAX];

	return agent_path(path, sizeof(path), g->conf.clamd_socket) ? -ENAMETOOLONG : clamd_connect(path);
}

/* 0: it is being scanned. */
static int begin(struct guard *g, struct scan_file *f)
{
	_cleanup_close_ int clamd = connect_clamd(g);
	struct written_scan *s = &g->written->scan;
	int ends[2], r;

	if (reap(s) == ARRAY_SIZE(s->left)) {
		missed(g, SCAN_TOO_MUCH, "earlier scans wait for a drive that does not answer");
		return V_FULL;
	}
	s->up = clamd >= 0;
	if (clamd < 0) {
		missed(g, SCAN_GONE, strerror(-clamd));
		return V_NOT_FOUND;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	s->got = 0;
	s->late = false;
	s->pid = fork();
	if (s->pid == 0)
		scan_child(f->as.fd, clamd, ends[1], policy_drives_max_bytes(g->orders.policy));
	close(ends[1]);
	s->out = ends[0];
	r = s->pid < 0 ? -EAGAIN : sd_event_add_io(g->event, &s->source, s->out, EPOLLIN, on_answer, g);
	if (r < 0) {
		end_child(s);
		s->pid = 0;
		closep(&s->out);
		missed(g, SCAN_TOO_MUCH, "there is no other process to be had");
		return r;
	}
	s->busy = f;
	s->end_awake_us = clock_awake_us() + SCAN_US;
	return 0;
}

static struct scan_file *take_first(struct written_scan *s)
{
	struct scan_file *f = s->waiting;

	s->waiting = f->next;
	if (!s->waiting)
		s->last = &s->waiting;
	s->waiting_n--;
	return f;
}

void written_scan_run(struct guard *g, int64_t now)
{
	struct written_scan *s = &g->written->scan;
	struct scan_file *f;

	if (s->busy && now >= s->end_awake_us) {
		s->late = true;
		end(g);
	}
	if (now >= s->reap_awake_us) {
		reap(s);
		s->reap_awake_us = now + REAP_US;
	}
	while (!s->busy && s->waiting) {
		f = take_first(s);
		if (was_scanned(s, &f->seen)) {
			file_free(f);
		} else if (now - f->as.closed_awake_us > WAIT_US) {
			missed(g, SCAN_TOO_MUCH, "more files were read than could be scanned in time");
			file_free(f);
		} else if (begin(g, f)) {
			file_free(f);
		}
	}
	tell_due(g, now, false);
}

int64_t written_scan_due(const struct guard *g)
{
	const struct written_scan *s = &g->written->scan;
	int64_t due = s->busy ? s->end_awake_us : INT64_MAX;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(s->left); i++)
		if (s->left[i] > 0 && s->reap_awake_us < due)
			due = s->reap_awake_us;

	for (i = 0; i < SCAN_CAUSES; i++)
		if (s->missed[i].n && s->missed[i].told_us + TELL_US < due)
			due = s->missed[i].told_us + TELL_US;
	return due;
}

void written_scan(struct guard *g, const struct written_file *file)
{
	struct written_scan *s = &g->written->scan;
	struct scan_file *f;
	struct stat st;

	f = s->on && !written_stat(file->fd, &st) ? malloc(sizeof(*f)) : NULL;
	if (!f) {
		close(file->fd);
		return;
	}
	*f = (struct scan_file){.as = *file,
		.seen = {.dev = st.st_dev,
			.ino = st.st_ino,
			.size = (uint64_t)st.st_size,
			.mtime_s = st.st_mtim.tv_sec,
			.mtime_ns = st.st_mtim.tv_nsec,
			.ctime_s = st.st_ctim.tv_sec,
			.ctime_ns = st.st_ctim.tv_nsec}};
	if (was_scanned(s, &f->seen)) {
		file_free(f);
	} else if (f->seen.size > policy_drives_max_bytes(g->orders.policy)) {
		missed(g, SCAN_TOO_MUCH, "larger than the policy's max_mib");
		file_free(f);
	} else if (s->waiting_n == SCAN_WAITING_MAX) {
		missed(g, SCAN_TOO_MUCH, "more files were read than could be scanned in time");
		file_free(f);
	} else {
		*s->last = f;
		s->last = &f->next;
		s->waiting_n++;
		written_scan_run(g, clock_awake_us());
	}
}

void written_scan_order(struct guard *g)
{
	struct written_scan *s = &g->written->scan;
	int fd;

	s->on = policy_drives_scan(g->orders.policy);
	/* What changed since with the signatures is found at the next policy, too. */
	memset(s->seen, 0, sizeof(s->seen));
	if (!s->on)
		return;
	fd = connect_clamd(g);
	s->up = fd >= 0;
	if (fd < 0)
		log_warning("%s: clamd does not answer: %s; what is read from drives is not scanned",
			g->conf.clamd_socket, strerror(-fd));
	closep(&fd);
}

json_t *written_scan_json(const struct guard *g)
{
	const struct written_scan *s = g->written ? &g->written->scan : NULL;

	return s && s->on ? json_pack("{s:b, s:s, s:I, s:I, s:I}", "up", s->up, "socket", g->conf.clamd_socket, "files",
				    (json_int_t)s->files, "found", (json_int_t)s->found, "missed",
				    (json_int_t)s->missed_all)
			  : json_null();
}

void written_scan_stop(struct guard *g)
{
	struct written_scan *s = &g->written->scan;
	const struct scan_file *f;

	if (s->busy)
		missed(g, SCAN_TOO_MUCH, "the guard stopped");
	for (f = s->waiting; f; f = f->next)
		missed(g, SCAN_TOO_MUCH, "the guard stopped");
	tell_due(g, clock_awake_us(), true);
}

void written_scan_close(struct guard *g)
{
	struct written_scan *s = &g->written->scan;

	sd_event_source_disable_unref(s->source);
	closep(&s->out);
	end_child(s);
	if (s->busy)
		file_free(STEAL(s->busy));
	while (s->waiting)
		file_free(take_first(s));
}
