/*
 * The agent's own protection by the kernel, where its lsm= has bpf: installed files, keys, pinned objects and processes
 * of ours are not removed, replaced, cut, hidden, signalled or looked into by whoever is neither systemd, nor one of
 * our services, nor in the window that the guard opened for a package manager. See SHIELD.md; the kernel's side is
 * shield.bpf.c, what both share shield_map.h.
 *
 * sekisho-load loads it. What is ours is said by the guard, who renews it; from its last word on it holds for
 * SHIELD_LEASE_US of the time that the PC is awake, so that a PC whose guard does not come up any more can be mended
 * without it.
 */
#ifndef SEKISHO_PROBE_SHIELD_H
#define SEKISHO_PROBE_SHIELD_H

#include "agent/probe/shield_map.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include <stdbool.h>
#include <sys/types.h>

#define SHIELD_PIN_DIR "/sys/fs/bpf/sekisho-shield"
#define SHIELD_LEASE_US (900ll * 1000000)

/* --- for the loader --- */

/*
 * Loads, attaches and pins it, with `mode` (SHIELD_NOTE or SHIELD_REFUSE); what an older one knew of files stays. 0;
 * V_BAD where this kernel cannot (`why` says why: no bpf in lsm=, no trampolines); -errno.
 */
int shield_load(unsigned mode, struct why *why);
/* Removes it at once. 0; -EPERM where it does not let the caller; -errno. */
int shield_unload(void);
/* All objects that are pinned in our folders now are ours. 0, also where no shield is loaded; -errno. */
int shield_objects(void);

/* --- for the guard --- */

struct shield;

/* Takes the pinned maps; before rights are given up. 0; V_NOT_FOUND where nothing is loaded; V_BAD; -errno. */
int shield_open(struct shield **out, struct why *why);
void shield_close(struct shield *s);
DEFINE_CLEANUP(struct shield *, shield_close)

struct shield_file {
	dev_t dev; /* stat(2)'s */
	ino_t ino;
	unsigned flags; /* SHIELD_FILE, ... */
};

/* By what the kernel's events call it. */
struct shield_key shield_key_of(const struct shield_file *f);
/* These are ours, and no others. More than SHIELD_FILES_MAX are left out. 0, -errno. */
int shield_set_files(struct shield *s, const struct shield_file *files, size_t n);
/* It holds for SHIELD_LEASE_US from now on, asleep not counted. 0, -errno. */
int shield_renew(struct shield *s);
/*
 * The process `pid`, which started `start_ticks` after the PC did (proc(5), field 22 of stat), and its descendants may
 * do what others may not, until `until_boot_us`. 0 as `pid`: nobody any more. 0, -errno.
 */
int shield_window(struct shield *s, pid_t pid, uint64_t start_ticks, int64_t until_boot_us);
/*
 * Tries to give a pin of its own the mode that it has, which the shield has to refuse, whether it is in force or not;
 * where it does not, nothing is changed. 0 where it was refused, and this process is known as a service of ours;
 * V_NOT_FOUND where the kernel did not ask; V_DENIED where it does not know us: in force it would keep us from our own
 * (a file system whose inodes device and number do not tell apart; not started by systemd). -errno.
 */
int shield_prove(struct shield *s);
/* SHIELD_NOTE, SHIELD_REFUSE. */
unsigned shield_mode(const struct shield *s);

/* Called for each refusal. A negative answer ends shield_hear, which returns it. */
typedef int (*shield_event_fn)(void *ctx, const struct shield_event *e);
/* To be waited for with poll(2), POLLIN. */
int shield_fd(const struct shield *s);
/* Hands over what has been told; *lost becomes how many were not since the last call. 0, -errno. */
int shield_hear(struct shield *s, shield_event_fn fn, void *ctx, uint64_t *lost);

#endif
