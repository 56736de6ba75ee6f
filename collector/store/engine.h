/*
 * What an engine of the store is: the functions of store.h that differ between engines. What each does, and what it
 * answers, is said there; engine.c chooses the engine and passes calls on.
 *
 *   store_files        packs, tiles and SQLite in a folder (store.c)
 *   store_postgresql   tables of a PostgreSQL database (postgresql/)
 *
 * An engine's own state begins with a pointer to its table: `struct store` is a name for whichever it is.
 */
#ifndef SEKISHO_STORE_ENGINE_H
#define SEKISHO_STORE_ENGINE_H

#include "collector/store/store.h"

struct store_engine {
	int (*open)(const struct store_options *o, struct store **out, struct why *why);
	void (*close)(struct store *s);
	bool (*lost)(const struct store *s);
	int (*again)(struct store *s, struct why *why);
	int (*reach)(struct store *s);
	bool (*full)(const struct store *s); /* NULL: never */
	int (*append)(struct store *s, const struct segment *seg, uint64_t *index);
	int (*commit)(struct store *s);
	bool (*waits)(const struct store *s);        /* NULL: never */
	bool (*trails)(const struct store *s);       /* NULL: never */
	void (*promise)(struct store *s);            /* NULL: nothing to do */
	unsigned (*standbys)(const struct store *s); /* NULL: none */
	int (*index_step)(struct store *s, unsigned budget, uint64_t *left);
	int (*index_for)(struct store *s, unsigned microseconds, uint64_t *left);
	int (*heads)(struct store *s, const struct digest *host, unsigned producer, struct store_head *out,
		unsigned max, unsigned *n);
	int (*find)(struct store *s, const struct digest *header_hash, uint64_t *index, uint64_t *seq);
	int (*has_successor)(struct store *s, const struct digest *host, unsigned producer,
		const struct digest *header_hash, bool *yes);
	int (*epoch)(struct store *s, const struct digest *host, unsigned producer, uint64_t number,
		const uint8_t kid[8], struct buf *cert);
	int (*refresh)(struct store *s);
	uint64_t (*size)(const struct store *s);
	struct span (*checkpoint)(const struct store *s);
	int (*prove_of)(struct store *s, uint64_t index, uint64_t size, struct merkle_proof *out);
	int (*consistency_of)(struct store *s, uint64_t old_size, uint64_t size, struct merkle_proof *out);
	int (*tile)(struct store *s, const char *path, struct buf *out);
	int (*cosigned)(const struct store *s, struct buf *note, uint64_t *size);
	int (*cosign)(struct store *s, struct span note);
	int (*witness_add)(struct store *s, struct span line);
	int (*witness_each)(const struct store *s, store_witness_fn fn, void *ctx);
	int (*read)(struct store *s, uint64_t index, struct buf *header, struct buf *body, struct why *why);
	int (*host_put)(struct store *s, const struct store_host *h);
	int (*host_get)(struct store *s, const struct digest *id, struct store_host *out);
	int (*host_after)(struct store *s, const char *name, const struct digest *id, store_host_fn fn, void *ctx);
	int (*months)(struct store *s, bool counted, store_month_fn fn, void *ctx);
	int (*month)(struct store *s, const char *month, struct store_month *out);
	bool (*bodies_there)(struct store *s, uint64_t index, unsigned channel, uint64_t *until);
	int (*expire)(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left);
	int (*query)(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why);
	int (*count)(struct store *s, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
		struct why *why);
	int (*last_row)(struct store *s, uint64_t *row);
	int (*rebuild)(
		struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why);
	int (*stats)(struct store *s, struct store_stats *out);
	int (*hold)(struct store *s);
	int (*bar)(struct store *s, struct span line); /* empty: takes the bar away */
	int (*barred)(struct store *s, struct buf *line);
	int (*turn)(struct store *s, uint64_t *next);
	int (*founder)(struct store *s, struct digest *out);
	/* NULL where there is one collector only. */
	void (*rest)(struct store *s);
	bool (*shares)(const struct store *s);
	int (*shelf_get)(struct store *s, const char *kind, const char *name, struct buf *value);
	int (*shelf_put)(
		struct store *s, const char *kind, const char *name, struct span value, const struct span *before);
	int (*shelf_drop)(struct store *s, const char *kind, const char *name);
	int (*shelf_each)(struct store *s, const char *kind, store_shelf_fn fn, void *ctx);
	int (*shelf_last)(struct store *s, const char *kind, char name[SHELF_NAME_MAX + 1]);
	int (*host_seen)(struct store *s, const struct digest *id, int64_t when_us);
	int (*hear)(struct store *s, store_heard_fn fn, void *ctx);
	int (*duty)(struct store *s, const char *name, const struct digest *who, int64_t now_us, int64_t every_us,
		int64_t grace_us);
};

extern const struct store_engine store_files, store_postgresql;

#endif
