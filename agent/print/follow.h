/*
 * The follower: a child of the daemon that speaks IPP with cupsd, so that nothing that waits for a judgement ever waits
 * for CUPS. It has a connection to CUPS's local socket and one to the daemon, no capabilities, and nothing else.
 *
 * Together with tree.c this is all that knows how CUPS 2 is made: with CUPS 3 (no backends; a print service for each
 * person) both are replaced, see README.md.
 *
 * JSON objects, one a message, over a SEQPACKET pair.
 *   asked     {"ask": "job", "id": n}               its facts, its queue's, the groups of its user
 *             {"ask": "look", "since": n, "open": [n, ...]}  the jobs behind n, and these
 *             {"ask": "queues"}                     each queue, then the end
 *             {"ask": "release", "id": n} | {"ask": "again", "id": n} (restart, held)
 *   answered  {"job": {...}, "printer": {...}, "groups": [...], "uid": n} | {"gone": n} | {"looked": last}
 *             {"queue": {...}} ... {"queues": n, "cupsd": pid}
 *             {"done": n, "error": text or null} | {"up": bool, "pushed": bool}
 */
#ifndef SEKISHO_PRINT_FOLLOW_H
#define SEKISHO_PRINT_FOLLOW_H

#include "policy/base/why.h"
#include <sys/types.h>

#define FOLLOW_MESSAGE_MAX (160u << 10)
#define FOLLOW_JOBS_MAX 500 /* looked at in one round */

/* The scheme of our notifier in the gate's ServerBin: cupsd runs it when something happens. */
#define FOLLOW_RECIPIENT "sekisho://gate"

/*
 * Starts it, before the daemon takes keys and gives up its power. `socket` is CUPS's own. *fd is the daemon's end.
 * 0, -errno.
 */
int follow_start(const char *socket, int *fd, pid_t *child);

#endif
