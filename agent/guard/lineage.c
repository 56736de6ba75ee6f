/*
 * Whose a maintenance window is: the ancestors of who asks for it, by /proc, and which of them is the package manager.
 * Called by maintenance.c; process_stat by tell.c too. What /proc says of processes is the kernel's word; names of
 * programs are their owners', and whoever asks is root.
 */
#include "agent/guard/guard.h"
#include <fcntl.h>
#include <limits.h>

#define STAT_TEXT 1024

/* Behind the name, which may hold anything: "S ppid ...", field 22 is the start. */
bool process_stat(pid_t pid, pid_t *parent, uint64_t *start_ticks)
{
	char path[64], text[STAT_TEXT], *at;
	unsigned long long start;
	_cleanup_close_ int fd = -1;
	ssize_t n;
	int ppid, i;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %d", &ppid) != 1)
		return false;
	for (i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, " %llu", &start) != 1)
		return false;
	*parent = ppid;
	*start_ticks = start;
	return true;
}

static void read_name(pid_t pid, char out[LINEAGE_NAME_SIZE])
{
	char path[64], exe[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	name = strrchr(exe, '/');
	snprintf(out, LINEAGE_NAME_SIZE, "%.*s", (int)LINEAGE_NAME_SIZE - 1, name ? name + 1 : exe);
	/* A package manager that has just replaced itself. */
	out[strcspn(out, " ")] = 0;
}

unsigned lineage_read(pid_t pid, struct ancestor out[LINEAGE_MAX])
{
	unsigned n = 0;

	while (pid > 1 && n < LINEAGE_MAX) {
		pid_t parent;

		out[n].pid = pid;
		if (!process_stat(pid, &parent, &out[n].start_ticks))
			break;
		read_name(pid, out[n++].name);
		pid = parent;
	}
	return n;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool is_manager(const char *name)
{
	static const char *const names[] = {"dpkg", "apt", "apt-get", "aptitude", "rpm", "dnf", "dnf-3", "dnf5", "yum",
		"microdnf", "zypper", "packagekitd"};

	return is_one_of(name, names, ARRAY_SIZE(names));
}

/* What only starts something as another user, or in another surrounding, and ends with it. */
static bool is_wrapper(const char *name)
{
	static const char *const names[] = {
		"sudo", "su", "runuser", "doas", "pkexec", "env", "timeout", "nice", "setsid"};

	return is_one_of(name, names, ARRAY_SIZE(names));
}

unsigned lineage_root(const struct ancestor *v, unsigned n)
{
	unsigned i, found = n;

	/* unattended-upgrade and dnf are Python's: what stands right behind a package manager counts as one. */
	for (i = 1; i < n; i++)
		if (is_manager(v[i].name) || (found == i - 1 && !strncmp(v[i].name, "python3", 7)))
			found = i;
	for (i = 1; found == n && i < n; i++)
		if (!is_wrapper(v[i].name))
			found = i;
	return found;
}

bool lineage_lives(pid_t pid, uint64_t start_ticks)
{
	uint64_t start;
	pid_t parent;

	return process_stat(pid, &parent, &start) && start == start_ticks;
}
