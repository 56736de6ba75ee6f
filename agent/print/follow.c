/*
 * The follower's loop and its side of the conversation. See follow.h; ipp.c speaks with CUPS.
 */
#include "agent/print/follow.h"
#include "agent/print/ipp.h"
#include "policy/base/cleanup.h"
#include "policy/base/confine.h"
#include "policy/base/log.h"
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 20000 /* the subscription is looked after this often */
#define RETRY_MS 1000 /* CUPS is not there yet, or again */
#define GROUPS_MAX 256

struct follower {
	int fd;
	struct ipp_link *link;
};

/* Own words to the daemon; it may be slow, and is waited for. */
static void say(struct follower *f, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text && strlen(text) <= FOLLOW_MESSAGE_MAX && send(f->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(errno == EPIPE || errno == ECONNRESET ? 0 : 1);
	free(text);
	json_decref(o);
}

/* A user by the name service: his uid and groups. */
static void add_user(json_t *o, const struct passwd *pw)
{
	gid_t gids[GROUPS_MAX];
	int n = GROUPS_MAX, i;
	json_t *list = json_array();

	if (pw && getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) < 0)
		n = GROUPS_MAX; /* more than fit: those that do */
	if (pw)
		json_object_set_new(o, "uid", json_integer(pw->pw_uid));
	for (i = 0; pw && i < n; i++) {
		struct group *gr = getgrgid(gids[i]);

		if (gr)
			json_array_append_new(list, json_string(gr->gr_name));
	}
	json_object_set_new(o, "groups", list);
}

/*
 * Whose job it is: `asked` says whose login, by his uid; else (NULL) he whom the job names. One that has no name is
 * known by his number.
 */
static void add_person(json_t *o, const char *named, const json_t *asked)
{
	struct passwd *pw;
	char number[32];

	if (!asked) {
		add_user(o, named ? getpwnam(named) : NULL);
		return;
	}
	pw = getpwuid((uid_t)json_integer_value(asked));
	snprintf(number, sizeof(number), "uid %u", (unsigned)json_integer_value(asked));
	json_object_set_new(o, "person", json_string(pw ? pw->pw_name : number));
	add_user(o, pw);
	json_object_set_new(o, "uid", json_integer(json_integer_value(asked)));
}

/* All that is known of one job. `whole`: of its queue and its user too; `asked`: see add_person. */
static int tell_job(struct follower *f, int id, bool whole, const json_t *asked)
{
	json_t *job = NULL, *printer = NULL, *o;
	int r = ipp_job(f->link, id, &job);

	if (r == V_NOT_FOUND)
		say(f, json_pack("{s:i}", "gone", id));
	if (r)
		return r;
	if (whole)
		ipp_printer(f->link, json_string_value(json_object_get(job, "job-printer-uri")), &printer);
	o = json_pack("{s:O}", "job", job);
	if (printer)
		json_object_set_new(o, "printer", printer);
	if (whole)
		add_person(o, json_string_value(json_object_get(job, "job-originating-user-name")), asked);
	say(f, o);
	json_decref(job);
	return 0;
}

static void look(struct follower *f, const json_t *ask)
{
	int ids[FOLLOW_JOBS_MAX], since = (int)json_integer_value(json_object_get(ask, "since")), last = since;
	int n = ipp_jobs_after(f->link, since, ids, FOLLOW_JOBS_MAX), i;
	const json_t *open = json_object_get(ask, "open"), *one;
	size_t at;

	json_array_foreach(open, at, one) if (tell_job(f, (int)json_integer_value(one), false, NULL) < 0) return;
	for (i = 0; i < n; i++) {
		if (tell_job(f, ids[i], true, NULL) < 0)
			return;
		if (ids[i] > last)
			last = ids[i];
	}
	if (n >= 0)
		say(f, json_pack("{s:i, s:b}", "looked", last, "more", n == FOLLOW_JOBS_MAX));
}

static int tell_queue(void *ctx, json_t *queue)
{
	say(ctx, json_pack("{s:o}", "queue", queue));
	return 0;
}

static void tell_queues(struct follower *f)
{
	int n = ipp_queues(f->link, tell_queue, f);

	say(f, json_pack("{s:i, s:i}", "queues", n, "cupsd", (int)ipp_cupsd(f->link)));
}

static void act(struct follower *f, int id, bool again)
{
	char reason[128] = "";
	int r = again ? ipp_restart_held(f->link, id, reason, sizeof(reason))
		      : ipp_release(f->link, id, reason, sizeof(reason));

	say(f, json_pack("{s:i, s:o}", "done", id, "error", r ? json_string(reason) : json_null()));
}

static void answer(struct follower *f, const json_t *o)
{
	const char *ask = json_string_value(json_object_get(o, "ask"));
	int id = (int)json_integer_value(json_object_get(o, "id"));

	if (!ask)
		return;
	if (!strcmp(ask, "job") && tell_job(f, id, true, json_object_get(o, "uid")) < 0)
		say(f, json_pack("{s:i}", "unknown", id));
	else if (!strcmp(ask, "look"))
		look(f, o);
	else if (!strcmp(ask, "queues"))
		tell_queues(f);
	else if (!strcmp(ask, "release") || !strcmp(ask, "again"))
		act(f, id, ask[0] == 'a');
}

/* Told once for each change: can CUPS be asked, and does it tell by itself? */
static void tend(struct follower *f, int *told)
{
	bool pushed = false;
	bool up = ipp_subscribe(f->link, FOLLOW_RECIPIENT, &pushed) == 0;
	int now = up ? pushed ? 2 : 1 : 0;

	if (now != *told)
		say(f, json_pack("{s:b, s:b}", "up", up, "pushed", pushed));
	*told = now;
}

static int run(struct follower *f)
{
	static char bytes[FOLLOW_MESSAGE_MAX];
	int told = -1;

	tend(f, &told);
	for (;;) {
		struct pollfd p = {.fd = f->fd, .events = POLLIN};
		int r = poll(&p, 1, told > 0 ? TICK_MS : RETRY_MS);
		ssize_t n;
		json_t *o;

		if (r < 0 && errno != EINTR)
			return 1;
		if (r <= 0) {
			tend(f, &told);
			continue;
		}
		n = recv(f->fd, bytes, sizeof(bytes), 0);
		if (n <= 0) {
			/* The daemon ends: cupsd need not tell us any more. */
			ipp_unsubscribe(f->link);
			return 0;
		}
		if (!ipp_is_up(f->link))
			tend(f, &told);
		o = json_loadb(bytes, (size_t)n, 0, NULL);
		answer(f, o);
		json_decref(o);
	}
}

int follow_start(const char *socket, int *fd, pid_t *child)
{
	int pair[2], size = 1 << 20;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pid = fork();
	if (pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return -errno;
	}
	if (pid == 0) {
		struct follower f = {.fd = pair[1]};
		int r;

		close(pair[0]);
		signal(SIGTERM, SIG_IGN); /* it ends when the daemon does: the last words are still heard */
		signal(SIGINT, SIG_IGN);
		r = ipp_open(socket, &f.link);
		r = r ? r : confine_power(0, CONFINE_LOCAL);
		if (r) {
			log_error("follower: %s", strerror(r < 0 ? -r : EIO));
			_exit(1);
		}
		_exit(run(&f));
	}
	close(pair[1]);
	*fd = pair[0];
	*child = pid;
	return 0;
}
