/*
 * See outgoing.h.
 */
#include "collector/console/outgoing.h"

int outgoing_send(struct held *h, struct digesting *digest, struct buf *piece)
{
	int r = 0;

	if (piece->n) {
		digesting_put(digest, buf_span(piece));
		r = stream_piece(h, buf_span(piece));
	}
	buf_clear(piece);
	return r;
}

void outgoing_told(struct console *c, struct told t, struct digesting **digest)
{
	struct digest d;
	int r;

	digesting_end(STEAL(*digest), &d);
	t.kind = KIND_CONSOLE_EXPORT;
	t.hash = &d;
	t.has_count = t.urgent = true;
	r = tell(c, &t);
	if (r)
		console_fail(c, r, "access log");
}
