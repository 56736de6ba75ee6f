/*
 * What a browser sends of a passkey comes from anybody. The first byte says which of the two it is; then, each behind
 * its length in two bytes, the client data and the attestation object, or client data, authenticator data and
 * signature.
 */
#include "collector/console/passkey.h"
#include "policy/base/text.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span part(const uint8_t **p, size_t *left)
{
	size_t n = *left < 2 ? 0 : (size_t)(*p)[0] << 8 | (*p)[1];
	struct span s;

	if (*left < 2 || n > *left - 2)
		return SPAN(*p, 0);
	s = SPAN(*p + 2, n);
	*p += 2 + n;
	*left -= 2 + n;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct passkey_question q = {
		.origin = "https://localhost:8444", .rp_id = "localhost", .challenge = {1, 2, 3}, .verified = true};
	/* The key of tests/fuzz/console/corpus/passkey/shown. */
	static const char key[] = "19104c4282628eb3e8a56c648fd38dc0979dbec9d95d19ec752fdfea0a07ace6"
				  "b11d4ecb290575d0c69599b1fc29116c9b68888c62cf4e2b5aa4fc0ddcc9183b";
	static struct passkey k = {.alg = -7, .id_n = 1, .key_n = 64};
	struct why why = {""};
	unsigned cause = 0;
	uint32_t count = 0;
	int r;

	if (!size || hex_decode(key, k.key, k.key_n))
		return 0;
	size--;
	if (*data++ == 'm') {
		struct span client = part(&data, &size), attestation = part(&data, &size);
		struct passkey made;

		r = passkey_made(&q, client, attestation, &made, &cause, &why);
		if (!r && (!made.id_n || made.id_n > PASSKEY_ID_MAX || !made.key_n || made.key_n > PASSKEY_KEY_MAX))
			abort();
		/* What is taken once can be written, and read again. */
		if (!r) {
			struct passkey again;
			json_t *o;

			strcpy(made.name, "x");
			o = passkey_json(&made);
			if (!o || !passkey_read(o, &again) || memcmp(made.key, again.key, made.key_n) != 0)
				abort();
			json_decref(o);
		}
	} else {
		struct passkey_answer a = {.client_data = part(&data, &size)};

		a.authenticator_data = part(&data, &size);
		a.signature = part(&data, &size);
		r = passkey_proves(&q, &a, &k, &count, &cause, &why);
	}
	if (r < 0 || (r && (r != V_BAD || !cause || !why.text[0])))
		abort();
	return 0;
}
