/*
 * See bound.h.
 */
#include "collector/console/account.h"
#include "policy/base/text.h"

json_t *bound_certificate_json(const struct bound_certificate *b)
{
	char hex[2 * DIGEST_SIZE + 1];

	return json_pack("{s:s, s:s, s:I, s:I, s:I}", "fingerprint", hex_encode(hex, b->fingerprint.b, DIGEST_SIZE),
		"name", b->name, "not_after", (json_int_t)b->not_after_us, "bound", (json_int_t)b->bound_us, "used",
		(json_int_t)b->used_us);
}

bool bound_certificate_read(const json_t *o, struct bound_certificate *out)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *hex = json_string_value(json_object_get(o, "fingerprint"));
	struct bound_certificate b = {.not_after_us = json_integer_value(json_object_get(o, "not_after")),
		.bound_us = json_integer_value(json_object_get(o, "bound")),
		.used_us = json_integer_value(json_object_get(o, "used"))};

	if (!name || strlen(name) >= sizeof(b.name) || !hex || strlen(hex) != 2 * DIGEST_SIZE ||
		hex_decode(hex, b.fingerprint.b, DIGEST_SIZE))
		return false;
	text_copy(b.name, sizeof(b.name), SPAN_STR(name));
	*out = b;
	return true;
}

json_t *bound_oidc_json(const struct bound_oidc *b)
{
	if (!b->subject[0])
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:I}", "issuer", b->issuer, "subject", b->subject, "bound",
		(json_int_t)b->bound_us, "used", (json_int_t)b->used_us);
}

bool bound_oidc_read(const json_t *o, struct bound_oidc *out)
{
	const char *issuer = json_string_value(json_object_get(o, "issuer"));
	const char *subject = json_string_value(json_object_get(o, "subject"));
	struct bound_oidc b = {.bound_us = json_integer_value(json_object_get(o, "bound")),
		.used_us = json_integer_value(json_object_get(o, "used"))};

	if (!o || json_is_null(o))
		return true;
	if (!issuer || !*issuer || strlen(issuer) >= sizeof(b.issuer) || !subject || !*subject ||
		strlen(subject) >= sizeof(b.subject))
		return false;
	text_copy(b.issuer, sizeof(b.issuer), SPAN_STR(issuer));
	text_copy(b.subject, sizeof(b.subject), SPAN_STR(subject));
	*out = b;
	return true;
}
