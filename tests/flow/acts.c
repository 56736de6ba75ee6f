/*
 * Does one thing to files, so that a test can ask whether just that was recorded: acts DIR ACT. Each act works on files
 * of its own name in DIR, and each says in the table below what it does. `acts DIR storm N` opens, writes and closes N
 * files one after the other and prints how many of these it really did: the count at the source.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utmpx.h>

#define BYTES 5000

static char data[BYTES];

static void must(const char *what, long r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int make(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(name, fd);
	return fd;
}

static void filled(const char *name)
{
	int fd = make(name);

	must("write", write(fd, data, BYTES));
	close(fd);
}

static void act_create(void)
{
	filled("create");
}

static void act_read(void)
{
	char buffer[BYTES];
	int fd;

	filled("read");
	fd = open("read", O_RDONLY | O_CLOEXEC);
	must("read", read(fd, buffer, 1234));
	close(fd);
}

static void act_append(void)
{
	int fd, i;

	filled("append");
	fd = open("append", O_WRONLY | O_APPEND | O_CLOEXEC);
	for (i = 0; i < 10; i++)
		must("write", write(fd, data, 100));
	close(fd);
}

static void act_writev(void)
{
	struct iovec v[2] = {{data, 100}, {data, 200}};
	int fd = make("writev");

	must("writev", writev(fd, v, 2));
	must("pwrite", pwrite(fd, data, 50, 1000));
	must("pwritev", pwritev(fd, v, 2, 2000));
	close(fd);
}

static void act_rename(void)
{
	filled("rename");
	must("rename", rename("rename", "rename-new"));
}

static void act_exchange(void)
{
	filled("exchange");
	filled("exchange-other");
	must("renameat2", syscall(SYS_renameat2, AT_FDCWD, "exchange", AT_FDCWD, "exchange-other", RENAME_EXCHANGE));
}

static void act_link(void)
{
	filled("link");
	must("link", link("link", "link-new"));
}

static void act_symlink(void)
{
	must("symlink", symlink("symlink-target", "symlink"));
}

static void act_unlink(void)
{
	filled("unlink");
	must("unlink", unlink("unlink"));
}

static void act_mkdir(void)
{
	must("mkdir", mkdir("mkdir", 0750));
}

static void act_rmdir(void)
{
	must("mkdir", mkdir("rmdir", 0750));
	must("rmdir", rmdir("rmdir"));
}

static void act_truncate(void)
{
	filled("truncate");
	must("truncate", truncate("truncate", 10));
}

static void act_chmod(void)
{
	filled("chmod");
	must("chmod", chmod("chmod", 0600));
}

static void act_chown(void)
{
	filled("chown");
	must("chown", chown("chown", 12, 34));
}

static void act_mount(void)
{
	must("mkdir", mkdir("mount", 0755));
	must("mount", mount("none", "mount", "tmpfs", 0, "size=1M"));
	filled("mount/inside");
	must("umount", umount2("mount", 0));
}

static void act_mmap(void)
{
	int fd = make("mmap");
	char *p;

	must("ftruncate", ftruncate(fd, BYTES));
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must("mmap", p == MAP_FAILED ? -1 : 0);
	memset(p, 'm', BYTES);
	munmap(p, BYTES);
	close(fd);
}

static void act_sendfile(void)
{
	int from, to;

	filled("sendfile-from");
	from = open("sendfile-from", O_RDONLY | O_CLOEXEC);
	to = make("sendfile");
	must("sendfile", sendfile(to, from, NULL, BYTES));
	close(from);
	close(to);
}

static void act_copy_file_range(void)
{
	int from, to;

	filled("copy_file_range-from");
	from = open("copy_file_range-from", O_RDONLY | O_CLOEXEC);
	to = make("copy_file_range");
	must("copy_file_range", copy_file_range(from, NULL, to, NULL, BYTES, 0));
	close(from);
	close(to);
}

static void act_splice(void)
{
	int from, to, p[2];
	ssize_t n;

	filled("splice-from");
	from = open("splice-from", O_RDONLY | O_CLOEXEC);
	to = make("splice");
	must("pipe", pipe(p));
	while ((n = splice(from, NULL, p[1], NULL, BYTES, 0)) > 0)
		must("splice", splice(p[0], NULL, to, NULL, (size_t)n, 0));
	must("splice", n);
	close(from);
	close(to);
}

static void act_tmpfile(void)
{
	char path[64];
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	must("O_TMPFILE", fd);
	must("write", write(fd, data, BYTES));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must("linkat", linkat(AT_FDCWD, path, AT_FDCWD, "tmpfile", AT_SYMLINK_FOLLOW));
	close(fd);
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

static void act_io_uring(void)
{
	struct io_uring ring;
	struct io_uring_sqe *sqe;
	int fd, r = io_uring_queue_init(4, &ring, 0);

	if (r < 0)
		exit(77); /* not on this kernel */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_openat(sqe, AT_FDCWD, "io_uring", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	fd = ring_do(&ring);
	must("openat", fd);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, fd, data, BYTES, 0);
	must("write", ring_do(&ring) == BYTES ? 0 : -1);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_close(sqe, fd);
	must("close", ring_do(&ring));
	io_uring_queue_exit(&ring);
}

/* A descriptor that another process closes last. */
static void act_inherited(void)
{
	int fd = make("inherited"), p[2];
	char c;

	must("pipe", pipe(p));
	if (fork() == 0) {
		close(p[1]);
		must("read", read(p[0], &c, 1));
		must("write", write(fd, data, 77));
		_exit(0);
	}
	must("write", write(fd, data, 23));
	close(fd);
	close(p[1]);
}

/* Somebody signs in at a terminal, and out again: to the utmp in this folder. */
static void sign(short type, const char *user)
{
	struct utmpx u = {.ut_type = type, .ut_pid = 4711, .ut_line = "tty9", .ut_id = "9", .ut_tv = {.tv_sec = 5}};

	memcpy(u.ut_user, user, strlen(user));
	must("utmp", utmpxname("utmp"));
	setutxent();
	must("pututxline", pututxline(&u) ? 0 : -1);
	endutxent();
}

static void act_login(void)
{
	close(open("utmp", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	sign(USER_PROCESS, "ann");
}

static void act_logout(void)
{
	sign(DEAD_PROCESS, "");
}

static void act_exit(void)
{
	exit(42);
}

static void storm(unsigned long n)
{
	unsigned long i, opened = 0, written = 0;
	char name[64];

	for (i = 0; i < n; i++) {
		int fd;

		snprintf(name, sizeof(name), "storm-%d-%lu", getpid(), i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0)
			continue;
		opened++;
		if (write(fd, data, 10) == 10)
			written++;
		close(fd);
		if (i >= 64) {
			snprintf(name, sizeof(name), "storm-%d-%lu", getpid(), i - 64);
			unlink(name);
		}
	}
	printf("%lu %lu\n", opened, written);
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {{"create", act_create}, {"read", act_read}, {"append", act_append}, {"writev", act_writev},
	{"rename", act_rename}, {"exchange", act_exchange}, {"link", act_link}, {"symlink", act_symlink},
	{"unlink", act_unlink}, {"mkdir", act_mkdir}, {"rmdir", act_rmdir}, {"truncate", act_truncate},
	{"chmod", act_chmod}, {"chown", act_chown}, {"mount", act_mount}, {"mmap", act_mmap},
	{"sendfile", act_sendfile}, {"copy_file_range", act_copy_file_range}, {"splice", act_splice},
	{"tmpfile", act_tmpfile}, {"io_uring", act_io_uring}, {"inherited", act_inherited}, {"login", act_login},
	{"logout", act_logout}, {"exit", act_exit}};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 3 || chdir(argv[1])) {
		fprintf(stderr, "usage: acts DIR ACT\n");
		return 2;
	}
	memset(data, 'x', sizeof(data));
	if (argc == 4 && strcmp(argv[2], "storm") == 0) {
		storm(strtoul(argv[3], NULL, 10));
		return 0;
	}
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(acts[i].name, argv[2]))
			continue;
		acts[i].act();
		return 0;
	}
	fprintf(stderr, "acts: no act %s\n", argv[2]);
	return 2;
}
