/*
 * The kernel side, for user space: load, pin, open again, read, steer. The one place with libbpf beside the recorder's
 * loop.
 *
 * sekisho-load calls probe_load with privilege, then exits: programs, links and maps stay pinned below
 * /sys/fs/bpf/sekisho. The recorder calls probe_open while it still may, gives its privilege up, and from then on only
 * reads and writes memory that is mapped, and reads iterators that it opens by path: it needs no bpf(2) any more.
 */
#ifndef SEKISHO_PROBE_PROBE_H
#define SEKISHO_PROBE_PROBE_H

#include "agent/probe/event.h"
#include "policy/base/buf.h"
#include "policy/base/why.h"
#include <stdbool.h>
#include <sys/types.h>

#define PROBE_PIN_DIR "/sys/fs/bpf/sekisho"
#define PROBE_RING_SIZE (8u << 20)

/* Which hooks: PROBE_SET_TRAMPOLINE or PROBE_SET_TRACEPOINT of the record table. */
struct probe_options {
	unsigned set;        /* 0: the fullest that really works here */
	uint32_t ring_bytes; /* a power of two; 0: PROBE_RING_SIZE */
	gid_t group;         /* may read and steer what is pinned; 0: root alone */
};

/*
 * Before the loader gives up mount(2): the BPF file system, mounted where it is not, and the root of the control
 * groups, opened for all that is attached there. What could not be had is missed by who needs it, with its reason.
 * Without it each of them does so by itself.
 */
void probe_prepare(void);
/*
 * Loads and attaches a set, proves that it delivers (an event that is caused on purpose must arrive), pins it. What was
 * pinned before is replaced only when the new one works. *set is which one it is; `why` says why the fuller one is not
 * it, where that is so. 0; V_BAD where none works, with the kernel's reason; -errno.
 */
int probe_load(const struct probe_options *o, unsigned *set, struct why *why);
/* Removes what is pinned: recording ends. 0 also where nothing was. */
int probe_unload(void);

struct probe;

/* Opens what is pinned. 0; V_NOT_FOUND where nothing is; V_BAD where it is of another version; -errno. */
int probe_open(struct probe **out, struct why *why);
void probe_close(struct probe *p);
DEFINE_CLEANUP(struct probe *, probe_close)

unsigned probe_set_of(const struct probe *p);
/* ENFORCE_FULL where the loader saw an open denied that it had denied. */
unsigned probe_enforce_of(const struct probe *p);

/* --- steering: before privilege is given up, and on SIGHUP (the maps are mapped or written through open fds) --- */

struct probe_filter {
	uint64_t kinds;     /* bit per KIND_* */
	unsigned level_all; /* FILTER_* level of what no prefix names */
	unsigned prefixes;
	const struct probe_filter_prefix {
		const char *path; /* no slash at its end, but for "/" */
		unsigned level;
	} * prefix;
	unsigned skip_pids; /* processes whose own file use is left out (the recorder itself) */
	const uint32_t *skip_pid;
	uint64_t hold_ns;
};
/* Replaces the filter, and starts recording. Needs the right to use bpf(2) on maps. 0, V_FULL, -errno. */
int probe_filter_set(struct probe *p, const struct probe_filter *f);

/*
 * Where parts of file systems are mounted in the PC's own mount namespace (its inode; 0: unknown): files are called so
 * in all others. Of two parts the smaller one counts. Needs the right to use bpf(2) on maps. Does nothing with programs
 * of a version that has no such table; a name that is too long for it is left out. 0, -errno.
 */
struct probe_mount {
	dev_t dev;
	const char *part; /* its name in the file system; "/" is all of it */
	const char *path;
};
int probe_points_set(struct probe *p, uint32_t host_mnt_ns, const struct probe_mount *points, unsigned n);

/* --- reading --- */

typedef int (*probe_event_fn)(void *ctx, struct span event);

/* To be polled for reading. */
int probe_fd(const struct probe *p);
/* Calls `fn` for what is there, at most `max` events (0: all). The number, or what `fn` returned where not 0
 * (negative). */
int probe_consume(struct probe *p, probe_event_fn fn, void *ctx, unsigned max);
/*
 * Before the caller waits in poll: asks to be woken with the next event. True where something arrived meanwhile:
 * consume again instead.
 */
bool probe_sleep(struct probe *p);

/* How much the kernel has told, and how much of it was taken by whoever reads: positions in bytes, which only grow. */
uint64_t probe_told(const struct probe *p);
uint64_t probe_taken(const struct probe *p);

/* What was lost since the last call, by cause: `lost` has PROBE_CAUSES places, and is added to. */
void probe_lost(struct probe *p, uint64_t *lost);

/*
 * Finds open files that nobody has open any more without a close that was seen (the end of a process, exec, dup2), and
 * those held open for long: their events arrive in the ring buffer. Costs a walk over all open files of the PC.
 */
int probe_sweep(struct probe *p);
/* Makes an event (KIND_RUNNING) of every process that runs: they arrive in the ring buffer. */
int probe_running(struct probe *p);

#endif
