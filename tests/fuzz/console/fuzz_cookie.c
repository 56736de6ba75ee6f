/* The Cookie header comes from anybody: our own value of the right form, or nothing. */
#include "collector/console/session.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[SESSION_TEXT_SIZE], *header = malloc(size + 1);
	int r;

	if (!header)
		abort();
	memcpy(header, data, size);
	header[size] = 0;
	r = session_cookie(header, out);
	if (r == 0 && strlen(out) != SESSION_TEXT_SIZE - 1)
		abort();
	if (r != 0 && r != V_BAD && r != V_NOT_FOUND)
		abort();
	free(header);
	return 0;
}
