/*
 * Releases by code. See release.h.
 */
#include "agent/guard/release_parts.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

static void device_id(const struct device *d, struct digest *out)
{
	const struct span parts[] = {SPAN("sekisho release", 16), SPAN(&d->vendor, sizeof(d->vendor)),
		SPAN(&d->product, sizeof(d->product)), SPAN(d->serial, strlen(d->serial) + 1),
		SPAN(d->fingerprint.b, d->has_fingerprint ? DIGEST_SIZE : 0)};

	digest_of(out, parts, ARRAY_SIZE(parts));
}

bool release_is_for(const struct release_grant *g, const struct device *d, uint64_t plugging)
{
	struct digest id;

	if (g->plugging != plugging)
		return false;
	device_id(d, &id);
	return digest_eq(&id, &g->device);
}

int64_t release_now(const struct release *r, int64_t now_boot_us)
{
	int64_t passed = now_boot_us - r->clock.boot_us, now = r->clock.base_us + (passed > 0 ? passed : 0);

	return now < TIME_MAX_US ? now : TIME_MAX_US;
}

void release_set_challenge(
	struct release *r, const struct digest *device, uint64_t plugging, const uint8_t nonce[RELEASE_NONCE_SIZE])
{
	memcpy(r->challenge.host, r->host.b, RELEASE_HOST_SIZE);
	memcpy(r->challenge.device, device->b, RELEASE_DEVICE_SIZE);
	memcpy(r->challenge.nonce, nonce, RELEASE_NONCE_SIZE);
	r->challenged = *device;
	r->plugging = plugging;
	r->out = true;
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
		e = release_load(r, why);
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
	key_free(r->theirs);
	free(r);
}

/* 0, also where there is none to know; V_AGAIN where the device key cannot be used now; V_BAD; -errno. */
static int know_secret(struct release *r)
{
	int e = r->has_secret || !r->theirs ? 0 : release_secret(r->device_key, r->theirs, r->secret);

	r->has_secret = !e && r->theirs;
	return e;
}

int release_policy(struct release *r, const char *key_base64, unsigned max_s, unsigned per_day, struct why *why)
{
	_cleanup_buf_ struct buf der = BUF_INIT(512);
	int e;

	r->has_secret = false;
	key_free(STEAL(r->theirs));
	r->max_s = max_s;
	r->per_day = per_day;
	if (!key_base64[0])
		return 0;
	e = base64_decode(&der, SPAN_STR(key_base64));
	e = e ? e : key_from_public_der(buf_span(&der), &r->theirs, why);
	e = e ? e : know_secret(r);
	/* Held elsewhere, and not to be had now: asked again when somebody wants a code. The policy is in force. */
	if (!e || e == V_AGAIN)
		return 0;
	key_free(STEAL(r->theirs));
	return e < 0 ? e : why_set(why, V_BAD, "release: key: no public P-256 key");
}

/* --- challenge and answer --- */

int release_challenge(struct release *r, const struct device *d, uint64_t plugging, int64_t now_boot, struct buf *out,
	struct why *why)
{
	uint8_t nonce[RELEASE_NONCE_SIZE];
	char text[RELEASE_TEXT_SIZE];
	int64_t now = release_now(r, now_boot);
	struct digest device;
	int e;

	if (know_secret(r))
		return WHY_BOTH(why, V_AGAIN, "this PC's key cannot be used now: is its TPM there? (sekishoctl status)",
			"このPCの鍵を現在使用できません。TPM を確認してください(sekishoctl status)");
	if (!r->has_secret)
		return WHY_BOTH(why, V_NOT_FOUND, "the policy in force names no key for release codes",
			"適用中のポリシーに解除コード用の鍵がありません");
	if (now < r->blocked_until_us)
		return WHY_BOTH(why, V_AGAIN, "too many wrong answers: again in %" PRId64 " minutes",
			"誤った回答が続きました。%" PRId64 " 分後にやり直してください",
			(r->blocked_until_us - now) / 60000000 + 1);
	e = random_bytes(nonce, sizeof(nonce));
	if (e)
		return e;
	device_id(d, &device);
	/* Wrong answers count on: asking for another challenge is no way around. */
	release_set_challenge(r, &device, plugging, nonce);
	e = release_keep(r);
	if (e)
		return e;
	release_challenge_text(&r->challenge, text);
	return buf_puts(out, text);
}

/* `now`: by the clock of its own. */
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
	e = release_keep(r);
	if (e)
		return e;
	return r->out ? WHY_BOTH(why, RELEASE_WRONG, "not the answer to this challenge: %u tries are left",
				"このチャレンジへの回答ではありません。残り %u 回です", RELEASE_TRIES_MAX - r->tries)
		      : WHY_BOTH(why, RELEASE_WRONG, "not the answer, once too often: this challenge is void",
				"回答が違います。回数の上限に達したため、このチャレンジは無効です");
}

static int count_day(struct release *r, int64_t now, struct why *why)
{
	if (!r->day_n || now >= r->day_us + DAY_US) {
		r->day_us = now;
		r->day_n = 0;
	}
	if (r->per_day && r->day_n >= r->per_day)
		return WHY_BOTH(why, V_FULL, "the policy allows %u releases a day",
			"ポリシーで許される解除は 1 日 %u 回までです", r->per_day);
	r->day_n++;
	return 0;
}

static bool is_same(const struct release_grant *a, const struct release_grant *b)
{
	return a->plugging == b->plugging && digest_eq(&a->device, &b->device);
}

int release_answer(struct release *r, const char *text, int64_t now_boot, struct release_grant *out, struct why *why)
{
	struct release_terms terms;
	struct release_grant g = {.access = 0};
	int64_t now = release_now(r, now_boot);
	unsigned seconds, i = 0;
	int e;

	if (know_secret(r) || !r->has_secret || !r->out)
		return WHY_BOTH(why, V_NOT_FOUND, "there is no challenge that this could be the answer to",
			"この回答に対応するチャレンジがありません");
	if (r->grants_n == RELEASE_GRANTS_MAX)
		return WHY_BOTH(why, V_AGAIN, "%u devices are released already", "すでに %u 台が解除されています",
			RELEASE_GRANTS_MAX);
	e = release_answer_check(r->secret, &r->host, &r->challenge, text, &terms, why);
	if (e == RELEASE_WRONG)
		return wrong(r, now, why);
	e = e ? e : count_day(r, now, why);
	if (e == V_FULL) {
		int kept;

		/* A right answer is used up, so that it is told once. */
		r->out = false;
		kept = release_keep(r);
		return kept ? kept : e;
	}
	if (e)
		return e;
	seconds = terms.units * RELEASE_UNIT_S;
	if (seconds > r->max_s)
		seconds = r->max_s;
	g.device = r->challenged;
	g.plugging = r->plugging;
	g.access = terms.write ? ACCESS_READ_WRITE : ACCESS_READ_ONLY;
	g.until_boot_us = now_boot + (int64_t)seconds * 1000000;
	hex_encode(g.code, r->challenge.nonce, RELEASE_NONCE_SIZE);
	/* Used up before anything is granted: a crash in between costs a code, and gives none twice. */
	r->out = false;
	r->tries = 0;
	r->block_us = r->blocked_until_us = 0;
	/* The newest word about a device is the one that counts. */
	while (i < r->grants_n)
		if (is_same(&r->grants[i], &g))
			r->grants[i] = r->grants[--r->grants_n];
		else
			i++;
	r->grants[r->grants_n++] = g;
	e = release_keep(r);
	if (e) {
		r->grants_n--;
		return e;
	}
	*out = g;
	return 0;
}

int release_active(
	const struct release *r, const struct device *d, uint64_t plugging, int64_t now_boot, struct release_grant *out)
{
	unsigned i;

	for (i = 0; i < r->grants_n; i++) {
		if (now_boot < r->grants[i].until_boot_us && release_is_for(&r->grants[i], d, plugging)) {
			*out = r->grants[i];
			return 0;
		}
	}
	return V_NOT_FOUND;
}

int64_t release_expire(struct release *r, int64_t now_boot, release_here_fn here, release_end_fn fn, void *ctx)
{
	int64_t next = INT64_MAX;
	bool changed = r->out && !here(ctx, r->plugging);
	unsigned i = 0;

	/* Whoever plugs it in again asks anew. */
	if (changed)
		r->out = false;
	while (i < r->grants_n) {
		struct release_grant g = r->grants[i];
		bool is_here = here(ctx, g.plugging);

		if (now_boot < g.until_boot_us && is_here) {
			next = g.until_boot_us < next ? g.until_boot_us : next;
			i++;
			continue;
		}
		r->grants[i] = r->grants[--r->grants_n];
		changed = true;
		fn(ctx, &g, is_here);
	}
	/* What is over is over, whether that can be written down or not. */
	if (changed)
		(void)release_keep(r);
	return next;
}
