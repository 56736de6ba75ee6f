/*
 * Refusals for which there was no guard (refuse.h): a line of JSON each, which the next guard reads, whatever version
 * it is of. The file lies in the guard's folder; who adds and who takes keep each other out by flock(2).
 */
#include "agent/guard/refuse.h"
#include "policy/base/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MEANWHILE_MAX (256 << 10) /* bytes that wait */
#define LOST_ROOM 4096            /* behind it, for how many it had no room for */

int meanwhile_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/* What is no UTF-8 JSON does not hold: those bytes go as question marks. */
static void clean(char *out, size_t size, const char *text)
{
	json_t *whole = json_string(text);
	size_t i;

	snprintf(out, size, "%s", text);
	for (i = 0; !whole && out[i]; i++)
		if ((unsigned char)out[i] >= 0x80)
			out[i] = '?';
	json_decref(whole);
}

static json_t *to_json(const struct refuse_event *e)
{
	static char user[sizeof(e->user)], comm[sizeof(e->comm)], program[sizeof(e->program)], path[sizeof(e->path)];

	clean(user, sizeof(user), e->user);
	clean(comm, sizeof(comm), e->comm);
	clean(program, sizeof(program), e->program);
	clean(path, sizeof(path), e->path);
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
		"pid", (json_int_t)e->pid, "uid", (json_int_t)e->uid, "login_uid", (json_int_t)e->login_uid, "boot_us",
		(json_int_t)e->boot_us, "wall_us", (json_int_t)e->wall_us, "boot", e->boot, "start_us",
		(json_int_t)e->start_us, "dev", (json_int_t)e->dev, "ino", (json_int_t)e->ino, "policy",
		(json_int_t)e->policy, "lost", (json_int_t)e->lost, "purpose", (int)e->purpose, "comm", comm, "user",
		user, "area", e->area, "rule", e->rule, "reason", e->reason, "program", program, "path", path);
}

int meanwhile_add(int fd, const struct refuse_event *e)
{
	json_t *j = to_json(e);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	size_t n = text ? strlen(text) : 0;
	struct stat st;
	int r = 0;

	json_decref(j);
	if (!text)
		return -ENOMEM;
	text[n++] = '\n'; /* in place of what ends it */
	if (flock(fd, LOCK_EX))
		r = -errno;
	if (!r && (fstat(fd, &st) || st.st_size + (off_t)n > MEANWHILE_MAX - (e->ino ? LOST_ROOM : 0)))
		r = -ENOSPC;
	if (!r && write(fd, text, n) != (ssize_t)n)
		r = -ENOSPC;
	flock(fd, LOCK_UN);
	free(text);
	return r;
}

static void text_of(const json_t *j, const char *name, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(j, name));

	snprintf(out, size, "%s", s ? s : "");
}

static uint64_t number_of(const json_t *j, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(j, name));
}

static bool from_json(const char *line, size_t n, struct refuse_event *e)
{
	json_t *j = json_loadb(line, n, 0, NULL);

	if (!json_is_object(j)) {
		json_decref(j);
		return false;
	}
	*e = (struct refuse_event){.what = REFUSE_REFUSED,
		.pid = (uint32_t)number_of(j, "pid"),
		.uid = (uint32_t)number_of(j, "uid"),
		.login_uid = (uint32_t)number_of(j, "login_uid"),
		.boot_us = (int64_t)number_of(j, "boot_us"),
		.wall_us = (int64_t)number_of(j, "wall_us"),
		.start_us = (int64_t)number_of(j, "start_us"),
		.dev = number_of(j, "dev"),
		.ino = number_of(j, "ino"),
		.policy = number_of(j, "policy"),
		.lost = number_of(j, "lost"),
		.purpose = json_is_true(json_object_get(j, "purpose"))};
	text_of(j, "boot", e->boot, sizeof(e->boot));
	text_of(j, "comm", e->comm, sizeof(e->comm));
	text_of(j, "user", e->user, sizeof(e->user));
	text_of(j, "area", e->area, sizeof(e->area));
	text_of(j, "rule", e->rule, sizeof(e->rule));
	text_of(j, "reason", e->reason, sizeof(e->reason));
	text_of(j, "program", e->program, sizeof(e->program));
	text_of(j, "path", e->path, sizeof(e->path));
	json_decref(j);
	return true;
}

int meanwhile_take(int fd, void (*each)(void *ctx, const struct refuse_event *e), void *ctx)
{
	static struct refuse_event e;
	_cleanup_free_ char *text = NULL;
	const char *at, *end, *line;
	struct stat st;
	ssize_t n = 0;
	int count = 0;

	if (fstat(fd, &st))
		return -errno;
	if (!st.st_size)
		return 0;
	text = malloc(MEANWHILE_MAX);
	if (!text)
		return -ENOMEM;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return -errno;
	n = pread(fd, text, MEANWHILE_MAX, 0);
	if (n >= 0 && ftruncate(fd, 0))
		n = -1;
	flock(fd, LOCK_UN);
	if (n < 0)
		return -errno;
	for (at = text, end = text + n; at < end; at = line + 1) {
		line = memchr(at, '\n', (size_t)(end - at));
		if (!line)
			break;
		if (from_json(at, (size_t)(line - at), &e)) {
			each(ctx, &e);
			count++;
		}
	}
	return count;
}
