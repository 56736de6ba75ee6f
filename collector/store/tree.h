/*
 * The Merkle log as C2SP tlog-tiles (tlog-tiles.md): hash tiles DIR/log/tile/<level>/<number> and entry bundles
 * DIR/log/tile/entries/<number>, with a .p/<width> behind the name while they are not full.
 *
 * In memory are only the tiles at the right edge. Full tiles are synced when they are made; partial ones are not: they
 * can be made again from the packs. Used by log.c. The tree signs nothing and decides nothing.
 */
#ifndef SEKISHO_STORE_TREE_H
#define SEKISHO_STORE_TREE_H

#include "policy/base/buf.h"
#include "policy/trust/merkle.h"
#include <limits.h>

#define TILE_WIDTH 256u
#define TILE_BITS 8u
#define TREE_LEVELS 7u /* tiles above each other: 2^56 leaves */
#define TILE_CACHE 16u
#define TILE_BUNDLE_MAX (TILE_WIDTH * (2u + 65535u))

/* A tile with all nodes above its hashes up to its own root: row k has TILE_WIDTH >> k of them. */
#define TILE_NODES (2u * TILE_WIDTH - 1u)
#define TILE_ROW(k) (2u * TILE_WIDTH - (2u * TILE_WIDTH >> (k)))

struct tile {
	struct digest h[TILE_NODES];
};

/* Where full tiles of hashes lie, when not in files: no partial ones and no bundles then, which the leaves tell. */
struct tile_place {
	/* Appends the 256 hashes. 0; V_NOT_FOUND; -errno. */
	int (*get)(void *ctx, unsigned level, uint64_t number, struct buf *out);
	int (*put)(void *ctx, unsigned level, uint64_t number, struct span hashes);
};

struct tree {
	char dir[PATH_MAX];             /* DIR/log/tile */
	const struct tile_place *place; /* NULL: files below `dir` */
	void *place_ctx;
	uint64_t size;
	struct tile edge[TREE_LEVELS]; /* each level's last, partial tile */
	struct buf bundle;             /* entries of the last, partial bundle */
	struct {
		bool used;
		unsigned level;
		uint64_t number, when;
		struct tile tile;
	} * cache;
	uint64_t clock;
};

int tree_new(struct tree *t, const char *dir);
void tree_deinit(struct tree *t);

/* The file of a tile below DIR/log/tile; level -1 is a bundle, width TILE_WIDTH a full one. */
void tile_path(char *out, size_t size, const char *dir, int level, uint64_t number, unsigned width);

/* The tile that a path below DIR/log names, "/tile/0/x001/067.p/5"; level -1: a bundle. False where it names none. */
bool tile_named(const char *path, int *level, uint64_t *number, unsigned *width);

/* Adds a leaf; writes the tiles that it fills. 0, -errno. */
int tree_add(struct tree *t, const struct digest *hash, struct span leaf);
/* Writes the partial tiles of a tree that was `before` leaves large when they were written last. 0, -errno. */
int tree_write_edge(struct tree *t, uint64_t before);
/* Writes all partial tiles, whether they are there or not. */
int tree_rewrite_edge(struct tree *t);
/*
 * Takes up a tree of `size` whose full tiles are on disk. `width` leaves of its last, partial tile are added by the
 * caller with tree_add. For reading (`from_files`), the partial tiles are read too. 0; V_NOT_FOUND where a tile is
 * missing; V_BAD with the file; -errno.
 */
int tree_load(struct tree *t, uint64_t size, bool from_files, struct why *why);
/* Of the tree of `size` leaves, as merkle_read_fn. */
int tree_read(void *tree, unsigned level, uint64_t index, struct digest *out);
int tree_root(struct tree *t, struct digest *out);

#endif
