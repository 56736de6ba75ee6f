/* JSON bodies come from anybody, before any sign-in: an object within its bound, or a reason. */
#include "collector/http/parse.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = NULL;
	struct why why;
	int r = ask_object_of(SPAN(data, size), 4096, &o, &why);

	if (r != 0 && r != V_BAD)
		abort();
	if (!r && (!json_is_object(o) || size > 4096))
		abort();
	json_decref(o);
	return 0;
}
