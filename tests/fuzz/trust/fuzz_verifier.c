/* Any bytes as a verifier key: what is taken is written again as it was, but for the case of its hash and its ends. */
#include "policy/trust/note.h"
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT(512);
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	struct why why;
	size_t hash, behind;

	if (verifier_decode(SPAN(data, size), &v, &why))
		return 0;
	if (verifier_encode(v.name, v.key, &again) || again.n > size)
		abort();
	while (size && strchr(" \t\r\n", data[0]) && data[0]) {
		data++;
		size--;
	}
	/* name and '+', the hash, '+' and the key */
	hash = strlen(v.name) + 1;
	behind = hash + 8;
	if (again.n > size || memcmp(data, again.p, hash) != 0 ||
		strncasecmp((const char *)data + hash, (const char *)again.p + hash, 8) != 0 ||
		memcmp(data + behind, again.p + behind, again.n - behind) != 0)
		abort();
	return 0;
}
