/*
 * `policy diff`: what a new policy changes, before it is signed and pushed. Either side may be a policy.yaml (with
 * devices.csv beside it) or a signed policy.
 */
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/ctl/policy_diff.h"
#include "policy/ctl/policy_files.h"
#include <errno.h>
#include <inttypes.h>

static const char *change_sign(const json_t *o)
{
	const char *change = json_string_value(json_object_get(o, "change"));

	return !change ? "?" : !strcmp(change, "added") ? "+" : !strcmp(change, "removed") ? "-" : "~";
}

static const char *enum_text(const struct ctl *c, unsigned field, const char *name)
{
	const struct enum_info *e = name ? enum_by_name(field, name) : NULL;

	return !e ? "?" : c->lang == LANG_JA ? e->ja : e->name;
}

static void say_settings(const struct ctl *c, const json_t *list)
{
	char name[SHOWN_MAX], from[SHOWN_MAX], to[SHOWN_MAX];
	json_t *o;
	size_t i;

	if (json_array_size(list))
		puts(SAY(c, "Settings", "設定"));
	json_array_foreach(list, i, o)
	{
		printf("  ~ %s: %s -> %s\n", door_text(name, o, "name"), door_text(from, o, "from"),
			door_text(to, o, "to"));
	}
}

static void say_rules(const struct ctl *c, const char *head, const json_t *list)
{
	char name[SHOWN_MAX], text[SHOWN_MAX];
	json_t *o;
	size_t i;

	if (json_array_size(list))
		puts(head);
	json_array_foreach(list, i, o)
	{
		if (!strcmp(json_string_value(json_object_get(o, "change")), "moved")) {
			printf(SAY(c, "  ~ %s: comes at another place (line %" PRId64 " -> %" PRId64 ")\n",
				       "  ~ %s: 順番が変わりました(%" PRId64 " 行 -> %" PRId64 " 行)\n"),
				door_text(name, o, "name"),
				(int64_t)json_integer_value(json_object_get(o, "from_line")),
				(int64_t)json_integer_value(json_object_get(o, "to_line")));
			continue;
		}
		printf("  %s %s\n", change_sign(o), door_text(name, o, "name"));
		if (json_object_get(o, "from"))
			printf("      - %s\n", door_text(text, o, "from"));
		if (json_object_get(o, "to"))
			printf("      + %s\n", door_text(text, o, "to"));
	}
}

static void say_rows(const struct ctl *c, const json_t *list)
{
	char text[SHOWN_MAX];
	json_t *o;
	size_t i;

	if (json_array_size(list))
		puts(SAY(c, "Ledger", "台帳"));
	json_array_foreach(list, i, o)
	{
		if (json_object_get(o, "from"))
			printf("  - %" PRId64 ": %s\n", (int64_t)json_integer_value(json_object_get(o, "from_line")),
				door_text(text, o, "from"));
		if (json_object_get(o, "to"))
			printf("  + %" PRId64 ": %s\n", (int64_t)json_integer_value(json_object_get(o, "to_line")),
				door_text(text, o, "to"));
	}
}

static const char *decided(const struct ctl *c, const json_t *d, char out[SHOWN_MAX])
{
	char rule[SHOWN_MAX];

	snprintf(out, SHOWN_MAX, "%s%s (%.100s)",
		enum_text(c, F_ACCESS, json_string_value(json_object_get(d, "access"))),
		json_is_true(json_object_get(d, "note")) ? SAY(c, ", noted only", "、記録のみ") : "",
		door_text(rule, d, "rule"));
	return out;
}

static void say_device(const json_t *o)
{
	static const char *const whom[] = {"users", "groups", "hosts"};
	char id[SHOWN_MAX], serial[SHOWN_MAX], label[SHOWN_MAX], owner[SHOWN_MAX];
	size_t i;

	printf("  %s %s  %s  %s", door_text(id, o, "usb_id"), door_text(serial, o, "serial"),
		door_text(label, o, "label"), door_text(owner, o, "owner"));
	for (i = 0; i < ARRAY_SIZE(whom); i++)
		if (json_object_get(o, whom[i]))
			printf("  [%s: %s]", whom[i], door_text(id, o, whom[i]));
	fputs(": ", stdout);
}

static void say_devices(const struct ctl *c, const json_t *list)
{
	char from[SHOWN_MAX], to[SHOWN_MAX];
	json_t *o;
	size_t i;

	puts(json_array_size(list) ? SAY(c, "Devices: what is decided otherwise", "機器: 判定が変わるもの")
				   : SAY(c, "Devices: nothing that is listed or unknown is decided otherwise",
					     "機器: 判定が変わるものはありません"));
	json_array_foreach(list, i, o)
	{
		const char *kind = enum_text(c, F_DEVICE_KIND, json_string_value(json_object_get(o, "kind")));

		if (json_object_get(o, "serial"))
			say_device(o);
		else
			printf(SAY(c, "  any other %s: ", "  その他の%s: "), kind);
		printf("%s -> %s\n", decided(c, json_object_get(o, "from"), from),
			decided(c, json_object_get(o, "to"), to));
	}
}

void policy_diff_say(const struct ctl *c, const json_t *diff)
{
	int64_t from = json_integer_value(json_object_get(diff, "from"));
	int64_t to = json_integer_value(json_object_get(diff, "to"));

	printf(SAY(c, "version %" PRId64 " -> %" PRId64 "%s\n", "版 %" PRId64 " -> %" PRId64 "%s\n"), from, to,
		to > from ? "" : SAY(c, ": a PC takes only a larger number", ": PC はより大きい版だけを受け付けます"));
	if (json_is_true(json_object_get(diff, "same"))) {
		puts(SAY(c, "the same rules, rows and settings", "規則・台帳・設定に違いはありません"));
		return;
	}
	say_settings(c, json_object_get(diff, "settings"));
	say_rules(c, SAY(c, "Rules", "規則"), json_object_get(diff, "rules"));
	say_rules(c, SAY(c, "Rules for print jobs", "印刷の規則"), json_object_get(diff, "print_rules"));
	say_rules(c, SAY(c, "Rules for files on drives", "ドライブ上のファイルの規則"),
		json_object_get(diff, "drive_rules"));
	say_rules(c, SAY(c, "Areas of protected files", "保護ファイルの取扱区域"), json_object_get(diff, "areas"));
	say_rows(c, json_object_get(diff, "rows"));
	say_devices(c, json_object_get(diff, "devices"));
}

int command_policy_diff(struct ctl *c)
{
	const char *groups[POLICY_GROUPS_MAX + 1] = {NULL}, *at = option_value(c, OPT_AT);
	struct device_user who = {
		.user = option_value(c, OPT_USER), .host = option_value(c, OPT_HOST), .wall_us = clock_wall_us()};
	struct policy_files from = {.policy = NULL}, to = {.policy = NULL};
	_cleanup_json_ json_t *diff = NULL;
	int r;

	if (at && text_time_parse(at, who.wall_us, &who.wall_us))
		return complain(EXIT_USAGE, SAY(c, "--at: no time", "--at: 日時ではありません"));
	if (policy_groups(c, groups, POLICY_GROUPS_MAX))
		who.groups = groups;
	r = policy_files_open(c, c->operands[0], &from);
	r = r ? r : policy_files_open(c, c->operands[1], &to);
	if (!r) {
		r = policy_diff(from.policy, to.policy, &who, &diff);
		r = r ? complain_of(c, "diff", r, NULL) : EXIT_GOOD;
	}
	if (!r && option_on(c, OPT_JSON))
		r = say_json(diff);
	else if (!r)
		policy_diff_say(c, diff);
	policy_files_deinit(&from);
	policy_files_deinit(&to);
	return r ? r : fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}
