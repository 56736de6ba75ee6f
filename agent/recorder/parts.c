/* Where parts of file systems are mounted: see parts.h. Called by steer.c for each mount. */
#include "agent/recorder/parts.h"

/* Does a folder of a file system have another in it, or is it the same? */
static bool holds(const char *folder, const char *other)
{
	size_t n = strcmp(folder, "/") ? strlen(folder) : 0;

	return strncmp(folder, other, n) == 0 && (!other[n] || other[n] == '/');
}

void parts_add(struct parts *p, const struct mount_entry *m)
{
	unsigned i, n = 0;

	if (devices_is_view(m->fs) || (strcmp(m->fs, "overlay") == 0 && strcmp(m->point, "/") != 0))
		return;
	/* "//deleted" stands behind a name that is gone, "/.." before one outside; a namespace has none. */
	if (m->part[0] != '/' || strstr(m->part, "//") || strncmp(m->part, "/../", 4) == 0 ||
		strcmp(m->part, "/..") == 0)
		return;
	for (i = 0; i < p->n; i++)
		if (p->at[i].dev == m->dev && holds(p->at[i].part, m->part))
			return;
	for (i = 0; i < p->n; i++)
		if (p->at[i].dev != m->dev || !holds(m->part, p->at[i].part))
			p->at[n++] = p->at[i];
	p->n = n;
	if (n < PROBE_POINTS_MAX)
		p->at[p->n++] = (struct probe_mount){m->dev, m->part, m->point};
}
