/*
 * See proof.h. Lines from outside: each is checked for its whole form, nothing is guessed.
 */
#include "policy/trust/proof.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

int proof_write(uint64_t index, const struct merkle_proof *p, struct span note, struct buf *out)
{
	size_t before = out->n;
	unsigned i;
	int r = buf_putf(out, FIRST_LINE "\nindex %" PRIu64 "\n", index);

	for (i = 0; !r && i < p->n; i++) {
		r = base64_encode(out, SPAN(p->h[i].b, DIGEST_SIZE));
		r = r ? r : buf_puts(out, "\n");
	}
	r = r ? r : buf_puts(out, "\n");
	r = r ? r : buf_put_span(out, note);
	if (r)
		out->n = before;
	return r;
}

/* The line at the start of `rest`, without its newline, which must be there. */
static int line(struct span *rest, struct span *out)
{
	const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;

	if (!end)
		return V_BAD;
	*out = SPAN(rest->p, (size_t)(end - rest->p));
	rest->n -= out->n + 1;
	rest->p = end + 1;
	return 0;
}

static bool starts(struct span s, const char *with)
{
	return s.n >= strlen(with) && !memcmp(s.p, with, strlen(with));
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
	int r;

	if (line(&rest, &l) || !span_eq(l, SPAN_STR(FIRST_LINE)))
		return why_set(why, V_BAD, "proof: does not begin with " FIRST_LINE);
	r = line(&rest, &l);
	if (!r && starts(l, "extra "))
		r = line(&rest, &l);
	if (r || !starts(l, "index ") || number(SPAN(l.p + 6, l.n - 6), &at))
		return why_set(why, V_BAD, "proof: names no index");
	while (!(r = line(&rest, &l)) && l.n) {
		_cleanup_buf_ struct buf hash = BUF_INIT(4 * DIGEST_SIZE);

		if (got.n == MERKLE_PROOF_MAX || base64_decode(&hash, l) || hash.n != DIGEST_SIZE)
			return why_set(why, V_BAD, "proof: line %u is no hash", got.n + 3);
		memcpy(got.h[got.n++].b, hash.p, DIGEST_SIZE);
	}
	if (r)
		return why_set(why, V_BAD, "proof: cut off");
	r = checkpoint_verify(rest, log, &head, why);
	if (r)
		return r;
	*index = at;
	*p = got;
	*c = head;
	return 0;
}
