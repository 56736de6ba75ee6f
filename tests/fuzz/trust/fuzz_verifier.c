/* Any bytes as a verifier key: what is taken is written again as it was, but for the case of its hash and its ends. */
#include "policy/trust/note.h"
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT(512);
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	struct why why;

	if (verifier_decode(SPAN(data, size), &v, &why))
		return 0;
	if (verifier_encode(v.name, v.key, &again) || again.n > size)
		abort();
	while (size && strchr(" \t\r\n", data[0]) && data[0]) {
		data++;
		size--;
	}
	if (again.n > size || strncasecmp((const char *)data, (const char *)again.p, again.n) != 0)
		abort();
	return 0;
}
