/*
 * `retention show`, `plan`, `hold`, `lift`, `order`: what goes when, at the collector's door. Nothing here decides:
 * collector/store/RETENTION.md.
 */
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/ctl/policy_files.h"
#include "policy/wire/api.h"
#include "policy/wire/order.h"
#include <errno.h>
#include <inttypes.h>

static int64_t number(const json_t *o, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(o, key));
}

/* Of a large log in a database they are counted while others are served. */
static const char *counted(char out[24], const json_t *o)
{
	if (json_is_integer(json_object_get(o, "segments")))
		snprintf(out, 24, "%" PRId64, number(o, "segments"));
	else
		snprintf(out, 24, "?");
	return out;
}

static const char *day(char out[TEXT_TIME_SIZE], const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		return "-";
	text_time_utc(out, json_integer_value(v));
	out[10] = 0;
	return out;
}

static const char *period(const struct ctl *c, char out[64], const json_t *o)
{
	const json_t *v = json_object_get(o, "months");
	int64_t n = json_integer_value(v);

	if (!json_is_integer(v))
		snprintf(out, 64, "%s", SAY(c, "for ever", "無期限"));
	else if (n % 12 == 0)
		snprintf(out, 64, SAY(c, "%" PRId64 " years", "%" PRId64 " 年"), n / 12);
	else
		snprintf(out, 64, SAY(c, "%" PRId64 " months", "%" PRId64 " か月"), n);
	return out;
}

/* A channel in words. */
static const char *channel_words(const struct ctl *c, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "channel"));
	const struct enum_info *e = name ? enum_by_name(F_CHANNEL, name) : NULL;

	return e ? SAY(c, e->en, e->ja) : "-";
}

static void show_holds(const struct ctl *c, const json_t *answer)
{
	char id[SHOWN_MAX], month[SHOWN_MAX], host[SHOWN_MAX], user[SHOWN_MAX], reason[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(answer, "holds"), i, o)
	{
		printf(SAY(c, "hold %s since %s: month %s, PC %s, user %s: %s\n",
			       "保留 %s(%s から): 対象月 %s、PC %s、ユーザー %s: %s\n"),
			door_text(id, o, "hold"), day(t, o, "time"), door_text(month, o, "month"),
			door_text(host, o, "host"), door_text(user, o, "user"), door_text(reason, o, "reason"));
	}
}

int command_retention_show(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	char name[SHOWN_MAX], month[SHOWN_MAX], rule[SHOWN_MAX], p[64], t[TEXT_TIME_SIZE];
	json_t *o;
	size_t i;
	int r = door(c, API_ADMIN_RETENTION, NULL, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON)) {
		json_object_del(answer, "plan");
		return say_json(answer);
	}
	json_array_foreach(json_object_get(answer, "channels"), i, o)
	{
		printf(SAY(c, "%-9s kept %s (%s)\n", "%-9s 保存期間 %s(%s)\n"), door_text(name, o, "channel"),
			period(c, p, o), channel_words(c, o));
	}
	json_array_foreach(json_object_get(answer, "expired"), i, o)
	{
		printf(SAY(c,
			       "%s  %-9s expired on %s: %" PRId64 " segments, %" PRId64 " bytes (%s), leaf %" PRId64
			       "\n",
			       "%s  %-9s %s に削除: セグメント %" PRId64 " 件、%" PRId64 " バイト(%s)、リーフ %" PRId64
			       "\n"),
			door_text(month, o, "month"), door_text(name, o, "channel"), day(t, o, "time"),
			number(o, "segments"), number(o, "bytes"), door_text(rule, o, "rule"), number(o, "leaf"));
	}
	show_holds(c, answer);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static const char *state_words(const struct ctl *c, const char *state)
{
	static const struct {
		const char *state;
		struct said said;
	} words[] = {
		{"expired", {"expired", "削除済み"}},
		{"missing", {"MISSING: removed without a record", "消失: 削除の記録がありません"}},
		{"going", {"is going now", "削除中"}},
		{"open", {"is being written", "書き込み中"}},
		{"held", {"held", "保留"}},
		{"due", {"due", "期間満了"}},
		{"looking", {"due; being looked through for what is held", "期間満了 (保留の有無を確認中)"}},
		{"kept", {"kept", "保存中"}},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].state, state))
			return SAY(c, words[i].said.en, words[i].said.ja);
	return state;
}

int command_retention_plan(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	char name[SHOWN_MAX], month[SHOWN_MAX], state[SHOWN_MAX], hold[SHOWN_MAX], t[TEXT_TIME_SIZE], n[24];
	bool missing = false;
	int64_t bytes = 0;
	json_t *o;
	size_t i;
	int r = door(c, API_ADMIN_RETENTION, NULL, &answer);

	if (r)
		return r;
	json_array_foreach(json_object_get(answer, "plan"), i, o)
	{
		const char *s = door_text(state, o, "state");

		missing |= !strcmp(s, "missing");
		if (!strcmp(s, "due") || !strcmp(s, "going"))
			bytes += number(o, "bytes");
		if (option_on(c, OPT_JSON) || !strcmp(s, "expired"))
			continue;
		printf(SAY(c, "%s  %-9s goes %-10s  %12" PRId64 " bytes, %8s segments  %s%s%s\n",
			       "%s  %-9s 削除予定日 %-10s  %12" PRId64 " バイト、セグメント %8s 件  %s%s%s\n"),
			door_text(month, o, "month"), door_text(name, o, "channel"), day(t, o, "due"),
			number(o, "bytes"), counted(n, o), state_words(c, s), strcmp(s, "held") ? "" : " ",
			strcmp(s, "held") ? "" : door_text(hold, o, "hold"));
	}
	if (option_on(c, OPT_JSON)) {
		json_object_del(answer, "expired");
		r = say_json(answer);
	} else {
		show_holds(c, answer);
		printf(SAY(c, "due now: %" PRId64 " bytes\n", "現在の削除対象: %" PRId64 " バイト\n"), bytes);
		r = fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
	}
	return r ? r : missing ? EXIT_PROBLEM : EXIT_GOOD;
}

/* A reason is asked for: it stands in the log for ever. */
static int reason_of(const struct ctl *c, const char **out)
{
	*out = option_value(c, OPT_REASON);
	return *out && **out
		       ? EXIT_GOOD
		       : complain(EXIT_USAGE, SAY(c, "--reason TEXT is missing", "--reason 理由 を指定してください"));
}

int command_retention_hold(struct ctl *c)
{
	_cleanup_json_ json_t *body = NULL, *answer = NULL;
	char id[SHOWN_MAX];
	const char *reason;
	int r = reason_of(c, &reason);

	if (r)
		return r;
	body = json_pack("{s:s?, s:s?, s:s?, s:s}", "month", option_value(c, OPT_MONTH), "host",
		option_value(c, OPT_HOST), "user", option_value(c, OPT_USER), "reason", reason);
	if (!body)
		return complain(EXIT_USAGE, SAY(c, "a text is not UTF-8", "UTF-8 ではない文字列があります"));
	r = door(c, API_ADMIN_RETENTION_HOLD, body, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	puts(door_text(id, answer, "hold"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_retention_lift(struct ctl *c)
{
	_cleanup_json_ json_t *body = NULL, *answer = NULL;
	const char *reason;
	int r = reason_of(c, &reason);

	if (r)
		return r;
	body = json_pack("{s:s, s:s}", "hold", c->operands[0], "reason", reason);
	if (!body)
		return complain(EXIT_USAGE, SAY(c, "a text is not UTF-8", "UTF-8 ではない文字列があります"));
	r = door(c, API_ADMIN_RETENTION_LIFT, body, &answer);
	return r ? r : option_on(c, OPT_JSON) ? say_json(answer) : EXIT_GOOD;
}

int command_retention_order(struct ctl *c)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(ORDER_MAX);
	_cleanup_json_ json_t *answer = NULL;
	char month[SHOWN_MAX], name[SHOWN_MAX], a[SHOWN_MAX], b[SHOWN_MAX];
	struct why why = {""};
	int r = order_read(c, c->operands[0], &bytes);

	if (r)
		return r;
	r = door_send(c, API_ADMIN_RETENTION_ORDER, API_ORDER_TYPE, buf_span(&bytes), &answer, &why);
	if (r)
		return complain_of(c, SAY(c, "collector", "コレクター"), r, &why);
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	printf(SAY(c, "%s of %s expired: %" PRId64 " segments, %" PRId64 " bytes, ordered by %s and %s\n",
		       "%2$s の %1$s を削除しました: セグメント %3$" PRId64 " 件、%4$" PRId64
		       " バイト、指示者 %5$s と %6$s\n"),
		door_text(name, answer, "channel"), door_text(month, answer, "month"), number(answer, "segments"),
		number(answer, "bytes"), door_text(a, answer, "requester"), door_text(b, answer, "second"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}
