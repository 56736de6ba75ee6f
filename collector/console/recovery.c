/*
 * See recovery.h. A code that was used is forgotten, so that it is no other than one that never was.
 */
#include "collector/console/recovery.h"
#include "collector/console/account.h"
#include "policy/base/text.h"
#include <ctype.h>

#define GROUPS 6u
#define LETTERS 24u

/* Its letters alone. False: too many of them. */
static bool squeeze(const char *typed, char out[LETTERS + 1])
{
	size_t n = 0;

	for (; *typed; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (n == LETTERS)
			return false;
		out[n++] = (char)tolower((unsigned char)*typed);
	}
	out[n] = 0;
	return n == LETTERS;
}

/* With the account's name, so that no two accounts have the same of anything. */
static void hash(const char *account, const char *letters, struct digest *out)
{
	const struct span parts[] = {
		SPAN_STR("sekisho recovery code\n"), SPAN_STR(account), SPAN_STR("\n"), SPAN_STR(letters)};

	digest_of(out, parts, ARRAY_SIZE(parts));
}

int recovery_make(
	const char *account, int64_t wall_us, struct recovery *out, char shown[RECOVERY_CODES][RECOVERY_TEXT_SIZE])
{
	struct recovery made = {.n = RECOVERY_CODES, .made_us = wall_us};
	char letters[LETTERS + 1];
	unsigned i;
	int r = 0;

	for (i = 0; i < RECOVERY_CODES && !r; i++) {
		r = password_groups(shown[i], GROUPS);
		if (!r && squeeze(shown[i], letters))
			hash(account, letters, &made.codes[i]);
	}
	secret_wipe(letters, sizeof(letters));
	if (!r)
		*out = made;
	return r;
}

unsigned recovery_find(const struct recovery *r, const char *account, const char *typed)
{
	char letters[LETTERS + 1];
	struct digest got;
	unsigned i, at = RECOVERY_CODES;

	if (!squeeze(typed, letters))
		return RECOVERY_CODES;
	hash(account, letters, &got);
	secret_wipe(letters, sizeof(letters));
	for (i = 0; i < r->n; i++)
		if (digest_eq(&r->codes[i], &got))
			at = i;
	return at;
}

void recovery_use(struct recovery *r, unsigned at)
{
	memmove(&r->codes[at], &r->codes[at + 1], (r->n - at - 1) * sizeof(r->codes[0]));
	r->n--;
	memset(&r->codes[r->n], 0, sizeof(r->codes[0]));
}

json_t *recovery_json(const struct recovery *r)
{
	char hex[2 * DIGEST_SIZE + 1];
	json_t *list;
	unsigned i;

	if (!r->made_us)
		return json_null();
	list = json_array();
	for (i = 0; i < r->n; i++)
		json_array_append_new(list, json_string(hex_encode(hex, r->codes[i].b, DIGEST_SIZE)));
	return json_pack("{s:I, s:o}", "made", (json_int_t)r->made_us, "codes", list);
}

bool recovery_read(const json_t *o, struct recovery *out)
{
	const json_t *list = json_object_get(o, "codes");
	struct recovery r = {.made_us = json_integer_value(json_object_get(o, "made"))};

	if (!o || json_is_null(o))
		return true;
	if (!json_is_array(list) || json_array_size(list) > RECOVERY_CODES || r.made_us <= 0)
		return false;
	for (; r.n < json_array_size(list); r.n++) {
		const json_t *v = json_array_get(list, r.n);

		if (json_string_length(v) != 2 * DIGEST_SIZE ||
			hex_decode(json_string_value(v), r.codes[r.n].b, DIGEST_SIZE))
			return false;
	}
	*out = r;
	return true;
}
