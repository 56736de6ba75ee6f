/*
 * `sekishoctl log`: reads the collector's store beside the running collector, and follows it. Never writes to the
 * store.
 */
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/rows.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>

#define OUT_MAX (8u << 20)
#define OUT_FLUSH 65536u
#define POLL_MS 250
/* Asked again well before it runs out. */
#define FOLLOW_SECONDS 60
#define FOLLOW_AGAIN_US 20000000

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

struct printing {
	struct rows rows;
	struct buf out;
	struct fact facts[FACTS_MAX]; /* which no index has: the store gives more, and they are looked for here */
	unsigned facts_n;
	uint64_t last_row;
	unsigned shown, limit; /* 0: all */
	bool closed;           /* nobody reads any more */
};

static bool is_asked_for(const struct printing *p, const struct record *r)
{
	unsigned i;

	for (i = 0; i < p->facts_n; i++)
		if (!fact_fits(&p->facts[i], r))
			return false;
	return true;
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct printing *p = ctx;
	int r;

	if (row->row > p->last_row)
		p->last_row = row->row;
	if (!is_asked_for(p, &row->record))
		return stopped ? V_END : 0;
	r = rows_put(&p->rows, row, &p->out);
	if (r == V_FULL && p->out.n) {
		/* One row is far smaller than the buffer: make room and try again. */
		if (!out_put(&p->out))
			p->closed = true;
		r = p->closed ? V_END : rows_put(&p->rows, row, &p->out);
	}
	if (r)
		return r;
	p->shown++;
	if (p->out.n >= OUT_FLUSH && !out_put(&p->out))
		p->closed = true;
	return p->closed || stopped || p->shown == p->limit ? V_END : 0;
}

/* Has the reader at the other end of a pipe gone? */
static bool reader_left(void)
{
	struct pollfd fd = {.fd = STDOUT_FILENO};

	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLERR | POLLHUP);
}

/* Tells the collector that somebody watches, so that PCs seal at once. Without it records come later, but they come. */
static void ask_to_follow(const struct ctl *c, bool *warned)
{
	const char *host = option_value(c, OPT_HOST);
	_cleanup_json_ json_t *body = json_pack("{s:s?, s:i}", "host", host, "seconds", FOLLOW_SECONDS);
	_cleanup_json_ json_t *answer = NULL;
	struct why why = {""};
	int r = body ? door_ask(c, API_ADMIN_FOLLOW, body, &answer, &why) : -ENOMEM;

	if (!r || *warned)
		return;
	*warned = true;
	complain(0,
		SAY(c, "PCs are not told to hurry (%s): records come as they are sealed",
			"PC に即時送信を依頼できません(%s)。記録は通常の間隔で届きます"),
		r < 0 ? strerror(-r) : why.text);
}

static int follow(const struct ctl *c, struct store *s, struct store_filter *f, struct printing *p, struct why *why)
{
	int64_t asked = INT64_MIN;
	bool warned = false;
	int r;

	f->newest_first = false;
	while (!stopped && !p->closed) {
		struct pollfd none = {.fd = -1};

		if (asked == INT64_MIN || clock_boot_us() - asked > FOLLOW_AGAIN_US) {
			ask_to_follow(c, &warned);
			asked = clock_boot_us();
		}
		f->after_row = p->last_row;
		r = store_query(s, f, on_row, p, why);
		if (r && r != V_END)
			return r;
		if ((p->out.n && !out_put(&p->out)) || reader_left())
			break;
		poll(&none, 1, POLL_MS);
	}
	return 0;
}

static int print_all(const struct ctl *c, struct store *s, struct store_filter *f, struct printing *p, struct why *why)
{
	uint64_t newest = 0;
	bool history = !option_on(c, OPT_FOLLOW) || f->from_us || f->limit || p->limit;
	int r = rows_begin(&p->rows, &p->out);

	if (!r && option_on(c, OPT_FOLLOW))
		r = store_last_row(s, &newest);
	if (r)
		return r;
	/* Following begins now, unless something of the past was asked for. */
	if (history) {
		r = store_query(s, f, on_row, p, why);
		if (r && r != V_END)
			return r;
	}
	if (p->out.n && !out_put(&p->out))
		p->closed = true;
	if (!option_on(c, OPT_FOLLOW) || p->closed)
		return 0;
	if (p->last_row < newest)
		p->last_row = newest;
	f->limit = 0;
	p->limit = 0;
	return follow(c, s, f, p, why);
}

static int choose_form(const struct ctl *c, struct rows *rows)
{
	const char *color = option_value(c, OPT_COLOR);
	const char *term = getenv("TERM");

	rows->lang = c->lang;
	rows->form = option_on(c, OPT_JSON) ? ROWS_JSON : option_on(c, OPT_CSV) ? ROWS_CSV : ROWS_LINES;
	if (option_on(c, OPT_JSON) && option_on(c, OPT_CSV))
		return complain(EXIT_USAGE, SAY(c, "--json or --csv, not both", "--json と --csv は同時に使えません"));
	if (option_on(c, OPT_FIELDS) && !option_on(c, OPT_CSV))
		return complain(
			EXIT_USAGE, SAY(c, "--fields: only with --csv", "--fields は --csv と共に使ってください"));
	if (!color || !strcmp(color, "auto"))
		rows->color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
	else if (!strcmp(color, "always"))
		rows->color = true;
	else if (strcmp(color, "never") != 0)
		return complain(EXIT_USAGE,
			SAY(c, "--color: auto, always or never", "--color: auto, always, never のいずれか"));
	return log_fields(c, rows->fields);
}

/* Nothing was found: was a PC asked for that nobody knows? And a person who waits is told that this is all. */
static int nothing_found(const struct ctl *c, struct store *s)
{
	int r = host_is_there(c, s);

	if (!r && isatty(STDERR_FILENO))
		complain(0, SAY(c, "no such records", "該当する記録はありません"));
	return r;
}

int command_log(struct ctl *c)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct sigaction act = {.sa_handler = on_stop};
	struct printing p = {.out = BUF_INIT(OUT_MAX)};
	struct store_filter f;
	struct store_options o = {.dir = NULL};
	struct why why = {""};
	char room[PATH_MAX];
	int r = choose_form(c, &p.rows);

	r = r ? r : log_filter(c, clock_wall_us(), &f);
	r = r ? r : log_facts(c, p.facts, &p.facts_n);
	if (r)
		return r;
	/* The store's limit would count what is left out here. */
	if (p.facts_n) {
		p.limit = f.limit;
		f.limit = 0;
	}
	o.dir = store_path(c, room, sizeof(room));
	r = store_open(&o, &s, &why);
	if (r)
		return complain_of(c, o.dir, r, &why);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	r = print_all(c, s, &f, &p, &why);
	buf_deinit(&p.out);
	if (!r && !p.shown && !p.closed && !stopped && !option_on(c, OPT_FOLLOW))
		return nothing_found(c, s);
	/* A filter that makes no sense is the command line's fault. */
	return !r ? EXIT_GOOD : r > 0 ? (complain_of(c, "log", r, &why), EXIT_USAGE) : complain_of(c, "log", r, &why);
}
