/*
 * Enrolment (a token, a device key, a request for a certificate) and renewal. Each step is durable before the next: the
 * token is bound to the PC, the record is sealed, the PC is stored, and only then the certificate leaves; asked again
 * after any of them, the same PC gets on.
 */
#include "collector/ingest/ask.h"
#include "collector/ingest/ingest.h"
#include "collector/ingest/token.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include <errno.h>

#define DAY_US 86400000000ll
#define GRACE_US (365 * DAY_US)   /* an expired certificate can be renewed for that long */
#define RENEW_EVERY_US 60000000ll /* another key for the same PC no more often than this */
#define CERTIFICATE_MAX KEYS_PEM_MAX
#define RETRY_S 5u
#define CLAIM_US 10000000

/* Is `proof` the signature of `k` over purpose 0x00 [id 0x00] csr? */
static bool proves(const struct key *k, const char *purpose, const char *id, struct span csr, struct span proof)
{
	_cleanup_buf_ struct buf msg = BUF_INIT(ASK_JSON_MAX + 256);

	if (buf_put(&msg, purpose, strlen(purpose) + 1) || (id && buf_put(&msg, id, strlen(id) + 1)) ||
		buf_put_span(&msg, csr))
		return false;
	return !key_verify(k, buf_span(&msg), proof);
}

/* A certificate for a TLS key of this PC. 0, V_BAD, -errno. */
static int certify(
	struct ingest *in, const struct digest *host, const struct key *tls_key, struct buf *pem, struct why *why)
{
	char hex[2 * DIGEST_SIZE + 1];

	return cert_issue(in->keys.ca, buf_span(&in->keys.ca_pem), tls_key, hex_encode(hex, host->b, DIGEST_SIZE), NULL,
		CERT_CLIENT, (unsigned)(in->conf.certificate_us / DAY_US), pem, why);
}

static void failed(struct ingest *in, struct ask *a, int r, const char *what)
{
	answer_error(a->req, 503, "failed", "the collector failed", RETRY_S);
	ingest_fail(in, r > 0 ? -EIO : r, what);
}

/* --- enrolment --- */

struct enrolling {
	struct ask_enrol ask;
	struct key *device, *tls;
	struct digest device_id, tls_id;
	struct token token;
	struct store_host host;
	bool again; /* the PC is enrolled already, by this name */
};

static void enrolling_deinit(struct enrolling *e)
{
	ask_enrol_deinit(&e->ask);
	key_free(e->device);
	key_free(e->tls);
}

static int denied(struct ingest *in, struct ask *a, int status, const char *word, const char *reason)
{
	in->count.enrol_denied++;
	if (log_allowed(&in->refused_log))
		log_warning("enrolment turned away: %s", reason);
	answer_error(a->req, status, word, reason, 0);
	return V_DENIED;
}

/* Reads and checks all that needs no token. 0; V_DENIED: answered; -errno. */
static int read_ask(struct ingest *in, struct ask *a, struct enrolling *e)
{
	struct why why = {""};
	int r = ask_enrol_parse(a->body, &e->ask, &why);

	if (!r && !name_fits(e->ask.name))
		r = why_set(&why, V_BAD, "\"name\" is no name of a PC");
	r = r ? r : key_from_public_der(buf_span(&e->ask.device_key), &e->device, &why);
	if (!r && key_type(e->device) != KEY_P256)
		r = why_set(&why, V_BAD, "the device key is no P-256 key");
	r = r ? r : cert_request_key(e->ask.csr, &e->tls, &why);
	if (!r && key_type(e->tls) != KEY_P256)
		r = why_set(&why, V_BAD, "the TLS key is no P-256 key");
	r = r ? r : key_id(e->device, &e->device_id);
	r = r ? r : key_id(e->tls, &e->tls_id);
	if (!r && digest_eq(&e->device_id, &e->tls_id))
		r = why_set(&why, V_BAD, "device key and TLS key are the same");
	return r > 0 ? denied(in, a, 400, "request", why.text) : r;
}

static int on_namesake(void *ctx, const struct store_host *h)
{
	const struct enrolling *e = ctx;

	return h->state == HOST_ACTIVE && !strcmp(h->name, e->ask.name) && !digest_eq(&h->id, &e->device_id) ? V_EXISTS
													     : 0;
}

/*
 * Two PCs may ask by one name at two collectors in the same moment, and neither sees the other in the table yet.
 * Whoever asks first has the name for some seconds, and may ask again; then the table tells. 0; V_AGAIN; -errno.
 */
static int claim(struct ingest *in, const struct enrolling *e)
{
	char duty[sizeof("name/") + TOKEN_NAME_MAX];

	snprintf(duty, sizeof(duty), "name/%s", e->ask.name);
	return store_duty(in->store, duty, &e->device_id, clock_wall_us(), CLAIM_US, -CLAIM_US);
}

/*
 * What a PC is called is all that people see of it: none may pass for a server, or for another PC. 0; V_DENIED:
 * answered; -errno.
 */
static int name_is_free(struct ingest *in, struct ask *a, struct enrolling *e)
{
	static const unsigned servers[] = {PRODUCER_COLLECTOR, PRODUCER_CONSOLE, PRODUCER_HERALD};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(servers); i++)
		if (!strcasecmp(e->ask.name, producer_name(servers[i])))
			return denied(in, a, 409, "name", "a server has this name: choose another one for the PC");
	r = in->sharing ? claim(in, e) : 0;
	if (r == V_AGAIN)
		return denied(in, a, 409, "name", "another PC enrols by this name at another collector just now");
	r = r ? r : store_host_each(in->store, on_namesake, e);
	if (r != V_EXISTS)
		return r;
	return denied(
		in, a, 409, "name", "another PC has this name: retire or revoke that one, or choose another name");
}

/* May this PC come in? 0; V_DENIED: answered; -errno. */
static int admit(struct ingest *in, struct ask *a, struct enrolling *e)
{
	char id[2 * API_TOKEN_ID_SIZE + 1] = "";
	struct why why = {""};
	int r = token_check(&in->tokens, e->ask.token, e->ask.name, &e->device_id, clock_wall_us(), &e->token, &why);

	if (r)
		return r > 0 ? denied(in, a, 403, "token", why.text) : r;
	snprintf(id, sizeof(id), "%s", e->token.id);
	if (!proves(e->device, API_ENROL_AAD, id, e->ask.csr, buf_span(&e->ask.proof)))
		return denied(in, a, 403, "proof", "the device key did not sign this request");
	r = store_host_get(in->store, &e->device_id, &e->host);
	if (r && r != V_NOT_FOUND)
		return r;
	e->again = !r;
	/* Its answer was lost: the same PC, the same keys. With another TLS key it is another use. */
	if (e->again && e->token.used && !digest_eq(&e->host.tls_key, &e->tls_id))
		return denied(in, a, 403, "token", "the token was used already");
	if (e->again && (e->host.state != HOST_ACTIVE || strcmp(e->host.name, e->ask.name) != 0))
		return denied(in, a, 409, "known",
			e->host.state == HOST_ACTIVE    ? "the PC is enrolled by another name"
			: e->host.state == HOST_RETIRED ? "the PC was retired"
							: "the PC was revoked");
	return e->again ? 0 : name_is_free(in, a, e);
}

/* 0; V_DENIED: answered; -errno. */
static int take_in(struct ingest *in, struct ask *a, struct enrolling *e)
{
	struct store_host *h = &e->host;
	struct entry entry = {.kind = KIND_ENROL,
		.host = h,
		.with_key = true,
		.hash = &e->tls_id,
		.urgent = true,
		.text = "by token"};
	bool same = e->again && digest_eq(&h->tls_key, &e->tls_id);
	struct why why = {""};
	int r = token_use(&in->tokens, &e->token, &e->device_id, &why);

	if (r > 0)
		return denied(in, a, 403, "token", why.text);
	if (r || same)
		return r;
	if (!e->again) {
		memset(h, 0, sizeof(*h));
		h->id = e->device_id;
		h->state = HOST_ACTIVE;
		h->enrolled_us = clock_wall_us();
		snprintf(h->name, sizeof(h->name), "%s", e->ask.name);
		if (e->ask.device_key.n > sizeof(h->spki))
			return -EINVAL;
		memcpy(h->spki, e->ask.device_key.p, e->ask.device_key.n);
		h->spki_len = e->ask.device_key.n;
	}
	h->tls_key = e->tls_id;
	ingest_tell(in, &entry);
	r = in->failed ? in->failed : store_host_put(in->store, h);
	return r ? r : renewal_done(in, &h->id);
}

void enrol_post(struct ingest *in, struct ask *a)
{
	_cleanup_(enrolling_deinit) struct enrolling e = {.device = NULL};
	_cleanup_buf_ struct buf pem = BUF_INIT(CERTIFICATE_MAX), admins = BUF_INIT(API_ADMINS_MAX);
	char hex[2 * DIGEST_SIZE + 1];
	struct why why = {""};
	int r;

	if (disk_is_full(in)) {
		answer_error(a->req, 503, "full", "the collector's disk is full", 30);
		return;
	}
	r = read_ask(in, a, &e);
	r = r ? r : admit(in, a, &e);
	if (r == V_DENIED)
		return;
	r = r ? r : certify(in, &e.device_id, e.tls, &pem, &why);
	r = r ? r : policy_admins(in, &admins);
	r = r ? r : take_in(in, a, &e);
	if (r == V_DENIED)
		return;
	if (r) {
		failed(in, a, r, "enrolment");
		return;
	}
	in->count.enrolled++;
	log_notice("host %.16s enrolled", hex_encode(hex, e.device_id.b, DIGEST_SIZE));
	commit_reply(in, a,
		json_pack("{s:s, s:s%, s:s%, s:s%, s:s, s:s%}", "host", hex, "certificate", (const char *)pem.p, pem.n,
			"ca", (const char *)in->keys.ca_pem.p, in->keys.ca_pem.n, "log", (const char *)in->keys.vkey.p,
			in->keys.vkey.n, "collector", in->keys.origin, "admins", admins.n ? (const char *)admins.p : "",
			admins.n));
}

/* --- renewal --- */

struct renewing {
	struct ask_renew ask;
	struct cert_info info;
	struct key *current, *next;
	struct digest next_id;
	struct store_host host;
};

static void renewing_deinit(struct renewing *e)
{
	ask_renew_deinit(&e->ask);
	key_free(e->current);
	key_free(e->next);
}

static int not_renewed(struct ask *a, int status, const char *word, const char *reason)
{
	answer_error(a->req, status, word, reason, 0);
	return V_DENIED;
}

/* 0; V_DENIED: answered; -errno. */
static int read_renew(struct ingest *in, struct ask *a, struct renewing *e)
{
	struct why why = {""};
	struct digest id;
	int r = ask_renew_parse(a->body, &e->ask, &why);

	if (!r)
		r = cert_request_key(e->ask.csr, &e->next, &why);
	if (!r && key_type(e->next) != KEY_P256)
		r = why_set(&why, V_BAD, "the TLS key is no P-256 key");
	r = r ? r : key_id(e->next, &e->next_id);
	if (r)
		return r > 0 ? not_renewed(a, 400, "request", why.text) : r;
	r = cert_check(e->ask.certificate, buf_span(&in->keys.ca_pem), CERT_CLIENT, &e->current, &why);
	r = r ? r : cert_read(e->ask.certificate, &e->info, &why);
	if (r)
		return r > 0 ? not_renewed(a, 403, "unknown", why.text) : r;
	if (!proves(e->current, API_RENEW_AAD, NULL, e->ask.csr, buf_span(&e->ask.proof)))
		return not_renewed(a, 403, "proof", "the certificate's key did not sign this request");
	if (clock_wall_us() > e->info.not_after_us + GRACE_US)
		return not_renewed(a, 403, "expired", "the certificate expired more than a year ago: enrol again");
	r = hex_decode(e->info.cn, id.b, DIGEST_SIZE) ? V_NOT_FOUND : store_host_get(in->store, &id, &e->host);
	if (r == V_NOT_FOUND)
		return not_renewed(a, 403, "unknown", "the PC is not enrolled");
	if (!r && e->host.state == HOST_RETIRED)
		return not_renewed(a, 403, "retired", "the PC is retired");
	if (!r && e->host.state != HOST_ACTIVE)
		return not_renewed(a, 403, "revoked", "the PC is revoked");
	return r;
}

/* 0; V_EXISTS: asked again, nothing is new; V_DENIED: answered; -errno. */
static int may_renew(struct ingest *in, struct ask *a, const struct renewing *e)
{
	const struct store_host *h = &e->host;
	struct peer *p = peer_of(in, &h->id);
	int64_t now = clock_boot_us();
	struct digest pending;
	int r = renewal_get(in, &h->id, &pending);

	if (r < 0 || !p)
		return r < 0 ? r : -ENOMEM;
	if (digest_eq(&h->tls_key, &e->next_id) || (!r && digest_eq(&pending, &e->next_id)))
		return V_EXISTS;
	if (!digest_eq(&h->tls_key, &e->info.key_id) && (r || !digest_eq(&pending, &e->info.key_id)))
		return not_renewed(a, 403, "unknown", "the certificate's key is not the PC's any more");
	if (p->renewed_us && now - p->renewed_us < RENEW_EVERY_US) {
		answer_error(a->req, 429, "busy", "this PC has renewed a moment ago", 60);
		return V_DENIED;
	}
	p->renewed_us = now;
	return 0;
}

void renew_post(struct ingest *in, struct ask *a)
{
	_cleanup_(renewing_deinit) struct renewing e = {.current = NULL};
	_cleanup_buf_ struct buf pem = BUF_INIT(CERTIFICATE_MAX);
	struct entry entry = {.kind = KIND_RENEW, .host = &e.host, .hash = &e.next_id, .urgent = true};
	struct why why = {""};
	int r;

	if (disk_is_full(in)) {
		answer_error(a->req, 503, "full", "the collector's disk is full", 30);
		return;
	}
	r = read_renew(in, a, &e);
	r = r ? r : may_renew(in, a, &e);
	if (r == V_DENIED)
		return;
	if (!r) {
		/* A PC that uses the certificate shows that the answer came; until then the old key stays good, too. */
		r = renewal_put(in, &e.host.id, &e.next_id);
		if (!r)
			ingest_tell(in, &entry);
		r = r ? r : in->failed;
	} else if (r == V_EXISTS) {
		r = 0;
	}
	r = r ? r : certify(in, &e.host.id, e.next, &pem, &why);
	if (r) {
		failed(in, a, r, "renewal");
		return;
	}
	in->count.renewed++;
	commit_reply(in, a, json_pack("{s:s%}", "certificate", (const char *)pem.p, pem.n));
}
