/*
 * What needs a person, kept up as records become searchable: matters of the last seven days, each told as one where PC
 * and words are the same, and each PC's newest word on what it can enforce and on how it is kept. Asking costs nothing
 * of the store.
 */
#ifndef SEKISHO_CONSOLE_ATTENTION_H
#define SEKISHO_CONSOLE_ATTENTION_H

#include "collector/console/console.h"

enum severity { ALARM, WARNING, NOTE };

struct matter {
	const char *what;
	enum severity severity;
	struct digest host_id;
	const char *host; /* the PC's name; escaped where it is another's word */
	struct span text;
	uint64_t count, row; /* row: the newest one's; 0: there is none */
	int64_t first_us, last_us;
};

int attention_new(struct attention **out);
void attention_free(struct attention *a);
/* A record that has become searchable. 0; -ENOMEM. */
int attention_row(struct console *c, const struct store_row *row);
/* A piece of what was there before the process began. 0; what look() returns. */
int attention_back(struct console *c);
/*
 * Calls `fn` with each matter that the account may see; what it gets is valid during the call. *complete: nothing is
 * left out. 0; what `fn` returns, where that is not 0; -ENOMEM.
 */
typedef int (*matter_fn)(void *ctx, const struct matter *m);
int attention_each(struct console *c, const struct account *account, matter_fn fn, void *ctx, bool *complete);

#endif
