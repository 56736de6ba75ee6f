/*
 * `store move`: the log of this machine's collector into another store; `store backup` and `store restore`: into a
 * copy, and out of one. A front: `sekisho-collector --move-to` copies, compares and hands over
 * (collector/store/move.h), as the collector's user; this one, as root, stops the collector when all is level, lets the
 * settings say where the log is, and starts the collector again.
 *
 * Whatever fails, the collector is started again with the settings that it had: its store is what it was.
 */
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/ctl/setup.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS_MAX (1u << 20)
#define PLACE_MAX 511u /* as the collector's setting */
#define SEEN_MAX 32u   /* as the collector takes them */
#define HERALD_PLAN "/etc/sekisho/herald.yaml"

struct store_moving {
	struct ctl *c;
	const char *to, *readers; /* for the collector, and for those who read */
	bool show, shown, stopped, waits;
	int64_t stopped_us;
	json_t *moved, *failed;
};

/* --- the collector's service --- */

static bool runs(void)
{
	static const char *const ask[] = {"systemctl", "is-active", "--quiet", "sekisho-collector.service", NULL};

	return setup_has_systemd() && !setup_run(ask, NULL);
}

static int stop_collector(struct store_moving *x)
{
	static const char *const stop[] = {"systemctl", "stop", "sekisho-collector.service", NULL};
	int r;

	if (!runs()) {
		/* Somebody else started it, and somebody else stops it. */
		if (!x->waits)
			fprintf(stderr, "%s\n",
				SAY(x->c, "All is copied. Stop the collector now; the rest follows then.",
					"コピーが追い付きました。コレクターを停止してください。残りを続けて移行します"
					"。"));
		x->waits = true;
		return 0;
	}
	x->stopped_us = clock_boot_us();
	x->stopped = true;
	r = setup_run(stop, NULL);
	return r < 0 ? r : r ? -EIO : 0;
}

static int start_collector(struct store_moving *x, bool moved)
{
	static const char *const start[] = {"systemctl", "start", "sekisho-collector.service", NULL};
	static const char *const readers[] = {
		"systemctl", "try-restart", "sekisho-console.service", "sekisho-herald.service", NULL};
	int r = x->stopped ? setup_run(start, NULL) : 0;

	if (x->stopped && !r)
		x->stopped_us = clock_boot_us() - x->stopped_us;
	if (!r && moved && setup_has_systemd())
		r = setup_run(readers, NULL);
	return r < 0 ? r : r ? -EIO : 0;
}

/* --- settings --- */

/* The line that says where the store is; none of a comment's. */
static bool is_line(const char *line, char sign)
{
	const char *at = sign == ':' ? line : line + strspn(line, " \t");

	if (strncmp(at, "store", 5) != 0)
		return false;
	at += 5;
	return at[strspn(at, " \t")] == sign;
}

static int put_line(struct buf *out, const char *place, char sign)
{
	int r = buf_puts(out, sign == ':' ? "store: '" : "store = ");

	for (; !r && *place; place++)
		r = buf_put(out, sign == ':' && *place == '\'' ? "''" : place, sign == ':' && *place == '\'' ? 2 : 1);
	return r ? r : buf_puts(out, sign == ':' ? "'\n" : "\n");
}

/* Where the line goes. */
struct spot {
	const char *at;
	bool there;  /* one that is replaced */
	bool header; /* its section has to be made before it */
};

/* `section` NULL: the whole text. */
static struct spot find_spot(const char *text, const char *section, char sign)
{
	struct spot s = {.at = NULL};
	bool ours = !section || !strcmp(section, server_sections[0]), before;
	const char *next;

	for (; *text; text = next) {
		next = text + strcspn(text, "\n");
		next += *next == '\n';
		if (ours && is_line(text, sign))
			return (struct spot){.at = text, .there = true};
		if (!section)
			continue;
		/* Before the header that ends the section's lines, if it has none of its own; else behind its own. */
		before = ours;
		if (!conf_is_header(text, section, &ours))
			continue;
		s.at = before && !s.at ? text : s.at;
		s.at = ours ? next : s.at;
	}
	s.header = !s.at && !ours;
	s.at = s.at ? s.at : text;
	return s;
}

/* What becomes of a file, or a section, that is not there. */
enum absent {
	MAKE_FILE,
	MAKE_SECTION, /* without the file there is nothing to be changed */
	MAKE_NOTHING,
};

/* `sign`: '=' in the lines of a daemon's settings, ':' in YAML. V_END: nothing was changed. */
static int set_store(const char *path, const char *section, const char *place, char sign, enum absent absent)
{
	_cleanup_buf_ struct buf text = BUF_INIT(SETTINGS_MAX), out = BUF_INIT(SETTINGS_MAX + 2 * PLACE_MAX);
	struct stat st = {.st_mode = 0644};
	struct spot spot;
	const char *all;
	int r = file_read(path, &text);

	if (r == V_NOT_FOUND)
		r = absent == MAKE_FILE ? 0 : V_END;
	else if (!r && stat(path, &st))
		r = -errno;
	if (r)
		return r;
	all = buf_str(&text);
	if (!all)
		return -ENOMEM;
	spot = find_spot(all, section, sign);
	if (spot.header && absent == MAKE_NOTHING)
		return V_END;
	r = buf_put(&out, all, (size_t)(spot.at - all));
	if (!r && spot.at > all && spot.at[-1] != '\n')
		r = buf_puts(&out, "\n");
	if (!r && spot.header)
		r = buf_putf(&out, "\n[%s]\n", section);
	r = r ? r : put_line(&out, place, sign);
	if (spot.there) {
		spot.at += strcspn(spot.at, "\n");
		spot.at += *spot.at == '\n';
	}
	r = r ? r : buf_puts(&out, spot.at);
	r = r ? r : file_replace(path, buf_span(&out), st.st_mode & 07777);
	if (!r && !geteuid() && chown(path, st.st_uid, st.st_gid))
		r = -errno;
	return r;
}

/* The console's, where it has them: in the file of an older version, in the one that was named, in the usual one. */
static int set_console(const char *given, const char *usual, const char *place)
{
	char former[SERVER_PATH_MAX], was[PLACE_MAX + 1];
	int r = server_conf_former(SERVER_CONSOLE, former);

	if (!r && !conf_find(former, NULL, "store", was, sizeof(was), NULL))
		return set_store(former, NULL, place, '=', MAKE_NOTHING);
	r = r ? r : given ? set_store(given, SERVER_CONSOLE, place, '=', MAKE_NOTHING) : V_END;
	return r == V_END ? set_store(usual, SERVER_CONSOLE, place, '=', MAKE_SECTION) : r;
}

static int set_stores(struct store_moving *x)
{
	const char *given = option_value(x->c, OPT_CONFIG);
	char usual[PATH_MAX], plan[PATH_MAX];
	int r;

	layout_path(usual, sizeof(usual), SERVER_CONF_PATH);
	layout_path(plan, sizeof(plan), HERALD_PLAN);
	r = set_store(given ? given : usual, SERVER_COLLECTOR, x->to, '=', MAKE_FILE);
	if (r)
		return complain_of(x->c, given ? given : usual, r, NULL);
	r = set_console(given, usual, x->readers);
	if (r && r != V_END)
		return complain_of(x->c, usual, r, NULL);
	r = set_store(plan, NULL, x->readers, ':', MAKE_NOTHING);
	return r && r != V_END ? complain_of(x->c, plan, r, NULL) : EXIT_GOOD;
}

/* --- the program that copies --- */

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void show_progress(struct store_moving *x, const json_t *o)
{
	if (!x->show)
		return;
	x->shown = true;
	fprintf(stderr,
		SAY(x->c, "\r%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " segments",
			"\r%" JSON_INTEGER_FORMAT " / %" JSON_INTEGER_FORMAT " セグメント"),
		number(o, "done"), number(o, "of"));
}

static int take_line(void *ctx, const char *line)
{
	struct store_moving *x = ctx;
	_cleanup_json_ json_t *o = json_loads(line, 0, NULL);

	if (json_object_get(o, "done"))
		show_progress(x, o);
	else if (json_object_get(o, "level"))
		return stop_collector(x);
	else if (json_object_get(o, "moved"))
		x->moved = json_incref(o);
	else if (json_object_get(o, "failed"))
		x->failed = json_incref(o);
	return 0;
}

static void say_whole(const struct store_moving *x, bool over)
{
	const json_t *o = x->moved;

	printf(SAY(x->c,
		       "%" JSON_INTEGER_FORMAT " segments are in %s, with %" JSON_INTEGER_FORMAT
		       " bodies, read back and compared; Merkle root %s\n",
		       over ? "%" JSON_INTEGER_FORMAT " セグメントを %s に移行しました(本文 %" JSON_INTEGER_FORMAT
			      " 件、読み戻して照合済み)。マークル根 %s\n"
			    : "%" JSON_INTEGER_FORMAT " セグメントが %s にあります(本文 %" JSON_INTEGER_FORMAT
			      " 件、読み戻して照合済み)。マークル根 %s\n"),
		number(o, "moved"), x->to, number(o, "bodies"), json_string_value(json_object_get(o, "root")));
}

static int say_moved(struct store_moving *x)
{
	const json_t *o = x->moved;

	if (option_on(x->c, OPT_JSON)) {
		if (x->stopped)
			json_object_set_new(x->moved, "stopped_us", json_integer(x->stopped_us));
		return say_json(o);
	}
	say_whole(x, true);
	if (x->stopped)
		printf(SAY(x->c, "the collector was stopped for %.1f s\n", "コレクターの停止時間は %.1f 秒でした\n"),
			(double)x->stopped_us / 1e6);
	else
		puts(SAY(x->c, "its settings say so: start the collector, and the console and the herald anew",
			"設定を変更しました。コレクターを起動し、コンソールと通知サービスを再起動してください"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* Nothing was copied to its end: why. An exit code. */
static int say_not(struct store_moving *x, int r)
{
	const char *reason = json_string_value(json_object_get(x->failed, x->c->lang == LANG_JA ? "ja" : "failed"));
	char text[SHOWN_MAX];

	if (reason)
		return complain(EXIT_PROBLEM, SAY(x->c, "nothing was changed: %s", "何も変更していません: %s"),
			shown(text, reason));
	if (r < 0)
		return complain_of(x->c, "sekisho-collector", r, NULL);
	return complain(EXIT_MACHINE,
		SAY(x->c, "sekisho-collector ended with %d: nothing was changed",
			"sekisho-collector が終了コード %d で終了しました。何も変更していません"),
		r);
}

static int end(struct store_moving *x, int r)
{
	int code, started;

	if (r || !x->moved) {
		code = say_not(x, r);
		if (start_collector(x, false))
			complain(code, SAY(x->c, "the collector does not start: systemctl status sekisho-collector",
					       "コレクターを起動できません: systemctl status sekisho-collector"));
		return code;
	}
	code = set_stores(x);
	if (code)
		return complain(code,
			SAY(x->c, "the log is in %s: set store to that, then start the collector",
				"ログは %s にあります。store を設定し、コレクターを起動してください"),
			x->to);
	started = start_collector(x, true);
	code = say_moved(x);
	return started ? complain(EXIT_MACHINE,
				 SAY(x->c, "not all services have started: see systemctl status 'sekisho-*'",
					 "起動しなかったサービスがあります: systemctl status 'sekisho-*' "
					 "を確認してください"))
		       : code;
}

/* Is it a place of a store that can stand in a line of settings? */
static bool is_place(const char *place)
{
	return strlen(place) <= PLACE_MAX && !strpbrk(place, "\r\n");
}

/* The collector's program, told what the command line asks for, and followed to its end. */
static int run_collector(
	struct store_moving *x, const char *option, const char *place, int (*then)(struct store_moving *, int))
{
	const char *args[6 + 2 * SEEN_MAX] = {NULL, option, place};
	struct ctl *c = x->c;
	char path[PATH_MAX];
	unsigned i, n = 3;
	int r;

	x->show = !option_on(c, OPT_QUIET) && isatty(STDERR_FILENO);
	if (!is_place(place) || !setup_find(c, "sekisho-collector", path))
		return is_place(place)
			       ? EXIT_MACHINE
			       : complain(EXIT_USAGE, SAY(c, "no place of a store", "保存場所の指定が不正です"));
	args[0] = path;
	if (option_on(c, OPT_CONFIG)) {
		args[n++] = "--config";
		args[n++] = option_value(c, OPT_CONFIG);
	}
	for (i = 0; i < c->given_n; i++) {
		if (c->given[i].id != OPT_CHECKPOINT)
			continue;
		if (n + 2 >= ARRAY_SIZE(args))
			return complain(EXIT_USAGE,
				SAY(c, "at most %u checkpoints", "チェックポイントは %u 個までです"), SEEN_MAX);
		args[n++] = "--checkpoint";
		args[n++] = c->given[i].value;
	}
	fflush(stdout);
	r = setup_follow(args, take_line, x);
	if (x->shown)
		fputs("\r\033[K", stderr);
	r = then(x, r);
	json_decref(x->moved);
	json_decref(x->failed);
	return r;
}

int command_store_move(struct ctl *c)
{
	struct store_moving x = {.c = c, .to = option_value(c, OPT_TO), .readers = option_value(c, OPT_READERS)};

	if (!x.to)
		return complain(EXIT_USAGE,
			SAY(c, "store move: where to? --to FOLDER or --to postgresql://...",
				"store move: --to に移行先(フォルダーまたは postgresql://...)を指定してください"));
	if (!x.readers)
		x.readers = x.to;
	if (!is_place(x.readers))
		return complain(EXIT_USAGE, SAY(c, "no place of a store", "保存場所の指定が不正です"));
	return run_collector(&x, "--move-to", x.to, end);
}

/* --- backup, restore --- */

static int say_copied(struct store_moving *x, int r)
{
	const json_t *o = x->moved;

	if (r || !o)
		return say_not(x, r);
	if (option_on(x->c, OPT_JSON))
		return say_json(o);
	say_whole(x, false);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_store_backup(struct ctl *c)
{
	struct store_moving x = {.c = c, .to = option_value(c, OPT_TO)};

	if (!x.to)
		return complain(EXIT_USAGE, SAY(c, "store backup: where to? --to FOLDER or --to postgresql://...",
						    "store backup: --to に写しの置き場所(フォルダーまたは "
						    "postgresql://...)を指定してください"));
	return run_collector(&x, "--backup-to", x.to, say_copied);
}

int command_store_restore(struct ctl *c)
{
	const char *from = option_value(c, OPT_FROM);
	struct store_moving x = {.c = c, .to = SAY(c, "the collector's store", "コレクターの保存場所")};

	if (!from || !option_on(c, OPT_CHECKPOINT))
		return complain(EXIT_USAGE, SAY(c,
						    "store restore: out of which copy (--from PLACE), and what have "
						    "PCs seen (--checkpoint FILE)?",
						    "store restore: 写し(--from)と、PC "
						    "が保持するチェックポイント(--checkpoint)を指定してください"));
	return run_collector(&x, "--restore-from", from, say_copied);
}
