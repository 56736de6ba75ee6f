/*
 * See heads.h.
 */
#include "policy/ctl/heads.h"
#include "policy/base/why.h"
#include <errno.h>

#define BUCKETS 8192u

struct head {
	uint64_t size;
	struct digest root;
	struct head *next;
};

struct heads {
	struct head *buckets[BUCKETS];
	unsigned n;
};

int heads_new(struct heads **out)
{
	struct heads *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	*out = h;
	return 0;
}

void heads_free(struct heads *h)
{
	unsigned i;

	if (!h)
		return;
	for (i = 0; i < BUCKETS; i++) {
		struct head *e, *next;

		for (e = h->buckets[i]; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(h);
}

int heads_add(struct heads *h, uint64_t size, const struct digest *root)
{
	struct head **bucket = &h->buckets[size % BUCKETS], *e;

	for (e = *bucket; e; e = e->next)
		if (e->size == size)
			return digest_eq(&e->root, root) ? 0 : V_BAD;
	if (h->n == HEADS_MAX)
		return V_FULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = (struct head){.size = size, .root = *root, .next = *bucket};
	*bucket = e;
	h->n++;
	return 0;
}
