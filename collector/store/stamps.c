/*
 * The folder of timestamps: its names. See stamps.h.
 */
#include "collector/store/stamps.h"
#include "policy/base/file.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 20u

void stamp_path(char out[PATH_MAX], const char *folder, uint64_t size, const char *ending)
{
	snprintf(out, PATH_MAX, "%.*s/%020" PRIu64 ".%s", PATH_MAX - 64, folder, size, ending);
}

bool stamp_name(const char *name, const char *ending, uint64_t *size)
{
	char *end;

	if (strspn(name, "0123456789") != DIGITS || name[DIGITS] != '.' || strcmp(name + DIGITS + 1, ending) != 0)
		return false;
	errno = 0;
	*size = strtoull(name, &end, 10);
	return !errno && end == name + DIGITS && *size;
}

int stamp_find(const char *folder, uint64_t least, uint64_t most, uint64_t *size)
{
	_cleanup_closedir_ DIR *d = opendir(folder);
	struct dirent *e;
	uint64_t n;

	*size = 0;
	if (!d)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	while ((e = readdir(d))) {
		if (!stamp_name(e->d_name, "tsr", &n) || n > most)
			continue;
		/* The first that reaches is better than a later one; of those that do not, a later one is. */
		if (*size >= least ? n >= least && n < *size : n > *size)
			*size = n;
	}
	return 0;
}
