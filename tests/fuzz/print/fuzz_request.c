/*
 * Questions to the print daemon, whatever their bytes: what is taken lies within them, and options stay in their room.
 */
#include "agent/print/request.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char option[16];
	struct request r;
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	if (request_parse(SPAN(bytes, size), &r, NULL) == 0) {
#define X(name, member)                                                                                      \
	if (r.member[0] && ((const uint8_t *)r.member < bytes || (const uint8_t *)r.member >= bytes + size)) \
		abort();
		REQUEST_KEYS(X)
#undef X
		if (request_option(r.options, "sides", option, sizeof(option)) && strlen(option) >= sizeof(option))
			abort();
		request_option(r.options, "media", option, 1);
	}
	free(bytes);
	return 0;
}
