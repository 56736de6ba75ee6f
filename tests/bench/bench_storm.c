/*
 * The workloads of tests/bench/recorder that are system calls and little else; each prints what it really did, so that
 * what a recorder tells can be held against it: {"file": N, "rename": N, "unlink": N} are the records that are due,
 * "calls" the system calls made. Nothing here may be counted that did not succeed.
 *
 *   bench_storm DIR storm N      opens, writes and closes N files
 *   bench_storm DIR mail N       N messages: written under one name, renamed, read, deleted
 *   bench_storm DIR loop N       N times a write and a read, in one file
 *   bench_storm DIR calls N      N calls that are nobody's business
 *   bench_storm DIR reads N      opens, reads and closes one file N times
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMES 512 /* of a storm: files are written again after so many */

static struct {
	unsigned long file, rename, unlink, calls;
} done;

static char data[8192];

static void must(const char *what, long r)
{
	done.calls++;
	if (r >= 0)
		return;
	fprintf(stderr, "bench_storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int opened(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0644);

	must(name, fd);
	done.file++;
	return fd;
}

static void storm(unsigned long n)
{
	unsigned long i;
	char name[64];

	for (i = 0; i < n; i++) {
		int fd;

		snprintf(name, sizeof(name), "storm-%lu", i % NAMES);
		fd = opened(name, O_WRONLY | O_CREAT);
		must("write", write(fd, data, 10));
		must("close", close(fd));
	}
}

static void mail(unsigned long n)
{
	unsigned long i;
	char before[64], after[64];

	for (i = 0; i < n; i++) {
		int fd;

		snprintf(before, sizeof(before), "tmp-%lu", i);
		snprintf(after, sizeof(after), "new-%lu", i);
		fd = opened(before, O_WRONLY | O_CREAT | O_EXCL);
		must("write", write(fd, data, 500));
		must("write", write(fd, data, 1500 + i % 16 * 256));
		must("close", close(fd));
		must("rename", rename(before, after));
		done.rename++;
		fd = opened(after, O_RDONLY);
		must("read", read(fd, data, sizeof(data)));
		must("close", close(fd));
		must("unlink", unlink(after));
		done.unlink++;
	}
}

static void loop(unsigned long n)
{
	int fd = opened("loop", O_RDWR | O_CREAT);
	unsigned long i;

	for (i = 0; i < n; i++) {
		off_t at = (off_t)(i % 256 * 4096);

		must("pwrite", pwrite(fd, data, 4096, at));
		must("pread", pread(fd, data, 4096, at));
	}
	must("close", close(fd));
}

static void calls(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		must("getppid", syscall(SYS_getppid));
}

static void reads(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		int fd = opened("read-me", O_RDONLY | (i ? 0 : O_CREAT));

		must("read", read(fd, data, 10));
		must("close", close(fd));
	}
}

static const struct {
	const char *name;
	void (*run)(unsigned long n);
} loads[] = {{"storm", storm}, {"mail", mail}, {"loop", loop}, {"calls", calls}, {"reads", reads}};

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 4) {
		fprintf(stderr, "usage: bench_storm DIR storm|mail|loop|calls|reads N\n");
		return 2;
	}
	must(argv[1], chdir(argv[1]));
	done.calls = 0;
	for (i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
		if (strcmp(loads[i].name, argv[2]))
			continue;
		loads[i].run(strtoul(argv[3], NULL, 10));
		printf("{\"file\": %lu, \"rename\": %lu, \"unlink\": %lu, \"calls\": %lu}\n", done.file, done.rename,
			done.unlink, done.calls);
		return 0;
	}
	fprintf(stderr, "bench_storm: no workload %s\n", argv[2]);
	return 2;
}
