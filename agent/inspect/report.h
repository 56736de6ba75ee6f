/*
 * The bytes between the daemon, the inspector and its children: a question (one datagram with two or three
 * descriptors), and a
 * report (frames in a pipe). A frame is a be32 length and a CBOR map of all facts known so far; it is written in one
 * write(2) below PIPE_BUF, so that a child that dies leaves whole ones. The last frame counts, except for size and
 * SHA-256, of which the first does.
 */
#ifndef SEKISHO_INSPECT_REPORT_H
#define SEKISHO_INSPECT_REPORT_H

#include "agent/inspect/inspect.h"

#define REPORT_FRAME_MAX 4096u
#define REPORT_MAX (64u << 10) /* bytes of one document's report; a pipe holds as much without a reader */
#define QUESTION_MAX (16u << 10)
#define QUESTION_FDS 3 /* the document, the report, the known documents where there are any */

/* Instead of a question, without descriptors: questions with pictures will come. No question is one byte long. */
#define QUESTION_PREPARE_OCR "o"

struct question {
	bool text, makes_prints, has_known;
	uint8_t key[INSPECT_KEY_SIZE]; /* where it makes_prints */
	uint32_t time_ms;
	struct inspect_ocr ocr;
	uint64_t memory, unpacked;
	unsigned patterns;
	char pattern[INSPECT_PATTERNS_MAX][INSPECT_PATTERN_MAX];
};

/* 0, V_FULL, -ENOMEM; V_BAD where a pattern is too long or there are too many. */
int question_write(struct buf *out, const struct inspect_ask *ask, struct why *why);
/* 0 or V_BAD. */
int question_read(struct span in, struct question *q, struct why *why);

/* One frame with its length in front. `about`: what is missing if no other follows. 0, V_FULL, -ENOMEM. */
int report_write(struct buf *out, const struct inspect_facts *facts, enum inspect_what about);
/* One frame without its length. 0; V_END (see below); V_BAD: then nothing has changed. */
int report_read(struct span frame, struct inspect_facts *facts, enum inspect_what *about, struct why *why);

/*
 * Fingerprints that were made, in pieces of PRINTS_PIECE at most: a frame like the others, for which report_read
 * answers V_AGAIN; prints_read then appends its fingerprints to `out`. 0, V_BAD, V_FULL, -ENOMEM.
 */
#define PRINTS_PIECE 512u
int report_write_prints(struct buf *out, const uint8_t *prints, unsigned n);
int prints_read(struct span frame, struct buf *out, struct why *why);

/*
 * The last word of the inspector over a child that did not finish: why, as a gap about what the child was at. It is a
 * frame like the others; report_read answers V_END for it, and then sets cause and detail in gap[0] only.
 */
int report_write_end(struct buf *out, enum inspect_cause cause, const char *detail);

#endif
