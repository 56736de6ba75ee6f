/*
 * The time of a record by an authority, for its proof. See stamped.c.
 */
#ifndef SEKISHO_CONSOLE_STAMPED_H
#define SEKISHO_CONSOLE_STAMPED_H

#include "collector/console/console.h"

/*
 * For the leaf at `index`, whose hash is `leaf`: what openapi.yaml calls Stamped, or null where no timestamp covers it
 * yet. The store is open. 0; -errno.
 */
int stamped_json(struct console *c, uint64_t index, const struct digest *leaf, json_t **out);

#endif
