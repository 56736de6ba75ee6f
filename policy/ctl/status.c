/*
 * `sekishoctl status`: what runs on this machine, from the status files of the programs and the collector's door; says
 * what is wrong, and ends accordingly. Status files are written by unprivileged programs: they are parsed strictly and
 * escaped.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/status_parts.h"
#include "policy/wire/api.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#define STATUS_MAX (256u << 10)
#define OUT_MAX (1u << 20)
#define PROGRAMS_MAX 32
#define COMM_SHOWN 15 /* the kernel keeps that much of a program's name */

bool status_alive(json_int_t pid, const char *program)
{
	_cleanup_buf_ struct buf stat = BUF_INIT(4096);
	char path[64];
	const uint8_t *from, *to;
	size_t n = strlen(program);

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", (int64_t)pid);
	if (pid <= 0 || file_read(path, &stat))
		return false;
	/* proc(5): the name in brackets, of which it may hold some itself, then the state. One that ended is a zombie
	   until its parent asks for it. */
	from = memchr(stat.p, '(', stat.n);
	to = memrchr(stat.p, ')', stat.n);
	if (!from || !to || to < from || to + 2 >= stat.p + stat.n || to[2] == 'Z' || to[2] == 'X')
		return false;
	return span_eq(SPAN(from + 1, (size_t)(to - from - 1)), SPAN(program, n < COMM_SHOWN ? n : COMM_SHOWN));
}

static const char *when(char out[TEXT_TIME_SIZE], const json_t *o, const char *key)
{
	json_int_t t = status_number(o, key);

	return t > 0 ? text_time_local(out, t) : "-";
}

static void recorder(struct status_view *v, const char *name, const json_t *o)
{
	const struct ctl *c = v->ctl;
	char a[SHOWN_MAX], b[SHOWN_MAX], t[TEXT_TIME_SIZE];
	const json_t *lost = json_object_get(o, "lost"), *n;
	const char *cause;

	if (json_object_get(o, "probe_set"))
		buf_putf(&v->out,
			SAY(c, "    probe set %s, kernel enforcement %s\n", "    記録方式 %s、カーネルによる強制 %s\n"),
			door_text(a, o, "probe_set"), door_text(b, o, "enforce"));
	if (json_object_get(o, "segments"))
		buf_putf(&v->out,
			SAY(c, "    %" PRId64 " records in %" PRId64 " segments, last sealed %s\n",
				"    記録 %" PRId64 " 件、セグメント %" PRId64 " 件、最終封緘 %s\n"),
			(int64_t)status_number(o, "records"), (int64_t)status_number(o, "segments"),
			when(t, o, "last_seal_us"));
	if (json_object_get(o, "spool_segments"))
		buf_putf(&v->out,
			SAY(c, "    spool: %" PRId64 " segments, %" PRId64 " bytes wait\n",
				"    スプール: セグメント %" PRId64 " 件、%" PRId64 " バイト待機中\n"),
			(int64_t)status_number(o, "spool_segments"), (int64_t)status_number(o, "spool_bytes"));
	if (json_is_true(json_object_get(o, "cut")))
		buf_puts(&v->out, SAY(c,
					  "    the run before ended without a word; what it had not sealed was "
					  "recovered as far as it "
					  "lay on the disk\n",
					  "    前回は異常終了。未封緘分はディスクに残っていた範囲で復元済み\n"));
	json_object_foreach((json_t *)lost, cause, n)
	{
		buf_putf(&v->out, SAY(c, "    lost: %s %" PRId64 "\n", "    欠落: %s %" PRId64 "\n"), shown(a, cause),
			(int64_t)json_integer_value(n));
		if (json_integer_value(n) > 0)
			status_wrong(v,
				SAY(c, "%s: %" PRId64 " records lost (%s)", "%s: 記録 %" PRId64 " 件が欠落(%s)"), name,
				(int64_t)json_integer_value(n), shown(a, cause));
	}
	if (json_is_true(json_object_get(o, "spool_full")))
		status_wrong(v, SAY(c, "%s: the spool is full", "%s: スプールが満杯です"), name);
	if (json_is_true(json_object_get(o, "unprotected")))
		status_wrong(v,
			SAY(c, "%s: no room on the disk for the open segment: a crash would lose it",
				"%s: 未封緘分をディスクに置けません(異常終了時に失われます)"),
			name);
	if (json_is_string(json_object_get(o, "filter_refused")))
		status_wrong(v, SAY(c, "%s: its filter was refused: %s", "%s: フィルターが拒否されました: %s"), name,
			door_text(a, o, "filter_refused"));
}

static void uplink(struct status_view *v, const char *name, const json_t *o)
{
	const struct ctl *c = v->ctl;
	const json_t *queues = json_object_get(o, "producers"), *q;
	char a[SHOWN_MAX], b[SHOWN_MAX], t[TEXT_TIME_SIZE];
	const char *producer;

	if (!json_object_get(o, "connected"))
		return;
	buf_putf(&v->out, SAY(c, "    collector %s: %s\n", "    コレクター %s: %s\n"), door_text(a, o, "collector"),
		door_text(b, o, "state"));
	json_object_foreach((json_t *)queues, producer, q)
	{
		buf_putf(&v->out,
			SAY(c, "    %s: %" PRId64 " segments wait, acknowledged up to %s at %s\n",
				"    %s: セグメント %" PRId64 " 件待機、%s まで受領確認済み(%s)\n"),
			shown(a, producer), (int64_t)status_number(q, "waiting"), door_text(b, q, "acked_seq"),
			when(t, q, "acked_at"));
		if (status_number(q, "refused") > 0)
			status_wrong(v,
				SAY(c, "%s: the collector refused %" PRId64 " segments of %s",
					"%s: コレクターが %" PRId64 " 件のセグメント(%s)を拒否しました"),
				name, (int64_t)status_number(q, "refused"), shown(a, producer));
	}
	q = json_object_get(o, "checkpoint");
	if (json_is_object(q))
		buf_putf(&v->out,
			SAY(c, "    log seen: %s, %" PRId64 " segments\n",
				"    確認済みログ: %s、セグメント %" PRId64 " 件\n"),
			door_text(a, q, "origin"), (int64_t)status_number(q, "size"));
	if (!json_is_true(json_object_get(o, "connected")))
		status_wrong(v,
			SAY(c, "%s: not connected to the collector: %s", "%s: コレクターに接続していません: %s"), name,
			door_text(a, o, "last_error"));
	if (json_is_string(json_object_get(o, "alarm")))
		status_wrong(v,
			SAY(c, "%s: ALARM: the collector's log is refused: %s",
				"%s: 警報: コレクターのログを拒否しています: %s"),
			name, door_text(a, o, "alarm"));
}

/* Where the PC's keys live, by its own programs' word; a file needs no words. */
static void keys(struct status_view *v, const char *name, const json_t *o)
{
	const struct ctl *c = v->ctl;
	const char *device = json_string_value(json_object_get(o, "device_key"));
	const char *tls = json_string_value(json_object_get(o, "tls_key"));
	char a[SHOWN_MAX];

	if (device && strcmp(device, "file") != 0)
		buf_putf(&v->out, SAY(c, "    device key: in %s\n", "    デバイス鍵: %s 内\n"),
			!strcmp(device, "tpm") ? "TPM" : shown(a, device));
	if (tls && strcmp(tls, "file") != 0)
		buf_putf(&v->out, SAY(c, "    TLS key: in %s\n", "    TLS 鍵: %s 内\n"),
			!strcmp(tls, "tpm") ? "TPM" : shown(a, tls));
	if (json_is_true(json_object_get(o, "device_key_waits")))
		status_wrong(v,
			SAY(c, "%s: this PC's key cannot be used; records wait unsealed. See the log of sekisho-keeper",
				"%s: このPCの鍵を使用できません。記録は封印されずに待機しています。sekisho-keeper "
				"のログを確認してください"),
			name);
}

static void program(struct status_view *v, const char *file, json_t *o)
{
	const struct ctl *c = v->ctl;
	const char *own = json_string_value(json_object_get(o, "program"));
	char name[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_int_t pid = status_number(o, "pid");
	bool runs = own && status_alive(pid, own) && !json_is_false(json_object_get(o, "running"));

	if (status_kernel(v, o))
		return;
	shown(name, own ? own : file);
	json_object_set_new(o, "alive", json_boolean(runs));
	if (runs)
		buf_putf(&v->out, SAY(c, "%s: runs (pid %" PRId64 ")", "%s: 動作中(pid %" PRId64 ")"), name,
			(int64_t)pid);
	else
		buf_putf(&v->out, SAY(c, "%s: DOES NOT RUN", "%s: 停止しています"), name);
	if (status_number(o, "since_us"))
		buf_putf(&v->out, SAY(c, ", since %s", "、開始 %s"), when(t, o, "since_us"));
	buf_puts(&v->out, "\n");
	if (!runs)
		status_wrong(v, SAY(c, "%s does not run", "%s が動作していません"), name);
	keys(v, name, o);
	recorder(v, name, o);
	status_guard(v, name, o);
	status_print(v, name, o);
	uplink(v, name, o);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_status(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 5, ".json");
}

static void one_file(struct status_view *v, const char *dir, const char *name)
{
	_cleanup_buf_ struct buf text = BUF_INIT(STATUS_MAX);
	_cleanup_json_ json_t *o = NULL;
	char path[PATH_MAX], a[SHOWN_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return;
	if (!file_read(path, &text))
		o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o)) {
		status_wrong(
			v, SAY(v->ctl, "%s: no status can be read there", "%s: 状態を読み取れません"), shown(a, path));
		return;
	}
	program(v, name, o);
	json_array_append(v->programs, o);
}

/* The programs' files, in order of name. */
static int files(struct status_view *v, const char *dir)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_status, by_name), i;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (i = 0; i < n; i++) {
		if (i < PROGRAMS_MAX)
			one_file(v, dir, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return 0;
}

/* All that the collector says of itself: names are its own. */
static void print_tree(struct status_view *v, const json_t *o, unsigned depth)
{
	char a[SHOWN_MAX], b[SHOWN_MAX];
	const char *key;
	json_t *x;

	json_object_foreach((json_t *)o, key, x)
	{
		if (json_is_object(x) && depth < 3) {
			buf_putf(&v->out, "%*s%s:\n", (int)(2 * depth), "", shown(a, key));
			print_tree(v, x, depth + 1);
		} else if (json_is_string(x) || json_is_integer(x)) {
			buf_putf(&v->out, "%*s%s: %s\n", (int)(2 * depth), "", shown(a, key), door_text(b, o, key));
		} else if (json_is_boolean(x)) {
			buf_putf(&v->out, "%*s%s: %s\n", (int)(2 * depth), "", shown(a, key),
				json_is_true(x) ? SAY(v->ctl, "yes", "はい") : SAY(v->ctl, "no", "いいえ"));
		} else if (json_is_real(x)) {
			buf_putf(&v->out, "%*s%s: %g\n", (int)(2 * depth), "", shown(a, key), json_real_value(x));
		}
	}
}

/* The collector, where one is on this machine. */
static json_t *collector(struct status_view *v)
{
	const struct ctl *c = v->ctl;
	json_t *answer = NULL;
	struct why why = {""};
	char room[PATH_MAX];
	const char *path = option_value(c, OPT_SOCKET);
	int r;

	if (!path) {
		layout_path(room, sizeof(room), SOCKET_PATH);
		path = room;
	}
	if (access(path, F_OK) && !option_on(c, OPT_SOCKET))
		return NULL;
	r = door_ask(c, API_ADMIN_STATUS, NULL, &answer, &why);
	if (r == -EACCES || r == -EPERM) {
		buf_puts(&v->out,
			SAY(c, "collector: not asked (root and group sekisho-admin may)\n",
				"コレクター: 権限がないため照会していません(root または sekisho-admin グループ)\n"));
		return NULL;
	}
	if (r) {
		status_wrong(v, SAY(c, "the collector does not answer: %s", "コレクターが応答しません: %s"),
			r < 0 ? strerror(-r) : why.text);
		return NULL;
	}
	buf_puts(&v->out, SAY(c, "collector:\n", "コレクター:\n"));
	print_tree(v, answer, 2);
	return answer;
}

static int finish(struct status_view *v, json_t *of_collector)
{
	const struct ctl *c = v->ctl;
	bool good = !json_array_size(v->problems);
	size_t i;
	json_t *p;

	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:b, s:O, s:O, s:O?}", "good", good, "programs", v->programs,
			"problems", v->problems, "collector", of_collector);
		_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;

		buf_clear(&v->out);
		if (!text || buf_putf(&v->out, "%s\n", text))
			return complain_of(c, "status", -ENOMEM, NULL);
	} else {
		json_array_foreach(v->problems, i, p)
		{
			buf_putf(&v->out, SAY(c, "WRONG: %s\n", "問題: %s\n"), json_string_value(p));
		}
		if (good)
			buf_puts(&v->out, SAY(c, "all is well\n", "問題はありません\n"));
	}
	return !out_put(&v->out) ? EXIT_MACHINE : good ? EXIT_GOOD : EXIT_PROBLEM;
}

int command_status(struct ctl *c)
{
	struct status_view v = {.ctl = c, .out = BUF_INIT(OUT_MAX), .problems = json_array(), .programs = json_array()};
	json_t *of_collector = NULL;
	char dir[PATH_MAX];
	int r;

	layout_path(dir, sizeof(dir), RUN_PATH);
	r = files(&v, dir);
	if (r) {
		r = complain_of(c, dir, r, NULL);
	} else {
		of_collector = collector(&v);
		if (!json_array_size(v.programs) && !of_collector && !json_array_size(v.problems))
			status_wrong(&v, "%s", SAY(c, "nothing of Sekisho runs here", "Sekisho は動作していません"));
		r = finish(&v, of_collector);
	}
	json_decref(of_collector);
	json_decref(v.problems);
	json_decref(v.programs);
	buf_deinit(&v.out);
	return r;
}
