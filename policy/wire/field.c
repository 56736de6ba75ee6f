/*
 * The field table and the names of enumerated values, made from fields.def and enums.def. Everybody who shows, stores
 * or filters facts reads it; nobody writes a second list.
 */
#include "policy/wire/record.h"

const struct field_info field_table[FIELD_MAX + 1] = {
#define FIELD(no, NAME, field_name, field_type, en_, ja_, what_) \
	[no] = {.name = #field_name, .type = T_##field_type, .en = en_, .ja = ja_, .what = what_},
#include "policy/wire/fields.def"
#undef FIELD
};

static const struct enum_info enum_table[] = {
#define ENUM_VALUE(FIELD, no, NAME, value_name, en_, ja_) \
	{.field = F_##FIELD, .value = no, .name = value_name, .en = en_, .ja = ja_},
#include "policy/wire/enums.def"
#undef ENUM_VALUE
};

unsigned field_by_name(const char *name)
{
	unsigned f;

	for (f = 1; f <= FIELD_MAX; f++)
		if (field_table[f].name && !strcmp(field_table[f].name, name))
			return f;
	return 0;
}

const struct enum_info *enum_by_value(unsigned field, uint64_t value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(enum_table); i++)
		if (enum_table[i].field == field && enum_table[i].value == value)
			return &enum_table[i];
	return NULL;
}

const struct enum_info *enum_by_name(unsigned field, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(enum_table); i++)
		if (enum_table[i].field == field && !strcmp(enum_table[i].name, name))
			return &enum_table[i];
	return NULL;
}

const struct enum_info *enum_at(size_t i)
{
	return i < ARRAY_SIZE(enum_table) ? &enum_table[i] : NULL;
}

bool kind_of_servers(uint64_t kind)
{
	static const unsigned kinds[] = {KIND_ENROL, KIND_REVOKE, KIND_RETIRE, KIND_REFUSED, KIND_GAP, KIND_FORKED,
		KIND_COLLECTOR_START, KIND_REJOIN, KIND_RENEW, KIND_WITNESS_ALARM, KIND_ADMIN, KIND_CLOCK,
		KIND_CONSOLE_START, KIND_SIGN_IN, KIND_SIGN_IN_REFUSED, KIND_SIGN_OUT, KIND_CONSOLE_VIEW,
		KIND_CONSOLE_SEARCH, KIND_CONSOLE_EXPORT, KIND_CONSOLE_CHANGE, KIND_CONSOLE_REFUSED,
		KIND_CONSOLE_ACCOUNT, KIND_HERALD_START, KIND_ALERT, KIND_ALERT_SEEN, KIND_ALERT_UNSENT, KIND_RETENTION,
		KIND_EXPIRED, KIND_HOLD, KIND_HOLD_LIFTED};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

unsigned record_next(const struct record *r, unsigned f)
{
	unsigned at = f + 1;

	while (at <= FIELD_MAX) {
		uint64_t rest = r->have[at >> 6] >> (at & 63);

		if (rest)
			return at + (unsigned)__builtin_ctzll(rest);
		at = (at | 63) + 1;
	}
	return 0;
}
