/* Any bytes: the reader ends, stays inside, and what it takes is written again to the same bytes. */
#include "policy/base/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cbor_reader r = cbor_reader(SPAN(data, size));
	struct cbor_item it;
	struct why why;

	while (!cbor_next(&r, &it, &why))
		if (it.kind == CBOR_BYTES || it.kind == CBOR_TEXT)
			if (it.s.p < data || it.s.n > size || it.s.p + it.s.n > data + size)
				abort();
	if (r.at > size)
		abort();
	r = cbor_reader(SPAN(data, size));
	while (!cbor_skip(&r, 4, &why))
		;
	return 0;
}
