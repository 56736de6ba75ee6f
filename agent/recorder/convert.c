/*
 * Events to records. See convert.h. What is 0 or empty because nobody knows it is left out of the record, so that a
 * reader never takes ignorance for a fact.
 */
#include "agent/recorder/convert.h"
#include "policy/base/uid.h"
#include "policy/rule/filter.h"
#include <stdio.h>

#define UNSET UINT32_MAX
#define COMM_MAX 15u

static void set_name(struct record *r, unsigned field, struct span s)
{
	if (s.n)
		record_set_span(r, field, s);
}

static struct span last_component(struct span s)
{
	const uint8_t *slash = s.n ? memrchr(s.p, '/', s.n) : NULL;

	return slash ? SPAN(slash + 1, s.n - (size_t)(slash + 1 - s.p)) : s;
}

/* The kernel names a process after its program, cut to 15 bytes: that says nothing which the path does not say. */
static bool is_comm_of(struct span comm, struct span program)
{
	struct span name = last_component(program);

	if (name.n > COMM_MAX)
		name.n = COMM_MAX;
	return span_eq(comm, name);
}

static void set_subject(const struct seen *e, const struct subject *s, uint32_t host_mnt_ns, struct record *r)
{
	record_set_uint(r, F_PID, e->pid);
	record_set_int(r, F_START, (int64_t)(e->start_ns / 1000));
	if (e->uid != UNSET)
		record_set_uint(r, F_UID, e->uid);
	if (s->user)
		record_set_str(r, F_USER, s->user);
	if (e->login_uid != UNSET)
		record_set_uint(r, F_LOGIN_UID, e->login_uid);
	if (e->session && e->session != UNSET)
		record_set_uint(r, F_SESSION, e->session);
	set_name(r, F_PROGRAM, s->program);
	if (!is_comm_of(e->comm, s->program))
		set_name(r, F_COMM, e->comm);
	if (e->ppid)
		record_set_uint(r, F_PPID, e->ppid);
	set_name(r, F_PARENTS, s->parents);
	set_name(r, F_CONTAINER, s->container);
	if (e->mnt_ns && host_mnt_ns && e->mnt_ns != host_mnt_ns)
		record_set_uint(r, F_MNT_NS, e->mnt_ns);
}

static void set_object(const struct seen *e, const struct object *o, struct convert_room *room, struct record *r)
{
	int n;

	set_name(r, F_PATH, e->path);
	set_name(r, F_PATH2, e->path2);
	if (o->fs && o->fs[0])
		record_set_str(r, F_FS, o->fs);
	else
		set_name(r, F_FS, e->fs);
	if (o->class)
		record_set_uint(r, F_CLASS, o->class);
	if (!e->has_object)
		return;
	n = snprintf(room->device, sizeof(room->device), "%u:%u", e->dev_major, e->dev_minor);
	record_set_span(r, F_DEVICE, SPAN(room->device, n));
	if (e->inode)
		record_set_uint(r, F_INODE, e->inode);
}

static void set_file(const struct seen *e, struct record *r)
{
	record_set_uint(r, F_READ, e->read);
	record_set_uint(r, F_WRITTEN, e->written);
	record_set_int(r, F_DURATION, e->duration_us);
	if (e->has_open_flags)
		record_set_uint(r, F_OPEN_FLAGS, e->open_flags);
}

static void set_program(const struct seen *e, struct record *r)
{
	set_name(r, F_ARGS, e->args);
	set_name(r, F_CWD, e->cwd);
	set_name(r, F_SCRIPT, e->script);
}

static void set_exit(const struct seen *e, struct record *r)
{
	if (e->signal)
		record_set_uint(r, F_SIGNAL, e->signal);
	else
		record_set_uint(r, F_EXIT_CODE, e->exit_code);
	record_set_int(r, F_DURATION, e->duration_us);
}

void convert(const struct seen *e, const struct subject *s, const struct object *o, uint32_t host_mnt_ns,
	struct convert_room *room, struct record *r)
{
	record_reset(r);
	record_set_uint(r, F_KIND, e->kind);
	record_set_int(r, F_BOOT_TIME, e->boot_us);
	if (e->result)
		record_set_int(r, F_RESULT, e->result);
	if (e->flags)
		record_set_uint(r, F_FLAGS, e->flags);
	set_subject(e, s, host_mnt_ns, r);
	set_object(e, o, room, r);
	if (e->kind == KIND_FILE)
		set_file(e, r);
	if (e->kind == KIND_EXEC || e->kind == KIND_RUNNING)
		set_program(e, r);
	if (e->kind == KIND_EXIT)
		set_exit(e, r);
	if (e->has_size)
		record_set_uint(r, F_SIZE, e->size);
	if (e->has_mode)
		record_set_uint(r, F_MODE, e->mode);
	if (e->has_owner) {
		if (e->owner_uid != UNSET)
			record_set_uint(r, F_NEW_UID, e->owner_uid);
		if (e->owner_gid != UNSET)
			record_set_uint(r, F_NEW_GID, e->owner_gid);
	}
	if (e->count > 1)
		record_set_uint(r, F_COUNT, e->count);
}

void convert_user_change(const struct seen *e, const struct subject *s, uint32_t from_uid, const char *target,
	struct span means, struct record *r)
{
	struct seen before = *e;

	before.uid = from_uid;
	before.comm = SPAN(NULL, 0); /* already that of the program which starts */
	record_reset(r);
	record_set_uint(r, F_KIND, KIND_USER_CHANGE);
	record_set_int(r, F_BOOT_TIME, e->boot_us);
	set_subject(&before, s, 0, r);
	record_set_uint(r, F_TARGET_UID, e->real_uid);
	if (target)
		record_set_str(r, F_TARGET_USER, target);
	set_name(r, F_SERVICE, last_component(means));
}

bool convert_is_user_change(uint32_t from_uid, uint32_t from_login, uint32_t uid, uint32_t login_uid)
{
	if (from_uid == UNSET || uid == UNSET || from_uid == uid || from_login != login_uid)
		return false;
	/* Somebody signed in: whatever the change, it is theirs. Else only what a person gains or becomes. */
	return login_uid != UNSET || uid_is_person(from_uid) || uid_is_person(uid);
}

unsigned convert_level_needed(const struct seen *e)
{
	const uint32_t changes = RF_CREATED | RF_WROTE | RF_MMAP_WRITE | RF_CLONE | RF_TRUNCATED | RF_TMPFILE;

	if (e->kind != KIND_FILE || e->flags & changes || e->written)
		return FILTER_CHANGES;
	return FILTER_ALL;
}
