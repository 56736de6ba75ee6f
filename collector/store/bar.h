/*
 * What keeps collectors from a store: a line that stands in it where its log went on elsewhere, or where it does not
 * have all of it yet. A log that two stores went on with would be two logs.
 *
 *   filling PLACE   it is being filled out of the store at PLACE (move.c), which is the log until that is done
 *   moved PLACE     the log is at PLACE from now on
 *   copy PLACE      it is a backup of the store at PLACE (sekishoctl store backup)
 *   old SIZE        somebody has shown a checkpoint over SIZE leaves, signed with the log's key, from which this log
 * does not lead on: it was restored from a copy behind our back
 *
 * Used by the engines, each of which keeps the line where its log lies.
 */
#ifndef SEKISHO_STORE_BAR_H
#define SEKISHO_STORE_BAR_H

#include "collector/store/store.h"

#define BAR_MAX 1024u

/* Appends the line; nothing for STORE_OPEN. 0; V_FULL where the place is too long. */
int bar_write(enum store_bar bar, const char *place, struct buf *line);
/* The other way; no line is STORE_OPEN. *place is borrowed, and stays where there is none. 0; V_BAD. */
int bar_read(struct span line, enum store_bar *bar, struct span *place);
/* For who opens the store to write into it. 0; V_BAD where it is barred, with the reason in both languages; -errno. */
int bar_judge(struct store *s, struct why *why);

#endif
