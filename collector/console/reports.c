/*
 * Reports of a month or another period (collector/report): made a piece at a time beside everything else, then kept for
 * their session as the bytes that go out: what is on the screen, the PDF and the files are of one reading of the log.
 *
 * That somebody has one made is in the access log before it begins; what it was (SHA-256 of the PDF) when it is made;
 * and each file that leaves.
 */
#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "collector/console/route.h"
#include "collector/report/report.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <unistd.h>

#define REPORTS_MAX 4u
#define BODY_MAX 4096u
#define ID_SIZE 16u
#define STEP_US 20000
#define FILE_MAX (48u << 20)
#define KEPT_US 1800000000ll /* after it was made */

struct making {
	struct making *next;
	struct console *c;
	struct outgoing by;
	char address[ADDRESS_SIZE], id[2 * ID_SIZE + 1], name[32];
	struct report *report; /* NULL once it is made */
	struct report_paper *paper;
	struct buf pdf, zip, json;
	struct digest hash;
	uint64_t records;
	int64_t made_us; /* boot clock; 0: not yet */
	const char *failed;
};

static void making_free(struct making *m)
{
	struct making **at;

	for (at = &m->c->makings; *at && *at != m; at = &(*at)->next)
		;
	if (*at) {
		*at = m->next;
		m->c->makings_n--;
	}
	report_paper_free(m->paper);
	report_free(m->report);
	buf_deinit(&m->pdf);
	buf_deinit(&m->zip);
	buf_deinit(&m->json);
	secret_wipe(&m->by, sizeof(m->by));
	free(m);
}

/* --- making --- */

/* How it ended, in the access log. */
static void told_end(struct making *m, const char *how)
{
	struct told t = {.kind = KIND_CONSOLE_EXPORT,
		.account = m->by.account.name,
		.address = m->address,
		.operation = "/api/v1/reports",
		.text = how,
		.hash = &m->hash,
		.count = m->records,
		.has_count = true,
		.urgent = true};
	int r;

	digest_span(&m->hash, buf_span(&m->pdf));
	r = tell(m->c, &t);
	if (r)
		console_fail(m->c, r, "access log");
}

static int into(void *ctx, struct span bytes)
{
	int r = buf_put_span(ctx, bytes);

	return r > 0 ? -EFBIG : r;
}

static bool sees(void *ctx, const struct store_row *row)
{
	struct making *m = ctx;

	return look_sees(m->c, &m->by.account, row);
}

static bool sees_pc(void *ctx, const char *name)
{
	const struct making *m = ctx;

	return account_sees(&m->by.account, name);
}

static int put_json(struct making *m)
{
	json_t *o = report_json(m->report);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int r = text ? into(&m->json, SPAN_STR(text)) : -ENOMEM;

	free(text);
	json_decref(o);
	return r;
}

/* A piece of it. 0: there is more; V_END: it is made; else what is wrong. */
static int step(struct making *m, struct why *why)
{
	int r;

	if (!m->paper) {
		r = store_of(m->c);
		r = r ? r : report_step(m->report, m->c->store, STEP_US, why);
		if (r != V_END)
			return r;
		r = put_json(m);
		return r ? r : report_paper_new(m->report, into, &m->pdf, &m->paper);
	}
	r = report_paper_step(m->paper);
	if (r != V_END)
		return r;
	r = report_zip(m->report, into, &m->zip);
	m->records = report_records(m->report);
	return r ? r : V_END;
}

static void go_on(struct making *m)
{
	struct why why = {""};
	int r = step(m, &why);

	if (!r)
		return;
	if (r == V_END) {
		m->made_us = clock_boot_us();
		told_end(m, "made");
	} else {
		m->failed = r == -EFBIG ? "it is too large" : r < 0 ? "no memory" : "the store cannot be read now";
		if (r > 0)
			log_warning("report: %s", why.text[0] ? why.text : "the store cannot be read");
		buf_clear(&m->pdf);
		told_end(m, "broken off: it failed");
	}
	report_paper_free(m->paper);
	m->paper = NULL;
	report_free(m->report);
	m->report = NULL;
}

void reports_tick(struct console *c)
{
	struct making *m, *next;
	int64_t now = clock_boot_us();
	bool busy = false;

	for (m = c->makings; m; m = next) {
		struct session *s = session_by_id(c->sessions, &m->by.session);
		int64_t seen = s ? s->seen_us : 0;
		const char *over = outgoing_over(c, &m->by, now);

		next = m->next;
		/* Keeping it is no use of the session. */
		if (s && m->made_us)
			s->seen_us = seen;
		if (over || (m->made_us && now - m->made_us > KEPT_US)) {
			if (!m->made_us && !m->failed)
				told_end(m, over ? over : "broken off");
			making_free(m);
		} else if (m->report && !busy) {
			go_on(m);
			busy = true;
		}
	}
}

void reports_stop(struct console *c)
{
	while (c->makings) {
		struct making *m = c->makings;

		if (!m->made_us && !m->failed)
			told_end(m, "the console stops");
		making_free(m);
	}
}

/* --- asking for one --- */

static unsigned parts_of(const struct account *a)
{
	unsigned parts = 0;

	if (a->roles & ROLE_AUDITOR)
		parts |= REPORT_ALL;
	if (a->roles & ROLE_VIEWER)
		parts |= REPORT_PRINTS | REPORT_DRIVES | REPORT_EXCEPTIONS | REPORT_FLEET | REPORT_PERSONS;
	if (a->roles & ROLE_ADMINISTRATOR)
		parts |= REPORT_DRIVES | REPORT_POLICY | REPORT_FLEET;
	return parts;
}

static const char *asked_text(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return v ? json_is_string(v) ? json_string_value(v) : "?" : NULL;
}

/* What was asked, into the options and, for the access log, into `what`. False: answered. */
static bool period_of(struct call *x, const json_t *o, struct report_options *to, char what[160])
{
	const char *month = asked_text(o, "month"), *since = asked_text(o, "since"), *until = asked_text(o, "until");
	const char *lang = asked_text(o, "lang");
	int64_t now = clock_wall_us();
	char from[TEXT_TIME_SIZE], before[TEXT_TIME_SIZE];
	bool good = !lang || !strcmp(lang, "en") || !strcmp(lang, "ja");

	to->lang = lang && !strcmp(lang, "ja") ? LANG_JA : LANG_EN;
	if (good && month && !since && !until && !report_month(month, &to->from_us, &to->until_us, &to->before_us)) {
		snprintf(to->month, sizeof(to->month), "%s", month);
		snprintf(what, 160, "month=%s", month);
		return true;
	}
	if (good && !month && since && until && !text_time_parse(since, now, &to->from_us) &&
		!text_time_parse(until, now, &to->until_us) && to->from_us < to->until_us) {
		to->before_us = to->from_us - (to->until_us - to->from_us);
		snprintf(what, 160, "since=%s&until=%s", text_time_utc(from, to->from_us),
			text_time_utc(before, to->until_us));
		return true;
	}
	reply_error(x, 400, "request",
		"\"month\" (2026-10), or \"since\" before \"until\", and perhaps \"lang\" belong there");
	return false;
}

/* Room for one more: the session's own one before gives way. */
static bool room(struct call *x)
{
	struct console *c = x->c;
	struct making *m;

	for (m = c->makings; m && !digest_eq(&m->by.session, &x->session->id); m = m->next)
		;
	if (m) {
		if (!m->made_us && !m->failed)
			told_end(m, "broken off: another one was asked for");
		making_free(m);
	}
	if (c->makings_n < REPORTS_MAX)
		return true;
	answer_header(x->a->req, "Retry-After", "60");
	reply_error(x, 429, "busy", "too many reports at once");
	return false;
}

static struct making *making_new(struct call *x, struct report_options *o, struct why *why)
{
	struct making *m = calloc(1, sizeof(*m));
	uint8_t id[ID_SIZE];

	if (!m)
		return NULL;
	m->c = x->c;
	outgoing_begin(&m->by, x);
	memcpy(m->address, x->address, sizeof(m->address));
	m->pdf = m->zip = m->json = BUF_INIT(FILE_MAX);
	snprintf(m->name, sizeof(m->name), "sekisho-report%s%s", o->month[0] ? "-" : "", o->month);
	o->sees = sees;
	o->sees_pc = sees_pc;
	o->ctx = m;
	if (random_bytes(id, sizeof(id)) || report_new(o, &m->report, why)) {
		making_free(m);
		return NULL;
	}
	hex_encode(m->id, id, sizeof(id));
	return m;
}

void reports_post(struct call *x)
{
	static const char *const names[] = {"month", "since", "until", "lang", NULL};
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .urgent = true};
	struct console *c = x->c;
	struct report_options o = {.log = c->has_log ? &c->log : NULL,
		.settings = &c->report_settings,
		.policies = c->conf.policies,
		.admins = c->conf.admins,
		.parts = parts_of(x->account)};
	struct making *m = NULL;
	struct why why = {""};
	char what[160], host[sizeof(o.host)];
	json_t *body = body_object(x, BODY_MAX, names);
	int r;

	if (!body)
		return;
	if (!period_of(x, body, &o, what) || !room(x))
		goto out;
	snprintf(o.by, sizeof(o.by), "%s", x->account->name);
	if (gethostname(host, sizeof(host)))
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	text_escape_to(o.host, sizeof(o.host), SPAN_STR(host));
	t.text = what;
	r = store_of(c);
	r = r ? r : store_refresh(c->store);
	if (r) {
		store_failed(x, r, &why);
		goto out;
	}
	m = making_new(x, &o, &why);
	if (!m) {
		reply_error(x, why.text[0] ? 400 : 503, why.text[0] ? "request" : "busy",
			why.text[0] ? why.text : "no memory");
		goto out;
	}
	if (!tell_call(x, t)) {
		making_free(m);
		goto out;
	}
	m->next = c->makings;
	c->makings = m;
	c->makings_n++;
	c->count.exports++;
	reply(x, json_pack("{s:s}", "id", m->id));
out:
	json_decref(body);
}

/* --- what became of it --- */

/* The one of the path, if it is this session's. NULL: answered. */
static struct making *making_of(struct call *x)
{
	struct making *m;

	if (*x->a->query) {
		reply_error(x, 400, "filter", "no query belongs there");
		return NULL;
	}
	for (m = x->c->makings; m; m = m->next)
		if (!strcmp(m->id, x->id) && digest_eq(&m->by.session, &x->session->id))
			return m;
	reply_error(x, 404, "report", "no such report: it is kept for half an hour, and one for each session");
	return NULL;
}

void report_get(struct call *x)
{
	struct making *m = making_of(x);
	json_t *o;

	if (!m)
		return;
	if (m->failed) {
		reply_error(x, 503, "failed", m->failed);
		return;
	}
	if (!m->made_us) {
		unsigned percent = m->paper ? 99 : report_percent(m->report);

		reply(x, json_pack("{s:i, s:n}", "percent", (int)(percent < 100 ? percent : 99), "report"));
		return;
	}
	if (!tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		return;
	o = json_loadb((const char *)m->json.p, m->json.n, 0, NULL);
	reply(x, json_pack("{s:i, s:o}", "percent", 100, "report", o ? o : json_null()));
}

void report_file_get(struct call *x)
{
	struct making *m = making_of(x);
	bool pdf = strstr(x->route->path, "/pdf") != NULL;
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .urgent = true};
	char header[96];
	struct digest hash;
	const struct buf *b;

	if (!m)
		return;
	if (!m->made_us) {
		reply_error(x, m->failed ? 503 : 409, m->failed ? "failed" : "unmade",
			m->failed ? m->failed : "it is not made yet");
		return;
	}
	b = pdf ? &m->pdf : &m->zip;
	digest_span(&hash, buf_span(b));
	t.hash = &hash;
	if (!tell_call(x, t))
		return;
	snprintf(header, sizeof(header), "attachment; filename=\"%s.%s\"", m->name, pdf ? "pdf" : "zip");
	answer_header(x->a->req, "Content-Disposition", header);
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_send(x->a->req, 200, pdf ? "application/pdf" : "application/zip", buf_span(b));
}
