/*
 * The PostgreSQL engine: what an open store of it is made of. For the files of this folder alone. What lies where, and
 * why it holds: ../ENGINES.md; the tables: schema.sql.
 */
#ifndef SEKISHO_STORE_POSTGRESQL_PG_H
#define SEKISHO_STORE_POSTGRESQL_PG_H

#include "collector/store/engine.h"
#include "collector/store/postgresql/conn.h"
#include "collector/store/tree.h"
#include "policy/base/siphash.h"
#include "policy/trust/note.h"
#include <limits.h>

#define PG_VERSION 3 /* of the tables: log.version */
#define PG_VERSION_OLDEST \
	1 /* that is read and written as it is: rows do not say to which part of the PCs they belong */
#define PG_SHARED_VERSION 1     /* of what collectors share: shared.version */
#define PG_GROUP_MAX (1u << 16) /* leaves in one commit */
#define PG_GROUP_BYTES (64u << 20)

struct fetch;

struct pg {
	const struct store_engine *engine; /* first: see ../engine.h */
	char address[PATH_MAX];
	char state[PATH_MAX - 256]; /* the folder of the last checkpoint signed; empty for readers */
	char origin[NOTE_NAME_MAX];
	const struct key *log_key;
	int64_t (*now_us)(void);
	int64_t version; /* of the tables, as of the last look; they may be brought to a newer one meanwhile */
	bool writable, failed, filling;
	bool shows;                         /* as store_options has it */
	unsigned standbys, standbys_wanted; /* that commits wait for, as of the last look */
	int wait_ms;                        /* for others, before V_AGAIN is answered; negative: as long as it takes */
	bool shares;                        /* there is a place for what collectors share */
	void (*other)(void *ctx, const struct header *h); /* as store_options has it */
	void *other_ctx;
	bool doubt;  /* a commit's answer did not come: it may be there, and may not */
	bool ill;    /* what failed is this machine's: another connection helps nothing */
	bool unkept; /* there was no room for the checkpoint in `state`: nobody hears of it, nor of anything else */
	struct conn
		turn; /* appends; its transaction holds the log's row while a group is open. Chains are read by it */
	struct conn side;    /* everything else: what is committed, each statement by itself or in a view of its own */
	struct reach *reach; /* connections that are being made anew */
	struct tree tree;
	bool tree_loaded;       /* it is one of tree.size leaves: of the committed log, or of less of it */
	struct checkpoint head; /* the committed log, as this store knows it */
	struct buf note;

	/*
	 * What was sent on `turn`, and is not answered: nothing else can be done there. The log's row; a commit of the
	 * group; one of nothing, behind what was promised; one behind what was found at a new connection (settle).
	 */
	enum { PG_WAITS_NOT, PG_WAITS_TURN, PG_WAITS_COMMIT, PG_WAITS_PROMISE, PG_WAITS_FOUND } waits;
	bool promised;            /* store_promise, and no commit was sent since */
	struct checkpoint coming; /* the log as the commit that is waited for makes it, and its note */
	struct buf coming_note;

	/* The group that is open. */
	bool in_turn;
	bool told; /* V_AGAIN was answered: the turn is kept until the next append, or the commit behind the next one */
	unsigned waiting;
	struct digest *group;      /* leaf hashes */
	struct buf leaves, bodies; /* as COPY takes them */
	int64_t month;             /* 202611, of the last leaf; 0: none yet; -1: not known */
	uint64_t channels;         /* of that month, whose place for bodies is there: bit by producer */

	struct counted *counts; /* of months, as far as they were asked for */
	unsigned counts_n;
	struct fetch *fetch; /* for queries; made when first used */
	unsigned depth;      /* queries that are being answered by `side`, one inside the other */
	unsigned cursors;
};

/* Rows say to which part of the PCs they belong: by the first bytes of the PC's id, which is a hash. */
#define PG_DIVIDED 2

static inline uint32_t pg_host_hash(const struct digest *host)
{
	return get_be32(host->b);
}

static inline struct pg *pg_of(const struct store *s)
{
	return (struct pg *)(uintptr_t)s;
}

/* Where to ask what the open group has done too: not while nothing can be asked there. */
static inline struct conn *pg_turn(struct pg *p)
{
	return p->in_turn && !p->waits ? &p->turn : &p->side;
}

/*
 * Rows have hashes of the last components of their names, by which a GIN index finds them: all rows where indexed.named
 * says so, as rows of before have none until the index is made anew.
 */
#define PG_NAMED 3
enum pg_names { PG_NAME_USER, PG_NAME_PROGRAM, PG_NAME_PATH };

static inline uint32_t pg_name_hash(enum pg_names of, struct span tail)
{
	const uint64_t key[2] = {PG_NAMED, of};

	return (uint32_t)siphash(key, tail);
}

/* Brings the tree to the committed log, and compares. 0; V_BAD where they differ; -errno. */
int pg_tree(struct pg *p, struct why *why);

/* --- take.c --- */

int pg_append(struct store *s, const struct segment *seg, uint64_t *index);
/* Do commits wait for as many as they have to? 0; -EAGAIN with the reason. */
int pg_demand_standbys(struct pg *p, struct why *why);
/* Takes up what others have committed, by `side`. As pg_look. */
int pg_follow(struct pg *p);
int pg_commit(struct store *s);
/* Sends one of nothing on `c`, behind all that the server was told before. As conn_commit_answer. */
int pg_commit_behind(struct conn *c, int ms);
/* Takes up the log as `c` sees it. 0; V_BAD; -errno. */
int pg_look(struct pg *p, struct conn *c, struct why *why);
/*
 * Keeps the checkpoint outside of the database, before anybody hears of it. Where there is no room for it, the store is
 * lost until there is.
 */
int pg_keep_checkpoint(struct pg *p);
void pg_give_up_turn(struct pg *p);
int pg_begin_turn(struct store *s, uint64_t *next);
void pg_rest(struct store *s);
bool pg_waits(const struct store *s);

/* --- chains.c --- */

int pg_heads(struct store *s, const struct digest *host, unsigned producer, struct store_head *out, unsigned max,
	unsigned *n);
int pg_find(struct store *s, const struct digest *hash, uint64_t *index, uint64_t *seq);
int pg_has_successor(
	struct store *s, const struct digest *host, unsigned producer, const struct digest *hash, bool *yes);
int pg_epoch(struct store *s, const struct digest *host, unsigned producer, uint64_t number, const uint8_t kid[8],
	struct buf *cert);

/* --- beside.c --- */

int pg_cosigned(const struct store *s, struct buf *note, uint64_t *size);
int pg_cosign(struct store *s, struct span note);
int pg_witness_add(struct store *s, struct span line);
int pg_witness_each(const struct store *s, store_witness_fn fn, void *ctx);
int pg_host_put(struct store *s, const struct store_host *h);
/* The same by a rebuild, which also somebody does who has it open for reading. */
int pg_host_keep(struct pg *p, const struct store_host *h);
int pg_host_get(struct store *s, const struct digest *id, struct store_host *out);
int pg_host_after(struct store *s, const char *name, const struct digest *id, store_host_fn fn, void *ctx);
/* Counts again what is asked for. */
void pg_forget_counts(struct pg *p);
int pg_months(struct store *s, bool counted, store_month_fn fn, void *ctx);
int pg_month(struct store *s, const char *month, struct store_month *out);
bool pg_bodies_there(struct store *s, uint64_t index, unsigned channel, uint64_t *until);
int pg_expire(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left);

/* --- shelf.c --- */

/* Finds out whether there is one, and listens. 0; V_BAD; -errno. */
int pg_share(struct pg *p, struct why *why);
bool pg_shares(const struct store *s);
int pg_shelf_get(struct store *s, const char *kind, const char *name, struct buf *value);
int pg_shelf_put(struct store *s, const char *kind, const char *name, struct span value, const struct span *before);
int pg_shelf_drop(struct store *s, const char *kind, const char *name);
int pg_shelf_each(struct store *s, const char *kind, store_shelf_fn fn, void *ctx);
int pg_shelf_last(struct store *s, const char *kind, char name[SHELF_NAME_MAX + 1]);
int pg_host_seen(struct store *s, const struct digest *id, int64_t when_us);
int pg_hear(struct store *s, store_heard_fn fn, void *ctx);
int pg_duty(struct store *s, const char *name, const struct digest *who, int64_t now_us, int64_t every_us,
	int64_t grace_us);
int pg_founder(struct store *s, struct digest *out);

/* --- bar.c --- */

int pg_hold(struct store *s);
int pg_bar(struct store *s, struct span line);
int pg_barred(struct store *s, struct buf *line);

/* --- index.c --- */

int pg_index_step(struct store *s, unsigned budget, uint64_t *left);
int pg_index_for(struct store *s, unsigned microseconds, uint64_t *left);
int pg_rebuild(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why);
/* Takes the lock that a writer shares with others and a rebuild has alone. 0; V_EXISTS; -errno. */
int pg_lock(struct conn *c, bool alone);

/* --- ask.c --- */

int pg_query(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why);
int pg_count(struct store *s, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why);
int pg_last_row(struct store *s, uint64_t *row);
int pg_stats(struct store *s, struct store_stats *out);
/* A view of what is committed now, for several statements; they may lie within each other. */
int pg_view_begin(struct pg *p);
void pg_view_end(struct pg *p);

#endif
