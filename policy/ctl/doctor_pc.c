/*
 * `sekishoctl doctor` of a PC: judges the facts that doctor_facts.c gathered, see doctor.h. Looks nothing up itself, so
 * that tests can bring any fact.
 */
#include "policy/ctl/doctor.h"
#include "policy/ctl/door.h"
#include <inttypes.h>

#define CLOCK_WRONG_S 300 /* certificates and hours of a policy begin to be wrong */
#define CLOCK_OFF_S 30
#define SILENT_US ((int64_t)15 * 60 * 1000000)
#define DAY_US ((int64_t)86400 * 1000000)
#define POLICY_OLD_DAYS 365 /* nobody has looked at it for so long */
#define PRODUCERS_DIR "/var/spool/sekisho"

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool is(const json_t *o, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && !strcmp(s, value);
}

static bool on(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static void kernel(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "kernel");
	const char *lsm = json_string_value(json_object_get(o, "lsm"));
	const char *lockdown = json_string_value(json_object_get(o, "lockdown"));
	char release[SHOWN_MAX];

	door_text(release, o, "release");
	if (!on(o, "btf")) {
		doctor_found(d, "kernel", DOCTOR_BAD,
			doctor_by_packages(d, "apt install linux-image-$(dpkg --print-architecture); reboot",
				"dnf install kernel-core; reboot"),
			SAY(d->ctl, "%s tells nothing of its types (BTF): no kernel program of ours can run",
				"%s には型情報(BTF)がなく、カーネルプログラムを実行できません"),
			release);
		return;
	}
	if (lockdown && strstr(lockdown, "[confidentiality]")) {
		doctor_found(d, "kernel", DOCTOR_BAD,
			doctor_by_packages(d,
				"sed -i s/lockdown=confidentiality/lockdown=integrity/ /etc/default/grub; "
				"update-grub; reboot",
				"grubby --update-kernel=ALL --args=lockdown=integrity; reboot"),
			SAY(d->ctl, "%s is locked down for confidentiality: kernel programs may read nothing",
				"%s は lockdown=confidentiality のため、カーネルプログラムが読み取りできません"),
			release);
		return;
	}
	doctor_found(d, "kernel", DOCTOR_GOOD, NULL,
		SAY(d->ctl, "%s, with BTF; bpf in lsm=: %s; lockdown: %s",
			"%s、BTF あり、lsm= の bpf: %s、lockdown: %s"),
		release,
		!lsm                 ? SAY(d->ctl, "not known", "不明")
		: strstr(lsm, "bpf") ? SAY(d->ctl, "yes", "あり")
				     : SAY(d->ctl, "no, other means are used", "なし(別の手段を使用)"),
		!lockdown                         ? SAY(d->ctl, "not known", "不明")
		: strstr(lockdown, "[integrity]") ? "integrity"
						  : SAY(d->ctl, "none", "なし"));
}

/* What sekisho-load --check says of a part that is not there as it should be; true where it is. */
static bool is_current(struct doctor *d, const char *check, const json_t *o, const char *fix)
{
	char why[SHOWN_MAX];

	if (!o && on(d->facts, "root"))
		doctor_found(d, check, DOCTOR_BAD, "sekisho-load --check", "%s",
			SAY(d->ctl, "sekisho-load cannot be asked", "sekisho-load に照会できません"));
	else if (!o)
		doctor_found(d, check, DOCTOR_NOT_HERE, NULL, "%s",
			SAY(d->ctl, "not looked at: only root may", "root でないため確認していません"));
	if (!o)
		return false;
	if (is(o, "state", "current"))
		return true;
	door_text(why, o, "why");
	if (is(o, "state", "none"))
		doctor_found(d, check, DOCTOR_BAD, fix, "%s", SAY(d->ctl, "not loaded", "読み込まれていません"));
	else if (is(o, "state", "other"))
		doctor_found(d, check, DOCTOR_BAD, fix, SAY(d->ctl, "of another version: %s", "別のバージョンです: %s"),
			why);
	else
		doctor_found(
			d, check, DOCTOR_BAD, fix, SAY(d->ctl, "cannot be looked at: %s", "確認できません: %s"), why);
	return false;
}

static void probes(struct doctor *d)
{
	const json_t *o = json_object_get(doctor_fact(d, "load"), "recorder");
	const char *fix =
		on(d->facts, "systemd") ? "systemctl restart sekisho-probes sekisho-recorder" : "packaging/quickstart";
	char set[SHOWN_MAX];

	if (!is_current(d, "probes", o, fix))
		return;
	door_text(set, o, "set");
	if (!on(o, "told"))
		doctor_found(d, "probes", DOCTOR_BAD, fix, "%s",
			SAY(d->ctl, "a program was started, and the kernel told of nothing",
				"プログラムを起動しましたが、カーネルから通知がありません"));
	else
		doctor_found(d, "probes", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "%s set, current; a program that was started just now was told of",
				"記録方式 %s、最新。今回起動したプログラムの通知を確認"),
			set);
}

static void gate(struct doctor *d)
{
	const json_t *o = json_object_get(doctor_fact(d, "load"), "gate");
	const char *fix = on(d->facts, "systemd") ? "systemctl restart sekisho-load sekisho-guard"
						  : "sekisho-load --only gate; packaging/quickstart";
	char layers[SHOWN_MAX], missing[SHOWN_MAX];

	if (!is_current(d, "gate", o, fix))
		return;
	door_text(layers, o, "layers");
	if (is(o, "how", "note"))
		doctor_found(d, "gate", DOCTOR_ATTENTION, "sekisho-load --only gate --gate enforce", "%s",
			SAY(d->ctl, "only notes what it would deny (sekisho.gate=note at boot, or --gate note)",
				"記録のみで拒否しません(起動時の sekisho.gate=note または --gate note)"));
	else if (!json_string_value(json_object_get(o, "missing")) || !is(o, "missing", ""))
		doctor_found(d, "gate", DOCTOR_BAD, fix,
			SAY(d->ctl, "what must be denied was not: %s", "拒否されるべき操作が拒否されません: %s"),
			door_text(missing, o, "missing"));
	else
		doctor_found(d, "gate", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "a forbidden open was refused; layers: %s", "禁止された操作の拒否を確認。手段: %s"),
			layers);
}

static void lost(struct doctor *d, const char *name, const json_t *o)
{
	const char *cause;
	char text[SHOWN_MAX];
	json_t *n;

	json_object_foreach((json_t *)json_object_get(o, "lost"), cause, n)
	{
		if (json_integer_value(n) > 0)
			doctor_found(d, name, DOCTOR_ATTENTION, "sekishoctl log --kind loss",
				SAY(d->ctl, "%" PRId64 " records were lost (%s) since it started",
					"起動後に記録 %" PRId64 " 件が欠落(%s)"),
				(int64_t)json_integer_value(n), shown(text, cause));
	}
}

static void recorder(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "recorder"), *tried = json_object_get(doctor_fact(d, "load"), "recorder");
	char text[SHOWN_MAX];
	size_t before;

	if (!doctor_runs(d, "recorder"))
		return;
	before = json_array_size(d->findings);
	lost(d, "recorder", o);
	if (on(o, "spool_full"))
		doctor_found(d, "recorder", DOCTOR_BAD, "df -h " PRODUCERS_DIR "; sekishoctl status", "%s",
			SAY(d->ctl, "its spool is full: new records are counted as lost",
				"スプールが満杯で、新しい記録は欠落として数えられます"));
	if (on(o, "unprotected"))
		doctor_found(d, "recorder", DOCTOR_BAD, "df -h " PRODUCERS_DIR, "%s",
			SAY(d->ctl, "no room on the disk for what is not sealed yet: a crash would lose it",
				"未封緘分をディスクに置けません(異常終了時に失われます)"));
	if (json_is_string(json_object_get(o, "filter_refused")))
		doctor_found(d, "recorder", DOCTOR_BAD,
			"${EDITOR:-vi} /etc/sekisho/record.yaml; systemctl reload sekisho-recorder",
			SAY(d->ctl, "its filter was refused: %s", "フィルターが拒否されました: %s"),
			door_text(text, o, "filter_refused"));
	if (on(tried, "told") && !on(tried, "taken"))
		doctor_found(d, "recorder", DOCTOR_BAD, doctor_restart(d, text, "recorder"), "%s",
			SAY(d->ctl, "does not take what the kernel tells", "カーネルの通知を受け取っていません"));
	if (json_array_size(d->findings) == before)
		doctor_found(d, "recorder", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "runs%s; %" PRId64 " records, none lost",
				"動作中%s。記録 %" PRId64 " 件、欠落なし"),
			on(tried, "taken")
				? SAY(d->ctl, ", and took what the kernel told just now", "、今回の通知も受信")
				: "",
			(int64_t)number(o, "records"));
}

static void guard(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "guard");
	char room[SHOWN_MAX];

	if (!doctor_runs(d, "guard"))
		return;
	lost(d, "guard", o);
	if (is(o, "gate", "none"))
		doctor_found(d, "guard", DOCTOR_BAD, doctor_restart(d, room, "load"), "%s",
			SAY(d->ctl, "has no gate in the kernel: udev's flags alone hold",
				"カーネルのゲートがなく、udev のフラグのみで制御しています"));
	else
		doctor_found(d, "guard", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "runs; %" PRId64 " devices, %" PRId64 " held",
				"動作中。機器 %" PRId64 " 台、保護中 %" PRId64 " 台"),
			(int64_t)number(o, "devices"), (int64_t)number(o, "held"));
}

/* What is read from drives: ClamAV is another package's, and another service. */
static void scan(struct doctor *d)
{
	const json_t *o = json_object_get(doctor_fact(d, "guard"), "scan");
	char socket[SHOWN_MAX];

	if (!json_is_object(o) || !on(doctor_fact(d, "guard"), "alive"))
		return;
	door_text(socket, o, "socket");
	if (!on(o, "up"))
		doctor_found(d, "scan", DOCTOR_BAD,
			doctor_by_packages(d, "apt install clamav-daemon; systemctl restart clamav-daemon",
				"dnf install clamd; systemctl restart clamd@scan"),
			SAY(d->ctl, "clamd does not answer on %s: what is read from drives is not scanned",
				"clamd が %s で応答しません。ドライブから読み取ったファイルは検査されていません"),
			socket);
	else
		doctor_found(d, "scan", DOCTOR_GOOD, NULL,
			SAY(d->ctl,
				"clamd scans what is read from drives: %" PRId64 " files, %" PRId64 " found, %" PRId64
				" not scanned",
				"ドライブから読み取ったファイルを clamd で検査しています: %" PRId64 " 件、検出 %" PRId64
				" 件、未検査 %" PRId64 " 件"),
			(int64_t)number(o, "files"), (int64_t)number(o, "found"), (int64_t)number(o, "missed"));
}

/* Where an area of the policy refuses others: the guard tries it ("protected_files", else null). */
static void protected_files(struct doctor *d)
{
	const json_t *o = json_object_get(doctor_fact(d, "guard"), "protected_files");
	char room[SHOWN_MAX], by[SHOWN_MAX];

	if (!json_is_object(o) || !on(doctor_fact(d, "guard"), "alive"))
		return;
	if (!json_is_string(json_object_get(o, "refused_by")) || is(o, "refused_by", "none"))
		doctor_found(d, "protected", DOCTOR_BAD, doctor_restart(d, room, "guard"), "%s",
			SAY(d->ctl, "others are not refused protected files, as the policy wants it",
				"ポリシーで指定された保護ファイルの利用制限が効いていません"));
	else if (number(o, "left_out"))
		doctor_found(d, "protected", DOCTOR_ATTENTION, "man 8 sekisho-guard",
			SAY(d->ctl, "%" PRId64 " protected folders and files are more than can be marked",
				"保護ファイル・フォルダー %" PRId64 " 件は上限を超えているため対象外です"),
			(int64_t)number(o, "left_out"));
	else
		doctor_found(d, "protected", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "others are refused by %s; %" PRId64 " folders",
				"%s により拒否しています。対象フォルダー %" PRId64),
			door_text(by, o, "refused_by"), (int64_t)number(o, "folders"));
}

static void print(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "print"), *queues = json_object_get(o, "queues"), *q;
	char a[SHOWN_MAX], b[SHOWN_MAX];
	unsigned without = 0;
	size_t i;

	if (!on(d->facts, "cups")) {
		doctor_found(d, "print", DOCTOR_NOT_HERE, NULL, "%s",
			SAY(d->ctl, "this PC has no CUPS", "CUPS がインストールされていません"));
		return;
	}
	if (!doctor_runs(d, "print"))
		return;
	lost(d, "print", o);
	if (json_is_false(json_object_get(o, "inspector")))
		doctor_found(d, "print", DOCTOR_BAD, doctor_restart(d, a, "print"), "%s",
			SAY(d->ctl, "documents are not looked into", "文書の検査ができません"));
	else
		doctor_found(d, "print", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "runs; %" PRId64 " jobs judged, %" PRId64 " held",
				"動作中。判定 %" PRId64 " 件、保留中 %" PRId64 " 件"),
			(int64_t)number(o, "judged"), (int64_t)number(o, "held"));
	if (on(o, "stamps") && json_is_false(doctor_fact(d, "qpdf")))
		doctor_found(d, "print", DOCTOR_BAD, doctor_by_packages(d, "apt install qpdf", "dnf install qpdf"),
			"%s",
			SAY(d->ctl, "the policy wants pages stamped, and qpdf is not here: no PDF can be",
				"ポリシーはページへの刻印を求めていますが、qpdf がないため PDF に刻印できません"));
	json_array_foreach(queues, i, q)
	{
		if (on(q, "inside"))
			continue;
		without++;
		doctor_found(d, "queues", DOCTOR_BAD,
			is(o, "outside", "")      ? "sekishoctl print queues"
			: on(d->facts, "systemd") ? "systemctl restart cups"
						  : "packaging/quickstart",
			SAY(d->ctl, "%s is not behind the gate: %s", "%s はゲート内にありません: %s"),
			door_text(a, q, "name"), door_text(b, q, d->ctl->lang == LANG_JA ? "reason_ja" : "reason"));
	}
	if (!without)
		doctor_found(d, "queues", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "all %zu are behind the gate", "全 %zu 件がゲート内"), json_array_size(queues));
}

static void uplink(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "uplink"), *q;
	int64_t ago = doctor_since(d, number(o, "last_contact")), waiting = 0;
	char a[SHOWN_MAX], b[SHOWN_MAX], fix[SHOWN_MAX];
	const char *producer;

	if (!doctor_runs(d, "uplink"))
		return;
	json_object_foreach((json_t *)json_object_get(o, "producers"), producer, q)
	{
		if (__builtin_add_overflow(waiting, number(q, "waiting"), &waiting))
			waiting = INT64_MAX;
		if (number(q, "refused"))
			doctor_found(d, "uplink", DOCTOR_BAD, "sekishoctl host list; journalctl -u sekisho-uplink",
				SAY(d->ctl, "the collector refused %" PRId64 " segments of %s",
					"コレクターが %" PRId64 " 件のセグメント(%s)を拒否しました"),
				(int64_t)number(q, "refused"), shown(a, producer));
	}
	door_text(a, o, "collector");
	snprintf(fix, sizeof(fix), "curl -vk %.400s", a);
	if (json_is_string(json_object_get(o, "alarm")))
		doctor_found(d, "uplink", DOCTOR_BAD, "cat /var/lib/sekisho/inbox/alarm; sekishoctl verify",
			SAY(d->ctl, "ALARM: the collector's log is refused: %s",
				"警報: コレクターのログを拒否しています: %s"),
			door_text(b, o, "alarm"));
	else if (!on(o, "connected"))
		doctor_found(d, "uplink", DOCTOR_BAD, fix,
			SAY(d->ctl, "%s cannot be reached: %s; %" PRId64 " segments wait",
				"%s に接続できません: %s。待機 %" PRId64 " 件"),
			a, door_text(b, o, "last_error"), waiting);
	else if (ago > SILENT_US)
		doctor_found(d, "uplink", DOCTOR_ATTENTION, fix,
			SAY(d->ctl, "%s answered %" PRId64 " minutes ago last; %" PRId64 " segments wait",
				"%s の最終応答は %" PRId64 " 分前。待機 %" PRId64 " 件"),
			a, ago / 60000000, waiting);
	else
		doctor_found(d, "uplink", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "%s acknowledged %" PRId64 " s ago; %" PRId64 " segments wait",
				"%s が %" PRId64 " 秒前に受領確認。待機 %" PRId64 " 件"),
			a, ago > 0 ? ago / 1000000 : 0, waiting);
}

static void certificate(struct doctor *d)
{
	int64_t own = number(doctor_fact(d, "uplink"), "certificate_until");
	const json_t *ca = json_object_get(doctor_fact(d, "certificates"), "/var/lib/sekisho/uplink/ca.crt");

	/* It is renewed when two thirds of its time are over: what is near its end could not be. */
	if (own)
		doctor_until(d, "certificate", SAY(d->ctl, "of this PC", "この PC"), own, 7,
			"journalctl -u sekisho-uplink; sekishoctl enrol --again COLLECTOR TOKEN");
	if (ca)
		doctor_until(d, "certificate", SAY(d->ctl, "of the collector's authority", "コレクターの認証局"),
			json_integer_value(ca), 90, "sekishoctl enrol --again COLLECTOR TOKEN");
}

static void clock(struct doctor *d)
{
	const json_t *ahead = json_object_get(doctor_fact(d, "uplink"), "clock_ahead_s");
	int64_t s = json_integer_value(ahead), off = s == INT64_MIN ? INT64_MAX : s < 0 ? -s : s;
	bool synced = on(d->facts, "clock_synced");

	if (json_is_integer(ahead) && off > CLOCK_OFF_S)
		doctor_found(d, "clock", off > CLOCK_WRONG_S ? DOCTOR_BAD : DOCTOR_ATTENTION,
			"timedatectl set-ntp true",
			s > 0 ? SAY(d->ctl, "%" PRId64 " s ahead of the collector's",
					"コレクターより %" PRId64 " 秒進んでいます")
			      : SAY(d->ctl, "%" PRId64 " s behind the collector's",
					"コレクターより %" PRId64 " 秒遅れています"),
			off);
	else if (json_is_integer(ahead))
		doctor_found(d, "clock", DOCTOR_GOOD, NULL, "%s",
			synced ? SAY(d->ctl, "as the collector's, and kept by a time service",
					 "コレクターと一致、時刻同期あり")
			       : SAY(d->ctl, "as the collector's; no time service keeps it",
					 "コレクターと一致(時刻同期なし)"));
	else
		doctor_found(d, "clock", synced ? DOCTOR_GOOD : DOCTOR_ATTENTION,
			synced ? NULL : "timedatectl set-ntp true", "%s",
			synced ? SAY(d->ctl, "kept by a time service", "時刻同期あり")
			       : SAY(d->ctl, "no time service keeps it, and no collector has told its own",
					 "時刻同期がなく、コレクターの時刻も不明です"));
}

static void policy(struct doctor *d)
{
	const json_t *p = json_object_get(doctor_fact(d, "guard"), "policy");
	const json_t *print = doctor_fact(d, "print");
	const json_t *until = json_object_get(p, "until_us"), *issued = json_object_get(p, "issued_us");
	int64_t age = json_is_integer(issued) ? doctor_since(d, json_integer_value(issued)) / DAY_US : 0,
		fetched = number(doctor_fact(d, "uplink"), "policy");
	char a[SHOWN_MAX], what[SHOWN_MAX + 96];
	int n;

	if (!p)
		return;
	if (json_is_string(json_object_get(p, "refused")))
		doctor_found(d, "policy", DOCTOR_BAD, "sekishoctl policy show /var/lib/sekisho/inbox/policy",
			SAY(d->ctl, "the newest was refused: %s", "最新のポリシーが拒否されました: %s"),
			door_text(a, p, "refused"));
	else if (fetched > number(p, "version"))
		doctor_found(d, "policy", DOCTOR_ATTENTION, doctor_restart(d, a, "guard"),
			SAY(d->ctl,
				"the collector has version %" PRId64 ", in force is version %" PRId64
				": the guard has not taken it",
				"コレクターの最新はバージョン %" PRId64 " ですが、適用中はバージョン %" PRId64 " です"),
			fetched, (int64_t)number(p, "version"));
	if (on(print, "alive") && number(p, "version") &&
		json_is_integer(json_object_get(json_object_get(print, "policy"), "version")) &&
		number(json_object_get(print, "policy"), "version") != number(p, "version"))
		doctor_found(d, "policy", DOCTOR_ATTENTION, doctor_restart(d, a, "print"),
			SAY(d->ctl, "the print gate goes by version %" PRId64 ", the guard by version %" PRId64,
				"印刷の制御はバージョン %" PRId64 "、機器の制御はバージョン %" PRId64
				" に従っています"),
			(int64_t)number(json_object_get(print, "policy"), "version"), (int64_t)number(p, "version"));
	if (!number(p, "version") && fetched)
		return;
	if (!number(p, "version")) {
		doctor_found(d, "policy", DOCTOR_ATTENTION,
			"sekishoctl policy sign FILE; sekishoctl policy push FILE.signed", "%s",
			SAY(d->ctl, "none: the built-in defaults hold", "未適用(既定値で動作中)"));
		return;
	}
	n = snprintf(what, sizeof(what),
		SAY(d->ctl, "version %" PRId64 ", signed by %s", "バージョン %" PRId64 "、署名者 %s"),
		(int64_t)number(p, "version"), door_text(a, p, "signer"));
	if (json_is_integer(issued))
		snprintf(what + n, sizeof(what) - (size_t)n, SAY(d->ctl, " %" PRId64 " days ago", "(%" PRId64 " 日前)"),
			age > 0 ? age : 0);
	if (on(p, "expired"))
		doctor_found(d, "policy", DOCTOR_BAD, "sekishoctl policy sign FILE; sekishoctl policy push FILE.signed",
			SAY(d->ctl, "%s: has expired, the built-in defaults hold", "%s: 期限切れ(既定値で動作中)"),
			what);
	else if (json_is_integer(until))
		doctor_until(d, "policy", what, json_integer_value(until), 14,
			"sekishoctl policy sign FILE; sekishoctl policy push FILE.signed");
	else
		doctor_found(d, "policy", DOCTOR_GOOD, NULL, "%s", what);
	if (age > POLICY_OLD_DAYS)
		doctor_found(d, "policy", DOCTOR_ATTENTION,
			"sekishoctl policy show /var/lib/sekisho/inbox/policy; sekishoctl policy sign FILE; "
			"sekishoctl policy push FILE.signed",
			SAY(d->ctl, "%s: older than %d days; sign it again where it is still what is meant",
				"%s: %d 日を超えています。内容を確認し、署名し直してください"),
			what, POLICY_OLD_DAYS);
	if (on(p, "note"))
		doctor_found(d, "policy", DOCTOR_ATTENTION,
			"sekishoctl policy sign FILE; sekishoctl policy push FILE.signed", "%s",
			SAY(d->ctl, "only notes what it would deny (mode: note; sign it with mode: enforce)",
				"記録のみで拒否しません(mode: note。mode: enforce で署名し直してください)"));
}

/*
 * Does the kernel keep root from the agent? The guard has just tried ("protection"); what sekisho-load was asked for,
 * and why it is not so, stands beside ("shield"). Where it is not refused, it is told all the same.
 */
static void self(struct doctor *d)
{
	const json_t *guard = doctor_fact(d, "guard"), *shield = doctor_fact(d, "shield");
	char why[SHOWN_MAX];

	if (!json_is_string(json_object_get(guard, "protection")))
		return; /* the guard does not run, which is said */
	door_text(why, shield, "why");
	if (is(guard, "protection", "enforce"))
		doctor_found(d, "self", DOCTOR_GOOD, NULL, "%s",
			SAY(d->ctl, "enforce: changes by root are refused and recorded",
				"enforce: root による変更も拒否し、記録します"));
	else if (is(guard, "protection", "note"))
		doctor_found(d, "self", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "note: changes by root are recorded, not refused (%s)",
				"note: root による変更は記録のみで、拒否しません(%s)"),
			why);
	else if (is(shield, "shield", "off"))
		doctor_found(d, "self", DOCTOR_ATTENTION, "sekishoctl self show; man 5 agent.conf",
			SAY(d->ctl, "off: attempts are not recorded, changes of files are (%s)",
				"off: 操作の試みは記録されません。ファイルの変更は記録されます(%s)"),
			why);
	else if (is(shield, "shield", "note") || is(shield, "shield", "enforce"))
		doctor_found(d, "self", DOCTOR_ATTENTION,
			"systemctl restart sekisho-guard; cat /run/sekisho/shield.json", "%s",
			SAY(d->ctl, "none: it is loaded, and what the guard tried was not refused",
				"なし: 読み込み済みですが、実地確認で拒否されませんでした"));
	else
		doctor_found(d, "self", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "none: changes of files are recorded; this kernel cannot refuse them (%s)",
				"なし: ファイルの変更は記録されます。このカーネルは拒否できません(%s)"),
			why);
}

void doctor_pc(struct doctor *d)
{
	kernel(d);
	gate(d);
	if (!on(d->facts, "enrolled")) {
		doctor_found(d, "uplink", DOCTOR_ATTENTION, "sekishoctl enrol COLLECTOR TOKEN", "%s",
			SAY(d->ctl, "not enrolled: devices are held, and nothing is recorded",
				"未登録: 機器は保護されますが、記録はされません"));
		return;
	}
	probes(d);
	self(d);
	recorder(d);
	guard(d);
	protected_files(d);
	scan(d);
	print(d);
	uplink(d);
	certificate(d);
	doctor_keys(d);
	clock(d);
	doctor_disk(d, "disk", PRODUCERS_DIR);
	doctor_disk(d, "disk", "/var/lib/sekisho");
	doctor_units(d);
	policy(d);
}
