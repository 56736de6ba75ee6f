/*
 * The tables of a report: what was counted, in order, as rows. Files, paper and the page of the console all give these.
 */
#include "collector/report/report_parts.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
	const char *en, *ja;
} sections[] = {
	{"1. Prints", "1. 印刷"},
	{"2. Drives", "2. ドライブ"},
	{"3. Exceptions", "3. 例外(拒否・保留・一時解除・記録のみ)"},
	{"4. Approvals and policy", "4. 承認とポリシー"},
	{"5. Who looked at the logs", "5. ログの閲覧者"},
	{"6. The fleet", "6. PCと記録の状態"},
	{"7. Completeness", "7. 完全性についての記載"},
};

const char *section_title(const struct report *r, unsigned section)
{
	return say(r, sections[section - 1].en, sections[section - 1].ja);
}

/* --- rows and cells --- */

struct table *table_begin(struct report *r, const char *name, unsigned section, const char *en, const char *ja,
	const struct column *columns, unsigned n)
{
	struct table *t = &r->tables[r->tables_n++];

	*t = (struct table){.name = name, .section = section, .en = en, .ja = ja, .columns_n = n};
	memcpy(t->columns, columns, n * sizeof(*columns));
	return t;
}

bool row_begin(struct report *r, struct table *t)
{
	struct cell *more;
	size_t cap = t->cap ? 2 * (size_t)t->cap : 64;

	if (t->rows == REPORT_ROWS_MAX) {
		t->more++;
		return false;
	}
	if ((t->rows + 1) * (size_t)t->columns_n > t->cap) {
		cap = cap < t->columns_n ? t->columns_n : cap;
		more = realloc(t->cells, cap * sizeof(*more));
		if (!more) {
			r->failed = -ENOMEM;
			return false;
		}
		t->cells = more;
		t->cap = (unsigned)cap;
	}
	memset(&t->cells[t->rows * t->columns_n], 0, t->columns_n * sizeof(*t->cells));
	t->rows++;
	t->column = 0;
	return true;
}

static struct cell *next_cell(struct table *t)
{
	unsigned column = t->column < t->columns_n ? t->column++ : t->columns_n - 1;

	return &t->cells[(t->rows - 1) * t->columns_n + column];
}

void cell_text(struct report *r, struct table *t, struct span s)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(4 * s.n + 16);
	struct cell *c = next_cell(t);
	bool text = text_is_utf8(s) && !memchr(s.p, 0, s.n);

	if (!text && text_escape(&plain, s)) {
		r->failed = -ENOMEM;
		return;
	}
	s = text ? s : buf_span(&plain);
	c->text = strndup(s.n ? (const char *)s.p : "", s.n);
	if (!c->text)
		r->failed = -ENOMEM;
}

void cell_number(struct table *t, uint64_t n)
{
	next_cell(t)->n = n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

void cell_time(struct table *t, int64_t us)
{
	if (us)
		next_cell(t)->n = us;
	else
		cell_none(t);
}

void cell_none(struct table *t)
{
	next_cell(t)->none = true;
}

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < (size_t)t->rows * t->columns_n; i++)
		free(t->cells[i].text);
	free(t->cells);
}

/* --- as people read it --- */

static void separated(char out[64], uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), i, at = 0;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = 0;
}

static void moment(char out[64], int64_t us)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(out, 64, "%Y-%m-%d %H:%M", &tm))
		snprintf(out, 64, "@%lld", (long long)t);
}

void shown_number(char out[64], enum cell_type type, int64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double v = (double)n;
	size_t u = 0;

	if (type == CELL_TIME) {
		moment(out, n);
		return;
	}
	if (type != CELL_BYTES || n < 1000) {
		separated(out, (uint64_t)n);
		if (type == CELL_BYTES)
			snprintf(out + strlen(out), 8, " B");
		return;
	}
	for (; v >= 999.95 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1000;
	snprintf(out, 64, "%.*f %s", v < 100, v, units[u]);
}

struct span cell_shown(const struct table *t, const struct cell *c, unsigned column, char out[64])
{
	if (c->text)
		return SPAN_STR(c->text);
	out[0] = 0;
	if (!c->none)
		shown_number(out, t->columns[column].type, c->n);
	return SPAN_STR(out);
}

void period_words(const struct report *r, char out[128])
{
	static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December"};
	char from[64], until[64];
	int y, m;

	if (sscanf(r->o.month, "%4d-%2d", &y, &m) == 2 && m >= 1 && m <= 12) {
		if (r->o.lang == LANG_JA)
			snprintf(out, 128, "%d年%d月", y, m);
		else
			snprintf(out, 128, "%s %d", months[m - 1], y);
		return;
	}
	moment(from, r->o.from_us);
	moment(until, r->o.until_us);
	snprintf(out, 128, "%.60s - %.60s", from, until);
}
