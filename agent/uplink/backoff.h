/*
 * How long to wait after a failure: exponential with full jitter (uniform between nothing and a bound that doubles), so
 * that PCs that failed together do not come back together. Reset by success.
 */
#ifndef SEKISHO_UPLINK_BACKOFF_H
#define SEKISHO_UPLINK_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MIN_US 1000000ull
#define BACKOFF_RETRY_AFTER_MAX_US (3600ull * 1000000) /* a server may ask for an hour, not for ever */

struct backoff {
	unsigned failures; /* in a row */
};

/* Uniform in 0..max, from 64 random bits. */
uint64_t backoff_jitter(uint64_t max_us, uint64_t random);
/*
 * The delay after one more failure. `asked_us`: Retry-After of the server, or 0; what comes out is never less than
 * that, and a tenth of it more at most, so that those whom it told the same spread.
 */
uint64_t backoff_next(struct backoff *b, uint64_t max_us, uint64_t asked_us, uint64_t random);

static inline void backoff_reset(struct backoff *b)
{
	b->failures = 0;
}

#endif
