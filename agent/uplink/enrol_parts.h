/*
 * What the parts of the enrolment command share: enrol.c (this PC) and enrol_ask.c (the collector).
 */
#ifndef SEKISHO_UPLINK_ENROL_PARTS_H
#define SEKISHO_UPLINK_ENROL_PARTS_H

#include "agent/uplink/answer.h"
#include "agent/uplink/token.h"
#include "policy/trust/key.h"
#include <limits.h>

struct enrol {
	const char *url, *name;
	bool again, new_keys;
	bool held; /* new keys are made by the keeper */
	struct token token;
	char device[PATH_MAX], uplink[PATH_MAX], inbox[PATH_MAX], vkey[PATH_MAX];
	uid_t uid; /* of the network side; ours where there is no such user (tests) */
	gid_t gid, seal;
	struct key *device_key, *tls_key;
	char host[2 * DIGEST_SIZE + 1];
};

/* One line to standard error; returns `code`, an exit code of enrol.h. */
int enrol_say(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sends the request and checks that the answer is for this PC and from the collector of the token. 0, or an exit code.
 */
int enrol_ask(struct enrol *e, struct enrol_answer *out);

#endif
