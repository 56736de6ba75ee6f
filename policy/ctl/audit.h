/*
 * Judging evidence with public keys alone: signatures, sealing keys, bodies, chains. `verify` feeds it, from a store or
 * from files; it tells every finding with its place.
 */
#ifndef SEKISHO_CTL_AUDIT_H
#define SEKISHO_CTL_AUDIT_H

#include "policy/ctl/ctl.h"
#include "policy/ctl/trail.h"

#define AUDIT_DEVICES_MAX 1000000u
#define AUDIT_EPOCHS_MAX (1u << 24)

struct finding {
	const char *word;  /* "signature", "body", "gap", ...: the same in every language */
	const char *place; /* file, or leaf */
	uint64_t offset;   /* in the file; or the leaf's index */
	bool has_offset;
	const struct header *header; /* NULL where it could not be read */
	const char *text;
};

struct audit_counts {
	uint64_t segments, good, records, bytes, without_body, proven, problems;
};

struct audit;

typedef void (*finding_fn)(void *ctx, const struct finding *f);
/* The name of a place that was given to audit_segment by number. */
typedef const char *(*place_fn)(void *ctx, uint64_t place);

struct audit_options {
	const struct ctl *ctl; /* the language of what is told; borrowed */
	bool partial;          /* files: chains may begin in the middle */
	bool no_bodies;
	bool by_leaf; /* places are leaf indexes: findings carry them as offsets */
	finding_fn finding;
	place_fn place;
	void *ctx;
};

int audit_new(const struct audit_options *o, struct audit **out);
void audit_free(struct audit *a);
DEFINE_CLEANUP(struct audit *, audit_free)

/* A PC's device key (SubjectPublicKeyInfo): its id is its hash, so anybody may bring it. 0, V_BAD, V_FULL, -errno. */
int audit_device(struct audit *a, struct span spki, struct why *why);
/* Was the device key of this PC given? */
bool audit_knows(const struct audit *a, const struct digest *host);
/* A certificate of a sealing key that lies beside the segments, of a PC whose device key was given. 0, V_BAD, V_FULL,
 * -errno. */
int audit_certificate(struct audit *a, const struct digest *host, struct span cert, struct why *why);
/* The epoch certificate that a header carries, so that segments before it find their key too. 0, -errno. */
int audit_learn(struct audit *a, const struct segment *s);
/* Judges one segment, parsed (`offset` is where it lies in its place), and adds it to its chain. 0, V_FULL, -errno. */
int audit_segment(struct audit *a, const struct segment *s, uint64_t place, uint64_t offset);
/* Anything else that is wrong. */
void audit_tell(struct audit *a, const char *word, const char *place, bool has_offset, uint64_t offset,
	const struct header *h, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* All has been given: tells what is missing. */
void audit_end(struct audit *a);
/* Its counts: callers add what they alone know. */
struct audit_counts *audit_counts(struct audit *a);

#endif
