/*
 * Reasons in both languages. See said.h.
 */
#include "policy/rule/said.h"
#include "policy/base/text.h"

#define PLACE_SIZE 192

static const char *place(char out[PLACE_SIZE], const char *file, size_t line, const char *key)
{
	int n = line ? snprintf(out, PLACE_SIZE, "%s:%zu: ", file, line) : snprintf(out, PLACE_SIZE, "%s: ", file);

	if (key && n > 0 && n < PLACE_SIZE)
		snprintf(out + n, (size_t)(PLACE_SIZE - n), "%s: ", key);
	return out;
}

int said_bad(struct why *why, const char *file, size_t line, const char *key, struct said what)
{
	char at[PLACE_SIZE];

	place(at, file, line, key);
	why_set(why, V_BAD, "%s%s", at, what.en);
	return why_set_ja(why, V_BAD, "%s%s", at, what.ja);
}

int said_bad_value(
	struct why *why, const char *file, size_t line, const char *key, const char *value, struct said wanted)
{
	char at[PLACE_SIZE], shown[64];

	place(at, file, line, key);
	text_escape_to(shown, sizeof(shown), SPAN_STR(value));
	why_set(why, V_BAD, "%s\"%s\" is no %s", at, shown, wanted.en);
	return why_set_ja(why, V_BAD, "%s「%s」は使えません: %sを書きます", at, shown, wanted.ja);
}

int said_unknown(struct why *why, const char *file, size_t line, size_t column, const char *key)
{
	char shown[64];

	text_escape_to(shown, sizeof(shown), SPAN_STR(key));
	why_set(why, V_BAD, "%s:%zu:%zu: %s: unknown key", file, line, column, shown);
	return why_set_ja(why, V_BAD, "%s:%zu:%zu: %s: 不明なキーです", file, line, column, shown);
}
