/*
 * A system call made by another process, as a debugger makes it: inject PID NUMBER [ARGUMENT]..., where an argument is
 * a number, or s:TEXT for a string in that process's memory. Prints what came of it: "done", the name of an errno, or
 * "killed" where the process was ended for it. inject after PROGRAM [ARGUMENT]... starts a program and makes the calls
 * that its standard input has a line each, at the moment when one of its processes has filtered its system calls: for
 * those that live too short. inject follow PID does so with a process that was stopped (SIGSTOP) before it became the
 * program: one that systemd started, in its unit. For tests/flow/parts/forbidden, which tries what a program of ours
 * must not be able to do from inside of it, so that no program has to have a part for tests. Never for a process that
 * is not the test's own. Ends with 77 where it is built for another processor than x86-64.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
#define ARGS 6
#define ROOM 512 /* below the red zone of its stack */
#define TRIES 200
#define FOLLOWED                                                                                                       \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
		PTRACE_O_EXITKILL)

static int die(const char *what)
{
	perror(what);
	return 3;
}

static int poke(pid_t pid, unsigned long at, const void *from, size_t n)
{
	unsigned long word;
	size_t i;

	for (i = 0; i < n; i += sizeof(word)) {
		memcpy(&word, (const char *)from + i, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, at + i, word))
			return -1;
	}
	return 0;
}

static int peek(pid_t pid, unsigned long at, void *to, size_t n)
{
	long word;
	size_t i;

	for (i = 0; i < n; i += sizeof(word)) {
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, pid, at + i, NULL);
		if (errno)
			return -1;
		memcpy((char *)to + i, &word, sizeof(word));
	}
	return 0;
}

/* Stopped while it waits in a system call: there is the instruction that makes one, just before. */
static int stop_in_call(pid_t pid, struct user_regs_struct *regs)
{
	int i, status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD))
		return -1;
	for (i = 0; i < TRIES; i++) {
		unsigned short code = 0;
		unsigned long word = 0;

		if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) || waitpid(pid, &status, __WALL) != pid ||
			!WIFSTOPPED(status))
			return -1;
		if (ptrace(PTRACE_GETREGS, pid, NULL, regs) || peek(pid, regs->rip - 2, &word, sizeof(word)))
			return -1;
		memcpy(&code, &word, sizeof(code));
		if ((long)regs->orig_rax >= 0 && code == 0x050f)
			return 0;
		if (ptrace(PTRACE_CONT, pid, NULL, NULL))
			return -1;
		usleep(10000);
	}
	errno = EAGAIN;
	return -1;
}

/* To its entry, and to its end. The status that waitpid gave last. */
static int run(pid_t pid)
{
	int status = 0, i;

	for (i = 0; i < 2; i++) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) || waitpid(pid, &status, __WALL) != pid)
			return -1;
		if (!WIFSTOPPED(status))
			break;
	}
	return status;
}

/* Is SIGSYS on its way to it? */
static int dies(pid_t pid)
{
	char path[64], line[128];
	unsigned long pending = 0, bits;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %lx", &bits) == 1 || sscanf(line, "ShdPnd: %lx", &bits) == 1)
			pending |= bits;
	if (f)
		fclose(f);
	return pending >> (SIGSYS - 1) & 1;
}

/* Past a trap, as if there were none. */
static int step_over(pid_t pid, unsigned long at, unsigned long code, unsigned long trap, struct user_regs_struct *regs)
{
	int status;

	regs->rip = at;
	if (poke(pid, at, &code, sizeof(code)) || ptrace(PTRACE_SETREGS, pid, NULL, regs) ||
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, __WALL) != pid ||
		!WIFSTOPPED(status))
		return -1;
	return poke(pid, at, &trap, sizeof(trap));
}

/*
 * SIGSYS goes its way: it ends the process, or its handler comes back to where the call was, with an answer. The status
 * that waitpid gave last, and the registers then.
 */
static int answer_of_handler(pid_t pid, struct user_regs_struct *now)
{
	unsigned long code = 0, trap, back = now->rip, stack = now->rsp;
	int status, deliver = 0;

	/* The call's own place is made a trap: nothing else stops a handler that makes calls itself. */
	if (peek(pid, back, &code, sizeof(code)))
		return -1;
	trap = (code & ~0xfful) | 0xcc;
	if (poke(pid, back, &trap, sizeof(trap)))
		return -1;
	for (;;) {
		if (ptrace(PTRACE_CONT, pid, NULL, deliver) || waitpid(pid, &status, __WALL) != pid)
			return -1;
		if (!WIFSTOPPED(status))
			return status;
		deliver = WSTOPSIG(status);
		if (deliver == SIGTRAP) {
			if (ptrace(PTRACE_GETREGS, pid, NULL, now))
				return -1;
			if (now->rip == back + 1 && now->rsp == stack)
				break;
			/* The handler itself writes, and the process was held where it did. */
			if (now->rip == back + 1 && step_over(pid, back, code, trap, now))
				return -1;
			deliver = 0;
		}
	}
	return poke(pid, back, &code, sizeof(code)) ? -1 : status;
}

/* The kernel's own answers to a call that was interrupted (ERESTART*): made again, as it would have been. */
static void take_up_again(struct user_regs_struct *regs)
{
	long r = (long)regs->rax;

	if (r == -512 || r == -513 || r == -514)
		regs->rax = regs->orig_rax;
	else if (r == -516)
		regs->rax = 219; /* restart_syscall */
	else
		return;
	regs->rip -= 2;
}

/* One call, by a process that is stopped where it has made one: argv is its number and its arguments. Says what came of
 * it. */
static int make_call(pid_t pid, struct user_regs_struct was, int argc, char **argv)
{
	struct user_regs_struct now;
	unsigned long arg[ARGS] = {0};
	char memory[ROOM], strings[ROOM] = {0};
	size_t used = 0;
	int i, status;

	if (argc < 1 || argc > 1 + ARGS)
		return 2;
	for (i = 1; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (strncmp(argv[i], "s:", 2) != 0) {
			arg[i - 1] = strtoul(argv[i], NULL, 0);
			continue;
		}
		if (used + n > ROOM)
			return 2;
		arg[i - 1] = ((was.rsp - 2 * ROOM) & ~7ul) + used;
		memcpy(strings + used, argv[i] + 2, n - 1);
		used = (used + n + 7) & ~(size_t)7;
	}
	if (peek(pid, (was.rsp - 2 * ROOM) & ~7ul, memory, ROOM) ||
		poke(pid, (was.rsp - 2 * ROOM) & ~7ul, strings, ROOM))
		return die("memory");
	now = was;
	now.rip -= 2;
	now.orig_rax = (unsigned long)-1;
	now.rax = strtoul(argv[0], NULL, 0);
	now.rdi = arg[0];
	now.rsi = arg[1];
	now.rdx = arg[2];
	now.r10 = arg[3];
	now.r8 = arg[4];
	now.r9 = arg[5];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &now))
		return die("registers");
	status = run(pid);
	if (status == -1)
		return die("run");
	/* Another program now: of what it was nothing is there to go back to. */
	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
		puts("done");
		return 0;
	}
	if (WIFSTOPPED(status) && ptrace(PTRACE_GETREGS, pid, NULL, &now))
		return die("registers");
	/* Refused by seccomp: for good, or the program's own handler answers in the call's place. */
	if (WIFSTOPPED(status) && dies(pid)) {
		status = answer_of_handler(pid, &now);
		if (status == -1)
			return die("handler");
	}
	if (!WIFSTOPPED(status)) {
		puts("killed");
		return 0;
	}
	/* Where it was, ready for another one. */
	if (poke(pid, (was.rsp - 2 * ROOM) & ~7ul, memory, ROOM) || ptrace(PTRACE_SETREGS, pid, NULL, &was))
		return die("back");
	puts((long)now.rax >= 0 ? "done" : strerrorname_np(-(int)now.rax));
	return 0;
}

static int into_running(pid_t pid, int argc, char **argv)
{
	struct user_regs_struct was;
	int r;

	if (stop_in_call(pid, &was))
		return die("stop");
	r = make_call(pid, was, argc, argv);
	if (r || kill(pid, 0))
		return r;
	take_up_again(&was);
	/* Not a call any more: nothing of it is made again on the way back. */
	was.orig_rax = (unsigned long)-1;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &was) || ptrace(PTRACE_DETACH, pid, NULL, NULL))
		return errno == ESRCH ? 0 : die("back");
	return 0;
}

/* Until one of the processes has filtered its system calls: its id, where it comes back from seccomp(2). -1: none did.
 */
static pid_t follow(struct user_regs_struct *regs)
{
	int status, deliver;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status))
			continue;
		deliver = WSTOPSIG(status);
		if (deliver == (SIGTRAP | 0x80)) {
			if (ptrace(PTRACE_GETREGS, pid, NULL, regs))
				return -1;
			/* SECCOMP_SET_MODE_FILTER; on the way in there is -ENOSYS. */
			if (regs->orig_rax == SYS_seccomp && regs->rdi == 1 && !regs->rax)
				return pid;
			deliver = 0;
		} else if (status >> 16 || deliver == SIGSTOP) {
			deliver = 0; /* the tracer's own: a child, its first stop */
		}
		if (ptrace(PTRACE_SYSCALL, pid, NULL, deliver) && errno != ESRCH)
			return -1;
	}
	return -1;
}

/* The program, stopped before its first instruction. */
static pid_t start(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
			ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
			_exit(127);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, pid, NULL, FOLLOWED) || ptrace(PTRACE_SYSCALL, pid, NULL, 0))
		return -1;
	return pid;
}

/* A process that others started, and that waits to go on. */
static int take(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, FOLLOWED) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
		waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		return -1;
	return kill(pid, SIGCONT) || ptrace(PTRACE_SYSCALL, pid, NULL, 0) ? -1 : 0;
}

/* Lines of standard input, each a call, by what was started, or taken. It ends with this. */
static int calls(const char *name)
{
	struct user_regs_struct was;
	char line[ROOM], *word[1 + ARGS], *at;
	int n, r = 0;
	pid_t pid = follow(&was);

	if (pid < 0) {
		fprintf(stderr, "%s: no process of it has filtered its system calls\n", name);
		return 3;
	}
	while (!r && fgets(line, sizeof(line), stdin)) {
		n = 0;
		for (at = strtok(line, " \n"); at && n < 1 + ARGS; at = strtok(NULL, " \n"))
			word[n++] = at;
		r = make_call(pid, was, n, word);
	}
	return r;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "after"))
		return start(argv + 2) < 0 ? die(argv[2]) : calls(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "follow"))
		return take((pid_t)atoi(argv[2])) ? die(argv[2]) : calls(argv[2]);
	return argc < 3 ? 2 : into_running((pid_t)atoi(argv[1]), argc - 2, argv + 2);
}
#else
int main(void)
{
	puts("only for x86-64");
	return 77;
}
#endif
