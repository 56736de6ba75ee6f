/*
 * Documents that the administrator knows. See known.h.
 */
#include "policy/base/text.h"
#include "policy/rule/known_parts.h"

#define BETWEEN "; "
#define BEHIND " %"

unsigned policy_known_n(const struct policy *p)
{
	return p->known ? p->known->n : 0;
}

const struct known_document *policy_known(const struct policy *p, unsigned i)
{
	return &p->known->document[i];
}

const uint8_t *policy_known_key(const struct policy *p)
{
	return policy_known_n(p) ? p->known->key : NULL;
}

int policy_known_words(const struct policy *p, const uint8_t known[KNOWN_MAX], struct buf *out)
{
	unsigned i, n = policy_known_n(p);
	int r = 0;

	for (i = 0; i < n && !r; i++) {
		const struct known_document *d = policy_known(p, i);

		if (known[i] && known[i] >= d->share)
			r = buf_putf(out, "%s%s %u %%", out->n ? BETWEEN : "", d->name, known[i]);
	}
	return r;
}

/* "NAME 45 %" of this name? */
static bool is_of(struct span one, const char *name, uint8_t *share)
{
	size_t n = strlen(name), digits = 0;
	unsigned v = 0;

	if (one.n < n + 1 + strlen(BEHIND) || memcmp(one.p, name, n) != 0 || one.p[n] != ' ')
		return false;
	for (one = SPAN(one.p + n + 1, one.n - n - 1); digits < one.n && digits < 3; digits++) {
		if (one.p[digits] < '0' || one.p[digits] > '9')
			break;
		v = v * 10 + one.p[digits] - '0';
	}
	if (!digits || v > 100 || !span_eq(SPAN(one.p + digits, one.n - digits), SPAN_STR(BEHIND)))
		return false;
	*share = (uint8_t)v;
	return true;
}

void policy_known_read(const struct policy *p, struct span told, uint8_t known[KNOWN_MAX])
{
	unsigned i, n = policy_known_n(p);

	memset(known, 0, KNOWN_MAX);
	while (told.n) {
		const uint8_t *end = memmem(told.p, told.n, BETWEEN, strlen(BETWEEN));
		struct span one = SPAN(told.p, end ? (size_t)(end - told.p) : told.n);

		for (i = 0; i < n && !is_of(one, policy_known(p, i)->name, &known[i]); i++)
			;
		told = end ? SPAN(end + strlen(BETWEEN), told.n - one.n - strlen(BETWEEN)) : SPAN(told.p, 0);
	}
}

/* Fingerprints are long: that they are others is what is to be seen. */
static void digest_all(const struct policy *p, struct digest *out)
{
	struct span parts[1 + 3 * KNOWN_MAX];
	unsigned i, n = policy_known_n(p), k = 0;

	if (p->known)
		parts[k++] = SPAN(p->known->key, KNOWN_KEY_SIZE);
	for (i = 0; i < n; i++) {
		const struct known_document *d = policy_known(p, i);

		parts[k++] = SPAN(d->name, strlen(d->name) + 1);
		parts[k++] = SPAN(d->hash.b, DIGEST_SIZE);
		parts[k++] = d->prints;
	}
	digest_of(out, parts, k);
}

int policy_known_settings(const struct policy *p, policy_setting_fn fn, void *ctx)
{
	_cleanup_buf_ struct buf names = BUF_INIT(KNOWN_WORDS_MAX);
	char hex[2 * DIGEST_SIZE + 1];
	unsigned i, n = policy_known_n(p);
	struct digest all;
	int r = 0;

	for (i = 0; i < n && !r; i++)
		r = buf_putf(
			&names, "%s%s (%u %%)", i ? ", " : "", policy_known(p, i)->name, policy_known(p, i)->share);
	digest_all(p, &all);
	r = r ? r : fn(ctx, "documents: known", n ? buf_str(&names) : "none");
	return r ? r
		 : fn(ctx, "documents: key and fingerprints (SHA-256)",
			   n ? hex_encode(hex, all.b, DIGEST_SIZE) : "none");
}
