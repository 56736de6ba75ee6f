/*
 * See account.h. What is in the file was written by us; a file that is not as we write it is refused as a whole, and
 * the console does not start: it must never run with half of its accounts.
 */
#include "collector/console/account.h"
#include "collector/store/match.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>

#define FILE_MAX (4u << 20)

static const struct {
	unsigned role;
	const char *name;
} roles[] = {{ROLE_ADMINISTRATOR, "administrator"}, {ROLE_AUDITOR, "auditor"}, {ROLE_VIEWER, "viewer"}};

unsigned role_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(roles[i].name, name))
			return roles[i].role;
	return 0;
}

json_t *roles_json(unsigned which)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (which & roles[i].role)
			json_array_append_new(list, json_string(roles[i].name));
	return list;
}

json_t *scope_json(const struct account *a)
{
	json_t *list;
	unsigned i;

	if (!a->scope_n)
		return json_null();
	list = json_array();
	for (i = 0; i < a->scope_n; i++)
		json_array_append_new(list, json_string(a->scope[i]));
	return list;
}

bool account_sees(const struct account *a, const char *host_name)
{
	unsigned i;

	for (i = 0; i < a->scope_n; i++) {
		struct match m = match_of(a->scope[i]);

		if (match_name(&m, SPAN_STR(host_name)))
			return true;
	}
	return !a->scope_n;
}

bool account_name_fits(const char *name)
{
	size_t n = strlen(name);
	const char *p;

	if (!n || n >= ACCOUNT_NAME_SIZE || !text_is_utf8(SPAN_STR(name)))
		return false;
	for (p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x80 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
			!strchr(".-_@", c))
			return false;
	}
	return true;
}

struct account *account_find(struct accounts *a, const char *name)
{
	unsigned i;

	for (i = 0; i < a->n; i++)
		if (!strcmp(a->v[i].name, name))
			return &a->v[i];
	return NULL;
}

bool account_has_factor(const struct account *a)
{
	return account_factors(a) > 0;
}

unsigned account_factors(const struct account *a)
{
	return a->has_totp + a->passkeys_n + a->certificates_n;
}

struct account *account_of_certificate(
	struct accounts *a, const struct digest *fingerprint, struct bound_certificate **out)
{
	unsigned i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < a->v[i].certificates_n; k++) {
			*out = &a->v[i].certificates[k];
			if (digest_eq(&(*out)->fingerprint, fingerprint))
				return &a->v[i];
		}
	*out = NULL;
	return NULL;
}

struct account *account_of_oidc(struct accounts *a, const char *issuer, const char *subject)
{
	unsigned i;

	for (i = 0; i < a->n; i++)
		if (*subject && !strcmp(a->v[i].oidc.subject, subject) && !strcmp(a->v[i].oidc.issuer, issuer))
			return &a->v[i];
	return NULL;
}

void account_drop_certificate(struct account *a, struct bound_certificate *b)
{
	size_t at = (size_t)(b - a->certificates);

	memmove(b, b + 1, (a->certificates_n - at - 1) * sizeof(*b));
	a->certificates_n--;
	memset(&a->certificates[a->certificates_n], 0, sizeof(*b));
}

struct account *account_of_passkey(struct accounts *a, struct span id, struct passkey **key)
{
	unsigned i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < a->v[i].passkeys_n; k++) {
			*key = &a->v[i].passkeys[k];
			if (span_eq(SPAN((*key)->id, (*key)->id_n), id))
				return &a->v[i];
		}
	*key = NULL;
	return NULL;
}

struct passkey *account_passkey(struct account *a, const char *ref)
{
	char own[PASSKEY_REF_SIZE];
	unsigned k;

	for (k = 0; k < a->passkeys_n; k++) {
		passkey_ref(&a->passkeys[k], own);
		if (!strcmp(own, ref))
			return &a->passkeys[k];
	}
	return NULL;
}

void account_drop_passkey(struct account *a, struct passkey *k)
{
	size_t at = (size_t)(k - a->passkeys);

	memmove(k, k + 1, (a->passkeys_n - at - 1) * sizeof(*k));
	a->passkeys_n--;
	memset(&a->passkeys[a->passkeys_n], 0, sizeof(*k));
}

int account_add(struct accounts *a, const char *name, struct account **out)
{
	struct account *x;

	if (!account_name_fits(name))
		return V_BAD;
	if (account_find(a, name))
		return V_EXISTS;
	if (a->n == ACCOUNTS_MAX)
		return V_FULL;
	x = &a->v[a->n];
	memset(x, 0, sizeof(*x));
	snprintf(x->name, sizeof(x->name), "%s", name);
	a->n++;
	*out = x;
	return 0;
}

/* --- the file --- */

static bool copy_text(char *out, size_t size, const json_t *v)
{
	const char *s = json_string_value(v);

	return s && strlen(s) == json_string_length(v) && (size_t)snprintf(out, size, "%s", s) < size;
}

static bool read_scope(struct account *a, const json_t *list)
{
	size_t i;

	if (json_is_null(list))
		return true;
	if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > SCOPE_MAX)
		return false;
	for (i = 0; i < json_array_size(list); i++)
		if (!copy_text(a->scope[a->scope_n++], SCOPE_SIZE, json_array_get(list, i)))
			return false;
	return true;
}

static bool read_roles(struct account *a, const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		unsigned role = s ? role_by_name(s) : 0;

		if (!role)
			return false;
		a->roles |= role;
	}
	return a->roles;
}

/* Neither need be there: files of before have none. */
static bool read_passkeys(struct account *a, const json_t *handle, const json_t *list)
{
	size_t i, n = json_array_size(list);

	if (handle && (json_string_length(handle) != 2 * sizeof(a->handle) ||
			      hex_decode(json_string_value(handle), a->handle, sizeof(a->handle))))
		return false;
	if ((list && !json_is_array(list)) || n > PASSKEYS_MAX || (n && !handle))
		return false;
	for (i = 0; i < n; i++)
		if (!passkey_read(json_array_get(list, i), &a->passkeys[a->passkeys_n++]))
			return false;
	return true;
}

static bool read_certificates(struct account *a, const json_t *list)
{
	size_t i, n = json_array_size(list);

	if ((list && !json_is_array(list)) || n > CERTIFICATES_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (!bound_certificate_read(json_array_get(list, i), &a->certificates[a->certificates_n++]))
			return false;
	return true;
}

static bool read_one(struct accounts *to, const json_t *o)
{
	const json_t *totp = json_object_get(o, "totp");
	char name[ACCOUNT_NAME_SIZE];
	struct account *a;

	if (!copy_text(name, sizeof(name), json_object_get(o, "name")) || account_add(to, name, &a))
		return false;
	a->disabled = !json_is_false(json_object_get(o, "disabled"));
	a->must_password = !json_is_false(json_object_get(o, "must_password"));
	a->totp_used = (uint64_t)json_integer_value(json_object_get(o, "totp_used"));
	a->created_us = json_integer_value(json_object_get(o, "created"));
	a->signed_in_us = json_integer_value(json_object_get(o, "signed_in"));
	a->has_totp = json_is_string(totp);
	return read_roles(a, json_object_get(o, "roles")) && read_scope(a, json_object_get(o, "scope")) &&
	       copy_text(a->password, sizeof(a->password), json_object_get(o, "password")) &&
	       copy_text(a->known, sizeof(a->known), json_object_get(o, "known")) &&
	       read_passkeys(a, json_object_get(o, "handle"), json_object_get(o, "passkeys")) &&
	       read_certificates(a, json_object_get(o, "certificates")) &&
	       bound_oidc_read(json_object_get(o, "oidc"), &a->oidc) &&
	       recovery_read(json_object_get(o, "recovery"), &a->recovery) &&
	       (!a->has_totp || !otp_base32_read(json_string_value(totp), a->totp));
}

/* Is what signs in somebody else's already? One subject, certificate or passkey is of one account. */
static bool is_shared(struct accounts *all, struct account *x)
{
	struct bound_certificate *b;
	struct passkey *k;
	unsigned i;

	if (x->oidc.subject[0] && account_of_oidc(all, x->oidc.issuer, x->oidc.subject) != x)
		return true;
	for (i = 0; i < x->certificates_n; i++)
		if (account_of_certificate(all, &x->certificates[i].fingerprint, &b) != x)
			return true;
	for (i = 0; i < x->passkeys_n; i++)
		if (account_of_passkey(all, SPAN(x->passkeys[i].id, x->passkeys[i].id_n), &k) != x)
			return true;
	return false;
}

int accounts_load(const char *path, struct accounts *out, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX);
	struct accounts a = {.v = calloc(ACCOUNTS_MAX, sizeof(*a.v))};
	json_t *list, *o = NULL;
	size_t i;
	int r;

	if (!a.v)
		return -ENOMEM;
	snprintf(a.path, sizeof(a.path), "%s", path);
	r = file_read(path, &text);
	if (r == V_NOT_FOUND) {
		*out = a;
		return 0;
	}
	if (!r)
		o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(o, "accounts");
	if (!r && !json_is_array(list))
		r = why_set(why, V_BAD, "%s: no list of accounts", path);
	for (i = 0; !r && i < json_array_size(list); i++)
		if (!read_one(&a, json_array_get(list, i)))
			r = why_set(why, V_BAD, "%s: account %zu is damaged", path, i + 1);
		else if (is_shared(&a, &a.v[a.n - 1]))
			r = why_set(why, V_BAD, "%s: account %zu: what signs it in is bound to another account", path,
				i + 1);
	json_decref(o);
	secret_wipe(text.p, text.n);
	if (r)
		accounts_deinit(&a);
	else
		*out = a;
	return r;
}

void accounts_deinit(struct accounts *a)
{
	if (a->v)
		secret_wipe(a->v, ACCOUNTS_MAX * sizeof(*a->v));
	free(a->v);
	a->v = NULL;
	a->n = 0;
}

static json_t *one_json(const struct account *a)
{
	char totp[OTP_BASE32_SIZE] = "", handle[2 * PASSKEY_HANDLE_SIZE + 1];
	json_t *list = json_array(), *o;
	unsigned i;

	if (a->has_totp)
		otp_base32(a->totp, totp);
	for (i = 0; i < a->passkeys_n; i++)
		json_array_append_new(list, passkey_json(&a->passkeys[i]));
	if (json_array_size(list) != a->passkeys_n) {
		json_decref(list);
		return NULL;
	}
	o = json_pack("{s:s, s:o, s:o, s:b, s:b, s:s, s:s?, s:I, s:s, s:I, s:I}", "name", a->name, "roles",
		roles_json(a->roles), "scope", scope_json(a), "disabled", a->disabled, "must_password",
		a->must_password, "password", a->password, "totp", a->has_totp ? totp : NULL, "totp_used",
		(json_int_t)a->totp_used, "known", a->known, "created", (json_int_t)a->created_us, "signed_in",
		(json_int_t)a->signed_in_us);
	json_object_set_new(o, "handle", json_string(hex_encode(handle, a->handle, sizeof(a->handle))));
	json_object_set_new(o, "passkeys", list);
	list = json_array();
	for (i = 0; i < a->certificates_n; i++)
		json_array_append_new(list, bound_certificate_json(&a->certificates[i]));
	json_object_set_new(o, "certificates", list);
	json_object_set_new(o, "oidc", bound_oidc_json(&a->oidc));
	json_object_set_new(o, "recovery", recovery_json(&a->recovery));
	return o;
}

int accounts_save(const struct accounts *a)
{
	json_t *list = json_array(), *o;
	char *text;
	unsigned i;
	int r;

	for (i = 0; i < a->n; i++)
		json_array_append_new(list, one_json(&a->v[i]));
	o = json_pack("{s:o}", "accounts", list);
	text = o && json_array_size(list) == a->n ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	if (!text)
		return -ENOMEM;
	r = file_replace(a->path, SPAN_STR(text), 0600);
	secret_wipe(text, strlen(text));
	free(text);
	return r;
}
