/*
 * Wrappers at the daemon's socket: who they are, what they ask. Called by the loop.
 *
 * The socket is root's and group lp's, but every filter and every member of lp can reach it: only a process that cupsd
 * (or something that cupsd runs) started as our wrapper is listened to.
 */
#include "agent/print/print.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LP_GROUP "lp"
#define BACKLOG 128
#define ANCESTORS_MAX 4 /* cupsd, cups-deviced or a backend that runs another one */

static void leave(struct visit *v)
{
	struct gate *g = v->gate;
	struct visit **at;

	for (at = &g->visits; *at; at = &(*at)->next)
		if (*at == v) {
			*at = v->next;
			g->visits_n--;
			break;
		}
	if (v->job)
		v->job->visit = NULL;
	sd_event_source_disable_unref(v->io);
	close(v->fd);
	free(v);
}

void visit_tell(struct visit *v, enum answer what, const char *text)
{
	char bytes[1 + REQUEST_TEXT_MAX];
	size_t n = strnlen(text, REQUEST_TEXT_MAX);

	/* Not within a character. */
	while (n && n < strlen(text) && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	bytes[0] = (char)what;
	memcpy(bytes + 1, text, n);
	send(v->fd, bytes, 1 + n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void visit_answer(struct visit *v, enum answer what, const char *text)
{
	if (!v)
		return;
	visit_tell(v, what, text);
	leave(v);
}

/* --- who is it? --- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Parent and user of a process. */
static pid_t parent_of(pid_t pid, uid_t *uid, char comm[17])
{
	char path[64], line[256];
	_cleanup_fclose_ FILE *f = NULL;
	int parent = 0, user = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	comm[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "PPid: %d", &parent);
		sscanf(line, "Uid: %*d %d", &user);
		sscanf(line, "Name: %16s", comm);
	}
	*uid = (uid_t)user;
	return parent;
}

/* Its program is one of the tree's files. */
static bool is_wrapper(struct gate *g, pid_t pid)
{
	char link[64], exe[PATH_MAX];
	size_t dir = strlen(g->tree.dir);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = 0;
	/* By the file, not by its name: the tree may be reached through a link. */
	return (strncmp(exe, g->tree.dir, dir) == 0 && exe[dir] == '/') || same_file(link, g->tree.wrapper);
}

/* Root's cupsd started it, or something that cupsd runs. */
static bool is_of_cupsd(struct gate *g, pid_t pid)
{
	pid_t at = pid;
	char comm[17];
	uid_t uid;
	int i;

	for (i = 0; i < ANCESTORS_MAX && at > 1; i++) {
		at = parent_of(at, &uid, comm);
		if (at <= 1)
			break;
		parent_of(at, &uid, comm);
		if (uid == 0 && !strcmp(comm, "cupsd")) {
			g->cupsd = at;
			return true;
		}
	}
	return false;
}

/* --- what does it ask? --- */

static void close_all(const int *fds, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

static unsigned take_fds(struct msghdr *m, int fds[REQUEST_DOCUMENTS_MAX])
{
	struct cmsghdr *c;
	unsigned n = 0;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count, i;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (n < REQUEST_DOCUMENTS_MAX)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

/* One message with its descriptors. 0; V_END where the wrapper left; V_AGAIN. */
static int hear(struct visit *v, struct buf *question, int fds[REQUEST_DOCUMENTS_MAX], unsigned *fds_n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * REQUEST_DOCUMENTS_MAX)];
	} control;
	struct iovec part;
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control)};
	ssize_t n;
	int r = buf_reserve(question, REQUEST_MAX);

	if (r)
		return r;
	part = (struct iovec){.iov_base = question->p, .iov_len = REQUEST_MAX};
	n = recvmsg(v->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? V_AGAIN : V_END;
	*fds_n = take_fds(&m, fds);
	if (!n || m.msg_flags & MSG_TRUNC) {
		close_all(fds, *fds_n);
		return V_END;
	}
	question->n = (size_t)n;
	return 0;
}

/* The documents go to the job; whatever else was asked needs none. */
static void consider(struct visit *v, struct buf *question, const int *fds, unsigned fds_n)
{
	static struct log_limit limit = LOG_LIMIT(5);
	struct gate *g = v->gate;
	struct request q;
	struct why why = {""};

	/* Who only tells its route has become the real backend by now. */
	if (request_parse(buf_span(question), &q, &why) || !is_of_cupsd(g, v->pid) ||
		(strcmp(q.ask, "route") != 0 && !is_wrapper(g, v->pid))) {
		g->refused_peers++;
		if (log_allowed(&limit))
			log_warning("a question was refused: %s",
				why.text[0] ? why.text : "not from a wrapper that cupsd started");
	} else if (!strcmp(q.ask, "print")) {
		job_visit(g, v, question, fds, fds_n);
		return;
	} else if (!strcmp(q.ask, "stamp")) {
		close_all(fds, fds_n);
		stamping_asked(g, v, (unsigned)q.job_id);
		return;
	} else if (!strcmp(q.ask, "route")) {
		tell_route(g, &q);
	} else {
		follow_look_soon(g);
	}
	close_all(fds, fds_n);
	leave(v);
}

/* What one says that stamps pages, or that it is gone. */
static void consider_stamp(struct visit *v, const struct buf *question)
{
	struct gate *g = v->gate;
	struct request q;
	bool gone = !question || request_parse(buf_span(question), &q, NULL) || strcmp(q.ask, "stamped") != 0;

	if (!gone) {
		stamping_heard(g, v, &q);
		return;
	}
	/* Where it was the job's backend as well, it waits no more. */
	if (v->job)
		job_abandoned(v->job);
	stamping_heard(g, v, NULL);
}

static int on_visit(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	_cleanup_buf_ struct buf question = BUF_INIT(REQUEST_MAX);
	int fds[REQUEST_DOCUMENTS_MAX], r;
	struct visit *v = ctx;
	unsigned fds_n = 0;

	(void)source;
	(void)fd;
	(void)events;
	r = hear(v, &question, fds, &fds_n);
	if (r == V_AGAIN)
		return 0;
	if (v->stamping) {
		close_all(fds, r ? 0 : fds_n);
		consider_stamp(v, r ? NULL : &question);
		return 0;
	}
	if (r || v->job || v->stamps_job) {
		/* It left, or says more than it should. */
		close_all(fds, fds_n);
		if (v->job)
			job_abandoned(v->job);
		leave(v);
		return 0;
	}
	consider(v, &question, fds, fds_n);
	return 0;
}

/* One that says nothing makes room for one that may. */
static void make_room(struct gate *g)
{
	struct visit *v, *oldest = NULL;

	for (v = g->visits; v; v = v->next)
		if (!v->job)
			oldest = v;
	if (g->visits_n >= VISITS_MAX && oldest)
		leave(oldest);
}

static void welcome(struct gate *g, int fd)
{
	struct ucred who = {.pid = 0};
	socklen_t n = sizeof(who);
	struct visit *v = NULL;

	make_room(g);
	if (g->visits_n >= VISITS_MAX || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) ||
		!(v = calloc(1, sizeof(*v)))) {
		close(fd);
		return;
	}
	*v = (struct visit){.gate = g, .fd = fd, .pid = who.pid, .next = g->visits};
	g->visits = v;
	g->visits_n++;
	if (sd_event_add_io(g->event, &v->io, fd, EPOLLIN, on_visit, v) < 0)
		leave(v);
}

static int on_knock(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (got >= 0)
		welcome(ctx, got);
	return 0;
}

int visits_open(const char *path, int *out)
{
	struct group *lp = getgrnam(LP_GROUP);

	return service_listen(path, SOCK_SEQPACKET, lp ? lp->gr_gid : 0, BACKLOG, out);
}

int visits_start(struct gate *g)
{
	int r = sd_event_add_io(g->event, NULL, g->listen, EPOLLIN, on_knock, g);

	return r < 0 ? r : 0;
}

void visits_stop(struct gate *g)
{
	while (g->visits)
		leave(g->visits);
	closep(&g->listen);
}
