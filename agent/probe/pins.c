/*
 * What the loaders share (load.c for the recorder's set, gate_load.c for the gate, egress_load.c for the way to
 * printers): what libbpf says, and the folder below the BPF file system in which links and maps stay.
 */
#include "agent/probe/load.h"
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#ifndef FSOPEN_CLOEXEC /* glibc before 2.36 */
#include <linux/mount.h>
#endif
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>

#define BPFFS "/sys/fs/bpf"
#define PROGRAMS_MAX 128u
#define END_US 60000000ll
#define CGROUP "/sys/fs/cgroup"
#define CGROUP_HYBRID "/sys/fs/cgroup/unified"

/* The last that libbpf said, for the reason: the verifier's log is long, its last lines tell. */
static char said[192];

__attribute__((format(printf, 2, 0))) static int on_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[sizeof(said)];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = 0;
	if (!strncmp(line, "libbpf: ", 8) && !strstr(line, "BEGIN PROG") && !strstr(line, "END PROG"))
		snprintf(said, sizeof(said), "%s", line + 8);
	return 0;
}

void load_listen(void)
{
	libbpf_set_print(on_print);
}

void load_hush(void)
{
	said[0] = 0;
}

const char *load_said(void)
{
	return said;
}

void pins_remove(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		rmdir(path);
}

static void beside(const char *dir, const char *what, char out[PINS_PATH_SIZE])
{
	snprintf(out, PINS_PATH_SIZE, "%s%s", dir, what);
}

int pins_swap(const char *dir)
{
	char fresh[PINS_PATH_SIZE], old[PINS_PATH_SIZE];
	bool had = access(dir, F_OK) == 0;

	beside(dir, "-new", fresh);
	beside(dir, "-old", old);
	pins_remove(old);
	/* In one step, so that whoever opens one meanwhile finds the one or the other; Linux 5.16. */
	if (had && !renameat2(AT_FDCWD, fresh, AT_FDCWD, dir, RENAME_EXCHANGE)) {
		pins_remove(fresh);
		return 0;
	}
	if (had && rename(dir, old))
		return -errno;
	if (rename(fresh, dir)) {
		int r = -errno;

		if (had)
			(void)rename(old, dir);
		return r;
	}
	/* Both held until now. */
	pins_remove(old);
	return 0;
}

static uint32_t program_of(const char *path)
{
	struct bpf_link_info info = {.id = 0};
	uint32_t size = sizeof(info);
	char name[64], kind[64];
	_cleanup_close_ int fd = bpf_obj_get(path);
	ssize_t got;

	if (fd < 0)
		return 0;
	/* What is asked of a map or a program answers in other words. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	got = readlink(name, kind, sizeof(kind) - 1);
	if (got < 0)
		return 0;
	kind[got] = 0;
	if ((!strstr(kind, "bpf_link") && !strstr(kind, "bpf-link")) || bpf_obj_get_info_by_fd(fd, &info, &size))
		return 0;
	return info.prog_id;
}

/* The programs of the links that are pinned in `dir`, at most `max`. How many. */
static size_t programs_in(const char *dir, uint32_t *ids, size_t max)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *e;
	char path[PINS_PATH_SIZE + NAME_MAX + 1];
	size_t n = 0;

	while (n < max && d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ids[n] = e->d_name[0] == '.' ? 0 : program_of(path);
		n += ids[n] != 0;
	}
	return n;
}

static int await_end(const uint32_t *ids, size_t n)
{
	const struct timespec while_it_goes = {.tv_nsec = 20000000};
	int64_t until = clock_awake_us() + END_US;
	size_t i = 0;

	while (i < n) {
		int fd = bpf_prog_get_fd_by_id(ids[i]);

		if (fd < 0) {
			i++; /* it is no more */
			continue;
		}
		close(fd);
		if (clock_awake_us() > until)
			return -EBUSY;
		nanosleep(&while_it_goes, NULL);
	}
	return 0;
}

int pins_unload(const char *dir, const char *const *links, size_t n)
{
	char path[PINS_PATH_SIZE];
	uint32_t ids[PROGRAMS_MAX];
	size_t ids_n = n ? programs_in(dir, ids, ARRAY_SIZE(ids)) : 0, i;

	for (i = 0; i < n; i++) {
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "%s/%s", dir, links[i]);
		fd = bpf_obj_get(path);
		if (fd >= 0)
			(void)bpf_link_detach(fd);
	}
	beside(dir, "-new", path);
	pins_remove(path);
	beside(dir, "-old", path);
	pins_remove(path);
	pins_remove(dir);
	return access(dir, F_OK) ? await_end(ids, ids_n) : -EBUSY;
}

int pins_folder(const char *path, gid_t group)
{
	if (mkdir(path, 0700) || chown(path, 0, group) || chmod(path, 0750))
		return -errno;
	return 0;
}

int pins_lay(const char *dir, gid_t group, const struct bpf_object_skeleton *sk)
{
	struct bpf_map *m;
	char fresh[PINS_PATH_SIZE], path[2 * PINS_PATH_SIZE];
	int i, r;

	beside(dir, "-new", fresh);
	pins_remove(fresh);
	r = pins_folder(fresh, group);
	if (r)
		return r;
	bpf_object__for_each_map(m, *sk->obj)
	{
		if (strchr(bpf_map__name(m), '.'))
			continue;
		snprintf(path, sizeof(path), "%s/%s", fresh, bpf_map__name(m));
		if (bpf_obj_pin(bpf_map__fd(m), path))
			return -errno;
	}
	for (i = 0; i < sk->prog_cnt && !r; i++) {
		if (!*sk->progs[i].link)
			continue;
		snprintf(path, sizeof(path), "%s/%s", fresh, sk->progs[i].name);
		r = bpf_link__pin(*sk->progs[i].link, path);
	}
	return r;
}

int pins_first(int fd, void *out, size_t size)
{
	struct bpf_map_info info = {.id = 0};
	uint32_t info_size = sizeof(info), zero = 0;
	_cleanup_free_ void *all = NULL;

	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return -errno;
	/* The kernel writes all that the map has, however much was made room for. */
	all = calloc(1, info.value_size > size ? info.value_size : size);
	if (!all)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, all))
		return -errno;
	memcpy(out, all, info.value_size < size ? info.value_size : size);
	return 0;
}

int pins_sum(int fd, uint64_t *out)
{
	int i, cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	uint32_t zero = 0;

	if (!each)
		return cpus < 0 ? cpus : -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, each))
		return -errno;
	*out = 0;
	for (i = 0; i < cpus; i++)
		*out += each[i];
	return 0;
}

int pins_give(const char *path, gid_t group)
{
	if (chown(path, 0, group) || chmod(path, 0660))
		return -errno;
	return 0;
}

/* Set where nothing can be mounted any more (probe_prepare): what there is then is what there is. */
static bool prepared;
static int prepared_cgroup = -1;

static int need_bpffs(struct why *why)
{
	struct statfs fs;

	if (statfs(BPFFS, &fs))
		return why_set(why, V_BAD, BPFFS ": the kernel has no BPF file system");
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (prepared)
		return why_set(why, V_BAD, BPFFS ": the BPF file system is not mounted");
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755"))
		return why_set(why, V_BAD, BPFFS ": the BPF file system cannot be mounted: %s", strerror(errno));
	return 0;
}

int pins_begin(struct why *why)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	/* Before 5.11 maps count as locked memory. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	load_listen();
	return need_bpffs(why);
}

int pins_open(const struct pinned_map *maps, size_t n, struct why *why)
{
	size_t i;

	for (i = 0; i < n; i++)
		*maps[i].fd = -1;
	load_listen();
	for (i = 0; i < n; i++) {
		*maps[i].fd = bpf_obj_get(maps[i].path);
		if (*maps[i].fd < 0)
			return errno == ENOENT ? V_NOT_FOUND
					       : why_set(why, V_BAD, "%s: %s", maps[i].path, strerror(errno));
	}
	return 0;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Nowhere in the tree: nobody finds it there, and nothing has to be taken down again. */
static int mount_cgroup2(void)
{
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC), mounted = -1;

	if (fs >= 0 && !syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mounted = (int)syscall(
			SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return mounted < 0 ? -1 : openat(mounted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int pins_open_cgroup(struct why *why)
{
	const char *path = getenv("SEKISHO_GATE_CGROUP"); /* for tests: a part of the PC only */
	int fd;

	if (prepared) {
		fd = prepared_cgroup < 0 ? -1 : fcntl(prepared_cgroup, F_DUPFD_CLOEXEC, 3);
	} else {
		if (!path)
			path = is_cgroup2(CGROUP) ? CGROUP : is_cgroup2(CGROUP_HYBRID) ? CGROUP_HYBRID : NULL;
		fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : mount_cgroup2();
		if (path && !is_cgroup2(path))
			closep(&fd);
	}
	if (fd < 0)
		why_set(why, V_BAD, "there is no hierarchy of control groups (cgroup2)");
	return fd;
}

void probe_prepare(void)
{
	struct why why = {""};

	need_bpffs(&why);
	prepared_cgroup = pins_open_cgroup(&why);
	prepared = true;
}
