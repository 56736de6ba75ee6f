/* Months of the calendar, and when a report of one is due. See settings.h. */
#include "collector/report/settings.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The first moment of a month (0: January), which may lie outside of its year. */
static int64_t month_begin(int year, int month)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = 1, .tm_isdst = -1};

	return (int64_t)mktime(&tm) * 1000000;
}

static bool parse(const char *s, int *year, int *month)
{
	char again[16];

	if (strlen(s) != 7 || sscanf(s, "%4d-%2d", year, month) != 2 || *month < 1 || *month > 12 || *year < 1970 ||
		*year > 9998)
		return false;
	snprintf(again, sizeof(again), "%04d-%02d", *year, *month);
	(*month)--;
	return !strcmp(s, again);
}

int report_month(const char *month, int64_t *from_us, int64_t *until_us, int64_t *before_us)
{
	int y, m;

	if (!parse(month, &y, &m))
		return V_BAD;
	*from_us = month_begin(y, m);
	*until_us = month_begin(y, m + 1);
	*before_us = month_begin(y, m - 1);
	return 0;
}

void report_month_of(int64_t at_us, unsigned back, char out[8])
{
	time_t t = (time_t)(at_us / 1000000);
	struct tm tm;
	int n;

	snprintf(out, 8, "1970-01");
	if (!localtime_r(&t, &tm) || tm.tm_year < 70 || tm.tm_year > 8000)
		return;
	n = (tm.tm_year + 1900) * 12 + tm.tm_mon - (int)back;
	snprintf(out, 8, "%04u-%02u", (unsigned)(n / 12) % 10000u, (unsigned)(n % 12) % 12u + 1);
}

bool report_due(const struct report_settings *s, const char *month, int64_t now_us)
{
	struct tm tm = {.tm_mday = (int)s->day, .tm_hour = (int)s->hour, .tm_isdst = -1};
	int y, m;

	if (!parse(month, &y, &m))
		return false;
	tm.tm_year = y - 1900;
	tm.tm_mon = m + 1;
	return (int64_t)mktime(&tm) * 1000000 <= now_us;
}
