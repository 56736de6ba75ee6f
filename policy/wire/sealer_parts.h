/*
 * The sealer's own parts: sealer.c seals, chain.c remembers where the chain stands, held.c keeps what cannot be sealed
 * now, room.c keeps the spool within its bound. Nobody else includes this.
 */
#ifndef SEKISHO_WIRE_SEALER_PARTS_H
#define SEKISHO_WIRE_SEALER_PARTS_H

#include "policy/wire/spool.h"
#include <sys/stat.h>
#include <time.h>

#define OPEN_MAGIC "SKO1"
#define OPEN_HEAD 64u
/* Raw bytes of an open segment: even what cannot be compressed fits into a body then. */
#define OPEN_RAW_MAX ((1u << 20) - 16384u)
#define OPEN_SIZE (OPEN_HEAD + OPEN_RAW_MAX)

struct open_head {
	char magic[4];
	uint32_t held;         /* bytes that are on the disk too, whatever becomes of the machine; 0: none */
	uint64_t seq;          /* what its segment will be */
	uint32_t used;         /* bytes of whole records behind the head */
	uint32_t held_flags;   /* SF_URGENT */
	uint8_t boot[16];      /* in another boot its pages are of any age: only what is held is worth something */
	int64_t held_us;       /* boot clock of that boot: when it was held */
	uint8_t held_hash[16]; /* of what is held, and of what says so */
};
_Static_assert(sizeof(struct open_head) == OPEN_HEAD, "it is a file's layout");

/* Where what is not sealed lies: by this the next start knows whether it can have been lost. */
enum chain_open {
	CHAIN_OPEN_NONE,   /* nowhere: the last one stopped in order */
	CHAIN_OPEN_FILE,   /* in the file `open` */
	CHAIN_OPEN_MEMORY, /* in memory alone, as the disk had no room for the file; or lost before, which is not told
			      yet */
};

struct sealer {
	struct sealer_options o;
	char dir[256], own[256], spool_dir[224], seen_path[256];
	int dirfd, ownfd, lock;
	struct digest host;
	uint8_t boot[16];

	/* the chain */
	uint64_t next_seq;
	struct digest prev;
	uint64_t epoch;
	enum chain_open chain_open;
	bool rejoin;
	bool cut; /* the next header says so */

	/* the sealing key */
	struct key *epoch_key;
	uint8_t epoch_boot[16];
	int64_t epoch_since_us; /* this and what follows: clock of that boot */
	int64_t epoch_until_us;
	int64_t epoch_good_us;
	int64_t key_retry_us; /* boot clock: the device key is not asked before; 0: it answered */
	struct buf epoch_cert, handover;

	/* the open segment */
	struct open_head *open; /* mapped */
	bool open_is_file;
	bool recovered, urgent, epoch_fresh;
	unsigned held_n; /* earlier ones that wait for the key in files of their own */
	struct buf raw;  /* memory of the mapping: never grows */
	struct body_writer body;
	int64_t opened_us; /* boot clock of the first record; 0: empty */
	int64_t last_seal_boot_us;
	int64_t follow_until_us;
	int64_t retry_us; /* spool full: not before */
	unsigned lost_n;
	struct loss lost[SEGMENT_CAUSES_MAX];
	bool has_means;
	char means[SEGMENT_MEANS_MAX + 1];

	/* last checkpoint seen */
	struct timespec seen_mtime;
	uint64_t seen_size;
	struct digest seen_root;

	/* self.c: what of its own process and PC every producer tells */
	int64_t clock_us;    /* wall clock less boot clock, as last told */
	int64_t refusals_us; /* boot clock: refused system calls are not told before */

	uint64_t bytes_now;
	int64_t scanned_us;
	struct sealer_stats stats;
};

/* --- chain.c --- */

/* The chain file: replaced durably; and read. 0; V_NOT_FOUND; V_BAD; -errno. */
int chain_store(const struct sealer *s);
int chain_load(struct sealer *s);
/*
 * A segment that was written while the chain file was not: the newest files continue the chain that the file tells.
 * Stops at the first one that does not belong. 0, -errno.
 */
int chain_adopt(struct sealer *s, bool chain_known);
/* The chain file is gone or damaged: the newest segment in the spool says where the chain stands. V_NOT_FOUND without
 * one. */
int chain_from_files(struct sealer *s);

/* --- held.c --- */

/* Writes the open segment through: what is in it now is there after a power cut. 0, -errno. */
int held_write(struct sealer *s);
/* Is that of this boot or of another one, and whole? */
bool held_is_whole(const struct open_head *h, const uint8_t *raw);
/*
 * Puts the open segment's file aside, to be sealed before all that comes, and opens an empty one. V_FULL: it stays
 * where it is; 0, -errno.
 */
int held_put_aside(struct sealer *s);
/* Counts the files that wait; those that were sealed already go. */
void held_scan(struct sealer *s);
/* The oldest that waits: its sequence, and its bytes, head and all, into `out`. 0; V_END; V_BAD: it is damaged. */
int held_oldest(struct sealer *s, uint64_t *seq, struct buf *out);
/* It is sealed (or, `damaged`, put where nobody takes it for one that waits). */
void held_done(struct sealer *s, uint64_t seq, bool damaged);

/* --- sealer.c, for held.c --- */

/* Maps the file `open`, or memory where the disk has no room for it. 0, -errno. */
int open_map(struct sealer *s);
void open_reset(struct sealer *s);

/* --- self.c --- */

/* Where the clock stood when this producer last looked, in this boot; from then on it is compared. */
void self_begin(struct sealer *s);
/*
 * Has the wall clock been set, or a system call of this process been refused? Puts what there is to tell into the open
 * segment by `put`, which tells nothing itself. 0; what `put` said; *told where something was.
 */
int self_look(struct sealer *s, int (*put)(struct sealer *s, const struct record *r), bool *told);
/* Boot clock: when it wants to be looked at next. */
int64_t self_due(const struct sealer *s);

/* --- room.c --- */

/*
 * Is this entry of a folder of segments one that we sealed? Others may write there. Its sequence, and what it is like.
 */
bool room_is_ours(int dirfd, const char *name, uint64_t *seq, struct stat *st);
/* Reads the segment `seq` below `sub` ("." or "acked"), where it is ours. 0; V_NOT_FOUND; V_FULL; -errno. */
int room_read(const struct sealer *s, const char *sub, uint64_t seq, struct buf *out);
/* Counts what the spool holds. */
void room_scan(struct sealer *s, int64_t now_boot_us);
/* Is there room for `need` more bytes? Acknowledged segments give way first, then what the policy says. */
bool room_make(struct sealer *s, uint64_t need, bool urgent, int64_t now_boot_us);

#endif
