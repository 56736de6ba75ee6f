/*
 * What is said to ClamAV's clamd(8) at its socket to have bytes scanned (INSTREAM, by its manual), and what it answers.
 * For the guard, for files that are read from drives, and the console, for files that people hand in. Nothing is sent
 * here, nothing is read, and nobody waits.
 *
 * The dialogue: CLAMD_COMMAND with its NUL; parts, each behind its length (clamd_part); a part of the length 0; the
 * answer, which ends with a NUL. clamd may have enough before the end, and says so.
 */
#ifndef SEKISHO_BASE_CLAMD_H
#define SEKISHO_BASE_CLAMD_H

#include "policy/base/buf.h"

#define CLAMD_COMMAND "zINSTREAM" /* z: command and answer end with a NUL */
#define CLAMD_PART_HEAD 4u        /* bytes of a length */
#define CLAMD_ANSWER_MAX 512u     /* bytes of an answer; a longer one is none */
#define CLAMD_NAME_MAX 128u       /* of a signature, escaped, or of what clamd complains of */

enum clamd_verdict {
	CLAMD_CLEAN,
	CLAMD_FOUND,  /* `name` is the signature */
	CLAMD_FAILED, /* clamd could not: `name` says why */
	CLAMD_NONE,   /* that was no answer */
};

/* The socket at `path`: a local one is connected at once, or its queue is full. The caller's, non-blocking; -errno. */
int clamd_connect(const char *path);

/* What stands before a part of n bytes; 0: behind the last one. */
static inline void clamd_part(uint8_t head[CLAMD_PART_HEAD], uint32_t n)
{
	put_be32(head, n);
}

/*
 * What was said of a stream: one line that a NUL ends, "stream: OK", "stream: NAME FOUND", or something that ends with
 * "ERROR". It is read as bytes from outside.
 */
enum clamd_verdict clamd_answer(struct span answer, char name[CLAMD_NAME_MAX]);

#endif
