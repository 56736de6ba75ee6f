/*
 * What the parts of the finder share: labels (find_label.c), weighing (find_weigh.c), reading (find.c).
 */
#ifndef SEKISHO_INSPECT_FIND_PARTS_H
#define SEKISHO_INSPECT_FIND_PARTS_H

#include "agent/inspect/find.h"

/* Of a label: a find_kind, or one of these. */
#define LABEL_NONE 0xff
#define LABEL_SYMBOL 0xfd    /* 記号: with 番号 behind it an account of Japan Post, or an insured person */
#define LABEL_NUMBER 0xfc    /* 番号 by itself */
#define LABEL_POST 0xfb      /* words by which the two are an account */
#define LABEL_INSURANCE 0xfa /* ... an insured person; no label of a number, since contributions have the word too */
#define LABEL_OTHER 0xfe     /* words for numbers of another kind: telephone, parcel, order, ... */

/* The label that begins here, and its length in bytes; 0 where there is none. The longest one wins. */
size_t label_at(struct span text, size_t at, uint8_t *label);

#define COLUMNS_MAX 64u /* fields of a line that have columns of their own; those behind share the last */
#define SEEN_MAX 4096u  /* numbers of one column whose return is noticed */

/* Numbers of one kind in one column without a label of theirs: do they belong together? */
struct company {
	uint64_t good, all;    /* different numbers: with a good check digit, and altogether */
	uint64_t good_counted; /* those with a good one, each time it stands there */
	char sample[FIND_SAMPLE_MAX];
};

/* With what odds before any digit was looked at, and how often chance is right. */
enum company_kind {
	COMPANY_PLAIN, /* nothing is said of them */
	COMPANY_SHAPE, /* written as such numbers are: cards in fours */
	COMPANY_OTHER, /* a label says that they are something else */
	COMPANY_KINDS,
};

enum verdict { VERDICT_NO, VERDICT_MAYBE, VERDICT_SURE };

/* What this company is. `named`: words for its kind are somewhere in the document. */
enum verdict company_weigh(enum find_kind kind, enum company_kind c, const struct company *m, bool named);

/* Payments in a transfer file, 0 where the text is none; the first one's account, masked, where there is no sample yet.
 */
uint64_t transfer_records(struct span text, char sample[FIND_SAMPLE_MAX]);

#endif
