/*
 * Arguments of a program that prints, whatever their bytes: what is said to name the document lies within them, is no
 * program's name, and ends as the document's name.
 */
#include "agent/print/print.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The name, a NUL, the arguments. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);
	const char *args, *at = NULL;
	size_t n = 0;

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = text[size + 1] = 0;
	args = text + strlen(text) + 1;
	if (origin_names(args, text, &at, &n) &&
		(at <= args || at[-1] != '\n' || at + n > args + strlen(args) || n < strlen(text) ||
			memcmp(at + n - strlen(text), text, strlen(text)) != 0))
		abort();
	free(text);
	return 0;
}
