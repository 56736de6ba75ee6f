/*
 * What lies at the end of a file on a drive, and an order that somebody brings to the guard: the parts of a sealed file
 * are within it, and what is opened as an order was signed and says what an order can say.
 */
#include "policy/wire/sealed.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The seed `order` is by this one. */
static const char keys[] = "office+df195cf0+AQmydTweuUQqXWUibtdMLMdB8wqZjhXJnoYQBQH/7ffM\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct admins admins;
	struct span envelope = SPAN("", 0), capsule = SPAN("", 0);
	struct why why = {""};
	struct sealed_order o;

	if (!admins.n && admins_decode(SPAN_STR(keys), &admins, &why))
		abort();
	if (!sealed_tail_find(SPAN(data, size), &envelope, &capsule, &why) &&
		(envelope.p != data || capsule.p != data + envelope.n || !capsule.n ||
			envelope.n + capsule.n + SEALED_FOOT_SIZE != size))
		abort();
	if (!sealed_order_open(SPAN(data, size), &admins, 1795757076085421ll, &o, &why) &&
		(!o.signer[0] || !o.reason[0] || o.not_after_us <= o.issued_us))
		abort();
	return 0;
}
