/* Any bytes as a note with cosignatures, and as a witness's line. The keys are the seeds' own. */
#include "policy/trust/cosign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char log_key[] = "sekisho.test/log/2026+2a4c05d3+AWf3TrOwCuAfxNa7tzl50zk3hIKX30bSTDgVbS2DRWJ4";
	static const char witness_key[] = "sekisho/pc/"
					  "01793f1f839c192c7490aca8405e124b294727564c4a453e4fa98e6c00f8291c+4e79435f+"
					  "BObcirn1kjezgL9LVhh8QJhooXP2dkromnpmZm72EBf7";
	static struct verifier log, witness;
	static struct cosignatures c;
	struct verifier v;
	struct digest host;
	struct why why;
	uint64_t time_s = UINT64_MAX;
	unsigned i;

	if (!log.key && (verifier_decode(SPAN_STR(log_key), &log, &why) ||
				verifier_decode_as(NOTE_WITNESS, SPAN_STR(witness_key), &witness, &why)))
		abort();
	if (!witness_read(SPAN(data, size), &host, &v, &why))
		verifier_deinit(&v);
	if (cosignatures_read(SPAN(data, size), &log, &c, &why))
		return 0;
	if (c.n > NOTE_SIGNATURES_MAX || c.text.p != data || c.text.n > size)
		abort();
	for (i = 0; i < c.n; i++)
		if (!cosignature_check(&c, i, &witness, &time_s) && time_s > INT64_MAX)
			abort();
	return 0;
}
