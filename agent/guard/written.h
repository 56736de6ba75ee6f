/*
 * What is written to removable drives: the parts of written.c (files that wait, are looked into, are judged) and of
 * written_watch.c (which file systems are watched, what was closed on them). Nobody else includes this; the rest of the
 * guard knows guard.h's functions.
 */
#ifndef SEKISHO_GUARD_WRITTEN_H
#define SEKISHO_GUARD_WRITTEN_H

#include "agent/evidence/evidence.h"
#include "agent/guard/guard.h"
#include "agent/guard/scan.h"
#include "agent/guard/seal.h"
#include "agent/inspect/inspect.h"
#include "policy/rule/drives.h"
#include <sys/stat.h>

#define WRITTEN_WAITING_MAX 1024u /* files; a descriptor is held for each. More are told, and not looked into */
#define WRITTEN_AT_ONCE 2u        /* that are looked into: the desktop has the other cores */
#define WRITTEN_PATH_SIZE 4096u
#define WRITTEN_CLOUD_MAX (WRITTEN_WAITING_MAX / 2) /* of those that wait: drives have the other half */
#define WRITTEN_FILE_SYSTEMS_MAX 128u
#define WRITTEN_COPIES_MAX 256u /* that wait */
#define WRITTEN_TASKS_MAX 512u  /* files that wait to be made unreadable */
#define WRITTEN_ORDERS_MAX 32u  /* that wait to be made readable again */
#define WRITTEN_COPY_NAME_SIZE 64u
#define SCAN_WAITING_MAX 256u /* files that were read; a descriptor is held for each */
#define SCAN_SEEN_MAX 1024u   /* files that are known to be scanned as they are */

/* A file that was closed behind writing. */
struct written_file {
	struct written_file *next;
	int fd;                      /* for reading */
	char device[DISK_NAME_SIZE]; /* the disk's name */
	dev_t dev;
	ino_t ino;
	dev_t sb;                     /* the same as the kernel has it, where the recorder told it; 0: it is `dev` */
	int64_t look_boot_us;         /* when reading it began; 0: it was not read */
	struct stat look;             /* as it was then */
	int64_t closed_awake_us;      /* first close that is not looked into yet */
	int64_t due_awake_us;         /* when it is to be looked into */
	uint32_t pid, uid, login_uid; /* of who closed it; UINT32_MAX: not known */
	uint32_t owner_uid;           /* of the file */
	char program[512];            /* empty: it had ended */
	bool cloud;                   /* in a cloud folder, and on no drive */
	char *named;                  /* the path that was told, where there is no descriptor (fd -1) */
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
	bool cloud; /* of a cloud folder: who wrote it is `user` */
	char user[64];
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

/* A file that is to be made unreadable, or readable again: a child does it, one file after the other. */
struct written_task {
	struct written_task *next;
	bool opens;
	bool resumes; /* a sealing that was cut off */
	int fd;       /* seals: the file; opens and resumes: -1, the child finds it */
	char device[DISK_NAME_SIZE], copy[SEAL_NAME_MAX];
	char *path;
	char mount[PATH_MAX];  /* opens, resumes: in whose folder the path begins */
	struct seal_note note; /* seals: no path where it has no mount */
	dev_t dev;             /* seals */
	ino_t ino;
	int64_t begun_awake_us, due_awake_us;
	struct document_decision decided; /* seals */
	struct sealed_order order;        /* opens */
};

/* A sealing that was cut off: it waits for its drive. */
struct written_cut {
	struct written_cut *next;
	char copy[SEAL_NAME_MAX];
	struct seal_note note;
	unsigned tried; /* so many places of the drive, since it was there last */
	bool refused;   /* another file lies there: said once */
};

/* A file as we left it: what is told of its close is told of our own. */
struct written_ours {
	dev_t dev;
	ino_t ino;
	int64_t ctime_s, ctime_ns;
};

struct written_hand {
	struct envelope_readers *openers; /* NULL: the policy names none */
	uint64_t max_bytes;
	struct written_cut *cuts;
	struct written_task *first, **last; /* the first is at work where `pid` is not 0 */
	unsigned seals_n, opens_n;
	pid_t pid;
	int answer;
	sd_event_source *source;
	struct seal_result result;
	size_t got; /* of it */
	struct written_ours ours[64];
	unsigned ours_at;
};

/* A file as it was scanned: what changes it changes one of these. */
struct scan_seen {
	dev_t dev;
	ino_t ino;
	uint64_t size;
	int64_t mtime_s, mtime_ns, ctime_s, ctime_ns;
};

/* A file that was closed behind reading. */
struct scan_file {
	struct scan_file *next;
	struct written_file as;
	struct scan_seen seen;
};

/* Why files were not scanned. */
enum scan_cause { SCAN_GONE, SCAN_WRONG, SCAN_TOO_MUCH, SCAN_CAUSES };

#define SCAN_LEFT_MAX 4u

struct written_scan {
	bool on;      /* the policy in force asks for it */
	bool watched; /* reads are told of */
	bool up;      /* clamd was there when it was last asked */
	struct scan_file *waiting, **last, *busy;
	unsigned waiting_n;
	pid_t pid;                 /* of the child at work; 0: none */
	pid_t left[SCAN_LEFT_MAX]; /* were killed and have not ended: they wait for a drive that does not answer */
	int out;
	sd_event_source *source;
	uint8_t answer[CLAMD_ANSWER_MAX + 1];
	size_t got; /* of it */
	bool late;
	int64_t end_awake_us, reap_awake_us;
	struct scan_seen seen[SCAN_SEEN_MAX];
	unsigned seen_at;
	struct {
		uint64_t n;
		int64_t told_us;
		char text[CLAMD_NAME_MAX];
	} missed[SCAN_CAUSES]; /* since they were told last */
	uint64_t files, found, missed_all;
};

/* A file system of a drive that is watched. */
struct written_place {
	dev_t dev; /* as stat(2) tells it of files there */
	char disk[DISK_NAME_SIZE];
	char target[PATH_MAX];
	bool fails;
};

struct written {
	struct inspect *inspect;     /* NULL: there is none */
	struct inspect_known *known; /* documents of the policy in force; NULL: none */
	int group;                   /* of fanotify(7) */
	int mounts;                  /* /proc/self/mountinfo, which says when it changes */
	int look;                    /* for telling the recorder what was looked into */
	int cloud;                   /* the socket by which the recorder tells of cloud folders */
	bool on;                     /* the policy in force asks for it */
	struct written_place place[WRITTEN_FILE_SYSTEMS_MAX];
	unsigned places_n;
	struct written_file *waiting, **last, *busy;
	unsigned waiting_n, busy_n, waiting_cloud_n, busy_cloud_n;
	struct {
		dev_t dev;
		ino_t ino;
		int64_t awake_us;
	} looked[64]; /* the last ones, so that a file that is written all the time is not looked into all the time */
	unsigned looked_at;
	struct written_copies copies;
	struct written_hand hand;
	struct written_scan scan;
	uint64_t files, alerts, missed;
};

/* written_watch.c: what is mounted from drives now is watched, and nothing else. */
void written_watch(struct guard *g);
/*
 * Takes in closes, `wrote` or `read_only` for each regular file that is not empty; it owns file->fd. 0, -errno.
 */
typedef void (*written_fn)(struct guard *g, const struct written_file *file);
int written_closes(struct guard *g, written_fn wrote, written_fn read_only);
/*
 * fstat(2), of what the kernel has: a file system that is a program's (FUSE) is not asked, since it may never answer.
 * Size, times, owner, mode, links and numbers only. 0, -errno.
 */
int written_stat(int fd, struct stat *out);

/* written.c: it waits from now on; owns file->fd. And what waits is gone on with. */
void written_take(struct guard *g, const struct written_file *file);
void written_go_on(struct guard *g);
/* It is told without having been looked into; file->fd stays the caller's. */
void written_unread(struct guard *g, const struct written_file *file, enum inspect_cause cause, const char *detail);

/* written_cloud.c: what comes into cloud folders (written_hear, too). 0, -errno. */
int written_cloud_start(struct guard *g);
void written_cloud_close(struct guard *g);
/* What was told and not taken yet is told as not looked into. */
void written_cloud_stop(struct guard *g);

/*
 * written_look.c: the recorder is told what lies there, or that nobody will know. Begin: it is about to be read; then
 * what was found. Of a file without a descriptor nothing is told.
 */
void written_look_begin(struct written_file *f);
void written_look_tell(struct guard *g, const struct written_file *f, const struct inspect_facts *d);

/* written.c: this file is being looked into. */
bool written_looks(const struct guard *g, dev_t dev, ino_t ino);

/* written_copies.c: copies for the auditor, behind the record, part by part while nothing else is to do. */
void written_copies_order(struct guard *g); /* the policy in force is another one */
void written_copies_name(struct guard *g, const struct written_file *f, char out[WRITTEN_COPY_NAME_SIZE]);
/* Duplicates the file's descriptor. */
/* `user`: who wrote it, where it lies in a cloud folder; else NULL. */
void written_copy(struct guard *g, const struct written_file *f, const char *path, const char *name, const char *user,
	const struct document_decision *d);
/* One of this file is waited for. */
bool written_copies_wait(const struct guard *g, dev_t dev, ino_t ino);
void written_copies_close(struct guard *g);

/* written_hand.c: files made unreadable, and readable again. */
void written_hand_order(struct guard *g); /* the policy in force is another one */
/*
 * Duplicates the file's descriptor; one that waits already goes on waiting, since when it did. written_unseal: it was
 * written anew, and is judged otherwise now.
 */
void written_unseal(struct guard *g, const struct written_file *f);
void written_seal(struct guard *g, const struct written_file *f, const char *path, const struct document_decision *d);
/* It is at work with this file. */
bool written_hand_has(const struct guard *g, dev_t dev, ino_t ino);
/* It is as we left it. */
bool written_hand_left(const struct guard *g, int fd);
void written_hand_run(struct guard *g, int64_t now_awake_us);
int64_t written_hand_due(const struct guard *g);
/* What is not done is told. */
void written_hand_stop(struct guard *g);
void written_hand_close(struct guard *g);

/* The folder of sealed copies: a descriptor; -errno. */
int written_hand_folder(bool make);
/* The sealing that was cut off is gone on with, in this place. */
void written_hand_resume(struct guard *g, const struct written_cut *c, const struct written_place *p);

/* written_cut.c: sealings that were cut off. What an earlier guard left is told. */
void written_cut_open(struct guard *g);
/* Other drives may be there than before. */
void written_cut_look(struct guard *g);
/* Of a sealing, behind its record. */
void written_cut_end(struct guard *g, const struct written_task *t, const struct seal_result *r);
/* That another file lies there was said before. */
bool written_cut_said(struct guard *g, const struct written_task *t, const struct seal_result *r);
/* Which drive it is, as notes have it: VENDOR:PRODUCT:SERIAL. */
void written_cut_drive(struct guard *g, const char *disk, char *out, size_t size);
void written_cut_close(struct guard *g);

/* written_scan.c: what is read from drives, given to ClamAV. It owns file->fd. */
void written_scan(struct guard *g, const struct written_file *file);
void written_scan_order(struct guard *g); /* the policy in force is another one */
void written_scan_run(struct guard *g, int64_t now_awake_us);
int64_t written_scan_due(const struct guard *g);
/* What is not done is told. */
void written_scan_stop(struct guard *g);
void written_scan_close(struct guard *g);

/* tell_written.c. `copy`: the name that its copy will have; NULL: none. `gone`: its name is (it was deleted
 * since). */
void tell_written(struct guard *g, const struct written_file *f, const char *path, bool gone, uint64_t size,
	const struct inspect_facts *facts, const struct drive_facts *judged, const struct document_decision *d,
	const char *copy);
/* `cause` 0: it was made. */
void tell_written_copy(struct guard *g, const struct written_copying *k, unsigned cause, const char *text);
/* Of a task that ended so. `cause` 0: it was done. */
void tell_hand(struct guard *g, const struct written_task *t, const struct seal_result *done, unsigned cause);
/* ClamAV found a signature of this name in a file that was read. */
void tell_malware(struct guard *g, const struct written_file *f, uint64_t size, const char *name);
/* So many files that were read were not scanned; `text`: why the first of them was not. */
void tell_scan_missed(struct guard *g, unsigned cause, uint64_t n, const char *text);
void tell_unwatched(struct guard *g, const struct written_place *p, const char *why);

#endif
