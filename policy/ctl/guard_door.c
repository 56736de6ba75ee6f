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

static int connect_desk(struct ctl *c)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
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

static int read_line(int fd, struct buf *out)
{
	for (;;) {
		char bytes[4096];
		ssize_t n = read(fd, bytes, sizeof(bytes));
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

int guard_ask(struct ctl *c, const json_t *ask, json_t **answer)
{
	_cleanup_free_ char *text = json_dumps(ask, JSON_COMPACT);
	_cleanup_buf_ struct buf got = BUF_INIT(ANSWER_MAX);
	_cleanup_close_ int fd = connect_desk(c);
	char a[SHOWN_MAX];
	json_t *o;
	int r;

	if (fd < 0)
		return EXIT_MACHINE;
	r = text ? write_all(fd, text, strlen(text)) : -ENOMEM;
	r = r ? r : write_all(fd, "\n", 1);
	r = r ? r : read_line(fd, &got);
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
