/*
 * How `log` shows a row: lines for people, NDJSON, CSV. See ctl.h.
 */
#ifndef SEKISHO_CTL_ROWS_H
#define SEKISHO_CTL_ROWS_H

#include "collector/store/store.h"
#include "policy/ctl/ctl.h"

enum rows_form { ROWS_LINES, ROWS_JSON, ROWS_CSV };

struct rows {
	enum rows_form form;
	enum record_lang lang;
	bool color;
	unsigned fields[FIELD_MAX + 1]; /* CSV */
};

/* What stands before the first row. 0, V_FULL, -ENOMEM. */
int rows_begin(const struct rows *s, struct buf *out);
int rows_put(const struct rows *s, const struct store_row *row, struct buf *out);

#endif
