/*
 * See token.h. Called by enrolment and the administrator's door. Must never write a secret to the disk or into a log.
 */
#include "collector/ingest/token.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#define ID_HEX (2 * API_TOKEN_ID_SIZE)
#define SECRET_HEX (2 * API_TOKEN_SECRET_SIZE)

static bool is_hex(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]) && (s[i] < 'a' || s[i] > 'f'))
			return false;
	return true;
}

bool name_fits(const char *name)
{
	size_t n = strlen(name), i;
	struct span s = SPAN(name, n);

	if (!n || n >= TOKEN_NAME_MAX || !text_is_utf8(s))
		return false;
	for (i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	/* It could be taken for an id. */
	return n != 2 * DIGEST_SIZE || !is_hex(name, n);
}

/* In the place of `before`, as shelf_put. */
static int store(const struct shelf *on, const struct token *t, const struct span *before)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TOKEN_FILE_MAX);
	char secret[2 * DIGEST_SIZE + 1], by[2 * DIGEST_SIZE + 1] = "-";
	int r;

	if (t->used)
		hex_encode(by, t->used_by.b, DIGEST_SIZE);
	r = buf_putf(&b, "sekisho-token 1\nsecret %s\nexpires %" PRId64 "\nused %s\nname %s\n",
		hex_encode(secret, t->secret.b, DIGEST_SIZE), t->expires_us, by, t->name);
	return r ? r : shelf_put(on, t->id, buf_span(&b), before);
}

/* 0; V_BAD. */
static int parse(struct buf *b, const char *id, struct token *out)
{
	char secret[2 * DIGEST_SIZE + 2], by[2 * DIGEST_SIZE + 2];
	struct token t = {.used = false};
	const char *name, *end;
	int at = 0;

	if (!buf_str(b) ||
		sscanf((const char *)b->p,
			"sekisho-token 1\nsecret %65[0-9a-f]\nexpires %" SCNd64 "\nused %65[0-9a-f-]\nname%n", secret,
			&t.expires_us, by, &at) != 3 ||
		!at || b->p[at] != ' ' || hex_decode(secret, t.secret.b, DIGEST_SIZE))
		return V_BAD;
	if (strcmp(by, "-") != 0) {
		if (hex_decode(by, t.used_by.b, DIGEST_SIZE))
			return V_BAD;
		t.used = true;
	}
	name = (const char *)b->p + at + 1;
	end = strchr(name, '\n');
	if (!end || (size_t)(end - name) >= sizeof(t.name))
		return V_BAD;
	memcpy(t.name, name, (size_t)(end - name));
	memcpy(t.id, id, ID_HEX + 1);
	*out = t;
	return 0;
}

/* `b` has what is there. 0; V_NOT_FOUND; V_BAD; -errno. */
static int load(const struct shelf *on, const char *id, struct buf *b, struct token *out)
{
	int r = shelf_get(on, id, b);

	return r == V_FULL ? V_BAD : r ? r : parse(b, id, out);
}

static int count_one(void *ctx, const struct token *t)
{
	(void)t;
	++*(unsigned *)ctx;
	return 0;
}

int token_create(const struct shelf *on, const char *name, int64_t expires_us, const struct digest *ca,
	char text[TOKEN_TEXT_SIZE], char id[2 * API_TOKEN_ID_SIZE + 1])
{
	uint8_t raw_id[API_TOKEN_ID_SIZE], raw_secret[API_TOKEN_SECRET_SIZE];
	char secret[SECRET_HEX + 1], fingerprint[2 * DIGEST_SIZE + 1];
	struct token t = {.expires_us = expires_us};
	unsigned open = 0;
	int r = token_each(on, clock_wall_us(), count_one, &open);

	if (!r && open >= TOKENS_MAX)
		return V_FULL;
	r = r ? r : random_bytes(raw_id, sizeof(raw_id));
	r = r ? r : random_bytes(raw_secret, sizeof(raw_secret));
	if (r)
		return r;
	hex_encode(t.id, raw_id, sizeof(raw_id));
	hex_encode(secret, raw_secret, sizeof(raw_secret));
	digest_span(&t.secret, SPAN(secret, SECRET_HEX));
	snprintf(t.name, sizeof(t.name), "%s", name ? name : "");
	r = store(on, &t, NULL);
	if (!r) {
		snprintf(text, TOKEN_TEXT_SIZE, API_TOKEN_PREFIX ".%s.%s.%s", t.id, secret,
			hex_encode(fingerprint, ca->b, DIGEST_SIZE));
		memcpy(id, t.id, sizeof(t.id));
	}
	secret_wipe(secret, sizeof(secret));
	secret_wipe(raw_secret, sizeof(raw_secret));
	return r;
}

int token_check(const struct shelf *on, const char *presented, const char *name, const struct digest *host,
	int64_t now_us, struct token *out, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TOKEN_FILE_MAX);
	char id[ID_HEX + 1];
	struct digest secret;
	struct token t;
	int r;

	if (strlen(presented) != ID_HEX + 1 + SECRET_HEX || presented[ID_HEX] != '.' || !is_hex(presented, ID_HEX) ||
		!is_hex(presented + ID_HEX + 1, SECRET_HEX))
		return why_set(why, V_DENIED, "no token");
	memcpy(id, presented, ID_HEX);
	id[ID_HEX] = 0;
	r = load(on, id, &b, &t);
	if (r < 0)
		return r;
	/* Hashes are compared, so the time that this takes says nothing of the secret. */
	digest_span(&secret, SPAN(presented + ID_HEX + 1, SECRET_HEX));
	if (r || !digest_eq(&secret, &t.secret))
		return why_set(why, V_DENIED, "no such token");
	if (now_us > t.expires_us)
		return why_set(why, V_DENIED, "the token has expired");
	if (t.used && !digest_eq(&t.used_by, host))
		return why_set(why, V_DENIED, "the token was used already, by another PC");
	if (t.name[0] && strcmp(t.name, name) != 0)
		return why_set(why, V_DENIED, "the token is for another name");
	*out = t;
	return 0;
}

int token_use(const struct shelf *on, const struct token *t, const struct digest *host, struct why *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TOKEN_FILE_MAX);
	struct token now = {.used = false};
	struct span before;
	int r = load(on, t->id, &b, &now);

	/* At another collector meanwhile: it was there, and was another PC's, or this one's own by another request. */
	if (!r && !now.used) {
		before = buf_span(&b);
		now.used = true;
		now.used_by = *host;
		r = store(on, &now, &before);
		if (r == V_EXISTS) {
			buf_clear(&b);
			r = load(on, t->id, &b, &now);
		}
	}
	if (r < 0)
		return r;
	return !r && now.used && digest_eq(&now.used_by, host)
		       ? 0
		       : why_set(why, V_DENIED, "the token was used already, by another PC");
}

struct each {
	const struct shelf *on;
	int64_t now_us;
	int (*fn)(void *ctx, const struct token *t);
	void *ctx;
};

static int on_each(void *ctx, const char *name, struct span value)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TOKEN_FILE_MAX);
	struct each *e = ctx;
	struct token t;

	if (strlen(name) != ID_HEX || !is_hex(name, ID_HEX) || buf_put_span(&b, value) || parse(&b, name, &t))
		return 0;
	if (t.expires_us < e->now_us)
		return shelf_drop(e->on, name);
	return t.used ? 0 : e->fn(e->ctx, &t);
}

int token_each(const struct shelf *on, int64_t now_us, int (*fn)(void *ctx, const struct token *t), void *ctx)
{
	struct each e = {.on = on, .now_us = now_us, .fn = fn, .ctx = ctx};

	return shelf_each(on, TOKEN_FILE_MAX, on_each, &e);
}
