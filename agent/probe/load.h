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

/* Writes which system call is whose. 0, -errno. */
int calls_fill(struct bpf_object *o);
/* Does denying work on this kernel? Proven by an open of a child of ours that is denied. */
bool enforce_proven(void);
/* Is the program one that is jumped to, and not attached? */
bool calls_is_target(const char *program);

#endif
