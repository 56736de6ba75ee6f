/*
 * The processes of this PC by (pid, start time): what the subject of a record needs beyond what the kernel tells with
 * the event itself. Bounded: when it is full, processes that have ended go first, then the one not heard of longest.
 */
#ifndef SEKISHO_RECORDER_PROCESSES_H
#define SEKISHO_RECORDER_PROCESSES_H

#include "agent/recorder/names.h"

#define PROCESSES_MAX 16384u
#define PROCESSES_ENDED_MAX 1024u /* that ended are kept a while: their files are closed after them */
#define PROCESS_PARENTS 6u        /* ancestors told of */

struct process {
	uint32_t pid, ppid;
	uint64_t start_ns;
	uint32_t uid, login_uid;          /* uid: the real one */
	uint32_t program, container;      /* names */
	uint32_t parent[PROCESS_PARENTS]; /* programs of the ancestors, nearest first; names */
	bool ended;
	uint32_t hash_next, older, newer; /* processes.c's own */
};

struct processes;

/* `names` is borrowed. 0, -errno. */
int processes_new(struct names *names, struct processes **out);
void processes_free(struct processes *t);

/* The process, or NULL. Counts as hearing of it. */
struct process *processes_find(struct processes *t, uint32_t pid, uint64_t start_ns);
/*
 * The process, made where it is not there: with the parent's program (which it runs until its exec), container and
 * ancestors where the parent is known. Never NULL: another one makes room.
 */
struct process *processes_add(struct processes *t, uint32_t pid, uint64_t start_ns, uint32_t ppid, uint64_t pstart_ns);
/* Is a running process with this number in the table, whenever it started? Looks at all of them. */
bool processes_runs(const struct processes *t, uint32_t pid);
/* It runs another program now; empty spans leave what is there. */
void processes_set_program(struct processes *t, struct process *p, struct span program);
void processes_set_container(struct processes *t, struct process *p, struct span container);
/* It ended: kept until PROCESSES_ENDED_MAX others have ended. */
void processes_end(struct processes *t, struct process *p);

/* How many are kept (ended ones too), and how many running ones gave way since the start. */
unsigned processes_kept(const struct processes *t);
uint64_t processes_evicted(const struct processes *t);

#endif
