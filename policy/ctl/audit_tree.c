/*
 * See audit_tree.h. Kept are the hashes of all complete subtrees of 256 leaves and more (a quarter byte for each leaf),
 * and the leaves of the last few tiles: enough for the roots that headers speak of shortly after they were made.
 */
#include "policy/ctl/audit_tree.h"
#include <errno.h>

#define LEVELS 64
#define KEPT_LEAVES 65536u /* a ring of the newest leaf hashes */

struct row {
	struct digest *h;
	uint64_t n, cap;
};

struct audit_tree {
	uint64_t size;
	struct digest kept[KEPT_LEAVES];
	struct row rows[LEVELS]; /* by level; those below TILE_HEIGHT stay empty */
};

int audit_tree_new(struct audit_tree **out)
{
	struct audit_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*out = t;
	return 0;
}

void audit_tree_free(struct audit_tree *t)
{
	unsigned i;

	if (!t)
		return;
	for (i = 0; i < LEVELS; i++)
		free(t->rows[i].h);
	free(t);
}

uint64_t audit_tree_size(const struct audit_tree *t)
{
	return t->size;
}

int audit_tree_read(void *tree, unsigned level, uint64_t index, struct digest *out)
{
	struct audit_tree *t = tree;
	struct digest left, right;
	int r;

	if (level >= LEVELS)
		return -EINVAL;
	if (level >= TILE_HEIGHT) {
		if (index >= t->rows[level].n)
			return -EINVAL;
		*out = t->rows[level].h[index];
		return 0;
	}
	if (level == 0) {
		if (index >= t->size)
			return -EINVAL;
		if (t->size - index > KEPT_LEAVES)
			return V_AGAIN;
		*out = t->kept[index % KEPT_LEAVES];
		return 0;
	}
	r = audit_tree_read(t, level - 1, index * 2, &left);
	r = r ? r : audit_tree_read(t, level - 1, index * 2 + 1, &right);
	if (!r)
		merkle_node(&left, &right, out);
	return r;
}

static int put(struct row *row, const struct digest *h)
{
	if (row->n == row->cap) {
		uint64_t cap = row->cap ? row->cap * 2 : 64;
		struct digest *p = realloc(row->h, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		row->h = p;
		row->cap = cap;
	}
	row->h[row->n++] = *h;
	return 0;
}

int audit_tree_add(struct audit_tree *t, const struct digest *leaf)
{
	unsigned level;
	struct digest h;
	int r;

	t->kept[t->size % KEPT_LEAVES] = *leaf;
	t->size++;
	/* Every subtree that this leaf completes. */
	for (level = TILE_HEIGHT; level < LEVELS && t->size % (1ull << level) == 0; level++) {
		uint64_t index = (t->size >> level) - 1;

		if (level == TILE_HEIGHT) {
			struct digest left, right;

			r = audit_tree_read(t, level - 1, index * 2, &left);
			r = r ? r : audit_tree_read(t, level - 1, index * 2 + 1, &right);
			if (r)
				return r;
			merkle_node(&left, &right, &h);
		} else {
			merkle_node(&t->rows[level - 1].h[index * 2], &t->rows[level - 1].h[index * 2 + 1], &h);
		}
		r = put(&t->rows[level], &h);
		if (r)
			return r;
	}
	return 0;
}

int audit_tree_root(struct audit_tree *t, uint64_t size, struct digest *out)
{
	return size > t->size ? -EINVAL : merkle_root(size, audit_tree_read, t, out);
}
