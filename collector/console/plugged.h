/*
 * Storage that was plugged in anywhere, kept up as records become searchable: the newest PLUGGED_MAX plugs of the last
 * PLUGGED_DAYS days. Asking costs nothing of the store, where each plug lies in a segment of its own.
 */
#ifndef SEKISHO_CONSOLE_PLUGGED_H
#define SEKISHO_CONSOLE_PLUGGED_H

#include "collector/console/console.h"
#include "policy/rule/sighting.h"

#define PLUGGED_MAX 50000u
#define PLUGGED_DAYS 366

struct plug {
	int64_t us;
	uint64_t row;
	struct sighting sighting;
	struct span maker, product, host, user; /* the PC's name, or empty; all as the PC has said them */
};

int plugged_new(struct plugged **out);
void plugged_free(struct plugged *p);
/* A record that has become searchable; other kinds are none of its business. 0; -ENOMEM. */
int plugged_row(struct console *c, const struct store_row *row);
/* A piece of what was there before the process began. 0; what look() returns. */
int plugged_back(struct console *c);
/*
 * Calls `fn` with each plug since `from_us` (wall clock) that the account may see, the newest first; what it gets is
 * valid during the call. *complete: none is left out. 0; what `fn` returns, where that is not 0; -ENOMEM.
 */
typedef int (*plug_fn)(void *ctx, const struct plug *plug);
int plugged_each(
	struct console *c, const struct account *account, int64_t from_us, plug_fn fn, void *ctx, bool *complete);

#endif
