/*
 * A handling register while it is made: what register.c (which records, its life) and register_row.c (what is written
 * of them) share.
 */
#ifndef SEKISHO_CONSOLE_REGISTER_H
#define SEKISHO_CONSOLE_REGISTER_H

#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "collector/paper/paper.h"

struct registering {
	struct held held;
	struct registering *next;
	struct console *c;
	struct outgoing by;
	char address[ADDRESS_SIZE], below[4096 + 4];
	const char *path;     /* of the operation */
	struct search search; /* its filter is each part's in turn */
	const char *folder, *host;
	struct digesting *digest;
	struct paper *paper; /* NULL: CSV */
	struct buf out, text;
	unsigned part, piece_rows;
	uint64_t rows, section_rows;
	bool cut;     /* the section has more than fit */
	bool outside; /* it would have records that lie outside the account's scope */
	bool all;     /* nothing is left to be sent */
};

struct register_section {
	const char *en, *ja;
};
/* By section, from 0. */
extern const struct register_section register_sections[];

/* --- register_row.c: each 0, V_FULL, -errno --- */

const char *register_title(const struct registering *g);
/* The head of the file: what it is of. */
int register_begin(struct registering *g);
int register_section_begin(struct registering *g, unsigned section);
int register_row(struct registering *g, unsigned section, const struct store_row *row);
int register_section_end(struct registering *g);
/* Boxes to sign in, and the end. */
int register_end(struct registering *g);

#endif
