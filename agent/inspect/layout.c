/*
 * Text of a page with its columns: where a table stands, a tab between cells, so that a number is seen below the head
 * of its column as in a sheet. See layout.h.
 *
 * What is printed knows no cells, only letters at places. Lines with more than one piece that stand one below the other
 * are a block; a strip of the page that no line of the block writes on (one in twenty may) parts two columns.
 */
#include "agent/inspect/layout.h"
#include "policy/base/why.h"
#include <errno.h>
#include <glib.h>

#define WIDTH_MAX 4096u   /* points: a page of more than 1.4 m has its columns cut there */
#define PIECES_MAX 20000u /* of one page; one with more is told without columns */
#define TEXT_MAX (64u << 20)
#define LINES_MIN 3u  /* of a block that may be a table */
#define TOLERATED 20u /* of so many lines one may write on a strip */

struct piece {
	size_t from, to; /* bytes of the text */
	double left, right, middle, height;
	bool digits; /* nothing but digits and what stands between them */
	unsigned line;
};

struct layout {
	struct buf text;
	struct piece *pieces;
	size_t n;
	bool full;
};

int layout_new(struct layout **out)
{
	_cleanup_(layout_freep) struct layout *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->text = BUF_INIT(TEXT_MAX);
	l->pieces = calloc(PIECES_MAX, sizeof(*l->pieces));
	if (!l->pieces)
		return -ENOMEM;
	*out = STEAL(l);
	return 0;
}

void layout_free(struct layout *l)
{
	if (!l)
		return;
	buf_deinit(&l->text);
	free(l->pieces);
	free(l);
}

static bool is_blank(const char *p)
{
	return *p == ' ' || *p == '\t' || !strncmp(p, "\xe3\x80\x80", 3) || !strncmp(p, "\xc2\xa0", 2);
}

static bool is_of_number(const char *p, size_t n)
{
	return n == 1 && strchr("0123456789-", *p);
}

/* Pieces of each line: between blanks, and where letters stand apart. */
int layout_text(struct layout *l, const char *s, const struct layout_box *at, size_t n)
{
	size_t begin = l->text.n, i;
	const char *p = s;
	struct piece *last = NULL;
	int r = buf_puts(&l->text, s);

	if (r)
		return r;
	for (i = 0; i < n && *p; i++) {
		size_t bytes = (size_t)(g_utf8_next_char(p) - p), from = begin + (size_t)(p - s);
		double height = at[i].bottom - at[i].top;

		if (*p == '\n' || is_blank(p)) {
			last = NULL;
		} else {
			if (!last || at[i].left - last->right > 0.3 * height || last->right - at[i].right > height) {
				if (l->n == PIECES_MAX) {
					l->full = true;
					return 0;
				}
				last = &l->pieces[l->n++];
				*last = (struct piece){.from = from,
					.left = at[i].left,
					.middle = (at[i].top + at[i].bottom) / 2,
					.height = height,
					.digits = true};
			}
			last->right = at[i].right;
			last->to = from + bytes;
			last->digits = last->digits && is_of_number(p, bytes);
		}
		p += bytes;
	}
	return 0;
}

int layout_line(struct layout *l, const char *s, double left, double top, double right, double bottom)
{
	_cleanup_free_ struct layout_box *at = calloc(strlen(s) + 1, sizeof(*at));
	double all = 0, x = left;
	const char *p;
	size_t n = 0;

	if (!at)
		return -ENOMEM;
	for (p = s; *p; p = g_utf8_next_char(p))
		all += g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1;
	for (p = s; *p; p = g_utf8_next_char(p)) {
		double next = x + (right - left) / all * (g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1);

		at[n++] = (struct layout_box){x, top, next, bottom};
		x = next;
	}
	return layout_text(l, s, at, n);
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
static void set_lines(struct layout *p)
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
static size_t line_end(const struct layout *p, size_t i)
{
	size_t k = i;

	while (k < p->n && p->pieces[k].line == p->pieces[i].line)
		k++;
	return k;
}

/* Which column each point of the page is in, for the lines between two pieces. */
static void columns(const struct layout *p, size_t from, size_t to, uint16_t column[WIDTH_MAX])
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

static int put(struct buf *out, const struct layout *p, size_t from, size_t to)
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
		r = r ? r : buf_put(out, p->text.p + now->from, now->to - now->from);
	}
	return r ? r : buf_puts(out, "\n");
}

int layout_put(struct layout *l, struct buf *out)
{
	size_t i, from = 0, end;
	int r = 0;

	if (l->full)
		return buf_put_span(out, buf_span(&l->text));
	if (l->n)
		set_lines(l);
	/* A line of one piece stands for itself, and parts what is above it from what is below. */
	for (i = 0; i < l->n && !r; i = end) {
		end = line_end(l, i);
		if (end - i > 1)
			continue;
		if (from < i)
			r = put(out, l, from, i);
		r = r ? r : put(out, l, i, end);
		from = end;
	}
	if (from < l->n && !r)
		r = put(out, l, from, l->n);
	return r;
}
