/*
 * The body of a segment: a CBOR sequence (RFC 8742) of maps, before compression. FORMAT.md has the page, segment.cddl
 * the grammar. The first key of an item tells what it is:
 *
 *   {0: 1, ...}  clock: sets the base that times are measured from (first item; again when the wall clock jumps)
 *   {0: 2, ...}  subject: facts of a process, written once; subjects are numbered from 0 in order of appearance
 *   {1: kind, ...}  record; key 2 is the boot clock minus the base's, key 9 the subject's number
 */
#ifndef SEKISHO_WIRE_BODY_H
#define SEKISHO_WIRE_BODY_H

#include "policy/wire/record.h"

#define BODY_RAW_MAX (8u << 20) /* bytes before compression */
#define BODY_RECORDS_MAX 20000u
#define BODY_SUBJECTS_MAX 8192u
#define BODY_NAME_MAX 16384u /* one string */

/* --- writing (producers) --- */

struct body_writer {
	struct buf *out; /* borrowed */
	int64_t base_wall_us, base_boot_us;
	bool has_clock;
	uint32_t records;
	uint32_t subjects;
	int64_t first_wall_us, last_wall_us, last_boot_us;
	/* Subjects that are in `out` already: where their facts lie there, and an open-addressed table of their
	 * numbers. */
	uint32_t subject_at[BODY_SUBJECTS_MAX], subject_len[BODY_SUBJECTS_MAX];
	uint64_t subject_hash[BODY_SUBJECTS_MAX];
	uint16_t table[BODY_SUBJECTS_MAX * 2]; /* number + 1; 0 is free */
	struct buf scratch;
};

/* Begins a body in `out`, which is cleared. `w` is zeroed before its first use, and released by body_writer_deinit. */
void body_begin(struct body_writer *w, struct buf *out);
void body_writer_deinit(struct body_writer *w);
/*
 * Appends a record. F_KIND must be set. F_BOOT_TIME is set by the caller or taken from the clock; F_TIME is derived:
 * the reader gets wall time = base wall + (boot - base boot). Subject facts in `r` become a subject item where these
 * very facts were not written before. Nothing is appended unless all of it fits. 0; V_FULL (seal, then begin a new
 * one); -ENOMEM.
 */
int body_put(struct body_writer *w, const struct record *r);

/* --- reading (collector, verifier) --- */

struct body_reader; /* holds the subjects */

/* `raw` is borrowed until the reader is freed. 0, -errno. */
int body_reader_new(struct span raw, struct body_reader **out);
void body_reader_free(struct body_reader *r);
DEFINE_CLEANUP(struct body_reader *, body_reader_free)

/* The next record, with its subject's facts, F_TIME and F_BOOT_TIME filled in. 0; V_END; V_BAD with the offset. */
int body_next(struct body_reader *r, struct record *out, struct why *why);

/*
 * What a crash left: sets w->out->n to the bytes of `raw` (which lie at w->out->p) that are whole items, and the
 * counters and times of `w` to what these hold. `w` can then be sealed, not written on. 0, -errno.
 */
int body_recover(struct span raw, struct body_writer *w);

#endif
