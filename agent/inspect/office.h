/*
 * Sheets of xlsx files (ECMA-376 part 1, 18): rows as lines, cells at their columns. Used by office.c.
 */
#ifndef SEKISHO_INSPECT_OFFICE_H
#define SEKISHO_INSPECT_OFFICE_H

#include "agent/inspect/container.h"

#define SHEET_COLUMNS_KEPT 64u /* columns behind them share one place */

struct sheets {
	struct buf strings; /* all shared strings, one behind the other */
	uint32_t *ends;     /* where each ends in `strings` */
	size_t n, room;
};

void sheets_shared(struct look *l, struct sheets *s, struct span xml);
void sheets_sheet(struct look *l, struct sheets *s, struct span xml);
void sheets_done(struct sheets *s);

/* The table of strings, also for sheets of other formats: begun, and the string ended that was put into `strings`. */
void sheets_begin(struct sheets *s);
bool sheets_string_end(struct sheets *s);
/* A number as it is kept, as the person sees it. */
void sheets_put_number(struct words *w, const char *number);

#endif
