/*
 * A file that goes out in pieces: a search as CSV, the register, an evidence bundle. Whoever makes one sends each piece
 * through here, and says at the end, however that was, what went out.
 */
#ifndef SEKISHO_CONSOLE_OUTGOING_H
#define SEKISHO_CONSOLE_OUTGOING_H

#include "collector/console/console.h"

#define OUTGOING_WAITING_MAX (512u << 10) /* the client is slow: nothing is made meanwhile */

/* Sends the piece, puts it into the file's hash, and clears it. 0, -errno. */
int outgoing_send(struct held *h, struct digesting *digest, struct buf *piece);
/* The end, in the access log: `t` is who, what (operation, how many) and how it ended; the hash, which ends too, is
 * added. */
void outgoing_told(struct console *c, struct told t, struct digesting **digest);

#endif
