/* Any bytes as a request to join: none but a signed one is read, and nothing is left behind. */
#include "collector/ingest/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct digest id = {{1}};
	struct join_request q = {.json = NULL};
	struct why why = {""};

	if (!join_request_read(SPAN(data, size), &id, &q, &why))
		join_request_deinit(&q);
	return 0;
}
