/*
 * Compares builds of the tracepoint set on a machine that is busy with other work: each build's object is loaded, and
 * in turns none and each of them is attached while a process that nothing else may interrupt (real time, one processor)
 * does short stretches of work. The best tenth of each is kept, and the best round: what others do to a processor makes
 * a stretch longer, never shorter. Nothing is pinned, and no recorder is needed; what the programs tell is thrown away.
 *
 *   bench_probe [-m] [-r ROUNDS] FOLDER OBJECT...  objects: build/agent/probe/tracepoint.bpf.o of several trees
 *
 * What differs less than the same object differs from itself, named twice, is noise.
 *
 * With -m the work is done in a mount namespace of its own, as a container's is; its files are found on the PC by where
 * their file system is mounted there, as the recorder tells the kernel programs (builds that know of that).
 *
 * The table of system calls is this tree's (agent/probe/calls.c): a program of another build that it does not name does
 * not run.
 *
 * FOLDER is used, and best lies in memory (/dev/shm). One line of JSON for each kind of work: nanoseconds an operation
 * with nothing attached, and what each object adds.
 */
#include "agent/probe/event.h"
#include "agent/probe/load.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OBJECTS_MAX 8
#define LINKS_MAX 64
#define STRETCHES 200 /* of which the best tenth counts */
#define STRETCH 128   /* operations */
#define FILTERED "filtered"

struct set {
	const char *path;
	struct bpf_object *object;
	struct bpf_link *link[LINKS_MAX];
	unsigned links;
	struct ring_buffer *ring;
};

static char data[4096];
static bool own_mounts;

static void must(const char *what, bool good)
{
	if (good)
		return;
	fprintf(stderr, "bench_probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- work --- */

static void storm(unsigned i)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "storm-%u", i);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	must(name, fd >= 0 && write(fd, data, 10) == 10 && close(fd) == 0);
}

static void reads(unsigned i)
{
	int fd = open("read-me", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)i;
	must("read-me", fd >= 0 && read(fd, data, 10) >= 0 && close(fd) == 0);
}

static void filtered(unsigned i)
{
	int fd = open(FILTERED "/read-me", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)i;
	must("read-me", fd >= 0 && read(fd, data, 10) >= 0 && close(fd) == 0);
}

static void calls(unsigned i)
{
	(void)i;
	syscall(SYS_getppid);
}

static void writes(unsigned i)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("written", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	must("written", pwrite(fd, data, 100, i * 100l) == 100);
}

static void mail(unsigned i)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "mail-%u", i);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	must(name, fd >= 0 && write(fd, data, 500) == 500 && close(fd) == 0);
	must(name, rename(name, "mail") == 0 && unlink("mail") == 0);
}

/* A copy within the kernel, from opening to closing; the copy is named `to`. */
static void copy_to(const char *to)
{
	int in = open("written", O_RDWR | O_CREAT | O_CLOEXEC, 0644), out;
	off_t from = 0, at = 0;

	out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	must(to, in >= 0 && out >= 0 && copy_file_range(in, &from, out, &at, 100, 0) == 100);
	must(to, close(in) == 0 && close(out) == 0);
}

static void copies(unsigned i)
{
	(void)i;
	copy_to("copy");
}

static void copies_filtered(unsigned i)
{
	(void)i;
	copy_to(FILTERED "/copy");
}

/* The same two again and again: only the first call makes an event. */
static void carries(unsigned i)
{
	static int in = -1, out = -1;
	off_t from = 0, at = i * 100l;

	if (in < 0) {
		in = open("written", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		out = open("carried", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	}
	must("carried", copy_file_range(in, &from, out, &at, 100, 0) == 100);
}

static const struct {
	const char *name;
	void (*run)(unsigned i);
} works[] = {{"storm", storm}, {"reads", reads}, {"filtered", filtered}, {"calls", calls}, {"writes", writes},
	{"mail", mail}, {"copies", copies}, {"copies-filtered", copies_filtered}, {"carries", carries}};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Alone on its processor: nanoseconds an operation. */
static double stretches(void (*run)(unsigned i))
{
	static double took[STRETCHES];
	const struct sched_param real_time = {.sched_priority = 50};
	cpu_set_t first;
	unsigned i, j;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	must("namespace", !own_mounts || unshare(CLONE_NEWNS) == 0);
	must("processor", sched_setaffinity(0, sizeof(first), &first) == 0);
	must("real time", sched_setscheduler(0, SCHED_FIFO, &real_time) == 0);
	for (i = 0; i < STRETCHES; i++) {
		double at = now_ns();

		for (j = 0; j < STRETCH; j++)
			run(j);
		took[i] = (now_ns() - at) / STRETCH;
	}
	qsort(took, STRETCHES, sizeof(*took), compare);
	return took[STRETCHES / 10];
}

/* In a child; meanwhile the buffer is emptied. */
static double measure(struct set *s, unsigned what, double *answer)
{
	int status = 0;
	pid_t child = fork();

	must("fork", child >= 0);
	if (child == 0) {
		*answer = stretches(works[what].run);
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (s)
			ring_buffer__consume(s->ring);
		usleep(5000);
	}
	must("work", status == 0);
	return *answer;
}

/* --- kernel programs --- */

static int on_event(void *ctx, void *event, size_t n)
{
	(void)ctx;
	(void)event;
	(void)n;
	return 0;
}

static void leave_out(struct set *s, const char *folder)
{
	struct probe_prefix key = {.bits = 0};
	uint32_t none = 0;

	key.bits = 8 * (uint32_t)snprintf(key.path, sizeof(key.path), "%s/" FILTERED "/", folder);
	must("filter",
		!bpf_map_update_elem(bpf_object__find_map_fd_by_name(s->object, "prefixes"), &key, &none, BPF_ANY));
}

/* Where FOLDER's file system is mounted, as the recorder says it of all. */
static void tell_point(struct set *s, const char *folder)
{
	int points = bpf_object__find_map_fd_by_name(s->object, "points");
	struct probe_point point = {.part_len = 0};
	struct probe_part part = {.path = "/"};
	char path[PATH_MAX], *slash;
	struct stat at, up;

	must(folder, realpath(folder, path) && stat(path, &at) == 0);
	part.bits = 32 + 8;
	part.dev = major(at.st_dev) << 20 | minor(at.st_dev);
	while (path[0]) {
		slash = strrchr(path, '/');
		*slash = 0;
		if (stat(slash == path ? "/" : path, &up) || up.st_dev != at.st_dev) {
			*slash = '/';
			break;
		}
	}
	point.len = (uint32_t)strlen(path);
	must(path, point.len <= sizeof(point.path));
	memcpy(point.path, path, point.len);
	must("points", points < 0 || !bpf_map_update_elem(points, &part, &point, BPF_ANY));
}

/* Everything but iterators and io_uring, whose forms differ between kernels. */
static void set_load(struct set *s, const char *path, const char *folder)
{
	struct probe_control c = {.active = 1,
		.level_all = 2,
		.level_max = 2,
		.version = EVENT_VERSION,
		.hold_ns = UINT64_MAX,
		.kinds = UINT64_MAX};
	struct bpf_program *p;
	uint32_t zero = 0;
	struct stat ns;

	must("mount namespace", stat("/proc/self/ns/mnt", &ns) == 0);
	c.host_mnt_ns = (uint32_t)ns.st_ino;
	s->path = path;
	s->object = bpf_object__open(path);
	must(path, s->object);
	bpf_object__for_each_program(p, s->object)
	{
		const char *name = bpf_program__name(p);

		if (!strncmp(name, "uring_", 6) || !strncmp(name, "each_", 5))
			bpf_program__set_autoload(p, false);
	}
	must(path, !bpf_object__load(s->object) && !calls_fill(s->object));
	must(path, !bpf_map_update_elem(bpf_object__find_map_fd_by_name(s->object, "control"), &zero, &c, BPF_ANY));
	leave_out(s, folder);
	tell_point(s, folder);
	s->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(s->object, "ring"), on_event, NULL, NULL);
	must(path, s->ring);
}

static void set_attach(struct set *s)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, s->object)
	{
		if (!bpf_program__autoload(p) || calls_is_target(bpf_program__name(p)))
			continue;
		must("too many programs", s->links < LINKS_MAX);
		s->link[s->links] = bpf_program__attach(p);
		must(bpf_program__name(p), s->link[s->links++]);
	}
}

static void set_detach(struct set *s)
{
	while (s->links)
		bpf_link__destroy(s->link[--s->links]);
	ring_buffer__consume(s->ring);
}

static void usage(void)
{
	fprintf(stderr, "usage: bench_probe [-m] [-r ROUNDS] FOLDER OBJECT...\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct set sets[OBJECTS_MAX];
	static double best[ARRAY_SIZE(works)][OBJECTS_MAX + 1];
	unsigned rounds = 5, n, i, w, r;
	double *answer;
	int option;

	while ((option = getopt(argc, argv, "mr:")) == 'm' || option == 'r')
		if (option == 'm')
			own_mounts = true;
		else
			rounds = (unsigned)strtoul(optarg, NULL, 10);
	if (option != -1 || argc - optind < 2 || argc - optind - 1 > OBJECTS_MAX)
		usage();
	n = (unsigned)(argc - optind) - 1;
	for (i = 0; i < n; i++)
		set_load(&sets[i], argv[optind + 1 + (int)i], argv[optind]);
	must(argv[optind], chdir(argv[optind]) == 0);
	must(FILTERED, mkdir(FILTERED, 0755) == 0 || errno == EEXIST);
	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must("memory", answer != MAP_FAILED);
	for (r = 0; r < rounds; r++)
		for (i = 0; i <= n; i++) {
			struct set *s = i ? &sets[i - 1] : NULL;

			if (s)
				set_attach(s);
			for (w = 0; w < ARRAY_SIZE(works); w++) {
				double ns = measure(s, w, answer);

				if (r == 0 || ns < best[w][i])
					best[w][i] = ns;
			}
			if (s)
				set_detach(s);
		}
	for (w = 0; w < ARRAY_SIZE(works); w++) {
		printf("{\"work\": \"%s\", \"bare_ns\": %.0f, \"above_ns\": [", works[w].name, best[w][0]);
		for (i = 1; i <= n; i++)
			printf("%s%.0f", i > 1 ? ", " : "", best[w][i] - best[w][0]);
		printf("]}\n");
	}
	return 0;
}
