/*
 * The recording filter: what on a PC is worth a record. Loaded from record.yaml by the recorder, which gives one half
 * of it to the kernel (literal prefixes, users, programs) and applies the whole of it to what arrives.
 *
 *   level = max(class, min(path, program, user))
 *
 * Where a thing lies raises, who acts lowers; what a device class demands nobody's exception can take away.
 * Pure: no files but the one that is loaded, no look-up of users (their names stay names here).
 */
#ifndef SEKISHO_RULE_FILTER_H
#define SEKISHO_RULE_FILTER_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

#define FILTER_FILE_MAX (256u << 10)
#define FILTER_PATHS_MAX 256u
#define FILTER_PATH_SIZE 256u /* with the NUL */
#define FILTER_PROGRAMS_MAX 64u
#define FILTER_USERS_MAX 64u
#define FILTER_USER_SIZE 64u
#define FILTER_CLOUD_MAX 32u
#define FILTER_CLASSES 8u /* CLASS_* of the record table, 0 unused */

enum filter_level {
	FILTER_NONE = 0,    /* nothing */
	FILTER_CHANGES = 1, /* what changes files: writing, creating, renaming, deleting, permissions */
	FILTER_ALL = 2,     /* reading too */
};

/* A prefix of whole path components. "~" stands for a home directory and "*" for any one component. */
struct filter_path {
	char prefix[FILTER_PATH_SIZE]; /* "/" or without a slash at its end; "~" already written out */
	uint8_t level;
	uint8_t parts; /* components: more are more specific */
	bool wild;     /* has a "*" */
};

struct filter_program {
	char path[FILTER_PATH_SIZE];
	uint8_t level;
};

struct filter_user {
	char name[FILTER_USER_SIZE]; /* a name, or a number in decimal */
	uint8_t level;
};

struct filter {
	uint64_t kinds; /* bit per KIND_* up to 63: these are recorded at all */
	unsigned path_n, program_n, user_n, cloud_n;
	struct filter_path path[FILTER_PATHS_MAX];
	struct filter_program program[FILTER_PROGRAMS_MAX];
	struct filter_user user[FILTER_USERS_MAX];
	uint8_t class_level[FILTER_CLASSES];            /* FILTER_NONE: the class demands nothing */
	char cloud[FILTER_CLOUD_MAX][FILTER_PATH_SIZE]; /* folders that a sync client carries away; may hold "*" */
};

/*
 * Reads a filter from YAML text; `name` stands in reasons ("name:line: reason"). 0; V_BAD; -ENOMEM. `out` is untouched
 * unless 0 is returned.
 */
int filter_parse(struct span yaml, const char *name, struct filter *out, struct why *why);
/* The same from a file. V_NOT_FOUND where there is none. */
int filter_load(const char *path, struct filter *out, struct why *why);

/* What the most specific prefix says of a path; FILTER_CHANGES where none fits. */
enum filter_level filter_path_level(const struct filter *f, struct span path);
/* FILTER_ALL where the program, the user, is not listed. `name` may be NULL where the user has none. */
enum filter_level filter_program_level(const struct filter *f, struct span program);
enum filter_level filter_user_level(const struct filter *f, const char *name, uint32_t uid);
/* Does the path lie in a folder that a sync client carries away? */
bool filter_is_cloud(const struct filter *f, struct span path);

static inline bool filter_kind(const struct filter *f, unsigned kind)
{
	return kind < 64 && f->kinds >> kind & 1;
}

/*
 * The kernel's half: literal prefixes of which the longest decides. It never leaves out what the whole filter keeps:
 * where an entry with "*", a cloud folder or a demanding device class could speak of paths below a prefix, the prefix
 * has at least their level.
 */
#define FILTER_KERNEL_MAX 1024u

struct filter_place {
	const char *path; /* literal: where a device is mounted, or a home directory */
	uint8_t level;    /* what its class demands; FILTER_NONE for a home directory */
};

struct filter_kernel {
	unsigned n, dropped; /* dropped: did not fit; what they would have said is taken over by shorter prefixes */
	struct filter_prefix {
		char path[FILTER_PATH_SIZE];
		uint8_t level;
	} prefix[FILTER_KERNEL_MAX];
};

/* `homes` make entries like /home/<any>/.cache literal for people who are known. */
void filter_kernel(const struct filter *f, const struct filter_place *mounts, unsigned mounts_n,
	const struct filter_place *homes, unsigned homes_n, struct filter_kernel *out);

/* Is `prefix` (with "*" for any component) the path or one of its parents? */
bool filter_prefix_fits(const char *prefix, struct span path);

#endif
