/*
 * See guard_door.h.
 */
#include "policy/ctl/guard_door.h"
#include "policy/base/file.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define DESK_PATH "/run/sekisho/guard.sock"
#define ANSWER_MAX (1u << 20)
#define PATIENCE_S 10

/* `patience_s` 0: as long as it takes; a guard that ends hangs up. */
static int connect_desk(struct ctl *c, unsigned patience_s)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = patience_s};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	layout_path(at.sun_path, sizeof(at.sun_path), DESK_PATH);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return -errno;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		complain(EXIT_MACHINE, SAY(c, "the guard does not run here: %s", "ガードが動作していません: %s"),
			strerror(errno));
		return -errno;
	}
	return steal_fd(&fd);
}

/* read(2), and the file that may come with it; a second one is none that anybody asked for. */
static ssize_t read_with(int fd, char *bytes, size_t size, int *file)
{
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} with;
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &with, .msg_controllen = sizeof(with.room)};
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int))) {
		closep(file);
		memcpy(file, CMSG_DATA(h), sizeof(int));
	}
	return n;
}

/* `file` may be NULL. */
static int read_line(int fd, struct buf *out, int *file)
{
	for (;;) {
		char bytes[4096];
		ssize_t n = file ? read_with(fd, bytes, sizeof(bytes), file) : read(fd, bytes, sizeof(bytes));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		r = buf_put(out, bytes, (size_t)n);
		if (r)
			return r;
		if (memchr(bytes, '\n', (size_t)n))
			return 0;
	}
}

static int ask_guard(struct ctl *c, const json_t *ask, json_t **answer, int *file)
{
	_cleanup_free_ char *text = json_dumps(ask, JSON_COMPACT);
	_cleanup_buf_ struct buf got = BUF_INIT(ANSWER_MAX);
	_cleanup_close_ int fd = connect_desk(c, file ? 0 : PATIENCE_S);
	char a[SHOWN_MAX];
	json_t *o;
	int r;

	if (fd < 0)
		return EXIT_MACHINE;
	r = text ? write_all(fd, text, strlen(text)) : -ENOMEM;
	r = r ? r : write_all(fd, "\n", 1);
	r = r ? r : read_line(fd, &got, file);
	if (r)
		return complain_of(c, SAY(c, "guard", "ガード"), r < 0 ? r : -EMSGSIZE, NULL);
	o = json_loadb((const char *)got.p, got.n, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
	if (!json_is_object(o)) {
		json_decref(o);
		return complain(
			EXIT_PROBLEM, SAY(c, "the guard's answer cannot be read", "ガードの応答を解釈できません"));
	}
	if (json_object_get(o, "error")) {
		r = complain(EXIT_PROBLEM, "%s", door_reason(c, a, o));
		json_decref(o);
		return r;
	}
	*answer = o;
	return EXIT_GOOD;
}

int guard_ask(struct ctl *c, const json_t *ask, json_t **answer)
{
	return ask_guard(c, ask, answer, NULL);
}

int guard_ask_file(struct ctl *c, const json_t *ask, json_t **answer, int *fd)
{
	*fd = -1;
	return ask_guard(c, ask, answer, fd);
}
