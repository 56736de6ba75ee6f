/*
 * Areas of protected files that refuse others (policy.yaml(5), `others: deny`): the kernel asks who opens a file of
 * one, and refuses it to whom the policy does not name. What the parts share; nobody else includes this.
 *
 *   guard (refuse.c)          says which policy is in force, makes records, tries whether it holds
 *     |  socket: orders down, refusals up
 *   keeper (refuse_keeper.c)  starts the two below, and starts them anew where they end; looks into nothing
 *     |-- door (refuse_door.c, refuse_marks.c)  marks files and folders by fanotify(7), and answers for each open
 *     '-- who (refuse_keeper.c)  asks the name service who somebody is; may be slow, has no power
 *
 * A guard that ends, or is killed, leaves no gap: its keeper and the two below go on without it, by the policy as it
 * was then, until another guard says that its own marks are laid, REFUSE_HOLD_S at most. Which guard's marks are, the
 * file REFUSE_IN_PLACE says: that guard writes its name into it once its door has been through all areas, or where its
 * policy refuses nothing. A keeper whose guard ended stays while the file has the name of its own guard, and goes where
 * it has another, or is gone: so one whose marks were never laid goes at once, and a guard that ends over and over
 * leaves one door, not many. While there are two doors the kernel asks both, and one that refuses is enough: what the
 * new policy lets in newly waits until the old door is gone, nothing is open that either refuses. What is refused in
 * between the door says to its keeper, which waits for a disk in its place, and it lies in REFUSE_MEANWHILE until a
 * guard makes records of it (refuse_meanwhile.c). A stop that is meant to last
 * ends the same way: files open REFUSE_HOLD_S behind it, or at once where REFUSE_IN_PLACE is removed or SIGTERM comes.
 * systemd's unit has KillMode=process for this: at the PC's shutdown nobody but the guard gets SIGTERM from it before
 * file systems are unmounted, hence the unit removes REFUSE_IN_PLACE then.
 *
 * Why fanotify's descriptor is not handed over (systemd's FDSTORE): nobody would answer until the next guard does, and
 * who has it must not open a file that is marked, or waits for itself: systemd is the last that may.
 *
 * What must never happen: that a PC hangs. While the kernel asks, the program that opens a file waits. The door does
 * nothing that waits for others (who it is: a second at most, then the area's `in_doubt` holds), and a timer of the
 * kernel ends it where it has not come round for REFUSE_DEADLINE_S, stopped or not: with its last descriptor the kernel
 * lets through all that waits. So an open waits for that long at most, and where there is no door nothing is refused:
 * the guard is told, tells, and the keeper starts another; without a guard it does not.
 */
#ifndef SEKISHO_GUARD_REFUSE_H
#define SEKISHO_GUARD_REFUSE_H

#include "agent/guard/guard.h"
#include "agent/service/areas.h"

#define REFUSE_DEADLINE_S 5
#define REFUSE_WHO_MS 1000        /* how long an open waits for the name service */
#define REFUSE_FOLDERS_MAX 65536u /* that are marked; more are left out, and counted */
#define REFUSE_FILES_MAX 65536u   /* that are marked themselves, so that they are refused under other names too */
#define REFUSE_PROGRAM_SIZE 1024  /* longer ones are cut */
#define REFUSE_HOLD_S 30          /* how long a door goes on without its guard */
/* In the guard's folder. */
#define REFUSE_PROOF "/refuse-proof"         /* the door refuses it to everybody */
#define REFUSE_IN_PLACE "/refuse-in-place"   /* the name of the guard whose marks are laid */
#define REFUSE_MEANWHILE "/refuse-meanwhile" /* what was refused while there was no guard */
#define REFUSE_NAME_SIZE 48
#define REFUSE_BOOT_SIZE 33

/* Orders, one byte each. */
enum { REFUSE_ON = 'L', REFUSE_OFF = 'O' };

/* What the guard hears, one in a message, whose length ends behind the path. Of the same program: laid out alike. */
enum { REFUSE_REFUSED = 1, REFUSE_READY, REFUSE_MARKED, REFUSE_DOWN };
struct refuse_event {
	uint32_t what; /* REFUSE_REFUSED: somebody; READY: what proves is marked; MARKED: counts; DOWN: there is no door
			*/
	uint32_t pid, uid, login_uid;
	int64_t boot_us, wall_us;
	int64_t start_us;                  /* of the process, since boot */
	uint64_t dev, ino;                 /* stat(2)'s */
	uint64_t policy;                   /* version that refused it; 0: of a guard that did not say */
	uint64_t lost;                     /* refusals that could not be said before this one */
	uint32_t purpose;                  /* 1: he might, had he stated a purpose */
	uint32_t folders, files, left_out; /* MARKED */
	char comm[16], user[64];           /* user "": nobody knows */
	char boot[REFUSE_BOOT_SIZE];       /* the kernel's random id of that boot, in hex; "": unknown */
	char area[POLICY_NAME_SIZE], rule[POLICY_NAME_SIZE + 16], reason[192];
	char program[REFUSE_PROGRAM_SIZE], path[PATH_MAX];
};
#define REFUSE_EVENT_MIN (offsetof(struct refuse_event, path) + 1)

/* --- refuse_keeper.c --- */

struct refuse_place {
	int guard;             /* the socket to the guard */
	char policy[PATH_MAX]; /* its text */
	char proof[PATH_MAX + 16];
	char in_place[PATH_MAX + 24];
	char meanwhile[PATH_MAX + 24];
	char name[REFUSE_NAME_SIZE]; /* this guard's: no other has it, on this boot or another */
	char boot[REFUSE_BOOT_SIZE]; /* this one */
};
/* The keeper's whole life. */
void refuse_keeper(const struct refuse_place *p) __attribute__((noreturn));

/* --- refuse_meanwhile.c: refusals that wait for a guard to make records of them --- */

/*
 * The file, for the keeper to add to and the guard to take from: each opens it itself, since the lock is the open
 * file's, and would outlive a guard that was killed with it. A descriptor, which is the caller's; -errno.
 */
int meanwhile_open(const char *path);
/* -ENOSPC where so much waits that it is left out; the caller counts it. An inode of 0: only how many were lost. */
int meanwhile_add(int fd, const struct refuse_event *e);
/* Each that waits, the oldest first, then none does. How many; -EAGAIN while somebody adds; -errno. */
int meanwhile_take(int fd, void (*each)(void *ctx, const struct refuse_event *e), void *ctx);

/* --- refuse_door.c --- */

/* The door's whole life: `orders` says that another policy lies there, `who` answers a uid with a struct person. */
int refuse_door(const struct refuse_place *p, int orders, int who);

/* --- refuse_marks.c: which folders and files the kernel asks about --- */

struct marks;
/* `group` is fanotify's, `watch` inotify's; both the caller's. 0, -ENOMEM. */
int marks_new(int group, int watch, struct marks **out);
void marks_free(struct marks *m);
/* Looks at everything anew, by these areas: marks_work does it. What was marked before under another name is forgotten.
 */
void marks_begin(struct marks *m, struct areas *areas);
/* The same, for what may have come; nothing is forgotten. */
void marks_again(struct marks *m);
/* Where shares are mounted: true where that is another answer than before, or at the first time. */
bool marks_mounts(struct marks *m, struct areas *areas);
/* Some of what is to be looked at; true where more waits. */
bool marks_work(struct marks *m);
/* What inotify tells: new files and folders. */
void marks_heard(struct marks *m);
/* The area of a file that was found in one, whatever its name is now; -1. */
int marks_area_of(const struct marks *m, uint64_t dev, uint64_t ino);
void marks_counts(const struct marks *m, uint32_t *folders, uint32_t *files, uint32_t *left_out);

#endif
