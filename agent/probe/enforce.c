/*
 * Can this kernel enforce? Asked once, by load.c: a child of ours is denied an open, and must find it denied. Nothing
 * stays loaded, and nobody else's open is touched.
 */
#include "agent/probe/load.h"
#include "canary.skel.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

DEFINE_CLEANUP(struct canary_bpf *, canary_bpf__destroy)

/* Waits for the word, then tries: 0 when the open was denied, and only by the program. */
static int child_tries(int go)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char c;

	if (fd < 0)
		return 2; /* denied to begin with: that would prove nothing */
	close(fd);
	if (read(go, &c, 1) != 1)
		return 3;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 && errno == EPERM ? 0 : 1;
}

/* With the program in force: 0 where the child was denied. */
static int deny_and_ask(pid_t child, int go)
{
	_cleanup_(canary_bpf__destroyp) struct canary_bpf *canary = canary_bpf__open();
	int status;

	if (!canary)
		return -errno;
	canary->rodata->canary = (uint32_t)child;
	if (canary_bpf__load(canary) || canary_bpf__attach(canary))
		return -EOPNOTSUPP;
	if (write(go, "", 1) != 1 || waitpid(child, &status, 0) != child)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EOPNOTSUPP;
}

bool enforce_proven(void)
{
	int go[2], r;
	pid_t child;

	if (pipe2(go, O_CLOEXEC))
		return false;
	child = fork();
	if (child == 0) {
		close(go[1]);
		_exit(child_tries(go[0]));
	}
	close(go[0]);
	r = child > 0 ? deny_and_ask(child, go[1]) : -errno;
	close(go[1]);
	/* Where it was never told to try, the end of the pipe tells it to go. */
	if (child > 0 && r)
		waitpid(child, NULL, 0);
	return r == 0;
}
