/*
 * `reason`: what the policy wants the person at this PC to say why of, and saying it: files of an area
 * (agent/guard/desk.h), files on a drive, print jobs (agent/print/desk.h). Who asks is known by the sockets; of others'
 * matters nothing is shown.
 */
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include <unistd.h>

#define PRINT_ITEM "print:"

/* --- what is asked --- */

static const char *time_of(char out[TEXT_TIME_SIZE], const json_t *o, const char *key)
{
	return text_time_local(out, json_integer_value(json_object_get(o, key)));
}

static void say_item(const struct ctl *c, const json_t *o)
{
	char item[SHOWN_MAX], text[SHOWN_MAX], rule[SHOWN_MAX], at[TEXT_TIME_SIZE];

	door_text(item, o, "item");
	if (json_object_get(o, "until_us"))
		printf(SAY(c, "%-24s  holds until %s\n", "%-24s  %s まで有効\n"), item, time_of(at, o, "until_us"));
	else if (json_object_get(o, "title"))
		printf(SAY(c, "%-24s  waits to be printed: %s  (%s)\n", "%-24s  印刷待ち: %s(%s)\n"), item,
			door_text(text, o, "title"), door_text(rule, o, "rule"));
	else if (json_object_get(o, "path"))
		printf(SAY(c, "%-24s  written at %s: %s  (%s)\n", "%-24s  %s に書き込み: %s(%s)\n"), item,
			time_of(at, o, "asked_us"), door_text(text, o, "path"), door_text(rule, o, "rule"));
	else
		printf(SAY(c, "%-24s  refused at %s: no purpose was stated\n",
			       "%-24s  %s に拒否: 利用目的の入力が必要です\n"),
			item, time_of(at, o, "asked_us"));
}

static int list(struct ctl *c)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s}", "ask", "reasons"), *answer = NULL, *jobs = NULL;
	_cleanup_json_ json_t *items = json_array();
	const json_t *one;
	size_t i;
	int r = guard_ask(c, ask, &answer), v = EXIT_GOOD;

	/* Where there is no gate for prints nothing is held either; where one of the two is not heard, the other is. */
	if (print_desk_is_there())
		v = print_ask(c, ask, &jobs);
	r = r ? r : v;
	json_array_extend(items, json_object_get(answer, "items"));
	json_array_extend(items, json_object_get(jobs, "items"));
	if (option_on(c, OPT_JSON)) {
		v = say_json(items);
		return r ? r : v;
	}
	json_array_foreach(items, i, one)
	{
		say_item(c, one);
	}
	if (!json_array_size(items) && !r)
		puts(SAY(c, "no reason of yours is waited for", "入力待ちの理由はありません"));
	return fflush(stdout) ? EXIT_MACHINE : r;
}

/* --- the answer --- */

static int give(struct ctl *c, const char *item, const char *text)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s, s:s, s:s}", "ask", "reason", "item", item, "text", text);
	_cleanup_json_ json_t *answer = NULL;
	char name[SHOWN_MAX], at[TEXT_TIME_SIZE];
	int r;

	if (!ask)
		return complain(EXIT_USAGE, SAY(c, "that is no text", "テキストではありません"));
	r = !strncmp(item, PRINT_ITEM, strlen(PRINT_ITEM)) ? print_ask(c, ask, &answer) : guard_ask(c, ask, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	door_text(name, answer, "item");
	if (json_object_get(answer, "until_us"))
		printf(SAY(c, "%s: recorded; it holds until %s\n", "%s: 記録しました(%s まで有効)\n"), name,
			time_of(at, answer, "until_us"));
	else
		printf(SAY(c, "%s: recorded\n", "%s: 記録しました\n"), name);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_reason(struct ctl *c)
{
	if (c->operands_n == 1)
		return complain(EXIT_USAGE, SAY(c, "the reason is missing", "理由を入力してください"));
	return c->operands_n ? give(c, c->operands[0], c->operands[1]) : list(c);
}
