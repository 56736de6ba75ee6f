/*
 * Passkeys at work: the challenge of a sign-in, what a browser shows then, and the passkeys that people have: made,
 * named and removed by themselves. What is in the bytes is passkey.c's to judge.
 *
 * A new one, and removing one, wants a fresh proof of who asks (judge.c): who finds an open desk must not leave a key
 * of their own behind.
 */
#include "collector/console/federate.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define NAME_CHARS 64u

json_t *passkeys_json(const struct account *a)
{
	json_t *list = json_array();
	char ref[PASSKEY_REF_SIZE];
	unsigned i;

	for (i = 0; i < a->passkeys_n; i++) {
		const struct passkey *k = &a->passkeys[i];

		passkey_ref(k, ref);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "id", ref, "name", k->name, "created",
						    time_json(k->created_us), "used", time_json(k->used_us)));
	}
	return list;
}

/* Passkeys belong to a name. False: there is none, and it is answered. */
static bool possible(struct call *x)
{
	if (!x->c->conf.rp_id[0])
		reply_error(x, 409, "origin", "passkeys need a name to belong to: set origin in collector.conf");
	return x->c->conf.rp_id[0];
}

static struct passkey_question question(const struct call *x, bool verified)
{
	return (struct passkey_question){.origin = x->c->conf.origin, .rp_id = x->c->conf.rp_id, .verified = verified};
}

/* --- signing in --- */

void challenge_post(struct call *x)
{
	static const char *const names[] = {NULL};
	uint8_t challenge[PASSKEY_CHALLENGE_SIZE];
	char cookie[CHALLENGE_TEXT_SIZE], text[CHALLENGE_TEXT_SIZE + 128];
	json_t *o = body_object(x, SIGN_IN_BODY_MAX, names);

	json_decref(o);
	if (!o || !possible(x))
		return;
	if (challenge_new(x->c->challenges, clock_boot_us(), cookie, challenge)) {
		reply_error(x, 503, "busy", "no random numbers");
		return;
	}
	snprintf(text, sizeof(text), CHALLENGE_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%u",
		cookie, CHALLENGE_LIFE_US / 1000000);
	answer_header(x->a->req, "Set-Cookie", text);
	reply(x, json_pack("{s:o, s:s, s:I}", "challenge", base64_json(SPAN(challenge, sizeof(challenge))), "rp_id",
			 x->c->conf.rp_id, "timeout_ms", (json_int_t)(CHALLENGE_LIFE_US / 1000)));
}

/* The bytes of a member, in base64. False: answered. */
static bool bytes_of(struct call *x, const json_t *o, const char *name, size_t max, struct buf *out)
{
	const json_t *v = json_object_get(o, name);
	char text[80];

	*out = BUF_INIT(max);
	if (json_string_length(v) && !base64_decode(out, SPAN(json_string_value(v), json_string_length(v))))
		return true;
	snprintf(text, sizeof(text), "\"%s\" is missing, too long, or not base64", name);
	reply_error(x, 400, "request", text);
	return false;
}

bool shown_passkey_read(struct call *x, const json_t *o, struct shown_passkey *out)
{
	if (json_object_size(o) != 5) {
		reply_error(x, 400, "request",
			"\"passkey\" holds id, client_data, authenticator_data, signature and user_handle");
		return false;
	}
	return bytes_of(x, o, "id", PASSKEY_ID_MAX, &out->id) &&
	       bytes_of(x, o, "client_data", PASSKEY_CLIENT_DATA_MAX, &out->client_data) &&
	       bytes_of(x, o, "authenticator_data", 4096, &out->authenticator_data) &&
	       bytes_of(x, o, "signature", 1024, &out->signature) &&
	       bytes_of(x, o, "user_handle", 64, &out->user_handle);
}

void shown_passkey_deinit(struct shown_passkey *s)
{
	buf_deinit(&s->id);
	buf_deinit(&s->client_data);
	buf_deinit(&s->authenticator_data);
	buf_deinit(&s->signature);
	buf_deinit(&s->user_handle);
}

/* The challenge that this browser was given, which is used up. */
static int take_challenge(struct call *x, uint8_t out[PASSKEY_CHALLENGE_SIZE], struct why *why)
{
	const char *header = ask_header(x->a, "Cookie");
	char cookie[CHALLENGE_TEXT_SIZE];

	if (!header || cookie_hex(header, CHALLENGE_COOKIE, sizeof(cookie), cookie))
		return why_set(why, V_BAD, "no challenge was given to this browser");
	switch (challenge_take(x->c->challenges, cookie, clock_boot_us(), out)) {
	case 0:
		return 0;
	case V_EXISTS:
		return why_set(why, V_BAD, "the challenge was used before");
	case V_END:
		return why_set(why, V_BAD, "the time of the challenge was over");
	default:
		return why_set(why, V_BAD, "the challenge is none of ours");
	}
}

bool shown_passkey_good(struct call *x, struct account *only, bool verified, const struct shown_passkey *s,
	struct passkey **key, unsigned *cause, struct why *why)
{
	const struct passkey_answer answer = {.client_data = buf_span(&s->client_data),
		.authenticator_data = buf_span(&s->authenticator_data),
		.signature = buf_span(&s->signature)};
	struct passkey_question q = question(x, verified);
	struct passkey *k;
	struct account *owner = account_of_passkey(&x->c->accounts, buf_span(&s->id), &k);

	*cause = CAUSE_CHALLENGE;
	if (take_challenge(x, q.challenge, why))
		return false;
	*cause = CAUSE_UNKNOWN_KEY;
	if (!owner) {
		why_set(why, V_BAD, "a passkey of nobody");
		return false;
	}
	if (!only)
		x->account = owner;
	if ((only && owner != only) ||
		!span_eq(buf_span(&s->user_handle), SPAN(owner->handle, sizeof(owner->handle)))) {
		why_set(why, V_BAD, "a passkey of another account");
		return false;
	}
	if (passkey_proves(&q, &answer, k, &k->count, cause, why))
		return false;
	k->used_us = clock_wall_us();
	*key = k;
	return true;
}

void shown_passkey_drop(struct call *x)
{
	uint8_t challenge[PASSKEY_CHALLENGE_SIZE];
	struct why why;

	(void)take_challenge(x, challenge, &why);
}

/* --- of one's own --- */

json_t *own_json(const struct account *a)
{
	return json_pack("{s:o, s:i, s:b, s:o, s:o, s:o}", "passkeys", passkeys_json(a), "most", (int)PASSKEYS_MAX,
		"codes", a->has_totp, "recovery", recovery_left_json(a), "certificates", certificates_json(a), "oidc",
		federated_json(a));
}

void passkeys_get(struct call *x)
{
	reply(x, own_json(x->account));
}

void passkeys_ask_post(struct call *x)
{
	static const char *const names[] = {"proof", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names), *known = json_array();
	struct account *a = x->account, before = {.name = ""};
	static const uint8_t none[PASSKEY_HANDLE_SIZE];
	unsigned i;

	if (!o || !possible(x) || !sign_in_proof(x, o, "for a passkey"))
		goto out;
	before = *a;
	if (a->passkeys_n == PASSKEYS_MAX) {
		reply_error(x, 409, "full", "this account has as many passkeys as can be: remove one first");
		goto out;
	}
	if (random_bytes(x->session->passkey, sizeof(x->session->passkey)) ||
		(!memcmp(a->handle, none, sizeof(none)) && random_bytes(a->handle, sizeof(a->handle)))) {
		reply_error(x, 503, "busy", "no random numbers");
		goto out;
	}
	if (memcmp(a->handle, before.handle, sizeof(none)) != 0 && !sign_in_keep(x, &before))
		goto out;
	x->session->passkey_us = clock_boot_us();
	for (i = 0; i < a->passkeys_n; i++)
		json_array_append_new(known, base64_json(SPAN(a->passkeys[i].id, a->passkeys[i].id_n)));
	reply(x, json_pack("{s:o, s:s, s:I, s:o, s:s, s:O, s:[i, i, i]}", "challenge",
			 base64_json(SPAN(x->session->passkey, sizeof(x->session->passkey))), "rp_id", x->c->conf.rp_id,
			 "timeout_ms", (json_int_t)(CHALLENGE_LIFE_US / 1000), "user_handle",
			 base64_json(SPAN(a->handle, sizeof(a->handle))), "account", a->name, "known", known,
			 "algorithms", -7, -8, -257));
out:
	secret_wipe(&before, sizeof(before));
	json_decref(known);
	json_decref(o);
}

/* A name of 1 to 64 characters, none of which is hidden. False: answered. */
static bool fitting_name(struct call *x, const char *name)
{
	size_t chars = 0;
	const char *p;

	for (p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;

		chars += (c & 0xc0) != 0x80;
		if (c < 0x20 || c == 0x7f)
			chars = SIZE_MAX / 2;
	}
	if (chars <= NAME_CHARS && strlen(name) < PASSKEY_NAME_SIZE)
		return true;
	reply_error(x, 400, "name", "a name has at most 64 characters and 128 bytes, and no control characters");
	return false;
}

/* Judges what the browser made, by the challenge of this session, which is used up. False: answered. */
static bool made(struct call *x, const json_t *o, struct passkey *k)
{
	struct told t = {.kind = KIND_CONSOLE_REFUSED, .cause = CAUSE_CHALLENGE, .operation = x->a->path};
	struct passkey_question q = question(x, true);
	struct session *s = x->session;
	struct buf client_data, attestation = BUF_INIT(0);
	struct why why = {""};
	int r = V_BAD;
	bool there = bytes_of(x, o, "client_data", PASSKEY_CLIENT_DATA_MAX, &client_data) &&
		     bytes_of(x, o, "attestation", PASSKEY_ATTESTATION_MAX, &attestation);

	if (there) {
		memcpy(q.challenge, s->passkey, sizeof(q.challenge));
		if (!s->passkey_us || clock_boot_us() - s->passkey_us > CHALLENGE_LIFE_US)
			why_set(&why, V_BAD, "no challenge was given, or its time is over");
		else
			r = passkey_made(&q, buf_span(&client_data), buf_span(&attestation), k, &t.cause, &why);
		s->passkey_us = 0;
		t.text = why.text;
		if (r < 0)
			reply_error(x, 503, "busy", "no memory");
		else if (r && tell_call(x, t))
			reply_error(x, 400, "passkey", why.text);
	}
	buf_deinit(&client_data);
	buf_deinit(&attestation);
	return !r;
}

static bool tell_own(struct call *x, const char *what, const struct passkey *k)
{
	char text[PASSKEY_NAME_SIZE + 64];

	snprintf(text, sizeof(text), "%s: %s", what, k->name);
	return tell_call(x, (struct told){.kind = KIND_CONSOLE_ACCOUNT, .text = text, .urgent = true});
}

void passkeys_post(struct call *x)
{
	static const char *const names[] = {"name", "client_data", "attestation", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	const char *name = o ? body_text(x, o, "name", PASSKEY_NAME_SIZE - 1) : NULL;
	struct account *a = x->account, before = *a;
	struct passkey k, *other;

	if (!name || !fitting_name(x, name) || !made(x, o, &k))
		goto out;
	if (account_of_passkey(&x->c->accounts, SPAN(k.id, k.id_n), &other)) {
		reply_error(x, 409, "known", "this passkey is somebody's already");
		goto out;
	}
	if (a->passkeys_n == PASSKEYS_MAX) {
		reply_error(x, 409, "full", "this account has as many passkeys as can be: remove one first");
		goto out;
	}
	text_copy(k.name, sizeof(k.name), SPAN_STR(name));
	k.created_us = clock_wall_us();
	if (!tell_own(x, "passkey added", &k))
		goto out;
	a->passkeys[a->passkeys_n++] = k;
	snprintf(a->known, sizeof(a->known), "%s", x->address);
	if (!sign_in_keep(x, &before))
		goto out;
	sign_in_changed(x);
	reply(x, session_json(x));
out:
	secret_wipe(&before, sizeof(before));
	json_decref(o);
}

void passkey_remove(struct call *x)
{
	static const char *const names[] = {"proof", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	struct account *a = x->account, before = {.name = ""};
	struct passkey *k;

	if (!o || !sign_in_proof(x, o, "for removing a passkey"))
		goto out;
	before = *a;
	k = account_passkey(a, x->id);
	if (!k) {
		reply_error(x, 404, "passkey", "no such passkey");
		goto out;
	}
	if (account_factors(a) == 1) {
		reply_error(x, 409, "last", "it is the only second factor: add another one first");
		goto out;
	}
	if (!tell_own(x, "passkey removed", k))
		goto out;
	account_drop_passkey(a, k);
	if (!sign_in_keep(x, &before))
		goto out;
	sign_in_changed(x);
	reply(x, own_json(a));
out:
	secret_wipe(&before, sizeof(before));
	json_decref(o);
}
