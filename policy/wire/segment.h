/*
 * A segment: the batch and the evidence. The same bytes lie in a PC's spool, travel, and are kept.
 *
 *   "SKS1" | u32 header size, big-endian | header: COSE_Sign1 | body: 16 bytes of salt, then one zstd frame
 *
 * The header is signed and names the body by SHA-256; it is the leaf of the collector's log. See FORMAT.md.
 */
#ifndef SEKISHO_WIRE_SEGMENT_H
#define SEKISHO_WIRE_SEGMENT_H

#include "policy/trust/cose.h"
#include "policy/trust/note.h"

#define SEGMENT_FORMAT 1
#define SEGMENT_PREFIX 8 /* magic and header size */
#define SEGMENT_HEADER_MAX 4096u
#define SEGMENT_BODY_MAX (1u << 20) /* compressed, with salt */
#define SEGMENT_MAX (SEGMENT_PREFIX + SEGMENT_HEADER_MAX + SEGMENT_BODY_MAX)
#define SEGMENT_SALT 16
#define SEGMENT_CAUSES_MAX 16
#define SEGMENT_MEANS_MAX 128u /* bytes of text */

#define SEGMENT_AAD "sekisho segment 1"
#define EPOCH_AAD "sekisho epoch 1"
#define HANDOVER_AAD "sekisho handover 1"

/* Who makes segments: each has a chain of its own on each host. Append only. */
enum producer {
	PRODUCER_RECORDER = 1,
	PRODUCER_GUARD = 2,
	PRODUCER_PRINT = 3,
	PRODUCER_UPLINK_RESERVED = 4, /* never used: what meets the network signs nothing */
	PRODUCER_POSTURE = 5,         /* a run each day; see agent/posture */
	PRODUCER_COLLECTOR = 16,
	PRODUCER_CONSOLE = 17, /* who looked at the logs; beside the collector, taken from its spool */
	PRODUCER_HERALD = 18,  /* alerts; the same */
	PRODUCER_LAST = PRODUCER_HERALD,
};
/* "recorder"; NULL for unknown ones. */
const char *producer_name(unsigned p);

/* What evidence is kept by: a channel is that of one producer, over all PCs (collector/store/RETENTION.md). */
#define CHANNELS_MAX (PRODUCER_LAST + 1u)
/* The channel of this name. False where there is none. */
bool channel_by_name(const char *name, unsigned *channel);

enum {
	SF_RECOVERED = 1 << 0, /* holds what an open segment held when its producer ended without sealing */
	SF_HEARTBEAT = 1 << 1, /* nothing happened: the PC is up */
	SF_URGENT = 1 << 2,    /* sealed at once */
	SF_LAST = 1 << 3,      /* last of its epoch: the producer stops or hands over */
	SF_REJOIN = 1 << 4,    /* the chain's state was lost: seq begins anew without a predecessor */
	SF_CUT = 1 << 5,       /* the producer ended without a word before this: what it had not sealed may be lost */
};

/* How much was lost, and why. Lists of them ascend by cause. */
struct loss {
	unsigned cause; /* CAUSE_* */
	uint64_t n;
};

struct header {
	struct digest host; /* id of the PC: SHA-256 of its device key */
	unsigned producer;
	uint8_t boot[16];
	uint64_t epoch; /* number of the sealing key, counts up within (host, producer) */
	uint64_t seq;   /* counts up by one within the chain, for ever; 0 for the first */
	bool has_prev;
	struct digest prev; /* SHA-256 of the previous header's bytes; absent only where seq is 0 */
	struct digest body_hash;
	uint32_t body_len, raw_len, count;
	int64_t first_us, last_us; /* wall clock, first and last record (or of sealing, where empty) */
	int64_t boot_us;           /* boot clock at sealing */
	uint64_t policy;           /* version in force */
	uint64_t flags;
	uint64_t seen_size; /* last checkpoint that this PC saw; 0: none */
	struct digest seen_root;
	unsigned lost_n; /* lost since the previous header, by cause */
	struct loss lost[SEGMENT_CAUSES_MAX];
	struct span epoch_cert; /* in the first segment of an epoch; borrowed */
	struct span handover;   /* its signature by the previous epoch's key, where that key was still there */
	bool has_means;
	struct span means; /* by which means devices are held, proven last: names, separated by commas; borrowed */
};

/*
 * An epoch certificate: the device key's word (COSE_Sign1, ES256, EPOCH_AAD) that an Ed25519 key seals for a producer.
 * Payload: {1: host, 2: producer, 3: epoch, 4: public key, 5: boot, 6: not-before us, 7: not-after us, 8: boot clock at
 * not-before}. How long the key is good is judged by the boot clock, which nobody sets: a wall clock that jumps by
 * years makes no evidence bad.
 */
struct epoch {
	struct digest host;
	unsigned producer;
	uint64_t number;
	uint8_t public_key[32];
	uint8_t boot[16];
	int64_t not_before_us, not_after_us;
	bool has_since;   /* false in certificates from before this was told: their time is not judged */
	int64_t since_us; /* boot clock at not-before */
};
int epoch_certify(const struct key *device, const struct epoch *e, struct buf *out);
/* Checks signature and that host is the device key's id. 0 or V_BAD. */
int epoch_verify(struct span cert, const struct key *device, struct epoch *out, struct why *why);

/* --- sealing --- */

struct segment_writer {
	const struct key *epoch_key;
	struct header header; /* the caller fills everything but body_* and raw_len */
};

/* Compresses `raw`, salts, hashes, signs; appends the whole segment to `out`; `hash` is the header's SHA-256. */
int segment_seal(struct segment_writer *w, struct span raw, struct buf *out, struct digest *hash);

/* Appends the whole segment of a header (a leaf of the log) and its body. 0; V_FULL, -ENOMEM: nothing was appended. */
int segment_join(struct span header, struct span body, struct buf *out);

/* --- opening --- */

struct segment {
	struct span bytes;        /* the whole segment */
	struct span header_bytes; /* the COSE_Sign1: the leaf */
	struct span body;         /* salt and frame; empty where only the header is at hand */
	struct digest hash;       /* SHA-256 of header_bytes */
	struct cose_sign1 cose;
	struct header header; /* as claimed, until segment_verify returned 0 */
};

/*
 * Takes apart the segment at the start of `in` (more may follow; out->bytes.n says how long it is). Checks form and
 * bounds only. 0; V_AGAIN where `in` ends early (a longer input may be fine); V_BAD.
 */
int segment_parse(struct span in, struct segment *out, struct why *why);
/* The same for a header alone (a leaf of the log). */
int header_parse(struct span leaf, struct segment *out, struct why *why);

/*
 * Verdicts of segment_verify, beside V_BAD (form): the CAUSE_* number that a REFUSED record gives.
 *   CAUSE_BAD_SIGNATURE, CAUSE_BAD_BODY, CAUSE_BAD_EPOCH, CAUSE_FOREIGN
 * `e` is the epoch that the header's number names, already verified. Checks: epoch belongs to the host and producer and
 * number, the header was sealed within the epoch's time, signature of the header by its key, body hash and length
 * (skipped for a header alone). 0 on success.
 */
int segment_verify(const struct segment *s, const struct epoch *e, struct why *why);
/* Signature of the previous epoch's key over `cert` (HANDOVER_AAD). */
int handover_sign(const struct key *previous, struct span cert, struct buf *out);
int handover_verify(struct span handover, struct span cert, const struct epoch *previous, struct why *why);

/* Decompresses the body of a verified segment into `raw` (cleared first). raw_len is enforced both ways. 0, V_BAD. */
int segment_raw(const struct segment *s, struct buf *raw, struct why *why);

#endif
