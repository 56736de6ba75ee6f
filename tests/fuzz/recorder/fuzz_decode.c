/*
 * Bytes of the ring buffer, whatever they are: the first byte says whether what follows is taken as it is, or put
 * behind a head that is right, so that the lengths are reached too.
 */
#include "agent/probe/event.h"
#include "agent/recorder/convert.h"
#include "agent/recorder/decode.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct span s, const uint8_t *p, size_t n)
{
	if (s.n && (s.p < p || s.p + s.n > p + n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[256];
	static struct record r;
	struct convert_room room;
	struct subject who = {0};
	struct object o = {0};
	struct seen s;
	uint8_t *bytes;

	if (size < 1)
		return 0;
	bytes = malloc(size);
	if (!bytes)
		return 0;
	memcpy(bytes, data + 1, --size);
	if (data[0] & 1 && size >= sizeof(struct event)) {
		struct event e;

		memcpy(&e, bytes, sizeof(e));
		e.version = EVENT_VERSION;
		e.size = (uint32_t)size;
		e.kind = (uint16_t)(1 + data[0] % 15);
		memcpy(bytes, &e, sizeof(e));
	}
	if (decode(SPAN(bytes, size), &s, NULL) == 0) {
		within(s.path, bytes, size);
		within(s.path2, bytes, size);
		within(s.program, bytes, size);
		within(s.script, bytes, size);
		within(s.args, bytes, size);
		within(s.cwd, bytes, size);
		within(s.fs, bytes, size);
		within(s.comm, bytes, size);
		if (decode_tidy(s.path, out, sizeof(out)) > sizeof(out))
			abort();
		if (decode_args(s.args, out, sizeof(out)) > sizeof(out))
			abort();
		convert(&s, &who, &o, 1, &room, &r);
	}
	free(bytes);
	return 0;
}
