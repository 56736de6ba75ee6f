/*
 * The parts of `sekishoctl doctor`: doctor_facts.c gathers what there is on this machine into one JSON object,
 * doctor_pc.c and doctor_server.c judge it (doctor_keys.c and doctor_units.c do both for keys and units), doctor.c says
 * it. Nobody else includes this.
 *
 * Facts, each absent where it is not here or could not be seen: "now_us", "root", "pc", "enrolled", "server",
 * "systemd", "kernel" {"release", "btf", "lsm", "lockdown"}, "load" (what sekisho-load --check prints), "clock_synced",
 * "settings" {"wrong": [what is wrong, with its place], "former": [{"path", "section", "there"}]: files of an older
 * version that are read behind their section, and whether collector.conf has its header},
 * "packages" ("apt" or "dnf"), "qpdf" (is it there), "units" {unit: "enabled", "disabled" or "masked"},
 * "disks" {path: {"free", "size"}}, "certificates" {path: not after in microseconds}, "cups", "timestamps" {"url",
 * "newest_us"}, "keys" {"new": where agent.conf has new ones made, "device" and "tls": {"place", "why" it cannot be
 * used}, "fits": is the TLS key the certificate's}, "shield" {"shield", "why"} (what sekisho-load wrote), and the
 * status file of each program by its short name ("recorder":
 * {..., "alive"}).
 */
#ifndef SEKISHO_CTL_DOCTOR_H
#define SEKISHO_CTL_DOCTOR_H

#include "policy/ctl/ctl.h"

enum doctor_state {
	DOCTOR_GOOD,
	DOCTOR_ATTENTION, /* it works, and will not for long, or does less than it could */
	DOCTOR_BAD,
	DOCTOR_NOT_HERE, /* nothing of it is on this machine, or only root may look */
};

struct doctor {
	const struct ctl *ctl;
	const json_t *facts;
	json_t *findings; /* [{"check", "state", "found", "fix"}] in the order of judging; the fix is null where none is
			     needed */
	bool ill;         /* one is neither good nor not here */
};

/* The words of "state". */
const char *doctor_state_name(enum doctor_state s);
/* One finding. `check` is its name for programs; `fix` a command, or NULL. */
__attribute__((format(printf, 5, 6))) void doctor_found(
	struct doctor *d, const char *check, enum doctor_state s, const char *fix, const char *fmt, ...);
/* A part of the facts; NULL where it is not there. */
const json_t *doctor_fact(const struct doctor *d, const char *name);
/* What people read for a check's name, in their language; NULL for one that has no words. */
const char *doctor_title(const struct ctl *c, const char *check);
/* A command by which packages come here: Debian's, or that of the distributions of rpm. */
const char *doctor_by_packages(const struct doctor *d, const char *apt, const char *dnf);
/* How a service of ours is started anew here: by systemd, or by quickstart. */
const char *doctor_restart(const struct doctor *d, char room[SHOWN_MAX], const char *service);
/*
 * Is the service `name` (sekisho-NAME) at work? Where it is not, a finding says so, under the check `name`, and false
 * is returned.
 */
bool doctor_runs(struct doctor *d, const char *name);
/* How full the disk of `path` is, under the check `check`; says nothing where nobody knows. */
void doctor_disk(struct doctor *d, const char *check, const char *path);
/* Microseconds from then until now; bounded where that cannot be said. */
int64_t doctor_since(const struct doctor *d, int64_t then_us);
/* How long something is good that ends at `until_us`, with `warn_days` of attention before. */
void doctor_until(
	struct doctor *d, const char *check, const char *what, int64_t until_us, int warn_days, const char *fix);

/* A PC's keys: the fact, for which each that a keeper holds is made to sign; and the check. */
json_t *doctor_keys_fact(void);
void doctor_keys(struct doctor *d);

/* The units that a PC starts with, where there is a systemd: the fact, and the check. */
json_t *doctor_units_fact(void);
void doctor_units(struct doctor *d);

/* All checks of a PC, and of a collector's machine. */
void doctor_pc(struct doctor *d);
void doctor_server(struct doctor *d);

/* Gathers the facts; runs sekisho-load --check where it may. NULL where there is no memory. */
json_t *doctor_facts(void);

#endif
