/*
 * What both loaders share (load.c for the recorder's set, gate_load.c for the gate): what libbpf says, what the kernel
 * has, and the folder below the BPF file system in which links and maps stay.
 */
#include "agent/probe/load.h"
#include "policy/base/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define BPFFS "/sys/fs/bpf"

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

bool load_in_kernel(const struct btf *btf, const char *function)
{
	return btf && btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) > 0;
}

const struct btf_type *load_prototype(const struct btf *btf, const char *tracepoint)
{
	int id = btf__find_by_name_kind(btf, tracepoint, BTF_KIND_TYPEDEF);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	/* typedef -> pointer -> prototype: (void *data, first argument, ...) */
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	type = type ? btf__type_by_id(btf, type->type) : NULL;
	return type && btf_is_func_proto(type) ? type : NULL;
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

int pins_give(const char *path, gid_t group)
{
	if (chown(path, 0, group) || chmod(path, 0660))
		return -errno;
	return 0;
}

int pins_need_bpffs(struct why *why)
{
	struct statfs fs;

	if (statfs(BPFFS, &fs))
		return why_set(why, V_BAD, BPFFS ": the kernel has no BPF file system");
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755"))
		return why_set(why, V_BAD, BPFFS ": the BPF file system cannot be mounted: %s", strerror(errno));
	return 0;
}
