/*
 * `sekishoctl trail`: the life of a file (collector/store/life.h), as lines or NDJSON. Never writes to the store.
 */
#include "collector/store/life.h"
#include "policy/base/clock.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/rows.h"
#include <errno.h>

#define OUT_MAX (256u << 20)
#define ROWS_MAX 100000u

struct showing {
	struct rows rows;
	struct store *store;
	size_t bytes;
};

static int query(void *ctx, const struct store_filter *f, bool first, store_row_fn fn, void *fn_ctx, struct why *why)
{
	const struct showing *s = ctx;

	(void)first; /* all of it may be looked at */
	return store_query(s->store, f, fn, fn_ctx, why);
}

/* The row as it is printed. */
static int make(void *ctx, const struct store_row *row, void **item)
{
	struct showing *s = ctx;
	_cleanup_buf_ struct buf text = BUF_INIT(OUT_MAX - s->bytes);
	int r = rows_put(&s->rows, row, &text);

	r = r ? r : life_item(&text, item);
	if (!r)
		s->bytes += text.n;
	return r;
}

static int print(const struct life *l)
{
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);
	const struct life_row *rows;
	size_t n, i;
	int r = 0;

	rows = life_rows(l, &n);
	for (i = 0; !r && i < n; i++)
		r = buf_puts(&out, rows[i].item);
	if (!r && out.n)
		out_put(&out);
	return r;
}

int command_trail(struct ctl *c)
{
	_cleanup_(store_closep) struct store *s = NULL;
	_cleanup_(life_freep) struct life *l = NULL;
	struct showing shows = {.rows = {.lang = c->lang, .form = option_on(c, OPT_JSON) ? ROWS_JSON : ROWS_LINES}};
	struct life_ways ways = {.query = query, .make = make, .drop = free, .ctx = &shows, .rows_max = ROWS_MAX};
	struct store_filter f;
	struct life_of of;
	struct why why = {""};
	char a[SHOWN_MAX];
	size_t n = 0;
	int r = log_filter(c, clock_wall_us(), &f);

	if (!r && !life_read(c->operands[0], &of))
		r = complain(EXIT_USAGE,
			SAY(c, "%s: a path from the root on, a file's number as device/inode (8:1/1234), or a SHA-256",
				"%s: 絶対パス、ファイル番号(デバイス/iノード、例 8:1/1234)、SHA-256 のいずれか"),
			shown(a, c->operands[0]));
	if (!r)
		r = store_to_search(c, &s);
	if (r)
		return r;
	shows.store = s;
	r = life_gather(&of, &f, &ways, &l, &why);
	r = r ? r : print(l);
	if (r)
		return complain_of(c, "trail", r, &why);
	life_rows(l, &n);
	if (!n && !life_is_cut(l))
		complain(0, SAY(c, "no such records", "該当する記録はありません"));
	if (life_is_cut(l))
		return complain(EXIT_PROBLEM,
			SAY(c, "not all: it has more names or records than are followed; ask for less time",
				"一部のみ: 名前または記録が多すぎます。期間を絞ってください"));
	return EXIT_GOOD;
}
