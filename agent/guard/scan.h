/*
 * Files that are read from drives, scanned by ClamAV: the parts of written_scan.c (files that wait, what is told) and
 * of scan.c (the child that hands one file to clamd, and what clamd's answer means). Nobody else includes this but
 * written.h.
 */
#ifndef SEKISHO_GUARD_SCAN_H
#define SEKISHO_GUARD_SCAN_H

#include "policy/base/buf.h"

#define SCAN_ANSWER_MAX 512u /* bytes of clamd's answer; a longer one is none */
#define SCAN_NAME_MAX 128u   /* of a signature, escaped, or of what clamd complains of */

enum scan_verdict {
	SCAN_CLEAN,
	SCAN_FOUND,  /* `name` is the signature */
	SCAN_FAILED, /* clamd could not: `name` says why */
	SCAN_NONE,   /* that was no answer */
};

/*
 * What clamd(8) said of a stream, by its manual: one line that a NUL ends, "stream: OK", "stream: NAME FOUND", or
 * something that ends with "ERROR". It is read as bytes from outside.
 */
enum scan_verdict scan_answer(struct span answer, char name[SCAN_NAME_MAX]);

/*
 * In a child that was forked for it: gives up all but the three descriptors, sends `file` from its start, at most `max`
 * bytes, through `clamd` (a connected socket) and writes clamd's answer to `out`. Reads nothing of either itself.
 */
__attribute__((noreturn)) void scan_child(int file, int clamd, int out, uint64_t max);

#endif
