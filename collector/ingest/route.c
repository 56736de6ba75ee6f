/*
 * Which request goes where. Called by the server for each whole request; each is answered once, now or later.
 */
#include "collector/ingest/cosign.h"
#include "policy/wire/api.h"

#define RETRY_SOON_S 5u
#define RETRY_DISK_S 30u

void route(struct ask *a)
{
	static const struct {
		const char *path;
		bool post;
		void (*fn)(struct ingest *in, struct ask *a);
	} routes[] = {
		{API_SEGMENTS, true, segments_post},
		{API_WAIT, false, wait_get},
		{API_ENROL, true, enrol_post},
		{API_RENEW, true, renew_post},
		{API_POLICY, false, policy_get},
		{API_CHECKPOINT, false, checkpoint_get},
		{"/checkpoint", false, checkpoint_get}, /* where tlog-tiles has it */
		{API_CONSISTENCY, false, consistency_get},
		{API_COSIGN, false, cosign_get},
		{API_COSIGN, true, cosign_post},
		{API_COSIGNED, false, cosigned_get},
		{API_WITNESSES, false, witnesses_get},
	};
	struct ingest *in = a->owner;
	bool known = false, post = a->method == ASK_POST;
	size_t i;

	if (in->lost && (a->conn || strcmp(a->path, "/admin/status") != 0)) {
		if (in->lost_here)
			answer_error(a->req, 503, "full", "the collector's disk is full", RETRY_DISK_S);
		else
			answer_error(a->req, 503, "database", "the collector waits for its database", RETRY_SOON_S);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcmp(a->path, routes[i].path) != 0)
			continue;
		known = true;
		if (routes[i].post == post) {
			routes[i].fn(in, a);
			return;
		}
	}
	if (!strncmp(a->path, "/tile/", 6) && !post)
		tile_get(in, a);
	else if (!strncmp(a->path, "/admin/", 7) && !a->conn)
		admin(in, a);
	else if (known)
		answer_error(a->req, 405, "method", "not by this method", 0);
	else
		answer_error(a->req, 404, "path", "no such path", 0);
}
