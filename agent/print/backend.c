/*
 * The gate's wrapper: lies in the gate's ServerBin under the name of every backend, and is run by cupsd in its place.
 * Asks the daemon whether this job may print, hands it the spooled documents, waits at most 1.5 s, and then becomes the
 * real backend by execv: same arguments, descriptors, user, process. As `notifier/sekisho` it wakes the daemon when
 * cupsd tells that something happened.
 *
 * What must never happen here: a child or a descriptor left behind (cupsd waits for both), a signal's disposition
 * changed, a shell, a wait without an end where the policy lets jobs pass, or a job lost. cupsd takes a backend that a
 * signal killed for one that worked.
 */
#include "agent/print/request.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* cups/backend.h, without its library. */
enum { EXIT_HOLD = 3, EXIT_STOP = 4, EXIT_CANCEL = 5 };

#define DOCUMENTS_LOOK_MAX 1000 /* of one job are counted */
#define RETRY_SECONDS 1

struct place {
	char name[NAME_MAX + 1]; /* of the backend: "ipp" */
	char tree[PATH_MAX];     /* the gate's ServerBin */
	bool notifier;
};

/* By the name that was executed: argv[0] is the printer's URI, and /proc/self/exe follows links. */
static bool find_place(struct place *at)
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	char copy[PATH_MAX], *end;

	if (!path || snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return false;
	end = strrchr(copy, '/');
	if (!end || strlen(end + 1) >= sizeof(at->name))
		return false;
	memcpy(at->name, end + 1, strlen(end + 1) + 1);
	*end = 0;
	end = strrchr(copy, '/');
	at->notifier = !strcmp(end ? end + 1 : copy, "notifier");
	snprintf(at->tree, sizeof(at->tree), "%.*s", end ? (int)(end - copy) : 1, end ? copy : ".");
	return true;
}

static bool within(const struct place *at, const char *name, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", at->tree, name) < PATH_MAX;
}

/* --- asking --- */

/* At once or not at all: a queue of waiting wrappers that is full means that nobody takes them. */
static int open_gate(const struct place *at)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (snprintf(to.sun_path, sizeof(to.sun_path), "%s/" REQUEST_SOCKET, at->tree) >= (int)sizeof(to.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	return steal_fd(&fd);
}

static int put(struct buf *b, const char *name, const char *value)
{
	int r = value ? buf_putf(b, "%s=", name) : 0;

	return r || !value ? r : buf_put(b, value, strlen(value) + 1);
}

/* The documents as cupsd spooled them; a job on a queue without filters may have one that is only an argument. */
static unsigned open_documents(int argc, char **argv, int fds[REQUEST_DOCUMENTS_MAX], unsigned *there)
{
	const char *spool = getenv("CUPS_REQUESTROOT");
	unsigned n = 0, k;
	char path[PATH_MAX];

	*there = 0;
	for (k = 1; spool && k <= DOCUMENTS_LOOK_MAX; k++) {
		int fd;

		if (snprintf(path, sizeof(path), "%s/d%05ld-%03u", spool, strtol(argv[1], NULL, 10), k) >=
			(int)sizeof(path))
			break;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			break;
		*there = k;
		if (n < REQUEST_DOCUMENTS_MAX)
			fds[n++] = fd;
		else
			close(fd);
	}
	for (k = 6; !*there && argv[k] && (int)k < argc && n < REQUEST_DOCUMENTS_MAX; k++) {
		fds[n] = open(argv[k], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		n += fds[n] >= 0;
	}
	if (!*there)
		*there = n;
	return n;
}

/* Options that would make the message too long are left out: the daemon has them from CUPS as well. */
static int write_question(struct buf *b, const struct place *at, const char *ask, char **argv, unsigned documents)
{
	char count[16];
	int r = put(b, "ask", ask);

	snprintf(count, sizeof(count), "%u", documents);
	r = r ? r : put(b, "job", argv[1]);
	r = r ? r : put(b, "user", argv[2]);
	r = r ? r : put(b, "title", argv[3]);
	r = r ? r : put(b, "copies", argv[4]);
	r = r ? r : put(b, "scheme", at->name);
	r = r ? r : put(b, "uri", argv[0]);
	r = r ? r : put(b, "printer", getenv("PRINTER"));
	r = r ? r : put(b, "class", getenv("CLASS"));
	r = r ? r : put(b, "type", getenv("CONTENT_TYPE"));
	r = r ? r : put(b, "info", getenv("PRINTER_INFO"));
	r = r ? r : put(b, "location", getenv("PRINTER_LOCATION"));
	r = r ? r : put(b, "auth-uid", getenv("AUTH_UID"));
	r = r ? r : put(b, "lang", getenv("LANG"));
	r = r ? r : put(b, "documents", count);
	if (!r && strlen(argv[5]) < REQUEST_MAX - b->n - 16)
		r = put(b, "options", argv[5]);
	return r;
}

static int send_question(int to, struct span bytes, const int *fds, unsigned n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * REQUEST_DOCUMENTS_MAX)];
	} control = {.room = {0}};
	struct iovec part = {.iov_base = (void *)bytes.p, .iov_len = bytes.n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	if (n) {
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The answer within the time, signals or not. 0 with *answer; V_AGAIN without one. */
static int wait_answer(int fd, int *answer, char text[REQUEST_TEXT_MAX + 1])
{
	char got[1 + REQUEST_TEXT_MAX];
	struct timespec begun, now;
	int left = REQUEST_WAIT_MS, r;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		r = poll(&p, 1, left);
		if (r > 0)
			break;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = REQUEST_WAIT_MS -
		       (int)((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000);
		if (r == 0 || left <= 0)
			return V_AGAIN;
	}
	n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	if (n < 1)
		return V_AGAIN;
	*answer = (unsigned char)got[0];
	memcpy(text, got + 1, (size_t)n - 1);
	text[n - 1] = 0;
	return 0;
}

/* 0 with the daemon's answer; V_AGAIN where it is not there, or does not answer. */
static int ask_gate(const struct place *at, int argc, char **argv, int *answer, char text[REQUEST_TEXT_MAX + 1],
	unsigned *documents)
{
	_cleanup_buf_ struct buf question = BUF_INIT(REQUEST_MAX);
	_cleanup_close_ int gate = open_gate(at);
	bool again = getenv(REQUEST_SEEN) != NULL;
	int fds[REQUEST_DOCUMENTS_MAX], r;
	unsigned n = open_documents(argc, argv, fds, documents), i;

	/* A backend that runs another one, for the printer that it chose: the job has been asked about. */
	r = gate < 0 || write_question(&question, at, again ? "route" : "print", argv, *documents) ||
			    send_question(gate, buf_span(&question), fds, again ? 0 : n)
		    ? V_AGAIN
		    : 0;
	for (i = 0; i < n; i++)
		close(fds[i]);
	if (again) {
		*answer = ANSWER_PASS;
		return 0;
	}
	return r ? r : wait_answer(gate, answer, text);
}

/* --- what to do --- */

/* On the job's line in every print dialogue: cupsd takes it for job-printer-state-message. */
static void tell_person(const char *text)
{
	if (*text)
		dprintf(STDERR_FILENO, "ERROR: %s\n", text);
}

static void tell_unavailable(void)
{
	const char *lang = getenv("LANG");

	tell_person(lang && !strncmp(lang, "ja", 2)
			    ? "[Sekisho] 印刷ゲートが応答しないため保留しました。復旧後に自動で印刷されます。"
			    : "[Sekisho] Held: the print gate does not answer. It prints when the gate is back.");
}

/* Returns where the job may print; else ends the process with what cupsd shall do. */
static void judge(const struct place *at, int argc, char **argv)
{
	char text[REQUEST_TEXT_MAX + 1] = "", closed[PATH_MAX];
	bool told = false;
	unsigned documents;
	int answer = ANSWER_PASS;

	while (ask_gate(at, argc, argv, &answer, text, &documents)) {
		if (!within(at, REQUEST_CLOSED, closed) || access(closed, F_OK))
			return;
		if (!told)
			tell_unavailable();
		told = true;
		if (documents < 2)
			_exit(EXIT_HOLD);
		/* cupsd aborts a job of several documents whose backend ends early: it waits here instead. */
		sleep(RETRY_SECONDS);
	}
	if (answer == ANSWER_PASS)
		return;
	tell_person(text);
	_exit(answer == ANSWER_CANCEL ? EXIT_CANCEL : EXIT_HOLD);
}

/* cupsd writes an IPP message for each event; that one came is all that the daemon needs: it asks CUPS itself. */
static int notify(const struct place *at)
{
	static const char event[] = "ask=event";
	char skipped[4096];

	for (;;) {
		ssize_t n = read(STDIN_FILENO, skipped, sizeof(skipped));
		_cleanup_close_ int gate = -1;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		gate = open_gate(at);
		if (gate >= 0)
			send_question(gate, SPAN(event, sizeof(event)), NULL, 0);
	}
}

int main(int argc, char **argv)
{
	struct place at;
	char real[PATH_MAX];

	if (!find_place(&at)) {
		tell_person("sekisho: run by cupsd only");
		return EXIT_STOP;
	}
	if (at.notifier)
		return notify(&at);
	if (argc >= 6)
		judge(&at, argc, argv);
	if (snprintf(real, sizeof(real), "%s/" REQUEST_STOCK "/backend/%s", at.tree, at.name) < (int)sizeof(real)) {
		setenv(REQUEST_SEEN, "1", 1);
		execv(real, argv);
	}
	dprintf(STDERR_FILENO, "ERROR: [Sekisho] the backend %s of CUPS cannot be run: %s\n", at.name, strerror(errno));
	return EXIT_STOP;
}
