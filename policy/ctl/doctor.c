/*
 * `sekishoctl doctor`: every part of Sekisho on this machine looked at, one line each, with the command that mends what
 * is wrong. See doctor.h. Changes nothing on the machine.
 */
#include "policy/ctl/doctor.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include <inttypes.h>

#define OUT_MAX (256u << 10)
#define DAY_US ((int64_t)86400 * 1000000)
#define FREE_BAD (64ll << 20)
#define FREE_ATTENTION (512ll << 20)

static const struct check {
	const char *name;
	struct said title;
} checks[] = {
	{"kernel", {"kernel", "カーネル"}},
	{"probes", {"kernel programs that record", "記録用カーネルプログラム"}},
	{"gate", {"gate of devices, tried just now", "機器のゲート(今回の実地確認)"}},
	{"self", {"protection of the agent itself", "エージェント自身の保護"}},
	{"recorder", {"recorder", "記録"}},
	{"guard", {"guard", "機器の判定"}},
	{"protected", {"refusal of protected files, tried just now", "保護ファイルの利用制限(実地確認)"}},
	{"scan", {"scan of what is read from drives", "ドライブから読み取るファイルの検査"}},
	{"units", {"units that start with the PC", "起動時に開始するユニット"}},
	{"print", {"print gate", "印刷のゲート"}},
	{"queues", {"print queues", "印刷キュー"}},
	{"uplink", {"link to the collector", "コレクターとの接続"}},
	{"certificate", {"TLS certificates", "TLS 証明書"}},
	{"keys", {"keys of this PC", "この PC の鍵"}},
	{"clock", {"clock", "時計"}},
	{"disk", {"disk", "ディスク"}},
	{"policy", {"policy", "ポリシー"}},
	{"collector", {"collector", "コレクター"}},
	{"log", {"log", "ログ"}},
	{"settings", {"settings", "設定"}},
	{"witnesses", {"witnesses", "連署"}},
	{"timestamps", {"timestamps", "タイムスタンプ"}},
	{"console", {"console", "コンソール"}},
	{"herald", {"herald", "通知"}},
};

static const struct said states[] = {
	[DOCTOR_GOOD] = {"good", "正常"},
	[DOCTOR_ATTENTION] = {"attention", "注意"},
	[DOCTOR_BAD] = {"bad", "異常"},
	[DOCTOR_NOT_HERE] = {"not here", "対象外"},
};

const char *doctor_state_name(enum doctor_state s)
{
	return states[s].en;
}

void doctor_found(struct doctor *d, const char *check, enum doctor_state s, const char *fix, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_whole(text);
	json_array_append_new(d->findings, json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "state",
						   doctor_state_name(s), "found", text, "fix", fix));
	d->ill |= s == DOCTOR_ATTENTION || s == DOCTOR_BAD;
}

const json_t *doctor_fact(const struct doctor *d, const char *name)
{
	return json_object_get(d->facts, name);
}

const char *doctor_restart(const struct doctor *d, char room[SHOWN_MAX], const char *service)
{
	if (!json_is_true(doctor_fact(d, "systemd")))
		return "packaging/quickstart";
	snprintf(room, SHOWN_MAX, "systemctl restart sekisho-%s", service);
	return room;
}

const char *doctor_by_packages(const struct doctor *d, const char *apt, const char *dnf)
{
	const char *s = json_string_value(doctor_fact(d, "packages"));

	return s && !strcmp(s, "dnf") ? dnf : apt;
}

bool doctor_runs(struct doctor *d, const char *name)
{
	const json_t *o = doctor_fact(d, name);
	char room[SHOWN_MAX];

	if (json_is_true(json_object_get(o, "alive")))
		return true;
	doctor_found(d, name, DOCTOR_BAD, doctor_restart(d, room, name), "%s",
		o ? SAY(d->ctl, "does not run", "動作していません")
		  : SAY(d->ctl, "has not been started", "起動されていません"));
	return false;
}

void doctor_disk(struct doctor *d, const char *check, const char *path)
{
	const json_t *o = json_object_get(doctor_fact(d, "disks"), path);
	json_int_t room = json_integer_value(json_object_get(o, "free"));
	char fix[SHOWN_MAX];

	if (!o)
		return;
	snprintf(fix, sizeof(fix), "df -h %s; du -xh --max-depth=1 %s", path, path);
	doctor_found(d, check,
		room < FREE_BAD         ? DOCTOR_BAD
		: room < FREE_ATTENTION ? DOCTOR_ATTENTION
					: DOCTOR_GOOD,
		room < FREE_ATTENTION ? fix : NULL, SAY(d->ctl, "%s: %" PRId64 " MiB free", "%s: 空き %" PRId64 " MiB"),
		path, (int64_t)(room >> 20));
}

int64_t doctor_since(const struct doctor *d, int64_t then_us)
{
	int64_t ago;

	/* What was told may be any number. */
	if (__builtin_sub_overflow(json_integer_value(doctor_fact(d, "now_us")), then_us, &ago))
		return then_us < 0 ? INT64_MAX : INT64_MIN + 1;
	return ago;
}

void doctor_until(
	struct doctor *d, const char *check, const char *what, int64_t until_us, int warn_days, const char *fix)
{
	int64_t left = -doctor_since(d, until_us);
	char t[TEXT_TIME_SIZE];

	text_time_local(t, until_us);
	if (left <= 0)
		doctor_found(d, check, DOCTOR_BAD, fix, SAY(d->ctl, "%s: ended %s", "%s: %s に期限切れ"), what, t);
	else
		doctor_found(d, check, left < warn_days * DAY_US ? DOCTOR_ATTENTION : DOCTOR_GOOD,
			left < warn_days * DAY_US ? fix : NULL,
			SAY(d->ctl, "%s: good until %s, %" PRId64 " days", "%s: %s まで有効(残り %" PRId64 " 日)"),
			what, t, left / DAY_US);
}

const char *doctor_title(const struct ctl *c, const char *check)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checks); i++)
		if (!strcmp(checks[i].name, check))
			return SAY(c, checks[i].title.en, checks[i].title.ja);
	return NULL;
}

static const char *state_for_people(const struct ctl *c, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(states[i].en, name))
			return SAY(c, states[i].en, states[i].ja);
	return name;
}

static int say(const struct doctor *d)
{
	struct buf out = BUF_INIT(OUT_MAX);
	char a[SHOWN_MAX];
	const json_t *f;
	size_t i;

	json_array_foreach(d->findings, i, f)
	{
		const char *state = json_string_value(json_object_get(f, "state"));
		const char *check = json_string_value(json_object_get(f, "check")),
			   *title = doctor_title(d->ctl, check);

		/* What is alright in a line, what is not with what to do, below it. */
		buf_putf(&out, "[%s] %s: %s\n", state_for_people(d->ctl, state), title ? title : check,
			door_text(a, f, "found"));
		if (json_is_string(json_object_get(f, "fix")))
			buf_putf(&out, "    -> %s\n", door_text(a, f, "fix"));
	}
	if (!d->ill)
		buf_puts(&out, SAY(d->ctl, "all is well\n", "問題はありません\n"));
	i = (size_t)out_put(&out);
	buf_deinit(&out);
	return i ? EXIT_GOOD : EXIT_MACHINE;
}

int command_doctor(struct ctl *c)
{
	json_t *facts = doctor_facts();
	struct doctor d = {.ctl = c, .facts = facts, .findings = json_array()};
	json_t *o = NULL;
	int r;

	if (json_is_true(doctor_fact(&d, "pc")))
		doctor_pc(&d);
	if (json_is_true(doctor_fact(&d, "server")))
		doctor_server(&d);
	if (!json_array_size(d.findings))
		doctor_found(&d, "kernel", DOCTOR_ATTENTION, "sekishoctl enrol COLLECTOR TOKEN", "%s",
			SAY(c, "neither an enrolled PC nor a collector", "登録済みの PC でもコレクターでもありません"));
	if (option_on(c, OPT_JSON)) {
		o = json_pack("{s:b, s:O}", "good", !d.ill, "findings", d.findings);
		r = say_json(o);
	} else {
		r = say(&d);
	}
	json_decref(o);
	json_decref(d.findings);
	json_decref(facts);
	return r != EXIT_GOOD ? r : d.ill ? EXIT_PROBLEM : EXIT_GOOD;
}
