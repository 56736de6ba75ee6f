/*
 * Records of what is done to the agent itself: maintenance windows, what packages changed in them, and what the kernel
 * refused; of copies that are taken from it; and that the PC sleeps. Called by maintenance.c, protect.c, taking.c and
 * asleep.c.
 */
#include "agent/guard/guard.h"
#include "agent/service/service.h"
#include "policy/base/file.h"
#include <errno.h>
#include <inttypes.h>

/* Whose window it is, as /proc says now. */
static void put_owner(struct record *r, pid_t pid, char program[PATH_MAX], char comm[32])
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	uint32_t login = service_login_uid((uint32_t)pid);
	char path[64];
	ssize_t n;

	record_set_uint(r, F_PID, (uint64_t)pid);
	record_drop(r, F_LOGIN_UID);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, program, PATH_MAX - 1);
	program[n > 0 ? n : 0] = 0;
	record_set_text(r, F_PROGRAM, program);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (!file_read(path, &b) && b.n > 1) {
		snprintf(comm, 32, "%.*s", (int)b.n - 1, (const char *)b.p);
		record_set_text(r, F_COMM, comm);
	}
	if (login != UINT32_MAX)
		record_set_uint(r, F_LOGIN_UID, login);
}

void tell_window_open(struct guard *g, pid_t pid, const char *reason, int64_t until_wall_us)
{
	char program[PATH_MAX], comm[32];
	struct record r;

	tell_begin(g, &r, KIND_SELF_OPEN, NULL);
	record_set_str(&r, F_OPERATION, g->maintenance.purpose);
	record_set_int(&r, F_UNTIL, until_wall_us);
	record_set_text(&r, F_TEXT, reason);
	put_owner(&r, pid, program, comm);
	tell_put(g, &r, true);
}

bool tell_sleep(struct guard *g)
{
	struct record r;

	tell_begin(g, &r, KIND_SLEEP, NULL);
	return tell_surely(g, &r, true);
}

void tell_wake(struct guard *g, int64_t slept_us, int64_t awake_us, bool stayed)
{
	char text[128];
	struct record r;

	tell_begin(g, &r, KIND_WAKE, NULL);
	if (slept_us >= 0) {
		record_set_str(&r, F_OPERATION, stayed ? "awake" : slept_us < 1000000 ? "failed" : "slept");
		record_set_int(&r, F_DURATION, slept_us);
		snprintf(text, sizeof(text), "awake for %" PRId64 " s since it said that it goes to sleep",
			awake_us / 1000000);
		record_set_str(&r, F_TEXT, text);
	} else {
		record_set_str(&r, F_TEXT,
			"no sleep is known: it was not said, is told already, or was before the guard was started");
	}
	tell_put(g, &r, true);
}

void tell_window_close(struct guard *g, const char *how, unsigned others)
{
	struct record r;

	tell_begin(g, &r, KIND_SELF_CLOSE, NULL);
	record_set_str(&r, F_OPERATION, how);
	record_set_uint(&r, F_PID, (uint64_t)g->maintenance.pid);
	if (others) {
		record_set_uint(&r, F_COUNT, others);
		record_set_str(&r, F_TEXT, "changes that no package speaks of are told one by one");
	}
	tell_put(g, &r, true);
}

void tell_upgraded(struct guard *g, const struct manifest *now, unsigned files)
{
	const char *before = g->maintenance.before.version;
	char text[2 * MANIFEST_VERSION_SIZE + 16];
	struct record r;

	tell_begin(g, &r, KIND_AGENT_UPGRADED, NULL);
	record_set_str(&r, F_OPERATION, strcmp(before, now->version) != 0 ? "upgraded" : "installed-again");
	snprintf(text, sizeof(text), "%s -> %s", before[0] ? before : "?", now->version[0] ? now->version : "?");
	record_set_text(&r, F_TEXT, text);
	record_set_uint(&r, F_COUNT, files);
	record_set_span(&r, F_HASH, SPAN(now->hash.b, DIGEST_SIZE));
	tell_put(g, &r, true);
}

bool tell_taken(struct guard *g, pid_t pid, uid_t uid, const char *copy, const struct digest *hash, uint64_t bytes,
	const char *reason)
{
	char program[PATH_MAX], comm[32];
	struct record r;
	uint64_t seat;

	tell_begin(g, &r, KIND_COPY_TAKEN, NULL);
	seat = record_number(&r, F_LOGIN_UID, UINT32_MAX);
	put_owner(&r, pid, program, comm);
	/* Who sits at the PC is another one, where root came from elsewhere. */
	if (record_number(&r, F_LOGIN_UID, UINT32_MAX) != seat || seat == UINT32_MAX)
		record_drop(&r, F_USER);
	record_set_uint(&r, F_UID, uid);
	record_set_str(&r, F_COPY, copy);
	record_set_span(&r, F_HASH, SPAN(hash->b, DIGEST_SIZE));
	record_set_uint(&r, F_SIZE, bytes);
	record_set_text(&r, F_TEXT, reason);
	return tell_surely(g, &r, true);
}

bool tell_purpose(struct guard *g, pid_t pid, uid_t uid, uint32_t person, const char *area, int64_t until_wall_us,
	const char *purpose)
{
	char program[PATH_MAX], comm[32], user[64], rule[POLICY_NAME_SIZE + 16];
	struct record r;

	tell_begin(g, &r, KIND_REASON_GIVEN, NULL);
	record_drop(&r, F_USER);
	put_owner(&r, pid, program, comm);
	person_name(g, person, user);
	record_set_text(&r, F_USER, user);
	record_set_uint(&r, F_UID, uid);
	record_set_str(&r, F_AREA, area);
	snprintf(rule, sizeof(rule), "purpose:%s", area);
	record_set_str(&r, F_RULE, rule);
	record_set_int(&r, F_UNTIL, until_wall_us);
	record_set_text(&r, F_TEXT, purpose);
	return tell_surely(g, &r, true);
}

static const char *act(unsigned what)
{
	static const char *const names[] = {[SHIELD_UNLINK] = "unlink",
		[SHIELD_RENAME] = "rename",
		[SHIELD_SETATTR] = "setattr",
		[SHIELD_MOUNT] = "mount",
		[SHIELD_UMOUNT] = "umount",
		[SHIELD_SIGNAL] = "signal",
		[SHIELD_PTRACE] = "ptrace",
		[SHIELD_LIMIT] = "limit",
		[SHIELD_CGROUP] = "cgroup",
		[SHIELD_DETACH] = "detach",
		[SHIELD_OBJECT] = "bpf-object"};

	return what < ARRAY_SIZE(names) && names[what] ? names[what] : "unknown";
}

void tell_refused(struct guard *g, const struct shield_event *e, const char *path, uint64_t count)
{
	static const char *const objects[] = {[SHIELD_MAP] = "map", [SHIELD_PROG] = "program", [SHIELD_LINK] = "link"};
	static char program[TELL_PROGRAM_SIZE];
	char text[64] = "";
	struct record r;

	tell_begin(g, &r, KIND_SELF_REFUSED, NULL);
	record_set_str(&r, F_OPERATION, act(e->what));
	record_set_uint(&r, F_POLICY_MODE, e->let ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	record_set_int(&r, F_RESULT, e->let ? 0 : -EPERM);
	record_set_text(&r, F_PATH, path);
	if (e->what == SHIELD_SIGNAL)
		record_set_uint(&r, F_SIGNAL, e->detail);
	if (e->what == SHIELD_SIGNAL || e->what == SHIELD_PTRACE || e->what == SHIELD_LIMIT)
		snprintf(text, sizeof(text), "process %u", e->target);
	else if ((e->what == SHIELD_OBJECT || e->what == SHIELD_DETACH) && e->detail && e->detail < ARRAY_SIZE(objects))
		snprintf(text, sizeof(text), "%s %u", objects[e->detail], e->target);
	record_set_text(&r, F_TEXT, text);
	if (count > 1)
		record_set_uint(&r, F_COUNT, count);
	tell_process(&r, &(struct tell_who){e->pid, e->uid, e->loginuid, e->start_boot_ns, e->comm}, program);
	tell_put(g, &r, true);
}

void tell_protection(struct guard *g, const char *level, const char *before)
{
	bool holds = !strcmp(level, "enforce"), held = before && !strcmp(before, "enforce");
	struct record r;

	tell_begin(g, &r, KIND_PROOF, NULL);
	record_set_str(&r, F_OPERATION, "shield");
	record_set_str(&r, F_LAYERS, holds ? "shield" : "");
	record_set_uint(&r, F_ENFORCE, holds ? ENFORCE_FULL : ENFORCE_NONE);
	record_set_str(&r, F_TEXT,
		holds                    ? "the kernel protects the agent itself"
		: held                   ? "what protects the agent itself does not hold any more"
		: !strcmp(level, "note") ? "what is done to the agent itself is told, and not refused"
					 : "the kernel does not protect the agent itself any more");
	tell_put(g, &r, true);
}
