/*
 * `sekishoctl doctor` of a collector's machine: judges the facts that doctor_facts.c gathered, see doctor.h. Looks
 * nothing up itself.
 */
#include "policy/ctl/doctor.h"
#include "policy/ctl/door.h"
#include "policy/wire/server_conf.h"
#include <inttypes.h>

#define DAY_US ((int64_t)86400 * 1000000)
#define LAG_MANY 10000 /* segments that are kept and cannot be searched yet */

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void collector(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "collector");
	char room[SHOWN_MAX];

	if (!doctor_runs(d, "collector"))
		return;
	if (json_is_true(json_object_get(o, "disk_full")))
		doctor_found(d, "collector", DOCTOR_BAD, "df -h /var/lib/sekisho-collector; sekishoctl retention plan",
			"%s",
			SAY(d->ctl, "takes nothing in: the disk is full", "ディスク満杯のため受信を停止しています"));
	else if (json_is_true(json_object_get(json_object_get(o, "database"), "lost")))
		doctor_found(d, "collector", DOCTOR_BAD, "journalctl -u sekisho-collector", "%s",
			SAY(d->ctl, "takes nothing in: it waits for its database",
				"データベースに接続できないため受信を停止しています"));
	else if (json_is_true(json_object_get(json_object_get(o, "database"), "waits")))
		doctor_found(d, "collector", DOCTOR_BAD, "journalctl -u sekisho-collector", "%s",
			SAY(d->ctl, "takes nothing in: its database waits for a standby that is away",
				"データベースがスタンバイの応答を待っているため受信を停止しています"));
	else
		doctor_found(d, "collector", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "runs; %" PRId64 " PCs known", "動作中。登録 PC %" PRId64 " 台"),
			(int64_t)number(json_object_get(o, "hosts"), "known"));
	o = json_object_get(o, "log");
	if (number(o, "index_lag") > LAG_MANY)
		doctor_found(d, "log", DOCTOR_ATTENTION, doctor_restart(d, room, "collector"),
			SAY(d->ctl, "%" PRId64 " segments are kept and not searchable yet",
				"未索引のセグメント %" PRId64 " 件"),
			(int64_t)number(o, "index_lag"));
	else
		doctor_found(d, "log", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "%" PRId64 " segments, %" PRId64 " records",
				"セグメント %" PRId64 " 件、記録 %" PRId64 " 件"),
			(int64_t)number(o, "size"), (int64_t)number(o, "records"));
}

/* Who saw the log besides its own machine. */
static void witnesses(struct doctor *d)
{
	const json_t *log = json_object_get(doctor_fact(d, "collector"), "log"), *w = json_object_get(log, "cosigned");
	int64_t since = number(w, "at") ? number(w, "at") : number(doctor_fact(d, "collector"), "since_us");
	int64_t ago = doctor_since(d, since);

	if (!w || !number(log, "size"))
		return;
	if (ago > DAY_US)
		doctor_found(d, "witnesses", DOCTOR_ATTENTION, "sekishoctl host list; journalctl -u sekisho-collector",
			SAY(d->ctl, "no PC has cosigned the log for %" PRId64 " hours",
				"%" PRId64 " 時間、連署した PC がありません"),
			ago / ((int64_t)3600 * 1000000));
	else if (!number(w, "by"))
		doctor_found(d, "witnesses", DOCTOR_GOOD, NULL, "%s",
			SAY(d->ctl, "none yet: the collector has just started", "まだありません(コレクター起動直後)"));
	else
		doctor_found(d, "witnesses", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "%" PRId64 " PCs have cosigned the log up to segment %" PRId64,
				"PC %" PRId64 " 台がセグメント %" PRId64 " まで連署"),
			(int64_t)number(w, "by"), (int64_t)number(w, "size"));
}

/* The command moves what an older version's file has behind the section's header, which is made where there is none. */
static void former(struct doctor *d, const json_t *one)
{
	char path[SHOWN_MAX], section[SHOWN_MAX], conf[SHOWN_MAX], fix[8 * SHOWN_MAX];

	layout_path(conf, sizeof(conf), SERVER_CONF_PATH);
	door_text(path, one, "path");
	door_text(section, one, "section");
	if (json_is_true(json_object_get(one, "there")))
		snprintf(fix, sizeof(fix), "sed -i '/^\\[%s\\]/r %s' %s && rm %s", section, path, conf, path);
	else
		snprintf(fix, sizeof(fix), "(echo; echo '[%s]'; cat %s) >>%s && rm %s", section, path, conf, path);
	doctor_found(d, "settings", DOCTOR_ATTENTION, fix,
		SAY(d->ctl, "%s is of an older version, and still read: it belongs into [%s] of collector.conf",
			"%s は旧バージョンの設定ファイルです。引き続き読み込まれますが、collector.conf の [%s] "
			"に移してください"),
		path, section);
}

static void settings(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "settings"), *wrong = json_object_get(o, "wrong"),
		     *old = json_object_get(o, "former");
	const json_t *one;
	char text[SHOWN_MAX];
	size_t i;

	if (!o)
		return;
	json_array_foreach(wrong, i, one)
	{
		doctor_found(
			d, "settings", DOCTOR_BAD, "man collector.conf", "%s", shown(text, json_string_value(one)));
	}
	json_array_foreach(old, i, one)
	{
		former(d, one);
	}
	if (!json_array_size(wrong) && !json_array_size(old))
		doctor_found(d, "settings", DOCTOR_GOOD, NULL, "%s",
			SAY(d->ctl, "collector.conf is read without a fault", "collector.conf に誤りはありません"));
}

static void timestamps(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "timestamps"), *newest = json_object_get(o, "newest_us");
	int64_t days = doctor_since(d, json_integer_value(newest)) / DAY_US;
	char a[SHOWN_MAX];

	if (!o)
		doctor_found(d, "timestamps", DOCTOR_NOT_HERE, NULL, "%s",
			SAY(d->ctl, "no authority is named in [timestamp] of collector.conf",
				"collector.conf の [timestamp] にタイムスタンプ局が指定されていません"));
	else if (!newest || days > 3)
		doctor_found(d, "timestamps", DOCTOR_ATTENTION,
			"sekishoctl timestamp; systemctl status sekisho-timestamp.timer",
			SAY(d->ctl, "%s has not stamped the log for days", "%s によるタイムスタンプが数日間ありません"),
			door_text(a, o, "url"));
	else
		doctor_found(d, "timestamps", DOCTOR_GOOD, NULL,
			SAY(d->ctl, "stamped %" PRId64 " days ago by %s", "%" PRId64 " 日前に取得(%s)"), days,
			door_text(a, o, "url"));
}

static void certificates(struct doctor *d)
{
	static const struct {
		const char *path, *fix;
		struct said what;
		int warn_days;
	} list[] = {
		{"/var/lib/sekisho-collector/ca/ca.crt", "man sekisho-collector", {"authority", "認証局"}, 365},
		{"/var/lib/sekisho-collector/ca/server.crt", "systemctl restart sekisho-collector",
			{"collector", "コレクター"}, 14},
		{"/var/lib/sekisho-console/tls.crt", "systemctl restart sekisho-console", {"console", "コンソール"},
			14},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		const json_t *until = json_object_get(doctor_fact(d, "certificates"), list[i].path);

		if (until)
			doctor_until(d, "certificate", SAY(d->ctl, list[i].what.en, list[i].what.ja),
				json_integer_value(until), list[i].warn_days, list[i].fix);
	}
}

static void beside(struct doctor *d, const char *name)
{
	const json_t *o = doctor_fact(d, name);

	if (!doctor_runs(d, name))
		return;
	if (json_is_true(json_object_get(o, "spool_full")))
		doctor_found(d, name, DOCTOR_BAD, "df -h /var/lib; systemctl status sekisho-collector", "%s",
			SAY(d->ctl, "its spool is full", "スプールが満杯です"));
	else if (number(o, "messages_given_up"))
		doctor_found(d, name, DOCTOR_ATTENTION, "journalctl -u sekisho-herald",
			SAY(d->ctl, "%" PRId64 " messages could not be delivered since it started",
				"起動後に %" PRId64 " 件の通知を配信できませんでした"),
			(int64_t)number(o, "messages_given_up"));
	else
		doctor_found(d, name, DOCTOR_GOOD, NULL, "%s", SAY(d->ctl, "runs", "動作中"));
}

void doctor_server(struct doctor *d)
{
	settings(d);
	collector(d);
	doctor_disk(d, "disk", "/var/lib/sekisho-collector/store");
	witnesses(d);
	timestamps(d);
	certificates(d);
	beside(d, "console");
	beside(d, "herald");
}
