/* Power that was given up is gone: tried in children, since every step is final. */
#include "policy/base/cleanup.h"
#include "policy/base/confine.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `f` in a child: its exit code, or 128 + the signal that ended it. */
static int in_child(int (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int lose_root(void)
{
	if (geteuid())
		return 0; /* nothing to lose */
	if (confine_user("nobody", NULL))
		return 1;
	if (!geteuid() || !setuid(0) || !seteuid(0))
		return 2;
	if (open("/etc/shadow", O_RDONLY) >= 0)
		return 3;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 4;
}

/* What the kernel says of this process: a set of capabilities, or NoNewPrivs. */
static uint64_t said(const char *name)
{
	char text[4096], *at;
	_cleanup_close_ int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 16) : UINT64_MAX;
}

static int root_keeps_what_it_says(void)
{
	const uint64_t kept = CONFINE_CAP(CAP_DAC_OVERRIDE);

	if (geteuid())
		return 0;
	if (confine_power(kept, CONFINE_FILES))
		return 1;
	if (said("CapEff:") != kept || said("CapPrm:") != kept || said("CapInh:"))
		return 2;
	/* Nor has a program that it starts more, which is root as well. */
	return said("CapBnd:") == kept && said("NoNewPrivs:") == 1 ? 0 : 3;
}

/* Somebody else who holds one all the same, as by AmbientCapabilities= of systemd. */
static int others_keep_nothing(void)
{
	if (geteuid())
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresuid(65534, 65534, 65534))
		return 1;
	if (!(said("CapPrm:") & CONFINE_CAP(CAP_CHOWN)))
		return 2;
	if (confine_power(CONFINE_CAP(CAP_CHOWN), CONFINE_FILES))
		return 3;
	return said("CapEff:") || said("CapPrm:") || said("CapAmb:") ? 4 : 0;
}

static int unknown_user(void)
{
	struct why why;

	if (geteuid())
		return 0;
	return confine_user("no-such-user-here", &why) == V_NOT_FOUND ? 0 : 1;
}

static int speaking_only_reads_and_speaks(void)
{
	int fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_COMPUTE | CONFINE_SPEAK))
		return 1;
	fd = open("/dev/null", O_RDONLY);
	if (fd < 0 || open("/dev/null", O_WRONLY) >= 0 || open("/dev/null", O_RDWR) >= 0 ||
		open("/tmp/no-such-file-of-a-test", O_RDONLY | O_CREAT, 0600) >= 0)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0)
		return 3;
	if (unlink("/tmp/no-such-file-of-a-test") == 0 || errno != EPERM || rename("/tmp/a", "/tmp/b") == 0 ||
		errno != EPERM || fork() >= 0)
		return 4;
	return 0;
}

static int compute_opens_nothing(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_COMPUTE))
		return 1;
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EPERM)
		return 2;
	return write(2, "", 0) == 0 ? 0 : 3;
}

/* A child that parses reaches nobody else: no file, no signal, no limit, and no memory that is written becomes code. */
static int parsers_reach_nothing(void)
{
	struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
	void *page;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_PARSE))
		return 1;
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EPERM)
		return 2;
	if (!kill(getppid(), 0) || !syscall(SYS_tgkill, getppid(), getppid(), 0))
		return 3;
	if (!prlimit(getppid(), RLIMIT_CORE, &limit, NULL) || !prlimit(0, RLIMIT_CORE, &limit, NULL))
		return 4;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || !mprotect(page, 4096, PROT_READ | PROT_EXEC))
		return 5;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return 6;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || fork() >= 0)
		return 7;
	return syscall(SYS_tgkill, getpid(), getpid(), 0) == 0 ? 0 : 8;
}

/* With leave to read: no writing, and (by Landlock, where the kernel has it) nothing outside the folders. */
static int readers_read_there_only(void)
{
	const char *const folders[] = {"/usr/share", "/no-such-folder-here", NULL};
	int r, fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	r = confine_paths(folders);
	if (r && r != V_NOT_FOUND)
		return 1;
	if (confine_syscalls(CONFINE_PARSE | CONFINE_READS))
		return 2;
	fd = open("/usr/share", O_RDONLY | O_DIRECTORY);
	if (fd < 0 || close(fd))
		return 3;
	if (open("/dev/null", O_WRONLY) >= 0 || open("/tmp/no-such-file-here", O_RDONLY | O_CREAT, 0600) >= 0)
		return 4;
	return r == V_NOT_FOUND || open("/etc/passwd", O_RDONLY) < 0 ? 0 : 5;
}

static int files_have_no_network(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_FILES))
		return 1;
	if (open("/dev/null", O_RDONLY) < 0)
		return 2;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 3;
}

static int local_sockets_only(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_LOCAL))
		return 1;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 2;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 3;
}

static long bpf_command(int command)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)-1;
	return syscall(SYS_bpf, command, &attr, sizeof(attr));
}

/* An element of a map that is not there: the kernel answers, so the call came through. */
static int map_elements_only(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_LOCAL | CONFINE_MAPS))
		return 1;
	if (bpf_command(BPF_MAP_LOOKUP_ELEM) != -1 || errno != EBADF)
		return 2;
	return bpf_command(BPF_PROG_LOAD) == -1 && errno == EPERM ? 0 : 3;
}

static int no_bpf_without_leave(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_LOCAL))
		return 1;
	bpf_command(BPF_MAP_LOOKUP_ELEM);
	return 2;
}

static int servers_may_not_exec(void)
{
	char *argv[] = {(char *)"/bin/true", NULL};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_SERVER))
		return 1;
	execv(argv[0], argv);
	return 2;
}

static int servers_speak_no_rare_protocol(void)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_NETLINK};
	static const int others[] = {AF_PACKET, AF_VSOCK, AF_ALG, AF_BLUETOOTH};
	size_t i;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_SERVER))
		return 1;
	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (socket(families[i], SOCK_DGRAM, 0) < 0)
			return 2;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (socket(others[i], SOCK_DGRAM, 0) >= 0 || errno != EPERM)
			return 3;
	return chown("/", (uid_t)-1, (gid_t)-1) && errno == EPERM && setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1) &&
			       errno == EPERM && setgroups(0, NULL) && errno == EPERM
		       ? 0
		       : 4;
}

static int owners_hand_over(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_SERVER | CONFINE_OWNERS))
		return 1;
	if (seteuid(geteuid()) || setegid(getegid()) || chown("/no-such-file-here", 0, 0) == 0 || errno != ENOENT)
		return 2;
	if (setgroups(0, NULL) != (geteuid() ? -1 : 0))
		return 3;
	execl("/bin/true", "true", (char *)NULL);
	return 4;
}

/* A program that it starts is under the same filter, and is not killed for what that refuses: mknod, and mkfifo by it.
 */
static int starters_start(void)
{
	int status;
	pid_t pid;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_SERVER | CONFINE_STARTS))
		return 1;
	if (syscall(SYS_sethostname, "", 0) == 0 || errno != EPERM)
		return 2;
	pid = fork();
	if (!pid) {
		execl("/usr/bin/mkfifo", "mkfifo", "/tmp/no-such-fifo-here", (char *)NULL);
		_exit(2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 3;
	return WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 0 : 4;
}

static int starters_do_not_trace(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_SERVER | CONFINE_STARTS))
		return 1;
	syscall(SYS_ptrace, 16, getppid(), 0, 0);
	return 2;
}

static int loaders_load(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_FILES | CONFINE_LOADS))
		return 1;
	if (bpf_command(BPF_MAP_LOOKUP_ELEM) != -1 || errno != EBADF)
		return 2;
	if (syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) != -1 || errno == EPERM)
		return 3;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 4;
	execl("/bin/true", "true", (char *)NULL);
	return 5;
}

/* What is refused is known by its name and number of times, and said once; nothing else is. */
static int refusals_have_names(void)
{
	struct confine_refusal got;
	char said[256] = "";
	int ends[2], i;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pipe(ends) || dup2(ends[1], STDERR_FILENO) < 0 || confine_syscalls(CONFINE_COMPUTE))
		return 1;
	if (confine_refused() || confine_refusal_take(&got) != V_END)
		return 2;
	for (i = 0; i < 3; i++)
		if (syscall(SYS_mkdirat, AT_FDCWD, "/tmp/no", 0700) != -1 || errno != EPERM)
			return 3;
	if (!confine_refused() || confine_refusal_take(&got) || strcmp(got.name, "mkdirat") != 0 || got.count != 3 ||
		got.number != SYS_mkdirat || confine_refusal_take(&got) != V_END || confine_refused())
		return 4;
	if (read(ends[0], said, sizeof(said) - 1) <= 0 || !strstr(said, "refused the system call mkdirat, ") ||
		strstr(strchr(said, '\n'), "mkdirat"))
		return 5;
	return 0;
}

/* The signal itself, sent by somebody, ends a process as ever. */
static int the_signal_ends_it(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (confine_syscalls(CONFINE_FILES))
		return 1;
	kill(getpid(), SIGSYS);
	return 2;
}

static void root_is_lost_for_good(void **state)
{
	(void)state;
	assert_int_equal(in_child(lose_root), 0);
	assert_int_equal(in_child(unknown_user), 0);
}

static void profiles_hold(void **state)
{
	(void)state;
	assert_int_equal(in_child(compute_opens_nothing), 0);
	assert_int_equal(in_child(parsers_reach_nothing), 0);
	assert_int_equal(in_child(readers_read_there_only), 0);
	assert_int_equal(in_child(speaking_only_reads_and_speaks), 0);
	assert_int_equal(in_child(files_have_no_network), 0);
	assert_int_equal(in_child(local_sockets_only), 0);
	assert_int_equal(in_child(map_elements_only), 0);
	assert_int_equal(in_child(no_bpf_without_leave), 128 + SIGSYS);
	assert_int_equal(in_child(servers_may_not_exec), 128 + SIGSYS);
	assert_int_equal(in_child(servers_speak_no_rare_protocol), 0);
	assert_int_equal(in_child(owners_hand_over), 128 + SIGSYS);
	assert_int_equal(in_child(starters_start), 0);
	assert_int_equal(in_child(starters_do_not_trace), 128 + SIGSYS);
	assert_int_equal(in_child(loaders_load), 128 + SIGSYS);
}

static void power_is_given_up_at_once(void **state)
{
	(void)state;
	assert_int_equal(in_child(root_keeps_what_it_says), 0);
	assert_int_equal(in_child(others_keep_nothing), 0);
}

static void what_is_refused_is_named(void **state)
{
	(void)state;
#if defined(__x86_64__) || defined(__aarch64__)
	assert_int_equal(in_child(refusals_have_names), 0);
#endif
	assert_int_equal(in_child(the_signal_ends_it), 128 + SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_lost_for_good),
		cmocka_unit_test(profiles_hold),
		cmocka_unit_test(power_is_given_up_at_once),
		cmocka_unit_test(what_is_refused_is_named),
	};

	return cmocka_run_group_tests_name("base/confine", tests, NULL, NULL);
}
