/*
 * The gate's ServerBin. See tree.h.
 */
#include "agent/print/tree.h"
#include "agent/print/request.h"
#include "policy/base/file.h"
#include "policy/wire/agent_conf.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CONF_MAX (1u << 20)
#define NEW_NAME ".new" /* in the tree, never in backend/: cupsd runs every file that lies there */

static const char *const linked[] = {"cgi-bin", "daemon", "driver", "filter", "monitor"};

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

/* --- cups-files.conf --- */

/* The value of a `ServerBin` line, or NULL. cupsd reads names without their case; the last line counts. */
static const char *server_bin_of(const char *line, size_t n, size_t *length)
{
	static const char name[] = "ServerBin";
	size_t at = 0;

	while (at < n && isspace((unsigned char)line[at]))
		at++;
	if (n - at <= sizeof(name) || strncasecmp(line + at, name, sizeof(name) - 1) != 0 ||
		!isspace((unsigned char)line[at + sizeof(name) - 1]))
		return NULL;
	at += sizeof(name) - 1;
	while (at < n && isspace((unsigned char)line[at]))
		at++;
	while (n > at && isspace((unsigned char)line[n - 1]))
		n--;
	*length = n - at;
	return line + at;
}

static const char *next_line(struct span s, size_t *at, size_t *n)
{
	const char *line = (const char *)s.p + *at, *end;

	if (*at >= s.n)
		return NULL;
	end = memchr(line, '\n', s.n - *at);
	*n = end ? (size_t)(end - line) : s.n - *at;
	*at += *n + (end != NULL);
	return line;
}

int tree_server_bin(const char *conf, char out[PATH_MAX])
{
	_cleanup_buf_ struct buf text = BUF_INIT(CONF_MAX);
	int r = file_read(conf, &text);
	size_t at = 0, n, length;
	const char *line, *value;

	if (r)
		return r;
	snprintf(out, PATH_MAX, "%s", TREE_STOCK);
	while ((line = next_line(buf_span(&text), &at, &n))) {
		value = server_bin_of(line, n, &length);
		if (value && length && length < PATH_MAX)
			snprintf(out, PATH_MAX, "%.*s", (int)length, value);
	}
	return 0;
}

int tree_conf(struct span stock, const char *server_bin, struct buf *out)
{
	size_t at = 0, n, length;
	const char *line;
	int r = 0;

	while (!r && (line = next_line(stock, &at, &n))) {
		if (server_bin_of(line, n, &length))
			r = buf_puts(out, "# ");
		r = r ? r : buf_put(out, line, n);
		r = r ? r : buf_puts(out, "\n");
	}
	return r ? r : buf_putf(out, "# the print gate: see sekisho-print(8)\nServerBin %s\n", server_bin);
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

/* Those of `names` that the stock folder has no more: unlinked. */
static int drop_gone(const char *dir, const char *stock, const char *keep, unsigned *changed)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d))) {
		char path[PATH_MAX], real[PATH_MAX];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || (keep && !strcmp(e->d_name, keep)))
			continue;
		if (!join(path, dir, e->d_name) || !join(real, stock, e->d_name))
			return -ENAMETOOLONG;
		if (access(real, F_OK) == 0)
			continue;
		r = unlink(path) ? -errno : 0;
		*changed += !r;
	}
	return r;
}

static int sync_backends(const struct tree *t, const char *stock, struct span wrapper, unsigned *changed)
{
	char real[PATH_MAX], ours[PATH_MAX], path[PATH_MAX], name[NAME_MAX + 16];
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	mode_t mode;
	int r = 0;

	if (!join(real, stock, "backend") || !join(ours, t->dir, "backend"))
		return -ENAMETOOLONG;
	d = opendir(real);
	if (!d)
		return -errno;
	while (!r && (e = readdir(d))) {
		if (!is_backend(real, e->d_name, &mode) || !join(path, ours, e->d_name) ||
			is_wrapper(path, wrapper, mode))
			continue;
		snprintf(name, sizeof(name), "backend/%s", e->d_name);
		r = put_wrapper(t, name, wrapper, mode);
		*changed += !r;
	}
	return r ? r : drop_gone(ours, real, NULL, changed);
}

static int sync_notifiers(const struct tree *t, const char *stock, struct span wrapper, unsigned *changed)
{
	char real[PATH_MAX], ours[PATH_MAX], target[PATH_MAX], name[NAME_MAX + 16];
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	int r = 0;

	if (!join(real, stock, "notifier") || !join(ours, t->dir, "notifier/sekisho"))
		return -ENAMETOOLONG;
	if (!is_wrapper(ours, wrapper, 0755)) {
		r = put_wrapper(t, "notifier/sekisho", wrapper, 0755);
		*changed += !r;
	}
	d = opendir(real);
	while (!r && d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "sekisho") || !join(target, real, e->d_name))
			continue;
		snprintf(name, sizeof(name), "notifier/%s", e->d_name);
		r = make_link(t, name, target);
	}
	*strrchr(ours, '/') = 0;
	return r ? r : drop_gone(ours, real, "sekisho", changed);
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
	int r = file_read(t->wrapper, &wrapper);

	*changed = 0;
	if (r > 0)
		return why_set(why, V_BAD, "%s: no wrapper to copy", t->wrapper);
	if (!r)
		r = tree_stock(t, stock);
	if (!r)
		r = sync_backends(t, stock, buf_span(&wrapper), changed);
	if (!r)
		r = sync_notifiers(t, stock, buf_span(&wrapper), changed);
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
	r = join(path, t->dir, "backend") ? dir_make(path, 0755) : -ENAMETOOLONG;
	if (!r)
		r = join(path, t->dir, "notifier") ? dir_make(path, 0755) : -ENAMETOOLONG;
	if (!r)
		r = make_link(t, REQUEST_STOCK, stock);
	if (!r)
		r = make_link(t, REQUEST_SOCKET, t->socket);
	for (i = 0; i < ARRAY_SIZE(linked) && !r; i++)
		r = join(path, stock, linked[i]) ? make_link(t, linked[i], path) : -ENAMETOOLONG;
	return r ? r : tree_sync(t, &changed, why);
}

int tree_close(const struct tree *t, bool closed)
{
	char path[PATH_MAX];

	if (!join(path, t->dir, REQUEST_CLOSED))
		return -ENAMETOOLONG;
	if (!closed)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	return access(path, F_OK) ? file_replace(path, SPAN("", 0), 0644) : 0;
}

/* --- does it hold? --- */

bool tree_covers(const struct tree *t, const char *scheme, char *reason, size_t size)
{
	_cleanup_buf_ struct buf wrapper = BUF_INIT(TREE_WRAPPER_MAX);
	char stock[PATH_MAX], real[PATH_MAX], path[PATH_MAX];
	mode_t mode;

	if (tree_stock(t, stock) || !join(real, stock, "backend")) {
		snprintf(reason, size, "%s is not made: sekisho-print prepare", t->dir);
		return false;
	}
	if (!scheme[0] || strchr(scheme, '/') || !is_backend(real, scheme, &mode)) {
		snprintf(reason, size, "CUPS has no backend for it");
		return false;
	}
	if (snprintf(path, sizeof(path), "%s/backend/%s", t->dir, scheme) >= (int)sizeof(path) ||
		file_read(t->wrapper, &wrapper) || !is_wrapper(path, buf_span(&wrapper), mode)) {
		snprintf(reason, size, "%s is not the gate's wrapper", path);
		return false;
	}
	return true;
}

static int remove_all(const char *dir, const char *name)
{
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;

	if (!join(path, dir, name))
		return -ENAMETOOLONG;
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	return d && rmdir(path) ? -errno : 0;
}

int tree_remove(const struct tree *t)
{
	int r = remove_all(t->dir, "backend");

	r = r ? r : remove_all(t->dir, "notifier");
	return r ? r : remove_all(t->dir, "");
}
