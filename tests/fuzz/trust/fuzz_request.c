/* Any bytes as a certificate request, and as a certificate: a key that is taken is a P-256 key in its one form. */
#include "policy/trust/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf der = BUF_INIT(8192);
	_cleanup_(key_freep) struct key *key = NULL, *again = NULL, *shown = NULL;
	struct span in = SPAN(data, size);
	struct cert_info info;
	struct why why;

	if (!cert_request_key(in, &key, &why) &&
		(key_type(key) != KEY_P256 || key_is_private(key) || key_public_der(key, &der) ||
			key_from_public_der(buf_span(&der), &again, &why)))
		abort();
	if (!cert_read(in, &info, &why) && strnlen(info.cn, sizeof(info.cn)) == sizeof(info.cn))
		abort();
	cert_check(in, in, CERT_CLIENT, &shown, &why);
	return 0;
}
