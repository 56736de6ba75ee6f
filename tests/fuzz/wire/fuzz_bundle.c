/*
 * A signed policy as it lies in an inbox: whoever wrote it. Its claimed version, and the whole of it with a key that
 * signed the seeds.
 */
#include "policy/wire/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char keys[] = "office+5ff3dccb+AXTdfxy9uRV7T1ZmrjQh2qHbwJ3zRaU1TSSaNrQLVwNr";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct admins admins;
	struct buf raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct why why = {""};
	struct bundle b;
	uint64_t version;

	if (!admins.n && admins_decode(SPAN_STR(keys), &admins, &why))
		return 0;
	bundle_peek(SPAN(data, size), &version, &why);
	bundle_open(SPAN(data, size), &admins, NULL, 0, 0, &raw, &b, &why);
	buf_deinit(&raw);
	return 0;
}
