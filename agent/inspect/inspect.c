/*
 * The daemon's side: starts the inspector, asks, takes reports in. See inspect.h. Nothing of a document is looked at
 * here, and a report is read as if it came from the document itself.
 */
#include "agent/inspect/inspect.h"
#include "agent/inspect/facts.h"
#include "agent/inspect/known.h"
#include "agent/inspect/pattern.h"
#include "agent/inspect/report.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define START_PATIENCE_MS 30000
#define STOP_PATIENCE_MS 2000
/* What inspect_document waits for beyond the question's own time: the inspector ends the child, not we. */
#define GRACE_MS 20000

struct inspect {
	pid_t pid;
	int sock;
};

struct inspect_job {
	int fd;
	size_t got; /* of the report, for its bound */
	bool first; /* a frame has come: size and hash stand */
	enum inspect_what about;
	struct buf in;
	struct buf prints; /* that were made */
	struct inspect_facts facts;
};

static int beside_us(char *out, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash || (size_t)snprintf(out, size, "%.*s/sekisho-inspect", (int)(slash - self), self) >= size)
		return -ENAMETOOLONG;
	return 0;
}

/* In the child: the socket becomes descriptor 0, signals are as a program expects them. Never returns. */
__attribute__((noreturn)) static void become(const char *path, int sock)
{
	char *argv[] = {(char *)path, (char *)"serve", NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(sock, 0) == 0)
		execv(path, argv);
	_exit(127);
}

/* One byte says that it has given up its rights and waits; the end says that it never will. */
static int wait_ready(struct inspect *in, const char *path, struct why *why)
{
	struct pollfd p = {.fd = in->sock, .events = POLLIN};
	char word[sizeof(why->text)];
	ssize_t n;
	int r;

	do
		r = poll(&p, 1, START_PATIENCE_MS);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (r == 0)
		return why_set(why, V_BAD, "%s did not come up within %d s", path, START_PATIENCE_MS / 1000);
	n = recv(in->sock, word, sizeof(word) - 1, 0);
	if (n <= 0)
		return why_set(why, V_BAD, "%s ended before it came up", path);
	word[n] = '\0';
	if (word[0] == '+')
		return 0;
	return why_set(why, word[0] == '?' ? V_NOT_FOUND : V_BAD, "%.200s", word + 1);
}

int inspect_start(const char *path, struct inspect **out, struct why *why)
{
	_cleanup_(inspect_stopp) struct inspect *in = NULL;
	char beside[PATH_MAX];
	int pair[2], r;

	if (!path) {
		if ((r = beside_us(beside, sizeof(beside))))
			return r;
		path = beside;
	}
	if (access(path, X_OK))
		return why_set(why, V_NOT_FOUND, "%s: %m", path);
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->sock = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	in->sock = pair[0];
	in->pid = fork();
	if (in->pid == 0)
		become(path, pair[1]);
	close(pair[1]);
	if (in->pid < 0)
		return -errno;
	r = wait_ready(in, path, why);
	if (r)
		return r;
	*out = STEAL(in);
	return 0;
}

void inspect_stop(struct inspect *in)
{
	int waited;

	if (!in)
		return;
	/* The end of the socket tells it. It ends its children; the kernel does where it cannot. */
	if (in->sock >= 0)
		close(in->sock);
	if (in->pid > 0) {
		for (waited = 0; waited < STOP_PATIENCE_MS && waitpid(in->pid, NULL, WNOHANG) == 0; waited += 5)
			poll(NULL, 0, 5);
		if (waited >= STOP_PATIENCE_MS) {
			kill(in->pid, SIGKILL);
			waitpid(in->pid, NULL, 0);
		}
	}
	free(in);
}

bool inspect_is_gone(const struct inspect *in)
{
	struct pollfd p = {.fd = in->sock, .events = 0};

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}

static int send_question(struct inspect *in, struct span question, const int *fds, size_t n)
{
	union {
		char space[CMSG_SPACE(QUESTION_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {.iov_base = (void *)question.p, .iov_len = question.n};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	while (sendmsg(in->sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS)
			return V_FULL;
		return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
	}
	return 0;
}

void inspect_prepare_ocr(struct inspect *in)
{
	while (send(in->sock, QUESTION_PREPARE_OCR, strlen(QUESTION_PREPARE_OCR), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		errno == EINTR)
		;
}

int inspect_begin(
	struct inspect *in, int document, const struct inspect_ask *ask, struct inspect_job **out, struct why *why)
{
	_cleanup_(inspect_job_freep) struct inspect_job *job = NULL;
	_cleanup_buf_ struct buf question = BUF_INIT(QUESTION_MAX);
	_cleanup_(patterns_freep) struct patterns *good = NULL;
	int r, fds[QUESTION_FDS], ends[2];

	r = patterns_make(ask->pattern, ask->patterns, &good, why);
	if (!r)
		r = question_write(&question, ask, why);
	if (r)
		return r;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->fd = -1;
	job->in = BUF_INIT(REPORT_MAX);
	job->prints = BUF_INIT((size_t)INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	job->fd = ends[0];
	fds[0] = document;
	fds[1] = ends[1];
	fds[2] = ask->known ? inspect_known_fd(ask->known) : -1;
	r = send_question(in, buf_span(&question), fds, ask->known ? 3 : 2);
	close(ends[1]);
	if (r)
		return r == V_FULL ? why_set(why, V_FULL, "too many documents are waiting") : r;
	*out = STEAL(job);
	return 0;
}

int inspect_job_fd(const struct inspect_job *job)
{
	return job->fd;
}

const struct inspect_facts *inspect_job_facts(const struct inspect_job *job)
{
	return &job->facts;
}

void inspect_job_free(struct inspect_job *job)
{
	if (!job)
		return;
	if (job->fd >= 0)
		close(job->fd);
	buf_deinit(&job->in);
	buf_deinit(&job->prints);
	free(job);
}

/* The end without a last frame. */
static int ended(struct inspect_job *job, const char *detail)
{
	facts_gap(&job->facts, job->about, job->first ? INSPECT_DIED : INSPECT_GONE, detail);
	job->facts.complete = true;
	return 0;
}

/* Whole frames that are there. V_AGAIN: more is needed. */
static int take_frames(struct inspect_job *job)
{
	size_t at = 0;
	int r = V_AGAIN;

	while (job->in.n - at >= 4 && r == V_AGAIN) {
		uint32_t n = get_be32(job->in.p + at);
		struct inspect_facts f;
		struct why why;
		int v;

		if (n > REPORT_FRAME_MAX)
			return ended(job, "its report was none");
		if (job->in.n - at - 4 < n)
			break;
		v = report_read(SPAN(job->in.p + at + 4, n), &f, &job->about, &why);
		if (v == V_AGAIN && !prints_read(SPAN(job->in.p + at + 4, n), &job->prints, &why)) {
			at += 4 + n;
			continue;
		}
		if (v == V_END) {
			facts_gap(&job->facts, job->about, f.gap[0].cause, f.gap[0].detail);
			job->facts.complete = true;
			return 0;
		}
		if (v)
			return ended(job, "its report was none");
		if (job->first) {
			f.has_hash = job->facts.has_hash;
			f.bytes = job->facts.bytes;
			f.hash = job->facts.hash;
		}
		job->first = true;
		job->facts = f;
		at += 4 + n;
		if (f.complete)
			r = 0;
	}
	memmove(job->in.p, job->in.p + at, job->in.n - at);
	job->in.n -= at;
	return r;
}

int inspect_job_step(struct inspect_job *job)
{
	while (!job->facts.complete) {
		ssize_t n;
		int r = buf_reserve(&job->in, REPORT_FRAME_MAX);

		if (r)
			return ended(job, "its report did not fit");
		n = read(job->fd, job->in.p + job->in.n, REPORT_FRAME_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return V_AGAIN;
		if (n <= 0)
			return ended(job, "");
		job->got += (size_t)n;
		job->in.n += (size_t)n;
		if (job->got > REPORT_MAX)
			return ended(job, "its report did not end");
		r = take_frames(job);
		if (r != V_AGAIN)
			return r;
	}
	return 0;
}

/* `prints`: what was made is appended there; NULL: nothing was asked for. */
static int ask_and_wait(struct inspect *in, int document, const struct inspect_ask *ask, struct buf *prints,
	struct inspect_facts *facts, struct why *why)
{
	_cleanup_(inspect_job_freep) struct inspect_job *job = NULL;
	uint32_t time_ms = ask->time_ms ? ask->time_ms : INSPECT_TIME_MS;
	int64_t end = clock_awake_us() + ((int64_t)time_ms + ask->ocr.document_ms + GRACE_MS) * 1000;
	int r = inspect_begin(in, document, ask, &job, why);

	if (r || !job) {
		inspect_nothing(facts, r == V_FULL ? INSPECT_BUSY : INSPECT_GONE, "");
		return r;
	}
	while (inspect_job_step(job) == V_AGAIN) {
		struct pollfd p = {.fd = job->fd, .events = POLLIN};
		int64_t left = end - clock_awake_us();

		if (left <= 0) {
			facts_gap(&job->facts, job->about, INSPECT_TOO_LONG, "");
			job->facts.complete = true;
			break;
		}
		if (poll(&p, 1, (int)(left / 1000 + 1)) < 0 && errno != EINTR)
			return -errno;
	}
	*facts = job->facts;
	return prints && job->prints.n ? buf_put_span(prints, buf_span(&job->prints)) : 0;
}

int inspect_document(
	struct inspect *in, int document, const struct inspect_ask *ask, struct inspect_facts *facts, struct why *why)
{
	return ask_and_wait(in, document, ask, NULL, facts, why);
}

int inspect_prints(struct inspect *in, int document, const uint8_t *key, uint32_t time_ms, struct buf *prints,
	struct inspect_facts *facts, struct why *why)
{
	const struct inspect_ask ask = {.text = true, .prints_key = key, .time_ms = time_ms};

	return ask_and_wait(in, document, &ask, prints, facts, why);
}
