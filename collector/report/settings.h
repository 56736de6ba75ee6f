/*
 * [report] of collector.conf(5), and when a scheduled report is due: months by a time zone's calendar.
 */
#ifndef SEKISHO_REPORT_SETTINGS_H
#define SEKISHO_REPORT_SETTINGS_H

#include "policy/base/why.h"
#include <stdbool.h>
#include <stdint.h>

#define REPORT_PATH_MAX 512
#define REPORT_ZONE_MAX 64
#define REPORT_DEPARTMENTS_MAX 64u
#define REPORT_DEPARTMENT_SIZE 64u
#define REPORT_PATTERN_SIZE 128u

/* PCs by their names. */
struct report_department {
	char name[REPORT_DEPARTMENT_SIZE], pattern[REPORT_PATTERN_SIZE];
};

struct report_settings {
	bool scheduled;
	uint64_t day, hour;             /* of the next month, in the zone, when a month's report is due */
	char timezone[REPORT_ZONE_MAX]; /* empty: this machine's */
	char language[8];               /* en, ja */
	char folder[REPORT_PATH_MAX];
	uint64_t keep; /* months in the folder */
	char departments_text[4096];
	struct report_department departments[REPORT_DEPARTMENTS_MAX];
	unsigned departments_n;
};

/*
 * Defaults, then the file (NULL: the usual one, which need not be there). 0; V_BAD with the line; V_NOT_FOUND where a
 * named file is not there; -errno.
 */
int report_settings_load(const char *path, struct report_settings *out, struct why *why);
/* The process's zone becomes the one that they name. */
void report_settings_zone(const struct report_settings *s);
/* The first department that has the PC; NULL: none. */
const char *report_department_of(const struct report_settings *s, const char *pc);

/* --- months: "2026-10", in the process's zone --- */

/* From its first moment to the next month's; *before: the first moment of the month before. V_BAD where it is none. */
int report_month(const char *month, int64_t *from_us, int64_t *until_us, int64_t *before_us);
/* The month in which a moment lies, or the `back`-th one before it. */
void report_month_of(int64_t at_us, unsigned back, char out[8]);
/* Is the month's report due at `now_us`: is it over, and the day and hour of the next one reached? */
bool report_due(const struct report_settings *s, const char *month, int64_t now_us);

#endif
