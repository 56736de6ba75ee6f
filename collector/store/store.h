/*
 * The store: segments at rest, the Merkle log over their headers, the query index. One directory:
 *
 *   packs/2026-11.headers   leaves, framed (length, CRC-32C, header bytes), append only
 *   packs/2026-11.bodies    bodies, framed the same way; deleting the file ends retention, every proof still holds
 *   log/tile/...            C2SP tlog-tiles: hash tiles and entry bundles; log/checkpoint
 *   state/checkpoint        the last checkpoint signed, replaced durably BEFORE it leaves the process
 *   index/2026-11.db        SQLite: what queries read; can be deleted and rebuilt
 *   index/hosts.db          PCs, chains, certificates: rebuilt from the collector's own records in the packs
 *
 * One process opens it for writing (sekisho-collector); others open it read-only and never checkpoint the database
 * (SQLite before 3.51.3 can corrupt a WAL otherwise). This header is what a second engine will implement too.
 */
#ifndef SEKISHO_STORE_STORE_H
#define SEKISHO_STORE_STORE_H

#include "policy/trust/merkle.h"
#include "policy/trust/note.h"
#include "policy/wire/record.h"
#include "policy/wire/segment.h"

struct store;

struct store_options {
	const char *dir;
	const struct key *log_key; /* signs checkpoints; NULL opens for reading only */
	const char *origin;        /* the log's name, e.g. "sekisho.example/log/2026" */
};

/*
 * Opens, recovers what a crash left (a torn frame at the end of a pack is cut off: it was never acknowledged), compares
 * the log with state/checkpoint. 0; V_BAD where the log is smaller than, or differs from, the last checkpoint signed (a
 * restored copy: it must not go on), or a file is damaged: `why` names file and offset; V_EXISTS where another process
 * has it open for writing; -errno.
 */
int store_open(const struct store_options *o, struct store **out, struct why *why);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/* --- taking in --- */

/*
 * Appends a verified segment; it is neither durable nor in the log before store_commit. Sets *index to its leaf index.
 * 0; V_EXISTS where this very header is there already (*index is set all the same); -errno.
 */
int store_append(struct store *s, const struct segment *seg, uint64_t *index);
/*
 * fsync of the packs, leaves read back and compared, tree, tiles, checkpoint (compare-and-swap, fsync): all that was
 * appended is durable and proven when this returns 0. Without anything new it does nothing. -errno: the process must
 * end.
 */
int store_commit(struct store *s);
/* Indexes up to `budget` segments for queries. *left: how many still wait. Not needed for acknowledging. */
int store_index_step(struct store *s, unsigned budget, uint64_t *left);

/* The chain of (host, producer): its heads. More than one head: the history forked (a cloned disk, a restored image).
 */
struct store_head {
	struct digest hash; /* of the last header */
	uint64_t seq;
	uint64_t epoch;
};
/* 0; V_NOT_FOUND where nothing is known. Fills at most `max` heads, newest first; *n is how many there are. */
int store_heads(struct store *s, const struct digest *host, unsigned producer, struct store_head *out, unsigned max,
	unsigned *n);
/* The leaf with this header hash, also one that waits for commit. 0; V_NOT_FOUND. */
int store_find(struct store *s, const struct digest *header_hash, uint64_t *index, uint64_t *seq);
/* Has any stored header of that chain this header as its predecessor? (Then a second one is a fork.) */
int store_has_successor(
	struct store *s, const struct digest *host, unsigned producer, const struct digest *header_hash, bool *yes);
/* The epoch certificate under which (host, producer, number) seals; the newest where a chain forked. V_NOT_FOUND. */
int store_epoch(struct store *s, const struct digest *host, unsigned producer, uint64_t number, const uint8_t kid[8],
	struct buf *cert);

/* --- proving --- */

uint64_t store_size(const struct store *s); /* leaves in the committed log */
/* The newest signed checkpoint (a note), valid until the next commit. Empty before the first. */
struct span store_checkpoint(const struct store *s);
int store_prove(struct store *s, uint64_t index, struct merkle_proof *out);          /* in the committed log */
int store_consistency(struct store *s, uint64_t old_size, struct merkle_proof *out); /* to the committed log */
/* Leaf bytes, and the body where it has not expired (empty then). Appended to the buffers. V_NOT_FOUND, V_BAD. */
int store_read(struct store *s, uint64_t index, struct buf *header, struct buf *body, struct why *why);

/* --- PCs --- */

enum store_host_state { HOST_ACTIVE = 1, HOST_REVOKED = 2, HOST_RETIRED = 3 };

struct store_host {
	struct digest id;
	char name[128];
	enum store_host_state state;
	uint8_t spki[256]; /* device key, SubjectPublicKeyInfo in DER */
	size_t spki_len;
	struct digest tls_key; /* key id of the current TLS certificate */
	int64_t enrolled_us, last_seen_us;
};
int store_host_put(struct store *s, const struct store_host *h); /* durable at once */
int store_host_get(struct store *s, const struct digest *id, struct store_host *out);
typedef int (*store_host_fn)(void *ctx, const struct store_host *h);
int store_host_each(struct store *s, store_host_fn fn, void *ctx);

/* --- asking --- */

#define STORE_FILTER_MAX 16

struct store_filter {
	int64_t from_us, until_us; /* wall clock; 0: open */
	const char *host;          /* name or id in hex (a prefix of at least 8 digits) */
	const char *user;
	const char *program; /* '*' and '?' as in glob(7); a plain word also matches the last component */
	const char *path;    /* the same; matches path and second path */
	unsigned kinds[STORE_FILTER_MAX], kinds_n;
	unsigned classes[STORE_FILTER_MAX], classes_n;
	const char *text; /* anywhere in path, second path, program, arguments, user */
	unsigned limit;   /* 0: no limit */
	bool newest_first;
	uint64_t after_row; /* only rows indexed later than this one (0: from the start): for following */
};

struct store_row {
	uint64_t row;  /* position in the index, for after_row */
	uint64_t leaf; /* its segment */
	struct digest host;
	const char *host_name;
	struct record record; /* borrowed strings, valid during the call */
};
/* Return 0 to go on, V_END to stop. */
typedef int (*store_row_fn)(void *ctx, const struct store_row *row);
/* Works on a store opened for reading beside a running collector. 0; V_BAD for a filter that makes no sense. */
int store_query(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why);
/* The newest row: where following begins. */
int store_last_row(struct store *s, uint64_t *row);

/* Deletes the index and makes it anew from the packs; `progress` (may be NULL) is told leaves done and of how many. */
int store_rebuild(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why);

struct store_stats {
	uint64_t leaves, indexed, records, hosts;
	uint64_t header_bytes, body_bytes, index_bytes;
};
int store_stats(struct store *s, struct store_stats *out);

#endif
