/*
 * Releases by code. See release.h.
 */
#include "agent/guard/release.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#define FILE_MAX 8192u
#define BLOCK_FIRST_US 60000000ll
#define BLOCK_LAST_US 3600000000ll
#define DAY_US 86400000000ll

struct release {
	char path[PATH_MAX];
	const struct key *device_key;
	struct digest host;
	uint8_t boot[16];
	bool has_secret;
	uint8_t secret[SECRET_SIZE];
	unsigned max_s, per_day;

	/* kept */
	bool out; /* a challenge is out */
	struct release_challenge challenge;
	struct digest challenged;
	unsigned tries;
	int64_t block_us, blocked_until_us; /* boot clock; a reboot begins the wait anew */
	unsigned day_n;
	int64_t day_us; /* wall clock: only ever makes less of it */
	unsigned grants_n;
	struct release_grant grants[RELEASE_GRANTS_MAX];
};

static void device_id(const struct device *d, struct digest *out)
{
	const struct span parts[] = {SPAN("sekisho release", 16), SPAN(&d->vendor, sizeof(d->vendor)),
		SPAN(&d->product, sizeof(d->product)), SPAN(d->serial, strlen(d->serial) + 1),
		SPAN(d->fingerprint.b, d->has_fingerprint ? DIGEST_SIZE : 0)};

	digest_of(out, parts, ARRAY_SIZE(parts));
}

bool release_is_for(const struct release_grant *g, const struct device *d)
{
	struct digest id;

	device_id(d, &id);
	return digest_eq(&id, &g->device);
}

/* --- what is kept --- */

static int put_state(const struct release *r, struct buf *b)
{
	char boot[33], nonce[2 * RELEASE_NONCE_SIZE + 1], device[2 * DIGEST_SIZE + 1];
	unsigned i;
	int e = buf_putf(b, "sekisho-release 1\nboot %s\nblock %" PRId64 " %" PRId64 "\nday %u %" PRId64 "\n",
		hex_encode(boot, r->boot, sizeof(r->boot)), r->block_us, r->blocked_until_us, r->day_n, r->day_us);

	if (!e && r->out)
		e = buf_putf(b, "challenge %s %s %u\n", hex_encode(nonce, r->challenge.nonce, RELEASE_NONCE_SIZE),
			hex_encode(device, r->challenged.b, DIGEST_SIZE), r->tries);
	for (i = 0; i < r->grants_n && !e; i++)
		e = buf_putf(b, "grant %s %s %u %" PRId64 "\n", r->grants[i].code,
			hex_encode(device, r->grants[i].device.b, DIGEST_SIZE), r->grants[i].access,
			r->grants[i].until_boot_us);
	return e;
}

static int keep(const struct release *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	int e = put_state(r, &b);

	return e ? e : file_replace(r->path, buf_span(&b), 0600);
}

static void set_challenge(struct release *r, const struct digest *device, const uint8_t nonce[RELEASE_NONCE_SIZE])
{
	memcpy(r->challenge.host, r->host.b, RELEASE_HOST_SIZE);
	memcpy(r->challenge.device, device->b, RELEASE_DEVICE_SIZE);
	memcpy(r->challenge.nonce, nonce, RELEASE_NONCE_SIZE);
	r->challenged = *device;
	r->out = true;
}

static int read_line(struct release *r, const char *line, bool *same_boot)
{
	char hex[2 * DIGEST_SIZE + 2], nonce[2 * RELEASE_NONCE_SIZE + 2];
	uint8_t bytes[16];
	struct digest device;
	unsigned n;
	int64_t a, b;

	if (sscanf(line, "boot %33[0-9a-f]", hex) == 1) {
		*same_boot = !hex_decode(hex, bytes, 16) && !memcmp(bytes, r->boot, 16);
		return 0;
	}
	if (sscanf(line, "block %" SCNd64 " %" SCNd64, &a, &b) == 2) {
		r->block_us = a;
		/* After a boot nobody knows how long it was off: the wait begins anew. */
		r->blocked_until_us = *same_boot ? b : b ? a : 0;
		return 0;
	}
	if (sscanf(line, "day %u %" SCNd64, &n, &a) == 2) {
		r->day_n = n;
		r->day_us = a;
		return 0;
	}
	if (sscanf(line, "challenge %9[0-9a-f] %65[0-9a-f] %u", nonce, hex, &n) == 3) {
		if (hex_decode(nonce, bytes, RELEASE_NONCE_SIZE) || hex_decode(hex, device.b, DIGEST_SIZE))
			return V_BAD;
		set_challenge(r, &device, bytes);
		r->tries = n;
		return 0;
	}
	if (sscanf(line, "grant %9[0-9a-f] %65[0-9a-f] %u %" SCNd64, nonce, hex, &n, &a) == 4) {
		struct release_grant *g = &r->grants[r->grants_n];

		if (strlen(nonce) >= sizeof(g->code) || hex_decode(hex, device.b, DIGEST_SIZE) ||
			n > ACCESS_READ_WRITE || r->grants_n == RELEASE_GRANTS_MAX)
			return V_BAD;
		if (!*same_boot)
			return 0; /* ended with the boot */
		*g = (struct release_grant){.device = device, .access = n, .until_boot_us = a};
		memcpy(g->code, nonce, strlen(nonce) + 1);
		r->grants_n++;
		return 0;
	}
	return V_BAD;
}

static int load(struct release *r, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	char *line, *save = NULL;
	bool same_boot = false;
	int e = file_read(r->path, &b);

	if (e == V_NOT_FOUND)
		return 0;
	if (e < 0)
		return e;
	if (!e && buf_str(&b)) {
		line = strtok_r((char *)b.p, "\n", &save);
		e = line && !strcmp(line, "sekisho-release 1") ? 0 : V_BAD;
		while (!e && (line = strtok_r(NULL, "\n", &save)))
			e = read_line(r, line, &same_boot);
	}
	if (!e)
		return 0;
	/* Nothing is released by a file that nobody understands, and guessing does not begin anew. */
	r->out = false;
	r->grants_n = 0;
	r->block_us = BLOCK_LAST_US;
	r->blocked_until_us = clock_boot_us() + BLOCK_LAST_US;
	why_set(why, 0, "%s cannot be read: nothing is released", r->path);
	return 0;
}

int release_new(const char *folder, const struct key *device, struct release **out, struct why *why)
{
	struct release *r = calloc(1, sizeof(*r));
	int e = r ? key_id(device, &r->host) : -ENOMEM;

	if (!e)
		e = clock_boot_id(r->boot);
	if (!e && (size_t)snprintf(r->path, sizeof(r->path), "%s/release", folder) >= sizeof(r->path))
		e = -ENAMETOOLONG;
	if (!e) {
		r->device_key = device;
		e = load(r, why);
	}
	if (e) {
		free(r);
		return e;
	}
	*out = r;
	return 0;
}

void release_free(struct release *r)
{
	if (!r)
		return;
	secret_wipe(r->secret, sizeof(r->secret));
	free(r);
}

int release_policy(struct release *r, const char *key_base64, unsigned max_s, unsigned per_day, struct why *why)
{
	_cleanup_buf_ struct buf der = BUF_INIT(512);
	_cleanup_(key_freep) struct key *theirs = NULL;
	int e;

	r->has_secret = false;
	r->max_s = max_s;
	r->per_day = per_day;
	if (!key_base64[0])
		return 0;
	e = base64_decode(&der, SPAN_STR(key_base64));
	e = e ? e : key_from_public_der(buf_span(&der), &theirs, why);
	e = e ? e : release_secret(r->device_key, theirs, r->secret);
	if (e)
		return e < 0 ? e : why_set(why, V_BAD, "release: key: no public P-256 key");
	r->has_secret = true;
	return 0;
}

/* --- challenge and answer --- */

int release_challenge(struct release *r, const struct device *d, int64_t now, struct buf *out, struct why *why)
{
	uint8_t nonce[RELEASE_NONCE_SIZE];
	char text[RELEASE_TEXT_SIZE];
	struct digest device;
	int e;

	if (!r->has_secret)
		return why_set(why, V_NOT_FOUND, "the policy in force names no key for release codes");
	if (now < r->blocked_until_us)
		return why_set(why, V_AGAIN, "too many wrong answers: again in %" PRId64 " minutes",
			(r->blocked_until_us - now) / 60000000 + 1);
	e = random_bytes(nonce, sizeof(nonce));
	if (e)
		return e;
	device_id(d, &device);
	/* Wrong answers count on: asking for another challenge is no way around. */
	set_challenge(r, &device, nonce);
	e = keep(r);
	if (e)
		return e;
	release_challenge_text(&r->challenge, text);
	return buf_puts(out, text);
}

static int wrong(struct release *r, int64_t now, struct why *why)
{
	int e;

	r->tries++;
	if (r->tries >= RELEASE_TRIES_MAX) {
		r->block_us = !r->block_us                      ? BLOCK_FIRST_US
			      : 2 * r->block_us > BLOCK_LAST_US ? BLOCK_LAST_US
								: 2 * r->block_us;
		r->blocked_until_us = now + r->block_us;
		r->out = false;
		r->tries = 0;
	}
	e = keep(r);
	if (e)
		return e;
	return r->out ? why_set(why, RELEASE_WRONG, "not the answer to this challenge: %u tries are left",
				RELEASE_TRIES_MAX - r->tries)
		      : why_set(why, RELEASE_WRONG, "not the answer, once too often: this challenge is void");
}

static int count_day(struct release *r, struct why *why)
{
	int64_t now = clock_wall_us();

	/* A clock that was put back begins no new day. */
	if (now >= r->day_us + DAY_US) {
		r->day_us = now;
		r->day_n = 0;
	}
	if (r->per_day && r->day_n >= r->per_day)
		return why_set(why, V_FULL, "the policy allows %u releases a day", r->per_day);
	r->day_n++;
	return 0;
}

int release_answer(struct release *r, const char *text, int64_t now, struct release_grant *out, struct why *why)
{
	struct release_terms terms;
	struct release_grant g = {.access = 0};
	unsigned seconds, i = 0;
	int e;

	if (!r->has_secret || !r->out)
		return why_set(why, V_NOT_FOUND, "there is no challenge that this could be the answer to");
	if (r->grants_n == RELEASE_GRANTS_MAX)
		return why_set(why, V_FULL, "%u devices are released already", RELEASE_GRANTS_MAX);
	e = release_answer_check(r->secret, &r->host, &r->challenge, text, &terms, why);
	if (e == RELEASE_WRONG)
		return wrong(r, now, why);
	e = e ? e : count_day(r, why);
	if (e)
		return e;
	seconds = terms.units * RELEASE_UNIT_S;
	if (seconds > r->max_s)
		seconds = r->max_s;
	g.device = r->challenged;
	g.access = terms.write ? ACCESS_READ_WRITE : ACCESS_READ_ONLY;
	g.until_boot_us = now + (int64_t)seconds * 1000000;
	hex_encode(g.code, r->challenge.nonce, RELEASE_NONCE_SIZE);
	/* Used up before anything is granted: a crash in between costs a code, and gives none twice. */
	r->out = false;
	r->tries = 0;
	r->block_us = r->blocked_until_us = 0;
	/* The newest word about a device is the one that counts. */
	while (i < r->grants_n)
		if (digest_eq(&r->grants[i].device, &g.device))
			r->grants[i] = r->grants[--r->grants_n];
		else
			i++;
	r->grants[r->grants_n++] = g;
	e = keep(r);
	if (e) {
		r->grants_n--;
		return e;
	}
	*out = g;
	return 0;
}

int release_active(const struct release *r, const struct device *d, int64_t now, struct release_grant *out)
{
	struct digest id;
	unsigned i;

	if (!r->grants_n)
		return V_NOT_FOUND;
	device_id(d, &id);
	for (i = 0; i < r->grants_n; i++) {
		if (now < r->grants[i].until_boot_us && digest_eq(&r->grants[i].device, &id)) {
			*out = r->grants[i];
			return 0;
		}
	}
	return V_NOT_FOUND;
}

int64_t release_expire(struct release *r, int64_t now, release_end_fn fn, void *ctx)
{
	int64_t next = INT64_MAX;
	bool changed = false;
	unsigned i = 0;

	while (i < r->grants_n) {
		struct release_grant g = r->grants[i];

		if (now < g.until_boot_us) {
			next = g.until_boot_us < next ? g.until_boot_us : next;
			i++;
			continue;
		}
		r->grants[i] = r->grants[--r->grants_n];
		changed = true;
		fn(ctx, &g);
	}
	/* What is over by its time is over, whether that can be written down or not. */
	if (changed)
		(void)keep(r);
	return next;
}
