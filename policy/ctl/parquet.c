/*
 * `sekishoctl export parquet`: records into Parquet files, for DuckDB and others (collector/export/README.md). The log
 * is read leaf by leaf in its own order, so that each record is in one file, whatever came late, and a second run goes
 * on where the first ended. It changes nothing in the store.
 *
 * That somebody takes records away is in the console's access log before the first file is there, and again with their
 * number at the end. Where that cannot be, nothing is exported.
 */
#include "policy/ctl/parquet.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/ctl/log_filter.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#define DESK_EXPORTS "/desk/exports"
#define FILE_ROWS 10000000u /* a file ends behind the leaf that reaches so many */
#define PROGRESS_US 500000
#define NAMES 1024u /* of PCs that are remembered; a power of two */

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* A PC, as it is asked for again and again. */
struct named {
	bool known, wanted;
	struct digest id;
	char name[128];
};

struct exporting {
	struct ctl *c;
	struct store *store;
	struct parquet_folder folder;
	struct named names[NAMES];
	struct store_month *months;
	unsigned months_n;
	uint64_t size; /* leaves of the log when it began */
	struct buf header, body;
	struct parquet *file; /* of the leaf at hand */
	const char *month;
	unsigned channel;
	bool full;
	uint64_t first, records, gone;
	int64_t shown_us;
	bool shown;
	struct why why;
};

/* --- the access log --- */

/* EXIT_*; `how` and how many are of the end. */
static int told(struct exporting *x, const char *how, uint64_t records)
{
	const struct parquet_job *j = &x->folder.job;
	_cleanup_json_ json_t *body = NULL, *answer = NULL;
	struct ctl *c = x->c;
	char what[512], from[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];
	struct why why = {""};
	int r;

	/* A store elsewhere has no console that would tell of it. */
	if (option_on(c, OPT_STORE) && !option_on(c, OPT_SOCKET))
		return EXIT_GOOD;
	snprintf(what, sizeof(what), "parquet: %s; from leaf %" PRIu64 "; since %s, until %s, PC %s", how, x->first,
		j->from_us ? text_time_utc(from, j->from_us) : "-",
		j->until_us ? text_time_utc(until, j->until_us) : "-", *j->host ? j->host : "*");
	body = json_pack("{s:s, s:s, s:I}", "what", what, "folder", x->folder.path, "records", (json_int_t)records);
	r = body ? door_ask(c, DESK_EXPORTS, body, &answer, &why) : -ENOMEM;
	if (!r)
		return EXIT_GOOD;
	return complain(r == V_NOT_FOUND || r < 0 ? EXIT_MACHINE : EXIT_PROBLEM,
		SAY(c, "the console, which records who exports, does not answer (%s)",
			"出力を記録するコンソールが応答しません(%s)"),
		r < 0 ? strerror(-r) : why.text);
}

/* --- leaves --- */

static bool host_fits(const struct parquet_job *j, const struct digest *id, const char *name)
{
	return !*j->host || !strcmp(name, j->host) || store_host_digits(j->host, id);
}

static const struct named *named_of(struct exporting *x, const struct digest *id)
{
	struct named *n = &x->names[(id->b[0] | (unsigned)id->b[1] << 8) & (NAMES - 1)];
	struct store_host h = {.name = ""};

	if (n->known && digest_eq(&n->id, id))
		return n;
	if (store_host_get(x->store, id, &h))
		h.name[0] = 0;
	n->known = true;
	n->id = *id;
	snprintf(n->name, sizeof(n->name), "%s", h.name);
	n->wanted = host_fits(&x->folder.job, id, n->name);
	return n;
}

static int on_record(void *ctx, const struct exported *e)
{
	struct exporting *x = ctx;
	const struct parquet_job *j = &x->folder.job;
	int64_t time = record_has(&e->row->record, F_TIME) ? e->row->record.v[F_TIME].i : 0;
	int r = 0;

	if ((j->from_us && time < j->from_us) || (j->until_us && time >= j->until_us))
		return 0;
	if (!x->file)
		r = parquet_folder_file(&x->folder, x->month, x->channel, &x->file);
	r = r ? r : parquet_record(x->file, e);
	x->records += !r;
	x->full |= !r && parquet_rows(x->file) >= FILE_ROWS;
	return r;
}

static int export_leaf(struct exporting *x, uint64_t leaf, struct digest *hash)
{
	const struct named *host;
	struct segment s;
	int r;

	buf_clear(&x->header);
	buf_clear(&x->body);
	r = store_read(x->store, leaf, &x->header, &x->body, &x->why);
	if (r)
		return r;
	digest_span(hash, buf_span(&x->header));
	/* What the collector took in can be read; a header that cannot is for `verify` to tell of. */
	r = header_parse(buf_span(&x->header), &s, NULL);
	if (r)
		return r < 0 ? r : 0;
	x->gone += !x->body.n;
	x->channel = s.header.producer < CHANNELS_MAX ? s.header.producer : 0;
	if (!x->body.n || leaf < x->folder.next[x->channel])
		return 0;
	host = named_of(x, &s.header.host);
	if (!host->wanted)
		return 0;
	s.body = buf_span(&x->body);
	x->file = x->folder.files[x->channel].p;
	return exported_each(&s, leaf, host->name, x->month, on_record, x);
}

static void show_progress(struct exporting *x, uint64_t leaf)
{
	int64_t now = clock_boot_us();

	if (option_on(x->c, OPT_QUIET) || !isatty(STDERR_FILENO) || now - x->shown_us < PROGRESS_US)
		return;
	x->shown_us = now;
	x->shown = true;
	fprintf(stderr, "\r%" PRIu64 " %%  %" PRIu64 " ", leaf * 100 / x->size, x->records);
}

/* The leaves of a month that no file has. *last is the hash of the one before `from`. */
static int export_month(struct exporting *x, const struct store_month *m, uint64_t from, uint64_t to)
{
	struct digest hash = x->folder.job.last;
	uint64_t leaf, before = from;
	int r = 0;

	x->month = m->month;
	for (leaf = from; !r && leaf < to && !stopped; leaf++) {
		show_progress(x, leaf);
		r = export_leaf(x, leaf, &hash);
		if (!r && x->full) {
			r = parquet_folder_end(&x->folder, m->month, leaf, &hash);
			before = leaf + 1;
			x->full = false;
		}
	}
	/* What was read goes out whole, also where somebody stopped it. */
	return r || leaf == before ? r : parquet_folder_end(&x->folder, m->month, leaf - 1, &hash);
}

static int add_month(void *ctx, const struct store_month *m)
{
	struct exporting *x = ctx;
	struct store_month *more = realloc(x->months, (x->months_n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	x->months = more;
	more[x->months_n++] = *m;
	return 0;
}

static int export_all(struct exporting *x)
{
	unsigned i;
	int r = store_months(x->store, false, add_month, x);

	for (i = 0; !r && i < x->months_n && !stopped; i++) {
		const struct store_month *m = &x->months[i];
		uint64_t from = m->first > x->folder.job.next ? m->first : x->folder.job.next;
		uint64_t to = m->first + m->count < x->size ? m->first + m->count : x->size;

		if (from < to)
			r = export_month(x, m, from, to);
	}
	if (x->shown)
		fputs("\r\033[K", stderr);
	return r;
}

/* --- the command --- */

/* Is the folder of this log? The leaf before the next one says so. EXIT_*. */
static int same_log(struct exporting *x)
{
	const struct parquet_job *j = &x->folder.job;
	struct digest hash;
	int r = V_NOT_FOUND;

	if (!j->next)
		return EXIT_GOOD;
	buf_clear(&x->header);
	buf_clear(&x->body);
	if (j->next <= x->size)
		r = store_read(x->store, j->next - 1, &x->header, &x->body, &x->why);
	if (r < 0 || (r && x->why.text[0]))
		return complain_of(x->c, "log", r, &x->why);
	digest_span(&hash, buf_span(&x->header));
	if (!r && digest_eq(&hash, &j->last))
		return EXIT_GOOD;
	return complain(EXIT_PROBLEM,
		SAY(x->c, "%s is of another log, or of a newer state of this one",
			"%s は別のログ、またはこのログのより新しい状態を出力したものです"),
		x->folder.path);
}

/* What is asked for, where the folder is begun; nothing else, where it goes on. EXIT_*. */
static int choose(struct exporting *x, const struct store_filter *f)
{
	struct parquet_job *j = &x->folder.job;
	int r;

	if (x->folder.begun) {
		if (option_on(x->c, OPT_SINCE) || option_on(x->c, OPT_UNTIL) || option_on(x->c, OPT_HOST))
			return complain(EXIT_USAGE,
				SAY(x->c, "--since, --until, --host: said when a folder is begun, which %s is",
					"--since, --until, --host "
					"は最初の出力時にだけ指定します。%s には既に出力があります"),
				x->folder.path);
		return same_log(x);
	}
	r = host_is_there(x->c, x->store);
	if (r)
		return r;
	j->from_us = f->from_us;
	j->until_us = f->until_us;
	if ((size_t)snprintf(j->host, sizeof(j->host), "%s", f->host ? f->host : "") >= sizeof(j->host))
		return complain(EXIT_USAGE, "--host");
	r = parquet_folder_keep(&x->folder);
	return r ? complain_of(x->c, x->folder.path, r, NULL) : EXIT_GOOD;
}

static int say_result(const struct exporting *x)
{
	const struct ctl *c = x->c;
	char text[SHOWN_MAX];
	_cleanup_json_ json_t *o = NULL;

	if (option_on(c, OPT_JSON)) {
		o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:O}", "folder", shown(text, x->folder.path), "records",
			(json_int_t)x->records, "first_leaf", (json_int_t)x->first, "next_leaf",
			(json_int_t)x->folder.job.next, "without_body", (json_int_t)x->gone, "files",
			x->folder.written);
		return say_json(o);
	}
	printf(SAY(c, "%" PRIu64 " records in %zu files in %s\n",
		       "記録 %" PRIu64 " 件をファイル %zu 個として %s に出力しました\n"),
		x->records, json_array_size(x->folder.written), shown(text, x->folder.path));
	if (x->gone)
		printf(SAY(c, "%" PRIu64 " segments have no body any more: their time is over\n",
			       "保存期間が過ぎて本体のないセグメント: %" PRIu64 " 件\n"),
			x->gone);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static int run(struct exporting *x, const struct store_filter *f)
{
	int r, e;

	x->size = store_size(x->store);
	r = choose(x, f);
	x->first = x->folder.job.next;
	if (r)
		return r;
	if (x->first < x->size) {
		r = told(x, "begins", 0);
		if (r)
			return r;
		e = export_all(x);
		r = e ? complain_of(x->c, x->folder.path, e, &x->why) : EXIT_GOOD;
		e = told(x, r ? "failed" : stopped ? "stopped" : "ended", x->records);
		r = r ? r : e;
	}
	if (!r)
		r = say_result(x);
	if (!r && stopped)
		return complain(EXIT_PROBLEM,
			SAY(x->c, "stopped before leaf %" PRIu64 "; called again, it goes on",
				"リーフ %" PRIu64 " の前で停止しました。再実行で続行します"),
			x->folder.job.next);
	return r;
}

static int open_folder(struct exporting *x, const char *path)
{
	int r = parquet_folder_open(&x->folder, path, &x->why);
	char text[SHOWN_MAX];

	shown(text, path);
	if (r == V_EXISTS)
		return complain(EXIT_PROBLEM,
			SAY(x->c, "%s: another export writes to it", "%s: 別の出力処理が使用中です"), text);
	if (r == V_DENIED)
		return complain(EXIT_PROBLEM,
			SAY(x->c, "%s: there is something else in it, and no " PARQUET_JOB,
				"%s: " PARQUET_JOB " がなく、別のファイルがあります"),
			text);
	return r ? complain_of(x->c, path, r, &x->why) : EXIT_GOOD;
}

int command_export_parquet(struct ctl *c)
{
	struct sigaction act = {.sa_handler = on_stop};
	_cleanup_free_ struct exporting *x = calloc(1, sizeof(*x));
	struct store_options o = {.dir = NULL};
	const char *out = option_value(c, OPT_OUT);
	struct store_filter f;
	char room[PATH_MAX];
	int r;

	if (!x)
		return complain_of(c, "export", -ENOMEM, NULL);
	/* A wrong word is told before anything is made. */
	r = log_filter(c, clock_wall_us(), &f);
	if (r)
		return r;
	if (!out)
		return complain(EXIT_USAGE, SAY(c, "--out DIR is missing", "--out で出力先を指定してください"));
	x->c = c;
	x->header = BUF_INIT(SEGMENT_HEADER_MAX);
	x->body = BUF_INIT(SEGMENT_BODY_MAX);
	o.dir = store_path(c, room, sizeof(room));
	r = store_open(&o, &x->store, &x->why);
	if (r)
		return complain_of(c, o.dir, r, &x->why);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	r = open_folder(x, out);
	r = r ? r : run(x, &f);
	parquet_folder_close(&x->folder);
	store_close(x->store);
	free(x->months);
	buf_deinit(&x->header);
	buf_deinit(&x->body);
	return r;
}
