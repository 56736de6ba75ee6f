/* Forms come from anybody, without any sign-in: one value within its bound, or none. */
#include "collector/http/parse.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char token[256] = "untouched";
	int r = ask_form(SPAN(data, size), "logout_token", token, sizeof(token));

	if (r != 0 && r != V_BAD && r != V_NOT_FOUND)
		abort();
	if (!r && (!token[0] || strlen(token) >= sizeof(token) || strlen(token) > size))
		abort();
	return 0;
}
