/*
 * PCs as witnesses of the log: asked by turns for their cosignatures (PROTOCOL.md). Called by routes, the second's tick
 * and the process.
 */
#ifndef SEKISHO_INGEST_COSIGN_H
#define SEKISHO_INGEST_COSIGN_H

#include "collector/ingest/ingest.h"
#include "policy/trust/cosign.h"

/* What was cosigned last, whose keys are known. 0, V_BAD, -errno. */
int cosign_open(struct ingest *in, struct why *why);
/* The database was lost and is back, perhaps without the newest keys: what is known of them is what is there. 0,
 * -errno. */
int cosign_again(struct ingest *in);
/* `well`: what came of a round that is open is kept. */
void cosign_close(struct ingest *in, bool well);
/* Every second: begins rounds, asks further PCs, ends rounds. */
void cosign_tick(struct ingest *in);

void cosign_get(struct ingest *in, struct ask *a);    /* a PC that was asked fetches the checkpoint and its proof */
void cosign_post(struct ingest *in, struct ask *a);   /* .. and brings its cosignature */
void cosigned_get(struct ingest *in, struct ask *a);  /* the newest checkpoint that was cosigned, for everybody */
void witnesses_get(struct ingest *in, struct ask *a); /* whose keys those are */

/* For the status. NULL without memory. */
json_t *cosign_json(const struct ingest *in);

#endif
