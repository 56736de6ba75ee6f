/*
 * One file, handed to clamd by its INSTREAM command (policy/base/clamd.h). See scan.h.
 *
 * A stream, and not the descriptor (FILDES): where clamd is confined by AppArmor, as Debian's is, it may read no file
 * below /media, whoever opened it.
 */
#include "agent/guard/scan.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PART (64u << 10)

/* They become 3, 4 and 5; of all else that is open it has nothing. */
static bool keep_three(int file, int clamd, int out)
{
	int above[3] = {fcntl(file, F_DUPFD, 6), fcntl(clamd, F_DUPFD, 6), fcntl(out, F_DUPFD, 6)}, i;

	for (i = 0; i < 3; i++)
		if (above[i] < 0 || dup2(above[i], 3 + i) < 0)
			return false;
	return !syscall(SYS_close_range, 6u, ~0u, 0u);
}

/* clamd may have enough before the end, and says so: what it says is read all the same. */
static void send_file(uint64_t max)
{
	static uint8_t part[CLAMD_PART_HEAD + PART];
	uint64_t at = 0;
	ssize_t n = 0;

	if (write_all(4, CLAMD_COMMAND, sizeof(CLAMD_COMMAND)))
		return;
	while (at < max &&
		(n = pread(3, part + CLAMD_PART_HEAD, max - at < PART ? (size_t)(max - at) : PART, (off_t)at)) > 0) {
		clamd_part(part, (uint32_t)n);
		if (write_all(4, part, CLAMD_PART_HEAD + (size_t)n))
			return;
		at += (uint64_t)n;
	}
	/* A drive that was pulled ends it without an end: clamd then answers nothing that counts. */
	if (n < 0)
		_exit(1);
	clamd_part(part, 0);
	if (write_all(4, part, CLAMD_PART_HEAD))
		return;
}

static void pass_answer(void)
{
	uint8_t answer[CLAMD_ANSWER_MAX + 1];
	size_t got = 0;
	ssize_t n;

	while (got < sizeof(answer) && (n = read(4, answer + got, sizeof(answer) - got)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		got += (size_t)n;
		if (!answer[got - 1])
			break;
	}
	if (write_all(5, answer, got))
		_exit(1);
}

void scan_child(int file, int clamd, int out, uint64_t max)
{
	if (!keep_three(file, clamd, out) || fcntl(4, F_SETFL, 0) || fcntl(5, F_SETFL, 0))
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (confine_capset(0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || confine_syscalls(CONFINE_COMPUTE))
		_exit(1);
	send_file(max);
	pass_answer();
	_exit(0);
}
