/*
 * What is written to removable drives is looked into: each file that was closed behind writing is given to the
 * inspector (agent/inspect), judged by the policy's section `drives:`, and a record; who is at the PC is told where the
 * policy wants that. Called by loop.c and orders.c; which file systems are watched is written_watch.c's.
 *
 * Nobody waits for any of this. What can be felt is that a drive is busy for an unmount while one of its files is held
 * open here: LOOK_MS and WAIT_US bound that. Nothing of a file is read in this process.
 */
#include "agent/guard/written.h"
#include "agent/inspect/numbers.h"
#include "agent/service/word.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/resource.h>

#define SETTLE_US 200000ll              /* behind a close: programs that open and close a file again and again */
#define SETTLE_MAX_US 1000000ll         /* behind the first close: no longer, whoever goes on closing it */
#define AGAIN_US 3000000ll              /* between two looks into the same file */
#define WAIT_US (15ll * 1000000)        /* what has not had its turn by then is told without having been looked into */
#define LOOK_MS 10000u                  /* a look ends */
#define WAIT_CLOUD_US (120ll * 1000000) /* the same where no drive is kept busy by it */
#define NAME_US 60000000ll              /* for so long a user's name is not asked for again */
#define DESCRIPTORS (2u * WRITTEN_WAITING_MAX + WRITTEN_TASKS_MAX + SCAN_WAITING_MAX)

/* --- judging --- */

static void fill(struct guard *g, const struct written_file *f, const struct person *p, const char *path, uint64_t size,
	const struct inspect_facts *d, struct drive_facts *out)
{
	unsigned i;

	*out = (struct drive_facts){.who = {.user = p->there ? p->name : NULL,
					    .groups = p->groups,
					    .host = g->host,
					    .wall_us = orders_now(g)},
		.path = path,
		.format = inspect_format_name(d->format),
		.size = size,
		.readable = inspect_text_read(d)};
	out->cloud = f->cloud;
	for (i = 0; i < NUMBERS; i++)
		out->numbers[i] = d->found[find_kind_of((enum print_number)i)].sure;
	for (i = 0; i < PRINT_PATTERNS_MAX && i < INSPECT_PATTERNS_MAX; i++)
		out->matches[i] = d->matches[i];
	known_of(g->orders.policy, d, out->known);
}

/* As it is called now: what was written beside and renamed over it has its last name. */
static bool name_of(const struct written_file *f, char out[WRITTEN_PATH_SIZE])
{
	static const char gone[] = " (deleted)";
	char link[32];
	struct stat st;
	ssize_t n;

	if (f->fd < 0) {
		snprintf(out, WRITTEN_PATH_SIZE, "%s", f->named ? f->named : "");
		return true;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", f->fd);
	n = readlink(link, out, WRITTEN_PATH_SIZE - 1);
	out[n > 0 ? n : 0] = 0;
	if (written_stat(f->fd, &st) || st.st_nlink)
		return true;
	if ((size_t)n > sizeof(gone) && !strcmp(out + n - (sizeof(gone) - 1), gone))
		out[n - (ssize_t)(sizeof(gone) - 1)] = 0;
	return false;
}

/*
 * Of a drive it is who sits before it, whatever program wrote; a cloud folder is somebody's, who may be signed in by
 * ssh. His groups are not asked for each file: a rule for a group fits who is at the PC.
 */
static const struct person *writer_of(struct guard *g, const struct written_file *f, const struct unit *u)
{
	static struct person one;
	static int64_t asked_us;
	const struct person *p = person_of(g, u);
	uint32_t uid = f->login_uid != UINT32_MAX ? f->login_uid : f->uid != UINT32_MAX ? f->uid : f->owner_uid;

	if (!f->cloud || (p->there && p->uid == uid))
		return p;
	/* Name services may be slow: not for each file of one person. */
	if (one.there && one.uid == uid && clock_awake_us() - asked_us < NAME_US)
		return &one;
	memset(&one, 0, sizeof(one));
	one.there = true;
	one.uid = uid;
	person_name(g, uid, one.name);
	asked_us = clock_awake_us();
	return &one;
}

/*
 * Who is to say why: who wrote it, by his sign-in or his process; of what a system program wrote, or one that had ended
 * already (cp's last close is its last act), who is at the PC. Nobody there, and it had ended: whose the file is.
 */
static bool asked(const struct written_file *f, const struct person *p, uint32_t *uid)
{
	*uid = f->login_uid != UINT32_MAX ? f->login_uid : f->uid;
	if (*uid != UINT32_MAX && (*uid || f->login_uid != UINT32_MAX))
		return true;
	*uid = p->there ? p->uid : f->owner_uid;
	return p->there || (f->uid == UINT32_MAX && f->owner_uid);
}

static void judge(struct guard *g, const struct written_file *f, const struct inspect_facts *d)
{
	struct disk *disk = NULL;
	struct unit *u = unit_by_disk(g, f->device, &disk);
	const struct person *p = writer_of(g, f, u);
	static char path[WRITTEN_PATH_SIZE];
	char copy[WRITTEN_COPY_NAME_SIZE];
	bool there = name_of(f, path);
	struct document_decision decided;
	struct drive_facts facts;
	struct stat st = {.st_size = 0};
	uint64_t size = d->has_hash ? d->bytes : f->fd >= 0 && !written_stat(f->fd, &st) ? (uint64_t)st.st_size : 0;
	uint32_t uid;

	fill(g, f, p, path, size, d, &facts);
	policy_drive(g->orders.policy, &facts, &decided);
	g->written->files++;
	g->written->alerts += decided.action == ACTION_ALERT || decided.action == ACTION_QUARANTINE;
	if (f->fd < 0)
		decided.copy = false;
	if (decided.copy)
		written_copies_name(g, f, copy);
	tell_written(g, f, path, !there, size, d, &facts, &decided, decided.copy ? copy : NULL);
	written_look_tell(g, f, d);
	if (decided.copy)
		written_copy(g, f, path, copy, f->cloud ? facts.who.user : NULL, &decided);
	/* It is its owner's own file, on the PC's own disk. */
	if (f->cloud) {
		if (decided.action == ACTION_ALERT && !decided.note && p->there)
			notify_cloud(g->notify, path, &decided, p->uid);
		return;
	}
	if (decided.action == ACTION_QUARANTINE && !decided.note)
		written_seal(g, f, path, &decided);
	else
		written_unseal(g, f);
	if (decided.action == ACTION_ALERT && !decided.note && u && p->there && !decided.ask_reason)
		notify_written(g->notify, NOTICE_WRITTEN, &u->device, disk ? &disk->decided : NULL, &decided, p->uid);
	if (!decided.ask_reason || decided.note || !asked(f, p, &uid))
		return;
	reasons_ask(g, f, path, d->has_hash ? &d->hash : NULL, decided.rule, uid);
	if (u)
		notify_written(g->notify, NOTICE_ASKED, &u->device, disk ? &disk->decided : NULL, &decided, uid);
}

static void judge_unread(struct guard *g, const struct written_file *f, enum inspect_cause cause, const char *detail)
{
	struct inspect_facts none;

	inspect_nothing(&none, cause, detail);
	g->written->missed++;
	judge(g, f, &none);
}

/* --- its life --- */

static void file_free(struct written_file *f)
{
	sd_event_source_disable_unref(f->source);
	inspect_job_free(f->job);
	closep(&f->fd);
	free(f->named);
	free(f);
}

static void remember_look(struct written *w, const struct written_file *f)
{
	unsigned i = w->looked_at++ % ARRAY_SIZE(w->looked);

	w->looked[i].dev = f->dev;
	w->looked[i].ino = f->ino;
	w->looked[i].awake_us = clock_awake_us();
}

static int64_t last_look(const struct written *w, const struct written_file *f)
{
	int64_t last = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(w->looked); i++)
		if (w->looked[i].dev == f->dev && w->looked[i].ino == f->ino && w->looked[i].awake_us > last)
			last = w->looked[i].awake_us;
	return last;
}

static void run(struct guard *g);

static int on_found(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	struct written *w = g->written;
	struct written_file **at, *f;

	(void)source;
	(void)events;
	if (inspect_is_gone(w->inspect)) {
		guard_fail(g, -EPIPE, "the inspector is gone");
		return 0;
	}
	for (at = &w->busy; *at && inspect_job_fd((*at)->job) != fd; at = &(*at)->next)
		;
	f = *at;
	if (!f || inspect_job_step(f->job) == V_AGAIN)
		return 0;
	*at = f->next;
	w->busy_n--;
	w->busy_cloud_n -= f->cloud;
	judge(g, f, inspect_job_facts(f->job));
	remember_look(w, f);
	file_free(f);
	run(g);
	return 0;
}

bool written_looks(const struct guard *g, dev_t dev, ino_t ino)
{
	const struct written_file *f;

	for (f = g->written->busy; f; f = f->next)
		if (f->dev == dev && f->ino == ino)
			return true;
	return false;
}

static int begin(struct guard *g, struct written_file *f)
{
	struct inspect_ask ask = {.text = true, .time_ms = LOOK_MS};
	struct policy_ocr ocr;
	struct why why = {""};
	int r;

	policy_drives_ocr(g->orders.policy, &ocr);
	if (ocr.on)
		ask.ocr = (struct inspect_ocr){
			.document_ms = (uint32_t)ocr.seconds * 1000, .hour_ms = (uint32_t)ocr.seconds_per_hour * 1000};
	ask.patterns = policy_drives_patterns(g->orders.policy, &ask.pattern);
	ask.known = g->written->known;
	written_look_begin(f);
	r = inspect_begin(g->written->inspect, f->fd, &ask, &f->job, &why);
	if (r == V_BAD)
		log_error("an expression of the policy is none: %s", why.text);
	return r ? r : sd_event_add_io(g->event, &f->source, inspect_job_fd(f->job), EPOLLIN, on_found, g);
}

static bool too_large(const struct guard *g, int fd)
{
	struct stat st;

	return !written_stat(fd, &st) && (uint64_t)st.st_size > policy_drives_max_bytes(g->orders.policy);
}

static void look(struct guard *g, struct written_file *f)
{
	struct written *w = g->written;
	int r;

	if (!w->inspect) {
		judge_unread(g, f, INSPECT_GONE, "");
	} else if (too_large(g, f->fd)) {
		judge_unread(g, f, INSPECT_TOO_BIG, "larger than the policy's max_mib");
	} else if ((r = begin(g, f)) == 0) {
		f->next = w->busy;
		w->busy = f;
		w->busy_n++;
		w->busy_cloud_n += f->cloud;
		return;
	} else if (r == -EPIPE) {
		guard_fail(g, r, "the inspector is gone");
		judge_unread(g, f, INSPECT_GONE, "");
	} else {
		judge_unread(g, f, r == V_BAD ? INSPECT_NOT_LOOKED_AT : INSPECT_BUSY, "");
	}
	file_free(f);
}

static struct written_file *take_first(struct written *w, struct written_file **at)
{
	struct written_file *f = *at;

	*at = f->next;
	if (!*at)
		w->last = at;
	f->next = NULL;
	w->waiting_n--;
	w->waiting_cloud_n -= f->cloud;
	return f;
}

static int64_t patience(const struct written_file *f)
{
	return f->cloud ? WAIT_CLOUD_US : WAIT_US;
}

/* One of the places is kept for drives, which are busy for an unmount until their files were looked into. */
static bool has_place(const struct written *w, const struct written_file *f)
{
	return w->busy_n < WRITTEN_AT_ONCE && (!f->cloud || w->busy_cloud_n < WRITTEN_AT_ONCE - 1);
}

/* What has waited too long is told, what is due begins; but of what we are at work with ourselves. */
static void run(struct guard *g)
{
	struct written *w = g->written;
	int64_t now = clock_awake_us();
	struct written_file **at = &w->waiting;

	while (*at) {
		if (written_hand_has(g, (*at)->dev, (*at)->ino)) {
			(*at)->closed_awake_us = now;
			(*at)->due_awake_us = now + SETTLE_US;
			at = &(*at)->next;
		} else if (now >= (*at)->due_awake_us && written_hand_left(g, (*at)->fd)) {
			file_free(take_first(w, at));
		} else if (now - (*at)->closed_awake_us > patience(*at)) {
			struct written_file *f = take_first(w, at);

			judge_unread(g, f, INSPECT_BUSY, "too many files were written");
			file_free(f);
		} else if (has_place(w, *at) && now >= (*at)->due_awake_us) {
			look(g, take_first(w, at));
		} else {
			at = &(*at)->next;
		}
	}
}

/* As we left it, or at work with it: of our own close, what could not be read would be sealed once more. */
static bool is_ours(const struct guard *g, const struct written_file *f)
{
	return written_hand_has(g, f->dev, f->ino) || written_hand_left(g, f->fd);
}

/*
 * When a file that was closed again is to be looked into. Each close puts it off, but not for ever: what is closed five
 * times a second all day is looked into all the same. It may be half-written then; its last close brings another look,
 * as one that begins while a file is looked into, or behind it, waits anew.
 */
static void renew_due(struct written_file *f, int64_t closed_awake_us)
{
	int64_t due = closed_awake_us + SETTLE_US, latest = f->closed_awake_us + SETTLE_MAX_US;

	due = due < latest ? due : latest;
	if (due > f->due_awake_us)
		f->due_awake_us = due;
}

/* One that waits already is looked into once, as it is then. */
void written_take(struct guard *g, const struct written_file *file)
{
	struct written *w = g->written;
	struct written_file *f;
	int64_t last;

	for (f = w->waiting; f; f = f->next)
		if (f->dev == file->dev && f->ino == file->ino) {
			/* The newer word has the name that it has in the folder, whatever became of the first. */
			close(file->cloud ? f->fd : file->fd);
			f->fd = file->cloud ? file->fd : f->fd;
			renew_due(f, file->closed_awake_us);
			return;
		}
	f = w->waiting_n < WRITTEN_WAITING_MAX && (!file->cloud || w->waiting_cloud_n < WRITTEN_CLOUD_MAX)
		    ? malloc(sizeof(*f))
		    : NULL;
	if (!f) {
		if (!is_ours(g, file))
			judge_unread(g, file, INSPECT_BUSY, "too many files were written");
		close(file->fd);
		return;
	}
	*f = *file;
	last = last_look(w, f);
	f->due_awake_us = f->closed_awake_us + SETTLE_US;
	if (last && last + AGAIN_US > f->due_awake_us)
		f->due_awake_us = last + AGAIN_US;
	f->next = NULL;
	*w->last = f;
	w->last = &f->next;
	w->waiting_n++;
	w->waiting_cloud_n += f->cloud;
}

void written_go_on(struct guard *g)
{
	run(g);
}

void written_unread(struct guard *g, const struct written_file *file, enum inspect_cause cause, const char *detail)
{
	judge_unread(g, file, cause, detail);
}

/* --- the loop --- */

static int on_group(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	int r = written_closes(g, written_take, written_scan);

	(void)source;
	(void)fd;
	(void)events;
	if (r)
		guard_fail(g, r, "files that were written to drives");
	run(g);
	return 0;
}

static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;

	(void)source;
	(void)fd;
	(void)events;
	written_look(g);
	return 0;
}

int64_t written_due(const struct guard *g)
{
	const struct written *w = g->written;
	const struct written_file *f;
	int64_t due = INT64_MAX;

	for (f = w ? w->waiting : NULL; f; f = f->next) {
		int64_t at = has_place(w, f) ? f->due_awake_us : f->closed_awake_us + patience(f);

		if (at < due)
			due = at;
	}
	if (w && written_hand_due(g) < due)
		due = written_hand_due(g);
	return w && written_scan_due(g) < due ? written_scan_due(g) : due;
}

void written_run(struct guard *g, int64_t now)
{
	if (now < written_due(g))
		return;
	run(g);
	written_hand_run(g, now);
	written_scan_run(g, now);
}

void written_look(struct guard *g)
{
	if (!g->written || !g->written->on)
		return;
	written_watch(g);
	written_cut_look(g);
}

static void know(struct guard *g)
{
	struct written *w = g->written;
	int r;

	inspect_known_free(STEAL(w->known));
	r = known_ask(g->orders.policy, &w->known);
	if (r)
		log_error("documents of the policy cannot be looked for: %s", strerror(r < 0 ? -r : EINVAL));
}

void written_order(struct guard *g)
{
	struct written *w = g->written;
	struct policy_ocr ocr;

	if (!w || (!policy_drives(g->orders.policy) && !w->on))
		return;
	w->on = policy_drives(g->orders.policy);
	policy_drives_ocr(g->orders.policy, &ocr);
	if (w->on && ocr.on && w->inspect)
		inspect_prepare_ocr(w->inspect);
	know(g);
	written_copies_order(g);
	written_hand_order(g);
	written_scan_order(g);
	if (w->on && !w->inspect)
		log_error("what is written to drives is not looked into: there is no inspector");
	written_watch(g);
	written_cut_look(g);
}

int written_open(struct guard *g)
{
	struct rlimit files;
	struct why why = {""};
	struct written *w;
	int r;

	g->written = w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->last = &w->waiting;
	w->copies.last = &w->copies.first;
	w->hand.last = &w->hand.first;
	w->scan.last = &w->scan.waiting;
	w->scan.out = -1;
	w->hand.answer = -1;
	w->mounts = w->cloud = w->look = -1;
	w->group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
		O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	if (w->group < 0 && errno == ENOSYS)
		log_error("this kernel does not tell of files that are written to drives");
	else if (w->group < 0)
		return -errno;
	w->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (w->mounts < 0)
		return -errno;
	/* A descriptor for each file that waits. */
	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < DESCRIPTORS) {
		files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	r = word_sender(&w->look);
	if (r)
		return r;
	r = inspect_start(NULL, &w->inspect, &why);
	if (r > 0)
		log_info("there is no inspector: %s", why.text);
	return r < 0 ? r : 0;
}

int written_start(struct guard *g)
{
	struct written *w = g->written;
	int r = w->group < 0 ? 0 : sd_event_add_io(g->event, NULL, w->group, EPOLLIN, on_group, g);

	if (r >= 0)
		r = sd_event_add_io(g->event, NULL, w->mounts, EPOLLPRI, on_mounts, g);
	if (r >= 0)
		r = written_cloud_start(g);
	if (r >= 0)
		written_cut_open(g);
	return r < 0 ? r : 0;
}

void written_close(struct guard *g)
{
	struct written *w = g->written;
	struct written_file *f;

	if (!w)
		return;
	while ((f = w->waiting)) {
		w->waiting = f->next;
		file_free(f);
	}
	while ((f = w->busy)) {
		w->busy = f->next;
		file_free(f);
	}
	written_copies_close(g);
	written_hand_close(g);
	written_cut_close(g);
	written_scan_close(g);
	written_cloud_close(g);
	closep(&w->group);
	closep(&w->mounts);
	closep(&w->look);
	inspect_stop(w->inspect);
	inspect_known_free(w->known);
	free(STEAL(g->written));
}

void written_stop(struct guard *g)
{
	struct written *w = g->written;
	struct written_copying *k;
	struct written_file *f;

	if (w)
		written_cloud_stop(g);
	for (f = w ? w->waiting : NULL; f; f = f->next)
		if (!is_ours(g, f))
			judge_unread(g, f, INSPECT_GONE, "the guard stopped");
	for (f = w ? w->busy : NULL; f; f = f->next)
		judge_unread(g, f, INSPECT_GONE, "the guard stopped");
	for (k = w ? w->copies.first : NULL; k; k = k->next)
		tell_written_copy(g, k, CAUSE_STOPPED, "the guard stopped before the copy was made");
	if (w) {
		written_hand_stop(g);
		written_scan_stop(g);
	}
}
