/*
 * The filter's prefixes as the kernel's table has them. See prefixes.h. Called by open.c, in memory alone.
 */
#include "agent/probe/prefixes.h"
#include <string.h>

/* A prefix ends with a component: "P/" for what is below, and "P" with its NUL for the thing itself. */
static bool prefix_key(const char *path, char end, struct probe_prefix *key)
{
	size_t n = strlen(path);

	memset(key, 0, sizeof(*key));
	if (n + 1 > PROBE_PREFIX_MAX)
		return false;
	memcpy(key->path, path, n);
	if (strcmp(path, "/"))
		key->path[n++] = end;
	key->bits = (uint32_t)(8 * n);
	return true;
}

struct prefix *prefixes_find(struct prefixes *all, const struct probe_prefix *key)
{
	unsigned i;

	for (i = 0; i < all->n; i++)
		if (all->at[i].key.bits == key->bits && !memcmp(all->at[i].key.path, key->path, key->bits / 8))
			return &all->at[i];
	return NULL;
}

static struct prefix *prefix_add(struct prefixes *all, const struct probe_prefix *key)
{
	struct prefix *e = prefixes_find(all, key);

	if (e)
		return e;
	if (all->n == PROBE_PREFIXES_MAX)
		return NULL;
	e = &all->at[all->n++];
	*e = (struct prefix){.key = *key};
	return e;
}

/* The level of a folder that no prefix names itself: of the longest one above it. */
static uint32_t level_above(const struct probe_filter *f, const char *folder, size_t n)
{
	unsigned i, level = f->level_all;
	size_t longest = 0;

	for (i = 0; i < f->prefixes; i++) {
		const char *p = f->prefix[i].path;
		size_t m = strcmp(p, "/") ? strlen(p) : 0;

		if (m <= n && !memcmp(p, folder, m) && (folder[m] == '/' || m == n) && m >= longest) {
			longest = m;
			level = f->prefix[i].level;
		}
	}
	return level;
}

/* "/a/b" is named, so that what the filter says of "/a" does not hold for all that lies in it. */
static int prefix_closer(struct prefixes *all, const struct probe_filter *f, const char *path)
{
	struct probe_prefix key;
	const char *slash = strrchr(path, '/');
	char folder[PROBE_PREFIX_MAX];
	struct prefix *e;
	size_t n;

	if (!slash || !slash[1])
		return 0;
	n = (size_t)(slash - path);
	memcpy(folder, path, n);
	folder[n] = 0;
	if (!prefix_key(n ? folder : "/", '/', &key))
		return V_FULL;
	e = prefix_add(all, &key);
	if (!e)
		return V_FULL;
	if (!e->own)
		e->value = level_above(f, folder, n);
	e->value |= PROBE_LEVEL_CLOSER | key.bits << 16;
	return 0;
}

int prefixes_make(struct prefixes *all, const struct probe_filter *f)
{
	static const char ends[] = {'/', 0};
	struct probe_prefix key;
	struct prefix *e;
	unsigned i;
	size_t end;
	int r;

	all->n = 0;
	for (i = 0; i < f->prefixes; i++)
		for (end = 0; end < sizeof(ends); end++) {
			if (!prefix_key(f->prefix[i].path, ends[end], &key))
				return V_FULL;
			e = prefix_add(all, &key);
			if (!e)
				return V_FULL;
			e->own = true;
			e->value = f->prefix[i].level;
		}
	for (i = 0; i < f->prefixes; i++) {
		r = prefix_closer(all, f, f->prefix[i].path);
		if (r)
			return r;
	}
	return 0;
}
