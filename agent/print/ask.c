/*
 * The gate's wrapper asks its daemon. See ask.h.
 */
#include "agent/print/ask.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DOCUMENTS_LOOK_MAX 1000 /* of one job are counted */

/* By the name that was executed: argv[0] is the printer's URI, and /proc/self/exe follows links. */
bool ask_place(struct place *at)
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
	end = end ? end : copy;
	snprintf(at->kind, sizeof(at->kind), "%.31s", *end == '/' ? end + 1 : end);
	snprintf(at->tree, sizeof(at->tree), "%.*s", *end == '/' ? (int)(end - copy) : 1, *end == '/' ? copy : ".");
	return true;
}

bool ask_within(const struct place *at, const char *name, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", at->tree, name) < PATH_MAX;
}

/* --- asking --- */

/* At once or not at all: a queue of waiting wrappers that is full means that nobody takes them. */
int ask_open(const struct place *at)
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

int ask_put(struct buf *b, const char *name, const char *value)
{
	int r = value ? buf_putf(b, "%s=", name) : 0;

	return r || !value ? r : buf_put(b, value, strlen(value) + 1);
}

/* The documents as cupsd spooled them; a job on a queue without filters may have one that is only an argument. */
unsigned ask_documents(int argc, char **argv, int fds[REQUEST_DOCUMENTS_MAX], unsigned *there)
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
int ask_write(struct buf *b, const struct place *at, const char *ask, int argc, char **argv, unsigned documents)
{
	char count[16], files[16];
	int r = ask_put(b, "ask", ask);

	snprintf(count, sizeof(count), "%u", documents);
	/* On a queue without filters the documents are arguments. */
	snprintf(files, sizeof(files), "%d", argc > 6 ? argc - 6 : 0);
	r = r ? r : ask_put(b, "job", argv[1]);
	r = r ? r : ask_put(b, "user", argv[2]);
	r = r ? r : ask_put(b, "title", argv[3]);
	r = r ? r : ask_put(b, "copies", argv[4]);
	r = r ? r : ask_put(b, "scheme", at->name);
	r = r ? r : ask_put(b, "uri", argv[0]);
	r = r ? r : ask_put(b, "printer", getenv("PRINTER"));
	r = r ? r : ask_put(b, "class", getenv("CLASS"));
	r = r ? r : ask_put(b, "type", getenv("CONTENT_TYPE"));
	r = r ? r : ask_put(b, "info", getenv("PRINTER_INFO"));
	r = r ? r : ask_put(b, "location", getenv("PRINTER_LOCATION"));
	r = r ? r : ask_put(b, "auth-uid", getenv("AUTH_UID"));
	r = r ? r : ask_put(b, "lang", getenv("LANG"));
	r = r ? r : ask_put(b, "documents", count);
	r = r ? r : ask_put(b, "files", files);
	if (!r && strlen(argv[5]) < REQUEST_MAX - b->n - 16)
		r = ask_put(b, "options", argv[5]);
	return r;
}

int ask_send(int to, struct span bytes, const int *fds, unsigned n)
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
int ask_wait(int fd, int wait_ms, int *answer, char text[REQUEST_TEXT_MAX + 1])
{
	char got[1 + REQUEST_TEXT_MAX];
	struct timespec begun, now;
	int left = wait_ms, r;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		r = poll(&p, 1, left);
		if (r > 0)
			break;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = wait_ms - (int)((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000);
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
