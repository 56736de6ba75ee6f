/* Any bytes as a COSE_Sign1: spans stay within the input, and no forged signature is ever good. */
#include "policy/trust/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct span s, const uint8_t *data, size_t size)
{
	if (s.n && (s.p < data || s.n > size || s.p > data + size - s.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key *keys[2];
	struct cose_sign1 m;
	struct why why;
	size_t i;

	if (!keys[0] && (key_new(KEY_ED25519, &keys[0]) || key_new(KEY_P256, &keys[1])))
		abort();
	if (cose_parse(SPAN(data, size), &m, &why))
		return 0;
	if (!m.size || m.size > size)
		abort();
	within(m.protected_bytes, data, m.size);
	within(m.payload, data, m.size);
	within(m.signature, data, m.size);
	within(m.kid, data, m.size);
	for (i = 0; i < 2; i++)
		if (cose_verify(&m, keys[i], SPAN_STR("purpose"), &why) != V_BAD)
			abort();
	return 0;
}
