/*
 * The store as a whole: opening and what is compared then, appending, committing, proving, reading. See store.h.
 *
 * Nothing is acknowledged by anybody before store_commit returned 0.
 */
#include "collector/store/bar.h"
#include "collector/store/store_parts.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#define CATCH_UP 16384u /* leaves in one transaction */

static int prepare_dirs(struct store *s)
{
	static const char *const names[] = {"packs", "index", "log", "log/tile"};
	char path[PATH_MAX];
	struct stat st;
	size_t i;
	int r = dir_make(s->dir, 0750);

	for (i = 0; !r && i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		r = dir_make(path, 0750);
	}
	r = r ? r : dir_make(s->state, 0750);
	/* The folders' own names last too. */
	r = r ? r : dir_sync(s->dir);
	snprintf(path, sizeof(path), "%s/..", s->dir);
	if (!r && !stat(path, &st))
		r = dir_sync(path);
	return r;
}

static int take_lock(struct store *s)
{
	char path[PATH_MAX];
	struct stat st;
	int r;

	snprintf(path, sizeof(path), "%s/lock", s->dir);
	r = file_lock(path, &s->lock);
	/* Root on behalf of the collector leaves nothing behind that the collector cannot open. */
	if (!r && !geteuid() && !stat(s->dir, &st) && fchown(s->lock, st.st_uid, st.st_gid))
		r = -errno;
	return r;
}

static int chains_catch_up(struct store *s)
{
	_cleanup_buf_ struct buf leaf = BUF_INIT(SEGMENT_HEADER_MAX);
	struct segment seg;
	uint64_t i, index;
	int r = 0;

	for (i = chains_next(s->chains); !r && i < s->head.size; i++) {
		buf_clear(&leaf);
		r = packs_read(&s->packs, i, &leaf, NULL, NULL);
		r = r ? r : header_parse(buf_span(&leaf), &seg, NULL);
		r = r ? r : chains_add(s->chains, &seg, &index);
		if (!r && i % CATCH_UP == CATCH_UP - 1)
			r = chains_commit(s->chains);
	}
	return r ? r : chains_commit(s->chains);
}

static int open_chains(struct store *s)
{
	char path[PATH_MAX];
	int r = chains_open(s->dir, true, &s->chains);

	if (!r && chains_next(s->chains) <= s->head.size)
		r = chains_catch_up(s);
	else if (!r)
		r = V_BAD;
	if (r != V_BAD && r != V_EXISTS)
		return r;
	/* Damaged, or of another log: it is told again by the leaves. */
	chains_close(s->chains);
	s->chains = NULL;
	snprintf(path, sizeof(path), "%s/index/chains.db", s->dir);
	r = sql_remove(path);
	r = r ? r : chains_open(s->dir, true, &s->chains);
	return r ? r : chains_catch_up(s);
}

static int open_for_writing(struct store *s, struct why *why)
{
	char path[PATH_MAX];
	bool had_hosts;
	int r = prepare_dirs(s);

	r = r || s->lock >= 0 ? r : take_lock(s);
	if (r == V_EXISTS)
		return why_set(why, r, "another process has it open for writing");
	r = r || s->filling ? r : bar_judge((struct store *)s, why);
	r = r ? r : log_load_checkpoint(s, why);
	r = r ? r : packs_open(&s->packs, s->dir, s->filling ? PACKS_FILL : PACKS_WRITE, s->head.size, why);
	r = r ? r : log_load_tree(s, why);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/log/checkpoint", s->dir);
	if (s->note.n)
		r = file_replace_volatile(path, buf_span(&s->note), 0644);
	r = r ? r : open_chains(s);
	if (r)
		return r > 0 ? why_set(why, V_BAD, "index/chains.db: cannot be made from the log") : r;
	snprintf(path, sizeof(path), "%s/index/hosts.db", s->dir);
	had_hosts = !access(path, F_OK);
	r = hosts_open(s->dir, true, &s->hosts);
	if (r > 0)
		return why_set(
			why, V_BAD, "index/hosts.db: damaged; stop the collector and run sekishoctl store rebuild");
	if (!r && !had_hosts && s->head.size)
		r = rebuild_hosts(s, NULL, NULL, why);
	return r;
}

static int open_for_reading(struct store *s, struct why *why)
{
	struct stat st;
	int r;

	if (stat(s->dir, &st))
		return -errno;
	r = log_load_checkpoint(s, why);
	return r ? r : packs_open(&s->packs, s->dir, PACKS_READ, s->head.size, why);
}

static int files_open(const struct store_options *o, struct store **out, struct why *why)
{
	_cleanup_(store_closep) struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->engine = &store_files;
	s->lock = -1;
	s->note = BUF_INIT(NOTE_SIZE_MAX);
	s->log_key = o->log_key;
	s->writable = o->log_key;
	s->filling = o->filling;
	s->now_us = o->now_us ? o->now_us : clock_wall_us;
	if ((size_t)snprintf(s->dir, sizeof(s->dir), "%s", o->dir) >= sizeof(s->dir) ||
		(size_t)snprintf(s->state, sizeof(s->state), o->state_dir ? "%s" : "%s/state",
			o->state_dir ? o->state_dir : o->dir) >= sizeof(s->state))
		return -ENAMETOOLONG;
	if (s->writable &&
		(!o->origin || (size_t)snprintf(s->origin, sizeof(s->origin), "%s", o->origin) >= sizeof(s->origin)))
		return -EINVAL;
	r = tree_new(&s->tree, s->dir);
	r = r ? r : s->writable ? open_for_writing(s, why) : open_for_reading(s, why);
	if (r)
		return r;
	*out = STEAL(s);
	return 0;
}

/* All of it but the lock. */
static void shut(struct store *s)
{
	asking_close(s->asking);
	index_close(s->index);
	if (s->chains)
		chains_rollback(s->chains);
	chains_close(s->chains);
	hosts_close(s->hosts);
	s->asking = NULL;
	s->index = NULL;
	s->chains = NULL;
	s->hosts = NULL;
	if (s->writable)
		packs_undo(&s->packs);
	packs_close(&s->packs);
	tree_deinit(&s->tree);
	s->tree_ready = false;
}

static void files_close(struct store *s)
{
	if (!s)
		return;
	shut(s);
	buf_deinit(&s->note);
	closep(&s->lock);
	free(s);
}

/*
 * Opened anew by who has it open, and goes on to hold the lock: whatever an error left is put in order, and compared,
 * as at a start.
 */
static int files_again(struct store *s, struct why *why)
{
	const uint64_t before = s->head.size;
	int r;

	if (!s->writable || s->filling)
		return -EBUSY;
	s->failed = true;
	shut(s);
	r = tree_new(&s->tree, s->dir);
	r = r ? r : open_for_writing(s, why);
	if (!r && s->head.size < before)
		r = why_set(why, V_BAD, "the log has %llu leaves, and had %llu: it is an old copy",
			(unsigned long long)s->head.size, (unsigned long long)before);
	s->failed = r != 0;
	return r;
}

int store_chains(struct store *s, struct chains **out)
{
	int r = s->failed ? -EIO : s->chains ? 0 : chains_open(s->dir, s->writable, &s->chains);

	if (!r)
		*out = s->chains;
	return r;
}

int store_hosts(struct store *s, struct hosts **out)
{
	int r = s->hosts ? 0 : hosts_open(s->dir, s->writable, &s->hosts);

	if (!r)
		*out = s->hosts;
	return r;
}

/* --- taking in --- */

/* Nothing of the group was signed: back to where the last commit left everything. */
static int undo(struct store *s, int error)
{
	struct why why = {""};
	int r = packs_undo(&s->packs);

	r = r ? r : chains_rollback(s->chains);
	r = r ? r : log_load_tree(s, &why);
	if (r || (error != -ENOSPC && error != -EDQUOT)) {
		s->failed = true;
		return error < 0 ? error : -EIO;
	}
	return V_FULL;
}

static int files_append(struct store *s, const struct segment *seg, uint64_t *index)
{
	int64_t now = s->now_us() / 1000000;
	time_t t = (time_t)now;
	char month[16];
	struct tm tm;
	int r;

	if (s->failed)
		return -EIO;
	if (!s->writable)
		return -EROFS;
	if ((!seg->body.n && !s->filling) || seg->body.n > SEGMENT_BODY_MAX || !gmtime_r(&t, &tm))
		return -EINVAL;
	if (strftime(month, sizeof(month), "%Y-%m", &tm) != 7)
		return -EINVAL;
	if (!packs_room(&s->packs, seg))
		return V_AGAIN;
	r = chains_add(s->chains, seg, index);
	if (r == V_EXISTS)
		return r;
	if (r > 0)
		r = -EIO; /* index/chains.db is damaged: told anew by the leaves when the store is opened again */
	if (r)
		s->failed = true;
	else
		r = packs_append(&s->packs, month, seg);
	return r && !s->failed ? undo(s, r) : r;
}

/* It has no others. */
static int files_turn(struct store *s, uint64_t *next)
{
	if (s->failed)
		return -EIO;
	if (!s->writable)
		return -EROFS;
	*next = s->head.size + s->packs.waiting;
	return 0;
}

static int files_commit(struct store *s)
{
	bool signed_now = false;
	int r;

	if (s->failed)
		return -EIO;
	if (!s->packs.waiting)
		return 0;
	r = packs_sync(&s->packs);
	r = r ? r : log_extend(s, &signed_now);
	if (r && !signed_now)
		return undo(s, r);
	if (!r) {
		packs_done(&s->packs);
		r = chains_commit(s->chains);
	}
	if (r)
		s->failed = true;
	return r > 0 ? -EIO : r;
}

static int make_visible(struct store *s, unsigned budget, int64_t until, bool goes_on, uint64_t *left)
{
	int r;

	if (s->failed)
		return -EIO;
	if (!s->writable)
		return -EROFS;
	r = s->index ? 0 : index_open(s, &s->index);
	r = r ? r : index_step(s, s->index, budget, until, goes_on, left);
	if (r) {
		index_close(s->index);
		s->index = NULL;
	}
	if (r == V_BAD) {
		/* The packs hold all of it. */
		r = index_remove(s->dir);
		r = r ? r : index_open(s, &s->index);
		r = r ? r : index_step(s, s->index, budget, until, goes_on, left);
	}
	return r > 0 ? -EIO : r;
}

static int files_index_step(struct store *s, unsigned budget, uint64_t *left)
{
	return make_visible(s, budget, INT64_MAX, false, left);
}

static int files_index_for(struct store *s, unsigned microseconds, uint64_t *left)
{
	return make_visible(s, UINT_MAX, clock_boot_us() + microseconds, true, left);
}

/* --- chains --- */

static int files_heads(struct store *s, const struct digest *host, unsigned producer, struct store_head *out,
	unsigned max, unsigned *n)
{
	struct chains *c;
	int r = store_chains(s, &c);

	return r ? r : chains_heads(c, host, producer, out, max, n);
}

static int files_find(struct store *s, const struct digest *header_hash, uint64_t *index, uint64_t *seq)
{
	struct chains *c;
	int r = store_chains(s, &c);

	return r ? r : chains_find(c, header_hash, index, seq);
}

static int files_has_successor(
	struct store *s, const struct digest *host, unsigned producer, const struct digest *header_hash, bool *yes)
{
	struct chains *c;
	int r = store_chains(s, &c);

	return r ? r : chains_successor(c, host, producer, header_hash, yes);
}

static int files_epoch(struct store *s, const struct digest *host, unsigned producer, uint64_t number,
	const uint8_t kid[8], struct buf *cert)
{
	struct chains *c;
	int r = store_chains(s, &c);

	return r ? r : chains_epoch(c, host, producer, number, kid, cert);
}

/* --- proving --- */

static int files_refresh(struct store *s)
{
	return log_refresh(s);
}

static uint64_t files_size(const struct store *s)
{
	return s->head.size;
}

static struct span files_checkpoint(const struct store *s)
{
	return buf_span(&s->note);
}

static int tree_of(struct store *s)
{
	int r;

	if (s->tree_ready)
		return 0;
	r = tree_load(&s->tree, s->head.size, true, NULL);
	if (r)
		return r < 0 ? r : -EIO;
	s->tree_ready = true;
	return 0;
}

static int files_prove_of(struct store *s, uint64_t index, uint64_t size, struct merkle_proof *out)
{
	int r;

	if (index >= size || size > s->head.size)
		return V_NOT_FOUND;
	r = tree_of(s);
	return r ? r : merkle_prove_inclusion(index, size, tree_read, &s->tree, out);
}

static int files_consistency_of(struct store *s, uint64_t old_size, uint64_t size, struct merkle_proof *out)
{
	int r;

	if (old_size > size || size > s->head.size)
		return V_NOT_FOUND;
	r = tree_of(s);
	return r ? r : merkle_prove_consistency(old_size, size, tree_read, &s->tree, out);
}

static int files_tile(struct store *s, const char *path, struct buf *out)
{
	char file[PATH_MAX];
	unsigned width;
	uint64_t number;
	int level, r;

	if (!tile_named(path, &level, &number, &width) ||
		(size_t)snprintf(file, sizeof(file), "%s/log%s", s->dir, path) >= sizeof(file))
		return V_NOT_FOUND;
	r = file_read(file, out);
	return r == -EISDIR || r == V_FULL ? V_NOT_FOUND : r;
}

static int files_read(struct store *s, uint64_t index, struct buf *header, struct buf *body, struct why *why)
{
	int r = index >= s->head.size ? log_refresh(s) : 0;

	if (r)
		return r;
	if (index >= s->head.size)
		return why_set(why, V_NOT_FOUND, "leaf %llu: the log has %llu", (unsigned long long)index,
			(unsigned long long)s->head.size);
	return packs_read(&s->packs, index, header, body, why);
}

/* --- PCs --- */

static int files_host_put(struct store *s, const struct store_host *h)
{
	struct hosts *hosts;
	int r = s->writable ? store_hosts(s, &hosts) : -EROFS;

	r = r ? r : hosts_put(hosts, h);
	return r > 0 ? -EIO : r;
}

static int files_host_get(struct store *s, const struct digest *id, struct store_host *out)
{
	struct hosts *hosts;
	int r = store_hosts(s, &hosts);

	return r ? r : hosts_get(hosts, id, out);
}

static int files_host_after(struct store *s, const char *name, const struct digest *id, store_host_fn fn, void *ctx)
{
	struct hosts *hosts;
	int r = store_hosts(s, &hosts);

	return r == V_NOT_FOUND ? 0 : r ? r : hosts_after(hosts, name, id, fn, ctx);
}

/* --- asking --- */

static int asking_of(struct store *s, struct asking **out)
{
	int r = s->asking ? 0 : asking_open(s, &s->asking);

	if (!r)
		*out = s->asking;
	return r;
}

static int files_query(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why)
{
	struct asking *a;
	int r = asking_of(s, &a);

	return r ? r : asking_query(a, f, fn, ctx, why);
}

static int files_count(struct store *s, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why)
{
	struct asking *a;
	int r = asking_of(s, &a);

	return r ? r : asking_count(a, from_us, until_us, upto, counts, why);
}

static int files_last_row(struct store *s, uint64_t *row)
{
	struct asking *a;
	int r = asking_of(s, &a);

	return r ? r : asking_last_row(a, row);
}

static int count_host(void *ctx, const struct store_host *h)
{
	(void)h;
	++*(uint64_t *)ctx;
	return 0;
}

static int files_stats(struct store *s, struct store_stats *out)
{
	struct store_stats st = {0};
	struct asking *a;
	int r = asking_of(s, &a);

	r = r ? r : asking_stats(a, &st);
	r = r ? r : store_host_each(s, count_host, &st.hosts);
	if (r)
		return r;
	st.leaves = s->head.size;
	packs_bytes(&s->packs, &st.header_bytes, &st.body_bytes);
	*out = st;
	return 0;
}

const struct store_engine store_files = {
	.open = files_open,
	.close = files_close,
	.again = files_again,
	.append = files_append,
	.turn = files_turn,
	.commit = files_commit,
	.index_step = files_index_step,
	.index_for = files_index_for,
	.heads = files_heads,
	.find = files_find,
	.has_successor = files_has_successor,
	.epoch = files_epoch,
	.refresh = files_refresh,
	.size = files_size,
	.checkpoint = files_checkpoint,
	.prove_of = files_prove_of,
	.consistency_of = files_consistency_of,
	.tile = files_tile,
	.cosigned = files_cosigned,
	.cosign = files_cosign,
	.witness_add = files_witness_add,
	.witness_each = files_witness_each,
	.read = files_read,
	.host_put = files_host_put,
	.host_get = files_host_get,
	.host_after = files_host_after,
	.months = files_months,
	.month = files_month,
	.bodies_there = files_bodies_there,
	.expire = files_expire,
	.query = files_query,
	.count = files_count,
	.last_row = files_last_row,
	.rebuild = files_rebuild,
	.stats = files_stats,
	.hold = files_hold,
	.bar = files_bar,
	.barred = files_barred,
	.founder = files_founder,
};
