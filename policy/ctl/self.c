/*
 * `self`: the sealed way to change the agent itself (agent/guard/SELF.md): opens and closes the maintenance window, by
 * the guard. Called by the packages' scripts, and by root who has something to mend.
 */
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include <errno.h>

#define MINUTES 30
#define MINUTES_MAX 120

/* "30m", "2h". */
static int parse_minutes(struct ctl *c, unsigned *out)
{
	const char *v = option_value(c, OPT_VALID);
	unsigned long n;
	char *end;

	*out = MINUTES;
	if (!v)
		return EXIT_GOOD;
	n = strtoul(v, &end, 10);
	if (n > MINUTES_MAX)
		n = 0;
	n *= *end == 'h' ? 60 : *end == 'm' ? 1 : 0;
	if (!n || n > MINUTES_MAX || end[1])
		return complain(EXIT_USAGE, SAY(c, "--valid: 1m to 2h", "--valid: 1m から 2h の間で指定してください"));
	*out = (unsigned)n;
	return EXIT_GOOD;
}

/* What root is kept from by the kernel, in words. */
static const char *protection(const struct ctl *c, const json_t *o)
{
	const char *level = json_string_value(json_object_get(o, "protection"));

	if (level && !strcmp(level, "enforce"))
		return SAY(c, "changes are refused by the kernel, and recorded", "カーネルが変更を拒否し、記録します");
	if (level && !strcmp(level, "note"))
		return SAY(c, "changes are recorded only (shield = note)", "変更は記録のみです(shield = note)");
	return SAY(c, "changes are recorded; the kernel does not refuse them",
		"変更は記録されます(カーネルによる拒否なし)");
}

static int say_state(struct ctl *c, const json_t *o)
{
	char a[SHOWN_MAX], t[TEXT_TIME_SIZE];

	if (option_on(c, OPT_JSON))
		return say_json(o);
	if (json_is_true(json_object_get(o, "open")))
		printf(SAY(c, "maintenance window: open for %s, process %lld, until %s\n",
			       "保守作業: 実施中(%s、プロセス %lld、期限 %s)\n"),
			door_text(a, o, "purpose"), (long long)json_integer_value(json_object_get(o, "pid")),
			text_time_local(t, json_integer_value(json_object_get(o, "until_us"))));
	else
		puts(SAY(c, "maintenance window: closed", "保守作業: なし"));
	printf("%s%s\n", SAY(c, "own files and processes: ", "エージェント自身の保護: "), protection(c, o));
	return EXIT_GOOD;
}

int command_self_show(struct ctl *c)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s}", "ask", "self"), *answer = NULL;
	int r = guard_ask(c, ask, &answer);

	return r ? r : say_state(c, answer);
}

int command_self_open(struct ctl *c)
{
	_cleanup_json_ json_t *ask = NULL, *answer = NULL;
	const char *purpose = option_value(c, OPT_FOR), *reason = option_value(c, OPT_REASON);
	unsigned minutes;
	int r = parse_minutes(c, &minutes);

	if (r)
		return r;
	if (!purpose)
		return complain(EXIT_USAGE, SAY(c, "--for is missing: upgrade, removal or repair",
						    "--for を指定してください: upgrade、removal、repair"));
	ask = json_pack("{s:s, s:s, s:i, s:s}", "ask", "self-open", "purpose", purpose, "minutes", (int)minutes,
		"reason", reason ? reason : "");
	if (!ask)
		return complain(EXIT_USAGE, SAY(c, "--reason: is no text", "--reason: テキストではありません"));
	r = guard_ask(c, ask, &answer);
	return r ? r : say_state(c, answer);
}

int command_self_close(struct ctl *c)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s}", "ask", "self-close"), *answer = NULL;
	int r = guard_ask(c, ask, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	printf(SAY(c, "closed: %lld changes as the packages say, %lld others, which are told\n",
		       "終了しました: パッケージどおりの変更 %lld 件、それ以外の変更(記録対象)%lld 件\n"),
		(long long)json_integer_value(json_object_get(answer, "fitting")),
		(long long)json_integer_value(json_object_get(answer, "others")));
	return EXIT_GOOD;
}
