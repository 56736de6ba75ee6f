/*
 * Rows of the ledger that are likely a mistake: that no longer count, that another row or a rule hides, that grant to a
 * whole model, and serial numbers that a spreadsheet made shorter. Called by policy_check; nothing here refuses a
 * policy. With twenty thousand rows each is compared with those that its device can have (policy_rows_for), not with
 * all.
 */
#include "policy/base/text.h"
#include "policy/rule/check_parts.h"
#include <errno.h>

#define SERIAL_SHORT 8    /* hardly one of its own */
#define EXCEL_DIGITS 15   /* that a number keeps in a spreadsheet */
#define LENGTH_ROWS_MIN 3 /* of a model, before its usual length means anything */

/* --- rows that another one hides --- */

static bool same_words(words a, words b)
{
	for (; a && b && *a && *b; a++, b++)
		if (strcasecmp(*a, *b) != 0)
			return false;
	return (!a || !*a) && (!b || !*b);
}

/* `a` is as strict as `b` at least, whatever lies on the medium. */
static bool as_strict(const struct row *a, const struct row *b)
{
	if (a->as.access != b->as.access)
		return a->as.access < b->as.access;
	return a->as.encrypted == b->as.encrypted && same_words(a->media, b->media);
}

struct hiding {
	const struct row *of, *by;
};

static void look_for_hider(void *ctx, const struct row *other)
{
	struct hiding *h = ctx;

	if (other == h->of || h->by || !as_strict(other, h->of) || !match_covers(&other->match, &h->of->match))
		return;
	/* Of two that say the same, the later one is too much. */
	if (as_strict(h->of, other) && match_covers(&h->of->match, &other->match) && other->as.line > h->of->as.line)
		return;
	h->by = other;
}

static void check_hidden(struct checking *c, const struct row *row)
{
	struct hiding h = {.of = row};

	policy_rows_for(c->p, row, look_for_hider, &h);
	if (h.by)
		FOUND(c, false, "hidden", IN_CSV, row->as.line,
			"never counts: line %u is for the same devices, and no less strict",
			"この行は効果がありません。%u 行が同じ機器を対象とし、同等以上に厳しい内容です", h.by->as.line);
}

/* --- rows that no rule lets come to their turn --- */

/* The rule that takes every drive of this row before the ledger is asked; rules_n: none does. */
static unsigned rule_before(const struct policy *p, const struct row *row)
{
	struct match as_drive = row->match;
	unsigned i;

	as_drive.kinds = 1ull << DEVICE_KIND_STORAGE;
	as_drive.listed = 1;
	for (i = 0; i < p->rules_n; i++) {
		if (p->rules[i].access == ACCESS_LISTED && !match_apart(&p->rules[i].match, &as_drive))
			return p->rules_n;
		if (p->rules[i].access != ACCESS_LISTED && match_covers(&p->rules[i].match, &as_drive))
			return i;
	}
	return p->rules_n;
}

struct taken {
	unsigned rows, first_line;
};

static int check_rules_before(struct checking *c)
{
	const struct policy *p = c->p;
	_cleanup_free_ struct taken *taken = calloc(p->rules_n + 1, sizeof(*taken));
	unsigned i;

	if (!taken)
		return -ENOMEM;
	for (i = 0; i < p->rows_n; i++) {
		struct taken *t = &taken[rule_before(p, &p->rows[i])];

		if (!t->rows++)
			t->first_line = p->rows[i].as.line;
	}
	for (i = 0; i < p->rules_n; i++)
		if (taken[i].rows)
			FOUND(c, false, "ledger-not-asked", IN_YAML, p->rules[i].line,
				"rule %s decides of drives before the ledger is asked: %u rows never count for them, "
				"the first in devices.csv:%u",
				"規則 %s が台帳より先にドライブを判定するため、台帳の %u "
				"行はドライブに対して効果がありません"
				"(最初は devices.csv:%u)",
				p->rules[i].name, taken[i].rows, taken[i].first_line);
	return 0;
}

/* --- what grants too much, or nothing --- */

static void check_grant(struct checking *c, const struct row *row)
{
	const struct match *m = &row->match;

	if (row->as.access != ACCESS_READ_WRITE || m->has_fingerprint)
		return;
	if (!m->serial && !row->media)
		FOUND(c, false, "by-model", IN_CSV, row->as.line,
			"read-write by vendor and product alone: every drive of that model",
			"ベンダーと製品だけで書き込みを許可しています。同型機はすべて許可されます");
	else if (m->serial && is_pattern(m->serial))
		FOUND(c, false, "by-pattern", IN_CSV, row->as.line,
			"read-write for every serial number that fits a pattern",
			"パターンに合うすべてのシリアル番号に書き込みを許可しています");
	else if (m->serial && strlen(m->serial) < SERIAL_SHORT)
		FOUND(c, false, "short-serial", IN_CSV, row->as.line,
			"a serial number of %zu characters is hardly one of its own",
			"シリアル番号が %zu 文字しかなく、固有の番号とは考えにくいです", strlen(m->serial));
}

static void check_time(struct checking *c, const struct row *row)
{
	char until[TEXT_TIME_SIZE];

	if (row->match.until_us <= c->now_us)
		FOUND(c, false, "expired", IN_CSV, row->as.line, "has ended (%s): the row counts no more",
			"期限切れです(%s)。この行はもう適用されません", text_time_local(until, row->match.until_us));
}

/* --- serial numbers that a spreadsheet took for numbers --- */

static bool is_digits(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

/* "1.23E+15" */
static bool is_scientific(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (n && s[n] == '.')
		n += 1 + strspn(s + n + 1, "0123456789");
	return n && (s[n] == 'E' || s[n] == 'e') && s[n + 1] == '+' && is_digits(s + n + 2);
}

static bool is_rounded(const char *s)
{
	size_t n = strlen(s);

	return is_digits(s) && s[0] != '0' && n > EXCEL_DIGITS && strspn(s + EXCEL_DIGITS, "0") == n - EXCEL_DIGITS;
}

struct length {
	uint32_t model;
	uint32_t n;
};

static int by_model_and_length(const void *a, const void *b)
{
	const struct length *x = a, *y = b;

	if (x->model != y->model)
		return x->model < y->model ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static uint32_t model_of(const struct row *row)
{
	return (uint32_t)row->match.vendor << 16 | (uint32_t)row->match.product;
}

static bool has_length(const struct row *row)
{
	return row->match.vendor != ANY && row->match.product != ANY && row->match.serial &&
	       !is_pattern(row->match.serial);
}

/* How long serial numbers of this model usually are, by its other rows; 0: nobody knows. */
static unsigned usual_length(const struct length *all, unsigned n, uint32_t model)
{
	unsigned low = 0, high = n, rows = 0, best = 0, run = 0, length = 0, i;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (all[mid].model < model)
			low = mid + 1;
		else
			high = mid;
	}
	for (i = low; i < n && all[i].model == model; i++, rows++) {
		run = i > low && all[i].n == all[i - 1].n ? run + 1 : 1;
		if (run > best) {
			best = run;
			length = all[i].n;
		}
	}
	return rows >= LENGTH_ROWS_MIN && 2 * best > rows ? length : 0;
}

static void check_serial(struct checking *c, const struct row *row, unsigned usual)
{
	const char *s = row->match.serial;

	if (!s)
		return;
	if (is_scientific(s))
		FOUND(c, false, "serial-made-a-number", IN_CSV, row->as.line,
			"serial: the spreadsheet made a number of it: make the column text, and write it anew",
			"serial: 表計算ソフトで指数表記になっています。列を「文字列」にして入力し直してください");
	else if (is_rounded(s))
		FOUND(c, false, "serial-rounded", IN_CSV, row->as.line,
			"serial: only %d digits and then zeros: a spreadsheet rounds longer numbers: compare it with "
			"the device",
			"serial: %d 桁より後がすべて 0 "
			"です。表計算ソフトが丸めた可能性があります。実物と照合してください",
			EXCEL_DIGITS);
	else if (is_digits(s) && s[0] != '0' && strlen(s) < usual)
		FOUND(c, false, "serial-zeros-lost", IN_CSV, row->as.line,
			"serial: %zu digits, where others of the model have %u: a spreadsheet drops zeros at the "
			"beginning: compare it with the device",
			"serial: %zu 桁です(同型機は %u "
			"文字)。表計算ソフトが先頭の 0 を削除した可能性があります。実物と照合してください",
			strlen(s), usual);
}

static int check_serials(struct checking *c)
{
	const struct policy *p = c->p;
	_cleanup_free_ struct length *all = calloc(p->rows_n + 1, sizeof(*all));
	unsigned i, n = 0;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < p->rows_n; i++) {
		if (!has_length(&p->rows[i]))
			continue;
		all[n].model = model_of(&p->rows[i]);
		all[n].n = (uint32_t)strlen(p->rows[i].match.serial);
		n++;
	}
	qsort(all, n, sizeof(*all), by_model_and_length);
	for (i = 0; i < p->rows_n; i++)
		check_serial(c, &p->rows[i], has_length(&p->rows[i]) ? usual_length(all, n, model_of(&p->rows[i])) : 0);
	return 0;
}

int check_rows(struct checking *c)
{
	unsigned i;
	int r;

	for (i = 0; i < c->p->rows_n; i++) {
		check_grant(c, &c->p->rows[i]);
		check_time(c, &c->p->rows[i]);
		check_hidden(c, &c->p->rows[i]);
	}
	r = check_serials(c);
	return r ? r : check_rules_before(c);
}
