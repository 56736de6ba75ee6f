/*
 * Files that the policy wants unreadable, and those that an administrator's order makes readable again: one after the
 * other, each by a child that may wait for its medium (seal.h). Called by written.c and desk.c; each end is a record.
 *
 * The child is the guard itself behind a fork, with two of its capabilities and what it needs open; what it says comes
 * through a pipe as one struct. One that ends without having said it was killed, or took itself along: then the copy of
 * the file that it was at work with stays in the folder, and it is gone on with later (written_cut.c). The descriptor
 * of a file that waits keeps its drive busy.
 */
#include "agent/guard/written.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define FOLDER "/var/lib/sekisho/quarantine"
#define AGAIN_US 2000000ll    /* until one that is open for writing is tried again */
#define INSIST_US 60000000ll  /* then it is done all the same */
#define COPY_WAIT_US 500000ll /* until it is asked again whether others are done with it */
#define OTHERS_MAX (2ull << 30)
#define KEPT (CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_LEASE))

/* --- tasks --- */

static void task_free(struct written_task *t)
{
	closep(&t->fd);
	secret_wipe(&t->order.secret, sizeof(t->order.secret));
	free(t->path);
	free(t);
}

/* Sorts by time, and no other one has it. */
static void name_copy(struct written_task *t)
{
	static unsigned counter;
	time_t at = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;
	char text[32];

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(t->copy, sizeof(t->copy), "%s-%d-%u", text, (int)getpid(), ++counter % 1000000);
}

static struct written_task *task_new(const char *path, bool opens)
{
	struct written_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fd = -1;
	t->opens = opens;
	t->path = strdup(path);
	if (!t->path) {
		free(t);
		return NULL;
	}
	name_copy(t);
	t->begun_awake_us = t->due_awake_us = clock_awake_us();
	return t;
}

static void put(struct guard *g, struct written_task *t)
{
	struct written_hand *h = &g->written->hand;

	*h->last = t;
	h->last = &t->next;
	*(t->opens ? &h->opens_n : &h->seals_n) += 1;
	written_hand_run(g, clock_awake_us());
}

/* It is the first one while it is at work. */
static void put_first(struct written_hand *h, struct written_task *t)
{
	t->next = h->first;
	h->first = t;
	if (!t->next)
		h->last = &t->next;
	*(t->opens ? &h->opens_n : &h->seals_n) += 1;
}

static void take(struct written_hand *h, struct written_task *t)
{
	struct written_task **at = &h->first;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (!*at)
		h->last = at;
	t->next = NULL;
	*(t->opens ? &h->opens_n : &h->seals_n) -= 1;
}

/* --- its end --- */

static void show(struct guard *g, const struct written_task *t, bool done)
{
	struct disk *disk = NULL;
	struct unit *u = unit_by_disk(g, t->device, &disk);
	const struct person *p = person_of(g, u);
	struct document_decision d = t->decided;

	if (!u || !p->there)
		return;
	/* Each release is told of. */
	if (t->opens)
		snprintf(d.rule, sizeof(d.rule), "opened:%.60s", t->copy);
	notify_written(g->notify,
		t->opens ? done ? NOTICE_OPENED : NOTICE_NOT_OPENED
		: done   ? NOTICE_SEALED
			 : NOTICE_WRITTEN,
		&u->device, disk ? &disk->decided : NULL, &d, p->uid);
}

static void say(struct guard *g, const struct written_task *t, const struct seal_result *r)
{
	bool done = r->verdict == SEAL_DONE;
	unsigned cause = done && !r->kept ? 0 : done ? CAUSE_KEPT_HERE : t->opens ? CAUSE_NOT_OPENED : CAUSE_NOT_SEALED;

	if (cause)
		log_warning("quarantine: %s", r->text[0] ? r->text : "not done");
	tell_hand(g, t, r, cause);
	show(g, t, done);
}

static void end(struct guard *g, struct written_task *t, const struct seal_result *r)
{
	if (r->verdict != SEAL_ABSENT && !written_cut_said(g, t, r))
		say(g, t, r);
	if (!t->opens)
		written_cut_end(g, t, r);
	take(&g->written->hand, t);
	task_free(t);
}

static void end_undone(struct guard *g, struct written_task *t, const char *text)
{
	struct seal_result r = {.verdict = SEAL_REFUSED};

	snprintf(r.text, sizeof(r.text), "%s", text);
	end(g, t, &r);
}

static void heard(struct guard *g)
{
	struct written_hand *h = &g->written->hand;
	struct written_task *t = h->first;
	struct seal_result *r = &h->result;

	h->source = sd_event_source_disable_unref(h->source);
	closep(&h->answer);
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
	if (h->got != sizeof(*r)) {
		*r = (struct seal_result){.verdict = SEAL_BROKEN, .kept = true};
		snprintf(r->text, sizeof(r->text),
			"it was ended at its work: what the file held is whole in it, or in the copy");
	}
	if (t->resumes) {
		t->dev = r->dev;
		t->ino = r->ino;
	}
	if (r->ino)
		h->ours[h->ours_at++ % ARRAY_SIZE(h->ours)] = (struct written_ours){
			.dev = r->dev, .ino = r->ino, .ctime_s = r->ctime_s, .ctime_ns = r->ctime_ns};
	if (r->verdict == SEAL_BUSY && clock_awake_us() - t->begun_awake_us < INSIST_US + 2 * AGAIN_US) {
		/* Others have their turn meanwhile. */
		t->due_awake_us = clock_awake_us() + AGAIN_US;
		take(h, t);
		put(g, t);
		return;
	}
	end(g, t, r);
	written_hand_run(g, clock_awake_us());
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	struct written_hand *h = &g->written->hand;
	ssize_t n = read(fd, (char *)&h->result + h->got, sizeof(h->result) - h->got);

	(void)source;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		h->got += (size_t)n;
	if (n <= 0 || h->got == sizeof(h->result))
		heard(g);
	return 0;
}

/* --- the child --- */

/* What it needs becomes 3, 4 and 5; of all else that is open it has nothing: the files of others keep drives busy. */
static int keep_only(int *file, int *folder, int *answer)
{
	int *const fds[] = {file, folder, answer};
	int above[3], i;

	for (i = 0; i < 3; i++) {
		above[i] = *fds[i] < 0 ? -1 : fcntl(*fds[i], F_DUPFD_CLOEXEC, 6);
		if (*fds[i] >= 0 && above[i] < 0)
			return -errno;
	}
	for (i = 0; i < 3; i++) {
		close(3 + i);
		if (above[i] >= 0 && dup3(above[i], 3 + i, O_CLOEXEC) < 0)
			return -errno;
		if (above[i] >= 0)
			*fds[i] = 3 + i;
	}
	return syscall(SYS_close_range, 6u, ~0u, 0u) ? -errno : 0;
}

int written_hand_folder(bool make)
{
	char path[PATH_MAX];
	int fd, r = agent_path(path, sizeof(path), FOLDER);

	r = r || !make ? r : dir_make(path, 0700);
	fd = r ? r : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return r ? r : fd < 0 ? -errno : fd;
}

static int work(struct guard *g, struct written_task *t, struct seal_result *out, int *answer)
{
	struct written_hand *h = &g->written->hand;
	struct seal_work w = {.copy = t->copy,
		.max_bytes = h->max_bytes,
		.path = t->path,
		.order = &t->order,
		.note = t->note.path[0] ? &t->note : NULL,
		.openers = h->openers,
		.insist = !t->opens && clock_awake_us() - t->begun_awake_us >= INSIST_US};
	int file = t->fd, folder = written_hand_folder(true), r = folder < 0 ? folder : 0;

	r = r ? r : keep_only(&file, &folder, answer);
	r = r ? r : confine_capset(KEPT);
	if (!r && file < 0)
		r = file = seal_find(t->mount, t->path + strlen(t->mount) + 1);
	if (r == -ENOENT && t->resumes) {
		out->verdict = SEAL_ABSENT;
		return 0;
	}
	if (r < 0)
		return r;
	w.file = file;
	w.folder = folder;
	(t->opens ? seal_open : t->resumes ? seal_resume : seal_file)(&w, out);
	return 0;
}

__attribute__((noreturn)) static void child(struct guard *g, struct written_task *t, int answer, pid_t parent)
{
	static struct seal_result out;
	int r;

	/* What is cut off with the guard the next one goes on with (written_cut.c): two would be at one file. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
	r = work(g, t, &out, &answer);
	if (r < 0) {
		out.verdict = SEAL_REFUSED;
		snprintf(out.text, sizeof(out.text), "%s", strerror(-r));
	}
	_exit(write_all(answer, &out, sizeof(out)) != 0);
}

/* The drive whose mount the path begins with; of several the longest. */
static const struct written_place *place_of_path(const struct written *w, const char *path)
{
	const struct written_place *found = NULL;
	unsigned i;

	for (i = 0; i < w->places_n; i++) {
		size_t n = strlen(w->place[i].target);

		if (!w->place[i].fails && !strncmp(path, w->place[i].target, n) && path[n] == '/' && path[n + 1] &&
			(!found || n > strlen(found->target)))
			found = &w->place[i];
	}
	return found;
}

/* By what it is found again, should it be cut off. */
static void note(struct guard *g, struct written_task *t)
{
	const struct written_place *p = place_of_path(g->written, t->path);
	struct seal_note *n = &t->note;

	if (!p || strcmp(p->disk, t->device) != 0 || strlen(t->path) >= sizeof(n->path))
		return;
	snprintf(n->path, sizeof(n->path), "%s", t->path);
	n->mount_n = strlen(p->target);
	written_cut_drive(g, p->disk, n->drive, sizeof(n->drive));
	snprintf(n->rule, sizeof(n->rule), "%s", t->decided.rule);
}

static void begin(struct guard *g, struct written_task *t)
{
	struct written_hand *h = &g->written->hand;
	pid_t parent = getpid();
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		end_undone(g, t, "there is no pipe");
		return;
	}
	if (!t->opens && !t->resumes)
		note(g, t);
	h->got = 0;
	h->pid = fork();
	if (h->pid == 0) {
		fcntl(ends[1], F_SETFL, 0);
		child(g, t, ends[1], parent);
	}
	close(ends[1]);
	h->answer = ends[0];
	r = h->pid < 0 ? -EAGAIN : sd_event_add_io(g->event, &h->source, ends[0], EPOLLIN, on_answer, g);
	if (r < 0) {
		closep(&h->answer);
		if (h->pid < 0) {
			h->pid = 0;
			end_undone(g, t, "there is no other process to be had");
		} else {
			guard_fail(g, r, "quarantine");
		}
	}
}

void written_hand_run(struct guard *g, int64_t now)
{
	struct written_hand *h = &g->written->hand;
	struct written_task *t;

	if (h->pid)
		return;
	for (t = h->first; t; t = t->next) {
		if (t->due_awake_us > now)
			continue;
		/* The auditor's copy is made of what it is now, and what is being looked into is judged anew. */
		if (!t->opens && (written_copies_wait(g, t->dev, t->ino) || written_looks(g, t->dev, t->ino))) {
			t->due_awake_us = now + COPY_WAIT_US;
			continue;
		}
		take(h, t);
		put_first(h, t);
		begin(g, t);
		return;
	}
}

int64_t written_hand_due(const struct guard *g)
{
	const struct written_hand *h = &g->written->hand;
	const struct written_task *t;
	int64_t due = INT64_MAX;

	for (t = h->pid ? NULL : h->first; t; t = t->next)
		if (t->due_awake_us < due)
			due = t->due_awake_us;
	return due;
}

/* --- what is asked of it --- */

static struct written_task *waiting(struct written_hand *h, dev_t dev, ino_t ino)
{
	struct written_task *t;

	for (t = h->first; t; t = t->next)
		if (!t->opens && !t->resumes && t->dev == dev && t->ino == ino && !(h->pid && t == h->first))
			return t;
	return NULL;
}

void written_unseal(struct guard *g, const struct written_file *f)
{
	struct written_hand *h = &g->written->hand;
	struct written_task *t = waiting(h, f->dev, f->ino);

	if (t) {
		take(h, t);
		task_free(t);
	}
}

void written_seal(struct guard *g, const struct written_file *f, const char *path, const struct document_decision *d)
{
	struct written_hand *h = &g->written->hand;
	struct written_task *t = waiting(h, f->dev, f->ino);

	if (t) {
		char *now = strdup(path);

		if (now) {
			free(t->path);
			t->path = now;
		}
		t->decided = *d;
		return;
	}
	t = task_new(path, false);
	if (!t) {
		guard_fail(g, -ENOMEM, "quarantine");
		return;
	}
	t->dev = f->dev;
	t->ino = f->ino;
	t->decided = *d;
	snprintf(t->device, sizeof(t->device), "%s", f->device);
	t->fd = h->openers && h->seals_n < WRITTEN_TASKS_MAX ? fcntl(f->fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (t->fd >= 0) {
		put(g, t);
		return;
	}
	/* Its end takes it out. */
	put_first(h, t);
	end_undone(g, t, h->openers ? "too many files wait to be made unreadable" : "nobody has said for whom");
}

bool written_hand_has(const struct guard *g, dev_t dev, ino_t ino)
{
	const struct written_hand *h = &g->written->hand;

	return h->pid && !h->first->opens && h->first->dev == dev && h->first->ino == ino;
}

bool written_hand_left(const struct guard *g, int fd)
{
	const struct written_hand *h = &g->written->hand;
	struct stat st;
	size_t i;

	if (written_stat(fd, &st))
		return false;
	for (i = 0; i < ARRAY_SIZE(h->ours); i++)
		if (h->ours[i].ino == st.st_ino && h->ours[i].dev == st.st_dev &&
			h->ours[i].ctime_s == st.st_ctim.tv_sec && h->ours[i].ctime_ns == st.st_ctim.tv_nsec)
			return true;
	return false;
}

int written_release(struct guard *g, const char *path, struct span order, struct why *why)
{
	const struct written_place *p = g->written->on ? place_of_path(g->written, path) : NULL;
	struct written_task *t;
	struct sealed_order o;
	int r;

	r = sealed_order_open(order, &g->orders.admins, orders_now(g), &o, why);
	if (r)
		return r;
	if (!p)
		return WHY_BOTH(why, V_NOT_FOUND, "not on a drive whose files are looked into here",
			"この PC が検査しているドライブ上のファイルではありません");
	if (g->written->hand.opens_n == WRITTEN_ORDERS_MAX)
		return WHY_BOTH(why, V_FULL, "others wait already", "他の解除を待っています");
	t = task_new(path, true);
	if (!t)
		return -ENOMEM;
	snprintf(t->device, sizeof(t->device), "%s", p->disk);
	snprintf(t->mount, sizeof(t->mount), "%s", p->target);
	t->order = o;
	secret_wipe(&o, sizeof(o));
	put(g, t);
	return 0;
}

void written_hand_resume(struct guard *g, const struct written_cut *c, const struct written_place *p)
{
	const char *below = c->note.path + c->note.mount_n;
	struct written_task *t;
	char path[PATH_MAX + SEAL_PATH_SIZE];

	snprintf(path, sizeof(path), "%s%s", p->target, below);
	t = task_new(path, false);
	if (!t) {
		guard_fail(g, -ENOMEM, "quarantine");
		return;
	}
	t->resumes = true;
	t->note = c->note;
	snprintf(t->copy, sizeof(t->copy), "%s", c->copy);
	snprintf(t->device, sizeof(t->device), "%s", p->disk);
	snprintf(t->mount, sizeof(t->mount), "%s", p->target);
	snprintf(t->decided.rule, sizeof(t->decided.rule), "%s", c->note.rule);
	put(g, t);
}

void written_hand_order(struct guard *g)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *openers = NULL;
	struct written_hand *h = &g->written->hand;
	struct drives_quarantine q;
	struct why why = {""};
	bool on = policy_drives_quarantine(g->orders.policy, &q);
	int r = on ? envelope_readers_read(q.openers, &openers, &why) : 0;

	if (r)
		log_error(
			"files cannot be made unreadable: %s", why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
	/* What another policy sealed can be opened under one that seals nothing. */
	h->max_bytes = on ? q.max_bytes : OTHERS_MAX;
	envelope_readers_free(h->openers);
	h->openers = STEAL(openers);
}

void written_hand_stop(struct guard *g)
{
	struct written_hand *h = &g->written->hand;
	const struct seal_result undone = {.verdict = SEAL_REFUSED, .text = "the guard stopped before"};
	const struct seal_result at_work = {
		.verdict = SEAL_BROKEN, .kept = true, .text = "the guard stopped while it was at work with it"};
	struct written_task *t;

	for (t = h->first; t; t = t->next)
		tell_hand(g, t, h->pid && t == h->first ? &at_work : &undone,
			t->opens ? CAUSE_NOT_OPENED : CAUSE_NOT_SEALED);
}

void written_hand_close(struct guard *g)
{
	struct written_hand *h = &g->written->hand;
	struct written_task *t;

	while ((t = h->first)) {
		h->first = t->next;
		task_free(t);
	}
	sd_event_source_disable_unref(h->source);
	closep(&h->answer);
	envelope_readers_free(h->openers);
}
