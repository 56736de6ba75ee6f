/*
 * Who signs in, out, locks and unlocks. Two sources behind one callback: logind (sd-bus) where there is one, else utmp.
 * Strings of an event are valid during the callback only, and come from outside.
 */
#ifndef SEKISHO_RECORDER_SESSION_H
#define SEKISHO_RECORDER_SESSION_H

#include "policy/base/buf.h"
#include <systemd/sd-event.h>

#define SESSIONS_MAX 256u    /* told of at a time; more are counted */
#define SESSION_TEXT_SIZE 64 /* user, seat, service */
#define SESSION_HOST_SIZE 256

struct session {
	char id[SESSION_TEXT_SIZE]; /* the source's own */
	char user[SESSION_TEXT_SIZE], seat[SESSION_TEXT_SIZE], service[SESSION_TEXT_SIZE];
	char remote[SESSION_HOST_SIZE];
	uint32_t uid; /* UINT32_MAX where the source does not tell */
	uint32_t leader;
	int64_t since_wall_us;
	bool locked;
};

/* `kind` is KIND_LOGIN, KIND_LOGOUT, KIND_LOCK or KIND_UNLOCK; `at_start`: was signed in before we looked. */
typedef void (*session_fn)(void *ctx, unsigned kind, const struct session *s, bool at_start);

/* --- utmp --- */

struct utmp_watch;

/*
 * Watches `path` (its folder must exist) from the loop and tells at once who is signed in. 0; V_NOT_FOUND without the
 * folder; -errno.
 */
int utmp_watch_new(sd_event *event, const char *path, session_fn fn, void *ctx, struct utmp_watch **out);
void utmp_watch_free(struct utmp_watch *w);
/* Sessions that did not fit, since the start. */
uint64_t utmp_watch_refused(const struct utmp_watch *w);
/* Reads it now. For tests, and where the file may have changed without a notice. */
int utmp_watch_read(struct utmp_watch *w);

/* --- logind --- */

struct logind_watch;

/*
 * Connects to the system bus and listens to logind. 0; V_NOT_FOUND where there is no bus or no logind on it (try again
 * later); -errno. When the connection ends, `gone` is called once, and the watch is only good for freeing.
 */
int logind_watch_new(sd_event *event, session_fn fn, void (*gone)(void *ctx), void *ctx, struct logind_watch **out);
void logind_watch_free(struct logind_watch *w);
/* Has logind said who is signed in? */
bool logind_watch_answers(const struct logind_watch *w);
uint64_t logind_watch_refused(const struct logind_watch *w);

#endif
