/*
 * Hand-made kernel events through tables and filter to records: who is told with what, what is left out, what is
 * urgent.
 */
#include "agent/recorder/engine.h"
#include "tests/unit/cm.h"
#include "tests/unit/recorder/made.h"
#include <stdlib.h>

/* What came out, copied: kind, urgency, and some facts as text. */
struct got {
	unsigned kind;
	bool urgent;
	unsigned class;
	uint64_t uid, target_uid;
	char area[32], rule[48], text[128], operation[16];
	uint64_t action;
	char script[64], program[64], parents[128], path[128], path2[64], service[32], container[64];
};

struct fixture {
	struct engine e;
	struct filter *filter;
	unsigned n;
	struct got got[64];
};

static void keep(const struct record *r, unsigned field, char *out, size_t size)
{
	out[0] = 0;
	if (record_has(r, field))
		snprintf(out, size, "%.*s", (int)r->v[field].s.n, (const char *)r->v[field].s.p);
}

static int sink(void *ctx, const struct record *r, bool urgent)
{
	struct fixture *f = ctx;
	struct got *g = &f->got[f->n++];

	assert_true(f->n < 64);
	g->kind = (unsigned)r->v[F_KIND].u;
	g->urgent = urgent;
	g->class = record_has(r, F_CLASS) ? (unsigned)r->v[F_CLASS].u : 0;
	g->uid = record_has(r, F_UID) ? r->v[F_UID].u : UINT64_MAX;
	g->target_uid = record_has(r, F_TARGET_UID) ? r->v[F_TARGET_UID].u : UINT64_MAX;
	keep(r, F_AREA, g->area, sizeof(g->area));
	keep(r, F_RULE, g->rule, sizeof(g->rule));
	keep(r, F_TEXT, g->text, sizeof(g->text));
	keep(r, F_OPERATION, g->operation, sizeof(g->operation));
	g->action = record_number(r, F_ACTION, 0);
	keep(r, F_SCRIPT, g->script, sizeof(g->script));
	keep(r, F_PROGRAM, g->program, sizeof(g->program));
	keep(r, F_PARENTS, g->parents, sizeof(g->parents));
	keep(r, F_PATH, g->path, sizeof(g->path));
	keep(r, F_PATH2, g->path2, sizeof(g->path2));
	keep(r, F_SERVICE, g->service, sizeof(g->service));
	keep(r, F_CONTAINER, g->container, sizeof(g->container));
	return 0;
}

static const char yaml[] = "version: 1\n"
			   "paths:\n  /: changes\n  /home: all\n  /proc: none\n  /quiet: none\n  ~/.cache: none\n"
			   "classes:\n  cloud: all\n"
			   "programs:\n  /usr/bin/backup: none\n  /usr/bin/indexer: changes\n"
			   "users:\n  4242: changes\n"
			   "cloud: [~/Dropbox]\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct why why;

	if (!f || !(f->filter = calloc(1, sizeof(*f->filter))) || filter_parse(SPAN_STR(yaml), "t", f->filter, &why) ||
		names_new(&f->e.names) || processes_new(f->e.names, &f->e.processes) ||
		devices_new("/nonexistent", "/nonexistent", &f->e.devices) || users_new(&f->e.users))
		return -1;
	f->e.filter = f->filter;
	f->e.sink = sink;
	f->e.sink_ctx = f;
	f->e.host_mnt_ns = MADE_NS;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	users_free(f->e.users);
	devices_free(f->e.devices);
	processes_free(f->e.processes);
	names_free(f->e.names);
	free(f->filter);
	free(f);
	return 0;
}

static void feed(struct fixture *f, struct made *m)
{
	assert_int_equal(engine_event(&f->e, made_bytes(m)), 0);
}

static void start(struct fixture *f, uint32_t pid, uint32_t ppid, const char *program)
{
	struct made m = made(KIND_EXEC, pid, pid);

	m.e.ppid = ppid;
	m.e.pstart_ns = ppid;
	m.s[EVENT_PROGRAM] = program;
	feed(f, &m);
}

static void use(struct fixture *f, uint32_t pid, const char *path, uint32_t flags)
{
	struct made m = made(KIND_FILE, pid, pid);

	made_file(&m, path, 99, 1);
	m.e.flags = flags;
	feed(f, &m);
}

static void records_carry_program_and_ancestors(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 0, "/sbin/init");
	start(f, 2, 1, "/bin/bash");
	start(f, 3, 2, "/usr/bin/vi");
	use(f, 3, "/home/ann/x", RF_READ);
	assert_int_equal(f->n, 4);
	assert_int_equal(f->got[3].kind, KIND_FILE);
	assert_string_equal(f->got[3].program, "/usr/bin/vi");
	assert_string_equal(f->got[3].parents, "/bin/bash\n/sbin/init");
	assert_string_equal(f->got[3].path, "/home/ann/x");
	assert_int_equal(f->got[3].class, CLASS_OTHER);
}

static void a_fork_runs_its_parents_program(void **state)
{
	struct fixture *f = *state;
	struct made m = made(KIND_FORK, 11, 11);

	start(f, 10, 0, "/bin/bash");
	m.e.ppid = 10;
	m.e.pstart_ns = 10;
	feed(f, &m); /* forks are left out by default, but known */
	use(f, 11, "/etc/x", RF_WROTE);
	assert_int_equal(f->n, 2);
	assert_string_equal(f->got[1].program, "/bin/bash");
	assert_string_equal(f->got[1].parents, "/bin/bash");
	assert_int_equal(f->e.filtered, 1);
}

static void the_ended_still_have_a_name(void **state)
{
	struct fixture *f = *state;
	struct made m = made(KIND_EXIT, 20, 20);

	start(f, 20, 0, "/usr/bin/cp");
	feed(f, &m);
	use(f, 20, "/home/ann/x", RF_WROTE);
	assert_int_equal(f->n, 3);
	assert_string_equal(f->got[1].program, "/usr/bin/cp");
	assert_string_equal(f->got[2].program, "/usr/bin/cp");
}

static void the_filter_decides(void **state)
{
	struct fixture *f = *state;
	struct made m;

	start(f, 30, 0, "/usr/bin/vi");
	f->n = 0;
	use(f, 30, "/etc/x", RF_READ);
	use(f, 30, "/proc/1/status", RF_WROTE);
	use(f, 30, "/home/ann/.cache/x", RF_WROTE);
	assert_int_equal(f->n, 0);
	use(f, 30, "/etc/x", RF_WROTE);
	use(f, 30, "/home/ann/x", RF_READ);
	assert_int_equal(f->n, 2);
	/* out of a quiet folder into another */
	m = made(KIND_RENAME, 30, 30);
	made_file(&m, "/quiet/x", 99, 1);
	m.s[EVENT_PATH2] = "/home/ann/x";
	feed(f, &m);
	assert_int_equal(f->n, 3);
	assert_string_equal(f->got[2].path2, "/home/ann/x");
	/* somebody who is told of less */
	m = made(KIND_FILE, 30, 30);
	made_file(&m, "/home/ann/x", 99, 1);
	m.e.flags = RF_READ;
	m.e.uid = 4242;
	feed(f, &m);
	assert_int_equal(f->n, 3);
	assert_int_equal(f->e.filtered, 4);
}

static void programs_are_told_of_less_but_not_where_data_leaves(void **state)
{
	struct fixture *f = *state;

	start(f, 40, 0, "/usr/bin/backup");
	start(f, 41, 0, "/usr/bin/indexer");
	assert_int_equal(f->n, 1); /* the start of a program of level none is left out */
	f->n = 0;
	use(f, 40, "/home/ann/x", RF_WROTE);
	use(f, 41, "/home/ann/x", RF_READ);
	assert_int_equal(f->n, 0);
	use(f, 41, "/home/ann/x", RF_WROTE);
	assert_int_equal(f->n, 1);
	use(f, 40, "/home/ann/Dropbox/x", RF_READ);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->got[1].class, CLASS_CLOUD);
}

static void paths_as_callers_wrote_them_are_tidied(void **state)
{
	struct fixture *f = *state;
	struct made m = made(KIND_RENAME, 50, 50);

	made_file(&m, "/home/ann//../../proc/./x", 99, 1);
	m.s[EVENT_PATH2] = "/home/ann//y";
	m.e.has |= EH_RELATIVE | EH_RELATIVE2;
	feed(f, &m);
	assert_int_equal(f->n, 1);
	assert_string_equal(f->got[0].path, "/proc/x");
	assert_string_equal(f->got[0].path2, "/home/ann/y");
}

static void scripts_are_told_by_their_whole_path(void **state)
{
	struct fixture *f = *state;
	struct made m = made(KIND_EXEC, 51, 51);

	m.s[EVENT_PATH] = "./bin/../x.sh";
	m.s[EVENT_PROGRAM] = "/bin/sh";
	m.s[EVENT_CWD] = "/home/ann";
	feed(f, &m);
	assert_string_equal(f->got[0].script, "/home/ann/x.sh");
	m.s[EVENT_PATH] = "/opt/y.sh";
	feed(f, &m);
	assert_string_equal(f->got[1].script, "/opt/y.sh");
}

static void becoming_another_user_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct made m;

	start(f, 60, 0, "/bin/bash");
	/* sudo's file gives it the rights of root; nobody is root yet */
	m = made(KIND_EXEC, 61, 61);
	m.e.ppid = m.e.pstart_ns = 60;
	m.e.uid = 0;
	m.s[EVENT_PROGRAM] = "/usr/bin/sudo";
	feed(f, &m);
	assert_int_equal(f->n, 2);
	/* what it then runs is root's */
	m = made(KIND_EXEC, 62, 62);
	m.e.ppid = m.e.pstart_ns = 61;
	m.e.uid = m.e.real_uid = 0;
	m.s[EVENT_PROGRAM] = "/bin/ls";
	feed(f, &m);
	assert_int_equal(f->n, 4);
	assert_int_equal(f->got[2].kind, KIND_USER_CHANGE);
	assert_true(f->got[2].urgent);
	assert_int_equal(f->got[2].uid, 1000);
	assert_int_equal(f->got[2].target_uid, 0);
	assert_string_equal(f->got[2].service, "sudo");
	assert_int_equal(f->got[3].kind, KIND_EXEC);
	assert_int_equal(f->got[3].uid, 0);
	/* su: changes, then starts the shell */
	m = made(KIND_EXEC, 63, 63);
	m.e.ppid = m.e.pstart_ns = 62;
	m.e.uid = m.e.real_uid = 0;
	m.s[EVENT_PROGRAM] = "/usr/bin/su";
	feed(f, &m);
	m = made(KIND_EXEC, 63, 63);
	m.e.ppid = m.e.pstart_ns = 61;
	m.e.uid = m.e.real_uid = 2000;
	m.s[EVENT_PROGRAM] = "/bin/bash";
	feed(f, &m);
	assert_int_equal(f->n, 7);
	assert_int_equal(f->got[5].kind, KIND_USER_CHANGE);
	assert_int_equal(f->got[5].target_uid, 2000);
	assert_string_equal(f->got[5].service, "su");
}

static void what_cannot_be_read_is_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(engine_event(&f->e, SPAN("nonsense", 8)), 0);
	assert_int_equal(f->e.malformed, 1);
	assert_int_equal(f->n, 0);
}

static int broken_sink(void *ctx, const struct record *r, bool urgent)
{
	(void)ctx;
	(void)r;
	(void)urgent;
	return -28;
}

static void a_sink_that_fails_is_heard(void **state)
{
	struct fixture *f = *state;
	struct made m = made(KIND_EXEC, 70, 70);

	m.s[EVENT_PROGRAM] = "/bin/true";
	assert_int_equal(engine_loss(&f->e, CAUSE_RING_FULL, 3, 1), 0);
	assert_int_equal(f->got[0].kind, KIND_LOSS);
	assert_int_equal(f->e.record.v[F_LOST].u, 3);
	/* How many is not known: that is said, not a number. */
	assert_int_equal(engine_loss(&f->e, CAUSE_CRASH, 0, 1), 0);
	assert_false(record_has(&f->e.record, F_LOST));
	assert_true(record_has(&f->e.record, F_TEXT));
	f->e.sink = broken_sink;
	assert_int_equal(engine_event(&f->e, made_bytes(&m)), -28);
	assert_int_equal(engine_loss(&f->e, CAUSE_RING_FULL, 3, 1), -28);
}

/* --- areas of protected files --- */

static const char policy[] =
	"version: 7\n"
	"protected:\n  areas:\n"
	"  - {name: pay, paths: [/quiet/pay, /home/ann/.cache/one.csv], programs: /usr/bin/vi, others: alert}\n"
	"  - {name: share, shares: '//files/*', users: nobody-has-this-name, others: alert, mode: note}\n"
	"  - {name: group, paths: /quiet/group, groups: [root], others: note}\n"
	"  - {name: shut, paths: /quiet/shut, programs: /usr/bin/vi, others: deny}\n"
	"  - {name: watched, paths: /quiet/watched, programs: /usr/bin/vi, others: deny, mode: note}\n";

static void in_force(struct fixture *f, struct areas **areas, const char *text)
{
	char path[] = "/tmp/sekisho-areas-XXXXXX";
	int fd = mkstemp(path);
	struct why why = {""};
	bool changed;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	if (!*areas)
		assert_int_equal(areas_new(areas), 0);
	assert_int_equal(areas_load(*areas, path, &changed, &why), 0);
	assert_true(changed);
	assert_int_equal(areas_load(*areas, path, &changed, &why), 0);
	assert_false(changed);
	unlink(path);
	areas_mounts_begin(*areas);
	areas_mount(*areas, "/mnt/share", "//files/hr");
	areas_mount(*areas, "/mnt/share/inside", "/dev/sdb1");
	areas_mount(*areas, "/mnt/other", "//elsewhere/hr");
	f->e.areas = *areas;
}

static void all_in_an_area_is_told_whatever_the_filter_says(void **state)
{
	struct fixture *f = *state;
	struct areas *areas = NULL;
	struct made m;

	f->filter->kinds = 0;
	start(f, 30, 0, "/usr/bin/backup");
	start(f, 31, 0, "/usr/bin/vi");
	use(f, 30, "/quiet/pay/a", RF_READ);
	assert_int_equal(f->n, 0);
	in_force(f, &areas, policy);
	use(f, 30, "/quiet/payment", RF_READ);
	use(f, 30, "/quiet/x", RF_WROTE);
	use(f, 31, "/home/ann/x", RF_READ);
	assert_int_equal(f->n, 0);
	use(f, 31, "/quiet/pay/a", RF_READ);
	assert_string_equal(f->got[0].area, "pay");
	assert_string_equal(f->got[0].rule, "protected:pay");
	assert_int_equal(f->got[0].action, ACTION_ALLOW);
	assert_string_equal(f->got[0].text, "");
	assert_false(f->got[0].urgent);
	use(f, 30, "/home/ann/.cache/one.csv", RF_READ);
	assert_int_equal(f->got[1].action, ACTION_ALERT);
	assert_string_equal(f->got[1].text, "policy.yaml:4: its program");
	assert_true(f->got[1].urgent);
	/* out of the area, and into it */
	m = made(KIND_RENAME, 31, 31);
	m.s[EVENT_PATH] = "/quiet/pay/a";
	m.s[EVENT_PATH2] = "/quiet/a";
	feed(f, &m);
	m.s[EVENT_PATH] = "/quiet/b";
	m.s[EVENT_PATH2] = "/quiet/pay/b";
	feed(f, &m);
	m = made(KIND_UNLINK, 31, 31);
	m.s[EVENT_PATH] = "/quiet//pay/../pay/b";
	m.e.has |= EH_RELATIVE;
	feed(f, &m);
	assert_int_equal(f->n, 5);
	assert_string_equal(f->got[2].area, "pay");
	assert_string_equal(f->got[3].area, "pay");
	assert_string_equal(f->got[4].area, "pay");
	/* a share, by where it is mounted; what only notes wakes nobody */
	use(f, 31, "/mnt/share/x", RF_READ);
	assert_string_equal(f->got[5].area, "share");
	assert_int_equal(f->got[5].action, ACTION_ALERT);
	assert_false(f->got[5].urgent);
	use(f, 31, "/mnt/other/x", RF_READ);
	assert_int_equal(f->n, 6);
	m = made(KIND_FILE, 31, 31);
	made_file(&m, "/quiet/group/x", 99, 1);
	feed(f, &m);
	assert_int_equal(f->got[6].action, ACTION_NOTE);
	m.e.uid = 0;
	feed(f, &m);
	assert_int_equal(f->got[7].action, ACTION_ALLOW);
	/* what was to be refused, and happened; what would be refused */
	use(f, 30, "/quiet/shut/x", RF_READ);
	assert_int_equal(f->got[8].action, ACTION_ALERT);
	assert_string_equal(f->got[8].text, "not refused: policy.yaml:7: its program");
	assert_true(f->got[8].urgent);
	use(f, 30, "/quiet/watched/x", RF_READ);
	assert_int_equal(f->got[9].action, ACTION_DENY);
	assert_false(f->got[9].urgent);
	/* what the file's permissions refused: in an area, by whomever, and nowhere else */
	m = made(KIND_FILE_REFUSED, 30, 30);
	m.s[EVENT_PATH] = "/quiet//pay/../shut/y";
	m.e.has |= EH_RELATIVE;
	m.e.result = -13;
	feed(f, &m);
	assert_int_equal(f->n, 11);
	assert_int_equal(f->got[10].kind, KIND_FILE_REFUSED);
	assert_string_equal(f->got[10].path, "/quiet/shut/y");
	assert_string_equal(f->got[10].area, "shut");
	assert_string_equal(f->got[10].text, "by permissions, or by another rule of this PC (EACCES)");
	assert_string_equal(f->got[10].rule, "");
	assert_int_equal(f->got[10].action, 0);
	assert_false(f->got[10].urgent);
	assert_string_equal(f->got[10].operation, "open");
	m.e.flags = RF_PATH_CUT;
	feed(f, &m);
	m.e.flags = 0;
	/* not an open: one of its names is in an area */
	m.s[EVENT_PATH] = "/home/ann//x";
	m.s[EVENT_PATH2] = "/quiet/shut//./y";
	m.e.has |= EH_RELATIVE2;
	m.e.result = -1;
	m.e.refused = KIND_RENAME;
	feed(f, &m);
	assert_int_equal(f->n, 12);
	assert_int_equal(f->got[11].kind, KIND_FILE_REFUSED);
	assert_string_equal(f->got[11].operation, "rename");
	assert_string_equal(f->got[11].path, "/home/ann/x");
	assert_string_equal(f->got[11].path2, "/quiet/shut/y");
	assert_string_equal(f->got[11].area, "shut");
	assert_string_equal(f->got[11].text, "by permissions, or by another rule of this PC (EPERM)");
	m.s[EVENT_PATH2] = "";
	m.s[EVENT_PATH] = "/quiet/shut/y";
	m.e.has &= ~EH_RELATIVE2;
	m.e.refused = REFUSED_SETXATTR;
	feed(f, &m);
	assert_string_equal(f->got[12].operation, "setxattr");
	m.e.refused = REFUSED_REMOVEXATTR;
	feed(f, &m);
	assert_string_equal(f->got[13].operation, "removexattr");
	m.e.refused = 0;
	f->filter->kinds = UINT64_MAX;
	m.s[EVENT_PATH] = "/home//ann/x";
	feed(f, &m);
	assert_int_equal(f->n, 14);
	f->e.areas = NULL;
	areas_free(areas);
}

static void sessions_say_who(void **state)
{
	struct fixture *f = *state;
	struct session s = {.id = "3", .user = "ann", .seat = "tty1", .service = "login", .uid = 1000, .leader = 9};

	assert_int_equal(engine_session(&f->e, KIND_LOGIN, &s, false, 1), 0);
	assert_int_equal(f->got[0].kind, KIND_LOGIN);
	assert_true(f->got[0].urgent);
	assert_int_equal(f->got[0].target_uid, 1000);
	assert_string_equal(f->got[0].service, "login");
	assert_int_equal(f->e.record.v[F_SESSION].u, 3);
	assert_false(record_has(&f->e.record, F_TEXT));
	assert_int_equal(engine_session(&f->e, KIND_LOGIN, &s, true, 1), 0);
	assert_true(record_has(&f->e.record, F_TEXT));
}

/* --- copies --- */

static bool on_guard(void *ctx)
{
	return *(bool *)ctx;
}

static struct copy copy_of(const char *path, uint32_t major, const char *fs)
{
	return (struct copy){.seen = {.kind = KIND_COPY,
				     .pid = 5,
				     .start_ns = 5,
				     .uid = 1000,
				     .login_uid = UINT32_MAX,
				     .mnt_ns = MADE_NS,
				     .path = SPAN_STR(path),
				     .path2 = SPAN_STR("/home/ann/A.xlsx"),
				     .fs = SPAN_STR(fs),
				     .has_object = true,
				     .dev_major = major,
				     .dev_minor = 17,
				     .inode = 70},
		.program = SPAN_STR("/usr/bin/nautilus"),
		.certainty = CERTAINTY_STRONG,
		.reason = REASON_SAME_SIZE};
}

static void is_text(struct fixture *f, unsigned field, const char *text)
{
	struct span s = record_text(&f->e.record, field);

	assert_true(span_eq(s, SPAN_STR(text)));
}

static void a_copy_has_its_drive_and_its_hash(void **state)
{
	static const char drive[] = "0951:1666\0Kingston\0\00060A44C";
	struct fixture *f = *state;
	struct copy c = copy_of("/home/ann/B.xlsx", 8, "vfat");
	struct digest hash = {{7}};

	assert_int_equal(engine_copied(&f->e, &c), 0);
	assert_int_equal(f->n, 1);
	assert_false(record_has(&f->e.record, F_HASH) || record_has(&f->e.record, F_SERIAL));
	c.drive = SPAN(drive, sizeof(drive));
	c.hash = &hash;
	assert_int_equal(engine_copied(&f->e, &c), 0);
	is_text(f, F_USB_ID, "0951:1666");
	is_text(f, F_MAKER, "Kingston");
	is_text(f, F_SERIAL, "60A44C");
	is_text(f, F_PATH2, "/home/ann/A.xlsx");
	is_text(f, F_PATH, "/home/ann/B.xlsx");
	assert_false(record_has(&f->e.record, F_PRODUCT));
	assert_true(span_eq(record_text(&f->e.record, F_HASH), SPAN(hash.b, DIGEST_SIZE)));
	assert_int_equal(record_number(&f->e.record, F_CERTAINTY, 0), CERTAINTY_STRONG);
}

/* Only for what the policy has the guard look into, and only while it is there. */
static void it_waits_for_the_guard_that_is_there(void **state)
{
	static const char none[] = "version: 1\n", drives[] = "version: 2\ndrives:\n  rules: []\n",
			  cloud[] = "version: 3\ndrives:\n  cloud: yes\n  rules: []\n";
	struct fixture *f = *state;
	struct areas *areas = NULL;
	struct copy_places places = {.fs = ""};
	bool there = true;
	/* by the types of their file systems, as no sysfs is here */
	struct copy stick = copy_of("/media/B.xlsx", 8, "fuse.ifuse"), anonymous = copy_of("/media/B", 0, "fuse.ifuse"),
		    box = copy_of("/home/ann/Dropbox/B", 9, ""), disk = copy_of("/home/ann/B", 9, ""),
		    share = copy_of("/home/ann/Dropbox/C", 10, "cifs");

	f->e.guard_ctx = &there;
	f->e.guard_heard = on_guard;
	assert_false(engine_awaits(&f->e, &stick, &places));
	in_force(f, &areas, none);
	assert_false(engine_awaits(&f->e, &stick, &places));
	in_force(f, &areas, drives);
	assert_true(engine_awaits(&f->e, &stick, &places));
	assert_false(engine_awaits(&f->e, &box, &places));
	in_force(f, &areas, cloud);
	assert_true(engine_awaits(&f->e, &stick, &places));
	assert_true(engine_awaits(&f->e, &box, &places));
	assert_false(engine_awaits(&f->e, &anonymous, &places));
	assert_false(engine_awaits(&f->e, &disk, &places));
	assert_false(engine_awaits(&f->e, &share, &places));
	/* the drive is pulled meanwhile: the record has what it was */
	assert_true(engine_awaits(&f->e, &stick, &places));
	assert_string_equal(places.fs, "fuse.ifuse");
	stick.seen.fs = SPAN(NULL, 0);
	stick.places = &places;
	f->n = 0;
	assert_int_equal(engine_copied(&f->e, &stick), 0);
	assert_int_equal(f->got[0].class, places.class);
	assert_int_not_equal(places.class, 0);
	there = false;
	assert_false(engine_awaits(&f->e, &stick, &places));
	f->e.guard_heard = NULL;
	assert_false(engine_awaits(&f->e, &stick, &places));
	areas_free(areas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_carry_program_and_ancestors, setup, teardown),
		cmocka_unit_test_setup_teardown(a_fork_runs_its_parents_program, setup, teardown),
		cmocka_unit_test_setup_teardown(the_ended_still_have_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(the_filter_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(programs_are_told_of_less_but_not_where_data_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_as_callers_wrote_them_are_tidied, setup, teardown),
		cmocka_unit_test_setup_teardown(scripts_are_told_by_their_whole_path, setup, teardown),
		cmocka_unit_test_setup_teardown(becoming_another_user_is_told_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sink_that_fails_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(all_in_an_area_is_told_whatever_the_filter_says, setup, teardown),
		cmocka_unit_test_setup_teardown(sessions_say_who, setup, teardown),
		cmocka_unit_test_setup_teardown(a_copy_has_its_drive_and_its_hash, setup, teardown),
		cmocka_unit_test_setup_teardown(it_waits_for_the_guard_that_is_there, setup, teardown),
	};

	return cmocka_run_group_tests_name("recorder/engine", tests, NULL, NULL);
}
