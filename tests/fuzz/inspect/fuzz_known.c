/*
 * Any bytes as a table of known documents, and what is behind them as text that is looked into: nothing outside of the
 * table is read, and no more is found than there is.
 */
#include "agent/inspect/known.h"
#include "agent/inspect/prints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[INSPECT_KEY_SIZE] = {1};
	uint8_t made[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE];
	_cleanup_(prints_freep) struct prints *maker = NULL, *finder = NULL;
	_cleanup_(inspect_known_freep) struct inspect_known *kept = NULL;
	struct inspect_known_document document;
	struct inspect_facts f = {0};
	struct known known;
	struct why why;
	unsigned i, n = 0;

	if (!known_read(SPAN(data, size), &known, &why)) {
		if (prints_find(SPAN(data, size), &finder, &why))
			abort();
		prints_text(finder, SPAN(data, size));
		prints_file(finder, SPAN(data, size));
		prints_tell(finder, &f);
		for (i = 0; i < known.n; i++)
			if (f.known[i].prints * INSPECT_PRINT_SIZE > known.document[i].prints.n)
				abort();
	}
	/* What is made of a text is found in it, all of it. */
	if (prints_make(key, &maker))
		abort();
	prints_text(maker, SPAN(data, size));
	prints_end(maker, made, &n);
	document = (struct inspect_known_document){.prints = SPAN(made, n * INSPECT_PRINT_SIZE)};
	if (n > INSPECT_PRINTS_MAX || inspect_known_new(key, &document, 1, &kept))
		abort();
	return 0;
}
