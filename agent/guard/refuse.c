/*
 * The guard's side of areas that refuse (refuse.h): says which policy is in force, makes records of who was refused,
 * and tries whether it holds. Called by main.c, orders.c and the loop.
 */
#include "agent/guard/refuse.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TOLD_MAX 64u       /* who was refused what: told apart */
#define TOLD_US 10000000ll /* the same once more, with its count */
#define TELL_EVERY_US (86400ll * 1000000)
#define RECORDS_MAX 50u      /* within that time */
#define LOOK_US 1000000ll    /* who was there before us may yet write down what it refused: so often, */
#define LOOKS 4u             /* so many times (refuse_keeper.c: END_MS) */
#define ROOM_BYTES (2 << 20) /* of the socket, where it may be had (CAP_NET_ADMIN): some 400 refusals that wait */

struct told {
	struct refuse_event e;
	int64_t since_boot_us; /* 0: free */
	uint64_t count;        /* that were not told since */
};

struct refuse {
	struct refuse_place place;
	int keeper; /* socket */
	pid_t pid;
	bool on;             /* an area asks for it */
	bool ready;          /* there is a door */
	bool proven;         /* and it refused us just now */
	bool in_place;       /* who was there before us has been told to go */
	unsigned told_state; /* STATE_*, that a record was made of last; 0: none yet */
	int64_t told_state_us;
	uint32_t folders, files, left_out;
	uint64_t refused;
	struct told told[TOLD_MAX];
	int64_t window_boot_us;
	unsigned in_window;
	int meanwhile;
	int64_t look_boot_us; /* 0: it is not looked for */
	unsigned looks;
	unsigned kept; /* of this round */
};

/* --- records --- */

static bool of_this_boot(const struct guard *g, const struct refuse_event *e)
{
	return e->boot[0] && !strcmp(e->boot, g->refuse->place.boot);
}

/* `kept`: of a time before this guard, and perhaps of another boot, whose clock and processes are no more. */
static void tell(struct guard *g, const struct told *t, uint64_t count, bool kept)
{
	const struct refuse_event *e = &t->e;
	char device[32];
	bool here = !kept || of_this_boot(g, e);
	/* Who only has to say why is nothing that anybody need see at once; nor is each of a burst that is over. */
	bool urgent = !e->purpose && (!kept || g->refuse->kept++ < RECORDS_MAX);
	struct record r;

	tell_begin(g, &r, KIND_FILE_REFUSED, NULL);
	record_drop(&r, F_USER);
	record_drop(&r, F_LOGIN_UID);
	if (here)
		record_set_uint(&r, F_PID, e->pid);
	if (e->uid != UINT32_MAX)
		record_set_uint(&r, F_UID, e->uid);
	if (e->login_uid != UINT32_MAX)
		record_set_uint(&r, F_LOGIN_UID, e->login_uid);
	if (here && e->start_us)
		record_set_int(&r, F_START, e->start_us);
	record_set_text(&r, F_USER, e->user);
	record_set_text(&r, F_COMM, e->comm);
	record_set_text(&r, F_PROGRAM, e->program);
	record_set_text(&r, F_PATH, e->path);
	snprintf(device, sizeof(device), "%u:%u", major(e->dev), minor(e->dev));
	record_set_str(&r, F_DEVICE, device);
	record_set_uint(&r, F_INODE, e->ino);
	record_set_text(&r, F_AREA, e->area);
	record_set_uint(&r, F_ACTION, ACTION_DENY);
	record_set_uint(&r, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	record_set_text(&r, F_RULE, e->rule);
	record_set_text(&r, F_TEXT, e->reason);
	record_set_uint(&r, F_POLICY, e->policy);
	record_set_str(&r, F_OPERATION, "open");
	record_set_int(&r, F_RESULT, -EPERM);
	if (count > 1)
		record_set_uint(&r, F_COUNT, count);
	if (!kept || !e->wall_us) {
		tell_put(g, &r, urgent);
		return;
	}
	record_set_int(&r, F_TIME, e->wall_us);
	if (here)
		record_set_int(&r, F_BOOT_TIME, e->boot_us);
	tell_of_then(g, &r, urgent);
}

/* The person, on the desktop: that it is not a fault, and what to do. */
static void show(struct guard *g, const struct refuse_event *e, int64_t now)
{
	uint32_t uid = e->login_uid != UINT32_MAX ? e->login_uid : e->uid;

	if (reasons_wanted(g, e->area, uid, e->purpose != 0, now))
		notify_area(g->notify, e->purpose ? NOTICE_PURPOSE : NOTICE_REFUSED, e->area, uid);
}

static void tell_bounded(struct guard *g, const struct told *t, uint64_t count, int64_t now)
{
	struct refuse *f = g->refuse;

	if (!f->window_boot_us || now >= f->window_boot_us + TOLD_US) {
		f->window_boot_us = now;
		f->in_window = 0;
	}
	if (f->in_window == RECORDS_MAX) {
		sealer_lost(g->sealer, CAUSE_QUEUE_FULL, count);
		return;
	}
	f->in_window++;
	tell(g, t, count, false);
}

static bool same(const struct refuse_event *a, const struct refuse_event *b)
{
	return a->pid == b->pid && a->start_us == b->start_us && a->uid == b->uid && a->dev == b->dev &&
	       a->ino == b->ino;
}

/* Whoever is refused can try as often as he likes: once at once, then with how often it was. */
static void on_refused(struct guard *g, const struct refuse_event *e)
{
	struct refuse *f = g->refuse;
	struct told *t = NULL, *oldest = f->told;
	int64_t now = clock_boot_us();
	unsigned i;

	f->refused++;
	for (i = 0; i < TOLD_MAX && !t; i++) {
		if (f->told[i].since_boot_us && same(&f->told[i].e, e))
			t = &f->told[i];
		if (f->told[i].since_boot_us < oldest->since_boot_us)
			oldest = &f->told[i];
	}
	if (t) {
		t->count++;
		return;
	}
	if (oldest->count)
		tell_bounded(g, oldest, oldest->count, now);
	*oldest = (struct told){.e = *e, .since_boot_us = now};
	tell_bounded(g, oldest, 1, now);
	if (!g->stopping)
		show(g, e, now);
}

/* Each is a record: they are as many as the file has room for, and what was one burst is none of ours. */
static void on_meanwhile(void *ctx, const struct refuse_event *e)
{
	static struct told t;
	struct guard *g = ctx;

	if (e->lost)
		sealer_lost(g->sealer, CAUSE_QUEUE_FULL, e->lost);
	if (!e->ino)
		return;
	g->refuse->refused++;
	t.e = *e;
	if (!t.e.policy)
		t.e.policy = g->orders.version;
	tell(g, &t, 1, true);
	if (!g->stopping && of_this_boot(g, e))
		show(g, e, clock_boot_us());
}

void refuse_run(struct guard *g, int64_t now)
{
	struct refuse *f = g->refuse;
	unsigned i;
	int r;

	f->kept = 0;
	r = meanwhile_take(f->meanwhile, on_meanwhile, g);
	if (r == -EAGAIN && !f->looks)
		f->looks = 1;
	if (f->looks && now >= f->look_boot_us) {
		f->look_boot_us = now + LOOK_US;
		f->looks--;
	} else if (!f->looks) {
		f->look_boot_us = 0;
	}
	if (r < 0 && r != -EAGAIN)
		log_error("what was refused while there was no guard cannot be read: %s", strerror(-r));
	for (i = 0; i < TOLD_MAX; i++) {
		struct told *t = &f->told[i];

		if (!t->since_boot_us || now < t->since_boot_us + TOLD_US)
			continue;
		if (t->count)
			tell_bounded(g, t, t->count, now);
		/* Who goes on is told of again in as long; else its place is free. */
		t->since_boot_us = t->count ? now : 0;
		t->count = 0;
	}
}

int64_t refuse_due(const struct guard *g)
{
	int64_t due = g->refuse->look_boot_us ? g->refuse->look_boot_us : INT64_MAX;
	unsigned i;

	for (i = 0; i < TOLD_MAX; i++) {
		const struct told *t = &g->refuse->told[i];

		if (t->count && t->since_boot_us + TOLD_US < due)
			due = t->since_boot_us + TOLD_US;
	}
	return due;
}

/* --- whether it holds --- */

const char *refuse_means(const struct guard *g)
{
	return !g->refuse || !g->refuse->on ? NULL : g->refuse->proven ? "fanotify" : "none";
}

/* How this PC is kept (agent/posture tells the rest): where that is another answer than before, and each day. */
static void tell_holds(struct guard *g)
{
	struct refuse *f = g->refuse;
	unsigned state = !f->on ? STATE_NOT_APPLICABLE : f->proven ? STATE_GOOD : STATE_WEAK;
	int64_t now = clock_boot_us();
	struct record r;

	if (!g->sealer || (f->told_state == state && now < f->told_state_us + TELL_EVERY_US))
		return;
	tell_begin(g, &r, KIND_POSTURE, NULL);
	record_set_uint(&r, F_CHECK, CHECK_PROTECTED_FILES);
	record_set_uint(&r, F_STATE, state);
	record_set_str(&r, F_TEXT, !f->on ? "no area refuses" : f->proven ? "refused-by=fanotify" : "refused-by=none");
	f->told_state = state;
	f->told_state_us = now;
	tell_put(g, &r, true);
	tell_means(g);
	report_save(g);
}

void refuse_prove(struct guard *g)
{
	struct refuse *f = g->refuse;
	int fd;

	if (!f->on)
		return;
	/* It waits for the door, REFUSE_DEADLINE_S at most. */
	fd = f->ready ? open(f->place.proof, O_RDONLY | O_CLOEXEC) : -1;
	f->proven = f->ready && fd < 0 && errno == EPERM;
	if (fd >= 0)
		close(fd);
	if (f->ready && !f->proven)
		log_error("a protected file is not refused, as the policy wants it");
	tell_holds(g);
}

/* --- what is heard --- */

/* Our marks are laid, or there is nothing to mark: a door that a guard before us left goes (refuse_keeper.c). */
static void say_in_place(struct guard *g)
{
	struct refuse *f = g->refuse;
	int r;

	if (f->in_place)
		return;
	r = file_replace(f->place.in_place, SPAN_STR(f->place.name), 0600);
	if (r)
		log_error("%s: %s: the door of the guard before stays for its time", f->place.in_place, strerror(-r));
	f->in_place = !r;
	f->looks = LOOKS;
	f->look_boot_us = clock_boot_us() + LOOK_US;
}

static void take(struct guard *g, struct refuse_event *e)
{
	struct refuse *f = g->refuse;

	if (e->lost)
		sealer_lost(g->sealer, CAUSE_QUEUE_FULL, e->lost);
	switch (e->what) {
	case REFUSE_REFUSED:
		on_refused(g, e);
		break;
	case REFUSE_READY:
		f->ready = true;
		refuse_prove(g);
		break;
	case REFUSE_MARKED:
		if (e->left_out && e->left_out != f->left_out)
			log_error("%u protected folders and files are not marked: they are more than there is room for",
				e->left_out);
		f->folders = e->folders;
		f->files = e->files;
		f->left_out = e->left_out;
		say_in_place(g);
		report_save(g);
		break;
	case REFUSE_DOWN:
		log_error("who answers for protected files ended: others are not refused them until it is there again");
		f->ready = f->proven = false;
		tell_holds(g);
		break;
	default:
		break;
	}
}

static int on_message(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	static struct refuse_event e;
	struct guard *g = ctx;
	unsigned n;

	(void)source;
	(void)events;
	for (n = 0; n < TOLD_MAX; n++) {
		ssize_t got = recv(fd, &e, sizeof(e), MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (got < (ssize_t)REFUSE_EVENT_MIN) {
			if (!g->stopping)
				guard_fail(g, -EPIPE, "who keeps protected files");
			return sd_event_source_set_enabled(source, SD_EVENT_OFF);
		}
		((char *)&e)[got - 1] = 0;
		take(g, &e);
	}
	return 0;
}

void refuse_stop(struct guard *g)
{
	static struct refuse_event e;
	ssize_t got;
	unsigned i;

	/* From here on the door keeps what it refuses; what it has said already is ours to tell. */
	shutdown(g->refuse->keeper, SHUT_RD);
	while ((got = recv(g->refuse->keeper, &e, sizeof(e), MSG_DONTWAIT)) >= (ssize_t)REFUSE_EVENT_MIN) {
		((char *)&e)[got - 1] = 0;
		if (e.what == REFUSE_REFUSED)
			take(g, &e);
	}
	for (i = 0; i < TOLD_MAX; i++) {
		struct told *t = &g->refuse->told[i];

		if (t->count)
			tell(g, t, t->count, false);
		t->count = 0;
	}
}

void refuse_order(struct guard *g)
{
	struct refuse *f = g->refuse;
	char order = policy_areas_refuse(g->orders.policy) ? REFUSE_ON : REFUSE_OFF;

	/* Also where nothing refuses: a guard before this one may have asked for it. */
	if (g->gate && gate_refuse_overlays(g->gate, order == REFUSE_ON))
		log_error("overlays of people's own cannot be refused: a protected file can be read through one: %m");
	if (order == REFUSE_OFF && !f->on)
		return;
	f->on = order == REFUSE_ON;
	if (!f->on) {
		f->ready = f->proven = false;
		say_in_place(g);
		tell_holds(g);
	}
	if (send(f->keeper, &order, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		guard_fail(g, -errno, "who keeps protected files");
}

struct json_t *refuse_state(const struct guard *g)
{
	const struct refuse *f = g->refuse;

	if (!f->on)
		return json_null();
	return json_pack("{s:s, s:i, s:i, s:i, s:I}", "refused_by", refuse_means(g), "folders", (int)f->folders,
		"files", (int)f->files, "left_out", (int)f->left_out, "refused", (json_int_t)f->refused);
}

/* --- beginning and end --- */

/* A file that nobody has any use for: made without opening it, which a door that was left refuses us, too. */
static int make_places(struct guard *g)
{
	struct refuse_place *p = &g->refuse->place;
	uint8_t boot[16] = {0};
	uint64_t nonce;
	unsigned i;
	int r = dir_make(g->state, 0700);

	snprintf(p->proof, sizeof(p->proof), "%s" REFUSE_PROOF, g->state);
	snprintf(p->in_place, sizeof(p->in_place), "%s" REFUSE_IN_PLACE, g->state);
	snprintf(p->meanwhile, sizeof(p->meanwhile), "%s" REFUSE_MEANWHILE, g->state);
	if (r)
		return r;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce) ||
		(mknod(p->proof, S_IFREG | 0600, 0) && errno != EEXIST))
		return -errno;
	snprintf(p->name, sizeof(p->name), "%d %016llx\n", (int)getpid(), (unsigned long long)nonce);
	r = clock_boot_id(boot);
	for (i = 0; !r && i < sizeof(boot); i++)
		snprintf(p->boot + 2 * i, 3, "%02x", boot[i]);
	g->refuse->meanwhile = meanwhile_open(p->meanwhile);
	return g->refuse->meanwhile < 0 ? g->refuse->meanwhile : 0;
}

int refuse_open(struct guard *g)
{
	const int room = ROOM_BYTES;
	int ends[2], r;

	g->refuse = calloc(1, sizeof(*g->refuse));
	if (!g->refuse)
		return -ENOMEM;
	g->refuse->keeper = -1;
	g->refuse->meanwhile = -1;
	r = make_places(g);
	if (r)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -errno;
	/* Without that right, as under its unit: as much as anybody has (net.core.wmem_max). */
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	g->refuse->keeper = ends[0];
	g->refuse->place.guard = ends[1];
	snprintf(g->refuse->place.policy, sizeof(g->refuse->place.policy), "%s", g->orders_path);
	g->refuse->pid = fork();
	if (!g->refuse->pid)
		refuse_keeper(&g->refuse->place);
	close(ends[1]);
	return g->refuse->pid < 0 ? -errno : 0;
}

int refuse_start(struct guard *g)
{
	if (!g->refuse->on)
		say_in_place(g);
	return sd_event_add_io(g->event, NULL, g->refuse->keeper, EPOLLIN, on_message, g);
}

void refuse_close(struct guard *g)
{
	struct refuse *f = g->refuse;

	if (!f)
		return;
	/* It hears that, and ends: at once, or where another door is in place (refuse.h). */
	if (f->keeper >= 0)
		close(f->keeper);
	if (f->meanwhile >= 0)
		close(f->meanwhile);
	free(f);
	g->refuse = NULL;
}
