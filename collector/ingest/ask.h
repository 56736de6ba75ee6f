/*
 * What clients ask: JSON bodies, paths and queries. Pure: bytes in, structures out; fuzzed by tests/fuzz/ingest.
 */
#ifndef SEKISHO_INGEST_ASK_H
#define SEKISHO_INGEST_ASK_H

#include "collector/http/parse.h"

/* Strings borrow from `json`. */
struct ask_enrol {
	json_t *json;
	const char *token, *name;
	struct span csr;
	struct buf device_key, proof; /* decoded */
};
int ask_enrol_parse(struct span body, struct ask_enrol *out, struct why *why);
void ask_enrol_deinit(struct ask_enrol *a);

struct ask_renew {
	json_t *json;
	struct span certificate, csr;
	struct buf proof;
};
int ask_renew_parse(struct span body, struct ask_renew *out, struct why *why);
void ask_renew_deinit(struct ask_renew *a);

struct ask_cosign {
	json_t *json;
	struct span witness, cosignature; /* lines; cosign.h */
};
int ask_cosign_parse(struct span body, struct ask_cosign *out, struct why *why);
void ask_cosign_deinit(struct ask_cosign *a);

/*
 * "/tile/0/x001/067" and the like (C2SP tlog-tiles): may this path be looked up below the log's folder? Nothing but
 * digits in groups, the level or "entries", and a width behind ".p/".
 */
bool ask_tile(const char *path);

#endif
