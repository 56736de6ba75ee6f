/* Any bytes as a JSON request, a query and a path: every parser ends, and leaves nothing behind. */
#include "collector/ingest/ask.h"
#include "collector/ingest/token.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = SPAN(data, size);
	struct why why = {""};
	struct ask_enrol e;
	struct ask_renew n;
	struct ask_cosign c;
	uint64_t v;
	char *text;

	if (!ask_enrol_parse(in, &e, &why)) {
		(void)name_fits(e.name);
		ask_enrol_deinit(&e);
	}
	if (!ask_renew_parse(in, &n, &why))
		ask_renew_deinit(&n);
	if (!ask_cosign_parse(in, &c, &why)) {
		/* a line each: nothing behind it comes into the note */
		if (memchr(c.witness.p, '\n', c.witness.n) ||
			memchr(c.cosignature.p, '\n', c.cosignature.n) != c.cosignature.p + c.cosignature.n - 1)
			abort();
		ask_cosign_deinit(&c);
	}
	text = malloc(size + 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	(void)ask_number(text, &v);
	(void)ask_query(text, "follow", &v);
	/* What passes as a tile can lead nowhere else. */
	if (ask_tile(text) && (strstr(text, "..") || strstr(text, "//") || strncmp(text, "/tile/", 6) != 0))
		abort();
	free(text);
	return 0;
}
