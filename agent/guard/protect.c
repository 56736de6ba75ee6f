/*
 * The kernel keeps others from what is ours (agent/probe/shield.h): the guard says what that is, that it is there
 * itself, and whose window is open, and makes records of what was refused. Called by main.c, the loop and
 * maintenance.c.
 *
 * Nothing is in force before a try has shown that the guard itself would be let through.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#define FILES_MAX (OWN_ENTRIES_MAX + 96u)

struct named_file {
	struct shield_file f;
	char *path;
};

struct protect {
	struct shield *shield;
	struct named_file *files;
	unsigned files_n;
	bool proven;
	const char *told; /* the level that a record was made of last; NULL: none yet */
	struct burst burst;
};

/* --- what is ours --- */

/* Nothing is mounted upon these; that the whole of /usr may be is the system extensions' (systemd-sysext(8)) right.
 * Those of a name of ours have nothing else in them. */
static const char *const folders[] = {"/sys/fs/bpf", "/sys/fs/bpf/sekisho", "/sys/fs/bpf/sekisho-gate",
	"/sys/fs/bpf/sekisho-egress", "/sys/fs/bpf/sekisho-paper", "/sys/fs/bpf/sekisho-shield", "/usr/lib/sekisho",
	"/usr/sbin", "/usr/lib/systemd/system", "/usr/lib/udev/rules.d", "/usr/local/lib/sekisho", "/usr/local/sbin",
	"/usr/local/lib/systemd/system", "/usr/local/lib/udev/rules.d", "/etc/sekisho", "/var/lib/sekisho",
	"/var/lib/sekisho/device", "/var/lib/sekisho/guard"};

/* Who runs these with no login is one of our processes. The print backend is CUPS's, which ends it as it must. */
static bool is_service(const char *path)
{
	static const char *const names[] = {"sekisho-guard", "sekisho-inspect", "sekisho-keeper", "sekisho-load",
		"sekisho-posture", "sekisho-print", "sekisho-recorder", "sekisho-uplink"};
	const char *name = strrchr(path, '/') + 1;
	size_t i;

	if (fnmatch("/usr/*sbin/sekisho-*", path, 0) != 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void forget_files(struct protect *p)
{
	while (p->files_n)
		free(p->files[--p->files_n].path);
}

static void add(struct protect *p, const char *path, dev_t dev, ino_t ino, unsigned flags)
{
	char *copy = p->files_n < FILES_MAX ? strdup(path) : NULL;

	if (copy)
		p->files[p->files_n++] =
			(struct named_file){.f = {.dev = dev, .ino = ino, .flags = flags}, .path = copy};
}

static void add_kept(void *ctx, const char *path, dev_t dev, ino_t ino)
{
	unsigned flags = SHIELD_FILE;

	if (is_service(path))
		flags |= SHIELD_PROGRAM;
	else if (!fnmatch("/usr/*bin/sekishoctl", path, 0))
		flags |= SHIELD_CTL;
	else if (!strncmp(path, "/var/", 5))
		flags |= SHIELD_KEY;
	add(ctx, path, dev, ino, flags);
}

/* The policy in force, what was released, the window: nobody writes them but the guard. */
static void add_state(struct protect *p, const char *dir)
{
	struct dirent *d;
	DIR *entries;

	if (dir_open_at(AT_FDCWD, dir, &entries))
		return;
	while ((d = readdir(entries))) {
		char path[PATH_MAX + NAME_MAX + 2];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (!fstatat(dirfd(entries), d->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			add(p, path, st.st_dev, st.st_ino, SHIELD_FILE);
	}
	closedir(entries);
}

static void add_folders(struct protect *p)
{
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++)
		if (!stat(folders[i], &st) && S_ISDIR(st.st_mode))
			add(p, folders[i], st.st_dev, st.st_ino,
				strstr(folders[i], "/sekisho") ? SHIELD_FOLDER : SHIELD_PLACE);
}

static int set_files(struct protect *p)
{
	_cleanup_free_ struct shield_file *f = calloc(p->files_n ? p->files_n : 1, sizeof(*f));
	unsigned i;

	if (!f)
		return -ENOMEM;
	for (i = 0; i < p->files_n; i++)
		f[i] = p->files[i].f;
	return shield_set_files(p->shield, f, p->files_n);
}

const char *protect_level(const struct guard *g)
{
	unsigned mode = g->protect && g->protect->proven ? shield_mode(g->protect->shield) : SHIELD_OFF;

	return mode == SHIELD_REFUSE ? "enforce" : mode == SHIELD_NOTE ? "note" : "none";
}

/* Tries it, and tells what is another than it was. */
static void prove(struct guard *g)
{
	struct protect *p = g->protect;
	int r = shield_prove(p->shield);
	const char *level;

	if (r < 0)
		log_error("whether the kernel protects us cannot be tried: %s", strerror(-r));
	else if (r == V_DENIED && (p->proven || !p->told))
		log_notice("the kernel does not know us by our file and control group: it does not protect us");
	p->proven = !r;
	level = protect_level(g);
	if (p->told && !strcmp(p->told, level))
		return;
	if (p->told || p->proven)
		tell_protection(g, level, p->told);
	p->told = level;
	tell_means(g);
	report_save(g);
}

void protect_renew(struct guard *g)
{
	struct protect *p = g->protect;
	int r;

	if (!p || !g->own)
		return;
	/* In a window files come and go: what was known is changed in one go, when it is closed. */
	if (!g->maintenance.open || !p->files_n) {
		forget_files(p);
		own_each_kept(g->own, add_kept, p);
		add_state(p, g->state);
		add_folders(p);
		r = set_files(p);
		if (r)
			log_error("what is ours cannot be said to the kernel: %s", strerror(-r));
	}
	prove(g);
	r = p->proven ? shield_renew(p->shield) : 0;
	if (r)
		log_error("the kernel cannot be told that the guard is there: %s", strerror(-r));
}

void protect_window(struct guard *g)
{
	const struct maintenance *m = &g->maintenance;
	int r = !g->protect ? 0
		: m->open   ? shield_window(g->protect->shield, m->pid, m->start_ticks, m->until_boot_us)
			    : shield_window(g->protect->shield, 0, 0, 0);

	if (r)
		log_error("the kernel cannot be told of the maintenance window: %s", strerror(-r));
}

/* --- what was refused --- */

/* By inode; of what has none of ours, the name that the kernel gave. */
static const char *path_of(const struct protect *p, const struct shield_event *e)
{
	unsigned i;

	for (i = 0; e->key.ino && i < p->files_n; i++) {
		struct shield_key key = shield_key_of(&p->files[i].f);

		if (key.dev == e->key.dev && key.ino == e->key.ino)
			return p->files[i].path;
	}
	return e->name;
}

static void tell_one(void *ctx, const struct shield_event *e, uint64_t count)
{
	struct guard *g = ctx;

	tell_refused(g, e, path_of(g->protect, e), count);
}

static int on_event(void *ctx, const struct shield_event *e)
{
	struct guard *g = ctx;

	burst_add(&g->protect->burst, e, clock_boot_us(), tell_one, g);
	return 0;
}

static void count_losses(struct guard *g, uint64_t lost)
{
	struct burst *b = &g->protect->burst;

	if (lost)
		sealer_lost(g->sealer, CAUSE_RING_FULL, lost);
	if (b->left_out)
		sealer_lost(g->sealer, CAUSE_QUEUE_FULL, b->left_out);
	b->left_out = 0;
}

static int on_ring(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	uint64_t lost = 0;
	int r = shield_hear(g->protect->shield, on_event, g, &lost);

	(void)source;
	(void)fd;
	(void)events;
	if (r < 0)
		guard_fail(g, r, "what was refused");
	count_losses(g, lost);
	return 0;
}

int64_t protect_due(const struct guard *g)
{
	return g->protect ? burst_due(&g->protect->burst) : INT64_MAX;
}

void protect_run(struct guard *g, int64_t now)
{
	if (!g->protect)
		return;
	burst_run(&g->protect->burst, now, tell_one, g);
	count_losses(g, 0);
}

/* --- beginning and end --- */

int protect_open(struct guard *g, struct why *why)
{
	struct protect *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->files = calloc(FILES_MAX, sizeof(*p->files));
	r = p->files ? shield_open(&p->shield, why) : -ENOMEM;
	if (r) {
		free(p->files);
		free(p);
		/* Also where it keeps us from itself: devices are guarded all the same. */
		if (r != -ENOMEM)
			log_notice("the kernel does not protect us: %s", r < 0          ? strerror(-r)
									 : why->text[0] ? why->text
											: "not loaded");
		why->text[0] = 0;
		return r == -ENOMEM ? r : 0;
	}
	g->protect = p;
	return 0;
}

void protect_close(struct guard *g)
{
	if (!g->protect)
		return;
	forget_files(g->protect);
	free(g->protect->files);
	shield_close(g->protect->shield);
	free(g->protect);
	g->protect = NULL;
}

int protect_start(struct guard *g)
{
	return g->protect ? sd_event_add_io(g->event, NULL, shield_fd(g->protect->shield), EPOLLIN, on_ring, g) : 0;
}
