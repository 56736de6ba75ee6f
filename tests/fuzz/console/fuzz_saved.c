/* What people save as searches comes from anybody who is signed in: a list of searches that can be asked, or a reason.
 */
#include "collector/console/search.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *list = json_loadb((const char *)data, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	struct why why = {""};
	int r;

	if (!list)
		return 0;
	r = search_saved_check(list, INT64_C(1764000000000000), &why);
	if (r != 0 && (r != V_BAD || !why.text[0]))
		abort();
	if (!r && json_array_size(list) > SEARCH_SAVED_MAX)
		abort();
	json_decref(list);
	return 0;
}
