/*
 * The people of this console, for administrators: who has which ways to sign in; taking a lost passkey away. Accounts
 * themselves are made and reset by sekishoctl at the console's door (desk.c).
 */
#include "collector/console/federate.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"

void people_get(struct call *x)
{
	json_t *list;
	unsigned i;

	if (!tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		return;
	list = json_array();
	for (i = 0; i < x->c->accounts.n; i++) {
		const struct account *a = &x->c->accounts.v[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "account",
				      a->name, "roles", roles_json(a->roles), "scope", scope_json(a), "disabled",
				      a->disabled, "password_due", a->must_password, "codes", a->has_totp, "recovery",
				      recovery_left_json(a), "passkeys", passkeys_json(a), "certificates",
				      certificates_json(a), "oidc", federated_json(a), "created",
				      time_json(a->created_us), "signed_in", time_json(a->signed_in_us)));
	}
	reply(x, json_pack("{s:o}", "people", list));
}

void people_passkey_remove(struct call *x)
{
	static const char *const names[] = {"account", "passkey", NULL};
	json_t *o = body_object(x, SIGN_IN_BODY_MAX, names);
	const char *name = o ? body_text(x, o, "account", ACCOUNT_NAME_SIZE - 1) : NULL;
	const char *ref = name ? body_text(x, o, "passkey", PASSKEY_REF_SIZE - 1) : NULL;
	struct account *a = ref ? account_find(&x->c->accounts, name) : NULL, before;
	struct passkey *k = a ? account_passkey(a, ref) : NULL;
	char text[PASSKEY_NAME_SIZE + 64];
	bool last;
	int r;

	if (ref && !k)
		reply_error(x, 404, "passkey", "no such account, or it has no such passkey");
	if (!k)
		goto out;
	before = *a;
	/* Without a factor the password alone would do: who has it could make the next passkey theirs. */
	last = account_factors(a) == 1;
	snprintf(text, sizeof(text), "passkey removed%s: %s", last ? ", account disabled" : "", k->name);
	if (!tell_call(x, (struct told){.kind = KIND_CONSOLE_ACCOUNT, .text = text, .target = a->name, .urgent = true}))
		goto out;
	account_drop_passkey(a, k);
	a->disabled = a->disabled || last;
	r = accounts_save(&x->c->accounts);
	if (r) {
		*a = before;
		log_error("%s: %s", x->c->conf.accounts, strerror(-r));
		reply_error(x, 503, "failed", "the accounts cannot be written");
	} else {
		reply(x, json_pack("{s:b}", "disabled", a->disabled));
		/* Their own session goes on where the key was one of their own. */
		session_end_all(x->c->sessions, a->name, a == x->account && !a->disabled ? x->session : NULL);
		second_end_all(x->c, a->name);
	}
	secret_wipe(&before, sizeof(before));
out:
	json_decref(o);
}
