/*
 * `sekishoctl export parquet`: what parquet.c (the log, leaf by leaf) and parquet_folder.c (the folder that it goes
 * into) share.
 */
#ifndef SEKISHO_CTL_PARQUET_H
#define SEKISHO_CTL_PARQUET_H

#include "collector/export/parquet.h"
#include "policy/ctl/ctl.h"
#include <limits.h>

#define PARQUET_JOB "export.json"

/* What a folder is of, as export.json says it: chosen when it is begun, kept up after each round of files. */
struct parquet_job {
	int64_t from_us, until_us; /* of records, by their time; 0: open */
	char host[128];            /* "": of all PCs */
	uint64_t next;             /* the first leaf that no file has */
	struct digest last;        /* of the one before it: its header's SHA-256 */
};

/* A file that is being filled. */
struct parquet_file {
	struct parquet *p; /* NULL: none */
	int fd;
	uint64_t from;
	char part[PATH_MAX];
};

struct parquet_folder {
	char path[PATH_MAX - 128];
	int lock; /* -1 */
	struct parquet_job job;
	bool begun;                  /* it has been there before */
	uint64_t next[CHANNELS_MAX]; /* the first leaf that no file of the channel has: a crash may have left one behind
				      */
	struct parquet_file files[CHANNELS_MAX];
	json_t *written; /* files of this run: {"file", "records", "bytes"} */
};

/*
 * Opens it, locked, and makes it where it is not there; removes what a crash left of files. 0; V_EXISTS: another
 * process writes to it; V_DENIED: it holds something else; V_BAD: export.json is none, `why`; -errno. Ended by
 * parquet_folder_close after any answer, which also removes files that are not whole.
 */
int parquet_folder_open(struct parquet_folder *f, const char *path, struct why *why);
void parquet_folder_close(struct parquet_folder *f);
/* Writes export.json. 0; -errno. */
int parquet_folder_keep(struct parquet_folder *f);
/* The file of a channel in a month, begun where it is not there. 0; -errno. */
int parquet_folder_file(struct parquet_folder *f, const char *month, unsigned channel, struct parquet **out);
/*
 * Ends the files of a month: each is whole and durable, under its name, or not there. `to`: the last leaf that they
 * cover, `last` its header's hash. Then the job says so. 0; -errno.
 */
int parquet_folder_end(struct parquet_folder *f, const char *month, uint64_t to, const struct digest *last);

#endif
