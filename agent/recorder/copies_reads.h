/*
 * Files that were read lately, by whom: where a copy may have come from. Used by copies.c. All memory is taken at the
 * start; what is newer pushes out what is older, in a row that the process shares with few others.
 */
#ifndef SEKISHO_RECORDER_COPIES_READS_H
#define SEKISHO_RECORDER_COPIES_READS_H

#include "agent/recorder/copies_kin.h"
#include "agent/recorder/decode.h"

struct read {
	uint64_t number; /* ascending, from 1; 0: free */
	uint64_t text_at;
	uint32_t text_n;
	uint32_t older; /* of the same size: its place, from 1 */
	uint32_t pid, ppid, uid;
	enum kin kin;
	uint64_t start_ns;
	uint64_t program; /* hash of its path */
	uint32_t dev_major, dev_minor;
	uint64_t inode, size;
	uint64_t bytes;           /* that were read */
	int64_t first_us, end_us; /* from opening to last close */
};

struct reads;

/* 0, -ENOMEM. */
int reads_new(struct reads **out);
void reads_free(struct reads *r);
/* Keeps a KIND_FILE of which something was read. Valid until the next call. */
const struct read *reads_put(struct reads *r, const struct seen *s, uint64_t program);
/* Its path; empty where that is gone. */
struct span reads_path(const struct reads *r, const struct read *e);
/* The newest one of this size, and the next older one of that; NULL. */
const struct read *reads_sized(const struct reads *r, uint64_t size);
const struct read *reads_sized_next(const struct reads *r, const struct read *e);
/* The `i`th newest of the row of a process, others' among them; NULL behind the last. */
const struct read *reads_row(const struct reads *r, uint32_t pid, unsigned i);
/* How many were pushed out within COPIES_WINDOW_US. */
uint64_t reads_evicted(const struct reads *r);

#endif
