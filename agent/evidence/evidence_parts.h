/*
 * The parts of this room: evidence.c keeps the folder, copy.c makes a copy. Nobody else includes this.
 */
#ifndef SEKISHO_EVIDENCE_PARTS_H
#define SEKISHO_EVIDENCE_PARTS_H

#include "agent/evidence/evidence.h"
#include "policy/base/file.h"
#include "policy/trust/envelope.h"

struct evidence_file {
	char name[EVIDENCE_NAME_MAX + 8]; /* with its suffix */
	uint64_t size;
};

struct evidence {
	int dir;
	struct envelope_readers *readers; /* NULL: no orders yet */
	struct envelope_readers *second;  /* NULL: one of the readers opens it alone */
	uint64_t max_bytes;
	bool oldest_goes;
	struct evidence_file *file; /* the oldest first */
	size_t n, room;
	uint64_t bytes;    /* of these */
	uint64_t reserved; /* for copies under way */
	uint64_t dropped;
};

/* Makes room, if need be by letting the oldest go. 0; V_FULL; -errno. */
int evidence_room(struct evidence *e, uint64_t size, struct why *why);
/* Counts a copy that is there. 0, -ENOMEM. */
int evidence_add(struct evidence *e, const char *name, uint64_t size);

#endif
