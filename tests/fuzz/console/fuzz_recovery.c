/* Whatever somebody types as a recovery code is none, or the one that it is; and what is in the file is as we write it.
 */
#include "collector/console/recovery.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recovery kept;
	static char shown[RECOVERY_CODES][RECOVERY_TEXT_SIZE];
	char typed[RECOVERY_TYPED_MAX + 1];
	struct recovery r = {.n = 0};
	json_t *o;

	if (!kept.n && recovery_make("hanako", 1, &kept, shown))
		abort();
	if (recovery_find(&kept, "hanako", shown[size % RECOVERY_CODES]) != size % RECOVERY_CODES)
		abort();
	o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (recovery_read(o, &r) && r.n > RECOVERY_CODES)
		abort();
	json_decref(o);
	size = size > RECOVERY_TYPED_MAX ? RECOVERY_TYPED_MAX : size;
	memcpy(typed, data, size);
	typed[size] = 0;
	/* Nobody guesses one of 118 bits. */
	if (recovery_find(&kept, "hanako", typed) != RECOVERY_CODES)
		abort();
	return 0;
}
