/*
 * A record as other systems read it: a syslog message (RFC 5424), or an event of the Open Cybersecurity Schema
 * Framework (OCSF, 1.3.0). README.md has the mapping. Names come from PCs: nothing here lets one end a line, an element
 * or a string. Pure.
 */
#ifndef SEKISHO_HERALD_FORM_H
#define SEKISHO_HERALD_FORM_H

#include "collector/herald/plan.h"
#include "collector/store/store.h"

#define FORM_MAX (256u << 10) /* one record; a larger one comes without its facts, and says so */

/* Appends one message, without framing. 0; V_FULL; -ENOMEM. */
int form_syslog(const struct store_row *row, struct buf *out);
/* Appends one JSON object, without a newline. `facts`: with all facts of the record, as `unmapped`. */
int form_ocsf(const struct store_row *row, bool facts, struct buf *out);

#endif
