/* Whatever stands behind clamd's socket: its answer is one of four things, and a name is printable and bounded. */
#include "policy/base/clamd.h"
#include "policy/base/text.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[CLAMD_NAME_MAX];
	enum clamd_verdict v = clamd_answer(SPAN(data, size), name);
	size_t i;

	if (!memchr(name, 0, sizeof(name)) || !text_is_utf8(SPAN_STR(name)))
		abort();
	for (i = 0; name[i]; i++)
		if ((unsigned char)name[i] < ' ')
			abort();
	if ((v == CLAMD_FOUND || v == CLAMD_FAILED) != (name[0] != 0))
		abort();
	if (v == CLAMD_CLEAN && !span_eq(SPAN(data, size), SPAN("stream: OK", sizeof("stream: OK"))))
		abort();
	return 0;
}
