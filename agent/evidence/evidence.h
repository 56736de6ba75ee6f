/*
 * Copies of documents that are kept as evidence: encrypted to the auditor's certificates (policy/trust/envelope.h) in a
 * folder of bounded size. Used by the print daemon where a rule of the policy asks for it. Whoever writes here cannot
 * read it again; a copy is made in small steps, so that nothing else waits for it.
 *
 * A copy is a file NAME.cms. One that is under way is NAME.tmp, and is removed at the next start. That it is the right
 * one is what the job's signed record says: the SHA-256 of the document that comes out of it.
 */
#ifndef SEKISHO_EVIDENCE_EVIDENCE_H
#define SEKISHO_EVIDENCE_EVIDENCE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"

#define EVIDENCE_FOLDER "/var/lib/sekisho/evidence" /* of prints; those of drives lie in a folder of it */
#define EVIDENCE_NAME_MAX 100u                      /* bytes, without the suffix */
#define EVIDENCE_FILES_MAX 65536u                   /* more are not kept, whatever their size */
#define EVIDENCE_OVERHEAD 16384u /* what two envelopes may add, and a part in fifty of the document */

/* What the policy says. */
struct evidence_orders {
	struct span certificates; /* PEM, one or more (envelope_readers_read) */
	struct span second;       /* empty, or of those who must open it behind one of the first */
	uint64_t max_bytes;       /* of all copies together */
	bool oldest_goes;         /* where it is full: the oldest go; otherwise the new one is not made */
};

struct evidence;
struct evidence_copy;

/* Takes the folder (made 0700 where missing) and counts what is there. 0; V_BAD where others may write into it; -errno.
 */
int evidence_open(const char *folder, struct evidence **out, struct why *why);
void evidence_close(struct evidence *e);
DEFINE_CLEANUP(struct evidence *, evidence_close)

/* New orders; the old ones stay where these are none. 0; V_BAD; -ENOMEM. */
int evidence_order(struct evidence *e, const struct evidence_orders *o, struct why *why);

/*
 * Begins a copy of a file that is open for reading (from its start; its offset is not used; the descriptor is
 * duplicated). `name` sorts by time: the oldest go first. 0; V_FULL where it does not fit; V_EXISTS; V_BAD: no orders,
 * no regular file, or a name with anything but letters, digits, dot, hyphen and underscore; -errno.
 */
int evidence_begin(struct evidence *e, const char *name, int document, struct evidence_copy **out, struct why *why);
/* The next part. 0: it is there, for good; V_AGAIN: call again; V_FULL: the disk is; V_BAD: the document shrank;
 * -errno. */
int evidence_step(struct evidence_copy *c, struct why *why);
/* Begins *copy (NULL: not begun yet), then the next part. Verdicts of both. */
int evidence_go_on(struct evidence *e, const char *name, int document, struct evidence_copy **copy, struct why *why);
/* What was copied, when evidence_step said 0: SHA-256 and size of the document. */
void evidence_made(const struct evidence_copy *c, struct digest *hash, uint64_t *bytes);
/* Ends it; what was not done is removed. NULL is fine. Copies end before their evidence closes. */
void evidence_copy_free(struct evidence_copy *c);
DEFINE_CLEANUP(struct evidence_copy *, evidence_copy_free)

struct evidence_state {
	uint64_t bytes, files;
	uint64_t dropped; /* copies that had to go since evidence_open, the oldest first */
};
void evidence_state(const struct evidence *e, struct evidence_state *out);

#endif
