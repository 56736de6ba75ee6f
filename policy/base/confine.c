/*
 * Giving power up. See confine.h for the order, and for what a profile allows.
 */
#include "policy/base/confine.h"
#include "policy/base/cleanup.h"
#include "policy/base/confine_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define CAPS_LAST 63

int confine_user(const char *user, struct why *why)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	int cap;

	if (geteuid() == 0) {
		struct passwd *pw;

		errno = 0;
		pw = getpwnam(user);
		if (!pw)
			return errno && errno != ENOENT ? -errno
							: why_set(why, V_NOT_FOUND, "user %s does not exist", user);
		/* The bounding set first: that needs CAP_SETPCAP, which goes with the user. */
		for (cap = 0; cap <= CAPS_LAST; cap++)
			if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
				return -errno;
		if (initgroups(user, pw->pw_gid) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
			setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
			return -errno;
		if (pw->pw_uid && setuid(0) == 0)
			return -EPERM;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int confine_program(const char *user, bool *stayed, struct why *why)
{
	int r = confine_user(user, why);

	if (r != V_NOT_FOUND || !getenv("SEKISHO_ROOT"))
		return r;
	r = confine_user("root", why);
	if (r)
		return r;
	why_set(why, 0, "%s", "");
	*stayed = true;
	return 0;
}

int confine_capset(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[2] = {{0}, {0}}, was[2];

	if (syscall(SYS_capget, &head, now))
		return -errno;
	memcpy(was, now, sizeof(was));
	now[0].effective = now[0].permitted &= (uint32_t)keep;
	now[1].effective = now[1].permitted &= (uint32_t)(keep >> 32);
	now[0].inheritable = now[1].inheritable = 0;
	/* A unit whose user has none to begin with need not let it be called. */
	return !memcmp(was, now, sizeof(was)) ? 0 : syscall(SYS_capset, &head, now) ? -errno : 0;
}

int confine_capabilities(uint64_t keep)
{
	int cap, r;

	for (cap = 0; cap <= CAPS_LAST; cap++)
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 &&
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	r = confine_capset(keep);
	return r ? r : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release)

#ifdef __SANITIZE_ADDRESS__
/* The leak check at exit wants ptrace, which a filter answers with death. */
static bool filtered;

int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return filtered;
}
#endif

#define CALL(name) SCMP_SYS(name)

/* No signal to another process, no limit of another one: children of one user live side by side. */
static const int parse_calls[] = {CALL(read), CALL(readv), CALL(pread64), CALL(write), CALL(writev), CALL(close),
	CALL(lseek), CALL(fstat), CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(futex),
	CALL(clock_gettime), CALL(gettimeofday), CALL(time), CALL(getrandom), CALL(rt_sigaction), CALL(rt_sigprocmask),
	CALL(rt_sigreturn), CALL(sigaltstack), CALL(restart_syscall), CALL(exit), CALL(exit_group), CALL(getpid),
	CALL(gettid), CALL(getuid), CALL(geteuid), CALL(sched_yield), CALL(sched_getaffinity), CALL(getrusage)};

static const int compute_calls[] = {CALL(read), CALL(readv), CALL(pread64), CALL(write), CALL(writev), CALL(pwrite64),
	CALL(close), CALL(lseek), CALL(fstat), CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect),
	CALL(madvise), CALL(futex), CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep),
	CALL(gettimeofday), CALL(time), CALL(getrandom), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(sigaltstack), CALL(restart_syscall), CALL(exit), CALL(exit_group), CALL(getpid), CALL(gettid),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getppid), CALL(tgkill), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(getrusage),
	CALL(set_robust_list), CALL(rseq), CALL(prlimit64), CALL(getrlimit), CALL(uname), CALL(membarrier),
	CALL(getcpu), CALL(arch_prctl)};

static const int file_calls[] = {CALL(open), CALL(openat), CALL(openat2), CALL(creat), CALL(stat), CALL(lstat),
	CALL(newfstatat), CALL(statx), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink),
	CALL(readlinkat), CALL(rename), CALL(renameat), CALL(renameat2), CALL(unlink), CALL(unlinkat), CALL(mkdir),
	CALL(mkdirat), CALL(rmdir), CALL(link), CALL(linkat), CALL(symlink), CALL(symlinkat), CALL(ftruncate),
	CALL(truncate), CALL(fallocate), CALL(fsync), CALL(fdatasync), CALL(sync_file_range), CALL(fadvise64),
	CALL(readahead), CALL(getdents), CALL(getdents64), CALL(flock), CALL(fcntl), CALL(fchmod), CALL(fchmodat),
	CALL(chmod), CALL(fchown), CALL(lchown), CALL(umask), CALL(statfs), CALL(fstatfs), CALL(getcwd),
	CALL(utimensat), CALL(copy_file_range), CALL(sendfile), CALL(preadv), CALL(pwritev), CALL(dup), CALL(dup2),
	CALL(dup3), CALL(pipe), CALL(pipe2), CALL(eventfd2), CALL(epoll_create), CALL(epoll_create1), CALL(epoll_ctl),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(timerfd_create), CALL(timerfd_settime),
	CALL(timerfd_gettime), CALL(inotify_init1), CALL(inotify_add_watch), CALL(inotify_rm_watch), CALL(signalfd4),
	CALL(ioctl), CALL(kill), CALL(getpgrp), CALL(getpgid), CALL(getsid), CALL(getgroups), CALL(getresuid),
	CALL(getresgid), CALL(sysinfo), CALL(mlock), CALL(munlock), CALL(memfd_create), CALL(setitimer),
	CALL(getitimer), CALL(alarm), CALL(waitid), CALL(wait4), CALL(pidfd_open), CALL(capget)};

/*
 * What a socket that is there can do; whether one can be made is the profile's own rule. bind(2) without listen(2):
 * since systemd 254 the end of whoever speaks on a bus has a name of its own (sd-bus, bind_description), without which
 * it does not connect.
 */
static const int socket_calls[] = {CALL(bind), CALL(connect), CALL(shutdown), CALL(sendto), CALL(recvfrom),
	CALL(sendmsg), CALL(recvmsg), CALL(sendmmsg), CALL(recvmmsg), CALL(getsockname), CALL(getpeername),
	CALL(setsockopt), CALL(getsockopt)};

static const int server_calls[] = {CALL(socketpair), CALL(listen), CALL(accept), CALL(accept4),
	/* libcurl resolves names in a thread of its own */
	CALL(clone), CALL(clone3)};

/* Sockets that it serves; a child that speaks to a person's desktop. */
static const int child_calls[] = {CALL(accept4), CALL(clone), CALL(clone3), CALL(setresuid), CALL(setresgid),
	CALL(setgroups), CALL(setsid), CALL(prctl), CALL(seccomp), CALL(capset), CALL(socketpair), CALL(close_range)};

/* The guard's own: what is mounted from a device that is to be held, or watched. */
static const int device_calls[] = {CALL(mount), CALL(umount2), CALL(sync), CALL(syncfs), CALL(fanotify_mark)};

/* Who answers the kernel's questions about files, within a time. */
static const int mark_calls[] = {CALL(fanotify_mark), CALL(timer_settime)};
static const int group_calls[] = {CALL(fanotify_init), CALL(timer_create)};

/* Who writes files of another user as that user with its groups, and hands files over (seteuid and setegid are
 * setresuid and setresgid). */
static const int owner_calls[] = {CALL(chown), CALL(fchownat), CALL(setresuid), CALL(setresgid), CALL(setgroups)};

/* Who starts programs, and what every program does before its first line, or to give up power of its own. */
static const int start_calls[] = {CALL(execve), CALL(clone), CALL(clone3), CALL(vfork), CALL(set_tid_address),
	CALL(prctl), CALL(seccomp), CALL(capset), CALL(close_range), CALL(setsid)};

/* Who loads: the kernel's programs, what they are attached to, and children that prove what they do. */
static const int load_calls[] = {
	CALL(bpf), CALL(perf_event_open), CALL(chown), CALL(fchownat), CALL(clone), CALL(clone3)};

/* A child that reads a file or two and speaks on a bus; what it opens, it opens for reading (speak_rules). */
static const int speak_calls[] = {CALL(stat), CALL(lstat), CALL(newfstatat), CALL(statx), CALL(readlink), CALL(access),
	CALL(faccessat), CALL(faccessat2), CALL(fcntl), CALL(getresuid), CALL(getresgid), CALL(alarm), CALL(setitimer)};

/* A try at these is no mistake of a library's: the process has been taken over. */
static const int fatal_calls[] = {CALL(execve), CALL(execveat), CALL(ptrace), CALL(process_vm_writev), CALL(mount),
	CALL(umount2), CALL(move_mount), CALL(init_module), CALL(finit_module), CALL(kexec_load), CALL(pivot_root),
	CALL(chroot), CALL(setns), CALL(unshare), CALL(reboot)};

/* Newer than the list: libc tries them and falls back on ENOSYS. */
static const int unknown_calls[] = {CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register)};

static bool is_one_of(int call, const int *calls, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (calls[i] == call)
			return true;
	return false;
}

static int rules(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		/* clone3 hides its flags behind a pointer: libc takes clone when it is told that there is no clone3. */
		uint32_t what = calls[i] == CALL(clone3) ? SCMP_ACT_ERRNO(ENOSYS) : action;

		r = seccomp_rule_add(f, what, calls[i], 0);
		if (r && r != -EEXIST)
			return r;
	}
	return 0;
}

/* bpf(2): what reads and writes map elements and tells of what is open, or nothing of it. */
static int bpf_rules(scmp_filter_ctx f, bool maps)
{
	static const int commands[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
		BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET_INFO_BY_FD};
	size_t i;
	int r = maps ? 0 : seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, CALL(bpf), 0);

	for (i = 0; maps && i < ARRAY_SIZE(commands) && !r; i++)
		r = seccomp_rule_add(
			f, SCMP_ACT_ALLOW, CALL(bpf), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
	return r;
}

/* Memory that cannot become code, signals and limits of its own process only, and reading where it may. */
static int parse_rules(scmp_filter_ctx f, bool reads)
{
	int r = rules(f, SCMP_ACT_ALLOW, parse_calls, ARRAY_SIZE(parse_calls));

	if (!r)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!r)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!r)
		r = seccomp_rule_add(
			f, SCMP_ACT_ALLOW, CALL(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (!r)
		r = seccomp_rule_add(
			f, SCMP_ACT_ALLOW, CALL(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0));
	if (!r && reads)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC | O_PATH, O_RDONLY));
	if (!r && reads)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(newfstatat), 0);
	return r;
}

/* Its own name, which sd-bus of that age gives the end of its socket. */
static int name_rule(scmp_filter_ctx f)
{
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_GET_NAME, 0));

	return r == -EEXIST ? 0 : r;
}

static int speak_rules(scmp_filter_ctx f)
{
	int r = rules(f, SCMP_ACT_ALLOW, speak_calls, ARRAY_SIZE(speak_calls));

	r = r ? r : name_rule(f);

	r = r ? r : rules(f, SCMP_ACT_ALLOW, socket_calls, ARRAY_SIZE(socket_calls));
	r = r ? r : seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	return r ? r
		 : seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(openat), 1,
			   SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
}

/* Sockets by which a server speaks: no packets of its own making, and none of the kernel's rarer protocols. */
static int socket_rules(scmp_filter_ctx f)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	size_t i;
	int r = 0;

	for (i = 0; i < ARRAY_SIZE(families) && !r; i++)
		r = seccomp_rule_add(
			f, SCMP_ACT_ALLOW, CALL(socket), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return r;
}

/* What this one is there for, of the calls at which others have been taken over. */
static bool is_its_work(int call, bool devices, bool starts)
{
	return (devices && is_one_of(call, device_calls, ARRAY_SIZE(device_calls))) ||
	       (starts && is_one_of(call, start_calls, ARRAY_SIZE(start_calls)));
}

int confine_syscalls(unsigned profile)
{
	bool starts = profile & CONFINE_STARTS, loads = profile & CONFINE_LOADS, owners = profile & CONFINE_OWNERS;
	_cleanup_(seccomp_releasep) scmp_filter_ctx f = seccomp_init(starts ? SCMP_ACT_ERRNO(EPERM) : confine_refuse());
	bool maps = profile & CONFINE_MAPS, devices = profile & CONFINE_DEVICES, reads = profile & CONFINE_READS,
	     speaks = profile & CONFINE_SPEAK, marks = profile & CONFINE_MARKS, groups = profile & CONFINE_GROUPS;
	bool children = devices || profile & CONFINE_CHILDREN;
	size_t i;
	int r;

	profile &= ~(unsigned)(CONFINE_MAPS | CONFINE_DEVICES | CONFINE_CHILDREN | CONFINE_READS | CONFINE_SPEAK |
			       CONFINE_MARKS | CONFINE_GROUPS | CONFINE_OWNERS | CONFINE_STARTS | CONFINE_LOADS);

	if (!f)
		return -ENOMEM;
	r = starts ? seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1) : confine_hear();
	if (!r)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!r && profile == CONFINE_PARSE)
		r = parse_rules(f, reads);
	if (!r && profile >= CONFINE_COMPUTE)
		r = rules(f, SCMP_ACT_ALLOW, compute_calls, ARRAY_SIZE(compute_calls));
	if (!r && profile >= CONFINE_FILES)
		r = rules(f, SCMP_ACT_ALLOW, file_calls, ARRAY_SIZE(file_calls));
	if (!r && profile >= CONFINE_LOCAL)
		r = rules(f, SCMP_ACT_ALLOW, socket_calls, ARRAY_SIZE(socket_calls));
	if (!r && profile == CONFINE_LOCAL)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	/* libcurl wakes itself by a pair. */
	if (!r && profile == CONFINE_LOCAL && !children)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	if (!r && profile >= CONFINE_SERVER)
		r = rules(f, SCMP_ACT_ALLOW, server_calls, ARRAY_SIZE(server_calls));
	if (!r && profile >= CONFINE_SERVER)
		r = socket_rules(f);
	if (!r && children)
		r = rules(f, SCMP_ACT_ALLOW, child_calls, ARRAY_SIZE(child_calls));
	if (!r && devices)
		r = rules(f, SCMP_ACT_ALLOW, device_calls, ARRAY_SIZE(device_calls));
	if (!r && marks)
		r = rules(f, SCMP_ACT_ALLOW, mark_calls, ARRAY_SIZE(mark_calls));
	if (!r && groups)
		r = rules(f, SCMP_ACT_ALLOW, group_calls, ARRAY_SIZE(group_calls));
	if (!r && owners)
		r = rules(f, SCMP_ACT_ALLOW, owner_calls, ARRAY_SIZE(owner_calls));
	if (!r && starts)
		r = rules(f, SCMP_ACT_ALLOW, start_calls, ARRAY_SIZE(start_calls));
	if (!r && loads)
		r = rules(f, SCMP_ACT_ALLOW, load_calls, ARRAY_SIZE(load_calls));
	if (!r && speaks)
		r = speak_rules(f);
	if (!r && profile == CONFINE_LOCAL)
		r = name_rule(f);
	for (i = 0; !r && i < ARRAY_SIZE(fatal_calls); i++)
		if (!is_its_work(fatal_calls[i], devices, starts))
			r = rules(f, SCMP_ACT_KILL_PROCESS, &fatal_calls[i], 1);
	if (!r && !loads)
		r = bpf_rules(f, maps);
	if (!r)
		r = rules(f, SCMP_ACT_ERRNO(ENOSYS), unknown_calls, ARRAY_SIZE(unknown_calls));
	if (!r)
		r = seccomp_load(f);
#ifdef __SANITIZE_ADDRESS__
	filtered |= !r;
#endif
	return r;
}

int confine_power(uint64_t keep, unsigned profile)
{
	int r = geteuid() ? confine_capset(0) : confine_capabilities(keep);

	return r ? r : confine_syscalls(profile);
}
