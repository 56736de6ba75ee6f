/*
 * The path of an event through the recorder. See engine.h. Called for every event: nothing is allocated here; files are
 * read only when something was mounted, or a program started in another mount namespace.
 */
#include "agent/recorder/engine.h"
#include "agent/probe/event.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CGROUP_SIZE 1024
#define UNSET UINT32_MAX

static struct span parents_of(struct engine *e, const struct process *p)
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < PROCESS_PARENTS && p->parent[i]; i++) {
		struct span s = names_get(e->names, p->parent[i]);

		if (n + 1 + s.n > sizeof(e->parents))
			break;
		if (n)
			e->parents[n++] = '\n';
		memcpy(e->parents + n, s.p, s.n);
		n += s.n;
	}
	return SPAN(e->parents, n);
}

/*
 * The control group of a process in another mount namespace: how containers are told apart. The last line of
 * /proc/PID/cgroup is that of the unified hierarchy, "0::/path".
 */
static void find_container(struct engine *e, struct process *p)
{
	char path[64], text[CGROUP_SIZE];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%u/cgroup", e->proc, p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = 0;
	at = strstr(text, "0::/");
	if (!at)
		return;
	n = (ssize_t)strcspn(at += 3, "\n");
	/* A service of the host's own may have a mount namespace too. */
	if (n > 8 && memcmp(at + n - 8, ".service", 8) == 0 && strncmp(at, "/system.slice/", 14) == 0)
		return;
	if (n > 1)
		processes_set_container(e->processes, p, SPAN(at, n));
}

static bool is_of_files(unsigned kind)
{
	return (kind >= KIND_FILE && kind <= KIND_CHOWN) || kind == KIND_COPY || kind == KIND_FILE_REFUSED;
}

/* The object's device; NULL where nobody knows. */
static const struct disk *device_of(struct engine *e, const struct seen *s, const char *fs)
{
	if (e->mounts_stale) {
		e->mounts_stale = false;
		devices_refresh(e->devices, NULL, NULL);
	}
	if (s->has_object)
		return devices_get(e->devices, makedev(s->dev_major, s->dev_minor), fs[0] ? fs : NULL);
	/* Told by name alone, as the caller wrote it: our mounts say where that is, where they are the caller's too. */
	if (is_of_files(s->kind) && (!e->host_mnt_ns || s->mnt_ns == e->host_mnt_ns))
		return devices_at(e->devices, s->path);
	return NULL;
}

/* What class the object is of: where its device is, or a folder on it that goes to a cloud. */
static struct object object_of(struct engine *e, const struct seen *s)
{
	char fs[DEVICES_FS_SIZE];
	const struct disk *d;
	struct object o = {0};
	size_t n = s->fs.n < sizeof(fs) ? s->fs.n : sizeof(fs) - 1;

	memcpy(fs, s->fs.p ? s->fs.p : (const uint8_t *)"", n);
	fs[n] = 0;
	d = device_of(e, s, fs);
	if (!d) {
		/* A mount that is told by what was asked for has a type, and no device yet. */
		o.class = n ? devices_class_of_fs(fs) : 0;
		return o;
	}
	o.class = d->class;
	o.fs = d->fs;
	o.drive = d->drive;
	if ((o.class == CLASS_FIXED || o.class == CLASS_MEMORY || o.class == CLASS_OTHER) &&
		(filter_is_cloud(e->filter, s->path) || (s->path2.n && filter_is_cloud(e->filter, s->path2))))
		o.class = CLASS_CLOUD;
	return o;
}

/* Does the filter want it? See filter.h for the rule. */
static bool wanted(const struct engine *e, const struct seen *s, const struct subject *who, const struct object *o)
{
	const struct filter *f = e->filter;
	enum filter_level level, other;
	uint32_t person = s->login_uid != UNSET ? s->login_uid : s->uid;

	if (!filter_kind(f, s->kind))
		return false;
	level = filter_program_level(f, who->program);
	other = filter_user_level(f, who->user, person);
	if (other < level)
		level = other;
	if (is_of_files(s->kind)) {
		enum filter_level path = filter_path_level(f, s->path);

		/* Of two names, that which says more: what leaves a quiet folder is news. */
		if (s->path2.n) {
			other = filter_path_level(f, s->path2);
			if (other > path)
				path = other;
		}
		if (path < level)
			level = path;
		if (o->class < FILTER_CLASSES && f->class_level[o->class] > level)
			level = f->class_level[o->class];
	}
	return level >= convert_level_needed(s);
}

static const char *user_of(struct engine *e, const struct seen *s)
{
	return users_name(e->users, s->login_uid != UNSET ? s->login_uid : s->uid, s->boot_us);
}

/* --- areas of protected files --- */

/*
 * The area of what an event is about; -1: it is in none. Of two names, the first that is in one. What a process in
 * another mount namespace calls a file does not count: the kernel programs tell its name on the PC, where it has one
 * (path.bpf.h).
 */
static int area_of(const struct engine *e, const struct seen *s)
{
	int area;

	if (!e->areas || !areas_any(e->areas) || !is_of_files(s->kind))
		return -1;
	area = areas_of(e->areas, s->path);
	if (area < 0 && s->path2.n && s->path2.p[0] == '/')
		area = areas_of(e->areas, s->path2);
	return area;
}

/* Into the record: the area, and what the policy says of who did it. True where somebody should see it now. */
static bool put_area(struct engine *e, unsigned area, const struct seen *s, const struct subject *who)
{
	static const char *const nobody[] = {NULL};
	const struct policy *p = areas_policy(e->areas);
	uint32_t person = s->login_uid != UNSET ? s->login_uid : s->uid;
	struct area_facts f = {.who = {.user = who->user, .groups = nobody, .host = ""}, .program = e->area_program};
	struct area_decision *d = &e->area;
	struct record *r = &e->record;

	snprintf(e->area_program, sizeof(e->area_program), "%.*s", (int)who->program.n, (const char *)who->program.p);
	if (who->user && policy_area_asks_groups(p, area))
		f.who.groups = users_groups(e->users, person, s->boot_us);
	f.no_purpose = purposes_lack(e->purposes, p, area, person, s->boot_us);
	policy_area(p, area, &f, d);
	/* It happened: what was to be refused, and was not, somebody should see. */
	if (d->action == ACTION_DENY && !d->note) {
		d->action = ACTION_ALERT;
		snprintf(e->area_text, sizeof(e->area_text), "not refused: %s", d->reason);
	} else {
		snprintf(e->area_text, sizeof(e->area_text), "%s", d->reason);
	}
	record_set_str(r, F_AREA, d->area);
	record_set_uint(r, F_ACTION, d->action);
	record_set_str(r, F_RULE, d->rule);
	record_set_uint(r, F_POLICY, policy_version(p));
	if (d->action == ACTION_ALLOW)
		return false;
	record_set_text(r, F_TEXT, e->area_text);
	record_set_uint(r, F_POLICY_MODE, d->note ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	return !d->note && d->action == ACTION_ALERT;
}

static int tell(struct engine *e, bool urgent)
{
	return e->sink(e->sink_ctx, &e->record, urgent);
}

/* What was refused, by the word for what it would have been. */
static const char *refused_what(unsigned refused)
{
	const struct enum_info *kind = enum_by_value(F_KIND, refused);

	return refused == REFUSED_SETXATTR      ? "setxattr"
	       : refused == REFUSED_REMOVEXATTR ? "removexattr"
	       : kind                           ? kind->name
						: "open";
}

/* The file system refused it, whatever the policy says of who it was. Told of what lies in an area, and of no other. */
static int refused(struct engine *e, const struct seen *s, const struct subject *who, const struct object *o, int area)
{
	const struct policy *p;

	/* Of a name whose beginning is missing nobody knows where it lies. */
	if (area < 0 || s->flags & RF_PATH_CUT) {
		e->filtered++;
		return 0;
	}
	p = areas_policy(e->areas);
	convert(s, who, o, e->host_mnt_ns, &e->room, &e->record);
	record_set_str(&e->record, F_AREA, policy_area_name(p, (unsigned)area));
	record_set_uint(&e->record, F_POLICY, policy_version(p));
	record_set_str(&e->record, F_OPERATION, refused_what(s->refused));
	record_set_str(&e->record, F_TEXT,
		s->result == -EPERM ? "by permissions, or by another rule of this PC (EPERM)"
				    : "by permissions, or by another rule of this PC (EACCES)");
	return tell(e, false);
}

/*
 * A program starts. Where its process is another user (by its real uid) than it was, somebody became that user, by the
 * program that ran until now: su, sudo, doas, setpriv. A program whose file merely gives it another's rights (passwd,
 * ping, sudo itself before it asked for the password) keeps the real uid, and nobody became anybody.
 */
static int user_change(struct engine *e, const struct seen *s, struct process *p, struct subject *who)
{
	char target[USERS_NAME_SIZE] = "";
	const char *name;
	struct seen before = *s;
	int r = 0;

	if (filter_kind(e->filter, KIND_USER_CHANGE) &&
		convert_is_user_change(p->uid, p->login_uid, s->real_uid, s->login_uid)) {
		name = users_name(e->users, s->real_uid, s->boot_us);
		if (name)
			snprintf(target, sizeof(target), "%s", name);
		before.uid = p->uid;
		who->user = user_of(e, &before);
		convert_user_change(s, who, p->uid, target[0] ? target : NULL, who->program, &e->record);
		r = tell(e, true);
	}
	p->uid = s->real_uid;
	p->login_uid = s->login_uid;
	return r;
}

static bool is_urgent(const struct seen *s, const struct object *o)
{
	return s->kind == KIND_MOUNT && o->class == CLASS_USB;
}

static int take(struct engine *e, const struct seen *s)
{
	struct process *p = processes_add(e->processes, s->pid, s->start_ns, s->ppid, s->pstart_ns);
	struct subject who = {0};
	struct object o;
	const char *missed;
	bool urgent;
	int r = 0, area;

	if (p->uid == UNSET) {
		p->uid = s->real_uid;
		p->login_uid = s->login_uid;
	}
	if (s->mnt_ns != e->host_mnt_ns && !p->container && e->proc &&
		(s->kind == KIND_EXEC || s->kind == KIND_RUNNING))
		find_container(e, p);
	who.container = names_get(e->names, p->container);
	who.parents = parents_of(e, p);
	who.program = names_get(e->names, p->program);
	if (s->kind == KIND_EXEC)
		r = user_change(e, s, p, &who);
	if (s->program.n) {
		processes_set_program(e->processes, p, s->program);
		who.program = s->program;
	}
	if (r)
		return r;
	if (s->kind == KIND_MOUNT)
		e->mounts_stale = true;
	o = object_of(e, s);
	if (s->kind == KIND_UMOUNT)
		e->mounts_stale = true;
	if (s->kind == KIND_MOUNT || s->kind == KIND_UMOUNT)
		e->mounts_changed = true;
	/* A word of the kernel about two files, which becomes a record when the one that is written is closed. */
	if (s->kind == KIND_COPY)
		return e->copies ? copies_event(e->copies, s, who.program, o.drive) : 0;
	who.user = user_of(e, s);
	area = area_of(e, s);
	if (s->kind == KIND_FILE_REFUSED)
		return refused(e, s, &who, &o, area);
	missed = e->clouds ? clouds_event(e->clouds, e->filter, e->areas ? areas_policy(e->areas) : NULL, s, o.class,
				     who.program, !e->host_mnt_ns || s->mnt_ns == e->host_mnt_ns)
			   : NULL;
	if (area >= 0 || missed || wanted(e, s, &who, &o)) {
		convert(s, &who, &o, e->host_mnt_ns, &e->room, &e->record);
		urgent = area >= 0 && put_area(e, (unsigned)area, s, &who);
		if (missed)
			record_set_str(&e->record, F_FINDINGS, missed);
		r = tell(e, urgent || is_urgent(s, &o));
	} else {
		e->filtered++;
	}
	if (e->copies && !r)
		r = copies_event(e->copies, s, who.program, o.drive);
	if (s->kind == KIND_EXIT)
		processes_end(e->processes, p);
	return r;
}

/* Each of the two by its own path alone: a copy out of a cloud folder does not lie in it. */
static struct object copy_object(struct engine *e, const struct copy *c)
{
	struct seen one = c->seen;

	one.path2 = SPAN(NULL, 0);
	return object_of(e, &one);
}

static struct object source_object(struct engine *e, const struct copy *c)
{
	struct seen from = c->seen;

	from.path = c->seen.path2;
	from.path2 = SPAN(NULL, 0);
	from.dev_major = c->from_major;
	from.dev_minor = c->from_minor;
	return object_of(e, &from);
}

/*
 * What the guard looks into, and only while it is there: drives by its marks, cloud folders by the recorder's own word.
 * A file system that gives numbers of its own (btrfs) tells us and the guard different ones.
 */
bool engine_awaits(void *ctx, const struct copy *c, struct copy_places *places)
{
	struct engine *e = ctx;
	const struct policy *p = e->areas ? areas_policy(e->areas) : NULL;
	struct object o;
	bool looks;

	if (!p || !e->guard_heard)
		return false;
	o = copy_object(e, c);
	looks = o.class == CLASS_USB || o.class == CLASS_REMOVABLE ? policy_drives(p) && c->seen.dev_major
		: o.class == CLASS_CLOUD                           ? policy_drives_cloud(p, "")
								   : false;
	if (!looks || !e->guard_heard(e->guard_ctx))
		return false;
	/* By the time that it is told the drive may be gone. */
	places->class = o.class;
	snprintf(places->fs, sizeof(places->fs), "%s", o.fs ? o.fs : "");
	places->from_class = source_object(e, c).class;
	return true;
}

static void put_drive(struct record *r, const struct copy *c)
{
	struct devices_drive d;

	devices_drive(c->drive, &d);
	record_set_text(r, F_USB_ID, d.usb_id);
	record_set_text(r, F_MAKER, d.maker);
	record_set_text(r, F_PRODUCT, d.product);
	record_set_text(r, F_SERIAL, d.serial);
	if (c->hash)
		record_set_span(r, F_HASH, SPAN(c->hash->b, DIGEST_SIZE));
}

int engine_copied(void *ctx, const struct copy *c)
{
	struct engine *e = ctx;
	struct process *p = processes_find(e->processes, c->seen.pid, c->seen.start_ns);
	struct subject who = {.program = c->program, .user = user_of(e, &c->seen)};
	struct object to_object, from_object;
	char device[sizeof(e->room.device)];
	struct record *r = &e->record;
	int area = area_of(e, &c->seen);
	bool urgent;

	if (p) {
		who.container = names_get(e->names, p->container);
		who.parents = parents_of(e, p);
	}
	if (c->places) {
		to_object = (struct object){.class = c->places->class, .fs = c->places->fs};
		from_object = (struct object){.class = c->places->from_class};
	} else {
		to_object = copy_object(e, c);
		from_object = source_object(e, c);
	}
	if (area < 0 && !wanted(e, &c->seen, &who, &to_object) && !wanted(e, &c->seen, &who, &from_object)) {
		e->filtered++;
		return 0;
	}
	convert(&c->seen, &who, &to_object, e->host_mnt_ns, &e->room, r);
	urgent = area >= 0 && put_area(e, (unsigned)area, &c->seen, &who);
	record_set_uint(r, F_CERTAINTY, c->certainty);
	record_set_uint(r, F_REASON, c->reason);
	if (c->bytes)
		record_set_uint(r, F_WRITTEN, c->bytes);
	if (c->rivals)
		record_set_uint(r, F_COUNT, c->rivals + 1);
	if (from_object.class)
		record_set_uint(r, F_FROM_CLASS, from_object.class);
	snprintf(device, sizeof(device), "%u:%u", c->from_major, c->from_minor);
	record_set_str(r, F_FROM_DEVICE, device);
	if (c->from_inode)
		record_set_uint(r, F_FROM_INODE, c->from_inode);
	put_drive(r, c);
	return tell(e, urgent);
}

/* A script is told as its caller wrote it: from the working directory on, where it does not begin at the root. */
static void whole_script(struct engine *e, struct seen *s)
{
	size_t n = s->cwd.n;

	if (!s->script.n || s->script.p[0] == '/' || !n || n + 1 + s->script.n > sizeof(e->path2))
		return;
	memcpy(e->path2, s->cwd.p, n);
	e->path2[n++] = '/';
	memcpy(e->path2 + n, s->script.p, s->script.n);
	s->script = SPAN(e->path, decode_tidy(SPAN(e->path2, n + s->script.n), e->path, sizeof(e->path)));
}

int engine_event(struct engine *e, struct span bytes)
{
	struct seen s;

	e->events++;
	if (decode(bytes, &s, NULL)) {
		e->malformed++;
		return 0;
	}
	e->last_boot_us = s.boot_us;
	if (s.relative)
		s.path = SPAN(e->path, decode_tidy(s.path, e->path, sizeof(e->path)));
	if (s.relative2)
		s.path2 = SPAN(e->path2, decode_tidy(s.path2, e->path2, sizeof(e->path2)));
	whole_script(e, &s);
	if (s.args.n)
		s.args = SPAN(e->args, decode_args(s.args, e->args, sizeof(e->args)));
	if (s.kind == KIND_EXIT || s.kind == KIND_EXEC)
		e->ended = true;
	return take(e, &s);
}

static void begin(struct engine *e, unsigned kind, int64_t boot_us)
{
	record_reset(&e->record);
	record_set_uint(&e->record, F_KIND, kind);
	record_set_int(&e->record, F_BOOT_TIME, boot_us);
}

int engine_session(struct engine *e, unsigned kind, const struct session *s, bool at_start, int64_t boot_us)
{
	struct record *r = &e->record;
	const char *name = s->user[0] ? s->user : users_name(e->users, s->uid, boot_us);
	char *end;
	unsigned long id = strtoul(s->id, &end, 10);

	if (!filter_kind(e->filter, kind))
		return 0;
	begin(e, kind, boot_us);
	if (s->leader)
		record_set_uint(r, F_PID, s->leader);
	if (s->uid != UNSET)
		record_set_uint(r, F_LOGIN_UID, s->uid);
	if (s->id[0] && !*end)
		record_set_uint(r, F_SESSION, id);
	record_set_text(r, F_USER, name);
	record_set_text(r, F_TARGET_USER, name);
	if (s->uid != UNSET)
		record_set_uint(r, F_TARGET_UID, s->uid);
	record_set_text(r, F_SEAT, s->seat);
	record_set_text(r, F_REMOTE, s->remote);
	record_set_text(r, F_SERVICE, s->service);
	if (at_start)
		record_set_text(r, F_TEXT, "was so already when first seen");
	return tell(e, true);
}

int engine_mounted(struct engine *e, const struct mount_entry *m, int64_t boot_us)
{
	struct record *r = &e->record;

	if (!filter_kind(e->filter, KIND_MOUNTED) || devices_is_view(m->fs))
		return 0;
	begin(e, KIND_MOUNTED, boot_us);
	record_set_str(r, F_PATH, m->point);
	record_set_text(r, F_PATH2, m->source);
	record_set_text(r, F_FS, m->fs);
	record_set_uint(r, F_CLASS, m->device->class);
	snprintf(e->room.device, sizeof(e->room.device), "%u:%u", major(m->dev), minor(m->dev));
	record_set_str(r, F_DEVICE, e->room.device);
	return tell(e, false);
}

int engine_loss(struct engine *e, unsigned cause, uint64_t n, int64_t boot_us)
{
	begin(e, KIND_LOSS, boot_us);
	record_set_uint(&e->record, F_CAUSE, cause);
	if (n)
		record_set_uint(&e->record, F_LOST, n);
	else
		record_set_text(&e->record, F_TEXT,
			"how many is not known: what was not sealed when the power went may be lost");
	return tell(e, false);
}

static void about_us(struct engine *e, unsigned kind, unsigned probe_set, unsigned enforce, int64_t boot_us)
{
	begin(e, kind, boot_us);
	record_set_uint(&e->record, F_PROBE_SET, probe_set);
	record_set_uint(&e->record, F_ENFORCE, enforce);
}

int engine_start(struct engine *e, unsigned probe_set, unsigned enforce, const char *text, int64_t boot_us)
{
	about_us(e, KIND_RECORDER_START, probe_set, enforce, boot_us);
	record_set_str(&e->record, F_VERSION, SEKISHO_VERSION);
	record_set_text(&e->record, F_TEXT, text);
	return tell(e, true);
}

int engine_stop(struct engine *e, unsigned probe_set, unsigned enforce, const struct stop_asked *by, int64_t boot_us)
{
	about_us(e, KIND_RECORDER_STOP, probe_set, enforce, boot_us);
	service_put_stop(&e->record, by);
	/* the last word is sealed with the rest, in the segment that says that it is the last */
	return tell(e, false);
}
