/*
 * Who signed in at the provider a moment ago and still has a second factor of the console's to show: kept by the hash
 * of a cookie, for five minutes, once. See federate_parts.h.
 */
#include "collector/console/federate_parts.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

#define COOKIE "__Host-sekisho-oidc-person"
#define PERSON_US 300000000

static json_t *factors_json(const struct account *a)
{
	json_t *list = json_array();

	if (a->has_totp)
		json_array_append_new(list, json_string("code"));
	if (a->passkeys_n)
		json_array_append_new(list, json_string("passkey"));
	if (a->certificates_n)
		json_array_append_new(list, json_string("certificate"));
	return list;
}

void federate_factor(struct call *x)
{
	struct federation *f = x->c->federation;
	uint8_t random[32];
	char cookie[65];

	if (random_bytes(random, sizeof(random))) {
		reply_error(x, 503, "busy", "no random numbers");
		return;
	}
	hex_encode(cookie, random, sizeof(random));
	digest_span(&f->people[f->next].id, SPAN_STR(cookie));
	snprintf(f->people[f->next].account, ACCOUNT_NAME_SIZE, "%s", x->account->name);
	f->people[f->next].at_us = clock_boot_us();
	f->next = (f->next + 1) % PEOPLE_MAX;
	federate_cookie(x, COOKIE, cookie, PERSON_US / 1000000);
	secret_wipe(cookie, sizeof(cookie));
	reply(x, json_pack("{s:s, s:o}", "account", x->account->name, "factors", factors_json(x->account)));
}

/* The place of this browser's person; PEOPLE_MAX: nobody's. */
static unsigned person(const struct call *x)
{
	const char *header = ask_header(x->a, "Cookie");
	const struct federation *f = x->c->federation;
	int64_t now = clock_boot_us();
	struct digest id;
	char cookie[65];
	unsigned i;

	if (!f || !header || cookie_hex(header, COOKIE, sizeof(cookie), cookie))
		return PEOPLE_MAX;
	digest_span(&id, SPAN_STR(cookie));
	for (i = 0; i < PEOPLE_MAX; i++)
		if (f->people[i].at_us && now - f->people[i].at_us < PERSON_US && digest_eq(&f->people[i].id, &id))
			return i;
	return PEOPLE_MAX;
}

struct account *federate_person(struct call *x)
{
	unsigned i = person(x);
	struct account *a = i < PEOPLE_MAX ? account_find(&x->c->accounts, x->c->federation->people[i].account) : NULL;

	/* What was bound then may be no more. */
	return a && a->oidc.subject[0] ? a : NULL;
}

void federate_forget(struct call *x)
{
	unsigned i = person(x);

	if (i < PEOPLE_MAX)
		x->c->federation->people[i].at_us = 0;
	federate_cookie(x, COOKIE, "", 0);
}

json_t *federated_json(const struct account *a)
{
	if (!a->oidc.subject[0])
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o}", "issuer", a->oidc.issuer, "subject", a->oidc.subject, "bound",
		time_json(a->oidc.bound_us), "used", time_json(a->oidc.used_us));
}
