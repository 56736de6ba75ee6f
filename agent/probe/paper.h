/*
 * What CUPS does not tell of print jobs, and the kernel does: which process connects to CUPS, by its socket or by TCP,
 * with its arguments; by which of these connections a job's document came; which child of cupsd asked the gate, though
 * nobody answers; and by what a backend was ended (CUPS takes one that SIGKILL or SIGPIPE ended for one that worked).
 * The kernel programs (paper.bpf.c) are loaded and pinned by sekisho-load, and cost one look into a table where nobody
 * prints. Read by the print daemon, through memory: once opened, no call needs a right.
 */
#ifndef SEKISHO_PROBE_PAPER_H
#define SEKISHO_PROBE_PAPER_H

#include "agent/probe/paper_map.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include <stdbool.h>
#include <sys/types.h>

#define PAPER_PIN_DIR "/sys/fs/bpf/sekisho-paper"

/*
 * For the loader: loads, attaches and pins; what is there already, of this version, stays. 0; V_BAD where this kernel
 * takes them not (`why` says why; where it takes only one of them, that one is loaded, and 0 is answered with the
 * reason in `why`); -errno.
 */
int paper_load(struct why *why);
/* Removes them at once. 0, -errno. */
int paper_unload(void);

/*
 * The ports at which CUPS listens, for whoever is root; the loader sets that of IPP. 0; V_NOT_FOUND where nothing is
 * loaded; V_BAD where it is of another version; -errno.
 */
int paper_ports(const uint16_t *ports, unsigned n);

struct paper;

/* Called for each event. */
typedef void (*paper_event_fn)(void *ctx, const struct paper_event *e);

/* Takes the pinned maps; before rights are given up. 0; V_NOT_FOUND where nothing is loaded; V_BAD; -errno. */
int paper_open(struct paper **out, paper_event_fn fn, void *ctx, struct why *why);
void paper_close(struct paper *p);
DEFINE_CLEANUP(struct paper *, paper_close)

/* To be waited for with poll(2), POLLIN. */
int paper_fd(const struct paper *p);
/* Hands over what was told. *lost becomes how many were not since the last call. 0, -errno. */
int paper_hear(struct paper *p, uint64_t *lost);

/*
 * The end of this process is told, once. One of another number with the same last twelve bits that was watched before
 * is not any more.
 */
void paper_watch(struct paper *p, pid_t pid);
/* ... no more. */
void paper_forget(struct paper *p, pid_t pid);

#endif
