/*
 * What names say of files: suffixes of archives and documents, and whether two names are alike. Used by copies.c.
 */
#ifndef SEKISHO_RECORDER_COPIES_KIN_H
#define SEKISHO_RECORDER_COPIES_KIN_H

#include "policy/base/buf.h"

enum kin {
	KIN_NONE,
	KIN_ARCHIVE,
	KIN_TEXT, /* documents, by what they become one another's copies by */
	KIN_SHEET,
	KIN_SLIDES,
	KIN_DRAWING,
	KIN_PICTURE,
	KIN_PDF,
};

/* By the suffix, A-Z as a-z. */
enum kin kin_of(struct span path);
/* Can a program that opened `from` have saved it as, or exported it to, `to`? REASON_SAVE_AS, REASON_EXPORT, or 0. */
unsigned kin_made(enum kin from, enum kin to);
/* The last component. */
struct span kin_name(struct span path);
/* Is the last component of `from` (at least 3 bytes) that of `to`, or in it: ".A.xlsx.Rq8zT1" of "A.xlsx"? */
bool kin_alike(struct span from, struct span to);

#endif
