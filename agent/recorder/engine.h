/*
 * From the kernel's events to records: keeps the tables, asks the filter, makes the record, gives it to a sink. The
 * sink is the sealer; in tests, a list.
 */
#ifndef SEKISHO_RECORDER_ENGINE_H
#define SEKISHO_RECORDER_ENGINE_H

#include "agent/probe/event.h"
#include "agent/recorder/clouds.h"
#include "agent/recorder/convert.h"
#include "agent/recorder/copies.h"
#include "agent/recorder/devices.h"
#include "agent/recorder/processes.h"
#include "agent/recorder/session.h"
#include "agent/recorder/users.h"
#include "agent/service/areas.h"
#include "agent/service/purposes.h"
#include "agent/service/service.h"
#include "policy/rule/filter.h"

/* Takes a record, which is only valid during the call. 0, or -errno: the engine passes it up. */
typedef int (*sink_fn)(void *ctx, const struct record *r, bool urgent);

struct engine {
	/* given by the owner, borrowed */
	const struct filter *filter;
	struct names *names;
	struct processes *processes;
	struct devices *devices;
	struct users *users;
	struct copies *copies;     /* made with engine_copied and this engine; NULL: copies are not told */
	const struct areas *areas; /* of protected files; NULL: none */
	struct purposes *purposes; /* that were stated for them; where there are areas */
	sink_fn sink;
	void *sink_ctx;
	struct clouds *clouds; /* NULL: nobody is told of cloud folders */
	/* Is the guard there, who looks into drives and cloud folders? NULL: nobody waits for it. */
	bool (*guard_heard)(void *ctx);
	void *guard_ctx;
	uint32_t host_mnt_ns; /* 0: unknown */
	const char *proc;     /* "/proc", but in tests; NULL: control groups are not looked up */

	/* kept by the engine */
	uint64_t events, filtered, malformed;
	bool mounts_stale; /* something was mounted or unmounted: read mountinfo before the next answer */
	int64_t last_boot_us;
	struct record record;
	struct convert_room room;
	char parents[CONVERT_PARENTS_SIZE];
	char path[EVENT_PATH_MAX * 2], path2[EVENT_PATH_MAX * 2]; /* tidied */
	char args[EVENT_ARGS_MAX * 2 + 2];
	struct area_decision area; /* of the record at hand */
	char area_text[sizeof(((struct area_decision *)0)->reason) + 16];
	char area_program[EVENT_PATH_MAX];
	bool ended;          /* a process ended or changed its program: its files may be closed without a word */
	bool mounts_changed; /* for the owner: the kernel's half of the filter may have to follow */
};

/* Takes one event. 0 (also where the filter left it out or it was malformed, which is counted); -errno of the sink. */
int engine_event(struct engine *e, struct span bytes);

/* The callbacks of `copies` (copies_new, copies_await); `ctx` is the engine. */
int engine_copied(void *ctx, const struct copy *c);
bool engine_awaits(void *ctx, const struct copy *c, struct copy_places *places);

/* Records of what no kernel event tells. 0, -errno. */
int engine_session(struct engine *e, unsigned kind, const struct session *s, bool at_start, int64_t boot_us);
int engine_mounted(struct engine *e, const struct mount_entry *m, int64_t boot_us);
/* `n` 0: nobody knows how many. */
int engine_loss(struct engine *e, unsigned cause, uint64_t n, int64_t boot_us);
int engine_start(struct engine *e, unsigned probe_set, unsigned enforce, const char *text, int64_t boot_us);
int engine_stop(struct engine *e, unsigned probe_set, unsigned enforce, const struct stop_asked *by, int64_t boot_us);

#endif
