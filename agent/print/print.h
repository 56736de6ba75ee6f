/*
 * The print daemon's own state, shared by its parts (see README.md for who does what). main.c takes what needs
 * privilege, loop.c meets the events. Nobody else includes this.
 */
#ifndef SEKISHO_PRINT_PRINT_H
#define SEKISHO_PRINT_PRINT_H

#include "agent/inspect/inspect.h"
#include "agent/print/notify.h"
#include "agent/print/request.h"
#include "agent/print/tree.h"
#include "agent/probe/paper.h"
#include "agent/service/service.h"
#include "policy/rule/print.h"
#include "policy/wire/bundle.h"
#include "policy/wire/producer.h"
#include <jansson.h>
#include <systemd/sd-event.h>

#define JOBS_MAX 1024u  /* followed at a time; more print, and are counted */
#define VISITS_MAX 256u /* wrappers that wait */
#define QUEUES_MAX 2048u
#define GROUPS_MAX 256u
/* Facts that are not there by then are left out; the wrapper waits 1.5 s. */
#define JUDGE_US 1200000ll
/* So long is waited for documents that no rule asks about: what is found later is told with the job's end. */
#define GRACE_US 12000ll

#define JOB_USER_SIZE 128

enum job_state {
	JOB_SEEN,   /* CUPS told of it, no backend has asked yet */
	JOB_ASKED,  /* a wrapper waits for the judgement */
	JOB_JUDGED, /* ... has its answer; how it ends is not known yet */
	JOB_OVER,   /* the attempt's end was told; it may be tried again */
};

/* One job of CUPS, in its present attempt to print. */
struct job {
	struct job *next;
	unsigned id, attempt;
	enum job_state state;
	int64_t created_s; /* time-at-creation, of CUPS; 0: not known yet */
	unsigned runs;     /* how often a backend asked in this attempt: once for each document, on some queues */

	struct buf question; /* what `request` borrows from */
	struct request request;
	json_t *ipp, *queue, *groups; /* by the follower; NULL: not known */
	uint32_t uid;                 /* of the user, to tell him; UINT32_MAX: not known */
	/* Who sent it, as the kernel has it, and his uid; "": what the job says is all that is known. */
	char person[JOB_USER_SIZE];
	uint32_t person_uid, asked_uid; /* asked_uid: whose name the follower was asked for; UINT32_MAX: nobody's */
	bool facts_wait;                /* the follower was asked */
	unsigned documents_n;
	struct inspect_job *inspected[REQUEST_DOCUMENTS_MAX];
	bool inspected_told; /* what was found is in a record */
	unsigned late;       /* OUTCOME_*: it ended, which is told when its documents have been looked into; 0 */
	bool never_looked;   /* ... and never will be: the daemon ended meanwhile */
	pid_t backend;       /* ... that runs now, or ran last; 0: it has ended */
	unsigned killed_by;  /* the signal that ended a backend of this attempt; 0 */
	unsigned stamp;      /* STAMP_*; 0: not wanted, or not known yet */
	bool stamp_begun;    /* somebody is at it */
	unsigned kept_n;     /* documents that may have to be copied: until it is judged */
	int kept[REQUEST_DOCUMENTS_MAX];

	struct visit *visit;       /* the wrapper that waits; NULL: it went */
	int64_t deadline_awake_us; /* clock_awake_us(), as he who waits for it counts */
	int64_t grace_awake_us;    /* the documents are not waited for any longer */
	struct document_decision decided;
	unsigned action;                             /* what was made of it: ACTION_* */
	bool stop_was_ours;                          /* the job's hold or end is what we asked for */
	bool restarting;                             /* CUPS aborted what we held: it is started again, held */
	char released_by[64], released_printer[128]; /* somebody may: "" nobody */
	bool released_own;                           /* its owner, by a reason, where a rule asks for one */
};

/* Does a job of this action (ACTION_*) print, without anybody's doing? */
static inline bool action_prints(unsigned action)
{
	return action == ACTION_ALLOW || action == ACTION_NOTE || action == ACTION_ALERT;
}

struct visit {
	struct visit *next;
	struct gate *gate;
	int fd;
	pid_t pid;
	sd_event_source *io;
	struct job *job;
	unsigned stamps_job; /* number of the job whose pages it would stamp; 0: none */
	bool stamping;       /* it is at it */
};

struct queue {
	char name[128], uri[512], info[128], location[128], members[512];
	bool is_class, temporary, inside;
	struct why reason; /* why not */
};

/* The policy in force: the guard's, verified by it and once more here. */
struct orders {
	struct policy *policy; /* never NULL after orders_start */
	uint64_t version;
	int64_t not_after_us;
	struct digest in_force;
	bool expired;
};

struct gate {
	struct agent_conf conf;
	struct tree tree;
	char spool[224], inbox[PATH_MAX], status_path[PATH_MAX], desk_path[108], state[PATH_MAX], guard[PATH_MAX];
	char evidence[PATH_MAX];
	char seen_path[256], cups_socket[108], host[256];

	struct producer_keys keys;
	struct sealer *sealer;
	struct inspect *inspect;     /* NULL: there is none, and documents stay unread */
	struct inspect_known *known; /* documents that the policy in force knows; NULL: none */
	struct notices notices;
	struct orders orders;
	struct copies *copies; /* NULL: no policy has asked for any yet */
	struct paper *paper;   /* NULL: the kernel tells nothing of jobs */
	struct origins *origins;
	struct askers *askers;
	int follower;
	pid_t follower_pid;
	bool cups_up, cups_pushes;

	struct job *jobs;
	unsigned jobs_n, last_id; /* up to this one, all were seen */
	int64_t last_created_s, newest_created_s;
	struct visit *visits;
	unsigned visits_n;
	struct queue *queues, *queues_next; /* as last told; while they are being told */
	unsigned queues_n, queues_next_n;
	struct why outside; /* why no queue at all is behind the gate; "": they are */
	pid_t cupsd;        /* parent of the last wrapper */

	sd_event *event;
	sd_event_source *look, *judge;
	struct desk *desk;
	int listen, desk_listen;
	bool watching, look_armed, keep_wanted, seal_wanted, report_wanted, stopping;
	struct stop_asked asked; /* why */
	int failed;              /* -errno: the program ends */
	int64_t since_wall_us, status_boot_us, looked_boot_us;
	int64_t soon_boot_us; /* when what was put off is done; 0: nothing is */
	uint64_t judged, stopped, missed, refused_peers, undecided;
};

/* --- visits.c: wrappers at the socket --- */

int visits_open(const char *path, int *out); /* while root: makes the socket */
int visits_start(struct gate *g);
void visits_stop(struct gate *g);
/* Says something to one that goes on waiting. */
void visit_tell(struct visit *v, enum answer what, const char *text);
/* Answers, and forgets the visit. NULL: nobody waits any more. */
void visit_answer(struct visit *v, enum answer what, const char *text);

/* --- jobs.c --- */

struct job *job_find(struct gate *g, unsigned id);
struct job *job_get(struct gate *g, unsigned id); /* found or made; NULL without room (counted) */
/* A wrapper asks. Owns the descriptors. */
void job_visit(struct gate *g, struct visit *v, struct buf *question, const int *fds, unsigned fds_n);
/* The wrapper left before its answer (its job was cancelled). */
void job_abandoned(struct job *j);
/* What the follower says of a job; NULL: CUPS has forgotten it. */
void job_facts(struct gate *g, unsigned id, json_t *message);
void job_gone(struct gate *g, unsigned id);
/* All jobs up to `last` have been told. */
void jobs_looked(struct gate *g, unsigned last);
/* What waits and can be judged now, is; arms the next time. */
void jobs_step(struct gate *g);
/* Somebody with the right to do so lets a held job print. 0; V_NOT_FOUND; V_BAD. */
int job_release(struct gate *g, unsigned id, const char *by);
/* Is it held until this user says why? */
bool job_waits_for(const struct job *j, uint32_t uid);
/* He does. 0; V_NOT_FOUND where none waits for him. */
int job_give_reason(struct gate *g, unsigned id, uint32_t uid, const char *by, const char *reason);
/*
 * Whose it is, as the kernel has it, else as far as CUPS has authenticated him, or his name is known here; UINT32_MAX.
 */
uint32_t job_owner(const struct job *j);
/* The user that the job says; "". */
const char *job_said(const struct job *j);
/* Whose it is for rules, stamps, copies and records: the person where the kernel has him, else as the job says. */
const char *job_user(const struct job *j);
/* It is to be told now: whose login it was is known, though the name service is late, and so the job's word is none. */
void job_settle_person(struct job *j);
void jobs_free(struct gate *g);
/* Members of the follower's objects; "" and 0 where they are not there. */
const char *job_text(const json_t *o, const char *name);
int64_t job_number(const json_t *o, const char *name);

/* keep.c: what must be known again after a restart. 0, -errno. */
int keep_load(struct gate *g);
int keep_save(struct gate *g);
/* At once, without waiting for the disk: what was told is not told again, whenever the daemon is killed. */
void keep_soon(struct gate *g);

/* --- judge.c --- */

/* Decides, records, answers. */
void judge_job(struct gate *g, struct job *j);

/* --- stamping.c: user and time on the pages --- */

/* Is it known whether the job's pages are stamped (or not wanted)? Where not, it has been seen to. */
bool stamping_settled(struct gate *g, struct job *j);
/* A filter of job `id` asks. */
void stamping_asked(struct gate *g, struct visit *v, unsigned id);
/* One that was told to stamp says how it went; `q` NULL: it is gone. */
void stamping_heard(struct gate *g, struct visit *v, const struct request *q);
/* The job is judged: filters that still wait go on. */
void stamping_over(struct gate *g, const struct job *j);

/* --- documents.c: what was found in them --- */

struct document_facts {
	bool complete; /* nothing is being looked into any more */
	bool readable, has_pages, exact;
	uint64_t pages, bytes, numbers[NUMBERS], matches[PRINT_PATTERNS_MAX];
	uint8_t known[KNOWN_MAX]; /* percent */
	unsigned colour;          /* COLOUR_*; 0 */
	bool has_hash;
	struct digest hash; /* of the one document, or of the hashes of several, in their order */
	const char *format, *media, *generator;
	char findings[512], found[256], known_words[1024];
};
/* The policy in force is another one. */
void documents_order(struct gate *g);
void documents_begin(struct gate *g, struct job *j, const int *fds, unsigned n);
bool documents_done(struct job *j);
void documents_facts(struct gate *g, struct job *j, struct document_facts *out);
void documents_end(struct job *j);
int documents_watch(struct gate *g, struct job *j);

/* --- copies.c: for the auditor --- */

/* Holds the documents of a job that is about to be judged, where the policy knows copies. The caller keeps `fds`. */
void copies_keep(struct gate *g, struct job *j, const int *fds, unsigned n);
/* Lets go of what copies_keep holds. */
void copies_drop(struct job *j);
/* It is judged: what is held is copied where the judgement says so, when nothing else is to do. Tells what cannot be.
 */
void copies_begin(struct gate *g, struct job *j);
/* The policy is another one. */
void copies_order(struct gate *g);
/* How many there are, for the status file. */
json_t *copies_json(const struct gate *g);
/* Those that are not made yet, to be kept; and as kept by a daemon that ended: told as lost. */
json_t *copies_waiting(const struct gate *g);
void copies_lost(struct gate *g, const json_t *list);
void copies_free(struct gate *g);

/* --- following.c: the follower's words --- */

int following_start(struct gate *g);
void follow_ask(struct gate *g, json_t *ask); /* owns it */
void follow_look_soon(struct gate *g);
void follow_queues(struct gate *g);

/* --- kernel.c: what the kernel tells of jobs, where it does --- */

void kernel_open(struct gate *g); /* while there are rights */
int kernel_start(struct gate *g);
/* What it has told by now. */
void kernel_hear(struct gate *g);
/*
 * Of a job that no daemon judged: may a backend of it have printed? False where each of them ended while it was still
 * the wrapper that asks. A signal that ended one is in the job then.
 */
bool kernel_printed(struct gate *g, struct job *j);
/* A backend of this job runs, or will. */
void kernel_watch(struct gate *g, struct job *j, pid_t backend);
void kernel_close(struct gate *g);

/* --- origin.c: which program sent a job --- */

#define ORIGIN_PATH_SIZE 2048

struct origin_room {
	char path[ORIGIN_PATH_SIZE];
};
/*
 * Of arguments with newlines between them, the first behind the program's name whose last part is `name`: where it
 * begins, and how long it is.
 */
bool origin_names(const char *args, const char *name, const char **at, size_t *n);
void origins_take(struct gate *g, const struct paper_event *e);
void origins_sent(struct gate *g, const struct paper_event *e);
/*
 * Whose login, or user, the process has that sent the job's document, where the kernel saw that; UINT32_MAX where it
 * did not, or where that is nobody's login and a service, whose word of others is believed.
 */
uint32_t origin_person(const struct gate *g, const struct job *j);
/* Program, arguments, file, and how sure that is; nothing where nobody is known. `room` is borrowed by the record. */
void origin_tell(struct gate *g, struct record *r, const struct job *j, struct origin_room *room);
/*
 * The area of protected files (policy.yaml(5)) that the job's file lies in, by the policy in force, as far as that file
 * is known: its name, borrowed from the policy, or "".
 */
const char *origin_area(const struct gate *g, const struct job *j);
void origins_free(struct gate *g);

/* --- queues.c --- */

void queues_take(struct gate *g, const json_t *queue);
void queues_end(struct gate *g, pid_t cupsd);
json_t *queues_json(const struct gate *g);

/* --- orders.c --- */

int orders_start(struct gate *g);
/* True where another policy is in force than before. */
bool orders_look(struct gate *g);

/* --- tell.c: records --- */

void tell_start(struct gate *g);
void tell_stop(struct gate *g);
/* 0; V_FULL where it could not be kept, and was counted. */
int tell_print(struct gate *g, struct job *j, const struct document_facts *f);
void tell_result(struct gate *g, struct job *j, unsigned outcome);
void tell_missed(struct gate *g, struct job *j, unsigned outcome);
void tell_route(struct gate *g, const struct request *r);
void tell_queue(struct gate *g, const struct queue *q);
/* `reason` NULL: an administrator did it, and gave none. */
void tell_release(struct gate *g, const struct job *j, const char *by, const char *reason);

#define COPY_NAME_SIZE 64
/* What a record of a copy says; kept by itself, since the job may be gone when the copy is done. */
struct copy_told {
	unsigned job, attempt;
	char name[COPY_NAME_SIZE], user[JOB_USER_SIZE], said[JOB_USER_SIZE], title[512], printer[128],
		rule[POLICY_NAME_SIZE + 16];
	bool has_hash;
	struct digest hash; /* of the document */
	uint64_t bytes;
};
/* `cause` 0: it is there; CAUSE_*: it is not, `text` says why. */
void tell_copy(struct gate *g, const struct copy_told *t, unsigned cause, const char *text);

/* --- desk.c, status.c --- */

int desk_open(const char *path, int *out);
int desk_start(struct gate *g, int fd);
void desk_stop(struct gate *g);
void status_write(struct gate *g);
json_t *status_held(struct gate *g);
/* Those that wait for this user's reason. */
json_t *status_asked(struct gate *g, uint32_t uid);

/* --- loop.c --- */

int loop_run(struct gate *g);
/* Backends that come and go, once there is a tree (it is made when cupsd starts, which may be later). */
void loop_watch_backends(struct gate *g);
void gate_fail(struct gate *g, int r, const char *what);

#endif
