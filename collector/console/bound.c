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
