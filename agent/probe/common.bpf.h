/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What both sets of kernel programs share: who acts, what a path is, which files are worth a record, the table in which
 * an open file's use is folded into one event, and the ring buffer. Where a set looks is in tracepoint.bpf.c and
 * trampoline.bpf.c.
 *
 * Nothing here decides or changes what happens on the PC. Whatever cannot be told is counted by cause (lose).
 */
#ifndef SEKISHO_PROBE_COMMON_BPF_H
#define SEKISHO_PROBE_COMMON_BPF_H

#include "agent/probe/copy.bpf.h"
#include "agent/probe/emit.bpf.h"
#include "agent/probe/fold.bpf.h"
#include "agent/probe/maps.bpf.h"
#include "agent/probe/path.bpf.h"
#include "agent/probe/process.bpf.h"

#define RENAME_EXCHANGE_BIT 2u

#endif
