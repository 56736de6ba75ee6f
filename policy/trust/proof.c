/*
 * See proof.h. Lines from outside: each is checked for its whole form, nothing is guessed.
 */
#include "policy/trust/proof.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

int proof_hashes(const struct merkle_proof *p, struct buf *out)
{
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < p->n; i++) {
		r = base64_encode(out, SPAN(p->h[i].b, DIGEST_SIZE));
		r = r ? r : buf_puts(out, "\n");
	}
	return r;
}

int proof_hash(struct span line, struct merkle_proof *p)
{
	_cleanup_buf_ struct buf hash = BUF_INIT(4 * DIGEST_SIZE);

	if (p->n == MERKLE_PROOF_MAX || base64_decode(&hash, line) || hash.n != DIGEST_SIZE)
		return V_BAD;
	memcpy(p->h[p->n++].b, hash.p, DIGEST_SIZE);
	return 0;
}

int proof_write(uint64_t index, const struct merkle_proof *p, struct span note, struct buf *out)
{
	size_t before = out->n;
	int r = buf_putf(out, FIRST_LINE "\nindex %" PRIu64 "\n", index);

	r = r ? r : proof_hashes(p, out);
	r = r ? r : buf_puts(out, "\n");
	r = r ? r : buf_put_span(out, note);
	if (r)
		out->n = before;
	return r;
}

/* Decimal without leading zeroes. */
static int number(struct span s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!s.n || s.n > 18 || (s.n > 1 && s.p[0] == '0'))
		return V_BAD;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return V_BAD;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*out = v;
	return 0;
}

int proof_read(struct span in, const struct verifier *log, uint64_t *index, struct merkle_proof *p,
	struct checkpoint *c, struct why *why)
{
	struct merkle_proof got = {.n = 0};
	struct checkpoint head;
	struct span rest = in, l;
	uint64_t at = 0;
	bool good;
	int r;

	if (!text_line(&rest, &l) || !span_eq(l, SPAN_STR(FIRST_LINE)))
		return why_set(why, V_BAD, "proof: does not begin with " FIRST_LINE);
	good = text_line(&rest, &l);
	if (good && span_begins(l, "extra "))
		good = text_line(&rest, &l);
	if (!good || !span_begins(l, "index ") || number(SPAN(l.p + 6, l.n - 6), &at))
		return why_set(why, V_BAD, "proof: names no index");
	while ((good = text_line(&rest, &l)) && l.n)
		if (proof_hash(l, &got))
			return why_set(why, V_BAD, "proof: line %u is no hash", got.n + 3);
	if (!good)
		return why_set(why, V_BAD, "proof: cut off");
	r = checkpoint_verify(rest, log, &head, why);
	if (r)
		return r;
	*index = at;
	*p = got;
	*c = head;
	return 0;
}
