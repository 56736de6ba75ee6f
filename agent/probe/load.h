/*
 * The loader's own parts: load.c loads and pins, calls.c fills the tables of the tracepoint set. Nobody else includes
 * this.
 */
#ifndef SEKISHO_PROBE_LOAD_H
#define SEKISHO_PROBE_LOAD_H

#include "agent/probe/probe.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/sysmacros.h>

/* Writes which system call is whose. 0, -errno. */
int calls_fill(struct bpf_object *o);
/* Does denying work on this kernel? Proven by an open of a child of ours that is denied. */
bool enforce_proven(void);
/* Is the program one that is jumped to, and not attached? */
bool calls_is_target(const char *program);

/*
 * A set that is about to take the place of a pinned one goes on with the filter that the recorder gave that one: its
 * page, its prefixes and its points, by descriptor, are filled from there. Does nothing where none is pinned, it was
 * not told anything yet, or it speaks another version. 0, -errno.
 */
int load_hand_over(int control, int prefixes, int points);

/* --- types.c: the kernel's own types --- */

/* All of them, kept until the program ends; NULL where the kernel has none. */
const struct btf *load_types(void);
/* Has the kernel this function? */
bool load_in_kernel(const char *function);
/* A tracepoint's arguments. NULL where the kernel has no such tracepoint. */
const struct btf_type *load_prototype(const char *tracepoint);
/*
 * Each structure, union and enumeration of that name, whatever form (struct file___ref) it is; numbers of load_types.
 * Ends where fn does not answer 0, which is the answer. 0, -ENOMEM.
 */
int load_each_structure(const char *name, int (*fn)(void *ctx, uint32_t id), void *ctx);

/* --- excerpt.c: of the kernel's types those that one object names --- */

/*
 * For libbpf, which looks through all types that it is given for each structure that a program looks into. Not for
 * programs that tell the kernel numbers of types (bpf_rdonly_cast): those of an excerpt are others.
 */
struct excerpt {
	int fd; /* -1: there is none, and libbpf takes the kernel's */
	char path[32];
	struct bpf_object_open_opts opts;
};
/* For <set>_bpf__open_opts; *x stays where it is until the object is loaded. */
const struct bpf_object_open_opts *excerpt_begin(struct excerpt *x);
/* Once the object is open, and before it is loaded. Where no excerpt can be made it is all of them. 0, -errno. */
int excerpt_fill(struct excerpt *x, const struct bpf_object *object);
/* When it was loaded, or will not be. */
void excerpt_end(struct excerpt *x);

/*
 * first.c: the first trampoline of this boot, which the kernel is slow to make, is made by a child meanwhile. The
 * answer is closed when others are attached; -1 where there is none, and attaching takes as long as it does.
 */
int first_begin(void);

/* A device number as the kernel has it. */
static inline uint32_t load_dev(dev_t dev)
{
	return (uint32_t)major(dev) << 20 | (uint32_t)minor(dev);
}

/* --- pins.c: what the loaders share --- */

#define PINS_PATH_SIZE 128

/* From now on the last that libbpf said is kept: the verifier's log is long, its last lines tell. */
void load_listen(void);
void load_hush(void);
const char *load_said(void);
/* Removes a folder of pins. */
void pins_remove(const char *path);
/*
 * Puts <dir>-new in the place of <dir>; what was there holds until then, and is back where that fails. There is always
 * one of them, but for a moment before Linux 5.16. Paths of at most PINS_PATH_SIZE. 0, -errno.
 */
int pins_swap(const char *dir);
/*
 * Removes <dir> with what a load that was cut short left beside it. A link without its pin goes in the kernel's own
 * time: those of `links` (n names in <dir>; none are needed) are detached at once, and with n > 0 it is waited for
 * until the programs of all links are gone, a minute at most: who goes on may count on nothing of them. 0; -EBUSY.
 */
int pins_unload(const char *dir, const char *const *links, size_t n);
/* A folder to pin in: root's, `group` may go in, whatever the umask (sekisho-probes.service: 0077). 0, -errno. */
int pins_folder(const char *path, gid_t group);
/* Owner root, `group` may read and write. 0, -errno. */
int pins_give(const char *path, gid_t group);
/*
 * Pins all of a skeleton's maps (but those of constants, which the programs hold) and the links that it has in a new
 * <dir>-new, for pins_swap. A map that is gone on with has its pin already: one more is no harm. 0, -errno.
 */
int pins_lay(const char *dir, gid_t group, const struct bpf_object_skeleton *sk);
/*
 * Element 0 of a pinned map, which may be another build's: as much of `size` bytes as it has. The version is the first
 * of each control page of ours, and says what the rest is. 0, -errno.
 */
int pins_first(int fd, void *out, size_t size);
/* The sum over all CPUs of a per-CPU array's first u64. 0, -errno. */
int pins_sum(int fd, uint64_t *out);
/* Before anything is loaded: memory for maps, libbpf's words, the BPF file system, mounted where it is not. 0; V_BAD.
 */
int pins_begin(struct why *why);
/* Opens `n` maps that are pinned; *fd is -1 where it could not be. 0; V_NOT_FOUND where one is not there; V_BAD. */
struct pinned_map {
	int *fd;
	const char *path;
};
int pins_open(const struct pinned_map *maps, size_t n, struct why *why);

/*
 * The root of the control groups (cgroup2): what is attached there holds for everybody. SEKISHO_GATE_CGROUP names a
 * part of the PC instead, for tests. Mounted for a moment where the PC has none. A descriptor, or -1 with the reason.
 */
int pins_open_cgroup(struct why *why);

#endif
