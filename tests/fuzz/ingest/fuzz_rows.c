/* Any bytes as the body of POST /v1/segments: it is split or refused, and what is split lies inside, gapless. */
#include "collector/ingest/rows.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rows rows;
	struct why why = {""};
	size_t at = 0;
	unsigned i;

	if (rows_split(SPAN(data, size), &rows, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	for (i = 0; i < rows.n; i++) {
		if (rows.at[i].bytes.p != data + at)
			abort();
		at += rows.at[i].bytes.n;
	}
	if (at != size || rows.n > API_SEGMENTS_MAX)
		abort();
	return 0;
}
