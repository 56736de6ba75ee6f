/*
 * A handling register while it is made: what register.c (which records, its life) and register_row.c (what is written
 * of them) share.
 */
#ifndef SEKISHO_CONSOLE_REGISTER_H
#define SEKISHO_CONSOLE_REGISTER_H

#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "collector/paper/paper.h"

#define REGISTER_PDF_MAX (32u << 20) /* where it goes into a ZIP */
#define PROOFS_SECTION 4u

struct register_zip;

struct registering {
	struct held held;
	struct registering *next;
	struct console *c;
	struct outgoing by;
	char address[ADDRESS_SIZE], below[4096 + 4];
	const char *path;          /* of the operation */
	struct search search;      /* its filter is each part's in turn */
	const char *folder, *host; /* folder: NULL where it is of an area */
	const char *area;          /* of the policy's section `protected`: the first fact of `search`; NULL: none */
	struct digesting *digest;
	struct paper *paper;      /* NULL: CSV */
	struct register_zip *zip; /* NULL: the PDF alone, or CSV */
	struct buf out, text;
	unsigned part, piece_rows;
	uint64_t rows, section_rows;
	bool cut;     /* the section has more than fit */
	bool outside; /* it would have records that lie outside the account's scope */
	bool ended;   /* all sections are made */
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

/* --- register_zip.c: the PDF with the proofs that it names --- */

/* Writes into `g`->out. 0, -ENOMEM. */
int register_zip_new(struct registering *g, struct register_zip **out);
void register_zip_free(struct register_zip *z);
/* More bytes of the PDF. 0; V_FULL where it is larger than REGISTER_PDF_MAX; -ENOMEM. */
int register_zip_page(struct register_zip *z, struct span bytes);
/* A proof's record is the `row`th of its section: its file goes along. 0, -ENOMEM. */
int register_zip_proof(struct register_zip *z, const struct record *r, uint64_t row);
/* How the file of the row that was taken last is called in the ZIP; "" where it does not go along. */
const char *register_zip_name(const struct register_zip *z);
/* Goes on, once the PDF has come to its end: one file. 0; V_END: that was the last; -errno. */
int register_zip_step(struct register_zip *z);

#endif
