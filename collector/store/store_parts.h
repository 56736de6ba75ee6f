/*
 * What an open store is made of. For the files of this room alone.
 */
#ifndef SEKISHO_STORE_PARTS_H
#define SEKISHO_STORE_PARTS_H

#include "collector/store/chains.h"
#include "collector/store/engine.h"
#include "collector/store/hosts.h"
#include "collector/store/pack.h"
#include "collector/store/store.h"
#include "collector/store/tree.h"

struct index;
struct asking;

struct store {
	const struct store_engine *engine; /* first: see engine.h */
	char dir[PATH_MAX - 256];          /* room for the names in it */
	char state[PATH_MAX - 256];        /* the folder of the last checkpoint signed */
	char origin[NOTE_NAME_MAX];
	const struct key *log_key;
	int64_t (*now_us)(void);
	bool writable;
	bool filling;
	bool failed; /* an error left the disk in a state that only opening anew settles */
	int lock;
	struct packs packs;
	struct tree tree;
	bool tree_ready;
	struct checkpoint head; /* the committed log */
	struct buf note;
	struct chains *chains;
	struct hosts *hosts;
	struct index *index;   /* for writing; opened when first used */
	struct asking *asking; /* for queries; the same */
};

/* The databases, opened where they are not. V_NOT_FOUND where there is none to read. */
int store_chains(struct store *s, struct chains **out);
int store_hosts(struct store *s, struct hosts **out);

/* --- witnesses.c, retention.c, rebuild.c: as store.h has them --- */

int files_cosigned(const struct store *s, struct buf *note, uint64_t *size);
int files_cosign(struct store *s, struct span note);
int files_witness_add(struct store *s, struct span line);
int files_witness_each(const struct store *s, store_witness_fn fn, void *ctx);
int files_months(struct store *s, bool counted, store_month_fn fn, void *ctx);
int files_month(struct store *s, const char *month, struct store_month *out);
bool files_bodies_there(struct store *s, uint64_t index, unsigned channel, uint64_t *until);
int files_expire(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left);
int files_rebuild(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why);

/* --- bar.c --- */

int files_hold(struct store *s);
int files_bar(struct store *s, struct span line);
int files_barred(struct store *s, struct buf *line);

/* --- log.c: the tree and its checkpoint --- */

/* What a note says, its signatures not looked at. 0, V_BAD. */
int log_peek(struct span note, struct checkpoint *out, struct why *why);
/* The same of one that this key signed (NULL: as log_peek); `name` is for the reason. 0, V_BAD, -errno. */
int log_judge(const struct key *log_key, const char *origin, const char *name, struct span note, struct checkpoint *out,
	struct why *why);
/* Reads what was signed last, and judges it where the log's key is at hand. 0; V_BAD; -errno. */
int log_load_checkpoint(struct store *s, struct why *why);
/* Brings the tree to the checkpoint and compares. For writing. 0; V_BAD; -errno. */
int log_load_tree(struct store *s, struct why *why);
/* Adds the leaves that packs_sync made durable: tree, tiles, checkpoint. 0, -errno. */
int log_extend(struct store *s, bool *signed_now);
/* For reading: takes up what the writer has committed meanwhile. */
int log_refresh(struct store *s);
/* Appends the bytes of a leaf and its body as segment, and parses it. The buffers are cleared first. */
int log_read(
	struct store *s, uint64_t leaf, struct buf *header, struct buf *body, struct segment *out, struct why *why);

/* As store.h has it. */
int files_founder(struct store *s, struct digest *out);

/* --- rebuild.c --- */

/* Tells hosts.db again what the collector's own records say. */
int rebuild_hosts(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why);

/* --- index.c --- */

int index_open(struct store *s, struct index **out);
void index_close(struct index *x);
/*
 * At most `budget` segments, and none begun after `until` (boot clock). `goes_on`: it will be called again soon while
 * something is left, and need not end the transaction now.
 */
int index_step(struct store *s, struct index *x, unsigned budget, int64_t until, bool goes_on, uint64_t *left);
/* For a rebuild: what is left to idle moments otherwise is done at once. */
void index_thorough(struct index *x);
int index_remove(const char *dir);
/* Removes one month: it is made again by the steps that follow. */
int index_forget(const char *dir, const char *month);

/* --- query.c --- */

int asking_open(struct store *s, struct asking **out);
void asking_close(struct asking *a);
int asking_stats(struct asking *a, struct store_stats *out);
int asking_last_row(struct asking *a, uint64_t *row);
int asking_count(struct asking *a, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why);
int asking_query(struct asking *a, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why);

#endif
