/*
 * Reads herald.yaml by libyaml's document: every key is known or refused, nothing is there twice, and each reason names
 * the line. The values are read by plan_values.c. See plan.h.
 */
#include "collector/export/clickhouse.h"
#include "collector/herald/plan_parts.h"
#include <errno.h>
#include <stdlib.h>

#define CLICKHOUSE_EVERY_US 5000000u /* it would rather have few inserts */

/* --- rules --- */

static int take_terms(struct planning *p, void *ctx, const char *key, const yaml_node_t *n)
{
	struct terms *t = ctx;
	struct term *term = &t->v[t->n];

	if (t->n == PLAN_TERMS_MAX)
		return planning_bad(p, n, key, SAID("too many conditions", "条件が多すぎます"));
	if (!planning_field(key, true, &term->field))
		return V_NOT_FOUND;
	t->n++;
	term->values_n = 0;
	return planning_values(p, n, key, term);
}

static int take_rule_key(struct planning *p, void *ctx, const char *key, const yaml_node_t *n)
{
	struct rule *r = ctx;

	if (!strcmp(key, "name"))
		return planning_name(p, n, key, r->name);
	if (!strcmp(key, "title"))
		return planning_text(p, n, key, &r->title);
	if (!strcmp(key, "severity"))
		return planning_severity(p, n, key, &r->severity);
	if (!strcmp(key, "when"))
		return planning_pairs(p, n, key, take_terms, &r->when);
	if (!strcmp(key, "unless"))
		return planning_pairs(p, n, key, take_terms, &r->unless);
	if (!strcmp(key, "outside"))
		return planning_hours(p, n, key, r);
	if (!strcmp(key, "count"))
		return planning_number(p, n, key, 2, PLAN_COUNT_MAX, &r->count);
	if (!strcmp(key, "within"))
		return planning_time(p, n, key, &r->within_us);
	if (!strcmp(key, "per"))
		return planning_fields(p, n, key, &r->per);
	if (!strcmp(key, "first"))
		return planning_fields(p, n, key, &r->first);
	if (!strcmp(key, "again"))
		return planning_time(p, n, key, &r->again_us);
	if (!strcmp(key, "silent"))
		return planning_time(p, n, key, &r->silent_us);
	if (!strcmp(key, "of"))
		return planning_of(p, n, key, &r->of_program);
	if (!strcmp(key, "unannounced"))
		return planning_yes(p, n, key, &r->unannounced);
	if (!strcmp(key, "hosts"))
		return planning_words(p, n, key, &r->hosts);
	return V_NOT_FOUND;
}

/* What makes no sense together. */
static int check_rule(struct planning *p, const yaml_node_t *n, const struct rule *r)
{
	bool of_records = r->when.n || r->unless.n || r->has_hours || r->count || r->first.n || r->again_us || r->per.n;

	if (!r->name[0])
		return planning_bad(p, n, "rules", SAID("a rule needs a name", "ルールには name が必要です"));
	if (r->silent_us && of_records)
		return planning_bad(p, n, "silent",
			SAID("a rule of silent PCs has no conditions on records",
				"silent のルールには記録の条件を書けません"));
	if (!r->silent_us && !r->when.n)
		return planning_bad(
			p, n, r->name, SAID("needs `when` or `silent`", "when か silent のどちらかが必要です"));
	if (!r->silent_us && r->hosts.n)
		return planning_bad(p, n, "hosts",
			SAID("belongs to `silent`; else write `when: {host: ...}`",
				"silent のルールだけで使えます。それ以外は when: {host: ...}"));
	if (!r->silent_us && (r->of_program || r->unannounced))
		return planning_bad(p, n, r->name,
			SAID("of and unannounced belong to `silent`",
				"of と unannounced は silent のルールだけで使えます"));
	if (r->of_program && r->unannounced)
		return planning_bad(p, n, r->name,
			SAID("unannounced is for PCs: a program that stops while others run is told in any case",
				"unannounced は of: pc のときだけ使えます"));
	if (!r->count != !r->within_us)
		return planning_bad(
			p, n, r->name, SAID("count and within belong together", "count と within は一緒に書きます"));
	if (r->count && r->first.n)
		return planning_bad(
			p, n, r->name, SAID("count and first exclude each other", "count と first は同時に使えません"));
	return 0;
}

/* Where a line begins (libyaml's marks count characters, not bytes). */
static size_t line_at(struct span text, size_t line)
{
	size_t at = 0;

	while (line && at < text.n)
		line -= text.p[at++] == '\n';
	return at;
}

/* The hash of the lines that it stands on: a rule that was changed begins anew. */
static void hash_rule(const struct planning *p, const yaml_node_t *n, struct rule *r)
{
	size_t first = n->start_mark.line, last = n->end_mark.line;
	size_t from = line_at(p->text, first), to = line_at(p->text, last > first ? last : first + 1);

	digest_span(&r->hash, SPAN(p->text.p + from, to - from));
}

static int take_rule(struct planning *p, const yaml_node_t *n)
{
	struct plan *out = p->plan;
	struct rule *r = &out->rules[out->rules_n];
	unsigned i;
	int v;

	if (out->rules_n == PLAN_RULES_MAX)
		return planning_bad(p, n, "rules", SAID("too many", "多すぎます"));
	r->severity = SEVERITY_WARNING;
	r->line = (unsigned)n->start_mark.line + 1;
	v = planning_pairs(p, n, "rules", take_rule_key, r);
	v = v ? v : check_rule(p, n, r);
	if (v)
		return v;
	for (i = 0; i < out->rules_n; i++)
		if (!strcmp(out->rules[i].name, r->name))
			return planning_bad(
				p, n, "name", SAID("another rule has this name", "同じ名前のルールがあります"));
	r->title = r->title ? r->title : r->name;
	hash_rule(p, n, r);
	out->rules_n++;
	return 0;
}

/* --- targets --- */

static int take_target_key(struct planning *p, void *ctx, const char *key, const yaml_node_t *n)
{
	struct target *t = ctx;

	if (!strcmp(key, "name"))
		return planning_name(p, n, key, t->name);
	if (!strcmp(key, "mail")) {
		t->kind = TARGET_MAIL;
		return planning_words(p, n, key, &t->to);
	}
	if (!strcmp(key, "server"))
		return planning_text(p, n, key, &t->url);
	if (!strcmp(key, "webhook")) {
		t->kind = TARGET_HOOK;
		return planning_text(p, n, key, &t->url);
	}
	if (!strcmp(key, "from"))
		return planning_text(p, n, key, &t->from);
	if (!strcmp(key, "login"))
		return planning_text(p, n, key, &t->login);
	if (!strcmp(key, "password"))
		return planning_text(p, n, key, &t->password);
	if (!strcmp(key, "secret"))
		return planning_text(p, n, key, &t->secret);
	if (!strcmp(key, "ca"))
		return planning_text(p, n, key, &t->ca);
	if (!strcmp(key, "plain"))
		return planning_yes(p, n, key, &t->plain);
	if (!strcmp(key, "language"))
		return planning_language(p, n, key, &t->japanese);
	if (!strcmp(key, "least"))
		return planning_severity(p, n, key, &t->least);
	if (!strcmp(key, "rules"))
		return planning_words(p, n, key, &t->rules);
	if (!strcmp(key, "reports"))
		return planning_text(p, n, key, &t->reports);
	if (!strcmp(key, "retry"))
		return planning_time(p, n, key, &t->retry_us);
	if (!strcmp(key, "give_up"))
		return planning_time(p, n, key, &t->give_up_us);
	return V_NOT_FOUND;
}

static bool begins(const char *s, const char *with)
{
	return s && !strncmp(s, with, strlen(with));
}

/* What stands in the envelope and the head of a message must not end its line, nor the address. */
static bool is_address(const char *s)
{
	const char *at = strchr(s, '@');

	return at && at != s && at[1] && !strchr(at + 1, '@') && strcspn(s, " \t\r\n<>,;:\"\\()") == strlen(s);
}

static int check_target(struct planning *p, const yaml_node_t *n, const struct target *t)
{
	unsigned i;

	if (!t->name[0] || !t->url || (t->kind == TARGET_HOOK && (t->to.n || t->from || t->login || t->password)) ||
		(t->kind == TARGET_MAIL && (!t->to.n || !t->from || t->secret || !t->login != !t->password)))
		return planning_bad(p, n, "send",
			SAID("needs name, and mail, server, from (login and password together), or webhook (and "
			     "secret)",
				"name と、mail・server・from (login と password は対)、または webhook (と secret) "
				"が必要です"));
	if (t->reports && (t->kind != TARGET_MAIL || t->reports[0] != '/'))
		return planning_bad(p, n, "reports",
			SAID("a folder's path, and only for mail", "フォルダーの絶対パス(mail の送信先のみ)"));
	for (i = 0; i < t->to.n; i++)
		if (!is_address(t->to.v[i]))
			return planning_bad(p, n, "mail", SAID("not an address", "メールアドレスではありません"));
	if (t->kind == TARGET_MAIL && !is_address(t->from))
		return planning_bad(p, n, "from", SAID("not an address", "メールアドレスではありません"));
	if (t->kind == TARGET_MAIL && !begins(t->url, "smtps://") && !begins(t->url, "smtp://"))
		return planning_bad(p, n, "server",
			SAID("smtps://HOST:465 or smtp://HOST:587 (STARTTLS)",
				"smtps://HOST:465 か smtp://HOST:587 (STARTTLS)"));
	if (t->kind == TARGET_HOOK && !begins(t->url, "https://") && !(t->plain && begins(t->url, "http://")))
		return planning_bad(p, n, "webhook",
			SAID("https://, or http:// with `plain: yes`", "https:// (http:// は plain: yes のとき)"));
	return 0;
}

static int take_target(struct planning *p, const yaml_node_t *n)
{
	struct plan *out = p->plan;
	struct target *t = &out->targets[out->targets_n];
	unsigned i, k;
	int v;

	if (out->targets_n == PLAN_TARGETS_MAX)
		return planning_bad(p, n, "send", SAID("too many", "多すぎます"));
	*t = (struct target){.least = SEVERITY_NOTE, .retry_us = 10u * 1000000, .give_up_us = 72ull * 3600 * 1000000};
	v = planning_pairs(p, n, "send", take_target_key, t);
	v = v ? v : check_target(p, n, t);
	if (v)
		return v;
	for (i = 0; i < out->targets_n; i++)
		if (!strcmp(out->targets[i].name, t->name))
			return planning_bad(
				p, n, "name", SAID("another one has this name", "同じ名前の送信先があります"));
	/* Rules come first in the file, or this names what nobody has said yet. */
	for (i = 0; i < t->rules.n; i++) {
		for (k = 0; k < out->rules_n && strcmp(out->rules[k].name, t->rules.v[i]) != 0; k++)
			;
		if (k == out->rules_n)
			return planning_bad(p, n, "rules",
				SAID("names a rule that does not stand above", "上に書かれていないルールの名前です"));
	}
	out->targets_n++;
	return 0;
}

/* --- streams --- */

static int take_stream_key(struct planning *p, void *ctx, const char *key, const yaml_node_t *n)
{
	struct stream *s = ctx;

	if (!strcmp(key, "name"))
		return planning_name(p, n, key, s->name);
	if (!strcmp(key, "to"))
		return planning_text(p, n, key, &s->url);
	if (!strcmp(key, "form"))
		return planning_form(p, n, key, &s->form);
	if (!strcmp(key, "begin"))
		return planning_begin(p, n, key, &s->from_start);
	if (!strcmp(key, "when"))
		return planning_pairs(p, n, key, take_terms, &s->when);
	if (!strcmp(key, "unless"))
		return planning_pairs(p, n, key, take_terms, &s->unless);
	if (!strcmp(key, "ca"))
		return planning_text(p, n, key, &s->ca);
	if (!strcmp(key, "certificate"))
		return planning_text(p, n, key, &s->certificate);
	if (!strcmp(key, "key"))
		return planning_text(p, n, key, &s->key);
	if (!strcmp(key, "secret"))
		return planning_text(p, n, key, &s->secret);
	if (!strcmp(key, "retry"))
		return planning_time(p, n, key, &s->retry_us);
	if (!strcmp(key, "database"))
		return planning_text(p, n, key, &s->database);
	if (!strcmp(key, "login"))
		return planning_text(p, n, key, &s->login);
	if (!strcmp(key, "password"))
		return planning_text(p, n, key, &s->password);
	if (!strcmp(key, "every"))
		return planning_time(p, n, key, &s->every_us);
	if (!strcmp(key, "plain"))
		return planning_yes(p, n, key, &s->plain);
	return V_NOT_FOUND;
}

/* What belongs to ClickHouse alone, and what it does not have. */
static int check_clickhouse(struct planning *p, const yaml_node_t *n, struct stream *s)
{
	bool is = s->form == STREAM_CLICKHOUSE;

	if (!is && (s->database || s->login || s->password || s->every_us || s->plain))
		return planning_bad(p, n, "streams",
			SAID("database, login, password, every and plain belong to form: clickhouse",
				"database、login、password、every、plain は form: clickhouse のときだけ使えます"));
	if (!is)
		return 0;
	if (s->secret || !s->login != !s->password ||
		(!begins(s->url, "https://") && !(s->plain && begins(s->url, "http://"))))
		return planning_bad(p, n, "streams",
			SAID("clickhouse needs to: https://HOST:8443/ (http:// with `plain: yes`), no secret, and "
			     "login and "
			     "password together",
				"clickhouse には to: https://HOST:8443/ (http:// は plain: yes のとき) "
				"が必要です。login と "
				"password は対で、secret は使えません"));
	s->database = s->database ? s->database : CLICKHOUSE_DATABASE;
	if (!clickhouse_name(s->database))
		return planning_bad(
			p, n, "database", SAID("letters, digits and _, at most 63", "英数字と _、63 文字まで"));
	/* A line of a header must not end in it. */
	if (s->login && strcspn(s->login, "\r\n") != strlen(s->login))
		return planning_bad(p, n, "login", SAID("one line", "1 行で書きます"));
	s->every_us = s->every_us ? s->every_us : CLICKHOUSE_EVERY_US;
	return 0;
}

static int take_stream(struct planning *p, const yaml_node_t *n)
{
	struct plan *out = p->plan;
	struct stream *s = &out->streams[out->streams_n];
	bool syslog;
	unsigned i;
	int v;

	if (out->streams_n == PLAN_STREAMS_MAX)
		return planning_bad(p, n, "streams", SAID("too many", "多すぎます"));
	*s = (struct stream){.form = STREAM_OCSF, .retry_us = 5u * 1000000};
	v = planning_pairs(p, n, "streams", take_stream_key, s);
	if (v)
		return v;
	v = check_clickhouse(p, n, s);
	if (v)
		return v;
	syslog = begins(s->url, "syslog+tls://");
	if (!s->name[0] || (!syslog && !s->plain && !begins(s->url, "https://")) || !s->certificate != !s->key ||
		(syslog && s->secret) || (syslog && s->form == STREAM_CLICKHOUSE) ||
		(!syslog && s->form == STREAM_SYSLOG))
		return planning_bad(p, n, "streams",
			SAID("needs name and to: syslog+tls://HOST:PORT (form: syslog or ocsf) or https:// (form: "
			     "ocsf); "
			     "certificate and key together",
				"name と to: syslog+tls://HOST:PORT (form: syslog か ocsf)、または https:// (form: "
				"ocsf) が必要です"));
	for (i = 0; i < out->streams_n; i++)
		if (!strcmp(out->streams[i].name, s->name))
			return planning_bad(
				p, n, "name", SAID("another one has this name", "同じ名前の転送先があります"));
	out->streams_n++;
	return 0;
}

/* --- the whole --- */

static int take_top(struct planning *p, void *ctx, const char *key, const yaml_node_t *n)
{
	struct plan *out = p->plan;
	uint64_t format;

	(void)ctx;
	if (!strcmp(key, "format"))
		return planning_number(p, n, key, 1, 1, &format);
	if (!strcmp(key, "dir"))
		return planning_path(p, n, key, &out->dir);
	if (!strcmp(key, "collector"))
		return planning_path(p, n, key, &out->collector);
	if (!strcmp(key, "store"))
		return planning_store(p, n, key, &out->store);
	if (!strcmp(key, "console"))
		return planning_text(p, n, key, &out->console);
	if (!strcmp(key, "timezone"))
		return planning_text(p, n, key, &out->timezone);
	if (!strcmp(key, "debug"))
		return planning_yes(p, n, key, &out->debug);
	if (!strcmp(key, "rules"))
		return planning_nodes(p, n, key, take_rule);
	if (!strcmp(key, "send"))
		return planning_nodes(p, n, key, take_target);
	if (!strcmp(key, "streams"))
		return planning_nodes(p, n, key, take_stream);
	return V_NOT_FOUND;
}

static int read_document(struct planning *p)
{
	const yaml_node_t *root = yaml_document_get_root_node(p->doc);

	/* A file of comments only: nothing is watched, and nothing is wrong. */
	return root ? planning_pairs(p, root, NULL, take_top, NULL) : 0;
}

int plan_read(struct plan *out, const char *file, struct span yaml, struct why *why)
{
	struct why own = {""};
	struct planning p = {.plan = out, .file = file, .text = yaml, .why = why ? why : &own};
	yaml_parser_t parser;
	yaml_document_t doc;
	int v;

	memset(out, 0, sizeof(*out));
	if (yaml.n > PLAN_FILE_MAX)
		return said_bad(p.why, file, 0, NULL, SAID("too large", "大きすぎます"));
	out->rules = calloc(PLAN_RULES_MAX, sizeof(*out->rules));
	out->strings = calloc(PLAN_STRINGS_MAX, sizeof(*out->strings));
	if (!out->rules || !out->strings || !yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, yaml.p, yaml.n);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	if (!yaml_parser_load(&parser, &doc)) {
		v = parser.error == YAML_MEMORY_ERROR ? -ENOMEM
						      : said_bad(p.why, file, parser.problem_mark.line + 1,
								parser.problem ? parser.problem : NULL,
								SAID("not YAML", "YAML として読めません"));
	} else {
		p.doc = &doc;
		v = read_document(&p);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return v;
}

void plan_deinit(struct plan *p)
{
	unsigned i;

	for (i = 0; i < p->strings_n; i++)
		free(p->strings[i]);
	free(p->strings);
	free(p->rules);
	memset(p, 0, sizeof(*p));
}
