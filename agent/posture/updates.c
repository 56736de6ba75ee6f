/*
 * Updates: what apt would renew now, by the lists that it has (nothing is fetched), and how old those are. `apt-get -s`
 * prints one line "Inst PACKAGE [OLD] (NEW ARCHIVE[, ARCHIVE]... [ARCH])" for each; an archive for security says so in
 * its name, in Debian
 * ("Debian-Security:12/oldstable-security") and in Ubuntu ("Ubuntu:22.04/jammy-security").
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#define ASK_SECONDS 120u

void posture_apt_count(struct span output, uint64_t *updates, uint64_t *security)
{
	const char *at = (const char *)output.p, *end = at + output.n, *stop, *open;

	*updates = *security = 0;
	for (; at < end; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		if (stop - at < 5 || memcmp(at, "Inst ", 5) != 0 || !memchr(at, '[', (size_t)(stop - at)))
			continue;
		open = memchr(at, '(', (size_t)(stop - at));
		/* Without a version before, it is a package that another one now needs. */
		if (!open || memchr(at, '[', (size_t)(stop - at)) > (const void *)open)
			continue;
		++*updates;
		*security += memmem(open, (size_t)(stop - open), "-security", 9) ||
			     memmem(open, (size_t)(stop - open), "-Security:", 10);
	}
}

/* When the lists were last fetched: apt dates each list by its server, so the moment is that at which it was laid
 * there. */
static int64_t lists_age(const struct posture_place *at)
{
	_cleanup_closedir_ DIR *d = NULL;
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	struct stat st;
	int64_t newest = 0;

	/* Fetched, and nothing new: apt's own timer says it here. */
	if (posture_path(at, "/var/lib/apt/periodic/update-success-stamp", path) && stat(path, &st) == 0)
		newest = st.st_mtime;
	if (!posture_path(at, "/var/lib/apt/lists", folder))
		return -1;
	d = opendir(folder);
	while (d && (e = readdir(d)))
		if (strstr(e->d_name, "Release") &&
			(size_t)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) < sizeof(path) &&
			stat(path, &st) == 0 && st.st_ctime > newest)
			newest = st.st_ctime;
	return newest ? (at->now > newest ? at->now - newest : 0) : -1;
}

int posture_updates(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f)
{
	static const char *const args[] = {
		"/usr/bin/apt-get", "-s", "-qq", "-o", "Debug::NoLocking=1", "dist-upgrade", NULL};
	_cleanup_buf_ struct buf output = BUF_INIT(POSTURE_OUTPUT_MAX);
	uint64_t updates, security;
	int64_t age = lists_age(at);

	(void)t;
	if (!posture_there(at, "/var/lib/dpkg/status") || *at->root || !posture_ask(args, ASK_SECONDS, &output)) {
		posture_say(f, "apt=unknown");
		posture_judge(f, STATE_UNKNOWN);
		return 0;
	}
	posture_apt_count(buf_span(&output), &updates, &security);
	posture_say(f, "pending=%llu security=%llu", (unsigned long long)updates, (unsigned long long)security);
	if (age < 0)
		posture_say(f, "lists=none");
	else
		posture_say(f, "lists=%llud", (unsigned long long)age / 86400);
	if (posture_there(at, "/run/reboot-required"))
		posture_say(f, "restart=wanted");
	posture_judge(f, security || age < 0 || age > POSTURE_AGE_MAX ? STATE_WEAK : STATE_GOOD);
	return 0;
}
