/*
 * An order by two administrators, as it comes in at the door or out of a record: what it claims, and the whole of it
 * with keys that signed the seeds.
 */
#include "policy/wire/order.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char keys[] = "a+aabbcd82+AeUmxLWD7L9qRCT4NakzDGCOdwXuN7SLQDrQhdM1ZXi0\n"
			   "b+d16bae49+ARWYQdWwS6Pm7uoj8udiEytpyN1fuGHnGOBWqNAkl0oO\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct admins admins;
	struct why why = {""};
	struct order o;

	if (!admins.n && admins_decode(SPAN_STR(keys), &admins, &why))
		return 0;
	/* What is opened was countersigned by two, and says what an order can say. */
	if (!order_open(SPAN(data, size), &admins, &o, &why) &&
		(!o.countersigned || !o.requester[0] || !o.second[0] || !o.reason[0] || !month_is(o.month)))
		abort();
	if (!order_peek(SPAN(data, size), NULL, &o, &why) && o.requester[0])
		abort();
	return 0;
}
