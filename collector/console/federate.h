/*
 * Signing in by the OpenID provider of collector.conf: what sign-in and accounts share with it. See federate.c.
 */
#ifndef SEKISHO_CONSOLE_FEDERATE_H
#define SEKISHO_CONSOLE_FEDERATE_H

#include "collector/console/console.h"

#define FEDERATE_METHOD "OpenID Connect" /* in the access log */

/* Starts the process with the network, before the console gives its power up. 0, where no provider is named too; V_BAD,
 * V_NOT_FOUND with the reason; -errno. */
int federate_start(struct console *c, struct why *why);
/* Begins to hear its answers. 0, -ENOMEM. */
int federate_listen(struct console *c);
void federate_free(struct console *c);
/* Once a second: answers those whose question was never answered. */
void federate_tick(struct console *c);
/* For the page: {name}, or null where there is no provider. */
json_t *federate_json(const struct console *c);

/*
 * Where the browser of this session, which ends here, goes to sign out at the provider as well: {location, state}.
 * NULL: nowhere, since it did not begin there, or the provider or collector.conf does not want it.
 */
json_t *federate_out(const struct call *x);

struct oidc_logout;
/* Is what began so, of that account (NULL: of none any more), what the provider signs out? */
bool federate_meant(const struct oidc_logout *what, const struct account *a, const struct began *b);

/* What is bound to an account, for whoever sees it; null where nothing is. */
json_t *federated_json(const struct account *a);

#endif
