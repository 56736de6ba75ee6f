/*
 * The store's database goes away: it is restarted, fails over to another server, or has no room on its disk. Or there
 * is none on this machine's, for the store's folder or what the collector keeps beside a database. The process stays,
 * with its connections and the PCs that wait: requests are answered 503 and sent again, and every second (where a disk
 * is full, every ten) it is connected to, or opened, anew.
 *
 * Must never let anything go on from what was appended and not committed: other leaves may come to lie in its place.
 */
#include "collector/ingest/cosign.h"
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <inttypes.h>

#define AGAIN_US 1000000
#define REACH_US 100000
#define FULL_S 10 /* it can be reached, and would be lost again at once */

bool again_no_room(int r)
{
	return r == -ENOSPC || r == -EDQUOT;
}

/* Why it is away: told by each failure anew, or who asks hears of a full disk while the database's server is gone. */
static void set_loss(struct ingest *in, int r)
{
	in->lost_full = again_no_room(r);
	in->lost_here = in->lost_full && !store_full(in->store);
}

static void back(struct ingest *in)
{
	int r;

	judge_forget(in->judge);
	journal_again(in->journal);
	desks_again(in->desks);
	in->lost = false;
	in->again_why.text[0] = 0;
	in->waits_since_us = 0;
	r = shared_again(in);
	r = r ? r : cosign_again(in);
	if (r) {
		ingest_fail(in, r, "database");
		return;
	}
	if (!in->lost_here || log_allowed(&in->again_log))
		log_notice("the %s is back after %" PRId64 " s, with %" PRIu64 " segments",
			in->lost_here ? "store" : "database", (clock_wall_us() - in->lost_since_us) / 1000000,
			store_size(in->store));
	commit_again(in);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval full = {FULL_S, 0};
	struct ingest *in = arg;
	struct why why = {""};
	int r;

	(void)fd;
	(void)what;
	commit_lost(in);
	/* Who asks meanwhile is answered: a server that is switched off, or does not answer, costs nobody but us. */
	r = store_reach(in->store);
	if (in->full_rests) {
		in->full_rests = false;
		event_add(in->again_timer, &full);
		return;
	}
	if (r == V_AGAIN) {
		server_soon(in->again_timer, REACH_US);
		return;
	}
	r = r ? r : store_again(in->store, &why);
	if (!r) {
		back(in);
		return;
	}
	/* Another log, or an old copy of this one: as at a start, it is not gone on from. */
	if (r > 0 && r != V_EXISTS && r != V_AGAIN) {
		log_error("%s", why.text);
		ingest_end(in, -ESTALE, "database");
		return;
	}
	if (r != V_EXISTS && r != -EBUSY)
		set_loss(in, r);
	if (r == V_AGAIN && in->waits_since_us) {
		server_soon(in->again_timer, REACH_US);
		return;
	}
	in->waits_since_us = r == V_AGAIN ? clock_wall_us() : 0;
	if (!why.text[0])
		why_set(&why, 0, "%s", strerror(r < 0 ? -r : EBUSY));
	if (r == V_AGAIN || strcmp(why.text, in->again_why.text) != 0 || log_allowed(&in->again_log))
		log_warning("the %s is waited for: %s", in->lost_here ? "store" : "database", why.text);
	in->again_why = why;
	if (again_no_room(r))
		event_add(in->again_timer, &full);
	else
		server_soon(in->again_timer, AGAIN_US);
}

void again_begin(struct ingest *in, int r, const char *what)
{
	in->lost = true;
	in->waits_since_us = 0;
	in->lost_since_us = clock_wall_us();
	set_loss(in, r);
	in->full_rests = in->lost_full;
	in->count.losses++;
	if (in->lost_here && log_allowed(&in->again_log))
		log_error("%s: no room on this machine's disk; who sends is asked to send again, until there is", what);
	else if (in->lost_full && !in->lost_here)
		log_error(
			"%s: the database's disk is full; who sends is asked to send again, until there is room", what);
	else if (!in->lost_full)
		log_warning("%s: the database is lost; who sends is asked to send again, until it is back", what);
	server_soon(in->again_timer, 0);
}

int again_start(struct ingest *in)
{
	in->again_timer = evtimer_new(in->server.base, on_again, in);
	return in->again_timer ? 0 : -ENOMEM;
}

void again_stop(struct ingest *in)
{
	if (in->again_timer)
		event_free(in->again_timer);
	in->again_timer = NULL;
}
