/*
 * A file that goes out in pieces: a search as CSV, the register, an evidence bundle. Whoever makes one sends each piece
 * through here, and says at the end, however that was, what went out.
 */
#ifndef SEKISHO_CONSOLE_OUTGOING_H
#define SEKISHO_CONSOLE_OUTGOING_H

#include "collector/console/console.h"

#define OUTGOING_WAITING_MAX (512u << 10) /* the client is slow: nothing is made meanwhile */

/* Who has it made. Each session has one file of a kind going out at a time. */
struct outgoing {
	struct digest session;
	struct account account; /* as it was: roles and scope */
	unsigned roles;         /* of which the operation wants one */
	int64_t began_us;       /* boot clock */
};

void outgoing_begin(struct outgoing *o, const struct call *x);
/*
 * To be asked before each piece. NULL: it may go on. Else how it ends, for the access log: they signed out, the account
 * was disabled or has other rights now, or an hour is over, which a client that reads slowly would make a day. While it
 * goes on the session is in use.
 */
const char *outgoing_over(struct console *c, const struct outgoing *o, int64_t now_us);
/* Sends the piece, puts it into the file's hash, and clears it. 0, -errno. */
int outgoing_send(struct held *h, struct digesting *digest, struct buf *piece);
/* The end, in the access log: `t` is who, what (operation, how many) and how it ended; the hash, which ends too, is
 * added. */
void outgoing_told(struct console *c, struct told t, struct digesting **digest);

#endif
