/*
 * Counts: for Prometheus (text format 0.0.4), for those who have the token; and the status file that `sekishoctl
 * status` reads. Names of people, files and PCs do not belong here.
 */
#include "collector/console/console.h"
#include "policy/base/file.h"
#include "policy/trust/cosign.h"
#include <errno.h>
#include <unistd.h>

static bool has_token(const struct console *c, struct ask *a)
{
	static const char scheme[] = "Bearer ";
	const char *h = ask_header(a, "Authorization");
	struct digest got, want;

	if (!h || strncmp(h, scheme, sizeof(scheme) - 1) != 0)
		return false;
	digest_span(&got, SPAN_STR(h + sizeof(scheme) - 1));
	digest_span(&want, SPAN_STR(c->metrics_token));
	return digest_eq(&got, &want);
}

static unsigned sessions_n(const struct console *c)
{
	unsigned i, n = 0;

	for (i = 0; i < SESSIONS_MAX; i++)
		n += c->sessions->v[i].used;
	return n;
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, uint64_t v)
{
	buf_putf(out, "# HELP sekisho_console_%s %s\n# TYPE sekisho_console_%s %s\nsekisho_console_%s %llu\n", name,
		help, name, type, name, (unsigned long long)v);
}

struct counted {
	uint64_t size, n;
};

static void count_cosigned(struct console *c, struct counted *out)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX);
	struct cosignatures of;

	if (!c->has_log || store_cosigned(c->store, &note, &out->size) ||
		cosignatures_read(buf_span(&note), &c->log, &of, NULL))
		return;
	out->n = of.n;
}

void metrics_get(struct console *c, struct ask *a)
{
	_cleanup_buf_ struct buf out = BUF_INIT(64u << 10);
	struct sealer_stats seal = {0};
	struct store_stats st = {0};
	struct counted cosigned = {0};
	unsigned i;

	if (!c->metrics_token[0]) {
		answer_error(a->req, 404, "path", "no such path", 0);
		return;
	}
	if (!has_token(c, a)) {
		answer_header(a->req, "WWW-Authenticate", "Bearer");
		answer_error(a->req, 401, "token", "the token of the metrics belongs there", 0);
		return;
	}
	sealer_stats(c->sealer, &seal);
	if (!store_of(c)) {
		(void)store_stats(c->store, &st);
		count_cosigned(c, &cosigned);
	}
	metric(&out, "sessions", "gauge", "People that are signed in.", sessions_n(c));
	metric(&out, "sign_ins_total", "counter", "Sign-ins that were good.", c->count.signed_in);
	metric(&out, "sign_ins_refused_total", "counter", "Sign-ins that were refused.", c->count.sign_in_refused);
	metric(&out, "denied_total", "counter", "Requests that their account had no right to.", c->count.denied);
	metric(&out, "searches_total", "counter", "Searches.", c->count.searches);
	metric(&out, "exports_total", "counter", "Exports that were begun.", c->count.exports);
	metric(&out, "told_total", "counter", "Records of the access log.", c->count.told);
	metric(&out, "spool_segments", "gauge", "Segments of the access log that the collector has not taken yet.",
		seal.spool_segments);
	metric(&out, "connections", "gauge", "Open connections.", c->server.conns_n);
	metric(&out, "connections_ended_total", "counter", "Connections that were ended to make room for others.",
		c->server.count.killed_crowd);
	metric(&out, "requests_total", "counter", "Requests.", c->server.count.requests);
	buf_puts(&out, "# HELP sekisho_console_answers_total Answers by class of status.\n"
		       "# TYPE sekisho_console_answers_total counter\n");
	for (i = 2; i < 6; i++)
		buf_putf(&out, "sekisho_console_answers_total{class=\"%uxx\"} %llu\n", i,
			(unsigned long long)c->count.statuses[i]);
	metric(&out, "log_segments", "gauge", "Segments in the log.", st.leaves);
	metric(&out, "log_cosigned_segments", "gauge", "Segments of the newest checkpoint that PCs have cosigned.",
		cosigned.size);
	metric(&out, "log_cosignatures", "gauge", "PCs that have cosigned it.", cosigned.n);
	metric(&out, "log_records", "gauge", "Records that can be searched.", st.records);
	metric(&out, "hosts", "gauge", "PCs that are known.", st.hosts);
	answer_header(a->req, "Cache-Control", "no-store");
	answer_send(a->req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_span(&out));
}

void status_write(struct console *c, bool running)
{
	struct sealer_stats s = {0};
	char *text;
	json_t *o;
	int r;

	if (c->sealer)
		sealer_stats(c->sealer, &s);
	o = json_pack("{s:s, s:s, s:i, s:I, s:b, s:I, s:I, s:I, s:I, s:b}", "program", "sekisho-console", "version",
		SEKISHO_VERSION, "pid", (int)getpid(), "since_us", (json_int_t)c->started_wall_us, "running", running,
		"segments", (json_int_t)s.segments, "records", (json_int_t)s.records, "spool_segments",
		(json_int_t)s.spool_segments, "spool_bytes", (json_int_t)s.spool_bytes, "spool_full", s.full);
	if (o && s.last_seal_wall_us)
		json_object_set_new(o, "last_seal_us", json_integer(s.last_seal_wall_us));
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	r = text ? file_replace_volatile(c->conf.status, SPAN_STR(text), 0644) : 0;
	free(text);
	if (r && log_allowed(&c->limit))
		log_warning("%s: %s", c->conf.status, strerror(-r));
}
