/* A package's manifest, whatever it holds: taken whole, with paths that are found again, or not at all. */
#include "agent/service/manifest.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_manifest_ struct manifest m = {.files_n = 0};
	unsigned i;
	int r = manifest_add(&m, SPAN(data, size));

	if (r < 0 || (r && (m.files_n || m.version[0])))
		abort();
	for (i = 0; i < m.files_n; i++)
		if (m.files[i].path[0] != '/' || m.files[i].mode > 07777 || !manifest_find(&m, m.files[i].path))
			abort();
	return 0;
}
