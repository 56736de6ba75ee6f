/*
 * What is ours, and whether it is as it was. See own.h. Whoever can change it is root already, so nothing here is
 * bytes from outside, but for names, which are escaped.
 *
 * A file that not everybody may read is a secret: its content is in no hash that leaves the PC, only that it changed.
 */
#include "agent/service/own.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/digest.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <jansson.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAX (1u << 20)
#define DEPTH_MAX 3u
#define PIECE (64u << 10)
#define NAMES_TOLD 8u
#define UNITS "/usr/lib/systemd/system"

static const struct place {
	const char *dir, *pattern;
	bool pins;
} places[] = {
	{"/usr/sbin", "sekisho-*", false},
	{"/usr/bin", "sekishoctl*", false},
	{"/usr/lib/sekisho", "*", false},
	{"/usr/local/sbin", "sekisho-*", false},
	{"/usr/local/bin", "sekishoctl*", false},
	{"/usr/local/lib/sekisho", "*", false},
	{"/usr/lib/systemd/system", "sekisho-*", false},
	{"/usr/local/lib/systemd/system", "sekisho-*", false},
	/* What an administrator puts before a unit: another one, a part of one, /dev/null (mask), and that it is
	   started. */
	{"/etc/systemd/system", "sekisho-*", false},
	{"/run/systemd/system", "sekisho-*", false},
	{"/etc/systemd/system/sysinit.target.wants", "sekisho-*", false},
	{"/etc/systemd/system/multi-user.target.wants", "sekisho-*", false},
	{"/etc/systemd/system/sockets.target.wants", "sekisho-*", false},
	{"/etc/systemd/system/sleep.target.wants", "sekisho-*", false},
	{"/etc/systemd/system/cups.service.d", "*sekisho*", false},
	{"/usr/lib/systemd/system/cups.service.d", "*sekisho*", false},
	{"/usr/lib/udev/rules.d", "*sekisho*", false},
	{"/usr/local/lib/udev/rules.d", "*sekisho*", false},
	{"/etc/udev/rules.d", "*sekisho*", false},
	{"/usr/lib/NetworkManager/dispatcher.d/pre-down.d", "*sekisho*", false},
	{"/etc/sekisho", "*", false},
	{"/var/lib/sekisho/device", "*", false},
	{"/sys/fs/bpf/sekisho", "*", true},
	{"/sys/fs/bpf/sekisho-gate", "*", true},
	{"/sys/fs/bpf/sekisho-egress", "*", true},
	{"/sys/fs/bpf/sekisho-paper", "*", true},
	{"/sys/fs/bpf/sekisho-shield", "*", true},
	/* Is there while a maintenance window is open, and what is ours is not looked at. */
	{"/run/sekisho", "maintenance.json", false},
};

enum what { WHAT_FILE = 'f', WHAT_SECRET = 's', WHAT_LINK = 'l', WHAT_OTHER = 'o', WHAT_PIN = 'p' };

struct entry {
	char *path; /* escaped, without the prefix */
	enum what what;
	struct digest hash; /* of the content, or the link's target */
	uint64_t mode, uid, gid, size, dev, ino;
	int64_t mtime_ns, ctime_ns;
};

struct list {
	struct entry *v;
	unsigned n;
	bool cut;
};

struct own {
	char *state, *root;
	char boot[33];
	struct list known;
	bool began, looked; /* nothing was known at the start; it was looked once */
};

static void list_free(struct list *l)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
	*l = (struct list){.n = 0};
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static struct entry *list_find(const struct list *l, const char *path)
{
	struct entry key = {.path = (char *)(uintptr_t)path};

	return l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), by_path) : NULL;
}

/* --- looking --- */

static bool looks_same(const struct entry *a, const struct entry *b)
{
	return a->what == b->what && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->dev == b->dev && a->ino == b->ino && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int hash_file(int dirfd, const char *name, struct digest *out)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ uint8_t *piece = malloc(PIECE);
	struct digesting *d;
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	r = piece ? digesting_new(&d) : -ENOMEM;
	if (r)
		return r;
	while ((n = read(fd, piece, PIECE)) > 0)
		digesting_put(d, SPAN(piece, (size_t)n));
	r = n < 0 ? -errno : 0;
	digesting_end(d, out);
	return r;
}

static int hash_link(int dirfd, const char *name, struct digest *out)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	digest_span(out, SPAN(target, (size_t)n));
	return 0;
}

static enum what what_of(const struct stat *st, bool pins)
{
	if (pins)
		return WHAT_PIN;
	if (S_ISLNK(st->st_mode))
		return WHAT_LINK;
	if (!S_ISREG(st->st_mode))
		return WHAT_OTHER;
	return st->st_mode & S_IROTH ? WHAT_FILE : WHAT_SECRET;
}

/* One that is gone between two looks at it is not there; a file that cannot be read is there, with no hash of its own.
 */
static int add(
	struct own *o, struct list *l, int dirfd, const char *name, const char *path, const struct stat *st, bool pins)
{
	struct entry e = {
		.what = what_of(st, pins),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = pins ? 0 : (uint64_t)st->st_size,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.mtime_ns = pins ? 0 : st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec,
		.ctime_ns = pins ? 0 : st->st_ctim.tv_sec * 1000000000LL + st->st_ctim.tv_nsec,
	};
	const struct entry *was;
	struct entry *more;
	int r = 0;

	if (l->n == OWN_ENTRIES_MAX) {
		l->cut = true;
		return 0;
	}
	was = list_find(&o->known, path);
	if (was && looks_same(was, &e))
		e.hash = was->hash;
	else if (e.what == WHAT_LINK)
		r = hash_link(dirfd, name, &e.hash);
	else if (e.what == WHAT_FILE || e.what == WHAT_SECRET)
		r = hash_file(dirfd, name, &e.hash);
	if (r == -ENOENT)
		return 0;
	more = reallocarray(l->v, l->n + 1, sizeof(*l->v));
	if (!more)
		return -ENOMEM;
	l->v = more;
	e.path = strdup(path);
	if (!e.path)
		return -ENOMEM;
	l->v[l->n++] = e;
	return 0;
}

/* A token that goes after use is nobody's setting; what an editor or dpkg leaves is none either. */
static bool is_passing(const char *path, const char *name)
{
	size_t n = strlen(name);

	return !strcmp(path, "/etc/sekisho/enrol") || name[n - 1] == '~' || (n > 4 && !strcmp(name + n - 4, ".tmp")) ||
	       !strncmp(name, ".", 1);
}

static int walk(struct own *o, struct list *l, int at, const char *dir, const char *shown, const char *pattern,
	bool pins, unsigned depth)
{
	struct dirent *d;
	DIR *entries;
	int r = dir_open_at(at, dir, &entries);

	if (r)
		return r == V_NOT_FOUND || r == -ENOTDIR || r == -EACCES ? 0 : r;
	while (!r && (d = readdir(entries))) {
		char name[2 * NAME_MAX], path[PATH_MAX];
		struct stat st;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") || fnmatch(pattern, d->d_name, 0) ||
			fstatat(dirfd(entries), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		text_escape_to(name, sizeof(name), SPAN_STR(d->d_name));
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", shown, name) >= sizeof(path) ||
			is_passing(path, d->d_name))
			continue;
		if (!S_ISDIR(st.st_mode))
			r = add(o, l, dirfd(entries), d->d_name, path, &st, pins);
		else if (depth < DEPTH_MAX)
			r = walk(o, l, dirfd(entries), d->d_name, path, "*", pins, depth + 1);
	}
	closedir(entries);
	return r;
}

static int look_at_all(struct own *o, struct list *out)
{
	char path[PATH_MAX];
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(places); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s%s", o->root, places[i].dir) >= sizeof(path))
			return -ENAMETOOLONG;
		r = walk(o, out, AT_FDCWD, path, places[i].dir, places[i].pattern, places[i].pins, 0);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_path);
	return r;
}

/* --- what is kept --- */

static int keep(const struct own *o)
{
	json_t *list = json_array(), *all;
	char hex[2 * DIGEST_SIZE + 1], what[2] = "";
	char *text;
	unsigned i;
	int r;

	for (i = 0; i < o->known.n; i++) {
		const struct entry *e = &o->known.v[i];

		what[0] = (char)e->what;
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "path", e->path,
				      "what", what, "hash", hex_encode(hex, e->hash.b, DIGEST_SIZE), "mode",
				      (json_int_t)e->mode, "uid", (json_int_t)e->uid, "gid", (json_int_t)e->gid, "size",
				      (json_int_t)e->size, "dev", (json_int_t)e->dev, "ino", (json_int_t)e->ino,
				      "mtime", (json_int_t)e->mtime_ns, "ctime", (json_int_t)e->ctime_ns));
	}
	all = json_pack("{s:s, s:o}", "boot", o->boot, "entries", list);
	text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
	r = text ? file_replace(o->state, SPAN_STR(text), 0600) : -ENOMEM;
	free(text);
	json_decref(all);
	return r;
}

static int entry_of(const json_t *j, struct entry *e)
{
	const char *path, *what, *hash;
	json_int_t mode, uid, gid, size, dev, ino, mtime, ctime;

	if (json_unpack((json_t *)(uintptr_t)j, "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "path",
		    &path, "what", &what, "hash", &hash, "mode", &mode, "uid", &uid, "gid", &gid, "size", &size, "dev",
		    &dev, "ino", &ino, "mtime", &mtime, "ctime", &ctime) ||
		!strchr("fslop", what[0]) || !what[0] || hex_decode(hash, e->hash.b, DIGEST_SIZE))
		return V_BAD;
	e->what = (enum what)what[0];
	e->mode = (uint64_t)mode;
	e->uid = (uint64_t)uid;
	e->gid = (uint64_t)gid;
	e->size = (uint64_t)size;
	e->dev = (uint64_t)dev;
	e->ino = (uint64_t)ino;
	e->mtime_ns = mtime;
	e->ctime_ns = ctime;
	e->path = strdup(path);
	return e->path ? 0 : -ENOMEM;
}

/* What is not whole is nothing: the list begins anew, and says so. Objects in the kernel are of one boot. */
static int recall(struct own *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STATE_MAX);
	const char *boot = NULL;
	json_t *all = NULL, *list = NULL;
	size_t i, n;
	int r = file_read(o->state, &b);

	if (r)
		return r == V_NOT_FOUND || r == V_FULL ? 0 : r;
	all = json_loadb((const char *)b.p, b.n, 0, NULL);
	if (!all || json_unpack(all, "{s:s, s:o}", "boot", &boot, "entries", &list) || !json_is_array(list) ||
		json_array_size(list) > OWN_ENTRIES_MAX) {
		json_decref(all);
		return 0;
	}
	n = json_array_size(list);
	o->known.v = calloc(n ? n : 1, sizeof(*o->known.v));
	r = o->known.v ? 0 : -ENOMEM;
	for (i = 0; !r && i < n; i++) {
		struct entry *e = &o->known.v[o->known.n];

		r = entry_of(json_array_get(list, i), e);
		if (!r && e->what == WHAT_PIN && strcmp(boot, o->boot) != 0)
			free(e->path);
		else if (!r)
			o->known.n++;
	}
	json_decref(all);
	if (r == V_BAD)
		list_free(&o->known);
	else if (!r && o->known.n)
		qsort(o->known.v, o->known.n, sizeof(*o->known.v), by_path);
	o->began = r == V_BAD || !n;
	return r > 0 ? 0 : r;
}

int own_new(const char *state, const char *root, struct own **out)
{
	struct own *o = calloc(1, sizeof(*o));
	uint8_t boot[16];
	int r = o ? clock_boot_id(boot) : -ENOMEM;

	if (!r) {
		hex_encode(o->boot, boot, sizeof(boot));
		o->began = true;
		o->state = strdup(state);
		o->root = strdup(root ? root : "");
		r = o->state && o->root ? recall(o) : -ENOMEM;
	}
	if (r) {
		own_free(o);
		return r;
	}
	*out = o;
	return 0;
}

void own_free(struct own *o)
{
	if (!o)
		return;
	list_free(&o->known);
	free(o->state);
	free(o->root);
	free(o);
}

/* --- telling --- */

static void begin(struct record *r, unsigned kind, const char *operation)
{
	record_reset(r);
	record_set_uint(r, F_KIND, kind);
	record_set_int(r, F_TIME, clock_wall_us());
	record_set_int(r, F_BOOT_TIME, clock_boot_us());
	record_set_str(r, F_OPERATION, operation);
}

/* `is` NULL: it is gone. */
static int tell_file(const struct entry *was, const struct entry *is, own_put_fn put, void *ctx)
{
	const struct entry *e = is ? is : was;
	char text[160] = "", hex[2 * DIGEST_SIZE + 1];
	struct record r;

	begin(&r, KIND_OWN_FILE, !is ? "gone" : !was ? "new" : "changed");
	record_set_str(&r, F_PATH, e->path);
	record_set_uint(&r, F_MODE, e->mode);
	record_set_uint(&r, F_NEW_UID, e->uid);
	record_set_uint(&r, F_NEW_GID, e->gid);
	if (is && e->what != WHAT_SECRET && e->what != WHAT_OTHER)
		record_set_span(&r, F_HASH, SPAN(e->hash.b, DIGEST_SIZE));
	if (is)
		record_set_uint(&r, F_SIZE, e->size);
	if (was && is && digest_eq(&was->hash, &is->hash) && was->what == is->what)
		snprintf(text, sizeof(text), "written again with the same content, or its owner or mode");
	else if (was && was->what != WHAT_SECRET && was->what != WHAT_OTHER)
		snprintf(text, sizeof(text), "before: %s", hex_encode(hex, was->hash.b, DIGEST_SIZE));
	record_set_text(&r, F_TEXT, text);
	return put(ctx, &r);
}

/* What became of the pinned objects of a folder, in one record. */
struct pins {
	const char *dir, *operation;
	unsigned n;
	struct buf names;
};

static int pin_note(struct pins *p, const char *path)
{
	if (p->n++ >= NAMES_TOLD)
		return 0;
	return buf_putf(&p->names, "%s%s", p->n > 1 ? ", " : "", path + strlen(p->dir) + 1);
}

static int pins_tell(struct pins *p, own_put_fn put, void *ctx)
{
	struct record r;

	if (!p->n)
		return 0;
	begin(&r, KIND_OWN_FILE, p->operation);
	record_set_str(&r, F_PATH, p->dir);
	record_set_uint(&r, F_COUNT, p->n);
	record_set_span(&r, F_TEXT, buf_span(&p->names));
	return put(ctx, &r);
}

static bool is_below(const struct entry *e, const char *dir)
{
	size_t n = strlen(dir);

	return e->what == WHAT_PIN && !strncmp(e->path, dir, n) && e->path[n] == '/';
}

/* Is every object that is there another one than those before? So it is where a loader put a set in the place of one.
 */
static bool was_replaced(const struct own *o, const struct list *now, const char *dir)
{
	unsigned i, n = 0;

	for (i = 0; i < now->n; i++) {
		const struct entry *was = list_find(&o->known, now->v[i].path);

		if (!is_below(&now->v[i], dir))
			continue;
		n++;
		if (was && was->ino == now->v[i].ino)
			return false;
	}
	return n > 0;
}

/*
 * At the first look objects that are others than those before are the work of sekisho-load, which goes before every
 * start; that one is not there any more is told always.
 */
static int compare_pins(struct own *o, const struct list *now, const char *dir, bool *any, own_put_fn put, void *ctx)
{
	struct pins gone = {.dir = dir, .operation = "gone", .names = BUF_INIT(4096)};
	struct pins other = {.dir = dir, .operation = "replaced", .names = BUF_INIT(4096)};
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < o->known.n; i++)
		if (is_below(&o->known.v[i], dir) && !list_find(now, o->known.v[i].path))
			r = pin_note(&gone, o->known.v[i].path);
	for (i = 0; !r && o->looked && i < now->n; i++) {
		const struct entry *was = list_find(&o->known, now->v[i].path);

		if (is_below(&now->v[i], dir) && (!was || was->ino != now->v[i].ino || was->mode != now->v[i].mode))
			r = pin_note(&other, now->v[i].path);
	}
	*any |= gone.n || other.n;
	r = r ? r : pins_tell(&gone, put, ctx);
	r = r ? r : pins_tell(&other, put, ctx);
	buf_deinit(&gone.names);
	buf_deinit(&other.names);
	return r;
}

/* A file of the packages that were there before, or are now: their units are linked by the names below /usr/lib. */
static bool is_unit_of(const struct manifest *m, const char *name)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), UNITS "/%s", name) < sizeof(path) && manifest_find(m, path);
}

/* What systemctl enable makes of it, whichever of its names /usr/lib has. */
static bool links_to_unit(const struct entry *e, const char *name)
{
	static const char *const dirs[] = {"/lib/systemd/system", UNITS};
	char target[PATH_MAX];
	struct digest hash;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(target, sizeof(target), "%s/%s", dirs[i], name);
		digest_span(&hash, SPAN_STR(target));
		if (digest_eq(&hash, &e->hash))
			return true;
	}
	return false;
}

static bool is_wanted(const struct entry *e)
{
	return e->what == WHAT_LINK && !fnmatch("/etc/systemd/system/*.wants/*", e->path, 0);
}

/* A package manager lays a setting that it does not put in the place of somebody's own one beside it. */
static const struct manifest_file *said_of(const struct manifest *m, const char *path)
{
	static const char *const beside[] = {".dpkg-dist", ".dpkg-new", ".rpmnew"};
	char name[PATH_MAX];
	size_t i, n = strlen(path);

	for (i = 0; i < ARRAY_SIZE(beside); i++) {
		size_t end = strlen(beside[i]);

		if (n > end && n < sizeof(name) && !strcmp(path + n - end, beside[i])) {
			snprintf(name, sizeof(name), "%.*s", (int)(n - end), path);
			return manifest_find(m, name);
		}
	}
	return manifest_find(m, path);
}

static bool is_same_content(const struct entry *was, const struct entry *is)
{
	return was && was->what == is->what && digest_eq(&was->hash, &is->hash) && was->mode == is->mode &&
	       was->uid == is->uid && was->gid == is->gid && is->what != WHAT_OTHER;
}

/* Is it as the packages say that it is? */
static bool is_packaged(const struct entry *e, const struct manifest *m)
{
	static const char manifests[] = MANIFEST_DIR "/";
	const struct manifest_file *f = said_of(m, e->path);

	if (is_wanted(e))
		return is_unit_of(m, strrchr(e->path, '/') + 1) && links_to_unit(e, strrchr(e->path, '/') + 1);
	if (e->what != WHAT_FILE || e->uid || e->gid || !m->files_n)
		return false;
	/* They speak of all but themselves; their hash is told. */
	if (!strncmp(e->path, manifests, sizeof(manifests) - 1))
		return e->mode == 0644;
	return f && digest_eq(&f->hash, &e->hash) && f->mode == e->mode;
}

/* Those before had it, and those now have not. */
static bool is_dropped(const struct entry *e, const struct own_change *c)
{
	const char *name = strrchr(e->path, '/') + 1;

	if (!c->now->files_n)
		return false;
	if (is_wanted(e))
		return is_unit_of(c->before, name) && !is_unit_of(c->now, name);
	return manifest_find(c->before, e->path) && !manifest_find(c->now, e->path);
}

/* True where a change (`is` NULL: it is gone) is what the packages' own change brings, and nothing to be told. */
static bool is_expected(struct own_change *c, const struct entry *was, const struct entry *is)
{
	bool fits;

	if (!c)
		return false;
	if (is && is_same_content(was, is))
		return true;
	fits = is ? is_packaged(is, c->now) : is_dropped(was, c);
	*(fits ? &c->fitting : &c->others) += 1;
	return fits;
}

static int compare(struct own *o, const struct list *now, struct own_change *c, bool *any, own_put_fn put, void *ctx)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < o->known.n; i++) {
		const struct entry *was = &o->known.v[i];

		if (was->what == WHAT_PIN || list_find(now, was->path))
			continue;
		*any = true;
		r = is_expected(c, was, NULL) ? 0 : tell_file(was, NULL, put, ctx);
	}
	for (i = 0; !r && i < now->n; i++) {
		const struct entry *was = list_find(&o->known, now->v[i].path);

		if (now->v[i].what == WHAT_PIN || (was && looks_same(was, &now->v[i])))
			continue;
		*any = true;
		r = is_expected(c, was, &now->v[i]) ? 0 : tell_file(was, &now->v[i], put, ctx);
	}
	for (i = 0; !r && i < ARRAY_SIZE(places); i++)
		if (places[i].pins && !(c && was_replaced(o, now, places[i].dir)))
			r = compare_pins(o, now, places[i].dir, any, put, ctx);
	return r;
}

/* The list by one hash: what is read is in it, and of secrets that they are there. */
static int tell_list(const struct own *o, const char *operation, own_put_fn put, void *ctx)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STATE_MAX);
	char hex[2 * DIGEST_SIZE + 1];
	struct digest hash;
	unsigned i, n = 0;
	struct record r;
	int x = 0;

	for (i = 0; !x && i < o->known.n; i++) {
		const struct entry *e = &o->known.v[i];

		if (e->what == WHAT_PIN)
			continue;
		n++;
		x = buf_putf(&b, "%s %c %s %llo %llu %llu\n", e->path, e->what,
			e->what == WHAT_FILE || e->what == WHAT_LINK ? hex_encode(hex, e->hash.b, DIGEST_SIZE) : "-",
			(unsigned long long)e->mode, (unsigned long long)e->uid, (unsigned long long)e->gid);
	}
	if (x)
		return x < 0 ? x : -EOVERFLOW;
	digest_span(&hash, buf_span(&b));
	begin(&r, KIND_OWN_FILES, operation);
	record_set_uint(&r, F_COUNT, n);
	record_set_span(&r, F_HASH, SPAN(hash.b, DIGEST_SIZE));
	if (o->known.cut)
		record_set_str(&r, F_TEXT, "more files than are looked at");
	return put(ctx, &r);
}

static int look(struct own *o, struct own_change *c, own_put_fn put, void *ctx)
{
	const char *operation = c ? "upgraded" : o->looked ? "changed" : o->began ? "begun" : "start";
	struct list now = {.n = 0};
	bool any = false, changed;
	unsigned i;
	int r = look_at_all(o, &now), x;

	if (r) {
		list_free(&now);
		return r;
	}
	changed = now.n != o->known.n;
	for (i = 0; !changed && i < now.n; i++)
		changed = strcmp(now.v[i].path, o->known.v[i].path) != 0 || !looks_same(&now.v[i], &o->known.v[i]);
	if (changed && !(o->began && !o->looked))
		r = compare(o, &now, c, &any, put, ctx);
	list_free(&o->known);
	o->known = now;
	if (!r && (any || !o->looked))
		r = tell_list(o, o->began && !o->looked ? "begun" : operation, put, ctx);
	o->looked = true;
	x = changed ? keep(o) : 0;
	return r ? r : x;
}

int own_look(struct own *o, own_put_fn put, void *ctx)
{
	return look(o, NULL, put, ctx);
}

int own_settle(struct own *o, struct own_change *c, own_put_fn put, void *ctx)
{
	c->fitting = c->others = 0;
	return look(o, c, put, ctx);
}

void own_each_kept(const struct own *o, own_each_fn fn, void *ctx)
{
	unsigned i;

	for (i = 0; i < o->known.n; i++) {
		const struct entry *e = &o->known.v[i];

		if (e->what == WHAT_PIN || !fnmatch("/usr/*", e->path, 0) ||
			!fnmatch("/var/lib/sekisho/device/*", e->path, 0))
			fn(ctx, e->path, (dev_t)e->dev, (ino_t)e->ino);
	}
}
