/*
 * The guard's own state, shared by its parts (see README.md for who does what). main.c takes what needs privilege,
 * loop.c meets the events. Nobody else includes this.
 */
#ifndef SEKISHO_GUARD_GUARD_H
#define SEKISHO_GUARD_GUARD_H

#include "agent/guard/notify.h"
#include "agent/guard/release.h"
#include "agent/probe/egress.h"
#include "agent/probe/gate.h"
#include "agent/probe/shield.h"
#include "agent/service/own.h"
#include "agent/service/service.h"
#include "policy/rule/policy.h"
#include "policy/wire/bundle.h"
#include "policy/wire/producer.h"
#include <libudev.h>
#include <limits.h>
#include <systemd/sd-event.h>

#define UNITS_MAX 256u      /* devices that are plugged in at a time; more stay held, and are counted */
#define UNIT_DISKS_MAX 32u  /* logical units of one device */
#define UNIT_NODES_MAX 64u  /* its pass-through nodes */
#define UNIT_PATH_SIZE 512u /* of sysfs */
#define DISK_NAME_SIZE 64u
#define GROUPS_MAX 64u
#define SEATS_MAX 16u /* of a PC at a time; at more, nobody is there */
#define SEAT_SIZE 64u

/* A disk, drive or card slot with what lies in it. One unit has several where it is a card reader. */
struct disk {
	struct disk *next;
	char name[DISK_NAME_SIZE]; /* "sdb" */
	dev_t dev;
	unsigned kind; /* DEVICE_KIND_STORAGE, _OPTICAL or _SD */
	uint64_t generation;
	uint64_t size;
	unsigned media_n;
	struct {
		char name[DISK_NAME_SIZE]; /* of the partition or disk that it lies on */
		struct device_medium medium;
	} media[DEVICE_MEDIA_MAX];
	bool media_more; /* more lies on it than has room */
	bool by_medium;  /* the grant hangs on what lies on it */
	struct medium_watch *watches;
	int64_t look_boot_us; /* when it is looked at anew; 0: not */
	struct decision decided, told;
	bool was_told;
	unsigned forced; /* ACCESS_* that was made so; 0: not yet */
	uint64_t forced_generation;
	int64_t closed_boot_us; /* writes before this were those of a withdrawal */
};

/* A node that passes commands through: sg, bsg, tape. */
struct node {
	struct node *next;
	char name[DISK_NAME_SIZE];
	dev_t dev;
	unsigned forced; /* GATE_* */
};

/* What is plugged in: a USB device, a card, an external disk, an optical drive. */
struct unit {
	struct unit *next;
	char path[UNIT_PATH_SIZE]; /* sysfs */
	unsigned id;               /* for people, until it is unplugged: 1, 2, ... */
	uint64_t plugging; /* for releases: sysfs's own number of it, which no other plugging of this boot has */
	bool hub, root_hub, gone;
	bool own;             /* this system runs from it: nothing of it is held */
	char seat[SEAT_SIZE]; /* whose it is, where the PC has several (udev's ID_SEAT) */
	dev_t usbfs;          /* 0: not on USB */
	unsigned usbfs_forced;
	struct device device;  /* without what lies on a medium: that is its disks' */
	uint64_t driver_kinds; /* what a driver made of a vendor's own interface: a network card, a serial port */
	struct disk *disks;
	struct node *nodes;
	unsigned disks_n, nodes_n;
	uint64_t denied_interfaces; /* bit per bInterfaceNumber below 64 that is not authorized by us */
	struct decision decided[DEVICE_KINDS], told[DEVICE_KINDS];
	uint64_t kinds_told;
	bool plug_told, twin_told;
	int64_t since_boot_us;
	unsigned restarts; /* deauthorized and authorized again, to close what was in use */
};

/* Who is at the PC: the active session of a seat. */
struct person {
	char seat[SEAT_SIZE];
	bool there;
	uint32_t uid;
	char name[64];
	unsigned groups_n;
	char group_room[GROUPS_MAX][64];
	const char *groups[GROUPS_MAX + 1];
};

/* The policy in force, and where it comes from. */
struct orders {
	struct policy *policy; /* never NULL after orders_start */
	uint64_t version;
	char signer[NOTE_NAME_MAX];
	int64_t issued_us, not_after_us;
	bool expired;
	struct admins admins;
	bool admins_fixed; /* /etc/sekisho/admin.keys is there */
	struct digest fleet;
	bool has_fleet;
	struct digest in_force; /* hash of the bundle; zeros: the built-in defaults */
	struct digest refused;  /* hash of what was refused last, so that it is told once */
	bool has_refused;
	int64_t retry_us; /* boot clock: when one that could not be kept is tried again; 0: none */
	struct why why;   /* why a newer one is not in force */
};

/* A maintenance window: what is ours is being changed, by the work of one process. See SELF.md. */
struct maintenance {
	bool open;
	char purpose[16]; /* "upgrade", "removal", "repair" */
	pid_t pid;
	uint64_t start_ticks; /* of that process; proc(5) */
	int64_t until_boot_us;
	struct manifest before; /* what the packages said when it was opened */
};

/* The PC said that it goes to sleep: when, by both clocks of the kernel. */
struct asleep {
	bool said;
	int64_t boot_us, awake_us;
	struct sd_event_source *over; /* it should sleep, and is awake */
};

struct guard {
	struct agent_conf conf;
	char spool[224], inbox[PATH_MAX], status_path[PATH_MAX], socket_path[108], state[PATH_MAX], sys[64];
	char orders_path[PATH_MAX]; /* the text of the policy, for the recorder */
	char seen_path[256], host[256];

	struct gate *gate; /* NULL: this kernel has none, and the weaker means are all that there is */
	uint64_t pinned;   /* which gate was pinned when that was looked at last (gate_pinned()) */
	unsigned layers;   /* GATE_*: proven last */
	int64_t proved_boot_us, proof_told_us;
	struct producer_keys keys;
	struct sealer *sealer;
	struct udev *udev;
	struct udev_monitor *monitor;
	struct orders orders;
	struct person people[SEATS_MAX]; /* one for each seat; the first is that of seat0, which every PC has */
	unsigned people_n;
	struct sd_login_monitor *logins;
	struct release *release;
	struct notify *notify;
	struct printers *printers; /* NULL: connections to printers are not seen */
	struct written *written;
	struct refuse *refuse;
	struct reasons *reasons;
	struct opener_look *openers; /* disks that are being looked at (openers.c) */
	struct unit *units;
	unsigned units_n, next_id;
	uint64_t refused_units, denials;
	struct gate_event refused; /* waits for the next one, which may tell its path */
	int64_t rest_boot_us;      /* when the gate is asked for what it did not tell one by one; INT64_MAX: nothing */

	sd_event *event;
	sd_event_source *again; /* judges anew when a decision may be another one */
	struct desk *desk;
	struct maintenance maintenance;
	struct asleep asleep;
	struct protect *protect; /* NULL: the kernel does not protect us */
	struct own *own;         /* NULL: what is ours is not looked at */
	int64_t own_due_us;      /* boot clock */
	struct stop_asked asked; /* why it stops */
	bool stopping;
	int failed; /* -errno: the program ends */
	int64_t since_wall_us, follow_until_us, status_boot_us;
};

/* --- devices.c: what is plugged in --- */

/* Reads all that is there. 0, -errno. */
int devices_scan(struct guard *g);
/*
 * One device of sysfs appeared or changed: its unit and what of it is known is brought up to date. `get` tells a
 * property of udev (from its database, or from the environment of its rule). NULL: not a device that concerns us.
 */
typedef const char *(*property_fn)(void *ctx, const char *name);
struct unit *devices_update(struct guard *g, struct udev_device *d, property_fn get, void *ctx, struct disk **disk);
/* It went. */
void devices_remove(struct guard *g, const char *syspath);
void unit_free(struct unit *u);
struct unit *unit_by_id(struct guard *g, unsigned id);
/* The unit and disk behind a device number (also of a partition: `whole`). */
struct unit *unit_by_dev(struct guard *g, unsigned type, dev_t dev, struct disk **disk);
/* The unit and disk of this name ("sdb"). NULL where there is none any more. */
struct unit *unit_by_disk(struct guard *g, const char *name, struct disk **disk);
void devices_free(struct guard *g);

/* --- media.c: what lies on them --- */

/* An event of a disk, or of a partition of it: what udev says of `name`, and which partitions there are. */
void medium_keep(
	struct disk *d, struct udev_device *whole, const char *name, bool partition, property_fn get, void *ctx);
/* A partition went. */
void medium_gone(struct disk *d, const char *name);
/* From now on what is written to the disk and its partitions is noticed, or not any more. */
void medium_watch(struct guard *g, struct disk *d, bool wanted);
/* The disk goes. */
void medium_forget(struct disk *d);
/* Has udev look at what was written to; and when that is next to be done (boot clock). */
void media_run(struct guard *g, int64_t now);
int64_t media_due(const struct guard *g);

/* speak.c (libusb): does it say by its Microsoft OS descriptors that it speaks MTP? */
bool speaks_mtp(unsigned bus, unsigned address);

/* --- judge.c --- */

/* Decides for a unit and all that it has, and makes it so; tells what is new. 0, -errno. */
int judge_unit(struct guard *g, struct unit *u);
/* A device went: the other one of its serial number gets back what it had. 0, -errno. */
int judge_gone(struct guard *g);
/* For all: the policy, the person or the time is another one. Arms the next time. */
int judge_all(struct guard *g);
/* The same soon, from the loop. */
void judge_soon(struct guard *g);
/* Releases end that have had their time, or whose device is gone. */
void judge_releases(struct guard *g);

/* --- force.c --- */

/* Makes it so, by all means that there are. Each means that fails is logged; the strictest state stays. */
void force_disk(struct guard *g, struct unit *u, struct disk *d);
void force_nodes(struct guard *g, struct unit *u);
void force_interfaces(struct guard *g, struct unit *u);
/* Has udev look at a disk or partition as if it were another one. */
void say_changed(const char *name);
/* Another medium lies in the drive: read-only at once, before anybody has looked at it. */
void force_medium(struct guard *g, const struct disk *d);

/* Pulls a device and lets it come back, held: the last means to close what is in use. */
void force_restart(struct guard *g, struct unit *u);

/*
 * mounts.c: makes what is mounted from a disk (its partitions, and what is stacked on them) read-only, or unmounts it.
 * True where nobody can write through a mount any more.
 */
bool mounts_close(const struct disk *d, bool unmount);
/* What the desktop mounted read-only because it was held is remounted for writing. */
void mounts_open(const struct disk *d);

/* Calls `fn` with the folder of each mount of the disk, until it says false. */
void mounts_each(const struct disk *d, bool (*fn)(const char *target, void *ctx), void *ctx);

/*
 * openers.c: has it looked for who has the disk open for writing, or mapped. Where a program has, or does not let
 * itself be looked at within ten seconds, the device is pulled (force_restart), unless it may be written again by then,
 * or another medium lies in it. At once: 0; -errno where nobody can look.
 */
int openers_look(struct guard *g, const struct disk *d);
/* The guard ends: the next one has looked anew, as it does for each disk that it finds. */
void openers_stop(struct guard *g);

/* --- orders.c --- */

int orders_start(struct guard *g, struct why *why);
/* Something new lies in the inbox, or a validity ended: takes it or says why not. True where the policy changed. */
bool orders_look(struct guard *g);
void orders_free(struct orders *o);
/* Wall clock that does not go behind what the policy itself proves. */
int64_t orders_now(const struct guard *g);

/* --- printers.c: the way to printers --- */

/* Takes what sekisho-load pinned, before rights are given up; that it is not there is no failure. 0, -errno. */
int printers_open(struct guard *g, struct why *why);
/* Listens, by the policy in force. 0, -errno. */
int printers_start(struct guard *g);
/* Another policy is in force. */
void printers_order(struct guard *g);
/* Tells what was counted; and when that is next to be done (boot clock). */
void printers_run(struct guard *g, int64_t now);
int64_t printers_due(const struct guard *g);
void printers_close(struct guard *g);

/* --- written.c: what is written to removable drives --- */

/* Takes what needs privilege, and starts the inspector, before there are keys that it could see. 0, -errno. */
int written_open(struct guard *g);
/* The socket by which the recorder tells of cloud folders; while root, in the agent's folders. A failure is logged. */
void written_hear(struct guard *g);
/* Listens. 0, -errno. */
int written_start(struct guard *g);
/* Another policy is in force: what is mounted from drives is watched where it asks for that. */
void written_order(struct guard *g);
/* Another drive may be there. */
void written_look(struct guard *g);
/* Looks into what is due; and when that is next to be done. By clock_awake_us(): nothing waits while the PC sleeps. */
void written_run(struct guard *g, int64_t now_awake_us);
int64_t written_due(const struct guard *g);
/*
 * A file that was made unreadable is to be readable again: `path` is of a drive that is mounted here, `order` an
 * administrator's (policy/wire/sealed.h). It is begun, and told when it is done. 0; V_BAD, V_DENIED, V_FULL,
 * V_NOT_FOUND with the reason; -errno.
 */
int written_release(struct guard *g, const char *path, struct span order, struct why *why);
/* What has not been looked into by now is told. */
void written_stop(struct guard *g);
/* What is read from drives is scanned, for the status file: null where the policy does not ask for it. */
struct json_t *written_scan_json(const struct guard *g);
void written_close(struct guard *g);

/* --- refuse.c: whom the kernel refuses protected files (see refuse.h) --- */

/* Starts the helpers, before there are keys that they could see. 0, -errno. */
int refuse_open(struct guard *g);
/* Listens, by the policy in force. 0, -errno. */
int refuse_start(struct guard *g);
/* Another policy is in force. */
void refuse_order(struct guard *g);
/* Tries whether a protected file is refused, and tells where that is another answer than before. */
void refuse_prove(struct guard *g);
/* Tells what was counted; and when that is next to be done (boot clock). */
void refuse_run(struct guard *g, int64_t now);
int64_t refuse_due(const struct guard *g);
/* What was counted by now is told. */
void refuse_stop(struct guard *g);
/* "fanotify" where the kernel refuses, as tried last; "none"; NULL where no area asks for it. */
const char *refuse_means(const struct guard *g);
/* For the status file: what is marked, what was refused. The caller's; json null where no area asks for it. */
struct json_t *refuse_state(const struct guard *g);
void refuse_close(struct guard *g);

/* --- reasons.c: what people say where the policy asks why --- */

/* A file on a drive that a reason is waited for. */
struct reason_file {
	struct reason_file *next;
	unsigned id;
	uint32_t uid; /* whose reason */
	int64_t since_awake_us, since_wall_us;
	char device[DISK_NAME_SIZE], rule[POLICY_NAME_SIZE + 16];
	char *path;
	dev_t dev;
	ino_t ino;
	bool has_hash;
	struct digest hash;
};

/* 0, -errno. */
int reasons_open(struct guard *g);
/* Asks `uid` why this file was written; `hash` may be NULL. */
struct written_file;
void reasons_ask(struct guard *g, const struct written_file *w, const char *path, const struct digest *hash,
	const char *rule, uint32_t uid);
/* Somebody was refused files of an area, with `purpose` only because he stated none. True where he was not in the last
 * minutes, so that he is to be told. */
bool reasons_wanted(struct guard *g, const char *area, uint32_t uid, bool purpose, int64_t now);
/* Tells what nobody gave a reason for; and when that is next to be done. By clock_awake_us(): who shuts the lid has his
 * hour. */
void reasons_run(struct guard *g, int64_t now_awake_us);
int64_t reasons_due(const struct guard *g);
void reasons_stop(struct guard *g);
void reasons_close(struct guard *g);
/* What the desk is asked by a process: {"ask": "reasons"}, {"ask": "reason", "item", "text"}. The answer is the
 * caller's. */
struct json_t *reasons_list(struct guard *g, pid_t pid, uid_t uid);
struct json_t *reasons_give(struct guard *g, const struct json_t *ask, pid_t pid, uid_t uid);

/* --- maintenance.c: the sealed way to change what is ours --- */

/* Goes on with a window that was open when the guard stopped, or ends it. */
void maintenance_start(struct guard *g);
/* Ends it where its time is over or its process gone; and when that is next to be looked at (boot clock). */
void maintenance_run(struct guard *g, int64_t now);
int64_t maintenance_due(const struct guard *g);
void maintenance_free(struct guard *g);
/* What the desk is asked: the answers are the caller's. `pid` is who asks, root. */
struct json_t *maintenance_ask_open(struct guard *g, const struct json_t *ask, pid_t pid);
struct json_t *maintenance_ask_close(struct guard *g);
struct json_t *maintenance_state(const struct guard *g);

/* --- asleep.c: a PC that is put to sleep says so --- */

/* For the desk. False where the record waits to be sealed. */
bool asleep_begin(struct guard *g);
void asleep_end(struct guard *g);
void asleep_close(struct guard *g);

/* --- lineage.c: whose window it is --- */

#define LINEAGE_MAX 32u
#define LINEAGE_NAME_SIZE 64u

struct ancestor {
	pid_t pid;
	uint64_t start_ticks;
	char name[LINEAGE_NAME_SIZE]; /* of the program's file, without folders; "" where it cannot be read */
};
/* Whose child the process is, and when it started (clock ticks since the boot, proc(5)). False where it is gone. */
bool process_stat(pid_t pid, pid_t *parent, uint64_t *start_ticks);
/* The process and its ancestors up to the first process of the PC, which is left out; their number. */
unsigned lineage_read(pid_t pid, struct ancestor out[LINEAGE_MAX]);
/*
 * Which of the `n`, the caller first, a window is for: the outermost package manager that the caller works for; else
 * who called it, past sudo and its like. n where there is nobody.
 */
unsigned lineage_root(const struct ancestor *v, unsigned n);
/* Is it still the same process? */
bool lineage_lives(pid_t pid, uint64_t start_ticks);

/* --- protect.c: the kernel keeps others from what is ours (agent/probe/shield.h) --- */

/* Takes what sekisho-load pinned, before rights are given up; that it is not there is no failure. 0, -errno. */
int protect_open(struct guard *g, struct why *why);
/* Listens. 0, -errno. */
int protect_start(struct guard *g);
/* What is ours is as own.h saw it last: says so to the kernel, that we are there, and tries whether it holds. */
void protect_renew(struct guard *g);
/* The window as it is now. */
void protect_window(struct guard *g);
/* Tells what was counted; and when that is next to be done (boot clock). */
void protect_run(struct guard *g, int64_t now);
int64_t protect_due(const struct guard *g);
/* "enforce" where the kernel refuses, as tried last; "note" where it only tells; "none". */
const char *protect_level(const struct guard *g);
void protect_close(struct guard *g);

/* protect_burst.c: who tried what lately. What one process does to one thing is told once in a while, with how often.
 */

#define BURST_MAX 64u         /* that are told apart */
#define BURST_US 10000000ll   /* the same once more */
#define BURST_RECORDS_MAX 50u /* records within that time */
struct burst {
	struct {
		struct shield_event e;
		int64_t since_boot_us; /* 0: free */
		uint64_t count;        /* that were not told since */
	} v[BURST_MAX];
	int64_t window_boot_us;
	unsigned in_window;
	uint64_t left_out; /* acts of which there was no record, for who counts losses: who reads it sets it to 0 */
};
/* What is to be told now is given to `fn`. `now`: boot clock, microseconds. */
typedef void (*burst_fn)(void *ctx, const struct shield_event *e, uint64_t count);
void burst_add(struct burst *b, const struct shield_event *e, int64_t now, burst_fn fn, void *ctx);
/* What was counted and is due; and when that is next so, INT64_MAX where nothing was. */
void burst_run(struct burst *b, int64_t now, burst_fn fn, void *ctx);
int64_t burst_due(const struct burst *b);

/* --- people.c --- */

int people_start(struct guard *g);
void people_stop(struct guard *g);
/* Fills what the name service says of a user into an empty `p`: name and groups, but not the pointers to them. It may
 * be slow. False where it knows nobody. */
bool person_look_up(struct person *p, uid_t uid);
/* The name of a user, of at most 63 bytes; "" where there is none. */
void person_name(const struct guard *g, uint32_t uid, char out[64]);
/* Who is at the seat that the device belongs to (NULL: at seat0). Never NULL; `there` is false where nobody is. */
const struct person *person_of(const struct guard *g, const struct unit *u);

/*
 * Where the file system with this number (super_block.s_dev) is mounted above `path`, and its type; of several mounts
 * the one that is nearest. 0:0: whichever file system it is. False where it is not.
 */
#define MOUNTS_FS_SIZE 32
bool mounts_place(unsigned maj, unsigned min, const char *path, char place[PATH_MAX], char fs[MOUNTS_FS_SIZE]);

/* --- desk.c --- */

int desk_open(const char *path, int *out); /* while root: makes the socket */
int desk_start(struct guard *g, int fd);   /* owns it from then on */
void desk_stop(struct guard *g);

/* --- tell.c: records --- */

void tell_start(struct guard *g);
void tell_stop(struct guard *g);
void tell_plug(struct guard *g, const struct unit *u);
void tell_unplug(struct guard *g, const struct unit *u);
void tell_decision(struct guard *g, const struct unit *u, const struct disk *d, const struct decision *now);
void tell_medium(struct guard *g, const struct unit *u, const struct disk *d);
void tell_event(struct guard *g, const struct gate_event *e);
void tell_printer(struct guard *g, const struct egress_event *e, uint64_t count);
void tell_policy(struct guard *g, unsigned kind, uint64_t version, const char *signer, const char *text);
void tell_release(struct guard *g, unsigned kind, const struct unit *u, const char *rule, unsigned access,
	int64_t until_us, const char *text);
void tell_proof(struct guard *g, unsigned layers, unsigned before);
/* Of own.h; `ctx` is the guard. */
int tell_own(void *ctx, const struct record *r);
/* Headers, so heartbeats too, say from now on by which means devices are held. */
void tell_means(struct guard *g);

/* Who did something in the kernel's eyes. The process may be gone by now, or another one have its number: its program
 * is told only where it started when the kernel says that it did. */
#define TELL_PROGRAM_SIZE 4096
struct tell_who {
	uint32_t pid, uid, loginuid; /* loginuid UINT32_MAX: nobody's */
	uint64_t start_boot_ns;
	const char *comm; /* of 16 bytes at most */
};
void tell_process(struct record *r, const struct tell_who *who, char program[TELL_PROGRAM_SIZE]);

/* --- tell_self.c: records of what is done to the agent itself --- */

void tell_window_open(struct guard *g, pid_t pid, const char *reason, int64_t until_wall_us);
void tell_window_close(struct guard *g, const char *how, unsigned others);
void tell_upgraded(struct guard *g, const struct manifest *now, unsigned files);
/* False where it is not signed and durable. */
bool tell_sleep(struct guard *g);
/* `slept_us` -1: nobody knows, as it was not said that it sleeps. `awake_us`: for how long it was awake since then;
 * `stayed`: which is longer than going to sleep and waking take. */
void tell_wake(struct guard *g, int64_t slept_us, int64_t awake_us, bool stayed);
/* Who of the desk's callers takes this copy, and why: false where that is not signed and durable. */
bool tell_taken(struct guard *g, pid_t pid, uid_t uid, const char *copy, const struct digest *hash, uint64_t bytes,
	const char *reason);
/* Who of the desk's callers states which purpose for an area, until when it holds: as tell_taken. `person` is whose it
 * is. */
bool tell_purpose(struct guard *g, pid_t pid, uid_t uid, uint32_t person, const char *area, int64_t until_wall_us,
	const char *purpose);
/* tell_written.c: why a file was written to a drive, as process user `uid` says; `reason` NULL: nobody said why. */
bool tell_reason(struct guard *g, const struct reason_file *f, uid_t uid, const char *reason);
void tell_refused(struct guard *g, const struct shield_event *e, const char *path, uint64_t count);
/* `before`: the level told last, NULL at the start. */
void tell_protection(struct guard *g, const char *level, const char *before);

/* For the other files that make records (tell_written.c): room for what a record borrows, and the steps of making one.
 */
struct tell_room {
	char id[16], dev[32], interfaces[DEVICE_INTERFACES_MAX * 9], layers[128];
};
void tell_begin(struct guard *g, struct record *r, unsigned kind, const struct unit *u);
void tell_describe(struct record *r, const struct unit *u, const struct disk *d, struct tell_room *room);
void tell_put(struct guard *g, struct record *r, bool urgent);
/* The same; is it signed and durable when this returns? Otherwise it waits, or was dropped and counted. */
bool tell_surely(struct guard *g, struct record *r, bool urgent);
/* The same, of another time than now, which the record has. */
bool tell_of_then(struct guard *g, struct record *r, bool urgent);

/* --- taking.c: copies for the auditor are handed out, each behind its record --- */

struct taking;
struct json_t;
/*
 * {"ask": "take", "copy", "reason"} of a process: opens the copy. *out is the caller's, who goes on with taking_step;
 * NULL where the answer, a refusal (or NULL: no memory), is returned.
 */
struct json_t *taking_begin(struct guard *g, const struct json_t *ask, pid_t pid, uid_t uid, struct taking **out);
/* The next part. V_AGAIN; 0: *answer is the caller's, and so is *fd, the copy open for reading (-1: refused). */
int taking_step(struct guard *g, struct taking *t, struct json_t **answer, int *fd);
void taking_free(struct taking *t);

/* --- report.c --- */

void report_save(struct guard *g);
/* What is plugged in, as JSON, for sekishoctl. Owned by the caller. */
struct json_t;
struct json_t *report_list(struct guard *g, bool held_only);

/* --- loop.c --- */

int loop_run(struct guard *g);
/* Our own machine failed. */
void guard_fail(struct guard *g, int r, const char *what);

/* --- ask.c: `sekisho-guard ask`, run by udev's rules --- */

int ask_main(void);
/* `what`: sleep, wake. */
int sleep_main(const char *what);

#endif
