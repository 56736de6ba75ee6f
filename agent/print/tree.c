/*
 * The gate's ServerBin. See tree.h.
 */
#include "agent/print/tree.h"
#include "agent/print/request.h"
#include "policy/base/file.h"
#include "policy/wire/agent_conf.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define NEW_NAME ".new" /* in the tree, never in backend/: cupsd runs every file that lies there */

static const char *const linked[] = {"cgi-bin", "daemon", "driver", "monitor"};
/* Filters that nearly every document passes on its way, as PDF: of cups-filters 1 and 2. */
static const char *const stampers[] = {"pdftopdf", "universal"};

static bool join(char out[PATH_MAX], const char *a, const char *b)
{
	return snprintf(out, PATH_MAX, "%s/%s", a, b) < PATH_MAX;
}

int tree_init(struct tree *t)
{
	ssize_t n = readlink("/proc/self/exe", t->wrapper, sizeof(t->wrapper) - 32);
	char *end;

	if (n < 0)
		return -errno;
	t->wrapper[n] = 0;
	end = strrchr(t->wrapper, '/');
	snprintf(end, 32, "/sekisho-print-backend");
	return agent_path(t->dir, sizeof(t->dir), TREE_PATH) || agent_path(t->socket, sizeof(t->socket), TREE_SOCKET);
}

/* --- files --- */

/* A link that says `target`, put in place at once where it said something else. */
static int make_link(const struct tree *t, const char *name, const char *target)
{
	char path[PATH_MAX], now[PATH_MAX], fresh[PATH_MAX];
	ssize_t n;

	if (!join(path, t->dir, name) || !join(fresh, t->dir, NEW_NAME))
		return -ENAMETOOLONG;
	n = readlink(path, now, sizeof(now) - 1);
	if (n >= 0 && (size_t)n == strlen(target) && memcmp(now, target, (size_t)n) == 0)
		return 0;
	unlink(fresh);
	return symlink(target, fresh) || rename(fresh, path) ? -errno : 0;
}

/* Is it the wrapper as it is now, as root's, with that mode? */
static bool is_wrapper(const char *path, struct span wrapper, mode_t mode)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(TREE_WRAPPER_MAX);
	struct stat st;

	return !lstat(path, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 07777) == mode &&
	       (size_t)st.st_size == wrapper.n && !file_read(path, &bytes) && span_eq(buf_span(&bytes), wrapper);
}

static int put_wrapper(const struct tree *t, const char *name, struct span wrapper, mode_t mode)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if (!join(path, t->dir, name) || !join(fresh, t->dir, NEW_NAME))
		return -ENAMETOOLONG;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, wrapper.p, wrapper.n);
	if (!r && (fchmod(fd, mode) || fsync(fd)))
		r = -errno;
	closep(&fd); /* a file that is open for writing cannot be run */
	if (!r && rename(fresh, path))
		r = -errno;
	if (r)
		unlink(fresh);
	return r;
}

/* A backend that cupsd would run: a file, not a folder, that its owner may run. */
static bool is_backend(const char *dir, const char *name, mode_t *mode)
{
	char path[PATH_MAX];
	struct stat st;

	if (name[0] == '.' || !join(path, dir, name) || stat(path, &st) || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return false;
	*mode = st.st_mode & 0777;
	return true;
}

/* The next one that is no folder's own; NULL: that was all, or there is no folder. */
static const char *next_name(DIR *d)
{
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return e->d_name;
	return NULL;
}

/* What the stock folder has no more, but for `keep`: unlinked. */
static int drop_gone(const char *dir, const char *stock, const char *keep, unsigned *changed)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	const char *name;
	int r = d ? 0 : -errno;

	while (!r && (name = next_name(d))) {
		char path[PATH_MAX], real[PATH_MAX];

		if (keep && !strcmp(name, keep))
			continue;
		if (!join(path, dir, name) || !join(real, stock, name))
			return -ENAMETOOLONG;
		if (access(real, F_OK) == 0)
			continue;
		r = unlink(path) ? -errno : 0;
		*changed += !r;
	}
	return r;
}

/* One bringing up to date: of this tree, over that stock folder, with this wrapper. */
struct syncing {
	const struct tree *t;
	const char *stock;
	struct span wrapper;
	unsigned *changed;
};

/* The wrapper by that name in the tree. */
static int wrap(const struct syncing *s, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int r;

	if (!join(path, s->t->dir, name))
		return -ENAMETOOLONG;
	if (is_wrapper(path, s->wrapper, mode))
		return 0;
	r = put_wrapper(s->t, name, s->wrapper, mode);
	*s->changed += !r;
	return r;
}

static bool is_stamper(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(stampers); i++)
		if (!strcmp(name, stampers[i]))
			return true;
	return false;
}

/* Folders of the tree whose files stand for those of the stock folder. */
enum kind { BACKEND, FILTER, NOTIFIER, KINDS };
static const char *const folders[KINDS] = {"backend", "filter", "notifier"};
/* Our own, beside them. */
static const char *const own[KINDS] = {[NOTIFIER] = "sekisho"};

/* One name of the stock folder: the wrapper where it stands before a program, a link for the rest. */
static int place(const struct syncing *s, enum kind kind, const char *real, const char *entry)
{
	char name[NAME_MAX + 16], target[PATH_MAX];
	mode_t mode;

	if (entry[0] == '.' || !join(target, real, entry) ||
		snprintf(name, sizeof(name), "%s/%s", folders[kind], entry) >= (int)sizeof(name))
		return 0;
	if (kind == NOTIFIER || (kind == FILTER && !is_stamper(entry)))
		return make_link(s->t, name, target);
	if (is_backend(real, entry, &mode))
		return wrap(s, name, mode);
	return kind == FILTER ? make_link(s->t, name, target) : 0;
}

static int sync_folder(const struct syncing *s, enum kind kind)
{
	char real[PATH_MAX], ours[PATH_MAX], target[PATH_MAX];
	_cleanup_closedir_ DIR *d = NULL;
	const char *entry;
	int r;

	if (!join(real, s->stock, folders[kind]) || !join(ours, s->t->dir, folders[kind]))
		return -ENAMETOOLONG;
	/* A tree of before had a link to a whole folder. */
	if (readlink(ours, target, sizeof(target)) >= 0)
		unlink(ours);
	r = dir_make(ours, 0755);
	d = opendir(real);
	if (!r && !d && kind == BACKEND)
		r = -errno;
	while (!r && (entry = next_name(d)))
		if (!own[kind] || strcmp(entry, own[kind]) != 0)
			r = place(s, kind, real, entry);
	return r ? r : drop_gone(ours, real, own[kind], s->changed);
}

int tree_stock(const struct tree *t, char out[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t n;

	if (!join(path, t->dir, REQUEST_STOCK))
		return -ENAMETOOLONG;
	n = readlink(path, out, PATH_MAX - 1);
	if (n < 0)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	out[n] = 0;
	return 0;
}

int tree_sync(const struct tree *t, unsigned *changed, struct why *why)
{
	_cleanup_buf_ struct buf wrapper = BUF_INIT(TREE_WRAPPER_MAX);
	char stock[PATH_MAX];
	struct syncing s = {.t = t, .stock = stock, .changed = changed};
	int r = file_read(t->wrapper, &wrapper);
	enum kind kind;

	*changed = 0;
	if (r > 0)
		return why_set(why, V_BAD, "%s: no wrapper to copy", t->wrapper);
	if (!r)
		r = tree_stock(t, stock);
	s.wrapper = buf_span(&wrapper);
	for (kind = 0; kind < KINDS && !r; kind++)
		r = sync_folder(&s, kind);
	if (!r)
		r = wrap(&s, "notifier/sekisho", 0755);
	return r;
}

int tree_make(const struct tree *t, const char *stock, struct why *why)
{
	char path[PATH_MAX];
	unsigned changed;
	size_t i;
	int r;

	if (stock[0] != '/' || !strcmp(stock, t->dir))
		return why_set(why, V_BAD, "ServerBin %s is none that a gate can stand before", stock);
	r = dir_make(t->dir, 0755);
	if (!r)
		r = make_link(t, REQUEST_STOCK, stock);
	if (!r)
		r = make_link(t, REQUEST_SOCKET, t->socket);
	for (i = 0; i < ARRAY_SIZE(linked) && !r; i++)
		r = join(path, stock, linked[i]) ? make_link(t, linked[i], path) : -ENAMETOOLONG;
	return r ? r : tree_sync(t, &changed, why);
}

/* A file that says something by being there. */
static int set_sign(const struct tree *t, const char *name, bool there)
{
	char path[PATH_MAX];

	if (!join(path, t->dir, name))
		return -ENAMETOOLONG;
	if (!there)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	return access(path, F_OK) ? file_replace(path, SPAN("", 0), 0644) : 0;
}

int tree_close(const struct tree *t, bool closed)
{
	return set_sign(t, REQUEST_CLOSED, closed);
}

int tree_stamps(const struct tree *t, bool on)
{
	return set_sign(t, REQUEST_STAMPS, on);
}

/* --- does it hold? --- */

bool tree_covers(const struct tree *t, const char *scheme, struct why *why)
{
	_cleanup_buf_ struct buf wrapper = BUF_INIT(TREE_WRAPPER_MAX);
	char stock[PATH_MAX], real[PATH_MAX], path[PATH_MAX];
	mode_t mode;

	if (tree_stock(t, stock) || !join(real, stock, "backend")) {
		WHY_BOTH(why, 0, "%s is not made: sekisho-print prepare", "%s がありません: sekisho-print prepare",
			t->dir);
		return false;
	}
	if (!scheme[0] || strchr(scheme, '/') || !is_backend(real, scheme, &mode)) {
		WHY_BOTH(why, 0, "CUPS has no backend for it", "CUPS に対応するバックエンドがありません");
		return false;
	}
	if (snprintf(path, sizeof(path), "%s/backend/%s", t->dir, scheme) >= (int)sizeof(path) ||
		file_read(t->wrapper, &wrapper) || !is_wrapper(path, buf_span(&wrapper), mode)) {
		WHY_BOTH(why, 0, "%s is not the gate's wrapper", "%s はゲートのものではありません", path);
		return false;
	}
	return true;
}

bool tree_has_backend(const struct tree *t, uint64_t inode)
{
	_cleanup_closedir_ DIR *d = NULL;
	const struct dirent *e;
	char dir[PATH_MAX];

	d = join(dir, t->dir, folders[BACKEND]) ? opendir(dir) : NULL;
	while (d && (e = readdir(d)))
		if (e->d_ino == inode)
			return true;
	return false;
}

static int remove_all(const char *dir, const char *name)
{
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *d = NULL;
	const char *entry;

	if (!join(path, dir, name))
		return -ENAMETOOLONG;
	d = opendir(path);
	while ((entry = next_name(d)))
		unlinkat(dirfd(d), entry, 0);
	return d && rmdir(path) ? -errno : 0;
}

int tree_remove(const struct tree *t)
{
	enum kind kind;
	int r = 0;

	for (kind = 0; kind < KINDS && !r; kind++)
		r = remove_all(t->dir, folders[kind]);
	return r ? r : remove_all(t->dir, "");
}
