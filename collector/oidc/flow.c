/*
 * See oidc.h.
 */
#include "collector/oidc/oidc.h"
#include "policy/base/text.h"
#include <errno.h>
#include <jose/b64.h>

static void derive(const uint8_t secret[32], const char *what, char out[65])
{
	const struct span parts[] = {SPAN(secret, 32), SPAN_STR(what)};
	struct digest d;

	digest_of(&d, parts, 2);
	hex_encode(out, d.b, DIGEST_SIZE);
	secret_wipe(&d, sizeof(d));
}

void oidc_flow(const uint8_t secret[32], struct oidc_flow *out)
{
	derive(secret, "state", out->state);
	derive(secret, "nonce", out->nonce);
	derive(secret, "verifier", out->verifier);
}

void oidc_hash_text(const uint8_t *p, size_t n, char out[OIDC_HASH_TEXT_SIZE])
{
	size_t len = jose_b64_enc_buf(p, n, out, OIDC_HASH_TEXT_SIZE - 1);

	out[len == SIZE_MAX ? 0 : len] = 0;
}

const char *oidc_text(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);

	/* One with a NUL in it would pass as its own beginning. */
	return s && strlen(s) == json_string_length(v) ? s : NULL;
}

bool oidc_is_https(const char *url)
{
	static const char scheme[] = "https://";
	const char *p = url + sizeof(scheme) - 1;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0 || !strcspn(p, "/?") || strlen(url) > OIDC_URL_MAX)
		return false;
	/* Nobody's name in front of the host, whom a reader could take for it. */
	if (memchr(p, '@', strcspn(p, "/?")))
		return false;
	for (; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || strchr("#\\\"<>", *p))
			return false;
	return true;
}

bool oidc_is_subject(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] >= 0x7f)
			return false;
	return n && n < OIDC_SUBJECT_SIZE && s[0] != ' ' && s[n - 1] != ' ';
}

bool oidc_has_word(const char *words, const char *word)
{
	size_t n = strlen(word), len;

	for (; *words; words += len) {
		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (n && len == n && !memcmp(words, word, n))
			return true;
	}
	return false;
}

static int put_escaped(struct buf *out, const char *s)
{
	int r = 0;

	for (; *s && !r; s++) {
		unsigned char c = (unsigned char)*s;
		bool plain =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~", c);

		r = plain ? buf_put(out, s, 1) : buf_putf(out, "%%%02X", c);
	}
	return r;
}

static int put(struct buf *out, const char *name, const char *value)
{
	int r = buf_puts(out, name);

	return r ? r : put_escaped(out, value);
}

/* Those words of it that are values of acr. */
static int put_acr(struct buf *out, const char *acr)
{
	const char *between = "&acr_values=";
	char word[128];
	size_t n;
	int r = 0;

	for (; *acr && !r; acr += n) {
		acr += strspn(acr, " ");
		n = strcspn(acr, " ");
		if (!n || n >= sizeof(word) || !strncmp(acr, "amr:", 4))
			continue;
		memcpy(word, acr, n);
		word[n] = 0;
		r = put(out, between, word);
		between = "%20";
	}
	return r;
}

int oidc_location(const char *endpoint, const struct oidc_settings *s, const char *redirect, const struct oidc_flow *f,
	struct buf *out)
{
	char challenge[OIDC_HASH_TEXT_SIZE];
	struct digest d;
	int r;

	if (!oidc_is_https(endpoint))
		return V_BAD;
	digest_span(&d, SPAN_STR(f->verifier));
	oidc_hash_text(d.b, DIGEST_SIZE, challenge);
	r = buf_puts(out, endpoint);
	r = r ? r : buf_puts(out, strchr(endpoint, '?') ? "&" : "?");
	r = r ? r : put(out, "response_type=code&scope=openid&client_id=", s->client_id);
	r = r ? r : put(out, "&redirect_uri=", redirect);
	r = r ? r : put(out, "&state=", f->state);
	r = r ? r : put(out, "&nonce=", f->nonce);
	r = r ? r : put(out, "&code_challenge_method=S256&code_challenge=", challenge);
	return r ? r : put_acr(out, s->acr);
}

int oidc_logout_location(
	const char *endpoint, const struct oidc_settings *s, const char *redirect, const char *state, struct buf *out)
{
	int r;

	if (!oidc_is_https(endpoint))
		return V_BAD;
	r = buf_puts(out, endpoint);
	r = r ? r : buf_puts(out, strchr(endpoint, '?') ? "&" : "?");
	r = r ? r : put(out, "client_id=", s->client_id);
	r = r ? r : put(out, "&post_logout_redirect_uri=", redirect);
	return r ? r : put(out, "&state=", state);
}
