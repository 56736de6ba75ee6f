/*
 * What a daemon says of itself, to standard error: one line a message; with the <N> priority prefix of sd-daemon(3)
 * where the journal reads it (JOURNAL_STREAM is set), else with time and program name.
 *
 * Logs are about us, records are about users: no user name, path or title of a person's belongs in a log line. Strings
 * from outside pass text_escape first. Libraries do not log; programs do.
 */
#ifndef SEKISHO_BASE_LOG_H
#define SEKISHO_BASE_LOG_H

#include <syslog.h>

/* Names the program in each line and sets the least urgent priority shown (LOG_INFO by default, LOG_DEBUG for more). */
void log_open(const char *program, int least);
/* That name, for who says more of the program than a line of the log. */
const char *log_name(void);
void log_at(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* At most `burst` times per minute for what outsiders can cause; says how many were left out when it opens again. */
struct log_limit {
	unsigned burst;
	unsigned used;
	unsigned left_out;
	long long window_us;
};
#define LOG_LIMIT(n)         \
	{                    \
		.burst = (n) \
	}
/* 1 where the caller may log now. */
int log_allowed(struct log_limit *l);

#endif
