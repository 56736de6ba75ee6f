/*
 * The field table for the page: names, headings and words in both languages. One table, no second list.
 */
#include "collector/console/console.h"

static json_t *values_json(unsigned field)
{
	const struct enum_info *e;
	json_t *list = json_array();
	size_t i;

	for (i = 0; (e = enum_at(i)); i++)
		if (e->field == field)
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s}", "name", e->name, "en", e->en, "ja", e->ja));
	return list;
}

void vocabulary_get(struct call *x)
{
	static const char *const types[] = {[T_NONE] = "",
		[T_UINT] = "uint",
		[T_INT] = "int",
		[T_NAME] = "name",
		[T_BYTES] = "bytes",
		[T_ENUM] = "enum",
		[T_TIME] = "time",
		[T_DURATION] = "duration"};
	json_t *list = json_array();
	unsigned f;

	for (f = 1; f <= FIELD_MAX; f++) {
		const struct field_info *i = &field_table[f];
		json_t *o = i->name ? json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", i->name, "type", types[i->type],
					      "en", i->en, "ja", i->ja, "what", i->what)
				    : NULL;

		if (o && i->type == T_ENUM)
			json_object_set_new(o, "values", values_json(f));
		if (o)
			json_array_append_new(list, o);
	}
	reply(x, json_pack("{s:o}", "fields", list));
}
