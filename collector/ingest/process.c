/*
 * What the collector has open: store, judge, journal. Called by main once privileges are given up.
 */
#include "collector/ingest/cosign.h"
#include "collector/ingest/shared.h"
#include "policy/base/clock.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <event2/buffer.h>

#define WAIT_US 1000000 /* for others, at their first moment; then something else is done meanwhile */
#define OWN_NAME "collector"
#define STRANGER_MAX (128u << 10) /* bytes of a request without a client certificate */

/* The collector is its own first PC: its records are checked as everybody's are. */
static int enrol_self(struct ingest *in, struct why *why)
{
	struct store_host h = {
		.id = in->keys.host, .state = HOST_ACTIVE, .enrolled_us = clock_wall_us(), .name = OWN_NAME};
	struct entry e = {
		.kind = KIND_ENROL, .host = &h, .with_key = true, .urgent = true, .text = "the collector itself"};
	_cleanup_buf_ struct buf der = BUF_INIT(sizeof(h.spki));
	struct store_host known;
	int r = store_host_get(in->store, &h.id, &known);

	if (r != V_NOT_FOUND)
		return r;
	r = key_public_der(in->keys.device, &der);
	if (r)
		return why_set(why, r, "device key: cannot be told");
	memcpy(h.spki, der.p, der.n);
	h.spki_len = der.n;
	r = journal_put(in->journal, &e);
	return r ? r : store_host_put(in->store, &h);
}

int ingest_bind(struct ingest *in, struct why *why)
{
	const struct config *c = &in->conf;

	in->server.o = (struct server_options){
		.listen = c->listen,
		.port = c->port,
		.door = c->door,
		.called = "the collector",
		.connections = c->connections,
		.head_us = c->head_us,
		.body_rate = c->body_rate,
		.idle_us = c->idle_us,
		.memory = c->memory,
		.body_max = API_SEGMENTS_BODY_MAX,
		.stranger_max = STRANGER_MAX,
		.route = route,
		.owner = in,
	};
	return server_bind(&in->server, why);
}

int ingest_certify(struct ingest *in, struct why *why)
{
	SSL_CTX *ctx = NULL;
	int r = tls_server(in->conf.server_crt, in->conf.server_key, in->conf.ca_crt, &ctx, why);

	if (!r)
		server_certify(&in->server, ctx);
	return r;
}

int ingest_open(struct ingest *in, struct why *why)
{
	struct store_options o = {.dir = in->conf.store,
		.state_dir = in->conf.state[0] ? in->conf.state : NULL,
		.origin = in->keys.origin,
		.log_key = in->keys.log,
		.wait_us = WAIT_US,
		.standbys = (unsigned)in->conf.standbys,
		.other = shared_leaf,
		.other_ctx = in};
	struct entry e = {.kind = KIND_COLLECTOR_START, .urgent = true, .text = SEKISHO_VERSION};
	unsigned n;
	int r = store_open(&o, &in->store, why);

	if (!r && store_is_database(in->conf.store) && !store_standbys(in->store))
		log_warning("the database's commits wait for no standby (synchronous_standby_names): what is "
			    "acknowledged is on one server");
	r = r ? r : shared_open(in, why);
	r = r ? r : judge_new(in->store, &in->judge);
	r = r ? r : journal_regain(&in->conf, &in->keys, in->store, why);
	r = r ? r : journal_new(&in->conf, &in->keys, in->store, &in->journal, why);
	r = r ? r : enrol_self(in, why);
	r = r ? r : desks_new(in, &in->desks);
	r = r ? r : policy_open(in);
	r = r ? r : cosign_open(in, why);
	r = r ? r : keeper_new(in, &in->keeper);
	r = r ? r : journal_put(in->journal, &e);
	r = r ? r : journal_drain(in->journal, &n);
	r = r ? r : store_commit(in->store);
	/* Others are waited for: that goes on in the loop. */
	if (r == V_AGAIN)
		return 0;
	return r ? r : journal_settled(in->journal);
}

void ingest_close(struct ingest *in, bool well)
{
	unsigned n;
	int r;

	if (well && in->journal) {
		r = journal_last(in->journal);
		r = r ? r : journal_drain(in->journal, &n);
		r = r ? r : commit_now(in);
		if (r)
			log_error("the last records wait in the spool: %s",
				r == V_AGAIN ? "the database has others to wait for" : strerror(r < 0 ? -r : EIO));
		status_write(in, false);
	}
	cosign_close(in, well);
	shared_close(in);
	server_free(&in->server);
	desks_free(in->desks);
	keeper_free(in->keeper);
	journal_free(in->journal);
	judge_free(in->judge);
	store_close(in->store);
	keys_deinit(&in->keys);
	free(in->peers);
	buf_deinit(&in->policy);
	if (in->policy_handed)
		evbuffer_free(in->policy_handed);
	if (in->server.base)
		event_base_free(in->server.base);
}
