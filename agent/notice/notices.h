/*
 * Sentences to people's desktops, from a daemon: each by a child of its own (speaker.h), so that the daemon never
 * waits. Called by the notify.c of guard and print, which know what is to be said and how often.
 */
#ifndef SEKISHO_NOTICE_NOTICES_H
#define SEKISHO_NOTICE_NOTICES_H

#include "policy/base/buf.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NOTICES_MAX 8u /* children at a time; more notifications are left out */

struct notices {
	pid_t children[NOTICES_MAX];
	uint32_t ids[NOTICES_MAX];
	/* What was not shown, by its `id`: nobody was there to see it, or there were too many. NULL: nobody asks. */
	void (*unsaid)(void *ctx, uint32_t id);
	void *ctx;
};

struct notice_words {
	const char *icon; /* by the freedesktop naming */
	bool urgent;
	uint32_t id; /* for `unsaid`; 0: it is not told of this one */
	/* In the child: the texts, in the session's language ("ja_JP.UTF-8"). 0, V_FULL, -ENOMEM: nothing is shown. */
	int (*text)(const void *ctx, const char *lang, struct buf *summary, struct buf *body);
	const void *ctx;
};

/* `uid` UINT32_MAX: nobody is there, and nothing is shown. */
void notices_say(struct notices *n, uint32_t uid, const struct notice_words *words);
/* Takes in children that ended, and tells `unsaid` of those that could not say it. */
void notices_reap(struct notices *n);

/* Is it "ja", "ja_JP.UTF-8"? `lang` may be NULL: no. */
bool notice_japanese(const char *lang);
/*
 * Text from outside for a body that may be read as markup: escaped, made UTF-8, and cut behind `most` bytes of it (600
 * at most). 0, V_FULL, -ENOMEM.
 */
int notice_put(struct buf *b, const char *s, size_t most);

#endif
