/*
 * What is written to removable drives: the parts of written.c (files that wait, are looked into, are judged) and of
 * written_watch.c (which file systems are watched, what was closed on them). Nobody else includes this; the rest of the
 * guard knows guard.h's functions.
 */
#ifndef SEKISHO_GUARD_WRITTEN_H
#define SEKISHO_GUARD_WRITTEN_H

#include "agent/evidence/evidence.h"
#include "agent/guard/guard.h"
#include "agent/inspect/inspect.h"
#include "policy/rule/drives.h"
#include <sys/stat.h>

#define WRITTEN_WAITING_MAX 1024u /* files; a descriptor is held for each. More are told, and not looked into */
#define WRITTEN_AT_ONCE 2u        /* that are looked into: the desktop has the other cores */
#define WRITTEN_PATH_SIZE 4096u
#define WRITTEN_FILE_SYSTEMS_MAX 128u
#define WRITTEN_COPIES_MAX 256u /* that wait */
#define WRITTEN_COPY_NAME_SIZE 64u

/* A file that was closed behind writing. */
struct written_file {
	struct written_file *next;
	int fd;                      /* for reading */
	char device[DISK_NAME_SIZE]; /* the disk's name */
	dev_t dev;
	ino_t ino;
	int64_t closed_boot_us;       /* first close that is not looked into yet */
	int64_t due_boot_us;          /* when it is to be looked into */
	uint32_t pid, uid, login_uid; /* of who closed it; UINT32_MAX: not known */
	char program[512];            /* empty: it had ended */
	struct inspect_job *job;      /* NULL: it waits */
	sd_event_source *source;
};

/* A file that is to be copied for the auditor. */
struct written_copying {
	struct written_copying *next;
	int fd;
	struct evidence_copy *copy; /* NULL: not begun yet */
	char name[WRITTEN_COPY_NAME_SIZE];
	char device[DISK_NAME_SIZE], rule[POLICY_NAME_SIZE + 16];
	char *path;
	dev_t dev;
	ino_t ino;
	struct digest hash; /* of what was copied */
	uint64_t bytes;
};

struct written_copies {
	struct evidence *folder; /* NULL: no policy has asked for any yet */
	struct written_copying *first, **last;
	unsigned waiting;
	sd_event_source *idle;
};

/* A file system of a drive that is watched. */
struct written_place {
	dev_t dev; /* as stat(2) tells it of files there */
	char disk[DISK_NAME_SIZE];
	char target[PATH_MAX];
	bool fails;
};

struct written {
	struct inspect *inspect; /* NULL: there is none */
	int group;               /* of fanotify(7) */
	int mounts;              /* /proc/self/mountinfo, which says when it changes */
	bool on;                 /* the policy in force asks for it */
	struct written_place place[WRITTEN_FILE_SYSTEMS_MAX];
	unsigned places_n;
	struct written_file *waiting, **last, *busy;
	unsigned waiting_n, busy_n;
	struct {
		dev_t dev;
		ino_t ino;
		int64_t boot_us;
	} looked[64]; /* the last ones, so that a file that is written all the time is not looked into all the time */
	unsigned looked_at;
	struct written_copies copies;
	uint64_t files, alerts, missed;
};

/* written_watch.c: what is mounted from drives now is watched, and nothing else. */
void written_watch(struct guard *g);
/* Takes in closes, `fn` for each regular file that is not empty; it owns file->fd. 0, -errno. */
typedef void (*written_fn)(struct guard *g, const struct written_file *file);
int written_closes(struct guard *g, written_fn fn);

/* written_copies.c: copies for the auditor, behind the record, part by part while nothing else is to do. */
void written_copies_order(struct guard *g); /* the policy in force is another one */
void written_copies_name(struct guard *g, const struct written_file *f, char out[WRITTEN_COPY_NAME_SIZE]);
/* Duplicates the file's descriptor. */
void written_copy(struct guard *g, const struct written_file *f, const char *path, const char *name,
	const struct drive_decision *d);
void written_copies_close(struct guard *g);

/* tell_written.c. `copy`: the name that its copy will have; NULL: none. `gone`: its name is (it was deleted
 * since). */
void tell_written(struct guard *g, const struct written_file *f, const char *path, bool gone, uint64_t size,
	const struct inspect_facts *facts, const struct drive_facts *judged, const struct drive_decision *d,
	const char *copy);
/* `cause` 0: it was made. */
void tell_written_copy(struct guard *g, const struct written_copying *k, unsigned cause, const char *text);
void tell_unwatched(struct guard *g, const struct written_place *p, const char *why);

#endif
