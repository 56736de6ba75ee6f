/*
 * TLS key and certificate on disk. See identity.h for the order in which they change. Called by the daemon at start and
 * at renewal, and by enrolment. Must never leave a pair behind that does not fit and cannot be repaired.
 */
#include "agent/uplink/identity.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <jansson.h>

static int at(const char *dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int read_pem(const char *dir, const char *name, struct buf *out, struct why *why)
{
	char path[PATH_MAX];
	int r = at(dir, name, path);

	if (r)
		return r;
	r = file_read(path, out);
	if (r == V_NOT_FOUND)
		return why_set(why, r, "%s: no such file: this PC is not enrolled", path);
	if (r == V_FULL)
		return why_set(why, V_BAD, "%s: larger than %zu bytes", path, out->max);
	if (r < 0)
		return why_set(why, r, "%s: %s", path, strerror(-r));
	return r;
}

/* Is the key in `name` the one that the certificate is for? 0; V_NOT_FOUND; V_BAD where it is another one. */
static int key_fits(const char *dir, const char *name, const struct cert_info *cert, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	char path[PATH_MAX];
	struct digest id;
	int r = at(dir, name, path);

	if (!r)
		r = key_load(path, &k, why);
	if (!r)
		r = key_id(k, &id);
	if (r)
		return r;
	return digest_eq(&id, &cert->key_id)
		       ? 0
		       : why_set(why, V_BAD, "%s: not the key of the certificate beside it", path);
}

static int settle(const char *dir, const struct cert_info *cert, struct why *why)
{
	char next[PATH_MAX], path[PATH_MAX];
	int r = key_fits(dir, "tls.key", cert, why);

	if (r <= 0)
		return r;
	if (key_fits(dir, "tls.key.next", cert, NULL))
		return r;
	if (at(dir, "tls.key.next", next) || at(dir, "tls.key", path))
		return -ENAMETOOLONG;
	if (rename(next, path))
		return -errno;
	return dir_sync(dir);
}

/* What libcurl cannot read: a key that is not in its file. */
static int load_held(struct identity *id, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	char path[PATH_MAX];
	int r = at(id->dir, "tls.key", path);

	r = r ? r : key_load(path, &k, why);
	if (!r && key_place(k) != KEY_IN_FILE)
		id->held = STEAL(k);
	return r;
}

int identity_load(struct identity *id, const char *dir, struct why *why)
{
	struct identity n = {.key = BUF_INIT(IDENTITY_PEM_MAX),
		.cert = BUF_INIT(IDENTITY_PEM_MAX),
		.ca = BUF_INIT(IDENTITY_PEM_MAX)};
	int r = 0;

	if ((size_t)snprintf(n.dir, sizeof(n.dir), "%s", dir) >= sizeof(n.dir))
		return -ENAMETOOLONG;
	r = read_pem(dir, "tls.crt", &n.cert, why);
	if (!r)
		r = cert_read(buf_span(&n.cert), &n.info, why);
	if (!r)
		r = settle(dir, &n.info, why);
	if (!r)
		r = read_pem(dir, "tls.key", &n.key, why);
	if (!r)
		r = load_held(&n, why);
	if (!r)
		r = read_pem(dir, "ca.crt", &n.ca, why);
	if (r) {
		identity_deinit(&n);
		return r;
	}
	*id = n;
	return 0;
}

void identity_deinit(struct identity *id)
{
	if (id->key.p)
		secret_wipe(id->key.p, id->key.cap);
	key_free(STEAL(id->held));
	buf_deinit(&id->key);
	buf_deinit(&id->cert);
	buf_deinit(&id->ca);
}

int64_t identity_renew_at_us(const struct identity *id)
{
	return id->info.not_before_us + (id->info.not_after_us - id->info.not_before_us) / 3 * 2;
}

int identity_key(const char *dir, const char *name, bool held, struct key **out, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	char path[PATH_MAX];
	int r = at(dir, name, path);

	if (r)
		return r;
	r = key_load(path, out, why);
	if (r != V_NOT_FOUND)
		return r;
	if (held)
		return key_make_held(path, 0600, out, why);
	r = key_new(KEY_P256, &k);
	if (!r)
		r = key_save(k, path, 0600);
	if (r)
		return why_set(
			why, r > 0 ? -EEXIST : r, "%s: cannot be written: %s", path, strerror(r > 0 ? EEXIST : -r));
	*out = STEAL(k);
	return 0;
}

int identity_proof(const struct key *k, const char *purpose, const char *token_id, struct span csr, struct buf *out)
{
	_cleanup_buf_ struct buf msg = BUF_INIT(IDENTITY_PEM_MAX);
	uint8_t sig[SIGNATURE_SIZE];
	int r = buf_put(&msg, purpose, strlen(purpose) + 1);

	if (!r && token_id)
		r = buf_put(&msg, token_id, strlen(token_id) + 1);
	if (!r)
		r = buf_put_span(&msg, csr);
	if (!r)
		r = key_sign(k, buf_span(&msg), sig);
	return r ? r : base64_encode(out, SPAN(sig, sizeof(sig)));
}

int identity_renewal(const struct identity *id, bool held, struct buf *json, struct why *why)
{
	_cleanup_(key_freep) struct key *current = NULL, *next = NULL;
	_cleanup_buf_ struct buf csr = BUF_INIT(IDENTITY_PEM_MAX), proof = BUF_INIT(256);
	json_auto_t *o = NULL;
	_cleanup_free_ char *text = NULL;
	int r = identity_key(id->dir, "tls.key", false, &current, why);

	if (!r)
		r = identity_key(id->dir, "tls.key.next", held, &next, why);
	if (!r)
		r = cert_request(next, id->info.cn, &csr);
	if (!r)
		r = identity_proof(current, API_RENEW_AAD, NULL, buf_span(&csr), &proof);
	if (r)
		return r;
	o = json_pack("{s:s%, s:s%, s:s%}", "certificate", id->cert.p, id->cert.n, "csr", csr.p, csr.n, "proof",
		proof.p, proof.n);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	return text ? buf_puts(json, text) : -ENOMEM;
}

int identity_renewed(struct identity *id, const char *certificate, struct why *why)
{
	struct cert_info got;
	struct identity fresh;
	char path[PATH_MAX];
	int r = cert_read(SPAN_STR(certificate), &got, why);

	if (!r && strcmp(got.cn, id->info.cn) != 0)
		return why_set(why, V_BAD, "the new certificate is for another PC");
	if (!r)
		r = key_fits(id->dir, "tls.key.next", &got, why);
	if (!r)
		r = at(id->dir, "tls.crt", path);
	if (!r)
		r = file_replace(path, SPAN_STR(certificate), 0644);
	if (!r)
		r = settle(id->dir, &got, why);
	if (!r)
		r = identity_load(&fresh, id->dir, why);
	if (r)
		return r;
	identity_deinit(id);
	*id = fresh;
	return 0;
}
