/*
 * Ways to a file that a recorder easily misses, or counts twice: tricks DIR TRICK. Each works on files of its own name
 * in DIR; what must be told of it stands in tests/flow/parts/tricks_check.py. `tricks DIR open N` holds N files open at
 * once, as many as it may, until its input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_HERE 77

static char data[8192];

static long must(const char *what, long r)
{
	if (r >= 0)
		return r;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int make(const char *name)
{
	return (int)must(name, open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
}

static void put(int fd, size_t n)
{
	must("write", write(fd, data, n));
}

static void filled(const char *name, size_t n)
{
	int fd = make(name);

	put(fd, n);
	close(fd);
}

/* Two descriptors of one open file: one record, when the second goes. */
static void dup_of_it(void)
{
	int fd = make("dup"), other = (int)must("dup", dup(fd));

	put(fd, 10);
	close(fd);
	put(other, 20);
	close(other);
}

/* dup2 closes what was there. */
static void dup2_over(void)
{
	int fd = make("dup2-gone"), other = make("dup2-stays");

	put(fd, 30);
	must("dup2", dup2(other, fd));
	put(fd, 40);
	close(fd);
	put(other, 1);
	close(other);
}

static void range_closed(void)
{
	int a = make("range-a"), b = make("range-b");

	put(a, 5);
	put(b, 6);
	must("close_range", syscall(SYS_close_range, a, ~0u, 0));
}

/* Still open when the process ends. */
static void left_open(void)
{
	put(make("left-open"), 50);
}

static void killed(void)
{
	put(make("killed"), 60);
	raise(SIGKILL);
}

/* exec closes it. */
static void exec_closes(void)
{
	put(make("exec-closes"), 70);
	execl("/bin/true", "true", (char *)NULL);
	exit(1);
}

/* exec does not close it: what the next program writes belongs to the same use. */
static void exec_keeps(void)
{
	int fd = (int)must("open", open("exec-keeps", O_WRONLY | O_CREAT | O_TRUNC, 0644));

	put(fd, 80);
	must("dup2", dup2(fd, 1));
	close(fd);
	execl("/bin/echo", "echo", "1234567", (char *)NULL);
	exit(1);
}

/* An exec that fails closes nothing. */
static void exec_fails(void)
{
	int fd = make("exec-fails");

	put(fd, 90);
	execl("/nonexistent", "nonexistent", (char *)NULL);
	put(fd, 9);
	close(fd);
}

/* A descriptor that travels to another process by a socket; who sent it closes it first. */
static void passed(void)
{
	char c = 0, room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	struct cmsghdr *h;
	int pair[2], fd;

	must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	if (fork() == 0) {
		close(pair[1]);
		must("recvmsg", recvmsg(pair[0], &m, 0));
		h = CMSG_FIRSTHDR(&m);
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
		must("read", read(pair[0], &c, 1)); /* the sender has closed */
		put(fd, 200);
		close(fd);
		_exit(0);
	}
	fd = make("passed");
	put(fd, 100);
	h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	must("sendmsg", sendmsg(pair[1], &m, 0));
	close(fd);
	put(pair[1], 1);
	wait(NULL);
}

/* A map outlives the descriptor. */
static void mapped(void)
{
	int fd = make("mapped");
	char *p;

	must("ftruncate", ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must("mmap", p == MAP_FAILED ? -1 : 0);
	close(fd);
	memset(p, 'm', 4096);
	munmap(p, 4096);
}

static void by_handle(void)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u;
	int fd, at, mount;

	filled("handle", 11);
	u.h.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, "handle", &u.h, &mount, 0))
		exit(NOT_HERE);
	at = (int)must("open", open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	fd = open_by_handle_at(at, &u.h, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		exit(NOT_HERE);
	put(fd, 12);
	close(fd);
}

static void opened2(void)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, .mode = 0644};
	int fd;

	filled("openat2", 3);
	fd = (int)syscall(SYS_openat2, AT_FDCWD, "openat2", &how, sizeof(how));
	if (fd < 0)
		exit(NOT_HERE);
	put(fd, 13);
	close(fd);
}

static void creat_cuts(void)
{
	int fd;

	filled("creat", 7);
	fd = (int)must("creat", creat("creat", 0644));
	close(fd);
}

static void allocated(void)
{
	int fd;

	filled("fallocate", 100);
	fd = (int)must("open", open("fallocate", O_WRONLY | O_CLOEXEC));
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 100))
		exit(NOT_HERE);
	close(fd);
}

static void cloned(void)
{
	int from, to;

	filled("clone-from", 8192);
	from = (int)must("open", open("clone-from", O_RDONLY | O_CLOEXEC));
	to = make("clone");
	if (ioctl(to, FICLONE, from))
		exit(NOT_HERE);
	close(from);
	close(to);
}

/* Names that are no text, and long ones. */
static void names(void)
{
	char longest[256];

	memset(longest, 'n', 255);
	longest[255] = 0;
	filled("new\nline", 1);
	filled("\xff\xfe", 2);
	filled(longest, 3);
}

/* A path of more than 4,096 bytes: its tail is kept. */
static void deep(void)
{
	char name[201];
	int i;

	memset(name, 'd', 200);
	name[200] = 0;
	for (i = 0; i < 22; i++) {
		if (mkdir(name, 0755) && errno != EEXIST)
			must("mkdir", -1);
		must("chdir", chdir(name));
	}
	filled("at-the-end", 14);
}

/* A folder is renamed: what lies in it has another path at once. */
static void moved_folder(void)
{
	must("mkdir", mkdir("moved-a", 0755));
	must("mkdir", mkdir("moved-a/in", 0755));
	filled("moved-a/in/before", 15);
	must("rename", rename("moved-a", "moved-b"));
	filled("moved-b/in/after", 16);
	must("mkdir", mkdir("moved-a", 0755));
	must("mkdir", mkdir("moved-a/in", 0755));
	filled("moved-a/in/again", 17);
	must("unlink", unlink("moved-a/in/again"));
	must("rmdir", rmdir("moved-a/in"));
	must("rmdir", rmdir("moved-a"));
	must("mkdir", mkdir("moved-c", 0755));
	must("mkdir", mkdir("moved-c/in", 0755));
	filled("moved-c/in/third", 18);
}

/* Words that mean another place than they seem to. */
static void roundabout(void)
{
	char here[4096], path[8192];

	must("mkdir", mkdir("round", 0755));
	filled("round/a", 1);
	filled("round/b", 1);
	filled("round/c", 1);
	must("unlink", unlink("./round/../round//a"));
	must("getcwd", getcwd(here, sizeof(here)) ? 0 : -1);
	snprintf(path, sizeof(path), "/usr/..%s/round/b", here);
	must("unlink", unlink(path));
	must("chdir", chdir("/"));
	snprintf(path, sizeof(path), "%s/round/c", here + 1);
	must("unlink", unlink(path));
	must("chdir", chdir(here));
}

/* In a mount namespace of its own, below a bind mount. */
static void bound(void)
{
	must("mkdir", mkdir("bound-from", 0755));
	must("mkdir", mkdir("bound-to", 0755));
	if (unshare(CLONE_NEWNS))
		exit(NOT_HERE);
	must("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must("bind", mount("bound-from", "bound-to", NULL, MS_BIND, NULL));
	filled("bound-to/file", 19);
	/* a mount of one file */
	filled("bound-one", 1);
	filled("bound-place", 2);
	must("bind a file", mount("bound-one", "bound-place", NULL, MS_BIND, NULL));
	filled("bound-place", 21);
	must("umount", umount2("bound-place", 0));
	must("umount", umount2("bound-to", 0));
}

/* What a chroot sees as / is not. */
static void jailed(void)
{
	must("mkdir", mkdir("jail", 0755));
	if (chroot("jail"))
		exit(NOT_HERE);
	must("chdir", chdir("/"));
	must("mkdir", mkdir("/usr", 0755));
	filled("/usr/file", 22);
	must("unlink", unlink("/usr/file"));
	_exit(0); /* a sanitizer's last look finds nothing here */
}

/* A program that lies in no folder. */
static void from_memory(void)
{
	char room[65536];
	int in = (int)must("true", open("/bin/true", O_RDONLY | O_CLOEXEC)), fd;
	char own[] = "tricks-from-memory", *const argv[] = {own, NULL}, *const envp[] = {NULL};
	ssize_t n;

	fd = (int)must("memfd", memfd_create("trick", MFD_CLOEXEC));
	while ((n = read(in, room, sizeof(room))) > 0)
		must("write", write(fd, room, (size_t)n));
	fexecve(fd, argv, envp);
	exit(1);
}

/* A system call of the other word size, from a program of this one. */
static void compat(void)
{
#ifdef __x86_64__
	char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r;

	must("mmap", name == MAP_FAILED ? -1 : 0);
	strcpy(name, "compat");
	/* creat */
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(8), "b"(name), "c"(0644) : "memory", "r8", "r9", "r10", "r11");
	if (r < 0)
		exit(NOT_HERE);
	close((int)r);
#else
	exit(NOT_HERE);
#endif
}

/* One operation through the ring. */
static int ring_do(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int r;

	must("submit", io_uring_submit(ring));
	must("wait", io_uring_wait_cqe(ring, &cqe));
	r = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return r;
}

static struct io_uring ring_new(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(4, &ring, 0) < 0)
		exit(NOT_HERE);
	return ring;
}

/* Names that change without a system call of their own. */
static void ring_names(void)
{
	struct io_uring ring = ring_new();

	filled("ring-a", 1);
	io_uring_prep_mkdirat(io_uring_get_sqe(&ring), AT_FDCWD, "ring-dir", 0755);
	if (ring_do(&ring))
		exit(NOT_HERE);
	io_uring_prep_linkat(io_uring_get_sqe(&ring), AT_FDCWD, "ring-a", AT_FDCWD, "ring-b", 0);
	must("linkat", ring_do(&ring));
	io_uring_prep_symlinkat(io_uring_get_sqe(&ring), "ring-target", AT_FDCWD, "ring-s");
	must("symlinkat", ring_do(&ring));
	io_uring_prep_renameat(io_uring_get_sqe(&ring), AT_FDCWD, "ring-b", AT_FDCWD, "ring-dir/c", 0);
	must("renameat", ring_do(&ring));
	io_uring_prep_unlinkat(io_uring_get_sqe(&ring), AT_FDCWD, "ring-dir/c", 0);
	must("unlinkat", ring_do(&ring));
	io_uring_prep_unlinkat(io_uring_get_sqe(&ring), AT_FDCWD, "ring-nothing", 0);
	if (ring_do(&ring) != -ENOENT)
		must("unlinkat of nothing", -1);
	io_uring_prep_unlinkat(io_uring_get_sqe(&ring), AT_FDCWD, "ring-dir", AT_REMOVEDIR);
	must("rmdir", ring_do(&ring));
	io_uring_queue_exit(&ring);
}

/* A file that never has a descriptor. */
static void ring_direct(void)
{
	struct io_uring ring = ring_new();
	struct io_uring_sqe *sqe;
	int none = -1;

	if (io_uring_register_files(&ring, &none, 1))
		exit(NOT_HERE);
	io_uring_prep_openat_direct(
		io_uring_get_sqe(&ring), AT_FDCWD, "ring-direct", O_WRONLY | O_CREAT | O_TRUNC, 0644, 0);
	if (ring_do(&ring))
		exit(NOT_HERE);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, 0, data, 23, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	if (ring_do(&ring) != 23)
		must("write", -1);
	io_uring_queue_exit(&ring);
}

static void many_open(unsigned long n)
{
	struct rlimit all = {n + 64, n + 64};
	unsigned long i, opened = 0;
	char name[64];

	must("limit", setrlimit(RLIMIT_NOFILE, &all));
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many-%lu", i);
		if (open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) >= 0)
			opened++;
	}
	printf("%lu\n", opened);
	fflush(stdout);
	while (read(0, name, sizeof(name)) > 0)
		;
}

static const struct {
	const char *name;
	void (*trick)(void);
} tricks[] = {{"dup", dup_of_it}, {"dup2", dup2_over}, {"range", range_closed}, {"left-open", left_open},
	{"killed", killed}, {"exec-closes", exec_closes}, {"exec-keeps", exec_keeps}, {"exec-fails", exec_fails},
	{"passed", passed}, {"mapped", mapped}, {"handle", by_handle}, {"openat2", opened2}, {"creat", creat_cuts},
	{"fallocate", allocated}, {"clone", cloned}, {"names", names}, {"deep", deep}, {"moved", moved_folder},
	{"roundabout", roundabout}, {"bound", bound}, {"jailed", jailed}, {"memory", from_memory}, {"compat", compat},
	{"ring-names", ring_names}, {"ring-direct", ring_direct}};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 3 || chdir(argv[1])) {
		fprintf(stderr, "usage: tricks DIR TRICK\n");
		return 2;
	}
	if (argc == 4 && strcmp(argv[2], "open") == 0) {
		many_open(strtoul(argv[3], NULL, 10));
		return 0;
	}
	for (i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++) {
		if (strcmp(tricks[i].name, argv[2]))
			continue;
		tricks[i].trick();
		return 0;
	}
	fprintf(stderr, "tricks: no trick %s\n", argv[2]);
	return 2;
}
