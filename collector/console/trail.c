/*
 * The life of a file, by its path, its number or its hash (collector/store/life.h): as an answer for the page, or as a
 * file for spreadsheets. Each question to the store goes through look(), so that nobody sees more than in the logs.
 */
#include "collector/console/csv.h"
#include "collector/console/look.h"
#include "collector/store/life.h"
#include "policy/base/clock.h"
#include "policy/trust/digest.h"
#include <errno.h>

#define LOOK_MOST 50000u    /* records, for all names together */
#define SPEND_US 1000000    /* as long, but for the question at hand */
#define ROWS_MAX 2000u      /* of a life */
#define FILE_MAX (8u << 20) /* bytes */

struct living {
	struct call *x;
	struct search *search;
	uint64_t looked;
	int64_t end_us; /* boot clock */
	/* of a file; else they are made JSON */
	bool file;
	unsigned fields[FIELD_MAX + 1];
	size_t bytes;
};

/* One question: whose rows it wants, and whether it wanted no more of them. */
struct asking {
	store_row_fn fn;
	void *ctx;
	bool ended;
};

static int take(void *ctx, const struct store_row *row)
{
	struct asking *a = ctx;
	int r = a->fn(a->ctx, row);

	a->ended = r == V_END;
	return r;
}

static int query(void *ctx, const struct store_filter *f, bool first, store_row_fn fn, void *fn_ctx, struct why *why)
{
	struct living *v = ctx;
	struct asking a = {.fn = fn, .ctx = fn_ctx};
	const unsigned share = first ? 2 : 1;
	struct looking l = {.c = v->x->c,
		.account = v->x->account,
		.search = v->search,
		.most = (LOOK_MOST - v->looked) / share,
		.take = take,
		.ctx = &a,
		.slice_us = (v->end_us - clock_boot_us()) / share};
	int r;

	if (!l.most || l.slice_us <= 0)
		return V_END;
	v->search->filter = *f;
	r = look(&l, why);
	v->looked += l.looked;
	return r ? r : l.more && !a.ended ? V_END : 0;
}

static int make(void *ctx, const struct store_row *row, void **item)
{
	struct living *v = ctx;
	_cleanup_buf_ struct buf line = BUF_INIT(FILE_MAX - v->bytes);
	int r;

	if (!v->file) {
		*item = record_to_json(row);
		return *item ? 0 : -ENOMEM;
	}
	r = csv_row(row, v->fields, v->search->lang, &line);
	r = r ? r : life_item(&line, item);
	if (!r)
		v->bytes += line.n;
	return r;
}

static void drop_json(void *item)
{
	json_decref(item);
}

/* What the query asks for. False: answered. */
static bool asked(struct call *x, unsigned more, struct search *s, struct life_of *of)
{
	struct why why = {""};

	if (search_parse(x->a->query, SEARCH_TRAIL | more, clock_wall_us(), s, &why))
		reply_error(x, 400, "filter", why.text);
	else if (!s->of || !life_read(s->of, of))
		reply_error(x, 400, "of",
			"of: a path from the root on, a file's number as device/inode (8:1/1234), or a SHA-256");
	else
		return true;
	return false;
}

/* The life; false: answered. */
static bool gather(struct living *v, const struct life_of *of, struct life **out)
{
	struct life_ways ways = {
		.query = query, .make = make, .drop = v->file ? free : drop_json, .ctx = v, .rows_max = ROWS_MAX};
	struct store_filter f = {.from_us = v->search->filter.from_us,
		.until_us = v->search->filter.until_us,
		.host = v->search->filter.host};
	struct why why = {""};
	int r;

	v->end_us = clock_boot_us() + SPEND_US;
	r = life_gather(of, &f, &ways, out, &why);
	v->x->c->count.searches++;
	if (r)
		store_failed(v->x, r, &why);
	return !r;
}

void trail_get(struct call *x)
{
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	_cleanup_(life_freep) struct life *l = NULL;
	struct living v = {.x = x, .search = s};
	const struct life_row *rows;
	struct life_of of;
	json_t *list;
	size_t n, i;

	if (!s)
		reply_error(x, 503, "busy", "no memory");
	if (!s || !asked(x, 0, s, &of) || !gather(&v, &of, &l))
		return;
	rows = life_rows(l, &n);
	if (!tell_view(x, KIND_CONSOLE_SEARCH, x->a->query, n))
		return;
	list = json_array();
	for (i = 0; i < n; i++)
		json_array_append(list, rows[i].item);
	reply(x, json_pack("{s:o, s:b, s:I}", "records", list, "complete", !life_is_cut(l), "looked_at",
			 (json_int_t)v.looked));
}

/* What went out, in the access log, beside that it begins: before the first byte leaves. False: answered. */
static bool told(struct call *x, struct span file, size_t rows, bool cut)
{
	struct told t = {.kind = KIND_CONSOLE_EXPORT,
		.operation = x->a->path,
		.text = cut ? "cut: more names or records than are followed" : "whole",
		.urgent = true};
	struct digest hash;

	digest_of(&hash, &file, 1);
	t.hash = &hash;
	t.count = rows;
	t.has_count = true;
	return tell_call(x, t);
}

/* The same where nothing does. */
static void told_broken(struct call *x, const char *how)
{
	struct told t = {.kind = KIND_CONSOLE_EXPORT,
		.account = x->account->name,
		.address = x->address,
		.operation = x->a->path,
		.text = how,
		.has_count = true,
		.urgent = true};
	int r = tell(x->c, &t);

	if (r)
		console_fail(x->c, r, "access log");
}

/* The head, the rows, and a line of one cell where these are not all, as the register has it. */
static int make_file(const struct living *v, const struct life *l, struct buf *file)
{
	const bool ja = v->search->lang == LANG_JA;
	const struct life_row *rows;
	size_t n, i;
	int r = csv_head(v->fields, v->search->lang, file);

	rows = life_rows(l, &n);
	for (i = 0; i < n && !r; i++)
		r = buf_puts(file, rows[i].item);
	if (r || !life_is_cut(l))
		return r;
	r = record_csv_cell(
		SPAN_STR(ja ? "一部のみ: ほかにも記録があり得ます。期間を短くするか、PCを指定してください。"
			    : "Not all of it: there may be more records. Ask for less time, or for one PC."),
		file);
	return r ? r : buf_puts(file, "\r\n");
}

void trail_csv_get(struct call *x)
{
	struct told begins = {
		.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .text = x->a->query, .urgent = true};
	_cleanup_buf_ struct buf file = BUF_INIT(2 * FILE_MAX);
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	_cleanup_(life_freep) struct life *l = NULL;
	struct living v = {.x = x, .search = s, .file = true};
	struct life_of of;
	size_t n;

	if (!s)
		reply_error(x, 503, "busy", "no memory");
	if (!s || !asked(x, SEARCH_LANG, s, &of) || !tell_call(x, begins))
		return;
	csv_fields(v.fields);
	if (!gather(&v, &of, &l)) {
		told_broken(x, "broken off: it failed");
		return;
	}
	if (make_file(&v, l, &file)) {
		told_broken(x, "broken off: no memory");
		reply_error(x, 503, "busy", "no memory");
		return;
	}
	life_rows(l, &n);
	if (!told(x, buf_span(&file), n, life_is_cut(l)))
		return;
	x->c->count.exports++;
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_header(x->a->req, "Content-Disposition", "attachment; filename=\"sekisho-trail.csv\"");
	answer_send(x->a->req, 200, "text/csv; charset=utf-8", buf_span(&file));
}
