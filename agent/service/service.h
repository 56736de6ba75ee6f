/*
 * What the agent's services share once they run: their signals, the sockets at which people of this PC ask, and the
 * part of their status that every producer has. How a service begins is policy/wire/program.h's.
 */
#ifndef SEKISHO_SERVICE_H
#define SEKISHO_SERVICE_H

#include "policy/wire/spool.h"
#include <jansson.h>
#include <limits.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define SERVICE_EVERYBODY ((gid_t)-1)

struct service_signal {
	int number; /* SIGTERM */
	sd_event_signal_handler_t fn;
};

/* Blocks the `n` signals (sigprocmask(2)) and has the loop call their handlers with `ctx` from now on. 0, -errno. */
int service_signals(sd_event *event, const struct service_signal *signals, size_t n, void *ctx);

/* There while a maintenance window is open (agent/guard/SELF.md): {"purpose", "until_boot_us"}; the guard's. */
#define SERVICE_MAINTENANCE_PATH "/run/sekisho/maintenance.json"

/* Why a service stops. */
enum stop_how {
	STOP_FAILED,   /* nobody asked: it ends of itself */
	STOP_SHUTDOWN, /* systemd does, and the PC goes down */
	STOP_ASKED,    /* systemd does, because somebody asked for it: stop, restart, disable */
	STOP_UPGRADE,  /* so it does, in a maintenance window that the guard opened for an upgrade */
	STOP_SIGNAL,   /* another process sent the signal */
	STOP_ANEW      /* of itself, for systemd to start it with what it has not now */
};

struct stop_asked {
	enum stop_how how;
	uint32_t signal, pid, uid, login_uid; /* of the sender */
	bool has_login;
	char comm[32], program[PATH_MAX];
};

/*
 * Where the guard lays what the recorder must know of the policy in force (`policy.yaml`, its text): the guard's to
 * write, for the group of `user`, the recorder, to read. Made by whichever starts first, as root. 0, -errno.
 */
#define SERVICE_ORDERS "/var/lib/sekisho/orders"
int service_orders_folder(const char *user);

/* In a handler of SIGTERM: who sent it, and why. Asks systemd, for two seconds at most. */
void service_stop_asked(const struct signalfd_siginfo *info, struct stop_asked *out);
/* Into the record that says that the service stops: operation, signal, and who sent it where that is not systemd. The
 * spans are those of `a`. */
void service_put_stop(struct record *r, const struct stop_asked *a);

/*
 * While `on`, `fn` is called with `ctx` whenever the loop has nothing else to do. *source is made where it is NULL, and
 * the caller's. 0, -errno.
 */
int service_idle(sd_event *event, sd_event_source **source, bool on, sd_event_handler_t fn, void *ctx);

/*
 * Calls `fn` with `ctx` whenever somebody sets the wall clock, by however little, also where it is set back at once
 * (TFD_TIMER_CANCEL_ON_SET in timerfd_create(2)); `fn` calls service_clock_heard() with the descriptor first. 0,
 * -errno.
 */
int service_watch_clock(sd_event *event, sd_event_io_handler_t fn, void *ctx);
/* Ready for the next time. */
void service_clock_heard(int fd);

/*
 * Listens at `path` in place of what was there, with SOCK_STREAM or SOCK_SEQPACKET: for root and `group`, or for
 * SERVICE_EVERYBODY. *out is the caller's, non-blocking. 0; -ENAMETOOLONG, longer than unix(7) takes; -errno.
 */
int service_listen(const char *path, int type, gid_t group, int backlog, int *out);

/* How many callers a socket for everybody hears at once: so many of them are root's alone, so many each other user's.
 */
struct service_places {
	unsigned all, root, each;
};
/*
 * Whether `uid` may be heard beside `taken` callers, `same` of them his own. Whoever calls and says nothing keeps out
 * himself: not root, and not others, unless he has several users.
 */
bool service_has_place(const struct service_places *places, uid_t uid, unsigned taken, unsigned same);

/* Into the object `status`: where the chain of `sealer` is, what waits in its spool, and what was lost, by cause. */
void service_put_chain(json_t *status, struct sealer *sealer);

/* Writes `status` (taken over; NULL: there was no memory for it) to `path` for everybody to read, all or nothing. What
 * fails is logged, once a second at most. */
void service_write_status(const char *path, json_t *status);

/* Who signed in for a process, by proc(5); UINT32_MAX where nobody did, or it is gone. */
uint32_t service_login_uid(uint32_t pid);

/*
 * What a socket answers where it refuses: {"error": `word`, "reason": `en`, "reason_ja": `ja`}. The word is for
 * programs and stays; the sentences are for people. NULL where there is no memory.
 */
json_t *service_refusal(const char *word, const char *en, const char *ja);
/*
 * What a person gives as his reason, in the member `key` of what a socket is asked: 1 to 199 bytes, not blanks alone;
 * NULL where it is none. service_no_reason() is the answer then.
 */
#define SERVICE_REASON_SIZE 200
const char *service_reason(const json_t *ask, const char *key);
json_t *service_no_reason(void);

#endif
