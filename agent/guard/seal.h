/*
 * One file on a removable drive made unreadable, or readable again (policy/wire/sealed.h has the format). Called by
 * written_hand.c in a child of the guard's, which may wait for a slow medium as long as that takes; tests call it, too.
 *
 * The file stays the same inode: its bytes are overwritten where they lie, so that its owner, its rights and its other
 * names stay, and that all is done by descriptor but the new name. Before a byte of it is overwritten, all that stands
 * in it lies sealed and durable in a folder of this PC; that copy goes when the medium has been read back.
 *
 * While the medium is written to, a note lies beside the copy. Who is killed there, or whose drive is pulled, leaves
 * both: by them it is gone on with when the drive is there again (seal_resume).
 *
 * Whether somebody has it open for writing is asked of the kernel by a lease (fcntl(2), F_SETLEASE; needs CAP_LEASE).
 * Where a file system has no leases it is taken that nobody has.
 */
#ifndef SEKISHO_GUARD_SEAL_H
#define SEKISHO_GUARD_SEAL_H

#include "policy/wire/sealed.h"

#define SEAL_NAME_MAX 64u
#define SEAL_PATH_SIZE 4096u
#define SEAL_OPEN_MAX (1ull << 30) /* larger sealed files are opened by an opener, not by a guard: memory */

enum seal_verdict {
	SEAL_DONE,
	SEAL_BUSY,    /* somebody has it open for writing, or wrote to it meanwhile: nothing is changed */
	SEAL_REFUSED, /* it cannot be; nothing is changed, `text` says why */
	SEAL_BROKEN,  /* it ended while the medium was written to: what it held is in the folder's copy only */
	SEAL_ABSENT   /* seal_resume: the file, or its copy, is not there */
};

/*
 * A sealing whose medium is being written to: "COPY.cut" in the folder, a CBOR array of 1 (the version), path, how much
 * of it is the mount's, drive, rule, SHA-256 and size of the file's own content. It is "COPY.done" when the medium was
 * read back, before the copy goes.
 */
#define SEAL_NOTE_SUFFIX ".cut"
#define SEAL_DONE_SUFFIX ".done"
struct seal_note {
	char path[SEAL_PATH_SIZE];
	uint64_t mount_n;          /* bytes of the path that are where the drive was mounted */
	char drive[256], rule[80]; /* as the caller tells drives and rules apart */
	struct digest hash;        /* seal_file fills in these two */
	uint64_t bytes;
	bool done; /* seal_note_read: by its name */
};

/* As it goes through a pipe from one process of ours to another. */
struct seal_result {
	enum seal_verdict verdict;
	struct digest hash; /* of the file's own content */
	uint64_t bytes;     /* of it */
	uint64_t dev,
		ino; /* which file, and when it was changed last by us (struct stat's ctime): zeros where it was not */
	int64_t ctime_s, ctime_ns;
	bool kept; /* the copy in the folder stays */
	bool renamed;
	char name[SEAL_PATH_SIZE]; /* what it is called now, where `renamed` */
	char text[160];            /* what is to be said of it; may be empty */
};

struct seal_work {
	int file;                               /* open for reading */
	int folder;                             /* of sealed copies; only root's */
	const char *copy;                       /* the name that this one has there: letters, digits, dot, hyphen */
	uint64_t max_bytes;                     /* of all copies in the folder together */
	const char *path;                       /* what the file is called, as far as this process sees; may be "" */
	const struct envelope_readers *openers; /* seal_file */
	const struct sealed_order *order;       /* seal_open */
	struct seal_note *note;                 /* seal_file: NULL where it could not be gone on with; seal_resume */
	bool insist; /* seal_file: also where somebody has it open for writing; the copy stays then */
};

/*
 * Fill *out; never fail otherwise. Block. Ignore SIGIO from then on. seal_resume goes on where a seal_file with this
 * note was cut off: where the file is as it was, or has parts of the sealed copy in its content's place; any other one
 * is refused, and the copy stays. The note is the caller's to remove, once its record is written.
 */
void seal_file(const struct seal_work *w, struct seal_result *out);
void seal_resume(const struct seal_work *w, struct seal_result *out);
void seal_open(const struct seal_work *w, struct seal_result *out);

/* A file by its path below the root folder of one mount, no link followed, no mount crossed: open for reading.
 * -errno. */
int seal_find(const char *mount, const char *path);

/* seal_note_read: 0; V_NOT_FOUND; V_BAD; -errno. seal_note_drop: of a note that is not there nothing is said. */
int seal_note_read(int folder, const char *copy, struct seal_note *out);
void seal_note_drop(int folder, const char *copy);

#endif
