/* A report as JSON, and its figures. README.md has the form. */
#include "collector/report/report_parts.h"
#include "policy/base/text.h"

static json_t *moment(int64_t us)
{
	char text[TEXT_TIME_SIZE];

	return us ? json_string(text_time_utc(text, us)) : json_null();
}

static json_t *cell(const struct table *t, const struct cell *c, unsigned column)
{
	if (c->none)
		return json_null();
	if (t->columns[column].type == CELL_TEXT)
		return json_string(c->text ? c->text : "");
	return t->columns[column].type == CELL_TIME ? moment(c->n) : json_integer(c->n);
}

static json_t *table(const struct report *r, const struct table *t)
{
	static const char *const types[] = {"text", "count", "bytes", "time"};
	json_t *columns = json_array(), *rows = json_array();
	unsigned i, k;

	for (i = 0; i < t->columns_n; i++)
		json_array_append_new(columns,
			json_pack("{s:s, s:s, s:s}", "name", t->columns[i].name, "title",
				say(r, t->columns[i].en, t->columns[i].ja), "type", types[t->columns[i].type]));
	for (i = 0; i < t->rows; i++) {
		json_t *row = json_array();

		for (k = 0; k < t->columns_n; k++)
			json_array_append_new(row, cell(t, &t->cells[(size_t)i * t->columns_n + k], k));
		json_array_append_new(rows, row);
	}
	return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o, s:I}", "name", t->name, "section",
		section_title(r, t->section), "title", say(r, t->en, t->ja), "note",
		t->note_en ? say(r, t->note_en, t->note_ja) : NULL, "columns", columns, "rows", rows, "more",
		(json_int_t)t->more);
}

static json_t *figures(const struct report *r)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < r->figures_n; i++) {
		const struct figure *f = &r->figures[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:I, s:o, s:b}", "name", f->name, "title", say(r, f->en, f->ja),
				"type", f->type == CELL_BYTES ? "bytes" : "count", "now", (json_int_t)f->now, "before",
				f->compared ? json_integer((json_int_t)f->before) : json_null(), "key", f->first_page));
	}
	return list;
}

static json_t *remarks(const struct report *r)
{
	static const char *const weights[] = {"alarm", "warning", "note"};
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < r->remarks_n; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "severity", weights[r->remarks[i].weight], "text", r->remarks[i].text));
	return list;
}

static json_t *bars(const struct report *r, const char *name, const char *title, const char *type, const uint64_t *v)
{
	json_t *values = json_array();
	unsigned i;

	for (i = 0; i < r->bars_n; i++)
		json_array_append_new(values, json_integer((json_int_t)v[i]));
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "name", name, "title", title, "type", type, "since",
		moment(r->o.from_us), "days", (json_int_t)(r->bar_us / DAY_US), "values", values);
}

json_t *report_json(const struct report *r)
{
	json_t *tables = json_array(), *charts = json_array();
	char period[128];
	unsigned i;

	period_words(r, period);
	for (i = 0; i < r->tables_n; i++)
		json_array_append_new(tables, table(r, &r->tables[i]));
	if (part_on(r, REPORT_PRINTS))
		json_array_append_new(
			charts, bars(r, "pages", say(r, "Pages printed", "印刷ページ数"), "count", r->now.pages_by));
	if (part_on(r, REPORT_DRIVES))
		json_array_append_new(charts, bars(r, "bytes", say(r, "Written to drives", "ドライブへの書き込み量"),
						      "bytes", r->now.bytes_by));
	return json_pack(
		"{s:s, s:s?, s:o, s:o, s:o, s:o, s:s, s:s, s:{s:s?, s:I, s:s?, s:b, s:b, s:I}, s:o, s:o, s:o, s:o}",
		"period", period, "month", r->o.month[0] ? r->o.month : NULL, "since", moment(r->o.from_us), "until",
		moment(r->o.until_us), "before", moment(r->o.before_us), "made", moment(r->made_us), "by", r->o.by,
		"host", r->o.host, "log", "origin", r->verified ? r->head.origin : NULL, "size",
		(json_int_t)r->head.size, "root", r->verified ? r->root : NULL, "verified", r->verified, "included",
		r->included, "unindexed", (json_int_t)(r->leaves > r->indexed ? r->leaves - r->indexed : 0), "figures",
		figures(r), "attention", remarks(r), "charts", charts, "tables", tables);
}
