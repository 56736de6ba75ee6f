/*
 * What somebody does in one burst, told as the recorder and the guard would. See office.h.
 */
#include "policy/wire/flags.h"
#include "tests/bench/office/office.h"

enum program { SHELL, NAUTILUS, OFFICE, FIREFOX, MAIL, READER, GCC, GIT, GREP, BACKUP, SYSTEMD, UDISKS, PROGRAMS };

static const char *const programs[PROGRAMS] = {"/usr/bin/bash", "/usr/bin/nautilus",
	"/usr/lib/libreoffice/program/soffice.bin", "/usr/lib/firefox-esr/firefox-esr",
	"/usr/lib/thunderbird/thunderbird", "/usr/bin/evince", "/usr/bin/gcc-12", "/usr/bin/git", "/usr/bin/grep",
	"/usr/bin/rsync", "/usr/lib/systemd/systemd", "/usr/libexec/udisks2/udisksd"};

struct act {
	unsigned kind, class;
	enum program by;
	const char *path, *path2, *args;
	uint64_t read, written;
};

struct telling {
	struct desk *d;
	office_put put;
	void *ctx;
	struct record r;
	int error;
};

static void stamp(struct telling *t, unsigned kind)
{
	struct desk *d = t->d;

	/* Records of a burst lie some milliseconds apart. */
	d->now += 400 + dice_often(&d->dice, 90000);
	record_reset(&t->r);
	record_set_uint(&t->r, F_KIND, kind);
	record_set_int(&t->r, F_TIME, d->now);
	record_set_int(&t->r, F_BOOT_TIME, d->now - d->booted);
}

static void tell(struct telling *t, unsigned teller)
{
	if (!t->error)
		t->error = t->put(t->ctx, teller, &t->r);
}

static void put_subject(struct telling *t, enum program by)
{
	struct record *r = &t->r;
	const struct desk *d = t->d;

	record_set_uint(r, F_PID, by == SHELL || by == GCC || by == GREP || by == GIT ? d->pid : 1200u + by);
	record_set_uint(r, F_UID, d->uid);
	record_set_uint(r, F_LOGIN_UID, d->uid);
	record_set_uint(r, F_SESSION, d->session);
	record_set_str(r, F_USER, d->user);
	record_set_str(r, F_PROGRAM, programs[by]);
	record_set_str(r, F_COMM, strrchr(programs[by], '/') + 1);
}

static void act(struct telling *t, const struct act *a)
{
	struct record *r = &t->r;
	unsigned class = a->class ? a->class : CLASS_FIXED;

	stamp(t, a->kind);
	put_subject(t, a->by);
	record_set_str(r, F_PATH, a->path);
	if (a->path2)
		record_set_str(r, F_PATH2, a->path2);
	if (a->kind == KIND_EXEC) {
		record_set_str(r, F_ARGS, a->args ? a->args : a->path);
	} else {
		record_set_uint(r, F_CLASS, class);
		record_set_uint(r, F_INODE, 100000 + dice_under(&t->d->dice, 9000000));
	}
	if (a->read)
		record_set_uint(r, F_READ, a->read);
	if (a->written)
		record_set_uint(r, F_WRITTEN, a->written);
	if (a->kind == KIND_FILE) {
		record_set_uint(r, F_SIZE, a->read + a->written);
		record_set_uint(r, F_DURATION, 500 + dice_often(&t->d->dice, 3000000));
		record_set_uint(r, F_FLAGS, (a->read ? RF_READ : 0u) | (a->written ? RF_WROTE : 0u));
	}
	tell(t, TELLER_RECORDER);
}

static uint64_t some_bytes(struct desk *d)
{
	return 1500 + dice_often(&d->dice, 9000000);
}

/* --- acts --- */

/* A document is opened, and often saved: its lock file, the new bytes under another name, the rename. */
static void document(struct telling *t)
{
	struct desk *d = t->d;
	char path[OFFICE_TEXT], lock[OFFICE_TEXT + 32], fresh[OFFICE_TEXT + 32];
	bool home = dice_chance(&d->dice, 35);
	unsigned class = home ? CLASS_FIXED : CLASS_NETWORK;
	const char *name;

	if (home)
		desk_home_file(d, path);
	else
		desk_share_file(d, NULL, path);
	if (strstr(path, "/Nextcloud/"))
		class = CLASS_CLOUD;
	name = strrchr(path, '/') + 1;
	snprintf(lock, sizeof(lock), "%.*s.~lock.%s#", (int)(name - path), path, name);
	act(t, &(struct act){.kind = KIND_FILE, .class = class, .by = OFFICE, .path = path, .read = some_bytes(d)});
	act(t, &(struct act){.kind = KIND_FILE, .class = class, .by = OFFICE, .path = lock, .written = 96});
	if (dice_chance(&d->dice, 55)) {
		d->now += 1000000 + dice_under(&d->dice, 4000000);
		snprintf(fresh, sizeof(fresh), "%.*slu%06x.tmp", (int)(name - path), path,
			dice_under(&d->dice, 1u << 24));
		act(t, &(struct act){.kind = KIND_FILE,
			       .class = class,
			       .by = OFFICE,
			       .path = fresh,
			       .written = some_bytes(d)});
		act(t, &(struct act){.kind = KIND_RENAME, .class = class, .by = OFFICE, .path = fresh, .path2 = path});
	}
	act(t, &(struct act){.kind = KIND_UNLINK, .class = class, .by = OFFICE, .path = lock});
}

static void copies(struct telling *t)
{
	struct desk *d = t->d;
	char from[OFFICE_TEXT], to[OFFICE_TEXT];
	unsigned n = 1 + dice_often(&d->dice, 24);

	while (n--) {
		uint64_t bytes = some_bytes(d);

		desk_share_file(d, NULL, from);
		desk_home_file(d, to);
		act(t, &(struct act){
			       .kind = KIND_FILE, .class = CLASS_NETWORK, .by = NAUTILUS, .path = from, .read = bytes});
		act(t, &(struct act){.kind = KIND_FILE, .by = NAUTILUS, .path = to, .written = bytes});
	}
}

static void browses(struct telling *t)
{
	struct desk *d = t->d;
	char path[OFFICE_TEXT], part[OFFICE_TEXT + 8];

	if (dice_chance(&d->dice, 60)) {
		snprintf(path, sizeof(path), "/home/%s/.mozilla/firefox/default/cookies.sqlite-wal", d->user);
		act(t, &(struct act){.kind = KIND_FILE, .by = FIREFOX, .path = path, .written = 32768});
		return;
	}
	desk_home_file(d, path);
	snprintf(part, sizeof(part), "%s.part", path);
	act(t, &(struct act){.kind = KIND_FILE, .by = FIREFOX, .path = part, .written = some_bytes(d)});
	act(t, &(struct act){.kind = KIND_RENAME, .by = FIREFOX, .path = part, .path2 = path});
	act(t, &(struct act){.kind = KIND_FILE, .by = READER, .path = path, .read = some_bytes(d)});
}

static void mails(struct telling *t)
{
	struct desk *d = t->d;
	char path[OFFICE_TEXT];
	unsigned n = 1 + dice_under(&d->dice, 4);

	while (n--) {
		snprintf(path, sizeof(path), "/home/%s/.thunderbird/default/ImapMail/mail.example/%s", d->user,
			n % 2 ? "INBOX" : "Sent-1");
		act(t, &(struct act){.kind = KIND_FILE,
			       .by = MAIL,
			       .path = path,
			       .written = 4000 + dice_often(&d->dice, 200000)});
	}
	if (dice_chance(&d->dice, 20)) {
		desk_share_file(d, "pdf", path);
		act(t, &(struct act){.kind = KIND_FILE,
			       .class = CLASS_NETWORK,
			       .by = MAIL,
			       .path = path,
			       .read = some_bytes(d)});
	}
}

/* Many programs, many files, within seconds. */
static void builds(struct telling *t)
{
	struct desk *d = t->d;
	char source[OFFICE_TEXT], object[OFFICE_TEXT], args[OFFICE_TEXT * 2 + 32];
	unsigned n = 10 + dice_often(&d->dice, 70);

	while (n--) {
		desk_source_file(d, source);
		snprintf(object, sizeof(object), "%.*so", (int)strlen(source) - 1, source);
		snprintf(args, sizeof(args), "gcc-12\n-O2\n-Wall\n-c\n%s\n-o\n%s\n", source, object);
		d->pid++;
		act(t, &(struct act){.kind = KIND_EXEC, .by = GCC, .path = programs[GCC], .args = args});
		act(t, &(struct act){.kind = KIND_FILE,
			       .by = GCC,
			       .path = source,
			       .read = 3000 + dice_often(&d->dice, 60000)});
		act(t, &(struct act){.kind = KIND_FILE,
			       .by = GCC,
			       .path = object,
			       .written = 2000 + dice_often(&d->dice, 90000)});
		act(t, &(struct act){.kind = KIND_EXIT, .by = GCC, .path = programs[GCC]});
	}
}

static void searches(struct telling *t)
{
	struct desk *d = t->d;
	char path[OFFICE_TEXT];
	unsigned n = 5 + dice_often(&d->dice, 120);

	d->pid++;
	act(t, &(struct act){
		       .kind = KIND_EXEC, .by = GREP, .path = programs[GREP], .args = "grep\n-r\n納期\n/mnt/share\n"});
	while (n--) {
		desk_share_file(d, NULL, path);
		act(t, &(struct act){.kind = KIND_FILE,
			       .class = CLASS_NETWORK,
			       .by = GREP,
			       .path = path,
			       .read = some_bytes(d)});
	}
	act(t, &(struct act){.kind = KIND_EXIT, .by = GREP, .path = programs[GREP]});
}

/* --- the stick --- */

static void device(struct telling *t, unsigned kind)
{
	const struct desk *d = t->d;
	struct record *r = &t->r;

	stamp(t, kind);
	record_set_uint(r, F_UID, d->uid);
	record_set_str(r, F_USER, d->user);
	record_set_str(r, F_USB_ID, d->number % 3 ? "0951:1666" : "056e:6014");
	record_set_str(r, F_MAKER, d->number % 3 ? "Kingston" : "ELECOM");
	record_set_str(r, F_PRODUCT, d->number % 3 ? "DataTraveler 3.0" : "MF-HTU3");
	record_set_str(r, F_SERIAL, d->stick_serial);
	record_set_uint(r, F_DEVICE_KIND, DEVICE_KIND_STORAGE);
	record_set_str(r, F_PORT, "1-2");
	record_set_str(r, F_INTERFACES, "08:06:50"); /* mass storage, SCSI, bulk-only */
	record_set_uint(r, F_CLASS, CLASS_USB);
	if (kind == KIND_DECISION) {
		bool known = d->number % 4 == 0;

		record_set_uint(r, F_ACCESS, known ? ACCESS_READ_WRITE : ACCESS_READ_ONLY);
		record_set_str(r, F_RULE, known ? "ledger:12" : "default:storage");
		record_set_uint(r, F_POLICY, 3);
		record_set_uint(r, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	}
	tell(t, TELLER_GUARD);
}

static void stick(struct telling *t)
{
	struct desk *d = t->d;
	char from[OFFICE_TEXT], to[OFFICE_TEXT], root[OFFICE_TEXT];
	unsigned n = 1 + dice_often(&d->dice, 30);

	device(t, KIND_PLUG);
	device(t, KIND_DECISION);
	desk_stick_file(d, "", root);
	act(t, &(struct act){.kind = KIND_MOUNT, .class = CLASS_USB, .by = UDISKS, .path = root});
	while (n--) {
		uint64_t bytes = some_bytes(d);

		desk_share_file(d, NULL, from);
		desk_stick_file(d, from, to);
		act(t, &(struct act){
			       .kind = KIND_FILE, .class = CLASS_NETWORK, .by = NAUTILUS, .path = from, .read = bytes});
		if (d->number % 4 == 0)
			act(t, &(struct act){.kind = KIND_FILE,
				       .class = CLASS_USB,
				       .by = NAUTILUS,
				       .path = to,
				       .written = bytes});
	}
	act(t, &(struct act){.kind = KIND_UMOUNT, .class = CLASS_USB, .by = UDISKS, .path = root});
	device(t, KIND_UNPLUG);
}

/* --- sessions --- */

static void session(struct telling *t, unsigned kind)
{
	const struct desk *d = t->d;
	struct record *r = &t->r;

	stamp(t, kind);
	record_set_uint(r, F_UID, 0);
	record_set_str(r, F_USER, d->user);
	record_set_uint(r, F_SESSION, d->session);
	record_set_str(r, F_TARGET_USER, d->user);
	record_set_uint(r, F_TARGET_UID, d->uid);
	record_set_str(r, F_SEAT, "seat0");
	record_set_str(r, F_SERVICE, "gdm-password");
	tell(t, TELLER_RECORDER);
}

int desk_arrives(struct desk *d, office_put put, void *ctx)
{
	static const enum program begins[] = {SHELL, NAUTILUS, MAIL, FIREFOX, OFFICE};
	struct telling t = {.d = d, .put = put, .ctx = ctx};
	unsigned i;

	d->session++;
	d->pid = 3000;
	stamp(&t, KIND_RECORDER_START);
	record_set_uint(&t.r, F_PROBE_SET, PROBE_SET_TRAMPOLINE);
	record_set_uint(&t.r, F_ENFORCE, ENFORCE_FULL);
	tell(&t, TELLER_RECORDER);
	session(&t, KIND_LOGIN);
	for (i = 0; i < ARRAY_SIZE(begins); i++)
		act(&t, &(struct act){.kind = KIND_EXEC, .by = begins[i], .path = programs[begins[i]]});
	return t.error;
}

int desk_acts(struct desk *d, office_put put, void *ctx)
{
	struct telling t = {.d = d, .put = put, .ctx = ctx};
	unsigned what = dice_under(&d->dice, 1000);

	if (what < 4)
		stick(&t);
	else if (what < 24 && d->dept == DEPT_DESIGN)
		searches(&t);
	else if (what < 160 && d->dept == DEPT_DESIGN)
		builds(&t);
	else if (what < 200)
		copies(&t);
	else if (what < 360)
		mails(&t);
	else if (what < 640)
		browses(&t);
	else if (what < 650)
		session(&t, what < 645 ? KIND_LOCK : KIND_UNLOCK);
	else
		document(&t);
	return t.error;
}

int desk_leaves(struct desk *d, office_put put, void *ctx)
{
	struct telling t = {.d = d, .put = put, .ctx = ctx};
	char path[OFFICE_TEXT];

	snprintf(path, sizeof(path), "/mnt/share/backup/%s/%s.tar.zst", desk_dept(d), d->user);
	act(&t, &(struct act){.kind = KIND_FILE,
			.class = CLASS_NETWORK,
			.by = BACKUP,
			.path = path,
			.written = some_bytes(d)});
	session(&t, KIND_LOGOUT);
	return t.error;
}
