/*
 * `sekisho-collector --move-to PLACE`: the log into another store, beside the collector that goes on with it, until
 * that is stopped. Started by `sekishoctl store move`, which stops it and changes the settings.
 *
 * A line of JSON on standard output for each thing that happens:
 *
 *   {"done": N, "of": N}    segments that are in the new store, of how many
 *   {"level": N}            all of them; waits for the collector to end
 *   {"moved": N, "bodies": N, "root": "<base64>", "held_us": N}    the new store is the log now
 *   {"failed": "<reason>", "ja": "<the same in Japanese>"}                    nothing was changed
 */
#ifndef SEKISHO_INGEST_MOVE_H
#define SEKISHO_INGEST_MOVE_H

#include "collector/ingest/config.h"

/* The whole program, once its settings are read. `to` as the setting `store`. Its exit status. */
int move_main(const struct config *c, const char *to);

#endif
