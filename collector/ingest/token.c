/*
 * See token.h. Called by enrolment and the administrator's door. Must never write a secret to the disk or into a log.
 */
#include "collector/ingest/token.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define FILE_MAX 1024u
#define ID_HEX (2 * API_TOKEN_ID_SIZE)
#define SECRET_HEX (2 * API_TOKEN_SECRET_SIZE)
#define PATH_ROOM 640

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

static int path_of(char out[PATH_ROOM], const char *dir, const char *id)
{
	return snprintf(out, PATH_ROOM, "%s/%s", dir, id) >= PATH_ROOM ? -ENAMETOOLONG : 0;
}

static int store(const char *dir, const struct token *t)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	char secret[2 * DIGEST_SIZE + 1], by[2 * DIGEST_SIZE + 1] = "-", path[PATH_ROOM];
	int r = path_of(path, dir, t->id);

	if (t->used)
		hex_encode(by, t->used_by.b, DIGEST_SIZE);
	r = r ? r
	      : buf_putf(&b, "sekisho-token 1\nsecret %s\nexpires %" PRId64 "\nused %s\nname %s\n",
			hex_encode(secret, t->secret.b, DIGEST_SIZE), t->expires_us, by, t->name);
	return r ? r : file_replace(path, buf_span(&b), 0600);
}

/* 0; V_NOT_FOUND; V_BAD; -errno. */
static int load(const char *dir, const char *id, struct token *out)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	char secret[2 * DIGEST_SIZE + 2], by[2 * DIGEST_SIZE + 2], path[PATH_ROOM];
	struct token t = {.used = false};
	const char *name, *end;
	int at = 0;
	int r = path_of(path, dir, id);

	r = r ? r : file_read(path, &b);
	if (r)
		return r == V_FULL ? V_BAD : r;
	if (!buf_str(&b) ||
		sscanf((const char *)b.p,
			"sekisho-token 1\nsecret %65[0-9a-f]\nexpires %" SCNd64 "\nused %65[0-9a-f-]\nname%n", secret,
			&t.expires_us, by, &at) != 3 ||
		!at || b.p[at] != ' ' || hex_decode(secret, t.secret.b, DIGEST_SIZE))
		return V_BAD;
	if (strcmp(by, "-") != 0) {
		if (hex_decode(by, t.used_by.b, DIGEST_SIZE))
			return V_BAD;
		t.used = true;
	}
	name = (const char *)b.p + at + 1;
	end = strchr(name, '\n');
	if (!end || (size_t)(end - name) >= sizeof(t.name))
		return V_BAD;
	memcpy(t.name, name, (size_t)(end - name));
	memcpy(t.id, id, ID_HEX + 1);
	*out = t;
	return 0;
}

static int count_one(void *ctx, const struct token *t)
{
	(void)t;
	++*(unsigned *)ctx;
	return 0;
}

int token_create(const char *dir, const char *name, int64_t expires_us, const struct digest *ca,
	char text[TOKEN_TEXT_SIZE], char id[2 * API_TOKEN_ID_SIZE + 1])
{
	uint8_t raw_id[API_TOKEN_ID_SIZE], raw_secret[API_TOKEN_SECRET_SIZE];
	char secret[SECRET_HEX + 1], fingerprint[2 * DIGEST_SIZE + 1];
	struct token t = {.expires_us = expires_us};
	unsigned open = 0;
	int r = token_each(dir, clock_wall_us(), count_one, &open);

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
	r = store(dir, &t);
	if (!r) {
		snprintf(text, TOKEN_TEXT_SIZE, API_TOKEN_PREFIX ".%s.%s.%s", t.id, secret,
			hex_encode(fingerprint, ca->b, DIGEST_SIZE));
		memcpy(id, t.id, sizeof(t.id));
	}
	secret_wipe(secret, sizeof(secret));
	secret_wipe(raw_secret, sizeof(raw_secret));
	return r;
}

int token_check(const char *dir, const char *presented, const char *name, const struct digest *host, int64_t now_us,
	struct token *out, struct why *why)
{
	char id[ID_HEX + 1];
	struct digest secret;
	struct token t;
	int r;

	if (strlen(presented) != ID_HEX + 1 + SECRET_HEX || presented[ID_HEX] != '.' || !is_hex(presented, ID_HEX) ||
		!is_hex(presented + ID_HEX + 1, SECRET_HEX))
		return why_set(why, V_DENIED, "no token");
	memcpy(id, presented, ID_HEX);
	id[ID_HEX] = 0;
	r = load(dir, id, &t);
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

int token_use(const char *dir, const struct token *t, const struct digest *host)
{
	struct token used = *t;

	if (t->used)
		return 0;
	used.used = true;
	used.used_by = *host;
	return store(dir, &used);
}

int token_each(const char *dir, int64_t now_us, int (*fn)(void *ctx, const struct token *t), void *ctx)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *e;
	struct token t;
	int r;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (strlen(e->d_name) != ID_HEX || !is_hex(e->d_name, ID_HEX))
			continue;
		r = load(dir, e->d_name, &t);
		if (r < 0)
			return r;
		if (r || t.expires_us < now_us) {
			if (!r)
				unlinkat(dirfd(d), e->d_name, 0);
			continue;
		}
		r = t.used ? 0 : fn(ctx, &t);
		if (r)
			return r;
	}
	return 0;
}
