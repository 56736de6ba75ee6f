/*
 * An alert as people and programs read it: a message (RFC 5322, MIME, UTF-8), a JSON object, and its signature. Names
 * come from PCs: nothing here lets one end a line, or a string.
 */
#include "collector/herald/herald.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/agree.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define LINE_BYTES 57u   /* 76 letters of base64 */
#define WORD_BYTES 42u   /* of text in one encoded word, whose length RFC 2047 bounds */
#define SUBJECT_MAX 400u /* bytes of text */
#define NAME_SHOWN 256
#define SECRET_MAX 1024u
#define REPORT_NAME_SIZE 26u

#define pick(t, en, ja) ((t)->japanese ? (ja) : (en))

/* Where in the console it is to be seen; empty where the plan does not say where the console is. */
static int link_of(const struct herald *h, const struct word *w, struct buf *out)
{
	size_t n = h->plan.console ? strlen(h->plan.console) : 0;

	if (!n)
		return 0;
	while (n && h->plan.console[n - 1] == '/')
		n--;
	if (!w->about)
		return buf_putf(out, "%.*s/#/alerts", (int)n, h->plan.console);
	return buf_putf(out, "%.*s/#/logs?open=%llu", (int)n, h->plan.console, (unsigned long long)w->about);
}

static int line(struct buf *out, const char *label, struct span s)
{
	char shown[NAME_SHOWN];

	return s.n ? buf_putf(out, "%s: %s\r\n", label, text_escape_to(shown, sizeof(shown), s)) : 0;
}

static int body_of(const struct herald *h, const struct target *t, const struct word *w, struct buf *out)
{
	const struct enum_info *e = enum_by_value(F_SEVERITY, w->severity);
	_cleanup_buf_ struct buf where = BUF_INIT(2048);
	char time[TEXT_TIME_SIZE], count[24], id[2 * BOOK_ALERT_SIZE + 1];
	int r = link_of(h, w, &where);

	snprintf(count, sizeof(count), "%llu", (unsigned long long)w->count);
	r = r ? r : line(out, pick(t, "Alert", "警告"), w->title);
	r = r ? r : line(out, pick(t, "Severity", "重大度"), SPAN_STR(e ? pick(t, e->en, e->ja) : "?"));
	r = r ? r : line(out, pick(t, "PC", "PC"), w->host_name);
	r = r ? r : line(out, pick(t, "Person", "ユーザー"), w->user);
	r = r ? r : line(out, pick(t, "Time", "日時"), SPAN_STR(text_time_local(time, w->time_us)));
	if (!r && w->count > 1)
		r = line(out, pick(t, "Records", "件数"), SPAN_STR(count));
	r = r ? r : line(out, pick(t, "Rule", "ルール"), w->rule);
	r = r ? r : line(out, pick(t, "Number", "警告番号"), SPAN_STR(hex_encode(id, w->alert, BOOK_ALERT_SIZE)));
	return r ? r : line(out, pick(t, "In the console", "コンソール"), buf_span(&where));
}

/* The first bytes of a text that are whole characters, at most `max`. */
static size_t whole(struct span s, size_t max)
{
	size_t n = s.n < max ? s.n : max;

	while (n && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* The month of a report's name. */
static struct span month_of(const struct word *w)
{
	return w->host_name.n == REPORT_NAME_SIZE ? SPAN(w->host_name.p + 15, 7) : SPAN("", 0);
}

bool words_report_name(struct span name)
{
	static const char form[] = "sekisho-report-0000-00.pdf";
	size_t i;

	if (name.n != sizeof(form) - 1)
		return false;
	for (i = 0; i < name.n; i++)
		if (form[i] == '0' ? name.p[i] < '0' || name.p[i] > '9' : name.p[i] != (uint8_t)form[i])
			return false;
	return true;
}

/* RFC 2047, section 2: encoded words, each whole in its characters, one a line. */
static int subject(const struct target *t, const struct word *w, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	char title[NAME_SHOWN], host[NAME_SHOWN];
	struct span left, month = month_of(w);
	int r;

	if (w->kind == KIND_CONSOLE_EXPORT)
		r = buf_putf(&text, "[Sekisho] %s %.*s", pick(t, "Monthly report", "月次レポート"), (int)month.n,
			(const char *)month.p);
	else
		r = buf_putf(&text, "[Sekisho] %s (%s)", text_escape_to(title, sizeof(title), w->title),
			text_escape_to(host, sizeof(host), w->host_name));
	r = r ? r : buf_puts(out, "Subject:");
	left = SPAN(text.p, r ? 0 : whole(buf_span(&text), SUBJECT_MAX));
	while (!r && left.n) {
		size_t n = whole(left, WORD_BYTES);

		n = n ? n : left.n;
		r = buf_puts(out, " =?UTF-8?B?");
		r = r ? r : base64_encode(out, SPAN(left.p, n));
		left = SPAN(left.p + n, left.n - n);
		r = r ? r : buf_puts(out, left.n ? "?=\r\n" : "?=");
	}
	return r ? r : buf_puts(out, "\r\n");
}

static int head(const struct target *t, const struct word *w, struct buf *out)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	char id[2 * BOOK_ALERT_SIZE + 1], date[64];
	struct tm tm;
	unsigned i;
	int r = buf_putf(out, "From: <%s>\r\n", t->from);

	/* "To: a, b" would show everybody whom else it went to, which is what an office wants. */
	for (i = 0; !r && i < t->to.n; i++)
		r = buf_putf(out, "%s<%s>%s", i ? " " : "To: ", t->to.v[i], i + 1 < t->to.n ? ",\r\n" : "\r\n");
	if (!gmtime_r(&now, &tm) || !strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm))
		return -EINVAL;
	r = r ? r : subject(t, w, out);
	/* The same alert has the same id: a copy that was sent twice shows as one. */
	r = r ? r
	      : buf_putf(out, "Date: %s\r\nMessage-ID: <%s.%s@%s>\r\n", date, hex_encode(id, w->alert, BOOK_ALERT_SIZE),
			t->name, strchr(t->from, '@') + 1);
	return r ? r : buf_puts(out, "Auto-Submitted: auto-generated\r\n");
}

int words_report(const struct target *t, const struct word *w, struct buf *lines, struct buf *text)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct span month = month_of(w);
	int r = head(t, w, lines);

	r = r ? r
	      : buf_putf(text,
			pick(t, "The report of %.*s is attached.\r\n\r\n", "%.*s のレポートを添付します。\r\n\r\n"),
			(int)month.n, (const char *)month.p);
	r = r ? r : buf_putf(text, "SHA-256: %s\r\n", hex_encode(hex, w->host.b, DIGEST_SIZE));
	return r ? r
		 : buf_puts(text, pick(t, "The same hash stands in the log, in the record of its making.\r\n",
					  "同じハッシュ値が、作成の記録としてログに残っています。\r\n"));
}

int words_mail(const struct herald *h, const struct target *t, const struct word *w, struct buf *out)
{
	_cleanup_buf_ struct buf body = BUF_INIT(16384);
	size_t at;
	int r = head(t, w, out);

	r = r ? r
	      : buf_puts(out, "MIME-Version: 1.0\r\n"
			      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	r = r ? r : body_of(h, t, w, &body);
	for (at = 0; !r && at < body.n; at += LINE_BYTES) {
		r = base64_encode(out, SPAN(body.p + at, body.n - at < LINE_BYTES ? body.n - at : LINE_BYTES));
		r = r ? r : buf_puts(out, "\r\n");
	}
	return r;
}

static json_t *text_json(struct span s)
{
	char shown[4096];

	return s.n ? json_string(text_escape_to(shown, sizeof(shown), s)) : json_null();
}

int words_json(const struct herald *h, const struct word *w, struct buf *out)
{
	const struct enum_info *e = enum_by_value(F_SEVERITY, w->severity);
	_cleanup_buf_ struct buf where = BUF_INIT(2048);
	char id[2 * BOOK_ALERT_SIZE + 1], host[2 * DIGEST_SIZE + 1] = "", time[TEXT_TIME_SIZE], about[24];
	json_t *o;
	char *text;
	int r = link_of(h, w, &where);

	if (r)
		return r;
	if (w->has_host)
		hex_encode(host, w->host.b, DIGEST_SIZE);
	snprintf(about, sizeof(about), "%llu", (unsigned long long)w->about);
	o = json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:I, s:o, s:o}", "alert",
		hex_encode(id, w->alert, BOOK_ALERT_SIZE), "rule", text_json(w->rule), "title", text_json(w->title),
		"severity", e ? e->name : "note", "host", text_json(w->host_name), "host_id", text_json(SPAN_STR(host)),
		"user", text_json(w->user), "time", text_time_utc(time, w->time_us), "count", (json_int_t)w->count,
		"record", text_json(w->about ? SPAN_STR(about) : SPAN("", 0)), "link", text_json(buf_span(&where)));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	r = text ? buf_puts(out, text) : -ENOMEM;
	free(text);
	return r;
}

int words_sign(struct span secret, int64_t now_s, struct span body, struct buf *out)
{
	_cleanup_buf_ struct buf message = BUF_INIT(body.n + 64);
	uint8_t mac[SECRET_SIZE];
	char hex[2 * SECRET_SIZE + 1];
	int r = buf_putf(&message, "%lld.", (long long)now_s);

	r = r ? r : buf_put_span(&message, body);
	r = r ? r : hmac_sha256(secret, buf_span(&message), mac);
	return r ? r : buf_putf(out, "t=%lld,v1=%s", (long long)now_s, hex_encode(hex, mac, sizeof(mac)));
}

int words_secret(const char *path, struct buf *out, struct why *why)
{
	int r;

	*out = BUF_INIT(SECRET_MAX);
	r = file_read(path, out);
	while (!r && out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
	if (r || !out->n || memchr(out->p, 0, out->n))
		return why_set(why, r < 0 ? r : V_BAD, "%s: a secret of one line belongs there%s%s", path,
			r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	return 0;
}
