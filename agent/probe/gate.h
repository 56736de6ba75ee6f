/*
 * The gate: kernel programs that let nobody write to a device which is held. For user space; the kernel's side is
 * gate.bpf.c, what both share gate_map.h.
 *
 * sekisho-load calls gate_load (at boot beside udev's coldplug); everything stays pinned, so that it holds with every
 * daemon dead. From then on the kernel itself decides what is held: each device that appears (device_add) is looked at,
 * and what hangs on USB, in a card slot, on FireWire or on an external PCI port is held from its first moment on, as is
 * every optical drive. What was there before is taken stock of when the gate is loaded. The guard can only grant, and a
 * grant ends by itself in the kernel with the device, or with its medium.
 *
 * - An open for writing of a held block device, by anybody and from anywhere: EROFS by cgroup/dev (before 5.18: EPERM).
 * - Any open of a held node that goes past the disk (SCSI generic, bsg, tape, NVMe), and one for writing of usbfs:
 * EPERM.
 * - BLKROSET, discards and pass-through on what was opened before: EPERM by fmod_ret; remounts for writing: EROFS.
 * - A write that reached a held device all the same is told, no more.
 */
#ifndef SEKISHO_PROBE_GATE_H
#define SEKISHO_PROBE_GATE_H

#include "agent/probe/gate_map.h"
#include "policy/base/buf.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include <stdbool.h>
#include <sys/types.h>

#define GATE_PIN_DIR "/sys/fs/bpf/sekisho-gate"

/* What works on this kernel. As a list of words (record field `layers`): gate_layers_text. */
enum {
	GATE_OPEN = 1 << 0,     /* opens are denied (cgroup/dev) */
	GATE_EROFS = 1 << 1,    /* ... with EROFS, so that mount goes on read-only by itself */
	GATE_TRACK = 1 << 2,    /* devices are held by the kernel from their first moment (fentry/device_add) */
	GATE_MEDIUM = 1 << 3,   /* a changed medium ends a grant in the kernel */
	GATE_IOCTL = 1 << 4,    /* pass-through and flags are denied (lsm or fmod_ret) */
	GATE_MOUNT = 1 << 5,    /* remounts are denied */
	GATE_WATCH = 1 << 6,    /* writes to held devices are told (tracepoint) */
	GATE_REFUSALS = 1 << 7, /* writes that a read-only file system refused are told, with path (fexit) */
};
/* "open,erofs,track,..." in order, appended. */
int gate_layers_text(unsigned layers, struct buf *out);

struct gate_options {
	bool dry_run; /* tell what would be denied, deny nothing: `sekisho-load --gate=note`, or sekisho.gate=note at
			 boot */
	gid_t group;  /* may read what is pinned; 0: root alone */
};

/*
 * Takes stock of what is there, loads, attaches, proves by a child that is denied, pins. A gate that is pinned already
 * is replaced without a moment in which nothing holds; grants and holds are carried over. *layers: what works. 0; V_BAD
 * where not even opens can be denied, with the kernel's reason; -errno, also where it has no room for it now. Never
 * leaves the PC's own disks held: where stock cannot be taken it is V_BAD, and nothing is attached.
 */
int gate_load(const struct gate_options *o, unsigned *layers, struct why *why);
/*
 * Tells udev (00-sekisho-own.rules, see gate_parts.h) which disks this system runs from, so that its rules leave them
 * alone: needs no kernel program, and goes before gate_load, which may fail or hang, and goes by the same disks. With
 * `anew` also where that was done in this boot. 0 or -errno.
 */
int gate_own_disks(bool anew);
/* Ends it: for the removal of the package. 0 also where nothing was. */
int gate_unload(void);

struct gate;

/* Opens what is pinned. 0; V_NOT_FOUND; V_BAD where it is of another version; -errno. */
int gate_open(struct gate **out, struct why *why);
void gate_close(struct gate *g);
/* Which gate is pinned, for telling one from another: loading anew makes another one. 0: none. */
uint64_t gate_pinned(void);
/*
 * Is `pinned` (gate_pinned()) of the tables that `g` has? One that was loaded anew goes on with them. False where one
 * of them was lost: what is decided in `g` holds nothing any more.
 */
bool gate_is(const struct gate *g, uint64_t pinned);
DEFINE_CLEANUP(struct gate *, gate_close)

unsigned gate_layers(const struct gate *g);
bool gate_dry_run(const struct gate *g);

/*
 * How the kernel holds a device. For a partition it is its disk's entry. 0; V_NOT_FOUND where it holds no such device;
 * -errno.
 */
int gate_look(const struct gate *g, unsigned type, dev_t dev, struct gate_entry *out);
/* Calls `fn` for every entry, until it returns non-zero, which is returned. */
int gate_each(
	const struct gate *g, int (*fn)(void *ctx, const struct gate_key *k, const struct gate_entry *e), void *ctx);

/*
 * Grants: the device (a whole disk with its partitions, or a character device) may be used as `state` says, as long as
 * it is the one whose `generation` was looked at before its identity was. V_AGAIN where it is another one by now (the
 * medium was changed, the device unplugged): look and decide again.
 */
int gate_grant(const struct gate *g, unsigned type, dev_t dev, uint64_t generation, unsigned state);
/* Takes a grant back; also holds what the kernel did not think of holding. Existing opens stay: see guard. */
int gate_hold(const struct gate *g, unsigned type, dev_t dev, unsigned state);

/* The calling process may set flags and mount on held devices: the guard itself. Ends with the process. */
int gate_exempt_self(const struct gate *g);
/*
 * Nobody mounts an overlay in a user namespace of his own, or anybody again. Such ones that there are stay. 0, -errno.
 */
int gate_refuse_overlays(const struct gate *g, bool refuse);

/* --- events --- */

typedef int (*gate_event_fn)(void *ctx, const struct gate_event *e);
int gate_fd(const struct gate *g);
/* Calls `fn` for what is there; the number, or what `fn` returned where negative. */
int gate_consume(struct gate *g, gate_event_fn fn, void *ctx);
/*
 * Of what one process did again and again the first is told at once; the rest with the next that it does a second
 * later, or here: calls `fn` for what nothing came after. To be asked a while after an event. The number, or what `fn`
 * returned where negative; -errno.
 */
int gate_rest(struct gate *g, gate_event_fn fn, void *ctx);
/* Events that did not fit, since the last call. */
uint64_t gate_lost(struct gate *g);

/*
 * The canary: a child of ours tries what a held device must refuse. Returns the layers that bit just now (which may be
 * fewer than gate_layers says: then something is wrong), or -errno.
 */
int gate_prove(const struct gate *g);

#endif
