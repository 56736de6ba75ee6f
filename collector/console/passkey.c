/*
 * See passkey.h. Our own reading comes first: it says what is wrong in words, and lets nothing reach libcbor that is
 * longer than it says. Then libfido2 judges the same bytes again, and the signature.
 */
#include "collector/console/passkey.h"
#include "policy/base/cbor.h"
#include "policy/base/text.h"
#include "policy/trust/digest.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#define HEAD_SIZE 37u /* SHA-256 of the relying party's id, flags, counter */
#define AAGUID_SIZE 16u
#define FLAG_PRESENT 0x01
#define FLAG_VERIFIED 0x04
#define FLAG_KEY 0x40
#define FLAG_EXTENSIONS 0x80
#define DEPTH 8

typedef fido_cred_t *cred_ptr;
typedef fido_assert_t *assert_ptr;

static inline void cred_free(cred_ptr *c)
{
	fido_cred_free(c);
}

static inline void assert_free(assert_ptr *a)
{
	fido_assert_free(a);
}

static int refused(unsigned *cause, unsigned value, struct why *why, const char *text)
{
	*cause = value;
	return why_set(why, V_BAD, "%s", text);
}

/* --- what the browser says that it was asked (WebAuthn, sections 5.8.1, 7.1, 7.2) --- */

static int challenge_text(const uint8_t challenge[PASSKEY_CHALLENGE_SIZE], struct buf *out)
{
	int r = base64_encode(out, SPAN(challenge, PASSKEY_CHALLENGE_SIZE));
	size_t i;

	/* base64url (RFC 4648 section 5) without padding. */
	while (!r && out->n && out->p[out->n - 1] == '=')
		out->n--;
	for (i = 0; !r && i < out->n; i++)
		out->p[i] = out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i];
	return r;
}

static bool text_is(const json_t *o, const char *name, struct span want)
{
	const json_t *v = json_object_get(o, name);

	return json_is_string(v) && span_eq(SPAN(json_string_value(v), json_string_length(v)), want);
}

static int judge_client(
	const struct passkey_question *q, const json_t *o, const char *type, unsigned *cause, struct why *why)
{
	_cleanup_buf_ struct buf challenge = BUF_INIT(64);
	const json_t *crossing = json_object_get(o, "crossOrigin");
	int r = challenge_text(q->challenge, &challenge);

	if (r)
		return r;
	if (!text_is(o, "type", SPAN_STR(type)))
		return refused(cause, CAUSE_CREDENTIALS, why, "client data of another ceremony");
	if (!text_is(o, "challenge", buf_span(&challenge)))
		return refused(cause, CAUSE_CHALLENGE, why, "another challenge than the one that was given");
	if (!text_is(o, "origin", SPAN_STR(q->origin)))
		return refused(cause, CAUSE_ORIGIN, why, "asked by another origin");
	if ((crossing && !json_is_false(crossing)) || json_object_get(o, "topOrigin"))
		return refused(cause, CAUSE_ORIGIN, why, "asked inside a page of another origin");
	return 0;
}

static int read_client(
	const struct passkey_question *q, struct span text, const char *type, unsigned *cause, struct why *why)
{
	json_t *o = text.n <= PASSKEY_CLIENT_DATA_MAX
			    ? json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL)
			    : NULL;
	int r = json_is_object(o) ? judge_client(q, o, type, cause, why)
				  : refused(cause, CAUSE_CREDENTIALS, why, "client data that is no JSON object");

	json_decref(o);
	return r;
}

/* --- authenticator data (WebAuthn, section 6.1) --- */

struct data {
	uint8_t flags;
	uint32_t count;
	struct span id;
	int64_t alg; /* of the key, where there is one */
};

/* A COSE_Key (RFC 9052 section 7): its algorithm. Members are integers or bytes; moves behind it. */
static int read_cose_key(struct cbor_reader *r, int64_t *alg)
{
	struct cbor_item map, name;
	bool has_alg = false;
	uint64_t i;

	if (cbor_expect(r, CBOR_MAP, "key", &map, NULL) || map.u > 8)
		return V_BAD;
	for (i = 0; i < map.u; i++) {
		struct cbor_reader before;
		struct cbor_item v;

		if (cbor_next(r, &name, NULL) || name.kind > CBOR_NINT)
			return V_BAD;
		before = *r;
		if (cbor_next(&before, &v, NULL) || cbor_skip(r, 1, NULL))
			return V_BAD;
		if (name.kind != CBOR_UINT || name.u != 3)
			continue;
		if (v.kind > CBOR_NINT || v.u > INT32_MAX || has_alg)
			return V_BAD;
		*alg = v.kind == CBOR_UINT ? (int64_t)v.u : -1 - (int64_t)v.u;
		has_alg = true;
	}
	return has_alg ? 0 : V_BAD;
}

static bool read_data(struct span in, bool new, struct data *out)
{
	struct data d = {.flags = in.n >= HEAD_SIZE ? in.p[32] : 0};
	struct cbor_reader r;
	size_t n;

	if (in.n < HEAD_SIZE || !!(d.flags & FLAG_KEY) != new)
		return false;
	d.count = (uint32_t)in.p[33] << 24 | (uint32_t)in.p[34] << 16 | (uint32_t)in.p[35] << 8 | in.p[36];
	r = cbor_reader(SPAN(in.p + HEAD_SIZE, in.n - HEAD_SIZE));
	if (new) {
		if (r.in.n < AAGUID_SIZE + 2)
			return false;
		n = (size_t)r.in.p[AAGUID_SIZE] << 8 | r.in.p[AAGUID_SIZE + 1];
		if (!n || n > PASSKEY_ID_MAX || r.in.n - AAGUID_SIZE - 2 < n)
			return false;
		d.id = SPAN(r.in.p + AAGUID_SIZE + 2, n);
		r = cbor_reader(SPAN(d.id.p + n, r.in.n - AAGUID_SIZE - 2 - n));
		if (read_cose_key(&r, &d.alg))
			return false;
	}
	if (d.flags & FLAG_EXTENSIONS && cbor_skip(&r, DEPTH, NULL))
		return false;
	if (!cbor_at_end(&r))
		return false;
	*out = d;
	return true;
}

static int judge_data(
	const struct passkey_question *q, struct span in, bool new, struct data *d, unsigned *cause, struct why *why)
{
	struct digest rp;

	if (!read_data(in, new, d))
		return refused(cause, CAUSE_CREDENTIALS, why, "authenticator data that cannot be read");
	digest_span(&rp, SPAN_STR(q->rp_id));
	if (memcmp(rp.b, in.p, DIGEST_SIZE) != 0)
		return refused(cause, CAUSE_ORIGIN, why, "made for another relying party");
	if (!(d->flags & FLAG_PRESENT))
		return refused(cause, CAUSE_UNVERIFIED, why, "nobody was there to touch it");
	if (q->verified && !(d->flags & FLAG_VERIFIED))
		return refused(cause, CAUSE_UNVERIFIED, why, "the authenticator did not verify who uses it");
	return 0;
}

/* --- a new one --- */

/* {fmt, attStmt, authData}: the last one, as bytes. */
static bool read_attestation(struct span in, struct span *data)
{
	struct cbor_reader r = cbor_reader(in);
	struct cbor_item map, name, v;
	bool found = false;
	uint64_t i;

	if (in.n > PASSKEY_ATTESTATION_MAX || cbor_expect(&r, CBOR_MAP, "attestation", &map, NULL) || map.u > 8)
		return false;
	for (i = 0; i < map.u; i++) {
		if (cbor_expect(&r, CBOR_TEXT, "name", &name, NULL))
			return false;
		if (!span_eq(name.s, SPAN_STR("authData"))) {
			if (cbor_skip(&r, DEPTH, NULL))
				return false;
			continue;
		}
		if (found || cbor_expect(&r, CBOR_BYTES, "authData", &v, NULL))
			return false;
		*data = v.s;
		found = true;
	}
	return found && cbor_at_end(&r);
}

/* Is that a key of this algorithm (a point of its curve, say)? */
static bool is_key(int alg, const void *p, size_t n)
{
	es256_pk_t *ec = NULL;
	eddsa_pk_t *ed = NULL;
	rs256_pk_t *rsa = NULL;
	bool good = false;

	if (alg == COSE_ES256) {
		ec = es256_pk_new();
		good = ec && n == 64 && es256_pk_from_ptr(ec, p, n) == FIDO_OK;
	} else if (alg == COSE_EDDSA) {
		ed = eddsa_pk_new();
		good = ed && n == 32 && eddsa_pk_from_ptr(ed, p, n) == FIDO_OK;
	} else if (alg == COSE_RS256) {
		rsa = rs256_pk_new();
		good = rsa && n == PASSKEY_KEY_MAX && rs256_pk_from_ptr(rsa, p, n) == FIDO_OK;
	}
	es256_pk_free(&ec);
	eddsa_pk_free(&ed);
	rs256_pk_free(&rsa);
	return good;
}

int passkey_made(const struct passkey_question *q, struct span client_data, struct span attestation,
	struct passkey *out, unsigned *cause, struct why *why)
{
	_cleanup_(cred_free) cred_ptr cred = fido_cred_new();
	struct passkey k = {.key_n = 0};
	struct span bytes = {NULL, 0};
	struct data d;
	int r;

	if (!cred)
		return -ENOMEM;
	r = read_client(q, client_data, "webauthn.create", cause, why);
	if (!r && !read_attestation(attestation, &bytes))
		r = refused(cause, CAUSE_CREDENTIALS, why, "an attestation object that cannot be read");
	r = r ? r : judge_data(q, bytes, true, &d, cause, why);
	if (r)
		return r;
	if (d.alg != COSE_ES256 && d.alg != COSE_EDDSA && d.alg != COSE_RS256)
		return refused(cause, CAUSE_CREDENTIALS, why, "a key of an algorithm that was not asked for");
	if (fido_cred_set_type(cred, (int)d.alg) != FIDO_OK || fido_cred_set_rp(cred, q->rp_id, NULL) != FIDO_OK ||
		fido_cred_set_authdata_raw(cred, bytes.p, bytes.n) != FIDO_OK ||
		fido_cred_pubkey_len(cred) > PASSKEY_KEY_MAX ||
		!is_key((int)d.alg, fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)))
		return refused(cause, CAUSE_CREDENTIALS, why, "a key that is none of its algorithm");
	k.alg = (int32_t)d.alg;
	k.count = d.count;
	k.id_n = (uint16_t)d.id.n;
	memcpy(k.id, d.id.p, d.id.n);
	k.key_n = (uint16_t)fido_cred_pubkey_len(cred);
	memcpy(k.key, fido_cred_pubkey_ptr(cred), k.key_n);
	*out = k;
	return 0;
}

/* --- one that signs in --- */

static int verify(const fido_assert_t *a, const struct passkey *k)
{
	es256_pk_t *ec = NULL;
	eddsa_pk_t *ed = NULL;
	rs256_pk_t *rsa = NULL;
	int r = FIDO_ERR_INVALID_ARGUMENT;

	if (k->alg == COSE_ES256) {
		ec = es256_pk_new();
		r = ec ? es256_pk_from_ptr(ec, k->key, k->key_n) : FIDO_ERR_INTERNAL;
		r = r == FIDO_OK ? fido_assert_verify(a, 0, COSE_ES256, ec) : r;
	} else if (k->alg == COSE_EDDSA) {
		ed = eddsa_pk_new();
		r = ed ? eddsa_pk_from_ptr(ed, k->key, k->key_n) : FIDO_ERR_INTERNAL;
		r = r == FIDO_OK ? fido_assert_verify(a, 0, COSE_EDDSA, ed) : r;
	} else if (k->alg == COSE_RS256) {
		rsa = rs256_pk_new();
		r = rsa ? rs256_pk_from_ptr(rsa, k->key, k->key_n) : FIDO_ERR_INTERNAL;
		r = r == FIDO_OK ? fido_assert_verify(a, 0, COSE_RS256, rsa) : r;
	}
	es256_pk_free(&ec);
	eddsa_pk_free(&ed);
	rs256_pk_free(&rsa);
	return r;
}

int passkey_proves(const struct passkey_question *q, const struct passkey_answer *a, const struct passkey *k,
	uint32_t *count, unsigned *cause, struct why *why)
{
	_cleanup_(assert_free) assert_ptr it = fido_assert_new();
	struct data d;
	int r;

	if (!it)
		return -ENOMEM;
	r = read_client(q, a->client_data, "webauthn.get", cause, why);
	r = r ? r : judge_data(q, a->authenticator_data, false, &d, cause, why);
	if (r)
		return r;
	/* libfido2 hashes the client data, and holds relying party, presence and verification against the flags. */
	if (fido_assert_set_count(it, 1) != FIDO_OK || fido_assert_set_rp(it, q->rp_id) != FIDO_OK ||
		fido_assert_set_clientdata(it, a->client_data.p, a->client_data.n) != FIDO_OK ||
		fido_assert_set_up(it, FIDO_OPT_TRUE) != FIDO_OK ||
		fido_assert_set_uv(it, q->verified ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) != FIDO_OK ||
		fido_assert_set_authdata_raw(it, 0, a->authenticator_data.p, a->authenticator_data.n) != FIDO_OK ||
		fido_assert_set_sig(it, 0, a->signature.p, a->signature.n) != FIDO_OK || verify(it, k) != FIDO_OK)
		return refused(cause, CAUSE_BAD_SIGNATURE, why, "not signed by this passkey");
	/* WebAuthn, section 6.1.1: it only grows, or there is none. One that does not is that of a copy. */
	if ((d.count || k->count) && d.count <= k->count)
		return refused(cause, CAUSE_COUNTER, why, "its counter did not grow: there may be a copy of it");
	*count = d.count;
	return 0;
}

/* --- names and the file --- */

void passkey_ref(const struct passkey *k, char out[PASSKEY_REF_SIZE])
{
	struct digest d;

	digest_span(&d, SPAN(k->id, k->id_n));
	hex_encode(out, d.b, (PASSKEY_REF_SIZE - 1) / 2);
}

json_t *passkey_json(const struct passkey *k)
{
	char id[2 * PASSKEY_ID_MAX + 1], key[2 * PASSKEY_KEY_MAX + 1];

	return json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:I}", "name", k->name, "id", hex_encode(id, k->id, k->id_n),
		"alg", (int)k->alg, "key", hex_encode(key, k->key, k->key_n), "count", (json_int_t)k->count, "created",
		(json_int_t)k->created_us, "used", (json_int_t)k->used_us);
}

static bool read_hex(const json_t *v, uint8_t *out, size_t max, uint16_t *n)
{
	size_t len = json_string_length(v) / 2;

	if (!len || len > max || hex_decode(json_string_value(v), out, len))
		return false;
	*n = (uint16_t)len;
	return true;
}

bool passkey_read(const json_t *o, struct passkey *out)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	json_int_t count = json_integer_value(json_object_get(o, "count"));
	struct passkey k = {.alg = (int32_t)json_integer_value(json_object_get(o, "alg")),
		.count = (uint32_t)count,
		.created_us = json_integer_value(json_object_get(o, "created")),
		.used_us = json_integer_value(json_object_get(o, "used"))};

	if (!name || !*name || strlen(name) >= sizeof(k.name) || count < 0 || count > UINT32_MAX ||
		!read_hex(json_object_get(o, "id"), k.id, sizeof(k.id), &k.id_n) ||
		!read_hex(json_object_get(o, "key"), k.key, sizeof(k.key), &k.key_n) || !is_key(k.alg, k.key, k.key_n))
		return false;
	text_copy(k.name, sizeof(k.name), SPAN_STR(name));
	*out = k;
	return true;
}
