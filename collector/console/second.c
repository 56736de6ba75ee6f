/*
 * Who has shown the first factor a moment ago (a password, or a sign-in at the OpenID provider) and still has to show
 * the second: kept by the hash of a cookie, for five minutes, once. What they may show is told to them, and to nobody
 * before: who has which factors is known to whoever has the password alone.
 *
 * Somebody who has a password and no factor behind it is worth knowing of: who lets the time go by is in the access
 * log.
 */
#include "collector/console/federate.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

#define COOKIE "__Host-sekisho-second"
#define SECOND_US 300000000
#define SECONDS_EACH 4u /* of one account: the oldest gives way */

static json_t *factors_json(const struct account *a)
{
	json_t *list = json_array();

	if (a->has_totp)
		json_array_append_new(list, json_string("code"));
	if (a->passkeys_n)
		json_array_append_new(list, json_string("passkey"));
	if (a->certificates_n)
		json_array_append_new(list, json_string("certificate"));
	if (a->recovery.n)
		json_array_append_new(list, json_string("recovery"));
	return list;
}

/* Nobody waits there any more; who let the time go by is told. */
static void give_up(struct console *c, struct second *s)
{
	struct told t = {.kind = KIND_SIGN_IN_REFUSED,
		.cause = CAUSE_CREDENTIALS,
		.account = s->account,
		.address = s->address,
		.method = s->began.federated ? FEDERATE_METHOD : "password",
		.text = "the second factor was not shown"};

	c->count.sign_in_refused++;
	if (tell(c, &t) < 0)
		console_fail(c, -EIO, "access log");
	memset(s, 0, sizeof(*s));
}

/* A place for one more: a free one, the oldest of an account that has too many, the oldest of all. */
static struct second *place(struct console *c, const char *account)
{
	struct second *own = NULL, *oldest = NULL;
	unsigned n = 0, i;

	for (i = 0; i < SECONDS_MAX; i++) {
		struct second *s = &c->seconds[i];

		if (!oldest || s->at_us < oldest->at_us)
			oldest = s;
		if (!s->at_us || strcmp(s->account, account) != 0)
			continue;
		n++;
		if (!own || s->at_us < own->at_us)
			own = s;
	}
	return n >= SECONDS_EACH ? own : oldest;
}

void second_begin(struct call *x, const struct began *began)
{
	struct second *s = place(x->c, x->account->name);
	uint8_t random[32];
	char cookie[65];

	if (random_bytes(random, sizeof(random))) {
		reply_error(x, 503, "busy", "no random numbers");
		return;
	}
	if (s->at_us)
		give_up(x->c, s);
	hex_encode(cookie, random, sizeof(random));
	digest_span(&s->id, SPAN_STR(cookie));
	snprintf(s->account, sizeof(s->account), "%s", x->account->name);
	snprintf(s->address, sizeof(s->address), "%s", x->address);
	s->began = *began;
	s->at_us = clock_boot_us();
	answer_cookie(x, COOKIE, cookie, SECOND_US / 1000000);
	secret_wipe(cookie, sizeof(cookie));
	reply(x, json_pack("{s:s, s:o}", "account", x->account->name, "factors", factors_json(x->account)));
}

struct second *second_of(struct call *x)
{
	const char *header = ask_header(x->a, "Cookie");
	int64_t now = clock_boot_us();
	struct digest id;
	char cookie[65];
	unsigned i;

	if (!header || cookie_hex(header, COOKIE, sizeof(cookie), cookie))
		return NULL;
	digest_span(&id, SPAN_STR(cookie));
	for (i = 0; i < SECONDS_MAX; i++) {
		struct second *s = &x->c->seconds[i];

		if (s->at_us && now - s->at_us < SECOND_US && digest_eq(&s->id, &id))
			return s;
	}
	return NULL;
}

void second_end(struct call *x)
{
	struct second *s = second_of(x);

	if (!s)
		return;
	memset(s, 0, sizeof(*s));
	answer_cookie(x, COOKIE, "", 0);
}

void second_end_all(struct console *c, const char *account)
{
	unsigned i;

	for (i = 0; i < SECONDS_MAX; i++)
		if (c->seconds[i].at_us && !strcmp(c->seconds[i].account, account))
			memset(&c->seconds[i], 0, sizeof(c->seconds[i]));
}

int seconds_leave(struct console *c, const struct oidc_logout *what, const char *address)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < SECONDS_MAX && !r; i++) {
		struct second *s = &c->seconds[i];
		struct told t = {.kind = KIND_SIGN_IN_REFUSED,
			.cause = CAUSE_PROVIDER_LOGOUT,
			.account = s->account,
			.address = address,
			.method = FEDERATE_METHOD,
			.text = "signed out by the provider before the second factor was shown",
			.urgent = true};

		if (!s->at_us || !federate_meant(what, account_find(&c->accounts, s->account), &s->began))
			continue;
		r = tell(c, &t);
		if (!r) {
			c->count.sign_in_refused++;
			memset(s, 0, sizeof(*s));
		}
	}
	return r;
}

void seconds_tick(struct console *c)
{
	int64_t now = clock_boot_us();
	unsigned i;

	for (i = 0; i < SECONDS_MAX; i++)
		if (c->seconds[i].at_us && now - c->seconds[i].at_us >= SECOND_US)
			give_up(c, &c->seconds[i]);
}
