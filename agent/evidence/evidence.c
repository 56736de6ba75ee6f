/*
 * The folder of copies: names, sizes, bound. See evidence.h. The copies themselves are copy.c's.
 */
#include "agent/evidence/evidence_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && strcmp(name + n - k, suffix) == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct evidence_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int evidence_add(struct evidence *e, const char *name, uint64_t size)
{
	struct evidence_file *f;
	size_t at;

	if (e->n == e->room) {
		size_t room = e->room ? 2 * e->room : 64;

		f = reallocarray(e->file, room, sizeof(*f));
		if (!f)
			return -ENOMEM;
		e->file = f;
		e->room = room;
	}
	for (at = e->n; at && strcmp(e->file[at - 1].name, name) > 0; at--)
		e->file[at] = e->file[at - 1];
	f = &e->file[at];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->size = size;
	e->n++;
	e->bytes += size;
	return 0;
}

static int scan(struct evidence *e)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *d;
	int r = dir_open_at(e->dir, ".", &dir);

	if (r)
		return r;
	while ((d = readdir(dir))) {
		struct stat st;

		if (has_suffix(d->d_name, ".tmp")) {
			/* a copy that was under way when we ended: no tag, no use */
			if (unlinkat(e->dir, d->d_name, 0))
				return -errno;
			continue;
		}
		if (!has_suffix(d->d_name, ".cms") || strlen(d->d_name) >= sizeof(e->file->name) ||
			fstatat(e->dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (e->n == e->room) {
			size_t room = e->room ? 2 * e->room : 64;
			struct evidence_file *f = reallocarray(e->file, room, sizeof(*f));

			if (!f)
				return -ENOMEM;
			e->file = f;
			e->room = room;
		}
		memcpy(e->file[e->n].name, d->d_name, strlen(d->d_name) + 1);
		e->file[e->n++].size = (uint64_t)st.st_size;
		e->bytes += (uint64_t)st.st_size;
	}
	if (e->n)
		qsort(e->file, e->n, sizeof(*e->file), by_name);
	return 0;
}

int evidence_open(const char *folder, struct evidence **out, struct why *why)
{
	_cleanup_(evidence_closep) struct evidence *e = calloc(1, sizeof(*e));
	struct stat st;
	int r;

	if (!e)
		return -ENOMEM;
	e->dir = -1;
	r = dir_make(folder, 0700);
	if (r)
		return r;
	e->dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (e->dir < 0 || fstat(e->dir, &st))
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return why_set(why, V_BAD, "%s: others may write into it", folder);
	r = scan(e);
	if (r)
		return r;
	*out = STEAL(e);
	return 0;
}

void evidence_close(struct evidence *e)
{
	if (!e)
		return;
	envelope_readers_free(e->readers);
	envelope_readers_free(e->second);
	closep(&e->dir);
	free(e->file);
	free(e);
}

int evidence_order(struct evidence *e, const struct evidence_orders *o, struct why *why)
{
	_cleanup_(envelope_readers_freep) struct envelope_readers *readers = NULL, *second = NULL;
	int r = envelope_readers_read(o->certificates, &readers, why);

	if (!r && o->second.n)
		r = envelope_readers_read(o->second, &second, why);
	if (r)
		return r;
	if (second && envelope_readers_meet(readers, second))
		return why_set(why, V_BAD, "one key is among the first and the second readers");
	envelope_readers_free(e->readers);
	envelope_readers_free(e->second);
	e->readers = STEAL(readers);
	e->second = STEAL(second);
	e->max_bytes = o->max_bytes;
	e->oldest_goes = o->oldest_goes;
	return 0;
}

void evidence_state(const struct evidence *e, struct evidence_state *out)
{
	*out = (struct evidence_state){.bytes = e->bytes, .files = e->n, .dropped = e->dropped};
}

static int drop_oldest(struct evidence *e)
{
	if (unlinkat(e->dir, e->file[0].name, 0) && errno != ENOENT)
		return -errno;
	e->bytes -= e->file[0].size;
	e->n--;
	e->dropped++;
	memmove(e->file, e->file + 1, e->n * sizeof(*e->file));
	return 0;
}

int evidence_room(struct evidence *e, uint64_t size, struct why *why)
{
	int r = 0;

	/* What alone is too large must not make all others go. */
	if (size > e->max_bytes || e->reserved > e->max_bytes - size)
		return why_set(why, V_FULL, "it is larger than all that may be kept");
	while (!r && (e->bytes + e->reserved + size > e->max_bytes || e->n >= EVIDENCE_FILES_MAX)) {
		if (!e->oldest_goes || !e->n)
			return why_set(why, V_FULL, "what may be kept is full");
		r = drop_oldest(e);
	}
	return r;
}
