/*
 * Tiles: adding leaves at the right edge, reading any subtree's hash. See tree.h.
 */
#include "collector/store/tree.h"
#include "policy/base/file.h"
#include <errno.h>
#include <sys/stat.h>

#define TILE_BYTES (TILE_WIDTH * DIGEST_SIZE)

int tree_new(struct tree *t, const char *dir)
{
	*t = (struct tree){.bundle = BUF_INIT(TILE_BUNDLE_MAX)};
	if ((size_t)snprintf(t->dir, sizeof(t->dir), "%s/log/tile", dir) >= sizeof(t->dir) - 64)
		return -ENAMETOOLONG;
	t->cache = calloc(TILE_CACHE, sizeof(*t->cache));
	return t->cache ? 0 : -ENOMEM;
}

void tree_deinit(struct tree *t)
{
	buf_deinit(&t->bundle);
	free(t->cache);
	t->cache = NULL;
}

/* Numbers are written in groups of three digits, all but the last with an x: 1234067 is x001/x234/067. */
void tile_path(char *out, size_t size, const char *dir, int level, uint64_t number, unsigned width)
{
	char digits[64];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%03llu", (unsigned long long)(number % 1000)), i;
	char place[16], partial[16] = "";

	for (number /= 1000; number; number /= 1000) {
		for (i = n + 1; i-- > 0;)
			digits[i + 5] = digits[i];
		snprintf(place, sizeof(place), "x%03llu/", (unsigned long long)(number % 1000));
		memcpy(digits, place, 5);
		n += 5;
	}
	if (width < TILE_WIDTH)
		snprintf(partial, sizeof(partial), ".p/%u", width);
	if (level < 0)
		snprintf(place, sizeof(place), "entries");
	else
		snprintf(place, sizeof(place), "%d", level);
	snprintf(out, size, "%s/%s/%s%s", dir, place, digits, partial);
}

static const char *digits(const char *p, unsigned least, unsigned most, uint64_t *v)
{
	unsigned n;

	for (n = 0; n < most && p[n] >= '0' && p[n] <= '9'; n++)
		*v = *v * 10 + (unsigned)(p[n] - '0');
	return n < least ? NULL : p + n;
}

bool tile_named(const char *path, int *level, uint64_t *number, unsigned *width)
{
	static const char head[] = "/tile/", entries[] = "entries/", partial[] = ".p/";
	uint64_t v = 0, w = TILE_WIDTH;
	unsigned groups = 0;
	const char *p = path;

	if (strncmp(p, head, sizeof(head) - 1) != 0)
		return false;
	p += sizeof(head) - 1;
	*level = -1;
	if (!strncmp(p, entries, sizeof(entries) - 1)) {
		p += sizeof(entries) - 1;
	} else {
		p = digits(p, 1, 2, &v);
		if (!p || *p++ != '/')
			return false;
		*level = (int)v;
	}
	for (v = 0; *p == 'x'; groups++) {
		p = digits(p + 1, 3, 3, &v);
		if (!p || *p++ != '/' || groups == 5)
			return false;
	}
	p = digits(p, 3, 3, &v);
	if (p && !strncmp(p, partial, sizeof(partial) - 1)) {
		w = 0;
		p = digits(p + sizeof(partial) - 1, 1, 3, &w);
		if (!w || w >= TILE_WIDTH)
			return false;
	}
	*number = v;
	*width = (unsigned)w;
	return p && !*p;
}

/* Makes the folders above `path` below t->dir; new ones are synced into theirs. */
static int make_parents(const struct tree *t, char *path)
{
	char *at = path + strlen(t->dir);
	int r;

	while ((at = strchr(at + 1, '/'))) {
		*at = 0;
		r = mkdir(path, 0750) ? -errno : 0;
		if (!r) {
			char *slash = strrchr(path, '/');

			*slash = 0;
			r = dir_sync(path);
			*slash = '/';
		} else if (r == -ENOENT) {
			/* Its parent is t->dir, which is not there yet. */
			r = dir_make(t->dir, 0750);
			r = r ? r : (mkdir(path, 0750) ? -errno : dir_sync(t->dir));
		}
		*at = '/';
		if (r && r != -EEXIST)
			return r;
	}
	return 0;
}

static int write_tile(const struct tree *t, int level, uint64_t number, unsigned width, struct span bytes)
{
	char path[PATH_MAX];
	int r;

	if (t->place)
		return level < 0 || width < TILE_WIDTH ? 0
						       : t->place->put(t->place_ctx, (unsigned)level, number, bytes);
	tile_path(path, sizeof(path), t->dir, level, number, width);
	r = width == TILE_WIDTH ? file_replace(path, bytes, 0640) : file_replace_volatile(path, bytes, 0640);
	if (r != -ENOENT)
		return r;
	r = make_parents(t, path);
	if (r)
		return r;
	return width == TILE_WIDTH ? file_replace(path, bytes, 0640) : file_replace_volatile(path, bytes, 0640);
}

/* The full tile is there: its partial forms may go (tlog-tiles.md, "Partial Tiles"). */
static void drop_partial(const struct tree *t, int level, uint64_t number)
{
	char path[PATH_MAX], dir[PATH_MAX];
	unsigned w;

	tile_path(dir, sizeof(dir), t->dir, level, number, TILE_WIDTH);
	memcpy(dir + strlen(dir), ".p", 3);
	if (access(dir, F_OK))
		return;
	for (w = 1; w < TILE_WIDTH; w++) {
		tile_path(path, sizeof(path), t->dir, level, number, w);
		unlink(path);
	}
	rmdir(dir);
}

/* Sets hash `at` of the tile, and whatever nodes above are complete by that. */
static void tile_put(struct tile *t, unsigned at, const struct digest *h)
{
	unsigned k;

	t->h[at] = *h;
	for (k = 0; at & 1; k++, at >>= 1)
		merkle_node(&t->h[TILE_ROW(k) + at - 1], &t->h[TILE_ROW(k) + at], &t->h[TILE_ROW(k + 1) + (at >> 1)]);
}

int tree_add(struct tree *t, const struct digest *hash, struct span leaf)
{
	uint8_t length[2] = {(uint8_t)(leaf.n >> 8), (uint8_t)leaf.n};
	struct digest h = *hash;
	uint64_t at = t->size;
	unsigned level;
	int r;

	if (leaf.n > UINT16_MAX)
		return -EMSGSIZE;
	if (!t->place) {
		r = buf_reserve(&t->bundle, sizeof(length) + leaf.n);
		if (r)
			return r < 0 ? r : -ENOMEM;
		buf_put(&t->bundle, length, sizeof(length));
		buf_put_span(&t->bundle, leaf);
	}
	for (level = 0; level < TREE_LEVELS; level++) {
		struct tile *edge = &t->edge[level];

		tile_put(edge, (unsigned)(at % TILE_WIDTH), &h);
		if ((at + 1) % TILE_WIDTH)
			break;
		r = write_tile(t, (int)level, at / TILE_WIDTH, TILE_WIDTH, SPAN(edge->h, TILE_BYTES));
		if (!r && !level)
			r = write_tile(t, -1, at / TILE_WIDTH, TILE_WIDTH, buf_span(&t->bundle));
		if (r)
			return r;
		if (!level)
			buf_clear(&t->bundle);
		h = edge->h[TILE_ROW(TILE_BITS)];
		at /= TILE_WIDTH;
	}
	t->size++;
	return 0;
}

static int write_partial(struct tree *t, unsigned level)
{
	uint64_t n = t->size >> (TILE_BITS * level);
	unsigned width = (unsigned)(n % TILE_WIDTH);
	int r = width ? write_tile(t, (int)level, n / TILE_WIDTH, width, SPAN(t->edge[level].h, width * DIGEST_SIZE))
		      : 0;

	return r || level || !width ? r : write_tile(t, -1, n / TILE_WIDTH, width, buf_span(&t->bundle));
}

int tree_rewrite_edge(struct tree *t)
{
	unsigned level;
	int r = 0;

	for (level = 0; !r && level < TREE_LEVELS; level++) {
		uint64_t n = (t->size >> (TILE_BITS * level)) / TILE_WIDTH;
		char path[PATH_MAX];

		/* A full tile there holds leaves of a commit that never came to its end. */
		tile_path(path, sizeof(path), t->dir, (int)level, n, TILE_WIDTH);
		unlink(path);
		tile_path(path, sizeof(path), t->dir, -1, n, TILE_WIDTH);
		if (!level)
			unlink(path);
		r = write_partial(t, level);
	}
	return r;
}

int tree_write_edge(struct tree *t, uint64_t before)
{
	unsigned level;
	int r = 0;

	for (level = 0; !r && level < TREE_LEVELS; level++) {
		uint64_t now = t->size >> (TILE_BITS * level), was = before >> (TILE_BITS * level), n;

		if (now == was)
			break;
		r = write_partial(t, level);
		for (n = was / TILE_WIDTH; !r && n < now / TILE_WIDTH; n++) {
			drop_partial(t, (int)level, n);
			if (!level)
				drop_partial(t, -1, n);
		}
	}
	return r;
}

/* The first `width` hashes of a tile on disk: of the full one, or of a partial one. */
static int read_tile(
	const struct tree *t, unsigned level, uint64_t number, unsigned width, struct tile *out, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TILE_BYTES);
	char path[PATH_MAX];
	unsigned i;
	int r;

	tile_path(path, sizeof(path), t->dir, (int)level, number, t->place ? TILE_WIDTH : width);
	r = t->place ? t->place->get(t->place_ctx, level, number, &b) : file_read(path, &b);
	if (r == V_NOT_FOUND && width < TILE_WIDTH && !t->place) {
		tile_path(path, sizeof(path), t->dir, (int)level, number, TILE_WIDTH);
		r = file_read(path, &b);
	}
	if (r < 0)
		return r;
	if (r || b.n < width * DIGEST_SIZE)
		return why_set(why, r == V_NOT_FOUND ? V_NOT_FOUND : V_BAD, "%s: %s", path + strlen(t->dir) - 8,
			r == V_NOT_FOUND ? "is missing" : "has the wrong size");
	for (i = 0; i < width; i++) {
		struct digest h;

		memcpy(h.b, b.p + i * DIGEST_SIZE, DIGEST_SIZE);
		tile_put(out, i, &h);
	}
	return 0;
}

static int cached(struct tree *t, unsigned level, uint64_t number, const struct tile **out)
{
	unsigned i, oldest = 0;
	int r;

	for (i = 0; i < TILE_CACHE; i++) {
		if (t->cache[i].used && t->cache[i].level == level && t->cache[i].number == number) {
			t->cache[i].when = ++t->clock;
			*out = &t->cache[i].tile;
			return 0;
		}
		if (!t->cache[i].used || (t->cache[oldest].used && t->cache[i].when < t->cache[oldest].when))
			oldest = i;
	}
	t->cache[oldest].used = false;
	r = read_tile(t, level, number, TILE_WIDTH, &t->cache[oldest].tile, NULL);
	if (r)
		return r < 0 ? r : -EIO;
	t->cache[oldest].used = true;
	t->cache[oldest].level = level;
	t->cache[oldest].number = number;
	t->cache[oldest].when = ++t->clock;
	*out = &t->cache[oldest].tile;
	return 0;
}

int tree_read(void *tree, unsigned level, uint64_t index, struct digest *out)
{
	struct tree *t = tree;
	unsigned row = level / TILE_BITS, bits = level % TILE_BITS, at;
	uint64_t first = index << bits, number = first / TILE_WIDTH;
	const struct tile *tile;
	int r;

	if (row >= TREE_LEVELS)
		return -EOVERFLOW;
	at = (unsigned)(first % TILE_WIDTH);
	if (number == (t->size >> (TILE_BITS * row)) / TILE_WIDTH) {
		tile = &t->edge[row];
	} else {
		r = cached(t, row, number, &tile);
		if (r)
			return r;
	}
	*out = tile->h[TILE_ROW(bits) + (at >> bits)];
	return 0;
}

int tree_root(struct tree *t, struct digest *out)
{
	return merkle_root(t->size, tree_read, t, out);
}

int tree_load(struct tree *t, uint64_t size, bool from_files, struct why *why)
{
	static struct tile full;
	unsigned level, i;
	int r;

	buf_clear(&t->bundle);
	for (i = 0; i < TILE_CACHE; i++)
		t->cache[i].used = false;
	for (level = 0; level < TREE_LEVELS; level++) {
		uint64_t n = size >> (TILE_BITS * level);
		unsigned width = (unsigned)(n % TILE_WIDTH);

		if (!width)
			continue;
		if (from_files) {
			r = read_tile(t, level, n / TILE_WIDTH, width, &t->edge[level], why);
			if (r)
				return r;
			continue;
		}
		for (i = 0; level && i < width; i++) {
			r = read_tile(t, level - 1, n / TILE_WIDTH * TILE_WIDTH + i, TILE_WIDTH, &full, why);
			if (r)
				return r;
			tile_put(&t->edge[level], i, &full.h[TILE_ROW(TILE_BITS)]);
		}
	}
	t->size = from_files ? size : size / TILE_WIDTH * TILE_WIDTH;
	return 0;
}
