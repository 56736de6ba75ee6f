/*
 * The log into another store: `sekisho-collector --move-to PLACE`, beside the collector that goes on with it until that
 * is stopped; `--backup-to PLACE`, into a copy; `--restore-from PLACE --checkpoint FILE...`, out of one. Started by
 * `sekishoctl store move`, which stops the collector and changes the settings, `store backup` and `store restore`.
 *
 * A line of JSON on standard output for each thing that happens:
 *
 *   {"done": N, "of": N}    segments that are in the new store, of how many
 *   {"level": N}            all of them; waits for the collector to end
 *   {"moved": N, "bodies": N, "root": "<base64>", "held_us": N}    all is there
 *   {"failed": "<reason>", "ja": "<the same in Japanese>"}         nothing was changed
 */
#ifndef SEKISHO_INGEST_MOVE_H
#define SEKISHO_INGEST_MOVE_H

#include "collector/ingest/config.h"

#define MOVE_SEEN_MAX 32u

/* What the command line asks for. */
struct move_order {
	const char *to, *backup, *restore; /* places, as the setting `store`; one of them, or none */
	const char *seen[MOVE_SEEN_MAX];   /* files with checkpoints that others have seen */
	unsigned seen_n;
	bool too_many;
};
#define MOVE_ORDERED(o) (!!(o)->to + !!(o)->backup + !!(o)->restore)

/* The whole program, once its settings are read. Its exit status. */
int move_main(const struct config *c, const struct move_order *o);

#endif
