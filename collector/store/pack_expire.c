/*
 * Packs: the bodies whose time is over. Called by store_expire, which is called where a signed record of it stands in
 * the log. Headers, offsets and the bodies of other channels are not touched.
 */
#include "collector/store/pack_parts.h"
#include "policy/base/file.h"
#include <errno.h>
#include <sys/stat.h>

bool packs_have(const struct packs *p, const struct pack *k, unsigned channel, uint64_t *bytes)
{
	char path[PATH_MAX], name[32];
	struct stat st;

	*bytes = 0;
	if (!producer_name(channel) || pack_path(p, k, pack_bodies_name(channel, name), path, sizeof(path)) ||
		lstat(path, &st))
		return false;
	*bytes = (uint64_t)st.st_size;
	return true;
}

int packs_count(struct packs *p, struct pack *k, uint64_t count[PACK_CHANNELS])
{
	uint8_t part[1024 * PLACE_SIZE];
	uint64_t from = 0, i;
	int r = pack_files(p, k, false);

	memset(count, 0, PACK_CHANNELS * sizeof(*count));
	while (!r && from < k->count) {
		uint64_t n = k->count - from < 1024 ? k->count - from : 1024, at;
		unsigned channel;

		r = pack_read_at(k->offsets, part, n * PLACE_SIZE, from * PLACE_SIZE);
		for (i = 0; !r && i < n; i++) {
			if (!pack_place(get_be64(part + i * PLACE_SIZE + 8), &channel, &at))
				r = V_BAD;
			else
				count[channel]++;
		}
		from += n;
	}
	return r > 0 ? V_BAD : r;
}

struct pack *packs_month(struct packs *p, const char *month)
{
	unsigned i;

	for (i = 0; i < p->n; i++)
		if (!strcmp(p->v[i].month, month))
			return &p->v[i];
	return NULL;
}

int packs_expire(struct packs *p, struct pack *k, unsigned channel, uint64_t *freed)
{
	char path[PATH_MAX], name[32];
	int r, fd;

	*freed = 0;
	/* The last one is written, and so is the one before as long as nothing behind it is committed. */
	if (k >= &p->v[p->n - 1] || !k[1].count)
		return V_DENIED;
	r = pack_path(p, k, pack_bodies_name(channel, name), path, sizeof(path));
	r = r ? r : pack_files(p, k, false);
	r = r ? r : pack_bodies(p, k, channel, false, &fd);
	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	packs_have(p, k, channel, freed);
	if (unlink(path) && errno != ENOENT)
		return -errno;
	r = dir_sync(p->dir);
	/* Who reads beside us may have it open for long: the room is free all the same. */
	if (!r && ftruncate(fd, 0))
		r = -errno;
	closep(&k->bodies[channel]);
	return r;
}
