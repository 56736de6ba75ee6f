/*
 * Records in the forms that people and programs read: JSON, CSV, and one line of text. All three come from the field
 * table.
 *
 * Every string in a record is hostile text. JSON escapes it, CSV also keeps spreadsheets from running it, and lines
 * keep it from moving a terminal's cursor.
 */
#include "policy/wire/record.h"
#include "policy/base/text.h"

#define WEB_NUMBER_MAX ((1ll << 53) - 1) /* every double up to here is one number */

static const struct {
	unsigned bit;
	const char *name, *ja;
} flag_names[] = {
	{RF_CREATED, "created", "新規"},
	{RF_WROTE, "wrote", "書込"},
	{RF_READ, "read", "読取"},
	{RF_MMAP_WRITE, "mmap-write", "マップ書込"},
	{RF_IO_URING, "io-uring", "io_uring"},
	{RF_SPLICE, "splice", "転送"},
	{RF_CLONE, "clone", "クローン"},
	{RF_GUESSED, "guessed", "推定"},
	{RF_PATH_CUT, "path-cut", "パス省略"},
	{RF_ARGS_CUT, "args-cut", "引数省略"},
	{RF_UNLINKED, "unlinked", "削除済み"},
	{RF_HELD_OPEN, "held-open", "使用中"},
	{RF_NOT_LAST_CLOSE, "not-last-close", "終了推定"},
	{RF_OPEN_AT_START, "open-at-start", "開始前から"},
	{RF_TMPFILE, "tmpfile", "無名"},
	{RF_TRUNCATED, "truncated", "切り詰め"},
	{RF_MEMFD, "memfd", "メモリー内"},
	{RF_EXCHANGE, "exchange", "交換"},
	{RF_DIRECT_BLOCK, "block-device", "ブロックデバイス"},
	{RF_OWN_NAME, "container-name", "コンテナ内の名前"},
};

static int put_json_string(struct buf *b, struct span s)
{
	size_t i, run = 0;
	int r = buf_puts(b, "\"");

	for (i = 0; !r && i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		r = buf_put(b, s.p + run, i - run);
		if (!r && (c == '"' || c == '\\')) {
			char two[2] = {'\\', (char)c};

			r = buf_put(b, two, 2);
		} else if (!r) {
			r = c == '\n' ? buf_puts(b, "\\n") : c == '\t' ? buf_puts(b, "\\t") : buf_putf(b, "\\u%04x", c);
		}
		run = i + 1;
	}
	r = r ? r : buf_put(b, s.p + run, s.n - run);
	return r ? r : buf_puts(b, "\"");
}

static int put_hex(struct buf *b, struct span s)
{
	size_t i;
	int r = buf_reserve(b, 2 * s.n + 1);
	char two[3];

	for (i = 0; !r && i < s.n; i++)
		r = buf_put(b, hex_encode(two, s.p + i, 1), 2);
	return r;
}

/* The words of the flags, each preceded by `before`, followed by `after`, with `between` in the gaps. */
static int put_flags(struct buf *b, uint64_t flags, const char *quote, const char *between, enum record_lang lang)
{
	const char *gap = "";
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ARRAY_SIZE(flag_names); i++) {
		if (!(flags & flag_names[i].bit))
			continue;
		r = buf_putf(b, "%s%s%s%s", gap, quote, lang == LANG_JA ? flag_names[i].ja : flag_names[i].name, quote);
		gap = between;
	}
	return r;
}

size_t record_flags(uint64_t flags, char *out, size_t size)
{
	size_t i, n = 0;

	out[0] = 0;
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags & flag_names[i].bit && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", flag_names[i].name);
	return n < size ? n : size - 1;
}

static int put_json_value(struct buf *b, const struct record *r, unsigned f, bool web)
{
	const struct value *v = &r->v[f];
	const struct enum_info *e;
	char when[TEXT_TIME_SIZE];
	const char *quote;
	int x;

	switch (field_table[f].type) {
	case T_UINT:
		if (f == F_MODE)
			return buf_putf(b, "\"%04llo\"", (unsigned long long)v->u);
		if (f == F_FLAGS) {
			x = buf_puts(b, "[");
			x = x ? x : put_flags(b, v->u, "\"", ",", LANG_EN);
			return x ? x : buf_puts(b, "]");
		}
		quote = web && v->u > WEB_NUMBER_MAX ? "\"" : "";
		return buf_putf(b, "%s%llu%s", quote, (unsigned long long)v->u, quote);
	case T_ENUM:
		e = enum_by_value(f, v->u);
		quote = web ? "\"" : "";
		return e ? buf_putf(b, "\"%s\"", e->name)
			 : buf_putf(b, "%s%llu%s", quote, (unsigned long long)v->u, quote);
	case T_INT:
	case T_DURATION:
		quote = web && (v->i > WEB_NUMBER_MAX || v->i < -WEB_NUMBER_MAX) ? "\"" : "";
		return buf_putf(b, "%s%lld%s", quote, (long long)v->i, quote);
	case T_TIME:
		return buf_putf(b, "\"%s\"", text_time_utc(when, v->i));
	case T_NAME:
		if (text_is_utf8(v->s))
			return put_json_string(b, v->s);
		x = buf_puts(b, "{\"hex\":\"");
		x = x ? x : put_hex(b, v->s);
		return x ? x : buf_puts(b, "\"}");
	case T_BYTES:
		x = buf_puts(b, "\"");
		x = x ? x : put_hex(b, v->s);
		return x ? x : buf_puts(b, "\"");
	case T_NONE:
		break;
	}
	return buf_puts(b, "null");
}

static int put_json(const struct record *r, bool web, struct buf *out)
{
	size_t before = out->n;
	const char *gap = "";
	unsigned f;
	int x = buf_puts(out, "{");

	for (f = record_next(r, 0); !x && f; f = record_next(r, f)) {
		if (!field_table[f].name)
			continue;
		x = buf_putf(out, "%s\"%s\":", gap, field_table[f].name);
		x = x ? x : put_json_value(out, r, f, web);
		gap = ",";
	}
	x = x ? x : buf_puts(out, "}");
	if (x)
		out->n = before;
	return x;
}

int record_json(const struct record *r, struct buf *out)
{
	return put_json(r, false, out);
}

int record_json_web(const struct record *r, struct buf *out)
{
	return put_json(r, true, out);
}

/* One value as a person reads it; not escaped. */
static int put_plain(struct buf *b, const struct record *r, unsigned f, enum record_lang lang)
{
	const struct value *v = &r->v[f];
	const struct enum_info *e;
	char when[TEXT_TIME_SIZE];

	switch (field_table[f].type) {
	case T_UINT:
		if (f == F_FLAGS)
			return put_flags(b, v->u, "", " ", lang);
		return buf_putf(b, f == F_MODE ? "%04llo" : "%llu", (unsigned long long)v->u);
	case T_ENUM:
		e = enum_by_value(f, v->u);
		return e ? buf_puts(b, lang == LANG_JA ? e->ja : e->en) : buf_putf(b, "%llu", (unsigned long long)v->u);
	case T_INT:
		return buf_putf(b, "%lld", (long long)v->i);
	case T_DURATION:
		return buf_putf(b, "%lld.%06lld", (long long)(v->i / 1000000), llabs((long long)(v->i % 1000000)));
	case T_TIME:
		return buf_puts(b, text_time_local(when, v->i));
	case T_NAME:
		return buf_put_span(b, v->s);
	case T_BYTES:
		return put_hex(b, v->s);
	case T_NONE:
		break;
	}
	return 0;
}

/*
 * OWASP's list of what a spreadsheet takes for the start of a formula, with the full-width = + - @ of Japanese input
 * methods (U+FF1D, U+FF0B, U+FF0D, U+FF20), which some spreadsheets take for the others.
 */
static bool begins_formula(struct span s)
{
	static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
	size_t i;

	if (s.n && s.p[0] && strchr("=+-@\t\r\n", s.p[0]))
		return true;
	for (i = 0; i < ARRAY_SIZE(wide); i++)
		if (s.n >= 3 && !memcmp(s.p, wide[i], 3))
			return true;
	return false;
}

int record_csv_cell(struct span s, struct buf *out)
{
	size_t i;
	int r = buf_puts(out, "\"");

	if (!r && begins_formula(s))
		r = buf_puts(out, "'");
	for (i = 0; !r && i < s.n; i++)
		r = s.p[i] == '"' ? buf_puts(out, "\"\"") : buf_put(out, s.p + i, 1);
	return r ? r : buf_puts(out, "\"");
}

int record_csv_head(const unsigned *fields, enum record_lang lang, struct buf *out)
{
	size_t i;
	int x = 0;

	for (i = 0; !x && fields[i]; i++) {
		const struct field_info *f = &field_table[fields[i]];

		x = i ? buf_puts(out, ",") : 0;
		x = x ? x : record_csv_cell(SPAN_STR(lang == LANG_JA ? f->ja : f->en), out);
	}
	return x ? x : buf_puts(out, "\r\n");
}

int record_csv(const struct record *r, const unsigned *fields, enum record_lang lang, struct buf *out)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(1u << 20), cell = BUF_INIT(1u << 20);
	size_t before = out->n, i;
	int x = 0;

	for (i = 0; !x && fields[i]; i++) {
		buf_clear(&plain);
		buf_clear(&cell);
		if (record_has(r, fields[i])) {
			x = put_plain(&plain, r, fields[i], lang);
			/* Control characters and bytes that are no text would break the table: they are shown escaped.
			 */
			if (!x && field_table[fields[i]].type == T_NAME)
				x = text_escape(&cell, buf_span(&plain));
			else if (!x)
				x = buf_put_span(&cell, buf_span(&plain));
		}
		x = x ? x : i ? buf_puts(out, ",") : 0;
		/* A negative number is no formula. */
		if (!x && field_table[fields[i]].type != T_NAME)
			x = buf_putf(out, "\"%.*s\"", (int)cell.n, cell.n ? (const char *)cell.p : "");
		else if (!x)
			x = record_csv_cell(buf_span(&cell), out);
	}
	x = x ? x : buf_puts(out, "\r\n");
	if (x)
		out->n = before;
	return x;
}

static int put_escaped(struct buf *b, const char *before, const struct record *r, unsigned f)
{
	int x;

	if (!record_has(r, f) || !r->v[f].s.n)
		return 0;
	x = buf_puts(b, before);
	return x ? x : text_escape(b, r->v[f].s);
}

/* Arguments as one would type them: apart by spaces. */
static int put_args(struct buf *b, const struct record *r)
{
	struct span s;
	size_t i, from = 0;
	int x;

	if (!record_has(r, F_ARGS) || !r->v[F_ARGS].s.n)
		return 0;
	s = r->v[F_ARGS].s;
	x = buf_puts(b, "  $");
	for (i = 0; !x && i <= s.n; i++) {
		if (i < s.n && s.p[i] != '\n')
			continue;
		if (i < s.n || i > from) {
			x = buf_puts(b, " ");
			x = x ? x : text_escape(b, SPAN(s.p + from, i - from));
		}
		from = i + 1;
	}
	return x;
}

static int put_bytes_text(struct buf *b, uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)n;
	size_t u = 0;

	while (v >= 1024 && u + 1 < ARRAY_SIZE(units)) {
		v /= 1024;
		u++;
	}
	return buf_putf(b, u ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* "DataTraveler 3.0 0951:1666 408D5C15": what a device calls itself, or what kind of thing it is. */
static int put_device(struct buf *out, const struct record *r, enum record_lang lang)
{
	int x = 0;

	if (record_has(r, F_PRODUCT)) {
		x = put_escaped(out, "  ", r, F_PRODUCT);
	} else if (record_has(r, F_DEVICE_KIND)) {
		x = buf_puts(out, "  ");
		x = x ? x : put_plain(out, r, F_DEVICE_KIND, lang);
	}
	x = x ? x : put_escaped(out, " ", r, F_USB_ID);
	return x ? x : put_escaped(out, " ", r, F_SERIAL);
}

int record_line(const struct record *r, enum record_lang lang, struct buf *out)
{
	const bool ja = lang == LANG_JA, copy = record_number(r, F_KIND, 0) == KIND_COPY;
	const char *gap = "  (";
	char when[TEXT_TIME_SIZE] = "";
	int x = 0;

	if (record_has(r, F_TIME))
		text_time_local(when, r->v[F_TIME].i);
	if (when[0] && when[10] == 'T') {
		when[10] = ' ';
		when[23] = 0; /* milliseconds; the zone is the reader's own */
	}
	x = buf_putf(out, "%s  ", when);
	if (!x && record_has(r, F_USER))
		x = text_escape(out, r->v[F_USER].s);
	else if (!x && record_has(r, F_UID))
		x = buf_putf(out, "uid %llu", (unsigned long long)r->v[F_UID].u);
	else if (!x)
		x = buf_puts(out, "-");
	x = x ? x : put_escaped(out, "  ", r, record_has(r, F_PROGRAM) ? F_PROGRAM : F_COMM);
	if (!x && record_has(r, F_PID))
		x = buf_putf(out, "[%llu]", (unsigned long long)r->v[F_PID].u);
	if (!x && record_has(r, F_KIND)) {
		x = buf_puts(out, "  ");
		x = x ? x : put_plain(out, r, F_KIND, lang);
	}
	/* Of a copy the second path is what it was made from. */
	x = x ? x : put_escaped(out, "  ", r, copy ? F_PATH2 : F_PATH);
	x = x ? x : put_escaped(out, " → ", r, copy ? F_PATH : F_PATH2);
	x = x ? x : put_escaped(out, "  ", r, F_TITLE);
	x = x ? x : put_escaped(out, " → ", r, F_PRINTER);
	x = x ? x : put_escaped(out, "  ", r, F_TARGET_USER);
	x = x ? x : put_escaped(out, "  ", r, F_PEER_NAME);
	x = x ? x : put_device(out, r, lang);
	x = x ? x : put_args(out, r);
	x = x ? x : put_escaped(out, "  ", r, F_TEXT);

#define DETAIL(f, ...)                     \
	if (!x && record_has(r, f)) {      \
		x = buf_puts(out, gap);    \
		gap = ", ";                \
		x = x ? x : (__VA_ARGS__); \
	}
	DETAIL(F_CLASS, put_plain(out, r, F_CLASS, lang))
	if (!x && record_has(r, F_READ) && r->v[F_READ].u) {
		DETAIL(F_READ, (x = buf_puts(out, ja ? "読取 " : "read ")) ? x : put_bytes_text(out, r->v[F_READ].u))
	}
	if (!x && record_has(r, F_WRITTEN) && r->v[F_WRITTEN].u) {
		DETAIL(F_WRITTEN,
			(x = buf_puts(out, ja ? "書込 " : "written ")) ? x : put_bytes_text(out, r->v[F_WRITTEN].u))
	}
	if (!x && record_has(r, F_FLAGS) && r->v[F_FLAGS].u & ~(uint64_t)(RF_READ | RF_WROTE)) {
		DETAIL(F_FLAGS, put_flags(out, r->v[F_FLAGS].u & ~(uint64_t)(RF_READ | RF_WROTE), "", " ", lang))
	}
	DETAIL(F_CERTAINTY, put_plain(out, r, F_CERTAINTY, lang))
	DETAIL(F_REASON, put_plain(out, r, F_REASON, lang))
	DETAIL(F_ACTION, put_plain(out, r, F_ACTION, lang))
	DETAIL(F_OUTCOME, put_plain(out, r, F_OUTCOME, lang))
	DETAIL(F_ACCESS, put_plain(out, r, F_ACCESS, lang))
	DETAIL(F_RULE, text_escape(out, r->v[F_RULE].s))
	DETAIL(F_PAGES, buf_putf(out, ja ? "%llu ページ" : "%llu pages", (unsigned long long)r->v[F_PAGES].u))
	if (!x && record_has(r, F_COPIES) && r->v[F_COPIES].u > 1) {
		DETAIL(F_COPIES, buf_putf(out, ja ? "%llu 部" : "%llu copies", (unsigned long long)r->v[F_COPIES].u))
	}
	DETAIL(F_GATE, put_plain(out, r, F_GATE, lang))
	DETAIL(F_MODE, put_plain(out, r, F_MODE, lang))
	DETAIL(F_EXIT_CODE,
		buf_putf(out, ja ? "終了コード %llu" : "exit %llu", (unsigned long long)r->v[F_EXIT_CODE].u))
	DETAIL(F_SIGNAL, buf_putf(out, ja ? "シグナル %llu" : "signal %llu", (unsigned long long)r->v[F_SIGNAL].u))
	DETAIL(F_CAUSE, put_plain(out, r, F_CAUSE, lang))
	DETAIL(F_LOST, buf_putf(out, ja ? "%llu 件欠落" : "%llu lost", (unsigned long long)r->v[F_LOST].u))
	DETAIL(F_PROBE_SET, put_plain(out, r, F_PROBE_SET, lang))
	DETAIL(F_ENFORCE, put_plain(out, r, F_ENFORCE, lang))
#undef DETAIL
	if (!x && gap[0] == ',')
		x = buf_puts(out, ")");
	return x;
}
