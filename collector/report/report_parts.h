/*
 * A report while it is made: what its files share. gather.c goes through the logs; prints.c, drives.c, access.c,
 * policy.c and fleet.c count; summary.c says what matters; model.c makes tables of it, which json.c, files.c and
 * pages.c give.
 */
#ifndef SEKISHO_REPORT_PARTS_H
#define SEKISHO_REPORT_PARTS_H

#include "collector/report/report.h"

#define TALLY_MAX REPORT_ROWS_MAX
#define SEEN_MAX (1u << 20) /* print jobs, and pairs of drive and PC, that are told apart */
#define BARS_MAX 62u
#define SPELLS_MAX 65536u /* times that drives were plugged in */
#define SERVERS_MAX 8u
#define DAY_US INT64_C(86400000000)

/* --- tally.c: things by their names --- */

/* Entries begin with this. */
struct named {
	char *name; /* bytes, with a NUL behind; owned */
	size_t n;
};
struct tally {
	struct named **v;
	unsigned *slots; /* index from 1 */
	unsigned n, slots_n;
	size_t size;         /* of an entry */
	uint64_t over;       /* what came of names that did not fit */
	struct named *other; /* where that is counted */
};
/* The entry of the name, made where it is not there; beyond TALLY_MAX one for all others. NULL without memory. */
void *tally_at(struct tally *t, struct span name);
/* NULL where it is not there. */
void *tally_find(const struct tally *t, struct span name);
void tally_deinit(struct tally *t, void (*release)(void *entry));
/* In an order: `cmp` gets pointers to pointers to entries. No more tally_at afterwards. */
void tally_sort(struct tally *t, int (*cmp)(const void *, const void *));

/* Digests that were met, as many as SEEN_MAX. */
struct seen {
	uint64_t *v;
	size_t n, cap;
	bool full;
};
/* *fresh: was it met for the first time? What does not fit is taken for fresh. 0, -ENOMEM. */
int seen_add(struct seen *s, const struct span *parts, unsigned n, bool *fresh);
void seen_deinit(struct seen *s);

/* --- what is counted --- */

struct prints {
	uint64_t jobs, pages, sheets, colour, numbers; /* colour, numbers: jobs */
	uint64_t denied, held, released, noted, marked, alerted, missed;
};

struct person {
	struct named named;
	struct prints p;
	uint64_t plugs, files, bytes, denied, codes;
};

struct paper_place { /* a printer, a department */
	struct named named;
	struct prints p;
	uint64_t pcs, plugs, bytes, denied;
};

struct drive {
	struct named named;
	char usb_id[16], serial[96], product[160], label[96], owner[96];
	bool storage, has_access, looked_back;
	unsigned access;
	char rule[96];
	int64_t first_us, last_us, earlier_us; /* earlier: before the period; 0: not seen */
	uint64_t plugs, pcs, files, bytes, denied, seen;
	char first_pc[128], first_user[96];
	unsigned spell; /* the newest, from 1 */
};

/* A drive plugged in at a PC. */
struct spell {
	struct digest host;
	struct drive *drive;
	unsigned earlier; /* the drive's spell before, from 1 */
	int64_t from_us, until_us;
	unsigned dev_major, dev_minor;
	bool has_dev;
};

struct exception {
	struct named named;
	unsigned kind;
	const char *what; /* of exception_words */
	char pc[128], user[96], object[160], rule[96], by[96];
	int64_t first_us;
	uint64_t count;
};

struct known_document { /* that the policy knows by its fingerprints */
	struct named named;
	uint64_t jobs, files, most; /* most: of one find, percent */
	int64_t last_us;
};

struct version {
	struct named named;
	uint64_t number;
	char signer[128];
	int64_t pushed_us, first_us, last_us;
	bool has_uid;
	uint64_t uid, pcs, refused;
	bool here; /* pushed or applied within the period */
};

/* What an administrator did. */
struct act {
	struct named named;
	int64_t at_us;
	char who[96], what[320];
	unsigned kind;
	uint64_t count;
};

struct reader {
	struct named named;
	uint64_t sign_ins, refused, views, searches, exports, bundles, reports, changes;
};

struct pc {
	struct named named; /* its id, in hex */
	char name[128];
	enum store_host_state state;
	int64_t enrolled_us, first_us, last_us, weak_us;
	uint64_t gaps, missing, forks, refused, lost, alerts, policy;
	bool weak, has_last, known;
	char enforce[96];
};

struct cause {
	struct named named;
	unsigned value;
	uint64_t events, lost, unknown; /* unknown: events that cannot tell how much */
	uint64_t pcs;
};

struct figures {
	struct prints p;
	uint64_t people, drives, drives_new, drives_held, plugs, files, bytes, denied, write_seen;
	uint64_t codes, codes_refused, connects;
	uint64_t known_jobs, known_files;
	uint64_t versions, policy_refused, acts;
	uint64_t sign_ins, sign_in_refused, views, searches, exports, bundles, reports, not_allowed;
	uint64_t pcs, silent, weak, gaps, missing, forks, rejoins, refused, lost, lost_unknown, witness, alerts;
};

/* The counting of one period. */
struct gather {
	struct report *r;
	int64_t from_us, until_us;
	bool before; /* the period to compare with: only its figures are of interest */
	struct figures f;
	struct tally persons, printers, departments, drives, exceptions, known, versions, acts, readers, pcs, causes;
	struct seen jobs, pairs;
	struct spell *spells;
	unsigned spells_n, spells_cap;
	bool spells_sorted;
	uint64_t bytes_unknown, files_unknown; /* written to drives, which of them is not known */
	uint64_t spells_over;
	uint64_t pages_by[BARS_MAX], bytes_by[BARS_MAX];
	int error; /* -ENOMEM */
};

/* --- the model: what is given --- */

enum cell_type { CELL_TEXT, CELL_COUNT, CELL_BYTES, CELL_TIME };

struct column {
	const char *name; /* in JSON */
	enum cell_type type;
	const char *en, *ja;
	double share;
};

struct cell {
	char *text;
	int64_t n;
	bool none; /* nothing is known: an empty cell */
};

#define TABLE_COLUMNS_MAX 12u

struct table {
	const char *name; /* of its file, and in JSON */
	unsigned section;
	const char *en, *ja;
	const char *note_en, *note_ja; /* what it counts, below its heading; NULL: needs none */
	struct column columns[TABLE_COLUMNS_MAX];
	unsigned columns_n;
	struct cell *cells;
	unsigned rows, cap;
	unsigned column; /* that is set next */
	uint64_t more;   /* rows that did not fit */
};

struct figure {
	const char *name;
	const char *en, *ja;
	enum cell_type type;
	uint64_t now, before;
	bool compared;   /* `before` is known */
	bool first_page; /* one of those that a manager reads first */
};

enum weight { WEIGHT_ALARM, WEIGHT_WARNING, WEIGHT_NOTE };
struct remark {
	enum weight weight;
	char text[480];
};

#define TABLES_MAX 24u
#define FIGURES_MAX 48u
#define REMARKS_MAX 20u

struct report {
	struct report_options o;
	struct report_settings *settings;
	struct store *store; /* during a step */
	struct gather now, before;
	struct gather *at; /* that is being read */
	unsigned pass;
	bool has_place;
	int64_t place_us;
	uint64_t place_row, records;
	int64_t deadline_us;
	uint64_t left; /* rows of this question */
	bool stopped;  /* by us, before its last row */
	unsigned pcs_at;
	int64_t looked_back_us; /* how far drives were looked for before the period */
	uint64_t looked_back;
	bool done;
	struct {
		struct digest id;
		unsigned producer;
	} servers[SERVERS_MAX];
	unsigned servers_n;

	int64_t made_us;
	struct checkpoint head;
	bool verified, included;
	char root[2 * DIGEST_SIZE + 1];
	uint64_t leaves, indexed;

	struct table tables[TABLES_MAX];
	unsigned tables_n;
	struct figure figures[FIGURES_MAX];
	unsigned figures_n;
	struct remark remarks[REMARKS_MAX];
	unsigned remarks_n;
	unsigned bars_n;
	int64_t bar_us; /* how long a bar is */
	int failed;     /* while the model is made */
};

/* Picks the language of a literal: both may be formats that the compiler checks. */
#define say(r, en, ja) ((r)->o.lang == LANG_JA ? (ja) : (en))
static inline bool part_on(const struct report *r, unsigned part)
{
	return (r->o.parts & part) == part;
}
static inline int64_t time_of(const struct record *r)
{
	return record_has(r, F_TIME) ? r->v[F_TIME].i : 0;
}
/* Bytes into a fixed array, whole characters, escaped where they are no text. */
void keep_text(char *out, size_t size, struct span s);
/* The bar in which a moment lies. */
unsigned bar_of(const struct gather *g, int64_t at_us);

/* Each takes the kinds that are its own, and passes over others. */
void prints_take(struct gather *g, const struct store_row *row);
void drives_take(struct gather *g, const struct store_row *row);
void drives_written(struct gather *g, const struct store_row *row);
/* known.c */
void known_take(struct gather *g, const struct store_row *row);
void drives_bytes(struct gather *g, const struct store_row *row);
/* A record from before the period: was a drive of ours seen then? */
void drives_earlier(struct gather *g, const struct store_row *row);
void drives_end(struct gather *g);
void policy_take(struct gather *g, const struct store_row *row);
void access_take(struct gather *g, const struct store_row *row);
void fleet_take(struct gather *g, const struct store_row *row);
/* The PCs that there are. 0, -errno. */
int fleet_begin(struct gather *g);
/* When was the next PC last heard of, before the period's end? V_END behind the last. */
int fleet_look(struct gather *g, struct why *why);
void fleet_end(struct gather *g);
/* An active PC of which there is no record of the period's last seven days. */
bool pc_is_silent(const struct gather *g, const struct pc *pc);

/* Something out of the ordinary, for the list of exceptions: what is alike on one day is told once. */
void exception_add(struct gather *g, const struct store_row *row, const char *what, struct span user,
	struct span object, struct span rule, struct span by);
const char *exception_word(const struct report *r, const char *what);

/* --- the model --- */

int summary_make(struct report *r);
int model_make(struct report *r);
struct table *table_begin(struct report *r, const char *name, unsigned section, const char *en, const char *ja,
	const struct column *columns, unsigned n);
/* A row; false where it does not fit, or there is no memory. Cells follow, in order. */
bool row_begin(struct report *r, struct table *t);
void cell_text(struct report *r, struct table *t, struct span s);
void cell_number(struct table *t, uint64_t n);
void cell_time(struct table *t, int64_t us); /* 0: none */
void cell_none(struct table *t);
void table_free(struct table *t);
const char *section_title(const struct report *r, unsigned section);
/* A cell as people read it, into `out`: counts with separators, bytes with a unit. */
struct span cell_shown(const struct table *t, const struct cell *c, unsigned column, char out[64]);
void shown_number(char out[64], enum cell_type type, int64_t n);
/* What each version of the policy changed, as rows. */
void changes_rows(struct report *r, struct table *t);
/* The period in words: "October 2026", or from and until. */
void period_words(const struct report *r, char out[128]);

void report_gather_end(struct gather *g);

#endif
