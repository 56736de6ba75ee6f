/*
 * Log lines to standard error. See log.h for what belongs in one.
 */
#include "policy/base/log.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *log_program = "sekisho";
static int log_least = LOG_INFO;
static bool log_journal;

void log_open(const char *program, int least)
{
	log_program = program;
	log_least = least;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

const char *log_name(void)
{
	return log_program;
}

void log_at(int priority, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (priority > log_least)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (log_journal) {
		fprintf(stderr, "<%d>%s\n", priority, line);
	} else {
		char when[TEXT_TIME_SIZE];

		fprintf(stderr, "%s %s: %s\n", text_time_local(when, clock_wall_us()), log_program, line);
	}
}

int log_allowed(struct log_limit *l)
{
	int64_t now = clock_boot_us();

	if (!l->window_us || now - l->window_us >= 60000000) {
		if (l->left_out)
			log_notice("%u more messages of this kind in the minute before were left out", l->left_out);
		l->window_us = now;
		l->used = l->left_out = 0;
	}
	if (l->used >= l->burst) {
		l->left_out++;
		return 0;
	}
	l->used++;
	return 1;
}
