/*
 * The store: segments at rest, the Merkle log over their headers, the query index. One directory:
 *
 *   packs/2026-11.headers   leaves, framed (length, CRC-32C, header bytes), append only
 *   packs/2026-11.recorder.bodies   bodies of a channel, framed the same way; where it is gone they have expired, and
 *                           every proof still holds (RETENTION.md)
 *   packs/2026-11.offsets   where each leaf lies in the two; derived
 *   log/tile/...            C2SP tlog-tiles: hash tiles and entry bundles; log/checkpoint
 *   log/cosigned            the newest checkpoint that PCs have cosigned; log/witnesses: their keys
 *   state/checkpoint        the last checkpoint signed, replaced durably BEFORE it leaves the process
 *   index/2026-11.db        SQLite: what queries read; can be deleted and rebuilt
 *   index/chains.db         headers by hash, heads of chains, epoch certificates: follows the leaves, kept up at
 *                           opening
 *   index/hosts.db          PCs: rebuilt from the collector's own records in the packs
 *   barred                  there where no collector may open it: its log went on elsewhere, or it is being filled
 *   lock                    held by the process that writes
 *
 * One process opens it for writing (sekisho-collector). Any number of others open it for reading beside it (log_key
 * NULL), before or after: `sekishoctl log`, `sekishoctl verify`, a console. Such a reader
 *
 * - takes no lock, holds up nobody, writes nothing, and never checkpoints a database (SQLite before 3.51.3 can corrupt
 *   a WAL otherwise); it needs read permission, also for the -wal and -shm files, so to be in the collector's group;
 * - sees with each store_query, store_last_row, store_host_* and store_stats what was committed to the index when it is
 *   called; within one store_query nothing changes. A query under way delays the writer's checkpoints, not its commits;
 * - has the log as it stood at opening; store_read of a leaf behind it looks again, and store_size then tells what is
 * there;
 * - outlives rebuilds, and a collector that ends or is killed; it need not be opened anew;
 * - calls nothing of "taking in", nor store_host_put (-EROFS).
 *
 * That is the engine "files". The other one is a PostgreSQL database (ENGINES.md says what lies where in it): the same
 * functions with the same answers, but that any number of collectors may have it open for writing, and append in turns.
 */
#ifndef SEKISHO_STORE_STORE_H
#define SEKISHO_STORE_STORE_H

#include "policy/trust/merkle.h"
#include "policy/trust/note.h"
#include "policy/wire/record.h"
#include "policy/wire/segment.h"

struct store;

struct store_options {
	const char *dir;           /* the store's folder; or postgresql://..., a database (ENGINES.md) */
	const struct key *log_key; /* signs checkpoints; NULL opens for reading only */
	const char *origin;        /* the log's name, e.g. "sekisho.example/log/2026" */
	/*
	 * Where the last checkpoint signed is kept; NULL: DIR/state. Better on another disk, and in no backup together
	 * with the rest: a copy that is restored with its own old checkpoint beside it cannot be told from the real one
	 * here (the PCs tell it: they hold newer ones).
	 */
	const char *state_dir;
	int64_t (*now_us)(void); /* NULL: the wall clock; says which month a leaf is put into */
	/*
	 * Opened to be filled with what another store has (move.h): also where it is barred, and by one process alone.
	 * A segment may then come without its body, where that has expired.
	 */
	bool filling;
	/*
	 * So long store_append and store_commit wait for others (a group of another collector's, a standby), then they
	 * answer V_AGAIN and go on in the background: see store_waits and store_trails. 0: as long as it takes. Folders
	 * wait for nobody.
	 */
	unsigned wait_us;
	/*
	 * Opened for reading by who shows to others what he asks: no question to a database takes longer than five
	 * minutes. A database server that does not answer at all is given up after half a minute in any case.
	 */
	bool shows;
	/*
	 * A database's commits have to wait for so many standbys (synchronous_standby_names), or it is not opened, and
	 * is lost as soon as it is seen that they do not. Of folders: 0.
	 */
	unsigned standbys;
	/*
	 * Told of each leaf that another collector has appended, in their order, some of them twice: also of those of
	 * before. Never of this one's own. NULL: nobody.
	 */
	void (*other)(void *ctx, const struct header *h);
	void *other_ctx;
};

/* Is this place of a store a database, and no folder? */
bool store_is_database(const char *place);

/*
 * Opens, recovers what a crash left (a torn frame at the end of a pack is cut off: it was never acknowledged), compares
 * the log with state/checkpoint. 0; V_BAD where the log is smaller than, or differs from, the last checkpoint signed (a
 * restored copy: it must not go on), or a file is damaged: `why` names file and offset; V_EXISTS where another process
 * has it open for writing; -errno.
 */
int store_open(const struct store_options *o, struct store **out, struct why *why);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)
/*
 * Has a store that is open for writing lost its database, so that every call fails, but store_again may bring it back?
 * True also where nobody knows whether the last commit is there, and where the last checkpoint has no room in its
 * folder. Never of files: what fails there is this machine, and where that is room (-ENOSPC, -EDQUOT), store_again
 * helps all the same. Of one opened for reading: its connection is gone, and it has to be opened anew.
 */
bool store_lost(const struct store *s);
/*
 * Connects anew, or opens the folder anew, and compares as store_open does. What was appended and not committed is
 * forgotten; whether a commit whose answer did not come is there is known when this returns 0: what is sent again is
 * V_EXISTS then, or taken in. The caller forgets what it knows by leaves' places behind the last commit that returned
 * 0. 0; V_BAD: another log, or an old copy: it must not go on; V_EXISTS: its index is being made anew; V_AGAIN: all is
 * well but that a standby has to have first what was found; -errno: not yet. After all but 0 it is lost as before.
 * `why` as store_open.
 */
int store_again(struct store *s, struct why *why);
/* Has the database said that its disk is full, since it was connected to? Never of files. */
bool store_full(const struct store *s);
/*
 * Before store_again, by who has something else to do meanwhile: begins to connect, and goes on. V_AGAIN: not there
 * yet, ask again soon; 0: store_again has what came of it, and waits no more for servers that do not answer; -errno.
 */
int store_reach(struct store *s);

/* --- taking in --- */

/*
 * Appends a verified segment; it is neither durable nor in the log before store_commit. Sets *index to its leaf index.
 * 0; V_EXISTS where this very header is there already (*index is set all the same); V_AGAIN where store_commit has to
 * come first; V_FULL as store_commit; -errno.
 */
int store_append(struct store *s, const struct segment *seg, uint64_t *index);
/*
 * fsync of the packs, leaves read back and compared, tree, tiles, checkpoint (compare-and-swap, fsync): all that was
 * appended is durable and proven when this returns 0. Without anything new it does nothing.
 * V_AGAIN where others are waited for (store_waits): it is under way, each further call looks whether it has come, and
 * answers as this one. V_FULL where the disk is full: what was appended since the last commit is forgotten and must not
 * be acknowledged; the store stands where it stood, and may be tried again. -errno: the process must end; what is on
 * the disk is settled when the store is opened again. After that every call answers -EIO.
 */
int store_commit(struct store *s);
/*
 * Is something waited for? Until store_commit answers otherwise than V_AGAIN nothing can be appended, chains and epochs
 * are told as they are committed, which is less than was appended (nothing must be judged by them), and what was
 * appended is neither there nor lost. All that is asked of the committed log is answered meanwhile.
 */
bool store_waits(const struct store *s);
/*
 * Do writes beside the log (PCs, the shelf, witnesses) not wait for a standby? Then they are as durable as the log is
 * once a store_commit that was called behind them has returned 0.
 */
bool store_trails(const struct store *s);
/* For how many servers besides its own each commit waits, as the database last said; 0 of folders. */
unsigned store_standbys(const struct store *s);
/*
 * Somebody is about to be told something that a write beside the log has made so, be it another collector's and long
 * ago: the next store_commit waits for the standby also where nothing was appended. Nothing where store_trails is
 * false.
 */
void store_promise(struct store *s);
/*
 * Takes the turn at the log, until the next store_commit or store_rest: nobody else appends until then, and all that
 * others have committed is seen here. *next: the leaf that is appended next. For what is right only as long as nothing
 * comes between. 0; V_AGAIN: others are waited for, as by store_commit; V_FULL as that; -errno.
 */
int store_turn(struct store *s, uint64_t *next);
/*
 * Nothing will be appended for now: gives others their turn, where V_AGAIN or store_turn has kept it and nothing was
 * appended then.
 */
void store_rest(struct store *s);
/*
 * Makes up to `budget` segments visible to queries, all in one transaction; where none wait, text search takes in the
 * next names. *left: segments that still wait, plus one while names do. Not needed for acknowledging. A damaged index
 * is thrown away and begun anew. 0; V_AGAIN where another collector is at it, with *left 0: it is not for this one to
 * wait for; -errno.
 */
int store_index_step(struct store *s, unsigned budget, uint64_t *left);
/*
 * The same for about so long, a segment more at most. Called again and again while something is left: what one call did
 * is visible when nothing is, or a quarter of a second after the first that did not end.
 */
int store_index_for(struct store *s, unsigned microseconds, uint64_t *left);

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
/*
 * Whose records the host's are, where it is no PC: PRODUCER_COLLECTOR, _CONSOLE, _HERALD, which the collector takes
 * from nobody else. 0 for PCs, and where it cannot be told.
 */
unsigned store_server(struct store *s, const struct digest *host);

/* The leaf with this header hash, also one that waits for commit. 0; V_NOT_FOUND. */
int store_find(struct store *s, const struct digest *header_hash, uint64_t *index, uint64_t *seq);
/* Has any stored header of that chain this header as its predecessor? (Then a second one is a fork.) */
int store_has_successor(
	struct store *s, const struct digest *host, unsigned producer, const struct digest *header_hash, bool *yes);
/*
 * The epoch certificate under which (host, producer, number) seals with the key `kid` (NULL: any); the newest where
 * there are several. V_NOT_FOUND.
 */
int store_epoch(struct store *s, const struct digest *host, unsigned producer, uint64_t number, const uint8_t kid[8],
	struct buf *cert);

/* --- proving --- */

/* For reading beside a writer: takes up what it has committed meanwhile. 0, V_BAD, -errno. */
int store_refresh(struct store *s);
uint64_t store_size(const struct store *s); /* leaves in the committed log */
/* The newest signed checkpoint (a note), valid until the next commit. Empty before the first. */
struct span store_checkpoint(const struct store *s);
int store_prove(struct store *s, uint64_t index, struct merkle_proof *out);          /* in the committed log */
int store_consistency(struct store *s, uint64_t old_size, struct merkle_proof *out); /* to the committed log */
/*
 * Does the log, as `now` signed it, lead on from what had `size` leaves (not more than now->size) and that root? 0;
 * V_DENIED: it is another log; what store_consistency_of returns.
 */
int store_leads_on(struct store *s, uint64_t size, const struct digest *root, const struct checkpoint *now);
/* The same for an older state of the log, of `size` leaves. */
int store_prove_of(struct store *s, uint64_t index, uint64_t size, struct merkle_proof *out);
int store_consistency_of(struct store *s, uint64_t old_size, uint64_t size, struct merkle_proof *out);

/*
 * A part of the committed log as C2SP tlog-tiles names it: "/tile/0/x001/067", "/tile/entries/000.p/5". Appended.
 * 0; V_NOT_FOUND where there is none, or `path` is no such name; -errno.
 */
int store_tile(struct store *s, const char *path, struct buf *out);
#define STORE_TILE_MAX (256u * (SEGMENT_HEADER_MAX + 2u)) /* an entry bundle: 256 headers with their lengths */

/*
 * The newest checkpoint that PCs have cosigned (C2SP tlog-cosignature), appended, with its size. 0; V_NOT_FOUND where
 * there is none; -errno. And the one to hand out for leaves below `leaves`: that one where it covers them, else the
 * newest, which nobody has cosigned yet (empty before the first).
 */
int store_cosigned(const struct store *s, struct buf *note, uint64_t *size);
int store_note(const struct store *s, uint64_t leaves, struct buf *note, uint64_t *size);
/* Keeps one, in the place of the one before. Durable. 0, -errno. */
int store_cosign(struct store *s, struct span note);
/*
 * The witnesses' keys, a line each as witness_read (policy/trust/cosign.h) takes it; of a PC, the last one holds, and
 * those before still tell whose older cosignatures are. Adds one, durably. 0, -errno.
 */
int store_witness_add(struct store *s, struct span line);
/* Returns 0 to go on, V_END to stop; anything else stops too and is returned. Lines that cannot be read come as well.
 */
typedef int (*store_witness_fn)(void *ctx, struct span line);
/* Of those whose cosignatures are under this note, appended, ended by newlines; WITNESSES_MAX is enough. */
int store_witnesses_of(const struct store *s, struct span note, struct buf *lines);
int store_witness_each(const struct store *s, store_witness_fn fn, void *ctx);
/*
 * Leaf bytes, and the body where it has not expired (empty then). Appended to the buffers. V_NOT_FOUND; V_BAD names
 * file and offset of what is damaged (where that is the body, the header is appended all the same).
 */
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
/*
 * The table of PCs is made again (store_rebuild) from the collector's own records: producer PRODUCER_COLLECTOR, and
 * only of the host whose collector chain is first in the log, and of those that count as collectors of it besides
 * (RETENTION.md). They carry:
 *
 *   KIND_ENROL   PEER id, PEER_NAME name, KEY device key (SPKI in DER; its SHA-256 is the id), HASH key id of the TLS
 *                certificate; makes the PC active
 *   KIND_RENEW   PEER id, HASH key id of the new TLS certificate, PEER_NAME
 *   KIND_REVOKE  PEER id, PEER_NAME; TEXT the reason
 *   KIND_RETIRE  the same: it has gone out of use, and nothing was wrong with it
 *
 * The one who takes segments in must refuse PRODUCER_COLLECTOR from any PC.
 */
/*
 * Durable at once, but for store_trails. Where several collectors share the log, one that another has just revoked or
 * retired stays so, whatever is put.
 */
int store_host_put(struct store *s, const struct store_host *h);
/*
 * That the PC was heard of, and nothing else of it: another collector may be changing that. 0 also where it is not
 * known; -errno.
 */
int store_host_seen(struct store *s, const struct digest *id, int64_t when_us);
int store_host_get(struct store *s, const struct digest *id, struct store_host *out);
typedef int (*store_host_fn)(void *ctx, const struct store_host *h);
/* By name, then id. `fn` returns 0 to go on, V_END to stop; anything else stops too and is returned. */
int store_host_each(struct store *s, store_host_fn fn, void *ctx);
/* Is the word the beginning of this PC's id, of eight digits at least, as a filter's `host` may be? */
bool store_host_digits(const char *want, const struct digest *id);
/* The same, behind the PC with this name and id (which need not be there): a page at a time. */
int store_host_after(struct store *s, const char *name, const struct digest *id, store_host_fn fn, void *ctx);

/*
 * Whose chain of PRODUCER_COLLECTOR is the first in the log: with it begins who decides on retention, and whom a
 * rebuild believes. V_NOT_FOUND: there is none yet; V_BAD: a pack is damaged; -errno.
 */
int store_founder(struct store *s, struct digest *out);

/* --- what several collectors share beside the log (ENGINES.md) --- */

/* Is there a place for that? Else every call here answers -ENOSYS. */
bool store_shares(const struct store *s);
/* Names and kinds are text of at most so many bytes; values at most this large. */
#define SHELF_NAME_MAX 128u
#define SHELF_VALUE_MAX (4u << 20)
/* The value is appended. 0; V_NOT_FOUND; V_FULL: larger than the buffer; -errno. */
int store_shelf_get(struct store *s, const char *kind, const char *name, struct buf *value);
/*
 * Durable, but for store_trails. `before` NULL: in the place of whatever is there; empty: only where nothing is there;
 * else: only where this is. V_EXISTS where it is not so, and then nothing is changed; -errno.
 */
int store_shelf_put(struct store *s, const char *kind, const char *name, struct span value, const struct span *before);
/* 0 also where nothing is there. */
int store_shelf_drop(struct store *s, const char *kind, const char *name);
/* By name. Return 0 to go on, V_END to stop; anything else stops too and is returned. */
typedef int (*store_shelf_fn)(void *ctx, const char *name, struct span value);
int store_shelf_each(struct store *s, const char *kind, store_shelf_fn fn, void *ctx);
/* The last name of a kind, by its bytes. 0; V_NOT_FOUND; -errno. */
int store_shelf_last(struct store *s, const char *kind, char name[SHELF_NAME_MAX + 1]);
/*
 * Takes up what others have committed, and tells what changed at other collectors since the last call: "policy" and
 * "follow" with the name on the shelf, "host" with the id in hex of one whose state changed. Hints: anybody who may
 * connect can make them, some may come twice, and none comes for what was while the database was lost. 0; V_BAD; what
 * `fn` returned; -errno.
 */
typedef int (*store_heard_fn)(void *ctx, const char *kind, const char *name);
int store_hear(struct store *s, store_heard_fn fn, void *ctx);
/*
 * May `who` begin now what is begun by one collector at a time, at most every `every_us`? Noted where it may. Whoever
 * did it last waits `grace_us` longer, so that others have their turn. 0; V_AGAIN: not yet; -errno.
 */
int store_duty(struct store *s, const char *name, const struct digest *who, int64_t now_us, int64_t every_us,
	int64_t grace_us);

/* --- retention (RETENTION.md) --- */

/* A month, as the packs have it. A channel is a producer; those that are none have nothing. */
struct store_month {
	char month[8]; /* "2026-11", by the collector's clock when it took the segments in */
	uint64_t first, count;
	bool open;    /* is still being written */
	bool counted; /* else segments are 0, and nothing is said to be gone */
	struct {
		uint64_t segments, bytes; /* bytes: of the bodies that are there */
		bool gone;                /* there are segments, and their bodies are not there */
	} channels[CHANNELS_MAX];
};
/* Return 0 to go on, V_END to stop; anything else stops too and is returned. */
typedef int (*store_month_fn)(void *ctx, const struct store_month *m);
/*
 * Every month, ascending; without `counted`, segments are not counted (which goes through all offsets). A database
 * counts for some 20 ms of each call where wait_us is set, and remembers: who wants them asks again until months are
 * counted. V_BAD where a file is damaged; -errno.
 */
int store_months(struct store *s, bool counted, store_month_fn fn, void *ctx);
/* One of them, counted likewise. V_NOT_FOUND; V_BAD; -errno. */
int store_month(struct store *s, const char *month, struct store_month *out);
/*
 * Are the bodies of a channel there, where leaf `index` lies? False also where that month has none of it. *until: the
 * first leaf for which the answer may be another one.
 */
bool store_bodies_there(struct store *s, uint64_t index, unsigned channel, uint64_t *until);
/*
 * Removes the bodies of a channel of a month, and its rows from the index (which the next steps make again). May be
 * called again at any time, whatever a crash left. The caller has a signed record of it in the committed log. *freed:
 * bytes of bodies. *left: rows are left, and found no more; the same again takes more of them. V_AGAIN: somebody reads
 * the bodies; nothing was done, and may be in some seconds; V_NOT_FOUND: no such month; V_DENIED: it is still being
 * written, or of the collector, whose records say what expired; -errno. Who has not set wait_us waits for all of it.
 */
int store_expire(struct store *s, const char *month, unsigned channel, uint64_t *freed, bool *left);

/* --- asking --- */

#define STORE_FILTER_MAX 32

struct store_filter {
	int64_t from_us, until_us; /* wall clock; 0: open */
	const char *host;          /* name or id in hex (a prefix of at least 8 digits) */
	/*
	 * Only rows of PCs for which this says yes; NULL: everybody's. It is asked once for each PC that is known,
	 * before the first row; those of others are not looked at.
	 */
	bool (*wants)(void *ctx, const struct store_host *h);
	void *wants_ctx;
	const char *user;    /* '*' and '?' too */
	const char *program; /* '*' and '?' as in glob(7); a plain word also matches the last component */
	const char *path;    /* the same; matches path and second path */
	unsigned kinds[STORE_FILTER_MAX], kinds_n;
	unsigned classes[STORE_FILTER_MAX], classes_n;
	const char *text; /* anywhere in path, second path, program, arguments, user; A-Z as a-z */
	unsigned limit;   /* 0: no limit */
	bool newest_first;
	unsigned wanted; /* about so many rows will be taken (0: `limit`): a word for how to look, and no bound */
	unsigned most;   /* the caller takes no more rows (0: all); unlike `limit`, it says nothing of how to look */
	bool has_place;  /* of rows of this moment, only those that come behind place_row */
	int64_t place_us;
	uint64_t place_row;
	bool bare; /* rows come with their number, leaf and F_TIME alone: nothing is read out of the packs; to count */
	uint64_t after_row; /* only rows indexed later than this one (0: from the start): for following */
};

struct store_row {
	uint64_t row;  /* position in the index, for after_row */
	uint64_t leaf; /* its segment */
	struct digest host;
	const char *host_name;
	struct record record; /* borrowed strings, valid during the call */
};
/* Return 0 to go on, V_END to stop; anything else stops too and is what store_query returns. */
typedef int (*store_row_fn)(void *ctx, const struct store_row *row);
/*
 * Works on a store opened for reading beside a running collector. Rows come by time, ascending unless newest_first;
 * with the same time, in the order of the log. 0; V_BAD for a filter that makes no sense; V_FULL where more rows
 * overlap in time than can be sorted, and all of them are wanted (ask for less time, or for less rows).
 */
int store_query(struct store *s, const struct store_filter *f, store_row_fn fn, void *ctx, struct why *why);
/*
 * How many records of each kind lie between two moments (from_us <= time < until_us), of the rows up to `upto`: by the
 * index alone, without their bodies, which may be gone. For counting what nobody would read; an hour of a hundred
 * million records a month is some tens of milliseconds. Kinds of STORE_KINDS and above, which no version has, are left
 * out. `counts` is set, not added to. 0; V_BAD; -errno.
 */
#define STORE_KINDS 256u
int store_count(struct store *s, int64_t from_us, int64_t until_us, uint64_t upto, uint64_t counts[STORE_KINDS],
	struct why *why);
/* The newest row: where following begins. */
int store_last_row(struct store *s, uint64_t *row);

/*
 * Deletes the index and makes it anew from the packs; `progress` (may be NULL) is told leaves done and of how many.
 * Also on a store opened for reading, where no collector runs. 0; V_EXISTS where one does; V_BAD; -errno.
 */
int store_rebuild(struct store *s, void (*progress)(void *ctx, uint64_t done, uint64_t of), void *ctx, struct why *why);

/* --- one store in the place of another (move.h) --- */

/* Why no collector may open a store for writing. Written down: numbers are not used, the words rest (bar.c). */
enum store_bar { STORE_OPEN, STORE_FILLING, STORE_MOVED, STORE_COPY, STORE_OLD };
/*
 * Of a store that is open for reading: keeps those who write away until it is closed. 0; V_EXISTS where one has it
 * open; -errno.
 */
int store_hold(struct store *s);
/*
 * Bars a store that is held or being filled, durably: store_open for writing answers V_BAD from there on, and says
 * where the log is (`place`). STORE_OPEN takes that away. 0, -errno.
 */
int store_set_bar(struct store *s, enum store_bar bar, const char *place);
/* Is it barred? `place` is appended to. 0; V_BAD where what is written there cannot be read; -errno. */
int store_get_bar(struct store *s, enum store_bar *bar, struct buf *place);

struct store_stats {
	uint64_t leaves, indexed, records, hosts;
	uint64_t header_bytes, body_bytes, index_bytes;
};
int store_stats(struct store *s, struct store_stats *out);

#endif
