/*
 * The collector's store as all operations here open it: it may come later than the console, and may go. And how the
 * process ends where it cannot go on.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include <errno.h>

#define REST_TIMES 3

void console_fail(struct console *c, int r, const char *what)
{
	if (c->failed)
		return;
	c->failed = r < 0 ? r : -EIO;
	c->server.failed = true;
	log_error("%s: %s", what, strerror(-c->failed));
	event_base_loopbreak(c->server.base);
}

/* The log's key: there once the collector was made. */
static void load_log_key(struct console *c)
{
	struct buf text = BUF_INIT(1024);

	if (c->has_log)
		return;
	if (!file_read(c->conf.log_vkey, &text) && !verifier_decode(buf_span(&text), &c->log, NULL)) {
		while (text.n && text.p[text.n - 1] == '\n')
			text.n--;
		c->vkey = text;
		c->has_log = true;
	} else {
		buf_deinit(&text);
	}
}

int store_of(struct console *c)
{
	struct store_options o = {.dir = c->conf.store, .shows = true};
	struct why why = {""};
	int64_t began = clock_boot_us();
	int r;

	load_log_key(c);
	/* Also where who came upon it had nothing to say of it. */
	if (c->store && store_lost(c->store)) {
		store_close(c->store);
		c->store = NULL;
	}
	if (c->store)
		return 0;
	if (began < c->store_rests_us)
		return V_NOT_FOUND;
	r = store_open(&o, &c->store, &why);
	/* A database that is not there costs seconds, in which nobody is answered: that are few of all. */
	c->store_rests_us = r ? clock_boot_us() + REST_TIMES * (clock_boot_us() - began) : 0;
	if (r && log_allowed(&c->limit))
		log_warning("%s: %s", c->conf.store, why.text[0] ? why.text : r < 0 ? strerror(-r) : "not there yet");
	return r < 0 ? r : r ? V_NOT_FOUND : 0;
}

void store_failed(struct call *x, int r, const struct why *why)
{
	if (r == V_BAD || r == V_FULL) {
		/* What the store says of a filter is for who wrote it; what it says of itself is for the log. */
		reply_error(x, strncmp(why->text, "filter", 6) && r == V_BAD ? 503 : 400, "filter",
			why->text[0] ? why->text : "cannot be answered");
		return;
	}
	if (r < 0 && log_allowed(&x->c->limit))
		log_error("store: %s", strerror(-r));
	if (r < 0 && x->c->store) {
		store_close(x->c->store);
		x->c->store = NULL;
	}
	reply_error(x, 503, "store", "the collector's store cannot be read now");
}
