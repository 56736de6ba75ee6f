/*
 * See shelf.h. In a folder one process writes: comparing and replacing are two steps there. In a database they are one.
 */
#include "collector/ingest/shelf.h"
#include "policy/base/file.h"
#include <errno.h>
#include <unistd.h>

#define PATH_ROOM 640

static int path_of(char out[PATH_ROOM], const struct shelf *s, const char *name)
{
	return snprintf(out, PATH_ROOM, "%s/%s", s->dir, name) >= PATH_ROOM ? -ENAMETOOLONG : 0;
}

int shelf_get(const struct shelf *s, const char *name, struct buf *value)
{
	char path[PATH_ROOM];
	int r;

	if (s->store)
		return store_shelf_get(s->store, s->kind, name, value);
	r = path_of(path, s, name);
	return r ? r : file_read(path, value);
}

/* 0 where what is there is `before`; V_EXISTS; -errno. */
static int compare(const char *path, struct span before)
{
	_cleanup_buf_ struct buf b = BUF_INIT(before.n + 1);
	int r = file_read(path, &b);

	if (r < 0)
		return r;
	if (r == V_NOT_FOUND)
		return before.n ? V_EXISTS : 0;
	return !r && before.n && span_eq(buf_span(&b), before) ? 0 : V_EXISTS;
}

int shelf_put(const struct shelf *s, const char *name, struct span value, const struct span *before)
{
	char path[PATH_ROOM];
	int r;

	if (s->store)
		return store_shelf_put(s->store, s->kind, name, value, before);
	r = path_of(path, s, name);
	r = r || !before ? r : compare(path, *before);
	return r ? r : file_replace(path, value, 0600);
}

int shelf_drop(const struct shelf *s, const char *name)
{
	char path[PATH_ROOM];
	int r;

	if (s->store)
		return store_shelf_drop(s->store, s->kind, name);
	r = path_of(path, s, name);
	return r ? r : unlink(path) && errno != ENOENT ? -errno : 0;
}

static int folder_each(const struct shelf *s, size_t max, store_shelf_fn fn, void *ctx)
{
	_cleanup_closedir_ DIR *d = opendir(s->dir);
	char path[PATH_ROOM];
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d))) {
		_cleanup_buf_ struct buf b = BUF_INIT(max);

		if (e->d_name[0] == '.')
			continue;
		r = path_of(path, s, e->d_name);
		r = r ? r : file_read(path, &b);
		if (r > 0 || r == -EISDIR)
			r = 0;
		else if (!r)
			r = fn(ctx, e->d_name, buf_span(&b));
	}
	return r;
}

int shelf_each(const struct shelf *s, size_t max, store_shelf_fn fn, void *ctx)
{
	return s->store ? store_shelf_each(s->store, s->kind, fn, ctx) : folder_each(s, max, fn, ctx);
}

static int take_over(void *ctx, const char *name, struct span value)
{
	static const struct span nothing = {.n = 0};
	const struct shelf *s = ctx, folder = {.dir = s->dir, .kind = s->kind};
	int r = store_shelf_put(s->store, s->kind, name, value, &nothing);

	return r < 0 ? r : shelf_drop(&folder, name);
}

int shelf_take_over(const struct shelf *s, size_t max)
{
	struct shelf to = *s;
	int r = s->store ? folder_each(s, max, take_over, &to) : 0;

	return r == -ENOENT ? 0 : r;
}

static int give_back(void *ctx, const char *name, struct span value)
{
	const struct shelf *s = ctx, folder = {.dir = s->dir, .kind = s->kind};
	int r = strchr(name, '/') ? 0 : shelf_put(&folder, name, value, NULL);

	return r ? r : store_shelf_drop(s->store, s->kind, name);
}

int shelf_give_back(const struct shelf *s, struct store *from)
{
	struct shelf all = {.dir = s->dir, .kind = s->kind, .store = from};

	return store_shares(from) ? store_shelf_each(from, s->kind, give_back, &all) : 0;
}
