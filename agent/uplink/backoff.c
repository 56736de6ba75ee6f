/*
 * Delays after failures. See backoff.h. Pure: the caller brings the randomness.
 */
#include "agent/uplink/backoff.h"

uint64_t backoff_jitter(uint64_t max_us, uint64_t random)
{
	return max_us == UINT64_MAX ? random : random % (max_us + 1);
}

uint64_t backoff_next(struct backoff *b, uint64_t max_us, uint64_t asked_us, uint64_t random)
{
	uint64_t bound = BACKOFF_MIN_US, delay;
	unsigned i;

	for (i = 0; i < b->failures && bound < max_us; i++)
		bound *= 2;
	if (bound > max_us)
		bound = max_us;
	if (b->failures < UINT32_MAX)
		b->failures++;
	delay = backoff_jitter(bound, random);
	if (asked_us > BACKOFF_RETRY_AFTER_MAX_US)
		asked_us = BACKOFF_RETRY_AFTER_MAX_US;
	if (asked_us && delay < asked_us)
		delay = asked_us + backoff_jitter(asked_us / 10, random);
	return delay;
}
