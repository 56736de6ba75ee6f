/*
 * The access log: who looked at what, as records of a producer of our own. They lie in our spool, signed, from where
 * the collector takes them into the log.
 *
 * What cannot be recorded does not happen: callers ask before they show or change anything.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define SPOOL_BOUND (256ull << 20)
#define SPOOL_FLOOR (16ull << 20)
#define SEAL_US 1000000u
#define VIEW_AGAIN_US 60000000
#define TEXT_MAX 2000u

int tell_open(struct console *c, struct why *why)
{
	struct sealer_options o = {
		.spool_dir = c->conf.spool,
		.producer = PRODUCER_CONSOLE,
		.device = c->device,
		.bound = SPOOL_BOUND,
		.floor = SPOOL_FLOOR,
		.seal_us = SEAL_US,
	};
	struct told t = {.kind = KIND_CONSOLE_START, .text = SEKISHO_VERSION, .urgent = true};
	int r = sealer_new(&o, &c->sealer, why);

	if (r == V_EXISTS)
		return why_set(why, r, "%s: another console uses it", c->conf.spool);
	if (r == V_BAD && c->sealer) {
		log_warning("%s", why->text);
		r = 0;
	}
	r = r ? r : tell(c, &t);
	return r == V_FULL ? why_set(why, V_FULL, "%s: full: what is done here cannot be recorded", c->conf.spool) : r;
}

void tell_close(struct console *c)
{
	if (c->sealer && sealer_flush(c->sealer, true))
		log_error("the last records of the access log could not be sealed");
	sealer_free(c->sealer);
	c->sealer = NULL;
}

static void set_text(struct record *r, unsigned f, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	/* Cut at a character. */
	if (n > TEXT_MAX)
		for (n = TEXT_MAX; n && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			;
	if (n)
		record_set_span(r, f, SPAN(s, n));
}

int tell(struct console *c, const struct told *t)
{
	struct record *r = &c->record;
	int x;

	record_reset(r);
	record_set_uint(r, F_KIND, t->kind);
	record_set_uint(r, F_BOOT_TIME, (uint64_t)clock_boot_us());
	set_text(r, F_USER, t->account);
	set_text(r, F_REMOTE, t->address);
	set_text(r, F_OPERATION, t->operation);
	set_text(r, F_TEXT, t->text);
	set_text(r, F_TARGET_USER, t->target);
	set_text(r, F_PEER_NAME, t->peer_name);
	set_text(r, F_RULE, t->rule);
	set_text(r, F_PATH, t->path);
	set_text(r, F_SERVICE, t->method);
	set_text(r, F_FINDINGS, t->findings);
	if (t->alert)
		record_set_span(r, F_ALERT, SPAN(t->alert, ALERT_ID_SIZE));
	if (t->peer)
		record_set_span(r, F_PEER, SPAN(t->peer->b, DIGEST_SIZE));
	if (t->hash)
		record_set_span(r, F_HASH, SPAN(t->hash->b, DIGEST_SIZE));
	if (t->cause)
		record_set_uint(r, F_CAUSE, t->cause);
	if (t->has_uid)
		record_set_uint(r, F_UID, t->uid);
	if (t->has_count)
		record_set_uint(r, F_COUNT, t->count);
	x = sealer_put(c->sealer, r, t->urgent);
	c->count.told += !x;
	return x;
}

bool tell_call(struct call *x, struct told t)
{
	int r;

	t.account = t.account ? t.account : x->account ? x->account->name : NULL;
	t.address = x->address;
	r = tell(x->c, &t);
	if (!r)
		return true;
	if (r != V_FULL)
		console_fail(x->c, r, "access log");
	else if (log_allowed(&x->c->limit))
		log_error("%s: full: nobody is let in before the collector has taken it", x->c->conf.spool);
	reply_error(x, 503, "unrecorded", "what you asked cannot be recorded now");
	return false;
}

bool tell_view(struct call *x, unsigned kind, const char *text, uint64_t count)
{
	struct told t = {.kind = kind, .text = text, .count = count, .has_count = kind == KIND_CONSOLE_SEARCH};
	const struct span parts[] = {SPAN_STR(x->a->path), SPAN("\n", 1), SPAN_STR(text ? text : "")};
	int64_t now = clock_boot_us();
	struct session *s = x->session;
	struct digest what;
	unsigned i, oldest = 0;

	t.operation = x->a->path;
	digest_of(&what, parts, ARRAY_SIZE(parts));
	for (i = 0; i < SESSION_VIEWS; i++) {
		if (s->views[i].at_us && now - s->views[i].at_us < VIEW_AGAIN_US && digest_eq(&s->views[i].what, &what))
			return true;
		if (s->views[i].at_us < s->views[oldest].at_us)
			oldest = i;
	}
	if (!tell_call(x, t))
		return false;
	s->views[oldest].what = what;
	s->views[oldest].at_us = now;
	return true;
}
