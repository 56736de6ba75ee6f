/*
 * See challenge.h. A challenge is the hash of the cookie and a secret of this process: nobody can make a cookie up
 * whose challenge they know.
 */
#include "collector/console/challenge.h"
#include "policy/base/text.h"

#define RANDOM_SIZE 32u
#define COOKIE_SIZE (RANDOM_SIZE + 8u) /* and when it was made */

static void derive(const struct challenges *c, struct span cookie, uint8_t out[PASSKEY_CHALLENGE_SIZE])
{
	const struct span parts[] = {SPAN(c->secret, sizeof(c->secret)), cookie};
	struct digest d;

	digest_of(&d, parts, ARRAY_SIZE(parts));
	memcpy(out, d.b, PASSKEY_CHALLENGE_SIZE);
}

int challenge_new(
	struct challenges *c, int64_t now_us, char cookie[CHALLENGE_TEXT_SIZE], uint8_t out[PASSKEY_CHALLENGE_SIZE])
{
	uint8_t b[COOKIE_SIZE];
	unsigned i;
	int r = c->begun ? 0 : random_bytes(c->secret, sizeof(c->secret));

	r = r ? r : random_bytes(b, RANDOM_SIZE);
	if (r)
		return r;
	c->begun = true;
	for (i = RANDOM_SIZE; i < sizeof(b); i++)
		b[i] = (uint8_t)((uint64_t)now_us >> 8 * (sizeof(b) - 1 - i));
	hex_encode(cookie, b, sizeof(b));
	derive(c, SPAN(b, sizeof(b)), out);
	return 0;
}

int challenge_take(struct challenges *c, const char *cookie, int64_t now_us, uint8_t out[PASSKEY_CHALLENGE_SIZE])
{
	uint8_t b[COOKIE_SIZE];
	struct digest what;
	uint64_t at_us = 0;
	unsigned i;

	if (!c->begun || hex_decode(cookie, b, sizeof(b)))
		return V_BAD;
	for (i = RANDOM_SIZE; i < sizeof(b); i++)
		at_us = at_us << 8 | b[i];
	if (at_us > (uint64_t)now_us)
		return V_BAD;
	if ((uint64_t)now_us - at_us > CHALLENGE_LIFE_US)
		return V_END;
	digest_span(&what, SPAN(b, sizeof(b)));
	for (i = 0; i < CHALLENGES_USED; i++)
		if (c->used[i].at_us && digest_eq(&c->used[i].what, &what))
			return V_EXISTS;
	c->used[c->next].what = what;
	c->used[c->next].at_us = now_us;
	c->next = (c->next + 1) % CHALLENGES_USED;
	derive(c, SPAN(b, sizeof(b)), out);
	return 0;
}
