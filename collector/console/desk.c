/*
 * The console's own door: accounts, for `sekishoctl console user`, and reports and exports that were made here, to be
 * recorded. Who may knock is the socket's mode (root and group sekisho-admin); who did, and what, is in the access log.
 * Passwords that are made here are shown once and have to be changed at the first sign-in.
 */
#include "collector/console/desk.h"
#include "collector/console/federate.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define BODY_MAX 16384u

static json_t *account_json(const struct account *a)
{
	return json_pack("{s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "name", a->name, "roles",
		roles_json(a->roles), "scope", scope_json(a), "disabled", a->disabled, "must_password",
		a->must_password, "second_factor", account_has_factor(a), "totp", a->has_totp, "recovery",
		recovery_left_json(a), "passkeys", passkeys_json(a), "certificates", certificates_json(a), "oidc",
		federated_json(a), "created", time_json(a->created_us), "signed_in", time_json(a->signed_in_us));
}

static void users_get(struct console *c, struct ask *a)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < c->accounts.n; i++)
		json_array_append_new(list, account_json(&c->accounts.v[i]));
	answer_json(a->req, 200, json_pack("{s:o}", "users", list));
}

json_t *desk_object(struct ask *a)
{
	struct why why = {""};
	json_t *o = NULL;

	if (ask_object_of(a->body, BODY_MAX, &o, &why))
		answer_error(a->req, 400, "request", why.text, 0);
	return o;
}

bool desk_keep(struct console *c, struct ask *a, const char *what, const char *target)
{
	struct told t = {.kind = KIND_CONSOLE_ACCOUNT,
		.operation = a->path,
		.text = what,
		.target = target,
		.has_uid = true,
		.uid = a->uid,
		.urgent = true};
	int r = tell(c, &t);

	r = r ? r : accounts_save(&c->accounts);
	if (r) {
		log_error("%s: %s", c->conf.accounts, r < 0 ? strerror(-r) : "cannot be recorded");
		answer_error(a->req, 503, "failed", "the change cannot be written or recorded", 0);
	}
	return !r;
}

void desk_ends(struct console *c, const struct account *x)
{
	session_end_all(c->sessions, x->name, NULL);
	second_end_all(c, x->name);
}

static bool new_password(struct account *to, char text[32])
{
	to->must_password = true;
	return !password_make(text) && !password_hash(text, to->password);
}

static bool read_roles(const json_t *list, unsigned *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		unsigned role = s ? role_by_name(s) : 0;

		if (!role)
			return false;
		*out |= role;
	}
	return *out;
}

static bool read_scope(const json_t *list, struct account *to)
{
	size_t i;

	if (!list || json_is_null(list))
		return true;
	if (!json_array_size(list) || json_array_size(list) > SCOPE_MAX)
		return false;
	for (i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (!s || !*s || strlen(s) >= SCOPE_SIZE)
			return false;
		snprintf(to->scope[to->scope_n++], SCOPE_SIZE, "%s", s);
	}
	return true;
}

static void answer_password(struct ask *a, char password[32])
{
	answer_json(a->req, 200, json_pack("{s:s}", "password", password));
	secret_wipe(password, 32);
}

static void users_post(struct console *c, struct ask *a)
{
	json_t *o = desk_object(a);
	const char *name = json_string_value(json_object_get(o, "name"));
	struct account *x = NULL;
	char password[32], what[128];
	unsigned roles;
	int r;

	if (!o)
		return;
	if (!name || !account_name_fits(name) || !read_roles(json_object_get(o, "roles"), &roles)) {
		answer_error(a->req, 400, "request", "a name and one or more roles belong there", 0);
		goto out;
	}
	/* Who reads "own department" and has none reads nothing; that is never meant. */
	if (roles == ROLE_VIEWER && !json_array_size(json_object_get(o, "scope"))) {
		answer_error(a->req, 400, "scope", "a viewer needs a scope: patterns of PC names", 0);
		goto out;
	}
	r = account_add(&c->accounts, name, &x);
	if (r) {
		answer_error(a->req, 409, r == V_EXISTS ? "known" : "full",
			r == V_EXISTS ? "there is an account of this name" : "there are as many accounts as can be", 0);
		goto out;
	}
	x->roles = roles;
	x->created_us = clock_wall_us();
	snprintf(what, sizeof(what), "account made:%s%s%s%s", roles & ROLE_ADMINISTRATOR ? " administrator" : "",
		roles & ROLE_AUDITOR ? " auditor" : "", roles & ROLE_VIEWER ? " viewer" : "",
		json_array_size(json_object_get(o, "scope")) ? ", with a scope" : "");
	if (!read_scope(json_object_get(o, "scope"), x)) {
		answer_error(a->req, 400, "scope", "a list of at most 32 patterns belongs there", 0);
		c->accounts.n--;
	} else if (!new_password(x, password)) {
		answer_error(a->req, 503, "busy", "no memory", 0);
		c->accounts.n--;
	} else if (!desk_keep(c, a, what, name)) {
		c->accounts.n--;
	} else {
		answer_password(a, password);
	}
out:
	json_decref(o);
}

struct account *desk_named(struct console *c, struct ask *a, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	struct account *x = name ? account_find(&c->accounts, name) : NULL;

	if (!x)
		answer_error(a->req, 404, "account", "no such account", 0);
	return x;
}

static void disable_post(struct console *c, struct ask *a)
{
	json_t *o = desk_object(a);
	struct account *x = o ? desk_named(c, a, o) : NULL;
	bool before;

	if (x) {
		before = x->disabled;
		x->disabled = true;
		if (desk_keep(c, a, "account disabled", x->name)) {
			desk_ends(c, x);
			answer_json(a->req, 200, json_object());
		} else {
			x->disabled = before;
		}
	}
	json_decref(o);
}

/* Another one-time password, no second factor, and not disabled any more. */
static void reset_post(struct console *c, struct ask *a)
{
	json_t *o = desk_object(a);
	struct account *x = o ? desk_named(c, a, o) : NULL, before;
	char password[32];

	if (x) {
		before = *x;
		x->disabled = false;
		x->has_totp = false;
		x->totp_used = 0;
		x->passkeys_n = 0;
		memset(x->passkeys, 0, sizeof(x->passkeys));
		memset(&x->oidc, 0, sizeof(x->oidc));
		x->certificates_n = 0;
		memset(x->certificates, 0, sizeof(x->certificates));
		memset(&x->recovery, 0, sizeof(x->recovery));
		x->known[0] = 0;
		if (!new_password(x, password)) {
			answer_error(a->req, 503, "busy", "no memory", 0);
			*x = before;
		} else if (!desk_keep(c, a, "account reset", x->name)) {
			*x = before;
		} else {
			desk_ends(c, x);
			answer_password(a, password);
		}
		secret_wipe(&before, sizeof(before));
	}
	json_decref(o);
}

/* On the disk before the answer leaves, as all that is urgent. */
static void tell_desk(struct console *c, struct ask *a, const struct told *t)
{
	int r = tell(c, t);

	if (r)
		answer_error(a->req, 503, "unrecorded", "it cannot be recorded now", 0);
	else
		answer_json(a->req, 200, json_object());
	if (r < 0)
		console_fail(c, r, "access log");
}

/* A report was made on this machine; its maker waits for this answer before he hands it out. */
static void report_told(struct console *c, struct ask *a)
{
	struct told t = {
		.kind = KIND_CONSOLE_EXPORT, .operation = a->path, .has_uid = true, .uid = a->uid, .urgent = true};
	json_t *o = desk_object(a);
	const char *what = json_string_value(json_object_get(o, "what"));
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *hex = json_string_value(json_object_get(o, "hash"));
	struct digest hash;

	if (!o)
		return;
	if (!what || !name || !hex || strlen(what) > 200 || strlen(name) > 200 || strlen(hex) != 2 * DIGEST_SIZE ||
		hex_decode(hex, hash.b, DIGEST_SIZE)) {
		answer_error(a->req, 400, "request", "\"what\", \"name\" and \"hash\" belong there", 0);
		goto out;
	}
	t.text = what;
	t.path = name;
	t.hash = &hash;
	tell_desk(c, a, &t);
out:
	json_decref(o);
}

/* Records are taken away as files by this machine's sekishoctl, which waits for this answer before it begins. */
static void export_told(struct console *c, struct ask *a)
{
	struct told t = {
		.kind = KIND_CONSOLE_EXPORT, .operation = a->path, .has_uid = true, .uid = a->uid, .urgent = true};
	json_t *o = desk_object(a);
	const char *what = json_string_value(json_object_get(o, "what"));
	const char *folder = json_string_value(json_object_get(o, "folder"));
	const json_t *records = json_object_get(o, "records");

	if (!o)
		return;
	if (!what || !folder || strlen(what) > 500 || strlen(folder) > 4096 || !json_is_integer(records) ||
		json_integer_value(records) < 0) {
		answer_error(a->req, 400, "request", "\"what\", \"folder\" and \"records\" belong there", 0);
		goto out;
	}
	t.text = what;
	t.path = folder;
	t.count = (uint64_t)json_integer_value(records);
	t.has_count = true;
	tell_desk(c, a, &t);
out:
	json_decref(o);
}

void desk_route(struct console *c, struct ask *a)
{
	static const struct {
		const char *path;
		enum ask_method method;
		void (*fn)(struct console *c, struct ask *a);
	} doors[] = {
		{"/desk/users", ASK_GET, users_get},
		{"/desk/users", ASK_POST, users_post},
		{"/desk/disable", ASK_POST, disable_post},
		{"/desk/reset", ASK_POST, reset_post},
		{"/desk/bind", ASK_POST, bind_post},
		{"/desk/unbind", ASK_POST, unbind_post},
		{"/desk/reports", ASK_POST, report_told},
		{"/desk/exports", ASK_POST, export_told},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(doors); i++) {
		if (doors[i].method == a->method && !strcmp(a->path, doors[i].path)) {
			doors[i].fn(c, a);
			return;
		}
	}
	answer_error(a->req, 404, "path", "no such request", 0);
}
