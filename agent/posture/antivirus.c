/*
 * Antivirus: does a scanner run, as a service of the system's, and are its signatures fresh? ClamAV's are dated by
 * themselves: its databases begin with "ClamAV-VDB:23 Nov 2026 08-31 -0500:..." (libclamav/cvd.c). Of other makers only
 * that they run can be told.
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#define SYSTEM_UID_MAX 999u
#define HEADER 64u

static const struct scanner {
	const char *comm; /* 15 bytes at most (PR_SET_NAME in prctl(2)) */
	const char *name;
} scanners[] = {
	{"clamd", "clamav"},
	{"wdavdaemon", "defender"},
	{"falcon-sensor", "falcon"},
	{"ds_agent", "trend-micro"},
	{"esets_daemon", "eset"},
	{"oaeventd", "eset"},
	{"sophos_threat_d", "sophos"},
	{"kesl", "kaspersky"},
	{"cbagentd", "carbon-black"},
	{"sentinelone-age", "sentinelone"},
	{"s1-agent", "sentinelone"},
};

struct running {
	bool clamav, on_access, other;
};

/* A person's program may call itself what it likes: the system's accounts only. */
static void meet_process(const char *proc, const char *pid, struct running *r, struct posture_fact *f)
{
	char path[PATH_MAX], comm[32] = "";
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t n;
	size_t i;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/comm", proc, pid) >= sizeof(path))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 || fstat(fd, &st) || st.st_uid > SYSTEM_UID_MAX ? 0 : read(fd, comm, sizeof(comm) - 1);
	if (n <= 0)
		return;
	comm[strcspn(comm, "\n")] = 0;
	r->on_access |= !strcmp(comm, "clamonacc");
	for (i = 0; i < ARRAY_SIZE(scanners); i++) {
		bool clam = !strcmp(scanners[i].name, "clamav");

		if (strcmp(comm, scanners[i].comm) != 0 || (clam ? r->clamav : r->other))
			continue;
		posture_say(f, "scanner=%s", scanners[i].name);
		*(clam ? &r->clamav : &r->other) = true;
	}
}

static void meet_all(const struct posture_place *at, struct running *r, struct posture_fact *f)
{
	_cleanup_closedir_ DIR *d = NULL;
	char proc[PATH_MAX];
	struct dirent *e;

	if (!posture_path(at, "/proc", proc))
		return;
	d = opendir(proc);
	while (d && (e = readdir(d)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			meet_process(proc, e->d_name, r, f);
}

/* Seconds since 1970 at which a database was made; 0 where there is none. */
static int64_t made(const struct posture_place *at, const char *name)
{
	char path[PATH_MAX], head[HEADER + 1] = "";
	_cleanup_close_ int fd = posture_path(at, name, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct tm tm = {0};

	if (fd < 0 || read(fd, head, HEADER) < 32 || memcmp(head, "ClamAV-VDB:", 11) != 0 ||
		!strptime(head + 11, "%d %b %Y %H-%M %z", &tm))
		return 0;
	return (int64_t)timegm(&tm) - tm.tm_gmtoff;
}

int posture_antivirus(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f)
{
	static const char *const daily[] = {"/var/lib/clamav/daily.cvd", "/var/lib/clamav/daily.cld"};
	struct running r = {0};
	int64_t newest = 0, one;
	size_t i;

	(void)t;
	meet_all(at, &r, f);
	for (i = 0; i < ARRAY_SIZE(daily); i++) {
		one = made(at, daily[i]);
		newest = one > newest ? one : newest;
	}
	if (!r.clamav && !r.other)
		posture_say(f, "scanner=none");
	if (r.clamav) {
		posture_say(f, "on-access=%s", r.on_access ? "yes" : "no");
		if (newest)
			posture_say(
				f, "signatures=%lldd", (long long)(at->now > newest ? (at->now - newest) / 86400 : 0));
		else
			posture_say(f, "signatures=none");
	}
	if (r.clamav)
		posture_judge(f, newest && at->now - newest <= POSTURE_AGE_MAX ? STATE_GOOD : STATE_WEAK);
	else
		posture_judge(f, r.other ? STATE_UNKNOWN : STATE_WEAK);
	return 0;
}
