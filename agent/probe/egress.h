/*
 * Connections to printers by programs other than CUPS: told, and refused where the policy says so. The kernel programs
 * (egress.bpf.c) are loaded and pinned by sekisho-load, and go on by the last settings when nobody runs. Read and set
 * by the print daemon.
 *
 * "Printers" are TCP ports: 9100 to 9107, 631 and 515 on other machines, and on this one those of ipp-usb; the policy
 * may name others. "CUPS" are services of system.slice by their control group, which only root can enter. Connections
 * that exist are left alone; a printer application that runs as a service of its own must be named.
 */
#ifndef SEKISHO_PROBE_EGRESS_H
#define SEKISHO_PROBE_EGRESS_H

#include "agent/probe/egress_map.h"
#include "policy/base/cleanup.h"
#include "policy/base/why.h"
#include <stdbool.h>

#define EGRESS_PIN_DIR "/sys/fs/bpf/sekisho-egress"

/*
 * For the loader: loads, attaches and pins, with what egress_defaults has (EGRESS_NOTE); settings of an older set that
 * is replaced stay. SEKISHO_GATE_CGROUP names another control group than the root, for tests. 0; V_BAD where this
 * kernel takes them not (`why` says why); -errno.
 */
int egress_load(struct why *why);
/* Removes them at once. 0, -errno. */
int egress_unload(void);

struct egress;

/* Called for each connection. A negative answer ends egress_hear, which returns it. */
typedef int (*egress_event_fn)(void *ctx, const struct egress_event *e);

/* Takes the pinned maps; before rights are given up. 0; V_NOT_FOUND where nothing is loaded; V_BAD; -errno. */
int egress_open(struct egress **out, struct why *why);
void egress_close(struct egress *e);
DEFINE_CLEANUP(struct egress *, egress_close)

/* To be waited for with poll(2), POLLIN. */
int egress_fd(const struct egress *e);
/* Hands over what has been told; *lost becomes how many were not since the last call. 0, -errno. */
int egress_hear(struct egress *e, egress_event_fn fn, void *ctx, uint64_t *lost);

/* What is looked at where no policy says otherwise. `base` stays. */
void egress_defaults(struct egress_control *c);
/* The settings in force, and other ones; `version` and `base` are the loader's and stay. 0, -errno. */
int egress_get(const struct egress *e, struct egress_control *c);
int egress_set(struct egress *e, const struct egress_control *c);
/* Adds a range or a service. V_FULL; V_BAD for one that cannot be. */
int egress_add_range(struct egress_control *c, unsigned from, unsigned to, bool loopback);
int egress_add_unit(struct egress_control *c, const char *unit);

#endif
