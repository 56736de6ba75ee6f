/*
 * Asking the index: what query.c (order, rows), ask_month.c (one month's file) and ask_names.c (which segments can hold
 * a match) share. Others use store_query.
 */
#ifndef SEKISHO_STORE_ASK_H
#define SEKISHO_STORE_ASK_H

#include "collector/store/block.h"
#include "collector/store/fetch.h"
#include "collector/store/match.h"
#include "collector/store/month.h"
#include "collector/store/question.h"
#include "collector/store/sql.h"
#include "collector/store/store_parts.h"
#include <sys/stat.h>

/* A combination, as the month's table has it; its id is its place in the list, from 1. */
struct combo {
	int64_t user, program;
	unsigned kind, class;
};

/* A month's file, open for reading. */
struct month {
	char name[8];
	dev_t dev;
	ino_t ino; /* of the file that is open: a rebuild makes another one */
	sqlite3 *db;
	sqlite3_stmt *name_of, *name_by_hash, *combo_of, *combos, *block, *seg, *post, *had;
	sqlite3_stmt *by_tail; /* NULL: of a file that has them not */
	uint64_t key[2];
	/* All combinations that there were when month_combos was called last: they are gone through for each question.
	 */
	struct combo *combo;
	size_t combo_n, combo_cap;
};

/* From an id to what was found out about it. */
struct memo {
	struct {
		int64_t id;
		uint8_t what;
	} * slots;
	size_t n, cap;
};

struct entry {
	uint64_t leaf;
	int64_t host, first, last;
};

struct entries {
	struct entry *v;
	size_t n, cap, at;
};

struct leaves {
	int64_t *v;
	size_t n, cap;
};

/* A run of leaves, and between which times their records lie. */
struct zone {
	int64_t id, first, last;
};

/* The names that match, once they were found out. */
struct named {
	struct leaves ids; /* sorted */
	bool known;
	bool rough; /* others are among them */
};

/* Rows of one question that are sorted at a time. Tests make it small. */
extern size_t asking_sorted_max;
/* Of the names that text search finds, so many are looked at: where many match, the others are taken for
 * such until a row has them. Tests make it small. */
extern size_t asking_sample;

/* One month while it is asked. */
struct part {
	const struct question *q;
	struct month *month;
	int64_t *hosts; /* ids of q->hosts here; NULL: all */
	size_t hosts_n;
	sqlite3_stmt *cursor;
	struct entry head; /* the cursor's next one */
	bool has_head;
	struct entries list; /* sorted; beside the cursor, or instead */
	struct leaves seen;  /* leaves that were gone through, until it is settled */
	size_t seen_sorted;  /* so many of them, when it was narrowed last */
	bool by_names;       /* is narrowed to names before it is gone through further */
	bool found_names;    /* .. and they are known; but first it is gone through for `patience` segments more */
	size_t patience;
	bool settled; /* is not narrowed any more */
	/* Once narrowed: zones in order of time, those behind zones_at are not in the list yet. */
	enum { ZONES_NONE, ZONES_COMBOS, ZONES_NAMES } by;
	struct zone *zones;
	size_t zones_n, zones_cap, zones_at, batch;
	struct leaves combos; /* ids that match */
	bool combos_known;
	struct named paths, texts;
	struct leaves text_combos;                    /* with a user or program that holds the text */
	struct memo combo, user, program, path, text; /* combo: those that are not in `judged` */
	uint8_t *judged;                              /* what is known of month->combo, of so many */
	size_t judged_n;
};

/* --- ask_month.c --- */

/* V_NOT_FOUND where the file has nothing to read yet; V_BAD. */
int month_open(const char *dir, const char *name, struct month *out);
void month_close(struct month *m);
/* The name, borrowed until the next call; V_NOT_FOUND. */
int month_name(struct month *m, int64_t id, struct span *out);
int month_block(struct month *m, uint64_t leaf, struct block *out);
/* Takes the combinations that are new since the last call into m->combo. 0, V_BAD, -errno. */
int month_combos(struct month *m);

/* Begins with all segments in time and of the hosts; V_END where there can be none. */
int part_begin(struct part *p, const struct question *q, struct month *m);
void part_end(struct part *p);
/* The next segment in order, or false; what is in zones behind part_bound is not counted. */
bool part_peek(struct part *p, struct entry *out);
/* Goes past it. */
int part_next(struct part *p);
/* Puts a segment into the list, where it is asked for; part_sort has to follow. */
int part_list(struct part *p, const struct entry *e);
void part_sort(struct part *p);

/* --- ask_zones.c --- */

/*
 * From here on only segments with a combination that is asked for; or only those with a name that is (part_find_names
 * was called). Without those that were gone through.
 */
int part_narrow_to_combos(struct part *p);
int part_narrow_to_names(struct part *p);
/* Are there zones that are not in the list yet? Then nothing in them is beyond *bound (newest first: later; else
 * earlier). */
bool part_bound(const struct part *p, int64_t *bound);
/* Takes the next of them into the list. */
int part_fill(struct part *p);

/* --- ask_names.c --- */

void memo_deinit(struct memo *m);
int leaves_put(struct leaves *l, int64_t leaf);
/* Sorted, each once. */
void leaves_settle(struct leaves *l);
/* The order of int64_t, for qsort and bsearch. */
int by_number(const void *a, const void *b);
/* Does row `i` match? 0 with *yes; -errno. */
int part_matches(struct part *p, const struct block *b, unsigned i, bool *yes);
/* The leaves of a posting list from `lo` to before `hi`. 0; -errno. */
int part_posts(struct part *p, int64_t id, int64_t lo, int64_t hi, struct leaves *out);
/* The combinations that are asked for, and that the PCs which are asked for have. */
int part_combos(struct part *p, struct leaves *ids);
/* Finds the names that are asked for, where they are not too many: V_FULL where neither path nor text is known then. */
int part_find_names(struct part *p);
/* The leaves from `lo` to before `hi` that can hold a match, once names are known. */
int part_named(struct part *p, int64_t lo, int64_t hi, struct leaves *out);
/* So many lists part_named reads. */
size_t part_named_lists(const struct part *p);

#endif
