/*
 * Starts the door and who tells it who somebody is, and starts them anew where one of them ended: this process, a child
 * of the guard's from before it had keys, meets nothing from outside. See refuse.h. It outlives the guard for a while,
 * the two end with it.
 *
 * What must never happen: a process but the door having fanotify's descriptor. The kernel waits for an answer for as
 * long as anybody has it.
 */
#include "agent/guard/refuse.h"
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The door's (refuse_door.c), and to take from the bounding set of either what it does not need. */
#define KEPT                                                                                        \
	(CONFINE_CAP(CAP_SYS_ADMIN) | CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_SYS_PTRACE) | \
		CONFINE_CAP(CAP_SETPCAP))
#define AGAIN_FIRST_US 1000000ll
#define AGAIN_MOST_US (60ll * 1000000)
#define KEPT_AT_A_TIME 64u
#define END_MS 1000 /* that a door is given to say what it could tell nobody */

struct keeper {
	const struct refuse_place *place;
	bool on;
	pid_t door, who; /* 0: not running */
	int orders;      /* to the door, which says by it what no guard hears; it hangs up when that ends */
	int meanwhile;
	uint64_t lost; /* that could not be written down */
	int64_t since_boot_us, again_boot_us, pause_us;
};

/* Of what is open only these, and the first three. */
static void keep_only(const int *fds, size_t n)
{
	unsigned from = 3;

	for (;;) {
		unsigned next = ~0u;
		size_t i;

		for (i = 0; i < n; i++)
			if ((unsigned)fds[i] >= from && (unsigned)fds[i] < next)
				next = (unsigned)fds[i];
		if (next > from)
			syscall(SYS_close_range, from, next == ~0u ? ~0u : next - 1, 0u);
		if (next == ~0u)
			return;
		from = next + 1;
	}
}

#define HOLD_LOOK_MS 100 /* whether another guard's door is in place */

static void leave_signals(void (*to)(int))
{
	static const int left[] = {SIGTERM, SIGINT, SIGHUP};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(left); i++)
		signal(left[i], to);
	/* The guard's end of a socket may be gone. */
	signal(SIGPIPE, SIG_IGN);
}

/* It ends with its parent, also where that was killed; what ends the service ends the guard first. */
static void become_child(pid_t parent)
{
	leave_signals(SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
}

/* --- who somebody is --- */

static int who(int door)
{
	static struct person p;
	uint32_t uid;
	int r;

	/* Loads what a name service needs. */
	getpwuid(0);
	r = confine_power(0, CONFINE_LOCAL);
	while (!r && read(door, &uid, sizeof(uid)) == sizeof(uid)) {
		p = (struct person){.uid = uid};
		person_look_up(&p, uid);
		if (write(door, &p, sizeof(p)) != sizeof(p))
			return -errno;
	}
	return r;
}

/* --- starting them --- */

static pid_t start(struct keeper *k, bool is_door, int orders, int pair)
{
	pid_t parent = getpid(), pid = fork();
	const int fds[] = {pair, k->place->guard, orders};
	int r;

	if (pid)
		return pid;
	become_child(parent);
	keep_only(fds, is_door ? 3 : 1);
	r = is_door ? refuse_door(k->place, orders, pair) : who(pair);
	if (r)
		log_error("%s: %s", is_door ? "answering for protected files" : "who opens protected files",
			strerror(-r));
	_exit(r != 0);
}

static void end_one(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}

static void end(struct keeper *k)
{
	end_one(&k->door);
	end_one(&k->who);
	closep(&k->orders);
}

static void begin(struct keeper *k)
{
	int orders[2] = {-1, -1}, pair[2] = {-1, -1};

	k->since_boot_us = clock_boot_us();
	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) &&
		!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		/* The door asks, and goes on: it waits for no room in a queue. */
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		fcntl(orders[1], F_SETFL, O_NONBLOCK);
		k->who = start(k, false, -1, pair[1]);
		/* Else it would be told by itself, and never hear that the door ended. */
		closep(&pair[1]);
		k->door = k->who > 0 ? start(k, true, orders[1], pair[0]) : -1;
	}
	closep(&pair[0]);
	closep(&pair[1]);
	closep(&orders[1]);
	k->orders = orders[0];
	if (k->door <= 0)
		end(k);
}

/* It ended by itself, or by its time: nothing is refused until there is another. */
static void ended(struct keeper *k)
{
	static struct refuse_event e;
	int64_t now = clock_boot_us();

	end(k);
	if (now - k->since_boot_us > AGAIN_MOST_US)
		k->pause_us = 0;
	k->pause_us = !k->pause_us ? AGAIN_FIRST_US : k->pause_us * 2 > AGAIN_MOST_US ? AGAIN_MOST_US : k->pause_us * 2;
	k->again_boot_us = now + k->pause_us;
	e.what = REFUSE_DOWN;
	if (write(k->place->guard, &e, REFUSE_EVENT_MIN) < 0)
		log_error("the guard does not hear that nothing is refused: %m");
}

/* What the door could say to no guard, written down. False where it hung up. */
static bool keep_said(struct keeper *k)
{
	static struct refuse_event e;
	unsigned i;

	for (i = 0; i < KEPT_AT_A_TIME; i++) {
		ssize_t n = recv(k->orders, &e, sizeof(e), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < (ssize_t)REFUSE_EVENT_MIN)
			return false;
		((char *)&e)[n - 1] = 0;
		e.lost += k->lost;
		k->lost = meanwhile_add(k->meanwhile, &e) ? e.lost + (e.ino != 0) : 0;
	}
	return true;
}

static bool take_order(struct keeper *k)
{
	char order;
	ssize_t n = read(k->place->guard, &order, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != 1)
		return false;
	k->on = order == REFUSE_ON;
	if (!k->on)
		end(k);
	else if (!k->door)
		begin(k);
	else if (write(k->orders, &order, 1) != 1)
		ended(k);
	return true;
}

/* --- without a guard --- */

/* No other guard has said that its marks are laid, and ours had. */
static bool ours_in_place(const struct keeper *k)
{
	_cleanup_buf_ struct buf text = BUF_INIT(REFUSE_NAME_SIZE);

	return !file_read(k->place->in_place, &text) && buf_str(&text) && !strcmp((const char *)text.p, k->place->name);
}

static void tell_lost(const struct keeper *k)
{
	static struct refuse_event e;

	e.lost = k->lost;
	if (k->lost && meanwhile_add(k->meanwhile, &e))
		log_error("%llu refusals were told to nobody", (unsigned long long)k->lost);
}

/* The door goes on until another is in place, or its time is over. */
static void hold(struct keeper *k)
{
	int64_t until = clock_awake_us() + REFUSE_HOLD_S * 1000000ll;
	const char *why = "its time is over";

	/* A shutdown does not wait for us. */
	leave_signals(SIG_DFL);
	if (!k->door || !ours_in_place(k)) {
		if (k->door)
			keep_said(k);
		tell_lost(k);
		return;
	}
	log_notice("the guard ended: who answers for protected files goes on without it, %d seconds at most",
		REFUSE_HOLD_S);
	while (clock_awake_us() < until) {
		struct pollfd on = {k->orders, POLLIN, 0};

		if (poll(&on, 1, HOLD_LOOK_MS) > 0 && !keep_said(k)) {
			why = "the door ended";
			break;
		}
		if (!ours_in_place(k)) {
			why = "another is in place, or none is wanted";
			break;
		}
	}
	/* The door hears it, and says what it could tell nobody. */
	shutdown(k->orders, SHUT_WR);
	for (until = clock_awake_us() + END_MS * 1000ll; clock_awake_us() < until;) {
		struct pollfd on = {k->orders, POLLIN, 0};

		if (poll(&on, 1, HOLD_LOOK_MS) > 0 && !keep_said(k))
			break;
	}
	tell_lost(k);
	log_notice("who went on answering for protected files without a guard ends: %s", why);
}

void refuse_keeper(const struct refuse_place *p)
{
	struct keeper k = {.place = p, .orders = -1, .meanwhile = meanwhile_open(p->meanwhile)};
	const int fds[] = {p->guard, k.meanwhile};
	int r;

	leave_signals(SIG_IGN);
	if (k.meanwhile < 0)
		log_error("%s: %s: what is refused without a guard is not told", p->meanwhile, strerror(-k.meanwhile));
	keep_only(fds, k.meanwhile < 0 ? 1 : 2);
	/* What it holds for the two below: each of them takes less. */
	r = confine_power(KEPT, CONFINE_LOCAL | CONFINE_CHILDREN | CONFINE_MARKS | CONFINE_GROUPS);
	if (r) {
		log_error("who keeps protected files: %s", strerror(-r));
		_exit(EXIT_FAILURE);
	}
	for (;;) {
		struct pollfd on[] = {{p->guard, POLLIN, 0}, {k.orders, POLLIN, 0}};
		int64_t wait = k.on && !k.door ? k.again_boot_us - clock_boot_us() : -1;

		if (k.on && !k.door && wait <= 0) {
			begin(&k);
			if (!k.door)
				ended(&k);
			continue;
		}
		poll(on, ARRAY_SIZE(on), wait < 0 ? -1 : (int)(wait / 1000) + 1);
		if (on[1].revents && k.door && !keep_said(&k))
			ended(&k);
		if (on[0].revents && !take_order(&k))
			break;
	}
	hold(&k);
	end(&k);
	_exit(EXIT_SUCCESS);
}
