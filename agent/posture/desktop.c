/*
 * The screen lock: what the system prescribes to all people of this PC, for each desktop that is installed. GNOME and
 * its relatives by the keyfiles of dconf's system databases and their locks (dconf(7)), Plasma by kscreenlockerrc and
 * its [$i] (KConfig's immutability). What somebody sets in his home is not looked at: unless it is locked he may, and
 * then nobody can promise it.
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#define NAME_SIZE 64

/* A setting of a keyfile: [group] key=value. */
struct key {
	const char *group, *name;
	char value[NAME_SIZE];
	bool set, locked;
};

enum { ENABLED, IDLE, DELAY, KEYS };

struct desktop {
	const char *name;
	/* Files of /usr/share/{xsessions,wayland-sessions}, without .desktop, and without what they say of X or
	 * Wayland. */
	const char *const sessions[3];
	const char *group_lock, *lock, *group_idle, *idle, *delay;
	unsigned idle_unit;
};

static const struct desktop desktops[] = {
	{"gnome", {"gnome", "ubuntu", "gnome-classic"}, "org/gnome/desktop/screensaver", "lock-enabled",
		"org/gnome/desktop/session", "idle-delay", "lock-delay", 1},
	{"cinnamon", {"cinnamon", "cinnamon2d"}, "org/cinnamon/desktop/screensaver", "lock-enabled",
		"org/cinnamon/desktop/session", "idle-delay", "lock-delay", 1},
	/* Both of MATE's delays are in minutes. */
	{"mate", {"mate"}, "org/mate/screensaver", "lock-enabled", "org/mate/session", "idle-delay", "lock-delay", 60},
};

/* --- dconf --- */

struct keyfile {
	struct key *keys;
	char group[160];
};
static void meet_key(void *ctx, char *line)
{
	struct keyfile *k = ctx;
	char *equals, *end;
	size_t i;

	line += strspn(line, " \t");
	if (*line == '[') {
		line[strcspn(line, "]")] = 0;
		snprintf(k->group, sizeof(k->group), "%s", line + 1);
		return;
	}
	equals = strchr(line, '=');
	if (!equals || *line == '#')
		return;
	*equals++ = 0;
	for (end = equals - 1; end > line && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = 0;
	equals += strspn(equals, " \t");
	for (i = 0; i < KEYS; i++)
		if (!strcmp(k->group, k->keys[i].group) && !strcmp(line, k->keys[i].name)) {
			snprintf(k->keys[i].value, NAME_SIZE, "%s", equals);
			k->keys[i].set = true;
		}
}

/* "/org/gnome/desktop/screensaver/lock-enabled", or a folder that ends with a slash. */
static void meet_lock(void *ctx, char *line)
{
	struct keyfile *k = ctx;
	char path[256];
	size_t i, n;

	line += strspn(line, " \t");
	line[strcspn(line, " \t#")] = 0;
	n = strlen(line);
	for (i = 0; i < KEYS && n; i++) {
		snprintf(path, sizeof(path), "/%s/%s", k->keys[i].group, k->keys[i].name);
		if (!strcmp(path, line) || (line[n - 1] == '/' && !strncmp(path, line, n)))
			k->keys[i].locked = true;
	}
}

/* A file begins outside of any group. */
static bool is_keyfile(void *ctx, const char *name)
{
	struct keyfile *k = ctx;

	k->group[0] = 0;
	return name[0] != '.' && strcmp(name, "locks") != 0;
}

/* The system databases that people's profile names, the lowest first: those above go before. */
struct profile {
	char bases[8][NAME_SIZE];
	unsigned n;
};
static void meet_profile(void *ctx, char *line)
{
	struct profile *p = ctx;

	line[strcspn(line, "# \t")] = 0;
	if (!strncmp(line, "system-db:", 10) && line[10] && !strchr(line + 10, '/') && p->n < ARRAY_SIZE(p->bases))
		snprintf(p->bases[p->n++], NAME_SIZE, "%s", line + 10);
}

static int read_dconf(const struct posture_place *at, struct key *keys)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct keyfile k = {.keys = keys};
	struct profile p = {.n = 0};
	char folder[NAME_SIZE + 32];
	int r = posture_read(at, "/etc/dconf/profile/user", &text);

	if (r)
		return r;
	posture_lines(&text, meet_profile, &p);
	while (p.n-- && !r) {
		/* Without its compiled form, dconf knows nothing of it. */
		snprintf(folder, sizeof(folder), "/etc/dconf/db/%s", p.bases[p.n]);
		if (!posture_there(at, folder))
			continue;
		snprintf(folder, sizeof(folder), "/etc/dconf/db/%s.d", p.bases[p.n]);
		r = posture_files(at, folder, is_keyfile, meet_key, &k);
		snprintf(folder, sizeof(folder), "/etc/dconf/db/%s.d/locks", p.bases[p.n]);
		r = r ? r : posture_files(at, folder, is_keyfile, meet_lock, &k);
	}
	return r;
}

/* GVariant's text: "uint32 300", "300". */
static unsigned long seconds_of(const struct key *k, unsigned unit)
{
	const char *at = k->value + strcspn(k->value, " ");

	at = *at ? at : k->value;
	return strtoul(at + strspn(at, " "), NULL, 10) * unit;
}

static int dconf_desktop(const struct posture_place *at, const struct desktop *d, struct posture_fact *f)
{
	struct key keys[KEYS] = {[ENABLED] = {.group = d->group_lock, .name = d->lock},
		[IDLE] = {.group = d->group_idle, .name = d->idle},
		[DELAY] = {.group = d->group_lock, .name = d->delay}};
	unsigned long after;
	int r = read_dconf(at, keys);

	if (r)
		return r;
	if (keys[ENABLED].set && !strcmp(keys[ENABLED].value, "false")) {
		posture_say(f, "%s=off", d->name);
		posture_judge(f, STATE_WEAK);
		return 0;
	}
	if (!keys[ENABLED].locked || !keys[IDLE].set || !keys[IDLE].locked ||
		(keys[DELAY].set && !keys[DELAY].locked)) {
		posture_say(f, "%s=left-to-people", d->name);
		posture_judge(f, STATE_UNKNOWN);
		return 0;
	}
	after = seconds_of(&keys[IDLE], d->idle_unit);
	/* An idle delay of 0 means never. */
	if (after && keys[DELAY].set)
		after += seconds_of(&keys[DELAY], d->idle_unit);
	if (!after)
		posture_say(f, "%s=never", d->name);
	else
		posture_say(f, "%s=%lus", d->name, after);
	posture_judge(f, after && after <= POSTURE_LOCK_MAX ? STATE_GOOD : STATE_WEAK);
	return 0;
}

/* --- Plasma --- */

struct locker {
	bool in, all, off, locked_on, locked_time;
	unsigned long minutes;
};
static void meet_locker(void *ctx, char *line)
{
	struct locker *l = ctx;
	bool fixed = l->all;

	line += strspn(line, " \t");
	if (!strncmp(line, "[$i]", 4)) {
		l->all = true;
	} else if (*line == '[') {
		l->in = !strncmp(line, "[Daemon]", 8);
		if (l->in)
			l->all |= strstr(line + 8, "[$i]") != NULL;
	} else if (l->in) {
		fixed |= strstr(line, "[$i]") != NULL;
		if (!strncmp(line, "Autolock", 8) && strchr(line, '=')) {
			l->off = !strncmp(strchr(line, '=') + 1, "false", 5);
			l->locked_on = fixed;
		} else if (!strncmp(line, "Timeout", 7) && strchr(line, '=')) {
			l->minutes = strtoul(strchr(line, '=') + 1, NULL, 10);
			l->locked_time = fixed;
		}
	}
}

static int plasma(const struct posture_place *at, struct posture_fact *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct locker l = {.minutes = 5}; /* kscreenlocker's own */
	int r = posture_read(at, "/etc/xdg/kscreenlockerrc", &text);

	if (r)
		return r;
	posture_lines(&text, meet_locker, &l);
	/* Immutable as a whole: what it does not say is the default, and stays so. */
	l.locked_on |= l.all;
	l.locked_time |= l.all;
	if (l.off) {
		posture_say(f, "plasma=off");
		posture_judge(f, STATE_WEAK);
	} else if (!l.locked_on || !l.locked_time) {
		posture_say(f, "plasma=left-to-people");
		posture_judge(f, STATE_UNKNOWN);
	} else {
		posture_say(f, "plasma=%lus", l.minutes * 60);
		posture_judge(f, l.minutes && l.minutes * 60 <= POSTURE_LOCK_MAX ? STATE_GOOD : STATE_WEAK);
	}
	return 0;
}

/* --- which of them are here --- */

static const char *const folders[] = {"/usr/share/xsessions", "/usr/share/wayland-sessions"};

/* One desktop has several files: "gnome.desktop", "gnome-wayland.desktop", "gnome-xorg.desktop". */
static bool is_of(const char *session, const char *name)
{
	static const char *const screens[] = {"", "-wayland", "-xorg"};
	size_t n = strlen(name), len, i;

	if (strncmp(session, name, n) != 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(screens); i++) {
		len = strlen(screens[i]);
		if (!strncmp(session + n, screens[i], len) && !strcmp(session + n + len, ".desktop"))
			return true;
	}
	return false;
}

/* -1: none of ours; the number of a desktop; their count: Plasma. */
static int desktop_of(const char *session)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(desktops); i++)
		for (k = 0; k < ARRAY_SIZE(desktops[i].sessions) && desktops[i].sessions[k]; k++)
			if (is_of(session, desktops[i].sessions[k]))
				return (int)i;
	if (!strncmp(session, "plasma", 6))
		return (int)ARRAY_SIZE(desktops);
	return -1;
}

int posture_desktop(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f)
{
	bool seen[ARRAY_SIZE(desktops) + 1] = {false};
	char path[PATH_MAX];
	size_t i;
	int r = 0, which;

	(void)t;
	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_closedir_ DIR *d = posture_path(at, folders[i], path) ? opendir(path) : NULL;
		struct dirent *e;

		while (d && (e = readdir(d))) {
			size_t n = strlen(e->d_name);

			if (n < 9 || strcmp(e->d_name + n - 8, ".desktop") != 0)
				continue;
			which = desktop_of(e->d_name);
			if (which >= 0) {
				seen[which] = true;
				continue;
			}
			posture_say(f, "%.*s=unknown", (int)(n - 8 < 40 ? n - 8 : 40), e->d_name);
			posture_judge(f, STATE_UNKNOWN);
		}
	}
	for (i = 0; i < ARRAY_SIZE(desktops) && !r; i++)
		r = seen[i] ? dconf_desktop(at, &desktops[i], f) : 0;
	if (!r && seen[ARRAY_SIZE(desktops)])
		r = plasma(at, f);
	if (!r && !f->words.n)
		posture_say(f, "desktop=none");
	return r;
}
