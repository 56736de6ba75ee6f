/*
 * Fingerprints of text: hashes of stretches of PRINTS_STRETCH letters, of which winnowing (Schleimer, Wilkerson, Aiken:
 * Winnowing: Local Algorithms for Document Fingerprinting, SIGMOD 2003) chooses some. Used by the child: it makes them
 * of a document that is to be known, and finds known ones in a document that leaves.
 *
 * Of text only letters and digits count, without their case, width and marks (NFKD, then lower case): what a layout, an
 * encoding or another format changes is not seen. A known document keeps at least one of the stretches of any
 * PRINTS_STRETCH + PRINTS_WINDOW - 1 letters, and of longer documents every 2^n-th of these, so that there are
 * PRINTS_MAX at most. In what is looked into, every stretch is looked up: where it begins does not matter.
 *
 * A fingerprint is 40 bits of SipHash-2-4 (Aumasson, Bernstein 2012) under the policy's key: 2^24 stretches of any book
 * share each, so one that is there alone says nothing.
 */
#ifndef SEKISHO_INSPECT_PRINTS_H
#define SEKISHO_INSPECT_PRINTS_H

#include "agent/inspect/inspect.h"

#define PRINTS_STRETCH 24u /* letters */
#define PRINTS_WINDOW 16u  /* stretches of which one is chosen */

struct prints;

/* Makes the fingerprints of what comes. 0, -ENOMEM. */
int prints_make(const uint8_t key[INSPECT_KEY_SIZE], struct prints **out);
/* Finds known ones in what comes: `known` is a table of inspect_known_new(), kept by the caller. 0, V_BAD, -ENOMEM. */
int prints_find(struct span known, struct prints **out, struct why *why);
void prints_free(struct prints *p);
DEFINE_CLEANUP(struct prints *, prints_free)

/* One piece of text, UTF-8 or nearly so; the next one goes on behind it. */
void prints_text(struct prints *p, struct span utf8);
/* A file, of the document or the document itself: is it one that is known? For finding only. */
void prints_file(struct prints *p, struct span bytes);
/* What was found by now. */
void prints_tell(const struct prints *p, struct inspect_facts *facts);
/* What was made of all that came: at most INSPECT_PRINTS_MAX, PRINT_SIZE bytes each, in no order of the text. */
void prints_end(struct prints *p, uint8_t out[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE], unsigned *n);

#endif
