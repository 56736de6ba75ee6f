/* Any bytes as a public key: what is taken is the one form of that key, for its id is the hash of these bytes. */
#include "policy/trust/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t sig[SIGNATURE_SIZE] = {1};
	_cleanup_buf_ struct buf der = BUF_INIT(8192);
	_cleanup_(key_freep) struct key *key = NULL;
	struct digest id, hash;
	struct why why;

	if (key_from_public_der(SPAN(data, size), &key, &why))
		return 0;
	digest_span(&hash, SPAN(data, size));
	if (key_is_private(key) || key_public_der(key, &der) || !span_eq(buf_span(&der), SPAN(data, size)) ||
		key_id(key, &id) || !digest_eq(&id, &hash))
		abort();
	/* whatever point it is, judging by it is a verdict */
	if (key_verify(key, SPAN_STR("message"), SPAN(sig, sizeof(sig))) < 0)
		abort();
	return 0;
}
