/*
 * See columns.h.
 */
#include "collector/export/columns.h"
#include "collector/store/month.h"
#include "policy/wire/body.h"
#include <errno.h>

static struct column all[COLUMNS_MAX];
static unsigned all_n, of_field[FIELD_MAX + 1];

static enum column_type type_of(unsigned field)
{
	switch (field_table[field].type) {
	case T_UINT:
		/* Words, and octal digits. */
		return field == F_FLAGS || field == F_MODE ? COLUMN_TEXT : COLUMN_UINT;
	case T_INT:
	case T_DURATION:
		return COLUMN_INT;
	case T_TIME:
		return COLUMN_TIME;
	case T_BYTES:
		return COLUMN_BYTES;
	case T_NAME:
	case T_ENUM:
	case T_NONE:
		break;
	}
	return COLUMN_TEXT;
}

static void make(void)
{
	static const struct column rows[ROW_COLUMNS] = {
		[ROW_NUMBER] = {"row", COLUMN_UINT, true, 0},
		[ROW_LEAF] = {"leaf", COLUMN_UINT, true, 0},
		[ROW_SEGMENT] = {"segment", COLUMN_BYTES, true, 0},
		[ROW_TAKEN] = {"taken", COLUMN_TEXT, true, 0},
		[ROW_PRODUCER] = {"producer", COLUMN_TEXT, true, 0},
		[ROW_HOST] = {"host", COLUMN_TEXT, true, 0},
		[ROW_HOST_ID] = {"host_id", COLUMN_BYTES, true, 0},
	};
	unsigned f;

	memcpy(all, rows, sizeof(rows));
	all_n = ROW_COLUMNS;
	for (f = 0; f <= FIELD_MAX; f++) {
		of_field[f] = COLUMNS_MAX;
		if (!field_table[f].name)
			continue;
		of_field[f] = all_n;
		/* The reader of bodies gives both to every record. */
		all[all_n++] = (struct column){field_table[f].name, type_of(f), f == F_KIND || f == F_TIME, f};
	}
}

const struct column *columns_all(unsigned *n)
{
	if (!all_n)
		make();
	*n = all_n;
	return all;
}

unsigned columns_of_field(unsigned field)
{
	if (!all_n)
		make();
	return field <= FIELD_MAX ? of_field[field] : COLUMNS_MAX;
}

static void cell_of_row(const struct exported *x, unsigned which, struct cell *out)
{
	const char *name = x->row->host_name ? x->row->host_name : "", *producer = producer_name(x->producer);

	out->there = true;
	switch (which) {
	case ROW_NUMBER:
		out->number = x->row->row;
		return;
	case ROW_LEAF:
		out->number = x->row->leaf;
		return;
	case ROW_SEGMENT:
		out->s = SPAN(x->segment.b, DIGEST_SIZE);
		return;
	case ROW_TAKEN:
		out->s = SPAN_STR(x->taken);
		return;
	case ROW_PRODUCER:
		out->s = producer ? SPAN_STR(producer) : SPAN("", 0);
		return;
	case ROW_HOST:
		out->s = SPAN_STR(name);
		return;
	default:
		out->s = SPAN(x->row->host.b, DIGEST_SIZE);
	}
}

static struct span words(struct cell *out, unsigned field, uint64_t v)
{
	const struct enum_info *e = field_table[field].type == T_ENUM ? enum_by_value(field, v) : NULL;

	if (e)
		return SPAN_STR(e->name);
	if (field == F_FLAGS)
		return SPAN(out->room, record_flags(v, out->room, sizeof(out->room)));
	snprintf(out->room, sizeof(out->room), field == F_MODE ? "%04llo" : "%llu", (unsigned long long)v);
	return SPAN_STR(out->room);
}

void cell_of(const struct exported *x, const struct column *c, struct cell *out)
{
	const struct record *r = &x->row->record;
	enum field_type t;

	out->there = c->field && record_has(r, c->field);
	out->number = 0;
	out->s = SPAN("", 0);
	if (!c->field) {
		cell_of_row(x, (unsigned)(c - all), out);
	} else if (out->there) {
		t = field_table[c->field].type;
		if (t == T_NAME || t == T_BYTES)
			out->s = r->v[c->field].s;
		else if (c->type == COLUMN_TEXT)
			out->s = words(out, c->field, r->v[c->field].u);
		else
			out->number = r->v[c->field].u;
	}
	out->there |= c->always;
}

int exported_each(
	const struct segment *s, uint64_t leaf, const char *host_name, const char *taken, exported_fn fn, void *ctx)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX);
	_cleanup_free_ struct store_row *row = calloc(1, sizeof(*row));
	struct exported x = {.row = row, .segment = s->hash, .producer = s->header.producer, .taken = taken};
	unsigned i;
	int r = row ? segment_raw(s, &raw, NULL) : -ENOMEM;

	r = r ? r : body_reader_new(buf_span(&raw), &in);
	if (r)
		return r < 0 ? r : 0;
	row->leaf = leaf;
	row->host = s->header.host;
	row->host_name = host_name;
	for (i = 0; i < BODY_RECORDS_MAX; i++) {
		r = body_next(in, &row->record, NULL);
		/* What a PC signed can be anything: there are no records behind what is none. */
		if (r)
			return r < 0 ? r : 0;
		row->row = ROW_OF(leaf, i);
		r = fn(ctx, &x);
		if (r)
			return r;
	}
	return 0;
}
