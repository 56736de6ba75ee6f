/* See arguments.h. Called by main.c and running.c. */
#include "agent/recorder/arguments.h"
#include "agent/probe/event.h"
#include "policy/base/confine.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 1000

/* The number again, and what there is to say: a word of no length would look like the end. */
struct answer {
	uint32_t pid;
	char args[EVENT_ARGS_MAX + 1];
};

static size_t take(const char *proc, uint32_t pid, char *out, size_t size)
{
	char path[128];
	size_t n = 0;
	ssize_t got = 1;
	int fd;

	snprintf(path, sizeof(path), "%s/%u/cmdline", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < size && got > 0) {
		got = read(fd, out + n, size - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	return n;
}

static _Noreturn void answer(int fd, const char *proc)
{
	struct answer a;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Of what the recorder has open, this alone. */
	if ((fd != 3 && dup3(fd, 3, O_CLOEXEC) != 3) || close_range(4, ~0u, 0) ||
		confine_syscalls(CONFINE_PARSE | CONFINE_READS))
		_exit(1);
	while (read(3, &a.pid, sizeof(a.pid)) == sizeof(a.pid)) {
		size_t n = take(proc, a.pid, a.args, sizeof(a.args));

		if (write(3, &a, offsetof(struct answer, args) + n) < 0)
			break;
	}
	_exit(0);
}

int arguments_start(struct arguments *a, const char *proc)
{
	int pair[2];

	*a = (struct arguments){.child = 0};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	a->child = fork();
	if (a->child < 0) {
		int r = -errno;

		close(pair[0]);
		close(pair[1]);
		a->child = 0;
		return r;
	}
	if (a->child == 0)
		answer(pair[1], proc);
	close(pair[1]);
	a->fd = pair[0];
	return 0;
}

bool arguments_get(struct arguments *a, uint32_t pid, struct buf *out)
{
	struct pollfd wait = {.fd = a->fd, .events = POLLIN};
	struct answer said = {.pid = 0};
	ssize_t n = -1;

	buf_clear(out);
	if (!a->child)
		return false;
	if (send(a->fd, &pid, sizeof(pid), MSG_NOSIGNAL) == sizeof(pid)) {
		if (poll(&wait, 1, PATIENCE_MS) == 0)
			log_warning("process %u lets nobody look at its arguments; those of what ran before recording "
				    "began are not told",
				pid);
		else
			n = read(a->fd, &said, sizeof(said));
	}
	if (n < (ssize_t)offsetof(struct answer, args) || said.pid != pid) {
		arguments_end(a);
		return false;
	}
	return !buf_put(out, said.args, (size_t)n - offsetof(struct answer, args));
}

void arguments_end(struct arguments *a)
{
	if (!a->child)
		return;
	close(a->fd);
	/* Where it waits in the kernel it ends all the same: that wait gives way to this signal. */
	kill(a->child, SIGKILL);
	waitpid(a->child, NULL, 0);
	a->child = 0;
}
