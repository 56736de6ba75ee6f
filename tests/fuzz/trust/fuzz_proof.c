/* Proof files are handed over by anybody: whatever is in one, reading it ends with a verdict. */
#include "policy/trust/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The key of the golden proofs (tests/unit/wire/data/golden/log.vkey), so that whole ones are gone through. */
	static const char vkey[] = "sekisho.test/log/2026+2a4c05d3+AWf3TrOwCuAfxNa7tzl50zk3hIKX30bSTDgVbS2DRWJ4";
	static struct verifier log;
	struct merkle_proof p = {.n = 0};
	struct checkpoint c;
	struct why why;
	uint64_t index;
	int r;

	if (!log.key && verifier_decode(SPAN_STR(vkey), &log, NULL))
		abort();
	r = proof_read(SPAN(data, size), &log, &index, &p, &c, &why);
	if (r != 0 && r != V_BAD)
		abort();
	if (p.n > MERKLE_PROOF_MAX)
		abort();
	return 0;
}
