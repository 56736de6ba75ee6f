/*
 * Text of a page of a PDF with its columns: where a table stands, a tab between cells, so that a number is seen below
 * the head of its column as in a sheet. See pdf_layout.h.
 *
 * What is printed knows no cells, only letters at places. Lines with more than one piece that stand one below the other
 * are a block; a strip of the page that no line of the block writes on (one in twenty may) parts two columns.
 */
#include "agent/inspect/pdf_layout.h"
#include "policy/base/why.h"
#include <errno.h>

#define WIDTH_MAX 4096u   /* points: a page of more than 1.4 m has its columns cut there */
#define PIECES_MAX 20000u /* of one page; one with more is told without columns */
#define LINES_MIN 3u      /* of a block that may be a table */
#define TOLERATED 20u     /* of so many lines one may write on a strip */

struct piece {
	size_t from, to; /* bytes of the text */
	double left, right, middle, height;
	bool digits; /* nothing but digits and what stands between them */
	unsigned line;
};

struct page {
	const char *text;
	struct piece *pieces;
	size_t n;
	bool full;
};

static bool is_blank(const char *p)
{
	return *p == ' ' || *p == '\t' || !strncmp(p, "\xe3\x80\x80", 3) || !strncmp(p, "\xc2\xa0", 2);
}

static bool is_of_number(const char *p, size_t n)
{
	return n == 1 && strchr("0123456789-", *p);
}

/* Pieces of each line: between blanks, and where letters stand apart. */
static void cut(struct page *p, const PopplerRectangle *at, guint n)
{
	const char *s = p->text;
	struct piece *last = NULL;
	guint i;

	for (i = 0; i < n && *s; i++) {
		size_t bytes = (size_t)(g_utf8_next_char(s) - s);
		double height = at[i].y2 - at[i].y1;

		if (*s == '\n' || is_blank(s)) {
			last = NULL;
		} else {
			if (!last || at[i].x1 - last->right > 0.3 * height || last->right - at[i].x2 > height) {
				if (p->n == PIECES_MAX) {
					p->full = true;
					return;
				}
				last = &p->pieces[p->n++];
				*last = (struct piece){.from = (size_t)(s - p->text),
					.left = at[i].x1,
					.middle = (at[i].y1 + at[i].y2) / 2,
					.height = height,
					.digits = true};
			}
			last->right = at[i].x2;
			last->to = (size_t)(s - p->text) + bytes;
			last->digits = last->digits && is_of_number(s, bytes);
		}
		s += bytes;
	}
}

static int by_middle(const void *a, const void *b)
{
	const struct piece *l = a, *r = b;

	return l->middle < r->middle ? -1 : l->middle > r->middle;
}

static int by_line(const void *a, const void *b)
{
	const struct piece *l = a, *r = b;

	if (l->line != r->line)
		return l->line < r->line ? -1 : 1;
	return l->left < r->left ? -1 : l->left > r->left;
}

/* Lines by where pieces stand: what the library takes for one may be a cell, or a column. */
static void set_lines(struct page *p)
{
	double middle = 0;
	unsigned line = 0;
	size_t i;

	qsort(p->pieces, p->n, sizeof(*p->pieces), by_middle);
	for (i = 0; i < p->n; i++) {
		if (!i || p->pieces[i].middle - middle > 0.5 * p->pieces[i].height) {
			line++;
			middle = p->pieces[i].middle;
		}
		p->pieces[i].line = line;
	}
	qsort(p->pieces, p->n, sizeof(*p->pieces), by_line);
}

static unsigned place(double x)
{
	return x <= 0 ? 0 : x >= WIDTH_MAX - 1 ? WIDTH_MAX - 1 : (unsigned)x;
}

/* Pieces of one line, from `i` on. */
static size_t line_end(const struct page *p, size_t i)
{
	size_t k = i;

	while (k < p->n && p->pieces[k].line == p->pieces[i].line)
		k++;
	return k;
}

/* Which column each point of the page is in, for the lines between two pieces. */
static void columns(const struct page *p, size_t from, size_t to, uint16_t column[WIDTH_MAX])
{
	uint16_t covered[WIDTH_MAX] = {0};
	unsigned lines = 0, x, at = 0;
	bool was_empty = false;
	size_t i;

	for (i = from; i < to; i++) {
		lines += i == from || p->pieces[i].line != p->pieces[i - 1].line;
		for (x = place(p->pieces[i].left + 0.5); x <= place(p->pieces[i].right - 0.5); x++)
			covered[x] += covered[x] < UINT16_MAX;
	}
	for (x = 0; x < WIDTH_MAX; x++) {
		bool empty = covered[x] <= lines / TOLERATED;

		at += was_empty && !empty;
		was_empty = empty;
		/* Two lines can have their blanks one below the other by chance. */
		column[x] = lines < LINES_MIN ? 0 : (uint16_t)at;
	}
}

static int put(struct buf *out, const struct page *p, size_t from, size_t to)
{
	uint16_t column[WIDTH_MAX];
	size_t i;
	int r = 0;

	columns(p, from, to, column);
	for (i = from; i < to && !r; i++) {
		const struct piece *now = &p->pieces[i], *before = i > from ? now - 1 : NULL;
		unsigned at = column[place(now->left + 0.5)], was;

		if (before && before->line != now->line) {
			r = buf_puts(out, "\n");
			before = NULL;
		}
		was = before ? column[place(before->left + 0.5)] : 0;
		/* Groups of one number stand one blank apart, also where all of a column do. */
		if (before &&
			(at == was || (before->digits && now->digits && now->left - before->right < 0.7 * now->height)))
			r = r ? r : buf_puts(out, " ");
		else
			for (; was < at && !r; was++)
				r = buf_puts(out, "\t");
		r = r ? r : buf_put(out, p->text + now->from, now->to - now->from);
	}
	return r ? r : buf_puts(out, "\n");
}

int page_text(PopplerPage *page, struct buf *out)
{
	struct page p = {.text = poppler_page_get_text(page)};
	PopplerRectangle *at = NULL;
	size_t i, from = 0, end;
	guint n = 0;
	int r = 0;

	p.pieces = calloc(PIECES_MAX, sizeof(*p.pieces));
	if (!p.pieces)
		r = -ENOMEM;
	else if (p.text && poppler_page_get_text_layout(page, &at, &n))
		cut(&p, at, n);
	if (p.n)
		set_lines(&p);
	if (p.full) {
		p.n = 0;
		r = buf_puts(out, p.text);
	}
	/* A line of one piece stands for itself, and parts what is above it from what is below. */
	for (i = 0; i < p.n && !r; i = end) {
		end = line_end(&p, i);
		if (end - i > 1)
			continue;
		if (from < i)
			r = put(out, &p, from, i);
		r = r ? r : put(out, &p, i, end);
		from = end;
	}
	if (from < p.n && !r)
		r = put(out, &p, from, p.n);
	g_free(at);
	g_free((char *)(uintptr_t)p.text);
	free(p.pieces);
	return r;
}
