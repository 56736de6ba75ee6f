/*
 * The PostgreSQL engine: opening and what is compared then, the log as readers see it, proofs. See pg.h.
 */
#include "collector/store/bar.h"
#include "collector/store/fetch.h"
#include "collector/store/postgresql/pg.h"
#include "collector/store/store_parts.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include <errno.h>

#define LEAVES 1024u /* read at a time */

/* --- tiles, for tree.c --- */

static int tile_get(void *ctx, unsigned level, uint64_t number, struct buf *out)
{
	struct pg *p = ctx;
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r;

	arg_int(&a, level);
	arg_int(&a, (int64_t)number);
	/* Within a turn also those that the group itself has filled. */
	r = conn_run(pg_turn(p), "SELECT hashes FROM sekisho.tile WHERE level = $1 AND number = $2", &a, &res);
	if (r)
		return r;
	return PQntuples(res) ? buf_put_span(out, result_bytes(res, 0, 0)) : V_NOT_FOUND;
}

static int tile_put(void *ctx, unsigned level, uint64_t number, struct span hashes)
{
	struct pg *p = ctx;
	struct args a = {.n = 0};

	/* What another collector filled, this one is only taking up; and what is waited for has them already. */
	if (pg_turn(p) != &p->turn)
		return 0;
	arg_int(&a, level);
	arg_int(&a, (int64_t)number);
	arg_bytes(&a, hashes);
	return conn_run(&p->turn, "INSERT INTO sekisho.tile VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", &a, NULL);
}

static const struct tile_place tiles = {.get = tile_get, .put = tile_put};

/* A leaf as it stands in the database: into the tree, and told. */
static int add_leaf(struct pg *p, const PGresult *res, int row, struct why *why)
{
	struct span header = result_bytes(res, row, 1);
	struct digest hash;
	struct segment seg;

	if ((uint64_t)result_int(res, row, 0) != p->tree.size)
		return why_set(why, V_BAD, "leaf %llu: is missing in the database", (unsigned long long)p->tree.size);
	merkle_leaf(header, &hash);
	if (p->other && !header_parse(header, &seg, NULL))
		p->other(p->other_ctx, &seg.header);
	return tree_add(&p->tree, &hash, header);
}

/* The leaves behind the tree, as far as the committed log goes; those of a month at a time. */
static int add_leaves(struct pg *p, struct why *why)
{
	static const char text[] =
		"SELECT idx, header FROM sekisho.leaf WHERE idx >= $1 AND idx < $2 AND month = (SELECT month FROM "
		"sekisho.month WHERE first <= $1 ORDER BY first DESC LIMIT 1) ORDER BY idx";
	int i, r = 0;

	while (!r && p->tree.size < p->head.size) {
		_cleanup_result_ PGresult *res = NULL;
		struct args a = {.n = 0};
		uint64_t left = p->head.size - p->tree.size;

		arg_int(&a, (int64_t)p->tree.size);
		arg_int(&a, (int64_t)(p->tree.size + (left < LEAVES ? left : LEAVES)));
		r = conn_run(&p->side, text, &a, &res);
		if (!r && !PQntuples(res))
			r = why_set(
				why, V_BAD, "leaf %llu: is missing in the database", (unsigned long long)p->tree.size);
		for (i = 0; !r && i < PQntuples(res); i++)
			r = add_leaf(p, res, i, why);
	}
	return r;
}

int pg_tree(struct pg *p, struct why *why)
{
	struct digest root;
	int r = 0;

	if (p->tree_loaded && p->tree.size == p->head.size)
		return 0;
	if (!p->tree_loaded || p->tree.size > p->head.size)
		r = tree_load(&p->tree, p->head.size, false, why);
	p->tree_loaded = false;
	r = r ? r : add_leaves(p, why);
	if (!r && p->head.size)
		r = tree_root(&p->tree, &root);
	if (!r && p->head.size && !digest_eq(&root, &p->head.root))
		r = why_set(why, V_BAD,
			"the database's leaves are not those of its checkpoint, over %llu: it is damaged",
			(unsigned long long)p->head.size);
	p->tree_loaded = !r;
	return r > 0 ? V_BAD : r;
}

/* --- opening --- */

/*
 * What was signed last, as the folder outside of the database has it: the log must have grown from there. An older copy
 * of the database, or a standby that never got what its primary confirmed, has not.
 */
static int judge_state(struct pg *p, struct why *why)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint kept = {.size = 0};
	char path[PATH_MAX];
	struct digest root = {{0}};
	int r;

	snprintf(path, sizeof(path), "%s/checkpoint", p->state);
	r = file_read(path, &note);
	if (r == V_NOT_FOUND)
		return 0; /* of a collector that is new beside this log */
	if (r)
		return r < 0 ? r : why_set(why, V_BAD, "%s: larger than a checkpoint can be", path);
	r = log_judge(p->log_key, p->origin, "state/checkpoint", buf_span(&note), &kept, why);
	if (r)
		return r;
	if (kept.size > p->head.size)
		return why_set(why, V_BAD,
			"the database's log has %llu leaves, but one of %llu was signed: it is an old copy",
			(unsigned long long)p->head.size, (unsigned long long)kept.size);
	r = kept.size ? merkle_root(kept.size, tree_read, &p->tree, &root) : 0;
	if (r)
		return r;
	if (kept.size && !digest_eq(&root, &kept.root))
		return why_set(why, V_BAD,
			"the database's log differs from the last checkpoint signed, over %llu leaves: not the same "
			"log",
			(unsigned long long)kept.size);
	return 0;
}

static bool pg_trails(const struct store *s)
{
	return pg_of(s)->writable && pg_of(s)->wait_ms >= 0;
}

static unsigned pg_standbys(const struct store *s)
{
	return pg_of(s)->standbys;
}

static void pg_promise(struct store *s)
{
	pg_of(s)->promised = pg_trails(s);
}

/*
 * What is written beside the log is not waited for one by one: the next commit of the log that is acknowledged has it
 * before itself (store_trails).
 */
static int trail(struct pg *p)
{
	static const char text[] = "SELECT set_config('synchronous_commit', 'local', false)";

	return pg_trails((struct store *)p) ? conn_run_once(&p->side, text, NULL, NULL) : 0;
}

/* Made already, where somebody has waited for pg_reach. */
static int connect_one(struct pg *p, struct conn *c, struct why *why)
{
	enum conn_use use = !p->writable     ? (p->shows ? CONN_SHOWS : CONN_READS)
			    : p->wait_ms < 0 ? CONN_WRITES
					     : CONN_SERVES;

	return p->reach ? reach_take(p->reach, c, why) : conn_open(c, p->address, use, why);
}

static int open_for_writing(struct pg *p, int ms, struct why *why)
{
	int r = dir_make(p->state, 0750);

	r = r ? r : pg_demand_standbys(p, why);
	r = r ? r : trail(p);
	r = r ? r : connect_one(p, &p->turn, why);
	r = r ? r : pg_lock(&p->turn, p->filling);
	r = r ? r : pg_share(p, why);
	if (r == V_EXISTS)
		return why_set(why, r,
			p->filling ? "a collector has it open" : "its index is being made anew, or it is being moved");
	r = r || p->filling ? r : bar_judge((struct store *)p, why);
	r = r ? r : pg_tree(p, why);
	/* One that is empty is no old copy where it is barred until it has all that the other store has. */
	r = r || (p->filling && !p->head.size) ? r : judge_state(p, why);
	/* Behind the judgement: an old primary that nobody follows any more is told apart, and not waited for. */
	/* It is acknowledged to whoever sends it again, and a crash of the server may have cut it short of its standby.
	 */
	r = r ? r : pg_commit_behind(&p->turn, ms);
	if (r == V_AGAIN)
		p->waits = PG_WAITS_FOUND;
	return r ? r : pg_keep_checkpoint(p);
}

static int new_tree(struct pg *p)
{
	int r = tree_new(&p->tree, "");

	if (!r) {
		p->tree.place = &tiles;
		p->tree.place_ctx = p;
	}
	p->tree_loaded = false;
	return r;
}

static int pg_open(const struct store_options *o, struct store **out, struct why *why)
{
	struct pg *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p)
		return -ENOMEM;
	p->engine = &store_postgresql;
	p->note = BUF_INIT(NOTE_SIZE_MAX);
	p->coming_note = BUF_INIT(NOTE_SIZE_MAX);
	p->leaves = BUF_INIT(PG_GROUP_BYTES + (1u << 20));
	p->bodies = BUF_INIT(PG_GROUP_BYTES + 2 * SEGMENT_BODY_MAX);
	p->log_key = o->log_key;
	p->writable = o->log_key;
	p->filling = o->filling;
	p->shows = o->shows;
	p->wait_ms = o->wait_us ? (int)(o->wait_us / 1000) : -1;
	p->standbys_wanted = o->standbys;
	p->other = o->other;
	p->other_ctx = o->other_ctx;
	p->now_us = o->now_us ? o->now_us : clock_wall_us;
	if ((size_t)snprintf(p->address, sizeof(p->address), "%s", o->dir) >= sizeof(p->address) ||
		(p->writable && o->state_dir &&
			(size_t)snprintf(p->state, sizeof(p->state), "%s", o->state_dir) >= sizeof(p->state)))
		r = -ENAMETOOLONG;
	else if (p->writable &&
		 (!o->state_dir || !o->origin ||
			 (size_t)snprintf(p->origin, sizeof(p->origin), "%s", o->origin) >= sizeof(p->origin)))
		r = -EINVAL;
	r = r ? r : new_tree(p);
	p->month = -1;
	p->group = r || !p->writable ? NULL : malloc(PG_GROUP_MAX * sizeof(*p->group));
	if (!r && p->writable && !p->group)
		r = -ENOMEM;
	r = r ? r : connect_one(p, &p->side, why);
	r = r ? r : pg_look(p, &p->side, why);
	if (!r && p->writable)
		r = open_for_writing(p, -1, why);
	else if (!r)
		r = pg_share(p, why);
	if (r) {
		if (r < 0 && why && !why->text[0] && (p->turn.error[0] || p->side.error[0]))
			why_set(why, 0, "%s", p->turn.error[0] ? p->turn.error : p->side.error);
		store_postgresql.close((struct store *)p);
		return r;
	}
	*out = (struct store *)p;
	return 0;
}

static void pg_close(struct store *s)
{
	struct pg *p = pg_of(s);

	fetch_free(p->fetch);
	pg_forget_counts(p);
	reach_drop(p->reach);
	/* What waits goes on waiting at the server; whoever opens the store again finds out what came of it. */
	if (p->turn.pg && !p->waits) {
		conn_rollback(&p->turn);
		/* Now, not when the server sees that we are gone. */
		conn_run(&p->turn, "SELECT pg_advisory_unlock_all()", NULL, NULL);
	}
	conn_close(&p->turn);
	conn_close(&p->side);
	tree_deinit(&p->tree);
	buf_deinit(&p->note);
	buf_deinit(&p->coming_note);
	buf_deinit(&p->leaves);
	buf_deinit(&p->bodies);
	free(p->group);
	free(p);
}

/* --- lost, and back --- */

static bool pg_lost(const struct store *s)
{
	const struct pg *p = pg_of(s);

	if (!p->writable)
		return p->side.gone || PQstatus(p->side.pg) != CONNECTION_OK;
	return !p->ill && (p->doubt || p->turn.gone || p->side.gone || PQstatus(p->turn.pg) != CONNECTION_OK ||
				  PQstatus(p->side.pg) != CONNECTION_OK);
}

static bool pg_full(const struct store *s)
{
	return pg_of(s)->turn.full || pg_of(s)->side.full;
}

static int pg_reach(struct store *s)
{
	struct pg *p = pg_of(s);
	int r = 0;

	if (!p->writable || p->ill || p->depth)
		return -EBUSY;
	/* As long as there is no room for it the server is left alone. */
	r = p->unkept ? pg_keep_checkpoint(p) : 0;
	if (r || p->waits == PG_WAITS_FOUND)
		return r;
	p->waits = PG_WAITS_NOT;
	/* What is open there is the server's to give up: from here on nobody waits for that one. */
	p->failed = p->doubt = true;
	conn_close(&p->turn);
	conn_close(&p->side);
	if (!p->reach)
		r = reach_begin(p->address, &p->reach);
	return r ? r : reach_done(p->reach) ? 0 : V_AGAIN;
}

/* Connected and compared; does the standby have what was found? */
static int settle(struct pg *p)
{
	int r = conn_commit_answer(&p->turn, 0);

	if (r != V_AGAIN) {
		p->waits = PG_WAITS_NOT;
		r = r ? r : pg_keep_checkpoint(p);
	}
	return r;
}

static int connect_again(struct pg *p, struct why *why)
{
	int r;

	p->waits = PG_WAITS_NOT;
	conn_close(&p->turn);
	conn_close(&p->side);
	pg_give_up_turn(p);
	fetch_free(p->fetch);
	p->fetch = NULL;
	pg_forget_counts(p);
	p->month = -1;
	tree_deinit(&p->tree);
	r = new_tree(p);
	r = r ? r : connect_one(p, &p->side, why);
	/* It is compared with what was known before: smaller, or otherwise, it is another log. */
	r = r ? r : pg_look(p, &p->side, why);
	r = r ? r : open_for_writing(p, p->wait_ms, why);
	reach_drop(p->reach);
	p->reach = NULL;
	return r;
}

static int pg_again(struct store *s, struct why *why)
{
	struct pg *p = pg_of(s);
	int r;

	if (!p->writable || p->ill || p->depth)
		return -EBUSY;
	if (p->reach && !reach_done(p->reach))
		return -EBUSY;
	/* Until all of it has worked nothing does. */
	p->failed = p->doubt = true;
	r = p->waits == PG_WAITS_FOUND ? settle(p) : connect_again(p, why);
	if (r == V_AGAIN)
		why_set(why, 0, "it is there, and a standby that has to have what it says is not");
	if (r < 0 && why && !why->text[0] && (p->turn.error[0] || p->side.error[0]))
		why_set(why, 0, "%s", p->turn.error[0] ? p->turn.error : p->side.error);
	if (!r)
		p->failed = p->doubt = false;
	return r;
}

/* --- the committed log --- */

static int pg_refresh(struct store *s)
{
	return pg_follow(pg_of(s));
}

static uint64_t pg_size(const struct store *s)
{
	return pg_of(s)->head.size;
}

static struct span pg_checkpoint(const struct store *s)
{
	return buf_span(&pg_of(s)->note);
}

static int pg_prove_of(struct store *s, uint64_t index, uint64_t size, struct merkle_proof *out)
{
	struct pg *p = pg_of(s);
	int r;

	if (index >= size || size > p->head.size)
		return V_NOT_FOUND;
	r = pg_tree(p, NULL);
	return r ? (r < 0 ? r : -EIO) : merkle_prove_inclusion(index, size, tree_read, &p->tree, out);
}

static int pg_consistency_of(struct store *s, uint64_t old_size, uint64_t size, struct merkle_proof *out)
{
	struct pg *p = pg_of(s);
	int r;

	if (old_size > size || size > p->head.size)
		return V_NOT_FOUND;
	r = pg_tree(p, NULL);
	return r ? (r < 0 ? r : -EIO) : merkle_prove_consistency(old_size, size, tree_read, &p->tree, out);
}

static int put_entry(struct pg *p, uint64_t index, struct buf *out)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX);
	int r = store_read((struct store *)p, index, &header, NULL, NULL);
	uint8_t length[2] = {(uint8_t)(header.n >> 8), (uint8_t)header.n};

	r = r ? r : buf_put(out, length, sizeof(length));
	return r ? r : buf_put_span(out, buf_span(&header));
}

static int pg_tile(struct store *s, const char *path, struct buf *out)
{
	struct pg *p = pg_of(s);
	struct digest hash;
	unsigned width, i;
	uint64_t number;
	int level, r = 0;

	if (!tile_named(path, &level, &number, &width) || level >= (int)TREE_LEVELS ||
		number * TILE_WIDTH + width > p->head.size >> (level > 0 ? TILE_BITS * level : 0))
		return V_NOT_FOUND;
	r = level < 0 ? 0 : pg_tree(p, NULL);
	for (i = 0; !r && i < width; i++) {
		if (level < 0) {
			r = put_entry(p, number * TILE_WIDTH + i, out);
			continue;
		}
		r = tree_read(&p->tree, TILE_BITS * (unsigned)level, number * TILE_WIDTH + i, &hash);
		r = r ? r : buf_put(out, hash.b, DIGEST_SIZE);
	}
	return r > 0 ? -EIO : r;
}

static int pg_read(struct store *s, uint64_t index, struct buf *header, struct buf *body, struct why *why)
{
#define LEAF(and)                                                                                             \
	"SELECT l.header, b.bytes, $2 <> 0 AND b.part IS NULL AND NOT EXISTS (SELECT FROM sekisho.expired e " \
	"WHERE e.part = l.month * 100 + l.producer) FROM sekisho.leaf l LEFT JOIN sekisho.body b "            \
	"ON b.part = l.month * 100 + l.producer AND b.idx = l.idx AND $2 <> 0" and                            \
		" WHERE l.idx = $1 AND "                                                                      \
		"l.month = (SELECT month FROM sekisho.month WHERE first <= $1 ORDER BY first DESC LIMIT 1)"
	static const char text[] = LEAF(""), divided[] = LEAF(" AND b.host_hash = l.host_hash");
#undef LEAF
	struct pg *p = pg_of(s);
	_cleanup_result_ PGresult *res = NULL;
	struct args a = {.n = 0};
	int r = index >= p->head.size ? pg_refresh(s) : 0;

	if (r)
		return r;
	if (index >= p->head.size)
		return why_set(why, V_NOT_FOUND, "leaf %llu: the log has %llu", (unsigned long long)index,
			(unsigned long long)p->head.size);
	arg_int(&a, (int64_t)index);
	arg_int(&a, body != NULL);
	r = conn_run(&p->side, p->version >= PG_DIVIDED ? divided : text, &a, &res);
	if (r)
		return why_set(why, r, "%s", p->side.error);
	if (!PQntuples(res))
		return why_set(why, V_BAD, "leaf %llu: is missing in the database", (unsigned long long)index);
	r = header ? buf_put_span(header, result_bytes(res, 0, 0)) : 0;
	if (!r && result_int(res, 0, 2))
		return WHY_BOTH(why, V_BAD, "leaf %llu: its body is missing in the database",
			"セグメント %llu: データベースに本文がありません", (unsigned long long)index);
	if (!r && body)
		r = buf_put_span(body, result_bytes(res, 0, 1));
	return r == V_FULL ? why_set(why, V_BAD, "leaf %llu: larger than one can be", (unsigned long long)index) : r;
}

const struct store_engine store_postgresql = {
	.open = pg_open,
	.close = pg_close,
	.lost = pg_lost,
	.reach = pg_reach,
	.full = pg_full,
	.again = pg_again,
	.append = pg_append,
	.turn = pg_begin_turn,
	.commit = pg_commit,
	.waits = pg_waits,
	.trails = pg_trails,
	.promise = pg_promise,
	.standbys = pg_standbys,
	.index_step = pg_index_step,
	.index_for = pg_index_for,
	.heads = pg_heads,
	.find = pg_find,
	.has_successor = pg_has_successor,
	.epoch = pg_epoch,
	.refresh = pg_refresh,
	.size = pg_size,
	.checkpoint = pg_checkpoint,
	.prove_of = pg_prove_of,
	.consistency_of = pg_consistency_of,
	.tile = pg_tile,
	.cosigned = pg_cosigned,
	.cosign = pg_cosign,
	.witness_add = pg_witness_add,
	.witness_each = pg_witness_each,
	.read = pg_read,
	.host_put = pg_host_put,
	.host_get = pg_host_get,
	.host_after = pg_host_after,
	.months = pg_months,
	.month = pg_month,
	.bodies_there = pg_bodies_there,
	.expire = pg_expire,
	.query = pg_query,
	.count = pg_count,
	.last_row = pg_last_row,
	.rebuild = pg_rebuild,
	.stats = pg_stats,
	.hold = pg_hold,
	.bar = pg_bar,
	.barred = pg_barred,
	.rest = pg_rest,
	.founder = pg_founder,
	.shares = pg_shares,
	.shelf_get = pg_shelf_get,
	.shelf_put = pg_shelf_put,
	.shelf_drop = pg_shelf_drop,
	.shelf_each = pg_shelf_each,
	.shelf_last = pg_shelf_last,
	.host_seen = pg_host_seen,
	.hear = pg_hear,
	.duty = pg_duty,
};
