/*
 * What is kept of releases over restarts and boots: one small file of lines. See release_parts.h.
 */
#include "agent/guard/release_parts.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define FILE_MAX 8192u
#define FIRST_LINE "sekisho-release 2"

static int put_state(const struct release *r, struct buf *b)
{
	char boot[33], nonce[2 * RELEASE_NONCE_SIZE + 1], device[2 * DIGEST_SIZE + 1];
	int64_t now_boot = clock_boot_us();
	unsigned i;
	int e = buf_putf(b,
		FIRST_LINE "\nboot %s\nclock %" PRId64 " %" PRId64 " %" PRId64 "\nblock %" PRId64 " %" PRId64
			   "\nday %u %" PRId64 "\n",
		hex_encode(boot, r->boot, sizeof(r->boot)), release_now(r, now_boot), now_boot, clock_wall_us(),
		r->block_us, r->blocked_until_us, r->day_n, r->day_us);

	if (!e && r->out)
		e = buf_putf(b, "challenge %s %s %" PRIu64 " %u\n",
			hex_encode(nonce, r->challenge.nonce, RELEASE_NONCE_SIZE),
			hex_encode(device, r->challenged.b, DIGEST_SIZE), r->plugging, r->tries);
	for (i = 0; i < r->grants_n && !e; i++)
		e = buf_putf(b, "grant %s %s %" PRIu64 " %u %" PRId64 "\n", r->grants[i].code,
			hex_encode(device, r->grants[i].device.b, DIGEST_SIZE), r->grants[i].plugging,
			r->grants[i].access, r->grants[i].until_boot_us);
	return e;
}

int release_keep(const struct release *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	int e = put_state(r, &b);

	return e ? e : file_replace(r->path, buf_span(&b), 0600);
}

/* Where the clock stands now that it stood at `kept_us` when it was written down. */
static void set_clock(struct release *r, bool same_boot, int64_t kept_us, int64_t boot_us, int64_t wall_us)
{
	int64_t now_boot = clock_boot_us(), passed = same_boot ? now_boot - boot_us : clock_wall_us() - wall_us;

	if (passed < 0)
		passed = 0;
	if (!same_boot && passed > DAY_US)
		passed = DAY_US;
	r->clock = (struct release_clock){.base_us = kept_us + passed, .boot_us = now_boot};
}

static bool is_time(int64_t us)
{
	return us >= 0 && us <= TIME_MAX_US;
}

static int read_challenge(struct release *r, const char *line)
{
	char hex[2 * DIGEST_SIZE + 2], nonce[2 * RELEASE_NONCE_SIZE + 2];
	uint8_t bytes[RELEASE_NONCE_SIZE];
	struct digest device = {.b = {0}};
	uint64_t plugging;
	unsigned tries;

	if (sscanf(line, "challenge %9[0-9a-f] %65[0-9a-f] %" SCNu64 " %u", nonce, hex, &plugging, &tries) != 4 ||
		hex_decode(nonce, bytes, RELEASE_NONCE_SIZE) || hex_decode(hex, device.b, DIGEST_SIZE) ||
		tries >= RELEASE_TRIES_MAX)
		return V_BAD;
	release_set_challenge(r, &device, plugging, bytes);
	r->tries = tries;
	return 0;
}

static int read_grant(struct release *r, const char *line, bool same_boot)
{
	struct release_grant g = {.access = 0};
	char hex[2 * DIGEST_SIZE + 2], code[2 * RELEASE_NONCE_SIZE + 2];

	if (sscanf(line, "grant %9[0-9a-f] %65[0-9a-f] %" SCNu64 " %u %" SCNd64, code, hex, &g.plugging, &g.access,
		    &g.until_boot_us) != 5 ||
		strlen(code) >= sizeof(g.code) || hex_decode(hex, g.device.b, DIGEST_SIZE) ||
		g.access > ACCESS_READ_WRITE || r->grants_n == RELEASE_GRANTS_MAX)
		return V_BAD;
	memcpy(g.code, code, strlen(code) + 1);
	/* It ended with the boot. */
	if (same_boot)
		r->grants[r->grants_n++] = g;
	return 0;
}

static int read_line(struct release *r, const char *line, bool *same_boot)
{
	char hex[34];
	uint8_t boot[16];
	unsigned n;
	int64_t a, b, c;

	if (sscanf(line, "boot %33[0-9a-f]", hex) == 1) {
		*same_boot = !hex_decode(hex, boot, sizeof(boot)) && !memcmp(boot, r->boot, sizeof(boot));
		return 0;
	}
	if (sscanf(line, "clock %" SCNd64 " %" SCNd64 " %" SCNd64, &a, &b, &c) == 3 && is_time(a) && is_time(b) &&
		is_time(c)) {
		set_clock(r, *same_boot, a, b, c);
		return 0;
	}
	if (sscanf(line, "block %" SCNd64 " %" SCNd64, &a, &b) == 2 && a >= 0 && a <= BLOCK_LAST_US && is_time(b)) {
		r->block_us = a;
		r->blocked_until_us = b;
		return 0;
	}
	if (sscanf(line, "day %u %" SCNd64, &n, &a) == 2 && is_time(a)) {
		r->day_n = n;
		r->day_us = a;
		return 0;
	}
	if (!strncmp(line, "challenge ", 10))
		return read_challenge(r, line);
	return !strncmp(line, "grant ", 6) ? read_grant(r, line, *same_boot) : V_BAD;
}

static int read_lines(struct release *r, char *text)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);
	bool same_boot = false;
	int e = line && !strcmp(line, FIRST_LINE) ? 0 : V_BAD;

	while (!e && (line = strtok_r(NULL, "\n", &save)))
		e = read_line(r, line, &same_boot);
	return e;
}

/* Nothing is released by a file that nobody understands, and guessing does not begin anew. */
static int begin_anew(struct release *r, struct why *why)
{
	char aside[PATH_MAX + 8];

	r->out = false;
	r->grants_n = r->tries = r->day_n = 0;
	r->clock = (struct release_clock){.base_us = 0, .boot_us = clock_boot_us()};
	r->day_us = 0;
	r->block_us = r->blocked_until_us = BLOCK_LAST_US;
	snprintf(aside, sizeof(aside), "%s.bad", r->path);
	if (rename(r->path, aside))
		return -errno;
	why_set(why, 0, "%s could not be read (it is %s now): nothing is released, and codes wait for an hour", r->path,
		aside);
	return release_keep(r);
}

int release_load(struct release *r, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX + 1);
	int e = file_read(r->path, &b);

	r->clock = (struct release_clock){.base_us = 0, .boot_us = clock_boot_us()};
	if (e == V_NOT_FOUND)
		return 0;
	if (e < 0)
		return e;
	/* There is no room for the NUL otherwise, and that is not for want of memory. */
	if (!e && b.n > FILE_MAX)
		e = V_FULL;
	if (!e && memchr(b.p ? (const char *)b.p : "", 0, b.n))
		e = V_BAD;
	if (!e)
		e = buf_str(&b) ? read_lines(r, (char *)b.p) : -ENOMEM;
	return e > 0 ? begin_anew(r, why) : e;
}
