/*
 * `retention request` and `countersign`: an order to expire a month early, by two people, each on their own machine
 * with their own key. No server has either.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/policy_files.h"
#include "policy/wire/order.h"
#include "policy/wire/segment.h"
#include <errno.h>
#include <limits.h>

#define CHECKPOINT_PATH "/var/lib/sekisho-collector/store/log/checkpoint"
#define VALID_DEFAULT_DAYS 7
#define VALID_MAX_DAYS 31
#define DAY_US INT64_C(86400000000)

int order_read(struct ctl *c, const char *path, struct buf *bytes)
{
	struct why why = {""};
	char text[SHOWN_MAX];
	int r = file_read(path, bytes);

	if (r == V_NOT_FOUND)
		why_set(&why, r, "%s", SAY(c, "no such file", "ファイルがありません"));
	if (r == V_FULL)
		why_set(&why, V_BAD, "%s", SAY(c, "too large for an order", "削除指示として大きすぎます"));
	return r ? complain_of(c, shown(text, path), r, &why) : EXIT_GOOD;
}

/* The log's key and a checkpoint by it: which log, and how far it went when this was asked. */
static int read_log(struct ctl *c, struct order *o)
{
	_cleanup_buf_ struct buf vkey = BUF_INIT(1024), note = BUF_INIT(NOTE_SIZE_MAX);
	const char *key = option_value(c, OPT_LOG_KEY), *path = option_value(c, OPT_CHECKPOINT);
	char key_room[PATH_MAX], room[PATH_MAX], text[SHOWN_MAX];
	struct verifier log = {.key = NULL};
	struct checkpoint head = {.size = 0};
	struct why why = {""};
	int r;

	layout_path(key_room, sizeof(key_room), LOG_KEY_PATH);
	layout_path(room, sizeof(room), CHECKPOINT_PATH);
	key = key ? key : key_room;
	path = path ? path : room;
	r = file_read(key, &vkey);
	r = r ? r : verifier_decode(buf_span(&vkey), &log, &why);
	r = r ? r : fleet_id(&log, &o->fleet);
	if (r)
		return complain_of(c, shown(text, key), r, &why);
	r = file_read(path, &note);
	r = r ? r : checkpoint_verify(buf_span(&note), &log, &head, &why);
	verifier_deinit(&log);
	o->size = head.size;
	o->root = head.root;
	return r ? complain_of(c, shown(text, path), r, &why) : EXIT_GOOD;
}

static int read_valid(struct ctl *c, int64_t *days)
{
	const char *v = option_value(c, OPT_VALID);
	char *end;

	*days = VALID_DEFAULT_DAYS;
	if (!v)
		return EXIT_GOOD;
	*days = strtoll(v, &end, 10);
	if (*days < 1 || *days > VALID_MAX_DAYS || strcmp(end, "d") != 0)
		return complain(EXIT_USAGE, SAY(c, "--valid: 1d to 31d", "--valid: 1d から 31d で指定してください"));
	return EXIT_GOOD;
}

static int write_out(struct ctl *c, const struct buf *bytes)
{
	const char *path = option_value(c, OPT_OUT);
	char text[SHOWN_MAX];
	int r;

	if (!path)
		return complain(EXIT_USAGE, SAY(c, "--out FILE is missing", "--out ファイル を指定してください"));
	r = file_replace(path, buf_span(bytes), 0644);
	return r ? complain_of(c, shown(text, path), r, NULL) : EXIT_GOOD;
}

/* What is signed, in words: before and after. */
static int say_order(struct ctl *c, const struct order *o)
{
	char reason[SHOWN_MAX], a[SHOWN_MAX], b[SHOWN_MAX], t[TEXT_TIME_SIZE];

	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *v = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:b, s:I, s:s}", "month", o->month,
			"channel", producer_name(o->channel), "reason", shown(reason, o->reason), "requester",
			o->requester[0] ? shown(a, o->requester) : NULL, "second",
			o->second[0] ? shown(b, o->second) : NULL, "countersigned", o->countersigned, "size",
			(json_int_t)o->size, "valid_until", text_time_utc(t, o->not_after_us));

		return say_json(v);
	}
	printf(SAY(c, "expire %s of %s early: %s\nrequested by %s, countersigned by %s, valid until %s\n",
		       "%2$s の %1$s を期間満了前に削除: %3$s\n請求者 %4$s、承認者 %5$s、有効期限 %6$s\n"),
		producer_name(o->channel), o->month, shown(reason, o->reason),
		o->requester[0] ? shown(a, o->requester) : "?",
		o->second[0]       ? shown(b, o->second)
		: o->countersigned ? "?"
				   : SAY(c, "nobody yet", "なし"),
		text_time_local(t, o->not_after_us));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_retention_request(struct ctl *c)
{
	_cleanup_(key_freep) struct key *key = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT(ORDER_MAX);
	const char *month = option_value(c, OPT_MONTH), *channel = option_value(c, OPT_CHANNEL),
		   *reason = option_value(c, OPT_REASON);
	struct order o = {.act = ORDER_EXPIRE};
	struct why why = {""};
	int64_t days = 0;
	int r;

	if (!month || !month_is(month))
		return complain(EXIT_USAGE, SAY(c, "--month YYYY-MM is missing", "--month 年-月 を指定してください"));
	if (!channel || !channel_by_name(channel, &o.channel) || o.channel == PRODUCER_COLLECTOR)
		return complain(
			EXIT_USAGE, SAY(c, "--channel: recorder, guard, print, posture, console or herald",
					    "--channel: recorder, guard, print, posture, console, herald のいずれか"));
	if (!reason || !*reason || strlen(reason) > ORDER_REASON_MAX)
		return complain(EXIT_USAGE,
			SAY(c, "--reason: a text of 1 to %u bytes",
				"--reason: 1 から %u バイトの理由を指定してください"),
			ORDER_REASON_MAX);
	memcpy(o.month, month, sizeof(o.month));
	memcpy(o.reason, reason, strlen(reason) + 1);
	r = signing_key(c, KEY_ED25519, &key);
	r = r ? r : read_valid(c, &days);
	r = r ? r : read_log(c, &o);
	if (r)
		return r;
	o.issued_us = clock_wall_us();
	o.not_after_us = o.issued_us + days * DAY_US;
	r = order_request(key, &o, &bytes, &why);
	if (r)
		return complain_of(c, SAY(c, "request", "削除指示"), r, &why);
	r = write_out(c, &bytes);
	return r ? r : say_order(c, &o);
}

int command_retention_countersign(struct ctl *c)
{
	_cleanup_(key_freep) struct key *key = NULL;
	_cleanup_buf_ struct buf request = BUF_INIT(ORDER_MAX), bytes = BUF_INIT(ORDER_MAX);
	struct admins trusted = {.n = 0};
	struct why why = {""};
	char text[SHOWN_MAX];
	struct order o;
	int r = signing_key(c, KEY_ED25519, &key);

	r = r ? r : order_read(c, c->operands[0], &request);
	r = r ? r : admins_trusted(c, &trusted);
	if (r)
		return r;
	r = order_peek(buf_span(&request), &trusted, &o, &why);
	if (!r && !o.requester[0])
		r = why_set(&why, V_BAD, "%s",
			SAY(c, "signed by none of the administrators known here",
				"登録された管理者の署名ではありません"));
	r = r ? r : order_countersign(key, buf_span(&request), &bytes, &why);
	/* What the collector would refuse is not written at all. */
	if (!r && (r = order_open(buf_span(&bytes), &trusted, &o, &why)) > 0)
		r = V_BAD;
	admins_deinit(&trusted);
	if (r)
		return complain_of(c, shown(text, c->operands[0]), r, &why);
	r = write_out(c, &bytes);
	return r ? r : say_order(c, &o);
}
