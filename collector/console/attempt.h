/*
 * How often somebody may try to sign in: buckets that fill up again with time, by address and by account, in a table of
 * fixed size. Pure: the caller says what time it is.
 *
 * A third party must not lock an owner out: what strangers do to an account never makes the address wait from which its
 * owner signed in last.
 */
#ifndef SEKISHO_CONSOLE_ATTEMPT_H
#define SEKISHO_CONSOLE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#define ATTEMPT_SLOTS 4096u
#define ATTEMPT_KEY_SIZE 80

struct attempts {
	struct attempt_slot {
		char key[ATTEMPT_KEY_SIZE];
		double left;
		int64_t at_us;
	} slots[ATTEMPT_SLOTS];
	double all_left; /* password checks of everybody: they cost the loop's time */
	int64_t all_at_us;
	bool begun;
};

/*
 * May `address` try `account` now? 0, and one attempt is taken; else seconds to wait. `known`: the owner signed in from
 * there last.
 */
unsigned attempt_take(struct attempts *a, const char *address, const char *account, bool known, int64_t now_us);
/*
 * May a code be tried for `account`, whose password was right? Who has the password would else have as many codes as
 * attempts, and needs half a million. Two bounds: what somebody does from elsewhere (`known` false) leaves the owner
 * theirs.
 */
bool attempt_code(struct attempts *a, const char *account, bool known, int64_t now_us);
/* The code was wrong, behind the right password: one is taken. */
void attempt_wrong_code(struct attempts *a, const char *account, bool known, int64_t now_us);
/* The attempt was a good one, of somebody who is signed in: the address has it back, and no more than that. */
void attempt_undo(struct attempts *a, const char *address, int64_t now_us);
/* Somebody signed in, with all that this takes: the address has its attempts back. */
void attempt_good(struct attempts *a, const char *address, int64_t now_us);
/*
 * May a machine at `address` bring a message that it signs (backchannel.c)? As attempt_take, but counted apart: who
 * fills that door keeps nobody from signing in, and nobody's password is checked there.
 */
unsigned attempt_message(struct attempts *a, const char *address, int64_t now_us);
/* It was a good one: the address has that attempt back. */
void attempt_good_message(struct attempts *a, const char *address, int64_t now_us);
/* The part of an address that one network user has: an IPv4 address, the first 64 bits of an IPv6 one. */
void attempt_network(const char *address, char out[ATTEMPT_KEY_SIZE]);

#endif
