/*
 * The collector's keys and certificates on disk. Called by --init and at the start. Must never replace a key: what was
 * signed with it could not be checked any more.
 */
#include "collector/ingest/keys.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <time.h>

#define CA_DAYS 7300u
#define SERVER_DAYS 397u

static int made(int r, const char *path)
{
	if (!r)
		log_notice("made %s", path);
	return r;
}

/* Loads a key, or makes it where there is none. */
static int key_ensure(const char *path, enum key_type type, struct key **out, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	int r = key_load(path, &k, why);

	if (r == V_NOT_FOUND) {
		r = key_new(type, &k);
		r = r ? r : key_save(k, path, 0600);
		made(r, path);
	}
	if (!r && key_type(k) != type)
		r = why_set(why, V_BAD, "%s: a key of another kind than it should be", path);
	if (!r)
		*out = STEAL(k);
	return r;
}

static int ca_ensure(const struct config *c, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(KEYS_PEM_MAX);
	struct cert_info info;
	struct digest id;
	char name[160];
	int r = key_ensure(c->ca_key, KEY_P256, &k, why);

	r = r ? r : key_id(k, &id);
	if (r)
		return r;
	r = file_read(c->ca_crt, &pem);
	if (r == V_NOT_FOUND) {
		snprintf(name, sizeof(name), "Sekisho CA %02x%02x%02x%02x", id.b[0], id.b[1], id.b[2], id.b[3]);
		r = cert_make_ca(k, name, CA_DAYS, &pem);
		r = r ? r : file_replace(c->ca_crt, buf_span(&pem), 0644);
		return made(r, c->ca_crt);
	}
	r = r ? r : cert_read(buf_span(&pem), &info, why);
	if (!r && !digest_eq(&info.key_id, &id))
		r = why_set(why, V_BAD, "%s: not of the key in %s", c->ca_crt, c->ca_key);
	return r;
}

static int origin_default(char out[NOTE_NAME_MAX])
{
	char host[96];
	time_t now = time(NULL);
	struct tm tm;

	if (gethostname(host, sizeof(host)))
		return -errno;
	host[sizeof(host) - 1] = 0;
	gmtime_r(&now, &tm);
	snprintf(out, NOTE_NAME_MAX, "%s/log/%d", host[0] ? host : "sekisho", tm.tm_year + 1900);
	return 0;
}

static int log_ensure(const struct config *c, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	char origin[NOTE_NAME_MAX];
	struct digest mine, its;
	int r = key_ensure(c->log_key, KEY_ED25519, &k, why);

	if (r)
		return r;
	r = file_read(c->log_vkey, &text);
	if (r == V_NOT_FOUND) {
		memcpy(origin, c->origin, sizeof(origin));
		r = origin[0] ? 0 : origin_default(origin);
		r = r ? r : verifier_encode(origin, k, &text);
		r = r ? r : buf_puts(&text, "\n");
		if (r > 0)
			return why_set(why, V_BAD, "origin: not fit to be the name of a log");
		r = r ? r : file_replace(c->log_vkey, buf_span(&text), 0644);
		return made(r, c->log_vkey);
	}
	r = r ? r : verifier_decode(buf_span(&text), &v, why);
	r = r ? r : key_id(k, &mine);
	r = r ? r : key_id(v.key, &its);
	if (!r && !digest_eq(&mine, &its))
		r = why_set(why, V_BAD, "%s: not of the key in %s", c->log_vkey, c->log_key);
	if (!r && c->origin[0] && strcmp(c->origin, v.name) != 0)
		r = why_set(why, V_BAD, "origin: the log is called otherwise already, in %s", c->log_vkey);
	return r;
}

int keys_server_certificate(const struct config *c, const struct keys *k, bool *renewed, struct why *why)
{
	_cleanup_(key_freep) struct key *server = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(2 * KEYS_PEM_MAX), names = BUF_INIT(2048);
	struct cert_info info;
	struct digest id;
	char first[128];
	int r = key_ensure(c->server_key, KEY_P256, &server, why);

	r = r ? r : key_id(server, &id);
	if (r)
		return r;
	*renewed = false;
	r = file_read(c->server_crt, &pem);
	if (!r && !cert_read(buf_span(&pem), &info, NULL) && digest_eq(&info.key_id, &id) &&
		!file_read(c->server_names, &names) && span_eq(buf_span(&names), SPAN_STR(c->names)) &&
		info.not_after_us - clock_wall_us() > (info.not_after_us - info.not_before_us) / 3)
		return 0;
	if (r < 0)
		return r;
	buf_clear(&pem);
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(c->names, ","), c->names);
	r = cert_issue(k->ca, buf_span(&k->ca_pem), server, first, c->names, CERT_SERVER, SERVER_DAYS, &pem, why);
	/* The CA goes along: a PC that enrols knows its fingerprint only. */
	r = r ? r : buf_put_span(&pem, buf_span(&k->ca_pem));
	r = r ? r : file_replace(c->server_crt, buf_span(&pem), 0644);
	r = r ? r : file_replace(c->server_names, SPAN_STR(c->names), 0644);
	*renewed = !r;
	return made(r, c->server_crt);
}

int keys_device(const struct config *c, struct key **out, struct why *why)
{
	return key_ensure(c->device_key, KEY_P256, out, why);
}

int keys_init(const struct config *c, struct why *why)
{
	_cleanup_(keys_deinit) struct keys k = {.ca = NULL};
	_cleanup_(key_freep) struct key *device = NULL;
	bool renewed;
	int r = dir_make(c->dir, 0750);

	r = r ? r : dir_make(c->ca_dir, 0755);
	r = r ? r : dir_make(c->spool, 0700);
	r = r ? r : dir_make(c->tokens, 0700);
	r = r ? r : dir_make(c->renewals, 0700);
	r = r ? r : dir_make(c->policies, 0755);
	r = r ? r : dir_make(c->state[0] ? c->state : c->store, 0750);
	r = r ? r : ca_ensure(c, why);
	r = r ? r : log_ensure(c, why);
	r = r ? r : keys_device(c, &device, why);
	r = r ? r : keys_load(c, &k, why);
	return r ? r : keys_server_certificate(c, &k, &renewed, why);
}

static int load_one(const char *path, struct key **out, struct why *why)
{
	int r = key_load(path, out, why);

	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file: run sekisho-collector --init", path);
	return r;
}

int keys_load(const struct config *c, struct keys *out, struct why *why)
{
	_cleanup_(keys_deinit) struct keys k = {.ca_pem = BUF_INIT(KEYS_PEM_MAX), .vkey = BUF_INIT(1024)};
	_cleanup_(verifier_deinit) struct verifier v = {.key = NULL};
	struct cert_info ca;
	int r = load_one(c->ca_key, &k.ca, why);

	r = r ? r : load_one(c->log_key, &k.log, why);
	r = r ? r : load_one(c->device_key, &k.device, why);
	if (r)
		return r;
	r = file_read(c->ca_crt, &k.ca_pem);
	r = r ? r : file_read(c->log_vkey, &k.vkey);
	if (r > 0)
		return why_set(
			why, r, "%s or %s: missing or too large: run sekisho-collector --init", c->ca_crt, c->log_vkey);
	r = r ? r : cert_read(buf_span(&k.ca_pem), &ca, why);
	r = r ? r : verifier_decode(buf_span(&k.vkey), &v, why);
	r = r ? r : key_id(k.device, &k.host);
	if (r)
		return r;
	while (k.vkey.n && k.vkey.p[k.vkey.n - 1] == '\n')
		k.vkey.n--;
	k.ca_fingerprint = ca.fingerprint;
	memcpy(k.origin, v.name, sizeof(k.origin));
	*out = k;
	memset(&k, 0, sizeof(k));
	return 0;
}

void keys_deinit(struct keys *k)
{
	key_free(k->ca);
	key_free(k->log);
	key_free(k->device);
	buf_deinit(&k->ca_pem);
	buf_deinit(&k->vkey);
	k->ca = k->log = k->device = NULL;
}
