/*
 * The inspector's loop. It never reads a document: it hands descriptors to children, and speaks of those that could not
 * speak for themselves. See serve.h.
 */
#include "agent/inspect/serve.h"
#include "agent/inspect/facts.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Less is not worth a beginning. */
#define OCR_LEAST_US 1000000

struct child {
	pid_t pid; /* 0: free */
	int pidfd, report;
	int64_t end_us;
	bool late;          /* it was ended because its time was up */
	int64_t granted_us; /* for pictures */
};

struct inspector {
	int sock;
	unsigned busy;
	struct child child[CHILDREN_MAX];
	struct ocr_meter *meter;        /* of each child, shared with it */
	int64_t ocr_left_us, ocr_at_us; /* processor time for pictures, as of when */
};

static void say_end(int report, enum inspect_cause cause, const char *detail)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REPORT_FRAME_MAX);

	/* Where the pipe is full, or nobody reads, the end of the pipe has to say it. */
	if (!report_write_end(&b, cause, detail) && write(report, b.p, b.n) < 0)
		return;
}

static struct child *free_child(struct inspector *in)
{
	size_t i;

	for (i = 0; i < CHILDREN_MAX; i++)
		if (!in->child[i].pid)
			return &in->child[i];
	return NULL;
}

/*
 * How long pictures of one more document may take: what the last hour left of its time, less what others may still
 * take. 0: too little to begin with.
 */
static int64_t grant(struct inspector *in, const struct inspect_ocr *ask)
{
	int64_t now = clock_boot_us(), hour = (int64_t)ask->hour_ms * 1000, left,
		want = (int64_t)ask->document_ms * 1000;
	size_t i;

	left = in->ocr_at_us ? in->ocr_left_us + (now - in->ocr_at_us) / 3600 * ask->hour_ms / 1000 : hour;
	in->ocr_left_us = left < hour ? left : hour;
	in->ocr_at_us = now;
	left = in->ocr_left_us;
	for (i = 0; i < CHILDREN_MAX; i++)
		left -= in->child[i].pid ? in->child[i].granted_us : 0;
	left = left < want ? left : want;
	return left < OCR_LEAST_US ? 0 : left;
}

/* Processor time that pictures took in a child that is gone: also what it did not live to say. */
static void charge(struct inspector *in, const struct child *c, const struct rusage *u)
{
	const struct ocr_meter *m = &in->meter[c - in->child];
	uint64_t all = (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000u +
		       (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
	uint64_t used = m->used + (m->from && m->from <= all ? all - m->from : 0);

	in->ocr_left_us -= (int64_t)(used < all ? used : all);
}

static int begin(struct inspector *in, int document, int report, int known, const struct question *q)
{
	struct child *c = free_child(in);
	uint32_t ms = q->time_ms ? q->time_ms : INSPECT_TIME_MS;
	struct ocr_use ocr = {.meter = &in->meter[c - in->child]};
	bool reads = q->text && q->ocr.document_ms;
	int64_t granted = reads ? grant(in, &q->ocr) : 0;
	pid_t pid;

	*ocr.meter = (struct ocr_meter){0};
	ocr.left_ms = (uint32_t)(granted / 1000);
	ocr.busy = reads && !granted;
	/* Its model is loaded once, here, where files can be opened; by now it is, where the daemon said so before. */
	if (reads)
		ocr_prepare();
	pid = fork();
	if (pid == 0)
		child_run(document, report, known, q, reads ? &ocr : NULL);
	if (pid < 0) {
		say_end(report, INSPECT_BUSY, "no process for it");
		close(report);
		return 0;
	}
	*c = (struct child){.pid = pid,
		.report = report,
		.end_us = clock_awake_us() + (int64_t)ms * 1000 + granted,
		.granted_us = granted};
	c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	in->busy++;
	return c->pidfd < 0 ? -errno : 0;
}

/* Descriptors of a message: what is too much is closed. */
static size_t take_fds(struct msghdr *m, int fds[QUESTION_FDS])
{
	struct cmsghdr *c;
	size_t n = 0, i, got;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < got; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (n < QUESTION_FDS)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

/* 0, V_END where nobody asks any more, -errno. */
static int take_question(struct inspector *in)
{
	union {
		char space[CMSG_SPACE(QUESTION_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t bytes[QUESTION_MAX];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	_cleanup_close_ int document = -1, report = -1, known = -1;
	int fds[QUESTION_FDS] = {-1, -1, -1};
	struct question q;
	struct why why;
	ssize_t n = recvmsg(in->sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0
		       : errno == ECONNRESET                                     ? V_END
										 : -errno;
	take_fds(&m, fds);
	document = fds[0];
	report = fds[1];
	known = fds[2];
	if (n == 0)
		return V_END;
	if (document < 0 && span_eq(SPAN(bytes, (size_t)n), SPAN_STR(QUESTION_PREPARE_OCR))) {
		ocr_prepare();
		return 0;
	}
	if (report < 0 || question_read(SPAN(bytes, (size_t)n), &q, &why) || q.has_known != (known >= 0)) {
		log_error("a question that is none came from the program that asks");
		if (report >= 0)
			say_end(report, INSPECT_GONE, "the question was none");
		return 0;
	}
	return begin(in, document, steal_fd(&report), known, &q);
}

/* In words, of an end that was not the child's own. */
static void say_how(const struct child *c, const siginfo_t *how)
{
	char detail[96] = "";

	if (c->late) {
		say_end(c->report, INSPECT_TOO_LONG, "");
	} else if (how->si_code == CLD_EXITED && how->si_status == CHILD_UNCONFINED) {
		say_end(c->report, INSPECT_DIED, "it could not be confined");
	} else if (how->si_code == CLD_EXITED && how->si_status == CHILD_NO_ROOM) {
		say_end(c->report, INSPECT_TOO_BIG, "no memory");
	} else if (how->si_code == CLD_EXITED && how->si_status != CHILD_DONE) {
		/* libraries that give up end the process so */
		snprintf(detail, sizeof(detail), "exit status %d", how->si_status);
		say_end(c->report, INSPECT_DIED, detail);
	} else if (how->si_code != CLD_EXITED && (how->si_status == SIGXCPU || how->si_status == SIGKILL)) {
		say_end(c->report, INSPECT_TOO_LONG, "processor time");
	} else if (how->si_code != CLD_EXITED && how->si_status == SIGXFSZ) {
		say_end(c->report, INSPECT_TOO_BIG, "");
	} else if (how->si_code != CLD_EXITED) {
		snprintf(detail, sizeof(detail), "%s", strsignal(how->si_status));
		say_end(c->report, INSPECT_DIED, detail);
	}
}

static void reap(struct inspector *in, struct child *c)
{
	struct rusage used = {0};
	siginfo_t how = {0};

	if (syscall(SYS_waitid, P_PID, c->pid, &how, WEXITED, &used) == 0)
		say_how(c, &how);
	if (c->granted_us)
		charge(in, c, &used);
	close(c->pidfd);
	close(c->report);
	*c = (struct child){0};
	in->busy--;
}

/* Ends those whose time is up; answers the milliseconds until the next, or -1. */
static int end_late(struct inspector *in)
{
	int64_t now = clock_awake_us(), least = INT64_MAX;
	size_t i;

	for (i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &in->child[i];

		if (!c->pid || c->late)
			continue;
		if (c->end_us <= now) {
			c->late = true;
			kill(c->pid, SIGKILL);
		} else if (c->end_us < least) {
			least = c->end_us;
		}
	}
	if (least == INT64_MAX)
		return -1;
	return least - now > INT_MAX / 2 * 1000ll ? INT_MAX / 2 : (int)((least - now) / 1000 + 1);
}

static int turn(struct inspector *in)
{
	struct pollfd p[1 + 2 * CHILDREN_MAX];
	int timeout = end_late(in), r;
	size_t i;

	/* With all children busy the next question waits in the socket. */
	p[0] = (struct pollfd){.fd = in->busy < CHILDREN_MAX ? in->sock : -1, .events = POLLIN};
	for (i = 0; i < CHILDREN_MAX; i++) {
		const struct child *c = &in->child[i];

		p[1 + 2 * i] = (struct pollfd){.fd = c->pid ? c->pidfd : -1, .events = POLLIN};
		/* POLLERR: nobody reads the report any more */
		p[2 + 2 * i] = (struct pollfd){.fd = c->pid && !c->late ? c->report : -1, .events = 0};
	}
	if (poll(p, ARRAY_SIZE(p), timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &in->child[i];

		if (p[2 + 2 * i].revents & POLLERR) {
			c->late = true;
			kill(c->pid, SIGKILL);
		}
		if (p[1 + 2 * i].revents)
			reap(in, c);
	}
	r = p[0].revents ? take_question(in) : 0;
	return r;
}

int serve(int sock)
{
	struct inspector in = {.sock = sock};
	size_t i;
	int r;

	in.meter =
		mmap(NULL, CHILDREN_MAX * sizeof(*in.meter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (in.meter == MAP_FAILED)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	do
		r = turn(&in);
	while (!r);
	for (i = 0; i < CHILDREN_MAX; i++)
		if (in.child[i].pid) {
			in.child[i].late = true;
			kill(in.child[i].pid, SIGKILL);
			reap(&in, &in.child[i]);
		}
	return r == V_END ? 0 : r;
}
