/*
 * `sekishoctl report`: what a month's logs say, in figures, on the collector. Reads the store beside the running
 * collector. That one was made is a record in the console's access log, before it is handed out; only a store that is
 * named (a copy, away from any console) is read without.
 */
#include "policy/ctl/report.h"
#include "collector/paper/paper.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/stat.h>

#define DESK_REPORTS "/desk/reports"
#define VKEY_MAX 4096u
#define KEPT CONFINE_CAP(CAP_DAC_OVERRIDE) /* by root's hand: the folders are others' */
#define CSV_MAX (16u << 20)
#define PIECE_US 250000
#define PROGRESS_AFTER_US 2000000

/* --- opening --- */

static int load_log_key(struct reporting *g, const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VKEY_MAX);
	struct why why = {""};
	int r = file_read(path, &text);

	if (r == V_NOT_FOUND)
		return EXIT_GOOD;
	while (!r && text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	r = r ? r : verifier_decode(buf_span(&text), &g->log, &why);
	if (r)
		return complain_of(g->c, path, r, &why);
	g->has_log = true;
	return EXIT_GOOD;
}

int reporting_open(struct ctl *c, struct reporting *g)
{
	struct store_options o = {.dir = NULL};
	char room[PATH_MAX], key[PATH_MAX], *slash;
	const char *path = option_value(c, OPT_CONFIG), *lang = option_value(c, OPT_LANG);
	struct why why = {""};
	int r = report_settings_load(path, &g->settings, &why);

	g->c = c;
	if (r)
		return complain_of(c, path ? path : SERVER_CONF_PATH, r, &why);
	if (!lang && option_on(c, OPT_SCHEDULED))
		c->lang = strcmp(g->settings.language, "ja") ? LANG_EN : LANG_JA;
	report_settings_zone(&g->settings);
	snprintf(g->store_dir, sizeof(g->store_dir), "%s", store_path(c, room, sizeof(room)));
	/* The key, the policies and who may sign them lie beside the store. */
	snprintf(room, sizeof(room), "%s", store_folder(g->store_dir, key, sizeof(key)));
	while ((slash = strrchr(room, '/')) && !slash[1] && slash > room)
		*slash = 0;
	slash = strrchr(room, '/');
	snprintf(slash ? slash : room, 2, "%s", slash ? "" : ".");
	if (snprintf(key, sizeof(key), "%s/log.vkey", room) >= (int)sizeof(key) ||
		snprintf(g->policies, sizeof(g->policies), "%s/policies", room) >= (int)sizeof(g->policies) ||
		snprintf(g->admins, sizeof(g->admins), "%s/admin.keys", room) >= (int)sizeof(g->admins))
		return complain_of(c, g->store_dir, -ENAMETOOLONG, NULL);
	r = load_log_key(g, option_value(c, OPT_LOG_KEY) ? option_value(c, OPT_LOG_KEY) : key);
	if (r)
		return r;
	o.dir = g->store_dir;
	r = store_open(&o, &g->store, &why);
	return r ? complain_of(c, g->store_dir, r, &why) : EXIT_GOOD;
}

void reporting_close(struct reporting *g)
{
	store_close(g->store);
	verifier_deinit(&g->log);
}

/* --- making --- */

static void user_name(char out[128])
{
	struct passwd room, *pw = NULL;
	char text[4096];

	if (!getpwuid_r(getuid(), &room, text, sizeof(text), &pw) && pw)
		text_escape_to(out, 128, SPAN_STR(pw->pw_name));
	else
		snprintf(out, 128, "uid %u", (unsigned)getuid());
}

struct report_options reporting_options(const struct reporting *g)
{
	struct report_options o = {.store = g->store,
		.log = g->has_log ? &g->log : NULL,
		.settings = &g->settings,
		.policies = g->policies,
		.admins = g->admins,
		.lang = g->c->lang,
		.parts = REPORT_ALL};
	char host[sizeof(o.host)];

	user_name(o.by);
	if (gethostname(host, sizeof(host)))
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	text_escape_to(o.host, sizeof(o.host), SPAN_STR(host));
	return o;
}

int reporting_make(struct reporting *g, const struct report_options *o, struct report **out)
{
	_cleanup_(report_freep) struct report *r = NULL;
	bool shows = isatty(STDERR_FILENO) && !option_on(g->c, OPT_QUIET), shown = false;
	int64_t began = clock_boot_us();
	struct why why = {""};
	int x = report_new(o, &r, &why);

	while (!x) {
		x = report_step(r, g->store, PIECE_US, &why);
		if (!x && shows && clock_boot_us() - began > PROGRESS_AFTER_US) {
			fprintf(stderr, "\r%u %%", report_percent(r));
			shown = true;
		}
	}
	if (shown)
		fputs("\r\033[K", stderr);
	if (x != V_END)
		return complain_of(g->c, SAY(g->c, "report", "レポート"), x, &why);
	*out = STEAL(r);
	return EXIT_GOOD;
}

static int into_buf(void *ctx, struct span bytes)
{
	int r = buf_put_span(ctx, bytes);

	return r > 0 ? -EFBIG : r;
}

int reporting_paper(struct reporting *g, const struct report *r, struct buf *out)
{
	_cleanup_(report_paper_freep) struct report_paper *p = NULL;
	int x = paper_init();

	if (x)
		return complain(EXIT_MACHINE,
			SAY(g->c, "PDF: the font \"%s\" is not there (package fonts-noto-cjk)",
				"PDF: フォント「%s」がありません(パッケージ fonts-noto-cjk)"),
			PAPER_FONT);
	x = report_paper_new(r, into_buf, out, &p);
	while (!x)
		x = report_paper_step(p);
	return x == V_END ? EXIT_GOOD : complain_of(g->c, "PDF", x, NULL);
}

int reporting_tell(struct reporting *g, const char *what, const char *name, struct span bytes)
{
	_cleanup_json_ json_t *body = NULL, *answer = NULL;
	struct ctl *c = g->c;
	char hex[2 * DIGEST_SIZE + 1];
	struct digest hash;
	struct why why = {""};
	int r;

	/* A store elsewhere has no console that would tell of it. */
	if (option_on(c, OPT_STORE) && !option_on(c, OPT_SOCKET))
		return EXIT_GOOD;
	digest_span(&hash, bytes);
	body = json_pack("{s:s, s:s, s:s}", "what", what, "name", name, "hash", hex_encode(hex, hash.b, DIGEST_SIZE));
	r = body ? door_ask(c, DESK_REPORTS, body, &answer, &why) : -ENOMEM;
	if (!r)
		return EXIT_GOOD;
	return complain(r == V_NOT_FOUND || r < 0 ? EXIT_MACHINE : EXIT_PROBLEM,
		SAY(c, "not made: the console, which records who made it, does not answer (%s)",
			"作成を記録するコンソールが応答しないため、レポートを出力しません(%s)"),
		r < 0         ? strerror(-r)
		: why.text[0] ? SAY(c, why.text, why_ja(&why))
			      : "");
}

/* --- what was asked for --- */

static int period_of(struct reporting *g, struct report_options *o)
{
	const char *month = option_value(g->c, OPT_MONTH), *since = option_value(g->c, OPT_SINCE);
	const char *until = option_value(g->c, OPT_UNTIL);
	int64_t now = clock_wall_us();
	char last[8];

	if (since || until) {
		if (month || !since || !until)
			return complain(EXIT_USAGE, SAY(g->c, "--month, or --since and --until",
							    "--month か、--since と --until の両方を指定してください"));
		if (text_time_parse(since, now, &o->from_us) || text_time_parse(until, now, &o->until_us))
			return complain(EXIT_USAGE,
				SAY(g->c, "--since, --until: not a time", "--since, --until: 日時ではありません"));
		if (o->from_us >= o->until_us)
			return complain(EXIT_USAGE,
				SAY(g->c, "--since is not before --until", "--since が --until より後です"));
		o->before_us = o->from_us - (o->until_us - o->from_us);
		return EXIT_GOOD;
	}
	if (!month) {
		report_month_of(now, 1, last);
		month = last;
	}
	if (report_month(month, &o->from_us, &o->until_us, &o->before_us))
		return complain(EXIT_USAGE,
			SAY(g->c, "--month: 2026-10, for example", "--month: 2026-10 のように指定してください"));
	snprintf(o->month, sizeof(o->month), "%s", month);
	return EXIT_GOOD;
}

static int write_csv(struct reporting *g, const struct report *r, const char *dir)
{
	_cleanup_buf_ struct buf text = BUF_INIT(CSV_MAX);
	char path[PATH_MAX];
	unsigned i;
	int x = dir_make(dir, 0750);

	for (i = 0; !x && i < report_tables(r); i++) {
		buf_clear(&text);
		if (snprintf(path, sizeof(path), "%s/%s.csv", dir, report_table_name(r, i)) >= (int)sizeof(path))
			return complain_of(g->c, dir, -ENAMETOOLONG, NULL);
		x = report_csv(r, i, &text);
		x = x ? x : file_replace(path, buf_span(&text), 0640);
	}
	return x ? complain_of(g->c, dir, x, NULL) : EXIT_GOOD;
}

static void print_line(const json_t *o, const char *unit)
{
	printf("  %s %s\n", unit, json_string_value(json_object_get(o, "text")));
}

static void print_figure(const struct ctl *c, const json_t *o)
{
	const json_t *before = json_object_get(o, "before");

	/* Japanese letters are two columns wide: the numbers go first. */
	printf("  %15lld  ", (long long)json_integer_value(json_object_get(o, "now")));
	if (json_is_integer(before))
		printf("(%s %15lld)  ", SAY(c, "before", "前期間"), (long long)json_integer_value(before));
	else
		printf("%*s", (int)(c->lang == LANG_JA ? 26 : 26), "");
	printf("%s\n", json_string_value(json_object_get(o, "title")));
}

/* The first page, for a terminal. */
static int print_text(const struct ctl *c, const json_t *o)
{
	const json_t *log = json_object_get(o, "log"), *v;
	size_t i;

	printf("%s: %s  (%s)\n\n", SAY(c, "Report", "レポート"), json_string_value(json_object_get(o, "period")),
		json_string_value(json_object_get(o, "host")));
	json_array_foreach(json_object_get(o, "figures"), i, v)
	{
		print_figure(c, v);
	}
	printf("\n%s\n", SAY(c, "What needs attention", "確認が必要な事項"));
	json_array_foreach(json_object_get(o, "attention"), i, v)
	{
		print_line(v, json_string_value(json_object_get(v, "severity"))[0] == 'a' ? "!!" : "- ");
	}
	if (!json_array_size(json_object_get(o, "attention")))
		puts(SAY(c, "  Nothing.", "  特にありません。"));
	if (json_is_true(json_object_get(log, "verified")))
		printf("\n%s: %s, %lld\n", SAY(c, "Checkpoint, verified", "チェックポイント(検証済み)"),
			json_string_value(json_object_get(log, "origin")),
			(long long)json_integer_value(json_object_get(log, "size")));
	else
		printf("\n%s\n", SAY(c, "The log's checkpoint could not be verified.",
					 "ログのチェックポイントを検証できませんでした。"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static int give(struct reporting *g, const struct report *r, const char *what)
{
	_cleanup_buf_ struct buf pdf = BUF_INIT(REPORT_PDF_MAX);
	_cleanup_json_ json_t *o = report_json(r);
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	const char *pdf_path = option_value(g->c, OPT_PDF), *dir = option_value(g->c, OPT_CSV_DIR);
	int x = text ? EXIT_GOOD : EXIT_MACHINE;

	if (!x && pdf_path)
		x = reporting_paper(g, r, &pdf);
	x = x ? x : reporting_tell(g, what, "", pdf_path ? buf_span(&pdf) : SPAN_STR(text));
	if (!x && pdf_path) {
		int w = file_replace(pdf_path, buf_span(&pdf), 0640);

		x = w ? complain_of(g->c, pdf_path, w, NULL) : EXIT_GOOD;
	}
	if (!x && dir)
		x = write_csv(g, r, dir);
	if (!x && option_on(g->c, OPT_JSON))
		x = say_json(o);
	else if (!x && !pdf_path && !dir)
		x = print_text(g->c, o);
	return x;
}

static int asked(struct reporting *g)
{
	_cleanup_(report_freep) struct report *r = NULL;
	struct report_options o = reporting_options(g);
	char what[64], from[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];
	int x = period_of(g, &o);

	x = x ? x : reporting_make(g, &o, &r);
	if (x)
		return x;
	if (o.month[0])
		snprintf(what, sizeof(what), "month=%s", o.month);
	else
		snprintf(what, sizeof(what), "since=%.20s&until=%.20s", text_time_utc(from, o.from_us),
			text_time_utc(until, o.until_us));
	return give(g, r, what);
}

int command_report(struct ctl *c)
{
	struct reporting g = {.c = c};
	int r;

	if (option_on(c, OPT_SCHEDULED) &&
		(option_on(c, OPT_MONTH) || option_on(c, OPT_SINCE) || option_on(c, OPT_UNTIL) ||
			option_on(c, OPT_PDF) || option_on(c, OPT_CSV_DIR) || option_on(c, OPT_JSON)))
		return complain(
			EXIT_USAGE, SAY(c, "--scheduled: [report] of collector.conf says which and where",
					    "--scheduled では期間と出力先は collector.conf の [report] で決まります"));
	/* Names and titles of every PC meet libraries that draw: those start nothing, and know no network. */
	r = confine_power(KEPT, CONFINE_LOCAL);
	if (r)
		return complain_of(c, SAY(c, "giving up privileges", "権限の放棄"), r, NULL);
	r = reporting_open(c, &g);
	r = r ? r : option_on(c, OPT_SCHEDULED) ? report_scheduled(&g) : asked(&g);
	reporting_close(&g);
	return r;
}
