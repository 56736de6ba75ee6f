/*
 * The store's part in retention: what there is by month and channel, and taking the bodies of one away. When, and by
 * whose word, is the collector's to say (../ingest/retention.c); that it is written in the log before, too.
 */
#include "collector/store/store_parts.h"
#include <errno.h>

static int fill(struct store *s, struct pack *k, bool counted, struct store_month *m)
{
	uint64_t count[PACK_CHANNELS] = {0};
	unsigned c;
	int r = counted ? packs_count(&s->packs, k, count) : 0;

	if (r)
		return r;
	*m = (struct store_month){.first = k->first, .count = k->count, .counted = counted};
	memcpy(m->month, k->month, sizeof(m->month));
	m->open = k + 1 >= s->packs.v + s->packs.n || !k[1].count;
	for (c = 0; c < PACK_CHANNELS; c++) {
		m->channels[c].segments = count[c];
		m->channels[c].gone = !packs_have(&s->packs, k, c, &m->channels[c].bytes) && count[c];
	}
	return 0;
}

int files_months(struct store *s, bool counted, store_month_fn fn, void *ctx)
{
	struct store_month m;
	unsigned i;
	int r = log_refresh(s);

	for (i = 0; !r && i < s->packs.n; i++) {
		r = fill(s, &s->packs.v[i], counted, &m);
		r = r ? r : fn(ctx, &m);
	}
	return r == V_END ? 0 : r;
}

int files_month(struct store *s, const char *month, struct store_month *out)
{
	int r = log_refresh(s);
	struct pack *k = r ? NULL : packs_month(&s->packs, month);

	return r ? r : k ? fill(s, k, true, out) : V_NOT_FOUND;
}

bool files_bodies_there(struct store *s, uint64_t index, unsigned channel, uint64_t *until)
{
	const struct pack *k = packs_find(&s->packs, index);
	uint64_t bytes;

	*until = k ? k->first + k->count : index + 1;
	return k && packs_have(&s->packs, k, channel, &bytes);
}

int files_expire(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left)
{
	struct pack *k = packs_month(&s->packs, month);
	int r;

	*freed = 0;
	*left = false;
	if (s->failed)
		return -EIO;
	if (!s->writable)
		return -EROFS;
	if (!k)
		return V_NOT_FOUND;
	if (channel == PRODUCER_COLLECTOR || !producer_name(channel))
		return V_DENIED;
	r = packs_expire(&s->packs, k, channel, freed);
	if (r || !*freed)
		return r;
	/* Its rows go with the file; the other channels' are made again. Where this is cut off, opening it tells. */
	index_close(s->index);
	s->index = NULL;
	return index_forget(s->dir, month);
}
