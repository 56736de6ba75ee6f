/*
 * Reports: what a period's logs say in figures, for the management and for whoever supervises: prints, drives,
 * exceptions, approvals, who looked at the logs, the fleet, and how complete all that is. Made once, from one reading
 * of the store; then given as JSON, as CSV and on paper, which so say the same. Used by the console and by sekishoctl.
 *
 * README.md says what each figure counts. Nothing here decides who may see what: the caller names the parts and asks
 * for the PCs.
 */
#ifndef SEKISHO_REPORT_REPORT_H
#define SEKISHO_REPORT_REPORT_H

#include "collector/report/settings.h"
#include "collector/store/store.h"
#include "policy/trust/note.h"
#include <jansson.h>

#define REPORT_ROWS_MAX 5000u  /* of a table */
#define REPORT_PAPER_ROWS 500u /* of them on paper; all are in the CSV */
#define REPORT_DAYS_MAX 400u   /* of a period */

/* What a report has. */
enum report_part {
	REPORT_PRINTS = 1,
	REPORT_DRIVES = 2,
	REPORT_EXCEPTIONS = 4,
	REPORT_POLICY = 8,
	REPORT_ACCESS = 16,
	REPORT_FLEET = 32,
	REPORT_PERSONS = 64, /* names of people, where they belong to one of the above */
	REPORT_ALL = 127,
};

struct report_options {
	struct store *store;        /* borrowed while it is made; may be another one at each step */
	const struct verifier *log; /* whose signature the checkpoint has to have; NULL: unknown, and said so */
	const struct report_settings *settings; /* copied in part: the departments; NULL: none */
	const char *policies,
		*admins;           /* folder of signed policies, and the keys that may sign; NULL: no changes shown */
	int64_t from_us, until_us; /* wall clock; REPORT_DAYS_MAX at most */
	int64_t before_us;         /* the period to compare with: from there to from_us */
	char month[8];             /* "2026-10", or empty for another period */
	enum record_lang lang;
	unsigned parts; /* REPORT_* */
	/* May this record be counted? NULL: all. And is this PC one of those that are meant? NULL: all. */
	bool (*sees)(void *ctx, const struct store_row *row);
	bool (*sees_pc)(void *ctx, const char *name);
	void *ctx;
	char by[128];   /* who has it made */
	char host[256]; /* the collector's name */
};

struct report;

/* 0; V_BAD for a period that is none, or too long, with the reason; -ENOMEM. Nothing is read yet. */
int report_new(const struct report_options *o, struct report **out, struct why *why);
void report_free(struct report *r);
DEFINE_CLEANUP(struct report *, report_free)
/*
 * Goes on reading for about so long (at least one record, and one question to the store). 0: there is more; V_END: it
 * is made; V_BAD, V_FULL, V_NOT_FOUND of the store with the reason; -errno.
 */
int report_step(struct report *r, struct store *store, int64_t microseconds, struct why *why);
/* How much of it is made, percent: a guess by time. */
unsigned report_percent(const struct report *r);
/* Records that it counted. */
uint64_t report_records(const struct report *r);

/* --- giving it; only when it is made --- */

/* All of it: README.md has the form. NULL without memory. The caller's. */
json_t *report_json(const struct report *r);

/* Takes bytes. 0, -errno. */
typedef int (*report_put_fn)(void *ctx, struct span bytes);

unsigned report_tables(const struct report *r);
/* "prints-by-person": the table's name, of which its file's is made. */
const char *report_table_name(const struct report *r, unsigned table);
/* A table as CSV: UTF-8 with a BOM, RFC 4180, harmless for spreadsheets (record_csv_cell). 0, V_FULL, -errno. */
int report_csv(const struct report *r, unsigned table, struct buf *out);
/* All of them, and the figures of the first page, as a ZIP file. 0, -errno. */
int report_zip(const struct report *r, report_put_fn put, void *ctx);

struct report_paper;
/* On paper, some rows at a time. 0, -ENOMEM. */
int report_paper_new(const struct report *r, report_put_fn put, void *ctx, struct report_paper **out);
void report_paper_free(struct report_paper *p);
DEFINE_CLEANUP(struct report_paper *, report_paper_free)
/* 0: there is more; V_END: that was the last page; -errno. */
int report_paper_step(struct report_paper *p);

#endif
