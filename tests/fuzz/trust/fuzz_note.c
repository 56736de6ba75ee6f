/* Any bytes as a signed note. The key is the seeds' own, so that what is behind its signature is reached, too. */
#include "policy/trust/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char vkey[] = "log.example/fuzz+85cae928+ASI/XabOGU9CQPILBxfre+CBm4kMJ3J+Ud1PRPh4B27d";
	static struct verifier v;
	struct checkpoint c;
	struct why why;

	if (!v.key && verifier_decode(SPAN_STR(vkey), &v, &why))
		abort();
	if (!checkpoint_verify(SPAN(data, size), &v, &c, &why) && (strcmp(c.origin, v.name) != 0 || c.size > INT64_MAX))
		abort();
	return 0;
}
