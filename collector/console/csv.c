/*
 * A search as a file for spreadsheets, streamed: a piece is made when the client has taken the one before. The access
 * log says that it begins before the first byte leaves, and what it was (rows, SHA-256) when it ends, also where the
 * client went away.
 */
#include "collector/console/csv.h"
#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <stddef.h>

#define BOM "\xef\xbb\xbf"
#define EXPORTS_MAX 4u
#define ROWS_MAX 1048575u /* what a spreadsheet takes, with the head */
#define PIECE_ROWS 2000u
#define PIECE_MAX (4u << 20)

struct export
{
	struct held held;
	struct export *next;
	struct console *c;
	struct outgoing by;
	char address[ADDRESS_SIZE], query[CONSOLE_QUERY_MAX];
	struct search search;
	struct digesting *digest;
	unsigned fields[FIELD_MAX + 1];
	uint64_t rows, piece_rows;
	bool all; /* nothing is left to be sent */
	struct buf piece;
};

static void export_free(struct export *e)
{
	struct export **at;

	for (at = &e->c->exports; *at && *at != e; at = &(*at)->next)
		;
	if (*at) {
		*at = e->next;
		e->c->exports_n--;
	}
	digesting_end(e->digest, NULL);
	buf_deinit(&e->piece);
	secret_wipe(&e->by, sizeof(e->by));
	free(e);
}

/* What went out, in the access log. */
static void told_end(struct export *e, const char *how)
{
	struct told t = {.account = e->by.account.name,
		.address = e->address,
		.operation = "/api/v1/records.csv",
		.text = how,
		.count = e->rows};

	outgoing_told(e->c, t, &e->digest);
}

static void on_gone(struct held *h)
{
	struct export *e = (struct export *)((char *)h - offsetof(struct export, held));

	told_end(e, "the client went away");
	export_free(e);
}

static int take(void *ctx, const struct store_row *row)
{
	struct export *e = ctx;
	size_t before = e->piece.n;
	int r;

	if (e->rows == ROWS_MAX || e->piece_rows == PIECE_ROWS)
		return V_END;
	r = csv_row(row, e->fields, e->search.lang, &e->piece);
	/* The piece ends where it is full; this row begins the next one. */
	if (r == V_FULL && e->piece_rows) {
		e->piece.n = before;
		return V_END;
	}
	if (r)
		return r == V_FULL ? -EOVERFLOW : r;
	e->rows++;
	e->piece_rows++;
	return 0;
}

int csv_head(const unsigned *fields, enum record_lang lang, struct buf *out)
{
	int r = buf_puts(out, BOM);

	r = r ? r : record_csv_cell(SPAN_STR(lang == LANG_JA ? "PC名" : "PC name"), out);
	r = r ? r : buf_puts(out, ",");
	return r ? r : record_csv_head(fields, lang, out);
}

int csv_row(const struct store_row *row, const unsigned *fields, enum record_lang lang, struct buf *out)
{
	int r = record_csv_cell(SPAN_STR(row->host_name ? row->host_name : ""), out);

	r = r ? r : buf_puts(out, ",");
	return r ? r : record_csv(&row->record, fields, lang, out);
}

/* The next piece. 0; V_END: that was the last; -errno. */
static int step(struct export *e)
{
	struct looking l = {.c = e->c,
		.account = &e->by.account,
		.search = &e->search,
		.most = 20 * PIECE_ROWS,
		.take = take,
		.ctx = e};
	struct why why = {""};
	int r;

	e->piece_rows = 0;
	r = look(&l, &why);
	if (r)
		return r < 0 ? r : -EIO;
	r = outgoing_send(&e->held, e->digest, &e->piece);
	if (r)
		return r;
	look_on(&l, &e->search);
	return l.more && e->rows < ROWS_MAX ? 0 : V_END;
}

/* Goes on with one. False: it is over, and released. */
static bool go_on(struct export *e)
{
	const char *over = outgoing_over(e->c, &e->by, clock_boot_us());
	int r = over ? V_DENIED : !e->all && stream_waiting(&e->held) < OUTGOING_WAITING_MAX ? step(e) : 0;

	e->all |= r == V_END;
	if (e->all && !over)
		r = stream_drained(&e->held) ? V_END : 0;
	if (!r)
		return true;
	told_end(e, over ? over : r == V_END ? "whole" : "broken off: the store failed");
	stream_finish(&e->held, r == V_END);
	export_free(e);
	return false;
}

void csv_tick(struct console *c)
{
	struct export *e = c->exports, *next;

	for (; e; e = next) {
		next = e->next;
		go_on(e);
	}
}

void csv_stop(struct console *c)
{
	while (c->exports) {
		struct export *e = c->exports;

		told_end(e, "the console stops");
		stream_finish(&e->held, false);
		export_free(e);
	}
}

void csv_fields(unsigned out[FIELD_MAX + 1])
{
	unsigned f, n = 0;

	out[n++] = F_TIME;
	out[n++] = F_KIND;
	for (f = 1; f <= FIELD_MAX; f++)
		if (field_table[f].name && f != F_TIME && f != F_KIND && f != F_BOOT_TIME && n < FIELD_MAX)
			out[n++] = f;
	out[n] = 0;
}

void csv_get(struct call *x)
{
	struct told t = {
		.kind = KIND_CONSOLE_EXPORT, .operation = "/api/v1/records.csv", .text = x->a->query, .urgent = true};
	struct export *e;
	struct why why = {""};
	int r;

	for (e = x->c->exports; e && !digest_eq(&e->by.session, &x->session->id); e = e->next)
		;
	if (e || x->c->exports_n == EXPORTS_MAX) {
		answer_header(x->a->req, "Retry-After", "10");
		reply_error(x, 429, "busy", "too many exports at once");
		return;
	}
	e = calloc(1, sizeof(*e));
	if (!e || digesting_new(&e->digest)) {
		free(e);
		reply_error(x, 503, "busy", "no memory");
		return;
	}
	e->c = x->c;
	outgoing_begin(&e->by, x);
	e->piece = BUF_INIT(PIECE_MAX);
	memcpy(e->address, x->address, sizeof(e->address));
	snprintf(e->query, sizeof(e->query), "%s", x->a->query);
	csv_fields(e->fields);
	r = search_parse(e->query, SEARCH_FILTER | SEARCH_ORDER | SEARCH_LANG, clock_wall_us(), &e->search, &why);
	if (r)
		reply_error(x, 400, "filter", why.text);
	else if ((r = store_of(x->c)))
		store_failed(x, r, &why);
	else if (!tell_call(x, t))
		r = V_FULL;
	else if ((r = held_begin(x->a, &e->held, on_gone)))
		reply_error(x, 503, "busy", "no memory");
	if (r) {
		export_free(e);
		return;
	}
	e->next = x->c->exports;
	x->c->exports = e;
	x->c->exports_n++;
	x->c->count.exports++;
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_header(x->a->req, "Content-Disposition", "attachment; filename=\"sekisho-records.csv\"");
	stream_begin(&e->held, "text/csv; charset=utf-8");
	if (!csv_head(e->fields, e->search.lang, &e->piece))
		go_on(e);
}
