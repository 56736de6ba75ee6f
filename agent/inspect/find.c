/*
 * Reads text for numbers that belong to people: one pass, no memory that grows. See find.h; odds are find_weigh.c's.
 *
 * A number is taken by its label at once. One without is put into the company of its column, which is weighed when the
 * piece of text ends; whether the document names the kind may be known later still, so both outcomes are kept.
 */
#include "agent/inspect/find_parts.h"
#include <ctype.h>
#include <errno.h>

#define GROUPS_MAX 64u /* of digits with one separator between them */
#define GROUP_DIGITS_MAX 19u
#define CONTEXT_LINES 5u /* words that say whose 記号 and 番号 are stand so near above them */
#define NUMBER_MIN 5u    /* digits of the shortest number that is looked for */
#define BOXES_MAX 24u    /* cells of one digit each */
#define COMPANIES 3      /* kinds that can be told without a label: the first three */

struct group {
	size_t at, n;
	uint8_t before; /* '-', ' ' or '\n'; 0 for the first */
};

/* The line that is being read. */
struct line {
	unsigned field;
	uint8_t label;        /* the last one on it */
	unsigned label_field; /* where it stood */
	bool used;            /* a number stood behind it */
	size_t label_end;     /* in the text, of the last one */
	bool letters;         /* something but digits stood in this field */
	bool any_label, any_letters, numbers;
	uint8_t labels[COLUMNS_MAX];
};

struct sum {
	uint64_t sure, maybe;
	char sample[FIND_SAMPLE_MAX];
};

struct finder {
	bool named[FIND_KINDS];
	struct sum labelled[FIND_KINDS], company[FIND_KINDS][2]; /* without and with the kind's name in the document */
	/* of the piece that is being read */
	struct span text;
	struct line line;
	bool continues;
	/* 記号 and 番号 are one number together: of which kind by the words before, what stands behind which. */
	struct {
		uint8_t context; /* FIND_BANK_ACCOUNT, FIND_INSURANCE_NUMBER or LABEL_NONE */
		uint8_t at;      /* LABEL_SYMBOL, LABEL_NUMBER: the next number is it; else LABEL_NONE */
		bool symbol;     /* was there */
		bool both;       /* 記号・番号: both words before the number */
		unsigned lines;  /* since */
		size_t digits;   /* of what stood behind 記号 */
		unsigned away;   /* lines since `context` was said, or of use */
	} pair;
	bool boxes; /* the number that is considered stands in cells of a digit each */
	bool table; /* the heads come from a line with fields */
	uint8_t heads[COLUMNS_MAX];
	struct company columns[COLUMNS_MAX][COMPANIES][COMPANY_KINDS];
	uint64_t seen[SEEN_MAX];
};

int finder_make(struct finder **out)
{
	struct finder *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*out = f;
	return 0;
}

void finder_free(struct finder *f)
{
	free(f);
}

/* All masked but the last two digits, of cards the last four as receipts show them. */
static void mask(char *out, enum find_kind kind, const uint8_t *d, size_t n)
{
	size_t shown = kind == FIND_CARD ? 4 : 2, i;

	if (out[0])
		return;
	for (i = 0; i < n && i < FIND_SAMPLE_MAX - 1; i++)
		out[i] = i + shown < n ? '*' : (char)('0' + d[i]);
	out[i] = '\0';
}

/* Was this number in this column before? Where there is no more room: yes. */
static bool again(struct finder *f, unsigned column, enum find_kind kind, const uint8_t *d, size_t n)
{
	uint64_t key = 1;
	size_t i, at;

	for (i = 0; i < n; i++)
		key = key * 10 + d[i];
	key = (key * COLUMNS_MAX + column) * COMPANIES + kind;
	at = (size_t)(key * 0x9e3779b97f4a7c15ull >> 52);
	for (i = 0; i < 8; i++) {
		uint64_t *slot = &f->seen[(at + i) % SEEN_MAX];

		if (*slot == key)
			return true;
		if (!*slot) {
			*slot = key;
			return false;
		}
	}
	return true;
}

/* What the words around say of a number that stands here. */
static uint8_t label_of(const struct finder *f)
{
	const struct line *l = &f->line;
	unsigned column = l->field < COLUMNS_MAX ? l->field : COLUMNS_MAX - 1;
	bool here = l->label != LABEL_NONE && (!l->used || l->label != LABEL_OTHER);

	if (here && l->label_field == l->field)
		return l->label;
	if (!l->letters && f->heads[column] != LABEL_NONE)
		return f->heads[column];
	return here && l->field - l->label_field <= 2 ? l->label : LABEL_NONE;
}

/* 202611262110: a moment, as programs write it. */
static bool is_moment(const uint8_t *d)
{
	unsigned year = d[0] * 1000u + d[1] * 100u + d[2] * 10u + d[3], month = d[4] * 10u + d[5],
		 day = d[6] * 10u + d[7];

	return year >= 1970 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
	       d[8] * 10 + d[9] < 24 && d[10] < 6;
}

/* Words for this kind, on the line or as the head of any column. */
static bool said_near(const struct finder *f, enum find_kind kind)
{
	return f->line.label == kind || memchr(f->heads, kind, sizeof(f->heads));
}

static void labelled(struct finder *f, enum find_kind kind, const uint8_t *d, size_t n)
{
	f->labelled[kind].sure++;
	mask(f->labelled[kind].sample, kind, d, n);
	f->line.used = true;
}

/* A number that may be of this kind. `shape`: written as they are. `broken`: over several lines. */
static void consider(
	struct finder *f, enum find_kind kind, const uint8_t *d, size_t n, bool good, bool shape, bool broken)
{
	uint8_t label = label_of(f);
	unsigned column = f->line.field < COLUMNS_MAX ? f->line.field : COLUMNS_MAX - 1;
	enum company_kind c = shape ? COMPANY_SHAPE : COMPANY_PLAIN;
	struct company *m;

	if (label == kind) {
		if (good)
			labelled(f, kind, d, n);
		return;
	}
	if (kind >= COMPANIES || broken)
		return;
	if (label == LABEL_OTHER || (label != LABEL_NONE && !f->line.used) ||
		(kind == FIND_MY_NUMBER && n == 12 && is_moment(d)) || (f->boxes && !said_near(f, kind)))
		c = COMPANY_OTHER;
	m = &f->columns[column][kind][c];
	if (!again(f, column, kind, d, n)) {
		m->all++;
		m->good += good;
	}
	if (good) {
		m->good_counted++;
		mask(m->sample, kind, d, n);
	}
}

/* Digits of groups, one behind the other. */
static size_t digits_of(const struct finder *f, const struct group *g, size_t groups, uint8_t *out, size_t max)
{
	size_t n = 0, i, k;

	for (i = 0; i < groups; i++)
		for (k = 0; k < g[i].n && n < max; k++)
			out[n++] = (uint8_t)(f->text.p[g[i].at + k] - '0');
	return n;
}

static bool shaped(const struct group *g, size_t groups, const char *shape)
{
	size_t i;

	for (i = 0; i < groups; i++)
		if (!shape[i] || g[i].n != (size_t)(shape[i] - '0'))
			return false;
	return !shape[i];
}

static bool over_lines(const struct group *g, size_t groups)
{
	size_t i;

	for (i = 1; i < groups; i++)
		if (g[i].before == '\n')
			return true;
	return false;
}

/* Below the head for this kind, alone in its cell: a sheet that keeps it as a number has lost the zero before it. */
static bool in_column_of(const struct finder *f, enum find_kind kind)
{
	const struct line *l = &f->line;

	return !l->letters && l->field < COLUMNS_MAX && f->heads[l->field] == kind && label_of(f) == kind;
}

static bool pair(struct finder *f, const uint8_t *d, size_t n);

/* One number, in whichever groups, by how many digits it has. */
static void whole(struct finder *f, const struct group *g, size_t groups, bool shape)
{
	uint8_t d[GROUP_DIGITS_MAX + 1];
	size_t n = digits_of(f, g, groups, d, sizeof(d));
	bool broken = over_lines(g, groups), t;

	if (groups == 1 && pair(f, d, n))
		return;
	switch (n) {
	case 11:
		/* A sheet that keeps it as a number has lost the zero before it: only below or behind words for it. */
		if (label_of(f) == FIND_MY_NUMBER) {
			memmove(d + 1, d, n);
			d[0] = 0;
			consider(f, FIND_MY_NUMBER, d, n + 1, my_number_good(d), shape, broken);
		}
		break;
	case 12:
		consider(f, FIND_MY_NUMBER, d, n, my_number_good(d), shape, broken);
		break;
	case 13:
		/* T and thirteen digits: the number of an issuer of qualified invoices is that of the company. */
		t = g->at && toupper(f->text.p[g->at - 1]) == 'T' && (g->at < 2 || !isalnum(f->text.p[g->at - 2]));
		if (t && corporate_number_good(d))
			labelled(f, FIND_CORPORATE_NUMBER, d, n);
		else
			consider(f, FIND_CORPORATE_NUMBER, d, n, corporate_number_good(d), shape, broken);
		break;
	case 14:
	case 15:
	case 16:
		if (card_issued(d, n))
			consider(f, FIND_CARD, d, n, card_good(d, n), shape, broken);
		break;
	case 10:
		consider(f, FIND_PENSION_NUMBER, d, n, true, shape, broken);
		break;
	default:
		break;
	}
	if (n == 7 || (n == 6 && in_column_of(f, FIND_BANK_ACCOUNT)))
		consider(f, FIND_BANK_ACCOUNT, d, n, true, shape, broken);
	if (n >= 5 && n <= 10)
		consider(f, FIND_INSURANCE_NUMBER, d, n, true, shape, broken);
}

/* The two parts of a pair: is this its second one? Nothing else is made of either. */
static bool pair(struct finder *f, const uint8_t *d, size_t n)
{
	bool bank = f->pair.context == FIND_BANK_ACCOUNT;

	if (f->pair.at == LABEL_SYMBOL) {
		f->pair.at = LABEL_NONE;
		f->pair.symbol = bank ? n == 5 : n >= 1 && n <= 8;
		f->pair.digits = n;
		f->pair.lines = 0;
		return f->pair.symbol;
	}
	if (f->pair.at != LABEL_NUMBER || !f->pair.symbol)
		return false;
	f->pair.at = LABEL_NONE;
	f->pair.symbol = false;
	if (bank ? n < 6 || n > 8 : n > 8 || f->pair.digits + n < NUMBER_MIN)
		return false;
	f->pair.away = 0;
	labelled(f, (enum find_kind)f->pair.context, d, n);
	return true;
}

/* Both parts with a hyphen between them, behind words for them. */
static bool joined_pair(struct finder *f, const struct group *g, size_t groups)
{
	uint8_t d[GROUP_DIGITS_MAX + 1], label = label_of(f);
	bool named = f->pair.at == LABEL_SYMBOL || (f->pair.at == LABEL_NUMBER && f->pair.both);
	const struct group *last = g + groups - 1;
	size_t n;

	if (named)
		label = f->pair.context;
	if (label == FIND_BANK_ACCOUNT && !(groups <= 3 && groups >= 2 && g->n == 5 && (groups == 2 || g[1].n == 1) &&
						  last->n >= 6 && last->n <= 8))
		return false;
	if (label == FIND_INSURANCE_NUMBER &&
		!(groups == 2 && g->n <= 8 && last->n <= 8 && g->n + last->n >= NUMBER_MIN))
		return false;
	if (label != FIND_BANK_ACCOUNT && label != FIND_INSURANCE_NUMBER)
		return false;
	n = digits_of(f, last, 1, d, sizeof(d));
	labelled(f, (enum find_kind)label, d, n);
	f->pair.at = LABEL_NONE;
	f->pair.symbol = false;
	f->pair.away = 0;
	return true;
}

/* Groups with hyphens between them. */
static void chain(struct finder *f, const struct group *g, size_t groups)
{
	static const char *const shapes[] = {"444", "4444", "465", "464", "1444", "46"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		if (shaped(g, groups, shapes[i])) {
			whole(f, g, groups, true);
			return;
		}
	if (joined_pair(f, g, groups))
		return;
	/* branch and account, bank and branch and account */
	if (shaped(g, groups, "37") || shaped(g, groups, "437"))
		whole(f, g + groups - 1, 1, false);
}

/* Groups of four with blanks between them: of three a personal number, of four a card. */
static void fours(struct finder *f, const struct group *g, size_t groups)
{
	size_t per = groups % 4 == 0 && groups % 3 ? 4 : groups % 3 == 0 ? 3 : 0, i;

	for (i = 0; per && i + per <= groups; i += per)
		whole(f, g + i, per, true);
}

/* Digit by digit, as the boxes of forms have them. */
static void ones(struct finder *f, const struct group *g, size_t groups)
{
	/* Other boxes may follow: behind words for a personal number it ends by itself. */
	if (groups > 13 && label_of(f) == FIND_MY_NUMBER)
		groups = 12;
	if (groups <= GROUP_DIGITS_MAX)
		whole(f, g, groups, true);
}

static size_t alike(const struct group *g, size_t groups)
{
	size_t n = 1;

	while (n < groups && g[n].before != '-' && g[n].n == g->n)
		n++;
	/* The last one may be the beginning of a chain: it is no group of ours then. */
	if (n < groups && g[n].before == '-')
		n--;
	return n ? n : 1;
}

static void run(struct finder *f, const struct group *g, size_t groups)
{
	size_t i = 0, n;

	/* Parts of a pair may be short. */
	if (groups == 1 && f->pair.at != LABEL_NONE) {
		whole(f, g, 1, false);
		i = 1;
	}
	while (i < groups) {
		for (n = 1; i + n < groups && g[i + n].before == '-'; n++)
			;
		if (n > 1) {
			chain(f, g + i, n);
		} else if (g[i].n == 4 && groups - i >= 3 && (shaped(g + i, 3, "465") || shaped(g + i, 3, "464"))) {
			whole(f, g + i, n = 3, true);
		} else if (g[i].n == 1 && groups - i >= 4 && shaped(g + i, 4, "1444")) {
			whole(f, g + i, n = 4, true);
		} else if (g[i].n == 4 || g[i].n == 1) {
			n = alike(g + i, groups - i);
			(g[i].n == 4 ? fours : ones)(f, g + i, n);
		} else {
			whole(f, g + i, 1, false);
		}
		i += n;
	}
	if (groups > 1 || g->n >= 5)
		f->line.numbers = true;
	if (f->line.label == LABEL_OTHER)
		f->line.used = true;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_at(struct span s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && is_digit(s.p[at + n]))
		n++;
	return n;
}

/* What stands between two groups: one hyphen, or up to two blanks, or a line's end. 0 where nothing of that kind does.
 */
static size_t separator(struct span s, size_t at, uint8_t *what)
{
	size_t n = 0;

	if (at < s.n && s.p[at] == '-') {
		*what = '-';
		return 1;
	}
	/* 1234.5678.9018: points only where fours stand on both sides. */
	if (at >= 4 && at + 4 < s.n && s.p[at] == '.' && digits_at(s, at - 4) == 4 && digits_at(s, at + 1) == 4) {
		*what = '-';
		return 1;
	}
	*what = ' ';
	while (n < 2 && at + n < s.n && (s.p[at + n] == ' ' || s.p[at + n] == '\n' || s.p[at + n] == '\r')) {
		if (s.p[at + n] == '\n')
			*what = '\n';
		n++;
	}
	return n;
}

/* ".0" at a cell's end: a number that a program kept as a fraction. */
static size_t fraction_at(struct span s, size_t at)
{
	if (s.n - at < 2 || s.p[at] != '.' || s.p[at + 1] != '0')
		return 0;
	return at + 2 == s.n || strchr("\t,;\"\r\n", s.p[at + 2]) ? 2 : 0;
}

/* Letters and points that make digits a part of something else: an identifier, a fraction. */
static bool bound_before(struct span s, size_t at)
{
	uint8_t c = at ? s.p[at - 1] : ' ';

	if (c == 'T' || c == 't')
		return at >= 2 && isalnum(s.p[at - 2]);
	return isalnum(c) || c == '_' || c == '-' || (c == '.' && at >= 2 && is_digit(s.p[at - 2]));
}

static bool bound_behind(struct span s, size_t at)
{
	uint8_t c = at < s.n ? s.p[at] : ' ';

	return isalnum(c) || c == '_' || ((c == '.' || c == '-') && at + 1 < s.n && isalnum(s.p[at + 1]));
}

/* An amount: what stands before it, or behind it. */
static bool is_amount(struct span s, size_t from, size_t end)
{
	static const char *const signs[] = {"¥", "￥", "$", "\\"}, *const units[] = {"円", "千円", "万円", "百万円",
									   "億円", "yen", "JPY"};
	size_t i;

	from -= from && s.p[from - 1] == ' ';
	end += end < s.n && s.p[end] == ' ';
	for (i = 0; i < ARRAY_SIZE(signs); i++) {
		size_t n = strlen(signs[i]);

		if (from >= n && memcmp(s.p + from - n, signs[i], n) == 0)
			return true;
	}
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (s.n - end >= strlen(units[i]) && memcmp(s.p + end, units[i], strlen(units[i])) == 0)
			return true;
	return false;
}

/* Groups from here on; returns where they end. */
static size_t read_run(struct finder *f, size_t at)
{
	struct span s = f->text;
	struct group g[GROUPS_MAX];
	size_t groups = 0, n;
	uint8_t before = 0;
	/* A label may go over into its number: マイナンバー_1234... */
	bool bound = bound_before(s, at) &&
		     !(f->line.label_end &&
			     (at == f->line.label_end || (s.p[at - 1] == '_' && at - 1 == f->line.label_end)));

	for (;;) {
		n = digits_at(s, at);
		g[groups++] = (struct group){at, n, before};
		at += n;
		n = separator(s, at, &before);
		if (!n || groups == GROUPS_MAX || at + n >= s.n || !is_digit(s.p[at + n]))
			break;
		/* Over lines only what is in fours or ones. */
		if (before == '\n' &&
			((g[groups - 1].n != 4 && g[groups - 1].n != 1) || digits_at(s, at + n) != g[groups - 1].n))
			break;
		at += n;
	}
	if (groups == 1 && g[0].n >= 6)
		at += fraction_at(s, at);
	if (bound_behind(s, at) || (at - g[0].at >= NUMBER_MIN && is_amount(s, g[0].at, at)))
		groups = 0;
	if (groups && !bound)
		run(f, g, groups);
	return at;
}

static void new_line(struct finder *f)
{
	struct line *l = &f->line;
	size_t i;

	/* A line of labels is the head of what follows; one of other words ends it, where it was no head of a table. */
	if (l->any_label && !l->numbers) {
		memcpy(f->heads, l->labels, sizeof(f->heads));
		f->table = l->field > 0;
	} else if (l->any_letters && !l->numbers && !f->table) {
		memset(f->heads, LABEL_NONE, sizeof(f->heads));
	}
	if (f->pair.symbol && ++f->pair.lines > 2)
		f->pair.symbol = false;
	f->pair.at = LABEL_NONE;
	if (f->pair.away++ >= CONTEXT_LINES && !f->pair.symbol)
		f->pair.context = LABEL_NONE;
	memset(l, 0, sizeof(*l));
	l->label = LABEL_NONE;
	for (i = 0; i < COLUMNS_MAX; i++)
		l->labels[i] = LABEL_NONE;
}

static void new_field(struct finder *f)
{
	f->line.field++;
	f->line.letters = false;
}

/* Blanks and quotes around what stands in a cell. */
static size_t padding_at(struct span s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && (s.p[at + n] == ' ' || s.p[at + n] == '"'))
		n++;
	return n;
}

/*
 * How many of these cells are one number: all of them, or those before the first empty cell, or as many as the words
 * for it say. 0: they are none.
 */
static size_t boxes_of(const struct finder *f, const bool *empty_before, size_t cells)
{
	uint8_t label = label_of(f);
	size_t n;

	if (cells == 12 || cells == 13)
		return cells;
	for (n = 12; n <= 13 && n < cells; n++)
		if (empty_before[n])
			return n;
	if (cells > 12 && label == FIND_MY_NUMBER)
		return 12;
	return cells > 13 && label == FIND_CORPORATE_NUMBER ? 13 : 0;
}

/*
 * A digit in each cell, as forms have them, with up to two empty cells between: one number of twelve or thirteen. The
 * length of all of it; 0 where it is none.
 */
static size_t read_boxes(struct finder *f, size_t from)
{
	struct span s = f->text;
	struct group g[BOXES_MAX];
	bool empty_before[BOXES_MAX];
	unsigned before[BOXES_MAX], cells = 0, passed = 0; /* separators before each */
	size_t at = from, groups = 0, n, i;

	while (groups < BOXES_MAX && at < s.n && digits_at(s, at) == 1) {
		g[groups] = (struct group){at, 1, groups ? ' ' : 0};
		empty_before[groups] = cells > 1;
		before[groups++] = cells;
		at++;
		at += padding_at(s, at);
		for (cells = 0; cells < 3 && at < s.n && (s.p[at] == '\t' || s.p[at] == ',' || s.p[at] == '|');
			cells++) {
			at++;
			at += padding_at(s, at);
		}
		if (!cells)
			break;
	}
	n = boxes_of(f, empty_before, groups);
	if (!n || bound_before(s, from) || bound_behind(s, g[n - 1].at + 1))
		return 0;
	f->boxes = true;
	whole(f, g, n, true);
	f->boxes = false;
	f->line.numbers = true;
	for (i = 1; i < n; i++)
		passed += before[i];
	for (i = 0; i < passed; i++)
		new_field(f);
	return g[n - 1].at + 1 - from;
}

static size_t read_label(struct finder *f, size_t at)
{
	uint8_t label;
	size_t n = label_at(f->text, at, &label);
	struct line *l = &f->line;

	if (!n)
		return 0;
	if (label == LABEL_POST || label == FIND_BANK_ACCOUNT || label == LABEL_INSURANCE ||
		label == FIND_INSURANCE_NUMBER)
		f->pair.away = 0;
	if (label == LABEL_POST || label == FIND_BANK_ACCOUNT)
		f->pair.context = FIND_BANK_ACCOUNT;
	else if (label == LABEL_INSURANCE || label == FIND_INSURANCE_NUMBER)
		f->pair.context = FIND_INSURANCE_NUMBER;
	if (label == LABEL_SYMBOL || label == LABEL_NUMBER) {
		f->pair.both = label == LABEL_NUMBER && f->pair.at == LABEL_SYMBOL;
		if (f->pair.context != LABEL_NONE)
			f->pair.at = label;
	} else {
		f->pair.at = LABEL_NONE;
	}
	/* They are no labels by themselves. */
	if (label == LABEL_POST || label == LABEL_INSURANCE || label == LABEL_SYMBOL || label == LABEL_NUMBER) {
		l->letters = l->any_letters = true;
		return n;
	}
	if (label < FIND_KINDS)
		f->named[label] = true;
	l->label = label;
	l->label_field = l->field;
	l->label_end = at + n;
	l->used = false;
	l->any_label = l->letters = l->any_letters = true;
	if (l->field < COLUMNS_MAX)
		l->labels[l->field] = label;
	return n;
}

/* Weighs what stood together in this piece, with and without the document's naming its kind. */
static void weigh(struct finder *f)
{
	unsigned column, kind, c, named;

	for (column = 0; column < COLUMNS_MAX; column++)
		for (kind = 0; kind < COMPANIES; kind++)
			for (c = 0; c < COMPANY_KINDS; c++)
				for (named = 0; named < 2; named++) {
					const struct company *m = &f->columns[column][kind][c];
					enum verdict v =
						company_weigh((enum find_kind)kind, (enum company_kind)c, m, named);
					struct sum *s = &f->company[kind][named];

					if (v == VERDICT_SURE && !s->sample[0])
						memcpy(s->sample, m->sample, FIND_SAMPLE_MAX);
					s->sure += v == VERDICT_SURE ? m->good_counted : 0;
					s->maybe += v == VERDICT_MAYBE ? m->good_counted : 0;
				}
}

void finder_continue(struct finder *f)
{
	f->continues = true;
}

void finder_text(struct finder *f, struct span text)
{
	size_t at = 0, n;

	f->text = text;
	if (!f->continues || !f->table) {
		memset(f->heads, LABEL_NONE, sizeof(f->heads));
		f->table = false;
	}
	f->continues = false;
	memset(f->columns, 0, sizeof(f->columns));
	memset(f->seen, 0, sizeof(f->seen));
	f->pair.context = f->pair.at = LABEL_NONE;
	f->pair.symbol = false;
	f->pair.away = 0;
	memset(&f->line, 0, sizeof(f->line));
	new_line(f);
	f->labelled[FIND_BANK_ACCOUNT].sure += transfer_records(text, f->labelled[FIND_BANK_ACCOUNT].sample);
	while (at < text.n) {
		uint8_t c = text.p[at];

		if (is_digit(c) && (n = read_boxes(f, at))) {
			at += n;
		} else if (is_digit(c)) {
			at = read_run(f, at);
		} else if (c == '\n') {
			new_line(f);
			at++;
		} else if (c == '\t' || c == ',') {
			new_field(f);
			at++;
		} else if ((c & 0xc0) != 0x80 && (n = read_label(f, at))) {
			at += n;
		} else {
			if (isalpha(c) || c >= 0x80)
				f->line.letters = f->line.any_letters = true;
			at++;
		}
	}
	weigh(f);
	f->text = SPAN("", 0);
}

void finder_tell(const struct finder *f, struct finding found[FIND_KINDS], bool *named)
{
	unsigned kind;

	for (kind = 0; kind < FIND_KINDS; kind++) {
		const struct sum *l = &f->labelled[kind], *c = &f->company[kind][f->named[kind]];

		found[kind].sure = l->sure + c->sure;
		found[kind].maybe = l->maybe + c->maybe;
		memcpy(found[kind].sample, l->sample[0] ? l->sample : c->sample, FIND_SAMPLE_MAX);
	}
	*named = f->named[FIND_MY_NUMBER];
}
