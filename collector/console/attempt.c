/*
 * See attempt.h. Called by sign_in.c for every password that somebody sends.
 */
#include "collector/console/attempt.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_MOST 10.0
#define ADDRESS_EVERY_S 6.0
#define ACCOUNT_MOST 10.0
#define ACCOUNT_EVERY_S 30.0
/* A week of trying finds one code in 300. */
#define CODE_MOST 10.0
#define CODE_EVERY_S 600.0
/* 34 ms each: at most a third of the loop's time. */
#define ALL_MOST 20.0
#define ALL_EVERY_S 0.1

void attempt_network(const char *address, char out[ATTEMPT_KEY_SIZE])
{
	struct in6_addr six;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, address, &six) == 1) {
		if (IN6_IS_ADDR_V4MAPPED(&six)) {
			inet_ntop(AF_INET, six.s6_addr + 12, text, sizeof(text));
		} else {
			memset(six.s6_addr + 8, 0, 8);
			inet_ntop(AF_INET6, &six, text, sizeof(text));
		}
		snprintf(out, ATTEMPT_KEY_SIZE, "%s", text);
	} else {
		snprintf(out, ATTEMPT_KEY_SIZE, "%.60s", address);
	}
}

static uint32_t hash_of(const char *key)
{
	uint32_t h = 2166136261u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h;
}

static double refill(double left, int64_t since_us, double most, double every_s)
{
	double now = left + (double)(since_us < 0 ? 0 : since_us) / 1e6 / every_s;

	return now > most ? most : now;
}

/*
 * Its slot, filled up to now. Eight neighbours are looked at; where none is free, the fullest one (whose owner has the
 * least to forget) makes room.
 */
static struct attempt_slot *slot_of(struct attempts *a, const char *key, double most, double every_s, int64_t now_us)
{
	uint32_t h = hash_of(key);
	struct attempt_slot *best = NULL;
	unsigned i;

	for (i = 0; i < 8; i++) {
		struct attempt_slot *s = &a->slots[(h + i) % ATTEMPT_SLOTS];

		if (!strncmp(s->key, key, sizeof(s->key) - 1)) {
			s->left = refill(s->left, now_us - s->at_us, most, every_s);
			s->at_us = now_us;
			return s;
		}
		if (!best || (best->key[0] && (!s->key[0] || s->left > best->left)))
			best = s;
	}
	snprintf(best->key, sizeof(best->key), "%s", key);
	best->left = most;
	best->at_us = now_us;
	return best;
}

static unsigned seconds(double left, double every_s)
{
	return left >= 1 ? 0 : (unsigned)((1 - left) * every_s) + 1;
}

unsigned attempt_take(struct attempts *a, const char *address, const char *account, bool known, int64_t now_us)
{
	char key[ATTEMPT_KEY_SIZE], network[ATTEMPT_KEY_SIZE];
	struct attempt_slot *s, *of_account = NULL;
	unsigned wait;

	if (!a->begun) {
		a->all_left = ALL_MOST;
		a->all_at_us = now_us;
		a->begun = true;
	}
	attempt_network(address, network);
	s = slot_of(a, network, ADDRESS_MOST, ADDRESS_EVERY_S, now_us);
	wait = seconds(s->left, ADDRESS_EVERY_S);
	if (wait)
		return wait;
	if (!known) {
		/* An address cannot be taken for an account: none begins so. */
		snprintf(key, sizeof(key), "account %.65s", account);
		of_account = slot_of(a, key, ACCOUNT_MOST, ACCOUNT_EVERY_S, now_us);
		wait = seconds(of_account->left, ACCOUNT_EVERY_S);
		if (wait)
			return wait;
	}
	a->all_left = refill(a->all_left, now_us - a->all_at_us, ALL_MOST, ALL_EVERY_S);
	a->all_at_us = now_us;
	if (a->all_left < 1)
		return 1;
	a->all_left--;
	s->left--;
	if (of_account)
		of_account->left--;
	return 0;
}

static struct attempt_slot *slot_of_codes(struct attempts *a, const char *account, bool known, int64_t now_us)
{
	char key[ATTEMPT_KEY_SIZE];

	snprintf(key, sizeof(key), "%s %.65s", known ? "code" : "afar code", account);
	return slot_of(a, key, CODE_MOST, CODE_EVERY_S, now_us);
}

bool attempt_code(struct attempts *a, const char *account, bool known, int64_t now_us)
{
	return slot_of_codes(a, account, known, now_us)->left >= 1;
}

void attempt_wrong_code(struct attempts *a, const char *account, bool known, int64_t now_us)
{
	struct attempt_slot *s = slot_of_codes(a, account, known, now_us);

	s->left = s->left < 1 ? 0 : s->left - 1;
}

void attempt_good(struct attempts *a, const char *address, int64_t now_us)
{
	char network[ATTEMPT_KEY_SIZE];

	attempt_network(address, network);
	slot_of(a, network, ADDRESS_MOST, ADDRESS_EVERY_S, now_us)->left = ADDRESS_MOST;
}

static void give_back(struct attempt_slot *s)
{
	s->left = s->left + 1 > ADDRESS_MOST ? ADDRESS_MOST : s->left + 1;
}

void attempt_undo(struct attempts *a, const char *address, int64_t now_us)
{
	char network[ATTEMPT_KEY_SIZE];

	attempt_network(address, network);
	give_back(slot_of(a, network, ADDRESS_MOST, ADDRESS_EVERY_S, now_us));
}

static struct attempt_slot *slot_of_messages(struct attempts *a, const char *address, int64_t now_us)
{
	char key[ATTEMPT_KEY_SIZE], network[ATTEMPT_KEY_SIZE];

	attempt_network(address, network);
	snprintf(key, sizeof(key), "message %.65s", network);
	return slot_of(a, key, ADDRESS_MOST, ADDRESS_EVERY_S, now_us);
}

unsigned attempt_message(struct attempts *a, const char *address, int64_t now_us)
{
	struct attempt_slot *s = slot_of_messages(a, address, now_us);
	unsigned wait = seconds(s->left, ADDRESS_EVERY_S);

	if (!wait)
		s->left--;
	return wait;
}

void attempt_good_message(struct attempts *a, const char *address, int64_t now_us)
{
	give_back(slot_of_messages(a, address, now_us));
}
