/*
 * See outgoing.h.
 */
#include "collector/console/outgoing.h"
#include "collector/console/route.h"
#include "policy/base/clock.h"

#define LIFE_US 3600000000ll

void outgoing_begin(struct outgoing *o, const struct call *x)
{
	*o = (struct outgoing){.session = x->session->id,
		.account = *x->account,
		.roles = x->route->roles,
		.began_us = clock_boot_us()};
}

static bool same_scope(const struct account *a, const struct account *b)
{
	unsigned i;

	for (i = 0; i < a->scope_n && i < b->scope_n; i++)
		if (strcmp(a->scope[i], b->scope[i]) != 0)
			return false;
	return a->scope_n == b->scope_n;
}

const char *outgoing_over(struct console *c, const struct outgoing *o, int64_t now_us)
{
	struct session *s = session_by_id(c->sessions, &o->session);
	const struct account *a = account_find(&c->accounts, o->account.name);

	if (!a || a->disabled)
		return "broken off: the account is gone or disabled";
	if (!(a->roles & o->roles) || !same_scope(a, &o->account))
		return "broken off: the account has other rights now";
	if (!s || strcmp(s->account, a->name) != 0)
		return "broken off: signed out";
	if (now_us - o->began_us > LIFE_US)
		return "broken off: not taken within an hour";
	s->seen_us = now_us;
	return session_over(c->sessions, s, now_us) ? "broken off: the session is over" : NULL;
}

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
