/*
 * What the requests at the console's own door share. See desk.c, bind.c.
 */
#ifndef SEKISHO_CONSOLE_DESK_H
#define SEKISHO_CONSOLE_DESK_H

#include "collector/console/console.h"

/* The body. NULL: answered. */
json_t *desk_object(struct ask *a);
/* The account that a request names. NULL: answered. */
struct account *desk_named(struct console *c, struct ask *a, const json_t *o);
/* Tells it, then writes the accounts. False: answered, and what was before has to hold again. */
bool desk_keep(struct console *c, struct ask *a, const char *what, const char *target);

/* What an account signs in with is another: its sessions end, and sign-ins that are half done. */
void desk_ends(struct console *c, const struct account *x);

/* --- bind.c --- */
void bind_post(struct console *c, struct ask *a);
void unbind_post(struct console *c, struct ask *a);

#endif
