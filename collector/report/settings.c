/* See settings.h. */
#include "collector/report/settings.h"
#include "collector/store/match.h"
#include "policy/base/text.h"
#include "policy/wire/program.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define KEY_(...) CONF_KEY(struct report_settings, __VA_ARGS__)

static const struct conf_key keys[] = {
	KEY_("scheduled", CONF_BOOL, scheduled, 0, 0, 0, "a report of each month is made when it is over"),
	KEY_("day", CONF_UINT, day, 0, 1, 28, "on this day of the next month"),
	KEY_("hour", CONF_UINT, hour, 0, 0, 23, "from this hour on"),
	KEY_("timezone", CONF_STR, timezone, REPORT_ZONE_MAX, 0, 0, "whose months and days they are"),
	KEY_("language", CONF_STR, language, 8, 0, 0, "en or ja"),
	KEY_("folder", CONF_STR, folder, REPORT_PATH_MAX, 0, 0, "where scheduled reports are kept"),
	KEY_("keep", CONF_UINT, keep, 0, 1, 600, "so many months of them"),
	KEY_("departments", CONF_STR, departments_text, 4096, 0, 0, "NAME: PC-PATTERN PC-PATTERN; NAME: ..."),
	{NULL, CONF_STR, 0, 0, 0, 0, NULL},
};

static int department_add(
	struct report_settings *s, const char *name, size_t name_n, const char *pattern, struct why *why)
{
	struct report_department *d;

	if (s->departments_n == REPORT_DEPARTMENTS_MAX)
		return why_set(why, V_BAD, "departments: more than %u patterns", REPORT_DEPARTMENTS_MAX);
	d = &s->departments[s->departments_n++];
	if (!name_n || name_n >= sizeof(d->name) || strlen(pattern) >= sizeof(d->pattern) ||
		!match_is_short(pattern, false) || !text_is_utf8(SPAN(name, name_n)))
		return why_set(why, V_BAD, "departments: a name, a colon and patterns of PC names belong there");
	memcpy(d->name, name, name_n);
	snprintf(d->pattern, sizeof(d->pattern), "%s", pattern);
	return 0;
}

/* "Sales: sales-* eigyo-*; Accounts: keiri-*" */
static int read_departments(struct report_settings *s, struct why *why)
{
	char text[sizeof(s->departments_text)], *rest = text, *one, *colon, *word, *more;
	int r = 0;

	memcpy(text, s->departments_text, sizeof(text));
	while (!r && (one = strsep(&rest, ";"))) {
		one += strspn(one, " \t");
		if (!*one)
			continue;
		colon = strchr(one, ':');
		word = colon ? strtok_r(colon + 1, " \t,", &more) : NULL;
		if (!word)
			return why_set(why, V_BAD, "departments: \"%s\": NAME: PC-PATTERN belongs there", one);
		while (colon > one && (colon[-1] == ' ' || colon[-1] == '\t'))
			colon--;
		for (; !r && word; word = strtok_r(NULL, " \t,", &more))
			r = department_add(s, one, (size_t)(colon - one), word, why);
	}
	return r;
}

/* Would the C library know it? It takes what it does not know for UTC, and says nothing. */
static bool zone_is_there(const char *zone)
{
	char path[REPORT_ZONE_MAX + 32];
	struct stat st;

	if (strstr(zone, "..") || zone[0] == '/' || zone[0] == ':')
		return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
	return !strcmp(zone, "UTC") || (!stat(path, &st) && S_ISREG(st.st_mode));
}

int report_settings_load(const char *path, struct report_settings *out, struct why *why)
{
	struct report_settings s = {.scheduled = true,
		.day = 1,
		.hour = 6,
		.language = "ja",
		.folder = "/var/lib/sekisho-reports",
		.keep = 36};
	char room[REPORT_PATH_MAX];
	int r = server_conf_load(path, SERVER_REPORT, keys, &s, why);

	if (r)
		return r;
	if (strcmp(s.language, "en") != 0 && strcmp(s.language, "ja") != 0)
		return why_set(why, V_BAD, "%s: language: en or ja", path ? path : SERVER_CONF_PATH);
	if (s.timezone[0] && !zone_is_there(s.timezone))
		return why_set(
			why, V_BAD, "%s: timezone: no such zone: %s", path ? path : SERVER_CONF_PATH, s.timezone);
	r = read_departments(&s, why);
	r = r ? r : program_path(room, sizeof(room), s.folder);
	if (r)
		return r;
	memcpy(s.folder, room, sizeof(room));
	*out = s;
	return 0;
}

void report_settings_zone(const struct report_settings *s)
{
	if (s->timezone[0])
		setenv("TZ", s->timezone, 1);
	tzset();
}

const char *report_department_of(const struct report_settings *s, const char *pc)
{
	unsigned i;

	for (i = 0; s && i < s->departments_n; i++) {
		struct match m = match_of(s->departments[i].pattern);

		if (match_name(&m, SPAN_STR(pc)))
			return s->departments[i].name;
	}
	return NULL;
}
