/*
 * What the filter of system calls refuses, by name. The kernel's own log of it has numbers only, and is not there
 * without its audit. So a call that is refused raises SIGSYS, and the handler answers EPERM in its place: the caller
 * sees what it would see without. See confine.h. Nothing in the handler may take a lock, or memory.
 */
#include "policy/base/cleanup.h"
#include "policy/base/confine_parts.h"
#include "policy/base/log.h"
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define CALLS_MAX 512u /* Linux 6.18 has 470; what is beyond counts as the last */
#define NAME_SIZE 32u

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code, in libc's headers from 2.31 on */
#endif

/* Where the answer of a system call stands, in what a handler goes back to. */
#if defined(__x86_64__)
#define CAN_ANSWER 1
#define ANSWER(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define CAN_ANSWER 1
#define ANSWER(context) ((context)->uc_mcontext.regs[0])
#else
#define CAN_ANSWER 0
#endif

static char names[CALLS_MAX][NAME_SIZE];
static uint32_t refused[CALLS_MAX]; /* not taken yet */
static bool told[CALLS_MAX];
static bool waiting;
static char before[NAME_SIZE + 48]; /* how a line of the log begins */

uint32_t confine_refuse(void)
{
	return CAN_ANSWER ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM);
}

#if CAN_ANSWER
static void tell(const char *name)
{
	static const char after[] = ", which this program never makes\n";
	char line[sizeof(before) + sizeof(after) + NAME_SIZE];
	size_t n = strnlen(before, sizeof(before)), name_n = strnlen(name, NAME_SIZE);

	memcpy(line, before, n);
	memcpy(line + n, name, name_n);
	memcpy(line + n + name_n, after, sizeof(after) - 1);
	n += name_n + sizeof(after) - 1;
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody hears; it is counted all the same */
}

static void on_refused(int number, siginfo_t *info, void *context)
{
	int was = errno;
	unsigned n = (unsigned)info->si_syscall < CALLS_MAX ? (unsigned)info->si_syscall : CALLS_MAX - 1;

	/* Sent by somebody, it ends the process as it always did. */
	if (info->si_code != SYS_SECCOMP) {
		struct sigaction usual = {.sa_handler = SIG_DFL};

		sigaction(number, &usual, NULL);
		raise(number);
		return;
	}
	__atomic_add_fetch(&refused[n], 1, __ATOMIC_RELAXED);
	__atomic_store_n(&waiting, true, __ATOMIC_RELEASE);
	if (!__atomic_exchange_n(&told[n], true, __ATOMIC_RELAXED))
		tell(names[n]);
	errno = was;
	ANSWER((ucontext_t *)context) = -EPERM;
}

int confine_hear(void)
{
	/* A call that is refused within the handler is one of ours, and is told like any other. */
	struct sigaction a = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
	unsigned i;

	sigemptyset(&a.sa_mask);
	/* log.h has the two forms of a line. */
	snprintf(before, sizeof(before), "%s%.30s%srefused the system call ", getenv("JOURNAL_STREAM") ? "<4>" : "",
		getenv("JOURNAL_STREAM") ? "" : log_name(), getenv("JOURNAL_STREAM") ? "" : ": ");
	for (i = 0; i < CALLS_MAX && !names[CALLS_MAX - 1][0]; i++) {
		_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)i);

		if (name)
			snprintf(names[i], NAME_SIZE, "%s", name);
		else
			snprintf(names[i], NAME_SIZE, "number %u", i);
	}
	return sigaction(SIGSYS, &a, NULL) ? -errno : 0;
}
#else
int confine_hear(void)
{
	return 0;
}
#endif

bool confine_refused(void)
{
	return __atomic_load_n(&waiting, __ATOMIC_ACQUIRE);
}

int confine_refusal_take(struct confine_refusal *out)
{
	unsigned i;

	__atomic_store_n(&waiting, false, __ATOMIC_RELAXED);
	for (i = 0; i < CALLS_MAX; i++) {
		uint32_t n = __atomic_exchange_n(&refused[i], 0, __ATOMIC_ACQ_REL);

		if (!n)
			continue;
		/* There may be more. */
		__atomic_store_n(&waiting, true, __ATOMIC_RELEASE);
		*out = (struct confine_refusal){.name = names[i], .number = i, .count = n};
		return 0;
	}
	return V_END;
}
