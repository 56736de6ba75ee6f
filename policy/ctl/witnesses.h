/*
 * Who else saw the log: cosignatures under a checkpoint, judged by keys that came with it (of PCs, each proven by its
 * device key) or by an auditor's policy file.
 */
#ifndef SEKISHO_CTL_WITNESSES_H
#define SEKISHO_CTL_WITNESSES_H

#include "policy/ctl/ctl.h"
#include "policy/trust/cosign.h"
#include "policy/trust/quorum.h"

struct report;

struct witnesses {
	struct quorum *policy; /* NULL: none was given */
	bool has_least;
	unsigned least; /* --witnesses */
	struct digest hosts[NOTE_SIGNATURES_MAX];
	struct verifier keys[NOTE_SIGNATURES_MAX]; /* that came with the evidence */
	unsigned keys_n;
	struct {
		char name[NOTE_NAME_MAX];
		uint64_t time_s;
	} by[NOTE_SIGNATURES_MAX];
	unsigned by_n;
	uint64_t size; /* of what they cosigned */
	bool short_of; /* what was to be covered is not: told in the place of the quorum */
};

/* --witnesses and --witness-policy. EXIT_*, said. */
int witnesses_options(struct report *r);
/*
 * A witness's line that came with the evidence; one that does not prove itself is told. *host (may be NULL): whose, if
 * 0 is returned. 0; V_BAD: told; -errno.
 */
int witnesses_line(struct report *r, struct span line, const char *place, struct digest *host);
/* The same of lines, each ended; told where one is no line. 0; V_BAD: told; -errno. */
int witnesses_lines(struct report *r, struct span lines, const char *place);
/*
 * The cosignatures of a checkpoint that the log signed: counted where they are good, told where they are forged.
 * Strangers are passed over. 0, -errno.
 */
int witnesses_judge(struct report *r, struct span note, uint64_t size, const char *place);
/* All was judged: too few are told. `place` names what should have been cosigned. */
void witnesses_end(struct report *r, const char *place);
/* A line for people, where there is something to say. */
void witnesses_say(const struct report *r);
void witnesses_deinit(struct witnesses *w);

#endif
