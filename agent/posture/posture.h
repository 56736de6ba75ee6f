/*
 * How a PC is kept: six checks, each with a state and the facts behind it. Called by main.c, and by tests on systems
 * that are made up below a folder. Reads only; whatever cannot be read or told is unknown, with the reason in its
 * facts.
 */
#ifndef SEKISHO_POSTURE_H
#define SEKISHO_POSTURE_H

#include "policy/base/buf.h"
#include <stdint.h>

#define POSTURE_CHECKS 6u
#define POSTURE_FACTS_MAX 512u      /* bytes of words */
#define POSTURE_AGE_MAX (7 * 86400) /* seconds that signatures and package lists may be old */
#define POSTURE_LOCK_MAX 900u       /* seconds without input until a screen must be locked */
#define POSTURE_PASSWORD_MIN 8u     /* characters, as NIST SP 800-63B-4 and the seed's rules have for a second factor */
#define POSTURE_OUTPUT_MAX (4u << 20) /* bytes of a program's output */

struct posture_place {
	const char *root; /* "" for this system; a folder for one that is made up */
	int64_t now;      /* seconds since 1970 */
};

/* What only root may read, taken before power is given up; empty where it could not be had. */
struct posture_taken {
	struct buf shadow;           /* /etc/shadow */
	struct buf nft;              /* nft --json list ruleset */
	struct buf legacy, legacy_6; /* iptables-legacy-save, ip6tables-legacy-save: where such rules are loaded */
	bool has_nft, has_shadow;
};

struct posture_fact {
	uint64_t check; /* CHECK_* of enums.def */
	uint64_t state; /* STATE_* */
	struct buf words;
};

/* As root: reads and runs, understands nothing. Never fails: what is missing is unknown later. */
void posture_take(const struct posture_place *at, struct posture_taken *out);
void posture_taken_deinit(struct posture_taken *t);
/*
 * The checks of which `which` has the bit 1 << CHECK_* into `out`, *n of them (POSTURE_CHECKS at most), words to be
 * freed by buf_deinit(). 0; -ENOMEM.
 */
#define POSTURE_ALL (~UINT64_C(0))
int posture_look(const struct posture_place *at, const struct posture_taken *t, uint64_t which,
	struct posture_fact *out, size_t *n);

/* --- one check each; 0; -ENOMEM --- */
int posture_disks(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);
int posture_desktop(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);
int posture_passwords(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);
int posture_antivirus(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);
int posture_updates(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);
int posture_firewall(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);

/* What `apt-get -s dist-upgrade` printed: how many packages it would renew, and how many of them for security. */
void posture_apt_count(struct span output, uint64_t *updates, uint64_t *security);

/* --- for the checks --- */

/* A text file below the place, whole and with a NUL behind it; empty where there is none. 0; -ENOMEM. */
int posture_read(const struct posture_place *at, const char *path, struct buf *out);
/* Is it there? */
bool posture_there(const struct posture_place *at, const char *path);
/* ROOT + path into `out` of PATH_MAX bytes. False where it is too long. */
bool posture_path(const struct posture_place *at, const char *path, char *out);
/*
 * Runs a program with `args` (args[0] its path), a bare environment and no input, and takes what it prints. It is
 * killed after `seconds`. True: it ended with 0 and its output was not too long.
 */
bool posture_ask(const char *const *args, unsigned seconds, struct buf *out);
/* Adds "name=value" (printf) behind a space. Words that do not fit are left out, which "..." says. */
void posture_say(struct posture_fact *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The worse of what was said and `state`: weak before unknown before good before not-applicable. */
void posture_judge(struct posture_fact *f, uint64_t state);
/* Calls `line` for each line of `text` (no newline, NUL at its end; it may be changed). */
void posture_lines(struct buf *text, void (*line)(void *ctx, char *line), void *ctx);
/*
 * The same for each file of a folder, by name, that `take` (told its name) wants; POSTURE_FILES_MAX of them at most. 0;
 * -ENOMEM.
 */
#define POSTURE_FILES_MAX 64
int posture_files(const struct posture_place *at, const char *folder, bool (*take)(void *ctx, const char *name),
	void (*line)(void *ctx, char *line), void *ctx);

#endif
