/*
 * The store's functions, passed on to the engine that an open store has; and those that are the same for every engine.
 */
#include "collector/store/engine.h"
#include "collector/store/bar.h"
#include <errno.h>
#include <string.h>

#define DATABASE "postgresql://"

bool store_is_database(const char *place)
{
	return !strncmp(place, DATABASE, strlen(DATABASE));
}

static const struct store_engine *of(const struct store *s)
{
	return *(const struct store_engine *const *)(const void *)s;
}

int store_open(const struct store_options *o, struct store **out, struct why *why)
{
	return (store_is_database(o->dir) ? &store_postgresql : &store_files)->open(o, out, why);
}

void store_close(struct store *s)
{
	if (s)
		of(s)->close(s);
}

bool store_lost(const struct store *s)
{
	return of(s)->lost && of(s)->lost(s);
}

int store_again(struct store *s, struct why *why)
{
	return of(s)->again ? of(s)->again(s, why) : -EIO;
}

int store_reach(struct store *s)
{
	return of(s)->reach ? of(s)->reach(s) : 0;
}

bool store_full(const struct store *s)
{
	return of(s)->full && of(s)->full(s);
}

int store_append(struct store *s, const struct segment *seg, uint64_t *index)
{
	return of(s)->append(s, seg, index);
}

int store_commit(struct store *s)
{
	return of(s)->commit(s);
}

bool store_waits(const struct store *s)
{
	return of(s)->waits && of(s)->waits(s);
}

bool store_trails(const struct store *s)
{
	return of(s)->trails && of(s)->trails(s);
}

unsigned store_standbys(const struct store *s)
{
	return of(s)->standbys ? of(s)->standbys(s) : 0;
}

void store_promise(struct store *s)
{
	if (of(s)->promise)
		of(s)->promise(s);
}

int store_index_step(struct store *s, unsigned budget, uint64_t *left)
{
	return of(s)->index_step(s, budget, left);
}

int store_index_for(struct store *s, unsigned microseconds, uint64_t *left)
{
	return of(s)->index_for(s, microseconds, left);
}

int store_heads(struct store *s, const struct digest *host, unsigned producer, struct store_head *out, unsigned max,
	unsigned *n)
{
	return of(s)->heads(s, host, producer, out, max, n);
}

unsigned store_server(struct store *s, const struct digest *host)
{
	static const unsigned producers[] = {PRODUCER_COLLECTOR, PRODUCER_CONSOLE, PRODUCER_HERALD};
	struct store_head head;
	unsigned i, n = 0;

	for (i = 0; i < ARRAY_SIZE(producers); i++)
		if (!store_heads(s, host, producers[i], &head, 1, &n) && n)
			return producers[i];
	return 0;
}

int store_find(struct store *s, const struct digest *header_hash, uint64_t *index, uint64_t *seq)
{
	return of(s)->find(s, header_hash, index, seq);
}

int store_has_successor(
	struct store *s, const struct digest *host, unsigned producer, const struct digest *header_hash, bool *yes)
{
	return of(s)->has_successor(s, host, producer, header_hash, yes);
}

int store_epoch(struct store *s, const struct digest *host, unsigned producer, uint64_t number, const uint8_t kid[8],
	struct buf *cert)
{
	return of(s)->epoch(s, host, producer, number, kid, cert);
}

int store_refresh(struct store *s)
{
	return of(s)->refresh(s);
}

uint64_t store_size(const struct store *s)
{
	return of(s)->size(s);
}

struct span store_checkpoint(const struct store *s)
{
	return of(s)->checkpoint(s);
}

int store_prove(struct store *s, uint64_t index, struct merkle_proof *out)
{
	return store_prove_of(s, index, store_size(s), out);
}

int store_prove_of(struct store *s, uint64_t index, uint64_t size, struct merkle_proof *out)
{
	return of(s)->prove_of(s, index, size, out);
}

int store_consistency(struct store *s, uint64_t old_size, struct merkle_proof *out)
{
	return store_consistency_of(s, old_size, store_size(s), out);
}

int store_consistency_of(struct store *s, uint64_t old_size, uint64_t size, struct merkle_proof *out)
{
	return of(s)->consistency_of(s, old_size, size, out);
}

int store_leads_on(struct store *s, uint64_t size, const struct digest *root, const struct checkpoint *now)
{
	struct merkle_proof p = {.n = 0};
	int r = store_consistency_of(s, size, now->size, &p);

	if (r)
		return r;
	return merkle_verify_consistency(size, root, now->size, &now->root, &p) ? V_DENIED : 0;
}

int store_tile(struct store *s, const char *path, struct buf *out)
{
	return of(s)->tile(s, path, out);
}

int store_cosigned(const struct store *s, struct buf *note, uint64_t *size)
{
	return of(s)->cosigned(s, note, size);
}

int store_cosign(struct store *s, struct span note)
{
	return of(s)->cosign(s, note);
}

int store_witness_add(struct store *s, struct span line)
{
	return of(s)->witness_add(s, line);
}

int store_witness_each(const struct store *s, store_witness_fn fn, void *ctx)
{
	return of(s)->witness_each(s, fn, ctx);
}

int store_read(struct store *s, uint64_t index, struct buf *header, struct buf *body, struct why *why)
{
	return of(s)->read(s, index, header, body, why);
}

int store_host_put(struct store *s, const struct store_host *h)
{
	return of(s)->host_put(s, h);
}

int store_host_get(struct store *s, const struct digest *id, struct store_host *out)
{
	return of(s)->host_get(s, id, out);
}

int store_host_each(struct store *s, store_host_fn fn, void *ctx)
{
	static const struct digest least;

	return store_host_after(s, "", &least, fn, ctx);
}

int store_host_after(struct store *s, const char *name, const struct digest *id, store_host_fn fn, void *ctx)
{
	return of(s)->host_after(s, name, id, fn, ctx);
}

int store_months(struct store *s, bool counted, store_month_fn fn, void *ctx)
{
	return of(s)->months(s, counted, fn, ctx);
}

int store_month(struct store *s, const char *month, struct store_month *out)
{
	return of(s)->month(s, month, out);
}

bool store_bodies_there(struct store *s, uint64_t index, unsigned channel, uint64_t *until)
{
	return of(s)->bodies_there(s, index, channel, until);
}

int store_expire(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left)
{
	return of(s)->expire(s, month, channel, freed, left);
}

int store_query(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why)
{
	return of(s)->query(s, f, fn, ctx, why);
}

int store_count(struct store *s, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why)
{
	memset(counts, 0, STORE_KINDS * sizeof(*counts));
	return of(s)->count(s, from_us, until_us, upto, counts, why);
}

int store_last_row(struct store *s, uint64_t *row)
{
	return of(s)->last_row(s, row);
}

int store_rebuild(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why)
{
	return of(s)->rebuild(s, progress, ctx, why);
}

int store_stats(struct store *s, struct store_stats *out)
{
	return of(s)->stats(s, out);
}

int store_hold(struct store *s)
{
	return of(s)->hold(s);
}

int store_set_bar(struct store *s, enum store_bar bar, const char *place)
{
	_cleanup_buf_ struct buf line = BUF_INIT(BAR_MAX);
	int r = bar_write(bar, place, &line);

	return r ? r : of(s)->bar(s, buf_span(&line));
}

int store_get_bar(struct store *s, enum store_bar *bar, struct buf *place)
{
	_cleanup_buf_ struct buf line = BUF_INIT(BAR_MAX);
	struct span at = SPAN("", 0);
	int r = of(s)->barred(s, &line);

	r = r ? r : bar_read(buf_span(&line), bar, &at);
	return r ? r : buf_put_span(place, at);
}

/* --- several collectors --- */

int store_turn(struct store *s, uint64_t *next)
{
	return of(s)->turn(s, next);
}

void store_rest(struct store *s)
{
	if (of(s)->rest)
		of(s)->rest(s);
}

int store_founder(struct store *s, struct digest *out)
{
	return of(s)->founder(s, out);
}

bool store_shares(const struct store *s)
{
	return of(s)->shares && of(s)->shares(s);
}

int store_shelf_get(struct store *s, const char *kind, const char *name, struct buf *value)
{
	return store_shares(s) ? of(s)->shelf_get(s, kind, name, value) : -ENOSYS;
}

int store_shelf_put(struct store *s, const char *kind, const char *name, struct span value, const struct span *before)
{
	if (!store_shares(s))
		return -ENOSYS;
	if (!*kind || !*name || strlen(kind) > SHELF_NAME_MAX || strlen(name) > SHELF_NAME_MAX ||
		value.n > SHELF_VALUE_MAX)
		return -EINVAL;
	return of(s)->shelf_put(s, kind, name, value, before);
}

int store_shelf_drop(struct store *s, const char *kind, const char *name)
{
	return store_shares(s) ? of(s)->shelf_drop(s, kind, name) : -ENOSYS;
}

int store_shelf_each(struct store *s, const char *kind, store_shelf_fn fn, void *ctx)
{
	return store_shares(s) ? of(s)->shelf_each(s, kind, fn, ctx) : -ENOSYS;
}

int store_shelf_last(struct store *s, const char *kind, char name[SHELF_NAME_MAX + 1])
{
	return store_shares(s) ? of(s)->shelf_last(s, kind, name) : -ENOSYS;
}

int store_host_seen(struct store *s, const struct digest *id, int64_t when_us)
{
	struct store_host h;
	int r;

	if (of(s)->host_seen)
		return of(s)->host_seen(s, id, when_us);
	r = store_host_get(s, id, &h);
	h.last_seen_us = when_us;
	return r ? (r > 0 ? 0 : r) : store_host_put(s, &h);
}

int store_hear(struct store *s, store_heard_fn fn, void *ctx)
{
	return store_shares(s) ? of(s)->hear(s, fn, ctx) : -ENOSYS;
}

int store_duty(
	struct store *s, const char *name, const struct digest *who, int64_t now_us, int64_t every_us, int64_t grace_us)
{
	return store_shares(s) ? of(s)->duty(s, name, who, now_us, every_us, grace_us) : -ENOSYS;
}
