/*
 * The handling register of specific personal information (特定個人情報取扱記録簿): the five records that the guideline
 * asks an office to keep, for a period, from the logs; as PDF to sign and file, as CSV, and as ZIP: the PDF with the
 * contractors' proofs that it names (register_zip.c). Made and streamed a piece at a time.
 *
 * Which records go where is the table below; what a row shows is register_row.c's.
 */
#include "collector/console/register.h"
#include "collector/console/outgoing.h"
#include "collector/console/route.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <stddef.h>

#define REGISTERS_MAX 2u
#define PIECE_ROWS 100u
#define LOOK_MOST 20000u
#define SECTION_ROWS 5000u
#define PIECE_MAX (16u << 20)

static bool holds_numbers(const struct record *r)
{
	return record_has(r, F_MY_NUMBERS) && r->v[F_MY_NUMBERS].u > 0;
}

/* Paper that came out: what was denied, or held, did not. One that was released later is another record. */
static bool is_paper(const struct record *r)
{
	uint64_t action = record_number(r, F_ACTION, ACTION_ALLOW);

	return holds_numbers(r) && action != ACTION_DENY && action != ACTION_HOLD;
}

static bool carries_out(const struct record *r)
{
	return record_has(r, F_WRITTEN) && r->v[F_WRITTEN].u > 0;
}

/* What permissions refused used nothing, and may be as often as somebody likes. */
static bool is_of_policy(const struct record *r)
{
	return record_has(r, F_ACTION);
}

static const struct part {
	unsigned section; /* 1 to 5 */
	bool path;        /* only below the folder, or of the area, that was named */
	bool console;     /* of the console, instead of the PC that was named */
	unsigned kinds[8], classes[3];
	bool (*fits)(const struct record *r); /* NULL: all of them */
} parts[] = {
	{1, true, false, {KIND_FILE, KIND_COPY, KIND_RENAME, KIND_LINK, KIND_SYMLINK}, {0}, NULL},
	{1, true, false, {KIND_FILE_REFUSED}, {0}, is_of_policy},
	{1, false, false, {KIND_PRINT}, {0}, holds_numbers},
	{2, false, false, {KIND_PRINT}, {0}, is_paper},
	{2, true, false, {KIND_COPY}, {CLASS_USB, CLASS_REMOVABLE}, NULL},
	{2, false, false, {KIND_FILE}, {CLASS_USB, CLASS_REMOVABLE}, carries_out},
	{2, false, false, {KIND_DRIVE_FILE}, {0}, holds_numbers},
	{2, false, false, {KIND_PLUG, KIND_UNPLUG}, {0}, record_carries_files},
	{3, true, false, {KIND_UNLINK, KIND_RMDIR, KIND_TRUNCATE}, {0}, NULL},
	{4, false, true, {KIND_CONSOLE_CHANGE}, {0}, proofs_is},
	{5, false, false, {KIND_LOGIN, KIND_LOGOUT, KIND_USER_CHANGE}, {0}, NULL},
	{5, false, true, {KIND_SIGN_IN, KIND_SIGN_IN_REFUSED, KIND_CONSOLE_EXPORT}, {0}, NULL},
};

const struct register_section register_sections[] = {
	{"1. Use and output of files", "1. 特定個人情報ファイルの利用・出力の記録"},
	{"2. Papers and media carried out", "2. 書類・媒体等の持ち運びの記録"},
	{"3. Deletion and disposal", "3. 特定個人情報ファイルの削除・廃棄の記録"},
	{"4. Proof of disposal by contractors", "4. 削除・廃棄を委託した場合の証明"},
	{"5. Use of the information system", "5. 情報システムの利用状況(ログイン・アクセス)の記録"},
};

/* --- its life --- */

static void registering_free(struct registering *g)
{
	struct registering **at;

	for (at = &g->c->registers; *at && *at != g; at = &(*at)->next)
		;
	if (*at) {
		*at = g->next;
		g->c->registers_n--;
	}
	paper_free(g->paper);
	register_zip_free(g->zip);
	digesting_end(g->digest, NULL);
	buf_deinit(&g->out);
	buf_deinit(&g->text);
	secret_wipe(&g->by, sizeof(g->by));
	free(g);
}

static void told_end(struct registering *g, const char *how)
{
	struct told t = {.account = g->by.account.name,
		.address = g->address,
		.operation = g->path,
		.text = how,
		.count = g->rows};

	outgoing_told(g->c, t, &g->digest);
}

static void on_gone(struct held *h)
{
	struct registering *g = (struct registering *)((char *)h - offsetof(struct registering, held));

	told_end(g, "the client went away");
	registering_free(g);
}

static int take_bytes(void *ctx, struct span bytes)
{
	struct registering *g = ctx;

	return g->zip ? register_zip_page(g->zip, bytes) : buf_put_span(&g->out, bytes);
}

static int send_out(struct registering *g)
{
	return outgoing_send(&g->held, g->digest, &g->out);
}

/* --- its parts --- */

/* What the next part asks of the logs. */
static void begin_part(struct registering *g)
{
	const struct part *p = &parts[g->part];
	struct store_filter *f = &g->search.filter;
	unsigned i;

	f->path = p->path ? g->folder : NULL;
	g->search.facts_n = p->path && g->area;
	f->host = p->console ? NULL : g->host;
	f->kinds_n = f->classes_n = 0;
	for (i = 0; i < ARRAY_SIZE(p->kinds) && p->kinds[i]; i++)
		f->kinds[f->kinds_n++] = p->kinds[i];
	for (i = 0; i < ARRAY_SIZE(p->classes) && p->classes[i]; i++)
		f->classes[f->classes_n++] = p->classes[i];
	g->search.has_cursor = false;
	/* An empty section must not say that there was nothing where this account was not shown it. */
	g->outside |= p->console && !account_sees(&g->by.account, producer_name(PRODUCER_CONSOLE));
}

static int take(void *ctx, const struct store_row *row)
{
	struct registering *g = ctx;
	const struct part *p = &parts[g->part];
	int r;

	if (p->fits && !p->fits(&row->record))
		return 0;
	/* By what it is, not by its name: anybody could have that, or write such records. */
	if (p->console && look_server(g->c, &row->host) != PRODUCER_CONSOLE)
		return 0;
	if (g->piece_rows == PIECE_ROWS || g->section_rows == SECTION_ROWS)
		return V_END;
	r = g->zip && p->section == PROOFS_SECTION ? register_zip_proof(g->zip, &row->record, g->section_rows + 1) : 0;
	r = r ? r : register_row(g, p->section, row);
	if (r)
		return r > 0 ? -EOVERFLOW : r;
	g->rows++;
	g->piece_rows++;
	g->section_rows++;
	return 0;
}

/* A section ends with the part before `part`, another begins. */
static int turn_section(struct registering *g)
{
	unsigned last = g->part ? parts[g->part - 1].section : 0;
	unsigned now = g->part < ARRAY_SIZE(parts) ? parts[g->part].section : 0;
	int r = last && last != now ? register_section_end(g) : 0;

	if (!r && now && last != now) {
		g->section_rows = 0;
		g->cut = g->outside = false;
		r = register_section_begin(g, now);
	}
	return r;
}

/* 0; V_END: that was the last; -errno. */
static int step(struct registering *g)
{
	struct looking l = {
		.c = g->c, .account = &g->by.account, .search = &g->search, .most = LOOK_MOST, .take = take, .ctx = g};
	struct why why = {""};
	int r;

	if (g->ended) {
		r = register_zip_step(g->zip);
		return r < 0 ? r : send_out(g) ? -EIO : r;
	}
	if (g->part == ARRAY_SIZE(parts)) {
		r = register_end(g);
		r = r ? r : send_out(g);
		g->ended = true;
		return r ? r : g->zip ? 0 : V_END;
	}
	g->piece_rows = 0;
	r = look(&l, &why);
	if (r)
		return r < 0 ? r : -EIO;
	look_on(&l, &g->search);
	if (l.more && g->section_rows == SECTION_ROWS)
		g->cut = true;
	else if (l.more)
		return send_out(g);
	g->part++;
	r = turn_section(g);
	if (!r && g->part < ARRAY_SIZE(parts))
		begin_part(g);
	return r ? r : send_out(g);
}

/* Goes on with one. False: it is over, and released. */
static bool go_on(struct registering *g)
{
	const char *over = outgoing_over(g->c, &g->by, clock_boot_us());
	int r = over ? V_DENIED : !g->all && stream_waiting(&g->held) < OUTGOING_WAITING_MAX ? step(g) : 0;

	g->all |= r == V_END;
	if (g->all && !over)
		r = stream_drained(&g->held) ? V_END : 0;
	if (!r)
		return true;
	told_end(g, over ? over : r == V_END ? "whole" : "broken off: the store failed");
	stream_finish(&g->held, r == V_END);
	registering_free(g);
	return false;
}

void register_tick(struct console *c)
{
	struct registering *g = c->registers, *next;

	for (; g; g = next) {
		next = g->next;
		go_on(g);
	}
}

void register_stop(struct console *c)
{
	while (c->registers) {
		struct registering *g = c->registers;

		told_end(g, "the console stops");
		stream_finish(&g->held, false);
		registering_free(g);
	}
}

/* All that is below a folder, or a pattern. */
static void set_folder(struct registering *g, const char *path)
{
	snprintf(g->below, sizeof(g->below), "%s%s", path,
		strpbrk(path, "*?")             ? ""
		: path[strlen(path) - 1] == '/' ? "*"
						: "/*");
	g->folder = g->below;
}

/* What was asked: a period, a folder or an area, perhaps one PC. */
static int parse(struct registering *g, const char *query, struct why *why)
{
	struct store_filter *f = &g->search.filter;
	int r = search_parse(query, SEARCH_FILTER | SEARCH_LANG, clock_wall_us(), &g->search, why);

	if (r)
		return r;
	if (f->user || f->program || f->text || f->kinds_n || f->classes_n || g->search.device ||
		g->search.facts_n > 1 || (g->search.facts_n && g->search.facts[0].field != F_AREA))
		return why_set(why, V_BAD, "since, until, path or fact=area:NAME, host and lang belong there");
	if (!f->from_us || !f->until_us || !f->path == !g->search.facts_n)
		return why_set(why, V_BAD, "since, until and either path or fact=area:NAME have to be there");
	if (f->path)
		set_folder(g, f->path);
	else
		g->area = g->search.facts[0].value;
	g->host = f->host;
	f->newest_first = false;
	return 0;
}

void register_get(struct call *x)
{
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .text = x->a->query, .urgent = true};
	bool csv = !strcmp(x->a->path, "/api/v1/register.csv"), zip = !strcmp(x->a->path, "/api/v1/register.zip");
	struct registering *g;
	struct why why = {""};
	int r;

	for (g = x->c->registers; g && !digest_eq(&g->by.session, &x->session->id); g = g->next)
		;
	if (g || x->c->registers_n == REGISTERS_MAX) {
		answer_header(x->a->req, "Retry-After", "10");
		reply_error(x, 429, "busy", "too many registers at once");
		return;
	}
	g = calloc(1, sizeof(*g));
	if (!g || digesting_new(&g->digest)) {
		free(g);
		reply_error(x, 503, "busy", "no memory");
		return;
	}
	g->c = x->c;
	outgoing_begin(&g->by, x);
	g->out = BUF_INIT(zip ? REGISTER_PDF_MAX + PIECE_MAX : PIECE_MAX);
	g->text = BUF_INIT(1u << 20);
	memcpy(g->address, x->address, sizeof(g->address));
	g->path = x->route->path;
	r = parse(g, x->a->query, &why);
	if (r)
		reply_error(x, 400, "filter", why.text);
	else if ((r = store_of(x->c)) || (r = store_refresh(x->c->store)))
		store_failed(x, r, &why);
	else if (zip && register_zip_new(g, &g->zip))
		reply_error(x, r = 503, "busy", "no memory");
	else if (!csv && paper_new(take_bytes, g, register_title(g), &g->paper))
		reply_error(x, r = 503, "busy", "no memory");
	else if (!tell_call(x, t))
		r = V_FULL;
	else if ((r = held_begin(x->a, &g->held, on_gone)))
		reply_error(x, 503, "busy", "no memory");
	if (r) {
		registering_free(g);
		return;
	}
	g->next = x->c->registers;
	x->c->registers = g;
	x->c->registers_n++;
	x->c->count.exports++;
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_header(x->a->req, "Content-Disposition",
		csv   ? "attachment; filename=\"sekisho-register.csv\""
		: zip ? "attachment; filename=\"sekisho-register.zip\""
		      : "attachment; filename=\"sekisho-register.pdf\"");
	stream_begin(&g->held, csv ? "text/csv; charset=utf-8" : zip ? "application/zip" : "application/pdf");
	begin_part(g);
	if (!register_begin(g) && !turn_section(g))
		go_on(g);
}
