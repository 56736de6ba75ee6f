/*
 * What two policies differ in, as JSON. See policy_diff.h. Pure: called by `policy diff` and its tests.
 */
#include "policy/ctl/policy_diff_parts.h"
#include "policy/rule/drives.h"
#include <errno.h>

/* --- settings --- */

struct settings {
	json_t *before, *list;
};

static int keep_setting(void *ctx, const char *name, const char *value)
{
	struct settings *s = ctx;

	return json_object_set_new(s->before, name, json_string(value)) ? -ENOMEM : 0;
}

static int compare_setting(void *ctx, const char *name, const char *value)
{
	struct settings *s = ctx;
	const char *before = json_string_value(json_object_get(s->before, name));

	if (before && !strcmp(before, value))
		return 0;
	return list_add(s->list, json_pack("{s:s, s:s?, s:s}", "name", name, "from", before, "to", value));
}

static int diff_settings(const struct policy *from, const struct policy *to, json_t *list)
{
	struct settings s = {.before = json_object(), .list = list};
	int r = s.before ? policy_settings(from, keep_setting, &s) : -ENOMEM;

	r = r ? r : policy_known_settings(from, keep_setting, &s);
	r = r ? r : policy_print_settings(from, keep_setting, &s);
	r = r ? r : policy_drives_settings(from, keep_setting, &s);
	r = r ? r : policy_settings(to, compare_setting, &s);
	r = r ? r : policy_known_settings(to, compare_setting, &s);
	r = r ? r : policy_print_settings(to, compare_setting, &s);
	r = r ? r : policy_drives_settings(to, compare_setting, &s);
	json_decref(s.before);
	return r;
}

int policy_diff(const struct policy *from, const struct policy *to, const struct device_user *who, json_t **out)
{
	json_t *settings = json_array(), *rules = json_array(), *rows = json_array(), *devices = json_array();
	json_t *print_rules = json_array(), *drive_rules = json_array(), *areas = json_array();
	json_t *all =
		json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "from", (json_int_t)policy_version(from),
			"to", (json_int_t)policy_version(to), "settings", settings, "rules", rules, "rows", rows,
			"devices", devices, "print_rules", print_rules, "drive_rules", drive_rules, "areas", areas);
	int r = all ? diff_settings(from, to, settings) : -ENOMEM;

	r = r ? r : diff_rules(from, to, DIFF_DEVICES, rules);
	r = r ? r : diff_rules(from, to, DIFF_PRINT, print_rules);
	r = r ? r : diff_rules(from, to, DIFF_DRIVES, drive_rules);
	r = r ? r : diff_rules(from, to, DIFF_AREAS, areas);
	r = r ? r : diff_strangers(from, to, who, devices);
	r = r ? r : diff_ledgers(from, to, who, rows, devices);
	if (r) {
		json_decref(all);
		return r;
	}
	json_object_set_new(all, "same",
		json_boolean(!json_array_size(settings) && !json_array_size(rules) && !json_array_size(rows) &&
			     !json_array_size(print_rules) && !json_array_size(drive_rules) &&
			     !json_array_size(areas)));
	*out = all;
	return 0;
}
