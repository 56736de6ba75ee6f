/* Any bytes as a tlog-policy file: read whole or refused; and what all witnesses have signed is enough. */
#include "policy/trust/quorum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"sekisho/pc/"
					   "01793f1f839c192c7490aca8405e124b294727564c4a453e4fa98e6c00f8291c+4e79435f+"
					   "BObcirn1kjezgL9LVhh8QJhooXP2dkromnpmZm72EBf7",
		"sekisho/pc/"
		"dad048634e22603067206ad469c498454ec34bc2e5f6ed931965158d8ca5aa89+6aee0ef5+"
		"BHzCs4D3c8E1CUPcSvNEa4pmwbfA+Wc+ONyTLzH+iekq"};
	struct quorum *q;
	struct why why;
	size_t i;

	if (quorum_read(SPAN(data, size), &q, &why))
		return 0;
	(void)quorum_met(q);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		struct verifier v;
		struct cosignature c = {.size = 0};
		const struct verifier *known;

		if (verifier_decode_as(NOTE_WITNESS, SPAN_STR(keys[i]), &v, &why))
			abort();
		memcpy(c.name, v.name, sizeof(c.name));
		memcpy(c.hash, v.hash, sizeof(c.hash));
		known = quorum_witness(q, &c);
		if (known)
			quorum_mark(q, known);
		verifier_deinit(&v);
	}
	(void)quorum_met(q);
	quorum_free(q);
	return 0;
}
