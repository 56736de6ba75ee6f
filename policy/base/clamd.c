/*
 * See clamd.h.
 */
#include "policy/base/clamd.h"
#include "policy/base/cleanup.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define STREAM "stream: "

static bool ends_with(struct span s, const char *what)
{
	size_t n = strlen(what);

	return s.n >= n && memcmp(s.p + s.n - n, what, n) == 0;
}

int clamd_connect(const char *path)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	return steal_fd(&fd);
}

enum clamd_verdict clamd_answer(struct span s, char name[CLAMD_NAME_MAX])
{
	static const char found[] = " FOUND", error[] = "ERROR";

	name[0] = 0;
	/* One NUL, at the end. */
	if (!s.n || s.n > CLAMD_ANSWER_MAX || memchr(s.p, 0, s.n) != s.p + s.n - 1)
		return CLAMD_NONE;
	s.n--;
	if (ends_with(s, error)) {
		text_escape_to(name, CLAMD_NAME_MAX, s);
		return CLAMD_FAILED;
	}
	if (!span_begins(s, STREAM))
		return CLAMD_NONE;
	s = SPAN(s.p + strlen(STREAM), s.n - strlen(STREAM));
	if (span_eq(s, SPAN_STR("OK")))
		return CLAMD_CLEAN;
	if (s.n <= strlen(found) || !ends_with(s, found))
		return CLAMD_NONE;
	text_escape_to(name, CLAMD_NAME_MAX, SPAN(s.p, s.n - strlen(found)));
	return CLAMD_FOUND;
}
