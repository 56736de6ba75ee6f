/*
 * The door: answers for each open of a protected file, by the policy's text and by who it is that asks. Started by
 * refuse_keeper.c; see refuse.h for what must never happen here. It opens folders, /proc and the policy's text only,
 * none of which the kernel asks about: it would wait for itself.
 */
#include "agent/guard/refuse.h"
#include "agent/service/purposes.h"
#include "agent/service/service.h"
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define KNOWN_MAX 64u
#define FRESH_US (60ll * 1000000)  /* who somebody is: asked anew behind this, */
#define STALE_US (600ll * 1000000) /* and waited for behind this */
#define SLOW_US (5ll * 1000000)    /* a name service that did not answer is not waited for so long */
#define TOLD_EVERY_US (10ll * 1000000)
#define EVENTS_AT_A_TIME 16u
#define DESCRIPTORS 256u
#define NOBODY UINT32_MAX
/* Marks (SYS_ADMIN), whose folders they are in (DAC), which program it is (PTRACE). */
#define KEPT (CONFINE_CAP(CAP_SYS_ADMIN) | CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_SYS_PTRACE))

struct known {
	struct person p;
	uint32_t uid;
	bool used;
	int64_t heard_boot_us, asked_boot_us; /* 0: not */
};

struct door {
	const struct refuse_place *place;
	int group, watch, orders, who, mounts;
	timer_t deadline;
	struct areas *areas;
	struct marks *marks;
	struct purposes purposes;
	struct stat proof;
	char self[PATH_MAX];
	struct known known[KNOWN_MAX];
	int64_t slow_until_us, told_boot_us;
	uint64_t lost;
	bool told;
};

/* --- the time within which it comes round --- */

static int deadline_make(struct door *d)
{
	/* Nothing can catch or stop it; it also ends a process that is stopped. */
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};

	return timer_create(CLOCK_MONOTONIC, &e, &d->deadline) ? -errno : 0;
}

static void in_time(struct door *d)
{
	const struct itimerspec t = {.it_value.tv_sec = REFUSE_DEADLINE_S};

	timer_settime(d->deadline, 0, &t, NULL);
}

/* --- to the guard --- */

static void say(struct door *d, struct refuse_event *e)
{
	size_t n = offsetof(struct refuse_event, path) + strlen(e->path) + 1;

	e->boot_us = clock_boot_us();
	e->wall_us = clock_wall_us();
	snprintf(e->boot, sizeof(e->boot), "%s", d->place->boot);
	e->lost = d->lost;
	/* Where there is no guard the keeper writes it down. Neither is waited for. */
	if (write(d->place->guard, e, n) == (ssize_t)n ||
		(e->what == REFUSE_REFUSED && (errno == EPIPE || errno == ECONNRESET) &&
			write(d->orders, e, n) == (ssize_t)n))
		d->lost = 0;
	else if (e->what == REFUSE_REFUSED)
		d->lost++;
}

/* At the end, without a guard: how many could not be said. */
static void tell_lost(struct door *d)
{
	static struct refuse_event e;

	e.what = REFUSE_REFUSED;
	e.lost = d->lost;
	if (d->lost && write(d->orders, &e, REFUSE_EVENT_MIN) != (ssize_t)REFUSE_EVENT_MIN)
		log_error("%llu refusals were told to nobody", (unsigned long long)d->lost);
}

static void tell_counts(struct door *d, int64_t now)
{
	static struct refuse_event e;

	if (d->told && now < d->told_boot_us + TOLD_EVERY_US)
		return;
	d->told = true;
	d->told_boot_us = now;
	e.what = REFUSE_MARKED;
	marks_counts(d->marks, &e.folders, &e.files, &e.left_out);
	say(d, &e);
}

/* --- who it is --- */

static struct known *known_of(struct door *d, uint32_t uid, bool make)
{
	struct known *oldest = d->known;
	unsigned i;

	for (i = 0; i < KNOWN_MAX; i++) {
		struct known *k = &d->known[i];

		if (k->used && k->uid == uid)
			return k;
		if (!k->used || (oldest->used && k->asked_boot_us < oldest->asked_boot_us))
			oldest = k;
	}
	if (!make)
		return NULL;
	*oldest = (struct known){.uid = uid, .used = true};
	return oldest;
}

/* Takes answers that are there; waits for the first up to `ms`. False where there is no who any more. */
static bool hear_who(struct door *d, int ms)
{
	static struct person p;
	struct pollfd one = {.fd = d->who, .events = POLLIN};
	ssize_t n;

	while (poll(&one, 1, ms) > 0) {
		struct known *k;
		unsigned i;

		n = read(d->who, &p, sizeof(p));
		if (n != sizeof(p))
			return false;
		k = known_of(d, p.uid, false);
		if (k) {
			k->p = p;
			for (i = 0; i < p.groups_n; i++)
				k->p.groups[i] = k->p.group_room[i];
			k->p.groups[i] = NULL;
			k->heard_boot_us = clock_boot_us();
		}
		ms = 0;
	}
	return true;
}

/* What is known of a user: asked for where that is old, waited for where nothing else is. NULL: not in time. */
static const struct person *person_who(struct door *d, uint32_t uid)
{
	int64_t now = clock_boot_us(), until = now + REFUSE_WHO_MS * 1000ll;
	struct known *k = known_of(d, uid, true);

	if ((!k->heard_boot_us || now >= k->heard_boot_us + FRESH_US) &&
		(!k->asked_boot_us || now >= k->asked_boot_us + SLOW_US)) {
		k->asked_boot_us = now;
		if (write(d->who, &uid, sizeof(uid)) != sizeof(uid))
			k->asked_boot_us = now - SLOW_US;
	}
	hear_who(d, 0);
	while ((!k->heard_boot_us || now >= k->heard_boot_us + STALE_US) && now < until && now >= d->slow_until_us) {
		if (!hear_who(d, (int)((until - now) / 1000) + 1))
			break;
		now = clock_boot_us();
		if (now >= until)
			d->slow_until_us = now + SLOW_US;
	}
	return k->heard_boot_us ? &k->p : NULL;
}

static bool read_proc(uint32_t pid, const char *what, struct buf *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, what);
	return !file_read(path, out) && buf_str(out);
}

/* The process that waits for our answer: it cannot go, and its number is no other's. False where /proc does not say. */
static bool ask_process(uint32_t pid, struct refuse_event *e)
{
	_cleanup_buf_ struct buf status = BUF_INIT(8192), text = BUF_INIT(4096);
	uint64_t ticks;
	pid_t parent;
	char path[64];
	const char *at;
	unsigned real, effective;
	ssize_t n;

	e->pid = pid;
	e->uid = e->login_uid = NOBODY;
	if (!pid || !read_proc(pid, "status", &status))
		return false;
	at = strstr((const char *)status.p, "\nUid:");
	if (!at || sscanf(at, "\nUid: %u %u", &real, &effective) != 2)
		return false;
	e->uid = effective;
	e->login_uid = service_login_uid(pid);
	if (process_stat((pid_t)pid, &parent, &ticks))
		e->start_us = (int64_t)(ticks * (1000000ull / (unsigned long long)sysconf(_SC_CLK_TCK)));
	if (read_proc(pid, "comm", &text) && text.n > 1)
		snprintf(e->comm, sizeof(e->comm), "%.*s", (int)text.n - 1, (const char *)text.p);
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, e->program, sizeof(e->program) - 1);
	/* Cut, it could look like another one. */
	e->program[n > 0 && n < (ssize_t)sizeof(e->program) - 1 ? n : 0] = 0;
	return true;
}

/* --- the answer --- */

/* The guard itself, which looks into files on drives. */
static bool is_ours(const struct door *d, const struct refuse_event *e)
{
	return e->uid == 0 && e->login_uid == NOBODY && !strcmp(e->program, d->self);
}

/* May it? Where not, `e` is what there is to say of it. */
static bool may(struct door *d, uint32_t pid, int area, struct refuse_event *e)
{
	static const char *const nobody[] = {NULL};
	struct area_facts f = {.who = {.groups = nobody, .host = ""}, .program = e->program};
	const struct policy *policy = areas_policy(d->areas);
	const struct person *p = NULL;
	struct area_decision now;
	uint32_t uid;

	f.doubt = !ask_process(pid, e);
	if (!f.doubt && is_ours(d, e))
		return true;
	uid = e->login_uid != NOBODY ? e->login_uid : e->uid;
	if (!f.doubt) {
		p = person_who(d, uid);
		f.doubt = !p;
	}
	f.no_purpose = purposes_lack(&d->purposes, policy, (unsigned)area, uid, clock_boot_us());
	if (p && p->there) {
		f.who.user = p->name;
		f.who.groups = p->groups;
		snprintf(e->user, sizeof(e->user), "%s", p->name);
	}
	policy_area(policy, (unsigned)area, &f, &now);
	e->policy = policy_version(policy);
	e->purpose = now.purpose;
	snprintf(e->area, sizeof(e->area), "%s", now.area);
	snprintf(e->rule, sizeof(e->rule), "%s", now.rule);
	snprintf(e->reason, sizeof(e->reason), "%s", now.reason);
	return now.action != ACTION_DENY;
}

static bool decide(struct door *d, int fd, uint32_t pid)
{
	static struct refuse_event e;
	char link[64];
	struct stat st;
	ssize_t n;
	int area;

	if (fstat(fd, &st))
		return true;
	if (st.st_dev == d->proof.st_dev && st.st_ino == d->proof.st_ino)
		return false;
	e = (struct refuse_event){.what = REFUSE_REFUSED, .dev = st.st_dev, .ino = st.st_ino};
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, e.path, sizeof(e.path) - 1);
	e.path[n > 0 ? n : 0] = 0;
	area = areas_of(d->areas, SPAN_STR(e.path));
	if (area < 0)
		area = marks_area_of(d->marks, st.st_dev, st.st_ino);
	if (area < 0 || !policy_area_refuses(areas_policy(d->areas), (unsigned)area) || may(d, pid, area, &e))
		return true;
	say(d, &e);
	return false;
}

static int answer_all(struct door *d)
{
	_Alignas(struct fanotify_event_metadata) char room[EVENTS_AT_A_TIME * sizeof(struct fanotify_event_metadata)];
	const struct fanotify_event_metadata *m = (const void *)room;
	ssize_t n = read(d->group, room, sizeof(room));

	/* One file that cannot be opened for us (EIO of a medium that is pulled) the kernel refused by itself. */
	if (n < 0)
		return errno == EPROTO || errno == EINVAL || errno == EBADF ? -errno : 0;
	for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n)) {
		struct fanotify_response r = {.fd = m->fd, .response = FAN_ALLOW};

		if (m->vers != FANOTIFY_METADATA_VERSION)
			return -EPROTO;
		if (m->fd < 0)
			continue;
		in_time(d);
		if (m->mask & FAN_ALL_PERM_EVENTS) {
			if (!decide(d, m->fd, m->pid > 0 ? (uint32_t)m->pid : 0))
				r.response = FAN_DENY;
			if (write(d->group, &r, sizeof(r)) != sizeof(r))
				log_error("the kernel does not take an answer: %m");
		}
		close(m->fd);
	}
	return 0;
}

/* --- what it stands on --- */

static void load(struct door *d)
{
	struct why why = {""};
	bool changed = false;
	int r = areas_load(d->areas, d->place->policy, &changed, &why);

	if (r)
		log_error("the areas in force stay: %s", why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
	if (!changed || !areas_policy(d->areas))
		return;
	marks_mounts(d->marks, d->areas);
	marks_begin(d->marks, d->areas);
	d->told = false;
}

static void mounts_changed(struct door *d)
{
	if (areas_policy(d->areas) && marks_mounts(d->marks, d->areas))
		marks_again(d->marks);
}

static int door_open(struct door *d)
{
	struct rlimit files = {DESCRIPTORS, DESCRIPTORS};
	ssize_t n = readlink("/proc/self/exe", d->self, sizeof(d->self) - 1);
	int r = deadline_make(d);

	if (r || n <= 0)
		return r ? r : -EIO;
	in_time(d);
	setrlimit(RLIMIT_NOFILE, &files);
	/* As many events and marks as there are: who gets no place in a queue is let through. */
	d->group = fanotify_init(
		FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
		O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	d->watch = d->group < 0 ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	d->mounts = d->watch < 0 ? -1 : open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (d->mounts < 0)
		return -errno;
	r = areas_new(&d->areas);
	r = r ? r : marks_new(d->group, d->watch, &d->marks);
	if (r)
		return r;
	if (stat(d->place->proof, &d->proof) ||
		fanotify_mark(d->group, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, FAN_OPEN_PERM, AT_FDCWD, d->place->proof))
		return -errno;
	return confine_power(KEPT, CONFINE_FILES | CONFINE_MARKS);
}

static int run(struct door *d)
{
	static struct refuse_event ready;
	struct pollfd on[] = {{d->group, POLLIN, 0}, {d->watch, POLLIN, 0}, {d->orders, POLLIN, 0}, {d->who, POLLIN, 0},
		{d->mounts, POLLPRI, 0}};
	bool more = false;
	int r = 0;

	load(d);
	ready.what = REFUSE_READY;
	say(d, &ready);
	while (!r) {
		char order;

		in_time(d);
		if (poll(on, ARRAY_SIZE(on), more ? 0 : REFUSE_DEADLINE_S * 1000 / 3) < 0 && errno != EINTR)
			return -errno;
		if (on[0].revents)
			r = answer_all(d);
		if (on[1].revents)
			marks_heard(d->marks);
		if (on[2].revents) {
			if (read(d->orders, &order, 1) != 1) {
				tell_lost(d);
				return 0;
			}
			load(d);
		}
		if (on[3].revents && !hear_who(d, 0))
			return 0;
		if (on[4].revents)
			mounts_changed(d);
		more = areas_policy(d->areas) && marks_work(d->marks);
		/* Where there is no policy that can be read nothing is in place: the guard's last door stays. */
		if (!more && areas_policy(d->areas))
			tell_counts(d, clock_boot_us());
	}
	return r;
}

int refuse_door(const struct refuse_place *p, int orders, int who)
{
	struct door *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	*d = (struct door){.place = p, .group = -1, .watch = -1, .mounts = -1, .orders = orders, .who = who};
	purposes_init(&d->purposes, p->policy);
	r = door_open(d);
	return r ? r : run(d);
}
