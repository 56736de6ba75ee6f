/*
 * PCs that are enrolled without having asked: their keys, certificates and rows in a collector's table, while it stands
 * still. See crowd.h.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "tests/bench/crowd/crowd.h"
#include <limits.h>

void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

static struct key *load(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct why why = {""};
	struct key *k = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	need(!key_load(path, &k, &why), why.text[0] ? why.text : path);
	return k;
}

void roster_open(struct roster *r, const char *state, const char *place, const char *folder)
{
	_cleanup_buf_ struct buf vkey = BUF_INIT(1024);
	struct verifier v = {.key = NULL};
	struct store_options o = {.dir = r->dir};
	struct why why = {""};
	char path[PATH_MAX];

	*r = (struct roster){.folder = folder, .ca_pem = BUF_INIT(16384)};
	r->ca = load(state, "ca/ca.key");
	r->log = load(state, "log.key");
	snprintf(path, sizeof(path), "%s/ca/ca.crt", state);
	need(!file_read(path, &r->ca_pem), path);
	snprintf(path, sizeof(path), "%s/log.vkey", state);
	need(!file_read(path, &vkey), path);
	while (vkey.n && vkey.p[vkey.n - 1] == '\n')
		vkey.n--;
	need(!verifier_decode(buf_span(&vkey), &v, &why), why.text);
	snprintf(r->origin, sizeof(r->origin), "%s", v.name);
	verifier_deinit(&v);
	need((place ? snprintf(r->dir, sizeof(r->dir), "%s", place)
		    : snprintf(r->dir, sizeof(r->dir), "%s/store", state)) < (int)sizeof(r->dir),
		"too long a place");
	/* A database's last checkpoint is kept where the collector keeps it. */
	snprintf(path, sizeof(path), "%s/state", state);
	o.state_dir = store_is_database(r->dir) ? path : NULL;
	o.log_key = r->log;
	o.origin = r->origin;
	need(!store_open(&o, &r->store, &why), why.text);
}

void roster_enrol(struct roster *r, unsigned n, struct store_host *h)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(16384);
	char path[PATH_MAX], cn[2 * DIGEST_SIZE + 1];
	_cleanup_(key_freep) struct key *tls = NULL;
	struct why why = {""};

	need(!key_new(KEY_P256, &tls) && !key_id(tls, &h->tls_key), "key");
	hex_encode(cn, h->id.b, DIGEST_SIZE);
	need(!cert_issue(r->ca, buf_span(&r->ca_pem), tls, cn, NULL, CERT_CLIENT, 30, &pem, &why), why.text);
	snprintf(path, sizeof(path), "%s/%u.crt", r->folder, n);
	need(!file_replace_volatile(path, buf_span(&pem), 0600), path);
	snprintf(path, sizeof(path), "%s/%u.key", r->folder, n);
	need(!key_save(tls, path, 0600), path);
	h->state = HOST_ACTIVE;
	h->enrolled_us = h->last_seen_us = clock_wall_us();
	need(!store_host_put(r->store, h), "store");
}

void roster_close(struct roster *r)
{
	store_close(r->store);
	key_free(r->ca);
	key_free(r->log);
	buf_deinit(&r->ca_pem);
}
