/*
 * `usb list`: what is plugged in here, and what the policy says of it and why, by the guard.
 */
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include <errno.h>

static const char *access_name(const struct ctl *c, const json_t *decision)
{
	const char *name = json_string_value(json_object_get(decision, "access"));
	const struct enum_info *e = name ? enum_by_name(F_ACCESS, name) : NULL;

	return e ? c->lang == LANG_JA ? e->ja : e->name : "?";
}

static const char *kind_name(const struct ctl *c, const json_t *decision)
{
	const char *name = json_string_value(json_object_get(decision, "kind"));
	const struct enum_info *e = name ? enum_by_name(F_DEVICE_KIND, name) : NULL;

	return e ? c->lang == LANG_JA ? e->ja : e->name : "?";
}

static void print_decision(const struct ctl *c, const char *what, const json_t *d)
{
	char rule[SHOWN_MAX], reason[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_int_t until = json_integer_value(json_object_get(d, "until_us"));

	printf("    %-10s %-10s %s%s  %s: %s\n", what, kind_name(c, d), access_name(c, d),
		json_is_true(json_object_get(d, "note")) ? SAY(c, " (noted only)", "(記録のみ)") : "",
		door_text(rule, d, "rule"), door_text(reason, d, c->lang == LANG_JA ? "reason_ja" : "reason"));
	if (until)
		printf(SAY(c, "               until %s\n", "               期限 %s\n"), text_time_local(t, until));
}

static void print_device(const struct ctl *c, const json_t *o)
{
	char id[SHOWN_MAX], usb[SHOWN_MAX], maker[SHOWN_MAX], product[SHOWN_MAX], serial[SHOWN_MAX], port[SHOWN_MAX],
		name[SHOWN_MAX];
	json_t *d, *disks = json_object_get(o, "disks");
	size_t i;

	printf("%s  %s  %s %s  %s %s  %s %s%s\n", door_text(id, o, "id"), door_text(usb, o, "usb_id"),
		door_text(maker, o, "maker"), door_text(product, o, "product"), SAY(c, "serial", "シリアル"),
		door_text(serial, o, "serial"), SAY(c, "port", "ポート"), door_text(port, o, "port"),
		json_is_true(json_object_get(o, "twin")) ? SAY(c, "  TWIN: this serial number is there twice",
								   "  警告: 同じシリアル番号の機器が 2 台あります")
							 : "");
	json_array_foreach(disks, i, d)
	{
		print_decision(c, door_text(name, d, "name"), d);
	}
	json_array_foreach(json_object_get(o, "decisions"), i, d)
	{
		const char *kind = json_string_value(json_object_get(d, "kind"));

		/* Its disks said so already. */
		if (json_array_size(disks) && kind && !strcmp(kind, "storage"))
			continue;
		print_decision(c, "", d);
	}
}

int command_usb_list(struct ctl *c)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s}", "ask", "list"), *answer = NULL;
	json_t *o, *devices;
	size_t i;
	int r = guard_ask(c, ask, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	devices = json_object_get(answer, "devices");
	json_array_foreach(devices, i, o)
	{
		print_device(c, o);
	}
	if (!json_array_size(devices))
		puts(SAY(c, "nothing is plugged in", "接続されている機器はありません"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}
