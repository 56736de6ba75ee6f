/*
 * Files that are read from drives, scanned by ClamAV: the part of written_scan.c (files that wait, what is told) that
 * hands one file to clamd. Nobody else includes this but written.h.
 */
#ifndef SEKISHO_GUARD_SCAN_H
#define SEKISHO_GUARD_SCAN_H

#include "policy/base/clamd.h"

/*
 * In a child that was forked for it: gives up all but the three descriptors, sends `file` from its start, at most `max`
 * bytes, through `clamd` (a connected socket) and writes clamd's answer to `out`. Reads nothing of either itself.
 */
__attribute__((noreturn)) void scan_child(int file, int clamd, int out, uint64_t max);

#endif
