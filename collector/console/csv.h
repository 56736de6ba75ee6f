/*
 * Records as lines of a file for spreadsheets: all fields, as every list of the console saves them.
 */
#ifndef SEKISHO_CONSOLE_CSV_H
#define SEKISHO_CONSOLE_CSV_H

#include "collector/store/store.h"

/* All that the field table has, in its order, ending with 0. */
void csv_fields(unsigned out[FIELD_MAX + 1]);
/* The first line, behind the BOM that spreadsheets want. 0, V_FULL, -ENOMEM. */
int csv_head(const unsigned *fields, enum record_lang lang, struct buf *out);
/* One record, its PC first. The same. */
int csv_row(const struct store_row *row, const unsigned *fields, enum record_lang lang, struct buf *out);

#endif
