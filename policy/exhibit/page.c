/*
 * What people read of a bundle: the list of its records and a static page. Both are made from the claim and the records
 * by rules that EVIDENCE.md tells, so that a verifier makes them again and compares: a page that says something else
 * than the evidence is found. No outside text leaves here unescaped.
 */
#include "policy/base/text.h"
#include "policy/exhibit/exhibit.h"
#include "policy/exhibit/page_html.h"
#include <errno.h>
#include <inttypes.h>

/* The object of a record: the first of these that it has. */
static const unsigned objects[] = {F_PATH, F_TITLE, F_PRODUCT, F_TEXT, F_OPERATION};

int exhibit_line(uint64_t leaf, unsigned n, const struct record *r, struct buf *out)
{
	size_t before = out->n;
	int x = buf_putf(out, "{\"leaf\":%" PRIu64 ",\"n\":%u,\"record\":", leaf, n);

	x = x ? x : record_json(r, out);
	x = x ? x : buf_puts(out, "}\n");
	if (x)
		out->n = before;
	return x;
}

static bool digits(const char **p, const char *end, uint64_t *out)
{
	const char *at = *p;

	*out = 0;
	while (*p < end && **p >= '0' && **p <= '9' && *p - at < 15)
		*out = *out * 10 + (uint64_t)(*(*p)++ - '0');
	return *p > at && (*at != '0' || *p == at + 1);
}

static bool word(const char **p, const char *end, const char *what)
{
	size_t n = strlen(what);

	if ((size_t)(end - *p) < n || memcmp(*p, what, n) != 0)
		return false;
	*p += n;
	return true;
}

int exhibit_line_peek(struct span lines, uint64_t *leaf, unsigned *n, size_t *len)
{
	const char *p = (const char *)lines.p, *end = lines.n ? memchr(lines.p, '\n', lines.n) : NULL;
	uint64_t number;

	if (!end || !word(&p, end, "{\"leaf\":") || !digits(&p, end, leaf) || !word(&p, end, ",\"n\":") ||
		!digits(&p, end, &number) || !word(&p, end, ",\"record\":") || number > UINT32_MAX)
		return V_BAD;
	*n = (unsigned)number;
	*len = (size_t)(end + 1 - (const char *)lines.p);
	return 0;
}

/* Escaped for terminals first, so that nothing in it turns or hides text; then for HTML. */
static int put_text(struct buf *out, struct span s)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(4 * s.n + 16);
	size_t i, from = 0;
	int r = text_escape(&plain, s);

	for (i = 0; !r && i < plain.n; i++) {
		const char *as = plain.p[i] == '&'    ? "&amp;"
				 : plain.p[i] == '<'  ? "&lt;"
				 : plain.p[i] == '>'  ? "&gt;"
				 : plain.p[i] == '"'  ? "&quot;"
				 : plain.p[i] == '\'' ? "&#39;"
						      : NULL;

		if (!as)
			continue;
		r = buf_put(out, plain.p + from, i - from);
		r = r ? r : buf_puts(out, as);
		from = i + 1;
	}
	return r ? r : plain.n > from ? buf_put(out, plain.p + from, plain.n - from) : 0;
}

/* At most this much of a cell: the page is for looking, the list has all. */
#define CELL_MAX 512u

static int cell(struct buf *out, struct span s)
{
	bool cut = s.n > CELL_MAX;
	int r = buf_puts(out, "<td>");

	/* Between characters. */
	if (cut)
		for (s.n = CELL_MAX; s.n && (s.p[s.n] & 0xc0) == 0x80; s.n--)
			;

	r = r ? r : put_text(out, s);
	return r ? r : buf_puts(out, cut ? "…</td>" : "</td>");
}

static int name_cell(struct buf *out, const struct record *r, unsigned f)
{
	return cell(out, record_has(r, f) ? r->v[f].s : SPAN("", 0));
}

/* The name of a PC, or the beginning of its id. */
static struct span host_text(const struct exhibit_claim *c, const struct digest *id, char hex[2 * DIGEST_SIZE + 1])
{
	const struct exhibit_host *h = exhibit_host_of(c, id);

	return h && h->name[0] ? SPAN_STR(h->name) : SPAN(hex_encode(hex, id->b, DIGEST_SIZE), 12);
}

int exhibit_row(const struct exhibit_claim *c, const struct digest *host, const struct record *r, struct buf *out)
{
	char time[TEXT_TIME_SIZE], hex[2 * DIGEST_SIZE + 1], number[24];
	uint64_t kind = record_has(r, F_KIND) ? r->v[F_KIND].u : 0;
	const struct enum_info *e = enum_by_value(F_KIND, kind);
	unsigned object = 0;
	size_t i;
	int x = buf_puts(out, "<tr>");

	for (i = 0; !object && i < ARRAY_SIZE(objects); i++)
		if (record_has(r, objects[i]))
			object = objects[i];
	snprintf(number, sizeof(number), "%" PRIu64, kind);
	x = x ? x : cell(out, SPAN_STR(text_time_utc(time, record_has(r, F_TIME) ? r->v[F_TIME].i : 0)));
	x = x ? x : cell(out, host_text(c, host, hex));
	x = x ? x : cell(out, SPAN_STR(e ? e->name : number));
	x = x ? x : name_cell(out, r, F_USER);
	x = x ? x : name_cell(out, r, F_PROGRAM);
	x = x ? x : object ? name_cell(out, r, object) : cell(out, SPAN("", 0));
	return x ? x : buf_puts(out, "</tr>\n");
}

static int fact(struct buf *out, const char *ja, const char *en, struct span text)
{
	int r = buf_putf(out, "<dt>%s <span lang=\"en\">/ %s</span></dt><dd>", ja, en);

	r = r ? r : put_text(out, text);
	return r ? r : buf_puts(out, "</dd>\n");
}

static int number_fact(struct buf *out, const char *ja, const char *en, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	return fact(out, ja, en, SPAN_STR(text));
}

/* What was asked, for people: "user: 花子, kind: print" of "user=%E8%8A%B1%E5%AD%90&kind=print". */
static int search_fact(struct buf *out, const char *query)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(2 * EXHIBIT_TEXT_MAX);
	char digits[3] = "";
	bool value = false;
	uint8_t byte;
	int r = 0;

	for (; !r && *query; query++) {
		snprintf(digits, sizeof(digits), "%.2s", query[0] == '%' ? query + 1 : "");
		if (*query == '&') {
			value = false;
			r = buf_puts(&plain, ", ");
		} else if (*query == '=' && !value) {
			value = true;
			r = buf_puts(&plain, ": ");
		} else if (!hex_decode(digits, &byte, 1)) {
			r = buf_put(&plain, &byte, 1);
			query += 2;
		} else {
			r = buf_put(&plain, *query == '+' ? " " : query, 1);
		}
	}
	return r ? r : fact(out, "検索条件", "Search", SPAN(plain.p, plain.n));
}

static int facts(const struct exhibit_claim *c, uint64_t gone, struct buf *out)
{
	char time[TEXT_TIME_SIZE], hex[2 * DIGEST_SIZE + 1];
	size_t i;
	int r = fact(out, "作成日時", "Made", SPAN_STR(text_time_utc(time, c->made_us)));

	r = r ? r : fact(out, "作成者", "Made by", SPAN_STR(c->by));
	r = r ? r : search_fact(out, c->search);
	r = r ? r
	      : fact(out, "期間の始まり", "From",
			c->has_since ? SPAN_STR(text_time_utc(time, c->since_us)) : SPAN("-", 1));
	r = r ? r : fact(out, "期間の終わり", "Up to", SPAN_STR(text_time_utc(time, c->until_us)));
	r = r ? r
	      : fact(out, "対象", "Of",
			c->all ? SPAN_STR("すべての PC / all PCs") : SPAN_STR("次の PC のみ / these PCs only"));
	r = r ? r : number_fact(out, "ログの大きさ", "Size of the log", c->size);
	r = r ? r : number_fact(out, "記録の件数", "Records", c->records);
	if (c->more)
		r = r ? r : fact(out, "打ち切り", "Cut off", SPAN_STR("ほかにもあります / there are more"));
	if (gone)
		r = r ? r : number_fact(out, "本文のない封緘単位", "Segments whose bodies are gone", gone);
	for (i = 0; !r && i < c->hosts_n; i++) {
		r = buf_puts(out, "<dt>PC</dt><dd>");
		r = r ? r : put_text(out, SPAN_STR(c->hosts[i].name));
		r = r ? r : buf_putf(out, " <code>%s</code></dd>\n", hex_encode(hex, c->hosts[i].id.b, DIGEST_SIZE));
	}
	return r;
}

int exhibit_page(const struct exhibit_claim *c, uint64_t gone, struct span rows, struct buf *out)
{
	static const char facts_at[] = "@FACTS@", rows_at[] = "@ROWS@";
	const char *all = (const char *)page_html;
	const uint8_t *f = memmem(all, sizeof(page_html), facts_at, sizeof(facts_at) - 1);
	const uint8_t *w = memmem(all, sizeof(page_html), rows_at, sizeof(rows_at) - 1);
	const uint8_t *end = page_html + sizeof(page_html), *behind = w + sizeof(rows_at) - 1;
	int r = buf_put(out, page_html, (size_t)(f - page_html));

	f += sizeof(facts_at) - 1;
	r = r ? r : facts(c, gone, out);
	r = r ? r : buf_put(out, f, (size_t)(w - f));
	r = r ? r : buf_put_span(out, rows);
	return r ? r : buf_put(out, behind, (size_t)(end - behind));
}
