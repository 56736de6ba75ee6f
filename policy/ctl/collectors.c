/*
 * `collector join`, `list` and `admit`: several collectors over one log (collector/store/ENGINES.md). The first is a
 * front for `sekisho-collector --join`, which asks and waits; the others ask at the door of a collector that is there.
 */
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/ctl/setup.h"
#include "policy/wire/api.h"
#include <errno.h>

/* --- join --- */

struct joining {
	struct ctl *c;
	json_t *joined, *failed;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "-";
}

static int on_line(void *ctx, const char *line)
{
	struct joining *j = ctx;
	_cleanup_json_ json_t *o = json_loads(line, 0, NULL);

	if (json_object_get(o, "asking") && option_on(j->c, OPT_JSON))
		return say_json(o);
	if (json_object_get(o, "asking")) {
		printf(SAY(j->c,
			       "%s asks to join. Let it in at a collector that is there already:\n"
			       "  sekishoctl collector admit %s\n"
			       "Waiting.\n",
			       "%s として参加を申請しました。既存のコレクターで次のとおり承認してください:\n"
			       "  sekishoctl collector admit %s\n"
			       "承認を待っています。\n"),
			text_of(o, "name"), text_of(o, "asking"));
		return fflush(stdout) ? -EIO : 0;
	}
	if (json_object_get(o, "joined"))
		j->joined = json_incref(o);
	else if (json_object_get(o, "failed"))
		j->failed = json_incref(o);
	return 0;
}

static int end(struct joining *j, int r)
{
	const char *reason = json_string_value(json_object_get(j->failed, j->c->lang == LANG_JA ? "ja" : "failed"));
	char text[SHOWN_MAX];

	if (reason)
		return complain(EXIT_PROBLEM, SAY(j->c, "not joined: %s", "参加していません: %s"), shown(text, reason));
	if (r < 0)
		return complain_of(j->c, "sekisho-collector", r, NULL);
	if (r || !j->joined)
		return complain(EXIT_MACHINE,
			SAY(j->c, "sekisho-collector ended with %d",
				"sekisho-collector が終了コード %d で終了しました"),
			r);
	if (option_on(j->c, OPT_JSON))
		return say_json(j->joined);
	printf(SAY(j->c,
		       "Joined. The CA's fingerprint has to be the one that the other collector showed:\n"
		       "  %s\n"
		       "Start the collector: systemctl enable --now sekisho-collector\n",
		       "参加しました。CA "
		       "のフィンガープリントが、承認したコレクターの表示と一致することを確認してください:\n"
		       "  %s\n"
		       "コレクターの起動: systemctl enable --now sekisho-collector\n"),
		text_of(j->joined, "ca"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_collector_join(struct ctl *c)
{
	const char *args[5];
	struct joining j = {.c = c};
	char path[PATH_MAX];
	int r;

	if (!setup_collector(c, "--join", path, args))
		return EXIT_MACHINE;
	r = end(&j, setup_follow(args, on_line, &j));
	json_decref(j.joined);
	json_decref(j.failed);
	return r;
}

/* --- at the door --- */

int command_collector_list(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	char id[SHOWN_MAX], name[SHOWN_MAX], version[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_t *o;
	size_t i;
	int r = door(c, API_ADMIN_COLLECTORS, NULL, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	json_array_foreach(json_object_get(answer, "collectors"), i, o)
	{
		printf("%-24s %.16s  %-8s  %s  %s%s%s\n", door_text(name, o, "name"), door_text(id, o, "id"),
			door_text(version, o, "version"), door_time(t, o, "at"),
			json_is_true(json_object_get(o, "alive")) ? SAY(c, "runs", "稼働中")
								  : SAY(c, "away", "応答なし"),
			json_is_true(json_object_get(o, "first")) ? SAY(c, ", began the log", "、ログの開始元") : "",
			json_is_true(json_object_get(o, "self")) ? SAY(c, ", this one", "、このコレクター") : "");
	}
	json_array_foreach(json_object_get(answer, "asking"), i, o)
	{
		printf(SAY(c, "%-24s asks to join, %s: sekishoctl collector admit %s\n",
			       "%-24s 参加申請中、%s: sekishoctl collector admit %s\n"),
			door_text(name, o, "name"), door_time(t, o, "at"), door_text(id, o, "id"));
	}
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_collector_admit(struct ctl *c)
{
	_cleanup_json_ json_t *body = json_pack("{s:s}", "id", c->operands[0]), *answer = NULL;
	char name[SHOWN_MAX], ca[SHOWN_MAX];
	int r;

	if (!body)
		return complain(EXIT_USAGE, SAY(c, "the id is not UTF-8", "ID が UTF-8 ではありません"));
	r = door(c, API_ADMIN_COLLECTORS, body, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	printf(SAY(c,
		       "%s was let in: it has the keys of the log and of the CA. The CA's fingerprint, which it shows, "
		       "too:\n"
		       "  %s\n",
		       "%s の参加を承認しました(ログと CA の鍵を渡しました)。参加側にも表示される CA "
		       "のフィンガープリント:\n"
		       "  %s\n"),
		door_text(name, answer, "name"), door_text(ca, answer, "ca"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}
