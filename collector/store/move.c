/*
 * Moving a log from one store to another. See move.h.
 *
 * What must never happen: that a store can be opened by a collector which does not have the whole log. So the target is
 * barred before its first leaf, and the source before the target's bar is taken away.
 */
#include "collector/store/move.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/trust/cosign.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#define GROUP_LEAVES 4096u
#define GROUP_BYTES (16u << 20)
#define INDEX_STEP 1024u
#define LINES_MAX (64u << 20)
#define LEVELS 64u
#define PLACE_MAX 1024u

/* The root of a tree whose leaves come one by one: the complete subtrees of what came, by level. */
struct frontier {
	struct digest at[LEVELS];
	uint64_t size;
};

static void frontier_add(struct frontier *f, struct span leaf)
{
	struct digest h;
	unsigned level = 0;

	for (merkle_leaf(leaf, &h); f->size >> level & 1; level++)
		merkle_node(&f->at[level], &h, &h);
	f->at[level] = h;
	f->size++;
}

static void frontier_root(const struct frontier *f, struct digest *out)
{
	bool begun = false;
	unsigned level;

	for (level = 0; level < LEVELS && f->size >> level; level++) {
		if (!(f->size >> level & 1))
			continue;
		if (begun)
			merkle_node(&f->at[level], out, out);
		else
			*out = f->at[level];
		begun = true;
	}
}

/* What a month has, by the headers that were read back. */
struct counts {
	uint64_t of[CHANNELS_MAX];
};

struct months {
	struct store_month *v;
	unsigned n;
};

struct moving {
	const struct move *m;
	struct verifier log;
	struct store *from, *to, *back; /* back: the target as those see it who read */
	struct months months;           /* of the source */
	struct checkpoint head;         /* of the source, its signature checked */
	/* The group that is being copied. */
	unsigned group_n, month; /* month: where in `months` the next leaf lies */
	uint64_t group_bytes;
	uint32_t with_body, gone; /* channels: of the group; of the month, whose bodies have expired */
	/* What was read back. */
	struct frontier seen;
	struct counts *counts; /* by month */
	unsigned counts_n;
	uint64_t bodies, there_until[CHANNELS_MAX];
	bool there[CHANNELS_MAX];
	struct buf header, body;
	bool times; /* when PCs were heard of last is copied too */
};

/* The middle of the month that leaves are put into: the target's clock. */
static int64_t month_us;

static int64_t month_clock(void)
{
	return month_us;
}

static int set_month(const char *month)
{
	struct tm tm = {.tm_mday = 15, .tm_hour = 12};

	if (!strptime(month, "%Y-%m", &tm))
		return -EINVAL;
	tm.tm_mday = 15;
	month_us = (int64_t)timegm(&tm) * 1000000;
	return 0;
}

/* --- what the source is --- */

static int read_head(struct moving *x, const char *place, struct span note, struct checkpoint *out, struct why *why)
{
	struct why inner = {""};

	if (!note.n) {
		*out = (struct checkpoint){.size = 0};
		return 0;
	}
	if (checkpoint_verify(note, &x->log, out, &inner))
		return WHY_BOTH(why, V_BAD, "%.60s: its checkpoint is not this log's: %.60s",
			"%.60s: このログのチェックポイントではありません: %.60s", place, inner.text);
	return 0;
}

/* Does the source's log lead on from this checkpoint? */
static int leads_on(struct moving *x, const struct checkpoint *c, const char *whose, struct why *why)
{
	int r;

	if (!c->size)
		return 0;
	if (c->size > x->head.size)
		return WHY_BOTH(why, V_BAD,
			"%.60s is over %llu leaves, and %.60s has %llu: that is an older copy of the log",
			"%.60s は %llu 件、%.60s は %llu 件です。古い写しです", whose, (unsigned long long)c->size,
			x->m->from, (unsigned long long)x->head.size);
	r = store_leads_on(x->from, c->size, &c->root, &x->head);
	if (r == V_DENIED)
		return WHY_BOTH(why, V_BAD, "%.80s is of another log: the one in %.80s does not lead on from it",
			"%.80s は別のログのものです。%.80s のログはその続きではありません", whose, x->m->from);
	return r > 0 ? V_BAD : r;
}

static int add_month(void *ctx, const struct store_month *m)
{
	struct months *all = ctx;
	struct store_month *v = realloc(all->v, (all->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	all->v = v;
	v[all->n++] = *m;
	return 0;
}

static int look_at_source(struct moving *x, struct why *why)
{
	struct checkpoint before = x->head;
	int r = store_refresh(x->from);

	x->months.n = 0;
	r = r ? r : store_months(x->from, false, add_month, &x->months);
	r = r ? r : read_head(x, x->m->from, store_checkpoint(x->from), &x->head, why);
	return r ? r : leads_on(x, &before, "what was copied already", why);
}

/* --- copying --- */

static int commit(struct moving *x, struct why *why)
{
	uint64_t left = 1;
	int r = store_commit(x->to);

	x->group_n = 0;
	x->group_bytes = 0;
	x->with_body = 0;
	while (!r && left)
		r = store_index_step(x->to, INDEX_STEP, &left);
	if (r == V_FULL)
		return WHY_BOTH(why, r, "%.120s: its disk is full", "%.120s: ディスクに空きがありません", x->m->to);
	return r;
}

static unsigned month_of(const struct moving *x, uint64_t index, unsigned from)
{
	while (from + 1 < x->months.n && index >= x->months.v[from + 1].first)
		from++;
	return from;
}

/* The month of leaf `index`: groups end where months do. */
static int enter_month(struct moving *x, uint64_t index, struct why *why)
{
	unsigned at = month_of(x, index, x->month);
	int r = 0;

	if (at == x->month && month_us)
		return 0;
	r = x->group_n ? commit(x, why) : 0;
	x->month = at;
	x->gone = 0;
	return r || at >= x->months.n ? r : set_month(x->months.v[at].month);
}

static int append(struct moving *x, const struct segment *seg, uint64_t index, struct why *why)
{
	uint64_t at;
	int r = store_append(x->to, seg, &at);

	if (r == V_AGAIN) {
		r = commit(x, why);
		r = r ? r : store_append(x->to, seg, &at);
	}
	if (r == V_EXISTS || (!r && at != index))
		return WHY_BOTH(why, V_BAD, "leaf %llu: its header is leaf %llu already",
			"セグメント %llu: 同じヘッダーがすでに %llu 番目にあります", (unsigned long long)index,
			(unsigned long long)at);
	return r;
}

/* A leaf of the source, with its body. What is wrong there is said to be wrong there. */
static int read_leaf(struct moving *x, uint64_t index, struct why *why)
{
	struct why what = {""};
	int r;

	buf_clear(&x->header);
	buf_clear(&x->body);
	r = store_read(x->from, index, &x->header, &x->body, &what);
	if (r) {
		why_set(why, r, "%.80s: %.170s", x->m->from, what.text);
		why_set_ja(why, r, "%.80s: %.170s", x->m->from, why_ja(&what));
	}
	return r;
}

/* No body, and that of its channel have not expired: nobody may take that for all right. */
static int judge_missing(struct moving *x, uint64_t index, unsigned channel, struct why *why)
{
	uint64_t until;

	if (!store_bodies_there(x->from, index, channel, &until))
		return 0;
	return WHY_BOTH(why, V_BAD, "%.80s: leaf %llu: its body is missing, and has not expired",
		"%.80s: セグメント %llu: 保存期限内の本文がありません", x->m->from, (unsigned long long)index);
}

static int copy_leaf(struct moving *x, uint64_t index, struct why *why)
{
	struct segment seg;
	struct digest hash;
	uint32_t bit;
	int r = enter_month(x, index, why);

	r = r ? r : read_leaf(x, index, why);
	r = r ? r : header_parse(buf_span(&x->header), &seg, why);
	if (r)
		return r;
	bit = UINT32_C(1) << seg.header.producer;
	seg.body = buf_span(&x->body);
	digest_span(&hash, seg.body);
	if (seg.body.n && (seg.body.n != seg.header.body_len || !digest_eq(&hash, &seg.header.body_hash)))
		return WHY_BOTH(why, V_BAD, "%.80s: leaf %llu: its body is not the one that its header names",
			"%.80s: セグメント %llu: 本文がヘッダーと一致しません", x->m->from, (unsigned long long)index);
	if (!seg.body.n && !(x->gone & bit)) {
		r = judge_missing(x, index, seg.header.producer, why);
		if (r)
			return r;
		x->gone |= bit;
	}
	if (x->gone & bit) {
		/* It expired while the month was being copied: what waits of the channel has a file of its own. */
		r = x->with_body & bit ? commit(x, why) : 0;
		seg.body = SPAN("", 0);
	} else {
		x->with_body |= bit;
	}
	r = r ? r : append(x, &seg, index, why);
	x->group_n++;
	x->group_bytes += x->header.n + x->body.n;
	return r;
}

static int copy(struct moving *x, struct why *why)
{
	uint64_t index = store_size(x->to);
	int r = 0;

	for (; !r && index < x->head.size; index++) {
		r = copy_leaf(x, index, why);
		if (r || (x->group_n < GROUP_LEAVES && x->group_bytes < GROUP_BYTES))
			continue;
		r = commit(x, why);
		if (!r && x->m->told)
			x->m->told(x->m->ctx, index + 1, x->head.size);
	}
	return r ? r : commit(x, why);
}

/* --- reading back --- */

static bool body_there(struct moving *x, uint64_t index, unsigned channel)
{
	if (index >= x->there_until[channel])
		x->there[channel] = store_bodies_there(x->from, index, channel, &x->there_until[channel]);
	return x->there[channel];
}

static int count(struct moving *x, uint64_t index, unsigned channel)
{
	unsigned at = month_of(x, index, x->counts_n ? x->counts_n - 1 : 0);

	if (at >= x->counts_n) {
		struct counts *v = realloc(x->counts, (at + 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		memset(v + x->counts_n, 0, (at + 1 - x->counts_n) * sizeof(*v));
		x->counts = v;
		x->counts_n = at + 1;
	}
	x->counts[at].of[channel]++;
	return 0;
}

static int check_leaf(struct moving *x, uint64_t index, struct why *why)
{
	struct segment seg;
	struct digest hash;
	int r;

	buf_clear(&x->header);
	buf_clear(&x->body);
	r = store_read(x->back, index, &x->header, NULL, why);
	r = r ? r : header_parse(buf_span(&x->header), &seg, why);
	if (r)
		return r;
	frontier_add(&x->seen, buf_span(&x->header));
	r = count(x, index, seg.header.producer);
	if (r || !body_there(x, index, seg.header.producer))
		return r;
	r = store_read(x->back, index, NULL, &x->body, why);
	if (r)
		return r;
	digest_span(&hash, buf_span(&x->body));
	if (!digest_eq(&hash, &seg.header.body_hash))
		return WHY_BOTH(why, V_BAD, "%.80s: leaf %llu: its body came out as another one",
			"%.80s: セグメント %llu: 読み戻した本文が一致しません", x->m->to, (unsigned long long)index);
	x->bodies++;
	return 0;
}

static int read_back(struct moving *x, struct why *why)
{
	int r = store_refresh(x->back);

	memset(x->there_until, 0, sizeof(x->there_until));
	while (!r && x->seen.size < store_size(x->to))
		r = check_leaf(x, x->seen.size, why);
	return r;
}

/* --- what stands beside the log --- */

static int copy_host(void *ctx, const struct store_host *h)
{
	struct moving *x = ctx;
	struct store_host have = {.name = ""};
	int r = store_host_get(x->to, &h->id, &have);

	if (r < 0)
		return r;
	if (!r && !memcmp(&have.tls_key, &h->tls_key, sizeof(h->tls_key)) && !strcmp(have.name, h->name) &&
		have.state == h->state && have.spki_len == h->spki_len && !memcmp(have.spki, h->spki, h->spki_len) &&
		have.enrolled_us == h->enrolled_us && (have.last_seen_us == h->last_seen_us || !x->times))
		return 0;
	return store_host_put(x->to, h);
}

static int gather(void *ctx, struct span line)
{
	struct buf *out = ctx;
	int r = buf_put_span(out, line);

	return r ? r : buf_puts(out, "\n");
}

/* Lines that the target does not have: they are only ever added, so what it has is how theirs begin. */
static int copy_witnesses(struct moving *x, struct why *why)
{
	_cleanup_buf_ struct buf have = BUF_INIT(LINES_MAX), all = BUF_INIT(LINES_MAX);
	size_t at, end;
	int r = store_witness_each(x->to, gather, &have);

	r = r ? r : store_witness_each(x->from, gather, &all);
	if (r)
		return r;
	if (have.n > all.n || (have.n && memcmp(have.p, all.p, have.n) != 0))
		return WHY_BOTH(why, V_BAD, "%.120s: has witnesses that are not the source's",
			"%.120s: 移行元にない証人鍵があります", x->m->to);
	for (at = have.n; !r && at < all.n; at = end + 1) {
		end = at + (size_t)((uint8_t *)memchr(all.p + at, '\n', all.n - at) - (all.p + at));
		r = store_witness_add(x->to, SPAN(all.p + at, end - at));
	}
	return r;
}

static int copy_cosigned(struct moving *x)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), have = BUF_INIT(NOTE_SIZE_MAX);
	uint64_t size;
	int r = store_cosigned(x->from, &note, &size);

	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	r = store_cosigned(x->to, &have, &size);
	if (r < 0 || (!r && span_eq(buf_span(&note), buf_span(&have))))
		return r;
	return store_cosign(x->to, buf_span(&note));
}

/*
 * While a collector waits for it, only what it cannot hear anew: each PC tells by its next request that it is there,
 * and thousands of them are thousands of commits.
 */
static int copy_beside(struct moving *x, bool held, struct why *why)
{
	int r;

	x->times = !held;
	r = store_host_each(x->from, copy_host, x);

	r = r ? r : copy_witnesses(x, why);
	return r ? r : copy_cosigned(x);
}

/* --- the end --- */

/*
 * Counted by the headers that were read back, whose root is the source's: a source whose collector was killed has
 * more in its files than was ever in its log.
 */
static int compare_month(struct moving *x, unsigned at, struct why *why)
{
	const struct store_month *m = &x->months.v[at];
	uint64_t end = at + 1 < x->months.n ? x->months.v[at + 1].first : x->head.size, until, freed;
	bool gone[CHANNELS_MAX] = {false}, left;
	struct store_month t;
	unsigned c;
	int r = 0;

	if (m->first >= x->head.size || at >= x->counts_n)
		return 0;
	for (c = 0; !r && c < CHANNELS_MAX; c++) {
		gone[c] = x->counts[at].of[c] && !store_bodies_there(x->from, m->first, c, &until);
		r = gone[c] ? store_expire(x->to, m->month, c, &freed, &left) : 0;
	}
	r = r ? r : store_refresh(x->back);
	r = r ? r : store_month(x->back, m->month, &t);
	if (r)
		return r;
	end = end < x->head.size ? end : x->head.size;
	if (t.first != m->first || t.count != end - m->first)
		return WHY_BOTH(why, V_BAD, "%.80s: %s has %llu segments from leaf %llu, not %llu from leaf %llu",
			"%.80s: %s のセグメントが %llu 件(%llu から)で、%llu 件(%llu から)ではありません", x->m->to,
			m->month, (unsigned long long)t.count, (unsigned long long)t.first,
			(unsigned long long)(end - m->first), (unsigned long long)m->first);
	for (c = 0; c < CHANNELS_MAX; c++)
		if (t.channels[c].segments != x->counts[at].of[c] || t.channels[c].gone != gone[c])
			return WHY_BOTH(why, V_BAD, "%.80s: %s: channel %u is not what it is in the source",
				"%.80s: %s: チャンネル %u が移行元と一致しません", x->m->to, m->month, c);
	return 0;
}

static int compare(struct moving *x, struct why *why)
{
	struct checkpoint to;
	struct digest root = {{0}};
	unsigned i;
	int r = read_head(x, x->m->to, store_checkpoint(x->back), &to, why);

	frontier_root(&x->seen, &root);
	if (!r && (to.size != x->head.size || x->seen.size != x->head.size))
		return WHY_BOTH(why, V_BAD, "%.80s: has %llu leaves, not %llu",
			"%.80s: %llu 件あり、%llu 件ではありません", x->m->to, (unsigned long long)to.size,
			(unsigned long long)x->head.size);
	if (!r && (!digest_eq(&root, &x->head.root) || !digest_eq(&to.root, &x->head.root)))
		return WHY_BOTH(why, V_BAD, "%.80s: its Merkle root is not the source's, over %llu leaves",
			"%.80s: マークル根が移行元と一致しません(%llu 件)", x->m->to, (unsigned long long)x->head.size);
	for (i = 0; !r && i < x->months.n; i++)
		r = compare_month(x, i, why);
	return r;
}

/*
 * The source first: from here on no collector can open either, and whoever is called again only goes on with this. A
 * copy stays one, and what is restored out of one leaves it as it is.
 */
static int hand_over(struct moving *x)
{
	int r = x->m->as == MOVE_OVER ? store_set_bar(x->from, STORE_MOVED, x->m->to) : 0;

	return r || x->m->as == MOVE_BACKUP ? r : store_set_bar(x->to, STORE_OPEN, "");
}

/* --- the beginning --- */

/* The last checkpoint that a collector signed over the target's kind of store: an old copy is not moved over it. */
static int judge_kept(struct moving *x, struct why *why)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct checkpoint kept;
	char path[PATH_MAX];
	int r;

	if (!x->m->to_state)
		return 0;
	snprintf(path, sizeof(path), "%s/checkpoint", x->m->to_state);
	r = file_read(path, &note);
	if (r)
		return r == V_NOT_FOUND ? 0 : r;
	r = read_head(x, path, buf_span(&note), &kept, why);
	return r ? r : leads_on(x, &kept, path, why);
}

static int judge_seen(struct moving *x, struct why *why)
{
	struct checkpoint c;
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < x->m->seen_n; i++) {
		r = read_head(x, "the checkpoint that was given", x->m->seen[i], &c, why);
		r = r ? r : leads_on(x, &c, "the checkpoint that was given", why);
	}
	return r;
}

/* Nobody fills a copy into what is none, and nothing is copied into itself. */
static int bar_target(struct moving *x, enum store_bar before, struct span place, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PLACE_MAX);
	enum store_bar bar, mine = x->m->as == MOVE_BACKUP ? STORE_COPY : STORE_FILLING;
	int r = store_get_bar(x->to, &bar, &text);

	if (!r && mine == STORE_COPY && store_size(x->to) && bar != STORE_COPY)
		return WHY_BOTH(why, V_BAD, "%.120s: is a store, and no copy of one",
			"%.120s: 写しではなく、稼働用の保存場所です", x->m->to);
	r = r ? r : store_set_bar(x->to, mine, x->m->from);
	if (r == -ENOENT && store_is_database(x->m->to))
		return why_set(why, r, "the database's tables are of an older version: it has no sekisho.barred");
	buf_clear(&text);
	r = r ? r : store_get_bar(x->from, &bar, &text);
	if (r || bar == before)
		return r;
	buf_clear(&text);
	r = buf_put_span(&text, place);
	store_set_bar(x->to, before, buf_str(&text) ? (const char *)text.p : "");
	return r ? r : WHY_BOTH(why, V_BAD, "%.120s is the same store", "%.120s は同じ保存場所です", x->m->to);
}

static int open_target(struct moving *x, enum store_bar before, struct span place, struct why *why)
{
	struct store_options o = {.dir = x->m->to,
		.state_dir = x->m->to_state,
		.origin = x->m->origin,
		.log_key = x->m->log_key,
		.now_us = month_clock,
		.filling = true};
	struct store_options back = {.dir = x->m->to};
	struct checkpoint c;
	int r = store_open(&o, &x->to, why);

	r = r ? r : read_head(x, x->m->to, store_checkpoint(x->to), &c, why);
	r = r ? r : leads_on(x, &c, x->m->to, why);
	r = r ? r : bar_target(x, before, place, why);
	return r ? r : store_open(&back, &x->back, why);
}

/* May the log be taken from here? */
static int judge_source(struct moving *x, enum store_bar bar, struct buf *place, struct why *why)
{
	if (bar == STORE_COPY && x->m->as != MOVE_RESTORE)
		return WHY_BOTH(why, V_BAD, "%.120s: is a copy: sekishoctl store restore puts it to use",
			"%.120s: 写しです。使うには sekishoctl store restore を実行してください", x->m->from);
	if (bar == STORE_OLD)
		return WHY_BOTH(why, V_BAD, "%.120s: is an older copy of the log: PCs have seen more",
			"%.120s: ログの古い写しです。PC はより新しい状態を見ています", x->m->from);
	if (bar == STORE_FILLING)
		return WHY_BOTH(why, V_BAD, "%.120s: is being filled itself: it is no whole log",
			"%.120s: 移行の途中です。完全なログではありません", x->m->from);
	/* Two copies of one log that both went on would be two logs. */
	if (bar == STORE_MOVED && (x->m->as != MOVE_OVER || !span_eq(buf_span(place), SPAN_STR(x->m->to))))
		return WHY_BOTH(why, V_BAD, "%.60s: the log was moved from there to %.120s: take it from where it is",
			"%.60s: ログは %.120s に移行済みです。現在の場所を指定してください", x->m->from,
			buf_str(place) ? (const char *)place->p : "");
	return 0;
}

static int begin(struct moving *x, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024), place = BUF_INIT(PLACE_MAX);
	struct store_options o = {.dir = x->m->from};
	enum store_bar bar = STORE_OPEN;
	int r = verifier_encode(x->m->origin, x->m->log_key, &text);

	month_us = 0;
	r = r ? r : verifier_decode(buf_span(&text), &x->log, why);
	r = r ? r : store_open(&o, &x->from, why);
	r = r ? r : store_get_bar(x->from, &bar, &place);
	r = r ? r : judge_source(x, bar, &place, why);
	r = r ? r : look_at_source(x, why);
	r = r ? r : judge_kept(x, why);
	r = r ? r : judge_seen(x, why);
	return r ? r : open_target(x, bar, buf_span(&place), why);
}

/* Is what was copied all there will be? Else somebody still adds to it, and is waited for where that has an end. */
static int settle(struct moving *x, bool *held, struct why *why)
{
	int r;

	*held = x->m->as == MOVE_BACKUP;
	r = *held ? 0 : store_hold(x->from);
	*held |= !r;
	if (r != V_EXISTS)
		return r;
	if (x->m->as == MOVE_OVER)
		return x->m->level(x->m->ctx, x->head.size);
	return WHY_BOTH(why, r, "%.120s: a collector has it open", "%.120s: コレクターが使用中です", x->m->from);
}

static int go(struct moving *x, struct moved *out, struct why *why)
{
	bool held = false, level = false;
	int64_t since = 0;
	int r = 0;

	for (;;) {
		r = look_at_source(x, why);
		r = r ? r : copy(x, why);
		r = r ? r : read_back(x, why);
		if (!r && (held || !level))
			r = copy_beside(x, held, why);
		if (r)
			return r;
		level = true;
		if (x->m->told)
			x->m->told(x->m->ctx, x->head.size, x->head.size);
		if (held)
			break;
		since = clock_boot_us();
		r = settle(x, &held, why);
		if (r)
			return r;
		if (x->m->as == MOVE_BACKUP)
			break;
	}
	r = compare(x, why);
	r = r ? r : hand_over(x);
	out->leaves = x->head.size;
	out->bodies = x->bodies;
	out->root = x->head.root;
	out->held_us = clock_boot_us() - since;
	return r;
}

int store_move(const struct move *m, struct moved *out, struct why *why)
{
	struct moving x = {.m = m, .header = BUF_INIT(SEGMENT_HEADER_MAX), .body = BUF_INIT(SEGMENT_BODY_MAX)};
	struct moved done = {.leaves = 0};
	int r = begin(&x, why);

	r = r ? r : go(&x, &done, why);
	store_close(x.back);
	store_close(x.to);
	store_close(x.from);
	verifier_deinit(&x.log);
	free(x.months.v);
	free(x.counts);
	buf_deinit(&x.header);
	buf_deinit(&x.body);
	if (!r)
		*out = done;
	return r;
}
