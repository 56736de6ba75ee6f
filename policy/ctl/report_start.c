/*
 * `sekishoctl report` where it is given: goes on as sekishoctl-report, which is the same program with report.c. Reports
 * are drawn by libraries that no workstation needs for the rest of sekishoctl.
 */
#include "policy/ctl/ctl.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int command_report(struct ctl *c)
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	int r;

	if (n < 0 || n == sizeof(self) ||
		(size_t)snprintf(path, sizeof(path), "%.*s-report", (int)n, self) >= sizeof(path))
		return complain_of(c, "/proc/self/exe", n < 0 ? -errno : -ENAMETOOLONG, NULL);
	execv(path, c->argv);
	r = -errno;
	if (r == -ENOENT)
		return complain(EXIT_MACHINE,
			SAY(c, "reports are made where the collector is: %s is not installed here",
				"レポートはコレクターのあるコンピューターで作成します(%s "
				"がインストールされていません)"),
			path);
	return complain_of(c, path, r, NULL);
}
