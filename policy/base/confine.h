/*
 * Giving power up, in this order: take what needs privilege; become the program's own user; no new privileges; seccomp;
 * then meet the world. The one user of libseccomp. Every step is final.
 */
#ifndef SEKISHO_BASE_CONFINE_H
#define SEKISHO_BASE_CONFINE_H

#include "policy/base/why.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Becomes `user` with its groups, drops every capability (also ambient and bounding where possible) and sets
 * no_new_privs (prctl(2)). A process that is not root keeps its user, loses the rest all the same. 0; V_NOT_FOUND where
 * there is no such user; -errno.
 */
int confine_user(const char *user, struct why *why);

/*
 * The same for a program of ours: below a test's prefix (SEKISHO_ROOT), on a machine without that user, it stays root
 * without capabilities instead. *stayed says so, for the caller to log.
 */
int confine_program(const char *user, bool *stayed, struct why *why);

/*
 * For a program that cannot do without some of root's power: drops every capability but those of `keep` (bits of
 * CAP_*), also from the bounding set, so that no child gains others, and sets no_new_privs. 0, -errno.
 */
int confine_capabilities(uint64_t keep);

/* Of what it holds now, a process keeps these and no others; for a child, which cannot end the bounding set. 0, -errno.
 */
int confine_capset(uint64_t keep);

/* A bit of `keep`, of a CAP_* of capabilities(7). */
#define CONFINE_CAP(cap) (UINT64_C(1) << (cap))

/* System calls by what a program does after start. Every profile allows memory, time, signals, and ending. */
enum confine_profile {
	/* for a child that may be taken over: memory, what is open, its own end; nothing is executable that was not */
	CONFINE_PARSE,
	CONFINE_COMPUTE, /* read, write and close what is open; nothing can be opened: for children that parse */
	/* also files: open, rename, unlink, fsync, locks, directories, epoll, eventfd, inotify, timerfd */
	CONFINE_FILES,
	CONFINE_LOCAL,         /* also sockets of this machine (AF_UNIX): a bus, a name service; no network */
	CONFINE_SERVER,        /* also sockets, of this machine and of IP, and netlink (what addresses there are) */
	CONFINE_MAPS = 1 << 8, /* added to one of them: also bpf(2), but only on what is open: elements of maps, and
				  what it is */
	/* added to CONFINE_LOCAL: also mount and umount, sockets that it serves, children that become somebody else */
	CONFINE_DEVICES = 1 << 9,
	/* added to CONFINE_PARSE: also open(2) for reading; where confine_paths() says which */
	CONFINE_READS = 1 << 10,
	/* added to CONFINE_COMPUTE: files can be read, and a bus of this machine spoken to: for a child that says one
	   thing */
	CONFINE_SPEAK = 1 << 11,
	/* added to CONFINE_LOCAL: of what CONFINE_DEVICES has, the sockets and the children */
	CONFINE_CHILDREN = 1 << 12,
	/* added to CONFINE_FILES: also fanotify_mark(2), and setting a timer that is there */
	CONFINE_MARKS = 1 << 13,
	/* added to CONFINE_MARKS: also fanotify_init(2) and timer_create(2), for who starts children that mark */
	CONFINE_GROUPS = 1 << 14,
	/* added to CONFINE_SERVER: also becoming another user with its groups, and back, and giving files away: for
	   enrolment */
	CONFINE_OWNERS = 1 << 15,
	/*
	 * also starting programs, which inherit the filter. A handler of SIGSYS does not: what is refused returns EPERM
	 * and has its number in the kernel's audit, and no name in a log of ours
	 */
	CONFINE_STARTS = 1 << 16,
	/* added to CONFINE_FILES: also bpf(2), perf_event_open(2), giving files away and children: for who loads
	   programs into the kernel */
	CONFINE_LOADS = 1 << 17,
};

/*
 * Installs the filter for all threads. What it forbids returns EPERM (ENOSYS for calls newer than the list, so that
 * libc falls back), except execve, ptrace, bpf, mount and module loading, which kill the process. The first time that
 * one is refused, its name is written to standard error, which is the journal (by a handler of SIGSYS, on x86-64 and
 * aarch64; elsewhere it is refused all the same, and nothing says so). What CONFINE_STARTS, CONFINE_LOADS, CONFINE_MAPS
 * and CONFINE_DEVICES are there for kills nobody. 0, -errno.
 */
int confine_syscalls(unsigned profile);

/*
 * Both at once: root keeps the capabilities of `keep` (confine_capabilities), anybody else none (confine_capset); then
 * the filter. 0, -errno.
 */
int confine_power(uint64_t keep, unsigned profile);

/* What the filter refused: a system call by its name, and how often since it was taken last. */
struct confine_refusal {
	const char *name;
	unsigned number;
	uint64_t count;
};

/* Is there anything to take? No call, no lock: for every round of a loop. */
bool confine_refused(void);
/* Takes one. 0; V_END where there is none left. */
int confine_refusal_take(struct confine_refusal *out);

/*
 * No path but these folders (NULL ends them; those that are not there are passed over) and what is below them can be
 * opened, for reading only, by Landlock (landlock(7)); needs no_new_privs. 0; V_NOT_FOUND where the kernel has no
 * Landlock: seccomp is all that holds then; -errno.
 */
int confine_paths(const char *const *folders);

#endif
