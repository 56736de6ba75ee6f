/*
 * Facts of one question: see fact.h.
 */
#include "collector/store/fact.h"
#include "collector/store/match.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_ 64 /* longer ones are no names of ours */

static bool number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

int fact_parse(const char *text, struct fact *out, struct why *why)
{
	const char *colon = strchr(text, ':');
	const struct enum_info *e;
	struct fact f = {.value = colon ? colon + 1 : ""};
	char name[NAME_MAX_];
	size_t n = strlen(f.value);

	if (!n || (size_t)(colon - text) >= sizeof(name))
		return why_set(why, V_BAD, "fact: NAME:VALUE belongs there");
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = 0;
	f.field = field_by_name(name);
	if (!f.field)
		return why_set(why, V_BAD, "fact: there is no fact of that name");
	switch (field_table[f.field].type) {
	case T_ENUM:
		e = enum_by_name(f.field, f.value);
		if (!e)
			return why_set(why, V_BAD, "fact: %s: a word that is none of its values", name);
		f.number = e->value;
		break;
	case T_UINT:
	case T_DURATION:
		if (!number(f.value, &f.number))
			return why_set(why, V_BAD, "fact: %s: a number belongs there", name);
		break;
	case T_BYTES:
		if (n % 2 || n / 2 > sizeof(f.bytes) || hex_decode(f.value, f.bytes, n / 2))
			return why_set(why, V_BAD, "fact: %s: up to 32 bytes in hex belong there", name);
		f.bytes_n = n / 2;
		break;
	case T_NAME:
		if (!match_is_short(f.value, false))
			return why_set(why, V_BAD, "fact: %s: longer than %u characters", name, MATCH_CHARS_MAX);
		break;
	case T_INT:
	case T_TIME:
	case T_NONE:
		return why_set(why, V_BAD, "fact: %s: cannot be asked for", name);
	}
	*out = f;
	return 0;
}

bool fact_fits(const struct fact *f, const struct record *r)
{
	struct match m;

	if (!record_has(r, f->field))
		return false;
	switch (field_table[f->field].type) {
	case T_NAME:
		m = match_of(f->value);
		return match_name(&m, r->v[f->field].s);
	case T_BYTES:
		return span_eq(r->v[f->field].s, SPAN(f->bytes, f->bytes_n));
	case T_DURATION:
		return r->v[f->field].i == (int64_t)f->number;
	case T_UINT:
	case T_ENUM:
		return r->v[f->field].u == f->number;
	case T_INT:
	case T_TIME:
	case T_NONE:
		break;
	}
	return false;
}
