/*
 * The collector's answers (JSON, collector/ingest/PROTOCOL.md), checked and taken apart. Pure: no files, no network.
 *
 * Unknown members are passed over, so that a newer collector can say more. Everything that is read has its type and
 * bound checked; strings that go to logs come out escaped.
 */
#ifndef SEKISHO_UPLINK_ANSWER_H
#define SEKISHO_UPLINK_ANSWER_H

#include "policy/trust/merkle.h"
#include "policy/trust/note.h"
#include "policy/wire/api.h"

enum result_status {
	RESULT_STORED = 1, /* in the log, proof follows */
	RESULT_KNOWN,      /* was there already, proof follows */
	RESULT_GAP,        /* its predecessor is not known there */
	RESULT_REFUSED,    /* never will be taken */
};

struct result {
	enum result_status status;
	bool has_seq; /* a refused segment need not have one: the collector could not read it */
	uint64_t seq;
	uint64_t index;            /* stored, known: its leaf */
	struct merkle_proof proof; /* stored, known */
	uint64_t expected;         /* gap: what should come next */
	char cause[32];            /* refused; escaped */
	char reason[160];          /* refused; escaped */
};

/* What the collector's log looks like now. */
struct log_state {
	char checkpoint[NOTE_SIZE_MAX + 1]; /* a note, not yet verified; empty while the log is empty */
	struct merkle_proof consistency;
};

struct answer {
	unsigned n;
	struct result results[API_SEGMENTS_MAX];
	struct log_state log;
};

/* The answer to POST /v1/segments with `n` segments: as many results, in order. 0 or V_BAD. */
int answer_segments(struct span json, unsigned n, struct answer *out, struct why *why);
/* The answer to GET /v1/consistency. 0 or V_BAD. */
int answer_consistency(struct span json, struct log_state *out, struct why *why);

struct wait_answer {
	uint64_t follow_s; /* somebody follows this PC for so long; at most ANSWER_FOLLOW_MAX_S */
	uint64_t policy;
	bool cosign; /* this PC's cosignature is asked for */
};
#define ANSWER_FOLLOW_MAX_S 86400u
/* What it brings of a signed policy is appended to `policy`: nothing where the PC is to fetch it. */
int answer_wait(struct span json, struct wait_answer *out, struct buf *policy, struct why *why);

struct enrol_answer {
	char host[2 * DIGEST_SIZE + 1];
	char certificate[8192], ca[8192]; /* PEM */
	char log[512];                    /* verifier key */
	char collector[128];              /* its name; escaped */
	char admins[8192];                /* text of admin.keys; empty where there is none */
};
int answer_enrol(struct span json, struct enrol_answer *out, struct why *why);

/* The answer to POST /v1/renew: the new certificate in PEM. */
int answer_renew(struct span json, char *certificate, size_t size, struct why *why);

/* An answer that is not 200. What is missing or cannot be read is left empty: an error is an error all the same. */
struct error_answer {
	char error[32];                     /* the word; empty where it is not one */
	char reason[160];                   /* escaped */
	char checkpoint[NOTE_SIZE_MAX + 1]; /* of "behind" */
};
void answer_error(struct span json, struct error_answer *out);

#endif
