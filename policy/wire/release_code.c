/*
 * Release codes. See release_code.h, and RELEASE.md for why they are as they are.
 */
#include "policy/wire/release_code.h"
#include <ctype.h>
#include <errno.h>

#define PURPOSE "sekisho release 1"
#define GROUP 4
#define ANSWER_BITS 60 /* 8 of terms, 52 of proof: three groups */
#define CHALLENGE_GROUPS 5
#define ANSWER_GROUPS 3
#define FIELD_POLY 0x25 /* GF(32) by x^5 + x^2 + 1: modulo a number, two of 32 symbols would be alike */

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int value_of(char c)
{
	const char *at;

	c = (char)toupper((unsigned char)c);
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	at = c ? strchr(symbols, c) : NULL;
	return at ? (int)(at - symbols) : -1;
}

/* A sum in GF(32), each symbol with a weight of its own: it tells one that is wrong, and two exchanged. */
static int check_of(const int v[GROUP], unsigned group)
{
	int sum = 0, i;

	for (i = 0; i < GROUP; i++) {
		sum = (sum ^ v[i]) << 1;
		sum ^= sum & 32 ? FIELD_POLY : 0;
	}
	/* The number of the group counts too: groups that are said in another order are told. */
	return sum ^ (int)(group + 1);
}

/* 5 bits at `at` of a string of bits, the first bit first; beyond its end zeros. */
static int bits_at(const uint8_t *p, size_t n, size_t at)
{
	int v = 0, i;

	for (i = 0; i < 5; i++, at++)
		v = v << 1 | (at / 8 < n ? p[at / 8] >> (7 - at % 8) & 1 : 0);
	return v;
}

static void put_text(const uint8_t *p, size_t n, unsigned groups, char *out)
{
	unsigned g, i;

	for (g = 0; g < groups; g++) {
		int v[GROUP];

		for (i = 0; i < GROUP; i++) {
			v[i] = bits_at(p, n, (g * GROUP + i) * 5);
			*out++ = symbols[v[i]];
		}
		*out++ = symbols[check_of(v, g)];
		if (g + 1 < groups)
			*out++ = ' ';
	}
	*out = 0;
}

static int parse_text(const char *text, unsigned groups, uint8_t *p, size_t n, struct why *why)
{
	unsigned count = 0;
	int v[GROUP] = {0};

	memset(p, 0, n);
	for (; *text; text++) {
		unsigned g = count / (GROUP + 1), i = count % (GROUP + 1);
		int x;

		if (isspace((unsigned char)*text) || *text == '-' || *text == '.')
			continue;
		x = value_of(*text);
		if (x < 0)
			return WHY_BOTH(why, V_BAD, "group %u: a sign that no code has",
				"%u 組目: コードにない文字があります", g + 1);
		if (g == groups)
			return WHY_BOTH(why, V_BAD, "too long: %u groups of five belong there",
				"長すぎます: 5 文字 %u 組を入力してください", groups);
		if (i == GROUP) {
			if (x != check_of(v, g))
				return WHY_BOTH(why, V_BAD, "group %u was misheard or mistyped",
					"%u 組目に聞き間違いか入力の誤りがあります", g + 1);
		} else {
			size_t bit = (g * GROUP + i) * 5;
			int k;

			v[i] = x;
			for (k = 0; k < 5; k++, bit++)
				if (bit / 8 < n)
					p[bit / 8] |= (uint8_t)((x >> (4 - k) & 1) << (7 - bit % 8));
		}
		count++;
	}
	if (count != groups * (GROUP + 1))
		return WHY_BOTH(why, V_BAD, "too short: %u groups of five belong there",
			"短すぎます: 5 文字 %u 組を入力してください", groups);
	return 0;
}

static void pack(const struct release_challenge *c, uint8_t out[RELEASE_CHALLENGE_SIZE])
{
	memcpy(out, c->host, RELEASE_HOST_SIZE);
	memcpy(out + RELEASE_HOST_SIZE, c->device, RELEASE_DEVICE_SIZE);
	memcpy(out + RELEASE_HOST_SIZE + RELEASE_DEVICE_SIZE, c->nonce, RELEASE_NONCE_SIZE);
}

void release_challenge_text(const struct release_challenge *c, char out[RELEASE_TEXT_SIZE])
{
	uint8_t bytes[RELEASE_CHALLENGE_SIZE];

	pack(c, bytes);
	put_text(bytes, sizeof(bytes), CHALLENGE_GROUPS, out);
}

int release_challenge_parse(const char *text, struct release_challenge *out, struct why *why)
{
	uint8_t bytes[RELEASE_CHALLENGE_SIZE];
	int r = parse_text(text, CHALLENGE_GROUPS, bytes, sizeof(bytes), why);

	if (r)
		return r;
	memcpy(out->host, bytes, RELEASE_HOST_SIZE);
	memcpy(out->device, bytes + RELEASE_HOST_SIZE, RELEASE_DEVICE_SIZE);
	memcpy(out->nonce, bytes + RELEASE_HOST_SIZE + RELEASE_DEVICE_SIZE, RELEASE_NONCE_SIZE);
	return 0;
}

int release_secret(const struct key *mine, const struct key *theirs, uint8_t out[SECRET_SIZE])
{
	return key_agree(mine, theirs, PURPOSE, out);
}

/* 8 bits of terms, then what of the HMAC fits into 52 bits. */
static int make_answer(const uint8_t secret[SECRET_SIZE], const struct digest *host, const struct release_challenge *c,
	uint8_t terms, uint8_t out[8])
{
	uint8_t message[DIGEST_SIZE + RELEASE_CHALLENGE_SIZE + 1], mac[SECRET_SIZE];
	int r;

	memcpy(message, host->b, DIGEST_SIZE);
	pack(c, message + DIGEST_SIZE);
	message[sizeof(message) - 1] = terms;
	r = hmac_sha256(SPAN(secret, SECRET_SIZE), SPAN(message, sizeof(message)), mac);
	if (r)
		return r;
	out[0] = terms;
	memcpy(out + 1, mac, 7);
	out[7] &= 0xf0; /* 60 bits */
	return 0;
}

int release_answer_text(const uint8_t secret[SECRET_SIZE], const struct digest *host, const struct release_challenge *c,
	const struct release_terms *terms, char out[RELEASE_TEXT_SIZE])
{
	uint8_t bytes[8];
	int r;

	if (!terms->units || terms->units > RELEASE_UNITS_MAX)
		return V_BAD;
	r = make_answer(secret, host, c, (uint8_t)((terms->write ? 0x80u : 0u) | terms->units), bytes);
	if (!r)
		put_text(bytes, sizeof(bytes), ANSWER_GROUPS, out);
	return r;
}

int release_answer_check(const uint8_t secret[SECRET_SIZE], const struct digest *host,
	const struct release_challenge *c, const char *text, struct release_terms *out, struct why *why)
{
	uint8_t got[8], want[8], differ = 0;
	size_t i;
	int r = parse_text(text, ANSWER_GROUPS, got, sizeof(got), why);

	r = r ? r : make_answer(secret, host, c, got[0], want);
	if (r)
		return r;
	for (i = 0; i < sizeof(got); i++)
		differ |= got[i] ^ want[i];
	if (differ || !(got[0] & 0x7f) || (got[0] & 0x7f) > RELEASE_UNITS_MAX)
		return WHY_BOTH(
			why, RELEASE_WRONG, "not the answer to this challenge", "このチャレンジへの回答ではありません");
	out->write = got[0] & 0x80;
	out->units = got[0] & 0x7f;
	return 0;
}
