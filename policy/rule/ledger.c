/*
 * devices.csv, the ledger of devices that the office keeps in a spreadsheet: read (RFC 4180, with what Excel makes of
 * it: a byte order mark, CRLF, quoted cells with newlines). Columns are found by their names.
 * ledger_write.c writes it.
 */
#include "policy/base/text.h"
#include "policy/rule/policy_parts.h"
#include "policy/rule/said.h"
#include <errno.h>

#define NAME "devices.csv"
#define CELL_MAX 1024u
#define COLUMNS_MAX 64

enum column {
	VENDOR,
	PRODUCT,
	SERIAL,
	FINGERPRINT,
	OWNER,
	LABEL,
	ACCESS,
	USERS,
	GROUPS,
	HOSTS,
	FROM,
	UNTIL,
	ENCRYPTED,
	MEDIUM,
	NOTE,
	COLUMNS
};
static const char *const column_names[COLUMNS] = {"vendor", "product", "serial", "fingerprint", "owner", "label",
	"access", "users", "groups", "hosts", "from", "until", "encrypted", "medium", "note"};

struct cells {
	struct span in;
	size_t at;
	unsigned line; /* of the cell at hand */
	char cell[CELL_MAX];
	size_t n;
	bool last; /* of its row */
	struct why *why;
};

static int bad(struct cells *c, const char *column, struct said what)
{
	return said_bad(c->why, NAME, c->line, column, what);
}

static int bad_value(struct cells *c, unsigned line, const char *column, const char *value, struct said wanted)
{
	return said_bad_value(c->why, NAME, line, column, value, wanted);
}

static int put(struct cells *c, uint8_t byte)
{
	if (!byte)
		return bad(c, NULL,
			SAID("holds a NUL byte (is it UTF-16? save it as CSV UTF-8)",
				"NUL を含みます (UTF-16 ではありませんか。CSV UTF-8 で保存してください)"));
	if (c->n == CELL_MAX - 1)
		return bad(c, NULL, SAID("a cell is too long", "セルが長すぎます"));
	c->cell[c->n++] = (char)byte;
	return 0;
}

/* The inside of a quoted cell; leaves `at` behind its closing quote. */
static int quoted(struct cells *c)
{
	int r = 0;

	for (c->at++; c->at < c->in.n && !r; c->at++) {
		uint8_t b = c->in.p[c->at];

		if (b == '"') {
			if (c->at + 1 < c->in.n && c->in.p[c->at + 1] == '"') {
				c->at++;
			} else {
				c->at++;
				return 0;
			}
		}
		c->line += b == '\n';
		r = put(c, b);
	}
	return r ? r : bad(c, NULL, SAID("a quoted cell has no end", "引用符で始まるセルが閉じていません"));
}

/* The next cell. V_END behind the last one. */
static int next_cell(struct cells *c)
{
	int r = 0;

	c->n = 0;
	c->last = false;
	if (c->at >= c->in.n)
		return V_END;
	if (c->in.p[c->at] == '"')
		r = quoted(c);
	while (!r && c->at < c->in.n && !memchr(",\r\n", c->in.p[c->at], 3))
		r = put(c, c->in.p[c->at++]);
	if (r)
		return r;
	c->cell[c->n] = 0;
	if (!text_is_utf8(SPAN(c->cell, c->n)))
		return bad(c, NULL,
			SAID("is not UTF-8 (in Excel: save as \"CSV UTF-8\")",
				"UTF-8 ではありません (Excel では「CSV UTF-8」で保存してください)"));
	if (c->at < c->in.n && c->in.p[c->at] == ',') {
		c->at++;
		/* A comma at the very end stands before one more, empty cell: the row ends with it. */
		c->last = c->at >= c->in.n;
		return 0;
	}
	c->last = true;
	if (c->at < c->in.n && c->in.p[c->at] == '\r')
		c->at++;
	if (c->at < c->in.n && c->in.p[c->at] == '\n')
		c->at++;
	else if (c->at < c->in.n)
		return bad(c, NULL, SAID("a row ends without a newline", "行の終わりに改行がありません"));
	return 0;
}

static void end_row(struct cells *c)
{
	c->line++;
}

static void trim(char *s)
{
	size_t n = strlen(s), lead = strspn(s, " \t");

	while (n > lead && strchr(" \t", s[n - 1]))
		n--;
	memmove(s, s + lead, n - lead);
	s[n - lead] = 0;
	/* What keeps a spreadsheet from making a number of it. */
	if (s[0] == '\'')
		memmove(s, s + 1, strlen(s));
}

static int read_head(struct cells *c, int order[COLUMNS_MAX], unsigned *n)
{
	bool seen[COLUMNS] = {false};
	int r, i;

	*n = 0;
	do {
		r = next_cell(c);
		if (r)
			return r == V_END
				       ? bad(c, NULL, SAID("there is no row of column names", "列名の行がありません"))
				       : r;
		trim(c->cell);
		for (i = 0; i < COLUMNS && strcasecmp(column_names[i], c->cell) != 0; i++)
			;
		if (i == COLUMNS && (c->cell[0] || *n == 0))
			return bad_value(c, c->line, "column", c->cell,
				SAID("column (vendor, product, serial, access, ...; see devices.csv(5))",
					"列名 (vendor、product、serial、access など。devices.csv(5) を参照)"));
		if (*n == COLUMNS_MAX || (i < COLUMNS && seen[i]))
			return bad(c, c->cell, SAID("is there twice", "2 回書かれています"));
		if (i < COLUMNS)
			seen[i] = true;
		order[(*n)++] = i;
	} while (!c->last);
	end_row(c);
	if (!seen[ACCESS])
		return bad(c, "access", SAID("this column is missing", "この列がありません"));
	if (!seen[VENDOR] && !seen[SERIAL] && !seen[FINGERPRINT])
		return bad(c, NULL,
			SAID("no column says which device: vendor, serial or fingerprint",
				"機器を示す列 (vendor、serial、fingerprint) がありません"));
	return 0;
}

/* --- one row --- */

static int take_hex(struct cells *c, unsigned line, enum column which, const char *s, int *out)
{
	*out = policy_hex16(s);
	return *out == ANY
		       ? bad_value(c, line, column_names[which], s,
				 SAID("USB id of four hexadecimal digits (was it made a number by the spreadsheet?)",
					 "16 進 4 桁の USB ID (表計算ソフトが数値に変えていませんか)"))
		       : 0;
}

static int take_time(struct cells *c, unsigned line, enum column which, const char *s, int64_t *out)
{
	unsigned year, month, day;
	char text[64];
	int end = 0;

	/* Excel writes 2026/12/31, and 2026/1/5. */
	if (sscanf(s, "%4u%*1[/-]%2u%*1[/-]%2u%n", &year, &month, &day, &end) == 3 && end &&
		(size_t)snprintf(text, sizeof(text), "%04u-%02u-%02u%s", year, month, day, s + end) < sizeof(text) &&
		text_time_parse(text, 0, out) == 0)
		return 0;
	return bad_value(c, line, column_names[which], s,
		SAID("date or time (2026-12-31, 2026-12-31 18:00)", "日付または日時 (2026-12-31、2026-12-31 18:00)"));
}

static int take_yes(struct cells *c, unsigned line, enum column which, const char *s, bool *out)
{
	*out = !strcasecmp(s, "yes") || !strcasecmp(s, "true");
	return *out || !strcasecmp(s, "no") || !strcasecmp(s, "false")
		       ? 0
		       : bad_value(c, line, column_names[which], s, SAID("yes or no", "yes または no"));
}

static int take_words(struct policy *p, struct cells *c, enum column which, const char *s, words *out)
{
	int r = policy_keep_words(p, SPAN_STR(s), out);

	return r == V_FULL ? bad(c, column_names[which], SAID("too many words", "語が多すぎます")) : r;
}

static int take_cell(struct policy *p, struct cells *c, struct row *row, unsigned line, int which)
{
	const char *s = c->cell, *kept;

	if (!*s || which == COLUMNS)
		return 0;
	kept = policy_keep_text(p, SPAN_STR(s));
	if (!kept)
		return -ENOMEM;
	switch ((enum column)which) {
	case VENDOR:
		return take_hex(c, line, VENDOR, s, &row->match.vendor);
	case PRODUCT:
		return take_hex(c, line, PRODUCT, s, &row->match.product);
	case SERIAL:
		row->as.serial = row->match.serial = kept;
		return 0;
	case FINGERPRINT:
		row->match.has_fingerprint = true;
		return hex_decode(strncmp(s, "sha256:", 7) ? s : s + 7, row->match.fingerprint.b, DIGEST_SIZE)
			       ? bad_value(c, line, "fingerprint", s,
					 SAID("fingerprint of 64 hexadecimal digits", "16 進 64 桁の指紋"))
			       : 0;
	case OWNER:
		row->as.owner = kept;
		return 0;
	case LABEL:
		row->as.label = kept;
		return 0;
	case ACCESS:
		row->as.access = policy_access(s);
		return row->as.access ? 0
				      : bad_value(c, line, "access", s,
						SAID("deny, read-only or read-write",
							"deny、read-only、read-write のいずれか"));
	case USERS:
		row->as.users = kept;
		return take_words(p, c, USERS, s, &row->match.users);
	case GROUPS:
		row->as.groups = kept;
		return take_words(p, c, GROUPS, s, &row->match.groups);
	case HOSTS:
		row->as.hosts = kept;
		return take_words(p, c, HOSTS, s, &row->match.hosts);
	case FROM:
		return take_time(c, line, FROM, s, &row->match.from_us);
	case UNTIL:
		return take_time(c, line, UNTIL, s, &row->match.until_us);
	case ENCRYPTED:
		return take_yes(c, line, ENCRYPTED, s, &row->as.encrypted);
	case MEDIUM:
		row->as.medium = kept;
		return take_words(p, c, MEDIUM, s, &row->media);
	case NOTE:
		row->as.note = kept;
		return 0;
	case COLUMNS:
		break;
	}
	return 0;
}

static int finish_row(struct policy *p, struct cells *c, struct row *row, bool empty)
{
	struct match *m = &row->match;

	if (empty)
		return 0;
	if (!row->as.access)
		return bad(c, "access", SAID("is empty", "空です"));
	if (m->vendor == ANY && !m->serial && !m->has_fingerprint)
		return bad(c, NULL,
			SAID("says of no device: vendor, serial or fingerprint belongs there",
				"どの機器か分かりません (vendor、serial、fingerprint のいずれかが必要です)"));
	if (m->product != ANY && m->vendor == ANY)
		return bad(c, "vendor", SAID("is empty, and product is not", "空なのに product が書かれています"));
	if (m->from_us >= m->until_us)
		return bad(c, "until", SAID("is not after from", "from より後ではありません"));
	row->as.has_vendor = m->vendor != ANY;
	row->as.has_product = m->product != ANY;
	row->as.vendor = (uint16_t)m->vendor;
	row->as.product = (uint16_t)m->product;
	row->as.has_fingerprint = m->has_fingerprint;
	row->as.fingerprint = m->fingerprint;
	row->as.from_us = m->from_us;
	row->as.until_us = m->until_us;
	p->rows_n++;
	return 0;
}

static int make_room(struct policy *p, struct cells *c)
{
	void *more;

	if (p->rows_n == POLICY_ROWS_MAX)
		return bad(c, NULL, SAID("more rows than a policy can have", "行数がポリシーの上限を超えています"));
	if (p->rows_n & (p->rows_n - 1) || (p->rows_n && p->rows_n < 64))
		return 0;
	more = realloc(p->rows, (p->rows_n ? 2 * p->rows_n : 64) * sizeof(*p->rows));
	if (!more)
		return -ENOMEM;
	p->rows = more;
	return 0;
}

static int read_row(struct policy *p, struct cells *c, const int *order, unsigned columns)
{
	static const struct ledger_row blank = {LEDGER_ROW_BLANK};
	unsigned n = 0, line = c->line;
	bool empty = true;
	struct row *row;
	int r;

	if (c->at >= c->in.n)
		return V_END;
	r = make_room(p, c);
	if (r)
		return r;
	row = &p->rows[p->rows_n];
	*row = (struct row){.as = blank, .next = -1};
	row->as.line = line;
	match_init(&row->match);
	do {
		r = next_cell(c);
		if (r)
			return r;
		trim(c->cell);
		empty &= !c->cell[0];
		if (n >= columns && c->cell[0])
			return bad(
				c, NULL, SAID("has more cells than there are columns", "列名より多くのセルがあります"));
		r = n < columns ? take_cell(p, c, row, line, order[n]) : 0;
		n++;
	} while (!r && !c->last);
	r = r ? r : finish_row(p, c, row, empty);
	end_row(c);
	return r;
}

int policy_read_ledger(struct policy *p, struct span csv, struct why *why)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
	struct why own = {""};
	struct cells *c;
	int order[COLUMNS_MAX], r;
	unsigned columns;

	if (csv.n > POLICY_CSV_MAX)
		return said_bad(
			why, NAME, 0, NULL, SAID("larger than a ledger can be", "台帳の上限より大きいファイルです"));
	if (csv.n >= sizeof(bom) && !memcmp(csv.p, bom, sizeof(bom)))
		csv = SPAN(csv.p + sizeof(bom), csv.n - sizeof(bom));
	if (!csv.n)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct cells){.in = csv, .line = 1, .why = why ? why : &own};
	r = read_head(c, order, &columns);
	while (!r)
		r = read_row(p, c, order, columns);
	free(c);
	return r == V_END ? 0 : r;
}
