/* Datagrams between the agent's programs: see word.h. */
#include "agent/service/word.h"
#include "policy/base/file.h"
#include "policy/wire/agent_conf.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address(const char *path, struct sockaddr_un *at)
{
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	return agent_path(at->sun_path, sizeof(at->sun_path), path) ? -ENAMETOOLONG : 0;
}

/*
 * Whoever may write in the folder could listen there before the receiver does. In a sticky folder he cannot take its
 * place afterwards, and who owns the name is who listens.
 */
static bool entitled(const struct sockaddr_un *at)
{
	struct stat st;

	return !lstat(at->sun_path, &st) && (!st.st_uid || st.st_uid == geteuid());
}

int word_sender(int *out)
{
	*out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *out < 0 ? -errno : 0;
}

int word_send(int fd, const char *path, struct span word)
{
	struct sockaddr_un to;
	int r = address(path, &to);

	if (r)
		return r;
	if (!entitled(&to))
		return V_NOT_FOUND;
	if (sendto(fd, word.p, word.n, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) >= 0)
		return 0;
	return errno == ENOENT || errno == ECONNREFUSED ? V_NOT_FOUND
	       : errno == EAGAIN || errno == ENOBUFS    ? V_FULL
							: -errno;
}

bool word_heard(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un to;

	return !address(path, &to) && entitled(&to) && !word_sender(&fd) &&
	       !connect(fd, (struct sockaddr *)&to, sizeof(to));
}

int word_listen(const char *path, gid_t gid, int *out)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un at;
	int r = fd < 0 ? -errno : address(path, &at);
	mode_t mask;

	if (r)
		return r;
	if (unlink(at.sun_path) && errno != ENOENT)
		return -errno;
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
	umask(mask);
	if (!r && gid != (gid_t)-1 && (lchown(at.sun_path, (uid_t)-1, gid) || chmod(at.sun_path, 0620)))
		r = -errno;
	if (r)
		return r;
	*out = steal_fd(&fd);
	return 0;
}

void word_unname(const char *path)
{
	struct sockaddr_un at;

	if (!address(path, &at))
		unlink(at.sun_path);
}

void word_unlisten(const char *path, int *fd)
{
	if (*fd >= 0)
		word_unname(path);
	closep(fd);
}
